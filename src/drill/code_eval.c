/* Expressions of the code in scripts, by Python's precedence, evaluated as they are read. */
#include "src/drill/code_eval.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/drill/names.h"

/* ---- reading ------------------------------------------------------------------------------------ */

bool
code_refuse(struct drill_code *c, const char *at, const char *fmt, ...)
{
	struct drill_place place = c->place;
	char text[300];
	va_list ap;

	if (c->failed)
		return false;
	for (const char *p = c->text; p < at; p++) {
		place.column++;
		if (*p == '\n') {
			place.line++;
			place.column = 1;
		}
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	c->failed = true;
	drill_error_set(c->error, DRILL_ERROR_REFUSED, place, "%s", text);
	return false;
}

void
code_skip(struct drill_code *c)
{
	for (;; c->at++) {
		if (*c->at == '#') {
			while (c->at[1] != '\0' && c->at[1] != '\n')
				c->at++;
		} else if (*c->at == '\\' && c->at[1] == '\n')
			c->at++;
		else if (*c->at == '\\' && c->at[1] == '\r' && c->at[2] == '\n')
			c->at += 2;
		else if (*c->at != ' ' && *c->at != '\t' && *c->at != '\r' && (*c->at != '\n' ||
		    c->parens == 0))
			return;
	}
}

size_t
code_name(const struct drill_code *c)
{
	size_t n = 0;

	if (!isalpha((unsigned char)*c->at) && *c->at != '_')
		return 0;
	while (isalnum((unsigned char)c->at[n]) || c->at[n] == '_')
		n++;
	return n;
}

bool
code_accept_word(struct drill_code *c, const char *word)
{
	size_t n;

	code_skip(c);
	n = code_name(c);
	if (n == 0 || n != strlen(word) || memcmp(c->at, word, n) != 0)
		return false;
	c->at += n;
	return true;
}

bool
code_accept(struct drill_code *c, const char *sign)
{
	size_t n = strlen(sign);

	code_skip(c);
	if (strncmp(c->at, sign, n) != 0)
		return false;
	c->at += n;
	return true;
}

/* ---- values ------------------------------------------------------------------------------------- */

static struct value
of_int(int64_t i)
{
	return (struct value){.kind = VALUE_INT, .i = i};
}

static struct value
of_bool(bool b)
{
	return (struct value){.kind = VALUE_BOOL, .i = b};
}

static bool
is_number(const struct value *v)
{
	return v->kind == VALUE_BOOL || v->kind == VALUE_INT || v->kind == VALUE_FLOAT;
}

static double
as_float(const struct value *v)
{
	return v->kind == VALUE_FLOAT ? v->f : (double)v->i;
}

bool
code_truth(const struct value *v)
{
	switch (v->kind) {
	case VALUE_NONE:
		return false;
	case VALUE_FLOAT:
		return v->f < 0 || v->f > 0;
	case VALUE_STRING:
		return v->len > 0;
	default:
		return v->i != 0;
	}
}

const char *
code_value_text(const struct value *v, char *buffer, size_t size)
{
	switch (v->kind) {
	case VALUE_NONE:
		snprintf(buffer, size, "None");
		break;
	case VALUE_BOOL:
		snprintf(buffer, size, "%s", v->i != 0 ? "True" : "False");
		break;
	case VALUE_INT:
		snprintf(buffer, size, "%lld", (long long)v->i);
		break;
	case VALUE_FLOAT:
		snprintf(buffer, size, "%.12g", v->f);
		break;
	case VALUE_STRING:
		snprintf(buffer, size, "%.*s", (int)(v->len > 1000 ? 1000 : v->len), v->s);
		break;
	}
	return buffer;
}

/* Floor division and its remainder, as Python's. */
static int64_t
floor_div(int64_t a, int64_t b)
{
	int64_t q = a / b;

	return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

static bool
integer_op(struct drill_code *c, const char *op, int64_t a, int64_t b, const char *at, struct value *result)
{
	int64_t r = 0;
	bool over = false;

	switch (op[0]) {
	case '|':
		r = a | b;
		break;
	case '^':
		r = a ^ b;
		break;
	case '&':
		r = a & b;
		break;
	case '+':
		over = __builtin_add_overflow(a, b, &r);
		break;
	case '-':
		over = __builtin_sub_overflow(a, b, &r);
		break;
	case '<':
	case '>':
		if (b < 0 || b > 63)
			return code_refuse(c, at, "a shift by %lld", (long long)b);
		r = op[0] == '<' ? (int64_t)((uint64_t)a << b) : a >> b;
		over = op[0] == '<' && (r >> b) != a;
		break;
	case '*':
		if (op[1] == '\0') {
			over = __builtin_mul_overflow(a, b, &r);
			break;
		}
		if (b < 0)
			return code_refuse(c, at, "a power with a negative exponent");
		for (r = 1; b > 0 && !over && (a > 1 || a < -1); b--)
			over = __builtin_mul_overflow(r, a, &r);
		if (a == 0 || a == 1 || a == -1)
			r = b == 0 ? 1 : a == -1 ? (b % 2 != 0 ? -1 : 1) : a;
		break;
	default:	/* // % */
		if (b == 0)
			return code_refuse(c, at, "a division by zero");
		if (b == -1) {
			over = __builtin_sub_overflow((int64_t)0, a, &r);
			r = op[0] == '%' ? 0 : r;
			over = op[0] != '%' && over;
		} else
			r = op[0] == '%' ? a - floor_div(a, b) * b : floor_div(a, b);
		break;
	}
	if (over)
		return code_refuse(c, at, "a number beyond 64 bits");
	*result = of_int(r);
	return true;
}

static bool
float_op(struct drill_code *c, const char *op, double a, double b, const char *at, struct value *result)
{
	double r;

	if ((op[0] == '/' || op[0] == '%') && !(b < 0 || b > 0))
		return code_refuse(c, at, "a division by zero");
	if (strcmp(op, "+") == 0)
		r = a + b;
	else if (strcmp(op, "-") == 0)
		r = a - b;
	else if (strcmp(op, "*") == 0)
		r = a * b;
	else if (strcmp(op, "/") == 0)
		r = a / b;
	else if (strcmp(op, "//") == 0)
		r = floor(a / b);
	else if (strcmp(op, "%") == 0)
		r = a - floor(a / b) * b;
	else if (strcmp(op, "**") == 0)
		r = pow(a, b);
	else
		return code_refuse(c, at, "%s of numbers that are not whole", op);
	*result = (struct value){.kind = VALUE_FLOAT, .f = r};
	return true;
}

/* Text of its own, as long as the code lives. */
bool
code_new_string(struct drill_code *c, const char *a, size_t a_len, const char *b, size_t b_len,
    struct value *result)
{
	struct code_string *s;

	if (a_len + b_len > 100000)
		return code_refuse(c, c->at, "a string of more than 100000 characters");
	s = malloc(sizeof *s + a_len + b_len + 1);
	if (s == NULL)
		return code_refuse(c, c->at, "no memory");
	memcpy(s->text, a, a_len);
	memcpy(s->text + a_len, b, b_len);
	s->text[a_len + b_len] = '\0';
	s->next = c->strings;
	c->strings = s;
	*result = (struct value){.kind = VALUE_STRING, .s = s->text, .len = a_len + b_len};
	return true;
}

bool
code_binary(struct drill_code *c, const char *op, const struct value *a, const struct value *b,
    const char *at,
    struct value *result)
{
	*result = (struct value){.kind = VALUE_NONE};
	if (c->skip > 0)
		return true;
	if (a->kind == VALUE_STRING && b->kind == VALUE_STRING && strcmp(op, "+") == 0)
		return code_new_string(c, a->s, a->len, b->s, b->len, result);
	if (!is_number(a) || !is_number(b))
		return code_refuse(c, at, "%s of something that is no number", op);
	if (a->kind == VALUE_FLOAT || b->kind == VALUE_FLOAT)
		return float_op(c, op, as_float(a), as_float(b), at, result);
	if (strcmp(op, "/") == 0)	/* whole when it can be, a fraction else */
		return b->i != 0 && b->i != -1 && a->i % b->i == 0 ? (*result = of_int(a->i / b->i), true) :
		    float_op(c, op, as_float(a), as_float(b), at, result);
	return integer_op(c, op, a->i, b->i, at, result);
}

/* ---- names and calls ---------------------------------------------------------------------------- */

static void
remember(struct drill_code *c, const char *name, size_t len, const struct value *v)
{
	for (unsigned i = 0; i < c->used_count; i++)
		if (c->used[i].len == len && memcmp(c->used[i].name, name, len) == 0)
			return;
	if (c->used_count == CODE_USED)
		return;
	c->used[c->used_count].name = name;
	c->used[c->used_count].len = len;
	c->used[c->used_count++].value = *v;
}

static bool
look_up(struct drill_code *c, const char *name, size_t len, struct value *v)
{
	const struct drill_constant *constant;
	char copy[128];
	int64_t i;

	*v = (struct value){.kind = VALUE_NONE};
	if (c->skip > 0)
		return true;
	if (len >= sizeof copy)
		return code_refuse(c, name, "a name of more than %zu characters", sizeof copy - 1);
	memcpy(copy, name, len);
	copy[len] = '\0';
	for (const struct code_variable *var = c->variables; var != NULL; var = var->next) {
		if (strcmp(var->name, copy) == 0) {
			*v = var->value;
			remember(c, name, len, v);
			return true;
		}
	}
	if (c->lookup != NULL && c->lookup(c->ctx, copy, &i)) {
		*v = of_int(i);
		remember(c, name, len, v);
		return true;
	}
	constant = drill_constant(copy);
	if (constant == NULL)
		return code_refuse(c, name, "there is no name '%s'", copy);
	/* What TCP_INFO tells of is the machine's: so are the names that it is compared with. */
	*v = of_int(constant->has_darwin ? constant->darwin : constant->host);
	return true;
}

bool
code_arguments(struct drill_code *c, struct value args[CODE_ARGS], unsigned *count)
{
	bool ok = true;

	*count = 0;
	c->parens++;
	while (ok && !code_accept(c, ")")) {
		if (*count == CODE_ARGS)
			ok = code_refuse(c, c->at, "more than %d arguments", CODE_ARGS);
		else
			ok = code_expression(c, &args[(*count)++]);
		code_skip(c);
		if (ok && *c->at != ')' && !code_accept(c, ","))
			ok = code_refuse(c, c->at, "expected ',' or ')'");
	}
	c->parens--;
	return ok;
}

static int compare(const struct value *a, const struct value *b);

static bool
call(struct drill_code *c, const char *name, size_t len, struct value *v)
{
	struct value args[CODE_ARGS];
	unsigned count;
	char text[1100];

	if (!code_arguments(c, args, &count))
		return false;
	*v = (struct value){.kind = VALUE_NONE};
	if (c->skip > 0)
		return true;
#define IS(word)	(len == strlen(word) && memcmp(name, word, len) == 0)
	if ((IS("min") || IS("max")) && count >= 2) {
		*v = args[0];
		for (unsigned i = 1; i < count; i++) {
			if (!is_number(&args[i]) || !is_number(v))
				return code_refuse(c, name, "the %.*s of something that is no number",
				    (int)len, name);
			if ((compare(&args[i], v) < 0) == IS("min") && compare(&args[i], v) != 0)
				*v = args[i];
		}
		return true;
	}
	if (count != 1)
		return code_refuse(c, name, "no function '%.*s' with %u arguments", (int)(len > 40 ? 40 :
		    len), name,
		    count);
	if (IS("abs") && is_number(&args[0])) {
		*v = args[0];
		v->f = fabs(v->f);
		v->i = v->i < 0 && v->i > INT64_MIN ? -v->i : v->i;
	} else if (IS("int") && is_number(&args[0])) {
		if (args[0].kind == VALUE_FLOAT && !(fabs(args[0].f) < 9e18))
			return code_refuse(c, name, "a number beyond 64 bits");
		*v = of_int(args[0].kind == VALUE_FLOAT ? (int64_t)args[0].f : args[0].i);
	} else if (IS("len") && args[0].kind == VALUE_STRING)
		*v = of_int((int64_t)args[0].len);
	else if (IS("str") || IS("repr")) {
		code_value_text(&args[0], text, sizeof text);
		return code_new_string(c, text, strlen(text), "", 0, v);
	} else if (IS("hex") && is_number(&args[0])) {
		snprintf(text, sizeof text, "0x%llx", (unsigned long long)args[0].i);
		return code_new_string(c, text, strlen(text), "", 0, v);
	} else if (IS("bool"))
		*v = of_bool(code_truth(&args[0]));
	else
		return code_refuse(c, name, "no function '%.*s' of that is known", (int)(len > 40 ? 40 :
		    len), name);
#undef IS
	return true;
}

static bool unary(struct drill_code *, struct value *);

/* ---- the smallest parts ------------------------------------------------------------------------- */

static bool
read_number(struct drill_code *c, struct value *v)
{
	const char *begin = c->at, *end;
	unsigned base = 10;
	uint64_t i = 0;

	if (*begin == '0' && begin[1] != '\0' && strchr("xXoObB", begin[1]) != NULL) {
		base = (begin[1] | 32) == 'x' ? 16 : (begin[1] | 32) == 'o' ? 8 : 2;
		c->at += 2;
	} else {
		size_t n = strspn(begin, "0123456789");

		if (begin[n] == '.' || (begin[n] | 32) == 'e') {
			char *stop;

			*v = (struct value){.kind = VALUE_FLOAT, .f = strtod(begin, &stop)};
			c->at = stop;
			return true;
		}
	}
	for (end = c->at; isxdigit((unsigned char)*end) || *end == '_'; end++) {
		unsigned d = isdigit((unsigned char)*end) ? (unsigned)(*end - '0') :
		    (unsigned)(tolower((unsigned char)*end) - 'a' + 10);

		if (*end == '_')
			continue;
		if (d >= base)
			break;
		if (i > ((uint64_t)INT64_MAX - d) / base)
			return code_refuse(c, begin, "a number beyond 64 bits");
		i = i * base + d;
	}
	if (end == c->at || isalnum((unsigned char)*end))
		return code_refuse(c, begin, "no number");
	c->at = end;
	*v = of_int((int64_t)i);
	return true;
}

static bool
read_string(struct drill_code *c, struct value *v)
{
	const char *begin = c->at;
	const char *p = begin + 1;

	while (*p != '\0' && *p != '\n' && *p != *begin)
		p += *p == '\\' && p[1] != '\0' ? 2 : 1;
	if (*p != *begin)
		return code_refuse(c, begin, "a string that does not end");
	*v = (struct value){.kind = VALUE_STRING, .s = begin + 1, .len = (size_t)(p - begin - 1)};
	c->at = p + 1;
	return true;
}

/* .format(values), or nothing. */
static bool
string_method(struct drill_code *c, struct value *v)
{
	struct value args[CODE_ARGS], format = *v;
	const char *at = c->at;
	unsigned count;

	if (strncmp(at, ".format(", 8) != 0)
		return true;
	c->at += 8;
	if (!code_arguments(c, args, &count))
		return false;
	return c->skip > 0 || code_format(c, at, &format, args, count, v);
}

/* Behind % of a text: (a, b), or a value. */
static bool
percent(struct drill_code *c, const struct value *format, const char *at, struct value *v)
{
	struct value args[CODE_ARGS];
	unsigned count = 1;
	bool ok;

	*v = *format;
	ok = code_accept(c, "(") ? code_arguments(c, args, &count) : unary(c, &args[0]);
	return ok && (c->skip > 0 || code_percent(c, at, format, args, count, v));
}

static bool
atom(struct drill_code *c, struct value *v)
{
	static const char *const refused[] = {"lambda", "for", "while", "def", "class", "yield", "await"};
	const char *begin;
	size_t n;
	bool ok;

	code_skip(c);
	begin = c->at;
	n = code_name(c);
	if (isdigit((unsigned char)*c->at) || (*c->at == '.' && isdigit((unsigned char)c->at[1])))
		return read_number(c, v);
	if (*c->at == '"' || *c->at == '\'')
		return read_string(c, v) && string_method(c, v);
	if (code_accept(c, "(")) {
		c->parens++;
		ok = code_expression(c, v);
		if (ok && !code_accept(c, ")"))
			ok = code_refuse(c, c->at, *c->at == ',' ? "tuples are not known" : "expected ')'");
		c->parens--;
		return ok;
	}
	if (n == 0)
		return code_refuse(c, begin, *begin == '\0' || *begin == '\n' || *begin == ';' ?
		    "a value is missing" : "'%c' is not known here", *begin);
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		if (code_accept_word(c, refused[i]))
			return code_refuse(c, begin, "'%s' is not known", refused[i]);
	if (code_accept_word(c, "True") || code_accept_word(c, "False")) {
		*v = of_bool(*begin == 'T');
		return true;
	}
	if (code_accept_word(c, "None")) {
		*v = (struct value){.kind = VALUE_NONE};
		return true;
	}
	c->at += n;
	if (*c->at == '.' || *c->at == '[')
		return code_refuse(c, c->at, "attributes and indices are not known");
	if (code_accept(c, "("))
		return call(c, begin, n, v);
	return look_up(c, begin, n, v);
}

/* ---- operators ---------------------------------------------------------------------------------- */

static bool
power(struct drill_code *c, struct value *v)
{
	struct value a, b;
	const char *at;
	bool ok;

	if (!atom(c, v))
		return false;
	code_skip(c);
	at = c->at;
	if (strncmp(at, "**", 2) != 0 || at[2] == '=')
		return true;
	c->at += 2;
	a = *v;
	if (c->depth++ == CODE_DEPTH)
		return code_refuse(c, at, "expressions are nested deeper than %u", CODE_DEPTH);
	ok = unary(c, &b);
	c->depth--;
	return ok && code_binary(c, "**", &a, &b, at, v);
}

static bool
unary(struct drill_code *c, struct value *v)
{
	struct value zero = of_int(0), a = zero;
	const char *at;
	char op;
	bool ok;

	code_skip(c);
	at = c->at;
	op = *at;
	if (op != '-' && op != '+' && op != '~')
		return power(c, v);
	if (c->depth++ == CODE_DEPTH)
		return code_refuse(c, at, "expressions are nested deeper than %u", CODE_DEPTH);
	c->at++;
	ok = unary(c, &a);
	c->depth--;
	if (!ok)
		return false;
	if (op == '+' || c->skip > 0) {
		*v = a;
		return true;
	}
	if (op == '-')
		return code_binary(c, "-", &zero, &a, at, v);
	if (a.kind != VALUE_INT && a.kind != VALUE_BOOL)
		return code_refuse(c, at, "~ of something that is no whole number");
	*v = of_int(~a.i);
	return true;
}

/* The levels of binary operators that are alike, loosest first; within each, longer signs first. */
static const char *const levels[][5] = {
	{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"//", "*", "/", "%"}
};

#define LEVELS	(sizeof levels / sizeof levels[0])

static const char *
operator_at(const struct drill_code *c, unsigned level)
{
	for (unsigned i = 0; i < 5 && levels[level][i] != NULL; i++) {
		const char *op = levels[level][i];
		size_t n = strlen(op);

		if (strncmp(c->at, op, n) != 0 || c->at[n] == '=')
			continue;
		if (op[0] == '*' && c->at[1] == '*')
			continue;
		return op;
	}
	return NULL;
}

static bool
binary(struct drill_code *c, unsigned level, struct value *v)
{
	const char *op, *at;
	struct value a, b;

	if (level == LEVELS)
		return unary(c, v);
	if (!binary(c, level + 1, v))
		return false;
	for (;;) {
		code_skip(c);
		op = operator_at(c, level);
		if (op == NULL)
			return true;
		at = c->at;
		c->at += strlen(op);
		a = *v;
		if (a.kind == VALUE_STRING && op[0] == '%') {
			if (!percent(c, &a, at, v))
				return false;
			continue;
		}
		if (!binary(c, level + 1, &b) || !code_binary(c, op, &a, &b, at, v))
			return false;
	}
}

/* < 0, 0, > 0; 2: they cannot be compared but for equality. */
static int
compare(const struct value *a, const struct value *b)
{
	int order;

	if (a->kind == VALUE_STRING && b->kind == VALUE_STRING) {
		order = memcmp(a->s, b->s, a->len < b->len ? a->len : b->len);
		return order != 0 ? (order < 0 ? -1 : 1) : (a->len > b->len) - (a->len < b->len);
	}
	if (is_number(a) && is_number(b)) {
		if (a->kind != VALUE_FLOAT && b->kind != VALUE_FLOAT)
			return (a->i > b->i) - (a->i < b->i);
		return (as_float(a) > as_float(b)) - (as_float(a) < as_float(b));
	}
	return a->kind == b->kind ? 0 : 2;
}

/* Behind `in`: (a, b) or [a, b]. */
static bool
is_in(struct drill_code *c, const struct value *a, bool *result)
{
	const char *close = NULL;
	struct value b;
	bool ok = true;

	*result = false;
	if (code_accept(c, "("))
		close = ")";
	else if (code_accept(c, "["))
		close = "]";
	else
		return code_refuse(c, c->at, "expected (values) or [values] behind 'in'");
	c->parens++;
	while (ok && !code_accept(c, close)) {
		ok = code_expression(c, &b);
		if (ok && compare(a, &b) == 0)
			*result = true;
		code_skip(c);
		if (ok && *c->at != *close && !code_accept(c, ","))
			ok = code_refuse(c, c->at, "expected ',' or '%s'", close);
	}
	c->parens--;
	return ok;
}

static const char *const comparisons[] = {"==", "!=", "<=", ">=", "<>", "<", ">"};

static bool
holds(const char *op, int order)
{
	if (op[0] == '=' || op[0] == '!' || strcmp(op, "<>") == 0)
		return (order == 0) == (op[0] == '=');
	if (order == 0)
		return op[1] == '=';
	return order != 2 && (op[0] == '<') == (order < 0);
}

static bool
comparison(struct drill_code *c, struct value *v)
{
	struct value a, b;
	bool result = true, any = false, part;
	const char *at;

	if (!binary(c, 0, v))
		return false;
	for (;;) {
		const char *op = NULL;
		bool negate;

		a = *v;
		code_skip(c);
		at = c->at;
		for (size_t i = 0; op == NULL && i < sizeof comparisons / sizeof comparisons[0]; i++)
			if (code_accept(c, comparisons[i]))
				op = comparisons[i];
		negate = op == NULL && code_accept_word(c, "not");
		if (op == NULL && code_accept_word(c, "in")) {
			if (!is_in(c, &a, &part))
				return false;
			*v = of_bool(part != negate);
			return true;
		}
		if (negate)
			return code_refuse(c, at, "'not' is not known here");
		if (op == NULL && code_accept_word(c, "is"))
			op = code_accept_word(c, "not") ? "!=" : "==";
		if (op == NULL)
			break;
		if (!binary(c, 0, &b))
			return false;
		if (c->skip == 0 && compare(&a, &b) == 2 && op[0] != '=' && op[0] != '!')
			return code_refuse(c, at, "%s of values that have no order", op);
		result = result && (c->skip > 0 || holds(op, compare(&a, &b)));
		any = true;
		*v = b;
	}
	if (any)
		*v = of_bool(result);
	return true;
}

static bool
negation(struct drill_code *c, struct value *v)
{
	unsigned nots = 0;

	while (code_accept_word(c, "not"))
		nots++;
	if (!comparison(c, v))
		return false;
	if (nots > 0)
		*v = of_bool(code_truth(v) == (nots % 2 == 0));
	return true;
}

/* a and b; a or b: the second is not done when the first decides. */
static bool
junction(struct drill_code *c, bool or, struct value *v)
{
	struct value b;
	bool decided, ok;

	if (or ? !junction(c, false, v) : !negation(c, v))
		return false;
	while (code_accept_word(c, or ? "or" : "and")) {
		decided = code_truth(v) == or;
		c->skip += decided;
		ok = or ? junction(c, false, &b) : negation(c, &b);
		c->skip -= decided;
		if (!ok)
			return false;
		if (!decided)
			*v = b;
	}
	return true;
}

bool
code_expression(struct drill_code *c, struct value *v)
{
	struct value condition, other;
	bool ok, yes;

	*v = (struct value){.kind = VALUE_NONE};
	if (c->depth++ == CODE_DEPTH)
		return code_refuse(c, c->at, "expressions are nested deeper than %u", CODE_DEPTH);
	ok = junction(c, true, v);
	if (ok && code_accept_word(c, "if")) {
		ok = junction(c, true, &condition);
		if (ok && !code_accept_word(c, "else"))
			ok = code_refuse(c, c->at, "expected 'else'");
		yes = ok && code_truth(&condition);
		c->skip += yes;
		ok = ok && code_expression(c, &other);
		c->skip -= yes;
		if (ok && !yes)
			*v = other;
	}
	c->depth--;
	return ok;
}
