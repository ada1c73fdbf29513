/* The same on every architecture: see mach/machine/vm_types.h. */
#ifndef _MACH_I386_VM_TYPES_H_
#define _MACH_I386_VM_TYPES_H_

#include <mach/machine/vm_types.h>

#endif
