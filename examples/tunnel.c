/*
 * tunnel: a network interface, xtun0, whose other end is a program. Packets that are routed to it are
 * read from the character device /dev/xtun0, and what the program writes there comes in at the interface:
 * the kernel's half of a VPN.
 *
 *	ifnet_output -> tun_pre_output -> tun_framer -> tun_output -> queue -> tun_read -> the program
 *	IP <- tun_input <- tun_demux <- ifnet_input <------------------------- tun_write <- the program
 *
 * One packet per read and write, with four bytes in front of it: the address family, in network byte
 * order. The device is opened by one program at a time; the interface runs while it is open.
 * examples/tunnel_host.c is a program for it.
 */
#include <stdbool.h>
#include <sys/param.h>
#include <sys/conf.h>
#include <sys/errno.h>
#include <sys/fcntl.h>
#include <sys/filio.h>
#include <sys/kpi_mbuf.h>
#include <sys/proc.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/sockio.h>
#include <sys/systm.h>
#include <sys/uio.h>
#include <sys/vnode.h>
#include <kern/locks.h>
#include <mach/mach_types.h>
#include <miscfs/devfs/devfs.h>
#include <net/if.h>
#include <net/if_types.h>
#include <net/kpi_interface.h>
#include <net/kpi_protocol.h>
#include <netinet/in.h>

kern_return_t tunnel_start(kmod_info_t *ki, void *data);
kern_return_t tunnel_stop(kmod_info_t *ki, void *data);

#define HEADER		sizeof(u_int32_t)	/* the family */
#define MTU		1400
#define QUEUE_LIMIT	64			/* packets that wait to be read */
#define FAMILY_NAME	"org.libnke.examples.tunnel"

/* The kernel keeps its size a secret; this is more than enough. */
struct selinfo {
	char room[128];
};

static const protocol_family_t protocols[] = {PF_INET, PF_INET6};
#define PROTOCOLS	(sizeof protocols / sizeof protocols[0])

static lck_grp_t *lock_group;
static lck_mtx_t *lock;
static ifnet_family_t family;
static ifnet_t xtun0;			/* our reference, from ifnet_allocate */
static unsigned plumbers;		/* how many of `protocols` have one */
static int device = -1;			/* the major number */
static void *node;			/* /dev/xtun0 */

/* Under `lock`. */
static bool interface_attached;
static bool is_open, nonblocking;
static mbuf_t first, last;		/* the queue, linked by nextpkt */
static unsigned queued;
static struct selinfo readers;

/* ---- the queue ---------------------------------------------------------------------------- */

/* With the lock held. The oldest packet, NULL when there is none. */
static mbuf_t
dequeue(void)
{
	mbuf_t packet = first;

	if (packet == NULL)
		return NULL;
	first = mbuf_nextpkt(packet);
	if (first == NULL)
		last = NULL;
	mbuf_setnextpkt(packet, NULL);
	queued--;
	return packet;
}

static void
enqueue(mbuf_t packet)
{
	if (last != NULL)
		mbuf_setnextpkt(last, packet);
	else
		first = packet;
	last = packet;
	queued++;
}

/* ---- the interface ------------------------------------------------------------------------ */

static errno_t
tun_pre_output(ifnet_t ifp, protocol_family_t protocol, mbuf_t *packet, const struct sockaddr *dest,
    void *route, char *frame_type, char *link_layer_dest)
{
	memcpy(frame_type, &protocol, sizeof protocol);
	return 0;			/* the link has no addresses */
}

static errno_t
tun_framer(ifnet_t ifp, mbuf_t *packet, const struct sockaddr *dest, const char *dest_lladdr,
    const char *frame_type)
{
	protocol_family_t protocol;
	u_int32_t header;

	memcpy(&protocol, frame_type, sizeof protocol);
	header = htonl(protocol);
	/* On failure the packet is gone and *packet NULL; EJUSTRETURN says so. */
	if (mbuf_prepend(packet, HEADER, MBUF_DONTWAIT) != 0)
		return EJUSTRETURN;
	return mbuf_copyback(*packet, 0, HEADER, &header, MBUF_DONTWAIT);
}

/* The packet is the driver's now, whatever it returns. */
static errno_t
tun_output(ifnet_t ifp, mbuf_t packet)
{
	struct ifnet_stat_increment_param stats = {.packets_out = 1};
	errno_t error = 0;

	stats.bytes_out = (u_int32_t)(mbuf_pkthdr_len(packet) - HEADER);
	lck_mtx_lock(lock);
	if (!is_open)
		error = ENETDOWN;
	else if (queued >= QUEUE_LIMIT)
		error = ENOBUFS;
	else
		enqueue(packet);
	lck_mtx_unlock(lock);
	if (error != 0) {
		mbuf_freem(packet);
		ifnet_stat_increment_out(ifp, 0, 0, 1);
		return error;
	}
	ifnet_stat_increment(ifp, &stats);
	wakeup(&first);
	selwakeup(&readers);
	return 0;
}

static errno_t
tun_demux(ifnet_t ifp, mbuf_t packet, char *frame, protocol_family_t *protocol)
{
	u_int32_t header;

	memcpy(&header, frame, sizeof header);
	*protocol = ntohl(header);
	return *protocol == PF_INET || *protocol == PF_INET6 ? 0 : ENOENT;
}

/* What the interface's input thread found is handed to IP. */
static errno_t
tun_input(ifnet_t ifp, protocol_family_t protocol, mbuf_t packet, char *header)
{
	if (proto_input(protocol, packet) != 0)
		mbuf_freem(packet);
	return 0;
}

static errno_t
tun_add_proto(ifnet_t ifp, protocol_family_t protocol, const struct ifnet_demux_desc *demux,
    u_int32_t count)
{
	return protocol == PF_INET || protocol == PF_INET6 ? 0 : EPROTONOSUPPORT;
}

static errno_t
tun_del_proto(ifnet_t ifp, protocol_family_t protocol)
{
	return 0;
}

static errno_t
tun_ioctl(ifnet_t ifp, unsigned long command, void *data)
{
	switch (command) {
	case SIOCSIFADDR:
	case SIOCAIFADDR:
	case SIOCSIFFLAGS:
	case SIOCADDMULTI:
	case SIOCDELMULTI:
		return 0;
	case SIOCSIFMTU:
		return ifnet_set_mtu(ifp, (u_int32_t)((struct ifreq *)data)->ifr_mtu);
	default:
		return EOPNOTSUPP;
	}
}

static void
tun_detached(ifnet_t ifp)
{
	lck_mtx_lock(lock);
	interface_attached = false;
	wakeup(&interface_attached);
	lck_mtx_unlock(lock);
}

/* IPv4 or IPv6 is brought onto the interface: with its first address. */
static errno_t
tun_plumb(ifnet_t ifp, protocol_family_t protocol)
{
	struct ifnet_attach_proto_param param = {.input = tun_input, .pre_output = tun_pre_output};

	return ifnet_attach_protocol(ifp, protocol, &param);
}

static void
tun_unplumb(ifnet_t ifp, protocol_family_t protocol)
{
	ifnet_detach_protocol(ifp, protocol);
}

/* ---- the device --------------------------------------------------------------------------- */

static int
tun_open(dev_t dev, int flags, int devtype, struct proc *p)
{
	int error = EBUSY;

	lck_mtx_lock(lock);
	if (!is_open) {
		is_open = true;
		error = 0;
	}
	lck_mtx_unlock(lock);
	return error != 0 ? error : ifnet_set_flags(xtun0, IFF_RUNNING, IFF_RUNNING);
}

/* The last, and only, close. */
static int
tun_close(dev_t dev, int flags, int devtype, struct proc *p)
{
	mbuf_t packet;

	ifnet_set_flags(xtun0, 0, IFF_RUNNING);
	lck_mtx_lock(lock);
	is_open = nonblocking = false;
	while ((packet = dequeue()) != NULL)
		mbuf_freem(packet);
	lck_mtx_unlock(lock);
	return 0;
}

/* A packet, or as much of it as there is room for. */
static int
tun_read(dev_t dev, struct uio *uio, int ioflag)
{
	mbuf_t packet, m;
	int error = 0;

	lck_mtx_lock(lock);
	while (first == NULL && error == 0) {
		if (nonblocking || (ioflag & IO_NDELAY))
			error = EWOULDBLOCK;
		else
			error = msleep(&first, lock, PZERO | PCATCH, "xtun", NULL);
	}
	packet = error == 0 ? dequeue() : NULL;
	lck_mtx_unlock(lock);
	for (m = packet; m != NULL && uio_resid(uio) > 0 && error == 0; m = mbuf_next(m))
		error = uiomove(mbuf_data(m), (int)mbuf_len(m), uio);
	if (packet != NULL)
		mbuf_freem(packet);
	return error;
}

/* Bytes of the program into a new packet. */
static errno_t
copy_in(struct uio *uio, mbuf_t *packet)
{
	size_t left = (size_t)uio_resid(uio);
	unsigned chunks = 1;
	errno_t error = mbuf_allocpacket(MBUF_WAITOK, left, &chunks, packet);

	if (error != 0)
		return error;
	mbuf_setlen(*packet, left);	/* one chunk: it is all in one place */
	mbuf_pkthdr_setlen(*packet, left);
	error = uiomove(mbuf_data(*packet), (int)left, uio);
	if (error != 0)
		mbuf_freem(*packet);
	return error;
}

static int
tun_write(dev_t dev, struct uio *uio, int ioflag)
{
	struct ifnet_stat_increment_param stats = {.packets_in = 1};
	mbuf_t packet;
	errno_t error;

	if (uio_resid(uio) <= (user_ssize_t)HEADER)
		return EINVAL;
	if (uio_resid(uio) > (user_ssize_t)(HEADER + ifnet_mtu(xtun0)))
		return EMSGSIZE;
	error = copy_in(uio, &packet);
	if (error != 0)
		return error;
	/* A packet begins behind its link header, which the packet header points to. */
	mbuf_pkthdr_setheader(packet, mbuf_data(packet));
	mbuf_adj(packet, (int)HEADER);
	mbuf_pkthdr_setrcvif(packet, xtun0);
	stats.bytes_in = (u_int32_t)mbuf_pkthdr_len(packet);
	return ifnet_input(xtun0, packet, &stats);	/* takes the packet, whatever it returns */
}

static int
tun_select(dev_t dev, int which, void *wql, struct proc *p)
{
	int ready = which == FWRITE;

	lck_mtx_lock(lock);
	if (which == FREAD && first != NULL)
		ready = 1;
	else if (which == FREAD)
		selrecord(p, &readers, wql);
	lck_mtx_unlock(lock);
	return ready;
}

static int
tun_devioctl(dev_t dev, u_long command, caddr_t data, int fflag, struct proc *p)
{
	switch (command) {
	case FIONBIO:
		nonblocking = *(int *)(void *)data != 0;
		return 0;
	case FIONREAD:
		lck_mtx_lock(lock);
		*(int *)(void *)data = first != NULL ? (int)mbuf_pkthdr_len(first) : 0;
		lck_mtx_unlock(lock);
		return 0;
	default:
		return ENOTTY;
	}
}

static struct cdevsw tun_cdevsw = {
	.d_open = tun_open,
	.d_close = tun_close,
	.d_read = tun_read,
	.d_write = tun_write,
	.d_ioctl = tun_devioctl,
	.d_stop = eno_stop,
	.d_reset = eno_reset,
	.d_select = tun_select,
	.d_mmap = eno_mmap,
	.d_strategy = eno_strat,
};

/* ---- coming and going --------------------------------------------------------------------- */

static errno_t
attach_interface(void)
{
	struct ifnet_init_params params = {
		.name = "xtun",
		.unit = 0,
		.family = family,
		.type = IFT_OTHER,
		.output = tun_output,
		.demux = tun_demux,
		.add_proto = tun_add_proto,
		.del_proto = tun_del_proto,
		.framer = tun_framer,
		.ioctl = tun_ioctl,
		.detach = tun_detached,
	};
	errno_t error = ifnet_allocate(&params, &xtun0);

	if (error != 0)
		return error;
	ifnet_set_mtu(xtun0, MTU);
	ifnet_set_hdrlen(xtun0, HEADER);
	ifnet_set_addrlen(xtun0, 0);
	ifnet_set_flags(xtun0, IFF_POINTOPOINT | IFF_MULTICAST, IFF_POINTOPOINT | IFF_MULTICAST);
	interface_attached = true;
	error = ifnet_attach(xtun0, NULL);
	if (error != 0)
		interface_attached = false;
	return error;
}

static errno_t
attach_all(void)
{
	errno_t error = ifnet_interface_family_find(FAMILY_NAME, &family);

	while (error == 0 && plumbers < PROTOCOLS) {
		error = proto_register_plumber(protocols[plumbers], family, tun_plumb, tun_unplumb);
		if (error == 0)
			plumbers++;
	}
	if (error == 0)
		error = attach_interface();
	if (error != 0)
		return error;
	device = cdevsw_add(-1, &tun_cdevsw);
	if (device == -1)
		return EMFILE;
	node = devfs_make_node(makedev(device, 0), DEVFS_CHAR, 0, 0, 0660, "xtun%d", 0);
	return node != NULL ? 0 : ENOMEM;
}

/* In the reverse order. The device first, so that nobody opens it any more. */
static void
tear_down(void)
{
	if (node != NULL)
		devfs_remove(node);
	if (device != -1)
		cdevsw_remove(device, &tun_cdevsw);
	if (interface_attached) {
		ifnet_detach(xtun0);
		lck_mtx_lock(lock);
		while (interface_attached)
			msleep(&interface_attached, lock, PWAIT, "xtun", NULL);
		lck_mtx_unlock(lock);
	}
	if (xtun0 != NULL)
		ifnet_release(xtun0);
	while (plumbers > 0)
		proto_unregister_plumber(protocols[--plumbers], family);
	if (lock != NULL)
		lck_mtx_free(lock, lock_group);
	if (lock_group != NULL)
		lck_grp_free(lock_group);
}

kern_return_t
tunnel_start(kmod_info_t *ki, void *data)
{
	errno_t error = ENOMEM;

	lock_group = lck_grp_alloc_init("tunnel", LCK_GRP_ATTR_NULL);
	if (lock_group != NULL)
		lock = lck_mtx_alloc_init(lock_group, LCK_ATTR_NULL);
	if (lock != NULL)
		error = attach_all();
	if (error == 0)
		return KERN_SUCCESS;
	printf("no xtun0: error %d\n", error);
	tear_down();
	return KERN_FAILURE;
}

kern_return_t
tunnel_stop(kmod_info_t *ki, void *data)
{
	/* Nobody else keeps a kext whose device is open from going. */
	if (is_open)
		return KERN_FAILURE;
	tear_down();
	return KERN_SUCCESS;
}
