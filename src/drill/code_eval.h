/* Expressions of the code in scripts: between code.c (statements) and code_eval.c only. */
#ifndef NKE_DRILL_CODE_EVAL_H
#define NKE_DRILL_CODE_EVAL_H

#include "src/drill/code.h"

enum value_kind { VALUE_NONE, VALUE_BOOL, VALUE_INT, VALUE_FLOAT, VALUE_STRING };

struct value {
	enum value_kind kind;
	int64_t i;			/* BOOL, INT */
	double f;
	const char *s;			/* STRING: in the code itself, or of the pool; escapes stay */
	size_t len;
};

#define CODE_ARGS	16		/* of a call */
#define CODE_USED	8		/* names that a failed assertion tells the values of */
#define CODE_DEPTH	64

struct code_variable {
	struct code_variable *next;
	struct value value;
	char name[];
};

/* A string that was made, as long as the code. */
struct code_string {
	struct code_string *next;
	char text[];
};

struct drill_code {
	drill_code_lookup *lookup;
	void *ctx;
	FILE *out;
	struct code_variable *variables;
	struct code_string *strings;
	/* of the piece that runs */
	const char *text, *at;
	struct drill_place place;	/* of text */
	struct drill_error *error;
	bool failed;			/* error is set */
	unsigned parens;		/* open ones: newlines are spaces */
	unsigned skip;			/* this is read, but not done */
	unsigned depth;
	unsigned indent;		/* columns before the line that runs */
	unsigned used_count;
	struct {
		const char *name;
		size_t len;
		struct value value;
	} used[CODE_USED];
};

/* Refuses with the place of `at`; false. */
bool code_refuse(struct drill_code *, const char *at, const char *fmt, ...) __attribute__((format(printf,
    3, 4)));
/* Spaces and comments; newlines too inside of parentheses. */
void code_skip(struct drill_code *);
/* The length of the name here; 0. */
size_t code_name(const struct drill_code *);
/* Takes the word (a whole name) or the sign when it is here. */
bool code_accept_word(struct drill_code *, const char *word);
bool code_accept(struct drill_code *, const char *sign);
bool code_expression(struct drill_code *, struct value *);
/* a op b, for += as well; `at` for messages. */
bool code_binary(struct drill_code *, const char *op, const struct value *a, const struct value *b,
    const char *at, struct value *result);
bool code_truth(const struct value *);
/* A text of its own, as long as the code lives: a and b. */
bool code_new_string(struct drill_code *, const char *a, size_t a_len, const char *b, size_t b_len,
    struct value *result);
/* Behind (, up to and with ). */
bool code_arguments(struct drill_code *, struct value args[CODE_ARGS], unsigned *count);

/* ---- code_format.c ---- */

bool code_percent(struct drill_code *, const char *at, const struct value *format, const struct value *args,
    unsigned count, struct value *result);
bool code_format(struct drill_code *, const char *at, const struct value *format, const struct value *args,
    unsigned count, struct value *result);

/* As print has it. Returns buffer. */
const char *code_value_text(const struct value *, char *buffer, size_t size);

#endif
