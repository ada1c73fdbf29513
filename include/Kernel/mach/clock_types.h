/* Clocks' numbers, units of time, Mach's seconds and nanoseconds. */
#ifndef _MACH_CLOCK_TYPES_H_
#define _MACH_CLOCK_TYPES_H_

#include <stdint.h>
#include <mach/machine/vm_types.h>

typedef int alarm_type_t;
typedef int sleep_type_t;
typedef int clock_id_t;
typedef int clock_flavor_t;
typedef int *clock_attr_t;
typedef int clock_res_t;

struct mach_timespec {
	unsigned int tv_sec;
	clock_res_t tv_nsec;
};
typedef struct mach_timespec mach_timespec_t;

#define SYSTEM_CLOCK 0
#define CALENDAR_CLOCK 1
#define REALTIME_CLOCK 0

#define CLOCK_GET_TIME_RES 1
#define CLOCK_ALARM_CURRES 3
#define CLOCK_ALARM_MINRES 4
#define CLOCK_ALARM_MAXRES 5

#define NSEC_PER_USEC 1000ull
#define USEC_PER_SEC 1000000ull
#define NSEC_PER_SEC 1000000000ull
#define NSEC_PER_MSEC 1000000ull

#define BAD_MACH_TIMESPEC(t) \
	((t)->tv_nsec < 0 || (unsigned long long)(t)->tv_nsec >= NSEC_PER_SEC)
#define CMP_MACH_TIMESPEC(a, b) \
	((a)->tv_sec > (b)->tv_sec ? +1 : \
	 ((a)->tv_sec < (b)->tv_sec ? -1 : (a)->tv_nsec - (b)->tv_nsec))
#define ADD_MACH_TIMESPEC(to, more) \
	do { \
		(to)->tv_sec += (more)->tv_sec; \
		(to)->tv_nsec += (more)->tv_nsec; \
		if ((to)->tv_nsec >= (clock_res_t)NSEC_PER_SEC) { \
			(to)->tv_nsec -= (clock_res_t)NSEC_PER_SEC; \
			(to)->tv_sec++; \
		} \
	} while (0)
#define SUB_MACH_TIMESPEC(from, less) \
	do { \
		(from)->tv_sec -= (less)->tv_sec; \
		(from)->tv_nsec -= (less)->tv_nsec; \
		if ((from)->tv_nsec < 0) { \
			(from)->tv_nsec += (clock_res_t)NSEC_PER_SEC; \
			(from)->tv_sec--; \
		} \
	} while (0)

#define ALRMTYPE 0xff
#define TIME_ABSOLUTE 0x00
#define TIME_RELATIVE 0x01

#endif
