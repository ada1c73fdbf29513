/* Times, timers, arithmetic on them, and reading the clocks. */
#ifndef _SYS_TIME_H_
#define _SYS_TIME_H_

#include <sys/cdefs.h>
#include <sys/_types.h>
#include <sys/types.h>
#include <stdint.h>
#include <sys/_types/_fd_def.h>
#include <sys/_types/_timespec.h>
#include <sys/_types/_timeval.h>
#include <sys/_types/_timeval32.h>
#include <sys/_types/_timeval64.h>
#include <sys/_types/_user_timespec.h>
#include <sys/_types/_user_timeval.h>
#include <sys/_types/_time_t.h>
#include <sys/_types/_suseconds_t.h>

struct itimerval {
	struct timeval it_interval;
	struct timeval it_value;
};

struct user_itimerval {
	struct user_timeval it_interval;
	struct user_timeval it_value;
};

#define ITIMER_REAL 0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF 2

struct timezone {
	int tz_minuteswest;
	int tz_dsttime;
};

#define DST_NONE 0
#define DST_USA 1
#define DST_AUST 2
#define DST_WET 3
#define DST_MET 4
#define DST_EET 5
#define DST_CAN 6

struct clockinfo {
	int hz;
	int tick;
	int tickadj;
	int stathz;
	int profhz;
};

#define TIMEVAL_TO_TIMESPEC(tv, ts) \
	do { \
		(ts)->tv_sec = (tv)->tv_sec; \
		(ts)->tv_nsec = (tv)->tv_usec * 1000; \
	} while (0)
#define TIMESPEC_TO_TIMEVAL(tv, ts) \
	do { \
		(tv)->tv_sec = (ts)->tv_sec; \
		(tv)->tv_usec = (__darwin_suseconds_t)((ts)->tv_nsec / 1000); \
	} while (0)

#define timerclear(tvp) (tvp)->tv_sec = (tvp)->tv_usec = 0
#define timerisset(tvp) ((tvp)->tv_sec || (tvp)->tv_usec)
#define timercmp(a, b, cmp) \
	(((a)->tv_sec == (b)->tv_sec) ? ((a)->tv_usec cmp (b)->tv_usec) : \
	 ((a)->tv_sec cmp (b)->tv_sec))
#define timeradd(a, b, sum) \
	do { \
		(sum)->tv_sec = (a)->tv_sec + (b)->tv_sec; \
		(sum)->tv_usec = (a)->tv_usec + (b)->tv_usec; \
		if ((sum)->tv_usec >= 1000000) { \
			(sum)->tv_usec -= 1000000; \
			(sum)->tv_sec++; \
		} \
	} while (0)
#define timersub(a, b, diff) \
	do { \
		(diff)->tv_sec = (a)->tv_sec - (b)->tv_sec; \
		(diff)->tv_usec = (a)->tv_usec - (b)->tv_usec; \
		if ((diff)->tv_usec < 0) { \
			(diff)->tv_usec += 1000000; \
			(diff)->tv_sec--; \
		} \
	} while (0)
#define timevalcmp(a, b, cmp) timercmp(a, b, cmp)

__BEGIN_DECLS

/* Calendar time. */
void microtime(struct timeval *tv);
void microtime_with_abstime(struct timeval *tv, uint64_t *abstime);
void nanotime(struct timespec *ts);
/* Time since the machine started. */
void microuptime(struct timeval *tv);
void nanouptime(struct timespec *ts);

/* to += more, to -= less; and carries the microseconds into the seconds. */
void timevaladd(struct timeval *to, struct timeval *more);
void timevalsub(struct timeval *to, struct timeval *less);
void timevalfix(struct timeval *tv);

__END_DECLS

#define getmicrotime(tv) microtime(tv)
#define getmicrouptime(tv) microuptime(tv)
#define getnanotime(ts) nanotime(ts)
#define getnanouptime(ts) nanouptime(ts)

/* Seconds of calendar time and since start, read afresh at each use. */
static inline time_t
__nke_time_second(void)
{
	struct timeval now;

	microtime(&now);
	return now.tv_sec;
}

static inline time_t
__nke_time_uptime(void)
{
	struct timeval now;

	microuptime(&now);
	return now.tv_sec;
}

#define time_second (__nke_time_second())
#define time_uptime (__nke_time_uptime())

#endif
