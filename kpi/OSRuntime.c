/*
 * libkern/OSRuntime.h: the allocator behind C++'s new and delete. The operators themselves are in no
 * library, because there they would replace those of the host's programs: `nke build` puts them into
 * each kext, where they end here.
 */
#include <libkern/OSRuntime.h>

#include "src/kern/heap.h"
#include "src/kern/thread.h"

void *
kern_os_malloc(size_t size)
{
	if (size == 0)
		return NULL;
	return heap_alloc_for(curmachine(), size, 16, HEAP_ZERO, HEAP_KERN_OS,
	    __builtin_return_address(0));
}

void *
kern_os_realloc(void *addr, size_t size)
{
	void *pc = __builtin_return_address(0);

	if (size == 0) {
		heap_free_for(curmachine(), addr, HEAP_KERN_OS, pc);
		return NULL;
	}
	return heap_resize_for(curmachine(), addr, size, HEAP_ZERO, HEAP_KERN_OS, pc);
}

void
kern_os_free(void *addr)
{
	heap_free_for(curmachine(), addr, HEAP_KERN_OS, __builtin_return_address(0));
}
