/*
 * IPv6 reassembly (RFC 8200 4.5): the fragment header, and the header of the whole. Queues, overlap
 * (RFC 5722), time-outs and limits are in src/netinet/reass.c.
 *
 * Called by ip6_input (context 0) and ip6_play_output (context 1), with the packet at its fragment
 * header. Atomic fragments never meet others (RFC 6946); a first fragment without all headers is
 * refused (RFC 7112).
 */
#include <netinet/icmp6.h>
#include <string.h>

#include "src/net/replay.h"
#include "src/netinet6/ip6_state.h"

static uint8_t
ecn_of(const struct mbuf *m)
{
	return (uint8_t)m->m_data[1] >> 4 & 3;
}

/*
 * Takes the fragment header at `off` out and names what was behind it. NULL: no memory; the packet
 * is gone.
 */
static struct mbuf *
strip(struct nke *machine, struct mbuf *m, size_t off, uint8_t next)
{
	uint16_t named_at = m->m_pkthdr.nexthdr_off;

	m = ip6_counted(in_cut(machine, m, off, sizeof(struct ip6_frag)),
	    &machine->ip6->stat.ip6s_fragdropped);
	if (m == NULL)
		return NULL;
	m->m_data[named_at] = (char)next;
	m->m_pkthdr.fragmented = true;
	mtod(m, struct ip6_hdr *)->ip6_plen = htons(m->m_pkthdr.len - IP6_HLEN);
	return m;
}

/* What is wrong with a fragment, NULL: nothing. `before`: bytes between the fixed header and it. */
static u_quad_t *
fragment_fault(struct ip6stat *st, const struct mbuf *m, const struct reass_piece *p, size_t off,
    uint8_t next)
{
	if (p->len == 0 || (p->more && p->len % 8 != 0))
		return &st->ip6s_fragdropped;
	if (off - (size_t)IP6_HLEN + p->offset + p->len > IPV6_MAXPACKET)
		return &st->ip6s_fragdropped;
	if (off > IP6_CHAIN_MAX)
		return &st->ip6s_exthdrtoolong;
	if (p->offset == 0 && !ip6_chain_complete(m, off + sizeof(struct ip6_frag), next))
		return &st->ip6s_exthdrtoolong;
	return NULL;
}

/* RFC 8200 4.5: a length that cannot be, or a place beyond every datagram, is told to the sender. */
static void
refuse_fragment(struct nke *machine, struct mbuf *m, const struct reass_piece *p, size_t off,
    u_quad_t *fault)
{
	bool length = p->len != 0 && p->more && p->len % 8 != 0;
	bool place = off - (size_t)IP6_HLEN + p->offset + p->len > IPV6_MAXPACKET;

	if (machine->replay != NULL || (!length && !place)) {
		ip6_refuse(machine, m, fault);
		return;
	}
	(*fault)++;
	icmp6_error(machine, m, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, length ?
	    (uint32_t)offsetof(struct ip6_hdr, ip6_plen) :
	    (uint32_t)(off + offsetof(struct ip6_frag, ip6f_offlg)));
}

/* All fragments are there: makes the datagram. `*offp`, `*nextp` as ip6_reass says. */
static struct mbuf *
whole(struct nke *machine, struct mbuf *fragments, uint8_t ecn, int *offp, uint8_t *nextp)
{
	struct ip6_state *s = machine->ip6;
	/* The first one's headers are the datagram's. */
	size_t off = (size_t)fragments->m_pkthdr.len - fragments->m_pkthdr.tso_segsz -
	    sizeof(struct ip6_frag);
	const struct mbuf *last = fragments;
	struct ip6_frag f;
	struct mbuf *m;

	while (last->m_nextpkt != NULL)
		last = last->m_nextpkt;
	if (off - (size_t)IP6_HLEN + last->m_pkthdr.csum_data + last->m_pkthdr.tso_segsz >
	    IPV6_MAXPACKET) {
		reass_give_up(&s->reass, fragments);
		return NULL;
	}
	m_copydata(fragments, off, sizeof f, &f);
	m = strip(machine, reass_join(machine, fragments), off, f.ip6f_nxt);
	if (m == NULL)
		return NULL;
	m->m_data[1] = (char)(((uint8_t)m->m_data[1] & ~0x30u) | (uint8_t)(ecn << 4));
	s->stat.ip6s_reassembled++;
	*offp = (int)off;
	*nextp = f.ip6f_nxt;
	return m;
}

struct mbuf *
ip6_reass(struct nke *machine, struct mbuf *m, int *offp, uint8_t *nextp, int context)
{
	struct ip6_state *s = machine->ip6;
	size_t off = (size_t)*offp;
	struct reass_key key = {.context = (uint8_t)context};
	struct reass_piece piece;
	struct ip6_frag f;
	u_quad_t *fault;
	uint8_t ecn = 0;

	s->stat.ip6s_fragments++;
	if (m_copydata(m, off, sizeof f, &f) != 0) {
		ip6_refuse(machine, m, &s->stat.ip6s_tooshort);
		return NULL;
	}
	piece.offset = ntohs(f.ip6f_offlg & IP6F_OFF_MASK);
	piece.len = (uint32_t)((size_t)m->m_pkthdr.len - off - sizeof f);
	piece.more = f.ip6f_offlg & IP6F_MORE_FRAG;
	piece.ecn = ecn_of(m);
	if (piece.offset == 0 && !piece.more && off <= IP6_CHAIN_MAX) {
		s->stat.ip6s_atmfrag_rcvd++;
		*nextp = f.ip6f_nxt;
		return strip(machine, m, off, f.ip6f_nxt);
	}
	fault = fragment_fault(&s->stat, m, &piece, off, f.ip6f_nxt);
	if (fault != NULL) {
		refuse_fragment(machine, m, &piece, off, fault);
		return NULL;
	}
	memcpy(key.src, ip6_source(m), sizeof key.src);
	memcpy(key.dst, ip6_destination(m), sizeof key.dst);
	key.id = f.ip6f_ident;
	m = reass_add(&s->reass, &key, m, &piece, &ecn);
	return m != NULL ? whole(machine, m, ecn, offp, nextp) : NULL;
}
