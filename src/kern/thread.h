/*
 * Threads of a machine and who of them has the CPU.
 *
 * A `struct thread` is either a kernel thread (kernel_thread_start), a worker of the world, which
 * runs callouts and soft interrupts while every other thread is blocked, or a host thread while it is
 * inside a machine. Exactly one thread of a world runs core or kext code at a time; the CPU changes
 * hands in sched_block() and when its holder leaves.
 */
#ifndef NKE_KERN_THREAD_H
#define NKE_KERN_THREAD_H

#include <kern/kern_types.h>

#include "src/kern/callout.h"
#include "src/kern/ledger.h"
#include "src/kern/machine.h"

struct gate_frame;
struct softintr;

enum thread_state { TH_RUNNING, TH_RUNNABLE, TH_WAITING, TH_IDLE, TH_DEAD };

/* Why a thread left its stack in a hurry (hc_throw). */
enum thread_throw { THROW_PANIC, THROW_TERMINATE, THROW_CONTINUE };

/* A thread calls from one machine into another of the world: what it has left waiting there. */
struct away {
	const struct gate_frame *gate;
	const struct away *outer;
};

struct thread {
	struct nke *machine;		/* the machine whose code it runs */
	struct gate_frame *gate;	/* innermost call into a kext, NULL in the core's own code */
	const struct away *away;	/* the calls into kexts of machines it came from, innermost first */
	void *catcher;			/* innermost hc_catch, for panics */
	uint16_t locks_held;		/* lck_mtx + lck_rw + lck_spin, for the gate's check */
	uint16_t spins_held;		/* lck_spin alone: must be 0 to sleep */
	uint8_t funnel;			/* the one it holds (kpi/funnel.c), 0 none */
	uint32_t injecting;		/* inject.h: how often what it processes was injected */
	bool host_thread;		/* entered through the host API */
	bool late;			/* its struct is for those that find the CPU taken */
	bool worker;			/* belongs to the world, not to a machine */
	bool interruptible;
	bool asserted;			/* said what it waits for, has not blocked yet */
	bool doomed;			/* told to end; does so at its next interruptible sleep */
	bool exempt;			/* takes the machine down: not thrown out of it */
	bool named;			/* by its owner */

	struct world *world;
	TAILQ_ENTRY(thread) queue;	/* the run queue, the arrivals or the spares */
	TAILQ_ENTRY(thread) wait_link;	/* the waiters of `wait_event`'s bucket */
	TAILQ_ENTRY(thread) all;	/* the world's threads */
	enum thread_state state;
	wait_result_t wait_result;
	const void *wait_event;		/* NULL: waits for nothing */
	const void *wait_lock;		/* the lock it waits for, NULL none */
	uint8_t wait_mode;		/* enum lock_mode: how it wants the lock */
	const char *wait_message;	/* what a deadlock report says it waits for */
	uint64_t wait_deadline;		/* absolute ns of the world's clock, 0 none */
	struct callout timer;		/* ends the wait at its deadline */
	unsigned restarts;		/* waits in a row that could not end */
	uint64_t parked_ticks;		/* hc_ticks() that it has spent without the CPU */
	struct callout *current_callout;	/* the one it runs, NULL: none or ended by itself */
	struct softintr *current_softintr;

	uint32_t refcount;
	uint64_t tid;
	char name[64];
	struct nke *home;		/* kernel threads: the machine they belong to */
	struct kext *owner;		/* the kext that started it, NULL for the core's own */
	struct ledger_entry ledger;	/* while it lives */
	enum thread_throw thrown;
	hc_parker_t *parker;
	hc_thread_t *host;		/* kernel threads and workers only */
	void (*start)(void *, wait_result_t);
	void *parameter;
	void *uthread;			/* reserved for the socket layer's per-thread state */
};

TAILQ_HEAD(thread_list, thread);

/*
 * The thread running on this host thread, NULL outside any machine. This is the one thread-local
 * variable of the core: it stands for the CPU register that holds it on a real machine.
 */
extern _Thread_local struct thread *kern_thread
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

static inline struct thread *
curthread(void)
{
	return kern_thread;
}

static inline struct nke *
curmachine(void)
{
	return kern_thread->machine;
}

#endif
