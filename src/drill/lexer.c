/* Words of the script language. Called by the parser; the text belongs to the script. */
#include "src/drill/lexer.h"

#include <ctype.h>
#include <string.h>

#define MAX_TIME_US	INT64_C(1000000000000000)	/* thirty years */

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* ---- walking ------------------------------------------------------------------------------------ */

static void
advance(struct lexer *l, size_t n)
{
	for (; n > 0 && l->at < l->end; n--, l->at++) {
		if (*l->at == '\n') {
			l->place.line++;
			l->place.column = 1;
		} else
			l->place.column++;
	}
}

static void
bad(struct lexer *l, struct drill_place place, const char *text)
{
	drill_error_set(l->error, DRILL_ERROR_SYNTAX, place, "%s", text);
	l->token.kind = TOKEN_BAD;
	l->at = l->end;
}

static bool
looking_at(const struct lexer *l, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(l->end - l->at) >= n && memcmp(l->at, word, n) == 0;
}

/* Where `word` next stands; NULL. */
static const char *
find(const char *at, const char *end, const char *word)
{
	size_t n = strlen(word);

	for (; (size_t)(end - at) >= n; at++)
		if (memcmp(at, word, n) == 0)
			return at;
	return NULL;
}

static void
skip_line(struct lexer *l)
{
	const char *nl = memchr(l->at, '\n', (size_t)(l->end - l->at));

	advance(l, nl != NULL ? (size_t)(nl - l->at) : (size_t)(l->end - l->at));
}

/* #ifdef SYSTEM ... #endif: what is FreeBSD's is ours. False: an error. */
static bool
preprocess(struct lexer *l)
{
	struct drill_place place = l->place;

	if (l->at == l->start && looking_at(l, "#!")) {
		skip_line(l);
		return true;
	}
	if (looking_at(l, "#endif")) {
		if (l->ifdef_depth == 0) {
			bad(l, place, "#endif without #ifdef");
			return false;
		}
		l->ifdef_depth--;
		advance(l, 6);
		return true;
	}
	if (!looking_at(l, "#ifdef") || l->end - l->at < 7 || (l->at[6] != ' ' && l->at[6] != '\t')) {
		bad(l, place, "'#' begins nothing but #ifdef SYSTEM and #endif; comments begin with //");
		return false;
	}
	if (l->ifdef_depth > 0) {
		bad(l, place, "#ifdef inside #ifdef");
		return false;
	}
	advance(l, 6);
	while (l->at < l->end && (*l->at == ' ' || *l->at == '\t'))
		advance(l, 1);
	if (looking_at(l, "FreeBSD") || looking_at(l, "freebsd") || looking_at(l, "FREEBSD")) {
		advance(l, 7);
		l->ifdef_depth++;
		l->ifdef_place = place;
	} else {
		const char *endif = find(l->at, l->end, "#endif");

		if (endif == NULL) {
			bad(l, place, "#ifdef without #endif");
			return false;
		}
		advance(l, (size_t)(endif - l->at) + 6);
	}
	return true;
}

/* Spaces, comments, #ifdef. False: an error. */
static bool
skip(struct lexer *l)
{
	while (l->at < l->end) {
		if (isspace((unsigned char)*l->at))
			advance(l, 1);
		else if (looking_at(l, "//"))
			skip_line(l);
		else if (looking_at(l, "/*")) {
			const char *end = find(l->at + 2, l->end, "*/");

			if (end == NULL) {
				bad(l, l->place, "a comment /* that does not end");
				return false;
			}
			advance(l, (size_t)(end - l->at) + 2);
		} else if (*l->at == '#') {
			if (!preprocess(l))
				return false;
		} else
			return true;
	}
	if (l->ifdef_depth > 0) {
		l->ifdef_depth = 0;
		bad(l, l->ifdef_place, "#ifdef without #endif");
		return false;
	}
	return true;
}

/* ---- tokens ------------------------------------------------------------------------------------- */

/* Digits with at most one point as microseconds; further digits of the fraction are cut. */
static int64_t
time_of(const char *text, size_t len)
{
	int64_t us = 0;
	unsigned decimals = 0;
	bool fraction = false;

	if (len > 0 && text[0] == '-')
		return -2;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '.') {
			fraction = true;
			continue;
		}
		if (fraction && decimals == 6)
			continue;
		us = us * 10 + (text[i] - '0');
		decimals += fraction;
		if (us > MAX_TIME_US)
			return -1;
	}
	for (; decimals < 6; decimals++) {
		us *= 10;
		if (us > MAX_TIME_US)
			return -1;
	}
	return us;
}

/* The digits' value; false: too large for 64 bits (the upper half becomes negative, as C's hex does). */
static bool
integer_of(const char *text, size_t len, unsigned base, int64_t *value)
{
	uint64_t v = 0;
	bool negative = false;

	if (len > 0 && text[0] == '-') {
		negative = true;
		text++;
		len--;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned c = (unsigned char)text[i];
		unsigned digit = isdigit((int)c) ? c - '0' : (unsigned)tolower((int)c) - 'a' + 10;

		if (v > (UINT64_MAX - digit) / base)
			return false;
		v = v * base + digit;
	}
	if (negative && v > (uint64_t)1 << 63)
		return false;
	*value = (int64_t)(negative ? 0 - v : v);
	return true;
}

static void
number(struct token *t, const char *text, size_t len)
{
	size_t sign = text[0] == '-';
	unsigned base = 10;

	t->kind = memchr(text, '.', len) != NULL ? TOKEN_FLOAT : TOKEN_INTEGER;
	t->us = -1;
	if (t->kind == TOKEN_INTEGER && len - sign > 2 && text[sign] == '0' && (text[sign + 1] | 32) == 'x') {
		t->hex = true;
		t->overflow = !integer_of(text + 2, len - 2, 16, &t->integer);
		return;
	}
	t->us = time_of(text, len);
	if (t->kind == TOKEN_INTEGER)
		t->overflow = !integer_of(text, len, base, &t->integer);
}

/* How long the number here is: digits, 0x digits, digits.digits, .digits; 0: it is none, or a word. */
static size_t
number_length(const char *at, const char *end)
{
	const char *p = at;
	const char *digits;

	if (p < end && *p == '-')
		p++;
	digits = p;
	if (end - p > 2 && p == at && p[0] == '0' && (p[1] | 32) == 'x' && isxdigit((unsigned char)p[2])) {
		for (p += 2; p < end && isxdigit((unsigned char)*p); p++)
			;
		return p < end && is_word(*p) ? 0 : (size_t)(p - at);
	}
	while (p < end && isdigit((unsigned char)*p))
		p++;
	if (end - p > 1 && p[0] == '.' && isdigit((unsigned char)p[1])) {
		for (p++; p < end && isdigit((unsigned char)*p); p++)
			;
		return (size_t)(p - at);
	}
	if (p == digits || (p < end && is_word(*p)))
		return 0;
	return (size_t)(p - at);
}

/* A text up to `close`, in which a backslash protects the next character. */
static void
delimited(struct lexer *l, enum token_kind kind, char close, const char *what)
{
	const char *p = l->at + 1;

	while (p < l->end && *p != close)
		p += *p == '\\' && l->end - p > 1 ? 2 : 1;
	if (p >= l->end) {
		bad(l, l->place, what);
		return;
	}
	l->token.kind = kind;
	l->token.text = l->at + 1;
	l->token.len = (size_t)(p - l->token.text);
	advance(l, l->token.len + 2);
}

static void
code(struct lexer *l)
{
	const char *end = find(l->at + 2, l->end, "}%");

	if (end == NULL) {
		bad(l, l->place, "code %{ that does not end with }%");
		return;
	}
	l->token.kind = TOKEN_CODE;
	l->token.text = l->at + 2;
	l->token.len = (size_t)(end - l->token.text);
	advance(l, l->token.len + 4);
}

/* What those define who run the suite of Linux: cookies of the keys that its defaults set. */
static const struct drill_define usual[] = {
	{"TFO_COOKIE", "3021b9d889017eeb"}, {"TFO_COOKIE_ZERO", "b7c12350a90dc8f5"}
};

/* A word that is defined is read as its value. */
static void
define(struct lexer *l)
{
	struct token *t = &l->token;
	const char *name = t->text, *value = NULL;
	size_t len = t->len;

	for (size_t i = 0; i < l->define_count; i++)
		if (strlen(l->defines[i].name) == len && memcmp(l->defines[i].name, name, len) == 0)
			value = l->defines[i].value;
	for (size_t i = 0; value == NULL && i < sizeof usual / sizeof usual[0]; i++)
		if (strlen(usual[i].name) == len && memcmp(usual[i].name, name, len) == 0)
			value = usual[i].value;
	if (value == NULL)
		return;
	len = strlen(value);
	t->defined = true;
	t->text = value;
	t->len = len;
	if (len >= 2 && (value[0] == '"' || value[0] == '`') && value[len - 1] == value[0]) {
		t->kind = value[0] == '"' ? TOKEN_STRING : TOKEN_COMMAND;
		t->text++;
		t->len -= 2;
	} else if (len > 0 && number_length(value, value + len) == len)
		number(t, value, len);
}

void
lexer_next(struct lexer *l)
{
	struct token *t = &l->token;
	size_t n;

	if (t->kind == TOKEN_BAD)
		return;
	memset(t, 0, sizeof *t);
	if (!skip(l))
		return;
	t->place = l->place;
	t->text = t->begin = l->at;
	if (l->at == l->end) {
		t->kind = TOKEN_END;
		return;
	}
	n = number_length(l->at, l->end);
	if (n > 0) {
		t->len = n;
		number(t, l->at, n);
		advance(l, n);
	} else if (is_word(*l->at) || (*l->at == '$' && l->end - l->at > 1 && is_word(l->at[1]))) {
		t->kind = TOKEN_WORD;
		advance(l, *l->at == '$');
		t->text = l->at;
		while (t->len < (size_t)(l->end - t->text) && is_word(t->text[t->len]))
			t->len++;
		advance(l, t->len);
		define(l);
	} else if (*l->at == '"')
		delimited(l, TOKEN_STRING, '"', "a string that does not end");
	else if (*l->at == '`')
		delimited(l, TOKEN_COMMAND, '`', "a command ` that does not end");
	else if (looking_at(l, "%{"))
		code(l);
	else if (looking_at(l, "...")) {
		t->kind = TOKEN_ELLIPSIS;
		t->len = 3;
		advance(l, 3);
	} else if (looking_at(l, "--") && l->end - l->at > 2 && isalpha((unsigned char)l->at[2])) {
		t->kind = TOKEN_OPTION;
		t->text = l->at + 2;
		while (t->len < (size_t)(l->end - t->text) &&
		    (is_word(t->text[t->len]) || t->text[t->len] == '-'))
			t->len++;
		advance(l, t->len + 2);
	} else {
		t->kind = TOKEN_PUNCT;
		t->len = 1;
		advance(l, 1);
	}
}

void
lexer_begin(struct lexer *l, const char *text, size_t len)
{
	l->start = l->at = text;
	l->end = text + len;
	l->place = (struct drill_place){.line = 1, .column = 1};
	l->ifdef_depth = 0;
	memset(&l->token, 0, sizeof l->token);
	lexer_next(l);
}

/* Back to where the current token begins. */
static void
rewind_token(struct lexer *l)
{
	l->at = l->token.begin;
	l->place = l->token.place;
}

size_t
lexer_raw(struct lexer *l, const char *set, const char **text)
{
	struct token *t = &l->token;
	size_t n = 0;

	if (t->kind == TOKEN_BAD || t->kind == TOKEN_END)
		return 0;
	if (t->defined) {		/* all of it, or nothing */
		if (strspn(t->text, set) < t->len)
			return 0;
		*text = t->text;
		n = t->len;
		lexer_next(l);
		return n;
	}
	while (n < (size_t)(l->end - t->begin) && t->begin[n] != '\0' && strchr(set, t->begin[n]) != NULL)
		n++;
	if (n == 0)
		return 0;
	rewind_token(l);
	*text = l->at;
	advance(l, n);
	lexer_next(l);
	return n;
}

size_t
lexer_raw_value(struct lexer *l, const char **text)
{
	size_t n = 0, left;
	char quote = '\0';

	if (l->token.kind == TOKEN_BAD || l->token.kind == TOKEN_END)
		return 0;
	rewind_token(l);
	*text = l->at;
	left = (size_t)(l->end - l->at);
	for (; n < left && (quote != '\0' || !isspace((unsigned char)l->at[n])); n++) {
		char c = l->at[n];

		if (quote == '\0' && c == '/' && left - n > 1 && (l->at[n + 1] == '/' || l->at[n + 1] == '*'))
			break;
		if (quote != '\0' && c == '\\' && left - n > 1)
			n++;
		else if (c == quote)
			quote = '\0';
		else if (quote == '\0' && (c == '"' || c == '`'))
			quote = c;
	}
	if (quote != '\0') {
		bad(l, l->token.place, "a string that does not end");
		return 0;
	}
	advance(l, n);
	lexer_next(l);
	return n;
}

bool
lexer_until(struct lexer *l, char close, const char **text, size_t *len)
{
	const char *end = memchr(l->at, close, (size_t)(l->end - l->at));

	if (end == NULL)
		return false;
	*text = l->at;
	*len = (size_t)(end - l->at);
	advance(l, *len + 1);
	lexer_next(l);
	return true;
}

/* ---- strings ------------------------------------------------------------------------------------ */

static unsigned
hex_digit(char c)
{
	return isdigit((unsigned char)c) ? (unsigned)(c - '0') :
	    (unsigned)(tolower((unsigned char)c) - 'a' + 10);
}

/* The character that the escape at text[*i], behind the backslash, stands for; *i is behind it then. */
static char
escape(const char *text, size_t len, size_t *i)
{
	static const char names[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
	char c = text[(*i)++];
	const char *name = strchr(names, c);
	unsigned v = 0;

	if (c != '\0' && name != NULL)
		return values[name - names];
	if (c == 'x' && *i < len && isxdigit((unsigned char)text[*i])) {
		for (unsigned n = 0; n < 2 && *i < len && isxdigit((unsigned char)text[*i]); n++)
			v = v * 16 + hex_digit(text[(*i)++]);
		return (char)v;
	}
	if (c >= '0' && c <= '7') {
		v = (unsigned)(c - '0');
		for (unsigned n = 0; n < 2 && *i < len && text[*i] >= '0' && text[*i] <= '7'; n++)
			v = v * 8 + (unsigned)(text[(*i)++] - '0');
		return (char)v;
	}
	return c;
}

char *
lexer_unescape(struct lexer *l, const struct token *t, size_t *len)
{
	char *copy = drill_arena_alloc(l->arena, t->len + 1);
	size_t n = 0;

	if (copy == NULL)
		return NULL;
	for (size_t i = 0; i < t->len;) {
		if (t->text[i] == '\\' && i + 1 < t->len) {
			i++;
			copy[n++] = escape(t->text, t->len, &i);
		} else
			copy[n++] = t->text[i++];
	}
	*len = n;
	return copy;
}

const char *
token_text(const struct token *t, char *buffer, size_t size)
{
	const int most = 30;
	int n = t->len > (size_t)most ? most : (int)t->len;

	switch (t->kind) {
	case TOKEN_END:
		snprintf(buffer, size, "the end of the script");
		break;
	case TOKEN_STRING:
		snprintf(buffer, size, "\"%.*s\"", n, t->text);
		break;
	case TOKEN_COMMAND:
		snprintf(buffer, size, "the command `%.*s`", n, t->text);
		break;
	case TOKEN_CODE:
		snprintf(buffer, size, "code");
		break;
	case TOKEN_OPTION:
		snprintf(buffer, size, "'--%.*s'", n, t->text);
		break;
	default:
		snprintf(buffer, size, "'%.*s'", n, t->text);
		break;
	}
	for (char *p = buffer; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return buffer;
}
