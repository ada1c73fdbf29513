/* TCP's options: <mss 1460,sackOK,nop,...>. Called by parse_packet.c. */
#include <ctype.h>
#include <string.h>

#include "src/drill/parser.h"

#define TCPOPT_EXPERIMENT	254
#define TCPOPT_ACCECN0		172
#define TCPOPT_ACCECN1		174

static const char word_characters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";

/* ---- octets ------------------------------------------------------------------------------------- */

static void
put(struct drill_tcp_option *o, uint64_t value, unsigned octets)
{
	while (octets-- > 0 && o->bytes_len < sizeof o->bytes)
		o->bytes[o->bytes_len++] = (uint8_t)(value >> (8 * octets));
}

/* Hexadecimal digits, two for each octet; `max` octets. None at all is fine when `optional`. */
static bool
parse_hex(struct parser *p, struct drill_tcp_option *o, unsigned max, bool optional, const char *what)
{
	struct drill_place place = parse_token(p)->place;
	const char *text;
	size_t n = parse_is(p, ',') || parse_is(p, '>') ? 0 : lexer_raw(&p->lexer, word_characters, &text);

	if (n == 0) {
		char message[80];

		snprintf(message, sizeof message, "%s as hexadecimal digits", what);
		return optional || parse_expected(p, message);
	}
	if (n > 2 && text[0] == '0' && (text[1] | 32) == 'x') {
		text += 2;
		n -= 2;
	}
	for (size_t i = 0; i < n; i++)
		if (!isxdigit((unsigned char)text[i]))
			return parse_fail(p, place, "'%.*s' as %s are no hexadecimal digits",
			    (int)(n > 30 ? 30 : n), text, what);
	if (n % 2 != 0 || n / 2 > max)
		return parse_fail(p, place,
		    "%s has %zu hexadecimal digits: two for each of at most %u octets", what,
		    n, max);
	for (size_t i = 0; i < n; i++) {
		unsigned c = (unsigned char)text[i];
		unsigned digit = isdigit((int)c) ? c - '0' : (unsigned)tolower((int)c) - 'a' + 10;

		if (i % 2 == 0)
			put(o, 0, 1);
		o->bytes[o->bytes_len - 1] = (uint8_t)(o->bytes[o->bytes_len - 1] << 4 | digit);
	}
	return true;
}

/* ---- the options -------------------------------------------------------------------------------- */

static bool
parse_mss(struct parser *p, struct drill_tcp_option *o)
{
	uint64_t value;

	o->kind = DRILL_OPT_MSS;
	if (!parse_unsigned(p, 65535, "mss", &value))
		return false;
	o->mss = (uint16_t)value;
	return true;
}

static bool
parse_wscale(struct parser *p, struct drill_tcp_option *o)
{
	uint64_t value;

	o->kind = DRILL_OPT_WSCALE;
	if (!parse_unsigned(p, 255, "wscale", &value))
		return false;
	o->wscale = (uint8_t)value;
	return true;
}

static bool
parse_sack(struct parser *p, struct drill_tcp_option *o)
{
	struct drill_place place;
	uint64_t left, right;

	o->kind = DRILL_OPT_SACK;
	do {
		place = parse_token(p)->place;
		if (!parse_unsigned(p, UINT32_MAX, "the begin of a SACK block", &left) ||
		    !parse_punct(p, ':', "in a SACK block") ||
		    !parse_unsigned(p, UINT32_MAX, "the end of a SACK block", &right))
			return false;
		if (o->sack_count == sizeof o->sack / sizeof o->sack[0])
			return parse_fail(p, place, "more than 4 SACK blocks");
		o->sack[o->sack_count].left = (uint32_t)left;
		o->sack[o->sack_count++].right = (uint32_t)right;
	} while (parse_token(p)->kind == TOKEN_INTEGER);
	return true;
}

/* A value of the timestamps, or ... */
static bool
parse_stamp(struct parser *p, const char *name, uint32_t *value, bool *any)
{
	uint64_t v = 0;

	if (!parse_accept_word(p, name)) {
		char message[40];

		snprintf(message, sizeof message, "'%s' in TS", name);
		return parse_expected(p, message);
	}
	*any = parse_token(p)->kind == TOKEN_ELLIPSIS;
	if (*any)
		lexer_next(&p->lexer);
	else if (!parse_unsigned(p, UINT32_MAX, name, &v))
		return false;
	*value = (uint32_t)v;
	return true;
}

static bool
parse_ts(struct parser *p, struct drill_tcp_option *o)
{
	o->kind = DRILL_OPT_TS;
	if (!parse_stamp(p, "val", &o->ts_val, &o->ts_val_any) ||
	    !parse_stamp(p, "ecr", &o->ts_ecr, &o->ts_ecr_any))
		return false;
	o->ts_ecr_absolute = parse_accept(p, '!');
	return true;
}

/* FO and its like: a cookie, or none, or ... */
static bool
parse_fastopen(struct parser *p, struct drill_tcp_option *o, enum drill_tcp_option_kind kind)
{
	o->kind = kind;
	o->any = parse_token(p)->kind == TOKEN_ELLIPSIS;
	if (o->any) {
		lexer_next(&p->lexer);
		return true;
	}
	return parse_hex(p, o, kind == DRILL_OPT_FASTOPEN ? 38 : 36, true, "the cookie");
}

static bool
parse_md5(struct parser *p, struct drill_tcp_option *o)
{
	struct drill_place place = parse_token(p)->place;

	o->kind = DRILL_OPT_MD5;
	o->md5_valid = parse_accept_word(p, "valid");
	if (o->md5_valid || parse_accept_word(p, "invalid"))
		return true;
	if (!parse_hex(p, o, 16, false, "the digest"))
		return false;
	return o->bytes_len == 16 || parse_fail(p, place, "the digest has %u octets instead of 16",
	    o->bytes_len);
}

/* Up to three counters of AccECN, in the order of its kind. */
static bool
parse_accecn(struct parser *p, struct drill_tcp_option *o, bool experiment, bool one)
{
	static const char *const names[2][3] = {{"ee0b", "eceb", "ee1b"}, {"ee1b", "eceb", "ee0b"}};
	static const char *const other[2][3] = {{"e0b", "ceb", "e1b"}, {"e1b", "ceb", "e0b"}};
	uint64_t value;

	o->kind = DRILL_OPT_RAW;
	put(o, experiment ? TCPOPT_EXPERIMENT : one ? TCPOPT_ACCECN1 : TCPOPT_ACCECN0, 1);
	put(o, 0, 1);
	if (experiment)
		put(o, one ? 0xacc1 : 0xacc0, 2);
	for (unsigned i = 0; i < 3; i++) {
		if (!parse_accept_word(p, names[one][i]) && !parse_accept_word(p, other[one][i]))
			break;
		if (!parse_unsigned(p, 0xffffff, "a counter of AccECN", &value))
			return false;
		put(o, value, 3);
	}
	o->bytes[1] = (uint8_t)o->bytes_len;
	return true;
}

/* The same by another name: the counter that comes first tells the kind. */
static bool
parse_ecn(struct parser *p, struct drill_tcp_option *o)
{
	if (!parse_is_word(p, "e0b") && !parse_is_word(p, "e1b"))
		return parse_expected(p, "e0b or e1b behind ECN");
	return parse_accecn(p, o, false, parse_is_word(p, "e1b"));
}

/* Throughput advice: [rate], of which 11 bits are told. */
static bool
parse_tarr(struct parser *p, struct drill_tcp_option *o)
{
	uint64_t value;

	o->kind = DRILL_OPT_RAW;
	put(o, TCPOPT_EXPERIMENT, 1);
	put(o, 0, 1);
	put(o, 0x00ac, 2);
	if (parse_token(p)->kind == TOKEN_INTEGER) {
		if (!parse_unsigned(p, 2047, "the rate", &value))
			return false;
		put(o, value << 5, 2);
	}
	o->bytes[1] = (uint8_t)o->bytes_len;
	return true;
}

/*
 * An extension of ours: raw KIND [len N] [hexadecimal octets], for what has no name or is malformed. The
 * length octet is what follows from the octets unless it is told.
 */
static bool
parse_raw(struct parser *p, struct drill_tcp_option *o)
{
	uint64_t kind, length = 0;
	bool told;

	o->kind = DRILL_OPT_RAW;
	if (!parse_unsigned(p, 255, "the kind of an option", &kind))
		return false;
	told = parse_accept_word(p, "len");
	if (told && !parse_unsigned(p, 255, "the length of an option", &length))
		return false;
	put(o, kind, 1);
	put(o, length, 1);
	if (!parse_hex(p, o, DRILL_TCP_OPTION_BYTES - 2, true, "the option"))
		return false;
	if (!told)
		o->bytes[1] = (uint8_t)o->bytes_len;
	return true;
}

/* ---- the list ----------------------------------------------------------------------------------- */

static bool
refuse_option(struct parser *p, const char *name, size_t len, struct drill_place place)
{
	static const char *const mptcp[] = {"mp_capable", "mpcapable", "mpcaplen", "mp_join", "mp_join_syn",
	    "mp_join_syn_ack", "mp_join_ack", "dss", "dss_no_csum", "dack4", "dack8", "dsn4", "dsn8",
	    "add_addr",
	    "add_addr4", "add_addr6", "add_address", "add_addr_ipv4", "add_addr_ipv6", "rm_addr",
	    "remove_addr", "remove_address", "mp_prio", "mp_fail", "mp_fastclose", "mp_reset", "mptcp"};

	for (size_t i = 0; i < sizeof mptcp / sizeof mptcp[0]; i++)
		if (strlen(mptcp[i]) == len && memcmp(mptcp[i], name, len) == 0)
			return parse_refuse(p, place, "Multipath TCP ('%s') is not supported", mptcp[i]);
	return parse_fail(p, place, "there is no TCP option '%.*s'", (int)(len > 30 ? 30 : len), name);
}

static bool
parse_tcp_option(struct parser *p, struct drill_tcp_option *o)
{
	struct drill_place place = parse_token(p)->place;
	const char *name;
	size_t n;
	char word[32] = "";

	memset(o, 0, sizeof *o);
	o->place = place;
	n = parse_token(p)->kind == TOKEN_WORD ? lexer_raw(&p->lexer,
	    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-", &name) : 0;
	if (n == 0)
		return parse_expected(p, "the name of a TCP option");
	for (size_t i = 0; i < n && i < sizeof word - 1; i++)
		word[i] = name[i];
	if (strcmp(word, "nop") == 0)
		o->kind = DRILL_OPT_NOP;
	else if (strcmp(word, "eol") == 0)
		o->kind = DRILL_OPT_EOL;
	else if (strcmp(word, "sackOK") == 0)
		o->kind = DRILL_OPT_SACKOK;
	else if (strcmp(word, "mss") == 0)
		return parse_mss(p, o);
	else if (strcmp(word, "wscale") == 0)
		return parse_wscale(p, o);
	else if (strcmp(word, "sack") == 0)
		return parse_sack(p, o);
	else if (strcmp(word, "TS") == 0)
		return parse_ts(p, o);
	else if (strcmp(word, "FO") == 0)
		return parse_fastopen(p, o, DRILL_OPT_FASTOPEN);
	else if (strcmp(word, "FOEXP") == 0 || strcmp(word, "exp-FO") == 0)
		return parse_fastopen(p, o, DRILL_OPT_FASTOPEN_EXP);
	else if (strcmp(word, "md5") == 0)
		return parse_md5(p, o);
	else if (strcmp(word, "AccECN0") == 0 || strcmp(word, "AccECN1") == 0)
		return parse_accecn(p, o, false, word[6] == '1');
	else if (strcmp(word, "exp-AccECN0") == 0 || strcmp(word, "exp-AccECN1") == 0)
		return parse_accecn(p, o, true, word[10] == '1');
	else if (strcmp(word, "ECN") == 0)
		return parse_ecn(p, o);
	else if (strcmp(word, "exp-tarr") == 0 || strcmp(word, "exp-TARR") == 0)
		return parse_tarr(p, o);
	else if (strcmp(word, "raw") == 0)
		return parse_raw(p, o);
	else
		return refuse_option(p, name, n, place);
	return true;
}

/* How many octets of a segment it takes. */
static unsigned
option_size(const struct drill_tcp_option *o)
{
	switch (o->kind) {
	case DRILL_OPT_EOL:
	case DRILL_OPT_NOP:
		return 1;
	case DRILL_OPT_MSS:
	case DRILL_OPT_FASTOPEN_EXP:
		return 4 + (o->kind == DRILL_OPT_FASTOPEN_EXP ? o->bytes_len : 0);
	case DRILL_OPT_WSCALE:
		return 3;
	case DRILL_OPT_SACK:
		return 2 + 8 * o->sack_count;
	case DRILL_OPT_TS:
		return 10;
	case DRILL_OPT_MD5:
		return 18;
	case DRILL_OPT_RAW:
		return o->bytes_len;
	default:
		return 2 + o->bytes_len;
	}
}

static bool
parse_option_list(struct parser *p, struct drill_vector *options)
{
	struct drill_tcp_option option;
	unsigned size = 0;

	do {
		if (!parse_tcp_option(p, &option))
			return false;
		size += option_size(&option);
		if (size > DRILL_TCP_OPTION_BYTES)
			return parse_fail(p, option.place,
			    "the TCP options are %u octets, more than the %u there can be",
			    size, DRILL_TCP_OPTION_BYTES);
		if (drill_vector_add(options, &option) != 0)
			return parse_no_memory(p);
	} while (parse_accept(p, ','));
	return parse_punct(p, '>', "or ',' behind a TCP option");
}

bool
parse_tcp_options(struct parser *p, bool out, struct drill_tcp *tcp)
{
	struct drill_vector options = {.size = sizeof(struct drill_tcp_option)};
	struct drill_place place = parse_token(p)->place;
	bool ok;

	if (parse_token(p)->kind == TOKEN_ELLIPSIS) {
		lexer_next(&p->lexer);
		if (!out)
			return parse_fail(p, place, "<...> as TCP options is for packets out (>) only");
		tcp->options_any = true;
		return parse_punct(p, '>', "behind '<...'");
	}
	if (parse_accept(p, '>'))	/* <>: none */
		return true;
	ok = parse_option_list(p, &options);
	tcp->option_count = (unsigned)options.count;
	tcp->options = drill_vector_keep(&options, p->arena);
	if (ok && tcp->option_count > 0 && tcp->options == NULL)
		ok = parse_no_memory(p);
	return ok;
}
