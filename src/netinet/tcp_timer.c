/*
 * TCP's timers: retransmission (RFC 6298), persist (RFC 9293 3.8.6.1, RFC 1122 4.2.2.17), delayed
 * acknowledgement (RFC 5681 4.2), keepalive (RFC 1122 4.2.3.6), the limit of connecting, FIN_WAIT_2, loss
 * probes (RFC 8985, tcp_rack.c has the contents).
 *
 * A connection has one callout for all of them. t_timers says when each is due; the callout is armed for
 * the earliest that there was when it was armed. Setting a timer is a store, and touches the callout only
 * when nothing armed is as early: acknowledgements push the retransmission timer further all the time, and
 * the callout finds out when it is called that nothing is due yet. Stopping is a store as well.
 *
 * Way in: tcp_timer_set and its sisters, from everywhere. Way out: what is due is done in expire(). The
 * connection may be gone after each of them.
 *
 * Limits: net.inet.tcp.rexmit_*, persmin, persmax, maxpersistidle, keep*, and the user's options. A
 * connection that nothing is owed on has no timer running, unless its user wants keepalives.
 */
#include "src/kern/sched.h"
#include "src/net/rtable.h"
#include "src/netinet/tcp_private.h"

#define PERSIST_CLOSED	(60 * TCP_NS_PER_S)	/* a peer that holds up a closed socket */
#define LOSING_SHIFT	3u		/* this many times in vain: is the route good? */

/* Factors of the RTO, RFC 6298 5.5. */
static const uint16_t backoff[TCP_MAXRXTSHIFT + 1] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 512, 512};

static inline struct tcp_config *
config_of(const struct tcpcb *tp)
{
	return &tptomachine(tp)->tcp->config;
}

static inline uint64_t
since(uint64_t now, uint64_t then)
{
	return now > then ? now - then : 0;
}

static inline uint64_t
ms_or(uint32_t own, int usual)
{
	return (own != 0 ? own : (uint32_t)usual) * TCP_NS_PER_MS;
}

/* ---- arming ------------------------------------------------------------------------------- */

static void
arm(struct tcpcb *tp, uint64_t deadline)
{
	struct callout *c = &tp->t_callout;

	/* No memory for the heap: what is armed already still comes, and looks at all. */
	if (!callout_pending(c) || deadline < c->deadline)
		(void)callout_reset(c, deadline);
}

void
tcp_timer_set(struct tcpcb *tp, enum tcp_timer t, uint64_t ns)
{
	uint64_t deadline;

	if (ns == 0) {
		tp->t_timers[t] = 0;
		return;
	}
	if (UNLIKELY(tp->t_flags & TF_CLOSED))
		return;
	deadline = machine_now(tptomachine(tp)) + ns;
	tp->t_timers[t] = deadline;
	if (LIKELY(tp->t_callout.heap_index != 0 && tp->t_callout.deadline <= deadline))
		return;
	/* In the middle of expire() its end arms for the rest. */
	if (!tp->t_callout.running)
		arm(tp, deadline);
}

void
tcp_timer_stop_all(struct tcpcb *tp)
{
	for (int t = 0; t < TT_COUNT; t++)
		tp->t_timers[t] = 0;
	callout_drain(&tp->t_callout);
}

static inline uint64_t
us_to_ns(uint32_t us)
{
	return us * TCP_NS_PER_US;
}

static uint32_t
at_most(const struct tcp_config *c, uint64_t us)
{
	uint64_t most = (uint64_t)c->rexmit_max * 1000;

	return (uint32_t)(us < most ? us : most);
}

static uint32_t
backed_off(const struct tcpcb *tp, uint16_t factor)
{
	uint64_t us = (uint64_t)tcp_rto(tp) * factor;

	if (us < config_of(tp)->rexmit_min * 1000ull)
		us = config_of(tp)->rexmit_min * 1000ull;
	return at_most(config_of(tp), us);
}

/* Of a SYN that is repeated: there is no round trip time to go by. */
static uint32_t
syn_backed_off(const struct tcpcb *tp)
{
	const struct tcp_config *c = config_of(tp);
	int shift = tp->t_rxtshift > c->syn_linear_timeouts ? tp->t_rxtshift - c->syn_linear_timeouts : 0;
	uint64_t us = ((uint64_t)c->rexmit_initial * backoff[shift] + (uint64_t)c->rexmit_slop) * 1000;

	return at_most(c, us);
}

void
tcp_set_rexmt(struct tcpcb *tp)
{
	if (UNLIKELY(tp->t_rxtcur == 0))
		tp->t_rxtcur = backed_off(tp, 1);
	tcp_timer_set(tp, TT_REXMT, us_to_ns(tp->t_rxtcur));
}

void
tcp_setpersist(struct tcpcb *tp)
{
	const struct tcp_config *c = config_of(tp);
	uint8_t shift = tp->t_rxtshift < TCP_MAXRXTSHIFT ? tp->t_rxtshift : TCP_MAXRXTSHIFT;
	uint64_t ns = us_to_ns((tp->t_srtt / 8 + tp->t_rttvar) / 2) * backoff[shift];
	uint64_t least = (uint64_t)c->persmin * TCP_NS_PER_MS, most = (uint64_t)c->persmax * TCP_NS_PER_MS;

	/* persmin 0: the RTO, as RFC 9293 3.8.6.1 has it. */
	if (least == 0)
		ns = us_to_ns(tcp_rto(tp)) * backoff[shift];
	if (ns < least * backoff[shift] / 2)
		ns = least * backoff[shift] / 2;
	if (ns < least)
		ns = least;
	if (ns > most)
		ns = most;
	tcp_timer_set(tp, TT_PERSIST, ns != 0 ? ns : 1);
	if (tp->t_rxtshift < TCP_MAXRXTSHIFT)
		tp->t_rxtshift++;
}

static inline bool
wants_keepalive(const struct tcpcb *tp)
{
	return (tptosocket(tp)->so_options & SO_KEEPALIVE) || config_of(tp)->always_keepalive;
}

void
tcp_keep_restart(struct tcpcb *tp)
{
	tp->t_keepprobes = 0;
	if (tp->t_state < TCPS_ESTABLISHED)
		return;
	if (LIKELY(!wants_keepalive(tp))) {
		tp->t_timers[TT_KEEP] = 0;
		return;
	}
	tcp_timer_set(tp, TT_KEEP, ms_or(tp->t_user->keepidle_ms, config_of(tp)->keepidle));
}

/* ---- retransmission ----------------------------------------------------------------------- */

static bool
gave_up(struct tcpcb *tp, uint32_t *counter)
{
	(*counter)++;
	tcp_drop(tp, tcp_give_up_error(tp));
	return true;
}

/* RFC 1122 4.2.3.5: enough tries, or as long as the user wants to wait? True: the connection is gone. */
static bool
too_often(struct tcpcb *tp, uint64_t now)
{
	struct tcpstat *st = tcp_statistics(tptomachine(tp));
	bool closing = tp->t_state >= TCPS_FIN_WAIT_1 && (tp->t_flags & TF_RXFINDROP);
	/* A peer that has closed its window under what was sent, and answers, is not dead. */
	bool probing = tp->snd_wnd == 0 && tp->t_state >= TCPS_ESTABLISHED &&
	    since(now, tp->t_rcvtime) < 2 * config_of(tp)->rexmit_max * TCP_NS_PER_MS;
	uint32_t ms = (uint32_t)(now / TCP_NS_PER_MS);
	uint64_t waiting;

	if (++tp->t_rxtshift > TCP_MAXRXTSHIFT) {
		tp->t_rxtshift = TCP_MAXRXTSHIFT;
		if (!probing)
			return gave_up(tp, &st->tcps_timeoutdrop);
	}
	if (tp->t_rxtshift == 1 || tp->t_rxtstart == 0)
		tp->t_rxtstart = ms != 0 ? ms : 1;
	waiting = (ms - tp->t_rxtstart) * TCP_NS_PER_MS;
	/* TCP_RXT_FINDROP: Darwin's users get rid of what hangs in closing after three tries. */
	if (closing && tp->t_rxtshift > 3)
		return gave_up(tp, &st->tcps_rxtfindrop);
	if (tp->t_user->maxunacktime_ms != 0 && waiting >= tp->t_user->maxunacktime_ms * TCP_NS_PER_MS)
		return gave_up(tp, &st->tcps_timeoutdrop);
	return false;
}

static void
shrink_segments(struct tcpcb *tp, uint32_t mss, uint32_t *counter)
{
	if (mss >= tp->t_maxseg)
		return;
	tp->t_maxseg = mss;
	tp->t_flags &= ~(uint32_t)TF_TSO;
	(*counter)++;
}

/*
 * Full segments vanish, and nobody says why: smaller ones may get through (RFC 4821 in spirit: 4.3, 7.7).
 * When they do not either, size was not the reason.
 */
static void
find_black_hole(struct tcpcb *tp)
{
	const struct tcp_config *c = config_of(tp);
	struct tcpstat *st = tcp_statistics(tptomachine(tp));
	const struct tcp_sent *e = TAILQ_FIRST(&tp->t_sent);
	bool v4 = tp->t_inpcb->inp_vflag == INP_IPV4;
	uint32_t medium = (uint32_t)(v4 ? c->pmtud_blackhole_mss : c->v6pmtud_blackhole_mss);
	uint32_t small = (uint32_t)(v4 ? c->mssdflt : c->v6mssdflt);

	if (!c->pmtud_blackhole_detection || !c->path_mtu_discovery || e == NULL ||
	    (tp->t_state != TCPS_ESTABLISHED && tp->t_state != TCPS_FIN_WAIT_1 &&
	    tp->t_state != TCPS_CLOSE_WAIT))
		return;
	if (tp->t_rxtshift >= 6) {
		if (!(tp->t_flags & TF_BLACKHOLE))
			return;
		tp->t_maxseg = tp->t_pmtud_saved_maxseg;
		tp->t_flags &= ~(uint32_t)TF_BLACKHOLE;
		st->tcps_pmtudbh_reverted++;
		return;
	}
	if (tp->t_rxtshift < 2 || tp->t_rxtshift % 2 != 0 || e->end - e->seq < tp->t_maxseg)
		return;
	if (!(tp->t_flags & TF_BLACKHOLE)) {
		tp->t_flags |= TF_BLACKHOLE;
		tp->t_pmtud_saved_maxseg = (uint16_t)tp->t_maxseg;
	}
	if (tp->t_maxseg > medium)
		shrink_segments(tp, medium, &st->tcps_mss_to_medium);
	else
		shrink_segments(tp, small, &st->tcps_mss_to_default);
}

/* Some middle boxes drop SYNs with options that they do not know. */
static void
syn_lost(struct tcpcb *tp)
{
	const struct tcp_config *c = config_of(tp);
	struct in_ends ends;

	/* The initial window is one segment then (RFC 5681 3.1): tcp_initial_window. */
	tp->snd_cwnd = 1;
	tp->t_uflags |= TFU_SYNLOST;
	if (c->rexmit_drop_options && tp->t_rxtshift == 3)
		tp->t_flags &= ~(uint32_t)(TF_REQ_SCALE | TF_REQ_TSTMP | TF_SACK_PERMIT);
	if ((tp->t_flags & TF_FASTOPEN) && tp->t_state == TCPS_SYN_SENT && tp->t_rxtshift == 1) {
		ends = tcp_ends(tp);
		tcp_fastopen_disable(tptomachine(tp), &ends);
		tcp_statistics(tptomachine(tp))->tcps_tfo_blackhole++;
		tcp_statistics(tptomachine(tp))->tcps_tfo_syn_loss++;
	}
}

/* Nothing is heard of the peer: perhaps another route is better. */
static void
doubt_route(struct tcpcb *tp)
{
	struct rtentry *rt = tp->t_inpcb->inp_route.ro_rt;

	if (tp->t_rxtshift != LOSING_SHIFT + 1 || rt == NULL)
		return;
	rt_losing(rt);
	route_clear(&tp->t_inpcb->inp_route);
}

/* True: the connection is gone. */
static bool
expire_rexmt(struct tcpcb *tp, uint64_t now)
{
	bool syn = tp->t_state == TCPS_SYN_SENT || tp->t_state == TCPS_SYN_RECEIVED;
	uint32_t us;

	/* Nothing in flight; a SYN that found no memory is. */
	if (TAILQ_EMPTY(&tp->t_sent) && tp->snd_nxt != tp->iss)
		return false;
	if (too_often(tp, now))
		return true;
	tcp_statistics(tptomachine(tp))->tcps_rexmttimeo++;
	us = syn ? syn_backed_off(tp) : backed_off(tp, backoff[tp->t_rxtshift]);
	if (!syn) {
		find_black_hole(tp);
		doubt_route(tp);
	}
	tcp_recovery_rto(tp);
	if (syn)
		syn_lost(tp);
	/* Whoever else had a say in it does not know of the SYN's own backoff. */
	tp->t_rxtcur = us;
	tcp_set_rexmt(tp);
	(void)tcp_output(tp);
	return false;
}

/* ---- persist ------------------------------------------------------------------------------ */

static bool
expire_persist(struct tcpcb *tp, uint64_t now)
{
	struct tcpstat *st = tcp_statistics(tptomachine(tp));
	uint64_t silent = since(now, tp->t_rcvtime);
	bool unwanted = tptosocket(tp)->so_state & SS_CANTRCVMORE;

	st->tcps_persisttimeo++;
	/*
	 * RFC 1122 4.2.2.17: a peer that answers may keep its window closed for ever; a silent one may not.
	 * Nor may one that holds up what its user has long closed.
	 */
	if ((tp->t_rxtshift >= TCP_MAXRXTSHIFT &&
	    silent >= ms_or(tp->t_user->persist_ms, config_of(tp)->maxpersistidle)) ||
	    (tp->t_user->persist_ms != 0 && silent >= tp->t_user->persist_ms * TCP_NS_PER_MS) ||
	    (tp->t_state > TCPS_CLOSE_WAIT && unwanted && silent >= PERSIST_CLOSED))
		return gave_up(tp, &st->tcps_persistdrop);
	tcp_setpersist(tp);
	(void)tcp_send_probe(tp, false);
	return false;
}

/* ---- keepalive and the others ------------------------------------------------------------- */

static bool
expire_keep(struct tcpcb *tp, uint64_t now)
{
	const struct tcp_config *c = config_of(tp);
	struct tcpstat *st = tcp_statistics(tptomachine(tp));
	uint64_t idle = ms_or(tp->t_user->keepidle_ms, c->keepidle), silent = since(now, tp->t_rcvtime);
	uint32_t probes = tp->t_user->keepcnt != 0 ? tp->t_user->keepcnt : (uint32_t)c->keepcnt;

	st->tcps_keeptimeo++;
	if (tp->t_state < TCPS_ESTABLISHED) {
		st->tcps_keepdrops++;
		tcp_drop(tp, ETIMEDOUT);
		return true;
	}
	if (!wants_keepalive(tp) || tp->t_state > TCPS_CLOSING)
		return false;
	if (silent < idle) {
		tcp_timer_set(tp, TT_KEEP, idle - silent);
		return false;
	}
	if (tp->t_keepprobes >= (probes < UINT8_MAX ? probes : UINT8_MAX)) {
		st->tcps_keepdrops++;
		tcp_drop(tp, ETIMEDOUT);
		return true;
	}
	tp->t_keepprobes++;
	st->tcps_keepprobe++;
	tcp_timer_set(tp, TT_KEEP, ms_or(tp->t_user->keepintvl_ms, c->keepintvl));
	(void)tcp_send_probe(tp, true);
	return false;
}

static void
expire_delack(struct tcpcb *tp)
{
	if (!(tp->t_flags & TF_DELACK))
		return;
	tp->t_flags = (tp->t_flags & ~(uint32_t)TF_DELACK) | TF_ACKNOW;
	tcp_statistics(tptomachine(tp))->tcps_delack++;
	(void)tcp_output(tp);
}

/* FIN_WAIT_2 of a user who has gone, or the end of TIME_WAIT. */
static bool
expire_2msl(struct tcpcb *tp, uint64_t now)
{
	const struct tcp_config *c = config_of(tp);
	uint64_t most = (uint64_t)c->finwait2_timeout * TCP_NS_PER_MS, silent = since(now, tp->t_rcvtime);

	if (tp->t_state == TCPS_FIN_WAIT_2 && silent < most && !c->fast_finwait2_recycle) {
		tcp_timer_set(tp, TT_2MSL, most - silent);
		return false;
	}
	tcp_close(tp);
	return true;
}

/* True: the connection is gone. */
static bool
expire(struct tcpcb *tp, enum tcp_timer t, uint64_t now)
{
	tp->t_timers[t] = 0;
	switch (t) {
	case TT_REXMT:
		return expire_rexmt(tp, now);
	case TT_PERSIST:
		return expire_persist(tp, now);
	case TT_KEEP:
		return expire_keep(tp, now);
	case TT_2MSL:
		return expire_2msl(tp, now);
	case TT_LOSS:
		tcp_loss_timer(tp);
		break;
	case TT_DELACK:
		expire_delack(tp);
		break;
	case TT_COUNT:
		break;
	}
	return false;
}

/* ---- the callout -------------------------------------------------------------------------- */

/*
 * The earliest timer; TT_COUNT: none. A probe that is due with the RTO goes before it and takes its place
 * (RFC 8985 7.2: the PTO is no later than the RTO).
 */
static enum tcp_timer
earliest(const struct tcpcb *tp)
{
	enum tcp_timer first = TT_COUNT;

	for (enum tcp_timer t = 0; t < TT_COUNT; t++)
		if (tp->t_timers[t] != 0 &&
		    (first == TT_COUNT || tp->t_timers[t] < tp->t_timers[first]))
			first = t;
	if (first != TT_COUNT && tp->t_timers[TT_LOSS] == tp->t_timers[first])
		first = TT_LOSS;
	return first;
}

static void
called(void *arg)
{
	struct tcpcb *tp = arg;
	struct inpcb *inp = tp->t_inpcb;
	struct socket *so = inp->inp_socket;
	uint64_t now = machine_now(tptomachine(tp));
	enum tcp_timer t;
	bool gone = false;

	so_retain(so);
	while (!gone && (t = earliest(tp)) != TT_COUNT && tp->t_timers[t] <= now)
		gone = expire(tp, t, now) || sotoinpcb(so) != inp || inp->inp_ppcb != tp;
	if (!gone && t != TT_COUNT && !(tp->t_flags & TF_CLOSED))
		arm(tp, tp->t_timers[t]);
	so_release(so);
}

void
tcp_timer_init(struct tcpcb *tp)
{
	callout_init(&tp->t_callout, tptomachine(tp), called, tp);
}
