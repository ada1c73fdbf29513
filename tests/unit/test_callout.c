/* src/kern/callout.c: the heap of things to be called at a time. */
#include "src/kern/sched.h"
#include "tests/unit/ktest.h"
#include "tests/unit/trail.h"

#define MANY	500

KTEST(they_are_called_in_order_of_time_and_of_arming)
{
	static const struct {
		char name;
		unsigned ms;
	} table[] = {{'c', 3}, {'a', 1}, {'d', 3}, {'b', 2}, {'e', 3}};
	struct callout c[5];

	fresh_trail();
	for (int i = 0; i < 5; i++) {
		callout_init(&c[i], curmachine(), mark_letter, LETTER(table[i].name));
		CHECK_EQ(callout_reset(&c[i], table[i].ms * MS), 0);
	}
	CHECK_EQ(machine_next_event(curmachine()), MS);
	sleep_until(2 * MS + 1);
	CHECK_STR(trail, "ab");
	sleep_until(3 * MS + 1);
	CHECK_STR(trail, "abcde");
}

static uint64_t last_time;
static unsigned called, out_of_order;

static void
check_order(void *arg)
{
	struct callout *c = arg;

	called++;
	if (c->deadline < last_time || machine_now(curmachine()) != c->deadline)
		out_of_order++;
	last_time = c->deadline;
}

KTEST(many_with_some_stopped_and_moved_stay_in_order)
{
	static struct callout c[MANY];
	uint32_t x = 12345;
	unsigned stopped = 0;

	last_time = called = out_of_order = 0;
	for (unsigned i = 0; i < MANY; i++) {
		x = x * 1103515245 + 12345;
		callout_init(&c[i], curmachine(), check_order, &c[i]);
		CHECK_EQ(callout_reset(&c[i], (x >> 8) % 1000000), 0);
	}
	for (unsigned i = 0; i < MANY; i += 3) {
		CHECK(callout_stop(&c[i]));
		CHECK(!callout_stop(&c[i]));
		stopped++;
	}
	for (unsigned i = 1; i < MANY; i += 3) {
		x = x * 1103515245 + 12345;
		CHECK_EQ(callout_reset(&c[i], (x >> 8) % 1000000), 0);
	}
	sleep_until(2 * MS);
	CHECK_EQ(called, MANY - stopped);
	CHECK_EQ(out_of_order, 0);
	CHECK_EQ(machine_next_event(curmachine()), UINT64_MAX);
}

static void
slow(void *arg)
{
	mark('(');
	sleep_until(machine_now(curmachine()) + 5 * MS);
	mark(')');
	(void)arg;
}

KTEST(a_running_callout_is_not_started_again)
{
	struct callout c, other;

	fresh_trail();
	callout_init(&c, curmachine(), slow, NULL);
	callout_init(&other, curmachine(), mark_letter, LETTER('x'));
	CHECK_EQ(callout_reset(&c, MS), 0);
	sleep_until(2 * MS);
	CHECK_EQ(callout_reset(&c, 3 * MS), 0);
	CHECK_EQ(callout_reset(&other, 4 * MS), 0);
	sleep_until(5 * MS);
	CHECK_STR(trail, "(x");
	CHECK(callout_pending(&c));
	sleep_until(8 * MS);
	CHECK_STR(trail, "(x)(");
	CHECK(!callout_pending(&c));
	callout_drain(&c);
	CHECK_STR(trail, "(x)()");
	CHECK_EQ(machine_now(curmachine()), 11 * MS);
}

static void
end_itself(void *arg)
{
	struct callout *c = arg;

	callout_drain(c);
	c->fn = NULL;
	c->running = true;
	mark('e');
}

KTEST(a_callout_may_end_itself)
{
	struct callout c;

	fresh_trail();
	callout_init(&c, curmachine(), end_itself, &c);
	CHECK_EQ(callout_reset(&c, MS), 0);
	sleep_until(2 * MS);
	CHECK_STR(trail, "e");
	/* nobody touched it afterwards */
	CHECK(c.running);
}

KTEST(one_in_the_past_is_called_soon_and_does_not_turn_back_the_clock)
{
	struct callout c;

	fresh_trail();
	sleep_until(3 * MS);
	callout_init(&c, curmachine(), mark_letter, LETTER('p'));
	CHECK_EQ(callout_reset(&c, MS), 0);
	CHECK_STR(trail, "");
	sleep_until(3 * MS + 1);
	CHECK_STR(trail, "p");
	CHECK_EQ(machine_now(curmachine()), 3 * MS + 1);
}

KTEST_SUITE(callout,
    T(they_are_called_in_order_of_time_and_of_arming),
    T(many_with_some_stopped_and_moved_stay_in_order),
    T(a_running_callout_is_not_started_again),
    T(a_callout_may_end_itself),
    T(one_in_the_past_is_called_soon_and_does_not_turn_back_the_clock));
