/* Packets in the script's notation, for messages and -v: those of the script, and those of the wire. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "src/drill/engine.h"

/* ---- what both have ----------------------------------------------------------------------------- */

void
print_flags(FILE *out, unsigned flags)
{
	static const struct {
		unsigned flag;
		char letter;
	} letters[] = {
		{DRILL_FIN, 'F'}, {DRILL_SYN, 'S'}, {DRILL_RST, 'R'}, {DRILL_PSH, 'P'}, {DRILL_AE, 'A'},
		{DRILL_CWR, 'W'}, {DRILL_ECE, 'E'}, {DRILL_URG, 'U'}, {DRILL_ACK, '.'},
	};

	if (flags == 0)
		fputc('-', out);
	for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
		if (flags & letters[i].flag)
			fputc(letters[i].letter, out);
}

static void
print_ecn(FILE *out, unsigned tos)
{
	static const char *const names[] = {"noecn", "ect1", "ect0", "ce"};

	fprintf(out, "[%s] ", names[tos & 3]);
}

static void
print_octets(FILE *out, const uint8_t *p, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		fprintf(out, "%02x", p[i]);
}

/* Between items. */
static const char *
comma(unsigned i)
{
	return i == 0 ? "" : ",";
}

/* ---- of the script ------------------------------------------------------------------------------ */

#define ACCECN0		172
#define ACCECN1		174
#define ACCECN_COUNTERS	3

/* The counters of accurate ECN by their names. False: it is another option, or not made as one of these. */
static bool
print_accecn(FILE *out, const uint8_t *option, unsigned len)
{
	static const char *const names[2][ACCECN_COUNTERS] = {{"e0b", "ceb", "e1b"}, {"e1b", "ceb", "e0b"}};
	unsigned count = (len - 2) / 3;

	if (len < 5 || len > 11 || len != 2 + 3 * count || (option[0] != ACCECN0 && option[0] != ACCECN1))
		return false;
	fputs("ECN", out);
	for (unsigned i = 0; i < count && i < ACCECN_COUNTERS; i++) {
		const uint8_t *p = option + 2 + 3 * i;

		fprintf(out, " %s %u", names[option[0] == ACCECN1][i],
		    (unsigned)p[0] << 16 | (unsigned)p[1] << 8 | p[2]);
	}
	return true;
}

static void
print_option(FILE *out, const struct drill_tcp_option *o)
{
	switch (o->kind) {
	case DRILL_OPT_EOL:
		fputs("eol", out);
		break;
	case DRILL_OPT_NOP:
		fputs("nop", out);
		break;
	case DRILL_OPT_MSS:
		fprintf(out, "mss %u", o->mss);
		break;
	case DRILL_OPT_WSCALE:
		fprintf(out, "wscale %u", o->wscale);
		break;
	case DRILL_OPT_SACKOK:
		fputs("sackOK", out);
		break;
	case DRILL_OPT_SACK:
		fputs("sack", out);
		for (unsigned i = 0; i < o->sack_count; i++)
			fprintf(out, " %u:%u", o->sack[i].left, o->sack[i].right);
		break;
	case DRILL_OPT_TS:
		if (o->ts_val_any)
			fputs("TS val ...", out);
		else
			fprintf(out, "TS val %u", o->ts_val);
		if (o->ts_ecr_any)
			fputs(" ecr ...", out);
		else
			fprintf(out, " ecr %u%s", o->ts_ecr, o->ts_ecr_absolute ? "!" : "");
		break;
	case DRILL_OPT_FASTOPEN:
	case DRILL_OPT_FASTOPEN_EXP:
		fputs(o->kind == DRILL_OPT_FASTOPEN ? "FO " : "FOEXP ", out);
		print_octets(out, o->bytes, o->bytes_len);
		fputs(o->any ? "..." : "", out);
		break;
	case DRILL_OPT_MD5:
		fputs("md5 ", out);
		print_octets(out, o->bytes, o->bytes_len);
		break;
	case DRILL_OPT_RAW:
		if (print_accecn(out, o->bytes, o->bytes_len))
			break;
		fputs("0x", out);
		print_octets(out, o->bytes, o->bytes_len);
		break;
	}
}

static void
print_seq(FILE *out, const struct drill_seq *seq)
{
	if (seq->kind == DRILL_SEQ_ANY)
		fprintf(out, "...(%u)", seq->length);
	else
		fprintf(out, "%u:%u(%u)%s", seq->start, seq->start + seq->length, seq->length,
		    seq->kind == DRILL_SEQ_ABSOLUTE ? "!" : "");
}

static void
print_tcp(FILE *out, const struct drill_tcp *tcp)
{
	print_flags(out, tcp->flags);
	fputc(' ', out);
	print_seq(out, &tcp->seq);
	if (tcp->has_ack)
		fprintf(out, " ack %u", tcp->ack);
	if (tcp->has_window)
		fprintf(out, " win %u", tcp->window);
	if (tcp->has_urgent)
		fprintf(out, " urg %u", tcp->urgent);
	if (tcp->options_any)
		fputs(" <...>", out);
	if (tcp->options_any || tcp->option_count == 0)
		return;
	fputs(" <", out);
	for (unsigned i = 0; i < tcp->option_count; i++) {
		fputs(comma(i), out);
		print_option(out, &tcp->options[i]);
	}
	fputc('>', out);
}

static void
print_icmp(FILE *out, const struct drill_icmp *icmp)
{
	fprintf(out, "icmp %s%s%s", icmp->type, icmp->code != NULL ? " " : "",
	    icmp->code != NULL ? icmp->code : "");
	if (icmp->has_mtu)
		fprintf(out, " mtu %u", icmp->mtu);
	if (icmp->has_id)
		fprintf(out, " id %u", icmp->id);
	if (icmp->quote == DRILL_QUOTE_TCP) {
		fputs(" [", out);
		print_seq(out, &icmp->quote_seq);
		fputc(']', out);
	} else if (icmp->quote != DRILL_QUOTE_NONE) {
		fprintf(out, " [%s (%u)]", icmp->quote == DRILL_QUOTE_UDP ? "udp" : "raw",
		    icmp->quote_length);
	}
}

static void
print_ip(FILE *out, const struct drill_ip *ip)
{
	static const char *const ecn[] = {"noecn", "ect1", "ect0", "ce"};
	unsigned count = 0;

	if (ip->tos_kind == DRILL_TOS_NONE && !ip->has_ttl && !ip->has_flow_label)
		return;
	fputc('[', out);
	if (ip->tos_kind == DRILL_TOS_ECN)
		fprintf(out, "%s%s", comma(count++), ecn[ip->tos & 3]);
	else if (ip->tos_kind == DRILL_TOS_ECT01)
		fprintf(out, "%sect01", comma(count++));
	else if (ip->tos_kind != DRILL_TOS_NONE)
		fprintf(out, "%stos 0x%02x", comma(count++), ip->tos);
	if (ip->has_ttl)
		fprintf(out, "%sttl %u", comma(count++), ip->ttl);
	if (ip->has_flow_label)
		fprintf(out, "%sflowlabel 0x%x", comma(count++), ip->flow_label);
	fputs("] ", out);
}

void
print_script_packet(FILE *out, const struct drill_packet *p)
{
	fprintf(out, "%c ", p->direction == DRILL_IN ? '<' : '>');
	print_ip(out, &p->ip);
	if (p->has_ports)
		fprintf(out, "%u > %u: ", p->source_port, p->destination_port);
	switch (p->protocol) {
	case DRILL_TCP:
		print_tcp(out, &p->tcp);
		break;
	case DRILL_UDP:
		fprintf(out, "udp (%u)", p->udp_length);
		break;
	case DRILL_ICMP:
		print_icmp(out, &p->icmp);
		break;
	}
}

/* ---- of the wire -------------------------------------------------------------------------------- */

/* The script's number for a TS val of the machine's. */
static uint32_t
script_stamp(const struct flow *f, uint32_t live)
{
	return f != NULL && f->has_base ? live - f->base_live + f->base_script : live;
}

static void
print_wire_option(FILE *out, const struct flow *f, const uint8_t *p, unsigned len, uint32_t ack_offset)
{
	if (p[0] == 0) {
		fputs("eol", out);
	} else if (p[0] == 1) {
		fputs("nop", out);
	} else if (p[0] == 2 && len == 4) {
		fprintf(out, "mss %u", get16(p + 2));
	} else if (p[0] == 3 && len == 3) {
		fprintf(out, "wscale %u", p[2]);
	} else if (p[0] == 4 && len == 2) {
		fputs("sackOK", out);
	} else if (p[0] == 5 && len % 8 == 2) {
		fputs("sack", out);
		for (unsigned i = 2; i < len; i += 8)
			fprintf(out, " %u:%u", get32(p + i) - ack_offset, get32(p + i + 4) - ack_offset);
	} else if (p[0] == 8 && len == 10) {
		fprintf(out, "TS val %u ecr %u", script_stamp(f, get32(p + 2)), get32(p + 6));
	} else if (p[0] == 34 || (p[0] == 254 && len >= 4 && get16(p + 2) == 0xf989)) {
		fputs(p[0] == 34 ? "FO " : "FOEXP ", out);
		print_octets(out, p + (p[0] == 34 ? 2 : 4), len - (p[0] == 34 ? 2 : 4));
	} else if (p[0] == 19) {
		fputs("md5 ", out);
		print_octets(out, p + 2, len - 2);
	} else if (!print_accecn(out, p, len)) {
		fputs("0x", out);
		print_octets(out, p, len);
	}
}

static void
print_wire_tcp(FILE *out, const struct flow *f, const struct wire *w)
{
	bool syn = (w->flags & DRILL_SYN) != 0;
	uint32_t seq = w->seq - (f != NULL ? flow_local_offset(f, syn) : 0);
	uint32_t ack_offset = f != NULL ? flow_remote_offset(f, syn) : 0;
	const uint8_t *option;
	unsigned at = 0, len, count = 0;

	if (syn && f != NULL && !f->local_isn_known)
		seq = 0;
	print_flags(out, w->flags);
	fprintf(out, " %u:%u(%u)", seq, seq + w->data_len, w->data_len);
	if (w->flags & DRILL_ACK)
		fprintf(out, " ack %u", w->ack - ack_offset);
	fprintf(out, " win %u", w->window);
	if (w->flags & DRILL_URG || w->urgent != 0)
		fprintf(out, " urg %u", w->urgent);
	if (w->options_len == 0)
		return;
	fputs(" <", out);
	while (wire_option(w, &at, &option, &len)) {
		fputs(comma(count++), out);
		print_wire_option(out, f, option, len, ack_offset);
	}
	if (at != w->options_len)
		fprintf(out, "%sbroken", comma(count));
	fputc('>', out);
}

static void
print_wire_icmp(FILE *out, const struct wire *w)
{
	const char *type = drill_icmp_type_name(w->icmp_type, w->v6);
	const char *code = drill_icmp_code_name(w->icmp_type, w->icmp_code, w->v6);

	fputs("icmp ", out);
	if (type != NULL)
		fputs(type, out);
	else
		fprintf(out, "type %u", w->icmp_type);
	if (code != NULL)
		fprintf(out, " %s", code);
	else if (w->icmp_code != 0)
		fprintf(out, " code %u", w->icmp_code);
	fprintf(out, " (%u)", w->data_len);
}

static void
print_addresses(FILE *out, const struct wire *w)
{
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];
	int family = w->v6 ? AF_INET6 : AF_INET;

	inet_ntop(family, w->source, source, sizeof source);
	inet_ntop(family, w->destination, destination, sizeof destination);
	fprintf(out, "%s.%u > %s.%u: ", source, w->source_port, destination, w->destination_port);
}

void
print_wire_packet(FILE *out, const struct flow *f, const struct wire *w, bool in)
{
	fprintf(out, "%c ", in ? '<' : '>');
	if (f == NULL)
		print_addresses(out, w);
	print_ecn(out, w->tos);
	if (w->fragment)
		fprintf(out, "fragment of protocol %u", w->protocol);
	else if (w->damage != NULL)
		fprintf(out, "%zu octets of protocol %u", w->len, w->protocol);
	else if (w->protocol == IPPROTO_TCP)
		print_wire_tcp(out, f, w);
	else if (w->protocol == IPPROTO_UDP)
		fprintf(out, "udp (%u)", w->data_len);
	else if (w->protocol == IPPROTO_ICMP || w->protocol == IPPROTO_ICMPV6)
		print_wire_icmp(out, w);
	else
		fprintf(out, "protocol %u, %zu octets", w->protocol, w->len);
	if (w->damage != NULL)
		fprintf(out, " with %s", w->damage);
}
