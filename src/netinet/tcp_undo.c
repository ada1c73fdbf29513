/*
 * Taking a reduction of the window back when it turns out that nothing was lost.
 *
 * Proofs, from the earliest: the ACK after a retransmission echoes a timestamp from before it, so
 * that the original has arrived (Eifel detection, RFC 3522); without timestamps, an ACK that comes
 * within half a round trip of an RTO's retransmission cannot be for it; every retransmission was
 * reported as a duplicate by DSACK (RFC 3708); F-RTO (tcp_frto.c). The response is a full one, as in
 * RFC 4015: window and threshold are what they were.
 *
 * State: t_undo, what was before the reduction and what went since. It outlives recovery, as DSACKs
 * come late, until its `end` is acknowledged; a new reduction replaces it. No timers.
 *
 * Limits: DSACKs count only within what was outstanding. A receiver that lies gains what it could
 * have by never reporting a loss. Without memory for it a reduction stays.
 */
#include <string.h>

#include "src/kern/heap.h"
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
	struct tcp_undo *u = tp->t_undo;

	if (u == NULL) {
		u = kalloc(tptomachine(tp), sizeof *u);
		if (u == NULL)
			return;
		tp->t_undo = u;
	}
	*u = (struct tcp_undo){.cwnd = tp->snd_cwnd, .ssthresh = tp->snd_ssthresh, .begin = tp->snd_una};
	memcpy(u->ccdata, tp->t_ccdata, sizeof u->ccdata);
}

void
tcp_undo_forget(struct tcpcb *tp)
{
	kfree(tptomachine(tp), tp->t_undo);
	tp->t_undo = NULL;
}

void
tcp_undo_rexmit(struct tcpcb *tp, tcp_seq seq, uint32_t len)
{
	struct nke *machine = tptomachine(tp);
	struct tcp_undo *u = tp->t_undo;

	if (u == NULL)
		return;
	u->rexmits += segments(tp, len);
	if (u->first_ts != 0)
		return;
	u->first = seq;
	u->first_ts = tcp_ts_now(machine) + tp->ts_offset;
	if (u->first_ts == 0)
		u->first_ts = 1;
	if (tp->t_flags & TF_RTORECOVERY)
		u->too_soon = machine_now(machine) + (tp->t_srtt >> 4) * TCP_NS_PER_US;
}

void
tcp_undo_dsack(struct tcpcb *tp, tcp_seq start, tcp_seq end)
{
	uint32_t n = segments(tp, end - start);
	struct tcp_undo *u = tp->t_undo;

	tcp_statistics(tptomachine(tp))->tcps_dsack_badrexmt++;
	/* FreeBSD's base stack takes nothing back for them. */
	if (u == NULL || SEQ_LT(start, u->begin) || (tp->t_uflags & TFU_BASE))
		return;
	u->rexmits -= n < u->rexmits ? n : u->rexmits;
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
	/* What RACK has learned from retransmissions would have the rest lost at once. */
	tp->t_rack_time = 0;
	tcp_undo_forget(tp);
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
	const struct tcp_undo *u = tp->t_undo;

	if (seg->newly_acked == 0 || u->first_ts == 0 || !tcp_in_recovery(tp) ||
	    seg->ack - seg->newly_acked != u->first)
		return false;
	if ((seg->to.to_flags & TOF_TS) && (tp->t_flags & TF_RCVD_TSTMP))
		return seg->to.to_tsecr != 0 && (int32_t)(seg->to.to_tsecr - u->first_ts) < 0;
	return (tp->t_flags & TF_RTORECOVERY) && machine_now(tptomachine(tp)) < u->too_soon;
}

void
tcp_undo_input(struct tcpcb *tp, const struct tcp_segment *seg)
{
	const struct tcp_undo *u = tp->t_undo;
	/* All that was sent again was superfluous. */
	bool dsack = tp->t_rack_dsack_seen && u->first_ts != 0 && u->rexmits == 0;

	if (dsack || original_arrived(tp, seg))
		tcp_undo(tp, tp->t_flags & TF_RTORECOVERY ? CC_RTO_ERR : CC_UNDO);
	else if (!tcp_in_recovery(tp) && SEQ_GT(tp->snd_una, u->end))
		tcp_undo_forget(tp);
}
