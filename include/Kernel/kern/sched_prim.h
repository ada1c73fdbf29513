/* Waiting and waking by event, the plain way: assert_wait says for what, thread_block sleeps. */
#ifndef _KERN_SCHED_PRIM_H_
#define _KERN_SCHED_PRIM_H_

#include <stdint.h>
#include <sys/cdefs.h>
#include <mach/mach_types.h>
#include <mach/boolean.h>
#include <kern/kern_types.h>
#include <kern/clock.h>
#include <kern/thread.h>

__BEGIN_DECLS

/*
 * Sleeps until what assert_wait named happens, and says how it ended. With a continuation the
 * thread goes on there, on an empty stack, and this does not return.
 */
wait_result_t thread_block(thread_continue_t continuation);
wait_result_t thread_block_parameter(thread_continue_t continuation, void *parameter);

/* THREAD_WAITING, or THREAD_INTERRUPTED when told to end. The timed ones are one shot. */
wait_result_t assert_wait(event_t event, wait_interrupt_t interruptible);
wait_result_t assert_wait_timeout(event_t event, wait_interrupt_t interruptible,
    uint32_t interval, uint32_t scale_factor);
wait_result_t assert_wait_timeout_with_leeway(event_t event, wait_interrupt_t interruptible,
    wait_timeout_urgency_t urgency, uint32_t interval, uint32_t leeway, uint32_t scale_factor);
wait_result_t assert_wait_deadline(event_t event, wait_interrupt_t interruptible,
    uint64_t deadline);
wait_result_t assert_wait_deadline_with_leeway(event_t event, wait_interrupt_t interruptible,
    wait_timeout_urgency_t urgency, uint64_t deadline, uint64_t leeway);

/* Wakes whoever waits for the event, or only the first. KERN_NOT_WAITING when nobody does. */
kern_return_t thread_wakeup_prim(event_t event, boolean_t one_thread, wait_result_t result);
/* Wakes this one thread, if it waits for this event. */
kern_return_t thread_wakeup_thread(event_t event, thread_t thread);

/* FALSE under a spin lock. */
boolean_t preemption_enabled(void);

__END_DECLS

#define thread_wakeup(event) thread_wakeup_prim((event), FALSE, THREAD_AWAKENED)
#define thread_wakeup_with_result(event, result) thread_wakeup_prim((event), FALSE, (result))
#define thread_wakeup_one(event) thread_wakeup_prim((event), TRUE, THREAD_AWAKENED)

#endif
