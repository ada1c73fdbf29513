/*
 * Comparing packets with what was captured: a packet with its frame, a datagram with the frames that its
 * fragments came in. Called by replay_fate.c.
 */
#include <netinet/in.h>
#include <string.h>

#include "dlil/replay_impl.h"

#define IP6_HEADERS_MAX	1024u		/* of a fragment, up to its payload */

bool
replay_same_bytes(const struct mbuf *m, size_t off, const uint8_t *bytes, size_t len)
{
	while (m != NULL && off >= (size_t)m->m_len) {
		off -= (size_t)m->m_len;
		m = m->m_next;
	}
	while (len > 0) {
		size_t n;

		if (m == NULL)
			return false;
		n = (size_t)m->m_len - off;
		if (n > len)
			n = len;
		if (memcmp(m->m_data + off, bytes, n) != 0)
			return false;
		bytes += n;
		len -= n;
		off = 0;
		m = m->m_next;
	}
	return true;
}

/* Length of the IP packet in a frame's payload: less than the payload when the link padded it. */
static uint32_t
ip_length(const uint8_t *net, uint32_t len)
{
	uint32_t n = len;

	if (len >= 20 && net[0] >> 4 == 4)
		n = (uint32_t)net[2] << 8 | net[3];
	else if (len >= 40 && net[0] >> 4 == 6)
		n = 40 + ((uint32_t)net[4] << 8 | net[5]);
	return n < len ? n : len;
}

/* From `off` on the packet is the frame's payload; padding may be gone. */
static bool
same_frame(const struct pkt_origin *o, const struct mbuf *m, uint32_t off)
{
	const uint8_t *net = o->raw + o->link_len;
	uint32_t len = o->caplen - o->link_len;
	uint32_t now = (uint32_t)m->m_pkthdr.len - off;

	return (now == len || now == ip_length(net, len)) && replay_same_bytes(m, off, net, now);
}

/* ---- comparing datagrams with their fragments --------------------------------------------- */

/* A captured fragment. */
struct piece {
	const uint8_t *net;		/* IP header */
	uint32_t header;		/* up to the payload of IPv4, to the fragment header of IPv6 */
	uint32_t named_at;		/* IPv6: the byte that names the fragment header */
	const uint8_t *payload;
	uint32_t off, len;
};

static bool
piece4(struct piece *p, uint32_t len)
{
	if (len < 20 || (uint32_t)(p->net[0] & 0xf) * 4 > len)
		return false;
	p->header = (uint32_t)(p->net[0] & 0xf) * 4;
	p->payload = p->net + p->header;
	p->len = len - p->header;
	p->off = ((uint32_t)(p->net[6] & 0x1f) << 8 | p->net[7]) * 8;
	return true;
}

static bool
piece6(struct piece *p, uint32_t len)
{
	uint32_t off = 40;

	if (len < 48)
		return false;
	p->named_at = 6;
	while (p->net[p->named_at] != IPPROTO_FRAGMENT) {
		uint8_t next = p->net[p->named_at];

		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS)
			return false;
		p->named_at = off;
		off += ((uint32_t)p->net[off + 1] + 1) * 8;
		if (off + 8 > len)
			return false;
	}
	p->header = off;
	p->payload = p->net + off + 8;
	p->len = len - off - 8;
	p->off = (uint32_t)p->net[off + 2] << 8 | (p->net[off + 3] & 0xf8);
	return true;
}

/* False when the frame is none, or its copy is missing. */
static bool
piece_of(const struct pkt_origin *o, struct piece *p)
{
	uint32_t len;

	if (o->raw == NULL)
		return false;
	p->net = o->raw + o->link_len;
	len = ip_length(p->net, o->caplen - o->link_len);
	return len > 0 && (p->net[0] >> 4 == 4 ? piece4(p, len) : piece6(p, len));
}

/* The traffic class, but not the two bits of ECN: reassembly takes those from all fragments. */
static bool
same_class(const struct mbuf *m, const uint8_t *net)
{
	uint8_t now[2];
	uint8_t mask = net[0] >> 4 == 4 ? 0xfc : 0xcf;

	return m_copydata(m, 0, 2, now) == 0 && now[0] == net[0] && (now[1] & mask) == (net[1] & mask);
}

/* The headers of the first fragment, without what says that it is one. */
static bool
same_header(const struct mbuf *m, const struct piece *p)
{
	const uint8_t *net = p->net;

	if (!same_class(m, net))
		return false;
	if (net[0] >> 4 == 4)
		return replay_same_bytes(m, 4, net + 4, 2) &&
		    replay_same_bytes(m, 6, (const uint8_t[2]){0, 0}, 2) &&
		    replay_same_bytes(m, 8, net + 8, 2) && replay_same_bytes(m, 12, net + 12, p->header - 12);
	return replay_same_bytes(m, 2, net + 2, 2) && replay_same_bytes(m, p->named_at, net + p->header, 1) &&
	    (p->named_at == 6 || replay_same_bytes(m, 6, net + 6, 1)) &&
	    (p->named_at <= 40 || replay_same_bytes(m, 40, net + 40, p->named_at - 40)) &&
	    replay_same_bytes(m, 7, net + 7, 33) && (p->named_at < 40 ||
	    replay_same_bytes(m, p->named_at + 1, net + p->named_at + 1, p->header - p->named_at - 1));
}

static bool
same_datagram(const struct pkt_origin *o, const struct mbuf *m)
{
	struct piece first, p;
	uint32_t end = 0, before = UINT32_MAX;

	/* The chain is in order of offset; a duplicate, which reassembly ignored, follows its like. */
	if (!piece_of(o, &first) || first.off != 0 || !same_header(m, &first))
		return false;
	for (; o != NULL; o = o->join) {
		if (!piece_of(o, &p))
			return false;
		if (p.off == before)
			continue;
		before = p.off;
		end = first.header + p.off + p.len;
		if (!replay_same_bytes(m, first.header + p.off, p.payload, p.len))
			return false;
	}
	return (uint32_t)m->m_pkthdr.len == end;
}

bool
replay_same_packet(const struct pkt_origin *o, const struct mbuf *m, uint32_t off)
{
	struct piece p;

	if (o->join != NULL)
		return same_datagram(o, m);
	if (o->raw == NULL)
		return false;
	/* An IPv6 fragment that is all of its datagram loses its header as well (RFC 6946). */
	return same_frame(o, m, off) || (off == 0 && o->raw[o->link_len] >> 4 == 6 &&
	    piece_of(o, &p) && same_datagram(o, m));
}

/* ---- identification ----------------------------------------------------------------------- */

void
replay_keep_identification(const struct pkt_origin *o, struct mbuf *list)
{
	uint8_t head[IP6_HEADERS_MAX];
	struct piece was, p = {.net = head};
	size_t n;

	if (o == NULL || list == NULL || list->m_nextpkt == NULL || !piece_of(o, &was) ||
	    was.net[0] >> 4 != 6)
		return;
	for (; list != NULL; list = list->m_nextpkt) {
		n = (size_t)list->m_pkthdr.len < sizeof head ? (size_t)list->m_pkthdr.len : sizeof head;
		if (m_copydata(list, 0, n, head) == 0 && piece6(&p, (uint32_t)n) &&
		    (size_t)list->m_len >= p.header + 8)
			memcpy(list->m_data + p.header + 4, was.net + was.header + 4, 4);
	}
}

