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

/* A list, or what in it is removed, has changed. Checked mode has no short way. */
static void
ipf_find_only(struct nke *machine, int family)
{
	struct ipf_state *s = machine->ipf;
	struct ipf_entry *f = TAILQ_FIRST(ipf_list(s, family));
	bool v6 = family != AF_INET;

	if (f != NULL && (TAILQ_NEXT(f, link) != NULL || f->removed || machine->checked))
		f = NULL;
	s->only_in[v6] = f != NULL && f->filter.ipf_input != NULL ? f : NULL;
	s->only_out[v6] = f != NULL && f->filter.ipf_output != NULL ? f : NULL;
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
	ipf_find_only(machine, family);
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
void
ipf_reap(struct nke *machine)
{
	struct ipf_state *s = machine->ipf;
	struct ipf_head removed = TAILQ_HEAD_INITIALIZER(removed);
	struct ipf_entry *f;

	s->removal_pending = false;
	ipf_collect(&s->v4, &removed);
	ipf_collect(&s->v6, &removed);
	ipf_find_only(machine, AF_INET);
	ipf_find_only(machine, AF_INET6);
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
		ipf_find_only(machine, f->family);
		s->removal_pending = true;
		return 0;
	}
	TAILQ_REMOVE(ipf_list(s, f->family), f, link);
	ipf_find_only(machine, f->family);
	ipf_finish(machine, f);
	return 0;
}

/* ---- one callback ------------------------------------------------------------------------- */

static const char *
ipf_callback_name(bool in)
{
	return in ? "ipf_input" : "ipf_output";
}

static inline errno_t
ipf_call_filter(const struct ipf_walk *w, const struct ipf_entry *f, struct mbuf **mp)
{
	return w->in ? f->filter.ipf_input(f->filter.cookie, mp, w->offset, w->protocol) :
	    f->filter.ipf_output(f->filter.cookie, mp, w->options);
}

static errno_t
ipf_call_measured(const struct ipf_walk *w, struct ipf_entry *f, struct mbuf **mp)
{
	uint64_t start = hc_ticks();
	errno_t error = ipf_call_filter(w, f, mp);

	filter_measured(&f->counters, hc_ticks() - start);
	return error;
}

/* A filter said 0: what is in *data now has to be a packet. */
static void
ipf_check_result(bool in, const struct ipf_entry *f, const struct mbuf *m)
{
	const char *callback = ipf_callback_name(in);

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

/* The filter passed the packet on: the walk goes on with *mp, which stands for the same frames. */
static void
ipf_passed(struct nke *machine, struct ipf_entry *f, bool in, uint16_t scope, struct mbuf *m,
    const struct ipf_kept *was)
{
	struct pkt_origin *origin = replay_shown_origin(machine, &was->shown);
	bool changed = m != was->shown.m;

	ipf_check_result(in, f, m);
	if (UNLIKELY(scope != 0))
		ipf_embed_scope(m, scope, 0);
	if (UNLIKELY(machine->checked))
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
		changed = replay_changed(machine, origin, m, REPLAY_NET, NULL);
	if (changed)
		f->counters.changed++;
}

/*
 * What a filter made of a packet, whatever that is: 0 and a packet in *mp to go on with, or its error
 * and NULL there.
 */
static errno_t
ipf_take_back(struct nke *machine, struct ipf_entry *f, bool in, uint16_t scope, errno_t error,
    struct mbuf **mp, struct ipf_kept was)
{
	struct pkt_origin *origin = replay_shown_origin(machine, &was.shown);

	if (in)
		TRACE(machine, IPF_IN, error == 0 ? *mp : NULL, f, error);
	else
		TRACE(machine, IPF_OUT, error == 0 ? *mp : NULL, f, error);
	if (error == 0) {
		ipf_passed(machine, f, in, scope, *mp, &was);
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
		replay_verdict(machine, origin,
		    error == EJUSTRETURN ? PKT_SWALLOWED : PKT_DROPPED);
	return error;
}

static void
ipf_lend(bool in, const struct ipf_entry *f, struct mbuf *m)
{
	m_set_owner(m, f->owner, (void *)(uintptr_t)(in ? (uintptr_t)f->filter.ipf_input :
	    (uintptr_t)f->filter.ipf_output));
}

/* Shows the packet to one filter, whatever the circumstances. */
static errno_t
ipf_call(const struct ipf_walk *w, struct ipf_entry *f, struct mbuf **mp)
{
	struct ipf_kept was = {replay_show(*mp), (*mp)->m_pkthdr.rcvif};
	struct gate_frame frame;
	errno_t error;

	if (w->machine->checked)
		ipf_lend(w->in, f, *mp);
	if (w->scope != 0)
		ipf_embed_scope(*mp, 0, w->scope);
	gate_enter(&frame, f->owner, ipf_callback_name(w->in), was.shown.m, was.shown.number);
	if (filter_count_call(&f->counters, w->in))
		error = ipf_call_measured(w, f, mp);
	else
		error = ipf_call_filter(w, f, mp);
	gate_leave(&frame);
	return ipf_take_back(w->machine, f, w->in, w->scope, error, mp, was);
}

/* ---- the walk ----------------------------------------------------------------------------- */

static inline bool
ipf_has_function(const struct ipf_walk *w, const struct ipf_entry *f)
{
	return !f->removed && (w->in ? f->filter.ipf_input != NULL : f->filter.ipf_output != NULL);
}

/* All filters behind `behind`, whatever the circumstances. */
static errno_t
ipf_run(const struct ipf_walk *w, int family, struct mbuf **mp, ipfilter_t behind)
{
	struct ipf_head *head = ipf_list(w->machine->ipf, family);
	struct ipf_entry *f = TAILQ_FIRST(head);
	errno_t error = 0;

	w->machine->ipf->walking++;
	if (behind != NULL) {
		f = ipf_find_in(head, behind);
		if (f != NULL)
			f = TAILQ_NEXT(f, link);
	}
	for (; f != NULL && error == 0; f = TAILQ_NEXT(f, link))
		if (ipf_has_function(w, f))
			error = ipf_call(w, f, mp);
	ipf_walk_end(w->machine);
	return error;
}

bool
ipf_input_list(struct nke *machine, int family, struct mbuf **mp, int offset, uint8_t protocol,
    ipfilter_t behind, errno_t *error)
{
	struct ipf_walk w = {
	    .machine = machine, .in = true, .offset = offset, .protocol = protocol};
	const struct mbuf *before = *mp;

	*error = ipf_run(&w, family, mp, behind);
	return *error == 0 && replay_untouched(before, *mp);
}

bool
ipf_output_list(struct nke *machine, int family, struct mbuf **mp, ipf_pktopts_t options,
    uint16_t scope, ipfilter_t behind, errno_t *error)
{
	struct ipf_walk w = {.machine = machine, .options = options};
	const struct mbuf *before = *mp;

	if (scope != 0 && ipf_link_local(*mp))
		w.scope = scope;
	*error = ipf_run(&w, family, mp, behind);
	return *error == 0 && replay_untouched(before, *mp);
}

errno_t
ipf_only_other(struct nke *machine, struct ipf_entry *f, bool in, errno_t error, struct mbuf **mp,
    struct ipf_kept was)
{
	error = ipf_take_back(machine, f, in, 0, error, mp, was);
	ipf_walk_end(machine);
	return error;
}

errno_t
ipf_input(struct nke *machine, int family, struct mbuf **mp, int offset, uint8_t protocol,
    ipfilter_t behind)
{
	errno_t error;

	(void)ipf_input_untouched(machine, family, mp, offset, protocol, behind, &error);
	return error;
}

errno_t
ipf_output(struct nke *machine, int family, struct mbuf **mp, ipf_pktopts_t options, uint16_t scope,
    ipfilter_t behind)
{
	errno_t error;

	(void)ipf_output_untouched(machine, family, mp, options, scope, behind, &error);
	return error;
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
