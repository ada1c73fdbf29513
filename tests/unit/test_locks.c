/* src/kern/lock.c through kpi/locks.c, and msleep: who holds what, and what is said when not. */
#include <kern/locks.h>
#include <sys/proc.h>
#include <sys/systm.h>

#include "src/kern/gate.h"
#include "src/kern/lock.h"
#include "src/kern/sched.h"
#include "tests/unit/ktest.h"
#include "tests/unit/trail.h"


static lck_grp_t *group;
static lck_mtx_t *mutex;
static lck_rw_t *rw;
static void
set_up(void)
{
	fresh_trail();
	group = lck_grp_alloc_init("com.example.locks", LCK_GRP_ATTR_NULL);
	mutex = lck_mtx_alloc_init(group, LCK_ATTR_NULL);
	rw = lck_rw_alloc_init(group, LCK_ATTR_NULL);
	CHECK(group != NULL && mutex != NULL && rw != NULL);
}

static void
tear_down(void)
{
	lck_mtx_free(mutex, group);
	lck_rw_free(rw, group);
	lck_grp_free(group);
	CHECK_EQ(curthread()->locks_held, 0);
}

/* ---- mutexes ------------------------------------------------------------------------------ */

static void
lock_mark_unlock(void *name, wait_result_t result)
{
	(void)result;
	lck_mtx_lock(mutex);
	mark(LETTER_OF(name));
	sleep_for(1 * MS);
	lck_mtx_unlock(mutex);
}

KTEST(a_mutex_is_handed_on_first_come_first_served)
{
	set_up();
	lck_mtx_lock(mutex);
	start(lock_mark_unlock, LETTER('a'));
	start(lock_mark_unlock, LETTER('b'));
	start(lock_mark_unlock, LETTER('c'));
	sleep_for(1 * MS);
	CHECK_STR(trail, "");
	lck_mtx_unlock(mutex);
	/* handed on already: whoever comes back queues up */
	lck_mtx_lock(mutex);
	mark('m');
	lck_mtx_unlock(mutex);
	CHECK_STR(trail, "abcm");
	CHECK_EQ(((struct lock_group *)group)->contended, 4);
	tear_down();
}

KTEST(a_mutex_in_own_memory_works_without_a_group)
{
	lck_mtx_t own;

	lck_mtx_init(&own, NULL, NULL);
	lck_mtx_lock(&own);
	lck_mtx_assert(&own, LCK_MTX_ASSERT_OWNED);
	lck_mtx_unlock(&own);
	lck_mtx_assert(&own, LCK_MTX_ASSERT_NOTOWNED);
	lck_mtx_destroy(&own, NULL);
}

KTEST_PANICS(taking_a_mutex_twice_is_named, "of group \"com.example.locks\" was to be taken by thread "
    "\"host1\", but it is held by that same thread")
{
	set_up();
	lck_mtx_lock(mutex);
	lck_mtx_lock(mutex);
}

KTEST_PANICS(unlocking_a_free_mutex_is_named, "but nobody holds it")
{
	set_up();
	lck_mtx_unlock(mutex);
}

static void
lock_and_sleep(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	lck_mtx_lock(mutex);
	sched_block(&trail, 0, false, "for ever");
}

KTEST_PANICS(unlocking_anothers_mutex_is_named, "it is held by thread \"kernel_thread2\"")
{
	set_up();
	start(lock_and_sleep, NULL);
	sched_pass();
	lck_mtx_unlock(mutex);
}

KTEST_PANICS(a_deadlock_names_lock_and_holder, "held by thread kernel_thread2, and nothing can happen")
{
	set_up();
	start(lock_and_sleep, NULL);
	sched_pass();
	lck_mtx_lock(mutex);
}

KTEST_PANICS(freeing_a_held_mutex_is_named, "was to be destroyed")
{
	set_up();
	lck_mtx_lock(mutex);
	lck_mtx_free(mutex, group);
}

KTEST_PANICS(a_destroyed_mutex_is_named, "it has been destroyed")
{
	lck_mtx_t own;

	lck_mtx_init(&own, NULL, NULL);
	lck_mtx_destroy(&own, NULL);
	lck_mtx_lock(&own);
}

KTEST_PANICS(a_freed_mutex_is_named, "there is no lock")
{
	set_up();
	lck_mtx_free(mutex, group);
	lck_mtx_lock(mutex);
}

KTEST_PANICS(an_assertion_about_a_mutex_is_named, "is not held by thread")
{
	set_up();
	lck_mtx_assert(mutex, LCK_MTX_ASSERT_OWNED);
}

static void
keep_lock(void)
{
	GATE_CALL(NULL, "iff_input", NULL, lck_mtx_lock(mutex));
}

KTEST_PANICS(a_lock_kept_by_a_callback_is_named, "iff_input of kernel returned while it still held 1 lock")
{
	set_up();
	keep_lock();
}

KTEST_PANICS(a_lock_kept_by_a_call_is_named, "a call into the machine returned with 1 lock still held")
{
	set_up();
	lck_mtx_lock(mutex);
}

KTEST(a_group_lives_as_long_as_its_locks)
{
	set_up();
	lck_grp_free(group);
	lck_mtx_lock(mutex);
	lck_mtx_unlock(mutex);
	lck_mtx_free(mutex, group);
	lck_rw_free(rw, group);
}

/* ---- spin locks --------------------------------------------------------------------------- */

KTEST_PANICS(sleeping_under_a_spin_lock_is_named, "while it holds a spin lock")
{
	lck_spin_t *spin;

	set_up();
	spin = lck_spin_alloc_init(group, NULL);
	lck_spin_lock(spin);
	sleep_for(1 * MS);
}

KTEST(a_spin_lock_sleep_lets_it_go)
{
	lck_spin_t *spin;

	set_up();
	spin = lck_spin_alloc_init(group, NULL);
	lck_spin_lock(spin);
	CHECK_EQ(lck_spin_sleep_deadline(spin, LCK_SLEEP_DEFAULT, &trail, THREAD_UNINT, 3 * MS),
	    THREAD_TIMED_OUT);
	CHECK_EQ(curthread()->spins_held, 1);
	lck_spin_unlock(spin);
	CHECK_EQ(curthread()->spins_held, 0);
	lck_spin_free(spin, group);
	tear_down();
}

/* ---- read-write locks --------------------------------------------------------------------- */

static void
read_mark(void *name, wait_result_t result)
{
	(void)result;
	lck_rw_lock_shared(rw);
	mark(LETTER_OF(name));
	sleep_for(2 * MS);
	lck_rw_unlock_shared(rw);
}

static void
write_mark(void *name, wait_result_t result)
{
	(void)result;
	lck_rw_lock_exclusive(rw);
	mark(LETTER_OF(name));
	sleep_for(2 * MS);
	lck_rw_unlock_exclusive(rw);
}

KTEST(readers_share_and_queue_behind_a_writer)
{
	set_up();
	lck_rw_lock_shared(rw);
	start(read_mark, LETTER('1'));
	start(write_mark, LETTER('W'));
	start(read_mark, LETTER('2'));
	start(read_mark, LETTER('3'));
	sleep_for(1 * MS);
	CHECK_STR(trail, "1");
	CHECK(!lck_rw_try_lock(rw, LCK_RW_TYPE_SHARED));
	lck_rw_unlock_shared(rw);
	sleep_for(2 * MS);
	CHECK_STR(trail, "1W");
	sleep_for(3 * MS);
	CHECK_STR(trail, "1W23");
	lck_rw_lock(rw, LCK_RW_TYPE_EXCLUSIVE);
	CHECK(!lck_rw_try_lock(rw, LCK_RW_TYPE_EXCLUSIVE));
	lck_rw_unlock(rw, LCK_RW_TYPE_EXCLUSIVE);
	tear_down();
}

KTEST(the_only_reader_upgrades_at_once_the_second_loses)
{
	set_up();
	lck_rw_lock_shared(rw);
	CHECK(lck_rw_lock_shared_to_exclusive(rw));
	start(read_mark, LETTER('r'));
	sched_pass();
	CHECK_STR(trail, "");
	lck_rw_lock_exclusive_to_shared(rw);
	sched_pass();
	CHECK_STR(trail, "r");
	/* waits for the other reader to go */
	CHECK(lck_rw_lock_shared_to_exclusive(rw));
	CHECK(machine_now(curmachine()) >= 2 * MS);
	lck_rw_unlock_exclusive(rw);
	tear_down();
}

static void
upgrade_mark(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	lck_rw_lock_shared(rw);
	mark(lck_rw_lock_shared_to_exclusive(rw) ? 'U' : '-');
	if (lock_mine((struct lock_word *)(void *)rw))
		lck_rw_unlock_exclusive(rw);
}

KTEST(two_upgrades_cannot_both_win)
{
	set_up();
	lck_rw_lock_shared(rw);
	start(upgrade_mark, NULL);
	sched_pass();
	CHECK(!lck_rw_lock_shared_to_exclusive(rw));
	sched_pass();
	CHECK_STR(trail, "U");
	tear_down();
}

KTEST(rw_sleep_retakes_the_lock_as_told)
{
	set_up();
	lck_rw_lock_shared(rw);
	CHECK_EQ(lck_rw_sleep_deadline(rw, LCK_SLEEP_EXCLUSIVE, &trail, THREAD_UNINT, MS),
	    THREAD_TIMED_OUT);
	CHECK(!lck_rw_try_lock(rw, LCK_RW_TYPE_SHARED));
	lck_rw_unlock_exclusive(rw);
	tear_down();
}

/* ---- msleep ------------------------------------------------------------------------------- */

static void
wake_trail(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	lck_mtx_lock(mutex);
	mark('w');
	wakeup(&trail);
	lck_mtx_unlock(mutex);
}

KTEST(msleep_lets_the_mutex_go_and_takes_it_again)
{
	set_up();
	lck_mtx_lock(mutex);
	start(wake_trail, NULL);
	CHECK_EQ(msleep(&trail, mutex, PZERO, "trail", NULL), 0);
	CHECK_STR(trail, "w");
	lck_mtx_assert(mutex, LCK_MTX_ASSERT_OWNED);
	lck_mtx_unlock(mutex);
	tear_down();
}

KTEST(msleep_times_out_and_drops)
{
	struct timespec ts = {1, 500};

	set_up();
	lck_mtx_lock(mutex);
	CHECK_EQ(msleep(&trail, mutex, PZERO | PDROP, "trail", &ts), EWOULDBLOCK);
	CHECK_EQ(machine_now(curmachine()), 1000000500);
	lck_mtx_assert(mutex, LCK_MTX_ASSERT_NOTOWNED);
	tear_down();
}

KTEST(msleep_for_ever_says_deadlock)
{
	struct timespec never = {0, 0};

	set_up();
	lck_mtx_lock(mutex);
	CHECK_EQ(msleep(&trail, mutex, PZERO, "godot", &never), EDEADLK);
	CHECK(ktest_log_contains("waits for godot"));
	lck_mtx_unlock(mutex);
	tear_down();
}

KTEST_PANICS(msleep_without_its_mutex_is_named, "msleep (trail) was called by thread")
{
	set_up();
	msleep(&trail, mutex, PZERO, "trail", NULL);
}

KTEST_SUITE(locks,
    T(a_mutex_is_handed_on_first_come_first_served),
    T(a_mutex_in_own_memory_works_without_a_group),
    T(taking_a_mutex_twice_is_named),
    T(unlocking_a_free_mutex_is_named),
    T(unlocking_anothers_mutex_is_named),
    T(a_deadlock_names_lock_and_holder),
    T(freeing_a_held_mutex_is_named),
    T(a_destroyed_mutex_is_named),
    T(a_freed_mutex_is_named),
    T(an_assertion_about_a_mutex_is_named),
    T(a_lock_kept_by_a_callback_is_named),
    T(a_lock_kept_by_a_call_is_named),
    T(a_group_lives_as_long_as_its_locks),
    T(sleeping_under_a_spin_lock_is_named),
    T(a_spin_lock_sleep_lets_it_go),
    T(readers_share_and_queue_behind_a_writer),
    T(the_only_reader_upgrades_at_once_the_second_loses),
    T(two_upgrades_cannot_both_win),
    T(rw_sleep_retakes_the_lock_as_told),
    T(msleep_lets_the_mutex_go_and_takes_it_again),
    T(msleep_times_out_and_drops),
    T(msleep_for_ever_says_deadlock),
    T(msleep_without_its_mutex_is_named));
