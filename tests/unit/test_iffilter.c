/* iffilter/iffilter.c, kpi/kpi_interfacefilter.c: attaching, detaching, counting. */
#include "iffilter/iffilter.h"
#include "tests/unit/dlil_testing.h"

static struct ifnet *the;
static interface_filter_t refs[4];
/* Run by the filter of that name ('a' ...) in its input function, once. */
static void (*hooks[4])(void);
static errno_t result;

static errno_t
on_input(void *cookie, struct ifnet *ifp, protocol_family_t family, struct mbuf **m, char **hdr)
{
	const char *name = cookie;
	void (*hook)(void) = hooks[*name - 'a'];

	(void)ifp;
	(void)family;
	(void)hdr;
	note("%s:%c", name, name_of(*m));
	hooks[*name - 'a'] = NULL;
	if (hook != NULL)
		hook();
	note("%s.", name);
	if (result == EJUSTRETURN)
		m_freem(*m);
	return result;
}

static void
on_detached(void *cookie, struct ifnet *ifp)
{
	CHECK(ifp == the);
	note("%s-gone", (const char *)cookie);
}

static void
attach(const char *name)
{
	struct iff_filter f = {
		.iff_cookie = (void *)(uintptr_t)name, .iff_name = name, .iff_input = on_input,
		.iff_detached = on_detached,
	};

	CHECK_EQ(iflt_attach(the, &f, &refs[*name - 'a']), 0);
}

static void
prepare(void)
{
	the = attached_interface("x", 0);
	memset(hooks, 0, sizeof hooks);
	result = 0;
}

static void
input(const char *text)
{
	dlil_input_now(the, packet_in(the, text, strlen(text), 1));
}

KTEST(attach_checks_the_interface)
{
	struct ifnet_init_params params = driver_params("x", 0);
	struct iff_filter f = {.iff_name = "f"};

	CHECK_EQ(ifnet_allocate(&params, &the), 0);
	CHECK_EQ(iflt_attach(NULL, &f, &refs[0]), ENOENT);
	CHECK_EQ(iflt_attach(the, &f, &refs[0]), ENXIO);
	iflt_detach(NULL);
	iflt_detach((interface_filter_t)(uintptr_t)999);
}

KTEST(detach_from_outside_is_done_when_it_returns)
{
	prepare();
	attach("a");
	attach("b");
	CHECK_EQ(curmachine()->filter_count, 2);
	iflt_detach(refs[0]);
	CHECK_STR(said(), "a-gone");
	iflt_detach(refs[0]);		/* a stale reference is known as such */
	input("?1");
	CHECK_STR(said(), "b:1 b.");
	iflt_detach(refs[1]);
	CHECK_STR(said(), "b-gone");
	CHECK_EQ(curmachine()->filter_count, 0);
	input("?1");
	CHECK_STR(said(), "");
}

static void
detach_a(void)
{
	iflt_detach(refs[0]);
}

static void
detach_b(void)
{
	iflt_detach(refs[1]);
}

static void
attach_c(void)
{
	attach("c");
}

KTEST_UNCHECKED(a_filter_can_detach_itself)
{
	prepare();
	attach("a");
	attach("b");
	hooks[0] = detach_a;
	input("?1");
	CHECK_STR(said(), "a:1 a. b:1 b. a-gone");
	input("?2");
	CHECK_STR(said(), "b:2 b.");
}

KTEST_UNCHECKED(a_filter_can_detach_others)
{
	prepare();
	attach("a");
	attach("b");
	hooks[0] = detach_b;
	input("?1");
	CHECK_STR(said(), "a:1 a. b-gone");
	attach("b");
	hooks[1] = detach_a;
	input("?2");
	CHECK_STR(said(), "a:2 a. b:2 b. a-gone");
}

KTEST_UNCHECKED(a_filter_attached_in_a_callback_waits_for_the_next_packet)
{
	prepare();
	attach("a");
	hooks[0] = attach_c;
	input("?1");
	CHECK_STR(said(), "a:1 a.");
	input("?2");
	CHECK_STR(said(), "a:2 a. c:2 c.");
}

static void
nested_input(void)
{
	hooks[1] = detach_a;
	input("?n");
}

KTEST_UNCHECKED(a_detach_deep_in_nested_calls_waits_for_the_outermost)
{
	prepare();
	attach("a");
	attach("b");
	hooks[0] = nested_input;
	input("?1");
	CHECK_STR(said(), "a:1 a:n a. b:n b. a. b:1 b. a-gone");
}

static void
sleep_long(void)
{
	sched_block(NULL, machine_now(curmachine()) + 5000000, false, "a filter sleeps");
}

static void
other_thread(void *arg, wait_result_t r)
{
	(void)arg;
	(void)r;
	input("?1");
	note("input-done");
}

KTEST(detach_waits_for_callbacks_of_other_threads)
{
	struct thread *t;

	prepare();
	attach("a");
	attach("b");
	hooks[0] = sleep_long;
	CHECK_EQ(kthread_create(other_thread, NULL, &t), 0);
	settle();
	CHECK_STR(said(), "a:1");
	iflt_detach(refs[1]);
	/* In this thread, after the other one left the filters; b was skipped. */
	CHECK_STR(said(), "a. input-done b-gone");
	settle();
	kthread_release(t);
}

static void
detach_interface(void)
{
	CHECK_EQ(ifnet_detach(the), 0);
}

KTEST(the_interface_goes_after_the_filters_callback)
{
	prepare();
	attach("a");
	attach("b");
	hooks[0] = detach_interface;
	input("?1");
	CHECK_STR(said(), "a:1 a. b:1 b.");
	settle();
	CHECK_STR(said(), "a-gone b-gone detached");
	iflt_detach(refs[0]);
	CHECK_EQ(curmachine()->filter_count, 0);
}

static struct filter_counters
counters_of(const char *name)
{
	const struct iff_entry *e;

	TAILQ_FOREACH(e, &the->filters, link)
		if (e->filter.iff_cookie == (const void *)name)
			return e->counters;
	CHECK(false);
	return (struct filter_counters){0};
}

KTEST(each_filter_counts_what_it_did)
{
	static const char a[] = "a";
	struct filter_counters c;

	prepare();
	attach(a);
	input("?1");
	input("?2");
	result = EJUSTRETURN;
	input("?3");
	result = EPERM;
	input("?4");
	c = counters_of(a);
	CHECK_EQ(c.seen_in, 4);
	CHECK_EQ(c.seen_out, 0);
	CHECK_EQ(filter_passed(&c), 2);
	CHECK_EQ(c.swallowed, 1);
	CHECK_EQ(c.dropped, 1);
	CHECK_EQ(filter_calls(&c), 4);
	CHECK_EQ(c.sampled_calls, 4);
}

/* ---- one filter, in a machine that nobody watches: the short way --------------------------- */

/* Attaches a filter whose calls need not be measured any more; one has been counted each way. */
static struct iff_entry *
attach_short(const char *name)
{
	struct iff_entry *e;

	curmachine()->checked = false;
	attach(name);
	e = TAILQ_LAST(&the->filters, iff_head);
	e->counters.sparse = UINT64_MAX;
	e->counters.seen_in = e->counters.seen_out = 1;
	return e;
}

KTEST(the_short_way_counts_the_same)
{
	struct iff_entry *e;

	prepare();
	e = attach_short("a");
	CHECK(the->only_in == e && the->only_out == NULL);
	input("?1");
	result = EJUSTRETURN;
	input("?2");
	result = EPERM;
	input("?3");
	CHECK_STR(said(), "a:1 a. a:2 a. a:3 a.");
	CHECK_EQ(e->counters.sampled_calls, 0);
	CHECK_EQ(e->counters.seen_in, 4);
	CHECK_EQ(filter_passed(&e->counters), 3);	/* two of them before the test */
	CHECK_EQ(e->counters.swallowed, 1);
	CHECK_EQ(e->counters.dropped, 1);
	CHECK(the->only_walker == NULL);
	CHECK(curthread()->gate == NULL);
}

KTEST(the_only_filter_can_detach_itself)
{
	prepare();
	(void)attach_short("a");
	hooks[0] = detach_a;
	input("?1");
	CHECK_STR(said(), "a:1 a. a-gone");
	CHECK(the->only_in == NULL && the->only_walker == NULL);
	input("?2");
	CHECK_STR(said(), "");
}

KTEST(a_second_filter_ends_the_short_way)
{
	prepare();
	(void)attach_short("a");
	hooks[0] = attach_c;
	input("?1");
	CHECK_STR(said(), "a:1 a.");
	CHECK(the->only_in == NULL);
	input("?2");
	CHECK_STR(said(), "a:2 a. c:2 c.");
	iflt_detach(refs[2]);
	CHECK_STR(said(), "c-gone");
	CHECK(the->only_in != NULL);
}

static void
nested_detach(void)
{
	hooks[0] = detach_a;
	input("?n");
	CHECK_STR(said(), "a:1 a:n a.");	/* it is still being called for the first packet */
}

KTEST(a_detach_deep_in_nested_short_calls_waits_too)
{
	prepare();
	(void)attach_short("a");
	hooks[0] = nested_detach;
	input("?1");
	CHECK_STR(said(), "a. a-gone");
}

KTEST(detach_waits_for_a_short_call_of_another_thread)
{
	struct thread *t;

	prepare();
	(void)attach_short("a");
	hooks[0] = sleep_long;
	CHECK_EQ(kthread_create(other_thread, NULL, &t), 0);
	settle();
	CHECK_STR(said(), "a:1");
	input("?2");			/* meanwhile this thread goes the long way */
	CHECK_STR(said(), "a:2 a.");
	iflt_detach(refs[0]);
	CHECK_STR(said(), "a. input-done a-gone");
	settle();
	kthread_release(t);
}

/* ---- misuse -------------------------------------------------------------------------------- */

static errno_t
lose_packet(void *cookie, struct ifnet *ifp, protocol_family_t family, struct mbuf **m)
{
	(void)cookie;
	(void)ifp;
	(void)family;
	m_freem(*m);
	*m = NULL;
	return 0;
}

KTEST_PANICS(a_packet_that_vanishes_is_named, "iff_output returned 0 without a packet")
{
	struct iff_filter f = {.iff_name = "loser", .iff_output = lose_packet};

	prepare();
	CHECK_EQ(iflt_attach(the, &f, &refs[0]), 0);
	(void)ifnet_output_raw(the, 0, packet("a"));
}

static errno_t
free_packet(void *cookie, struct ifnet *ifp, protocol_family_t family, struct mbuf **m)
{
	(void)cookie;
	(void)ifp;
	(void)family;
	m_freem(*m);
	return 0;
}

KTEST_PANICS(a_packet_that_was_freed_is_named, "iff_output returned 0 but mbuf")
{
	struct iff_filter f = {.iff_name = "freer", .iff_output = free_packet};

	prepare();
	CHECK_EQ(iflt_attach(the, &f, &refs[0]), 0);
	(void)ifnet_output_raw(the, 0, packet("a"));
}

KTEST_PANICS(the_short_way_names_a_packet_that_was_freed, "iff_output returned 0 but mbuf")
{
	struct iff_filter f = {.iff_name = "freer", .iff_output = free_packet};

	prepare();
	curmachine()->checked = false;
	CHECK_EQ(iflt_attach(the, &f, &refs[0]), 0);
	the->only_out->counters.sparse = UINT64_MAX;
	the->only_out->counters.seen_out = 1;
	(void)ifnet_output_raw(the, 0, packet("a"));
}

KTEST_SUITE(iffilter,
    T(attach_checks_the_interface),
    T(detach_from_outside_is_done_when_it_returns),
    T(a_filter_can_detach_itself),
    T(a_filter_can_detach_others),
    T(a_filter_attached_in_a_callback_waits_for_the_next_packet),
    T(a_detach_deep_in_nested_calls_waits_for_the_outermost),
    T(detach_waits_for_callbacks_of_other_threads),
    T(the_interface_goes_after_the_filters_callback),
    T(each_filter_counts_what_it_did),
    T(the_short_way_counts_the_same),
    T(the_only_filter_can_detach_itself),
    T(a_second_filter_ends_the_short_way),
    T(a_detach_deep_in_nested_short_calls_waits_too),
    T(detach_waits_for_a_short_call_of_another_thread),
    T(a_packet_that_vanishes_is_named),
    T(a_packet_that_was_freed_is_named),
    T(the_short_way_names_a_packet_that_was_freed));
