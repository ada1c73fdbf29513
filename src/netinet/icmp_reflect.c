/*
 * Answers to ICMP requests: the message goes back to where it came from (RFC 1122 3.2.2.6 to 3.2.2.9).
 *
 * Called by ip_icmp.c, with the whole request in hand, which becomes the answer: its bytes are not copied.
 * Record route and time stamp options go back as they are, this machine's entry included; a source route
 * is left out.
 */
#include <string.h>

#include "src/netinet/icmp_private.h"

/* The header, and `least` bytes behind it, in one piece that may be written. NULL: no memory. */
static struct mbuf *
take_message(struct nke *machine, struct mbuf *m, size_t least)
{
	uint32_t *lost = &machine->ip->stat.ips_odropped;

	if ((size_t)m->m_len < least && (m = ip_pullup(machine, m, least, lost)) == NULL)
		return NULL;
	return ip_writable(machine, m, least, lost);
}

/* Source routes become no-operations. */
static void
drop_source_routes(uint8_t *o, size_t left)
{
	size_t n;

	for (; left > 0 && o[IPOPT_OPTVAL] != IPOPT_EOL; o += n, left -= n) {
		n = o[IPOPT_OPTVAL] == IPOPT_NOP || left < 2 ? 1 : o[IPOPT_OLEN];
		if (n == 0 || n > left)
			return;
		if (o[IPOPT_OPTVAL] == IPOPT_LSRR || o[IPOPT_OPTVAL] == IPOPT_SSRR)
			memset(o, IPOPT_NOP, n);
	}
}

/* The address to answer from: the one that was asked, else the best of the interface that was. */
static struct in_addr
source_for(struct nke *machine, const struct ifnet *ifp, const struct ip *ip)
{
	struct sockaddr_in to = {.sin_len = sizeof to, .sin_family = AF_INET, .sin_addr = ip->ip_src};
	const struct ifaddr *ifa = ifaddr_find_in4(machine, ip->ip_dst.s_addr);
	struct in_addr any = {INADDR_ANY};

	if (ifa == NULL && ifp != NULL && ifp->state == IFNET_ATTACHED)
		ifa = ifaddr_best((struct ifnet *)(uintptr_t)ifp,
		    (const struct sockaddr *)(const void *)&to);
	return ifa != NULL ? ((const struct sockaddr_in *)(const void *)&ifa->addr)->sin_addr : any;
}

static bool
may_be_answered(struct nke *machine, const struct ip *ip)
{
	uint32_t src = ntohl(ip->ip_src.s_addr);

	return !IN_ZERONET(src) && !IN_MULTICAST(src) && !IN_EXPERIMENTAL(src) &&
	    !ip_is_broadcast(machine, ip->ip_src);
}

void
icmp_reflect(struct nke *machine, struct mbuf *m, int off, uint8_t type, bool resum)
{
	const struct ip_sender sender = {0};
	struct in_addr asker;
	uint32_t sum;
	uint16_t stored;
	struct ip *ip;
	char *icmp;

	if (!may_be_answered(machine, mtod(m, const struct ip *))) {
		m_freem(m);
		return;
	}
	m = take_message(machine, m, (size_t)off + ICMP_MINLEN);
	if (m == NULL)
		return;
	ip = mtod(m, struct ip *);
	asker = ip->ip_src;
	ip->ip_src = source_for(machine, m->m_pkthdr.rcvif, ip);
	ip->ip_dst = asker;
	ip->ip_ttl = 0;		/* the usual */
	ip->ip_off = 0;
	drop_source_routes((uint8_t *)ip + IP_HLEN, (size_t)(off - IP_HLEN));
	icmp = m->m_data + off;
	memcpy(&stored, icmp + 2, sizeof stored);
	/* Only the type's byte changes (RFC 1624). */
	sum = (uint32_t)(uint16_t)~ntohs(stored) + (uint16_t)~((uint8_t)icmp[0] << 8) +
	    (uint32_t)(type << 8);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	stored = htons(~sum & 0xffff);
	icmp[0] = (char)type;
	if (resum) {
		memset(icmp + 2, 0, 2);
		stored = in_cksum_part(m, (size_t)off, (size_t)(m->m_pkthdr.len - off));
	}
	memcpy(icmp + 2, &stored, sizeof stored);
	/* A new packet: what was noted about the request does not hold for it. */
	m_tag_delete_chain(machine, m);
	m->m_flags &= (uint16_t)~(MBUF_BCAST | MBUF_MCAST | MBUF_LOOP | MBUF_PROMISC);
	m->m_pkthdr.rcvif = NULL;
	m->m_pkthdr.csum_flags = 0;
	m->m_pkthdr.csum_data = 0;
	machine->icmp->stat.icps_reflect++;
	machine->icmp->stat.icps_outhist[type]++;
	(void)ip_send(machine, m, &sender);
}
