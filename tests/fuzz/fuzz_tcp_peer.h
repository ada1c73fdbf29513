/*
 * The peer of fuzz_tcp_core.c: segments as its input asks for, and what there is to be said of every
 * segment that the machine sends.
 */
#ifndef NKE_TESTS_FUZZ_TCP_PEER_H
#define NKE_TESTS_FUZZ_TCP_PEER_H

#include "tests/unit/tcp_testing.h"

#define ENDS		6u		/* peer's ports: the first half connects, the others are called */

/* What connections are like: the input's second octet. */
#define WITH_V6		0x01
#define WITH_TS		0x02
#define WITH_SACK	0x04
#define WITH_SCALE	0x08
#define WITH_DATA	0x10		/* data are under way, both ways, and out of order */
#define WITH_ECN	0x20
#define WITH_INLINE	0x40		/* urgent data stay where they are */
#define WITH_CLOSE	0x80		/* the user closes instead of shutting one direction */

/* One of the peer's ports: what it knows. */
struct end {
	uint16_t port, our_port;
	tcp_seq iss;			/* ours, from the last SYN that went */
	tcp_seq peer_iss;
	tcp_seq una, nxt, rcv, right, last_ack;	/* the machine's, as long as there is a connection */
	uint32_t ts_recent, ts_echo;
	uint16_t syn;			/* flags of the last SYN that went, not answered yet */
};

static struct end ends[ENDS];
static unsigned now_end;
static uint8_t with;
static bool urgent;
static errno_t refusal;			/* what the driver says; 0: it takes everything */
static unsigned failing;		/* which allocation fails from the next step on; 0: none */
static const uint8_t *at, *stop;

static uint8_t
u8(void)
{
	return at < stop ? *at++ : 0;
}

static uint16_t
u16(void)
{
	uint16_t low = u8();

	return (uint16_t)(low | u8() << 8);
}

static uint8_t
our_octet(uint32_t place)
{
	return (uint8_t)(place * 167 + (place >> 8) * 13 + 5);
}

static uint8_t
peer_octet(tcp_seq seq)
{
	return (uint8_t)(seq * 29 + (seq >> 7) * 3 + 1);
}

/* ---- what the machine sends --------------------------------------------------------------- */

static struct end *
end_of_port(uint16_t port)
{
	for (unsigned i = 0; i < ENDS; i++)
		if (ends[i].port == port)
			return &ends[i];
	return NULL;
}

static void
check_data(const struct mbuf *m, size_t off, uint32_t len, uint32_t place)
{
	uint8_t octets[256];

	for (uint32_t i = 0; i < len; i++) {
		if (i % sizeof octets == 0)
			CHECK_EQ(m_copydata(m, off + i, len - i < sizeof octets ? len - i : sizeof octets,
			    octets), 0);
		CHECK_EQ(octets[i % sizeof octets], our_octet(place + i));
	}
}

/* Every option is one that is known, and whole. */
static void
check_options(const struct mbuf *m, size_t off, unsigned len)
{
	uint8_t o[40];

	CHECK(len <= sizeof o);
	CHECK_EQ(m_copydata(m, off, len, o), 0);
	for (unsigned i = 0; i < len; i += o[i + 1]) {
		while (i < len && o[i] == TCPOPT_NOP)
			i++;
		if (i == len || o[i] == TCPOPT_EOL)
			return;
		CHECK(i + 1 < len && o[i + 1] >= 2 && i + o[i + 1] <= len);
	}
}

static void
check_segment(const struct mbuf *m, size_t off, const struct tcphdr *th)
{
	size_t hlen = (size_t)th->th_off * 4;
	uint32_t len = (uint32_t)((size_t)m->m_pkthdr.len - off - hlen);
	tcp_seq seq = ntohl(th->th_seq);
	struct end *e = end_of_port(ntohs(th->th_dport));

	CHECK(hlen >= sizeof *th && off + hlen <= (size_t)m->m_pkthdr.len);
	CHECK(!(th->th_flags & TH_SYN) || !(th->th_flags & (TH_FIN | TH_RST)));
	CHECK((th->th_flags & (TH_SYN | TH_RST | TH_ACK)) != 0);
	check_options(m, off + sizeof *th, (unsigned)(hlen - sizeof *th));
	if (e == NULL)
		return;
	if (th->th_flags & TH_SYN) {
		e->iss = seq;
		e->syn = th->th_flags;
		e->our_port = ntohs(th->th_sport);
		e->nxt = seq + 1 + len;
		e->una = seq;
		if (th->th_flags & TH_ACK)
			e->rcv = ntohl(th->th_ack);
		check_data(m, off + hlen, len, 0);
	} else if (len != 0 && e->our_port == ntohs(th->th_sport) && SEQ_GT(seq, e->iss)) {
		check_data(m, off + hlen, len, seq - e->iss - 1);
	}
}

static errno_t
take(ifnet_t ifp, mbuf_t m)
{
	bool v6 = (uint8_t)m->m_data[0] >> 4 == 6;
	size_t off = v6 ? sizeof(struct ip6_hdr) : (size_t)(m->m_data[0] & 15) * 4;
	const struct ip *ip = mtod(m, const struct ip *);
	struct tcphdr th;
	struct in6_addr addrs[2];
	uint32_t len = (uint32_t)((size_t)m->m_pkthdr.len - off), pseudo;

	(void)ifp;
	CHECK(m->m_pkthdr.len <= 1500);
	CHECK_EQ(m_length(m), m->m_pkthdr.len);
	/* IP may have cut it, when black holes are looked for. */
	if (m->m_data[v6 ? 6 : 9] == IPPROTO_TCP && (v6 || !(ip->ip_off & htons(IP_MF | IP_OFFMASK)))) {
		memcpy(addrs, m->m_data + 8, v6 ? sizeof addrs : 0);
		pseudo = v6 ? in6_pseudo(&addrs[0], &addrs[1], IPPROTO_TCP, len) :
		    in_pseudo(ip->ip_src, ip->ip_dst, IPPROTO_TCP, len);
		CHECK_EQ(m_copydata(m, off, sizeof th, &th), 0);
		CHECK_EQ(in_cksum_sum(m, off, len, pseudo), 0xffff);
		check_segment(m, off, &th);
	}
	m_freem(m);
	return refusal;
}

/* ---- what the peer sends ------------------------------------------------------------------ */

static struct tcpcb *
connection(const struct end *e)
{
	struct inpcb *inp;

	TAILQ_FOREACH(inp, &curmachine()->tcp->pcbs.list, inp_list)
		if (inp->inp_fport == htons(e->port) && inp->inp_lport == htons(e->our_port))
			return intotcpcb(inp);
	return NULL;
}

/* Looks at where the machine is now. */
static void
look(struct end *e)
{
	const struct tcpcb *tp = connection(e);

	if (tp == NULL)
		return;
	e->una = tp->snd_una;
	e->nxt = tp->snd_nxt;
	if (tp->t_state >= TCPS_SYN_RECEIVED) {
		e->rcv = tp->rcv_nxt;
		e->right = tp->rcv_adv;
		e->last_ack = tp->last_ack_sent;
		e->ts_recent = tp->ts_recent;
	}
	e->ts_echo = tcp_ts_now(curmachine()) + tp->ts_offset;
}

static void
begin_failing(void)
{
	if (failing != 0)
		fail_after(failing);
	failing = 0;
}

static void
end_failing(void)
{
	let_run();
	fail_after(0);
}

/* Options of s.to unless there are s.optlen octets already; `len` octets of data. */
static void
emit(struct tseg s, uint32_t len)
{
	struct in6_addr src = THERE6, dst = HERE6;
	bool v6 = with & WITH_V6;
	size_t hlen = v6 ? sizeof(struct ip6_hdr) : sizeof(struct ip), n;
	struct tcphdr *th;
	struct mbuf *m;
	uint8_t *data;

	if (s.optlen == 0 && s.to.to_flags != 0)
		s.optlen = tcp_addoptions(&s.to, s.options);
	n = sizeof *th + s.optlen + len;
	if (v6) {
		struct spec6 spec = {.src = &src, .dst = &dst, .next = IPPROTO_TCP, .len = n, .ecn = s.tos};

		m = make6(&spec);
	} else {
		struct spec4 spec = {.src = THERE4, .protocol = IPPROTO_TCP, .len = n, .tos = s.tos};

		m = make4(&spec);
	}
	CHECK((size_t)m->m_len == hlen + n);
	th = (struct tcphdr *)(void *)(m->m_data + hlen);
	write_tcp_header(th, &s, s.optlen);
	memcpy(th + 1, s.options, s.optlen);
	data = (uint8_t *)(th + 1) + s.optlen;
	for (uint32_t i = 0; i < len; i++)
		data[i] = peer_octet(s.seq + i + ((s.flags & S) != 0));
	th->th_sum = (uint16_t)~in_cksum_sum(m, hlen, n, v6 ?
	    in6_pseudo(&src, &dst, IPPROTO_TCP, (uint32_t)n) :
	    in_pseudo((struct in_addr){THERE4}, (struct in_addr){HERE4}, IPPROTO_TCP, (uint32_t)n));
	begin_failing();
	if (v6)
		ip6_input(curmachine(), m);
	else
		ip_input(curmachine(), m);
	end_failing();
}

/* A segment of an honest peer at `e`. */
static struct tseg
honest(struct end *e, uint16_t flags)
{
	struct tseg s = {.v6 = with & WITH_V6, .peer_port = e->port, .flags = flags, .win = 65535};
	const struct tcpcb *tp;

	look(e);
	tp = connection(e);
	s.our_port = e->our_port;
	s.seq = e->rcv;
	s.ack = e->nxt;
	if (tp != NULL ? (tp->t_flags & TF_RCVD_TSTMP) != 0 : (with & WITH_TS) != 0)
		s.to = (struct tcpopt){
			.to_flags = TOF_TS, .to_tsval = e->ts_recent + 1, .to_tsecr = e->ts_echo
		};
	return s;
}

static void
syn_options(struct tseg *s)
{
	s->to = (struct tcpopt){.to_flags = TOF_MSS, .to_mss = 1000, .to_wscale = 7, .to_tsval = 1};
	if (with & WITH_TS)
		s->to.to_flags |= TOF_TS;
	if (with & WITH_SACK)
		s->to.to_flags |= TOF_SACKPERM;
	if (with & WITH_SCALE)
		s->to.to_flags |= TOF_SCALE;
	if ((with & WITH_ECN) && tconfig()->ecn_enable >= 3)
		s->flags |= s->flags & A ? TH_CWR : TH_ACE;
	else if (with & WITH_ECN)
		s->flags |= s->flags & A ? TH_ECE : TH_ECE | TH_CWR;
}

static void
peer_connects(struct end *e, tcp_seq iss)
{
	struct tseg s = {.peer_port = e->port, .flags = S, .seq = iss, .win = 65535};

	e->peer_iss = iss;
	e->ts_recent = 1;
	syn_options(&s);
	emit(s, 0);
}

/* An answer to the last SYN, but for its numbers. False: there is none, or it has been answered. */
static bool
answer_to_syn(struct end *e, struct tseg *s)
{
	*s = honest(e, A);
	if (!(e->syn & S))
		return false;
	s->ack = e->iss + 1;
	if (!(e->syn & A)) {
		s->flags = S | A;
		s->seq = e->peer_iss = 5000;
		e->ts_recent = 1;
		syn_options(s);
		s->to.to_tsecr = e->ts_echo;
	}
	e->syn = 0;
	return true;
}

/* To the last SYN: SYN-ACK, the last ACK of a handshake, or (`crossing`) a SYN. */
static void
peer_answers(struct end *e, bool crossing)
{
	struct tseg s;

	if (!answer_to_syn(e, &s))
		return;
	if (crossing && s.flags == (S | A))
		s.flags = S;
	emit(s, 0);
}

/* ---- Fast Open ---------------------------------------------------------------------------- */

/* A SYN that asks for a cookie (`len` 0), or brings one, and as many octets of data. */
static void
peer_connects_fast(struct end *e, tcp_seq iss, bool asks, bool right, uint32_t len)
{
	struct tseg s = {.peer_port = e->port, .flags = S, .seq = iss, .win = 65535};
	struct in_ends ends_of = {.vflag = with & WITH_V6 ? INP_IPV6 : INP_IPV4};

	ends_of.faddr = with & WITH_V6 ? THERE6 : in6_from4(THERE4);
	ends_of.laddr = with & WITH_V6 ? HERE6 : in6_from4(HERE4);
	e->peer_iss = iss;
	e->ts_recent = 1;
	syn_options(&s);
	tcp_fastopen_make_cookie(curmachine(), &ends_of, s.cookie);
	s.cookie[3] ^= !right;
	s.to.to_flags |= TOF_FASTOPEN;
	s.to.to_tfo_cookie = s.cookie;
	s.to.to_tfo_len = asks ? 0 : 8;
	emit(s, len);
}

/* A SYN-ACK with a cookie for next time, that takes `part` of 255 of the data that the SYN brought. */
static void
peer_answers_fast(struct end *e, uint8_t part)
{
	static const uint8_t cookie[8] = {1, 2, 3};
	uint32_t brought = e->nxt - e->iss - 1;
	struct tseg s;

	if (!answer_to_syn(e, &s))
		return;
	s.ack += (uint32_t)((uint64_t)brought * part / 255);
	if (s.flags & S) {
		s.to.to_flags |= TOF_FASTOPEN;
		s.to.to_tfo_cookie = cookie;
		s.to.to_tfo_len = sizeof cookie;
	}
	emit(s, 0);
}

/* ---- anything ----------------------------------------------------------------------------- */

static tcp_seq
number(const struct end *e, uint8_t kind, int16_t off)
{
	switch (kind & 7) {
	case 0:
		return e->rcv + (tcp_seq)off;
	case 1:
		return e->right + (tcp_seq)off;
	case 2:
		return e->last_ack + (tcp_seq)off;
	case 3:
		return e->una + (tcp_seq)off;
	case 4:
		return e->nxt + (tcp_seq)off;
	case 5:
		return e->iss + (tcp_seq)off;
	case 6:
		return e->rcv + 0x80000000u + (tcp_seq)off;
	default:
		return (tcp_seq)off << 16;
	}
}

/* Both families' error: the first 8 octets of the segment after the IP header that ICMP quotes. */
static void
quote(const struct end *e, uint8_t *to, tcp_seq seq)
{
	const uint16_t words[] = {
		htons(e->our_port), htons(e->port), htons((uint16_t)(seq >> 16)), htons((uint16_t)seq)
	};

	memcpy(to, words, sizeof words);
}

static struct mbuf *
make_error4(const struct end *e, uint8_t code, uint16_t mtu, tcp_seq seq)
{
	struct spec4 spec = {.src = THERE4, .protocol = IPPROTO_ICMP, .len = 8 + sizeof(struct ip) + 8};
	struct mbuf *m = make4(&spec);
	uint8_t *icmp = (uint8_t *)m->m_data + sizeof(struct ip), *quoted = icmp + 8;
	const uint32_t from = HERE4, to = THERE4;
	uint16_t sum;

	memset(icmp, 0, spec.len);
	icmp[0] = 3;
	icmp[1] = code & 15;
	icmp[6] = (uint8_t)(mtu >> 8);
	icmp[7] = (uint8_t)mtu;
	quoted[0] = 0x45;
	quoted[2] = 4;
	quoted[8] = 60;
	quoted[9] = IPPROTO_TCP;
	memcpy(quoted + 12, &from, 4);
	memcpy(quoted + 16, &to, 4);
	quote(e, quoted + sizeof(struct ip), seq);
	sum = in_cksum_part(m, sizeof(struct ip), spec.len);
	memcpy(icmp + 2, &sum, 2);
	return m;
}

/* RFC 4443 3: types 1 to 4. */
static struct mbuf *
make_error6(const struct end *e, uint8_t kind, uint16_t mtu, tcp_seq seq)
{
	const struct in6_addr here = HERE6, there = THERE6;
	struct spec6 spec = {.next = IPPROTO_ICMPV6, .len = 8 + sizeof(struct ip6_hdr) + 8};
	struct mbuf *m = make6(&spec);
	uint8_t *icmp = (uint8_t *)m->m_data + sizeof(struct ip6_hdr), *quoted = icmp + 8;
	uint16_t sum;

	memset(icmp, 0, spec.len);
	icmp[0] = (kind & 3) + 1;
	icmp[1] = kind >> 2 & 3;
	icmp[6] = (uint8_t)(mtu >> 8);
	icmp[7] = (uint8_t)mtu;
	quoted[0] = 0x60;
	quoted[4] = 4;
	quoted[6] = IPPROTO_TCP;
	quoted[7] = 60;
	memcpy(quoted + 8, &here, 16);
	memcpy(quoted + 24, &there, 16);
	quote(e, quoted + sizeof(struct ip6_hdr), seq);
	sum = (uint16_t)~in_cksum_sum(m, sizeof(struct ip6_hdr), spec.len,
	    in6_pseudo(&there, &here, IPPROTO_ICMPV6, (uint32_t)spec.len));
	memcpy(icmp + 2, &sum, 2);
	return m;
}

/*
 * A router, or the peer's host, complains of a segment at `seq`. What it quotes must be in flight, or it is
 * not heard (RFC 5927 4.1); no error ends a connection that is established (RFC 1122 4.2.3.9).
 */
static void
emit_error(const struct end *e, uint8_t kind, uint16_t mtu, tcp_seq seq)
{
	const struct tcpcb *tp = connection(e);
	struct mbuf *m = with & WITH_V6 ? make_error6(e, kind, mtu, seq) : make_error4(e, kind, mtu, seq);
	struct tcpcb before = {0};

	if (tp != NULL)
		before = *tp;
	begin_failing();
	if (with & WITH_V6)
		ip6_input(curmachine(), m);
	else
		ip_input(curmachine(), m);
	end_failing();
	if (tp == NULL)
		return;
	if (TCPS_HAVEESTABLISHED(before.t_state))
		CHECK(connection(e) == tp && tp->t_state == before.t_state);
	if (SEQ_LT(seq, before.snd_una) || SEQ_GEQ(seq, before.snd_nxt))
		CHECK(connection(e) == tp && tp->t_maxseg == before.t_maxseg &&
		    tp->t_softerror == before.t_softerror);
}

static void
step_options(struct tseg *s, const struct end *e)
{
	static uint8_t sacks[32];
	uint8_t what = u8();

	if (what & 1) {
		s->to.to_flags ^= TOF_TS;
		s->to.to_tsval = e->ts_recent + (uint32_t)(int8_t)u8() * (what & 2 ? 1 : 0x1000000);
		s->to.to_tsecr = e->ts_echo - u8();
	}
	if (what & 4) {
		s->to.to_flags |= TOF_SACK;
		s->to.to_nsacks = 1 + (what >> 3 & 3);
		for (unsigned i = 0; i < s->to.to_nsacks * 2u; i++) {
			uint32_t n = htonl(e->una + (uint32_t)(int16_t)u16());

			memcpy(sacks + i * 4, &n, 4);
		}
		s->to.to_sacks = sacks;
	}
	if (what & 0x20) {
		s->to.to_flags |= TOF_MSS | (what & 0x40 ? TOF_SCALE : 0) | (what & 2 ? TOF_SACKPERM : 0);
		s->to.to_mss = u16();
		s->to.to_wscale = u8();
	}
	if (what & 0x80) {
		s->optlen = u8() % 41 & ~3u;
		for (unsigned i = 0; i < s->optlen; i++)
			s->options[i] = u8();
	}
}

static void
step_segment(void)
{
	struct end *e = &ends[now_end];
	struct tseg s = honest(e, u8());
	uint8_t kinds = u8(), extra;
	uint32_t len;

	s.seq = number(e, kinds, (int16_t)u16());
	s.ack = number(e, (kinds >> 4) ^ 4, (int16_t)u16());
	s.win = u16();
	len = u8() * 11u;
	extra = u8();
	s.tos = extra & 3;
	if (extra & 0x10)
		s.flags |= TH_AE;
	if (extra & 4)
		s.urp = (uint16_t)(len + 2 - u8());
	if (extra & 8)
		step_options(&s, e);
	if (len > 1400 - s.optlen)
		len = 1400 - s.optlen;
	if (s.flags & TH_URG)
		urgent = true;
	emit(s, len);
}

#endif
