/*
 * A world: one clock, one CPU and one run queue, shared by one or more machines. The inside of the
 * scheduler; included by its own files only (world.c, sched.c, thread.c, worker.c, callout.c,
 * softintr.c, machine.c, panic.c).
 *
 * Whoever holds the CPU owns everything here except the first group, which host threads touch that
 * want in: that is guarded by `mutex`.
 */
#ifndef NKE_KERN_WORLD_H
#define NKE_KERN_WORLD_H

#include "src/kern/sched.h"
#include "src/kern/thread.h"

#define WAIT_BUCKETS	64u

struct world {
	hc_mutex_t *mutex;
	struct thread_list arrivals;	/* host threads that wait for the CPU, in order */
	struct thread_list late_spares;	/* structs for those, that are not in use */
	bool arrived;			/* `arrivals` is not empty; read without the mutex */
	bool busy;			/* somebody has the CPU; atomic, see world.c */

	/* Written by the CPU's holder, read by anyone (atomically). */
	uint64_t now;			/* virtual time: the clock */
	uint64_t next_event;		/* deadline of the first callout, UINT64_MAX none */

	enum core_time time;
	uint64_t epoch;			/* real time: hc_monotonic_ns() when the world began */
	uint64_t calendar_start;	/* virtual time */
	bool clock_held;		/* virtual time: passes in sched_advance only */
	uint32_t references;		/* machines, and whoever made it */
	bool ending;			/* workers: leave */
	struct thread *closer;		/* who ends the workers, made in advance */

	struct thread_list spares;	/* host threads' structs that are not in use */
	struct thread_list run_queue;
	struct thread_list all;
	struct thread_list zombies;	/* ended, to be joined; linked by `queue` */
	struct thread_list idle_workers;
	TAILQ_HEAD(, nke) machines;
	struct thread_list waiters[WAIT_BUCKETS];
	unsigned waiting;		/* threads on `waiters` */
	unsigned hosts_waiting;		/* host threads that are blocked */
	unsigned others_runnable;	/* threads on the run queue that are not host threads */
	unsigned yields;		/* in a row, with nothing else happening */
	bool sched_random;
	uint64_t random;		/* state of sched=random */
	uint64_t machines_made;		/* so far, those that have gone included */
	uint64_t next_tid;
	unsigned threads;		/* on `all` */

	TAILQ_HEAD(, softintr) softintrs;
	struct callout **heap;		/* 1-based */
	uint32_t heap_count, heap_capacity;
	uint32_t overdue;		/* callouts that are to go back on the heap */
	uint64_t next_order;

	struct thread *clock_keeper;	/* real time: the worker that waits for `next_event` */
	hc_parker_t *clock_parker;
	uint64_t clock_deadline;	/* what it waits for; written under `mutex`, read by anyone */
	bool clock_awake;		/* it will look at that again; guarded by `mutex` */
};

/* After this many yields in a row the world counts as idle: it is only being polled. */
#define YIELDS_ARE_IDLE	1000u

/* ---- world.c ------------------------------------------------------------------------------ */

/* Takes the CPU for this host thread, as a thread of `m`. NULL: no memory. */
struct thread *world_enter(struct world *, struct nke *);
/* Gives it up; `outer` becomes current again. */
void world_leave(struct thread *, struct thread *outer);
void world_take_arrivals(struct world *);
/* Makes `next` the holder and lets it go on. */
void world_give_cpu(struct world *, struct thread *next);
/* Nobody of this world wants the CPU: the next to arrive gets it. */
void world_release_cpu(struct world *);
/* Waits for the CPU like a host thread that arrives. */
void world_acquire_cpu(struct thread *);
void world_set_now(struct world *, uint64_t now);
void world_reference(struct world *);
void world_release(struct world *);

/* ---- sched.c ------------------------------------------------------------------------------ */

void sched_make_runnable(struct thread *);
/* Hands the CPU to whoever is next; returns when `self` has it again. */
void sched_switch(struct thread *self);
/* The same without coming back: the caller's host thread ends. */
void sched_switch_away(struct world *);
/* For a host thread that leaves: who is to have the CPU, taken off its queue; NULL: nobody wants it. */
struct thread *sched_pick_on_leave(struct world *);
/* Leaves the stack when the machine has died under the thread. */
void sched_check_unwind(struct thread *);
/* Panics when the thread said that it waits, but never blocked: its call, or its work, is over. */
void sched_check_quiet(struct thread *);
/* Forgets what the thread was waiting for and holding: it has been thrown, or it ends. */
void sched_unwound(struct thread *);
/* Runs what is due and lets kernel threads run, until all is quiet or only polling goes on. */
void sched_settle(struct thread *);
/* Every thread in `m` that is blocked leaves by hc_throw. */
void sched_throw_all(struct nke *);

/* ---- callout.c and softintr.c ------------------------------------------------------------- */

/* Room for one more thread's timer. */
errno_t callout_reserve(struct world *);
uint64_t callout_next(const struct world *);
/* Arms a timer or callout for which there is room. */
void callout_insert(struct world *, struct callout *, uint64_t deadline);
/*
 * What is due at the head of the heap. Timers on the way are fired. NULL: nothing, or only that.
 * A callout that is still running is marked overdue and passed over.
 */
struct callout *callout_due(struct world *);
void callout_run(struct thread *, struct callout *);
/* Takes those of a machine out. */
void callout_forget(struct world *, const struct nke *);

static inline bool
softintr_pending(const struct world *w)
{
	return !TAILQ_EMPTY(&w->softintrs);
}
void softintr_run(struct thread *);
void softintr_forget(struct world *, const struct nke *);

/* ---- thread.c and worker.c ---------------------------------------------------------------- */

/* A struct with a parker, not yet one of the world's threads. */
struct thread *thread_alloc(struct world *);
/* Makes it one. ENOMEM. Needs the CPU. */
errno_t thread_register(struct thread *);
void thread_free(struct thread *);
/* Joins and frees threads that have ended. */
void thread_reap(struct world *);
/* Ends all kernel threads of a machine that is going down. */
void thread_unwind_machine(struct nke *);
/* Ends the calling host thread's life as a thread of the world. */
void thread_exit(struct thread *);

/* A worker to hand the CPU to; NULL when the host has no more threads. */
struct thread *worker_get(struct world *);
/* Runs what is pending; `on_worker` tells whether threaded callouts may run here. */
void worker_run_pending(struct thread *, bool on_worker);
/* Something is pending that a worker, or a leaving thread, has to run. Fires due timers. */
bool worker_needed(struct world *);
/* Real time, the CPU goes idle: somebody must wake up for the next callout. `mutex` is held. */
void worker_keep_clock(struct world *);
/* Real time: makes sure that there is a clock keeper; false when there can be none. Needs the CPU. */
bool worker_start_clock(struct world *);
void worker_end_all(struct world *);

#endif
