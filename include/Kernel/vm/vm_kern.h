/* Kernel memory by the page, as old sources take it. */
#ifndef _VM_VM_KERN_H_
#define _VM_VM_KERN_H_

#include <sys/cdefs.h>
#include <mach/mach_types.h>
#include <mach/boolean.h>
#include <mach/kern_return.h>

__BEGIN_DECLS

extern vm_map_t kernel_map;

/* Zeroed memory in whole pages, or KERN_RESOURCE_SHORTAGE. `map` is kernel_map. May sleep. */
kern_return_t kmem_alloc(vm_map_t map, vm_offset_t *addrp, vm_size_t size);
void kmem_free(vm_map_t map, vm_offset_t addr, vm_size_t size);

__END_DECLS

#endif
