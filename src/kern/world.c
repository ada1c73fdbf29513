/*
 * Worlds: the clock and the ownership of the one CPU. Called by machine.c for host threads that
 * come and go, and by the scheduler.
 *
 * A host thread that enters finds the CPU free and takes it, or queues up behind those that came
 * before it; the holder lets the queue into the run queue at its next scheduling decision. The
 * mutex is held for a few instructions only, never while anything else is locked or waited for.
 *
 * Taking a free CPU and letting go of one that nobody waits for is one atomic instruction each, on
 * `busy`. Whoever lets go clears `busy`, then looks at `arrived`; whoever arrives sets `arrived`,
 * then tries `busy`; as both are sequentially consistent one of them sees the other, and hands over
 * under the mutex.
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

static inline bool
try_take(struct world *w)
{
	bool idle = false;

	return __atomic_compare_exchange_n(&w->busy, &idle, true, false, __ATOMIC_SEQ_CST,
	    __ATOMIC_RELAXED);
}

/* With `mutex` held: the first of the queue gets the CPU if it is free. NULL: it is not, or nobody. */
static struct thread *
admit_locked(struct world *w)
{
	struct thread *t = TAILQ_FIRST(&w->arrivals);

	if (t == NULL || !try_take(w))
		return NULL;
	TAILQ_REMOVE(&w->arrivals, t, queue);
	__atomic_store_n(&w->arrived, !TAILQ_EMPTY(&w->arrivals), __ATOMIC_SEQ_CST);
	t->state = TH_RUNNING;
	return t;
}

static __attribute__((noinline)) void
admit(struct world *w)
{
	struct thread *next;

	hc_mutex_lock(w->mutex);
	next = admit_locked(w);
	hc_mutex_unlock(w->mutex);
	if (next != NULL)
		hc_unpark(next->parker);
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
	(void)w;
	next->state = TH_RUNNING;
	hc_unpark(next->parker);
}

static __attribute__((noinline)) void
keep_clock(struct world *w)
{
	hc_mutex_lock(w->mutex);
	worker_keep_clock(w);
	hc_mutex_unlock(w->mutex);
}

void
world_release_cpu(struct world *w)
{
	/* A deadline that the clock keeper has just given up is no harm: it is about to come in. */
	if (w->time == CORE_TIME_REAL && w->clock_keeper != NULL &&
	    callout_next(w) < __atomic_load_n(&w->clock_deadline, __ATOMIC_RELAXED))
		keep_clock(w);
	__atomic_store_n(&w->busy, false, __ATOMIC_SEQ_CST);
	if (__builtin_expect(__atomic_load_n(&w->arrived, __ATOMIC_SEQ_CST), 0))
		admit(w);
}

void
world_acquire_cpu(struct thread *t)
{
	struct world *w = t->world;
	struct thread *first;

	hc_mutex_lock(w->mutex);
	TAILQ_INSERT_TAIL(&w->arrivals, t, queue);
	__atomic_store_n(&w->arrived, true, __ATOMIC_SEQ_CST);
	first = admit_locked(w);
	hc_mutex_unlock(w->mutex);
	if (first == t)
		return;
	if (first != NULL)
		hc_unpark(first->parker);
	hc_park(t->parker, 0);
}

/* ---- host threads ------------------------------------------------------------------------- */

/* The caller has the CPU: a struct for it. NULL: no memory, and the CPU is let go. */
static __attribute__((noinline)) struct thread *
enter_new(struct world *w)
{
	struct thread *t = thread_alloc(w);

	if (t != NULL) {
		t->host_thread = true;
		if (thread_register(t) == 0)
			return t;
		thread_free(t);
	}
	world_release_cpu(w);
	return NULL;
}

/* The CPU is taken: waits for it, with a struct that needs no CPU to be had. */
static __attribute__((noinline)) struct thread *
enter_late(struct world *w)
{
	struct thread *t;

	hc_mutex_lock(w->mutex);
	t = TAILQ_FIRST(&w->late_spares);
	if (t != NULL)
		TAILQ_REMOVE(&w->late_spares, t, queue);
	hc_mutex_unlock(w->mutex);
	if (t == NULL) {
		t = thread_alloc(w);
		if (t == NULL)
			return NULL;
		t->host_thread = true;
		t->late = true;
	}
	world_acquire_cpu(t);
	if (t->tid == 0 && thread_register(t) != 0) {
		world_leave(t, kern_thread);
		return NULL;
	}
	return t;
}

struct thread *
world_enter(struct world *w, struct nke *m)
{
	struct thread *t;

	if (__builtin_expect(!__atomic_load_n(&w->arrived, __ATOMIC_RELAXED) && try_take(w), 1)) {
		t = TAILQ_FIRST(&w->spares);
		if (__builtin_expect(t != NULL, 1))
			TAILQ_REMOVE(&w->spares, t, queue);
		else
			t = enter_new(w);
	} else {
		t = enter_late(w);
	}
	if (__builtin_expect(t == NULL, 0))
		return NULL;
	t->state = TH_RUNNING;
	w->yields = 0;
	t->machine = m;
	m->hosts_inside++;
	kern_thread = t;
	return t;
}

/* Puts the struct where the next one to come finds it. */
static inline void
keep_struct(struct world *w, struct thread *t)
{
	if (__builtin_expect(!t->late, 1)) {
		TAILQ_INSERT_HEAD(&w->spares, t, queue);
		return;
	}
	hc_mutex_lock(w->mutex);
	TAILQ_INSERT_HEAD(&w->late_spares, t, queue);
	hc_mutex_unlock(w->mutex);
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
	t->funnel = 0;
	t->restarts = 0;
	t->state = keep ? TH_IDLE : TH_DEAD;
	next = sched_pick_on_leave(w);
	kern_thread = outer;
	if (keep)
		keep_struct(w, t);
	else
		kthread_release(t);
	if (next != NULL)
		world_give_cpu(w, next);
	else
		world_release_cpu(w);
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
	TAILQ_INIT(&w->late_spares);
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
	w->sched_random = config->sched_random;
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
