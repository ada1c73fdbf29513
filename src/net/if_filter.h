/*
 * Interface filters as DLIL sees them: their records, and the short way of a packet through the one
 * filter of an interface.
 *
 * The engine (iffilter/) owns the records and does everything that is not the common case: DLIL calls it
 * through dlil_filter_ops. The common case is one filter that looks and passes on, in a machine that
 * nobody watches. It is inline here because a filter that does nothing is to cost next to nothing.
 */
#ifndef NKE_NET_IF_FILTER_H
#define NKE_NET_IF_FILTER_H

#include <net/kpi_interfacefilter.h>

#include "src/kern/filter_counters.h"
#include "src/kern/gate.h"
#include "src/kern/ledger.h"
#include "src/net/if_private.h"
#include "src/net/replay.h"

struct iff_entry {
	TAILQ_ENTRY(iff_entry) link;	/* of its interface */
	TAILQ_ENTRY(iff_entry) all;	/* of the machine */
	struct ifnet *ifp;
	struct iff_filter filter;
	uint32_t id;			/* never reused: what an interface_filter_t really is */
	bool leaving;			/* not called any more; goes when no walk is left */
	bool awaited;			/* by a thread in iff_detach, which will finish it */
	bool gone;			/* iff_detached has been called */
	struct kext *owner;
	struct filter_counters counters;
	struct ledger_entry ledger;
};

/* What the engine registers with DLIL (dlil_set_filter_ops). */
struct dlil_filter_ops {
	/*
	 * Runs the input filters of `ifp` over one packet. 0: go on with *m and *frame; EJUSTRETURN: a
	 * filter owns it; other: the filter refused it, the packet has been freed.
	 */
	errno_t (*input)(struct ifnet *, protocol_family_t, struct mbuf **m, char **frame);
	errno_t (*output)(struct ifnet *, protocol_family_t, struct mbuf **m);
	/* The short way: the filter did not just look at the packet. Result as above. */
	errno_t (*other)(struct iff_entry *, bool in, errno_t, struct replay_shown, struct mbuf **m,
	    char **frame);
	/* The short way is at its end, and meanwhile a filter was detached. */
	void (*sweep)(struct ifnet *);
	void (*event)(struct ifnet *, const struct kev_msg *);
	/* EOPNOTSUPP: nobody took it; *stop set: result is final. */
	errno_t (*ioctl)(struct ifnet *, protocol_family_t, unsigned long, void *, bool *stop);
	/* Interface is going: detach every filter, calling iff_detached. */
	void (*detach_all)(struct ifnet *);
};

/*
 * The filter that the packet may go the short way through; its call is counted. NULL: it has to go the
 * long way, and nothing is counted.
 */
static inline struct iff_entry *
iff_only(const struct ifnet *ifp, bool in, protocol_family_t family, const struct mbuf *m)
{
	struct iff_entry *e = in ? ifp->only_in : ifp->only_out;

	if (__builtin_expect(e != NULL && ifp->only_walker == NULL && ifp->machine->trace == NULL &&
	    !(m->m_pkthdr.csum_flags & CSUM_VLAN_TAG_VALID) &&
	    (e->filter.iff_protocol == 0 || e->filter.iff_protocol == family) &&
	    filter_count_plain(&e->counters, in), 1))
		return e;
	return NULL;
}

/* dlil_filter_ops.input or output, the short way. */
static inline __attribute__((always_inline)) errno_t
iff_only_call(struct iff_entry *e, const struct dlil_filter_ops *ops, struct ifnet *ifp, bool in,
    protocol_family_t family, struct mbuf **mp, char **frame)
{
	struct mbuf *m = *mp;
	struct pkt_origin *origin = m->m_pkthdr.origin;
	struct thread *t = curthread();
	struct gate_frame gate;
	errno_t error;

	ifp->only_walker = t;
	gate_enter_on(t, &gate, e->owner, in ? "iff_input" : "iff_output", m,
	    m->m_pkthdr.packet_number);
	error = in ? e->filter.iff_input(e->filter.iff_cookie, ifp, family, mp, frame) :
	    e->filter.iff_output(e->filter.iff_cookie, ifp, family, mp);
	gate_leave_on(t, &gate);
	if (__builtin_expect(error != 0 || !replay_as_shown(gate.packet, origin, *mp,
	    in ? REPLAY_NET_AND_FRAME : REPLAY_FRAME, in ? *frame : NULL), 0))
		error = ops->other(e, in, error, (struct replay_shown){gate.packet, origin,
		    gate.packet_number}, mp, frame);
	ifp->only_walker = NULL;
	if (__builtin_expect(ifp->filters_leaving, 0))
		ops->sweep(ifp);
	return error;
}

#endif
