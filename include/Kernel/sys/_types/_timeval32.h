/* Seconds and microseconds in 32 bits each, whatever the width of a long. */
#ifndef _STRUCT_TIMEVAL32
#define _STRUCT_TIMEVAL32

#include <machine/_types.h>

struct timeval32 {
	__int32_t tv_sec;
	__int32_t tv_usec;
};

#endif
