/*
 * The data link interface layer: what stands between protocols and drivers.
 *
 * In:  ifnet_input -> (queue) -> demux -> interface filters -> protocol input
 * Out: protocol -> pre_output -> framer -> interface filters -> driver output
 *
 * Callers: protocols (src/netinet*), the KPI (kpi/), the host's interfaces (src/host, through
 * corecalls). DLIL never includes what lies above it: filters and network protocols register here.
 */
#ifndef NKE_DLIL_H
#define NKE_DLIL_H

#include <net/kpi_protocol.h>
#include <sys/kern_event.h>

#include "src/net/if_filter.h"
#include "src/net/if_private.h"

#ifndef PF_VLAN
#define PF_VLAN		0x766c616eu	/* tagged frames, for the VLAN interfaces above */
#endif

/* ---- hooks for the layers above (set once, by their subsystem's init) ---------------------- */

/* What a network protocol (PF_INET, PF_INET6) registers: where its packets go. */
struct net_proto {
	protocol_family_t family;
	/* Consumes the whole list (linked by m_nextpkt), data at the network header. */
	void (*input)(struct nke *, struct mbuf *list);
	/* Frames the replayed host sent: IP filters, then replay_output_done. Consumes the list. */
	void (*play_output)(struct nke *, struct ifnet *, struct mbuf *list);
	/* Cuts a datagram to `mtu`; consumes it in every case. EMSGSIZE (IPv4 DF), ENOBUFS. */
	errno_t (*fragment)(struct nke *, struct mbuf *, uint32_t mtu, struct mbuf **list);
	/* Makes the checksums that csum_flags (those in `flags`) leave out; header at `off`. NULL: none. */
	errno_t (*finish_cksum)(struct mbuf *, uint32_t off, uint32_t flags);
	/*
	 * Cuts a large TCP segment (CSUM_TSO4, CSUM_TSO6), header at `off`; consumes. NULL: nothing is
	 * left.
	 */
	struct mbuf *(*cut)(struct nke *, struct mbuf *, size_t off);
	/* An interface goes: drop addresses, routes and fragments that name it. */
	void (*interface_detached)(struct nke *, struct ifnet *);
	/* An address came or is about to go. NULL: not interested. */
	void (*address_changed)(struct ifaddr *, bool added);
};

void dlil_set_filter_ops(struct nke *, const struct dlil_filter_ops *);
errno_t dlil_register_net_proto(struct nke *, const struct net_proto *);
const struct net_proto *dlil_net_proto(struct nke *, protocol_family_t);
/* Where ARP frames go that come in on Ethernet: data at the ARP header. Consumed. */
void dlil_set_arp_input(struct nke *, void (*)(struct ifnet *, struct mbuf *));
/*
 * Sends an ARP packet through the IPv4 protocol of the interface (proto_media_send_arp of the KPI).
 * EOPNOTSUPP: it does not know ARP; ENXIO: there is none; EINVAL, ENOBUFS, and what the driver says.
 */
errno_t dlil_send_arp(struct ifnet *, u_short op, const struct sockaddr_dl *sender_hw,
    const struct sockaddr *sender_proto, const struct sockaddr_dl *target_hw,
    const struct sockaddr *target_proto);

/* ---- life of an interface (dlil_ifnet.c) -------------------------------------------------- */

errno_t dlil_allocate(struct nke *, const struct ifnet_init_params *, struct kext *owner,
    struct ifnet **);
errno_t dlil_attach(struct ifnet *, const struct sockaddr_dl *);
errno_t dlil_detach(struct ifnet *);			/* the rest happens in a soft interrupt */
void ifnet_retain(struct ifnet *);			/* an object reference */
void ifnet_drop(struct ifnet *);
void ifnet_io_last(struct ifnet *);			/* ifnet_io_end's rare half */

/* A call into the interface is in progress: detaching waits. False unless attached. */
static inline bool
ifnet_io_begin(struct ifnet *ifp)
{
	if (__builtin_expect(ifp->state != IFNET_ATTACHED, 0))
		return false;
	ifp->io_refs++;
	return true;
}

static inline void
ifnet_io_end(struct ifnet *ifp)
{
	if (__builtin_expect(--ifp->io_refs == 0 && ifp->state == IFNET_DETACHING, 0))
		ifnet_io_last(ifp);
}

struct ifnet *dlil_find_by_name(struct nke *, const char *name);	/* no reference */
struct ifnet *dlil_find_by_index(struct nke *, uint32_t index);
struct ifnet *dlil_loopback(struct nke *);		/* lo0: always there */
TAILQ_HEAD(ifnet_head, ifnet);
struct ifnet_head *dlil_interfaces(struct nke *);
/* ENXIO: no link record; EINVAL: neither 0 nor addrlen bytes. Posts LINK_ADDRESS_CHANGED. */
errno_t dlil_set_lladdr(struct ifnet *, const void *lladdr, size_t len);

/* ---- protocols on interfaces (dlil_proto.c) ----------------------------------------------- */

struct if_proto *dlil_find_proto(struct ifnet *, protocol_family_t);	/* no reference */
errno_t dlil_attach_proto(struct ifnet *, protocol_family_t, const struct if_proto *params,
    const struct ifnet_demux_desc *, uint32_t count);
errno_t dlil_detach_proto(struct ifnet *, protocol_family_t);
/* Attaches the protocol through the registered plumber, unless it is attached. */
errno_t dlil_plumb(struct ifnet *, protocol_family_t);
errno_t dlil_unplumb(struct ifnet *, protocol_family_t);
/*
 * Who plumbs `family` onto interfaces of `if_family`. EINVAL, EEXIST, ENOMEM. `pc`: for the
 * ledger.
 */
errno_t dlil_register_plumber(struct nke *, protocol_family_t, ifnet_family_t, proto_plumb_handler,
    proto_unplumb_handler, struct kext *owner, void *pc);
void dlil_unregister_plumber(struct nke *, protocol_family_t, ifnet_family_t);
void dlil_proto_last(struct if_proto *);		/* dlil_proto_release's rare half */

/*
 * Held over every call of a protocol's functions; the last release of a detached one tells it so.
 */
static inline void
dlil_proto_retain(struct if_proto *p)
{
	p->refcount++;
}

static inline void
dlil_proto_release(struct if_proto *p)
{
	if (__builtin_expect(--p->refcount == 0, 0))
		dlil_proto_last(p);
}

uint32_t dlil_proto_count(const struct ifnet *);

/* ---- data path (dlil_input.c, dlil_output.c) ---------------------------------------------- */

/*
 * Queues a list for the interface's input soft interrupt. Always consumed. Each packet: pkthdr,
 * header = frame header, data after it.
 */
errno_t dlil_input(struct ifnet *, struct mbuf *list, const struct ifnet_stat_increment_param *);
/* The same without the queue, for callers that are at the top of the stack themselves. */
void dlil_input_now(struct ifnet *, struct mbuf *list);
/* The same for a single packet, which is through before it returns. */
void dlil_input_one(struct ifnet *, struct mbuf *);
/*
 * Nobody wants the frame (`frame`: its link header): counted and freed, or given back to the
 * replay.
 */
void dlil_unclaimed(struct ifnet *, struct mbuf *, char *frame);
/* Queues packets for a network protocol's input. ENOENT (list kept by the caller): it has none. */
errno_t dlil_inject(struct nke *, protocol_family_t, struct mbuf *list);
/*
 * A list through pre_output, framer, filters and driver. Always consumed. `raw`: filters and
 * driver only.
 */
errno_t dlil_output(struct ifnet *, protocol_family_t, struct mbuf *list, void *route,
    const struct sockaddr *dst, bool raw);
/*
 * The same, raw, for a single packet on an interface whose driver is the core's own and calls no kext: it
 * needs no gate.
 */
void dlil_output_frame(struct ifnet *, protocol_family_t, struct mbuf *);

/* ---- events, ioctls (dlil_event.c, dlil_ioctl.c, dlil_ifioctl.c) -------------------------- */

/*
 * Path F of events: filters, protocols, the interface, kernel event sockets. EMSGSIZE: more than
 * 200 bytes, the sockets did not hear it; ENOMEM: not all sockets did.
 */
errno_t dlil_post(struct ifnet *, const struct kev_msg *);
/* The common case: class network, subclass `subclass`, interface identity followed by `extra`. */
void dlil_post_event(struct ifnet *, uint32_t subclass, uint32_t code, const void *extra,
    uint32_t extra_len, bool kernel_sockets_only);

/* KEV_INET_*, KEV_INET6_*: something about an address of the interface changed. Path F. */
void dlil_post_address(struct ifaddr *, uint32_t code);

errno_t dlil_ioctl(struct ifnet *, protocol_family_t, unsigned long, void *);
/*
 * One handler's answer to an ioctl joins the result so far (EOPNOTSUPP at first). True: the result
 * is final. 0 is kept and the others are still asked; EJUSTRETURN means done, result 0.
 */
static inline bool
dlil_ioctl_merge(errno_t *result, errno_t answer)
{
	if (answer == ENOTSUP)
		answer = EOPNOTSUPP;
	if (*result == EOPNOTSUPP || answer == EJUSTRETURN)
		*result = answer;
	return *result != 0 && *result != EOPNOTSUPP;
}
/*
 * An interface ioctl of a process: the part that the stack handles itself, the rest goes to
 * dlil_ioctl. `data` as the ioctl's number says. ENXIO: no interface of that name.
 */
errno_t ifioctl(struct nke *, unsigned long, void *data);
/* if_ioctl of drivers that have nothing to do for flags, MTU and multicast lists. */
errno_t dlil_driver_ioctl(struct ifnet *, unsigned long, void *);
/*
 * SIOCSIFFLAGS to the driver on the stack's own behalf, with a struct ifreq as a process would have given:
 * there are drivers that read ifr_flags without asking whether there is an argument.
 */
errno_t dlil_tell_flags(struct ifnet *);
/* ifnet_set_flags with all it entails. */
errno_t dlil_set_flags(struct ifnet *, uint16_t new_flags, uint16_t mask);
/*
 * Counted; the driver is told when the flag changes while the interface is up, its error undoes
 * it.
 */
errno_t dlil_set_promiscuous(struct ifnet *, bool on);

/* ---- multicast (dlil_multicast.c) --------------------------------------------------------- */

/*
 * Joins a group: a link address (AF_LINK, AF_UNSPEC), or a protocol's, which brings its link
 * address with it. Joining twice counts. *out (may be NULL) gets a reference. EADDRNOTAVAIL,
 * EINVAL, ENOMEM, and what the protocol's resolver or the driver's check says.
 */
errno_t dlil_multicast_join(struct ifnet *, const struct sockaddr *, struct ifmultiaddr **out);
/* Undoes one join. ENOENT: there is none. */
errno_t dlil_multicast_leave(struct ifmultiaddr *);
struct ifmultiaddr *dlil_multicast_find(struct ifnet *, const struct sockaddr *);
errno_t dlil_resolve_multicast(struct ifnet *, const struct sockaddr *, struct sockaddr *ll,
    size_t ll_len);
void dlil_multicast_purge(struct ifnet *);	/* protocol records go, link records are kept */
void dlil_multicast_restore(struct ifnet *);	/* of a recycled interface: tells the driver */
void ifmultiaddr_retain(struct ifmultiaddr *);
void ifmultiaddr_drop(struct ifmultiaddr *);

/* ---- media modules ------------------------------------------------------------------------ */

/*
 * Fill in what an interface of that media needs: demux, framer, add_proto, del_proto, check_multi.
 */
void ether_media(struct ifnet_init_params *);		/* dlil/ether.c: IFNET_FAMILY_ETHERNET */
void raw_media(struct ifnet_init_params *);		/* dlil/raw.c: IPv4/IPv6 without link header */
void loop_media(struct ifnet_init_params *);		/* dlil/loop.c: 4-byte family header */
errno_t loop_attach(struct nke *);			/* makes lo0 */

#endif
