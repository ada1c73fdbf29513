/*
 * Cutting IPv6 datagrams (RFC 8200 4.5), which only their sender does.
 *
 * Called by ip6_output and, through net_proto.fragment, by the replay of captures.
 */
#include <string.h>

#include "src/kern/trace.h"
#include "src/netinet/ip_state.h"
#include "src/netinet6/ip6_state.h"

/* Never the same twice within 2^32 datagrams, nor simply the next number (RFC 7739). */
static uint32_t
new_id(struct ip6_state *s)
{
	return ++s->id * 0x9e3779b1u ^ s->id_key;
}

/*
 * The piece with payload [off, off+len) behind the headers that all pieces have. NULL: no memory.
 */
static struct mbuf *
make_piece(struct nke *machine, struct mbuf *m, const struct ip6_place *split, uint32_t id,
    size_t off, size_t len)
{
	size_t hlen = split->off + sizeof(struct ip6_frag);
	bool last = split->off + off + len == (size_t)m->m_pkthdr.len;
	struct mbuf *piece = ip_piece(machine, m, hlen, split->off + off, len);
	struct ip6_frag f = {.ip6f_nxt = split->next, .ip6f_offlg = htons(off), .ip6f_ident = id};

	if (piece == NULL)
		return NULL;
	if (!last)
		f.ip6f_offlg |= IP6F_MORE_FRAG;
	m_copydata(m, 0, split->off, piece->m_data);
	memcpy(piece->m_data + split->off, &f, sizeof f);
	piece->m_data[split->named_at] = (char)IPPROTO_FRAGMENT;
	mtod(piece, struct ip6_hdr *)->ip6_plen = htons(hlen + len - (size_t)IP6_HLEN);
	piece->m_flags |= MBUF_FRAG;
	if (off == 0)
		piece->m_flags |= MBUF_FIRSTFRAG;
	if (last)
		piece->m_flags |= MBUF_LASTFRAG;
	return piece;
}

errno_t
ip6_fragment(struct nke *machine, struct mbuf *m, uint32_t mtu, struct mbuf **list)
{
	struct ip6_state *s = machine->ip6;
	struct ip6_place split = ip6_unfragmentable(m);
	size_t hlen = split.off + sizeof(struct ip6_frag);
	size_t total = (size_t)m->m_pkthdr.len - split.off;
	size_t room = mtu > hlen ? (mtu - hlen) & ~(size_t)7 : 0;
	struct mbuf **end = list;
	errno_t error = 0;
	uint32_t id;

	*list = NULL;
	if (room == 0 || hlen > IP6_CHAIN_MAX || split.next == IPPROTO_FRAGMENT) {
		s->stat.ip6s_cantfrag++;
		error = EMSGSIZE;
		goto done;
	}
	id = new_id(s);
	for (size_t off = 0, len; off < total; off += len) {
		len = total - off <= mtu - hlen ? total - off : room;
		*end = make_piece(machine, m, &split, id, off, len);
		if (*end == NULL) {
			s->stat.ip6s_odropped++;
			m_freem_list(*list);
			*list = NULL;
			error = ENOBUFS;
			goto done;
		}
		end = &(*end)->m_nextpkt;
		s->stat.ip6s_ofragments++;
	}
	TRACE(machine, IP_FRAGMENT, m, mtu, (total + room - 1) / room);
	if (*list != NULL) {
		(*list)->m_pkthdr.tags = m->m_pkthdr.tags;
		m->m_pkthdr.tags = NULL;
	}
	s->stat.ip6s_fragmented++;
done:
	m_freem(m);
	return error;
}
