/* Reading and writing swapped integers at any address, aligned or not. */
#ifndef _LIBKERN_MACHINE_OSBYTEORDER_H_
#define _LIBKERN_MACHINE_OSBYTEORDER_H_

#include <stdint.h>
#include <libkern/OSBase.h>
#include <libkern/i386/_OSByteOrder.h>

#define __OS_RW(bits, put, get) \
	OS_INLINE uint##bits##_t \
	OSReadSwapInt##bits(const volatile void *base, uintptr_t byteOffset) \
	{ \
		return __builtin_bswap##bits(get(base, byteOffset)); \
	} \
	OS_INLINE void \
	OSWriteSwapInt##bits(volatile void *base, uintptr_t byteOffset, uint##bits##_t data) \
	{ \
		put(base, byteOffset, __builtin_bswap##bits(data)); \
	}

#define __OS_PLAIN(bits) \
	struct __os_unaligned##bits { \
		uint##bits##_t v; \
	} __attribute__((__packed__, __may_alias__)); \
	OS_INLINE uint##bits##_t \
	_OSReadInt##bits(const volatile void *base, uintptr_t byteOffset) \
	{ \
		return ((const volatile struct __os_unaligned##bits *)((uintptr_t)base + \
		    byteOffset))->v; \
	} \
	OS_INLINE void \
	_OSWriteInt##bits(volatile void *base, uintptr_t byteOffset, uint##bits##_t data) \
	{ \
		((volatile struct __os_unaligned##bits *)((uintptr_t)base + byteOffset))->v = data; \
	} \
	__OS_RW(bits, _OSWriteInt##bits, _OSReadInt##bits)

__OS_PLAIN(16)
__OS_PLAIN(32)
__OS_PLAIN(64)

#undef __OS_PLAIN
#undef __OS_RW

#endif
