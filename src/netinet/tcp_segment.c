/*
 * A segment for a connection in SYN_RECEIVED or beyond: RFC 9293 section 3.10.7.4, with RFC 5961 (blind
 * attacks), RFC 7323 section 5 (PAWS), RFC 2883 (duplicates are told), RFC 6093 (urgent data). Called by
 * tcp_input.c, and by tcp_listen.c for the segment that ends a handshake.
 *
 * Way in: tcp_do_segment; header prediction takes most (tcp_fastpath.c). In order: RST, SYN, timestamps,
 * what is outside of the window is cut off, ACK (tcp_ack.c), urgent data, data (tcp_reass.c), FIN. Way out:
 * what there is to be told to the socket and to the peer is collected in the segment and done at the very
 * end (tcp_segment_done), when the connection is in order again, as whoever is told may close it.
 *
 * State: rcv_nxt, rcv_wnd, rcv_up, ts_recent, t_oobflags; timers: delayed ACK, and those of tcp_ack.c.
 *
 * Limits: a RST counts only at the very sequence number that is expected, a SYN never, an ACK within a
 * window; all others get a challenge, of which there are few a second. What lies far behind the window is
 * not looked at. Data for a user who has gone end the connection with a RST (RFC 1122 4.2.2.13).
 *
 * Left out: the user's notice that the urgent pointer has moved (SIGURG): so_oobmark tells it.
 */
#include "src/kern/sched.h"
#include "src/netinet/tcp_accecn.h"

/* ---- RST and SYN -------------------------------------------------------------------------- */

/* RFC 5961 section 3.2. False: the connection is gone. */
static bool
got_reset(struct tcpcb *tp, struct tcp_segment *seg)
{
	struct tcpstat *st = &seg->machine->tcp->stat;
	struct socket *so = tptosocket(tp);
	uint32_t window = tp->rcv_wnd != 0 ? tp->rcv_wnd : 1;

	if (SEQ_LT(seg->seq, tp->last_ack_sent) || SEQ_GEQ(seg->seq, tp->rcv_nxt + window)) {
		st->tcps_badrst++;
		return true;
	}
	if (seg->seq != tp->rcv_nxt && seg->seq != tp->last_ack_sent &&
	    !seg->machine->tcp->config.insecure_rst) {
		st->tcps_rstchallenge++;
		tcp_challenge_ack(tp, seg);
		return true;
	}
	st->tcps_drops++;
	TRACE(seg->machine, TCP_DROP, seg->m, ECONNRESET, tp->t_state);
	so->so_error = tp->t_state == TCPS_SYN_RECEIVED ? ECONNREFUSED : ECONNRESET;
	tcp_close(tp);
	return false;
}

/*
 * RFC 5961 section 4.2: whatever its sequence number, a challenge. Simultaneous open: the SYN that was seen
 * already comes again with the ACK of ours. False: there is nothing more in the segment, or the connection is
 * gone (net.inet.tcp.insecure_syn).
 */
static bool
got_syn(struct tcpcb *tp, struct tcp_segment *seg)
{
	uint32_t window = tp->rcv_wnd != 0 ? tp->rcv_wnd : 1;

	if (tcp_drops_synfin(seg))
		return false;
	if (tp->t_state == TCPS_SYN_RECEIVED && seg->seq == tp->irs && (seg->flags & TH_ACK)) {
		seg->flags &= (uint16_t)~TH_SYN;
		seg->seq++;
		/* Our answer may have been lost, and will not go again. */
		tp->t_flags |= TF_ACKNOW;
		return true;
	}
	if (UNLIKELY(seg->machine->tcp->config.insecure_syn) && tp->t_state != TCPS_SYN_RECEIVED &&
	    SEQ_GEQ(seg->seq, tp->last_ack_sent) && SEQ_LT(seg->seq, tp->rcv_nxt + window)) {
		tcp_drop(tp, ECONNRESET);
		return false;
	}
	seg->machine->tcp->stat.tcps_synchallenge++;
	tcp_challenge_ack(tp, seg);
	if (UNLIKELY(tcp_accecn_of(tp) != NULL) && seg->challenge && (seg->flags & TH_ACK))
		tcp_accecn_reflect(tp, seg->tos);
	return false;
}

/* ---- timestamps --------------------------------------------------------------------------- */

/* RFC 7323 section 5.3. False: an old duplicate, answered if it has something. */
static bool
paws(struct tcpcb *tp, struct tcp_segment *seg)
{
	struct tcpstat *st = &seg->machine->tcp->stat;

	if (!(seg->to.to_flags & TOF_TS))
		return seg->machine->tcp->config.tolerate_missing_ts;
	if (LIKELY((int32_t)(seg->to.to_tsval - tp->ts_recent) >= 0))
		return true;
	/* 5.5: after 24 days its clock may have gone round. */
	if (machine_now(seg->machine) - tp->ts_recent_age > 24ull * 24 * 60 * 60 * TCP_NS_PER_S) {
		tp->ts_recent = seg->to.to_tsval;
		return true;
	}
	st->tcps_pawsdrop++;
	st->tcps_rcvduppack++;
	st->tcps_rcvdupbyte += seg->len;
	if (seg->len != 0 || (seg->flags & TH_FIN)) {
		tp->t_flags |= TF_ACKNOW;
		seg->output = true;
	}
	/* An original that its retransmission has overtaken: its sender is to know. */
	if (seg->len != 0 && SEQ_LEQ(seg->seq + seg->len, tp->rcv_nxt))
		tcp_dsack_received(tp, seg->seq, seg->seq + seg->len);
	return false;
}

/*
 * RFC 7323 section 4.3, (2): of the segment that the last ACK waited for. Not when it will be dropped for its
 * acknowledgement (RFC 5961 section 5): else who has guessed the rest makes the peer's segments too old.
 */
static inline void
keep_timestamp(struct tcpcb *tp, const struct tcp_segment *seg)
{
	if (!(seg->flags & TH_ACK) || SEQ_GT(seg->ack, tp->snd_nxt) ||
	    (SEQ_LT(seg->ack, tp->snd_una) && tp->snd_una - seg->ack > tp->max_sndwnd))
		return;
	if (!(seg->to.to_flags & TOF_TS) || SEQ_GT(seg->seq, tp->last_ack_sent) ||
	    SEQ_GT(tp->last_ack_sent, seg->seq + seg->len + ((seg->flags & TH_FIN) != 0)))
		return;
	tp->ts_recent = seg->to.to_tsval;
	tp->ts_recent_age = machine_now(seg->machine);
}

/* ---- the window --------------------------------------------------------------------------- */

static void
trim_urgent(struct tcp_segment *seg, uint32_t n)
{
	if (seg->urp > n) {
		seg->urp = (uint16_t)(seg->urp - n);
		return;
	}
	seg->urp = 0;
	seg->flags &= (uint16_t)~TH_URG;
}

/* What has come already. Its ACK still counts, unless it is older than any window. False: too old. */
static bool
trim_before(struct tcpcb *tp, struct tcp_segment *seg)
{
	struct tcpstat *st = &seg->machine->tcp->stat;
	uint32_t n = tp->rcv_nxt - seg->seq;

	if (n > seg->len + ((uint32_t)TCP_MAXWIN << tp->rcv_scale)) {
		st->tcps_rcvduppack++;
		tcp_challenge_ack(tp, seg);
		return false;
	}
	if (n < seg->len || (n == seg->len && (seg->flags & TH_FIN))) {
		st->tcps_rcvpartduppack++;
		st->tcps_rcvpartdupbyte += n;
	} else {
		/* An ACK that was overtaken needs no answer; a keepalive's probe does. */
		if (seg->len != 0 || (seg->flags & TH_FIN) || SEQ_LT(seg->seq, tp->last_ack_sent)) {
			tp->t_flags |= TF_ACKNOW;
			seg->output = true;
		}
		if (seg->len != 0 || (seg->flags & TH_FIN)) {
			st->tcps_rcvduppack++;
			st->tcps_rcvdupbyte += seg->len;
		}
		seg->flags &= (uint16_t)~TH_FIN;
		n = seg->len;
	}
	if (n != 0 && (tp->t_flags & TF_SACK_PERMIT)) {
		tcp_dsack_received(tp, seg->seq, seg->seq + n);
		tp->t_flags |= TF_ACKNOW;
		seg->output = true;
	}
	tcp_trim_front(seg, n);
	trim_urgent(seg, n);
	return true;
}

/* What is beyond the window. False: all of it is. */
static bool
trim_behind(struct tcpcb *tp, struct tcp_segment *seg)
{
	struct tcpstat *st = &seg->machine->tcp->stat;
	uint32_t n = seg->seq + seg->len - (tp->rcv_nxt + tp->rcv_wnd);

	st->tcps_rcvpackafterwin++;
	st->tcps_rcvbyteafterwin += n < seg->len ? n : seg->len;
	seg->output = true;
	if (n >= seg->len) {
		/* A probe of our closed window is answered, and its ACK counts. */
		if (seg->len == 0) {
			tcp_challenge_ack(tp, seg);
			return false;
		}
		tp->t_flags |= TF_ACKNOW;
		if (tp->rcv_wnd != 0 || seg->seq != tp->rcv_nxt)
			return false;
		st->tcps_rcvwinprobe++;
		n = seg->len;
	}
	tp->t_flags |= TF_ACKNOW;
	tcp_trim_end(seg, n);
	seg->flags &= (uint16_t)~(TH_PUSH | TH_FIN);
	return true;
}

/* ---- urgent data -------------------------------------------------------------------------- */

/* The octet before the urgent pointer (RFC 6093) is the urgent one. It may be far ahead. */
static void
got_urgent(struct tcpcb *tp, struct tcp_segment *seg)
{
	struct socket *so = tptosocket(tp);
	tcp_seq up = seg->seq + seg->urp;

	if (!SEQ_GT(up, tp->t_oobflags & TCPOOB_EXPECTED ? tp->rcv_up : tp->rcv_nxt) ||
	    (so->so_state & SS_CANTRCVMORE))
		return;
	tp->rcv_up = up;
	so->so_oobmark = so->so_rcv.sb_cc + (up - tp->rcv_nxt) - 1;
	if (so->so_oobmark == 0)
		so->so_state |= SS_RCVATMARK;
	tp->t_oobflags = TCPOOB_EXPECTED;
	seg->wake |= TCP_WAKE_READ;
}

/* ---- data and FIN ------------------------------------------------------------------------- */

void
tcp_delay_ack(struct tcpcb *tp, uint32_t len)
{
	const struct tcp_config *c = &tptomachine(tp)->tcp->config;
	/* The peer need not take the timestamp off, as its MSS option and ours do not (RFC 6691). */
	uint32_t full = tp->t_maxseg + (tp->t_flags & TF_RCVD_TSTMP ? TCPOLEN_TSTAMP_APPA : 0);

	if ((tp->t_flags & TF_DELACK) || len > full || UNLIKELY(!c->delayed_ack ||
	    c->delacktime <= 0 || (tp->t_uflags & TFU_MOREACKS))) {
		tp->t_flags |= TF_ACKNOW;
		return;
	}
	tp->t_flags |= TF_DELACK;
	tcp_timer_set(tp, TT_DELACK, (uint32_t)c->delacktime * TCP_NS_PER_MS);
}

/*
 * The peer's FIN is acknowledged at once. With net.inet.tcp.delack_fin the ACK waits for the user to
 * close, as long as one of data would, and duplicates are not told of any more: so does Linux, when data were
 * acknowledged before.
 */
static inline void
delay_fin_ack(struct tcpcb *tp)
{
	const struct tcp_config *c = &tptomachine(tp)->tcp->config;

	if (LIKELY(!c->delack_fin))
		return;
	tcp_sack_free(tp);
	if (tp->last_ack_sent == tp->irs + 1 || tp->rcv_nxt - tp->last_ack_sent > tp->t_maxseg)
		return;
	tp->t_flags = (tp->t_flags & ~(uint32_t)TF_ACKNOW) | TF_DELACK;
	tcp_timer_set(tp, TT_DELACK, (uint32_t)c->delacktime * TCP_NS_PER_MS);
}

/* False: the connection is gone. */
static bool
got_fin(struct tcpcb *tp, struct tcp_segment *seg)
{
	tp->rcv_nxt++;
	tp->t_flags |= TF_ACKNOW;
	tp->t_oobflags &= (uint8_t)~TCPOOB_EXPECTED;
	seg->wake |= TCP_WAKE_NOMORE;
	switch (tp->t_state) {
	case TCPS_SYN_RECEIVED:
	case TCPS_ESTABLISHED:
		tcp_setstate(tp, TCPS_CLOSE_WAIT);
		delay_fin_ack(tp);
		break;
	case TCPS_FIN_WAIT_1:
		tcp_setstate(tp, TCPS_CLOSING);
		break;
	case TCPS_FIN_WAIT_2:
		tcp_twstart(tp);
		return false;
	default:
		break;
	}
	return true;
}

/* Data come for a user who will never read them. */
static bool
nobody_reads(const struct tcpcb *tp, const struct tcp_segment *seg)
{
	return seg->len != 0 && tp->t_state > TCPS_CLOSE_WAIT && (tp->t_uflags & TFU_DETACHED);
}

static bool
got_data(struct tcpcb *tp, struct tcp_segment *seg)
{
	struct tcpstat *st = &seg->machine->tcp->stat;
	struct socket *so = tptosocket(tp);
	bool fin;

	if (seg->seq == tp->rcv_nxt && tp->t_reass == NULL && !(seg->flags & TH_FIN))
		tcp_delay_ack(tp, seg->len);
	else
		tp->t_flags |= TF_ACKNOW;
	if (seg->seq == tp->rcv_nxt && seg->len != 0) {
		st->tcps_rcvpack++;
		st->tcps_rcvbyte += seg->len;
	}
	/* Early data too: how fast they come is what counts. */
	if (seg->len != 0)
		tcp_rcvbuf_autosize(tp, seg);
	(void)tcp_reass(tp, seg, &fin);
	if (so->so_pcb == NULL)
		return false;
	return !fin || got_fin(tp, seg);
}

bool
tcp_segment_text(struct tcpcb *tp, struct tcp_segment *seg)
{
	/* Behind a FIN there is nothing. */
	if (tp->t_state == TCPS_CLOSE_WAIT || tp->t_state == TCPS_CLOSING || tp->t_state == TCPS_LAST_ACK)
		return true;
	if (UNLIKELY(nobody_reads(tp, seg))) {
		seg->machine->tcp->stat.tcps_rcvafterclose++;
		tcp_close(tp);
		tcp_reset_segment(seg, NULL);
		return false;
	}
	if (UNLIKELY(seg->flags & TH_URG) && seg->urp != 0)
		got_urgent(tp, seg);
	if (seg->len != 0 || (seg->flags & TH_FIN))
		return got_data(tp, seg);
	return true;
}

/* Data and FIN of the peer's SYN. False: the connection is gone. */
static bool
held_text(struct tcpcb *tp, struct tcp_segment *seg)
{
	tcp_seq before = tp->rcv_nxt;
	bool fin;

	if (!tcp_reass_held(tp, seg, &fin))
		return true;
	if (tptosocket(tp)->so_pcb == NULL)
		return false;
	tcp_delay_ack(tp, tp->rcv_nxt - before);
	return !fin || got_fin(tp, seg);
}

/* ---- in and out --------------------------------------------------------------------------- */

void
tcp_segment_done(struct tcpcb *tp, struct tcp_segment *seg)
{
	struct socket *so = tptosocket(tp);
	uint8_t wake = seg->wake;

	so_retain(so);
	/* Who is told or woken may end the connection. */
	if (UNLIKELY(wake & TCP_WAKE_CONNECTED))
		soisconnected(so);
	if (UNLIKELY(wake & TCP_WAKE_NOMORE) && so->so_pcb != NULL)
		socantrcvmore(so);
	else if (wake & TCP_WAKE_READ)
		sorwakeup(so);
	if (wake & TCP_WAKE_WRITE)
		sowwakeup(so);
	if (UNLIKELY(wake & TCP_WAKE_ALONE) && so->so_pcb != NULL)
		soisdisconnected(so);
	/* Nothing but an acknowledgement: not our FIN once more, nor our SYN. */
	if (UNLIKELY(seg->challenge) && so->so_pcb != NULL)
		(void)tcp_send_segment(tp, &(struct tcp_out){.seq = tp->snd_nxt, .flags = TH_ACK});
	if (so->so_pcb != NULL && (seg->output || (tp->t_flags & TF_ACKNOW)))
		(void)tcp_output(tp);
	so_release(so);
}

/* It came, whatever it is. */
static inline void
note_segment(struct tcpcb *tp, struct tcp_segment *seg)
{
	uint32_t space = sbspace(&tptosocket(tp)->so_rcv);

	tp->t_rcvtime = machine_now(seg->machine);
	tp->t_rxpackets++;
	if (tp->t_state >= TCPS_ESTABLISHED)
		tcp_keep_restart(tp);
	if (!(seg->flags & TH_SYN))
		seg->win <<= tp->snd_scale;
	/* What was told is never taken back. */
	if (SEQ_GT(tp->rcv_adv, tp->rcv_nxt) && tp->rcv_adv - tp->rcv_nxt > space)
		space = tp->rcv_adv - tp->rcv_nxt;
	tp->rcv_wnd = space;
}

/* False: the connection is gone. */
static bool
long_way(struct tcpcb *tp, struct tcp_segment *seg)
{
	struct socket *so = tptosocket(tp);

	note_segment(tp, seg);
	if (UNLIKELY(seg->flags & TH_RST))
		return got_reset(tp, seg);
	if (UNLIKELY(seg->flags & TH_SYN) && !got_syn(tp, seg))
		return so->so_pcb != NULL;
	if ((tp->t_flags & TF_RCVD_TSTMP) && !paws(tp, seg))
		return true;
	if (UNLIKELY(SEQ_LT(seg->seq, tp->rcv_nxt)) && !trim_before(tp, seg))
		return true;
	if (UNLIKELY(SEQ_GT(seg->seq + seg->len, tp->rcv_nxt + tp->rcv_wnd)) && !trim_behind(tp, seg))
		return true;
	if (tp->t_flags & TF_RCVD_TSTMP)
		keep_timestamp(tp, seg);
	if (UNLIKELY(!(seg->flags & TH_ACK)))
		return true;
	if (!tcp_process_ack(tp, seg))
		return so->so_pcb != NULL;
	return tcp_segment_text(tp, seg) && (LIKELY(tp->t_reass == NULL) || held_text(tp, seg));
}

void
tcp_do_segment(struct tcpcb *tp, struct tcp_segment *seg)
{
	struct socket *so;

	if (LIKELY(tcp_fastpath(tp, seg)))
		return;
	so = tptosocket(tp);
	so_retain(so);
	if (long_way(tp, seg))
		tcp_segment_done(tp, seg);
	if (seg->m != NULL) {
		m_freem(seg->m);
		seg->m = NULL;
	}
	so_release(so);
}
