/*
 * The scheduler of a world: one CPU, a FIFO run queue, a clock, and the order in which things
 * happen. Deterministic: with the same calls from the same host threads the same order results.
 *
 * Work that a kernel does in soft interrupts (input queues, detaching interfaces) and at a time
 * (callouts) runs whenever the CPU would otherwise go idle or leave the world: on the thread that
 * leaves, or on a worker thread when every thread is blocked in the middle of something.
 */
#ifndef NKE_KERN_SCHED_H
#define NKE_KERN_SCHED_H

#include <kern/kern_types.h>

#include "src/kern/callout.h"
#include "src/kern/machine.h"
#include "src/kern/thread.h"

/* ---- waiting and waking ------------------------------------------------------------------- */

/*
 * Gives up the CPU until sched_wakeup(event) or the deadline (absolute ns, 0 none). `event` NULL:
 * only the deadline ends it. Returns THREAD_AWAKENED, THREAD_TIMED_OUT, THREAD_INTERRUPTED (only if
 * interruptible), or THREAD_RESTART when nothing can ever happen any more in virtual time (the
 * deadlock has been logged). Panics when a spin lock is held. `message` says in the log what is
 * waited for.
 */
wait_result_t sched_block(const void *event, uint64_t deadline, bool interruptible,
    const char *message);
/*
 * The same in two steps: from the first on a wakeup counts, the second sleeps unless it has come.
 * The first returns THREAD_WAITING, or THREAD_INTERRUPTED when the thread has been told to end.
 * The second without the first lets others run.
 */
wait_result_t sched_assert_wait(const void *event, uint64_t deadline, bool interruptible,
    const char *message);
wait_result_t sched_thread_block(void);
/* Makes the first waiter (or all) of `event` of this machine's world runnable; how many. */
unsigned sched_wakeup(const void *event, bool one, wait_result_t result);
/* Who has waited longest for `event`, NULL nobody. */
struct thread *sched_first_waiter(const void *event);
/* Ends this thread's wait, whatever it waits for; false when it does not wait. */
bool sched_clear_wait(struct thread *, wait_result_t result);
/* Lets others run first; returns when it is our turn again. */
void sched_pass(void);

/* Passes time without giving up the CPU: a busy wait. Virtual time: the clock moves. */
void sched_delay_until(uint64_t deadline);

void sched_preempt(void);
/* A point where sched=random may hand the CPU over. Cheap when it is off (one branch). */
static inline void
sched_preempt_point(void)
{
	if (__builtin_expect(curmachine()->config.sched_random, 0))
		sched_preempt();
}

/* ---- soft interrupts ---------------------------------------------------------------------- */

/* A piece of deferred work; embedded in its owner. Scheduling it twice before it ran is once. */
struct softintr {
	TAILQ_ENTRY(softintr) link;
	void (*fn)(void *);
	void *arg;
	struct nke *machine;
	bool scheduled;
	bool running;			/* its function has not returned; it is not started again */
	bool awaited;			/* somebody waits for `running` to end */
	struct thread *runner;		/* who runs it, NULL nobody */
};

void softintr_init(struct softintr *, struct nke *, void (*fn)(void *), void *arg);
/* Runs fn(arg) soon, on the CPU, not nested in the caller. */
void softintr_schedule(struct softintr *);
/* Withdraws it; when it is running on another thread, waits until it has returned. */
void softintr_cancel(struct softintr *);

/* ---- time --------------------------------------------------------------------------------- */

uint64_t world_now(const struct world *);	/* ns since the world began ("uptime") */
uint64_t world_calendar_now(const struct world *); /* ns since 1970 */

static inline uint64_t
machine_now(const struct nke *m)
{
	return world_now(m->world);
}

/*
 * For who drives the machine from the top of a call (a replay, machine_run_until): runs what is
 * pending and everything due up to and including uptime `until_ns`, in order, and leaves the clock
 * there. A few instructions when there is nothing. Real time: runs what is due now.
 */
void sched_advance(uint64_t until_ns);
/*
 * The same up to a date, for a step of at most `most` ns: false, and nothing happened, when the date is
 * further ahead.
 */
bool sched_advance_calendar(uint64_t calendar_ns, uint64_t most);
/* Virtual time: moves the calendar of the current world, not its uptime. */
void sched_set_calendar(uint64_t calendar_ns);

/* ---- kernel threads ----------------------------------------------------------------------- */

/* Starts fn(parameter, 0) as a kernel thread of the current machine; one reference for the caller. */
errno_t kthread_create(void (*fn)(void *, wait_result_t), void *parameter, struct thread **);
/* The same on behalf of a kext; `pc`: where it asked, for the ledger. */
errno_t kthread_create_from(void (*fn)(void *, wait_result_t), void *parameter, void *pc,
    struct thread **);
/*
 * Ends a kernel thread: the current one at once, without returning; another one at its next
 * interruptible sleep, which ends. EINVAL for host threads and workers.
 */
errno_t kthread_terminate(struct thread *);
/* Goes on at fn(parameter, result) with an empty stack. Kernel threads only, others panic. */
_Noreturn void kthread_continue(void (*fn)(void *, wait_result_t), void *parameter,
    wait_result_t result);
void kthread_reference(struct thread *);
void kthread_release(struct thread *);
void kthread_set_name(struct thread *, const char *name);
/* True when a thread of the world, the current one included, is inside a function of that kext. */
bool sched_inside_kext(const struct world *, const struct kext *);
/* True when the current thread is. */
bool sched_called_by_kext(const struct kext *);

#endif
