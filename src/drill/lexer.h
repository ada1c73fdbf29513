/*
 * Words of the script language, one at a time.
 *
 * The language's words depend on where they stand (`1:2` are sequence numbers here and an address there,
 * `.5` is a time or TCP flags), so the parser may also take raw runs of characters, from where the current
 * token begins.
 */
#ifndef NKE_DRILL_LEXER_H
#define NKE_DRILL_LEXER_H

#include "src/drill/arena.h"
#include "src/drill/script.h"

enum token_kind {
	TOKEN_END,
	TOKEN_BAD,			/* lexer->error tells */
	TOKEN_INTEGER,
	TOKEN_FLOAT,			/* 0.5 */
	TOKEN_WORD,			/* letters, digits, _ */
	TOKEN_STRING,
	TOKEN_COMMAND,			/* `...` */
	TOKEN_CODE,			/* %{...}% */
	TOKEN_OPTION,			/* --name: text without -- */
	TOKEN_ELLIPSIS,
	TOKEN_PUNCT			/* any other character */
};

struct token {
	enum token_kind kind;
	struct drill_place place;
	const char *text;		/* as in the script; STRING, COMMAND, CODE: inside the delimiters */
	size_t len;
	const char *begin;		/* where it begins in the script */
	bool defined;			/* text is a definition's value */
	int64_t integer;		/* INTEGER */
	bool hex;
	bool overflow;			/* it does not fit: fine where digits are wanted */
	int64_t us;			/* INTEGER, FLOAT: as a time; -1: too large, -2: negative */
};

struct lexer {
	const char *at, *end, *start;
	struct drill_place place;	/* of `at` */
	struct token token;		/* the current one */
	unsigned ifdef_depth;
	struct drill_place ifdef_place;	/* of the innermost */
	const struct drill_define *defines;
	size_t define_count;
	struct drill_arena *arena;
	struct drill_error *error;
};

/* The text must have a NUL behind it. Makes the first token the current one. */
void lexer_begin(struct lexer *, const char *text, size_t len);
void lexer_next(struct lexer *);
/*
 * A run of characters of `set` from where the current token begins: its length and begin; the current token
 * is the one behind it. 0: the current token has none of them there (nothing is taken).
 */
size_t lexer_raw(struct lexer *, const char *set, const char **text);
/* From there to the next space or comment, but quoted ones whole: the value of an option. */
size_t lexer_raw_value(struct lexer *, const char **text);

/*
 * What is between the current token, a bracket, and `close`; the current token is the one behind that then.
 * False: there is none.
 */
bool lexer_until(struct lexer *, char close, const char **text, size_t *len);

/* The characters between the quotes with C's escapes undone; the length in *len. NULL: no memory. */
char *lexer_unescape(struct lexer *, const struct token *, size_t *len);

/* How to call it in a message: 'x', "end of the script". Returns buffer. */
const char *token_text(const struct token *, char *buffer, size_t size);

#endif
