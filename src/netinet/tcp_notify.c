/*
 * ICMP errors about segments of TCP, of both families: RFC 1122 4.2.3.9, RFC 5461 (soft errors), RFC 5927
 * (attacks with ICMP), RFC 1191 and RFC 8201 (path MTU). Called by IP as `error` of tcp_transport.
 *
 * An error counts only when the sequence number it quotes is that of something in flight (RFC 5927 4.1).
 * Errors never end a connection that is established: they are remembered, and given as the reason if it is
 * given up later. While connecting, a final one ("hard": port, protocol, prohibited) ends it if
 * net.inet.tcp.icmp_may_rst says so; others do when the SYN has been repeated often enough. Source quench is
 * not heard (RFC 6633). Path MTU messages may only lower the segment size, and never below
 * net.inet.tcp.minmss.
 *
 * No state, no timers. Left out: RFC 5927 7.2's delay of path MTU messages until there is no progress.
 */
#include <string.h>

#include "src/netinet/tcp_private.h"

/* So many SYNs must have gone unanswered for a soft error to end the attempt at once. */
#define SYN_RETRIES	3

/* The first 8 octets of a TCP header, all that ICMP has to quote. */
struct quoted {
	uint16_t sport, dport;
	uint32_t seq;
};

/* ---- whose it is -------------------------------------------------------------------------- */

static bool
read_ends(const struct ip_error *e, struct in_ends *ends, tcp_seq *seq)
{
	struct sockaddr_in6 sin6;
	struct quoted q;

	if (e->len < sizeof q || m_copydata(e->m, e->off, sizeof q, &q) != 0)
		return false;
	memset(ends, 0, sizeof *ends);
	ends->ifp = e->m->m_pkthdr.rcvif;
	if (e->dst.ss_family == AF_INET) {
		ends->vflag = INP_IPV4;
		ends->faddr = in6_from4(((const struct sockaddr_in *)(const void *)&e->dst)->sin_addr.s_addr);
		ends->laddr = in6_from4(((const struct sockaddr_in *)(const void *)&e->src)->sin_addr.s_addr);
	} else {
		ends->vflag = INP_IPV6;
		memcpy(&sin6, &e->dst, sizeof sin6);
		ends->faddr = sin6.sin6_addr;
		memcpy(&sin6, &e->src, sizeof sin6);
		ends->laddr = sin6.sin6_addr;
	}
	ends->lport = q.sport;
	ends->fport = q.dport;
	*seq = ntohl(q.seq);
	return true;
}

/* ---- path MTU ----------------------------------------------------------------------------- */

static void
path_mtu(struct tcpcb *tp, const struct ip_error *e, uint8_t vflag)
{
	if (vflag == INP_IPV6 || tptomachine(tp)->tcp->config.path_mtu_discovery)
		tcp_mtu_changed(tp, e->mtu);
}

/* ---- errors ------------------------------------------------------------------------------- */

static bool
unreachable(errno_t error)
{
	return error == EHOSTUNREACH || error == ENETUNREACH || error == EHOSTDOWN;
}

static void
notify(struct tcpcb *tp, const struct ip_error *e)
{
	if (tp->t_state == TCPS_SYN_SENT && e->hard && tptomachine(tp)->tcp->config.icmp_may_rst) {
		tcp_drop(tp, e->error);
		return;
	}
	/* Routes come and go; an established connection outlives that. */
	if (TCPS_HAVEESTABLISHED(tp->t_state) && unreachable(e->error))
		return;
	if (!TCPS_HAVEESTABLISHED(tp->t_state) && tp->t_rxtshift > SYN_RETRIES && tp->t_softerror != 0)
		tcp_drop(tp, e->error);
	else
		tp->t_softerror = e->error;
}

/* Is the sequence number that of something which has been sent and not acknowledged? */
static bool
in_flight(const struct tcpcb *tp, tcp_seq seq)
{
	return SEQ_GEQ(seq, tp->snd_una) && SEQ_LT(seq, tp->snd_nxt);
}

void
tcp_error(struct nke *machine, const struct ip_error *e)
{
	struct in_ends ends;
	struct inpcb *inp;
	struct socket *so;
	tcp_seq seq;

	if (e->error == 0 || !read_ends(e, &ends, &seq))
		return;
	inp = in_pcblookup(&machine->tcp->pcbs, &ends, false);
	if (inp == NULL) {
		if (e->error != EMSGSIZE)
			syncache_unreach(machine, &ends, seq);
		return;
	}
	if (!in_flight(intotcpcb(inp), seq))
		return;
	so = inp->inp_socket;
	so_retain(so);
	if (e->error == EMSGSIZE)
		path_mtu(intotcpcb(inp), e, ends.vflag);
	else
		notify(intotcpcb(inp), e);
	so_release(so);
}
