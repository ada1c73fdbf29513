/*
 * Atomic operations. Those on a number return what was there before. The macros below let any
 * integer or pointer of the right width be passed, and refuse another width.
 */
#ifndef _LIBKERN_OSATOMIC_H_
#define _LIBKERN_OSATOMIC_H_

#include <libkern/OSBase.h>
#include <libkern/OSTypes.h>
#include <stdint.h>

typedef SInt32 OSSpinLock;
#define OS_SPINLOCK_INIT 0

__BEGIN_DECLS

/* Stores newValue if *address is oldValue; true when stored. */
Boolean OSCompareAndSwap(UInt32 oldValue, UInt32 newValue, volatile UInt32 *address);
Boolean OSCompareAndSwap64(UInt64 oldValue, UInt64 newValue, volatile UInt64 *address);
Boolean OSCompareAndSwapPtr(void *oldValue, void *newValue, void *volatile *address);

SInt64 OSAddAtomic64(SInt64 amount, volatile SInt64 *address);
SInt32 OSAddAtomic(SInt32 amount, volatile SInt32 *address);
SInt16 OSAddAtomic16(SInt32 amount, volatile SInt16 *address);
SInt8 OSAddAtomic8(SInt32 amount, volatile SInt8 *address);
long OSAddAtomicLong(long amount, volatile long *address);

SInt64 OSIncrementAtomic64(volatile SInt64 *address);
SInt32 OSIncrementAtomic(volatile SInt32 *address);
SInt16 OSIncrementAtomic16(volatile SInt16 *address);
SInt8 OSIncrementAtomic8(volatile SInt8 *address);
SInt64 OSDecrementAtomic64(volatile SInt64 *address);
SInt32 OSDecrementAtomic(volatile SInt32 *address);
SInt16 OSDecrementAtomic16(volatile SInt16 *address);
SInt8 OSDecrementAtomic8(volatile SInt8 *address);

UInt32 OSBitAndAtomic(UInt32 mask, volatile UInt32 *address);
UInt16 OSBitAndAtomic16(UInt32 mask, volatile UInt16 *address);
UInt8 OSBitAndAtomic8(UInt32 mask, volatile UInt8 *address);
UInt32 OSBitOrAtomic(UInt32 mask, volatile UInt32 *address);
UInt16 OSBitOrAtomic16(UInt32 mask, volatile UInt16 *address);
UInt8 OSBitOrAtomic8(UInt32 mask, volatile UInt8 *address);
UInt32 OSBitXorAtomic(UInt32 mask, volatile UInt32 *address);
UInt16 OSBitXorAtomic16(UInt32 mask, volatile UInt16 *address);
UInt8 OSBitXorAtomic8(UInt32 mask, volatile UInt8 *address);

/* Bit 0 is the highest of the first byte. True when the bit was already as asked. */
Boolean OSTestAndSet(UInt32 bit, volatile UInt8 *startAddress);
Boolean OSTestAndClear(UInt32 bit, volatile UInt8 *startAddress);

/*
 * A stack of elements without a lock: *listHead is the newest (NULL: none), and each element has a pointer to
 * the next at elementNextFieldOffset. Dequeue takes the newest, or gives NULL; an element must stay readable
 * as long as others may be at it.
 */
void *OSDequeueAtomic(void *volatile *listHead, SInt32 elementNextFieldOffset);
void OSEnqueueAtomic(void *volatile *listHead, void *element, SInt32 elementNextFieldOffset);

/* Everything written before is seen before what is written after. */
void OSSynchronizeIO(void);

__END_DECLS

static inline long
OSIncrementAtomicLong(volatile long *address)
{
	return OSAddAtomicLong(1L, address);
}

static inline long
OSDecrementAtomicLong(volatile long *address)
{
	return OSAddAtomicLong(-1L, address);
}

#define OSMemoryBarrier() OSSynchronizeIO()

/* The pointer as one to `type`; an object of another size is an array of negative length. */
#define __OSATOMIC(type, p) \
	((volatile type *)(p) + 0 * sizeof(char[sizeof(*(p)) == sizeof(type) ? 1 : -1]))

#ifndef NKE_CORE
#define OSCompareAndSwap(o, n, p) \
	(OSCompareAndSwap)((UInt32)(o), (UInt32)(n), __OSATOMIC(UInt32, p))
#define OSCompareAndSwap64(o, n, p) \
	(OSCompareAndSwap64)((UInt64)(o), (UInt64)(n), __OSATOMIC(UInt64, p))
#define OSCompareAndSwapPtr(o, n, p) \
	(OSCompareAndSwapPtr)((void *)(o), (void *)(n), \
	    (void *volatile *)(p) + 0 * sizeof(char[sizeof(*(p)) == sizeof(void *) ? 1 : -1]))
#define OSAddAtomic64(n, p) (OSAddAtomic64)((SInt64)(n), __OSATOMIC(SInt64, p))
#define OSAddAtomic(n, p) (OSAddAtomic)((SInt32)(n), __OSATOMIC(SInt32, p))
#define OSAddAtomic16(n, p) (OSAddAtomic16)((SInt32)(n), __OSATOMIC(SInt16, p))
#define OSAddAtomic8(n, p) (OSAddAtomic8)((SInt32)(n), __OSATOMIC(SInt8, p))
#define OSAddAtomicLong(n, p) (OSAddAtomicLong)((long)(n), __OSATOMIC(long, p))
#define OSIncrementAtomic64(p) (OSIncrementAtomic64)(__OSATOMIC(SInt64, p))
#define OSIncrementAtomic(p) (OSIncrementAtomic)(__OSATOMIC(SInt32, p))
#define OSIncrementAtomic16(p) (OSIncrementAtomic16)(__OSATOMIC(SInt16, p))
#define OSIncrementAtomic8(p) (OSIncrementAtomic8)(__OSATOMIC(SInt8, p))
#define OSIncrementAtomicLong(p) (OSIncrementAtomicLong)(__OSATOMIC(long, p))
#define OSDecrementAtomic64(p) (OSDecrementAtomic64)(__OSATOMIC(SInt64, p))
#define OSDecrementAtomic(p) (OSDecrementAtomic)(__OSATOMIC(SInt32, p))
#define OSDecrementAtomic16(p) (OSDecrementAtomic16)(__OSATOMIC(SInt16, p))
#define OSDecrementAtomic8(p) (OSDecrementAtomic8)(__OSATOMIC(SInt8, p))
#define OSDecrementAtomicLong(p) (OSDecrementAtomicLong)(__OSATOMIC(long, p))
#define OSBitAndAtomic(m, p) (OSBitAndAtomic)((UInt32)(m), __OSATOMIC(UInt32, p))
#define OSBitAndAtomic16(m, p) (OSBitAndAtomic16)((UInt32)(m), __OSATOMIC(UInt16, p))
#define OSBitAndAtomic8(m, p) (OSBitAndAtomic8)((UInt32)(m), __OSATOMIC(UInt8, p))
#define OSBitOrAtomic(m, p) (OSBitOrAtomic)((UInt32)(m), __OSATOMIC(UInt32, p))
#define OSBitOrAtomic16(m, p) (OSBitOrAtomic16)((UInt32)(m), __OSATOMIC(UInt16, p))
#define OSBitOrAtomic8(m, p) (OSBitOrAtomic8)((UInt32)(m), __OSATOMIC(UInt8, p))
#define OSBitXorAtomic(m, p) (OSBitXorAtomic)((UInt32)(m), __OSATOMIC(UInt32, p))
#define OSBitXorAtomic16(m, p) (OSBitXorAtomic16)((UInt32)(m), __OSATOMIC(UInt16, p))
#define OSBitXorAtomic8(m, p) (OSBitXorAtomic8)((UInt32)(m), __OSATOMIC(UInt8, p))
#endif

#endif
