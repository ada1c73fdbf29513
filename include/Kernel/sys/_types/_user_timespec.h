/* Seconds and nanoseconds as a process lays them out. */
#ifndef _STRUCT_USER_TIMESPEC
#define _STRUCT_USER_TIMESPEC

#include <machine/types.h>

struct user_timespec {
	user_time_t tv_sec;
	user_long_t tv_nsec;
};

struct user32_timespec {
	user32_time_t tv_sec;
	user32_long_t tv_nsec;
};

struct user64_timespec {
	user64_time_t tv_sec;
	user64_long_t tv_nsec;
};

#endif
