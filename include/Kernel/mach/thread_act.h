/* What can be done to a thread from outside. */
#ifndef _MACH_THREAD_ACT_H_
#define _MACH_THREAD_ACT_H_

#include <mach/mach_types.h>

__BEGIN_DECLS

/*
 * Ends a thread. For the calling thread this does not return; another thread ends when it next
 * blocks. KERN_INVALID_ARGUMENT for a null thread.
 */
kern_return_t thread_terminate(thread_t thread);
/* Accepts any known flavor and changes nothing: the machine has one CPU and no priorities. */
kern_return_t thread_policy_set(thread_t thread, thread_policy_flavor_t flavor,
    thread_policy_t info, mach_msg_type_number_t count);

__END_DECLS

#endif
