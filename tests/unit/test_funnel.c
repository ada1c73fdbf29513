/* kpi/funnel.c: what kexts of 10.1 to 10.3 take in place of locks. */
#include <kern/task.h>
#include <kern/thread.h>
#include <machine/spl.h>
#include <sys/proc.h>
#include <sys/systm.h>

#include "tests/unit/trail.h"

KTEST(a_funnel_is_taken_and_put_back)
{
	CHECK(thread_funnel_get() == NULL);
	CHECK_EQ(thread_funnel_set(network_flock, TRUE), FALSE);
	CHECK(thread_funnel_get() == network_flock);
	CHECK_EQ(thread_funnel_set(network_flock, TRUE), TRUE);
	CHECK_EQ(thread_funnel_set(network_flock, TRUE), TRUE);
	CHECK_EQ(thread_funnel_switch(NETWORK_FUNNEL, KERNEL_FUNNEL), TRUE);
	CHECK(thread_funnel_get() == kernel_flock);
	CHECK_EQ(thread_funnel_set(kernel_flock, FALSE), TRUE);
	CHECK_EQ(thread_funnel_set(kernel_flock, FALSE), FALSE);
	CHECK(thread_funnel_get() == NULL);
}

KTEST_PANICS(two_funnels_at_once_are_too_many, "takes the network's funnel while it holds the kernel's")
{
	thread_funnel_set(kernel_flock, TRUE);
	thread_funnel_set(network_flock, TRUE);
}

KTEST_PANICS(a_funnel_that_is_not_held_is_not_given_up,
    "gives up the network's funnel while it holds the kernel's")
{
	thread_funnel_set(kernel_flock, TRUE);
	thread_funnel_set(network_flock, FALSE);
}

KTEST_PANICS(a_funnel_that_is_not_held_is_not_switched, "from funnel 2 to 1 while it holds 0")
{
	thread_funnel_switch(NETWORK_FUNNEL, KERNEL_FUNNEL);
}

KTEST_PANICS(what_is_no_funnel_is_named, "is no funnel")
{
	thread_funnel_set((funnel_t *)(void *)trail, TRUE);
}

KTEST(levels_mask_nothing)
{
	thread_funnel_set(network_flock, TRUE);
	CHECK_EQ(splnet() + splimp() + spltty() + splhigh() + splbio() + splclock() + splsched() + splvm() +
	    splpower() + splsoftclock() + spl0(), 0);
	spllo();
	splx(7);
	thread_funnel_set(network_flock, FALSE);
}

KTEST_PANICS(a_level_needs_a_funnel, "splnet was called by thread")
{
	(void)splnet();
}

static void
take_the_funnel(void)
{
	CHECK_EQ(thread_funnel_set(network_flock, TRUE), FALSE);
	mark('a');
	(void)tsleep(take_the_funnel, PZERO, "funnel", 1);
	mark('c');
	CHECK(thread_funnel_get() == network_flock);
	CHECK_EQ(thread_funnel_set(network_flock, FALSE), TRUE);
}

/* Who sleeps lets others have its funnel, and has it again afterwards. */
KTEST(a_sleeper_is_in_nobodys_way)
{
	fresh_trail();
	CHECK_EQ(thread_funnel_set(network_flock, TRUE), FALSE);
	CHECK(kernel_thread(kernel_task, take_the_funnel) != THREAD_NULL);
	CHECK(current_act() == current_thread());
	(void)tsleep(trail, PZERO, "test", 1);
	mark('b');
	CHECK(thread_funnel_get() == network_flock);
	(void)tsleep(trail, PZERO, "test", 100);
	CHECK_STR(trail, "abc");
	CHECK_EQ(curmachine()->threads, 0);
	thread_funnel_set(network_flock, FALSE);
	CHECK(kernel_thread(kernel_task, NULL) == THREAD_NULL);
}

KTEST_SUITE(funnel, T(a_funnel_is_taken_and_put_back), T(two_funnels_at_once_are_too_many),
    T(a_funnel_that_is_not_held_is_not_given_up), T(a_funnel_that_is_not_held_is_not_switched),
    T(what_is_no_funnel_is_named), T(levels_mask_nothing), T(a_level_needs_a_funnel),
    T(a_sleeper_is_in_nobodys_way));
