/* The words of thread_switch, which a kernel thread does not call: kern/sched_prim.h has thread_block. */
#ifndef _MACH_THREAD_SWITCH_H_
#define _MACH_THREAD_SWITCH_H_

#include <mach/boolean.h>
#include <mach/kern_return.h>
#include <mach/mach_types.h>
#include <mach/message.h>

#define SWITCH_OPTION_NONE 0
#define SWITCH_OPTION_DEPRESS 1
#define SWITCH_OPTION_WAIT 2

#define valid_switch_option(opt) ((opt) >= SWITCH_OPTION_NONE && (opt) <= SWITCH_OPTION_WAIT)

#endif
