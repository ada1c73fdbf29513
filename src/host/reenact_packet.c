/*
 * Taking captured frames apart, for re-enacting what they belong to: link header, IPv4 or IPv6 with its
 * extension headers, TCP, UDP. Called for every frame of a capture, twice.
 *
 * What is no well-formed beginning of a packet is PACKET_OTHER; what was captured short is as long as the
 * headers say, with less of it there.
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "src/host/reenact_packet.h"

#define TYPE_IP		0x0800
#define TYPE_IP6	0x86dd
#define TYPE_VLAN	0x8100		/* a tag: IEEE 802.1Q; 802.1ad's */
#define TYPE_SERVICE	0x88a8
#define MAX_EXTENSIONS	8		/* in front of a transport; more are nobody's in earnest */

#define EXT_HOP		0
#define EXT_ROUTING	43
#define EXT_FRAGMENT	44
#define EXT_OPTIONS	60

/* ---- checksums ---------------------------------------------------------------------------- */

uint64_t
packet_sum(const void *bytes, size_t len, uint64_t sum)
{
	const uint8_t *p = bytes;
	uint32_t word, words[4];
	uint16_t half = 0;

	/* Four sums at a time, which a compiler keeps in one register. */
	for (uint64_t sums[4] = {0}; len >= 16; len -= 16, p += 16) {
		memcpy(words, p, 16);
		for (int i = 0; i < 4; i++)
			sums[i] += words[i];
		if (len < 32)
			sum += sums[0] + sums[1] + sums[2] + sums[3];
	}
	for (; len >= 4; len -= 4, p += 4) {
		memcpy(&word, p, 4);
		sum += word;
	}
	if (len >= 2) {
		memcpy(&half, p, 2);
		sum += half;
		len -= 2;
		p += 2;
	}
	if (len != 0) {
		half = 0;
		memcpy(&half, p, 1);
		sum += half;
	}
	return sum;
}

uint16_t
packet_sum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)~sum;
}

uint64_t
packet_pseudo_sum(uint8_t version, const uint8_t *src, const uint8_t *dst, uint8_t protocol, uint32_t len)
{
	uint64_t sum = packet_sum(src, packet_address_len(version), 0);

	sum = packet_sum(dst, packet_address_len(version), sum);
	/* Lengths of 32 bits in IPv6, of 16 in IPv4: the sum is the same. */
	return sum + htonl(len) + htons(protocol);
}

/*
 * Was the checksum left to a device? Then the field has the pseudo header's sum, or nothing. Segments that
 * are longer than a link carries were put together, and keep the first one's.
 */
enum packet_sum
packet_check(const struct packet *p)
{
	uint32_t len = p->kind == PACKET_UDP ? p->data_len + 8 : p->net_len - p->header_len;
	uint64_t pseudo = packet_pseudo_sum(p->version, p->src, p->dst, p->protocol, len);
	uint16_t field;

	memcpy(&field, p->transport + (p->kind == PACKET_UDP ? 6 : 16), 2);
	if (p->kind == PACKET_UDP && field == 0)
		return p->version == 4 ? PACKET_SUMMED : PACKET_DAMAGED;	/* RFC 768; RFC 8200 8.1 */
	if (p->data_captured < p->data_len || (p->kind == PACKET_TCP && p->net_len > LINK_MTU) ||
	    field == 0 || (field ^ packet_sum_fold(pseudo)) == UINT16_MAX)
		return PACKET_UNSUMMED;
	return packet_sum_fold(packet_sum(p->transport, len, pseudo)) == 0 ? PACKET_SUMMED : PACKET_DAMAGED;
}

/* ---- the link ----------------------------------------------------------------------------- */

uint32_t
packet_link_length(enum core_link link)
{
	switch (link) {
	case CORE_LINK_ETHERNET:
		return 14;
	case CORE_LINK_NULL:
	case CORE_LINK_LOOP:
		return 4;
	case CORE_LINK_SLL:
		return 16;
	case CORE_LINK_SLL2:
		return 20;
	case CORE_LINK_RAW:
		break;
	}
	return 0;
}

/* Is it IP, as far as the link says? VLAN tags are passed over: `*link_len` grows. */
static bool
is_ip(enum core_link link, const struct core_frame *f, uint32_t *link_len)
{
	uint32_t type;

	switch (link) {
	case CORE_LINK_ETHERNET:
		type = get16(f->data + 12);
		while ((type == TYPE_VLAN || type == TYPE_SERVICE) && f->caplen >= *link_len + 4) {
			*link_len += 4;
			type = get16(f->data + *link_len - 2);
		}
		break;
	case CORE_LINK_SLL:
		type = get16(f->data + 14);
		break;
	case CORE_LINK_SLL2:
		type = get16(f->data);
		break;
	default:
		return true;		/* IP's own version tells */
	}
	return type == TYPE_IP || type == TYPE_IP6;
}

/* ---- IP ----------------------------------------------------------------------------------- */

static bool
parse_ip4(struct packet *p)
{
	const uint8_t *ip = p->net;
	uint32_t len, fragment;

	if (p->net_captured < 20)
		return false;
	p->header_len = (ip[0] & 0xfu) * 4;
	len = get16(ip + 2);
	/* Segments that a device was to cut have no length in some captures. */
	if (len != 0) {
		if (len > p->net_len)
			return false;
		p->net_len = len;
	}
	if (p->header_len < 20 || p->header_len > p->net_len || p->header_len > p->net_captured)
		return false;
	p->src = ip + 12;
	p->dst = ip + 16;
	p->protocol = ip[9];
	fragment = get16(ip + 6);
	p->offset = (fragment & 0x1fff) * 8;
	p->more = fragment & 0x2000;
	p->ident = get16(ip + 4);
	if (p->offset != 0 || p->more)
		p->kind = PACKET_FRAGMENT;
	return true;
}

static bool
parse_ip6(struct packet *p)
{
	const uint8_t *ip = p->net;
	uint32_t len, at = 40, next;

	if (p->net_captured < 40)
		return false;
	len = get16(ip + 4);
	if (len != 0) {
		if (len + 40 > p->net_len)
			return false;
		p->net_len = len + 40;
	}
	p->src = ip + 8;
	p->dst = ip + 24;
	next = ip[6];
	for (int i = 0; i < MAX_EXTENSIONS; i++) {
		if (next != EXT_HOP && next != EXT_ROUTING && next != EXT_OPTIONS && next != EXT_FRAGMENT)
			break;
		if (at + 8 > p->net_captured || at + 8 > p->net_len)
			return false;
		if (next == EXT_FRAGMENT) {
			p->offset = get16(ip + at + 2) & 0xfff8u;
			p->more = ip[at + 3] & 1;
			p->ident = get32(ip + at + 4);
			if (p->offset != 0 || p->more) {
				p->kind = PACKET_FRAGMENT;
				p->protocol = ip[at];
				p->header_len = at + 8;
				return true;
			}
			next = ip[at];
			at += 8;
			continue;
		}
		next = ip[at];
		at += (ip[at + 1] + 1u) * 8;
	}
	p->protocol = (uint8_t)next;
	p->header_len = at;
	return at <= p->net_captured && at <= p->net_len;
}

static bool
is_host(const struct host_identity *h, uint8_t version, const uint8_t *addr)
{
	int family = version == 4 ? AF_INET : AF_INET6;

	for (unsigned i = 0; i < h->address_count; i++)
		if (h->addresses[i].family == family &&
		    memcmp(h->addresses[i].addr, addr, packet_address_len(version)) == 0)
			return true;
	return false;
}

static bool
is_group(uint8_t version, const uint8_t *addr)
{
	return version == 4 ? addr[0] >= 224 : addr[0] == 0xff;
}

/* False: it goes between others, from the host to itself, or to where no connection leads. */
static bool
find_direction(struct packet *p, const struct host_identity *h)
{
	bool from = is_host(h, p->version, p->src), to = is_host(h, p->version, p->dst);

	p->outbound = from;
	if (is_group(p->version, p->src) || (p->protocol == PROTO_TCP && is_group(p->version, p->dst)))
		return false;
	p->within = from && to;
	if (from)
		return !to;
	/* What the host sends before it has an address (DHCP) is nobody's flow. */
	if ((p->version == 4 && p->src[0] == 0) ||
	    (h->has_lladdr && p->link_len >= 14 && memcmp(p->link + 6, h->lladdr, 6) == 0))
		return false;
	/* A directed broadcast has the link's address of everybody, too. */
	return to || is_group(p->version, p->dst) || (p->version == 4 && p->dst[3] == 255 &&
	    p->link_len >= 14 && p->link[0] == 0xff && p->link[1] == 0xff);
}

/* ---- transport ---------------------------------------------------------------------------- */

static enum packet_kind
parse_tcp(struct packet *p, uint32_t len, uint32_t captured)
{
	const uint8_t *tcp = p->transport;

	if (captured < 20)
		return PACKET_OTHER;
	p->tcp_len = (uint8_t)((tcp[12] >> 4) * 4);
	if (p->tcp_len < 20 || p->tcp_len > len || p->tcp_len > captured)
		return PACKET_OTHER;
	p->sport = get16(tcp);
	p->dport = get16(tcp + 2);
	p->seq = get32(tcp + 4);
	p->ack = get32(tcp + 8);
	p->flags = tcp[13];
	p->window = get16(tcp + 14);
	p->data = tcp + p->tcp_len;
	p->data_len = len - p->tcp_len;
	p->data_captured = captured - p->tcp_len;
	return PACKET_TCP;
}

static enum packet_kind
parse_udp(struct packet *p, uint32_t len, uint32_t captured)
{
	const uint8_t *udp = p->transport;
	uint32_t said;

	if (captured < 8)
		return PACKET_OTHER;
	said = get16(udp + 4);
	if (said < 8 || said > len)
		return PACKET_OTHER;
	p->sport = get16(udp);
	p->dport = get16(udp + 2);
	p->data = udp + 8;
	p->data_len = said - 8;
	p->data_captured = captured < said ? captured - 8 : said - 8;
	return PACKET_UDP;
}

void
packet_parse_transport(struct packet *p)
{
	uint32_t len = p->net_len - p->header_len, captured = p->net_captured - p->header_len;

	p->transport = p->net + p->header_len;
	p->kind = PACKET_OTHER;
	if (p->protocol == PROTO_TCP)
		p->kind = parse_tcp(p, len, captured);
	else if (p->protocol == PROTO_UDP)
		p->kind = parse_udp(p, len, captured);
	else if (p->protocol == (p->version == 4 ? PROTO_ICMP : PROTO_ICMP6) && captured >= 8)
		p->kind = PACKET_ICMP;
}

void
packet_parse(enum core_link link, const struct core_frame *f, const struct host_identity *h,
    struct packet *p)
{
	uint32_t link_len = packet_link_length(link);
	bool good;

	memset(p, 0, sizeof *p);
	p->number = f->number;
	p->time_ns = f->time_ns;
	p->link = f->data;
	if (f->caplen <= link_len || !is_ip(link, f, &link_len) || f->caplen <= link_len)
		return;
	p->link_len = link_len;
	p->net = f->data + link_len;
	p->net_captured = f->caplen - link_len;
	p->net_len = f->len - link_len;
	p->version = p->net[0] >> 4;
	good = p->version == 4 ? parse_ip4(p) : p->version == 6 && parse_ip6(p);
	if (!good || p->net_len > NET_MAX || !find_direction(p, h)) {
		p->kind = PACKET_OTHER;
		return;
	}
	if (p->net_captured > p->net_len)
		p->net_captured = p->net_len;
	if (p->kind != PACKET_FRAGMENT)
		packet_parse_transport(p);
}

bool
packet_timestamps(const uint8_t *tcp, uint32_t tcp_len, uint32_t *value, uint32_t *echo)
{
	for (uint32_t at = 20; at < tcp_len;) {
		uint32_t kind = tcp[at], len;

		if (kind == 0)
			return false;
		if (kind == 1) {
			at++;
			continue;
		}
		if (at + 2 > tcp_len || (len = tcp[at + 1]) < 2 || at + len > tcp_len)
			return false;
		if (kind == 8 && len == 10) {
			*value = get32(tcp + at + 2);
			*echo = get32(tcp + at + 6);
			return true;
		}
		at += len;
	}
	return false;
}
