/* The one task of the kernel. */
#ifndef _KERN_TASK_H_
#define _KERN_TASK_H_

#include <sys/cdefs.h>
#include <mach/mach_types.h>
#include <kern/kern_types.h>

__BEGIN_DECLS

extern task_t kernel_task;
/* The task of the process on whose behalf the thread runs; no reference is taken. */
task_t current_task(void);

__END_DECLS

#endif
