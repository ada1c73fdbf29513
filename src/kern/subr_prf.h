/* The kernel's formatter with any receiver; buffers and the log are built on it. */
#ifndef NKE_KERN_SUBR_PRF_H
#define NKE_KERN_SUBR_PRF_H

#include <stdarg.h>

/*
 * Calls put(byte, arg) for every byte of the formatted text and returns how many there were (at
 * most INT_MAX). `put` may be NULL: only count.
 */
int kformat(void (*put)(int, void *), void *arg, const char *fmt, va_list);

#endif
