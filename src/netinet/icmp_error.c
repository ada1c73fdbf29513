/*
 * ICMP errors that this machine sends (RFC 792, RFC 1122 3.2.2, RFC 1812 4.3.2): "your packet could not
 * be delivered", and redirects.
 *
 * Called by transports (no such port), IP input (options, reassembly), forwarding, and neighbours that do
 * not answer. A replayed machine says nothing.
 *
 * Limits against abuse: no errors about errors, about fragments but the first, or about what was sent to
 * or from more than one host; net.inet.icmp.icmplim a second in all, redirects apart from the others. The
 * log says once a second how many were left unsaid.
 *
 * Left out: the route of a packet that says its way itself is not turned round for the error about it.
 */
#include <string.h>

#include "src/kern/klog.h"
#include "src/kern/sched.h"
#include "src/kern/trace.h"
#include "src/net/replay.h"
#include "src/netinet/icmp_private.h"

#define LINK_ROOM	16u		/* before the header, for an Ethernet header, aligned */
#define ERROR_SIZE	576u		/* as much of the packet as fits (RFC 1812 4.3.2.3) */

/* RFC 1122 3.2.2, RFC 1812 4.3.2.7: may the sender of that packet be told anything? */
static bool
sender_may_be_told(struct nke *machine, const struct mbuf *m, const struct ip *ip)
{
	const struct ifnet *ifp = m->m_pkthdr.rcvif;
	uint32_t src = ntohl(ip->ip_src.s_addr), dst = ntohl(ip->ip_dst.s_addr);

	if ((m->m_flags & (MBUF_BCAST | MBUF_MCAST)) || (ip->ip_off & htons(IP_OFFMASK)) != 0)
		return false;
	if (IN_ZERONET(src) || IN_MULTICAST(src) || IN_EXPERIMENTAL(src) || IN_MULTICAST(dst) ||
	    dst == INADDR_BROADCAST)
		return false;
	if (IN_LOOPBACK(src) && ifp != NULL && !(ifp->flags & IFF_LOOPBACK))
		return false;
	return !ip_is_broadcast(machine, ip->ip_src) && !ip_is_broadcast(machine, ip->ip_dst);
}

/* No errors about errors. A message too short to tell is taken for one. */
static bool
quotes_an_error(struct icmp_state *s, const struct mbuf *m, const struct ip *ip)
{
	uint8_t type;

	if (ip->ip_p != IPPROTO_ICMP)
		return false;
	if (m_copydata(m, (size_t)ip->ip_hl << 2, 1, &type) != 0) {
		s->stat.icps_oldshort++;
		return true;
	}
	if (ICMP_INFOTYPE(type))
		return false;
	s->stat.icps_oldicmp++;
	return true;
}

static bool
within_limit(struct nke *machine, uint8_t type)
{
	struct icmp_state *s = machine->icmp;
	uint64_t now = machine_now(machine);

	if (in_bucket_take(type == ICMP_REDIRECT ? &s->redirects : &s->errors, now, s->limit))
		return true;
	s->suppressed++;
	if (s->suppressed == 1 || now - s->suppressed_at >= IN_BUCKET_SECOND) {
		klog(machine, 6, "ICMP: %u errors were not sent, more than %d in a second",
		    s->suppressed, s->limit);
		s->suppressed = 1;
		s->suppressed_at = now;
	}
	return false;
}

static uint32_t
second_word(uint8_t type, uint8_t code, uint32_t info)
{
	if (type == ICMP_REDIRECT)
		return info;			/* an address: network order */
	if (type == ICMP_UNREACH && code == ICMP_UNREACH_NEEDFRAG)
		return htonl(info & 0xffff);	/* RFC 1191 4 */
	if (type == ICMP_PARAMPROB && code == ICMP_PARAMPROB_ERRATPTR)
		return htonl(info << 24);
	return 0;
}

/* A new packet: room for the IP header, the ICMP header and the beginning of m. NULL: no memory. */
static struct mbuf *
quote(struct nke *machine, const struct mbuf *m, uint8_t type, uint8_t code, uint32_t info)
{
	size_t room = ERROR_SIZE - (size_t)IP_HLEN - ICMP_MINLEN;
	size_t len = (size_t)m->m_pkthdr.len < room ? (size_t)m->m_pkthdr.len : room;
	struct mbuf *n = m_devget(machine, NULL, (size_t)IP_HLEN + ICMP_MINLEN + len, LINK_ROOM);
	uint32_t word = second_word(type, code, info);
	uint16_t sum;
	char *icmp;

	if (n == NULL)
		return NULL;
	icmp = n->m_data + IP_HLEN;
	icmp[0] = (char)type;
	icmp[1] = (char)code;
	icmp[2] = icmp[3] = 0;
	memcpy(icmp + 4, &word, sizeof word);
	m_copydata(m, 0, len, icmp + ICMP_MINLEN);
	sum = in_cksum_part(n, (size_t)IP_HLEN, ICMP_MINLEN + len);
	memcpy(icmp + 2, &sum, sizeof sum);
	return n;
}

/*
 * Where it comes from: the address that the packet was for, if it is ours, else that of the interface by
 * which it came (so that a trace shows the way there). Any: by the route.
 */
static struct in_addr
source_for(struct nke *machine, const struct mbuf *m, const struct ip *ip)
{
	struct in_addr any = {INADDR_ANY};
	struct sockaddr_in to = {.sin_len = sizeof to, .sin_family = AF_INET, .sin_addr = ip->ip_src};
	const struct ifaddr *ifa = ifaddr_find_in4(machine, ip->ip_dst.s_addr);

	if (ifa == NULL && m->m_pkthdr.rcvif != NULL && m->m_pkthdr.rcvif->state == IFNET_ATTACHED)
		ifa = ifaddr_best(m->m_pkthdr.rcvif, (const struct sockaddr *)(const void *)&to);
	return ifa != NULL ? ((const struct sockaddr_in *)(const void *)&ifa->addr)->sin_addr : any;
}

static void
send_error(struct nke *machine, const struct mbuf *m, uint8_t type, uint8_t code, uint32_t info)
{
	const struct ip *cause = mtod(m, const struct ip *);
	const struct ip_sender sender = {0};
	struct mbuf *n = quote(machine, m, type, code, info);
	struct ip *ip;

	if (n == NULL) {
		machine->ip->stat.ips_odropped++;
		return;
	}
	ip = mtod(n, struct ip *);
	memset(ip, 0, sizeof *ip);
	ip->ip_tos = IPTOS_PREC_INTERNETCONTROL;	/* RFC 1812 4.3.2.5 */
	ip->ip_p = IPPROTO_ICMP;
	ip->ip_dst = cause->ip_src;
	ip->ip_src = source_for(machine, m, cause);
	machine->icmp->stat.icps_outhist[type]++;
	(void)ip_send(machine, n, &sender);
}

struct mbuf *
icmp_error_cause(struct nke *machine, struct mbuf *m, int hlen)
{
	if (machine->replay != NULL) {
		if (m->m_pkthdr.origin != NULL)
			replay_refused(machine, m);
		else
			m_freem(m);
		return NULL;
	}
	if (m->m_len < hlen && (m = m_pullup(m, (size_t)hlen)) == NULL)
		return NULL;
	return in_aligned(m) ? m : in_align(machine, m);
}

void
icmp_error(struct nke *machine, struct mbuf *m, uint8_t type, uint8_t code, uint32_t info)
{
	struct icmp_state *s = machine->icmp;
	const struct ip *ip;

	m = icmp_error_cause(machine, m, IP_HLEN);
	if (m == NULL)
		return;
	ip = mtod(m, const struct ip *);
	s->stat.icps_error++;
	if (type <= ICMP_MAXTYPE && !quotes_an_error(s, m, ip) && sender_may_be_told(machine, m, ip) &&
	    within_limit(machine, type))
		send_error(machine, m, type, code, info);
	m_freem(m);
}
