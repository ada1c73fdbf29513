/* Zones: the handle's name only. Memory is had from libkern/OSMalloc.h, sys/malloc.h or IOKit/IOLib.h. */
#ifndef _KERN_ZALLOC_H_
#define _KERN_ZALLOC_H_

#include <sys/cdefs.h>
#include <mach/boolean.h>
#include <mach/machine/vm_types.h>
#include <kern/kern_types.h>

typedef struct zone *zone_t;
#define ZONE_NULL ((zone_t)0)

#endif
