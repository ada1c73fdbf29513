/*
 * The life of TCP connections: RFC 9293 sections 3.3.2 (states), 3.10.4 (CLOSE) and 3.10.5 (ABORT).
 *
 * A connection is a tcpcb, with its inpcb and its socket. It begins with the socket (tcp_usrreq.c) or with a
 * finished handshake at a listener (tcp_newconn) and ends in tcp_close(), which every way out passes: the
 * user's, the peer's (tcp_segment.c), the timers' and ICMP's, directly or by tcp_drop(). The socket may stay
 * longer, for its user to read what is there and the error; and the connection may outlive its user's
 * descriptor: it then holds the socket (TFU_DETACHED) and gives it back at the end.
 *
 * State: machine->tcp. No timers of its own. Whoever is woken or called at the end finds the socket without
 * a control block (so_pcb NULL).
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/kern/so_filter.h"
#include "src/netinet/tcp_accecn.h"

/* So many segments must have gone for what was measured to be worth remembering. */
#define MEASURED_SEGMENTS	16u

static const struct tcp_user no_wishes;

/* ---- states ------------------------------------------------------------------------------- */

void
tcp_setstate(struct tcpcb *tp, int state)
{
	struct nke *machine = tptomachine(tp);

	TRACE(machine, TCP_STATE, NULL, tp->t_state, state);
	machine->tcp->states[tp->t_state]--;
	machine->tcp->states[state]++;
	tp->t_state = (uint8_t)state;
}

struct tcpstat *
tcp_statistics(struct nke *machine)
{
	return &machine->tcp->stat;
}

struct in_ends
tcp_ends(const struct tcpcb *tp)
{
	const struct inpcb *inp = tp->t_inpcb;
	struct in_ends ends = {
		.faddr = inp->inp_faddr6, .laddr = inp->inp_laddr6, .fport = inp->inp_fport,
		.lport = inp->inp_lport,
		.vflag = inp->inp_vflag & INP_IPV4 && inp->inp_fport != 0 ? INP_IPV4 : inp->inp_vflag,
		.ifp = inp->inp_boundif
	};

	if (UNLIKELY(inp->inp_fzone != 0) && ends.ifp == NULL)
		ends.ifp = dlil_find_by_index(inp->inp_info->machine, inp->inp_fzone);
	return ends;
}

/* ---- beginning ---------------------------------------------------------------------------- */

struct tcpcb *
tcp_newtcpcb(struct inpcb *inp)
{
	struct nke *machine = inp->inp_info->machine;
	struct tcp_state *s = machine->tcp;
	struct tcpcb *tp = zone_alloc(&s->connections);

	if (tp == NULL)
		return NULL;
	tp->t_inpcb = inp;
	tp->t_user = &no_wishes;
	inp->inp_ppcb = tp;
	tp->t_state = TCPS_CLOSED;
	s->states[TCPS_CLOSED]++;
	if (tcp_wants_scale(&s->config))
		tp->t_flags |= TF_REQ_SCALE;
	if (tcp_wants_ts(&s->config))
		tp->t_flags |= TF_REQ_TSTMP;
	if (s->config.sack)
		tp->t_flags |= TF_SACK_PERMIT;
	if (s->config.base_stack)
		tp->t_uflags |= TFU_BASE;
	tp->t_maxseg = (uint32_t)(inp->inp_socket->so_family == PF_INET6 ? s->config.v6mssdflt :
	    s->config.mssdflt);
	tp->snd_cwnd = (uint32_t)TCP_MAXWIN << TCP_MAX_WINSHIFT;
	tp->snd_ssthresh = (uint32_t)TCP_MAXWIN << TCP_MAX_WINSHIFT;
	tp->t_rcvtime = machine_now(machine);
	tp->t_rack_wnd_mult = 1;
	TAILQ_INIT(&tp->t_sent);
	TAILQ_INIT(&tp->t_sent_times);
	tcp_rtt_init(tp);
	tcp_timer_init(tp);
	cc_assign(tp, s->cc);
	return tp;
}

struct tcp_user *
tcp_user_get(struct tcpcb *tp)
{
	struct tcp_user *user;

	if (tp->t_user == &no_wishes) {
		user = kalloc(tptomachine(tp), sizeof *user);
		if (user == NULL)
			return NULL;
		tp->t_user = user;
	}
	return (struct tcp_user *)(uintptr_t)tp->t_user;
}

void
tcp_user_free(struct tcpcb *tp)
{
	(void)tcp_pace_set(tp, 0);
	if (tp->t_user != &no_wishes)
		kfree(tptomachine(tp), (void *)(uintptr_t)tp->t_user);
	tp->t_user = &no_wishes;
}

/* What a connection has from its listener, besides what the socket layer gives it. */
static void
inherit(struct inpcb *inp, const struct inpcb *head)
{
	const uint32_t flags = INP_RECVANY | INP_DONTFRAG | INP_MINMTU | INP_NOMINMTU | INP_2292 |
	    INP_AUTOFLOWLABEL | INP_V6ONLY;
	const uint32_t tflags = TF_NODELAY | TF_NOPUSH | TF_NOOPT | TF_MSS_SET | TF_ECN_WANTED |
	    TF_ECN_REFUSED | TF_RXFINDROP;
	struct tcpcb *tp = intotcpcb(inp);
	const struct tcpcb *ltp = intotcpcb(head);
	struct tcp_user *user;

	inp->inp_flags = (inp->inp_flags & ~flags) | (head->inp_flags & flags);
	inp->inp_ttl = head->inp_ttl;
	inp->inp_tos = head->inp_tos;
	inp->inp_tclass = head->inp_tclass;
	inp->inp_hops = head->inp_hops;
	if (head->inp_boundif != NULL) {
		ifnet_retain(head->inp_boundif);
		inp->inp_boundif = head->inp_boundif;
	}
	if (head->inp_options_len != 0) {
		inp->inp_options = kalloc(inp->inp_info->machine, head->inp_options_len);
		if (inp->inp_options != NULL) {
			memcpy(inp->inp_options, head->inp_options, head->inp_options_len);
			inp->inp_options_len = head->inp_options_len;
		}
	}
	tp->t_flags = (tp->t_flags & ~tflags) | (ltp->t_flags & tflags);
	tp->t_uflags = (uint8_t)((tp->t_uflags & ~TFU_BASE) | (ltp->t_uflags & (TFU_MOREACKS | TFU_BASE)));
	if (UNLIKELY(ltp->t_user != &no_wishes)) {
		user = tcp_user_get(tp);
		if (user != NULL) {
			*user = *ltp->t_user;
			user->pace = NULL;
		}
		if (user != NULL && ltp->t_user->pace != NULL)
			(void)tcp_pace_set(tp, ltp->t_user->pace->rate);
	}
	if (ltp->t_cc != tp->t_cc)
		cc_assign(tp, ltp->t_cc);
}

struct tcpcb *
tcp_newconn(struct inpcb *listener, const struct tcp_segment *seg)
{
	struct nke *machine = listener->inp_info->machine;
	struct socket *so = sonewconn(listener->inp_socket, 0);
	struct inpcb *inp;

	if (so == NULL)
		return NULL;
	inp = sotoinpcb(so);
	/* While a socket filter slept, the same segment may have come again. */
	if (so_filtered(so) && in_pcblookup(inp->inp_info, &seg->ends, false) != NULL) {
		tcp_close(intotcpcb(inp));
		return NULL;
	}
	inherit(inp, listener);
	inp->inp_vflag = seg->ends.vflag;
	inp->inp_laddr6 = seg->ends.laddr;
	inp->inp_faddr6 = seg->ends.faddr;
	inp->inp_lport = seg->ends.lport;
	inp->inp_fport = seg->ends.fport;
	if (seg->ends.vflag == INP_IPV6) {
		inp->inp_lzone = in_pcbzone(machine, seg->ends.ifp, &seg->ends.laddr);
		inp->inp_fzone = in_pcbzone(machine, seg->ends.ifp, &seg->ends.faddr);
	}
	/* Its SYN-ACK has just gone the same way, as a rule. */
	if (machine->tcp->reply_route.ro_ifp == inp->inp_boundif)
		route_share(&inp->inp_route, &machine->tcp->reply_route);
	in_pcbrehash(inp);
	return intotcpcb(inp);
}

/* ---- ending ------------------------------------------------------------------------------- */

/* What was learned about the path, for the next connection to the peer. */
static void
remember_path(struct tcpcb *tp)
{
	const struct inpcb *inp = tp->t_inpcb;
	struct tcp_hostinfo info = {0};

	if (tp->t_srtt == 0 || tp->t_txpackets < MEASURED_SEGMENTS || inp->inp_fport == 0)
		return;
	info.rtt_us = tp->t_srtt / 8;
	info.rttvar_us = tp->t_rttvar / 4;
	/* A threshold that never was reached says nothing. */
	if (tp->snd_ssthresh < inp->inp_socket->so_snd.sb_hiwat / 2)
		info.ssthresh = tp->snd_ssthresh > 2 * tp->t_maxseg ? tp->snd_ssthresh : 2 * tp->t_maxseg;
	tcp_hostcache_update(tptomachine(tp), &inp->inp_faddr6, inp->inp_vflag, &info);
}

/* What is left of it. A timer that is being served by another thread ends first, and finds no socket. */
static void
free_tcpcb(struct nke *machine, struct tcpcb *tp)
{
	tcp_timer_stop_all(tp);
	zone_free(&machine->tcp->connections, tp);
}

/* Everything that only a connection with segments needs. */
static void
let_go(struct tcpcb *tp)
{
	if (tp->t_state == TCPS_LISTEN)
		syncache_forget(tp->t_inpcb);
	else
		remember_path(tp);
	tcp_sent_flush(tp);
	tcp_reass_flush(tp);
	tcp_sack_free(tp);
	tcp_undo_forget(tp);
	if (tp->t_fastopen != NULL)
		tcp_fastopen_free(tp);
	tcp_accecn_end(tp);
}

void
tcp_rest(struct tcpcb *tp, uint64_t ns)
{
	let_go(tp);
	tp->t_uflags |= TFU_OVER;
	for (enum tcp_timer t = 0; t < TT_COUNT; t++)
		tcp_timer_set(tp, t, 0);
	tcp_timer_set(tp, TT_2MSL, ns);
	in_pcbunhash(tp->t_inpcb);
	soisdisconnected(tptosocket(tp));
}

void
tcp_close(struct tcpcb *tp)
{
	struct nke *machine = tptomachine(tp);
	struct inpcb *inp = tp->t_inpcb;
	struct socket *so = inp->inp_socket;
	bool detached = (tp->t_uflags & TFU_DETACHED) != 0, over = (tp->t_uflags & TFU_OVER) != 0;

	if (tp->t_flags & TF_CLOSED)
		return;
	tp->t_flags |= TF_CLOSED;
	so_retain(so);
	if (!over)
		let_go(tp);
	tcp_setstate(tp, TCPS_CLOSED);
	machine->tcp->states[TCPS_CLOSED]--;
	machine->tcp->stat.tcps_closed++;
	tcp_user_free(tp);
	inp->inp_ppcb = NULL;
	in_pcbdetach(inp);
	free_tcpcb(machine, tp);
	if (!over)
		soisdisconnected(so);
	sodetached(so);
	if (detached)
		so_release(so);
	so_release(so);
}

/* RFC 9293 3.10.5: the peer, which knows of the connection, is told that it is over. */
static void
send_reset(struct tcpcb *tp)
{
	const struct inpcb *inp = tp->t_inpcb;
	struct nke *machine = tptomachine(tp);
	struct tcpopt to = {.to_flags = 0};
	struct tcp_reply r = {
		.ends = tcp_ends(tp), .seq = tp->snd_nxt, .ack = tp->rcv_nxt, .flags = TH_RST | TH_ACK,
		.flowlabel = inp->inp_flowlabel, .zone = inp->inp_fzone, .bound = inp->inp_boundif
	};

	if (r.ends.vflag == INP_IPV4) {
		r.tos = inp->inp_tos;
		r.ttl = inp->inp_ttl;
	} else {
		r.tos = inp->inp_tclass;
		r.ttl = (uint8_t)(inp->inp_hops > 0 ? inp->inp_hops : 0);
	}
	if ((tp->t_flags & (TF_RCVD_TSTMP | TF_NOOPT)) == TF_RCVD_TSTMP) {
		to.to_flags = TOF_TS;
		to.to_tsval = tcp_ts_now(machine) + tp->ts_offset;
		to.to_tsecr = tp->ts_recent;
		r.to = &to;
	}
	machine->tcp->stat.tcps_sndctrl++;
	(void)tcp_respond(machine, &r);
}

void
tcp_drop(struct tcpcb *tp, errno_t error)
{
	struct nke *machine = tptomachine(tp);
	struct socket *so = tptosocket(tp);

	TRACE(machine, TCP_DROP, NULL, error, tp->t_state);
	so_retain(so);
	if (TCPS_HAVERCVDSYN(tp->t_state) && tp->t_state != TCPS_TIME_WAIT) {
		machine->tcp->stat.tcps_drops++;
		send_reset(tp);
	} else {
		machine->tcp->stat.tcps_conndrops++;
	}
	/* Sending may have called somebody who ended it. */
	if (sotoinpcb(so) != NULL && sototcpcb(so) == tp) {
		if (error == ETIMEDOUT)
			error = tcp_give_up_error(tp);
		so->so_error = error;
		tcp_close(tp);
	}
	so_release(so);
}

errno_t
tcp_give_up_error(const struct tcpcb *tp)
{
	return tp->t_softerror != 0 ? tp->t_softerror : ETIMEDOUT;
}

uint64_t
tcp_finwait2_limit(const struct tcpcb *tp)
{
	const struct tcp_config *c = &tptomachine(tp)->tcp->config;
	uint64_t interval = tp->t_user->keepintvl_ms != 0 ? tp->t_user->keepintvl_ms : (uint32_t)c->keepintvl;
	uint64_t count = tp->t_user->keepcnt != 0 ? tp->t_user->keepcnt : (uint32_t)c->keepcnt;

	if (c->fast_finwait2_recycle)
		return (uint64_t)c->finwait2_timeout * TCP_NS_PER_MS;
	return interval * count * TCP_NS_PER_MS;
}

bool
tcp_usrclosed(struct tcpcb *tp)
{
	struct socket *so = tptosocket(tp);
	bool there;

	switch (tp->t_state) {
	case TCPS_CLOSED:
	case TCPS_LISTEN:
		tcp_close(tp);
		return false;
	case TCPS_SYN_SENT:
	case TCPS_SYN_RECEIVED:
		tp->t_flags |= TF_NEEDFIN;
		return true;
	case TCPS_ESTABLISHED:
		tcp_setstate(tp, TCPS_FIN_WAIT_1);
		return true;
	case TCPS_CLOSE_WAIT:
		tcp_setstate(tp, TCPS_LAST_ACK);
		return true;
	case TCPS_FIN_WAIT_2:
		tcp_timer_set(tp, TT_2MSL, tcp_finwait2_limit(tp));
		break;
	default:
		return true;
	}
	so_retain(so);
	soisdisconnected(so);
	there = sotoinpcb(so) != NULL;
	so_release(so);
	return there;
}
