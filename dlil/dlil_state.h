/* DLIL's own state of a machine; seen by dlil/ alone. */
#ifndef NKE_DLIL_STATE_H
#define NKE_DLIL_STATE_H

#include "dlil/dlil.h"
#include "dlil/wire.h"

#define DLIL_NET_PROTOS		8u	/* PF_INET, PF_INET6 and room for a few of others */

/* Who puts a protocol onto the interfaces of a family. */
struct plumber {
	TAILQ_ENTRY(plumber) link;
	protocol_family_t family;
	ifnet_family_t if_family;
	proto_plumb_handler plumb;
	proto_unplumb_handler unplumb;	/* may be NULL */
	struct kext *owner;
	uint32_t calls;			/* in progress */
	bool removed;			/* freed when the last call returns */
	struct ledger_entry ledger;
};

struct dlil_state {
	struct ifnet_head attached;
	TAILQ_HEAD(, ifnet) all;	/* every object ever made, for recycling */
	uint32_t last_index;
	struct ifnet *lo0;
	struct dlil_filter_ops filters;
	struct net_proto net_protos[DLIL_NET_PROTOS];
	uint32_t net_proto_count;
	TAILQ_HEAD(, plumber) plumbers;
	void (*arp_input)(struct ifnet *, struct mbuf *);	/* NULL: ARP frames are nobody's */

	struct wire_ends wire_ends;	/* of this machine's interfaces */

	/* proto_inject: packets for protocols, their family in m_pkthdr.family */
	struct mbuf *inject_head, *inject_tail;
	struct softintr inject_intr;
};

/* dlil_ledger.c */
void dlil_describe(struct nke *);
/* dlil_ifnet.c */
void dlil_recycle(struct ifnet *);
/* dlil_detach.c */
void dlil_detach_finish(void *ifp);
/* dlil_input.c */
void dlil_input_intr(void *ifp);
void dlil_inject_intr(void *machine);
/* dlil_event.c: an address came (added) or went. */
void dlil_address_changed(struct ifaddr *, bool added);

/* The built-in plumbers: dlil/ether_inet.c, ether_inet6.c, raw.c, loop.c. */
errno_t ether_register_plumbers(struct nke *);
errno_t ether6_register_plumbers(struct nke *);
errno_t raw_register_plumbers(struct nke *);
/* Attaches IPv4 or IPv6 as it is on links that need no addresses: raw.c, used by lo0 too. */
errno_t raw_plumb(struct ifnet *, protocol_family_t);

/* The first protocol of an interface attached after `seq`; 0 for the very first. NULL: no more. */
static inline struct if_proto *
dlil_next_proto(const struct ifnet *ifp, uint32_t seq)
{
	struct if_proto *p;

	TAILQ_FOREACH(p, &ifp->protos, link)
		if (p->seq > seq)
			return p;
	return NULL;
}

#endif
