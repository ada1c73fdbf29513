/*
 * Pacing: new data of a connection leave no faster than at a rate, segment by segment, instead of in bursts
 * as large as the window. The rate is the user's (SO_MAX_PACING_RATE on the host); an algorithm of congestion
 * control may set it as well.
 *
 * Way in: tcp_pace_set, and tcp_paced, which tcp_output asks before each new segment. Way out: a callout of
 * its own calls tcp_output when the next may go. State: struct tcp_pace, off the user's options, with the
 * first rate. Retransmissions, probes and what has no data are not paced, and do not count.
 */
#include "src/kern/heap.h"
#include "src/kern/sched.h"
#include "src/kern/socketvar.h"
#include "src/netinet/tcp_private.h"

static void
next_may_go(void *arg)
{
	struct tcpcb *tp = arg;
	struct socket *so = tptosocket(tp);

	so_retain(so);
	(void)tcp_output(tp);
	so_release(so);
}

errno_t
tcp_pace_set(struct tcpcb *tp, uint64_t rate)
{
	struct tcp_user *user;

	if (tp->t_user->pace == NULL && rate == 0)
		return 0;
	user = tcp_user_get(tp);
	if (user == NULL)
		return ENOBUFS;
	if (rate == 0) {
		callout_drain(&user->pace->callout);
		kfree(tptomachine(tp), user->pace);
		user->pace = NULL;
		return 0;
	}
	if (user->pace == NULL) {
		user->pace = kalloc(tptomachine(tp), sizeof *user->pace);
		if (user->pace == NULL)
			return ENOBUFS;
		callout_init(&user->pace->callout, tptomachine(tp), next_may_go, tp);
	}
	user->pace->rate = rate;
	return 0;
}

bool
tcp_paced(struct tcpcb *tp, uint32_t len)
{
	struct tcp_pace *pace = tp->t_user->pace;
	uint64_t now = machine_now(tptomachine(tp));

	if (now < pace->next)
		return true;
	pace->next = now + len * TCP_NS_PER_S / pace->rate;
	/* Without memory for it the next acknowledgement does. */
	(void)callout_reset(&pace->callout, pace->next);
	return false;
}
