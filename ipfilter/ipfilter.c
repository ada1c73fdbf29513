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

/* The first calls and a sample of the others are measured. */
static inline bool
ipf_to_measure(const struct filter_counters *c)
{
	return c->calls % FILTER_SAMPLE == 0 || UNLIKELY(c->calls < FILTER_SAMPLE);
}

static __attribute__((noinline)) errno_t
ipf_call_measured(struct ipf_walk w, struct ipf_entry *f, struct mbuf **mp)
{
	uint64_t start = hc_ticks();
	errno_t error = ipf_call_filter(&w, f, mp);

	f->counters.sampled_ticks += hc_ticks() - start;
	f->counters.sampled_calls++;
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

/* Of a packet that IP sends: its destination is good on one link only. */
static inline bool
ipf_link_local(const struct mbuf *m)
{
	const uint8_t *dst = mtod(m, const uint8_t *) + offsetof(struct ip6_hdr, ip6_dst);

	return (dst[0] == 0xfe && (dst[1] & 0xc0) == 0x80) || (dst[0] == 0xff && (dst[1] & 0xf) == 2);
}

/* What of a packet a filter may lose by putting another chain in *data. */
struct ipf_kept {
	struct replay_shown shown;
	struct ifnet *rcvif;
};

/* The filter passed the packet on: the walk goes on with *mp, which stands for the same frames. */
static void
ipf_passed(
    const struct ipf_walk *w, struct ipf_entry *f, struct mbuf *m, const struct ipf_kept *was)
{
	struct pkt_origin *origin = replay_shown_origin(w->machine, &was->shown);
	bool changed = m != was->shown.m;

	ipf_check_result(w, f, m);
	if (UNLIKELY(w->scope != 0))
		ipf_embed_scope(m, w->scope, 0);
	if (UNLIKELY(w->machine->checked))
		m_set_owner(m, NULL, NULL);
	if (UNLIKELY(changed)) {
		if (m->m_pkthdr.rcvif == NULL)
			m->m_pkthdr.rcvif = was->rcvif;
		if (m->m_pkthdr.origin == NULL)
			m->m_pkthdr.packet_number = was->shown.number;
		if (origin == NULL)
			m->m_pkthdr.origin = was->shown.origin;	/* whose frames have left already */
	}
	if (origin != NULL)
		changed = replay_changed(w->machine, origin, m, REPLAY_NET, NULL);
	if (changed)
		f->counters.changed++;
	else
		f->counters.passed++;
}

/*
 * What a filter made of a packet, whatever that is: 0 and a packet in *mp to go on with, or its error
 * and NULL there.
 */
static __attribute__((noinline)) errno_t
ipf_take_back(struct ipf_walk walk, struct ipf_entry *f, errno_t error, struct mbuf **mp,
    struct ipf_kept was)
{
	const struct ipf_walk *w = &walk;
	struct pkt_origin *origin = replay_shown_origin(w->machine, &was.shown);

	if (w->in)
		TRACE(w->machine, IPF_IN, error == 0 ? *mp : NULL, f, error);
	else
		TRACE(w->machine, IPF_OUT, error == 0 ? *mp : NULL, f, error);
	if (error == 0) {
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
	if (origin != NULL)
		replay_verdict(w->machine, origin,
		    error == EJUSTRETURN ? PKT_SWALLOWED : PKT_DROPPED);
	return error;
}

static void
ipf_lend(bool in, const struct ipf_entry *f, struct mbuf *m)
{
	m_set_owner(m, f->owner, (void *)(uintptr_t)(in ? (uintptr_t)f->filter.ipf_input :
	    (uintptr_t)f->filter.ipf_output));
}

/*
 * Shows the packet to one filter. Written for the filter that looks and passes on, in a machine that
 * nobody watches: everything else is ipf_take_back's.
 */
static inline __attribute__((always_inline)) errno_t
ipf_call(const struct ipf_walk *w, struct ipf_entry *f, struct mbuf **mp)
{
	struct ipf_kept was = {replay_show(*mp), (*mp)->m_pkthdr.rcvif};
	struct filter_counters *c = &f->counters;
	bool measured = ipf_to_measure(c);
	struct thread *t = curthread();
	struct gate_frame frame;
	errno_t error;

	c->calls++;
	if (w->in)
		c->seen_in++;
	else
		c->seen_out++;
	if (UNLIKELY(w->machine->checked))
		ipf_lend(w->in, f, *mp);
	if (UNLIKELY(w->scope != 0))
		ipf_embed_scope(*mp, 0, w->scope);
	gate_enter_on(t, &frame, f->owner, ipf_callback_name(w), was.shown.m, was.shown.number);
	error = UNLIKELY(measured) ? ipf_call_measured(*w, f, mp) : ipf_call_filter(w, f, mp);
	gate_leave_on(t, &frame);
	if (LIKELY(error == 0 && *mp == was.shown.m &&
		replay_as_shown(&was.shown, *mp, REPLAY_NET, NULL) && (*mp)->m_nextpkt == NULL &&
		w->scope == 0 && !w->machine->checked && w->machine->trace == NULL)) {
		c->passed++;
		return 0;
	}
	return ipf_take_back(*w, f, error, mp, was);
}

/* ---- the walk ----------------------------------------------------------------------------- */

static inline bool
ipf_has_function(const struct ipf_walk *w, const struct ipf_entry *f)
{
	return !f->removed && (w->in ? f->filter.ipf_input != NULL : f->filter.ipf_output != NULL);
}

static __attribute__((noinline)) errno_t
ipf_run_many(struct ipf_walk w, struct ipf_head *head, struct mbuf **mp, ipfilter_t behind)
{
	struct ipf_entry *f = TAILQ_FIRST(head);
	errno_t error = 0;

	if (behind != NULL) {
		f = ipf_find_in(head, behind);
		if (f != NULL)
			f = TAILQ_NEXT(f, link);
	}
	for (; f != NULL && error == 0; f = TAILQ_NEXT(f, link))
		if (ipf_has_function(&w, f))
			error = ipf_call(&w, f, mp);
	return error;
}

/* Mostly there is one filter, and the packet comes from IP. */
static inline __attribute__((always_inline)) errno_t
ipf_run(const struct ipf_walk *w, struct ipf_head *head, struct mbuf **mp, ipfilter_t behind)
{
	struct ipf_state *s = w->machine->ipf;
	struct ipf_entry *f = TAILQ_FIRST(head);
	errno_t error = 0;

	s->walking++;
	if (UNLIKELY(behind != NULL || f == NULL || TAILQ_NEXT(f, link) != NULL))
		error = ipf_run_many(*w, head, mp, behind);
	else if (LIKELY(ipf_has_function(w, f)))
		error = ipf_call(w, f, mp);
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
	struct ipf_walk w = {.machine = machine, .options = options};

	if (UNLIKELY(scope != 0) && ipf_link_local(*mp))
		w.scope = scope;
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
