/*
 * ownif: a network interface of one's own, echo0. What is sent to it comes back as received.
 *
 * This is the skeleton of a driver: allocate, attach, move packets both ways, detach. Its link header
 * is two bytes, a number for the protocol; a little protocol on top sends three packets and counts
 * what returns:
 *
 *	ifnet_output -> hello_pre_output -> echo_framer -> echo_output -+
 *	                                                                |  ifnet_input queues
 *	hello_input <- echo_demux <- the interface's input thread <-----+
 */
#include <stdbool.h>
#include <sys/param.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/kpi_mbuf.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/sockio.h>
#include <kern/locks.h>
#include <mach/mach_types.h>
#include <net/if.h>
#include <net/if_types.h>
#include <net/kpi_interface.h>
#include <netinet/in.h>

kern_return_t ownif_start(kmod_info_t *ki, void *data);
kern_return_t ownif_stop(kmod_info_t *ki, void *data);

#define PF_HELLO	0x68656c6fu	/* 'helo' */
#define LINK_HELLO	0x4848		/* how the link header says PF_HELLO */
#define LINK_HEADER	sizeof(u_int16_t)
#define GREETINGS	3

static ifnet_t echo0;			/* our reference, from ifnet_allocate */
static lck_grp_t *lock_group;
static lck_mtx_t *lock;
static bool interface_attached;		/* under `lock`: the driver can still be called, ... */
static bool protocol_attached;		/* ... the protocol */
static unsigned sent, returned;		/* `returned` is the input thread's */

/* ---- the driver --------------------------------------------------------------------------- */

/* Puts the link header in front of a packet that goes out. */
static errno_t
echo_framer(ifnet_t ifp, mbuf_t *packet, const struct sockaddr *dest, const char *dest_lladdr,
    const char *frame_type)
{
	/* On failure the packet is gone and *packet NULL; EJUSTRETURN says so. */
	if (mbuf_prepend(packet, LINK_HEADER, MBUF_DONTWAIT) != 0)
		return EJUSTRETURN;
	memcpy(mbuf_data(*packet), frame_type, LINK_HEADER);
	return 0;
}

/*
 * "Sends" a frame: the packet is the driver's now, whatever it returns. A packet that is handed to
 * ifnet_input begins behind its link header, which the packet header points to.
 */
static errno_t
echo_output(ifnet_t ifp, mbuf_t packet)
{
	struct ifnet_stat_increment_param stats = {.packets_in = 1, .packets_out = 1};
	void *header;

	/* The framer's header need not have ended up in one piece with what follows, but is whole. */
	if (mbuf_len(packet) < LINK_HEADER && mbuf_pullup(&packet, LINK_HEADER) != 0)
		return ENOBUFS;
	header = mbuf_data(packet);
	stats.bytes_in = stats.bytes_out = (u_int32_t)mbuf_pkthdr_len(packet);
	mbuf_pkthdr_setheader(packet, header);
	mbuf_adj(packet, LINK_HEADER);
	mbuf_pkthdr_setrcvif(packet, ifp);
	return ifnet_input(ifp, packet, &stats);	/* takes the packet, whatever it returns */
}

/* Whose is it? Called in the input thread with the interface locked: no blocking here. */
static errno_t
echo_demux(ifnet_t ifp, mbuf_t packet, char *frame, protocol_family_t *protocol)
{
	u_int16_t type;

	memcpy(&type, frame, sizeof type);
	if (ntohs(type) != LINK_HELLO)
		return ENOENT;		/* filters may look at it, then it is freed */
	*protocol = PF_HELLO;
	return 0;
}

/* A driver with many protocols would keep a table. Ours knows one by heart. */
static errno_t
echo_add_proto(ifnet_t ifp, protocol_family_t protocol, const struct ifnet_demux_desc *demux,
    u_int32_t count)
{
	return protocol == PF_HELLO ? 0 : EPROTONOSUPPORT;
}

static errno_t
echo_del_proto(ifnet_t ifp, protocol_family_t protocol)
{
	return 0;
}

static errno_t
echo_ioctl(ifnet_t ifp, unsigned long command, void *data)
{
	if (command != SIOCSIFFLAGS)
		return EOPNOTSUPP;
	/* IFF_UP came with the first protocol and goes with the last; "running" is the driver's to say. */
	return ifnet_set_flags(ifp, ifnet_flags(ifp) & IFF_UP ? IFF_RUNNING : 0, IFF_RUNNING);
}

static void
now_false(bool *condition)
{
	lck_mtx_lock(lock);
	*condition = false;
	wakeup(condition);
	lck_mtx_unlock(lock);
}

static void
wait_until_false(bool *condition)
{
	lck_mtx_lock(lock);
	while (*condition)
		msleep(condition, lock, PWAIT, "ownif", NULL);
	lck_mtx_unlock(lock);
}

/* The last call into the driver, some time after ifnet_detach has returned. */
static void
echo_detached(ifnet_t ifp)
{
	now_false(&interface_attached);
}

/* ---- the protocol ------------------------------------------------------------------------- */

static errno_t
hello_input(ifnet_t ifp, protocol_family_t protocol, mbuf_t packet, char *header)
{
	returned++;
	mbuf_freem(packet);
	return 0;
}

static errno_t
hello_pre_output(ifnet_t ifp, protocol_family_t protocol, mbuf_t *packet,
    const struct sockaddr *dest, void *route, char *frame_type, char *link_layer_dest)
{
	u_int16_t type = htons(LINK_HELLO);

	memcpy(frame_type, &type, sizeof type);
	return 0;			/* the link has no addresses */
}

static errno_t
hello_detached(ifnet_t ifp, protocol_family_t protocol)
{
	now_false(&protocol_attached);
	return 0;
}

static errno_t
greet(void)
{
	static const char greeting[] = "hello";
	mbuf_t packet;
	errno_t error;

	error = mbuf_gethdr(MBUF_WAITOK, MBUF_TYPE_DATA, &packet);
	if (error != 0)
		return error;
	error = mbuf_copyback(packet, 0, sizeof greeting, greeting, MBUF_WAITOK);
	if (error != 0) {
		mbuf_freem(packet);
		return error;
	}
	error = ifnet_output(echo0, PF_HELLO, packet, NULL, NULL);
	if (error == 0)
		sent++;
	return error;
}

/* ---- coming and going --------------------------------------------------------------------- */

static errno_t
attach_interface(void)
{
	struct ifnet_init_params params = {
		.name = "echo",
		.unit = 0,
		.type = IFT_OTHER,
		.output = echo_output,
		.demux = echo_demux,
		.add_proto = echo_add_proto,
		.del_proto = echo_del_proto,
		.framer = echo_framer,
		.ioctl = echo_ioctl,
		.detach = echo_detached,
	};
	errno_t error;

	/* A family says whose rules apply to an interface. A name gets a number that is its own. */
	error = ifnet_interface_family_find("org.libnke.examples.ownif", &params.family);
	if (error == 0)
		error = ifnet_allocate(&params, &echo0);
	if (error != 0)
		return error;
	ifnet_set_mtu(echo0, 1500);
	ifnet_set_hdrlen(echo0, LINK_HEADER);
	ifnet_set_addrlen(echo0, 0);
	interface_attached = true;
	error = ifnet_attach(echo0, NULL);
	if (error != 0)
		interface_attached = false;
	return error;
}

static errno_t
attach_protocol(void)
{
	struct ifnet_attach_proto_param param = {
		.input = hello_input,
		.pre_output = hello_pre_output,
		.detached = hello_detached,
	};
	errno_t error;

	protocol_attached = true;
	error = ifnet_attach_protocol(echo0, PF_HELLO, &param);
	if (error != 0)
		protocol_attached = false;
	return error;
}

/*
 * Detaching the interface would detach its protocols too. An interface object is gone from use when
 * the detach callback has run; only then may our reference go, and this code.
 */
static void
tear_down(void)
{
	if (protocol_attached) {
		ifnet_detach_protocol(echo0, PF_HELLO);
		wait_until_false(&protocol_attached);
	}
	if (interface_attached) {
		ifnet_detach(echo0);
		wait_until_false(&interface_attached);
	}
	if (echo0 != NULL)
		ifnet_release(echo0);
	if (lock != NULL)
		lck_mtx_free(lock, lock_group);
	if (lock_group != NULL)
		lck_grp_free(lock_group);
}

kern_return_t
ownif_start(kmod_info_t *ki, void *data)
{
	errno_t error = ENOMEM;

	lock_group = lck_grp_alloc_init("ownif", LCK_GRP_ATTR_NULL);
	if (lock_group != NULL)
		lock = lck_mtx_alloc_init(lock_group, LCK_ATTR_NULL);
	if (lock != NULL)
		error = attach_interface();
	if (error == 0)
		error = attach_protocol();
	for (int i = 0; i < GREETINGS && error == 0; i++)
		error = greet();
	if (error == 0)
		return KERN_SUCCESS;
	printf("no echo0: error %d\n", error);
	tear_down();
	return KERN_FAILURE;
}

kern_return_t
ownif_stop(kmod_info_t *ki, void *data)
{
	tear_down();
	printf("%u packets sent, %u came back\n", sent, returned);
	return KERN_SUCCESS;
}
