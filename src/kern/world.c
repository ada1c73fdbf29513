/*
 * Worlds: the clock and the ownership of the one CPU. Called by machine.c for host threads that
 * come and go, and by the scheduler.
 *
 * A host thread that enters finds the CPU free and takes it, or queues up behind those that came
 * before it; the holder lets the queue into the run queue at its next scheduling decision. The
 * mutex is held for a few instructions only, never while anything else is locked or waited for.
 */
#include <string.h>

#include "src/kern/world.h"

_Thread_local struct thread *kern_thread
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* ---- the clock ---------------------------------------------------------------------------- */

uint64_t
world_now(const struct world *w)
{
	if (w->time == CORE_TIME_VIRTUAL)
		return __atomic_load_n(&w->now, __ATOMIC_RELAXED);
	return hc_monotonic_ns() - w->epoch;
}

uint64_t
world_calendar_now(const struct world *w)
{
	if (w->time == CORE_TIME_VIRTUAL)
		return w->calendar_start + world_now(w);
	return hc_calendar_ns();
}

void
world_set_now(struct world *w, uint64_t now)
{
	if (now > w->now)
		__atomic_store_n(&w->now, now, __ATOMIC_RELAXED);
}

/* ---- the CPU ------------------------------------------------------------------------------ */

static void
set_holder(struct world *w, struct thread *t)
{
	t->state = TH_RUNNING;
	__atomic_store_n(&w->cpu, t, __ATOMIC_RELAXED);
}

void
world_take_arrivals(struct world *w)
{
	struct thread *t;

	if (!__atomic_load_n(&w->arrived, __ATOMIC_RELAXED))
		return;
	hc_mutex_lock(w->mutex);
	while ((t = TAILQ_FIRST(&w->arrivals)) != NULL) {
		TAILQ_REMOVE(&w->arrivals, t, queue);
		sched_make_runnable(t);
	}
	__atomic_store_n(&w->arrived, false, __ATOMIC_RELAXED);
	hc_mutex_unlock(w->mutex);
}

void
world_give_cpu(struct world *w, struct thread *next)
{
	set_holder(w, next);
	hc_unpark(next->parker);
}

/* With `mutex` held; who got it, to be let go on once the mutex is free. */
static struct thread *
release_locked(struct world *w)
{
	struct thread *next = TAILQ_FIRST(&w->arrivals);

	if (next != NULL) {
		TAILQ_REMOVE(&w->arrivals, next, queue);
		__atomic_store_n(&w->arrived, !TAILQ_EMPTY(&w->arrivals), __ATOMIC_RELAXED);
		set_holder(w, next);
		return next;
	}
	if (w->time == CORE_TIME_REAL)
		worker_keep_clock(w);
	__atomic_store_n(&w->cpu, NULL, __ATOMIC_RELAXED);
	return NULL;
}

void
world_release_cpu(struct world *w)
{
	struct thread *next;

	hc_mutex_lock(w->mutex);
	next = release_locked(w);
	hc_mutex_unlock(w->mutex);
	if (next != NULL)
		hc_unpark(next->parker);
}

/* With `mutex` held, which is let go. */
static void
acquire_locked(struct world *w, struct thread *t)
{
	if (__builtin_expect(__atomic_load_n(&w->cpu, __ATOMIC_RELAXED) == NULL, 1)) {
		set_holder(w, t);
		hc_mutex_unlock(w->mutex);
		return;
	}
	TAILQ_INSERT_TAIL(&w->arrivals, t, queue);
	__atomic_store_n(&w->arrived, true, __ATOMIC_RELAXED);
	hc_mutex_unlock(w->mutex);
	hc_park(t->parker, 0);
}

void
world_acquire_cpu(struct thread *t)
{
	hc_mutex_lock(t->world->mutex);
	acquire_locked(t->world, t);
}

/* ---- host threads ------------------------------------------------------------------------- */

/* A host thread that comes for the first time, or finds the spares all taken. */
static struct thread *
enter_new(struct world *w)
{
	struct thread *t = thread_alloc(w);

	if (t == NULL)
		return NULL;
	t->host_thread = true;
	world_acquire_cpu(t);
	if (thread_register(t) != 0) {
		world_leave(t, kern_thread);
		return NULL;
	}
	return t;
}

struct thread *
world_enter(struct world *w, struct nke *m)
{
	struct thread *t;

	hc_mutex_lock(w->mutex);
	t = TAILQ_FIRST(&w->spares);
	if (__builtin_expect(t != NULL, 1)) {
		TAILQ_REMOVE(&w->spares, t, queue);
		acquire_locked(w, t);
	} else {
		hc_mutex_unlock(w->mutex);
		t = enter_new(w);
		if (t == NULL)
			return NULL;
	}
	w->yields = 0;
	t->machine = m;
	m->hosts_inside++;
	kern_thread = t;
	return t;
}

void
world_leave(struct thread *t, struct thread *outer)
{
	struct world *w = t->world;
	struct thread *next;
	bool keep = t->tid != 0 && t->refcount == 1;

	if (t->machine != NULL)
		t->machine->hosts_inside--;
	t->machine = NULL;
	t->restarts = 0;
	t->state = keep ? TH_IDLE : TH_DEAD;
	next = sched_pick_on_leave(w);
	kern_thread = outer;
	if (!keep)
		kthread_release(t);
	hc_mutex_lock(w->mutex);
	if (keep)
		TAILQ_INSERT_HEAD(&w->spares, t, queue);
	if (next != NULL) {
		set_holder(w, next);
	} else {
		next = release_locked(w);
	}
	hc_mutex_unlock(w->mutex);
	if (next != NULL)
		hc_unpark(next->parker);
}

/* ---- life --------------------------------------------------------------------------------- */

int
world_create(const struct core_config *config, struct world **out)
{
	struct world *w = hc_alloc(sizeof *w);

	if (w == NULL)
		return ENOMEM;
	memset(w, 0, sizeof *w);
	w->mutex = hc_mutex_create();
	w->closer = thread_alloc(w);
	if (w->mutex == NULL || w->closer == NULL) {
		if (w->closer != NULL)
			thread_free(w->closer);
		hc_mutex_destroy(w->mutex);
		hc_free(w);
		return ENOMEM;
	}
	TAILQ_INIT(&w->arrivals);
	TAILQ_INIT(&w->spares);
	TAILQ_INIT(&w->run_queue);
	TAILQ_INIT(&w->all);
	TAILQ_INIT(&w->zombies);
	TAILQ_INIT(&w->idle_workers);
	TAILQ_INIT(&w->machines);
	TAILQ_INIT(&w->softintrs);
	for (unsigned i = 0; i < WAIT_BUCKETS; i++)
		TAILQ_INIT(&w->waiters[i]);
	w->time = config->time;
	w->next_event = UINT64_MAX;
	w->clock_deadline = UINT64_MAX;
	w->clock_awake = true;
	w->calendar_start = config->calendar_start_ns;
	w->random = config->seed;
	w->references = 1;
	if (w->time == CORE_TIME_REAL)
		w->epoch = hc_monotonic_ns();
	*out = w;
	return 0;
}

static void
world_free(struct world *w)
{
	struct thread *t;

	worker_end_all(w);
	thread_free(w->closer);
	while ((t = TAILQ_FIRST(&w->all)) != NULL)
		thread_free(t);
	hc_mutex_destroy(w->mutex);
	hc_parker_destroy(w->clock_parker);
	hc_free(w->heap);
	hc_free(w);
}

void
world_reference(struct world *w)
{
	__atomic_fetch_add(&w->references, 1, __ATOMIC_RELAXED);
}

void
world_release(struct world *w)
{
	if (__atomic_fetch_sub(&w->references, 1, __ATOMIC_ACQ_REL) == 1)
		world_free(w);
}

void
world_destroy(struct world *w)
{
	if (w != NULL)
		world_release(w);
}
