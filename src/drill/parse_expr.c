/* Expressions: arguments and results of calls. Called by parse.c. Their values: eval.h. */
#include <string.h>

#include "src/drill/parser.h"

#define KEY_DIGITS	32u	/* of TCP_FASTOPEN's keys: {enable = 1, psk = 0123...} */

static struct drill_expr *
expr_new(struct parser *p, enum drill_expr_kind kind)
{
	struct drill_expr *e = drill_arena_alloc(p->arena, sizeof *e);

	if (e == NULL) {
		parse_no_memory(p);
		return NULL;
	}
	e->kind = kind;
	e->place = parse_token(p)->place;
	return e;
}

/* The items are the expression's from now on. */
static bool
expr_items(struct parser *p, struct drill_expr *e, struct drill_vector *items)
{
	e->item_count = items->count;
	e->items = drill_vector_keep(items, p->arena);
	return e->item_count == 0 || e->items != NULL || parse_no_memory(p);
}

/* expression, expression ... close */
static bool
parse_items(struct parser *p, char close, const char *what, struct drill_vector *items)
{
	char message[60];

	if (parse_accept(p, close))
		return true;
	snprintf(message, sizeof message, "or ',' behind %s", what);
	for (;;) {
		struct drill_field field = {.place = parse_token(p)->place};
		struct drill_expr *value;

		if (parse_token(p)->kind == TOKEN_WORD && parse_peek_is(p, '=')) {	/* [name = value] */
			field.name = parse_text(p);
			lexer_next(&p->lexer);
			lexer_next(&p->lexer);
			if (field.name == NULL)
				return false;
		}
		if (!parse_expr(p, &value))
			return false;
		field.value = value;
		if (drill_vector_add(items, &field) != 0)
			return parse_no_memory(p);
		if (!parse_accept(p, ','))
			return parse_punct(p, close, message);
	}
}

bool
parse_expr_list(struct parser *p, char close, const char *what, const struct drill_field **list,
    size_t *count)
{
	struct drill_vector items = {.size = sizeof(struct drill_field)};
	bool ok = parse_items(p, close, what, &items);

	*count = items.count;
	*list = drill_vector_keep(&items, p->arena);
	if (ok && *count > 0 && *list == NULL)
		ok = parse_no_memory(p);
	return ok;
}

/* name = value, name(count) = value ... } */
static bool
parse_fields(struct parser *p, struct drill_vector *fields)
{
	for (;;) {
		struct drill_field field = {.place = parse_token(p)->place};
		struct drill_expr *count = NULL, *value;

		if (parse_token(p)->kind != TOKEN_WORD)
			return parse_expected(p, "the name of a field");
		field.name = parse_text(p);
		if (field.name == NULL)
			return false;
		lexer_next(&p->lexer);
		if (parse_accept(p, '(') && (!parse_expr(p, &count) ||
		    !parse_punct(p, ')', "behind the number of a field's elements")))
			return false;
		field.count = count;
		if (!parse_punct(p, '=', "behind the name of a field") || !parse_expr(p, &value))
			return false;
		field.value = value;
		if (drill_vector_add(fields, &field) != 0)
			return parse_no_memory(p);
		if (!parse_accept(p, ','))
			return parse_punct(p, '}', "or ',' behind a field");
	}
}

/* Behind {: whether name = or name(...) = follows. */
static bool
is_field(const struct parser *p)
{
	struct parser copy = *p;
	struct drill_error error = {.kind = DRILL_ERROR_NONE};

	copy.lexer.error = &error;
	if (parse_token(p)->kind != TOKEN_WORD)
		return false;
	lexer_next(&copy.lexer);
	if (parse_is(&copy, '('))
		while (!parse_is(&copy, ')') && parse_token(&copy)->kind != TOKEN_END &&
		    parse_token(&copy)->kind != TOKEN_BAD)
			lexer_next(&copy.lexer);
	if (parse_is(&copy, ')'))
		lexer_next(&copy.lexer);
	return parse_is(&copy, '=');
}

static bool
parse_braces(struct parser *p, struct drill_expr **expr)
{
	struct drill_vector items = {.size = sizeof(struct drill_field)};
	struct drill_expr *e = expr_new(p, DRILL_LIST);
	bool ok;

	if (e == NULL)
		return false;
	lexer_next(&p->lexer);
	if (is_field(p)) {
		e->kind = DRILL_STRUCT;
		ok = parse_fields(p, &items);
	} else
		ok = parse_items(p, '}', "an element", &items);
	if (!expr_items(p, e, &items))
		ok = false;
	*expr = e;
	return ok;
}

static bool
parse_array(struct parser *p, struct drill_expr **expr)
{
	struct drill_expr *e = expr_new(p, DRILL_ARRAY);

	if (e == NULL)
		return false;
	lexer_next(&p->lexer);
	*expr = e;
	return parse_expr_list(p, ']', "an element", &e->items, &e->item_count);
}

/* NAME, or NAME(arguments). */
static bool
parse_name(struct parser *p, struct drill_expr **expr)
{
	struct drill_expr *e = expr_new(p, parse_is_word(p, "NULL") ? DRILL_NULL : DRILL_NAME);

	if (e == NULL)
		return false;
	e->text_len = parse_token(p)->len;
	e->text = parse_text(p);
	if (e->text == NULL)
		return false;
	lexer_next(&p->lexer);
	*expr = e;
	if (!parse_accept(p, '('))
		return true;
	e->kind = DRILL_CALL;
	return parse_expr_list(p, ')', "an argument", &e->items, &e->item_count);
}

/* "a", "a" "b", "a"... */
static bool
parse_string(struct parser *p, struct drill_expr **expr)
{
	struct drill_expr *e = expr_new(p, DRILL_STRING);
	struct drill_vector bytes = {.size = 1};
	bool ok = e != NULL;

	while (ok && parse_token(p)->kind == TOKEN_STRING) {
		size_t len = 0;
		char *part = lexer_unescape(&p->lexer, parse_token(p), &len);

		ok = part != NULL || parse_no_memory(p);
		for (size_t i = 0; i < len && ok; i++)
			ok = drill_vector_add(&bytes, &part[i]) == 0 || parse_no_memory(p);
		lexer_next(&p->lexer);
	}
	if (ok) {
		e->text_len = bytes.count;
		e->text = drill_arena_copy(p->arena, bytes.data, bytes.count);
		ok = e->text != NULL || parse_no_memory(p);
	}
	drill_vector_free(&bytes);
	if (ok && parse_token(p)->kind == TOKEN_ELLIPSIS) {
		e->kind = DRILL_STRING_PART;
		lexer_next(&p->lexer);
	}
	*expr = e;
	return ok;
}

static bool
parse_integer(struct parser *p, struct drill_expr **expr)
{
	const struct token *t = parse_token(p);
	struct drill_expr *e = expr_new(p, DRILL_INTEGER);

	if (e == NULL)
		return false;
	if (t->overflow)
		return parse_fail(p, t->place, "a number that does not fit into 64 bits");
	e->integer = t->integer;
	e->hex = t->hex;
	*expr = e;
	lexer_next(&p->lexer);
	return true;
}

static bool
parse_simple(struct parser *p, struct drill_expr **expr)
{
	switch (parse_token(p)->kind) {
	case TOKEN_INTEGER:
		/* A key's hexadecimal digits may be decimal ones by chance. */
		return parse_token(p)->len == KEY_DIGITS ? parse_name(p, expr) : parse_integer(p, expr);
	case TOKEN_WORD:
		return parse_name(p, expr);
	case TOKEN_STRING:
		return parse_string(p, expr);
	case TOKEN_ELLIPSIS:
		*expr = expr_new(p, DRILL_ELLIPSIS);
		lexer_next(&p->lexer);
		return *expr != NULL;
	default:
		break;
	}
	if (parse_is(p, '['))
		return parse_array(p, expr);
	if (parse_is(p, '{'))
		return parse_braces(p, expr);
	if (parse_accept(p, '('))
		return parse_expr(p, expr) && parse_punct(p, ')', "behind an expression");
	return parse_expected(p, "a value");
}

/* a | b | c */
static bool
parse_or(struct parser *p, struct drill_expr **expr)
{
	struct drill_vector items = {.size = sizeof(struct drill_field)};
	struct drill_field field = {.place = parse_token(p)->place};
	struct drill_expr *e, *value = NULL;
	bool ok;

	if (!parse_simple(p, expr))
		return false;
	if (!parse_is(p, '|'))
		return true;
	e = expr_new(p, DRILL_OR);
	if (e == NULL)
		return false;
	field.value = *expr;
	ok = drill_vector_add(&items, &field) == 0 || parse_no_memory(p);
	while (ok && parse_accept(p, '|')) {
		field.place = parse_token(p)->place;
		ok = parse_simple(p, &value);
		if (ok) {
			field.value = value;
			ok = drill_vector_add(&items, &field) == 0 || parse_no_memory(p);
		}
	}
	if (!expr_items(p, e, &items))
		ok = false;
	*expr = e;
	return ok;
}

bool
parse_expr(struct parser *p, struct drill_expr **expr)
{
	bool ok;

	*expr = NULL;
	if (p->depth == PARSE_DEPTH)
		return parse_fail(p, parse_token(p)->place, "expressions are nested deeper than %u",
		    PARSE_DEPTH);
	p->depth++;
	ok = parse_or(p, expr);
	p->depth--;
	return ok;
}
