/*
 * The kernel log: everything printf, IOLog, log, os_log and the core itself say, as whole lines
 * with the machine's time and the kext that spoke.
 */
#ifndef NKE_KERN_KLOG_H
#define NKE_KERN_KLOG_H

#include <stdarg.h>

#include "src/kern/machine.h"

/* A line of the core itself. Levels are syslog's (LOG_ERR 3, LOG_WARNING 4, LOG_NOTICE 5 ...). */
void klog(struct nke *, int level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/*
 * What a kext prints: text is kept until its newline, per kext, then delivered as one line. A line
 * over 1,024 bytes is cut in pieces.
 */
void klog_vprint(struct nke *, int level, const char *fmt, va_list);
/*
 * The same, but the text is a line by itself: one record, also without a newline or with some
 * inside.
 */
void klog_vline(struct nke *, int level, const char *fmt, va_list);
/* Delivers unfinished lines (at unload, panic and destroy). */
void klog_flush(struct nke *);

/*
 * The kernel's formatter: C11's conversions except floating point and %n, plus %b (register bits)
 * and BSD's %D. Returns what it would have written, like vsnprintf; size 0 writes nothing.
 */
int kvsnprintf(char *buf, size_t size, const char *fmt, va_list);
int ksnprintf(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
