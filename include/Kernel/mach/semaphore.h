/* Counting semaphores: waiting on them. They are made and destroyed in mach/task.h. */
#ifndef _MACH_SEMAPHORE_H_
#define _MACH_SEMAPHORE_H_

#include <mach/mach_types.h>

__BEGIN_DECLS

/* Wakes one waiter, or counts up. Never sleeps. */
kern_return_t semaphore_signal(semaphore_t semaphore);
/* Wakes all waiters; the count stays as it is. */
kern_return_t semaphore_signal_all(semaphore_t semaphore);
/*
 * Counts down, sleeping while the count is zero. KERN_TERMINATED when the semaphore is destroyed
 * meanwhile, KERN_ABORTED when the thread is told to end.
 */
kern_return_t semaphore_wait(semaphore_t semaphore);
/* As above, for at most `wait_time` from now; then KERN_OPERATION_TIMED_OUT. */
kern_return_t semaphore_timedwait(semaphore_t semaphore, mach_timespec_t wait_time);

__END_DECLS

#endif
