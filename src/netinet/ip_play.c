/*
 * IPv4 packets that the host of a replayed capture sent (net_proto.play_output): they have been
 * routed and framed once, so only what filters see of the way out is done again.
 */
#include "ipfilter/ipfilter.h"
#include "src/net/replay.h"
#include "src/netinet/ip_state.h"

/* A real machine sums the header after the filters; so they need not. NULL: no memory. */
static struct mbuf *
sum_again(struct nke *machine, struct mbuf *m)
{
	size_t hlen = (size_t)mtod(m, const struct ip *)->ip_hl << 2;
	uint32_t deferred = m->m_pkthdr.csum_flags & (MBUF_CSUM_REQ_TCP | MBUF_CSUM_REQ_UDP);
	struct ip *ip;

	if (deferred == 0 && in_cksum_part(m, 0, hlen) == 0)
		return m;
	m = ip_writable(machine, m, hlen, &machine->ip->stat.ips_odropped);
	if (m == NULL)
		return NULL;
	if (deferred != 0)
		in_finalize_cksum(m, 0, deferred);
	ip = mtod(m, struct ip *);
	ip->ip_sum = 0;
	ip->ip_sum = in_cksum_part(m, 0, hlen);
	return m;
}

/* The filter may have changed the length of the header. 0: impossible. */
static int
header_length(const struct mbuf *m)
{
	uint8_t first;

	if (m_copydata(m, 0, 1, &first) != 0 || (first & 0xf) << 2 < (int)sizeof(struct ip))
		return 0;
	return (first & 0xf) << 2;
}

static struct mbuf *
filter_out(struct nke *machine, struct mbuf *m)
{
	struct ipf_pktopts options = {0};
	struct pkt_origin *origin = m->m_pkthdr.origin;
	errno_t error;
	int hlen;

	if (ipf_output_untouched(machine, AF_INET, &m, &options, 0, NULL, &error) &&
	    m->m_pkthdr.csum_flags == 0)
		return m;
	if (error != 0)
		return NULL;
	hlen = header_length(m);
	if (hlen == 0) {
		machine->ip->stat.ips_odropped++;
		m_freem(m);
		if (origin != NULL)
			replay_verdict(machine, origin, PKT_DROPPED);
		return NULL;
	}
	return ip_recheck(machine, &m, hlen) ? sum_again(machine, m) : NULL;
}

static void
play_one(struct nke *machine, struct mbuf *m)
{
	struct ip_state *s = machine->ip;
	int hlen = ip_header(machine, &m);

	if (hlen == 0)
		return;
	s->stat.ips_localout++;
	if (UNLIKELY(mtod(m, const struct ip *)->ip_off & htons(IP_MF | IP_OFFMASK))) {
		m = ip_reass(machine, m, hlen, 1);
		if (m == NULL)
			return;
	}
	if (UNLIKELY(!ipf_none(machine, AF_INET))) {
		m = filter_out(machine, m);
		if (m == NULL)
			return;
	}
	replay_output_done(machine, m);
}

void
ip_play_output(struct nke *machine, struct ifnet *ifp, struct mbuf *list)
{
	struct mbuf *next;

	(void)ifp;
	for (; list != NULL; list = next) {
		next = list->m_nextpkt;
		list->m_nextpkt = NULL;
		play_one(machine, list);
	}
}
