/* Rounding to pages, and casts between integers and pointers of any width. */
#ifndef _MACH_VM_PARAM_H_
#define _MACH_VM_PARAM_H_

#include <mach/machine/vm_param.h>
#include <mach/vm_types.h>

#define CAST_DOWN(type, addr) ((type)((uintptr_t)(addr)))
#define CAST_DOWN_EXPLICIT(type, addr) ((type)((uintptr_t)(addr)))
#define CAST_UP(type, addr) ((type)((uintptr_t)(addr)))

#define atop(x) ((vm_address_t)(x) >> PAGE_SHIFT)
#define ptoa(x) ((vm_address_t)(x) << PAGE_SHIFT)
#define atop_32(x) ((uint32_t)(x) >> PAGE_SHIFT)
#define ptoa_32(x) ((uint32_t)(x) << PAGE_SHIFT)
#define atop_64(x) ((uint64_t)(x) >> PAGE_SHIFT)
#define ptoa_64(x) ((uint64_t)(x) << PAGE_SHIFT)

#define round_page_32(x) (((uint32_t)(x) + PAGE_MASK) & ~((uint32_t)PAGE_MASK))
#define trunc_page_32(x) ((uint32_t)(x) & ~((uint32_t)PAGE_MASK))
#define round_page_64(x) (((uint64_t)(x) + PAGE_MASK) & ~((uint64_t)PAGE_MASK))
#define trunc_page_64(x) ((uint64_t)(x) & ~((uint64_t)PAGE_MASK))
#define round_page(x) (((vm_offset_t)(x) + PAGE_MASK) & ~((vm_offset_t)PAGE_MASK))
#define trunc_page(x) ((vm_offset_t)(x) & ~((vm_offset_t)PAGE_MASK))
#define page_aligned(x) (((x) & PAGE_MASK) == 0)
#define round_msg(x) (((vm_offset_t)(x) + 3) & ~(vm_offset_t)3)

__BEGIN_DECLS

/* How much memory the machine believes it has, in bytes. */
extern uint64_t max_mem __KERNEL_SYMBOL(max_mem);
extern uint64_t mem_size __KERNEL_SYMBOL(mem_size);

__END_DECLS

#endif
