/* kpi/timeout.c, kpi/clock.c and kpi/systm.c: timeouts, the clocks, and the odds and ends. */
#include <kern/clock.h>
#include <mach/mach_time.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/systm.h>

#include "tests/unit/trail.h"

static struct timespec *
after(uint64_t ns)
{
	static struct timespec ts;

	ts.tv_sec = (__darwin_time_t)(ns / NSEC_PER_SEC);
	ts.tv_nsec = (long)(ns % NSEC_PER_SEC);
	return &ts;
}

KTEST(timeouts_come_in_order_of_time)
{
	fresh_trail();
	bsd_timeout(mark_letter, LETTER('b'), after(2 * MS));
	bsd_timeout(mark_letter, LETTER('a'), after(MS));
	bsd_timeout(mark_letter, LETTER('c'), after(2 * MS));
	timeout(mark_letter, LETTER('t'), hz);
	sleep_until(3 * MS);
	CHECK_STR(trail, "abc");
	sleep_until(1000 * MS);
	CHECK_STR(trail, "abct");
}

KTEST(untimeout_takes_back_the_first_that_matches)
{
	fresh_trail();
	bsd_timeout(mark_letter, LETTER('a'), after(MS));
	bsd_timeout(mark_letter, LETTER('b'), after(2 * MS));
	bsd_timeout(mark_letter, LETTER('a'), after(3 * MS));
	bsd_untimeout(mark_letter, LETTER('a'));
	bsd_untimeout(mark_letter, LETTER('x'));
	sleep_until(5 * MS);
	CHECK_STR(trail, "ba");
	untimeout(mark_letter, LETTER('a'));
}

static void
again(void *arg)
{
	mark_letter(arg);
	if (trail_len < 3)
		bsd_timeout(again, arg, after(MS));
}

KTEST(a_timeout_may_start_itself_again)
{
	fresh_trail();
	bsd_timeout(again, LETTER('r'), after(MS));
	sleep_until(10 * MS);
	CHECK_STR(trail, "rrr");
}

static void
slow(void *arg)
{
	(void)arg;
	mark('(');
	sleep_for(5 * MS);
	bsd_untimeout(slow, NULL);
	mark(')');
}

KTEST(a_timeout_may_sleep)
{
	fresh_trail();
	bsd_timeout(slow, NULL, after(MS));
	bsd_timeout(mark_letter, LETTER('x'), after(2 * MS));
	sleep_until(3 * MS);
	CHECK_STR(trail, "(x");
	bsd_untimeout(slow, NULL);
	sleep_until(10 * MS);
	CHECK_STR(trail, "(x)");
}

KTEST(the_machine_may_end_with_timeouts_pending_and_running)
{
	bsd_timeout(slow, NULL, after(MS));
	bsd_timeout(slow, NULL, after(60000 * MS));
	sleep_until(2 * MS);
}

/* ---- clocks ------------------------------------------------------------------------------- */

KTEST(clocks_agree)
{
	clock_sec_t secs;
	clock_nsec_t nanosecs;
	clock_usec_t microsecs;
	uint64_t t;

	sleep_until(1234567890123);
	CHECK_EQ(mach_absolute_time(), 1234567890123);
	clock_get_uptime(&t);
	CHECK_EQ(t, 1234567890123);
	clock_get_system_nanotime(&secs, &nanosecs);
	CHECK_EQ(secs, 1234);
	CHECK_EQ(nanosecs, 567890123);
	/* the test's machines begin at 10^9 s */
	clock_get_calendar_microtime(&secs, &microsecs);
	CHECK_EQ(secs, 1000001234);
	CHECK_EQ(microsecs, 567890);
	CHECK_EQ(clock_get_system_value().tv_sec, 1234);
}

KTEST(deadlines_do_not_overflow)
{
	uint64_t t;

	sleep_until(MS);
	clock_interval_to_deadline(3, NSEC_PER_MSEC, &t);
	CHECK_EQ(t, 4 * MS);
	clock_interval_to_deadline(UINT32_MAX, UINT32_MAX, &t);
	CHECK(t > MS);
	clock_absolutetime_interval_to_deadline(UINT64_MAX, &t);
	CHECK_EQ(t, UINT64_MAX);
	CHECK_EQ(tstoabstime(after(1500 * MS)), 1500 * MS);
	CHECK_EQ(tvtoabstime(&(struct timeval){1, 5}), 1000005000);
	CHECK_EQ(tvtoabstime(&(struct timeval){-1, 5}), 0);
}

/* ---- odds and ends ------------------------------------------------------------------------ */

KTEST(hash_tables_are_a_power_of_two)
{
	u_long mask = 0;
	void *table = hashinit(100, M_TEMP, &mask);

	CHECK(table != NULL);
	CHECK_EQ(mask, 63);
	for (u_long i = 0; i <= mask; i++)
		CHECK(((void **)table)[i] == NULL);
	_FREE(table, M_TEMP);
	table = hashinit(1, M_TEMP, &mask);
	CHECK_EQ(mask, 0);
	_FREE(table, M_TEMP);
}

KTEST(words_of_the_process)
{
	unsigned char byte = 200;
	long word = 0;

	CHECK_EQ(fubyte((user_addr_t)(uintptr_t)&byte), 200);
	CHECK_EQ(subyte((user_addr_t)(uintptr_t)&byte, 7), 0);
	CHECK_EQ(byte, 7);
	CHECK_EQ(suword((user_addr_t)(uintptr_t)&word, 4711), 0);
	CHECK_EQ(fuword((user_addr_t)(uintptr_t)&word), 4711);
	CHECK_EQ(fubyte(0), -1);
	CHECK_EQ(suword(0, 1), -1);
}

KTEST(functions_that_only_fail)
{
	CHECK_EQ(nullop(), 0);
	CHECK_EQ(eopnotsupp(), ENOTSUP);
	CHECK_EQ(enosys(), ENOSYS);
	CHECK_EQ(enoioctl(), ENOTTY);
}

KTEST_SUITE(timeouts,
    T(timeouts_come_in_order_of_time),
    T(untimeout_takes_back_the_first_that_matches),
    T(a_timeout_may_start_itself_again),
    T(a_timeout_may_sleep),
    T(the_machine_may_end_with_timeouts_pending_and_running),
    T(clocks_agree),
    T(deadlines_do_not_overflow),
    T(hash_tables_are_a_power_of_two),
    T(words_of_the_process),
    T(functions_that_only_fail));
