/*
 * Segments for listeners: RFC 9293 section 3.10.7.2. Called by tcp_input.c for what belongs to no connection
 * and to a socket that listens.
 *
 * The listener itself keeps nothing: a SYN becomes an entry of the SYN cache (tcp_syncache.c), an ACK that
 * fits one (or a cookie) becomes a connection, which then gets the segment as if it had been for it.
 *
 * Limits: those of the SYN cache and the listen queue. SYNs to groups, to everybody or from ourselves to
 * the very same port are dropped; net.inet.tcp.drop_synfin drops those with FIN as well.
 *
 * Left out: connections to deprecated addresses are made (net.inet6.ip6.use_deprecated 1, the default).
 */
#include <netinet6/in6_var.h>

#include "dlil/dlil.h"
#include "src/net/ifaddr.h"
#include "src/netinet/tcp_private.h"

/* RFC 4291 2.6: an anycast address is nobody's source address, and so no end of a connection. */
static bool
anycast(const struct tcp_segment *seg)
{
	struct ifaddr *ifa;

	if (seg->ends.vflag == INP_IPV4)
		return false;
	ifa = ifaddr_find_in6(seg->machine, &seg->ends.laddr);
	return ifa != NULL && (ifa->ia6_flags & IN6_IFF_ANYCAST);
}

/* "Land": a connection to itself would answer itself for ever. */
static bool
from_itself(const struct tcp_segment *seg)
{
	return seg->ends.fport == seg->ends.lport &&
	    IN6_ARE_ADDR_EQUAL(&seg->ends.faddr, &seg->ends.laddr);
}

static void
listen_syn(struct inpcb *listener, struct tcp_segment *seg)
{
	struct tcp_state *s = seg->machine->tcp;

	if (tcp_drops_synfin(seg) || seg->ends.fport == 0 || from_itself(seg)) {
		s->stat.tcps_badsyn++;
		return;
	}
	if (anycast(seg)) {
		icmp6_error(seg->machine, seg->m, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR, 0);
		seg->m = NULL;
		return;
	}
	syncache_add(listener, seg);
}

static void
listen_ack(struct inpcb *listener, struct tcp_segment *seg)
{
	struct socket *so = NULL;

	if (!syncache_expand(listener, seg, &so)) {
		tcp_reset_segment(seg, NULL);
		return;
	}
	if (so != NULL && so->so_pcb != NULL)
		tcp_do_segment(sototcpcb(so), seg);
}

/* What is not consumed the caller frees. */
void
tcp_listen_input(struct inpcb *listener, struct tcp_segment *seg)
{
	switch (seg->flags & (TH_RST | TH_ACK | TH_SYN)) {
	case TH_SYN:
		listen_syn(listener, seg);
		break;
	case TH_ACK:
		listen_ack(listener, seg);
		break;
	case TH_SYN | TH_ACK:
		/* Somebody answers a SYN that we did not send, or ours was lost with our memory of it. */
		seg->machine->tcp->stat.tcps_badsyn++;
		syncache_badack(listener, seg);
		tcp_reset_segment(seg, NULL);
		break;
	case 0:
		break;
	default:
		syncache_reset(listener, seg);
		break;
	}
}
