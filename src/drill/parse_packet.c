/*
 * Packets: < and > with what they say of IP, TCP, UDP and ICMP. Called by parse.c; TCP's options:
 * parse_option.c.
 */
#include <string.h>

#include "src/drill/parser.h"

/* ---- IP ----------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	uint8_t value;
} dscps[] = {
	{"CS0", 0}, {"CS1", 8}, {"CS2", 16}, {"CS3", 24}, {"CS4", 32}, {"CS5", 40}, {"CS6", 48}, {"CS7", 56},
	{"AF11", 10}, {"AF12", 12}, {"AF13", 14}, {"AF21", 18}, {"AF22", 20}, {"AF23", 22},
	{"AF31", 26}, {"AF32", 28}, {"AF33", 30}, {"AF41", 34}, {"AF42", 36}, {"AF43", 38},
	{"EF", 46}, {"VOICE-ADMIT", 44}, {"VOICE_ADMIT", 44}, {"LE", 1}
};

static const struct {
	const char *name;
	uint8_t value;
} ecns[] = {{"noecn", 0}, {"ect0", 2}, {"ect1", 1}, {"ce", 3}};

/* A codepoint's name is there: takes it into the TOS octet. */
static bool
accept_ecn(struct parser *p, struct drill_ip *ip)
{
	bool dscp = ip->tos_kind == DRILL_TOS_DSCP;

	if (parse_accept_word(p, "ect01")) {
		ip->tos_kind = dscp ? DRILL_TOS_DSCP_ECT01 : DRILL_TOS_ECT01;
		return true;
	}
	for (size_t i = 0; i < sizeof ecns / sizeof ecns[0]; i++) {
		if (parse_accept_word(p, ecns[i].name)) {
			ip->tos_kind = dscp ? DRILL_TOS_ALL : DRILL_TOS_ECN;
			ip->tos |= ecns[i].value;
			return true;
		}
	}
	return false;
}

static bool
parse_dscp(struct parser *p, struct drill_ip *ip)
{
	uint64_t value;

	ip->tos_kind = DRILL_TOS_DSCP;
	for (size_t i = 0; i < sizeof dscps / sizeof dscps[0]; i++) {
		if (parse_accept_word(p, dscps[i].name)) {
			ip->tos = (uint8_t)(dscps[i].value << 2);
			return true;
		}
	}
	if (!parse_unsigned(p, 63, "dscp", &value))
		return false;
	ip->tos = (uint8_t)(value << 2);
	return true;
}

/* One of ect0, ecn ect0, tos 0x2, class 0x2, dscp EF, ttl 64, hlim 64, flowlabel 0x1. */
static bool
parse_ip_field(struct parser *p, struct drill_ip *ip)
{
	struct drill_place place = parse_token(p)->place;
	bool tos_told = ip->tos_kind != DRILL_TOS_NONE && ip->tos_kind != DRILL_TOS_DSCP;
	uint64_t value;

	if (parse_accept_word(p, "ttl") || parse_accept_word(p, "hlim")) {
		if (!parse_unsigned(p, 255, "ttl", &value))
			return false;
		ip->has_ttl = true;
		ip->ttl = (uint8_t)value;
		return true;
	}
	if (parse_accept_word(p, "flowlabel")) {
		if (!parse_unsigned(p, 0xfffff, "flowlabel", &value))
			return false;
		ip->has_flow_label = true;
		ip->flow_label = (uint32_t)value;
		return true;
	}
	if (tos_told || (ip->tos_kind == DRILL_TOS_DSCP && parse_is_word(p, "dscp")))
		return parse_fail(p, place, "the type of service is told twice");
	if (parse_accept_word(p, "tos") || parse_accept_word(p, "class")) {
		if (!parse_unsigned(p, 255, "tos", &value))
			return false;
		ip->tos_kind = DRILL_TOS_ALL;
		ip->tos = (uint8_t)value;
		return true;
	}
	if (parse_accept_word(p, "dscp"))
		return parse_dscp(p, ip);
	if (parse_accept_word(p, "ecn"))
		return accept_ecn(p, ip) || parse_expected(p, "noecn, ect0, ect1, ect01 or ce");
	return accept_ecn(p, ip) ||
	    parse_expected(p, "noecn, ect0, ect1, ect01, ce, ecn, dscp, tos, class, ttl, hlim or flowlabel");
}

/* [...] or (...), or nothing. */
static bool
parse_ip(struct parser *p, enum drill_direction direction, struct drill_ip *ip)
{
	struct drill_place place = parse_token(p)->place;
	char close = parse_is(p, '(') ? ')' : ']';

	if (!parse_accept(p, '[') && !parse_accept(p, '('))
		return true;
	do {
		if (!parse_ip_field(p, ip))
			return false;
	} while (parse_accept(p, ','));
	if ((ip->tos_kind == DRILL_TOS_ECT01 || ip->tos_kind == DRILL_TOS_DSCP_ECT01) && direction ==
	    DRILL_IN)
		return parse_fail(p, place, "[ect01] is for packets out (>) only");
	return parse_punct(p, close, "or ',' behind a field of IP");
}

/* 8080 > 53, or nothing. */
static bool
parse_ports(struct parser *p, struct drill_packet *packet)
{
	uint64_t source, destination;

	if (parse_token(p)->kind != TOKEN_INTEGER || !parse_peek_is(p, '>'))
		return true;
	if (!parse_unsigned(p, 65535, "the source port", &source) || !parse_accept(p, '>') ||
	    !parse_unsigned(p, 65535, "the destination port", &destination))
		return false;
	packet->has_ports = true;
	packet->source_port = (uint16_t)source;
	packet->destination_port = (uint16_t)destination;
	return true;
}

/* ---- TCP ---------------------------------------------------------------------------------------- */

static const struct {
	char letter;
	uint16_t flag;
} tcp_flags[] = {
	{'F', DRILL_FIN}, {'S', DRILL_SYN}, {'R', DRILL_RST}, {'P', DRILL_PSH}, {'.', DRILL_ACK},
	{'U', DRILL_URG}, {'E', DRILL_ECE}, {'W', DRILL_CWR}, {'A', DRILL_AE}, {'N', DRILL_AE}
};

/* The bit of a letter; of 0 to 7 AE, CWR and ECE as a number. 0: it is none. */
static unsigned
flag_of(char letter)
{
	for (size_t i = 0; i < sizeof tcp_flags / sizeof tcp_flags[0]; i++)
		if (tcp_flags[i].letter == letter)
			return tcp_flags[i].flag;
	return 0;
}

/* S. or P6. or .5 or -; letters in any order, none twice. */
static bool
parse_flags(struct parser *p, uint16_t *flags)
{
	struct drill_place place = parse_token(p)->place;
	const unsigned ace = DRILL_AE | DRILL_CWR | DRILL_ECE;
	unsigned seen = 0;
	const char *text;
	size_t n = lexer_raw(&p->lexer, "FSRP.UEWAN01234567-", &text);

	if (n == 0)
		return parse_expected(p, "TCP flags (F S R P . U E W A, - for none), udp or icmp");
	if (n == 1 && text[0] == '-')
		return true;
	for (size_t i = 0; i < n; i++) {
		bool digit = text[i] >= '0' && text[i] <= '7';
		unsigned flag = digit ? (unsigned)(text[i] - '0') << 6 : flag_of(text[i]);
		unsigned mask = digit ? ace : flag;

		if (mask == 0)
			return parse_fail(p, place, "'%.*s' are no TCP flags", (int)(n > 30 ? 30 : n), text);
		if ((seen & mask) != 0)
			return parse_fail(p, place, "the TCP flags '%.*s' say '%c' twice",
			    (int)(n > 30 ? 30 : n), text, text[i]);
		seen |= mask;
		*flags |= (uint16_t)flag;
	}
	return true;
}

bool
parse_seq(struct parser *p, struct drill_seq *seq)
{
	struct drill_place place = parse_token(p)->place;
	bool any = parse_token(p)->kind == TOKEN_ELLIPSIS;
	uint64_t start = 0, end = 0, length;

	memset(seq, 0, sizeof *seq);
	if (any)
		lexer_next(&p->lexer);
	else if (!parse_unsigned(p, UINT32_MAX, "the sequence number", &start) ||
	    !parse_punct(p, ':', "behind the first sequence number") ||
	    !parse_unsigned(p, UINT32_MAX, "the end of the sequence numbers", &end))
		return false;
	if (!parse_punct(p, '(', "and the number of octets behind sequence numbers") ||
	    !parse_unsigned(p, 65535, "the number of octets", &length) ||
	    !parse_punct(p, ')', "behind the number of octets"))
		return false;
	if (!any && (uint32_t)(start + length) != (uint32_t)end)
		return parse_fail(p, place, "sequence numbers %llu to %llu are not %llu octets",
		    (unsigned long long)start, (unsigned long long)end, (unsigned long long)length);
	seq->kind = any ? DRILL_SEQ_ANY : parse_accept(p, '!') ? DRILL_SEQ_ABSOLUTE : DRILL_SEQ_RELATIVE;
	seq->start = (uint32_t)start;
	seq->length = (uint32_t)length;
	return true;
}

/* ack N, win N, urg N, in this order. */
static bool
parse_tcp_fields(struct parser *p, struct drill_tcp *tcp)
{
	uint64_t value;

	if (parse_accept_word(p, "ack")) {
		if (!parse_unsigned(p, UINT32_MAX, "ack", &value))
			return false;
		tcp->has_ack = true;
		tcp->ack = (uint32_t)value;
	}
	if (parse_accept_word(p, "win")) {
		if (!parse_unsigned(p, 65535, "win", &value))
			return false;
		tcp->has_window = true;
		tcp->window = (uint16_t)value;
	}
	if (parse_accept_word(p, "urg")) {
		if (!parse_unsigned(p, 65535, "urg", &value))
			return false;
		tcp->has_urgent = true;
		tcp->urgent = (uint16_t)value;
	}
	return true;
}

static bool
parse_tcp(struct parser *p, struct drill_packet *packet)
{
	bool out = packet->direction == DRILL_OUT;
	struct drill_tcp *tcp = &packet->tcp;
	struct drill_place place;

	if (!parse_flags(p, &tcp->flags))
		return false;
	place = parse_token(p)->place;
	if (!parse_seq(p, &tcp->seq) || !parse_tcp_fields(p, tcp))
		return false;
	if (tcp->seq.kind == DRILL_SEQ_ANY && !out)
		return parse_fail(p, place, "... as sequence numbers is for packets out (>) only");
	if (!tcp->has_window && !out)
		return parse_expected(p, "win, which a packet in (<) needs");
	if (parse_accept(p, '<') && !parse_tcp_options(p, out, tcp))
		return false;
	place = parse_token(p)->place;
	if (parse_is(p, '/'))
		return parse_refuse(p, place, "encapsulation in UDP is not supported");
	if (parse_is(p, '{'))
		return parse_refuse(p, place, "mutated packets ({...}) are not supported");
	return true;
}

/* ---- UDP, ICMP ---------------------------------------------------------------------------------- */

/* (octets) */
static bool
parse_length(struct parser *p, uint32_t *length)
{
	uint64_t value;

	if (!parse_punct(p, '(', "and the number of octets") ||
	    !parse_unsigned(p, 65535, "the number of octets", &value) ||
	    !parse_punct(p, ')', "behind the number of octets"))
		return false;
	*length = (uint32_t)value;
	return true;
}

/* Behind [: the packet that an error is about. */
static bool
parse_quote(struct parser *p, struct drill_icmp *icmp)
{
	struct drill_place place = parse_token(p)->place;
	bool ok;

	if (parse_is_word(p, "sctp") || parse_is_word(p, "udplite"))
		return parse_refuse(p, place, "'%.*s' is not supported", (int)parse_token(p)->len,
		    parse_token(p)->text);
	if (parse_accept_word(p, "udp")) {
		icmp->quote = DRILL_QUOTE_UDP;
		ok = parse_length(p, &icmp->quote_length);
	} else if (parse_accept_word(p, "raw")) {
		icmp->quote = DRILL_QUOTE_RAW;
		ok = parse_length(p, &icmp->quote_length);
	} else {
		icmp->quote = DRILL_QUOTE_TCP;
		ok = parse_seq(p, &icmp->quote_seq);
		if (ok && icmp->quote_seq.kind == DRILL_SEQ_ANY)
			ok = parse_fail(p, place, "... as sequence numbers of a quoted packet");
	}
	if (ok && parse_is(p, '/'))
		return parse_refuse(p, parse_token(p)->place, "encapsulation in UDP is not supported");
	return ok && parse_punct(p, ']', "behind the quoted packet");
}

/* [1:1(0)] or [udp (10)] before icmp, as the older form of the language has it. */
static bool
parse_early_quote(struct parser *p, struct drill_icmp *icmp)
{
	struct token inner;

	if (!parse_is(p, '['))
		return true;
	inner = parse_peek(p);
	if (inner.kind != TOKEN_INTEGER && (inner.kind != TOKEN_WORD || inner.len != 3 ||
	    (memcmp(inner.text, "udp", 3) != 0 && memcmp(inner.text, "raw", 3) != 0)))
		return true;
	lexer_next(&p->lexer);
	return parse_quote(p, icmp);
}

/* Behind icmp: type [code] [mtu N] [id N] [\[quoted\]] */
static bool
parse_icmp(struct parser *p, struct drill_icmp *icmp)
{
	const struct token *t = parse_token(p);
	uint64_t value;

	if (t->kind != TOKEN_WORD && t->kind != TOKEN_INTEGER)
		return parse_expected(p, "the name of an ICMP type");
	icmp->type = parse_text(p);
	if (icmp->type == NULL)
		return false;
	lexer_next(&p->lexer);
	/* A number here is a code, and not the time of the next event, when it is on the same line. */
	if (t->kind == TOKEN_WORD && !parse_is_word(p, "mtu") && !parse_is_word(p, "id")) {
		icmp->code = parse_text(p);
		if (icmp->code == NULL)
			return false;
		lexer_next(&p->lexer);
	}
	if (parse_accept_word(p, "mtu")) {
		if (!parse_unsigned(p, UINT32_MAX, "mtu", &value))
			return false;
		icmp->has_mtu = true;
		icmp->mtu = (uint32_t)value;
	}
	if (parse_accept_word(p, "id")) {
		if (!parse_unsigned(p, 65535, "id", &value))
			return false;
		icmp->has_id = true;
		icmp->id = (uint16_t)value;
	}
	if (icmp->quote != DRILL_QUOTE_NONE && parse_is(p, '['))
		return parse_fail(p, parse_token(p)->place, "the quoted packet is told twice");
	return !parse_accept(p, '[') || parse_quote(p, icmp);
}

/* ---- the whole ---------------------------------------------------------------------------------- */

static bool
refuse_protocol(struct parser *p)
{
	static const char *const names[] = {"ipv4", "ipv6", "gre", "GREv0", "mpls", "sctp", "udplite", "psp",
	    "vxlan", "esp", "ah"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (parse_is_word(p, names[i])) {
			parse_refuse(p, parse_token(p)->place, i < 5 || i > 6 ?
			    "encapsulation ('%s') is not supported" :
			    "'%s' is not supported", names[i]);
			return true;
		}
	}
	return false;
}

bool
parse_packet(struct parser *p, struct drill_packet **out)
{
	struct drill_packet *packet = drill_arena_alloc(p->arena, sizeof *packet);
	struct drill_place place;

	if (packet == NULL)
		return parse_no_memory(p);
	*out = packet;
	packet->direction = parse_is(p, '<') ? DRILL_IN : DRILL_OUT;
	lexer_next(&p->lexer);
	if (refuse_protocol(p) || !parse_early_quote(p, &packet->icmp) ||
	    !parse_ip(p, packet->direction, &packet->ip) || !parse_early_quote(p, &packet->icmp))
		return false;
	if (!parse_ports(p, packet) || refuse_protocol(p))
		return false;
	place = parse_token(p)->place;
	if (packet->icmp.quote != DRILL_QUOTE_NONE && !parse_is_word(p, "icmp") && !parse_is_word(p,
	    "icmpv6"))
		return parse_expected(p, "icmp behind a quoted packet");
	if (parse_accept_word(p, "udp")) {
		packet->protocol = DRILL_UDP;
		return (packet->has_ports || parse_ports(p, packet)) && parse_length(p, &packet->udp_length);
	}
	if (parse_accept_word(p, "icmp") || parse_accept_word(p, "icmpv6")) {
		packet->protocol = DRILL_ICMP;
		if (packet->has_ports)
			return parse_fail(p, place, "ICMP has no ports");
		return parse_icmp(p, &packet->icmp);
	}
	packet->protocol = DRILL_TCP;
	return parse_tcp(p, packet);
}
