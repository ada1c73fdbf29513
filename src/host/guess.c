/*
 * Finding the host that took a capture.
 *
 * A host that doesn't listen promiscuously captures only unicast frames that it sent or received: the
 * address that takes part in nearly all of them is its own. When two do (everything went through one router,
 * or a capture of one conversation), the first of these decides that does: what the other one sends has been
 * forwarded, or is filled up to the shortest length of a frame, while the host's own is not; the other one
 * has many more IP addresses behind it; who asks for a lease by DHCP, opens connections, asks name servers,
 * solicits routers. On links without addresses the same is done with IP addresses; cooked captures say of
 * each frame which way it went.
 */
#include "src/host/guess.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PARTIES	256u
#define DNS_PORT	53
#define DHCP_SERVER	67
#define DHCP_CLIENT	68
#define COOKED_OUTGOING	4		/* packet types of cooked captures */
#define COOKED_TO_US	0
#define TAG		4u		/* octets of a VLAN tag */
#define SHORTEST_FRAME	60u		/* of Ethernet, without the checksum behind it */
#define MANY_HOPS	33		/* left of what a system began with, however far it is */
#define MANY_MORE	8u		/* times as many addresses: there is a router in front of them */

/* A station: by link address, or by IP address where there is none. */
struct party {
	uint8_t id[16];
	uint32_t frames;		/* unicast frames it took part in */
	uint32_t client;		/* signs of being the one who asks */
	uint32_t sent;			/* IP packets with a hop limit that tells something */
	uint32_t forwarded;		/* of them by their hop limit */
	uint32_t bare, padded;		/* frames too short to arrive so; that are filled up */
	uint64_t addresses;		/* IP addresses it has: a bit for each, by a hash */
};

struct parties {
	struct party list[MAX_PARTIES];
	unsigned count;
	size_t id_len;
	uint32_t unicast;
};

/* What a frame says about its IP packet. */
struct view {
	int family;			/* 0: not IP, or too short */
	const uint8_t *src, *dst;
	size_t addr_len;
	const uint8_t *transport;	/* NULL: not there */
	size_t transport_len;
	uint8_t protocol;
	uint8_t hops;			/* its TTL or hop limit */
	size_t frame_len;		/* octets that the frame needs */
};

static size_t
link_length(enum core_link link)
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

static void
look(enum core_link link, const struct core_frame *f, struct view *v)
{
	size_t skip = link_length(link), len;
	const uint8_t *net;

	memset(v, 0, sizeof *v);
	if (f->caplen <= skip)
		return;
	/* Type 0x8100 (802.1Q) or 0x88a8 (802.1ad): a tag, and the type proper behind it. */
	if (link == CORE_LINK_ETHERNET)
		while (f->caplen > skip + TAG && ((f->data[skip - 2] == 0x81 && f->data[skip - 1] == 0) ||
		    (f->data[skip - 2] == 0x88 && f->data[skip - 1] == 0xa8)))
			skip += TAG;
	net = f->data + skip;
	len = f->caplen - skip;
	if (link == CORE_LINK_ETHERNET && f->data[skip - 2] != 0x08 && f->data[skip - 2] != 0x86)
		return;
	if (net[0] >> 4 == 4 && len >= 20 && (size_t)(net[0] & 0xf) * 4 <= len) {
		v->family = AF_INET;
		v->src = net + 12;
		v->dst = net + 16;
		v->addr_len = 4;
		v->protocol = net[9];
		v->hops = net[8];
		v->frame_len = skip + ((size_t)net[2] << 8 | net[3]);
		if (((net[6] & 0x1f) | net[7]) == 0) {
			v->transport = net + (size_t)(net[0] & 0xf) * 4;
			v->transport_len = len - (size_t)(net[0] & 0xf) * 4;
		}
	} else if (net[0] >> 4 == 6 && len >= 40) {
		v->family = AF_INET6;
		v->src = net + 8;
		v->dst = net + 24;
		v->addr_len = 16;
		v->protocol = net[6];
		v->hops = net[7];
		v->frame_len = skip + 40 + ((size_t)net[4] << 8 | net[5]);
		v->transport = net + 40;
		v->transport_len = len - 40;
	}
}

static struct party *
party_of(struct parties *p, const uint8_t *id)
{
	for (unsigned i = 0; i < p->count; i++)
		if (memcmp(p->list[i].id, id, p->id_len) == 0)
			return &p->list[i];
	if (p->count == MAX_PARTIES)
		return NULL;
	memset(&p->list[p->count], 0, sizeof p->list[0]);
	memcpy(p->list[p->count].id, id, p->id_len);
	return &p->list[p->count++];
}

static unsigned
port(const struct view *v, unsigned at)
{
	return v->transport_len >= at + 2 ? (unsigned)v->transport[at] << 8 | v->transport[at + 1] : 0;
}

/*
 * How strongly the packet says that its sender is an ordinary host, or (`answered`) that the one it is
 * for is: a question, or the answer to one.
 */
static uint32_t
client_sign(const struct view *v, bool answered)
{
	unsigned from = answered ? 2 : 0, to = 2 - from;

	if (v->transport == NULL || v->transport_len < 4)
		return 0;
	if (v->protocol == IPPROTO_UDP) {
		if (port(v, from) == DHCP_CLIENT && port(v, to) == DHCP_SERVER)
			return 1000;
		return port(v, to) == DNS_PORT ? 2 : 0;
	}
	if (v->protocol == IPPROTO_TCP && v->transport_len >= 14)	/* SYN without ACK, with ACK */
		return (v->transport[13] & 0x12) == (answered ? 0x12 : 0x02) ? 2 : 0;
	if (v->family == AF_INET && v->protocol == IPPROTO_ICMP)	/* echo request, reply */
		return v->transport[0] == (answered ? 0 : 8) ? 1 : 0;
	if (v->family == AF_INET6 && v->protocol == IPPROTO_ICMPV6) {
		if (v->transport[0] == (answered ? 129 : 128))
			return 1;
		return !answered && v->transport[0] == 133 ? 10 : 0;	/* router solicitation */
	}
	return 0;
}

static bool
is_unicast_ip(int family, const uint8_t *a)
{
	static const uint8_t zero[16];

	if (family == AF_INET)
		return a[0] != 0 && a[0] < 224;
	return a[0] != 0xff && memcmp(a, zero, 16) != 0;
}

static void
count_address(struct party *p, const struct view *v, const uint8_t *addr)
{
	uint32_t h = 0;

	if (v->family == 0 || !is_unicast_ip(v->family, addr))
		return;
	for (size_t i = 0; i < v->addr_len; i++)
		h = (h ^ addr[i]) * 0x01000193u;
	p->addresses |= UINT64_C(1) << ((h ^ h >> 16) & 63);
}

/* Systems begin with 64, 128 or 255: a packet that has less has come through a router. */
static bool
is_forwarded(uint8_t hops)
{
	return hops != 64 && hops != 128 && hops != 255;
}

static void
count_sender(struct party *s, const struct core_frame *f, const struct view *v)
{
	s->client += client_sign(v, false);
	count_address(s, v, v->src);
	if (v->family == 0)
		return;
	if (v->frame_len < SHORTEST_FRAME) {
		s->bare += f->len == v->frame_len;
		s->padded += f->len == SHORTEST_FRAME;
	}
	/* Few are left to traceroute's, and to what stays on the link. */
	if (v->hops >= MANY_HOPS) {
		s->sent++;
		s->forwarded += is_forwarded(v->hops);
	}
}

static void
count_receiver(struct party *d, const struct view *v)
{
	d->frames++;
	d->client += client_sign(v, true);
	count_address(d, v, v->dst);
}

static bool
is_router(const struct party *p)
{
	return p->forwarded * 2 > p->sent;
}

static bool
is_more_host_like(const struct party *a, const struct party *b)
{
	unsigned a_has = (unsigned)__builtin_popcountll(a->addresses);
	unsigned b_has = (unsigned)__builtin_popcountll(b->addresses);

	if (is_router(a) != is_router(b))
		return is_router(b);
	if (a->bare != 0 && b->bare == 0 && b->padded != 0)
		return true;
	if (b->bare != 0 && a->bare == 0 && a->padded != 0)
		return false;
	if (a_has != 0 && b_has >= a_has * MANY_MORE)
		return true;
	if (b_has != 0 && a_has >= b_has * MANY_MORE)
		return false;
	return a->client > b->client || (a->client == b->client && a_has < b_has);
}

static const struct party *
most_host_like(const struct parties *p)
{
	const struct party *best = NULL;
	uint32_t most = 0;

	for (unsigned i = 0; i < p->count; i++)
		if (p->list[i].frames > most)
			most = p->list[i].frames;
	for (unsigned i = 0; i < p->count; i++) {
		const struct party *c = &p->list[i];

		if (c->frames * 10 < most * 9 || (c->frames == 0 && c->client == 0))
			continue;
		if (best == NULL || is_more_host_like(c, best))
			best = c;
	}
	return best;
}

void
add_address(struct host_identity *h, int family, const uint8_t *addr)
{
	size_t len = family == AF_INET ? 4 : 16;

	for (unsigned i = 0; i < h->address_count; i++)
		if (h->addresses[i].family == family && memcmp(h->addresses[i].addr, addr, len) == 0)
			return;
	if (h->address_count == HOST_ADDRESSES)
		return;
	h->addresses[h->address_count].family = family;
	memcpy(h->addresses[h->address_count].addr, addr, len);
	h->address_count++;
}

static void
addresses_of_lladdr(const struct core_frame *f, size_t count, struct host_identity *h)
{
	struct view v;

	for (size_t i = 0; i < count; i++) {
		if (f[i].caplen < 14)
			continue;
		look(CORE_LINK_ETHERNET, &f[i], &v);
		if (v.family == 0)
			continue;
		if (memcmp(f[i].data + 6, h->lladdr, 6) == 0 && is_unicast_ip(v.family, v.src))
			add_address(h, v.family, v.src);
		if (memcmp(f[i].data, h->lladdr, 6) == 0 && is_unicast_ip(v.family, v.dst))
			add_address(h, v.family, v.dst);
	}
}

static void
guess_ethernet(const struct core_frame *f, size_t count, struct host_identity *h)
{
	struct parties p = {.id_len = 6};
	const struct party *best;
	struct party *who;
	struct view v;

	for (size_t i = 0; i < count; i++) {
		if (f[i].caplen < 14)
			continue;
		look(CORE_LINK_ETHERNET, &f[i], &v);
		if (!(f[i].data[6] & 1) && (who = party_of(&p, f[i].data + 6)) != NULL) {
			count_sender(who, &f[i], &v);
			if (!(f[i].data[0] & 1))
				who->frames++;
		}
		if (!(f[i].data[0] & 1) && memcmp(f[i].data, f[i].data + 6, 6) != 0 &&
		    (who = party_of(&p, f[i].data)) != NULL)
			count_receiver(who, &v);
	}
	best = most_host_like(&p);
	if (best == NULL)
		return;
	h->has_lladdr = true;
	memcpy(h->lladdr, best->id, 6);
	addresses_of_lladdr(f, count, h);
}

static bool
has_address(const struct host_identity *h, int family, const uint8_t *addr)
{
	for (unsigned i = 0; i < h->address_count; i++)
		if (h->addresses[i].family == family &&
		    memcmp(h->addresses[i].addr, addr, family == AF_INET ? 4 : 16) == 0)
			return true;
	return false;
}

void
complete_host(enum core_link link, const struct core_frame *f, size_t count, struct host_identity *h)
{
	struct view v;

	if (link != CORE_LINK_ETHERNET)
		return;
	for (size_t i = 0; i < count && !h->has_lladdr; i++) {
		const uint8_t *lladdr = NULL;

		if (f[i].caplen < 14)
			continue;
		look(link, &f[i], &v);
		if (v.family != 0 && has_address(h, v.family, v.src))
			lladdr = f[i].data + 6;
		else if (v.family != 0 && !(f[i].data[0] & 1) && has_address(h, v.family, v.dst))
			lladdr = f[i].data;
		if (lladdr != NULL) {
			memcpy(h->lladdr, lladdr, 6);
			h->has_lladdr = true;
		}
	}
	if (h->address_count == 0 && h->has_lladdr)
		addresses_of_lladdr(f, count, h);
}

static bool
sent_by_host(enum core_link link, const struct core_frame *f, const struct host_identity *h)
{
	switch (link) {
	case CORE_LINK_ETHERNET:
		return h->has_lladdr && memcmp(f->data + 6, h->lladdr, 6) == 0;
	case CORE_LINK_SLL:
		return f->data[1] == COOKED_OUTGOING;
	case CORE_LINK_SLL2:
		return f->data[10] == COOKED_OUTGOING;
	default:
		return false;
	}
}

bool
new_source(enum core_link link, const struct core_frame *f, struct host_identity *h,
    struct host_address *address)
{
	struct view v;

	if (f->caplen <= link_length(link) || !sent_by_host(link, f, h))
		return false;
	look(link, f, &v);
	if (v.family == 0 || !is_unicast_ip(v.family, v.src) || has_address(h, v.family, v.src))
		return false;
	address->family = v.family;
	memcpy(address->addr, v.src, v.addr_len);
	add_address(h, v.family, v.src);
	return true;
}

static void
guess_cooked(enum core_link link, const struct core_frame *f, size_t count, struct host_identity *h)
{
	struct view v;

	for (size_t i = 0; i < count; i++) {
		unsigned type;

		look(link, &f[i], &v);
		if (v.family == 0)
			continue;
		type = link == CORE_LINK_SLL ? f[i].data[1] : f[i].data[10];
		if (type == COOKED_OUTGOING && is_unicast_ip(v.family, v.src))
			add_address(h, v.family, v.src);
		else if (type == COOKED_TO_US && is_unicast_ip(v.family, v.dst))
			add_address(h, v.family, v.dst);
	}
}

static void
guess_ip(enum core_link link, const struct core_frame *f, size_t count, int family,
    struct host_identity *h)
{
	struct parties p = {.id_len = family == AF_INET ? 4 : 16};
	const struct party *best;
	struct party *who;
	struct view v;

	for (size_t i = 0; i < count; i++) {
		look(link, &f[i], &v);
		if (v.family != family)
			continue;
		if (is_unicast_ip(family, v.src) && (who = party_of(&p, v.src)) != NULL) {
			count_sender(who, &f[i], &v);
			who->frames++;
		}
		if (is_unicast_ip(family, v.dst) && memcmp(v.src, v.dst, v.addr_len) != 0 &&
		    (who = party_of(&p, v.dst)) != NULL)
			count_receiver(who, &v);
	}
	best = most_host_like(&p);
	if (best != NULL)
		add_address(h, family, best->id);
}

void
guess_host(enum core_link link, const struct core_frame *f, size_t count, struct host_identity *h)
{
	memset(h, 0, sizeof *h);
	switch (link) {
	case CORE_LINK_ETHERNET:
		guess_ethernet(f, count, h);
		break;
	case CORE_LINK_SLL:
	case CORE_LINK_SLL2:
		guess_cooked(link, f, count, h);
		break;
	default:
		guess_ip(link, f, count, AF_INET, h);
		guess_ip(link, f, count, AF_INET6, h);
		break;
	}
}

/* ---- as text ------------------------------------------------------------------------------ */

static bool
parse_lladdr(const char *s, uint8_t *addr)
{
	unsigned b[6];
	int end = 0;

	/* sscanf takes signs and spaces too */
	if (strspn(s, "0123456789abcdefABCDEF:") != strlen(s) ||
	    sscanf(s, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
	    &end) != 6 ||
	    s[end] != '\0')
		return false;
	for (int i = 0; i < 6; i++)
		addr[i] = (uint8_t)b[i];
	return true;
}

bool
parse_host(const char *list, struct host_identity *h, char *text, size_t size)
{
	char *copy = strdup(list), *rest = copy, *s;
	bool good = copy != NULL;

	memset(h, 0, sizeof *h);
	while (good && (s = strsep(&rest, ",")) != NULL) {
		uint8_t addr[16];

		if (parse_lladdr(s, h->lladdr))
			h->has_lladdr = true;
		else if (inet_pton(AF_INET, s, addr) == 1)
			add_address(h, AF_INET, addr);
		else if (inet_pton(AF_INET6, s, addr) == 1)
			add_address(h, AF_INET6, addr);
		else
			good = false;
		if (!good)
			snprintf(text, size, "--host: '%.60s' is no address; expected 10.1.0.2, fd00::2 or "
			    "02:00:00:00:00:01, separated by commas", s);
	}
	free(copy);
	return good;
}

void
format_host(const struct host_identity *h, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	if (h->has_lladdr)
		n += (size_t)snprintf(text, size, "%02x:%02x:%02x:%02x:%02x:%02x", h->lladdr[0],
		    h->lladdr[1], h->lladdr[2], h->lladdr[3], h->lladdr[4], h->lladdr[5]);
	for (unsigned i = 0; i < h->address_count && n < size; i++) {
		char a[INET6_ADDRSTRLEN];

		inet_ntop(h->addresses[i].family, h->addresses[i].addr, a, sizeof a);
		n += (size_t)snprintf(text + n, size - n, "%s%s", n > 0 ? " " : "", a);
	}
}
