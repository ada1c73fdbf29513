/*
 * UDP's way in: RFC 768, RFC 1122 4.1, RFC 8085, RFC 8200 section 8.1. Called by IP for both families, and
 * with ICMP errors about datagrams that were sent from here.
 *
 * A datagram to one address goes to one socket: connected to its sender, bound to its destination, bound
 * to the port. One to a group or to everybody goes to each socket that is bound to the port, wants the
 * source, and is a member of the group; they share its data. Nobody: an ICMP error, which ICMP limits.
 *
 * Left out: IPV6_RECVPATHMTU for sockets that are not connected.
 *
 * Limits: what a socket has no room for is dropped and counted; a copy costs one mbuf per socket.
 */
#include <netinet/ip_icmp.h>
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/klog.h"
#include "src/netinet/ip_state.h"
#include "src/netinet/udp_private.h"

/* A datagram that came. */
struct udp_in {
	struct nke *machine;
	struct in_ends ends;
	int off;			/* of its header */
	bool multicast;
};

/* ---- to sockets --------------------------------------------------------------------------- */

/* Consumes. */
static inline void
deliver(const struct udp_in *in, struct inpcb *inp, struct mbuf *m)
{
	struct socket *so = inp->inp_socket;
	union sockaddr_in_4_6 from;
	struct mbuf *control = NULL;
	errno_t error;

	if (UNLIKELY(so->so_state & SS_CANTRCVMORE)) {
		in->machine->udp->stat.udps_fullsock++;
		m_freem(m);
		return;
	}
	if (UNLIKELY(in_wants_control(inp)) &&
	    !in_savecontrol(inp, m, in->ends.vflag, in->off, &control)) {
		m_freem(m);
		return;
	}
	if (LIKELY(so->so_family == PF_INET)) {
		memset(&from.sin, 0, sizeof from.sin);
		from.sin.sin_len = sizeof from.sin;
		from.sin.sin_family = AF_INET;
		from.sin.sin_port = in->ends.fport;
		from.sin.sin_addr.s_addr = in->ends.faddr.s6_addr32[3];
	} else {
		uint32_t zone = in_pcbzone(in->machine, m->m_pkthdr.rcvif, &in->ends.faddr);
		struct sockaddr_storage ss;

		in_pcbname(inp, in->ends.vflag, &in->ends.faddr, zone, in->ends.fport, &ss);
		memcpy(&from.sin6, &ss, sizeof from.sin6);
	}
	m_adj(m, in->off + UDP_HLEN);
	/* Filters and whoever is woken may close it. */
	so_retain(so);
	error = sbappendaddr(&so->so_rcv, &from.sa, m, control);
	if (LIKELY(error == 0))
		sorwakeup(so);
	else if (error == ENOBUFS)
		in->machine->udp->stat.udps_fullsock++;
	so_release(so);
}

/* ---- to many ------------------------------------------------------------------------------ */

static bool
wants(const struct udp_in *in, const struct inpcb *inp, bool *filtered)
{
	const struct in_ends *e = &in->ends;
	const struct ifnet *ifp = e->ifp;
	bool v4 = e->vflag == INP_IPV4;

	if (inp->inp_lport != e->lport || !(inp->inp_vflag & e->vflag) ||
	    (inp->inp_fport != 0 && (inp->inp_fport != e->fport ||
	    !IN6_ARE_ADDR_EQUAL(&inp->inp_faddr6, &e->faddr))))
		return false;
	/* Bound or found by connecting: a local address that is settled is no group. */
	if (!IN6_IS_ADDR_UNSPECIFIED(&inp->inp_laddr6) &&
	    !IN6_ARE_ADDR_EQUAL(&inp->inp_laddr6, &e->laddr))
		return false;
	if (inp->inp_boundif != NULL && ifp != NULL && inp->inp_boundif != ifp &&
	    !(ifp->flags & IFF_LOOPBACK))
		return false;
	if (!in->multicast)
		return true;
	if (v4 ? in_mcast_wanted(inp, ifp, AF_INET, &e->laddr.s6_addr32[3], &e->faddr.s6_addr32[3]) :
	    in_mcast_wanted(inp, ifp, AF_INET6, &e->laddr, &e->faddr))
		return true;
	*filtered = true;
	return false;
}

/* A copy for all but the last. */
static void
deliver_copy(const struct udp_in *in, struct socket *so, const struct mbuf *m)
{
	struct inpcb *inp = sotoinpcb(so);
	struct mbuf *copy;

	if (inp == NULL)
		return;
	copy = m_copym((struct mbuf *)(uintptr_t)m, 0, M_COPYALL, MBUF_DONTWAIT);
	if (copy != NULL)
		deliver(in, inp, copy);
	else
		in->machine->udp->stat.udps_fullsock++;
}

static void
nobody_of_many(const struct udp_in *in, bool filtered)
{
	struct udpstat *st = &in->machine->udp->stat;

	if (filtered)
		st->udps_filtermcast++;
	else if (in->multicast)
		st->udps_noportmcast++;
	else
		st->udps_noportbcast++;
}

/*
 * What is called on the way may bind and close sockets: the walk starts anew then and passes over those
 * that it has seen.
 */
static void
deliver_to_all(const struct udp_in *in, struct mbuf *m)
{
	struct udp_state *s = in->machine->udp;
	uint32_t serial = ++s->serial;
	struct socket *last = NULL;
	struct inpcb *inp;
	bool filtered = false;
	uint32_t changes;

again:
	changes = s->pcbs.changes;
	IN_PCBPORT_FOREACH(inp, &s->pcbs, in->ends.lport) {
		if (inp->inp_serial == serial)
			continue;
		inp->inp_serial = serial;
		if (!wants(in, inp, &filtered))
			continue;
		so_retain(inp->inp_socket);
		if (last == NULL) {
			last = inp->inp_socket;
			continue;
		}
		deliver_copy(in, last, m);
		so_release(last);
		last = inp->inp_socket;
		if (changes != s->pcbs.changes)
			goto again;
	}
	if (last == NULL) {
		nobody_of_many(in, filtered);
		m_freem(m);
		return;
	}
	if (sotoinpcb(last) != NULL)
		deliver(in, sotoinpcb(last), m);
	else
		m_freem(m);
	so_release(last);
}

/* ---- checks ------------------------------------------------------------------------------- */

/* Lengths: the header is contiguous, what is behind the datagram is cut off. NULL: dropped. */
static inline struct mbuf *
check_length(struct nke *machine, struct mbuf *m, int off)
{
	struct udpstat *st = &machine->udp->stat;
	const struct udphdr *uh;
	int have = m->m_pkthdr.len - off, len;

	if (UNLIKELY(have < UDP_HLEN)) {
		st->udps_hdrops++;
		m_freem(m);
		return NULL;
	}
	if (UNLIKELY(m->m_len < off + UDP_HLEN)) {
		m = in_pullup(machine, m, (size_t)off + UDP_HLEN);
		if (m == NULL) {
			st->udps_hdrops++;
			return NULL;
		}
	}
	uh = (const struct udphdr *)(const void *)(m->m_data + off);
	len = ntohs(uh->uh_ulen);
	if (LIKELY(len == have))
		return m;
	if (len < UDP_HLEN || len > have) {
		st->udps_badlen++;
		m_freem(m);
		return NULL;
	}
	/* A sum over all that came counts what is cut off. */
	if (!(m->m_pkthdr.csum_flags & MBUF_CSUM_PSEUDO_HDR))
		m->m_pkthdr.csum_flags &= ~(uint32_t)MBUF_CSUM_DID_DATA;
	m_adj(m, len - have);
	return m;
}

/* Is the checksum right, as the hardware says or as it turns out? */
static inline bool
sum_good(struct nke *machine, const struct mbuf *m, int off, uint32_t pseudo, bool v4)
{
	struct udpstat *st = &machine->udp->stat;
	uint32_t len = (uint32_t)(m->m_pkthdr.len - off);
	int told = in_sum_told(m, pseudo);

	if (LIKELY(told >= 0))
		return told != 0;
	*(v4 ? &st->udps_rcv_swcsum : &st->udps_rcv6_swcsum) += 1;
	*(v4 ? &st->udps_rcv_swcsum_bytes : &st->udps_rcv6_swcsum_bytes) += len;
	return in_cksum_sum(m, (size_t)off, len, pseudo) == 0xffff;
}

/* ---- nobody ------------------------------------------------------------------------------- */

static void
said_in_vain(const struct udp_in *in)
{
	char to[MAX_IPv6_STR_LEN], from[MAX_IPv6_STR_LEN];
	bool v4 = in->ends.vflag == INP_IPV4;
	int family = v4 ? AF_INET : AF_INET6;

	klog(in->machine, 6, "Connection attempt to UDP %s:%d from %s:%d",
	    inet_ntop(family, v4 ? (const void *)&in->ends.laddr.s6_addr32[3] : &in->ends.laddr, to,
	    sizeof to), ntohs(in->ends.lport),
	    inet_ntop(family, v4 ? (const void *)&in->ends.faddr.s6_addr32[3] : &in->ends.faddr, from,
	    sizeof from), ntohs(in->ends.fport));
}

/* net.inet.udp.blackhole: no answer to others; 2: nor to ourselves. */
static bool
black_hole(const struct udp_in *in)
{
	const struct ifnet *ifp = in->ends.ifp;
	int level = in->machine->udp->blackhole;

	return level > 1 || (level == 1 && (ifp == NULL || !(ifp->flags & IFF_LOOPBACK)));
}

/* RFC 1122 4.1.3.1, RFC 4443 3.1. */
static void
nobody(const struct udp_in *in, struct mbuf *m)
{
	struct udp_state *s = in->machine->udp;

	s->stat.udps_noport++;
	if (s->log_in_vain)
		said_in_vain(in);
	/* Port 0 is nobody's, and nobody's fault. */
	if ((m->m_flags & (MBUF_BCAST | MBUF_MCAST)) || in->ends.lport == 0 || black_hole(in))
		m_freem(m);
	else if (in->ends.vflag == INP_IPV4)
		icmp_error(in->machine, m, ICMP_UNREACH, ICMP_UNREACH_PORT, 0);
	else
		icmp6_error(in->machine, m, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, 0);
}

/* ---- in ----------------------------------------------------------------------------------- */

static inline void
find_and_deliver(const struct udp_in *in, struct mbuf *m)
{
	struct inpcb *inp = in_pcblookup(&in->machine->udp->pcbs, &in->ends, true);

	if (LIKELY(inp != NULL))
		deliver(in, inp, m);
	else
		nobody(in, m);
}

static inline void
read_ports(struct udp_in *in, const struct udphdr *uh)
{
	in->ends.fport = uh->uh_sport;
	in->ends.lport = uh->uh_dport;
}

/* Neither a group nor anybody's broadcast address. What IP found to be ours last mostly still is it. */
static inline bool
one_address(struct nke *machine, const struct mbuf *m, in_addr_t dst)
{
	const struct ip_state *ip = machine->ip;

	if (LIKELY(ip->last_ours != NULL && ip->last_ours_addr == dst && ip->last_ours->attached))
		return true;
	if (IN_MULTICAST(ntohl(dst)) || dst == htonl(INADDR_BROADCAST))
		return false;
	if (ifaddr_find_in4(machine, dst) != NULL)
		return true;
	return ifaddr_find_broadcast4(machine, m->m_pkthdr.rcvif, dst) == NULL;
}

static void
udp_input(struct nke *machine, struct mbuf *m, int off, uint8_t protocol)
{
	struct udp_in in = {.machine = machine, .off = off, .ends.vflag = INP_IPV4};
	struct udpstat *st = &machine->udp->stat;
	const struct udphdr *uh;
	const struct ip *ip;

	(void)protocol;
	st->udps_ipackets++;
	m = check_length(machine, m, off);
	if (UNLIKELY(m == NULL))
		return;
	ip = mtod(m, const struct ip *);
	uh = (const struct udphdr *)(const void *)(m->m_data + off);
	if (UNLIKELY(uh->uh_sum == 0)) {
		st->udps_nosum++;
	} else if (UNLIKELY(!sum_good(machine, m, off, in_pseudo(ip->ip_src, ip->ip_dst, IPPROTO_UDP,
	    (uint32_t)(m->m_pkthdr.len - off)), true))) {
		st->udps_badsum++;
		m_freem(m);
		return;
	}
	read_ports(&in, uh);
	in.ends.faddr = in6_from4(ip->ip_src.s_addr);
	in.ends.laddr = in6_from4(ip->ip_dst.s_addr);
	in.ends.ifp = m->m_pkthdr.rcvif;
	if (LIKELY(one_address(machine, m, ip->ip_dst.s_addr))) {
		find_and_deliver(&in, m);
		return;
	}
	in.multicast = IN_MULTICAST(ntohl(ip->ip_dst.s_addr));
	deliver_to_all(&in, m);
}

static void
udp6_input(struct nke *machine, struct mbuf *m, int off, uint8_t protocol)
{
	struct udp_in in = {.machine = machine, .off = off, .ends.vflag = INP_IPV6};
	struct udpstat *st = &machine->udp->stat;
	const struct udphdr *uh;

	(void)protocol;
	st->udps_ipackets++;
	m = check_length(machine, m, off);
	if (UNLIKELY(m == NULL))
		return;
	memcpy(&in.ends.faddr, m->m_data + offsetof(struct ip6_hdr, ip6_src), sizeof in.ends.faddr);
	memcpy(&in.ends.laddr, m->m_data + offsetof(struct ip6_hdr, ip6_dst), sizeof in.ends.laddr);
	uh = (const struct udphdr *)(const void *)(m->m_data + off);
	/* RFC 8200 section 8.1: there has to be one. */
	if (UNLIKELY(uh->uh_sum == 0)) {
		st->udps_nosum++;
		m_freem(m);
		return;
	}
	if (UNLIKELY(!sum_good(machine, m, off, in6_pseudo(&in.ends.faddr, &in.ends.laddr, IPPROTO_UDP,
	    (uint32_t)(m->m_pkthdr.len - off)), false))) {
		st->udps_badsum++;
		m_freem(m);
		return;
	}
	read_ports(&in, uh);
	in.ends.ifp = m->m_pkthdr.rcvif;
	if (LIKELY(!IN6_IS_ADDR_MULTICAST(&in.ends.laddr))) {
		find_and_deliver(&in, m);
		return;
	}
	in.multicast = true;
	deliver_to_all(&in, m);
}

/* ---- errors ------------------------------------------------------------------------------- */

/* RFC 3542 section 11.3: a message without data, from the peer, that says the path's MTU. */
static void
tell_path_mtu(struct inpcb *inp, const struct ip_error *e)
{
	struct nke *machine = inp->inp_info->machine;
	struct socket *so = inp->inp_socket;
	struct ip6_mtuinfo info = {.ip6m_mtu = e->mtu};
	struct sockaddr_storage from;
	struct mbuf *m, *control;

	in_pcbname(inp, INP_IPV6, &inp->inp_faddr6, inp->inp_fzone, inp->inp_fport, &from);
	memcpy(&info.ip6m_addr, &from, sizeof info.ip6m_addr);
	m = m_gethdr(machine, MBUF_DONTWAIT, MBUF_TYPE_DATA);
	control = sbcreatecontrol(machine, &info, sizeof info, IPV6_PATHMTU, IPPROTO_IPV6);
	if (m == NULL || control == NULL) {
		m_freem(m);
		m_freem(control);
	} else if (sbappendaddr(&so->so_rcv, (const struct sockaddr *)(const void *)&from, m, control) == 0) {
		sorwakeup(so);
	}
}

/* RFC 1122 4.1.3.3: told to the socket that is connected to where the datagram was going. */
static void
udp_error(struct nke *machine, const struct ip_error *e)
{
	struct in_ends ends = {.ifp = e->m->m_pkthdr.rcvif};
	struct sockaddr_in6 sin6;
	struct udphdr uh;
	struct inpcb *inp;
	struct socket *so;

	if (e->len < sizeof uh || m_copydata(e->m, e->off, sizeof uh, &uh) != 0)
		return;
	ends.vflag = e->dst.ss_family == AF_INET ? INP_IPV4 : INP_IPV6;
	if (ends.vflag == INP_IPV4) {
		ends.faddr = in6_from4(((const struct sockaddr_in *)(const void *)&e->dst)->sin_addr.s_addr);
		ends.laddr = in6_from4(((const struct sockaddr_in *)(const void *)&e->src)->sin_addr.s_addr);
	} else {
		memcpy(&sin6, &e->dst, sizeof sin6);
		ends.faddr = sin6.sin6_addr;
		memcpy(&sin6, &e->src, sizeof sin6);
		ends.laddr = sin6.sin6_addr;
	}
	ends.lport = uh.uh_sport;
	ends.fport = uh.uh_dport;
	inp = in_pcblookup(&machine->udp->pcbs, &ends, false);
	if (inp == NULL)
		return;
	so = inp->inp_socket;
	so_retain(so);
	if (e->error == EMSGSIZE && ends.vflag == INP_IPV6 && (inp->inp_flags & INP_RECV6PATHMTU))
		tell_path_mtu(inp, e);
	/* The route knows the path's MTU now; only who must not be cut in pieces has to know. */
	else if (e->error != 0 && (e->error != EMSGSIZE || (inp->inp_flags & INP_DONTFRAG)))
		so_seterror(so, e->error);
	so_release(so);
}

const struct ip_transport udp_transport = {.input = udp_input, .error = udp_error};
const struct ip_transport udp6_transport = {.input = udp6_input, .error = udp_error};
