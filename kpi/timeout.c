/*
 * sys/systm.h's timeouts: a function called once, later, on a worker thread; taken back by naming
 * function and argument. Called by kexts.
 *
 * A machine's pending and running timeouts are one list, oldest first. On a Mac they come from a
 * pool that never fails, so their memory is the host's, not the machine's limited heap.
 */
#include <string.h>
#include <sys/kernel.h>
#include <sys/systm.h>

#include "src/kern/gate.h"
#include "src/kern/klog.h"
#include "src/kern/panic.h"
#include "src/kern/sched.h"

#define NS_PER_TICK	10000000u	/* hz is 100 */

struct timeout {
	TAILQ_ENTRY(timeout) link;
	struct callout callout;
	void (*fcn)(void *);
	void *param;
	struct kext *owner;
	struct ledger_entry ledger;
};

TAILQ_HEAD(timeouts, timeout);

static void
describe_timeout(const struct ledger_entry *entry, char *text, size_t size)
{
	const struct timeout *t = CONTAINER_OF(entry, struct timeout, ledger);
	char name[128];

	hc_symbolize((const void *)(uintptr_t)t->fcn, name, sizeof name);
	ksnprintf(text, size, "%s timeout of %s", t->callout.running ? "running" : "pending", name);
}

static void
timeout_free(struct timeout *t)
{
	struct nke *m = t->callout.machine;

	callout_drain(&t->callout);
	ledger_strike(m, &t->ledger);
	TAILQ_REMOVE(m->timeouts, t, link);
	hc_free(t);
}

static void
run_timeout(void *arg)
{
	struct timeout *t = arg;

	GATE_CALL(t->owner, "timeout", NULL, t->fcn(t->param));
	timeout_free(t);
}

static void
start(void (*fcn)(void *), void *param, uint64_t interval, void *pc)
{
	struct nke *m = curmachine();
	uint64_t now = machine_now(m);
	struct timeout *t = hc_alloc(sizeof *t);

	if (t == NULL)
		kpanic("no timeout can be started: the host has no more memory");
	memset(t, 0, sizeof *t);
	t->fcn = fcn;
	t->param = param;
	t->owner = gate_kext();
	callout_init(&t->callout, m, run_timeout, t);
	t->callout.threaded = true;
	if (callout_reset(&t->callout, now + interval < now ? UINT64_MAX : now + interval) != 0) {
		hc_free(t);
		kpanic("no timeout can be started: the host has no more memory");
	}
	TAILQ_INSERT_TAIL(m->timeouts, t, link);
	ledger_enter(m, &t->ledger, LEDGER_TIMEOUT, pc);
}

static void
stop(void (*fcn)(void *), void *param)
{
	struct timeout *t;

	TAILQ_FOREACH(t, curmachine()->timeouts, link) {
		if (t->fcn == fcn && t->param == param && callout_pending(&t->callout)) {
			timeout_free(t);
			return;
		}
	}
}

/* ---- the interface ------------------------------------------------------------------------ */

uint64_t
tvtoabstime(struct timeval *tv)
{
	if (tv == NULL || tv->tv_sec < 0 || (tv->tv_sec == 0 && tv->tv_usec < 0))
		return 0;
	return (uint64_t)tv->tv_sec * NSEC_PER_SEC + (uint64_t)(tv->tv_usec * 1000L);
}

uint64_t
tstoabstime(struct timespec *ts)
{
	if (ts == NULL || ts->tv_sec < 0 || (ts->tv_sec == 0 && ts->tv_nsec < 0))
		return 0;
	return (uint64_t)ts->tv_sec * NSEC_PER_SEC + (uint64_t)ts->tv_nsec;
}

void
bsd_timeout(void (*fcn)(void *), void *param, struct timespec *ts)
{
	start(fcn, param, tstoabstime(ts), __builtin_return_address(0));
}

void
bsd_untimeout(void (*fcn)(void *), void *param)
{
	stop(fcn, param);
}

void
timeout(void (*fcn)(void *), void *param, int ticks)
{
	start(fcn, param, ticks > 0 ? (uint64_t)ticks * NS_PER_TICK : 0, __builtin_return_address(0));
}

void
untimeout(void (*fcn)(void *), void *param)
{
	stop(fcn, param);
}

/* ---- life --------------------------------------------------------------------------------- */

static errno_t
timeouts_init(struct nke *m)
{
	m->timeouts = hc_alloc(sizeof *m->timeouts);
	if (m->timeouts == NULL)
		return ENOMEM;
	TAILQ_INIT(m->timeouts);
	ledger_set_describe(m, LEDGER_TIMEOUT, describe_timeout);
	return 0;
}

static void
timeouts_fini(struct nke *m)
{
	struct timeout *t;

	while ((t = TAILQ_FIRST(m->timeouts)) != NULL)
		timeout_free(t);
	hc_free(m->timeouts);
	m->timeouts = NULL;
}

const struct subsystem timeout_subsystem = {"timeout", timeouts_init, NULL, timeouts_fini};
