/* Packets that the script sends to the machine: made octet by octet, with the wire's numbers. */
#include <netinet/in.h>
#include <string.h>

#include "src/drill/engine.h"

#define TTL		255
#define TCP_HEADER	20u
#define UDP_HEADER	8u
#define ICMP_HEADER	8u
#define QUOTE_UDP	8u

/* ---- TCP options -------------------------------------------------------------------------------- */

static uint32_t
live_stamp(const struct run *r, const struct flow *f, const struct drill_tcp_option *o)
{
	if (o->ts_ecr_absolute)
		return o->ts_ecr;
	for (unsigned i = f->stamp_count; i-- != 0;)
		if (f->stamps[i].script == o->ts_ecr)
			return f->stamps[i].live;
	if (r->config->tcp_ts_ecr_scaled && f->has_base)
		return o->ts_ecr - f->base_script + f->base_live;
	return o->ts_ecr;
}

static unsigned
option_bytes(const struct run *r, const struct flow *f, const struct drill_tcp_option *o, bool syn,
    uint8_t *p)
{
	unsigned i;

	switch (o->kind) {
	case DRILL_OPT_EOL:
	case DRILL_OPT_NOP:
		p[0] = o->kind == DRILL_OPT_NOP;
		return 1;
	case DRILL_OPT_MSS:
		p[0] = 2;
		put16(p + 2, o->mss);
		return p[1] = 4;
	case DRILL_OPT_WSCALE:
		p[0] = 3;
		p[2] = o->wscale;
		return p[1] = 3;
	case DRILL_OPT_SACKOK:
		p[0] = 4;
		return p[1] = 2;
	case DRILL_OPT_SACK:
		p[0] = 5;
		for (i = 0; i < o->sack_count; i++) {
			put32(p + 2 + 8 * i, o->sack[i].left + flow_local_offset(f, syn));
			put32(p + 6 + 8 * i, o->sack[i].right + flow_local_offset(f, syn));
		}
		return p[1] = (uint8_t)(2 + 8 * o->sack_count);
	case DRILL_OPT_TS:
		p[0] = 8;
		put32(p + 2, o->ts_val);
		put32(p + 6, live_stamp(r, f, o));
		return p[1] = 10;
	case DRILL_OPT_FASTOPEN_EXP:
		/* Linux takes the option of the experiment for the one that became of it. */
		if (!r->linux_dialect) {
			p[0] = 254;
			put16(p + 2, 0xf989);
			memcpy(p + 4, o->bytes, o->bytes_len);
			return p[1] = (uint8_t)(4 + o->bytes_len);
		}
		/* FALLTHROUGH */
	case DRILL_OPT_FASTOPEN:
		p[0] = 34;
		memcpy(p + 2, o->bytes, o->bytes_len);
		return p[1] = (uint8_t)(2 + o->bytes_len);
	case DRILL_OPT_MD5:
		p[0] = 19;
		memset(p + 2, 0, 16);
		memcpy(p + 2, o->bytes, o->bytes_len);
		return p[1] = 18;
	case DRILL_OPT_RAW:
		memcpy(p, o->bytes, o->bytes_len);
		return o->bytes_len;
	}
	return 0;
}

static unsigned
option_size(const struct drill_tcp_option *o)
{
	switch (o->kind) {
	case DRILL_OPT_EOL:
	case DRILL_OPT_NOP:
		return 1;
	case DRILL_OPT_MSS:
		return 4;
	case DRILL_OPT_WSCALE:
		return 3;
	case DRILL_OPT_SACKOK:
		return 2;
	case DRILL_OPT_SACK:
		return 2 + 8 * o->sack_count;
	case DRILL_OPT_TS:
		return 10;
	case DRILL_OPT_FASTOPEN:
		return 2 + o->bytes_len;
	case DRILL_OPT_FASTOPEN_EXP:
		return 4 + o->bytes_len;
	case DRILL_OPT_MD5:
		return 18;
	case DRILL_OPT_RAW:
		return o->bytes_len;
	}
	return 0;
}

int
packet_options(struct run *r, const struct flow *f, const struct drill_tcp *tcp, bool syn,
    uint8_t out[DRILL_TCP_OPTION_BYTES])
{
	unsigned used = 0;

	memset(out, 0, DRILL_TCP_OPTION_BYTES);
	for (unsigned i = 0; i < tcp->option_count; i++) {
		const struct drill_tcp_option *o = &tcp->options[i];

		if (used + option_size(o) > DRILL_TCP_OPTION_BYTES)
			return fail(r, DRILL_BROKEN, o->place, "the options take more than %u octets",
			    DRILL_TCP_OPTION_BYTES);
		used += option_bytes(r, f, o, syn, out + used);
	}
	return (int)((used + 3) & ~3u);
}

/* ---- headers ------------------------------------------------------------------------------------ */

static uint8_t
tos_of(const struct drill_ip *ip)
{
	switch (ip->tos_kind) {
	case DRILL_TOS_NONE:
	case DRILL_TOS_ECT01:
		return 0;
	case DRILL_TOS_ECN:
	case DRILL_TOS_DSCP:
	case DRILL_TOS_DSCP_ECT01:
	case DRILL_TOS_ALL:
		break;
	}
	return ip->tos;
}

static size_t
ip_header_size(const struct run *r)
{
	return r->addresses.v6 ? 40 : 20;
}

/* Writes the header before `len` octets of `protocol`. */
static void
put_ip(struct run *r, uint8_t *p, const uint8_t *source, const uint8_t *destination, uint8_t protocol,
    size_t len, uint8_t tos, uint8_t ttl, uint32_t flow_label)
{
	if (r->addresses.v6) {
		put32(p, UINT32_C(6) << 28 | (uint32_t)tos << 20 | flow_label);
		put16(p + 4, (uint32_t)len);
		p[6] = protocol;
		p[7] = ttl;
		memcpy(p + 8, source, 16);
		memcpy(p + 24, destination, 16);
		return;
	}
	p[0] = 0x45;
	p[1] = tos;
	put16(p + 2, (uint32_t)(20 + len));
	put16(p + 4, ++r->ip_id);
	put16(p + 6, 0);
	p[8] = ttl;
	p[9] = protocol;
	put16(p + 10, 0);
	memcpy(p + 12, source, 4);
	memcpy(p + 16, destination, 4);
	put16(p + 10, wire_fold(wire_sum(0, p, 20)));
}

/* The checksum of `len` octets at `p`, where `at` is its place. */
static void
put_checksum(const struct run *r, const struct flow *f, uint8_t *p, size_t at, uint8_t protocol, size_t len)
{
	uint32_t sum = protocol == IPPROTO_ICMP ? 0 :
	    wire_pseudo(r->addresses.v6, f->remote, f->local, protocol, (uint32_t)len);
	uint16_t folded;

	put16(p + at, 0);
	folded = wire_fold(wire_sum(sum, p, len));
	put16(p + at, protocol == IPPROTO_UDP && folded == 0 ? 0xffff : folded);
}

/* ---- the protocols ------------------------------------------------------------------------------ */

static uint32_t
seq_on_wire(const struct drill_seq *seq, uint32_t offset)
{
	return seq->kind == DRILL_SEQ_ABSOLUTE ? seq->start : seq->start + offset;
}

/* Octets of the segment, or -1. */
static int
put_tcp(struct run *r, struct flow *f, const struct drill_tcp *tcp, uint8_t *p, size_t room)
{
	bool syn = (tcp->flags & DRILL_SYN) != 0;
	uint8_t options[DRILL_TCP_OPTION_BYTES];
	int options_len;
	size_t header;

	if (syn && !f->remote_isn_known) {
		f->remote_isn = tcp->seq.start;
		f->remote_isn_known = true;
	}
	if (syn && tcp->seq.length != 0)
		f->syn_data_sent = true;
	if (tcp->seq.length > f->largest_in)
		f->largest_in = tcp->seq.length;
	if (syn && tcp->has_ack && tcp->ack > 1)
		f->syn_data = f->syn_data_sent;
	options_len = packet_options(r, f, tcp, syn, options);
	if (options_len < 0)
		return -1;
	for (unsigned i = 0; i < tcp->option_count && syn; i++) {
		f->scaled |= tcp->options[i].kind == DRILL_OPT_WSCALE;
		r->cookie_given |= (tcp->flags & DRILL_ACK) && tcp->options[i].kind == DRILL_OPT_FASTOPEN &&
		    tcp->options[i].bytes_len != 0;
	}
	header = TCP_HEADER + (size_t)options_len;
	if (header + tcp->seq.length > room)
		return fail(r, DRILL_BROKEN, r->event->place, "a packet of %u octets is too large",
		    (unsigned)(header + tcp->seq.length));
	put16(p, f->remote_port);
	put16(p + 2, f->local_port);
	put32(p + 4, seq_on_wire(&tcp->seq, flow_remote_offset(f, syn)));
	/* An ACK without its number acknowledges the SYN's: 0 of the script. */
	put32(p + 8, tcp->flags & DRILL_ACK ? tcp->ack + flow_local_offset(f, syn) : 0);
	p[12] = (uint8_t)(header / 4 << 4 | (tcp->flags & DRILL_AE ? 1 : 0));
	p[13] = (uint8_t)tcp->flags;
	put16(p + 14, tcp->has_window ? tcp->window : 0);
	put16(p + 18, tcp->has_urgent ? tcp->urgent : 0);
	memcpy(p + TCP_HEADER, options, (size_t)options_len);
	memset(p + header, 0, tcp->seq.length);
	put_checksum(r, f, p, 16, IPPROTO_TCP, header + tcp->seq.length);
	if (f->state != FLOW_LISTENING)
		f->state = f->state == FLOW_CONNECTING ? FLOW_CONNECTING : FLOW_OPEN;
	return (int)(header + tcp->seq.length);
}

static int
put_udp(struct run *r, const struct flow *f, uint32_t length, uint8_t *p, size_t room)
{
	size_t len = UDP_HEADER + length;

	if (len > room || len > 65535)
		return fail(r, DRILL_BROKEN, r->event->place, "a datagram of %u octets is too large", length);
	put16(p, f->remote_port);
	put16(p + 2, f->local_port);
	put16(p + 4, (uint32_t)len);
	memset(p + UDP_HEADER, 0, length);
	put_checksum(r, f, p, 6, IPPROTO_UDP, len);
	return (int)len;
}

/* The beginning of the packet that an ICMP error is about, as the machine would have sent it. */
static size_t
put_quote(struct run *r, const struct flow *f, const struct drill_icmp *icmp, uint8_t *p)
{
	size_t header = ip_header_size(r), len = 0;
	uint8_t protocol = IPPROTO_TCP, *t = p + header;

	memset(p, 0, header + TCP_HEADER);
	switch (icmp->quote) {
	case DRILL_QUOTE_NONE:
		memcpy(p, f->quote, f->quote_len);
		return f->quote_len;
	case DRILL_QUOTE_TCP:
		put32(t + 4, seq_on_wire(&icmp->quote_seq, f->local_isn));
		put32(t + 8, f->last_ack);
		t[12] = TCP_HEADER / 4 << 4;
		t[13] = DRILL_ACK;
		len = TCP_HEADER + icmp->quote_seq.length;
		break;
	case DRILL_QUOTE_UDP:
		protocol = IPPROTO_UDP;
		len = UDP_HEADER + icmp->quote_length;
		put16(t + 4, (uint32_t)len);
		break;
	case DRILL_QUOTE_RAW:
		protocol = IPPROTO_RAW;
		len = icmp->quote_length;
		break;
	}
	if (protocol != IPPROTO_RAW) {
		put16(t, f->local_port);
		put16(t + 2, f->remote_port);
	}
	put_ip(r, p, f->local, f->remote, protocol, len, 0, 64, 0);
	return header + (icmp->quote == DRILL_QUOTE_TCP ? TCP_HEADER : QUOTE_UDP);
}

static int
put_icmp(struct run *r, struct flow *f, const struct drill_icmp *icmp, uint8_t *p)
{
	bool v6 = r->addresses.v6;
	size_t len = ICMP_HEADER;
	uint8_t type, code = 0;

	if (!drill_icmp_type(icmp->type, v6, &type) || !drill_icmp_code(type, icmp->code, v6, &code))
		return fail(r, DRILL_BROKEN, r->event->place, "there is no ICMP %s %s in IPv%d", icmp->type,
		    icmp->code != NULL ? icmp->code : "", v6 ? 6 : 4);
	memset(p, 0, ICMP_HEADER);
	p[0] = type;
	p[1] = code;
	if (icmp->has_id)
		put16(p + 4, icmp->id);
	else if (icmp->has_mtu && v6)
		put32(p + 4, icmp->mtu);
	else if (icmp->has_mtu)
		put16(p + 6, icmp->mtu);
	if (!icmp->has_id)
		len += put_quote(r, f, icmp, p + ICMP_HEADER);
	put_checksum(r, f, p, 2, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, len);
	return (int)len;
}

/* ---- sending it --------------------------------------------------------------------------------- */

int
packet_in(struct run *r, const struct drill_packet *p)
{
	struct flow *f = flow_of_script(r, p);
	uint8_t bytes[PACKET_MAX], *body;
	size_t header = ip_header_size(r), room = sizeof bytes - 40;
	uint8_t protocol;
	int len, error;

	if (f == NULL)
		return -1;
	body = bytes + header;
	switch (p->protocol) {
	case DRILL_TCP:
		protocol = IPPROTO_TCP;
		len = put_tcp(r, f, &p->tcp, body, room - 20);
		break;
	case DRILL_UDP:
		protocol = IPPROTO_UDP;
		len = put_udp(r, f, p->udp_length, body, room - 20);
		break;
	case DRILL_ICMP:
	default:
		protocol = r->addresses.v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		len = put_icmp(r, f, &p->icmp, body);
		break;
	}
	if (len < 0)
		return -1;
	put_ip(r, bytes, f->remote, f->local, protocol, (size_t)len, tos_of(&p->ip),
	    p->ip.has_ttl ? p->ip.ttl : TTL, p->ip.has_flow_label ? p->ip.flow_label : 0);
	capture_packet(r, bytes, header + (size_t)len, now_us(r));
	error = nke_iface_input(r->iface, bytes, header + (size_t)len);
	if (nke_panicked(r->machine))
		return fail(r, DRILL_PANICKED, r->event->place, "the machine has panicked\n%s",
		    nke_panic_report(r->machine));
	if (error != 0)
		return fail(r, DRILL_FAILED, r->event->place, "the machine does not take the packet: %s",
		    nke_error_text(r->machine));
	more_goes(r);
	return call_look(r);
}
