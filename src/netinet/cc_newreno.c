/*
 * Reno's congestion control: RFC 5681 section 3.1, with bytes counted (RFC 3465). What RFC 6582 adds
 * to it, recovery without SACK, is in tcp_recovery.c.
 *
 * State: the bytes acknowledged in congestion avoidance since the window last grew. ECN halves as
 * loss does.
 */
#include "src/netinet/tcp_private.h"

struct newreno {
	uint32_t counted;
};
_Static_assert(sizeof(struct newreno) <= CC_DATA_SIZE, "CC_DATA_SIZE");

static inline struct newreno *
data_of(struct tcpcb *tp)
{
	return (struct newreno *)(void *)tp->t_ccdata;
}

static void
ack_received(struct tcpcb *tp, const struct cc_ack *ack)
{
	if (ack->in_recovery || !ack->cwnd_limited)
		return;
	if (cc_in_slow_start(tp))
		cc_set_cwnd(tp, (uint64_t)tp->snd_cwnd + cc_slow_start(tp, ack));
	else
		cc_congestion_avoidance(tp, ack, &data_of(tp)->counted);
}

static void
cong_signal(struct tcpcb *tp, enum cc_signal what)
{
	uint32_t half = cc_loss_window(tp) / 2, least = 2 * tp->t_maxseg;

	switch (what) {
	case CC_NDUPACK:
	case CC_RTO:
		tp->snd_ssthresh = half > least ? half : least;
		data_of(tp)->counted = 0;
		break;
	case CC_ECN:
		half = tp->snd_cwnd / 2;
		tp->snd_ssthresh = half > least ? half : least;
		data_of(tp)->counted = 0;
		break;
	case CC_RTO_ERR:
	case CC_UNDO:
		cc_restore(tp);
		break;
	}
}

const struct cc_algo cc_newreno = {
	.name = "newreno",
	.ack_received = ack_received,
	.cong_signal = cong_signal
};
