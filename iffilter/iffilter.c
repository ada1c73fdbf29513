/*
 * Interface filters: calling them, attaching and detaching.
 *
 * A walk through an interface's filters is recorded on the stack of whoever walks. While there is
 * one no filter is unlinked: a detached one is skipped, and goes when the last walk of its
 * interface ends. So callbacks may attach and detach filters of their own interface, which on a Mac
 * never returns. A filter attached during a walk is first called in the next one.
 *
 * Mostly an interface has one filter, and no walk is in progress when a packet comes. Then DLIL calls it
 * itself (if_filter.h), and all that is recorded is who does (ifnet.only_walker).
 *
 * Detaching from outside waits for walks of other threads (callbacks that sleep), as on a Mac;
 * iff_detached is called exactly once and after every other callback of the filter has returned.
 */
#include "iffilter/iffilter.h"

#include "dlil/dlil.h"
#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/kext.h"
#include "src/kern/klog.h"
#include "src/kern/panic.h"
#include "src/kern/trace.h"
#include "src/net/replay.h"

/* ---- walks -------------------------------------------------------------------------------- */

struct iff_walk {
	struct iff_walk *outer;		/* of the same interface: walks nest, and threads take turns */
	struct thread *thread;
};

/* Filters with higher ids come during the walk that begins, and are not part of it. */
static uint32_t
newest_filter(const struct ifnet *ifp)
{
	return ifp->machine->iff->last_id;
}

static void
walk_begin(struct ifnet *ifp, struct iff_walk *w)
{
	w->outer = ifp->filter_walks;
	w->thread = curthread();
	ifp->filter_walks = w;
}

static bool
walked(const struct ifnet *ifp)
{
	return ifp->filter_walks != NULL || ifp->only_walker != NULL;
}

/* The list, or who in it is leaving, has changed. Checked mode has no short way. */
static void
find_only(struct ifnet *ifp)
{
	struct iff_entry *e = TAILQ_FIRST(&ifp->filters);

	if (e != NULL && (TAILQ_NEXT(e, link) != NULL || e->leaving || ifp->machine->checked))
		e = NULL;
	ifp->only_in = e != NULL && e->filter.iff_input != NULL ? e : NULL;
	ifp->only_out = e != NULL && e->filter.iff_output != NULL ? e : NULL;
}

static void
finish(struct iff_entry *e)
{
	struct ifnet *ifp = e->ifp;

	TAILQ_REMOVE(&ifp->filters, e, link);
	find_only(ifp);
	TAILQ_REMOVE(&ifp->machine->iff->all, e, all);
	ifp->machine->filter_count--;
	if (e->filter.iff_detached != NULL)
		GATE_CALL_ABOUT(e->owner, "iff_detached", ifp, NULL,
		    e->filter.iff_detached(e->filter.iff_cookie, ifp));
	ledger_strike(ifp->machine, &e->ledger);
	e->gone = true;
	if (e->awaited)
		(void)sched_wakeup(e, false, THREAD_AWAKENED);	/* who waits frees it */
	else
		kfree(ifp->machine, e);
}

static struct iff_entry *
first_leaving(struct ifnet *ifp)
{
	struct iff_entry *e;

	TAILQ_FOREACH(e, &ifp->filters, link)
		if (e->leaving && !e->awaited)
			return e;
	return NULL;
}

/*
 * A walk is over, and perhaps it was the last: then those who waited for it go. iff_detached may start
 * walks again.
 */
static void
sweep(struct ifnet *ifp)
{
	struct iff_entry *e;

	if (walked(ifp))
		return;
	ifp->filters_leaving = false;
	while (!walked(ifp) && (e = first_leaving(ifp)) != NULL)
		finish(e);
	TAILQ_FOREACH(e, &ifp->filters, link) {
		if (!e->leaving)
			continue;
		ifp->filters_leaving = true;
		if (e->awaited)
			(void)sched_wakeup(e, false, THREAD_AWAKENED);
	}
}

/* Walks of other threads may have begun and still go on: not always the innermost is ours. */
static void
walk_end(struct ifnet *ifp, struct iff_walk *w)
{
	struct iff_walk **p;

	for (p = &ifp->filter_walks; *p != w; p = &(*p)->outer)
		;
	*p = w->outer;
	if (ifp->filters_leaving)
		sweep(ifp);
}

static bool
walking_here(const struct ifnet *ifp)
{
	const struct iff_walk *w;

	if (ifp->only_walker == curthread())
		return true;
	for (w = ifp->filter_walks; w != NULL; w = w->outer)
		if (w->thread == curthread())
			return true;
	return false;
}

/* ---- packets ------------------------------------------------------------------------------ */

/*
 * Interface fact: frames that the hardware took a VLAN tag from are no business of this interface.
 */
static inline bool
is_vlan(const struct mbuf *m)
{
	return (m->m_pkthdr.csum_flags & CSUM_VLAN_TAG_VALID) && (m->m_pkthdr.vlan_tag & 0xfff) != 0;
}

/* The call itself, of the input or the output function. */
static inline errno_t
call_filter(const struct iff_entry *e, bool in, protocol_family_t family, struct mbuf **m, char **frame)
{
	return in ? e->filter.iff_input(e->filter.iff_cookie, e->ifp, family, m, frame) :
	    e->filter.iff_output(e->filter.iff_cookie, e->ifp, family, m);
}

static errno_t
call_measured(struct iff_entry *e, bool in, protocol_family_t family, struct mbuf **m, char **frame)
{
	uint64_t start = hc_ticks();
	errno_t error = call_filter(e, in, family, m, frame);

	filter_measured(&e->counters, hc_ticks() - start);
	return error;
}

static void
check_passed(const struct iff_entry *e, const struct mbuf *m, const char *callback)
{
	KASSERTX(m != NULL, "filter \"%s\" on %s: %s returned 0 without a packet (EJUSTRETURN means that "
	    "the filter keeps it)", e->filter.iff_name != NULL ? e->filter.iff_name : "?",
	    e->ifp->xname, callback);
	KASSERTX(m->m_type != MBUF_TYPE_FREE, "filter \"%s\" on %s: %s returned 0 but mbuf %p has been "
	    "freed (EJUSTRETURN means that the filter took it)",
	    e->filter.iff_name != NULL ? e->filter.iff_name : "?", e->ifp->xname, callback,
	    (const void *)m);
	KASSERTX(m->m_flags & M_PKTHDR, "filter \"%s\" on %s: %s returned a packet whose first mbuf has "
	    "no packet header", e->filter.iff_name != NULL ? e->filter.iff_name : "?",
	    e->ifp->xname, callback);
}

/* Checked mode: while a filter has the packet, it is the one to blame for it. */
static void
lend(const struct iff_entry *e, bool in, struct mbuf *m)
{
	if (e->owner != NULL)
		m_set_owner(m, e->owner, in ? (void *)(uintptr_t)e->filter.iff_input :
		    (void *)(uintptr_t)e->filter.iff_output);
}

/*
 * What a filter made of a packet, whatever that is. 0: go on with *m; else the filter has it
 * (EJUSTRETURN) or refused it and it has been freed.
 */
static errno_t
take_back(struct iff_entry *e, bool in, errno_t error, struct replay_shown shown, struct mbuf **m,
    char **frame)
{
	struct nke *machine = e->ifp->machine;
	struct pkt_origin *origin = replay_shown_origin(machine, &shown);
	struct filter_counters *c = &e->counters;

	if (in)
		TRACE(machine, IFF_IN, error == 0 ? *m : NULL, e, error);
	else
		TRACE(machine, IFF_OUT, error == 0 ? *m : NULL, e, error);
	if (error == 0) {
		check_passed(e, *m, in ? "iff_input" : "iff_output");
		if (machine->checked && e->owner != NULL)
			m_set_owner(*m, NULL, NULL);
		if (origin == NULL && *m != shown.m)
			(*m)->m_pkthdr.origin = NULL;	/* stands for what the shown one stood for */
		if (origin != NULL && (in ?
		    replay_changed(machine, origin, *m, REPLAY_NET_AND_FRAME, *frame) :
		    replay_changed(machine, origin, *m, REPLAY_FRAME, NULL)))
			c->changed++;
		return 0;
	}
	if (error == EJUSTRETURN) {
		c->swallowed++;
	} else {
		c->dropped++;
		m_freem(*m);
	}
	if (origin != NULL)
		replay_verdict(machine, origin, error == EJUSTRETURN ? PKT_SWALLOWED : PKT_DROPPED);
	return error;
}

/* Shows the packet to one filter, whatever the circumstances. */
static errno_t
filter_packet(struct iff_entry *e, bool in, protocol_family_t family, struct mbuf **mp, char **frame)
{
	struct replay_shown shown = replay_show(*mp);
	struct gate_frame gate;
	errno_t error;

	if (e->ifp->machine->checked)
		lend(e, in, *mp);
	gate_enter(&gate, e->owner, in ? "iff_input" : "iff_output", shown.m, shown.number);
	gate.object = e->ifp;
	if (filter_count_call(&e->counters, in))
		error = call_measured(e, in, family, mp, frame);
	else
		error = call_filter(e, in, family, mp, frame);
	gate_leave(&gate);
	return take_back(e, in, error, shown, mp, frame);
}

/* True when the filter has that function and is to be shown packets of the family. */
static inline bool
has_function(const struct iff_entry *e, bool in, protocol_family_t family)
{
	return (in ? e->filter.iff_input != NULL : e->filter.iff_output != NULL) && !e->leaving &&
	    (e->filter.iff_protocol == 0 || e->filter.iff_protocol == family);
}

/* All filters of the interface over one packet. */
static errno_t
filter(struct ifnet *ifp, bool in, protocol_family_t family, struct mbuf **m, char **frame)
{
	uint32_t newest = newest_filter(ifp);
	struct iff_entry *e;
	struct iff_walk walk;
	errno_t error = 0;

	if (is_vlan(*m))
		return 0;
	walk_begin(ifp, &walk);
	TAILQ_FOREACH(e, &ifp->filters, link) {
		if (e->id > newest || !has_function(e, in, family))
			continue;
		if ((error = filter_packet(e, in, family, m, frame)) != 0)
			break;
	}
	walk_end(ifp, &walk);
	return error;
}

/* DLIL calls these two only while the interface has filters, and when there is no short way. */
static errno_t
iff_input(struct ifnet *ifp, protocol_family_t family, struct mbuf **m, char **frame)
{
	return filter(ifp, true, family, m, frame);
}

static errno_t
iff_output(struct ifnet *ifp, protocol_family_t family, struct mbuf **m)
{
	return filter(ifp, false, family, m, NULL);
}

/* ---- events and ioctls -------------------------------------------------------------------- */

static void
iff_event(struct ifnet *ifp, const struct kev_msg *msg)
{
	uint32_t newest = newest_filter(ifp);
	struct iff_entry *e;
	struct iff_walk walk;

	walk_begin(ifp, &walk);
	TAILQ_FOREACH(e, &ifp->filters, link) {
		if (e->filter.iff_event == NULL || e->leaving || e->id > newest)
			continue;
		/* Interface fact: it is told its own protocol, not the event's. */
		GATE_CALL_ABOUT(e->owner, "iff_event", ifp, NULL, e->filter.iff_event(
		    e->filter.iff_cookie, ifp, e->filter.iff_protocol, msg));
	}
	walk_end(ifp, &walk);
}

static errno_t
iff_ioctl(struct ifnet *ifp, protocol_family_t family, unsigned long command, void *argument,
    bool *stop)
{
	uint32_t newest = newest_filter(ifp);
	struct iff_entry *e;
	struct iff_walk walk;
	errno_t result = EOPNOTSUPP, answer;

	walk_begin(ifp, &walk);
	TAILQ_FOREACH(e, &ifp->filters, link) {
		if (e->filter.iff_ioctl == NULL || e->leaving || e->id > newest ||
		    (e->filter.iff_protocol != 0 && e->filter.iff_protocol != family))
			continue;
		GATE_CALL_ABOUT(e->owner, "iff_ioctl", ifp, NULL, answer = e->filter.iff_ioctl(
		    e->filter.iff_cookie, ifp, family, command, argument));
		if (dlil_ioctl_merge(&result, answer)) {
			*stop = true;
			break;
		}
	}
	walk_end(ifp, &walk);
	return result;
}

/* ---- attach and detach -------------------------------------------------------------------- */

errno_t
iff_attach(struct ifnet *ifp, const struct iff_filter *filter, struct kext *owner, void *pc,
    uint32_t *id)
{
	struct iff_entry *e;
	struct nke *m;

	if (ifp == NULL)
		return ENOENT;
	if (ifp->state != IFNET_ATTACHED)
		return ENXIO;
	m = ifp->machine;
	e = kalloc(m, sizeof *e);
	if (e == NULL)
		return ENOMEM;
	e->ifp = ifp;
	e->filter = *filter;
	e->id = ++m->iff->last_id;
	e->owner = owner;
	ledger_enter_for(m, owner, &e->ledger, LEDGER_INTERFACE_FILTER, pc);
	TAILQ_INSERT_TAIL(&ifp->filters, e, link);
	find_only(ifp);
	TAILQ_INSERT_TAIL(&m->iff->all, e, all);
	m->filter_count++;
	*id = e->id;
	return 0;
}

static struct iff_entry *
find_filter(struct nke *m, uint32_t id)
{
	struct iff_entry *e;

	TAILQ_FOREACH(e, &m->iff->all, all)
		if (e->id == id)
			return e;
	return NULL;
}

/*
 * Walks of other threads only: waits for them. When they can never end (everybody sleeps) the
 * filter is left to whoever ends the last of them.
 */
static void
wait_and_finish(struct iff_entry *e)
{
	struct ifnet *ifp = e->ifp;
	struct nke *m = ifp->machine;

	e->awaited = true;
	while (!e->gone && walked(ifp)) {
		if (sched_block(e, 0, false, "iflt_detach") != THREAD_RESTART)
			continue;
		klog(m, 4, "iflt_detach on %s: a callback sleeps and nothing can wake it; the filter goes "
		    "when it returns", ifp->xname);
		break;
	}
	e->awaited = false;
	if (e->gone)
		kfree(m, e);
	else if (!walked(ifp))
		finish(e);
}

struct ifnet *
iff_interface(struct nke *m, uint32_t id)
{
	const struct iff_entry *e = find_filter(m, id);

	return e != NULL ? e->ifp : NULL;
}

void
iff_detach(struct nke *m, uint32_t id)
{
	struct iff_entry *e = find_filter(m, id);
	struct ifnet *ifp;

	if (e == NULL || e->leaving)
		return;
	ifp = e->ifp;
	e->leaving = true;
	find_only(ifp);
	if (!walked(ifp)) {
		finish(e);
	} else {
		ifp->filters_leaving = true;
		if (!walking_here(ifp))
			wait_and_finish(e);
	}
}

/* The interface goes, no walk is in progress any more. In order, whatever iff_detached asks for. */
static void
iff_detach_all(struct ifnet *ifp)
{
	struct iff_entry *e;

	TAILQ_FOREACH(e, &ifp->filters, link)
		e->leaving = true;
	find_only(ifp);
	while ((e = TAILQ_FIRST(&ifp->filters)) != NULL)
		finish(e);
}

/* ---- the subsystem ------------------------------------------------------------------------ */

static void
describe(const struct ledger_entry *l, char *text, size_t size)
{
	const struct iff_entry *e = (const struct iff_entry *)(const void *)
	    ((const char *)l - __builtin_offsetof(struct iff_entry, ledger));

	ksnprintf(text, size, "interface filter \"%s\" on %s",
	    e->filter.iff_name != NULL ? e->filter.iff_name : "?", e->ifp->xname);
}

/* Of a kext whose start routine failed. */
static bool
reclaim(struct nke *m, struct ledger_entry *l)
{
	const struct iff_entry *e = (const struct iff_entry *)(const void *)
	    ((const char *)l - __builtin_offsetof(struct iff_entry, ledger));

	iff_detach(m, e->id);
	return true;
}

static errno_t
iff_init(struct nke *m)
{
	static const struct dlil_filter_ops ops = {
		.input = iff_input,
		.output = iff_output,
		.other = take_back,
		.sweep = sweep,
		.event = iff_event,
		.ioctl = iff_ioctl,
		.detach_all = iff_detach_all,
	};

	m->iff = kalloc(m, sizeof *m->iff);
	if (m->iff == NULL)
		return ENOMEM;
	TAILQ_INIT(&m->iff->all);
	ledger_set_describe(m, LEDGER_INTERFACE_FILTER, describe);
	kext_set_reclaim(m, LEDGER_INTERFACE_FILTER, reclaim);
	dlil_set_filter_ops(m, &ops);
	return 0;
}

static void
iff_fini(struct nke *m)
{
	m->iff = NULL;
}

const struct subsystem iff_subsystem = {
	.name = "iff",
	.init = iff_init,
	.fini = iff_fini,
};
