/*
 * A half-open connection's two ends: what is answered to its SYN, and how it becomes a connection (RFC 9293
 * sections 3.5 and 3.10.7.2, RFC 7323 2.2 and 3.2, RFC 2018 section 2, RFC 3168 6.1.1, RFC 9768 3.1, RFC
 * 6691).
 *
 * Called by tcp_syncache.c and tcp_fastopen.c. State: none of its own; struct half_open in, a tcpcb out.
 *
 * Left out: IPv4 options of the SYN are neither kept nor sent back (a source route would lead wherever the
 * sender likes); the listener's own go with the connection.
 */
#include <netinet/ip.h>

#include <string.h>

#include "src/kern/sched.h"
#include "src/netinet/tcp_accecn.h"
#include "src/netinet/tcp_syncache.h"

#define TRIES_OF_ACCECN	2		/* SYN-ACKs that say that ECN is accurate */

/* ---- the SYN ------------------------------------------------------------------------------ */

/* Which options both sides have. */
static void
fill_options(struct half_open *h, const struct tcpcb *ltp, const struct tcp_segment *seg)
{
	const struct tcp_config *c = &seg->machine->tcp->config;
	const struct tcpopt *to = &seg->to;

	if (to->to_flags & TOF_MSS)
		h->peer_mss = to->to_mss;
	if (ltp->t_flags & TF_NOOPT) {
		h->flags |= HO_NOOPT;
		return;
	}
	if ((to->to_flags & TOF_SCALE) && tcp_wants_scale(c)) {
		h->flags |= HO_SCALE;
		h->snd_scale = to->to_wscale < TCP_MAX_WINSHIFT ? to->to_wscale : TCP_MAX_WINSHIFT;
		h->rcv_scale = tcp_scale_for(seg->machine);
	}
	if ((to->to_flags & TOF_TS) && tcp_wants_ts(c)) {
		h->flags |= HO_TSTMP;
		h->ts_recent = to->to_tsval;
		h->ts_offset = tcp_new_ts_offset(seg->machine, &seg->ends);
	}
	if ((to->to_flags & TOF_SACKPERM) && (ltp->t_flags & TF_SACK_PERMIT))
		h->flags |= HO_SACK;
}

static void
remember_mark(struct half_open *h, const struct tcp_segment *seg)
{
	h->flags = (uint16_t)((h->flags & ~HO_MARK) | (seg->tos & IPTOS_ECN_MASK) << HO_MARK_SHIFT);
}

/*
 * The peer asks: RFC 3168 6.1.1, by ECE and CWR; RFC 9768 3.1.3, for accurate ECN by anything with AE. The
 * socket or net.inet.tcp.ecn.enable allow it.
 */
static void
fill_ecn(struct half_open *h, const struct tcpcb *ltp, const struct tcp_segment *seg)
{
	int enable = seg->machine->tcp->config.ecn_enable;
	unsigned ace = tcp_ace_of(seg->flags);

	if ((ltp->t_flags & TF_ECN_REFUSED) || (enable == 0 && !(ltp->t_flags & TF_ECN_WANTED)))
		return;
	if (enable >= 3 && ace != 0 && ace != ACE_ASKS_3168) {
		h->flags |= HO_ECN | HO_ACCECN;
		remember_mark(h, seg);
	} else if ((ace & ACE_ASKS_3168) == ACE_ASKS_3168) {
		h->flags |= HO_ECN;
	}
}

void
half_open_ecn_again(struct half_open *h, const struct tcp_segment *seg)
{
	unsigned ace = tcp_ace_of(seg->flags);

	if (!(h->flags & HO_ACCECN)) {
		/* RFC 3168 6.1.1.1: it tries without. */
		if ((ace & ACE_ASKS_3168) != ACE_ASKS_3168)
			h->flags &= (uint16_t)~HO_ECN;
		return;
	}
	/* RFC 9768 3.1.4.1, 3.1.5: it stays so; but a peer that asks no more is not to get ECT. */
	if (ace == 0)
		h->flags |= HO_NOECT;
	remember_mark(h, seg);
}

void
half_open_begin(struct half_open *h, struct inpcb *listener, const struct tcp_segment *seg)
{
	uint32_t room = listener->inp_socket->so_rcv.sb_hiwat;

	memset(h, 0, sizeof *h);
	h->listener = listener;
	h->faddr = seg->ends.faddr;
	h->laddr = seg->ends.laddr;
	h->fport = seg->ends.fport;
	h->lport = seg->ends.lport;
	h->vflag = seg->ends.vflag;
	if (h->vflag == INP_IPV6)
		h->zone = in_pcbzone(seg->machine, seg->ends.ifp, &seg->ends.faddr);
	h->wnd = (uint16_t)(room < TCP_MAXWIN ? room : TCP_MAXWIN);
}

void
half_open_fill(struct half_open *h, struct inpcb *listener, const struct tcp_segment *seg)
{
	const struct tcpcb *ltp = intotcpcb(listener);

	half_open_begin(h, listener, seg);
	h->irs = seg->seq;
	fill_options(h, ltp, seg);
	fill_ecn(h, ltp, seg);
}

/* ---- answers ------------------------------------------------------------------------------ */

static struct in_ends
ends_of(struct nke *machine, const struct half_open *h)
{
	struct in_ends e = {
		.faddr = h->faddr, .laddr = h->laddr, .fport = h->fport, .lport = h->lport,
		.vflag = h->vflag, .ifp = h->listener->inp_boundif
	};
	struct ifnet *ifp;

	if (h->zone != 0 && e.ifp == NULL && in_option_interface(machine, h->zone, &ifp) == 0)
		e.ifp = ifp;
	return e;
}

/* What is the listener's in an answer: where it goes out, how far, with which service. */
static struct tcp_reply
reply_of(struct nke *machine, const struct half_open *h)
{
	const struct inpcb *inp = h->listener;
	struct tcp_reply r = {.ends = ends_of(machine, h), .zone = h->zone, .bound = inp->inp_boundif};

	if (h->vflag == INP_IPV4) {
		r.ttl = inp->inp_ttl;
		r.tos = inp->inp_tos;
	} else {
		r.ttl = (uint8_t)(inp->inp_hops > 0 ? inp->inp_hops : 0);
		r.tos = inp->inp_tclass;
	}
	return r;
}

static void
timestamp(struct nke *machine, const struct half_open *h, struct tcpopt *to)
{
	if (!(h->flags & HO_TSTMP))
		return;
	to->to_flags |= TOF_TS;
	to->to_tsval = tcp_ts_now(machine) + h->ts_offset;
	to->to_tsecr = h->ts_recent;
}

/* RFC 9768 3.1.4.2: after two SYN-ACKs without an answer, none with the bits that may be in the way. */
static bool
accurate_ecn_given_up(const struct half_open *h)
{
	return h->retransmits >= TRIES_OF_ACCECN;
}

static uint16_t
ecn_flags(const struct half_open *h)
{
	if (!(h->flags & HO_ECN))
		return 0;
	if (!(h->flags & HO_ACCECN))
		return TH_ECE;
	return accurate_ecn_given_up(h) ? 0 : tcp_ace_flags(tcp_ace_of_mark(half_open_mark(h)));
}

static bool
tells_counters(const struct nke *machine, const struct half_open *h)
{
	return (h->flags & HO_ACCECN) && h->retransmits == 0 && !(h->flags & HO_UNTIMED) &&
	    machine->tcp->config.ecn_option != 0;
}

void
half_open_answer(struct nke *machine, const struct half_open *h)
{
	struct tcp_reply r = reply_of(machine, h);
	uint8_t cookie[TCP_FASTOPEN_COOKIE];
	struct tcpopt to = {.to_flags = 0};

	r.seq = h->iss;
	r.ack = h->irs + 1;
	r.win = h->wnd;
	r.flags = (uint16_t)(TH_SYN | TH_ACK | ecn_flags(h));
	if (r.flags & TH_ACE)
		r.tos = (uint8_t)((r.tos & ~IPTOS_ECN_MASK) | tcp_ecn_syn_mark(machine, r.flags));
	if (!(h->flags & HO_NOOPT)) {
		to.to_flags = TOF_MSS;
		to.to_mss = tcp_mss_to_tell(machine, h->listener, &r.ends);
		if (h->flags & HO_SCALE) {
			to.to_flags |= TOF_SCALE;
			to.to_wscale = h->rcv_scale;
		}
		if (h->flags & HO_SACK)
			to.to_flags |= TOF_SACKPERM;
		timestamp(machine, h, &to);
		/*
		 * RFC 9768 3.2.3.2.1: one that is sent again goes without, as the option may be in the way.
		 */
		if ((r.flags & TH_ACE) && tells_counters(machine, h)) {
			to.to_flags |= TOF_ACCECN;
			to.to_accecn = tcp_accecn_initial;
		}
		r.to = &to;
	}
	if (h->flags & HO_COOKIE) {
		tcp_fastopen_make_cookie(machine, &r.ends, cookie);
		to.to_flags |= TOF_FASTOPEN;
		to.to_tfo_len = sizeof cookie;
		to.to_tfo_cookie = cookie;
		machine->tcp->stat.tcps_tfo_cookie_sent++;
	}
	machine->tcp->stat.tcps_sndctrl++;
	(void)tcp_respond(machine, &r);
}

void
half_open_challenge(struct nke *machine, const struct half_open *h)
{
	struct tcp_reply r = reply_of(machine, h);
	struct tcpopt to = {.to_flags = 0};

	if (!tcp_may_challenge(machine))
		return;
	r.seq = h->iss + 1;
	r.ack = h->irs + 1;
	r.win = (uint32_t)h->wnd >> h->rcv_scale;
	r.flags = TH_ACK;
	timestamp(machine, h, &to);
	r.to = &to;
	machine->tcp->stat.tcps_sndacks++;
	(void)tcp_respond(machine, &r);
}

/* ---- the connection ----------------------------------------------------------------------- */

static void
set_options(struct tcpcb *tp, const struct half_open *h)
{
	tp->t_flags &= ~(uint32_t)(TF_REQ_SCALE | TF_RCVD_SCALE | TF_REQ_TSTMP | TF_RCVD_TSTMP |
	    TF_SACK_PERMIT | TF_ECN_PERMIT);
	if (h->flags & HO_SCALE) {
		tp->t_flags |= TF_REQ_SCALE | TF_RCVD_SCALE;
		tp->snd_scale = h->snd_scale;
		tp->rcv_scale = tp->request_r_scale = h->rcv_scale;
	}
	if (h->flags & HO_TSTMP) {
		tp->t_flags |= TF_REQ_TSTMP | TF_RCVD_TSTMP;
		tp->ts_recent = h->ts_recent;
		tp->ts_recent_age = machine_now(tptomachine(tp));
		tp->ts_offset = h->ts_offset;
	}
	if (h->flags & HO_SACK)
		tp->t_flags |= TF_SACK_PERMIT;
}

/* The segment that ends the handshake, or (HO_FASTOPEN) the SYN. */
static void
set_ecn(struct tcpcb *tp, const struct half_open *h, const struct tcp_segment *seg)
{
	if (!(h->flags & HO_ECN))
		return;
	if (!(h->flags & HO_ACCECN))
		tp->t_flags |= TF_ECN_PERMIT;
	else if (!accurate_ecn_given_up(h) || (seg->flags & TH_ACE))
		tcp_accecn_accept(tp, half_open_mark(h), h->flags & HO_NOECT);
	if (tp->t_flags & TF_ECN_PERMIT)
		tptomachine(tp)->tcp->stat.tcps_ecn_server_success++;
}

static void
set_numbers(struct tcpcb *tp, const struct half_open *h)
{
	tp->iss = tp->snd_una = tp->snd_up = tp->t_recover = h->iss;
	tp->snd_nxt = h->flags & HO_FASTOPEN ? h->iss : h->iss + 1;
	tp->snd_wl1 = tp->irs = h->irs;
	tp->snd_wl2 = h->iss;
	tp->rcv_nxt = tp->rcv_up = tp->last_ack_sent = h->irs + 1;
	tp->rcv_wnd = h->wnd;
	tp->rcv_adv = tp->rcv_nxt + h->wnd;
}

/* Our SYN is in flight since the SYN-ACK went: its ACK measures a round trip, but not of two (Karn). */
static bool
syn_in_flight(struct tcpcb *tp, const struct half_open *h)
{
	struct tcp_sent *e;

	if (h->flags & HO_FASTOPEN)
		return true;
	e = tcp_sent_add(tp, h->iss, h->iss + 1, SENT_SYN);
	if (e == NULL)
		return false;
	if (h->retransmits != 0 || (h->flags & HO_UNTIMED))
		e->flags |= SENT_REXMIT;
	else
		e->time = h->sent;
	return true;
}

struct tcpcb *
half_open_connect(struct inpcb *listener, const struct tcp_segment *seg, const struct half_open *h)
{
	struct tcpcb *tp = tcp_newconn(listener, seg);
	struct nke *machine = seg->machine;
	uint32_t keepinit;

	if (tp == NULL)
		return NULL;
	tp->t_inpcb->inp_flags |= INP_ADDRBOUND;
	set_numbers(tp, h);
	set_options(tp, h);
	set_ecn(tp, h, seg);
	if (!syn_in_flight(tp, h)) {
		tcp_close(tp);
		return NULL;
	}
	/* RFC 5681 3.1: a lost SYN-ACK is a sign of congestion. */
	if (h->retransmits != 0) {
		tp->snd_cwnd = 1;
		tp->t_uflags |= TFU_SYNLOST;
	}
	tcp_mss(tp, h->peer_mss);
	tcp_setstate(tp, TCPS_SYN_RECEIVED);
	keepinit = tp->t_user->keepinit_ms != 0 ? tp->t_user->keepinit_ms :
	    (uint32_t)machine->tcp->config.keepinit;
	tcp_timer_set(tp, TT_KEEP, keepinit * TCP_NS_PER_MS);
	machine->tcp->stat.tcps_accepts++;
	return tp;
}
