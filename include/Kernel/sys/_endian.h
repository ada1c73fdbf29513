/*
 * Network and host byte order. The conversions are macros that also work in constant expressions;
 * HTONS(x) and its like convert the variable x in place.
 */
#ifndef _SYS__ENDIAN_H_
#define _SYS__ENDIAN_H_

#include <sys/_types.h>
#include <sys/_types/_u_int16_t.h>
#include <sys/_types/_u_int32_t.h>
#include <sys/_types/_u_int64_t.h>

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define ntohs(x) ((__uint16_t)(x))
#define ntohl(x) ((__uint32_t)(x))
#define ntohll(x) ((__uint64_t)(x))
#else
#define ntohs(x) ((__uint16_t)__builtin_bswap16((__uint16_t)(x)))
#define ntohl(x) ((__uint32_t)__builtin_bswap32((__uint32_t)(x)))
#define ntohll(x) ((__uint64_t)__builtin_bswap64((__uint64_t)(x)))
#endif

#define htons(x) ntohs(x)
#define htonl(x) ntohl(x)
#define htonll(x) ntohll(x)

#define NTOHL(x) (x) = ntohl((__uint32_t)(x))
#define NTOHS(x) (x) = ntohs((__uint16_t)(x))
#define NTOHLL(x) (x) = ntohll((__uint64_t)(x))
#define HTONL(x) (x) = htonl((__uint32_t)(x))
#define HTONS(x) (x) = htons((__uint16_t)(x))
#define HTONLL(x) (x) = htonll((__uint64_t)(x))

#endif
