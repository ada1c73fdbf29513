/*
 * The kernel's little C library: printing, numbers from text, copies to and from a process. Its
 * functions are the kernel's own, never the host's.
 */
#ifndef _LIBKERN_LIBKERN_H_
#define _LIBKERN_LIBKERN_H_

#include <stdint.h>
#include <stdarg.h>
#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/appleapiopts.h>
#include <mach/vm_param.h>
#include <string.h>
#include <libkern/version.h>

static inline int
imax(int a, int b)
{
	return a > b ? a : b;
}

static inline int
imin(int a, int b)
{
	return a < b ? a : b;
}

static inline long
lmax(long a, long b)
{
	return a > b ? a : b;
}

static inline long
lmin(long a, long b)
{
	return a < b ? a : b;
}

static inline u_int
max(u_int a, u_int b)
{
	return a > b ? a : b;
}

static inline u_int
min(u_int a, u_int b)
{
	return a < b ? a : b;
}

static inline u_int32_t
ulmax(u_int32_t a, u_int32_t b)
{
	return a > b ? a : b;
}

static inline u_int32_t
ulmin(u_int32_t a, u_int32_t b)
{
	return a < b ? a : b;
}

#ifndef __cplusplus
static inline int
abs(int a)
{
	return a < 0 ? -a : a;
}
#endif

__BEGIN_DECLS

/* Into the machine's log. Formats as in C, and %b for bits by name. Never sleeps. */
int printf(const char *fmt, ...) __KERNEL_SYMBOL(printf) __printflike(1, 2);
int vprintf(const char *fmt, va_list ap) __KERNEL_SYMBOL(vprintf) __printflike(1, 0);
/* The same, to the debugger's console. */
void kprintf(const char *fmt, ...) __printflike(1, 2);
/* Return the length the whole text has, also when it was cut at size - 1. */
int snprintf(char *buf, size_t size, const char *fmt, ...)
    __KERNEL_SYMBOL(snprintf) __printflike(3, 4);
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
    __KERNEL_SYMBOL(vsnprintf) __printflike(3, 0);
int sprintf(char *buf, const char *fmt, ...) __KERNEL_SYMBOL(sprintf) __printflike(2, 3);
int vsprintf(char *buf, const char *fmt, va_list ap) __KERNEL_SYMBOL(vsprintf) __printflike(2, 0);
/* snprintf that returns what was written instead. */
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printflike(3, 4);
int vscnprintf(char *buf, size_t size, const char *fmt, va_list ap) __printflike(3, 0);
int sscanf(const char *text, const char *fmt, ...) __KERNEL_SYMBOL(sscanf) __scanflike(2, 3);
int vsscanf(const char *text, const char *fmt, va_list ap)
    __KERNEL_SYMBOL(vsscanf) __scanflike(2, 0);

long strtol(const char *text, char **end, int base) __KERNEL_SYMBOL(strtol);
u_long strtoul(const char *text, char **end, int base) __KERNEL_SYMBOL(strtoul);
quad_t strtoq(const char *text, char **end, int base) __KERNEL_SYMBOL(strtoq);
u_quad_t strtouq(const char *text, char **end, int base) __KERNEL_SYMBOL(strtouq);
/* A copy by _MALLOC: the caller's, for _FREE with the same `type`. NULL: no memory. May sleep. */
char *STRDUP(const char *string, int type);
int atoi(const char *text) __KERNEL_SYMBOL(atoi);

/* The number of the lowest and the highest bit set, from 1; 0 when there is none. */
int ffs(unsigned int mask) __KERNEL_SYMBOL(ffs);
int ffsll(unsigned long long mask) __KERNEL_SYMBOL(ffsll);
int fls(unsigned int mask) __KERNEL_SYMBOL(fls);
int flsll(unsigned long long mask) __KERNEL_SYMBOL(flsll);

/* From the machine's generator: 31 bits. */
u_int32_t random(void) __KERNEL_SYMBOL(random);
/* Sorts n elements of `size` bytes in place. */
void qsort(void *array, size_t n, size_t size, int (*compare)(const void *, const void *))
    __KERNEL_SYMBOL(qsort);
/* The CRC that zip and Ethernet use; starts with crc 0. */
uint32_t crc32(uint32_t crc, const void *buf, size_t len) __KERNEL_SYMBOL(crc32);

/*
 * Between kernel and the calling process. EFAULT for a bad address; the string ones ENAMETOOLONG
 * when no zero came within len; *done counts it. May sleep.
 */
int copyin(const user_addr_t from, void *to, vm_size_t len);
int copyinstr(const user_addr_t from, void *to, vm_size_t len, vm_size_t *done);
int copyout(const void *from, user_addr_t to, vm_size_t len);
int copyoutstr(const void *from, user_addr_t to, vm_size_t len, vm_size_t *done);
int copystr(const void *from, void *to, vm_size_t len, vm_size_t *done);

__END_DECLS

#ifndef ISSET
#define ISSET(t, f) ((t) & (f))
#define SET(t, f) ((t) |= (f))
#define CLR(t, f) ((t) &= ~(f))
#endif

#endif
