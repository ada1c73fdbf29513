/*
 * Reading and converting time. Absolute time counts ticks since the machine started; a deadline is
 * an absolute time. Calendar time is Unix time; system time counts since start. None of these
 * sleeps, except clock_delay_until.
 */
#ifndef _KERN_CLOCK_H_
#define _KERN_CLOCK_H_

#include <stdint.h>
#include <sys/cdefs.h>
#include <mach/mach_types.h>
#include <mach/clock_types.h>
#include <mach/mach_time.h>
#include <kern/kern_types.h>

typedef unsigned long clock_sec_t;
typedef unsigned int clock_usec_t, clock_nsec_t;

__BEGIN_DECLS

void clock_get_uptime(uint64_t *result);
void clock_get_calendar_microtime(clock_sec_t *secs, clock_usec_t *microsecs);
void clock_get_calendar_absolute_and_microtime(clock_sec_t *secs, clock_usec_t *microsecs,
    uint64_t *abstime);
void clock_get_calendar_nanotime(clock_sec_t *secs, clock_nsec_t *nanosecs);
void clock_get_system_microtime(clock_sec_t *secs, clock_usec_t *microsecs);
void clock_get_system_nanotime(clock_sec_t *secs, clock_nsec_t *nanosecs);
/* System time in Mach's struct, as old sources ask for it. */
mach_timespec_t clock_get_system_value(void);
mach_timespec_t clock_get_calendar_value(void);

void clock_timebase_info(mach_timebase_info_t info);
/* interval * scale_factor is in nanoseconds; the result is a length, or a deadline from now. */
void clock_interval_to_absolutetime_interval(uint32_t interval, uint32_t scale_factor,
    uint64_t *result);
void clock_interval_to_deadline(uint32_t interval, uint32_t scale_factor, uint64_t *result);
void clock_absolutetime_interval_to_deadline(uint64_t abstime, uint64_t *result);
void clock_continuoustime_interval_to_deadline(uint64_t conttime, uint64_t *result);
/* Busy waiting on a real machine; here time passes. */
void clock_delay_until(uint64_t deadline);
void absolutetime_to_nanoseconds(uint64_t abstime, uint64_t *result);
void nanoseconds_to_absolutetime(uint64_t nanosecs, uint64_t *result);
uint64_t absolutetime_to_continuoustime(uint64_t abstime);
uint64_t continuoustime_to_absolutetime(uint64_t conttime);

__END_DECLS

#endif
