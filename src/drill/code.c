/*
 * Statements of the code in scripts. Way in: drill_code_run(), by the running of a script. Nothing of the
 * host can be reached from here.
 */
#include "src/drill/code.h"

#include <stdlib.h>
#include <string.h>

#include "src/drill/code_eval.h"

struct drill_code *
drill_code_new(drill_code_lookup *lookup, void *ctx, FILE *out)
{
	struct drill_code *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->lookup = lookup;
	c->ctx = ctx;
	c->out = out;
	return c;
}

void
drill_code_free(struct drill_code *c)
{
	if (c == NULL)
		return;
	while (c->variables != NULL) {
		struct code_variable *v = c->variables;

		c->variables = v->next;
		free(v);
	}
	while (c->strings != NULL) {
		struct code_string *s = c->strings;

		c->strings = s->next;
		free(s);
	}
	free(c);
}

/* ---- variables ---------------------------------------------------------------------------------- */

static struct code_variable *
variable(struct drill_code *c, const char *name, size_t len)
{
	for (struct code_variable *v = c->variables; v != NULL; v = v->next)
		if (strlen(v->name) == len && memcmp(v->name, name, len) == 0)
			return v;
	return NULL;
}

static bool
set_variable(struct drill_code *c, const char *name, size_t len, const struct value *value)
{
	struct code_variable *v = variable(c, name, len);
	struct code_string *s;

	if (v == NULL) {
		v = calloc(1, sizeof *v + len + 1);
		if (v == NULL)
			return code_refuse(c, name, "no memory");
		memcpy(v->name, name, len);
		v->next = c->variables;
		c->variables = v;
	}
	v->value = *value;
	if (value->kind != VALUE_STRING)
		return true;
	s = malloc(sizeof *s + value->len + 1);	/* the piece of code goes, the value stays */
	if (s == NULL) {
		v->value.kind = VALUE_NONE;
		return code_refuse(c, name, "no memory");
	}
	memcpy(s->text, value->s, value->len);
	s->text[value->len] = '\0';
	s->next = c->strings;
	c->strings = s;
	v->value.s = s->text;
	return true;
}

bool
drill_code_variable(const struct drill_code *c, const char *name, int64_t *value)
{
	for (const struct code_variable *v = c->variables; v != NULL; v = v->next) {
		if (strcmp(v->name, name) == 0 && (v->value.kind == VALUE_INT || v->value.kind ==
		    VALUE_BOOL)) {
			*value = v->value.i;
			return true;
		}
	}
	return false;
}

/* ---- statements --------------------------------------------------------------------------------- */

static bool
at_end(const struct drill_code *c)
{
	return *c->at == '\0' || *c->at == '\n' || *c->at == ';';
}

/* Tells the assertion as it is written, its message and what its names were. */
static void
assertion_failed(struct drill_code *c, const char *begin, const char *end, const struct value *message)
{
	struct drill_place place = c->place;
	char text[sizeof c->error->text], value[120];
	size_t used;
	int len = end - begin > 200 ? 200 : (int)(end - begin);

	for (const char *p = c->text; p < begin; p++) {
		place.column++;
		if (*p == '\n') {
			place.line++;
			place.column = 1;
		}
	}
	used = (size_t)snprintf(text, sizeof text, "assert %.*s", len, begin);
	for (unsigned i = 0; i < c->used_count && used < sizeof text; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s is %s",
		    i == 0 ? ": " : ", ", (int)(c->used[i].len > 60 ? 60 : c->used[i].len), c->used[i].name,
		    code_value_text(&c->used[i].value, value, sizeof value));
	if (message != NULL && message->kind == VALUE_STRING && used < sizeof text)
		snprintf(text + used, sizeof text - used, " (%s)",
		    code_value_text(message, value, sizeof value));
	for (char *p = text; *p != '\0'; p++)
		if (*p == '\n')
			*p = ' ';
	c->failed = true;
	drill_error_set(c->error, DRILL_ERROR_SYNTAX, place, "%s", text);
}

static bool
run_assert(struct drill_code *c, bool *failed)
{
	const char *begin, *end;
	struct value v, message;
	bool has_message, ok, holds;

	code_skip(c);
	begin = c->at;
	c->used_count = 0;
	if (!code_expression(c, &v))
		return false;
	end = c->at;
	while (end > begin && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\n'))
		end--;
	holds = c->skip > 0 || code_truth(&v);
	has_message = code_accept(c, ",");
	if (has_message) {
		unsigned used = c->used_count;

		c->skip += holds;	/* Python does not look at it either */
		ok = code_expression(c, &message);
		c->skip -= holds;
		if (!ok)
			return false;
		c->used_count = message.kind == VALUE_STRING || used > 0 ? used : c->used_count;
	}
	if (!holds) {
		assertion_failed(c, begin, end, has_message ? &message : NULL);
		*failed = true;
	}
	return holds;
}

/* print(a, b), print a, b */
static bool
run_print(struct drill_code *c)
{
	struct value v;
	char text[1100];
	bool first = true, parens = false;
	const char *p;
	unsigned depth = 0;

	code_skip(c);
	/* print (a) + 1 is an expression in parentheses and more */
	if (*c->at == '(') {
		for (p = c->at; *p != '\0' && (depth += *p == '(', depth -= *p == ')', depth > 0); p++)
			;
		if (*p == ')')
			p++;
		while (*p == ' ' || *p == '\t' || *p == '\r')
			p++;
		parens = *p == '\0' || *p == '\n' || *p == ';' || *p == '#';
	}
	if (parens) {
		code_accept(c, "(");
		c->parens++;
	}
	for (code_skip(c); parens ? *c->at != ')' : !at_end(c); code_skip(c)) {
		if (!code_expression(c, &v))
			return false;
		if (c->skip == 0 && c->out != NULL)
			fprintf(c->out, "%s%s", first ? "" : " ", code_value_text(&v, text, sizeof text));
		first = false;
		if (!code_accept(c, ","))
			break;
	}
	if (parens) {
		bool closed = code_accept(c, ")");

		c->parens--;
		if (!closed)
			return code_refuse(c, c->at, "expected ',' or ')'");
	}
	if (c->skip == 0 && c->out != NULL)
		fputc('\n', c->out);
	return true;
}

/* NAME = value, NAME += value. `*done` false: it is none of these, and nothing is taken. */
static bool
run_assignment(struct drill_code *c, bool *done)
{
	static const char *const signs[] = {"**=", "//=", "<<=", ">>=", "+=", "-=", "*=", "/=", "%=",
	    "|=", "&=",
	    "^=", "="};
	const char *name = c->at, *sign = NULL, *at;
	size_t n = code_name(c);
	struct value value, old, added;
	struct code_variable *v;
	char op[3];

	*done = false;
	c->at += n;
	code_skip(c);
	at = c->at;
	for (size_t i = 0; n > 0 && sign == NULL && i < sizeof signs / sizeof signs[0]; i++)
		if (strncmp(at, signs[i], strlen(signs[i])) == 0)
			sign = signs[i];
	if (sign == NULL || (sign[0] == '=' && at[1] == '=')) {
		c->at = name;
		return true;
	}
	*done = true;
	c->at += strlen(sign);
	if (!code_expression(c, &value))
		return false;
	if (c->skip > 0)
		return true;
	if (sign[1] != '\0') {
		v = variable(c, name, n);
		if (v == NULL)
			return code_refuse(c, name, "'%.*s' has no value yet", (int)(n > 40 ? 40 : n), name);
		snprintf(op, sizeof op, "%.*s", (int)strlen(sign) - 1, sign);
		old = v->value;
		added = value;
		if (!code_binary(c, op, &old, &added, at, &value))
			return false;
	}
	return set_variable(c, name, n, &value);
}

static bool run_suite(struct drill_code *, bool *failed);

/* Goes to the first character of the next line that has something in it; false: there is none. */
static bool
next_line(struct drill_code *c, const char **line, unsigned *indent)
{
	const char *p = c->at;

	for (;;) {
		*indent = 0;
		*line = p;
		for (; *p == ' ' || *p == '\t' || *p == '\r'; p++)
			*indent = *p == '\t' ? *indent / 8 * 8 + 8 : *indent + 1;
		if (*p == '#')
			p += strcspn(p, "\n");
		if (*p == '\0')
			return false;
		if (*p != '\n')
			break;
		p++;
	}
	*line = p;
	return true;
}

/* Behind if or elif: EXPR: suite, and what follows of elif and else. */
static bool
run_if(struct drill_code *c, bool *failed)
{
	unsigned indent = c->indent, next;
	const char *line;
	struct value v;
	bool ok, no;

	if (!code_expression(c, &v))
		return false;
	if (!code_accept(c, ":"))
		return code_refuse(c, c->at, "expected ':'");
	no = !code_truth(&v);
	c->skip += no;
	ok = run_suite(c, failed);
	c->skip -= no;
	c->indent = indent;
	if (!ok || *c->at != '\n' || !next_line(c, &line, &next) || next != indent)
		return ok;
	if (strncmp(line, "elif", 4) != 0 && strncmp(line, "else", 4) != 0)
		return true;
	c->at = line;
	c->skip += !no;
	if (code_accept_word(c, "elif"))
		ok = c->depth++ < CODE_DEPTH ? run_if(c, failed) : code_refuse(c, c->at, "too deep");
	else if (code_accept_word(c, "else"))
		ok = code_accept(c, ":") ? c->depth++ < CODE_DEPTH && run_suite(c, failed) :
		    (c->depth++, code_refuse(c, c->at, "expected ':'"));
	else	/* a longer word */
		c->depth++;
	c->depth--;
	c->skip -= !no;
	c->indent = indent;
	return ok;
}

static bool
run_statement(struct drill_code *c, bool *failed)
{
	struct value v;
	bool done, ok;

	code_skip(c);
	if (code_accept_word(c, "assert"))
		return run_assert(c, failed);
	if (code_accept_word(c, "print"))
		return run_print(c);
	if (code_accept_word(c, "pass"))
		return true;
	if (code_accept_word(c, "import") || code_accept_word(c, "from")) {
		while (!at_end(c))
			c->at++;
		return true;
	}
	if (code_accept_word(c, "if")) {
		ok = c->depth++ < CODE_DEPTH ? run_if(c, failed) : code_refuse(c, c->at, "too deep");
		c->depth--;
		return ok;
	}
	if (!run_assignment(c, &done))
		return false;
	return done || code_expression(c, &v);
}

/* Statements up to the end of the line, where it stops. */
static bool
run_line(struct drill_code *c, bool *failed)
{
	for (;;) {
		code_skip(c);
		while (*c->at == ';') {
			c->at++;
			code_skip(c);
		}
		if (at_end(c))
			return true;
		if (!run_statement(c, failed))
			return false;
		code_skip(c);
		if (!at_end(c))
			return code_refuse(c, c->at, "'%.20s' is not known here", c->at);
	}
}

/* What belongs to an if: the rest of its line, or the lines behind it that are further to the right. */
static bool
run_suite(struct drill_code *c, bool *failed)
{
	unsigned outer = c->indent, indent, own = 0;
	const char *line;

	code_skip(c);
	if (!at_end(c))
		return run_line(c, failed);
	while (*c->at != '\0' && next_line(c, &line, &indent) && indent > outer) {
		if (own == 0)
			own = indent;
		if (indent != own)
			return code_refuse(c, line,
			    "a line that is further to the right than the one before");
		c->at = line;
		c->indent = indent;
		if (!run_line(c, failed))
			return false;
	}
	return own > 0 || code_refuse(c, c->at, "a block is missing");
}

enum drill_code_result
drill_code_run(struct drill_code *c, const char *text, struct drill_place place, struct drill_error *error)
{
	bool failed = false;
	const char *line;

	memset(error, 0, sizeof *error);
	c->text = c->at = text;
	c->place = place;
	c->error = error;
	c->failed = false;
	c->parens = c->skip = c->depth = c->indent = c->used_count = 0;
	code_skip(c);	/* packetdrill leaves out the spaces before the first line */
	if (*c->at != '\n' && *c->at != '\0' && !run_line(c, &failed))
		return failed ? DRILL_CODE_FAILED : DRILL_CODE_REFUSED;
	while (next_line(c, &line, &c->indent)) {
		c->at = line;
		if (!run_line(c, &failed))
			return failed ? DRILL_CODE_FAILED : DRILL_CODE_REFUSED;
	}
	return DRILL_CODE_OK;
}
