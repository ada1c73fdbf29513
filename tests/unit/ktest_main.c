/* Runs one suite of in-machine tests (ktest.h) under cmocka: ktest SUITE. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/kern/corecalls.h"
#include "tests/unit/ktest.h"

#define SUITE(name) extern const struct ktest *const ktest_suite_##name[];
#include "ktest_suites.h"
#undef SUITE

static const struct {
	const char *name;
	const struct ktest *const *tests;
} suites[] = {
#define SUITE(name) {#name, ktest_suite_##name},
#include "ktest_suites.h"
#undef SUITE
};

/* One test at a time, one thread: what the running test left to be said. */
static char failure[1024];
static char log_text[65536];
static size_t log_len;

/* The panic that ends a failed test; in ktest_core.c, which sees the core. */
_Noreturn void ktest_stop(void);

void
ktest_fail(const char *file, int line, const char *expression, long long got, long long want)
{
	snprintf(failure, sizeof failure, "%s:%d: %s: got %lld (0x%llx), want %lld (0x%llx)", file, line,
	    expression, got, (unsigned long long)got, want, (unsigned long long)want);
	ktest_stop();
}

void
ktest_fail_text(const char *file, int line, const char *expression, const char *got,
    const char *want)
{
	snprintf(failure, sizeof failure, "%s:%d: %s: got \"%s\", want \"%s\"", file, line, expression,
	    got, want);
	ktest_stop();
}

int
ktest_strcmp(const char *a, const char *b)
{
	return strcmp(a, b);
}

const char *
ktest_log(void)
{
	return log_text;
}

bool
ktest_log_contains(const char *text)
{
	return strstr(log_text, text) != NULL;
}

static void
keep_log(void *ctx, const struct core_log_record *r)
{
	(void)ctx;
	int n = snprintf(log_text + log_len, sizeof log_text - log_len, "%s%s%s\n", r->kext,
	    r->kext[0] != '\0' ? ": " : "", r->text);
	if (n > 0 && log_len + (size_t)n < sizeof log_text)
		log_len += (size_t)n;
}

static void
call_test(void *arg)
{
	const struct ktest *t = arg;

	t->run();
}

static void
run_one(void **state)
{
	const struct ktest *t = *state;
	struct core_config config = {.name = "test", .time = CORE_TIME_VIRTUAL, .seed = 1,
	    .checked = !t->unchecked, .calendar_start_ns = UINT64_C(1000000000000000000), .log = keep_log};
	struct core_memory memory;
	struct nke *m;

	failure[0] = '\0';
	log_text[0] = '\0';
	log_len = 0;
	assert_int_equal(machine_create(&config, NULL, &m), 0);
	int error = machine_call(m, call_test, (void *)(uintptr_t)t);
	char report[4096];
	snprintf(report, sizeof report, "%s", machine_panic_report(m));
	machine_memory(m, &memory);
	machine_destroy(m);
	if (failure[0] != '\0')
		fail_msg("%s", failure);
	if (t->panics != NULL) {
		if (error == 0)
			fail_msg("expected a panic naming \"%s\"", t->panics);
		if (strstr(report, t->panics) == NULL)
			fail_msg("the panic does not say \"%s\":\n%s", t->panics, report);
		return;
	}
	if (error != 0)
		fail_msg("panic:\n%s", report);
	if (memory.mbufs != 0)
		fail_msg("%llu mbufs were left behind", (unsigned long long)memory.mbufs);
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: ktest SUITE\n");
		return 1;
	}
	for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
		if (strcmp(suites[i].name, argv[1]) != 0)
			continue;
		struct CMUnitTest tests[256] = {0};
		size_t n = 0;
		for (const struct ktest *const *t = suites[i].tests; *t != NULL && n < 256; t++, n++)
			tests[n] = (struct CMUnitTest){.name = (*t)->name, .test_func = run_one,
			    .initial_state = (void *)(uintptr_t)*t};
		return _cmocka_run_group_tests(suites[i].name, tests, n, NULL, NULL);
	}
	fprintf(stderr, "ktest: no suite '%s'\n", argv[1]);
	return 1;
}
