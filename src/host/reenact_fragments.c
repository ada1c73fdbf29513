/*
 * Fragments of captured datagrams put together, to know what a reader is to get and what a writer wrote.
 * The machine puts together what arrives by itself; this only knows when it must have done so. Owned by
 * reenact.c.
 *
 * A datagram is whole when its last fragment is there and as many octets as it says; one with overlaps is
 * given up, as RFC 5722 asks for and RFC 791's receivers may.
 *
 * Limits: DATAGRAMS at a time, the oldest makes room for a new one; PIECES fragments of one.
 */
#include <stdlib.h>

#include "src/host/reenact_fragments.h"

#define DATAGRAMS	64u
#define PIECES		64u
#define PAYLOAD_MAX	65535u
#define HEADER_MAX	40u		/* in front of a whole datagram */

struct datagram {
	uint64_t used;			/* when, by number of frame; 0: free */
	uint8_t version, protocol;
	uint8_t src[16], dst[16];
	uint32_t ident;
	struct {
		uint32_t from, to;
	} pieces[PIECES];
	unsigned count;
	bool bad;
	uint32_t have, total;		/* octets; total 0: not known */
	uint8_t *bytes;			/* HEADER_MAX and then the payload */
};

struct fragments {
	struct datagram datagrams[DATAGRAMS];
};

struct fragments *
fragments_create(void)
{
	return calloc(1, sizeof(struct fragments));
}

void
fragments_destroy(struct fragments *all)
{
	if (all == NULL)
		return;
	for (unsigned i = 0; i < DATAGRAMS; i++)
		free(all->datagrams[i].bytes);
	free(all);
}

static struct datagram *
find(struct fragments *all, const struct packet *k)
{
	uint32_t len = packet_address_len(k->version);
	struct datagram *oldest = &all->datagrams[0];
	uint8_t *bytes;

	for (unsigned i = 0; i < DATAGRAMS; i++) {
		struct datagram *d = &all->datagrams[i];

		if (d->used != 0 && d->ident == k->ident && d->version == k->version &&
		    d->protocol == k->protocol && memcmp(d->src, k->src, len) == 0 &&
		    memcmp(d->dst, k->dst, len) == 0)
			return d;
		if (d->used < oldest->used)
			oldest = d;
	}
	bytes = oldest->bytes != NULL ? oldest->bytes : malloc(HEADER_MAX + PAYLOAD_MAX);
	memset(oldest, 0, sizeof *oldest);
	oldest->bytes = bytes;
	if (bytes == NULL)
		return NULL;
	oldest->version = k->version;
	oldest->protocol = k->protocol;
	oldest->ident = k->ident;
	memcpy(oldest->src, k->src, len);
	memcpy(oldest->dst, k->dst, len);
	return oldest;
}

/* False: it cannot be part of a good datagram, or has been seen (then nothing is bad). */
static bool
take_piece(struct datagram *d, const struct packet *k, uint32_t from, uint32_t to)
{
	if (to > PAYLOAD_MAX || (k->more && (to & 7) != 0) || d->count == PIECES ||
	    (d->total != 0 && to > d->total)) {
		d->bad = true;
		return false;
	}
	for (unsigned i = 0; i < d->count; i++) {
		if (d->pieces[i].from == from && d->pieces[i].to == to)
			return false;
		if (from < d->pieces[i].to && to > d->pieces[i].from) {
			d->bad = true;
			return false;
		}
	}
	d->pieces[d->count].from = from;
	d->pieces[d->count++].to = to;
	d->have += to - from;
	if (!k->more)
		d->total = to;
	return true;
}

static void
make_whole(const struct datagram *d, const struct packet *k, struct packet *whole)
{
	uint8_t *net = d->bytes + HEADER_MAX - (k->version == 4 ? 20 : 40);

	*whole = *k;
	whole->header_len = k->version == 4 ? 20 : 40;
	whole->net = net;
	whole->net_len = whole->net_captured = whole->header_len + d->total;
	memset(net, 0, whole->header_len);
	if (k->version == 4) {
		uint16_t sum;

		net[0] = 0x45;
		put16(net + 2, whole->net_len);
		put16(net + 4, k->ident);
		net[8] = k->net[8];
		net[9] = k->protocol;
		memcpy(net + 12, d->src, 4);
		memcpy(net + 16, d->dst, 4);
		sum = packet_sum_fold(packet_sum(net, 20, 0));
		memcpy(net + 10, &sum, 2);
		whole->src = net + 12;
		whole->dst = net + 16;
	} else {
		net[0] = 0x60;
		put16(net + 4, d->total);
		net[6] = k->protocol;
		net[7] = k->net[7];
		memcpy(net + 8, d->src, 16);
		memcpy(net + 24, d->dst, 16);
		whole->src = net + 8;
		whole->dst = net + 24;
	}
	whole->offset = 0;
	whole->more = false;
	packet_parse_transport(whole);
}

unsigned
fragments_add(struct fragments *all, const struct packet *k, struct packet *whole)
{
	uint32_t len = k->net_len - k->header_len, there = k->net_captured - k->header_len;
	struct datagram *d = find(all, k);

	if (d == NULL)
		return 0;
	d->used = k->number;
	if (d->bad || len == 0 || !take_piece(d, k, k->offset, k->offset + len))
		return 0;
	memcpy(d->bytes + HEADER_MAX + k->offset, k->net + k->header_len, there);
	memset(d->bytes + HEADER_MAX + k->offset + there, 0, len - there);
	if (d->total == 0 || d->have != d->total || d->total + 40 > UINT16_MAX)
		return 0;
	d->used = 0;
	make_whole(d, k, whole);
	return d->count;
}
