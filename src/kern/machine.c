/*
 * Machines: bringing one up and taking it down, and the way in for host threads (corecalls.h).
 *
 * Every call enters the world, runs as kernel code under a catcher for panics, and before it leaves
 * runs what has become due: soft interrupts, callouts, kernel threads. So an uncontended call costs
 * two short critical sections and a catcher, and no thread switch.
 */
#include <string.h>

#include "src/kern/init_main.h"
#include "src/kern/panic.h"
#include "src/kern/prng.h"
#include "src/kern/world.h"

/* ---- the way in --------------------------------------------------------------------------- */

struct call {
	struct nke *machine;
	void (*fn)(void *);
	void *arg;
	uint16_t locks_held;
};

static void
check_locks(const struct thread *t, const struct call *call)
{
	int kept = (int)t->locks_held - (int)call->locks_held;

	if (kept != 0)
		kpanic("a call into the machine returned with %d lock%s %s", kept > 0 ? kept : -kept,
		    kept == 1 || kept == -1 ? "" : "s", kept > 0 ? "still held" : "too many given back");
}

static void
call_nested(void *arg)
{
	struct call *call = arg;

	call->fn(call->arg);
	check_locks(curthread(), call);
}

static void
call_and_settle(void *arg)
{
	struct thread *t = curthread();

	call_nested(arg);
	sched_check_quiet(t);
	sched_settle(t);
}

static void
settle(void *arg)
{
	(void)arg;
	sched_settle(curthread());
}

/*
 * Runs body(arg) as a call into `m`. Another machine of the world may panic while this thread runs
 * what is due there: then `resume` goes on with the rest.
 */
static int
call_top(struct nke *m, void (*body)(void *), void (*resume)(void *), void *arg)
{
	struct thread *outer = kern_thread;
	struct thread *t = world_enter(m->world, m);
	int error;

	if (t == NULL)
		return ENOMEM;
	while (!m->panicked && !m->ending && !hc_catch(&t->catcher, body, arg)) {
		sched_unwound(t);
		if (t->machine != m)
			t->machine = m;
		body = resume;
	}
	error = m->panicked || m->ending ? EFAULT : 0;
	if (m->world->time == CORE_TIME_REAL && callout_next(m->world) != UINT64_MAX)
		worker_start_clock(m->world);
	world_leave(t, outer);
	return error;
}

/* From inside a machine of the same world: the thread becomes one of `m` meanwhile. */
static int
call_across(struct thread *t, struct call *call)
{
	struct nke *outer_machine = t->machine, *m = call->machine;
	struct gate_frame *outer_gate = t->gate;
	const struct away away = {outer_gate, t->away};
	uint16_t locks = t->locks_held, spins = t->spins_held;

	if (m->panicked || m->ending)
		return EFAULT;
	call->locks_held = locks;
	outer_machine->hosts_inside++;	/* where it comes back to has to wait for it */
	t->machine = m;
	t->gate = NULL;
	t->away = &away;
	if (!hc_catch(&t->catcher, call_nested, call)) {
		sched_unwound(t);
		t->locks_held = locks;
		t->spins_held = spins;
	}
	t->machine = outer_machine;
	t->gate = outer_gate;
	t->away = away.outer;
	outer_machine->hosts_inside--;
	sched_check_unwind(t);
	return m->panicked ? EFAULT : 0;
}

int
machine_call(struct nke *m, void (*fn)(void *), void *arg)
{
	struct call call = {m, fn, arg, 0};
	struct thread *t = kern_thread;

	if (t != NULL && t->world == m->world)
		return call_across(t, &call);
	return call_top(m, call_and_settle, settle, &call);
}

/* ---- time --------------------------------------------------------------------------------- */

static void
run_until(void *arg)
{
	sched_advance(*(const uint64_t *)arg);
	sched_settle(curthread());
}

int
machine_run_until(struct nke *m, uint64_t until_ns)
{
	if (kern_thread != NULL && kern_thread->world == m->world)
		return EINVAL;
	return call_top(m, run_until, run_until, &until_ns);
}

static void
set_calendar(void *arg)
{
	sched_set_calendar(*(const uint64_t *)arg);
}

int
machine_set_calendar(struct nke *m, uint64_t calendar_ns)
{
	return machine_call(m, set_calendar, &calendar_ns);
}

static void
hold_clock(void *arg)
{
	curthread()->world->clock_held = *(const bool *)arg;
}

int
machine_hold_clock(struct nke *m, bool hold)
{
	return machine_call(m, hold_clock, &hold);
}

unsigned
machine_waiting(const struct nke *m)
{
	return __atomic_load_n(&m->world->hosts_waiting, __ATOMIC_ACQUIRE);
}

uint64_t
machine_next_event(const struct nke *m)
{
	return __atomic_load_n(&m->world->next_event, __ATOMIC_RELAXED);
}

uint64_t
machine_uptime(const struct nke *m)
{
	return machine_now(m);
}

/* ---- reading ------------------------------------------------------------------------------ */

struct world *
machine_world(const struct nke *m)
{
	return m->world;
}

bool
machine_panicked(const struct nke *m)
{
	return m->panicked;
}

const char *
machine_panic_report(const struct nke *m)
{
	return m->panic_report;
}

/* ---- bringing up and taking down ---------------------------------------------------------- */

struct bring_up {
	struct nke *machine;
	unsigned count;			/* subsystems that are up */
	errno_t error;
};

static void
bring_up(void *arg)
{
	struct bring_up *b = arg;

	for (; subsystems[b->count] != NULL; b->count++) {
		b->error = subsystems[b->count]->init(b->machine);
		if (b->error == ENOBUFS)
			b->error = ENOMEM;
		if (b->error != 0)
			return;
	}
	b->machine->up = true;
	sched_settle(curthread());
}

static void
quiesce_all(void *arg)
{
	struct bring_up *b = arg;

	for (unsigned i = b->count; i-- > 0;) {
		if (subsystems[i]->quiesce != NULL)
			subsystems[i]->quiesce(b->machine);
	}
}

static void
fini_all(void *arg)
{
	struct bring_up *b = arg;

	while (b->count > 0) {
		const struct subsystem *s = subsystems[--b->count];

		if (s->fini != NULL)
			s->fini(b->machine);
	}
}

/*
 * With the CPU, as the exempt thread `t`. A panic while going down ends that step only: what is left
 * of it stays with the heap, which goes last and gives back every block.
 */
static void
take_down(struct thread *t, struct bring_up *b)
{
	struct nke *m = b->machine;

	t->exempt = true;
	m->up = false;
	thread_unwind_machine(m);
	softintr_forget(m->world, m);
	callout_forget(m->world, m);
	if (!hc_catch(&t->catcher, quiesce_all, b))
		sched_unwound(t);
	softintr_forget(m->world, m);
	callout_forget(m->world, m);
	while (b->count > 0) {
		if (!hc_catch(&t->catcher, fini_all, b))
			sched_unwound(t);
	}
	t->exempt = false;
}

static struct nke *
machine_alloc(const struct core_config *config, struct world *w)
{
	struct nke *m = hc_alloc_aligned(64, (sizeof *m + 63) & ~(size_t)63);

	if (m == NULL)
		return NULL;
	memset(m, 0, sizeof *m);
	m->panic_report = hc_alloc(PANIC_REPORT_SIZE);
	if (m->panic_report == NULL) {
		hc_free(m);
		return NULL;
	}
	m->panic_report[0] = '\0';
	m->config = *config;
	m->config.name[sizeof m->config.name - 1] = '\0';
	if (m->config.name[0] == '\0')
		memcpy(m->config.name, "nke0", sizeof "nke0");
	/* What is the world's is the same for all its machines. */
	m->config.time = w->time;
	m->config.sched_random = w->sched_random;
	m->checked = config->checked;
	m->world = w;
	return m;
}

static void
machine_free(struct nke *m)
{
	hc_free(m->panic_report);
	hc_free(m);
}

int
machine_create(const struct core_config *config, struct world *world, struct nke **out)
{
	struct thread *outer = kern_thread, *t;
	struct bring_up b = {NULL, 0, 0};
	struct nke *m;

	if (config == NULL || out == NULL ||
	    (config->time != CORE_TIME_VIRTUAL && config->time != CORE_TIME_REAL))
		return EINVAL;
	if (outer != NULL && outer->world == world)
		return EINVAL;
	if (world != NULL)
		world_reference(world);
	else if (world_create(config, &world) != 0)
		return ENOMEM;
	m = machine_alloc(config, world);
	t = m != NULL ? world_enter(world, m) : NULL;
	if (t == NULL) {
		b.error = ENOMEM;
		goto out;
	}
	TAILQ_INSERT_TAIL(&world->machines, m, world_link);
	/* Two machines with one seed draw different numbers, as real ones do. */
	prng_seed(m->prng, m->config.seed + world->machines_made++);
	b.machine = m;
	if (!hc_catch(&t->catcher, bring_up, &b)) {
		sched_unwound(t);
		t->machine = m;
		if (m->panicked)
			b.error = EFAULT;
	}
	if (b.error != 0) {
		take_down(t, &b);
		TAILQ_REMOVE(&world->machines, m, world_link);
	}
	world_leave(t, outer);
out:
	if (b.error != 0) {
		if (m != NULL)
			machine_free(m);
		world_release(world);
		return b.error;
	}
	*out = m;
	return 0;
}

static unsigned
subsystem_count(void)
{
	unsigned n = 0;

	while (subsystems[n] != NULL)
		n++;
	return n;
}

void
machine_destroy(struct nke *m)
{
	struct thread *outer = kern_thread, *t;
	struct bring_up b = {m, subsystem_count(), 0};
	struct world *w;

	if (m == NULL)
		return;
	w = m->world;
	if (outer != NULL && outer->world == w)
		kpanic("machine_destroy(\"%s\") was called from inside a machine of its world",
		    m->config.name);
	/* without memory for a thread there is no safe way in: wait for some */
	while ((t = world_enter(w, m)) == NULL)
		continue;
	take_down(t, &b);
	TAILQ_REMOVE(&w->machines, m, world_link);
	world_leave(t, outer);
	machine_free(m);
	world_release(w);
}
