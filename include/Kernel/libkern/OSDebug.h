/* Looking at the calling thread's own stack. None of these sleeps. */
#ifndef _LIBKERN_OSDEBUG_H_
#define _LIBKERN_OSDEBUG_H_

#include <sys/cdefs.h>
#include <mach/mach_types.h>

__BEGIN_DECLS

/* Fills bt with up to maxAddrs return addresses, the nearest first; how many there were. */
unsigned OSBacktrace(void **bt, unsigned maxAddrs);
/* The message, then the backtrace, into the machine's log. */
void OSReportWithBacktrace(const char *str, ...) __printflike(1, 2);
void OSPrintBacktrace(void);
/* Bytes left on the stack. */
vm_offset_t OSKernelStackRemaining(void);

__END_DECLS

#endif
