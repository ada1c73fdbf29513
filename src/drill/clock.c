/*
 * Time. The machine's clock is held (nke_hold_clock), so that it passes here and nowhere else: to the time
 * of the next event exactly, or from timer to timer while a packet is waited for or a call has not returned.
 */
#include "src/drill/engine.h"

#define PACKETDRILL_TOLERANCE	4000	/* us */

int64_t
now_us(const struct run *r)
{
	return (int64_t)((nke_uptime(r->machine) - r->start_ns) / NS_PER_US);
}

/* Nobody has said: authors of scripts for Linux count on packetdrill's own. */
int64_t
tolerance_us(const struct run *r)
{
	if (r->config->tolerance_us >= 0)
		return r->config->tolerance_us;
	return r->linux_dialect ? PACKETDRILL_TOLERANCE : 0;
}

int64_t
tolerance(const struct run *r, int64_t us)
{
	int64_t t = tolerance_us(r), part = us * r->config->tolerance_percent / 100;

	return part > t ? part : t;
}

static int
run_machine(struct run *r, uint64_t ns)
{
	struct drill_place place = r->event != NULL ? r->event->place : (struct drill_place){0};

	(void)nke_run_until(r->machine, ns);
	if (nke_panicked(r->machine))
		return fail(r, DRILL_PANICKED, place, "the machine has panicked\n%s",
		    nke_panic_report(r->machine));
	errqueue_look(r);
	chrono_look(r);
	return call_look(r);
}

static uint64_t
uptime_of(const struct run *r, int64_t us)
{
	return us <= 0 ? r->start_ns : r->start_ns + (uint64_t)us * NS_PER_US;
}

int
run_step(struct run *r, int64_t limit_us)
{
	uint64_t limit = uptime_of(r, limit_us), now = nke_uptime(r->machine), next;

	if (now >= limit)
		return 0;
	next = nke_next_event(r->machine);
	if (next <= now)
		next = now + 1;
	if (run_machine(r, next < limit ? next : limit) != 0)
		return -1;
	return next < limit;
}

int
run_to(struct run *r, int64_t us)
{
	int more = 1;

	while (more == 1 && call_waits(r))
		more = run_step(r, us);
	if (more < 0)
		return -1;
	return nke_uptime(r->machine) < uptime_of(r, us) ? run_machine(r, uptime_of(r, us)) : 0;
}

/* Packets in follow each other by the script's times; all else follows what has happened. */
static int64_t
base_of(const struct run *r)
{
	bool in = r->event->kind == DRILL_PACKET && r->event->packet->direction == DRILL_IN;

	return in && r->last_was_in ? r->last_in_us : r->last_us;
}

void
set_event_time(struct run *r)
{
	const struct drill_time *t = &r->event->time;

	switch (t->kind) {
	case DRILL_TIME_ABSOLUTE:
	case DRILL_TIME_ABSOLUTE_RANGE:
		r->event_us = t->us;
		break;
	case DRILL_TIME_RELATIVE:
	case DRILL_TIME_RELATIVE_RANGE:
		r->event_us = base_of(r) + t->us;
		break;
	case DRILL_TIME_NONE:
	case DRILL_TIME_ANY:
	case DRILL_TIME_RELATIVE_ANY:
		r->event_us = now_us(r);
		break;
	}
}
