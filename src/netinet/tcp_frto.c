/*
 * Was that timeout spurious? F-RTO, RFC 5682: after an RTO the first segment is sent again, and when
 * its ACK moves on, two new segments go instead of more retransmissions. If the next ACK moves on
 * too, over data that was not sent again, the originals are arriving: nothing was lost. Else all is
 * sent again, as after any RTO.
 *
 * Way in: tcp_frto_begin with the RTO, tcp_frto_input with every ACK while TF_FRTO (tcp_recovery.c).
 * Way out: tcp_undo, or TF_FRTO goes and conventional recovery goes on. State: t_frto_step, the
 * RFC's step 2 or 3. The variant with SACK (3.1) where that was negotiated, else the basic one
 * (2.1). No timers of its own.
 *
 * Limits: not while recovery is going on, as then what was sent last may be younger than a round
 * trip, and its ACK proves nothing; not without new data to send, or a window for it; not when what
 * was before could not be kept (tcp_undo.c).
 */
#include "src/netinet/tcp_private.h"

void
tcp_frto_begin(struct tcpcb *tp)
{
	if (!tptomachine(tp)->tcp->config.frto || (tp->t_uflags & TFU_BASE) || tp->t_undo == NULL ||
	    (tp->t_flags & TF_FASTRECOVERY) ||
	    ((tp->t_flags & TF_RTORECOVERY) && SEQ_LT(tp->snd_una, tp->t_recover)))
		return;
	tp->t_flags |= TF_FRTO;
	tp->t_frto_step = 2;
}

/* It was a loss: what is below the point of recovery goes again; `cwnd` segments at most at once. */
static void
conventional(struct tcpcb *tp, uint32_t cwnd)
{
	tp->t_flags &= ~(uint32_t)TF_FRTO;
	tcp_sent_mark_lost_before(tp, tp->t_recover);
	if (cwnd != 0 && tp->snd_cwnd > cwnd * tp->t_maxseg)
		tp->snd_cwnd = cwnd * tp->t_maxseg;
}

/* The retransmission's ACK (step 2). */
static void
step2(struct tcpcb *tp, const struct tcp_segment *seg, bool dupack)
{
	uint32_t window = tp->snd_wnd > tp->snd_nxt - tp->snd_una ?
	    tp->snd_wnd - (tp->snd_nxt - tp->snd_una) : 0;
	bool sack = tp->t_flags & TF_SACK_PERMIT;
	struct tcp_sent *head = TAILQ_FIRST(&tp->t_sent);

	if (seg->newly_acked == 0) {
		/* Basic, 2a. With SACK, ACKs of what arrived before the timeout are waited for. */
		if (dupack && !sack)
			conventional(tp, 0);
		return;
	}
	/* All is acknowledged, or less than what was sent again; or there is nothing to ask with. */
	if (SEQ_GEQ(tp->snd_una, tp->t_recover) || head == NULL || (head->flags & SENT_REXMIT) ||
	    tcp_unsent(tp) == 0 || window == 0) {
		conventional(tp, 0);
		return;
	}
	tcp_sent_unmark_lost(tp);
	tp->snd_cwnd = tcp_pipe(tp) + 2 * tp->t_maxseg;
	tp->t_frto_step = 3;
}

static void
step3(struct tcpcb *tp, const struct tcp_segment *seg, bool dupack)
{
	bool sack = tp->t_flags & TF_SACK_PERMIT;
	const struct tcp_sent *high = tp->t_sent_high;

	/* 3b: data that was sent only once, before the timeout. */
	if (seg->newly_acked != 0) {
		tcp_undo(tp, CC_RTO_ERR);
		return;
	}
	if (!sack) {
		if (dupack)
			conventional(tp, 3);
		return;
	}
	/* 3a: the new data has come, over what is missing. */
	if (high != NULL && SEQ_GT(high->end, tp->t_recover))
		conventional(tp, 3);
	else if (seg->newly_sacked != 0)
		tcp_undo(tp, CC_RTO_ERR);
}

void
tcp_frto_input(struct tcpcb *tp, const struct tcp_segment *seg, bool dupack)
{
	if (tp->t_frto_step == 2)
		step2(tp, seg, dupack);
	else
		step3(tp, seg, dupack);
}
