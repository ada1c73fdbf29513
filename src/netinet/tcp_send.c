/*
 * One segment: TCP header, options and data into a packet, and to IP. RFC 9293 3.1, 3.10.7; checksums
 * RFC 9293 3.1 and RFC 8200 8.1.
 *
 * Way in: tcp_output() decides what goes and calls tcp_send_segment(); timers call it for loss probes and
 * tcp_send_probe(); what belongs to no connection goes by tcp_respond.c. Way out: ip_send, ip6_send with
 * the route that the inpcb keeps.
 *
 * Everything about the connection is settled before IP is called, as filters behind it may do anything:
 * what is in flight (t_sent), snd_nxt, timers, what was acknowledged and told. An error afterwards is as
 * good as a loss, and tcp_output() deals with it.
 *
 * Data are not copied: the packet shares the clusters of so_snd, but for a few octets. The mbuf that the
 * next new octet is in is remembered (t_sndmb), so that a long buffer is not walked for every segment.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/panic.h"
#include "src/kern/sched.h"
#include "src/netinet/tcp_accecn.h"
#include "src/netinet/tcp_packet.h"

#define COPY_MOST	512u		/* so many octets of data are rather copied than shared */

/* One segment on its way. */
struct segment {
	struct tcpcb *tp;
	struct nke *machine;
	uint64_t now;
	tcp_seq seq;
	uint32_t len;
	uint16_t win;			/* as in the header, host order */
	uint16_t urp;
	uint16_t flags;
	uint8_t tos;			/* ECN bits */
	unsigned optlen, iphlen;
	bool large;			/* the interface cuts it */
	uint32_t opt[TCP_MAXOLEN / 4];
};

/* ---- data out of the send buffer ---------------------------------------------------------- */

/* The sequence number of the first octet in so_snd. */
static inline tcp_seq
first_octet(const struct tcpcb *tp)
{
	return tp->snd_una + (tp->t_state <= TCPS_SYN_RECEIVED && tp->snd_una == tp->iss);
}

/*
 * The mbuf with octet `seq`, and where in it. What was remembered is still there when it begins at or
 * behind the buffer's first octet: the front is dropped by acknowledgements, and the rest is only added to.
 */
static inline struct mbuf *
find_octet(const struct tcpcb *tp, tcp_seq seq, tcp_seq *mseq)
{
	tcp_seq first = first_octet(tp);
	struct mbuf *m;

	if (LIKELY(tp->t_sndmb != NULL && SEQ_GEQ(tp->t_sndmb_seq, first) &&
	    SEQ_GEQ(seq, tp->t_sndmb_seq))) {
		m = tp->t_sndmb;
		*mseq = tp->t_sndmb_seq;
	} else {
		m = tptosocket(tp)->so_snd.sb_mb;
		*mseq = first;
	}
	while (m != NULL && seq - *mseq >= (uint32_t)m->m_len) {
		*mseq += (uint32_t)m->m_len;
		m = m->m_next;
	}
	KASSERTX(m != NULL, "TCP sends octet %u of a buffer with %u", seq - first,
	    tptosocket(tp)->so_snd.sb_cc);
	return m;
}

uint32_t
tcp_record_left(const struct tcpcb *tp, uint32_t len, bool *ends)
{
	tcp_seq mseq;
	const struct mbuf *m = find_octet(tp, tp->snd_nxt, &mseq);
	uint32_t n = mseq + (uint32_t)m->m_len - tp->snd_nxt;

	while (n < len && !(m->m_flags & MBUF_EOR) && m->m_next != NULL) {
		m = m->m_next;
		n += (uint32_t)m->m_len;
	}
	*ends = n <= len && (m->m_flags & MBUF_EOR);
	return n < len ? n : len;
}

/* Copies the data behind what is in `to`. */
static inline void
copy_data(const struct segment *s, struct mbuf *to, struct mbuf *m, tcp_seq mseq)
{
	char *out = to->m_data + to->m_len;
	uint32_t off = s->seq - mseq, left = s->len, part;

	for (; left != 0; m = m->m_next, off = 0) {
		KASSERTX(m != NULL, "TCP sends %u octets more than its buffer has", left);
		part = (uint32_t)m->m_len - off < left ? (uint32_t)m->m_len - off : left;
		memcpy(out, m->m_data + off, part);
		out += part;
		left -= part;
	}
	to->m_len += (int32_t)s->len;
}

/*
 * Links mbufs behind `to` that share the data. False: no memory. The mbuf the last octet is in: *m, *mseq.
 */
static inline bool
share_data(const struct segment *s, struct mbuf *to, struct mbuf **mp, tcp_seq *mseq)
{
	uint32_t off = s->seq - *mseq, left = s->len, part;
	struct mbuf *m = *mp, *n;

	for (;;) {
		part = (uint32_t)m->m_len - off < left ? (uint32_t)m->m_len - off : left;
		n = m_get(s->machine, MBUF_DONTWAIT, MBUF_TYPE_DATA);
		if (n == NULL)
			return false;
		to->m_next = n;
		to = n;
		if (m->m_flags & M_EXT)
			m_share(n, m, off);
		else
			memcpy(n->m_data, m->m_data + off, part);
		n->m_len = (int32_t)part;
		left -= part;
		if (left == 0)
			break;
		*mseq += (uint32_t)m->m_len;
		m = m->m_next;
		off = 0;
		KASSERTX(m != NULL, "TCP sends %u octets more than its buffer has", left);
	}
	*mp = m;
	return true;
}

/* Room for headers, and the data. NULL: no memory. */
static inline struct mbuf *
make_packet(const struct segment *s, bool rexmit)
{
	size_t headers = s->iphlen + (size_t)TCP_HLEN + s->optlen;
	struct mbuf *m, *data;
	tcp_seq seq, mseq;

	if (s->len == 0) {
		m = tcp_get_packet(s->machine, headers, 0);
		if (m != NULL)
			m->m_pkthdr.len = (int32_t)headers;
		return m;
	}
	/* A SYN's data begin behind it. */
	seq = s->seq + ((s->flags & TH_SYN) != 0);
	data = find_octet(s->tp, seq, &mseq);
	m = tcp_get_packet(s->machine, headers, s->len <= COPY_MOST ? s->len : 0);
	if (m == NULL)
		return NULL;
	mseq -= (s->flags & TH_SYN) != 0;
	if (s->len <= COPY_MOST) {
		copy_data(s, m, data, mseq);
	} else if (!share_data(s, m, &data, &mseq)) {
		m_freem(m);
		return NULL;
	}
	if (LIKELY(!rexmit && !(s->flags & TH_SYN))) {
		s->tp->t_sndmb = data;
		s->tp->t_sndmb_seq = mseq;
	}
	m->m_pkthdr.len = (int32_t)(headers + s->len);
	return m;
}

/* ---- options ------------------------------------------------------------------------------ */

static unsigned
syn_options(struct segment *s)
{
	struct tcpcb *tp = s->tp;
	uint8_t cookie[TCP_FASTOPEN_MAX_COOKIE];
	struct in_ends ends = tcp_ends(tp);
	struct tcpopt to = {.to_flags = TOF_MSS};
	uint32_t flags = tp->t_flags;
	bool answer = s->flags & TH_ACK;
	uint16_t mss;

	to.to_mss = tcp_mss_to_tell(s->machine, tp->t_inpcb, &ends);
	if ((flags & TF_REQ_SCALE) && (!answer || (flags & TF_RCVD_SCALE))) {
		to.to_flags |= TOF_SCALE;
		to.to_wscale = tp->request_r_scale;
	}
	if (flags & TF_SACK_PERMIT)
		to.to_flags |= TOF_SACKPERM;
	if ((flags & TF_REQ_TSTMP) && (!answer || (flags & TF_RCVD_TSTMP))) {
		to.to_flags |= TOF_TS;
		to.to_tsval = (uint32_t)(s->now / TCP_NS_PER_MS) + tp->ts_offset;
		to.to_tsecr = answer ? tp->ts_recent : 0;
	}
	/* RFC 7413 4.1.3.1: a SYN that is sent again goes without. */
	if ((flags & TF_FASTOPEN) && tp->t_state == TCPS_SYN_SENT && tp->t_rxtshift == 0 &&
	    tcp_fastopen_usable(s->machine, &ends)) {
		to.to_flags |= TOF_FASTOPEN;
		to.to_tfo_len = tcp_fastopen_lookup(s->machine, &ends, cookie, &mss);
		to.to_tfo_cookie = cookie;
	}
	/* FreeBSD's base stack tells the cookie again to who has brought it. */
	if (answer && (flags & TF_FASTOPEN) && (tp->t_uflags & TFU_BASE)) {
		tcp_fastopen_make_cookie(s->machine, &ends, cookie);
		to.to_flags |= TOF_FASTOPEN;
		to.to_tfo_len = TCP_FASTOPEN_COOKIE;
		to.to_tfo_cookie = cookie;
	}
	return tcp_addoptions(&to, (uint8_t *)s->opt);
}

/* The blocks of the receiving side behind the timestamp, if any: so many at most. */
static unsigned
sack_options(struct segment *s, unsigned at, unsigned most)
{
	uint8_t blocks[MAX_SACK_BLKS * TCPOLEN_SACK];
	unsigned n = tcp_sack_blocks(s->tp, blocks);
	uint8_t *p = (uint8_t *)s->opt + at;

	if (n > most)
		n = most;
	if (n == 0)
		return at;
	p[0] = p[1] = TCPOPT_NOP;
	p[2] = TCPOPT_SACK;
	p[3] = (uint8_t)(2 + n * TCPOLEN_SACK);
	memcpy(p + 4, blocks, n * TCPOLEN_SACK);
	tcp_statistics(s->machine)->tcps_sack_send_blocks++;
	return at + 4 + n * TCPOLEN_SACK;
}

static inline bool
has_sacks(const struct tcpcb *tp)
{
	return tp->t_rcv_sack != NULL && (tp->t_flags & TF_SACK_PERMIT) &&
	    tp->t_state >= TCPS_ESTABLISHED;
}

static inline unsigned
make_options(struct segment *s)
{
	const uint32_t both = TF_REQ_TSTMP | TF_RCVD_TSTMP;
	struct tcpcb *tp = s->tp;
	unsigned at = 0, blocks, counters = 0;

	if (UNLIKELY(tp->t_flags & TF_NOOPT))
		return 0;
	if (UNLIKELY(s->flags & TH_SYN))
		return syn_options(s);
	if (LIKELY((tp->t_flags & both) == both)) {
		s->opt[0] = htonl(TCPOPT_TSTAMP_HDR);
		s->opt[1] = htonl((uint32_t)(s->now / TCP_NS_PER_MS) + tp->ts_offset);
		s->opt[2] = htonl(tp->ts_recent);
		at = TCPOLEN_TSTAMP_APPA;
	}
	if (LIKELY(tp->t_rcv_sack == NULL && !(tp->t_flags & TF_ECN_PERMIT)) || (s->flags & TH_RST))
		return at;
	blocks = has_sacks(tp) ? tcp_sacks_to_tell(tp) : 0;
	if (tcp_accecn_of(tp) != NULL)
		counters = tcp_accecn_room(tp, at, &blocks, s->len);
	if (blocks > (TCP_MAXOLEN - 4 - at) / TCPOLEN_SACK)
		blocks = (unsigned)(TCP_MAXOLEN - 4 - at) / TCPOLEN_SACK;
	if (blocks != 0)
		at = sack_options(s, at, blocks);
	if (counters != 0)
		at += tcp_accecn_put(tp, (uint8_t *)s->opt + at, counters);
	return at;
}

/* ---- to IP -------------------------------------------------------------------------------- */

static inline void
write_tcp(const struct segment *s, struct tcphdr *th)
{
	const struct tcpcb *tp = s->tp;
	const struct inpcb *inp = tp->t_inpcb;

	th->th_sport = inp->inp_lport;
	th->th_dport = inp->inp_fport;
	th->th_seq = htonl(s->seq);
	th->th_ack = s->flags & TH_ACK ? htonl(tp->rcv_nxt) : 0;
	th->th_x2 = s->flags >> 8 & 1;
	th->th_off = ((unsigned)(TCP_HLEN + s->optlen) >> 2) & 0xf;
	th->th_flags = (uint8_t)s->flags;
	th->th_win = htons(s->win);
	th->th_urp = htons(s->urp);
	memcpy(th + 1, s->opt, s->optlen);
}

static inline void
mark_large(const struct segment *s, struct mbuf *m, uint32_t how)
{
	if (LIKELY(!s->large))
		return;
	m->m_pkthdr.csum_flags |= how;
	m->m_pkthdr.tso_segsz = s->tp->t_maxseg;
}

static inline struct ip_sender
sender_of(struct inpcb *inp)
{
	struct ip_sender sender = {
		.route = &inp->inp_route, .bound = inp->inp_boundif
	};

	if (UNLIKELY(inp->inp_fzone != 0))
		sender.bound = dlil_find_by_index(inp->inp_info->machine, inp->inp_fzone);
	if (UNLIKELY(inp->inp_socket->so_options & SO_DONTROUTE))
		sender.flags |= IP_OUT_DONTROUTE;
	return sender;
}

/*
 * Without discovery; and when segments are as small as they get: what is narrower still (RFC 791: 68 octets)
 * takes them in pieces. RFC 1191 section 3 lets a host stop discovering like this.
 */
static inline bool
may_be_cut(const struct segment *s)
{
	const struct tcp_config *c = &s->machine->tcp->config;
	uint32_t timestamp = s->tp->t_flags & TF_RCVD_TSTMP ? TCPOLEN_TSTAMP_APPA : 0;

	return !c->path_mtu_discovery || (s->tp->t_flags & TF_BLACKHOLE) ||
	    s->tp->t_maxseg + timestamp <= (uint32_t)c->minmss;
}

static inline errno_t
send4(const struct segment *s, struct mbuf *m)
{
	struct inpcb *inp = s->tp->t_inpcb;
	struct ip_sender sender = sender_of(inp);
	uint32_t len = (uint32_t)m->m_pkthdr.len - (uint32_t)sizeof(struct ip);
	struct tcp_sum sum = tcp_sum4;
	struct ip *ip = mtod(m, struct ip *);
	struct tcphdr *th = (struct tcphdr *)(void *)(ip + 1);

	sender.options = inp->inp_options;
	sender.options_len = inp->inp_options_len;
	memset(ip, 0, sizeof *ip);
	*(uint8_t *)ip = IP_VHL_BORING;
	ip->ip_tos = (u_char)((inp->inp_tos & ~IPTOS_ECN_MASK) | s->tos);
	ip->ip_len = htons((uint16_t)m->m_pkthdr.len);
	ip->ip_off = may_be_cut(s) ? 0 : htons(IP_DF);
	ip->ip_ttl = inp->inp_ttl;
	ip->ip_p = IPPROTO_TCP;
	ip->ip_src.s_addr = inp->inp_laddr;
	ip->ip_dst.s_addr = inp->inp_faddr;
	write_tcp(s, th);
	mark_large(s, m, CSUM_TSO4);
	sum.pseudo = in_pseudo(ip->ip_src, ip->ip_dst, IPPROTO_TCP, len);
	sum.settled = inp->inp_options_len == 0;
	tcp_add_sum(s->machine, inp->inp_route.ro_rt, m, th, len, &sum);
	return ip_send(s->machine, m, &sender);
}

static inline errno_t
send6(const struct segment *s, struct mbuf *m)
{
	struct inpcb *inp = s->tp->t_inpcb;
	struct ip_sender sender = sender_of(inp);
	uint32_t len = (uint32_t)m->m_pkthdr.len - (uint32_t)sizeof(struct ip6_hdr);
	uint32_t tclass = (uint32_t)((inp->inp_tclass & ~IPTOS_ECN_MASK) | s->tos);
	struct tcp_sum sum = tcp_sum6;
	struct ip6_options headers;
	struct ip6_hdr *ip6 = mtod(m, struct ip6_hdr *);
	struct tcphdr *th = (struct tcphdr *)(void *)(ip6 + 1);
	const struct in6_pktopts *sticky = inp->inp_options6;

	if (UNLIKELY(sticky != NULL)) {
		headers = (struct ip6_options){sticky->hop, sticky->dst1, sticky->routing, sticky->dst2};
		sender.options6 = &headers;
		if (sender.bound == NULL)
			sender.bound = sticky->ifp;
	}
	ip6->ip6_flow = htonl(UINT32_C(6) << 28 | tclass << 20) | inp->inp_flowlabel;
	ip6->ip6_plen = htons((uint16_t)len);
	ip6->ip6_nxt = IPPROTO_TCP;
	ip6->ip6_hlim = (u_int8_t)(inp->inp_hops < 0 ? 0 : inp->inp_hops);	/* 0: IP's default */
	ip6->ip6_src = inp->inp_laddr6;
	ip6->ip6_dst = inp->inp_faddr6;
	write_tcp(s, th);
	mark_large(s, m, CSUM_TSO6);
	sum.pseudo = in6_pseudo(&inp->inp_laddr6, &inp->inp_faddr6, IPPROTO_TCP, len);
	sum.settled = sender.options6 == NULL;
	tcp_add_sum(s->machine, inp->inp_route.ro_rt, m, th, len, &sum);
	return ip6_send(s->machine, m, &sender);
}

/* ---- the connection ----------------------------------------------------------------------- */

static inline uint16_t
window_field(struct tcpcb *tp, uint16_t flags)
{
	uint32_t win, scale = tp->rcv_scale;

	/* RFC 7323 2.2: a SYN's is not scaled. */
	if (UNLIKELY(flags & TH_SYN)) {
		win = sbspace(&tptosocket(tp)->so_rcv);
		return (uint16_t)(win < TCP_MAXWIN ? win : TCP_MAXWIN);
	}
	/* Rounded up: what was told does not shrink by being told in larger units. */
	win = (tcp_receive_window(tp) + (1u << scale) - 1) >> scale;
	return (uint16_t)(win < TCP_MAXWIN ? win : TCP_MAXWIN);
}

/* What the peer is told with it: acknowledgement and window. */
static inline void
was_told(struct tcpcb *tp, const struct segment *s)
{
	uint32_t win = s->flags & TH_SYN ? s->win : (uint32_t)s->win << tp->rcv_scale;

	if (win != 0 && SEQ_GT(tp->rcv_nxt + win, tp->rcv_adv))
		tp->rcv_adv = tp->rcv_nxt + win;
	if (!(s->flags & TH_ACK))
		return;
	tp->last_ack_sent = tp->rcv_nxt;
	tp->t_flags &= ~(uint32_t)(TF_ACKNOW | TF_DELACK);
	tp->t_timers[TT_DELACK] = 0;
	tp->t_acks_owed = 0;
}

static void
count_rexmit(struct tcpcb *tp, const struct segment *s)
{
	struct tcpstat *st = &s->machine->tcp->stat;

	st->tcps_sndrexmitpack++;
	st->tcps_sndrexmitbyte += s->len;
	tp->t_rexmitpackets++;
	tp->t_rexmitbytes += s->len;
	TRACE(s->machine, TCP_REXMIT, NULL, s->seq, s->len);
}

static void
count_empty(const struct tcpcb *tp, const struct segment *s)
{
	struct tcpstat *st = &s->machine->tcp->stat;

	if (s->flags & (TH_SYN | TH_FIN | TH_RST))
		st->tcps_sndctrl++;
	else if (s->flags & TH_URG)
		st->tcps_sndurg++;
	else if (tp->t_flags & (TF_ACKNOW | TF_DELACK))
		st->tcps_sndacks++;
	else
		st->tcps_sndwinup++;
}

static inline void
count(struct tcpcb *tp, const struct segment *s, const struct tcp_out *out)
{
	struct tcpstat *st = &s->machine->tcp->stat;

	st->tcps_sndtotal++;
	tp->t_txpackets++;
	tp->t_txbytes += s->len;
	if (UNLIKELY(out->rexmit)) {
		count_rexmit(tp, s);
	} else if (UNLIKELY(out->probe)) {
		st->tcps_sndprobe += s->len != 0;	/* keepalives: tcps_keepprobe */
	} else if (LIKELY(s->len != 0)) {
		st->tcps_sndpack++;
		st->tcps_sndbyte += s->len;
	} else {
		count_empty(tp, s);
	}
}

/* A SYN with data (RFC 7413) is two entries: what is sent again if it got lost is the SYN alone. */
static struct tcp_sent *
add_syn_with_data(struct tcpcb *tp, const struct segment *s)
{
	if (tcp_sent_add(tp, s->seq, s->seq + 1, SENT_SYN) == NULL)
		return NULL;
	tp->snd_nxt = s->seq + 1;
	tcp_statistics(s->machine)->tcps_tfo_syn_data_sent++;
	return tcp_sent_add(tp, s->seq + 1, s->seq + 1 + s->len, SENT_PUSH);
}

/* It is in flight from now on. False: no memory. */
static inline bool
enter(struct tcpcb *tp, const struct segment *s, const struct tcp_out *out)
{
	tcp_seq end = s->seq + s->len + ((s->flags & TH_SYN) != 0) + ((s->flags & TH_FIN) != 0);
	uint8_t flags = 0;

	if (UNLIKELY(out->rexmit)) {
		tcp_sent_again(tp, out->entry);
	} else {
		if (s->flags & TH_PUSH)
			flags |= SENT_PUSH;
		if (UNLIKELY(s->flags & TH_SYN))
			flags |= SENT_SYN;
		if (UNLIKELY(s->flags & TH_FIN))
			flags |= SENT_FIN;
		if (s->tos != 0)
			flags |= SENT_ECT;
		if (UNLIKELY((s->flags & TH_SYN) && s->len != 0)) {
			if (add_syn_with_data(tp, s) == NULL)
				return false;
		} else if (tcp_sent_add(tp, s->seq, end, flags) == NULL) {
			return false;
		}
		tp->snd_nxt = end;
		tp->t_probed = false;
		if (UNLIKELY(s->flags & TH_FIN))
			tp->t_flags |= TF_SENTFIN;
	}
	tcp_recovery_sent(tp, s->len);
	tp->t_sndtime = s->now;
	if (UNLIKELY(tcp_timer_armed(tp, TT_PERSIST))) {
		tp->t_timers[TT_PERSIST] = 0;
		tp->t_rxtshift = 0;
	}
	if (UNLIKELY(!tcp_timer_armed(tp, TT_REXMT)))
		tcp_set_rexmt(tp);
	return true;
}

static inline void
add_urgent(const struct tcpcb *tp, struct segment *s)
{
	uint32_t ahead = tp->snd_up - s->seq;

	if (LIKELY(SEQ_LEQ(tp->snd_up, s->seq)) || SEQ_LEQ(tp->snd_up, tp->snd_una) ||
	    (s->flags & (TH_SYN | TH_RST)))
		return;
	s->flags |= TH_URG;
	s->urp = (uint16_t)(ahead < 0xffff ? ahead : 0xffff);
}

/* An acknowledgement with the FIN that is in flight. */
static inline bool
fin_again(const struct tcpcb *tp, const struct tcp_out *out)
{
	return UNLIKELY(tp->t_flags & TF_SENTFIN) && !out->rexmit && out->len == 0;
}

errno_t
tcp_send_segment(struct tcpcb *tp, const struct tcp_out *out)
{
	struct nke *machine = tptomachine(tp);
	bool v4 = tp->t_inpcb->inp_vflag == INP_IPV4;
	struct segment s;
	struct mbuf *m;

	s.tp = tp;
	s.machine = machine;
	s.now = machine_now(machine);
	s.seq = out->seq;
	s.len = out->len;
	s.flags = out->flags;
	s.tos = out->tos;
	s.urp = 0;
	s.iphlen = v4 ? sizeof(struct ip) : sizeof(struct ip6_hdr);
	s.large = out->len > tp->t_maxseg && !(out->flags & TH_SYN);
	s.optlen = make_options(&s);
	s.win = window_field(tp, s.flags);
	add_urgent(tp, &s);
	if (UNLIKELY(tp->t_flags & TF_ECN_PERMIT))
		s.tos |= tcp_ecn_output(tp, &s.flags, s.len, out->rexmit || out->probe);
	m = make_packet(&s, out->rexmit || out->probe);
	if (m == NULL)
		return ENOBUFS;
	if (!out->probe && (s.len != 0 || (s.flags & (TH_SYN | TH_FIN))) && !fin_again(tp, out) &&
	    !enter(tp, &s, out)) {
		m_freem(m);
		return ENOBUFS;
	}
	count(tp, &s, out);
	was_told(tp, &s);
	if (UNLIKELY(tptosocket(tp)->so_traffic_class != 0))
		m->m_pkthdr.traffic_class = tptosocket(tp)->so_traffic_class;
	TRACE(machine, TCP_OUTPUT, m, s.flags, s.len);
	return v4 ? send4(&s, m) : send6(&s, m);
}

/* ---- probes ------------------------------------------------------------------------------- */

/*
 * A probe of a closed window is the next octet (RFC 9293 3.8.6.1). It is not in flight: the peer need not
 * take it. Should it do so, tcp_probe_acked() makes it one that was sent.
 */
errno_t
tcp_send_probe(struct tcpcb *tp, bool keepalive)
{
	struct tcp_out out = {.seq = tp->snd_una - 1, .flags = TH_ACK, .probe = true};
	uint32_t queued = tptosocket(tp)->so_snd.sb_cc - (tp->snd_nxt - first_octet(tp));
	uint32_t window = SEQ_GT(tp->snd_una + tp->snd_wnd, tp->snd_nxt) ?
	    tp->snd_una + tp->snd_wnd - tp->snd_nxt : 0;

	if (keepalive || (tp->t_flags & TF_SENTFIN) || (queued == 0 && !tcp_fin_due(tp)) ||
	    (window == 0 && queued != 0 && tptomachine(tp)->tcp->config.persist_empty))
		return tcp_send_segment(tp, &out);
	out.seq = tp->snd_nxt;
	/* There was no memory for it when it was due, and nothing else that would have had it sent. */
	if (queued == 0) {
		out.flags |= TH_FIN;
		out.probe = false;
		return tcp_send_segment(tp, &out);
	}
	if (window == 0) {
		out.len = 1;
		tp->t_probed = true;
		return tcp_send_segment(tp, &out);
	}
	/* Little room, for long: RFC 1122 4.2.3.4, the sender's override. */
	out.len = queued < window ? queued : window;
	if (out.len > tp->t_maxseg)
		out.len = tp->t_maxseg;
	if (out.len == queued)
		out.flags |= TH_PUSH;
	out.probe = false;
	return tcp_send_segment(tp, &out);
}

bool
tcp_probe_acked(struct tcpcb *tp, tcp_seq ack)
{
	struct tcp_sent *e;

	if (!tp->t_probed || ack != tp->snd_nxt + 1 || (tp->t_flags & TF_SENTFIN))
		return false;
	e = tcp_sent_add(tp, tp->snd_nxt, tp->snd_nxt + 1, 0);
	if (e == NULL)
		return false;
	/* When it went, nobody knows: no round trip time from it. */
	e->flags |= SENT_REXMIT;
	tp->snd_nxt++;
	tp->t_probed = false;
	tcp_statistics(tptomachine(tp))->tcps_sndpack++;
	tcp_statistics(tptomachine(tp))->tcps_sndbyte++;
	return true;
}
