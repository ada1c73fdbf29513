/*
 * Dealing frames out to machines by flow. All frames of a flow (addresses and ports; fragments by what
 * their first one said, or by addresses alone when it comes later than another) go to the same machine,
 * frames that are not IP to the first.
 */
#include "src/host/replay_deal.h"

#include <stdlib.h>
#include <string.h>

#define FRAGMENTS	4096u		/* datagrams in pieces that are remembered; a power of two */
#define FRAGMENT_WAYS	4u		/* places where one may be */
#define FRAGMENT_LIFE	8192u		/* frames after which a datagram is forgotten */

/* A datagram in pieces: where they go. */
struct pieces {
	uint64_t key;
	uint32_t flow;
	uint64_t number;		/* of the frame that made the entry; 0: unused */
	bool by_first;			/* which had the ports */
};

struct dealer {
	enum core_link link;
	unsigned machines;
	uint64_t number;		/* of the frame being dealt out */
	struct pieces fragments[FRAGMENTS];
};

struct dealer *
dealer_create(enum core_link link, unsigned machines)
{
	struct dealer *d = calloc(1, sizeof *d);

	if (d == NULL)
		return NULL;
	d->link = link;
	d->machines = machines;
	return d;
}

void
dealer_destroy(struct dealer *d)
{
	free(d);
}

static uint32_t
mix(uint32_t h)
{
	h ^= h >> 16;
	h *= 0x7feb352du;
	h ^= h >> 15;
	h *= 0x846ca68bu;
	return h ^ h >> 16;
}

static uint64_t
add_key(uint64_t key, uint32_t w)
{
	key = (key ^ w) * UINT64_C(0x9e3779b97f4a7c15);
	return key ^ key >> 29;
}

static uint32_t
word(const uint8_t *p)
{
	uint32_t w;

	memcpy(&w, p, sizeof w);
	return w;
}

/* The same for both directions. */
static uint32_t
ports_hash(const uint8_t *transport, size_t len, uint8_t protocol)
{
	if (len < 4 || (protocol != 6 && protocol != 17))
		return 0;
	return mix((uint32_t)transport[0] << 8 | transport[1]) +
	    mix((uint32_t)transport[2] << 8 | transport[3]);
}

/* The entry for `key`, or the one to use for it. */
static struct pieces *
find_pieces(struct dealer *d, uint64_t key)
{
	struct pieces *set = &d->fragments[key >> 32 & (FRAGMENTS - 1) & ~(FRAGMENT_WAYS - 1)];
	struct pieces *oldest = set;

	for (unsigned i = 0; i < FRAGMENT_WAYS; i++) {
		if (set[i].key == key && set[i].number != 0)
			return &set[i];
		if (set[i].number < oldest->number)
			oldest = &set[i];
	}
	return oldest;
}

/* All pieces of a datagram must meet, in whatever order they come. */
static uint32_t
fragment_flow(struct dealer *d, uint64_t key, uint32_t addresses, bool first, uint32_t ports)
{
	struct pieces *e = find_pieces(d, key);
	bool known = e->key == key && e->number != 0 && d->number - e->number < FRAGMENT_LIFE;

	/* A second first fragment begins a datagram that happens to have the same identification. */
	if (!known || (first && e->by_first)) {
		e->key = key;
		e->flow = first ? addresses + ports : addresses;
		e->number = d->number;
	}
	e->by_first |= first;
	if (!known)
		e->by_first = first;
	return e->flow;
}

static uint32_t
flow4(struct dealer *d, const uint8_t *net, size_t len)
{
	size_t hl = (size_t)(net[0] & 0xf) * 4;
	uint32_t addresses = mix(word(net + 12)) + mix(word(net + 16));
	unsigned off = (unsigned)(net[6] & 0x1f) << 8 | net[7];
	uint32_t ports = off == 0 && hl < len ? ports_hash(net + hl, len - hl, net[9]) : 0;
	uint64_t key;

	if (off == 0 && !(net[6] & 0x20))
		return addresses + ports;
	key = add_key(add_key(net[9], word(net + 12)), word(net + 16));
	return fragment_flow(d, add_key(key, (uint32_t)net[4] << 8 | net[5]), addresses, off == 0, ports);
}

static uint32_t
flow6(struct dealer *d, const uint8_t *net, size_t len)
{
	uint32_t addresses = 0, ports;
	uint64_t key = 0;
	size_t off = 40;
	uint8_t next = net[6];

	for (int i = 0; i < 16; i += 4) {
		addresses += mix(word(net + 8 + i) + (uint32_t)i) + mix(word(net + 24 + i) + (uint32_t)i);
		key = add_key(add_key(key, word(net + 8 + i)), word(net + 24 + i));
	}
	while ((next == 0 || next == 43 || next == 60) && off + 8 <= len) {
		next = net[off];
		off += ((size_t)net[off + 1] + 1) * 8;
	}
	if (next != 44 || off + 8 > len)
		return addresses + (off < len ? ports_hash(net + off, len - off, next) : 0);
	ports = ports_hash(net + off + 8, len - off - 8, net[off]);
	return fragment_flow(d, add_key(key, word(net + off + 4)), addresses,
	    ((unsigned)net[off + 2] << 8 | (net[off + 3] & 0xf8)) == 0, ports);
}

/* VLAN 0: the machines' Ethernet takes such a tag out, so the flow is that of frames without one. */
static bool
priority_tagged(const uint8_t *frame)
{
	return frame[12] == 0x81 && frame[13] == 0 && (frame[14] & 0xf) == 0 && frame[15] == 0;
}

unsigned
dealer_machine(struct dealer *d, const struct core_frame *f)
{
	static const uint8_t header[] = {[CORE_LINK_ETHERNET] = 14, [CORE_LINK_RAW] = 0,
	    [CORE_LINK_NULL] = 4, [CORE_LINK_LOOP] = 4, [CORE_LINK_SLL] = 16, [CORE_LINK_SLL2] = 20};
	const uint8_t *net = f->data + header[d->link];
	size_t len;

	d->number = f->number;
	if (f->caplen < (size_t)header[d->link] + 20)
		return 0;
	len = f->caplen - header[d->link];
	if (d->link == CORE_LINK_ETHERNET) {
		if (len >= 24 && priority_tagged(f->data)) {
			net += 4;
			len -= 4;
		}
		if (net[-2] != 0x08 && net[-2] != 0x86)
			return 0;
	}
	if (net[0] >> 4 == 4)
		return mix(flow4(d, net, len)) % d->machines;
	if (net[0] >> 4 == 6 && len >= 40)
		return mix(flow6(d, net, len)) % d->machines;
	return 0;
}
