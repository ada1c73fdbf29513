/*
 * How much FreeBSD's base stack sends in fast recovery with SACK when net.inet.tcp.do_prr is 0: as it did
 * before it had PRR. What was out when recovery began is not counted; from then on a window opens for what
 * is sent, lost or new: a segment for each duplicate ACK that leaves less in flight than ssthresh, and one or
 * two for an ACK that makes progress. Every hole below what is SACKed goes again, in order.
 *
 * Called by tcp_recovery.c for every ACK in recovery, and by tcp_rack.c. State: the window, in
 * t_prr_delivered, as there is no PRR; the result is snd_cwnd, as PRR's is. No timers.
 */
#include "src/kern/sched.h"
#include "src/netinet/tcp_recovery_base.h"

bool
tcp_base_recovers(const struct tcpcb *tp)
{
	return UNLIKELY(tp->t_uflags & TFU_BASE) && (tp->t_flags & TF_SACK_PERMIT) &&
	    !tptomachine(tp)->tcp->config.do_prr;
}

tcp_seq
tcp_base_boundary(const struct tcpcb *tp)
{
	/* What was not out when recovery began is left to the next. */
	if ((tp->t_flags & TF_FASTRECOVERY) && SEQ_GT(tp->t_rack_fack, tp->t_recover))
		return tp->t_recover;
	return tp->t_rack_fack;
}

/*
 * RFC 6675's rescue: nothing is known to be missing, and the rest of what was out when recovery began waits
 * for its timeout. The ACK of its last segment tells.
 */
static bool
rescue(struct tcpcb *tp)
{
	struct tcp_sent *e = TAILQ_LAST(&tp->t_sent, tcp_sent_list);

	if (!tptomachine(tp)->tcp->config.sack_revised || tp->t_lost + tp->t_sacked != 0 || e == NULL ||
	    (e->flags & SENT_REXMIT) || tp->snd_nxt != tp->t_recover)
		return false;
	e = tcp_sent_tail(tp, e);
	if (e == NULL)
		return false;
	tcp_sent_mark_lost(tp, e);
	tcp_statistics(tptomachine(tp))->tcps_rescue_rxmt++;
	return true;
}

void
tcp_base_window(struct tcpcb *tp, const struct tcp_segment *seg, bool begins)
{
	tcp_seq fack = SEQ_GT(tp->t_rack_fack, tp->snd_una) ? tp->t_rack_fack : tp->snd_una;
	uint32_t pipe = tcp_pipe(tp), above = tp->snd_nxt - fack, fresh = tp->snd_nxt - tp->t_recover;
	uint32_t mss = tp->t_maxseg, window = tp->t_prr_delivered, flight = pipe, again, room, lost;

	/* All holes are marked lost, so what is in flight below is what went again. */
	again = pipe > above ? pipe - above : 0;
	if (tptomachine(tp)->tcp->config.sack_revised)
		flight = tp->snd_nxt - tp->snd_una - tp->t_sacked + again;
	if (begins) {
		window = seg->newly_acked != 0 ? 2 * mss : mss;
	} else if (seg->newly_acked != 0) {
		window = again + fresh + (seg->newly_acked >= 2 * mss ? 2 * mss : mss);
		tp->t_flags |= TF_ACKNOW;
	} else if (seg->newly_sacked != 0 && flight < tp->snd_ssthresh) {
		window += mss;
	}
	if (window > tp->snd_ssthresh)
		window = tp->snd_ssthresh;
	tp->t_prr_delivered = window;
	room = window > again ? window - again : 0;
	if (!begins && seg->newly_acked != 0 && rescue(tp)) {
		pipe = tcp_pipe(tp);
		tp->t_prr_delivered -= mss;
	}
	/* New data count, what is missing goes in any case. */
	lost = room < tp->t_lost ? room : tp->t_lost;
	room = room > fresh ? room - fresh : 0;
	tp->snd_cwnd = pipe + (room > lost ? room : lost);
	TRACE(tptomachine(tp), TCP_CWND, NULL, tp->snd_cwnd, tp->snd_ssthresh);
}
