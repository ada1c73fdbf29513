/* A length of time in seconds and microseconds, as Mach reports it. */
#ifndef _MACH_TIME_VALUE_H_
#define _MACH_TIME_VALUE_H_

#include <mach/machine/vm_types.h>

struct time_value {
	integer_t seconds;
	integer_t microseconds;
};
typedef struct time_value time_value_t;

#define TIME_MICROS_MAX 1000000

#define time_value_add_usec(val, micros) \
	do { \
		(val)->microseconds += (micros); \
		if ((val)->microseconds >= TIME_MICROS_MAX) { \
			(val)->microseconds -= TIME_MICROS_MAX; \
			(val)->seconds++; \
		} \
	} while (0)
#define time_value_add(result, addend) \
	do { \
		(result)->seconds += (addend)->seconds; \
		time_value_add_usec(result, (addend)->microseconds); \
	} while (0)

#endif
