/*
 * pcapng (draft-ietf-opsawg-pcapng): sections of blocks, in the byte order that each section's header tells.
 * Interfaces differ as they like: in link type, snapshot length, resolution and offset of time stamps.
 * Packets are in enhanced (4.3), simple (4.4) and the old packet blocks (appendix A); all other kinds of
 * block are stepped over.
 *
 * libpcap reads such files as well, but only those whose interfaces are alike.
 *
 * Limits: BLOCK_MAX octets in a block, INTERFACES_MAX interfaces in a section. Seconds are taken modulo
 * 2^32, as a pcap file has them.
 */
#include "src/host/capture_pcapng.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_SECTION	0x0a0d0d0au
#define BLOCK_INTERFACE	1u
#define BLOCK_PACKET	2u
#define BLOCK_SIMPLE	3u
#define BLOCK_ENHANCED	6u
#define BYTE_ORDER_MARK	0x1a2b3c4du

#define OPTION_TSRESOL	9u
#define OPTION_TSOFFSET	14u
#define POWER_OF_2	0x80u
#define TENS_MAX	19u		/* 10^19 is the last that 64 bits hold */

#define BLOCK_MIN	12u
#define BLOCK_MAX	(16u << 20)
#define INTERFACES_MAX	65536u
#define BILLION		1000000000u

struct interface {
	uint16_t linktype;
	uint8_t resolution;		/* if_tsresol */
	uint32_t snaplen;		/* 0: none */
	int64_t offset;			/* seconds */
};

struct pcapng {
	FILE *file;
	uint64_t at;
	bool swapped;			/* the section's byte order is not the host's */
	bool in_section;
	struct interface *interfaces;
	uint32_t interface_count, interface_room;
	int first_linktype;
	uint8_t *block;			/* of the block that was read last, behind type and length */
	uint32_t room;
	char error[160];
};

struct pcapng *
pcapng_open(FILE *file)
{
	struct pcapng *n = calloc(1, sizeof *n);

	if (n == NULL)
		return NULL;
	n->file = file;
	n->first_linktype = -1;
	return n;
}

void
pcapng_close(struct pcapng *n)
{
	if (n == NULL)
		return;
	free(n->interfaces);
	free(n->block);
	free(n);
}

const char *
pcapng_error(const struct pcapng *n)
{
	return n->error[0] != '\0' ? n->error : NULL;
}

int
pcapng_first_linktype(const struct pcapng *n)
{
	return n->first_linktype;
}

uint64_t
pcapng_offset(const struct pcapng *n)
{
	return n->at;
}

/* ---- numbers -------------------------------------------------------------------------------- */

static uint16_t
get16(const struct pcapng *n, const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return n->swapped ? __builtin_bswap16(v) : v;
}

static uint32_t
get32(const struct pcapng *n, const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return n->swapped ? __builtin_bswap32(v) : v;
}

static uint64_t
get64(const struct pcapng *n, const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return n->swapped ? __builtin_bswap64(v) : v;
}

static bool
damaged(struct pcapng *n, const char *what, unsigned long number, const char *expected)
{
	snprintf(n->error, sizeof n->error, "%s %lu; expected %s", what, number, expected);
	return false;
}

/* ---- blocks --------------------------------------------------------------------------------- */

/* False at the end of the file as well, if nothing of it is there. */
static bool
read_exactly(struct pcapng *n, void *to, size_t len, bool may_end)
{
	size_t got = fread(to, 1, len, n->file);

	n->at += got;
	if (got == len)
		return true;
	if (ferror(n->file))
		snprintf(n->error, sizeof n->error, "cannot be read");
	else if (got != 0 || !may_end)
		snprintf(n->error, sizeof n->error, "cut off: %zu octets of %zu are there", got, len);
	return false;
}

/* What a section's header says of the byte order stands behind its length. */
static bool
read_section_order(struct pcapng *n, uint8_t mark[4])
{
	uint32_t v;

	if (!read_exactly(n, mark, 4, false))
		return false;
	memcpy(&v, mark, sizeof v);
	n->swapped = v == __builtin_bswap32(BYTE_ORDER_MARK);
	if (v != BYTE_ORDER_MARK && !n->swapped)
		return damaged(n, "a section in byte order", v, "1a2b3c4d, either way round");
	n->in_section = true;
	n->interface_count = 0;
	return true;
}

/* The body of the next block is in n->block: `*len` octets, a multiple of four. */
static bool
read_block(struct pcapng *n, uint32_t *type, uint32_t *len)
{
	uint8_t head[8], mark[4], *grown;
	uint32_t total, have = 0;

	if (!read_exactly(n, head, sizeof head, true))
		return false;
	memcpy(type, head, sizeof *type);	/* a section's is the same either way round */
	if (*type == BLOCK_SECTION) {
		if (!read_section_order(n, mark))
			return false;
		have = sizeof mark;
	} else if (!n->in_section) {
		return damaged(n, "a file that begins with block", *type, "a section");
	}
	*type = get32(n, head);
	total = get32(n, head + 4);
	if (total < BLOCK_MIN + have || total > BLOCK_MAX || total % 4 != 0)
		return damaged(n, "a block of length", total, "a multiple of 4, from 12 to 16777216");
	*len = total - BLOCK_MIN;
	if (*len + 4 > n->room) {
		grown = realloc(n->block, *len + 4);
		if (grown == NULL)
			return damaged(n, "no memory for a block of length", total, "less");
		n->block = grown;
		n->room = *len + 4;
	}
	memcpy(n->block, mark, have);
	if (!read_exactly(n, n->block + have, *len + 4 - have, false))
		return false;
	if (get32(n, n->block + *len) != total)
		return damaged(n, "a block that ends with length", get32(n, n->block + *len),
		    "the one that it begins with");
	return true;
}

/* ---- interfaces ----------------------------------------------------------------------------- */

static bool
read_interface_options(struct pcapng *n, struct interface *i, const uint8_t *p, uint32_t len)
{
	while (len >= 4) {
		uint32_t kind = get16(n, p), size = get16(n, p + 2), padded = (size + 3) & ~3u;

		if (kind == 0)
			break;
		if (padded > len - 4)
			return damaged(n, "an interface with an option of length", size, "one that fits");
		if (kind == OPTION_TSRESOL && size >= 1)
			i->resolution = p[4];
		else if (kind == OPTION_TSOFFSET && size >= 8)
			i->offset = (int64_t)get64(n, p + 4);
		p += 4 + padded;
		len -= 4 + padded;
	}
	if ((i->resolution & POWER_OF_2 ? i->resolution & 0x7fu : i->resolution) >
	    (i->resolution & POWER_OF_2 ? 63u : TENS_MAX))
		return damaged(n, "an interface with if_tsresol", i->resolution, "0 to 19, or 128 to 191");
	return true;
}

static bool
read_interface(struct pcapng *n, uint32_t len)
{
	struct interface *grown, *i;
	uint32_t room = n->interface_room != 0 ? n->interface_room * 2 : 4;

	if (len < 8)
		return damaged(n, "an interface in octets:", len, "8 at least");
	if (n->interface_count == n->interface_room) {
		grown = n->interface_count < INTERFACES_MAX ?
		    realloc(n->interfaces, room * sizeof *grown) : NULL;
		if (grown == NULL)
			return damaged(n, "interface", n->interface_count, "65536 at most, and memory");
		n->interfaces = grown;
		n->interface_room = room;
	}
	i = &n->interfaces[n->interface_count];
	*i = (struct interface){.linktype = get16(n, n->block), .resolution = 6,
	    .snaplen = get32(n, n->block + 4)};
	if (!read_interface_options(n, i, n->block + 8, len - 8))
		return false;
	if (n->first_linktype < 0)
		n->first_linktype = i->linktype;
	n->interface_count++;
	return true;
}

static uint64_t
to_ns(const struct interface *i, uint64_t ticks)
{
	uint64_t seconds, ns, second = 1;

	if (i->resolution & POWER_OF_2) {
		unsigned bits = i->resolution & 0x7fu;

		seconds = ticks >> bits;
		ns = (uint64_t)(((__uint128_t)(ticks & ((UINT64_C(1) << bits) - 1)) * BILLION) >> bits);
	} else {
		for (unsigned k = 0; k < i->resolution; k++)
			second *= 10;
		seconds = ticks / second;
		ns = (uint64_t)((__uint128_t)(ticks % second) * BILLION / second);
	}
	return (uint64_t)(uint32_t)(seconds + (uint64_t)i->offset) * BILLION + ns;
}

/* ---- packets -------------------------------------------------------------------------------- */

/* Where a packet block has what; the simple one has hardly anything. */
static bool
read_packet(struct pcapng *n, uint32_t type, uint32_t len, struct core_frame *f, unsigned *linktype)
{
	const uint32_t head = type == BLOCK_SIMPLE ? 4 : 20;
	const struct interface *i;
	uint32_t number = 0;

	if (len < head)
		return damaged(n, "a packet in octets:", len, "a block's head at least");
	if (type != BLOCK_SIMPLE)
		number = type == BLOCK_PACKET ? get16(n, n->block) : get32(n, n->block);
	if (number >= n->interface_count)
		return damaged(n, "a packet of interface", number, "one that has been described");
	i = &n->interfaces[number];
	*f = (struct core_frame){.data = n->block + head};
	if (type == BLOCK_SIMPLE) {
		f->len = f->caplen = get32(n, n->block);
		if (i->snaplen != 0 && f->caplen > i->snaplen)
			f->caplen = i->snaplen;
	} else {
		f->time_ns = to_ns(i, (uint64_t)get32(n, n->block + 4) << 32 | get32(n, n->block + 8));
		f->caplen = get32(n, n->block + 12);
		f->len = get32(n, n->block + 16);
	}
	if (f->caplen > len - head)
		return damaged(n, "a packet captured in octets:", f->caplen, "what fits its block");
	if (f->len < f->caplen)
		f->len = f->caplen;
	*linktype = i->linktype;
	return true;
}

bool
pcapng_next(struct pcapng *n, struct core_frame *f, unsigned *linktype)
{
	uint32_t type, len;

	while (n->error[0] == '\0' && read_block(n, &type, &len)) {
		switch (type) {
		case BLOCK_SECTION:
			if (len < 16 || get16(n, n->block + 4) != 1)
				return damaged(n, "a section of version",
				    len < 16 ? 0 : get16(n, n->block + 4), "1");
			break;
		case BLOCK_INTERFACE:
			if (!read_interface(n, len))
				return false;
			break;
		case BLOCK_PACKET:
		case BLOCK_SIMPLE:
		case BLOCK_ENHANCED:
			return read_packet(n, type, len, f, linktype);
		default:
			break;
		}
	}
	return false;
}
