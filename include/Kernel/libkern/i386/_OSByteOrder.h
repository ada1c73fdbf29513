/* The same on every architecture: see libkern/_OSByteOrder.h. */
#ifndef _LIBKERN_I386__OSBYTEORDER_H_
#define _LIBKERN_I386__OSBYTEORDER_H_

#include <libkern/_OSByteOrder.h>

static inline __uint16_t
_OSSwapInt16(__uint16_t data)
{
	return __builtin_bswap16(data);
}

static inline __uint32_t
_OSSwapInt32(__uint32_t data)
{
	return __builtin_bswap32(data);
}

static inline __uint64_t
_OSSwapInt64(__uint64_t data)
{
	return __builtin_bswap64(data);
}

#endif
