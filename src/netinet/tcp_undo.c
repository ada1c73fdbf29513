/*
 * Taking a reduction of the window back when it turns out that nothing was lost.
 *
 * Proofs, from the earliest: the ACK after a retransmission echoes a timestamp from before it, so
 * that the original has arrived (Eifel detection, RFC 3522); without timestamps, an ACK that comes
 * within half a round trip of an RTO's retransmission cannot be for it; every retransmission was
 * reported as a duplicate by DSACK (RFC 3708); F-RTO (tcp_frto.c). The response is a full one, as in
 * RFC 4015: window and threshold are what they were.
 *
 * State: t_undo_cwnd and t_undo_ssthresh of before the reduction, while t_undo_marker is not 0: what
 * was snd_una then. t_undo_rexmits: segments sent again since that no DSACK has told of. t_undo_ts,
 * t_badrxtwin. It outlives recovery, as DSACKs come late, until t_undo_end is acknowledged; a new
 * reduction replaces it. No timers.
 *
 * Limits: DSACKs count only within what was outstanding. A receiver that lies gains what it could
 * have by never reporting a loss.
 */
#include "src/kern/sched.h"
#include "src/netinet/tcp_private.h"

static inline uint32_t
segments(const struct tcpcb *tp, uint32_t len)
{
	return (len + tp->t_maxseg - 1) / tp->t_maxseg;
}

void
tcp_undo_begin(struct tcpcb *tp)
{
	tp->t_undo_cwnd = tp->snd_cwnd;
	tp->t_undo_ssthresh = tp->snd_ssthresh;
	tp->t_undo_marker = tp->snd_una != 0 ? tp->snd_una : 1;
	tp->t_undo_rexmits = 0;
	tp->t_undo_ts = 0;
	tp->t_badrxtwin = 0;
}

void
tcp_undo_rexmit(struct tcpcb *tp, tcp_seq seq, uint32_t len)
{
	struct nke *machine = tptomachine(tp);

	if (tp->t_undo_marker == 0)
		return;
	tp->t_undo_rexmits += segments(tp, len);
	if (tp->t_undo_ts != 0)
		return;
	tp->t_undo_seq = seq;
	tp->t_undo_ts = tcp_ts_now(machine) + tp->ts_offset;
	if (tp->t_undo_ts == 0)
		tp->t_undo_ts = 1;
	if (tp->t_flags & TF_RTORECOVERY)
		tp->t_badrxtwin = machine_now(machine) + (tp->t_srtt >> 4) * TCP_NS_PER_US;
}

void
tcp_undo_dsack(struct tcpcb *tp, tcp_seq start, tcp_seq end)
{
	uint32_t n = segments(tp, end - start);

	tcp_statistics(tptomachine(tp))->tcps_dsack_badrexmt++;
	if (tp->t_undo_marker == 0 || SEQ_LT(start, tp->t_undo_marker) || tp->t_undo_rexmits == 0)
		return;
	tp->t_undo_rexmits -= n < tp->t_undo_rexmits ? n : tp->t_undo_rexmits;
}

void
tcp_undo(struct tcpcb *tp, enum cc_signal how)
{
	cc_cong_signal(tp, how);
	/* What looked lost was late: RACK is to wait from now on. */
	if (how == CC_UNDO)
		tp->t_flags |= TF_REORDERED;
	tp->t_flags &= ~(uint32_t)(TF_FASTRECOVERY | TF_RTORECOVERY | TF_FRTO);
	tcp_sent_unmark_lost(tp);
	tp->t_undo_marker = 0;
	tp->t_dupacks = 0;
	tp->t_rxtshift = 0;
	tp->t_rxtcur = tcp_rto(tp);
	tcp_statistics(tptomachine(tp))->tcps_sndrexmitbad++;
}

/*
 * The original of the first retransmission has arrived. That is told only by the ACK which moves on
 * from there: the timestamp of one that jumps over it may be of what filled a hole before.
 */
static bool
original_arrived(const struct tcpcb *tp, const struct tcp_segment *seg)
{
	if (seg->newly_acked == 0 || tp->t_undo_ts == 0 || !tcp_in_recovery(tp) ||
	    seg->ack - seg->newly_acked != tp->t_undo_seq)
		return false;
	if ((seg->to.to_flags & TOF_TS) && (tp->t_flags & TF_RCVD_TSTMP))
		return seg->to.to_tsecr != 0 && (int32_t)(seg->to.to_tsecr - tp->t_undo_ts) < 0;
	return (tp->t_flags & TF_RTORECOVERY) && machine_now(tptomachine(tp)) < tp->t_badrxtwin;
}

bool
tcp_undo_input(struct tcpcb *tp, const struct tcp_segment *seg)
{
	/* All that was sent again was superfluous. */
	bool dsack = tp->t_rack_dsack_seen && tp->t_undo_ts != 0 && tp->t_undo_rexmits == 0;

	if (!dsack && !original_arrived(tp, seg)) {
		if (!tcp_in_recovery(tp) && SEQ_GT(tp->snd_una, tp->t_undo_end))
			tp->t_undo_marker = 0;
		return false;
	}
	tcp_undo(tp, tp->t_flags & TF_RTORECOVERY ? CC_RTO_ERR : CC_UNDO);
	return true;
}
