/*
 * kern/kalloc.h: allocating by size, and busy waiting, for kexts that declare these functions by
 * themselves. Inside the core the first two names are other functions (src/kern/heap.h), which have to
 * step aside in this file.
 */
#define kalloc	core_kalloc
#define kfree	core_kfree
#include "src/kern/heap.h"
#include "src/kern/sched.h"
#undef kalloc
#undef kfree

#include <kern/kalloc.h>

#define NS_PER_US	1000u

void *
kalloc(vm_size_t size)
{
	return heap_alloc_for(curmachine(), size, 16, 0, HEAP_KALLOC, __builtin_return_address(0));
}

void
kfree(void *data, vm_size_t size)
{
	heap_free_sized_for(curmachine(), data, size, HEAP_KALLOC, __builtin_return_address(0));
}

void
delay(int usec)
{
	if (usec > 0)
		sched_delay_until(machine_now(curmachine()) + (uint64_t)usec * NS_PER_US);
}
