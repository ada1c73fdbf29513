/* Seconds and nanoseconds. */
#ifndef _STRUCT_TIMESPEC
#define _STRUCT_TIMESPEC

#include <sys/_types.h>

struct timespec {
	__darwin_time_t tv_sec;
	long tv_nsec;
};

#endif
