/* Processors: the names of their handles only. */
#ifndef _KERN_PROCESSOR_H_
#define _KERN_PROCESSOR_H_

#include <mach/boolean.h>
#include <mach/kern_return.h>
#include <mach/mach_types.h>

#endif
