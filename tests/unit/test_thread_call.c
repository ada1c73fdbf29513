/* kpi/thread_call.c: functions called later, once per entering. */
#include <kern/thread_call.h>
#include <sys/proc.h>

#include "tests/unit/trail.h"

static void
mark_both(thread_call_param_t p0, thread_call_param_t p1)
{
	CHECK_EQ(proc_selfpid(), 0);
	mark_letter(p0);
	if (p1 != NULL)
		mark_letter(p1);
}

KTEST(it_is_called_once_with_both_parameters)
{
	thread_call_t call = thread_call_allocate(mark_both, LETTER('a'));

	fresh_trail();
	CHECK(!thread_call_enter(call));
	CHECK(thread_call_enter1(call, LETTER('1')));
	CHECK(thread_call_isactive(call));
	CHECK_STR(trail, "");
	sleep_for(1);
	CHECK_STR(trail, "a1");
	sleep_for(MS);
	CHECK_STR(trail, "a1");
	CHECK(!thread_call_isactive(call));
	CHECK(thread_call_free(call));
}

KTEST(a_delayed_call_comes_at_its_time_and_can_be_moved)
{
	thread_call_t call = thread_call_allocate(mark_both, LETTER('a'));

	fresh_trail();
	CHECK(!thread_call_enter_delayed(call, 5 * MS));
	CHECK(thread_call_enter1_delayed(call, LETTER('2'), 2 * MS));
	sleep_until(2 * MS - 1);
	CHECK_STR(trail, "");
	sleep_until(2 * MS + 1);
	CHECK_STR(trail, "a2");
	sleep_until(6 * MS);
	CHECK_STR(trail, "a2");
	thread_call_free(call);
}

KTEST(cancelling_tells_whether_it_was_pending)
{
	thread_call_t call = thread_call_allocate(mark_both, LETTER('a'));

	fresh_trail();
	CHECK(!thread_call_cancel(call));
	thread_call_enter_delayed(call, MS);
	CHECK(!thread_call_free(call));
	CHECK(thread_call_cancel(call));
	sleep_until(2 * MS);
	CHECK_STR(trail, "");
	CHECK(thread_call_free(call));
}

static void
slow(thread_call_param_t p0, thread_call_param_t p1)
{
	(void)p0;
	(void)p1;
	mark('(');
	sleep_for(5 * MS);
	mark(')');
}

KTEST(cancel_wait_waits_for_the_running_call)
{
	thread_call_t call = thread_call_allocate_with_options(slow, NULL, THREAD_CALL_PRIORITY_KERNEL,
	    THREAD_CALL_OPTIONS_ONCE);

	fresh_trail();
	thread_call_enter(call);
	sleep_for(MS);
	CHECK_STR(trail, "(");
	CHECK(!thread_call_cancel(call));
	CHECK(!thread_call_cancel_wait(call));
	CHECK_STR(trail, "()");
	CHECK(thread_call_free(call));
}

KTEST(two_calls_that_sleep_do_so_at_the_same_time)
{
	thread_call_t a = thread_call_allocate(slow, NULL), b = thread_call_allocate(slow, NULL);

	fresh_trail();
	thread_call_enter(a);
	thread_call_enter(b);
	sleep_for(6 * MS);
	CHECK_STR(trail, "(())");
	CHECK_EQ(machine_now(curmachine()), 6 * MS);
	thread_call_free(a);
	thread_call_free(b);
}

static thread_call_t own;

static void
free_itself(thread_call_param_t p0, thread_call_param_t p1)
{
	(void)p0;
	(void)p1;
	CHECK(thread_call_free(own));
	mark('f');
}

KTEST(a_call_may_free_itself)
{
	fresh_trail();
	own = thread_call_allocate(free_itself, NULL);
	thread_call_enter(own);
	sleep_for(MS);
	CHECK_STR(trail, "f");
}

static void
enter_again(thread_call_param_t p0, thread_call_param_t p1)
{
	(void)p0;
	(void)p1;
	mark('e');
	if (trail_len < 5)
		thread_call_enter_delayed(own, machine_now(curmachine()) + MS);
}

KTEST(a_call_may_enter_itself_again)
{
	fresh_trail();
	own = thread_call_allocate(enter_again, NULL);
	thread_call_enter(own);
	sleep_until(20 * MS);
	CHECK_STR(trail, "eeeee");
	thread_call_free(own);
}

static void
cancel_oneself(thread_call_param_t p0, thread_call_param_t p1)
{
	(void)p0;
	(void)p1;
	thread_call_cancel_wait(own);
}

KTEST_PANICS(waiting_for_oneself_is_named, "from within the call itself")
{
	own = thread_call_allocate(cancel_oneself, NULL);
	thread_call_enter(own);
	sleep_for(MS);
}

KTEST_SUITE(thread_call,
    T(it_is_called_once_with_both_parameters),
    T(a_delayed_call_comes_at_its_time_and_can_be_moved),
    T(cancelling_tells_whether_it_was_pending),
    T(cancel_wait_waits_for_the_running_call),
    T(two_calls_that_sleep_do_so_at_the_same_time),
    T(a_call_may_free_itself),
    T(a_call_may_enter_itself_again),
    T(waiting_for_oneself_is_named));
