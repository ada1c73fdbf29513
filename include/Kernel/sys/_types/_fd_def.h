/* A set of file descriptors, as select(2) takes it. */
#ifndef _FD_SET
#define _FD_SET

#include <sys/_types.h>

#ifndef FD_SETSIZE
#define __DARWIN_FD_SETSIZE 1024
#define FD_SETSIZE __DARWIN_FD_SETSIZE
#else
#define __DARWIN_FD_SETSIZE FD_SETSIZE
#endif
#define __DARWIN_NBBY 8
#define __DARWIN_NFDBITS (sizeof(__int32_t) * __DARWIN_NBBY)
#define __DARWIN_howmany(x, y) (((x) + ((y) - 1)) / (y))

typedef struct fd_set {
	__int32_t fds_bits[__DARWIN_howmany(__DARWIN_FD_SETSIZE, __DARWIN_NFDBITS)];
} fd_set;

#define __DARWIN_FD_BIT(n) ((__int32_t)(1UL << ((unsigned long)(n) % __DARWIN_NFDBITS)))
#define __DARWIN_FD_WORD(n, p) ((p)->fds_bits[(unsigned long)(n) / __DARWIN_NFDBITS])
#define FD_SET(n, p) (__DARWIN_FD_WORD(n, p) |= __DARWIN_FD_BIT(n))
#define FD_CLR(n, p) (__DARWIN_FD_WORD(n, p) &= ~__DARWIN_FD_BIT(n))
#define FD_ISSET(n, p) ((__DARWIN_FD_WORD(n, p) & __DARWIN_FD_BIT(n)) != 0)
#define FD_ZERO(p) __builtin_memset((p), 0, sizeof(*(p)))
#define FD_COPY(from, to) __builtin_memcpy((to), (from), sizeof(*(from)))

#endif
