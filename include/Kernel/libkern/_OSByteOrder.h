/* Swapping bytes, under the names that hold in every Darwin header. */
#ifndef _LIBKERN__OSBYTEORDER_H_
#define _LIBKERN__OSBYTEORDER_H_

#include <sys/_types.h>

#define __DARWIN_OSSwapConstInt16(x) ((__uint16_t)__builtin_bswap16((__uint16_t)(x)))
#define __DARWIN_OSSwapConstInt32(x) ((__uint32_t)__builtin_bswap32((__uint32_t)(x)))
#define __DARWIN_OSSwapConstInt64(x) ((__uint64_t)__builtin_bswap64((__uint64_t)(x)))
#define __DARWIN_OSSwapInt16(x) __DARWIN_OSSwapConstInt16(x)
#define __DARWIN_OSSwapInt32(x) __DARWIN_OSSwapConstInt32(x)
#define __DARWIN_OSSwapInt64(x) __DARWIN_OSSwapConstInt64(x)

#endif
