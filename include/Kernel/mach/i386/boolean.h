/* The same on every architecture: see mach/machine/boolean.h. */
#ifndef _MACH_I386_BOOLEAN_H_
#define _MACH_I386_BOOLEAN_H_

#include <mach/machine/boolean.h>

#endif
