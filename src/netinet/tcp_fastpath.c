/*
 * Header prediction (Van Jacobson): in a connection that only sends or only receives, nearly every segment
 * is either a pure ACK of something new or the very data that are expected next. Both are recognised by a
 * few comparisons and done here; all else goes the long way (tcp_segment.c), which does the same and more.
 * Called by tcp_do_segment for every segment.
 *
 * State, timers and limits: those of the long way. What is looked at here is what makes the long way's
 * checks superfluous: the sequence number is the next, nothing waits for reassembly, the window is open,
 * the timestamp is no older than the last, nothing is lost, SACKed, urgent or marked.
 */
#include "src/kern/sched.h"
#include "src/netinet/tcp_private.h"

#define PREDICTED	(TH_SYN | TH_FIN | TH_RST | TH_URG | TH_ACK | TH_ECE | TH_CWR)
/* Something is going on that an ACK may end. */
#define BUSY		(TF_FASTRECOVERY | TF_RTORECOVERY | TF_CONGRECOVERY | TF_FRTO | TF_TLP_SENT)

/* The upcall of a kext, or nobody. False: the connection is gone. */
static __attribute__((noinline)) bool
wake(struct socket *so, bool reader)
{
	bool there;

	so_retain(so);
	if (reader)
		sorwakeup(so);
	else
		sowwakeup(so);
	there = so->so_pcb != NULL;
	so_release(so);
	return there;
}

static inline bool
somebody_waits(const struct sockbuf *sb)
{
	return (sb->sb_flags & (SB_WAIT | SB_NOTIFY | SB_UPCALL)) != 0;
}

/* Filters see the data. False: the connection is gone. */
static __attribute__((noinline)) bool
append_filtered(struct socket *so, struct mbuf *m)
{
	bool there;

	so_retain(so);
	if (sbappendstream(&so->so_rcv, m) && somebody_waits(&so->so_rcv))
		sorwakeup(so);
	there = so->so_pcb != NULL;
	so_release(so);
	return there;
}

/* The timestamp is the next to be echoed (RFC 7323 4.3); the peer lives. */
static inline void
note_segment(struct tcpcb *tp, const struct tcp_segment *seg)
{
	uint64_t now = machine_now(seg->machine);

	tp->t_rcvtime = now;
	tp->t_rxpackets++;
	if (UNLIKELY(tp->t_keepprobes != 0))
		tcp_keep_restart(tp);
	if ((seg->to.to_flags & TOF_TS) && SEQ_LEQ(seg->seq, tp->last_ack_sent)) {
		tp->ts_recent = seg->to.to_tsval;
		tp->ts_recent_age = now;
	}
}

/* Consumes the segment. Its window is news, as its ACK is. */
static void
pure_ack(struct tcpcb *tp, struct tcp_segment *seg)
{
	struct socket *so = tptosocket(tp);

	note_segment(tp, seg);
	seg->machine->tcp->stat.tcps_predack++;
	tcp_ack_advance(tp, seg, seg->ack - tp->snd_una);
	tp->snd_wnd = seg->win;
	if (UNLIKELY(tp->max_sndwnd < tp->snd_wnd))
		tp->max_sndwnd = tp->snd_wnd;
	tp->snd_wl1 = seg->seq;
	tp->snd_wl2 = seg->ack;
	cc_ack_received(tp, seg, seg->newly_acked);
	if (tp->snd_una != tp->snd_nxt)
		tcp_tlp_schedule(tp);
	m_freem(seg->m);
	seg->m = NULL;
	if (somebody_waits(&so->so_snd) && !wake(so, false))
		return;
	if (so->so_snd.sb_cc != tp->snd_nxt - tp->snd_una)
		(void)tcp_output(tp);
}

/* What is behind the headers. */
static inline struct mbuf *
data_of(struct tcp_segment *seg)
{
	struct mbuf *m = seg->m;
	int headers = seg->off + seg->hlen;

	seg->m = NULL;
	if (LIKELY(m->m_len > headers)) {
		m->m_data += headers;
		m->m_len -= headers;
		m->m_pkthdr.len -= headers;
	} else {
		m_adj(m, headers);
	}
	return m;
}

/* Consumes the segment. */
static void
pure_data(struct tcpcb *tp, struct tcp_segment *seg)
{
	struct socket *so = tptosocket(tp);
	struct tcpstat *st = &seg->machine->tcp->stat;

	note_segment(tp, seg);
	st->tcps_preddat++;
	st->tcps_rcvpack++;
	st->tcps_rcvbyte += seg->len;
	tp->rcv_nxt += seg->len;
	tp->t_rxbytes += seg->len;
	tp->snd_wl1 = seg->seq;
	tp->snd_wl2 = seg->ack;
	tcp_rcvbuf_autosize(tp, seg);
	tcp_delay_ack(tp, seg->len);
	if (UNLIKELY(so->so_filters != NULL)) {
		if (!append_filtered(so, data_of(seg)))
			return;
	} else {
		(void)sbappendstream(&so->so_rcv, data_of(seg));
		if (somebody_waits(&so->so_rcv) && !wake(so, true))
			return;
	}
	if (tp->t_flags & TF_ACKNOW)
		(void)tcp_output(tp);
}

bool
tcp_fastpath(struct tcpcb *tp, struct tcp_segment *seg)
{
	const struct socket *so = tptosocket(tp);

	if (tp->t_state != TCPS_ESTABLISHED || seg->seq != tp->rcv_nxt ||
	    (seg->flags & PREDICTED) != TH_ACK || seg->win == 0 || tp->snd_wnd == 0 ||
	    (seg->to.to_flags & ~(uint32_t)TOF_TS))
		return false;
	if (tp->t_flags & TF_RCVD_TSTMP) {
		if (!(seg->to.to_flags & TOF_TS) || (int32_t)(seg->to.to_tsval - tp->ts_recent) < 0)
			return false;
	} else {
		seg->to.to_flags = 0;
	}
	if (UNLIKELY(tp->t_flags & TF_ECN_PERMIT) &&
	    ((seg->tos & IPTOS_ECN_MASK) == IPTOS_ECN_CE || (tp->t_uflags & TFU_ACCECN)))
		return false;
	if (tp->t_reass != NULL)
		return false;
	if (seg->len == 0) {
		if (!SEQ_GT(seg->ack, tp->snd_una) || SEQ_GT(seg->ack, tp->snd_nxt) ||
		    (tp->t_flags & BUSY) || tp->t_sacked != 0 || tp->t_lost != 0 || tp->t_dupacks != 0 ||
		    tp->t_rxtshift != 0 || tp->t_undo != NULL || tcp_timer_armed(tp, TT_PERSIST))
			return false;
		seg->win <<= tp->snd_scale;
		pure_ack(tp, seg);
		return true;
	}
	if (seg->ack != tp->snd_una || seg->win << tp->snd_scale != tp->snd_wnd ||
	    seg->len > sbspace(&so->so_rcv) || tp->t_rcv_sack != NULL ||
	    (tp->t_oobflags & TCPOOB_EXPECTED) || (so->so_state & SS_CANTRCVMORE))
		return false;
	pure_data(tp, seg);
	return true;
}
