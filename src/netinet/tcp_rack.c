/*
 * Which segments are lost, by time: RACK-TLP, RFC 8985.
 *
 * RACK: what was sent before something that has arrived, and longer ago than a round trip and a bit,
 * is lost. The bit is the reordering window: nothing while no reordering was ever seen and three
 * segments have been SACKed (or recovery goes on), else a quarter of the least round trip time, more
 * after DSACKs. TLP: when acknowledgements stay away for two round trips, the last segment (or a new
 * one) is sent, so that its acknowledgement says what of the tail is missing and an RTO is not
 * needed.
 *
 * Way in: tcp_rack_delivered for every entry that arrives, in sequence (tcp_sent.c, tcp_sack.c),
 * then tcp_rack_detect (tcp_recovery.c). Way out: entries are marked lost; TT_LOSS is armed, for the
 * first entry whose time has not come (then tcp_loss_timer finds it lost), or for a probe
 * (TF_TLP_ARMED).
 *
 * State: t_rack_*, t_tlp_end while TF_TLP_SENT. net.inet.tcp.rack 0, or the base stack (TCP_FUNCTION_BLK,
 * net.inet.tcp.functions_default): no TLP, and DupThresh alone counts (RFC 6675 section 4, IsLost).
 * Connections without SACK have none of this: tcp_recovery.c.
 *
 * Limits: each step looks at what it marks and one more: entries are in order of time. The timer is
 * armed for the first entry that may become lost, where the RFC waits for the last: the same
 * segments are found, sooner.
 */
#include "src/kern/sched.h"
#include "src/netinet/tcp_recovery_base.h"

#define DSACK_ROUNDS	16u		/* recoveries without DSACK until the window shrinks */
#define WND_MULT_MAX	254u
#define BOUNDARY_STEPS	4096u		/* that a few SACKed segments are looked for in */
#define ACK_DELAY_US	200000u		/* TLP.max_ack_delay: the longest usual one, RFC 8985 7.2 */

static inline bool
rack_wanted(const struct tcpcb *tp)
{
	return (tp->t_flags & TF_SACK_PERMIT) && tptomachine(tp)->tcp->config.rack &&
	    !(tp->t_uflags & TFU_BASE);
}

/* ---- what has arrived (6.2, steps 2 and 3) ------------------------------------------------ */

static inline bool
sent_after(uint64_t t1, tcp_seq end1, uint64_t t2, tcp_seq end2)
{
	return t1 > t2 || (t1 == t2 && SEQ_GT(end1, end2));
}

/* The segment's timestamp says that what it acknowledges was sent before then. */
static inline bool
echoes_older(const struct tcpcb *tp, const struct tcp_segment *seg, uint64_t then)
{
	uint32_t ts = (uint32_t)(then / TCP_NS_PER_MS) + tp->ts_offset;

	return (seg->to.to_flags & TOF_TS) && (tp->t_flags & TF_RCVD_TSTMP) &&
	    (int32_t)(seg->to.to_tsecr - ts) < 0;
}

/* It was overtaken, and not lost. */
static void
reordered(struct tcpcb *tp, const struct tcp_sent *e)
{
	uint32_t late = (tp->t_rack_fack - e->seq + tp->t_maxseg - 1) / tp->t_maxseg;

	if (late > tp->t_reordering)
		tp->t_reordering = (uint8_t)(late < UINT8_MAX ? late : UINT8_MAX);
	if (tp->t_flags & TF_REORDERED)
		return;
	tp->t_flags |= TF_REORDERED;
	tcp_statistics(tptomachine(tp))->tcps_detect_reordering++;
}

void
tcp_rack_delivered(struct tcpcb *tp, const struct tcp_sent *e, const struct tcp_segment *seg)
{
	struct nke *machine = tptomachine(tp);
	uint64_t us = (machine_now(machine) - e->time) / TCP_NS_PER_US;

	if ((e->flags & SENT_SYN) || SEQ_GT(e->end, tp->t_rack_fack))
		tp->t_rack_fack = e->end;
	else if (SEQ_LT(e->end, tp->t_rack_fack) && !(e->flags & SENT_REXMIT))
		reordered(tp, e);
	/* It may be the original that has arrived: then the round trip was not this short. */
	if ((e->flags & SENT_REXMIT) && (us < tp->t_minrtt || echoes_older(tp, seg, e->time)))
		return;
	/* Of what was delivered last, whenever it was sent: step 2 has RACK.rtt before the comparison. */
	tp->t_rack_rtt = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
	if (!sent_after(e->time, e->end, tp->t_rack_time, tp->t_rack_end))
		return;
	tp->t_rack_time = e->time;
	tp->t_rack_end = e->end;
}

/* ---- the reordering window (step 4) ------------------------------------------------------- */

void
tcp_rack_dsack(struct tcpcb *tp)
{
	if (tp->t_rack_dsack_round != 0 && SEQ_GEQ(tp->snd_una, tp->t_rack_dsack_round))
		tp->t_rack_dsack_round = 0;
	if (!tp->t_rack_dsack_seen || tp->t_rack_dsack_round != 0)
		return;
	tp->t_rack_dsack_round = tp->snd_nxt != 0 ? tp->snd_nxt : 1;
	if (tp->t_rack_wnd_mult < WND_MULT_MAX)
		tp->t_rack_wnd_mult++;
	tp->t_rack_wnd_persist = DSACK_ROUNDS;
}

void
tcp_rack_recovered(struct tcpcb *tp)
{
	if (tp->t_rack_wnd_persist > 0 && --tp->t_rack_wnd_persist == 0)
		tp->t_rack_wnd_mult = 1;
}

static bool
dupthresh(const struct tcpcb *tp)
{
	return tp->t_sacked >= TCP_DUPTHRESH * tp->t_maxseg || tp->t_dupacks >= TCP_DUPTHRESH;
}

static uint64_t
reordering_window(const struct tcpcb *tp)
{
	uint64_t mult = tp->t_rack_wnd_mult != 0 ? tp->t_rack_wnd_mult : 1, us, most = tp->t_srtt >> 3;

	if (!(tp->t_flags & TF_REORDERED) && (tcp_in_recovery(tp) || dupthresh(tp)))
		return 0;
	us = mult * tp->t_minrtt / 4;
	return (us < most ? us : most) * TCP_NS_PER_US;
}

/* ---- who is lost (step 5) ----------------------------------------------------------------- */

static void
stop_reordering_timer(struct tcpcb *tp)
{
	if (!(tp->t_flags & TF_TLP_ARMED))
		tcp_timer_set(tp, TT_LOSS, 0);
}

static bool
detect_by_time(struct tcpcb *tp)
{
	uint64_t now = machine_now(tptomachine(tp)), wait = 0;
	uint64_t after = tp->t_rack_rtt * TCP_NS_PER_US + reordering_window(tp);
	bool found = false, again = false;
	struct tcp_sent *e;

	while ((e = TAILQ_FIRST(&tp->t_sent_times)) != NULL &&
	    sent_after(tp->t_rack_time, tp->t_rack_end, e->time, e->end)) {
		if (e->time + after > now) {
			wait = e->time + after - now;
			break;
		}
		/* In the same instant of virtual time: which was sent first is not known. */
		if (e->time == tp->t_rack_time && (e->flags & SENT_REXMIT))
			break;
		again |= (e->flags & SENT_REXMIT) && SEQ_GEQ((uint32_t)e->delivered, tp->t_reduced);
		tcp_sent_mark_lost(tp, e);
		found = true;
	}
	if (UNLIKELY(again) && tcp_in_recovery(tp) && tptomachine(tp)->tcp->config.rexmit_loss_reduces)
		tcp_recovery_again(tp);
	if (wait != 0) {
		tp->t_flags &= ~(uint32_t)TF_TLP_ARMED;
		tcp_timer_set(tp, TT_LOSS, wait);
	} else
		stop_reordering_timer(tp);
	return found;
}

/*
 * RFC 6675, IsLost: three SACKed stretches, or more than two segments' octets of SACKed data lie above it.
 * Where that begins to be true is found from the top; retransmissions are not judged this way.
 */
static bool
dupthresh_boundary(const struct tcpcb *tp, tcp_seq *boundary)
{
	uint32_t octets = 0, stretches = 0, steps = BOUNDARY_STEPS;
	const struct tcp_sent *e;

	for (e = tp->t_sent_high; e != NULL && steps-- != 0; e = TAILQ_PREV(e, tcp_sent_list, by_seq)) {
		if (!(e->flags & SENT_SACKED))
			continue;
		octets += e->end - e->seq;
		stretches++;
		*boundary = e->seq;
		if (octets > (TCP_DUPTHRESH - 1) * tp->t_maxseg || stretches >= TCP_DUPTHRESH)
			return true;
	}
	return false;
}

static bool
detect_by_count(struct tcpcb *tp)
{
	bool found = false, base = tcp_base_recovers(tp), revised = tptomachine(tp)->tcp->config.sack_revised;
	tcp_seq boundary = tp->snd_una;
	struct tcp_sent *e, *next;

	/* As before RFC 6675: recovery begins with the third duplicate, whatever they say. */
	if (!revised && !tcp_in_recovery(tp) && tp->t_dupacks < TCP_DUPTHRESH)
		return false;
	if (!(base && (!revised || (tp->t_flags & TF_FASTRECOVERY))) && !dupthresh_boundary(tp, &boundary))
		return false;
	if (base)
		boundary = tcp_base_boundary(tp);
	for (e = TAILQ_FIRST(&tp->t_sent_times); e != NULL; e = next) {
		next = TAILQ_NEXT(e, by_time);
		if (e->flags & SENT_REXMIT)
			continue;
		if (SEQ_GT(e->end, boundary))
			break;
		tcp_sent_mark_lost(tp, e);
		found = true;
	}
	return found;
}

bool
tcp_rack_detect(struct tcpcb *tp)
{
	if (!(tp->t_flags & TF_SACK_PERMIT))
		return false;
	if (!rack_wanted(tp))
		return detect_by_count(tp);
	return tp->t_rack_time != 0 && detect_by_time(tp);
}

/* ---- tail loss probes (section 7) --------------------------------------------------------- */

/* 7.2, TLP_calc_PTO: ns. No sooner than any timeout, as a round trip may take no time here. */
static uint64_t
probe_timeout(const struct tcpcb *tp)
{
	uint64_t us = TCP_NS_PER_S / TCP_NS_PER_US, ns, now, rto = tp->t_timers[TT_REXMT];
	uint64_t least = (uint64_t)tptomachine(tp)->tcp->config.rexmit_min * (TCP_NS_PER_MS / TCP_NS_PER_US);

	if (tp->t_srtt != 0) {
		us = 2 * (uint64_t)(tp->t_srtt >> 3);
		/* A single segment: its ACK may be delayed. */
		if (tp->snd_nxt - tp->snd_una <= tp->t_maxseg)
			us += ACK_DELAY_US;
		if (us < least)
			us = least;
	}
	ns = us * TCP_NS_PER_US;
	now = machine_now(tptomachine(tp));
	if (rto != 0 && now + ns > rto)
		ns = rto > now ? rto - now : 0;
	return ns != 0 ? ns : 1;
}

void
tcp_tlp_schedule(struct tcpcb *tp)
{
	if (!rack_wanted(tp) || tp->t_state < TCPS_ESTABLISHED)
		return;
	/* The reordering timer goes before. */
	if (tcp_timer_armed(tp, TT_LOSS) && !(tp->t_flags & TF_TLP_ARMED))
		return;
	if (tcp_in_recovery(tp) || tp->t_sacked != 0 || (tp->t_flags & TF_TLP_SENT) ||
	    TAILQ_EMPTY(&tp->t_sent) || tcp_timer_armed(tp, TT_PERSIST)) {
		if (tp->t_flags & TF_TLP_ARMED)
			tcp_timer_set(tp, TT_LOSS, 0);
		tp->t_flags &= ~(uint32_t)TF_TLP_ARMED;
		return;
	}
	tp->t_flags |= TF_TLP_ARMED;
	tcp_timer_set(tp, TT_LOSS, probe_timeout(tp));
}

/* The connection is gone: something that a kext does with our segments has closed it. */
static inline bool
gone(const struct socket *so, const struct inpcb *inp)
{
	return UNLIKELY(sotoinpcb(so) != inp);
}

/*
 * 7.3, TLP_send_probe: new data when there is some, even though the window is full; else the last
 * segment.
 */
static void
send_probe(struct tcpcb *tp)
{
	struct tcpstat *st = tcp_statistics(tptomachine(tp));
	const struct inpcb *inp = tp->t_inpcb;
	const struct socket *so = inp->inp_socket;	/* whoever runs the timers holds it */
	uint32_t cwnd = tp->snd_cwnd, lost = tp->t_lost;
	tcp_seq before = tp->snd_nxt;
	struct tcp_sent *e;
	bool sent;

	if (tp->snd_cwnd < tp->t_pipe + tp->t_maxseg)
		tp->snd_cwnd = tp->t_pipe + tp->t_maxseg;
	tp->t_flags |= TF_TLP_SENT;
	(void)tcp_output(tp);
	if (gone(so, inp))
		return;
	sent = tp->snd_nxt != before || tp->t_lost != lost;
	tp->t_tlp_rexmit = false;
	e = TAILQ_LAST(&tp->t_sent, tcp_sent_list);
	if (!sent && e != NULL && !(e->flags & (SENT_SACKED | SENT_LOST)) &&
	    (e = tcp_sent_tail(tp, e)) != NULL) {
		e->flags |= SENT_TLP;
		tcp_sent_mark_lost(tp, e);
		tp->snd_cwnd = tp->t_pipe + tp->t_maxseg;
		(void)tcp_output(tp);
		if (gone(so, inp))
			return;
		sent = tp->t_lost == 0;
		tcp_sent_unmark_lost(tp);
		tp->t_tlp_rexmit = true;
	}
	tp->snd_cwnd = cwnd;
	if (sent) {
		tp->t_tlp_end = tp->snd_nxt;
		st->tcps_pto++;
	} else
		tp->t_flags &= ~(uint32_t)TF_TLP_SENT;
	/* 7.3: the RTO counts from here, probe or not. */
	tcp_set_rexmt(tp);
}

void
tcp_tlp_ack(struct tcpcb *tp, const struct tcp_segment *seg)
{
	struct tcpstat *st = tcp_statistics(tptomachine(tp));

	if (LIKELY(!(tp->t_flags & TF_TLP_SENT)) || SEQ_LT(seg->ack, tp->t_tlp_end))
		return;
	if (!tp->t_tlp_rexmit) {
		tp->t_flags &= ~(uint32_t)TF_TLP_SENT;
		return;
	}
	if (SEQ_GT(seg->ack, tp->t_tlp_end)) {
		/* 7.4.2: one of the two never came: the probe has repaired a loss, which counts as one. */
		tp->t_flags &= ~(uint32_t)TF_TLP_SENT;
		st->tcps_tlp_recovery++;
		st->tcps_tlp_recoverlastpkt++;
		if (!tcp_in_recovery(tp)) {
			tp->t_lossflight = tp->snd_nxt - tp->snd_una + seg->newly_acked;
			tcp_undo_forget(tp);
			cc_cong_signal(tp, CC_NDUPACK);
			cc_post_recovery(tp);
		}
		return;
	}
	/* A duplicate ACK that SACKs nothing: both have arrived. */
	if (seg->newly_acked == 0 && !(seg->to.to_flags & TOF_SACK) && seg->len == 0)
		tp->t_flags &= ~(uint32_t)TF_TLP_SENT;
}

/* ---- TT_LOSS ------------------------------------------------------------------------------ */

void
tcp_loss_timer(struct tcpcb *tp)
{
	if (TAILQ_EMPTY(&tp->t_sent))
		return;
	if (tp->t_flags & TF_TLP_ARMED) {
		tp->t_flags &= ~(uint32_t)TF_TLP_ARMED;
		if (!tcp_in_recovery(tp) && !(tp->t_flags & TF_TLP_SENT))
			send_probe(tp);
		return;
	}
	if (!tcp_rack_detect(tp))
		return;
	if (!tcp_in_recovery(tp))
		tcp_recovery_enter(tp, 0);
	tcp_recovery_prr(tp, 0, false);
	tcp_set_rexmt(tp);
	(void)tcp_output(tp);
}
