/* Memory that a pager fills: the names of its handles only. */
#ifndef _MACH_MEMORY_OBJECT_TYPES_H_
#define _MACH_MEMORY_OBJECT_TYPES_H_

#include <mach/port.h>
#include <mach/message.h>
#include <mach/vm_prot.h>
#include <mach/vm_types.h>

typedef unsigned long long memory_object_offset_t;
typedef unsigned long long memory_object_size_t;
typedef natural_t memory_object_cluster_size_t;

typedef struct memory_object *memory_object_t;
typedef struct memory_object_control *memory_object_control_t;
#define MEMORY_OBJECT_NULL ((memory_object_t)0)
#define MEMORY_OBJECT_CONTROL_NULL ((memory_object_control_t)0)

typedef struct upl *upl_t;
typedef struct upl_page_info upl_page_info_t;

#endif
