/* What belongs to a task: here, semaphores. */
#ifndef _MACH_TASK_H_
#define _MACH_TASK_H_

#include <mach/mach_types.h>

__BEGIN_DECLS

/* Makes a semaphore with `value` as its count. `task` is current_task() or kernel_task. */
kern_return_t semaphore_create(task_t task, semaphore_t *semaphore, int policy, int value);
/* Ends a semaphore; whoever waits gets KERN_TERMINATED. */
kern_return_t semaphore_destroy(task_t task, semaphore_t semaphore);

__END_DECLS

#endif
