/* src/kern/thread.c through kpi/thread.c and kpi/sched_prim.c: the life of kernel threads. */
#include <kern/locks.h>
#include <kern/sched_prim.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <mach/thread_act.h>
#include <sys/proc.h>

#include "tests/unit/trail.h"

static int event;
static thread_t seen;

static void
remember(void *arg, wait_result_t result)
{
	seen = current_thread();
	CHECK_EQ(result, THREAD_AWAKENED);
	CHECK_EQ(proc_selfpid(), 0);
	CHECK(current_task() == kernel_task);
	mark_letter(arg);
}

KTEST(a_thread_starts_when_its_maker_lets_go_of_the_cpu)
{
	thread_t t;

	fresh_trail();
	CHECK_EQ(kernel_thread_start(remember, LETTER('a'), &t), KERN_SUCCESS);
	CHECK_STR(trail, "");
	thread_block(THREAD_CONTINUE_NULL);
	CHECK_STR(trail, "a");
	CHECK(seen == t);
	CHECK(current_thread() != t);
	/* ended, but what we hold a reference to is still there */
	CHECK(thread_tid(t) != thread_tid(current_thread()));
	thread_deallocate(t);
}

KTEST(bad_arguments_are_refused)
{
	thread_t t;

	CHECK_EQ(kernel_thread_start(THREAD_CONTINUE_NULL, NULL, &t), KERN_INVALID_ARGUMENT);
	CHECK_EQ(kernel_thread_start(remember, NULL, NULL), KERN_INVALID_ARGUMENT);
	CHECK_EQ(thread_terminate(THREAD_NULL), KERN_INVALID_ARGUMENT);
	CHECK_EQ(thread_terminate(current_thread()), KERN_FAILURE);
	thread_deallocate(THREAD_NULL);
}

KTEST(names_are_kept)
{
	CHECK(!thread_has_thread_name(current_thread()));
	thread_set_thread_name(current_thread(), "the one that tests");
	CHECK(thread_has_thread_name(current_thread()));
	CHECK_STR(current_thread()->name, "the one that tests");
}

KTEST(the_caller_is_a_process)
{
	char name[32] = "";

	CHECK_EQ(proc_selfpid(), 100);
	CHECK(current_task() != kernel_task);
	proc_selfname(name, sizeof name);
	CHECK_STR(name, "nke");
	proc_name(0, name, sizeof name);
	CHECK_STR(name, "kernel_task");
	proc_name(4711, name, sizeof name);
	CHECK_STR(name, "kernel_task");
	CHECK(proc_find(4711) == NULL);
	CHECK(proc_find(100) == proc_self());
}

/* ---- ending ------------------------------------------------------------------------------- */

static void
end_oneself(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	mark('a');
	thread_terminate(current_thread());
	mark('b');
}

KTEST(a_thread_may_end_itself)
{
	fresh_trail();
	start(end_oneself, NULL);
	sched_pass();
	CHECK_STR(trail, "a");
}

KTEST(the_last_that_could_wake_us_ends)
{
	fresh_trail();
	start(end_oneself, NULL);
	CHECK_EQ(sched_block(&event, 0, false, "godot"), THREAD_RESTART);
	CHECK_STR(trail, "a");
	CHECK(ktest_log_contains("waits for godot"));
}

static void
wait_interruptibly(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	mark('a');
	assert_wait(&event, THREAD_INTERRUPTIBLE);
	thread_block(THREAD_CONTINUE_NULL);
	mark('b');
}

KTEST(another_ends_at_its_interruptible_sleep)
{
	thread_t t;

	fresh_trail();
	CHECK_EQ(kernel_thread_start(wait_interruptibly, NULL, &t), KERN_SUCCESS);
	sched_pass();
	CHECK_EQ(thread_terminate(t), KERN_SUCCESS);
	sched_pass();
	CHECK_STR(trail, "a");
	CHECK_EQ(t->state, TH_DEAD);
	thread_deallocate(t);
}

static void
wait_stubbornly(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	mark('a');
	assert_wait(&event, THREAD_UNINT);
	CHECK_EQ(thread_block(THREAD_CONTINUE_NULL), THREAD_AWAKENED);
	mark('b');
}

KTEST(an_uninterruptible_sleep_goes_on)
{
	thread_t t;

	fresh_trail();
	CHECK_EQ(kernel_thread_start(wait_stubbornly, NULL, &t), KERN_SUCCESS);
	sched_pass();
	thread_terminate(t);
	sched_pass();
	CHECK_STR(trail, "a");
	CHECK_EQ(thread_wakeup(&event), KERN_SUCCESS);
	sched_pass();
	CHECK_STR(trail, "ab");
	thread_deallocate(t);
}

static bool done;

static void
stubborn_then_not(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	assert_wait(&event, THREAD_UNINT);
	thread_block(THREAD_CONTINUE_NULL);
	mark('a');
	for (int i = 0; i < 3; i++) {
		assert_wait(&event, THREAD_INTERRUPTIBLE);
		thread_block(THREAD_CONTINUE_NULL);
		mark('b');
	}
}

KTEST(the_first_interruptible_sleep_after_a_stubborn_one_ends_it)
{
	thread_t t;

	fresh_trail();
	CHECK_EQ(kernel_thread_start(stubborn_then_not, NULL, &t), KERN_SUCCESS);
	sched_pass();
	thread_terminate(t);
	thread_wakeup(&event);
	sched_pass();
	CHECK_STR(trail, "a");
	CHECK_EQ(t->state, TH_DEAD);
	thread_deallocate(t);
}

static lck_mtx_t mutex;

static void
yield_with_a_lock(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	assert_wait(&event, THREAD_INTERRUPTIBLE);
	thread_block(THREAD_CONTINUE_NULL);
	lck_mtx_init(&mutex, NULL, NULL);
	lck_mtx_lock(&mutex);
	while (!done)
		thread_block(THREAD_CONTINUE_NULL);
	lck_mtx_unlock(&mutex);
	mark('a');
}

KTEST(yielding_is_no_sleep_that_ends_it)
{
	thread_t t;

	fresh_trail();
	done = false;
	CHECK_EQ(kernel_thread_start(yield_with_a_lock, NULL, &t), KERN_SUCCESS);
	sched_pass();
	thread_wakeup(&event);
	sched_pass();
	thread_terminate(t);
	sched_pass();
	done = true;
	sched_pass();
	CHECK_STR(trail, "a");
	thread_deallocate(t);
}

static void
return_while_waiting(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	assert_wait_timeout(&event, THREAD_UNINT, 1, NSEC_PER_MSEC);
}

KTEST(a_thread_that_returns_waits_for_nothing)
{
	thread_t t;

	CHECK_EQ(kernel_thread_start(return_while_waiting, NULL, &t), KERN_SUCCESS);
	sched_pass();
	CHECK_EQ(t->state, TH_DEAD);
	thread_deallocate(t);
	start(end_oneself, NULL);	/* the struct is gone now */
	CHECK_EQ(thread_wakeup(&event), KERN_NOT_WAITING);
	sleep_for(2 * MS);
}

static void
end_with_a_lock(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	lck_mtx_init(&mutex, NULL, NULL);
	lck_mtx_lock(&mutex);
	thread_terminate(current_thread());
}

KTEST_PANICS(ending_with_a_lock_is_named, "ends while it holds 1 lock")
{
	start(end_with_a_lock, NULL);
	sched_pass();
}

/* ---- continuations ------------------------------------------------------------------------ */

static void
go_on(void *arg, wait_result_t result)
{
	CHECK_EQ(result, THREAD_AWAKENED);
	mark_letter(arg);
	if (trail_len < 10) {
		assert_wait(&event, THREAD_UNINT);
		thread_block_parameter(go_on, LETTER(LETTER_OF(arg) + 1));
		mark('!');
	}
}

KTEST(a_continuation_starts_with_an_empty_stack)
{
	fresh_trail();
	start(go_on, LETTER('a'));
	for (int i = 0; i < 12; i++) {
		sched_pass();
		thread_wakeup(&event);
	}
	CHECK_STR(trail, "abcdefghij");
}

KTEST_PANICS(a_continuation_needs_a_kernel_thread, "was given a continuation by thread \"host1\"")
{
	thread_block(go_on);
}

/* ---- events ------------------------------------------------------------------------------- */

KTEST(wakeups_say_whether_anybody_waited)
{
	CHECK_EQ(thread_wakeup(&event), KERN_NOT_WAITING);
	fresh_trail();
	start(wait_stubbornly, NULL);
	sched_pass();
	CHECK_EQ(thread_wakeup_one(&event), KERN_SUCCESS);
	CHECK_EQ(thread_wakeup_one(&event), KERN_NOT_WAITING);
}

KTEST(assert_wait_with_a_time_limit)
{
	CHECK_EQ(assert_wait_timeout(&event, THREAD_UNINT, 3, NSEC_PER_MSEC), THREAD_WAITING);
	CHECK_EQ(thread_block(THREAD_CONTINUE_NULL), THREAD_TIMED_OUT);
	CHECK_EQ(machine_now(curmachine()), 3 * MS);
	CHECK_EQ(assert_wait_deadline(&event, THREAD_UNINT, 5 * MS), THREAD_WAITING);
	CHECK_EQ(thread_block(THREAD_CONTINUE_NULL), THREAD_TIMED_OUT);
	CHECK_EQ(machine_now(curmachine()), 5 * MS);
}

KTEST(a_wakeup_hands_over_its_result)
{
	assert_wait(&event, THREAD_UNINT);
	CHECK_EQ(thread_wakeup_with_result(&event, THREAD_INTERRUPTED), KERN_SUCCESS);
	CHECK_EQ(thread_block(THREAD_CONTINUE_NULL), THREAD_INTERRUPTED);
	assert_wait(&event, THREAD_UNINT);
	CHECK_EQ(thread_wakeup_thread(&trail, current_thread()), KERN_NOT_WAITING);
	CHECK_EQ(thread_wakeup_thread(&event, current_thread()), KERN_SUCCESS);
	CHECK_EQ(thread_block(THREAD_CONTINUE_NULL), THREAD_AWAKENED);
}

KTEST(hundreds_of_threads_come_and_go)
{
	fresh_trail();
	for (int i = 0; i < 300; i++) {
		start(remember, LETTER('x'));
		if (i % 3 == 0)
			sched_pass();
	}
	sched_pass();
	CHECK_EQ(curmachine()->threads, 0);
}

KTEST_SUITE(threads,
    T(a_thread_starts_when_its_maker_lets_go_of_the_cpu),
    T(bad_arguments_are_refused),
    T(names_are_kept),
    T(the_caller_is_a_process),
    T(a_thread_may_end_itself),
    T(the_last_that_could_wake_us_ends),
    T(another_ends_at_its_interruptible_sleep),
    T(an_uninterruptible_sleep_goes_on),
    T(the_first_interruptible_sleep_after_a_stubborn_one_ends_it),
    T(yielding_is_no_sleep_that_ends_it),
    T(a_thread_that_returns_waits_for_nothing),
    T(ending_with_a_lock_is_named),
    T(a_continuation_starts_with_an_empty_stack),
    T(a_continuation_needs_a_kernel_thread),
    T(wakeups_say_whether_anybody_waited),
    T(assert_wait_with_a_time_limit),
    T(a_wakeup_hands_over_its_result),
    T(hundreds_of_threads_come_and_go));
