/* Seconds and microseconds. */
#ifndef _STRUCT_TIMEVAL
#define _STRUCT_TIMEVAL

#include <sys/_types.h>

struct timeval {
	__darwin_time_t tv_sec;
	__darwin_suseconds_t tv_usec;
};

#endif
