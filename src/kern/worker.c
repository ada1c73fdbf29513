/*
 * Workers: threads of the world that run what is due while every other thread is blocked in the
 * middle of something. They are made when first needed and kept; one whose callout blocks is as
 * blocked as any thread, and another is made.
 *
 * In real time one more, the clock keeper, sleeps outside the world until the next callout while
 * nobody is inside; it runs nothing itself.
 */
#include <string.h>

#include "src/kern/klog.h"
#include "src/kern/world.h"

/* ---- running what is due ------------------------------------------------------------------ */

bool
worker_needed(struct world *w)
{
	return softintr_pending(w) || callout_due(w) != NULL;
}

void
worker_run_pending(struct thread *t, bool on_worker)
{
	struct world *w = t->world;
	struct nke *machine = t->machine;
	struct callout *c;

	for (;;) {
		if (softintr_pending(w)) {
			softintr_run(t);
		} else if ((c = callout_due(w)) == NULL) {
			break;
		} else if (!c->threaded || on_worker) {
			callout_run(t, c);
		} else {
			struct thread *worker = worker_get(w);

			t->machine = machine;
			if (worker == NULL)
				break;
			sched_make_runnable(worker);
			sched_pass();
		}
		w->yields = 0;
		sched_check_quiet(t);
	}
	t->machine = machine;
}

static void
run_pending(void *arg)
{
	worker_run_pending(arg, true);
}

/* A panic of one machine, or its end, throws the worker out of that machine's code only. */
static void
run_pending_caught(struct thread *t)
{
	while (!hc_catch(&t->catcher, run_pending, t)) {
		t->machine = NULL;
		sched_unwound(t);
	}
}

/* ---- workers ------------------------------------------------------------------------------ */

static void
worker_main(void *arg)
{
	struct thread *t = arg;
	struct world *w = t->world;

	kern_thread = t;
	hc_park(t->parker, 0);
	while (!w->ending) {
		run_pending_caught(t);
		t->state = TH_IDLE;
		TAILQ_INSERT_HEAD(&w->idle_workers, t, queue);
		sched_switch(t);
	}
	thread_exit(t);
}

static struct thread *
worker_create(struct world *w, void (*main)(void *))
{
	struct thread *t = thread_alloc(w);

	if (t == NULL)
		return NULL;
	t->worker = true;
	if (thread_register(t) != 0 || (t->host = hc_thread_create(main, t)) == NULL) {
		thread_free(t);
		return NULL;
	}
	return t;
}

struct thread *
worker_get(struct world *w)
{
	struct thread *t = TAILQ_FIRST(&w->idle_workers);

	if (t == NULL)
		return worker_create(w, worker_main);
	TAILQ_REMOVE(&w->idle_workers, t, queue);
	return t;
}

/* ---- the clock keeper (real time) --------------------------------------------------------- */

static void
clock_main(void *arg)
{
	struct thread *t = arg;
	struct world *w = t->world;
	uint64_t deadline;

	kern_thread = t;
	for (;;) {
		hc_mutex_lock(w->mutex);
		w->clock_awake = false;
		deadline = w->clock_deadline;
		hc_mutex_unlock(w->mutex);
		hc_park(w->clock_parker, deadline < UINT64_MAX - w->epoch ? w->epoch + deadline : 0);
		hc_mutex_lock(w->mutex);
		w->clock_awake = true;
		__atomic_store_n(&w->clock_deadline, UINT64_MAX, __ATOMIC_RELAXED);
		hc_mutex_unlock(w->mutex);
		world_acquire_cpu(t);
		if (w->ending)
			break;
		/* others do what is due: it may sleep, and somebody has to keep the clock meanwhile */
		t->state = TH_IDLE;
		sched_switch_away(w);
	}
	thread_exit(t);
}

void
worker_keep_clock(struct world *w)
{
	uint64_t next = callout_next(w);

	if (next >= w->clock_deadline || w->clock_keeper == NULL)
		return;
	__atomic_store_n(&w->clock_deadline, next, __ATOMIC_RELAXED);
	if (!w->clock_awake)
		hc_unpark(w->clock_parker);
}

bool
worker_start_clock(struct world *w)
{
	if (w->clock_keeper != NULL)
		return true;
	if (w->clock_parker == NULL)
		w->clock_parker = hc_parker_create();
	if (w->clock_parker != NULL)
		w->clock_keeper = worker_create(w, clock_main);
	return w->clock_keeper != NULL;
}

/* ---- the end ------------------------------------------------------------------------------ */

static bool
workers_left(const struct world *w)
{
	struct thread *t;

	TAILQ_FOREACH(t, &w->all, all) {
		if (t->worker && t->state != TH_DEAD)
			return true;
	}
	return false;
}

/* Of the world, which has no machine any more. Called on a host thread that is not inside it. */
void
worker_end_all(struct world *w)
{
	struct thread *self = w->closer, *outer = kern_thread, *t;

	world_acquire_cpu(self);
	kern_thread = self;
	w->ending = true;
	while ((t = TAILQ_FIRST(&w->idle_workers)) != NULL) {
		TAILQ_REMOVE(&w->idle_workers, t, queue);
		sched_make_runnable(t);
	}
	if (w->clock_keeper != NULL)
		hc_unpark(w->clock_parker);
	while (workers_left(w))
		sched_pass();
	thread_reap(w);
	kern_thread = outer;
}
