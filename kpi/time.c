/* sys/time.h: the clocks as timevals and timespecs, and arithmetic on timevals. */
#include <sys/time.h>

#include "src/kern/sched.h"

#define NS_PER_S	1000000000u
#define US_PER_S	1000000

static void
to_timeval(uint64_t ns, struct timeval *tv)
{
	tv->tv_sec = (__darwin_time_t)(ns / NS_PER_S);
	tv->tv_usec = (__darwin_suseconds_t)(ns % NS_PER_S / 1000);
}

static void
to_timespec(uint64_t ns, struct timespec *ts)
{
	ts->tv_sec = (__darwin_time_t)(ns / NS_PER_S);
	ts->tv_nsec = (long)(ns % NS_PER_S);
}

void
microtime(struct timeval *tv)
{
	to_timeval(world_calendar_now(curmachine()->world), tv);
}

void
microtime_with_abstime(struct timeval *tv, uint64_t *abstime)
{
	microtime(tv);
	*abstime = machine_now(curmachine());
}

void
nanotime(struct timespec *ts)
{
	to_timespec(world_calendar_now(curmachine()->world), ts);
}

void
microuptime(struct timeval *tv)
{
	to_timeval(machine_now(curmachine()), tv);
}

void
nanouptime(struct timespec *ts)
{
	to_timespec(machine_now(curmachine()), ts);
}

/* One carry either way: more than that a sum or difference of two proper timevals cannot need. */
void
timevalfix(struct timeval *tv)
{
	if (tv->tv_usec < 0) {
		tv->tv_sec--;
		tv->tv_usec += US_PER_S;
	}
	if (tv->tv_usec >= US_PER_S) {
		tv->tv_sec++;
		tv->tv_usec -= US_PER_S;
	}
}

void
timevaladd(struct timeval *to, struct timeval *more)
{
	to->tv_sec += more->tv_sec;
	to->tv_usec += more->tv_usec;
	timevalfix(to);
}

void
timevalsub(struct timeval *to, struct timeval *less)
{
	to->tv_sec -= less->tv_sec;
	to->tv_usec -= less->tv_usec;
	timevalfix(to);
}
