/* Kernel threads. A thread_t that a call returns or fills in may come with a reference. */
#ifndef _KERN_THREAD_H_
#define _KERN_THREAD_H_

#include <sys/cdefs.h>
#include <mach/kern_return.h>
#include <mach/mach_types.h>
#include <mach/message.h>
#include <mach/boolean.h>
#include <mach/vm_param.h>
#include <mach/thread_act.h>
#include <kern/kern_types.h>

struct thread;

/* The funnels, 10.1's big locks: see kpi/legacy. */
typedef struct funnel_lock funnel_t;

__BEGIN_DECLS

/* The calling thread, no reference taken. */
thread_t current_thread(void);
/*
 * Starts a thread at continuation(parameter, THREAD_AWAKENED). *new_thread has a reference for the
 * caller, to be dropped by thread_deallocate. It may not run before the caller blocks or returns.
 * A continuation that returns ends its thread.
 */
kern_return_t kernel_thread_start(thread_continue_t continuation, void *parameter,
    thread_t *new_thread);
void thread_reference(thread_t thread);
void thread_deallocate(thread_t thread);
/* A number no other thread of this machine ever has. */
uint64_t thread_tid(thread_t thread);
/* The name is copied, up to 63 characters. */
void thread_set_thread_name(thread_t thread, const char *name);
boolean_t thread_has_thread_name(thread_t thread);

/* 10.1 to 10.3: starts a thread that has no reference to drop. */
thread_t kernel_thread(task_t task, void (*start)(void));
thread_t current_act(void);
/* Takes (TRUE) or leaves a funnel; returns what the caller had, to be put back later. */
boolean_t thread_funnel_set(funnel_t *fnl, boolean_t funneled);
funnel_t *thread_funnel_get(void);

__END_DECLS

#endif
