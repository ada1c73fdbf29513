/* Tasks' memory with 64-bit addresses: as in mach/vm_map.h, the functions are not here. */
#ifndef _MACH_MACH_VM_H_
#define _MACH_MACH_VM_H_

#include <mach/memory_object_types.h>
#include <mach/vm_map.h>
#include <mach/vm_region.h>

#endif
