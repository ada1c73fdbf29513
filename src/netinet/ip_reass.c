/*
 * IPv4 reassembly (RFC 791 3.2): what a fragment says about itself, and the header of the whole.
 * Queues, time-outs and limits are in reass.c.
 *
 * Called by ip_input (context 0) and ip_play_output (context 1), for packets with MF set or an
 * offset.
 */
#include <netinet/in.h>

#include "src/kern/trace.h"
#include "src/net/replay.h"
#include "src/netinet/ip_state.h"

/* The counter for what is wrong with the fragment, NULL: nothing. */
static uint32_t *
fragment_fault(struct ipstat *st, const struct ip *ip, int hlen, const struct reass_piece *p)
{
	/* All but the last end on a multiple of 8. */
	if (p->len == 0 || (p->more && p->len % 8 != 0))
		return &st->ips_toosmall;
	if (p->offset + p->len + (uint32_t)hlen > IP_MAXPACKET)
		return &st->ips_toolong;
	/* RFC 3128 3: a fragment that would replace TCP's flags. */
	if (p->offset == 8 && ip->ip_p == IPPROTO_TCP)
		return &st->ips_fragdropped;
	return NULL;
}

/* The header of the whole datagram; NULL: it would be too long, or no memory. */
static struct mbuf *
finish_header(struct nke *machine, struct mbuf *fragments, uint8_t ecn)
{
	struct ip_state *s = machine->ip;
	int hlen = mtod(fragments, const struct ip *)->ip_hl << 2;
	struct mbuf *m, *last = fragments;
	struct ip *ip;

	/* The first fragment's header may be longer than the one of the last. */
	while (last->m_nextpkt != NULL)
		last = last->m_nextpkt;
	if (last->m_pkthdr.csum_data + last->m_pkthdr.tso_segsz + (uint32_t)hlen > IP_MAXPACKET) {
		s->stat.ips_toolong++;
		reass_give_up(&s->reass, fragments);
		return NULL;
	}
	m = reass_join(machine, fragments);
	m = ip_writable(machine, m, (size_t)hlen, &s->stat.ips_fragdropped);
	if (m == NULL)
		return NULL;
	ip = mtod(m, struct ip *);
	ip->ip_len = htons(m->m_pkthdr.len);
	ip->ip_off = 0;
	ip->ip_tos = (u_char)((ip->ip_tos & ~IPTOS_ECN_MASK) | ecn);
	ip->ip_sum = 0;
	ip->ip_sum = in_cksum_part(m, 0, (size_t)hlen);
	s->stat.ips_reassembled++;
	return m;
}

struct mbuf *
ip_reass(struct nke *machine, struct mbuf *m, int hlen, int context)
{
	struct ip_state *s = machine->ip;
	const struct ip *ip = mtod(m, const struct ip *);
	struct reass_piece piece = {
		.offset = (uint32_t)(ntohs(ip->ip_off) & IP_OFFMASK) << 3,
		.len = (uint32_t)ntohs(ip->ip_len) - (uint32_t)hlen,
		.more = ip->ip_off & htons(IP_MF),
		.ecn = ip->ip_tos & IPTOS_ECN_MASK
	};
	struct reass_key key = {
		.src = {ip->ip_src.s_addr}, .dst = {ip->ip_dst.s_addr}, .id = ip->ip_id,
		.protocol = ip->ip_p, .context = (uint8_t)context
	};
	uint32_t *fault = fragment_fault(&s->stat, ip, hlen, &piece);
	struct mbuf *fragments;
	uint8_t ecn = 0;

	s->stat.ips_fragments++;
	if (fault != NULL) {
		ip_refuse(machine, m, fault);
		return NULL;
	}
	fragments = reass_add(&s->reass, &key, m, &piece, &ecn);
	return fragments != NULL ? finish_header(machine, fragments, ecn) : NULL;
}
