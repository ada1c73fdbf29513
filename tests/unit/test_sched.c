/* src/kern/sched.c, softintr.c, worker.c: who runs when, and in which order. */
#include "src/kern/klog.h"
#include "src/kern/sched.h"
#include "tests/unit/ktest.h"
#include "tests/unit/trail.h"


/* ---- waiting and waking ------------------------------------------------------------------- */

static int event;

static void
wait_and_mark(void *name, wait_result_t result)
{
	(void)result;
	sched_block(&event, 0, false, "the test");
	mark(LETTER_OF(name));
}

KTEST(all_waiters_wake_in_order)
{
	fresh_trail();
	for (int i = 'a'; i <= 'c'; i++)
		start(wait_and_mark, LETTER(i));
	sched_pass();
	CHECK_EQ(sched_wakeup(&event, false, THREAD_AWAKENED), 3);
	CHECK_STR(trail, "");
	sched_pass();
	CHECK_STR(trail, "abc");
}

KTEST(wakeup_one_wakes_who_waits_longest)
{
	fresh_trail();
	start(wait_and_mark, LETTER('a'));
	start(wait_and_mark, LETTER('b'));
	sched_pass();
	CHECK_EQ(sched_wakeup(&event, true, THREAD_AWAKENED), 1);
	sched_pass();
	CHECK_STR(trail, "a");
	CHECK_EQ(sched_wakeup(&event, true, THREAD_AWAKENED), 1);
	CHECK_EQ(sched_wakeup(&event, true, THREAD_AWAKENED), 0);
	sched_pass();
	CHECK_STR(trail, "ab");
}

KTEST(a_wakeup_before_blocking_is_not_lost)
{
	CHECK_EQ(sched_assert_wait(&event, 0, false, "the test"), THREAD_WAITING);
	CHECK_EQ(sched_wakeup(&event, false, THREAD_AWAKENED), 1);
	CHECK_EQ(sched_thread_block(), THREAD_AWAKENED);
	CHECK(!ktest_log_contains("deadlock"));
}

KTEST(yielding_does_not_end_an_asserted_wait)
{
	fresh_trail();
	sched_assert_wait(&event, 0, false, "the test");
	start(wait_and_mark, LETTER('a'));
	sched_pass();
	CHECK_EQ(sched_wakeup(&event, true, THREAD_AWAKENED), 1);
	CHECK_EQ(sched_thread_block(), THREAD_AWAKENED);
	CHECK_STR(trail, "");
}

KTEST_PANICS(waiting_twice_is_named, "already waits for the first")
{
	sched_assert_wait(&event, 0, false, "the first");
	sched_assert_wait(&trail, 0, false, "the second");
}

KTEST(a_time_limit_ends_a_wait_on_the_nanosecond)
{
	uint64_t start_time = machine_now(curmachine());

	CHECK_EQ(sched_block(&event, start_time + 7 * MS + 1, false, "the test"), THREAD_TIMED_OUT);
	CHECK_EQ(machine_now(curmachine()), start_time + 7 * MS + 1);
	/* in the past: at once */
	CHECK_EQ(sched_block(&event, start_time + 1, false, "the test"), THREAD_TIMED_OUT);
	CHECK_EQ(machine_now(curmachine()), start_time + 7 * MS + 1);
}

KTEST(a_wakeup_takes_the_time_limit_back)
{
	sched_assert_wait(&event, 5 * MS, false, "the test");
	sched_wakeup(&event, false, THREAD_AWAKENED);
	CHECK_EQ(sched_thread_block(), THREAD_AWAKENED);
	CHECK_EQ(machine_next_event(curmachine()), UINT64_MAX);
}

static void
sleep_and_mark(void *ms, wait_result_t result)
{
	(void)result;
	sched_block(NULL, (uintptr_t)ms * MS, false, "the test");
	mark((char)('0' + (int)(uintptr_t)ms));
}

KTEST(sleepers_wake_in_the_order_of_time)
{
	fresh_trail();
	start(sleep_and_mark, (void *)5);
	start(sleep_and_mark, (void *)3);
	start(sleep_and_mark, (void *)8);
	sleep_until(6 * MS);
	CHECK_STR(trail, "35");
}

/* ---- nothing can happen ------------------------------------------------------------------- */

KTEST(a_wait_that_cannot_end_is_sent_back_and_logged)
{
	fresh_trail();
	start(wait_and_mark, LETTER('a'));
	CHECK_EQ(sched_block(&trail, 0, false, "godot"), THREAD_RESTART);
	CHECK(ktest_log_contains("waits for godot"));
	CHECK(ktest_log_contains("waits for the test"));
}

KTEST_PANICS(a_loop_of_hopeless_waits_ends, "again and again")
{
	for (;;)
		sched_block(&trail, 0, false, "godot");
}

static bool stop_polling;

static void
poll(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	while (!stop_polling)
		sched_pass();
	mark('p');
}

KTEST(a_polling_thread_does_not_stop_the_clock)
{
	fresh_trail();
	stop_polling = false;
	start(poll, NULL);
	CHECK_EQ(sched_block(NULL, 5 * MS, false, "the test"), THREAD_TIMED_OUT);
	stop_polling = true;
	sched_pass();
	CHECK_STR(trail, "p");
}

KTEST(a_busy_wait_moves_the_clock)
{
	sched_delay_until(9 * MS);
	CHECK_EQ(machine_now(curmachine()), 9 * MS);
}

/* ---- soft interrupts ---------------------------------------------------------------------- */

static struct softintr first, second;

static void
let_others_run(void)
{
	sleep_for(1);
}

KTEST(soft_interrupts_run_once_in_order_and_not_nested)
{
	fresh_trail();
	softintr_init(&first, curmachine(), mark_letter, LETTER('1'));
	softintr_init(&second, curmachine(), mark_letter, LETTER('2'));
	softintr_schedule(&second);
	softintr_schedule(&first);
	softintr_schedule(&second);
	CHECK_STR(trail, "");
	let_others_run();
	CHECK_STR(trail, "21");
	let_others_run();
	CHECK_STR(trail, "21");
}

static void
sleep_in_softintr(void *arg)
{
	mark('(');
	sched_block(NULL, machine_now(curmachine()) + 5 * MS, false, "the soft interrupt");
	mark(')');
	(void)arg;
}

KTEST(a_blocked_soft_interrupt_is_not_started_again)
{
	fresh_trail();
	softintr_init(&first, curmachine(), sleep_in_softintr, NULL);
	softintr_init(&second, curmachine(), mark_letter, LETTER('2'));
	softintr_schedule(&first);
	let_others_run();
	CHECK_STR(trail, "(");
	softintr_schedule(&first);
	softintr_schedule(&second);
	let_others_run();
	CHECK_STR(trail, "(2");
	sleep_until(20 * MS);
	CHECK_STR(trail, "(2)()");
}

KTEST(cancelling_waits_for_a_running_soft_interrupt)
{
	fresh_trail();
	softintr_init(&first, curmachine(), sleep_in_softintr, NULL);
	softintr_schedule(&first);
	let_others_run();
	softintr_schedule(&first);
	softintr_cancel(&first);
	CHECK_STR(trail, "()");
	sleep_until(20 * MS);
	CHECK_STR(trail, "()");
}

static void
cancel_itself(void *arg)
{
	struct softintr *s = arg;

	softintr_schedule(s);
	softintr_cancel(s);
	s->fn = NULL;
	mark('x');
}

KTEST(a_soft_interrupt_may_end_itself)
{
	fresh_trail();
	softintr_init(&first, curmachine(), cancel_itself, &first);
	softintr_schedule(&first);
	let_others_run();
	CHECK_STR(trail, "x");
}

KTEST_SUITE(sched,
    T(all_waiters_wake_in_order),
    T(wakeup_one_wakes_who_waits_longest),
    T(a_wakeup_before_blocking_is_not_lost),
    T(yielding_does_not_end_an_asserted_wait),
    T(waiting_twice_is_named),
    T(a_time_limit_ends_a_wait_on_the_nanosecond),
    T(a_wakeup_takes_the_time_limit_back),
    T(sleepers_wake_in_the_order_of_time),
    T(a_wait_that_cannot_end_is_sent_back_and_logged),
    T(a_loop_of_hopeless_waits_ends),
    T(a_polling_thread_does_not_stop_the_clock),
    T(a_busy_wait_moves_the_clock),
    T(soft_interrupts_run_once_in_order_and_not_nested),
    T(a_blocked_soft_interrupt_is_not_started_again),
    T(cancelling_waits_for_a_running_soft_interrupt),
    T(a_soft_interrupt_may_end_itself));
