/*
 * What may be sent now: RFC 9293 3.7, 3.8; RFC 896 and RFC 1122 4.2.3.4 (Nagle, silly windows), RFC 5681 4.1
 * (restart after idling), RFC 6675's NextSeg in the form that t_sent gives it.
 *
 * Way in: everybody who changes something, by tcp_output(): the user sends or reads (tcp_usrreq.c), a segment
 * came (tcp_segment.c, tcp_ack.c), a timer has expired (tcp_timer.c). Way out: tcp_send_segment().
 *
 * In this order: what is lost goes again, as far as the congestion window lets it; then new data, by the
 * congestion window, the peer's window, and whether a short segment pays; then the FIN with or behind the
 * last octet; then, if nothing carried it, an acknowledgement that is owed at once or a window that has
 * opened. When data wait and nothing is in flight whose acknowledgement would bring us back here, the
 * persist timer does. State: snd_nxt, t_sent, TF_*. The connection may be gone after each segment, as
 * filters of a kext may close it: then nothing is touched any more.
 *
 * Limits: the windows. Nobody can make a call send more than one acknowledgement without data.
 */
#include "src/kern/sched.h"
#include "src/netinet/tcp_accecn.h"

#define SACK_HEADER	4u		/* of SACK blocks, with padding */
#define HEADERS_MAX	120u		/* IP and TCP with options, in a packet that is cut */

/* One call. */
struct output {
	struct tcpcb *tp;
	struct inpcb *inp;
	struct socket *so;
	bool idle;			/* nothing was in flight: Nagle lets a short segment go */
	bool told;			/* a segment went: it carried the acknowledgement */
	bool new_data;
};

static inline bool
gone(const struct output *o)
{
	return UNLIKELY(sotoinpcb(o->so) != o->inp);
}

/* The sequence number of the first octet in so_snd. */
static inline tcp_seq
first_octet(const struct tcpcb *tp)
{
	return tp->snd_una + (tp->t_state <= TCPS_SYN_RECEIVED && tp->snd_una == tp->iss);
}

/* Octets in so_snd that were never sent. */
static inline uint32_t
unsent(const struct output *o)
{
	const struct tcpcb *tp = o->tp;

	if (tp->t_flags & TF_SENTFIN)
		return 0;
	return o->so->so_snd.sb_cc - (tp->snd_nxt - first_octet(tp));
}

/* Data octets of a segment now: SACK blocks take some, and so do counters of accurate ECN. */
static inline uint32_t
segment_limit(const struct tcpcb *tp)
{
	const uint32_t both = TF_REQ_TSTMP | TF_RCVD_TSTMP;
	unsigned blocks, most, at;
	uint32_t taken = 0;

	if (LIKELY(tp->t_rcv_sack == NULL && !(tp->t_flags & TF_ECN_PERMIT)))
		return tp->t_maxseg;
	at = (tp->t_flags & both) == both ? TCPOLEN_TSTAMP_APPA : 0;
	blocks = tcp_sacks_to_tell(tp);
	if (tcp_accecn_of(tp) != NULL)
		taken = tcp_accecn_octets(tcp_accecn_room(tp, at, &blocks, 0));
	most = at != 0 ? 3 : 4;
	if (blocks != 0)
		taken += SACK_HEADER + TCPOLEN_SACK * (blocks < most ? blocks : most);
	return tp->t_maxseg > taken ? tp->t_maxseg - taken : 1;
}

/* ---- errors ------------------------------------------------------------------------------- */

/* The route or the interface takes less than it did. True: segments are smaller now. */
static bool
shrink(struct tcpcb *tp)
{
	const struct rtentry *rt = tp->t_inpcb->inp_route.ro_rt;

	if (tp->t_flags & TF_TSO) {
		/* Filters have come, or an interface that does not cut. */
		tp->t_flags &= ~(uint32_t)TF_TSO;
		for (struct tcp_sent *e = TAILQ_FIRST(&tp->t_sent); e != NULL; e = TAILQ_NEXT(e, by_seq))
			if (e->end - e->seq > tp->t_maxseg && !(e->flags & (SENT_SACKED | SENT_LOST)))
				tcp_sent_mark_lost(tp, e);
		return true;
	}
	return rt != NULL && tcp_mtu_shrink(tp, rt_mtu(rt));
}

/*
 * IP did not take a segment that is in flight by our books. 0: it is as if it had been lost on the way.
 * EJUSTRETURN: try again at once.
 */
static errno_t
failed(struct output *o, errno_t error)
{
	struct tcpcb *tp = o->tp;

	switch (error) {
	case ENOBUFS:
		/* The queue here is full: no more than a segment at a time, when the timer says so. */
		if ((!TAILQ_EMPTY(&tp->t_sent) || tp->snd_nxt == tp->iss) &&
		    !tcp_timer_armed(tp, TT_REXMT) && !tcp_timer_armed(tp, TT_PERSIST))
			tcp_set_rexmt(tp);
		tp->snd_cwnd = tp->t_maxseg;
		return 0;
	case EMSGSIZE:
		return shrink(tp) ? EJUSTRETURN : error;
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENETDOWN:
	case ENETUNREACH:
		/* May pass: RFC 1122 4.2.3.9. */
		if (tp->t_state < TCPS_SYN_RECEIVED)
			return error;
		tp->t_softerror = error;
		return 0;
	case EPERM:
	case EACCES:
		tp->t_softerror = error;
		return error;
	default:
		return error;
	}
}

/* EJUSTRETURN: no more of it in this call, there was a passing error or the connection is gone. */
static inline errno_t
send(struct output *o, const struct tcp_out *out)
{
	errno_t error = tcp_send_segment(o->tp, out);

	o->told = true;
	if (gone(o))
		return EJUSTRETURN;
	if (LIKELY(error == 0))
		return 0;
	error = failed(o, error);
	if (error == EJUSTRETURN)
		return 0;
	return error != 0 ? error : EJUSTRETURN;
}

/* ---- what is lost ------------------------------------------------------------------------- */

static errno_t
send_entry(struct output *o, struct tcp_sent *e)
{
	struct tcpcb *tp = o->tp;
	uint32_t limit = segment_limit(tp);
	struct tcp_out out = {.seq = e->seq, .flags = TH_ACK, .rexmit = true, .entry = e};

	out.len = e->end - e->seq - ((e->flags & SENT_FIN) != 0);
	if (out.len > limit) {
		if (tcp_sent_split(tp, e, e->seq + limit) == NULL)
			return ENOBUFS;
		out.len = limit;
	}
	if (e->flags & SENT_FIN)
		out.flags |= TH_FIN;
	if ((e->flags & SENT_PUSH) && out.len != 0)
		out.flags |= TH_PUSH;
	return send(o, &out);
}

static errno_t
send_lost(struct output *o)
{
	struct tcpcb *tp = o->tp;
	/* What options take of a segment is no room for another. */
	uint32_t options = tp->t_maxseg - segment_limit(tp);
	struct tcp_sent *e;
	errno_t error = 0;

	while (error == 0 && tcp_cwnd_room(tp) > options && (e = tcp_sent_first_lost(tp)) != NULL) {
		/* A window that was taken back lets the first one through, as a probe. */
		if (UNLIKELY(SEQ_GT(e->end, tp->snd_una + tp->snd_wnd)) && e->seq != tp->snd_una)
			break;
		error = send_entry(o, e);
	}
	return error;
}

/* ---- new data ----------------------------------------------------------------------------- */

static inline uint32_t
smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Octets that the peer takes beyond snd_nxt. */
static inline uint32_t
peer_room(const struct tcpcb *tp)
{
	tcp_seq edge = tp->snd_una + tp->snd_wnd;

	return SEQ_GT(edge, tp->snd_nxt) ? edge - tp->snd_nxt : 0;
}

/*
 * Several segments in one, for an interface that cuts them: all of `len` if it is the last there is, else
 * whole segments.
 */
static uint32_t
large(const struct output *o, uint32_t len, bool all, uint32_t limit)
{
	const struct tcpcb *tp = o->tp;
	const struct rtentry *rt = o->inp->inp_route.ro_rt;
	bool v4 = o->inp->inp_vflag == INP_IPV4;
	uint32_t most;

	if (limit != tp->t_maxseg || rt == NULL ||
	    (UNLIKELY(tp->t_flags & TF_ECN_PERMIT) && tcp_ecn_says_cwr(tp)) ||
	    !(if_offload_now(rt->rt_ifp) & (v4 ? IFNET_TSO_IPV4 : IFNET_TSO_IPV6)))
		return limit;
	most = v4 ? rt->rt_ifp->tso_v4_mtu : rt->rt_ifp->tso_v6_mtu;
	if (most == 0 || most > IP_MAXPACKET)
		most = IP_MAXPACKET;
	most = smaller(len, most > HEADERS_MAX + limit ? most - HEADERS_MAX : limit);
	return most == len && all ? len : most - most % limit;
}

/* Minshall's variant of Nagle's algorithm: short segments wait for short ones only, not for full ones. */
static bool
only_short_one(const struct tcpcb *tp)
{
	const struct tcp_sent *e = TAILQ_LAST(&tp->t_sent, tcp_sent_list);

	if (!tptomachine(tp)->tcp->config.nagle_minshall)
		return false;
	while (e != NULL && (e->end - e->seq) % tp->t_maxseg == 0)
		e = TAILQ_PREV(e, tcp_sent_list, by_seq);
	return e == NULL;
}

/*
 * Does a segment that is not full pay? The last of what there is does, if nothing was in flight when this
 * call began (Nagle, as BSD does it: what is written at once goes at once) or nobody cares; so does half of
 * what the peer ever took.
 */
static inline bool
short_one_pays(const struct output *o, uint32_t len, uint32_t avail)
{
	const struct tcpcb *tp = o->tp;

	if (len == avail && !(tp->t_flags & (TF_MORETOCOME | TF_NOPUSH)) &&
	    (o->idle || (tp->t_flags & TF_NODELAY) || only_short_one(tp)))
		return true;
	if (SEQ_GT(tp->snd_up, tp->snd_nxt))
		return true;
	/* RFC 5682: new data, any, tell whether the timeout was right. */
	if (UNLIKELY(tp->t_flags & TF_FRTO) && tp->t_frto_step == 3)
		return true;
	return len >= tp->max_sndwnd / 2 && tp->max_sndwnd > 0;
}

static errno_t
send_new(struct output *o)
{
	struct tcpcb *tp = o->tp;
	uint32_t avail, len, limit;
	struct tcp_out out = {0};
	errno_t error;

	do {
		bool fin = tcp_fin_due(tp), full, ends = false;

		avail = unsent(o);
		if (avail == 0 && !fin)
			return 0;
		len = smaller(avail, peer_room(tp));
		if (len != 0)
			len = smaller(len, tcp_cwnd_room(tp));
		limit = segment_limit(tp);
		if (UNLIKELY(o->so->so_snd.sb_flags & SB_RECORDS) && len != 0)
			len = tcp_record_left(tp, len, &ends);
		full = len >= limit;
		if (len > limit)
			len = UNLIKELY(tp->t_flags & TF_TSO) ? large(o, len, len == avail || ends, limit) :
			    limit;
		fin = fin && len == avail;
		if (len == 0 && !fin)
			return 0;
		/* Nothing will be added to a record that is at its end. */
		ends = ends && len != avail;
		if (!full && !ends && !fin && !short_one_pays(o, len, avail))
			return 0;
		if (UNLIKELY(tp->t_user->pace != NULL) && tcp_paced(tp, len))
			return 0;
		out.seq = tp->snd_nxt;
		out.len = len;
		out.flags = (uint8_t)(TH_ACK | (len == avail && len != 0 ? TH_PUSH : 0) | (fin ? TH_FIN : 0));
		error = send(o, &out);
		o->new_data = true;
		/* Retransmissions go first: a smaller MTU makes some. */
	} while (error == 0 && len < avail && LIKELY(tp->t_lost == 0));
	return error;
}

/* ---- the rest ----------------------------------------------------------------------------- */

static inline bool
empty_one_due(const struct output *o)
{
	const struct tcpcb *tp = o->tp;

	if (tp->t_flags & TF_ACKNOW)
		return true;
	if (o->told)
		return false;
	/* Urgent data that cannot go yet are announced. */
	if (UNLIKELY(SEQ_GT(tp->snd_up, tp->snd_una) && SEQ_GT(tp->snd_up, tp->snd_nxt)))
		return true;
	return tcp_window_update_due(tp);
}

/*
 * As BSD does it: while our FIN is not acknowledged, what goes without data says it again. Its ACK measures
 * nothing then (Karn).
 */
static errno_t
send_empty(struct output *o)
{
	struct tcpcb *tp = o->tp;
	struct tcp_out out = {.seq = tp->snd_nxt, .flags = TH_ACK};
	struct tcp_sent *e;

	if (UNLIKELY(tp->t_flags & TF_SENTFIN) && tp->snd_una != tp->snd_nxt) {
		out.seq--;
		out.flags |= TH_FIN;
		out.probe = true;
		e = TAILQ_LAST(&tp->t_sent, tcp_sent_list);
		if (e != NULL && e->seq == out.seq)
			e->flags |= SENT_REXMIT;
	}
	return send(o, &out);
}

/* RFC 5681 4.1: what the window was before a pause says nothing of the network now. */
static inline void
after_idle(struct tcpcb *tp)
{
	if (tp->t_sndtime != 0 && tp->t_state >= TCPS_ESTABLISHED &&
	    machine_now(tptomachine(tp)) - tp->t_sndtime >= (uint64_t)tp->t_rxtcur * TCP_NS_PER_US)
		cc_after_idle(tp);
}

static errno_t
run(struct output *o)
{
	struct tcpcb *tp = o->tp;
	errno_t error = 0;
	tcp_seq before;

	do {
		before = tp->snd_nxt;
		if (UNLIKELY(tp->t_lost != 0))
			error = send_lost(o);
		if (error == 0)
			error = send_new(o);
		/* New data may have turned out to be too large for the path: they are lost by now. */
	} while (error == 0 && UNLIKELY(tp->t_lost != 0) && tp->snd_nxt != before);
	return error;
}

/* ---- SYNs --------------------------------------------------------------------------------- */

/*
 * Octets of data in the SYN: with a cookie only (RFC 7413 4.1.3.1), and as much as surely fits. FreeBSD's
 * base stack has them in a SYN-ACK, too.
 */
static uint32_t
syn_data(const struct output *o)
{
	struct tcpcb *tp = o->tp;
	uint8_t cookie[TCP_FASTOPEN_MAX_COOKIE];
	struct in_ends ends;
	uint16_t mss = 0;
	uint32_t limit;

	if (!(tp->t_flags & TF_FASTOPEN) || o->so->so_snd.sb_cc == 0)
		return 0;
	if (tp->t_state == TCPS_SYN_RECEIVED) {
		limit = tp->t_uflags & TFU_BASE ? tp->t_maxseg : 0;
	} else {
		ends = tcp_ends(tp);
		if (tcp_fastopen_lookup(tptomachine(tp), &ends, cookie, &mss) == 0)
			return 0;
		limit = smaller(mss != 0 ? mss : tp->t_maxseg,
		    tcp_mss_of_syn(tptomachine(tp), o->inp, &ends));
	}
	return limit > TCP_MAXOLEN ? smaller(o->so->so_snd.sb_cc, limit - (uint32_t)TCP_MAXOLEN) : 0;
}

/* SYN_SENT, and SYN_RECEIVED while our SYN is not acknowledged. */
static errno_t
output_syn(struct output *o)
{
	struct tcpcb *tp = o->tp;
	bool answer = tp->t_state == TCPS_SYN_RECEIVED;
	struct tcp_out out = {.seq = tp->iss, .flags = answer ? TH_SYN | TH_ACK : TH_SYN};
	struct tcp_sent *e = TAILQ_FIRST(&tp->t_sent);

	if (tp->snd_nxt == tp->iss) {
		out.len = syn_data(o);
	} else if (e != NULL && (e->flags & SENT_SYN) &&
	    ((e->flags & SENT_LOST) ||
	    (answer && (tp->t_flags & TF_ACKNOW) && !(tp->t_flags & TF_FASTOPEN)))) {
		out.rexmit = true;
		out.entry = e;
	} else {
		return 0;
	}
	out.flags = (uint16_t)(out.flags | tcp_ecn_syn_flags(tp));
	out.tos = tcp_ecn_syn_mark(tptomachine(tp), out.flags);
	return send(o, &out);
}

/* True when that was all. */
static bool
output_unfinished(struct output *o, errno_t *error)
{
	struct tcpcb *tp = o->tp;

	switch (tp->t_state) {
	case TCPS_CLOSED:
	case TCPS_LISTEN:
		*error = 0;
		return true;
	default:
		if (tp->snd_una != tp->iss)
			return false;
		*error = output_syn(o);
		/* A server may answer before the handshake is over (RFC 7413 4.2.2). */
		if (tp->t_state == TCPS_SYN_RECEIVED && *error == 0 && tp->snd_nxt != tp->iss &&
		    ((tp->t_flags & TF_FASTOPEN) || TAILQ_EMPTY(&tp->t_sent)))
			return false;
		return true;
	}
}

/* ---- entry -------------------------------------------------------------------------------- */

/* A write in several pieces is one to Nagle: the last piece goes as if nothing were in flight. */
static inline void
look_at_idleness(struct output *o)
{
	struct tcpcb *tp = o->tp;
	bool nothing = tp->snd_nxt == tp->snd_una;

	o->idle = nothing || (tp->t_flags & TF_WASIDLE);
	/* A SYN in flight is no data that Nagle would wait for. */
	if (UNLIKELY(tp->t_state == TCPS_SYN_RECEIVED))
		o->idle = o->idle || tp->snd_nxt == tp->iss + 1;
	if (UNLIKELY(nothing))
		after_idle(tp);
	tp->t_flags &= ~(uint32_t)TF_WASIDLE;
	if (UNLIKELY(o->idle && (tp->t_flags & TF_MORETOCOME))) {
		tp->t_flags |= TF_WASIDLE;
		o->idle = false;
	}
}

/* When nothing more goes: who wakes us? */
static inline void
see_to_timers(struct output *o)
{
	struct tcpcb *tp = o->tp;

	if (o->new_data)
		tcp_tlp_schedule(tp);
	if (UNLIKELY(TAILQ_EMPTY(&tp->t_sent)) && (unsent(o) != 0 || tcp_fin_due(tp)) &&
	    tp->t_state >= TCPS_ESTABLISHED && !tcp_timer_armed(tp, TT_PERSIST) &&
	    LIKELY(tp->t_user->pace == NULL || !callout_pending(&tp->t_user->pace->callout))) {
		tp->t_rxtshift = 0;
		tcp_setpersist(tp);
	}
}

errno_t
tcp_output(struct tcpcb *tp)
{
	struct output o = {.tp = tp, .inp = tp->t_inpcb, .so = tptosocket(tp)};
	errno_t error;

	so_retain(o.so);
	if (UNLIKELY(tp->t_state <= TCPS_SYN_RECEIVED) && output_unfinished(&o, &error))
		goto done;
	look_at_idleness(&o);
	tcp_sndbuf_autosize(tp);
	error = run(&o);
	if (error == 0 && empty_one_due(&o))
		error = send_empty(&o);
	if (!gone(&o)) {
		see_to_timers(&o);
		/* Less waits to be sent: the writer may be waiting for that. */
		if (UNLIKELY(tp->t_user->notsent_lowat != 0))
			sowwakeup(o.so);
	}
done:
	so_release(o.so);
	return error == EJUSTRETURN ? 0 : error;
}
