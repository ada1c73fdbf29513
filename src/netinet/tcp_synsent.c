/*
 * A segment for a connection in SYN_SENT: RFC 9293 section 3.10.7.3. Called by tcp_input.c.
 *
 * The peer's SYN settles the options for good: RFC 7323 (timestamps, window scale), RFC 2018 (SACK
 * permitted), RFC 6691 (segment size), ECN (tcp_ecn.c), RFC 7413 4.1 (the cookie, and whether the data
 * in our SYN were taken). With the ACK of ours the connection is established; without it both sides have
 * called each other, and SYN_RECEIVED answers with SYN and ACK; what came with the SYN waits (tcp_reass.c).
 *
 * State: everything of the receiving side begins here. Timers: the limit of connecting ends, retransmission
 * ends or goes on for what was not acknowledged.
 *
 * Limits: an ACK that is not for our SYN gets a RST and changes nothing; a RST counts with such an ACK
 * only.
 */
#include "src/kern/sched.h"
#include "src/netinet/tcp_ecn.h"

/* ---- options ------------------------------------------------------------------------------ */

static void
settle_options(struct tcpcb *tp, const struct tcp_segment *seg)
{
	uint32_t got = tp->t_flags & TF_NOOPT ? 0 : seg->to.to_flags;

	if ((got & TOF_SCALE) && (tp->t_flags & TF_REQ_SCALE)) {
		tp->t_flags |= TF_RCVD_SCALE;
		tp->snd_scale = seg->to.to_wscale;
		tp->rcv_scale = tp->request_r_scale;
	}
	if ((got & TOF_TS) && (tp->t_flags & TF_REQ_TSTMP)) {
		tp->t_flags |= TF_RCVD_TSTMP;
		tp->ts_recent = seg->to.to_tsval;
		tp->ts_recent_age = machine_now(seg->machine);
	}
	if (!(got & TOF_SACKPERM))
		tp->t_flags &= ~(uint32_t)TF_SACK_PERMIT;
	tcp_mss(tp, got & TOF_MSS ? seg->to.to_mss : 0);
}

/* ---- fast open ---------------------------------------------------------------------------- */

/*
 * The server has no cookie for us and would not have the data: it is left alone for a while (RFC 7413
 * 4.1.3.1, negative responses). The answer to a SYN that was sent again, without the option, says nothing.
 */
static void
refused_fastopen(const struct tcpcb *tp, const struct tcp_segment *seg)
{
	struct tcpstat *st = &seg->machine->tcp->stat;
	uint8_t cookie[TCP_FASTOPEN_MAX_COOKIE];
	uint16_t mss;

	if ((tp->t_uflags & TFU_SYNLOST) || !tcp_fastopen_usable(seg->machine, &seg->ends))
		return;
	if (tp->snd_nxt != tp->iss + 1) {
		if (seg->ack != tp->iss + 1)
			return;
		st->tcps_tfo_cookie_wrong++;
	} else {
		if (tcp_fastopen_lookup(seg->machine, &seg->ends, cookie, &mss) != 0)
			return;
		st->tcps_tfo_no_cookie_rcv++;
	}
	tcp_fastopen_disable(seg->machine, &seg->ends);
}

/* The cookie is for next time. What went with the SYN and was not taken goes again at once. */
static void
settle_fastopen(struct tcpcb *tp, const struct tcp_segment *seg)
{
	struct tcpstat *st = &seg->machine->tcp->stat;

	if ((seg->to.to_flags & TOF_FASTOPEN) && seg->to.to_tfo_len != 0) {
		st->tcps_tfo_cookie_rcv++;
		tcp_fastopen_remember(seg->machine, &seg->ends, seg->to.to_tfo_cookie, seg->to.to_tfo_len,
		    seg->to.to_mss);
	} else {
		refused_fastopen(tp, seg);
	}
	if (SEQ_GT(seg->ack, tp->iss + 1))
		st->tcps_tfo_syn_data_acked++;
	else if (SEQ_LT(seg->ack, tp->snd_nxt))
		tcp_sent_mark_all_lost(tp);
}

/* ---- states ------------------------------------------------------------------------------- */

static void
begin_receiving(struct tcpcb *tp, const struct tcp_segment *seg)
{
	uint32_t space = sbspace(&tptosocket(tp)->so_rcv);

	tp->irs = seg->seq;
	tp->rcv_nxt = tp->rcv_up = tp->last_ack_sent = seg->seq + 1;
	/* The window in our SYN was not scaled. */
	tp->rcv_wnd = space;
	tp->rcv_adv = tp->rcv_nxt + (space < TCP_MAXWIN ? space : TCP_MAXWIN);
}

/* The peer has our SYN. */
static void
establish(struct tcpcb *tp, struct tcp_segment *seg)
{
	uint32_t data = seg->ack - tp->iss - 1;

	seg->machine->tcp->stat.tcps_connects++;
	seg->wake |= TCP_WAKE_CONNECTED;
	tp->t_rxtcur = tcp_rto(tp);	/* the SYN's backoff ends with it */
	tcp_ack_advance(tp, seg, data);
	/* What the loss of SYNs has begun says nothing of data. */
	tp->t_flags &= ~(uint32_t)(TF_FASTRECOVERY | TF_RTORECOVERY | TF_FRTO);
	tp->t_dupacks = 0;
	tp->t_recover = tp->snd_una;
	if (tp->t_flags & TF_FASTOPEN)
		settle_fastopen(tp, seg);
	cc_conn_init(tp);
	if (tp->t_flags & TF_NEEDFIN) {
		tp->t_flags &= ~(uint32_t)TF_NEEDFIN;
		tcp_setstate(tp, TCPS_FIN_WAIT_1);
	} else {
		tcp_setstate(tp, TCPS_ESTABLISHED);
	}
	tcp_keep_restart(tp);
}

static void
set_window(struct tcpcb *tp, const struct tcp_segment *seg)
{
	tp->snd_wnd = seg->win;
	tp->snd_wl1 = seg->seq;
	tp->snd_wl2 = seg->flags & TH_ACK ? seg->ack : tp->iss;
	if (tp->max_sndwnd < tp->snd_wnd)
		tp->max_sndwnd = tp->snd_wnd;
}

/* Data behind the SYN, as far as the window goes. */
static void
trim_to_window(const struct tcpcb *tp, struct tcp_segment *seg)
{
	uint32_t window = tp->rcv_adv - tp->rcv_nxt;

	seg->seq++;
	seg->flags &= (uint16_t)~TH_SYN;
	if (seg->urp != 0)
		seg->urp--;
	if (seg->len <= window)
		return;
	tcp_trim_end(seg, seg->len - window);
	seg->flags &= (uint16_t)~TH_FIN;
}

/* Not acknowledged before the handshake is over, nor told of by SACK. */
static void
hold_text(struct tcpcb *tp, struct tcp_segment *seg)
{
	bool fin;

	trim_to_window(tp, seg);
	if (seg->len == 0 && !(seg->flags & TH_FIN))
		return;
	seg->hold = true;
	(void)tcp_reass(tp, seg, &fin);
}

/* The SYN. False: the connection is gone. */
static bool
got_syn(struct tcpcb *tp, struct tcp_segment *seg)
{
	begin_receiving(tp, seg);
	settle_options(tp, seg);
	set_window(tp, seg);
	tp->t_flags |= TF_ACKNOW;
	if (!(seg->flags & TH_ACK)) {
		tcp_ecn_settle(tp, seg);
		tcp_setstate(tp, TCPS_SYN_RECEIVED);
		/* 3.10.7.3 has it wait as well; FreeBSD's base stack forgets it. */
		if (tp->t_uflags & TFU_BASE)
			seg->flags &= (uint16_t)~TH_FIN;
		hold_text(tp, seg);
		return true;
	}
	establish(tp, seg);
	/* The window is there, which a mark on our SYN reduces. */
	tcp_ecn_settle(tp, seg);
	trim_to_window(tp, seg);
	return tcp_segment_text(tp, seg);
}

void
tcp_synsent_input(struct tcpcb *tp, struct tcp_segment *seg)
{
	struct socket *so = tptosocket(tp);

	if ((seg->flags & TH_ACK) && (SEQ_LEQ(seg->ack, tp->iss) || SEQ_GT(seg->ack, tp->snd_nxt))) {
		tcp_reset_segment(seg, tp);
		return;
	}
	if (seg->flags & TH_RST) {
		if (seg->flags & TH_ACK)
			tcp_drop(tp, ECONNREFUSED);
		return;
	}
	if (!(seg->flags & TH_SYN) || tcp_drops_synfin(seg))
		return;
	tp->t_rcvtime = machine_now(seg->machine);
	tp->t_rxpackets++;
	so_retain(so);
	if (got_syn(tp, seg))
		tcp_segment_done(tp, seg);
	so_release(so);
}
