/* Absolute time: a 64-bit count of ticks, here nanoseconds, since the machine started. */
#ifndef _MACH_MACH_TIME_H_
#define _MACH_MACH_TIME_H_

#include <sys/cdefs.h>
#include <stdint.h>
#include <mach/mach_types.h>

struct mach_timebase_info {
	uint32_t numer;
	uint32_t denom;
};
typedef struct mach_timebase_info *mach_timebase_info_t;
typedef struct mach_timebase_info mach_timebase_info_data_t;

__BEGIN_DECLS

uint64_t mach_absolute_time(void);
uint64_t mach_approximate_time(void);
/* Goes on while the machine sleeps, which it never does here. */
uint64_t mach_continuous_time(void);

__END_DECLS

#endif
