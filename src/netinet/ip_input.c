/*
 * IPv4's way in (RFC 791, RFC 1122 3.2): header checks, options, "is it for us?", reassembly, IP
 * filters, transport.
 *
 * Called by DLIL with lists of packets (net_proto.input), by the IP filter engine with injected
 * ones. Every packet is consumed. What is for others goes to ip_forward.c. Group memberships are left to
 * the transports: every multicast is taken to be for us.
 *
 * The common case, one mbuf with a plain header, is decided in ip_header() (ip_state.h) without a
 * call; everything else goes through ip_check_header().
 */
#include <netinet/ip_icmp.h>
#include <string.h>

#include "dlil/dlil.h"
#include "ipfilter/ipfilter.h"
#include "src/kern/klog.h"
#include "src/kern/trace.h"
#include "src/net/replay.h"
#include "src/netinet/ip_state.h"
#include "src/netinet/raw_input.h"

#define IP_FRAGMENT_BITS	htons(IP_MF | IP_OFFMASK)

/* ---- the header --------------------------------------------------------------------------- */

/* RFC 1122 3.2.1.3: 127/8 never appears outside a host. */
static bool
address_possible(const struct mbuf *m, const struct ip *ip)
{
	const struct ifnet *ifp = m->m_pkthdr.rcvif;

	if (!ip_loopback_net(ip->ip_src) && !ip_loopback_net(ip->ip_dst))
		return true;
	/* Without an interface: sent by the host of a capture, to itself. */
	return ifp == NULL || (ifp->flags & IFF_LOOPBACK);
}

static bool
sum_good(const struct mbuf *m, int hlen)
{
	if (m->m_pkthdr.csum_flags & MBUF_CSUM_DID_IP)
		return m->m_pkthdr.csum_flags & MBUF_CSUM_IP_GOOD;
	return in_cksum_part(m, 0, (size_t)hlen) == 0;
}

/*
 * What is wrong with the fixed header, as the counter for it; NULL: nothing. Contiguous, aligned.
 */
static uint32_t *
header_fault(struct ipstat *st, const struct mbuf *m, const struct ip *ip)
{
	int hlen = ip->ip_hl << 2;

	if (ip->ip_v != IPVERSION)
		return &st->ips_badvers;
	if (hlen < IP_HLEN || hlen > m->m_pkthdr.len)
		return &st->ips_badhlen;
	if (!address_possible(m, ip))
		return &st->ips_badaddr;
	return NULL;
}

/* The same for lengths and checksum, once the whole header is contiguous. */
static uint32_t *
length_fault(struct ipstat *st, const struct mbuf *m, const struct ip *ip)
{
	int hlen = ip->ip_hl << 2;

	if (!sum_good(m, hlen))
		return &st->ips_badsum;
	if (ntohs(ip->ip_len) < hlen)
		return &st->ips_badlen;
	if (ntohs(ip->ip_len) > m->m_pkthdr.len)
		return &st->ips_tooshort;
	return NULL;
}

static void
trim(struct ipstat *st, struct mbuf *m, int len)
{
	if (m->m_pkthdr.len <= len)
		return;
	st->ips_adj++;
	/* A sum over all data that came counts the bytes that are cut off. */
	if ((m->m_pkthdr.csum_flags & (MBUF_CSUM_DID_DATA | MBUF_CSUM_PSEUDO_HDR)) ==
	    MBUF_CSUM_DID_DATA) {
		m->m_pkthdr.csum_flags &= ~(uint32_t)MBUF_CSUM_DID_DATA;
		st->ips_adj_hwcsum_clr++;
	}
	m_adj(m, len - m->m_pkthdr.len);
}

int
ip_check_header(struct nke *machine, struct mbuf **mp)
{
	struct ipstat *st = &machine->ip->stat;
	struct mbuf *m = *mp;
	uint32_t *fault;
	int hlen;

	*mp = NULL;
	/* Who handed it in may have changed lengths of single mbufs only. */
	m->m_pkthdr.len = (int32_t)m_length(m);
	if (m->m_pkthdr.len < IP_HLEN) {
		ip_refuse(machine, m, &st->ips_tooshort);
		return 0;
	}
	if (m->m_len < IP_HLEN &&
	    (m = ip_pullup(machine, m, (size_t)IP_HLEN, &st->ips_toosmall)) == NULL)
		return 0;
	if (!in_aligned(m) && (m = ip_align(machine, m, &st->ips_toosmall)) == NULL)
		return 0;
	fault = header_fault(st, m, mtod(m, const struct ip *));
	if (fault != NULL) {
		ip_refuse(machine, m, fault);
		return 0;
	}
	hlen = mtod(m, const struct ip *)->ip_hl << 2;
	if (m->m_len < hlen && (m = ip_pullup(machine, m, (size_t)hlen, &st->ips_badhlen)) == NULL)
		return 0;
	fault = length_fault(st, m, mtod(m, const struct ip *));
	if (fault != NULL) {
		ip_refuse(machine, m, fault);
		return 0;
	}
	trim(st, m, ntohs(mtod(m, const struct ip *)->ip_len));
	*mp = m;
	return hlen;
}

bool
ip_recheck(struct nke *machine, struct mbuf **mp, int hlen)
{
	struct ipstat *st = &machine->ip->stat;
	struct mbuf *m = *mp;
	struct pkt_origin *origin = m->m_pkthdr.origin;
	int len;

	*mp = NULL;
	m->m_pkthdr.len = (int32_t)m_length(m);
	if (m->m_pkthdr.len < hlen)
		goto drop;
	if (m->m_len < hlen && (m = ip_pullup(machine, m, (size_t)hlen, &st->ips_toosmall)) == NULL)
		return false;
	if (!in_aligned(m) && (m = ip_align(machine, m, &st->ips_toosmall)) == NULL)
		return false;
	len = ntohs(mtod(m, const struct ip *)->ip_len);
	if (len < hlen || len > m->m_pkthdr.len)
		goto drop;
	trim(st, m, len);
	*mp = m;
	return true;
drop:
	st->ips_tooshort++;
	TRACE(machine, IP_DROP, m, offsetof(struct ipstat, ips_tooshort), 0);
	if (!machine->ip->said_length) {
		machine->ip->said_length = true;
		klog(machine, 4,
		    "an IP filter passed on a packet of %d bytes that its ip_len does not "
		    "fit: dropped, as all such packets from now on",
		    m->m_pkthdr.len);
	}
	m_freem(m);
	if (origin != NULL)
		replay_verdict(machine, origin, PKT_DROPPED);
	return false;
}

/* ---- for us? ------------------------------------------------------------------------------ */

static bool
ip_is_ours_slow(struct nke *machine, const struct mbuf *m, uint32_t dst)
{
	struct ip_state *s = machine->ip;
	struct ifaddr *ifa = ifaddr_find_in4(machine, dst);
	struct ifnet *ifp = m->m_pkthdr.rcvif;

	if (ifa != NULL) {
		ifaddr_retain(ifa);
		if (s->last_ours != NULL)
			ifaddr_drop(s->last_ours);
		s->last_ours = ifa;
		s->last_ours_addr = dst;
		return true;
	}
	if (IN_MULTICAST(ntohl(dst)) || dst == htonl(INADDR_BROADCAST) || dst == htonl(INADDR_ANY))
		return true;
	return ifp != NULL && ifaddr_find_broadcast4(machine, ifp, dst) != NULL;
}

static inline bool
ip_is_ours(struct nke *machine, const struct mbuf *m, uint32_t dst)
{
	const struct ip_state *s = machine->ip;

	if (LIKELY(s->last_ours != NULL && s->last_ours_addr == dst && s->last_ours->attached))
		return true;
	return ip_is_ours_slow(machine, m, dst);
}

/* ---- delivery ----------------------------------------------------------------------------- */

/* Through the filters; NULL: none of it is left. */
static struct mbuf *
ip_filter_in(struct nke *machine, struct mbuf *m, int hlen, ipfilter_t behind)
{
	uint8_t protocol = mtod(m, const struct ip *)->ip_p;
	errno_t error;

	if (ipf_input_untouched(machine, AF_INET, &m, hlen, protocol, behind, &error) &&
	    m->m_pkthdr.csum_flags == 0)
		return m;
	if (error != 0)
		return NULL;
	return ip_recheck(machine, &m, hlen) ? m : NULL;
}

static void
ip_to_transport(struct nke *machine, struct mbuf *m, int hlen)
{
	struct ip_state *s = machine->ip;
	uint8_t protocol = mtod(m, const struct ip *)->ip_p;
	const struct ip_transport *t = s->transport[protocol];

	TRACE(machine, IP_DELIVER, m, protocol, hlen);
	if (t != NULL && machine->replay == NULL) {
		s->stat.ips_delivered++;
		t->input(machine, m, hlen, protocol);
	} else if (machine->replay != NULL) {
		s->stat.ips_delivered++;
		replay_deliver(machine, m);
	} else if (rip_wants(machine, protocol)) {
		s->stat.ips_delivered++;
		rip_input(machine, m, hlen, protocol);
	} else {
		s->stat.ips_noproto++;
		TRACE(machine, IP_DROP, m, offsetof(struct ipstat, ips_noproto), 0);
		icmp_error(machine, m, ICMP_UNREACH, ICMP_UNREACH_PROTOCOL, 0);
	}
}

void
ip_deliver(struct nke *machine, struct mbuf *m, int hlen, ipfilter_t behind)
{
	if (UNLIKELY(!ipf_none(machine, AF_INET))) {
		m = ip_filter_in(machine, m, hlen, behind);
		if (m == NULL)
			return;
	}
	ip_to_transport(machine, m, hlen);
}

/* ---- one packet --------------------------------------------------------------------------- */

static inline void
ip_input_one(struct nke *machine, struct mbuf *m)
{
	struct ip_state *s = machine->ip;
	const struct ip *ip;
	int hlen;

	s->stat.ips_total++;
	TRACE(machine, IP_INPUT, m, m->m_pkthdr.rcvif != NULL ? m->m_pkthdr.rcvif->index : 0,
	    m->m_pkthdr.len);
	hlen = ip_header(machine, &m);
	if (UNLIKELY(hlen == 0))
		return;
	if (UNLIKELY(hlen > IP_HLEN) && !ip_dooptions(machine, &m, hlen))
		return;
	ip = mtod(m, const struct ip *);
	if (UNLIKELY(!ip_is_ours(machine, m, ip->ip_dst.s_addr))) {
		ip_not_ours(machine, m, hlen);
		return;
	}
	if (UNLIKELY(ip->ip_off & IP_FRAGMENT_BITS)) {
		m = ip_reass(machine, m, hlen, 0);
		if (m == NULL)
			return;
		hlen = mtod(m, const struct ip *)->ip_hl << 2;
	}
	ip_deliver(machine, m, hlen, NULL);
}

void
ip_input(struct nke *machine, struct mbuf *list)
{
	struct mbuf *next;

	for (; list != NULL; list = next) {
		next = list->m_nextpkt;
		list->m_nextpkt = NULL;
		if (next != NULL)
			__builtin_prefetch(next->m_data);
		ip_input_one(machine, list);
	}
}

/* ---- injected packets --------------------------------------------------------------------- */

/*
 * It never came by an interface: chooses one, and makes the header good. NULL: the packet is gone.
 */
static struct mbuf *
ip_adopt(struct nke *machine, struct mbuf *m)
{
	struct ipstat *st = &machine->ip->stat;
	struct ifaddr *ifa = NULL;
	struct ip ip;
	size_t hlen;

	m->m_pkthdr.csum_flags = 0;
	m->m_pkthdr.csum_data = 0;
	m->m_pkthdr.len = (int32_t)m_length(m);
	if (m_copydata(m, 0, sizeof ip, &ip) == 0)
		ifa = ifaddr_find_in4(machine, ip.ip_dst.s_addr);
	m->m_pkthdr.rcvif = ifa != NULL ? ifa->ifp : dlil_loopback(machine);
	hlen = m->m_pkthdr.len >= IP_HLEN ? (size_t)ip.ip_hl << 2 : 0;
	if (hlen < sizeof ip || hlen > (size_t)m->m_pkthdr.len)
		return m;	/* ip_input counts what is wrong with it */
	if ((size_t)m->m_len < hlen && (m = ip_pullup(machine, m, hlen, &st->ips_toosmall)) == NULL)
		return NULL;
	m = ip_writable(machine, m, hlen, &st->ips_toosmall);
	if (m != NULL) {
		uint16_t sum = 0;

		memcpy(m->m_data + offsetof(struct ip, ip_sum), &sum, sizeof sum);
		sum = in_cksum_part(m, 0, hlen);
		memcpy(m->m_data + offsetof(struct ip, ip_sum), &sum, sizeof sum);
	}
	return m;
}

void
ip_inject_receive(struct nke *machine, struct mbuf *m)
{
	ipfilter_t behind = ipf_take_ref(m);
	struct ip ip;

	if (behind == NULL) {
		if (m->m_pkthdr.rcvif == NULL)
			m = ip_adopt(machine, m);
		ip_input(machine, m);
		return;
	}
	/*
	 * It has passed everything up to the filters once; the filter answers for what it made of
	 * it.
	 */
	if (m_copydata(m, 0, sizeof ip, &ip) != 0 || ip.ip_hl << 2 < IP_HLEN) {
		ip_refuse(machine, m, &machine->ip->stat.ips_tooshort);
		return;
	}
	if (ip_recheck(machine, &m, ip.ip_hl << 2))
		ip_deliver(machine, m, ip.ip_hl << 2, behind);
}
