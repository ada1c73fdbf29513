/*
 * The IP filter engine: one list of filters per IP version, newest first.
 *
 * Callers: ip_input and ip_output and their IPv6 twins (ipf_input, ipf_output), the KPI
 * (kpi/kpi_ipfilter.c: add, remove, inject), reports (counters). Injected packets go back to IP
 * through what IP registers here with ipf_set_protocol.
 *
 * A filter that is removed while any walk is in progress, perhaps from inside its own callback,
 * stays in its list without being called; whoever ends the last walk detaches it. So the list never
 * changes under a walk except at its head, and a filter that is being called is always there to
 * return to.
 */
#ifndef NKE_IPFILTER_H
#define NKE_IPFILTER_H

#include <netinet/in.h>
#include <netinet/ip6.h>
#include <netinet/kpi_ipfilter.h>
#include <sys/socket.h>

#include "src/kern/filter_counters.h"
#include "src/kern/gate.h"
#include "src/kern/ledger.h"
#include "src/kern/mbuf.h"
#include "src/kern/sched.h"
#include "src/net/replay.h"

struct ifnet;

struct ipf_entry {
	TAILQ_ENTRY(ipf_entry) link;
	struct ipf_filter filter;
	int family;			/* AF_INET or AF_INET6 */
	bool removed;			/* functions no longer called; waits for the walks to end */
	uint32_t id;			/* what an ipfilter_t holds; never reused */
	struct kext *owner;
	struct filter_counters counters;
	struct ledger_entry ledger;
};

TAILQ_HEAD(ipf_head, ipf_entry);

/* What IP gives the engine, once per version. Both take packets with data at the IP header. */
struct ipf_protocol {
	/*
	 * Receives an injected packet; consumes. m_pkthdr.inject_ref not NULL: straight to the
	 * filters behind it; else from the beginning, with rcvif chosen when it is NULL.
	 */
	void (*input)(struct nke *, struct mbuf *);
	/* Sends a packet whose header is complete, with the filters behind inject_ref; consumes. */
	errno_t (*output)(struct nke *, struct mbuf *, ipf_pktopts_t);
};

struct ipf_state {
	struct ipf_head v4, v6;
	/* [IPv6]: the one filter of the version, if it has that function */
	struct ipf_entry *only_in[2], *only_out[2];
	uint32_t walking;		/* filter walks in progress, both versions */
	bool removal_pending;
	uint32_t last_id;
	const struct ipf_protocol *protocol4, *protocol6;

	/* ipf_inject_input: packets waiting for the soft interrupt, in order */
	struct mbuf *inject_head, *inject_tail;
	struct softintr inject_intr;
};

/* True when no filter of that version is there: the caller's one branch. */
static inline bool
ipf_none(const struct nke *m, int family)
{
	const struct ipf_state *s = m->ipf;

	return TAILQ_EMPTY(family == AF_INET ? &s->v4 : &s->v6);
}

/* The filter a packet was injected behind, NULL none; from now on the packet is like any other. */
static inline ipfilter_t
ipf_take_ref(struct mbuf *m)
{
	const void *ref = m->m_pkthdr.inject_ref;

	m->m_pkthdr.inject_ref = NULL;
	return (ipfilter_t)(uintptr_t)ref;
}

/* ---- the packet path ---------------------------------------------------------------------- */

/*
 * Runs the filters behind `behind` (NULL: all; one that is gone: none) over one packet: data at the
 * IP header, which is in the first mbuf, everything in network order. 0: go on with *m, which may
 * be another chain and is a packet for certain, but nothing is known of its contents; EJUSTRETURN:
 * a filter owns it; other: a filter refused it, it has been freed. In the last two cases *m is
 * NULL.
 */
errno_t ipf_input(struct nke *, int family, struct mbuf **m, int offset, uint8_t protocol,
    ipfilter_t behind);
/*
 * `options` is never NULL. `scope`: interface index that stands in bytes 2 and 3 of a link-local
 * destination while a filter looks (IPv6), for packets that do not have it there already; else 0.
 */
errno_t ipf_output(struct nke *, int family, struct mbuf **m, ipf_pktopts_t options, uint16_t scope,
    ipfilter_t behind);

/* ---- what the KPI and IP call ------------------------------------------------------------- */

void ipf_set_protocol(struct nke *, int family, const struct ipf_protocol *);
/* EINVAL: no name or no function; ENOMEM. `pc`: the kext's return address. */
errno_t ipf_add(struct nke *, int family, const struct ipf_filter *, ipfilter_t *, void *pc);
/* EINVAL: never was a filter; ENOENT: not one any more. */
errno_t ipf_remove_filter(struct nke *, ipfilter_t);
/* ENOTSUP: not IP; on errors the packet is still the caller's. */
errno_t ipf_queue_input(struct nke *, struct mbuf *, ipfilter_t);
/* Always consumes. */
errno_t ipf_send(struct nke *, struct mbuf *, ipfilter_t, ipf_pktopts_t);
/* An interface goes: injected packets that wait and name it are freed. */
void ipf_interface_detached(struct nke *, struct ifnet *);

/* ---- inside the engine -------------------------------------------------------------------- */

/* ipf_input_untouched() and ipf_output_untouched() without a short way. */
bool ipf_input_list(struct nke *, int family, struct mbuf **m, int offset, uint8_t protocol,
    ipfilter_t behind, errno_t *error);
bool ipf_output_list(struct nke *, int family, struct mbuf **m, ipf_pktopts_t options,
    uint16_t scope, ipfilter_t behind, errno_t *error);
/* Detaches what was removed during walks; none is in progress any more. */
void ipf_reap(struct nke *);
/* The filter a reference means, NULL when it is in no list (any more). */
struct ipf_entry *ipf_find(struct ipf_state *, ipfilter_t);
void ipf_inject_init(struct nke *);
void ipf_inject_quiesce(struct nke *);

/* ---- the short way ------------------------------------------------------------------------ */

/*
 * For one filter that looks and passes on, in a machine that nobody watches. It is inline because a
 * filter that does nothing is to cost next to nothing; everything else is done by the functions above.
 */

/* What of a packet a filter may lose by putting another chain in *data. */
struct ipf_kept {
	struct replay_shown shown;
	struct ifnet *rcvif;
};

/* It did something else: the rest of the walk. */
errno_t ipf_only_other(struct nke *, struct ipf_entry *, bool in, errno_t error, struct mbuf **,
    struct ipf_kept);

static inline void
ipf_walk_end(struct nke *machine)
{
	struct ipf_state *s = machine->ipf;

	if (--s->walking == 0 && __builtin_expect(s->removal_pending, 0))
		ipf_reap(machine);
}

/* Of a packet that IP sends: its destination is good on one link only. */
static inline bool
ipf_link_local(const struct mbuf *m)
{
	const uint8_t *dst = mtod(m, const uint8_t *) + offsetof(struct ip6_hdr, ip6_dst);

	return (dst[0] == 0xfe && (dst[1] & 0xc0) == 0x80) || (dst[0] == 0xff && (dst[1] & 0xf) == 2);
}

/*
 * True: the call of `f` went the short way and left the packet as it was. `f` has been counted as called
 * (filter_count_plain).
 */
static inline __attribute__((always_inline)) bool
ipf_only(struct nke *machine, struct ipf_entry *f, bool in, struct mbuf **mp, int offset,
    uint8_t protocol, ipf_pktopts_t options, errno_t *error)
{
	struct mbuf *m = *mp;
	struct pkt_origin *origin = m->m_pkthdr.origin;
	struct ifnet *rcvif = m->m_pkthdr.rcvif;
	struct thread *t = curthread();
	struct gate_frame gate;

	machine->ipf->walking++;
	gate_enter_on(t, &gate, f->owner, in ? "ipf_input" : "ipf_output", m,
	    m->m_pkthdr.packet_number);
	*error = in ? f->filter.ipf_input(f->filter.cookie, mp, offset, protocol) :
	    f->filter.ipf_output(f->filter.cookie, mp, options);
	gate_leave_on(t, &gate);
	if (__builtin_expect(*error == 0 &&
	    replay_as_shown(gate.packet, origin, *mp, REPLAY_NET, NULL) &&
	    (*mp)->m_nextpkt == NULL, 1)) {
		ipf_walk_end(machine);
		return true;
	}
	*error = ipf_only_other(machine, f, in, *error, mp, (struct ipf_kept){{gate.packet, origin,
	    gate.packet_number}, rcvif});
	return false;
}

/* ipf_input(), which gives *error. True: 0, and no filter had its hands on the packet. */
static inline __attribute__((always_inline)) bool
ipf_input_untouched(struct nke *machine, int family, struct mbuf **m, int offset, uint8_t protocol,
    ipfilter_t behind, errno_t *error)
{
	struct ipf_entry *f = machine->ipf->only_in[family != AF_INET];

	if (__builtin_expect(f != NULL && behind == NULL && machine->trace == NULL &&
	    filter_count_plain(&f->counters, true), 1))
		return ipf_only(machine, f, true, m, offset, protocol, NULL, error);
	return ipf_input_list(machine, family, m, offset, protocol, behind, error);
}

/* The same for ipf_output(). */
static inline __attribute__((always_inline)) bool
ipf_output_untouched(struct nke *machine, int family, struct mbuf **m, ipf_pktopts_t options,
    uint16_t scope, ipfilter_t behind, errno_t *error)
{
	struct ipf_entry *f = machine->ipf->only_out[family != AF_INET];

	if (__builtin_expect(f != NULL && behind == NULL && machine->trace == NULL &&
	    (scope == 0 || !ipf_link_local(*m)) && filter_count_plain(&f->counters, false), 1))
		return ipf_only(machine, f, false, m, 0, 0, options, error);
	return ipf_output_list(machine, family, m, options, scope, behind, error);
}

#endif
