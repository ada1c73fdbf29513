/* A piece of memory to read from or write to. */
#ifndef _STRUCT_IOVEC
#define _STRUCT_IOVEC

#include <sys/_types/_size_t.h>

struct iovec {
	void *iov_base;
	size_t iov_len;
};

#endif
