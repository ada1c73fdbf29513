/*
 * libkern/OSAtomic.h: sequentially consistent operations, by the compiler. A machine has one CPU,
 * but a kext may share memory with host threads that are not in it.
 */
#include <libkern/OSAtomic.h>
#include <stdbool.h>
#include <stddef.h>

Boolean
OSCompareAndSwap(UInt32 oldValue, UInt32 newValue, volatile UInt32 *address)
{
	return __atomic_compare_exchange_n(address, &oldValue, newValue, 0, __ATOMIC_SEQ_CST,
	    __ATOMIC_SEQ_CST);
}

Boolean
OSCompareAndSwap64(UInt64 oldValue, UInt64 newValue, volatile UInt64 *address)
{
	return __atomic_compare_exchange_n(address, &oldValue, newValue, 0, __ATOMIC_SEQ_CST,
	    __ATOMIC_SEQ_CST);
}

Boolean
OSCompareAndSwapPtr(void *oldValue, void *newValue, void *volatile *address)
{
	return __atomic_compare_exchange_n(address, &oldValue, newValue, 0, __ATOMIC_SEQ_CST,
	    __ATOMIC_SEQ_CST);
}

SInt64
OSAddAtomic64(SInt64 amount, volatile SInt64 *address)
{
	return __atomic_fetch_add(address, amount, __ATOMIC_SEQ_CST);
}

SInt64
OSIncrementAtomic64(volatile SInt64 *address)
{
	return __atomic_fetch_add(address, 1, __ATOMIC_SEQ_CST);
}

SInt64
OSDecrementAtomic64(volatile SInt64 *address)
{
	return __atomic_fetch_sub(address, 1, __ATOMIC_SEQ_CST);
}

void
OSSynchronizeIO(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

long
OSAddAtomicLong(long amount, volatile long *address)
{
	return __atomic_fetch_add(address, amount, __ATOMIC_SEQ_CST);
}

/* Each function takes the amount or mask in 32 bits, whatever the width. */
#define ADD(type, suffix)							\
	type									\
	OSAddAtomic##suffix(SInt32 amount, volatile type *address)		\
	{									\
		return __atomic_fetch_add(address, (type)amount, __ATOMIC_SEQ_CST);	\
	}									\
	type									\
	OSIncrementAtomic##suffix(volatile type *address)			\
	{									\
		return __atomic_fetch_add(address, (type)1, __ATOMIC_SEQ_CST);	\
	}									\
	type									\
	OSDecrementAtomic##suffix(volatile type *address)			\
	{									\
		return __atomic_fetch_sub(address, (type)1, __ATOMIC_SEQ_CST);	\
	}

#define BITS(type, suffix, name, operation)					\
	type									\
	OSBit##name##Atomic##suffix(UInt32 mask, volatile type *address)	\
	{									\
		return __atomic_fetch_##operation(address, (type)mask, __ATOMIC_SEQ_CST); \
	}

ADD(SInt32, )
ADD(SInt16, 16)
ADD(SInt8, 8)
BITS(UInt32, , And, and)
BITS(UInt16, 16, And, and)
BITS(UInt8, 8, And, and)
BITS(UInt32, , Or, or)
BITS(UInt16, 16, Or, or)
BITS(UInt8, 8, Or, or)
BITS(UInt32, , Xor, xor)
BITS(UInt16, 16, Xor, xor)
BITS(UInt8, 8, Xor, xor)

/* Bits are counted from the highest of the first byte. */
static UInt8
bit_mask(UInt32 bit)
{
	return (UInt8)(0x80 >> (bit & 7));
}

Boolean
OSTestAndSet(UInt32 bit, volatile UInt8 *startAddress)
{
	UInt8 mask = bit_mask(bit);

	return (__atomic_fetch_or(startAddress + bit / 8, mask, __ATOMIC_SEQ_CST) & mask) != 0;
}

Boolean
OSTestAndClear(UInt32 bit, volatile UInt8 *startAddress)
{
	UInt8 mask = bit_mask(bit);

	return (__atomic_fetch_and(startAddress + bit / 8, (UInt8)~mask, __ATOMIC_SEQ_CST) &
	    mask) == 0;
}

/* ---- stacks ------------------------------------------------------------------------------- */

static void **
next_of(void *element, SInt32 offset)
{
	return (void **)(void *)((char *)element + offset);
}

void *
OSDequeueAtomic(void *volatile *listHead, SInt32 elementNextFieldOffset)
{
	void *first = __atomic_load_n(listHead, __ATOMIC_SEQ_CST);

	while (first != NULL && !__atomic_compare_exchange_n(listHead, &first,
	    *next_of(first, elementNextFieldOffset), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		continue;
	return first;
}

void
OSEnqueueAtomic(void *volatile *listHead, void *element, SInt32 elementNextFieldOffset)
{
	void **next = next_of(element, elementNextFieldOffset);

	*next = __atomic_load_n(listHead, __ATOMIC_SEQ_CST);
	while (!__atomic_compare_exchange_n(listHead, next, element, false, __ATOMIC_SEQ_CST,
	    __ATOMIC_SEQ_CST))
		continue;
}
