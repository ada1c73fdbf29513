/*
 * Several machines in one process, from the outside: in worlds of their own, each on a host thread of
 * its own; in one world; while they panic, are destroyed under somebody, or run in real time.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/machines_core.h"

#define MS		UINT64_C(1000000)
#define EFAULT_DARWIN	14
#define ENOMEM_DARWIN	12
#define AWAKENED	0
#define TIMED_OUT	1
#define RESTART		3

static struct nke *
make(const char *name, enum core_time time, struct world *w)
{
	struct core_config config = {.time = time, .seed = 1, .checked = true};
	struct nke *m;

	snprintf(config.name, sizeof config.name, "%s", name);
	assert_int_equal(machine_create(&config, w, &m), 0);
	return m;
}

static struct world *
make_world(enum core_time time)
{
	struct core_config config = {.time = time, .seed = 1};
	struct world *w;

	assert_int_equal(world_create(&config, &w), 0);
	return w;
}

static void
pause_ms(unsigned ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* ---- worlds of their own ------------------------------------------------------------------ */

struct driver {
	struct nke *machine;
	uint64_t ns;
	struct step counter;
	bool failed;
};

static void *
drive(void *arg)
{
	struct driver *d = arg;
	struct step s = {.ns = d->ns};

	for (int i = 0; i < 200; i++) {
		if (machine_call(d->machine, step_sleep, &s) != 0 || s.result != TIMED_OUT)
			d->failed = true;
	}
	return NULL;
}

/*
 *	[ A ] world 1, host thread 1          [ B ] world 2, host thread 2
 */
static void
separate_worlds_have_separate_clocks(void **state)
{
	struct driver d[2] = {{make("a", CORE_TIME_VIRTUAL, NULL), MS, {.ns = MS}, false},
	    {make("b", CORE_TIME_VIRTUAL, NULL), 3 * MS, {.ns = 2 * MS}, false}};
	pthread_t t[2];

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(machine_call(d[i].machine, step_thread_counts, &d[i].counter), 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, drive, &d[i]);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(machine_uptime(d[0].machine), 200 * MS);
	assert_int_equal(machine_uptime(d[1].machine), 600 * MS);
	assert_in_range(d[0].counter.count, 199, 200);
	assert_in_range(d[1].counter.count, 299, 300);
	for (int i = 0; i < 2; i++) {
		assert_false(d[i].failed);
		machine_destroy(d[i].machine);
	}
}

/* ---- one world ---------------------------------------------------------------------------- */

/*
 *	[ A ]---- one world, one clock ----[ B ]
 */
static void
machines_of_one_world_share_its_clock(void **state)
{
	struct world *w = make_world(CORE_TIME_VIRTUAL);
	struct nke *a = make("a", CORE_TIME_VIRTUAL, w), *b = make("b", CORE_TIME_VIRTUAL, w);
	struct step counter = {.ns = 2 * MS}, s = {.ns = 10 * MS, .other = b};

	(void)state;
	world_destroy(w);
	assert_int_equal(machine_call(b, step_thread_counts, &counter), 0);
	assert_int_equal(machine_call(a, step_sleep, &s), 0);
	assert_int_equal(machine_uptime(b), 10 * MS);
	assert_in_range(counter.count, 4, 5);
	/* from inside A into B and back */
	assert_int_equal(machine_call(a, step_call_other, &s), 0);
	assert_int_equal(s.result, 0);
	assert_true(s.flag);
	assert_int_equal(machine_uptime(a), 20 * MS);
	machine_destroy(b);
	assert_int_equal(machine_call(a, step_sleep, &s), 0);
	machine_destroy(a);
}

static void
one_machines_panic_leaves_the_other_alone(void **state)
{
	struct world *w = make_world(CORE_TIME_VIRTUAL);
	struct nke *a = make("a", CORE_TIME_VIRTUAL, w), *b = make("b", CORE_TIME_VIRTUAL, w);
	struct step s = {.other = b, .ns = MS}, timer = {.ns = 0};

	(void)state;
	world_destroy(w);
	/* B panics while A's caller runs what became due, and what comes after still runs */
	assert_int_equal(machine_call(a, step_softintr_panic, &s), 0);
	assert_int_equal(s.result, 0);
	assert_true(machine_panicked(b));
	assert_false(machine_panicked(a));
	assert_non_null(strstr(machine_panic_report(b), "machine: b\n"));
	assert_string_equal(machine_panic_report(a), "");
	assert_int_equal(machine_call(b, step_nothing, NULL), EFAULT_DARWIN);
	assert_int_equal(machine_call(a, step_arm, &timer), 0);
	assert_true(timer.flag);
	assert_int_equal(machine_call(a, step_call_other, &s), 0);
	assert_int_equal(s.result, EFAULT_DARWIN);
	machine_destroy(b);
	machine_destroy(a);
}

static void
a_callback_counts_as_inside_while_it_is_in_another_machine(void **state)
{
	struct world *w = make_world(CORE_TIME_VIRTUAL);
	struct nke *a = make("a", CORE_TIME_VIRTUAL, w), *b = make("b", CORE_TIME_VIRTUAL, w);
	struct step s = {.other = b};

	(void)state;
	world_destroy(w);
	assert_int_equal(machine_call(a, step_inside, &s), 0);
	assert_int_equal(s.result, 0);
	assert_true(s.flag);
	machine_destroy(a);
	machine_destroy(b);
}

/*
 * A worker in B's code is on a visit in A when B is destroyed: B stays until it is back.
 */
static void
destroy_during_a_visit(enum core_time time)
{
	struct world *w = make_world(time);
	struct nke *a = make("a", time, w), *b = make("b", time, w);
	struct step s = {.other = a, .ns = 50 * MS};

	world_destroy(w);
	assert_int_equal(machine_call(b, step_arm_visitor, &s), 0);
	if (time == CORE_TIME_REAL)
		pause_ms(20);
	assert_int_equal(machine_run_until(b, 2 * MS), 0);
	machine_destroy(b);
	assert_int_equal(s.count, 1);
	assert_true(machine_uptime(a) >= 50 * MS);
	machine_destroy(a);
}

static void
a_machine_waits_for_who_is_on_a_visit(void **state)
{
	(void)state;
	destroy_during_a_visit(CORE_TIME_VIRTUAL);
	destroy_during_a_visit(CORE_TIME_REAL);
}

/* ---- panics ------------------------------------------------------------------------------- */

struct caller {
	struct nke *machine;
	void (*fn)(void *);
	struct step step;
	int error;
	pthread_t thread;
};

static void *
call(void *arg)
{
	struct caller *c = arg;

	c->error = machine_call(c->machine, c->fn, &c->step);
	return NULL;
}

static void
a_panic_throws_out_who_is_blocked(void **state)
{
	struct nke *m = make("a", CORE_TIME_REAL, NULL);
	struct caller c = {.machine = m, .fn = step_wait};
	struct step waiter = {.ns = 0};

	(void)state;
	assert_int_equal(machine_call(m, step_thread_waits, &waiter), 0);
	pthread_create(&c.thread, NULL, call, &c);
	pause_ms(20);
	assert_int_equal(machine_call(m, step_panic, NULL), EFAULT_DARWIN);
	pthread_join(c.thread, NULL);
	assert_int_equal(c.error, EFAULT_DARWIN);
	assert_int_equal(machine_call(m, step_nothing, NULL), EFAULT_DARWIN);
	assert_non_null(strstr(machine_panic_report(m), "the test panics"));
	machine_destroy(m);
}

static void
a_kernel_threads_panic_ends_the_call(void **state)
{
	struct nke *m = make("a", CORE_TIME_VIRTUAL, NULL);
	struct step panics = {.ns = 5 * MS}, s = {.ns = 0};

	(void)state;
	assert_int_equal(machine_call(m, step_thread_panics, &panics), 0);
	assert_int_equal(machine_call(m, step_wait, &s), EFAULT_DARWIN);
	assert_int_equal(machine_uptime(m), 5 * MS);
	machine_destroy(m);
}

static void
a_hopeless_wait_comes_back(void **state)
{
	struct nke *m = make("a", CORE_TIME_VIRTUAL, NULL);
	struct step s = {.ns = 0};

	(void)state;
	assert_int_equal(machine_call(m, step_wait, &s), 0);
	assert_int_equal(s.result, RESTART);
	machine_destroy(m);
}

static void
hopeless_waits_of_separate_calls_do_not_add_up(void **state)
{
	struct nke *m = make("a", CORE_TIME_VIRTUAL, NULL);
	struct step s = {.ns = 0};

	(void)state;
	for (int i = 0; i < 50; i++) {
		assert_int_equal(machine_call(m, step_wait, &s), 0);
		assert_int_equal(s.result, RESTART);
	}
	machine_destroy(m);
}

static void
a_wait_that_is_left_behind_is_named(void **state)
{
	struct nke *m = make("a", CORE_TIME_VIRTUAL, NULL);
	struct step s = {.ns = MS};

	(void)state;
	assert_int_equal(machine_call(m, step_assert_wait, &s), EFAULT_DARWIN);
	assert_non_null(strstr(machine_panic_report(m), "waits for the test's event"));
	machine_destroy(m);
}

/* ---- driving time ------------------------------------------------------------------------- */

static void
run_until_runs_what_is_due_and_stops_there(void **state)
{
	struct nke *m = make("a", CORE_TIME_VIRTUAL, NULL);
	struct step timer = {.ns = 5 * MS}, counter = {.ns = 2 * MS}, late = {.ns = 50 * MS};

	(void)state;
	assert_int_equal(machine_call(m, step_arm, &timer), 0);
	assert_int_equal(machine_call(m, step_arm, &late), 0);
	assert_int_equal(machine_call(m, step_thread_counts, &counter), 0);
	assert_int_equal(machine_next_event(m), 2 * MS);
	/* a call that does not block does not move the clock */
	assert_int_equal(machine_call(m, step_nothing, NULL), 0);
	assert_int_equal(machine_uptime(m), 0);
	assert_int_equal(machine_run_until(m, 5 * MS), 0);
	assert_true(timer.flag);
	assert_int_equal(timer.uptime, 5 * MS);
	assert_int_equal(counter.count, 2);
	assert_int_equal(machine_uptime(m), 5 * MS);
	assert_int_equal(machine_run_until(m, 21 * MS), 0);
	assert_int_equal(counter.count, 10);
	assert_int_equal(machine_uptime(m), 21 * MS);
	assert_false(late.flag);
	/* never back */
	assert_int_equal(machine_run_until(m, 3 * MS), 0);
	assert_int_equal(machine_uptime(m), 21 * MS);
	machine_destroy(m);
}

static void
run_until_the_end_runs_what_there_is(void **state)
{
	struct nke *m = make("a", CORE_TIME_VIRTUAL, NULL);
	struct step timer = {.ns = 5 * MS};

	(void)state;
	assert_int_equal(machine_run_until(m, UINT64_MAX), 0);
	assert_int_equal(machine_uptime(m), 0);
	assert_int_equal(machine_call(m, step_arm, &timer), 0);
	assert_int_equal(machine_run_until(m, UINT64_MAX), 0);
	assert_int_equal(timer.uptime, 5 * MS);
	assert_int_equal(machine_uptime(m), 5 * MS);
	machine_destroy(m);
}

static void
run_until_reports_a_panic(void **state)
{
	struct nke *m = make("a", CORE_TIME_VIRTUAL, NULL);
	struct step s = {.ns = 5 * MS};

	(void)state;
	assert_int_equal(machine_call(m, step_arm_panic, &s), 0);
	assert_int_equal(machine_run_until(m, 10 * MS), EFAULT_DARWIN);
	assert_int_equal(machine_uptime(m), 5 * MS);
	machine_destroy(m);
}

/* ---- real time ---------------------------------------------------------------------------- */

static void
real_time_wakes_by_itself(void **state)
{
	struct nke *m = make("a", CORE_TIME_REAL, NULL);
	struct step timer = {.ns = 20 * MS}, counter = {.ns = 10 * MS}, s = {.ns = 5 * MS};

	(void)state;
	assert_int_equal(machine_call(m, step_sleep, &s), 0);
	assert_int_equal(s.result, TIMED_OUT);
	assert_int_equal(machine_call(m, step_arm, &timer), 0);
	assert_int_equal(machine_call(m, step_thread_counts, &counter), 0);
	pause_ms(300);
	assert_int_equal(machine_call(m, step_nothing, &s), 0);
	assert_true(timer.flag);
	assert_in_range(timer.uptime, 20 * MS, 250 * MS);
	assert_in_range(counter.count, 5, 30);
	s.ns = 30 * MS;
	assert_int_equal(machine_call(m, step_sleep, &s), 0);
	assert_int_equal(s.result, TIMED_OUT);
	machine_destroy(m);
}

static void
real_time_goes_on_while_a_callout_sleeps(void **state)
{
	struct nke *m = make("a", CORE_TIME_REAL, NULL);
	struct step sleeper = {.ns = 20 * MS}, timer = {.ns = 10 * MS};

	(void)state;
	assert_int_equal(machine_call(m, step_arm_sleeper, &sleeper), 0);
	assert_int_equal(machine_call(m, step_arm, &timer), 0);
	pause_ms(300);
	assert_int_equal(machine_call(m, step_nothing, NULL), 0);
	assert_true(sleeper.flag);
	assert_in_range(sleeper.uptime, 20 * MS, 250 * MS);
	assert_true(timer.flag);
	assert_in_range(timer.uptime, 10 * MS, 250 * MS);
	machine_destroy(m);
}

static void
one_host_thread_wakes_another(void **state)
{
	struct nke *m = make("a", CORE_TIME_REAL, NULL);
	struct caller c = {.machine = m, .fn = step_wait};

	(void)state;
	pthread_create(&c.thread, NULL, call, &c);
	while (c.step.count == 0) {
		assert_int_equal(machine_call(m, step_wakeup, &c.step), 0);
		pause_ms(1);
	}
	pthread_join(c.thread, NULL);
	assert_int_equal(c.error, 0);
	assert_int_equal(c.step.result, AWAKENED);
	machine_destroy(m);
}

static void
destroying_sends_everybody_out(void **state)
{
	struct nke *m = make("a", CORE_TIME_REAL, NULL);
	struct caller c = {.machine = m, .fn = step_wait};
	struct step waits = {.ns = 0}, counts = {.ns = MS};

	(void)state;
	assert_int_equal(machine_call(m, step_thread_waits, &waits), 0);
	assert_int_equal(machine_call(m, step_thread_counts, &counts), 0);
	pthread_create(&c.thread, NULL, call, &c);
	pause_ms(20);
	machine_destroy(m);
	pthread_join(c.thread, NULL);
	assert_int_equal(c.error, EFAULT_DARWIN);
}

/* ---- many callers ------------------------------------------------------------------------- */

#define CALLERS	4
#define CALLS	5000

struct crowd {
	struct nke *machine;
	struct step *shared;
	struct step own;
	pthread_t thread;
};

static void *
call_often(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < CALLS; i++) {
		machine_call(c->machine, step_count_slowly, c->shared);
		if (i % 500 == 0)
			machine_call(c->machine, step_sleep, &c->own);
	}
	return NULL;
}

static void
crowd_in(enum core_time time)
{
	struct nke *m = make("a", time, NULL);
	struct step shared = {.ns = 0};
	struct crowd c[CALLERS];

	for (int i = 0; i < CALLERS; i++) {
		c[i] = (struct crowd){.machine = m, .shared = &shared, .own = {.ns = MS / 10}};
		pthread_create(&c[i].thread, NULL, call_often, &c[i]);
	}
	for (int i = 0; i < CALLERS; i++)
		pthread_join(c[i].thread, NULL);
	assert_int_equal(shared.count, CALLERS * CALLS);
	machine_destroy(m);
}

static void
many_host_threads_take_turns(void **state)
{
	(void)state;
	crowd_in(CORE_TIME_VIRTUAL);
	crowd_in(CORE_TIME_REAL);
}

/* ---- the same again ----------------------------------------------------------------------- */

static unsigned
race_with(uint64_t seed, bool random)
{
	struct core_config config = {.name = "race", .seed = seed, .sched_random = random};
	struct step s = {.ns = 0};
	struct nke *m;

	assert_int_equal(machine_create(&config, NULL, &m), 0);
	assert_int_equal(machine_call(m, step_race, &s), 0);
	machine_destroy(m);
	return s.count;
}

static void
the_same_seed_gives_the_same_order(void **state)
{
	(void)state;
	assert_int_equal(race_with(1, true), race_with(1, true));
	assert_int_not_equal(race_with(1, true), race_with(2, true));
	assert_int_equal(race_with(1, false), race_with(2, false));
}

static void
every_allocation_may_fail(void **state)
{
	struct core_config config = {.name = "poor"};
	struct core_memory memory;
	struct nke *m = make("rich", CORE_TIME_VIRTUAL, NULL);

	(void)state;
	machine_memory(m, &memory);
	machine_destroy(m);
	for (uint64_t n = 1; n <= memory.allocations; n++) {
		int error;

		config.fail_alloc = n;
		m = NULL;
		error = machine_create(&config, NULL, &m);
		if (error != 0)
			assert_int_equal(error, ENOMEM_DARWIN);
		else
			machine_destroy(m);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(separate_worlds_have_separate_clocks),
		cmocka_unit_test(machines_of_one_world_share_its_clock),
		cmocka_unit_test(one_machines_panic_leaves_the_other_alone),
		cmocka_unit_test(a_callback_counts_as_inside_while_it_is_in_another_machine),
		cmocka_unit_test(a_machine_waits_for_who_is_on_a_visit),
		cmocka_unit_test(a_panic_throws_out_who_is_blocked),
		cmocka_unit_test(a_kernel_threads_panic_ends_the_call),
		cmocka_unit_test(a_hopeless_wait_comes_back),
		cmocka_unit_test(hopeless_waits_of_separate_calls_do_not_add_up),
		cmocka_unit_test(a_wait_that_is_left_behind_is_named),
		cmocka_unit_test(run_until_runs_what_is_due_and_stops_there),
		cmocka_unit_test(run_until_the_end_runs_what_there_is),
		cmocka_unit_test(run_until_reports_a_panic),
		cmocka_unit_test(real_time_wakes_by_itself),
		cmocka_unit_test(real_time_goes_on_while_a_callout_sleeps),
		cmocka_unit_test(one_host_thread_wakes_another),
		cmocka_unit_test(destroying_sends_everybody_out),
		cmocka_unit_test(many_host_threads_take_turns),
		cmocka_unit_test(the_same_seed_gives_the_same_order),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests_name("machines", tests, NULL, NULL);
}
