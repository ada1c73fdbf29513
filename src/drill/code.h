/*
 * The code between %{ and }%: as much of Python as scripts use to assert what TCP_INFO says.
 *
 * Statements, one a line or between semicolons: `assert EXPR [, EXPR]`, `print(EXPR, ...)` and `print EXPR,
 * ...`, `NAME = EXPR` and `NAME += EXPR` and its like (kept for later code of the same script), `pass`,
 * `import ...` (nothing to do), an expression alone, and `if EXPR:`, `elif EXPR:` and `else:` with statements
 * behind them or in lines further to the right. Expressions: a if b else c, or, and, not, comparisons (also
 * a < b < c), in, not in, is, | ^ & << >> + - * / // % **, ~, parentheses, integers in all bases, floats,
 * strings with % and .format(), True, False, None, abs(), min(), max(), int(), str(), len(), hex(), bool().
 */
#ifndef NKE_DRILL_CODE_H
#define NKE_DRILL_CODE_H

#include "src/drill/script.h"

/* Variables that code of a script leaves for code after it. */
struct drill_code;

/* False: there is no such name. Constants (names.h) need not be known: they are looked for after it. */
typedef bool drill_code_lookup(void *ctx, const char *name, int64_t *value);

/* What `print` says goes to `out` (NULL: nowhere). NULL: no memory. */
struct drill_code *drill_code_new(drill_code_lookup *lookup, void *ctx, FILE *out);
void drill_code_free(struct drill_code *);

/* A whole number that code has left. False: there is none of that name. */
bool drill_code_variable(const struct drill_code *, const char *name, int64_t *value);

enum drill_code_result {
	DRILL_CODE_OK,
	DRILL_CODE_FAILED,		/* an assertion: `error` tells it and the values of its names */
	DRILL_CODE_REFUSED		/* more Python than this, or not Python */
};

/* Runs a piece of code that begins at `place`. */
enum drill_code_result drill_code_run(struct drill_code *, const char *text, struct drill_place place,
    struct drill_error *error);

#endif
