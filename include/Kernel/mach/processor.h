/* Processors, of which the machine has one: its functions (processor_start and the like) are not here. */
#ifndef _MACH_PROCESSOR_H_
#define _MACH_PROCESSOR_H_

#include <mach/kern_return.h>
#include <mach/mach_types.h>
#include <mach/port.h>
#include <mach/processor_info.h>

#endif
