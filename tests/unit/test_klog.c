/* src/kern/klog.c and what prints through it: whole lines, per kext, cut when too long. */
#include <IOKit/IOLib.h>
#include <libkern/libkern.h>
#include <os/log.h>
#include <string.h>
#include <sys/syslog.h>

#include "src/kern/gate.h"
#include "src/kern/kext.h"
#include "src/kern/klog.h"
#include "src/kern/thread.h"
#include "tests/unit/ktest.h"

KTEST(a_line_of_the_core_comes_at_once)
{
	klog(curmachine(), 3, "number %d", 42);
	CHECK_STR(ktest_log(), "number 42\n");
}

KTEST(pieces_are_put_together)
{
	printf("one");
	printf(", two");
	CHECK_STR(ktest_log(), "");
	IOLog(", three\nfour\n");
	CHECK_STR(ktest_log(), "one, two, three\nfour\n");
}

KTEST(kexts_do_not_mix)
{
	struct kext a = {.name = "a"}, b = {.name = "b"};

	GATE_CALL(&a, "start", NULL, printf("begun by a "));
	GATE_CALL(&b, "start", NULL, printf("b's line\n"));
	GATE_CALL(&a, "start", NULL, printf("ended by a\n"));
	CHECK_STR(ktest_log(), "b: b's line\na: begun by a ended by a\n");
}

KTEST(flushing_delivers_what_is_unfinished)
{
	struct kext a = {.name = "a"};

	GATE_CALL(&a, "start", NULL, printf("no newline"));
	klog_flush(curmachine());
	CHECK_STR(ktest_log(), "a: no newline\n");
	klog_flush(curmachine());
	CHECK_STR(ktest_log(), "a: no newline\n");
}

KTEST(a_long_line_is_cut_in_pieces)
{
	const char *log_text;

	for (int i = 0; i < 1500; i++)
		printf("%c", 'x');
	printf("\n");
	log_text = ktest_log();
	CHECK_EQ(strlen(log_text), 1502);
	CHECK_EQ(log_text[1023], 'x');
	CHECK_EQ(log_text[1024], '\n');
	CHECK_EQ(log_text[1025], 'x');
}

KTEST(an_empty_line_is_a_line)
{
	printf("\n");
	CHECK_STR(ktest_log(), "\n");
}

KTEST(os_log_makes_a_line_of_each_message)
{
	os_log(OS_LOG_DEFAULT, "flow %{public}s to %u", "a", 53);
	os_log_error(os_log_create("com.example", "net"), "second\n");
	os_log(OS_LOG_DISABLED, "never");
	CHECK_STR(ktest_log(), "flow a to 53\nsecond\n");
}

KTEST(log_takes_a_priority)
{
	log(LOG_ERR, "error %s\n", "text");
	CHECK_STR(ktest_log(), "error text\n");
}

KTEST_SUITE(klog, T(a_line_of_the_core_comes_at_once), T(pieces_are_put_together),
    T(kexts_do_not_mix), T(flushing_delivers_what_is_unfinished), T(a_long_line_is_cut_in_pieces),
    T(an_empty_line_is_a_line), T(os_log_makes_a_line_of_each_message), T(log_takes_a_priority));
