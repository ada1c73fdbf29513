/*
 * The lists of IP filters and the walk over them; see ipfilter.h for callers and the rule of
 * removal.
 *
 * Who owns what: the entry is the engine's; the struct ipf_filter in it is a copy, its name and
 * cookie are the kext's. During a callback the packet is lent to the filter; on 0 it comes back in
 * *data, on EJUSTRETURN it is the filter's, on anything else it is freed here.
 */
#include <string.h>
#include <netinet/in.h>
#include <netinet/ip6.h>

#include "ipfilter/ipfilter.h"
#include "src/kern/heap.h"
#include "src/kern/hostcalls.h"
#include "src/kern/kext.h"
#include "src/kern/klog.h"
#include "src/kern/panic.h"
#include "src/kern/trace.h"
#include "src/net/replay.h"

#define LIKELY(x)	__builtin_expect(!!(x), 1)
#define UNLIKELY(x)	__builtin_expect(!!(x), 0)

/* One walk: what every filter of it is called with. */
struct ipf_walk {
	struct nke *machine;
	bool in;
	int offset;			/* input: of the header `protocol` */
	uint8_t protocol;
	ipf_pktopts_t options;		/* output */
	uint16_t scope;			/* output: to be embedded, 0 nothing */
};

/* ---- the lists ---------------------------------------------------------------------------- */

static struct ipf_head *
ipf_list(struct ipf_state *s, int family)
{
	return family == AF_INET ? &s->v4 : &s->v6;
}

static inline uint32_t
ipf_id(ipfilter_t ref)
{
	return (uint32_t)(uintptr_t)ref;
}

static struct ipf_entry *
ipf_find_in(struct ipf_head *head, ipfilter_t ref)
{
	struct ipf_entry *f;

	TAILQ_FOREACH(f, head, link)
		if (f->id == ipf_id(ref))
			return f;
	return NULL;
}

struct ipf_entry *
ipf_find(struct ipf_state *s, ipfilter_t ref)
{
	struct ipf_entry *f = ipf_find_in(&s->v4, ref);

	return f != NULL ? f : ipf_find_in(&s->v6, ref);
}

errno_t
ipf_add(struct nke *machine, int family, const struct ipf_filter *filter, ipfilter_t *ref, void *pc)
{
	struct ipf_state *s = machine->ipf;
	struct ipf_entry *f;

	if (filter == NULL || ref == NULL || filter->name == NULL ||
	    (filter->ipf_input == NULL && filter->ipf_output == NULL))
		return EINVAL;
	f = kalloc(machine, sizeof *f);
	if (f == NULL)
		return ENOMEM;
	f->filter = *filter;
	f->family = family;
	f->owner = gate_kext();
	f->id = ++s->last_id;
	ledger_enter(machine, &f->ledger, LEDGER_IP_FILTER, pc);
	TAILQ_INSERT_HEAD(ipf_list(s, family), f, link);
	machine->filter_count++;
	*ref = (ipfilter_t)(uintptr_t)f->id;
	return 0;
}

/* Out of its list already. Its detach function is the last of it that is called. */
static void
ipf_finish(struct nke *machine, struct ipf_entry *f)
{
	if (f->filter.ipf_detach != NULL)
		GATE_CALL(f->owner, "ipf_detach", NULL, f->filter.ipf_detach(f->filter.cookie));
	ledger_strike(machine, &f->ledger);
	kfree(machine, f);
}

static void
ipf_collect(struct ipf_head *from, struct ipf_head *removed)
{
	struct ipf_entry *f, *next;

	TAILQ_FOREACH_SAFE(f, from, link, next) {
		if (f->removed) {
			TAILQ_REMOVE(from, f, link);
			TAILQ_INSERT_TAIL(removed, f, link);
		}
	}
}

/*
 * No walk is in progress: detaches what was removed meanwhile. Callbacks may walk, add and remove.
 */
static void
ipf_reap(struct nke *machine)
{
	struct ipf_state *s = machine->ipf;
	struct ipf_head removed = TAILQ_HEAD_INITIALIZER(removed);
	struct ipf_entry *f;

	s->removal_pending = false;
	ipf_collect(&s->v4, &removed);
	ipf_collect(&s->v6, &removed);
	while ((f = TAILQ_FIRST(&removed)) != NULL) {
		TAILQ_REMOVE(&removed, f, link);
		ipf_finish(machine, f);
	}
}

errno_t
ipf_remove_filter(struct nke *machine, ipfilter_t ref)
{
	struct ipf_state *s = machine->ipf;
	struct ipf_entry *f;

	if (ref == NULL || (uintptr_t)ref > s->last_id)
		return EINVAL;
	f = ipf_find(s, ref);
	if (f == NULL || f->removed)
		return ENOENT;
	f->removed = true;
	machine->filter_count--;
	if (s->walking != 0) {
		s->removal_pending = true;
		return 0;
	}
	TAILQ_REMOVE(ipf_list(s, f->family), f, link);
	ipf_finish(machine, f);
	return 0;
}

/* ---- one callback ------------------------------------------------------------------------- */

static const char *
ipf_callback_name(const struct ipf_walk *w)
{
	return w->in ? "ipf_input" : "ipf_output";
}

static inline errno_t
ipf_call_filter(const struct ipf_walk *w, const struct ipf_entry *f, struct mbuf **mp)
{
	return w->in ? f->filter.ipf_input(f->filter.cookie, mp, w->offset, w->protocol) :
	    f->filter.ipf_output(f->filter.cookie, mp, w->options);
}

/* Calls the filter through the gate; the first calls and a sample of the others are measured. */
static errno_t
ipf_gate(const struct ipf_walk *w, struct ipf_entry *f, struct mbuf **mp)
{
	struct filter_counters *c = &f->counters;
	bool sampled = c->calls < FILTER_SAMPLE || c->calls % FILTER_SAMPLE == 0;
	struct gate_frame frame;
	uint64_t start = 0;
	errno_t error;

	c->calls++;
	gate_enter(&frame, f->owner, ipf_callback_name(w), *mp, (*mp)->m_pkthdr.packet_number);
	if (sampled)
		start = hc_ticks();
	error = ipf_call_filter(w, f, mp);
	if (sampled) {
		c->sampled_ticks += hc_ticks() - start;
		c->sampled_calls++;
	}
	gate_leave(&frame);
	return error;
}

/* A filter said 0: what is in *data now has to be a packet. */
static void
ipf_check_result(const struct ipf_walk *w, const struct ipf_entry *f, const struct mbuf *m)
{
	const char *callback = ipf_callback_name(w);

	KASSERTX(m != NULL,
	    "IP filter \"%s\": %s returned 0 but left no packet in *data; a filter that "
	    "keeps or frees the packet has to return EJUSTRETURN",
	    f->filter.name, callback);
	KASSERTX(m->m_type != MBUF_TYPE_FREE,
	    "IP filter \"%s\": %s returned 0 but mbuf %p in *data has "
	    "been freed; a filter that frees the packet has to return EJUSTRETURN",
	    f->filter.name, callback, (const void *)m);
	KASSERTX(m->m_flags & M_PKTHDR,
	    "IP filter \"%s\": %s returned 0 but mbuf %p in *data has no "
	    "packet header",
	    f->filter.name, callback, (const void *)m);
	KASSERTX(m->m_nextpkt == NULL,
	    "IP filter \"%s\": %s returned 0 with a list of packets in *data; "
	    "only one packet can be passed on",
	    f->filter.name, callback);
}

/* The destination is link-local: writes the interface's index into it, or takes it out again. */
static void
ipf_embed_scope(struct mbuf *m, uint16_t from, uint16_t to)
{
	const size_t at = offsetof(struct ip6_hdr, ip6_dst);
	struct in6_addr dst;
	uint16_t word;

	/* a filter may have left the header in pieces */
	if (m_copydata(m, at, sizeof dst, &dst) != 0)
		return;
	memcpy(&word, &dst.s6_addr[2], sizeof word);
	if (word == htons(from) &&
	    (IN6_IS_ADDR_LINKLOCAL(&dst) || IN6_IS_ADDR_MC_LINKLOCAL(&dst))) {
		word = htons(to);
		if (m->m_len >= (int)sizeof(struct ip6_hdr))
			memcpy(m->m_data + at + 2, &word, sizeof word);
		else
			(void)m_copyback(m, at + 2, sizeof word, &word, MBUF_DONTWAIT);
	}
}

/* What of a packet a filter may lose by putting another chain in *data. */
struct ipf_kept {
	struct mbuf *m;
	struct pkt_origin *origin;	/* NULL also when its frames have left already */
	struct pkt_origin *stale;
	uint64_t number;
	struct ifnet *rcvif;
};

/* The filter passed the packet on: the walk goes on with *mp, which stands for the same frames. */
static void
ipf_passed(
    const struct ipf_walk *w, struct ipf_entry *f, struct mbuf *m, const struct ipf_kept *was)
{
	bool changed = m != was->m;

	ipf_check_result(w, f, m);
	if (UNLIKELY(w->scope != 0))
		ipf_embed_scope(m, w->scope, 0);
	if (UNLIKELY(w->machine->checked))
		m_set_owner(m, NULL, NULL);
	if (UNLIKELY(changed)) {
		if (m->m_pkthdr.rcvif == NULL)
			m->m_pkthdr.rcvif = was->rcvif;
		if (m->m_pkthdr.origin == NULL)
			m->m_pkthdr.packet_number = was->number;
		if (was->origin == NULL)
			m->m_pkthdr.origin = was->stale;
	}
	if (was->origin != NULL)
		changed = replay_changed(w->machine, was->origin, m, REPLAY_NET, NULL);
	if (changed)
		f->counters.changed++;
	else
		f->counters.passed++;
}

static errno_t
ipf_call(const struct ipf_walk *w, struct ipf_entry *f, struct mbuf **mp)
{
	struct mbuf *m = *mp;
	struct ipf_kept was = {.m = m, .origin = replay_origin(w->machine, m),
	    .stale = m->m_pkthdr.origin, .number = m->m_pkthdr.packet_number,
	    .rcvif = m->m_pkthdr.rcvif};
	errno_t error;

	if (w->in)
		f->counters.seen_in++;
	else
		f->counters.seen_out++;
	if (UNLIKELY(w->machine->checked))
		m_set_owner(m, f->owner,
		    (void *)(uintptr_t)(w->in ? (uintptr_t)f->filter.ipf_input
					      : (uintptr_t)f->filter.ipf_output));
	if (UNLIKELY(w->scope != 0))
		ipf_embed_scope(m, 0, w->scope);
	error = ipf_gate(w, f, mp);
	if (w->in)
		TRACE(w->machine, IPF_IN, error == 0 ? *mp : NULL, f, error);
	else
		TRACE(w->machine, IPF_OUT, error == 0 ? *mp : NULL, f, error);
	if (LIKELY(error == 0)) {
		ipf_passed(w, f, *mp, &was);
		return 0;
	}
	if (error == EJUSTRETURN) {
		f->counters.swallowed++;
	} else {
		f->counters.dropped++;
		m_freem(*mp);
	}
	*mp = NULL;
	if (was.origin != NULL)
		replay_verdict(w->machine, was.origin,
		    error == EJUSTRETURN ? PKT_SWALLOWED : PKT_DROPPED);
	return error;
}

/* ---- the walk ----------------------------------------------------------------------------- */

static errno_t
ipf_run(const struct ipf_walk *w, struct ipf_head *head, struct mbuf **mp, ipfilter_t behind)
{
	struct ipf_state *s = w->machine->ipf;
	struct ipf_entry *f = TAILQ_FIRST(head);
	errno_t error = 0;

	if (UNLIKELY(behind != NULL)) {
		f = ipf_find_in(head, behind);
		if (f != NULL)
			f = TAILQ_NEXT(f, link);
	}
	s->walking++;
	for (; f != NULL; f = TAILQ_NEXT(f, link)) {
		if (f->removed ||
		    (w->in ? f->filter.ipf_input == NULL : f->filter.ipf_output == NULL))
			continue;
		error = ipf_call(w, f, mp);
		if (error != 0)
			break;
	}
	if (--s->walking == 0 && UNLIKELY(s->removal_pending))
		ipf_reap(w->machine);
	return error;
}

errno_t
ipf_input(struct nke *machine, int family, struct mbuf **mp, int offset, uint8_t protocol,
    ipfilter_t behind)
{
	struct ipf_walk w = {
	    .machine = machine, .in = true, .offset = offset, .protocol = protocol};

	return ipf_run(&w, ipf_list(machine->ipf, family), mp, behind);
}

errno_t
ipf_output(struct nke *machine, int family, struct mbuf **mp, ipf_pktopts_t options, uint16_t scope,
    ipfilter_t behind)
{
	struct ipf_walk w = {.machine = machine, .options = options, .scope = scope};

	return ipf_run(&w, ipf_list(machine->ipf, family), mp, behind);
}

/* ---- life --------------------------------------------------------------------------------- */

void
ipf_set_protocol(struct nke *machine, int family, const struct ipf_protocol *p)
{
	if (family == AF_INET)
		machine->ipf->protocol4 = p;
	else
		machine->ipf->protocol6 = p;
}

static void
ipf_describe(const struct ledger_entry *e, char *text, size_t size)
{
	const struct ipf_entry *f = (const struct ipf_entry *)(const void *)((const char *)e -
	    offsetof(struct ipf_entry, ledger));

	ksnprintf(text, size, "IPv%d filter \"%s\"%s", f->family == AF_INET ? 4 : 6, f->filter.name,
	    f->removed ? " (removed, still being called)" : "");
}

/* Of a kext whose start routine failed. */
static bool
ipf_reclaim(struct nke *machine, struct ledger_entry *e)
{
	const struct ipf_entry *f = (const struct ipf_entry *)(const void *)((const char *)e -
	    offsetof(struct ipf_entry, ledger));

	return ipf_remove_filter(machine, (ipfilter_t)(uintptr_t)f->id) == 0;
}

static errno_t
ipf_init(struct nke *machine)
{
	struct ipf_state *s = kalloc(machine, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	TAILQ_INIT(&s->v4);
	TAILQ_INIT(&s->v6);
	machine->ipf = s;
	ledger_set_describe(machine, LEDGER_IP_FILTER, ipf_describe);
	kext_set_reclaim(machine, LEDGER_IP_FILTER, ipf_reclaim);
	ipf_inject_init(machine);
	return 0;
}

static void
ipf_quiesce(struct nke *machine)
{
	ipf_inject_quiesce(machine);
}

/* Kexts are gone by now: filters that they left are forgotten without a call. */
static void
ipf_forget(struct nke *machine, struct ipf_head *head)
{
	struct ipf_entry *f;

	while ((f = TAILQ_FIRST(head)) != NULL) {
		TAILQ_REMOVE(head, f, link);
		ledger_strike(machine, &f->ledger);
		kfree(machine, f);
	}
}

static void
ipf_fini(struct nke *machine)
{
	ipf_forget(machine, &machine->ipf->v4);
	ipf_forget(machine, &machine->ipf->v6);
	kfree(machine, machine->ipf);
	machine->ipf = NULL;
}

extern const struct subsystem ipf_subsystem;
const struct subsystem ipf_subsystem = {
	.name = "ipf", .init = ipf_init, .quiesce = ipf_quiesce, .fini = ipf_fini
};
