/* src/netinet/tcp_accecn.c: the option by itself, want of memory, and interfaces that cut. */
#include "src/kern/sysctl.h"
#include "src/netinet/tcp_accecn.h"
#include "tests/unit/tcp_testing.h"

#define ASKS	(S | TH_ACE)
#define GRANTS	(S | A | TH_CWR)

/* ---- the option --------------------------------------------------------------------------- */

KTEST(counters_are_read_in_either_order)
{
	static const uint8_t ect1_first[] = {174, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9};
	static const uint8_t ect0_first[] = {172, 8, 1, 2, 3, 4, 5, 6};
	uint32_t values[ACCECN_COUNTERS] = {0};

	CHECK_EQ(tcp_accecn_decode(ect1_first, values), 7);
	CHECK_EQ(values[ACCECN_ECT1], 0x010203);
	CHECK_EQ(values[ACCECN_CE], 0x040506);
	CHECK_EQ(values[ACCECN_ECT0], 0x070809);
	CHECK_EQ(tcp_accecn_decode(ect0_first, values), 1 << ACCECN_ECT0 | 1 << ACCECN_CE);
	CHECK_EQ(values[ACCECN_ECT0], 0x010203);
	CHECK_EQ(values[ACCECN_CE], 0x040506);
	CHECK_EQ(values[ACCECN_ECT1], 0x010203);	/* as it was */
}

KTEST(as_many_as_are_asked_for_are_written)
{
	static const uint32_t values[ACCECN_COUNTERS] = {0xff000001, 0x123456, 0xffffff};
	uint32_t back[ACCECN_COUNTERS] = {0};
	uint8_t out[TCPOLEN_ACCECN];

	for (unsigned n = 0; n <= ACCECN_COUNTERS; n++) {
		CHECK_EQ(tcp_accecn_encode(out, values, n), 2 + 3 * n);
		CHECK_EQ(out[0], TCPOPT_ACCECN1);
		CHECK_EQ(out[1], 2 + 3 * n);
		CHECK_EQ(tcp_accecn_decode(out, back), (1u << n) - 1);
		CHECK(tcp_accecn_octets(n) == 0 || tcp_accecn_octets(n) >= 2 + 3 * n);
		CHECK_EQ(tcp_accecn_octets(n) % 4, 0);
	}
	for (unsigned i = 0; i < ACCECN_COUNTERS; i++)
		CHECK_EQ(back[i], values[i] & 0xffffff);
	CHECK_EQ(tcp_accecn_decode(tcp_accecn_initial, back), 7);
	CHECK_EQ(back[ACCECN_ECT1], 1);
	CHECK_EQ(back[ACCECN_CE], 0);
	CHECK_EQ(back[ACCECN_ECT0], 1);
}

/* ---- connections -------------------------------------------------------------------------- */

/* The peer has asked, been granted it, and acknowledged that. */
static struct socket *
accurate(struct socket *listener, uint16_t peer_port, tcp_seq *ours)
{
	struct tseg s;

	COME(.peer_port = peer_port, .flags = ASKS, .seq = 1000, .win = 65535,
	    .to = {.to_flags = TOF_MSS, .to_mss = 1000});
	s = went();
	CHECK_EQ(s.flags, GRANTS);
	*ours = s.seq + 1;
	COME(.peer_port = peer_port, .flags = A | TH_CWR, .seq = 1001, .ack = *ours, .win = 65535);
	return accepted(listener);
}

static void
reset(struct socket *so, uint16_t peer_port)
{
	COME(.peer_port = peer_port, .flags = R, .seq = sototcpcb(so)->rcv_nxt);
	CHECK_EQ(soclose(so), 0);
	nevermind();
}

static struct core_tcp_ecnstat
statistics(void)
{
	struct core_tcp_ecnstat st;
	size_t len = sizeof st;
	struct sysctl_access get = {.old = &st, .old_len = &len};

	CHECK_EQ(sysctl_by_name(curmachine(), "net.inet.tcp.ecn.stats", &get), 0);
	CHECK_EQ(len, sizeof st);
	return st;
}

KTEST(what_is_counted_is_told)
{
	struct core_tcp_ecnstat st;
	struct socket *l, *so;
	tcp_seq ours;

	tcp_testbed();
	tconfig()->ecn_enable = 3;
	l = listen4(OUR_PORT, 5);
	so = accurate(l, PEER_PORT, &ours);
	COME(.flags = A | TH_AE | TH_ECE, .seq = 1001, .ack = ours, .win = 65535, .tos = 3, .data = "marked");
	COME(.flags = A | TH_AE | TH_ECE, .seq = 1007, .ack = ours, .win = 65535, .tos = 1, .data = "not");
	st = statistics();
	CHECK_EQ(st.tcps_ecn_shs, 1);
	CHECK_EQ(st.tcps_ace_nect, 1);
	CHECK_EQ(st.tcps_ecn_ce, 1);
	CHECK_EQ(st.tcps_ecn_ect1, 1);
	CHECK_EQ(st.tcps_ecn_ect0, 0);
	CHECK_EQ(sototcpcb(so)->t_accecn->rcv[ACCECN_CE], 6);
	CHECK_EQ(sototcpcb(so)->t_accecn->rcv[ACCECN_ECT1], 1 + 3);
	reset(so, PEER_PORT);
	CHECK_EQ(soclose(l), 0);
	testbed_end();
}

KTEST(without_memory_a_server_has_none)
{
	unsigned refused = 0;
	struct socket *l;

	tcp_testbed();
	tconfig()->ecn_enable = 3;
	l = listen4(OUR_PORT, 100);
	for (unsigned n = 1; n < 20; n++) {
		uint16_t port = (uint16_t)(5000 + n);
		struct socket *so;
		struct tseg s;

		tconfig()->syncache_rst_on_sock_fail = 0;
		COME(.peer_port = port, .flags = ASKS, .seq = 1000, .win = 65535);
		s = went();
		come_fails = n;
		COME(.peer_port = port, .flags = A | TH_CWR, .seq = 1001, .ack = s.seq + 1, .win = 65535);
		come_fails = 0;
		/* A connection that found no memory for itself may be there the next time. */
		COME(.peer_port = port, .flags = A | TH_CWR, .seq = 1001, .ack = s.seq + 1, .win = 65535);
		so = accepted(l);
		CHECK(so != NULL);
		CHECK_EQ((sototcpcb(so)->t_flags & TF_ECN_PERMIT) != 0, tcp_accecn_of(sototcpcb(so)) != NULL);
		if (tcp_accecn_of(sototcpcb(so)) == NULL) {
			CHECK_EQ(statistics().tcps_ecn_nomem, ++refused);
			nevermind();
			COME(.peer_port = port, .flags = A | TH_AE | TH_ECE, .seq = 1001, .ack = s.seq + 1,
			    .win = 65535, .tos = 3, .data = "marked");
			let_pass(100 * TCP_NS_PER_MS);
			CHECK_EQ(went().flags, A);
		}
		reset(so, port);
	}
	CHECK_EQ(refused, 1);
	CHECK_EQ(soclose(l), 0);
	testbed_end();
}

KTEST(without_memory_a_client_has_none)
{
	unsigned refused = 0;

	tcp_testbed();
	tconfig()->ecn_enable = 3;
	for (unsigned n = 1; n < 10; n++) {
		uint16_t port = (uint16_t)(PEER_PORT + n);
		struct sockaddr_in to = sin4(THERE4, port);
		struct socket *so = tcp_socket(PF_INET);
		struct tcpcb *tp;
		struct tseg s;

		CHECK_EQ(soconnect(so, SA(to), MSG_DONTWAIT), EINPROGRESS);
		let_run();
		s = went();
		CHECK_EQ(s.flags, ASKS);
		come_fails = n;
		COME(.peer_port = port, .our_port = s.our_port, .flags = GRANTS, .seq = 5000,
		    .ack = s.seq + 1, .win = 65535);
		come_fails = 0;
		tp = sototcpcb(so);
		CHECK_EQ(tp->t_state, TCPS_ESTABLISHED);
		CHECK_EQ((tp->t_flags & TF_ECN_PERMIT) != 0, tcp_accecn_of(tp) != NULL);
		refused += tcp_accecn_of(tp) == NULL;
		CHECK_EQ(statistics().tcps_ecn_nomem, refused);
		COME(.peer_port = port, .our_port = s.our_port, .flags = R, .seq = 5001);
		CHECK_EQ(soclose(so), 0);
		nevermind();
	}
	CHECK_EQ(refused, 1);
	testbed_end();
}

/* Who cuts leaves CWR to the first segment: of an ACE field that has it, no large ones are made. */
KTEST(a_counter_with_cwr_is_not_left_to_who_cuts)
{
	static uint8_t data[5000];
	struct socket *l, *so;
	tcp_seq ours;
	size_t done;

	tcp_testbed();
	tconfig()->ecn_enable = 3;
	en7->offload |= IFNET_CSUM_TCP | IFNET_TSO_IPV4;
	en7->tso_v4_mtu = 65535;
	l = listen4(OUR_PORT, 5);
	for (unsigned marks = 0; marks < 2; marks++) {
		uint16_t port = (uint16_t)(PEER_PORT + marks);

		so = accurate(l, port, &ours);
		if (marks != 0)
			COME(.peer_port = port, .flags = A | TH_AE | TH_ECE, .seq = 1001, .ack = ours,
			    .win = 65535, .tos = 3, .data = "marked");
		nevermind();
		CHECK_EQ(sosend(so, NULL, data, sizeof data, NULL, NULL, MSG_DONTWAIT, &done), 0);
		let_run();
		CHECK_EQ(went().len, marks == 0 ? 5000 : 1000);
		reset(so, port);
	}
	CHECK_EQ(soclose(l), 0);
	testbed_end();
}

/* Without it, a connection takes no more memory than before. */
KTEST(it_hangs_off_the_connection)
{
	struct socket *l, *so;
	tcp_seq ours;

	tcp_testbed();
	l = listen4(OUR_PORT, 5);
	ours = handshake(PEER_PORT);
	so = accepted(l);
	CHECK(tcp_accecn_of(sototcpcb(so)) == NULL);
	COME(.flags = A, .seq = 1001, .ack = ours, .win = 65535, .tos = 3, .data = "marked");
	CHECK_EQ(sototcpcb(so)->t_ecn_ce, 0);
	reset(so, PEER_PORT);
	CHECK(sizeof(struct tcp_accecn) <= 96);
	CHECK_EQ(soclose(l), 0);
	testbed_end();
}

KTEST_SUITE(tcp_accecn,
	T(counters_are_read_in_either_order),
	T(as_many_as_are_asked_for_are_written),
	T(what_is_counted_is_told),
	T(without_memory_a_server_has_none),
	T(without_memory_a_client_has_none),
	T(a_counter_with_cwr_is_not_left_to_who_cuts),
	T(it_hangs_off_the_connection));
