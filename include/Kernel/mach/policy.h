/* The ways of sharing the processor. The machine has one CPU and one way: each runs until it sleeps. */
#ifndef _MACH_POLICY_H_
#define _MACH_POLICY_H_

#include <mach/boolean.h>
#include <mach/machine/vm_types.h>

typedef int policy_t;
typedef integer_t *policy_info_t, *policy_base_t, *policy_limit_t;

#define POLICY_NULL 0
#define POLICY_TIMESHARE 1
#define POLICY_RR 2
#define POLICY_FIFO 4

#define invalid_policy(policy) \
	((policy) != POLICY_TIMESHARE && (policy) != POLICY_RR && (policy) != POLICY_FIFO)

#endif
