/*
 * Interfaces that the host makes: their driver is here and gives frames to a function of the
 * host's, whole and in one piece; a device's as it lies in memory, with what that does itself
 * (host_offload.c). Frames that the host brings are copied into mbufs and go through the
 * interface's input queue like any driver's.
 */
#include <net/bpf.h>
#include <net/ethernet.h>
#include <net/if_types.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/sockio.h>

#include "dlil/dlil_state.h"
#include "dlil/wire.h"
#include "src/kern/heap.h"
#include "src/kern/klog.h"
#include "src/net/bpf_private.h"
#include "src/net/ifaddr.h"
#include "src/net/neighbor.h"

struct host_iface {
	bool destroyed;
	void (*output)(void *, const void *, size_t);	/* NULL: nobody listens */
	/* Instead of it. */
	void (*output_pieces)(void *, const struct core_output *, unsigned count);
	void *ctx;
	struct mbuf *held, **held_tail;	/* large segments that are to leave together, by m_nextpkt */
	unsigned held_count;
	struct softintr let_go;
	struct wire_end *wire;		/* it is plugged into; NULL: the host has the other end */
	uint32_t dlt;
	uint8_t *flat;			/* for frames that are not in one piece */
	size_t flat_size;
};

#define ALIGN_BYTES(hdrlen)	((4 - ((size_t)(hdrlen) & 3)) & 3)

/* ---- the driver --------------------------------------------------------------------------- */

/* A frame in one piece. */
struct flat {
	const uint8_t *bytes;		/* NULL: no memory */
	uint8_t *copy;			/* it had to be copied: from the heap, `size` bytes; or NULL */
	size_t size;
};

/* Takes the interface's buffer, so that an output within the host's function has none, or another. */
static struct flat
flatten(struct ifnet *ifp, struct host_iface *h, const struct mbuf *m, size_t len)
{
	struct flat f = {(const uint8_t *)m->m_data, NULL, 0};

	if (m->m_next == NULL)
		return f;
	f.copy = h->flat;
	f.size = h->flat_size;
	h->flat = NULL;
	h->flat_size = 0;
	if (len > f.size) {
		kfree(ifp->machine, f.copy);
		f.copy = kalloc(ifp->machine, len);
		f.size = f.copy != NULL ? len : 0;
	}
	f.bytes = f.copy != NULL && m_copydata(m, 0, len, f.copy) == 0 ? f.copy : NULL;
	return f;
}

static void
give_back(struct ifnet *ifp, struct host_iface *h, const struct flat *f)
{
	if (f->size <= h->flat_size) {
		kfree(ifp->machine, f->copy);
		return;
	}
	kfree(ifp->machine, h->flat);
	h->flat = f->copy;
	h->flat_size = f->size;
}

/* Can the device take it as it lies in memory? */
static bool
in_pieces(const struct host_iface *h, const struct mbuf *m)
{
	unsigned n = 0;

	if (h->output_pieces == NULL)
		return false;
	for (; m != NULL; m = m->m_next)
		n++;
	return n <= CORE_OUTPUT_PIECES;
}

/* The frame as the device is to have it: flat, or where its mbufs are. */
static void
describe(struct ifnet *ifp, struct mbuf *m, const uint8_t *flat, struct core_output *out)
{
	out->len = (size_t)m->m_pkthdr.len;
	out->flags = 0;
	out->count = 0;
	if (m->m_pkthdr.csum_flags & (HOST_IFACE_UNSUMMED | CSUM_TSO4 | CSUM_TSO6))
		host_iface_leave(ifp, m, out);
	if (flat != NULL) {
		out->pieces[out->count++] = (struct core_piece){flat, out->len};
		return;
	}
	for (; m != NULL; m = m->m_next)
		if (m->m_len != 0)
			out->pieces[out->count++] = (struct core_piece){m->m_data, (size_t)m->m_len};
}

static struct mbuf *
take_held(struct host_iface *h)
{
	struct mbuf *list = h->held;

	h->held = NULL;
	h->held_tail = &h->held;
	h->held_count = 0;
	return list;
}

static void
let_go(void *arg)
{
	struct ifnet *ifp = arg;
	struct host_iface *h = ifp->softc;
	struct mbuf *list = take_held(h);
	struct core_output out[CORE_OUTPUT_MOST];
	unsigned count = 0;

	if (list == NULL)
		return;
	for (struct mbuf *m = list; m != NULL; m = m->m_nextpkt)
		describe(ifp, m, NULL, &out[count++]);
	h->output_pieces(h->ctx, out, count);
	m_freem_list(list);
}

/*
 * Large segments mostly come several at a time. They are held until what makes them is done, as a device that
 * takes them together wakes their receiver once. Consumes the frame.
 */
static void
give_pieces(struct ifnet *ifp, struct host_iface *h, struct mbuf *m)
{
	m->m_nextpkt = NULL;
	*h->held_tail = m;
	h->held_tail = &m->m_nextpkt;
	if (++h->held_count == CORE_OUTPUT_MOST || !(m->m_pkthdr.csum_flags & (CSUM_TSO4 | CSUM_TSO6)))
		let_go(ifp);
	else
		softintr_schedule(&h->let_go);
}

static void
give_flat(struct ifnet *ifp, struct host_iface *h, struct mbuf *m, const uint8_t *flat)
{
	struct core_output out;

	if (h->output_pieces != NULL) {
		let_go(ifp);
		describe(ifp, m, flat, &out);
		h->output_pieces(h->ctx, &out, 1);
	} else if (h->output != NULL) {
		h->output(h->ctx, flat, (size_t)m->m_pkthdr.len);
	}
}

static errno_t
host_output(struct ifnet *ifp, struct mbuf *m)
{
	struct host_iface *h = ifp->softc;
	size_t len = m_length(m);
	struct flat flat = {0};

	m->m_pkthdr.len = (int32_t)len;
	if (ifp->bpf != NULL)
		bpf_tap_out(ifp, h->dlt, m, NULL, 0);
	if (h->wire == NULL && !in_pieces(h, m) && (flat = flatten(ifp, h, m, len)).bytes == NULL) {
		ifp->stats.oerrors++;
		give_back(ifp, h, &flat);
		m_freem(m);
		return ENOBUFS;
	}
	ifp->stats.opackets++;
	ifp->stats.obytes += len;
	if (m->m_flags & (MBUF_BCAST | MBUF_MCAST))
		ifp->stats.omcasts++;
	if (h->wire != NULL)
		return wire_output(h->wire, m);
	if (!h->destroyed && flat.bytes == NULL) {
		give_pieces(ifp, h, m);
		return 0;
	}
	if (!h->destroyed)
		give_flat(ifp, h, m, flat.bytes);
	give_back(ifp, h, &flat);
	m_freem(m);
	return 0;
}

static void
host_detached(struct ifnet *ifp)
{
	struct host_iface *h = ifp->softc;

	if (h->wire != NULL)
		wire_unplug(h->wire);
	softintr_cancel(&h->let_go);
	m_freem_list(take_held(h));
	kfree(ifp->machine, h->flat);
	kfree(ifp->machine, h);
	ifp->softc = NULL;
	ifnet_drop(ifp);		/* what dlil_allocate gave */
}

/* ---- making and destroying ---------------------------------------------------------------- */

struct call {
	struct nke *machine;
	struct ifnet *ifp;
	errno_t error;
	const struct core_iface_config *config;
	const void *data;
	size_t len;
	int family;
	unsigned prefix;
	const uint8_t *lladdr;
};

static bool
terminated(const char *s, size_t size)
{
	return strnlen(s, size) < size && s[0] != '\0';
}

static errno_t
attach(struct ifnet *ifp, const struct core_iface_config *c)
{
	bool ether = c->media == CORE_MEDIA_ETHERNET;
	struct host_iface *h = ifp->softc;
	struct sockaddr_dl sdl = {
		.sdl_len = sizeof sdl, .sdl_family = AF_LINK, .sdl_type = ifp->type,
		.sdl_alen = ETHER_ADDR_LEN,
	};
	uint16_t flags = ether ? IFF_BROADCAST | IFF_SIMPLEX | IFF_MULTICAST | IFF_RUNNING :
	    IFF_MULTICAST | IFF_RUNNING;
	errno_t error;

	memcpy(LLADDR(&sdl), c->lladdr, ETHER_ADDR_LEN);
	ifp->hdrlen = ether ? ETHER_HDR_LEN : c->hdrlen;
	ifp->mtu = c->mtu != 0 ? c->mtu : ETHERMTU;
	ifp->offload_unwatched = c->offload ? HOST_IFACE_TCP_OFFLOAD : 0;
	error = dlil_attach(ifp, ether ? &sdl : NULL);
	if (error != 0)
		return error;
	(void)dlil_set_flags(ifp, flags, flags);
	return bpf_attach(ifp, h->dlt, ifp->hdrlen, NULL, NULL);
}

static errno_t
create(struct nke *m, const struct core_iface_config *c, struct ifnet **out)
{
	struct ifnet_init_params params = {
		.name = c->name, .unit = c->unit, .output = host_output, .ioctl = dlil_driver_ioctl,
		.detach = host_detached,
	};
	char xname[IFNET_XNAMSIZ];
	struct host_iface *h;
	errno_t error;

	if (!terminated(c->name, sizeof c->name) ||
	    (c->media != CORE_MEDIA_ETHERNET && c->media != CORE_MEDIA_RAW) ||
	    (c->mtu != 0 && (c->mtu < IF_MINMTU || c->mtu > IF_MAXMTU)))
		return EINVAL;
	ksnprintf(xname, sizeof xname, "%s%u", c->name, c->unit);
	if (dlil_find_by_name(m, xname) != NULL)
		return EBUSY;
	h = kalloc(m, sizeof *h);
	if (h == NULL)
		return ENOMEM;
	h->output = c->output;
	h->output_pieces = c->output_pieces;
	h->ctx = c->ctx;
	h->held_tail = &h->held;
	h->dlt = c->media == CORE_MEDIA_ETHERNET ? DLT_EN10MB : DLT_RAW;
	params.softc = h;
	if (c->media == CORE_MEDIA_ETHERNET)
		ether_media(&params);
	else
		raw_media(&params);
	error = dlil_allocate(m, &params, NULL, out);
	if (error != 0) {
		kfree(m, h);
		return error;
	}
	softintr_init(&h->let_go, m, let_go, *out);
	error = attach(*out, c);
	if (error == 0)
		return 0;
	if ((*out)->state == IFNET_ATTACHED) {
		(void)dlil_detach(*out);
	} else {
		ifnet_drop(*out);
		kfree(m, h);
	}
	return error;
}

static void
do_create(void *arg)
{
	struct call *c = arg;

	c->error = create(c->machine, c->config, &c->ifp);
}

int
iface_create(struct nke *m, const struct core_iface_config *config, struct ifnet **ifp)
{
	struct call c = {.machine = m, .config = config};
	int error = machine_call(m, do_create, &c);

	if (error == 0 && c.error == 0)
		*ifp = c.ifp;
	return error != 0 ? error : c.error;
}

static void
do_destroy(void *arg)
{
	struct call *c = arg;
	struct host_iface *h = c->ifp->softc;

	if (h == NULL || h->destroyed) {
		c->error = ENXIO;
		return;
	}
	let_go(c->ifp);
	h->destroyed = true;
	c->error = dlil_detach(c->ifp);
}

int
iface_destroy(struct nke *m, struct ifnet *ifp)
{
	struct call c = {.machine = m, .ifp = ifp};
	int error = machine_call(m, do_destroy, &c);

	return error != 0 ? error : c.error;
}

/* ---- frames ------------------------------------------------------------------------------- */

errno_t
host_iface_plug(struct ifnet *ifp, struct wire_end *end)
{
	struct host_iface *h = ifp->softc;

	if (ifp->output != host_output || h == NULL)
		return EINVAL;
	if (end != NULL && h->wire != NULL)
		return EEXIST;
	h->wire = end;
	return 0;
}

struct mbuf *
host_iface_frame(struct ifnet *ifp, struct mbuf *m)
{
	const struct host_iface *h = ifp->softc;

	if (ifp->state != IFNET_ATTACHED || m->m_pkthdr.len < ifp->hdrlen) {
		ifp->stats.ierrors++;
		m_freem(m);
		return NULL;
	}
	if (m->m_len < ifp->hdrlen && (m = m_pullup(m, ifp->hdrlen)) == NULL) {
		ifp->stats.iqdrops++;
		return NULL;
	}
	m->m_pkthdr.rcvif = ifp;
	m->m_pkthdr.header = m->m_data;
	if (ifp->bpf != NULL)
		bpf_tap_in(ifp, h->dlt, m, NULL, 0);
	m->m_data += ifp->hdrlen;
	m->m_len -= ifp->hdrlen;
	m->m_pkthdr.len -= ifp->hdrlen;
	return m;
}

static errno_t
input_frame(struct ifnet *ifp, const void *frame, size_t len)
{
	struct mbuf *m;

	if (ifp->state != IFNET_ATTACHED || ifp->softc == NULL)
		return ENXIO;
	if (len < ifp->hdrlen) {
		ifp->stats.ierrors++;
		return EINVAL;
	}
	m = m_devget(ifp->machine, frame, len, ALIGN_BYTES(ifp->hdrlen));
	if (m == NULL) {
		ifp->stats.iqdrops++;
		return ENOBUFS;
	}
	m = host_iface_frame(ifp, m);
	return m != NULL ? dlil_input(ifp, m, NULL) : ENOBUFS;
}

static void
do_input(void *arg)
{
	struct call *c = arg;

	c->error = input_frame(c->ifp, c->data, c->len);
}

int
iface_input(struct nke *m, struct ifnet *ifp, const void *frame, size_t len)
{
	struct call c = {.machine = m, .ifp = ifp, .data = frame, .len = len};
	int error = machine_call(m, do_input, &c);

	return error != 0 ? error : c.error;
}

/* ---- addresses ---------------------------------------------------------------------------- */

/* A family that has no addresses is a wrong argument here. */
static errno_t
make_sockaddr(int family, const void *bytes, struct sockaddr_storage *ss)
{
	return sockaddr_make(family, bytes, 0, ss) == 0 ? 0 : EINVAL;
}

static void
do_add_address(void *arg)
{
	struct call *c = arg;
	struct sockaddr_storage addr, mask;
	unsigned bytes = c->family == AF_INET ? 4 : 16;
	uint8_t bits[16] = {0};

	if (c->prefix > bytes * 8) {
		c->error = EINVAL;
		return;
	}
	for (unsigned i = 0; i < c->prefix; i++)
		bits[i / 8] |= (uint8_t)(0x80 >> (i % 8));
	if ((c->error = make_sockaddr(c->family, c->data, &addr)) != 0)
		return;
	(void)make_sockaddr(c->family, bits, &mask);
	c->error = ifaddr_add(c->ifp, (struct sockaddr *)(void *)&addr,
	    (struct sockaddr *)(void *)&mask, NULL);
}

int
iface_add_address(struct nke *m, struct ifnet *ifp, int family, const void *addr, unsigned prefix)
{
	struct call c = {.machine = m, .ifp = ifp, .family = family, .data = addr, .prefix = prefix};
	int error = machine_call(m, do_add_address, &c);

	return error != 0 ? error : c.error;
}

static void
do_set_default(void *arg)
{
	struct call *c = arg;
	struct sockaddr_storage gateway;

	if (c->data == NULL) {
		c->error = route_set_default(c->machine, (sa_family_t)c->family, c->ifp, NULL);
		return;
	}
	c->error = make_sockaddr(c->family, c->data, &gateway);
	if (c->error == 0)
		c->error = route_set_default(c->machine, (sa_family_t)c->family, c->ifp,
		    (struct sockaddr *)(void *)&gateway);
}

int
iface_set_default(struct nke *m, struct ifnet *ifp, int family, const void *gateway)
{
	struct call c = {.machine = m, .ifp = ifp, .family = family, .data = gateway};
	int error = machine_call(m, do_set_default, &c);

	return error != 0 ? error : c.error;
}

static void
do_add_neighbor(void *arg)
{
	struct call *c = arg;
	struct sockaddr_storage addr;

	c->error = make_sockaddr(c->family, c->data, &addr);
	if (c->error == 0)
		c->error = neighbor_set(c->ifp, (struct sockaddr *)(void *)&addr, c->lladdr,
		    NEIGHBOR_PERMANENT);
}

static void
do_remove_neighbor(void *arg)
{
	struct call *c = arg;
	struct sockaddr_storage addr;

	c->error = make_sockaddr(c->family, c->data, &addr);
	if (c->error == 0)
		c->error = neighbor_delete(c->ifp, (struct sockaddr *)(void *)&addr);
}

int
iface_remove_neighbor(struct nke *m, struct ifnet *ifp, int family, const void *addr)
{
	struct call c = {.machine = m, .ifp = ifp, .family = family, .data = addr};
	int error = machine_call(m, do_remove_neighbor, &c);

	return error != 0 ? error : c.error;
}

int
iface_add_neighbor(struct nke *m, struct ifnet *ifp, int family, const void *addr,
    const uint8_t lladdr[6])
{
	struct call c = {.machine = m, .ifp = ifp, .family = family, .data = addr, .lladdr = lladdr};
	int error = machine_call(m, do_add_neighbor, &c);

	return error != 0 ? error : c.error;
}
