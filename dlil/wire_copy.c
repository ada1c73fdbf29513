/*
 * What a wire carries: the sender's frame as a copy in mbufs of the receiving machine.
 *
 * Where the sender left the transport's checksum to the interface, it is made in the same pass over the data,
 * as a card does it, and the copy is marked as verified: so each octet is looked at once on its way. Whatever
 * the wire changes afterwards takes the mark back (wire_way.c), and so does a filter at the receiver.
 */
#include <string.h>

#include "dlil/dlil_state.h"
#include "dlil/wire.h"

typedef uint64_t lanes __attribute__((vector_size(16)));

static inline uint16_t
fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* memcpy; the ones' complement sum of the octets as words in memory order, folded. */
static uint16_t
copy_and_sum(char *to, const char *from, size_t len)
{
	const lanes low = {0xffffffff, 0xffffffff};
	lanes a = {0, 0}, b = {0, 0}, v, w;
	uint64_t sum, word;

	for (; len >= 32; len -= 32, from += 32, to += 32) {
		__builtin_memcpy(&v, from, 16);
		__builtin_memcpy(&w, from + 16, 16);
		__builtin_memcpy(to, &v, 16);
		__builtin_memcpy(to + 16, &w, 16);
		a += (v & low) + (v >> 32);
		b += (w & low) + (w >> 32);
	}
	a += b;
	sum = a[0] + a[1];
	for (; len >= 8; len -= 8, from += 8, to += 8) {
		__builtin_memcpy(&word, from, 8);
		__builtin_memcpy(to, &word, 8);
		sum += (word & 0xffffffff) + (word >> 32);
	}
	word = 0;
	memcpy(&word, from, len);
	memcpy(to, from, len);
	sum += (word & 0xffffffff) + (word >> 32);
	return fold(sum);
}

/* The frame into `to`, which has room for it, in one piece. */
static void
copy_summed(struct mbuf *to, struct mbuf *m, const struct unsummed *u)
{
	uint64_t sum = u->pseudo;
	size_t skip = u->transport, done = skip;
	uint16_t part;
	bool odd = false;

	memset(m->m_data + u->field, 0, sizeof part);
	memcpy(to->m_data, m->m_data, u->transport);
	for (; m != NULL; m = m->m_next, skip = 0) {
		size_t len = (size_t)m->m_len - skip;

		part = copy_and_sum(to->m_data + done, m->m_data + skip, len);
		/* A piece that begins in the middle of a word has its octets the other way round. */
		sum += odd ? __builtin_bswap16(part) : part;
		odd ^= len & 1;
		done += len;
	}
	part = (uint16_t)~fold(sum);
	if (u->udp && part == 0)
		part = 0xffff;
	memcpy(to->m_data + u->field, &part, sizeof part);
	to->m_pkthdr.csum_flags = MBUF_CSUM_DID_DATA | MBUF_CSUM_PSEUDO_HDR;
	to->m_pkthdr.csum_data = 0xffff;
}

static void
copy_plain(struct mbuf *to, const struct mbuf *m)
{
	size_t off = 0;

	for (; to != NULL; to = to->m_next) {
		(void)m_copydata(m, off, (size_t)to->m_len, to->m_data);
		off += (size_t)to->m_len;
	}
}

struct mbuf *
wire_copy(const struct wire_end *e, struct mbuf *m, size_t len)
{
	uint32_t left = m->m_pkthdr.csum_flags & (HOST_IFACE_UNSUMMED | CSUM_TSO4 | CSUM_TSO6);
	size_t lead = (4 - (e->ifp->hdrlen & 3u)) & 3u;
	struct unsummed u;
	struct mbuf *to;

	if (left == 0 && m->m_next == NULL)
		return m_devget(e->machine, m->m_data, len, lead);
	to = m_devget(e->machine, NULL, len, lead);
	if (to == NULL)
		return NULL;
	if ((left & HOST_IFACE_UNSUMMED) && !e->wire->params.offload && to->m_next == NULL &&
	    host_iface_unsummed(e->ifp, m, &u)) {
		copy_summed(to, m, &u);
		return to;
	}
	copy_plain(to, m);
	to->m_pkthdr.csum_flags = left;
	to->m_pkthdr.tso_segsz = m->m_pkthdr.tso_segsz;
	return to;
}
