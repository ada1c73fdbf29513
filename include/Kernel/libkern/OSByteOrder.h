/* Bytes between the host's order and a named one: swapping values, reading and writing memory. */
#ifndef _LIBKERN_OSBYTEORDER_H_
#define _LIBKERN_OSBYTEORDER_H_

#include <libkern/_OSByteOrder.h>
#include <libkern/machine/OSByteOrder.h>

#define OSSwapConstInt16(x) __DARWIN_OSSwapConstInt16(x)
#define OSSwapConstInt32(x) __DARWIN_OSSwapConstInt32(x)
#define OSSwapConstInt64(x) __DARWIN_OSSwapConstInt64(x)
#define OSSwapInt16(x) __DARWIN_OSSwapInt16(x)
#define OSSwapInt32(x) __DARWIN_OSSwapInt32(x)
#define OSSwapInt64(x) __DARWIN_OSSwapInt64(x)

enum { OSUnknownByteOrder, OSLittleEndian, OSBigEndian };

OS_INLINE int32_t
OSHostByteOrder(void)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return OSBigEndian;
#else
	return OSLittleEndian;
#endif
}

#define OSReadInt16(base, offset) _OSReadInt16(base, offset)
#define OSReadInt32(base, offset) _OSReadInt32(base, offset)
#define OSReadInt64(base, offset) _OSReadInt64(base, offset)
#define OSWriteInt16(base, offset, data) _OSWriteInt16(base, offset, data)
#define OSWriteInt32(base, offset, data) _OSWriteInt32(base, offset, data)
#define OSWriteInt64(base, offset, data) _OSWriteInt64(base, offset, data)

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__

#define OSReadBigInt(x, y) OSReadBigInt32(x, y)
#define OSWriteBigInt(x, y, z) OSWriteBigInt32(x, y, z)
#define OSReadLittleInt(x, y) OSReadLittleInt32(x, y)
#define OSWriteLittleInt(x, y, z) OSWriteLittleInt32(x, y, z)

#define OSReadBigInt16(base, offset) _OSReadInt16(base, offset)
#define OSReadBigInt32(base, offset) _OSReadInt32(base, offset)
#define OSReadBigInt64(base, offset) _OSReadInt64(base, offset)
#define OSWriteBigInt16(base, offset, data) _OSWriteInt16(base, offset, data)
#define OSWriteBigInt32(base, offset, data) _OSWriteInt32(base, offset, data)
#define OSWriteBigInt64(base, offset, data) _OSWriteInt64(base, offset, data)
#define OSReadLittleInt16(base, offset) OSReadSwapInt16(base, offset)
#define OSReadLittleInt32(base, offset) OSReadSwapInt32(base, offset)
#define OSReadLittleInt64(base, offset) OSReadSwapInt64(base, offset)
#define OSWriteLittleInt16(base, offset, data) OSWriteSwapInt16(base, offset, data)
#define OSWriteLittleInt32(base, offset, data) OSWriteSwapInt32(base, offset, data)
#define OSWriteLittleInt64(base, offset, data) OSWriteSwapInt64(base, offset, data)

#define OSSwapHostToBigConstInt16(x) (x)
#define OSSwapHostToBigConstInt32(x) (x)
#define OSSwapHostToBigConstInt64(x) (x)
#define OSSwapHostToLittleConstInt16(x) OSSwapConstInt16(x)
#define OSSwapHostToLittleConstInt32(x) OSSwapConstInt32(x)
#define OSSwapHostToLittleConstInt64(x) OSSwapConstInt64(x)
#define OSSwapHostToBigInt16(x) ((uint16_t)(x))
#define OSSwapHostToBigInt32(x) ((uint32_t)(x))
#define OSSwapHostToBigInt64(x) ((uint64_t)(x))
#define OSSwapHostToLittleInt16(x) OSSwapInt16(x)
#define OSSwapHostToLittleInt32(x) OSSwapInt32(x)
#define OSSwapHostToLittleInt64(x) OSSwapInt64(x)

#else

#define OSReadBigInt(x, y) OSReadBigInt32(x, y)
#define OSWriteBigInt(x, y, z) OSWriteBigInt32(x, y, z)
#define OSReadLittleInt(x, y) OSReadLittleInt32(x, y)
#define OSWriteLittleInt(x, y, z) OSWriteLittleInt32(x, y, z)

#define OSReadBigInt16(base, offset) OSReadSwapInt16(base, offset)
#define OSReadBigInt32(base, offset) OSReadSwapInt32(base, offset)
#define OSReadBigInt64(base, offset) OSReadSwapInt64(base, offset)
#define OSWriteBigInt16(base, offset, data) OSWriteSwapInt16(base, offset, data)
#define OSWriteBigInt32(base, offset, data) OSWriteSwapInt32(base, offset, data)
#define OSWriteBigInt64(base, offset, data) OSWriteSwapInt64(base, offset, data)
#define OSReadLittleInt16(base, offset) _OSReadInt16(base, offset)
#define OSReadLittleInt32(base, offset) _OSReadInt32(base, offset)
#define OSReadLittleInt64(base, offset) _OSReadInt64(base, offset)
#define OSWriteLittleInt16(base, offset, data) _OSWriteInt16(base, offset, data)
#define OSWriteLittleInt32(base, offset, data) _OSWriteInt32(base, offset, data)
#define OSWriteLittleInt64(base, offset, data) _OSWriteInt64(base, offset, data)

#define OSSwapHostToBigConstInt16(x) OSSwapConstInt16(x)
#define OSSwapHostToBigConstInt32(x) OSSwapConstInt32(x)
#define OSSwapHostToBigConstInt64(x) OSSwapConstInt64(x)
#define OSSwapHostToLittleConstInt16(x) (x)
#define OSSwapHostToLittleConstInt32(x) (x)
#define OSSwapHostToLittleConstInt64(x) (x)
#define OSSwapHostToBigInt16(x) OSSwapInt16(x)
#define OSSwapHostToBigInt32(x) OSSwapInt32(x)
#define OSSwapHostToBigInt64(x) OSSwapInt64(x)
#define OSSwapHostToLittleInt16(x) ((uint16_t)(x))
#define OSSwapHostToLittleInt32(x) ((uint32_t)(x))
#define OSSwapHostToLittleInt64(x) ((uint64_t)(x))

#endif

/* The way back is the same way. */
#define OSSwapBigToHostConstInt16(x) OSSwapHostToBigConstInt16(x)
#define OSSwapBigToHostConstInt32(x) OSSwapHostToBigConstInt32(x)
#define OSSwapBigToHostConstInt64(x) OSSwapHostToBigConstInt64(x)
#define OSSwapLittleToHostConstInt16(x) OSSwapHostToLittleConstInt16(x)
#define OSSwapLittleToHostConstInt32(x) OSSwapHostToLittleConstInt32(x)
#define OSSwapLittleToHostConstInt64(x) OSSwapHostToLittleConstInt64(x)
#define OSSwapBigToHostInt16(x) OSSwapHostToBigInt16(x)
#define OSSwapBigToHostInt32(x) OSSwapHostToBigInt32(x)
#define OSSwapBigToHostInt64(x) OSSwapHostToBigInt64(x)
#define OSSwapLittleToHostInt16(x) OSSwapHostToLittleInt16(x)
#define OSSwapLittleToHostInt32(x) OSSwapHostToLittleInt32(x)
#define OSSwapLittleToHostInt64(x) OSSwapHostToLittleInt64(x)

#endif
