/*
 * CUBIC: RFC 9438, in integers; slow start ends by HyStart++, RFC 9406.
 *
 * After a reduction the window follows W(t) = C (t - K)^3 + W_max: fast towards the window of the
 * loss, flat near it, then away from it. Where Reno would have more by now (W_est), the window is
 * that (4.3). Constants: C 0.4, beta 0.7. Slow start watches round trip times: when those of a round
 * grow, it goes on a quarter as fast for some rounds (CSS) and ends, unless they shrink again.
 *
 * Time is in units of 1/1024 s, windows are in bytes. C (t - K)^3 segments are C mss (t - K)^3 /
 * 2^30 bytes; times are cut off where the cube fits 64 bits. What divisions round off is carried to
 * the next ACK.
 *
 * State: struct cubic, CC_DATA_SIZE bytes. An epoch is a stretch of congestion avoidance; it ends
 * with a reduction and with a time in which the window was not used, as that time must not count
 * (RFC 9438 5.8, 4.2). net.inet.tcp.cc.cubic: fast_convergence (4.7), friendly (4.3), hystart
 * (0: none; 2: slow start ends at once, as before RFC 9406). No timers.
 */
#include "src/kern/sched.h"
#include "src/netinet/tcp_private.h"

#define UNIT_SHIFT	10		/* 2^10 units are a second */
#define UNIT_NS		976562u
#define TIME_MAX	((uint64_t)1 << 19)	/* units: nine minutes */
#define C_NUM		4u		/* C = 0.4 */
#define C_DEN		10u
#define BETA_NUM	7u		/* beta = 0.7 */
#define BETA_DEN	10u
#define ALPHA_NUM	9u		/* alpha = 3 (1 - beta) / (1 + beta) = 9/17 */
#define ALPHA_DEN	17u

/* RFC 9406 section 4.3; times in us. */
#define MIN_RTT_THRESH	4000u
#define MAX_RTT_THRESH	16000u
#define MIN_RTT_DIVISOR	8u
#define N_RTT_SAMPLE	8u
#define CSS_GROWTH_DIVISOR	4u
#define CSS_ROUNDS	5u

/* net.inet.tcp.cc.cubic.hystart */
#define HYSTART_CSS	1		/* RFC 9406 */
#define HYSTART_AT_ONCE	2		/* without CSS, as Linux */
#define LOW_WINDOW	16u		/* segments: it does not look at less */

enum hystart {
	SLOW_START, CSS, HYSTART_DONE
};

struct cubic {
	union {
		struct {
			uint64_t epoch;		/* when it began, ns; 0: with the next ACK */
			uint32_t k;		/* units from there to w_max */
			uint32_t w_est;
			uint32_t est_acked;	/* bytes not yet counted in w_est, and in the window */
			uint32_t cwnd_acked;
		};
		struct {			/* in the first slow start */
			uint32_t last_min, round_min;	/* us; 0: none */
			union {
				uint32_t css_min;	/* us */
				tcp_seq out_end;	/* HYSTART_AT_ONCE: out_most is of before */
			};
			tcp_seq round_end;
			uint32_t out_most;	/* octets in flight */
			uint8_t samples, css_rounds;
			bool round;		/* one is going on */
		};
	};
	uint32_t w_max;
	uint32_t cwnd_prior : 30;	/* the window when it was last reduced: a scaled one is smaller */
	uint32_t hystart : 2;		/* enum hystart */
};
_Static_assert(sizeof(struct cubic) <= CC_DATA_SIZE, "CC_DATA_SIZE");

static inline struct cubic *
data_of(struct tcpcb *tp)
{
	return (struct cubic *)(void *)tp->t_ccdata;
}

static inline const struct tcp_config *
config_of(const struct tcpcb *tp)
{
	return &tptomachine(tp)->tcp->config;
}

/* ---- arithmetic ----------------------------------------------------------------------------- */

/* The integer part of the cube root: a bit at a time. */
static uint32_t
cube_root(uint64_t n)
{
	uint64_t root = 0;

	for (int bit = 21; bit >= 0; bit--) {
		uint64_t more = root | (uint64_t)1 << bit;

		if (more <= 2642245 && more * more * more <= n)
			root = more;
	}
	return (uint32_t)root;
}

/* C mss t^3 in bytes. */
static uint64_t
cube_bytes(uint32_t mss, uint64_t t)
{
	unsigned shift;

	if (t > TIME_MAX)
		t = TIME_MAX;
	/* Without losing digits as long as the product fits: mss is below 2^16. */
	shift = t < (1u << 15) ? 0 : 12;
	return ((t * t * t >> shift) * ((uint64_t)mss * C_NUM / C_DEN)) >> (3 * UNIT_SHIFT - shift);
}

/* Its reverse: how long the curve takes for so many bytes, units. */
static uint32_t
cube_time(uint32_t mss, uint64_t bytes)
{
	return cube_root((bytes << 3 * UNIT_SHIFT) / ((uint64_t)mss * C_NUM / C_DEN));
}

/* W_cubic(t). */
static uint64_t
window_at(const struct cubic *c, uint32_t mss, uint64_t t)
{
	uint64_t away;

	if (t >= c->k)
		return c->w_max + cube_bytes(mss, t - c->k);
	away = cube_bytes(mss, c->k - t);
	return away < c->w_max ? c->w_max - away : 0;
}

/* ---- congestion avoidance ------------------------------------------------------------------- */

static void
begin_epoch(struct tcpcb *tp, struct cubic *c, uint64_t now)
{
	c->epoch = now;
	c->w_est = tp->snd_cwnd;
	c->est_acked = c->cwnd_acked = 0;
	if (c->w_max <= tp->snd_cwnd) {
		c->w_max = tp->snd_cwnd;
		c->k = 0;
	} else
		c->k = cube_time(tp->t_maxseg, c->w_max - tp->snd_cwnd);
}

/*
 * 4.3: the window that Reno with the same average would have; as fast as Reno above that of the
 * reduction.
 */
static void
estimate_reno(struct tcpcb *tp, struct cubic *c, uint32_t acked)
{
	uint64_t num = ALPHA_NUM, den = ALPHA_DEN, more;

	if (c->w_est >= c->cwnd_prior)
		num = den = 1;
	c->est_acked += acked;
	more = c->est_acked * num * tp->t_maxseg / (den * tp->snd_cwnd);
	if (more == 0)
		return;
	c->w_est += (uint32_t)more;
	c->est_acked -= (uint32_t)(more * den * tp->snd_cwnd / (num * tp->t_maxseg));
}

/*
 * 4.4 and 4.5: (target - cwnd) / cwnd per segment acknowledged, towards where the curve is a round
 * trip later.
 */
static void
follow_curve(struct tcpcb *tp, struct cubic *c, uint64_t t, uint32_t acked)
{
	uint64_t rtt = (((uint64_t)tp->t_srtt >> 3) << UNIT_SHIFT) / 1000000u;
	uint64_t cwnd = tp->snd_cwnd, target = window_at(c, tp->t_maxseg, t + rtt), more;

	if (target <= cwnd)
		return;
	if (target > cwnd + cwnd / 2)
		target = cwnd + cwnd / 2;
	c->cwnd_acked += acked;
	more = (target - cwnd) * c->cwnd_acked / cwnd;
	if (more == 0)
		return;
	c->cwnd_acked -= (uint32_t)(more * cwnd / (target - cwnd));
	cc_set_cwnd(tp, cwnd + more);
}

static void
avoid_congestion(struct tcpcb *tp, struct cubic *c, const struct cc_ack *ack)
{
	uint64_t now = machine_now(tptomachine(tp)), t;
	/* A stretch ACK, or one that ends recovery, counts for a window at most. */
	uint32_t acked = ack->acked < tp->snd_cwnd ? ack->acked : tp->snd_cwnd;

	if (c->epoch == 0)
		begin_epoch(tp, c, now);
	t = (now - c->epoch) / UNIT_NS;
	if (config_of(tp)->cubic_friendly) {
		estimate_reno(tp, c, acked);
		if (window_at(c, tp->t_maxseg, t) < c->w_est) {
			if (c->w_est > tp->snd_cwnd)
				cc_set_cwnd(tp, c->w_est);
			return;
		}
	}
	follow_curve(tp, c, t, acked);
}

/* ---- slow start ----------------------------------------------------------------------------- */

static void
end_slow_start(struct tcpcb *tp, struct cubic *c)
{
	tp->snd_ssthresh = tp->snd_cwnd;
	c->hystart = HYSTART_DONE;
	c->epoch = 0;
	c->w_max = 0;
}

/* A round is over when what was sent at its beginning is acknowledged (RFC 9406 4.2). */
static void
begin_round(struct tcpcb *tp, struct cubic *c)
{
	if (c->round && SEQ_LT(tp->snd_una, c->round_end))
		return;
	if (c->round && c->hystart == CSS && ++c->css_rounds >= CSS_ROUNDS) {
		end_slow_start(tp, c);
		return;
	}
	c->last_min = c->round ? c->round_min : 0;
	c->round_min = 0;
	c->samples = 0;
	c->round_end = tp->snd_nxt;
	c->round = true;
}

/* How much longer round trips are when slow start has been too fast. */
static uint32_t
rtt_threshold(const struct cubic *c)
{
	uint32_t threshold = c->last_min / MIN_RTT_DIVISOR;

	if (threshold < MIN_RTT_THRESH)
		return MIN_RTT_THRESH;
	return threshold < MAX_RTT_THRESH ? threshold : MAX_RTT_THRESH;
}

static void
watch_round_trip(struct cubic *c, uint32_t rtt)
{
	if (rtt == 0)
		return;
	if (c->round_min == 0 || rtt < c->round_min)
		c->round_min = rtt;
	if (c->samples != UINT8_MAX)
		c->samples++;
	if (c->samples < N_RTT_SAMPLE)
		return;
	if (c->hystart == CSS) {
		/* It was nothing: fast again. */
		if (c->round_min < c->css_min)
			c->hystart = SLOW_START;
		return;
	}
	if (c->last_min == 0)
		return;
	if (c->round_min >= c->last_min + rtt_threshold(c)) {
		c->css_min = c->round_min;
		c->css_rounds = 0;
		c->hystart = CSS;
	}
}

/*
 * HyStart as it was before RFC 9406, and as Linux has it: from 16 segments on slow start ends at once, when
 * the first eight round trips of a round were all longer than the shortest ever. True: it does now.
 */
static bool
ends_at_once(const struct tcpcb *tp, struct cubic *c, uint32_t rtt)
{
	if (rtt == 0)
		return false;
	if (c->last_min == 0 || rtt < c->last_min)
		c->last_min = rtt;
	if (tp->snd_cwnd < LOW_WINDOW * tp->t_maxseg)
		return false;
	if (!c->round || SEQ_GT(tp->snd_una, c->round_end)) {
		c->round = true;
		c->round_end = tp->snd_nxt;
		c->round_min = rtt;
		c->samples = 0;
	}
	if (rtt < c->round_min)
		c->round_min = rtt;
	if (c->samples < N_RTT_SAMPLE) {
		c->samples++;
		return false;
	}
	return c->round_min > c->last_min + rtt_threshold(c);
}

/* The window may become twice what was in flight at most, since what is in flight now began to be sent. */
static bool
was_half_used(const struct tcpcb *tp, struct cubic *c, uint32_t acked)
{
	uint32_t out = tp->snd_nxt - tp->snd_una + acked;
	bool used;

	if (out > c->out_most)
		c->out_most = out;
	used = tp->snd_cwnd / 2 < c->out_most;
	if (SEQ_GT(tp->snd_una, c->out_end)) {
		c->out_most = out;
		c->out_end = tp->snd_nxt;
	}
	return used;
}

static void
slow_start(struct tcpcb *tp, struct cubic *c, const struct cc_ack *ack)
{
	uint32_t more = cc_slow_start(tp, ack);

	if (c->hystart != HYSTART_DONE && config_of(tp)->cubic_hystart == HYSTART_CSS) {
		begin_round(tp, c);
		if (c->hystart != HYSTART_DONE)
			watch_round_trip(c, ack->rtt);
		if (c->hystart == HYSTART_DONE)
			return;
		if (c->hystart == CSS)
			more /= CSS_GROWTH_DIVISOR;
	}
	cc_set_cwnd(tp, (uint64_t)tp->snd_cwnd + more);
}

/* ---- the algorithm -------------------------------------------------------------------------- */

static void
ack_received(struct tcpcb *tp, const struct cc_ack *ack)
{
	struct cubic *c = data_of(tp);
	bool used = ack->cwnd_limited;

	if (ack->in_recovery)
		return;
	if (cc_in_slow_start(tp)) {
		if (c->hystart != HYSTART_DONE && config_of(tp)->cubic_hystart == HYSTART_AT_ONCE) {
			used |= was_half_used(tp, c, ack->acked);
			if (ends_at_once(tp, c, ack->rtt)) {
				end_slow_start(tp, c);
				return;
			}
		}
		if (used)
			slow_start(tp, c, ack);
		return;
	}
	if (c->hystart != HYSTART_DONE)
		end_slow_start(tp, c);
	if (ack->cwnd_limited)
		avoid_congestion(tp, c, ack);
	else
		c->epoch = 0;		/* it begins anew where the window is */
}

/* 4.6 and 4.7. */
static void
reduce(struct tcpcb *tp, struct cubic *c, uint32_t window)
{
	uint32_t least = 2 * tp->t_maxseg, reduced = (uint32_t)((uint64_t)window * BETA_NUM / BETA_DEN);

	c->hystart = HYSTART_DONE;
	c->cwnd_prior = window & 0x3fffffff;
	/* Less than last time: somebody else needs room, and gets it sooner. */
	if (config_of(tp)->cubic_fast_convergence && window < c->w_max)
		c->w_max = (uint32_t)((uint64_t)window * (BETA_DEN + BETA_NUM) / (2 * BETA_DEN));
	else
		c->w_max = window;
	c->epoch = 0;
	c->k = 0;
	tp->snd_ssthresh = reduced > least ? reduced : least;
}

/* 4.9.2. A first slow start was watched (HyStart++) and had no curve. */
static void
take_back(struct tcpcb *tp, struct cubic *c)
{
	const struct cubic *old = (const struct cubic *)(const void *)tp->t_undo->ccdata;
	bool curve = old->hystart == HYSTART_DONE;

	c->w_max = old->w_max;
	c->cwnd_prior = old->cwnd_prior;
	c->epoch = curve ? old->epoch : 0;
	c->k = curve ? old->k : 0;
	c->est_acked = c->cwnd_acked = 0;
	c->w_est = tp->t_undo->cwnd;
	cc_restore(tp);
}

static void
cong_signal(struct tcpcb *tp, enum cc_signal what)
{
	struct cubic *c = data_of(tp);

	switch (what) {
	case CC_NDUPACK:
	case CC_RTO:
		reduce(tp, c, cc_loss_window(tp));
		break;
	case CC_ECN:
		reduce(tp, c, tp->snd_cwnd);
		break;
	case CC_RTO_ERR:
	case CC_UNDO:
		take_back(tp, c);
		break;
	}
}

/* The time that was idle is none of the curve's. */
static void
after_idle(struct tcpcb *tp)
{
	struct cubic *c = data_of(tp);

	if (c->hystart == HYSTART_DONE)
		c->epoch = 0;
	else
		c->round = false;
}

const struct cc_algo cc_cubic = {
	.name = "cubic",
	.ack_received = ack_received,
	.cong_signal = cong_signal,
	.after_idle = after_idle
};
