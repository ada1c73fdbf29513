/* Addresses, sizes and objects of virtual memory. */
#ifndef _MACH_VM_TYPES_H_
#define _MACH_VM_TYPES_H_

#include <stdint.h>
#include <mach/machine/vm_types.h>
#include <sys/_types/_mach_port_t.h>

typedef vm_offset_t pointer_t;
typedef vm_offset_t vm_address_t;
typedef uint64_t addr64_t;
typedef uint32_t reg64_t;
typedef uint32_t ppnum_t;
#define PPNUM_MAX UINT32_MAX

typedef struct _vm_map *vm_map_t;
typedef struct vm_object *vm_object_t;
#define VM_MAP_NULL ((vm_map_t)0)
#define VM_OBJECT_NULL ((vm_object_t)0)
typedef uint64_t vm_object_offset_t;
typedef uint64_t vm_object_size_t;
typedef uint32_t upl_size_t;
typedef uint32_t upl_offset_t;

#endif
