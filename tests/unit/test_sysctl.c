/* src/kern/sysctl.c and kpi/sysctl.c */
#include <IOKit/IOLib.h>
#include <libkern/sysctl.h>
#include <string.h>
#include <sys/errno.h>
#include <sys/sysctl.h>

#include "src/kern/gate.h"
#include "src/kern/kext.h"
#include "src/kern/ledger.h"
#include "src/kern/sysctl.h"
#include "src/kern/thread.h"
#include "tests/unit/ktest.h"
#include "tests/unit/mbuf_testing.h"

static int number;
static long long wide;
static char name[8];
static int handled;

static int handle_double SYSCTL_HANDLER_ARGS;
static int handle_removes_itself SYSCTL_HANDLER_ARGS;

SYSCTL_DECL(_net_example);
SYSCTL_NODE(_net, OID_AUTO, example, CTLFLAG_RW, 0, "a kext's branch");
SYSCTL_INT(_net_example, OID_AUTO, number, CTLFLAG_RW, &number, 0, "");
SYSCTL_INT(_net_example, OID_AUTO, constant, CTLFLAG_RD, NULL, 77, "");
SYSCTL_QUAD(_net_example, OID_AUTO, wide, CTLFLAG_RW, &wide, "");
SYSCTL_STRING(_net_example, OID_AUTO, name, CTLFLAG_RW, name, sizeof name, "");
SYSCTL_PROC(_net_example, 7, twice, CTLTYPE_INT | CTLFLAG_RW, &number, 0, handle_double, "I", "");
SYSCTL_PROC(_net_example, OID_AUTO, once, CTLTYPE_INT | CTLFLAG_RD, 0, 0, handle_removes_itself,
    "I", "");

static int
handle_double SYSCTL_HANDLER_ARGS
{
	int changed, error, value = number * 2;

	(void)oidp, (void)arg1, (void)arg2;
	handled++;
	error = sysctl_io_number(req, value, sizeof value, &value, &changed);
	if (error == 0 && changed)
		number = value / 2;
	return error;
}

static int
handle_removes_itself SYSCTL_HANDLER_ARGS
{
	(void)arg1, (void)arg2, (void)req;
	sysctl_unregister_oid(oidp);
	return 0;
}

static struct sysctl_oid *const oids[] = {&sysctl__net_example, &sysctl__net_example_number,
    &sysctl__net_example_constant, &sysctl__net_example_wide, &sysctl__net_example_name,
    &sysctl__net_example_twice};

static void
register_all(void)
{
	for (size_t i = 0; i < sizeof oids / sizeof oids[0]; i++)
		sysctl_register_oid(oids[i]);
}

static void
unregister_all(void)
{
	for (size_t i = sizeof oids / sizeof oids[0]; i > 0; i--)
		sysctl_unregister_oid(oids[i - 1]);
}

static int
read_int(const char *path)
{
	int value = -1;
	size_t len = sizeof value;

	CHECK_EQ(sysctlbyname(path, &value, &len, NULL, 0), 0);
	CHECK_EQ(len, sizeof value);
	return value;
}

KTEST(the_kernel_says_what_it_is)
{
	char text[64];
	size_t len = sizeof text;
	struct sysctl_access a = {text, &len, NULL, 0, NULL};

	CHECK_EQ(sysctlbyname("kern.ostype", text, &len, NULL, 0), 0);
	CHECK_STR(text, "Darwin");
	CHECK_EQ(len, 7);
	len = sizeof text;
	CHECK_EQ(sysctlbyname("kern.osrelease", text, &len, NULL, 0), 0);
	CHECK_STR(text, "19.6.0");
	len = sizeof text;
	CHECK_EQ(sysctlbyname("kern.hostname", text, &len, NULL, 0), 0);
	CHECK_STR(text, "test");
	CHECK_EQ(read_int("hw.ncpu"), 1);
	CHECK_EQ(read_int("hw.pagesize"), 4096);
	len = sizeof text;
	CHECK_EQ(sysctl_by_mib(curmachine(), (int[]){CTL_KERN, KERN_OSTYPE}, 2, &a), 0);
	CHECK_STR(text, "Darwin");
}

KTEST(a_kext_adds_a_branch_and_variables)
{
	int value = 5;
	size_t len = sizeof value;

	number = 3;
	register_all();
	CHECK_EQ(read_int("net.example.number"), 3);
	CHECK_EQ(read_int("net.example.constant"), 77);
	CHECK_EQ(sysctlbyname("net.example.number", NULL, NULL, &value, sizeof value), 0);
	CHECK_EQ(number, 5);
	CHECK_EQ(sysctlbyname("net.example.constant", NULL, NULL, &value, sizeof value), EPERM);
	CHECK_EQ(read_int("net.example.twice"), 10);
	value = 44;
	CHECK_EQ(sysctlbyname("net.example.twice", NULL, NULL, &value, sizeof value), 0);
	CHECK_EQ(number, 22);
	unregister_all();
	CHECK_EQ(sysctlbyname("net.example.number", &value, &len, NULL, 0), ENOENT);
}

KTEST(numbers_by_position)
{
	int value = 0;
	size_t len = sizeof value;
	struct sysctl_access a = {&value, &len, NULL, 0, NULL};

	register_all();
	number = 4;
	CHECK_EQ(sysctl_by_mib(curmachine(), (int[]){CTL_NET, 100, 7}, 3, &a), 0);
	CHECK_EQ(value, 8);
	CHECK_EQ(sysctl_by_mib(curmachine(), (int[]){CTL_NET, 100, 100}, 3, &a), 0);
	CHECK_EQ(value, 4);
	CHECK_EQ(sysctl_by_mib(curmachine(), (int[]){CTL_NET, 100}, 2, &a), ENOENT);
	CHECK_EQ(sysctl_by_mib(curmachine(), (int[]){CTL_NET, 100, 100, 1}, 4, &a), EISDIR);
	unregister_all();
}

KTEST(a_statically_linked_oid_is_not_written_to)
{
	register_all();
	CHECK_EQ(sysctl__net_example.oid_number, OID_AUTO);
	CHECK_EQ(sysctl__net_example_number.oid_link.sle_next == NULL, 1);
	unregister_all();
}

KTEST(a_loaded_kexts_oid_gets_its_number)
{
	struct kext k = {.name = "tester"};
	static struct sysctl_oid own = SYSCTL_STRUCT_INIT(_debug, OID_AUTO, own,
	    CTLTYPE_INT | CTLFLAG_RD, NULL, 9, sysctl_handle_int, "I", "");

	TAILQ_INIT(&k.owned);
	GATE_CALL(&k, "start", NULL, sysctl_register_oid(&own));
	CHECK_EQ(own.oid_number, 100);
	CHECK_EQ(k.owned_count[LEDGER_SYSCTL], 1);
	CHECK_EQ(read_int("debug.own"), 9);
	sysctl_unregister_oid(&own);
	CHECK_EQ(k.owned_count[LEDGER_SYSCTL], 0);
	own.oid_number = OID_AUTO;
}

KTEST(numbers_of_two_widths)
{
	int small = 0;
	long long big = 1ll << 40;
	size_t len = sizeof small;

	register_all();
	wide = 12;
	CHECK_EQ(sysctlbyname("net.example.wide", &small, &len, NULL, 0), 0);
	CHECK_EQ(small, 12);
	small = -3;
	CHECK_EQ(sysctlbyname("net.example.wide", NULL, NULL, &small, sizeof small), 0);
	CHECK_EQ(wide, -3);
	CHECK_EQ(sysctlbyname("net.example.wide", NULL, NULL, &big, sizeof big), 0);
	CHECK(wide == big);
	len = sizeof small;
	CHECK_EQ(sysctlbyname("net.example.wide", &small, &len, NULL, 0), ERANGE);
	CHECK_EQ(sysctlbyname("net.example.number", NULL, NULL, &small, 2), EINVAL);
	unregister_all();
}

KTEST(strings)
{
	char text[8];
	size_t len = 3;

	strcpy(name, "abcde");
	register_all();
	CHECK_EQ(sysctlbyname("net.example.name", text, &len, NULL, 0), ENOMEM);
	CHECK_EQ(len, 6);
	CHECK_EQ(memcmp(text, "abc", 3), 0);
	len = 0;
	CHECK_EQ(sysctlbyname("net.example.name", NULL, &len, NULL, 0), 0);
	CHECK_EQ(len, 6);
	CHECK_EQ(sysctlbyname("net.example.name", NULL, NULL, (char[]){"xyz"}, 3), 0);
	CHECK_STR(name, "xyz");
	CHECK_EQ(sysctlbyname("net.example.name", NULL, NULL, (char[]){"12345678"}, 8), EINVAL);
	CHECK_STR(name, "xyz");
	unregister_all();
}

KTEST(names_that_are_not_there)
{
	int value;
	size_t len = sizeof value;

	CHECK_EQ(sysctlbyname("", &value, &len, NULL, 0), ENOENT);
	CHECK_EQ(sysctlbyname("kern.", &value, &len, NULL, 0), ENOENT);
	CHECK_EQ(sysctlbyname("kern", &value, &len, NULL, 0), ENOENT);
	CHECK_EQ(sysctlbyname("ker", &value, &len, NULL, 0), ENOENT);
	CHECK_EQ(sysctlbyname("kern.ostype.x", &value, &len, NULL, 0), EISDIR);
	CHECK_EQ(sysctlbyname("kern.ostypex", &value, &len, NULL, 0), ENOENT);
	CHECK_EQ(sysctlbyname("hw.ncpu", NULL, NULL, &value, sizeof value), EPERM);
}

KTEST(children_may_come_before_their_branch)
{
	int value;
	size_t len = sizeof value;

	number = 6;
	sysctl_register_oid(&sysctl__net_example_number);
	CHECK_EQ(sysctlbyname("net.example.number", &value, &len, NULL, 0), ENOENT);
	sysctl_register_oid(&sysctl__net_example);
	CHECK_EQ(read_int("net.example.number"), 6);
	sysctl_unregister_oid(&sysctl__net_example);
	sysctl_unregister_oid(&sysctl__net_example_number);
}

KTEST(a_handler_may_remove_its_own_variable)
{
	int value;
	size_t len = sizeof value;

	sysctl_register_oid(&sysctl__net_example);
	sysctl_register_oid(&sysctl__net_example_once);
	CHECK_EQ(sysctlbyname("net.example.once", &value, &len, NULL, 0), 0);
	CHECK_EQ(sysctlbyname("net.example.once", &value, &len, NULL, 0), ENOENT);
	sysctl_unregister_oid(&sysctl__net_example);
}

static int steps;

static int
handle_slowly SYSCTL_HANDLER_ARGS
{
	(void)oidp, (void)arg1, (void)arg2, (void)req;
	steps = 1;
	IOSleep(10);
	steps = 2;
	return 0;
}
SYSCTL_PROC(_debug, OID_AUTO, slow, CTLTYPE_INT | CTLFLAG_RD, 0, 0, handle_slowly, "I", "");

static void
reader(void *arg)
{
	int value;
	size_t len = sizeof value;

	(void)arg;
	(void)sysctlbyname("debug.slow", &value, &len, NULL, 0);
}

KTEST(unregistering_waits_for_handlers)
{
	sysctl_register_oid(&sysctl__debug_slow);
	CHECK(IOCreateThread(reader, NULL) != NULL);
	IOSleep(1);
	CHECK_EQ(steps, 1);
	sysctl_unregister_oid(&sysctl__debug_slow);
	CHECK_EQ(steps, 2);
}

KTEST_PANICS(registering_twice, "\"number\" is registered already")
{
	sysctl_register_oid(&sysctl__net_example_number);
	sysctl_register_oid(&sysctl__net_example_number);
}

KTEST_PANICS(unregistering_what_is_not_there, "\"number\" is not registered")
{
	sysctl_unregister_oid(&sysctl__net_example_number);
}

static void
register_without_memory(struct sysctl_oid *oid)
{
	fail_after(1);
	sysctl_register_oid(oid);
	fail_after(0);
	CHECK(ktest_log_contains("no memory for \"number\""));
}

/* The caller is not told that there was no memory, so it unregisters what is not there. */
KTEST(a_lost_registration_may_be_taken_back)
{
	int value = 0;
	size_t len = sizeof value;

	register_without_memory(&sysctl__net_example_number);
	CHECK_EQ(sysctlbyname("net.example.number", &value, &len, NULL, 0), ENOENT);
	sysctl_unregister_oid(&sysctl__net_example_number);
}

KTEST_PANICS(a_lost_registration_is_taken_back_once, "\"number\" is not registered")
{
	register_without_memory(&sysctl__net_example_number);
	sysctl_unregister_oid(&sysctl__net_example_number);
	sysctl_unregister_oid(&sysctl__net_example_number);
}

KTEST_PANICS(a_second_try_makes_up_for_it, "\"number\" is not registered")
{
	register_without_memory(&sysctl__net_example_number);
	sysctl_register_oid(&sysctl__net_example_number);
	sysctl_unregister_oid(&sysctl__net_example_number);
	sysctl_unregister_oid(&sysctl__net_example_number);
}

KTEST_PANICS(only_what_was_lost_may_be_taken_back, "\"wide\" is not registered")
{
	register_without_memory(&sysctl__net_example_number);
	sysctl_unregister_oid(&sysctl__net_example_wide);
}

KTEST(many_lost_registrations_may_be_taken_back)
{
	static struct sysctl_oid many[40];

	for (unsigned i = 0; i < 40; i++) {
		many[i] = sysctl__net_example_number;
		register_without_memory(&many[i]);
	}
	for (unsigned i = 0; i < 40; i++)
		sysctl_unregister_oid(&many[i]);
}

KTEST_SUITE(sysctl, T(the_kernel_says_what_it_is), T(a_kext_adds_a_branch_and_variables),
    T(numbers_by_position), T(a_statically_linked_oid_is_not_written_to),
    T(a_loaded_kexts_oid_gets_its_number), T(numbers_of_two_widths), T(strings),
    T(names_that_are_not_there), T(children_may_come_before_their_branch),
    T(a_handler_may_remove_its_own_variable), T(unregistering_waits_for_handlers),
    T(registering_twice), T(unregistering_what_is_not_there), T(a_lost_registration_may_be_taken_back),
    T(a_lost_registration_is_taken_back_once), T(a_second_try_makes_up_for_it),
    T(only_what_was_lost_may_be_taken_back), T(many_lost_registrations_may_be_taken_back));
