/*
 * Tests that run inside a machine: compiled as the core is (Darwin's types, no libc), each test in a
 * fresh machine of its own, in virtual time. The runner (ktest_main.c) is an ordinary cmocka program.
 *
 *	KTEST(prepend_grows_the_packet) { ... CHECK_EQ(mbuf_len(m), 20); ... }
 *	KTEST_PANICS(double_free_is_named, "freed twice") { ... }
 *	KTEST_UNCHECKED(what_checked_mode_forbids_works) { ... }
 *	KTEST_SUITE(mbuf, T(prepend_grows_the_packet), T(double_free_is_named));
 *
 * A suite file test_NAME.c defines exactly one KTEST_SUITE(NAME, ...). After every test the runner
 * checks that no mbuf is left (unless the test says KTEST_LEAKS in its table entry).
 */
#ifndef NKE_TESTS_KTEST_H
#define NKE_TESTS_KTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ktest {
	const char *name;
	void (*run)(void);
	const char *panics;		/* expected part of the panic report, NULL: must not panic */
	bool unchecked;			/* the machine is not in checked mode */
};

struct ktest_suite {
	const char *name;
	const struct ktest *tests;	/* ends with a NULL name */
};

#define KTEST(id)								\
	static void ktest_run_##id(void);					\
	static const struct ktest ktest_##id = {#id, ktest_run_##id, NULL, false};	\
	static void ktest_run_##id(void)
#define KTEST_PANICS(id, report)						\
	static void ktest_run_##id(void);					\
	static const struct ktest ktest_##id = {#id, ktest_run_##id, report, false};	\
	static void ktest_run_##id(void)
#define KTEST_UNCHECKED(id)							\
	static void ktest_run_##id(void);					\
	static const struct ktest ktest_##id = {#id, ktest_run_##id, NULL, true};	\
	static void ktest_run_##id(void)
#define T(id) &ktest_##id
#define KTEST_SUITE(id, ...)							\
	extern const struct ktest *const ktest_suite_##id[];			\
	const struct ktest *const ktest_suite_##id[] = {__VA_ARGS__, NULL}

/* Ends the test at once. */
_Noreturn void ktest_fail(const char *file, int line, const char *expression, long long got,
    long long want);
_Noreturn void ktest_fail_text(const char *file, int line, const char *expression,
    const char *got, const char *want);
int ktest_strcmp(const char *, const char *);
/* What the kernel log said so far in this test, lines joined with '\n'. */
const char *ktest_log(void);
bool ktest_log_contains(const char *text);

#define CHECK(expr) do {							\
	if (!(expr))								\
		ktest_fail(__FILE__, __LINE__, #expr, 0, 1);			\
} while (0)
#define CHECK_EQ(expr, want) do {						\
	long long ktest_got_ = (long long)(expr), ktest_want_ = (long long)(want);	\
	if (ktest_got_ != ktest_want_)						\
		ktest_fail(__FILE__, __LINE__, #expr " == " #want, ktest_got_, ktest_want_);	\
} while (0)
#define CHECK_STR(expr, want) do {						\
	const char *ktest_got_ = (expr);					\
	if (ktest_strcmp(ktest_got_, (want)) != 0)				\
		ktest_fail_text(__FILE__, __LINE__, #expr, ktest_got_, (want));	\
} while (0)

#endif
