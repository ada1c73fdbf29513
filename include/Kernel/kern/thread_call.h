/*
 * Thread calls: a function called later, once per entering, on one of the machine's threads. It may
 * sleep. An entry belongs to its allocator until thread_call_free.
 */
#ifndef _KERN_THREAD_CALL_H_
#define _KERN_THREAD_CALL_H_

#include <stdint.h>
#include <sys/cdefs.h>
#include <mach/mach_types.h>
#include <kern/clock.h>

struct thread_call;
typedef struct thread_call *thread_call_t;
typedef void *thread_call_param_t;
typedef void (*thread_call_func_t)(thread_call_param_t param0, thread_call_param_t param1);

/* All priorities run alike here. */
typedef enum {
	THREAD_CALL_PRIORITY_HIGH = 0,
	THREAD_CALL_PRIORITY_KERNEL = 1,
	THREAD_CALL_PRIORITY_USER = 2,
	THREAD_CALL_PRIORITY_LOW = 3,
	THREAD_CALL_PRIORITY_KERNEL_HIGH = 4
} thread_call_priority_t;

enum {
	THREAD_CALL_OPTIONS_ONCE = 0x00000001
};
typedef uint32_t thread_call_options_t;

__BEGIN_DECLS

/* NULL only without memory. `param0` is passed to every call of func. */
thread_call_t thread_call_allocate(thread_call_func_t func, thread_call_param_t param0);
thread_call_t thread_call_allocate_with_priority(thread_call_func_t func,
    thread_call_param_t param0, thread_call_priority_t pri);
/* THREAD_CALL_OPTIONS_ONCE: never again while running, so that cancel_wait can be relied on. */
thread_call_t thread_call_allocate_with_options(thread_call_func_t func,
    thread_call_param_t param0, thread_call_priority_t pri, thread_call_options_t options);
/* FALSE, and nothing freed, while the entry is pending. */
boolean_t thread_call_free(thread_call_t call);

/* TRUE when the entry was pending already: it then only moves. `deadline` is an absolute time. */
boolean_t thread_call_enter(thread_call_t call);
boolean_t thread_call_enter1(thread_call_t call, thread_call_param_t param1);
boolean_t thread_call_enter_delayed(thread_call_t call, uint64_t deadline);
boolean_t thread_call_enter1_delayed(thread_call_t call, thread_call_param_t param1,
    uint64_t deadline);

/* TRUE when it was pending and now is not. A call already running goes on. */
boolean_t thread_call_cancel(thread_call_t call);
/* As above, and sleeps until a running call is over. Not from within the call itself. */
boolean_t thread_call_cancel_wait(thread_call_t call);
/* Pending or running. */
boolean_t thread_call_isactive(thread_call_t call);

__END_DECLS

#endif
