/*
 * Packets that the script expects: waits for the machine to send one of the connection, and compares it.
 *
 * Options are compared by what they say: their order and padding may differ. One large segment of the
 * script may be several of the machine's, in a row and without anything in between, and the other way
 * round, as interfaces cut and join them (unless --strict_segments).
 */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "src/drill/engine.h"

#define ANY_TIME_US	INT64_C(86400000000)	/* `*` waits for a day */
#define LOOK_ON_US	INT64_C(10000000)	/* to tell when a packet came that was late */
#define OPTIONS_MAX	40u

/* ---- comparing ---------------------------------------------------------------------------------- */

struct comparison {
	struct run *run;
	struct flow *flow;
	const struct drill_packet *expected;
	const struct wire *seen;
	bool cut;			/* `seen` is the beginning of a larger one */
	FILE *differences;
	unsigned count;
};

static void differ(struct comparison *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
differ(struct comparison *c, const char *fmt, ...)
{
	va_list ap;

	fputs(c->count++ == 0 ? "" : "; ", c->differences);
	va_start(ap, fmt);
	vfprintf(c->differences, fmt, ap);
	va_end(ap);
}

static void
compare_number(struct comparison *c, const char *what, uint32_t expected, uint32_t seen)
{
	if (expected != seen)
		differ(c, "%s %" PRIu32 " instead of %" PRIu32, what, seen, expected);
}

static void
compare_ip(struct comparison *c)
{
	const struct drill_ip *ip = &c->expected->ip;
	uint8_t tos = c->seen->tos, ecn = tos & 3;
	bool ect = ecn == 1 || ecn == 2;

	switch (ip->tos_kind) {
	case DRILL_TOS_NONE:
		break;
	case DRILL_TOS_ECN:
		compare_number(c, "ECN bits", ip->tos & 3, ecn);
		break;
	case DRILL_TOS_DSCP_ECT01:
	case DRILL_TOS_DSCP:
		if (((ip->tos ^ tos) & 0xfc) != 0)
			differ(c, "TOS 0x%02x instead of 0x%02x", tos & 0xfc, ip->tos & 0xfc);
		if (ip->tos_kind == DRILL_TOS_DSCP)
			break;
		/* FALLTHROUGH */
	case DRILL_TOS_ECT01:
		if (!ect)
			differ(c, "ECN bits %u instead of ect0 or ect1", ecn);
		break;
	case DRILL_TOS_ALL:
		if (ip->tos != tos)
			differ(c, "TOS 0x%02x instead of 0x%02x", tos, ip->tos);
		break;
	}
	if (ip->has_ttl)
		compare_number(c, "time to live", ip->ttl, c->seen->ttl);
	if (ip->has_flow_label)
		compare_number(c, "flow label", ip->flow_label, c->seen->flow_label);
}

/* ---- TCP options -------------------------------------------------------------------------------- */

static uint8_t
kind_of(const struct comparison *c, const struct drill_tcp_option *o)
{
	switch (o->kind) {
	case DRILL_OPT_EOL:
		return 0;
	case DRILL_OPT_NOP:
		return 1;
	case DRILL_OPT_MSS:
		return 2;
	case DRILL_OPT_WSCALE:
		return 3;
	case DRILL_OPT_SACKOK:
		return 4;
	case DRILL_OPT_SACK:
		return 5;
	case DRILL_OPT_TS:
		return 8;
	case DRILL_OPT_FASTOPEN:
		return 34;
	case DRILL_OPT_FASTOPEN_EXP:
		return c->run->linux_dialect ? 34 : 254;	/* packet.c, option_bytes() */
	case DRILL_OPT_MD5:
		return 19;
	case DRILL_OPT_RAW:
		break;
	}
	return o->bytes[0];
}

static void
compare_stamp(struct comparison *c, const struct drill_tcp_option *o, const uint8_t *p, unsigned len)
{
	const struct drill_config *config = c->run->config;
	const struct flow *f = c->flow;
	int64_t off, allowed;

	if (len != 10) {
		differ(c, "a TS option of %u octets", len);
		return;
	}
	/* Linux's is that of the connection before; without an ACK it means nothing (RFC 7323 3.2). */
	if (!o->ts_ecr_any && get32(p + 6) != o->ts_ecr &&
	    !(c->run->linux_dialect && (c->seen->flags & (DRILL_SYN | DRILL_ACK)) == DRILL_SYN))
		differ(c, "TS ecr %u instead of %u", get32(p + 6), o->ts_ecr);
	if (o->ts_val_any || config->tcp_ts_tick_us == 0 || !f->has_base)
		return;
	off = (int32_t)(get32(p + 2) - f->base_live - (o->ts_val - f->base_script));
	allowed = tolerance_us(c->run) / config->tcp_ts_tick_us;
	if (allowed < 1)
		allowed = 1;		/* both are rounded */
	if (off > allowed || off < -allowed)
		differ(c, "TS val %u instead of %u", get32(p + 2) - f->base_live + f->base_script, o->ts_val);
}

static void
compare_sack(struct comparison *c, const struct drill_tcp_option *o, const uint8_t *p, unsigned len)
{
	uint32_t offset = flow_remote_offset(c->flow, (c->seen->flags & DRILL_SYN) != 0);

	if (len != 2 + 8 * o->sack_count) {
		differ(c, "%u SACK blocks instead of %u", (len - 2) / 8, o->sack_count);
		return;
	}
	for (unsigned i = 0; i < o->sack_count; i++) {
		uint32_t left = get32(p + 2 + 8 * i) - offset, right = get32(p + 6 + 8 * i) - offset;

		if (left != o->sack[i].left || right != o->sack[i].right)
			differ(c, "SACK block %u:%u instead of %u:%u", left, right, o->sack[i].left,
			    o->sack[i].right);
	}
}

static void
compare_octets(struct comparison *c, const char *what, const struct drill_tcp_option *o, const uint8_t *p,
    unsigned len)
{
	if (!o->any && (len != o->bytes_len || memcmp(p, o->bytes, len) != 0))
		differ(c, "%s differs", what);
}

/* What a Linux server makes of its key and the peer, a machine makes in its own way. */
static void
compare_cookie(struct comparison *c, const struct drill_tcp_option *o, const uint8_t *p, unsigned len)
{
	unsigned header = p[0] == 254 ? 4 : 2;

	if (len < header)
		len = header;
	if (c->run->linux_dialect && (c->seen->flags & DRILL_ACK) && (len != header) == (o->bytes_len != 0))
		return;
	compare_octets(c, "the cookie", o, p + header, len - header);
}

static void
compare_option(struct comparison *c, const struct drill_tcp_option *o, const uint8_t *p, unsigned len)
{
	switch (o->kind) {
	case DRILL_OPT_EOL:
	case DRILL_OPT_NOP:
	case DRILL_OPT_SACKOK:
		break;
	case DRILL_OPT_MSS:
		compare_number(c, "mss", o->mss, len == 4 ? get16(p + 2) : 0);
		break;
	case DRILL_OPT_WSCALE:
		compare_number(c, "wscale", o->wscale, len == 3 ? p[2] : 0xff);
		break;
	case DRILL_OPT_SACK:
		compare_sack(c, o, p, len);
		break;
	case DRILL_OPT_TS:
		compare_stamp(c, o, p, len);
		break;
	case DRILL_OPT_FASTOPEN:
	case DRILL_OPT_FASTOPEN_EXP:
		compare_cookie(c, o, p, len);
		break;
	case DRILL_OPT_MD5:
		if (o->bytes_len != 0)
			compare_octets(c, "the md5 digest", o, p + 2, len - 2);
		break;
	case DRILL_OPT_RAW:
		compare_octets(c, "an option", o, p, len);
		break;
	}
}

static const char *
option_name(uint8_t kind)
{
	static const char *const names[] = {"eol", "nop", "mss", "wscale", "sackOK", "sack", "echo",
	    "echo reply", "TS"};

	if (kind < sizeof names / sizeof names[0])
		return names[kind];
	return kind == 19 ? "md5" : kind == 34 ? "FO" : kind == 254 ? "FOEXP" : NULL;
}

static void
tell_option(struct comparison *c, const char *fault, uint8_t kind)
{
	if (option_name(kind) != NULL)
		differ(c, "%s option %s", fault, option_name(kind));
	else
		differ(c, "%s option of kind %u", fault, kind);
}

static void
compare_options(struct comparison *c)
{
	const struct drill_tcp *tcp = &c->expected->tcp;
	bool found[OPTIONS_MAX] = {false};
	unsigned at = 0, len, i;
	const uint8_t *p;

	if (tcp->options_any)
		return;
	while (wire_option(c->seen, &at, &p, &len)) {
		if (p[0] <= 1)
			continue;
		for (i = 0; i < tcp->option_count && i < OPTIONS_MAX; i++)
			if (!found[i] && kind_of(c, &tcp->options[i]) == p[0])
				break;
		if (i == tcp->option_count || i == OPTIONS_MAX) {
			tell_option(c, "there is an", p[0]);
			continue;
		}
		found[i] = true;
		compare_option(c, &tcp->options[i], p, len);
	}
	if (at != c->seen->options_len)
		differ(c, "the options are broken");
	for (i = 0; i < tcp->option_count && i < OPTIONS_MAX; i++)
		if (!found[i] && kind_of(c, &tcp->options[i]) > 1)
			tell_option(c, "there is no", kind_of(c, &tcp->options[i]));
}

/* ---- protocols ---------------------------------------------------------------------------------- */

static void
compare_flags(struct comparison *c)
{
	const struct drill_tcp *tcp = &c->expected->tcp;
	unsigned ignored = tcp->flags_any_ace ? DRILL_AE | DRILL_CWR | DRILL_ECE : 0;

	if (c->cut)
		ignored |= DRILL_PSH | DRILL_FIN;
	/* Linux pushes in the middle of what is written, too. */
	if (c->run->linux_dialect && tcp->seq.length != 0)
		ignored |= DRILL_PSH;
	if (((tcp->flags ^ c->seen->flags) & ~ignored) == 0)
		return;
	differ(c, "flags ");
	print_flags(c->differences, c->seen->flags);
	fputs(" instead of ", c->differences);
	print_flags(c->differences, tcp->flags);
}

/*
 * What a machine rounds up to the unit of the window scale, as FreeBSD has done since 13, FreeBSD had rounded
 * down. Its scripts have either.
 */
static void
compare_window(struct comparison *c, uint32_t expected, bool syn)
{
	bool down = c->run->freebsd_dialect && c->flow->scaled && !syn && c->seen->window == expected + 1;

	if (!down)
		compare_number(c, "win", expected, c->seen->window);
}

static void
compare_tcp(struct comparison *c)
{
	const struct drill_tcp *tcp = &c->expected->tcp;
	bool syn = (c->seen->flags & DRILL_SYN) != 0;
	uint32_t local = flow_local_offset(c->flow, syn), remote = flow_remote_offset(c->flow, syn);

	compare_flags(c);
	if (tcp->seq.kind != DRILL_SEQ_ANY)
		compare_number(c, "sequence number", tcp->seq.start,
		    c->seen->seq - (tcp->seq.kind == DRILL_SEQ_ABSOLUTE ? 0 : local));
	compare_number(c, "octets of data", tcp->seq.length, c->seen->data_len);
	if (tcp->has_ack)
		compare_number(c, "ack", tcp->ack, c->seen->ack - remote);
	if (tcp->has_window)
		compare_window(c, tcp->window, syn);
	if (tcp->has_urgent)
		compare_number(c, "urg", tcp->urgent, c->seen->urgent);
	compare_options(c);
}

/* The packet that an ICMP error of the machine's is about: one of ours. */
static void
compare_quote(struct comparison *c)
{
	const struct drill_icmp *icmp = &c->expected->icmp;
	const uint8_t *p = c->seen->data;
	size_t header = c->seen->v6 ? 40 : 20;
	uint8_t protocol;

	if (icmp->quote == DRILL_QUOTE_NONE)
		return;
	if (c->seen->data_len < header + 8) {
		differ(c, "too little of the packet that it is about");
		return;
	}
	protocol = p[c->seen->v6 ? 6 : 9];
	p += header;
	if (icmp->quote == DRILL_QUOTE_TCP && protocol != IPPROTO_TCP)
		differ(c, "is about protocol %u instead of TCP", protocol);
	else if (icmp->quote == DRILL_QUOTE_UDP && protocol != IPPROTO_UDP)
		differ(c, "is about protocol %u instead of UDP", protocol);
	else if (icmp->quote == DRILL_QUOTE_UDP)
		compare_number(c, "octets of the datagram that it is about", icmp->quote_length + 8,
		    get16(p + 4));
	else if (icmp->quote == DRILL_QUOTE_TCP)
		compare_number(c, "sequence number that it is about", icmp->quote_seq.start,
		    get32(p + 4) - (icmp->quote_seq.kind == DRILL_SEQ_ABSOLUTE ? 0 : c->flow->remote_isn));
}

static void
compare_icmp(struct comparison *c)
{
	const struct drill_icmp *icmp = &c->expected->icmp;
	uint8_t type, code = 0;

	if (!drill_icmp_type(icmp->type, c->seen->v6, &type) ||
	    !drill_icmp_code(type, icmp->code, c->seen->v6, &code)) {
		differ(c, "there is no such ICMP message in IPv%d", c->seen->v6 ? 6 : 4);
		return;
	}
	compare_number(c, "ICMP type", type, c->seen->icmp_type);
	compare_number(c, "ICMP code", code, c->seen->icmp_code);
	if (icmp->has_mtu)
		compare_number(c, "mtu", icmp->mtu, c->seen->mtu);
	if (icmp->has_id)
		compare_number(c, "id", icmp->id, c->seen->id);
	compare_quote(c);
}

static void
compare(struct comparison *c)
{
	if (c->seen->damage != NULL)
		differ(c, "%s", c->seen->damage);
	if (c->seen->fragment)
		differ(c, "it is a fragment");
	if (c->count != 0)
		return;
	compare_ip(c);
	switch (c->expected->protocol) {
	case DRILL_TCP:
		compare_tcp(c);
		break;
	case DRILL_UDP:
		compare_number(c, "octets of data", c->expected->udp_length, c->seen->data_len);
		break;
	case DRILL_ICMP:
		compare_icmp(c);
		break;
	}
}

/* ---- waiting ------------------------------------------------------------------------------------ */

static bool
is_protocol(const struct wire *w, enum drill_protocol protocol)
{
	switch (protocol) {
	case DRILL_TCP:
		return w->protocol == IPPROTO_TCP;
	case DRILL_UDP:
		return w->protocol == IPPROTO_UDP;
	case DRILL_ICMP:
		break;
	}
	return w->protocol == IPPROTO_ICMP || w->protocol == IPPROTO_ICMPV6;
}

/* The first packet in the queue that could be meant, and what points to it. */
static struct wire **
first_of(struct run *r, struct flow *f, enum drill_protocol protocol)
{
	struct wire **w;

	for (w = &r->sent; *w != NULL; w = &(*w)->next)
		if ((is_protocol(*w, protocol) || (f->protocol == DRILL_TCP && is_protocol(*w, DRILL_TCP))) &&
		    flow_takes(r, f, *w))
			return w;
	return NULL;
}

static void
take(struct run *r, struct wire **at)
{
	struct wire *w = *at;

	*at = w->next;
	if (r->sent_end == &w->next)
		r->sent_end = at;
	w->next = NULL;
}

/* NULL: it did not come, or the run has failed. */
static struct wire **
await(struct run *r, struct flow *f, enum drill_protocol protocol, int64_t limit)
{
	struct wire **w;
	int more = 1;

	while ((w = first_of(r, f, protocol)) == NULL && more == 1)
		more = nke_next_event(r->machine) == UINT64_MAX && !call_waits(r) ? 0 : run_step(r, limit);
	return w;
}

/* When it may come at the earliest and the latest. */
static void
times(const struct run *r, int64_t *from, int64_t *to)
{
	const struct drill_time *t = &r->event->time;
	int64_t allowed = tolerance(r, r->event_us - r->last_us);

	*from = r->event_us - allowed;
	*to = r->event_us + allowed;
	if (t->kind == DRILL_TIME_ANY || t->kind == DRILL_TIME_RELATIVE_ANY || t->kind == DRILL_TIME_NONE) {
		*from = INT64_MIN;
		*to = r->event_us + ANY_TIME_US;
	} else if (t->kind == DRILL_TIME_ABSOLUTE_RANGE || t->kind == DRILL_TIME_RELATIVE_RANGE) {
		*to = r->event_us + (t->end_us - t->us) + allowed;
	}
}

/* ---- messages ----------------------------------------------------------------------------------- */

static void
print_time(FILE *out, int64_t us)
{
	fprintf(out, "%s%" PRId64 ".%06" PRId64, us < 0 ? "-" : "", (us < 0 ? -us : us) / 1000000,
	    (us < 0 ? -us : us) % 1000000);
}

static void
print_expected(FILE *out, const struct run *r, const struct drill_packet *p)
{
	const struct drill_time *t = &r->event->time;

	fputs("  expected: ", out);
	if (t->kind == DRILL_TIME_ANY || t->kind == DRILL_TIME_RELATIVE_ANY || t->kind == DRILL_TIME_NONE)
		fputs("at any time", out);
	else
		print_time(out, r->event_us);
	if (t->kind == DRILL_TIME_ABSOLUTE_RANGE || t->kind == DRILL_TIME_RELATIVE_RANGE) {
		fputc('~', out);
		print_time(out, r->event_us + (t->end_us - t->us));
	}
	fputs("  ", out);
	print_script_packet(out, p);
}

static void
print_seen(FILE *out, const struct flow *f, const struct wire *w)
{
	fputs("\n  seen:     ", out);
	print_time(out, w->us);
	fputs("  ", out);
	print_wire_packet(out, f, w, false);
}

static int
missing(struct run *r, struct flow *f, const struct drill_packet *p)
{
	int64_t until = now_us(r);
	struct wire **w = r->failed ? NULL : await(r, f, p->protocol, until + LOOK_ON_US);
	char *text = NULL;
	size_t size;
	FILE *out;

	if (r->failed || (out = open_memstream(&text, &size)) == NULL)
		return -1;
	print_expected(out, r, p);
	if (w == NULL) {
		fputs("\n  seen:     nothing, until ", out);
		print_time(out, now_us(r));
	} else {
		print_seen(out, f, *w);
	}
	for (const struct wire *other = r->sent; other != NULL && w == NULL; other = other->next) {
		fputs("\n  besides:  ", out);
		print_time(out, other->us);
		fputs("  ", out);
		print_wire_packet(out, NULL, other, false);
	}
	fclose(out);
	(void)fail(r, DRILL_FAILED, r->event->place, "%s\n%s", w == NULL ? "the packet did not come" :
	    "the packet did not come in time", text != NULL ? text : "");
	free(text);
	return -1;
}

static int
mismatch(struct run *r, const struct comparison *c, const char *what)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return fail(r, DRILL_FAILED, r->event->place, "%s", what);
	print_expected(out, r, c->expected);
	print_seen(out, c->flow, c->seen);
	fclose(out);
	(void)fail(r, DRILL_FAILED, r->event->place, "%s\n%s", what, text != NULL ? text : "");
	free(text);
	return -1;
}

/* ---- segments cut and joined -------------------------------------------------------------------- */

static bool
may_join(const struct comparison *c, uint32_t offset)
{
	const struct drill_tcp *tcp = &c->expected->tcp;

	return c->expected->protocol == DRILL_TCP && c->seen->protocol == IPPROTO_TCP &&
	    !c->run->config->strict_segments && tcp->seq.kind == DRILL_SEQ_RELATIVE &&
	    c->seen->data_len != 0 && c->seen->data_len != tcp->seq.length && tcp->seq.length != 0 &&
	    c->seen->damage == NULL && c->seen->seq - offset == tcp->seq.start;
}

/* The beginning of the machine's large segment is what the script has; the rest stays. */
static void
cut(struct comparison *c, struct wire *whole, struct wire *seen, uint32_t length)
{
	seen->data_len = length;
	whole->seq += length;
	whole->data += length;
	whole->data_len -= length;
	whole->flags &= (uint16_t)~DRILL_SYN;
	c->cut = true;
}

/* Takes the segments that follow, as long as they are part of what the script has as one. */
static void
join(struct comparison *c, struct wire *seen, int64_t limit)
{
	const struct drill_tcp *tcp = &c->expected->tcp;
	struct wire **next, part;
	uint32_t left;

	while ((left = tcp->seq.length - seen->data_len) != 0 &&
	    (next = await(c->run, c->flow, DRILL_TCP, limit)) != NULL) {
		struct wire *w = *next;
		uint32_t before = seen->data_len;

		if (!is_protocol(w, DRILL_TCP) || w->damage != NULL || w->seq != seen->seq + before ||
		    w->data_len == 0 || ((w->flags ^ seen->flags) & (DRILL_SYN | DRILL_RST | DRILL_ACK)) != 0)
			return;
		part = *w;
		part.seq = seen->seq;
		part.us = seen->us;
		if (w->data_len > left) {
			cut(c, w, &part, left);
		} else {
			take(c->run, next);
			w->next = c->flow->joined;	/* the options of `part` are in it */
			c->flow->joined = w;
		}
		part.data_len += before;
		*seen = part;
	}
}

/* ---- the packet --------------------------------------------------------------------------------- */

static void
learn_before(struct flow *f, const struct drill_packet *p, const struct wire *w)
{
	if (p->protocol == DRILL_TCP && (w->flags & DRILL_SYN) && (p->tcp.flags & DRILL_SYN) &&
	    (!f->local_isn_known || f->state == FLOW_CONNECTING)) {
		f->local_isn = w->seq;
		f->script_local_isn = p->tcp.seq.start;
		f->local_isn_known = true;
	}
}

static void
learn_stamps(struct flow *f, const struct drill_packet *p, const struct wire *w)
{
	const uint8_t *option;
	unsigned at = 0, len;

	if (p->protocol != DRILL_TCP || p->tcp.options_any)
		return;
	while (wire_option(w, &at, &option, &len)) {
		if (option[0] != 8 || len != 10)
			continue;
		for (unsigned i = 0; i < p->tcp.option_count; i++)
			if (p->tcp.options[i].kind == DRILL_OPT_TS && !p->tcp.options[i].ts_val_any)
				flow_saw_stamp(f, p->tcp.options[i].ts_val, get32(option + 2));
	}
}

static void
learn_after(struct flow *f, const struct drill_packet *p, const struct wire *w, const struct wire *whole)
{
	learn_stamps(f, p, w);
	if (p->protocol == DRILL_ICMP)
		return;
	f->state = FLOW_OPEN;
	if ((w->flags & DRILL_SYN) && w->data_len != 0)
		f->syn_data_sent = true;
	if ((w->flags & (DRILL_SYN | DRILL_ACK)) == (DRILL_SYN | DRILL_ACK) && w->ack - f->remote_isn > 1)
		f->syn_data = f->syn_data_sent;
	f->last_ack = w->ack;
	f->quote_len = whole->len < sizeof f->quote ? (unsigned)whole->len : sizeof f->quote;
	memcpy(f->quote, whole->bytes, f->quote_len);
}

static int
judge(struct comparison *c, int64_t from, int64_t to)
{
	char *text = NULL;
	size_t size;
	int result = 0;

	c->differences = open_memstream(&text, &size);
	if (c->differences == NULL)
		return fail(c->run, DRILL_BROKEN, c->run->event->place, "no memory");
	compare(c);
	if (c->seen->us < from || c->seen->us > to) {
		differ(c, "time ");
		print_time(c->differences, c->seen->us);
		fputs(" instead of ", c->differences);
		print_time(c->differences, c->run->event_us);
	}
	fclose(c->differences);
	if (c->count != 0)
		result = mismatch(c->run, c, text != NULL ? text : "another packet");
	free(text);
	return result;
}

int
packet_out(struct run *r, const struct drill_packet *p)
{
	struct comparison c = {.run = r, .expected = p};
	struct wire **at, *w, seen;
	int64_t from, to;
	int result;

	c.flow = flow_of_script(r, p);
	if (c.flow == NULL)
		return -1;
	times(r, &from, &to);
	at = await(r, c.flow, p->protocol, to);
	if (at == NULL)
		return missing(r, c.flow, p);
	w = *at;
	learn_before(c.flow, p, w);
	seen = *w;
	c.seen = &seen;
	if (may_join(&c, flow_local_offset(c.flow, (w->flags & DRILL_SYN) != 0)) &&
	    seen.data_len > p->tcp.seq.length) {
		cut(&c, w, &seen, p->tcp.seq.length);
		w = NULL;
	} else {
		take(r, at);
	}
	if (w != NULL && may_join(&c, flow_local_offset(c.flow, (w->flags & DRILL_SYN) != 0)))
		join(&c, &seen, to);
	result = judge(&c, from, to);
	if (result == 0)
		learn_after(c.flow, p, &seen, w != NULL ? w : *at);
	free(w);
	return result;
}
