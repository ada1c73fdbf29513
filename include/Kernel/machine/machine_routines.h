/* The processor's state. Nothing interrupts a machine: a kext is never at interrupt. */
#ifndef _MACHINE_MACHINE_ROUTINES_H_
#define _MACHINE_MACHINE_ROUTINES_H_

#include <sys/cdefs.h>
#include <mach/boolean.h>
#include <mach/mach_types.h>

static inline boolean_t
ml_at_interrupt_context(void)
{
	return FALSE;
}

#endif
