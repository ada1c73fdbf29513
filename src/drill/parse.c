/* Scripts: options, events, times, calls. Way in: drill_parse(). What a script is made of: script.h. */
#include <stdlib.h>
#include <string.h>

#include "src/drill/parser.h"

#define MAX_SCRIPT_BYTES	(64u << 20)

/* ---- errors ------------------------------------------------------------------------------------- */

static bool __attribute__((format(printf, 4, 0)))
fail(struct parser *p, enum drill_error_kind kind, struct drill_place place, const char *fmt, va_list ap)
{
	if (p->error->kind == DRILL_ERROR_NONE) {
		char text[sizeof p->error->text];

		vsnprintf(text, sizeof text, fmt, ap);
		drill_error_set(p->error, kind, place, "%s", text);
	}
	return false;
}

bool
parse_fail(struct parser *p, struct drill_place place, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(p, DRILL_ERROR_SYNTAX, place, fmt, ap);
	va_end(ap);
	return false;
}

bool
parse_refuse(struct parser *p, struct drill_place place, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(p, DRILL_ERROR_REFUSED, place, fmt, ap);
	va_end(ap);
	return false;
}

bool
parse_no_memory(struct parser *p)
{
	drill_error_set(p->error, DRILL_ERROR_FILE, parse_token(p)->place, "no memory");
	return false;
}

bool
parse_expected(struct parser *p, const char *what)
{
	const struct token *t = parse_token(p);
	char found[64];

	if (t->kind == TOKEN_BAD)	/* told already */
		return false;
	return parse_fail(p, t->place, "expected %s, found %s", what, token_text(t, found, sizeof found));
}

/* ---- tokens ------------------------------------------------------------------------------------- */

static bool
token_is_word(const struct token *t, const char *word)
{
	return t->kind == TOKEN_WORD && strlen(word) == t->len && memcmp(word, t->text, t->len) == 0;
}

bool
parse_is_word(const struct parser *p, const char *word)
{
	return token_is_word(parse_token(p), word);
}

struct token
parse_peek(const struct parser *p)
{
	struct drill_error error = {.kind = DRILL_ERROR_NONE};
	struct lexer copy = p->lexer;

	copy.error = &error;
	lexer_next(&copy);
	return copy.token;
}

bool
parse_peek_is(const struct parser *p, char punct)
{
	struct token t = parse_peek(p);

	return t.kind == TOKEN_PUNCT && t.text[0] == punct;
}

bool
parse_accept(struct parser *p, char punct)
{
	if (!parse_is(p, punct))
		return false;
	lexer_next(&p->lexer);
	return true;
}

bool
parse_accept_word(struct parser *p, const char *word)
{
	if (!parse_is_word(p, word))
		return false;
	lexer_next(&p->lexer);
	return true;
}

bool
parse_punct(struct parser *p, char punct, const char *where)
{
	char what[100];

	if (parse_accept(p, punct))
		return true;
	snprintf(what, sizeof what, "'%c' %s", punct, where);
	return parse_expected(p, what);
}

bool
parse_unsigned(struct parser *p, uint64_t max, const char *what, uint64_t *value)
{
	const struct token *t = parse_token(p);
	char message[120];

	if (t->kind != TOKEN_INTEGER) {
		snprintf(message, sizeof message, "a number as %s", what);
		return parse_expected(p, message);
	}
	if (t->overflow || t->integer < 0 || (uint64_t)t->integer > max)
		return parse_fail(p, t->place, "%s is %.*s, but can be 0 to %llu", what,
		    t->len > 40 ? 40 : (int)t->len, t->text, (unsigned long long)max);
	*value = (uint64_t)t->integer;
	lexer_next(&p->lexer);
	return true;
}

char *
parse_text(struct parser *p)
{
	char *text = drill_arena_copy(p->arena, parse_token(p)->text, parse_token(p)->len);

	if (text == NULL)
		parse_no_memory(p);
	return text;
}

/* ---- times -------------------------------------------------------------------------------------- */

static bool
is_number(const struct parser *p)
{
	return parse_token(p)->kind == TOKEN_INTEGER || parse_token(p)->kind == TOKEN_FLOAT;
}

static bool
parse_time_value(struct parser *p, int64_t *us)
{
	const struct token *t = parse_token(p);

	if (!is_number(p) || t->hex)
		return parse_expected(p, "a time in seconds");
	if (t->us == -2)
		return parse_fail(p, t->place, "the time %.*s is negative", t->len > 40 ? 40 :
		    (int)t->len, t->text);
	if (t->us < 0)
		return parse_fail(p, t->place, "the time %.*s is too large", t->len > 40 ? 40 :
		    (int)t->len, t->text);
	*us = t->us;
	lexer_next(&p->lexer);
	return true;
}

/* What stands before an event: TIME, +TIME, *, +*, TIME~TIME, +TIME~+TIME, or nothing. */
static bool
parse_time(struct parser *p, struct drill_time *time)
{
	struct drill_place place;
	bool relative = parse_accept(p, '+');

	if (parse_accept(p, '*')) {
		time->kind = relative ? DRILL_TIME_RELATIVE_ANY : DRILL_TIME_ANY;
		return true;
	}
	if (!relative && !is_number(p)) {
		time->kind = DRILL_TIME_NONE;
		return true;
	}
	if (!parse_time_value(p, &time->us))
		return false;
	time->kind = relative ? DRILL_TIME_RELATIVE : DRILL_TIME_ABSOLUTE;
	place = parse_token(p)->place;
	if (!parse_accept(p, '~'))
		return true;
	time->kind = relative ? DRILL_TIME_RELATIVE_RANGE : DRILL_TIME_ABSOLUTE_RANGE;
	if (parse_is(p, '+')) {
		if (!relative)
			return parse_fail(p, place, "a time range from an absolute to a relative time");
		lexer_next(&p->lexer);
	}
	place = parse_token(p)->place;
	if (!parse_time_value(p, &time->end_us))
		return false;
	if (time->end_us < time->us)
		return parse_fail(p, place, "the time range is backwards");
	return true;
}

/* ---- calls -------------------------------------------------------------------------------------- */

/* (words in parentheses), behind a result: kept as they are. */
static bool
parse_note(struct parser *p, const char **note)
{
	const char *begin;
	size_t n;
	char *copy;

	if (!parse_is(p, '('))
		return true;
	if (!lexer_until(&p->lexer, ')', &begin, &n))
		return parse_fail(p, parse_token(p)->place, "a note ( that does not end");
	copy = drill_arena_copy(p->arena, begin, n);
	if (copy == NULL)
		return parse_no_memory(p);
	*note = copy;
	return true;
}

static bool
parse_call(struct parser *p, struct drill_event *event)
{
	struct drill_call *call = drill_arena_alloc(p->arena, sizeof *call);
	struct drill_expr *result;
	struct drill_place end_place;

	if (call == NULL)
		return parse_no_memory(p);
	if (parse_token(p)->kind == TOKEN_ELLIPSIS) {
		lexer_next(&p->lexer);
		parse_accept(p, '+');	/* counted as the begin is, with and without */
		end_place = parse_token(p)->place;
		if (!parse_time_value(p, &call->end_us))
			return false;
		if (call->end_us < event->time.us)
			return parse_fail(p, end_place, "the call returns before it begins");
		call->blocks = true;
	}
	if (parse_token(p)->kind != TOKEN_WORD)
		return parse_expected(p, "a packet, a call, `a command` or %{ code }%");
	call->name = parse_text(p);
	if (call->name == NULL)
		return false;
	lexer_next(&p->lexer);
	if (!parse_punct(p, '(', "behind the name of a call") ||
	    !parse_expr_list(p, ')', "an argument", &call->args, &call->arg_count) ||
	    !parse_punct(p, '=', "and the result behind a call") || !parse_expr(p, &result))
		return false;
	call->result = result;
	if (parse_token(p)->kind == TOKEN_WORD) {
		call->error = parse_text(p);
		if (call->error == NULL)
			return false;
		lexer_next(&p->lexer);
	}
	if (!parse_note(p, &call->note))
		return false;
	event->kind = DRILL_SYSCALL;
	event->call = call;
	return true;
}

/* ---- events ------------------------------------------------------------------------------------- */

static bool
parse_block(struct parser *p, enum drill_event_kind kind, struct drill_event *event)
{
	event->kind = kind;
	event->text_place = parse_token(p)->place;
	event->text_place.column += kind == DRILL_CODE ? 2 : 1;
	event->text = parse_text(p);
	if (event->text == NULL)
		return false;
	lexer_next(&p->lexer);
	return true;
}

/* Whether the event may have that kind of time. */
static bool
check_time(struct parser *p, const struct drill_event *event)
{
	bool packet_out = event->kind == DRILL_PACKET && event->packet->direction == DRILL_OUT;

	switch (event->time.kind) {
	case DRILL_TIME_ANY:
	case DRILL_TIME_RELATIVE_ANY:
		return packet_out || parse_fail(p, event->place, "the time * is for packets out (>) only");
	case DRILL_TIME_ABSOLUTE_RANGE:
	case DRILL_TIME_RELATIVE_RANGE:
		return packet_out || parse_fail(p, event->place,
		    "a range of times is for packets out (>) only");
	default:
		return true;
	}
}

static bool
parse_event(struct parser *p, struct drill_event *event)
{
	struct drill_packet *packet;

	memset(event, 0, sizeof *event);
	event->place = parse_token(p)->place;
	if (!parse_time(p, &event->time))
		return false;
	if (event->time.kind == DRILL_TIME_NONE && parse_token(p)->kind != TOKEN_COMMAND)
		return parse_expected(p, parse_token(p)->kind == TOKEN_OPTION ?
		    "an event (options stand before the first one)" : "an event, which begins with its time");
	if (parse_token(p)->kind == TOKEN_COMMAND) {
		if (!parse_block(p, DRILL_COMMAND, event))
			return false;
	} else if (parse_token(p)->kind == TOKEN_CODE) {
		if (!parse_block(p, DRILL_CODE, event))
			return false;
	} else if (parse_is(p, '<') || parse_is(p, '>')) {
		if (!parse_packet(p, &packet))
			return false;
		event->kind = DRILL_PACKET;
		event->packet = packet;
	} else if (!parse_call(p, event))
		return false;
	return check_time(p, event);
}

static bool
parse_events(struct parser *p, struct drill_vector *events)
{
	struct drill_event event;

	while (parse_token(p)->kind != TOKEN_END) {
		if (!parse_event(p, &event))
			return false;
		if (drill_vector_add(events, &event) != 0)
			return parse_no_memory(p);
	}
	if (events->count == 0)
		return parse_fail(p, parse_token(p)->place, "the script has no events");
	return true;
}

/* ---- options ------------------------------------------------------------------------------------ */

/* --name, --name=value, --name="value", --define=A="value" (which keeps its quotes). */
static bool
parse_option(struct parser *p, struct drill_option *option)
{
	const char *value;
	char *copy;
	size_t n;

	memset(option, 0, sizeof *option);
	option->place = parse_token(p)->place;
	option->name = parse_text(p);
	if (option->name == NULL)
		return false;
	lexer_next(&p->lexer);
	if (!parse_accept(p, '='))
		return true;
	n = parse_token(p)->place.line == option->place.line ? lexer_raw_value(&p->lexer, &value) : 0;
	if (n == 0)
		return parse_expected(p, "a value behind --option=");
	if (n >= 2 && value[0] == '"' && value[n - 1] == '"') {
		value++;
		n -= 2;
	}
	copy = drill_arena_copy(p->arena, value, n);
	if (copy == NULL)
		return parse_no_memory(p);
	option->value = copy;
	return true;
}

/* The words that --define=NAME=VALUE names are known from there on. */
static bool
add_define(struct parser *p, struct drill_vector *defines, const struct drill_option *option)
{
	struct drill_define define;
	const char *equals;

	if (strcmp(option->name, "define") != 0)
		return true;
	equals = option->value != NULL ? strchr(option->value, '=') : NULL;
	if (equals == NULL || equals == option->value)
		return parse_fail(p, option->place, "--define is to be given NAME=VALUE");
	define.value = equals + 1;
	define.name = drill_arena_copy(p->arena, option->value, (size_t)(equals - option->value));
	if (define.name == NULL || drill_vector_add(defines, &define) != 0)
		return parse_no_memory(p);
	p->lexer.defines = (const struct drill_define *)(const void *)defines->data;
	p->lexer.define_count = defines->count;
	return true;
}

static bool
parse_options(struct parser *p, struct drill_vector *options, struct drill_vector *defines)
{
	struct drill_option option;

	while (parse_token(p)->kind == TOKEN_OPTION) {
		if (!parse_option(p, &option) || !add_define(p, defines, &option))
			return false;
		if (drill_vector_add(options, &option) != 0)
			return parse_no_memory(p);
	}
	return true;
}

/* The line of the error, as the script goes. */
static void
keep_line(const struct drill_script *script, struct drill_error *error)
{
	size_t len;
	const char *line = drill_script_line(script, error->place.line, &len);

	if (line != NULL)
		snprintf(error->line, sizeof error->line, "%.*s", len > sizeof error->line ?
		    (int)sizeof error->line :
		    (int)len, line);
}

/* ---- the whole ---------------------------------------------------------------------------------- */

static bool
parse_script(struct parser *p, struct drill_script *script, const struct drill_define *given,
    size_t given_count)
{
	struct drill_vector options = {.size = sizeof(struct drill_option)};
	struct drill_vector defines = {.size = sizeof(struct drill_define)};
	struct drill_vector events = {.size = sizeof(struct drill_event)};
	bool ok = true;

	for (size_t i = 0; i < given_count && ok; i++)
		ok = drill_vector_add(&defines, &given[i]) == 0 || parse_no_memory(p);
	p->lexer.defines = (const struct drill_define *)(const void *)defines.data;
	p->lexer.define_count = defines.count;
	if (ok) {
		lexer_begin(&p->lexer, script->text, script->text_len);
		ok = parse_options(p, &options, &defines) && parse_events(p, &events);
	}
	script->option_count = options.count;
	script->options = drill_vector_keep(&options, p->arena);
	script->event_count = events.count;
	script->events = drill_vector_keep(&events, p->arena);
	drill_vector_free(&defines);
	if (ok && ((script->option_count > 0 && script->options == NULL) || script->events == NULL))
		ok = parse_no_memory(p);
	return ok;
}

int
drill_parse(const char *name, const char *text, size_t len, const struct drill_define *defines,
    size_t define_count, struct drill_script **script, struct drill_error *error)
{
	struct parser p = {.error = error};
	struct drill_script *s;
	struct drill_place place = {0};

	*script = NULL;
	memset(error, 0, sizeof *error);
	if (len > MAX_SCRIPT_BYTES)
		return drill_error_set(error, DRILL_ERROR_FILE, place, "the script is larger than %u MiB",
		    MAX_SCRIPT_BYTES >> 20);
	p.arena = drill_arena_new();
	if (p.arena == NULL)
		return drill_error_set(error, DRILL_ERROR_FILE, place, "no memory");
	p.lexer.arena = p.arena;
	p.lexer.error = error;
	s = drill_arena_alloc(p.arena, sizeof *s);
	if (s != NULL) {
		s->arena = p.arena;
		s->name = drill_arena_copy(p.arena, name, strlen(name));
		s->text = drill_arena_copy(p.arena, text, len);
		s->text_len = len;
	}
	if (s == NULL || s->name == NULL || s->text == NULL)
		drill_error_set(error, DRILL_ERROR_FILE, place, "no memory");
	else if (parse_script(&p, s, defines, define_count)) {
		*script = s;
		return 0;
	} else
		keep_line(s, error);
	drill_arena_free(p.arena);
	return -1;
}
