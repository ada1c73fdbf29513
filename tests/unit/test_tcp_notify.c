/* src/netinet/tcp_notify.c: ICMP errors about segments of TCP, of both families. */
#include "tests/unit/icmp_testing.h"
#include "tests/unit/tcp_testing.h"

/* A router quotes the last segment that was sent, with its sequence number off by so much. */
static void
quote4(uint8_t type, uint8_t code, uint32_t word, int32_t off)
{
	struct mbuf *m;
	struct tcphdr th;

	CHECK(sent.count != 0);
	m = m_copym(sent.m[sent.count - 1], 0, M_COPYALL, MBUF_DONTWAIT);
	CHECK(m != NULL);
	m_adj(m, -(int)(m->m_pkthdr.len - 28));
	CHECK_EQ(m_copydata(m, 20, 8, &th), 0);
	th.th_seq = htonl(ntohl(th.th_seq) + (uint32_t)off);
	CHECK_EQ(m_copyback(m, 20, 8, &th, MBUF_DONTWAIT), 0);
	ip_input(curmachine(), error4(m, type, code, word, IP4(10, 0, 0, 9)));
	let_run();
}

static void
quote6(uint8_t type, uint8_t code, uint32_t word)
{
	struct mbuf *m = m_copym(sent.m[sent.count - 1], 0, M_COPYALL, MBUF_DONTWAIT);

	CHECK(m != NULL);
	ip6_input(curmachine(), error6(m, type, code, word));
	let_run();
}

/* A socket that has sent a SYN. */
static struct socket *
connecting(int family)
{
	struct sockaddr_in6 to6 = sin6(THERE6, PEER_PORT);
	struct sockaddr_in to = sin4(THERE4, PEER_PORT);
	struct socket *so = tcp_socket(family);

	CHECK_EQ(soconnect(so, family == PF_INET ? SA(to) : SA(to6), MSG_DONTWAIT), EINPROGRESS);
	let_run();
	CHECK_EQ(went().flags & S, S);
	return so;
}

static struct socket *
established(struct socket **listener)
{
	struct socket *so;

	*listener = listen4(OUR_PORT, 5);
	(void)handshake(PEER_PORT);
	so = accepted(*listener);
	CHECK(so != NULL);
	return so;
}

static void
say(struct socket *so, size_t len)
{
	static char data[8000];
	size_t n;

	CHECK_EQ(sosend(so, NULL, data, len, NULL, NULL, MSG_DONTWAIT, &n), 0);
	let_run();
}

/* Ends both without a word more. */
static void
cut(struct socket *so, struct socket *listener)
{
	tcp_drop(sototcpcb(so), 0);
	CHECK_EQ(soclose(so) + soclose(listener), 0);
	let_run();
}

/* ---- connecting --------------------------------------------------------------------------- */

KTEST(a_final_error_ends_an_attempt)
{
	static const uint8_t codes[] = {
		ICMP_UNREACH_PROTOCOL, ICMP_UNREACH_PORT, ICMP_UNREACH_NET_PROHIB, ICMP_UNREACH_HOST_PROHIB,
		ICMP_UNREACH_FILTER_PROHIB
	};
	struct socket *so;

	tcp_testbed();
	for (size_t i = 0; i < sizeof codes; i++) {
		so = connecting(PF_INET);
		quote4(ICMP_UNREACH, codes[i], 0, 0);
		CHECK_EQ(so->so_error, ECONNREFUSED);
		CHECK(so->so_pcb == NULL);
		CHECK_EQ(soclose(so), 0);
	}
	CHECK_EQ(tst()->tcps_conndrops, sizeof codes);
	so = connecting(PF_INET6);
	quote6(ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, 0);
	CHECK_EQ(so->so_error, ECONNREFUSED);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

KTEST(unless_it_may_not)
{
	struct socket *so;

	tcp_testbed();
	tconfig()->icmp_may_rst = 0;
	so = connecting(PF_INET);
	quote4(ICMP_UNREACH, ICMP_UNREACH_PORT, 0, 0);
	CHECK_EQ(so->so_error, 0);
	CHECK_EQ(sototcpcb(so)->t_softerror, ECONNREFUSED);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

/* RFC 5927 4.1: the number quoted has to be that of something in flight. */
KTEST(guessed_numbers_do_nothing)
{
	struct socket *so;

	tcp_testbed();
	so = connecting(PF_INET);
	quote4(ICMP_UNREACH, ICMP_UNREACH_PORT, 0, -1);
	quote4(ICMP_UNREACH, ICMP_UNREACH_PORT, 0, 1);
	quote4(ICMP_UNREACH, ICMP_UNREACH_HOST, 0, 1000000);
	CHECK_EQ(so->so_error, 0);
	CHECK_EQ(sototcpcb(so)->t_softerror, 0);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

/* Other errors are remembered, and end it when the SYN was in vain often enough, or tell why at the end. */
KTEST(soft_errors_wait)
{
	struct socket *so;

	tcp_testbed();
	so = connecting(PF_INET);
	quote4(ICMP_UNREACH, ICMP_UNREACH_HOST, 0, 0);
	CHECK_EQ(so->so_error, 0);
	CHECK_EQ(sototcpcb(so)->t_softerror, EHOSTUNREACH);
	let_pass(76 * TCP_NS_PER_S);
	CHECK_EQ(so->so_error, EHOSTUNREACH);
	CHECK_EQ(soclose(so), 0);
	nevermind();
	so = connecting(PF_INET);
	let_pass(16 * TCP_NS_PER_S);
	CHECK(sototcpcb(so)->t_rxtshift > 3);
	quote4(ICMP_UNREACH, ICMP_UNREACH_HOST, 0, 0);
	CHECK_EQ(so->so_error, 0);
	quote4(ICMP_UNREACH, ICMP_UNREACH_HOST, 0, 0);
	CHECK_EQ(so->so_error, EHOSTUNREACH);
	CHECK(so->so_pcb == NULL);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

/* ---- established -------------------------------------------------------------------------- */

KTEST(nothing_ends_what_is_established)
{
	struct socket *listener, *so;

	tcp_testbed();
	so = established(&listener);
	say(so, 5);
	quote4(ICMP_UNREACH, ICMP_UNREACH_PORT, 0, 0);
	CHECK_EQ(sototcpcb(so)->t_softerror, ECONNREFUSED);
	quote4(ICMP_UNREACH, ICMP_UNREACH_HOST, 0, 0);
	CHECK_EQ(sototcpcb(so)->t_softerror, ECONNREFUSED);
	quote4(ICMP_SOURCEQUENCH, 0, 0, 0);
	CHECK_EQ(sototcpcb(so)->t_state, TCPS_ESTABLISHED);
	CHECK_EQ(so->so_error, 0);
	cut(so, listener);
	testbed_end();
}

KTEST(half_open_connections_are_told_too)
{
	struct socket *listener;

	tcp_testbed();
	listener = listen4(OUR_PORT, 5);
	COME(.flags = S, .seq = 1000, .win = 65535);
	CHECK_EQ(went().flags, S | A);
	CHECK_EQ(syncache_count(curmachine()), 1);
	quote4(ICMP_UNREACH, ICMP_UNREACH_PORT, 0, 1);
	CHECK_EQ(syncache_count(curmachine()), 1);
	CHECK_EQ(soclose(listener), 0);
	CHECK_EQ(syncache_count(curmachine()), 0);
	testbed_end();
}

/* ---- path MTU ----------------------------------------------------------------------------- */

/* A connection whose segments are full: the peer takes 1460 octets. */
static struct socket *
wide(struct socket **listener)
{
	struct tseg s;
	struct socket *so;

	*listener = listen4(OUR_PORT, 5);
	COME(.flags = S, .seq = 1000, .win = 65535, .to.to_flags = TOF_MSS, .to.to_mss = 1460);
	s = went();
	COME(.flags = A, .seq = 1001, .ack = s.seq + 1, .win = 65535);
	so = accepted(*listener);
	CHECK(so != NULL);
	CHECK_EQ(sototcpcb(so)->t_maxseg, 1460);
	return so;
}

KTEST(segments_become_smaller_and_go_again)
{
	struct socket *listener, *so;
	uint32_t cwnd;

	tcp_testbed();
	so = wide(&listener);
	say(so, 1460);
	CHECK_EQ(went().len, 1460);
	cwnd = sototcpcb(so)->snd_cwnd;
	quote4(ICMP_UNREACH, ICMP_UNREACH_NEEDFRAG, htonl(1000), 0);
	CHECK_EQ(sototcpcb(so)->t_maxseg, 960);
	CHECK_EQ(sototcpcb(so)->t_state, TCPS_ESTABLISHED);
	/* Nothing was lost to congestion. */
	CHECK_EQ(sototcpcb(so)->snd_ssthresh > cwnd, 1);
	CHECK_EQ(tst()->tcps_mturesent, 1);
	CHECK_EQ(went().len, 960);
	CHECK_EQ(went().len, 500);
	cut(so, listener);
	testbed_end();
}

KTEST(what_cannot_be_true_of_a_path)
{
	struct socket *listener, *so;

	tcp_testbed();
	so = wide(&listener);
	say(so, 1460);
	nevermind();
	say(so, 1460);
	/* It would have fitted. */
	quote4(ICMP_UNREACH, ICMP_UNREACH_NEEDFRAG, htonl(1500), 0);
	CHECK_EQ(sototcpcb(so)->t_maxseg, 1460);
	quote4(ICMP_UNREACH, ICMP_UNREACH_NEEDFRAG, htonl(1000), 100000);
	CHECK_EQ(sototcpcb(so)->t_maxseg, 1460);
	/* So narrow is none. */
	quote4(ICMP_UNREACH, ICMP_UNREACH_NEEDFRAG, htonl(68), 0);
	CHECK(sototcpcb(so)->t_maxseg >= (uint32_t)tconfig()->minmss);
	cut(so, listener);
	testbed_end();
}

KTEST(path_mtu_discovery_can_be_switched_off)
{
	struct socket *listener, *so;

	tcp_testbed();
	tconfig()->path_mtu_discovery = 0;
	so = wide(&listener);
	say(so, 1460);
	quote4(ICMP_UNREACH, ICMP_UNREACH_NEEDFRAG, htonl(1000), 0);
	CHECK_EQ(sototcpcb(so)->t_maxseg, 1460);
	cut(so, listener);
	testbed_end();
}

KTEST(packets_too_big_of_ipv6)
{
	struct socket *listener, *so;
	struct tseg s;

	tcp_testbed();
	listener = listen6(OUR_PORT, 5);
	COME(.v6 = true, .flags = S, .seq = 1000, .win = 65535, .to.to_flags = TOF_MSS, .to.to_mss = 1440);
	s = went();
	COME(.v6 = true, .flags = A, .seq = 1001, .ack = s.seq + 1, .win = 65535);
	so = accepted(listener);
	CHECK(so != NULL);
	say(so, 1440);
	CHECK_EQ(went().len, 1440);
	quote6(ICMP6_PACKET_TOO_BIG, 0, htonl(1300));
	CHECK_EQ(sototcpcb(so)->t_maxseg, 1240);
	CHECK_EQ(went().len, 1240);
	CHECK_EQ(went().len, 200);
	cut(so, listener);
	testbed_end();
}

KTEST_SUITE(tcp_notify, T(a_final_error_ends_an_attempt), T(unless_it_may_not), T(guessed_numbers_do_nothing),
    T(soft_errors_wait), T(nothing_ends_what_is_established), T(half_open_connections_are_told_too),
    T(segments_become_smaller_and_go_again), T(what_cannot_be_true_of_a_path),
    T(path_mtu_discovery_can_be_switched_off), T(packets_too_big_of_ipv6));
