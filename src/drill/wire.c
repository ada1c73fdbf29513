/* Reads packets as they are on the wire: those that a machine under test sends, and any for messages. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "src/drill/engine.h"

#define TCP_HEADER	20u
#define UDP_HEADER	8u
#define ICMP_HEADER	8u

uint32_t
wire_sum(uint32_t sum, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (; len > 1; p += 2, len -= 2)
		sum += get16(p);
	if (len != 0)
		sum += (uint32_t)p[0] << 8;
	return (sum & 0xffff) + (sum >> 16);
}

uint16_t
wire_fold(uint32_t sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint32_t
wire_pseudo(bool v6, const uint8_t *source, const uint8_t *destination, uint8_t protocol, uint32_t len)
{
	size_t size = v6 ? 16 : 4;
	uint32_t sum = wire_sum(0, source, size);

	return wire_sum(sum, destination, size) + protocol + (len & 0xffff) + (len >> 16);
}

static void
read_tcp(struct wire *w, const uint8_t *p, size_t len)
{
	size_t header;

	if (len < TCP_HEADER || (header = (size_t)(p[12] >> 4) * 4) < TCP_HEADER || header > len) {
		w->damage = "a TCP header that is cut off";
		return;
	}
	w->source_port = get16(p);
	w->destination_port = get16(p + 2);
	w->seq = get32(p + 4);
	w->ack = get32(p + 8);
	w->flags = (uint16_t)((p[12] & 1) << 8 | p[13]);
	w->window = get16(p + 14);
	w->urgent = get16(p + 18);
	w->options = p + TCP_HEADER;
	w->options_len = (unsigned)(header - TCP_HEADER);
	w->data = p + header;
	w->data_len = (uint32_t)(len - header);
}

static void
read_udp(struct wire *w, const uint8_t *p, size_t len)
{
	if (len < UDP_HEADER) {
		w->damage = "a UDP header that is cut off";
		return;
	}
	w->source_port = get16(p);
	w->destination_port = get16(p + 2);
	w->data = p + UDP_HEADER;
	w->data_len = (uint32_t)(len - UDP_HEADER);
	if (get16(p + 4) != len)
		w->damage = "a length in the UDP header that is not the packet's";
}

static void
read_icmp(struct wire *w, const uint8_t *p, size_t len)
{
	if (len < ICMP_HEADER) {
		w->damage = "an ICMP header that is cut off";
		return;
	}
	w->icmp_type = p[0];
	w->icmp_code = p[1];
	w->id = get16(p + 4);
	w->mtu = w->v6 ? get32(p + 4) : get16(p + 6);
	w->data = p + ICMP_HEADER;
	w->data_len = (uint32_t)(len - ICMP_HEADER);
}

static void
check_sum(struct wire *w, const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	if (w->protocol == IPPROTO_UDP && !w->v6 && len >= UDP_HEADER && get16(p + 6) == 0)
		return;
	if (w->protocol != IPPROTO_ICMP)
		sum = wire_pseudo(w->v6, w->source, w->destination, w->protocol, (uint32_t)len);
	if (wire_fold(wire_sum(sum, p, len)) != 0)
		w->damage = "a wrong checksum";
}

static void
read_transport(struct wire *w, const uint8_t *p, size_t len)
{
	if (w->fragment)
		return;
	if (w->protocol == IPPROTO_TCP)
		read_tcp(w, p, len);
	else if (w->protocol == IPPROTO_UDP)
		read_udp(w, p, len);
	else if (w->protocol == IPPROTO_ICMP || w->protocol == IPPROTO_ICMPV6)
		read_icmp(w, p, len);
	else
		return;
	if (w->damage == NULL)
		check_sum(w, p, len);
}

static bool
read_ip4(struct wire *w)
{
	const uint8_t *p = w->bytes;
	size_t header, total;

	if (w->len < 20 || (header = (size_t)(p[0] & 15) * 4) < 20 || (total = get16(p + 2)) < header ||
	    total > w->len)
		return false;
	w->tos = p[1];
	w->fragment = (get16(p + 6) & 0x3fff) != 0;
	w->ttl = p[8];
	w->protocol = p[9];
	w->source = p + 12;
	w->destination = p + 16;
	if (wire_fold(wire_sum(0, p, header)) != 0)
		w->damage = "a wrong checksum of the IP header";
	read_transport(w, p + header, total - header);
	return true;
}

/* Extension headers that may come before what we look for. */
static bool
is_extension(uint8_t protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING || protocol == IPPROTO_DSTOPTS;
}

static bool
read_ip6(struct wire *w)
{
	const uint8_t *p = w->bytes, *end;
	size_t total;

	if (w->len < 40 || (total = 40 + (size_t)get16(p + 4)) > w->len)
		return false;
	end = p + total;
	w->v6 = true;
	w->tos = (uint8_t)(get16(p) >> 4);
	w->flow_label = get32(p) & 0xfffff;
	w->protocol = p[6];
	w->ttl = p[7];
	w->source = p + 8;
	w->destination = p + 24;
	p += 40;
	while (is_extension(w->protocol) && end - p >= 8 && end - p >= 8 * (p[1] + 1)) {
		w->protocol = p[0];
		p += 8 * (p[1] + 1);
	}
	if (w->protocol == IPPROTO_FRAGMENT) {
		w->fragment = true;
		w->protocol = end - p >= 8 ? p[0] : 0;
	}
	read_transport(w, p, (size_t)(end - p));
	return true;
}

bool
wire_read(struct wire *w)
{
	static const uint8_t nothing[1];

	w->options = w->data = nothing;
	if (w->len == 0)
		return false;
	return w->bytes[0] >> 4 == 4 ? read_ip4(w) : w->bytes[0] >> 4 == 6 && read_ip6(w);
}

struct wire *
wire_new(const void *bytes, size_t len, int64_t us)
{
	struct wire *w = malloc(sizeof *w + len);

	if (w == NULL)
		return NULL;
	memset(w, 0, sizeof *w);
	w->us = us;
	w->len = len;
	memcpy(w->bytes, bytes, len);
	if (wire_read(w))
		return w;
	free(w);
	return NULL;
}

bool
wire_option(const struct wire *w, unsigned *at, const uint8_t **option, unsigned *len)
{
	const uint8_t *p = w->options + *at;
	unsigned left = w->options_len - *at;

	if (left == 0)
		return false;
	*option = p;
	*len = p[0] <= 1 ? 1 : left >= 2 ? p[1] : 0;
	if (*len > left || *len == 0 || (p[0] > 1 && *len < 2))
		return false;
	*at += p[0] == 0 ? left : *len;
	return true;
}
