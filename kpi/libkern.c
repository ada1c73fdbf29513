/*
 * libkern/libkern.h: printing, bits, copies between the kernel and a process. Numbers from text
 * are in strtol.c and scanf.c.
 *
 * Processes and kernel share one address space here, so a copy is a memcpy; the first page and
 * ranges that run past the end of the address space are bad addresses, as in a process.
 */
#include <libkern/libkern.h>
#include <sys/errno.h>

#include "src/kern/klog.h"
#include "src/kern/thread.h"

#define LEVEL_PRINTF	5		/* LOG_NOTICE */
#define LEVEL_DEBUG	7
#define FIRST_PAGE	4096

/* ---- printing ----------------------------------------------------------------------------- */

int
vprintf(const char *fmt, va_list ap)
{
	klog_vprint(curmachine(), LEVEL_PRINTF, fmt, ap);
	return 0;
}

int
printf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	klog_vprint(curmachine(), LEVEL_PRINTF, fmt, ap);
	va_end(ap);
	return 0;
}

void
kprintf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	klog_vprint(curmachine(), LEVEL_DEBUG, fmt, ap);
	va_end(ap);
}

int
vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	return kvsnprintf(buf, size, fmt, ap);
}

int
snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kvsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

int
vsprintf(char *buf, const char *fmt, va_list ap)
{
	return kvsnprintf(buf, SIZE_MAX, fmt, ap);
}

int
sprintf(char *buf, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kvsnprintf(buf, SIZE_MAX, fmt, ap);
	va_end(ap);
	return n;
}

int
vscnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	int n = kvsnprintf(buf, size, fmt, ap);

	if (size == 0)
		return 0;
	return (size_t)n < size ? n : (int)(size - 1);
}

int
scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vscnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

/* ---- bits --------------------------------------------------------------------------------- */

int
ffs(unsigned int mask)
{
	return mask == 0 ? 0 : __builtin_ctz(mask) + 1;
}

int
ffsll(unsigned long long mask)
{
	return mask == 0 ? 0 : __builtin_ctzll(mask) + 1;
}

int
fls(unsigned int mask)
{
	return mask == 0 ? 0 : 32 - __builtin_clz(mask);
}

int
flsll(unsigned long long mask)
{
	return mask == 0 ? 0 : 64 - __builtin_clzll(mask);
}

/* IEEE 802.3's polynomial, bits reversed; four bits at a time. */
uint32_t
crc32(uint32_t crc, const void *buf, size_t len)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158,
		0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4,
		0xa00ae278, 0xbdbdf21c,
	};
	const uint8_t *p = buf;

	crc = ~crc;
	while (len-- > 0) {
		crc ^= *p++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

/* ---- sorting ------------------------------------------------------------------------------ */

static void
swap_bytes(char *a, char *b, size_t size)
{
	for (; size > 0; size--, a++, b++) {
		char c = *a;

		*a = *b;
		*b = c;
	}
}

/* Lets the element at `root` sink to its place in a heap of n elements. */
static void
sift_down(char *array, size_t root, size_t n, size_t size,
    int (*compare)(const void *, const void *))
{
	for (;;) {
		size_t child = root * 2 + 1;

		if (child >= n)
			return;
		if (child + 1 < n && compare(array + child * size, array + (child + 1) * size) < 0)
			child++;
		if (compare(array + root * size, array + child * size) >= 0)
			return;
		swap_bytes(array + root * size, array + child * size, size);
		root = child;
	}
}

/* A heap sort: no recursion, no memory, n log n also for hostile orders. */
void
qsort(void *array, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	char *base = array;

	for (size_t i = n / 2; i > 0; i--)
		sift_down(base, i - 1, n, size, compare);
	for (size_t last = n; last > 1; last--) {
		swap_bytes(base, base + (last - 1) * size, size);
		sift_down(base, 0, last - 1, size, compare);
	}
}

/* ---- to and from a process ---------------------------------------------------------------- */

static bool
bad_range(user_addr_t start, vm_size_t len)
{
	return start < FIRST_PAGE || start + len < start;
}

int
copyin(const user_addr_t from, void *to, vm_size_t len)
{
	if (len == 0)
		return 0;
	if (bad_range(from, len))
		return EFAULT;
	memcpy(to, (const void *)(uintptr_t)from, len);
	return 0;
}

int
copyout(const void *from, user_addr_t to, vm_size_t len)
{
	if (len == 0)
		return 0;
	if (bad_range(to, len))
		return EFAULT;
	memcpy((void *)(uintptr_t)to, from, len);
	return 0;
}

/*
 * *done (when asked for) counts the final zero; without one within len: ENAMETOOLONG, len copied.
 */
int
copystr(const void *from, void *to, vm_size_t len, vm_size_t *done)
{
	vm_size_t n = strnlen(from, len);
	int error = n == len ? ENAMETOOLONG : 0;

	if (error == 0)
		n++;
	memcpy(to, from, n);
	if (done != NULL)
		*done = n;
	return error;
}

int
copyinstr(const user_addr_t from, void *to, vm_size_t len, vm_size_t *done)
{
	return bad_range(from, 1) ? EFAULT : copystr((const void *)(uintptr_t)from, to, len, done);
}

int
copyoutstr(const void *from, user_addr_t to, vm_size_t len, vm_size_t *done)
{
	return bad_range(to, 1) ? EFAULT : copystr(from, (void *)(uintptr_t)to, len, done);
}
