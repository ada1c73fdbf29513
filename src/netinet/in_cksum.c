/*
 * The Internet checksum (RFC 1071). Called by the protocols, the KPI and whoever builds packets.
 *
 * Sums are kept in memory order: 16-bit words are added as they lie in memory, so that the result can be
 * stored as it is on any machine (RFC 1071 section 2 (B)). Words are added into 64-bit lanes, which
 * cannot overflow for any length that a packet can have, and folded once at the end.
 */
#include <string.h>

#include "src/netinet/ip_private.h"

typedef uint64_t lanes __attribute__((vector_size(16)));

static inline lanes
load(const uint8_t *p)
{
	lanes v;

	__builtin_memcpy(&v, p, sizeof v);
	return v;
}

static inline uint16_t
fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The sum over flat memory; not folded, less than 2^62. */
static uint64_t
sum_flat(const void *data, size_t len)
{
	const lanes low = {0xffffffff, 0xffffffff};
	const uint8_t *p = data;
	lanes a = {0, 0}, b = {0, 0};
	uint64_t sum, word;

	for (; len >= 32; len -= 32, p += 32) {
		lanes v = load(p), w = load(p + 16);

		a += (v & low) + (v >> 32);
		b += (w & low) + (w >> 32);
	}
	a += b;
	sum = a[0] + a[1];
	for (; len >= 8; len -= 8, p += 8) {
		__builtin_memcpy(&word, p, 8);
		sum += (word & 0xffffffff) + (word >> 32);
	}
	if (len != 0) {
		word = 0;
		memcpy(&word, p, len);
		sum += (word & 0xffffffff) + (word >> 32);
	}
	return sum;
}

uint16_t
in_cksum_sum(const struct mbuf *m, size_t off, size_t len, uint32_t initial)
{
	uint64_t sum = initial;
	bool odd = false;

	while (m != NULL && off >= (size_t)m->m_len) {
		off -= (size_t)m->m_len;
		m = m->m_next;
	}
	for (; m != NULL && len != 0; m = m->m_next, off = 0) {
		size_t part = (size_t)m->m_len - off;
		uint64_t piece;

		if (part > len)
			part = len;
		piece = sum_flat(m->m_data + off, part);
		/* A piece that begins in the middle of a word has its bytes the other way round. */
		sum += odd ? __builtin_bswap16(fold(piece)) : piece;
		odd ^= part & 1;
		len -= part;
	}
	return fold(sum);
}

uint16_t
in_cksum_part(const struct mbuf *m, size_t off, size_t len)
{
	return (uint16_t)~in_cksum_sum(m, off, len, 0);
}

uint16_t
in_cksum_buf(const void *data, size_t len)
{
	return (uint16_t)~fold(sum_flat(data, len));
}

/* ---- pseudo headers ----------------------------------------------------------------------- */

static uint32_t
halves(uint32_t word)
{
	return (word & 0xffff) + (word >> 16);
}

/* RFC 793 section 3.1, RFC 768: addresses, zero, protocol, length. */
uint32_t
in_pseudo(struct in_addr src, struct in_addr dst, uint8_t proto, uint32_t len)
{
	return halves(src.s_addr) + halves(dst.s_addr) + htons(proto) + halves(htonl(len));
}

/*
 * Interface fact: while a packet is in the stack, link-local addresses carry the number of their
 * interface in bytes 2 and 3, which are zero on the wire.
 */
static uint32_t
sum_in6(const struct in6_addr *addr)
{
	const uint8_t *b = addr->s6_addr;
	bool scoped = (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) ||
	    (b[0] == 0xff && ((b[1] & 0x0f) == 1 || (b[1] & 0x0f) == 2));
	uint16_t first;

	if (!scoped)
		return fold(sum_flat(b, 16));
	memcpy(&first, b, sizeof first);
	return fold(first + sum_flat(b + 4, 12));
}

/* RFC 8200 section 8.1. */
uint32_t
in6_pseudo(const struct in6_addr *src, const struct in6_addr *dst, uint8_t proto, uint32_t len)
{
	return sum_in6(src) + sum_in6(dst) + htons(proto) + halves(htonl(len));
}
