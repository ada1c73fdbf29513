/*
 * sys/systm.h's timeouts: a function called once, later, on a worker thread; taken back by naming
 * function and argument. Called by kexts.
 *
 * A machine's pending and running timeouts are in a hash table by function and argument, oldest first in
 * each chain, so that taking one back costs the same however many there are. On a Mac they come from a pool
 * that never fails, so their memory is the host's, not the machine's limited heap.
 */
#include <string.h>
#include <sys/kernel.h>
#include <sys/systm.h>

#include "src/kern/gate.h"
#include "src/kern/klog.h"
#include "src/kern/panic.h"
#include "src/kern/sched.h"

#define NS_PER_TICK	10000000u	/* hz is 100 */
#define CHAINS_FIRST	16u		/* a power of two, as all sizes of the table */

struct timeout {
	TAILQ_ENTRY(timeout) link;	/* of its chain */
	struct callout callout;
	void (*fcn)(void *);
	void *param;
	struct kext *owner;
	struct ledger_entry ledger;
};

TAILQ_HEAD(chain, timeout);

struct timeouts {
	struct chain *chains;		/* `mask` + 1 of them */
	size_t mask;
	size_t count;
};

/* ---- the table ---------------------------------------------------------------------------- */

static struct chain *
chain_of(const struct timeouts *table, void (*fcn)(void *), const void *param)
{
	uint64_t h = ((uint64_t)(uintptr_t)fcn ^ (uint64_t)(uintptr_t)param << 1) *
	    UINT64_C(0x9e3779b97f4a7c15);

	return &table->chains[(h >> 32) & table->mask];
}

static struct chain *
make_chains(size_t n)
{
	struct chain *chains = hc_alloc(n * sizeof *chains);

	for (size_t i = 0; chains != NULL && i < n; i++)
		TAILQ_INIT(&chains[i]);
	return chains;
}

/* Twice the chains. Without memory for them they become long. */
static void
grow(struct timeouts *table)
{
	struct timeouts old = *table;
	struct chain *chains = make_chains(2 * (old.mask + 1));
	struct timeout *t;

	if (chains == NULL)
		return;
	table->chains = chains;
	table->mask = 2 * old.mask + 1;
	for (size_t i = 0; i <= old.mask; i++) {
		while ((t = TAILQ_FIRST(&old.chains[i])) != NULL) {
			TAILQ_REMOVE(&old.chains[i], t, link);
			TAILQ_INSERT_TAIL(chain_of(table, t->fcn, t->param), t, link);
		}
	}
	hc_free(old.chains);
}

static void
insert(struct timeouts *table, struct timeout *t)
{
	if (table->count > 2 * table->mask)
		grow(table);
	TAILQ_INSERT_TAIL(chain_of(table, t->fcn, t->param), t, link);
	table->count++;
}

static void
take_out(struct timeouts *table, struct timeout *t)
{
	TAILQ_REMOVE(chain_of(table, t->fcn, t->param), t, link);
	table->count--;
}

/* ---- starting and stopping ---------------------------------------------------------------- */

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
	take_out(m->timeouts, t);
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
	insert(m->timeouts, t);
	ledger_enter(m, &t->ledger, LEDGER_TIMEOUT, pc);
}

static void
stop(void (*fcn)(void *), void *param)
{
	struct timeout *t;

	TAILQ_FOREACH(t, chain_of(curmachine()->timeouts, fcn, param), link) {
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
	m->timeouts->count = 0;
	m->timeouts->mask = CHAINS_FIRST - 1;
	m->timeouts->chains = make_chains(CHAINS_FIRST);
	if (m->timeouts->chains == NULL) {
		hc_free(m->timeouts);
		m->timeouts = NULL;
		return ENOMEM;
	}
	ledger_set_describe(m, LEDGER_TIMEOUT, describe_timeout);
	return 0;
}

static void
timeouts_fini(struct nke *m)
{
	struct timeout *t;

	for (size_t i = 0; i <= m->timeouts->mask; i++)
		while ((t = TAILQ_FIRST(&m->timeouts->chains[i])) != NULL)
			timeout_free(t);
	hc_free(m->timeouts->chains);
	hc_free(m->timeouts);
	m->timeouts = NULL;
}

const struct subsystem timeout_subsystem = {"timeout", timeouts_init, NULL, timeouts_fini};
