/*
 * sys/malloc.h: BSD's allocator. The machine has one CPU and a fixed limit, so there is nothing
 * to wait for: NULL comes at once, with M_WAITOK too, when the limit is reached or a failure is
 * injected.
 */
#include <libkern/libkern.h>
#include <string.h>
#include <sys/malloc.h>

#include "src/kern/heap.h"
#include "src/kern/kpi_rule.h"
#include "src/kern/thread.h"

static int
heap_flags(int flags)
{
	return flags & M_ZERO ? HEAP_ZERO : 0;
}

/* No bytes, no block: an interface fact. */
void *
_MALLOC(size_t size, int type, int flags)
{
	if (!(flags & M_NOWAIT))
		KPI_RULES(KPI_SLEEPS, NULL);
	(void)type;
	if (size == 0)
		return NULL;
	return heap_alloc_for(curmachine(), size, 16, heap_flags(flags), HEAP_MALLOC,
	    __builtin_return_address(0));
}

char *
STRDUP(const char *string, int type)
{
	size_t size = strlen(string) + 1;
	char *copy;

	KPI_RULES(KPI_SLEEPS, NULL);
	(void)type;
	copy = heap_alloc_for(curmachine(), size, 16, 0, HEAP_MALLOC, __builtin_return_address(0));
	return copy != NULL ? memcpy(copy, string, size) : NULL;
}

void
_FREE(void *addr, int type)
{
	(void)type;
	heap_free_for(curmachine(), addr, HEAP_MALLOC, __builtin_return_address(0));
}

void *
_REALLOC(void *addr, size_t size, int type, int flags)
{
	void *pc = __builtin_return_address(0);

	(void)type;
	if (size == 0) {
		heap_free_for(curmachine(), addr, HEAP_MALLOC, pc);
		return NULL;
	}
	return heap_resize_for(curmachine(), addr, size, heap_flags(flags), HEAP_MALLOC, pc);
}

void *
_MALLOC_ZONE(size_t size, int type, int flags)
{
	if (!(flags & M_NOWAIT))
		KPI_RULES(KPI_SLEEPS, NULL);
	(void)type;
	return heap_alloc_for(curmachine(), size, 16, heap_flags(flags), HEAP_MALLOC,
	    __builtin_return_address(0));
}

void
_FREE_ZONE(void *elem, size_t size, int type)
{
	(void)type;
	heap_free_sized_for(curmachine(), elem, size, HEAP_MALLOC, __builtin_return_address(0));
}
