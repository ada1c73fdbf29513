/*
 * IPv6 packets that the host of a replayed capture sent (net_proto.play_output): they have been
 * routed and framed once, so only what filters see of the way out is done again. Filters see whole
 * datagrams there, once each.
 */
#include "ipfilter/ipfilter.h"
#include "src/net/replay.h"
#include "src/netinet6/ip6_state.h"

/* Puts fragments together; NULL: there are more to come, or it was refused. */
static struct mbuf *
join_fragments(struct nke *machine, struct mbuf *m)
{
	struct ip6_place p = ip6_first_place(m);
	int off;

	for (unsigned n = 0; n < IP6_NEST_LIMIT && ip6_is_extension(p.next); n++)
		if (!ip6_step(m, &p))
			return m;
	if (p.next != IPPROTO_FRAGMENT)
		return m;
	m->m_pkthdr.nexthdr_off = (uint16_t)p.named_at;
	off = (int)p.off;
	return ip6_reass(machine, m, &off, &p.next, 1);
}

static struct mbuf *
filter_out(struct nke *machine, struct ifnet *ifp, struct mbuf *m)
{
	struct ipf_pktopts options = {0};
	errno_t error;
	uint32_t deferred;

	if (ipf_output_untouched(machine, AF_INET6, &m, &options, (uint16_t)ifp->index, NULL, &error) &&
	    m->m_pkthdr.csum_flags == 0)
		return m;
	if (error != 0)
		return NULL;
	if (!ip6_recheck(machine, &m))
		return NULL;
	deferred = m->m_pkthdr.csum_flags & (MBUF_CSUM_REQ_TCPIPV6 | MBUF_CSUM_REQ_UDPIPV6);
	if (deferred != 0)
		in6_finalize_cksum(m, 0, deferred);
	return m;
}

static void
play_one(struct nke *machine, struct ifnet *ifp, struct mbuf *m)
{
	if (!ip6_check_header(machine, &m))
		return;
	machine->ip6->stat.ip6s_localout++;
	m = join_fragments(machine, m);
	if (m != NULL && UNLIKELY(!ipf_none(machine, AF_INET6)))
		m = filter_out(machine, ifp, m);
	if (m != NULL)
		replay_output_done(machine, m);
}

void
ip6_play_output(struct nke *machine, struct ifnet *ifp, struct mbuf *list)
{
	struct mbuf *next;

	for (; list != NULL; list = next) {
		next = list->m_nextpkt;
		list->m_nextpkt = NULL;
		play_one(machine, ifp, list);
	}
}
