/*
 * The code between %{ and }%: as much of Python as scripts use to assert what TCP_INFO says.
 *
 * Statements, one a line or between semicolons: `assert EXPR [, EXPR]`, `print(EXPR, ...)` and `print EXPR`,
 * `NAME = EXPR` (kept for later pieces of code of the same script), `pass`, `import` of anything (ignored),
 * `if EXPR: statement` on one line. Expressions: or, and, not, comparisons (also a < b < c), in,
 * | ^ & << >> + - * / // % **, ~, parentheses, tuples and lists, integers in all bases, floats, strings, True,
 * False, None, abs(), min(), max(), int(), len(), str().
 */
#ifndef NKE_DRILL_CODE_H
#define NKE_DRILL_CODE_H

#include "src/drill/script.h"

/* Variables that code of a script leaves for code after it. */
struct drill_code;

/* False: there is no such name. */
typedef bool drill_code_lookup(void *ctx, const char *name, int64_t *value);

/* Prints of `print` go to `out`. NULL: no memory. */
struct drill_code *drill_code_new(drill_code_lookup *, void *ctx, FILE *out);
void drill_code_free(struct drill_code *);

enum drill_code_result {
	DRILL_CODE_OK,
	DRILL_CODE_FAILED,		/* an assertion: `error` tells what was compared with what */
	DRILL_CODE_REFUSED		/* more Python than this */
};

/* Runs a piece of code that begins at `place`. */
enum drill_code_result drill_code_run(struct drill_code *, const char *text, struct drill_place place,
    struct drill_error *error);

#endif
