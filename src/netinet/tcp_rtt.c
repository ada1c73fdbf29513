/*
 * Round trip times and the retransmission timeout: RFC 6298 in microseconds, and the least round
 * trip time of the last minutes.
 *
 * Way in: one measurement per acknowledgement, taken by tcp_sent_ack from what was sent once (Karn)
 * or from timestamps (RFC 7323 4). Measuring every acknowledgement gives each less weight in a large
 * window: RFC 7323 appendix G, which BSD leaves out; the lower limit of the deviation does its work
 * here. Way out: tcp_rto; t_rxtcur is set with it, and the backoff ends.
 *
 * State: t_srtt (scaled by 8) and t_rttvar (by 4), which are updated without division; t_minrtt with
 * t_minrtt_next: the least of the half window before and of this one.
 *
 * Limits: net.inet.tcp.rexmit_min below, rexmit_slop on top, rexmit_max. rexmit_granularity is the RFC's G:
 * the deviation counts for no less (Linux has 200 ms there, and no slop).
 */
#include "src/kern/sched.h"
#include "src/netinet/tcp_private.h"

#define RTO_SYN_LOST_US	(3u * 1000 * 1000)	/* RFC 6298 5.7 */
#define SAMPLE_MAX_US	(128u * 1000 * 1000)	/* scaled by 8 it fits 32 bits */
#define MINRTT_HALF_MS	(150u * 1000)

void
tcp_rtt_init(struct tcpcb *tp)
{
	tp->t_srtt = tp->t_rttvar = tp->t_rttlast = 0;
	tp->t_minrtt = tp->t_minrtt_next = 0;
	tp->t_rxtcur = tcp_rto(tp);
}

uint32_t
tcp_rto(const struct tcpcb *tp)
{
	const struct tcp_config *c = &tptomachine(tp)->tcp->config;
	uint64_t us;

	/*
	 * RFC 6298 2.1: nothing is known. What was learned and then doubted (t_rttvar alone) is not
	 * enough.
	 */
	if (tp->t_srtt == 0) {
		us = (uint64_t)c->rexmit_initial * 1000;
		if (UNLIKELY(tp->t_uflags & TFU_SYNLOST) && us < RTO_SYN_LOST_US)
			us = RTO_SYN_LOST_US;
	} else {
		us = (uint64_t)c->rexmit_granularity * 1000;
		us = (uint64_t)(tp->t_srtt >> 3) + (tp->t_rttvar > us ? tp->t_rttvar : us);
		if (us < (uint64_t)c->rexmit_min * 1000)
			us = (uint64_t)c->rexmit_min * 1000;
		us += (uint64_t)c->rexmit_slop * 1000;
	}
	return us < c->rexmit_max * 1000ull ? (uint32_t)us : (uint32_t)c->rexmit_max * 1000u;
}

void
tcp_minrtt_update(struct tcpcb *tp, uint32_t us)
{
	uint32_t now_ms = (uint32_t)(machine_now(tptomachine(tp)) / TCP_NS_PER_MS);

	if (us == 0)
		us = 1;
	if (tp->t_minrtt == 0 || us <= tp->t_minrtt)
		tp->t_minrtt = us;
	if (tp->t_minrtt_next == 0)
		tp->t_minrtt_start = now_ms;
	if (tp->t_minrtt_next == 0 || us < tp->t_minrtt_next)
		tp->t_minrtt_next = us;
	if (now_ms - tp->t_minrtt_start >= MINRTT_HALF_MS) {
		tp->t_minrtt = tp->t_minrtt_next;
		tp->t_minrtt_next = us;
		tp->t_minrtt_start = now_ms;
	}
}

void
tcp_rtt_update(struct tcpcb *tp, uint32_t us)
{
	int32_t delta;

	if (us == 0)
		us = 1;
	if (us > SAMPLE_MAX_US)
		us = SAMPLE_MAX_US;
	tp->t_rttlast = us;
	if (tp->t_srtt == 0) {
		/* RFC 6298 2.2: SRTT = R, RTTVAR = R / 2. */
		tp->t_srtt = us << 3;
		tp->t_rttvar = us << 1;
	} else {
		/* 2.3: SRTT += (R - SRTT) / 8, RTTVAR += (|R - SRTT| - RTTVAR) / 4, with SRTT of before. */
		delta = (int32_t)us - (int32_t)(tp->t_srtt >> 3);
		tp->t_srtt += (uint32_t)delta;
		if (tp->t_srtt == 0)
			tp->t_srtt = 1;
		if (delta < 0)
			delta = -delta;
		tp->t_rttvar += (uint32_t)delta - (tp->t_rttvar >> 2);
	}
	tp->t_rxtshift = 0;
	tp->t_rxtcur = tcp_rto(tp);
	tp->t_softerror = 0;
	tcp_statistics(tptomachine(tp))->tcps_rttupdated++;
}
