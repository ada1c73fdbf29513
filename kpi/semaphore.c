/*
 * mach/semaphore.h and mach/task.h: counting semaphores. A thread that waits holds a reference,
 * so a semaphore may be destroyed under it.
 */
#include <mach/semaphore.h>
#include <mach/task.h>

#include "src/kern/heap.h"
#include "src/kern/panic.h"
#include "src/kern/sched.h"

#define SEMAPHORE_LIVE	UINT32_C(0x5e3af0ed)

struct semaphore {
	uint32_t magic;
	uint32_t refs;			/* its maker and every waiter */
	int count;
	bool destroyed;
};

static void
release(struct semaphore *s)
{
	if (--s->refs > 0)
		return;
	s->magic = 0;
	heap_free(curmachine(), s, HEAP_SEMAPHORE);
}

static void
check(const char *function, const struct semaphore *s)
{
	if (s->magic != SEMAPHORE_LIVE)
		kpanic("%s: %p is no semaphore, or was destroyed", function, (const void *)s);
}

kern_return_t
semaphore_create(task_t task, semaphore_t *semaphore, int policy, int value)
{
	struct semaphore *s;

	(void)task;
	if (semaphore == NULL || value < 0 || policy < SYNC_POLICY_FIFO || policy > SYNC_POLICY_MAX)
		return KERN_INVALID_ARGUMENT;
	s = heap_alloc_for(curmachine(), sizeof *s, 16, HEAP_ZERO, HEAP_SEMAPHORE,
	    __builtin_return_address(0));
	if (s == NULL)
		return KERN_RESOURCE_SHORTAGE;
	s->magic = SEMAPHORE_LIVE;
	s->refs = 1;
	s->count = value;
	*semaphore = s;
	return KERN_SUCCESS;
}

kern_return_t
semaphore_destroy(task_t task, semaphore_t semaphore)
{
	(void)task;
	if (semaphore == SEMAPHORE_NULL)
		return KERN_INVALID_ARGUMENT;
	check("semaphore_destroy", semaphore);
	if (semaphore->destroyed)
		return KERN_TERMINATED;
	semaphore->destroyed = true;
	sched_wakeup(semaphore, false, THREAD_AWAKENED);
	release(semaphore);
	return KERN_SUCCESS;
}

kern_return_t
semaphore_signal(semaphore_t semaphore)
{
	if (semaphore == SEMAPHORE_NULL)
		return KERN_INVALID_ARGUMENT;
	check("semaphore_signal", semaphore);
	if (semaphore->destroyed)
		return KERN_TERMINATED;
	/*
	 * The wake-up itself is what the waiter takes: the count only keeps what nobody waited
	 * for.
	 */
	if (sched_wakeup(semaphore, true, THREAD_AWAKENED) == 0)
		semaphore->count++;
	return KERN_SUCCESS;
}

kern_return_t
semaphore_signal_all(semaphore_t semaphore)
{
	if (semaphore == SEMAPHORE_NULL)
		return KERN_INVALID_ARGUMENT;
	check("semaphore_signal_all", semaphore);
	if (semaphore->destroyed)
		return KERN_TERMINATED;
	sched_wakeup(semaphore, false, THREAD_AWAKENED);
	return KERN_SUCCESS;
}

static kern_return_t
wait_until(semaphore_t s, uint64_t deadline, const char *function)
{
	wait_result_t result;
	bool destroyed;

	if (s == SEMAPHORE_NULL)
		return KERN_INVALID_ARGUMENT;
	check(function, s);
	if (s->destroyed)
		return KERN_TERMINATED;
	if (s->count > 0) {
		s->count--;
		return KERN_SUCCESS;
	}
	if (deadline != 0 && deadline <= machine_now(curmachine()))
		return KERN_OPERATION_TIMED_OUT;
	s->refs++;
	result = sched_block(s, deadline, true, function);
	destroyed = s->destroyed;
	release(s);
	if (destroyed)
		return KERN_TERMINATED;
	switch (result) {
	case THREAD_AWAKENED:
		return KERN_SUCCESS;
	case THREAD_TIMED_OUT:
		return KERN_OPERATION_TIMED_OUT;
	default:
		return KERN_ABORTED;
	}
}

kern_return_t
semaphore_wait(semaphore_t semaphore)
{
	return wait_until(semaphore, 0, "semaphore_wait");
}

kern_return_t
semaphore_timedwait(semaphore_t semaphore, mach_timespec_t wait_time)
{
	uint64_t ns = (uint64_t)wait_time.tv_sec * 1000000000 + (uint64_t)wait_time.tv_nsec;
	uint64_t deadline;

	if (wait_time.tv_nsec < 0 || wait_time.tv_nsec >= 1000000000)
		return KERN_INVALID_VALUE;
	/* No time at all is a time in the past, also at uptime 0. */
	deadline = machine_now(curmachine()) + ns;
	return wait_until(semaphore, deadline != 0 ? deadline : 1, "semaphore_timedwait");
}
