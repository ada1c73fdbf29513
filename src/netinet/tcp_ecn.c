/*
 * Explicit congestion notification: RFC 3168 sections 6.1.1 to 6.1.3, and RFC 8311's permission to
 * mark nothing but data segments.
 *
 * Way in: tcp_ecn_input for every segment of an established connection: a CE mark on it makes us say
 * ECE until the peer's CWR comes; the peer's ECE reduces the window once per window of data (6.1.2),
 * whatever else reduced it in that window. Way out: tcp_ecn_output for every segment sent;
 * tcp_ecn_syn_flags for SYNs.
 *
 * State: TF_ECN_*, t_recover_ecn while TF_CONGRECOVERY. No timers.
 *
 * Who uses it: net.inet.tcp.ecn.enable 1 asks for it and accepts it, 2 accepts it, 0 neither;
 * TCP_ENABLE_ECN says so per connection. A SYN that is repeated more than net.inet.tcp.ecn.maxretries
 * times does not ask any more (6.1.1.1). net.inet.tcp.ecn.plusplus: what is marked besides new data.
 * FreeBSD's base stack tells CWR on the first data after a reduction, retransmissions too. Left out: nonces,
 * accurate ECN.
 */
#include <netinet/ip.h>

#include "src/netinet/tcp_private.h"

uint8_t
tcp_ecn_syn_flags(const struct tcpcb *tp)
{
	const struct tcp_config *c = &tptomachine(tp)->tcp->config;

	if (tp->t_flags & TF_ECN_PERMIT)
		return TH_ECE;		/* our SYN-ACK: the peer has asked */
	if ((tp->t_flags & TF_ECN_REFUSED) || tp->t_rxtshift > c->ecn_maxretries ||
	    tp->t_state > TCPS_SYN_SENT)
		return 0;
	return (tp->t_flags & TF_ECN_WANTED) || c->ecn_enable == 1 ? TH_ECE | TH_CWR : 0;
}

uint8_t
tcp_ecn_syn_mark(struct nke *machine, uint8_t flags)
{
	int least = flags & TH_ACK ? ECN_PLUS_SYNACK : ECN_PLUS_ALL;

	if (!(flags & TH_ECE) || machine->tcp->config.ecn_plusplus < least)
		return IPTOS_ECN_NOTECT;
	return IPTOS_ECN_ECT0;
}

static void
congestion_echoed(struct tcpcb *tp, const struct tcp_segment *seg)
{
	tp->t_ecn_ece++;
	tcp_statistics(tptomachine(tp))->tcps_ecn_recv_ece++;
	if (tp->t_ecn_ece == 1)
		tcp_statistics(tptomachine(tp))->tcps_ecn_conn_recv_ece++;
	/* Once per window; and a window that loss has reduced is not reduced again. */
	if ((tp->t_flags & TF_CONGRECOVERY) && SEQ_LT(seg->ack, tp->t_recover_ecn))
		return;
	tp->t_flags |= TF_ECN_SND_CWR;
	if (tcp_in_recovery(tp))
		return;
	tp->t_flags |= TF_CONGRECOVERY;
	tp->t_recover_ecn = tp->snd_nxt;
	tp->t_lossflight = tp->snd_nxt - tp->snd_una;
	cc_cong_signal(tp, CC_ECN);
	/* RFC 5562 3.2: nothing else has gone, so it was the SYN-ACK that was marked. */
	if (tp->snd_nxt == tp->iss + 1)
		tp->snd_cwnd = tp->t_maxseg;
}

void
tcp_ecn_input(struct tcpcb *tp, const struct tcp_segment *seg)
{
	struct tcpstat *st = tcp_statistics(tptomachine(tp));

	if (LIKELY(!(tp->t_flags & TF_ECN_PERMIT)))
		return;
	if ((seg->tos & IPTOS_ECN_MASK) == IPTOS_ECN_CE) {
		tp->t_ecn_ce++;
		st->tcps_ecn_recv_ce++;
		if (tp->t_ecn_ce == 1)
			st->tcps_ecn_conn_recv_ce++;
	}
	/* The peer's window is small now: its ACK must not be delayed. */
	if (seg->flags & TH_CWR)
		tp->t_flags = (tp->t_flags & ~(uint32_t)TF_ECN_SND_ECE) | TF_ACKNOW;
	/* A mark on the very segment with CWR is a new one. */
	if ((seg->tos & IPTOS_ECN_MASK) == IPTOS_ECN_CE)
		tp->t_flags |= TF_ECN_SND_ECE;
	if ((seg->flags & (TH_ECE | TH_SYN | TH_RST | TH_ACK)) == (TH_ECE | TH_ACK) &&
	    SEQ_GEQ(seg->ack, tp->snd_una) && SEQ_LEQ(seg->ack, tp->snd_nxt))
		congestion_echoed(tp, seg);
}

uint8_t
tcp_ecn_output(struct tcpcb *tp, uint8_t *th_flags, uint32_t len, bool rexmit)
{
	if (LIKELY(!(tp->t_flags & TF_ECN_PERMIT)) || tp->t_state < TCPS_ESTABLISHED)
		return IPTOS_ECN_NOTECT;
	if (tp->t_flags & TF_ECN_SND_ECE) {
		*th_flags |= TH_ECE;
		tcp_statistics(tptomachine(tp))->tcps_ecn_sent_ece++;
	}
	/* 6.1.2: with the first new data; FreeBSD's base stack does not ask whether they are new. */
	if ((tp->t_flags & TF_ECN_SND_CWR) && len != 0 && (!rexmit || (tp->t_uflags & TFU_BASE))) {
		*th_flags |= TH_CWR;
		tp->t_flags &= ~(uint32_t)TF_ECN_SND_CWR;
	}
	/* 6.1.5: neither retransmissions nor pure ACKs are marked, and window probes are no new data. */
	if ((len == 0 || rexmit) && tptomachine(tp)->tcp->config.ecn_plusplus != ECN_PLUS_ALL)
		return IPTOS_ECN_NOTECT;
	return IPTOS_ECN_ECT0;
}
