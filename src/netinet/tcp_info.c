/*
 * What TCP tells about connections: Darwin's TCP_CONNECTION_INFO, FreeBSD's TCP_INFO (tcp_user.h), and the
 * list of all of them, net.inet.tcp.pcblist. Called by tcp_ctloutput.c and sysctl. Changes nothing, but for
 * net.inet.tcp.drop, which ends one of the list.
 */
#include <string.h>

#include "src/kern/sysctl.h"
#include "src/netinet/tcp_accecn.h"

#define US_PER_MS	1000u

/* ---- one connection ----------------------------------------------------------------------- */

static bool
scaled(const struct tcpcb *tp)
{
	return (tp->t_flags & (TF_REQ_SCALE | TF_RCVD_SCALE)) == (TF_REQ_SCALE | TF_RCVD_SCALE);
}

static bool
timestamped(const struct tcpcb *tp)
{
	return (tp->t_flags & (TF_REQ_TSTMP | TF_RCVD_TSTMP)) == (TF_REQ_TSTMP | TF_RCVD_TSTMP);
}

static uint32_t
receive_window(const struct tcpcb *tp)
{
	return SEQ_GT(tp->rcv_adv, tp->rcv_nxt) ? tp->rcv_adv - tp->rcv_nxt : 0;
}

void
tcp_fill_connection_info(const struct tcpcb *tp, struct tcp_connection_info *ci)
{
	const struct socket *so = tptosocket(tp);

	memset(ci, 0, sizeof *ci);
	ci->tcpi_state = tp->t_state;
	if (tp->t_state > TCPS_LISTEN) {
		if (timestamped(tp))
			ci->tcpi_options |= TCPCI_OPT_TIMESTAMPS;
		if (tp->t_flags & TF_SACK_PERMIT)
			ci->tcpi_options |= TCPCI_OPT_SACK;
		if (scaled(tp)) {
			ci->tcpi_options |= TCPCI_OPT_WSCALE;
			ci->tcpi_snd_wscale = tp->snd_scale;
			ci->tcpi_rcv_wscale = tp->rcv_scale;
		}
		if (tp->t_flags & TF_ECN_PERMIT)
			ci->tcpi_options |= TCPCI_OPT_ECN;
		if (tcp_in_recovery(tp))
			ci->tcpi_flags |= TCPCI_FLAG_LOSSRECOVERY;
		if (tp->t_flags & TF_REORDERED)
			ci->tcpi_flags |= TCPCI_FLAG_REORDERING_DETECTED;
	}
	ci->tcpi_rto = tp->t_rxtcur / US_PER_MS;
	ci->tcpi_maxseg = tp->t_maxseg;
	ci->tcpi_snd_ssthresh = tp->snd_ssthresh;
	ci->tcpi_snd_cwnd = tp->snd_cwnd;
	ci->tcpi_snd_wnd = tp->snd_wnd;
	ci->tcpi_snd_sbbytes = so->so_snd.sb_cc;
	ci->tcpi_rcv_wnd = receive_window(tp);
	ci->tcpi_rttcur = tp->t_rttlast / US_PER_MS;
	ci->tcpi_srtt = tp->t_srtt / 8 / US_PER_MS;
	ci->tcpi_rttvar = tp->t_rttvar / 4 / US_PER_MS;
	ci->tcpi_txpackets = tp->t_txpackets;
	ci->tcpi_txbytes = tp->t_txbytes;
	ci->tcpi_txretransmitbytes = tp->t_rexmitbytes;
	ci->tcpi_txretransmitpackets = tp->t_rexmitpackets;
	ci->tcpi_rxpackets = tp->t_rxpackets;
	ci->tcpi_rxbytes = tp->t_rxbytes;
	ci->tcpi_rxoutoforderbytes = tp->t_rxoobytes;
}

static uint8_t
options_of(const struct tcpcb *tp)
{
	uint8_t options = 0;

	if (tp->t_state <= TCPS_LISTEN)
		return 0;
	if (timestamped(tp))
		options |= CORE_TCPI_TIMESTAMPS;
	if (tp->t_flags & TF_SACK_PERMIT)
		options |= CORE_TCPI_SACK;
	if (scaled(tp))
		options |= CORE_TCPI_WSCALE;
	if (tp->t_flags & TF_ECN_PERMIT)
		options |= tcp_accecn_of(tp) != NULL ? CORE_TCPI_ACE : CORE_TCPI_ECN;
	if (tp->t_flags & TF_FASTOPEN)
		options |= CORE_TCPI_FASTOPEN;
	return options;
}

static uint8_t
congestion_state(const struct tcpcb *tp)
{
	if (tp->t_flags & TF_RTORECOVERY)
		return CORE_TCPI_LOSS;
	if (tp->t_flags & TF_FASTRECOVERY)
		return CORE_TCPI_RECOVERY;
	if (tp->t_flags & TF_CONGRECOVERY)
		return CORE_TCPI_CWR;
	return tp->t_sacked != 0 ? CORE_TCPI_DISORDER : CORE_TCPI_OPEN;
}

/* Octets as segments of full size. */
static uint32_t
segments(const struct tcpcb *tp, uint32_t octets)
{
	return tp->t_maxseg != 0 ? (octets + tp->t_maxseg - 1) / tp->t_maxseg : 0;
}

/*
 * Octets that have been sent again and are not acknowledged: SENT_REXMIT; with SENT_TLP in `which` without
 * those of a tail loss probe, as nothing was lost then.
 */
static uint32_t
retransmitted(const struct tcpcb *tp, uint8_t which)
{
	const struct tcp_sent *s;
	uint32_t octets = 0;

	TAILQ_FOREACH(s, &tp->t_sent, by_seq)
		if ((s->flags & (which | SENT_LOST | SENT_SACKED)) == SENT_REXMIT)
			octets += s->end - s->seq;
	return octets;
}

/* The MSS that the peer was told. */
static uint32_t
told_mss(const struct tcpcb *tp)
{
	struct in_ends ends;

	if (tp->t_state <= TCPS_LISTEN)
		return 0;
	ends = tcp_ends(tp);
	return tcp_mss_to_tell(tptomachine(tp), tp->t_inpcb, &ends);
}

static uint32_t
ago_us(const struct tcpcb *tp, uint64_t then)
{
	uint64_t us;

	if (then == 0)
		return 0;
	us = (machine_now(tptomachine(tp)) - then) / TCP_NS_PER_US;
	return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

/* What does not change by sending and receiving. */
static void
fill_settled(const struct tcpcb *tp, struct core_tcp_info *ti)
{
	uint32_t headers = tp->t_inpcb->inp_vflag & INP_IPV4 ? sizeof(struct ip) : sizeof(struct ip6_hdr);

	ti->tcpi_state = tp->t_state;
	ti->tcpi_options = options_of(tp);
	ti->tcpi_pacing_rate = tp->t_user->pace != NULL ? tp->t_user->pace->rate : 0;
	if (ti->tcpi_options & CORE_TCPI_WSCALE) {
		ti->tcpi_snd_wscale = tp->snd_scale;
		ti->tcpi_rcv_wscale = tp->rcv_scale;
	}
	ti->tcpi_snd_mss = tp->t_maxseg;
	ti->tcpi_rcv_mss = tp->t_maxseg;
	ti->tcpi_advmss = told_mss(tp);
	ti->tcpi_pmtu = tp->t_maxseg + (uint32_t)sizeof(struct tcphdr) + headers +
	    (timestamped(tp) ? TCPOLEN_TSTAMP_APPA : 0);
	ti->tcpi_reordering = tp->t_reordering > TCP_DUPTHRESH ? tp->t_reordering : TCP_DUPTHRESH;
}

static void
fill_ecn(const struct tcpcb *tp, struct core_tcp_info *ti)
{
	if (tcp_accecn_of(tp) != NULL) {
		tcp_accecn_fill_info(tp, ti);
	} else {
		ti->tcpi_received_ce = tp->t_ecn_ce;
		ti->tcpi_received_ece = ti->tcpi_delivered_ce = tp->t_ecn_ece;
	}
}

void
tcp_fill_info(const struct tcpcb *tp, struct core_tcp_info *ti)
{
	const struct socket *so = tptosocket(tp);
	uint32_t sent = tp->snd_nxt - tp->snd_una;

	memset(ti, 0, sizeof *ti);
	fill_settled(tp, ti);
	ti->tcpi_ca_state = congestion_state(tp);
	ti->tcpi_retransmits = ti->tcpi_backoff = tp->t_rxtshift;
	ti->tcpi_probes = (uint8_t)(tp->t_keepprobes < UINT8_MAX ? tp->t_keepprobes : UINT8_MAX);
	ti->tcpi_rto = tp->t_rxtcur;
	ti->tcpi_rtt = tp->t_srtt / 8;
	ti->tcpi_rttvar = tp->t_rttvar / 4;
	ti->tcpi_rttmin = tp->t_minrtt;
	ti->tcpi_unacked = segments(tp, sent);
	ti->tcpi_sacked = segments(tp, tp->t_sacked);
	ti->tcpi_retrans = segments(tp, retransmitted(tp, SENT_REXMIT));
	ti->tcpi_lost = segments(tp, tp->t_lost + retransmitted(tp, SENT_REXMIT | SENT_TLP));
	ti->tcpi_last_data_sent = ago_us(tp, tp->t_sndtime);
	ti->tcpi_last_data_recv = ago_us(tp, tp->t_rcvtime);
	ti->tcpi_snd_ssthresh = tp->snd_ssthresh;
	ti->tcpi_snd_cwnd = tp->snd_cwnd;
	ti->tcpi_rcv_space = ti->tcpi_rcv_ssthresh = receive_window(tp);
	ti->tcpi_snd_wnd = tp->snd_wnd;
	ti->tcpi_snd_nxt = tp->snd_nxt;
	ti->tcpi_snd_una = tp->snd_una;
	ti->tcpi_rcv_nxt = tp->rcv_nxt;
	ti->tcpi_snd_rexmitpack = tp->t_rexmitpackets;
	ti->tcpi_rcv_ooopack = tp->t_rxoobytes;
	ti->tcpi_snd_sbbytes = so->so_snd.sb_cc;
	ti->tcpi_notsent = so->so_snd.sb_cc > sent ? so->so_snd.sb_cc - sent : 0;
	ti->tcpi_rcv_sbbytes = so->so_rcv.sb_cc;
	ti->tcpi_rcv_numsacks = tp->t_rcv_sack != NULL ? tp->t_rcv_sack->count : 0;
	fill_ecn(tp, ti);
	ti->tcpi_txpackets = tp->t_txpackets;
	ti->tcpi_rxpackets = tp->t_rxpackets;
	ti->tcpi_txbytes = tp->t_txbytes;
	ti->tcpi_rxbytes = tp->t_rxbytes;
	ti->tcpi_txretransmitbytes = tp->t_rexmitbytes;
	ti->tcpi_delivered = tp->t_delivered;
}

/* ---- all of them -------------------------------------------------------------------------- */

static void
fill_pcb(const struct inpcb *inp, struct core_tcp_pcb *x)
{
	const struct tcpcb *tp = intotcpcb(inp);
	const struct socket *so = inp->inp_socket;

	memset(x, 0, sizeof *x);
	x->xt_len = sizeof *x;
	x->xt_state = tp->t_state;
	x->xt_family = so->so_family;
	x->xt_vflag = inp->inp_vflag;
	x->xt_detached = (tp->t_uflags & TFU_DETACHED) != 0;
	memcpy(x->xt_laddr, &inp->inp_laddr6, sizeof x->xt_laddr);
	memcpy(x->xt_faddr, &inp->inp_faddr6, sizeof x->xt_faddr);
	x->xt_lzone = inp->inp_lzone;
	x->xt_fzone = inp->inp_fzone;
	x->xt_lport = inp->inp_lport;
	x->xt_fport = inp->inp_fport;
	x->xt_sndq = so->so_snd.sb_cc;
	x->xt_rcvq = so->so_rcv.sb_cc;
	x->xt_qlen = so->so_qlen;
	x->xt_incqlen = so->so_incqlen;
	x->xt_qlimit = so->so_qlimit;
	x->xt_snd_cwnd = tp->snd_cwnd;
	x->xt_snd_ssthresh = tp->snd_ssthresh;
	x->xt_srtt_us = tp->t_srtt / 8;
	x->xt_rto_us = tp->t_rxtcur;
	x->xt_snd_wnd = tp->snd_wnd;
	x->xt_rcv_wnd = receive_window(tp);
	x->xt_maxseg = tp->t_maxseg;
	x->xt_generation = so->so_generation;
	memcpy(x->xt_cc, tp->t_cc->name, sizeof x->xt_cc);
}

/* Connections without a socket: half-open ones, and those that are waiting in TIME_WAIT. */
struct listing {
	struct sysctl_req *req;
	int error;
	uint8_t state;
};

static void
list_socketless(void *ctx, const struct in_ends *e, uint32_t zone)
{
	struct listing *l = ctx;
	struct core_tcp_pcb x;

	if (l->error != 0)
		return;
	memset(&x, 0, sizeof x);
	x.xt_len = sizeof x;
	x.xt_state = l->state;
	x.xt_family = e->vflag == INP_IPV4 ? PF_INET : PF_INET6;
	x.xt_vflag = e->vflag;
	x.xt_detached = true;
	memcpy(x.xt_laddr, &e->laddr, sizeof x.xt_laddr);
	memcpy(x.xt_faddr, &e->faddr, sizeof x.xt_faddr);
	x.xt_fzone = zone;
	x.xt_lport = e->lport;
	x.xt_fport = e->fport;
	l->error = SYSCTL_OUT(l->req, &x, sizeof x);
}

static int
handle_pcblist SYSCTL_HANDLER_ARGS
{
	struct nke *machine = arg1;
	struct listing l = {.req = req, .state = TCPS_SYN_RECEIVED};
	const struct inpcb *inp;
	struct core_tcp_pcb x;
	int error;

	(void)oidp;
	(void)arg2;
	TAILQ_FOREACH_REVERSE(inp, &machine->tcp->pcbs.list, inpcb_list, inp_list) {
		if (intotcpcb(inp) == NULL || intotcpcb(inp)->t_state == TCPS_TIME_WAIT)
			continue;
		fill_pcb(inp, &x);
		error = SYSCTL_OUT(req, &x, sizeof x);
		if (error != 0)
			return error;
	}
	syncache_foreach(machine, list_socketless, &l);
	l.state = TCPS_TIME_WAIT;
	tcp_timewait_foreach(machine, list_socketless, &l);
	return l.error;
}

static void
listed_ends(const struct core_tcp_pcb *x, struct in_ends *e)
{
	memset(e, 0, sizeof *e);
	e->vflag = x->xt_vflag;
	e->lport = x->xt_lport;
	e->fport = x->xt_fport;
	memcpy(&e->laddr, x->xt_laddr, sizeof e->laddr);
	memcpy(&e->faddr, x->xt_faddr, sizeof e->faddr);
}

static bool
is_between(const struct inpcb *inp, const struct in_ends *e, uint32_t zone)
{
	return intotcpcb(inp) != NULL && inp->inp_lport == e->lport && inp->inp_fport == e->fport &&
	    inp->inp_fzone == zone && IN6_ARE_ADDR_EQUAL(&inp->inp_laddr6, &e->laddr) &&
	    IN6_ARE_ADDR_EQUAL(&inp->inp_faddr6, &e->faddr);
}

/* As FreeBSD's tcpdrop does: the user gets ECONNABORTED, the peer a RST; TIME_WAIT ends in silence. */
static int
handle_drop SYSCTL_HANDLER_ARGS
{
	struct nke *machine = arg1;
	struct in_ends ends;
	struct core_tcp_pcb x;
	struct inpcb *inp;
	struct tcpcb *tp;
	bool waited;
	int error;

	(void)oidp;
	(void)arg2;
	if (req->newptr == 0)
		return EPERM;
	if (req->newlen != sizeof x)
		return EINVAL;
	error = SYSCTL_IN(req, &x, sizeof x);
	if (error != 0)
		return error;
	if (x.xt_fport == 0)
		return ESRCH;
	listed_ends(&x, &ends);
	TAILQ_FOREACH(inp, &machine->tcp->pcbs.list, inp_list)
		if (is_between(inp, &ends, x.xt_fzone))
			break;
	waited = tcp_timewait_end(machine, &ends);
	tp = inp != NULL ? intotcpcb(inp) : NULL;
	if (tp == NULL)
		return waited ? 0 : ESRCH;
	if (tp->t_state == TCPS_TIME_WAIT)
		tcp_close(tp);
	else
		tcp_drop(tp, ECONNABORTED);
	return 0;
}

errno_t
tcp_pcblist_init(struct nke *machine)
{
	errno_t error;

	_Static_assert(TCP_CA_NAME_MAX == CORE_TCP_CA_NAME_MAX, "names of algorithms fit");

	error = sysctl_add(machine, &sysctl__net_inet_tcp_children, TCPCTL_PCBLIST, "pcblist",
	    CTLTYPE_STRUCT | CTLFLAG_RD, machine, 0, handle_pcblist, "S,core_tcp_pcb");
	return error != 0 ? error : sysctl_add(machine, &sysctl__net_inet_tcp_children, OID_AUTO, "drop",
	    CTLTYPE_STRUCT | CTLFLAG_WR, machine, 0, handle_drop, "S,core_tcp_pcb");
}
