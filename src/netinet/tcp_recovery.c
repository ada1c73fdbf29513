/*
 * Loss recovery: when it begins and ends, and how much may be sent meanwhile.
 *
 * Fast recovery: RFC 6675 with RACK's verdicts (tcp_rack.c), without SACK NewReno (RFC 6582) after
 * three duplicate ACKs. In it, proportional rate reduction (RFC 6937 with the safe bound of its
 * successor: PRR-SSRB when an ACK makes progress and tells of no loss, else PRR-CRB) says what may
 * go; with net.inet.tcp.do_prr 0 it is ssthresh less what is in flight. Limited transmit (RFC 3042)
 * is a consequence of how the pipe is counted. RTO: RFC 5681 3.1, RFC 6298 5; all is lost, slow
 * start; spurious ones are found by tcp_frto.c and tcp_undo.c.
 *
 * Without SACK a duplicate ACK counts for one segment that has left the network (t_dup_bytes), which
 * is what RFC 6582 means by inflating the window; a partial ACK takes it back except for the segment
 * it asks for.
 *
 * Way in: tcp_recovery_input after the ACK and the SACK of every segment that header prediction does
 * not take, tcp_recovery_sent for what goes, tcp_recovery_rto from the timer, tcp_recovery_enter
 * from RACK's. Way out: entries marked lost, which tcp_output sends again; tcp_cwnd_room; the
 * signals of cc.h.
 *
 * State: TF_FASTRECOVERY or TF_RTORECOVERY until t_recover is acknowledged; t_prr_*, t_rescue,
 * t_dup*. Timers: none of its own.
 *
 * What was SACKed stays so over a timeout, as RFC 6675 5.1 and RFC 8985 6.3 have it against RFC 2018 8 (its
 * erratum 1610): only what is missing goes again. A receiver that has thrown away what it SACKed is found by
 * the timeout that then comes with such octets at the front.
 *
 * Limits: a connection is in one recovery at a time, and its window is reduced once per recovery; again when
 * an RTO ends a fast recovery, and when RACK finds a retransmission lost that went after the last reduction:
 * once in a round trip therefore.
 */
#include "src/kern/sched.h"
#include "src/netinet/tcp_recovery_base.h"

/* ---- how much is in flight, and may be ---------------------------------------------------- */

uint32_t
tcp_pipe(const struct tcpcb *tp)
{
	return tp->t_pipe > tp->t_dup_bytes ? tp->t_pipe - tp->t_dup_bytes : 0;
}

uint32_t
tcp_unsent(const struct tcpcb *tp)
{
	uint32_t queued = tptosocket(tp)->so_snd.sb_cc, out = tp->snd_nxt - tp->snd_una;

	return queued > out ? queued - out : 0;
}

uint32_t
tcp_cwnd_room(const struct tcpcb *tp)
{
	uint32_t pipe = tcp_pipe(tp);

	/* RFC 3042 off: what has left the network makes no room before recovery. */
	if (UNLIKELY(tp->t_dup_bytes + tp->t_sacked != 0) && !tcp_in_recovery(tp) &&
	    !tptomachine(tp)->tcp->config.rfc3042)
		pipe = tp->t_pipe + tp->t_sacked;
	return tp->snd_cwnd > pipe ? tp->snd_cwnd - pipe : 0;
}

void
tcp_recovery_sent(struct tcpcb *tp, uint32_t len)
{
	if (tp->t_flags & (TF_FASTRECOVERY | TF_CONGRECOVERY))
		tp->t_prr_out += len;
	if (UNLIKELY(tp->t_dup_bytes + tp->t_sacked != 0) && !tcp_in_recovery(tp))
		tcp_statistics(tptomachine(tp))->tcps_limited_txt++;
}

/* RFC 6937 section 3: how much may go for what this ACK says has arrived. */
static uint32_t
prr_share(struct tcpcb *tp, uint32_t pipe, uint32_t delivered, bool safe)
{
	uint32_t ssthresh = tp->snd_ssthresh, count, most;
	uint64_t share;

	tp->t_prr_delivered += delivered;
	if (pipe > ssthresh) {
		/* Proportionally: ssthresh is reached when a window's worth has been delivered. */
		share = ((uint64_t)tp->t_prr_delivered * ssthresh + tp->t_prr_recoverfs - 1) /
		    tp->t_prr_recoverfs;
		return share > tp->t_prr_out ? (uint32_t)(share - tp->t_prr_out) : 0;
	}
	count = tp->t_prr_delivered > tp->t_prr_out ? tp->t_prr_delivered - tp->t_prr_out : 0;
	if (count < delivered)
		count = delivered;
	if (safe)
		count += tp->t_maxseg;
	most = ssthresh - pipe;
	return count < most ? count : most;
}

void
tcp_recovery_prr(struct tcpcb *tp, uint32_t delivered, bool safe)
{
	uint32_t pipe = tcp_pipe(tp);

	if (!(tp->t_flags & TF_FASTRECOVERY))
		return;
	if (tptomachine(tp)->tcp->config.do_prr)
		tp->snd_cwnd = pipe + prr_share(tp, pipe, delivered, safe);
	else
		tp->snd_cwnd = tp->snd_ssthresh;
	/* The first retransmission goes in any case; so does what a partial ACK asks for (RFC 6582 3.2). */
	if ((tp->t_prr_out == 0 || (!(tp->t_flags & TF_SACK_PERMIT) && tp->t_lost != 0)) &&
	    tp->snd_cwnd < pipe + tp->t_maxseg)
		tp->snd_cwnd = pipe + tp->t_maxseg;
	TRACE(tptomachine(tp), TCP_CWND, NULL, tp->snd_cwnd, tp->snd_ssthresh);
}

/* ---- beginning and ending ----------------------------------------------------------------- */

void
tcp_recovery_begin_prr(struct tcpcb *tp)
{
	tp->t_reduced = (uint32_t)tp->t_delivered;
	tp->t_prr_delivered = tp->t_prr_out = 0;
	/* A share is of this: never 0. */
	tp->t_prr_recoverfs = tp->t_lossflight > tp->t_sacked ? tp->t_lossflight - tp->t_sacked : 1;
	if (tp->t_prr_recoverfs < tp->t_maxseg)
		tp->t_prr_recoverfs = tp->t_maxseg;
}

void
tcp_recovery_enter(struct tcpcb *tp, uint32_t newly_acked)
{
	struct tcpstat *st = tcp_statistics(tptomachine(tp));

	tp->t_lossflight = tp->snd_nxt - tp->snd_una + newly_acked;
	tcp_undo_begin(tp);
	/* What ECN has told was answered already, once per window (RFC 3168 6.1.2). */
	if (!(tp->t_flags & TF_CONGRECOVERY) || SEQ_GEQ(tp->snd_una, tp->t_recover_ecn))
		cc_cong_signal(tp, CC_NDUPACK);
	tp->t_flags = (tp->t_flags & ~(uint32_t)TF_TLP_SENT) | TF_FASTRECOVERY;
	if (tp->t_flags & TF_TLP_ARMED) {
		tp->t_flags &= ~(uint32_t)TF_TLP_ARMED;
		tcp_timer_set(tp, TT_LOSS, 0);
	}
	tp->t_recover = tp->snd_nxt;
	tp->t_rescue = tp->snd_una - 1;
	tcp_recovery_begin_prr(tp);
	if (tp->t_flags & TF_SACK_PERMIT)
		st->tcps_sack_recovery_episode++;
}

void
tcp_recovery_again(struct tcpcb *tp)
{
	tp->t_lossflight = tp->snd_nxt - tp->snd_una;
	/* PRR is on its way to ssthresh: that is the window. */
	if (tp->t_flags & TF_FASTRECOVERY)
		tp->snd_cwnd = tp->snd_ssthresh;
	cc_cong_signal(tp, CC_NDUPACK);
	if (tp->snd_cwnd > tp->snd_ssthresh)
		tp->snd_cwnd = tp->snd_ssthresh;
	tcp_recovery_begin_prr(tp);
}

/* All that was out when it began is acknowledged. */
static void
leave(struct tcpcb *tp)
{
	bool fast = tp->t_flags & TF_FASTRECOVERY;

	tp->t_flags &= ~(uint32_t)(TF_FASTRECOVERY | TF_RTORECOVERY | TF_FRTO);
	tp->t_dupacks = 0;
	tp->t_dup_bytes = 0;
	tcp_rack_recovered(tp);
	/* A DSACK that takes the reduction back comes within a round trip, or never. */
	if (tp->t_undo != NULL)
		tp->t_undo->end = tp->snd_nxt;
	if (fast)
		cc_post_recovery(tp);
}

void
tcp_recovery_rto(struct tcpcb *tp)
{
	struct tcp_sent *head = TAILQ_FIRST(&tp->t_sent);
	bool repeated = (tp->t_flags & TF_RTORECOVERY) && tp->t_rxtshift > 1;

	if (head == NULL)
		return;
	tp->t_dupacks = 0;
	tp->t_dup_bytes = 0;
	tp->t_flags &= ~(uint32_t)(TF_TLP_SENT | TF_TLP_ARMED | TF_FRTO);
	tcp_timer_set(tp, TT_LOSS, 0);
	/*
	 * What is SACKed at the front should have been acknowledged: the receiver reneges (RFC 2018
	 * section 8).
	 */
	if (head->flags & SENT_SACKED)
		tcp_sent_renege(tp);
	tcp_sent_mark_all_lost(tp);
	if (tp->t_state < TCPS_ESTABLISHED)
		return;			/* a SYN: there is no window to reduce yet */
	if (!repeated) {
		tp->t_lossflight = tp->snd_nxt - tp->snd_una;
		/* PRR has lent the window out: it is ssthresh. */
		if ((tp->t_flags & TF_FASTRECOVERY) && tp->snd_cwnd < tp->snd_ssthresh)
			tp->snd_cwnd = tp->snd_ssthresh;
		tcp_undo_begin(tp);
		tcp_frto_begin(tp);
		cc_cong_signal(tp, CC_RTO);
	} else
		tp->snd_cwnd = tp->t_maxseg;	/* RFC 5681: ssthresh stays for the same segment */
	tp->t_flags = (tp->t_flags & ~(uint32_t)(TF_FASTRECOVERY | TF_CONGRECOVERY)) | TF_RTORECOVERY;
	tp->t_recover = tp->snd_nxt;
	tp->t_reduced = (uint32_t)tp->t_delivered;
}

/* ---- without SACK ------------------------------------------------------------------------- */

/* RFC 6582 3.2: what has arrived by this ACK, as far as can be told; entries that are to be sent again. */
static uint32_t
newreno_input(struct tcpcb *tp, const struct tcp_segment *seg, bool dupack, bool *lost)
{
	uint32_t acked = seg->newly_acked, before = tp->t_dup_bytes, out = tp->snd_nxt - tp->snd_una;
	struct tcp_sent *head = TAILQ_FIRST(&tp->t_sent);

	if (dupack && acked == 0) {
		if (tp->t_dup_bytes + tp->t_maxseg <= out)
			tp->t_dup_bytes += tp->t_maxseg;
		/* Step 1: not for what is below the last recovery, which duplicates of ours bring about. */
		if (!tcp_in_recovery(tp) && tp->t_dupacks >= TCP_DUPTHRESH && head != NULL &&
		    SEQ_GT(tp->snd_una, tp->t_recover)) {
			tcp_sent_mark_lost(tp, head);
			*lost = true;
		}
		return tp->t_dup_bytes - before;
	}
	if (acked == 0 || !tcp_in_recovery(tp))
		return acked;
	/*
	 * Partial: one segment was missing, the rest duplicate ACKs have told of. The next is
	 * missing too.
	 */
	acked = acked > tp->t_maxseg ? acked - tp->t_maxseg : 0;
	tp->t_dup_bytes -= acked < before ? acked : before;
	if (tp->t_dup_bytes > out)
		tp->t_dup_bytes = out;
	if ((tp->t_flags & TF_FASTRECOVERY) && head != NULL && SEQ_LT(tp->snd_una, tp->t_recover) &&
	    !(head->flags & (SENT_LOST | SENT_REXMIT))) {
		tcp_sent_mark_lost(tp, head);
		*lost = true;
	}
	return seg->newly_acked - (before - tp->t_dup_bytes);
}

/* ---- every ACK ---------------------------------------------------------------------------- */

/*
 * RFC 6675 section 4, NextSeg (4): nothing is known lost, there is nothing new to send, and the
 * highest octet that is out has not arrived, though a round trip has passed. Once per recovery it
 * goes again, that its ACK tells of what else is missing.
 */
static void
rescue(struct tcpcb *tp)
{
	struct tcp_sent *e = TAILQ_LAST(&tp->t_sent, tcp_sent_list);
	uint64_t now = machine_now(tptomachine(tp));

	if (!(tp->t_flags & TF_FASTRECOVERY) || tp->t_lost != 0 || e == NULL || tcp_cwnd_room(tp) == 0 ||
	    SEQ_LEQ(tp->snd_una, tp->t_rescue) || tcp_unsent(tp) != 0)
		return;
	if ((e->flags & (SENT_SACKED | SENT_REXMIT)) ||
	    now - e->time < ((uint64_t)(tp->t_srtt >> 3) + tp->t_rttvar) * TCP_NS_PER_US)
		return;
	e = tcp_sent_tail(tp, e);
	if (e == NULL)
		return;
	tcp_sent_mark_lost(tp, e);
	tp->t_rescue = tp->t_recover;
	tcp_statistics(tptomachine(tp))->tcps_rescue_rxmt++;
}

static void
count_dupacks(struct tcpcb *tp, const struct tcp_segment *seg, bool dupack)
{
	/* FreeBSD's base stack counts an ACK with new SACK information, progress or not. */
	if (seg->newly_acked != 0)
		tp->t_dupacks = (tp->t_uflags & TFU_BASE) && seg->newly_sacked != 0;
	else if ((dupack || seg->newly_sacked != 0) && tp->t_dupacks != UINT8_MAX)
		tp->t_dupacks++;
	if (tp->t_dupacks == 0 && !tcp_in_recovery(tp))
		tp->t_dup_bytes = 0;
}

/* Recovery goes on, begins, or there is none: the window. */
static void
adjust_window(struct tcpcb *tp, const struct tcp_segment *seg, uint32_t delivered, bool lost)
{
	bool begins = lost && !tcp_in_recovery(tp);

	if (begins)
		tcp_recovery_enter(tp, seg->newly_acked);
	if (UNLIKELY(tp->t_flags & TF_FASTRECOVERY) && tcp_base_recovers(tp)) {
		tcp_base_window(tp, seg, begins);
	} else if (tp->t_flags & TF_FASTRECOVERY) {
		if (delivered != 0 || lost)
			tcp_recovery_prr(tp, delivered, seg->newly_acked != 0 && !lost);
		rescue(tp);
	} else if (UNLIKELY(tp->t_flags & TF_CONGRECOVERY) && delivered != 0 &&
	    tptomachine(tp)->tcp->config.prr_ecn) {
		uint32_t pipe = tcp_pipe(tp);

		tp->snd_cwnd = pipe + prr_share(tp, pipe, delivered, seg->newly_acked != 0);
	}
}

/*
 * What an ACK counts for the window: all that it covers (RFC 3465), or with net.inet.tcp.abc_delivered, as
 * Linux has it, without what SACK or duplicate ACKs (`told`) had said of before.
 */
static uint32_t
counted(const struct tcpcb *tp, const struct tcp_segment *seg, uint32_t told)
{
	if (!tptomachine(tp)->tcp->config.abc_delivered)
		return seg->newly_acked;
	return seg->delivered > told ? seg->delivered - told : 0;
}

void
tcp_recovery_input(struct tcpcb *tp, struct tcp_segment *seg, bool dupack)
{
	bool lost = false, sack = tp->t_flags & TF_SACK_PERMIT, fast = tp->t_flags & TF_FASTRECOVERY;
	uint32_t delivered = seg->delivered, told = sack ? 0 : tp->t_dup_bytes;

	if (UNLIKELY(tp->t_flags & TF_CONGRECOVERY) && SEQ_GEQ(tp->snd_una, tp->t_recover_ecn)) {
		tp->t_flags &= ~(uint32_t)TF_CONGRECOVERY;
		if (tptomachine(tp)->tcp->config.prr_ecn && !tcp_in_recovery(tp))
			cc_set_cwnd(tp, tp->snd_ssthresh);
	}
	count_dupacks(tp, seg, dupack);
	tcp_tlp_ack(tp, seg);
	if (sack)
		tcp_rack_dsack(tp);
	if (UNLIKELY(tp->t_undo != NULL))
		tcp_undo_input(tp, seg);
	if (UNLIKELY(tp->t_flags & TF_FRTO))
		tcp_frto_input(tp, seg, dupack);
	if (tcp_in_recovery(tp) && SEQ_GEQ(tp->snd_una, tp->t_recover))
		leave(tp);
	/* F-RTO wants to see what comes without being judged. */
	if (sack)
		lost = !(tp->t_flags & TF_FRTO) && tcp_rack_detect(tp);
	else
		delivered = newreno_input(tp, seg, dupack, &lost);
	adjust_window(tp, seg, delivered, lost);
	/*
	 * What was sent before the reduction does not make the window larger: nor does the ACK that
	 * ends it.
	 */
	if (seg->newly_acked != 0 && !fast)
		cc_ack_received(tp, seg, counted(tp, seg, told));
	tp->t_rack_dsack_seen = false;
	if (sack && (seg->newly_acked != 0 || seg->newly_sacked != 0))
		tcp_tlp_schedule(tp);
}
