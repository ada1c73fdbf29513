/*
 * Explicit congestion notification: RFC 3168 sections 6.1.1 to 6.1.3, and RFC 8311's permission to mark
 * nothing but data segments; and which of both kinds a connection has, this or the accurate one of RFC 9768
 * (tcp_accecn.c), to which the ways in and out lead from here.
 *
 * Way in: tcp_ecn_input for every segment of an established connection: a CE mark on it makes us say
 * ECE until the peer's CWR comes; the peer's ECE reduces the window once per window of data (6.1.2),
 * whatever else reduced it in that window. Way out: tcp_ecn_output for every segment sent;
 * tcp_ecn_syn_flags for SYNs; tcp_ecn_settle for the peer's SYN when we have sent one.
 *
 * State: TF_ECN_*, t_recover_ecn while TF_CONGRECOVERY. No timers.
 *
 * Who uses it: net.inet.tcp.ecn.enable 1 asks for it and accepts it, 2 accepts it, 0 neither; 3 asks for the
 * accurate kind and accepts both, 4 accepts both, 5 asks as 1 does and accepts both. TCP_ENABLE_ECN says per
 * connection whether there is any. A SYN that is repeated more than net.inet.tcp.ecn.maxretries
 * times does not ask any more (6.1.1.1). net.inet.tcp.ecn.plusplus: what is marked besides new data.
 * FreeBSD's base stack tells CWR on the first data after a reduction, fast retransmissions too. Left out:
 * nonces.
 */
#include <netinet/ip.h>

#include "src/netinet/tcp_accecn.h"

/* ---- SYNs --------------------------------------------------------------------------------- */

static bool
asks(const struct tcpcb *tp)
{
	int enable = tptomachine(tp)->tcp->config.ecn_enable;

	if (tp->t_flags & (TF_ECN_WANTED | TF_ECN_REFUSED))
		return (tp->t_flags & TF_ECN_WANTED) != 0;
	return enable == 1 || enable == 3 || enable == 5;
}

/* 4: the user wants it. */
static bool
asks_accurately(const struct tcpcb *tp)
{
	int enable = tptomachine(tp)->tcp->config.ecn_enable;

	return enable == 3 || enable == 4;
}

uint16_t
tcp_ecn_syn_flags(const struct tcpcb *tp)
{
	const struct tcp_config *c = &tptomachine(tp)->tcp->config;

	/* Our SYN-ACK: the peer has asked. */
	if (tcp_accecn_of(tp) != NULL)
		return tcp_ace_flags(tcp_ace_of_mark(tcp_accecn_of(tp)->syn_mark));
	if (tp->t_flags & TF_ECN_PERMIT)
		return TH_ECE;
	if (tp->t_rxtshift > c->ecn_maxretries || tp->t_state > TCPS_SYN_SENT || !asks(tp))
		return 0;
	return asks_accurately(tp) ? TH_ACE : TH_ECE | TH_CWR;
}

uint8_t
tcp_ecn_syn_mark(struct nke *machine, uint16_t flags)
{
	int plus = machine->tcp->config.ecn_plusplus;

	if (!(flags & TH_ACE) || plus == ECN_PLUS_ACCURATE ||
	    plus < (flags & TH_ACK ? ECN_PLUS_SYNACK : ECN_PLUS_ALL))
		return IPTOS_ECN_NOTECT;
	return IPTOS_ECN_ECT0;
}

/* RFC 3168 6.1.1, RFC 9768 3.1.2: a SYN-ACK says ECE alone; nothing, or what was asked, is a refusal. */
static void
settle_answer(struct tcpcb *tp, const struct tcp_segment *seg)
{
	struct tcpstat *st = &seg->machine->tcp->stat;
	unsigned ace = tcp_ace_of(seg->flags);
	bool accurate = asks_accurately(tp);

	if (!asks(tp))
		return;
	if (accurate ? ace == ACE_GRANTS_3168 : (ace & ACE_ASKS_3168) == ACE_GRANTS_3168)
		tp->t_flags |= TF_ECN_PERMIT;
	else if (accurate && ace != 0 && ace != ACE_REFLECTED)
		tcp_accecn_answered(tp, seg);
	if (tp->t_flags & TF_ECN_PERMIT)
		st->tcps_ecn_client_success++;
	else
		st->tcps_ecn_not_supported++;
}

void
tcp_ecn_settle(struct tcpcb *tp, const struct tcp_segment *seg)
{
	unsigned ace = tcp_ace_of(seg->flags);

	if (seg->flags & TH_ACK) {
		settle_answer(tp, seg);
		return;
	}
	/* Both have called each other: a SYN says ECE and CWR, and then ours is the answer. */
	if ((ace & ACE_ASKS_3168) != ACE_ASKS_3168 || (tp->t_flags & TF_ECN_REFUSED) ||
	    (seg->machine->tcp->config.ecn_enable == 0 && !asks(tp)))
		return;
	if (ace != ACE_ASKS_3168 && seg->machine->tcp->config.ecn_enable >= 3)
		tcp_accecn_accept(tp, seg->tos & IPTOS_ECN_MASK, false);
	else
		tp->t_flags |= TF_ECN_PERMIT;
}

/* ---- congestion --------------------------------------------------------------------------- */

void
tcp_ecn_reduce(struct tcpcb *tp, const struct tcp_segment *seg)
{
	/* Once per window; and a window that loss has reduced is not reduced again. */
	if ((tp->t_flags & TF_CONGRECOVERY) && SEQ_LT(seg->ack, tp->t_recover_ecn))
		return;
	tp->t_flags |= TF_ECN_SND_CWR;
	if (tcp_in_recovery(tp))
		return;
	tp->t_flags |= TF_CONGRECOVERY;
	tp->t_recover_ecn = tp->snd_nxt;
	/* In flight when the mark was told: what this segment has acknowledged, too. */
	tp->t_lossflight = tp->snd_nxt - tp->snd_una + seg->newly_acked;
	tptomachine(tp)->tcp->ecnstat.tcps_ecn_rcwnd++;
	cc_cong_signal(tp, CC_ECN);
	tcp_recovery_begin_prr(tp);
	/* RFC 5562 3.2: nothing else has gone, so it was the SYN-ACK that was marked. */
	if (tp->snd_nxt == tp->iss + 1)
		tp->snd_cwnd = tp->t_maxseg;
}

static void
congestion_echoed(struct tcpcb *tp, const struct tcp_segment *seg)
{
	tp->t_ecn_ece++;
	tcp_statistics(tptomachine(tp))->tcps_ecn_recv_ece++;
	if (tp->t_ecn_ece == 1)
		tcp_statistics(tptomachine(tp))->tcps_ecn_conn_recv_ece++;
	tcp_ecn_reduce(tp, seg);
}

bool
tcp_ecn_says_cwr(const struct tcpcb *tp)
{
	const struct tcp_accecn *a = tcp_accecn_of(tp);

	return a != NULL ? (tcp_ace_flags(a->rcv_cep & ACE_BITS) & TH_CWR) != 0 :
	    (tp->t_flags & TF_ECN_SND_CWR) != 0;
}

void
tcp_ecn_input(struct tcpcb *tp, const struct tcp_segment *seg)
{
	struct tcpstat *st = tcp_statistics(tptomachine(tp));

	if (LIKELY(!(tp->t_flags & TF_ECN_PERMIT)))
		return;
	if (tcp_accecn_of(tp) != NULL) {
		tcp_accecn_came(tp, seg);
		return;
	}
	if ((seg->tos & IPTOS_ECN_MASK) == IPTOS_ECN_CE) {
		tp->t_ecn_ce++;
		st->tcps_ecn_recv_ce++;
		if (tp->t_ecn_ce == 1)
			st->tcps_ecn_conn_recv_ce++;
	}
	/* The peer's window is small now: the ACK of its data, which it waits for, must not be delayed. */
	if (seg->flags & TH_CWR)
		tp->t_flags = (tp->t_flags & ~(uint32_t)TF_ECN_SND_ECE) | (seg->len != 0 ? TF_ACKNOW : 0);
	/* A mark on the very segment with CWR is a new one. */
	if ((seg->tos & IPTOS_ECN_MASK) == IPTOS_ECN_CE)
		tp->t_flags |= TF_ECN_SND_ECE;
	if ((seg->flags & (TH_ECE | TH_SYN | TH_RST | TH_ACK)) == (TH_ECE | TH_ACK) &&
	    SEQ_GEQ(seg->ack, tp->snd_una) && SEQ_LEQ(seg->ack, tp->snd_nxt))
		congestion_echoed(tp, seg);
}

uint8_t
tcp_ecn_output(struct tcpcb *tp, uint16_t *th_flags, uint32_t len, bool rexmit)
{
	if (tcp_accecn_of(tp) != NULL)
		return tcp_accecn_output(tp, th_flags, len, rexmit);
	if (LIKELY(!(tp->t_flags & TF_ECN_PERMIT)) || tp->t_state < TCPS_ESTABLISHED)
		return IPTOS_ECN_NOTECT;
	if (tp->t_flags & TF_ECN_SND_ECE) {
		*th_flags |= TH_ECE;
		tcp_statistics(tptomachine(tp))->tcps_ecn_sent_ece++;
	}
	/* 6.1.2: with the first new data; in FreeBSD's base stack a fast retransmission will do. */
	if ((tp->t_flags & TF_ECN_SND_CWR) && len != 0 &&
	    (!rexmit || ((tp->t_uflags & TFU_BASE) && (tp->t_flags & TF_FASTRECOVERY)))) {
		*th_flags |= TH_CWR;
		tp->t_flags &= ~(uint32_t)TF_ECN_SND_CWR;
	}
	/* 6.1.5: neither retransmissions nor pure ACKs are marked, and window probes are no new data. */
	if ((len == 0 || rexmit) && tptomachine(tp)->tcp->config.ecn_plusplus != ECN_PLUS_ALL)
		return IPTOS_ECN_NOTECT;
	return IPTOS_ECN_ECT0;
}
