/* libkern/OSDebug.h: the calling thread's stack. */
#include <libkern/OSDebug.h>
#include <stdarg.h>

#include "src/kern/klog.h"
#include "src/kern/thread.h"

#define FRAMES		32
#define MAC_STACK	(16 * 1024)	/* bytes of a Mac's kernel stack */

unsigned
OSBacktrace(void **bt, unsigned maxAddrs)
{
	return hc_backtrace(bt, maxAddrs);
}

void
OSPrintBacktrace(void)
{
	void *pcs[FRAMES];
	char name[256];
	unsigned n = hc_backtrace(pcs, FRAMES);

	for (unsigned i = 0; i < n; i++) {
		hc_symbolize(pcs[i], name, sizeof name);
		klog(curmachine(), 5, "  %s", name);
	}
}

void
OSReportWithBacktrace(const char *str, ...)
{
	va_list ap;

	va_start(ap, str);
	klog_vline(curmachine(), 5, str, ap);
	va_end(ap);
	OSPrintBacktrace();
}

/* The host's stacks are many times a Mac's, so all of a Mac's is always left. */
vm_offset_t
OSKernelStackRemaining(void)
{
	return MAC_STACK;
}
