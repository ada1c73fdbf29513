/*
 * Who runs next. The scheduler has no thread of its own: the thread that gives up the CPU decides,
 * in this order: the run queue, first come first served; what is due (soft interrupts, callouts),
 * on a worker; in virtual time, if a host thread is blocked inside the world, the clock jumps to the
 * next callout or time limit, unless it is held (machine_hold_clock). When there is none, nothing can ever
 * happen any more: every blocked host thread is sent back with THREAD_RESTART, and the log says who waits
 * for what.
 *
 * A thread on a wait queue has `wait_event` set; it may still be running (it said what it waits for,
 * sched_assert_wait, and has not yet blocked), so that a wakeup in between is not lost.
 */
#include "src/kern/gate.h"
#include "src/kern/klog.h"
#include "src/kern/lock.h"
#include "src/kern/panic.h"
#include "src/kern/world.h"

/* A thread that is sent back this often without anything else having happened will not give up. */
#define RESTART_LIMIT	16u

/* ---- the run queue ------------------------------------------------------------------------ */

/* machine_waiting() looks at it from outside. */
static void
count_waiting(struct world *w, int change)
{
	__atomic_store_n(&w->hosts_waiting, w->hosts_waiting + (unsigned)change, __ATOMIC_RELEASE);
}

void
sched_make_runnable(struct thread *t)
{
	struct world *w = t->world;

	if (t->state == TH_WAITING && t->host_thread)
		count_waiting(w, -1);
	t->state = TH_RUNNABLE;
	w->others_runnable += !t->host_thread;
	TAILQ_INSERT_TAIL(&w->run_queue, t, queue);
}

static struct thread *
dequeue(struct world *w)
{
	struct thread *t = TAILQ_FIRST(&w->run_queue);

	if (t != NULL) {
		TAILQ_REMOVE(&w->run_queue, t, queue);
		w->others_runnable -= !t->host_thread;
	}
	return t;
}

/* ---- nothing can happen ------------------------------------------------------------------- */

static void
report_waiter(const struct thread *t)
{
	const struct thread *holder = t->wait_lock != NULL ? lock_holder(t->wait_lock) : NULL;

	if (t->machine == NULL)
		return;
	klog(t->machine, 3, "deadlock: thread %llu \"%s\" waits for %s%s%s",
	    (unsigned long long)t->tid, t->name, t->wait_message,
	    holder != NULL ? " held by " : "", holder != NULL ? holder->name : "");
}

/* False when no host thread is blocked. */
static bool
restart_hosts(struct world *w)
{
	struct thread *t;
	bool any = false;

	TAILQ_FOREACH(t, &w->all, all) {
		if (t->state == TH_WAITING)
			report_waiter(t);
	}
	TAILQ_FOREACH(t, &w->all, all) {
		if (t->state == TH_WAITING && t->host_thread) {
			t->restarts++;
			sched_clear_wait(t, THREAD_RESTART);
			any = true;
		}
	}
	return any;
}

/* Makes something happen in a world in which nothing can run. False: it stays idle. */
static bool
advance(struct world *w)
{
	uint64_t next = callout_next(w);

	w->yields = 0;
	if (w->time == CORE_TIME_REAL)
		return next != UINT64_MAX && !worker_start_clock(w) && restart_hosts(w);
	if (w->hosts_waiting == 0 || w->clock_held)
		return false;
	if (next == UINT64_MAX)
		return restart_hosts(w);
	world_set_now(w, next);
	return true;
}

/* ---- changing hands ----------------------------------------------------------------------- */

/* Who is to have the CPU, taken off its queue; NULL: nobody wants it. */
static struct thread *
pick_next(struct world *w)
{
	struct thread *t;

	for (;;) {
		world_take_arrivals(w);
		if (w->yields < YIELDS_ARE_IDLE && (t = dequeue(w)) != NULL)
			return t;
		if (worker_needed(w)) {
			w->yields = 0;
			t = worker_get(w);
			if (t != NULL)
				return t;
			if (!restart_hosts(w))
				return dequeue(w);
		} else if (TAILQ_EMPTY(&w->run_queue) || w->yields >= YIELDS_ARE_IDLE) {
			if (!advance(w) && TAILQ_EMPTY(&w->run_queue))
				return NULL;
		}
	}
}

struct thread *
sched_pick_on_leave(struct world *w)
{
	/* A host thread that is blocked drives virtual time; with nobody inside it is driven from here. */
	if (w->hosts_waiting != 0 && w->time == CORE_TIME_VIRTUAL)
		return pick_next(w);
	world_take_arrivals(w);
	return dequeue(w);
}

void
sched_switch(struct thread *self)
{
	struct world *w = self->world;
	struct thread *next = pick_next(w);
	uint64_t since;

	if (next == self) {
		self->state = TH_RUNNING;
		return;
	}
	if (next != NULL)
		world_give_cpu(w, next);
	else
		world_release_cpu(w);
	since = hc_ticks();
	hc_park(self->parker, 0);
	self->parked_ticks += hc_ticks() - since;
}

void
sched_switch_away(struct world *w)
{
	struct thread *next = pick_next(w);

	if (next != NULL)
		world_give_cpu(w, next);
	else
		world_release_cpu(w);
}

void
sched_pass(void)
{
	struct thread *t = curthread();
	struct world *w = t->world;

	if (t->spins_held != 0)
		kpanic("thread \"%s\" gives up the CPU while it holds a spin lock", t->name);
	w->yields++;
	sched_make_runnable(t);
	sched_switch(t);
	sched_check_unwind(t);
}

/* splitmix64: any seed will do. */
static uint64_t
random_next(struct world *w)
{
	uint64_t z = w->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* One in four: lets the others run, and what is due as well. */
void
sched_preempt(void)
{
	struct thread *t = curthread(), *worker;
	struct world *w = t->world;

	if (t->spins_held != 0 || t->funnel != 0 || t->exempt || !t->machine->up || random_next(w) % 4 != 0)
		return;
	world_take_arrivals(w);
	if (worker_needed(w) && (worker = worker_get(w)) != NULL)
		sched_make_runnable(worker);
	if (!TAILQ_EMPTY(&w->run_queue))
		sched_pass();
}

void
sched_settle(struct thread *t)
{
	struct world *w = t->world;
	unsigned rounds = 0;

	do {
		worker_run_pending(t, false);
		world_take_arrivals(w);
		if (w->others_runnable == 0)
			return;
		sched_pass();
	} while (++rounds < YIELDS_ARE_IDLE);
}

/* ---- driving ------------------------------------------------------------------------------ */

static bool
nothing_to_run(const struct world *w)
{
	return !softintr_pending(w) && w->others_runnable == 0 && !w->arrived;
}

void
sched_advance(uint64_t until)
{
	struct thread *t = curthread();
	struct world *w = t->world;

	while (!nothing_to_run(w) || callout_next(w) <= until) {
		uint64_t next;

		sched_settle(t);
		next = callout_next(w);
		if (w->time == CORE_TIME_REAL || next > until || next == UINT64_MAX)
			break;
		if (next > w->now)
			world_set_now(w, next);
	}
	if (w->time == CORE_TIME_VIRTUAL && until != UINT64_MAX)
		world_set_now(w, until);
}

bool
sched_advance_calendar(uint64_t calendar_ns, uint64_t most)
{
	struct world *w = curthread()->world;
	uint64_t until = calendar_ns - w->calendar_start;

	/* Signed: a date before the clock's is in the past. */
	if ((int64_t)(until - w->now) <= 0)
		return true;
	if (until - w->now > most)
		return false;
	if (nothing_to_run(w) && callout_next(w) > until)
		world_set_now(w, until);
	else
		sched_advance(until);
	return true;
}

void
sched_set_calendar(uint64_t calendar_ns)
{
	struct world *w = curthread()->world;

	if (w->time == CORE_TIME_VIRTUAL)
		w->calendar_start = calendar_ns - w->now;
}

void
sched_delay_until(uint64_t deadline)
{
	struct world *w = curthread()->world;

	if (w->time == CORE_TIME_VIRTUAL)
		world_set_now(w, deadline);
	else
		while (world_now(w) < deadline)
			continue;
}

/* ---- waiting ------------------------------------------------------------------------------ */

static struct thread_list *
bucket(struct world *w, const void *event)
{
	uintptr_t h = (uintptr_t)event;

	return &w->waiters[(h >> 4 ^ h >> 12 ^ h) % WAIT_BUCKETS];
}

wait_result_t
sched_assert_wait(const void *event, uint64_t deadline, bool interruptible, const char *message)
{
	struct thread *t = curthread();
	struct world *w = t->world;

	if (t->wait_event != NULL)
		kpanic("thread \"%s\" is about to wait for %s (%p) while it already waits for %s (%p), by "
		    "an assert_wait without thread_block", t->name, message, event, t->wait_message,
		    t->wait_event);
	t->asserted = true;
	t->interruptible = interruptible;
	if (t->doomed && interruptible)
		return t->wait_result = THREAD_INTERRUPTED;
	t->wait_event = event != NULL ? event : t;
	t->wait_message = message;
	t->wait_deadline = deadline;
	t->wait_lock = NULL;
	t->wait_result = THREAD_WAITING;
	TAILQ_INSERT_TAIL(bucket(w, t->wait_event), t, wait_link);
	w->waiting++;
	if (deadline != 0)
		callout_insert(w, &t->timer, deadline);
	return THREAD_WAITING;
}

bool
sched_clear_wait(struct thread *t, wait_result_t result)
{
	struct world *w = t->world;

	if (t->wait_event == NULL)
		return false;
	TAILQ_REMOVE(bucket(w, t->wait_event), t, wait_link);
	w->waiting--;
	callout_stop(&t->timer);
	t->wait_event = NULL;
	t->wait_lock = NULL;
	t->wait_result = result;
	w->yields = 0;
	if (result != THREAD_RESTART)
		t->restarts = 0;
	if (t->state == TH_WAITING)
		sched_make_runnable(t);
	return true;
}

/* An interruptible sleep is where a thread that has been told to end does so. */
static wait_result_t
end_of_wait(struct thread *t)
{
	sched_check_unwind(t);
	if (__builtin_expect(t->doomed, 0) && t->interruptible)
		(void)kthread_terminate(t);
	return t->wait_result;
}

wait_result_t
sched_thread_block(void)
{
	struct thread *t = curthread();
	struct world *w = t->world;

	if (!t->asserted) {
		sched_pass();
		return THREAD_AWAKENED;
	}
	t->asserted = false;
	if (t->wait_event == NULL)
		return end_of_wait(t);
	if (t->spins_held != 0)
		kpanic("thread \"%s\" sleeps (%s) while it holds a spin lock", t->name, t->wait_message);
	if (t->restarts >= RESTART_LIMIT)
		kpanic("deadlock: thread \"%s\" waits for %s (%p) again and again, but nothing can happen "
		    "any more", t->name, t->wait_message, t->wait_event);
	w->yields = 0;
	t->state = TH_WAITING;
	if (t->host_thread)
		count_waiting(w, 1);
	sched_switch(t);
	return end_of_wait(t);
}

wait_result_t
sched_block(const void *event, uint64_t deadline, bool interruptible, const char *message)
{
	sched_assert_wait(event, deadline, interruptible, message);
	return sched_thread_block();
}

struct thread *
sched_first_waiter(const void *event)
{
	struct world *w = curthread()->world;
	struct thread *t;

	if (w->waiting == 0)
		return NULL;
	TAILQ_FOREACH(t, bucket(w, event), wait_link) {
		if (t->wait_event == event)
			return t;
	}
	return NULL;
}

unsigned
sched_wakeup(const void *event, bool one, wait_result_t result)
{
	struct world *w = curthread()->world;
	struct thread *t, *next;
	unsigned n = 0;

	if (w->waiting == 0)
		return 0;
	TAILQ_FOREACH_SAFE(t, bucket(w, event), wait_link, next) {
		if (t->wait_event != event)
			continue;
		sched_clear_wait(t, result);
		n++;
		if (one)
			break;
	}
	return n;
}

/* ---- being thrown out --------------------------------------------------------------------- */

void
sched_check_unwind(struct thread *t)
{
	const struct nke *m = t->machine;

	if (m == NULL || t->exempt || t->catcher == NULL)
		return;
	if (__builtin_expect(m->panicked || m->ending, 0)) {
		t->thrown = THROW_PANIC;
		hc_throw(t->catcher);
	}
}

void
sched_check_quiet(struct thread *t)
{
	if (__builtin_expect(t->wait_event != NULL, 0))
		kpanic("thread \"%s\" still waits for %s (%p) where its work ends: an assert_wait without "
		    "thread_block", t->name, t->wait_message, t->wait_event);
	t->asserted = false;
}

void
sched_unwound(struct thread *t)
{
	sched_clear_wait(t, THREAD_INTERRUPTED);
	t->asserted = false;
	t->gate = NULL;
	t->locks_held = 0;
	t->spins_held = 0;
	t->funnel = 0;
	t->current_callout = NULL;
	t->current_softintr = NULL;
}

void
sched_throw_all(struct nke *m)
{
	struct thread *t;

	TAILQ_FOREACH(t, &m->world->all, all) {
		if (t->machine == m && t->state == TH_WAITING)
			sched_clear_wait(t, THREAD_INTERRUPTED);
	}
}
