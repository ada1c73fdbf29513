/*
 * kern/clock.h and mach/mach_time.h: reading the clocks and converting times. Called by kexts. Absolute
 * time counts nanoseconds since the world began, so conversions only have to watch for overflow.
 */
#include <kern/clock.h>
#include <mach/mach_time.h>

#include "src/kern/sched.h"

static uint64_t
uptime(void)
{
	return machine_now(curmachine());
}

static uint64_t
calendar(void)
{
	return world_calendar_now(curmachine()->world);
}

/* The latest deadline there is, when a sum does not fit. */
static uint64_t
add_time(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

/* ---- reading ------------------------------------------------------------------------------ */

uint64_t
mach_absolute_time(void)
{
	return uptime();
}

uint64_t
mach_approximate_time(void)
{
	return uptime();
}

uint64_t
mach_continuous_time(void)
{
	return uptime();
}

void
clock_get_uptime(uint64_t *result)
{
	*result = uptime();
}

static void
to_micro(uint64_t ns, clock_sec_t *secs, clock_usec_t *microsecs)
{
	*secs = (clock_sec_t)(ns / NSEC_PER_SEC);
	*microsecs = (clock_usec_t)(ns % NSEC_PER_SEC / NSEC_PER_USEC);
}

static void
to_nano(uint64_t ns, clock_sec_t *secs, clock_nsec_t *nanosecs)
{
	*secs = (clock_sec_t)(ns / NSEC_PER_SEC);
	*nanosecs = (clock_nsec_t)(ns % NSEC_PER_SEC);
}

static mach_timespec_t
to_mach_timespec(uint64_t ns)
{
	mach_timespec_t ts = {
		.tv_sec = (unsigned)(ns / NSEC_PER_SEC), .tv_nsec = (clock_res_t)(ns % NSEC_PER_SEC),
	};

	return ts;
}

void
clock_get_calendar_microtime(clock_sec_t *secs, clock_usec_t *microsecs)
{
	to_micro(calendar(), secs, microsecs);
}

void
clock_get_calendar_absolute_and_microtime(clock_sec_t *secs, clock_usec_t *microsecs,
    uint64_t *abstime)
{
	*abstime = uptime();
	to_micro(calendar(), secs, microsecs);
}

void
clock_get_calendar_nanotime(clock_sec_t *secs, clock_nsec_t *nanosecs)
{
	to_nano(calendar(), secs, nanosecs);
}

void
clock_get_system_microtime(clock_sec_t *secs, clock_usec_t *microsecs)
{
	to_micro(uptime(), secs, microsecs);
}

void
clock_get_system_nanotime(clock_sec_t *secs, clock_nsec_t *nanosecs)
{
	to_nano(uptime(), secs, nanosecs);
}

mach_timespec_t
clock_get_system_value(void)
{
	return to_mach_timespec(uptime());
}

mach_timespec_t
clock_get_calendar_value(void)
{
	return to_mach_timespec(calendar());
}

/* ---- converting --------------------------------------------------------------------------- */

void
clock_timebase_info(mach_timebase_info_t info)
{
	info->numer = 1;
	info->denom = 1;
}

void
clock_interval_to_absolutetime_interval(uint32_t interval, uint32_t scale_factor, uint64_t *result)
{
	*result = (uint64_t)interval * scale_factor;
}

void
clock_interval_to_deadline(uint32_t interval, uint32_t scale_factor, uint64_t *result)
{
	*result = add_time(uptime(), (uint64_t)interval * scale_factor);
}

void
clock_absolutetime_interval_to_deadline(uint64_t abstime, uint64_t *result)
{
	*result = add_time(uptime(), abstime);
}

void
clock_continuoustime_interval_to_deadline(uint64_t conttime, uint64_t *result)
{
	*result = add_time(uptime(), conttime);
}

void
absolutetime_to_nanoseconds(uint64_t abstime, uint64_t *result)
{
	*result = abstime;
}

void
nanoseconds_to_absolutetime(uint64_t nanosecs, uint64_t *result)
{
	*result = nanosecs;
}

uint64_t
absolutetime_to_continuoustime(uint64_t abstime)
{
	return abstime;
}

uint64_t
continuoustime_to_absolutetime(uint64_t conttime)
{
	return conttime;
}

/* ---- delaying ----------------------------------------------------------------------------- */

/* Allowed under a spin lock, where nothing else can run: then only the virtual clock moves. */
void
clock_delay_until(uint64_t deadline)
{
	sched_delay_until(deadline);
}
