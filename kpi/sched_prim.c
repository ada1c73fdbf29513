/*
 * kern/sched_prim.h: waiting for events and waking those who wait. Called by kexts; the scheduler is
 * src/kern/sched.c. From assert_wait on a wakeup counts, so none can be lost before thread_block.
 */
#include <kern/sched_prim.h>

#include "src/kern/panic.h"
#include "src/kern/sched.h"

static wait_result_t
assert_wait_until(event_t event, wait_interrupt_t interruptible, uint64_t deadline)
{
	if (event == NO_EVENT)
		kpanic("assert_wait was given no event: nobody could ever wake thread \"%s\"",
		    curthread()->name);
	return sched_assert_wait(event, deadline, interruptible != THREAD_UNINT, "assert_wait");
}

wait_result_t
assert_wait(event_t event, wait_interrupt_t interruptible)
{
	return assert_wait_until(event, interruptible, 0);
}

wait_result_t
assert_wait_deadline(event_t event, wait_interrupt_t interruptible, uint64_t deadline)
{
	return assert_wait_until(event, interruptible, deadline);
}

wait_result_t
assert_wait_deadline_with_leeway(event_t event, wait_interrupt_t interruptible,
    wait_timeout_urgency_t urgency, uint64_t deadline, uint64_t leeway)
{
	(void)urgency;
	(void)leeway;
	return assert_wait_until(event, interruptible, deadline);
}

wait_result_t
assert_wait_timeout(event_t event, wait_interrupt_t interruptible, uint32_t interval,
    uint32_t scale_factor)
{
	uint64_t deadline;

	clock_interval_to_deadline(interval, scale_factor, &deadline);
	return assert_wait_until(event, interruptible, deadline);
}

wait_result_t
assert_wait_timeout_with_leeway(event_t event, wait_interrupt_t interruptible,
    wait_timeout_urgency_t urgency, uint32_t interval, uint32_t leeway, uint32_t scale_factor)
{
	(void)urgency;
	(void)leeway;
	return assert_wait_timeout(event, interruptible, interval, scale_factor);
}

wait_result_t
thread_block_parameter(thread_continue_t continuation, void *parameter)
{
	wait_result_t result = sched_thread_block();

	if (continuation != THREAD_CONTINUE_NULL)
		kthread_continue(continuation, parameter, result);
	return result;
}

wait_result_t
thread_block(thread_continue_t continuation)
{
	return thread_block_parameter(continuation, NULL);
}

kern_return_t
thread_wakeup_prim(event_t event, boolean_t one_thread, wait_result_t result)
{
	sched_preempt_point();
	return sched_wakeup(event, one_thread, result) != 0 ? KERN_SUCCESS : KERN_NOT_WAITING;
}

kern_return_t
thread_wakeup_thread(event_t event, thread_t thread)
{
	if (thread == THREAD_NULL || thread->wait_event != event)
		return KERN_NOT_WAITING;
	sched_clear_wait(thread, THREAD_AWAKENED);
	return KERN_SUCCESS;
}

boolean_t
preemption_enabled(void)
{
	return curthread()->spins_held == 0;
}
