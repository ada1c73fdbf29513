/* Seconds and microseconds as a process lays them out. */
#ifndef _STRUCT_USER_TIMEVAL
#define _STRUCT_USER_TIMEVAL

#include <machine/types.h>

struct user_timeval {
	user_time_t tv_sec;
	__int32_t tv_usec;
};

struct user32_timeval {
	user32_time_t tv_sec;
	__int32_t tv_usec;
};

struct user64_timeval {
	user64_time_t tv_sec;
	__int32_t tv_usec;
};

#endif
