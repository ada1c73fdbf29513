/*
 * What the core knows of an interface, its addresses, multicast memberships and attached protocols.
 *
 * Kexts see only ifnet_t and its accessors (kpi/kpi_interface.c). Owner of these structs is DLIL
 * (dlil/); protocols and filters read them, and change only the members their section names.
 */
#ifndef NKE_NET_IF_PRIVATE_H
#define NKE_NET_IF_PRIVATE_H

#include <net/if.h>
#include <net/if_dl.h>
#include <net/kpi_interface.h>
#include <sys/queue.h>

#include "src/kern/kext_refs.h"
#include "src/kern/ledger.h"
#include "src/kern/machine.h"
#include "src/kern/mbuf.h"
#include "src/kern/sched.h"

struct iff_entry;
struct iff_walk;
struct bpf_if;
struct nd6_if;
struct neighbor;

#define IFNET_LLADDR_MAX	20	/* the longest link address there is (InfiniBand) */
#define IFNET_XNAMSIZ		(IFNAMSIZ + 10)	/* name and unit */

enum ifnet_state {
	IFNET_EMBRYONIC,		/* allocated, not attached */
	IFNET_ATTACHING,
	IFNET_ATTACHED,
	IFNET_DETACHING,
	IFNET_DETACHED			/* in the list of objects to recycle */
};

/* An address of an interface: the link address (AF_LINK, always first), IPv4 or IPv6. */
struct ifaddr {
	TAILQ_ENTRY(ifaddr) link;	/* of the interface */
	LIST_ENTRY(ifaddr) hash;	/* AF_INET/AF_INET6: by address, for "is it ours?" */
	TAILQ_ENTRY(ifaddr) all;	/* of the machine, in order of arrival */
	struct ifnet *ifp;
	uint32_t refcount;
	bool attached;
	struct sockaddr_storage addr, dst, mask;	/* ss_len 0: none. dst: peer or broadcast */
	uint32_t flags;
	uint32_t ia6_flags;		/* IN6_IFF_*; of IPv4 addresses TENTATIVE and DUPLICATED too */
	uint64_t ia6_preferred, ia6_valid;	/* until that uptime in ns; 0: for ever */
	void (*removed)(struct ifaddr *);	/* protocol's, before the last reference goes */
};

/* A multicast membership. Protocol records own a link record found by resolving. */
struct ifmultiaddr {
	TAILQ_ENTRY(ifmultiaddr) link;
	struct ifnet *ifp;
	uint32_t refcount;		/* references to the object */
	uint32_t anonymous;		/* joins by the KPI or ioctl */
	uint32_t protocol_refs;		/* protocol records that use this link record */
	struct ifmultiaddr *ll;		/* protocol record: its link record, or NULL */
	struct sockaddr_storage addr;
	bool attached;
};

/* A protocol attached to an interface. */
struct if_proto {
	TAILQ_ENTRY(if_proto) link;
	struct ifnet *ifp;
	protocol_family_t family;
	uint32_t refcount;		/* 1 while attached, 1 per call in progress */
	uint32_t seq;			/* order of attachment, never reused: a walk finds its place by it */
	bool v2;			/* input takes lists */
	bool core;			/* functions are ours: called without the gate */
	bool watches;			/* a kext's: counts in machine->filter_count */
	bool detached;
	struct kext *owner;
	proto_media_input input;
	proto_media_input_v2 input_v2;
	proto_media_preout pre_output;
	proto_media_event event;
	proto_media_ioctl ioctl;
	proto_media_detached detached_fn;
	proto_media_resolve_multi resolve_multi;
	proto_media_send_arp send_arp;
	struct ledger_entry ledger;
};

struct ifnet_stats {
	uint64_t ipackets, ibytes, imcasts, ierrors;
	uint64_t opackets, obytes, omcasts, oerrors;
	uint64_t collisions, iqdrops, noproto;
};

struct ifnet {
	TAILQ_ENTRY(ifnet) link;	/* attached interfaces, in order of attachment */
	TAILQ_ENTRY(ifnet) all;		/* every object ever made, for recycling */
	struct nke *machine;
	struct kext *owner;		/* NULL: the core's own (lo0) or the host's */
	enum ifnet_state state;
	uint32_t refcount;
	uint32_t io_refs;		/* calls in progress; detach waits for 0 */

	char name[IFNAMSIZ];		/* "en" */
	char xname[IFNET_XNAMSIZ];	/* "en0" */
	uint32_t unit;
	uint32_t index;
	ifnet_family_t family;
	uint8_t type;
	uint8_t addrlen;
	uint8_t hdrlen;
	uint16_t flags;
	uint32_t mtu;
	uint32_t metric;
	uint64_t baudrate;
	uint32_t offload;		/* IFNET_CSUM_*, IFNET_VLAN_* ...: what its driver says */
	uint32_t offload_unwatched;	/* and what a device of the host's does too: see if_offload_now */
	uint32_t tso_v4_mtu, tso_v6_mtu;
	uint32_t capabilities, capenable;
	uint32_t wake_flags;
	uint32_t promiscuous;		/* count */
	uint8_t lladdr[IFNET_LLADDR_MAX];	/* what the link record says, for demux and framer */
	uint8_t lladdr_len;
	bool has_lladdr;		/* was attached once: the link address can be asked for */
	void *unique_id;
	size_t unique_id_len;
	uint8_t broadcast[IFNET_LLADDR_MAX];
	uint8_t broadcast_len;
	void *link_mib;			/* the driver's, kept by pointer */
	uint32_t link_mib_len;
	uint64_t lastchange;		/* uptime ns */

	/* the driver */
	void *softc;
	ifnet_output_func output;
	ifnet_demux_func demux;
	ifnet_add_proto_func add_proto;
	ifnet_del_proto_func del_proto;
	ifnet_framer_func framer;
	ifnet_ioctl_func ioctl;
	ifnet_detached_func detach;
	ifnet_event_func event;
	ifnet_check_multi check_multi;
	ifnet_set_bpf_tap set_bpf_tap;
	void *media;			/* the media module's own state (demux table) */

	struct ifnet_stats stats;

	TAILQ_HEAD(ifaddr_head, ifaddr) addresses;
	TAILQ_HEAD(ifmulti_head, ifmultiaddr) multicast;
	bool multicast_suspended;
	TAILQ_HEAD(if_proto_head, if_proto) protos;
	struct if_proto *proto_inet, *proto_inet6;	/* the same objects, found without a walk */
	uint32_t proto_seq;		/* last one given */
	TAILQ_HEAD(iff_head, iff_entry) filters;	/* iffilter/ */
	struct iff_walk *filter_walks;	/* iffilter/: calls of filters in progress */
	bool filters_leaving;		/* iffilter/: some go when the last walk ends */
	struct iff_entry *only_in, *only_out;	/* iffilter/: the one filter, if it has that function */
	struct thread *only_walker;	/* iffilter/: who calls it now the short way */
	struct bpf_if *bpf;				/* NULL: nobody ever attached; src/net/bpf */

	/* input queue and its soft interrupt; detaching has one of its own */
	struct mbuf *inq_head, *inq_tail;
	uint32_t inq_len;
	struct softintr input_intr;
	struct softintr detach_intr;
	struct ledger_entry ledger;
	struct kext_refs kext_refs;	/* which kext holds references to it */
	void *host;			/* the host's half, when the host made it */
	bool has_neighbor_default;	/* neighbor.c: who stands for unknown neighbours */
	uint8_t neighbor_default[6];
	struct neighbor *neighbor4, *neighbor6;	/* neighbor.h: asked for last, NULL none */
	uint32_t neighbor_count;
	struct nd6_if *nd6;		/* src/netinet6/nd6.h; NULL: no neighbour discovery there */
	uint32_t mtu6;			/* of IPv6, as routers say, never more than mtu; 0: the same */
	uint8_t hlim6;			/* usual hop limit, as routers say; 0: the machine's */
};

/* Bytes of a packet of that family. */
static inline uint32_t
ifnet_family_mtu(const struct ifnet *ifp, sa_family_t family)
{
	return family == AF_INET6 && ifp->mtu6 != 0 && ifp->mtu6 < ifp->mtu ? ifp->mtu6 : ifp->mtu;
}

/*
 * What may be left to the interface now (IFNET_*). Devices that nobody has to believe in make no difference
 * to kexts: while there are filters, packets are complete and of the MTU's size.
 */
static inline uint32_t
if_offload_now(const struct ifnet *ifp)
{
	return ifp->machine->filter_count != 0 ? ifp->offload : ifp->offload | ifp->offload_unwatched;
}

#endif
