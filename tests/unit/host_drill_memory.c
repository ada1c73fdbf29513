/*
 * Reading a script and running its code when memory runs out, at every allocation in turn: it is told,
 * nothing is lost, nothing crashes. The linker leads malloc, calloc and realloc through here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/drill/code.h"
#include "src/drill/script.h"

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
__attribute__((visibility("default"))) void *__wrap_malloc(size_t);
__attribute__((visibility("default"))) void *__wrap_calloc(size_t, size_t);
__attribute__((visibility("default"))) void *__wrap_realloc(void *, size_t);

static unsigned long countdown;		/* allocations until one fails; 0: none does */

static bool
fails(void)
{
	return countdown > 0 && --countdown == 0;
}

void *
__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

static void
reading(void **state)
{
	static const char piece[] =
	    "0.1...0.2 f({a(1)=[\"x\" \"y\", 1|A], b=htons(3)}, \"z\"...) = -1 E (note)\n"
	    "+0 > [ect0] S. 0:0(0) ack 1 <mss 1,sack 1:2,TS val 1 ecr 2,FO abcd>\n0 %{ assert 1 }%\n0 `a`\n"
	    "+0 < icmp unreachable frag_needed mtu 5 [1:2(1)]\n";
	struct drill_script *script;
	struct drill_error error;
	unsigned long n;
	char *text;

	(void)state;
	/* Several times, so that the parser's memory is more than one chunk. */
	text = __real_malloc(20 * sizeof piece + 100);
	assert_non_null(text);
	strcpy(text, "--mtu=1500\n--define=A=B\n");
	for (int i = 0; i < 20; i++)
		strcat(text, piece);
	for (n = 1;; n++) {
		int result;

		countdown = n;
		result = drill_parse("script", text, strlen(text), NULL, 0, &script, &error);
		if (result == 0)
			break;
		countdown = 0;
		assert_null(script);
		assert_int_equal(error.kind, DRILL_ERROR_FILE);
		assert_string_equal(error.text, "no memory");
		assert_true(n < 100000);
	}
	countdown = 0;
	assert_true(n > 30);
	assert_int_equal(script->event_count, 100);
	drill_script_free(script);
	free(text);
}

static void
code(void **state)
{
	static const char text[] =
	    "a = 1; b = 'x' + 'y'; c = str(a) + b; b = c; assert c == '1xy' and b == c";
	struct drill_place place = {.line = 1, .column = 1};
	struct drill_error error;

	(void)state;
	for (unsigned long n = 1;; n++) {
		enum drill_code_result result = DRILL_CODE_REFUSED;
		struct drill_code *c;

		countdown = n;
		c = drill_code_new(NULL, NULL, NULL);
		if (c != NULL) {
			result = drill_code_run(c, text, place, &error);
			if (result != DRILL_CODE_OK)
				assert_string_equal(error.text, "no memory");
		}
		countdown = 0;
		drill_code_free(c);
		if (result == DRILL_CODE_OK) {
			assert_true(n > 5);
			return;
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(reading), cmocka_unit_test(code)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
