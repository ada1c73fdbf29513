/*
 * The acknowledgement of a segment: RFC 9293 section 3.10.7.4, fifth step; RFC 5681 section 2 (what a
 * duplicate ACK is), RFC 5961 section 5 (which ACKs can be true), RFC 6298 section 5 (the timer). Called by
 * tcp_segment.c for connections in SYN_RECEIVED and beyond, once the sequence number was found good;
 * tcp_ack_advance also by header prediction and at the end of connecting.
 *
 * State: snd_una, snd_wnd, snd_wl1, snd_wl2, max_sndwnd. In order: is the ACK possible at all; SYN_RECEIVED
 * becomes ESTABLISHED; the cumulative ACK frees data (so_snd) and what is remembered of them (tcp_sent.c);
 * SACK; what is lost and how much may be in flight (tcp_recovery.c, cc.c); the peer's window; states that
 * wait for the ACK of our FIN.
 *
 * Timers: retransmission is restarted or stopped, persist is stopped when the window opens, keepalive
 * begins with the connection, FIN_WAIT_2 with its state when nobody is left to read.
 *
 * Limits: ACKs of what was never sent, or older than a window, change nothing and get a limited answer.
 */
#include "src/kern/sched.h"
#include "src/netinet/tcp_accecn.h"

/* ---- something new ------------------------------------------------------------------------ */

void
tcp_ack_advance(struct tcpcb *tp, struct tcp_segment *seg, uint32_t octets)
{
	struct tcpstat *st = &seg->machine->tcp->stat;
	struct sockbuf *sb = &tptosocket(tp)->so_snd;

	seg->newly_acked = seg->ack - tp->snd_una;
	st->tcps_rcvackpack++;
	st->tcps_rcvackbyte += seg->newly_acked;
	tcp_sent_ack(tp, seg, seg->ack);
	tp->snd_una = seg->ack;
	if (UNLIKELY(SEQ_LT(tp->snd_up, tp->snd_una)))
		tp->snd_up = tp->snd_una;
	if (octets != 0) {
		sbdrop(sb, octets);
		seg->wake |= TCP_WAKE_WRITE;
	}
	/* There is progress: nobody gives up. The backoff stays until a round trip was measured (Karn). */
	tp->t_rxtstart = 0;
	tp->t_rxtshift = 0;
	if (seg->rtt != 0)
		tcp_rtt_update(tp, seg->rtt);
	if (tp->snd_una == tp->snd_nxt) {
		tcp_timer_set(tp, TT_REXMT, 0);
		tcp_timer_set(tp, TT_LOSS, 0);
		tp->t_flags &= ~(uint32_t)TF_TLP_ARMED;
	} else if (LIKELY(!tcp_timer_armed(tp, TT_PERSIST))) {
		tcp_set_rexmt(tp);
	}
}

/* ---- windows ------------------------------------------------------------------------------ */

/* RFC 9293 3.10.7.4: only from a segment that is not older than the last one which told it. */
static inline void
update_window(struct tcpcb *tp, struct tcp_segment *seg)
{
	if (SEQ_LT(seg->seq, tp->snd_wl1) || (seg->seq == tp->snd_wl1 && SEQ_LT(seg->ack, tp->snd_wl2)))
		return;
	if (seg->len == 0 && seg->ack == tp->snd_wl2 && seg->win > tp->snd_wnd)
		seg->machine->tcp->stat.tcps_rcvwinupd++;
	if (seg->win != tp->snd_wnd)
		seg->output = true;
	tp->snd_wnd = seg->win;
	tp->snd_wl1 = seg->seq;
	tp->snd_wl2 = seg->ack;
	if (tp->max_sndwnd < tp->snd_wnd)
		tp->max_sndwnd = tp->snd_wnd;
	if (tp->snd_wnd != 0 && UNLIKELY(tcp_timer_armed(tp, TT_PERSIST))) {
		tcp_timer_set(tp, TT_PERSIST, 0);
		tp->t_rxtshift = 0;
		tp->t_rxtcur = tcp_rto(tp);
		if (tp->snd_una != tp->snd_nxt)
			tcp_set_rexmt(tp);
		seg->output = true;
	}
}

/* ---- states ------------------------------------------------------------------------------- */

/* The ACK of our SYN, which ends the handshake. False: it is another one's. */
static bool
end_handshake(struct tcpcb *tp, struct tcp_segment *seg)
{
	if (SEQ_LEQ(seg->ack, tp->snd_una) || SEQ_GT(seg->ack, tp->snd_nxt)) {
		tcp_reset_segment(seg, tp);
		return false;
	}
	seg->machine->tcp->stat.tcps_connects++;
	seg->wake |= TCP_WAKE_CONNECTED;
	seg->output = true;
	/* What the loss of SYNs has begun says nothing of data. */
	tp->t_dupacks = 0;
	tp->t_rxtcur = tcp_rto(tp);
	/* Fast open has begun before the end of the handshake. */
	if (!(tp->t_flags & TF_FASTOPEN))
		cc_conn_init(tp);
	if (UNLIKELY(tp->t_fastopen != NULL))
		tcp_fastopen_free(tp);
	if (tp->t_flags & TF_NEEDFIN) {
		tp->t_flags &= ~(uint32_t)TF_NEEDFIN;
		tcp_setstate(tp, TCPS_FIN_WAIT_1);
	} else {
		tcp_setstate(tp, TCPS_ESTABLISHED);
	}
	tcp_keep_restart(tp);
	/* This segment tells the window, whatever came before. */
	tp->snd_wl1 = seg->seq - 1;
	return true;
}

/* False: the connection is gone. */
static bool
fin_acked(struct tcpcb *tp, struct tcp_segment *seg)
{
	switch (tp->t_state) {
	case TCPS_FIN_WAIT_1:
		tcp_setstate(tp, TCPS_FIN_WAIT_2);
		/* Against the book: a peer that never sends its FIN must not hold what nobody will read. */
		if (tptosocket(tp)->so_state & SS_CANTRCVMORE) {
			seg->wake |= TCP_WAKE_ALONE;
			tcp_timer_set(tp, TT_2MSL, tcp_finwait2_limit(tp));
		}
		return true;
	case TCPS_CLOSING:
		tcp_twstart(tp);
		return false;
	case TCPS_LAST_ACK:
		tcp_close(tp);
		return false;
	default:
		return true;
	}
}

/* ---- entry -------------------------------------------------------------------------------- */

/* RFC 5961 section 5: acknowledgements in this range can be the peer's. False: answered, nothing is done. */
static inline bool
acceptable(struct tcpcb *tp, struct tcp_segment *seg)
{
	if (UNLIKELY(SEQ_GT(seg->ack, tp->snd_nxt)) && !tcp_probe_acked(tp, seg->ack)) {
		seg->machine->tcp->stat.tcps_rcvacktoomuch++;
		/* FreeBSD's base stack looks at marks before it looks at the ACK. */
		if (tp->t_uflags & TFU_BASE)
			tcp_ecn_input(tp, seg);
		/* RFC 9293 3.10.7.4; Linux says nothing. */
		if (seg->machine->tcp->config.ack_unsent)
			tcp_challenge_ack(tp, seg);
		return false;
	}
	if (UNLIKELY(SEQ_LT(seg->ack, tp->snd_una) && tp->snd_una - seg->ack > tp->max_sndwnd) &&
	    !seg->machine->tcp->config.insecure_ack) {
		tcp_challenge_ack(tp, seg);
		return false;
	}
	return true;
}

/* RFC 5681 section 2; with SACK it is one that SACKs something (RFC 6675 section 2). */
static bool
is_duplicate(const struct tcpcb *tp, const struct tcp_segment *seg)
{
	if (seg->ack != tp->snd_una || tp->snd_una == tp->snd_nxt || seg->len != 0 ||
	    (seg->flags & (TH_SYN | TH_FIN)))
		return false;
	if (tp->t_flags & TF_SACK_PERMIT)
		return seg->newly_sacked != 0;
	return seg->win == tp->snd_wnd;
}

/* What the segment says beyond its ACK: of what came out of order, and of what was marked. */
static inline void
sack(struct tcpcb *tp, struct tcp_segment *seg)
{
	if (UNLIKELY(seg->to.to_flags & TOF_SACK) && (tp->t_flags & TF_SACK_PERMIT))
		tcp_sack_input(tp, seg);
	if (UNLIKELY(tcp_accecn_of(tp) != NULL))
		tcp_accecn_acked(tp, seg);
}

/* Nothing new, cumulatively. */
static void
same_ack(struct tcpcb *tp, struct tcp_segment *seg)
{
	bool dup;

	sack(tp, seg);
	dup = is_duplicate(tp, seg);
	if (dup)
		seg->machine->tcp->stat.tcps_rcvdupack++;
	else if (seg->newly_sacked == 0)
		tp->t_dupacks = 0;
	/* With nothing in flight, too: a DSACK may take a reduction back. */
	tcp_recovery_input(tp, seg, dup);
	seg->output = seg->output || dup || seg->newly_sacked != 0 || tp->t_lost != 0;
}

/*
 * It was overtaken by a later one. Of its number nothing is to be learnt, but what it SACKs has arrived all
 * the same (RFC 6675 section 5, "any ACK").
 */
static void
old_ack(struct tcpcb *tp, struct tcp_segment *seg)
{
	sack(tp, seg);
	if (seg->newly_sacked == 0)
		return;
	tcp_recovery_input(tp, seg, false);
	seg->output = true;
}

bool
tcp_process_ack(struct tcpcb *tp, struct tcp_segment *seg)
{
	bool syn = tp->t_state == TCPS_SYN_RECEIVED, fin;

	if (UNLIKELY(syn) && !end_handshake(tp, seg))
		return false;
	if (!acceptable(tp, seg))
		return false;
	tcp_ecn_input(tp, seg);
	if (UNLIKELY(SEQ_LT(seg->ack, tp->snd_una))) {
		old_ack(tp, seg);
		return true;
	}
	if (seg->ack == tp->snd_una) {
		same_ack(tp, seg);
		update_window(tp, seg);
		return true;
	}
	fin = (tp->t_flags & TF_SENTFIN) && seg->ack == tp->snd_nxt;
	tcp_ack_advance(tp, seg, seg->ack - tp->snd_una - syn - fin);
	sack(tp, seg);
	/* A SYN's says nothing of the window. */
	if (seg->newly_acked > syn)
		tcp_recovery_input(tp, seg, false);
	update_window(tp, seg);
	seg->output = true;
	return !fin || fin_acked(tp, seg);
}
