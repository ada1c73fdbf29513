/*
 * What is said to routers about groups, and when; see in_report.h.
 *
 * A change is told at once, and again as often as the link's robustness says, after random times, so that
 * one lost message does no harm; what changes meanwhile is merged (RFC 3376 5.1). A query is answered after
 * a random time, so that the answers of many members do not come all at once (5.2). While a router of an
 * older version is there, its version is spoken (7.2): one report per group, left to whichever member is
 * first.
 *
 * Every group that is reported has a struct report_group, which holds a reference to its record: as long as
 * the group is wanted or anything is left to be said about it. One callout serves them all.
 *
 * Limits against abuse: queries only set times; per group REPORT_QUERIED_MAX sources are remembered; the
 * number of groups is in_multi.c's limit. A replayed machine says nothing.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/kern/prng.h"
#include "src/kern/sched.h"
#include "src/netinet/in_report_private.h"

#define NEVER		UINT64_MAX
#define SECOND		UINT64_C(1000000000)
#define CHANGE_DELAY	SECOND			/* RFC 3376 8.11, RFC 3810 9.11 */
#define RESPONSE_DELAY	(10 * SECOND)		/* RFC 3376 8.3, RFC 3810 9.3 */

/* ---- time --------------------------------------------------------------------------------- */

static uint64_t
now(const struct reporter *r)
{
	return machine_now(r->machine);
}

/* Some time in (0, most]. */
static uint64_t
random_delay(const struct reporter *r, uint64_t most)
{
	return most == 0 ? 0 : (uint64_t)prng_u32(r->machine) * (most / UINT32_MAX + 1) % most + 1;
}

static void
arm(struct reporter *r, uint64_t due)
{
	if (due >= r->next)
		return;
	/* Without memory for the timer nothing is repeated, which routers bear. */
	if (callout_reset(&r->timer, due) == 0)
		r->next = due;
}

/* ---- interfaces --------------------------------------------------------------------------- */

static struct report_if *
find_if(struct reporter *r, const struct ifnet *ifp)
{
	struct report_if *rif;

	TAILQ_FOREACH(rif, &r->interfaces, link)
		if (rif->ifp == ifp)
			return rif;
	return NULL;
}

/* The driver is called, and may take the interface away, record and all. */
static void
join_asked_at(struct reporter *r, struct report_if *rif)
{
	struct ifnet *ifp = rif->ifp;
	struct in_multi *inm;

	if (in_multi_join(ifp, r->ops->family, r->ops->asked_at, &inm) != 0)
		return;
	rif = find_if(r, ifp);
	if (rif != NULL && rif->heard_at == NULL)
		rif->heard_at = inm;
	else
		in_multi_leave(inm);
}

/* NULL: no memory. */
static struct report_if *
get_if(struct reporter *r, struct ifnet *ifp)
{
	struct report_if *rif = find_if(r, ifp);

	if (rif == NULL) {
		rif = kalloc(r->machine, sizeof *rif);
		if (rif == NULL)
			return NULL;
		ifnet_retain(ifp);
		rif->ifp = ifp;
		rif->robustness = REPORT_ROBUSTNESS;
		rif->query_interval = REPORT_QUERY_INTERVAL;
		rif->general_due = NEVER;
		rif->version = (unsigned)r->default_version;
		TAILQ_INSERT_TAIL(&r->interfaces, rif, link);
	}
	/* Without it a driver that filters groups would keep the queries. */
	if (r->ops->asked_at != NULL && rif->heard_at == NULL)
		join_asked_at(r, rif);
	return find_if(r, ifp);
}

void
report_interface(struct reporter *r, struct ifnet *ifp)
{
	if (r->machine->replay == NULL && !r->machine->ending && r->next != 0 &&
	    (ifp->flags & (IFF_MULTICAST | IFF_LOOPBACK)) == IFF_MULTICAST)
		(void)get_if(r, ifp);
}

static void
free_if(struct reporter *r, struct report_if *rif)
{
	TAILQ_REMOVE(&r->interfaces, rif, link);
	if (rif->heard_at != NULL)
		in_multi_leave(rif->heard_at);
	ifnet_drop(rif->ifp);
	kfree(r->machine, rif);
}

static unsigned
version_now(const struct reporter *r, const struct report_if *rif)
{
	uint64_t t = now(r);

	for (unsigned v = r->ops->oldest; v < (unsigned)r->default_version; v++)
		if (rif->older_until[v] > t)
			return v;
	return (unsigned)r->default_version;
}

/* ---- groups ------------------------------------------------------------------------------- */

static struct report_group *
get_group(struct reporter *r, struct in_multi *inm)
{
	struct report_group *g = inm->report;

	if (g != NULL)
		return g;
	g = kalloc(r->machine, sizeof *g);
	if (g == NULL)
		return NULL;
	g->reporter = r;
	g->inm = inm;
	g->query_due = g->change_due = NEVER;
	in_multi_retain(inm);
	inm->report = g;
	return g;
}

/* Nothing that waits is said any more. */
static void
forget_pending(struct report_group *g)
{
	g->query_due = g->change_due = NEVER;
	g->mode_left = g->repeats = g->queried = 0;
	for (unsigned i = 0; i < g->inm->source_count; i++)
		g->inm->sources[i].report = 0;
	in_multi_prune(g->inm);
}

static void
free_group(struct report_group *g)
{
	struct in_multi *inm = g->inm;

	forget_pending(g);
	inm->report = NULL;
	kfree(g->reporter->machine, g);
	in_multi_release(inm);
}

/* Arms the timer, or lets go of a group about which nothing is left to be said. */
static void
settle(struct report_group *g)
{
	uint64_t due = g->query_due < g->change_due ? g->query_due : g->change_due;

	if (due != NEVER)
		arm(g->reporter, due);
	else if (!in_multi_wanted(g->inm))
		free_group(g);
}

static bool
reports(const struct reporter *r, const struct in_multi *inm)
{
	return r->machine->replay == NULL && !r->machine->ending && !inm->gone &&
	    !(inm->ifp->flags & IFF_LOOPBACK) && !r->ops->silent(r, &inm->group);
}

/*
 * Calls fn for every group that has something of ours; fn may say things, and free its group. False: an
 * interface went meanwhile, not all have been called.
 */
static bool
each_group(struct reporter *r, const struct ifnet *ifp, void (*fn)(struct report_group *, void *),
    void *ctx)
{
	struct in_multi *inm, *next;

	inm = in_multi_next(r->machine, NULL, ifp, r->ops->family);
	if (inm != NULL)
		in_multi_retain(inm);
	for (; inm != NULL; inm = next) {
		if (inm->report != NULL)
			fn(inm->report, ctx);
		next = inm->gone ? NULL : in_multi_next(r->machine, inm, ifp, r->ops->family);
		if (next != NULL)
			in_multi_retain(next);
		if (next == NULL && inm->gone) {
			in_multi_release(inm);
			return false;
		}
		in_multi_release(inm);
	}
	return true;
}

/* ---- changes ------------------------------------------------------------------------------ */

/* Tells what has changed, and when to tell it again. */
static void
tell_change(struct report_group *g)
{
	struct reporter *r = g->reporter;
	struct in_multi *inm = g->inm;
	bool more = false;
	struct report_out o;

	report_out_begin(&o, r, inm->ifp);
	if (g->mode_left != 0) {
		bool exclude = in_multi_wanted(inm) && inm->mode == MCAST_EXCLUDE;

		report_out_list(&o, exclude ? TO_EXCLUDE : TO_INCLUDE, inm);
		/* The whole list says what became of single sources, too. */
		for (unsigned i = 0; i < inm->source_count; i++)
			if (inm->sources[i].report != 0)
				inm->sources[i].report--;
		more = --g->mode_left != 0;
	} else {
		report_out_changes(&o, ALLOW, inm);
		report_out_changes(&o, BLOCK, inm);
	}
	for (unsigned i = 0; i < inm->source_count; i++)
		more = more || inm->sources[i].report != 0;
	g->change_due = more ? now(r) + random_delay(r, CHANGE_DELAY) : NEVER;
	in_multi_prune(inm);
	report_out_send(&o);
}

/* What has to be told of the difference between the record's old and new wish. */
static void
note_change(struct report_group *g, uint8_t times)
{
	struct in_multi *inm = g->inm;
	uint8_t was = inm->was_member ? inm->old_mode : MCAST_INCLUDE;
	uint8_t is = in_multi_wanted(inm) ? inm->mode : MCAST_INCLUDE;

	if (was != is)
		g->mode_left = times;
	for (unsigned i = 0; i < inm->source_count; i++) {
		struct in_msource *s = &inm->sources[i];

		if (was != is) {
			s->report = 0;
		} else if (s->listed != s->was_listed) {
			s->report = times;
			s->report_type = s->listed == (is == MCAST_INCLUDE) ? ALLOW : BLOCK;
		}
	}
}

/* The same in an older version: a report, repeated, or a leave. */
static void
change_old(struct report_group *g, const struct report_if *rif, unsigned version)
{
	struct reporter *r = g->reporter;
	struct in_multi *inm = g->inm;
	bool wanted = in_multi_wanted(inm);

	if (wanted && !inm->was_member) {
		g->last = true;
		g->repeats = (uint8_t)(rif->robustness - 1);
		g->query_due = g->repeats != 0 ? now(r) + random_delay(r, r->ops->first_delay) : NEVER;
		r->ops->send_old(r->machine, inm->ifp, &inm->group, version, false);
	} else if (!wanted && inm->was_member) {
		bool say = g->last && version >= r->ops->oldest_leave;

		forget_pending(g);
		if (say)
			r->ops->send_old(r->machine, inm->ifp, &inm->group, version, true);
	}
}

void
report_changed(struct reporter *r, struct ifnet *ifp, struct in_multi *inm)
{
	struct report_group *g;
	struct report_if *rif;
	unsigned version;

	if (inm->gone) {
		if (inm->report != NULL)
			free_group(inm->report);
		return;
	}
	if (!reports(r, inm) || (rif = get_if(r, ifp)) == NULL || (g = get_group(r, inm)) == NULL)
		return;
	/* Sending may call kexts, and they may leave what is being joined. */
	in_multi_retain(inm);
	version = version_now(r, rif);
	if (version == r->ops->newest) {
		note_change(g, rif->robustness);
		tell_change(g);
	} else {
		change_old(g, rif, version);
	}
	if (inm->report == g)
		settle(g);
	in_multi_release(inm);
}

/* ---- answers ------------------------------------------------------------------------------ */

static void
answer_group(struct report_group *g, const struct report_if *rif)
{
	struct reporter *r = g->reporter;
	unsigned version = version_now(r, rif);
	struct report_out o;

	g->query_due = NEVER;
	if (!in_multi_wanted(g->inm))
		return;
	if (version != r->ops->newest) {
		g->last = true;
		if (g->repeats != 0 && --g->repeats != 0)
			g->query_due = now(r) + random_delay(r, r->ops->first_delay);
		r->ops->send_old(r->machine, g->inm->ifp, &g->inm->group, version, false);
		return;
	}
	report_out_begin(&o, r, g->inm->ifp);
	if (g->queried != 0)
		report_out_queried(&o, g);
	else
		report_out_current(&o, g->inm);
	g->queried = 0;
	report_out_send(&o);
}

static void
add_current(struct report_group *g, void *ctx)
{
	if (in_multi_wanted(g->inm))
		report_out_current(ctx, g->inm);
}

static void
answer_general(struct reporter *r, struct report_if *rif)
{
	struct ifnet *ifp = rif->ifp;
	struct report_out o;

	rif->general_due = NEVER;
	report_out_begin(&o, r, ifp);
	(void)each_group(r, ifp, add_current, &o);
	report_out_send(&o);
}

/* ---- queries ------------------------------------------------------------------------------ */

static void
forget_group_pending(struct report_group *g, void *ctx)
{
	(void)ctx;
	forget_pending(g);
	settle(g);
}

/* A router has been heard: which version is spoken from now on, and what it says about times. */
static void
learn_from(struct reporter *r, struct report_if *rif, const struct report_query *q)
{
	unsigned version;

	if (q->robustness != 0)
		rif->robustness = q->robustness;
	else if (q->version == r->ops->newest)
		rif->robustness = REPORT_ROBUSTNESS;
	if (q->interval != 0)
		rif->query_interval = q->interval;
	if (q->version < r->ops->newest)
		rif->older_until[q->version] = now(r) + rif->robustness * rif->query_interval * SECOND +
		    RESPONSE_DELAY;
	version = version_now(r, rif);
	if (version != rif->version) {
		rif->version = version;
		rif->general_due = NEVER;
		(void)each_group(r, rif->ifp, forget_group_pending, NULL);
	}
}

/* One group is asked for, in the newest version (RFC 3376 5.2, rules 3 to 5). */
static void
schedule_group(struct report_group *g, const struct report_query *q, uint64_t due)
{
	bool pending = g->query_due != NEVER;

	if (q->source_count == 0 || (pending && g->queried == 0) ||
	    (pending ? g->queried : 0) + q->source_count > REPORT_QUERIED_MAX) {
		g->queried = 0;
	} else {
		unsigned at = pending ? g->queried : 0;

		memcpy(g->sources + at, q->sources, q->source_count * sizeof q->sources[0]);
		g->queried = (uint8_t)(at + q->source_count);
	}
	if (due < g->query_due)
		g->query_due = due;
	settle(g);
}

/* Older versions: every group has a delay of its own. */
static void
schedule_old(struct report_group *g, void *ctx)
{
	const uint64_t *most = ctx;
	struct reporter *r = g->reporter;
	uint64_t due = now(r) + random_delay(r, *most);

	if (!in_multi_wanted(g->inm))
		return;
	if (due < g->query_due)
		g->query_due = due;
	settle(g);
}

void
report_asked(struct reporter *r, struct ifnet *ifp, const struct report_query *q)
{
	struct report_if *rif = find_if(r, ifp);
	uint64_t most = q->max_delay, due;
	struct in_multi *inm;

	if (rif == NULL)
		return;
	learn_from(r, rif, q);
	due = now(r) + random_delay(r, q->max_delay);
	if (q->group == NULL) {
		if (rif->version != r->ops->newest) {
			(void)each_group(r, ifp, schedule_old, &most);
		} else if (due < rif->general_due) {
			rif->general_due = due;
			arm(r, due);
		}
		return;
	}
	inm = in_multi_find(ifp, r->ops->family, q->group);
	if (inm == NULL || inm->report == NULL || !in_multi_wanted(inm))
		return;
	if (rif->version != r->ops->newest)
		schedule_old(inm->report, &most);
	else if (rif->general_due > due)	/* else that answer comes sooner and says it all */
		schedule_group(inm->report, q, due);
}

bool
report_heard(struct reporter *r, struct ifnet *ifp, const void *group)
{
	struct report_if *rif = find_if(r, ifp);
	struct in_multi *inm = in_multi_find(ifp, r->ops->family, group);
	struct report_group *g = inm != NULL ? inm->report : NULL;

	if (rif == NULL || g == NULL)
		return false;
	if (version_now(r, rif) != r->ops->newest) {
		g->query_due = NEVER;
		g->repeats = 0;
		g->last = false;
	}
	return true;
}

void
report_again(struct reporter *r, struct ifnet *ifp)
{
	struct report_if *rif = find_if(r, ifp);
	uint64_t most = 0;

	if (rif == NULL)
		return;
	if (version_now(r, rif) != r->ops->newest) {
		(void)each_group(r, ifp, schedule_old, &most);
	} else {
		rif->general_due = now(r);
		arm(r, rif->general_due);
	}
}

/* ---- the timer ---------------------------------------------------------------------------- */

static void
group_due(struct report_group *g, void *ctx)
{
	struct reporter *r = ctx;
	const struct report_if *rif = find_if(r, g->inm->ifp);
	struct in_multi *inm = g->inm;
	uint64_t t = now(r);

	if (rif == NULL)
		return;
	if (g->change_due <= t)
		tell_change(g);
	if (inm->report == g && g->query_due <= t)
		answer_group(g, rif);
	if (inm->report == g)
		settle(g);
}

/* An interface on which a general query is to be answered now. */
static struct report_if *
general_due(struct reporter *r)
{
	struct report_if *rif;

	TAILQ_FOREACH(rif, &r->interfaces, link)
		if (rif->general_due <= now(r))
			return rif;
	return NULL;
}

static void
timer(void *arg)
{
	struct reporter *r = arg;
	struct report_if *rif;

	r->next = NEVER;
	while ((rif = general_due(r)) != NULL)
		answer_general(r, rif);
	TAILQ_FOREACH(rif, &r->interfaces, link)
		arm(r, rif->general_due);
	if (!each_group(r, NULL, group_due, r))
		arm(r, now(r) + 1);
}

/* ---- life --------------------------------------------------------------------------------- */

void
report_init(struct reporter *r, struct nke *machine, const struct report_ops *ops)
{
	r->machine = machine;
	r->ops = ops;
	r->default_version = (int)ops->newest;
	r->next = NEVER;
	TAILQ_INIT(&r->interfaces);
	callout_init(&r->timer, machine, timer, r);
}

static void
drop_group(struct report_group *g, void *ctx)
{
	(void)ctx;
	free_group(g);
}

void
report_stop(struct reporter *r)
{
	struct report_if *rif;

	callout_drain(&r->timer);
	r->next = 0;			/* nothing is armed any more */
	while (!each_group(r, NULL, drop_group, NULL))
		;
	while ((rif = TAILQ_FIRST(&r->interfaces)) != NULL)
		free_if(r, rif);
}

void
report_interface_gone(struct reporter *r, struct ifnet *ifp)
{
	struct report_if *rif = find_if(r, ifp);

	if (rif != NULL)
		free_if(r, rif);
}
