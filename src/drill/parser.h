/*
 * What the files of the parser share: parse.c (script, times, calls), parse_expr.c, parse_packet.c,
 * parse_option.c. A recursive descent; every function returns false after an error, which is in p->error.
 */
#ifndef NKE_DRILL_PARSER_H
#define NKE_DRILL_PARSER_H

#include "src/drill/lexer.h"

#define PARSE_DEPTH	64u	/* expressions in expressions */

struct parser {
	struct lexer lexer;
	struct drill_arena *arena;
	struct drill_error *error;
	unsigned depth;
};

/* ---- errors: all return false ---- */

bool parse_fail(struct parser *, struct drill_place, const char *fmt, ...) __attribute__((format(printf,
    3, 4)));
bool parse_refuse(struct parser *, struct drill_place, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool parse_no_memory(struct parser *);
/* "expected WHAT, found X". */
bool parse_expected(struct parser *, const char *what);

/* ---- tokens ---- */

static inline const struct token *
parse_token(const struct parser *p)
{
	return &p->lexer.token;
}

static inline bool
parse_is(const struct parser *p, char punct)
{
	return p->lexer.token.kind == TOKEN_PUNCT && p->lexer.token.text[0] == punct;
}

bool parse_is_word(const struct parser *, const char *word);
/* What the token after the current one is. */
struct token parse_peek(const struct parser *);
bool parse_peek_is(const struct parser *, char punct);
/* Goes on when it is there. */
bool parse_accept(struct parser *, char punct);
bool parse_accept_word(struct parser *, const char *word);
/* It has to be there; `where` follows "expected 'x'" in the message. */
bool parse_punct(struct parser *, char punct, const char *where);
/* An integer from 0 to `max`. */
bool parse_unsigned(struct parser *, uint64_t max, const char *what, uint64_t *value);
/* A copy of the current token's text. NULL: no memory, told. */
char *parse_text(struct parser *);

/* ---- parts ---- */

/* a | b | c is taken as one. */
bool parse_expr(struct parser *, struct drill_expr **);
/* Expressions up to `close`, behind which the parser stands then. */
bool parse_expr_list(struct parser *, char close, const char *what, const struct drill_field **items,
    size_t *count);
/* From < or > on. */
bool parse_packet(struct parser *, struct drill_packet **);
/* a:b(c), a:b(c)!, ...(c) */
bool parse_seq(struct parser *, struct drill_seq *);
/* Behind the < of TCP's options; takes the > as well. */
bool parse_tcp_options(struct parser *, bool out, struct drill_tcp *);

#endif
