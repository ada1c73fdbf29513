/*
 * Cutting IPv4 datagrams (RFC 791 3.2), and the making of one piece, which IPv6 shares.
 *
 * Called by ip_output and, through net_proto.fragment, by the replay of captures.
 */
#include <string.h>

#include "src/kern/trace.h"
#include "src/netinet/ip_state.h"

#define LINK_ROOM	16u		/* before the header, for an Ethernet header, aligned */

struct mbuf *
ip_piece(struct nke *machine, struct mbuf *m, size_t hlen, size_t off, size_t len)
{
	struct mbuf *piece = m_devget(machine, NULL, hlen, LINK_ROOM);
	struct mbuf *data;

	if (piece == NULL)
		return NULL;
	data = m_copym(m, off, len, MBUF_DONTWAIT);
	if (data == NULL) {
		m_freem(piece);
		return NULL;
	}
	piece->m_next = data;
	piece->m_pkthdr.len = (int32_t)(hlen + len);
	piece->m_flags |= m->m_flags & (MBUF_BCAST | MBUF_MCAST | M_TOUCHED);
	piece->m_pkthdr.rcvif = m->m_pkthdr.rcvif;
	piece->m_pkthdr.traffic_class = m->m_pkthdr.traffic_class;
	piece->m_pkthdr.traffic_class_privileged = m->m_pkthdr.traffic_class_privileged;
	piece->m_pkthdr.origin = m->m_pkthdr.origin;
	piece->m_pkthdr.packet_number = m->m_pkthdr.packet_number;
	piece->m_pkthdr.timestamp = m->m_pkthdr.timestamp;
	return piece;
}

/* The header that pieces behind the first have: without the options that are not copied. */
static size_t
later_header(const struct ip *ip, uint8_t *header)
{
	size_t hlen = (size_t)ip->ip_hl << 2;
	size_t n = sizeof *ip;

	memcpy(header, ip, sizeof *ip);
	n += ip_options_copied((const uint8_t *)ip + sizeof *ip, hlen - sizeof *ip, header + n);
	header[0] = (uint8_t)IP_MAKE_VHL(IPVERSION, n >> 2);
	return n;
}

/*
 * One piece with payload [off, off+len) of m, whose own header has `skip` bytes. NULL: no memory.
 */
static struct mbuf *
make_piece(struct nke *machine, struct mbuf *m, const uint8_t *header, size_t hlen, size_t off,
    size_t len)
{
	const struct ip *whole = mtod(m, const struct ip *);
	size_t skip = (size_t)whole->ip_hl << 2;
	bool last = skip + off + len == (size_t)m->m_pkthdr.len;
	struct mbuf *piece = ip_piece(machine, m, hlen, skip + off, len);
	struct ip *ip;

	if (piece == NULL)
		return NULL;
	ip = mtod(piece, struct ip *);
	memcpy(ip, header, hlen);
	ip->ip_len = htons(hlen + len);
	/* A fragment is cut like a datagram: its place in the whole stays. */
	ip->ip_off = htons(ntohs(whole->ip_off) + (off >> 3));
	if (!last)
		ip->ip_off |= htons(IP_MF);
	ip->ip_sum = 0;
	ip->ip_sum = in_cksum_part(piece, 0, hlen);
	piece->m_flags |= MBUF_FRAG;
	if (off == 0)
		piece->m_flags |= MBUF_FIRSTFRAG;
	if (last)
		piece->m_flags |= MBUF_LASTFRAG;
	return piece;
}

errno_t
ip_fragment(struct nke *machine, struct mbuf *m, uint32_t mtu, struct mbuf **list)
{
	struct ipstat *st = &machine->ip->stat;
	const struct ip *ip = mtod(m, const struct ip *);
	size_t hlen = (size_t)ip->ip_hl << 2, total = (size_t)m->m_pkthdr.len - hlen, later_len;
	size_t room = mtu > hlen ? (mtu - hlen) & ~(size_t)7 : 0;
	uint8_t later[60];
	struct mbuf **end = list;
	errno_t error = 0;

	*list = NULL;
	if ((ip->ip_off & htons(IP_DF)) || room == 0) {
		st->ips_cantfrag++;
		error = EMSGSIZE;
		goto done;
	}
	later_len = later_header(ip, later);
	for (size_t off = 0, len; off < total; off += len) {
		size_t n = off == 0 ? hlen : later_len;

		if (off != 0)
			room = (mtu - n) & ~(size_t)7;
		len = total - off <= mtu - n ? total - off : room;
		*end = make_piece(machine, m, off == 0 ? (const uint8_t *)ip : later, n, off, len);
		if (*end == NULL) {
			st->ips_odropped++;
			m_freem_list(*list);
			*list = NULL;
			error = ENOBUFS;
			goto done;
		}
		end = &(*end)->m_nextpkt;
		st->ips_ofragments++;
	}
	TRACE(machine, IP_FRAGMENT, m, mtu, (total + room - 1) / room);
	if (*list != NULL) {
		(*list)->m_pkthdr.tags = m->m_pkthdr.tags;
		m->m_pkthdr.tags = NULL;
	}
	st->ips_fragmented++;
done:
	m_freem(m);
	return error;
}
