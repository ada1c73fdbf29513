/*
 * What can be said about a task's memory. A machine has one address space, its own: the functions on maps
 * (vm_allocate, vm_protect, vm_remap and their like) are not here. Memory by the page is in vm/vm_kern.h.
 */
#ifndef _MACH_VM_MAP_H_
#define _MACH_VM_MAP_H_

#include <mach/kern_return.h>
#include <mach/mach_types.h>
#include <mach/port.h>
#include <mach/std_types.h>
#include <mach/vm_attributes.h>
#include <mach/vm_behavior.h>
#include <mach/vm_inherit.h>
#include <mach/vm_prot.h>
#include <mach/vm_statistics.h>
#include <mach/vm_sync.h>
#include <mach/vm_types.h>

#endif
