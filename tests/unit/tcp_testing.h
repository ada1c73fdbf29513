/*
 * What the tests of TCP share: a peer that is nothing but segments, and sockets in short.
 *
 *	[ peer 10.0.0.2, 2001:db8::2 ]----- en7 10.0.0.1/24, 2001:db8::1/64 [ machine ]
 *
 * come() makes a segment of the peer's arrive; what the machine sends is taken one by one by went().
 */
#ifndef NKE_TESTS_TCP_TESTING_H
#define NKE_TESTS_TCP_TESTING_H

#include "src/kern/socket_private.h"
#include "src/netinet/tcp_ecn.h"
#include "tests/unit/inet_testing.h"

#define PEER_PORT	4000
#define OUR_PORT	80
#define S		TH_SYN
#define A		TH_ACK
#define F		TH_FIN
#define R		TH_RST
#define P		TH_PUSH

/* A segment, all in host order. */
struct tseg {
	bool v6;
	uint32_t from4;			/* the peer's address; 0: THERE4 */
	uint16_t peer_port, our_port;	/* 0: PEER_PORT, OUR_PORT */
	tcp_seq seq, ack;
	uint16_t flags;
	uint16_t win, urp;
	uint8_t tos;
	uint8_t ttl;
	struct tcpopt to;
	uint8_t options[40];
	unsigned optlen;
	uint8_t cookie[TCP_FASTOPEN_MAX_COOKIE];
	const char *data;		/* come() */
	char text[64];			/* went(): the first octets */
	uint32_t len;			/* went(): of data */
};

static unsigned taken;			/* of `sent` */
static unsigned come_fails;		/* the n-th allocation while a segment comes in fails; 0 none */

/* To be called first in every test; testbed_end() last. */
static inline void
tcp_testbed(void)
{
	inet_testbed();
	taken = come_fails = 0;
}

static inline struct tcpstat *
tst(void)
{
	return tcp_statistics(curmachine());
}

static inline struct tcp_config *
tconfig(void)
{
	return &curmachine()->tcp->config;
}

/* ---- segments ----------------------------------------------------------------------------- */

static inline void
write_tcp_header(struct tcphdr *th, const struct tseg *s, unsigned optlen)
{
	memset(th, 0, sizeof *th);
	th->th_sport = htons(s->peer_port != 0 ? s->peer_port : PEER_PORT);
	th->th_dport = htons(s->our_port != 0 ? s->our_port : OUR_PORT);
	th->th_seq = htonl(s->seq);
	th->th_ack = htonl(s->ack);
	th->th_off = ((unsigned)sizeof *th + optlen) / 4 & 15;
	th->th_flags = (uint8_t)s->flags;
	th->th_x2 = s->flags >> 8 & 1;	/* TH_AE */
	th->th_win = htons(s->win);
	th->th_urp = htons(s->urp);
}

/* Comes in; what it causes is not run yet. */
static inline void
come_now(const struct tseg *seg)
{
	struct tcpopt to = seg->to;
	uint8_t options[40];
	unsigned optlen = seg->optlen;
	size_t hlen = seg->v6 ? sizeof(struct ip6_hdr) : sizeof(struct ip), len, n;
	uint32_t from4 = seg->from4 != 0 ? seg->from4 : THERE4;
	struct in6_addr src = THERE6, dst = HERE6;
	struct tcphdr *th;
	struct mbuf *m;

	memcpy(options, seg->options, sizeof options);
	if (optlen == 0 && to.to_flags != 0)
		optlen = tcp_addoptions(&to, options);
	n = seg->data != NULL ? strlen(seg->data) : 0;
	len = sizeof *th + optlen + n;
	if (seg->v6) {
		struct spec6 s = {.src = &src, .dst = &dst, .next = IPPROTO_TCP, .len = len, .ecn = seg->tos};

		m = make6(&s);
	} else {
		struct spec4 s = {.src = from4, .protocol = IPPROTO_TCP, .len = len, .tos = seg->tos};

		m = make4(&s);
	}
	th = (struct tcphdr *)(void *)(m->m_data + hlen);
	write_tcp_header(th, seg, optlen);
	memcpy(th + 1, options, optlen);
	if (n != 0)
		memcpy((char *)(th + 1) + optlen, seg->data, n);
	th->th_sum = (uint16_t)~in_cksum_sum(m, hlen, len, seg->v6 ?
	    in6_pseudo(&src, &dst, IPPROTO_TCP, (uint32_t)len) :
	    in_pseudo((struct in_addr){from4}, (struct in_addr){HERE4}, IPPROTO_TCP, (uint32_t)len));
	if (come_fails != 0)
		fail_after(come_fails);
	if (seg->v6)
		ip6_input(curmachine(), m);
	else
		ip_input(curmachine(), m);
	if (come_fails != 0)
		fail_after(0);
}

static inline void
come(struct tseg seg)
{
	come_now(&seg);
	let_run();
}
#define COME(...)	come((struct tseg){__VA_ARGS__})

/* The next segment that went out; none: the test fails. */
static inline struct tseg
went(void)
{
	struct tseg s = {.flags = 0};
	const struct mbuf *m;
	struct tcphdr th;
	size_t off, hlen;
	uint8_t v;

	CHECK(taken < sent.count);
	m = sent.m[taken++];
	v = (uint8_t)m->m_data[0];
	s.v6 = v >> 4 == 6;
	off = s.v6 ? sizeof(struct ip6_hdr) : (size_t)(v & 15) * 4;
	s.tos = (uint8_t)m->m_data[1];
	if (s.v6)
		s.tos = (uint8_t)((v & 15) << 4 | s.tos >> 4);
	s.ttl = (uint8_t)m->m_data[s.v6 ? 7 : 8];
	CHECK_EQ(m->m_data[s.v6 ? 6 : 9], IPPROTO_TCP);
	CHECK_EQ(m_copydata(m, off, sizeof th, &th), 0);
	hlen = (size_t)th.th_off * 4;
	s.peer_port = ntohs(th.th_dport);
	s.our_port = ntohs(th.th_sport);
	s.seq = ntohl(th.th_seq);
	s.ack = ntohl(th.th_ack);
	s.flags = (uint16_t)(th.th_flags | (th.th_x2 & 1) << 8);
	s.win = ntohs(th.th_win);
	s.urp = ntohs(th.th_urp);
	s.optlen = (unsigned)(hlen - sizeof th);
	CHECK_EQ(m_copydata(m, off + sizeof th, s.optlen, s.options), 0);
	tcp_dooptions(&s.to, s.options, s.optlen, (s.flags & TH_SYN) != 0);
	if (s.to.to_tfo_len != 0)
		memcpy(s.cookie, s.to.to_tfo_cookie, s.to.to_tfo_len);
	s.to.to_tfo_cookie = s.cookie;
	s.len = (uint32_t)((size_t)m->m_pkthdr.len - off - hlen);
	CHECK_EQ(m_copydata(m, off + hlen, s.len < sizeof s.text ? s.len : sizeof s.text - 1, s.text), 0);
	return s;
}

/* How many segments nobody has looked at. */
static inline unsigned
waiting(void)
{
	return sent.count - taken;
}

/* They are not looked at. */
static inline void
nevermind(void)
{
	forget(&sent);
	taken = 0;
}

/* ---- sockets ------------------------------------------------------------------------------ */

static inline struct socket *
tcp_socket(int family)
{
	return make_socket(family, SOCK_STREAM, 0);
}

static inline struct socket *
listen4(uint16_t port, int backlog)
{
	struct socket *so = tcp_socket(PF_INET);

	CHECK_EQ(bind4(so, INADDR_ANY, port), 0);
	CHECK_EQ(solisten(so, backlog), 0);
	return so;
}

static inline struct socket *
listen6(uint16_t port, int backlog)
{
	struct socket *so = tcp_socket(PF_INET6);

	CHECK_EQ(bind6(so, ANY6, port), 0);
	CHECK_EQ(solisten(so, backlog), 0);
	return so;
}

/* A connection that is there to be accepted; NULL: none. */
static inline struct socket *
accepted(struct socket *listener)
{
	struct sockaddr_storage ss;
	struct socket *so;

	return soaccept(listener, MSG_DONTWAIT, &ss, &so) == 0 ? so : NULL;
}

/* A whole handshake without options; the peer's data begin at 1001, ours at the number returned. */
static inline tcp_seq
handshake(uint16_t peer_port)
{
	struct tseg s;

	COME(.peer_port = peer_port, .flags = S, .seq = 1000, .win = 65535);
	s = went();
	CHECK_EQ(s.flags, S | A);
	CHECK_EQ(s.ack, 1001);
	COME(.peer_port = peer_port, .flags = A, .seq = 1001, .ack = s.seq + 1, .win = 65535);
	return s.seq + 1;
}

#endif
