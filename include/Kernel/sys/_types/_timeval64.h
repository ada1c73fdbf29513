/* Seconds and microseconds in 64 bits each. */
#ifndef _STRUCT_TIMEVAL64
#define _STRUCT_TIMEVAL64

#include <machine/_types.h>

struct timeval64 {
	__int64_t tv_sec;
	__int64_t tv_usec;
};

#endif
