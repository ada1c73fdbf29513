/*
 * IOKit/IOLib.h and vm/vm_kern.h: memory by families, each with its own free; sleeping, threads,
 * names.
 *
 * A block's heap tag is the family it came from, so that a free of another family is named.
 */
#include <IOKit/IOLib.h>
#include <kern/clock.h>
#include <kern/thread.h>
#include <mach/vm_param.h>
#include <mach/thread_act.h>
#include <string.h>
#include <vm/vm_kern.h>

#include "src/kern/heap.h"
#include "src/kern/klog.h"
#include "src/kern/kpi_rule.h"
#include "src/kern/panic.h"
#include "src/kern/sched.h"

#define LEVEL_IOLOG	5
#define NS_PER_MS	1000000u

/* ---- memory ------------------------------------------------------------------------------- */

static const char by_malloc[] = "IOMalloc";
static const char by_aligned[] = "IOMallocAligned";
static const char by_pageable[] = "IOMallocPageable";
static const char by_kmem[] = "kmem_alloc";

static void *
family_alloc(const char *family, size_t size, size_t align, int flags, void *pc)
{
	void *p;

	if (size == 0)
		return NULL;
	if ((align & (align - 1)) != 0)
		kpanic("%s: the alignment %zu is no power of two", family, align);
	p = heap_alloc_for(curmachine(), size, align, flags, HEAP_IOMALLOC, pc);
	if (p != NULL)
		heap_set_tag(p, family);
	return p;
}

static void
family_free(const char *family, const char *function, void *p, size_t size, void *pc)
{
	struct nke *m = curmachine();
	const char *its;

	if (p == NULL)
		return;
	heap_check(m, p, HEAP_IOMALLOC, pc);
	its = heap_tag(p);
	if (its != family)
		kpanic("%s: the block %p of %zu bytes was allocated with %s", function, p, heap_size(p),
		    its);
	heap_free_sized_for(m, p, size, HEAP_IOMALLOC, pc);
}

void *
IOMalloc(vm_size_t size)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return family_alloc(by_malloc, size, 16, 0, __builtin_return_address(0));
}

void *
IOMallocZero(vm_size_t size)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return family_alloc(by_malloc, size, 16, HEAP_ZERO, __builtin_return_address(0));
}

void
IOFree(void *address, vm_size_t size)
{
	family_free(by_malloc, "IOFree", address, size, __builtin_return_address(0));
}

void *
IOMallocAligned(vm_size_t size, vm_offset_t alignment)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return family_alloc(by_aligned, size, alignment, 0, __builtin_return_address(0));
}

void
IOFreeAligned(void *address, vm_size_t size)
{
	family_free(by_aligned, "IOFreeAligned", address, size, __builtin_return_address(0));
}

void *
IOMallocPageable(vm_size_t size, vm_size_t alignment)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return family_alloc(by_pageable, size, alignment > PAGE_SIZE ? alignment : PAGE_SIZE, 0,
	    __builtin_return_address(0));
}

void
IOFreePageable(void *address, vm_size_t size)
{
	family_free(by_pageable, "IOFreePageable", address, size, __builtin_return_address(0));
}

kern_return_t
kmem_alloc(vm_map_t map, vm_offset_t *addrp, vm_size_t size)
{
	void *p;

	(void)map;
	if (size == 0 || size > round_page(size))
		return KERN_INVALID_ARGUMENT;
	p = family_alloc(by_kmem, round_page(size), PAGE_SIZE, HEAP_ZERO,
	    __builtin_return_address(0));
	if (p == NULL)
		return KERN_RESOURCE_SHORTAGE;
	*addrp = (vm_offset_t)p;
	return KERN_SUCCESS;
}

void
kmem_free(vm_map_t map, vm_offset_t addr, vm_size_t size)
{
	(void)map;
	family_free(by_kmem, "kmem_free", (void *)addr, round_page(size),
	    __builtin_return_address(0));
}

/* ---- time --------------------------------------------------------------------------------- */

/* Nobody wakes it: the event is this call's own. */
static void
sleep_ns(uint64_t ns)
{
	char event;

	sched_block(&event, machine_now(curmachine()) + ns, false, "IOSleep");
}

void
IOSleep(unsigned milliseconds)
{
	if (milliseconds == 0)
		sched_pass();
	else
		sleep_ns((uint64_t)milliseconds * NS_PER_MS);
}

void
IOSleepWithLeeway(unsigned intervalMilliseconds, unsigned leewayMilliseconds)
{
	(void)leewayMilliseconds;
	IOSleep(intervalMilliseconds);
}

void
IODelay(unsigned microseconds)
{
	clock_delay_until(machine_now(curmachine()) + (uint64_t)microseconds * 1000);
}

void
IOPause(unsigned nanoseconds)
{
	clock_delay_until(machine_now(curmachine()) + nanoseconds);
}

/* ---- threads ------------------------------------------------------------------------------ */

IOThread
IOCreateThread(IOThreadFunc function, void *argument)
{
	thread_t thread;

	/*
	 * A thread's function gets a wait result behind its argument, which IOKit's do not look
	 * at.
	 */
	if (kernel_thread_start((thread_continue_t)(void (*)(void))function, argument, &thread) !=
	    KERN_SUCCESS)
		return NULL;
	thread_deallocate(thread);
	return thread;
}

void
IOExitThread(void)
{
	thread_terminate(current_thread());
	kpanic("IOExitThread: the thread went on");
}

/* ---- the log ------------------------------------------------------------------------------ */

void
IOLogv(const char *format, va_list ap)
{
	klog_vprint(curmachine(), LEVEL_IOLOG, format, ap);
}

void
IOLog(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	klog_vprint(curmachine(), LEVEL_IOLOG, format, ap);
	va_end(ap);
}

/* ---- names and numbers -------------------------------------------------------------------- */

/* The text for an unknown value lives until the machine's next one. */
const char *
IOFindNameForValue(int value, const IONamedValue *namedValueArray)
{
	struct nke *m = curmachine();

	for (; namedValueArray->name != NULL; namedValueArray++)
		if (namedValueArray->value == value)
			return namedValueArray->name;
	ksnprintf(m->unknown_name, sizeof m->unknown_name, "0x%x (UNDEFINED)", value);
	return m->unknown_name;
}

IOReturn
IOFindValueForName(const char *string, const IONamedValue *regValueArray, int *value)
{
	for (; regValueArray->name != NULL; regValueArray++) {
		if (strcmp(regValueArray->name, string) != 0)
			continue;
		*value = regValueArray->value;
		return kIOReturnSuccess;
	}
	return kIOReturnBadArgument;
}

IOAlignment
IOSizeToAlignment(unsigned int size)
{
	return size == 0 ? 0 : (IOAlignment)fls(size - 1);
}

unsigned int
IOAlignmentToSize(IOAlignment align)
{
	return align < 32 ? 1u << align : 0;
}

IOFixed
IOFixedMultiply(IOFixed a, IOFixed b)
{
	return (IOFixed)((int64_t)a * b >> 16);
}

IOFixed
IOFixedDivide(IOFixed a, IOFixed b)
{
	if (b == 0)
		kpanic("IOFixedDivide: division by zero");
	return (IOFixed)((int64_t)a * 65536 / b);
}
