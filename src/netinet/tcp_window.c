/*
 * Windows and buffers: how much a peer may send (RFC 9293 3.8.6, RFC 1122 4.2.3.3, RFC 7323 2), when it is
 * worth telling, and how both buffers of a socket grow with what the path can take.
 *
 * Called for every segment that is sent (tcp_send.c), when the reader has taken data (tcp_output.c), for
 * data that come (tcp_segment.c, tcp_fastpath.c: tcp_rcvbuf_autosize). State: rcv_adv, t_rfbuf_*, and the
 * limits of the socket's buffers. No timers.
 *
 * Limits: a buffer grows to net.inet.tcp.sendbuf_max, recvbuf_max and no further; one whose size the user
 * has set does not grow at all. What was told is never taken back.
 */
#include "src/kern/sched.h"
#include "src/kern/socket_private.h"
#include "src/netinet/tcp_private.h"

/* ---- the window --------------------------------------------------------------------------- */

uint8_t
tcp_scale_for(const struct nke *machine)
{
	uint64_t most = (uint64_t)machine->sockets->maxsockbuf;
	uint8_t shift = 0;

	while (shift < TCP_MAX_WINSHIFT && ((uint64_t)TCP_MAXWIN << shift) < most)
		shift++;
	return shift;
}

static inline uint32_t
told(const struct tcpcb *tp)
{
	return SEQ_GT(tp->rcv_adv, tp->rcv_nxt) ? tp->rcv_adv - tp->rcv_nxt : 0;
}

/* What there is room for; a little of it is not worth telling (RFC 1122 4.2.3.3). */
static inline uint32_t
room(const struct tcpcb *tp)
{
	const struct sockbuf *sb = &tptosocket(tp)->so_rcv;
	uint32_t win = sbspace(sb);

	return win < sb->sb_hiwat / 4 && win < tp->t_maxseg ? 0 : win;
}

uint32_t
tcp_receive_window(struct tcpcb *tp)
{
	uint32_t win = room(tp), before = told(tp), most = (uint32_t)TCP_MAXWIN << tp->rcv_scale;

	if (win < before)
		win = before;
	return win < most ? win : most;
}

bool
tcp_window_update_due(const struct tcpcb *tp)
{
	const struct sockbuf *sb = &tptosocket(tp)->so_rcv;
	uint32_t before, win, more, most;

	if ((tp->t_flags & TF_DELACK) || tp->t_state < TCPS_ESTABLISHED)
		return false;
	/* The peer has said that it sends no more. */
	if (tp->t_state == TCPS_CLOSE_WAIT || (tp->t_state >= TCPS_CLOSING && tp->t_state != TCPS_FIN_WAIT_2))
		return false;
	/* A SYN tells 64 KB at most; what the first data are acknowledged with tells the rest in time. */
	if (tp->rcv_nxt == tp->irs + 1)
		return false;
	before = told(tp);
	win = room(tp);
	most = (uint32_t)TCP_MAXWIN << tp->rcv_scale;
	if (win > most)
		win = most;
	if (win <= before || before >> tp->rcv_scale >= win >> tp->rcv_scale)
		return false;
	more = win - before;
	if (more >= 2 * tp->t_maxseg && (more >= sb->sb_hiwat / 4 || win <= sb->sb_hiwat / 8 ||
	    sb->sb_hiwat <= 8 * tp->t_maxseg || more >= most))
		return true;
	return 2 * more >= sb->sb_hiwat;
}

/* ---- buffers ------------------------------------------------------------------------------ */

static void
grow(struct sockbuf *sb, uint32_t size, int limit)
{
	if (size > (uint32_t)limit)
		size = (uint32_t)limit;
	if (size > sb->sb_hiwat && sbreserve(sb, size) != 0)
		sb->sb_flags &= (uint16_t)~SB_AUTOSIZE;
}

/*
 * When the buffer is what limits: it is nearly full, the peer would take more, and what is queued but not
 * sent could be.
 */
void
tcp_sndbuf_autosize(struct tcpcb *tp)
{
	const struct tcp_config *c = &tptomachine(tp)->tcp->config;
	struct sockbuf *sb = &tptosocket(tp)->so_snd;
	uint32_t window;

	if (sb->sb_cc < sb->sb_hiwat / 8 * 7 || !(sb->sb_flags & SB_AUTOSIZE) || !c->sendbuf_auto ||
	    sb->sb_hiwat >= (uint32_t)c->sendbuf_max)
		return;
	window = tp->snd_wnd < tp->snd_cwnd ? tp->snd_wnd : tp->snd_cwnd;
	if ((uint64_t)tp->snd_wnd / 4 * 5 < sb->sb_hiwat ||
	    window + (tp->snd_nxt - tp->snd_una) < sb->sb_cc)
		return;
	grow(sb, sb->sb_hiwat + (uint32_t)c->sendbuf_inc, c->sendbuf_max);
}

/* Uptime in us, never 0. */
static inline uint32_t
stamp(const struct tcpcb *tp)
{
	return (uint32_t)(machine_now(tptomachine(tp)) / TCP_NS_PER_US) | 1;
}

/*
 * When more than three eighths of the buffer come within half a round trip, the window is what limits: it
 * becomes half as large again.
 */
void
tcp_rcvbuf_autosize(struct tcpcb *tp, const struct tcp_segment *seg)
{
	const struct tcp_config *c = &tptomachine(tp)->tcp->config;
	struct sockbuf *sb = &tptosocket(tp)->so_rcv;

	if (!(sb->sb_flags & SB_AUTOSIZE) || !c->recvbuf_auto || tp->t_srtt == 0)
		return;
	if (tp->t_rfbuf_ts == 0) {
		tp->t_rfbuf_ts = stamp(tp);
		tp->t_rfbuf_cnt = 0;
	}
	tp->t_rfbuf_cnt += seg->len;
	if (tp->t_rfbuf_cnt > sb->sb_hiwat / 8 * 3) {
		if (stamp(tp) - tp->t_rfbuf_ts <= tp->t_srtt / 16)
			grow(sb, sb->sb_hiwat + sb->sb_hiwat / 2, c->recvbuf_max);
		tp->t_rfbuf_ts = 0;
	}
}
