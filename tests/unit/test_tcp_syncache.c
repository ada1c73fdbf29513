/*
 * src/netinet/tcp_syncache.c, tcp_synack.c, tcp_syncookie.c: handshakes of passive opens, and floods of what
 * is meant to look like them.
 */
#include "tests/unit/tcp_testing.h"

#define SECOND	TCP_NS_PER_S

static const struct tcpopt all_options = {
	.to_flags = TOF_MSS | TOF_SCALE | TOF_SACKPERM | TOF_TS, .to_mss = 1400, .to_wscale = 7,
	.to_tsval = 5000
};

static struct tcpopt
timestamp(uint32_t value, uint32_t echo)
{
	struct tcpopt to = {.to_flags = TOF_TS, .to_tsval = value, .to_tsecr = echo};

	return to;
}

static struct tcpcb *
block_of(struct socket *so)
{
	CHECK(so != NULL && so->so_pcb != NULL);
	return sototcpcb(so);
}

/* ---- the handshake ------------------------------------------------------------------------ */

KTEST(a_handshake_makes_a_connection)
{
	struct socket *l, *so;
	struct tseg s;

	tcp_testbed();
	l = listen4(OUR_PORT, 5);
	COME(.flags = S, .seq = 1000, .win = 29200, .to = all_options);
	CHECK_EQ(syncache_count(curmachine()), 1);
	CHECK_EQ(curmachine()->tcp->pcbs.count, 1);
	s = went();
	CHECK_EQ(s.flags, S | A);
	CHECK_EQ(s.ack, 1001);
	CHECK_EQ(s.win, 65535);
	/* BSD's order: MSS, padding and scale, SACK permitted directly before the timestamp. */
	CHECK_EQ(s.optlen, 20);
	CHECK(memcmp(s.options, "\x02\x04\x05\xb4\x01\x03\x03", 7) == 0);
	CHECK(memcmp(s.options + 8, "\x04\x02\x08\x0a", 4) == 0);
	CHECK_EQ(s.to.to_wscale, tcp_scale_for(curmachine()));
	CHECK_EQ(s.to.to_tsecr, 5000);
	CHECK(accepted(l) == NULL);
	COME(.flags = A, .seq = 1001, .ack = s.seq + 1, .win = 229, .to = timestamp(5001, s.to.to_tsval));
	CHECK_EQ(syncache_count(curmachine()), 0);
	CHECK_EQ(waiting(), 0);
	so = accepted(l);
	CHECK_EQ(block_of(so)->t_state, TCPS_ESTABLISHED);
	CHECK_EQ(block_of(so)->snd_wnd, 229u << 7);
	CHECK_EQ(block_of(so)->t_maxseg, 1400 - TCPOLEN_TSTAMP_APPA);
	CHECK(block_of(so)->t_flags & TF_SACK_PERMIT);
	CHECK_EQ(block_of(so)->ts_recent, 5001);
	CHECK_EQ(block_of(so)->rcv_nxt, 1001);
	CHECK_EQ(block_of(so)->snd_una, s.seq + 1);
	CHECK_EQ(tst()->tcps_sc_added, 1);
	CHECK_EQ(tst()->tcps_sc_completed, 1);
	CHECK_EQ(tst()->tcps_accepts, 1);
	CHECK_EQ(soclose(so) + soclose(l), 0);
	testbed_end();
}

KTEST(what_the_peer_does_not_offer_is_not_used)
{
	struct socket *l, *so;
	struct tseg s;

	tcp_testbed();
	l = listen4(OUR_PORT, 5);
	COME(.flags = S, .seq = 1000, .win = 1024);
	s = went();
	CHECK_EQ(s.optlen, 4);
	CHECK_EQ(s.to.to_mss, 1460);
	COME(.flags = A, .seq = 1001, .ack = s.seq + 1, .win = 2048, .data = "hello");
	so = accepted(l);
	CHECK_EQ(block_of(so)->snd_wnd, 2048);
	CHECK_EQ(block_of(so)->t_maxseg, 536);
	CHECK(!(block_of(so)->t_flags & (TF_SACK_PERMIT | TF_RCVD_TSTMP | TF_RCVD_SCALE)));
	/* Data with the ACK are the connection's. */
	CHECK_STR(receive(so), "hello");
	CHECK_EQ(soclose(so) + soclose(l), 0);
	testbed_end();
}

KTEST(a_connection_has_its_listeners_options)
{
	struct socket *l, *so;

	tcp_testbed();
	l = tcp_socket(PF_INET);
	CHECK_EQ(set_int(l, IPPROTO_TCP, TCP_NODELAY, 1), 0);
	CHECK_EQ(set_int(l, IPPROTO_IP, IP_TTL, 33), 0);
	CHECK_EQ(set_int(l, IPPROTO_IP, IP_TOS, 0x10), 0);
	CHECK_EQ(set_int(l, SOL_SOCKET, SO_RCVBUF, 20000), 0);
	CHECK_EQ(set_int(l, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
	CHECK_EQ(bind4(l, HERE4, OUR_PORT), 0);
	CHECK_EQ(solisten(l, 5), 0);
	COME(.flags = S, .seq = 1000, .win = 1024);
	CHECK_EQ(sent.count, 1);
	{
		struct tseg s = went();

		CHECK_EQ(s.ttl, 33);
		CHECK_EQ(s.tos, 0x10);
		CHECK_EQ(s.win, 20000);
		COME(.flags = A, .seq = 1001, .ack = s.seq + 1, .win = 2048);
	}
	so = accepted(l);
	CHECK(get_int(so, IPPROTO_TCP, TCP_NODELAY) != 0);
	CHECK_EQ(get_int(so, IPPROTO_IP, IP_TTL), 33);
	CHECK_EQ(get_int(so, IPPROTO_IP, IP_TOS), 0x10);
	CHECK(get_int(so, SOL_SOCKET, SO_RCVBUF) >= 20000);
	CHECK(get_int(so, SOL_SOCKET, SO_KEEPALIVE) != 0);
	CHECK_EQ(soclose(so) + soclose(l), 0);
	testbed_end();
}

KTEST(both_families_at_one_listener)
{
	struct sockaddr_storage ss;
	struct sockaddr_in6 peer;
	struct socket *l, *so;
	struct tseg s;

	tcp_testbed();
	l = listen6(OUR_PORT, 5);
	COME(.v6 = true, .flags = S, .seq = 1, .win = 1024, .to = all_options);
	s = went();
	CHECK(s.v6);
	CHECK_EQ(s.to.to_mss, 1440);
	COME(.v6 = true, .flags = A, .seq = 2, .ack = s.seq + 1, .win = 100,
	    .to = timestamp(5001, s.to.to_tsval));
	so = accepted(l);
	CHECK_EQ(sogetpeername(so, &ss), 0);
	memcpy(&peer, &ss, sizeof peer);
	CHECK(same6(peer.sin6_addr, THERE6));
	CHECK_EQ(soclose(so), 0);
	nevermind();
	/* IPv4 comes by mapped addresses. */
	COME(.flags = S, .seq = 1, .win = 1024);
	s = went();
	CHECK(!s.v6);
	COME(.flags = A, .seq = 2, .ack = s.seq + 1, .win = 100);
	so = accepted(l);
	CHECK_EQ(sogetpeername(so, &ss), 0);
	memcpy(&peer, &ss, sizeof peer);
	CHECK(same6(peer.sin6_addr, in6_mapped(THERE4)));
	CHECK_EQ(soclose(so) + soclose(l), 0);
	testbed_end();
}

KTEST(ecn_is_answered_when_it_is_asked_for)
{
	struct socket *l;

	tcp_testbed();
	l = listen4(OUR_PORT, 5);
	COME(.flags = S | TH_ECE | TH_CWR, .seq = 1000, .win = 1024);
	CHECK_EQ(went().flags, S | A | TH_ECE);
	/* The same SYN without: the peer gives it up. */
	COME(.flags = S, .seq = 1000, .win = 1024);
	CHECK_EQ(went().flags, S | A);
	COME(.peer_port = 4001, .flags = S | TH_ECE, .seq = 1000, .win = 1024);
	CHECK_EQ(went().flags, S | A);
	tconfig()->ecn_enable = 0;
	COME(.peer_port = 4002, .flags = S | TH_ECE | TH_CWR, .seq = 1000, .win = 1024);
	CHECK_EQ(went().flags, S | A);
	CHECK_EQ(soclose(l), 0);
	testbed_end();
}

/* ---- time --------------------------------------------------------------------------------- */

KTEST(a_syn_ack_is_sent_again_and_given_up)
{
	static const unsigned at[] = {1, 3, 7};
	struct socket *l;
	struct tseg first, s;
	unsigned now = 0;

	tcp_testbed();
	l = listen4(OUR_PORT, 5);
	COME(.flags = S, .seq = 1000, .win = 1024, .to = all_options);
	first = went();
	for (unsigned i = 0; i < 3; i++) {
		let_pass((at[i] - now) * SECOND - SECOND / 10);
		CHECK_EQ(waiting(), 0);
		let_pass(SECOND / 10);
		now = at[i];
		s = went();
		CHECK_EQ(s.flags, S | A);
		CHECK_EQ(s.seq, first.seq);
		CHECK_EQ(s.ack, first.ack);
		CHECK_EQ(s.optlen, first.optlen);
		CHECK(s.to.to_tsval - first.to.to_tsval >= now * 1000);
	}
	CHECK_EQ(syncache_count(curmachine()), 1);
	let_pass(8 * SECOND);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(syncache_count(curmachine()), 0);
	CHECK_EQ(tst()->tcps_sc_retransmitted, 3);
	CHECK_EQ(tst()->tcps_sc_stale, 1);
	CHECK_EQ(soclose(l), 0);
	testbed_end();
}

KTEST(a_syn_that_comes_again_gets_the_same_answer)
{
	struct socket *l, *so;
	struct tseg first, s;

	tcp_testbed();
	l = listen4(OUR_PORT, 5);
	COME(.flags = S, .seq = 1000, .win = 1024, .to = all_options);
	first = went();
	let_pass(SECOND / 2);
	COME(.flags = S, .seq = 1000, .win = 1024, .to = all_options);
	s = went();
	CHECK_EQ(s.seq, first.seq);
	CHECK_EQ(tst()->tcps_sc_dupsyn, 1);
	/* Another sequence number does not change what we have said already. */
	COME(.flags = S, .seq = 77000, .win = 1024, .to = all_options);
	s = went();
	CHECK_EQ(s.seq, first.seq);
	CHECK_EQ(s.ack, 1001);
	CHECK_EQ(syncache_count(curmachine()), 1);
	/* The time to wait has begun anew. */
	let_pass(SECOND * 9 / 10);
	CHECK_EQ(waiting(), 0);
	let_pass(SECOND / 5);
	CHECK_EQ(went().seq, first.seq);
	COME(.flags = A, .seq = 1001, .ack = first.seq + 1, .win = 100, .to = timestamp(5001, 0));
	so = accepted(l);
	/* A SYN-ACK that was lost: RFC 5681's one segment to begin with. */
	CHECK_EQ(block_of(so)->snd_cwnd, block_of(so)->t_maxseg);
	CHECK_EQ(soclose(so) + soclose(l), 0);
	testbed_end();
}

/* Which of the answers the ACK is for nobody can tell (Karn). */
KTEST(a_syn_that_comes_again_spoils_the_measurement)
{
	struct socket *l, *so;
	struct tseg s;

	tcp_testbed();
	l = listen4(OUR_PORT, 5);
	for (unsigned times = 1; times <= 2; times++) {
		for (unsigned i = 0; i < times; i++) {
			COME(.peer_port = (uint16_t)(4000 + times), .flags = S, .seq = 1000, .win = 1024);
			s = went();
			let_pass(SECOND / 10);
		}
		COME(.peer_port = (uint16_t)(4000 + times), .flags = A, .seq = 1001, .ack = s.seq + 1,
		    .win = 1024);
		so = accepted(l);
		CHECK_EQ(block_of(so)->t_srtt != 0, times == 1);
		CHECK_EQ(soclose(so), 0);
	}
	CHECK_EQ(soclose(l), 0);
	testbed_end();
}

/* The same ends, and so the same bucket, more often than it has places. */
KTEST(who_has_gone_takes_no_place)
{
	struct socket *l;
	struct tseg s;

	tcp_testbed();
	l = listen4(OUR_PORT, 5);
	for (int i = 0; i < 2 * tconfig()->syncache_bucketlimit; i++) {
		COME(.flags = S, .seq = 1000, .win = 1024);
		s = went();
		CHECK_EQ(s.flags, S | A);
		COME(.flags = R | A, .seq = 1001, .ack = s.seq + 1);
	}
	CHECK_EQ(syncache_count(curmachine()), 0);
	CHECK_EQ(tst()->tcps_sc_bucketoverflow, 0);
	CHECK_EQ(soclose(l), 0);
	testbed_end();
}

/* ---- who may end or finish it ------------------------------------------------------------- */

KTEST(only_the_right_reset_ends_it)
{
	struct socket *l;
	struct tseg s;

	tcp_testbed();
	l = listen4(OUR_PORT, 5);
	COME(.flags = S, .seq = 1000, .win = 1024);
	s = went();
	COME(.flags = R, .seq = 1000);
	COME(.flags = R, .seq = 1001 + 65535);
	COME(.flags = R | A, .seq = 1001, .ack = s.seq + 7);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(syncache_count(curmachine()), 1);
	/* RFC 5961: in the window is asked back. */
	COME(.flags = R, .seq = 1500);
	CHECK_EQ(syncache_count(curmachine()), 1);
	CHECK_EQ(went().flags, A);
	COME(.flags = R, .seq = 1001);
	CHECK_EQ(syncache_count(curmachine()), 0);
	CHECK_EQ(tst()->tcps_sc_reset, 1);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(soclose(l), 0);
	testbed_end();
}

KTEST(only_the_right_ack_finishes_it)
{
	struct socket *l, *so;
	struct tseg s, a;

	tcp_testbed();
	l = listen4(OUR_PORT, 5);
	COME(.flags = S, .seq = 1000, .win = 1024, .to = all_options);
	s = went();
	/* Of something we did not send: RST, and it stays. */
	COME(.flags = A, .seq = 1001, .ack = s.seq + 2, .to = timestamp(5001, 0));
	a = went();
	CHECK_EQ(a.flags, R);
	CHECK_EQ(a.seq, s.seq + 2);
	/* Outside of the window: told where we are. */
	COME(.flags = A, .seq = 1001 + 70000, .ack = s.seq + 1, .to = timestamp(5001, 0));
	a = went();
	CHECK_EQ(a.flags, A);
	CHECK_EQ(a.ack, 1001);
	CHECK_EQ(a.seq, s.seq + 1);
	/* Without its timestamp, or with an old one. */
	COME(.flags = A, .seq = 1001, .ack = s.seq + 1);
	CHECK_EQ(waiting(), 0);
	COME(.flags = A, .seq = 1001, .ack = s.seq + 1, .to = timestamp(4999, 0));
	CHECK_EQ(went().flags, A);
	CHECK_EQ(tst()->tcps_pawsdrop, 1);
	CHECK_EQ(syncache_count(curmachine()), 1);
	CHECK(accepted(l) == NULL);
	COME(.flags = A, .seq = 1001, .ack = s.seq + 1, .to = timestamp(5000, 0));
	so = accepted(l);
	CHECK_EQ(block_of(so)->t_state, TCPS_ESTABLISHED);
	CHECK_EQ(soclose(so) + soclose(l), 0);
	testbed_end();
}

KTEST(errors_end_it_only_after_everything_was_tried)
{
	struct in_ends e = {
		.faddr = in6_from4(THERE4), .laddr = in6_from4(HERE4), .fport = htons(PEER_PORT),
		.lport = htons(OUR_PORT), .vflag = INP_IPV4
	};
	struct socket *l;
	struct tseg s;

	tcp_testbed();
	l = listen4(OUR_PORT, 5);
	COME(.flags = S, .seq = 1000, .win = 1024);
	s = went();
	syncache_unreach(curmachine(), &e, s.seq);
	syncache_unreach(curmachine(), &e, s.seq);
	CHECK_EQ(syncache_count(curmachine()), 1);
	let_pass(8 * SECOND);
	/* About another one's segment. */
	syncache_unreach(curmachine(), &e, s.seq + 1);
	CHECK_EQ(syncache_count(curmachine()), 1);
	syncache_unreach(curmachine(), &e, s.seq);
	CHECK_EQ(syncache_count(curmachine()), 0);
	CHECK_EQ(tst()->tcps_sc_unreach, 1);
	CHECK_EQ(soclose(l), 0);
	testbed_end();
}

KTEST(a_listener_takes_its_half_open_connections_along)
{
	struct socket *l, *other;
	struct tseg s;

	tcp_testbed();
	l = listen4(OUR_PORT, 5);
	other = listen4(81, 5);
	COME(.flags = S, .seq = 1000, .win = 1024);
	s = went();
	COME(.our_port = 81, .flags = S, .seq = 1000, .win = 1024);
	CHECK_EQ(soclose(l), 0);
	CHECK_EQ(syncache_count(curmachine()), 1);
	nevermind();
	COME(.flags = A, .seq = 1001, .ack = s.seq + 1);
	CHECK_EQ(went().flags, R);
	CHECK_EQ(soclose(other), 0);
	CHECK_EQ(syncache_count(curmachine()), 0);
	let_pass(20 * SECOND);
	CHECK_EQ(waiting(), 0);
	testbed_end();
}

/* ---- the listen queue --------------------------------------------------------------------- */

KTEST(a_full_queue_makes_peers_wait)
{
	struct socket *l, *one, *two;
	struct tseg s;

	tcp_testbed();
	tconfig()->syncache_rst_on_sock_fail = 0;
	l = listen4(OUR_PORT, 1);
	l->so_qlimit = 1;
	(void)handshake(4001);
	COME(.peer_port = 4002, .flags = S, .seq = 1000, .win = 1024);
	s = went();
	COME(.peer_port = 4002, .flags = A, .seq = 1001, .ack = s.seq + 1, .win = 1024, .data = "late");
	/* No answer; what the peer believes to be a connection is kept for it. */
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(syncache_count(curmachine()), 1);
	CHECK_EQ(tst()->tcps_listendrop, 1);
	one = accepted(l);
	CHECK(one != NULL && accepted(l) == NULL);
	COME(.peer_port = 4002, .flags = A, .seq = 1001, .ack = s.seq + 1, .win = 1024, .data = "late");
	two = accepted(l);
	CHECK_STR(receive(two), "late");
	CHECK_EQ(soclose(one) + soclose(two) + soclose(l), 0);
	testbed_end();
}

KTEST(a_full_queue_may_refuse)
{
	struct socket *l;
	struct tseg s;

	tcp_testbed();
	l = listen4(OUR_PORT, 1);
	l->so_qlimit = 1;
	(void)handshake(4001);
	COME(.peer_port = 4002, .flags = S, .seq = 1000, .win = 1024);
	s = went();
	COME(.peer_port = 4002, .flags = A, .seq = 1001, .ack = s.seq + 1, .win = 1024);
	CHECK_EQ(went().flags, R);
	CHECK_EQ(syncache_count(curmachine()), 0);
	CHECK_EQ(tst()->tcps_sc_aborted, 1);
	CHECK_EQ(soclose(l), 0);
	testbed_end();
}

/* ---- floods ------------------------------------------------------------------------------- */

static size_t
memory_used(void)
{
	return memory_now().heap_bytes;
}

/* SYNs from everywhere. */
static void
flood_syns(uint32_t from, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t n = from + i;

		come_now(&(struct tseg){
			.from4 = htonl(UINT32_C(0x0b000001) + n / 50000 * 256 + 7), .flags = S, .seq = n * 77,
			.peer_port = (uint16_t)(1024 + n % 50000), .win = 1024, .to = all_options
		});
		if (i % 64 == 63)
			nevermind();
	}
	let_run();
	nevermind();
}

KTEST(the_cache_is_bounded_and_the_oldest_goes)
{
	struct nke *m = curmachine();
	struct socket *l;
	size_t before, full;

	tcp_testbed();
	tconfig()->syncookies = 0;
	tconfig()->syncache_cachelimit = 2000;
	CHECK_EQ(route_set_default(m, AF_INET, en7, NULL), 0);
	l = listen4(OUR_PORT, 5);
	before = memory_used();
	flood_syns(0, 4000);
	CHECK_EQ(syncache_count(m), 2000);
	full = memory_used();
	flood_syns(4000, 6000);
	CHECK_EQ(syncache_count(m), 2000);
	CHECK(memory_used() <= full + 4096);
	CHECK(full - before <= 2000 * 256);
	CHECK_EQ(tst()->tcps_sc_cacheoverflow, 8000);
	CHECK_EQ(tst()->tcps_sc_sendcookie, 0);
	/* The newest is served. */
	CHECK(handshake(900) != 0);
	tconfig()->syncache_rexmtlimit = 0;
	let_pass(2 * SECOND);
	CHECK_EQ(syncache_count(m), 0);
	CHECK_EQ(tst()->tcps_sc_stale, 1999);
	CHECK_EQ(soclose(l), 0);
	testbed_end();
}

KTEST(cookies_keep_service_up_in_a_flood)
{
	struct nke *m = curmachine();
	struct socket *l, *before, *after;
	struct tseg old, s;
	size_t full;

	tcp_testbed();
	tconfig()->syncache_cachelimit = 1000;
	CHECK_EQ(route_set_default(m, AF_INET, en7, NULL), 0);
	l = listen4(OUR_PORT, 5);
	COME(.peer_port = 900, .flags = S, .seq = 1000, .win = 1024, .to = all_options);
	old = went();
	flood_syns(0, 2000);
	full = memory_used();
	flood_syns(2000, 30000);
	CHECK_EQ(syncache_count(m), 1000);
	CHECK(memory_used() <= full + 4096);
	CHECK(tst()->tcps_sc_sendcookie >= 30000);
	/* Who was there before the flood still is. */
	COME(.peer_port = 900, .flags = A, .seq = 1001, .ack = old.seq + 1, .win = 100,
	    .to = timestamp(5001, old.to.to_tsval));
	before = accepted(l);
	CHECK_EQ(block_of(before)->t_state, TCPS_ESTABLISHED);
	/* Its place is taken; who comes now gets a cookie. */
	flood_syns(40000, 64);
	COME(.peer_port = 901, .flags = S, .seq = 2000, .win = 1024, .to = all_options);
	s = went();
	CHECK_EQ(s.flags, S | A);
	CHECK_EQ(s.to.to_flags & TOF_TS, 0);
	CHECK_EQ(s.to.to_flags & (TOF_MSS | TOF_SCALE | TOF_SACKPERM), TOF_MSS | TOF_SCALE | TOF_SACKPERM);
	COME(.peer_port = 901, .flags = A, .seq = 2001, .ack = s.seq + 1, .win = 100, .data = "served");
	after = accepted(l);
	CHECK_EQ(block_of(after)->t_state, TCPS_ESTABLISHED);
	CHECK_EQ(block_of(after)->t_maxseg, 1400);
	CHECK_EQ(block_of(after)->snd_scale, 7);
	CHECK_EQ(block_of(after)->snd_wnd, 100u << 7);
	CHECK(block_of(after)->t_flags & TF_SACK_PERMIT);
	CHECK_STR(receive(after), "served");
	CHECK_EQ(tst()->tcps_sc_recvcookie, 1);
	CHECK_EQ(soclose(before) + soclose(after) + soclose(l), 0);
	testbed_end();
}

KTEST(cookies_carry_what_was_offered)
{
	static const struct {
		uint16_t mss, kept;
		uint8_t scale, scale_kept;
		bool scaled, sack;
	} cases[] = {
		{1460, 1460, 0, 0, true, true}, {1459, 1452, 14, 8, true, false},
		{536, 536, 0, 0, false, true},
		{100, 216, 3, 2, true, true}, {9000, 1460, 8, 8, true, false},
		{0, 536, 1, 1, true, true}
	};
	struct socket *l, *so;
	struct tseg s;

	tcp_testbed();
	tconfig()->syncookiesonly = 1;
	l = listen4(OUR_PORT, 16);
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tcpopt to = {.to_mss = cases[i].mss, .to_wscale = cases[i].scale};

		to.to_flags = (cases[i].mss != 0 ? TOF_MSS : 0) | (cases[i].scaled ? TOF_SCALE : 0) |
		    (cases[i].sack ? TOF_SACKPERM : 0);
		nevermind();
		COME(.peer_port = (uint16_t)(5000 + i), .flags = S, .seq = i, .win = 1, .to = to);
		CHECK_EQ(syncache_count(curmachine()), 0);
		s = went();
		COME(.peer_port = (uint16_t)(5000 + i), .flags = A, .seq = i + 1, .ack = s.seq + 1, .win = 1);
		so = accepted(l);
		CHECK_EQ(block_of(so)->t_maxseg, cases[i].kept);
		CHECK_EQ(block_of(so)->snd_scale, cases[i].scale_kept);
		CHECK_EQ((block_of(so)->t_flags & TF_RCVD_SCALE) != 0, cases[i].scaled);
		CHECK_EQ((block_of(so)->t_flags & TF_SACK_PERMIT) != 0, cases[i].sack);
		CHECK_EQ(soclose(so), 0);
	}
	CHECK_EQ(soclose(l), 0);
	testbed_end();
}

KTEST(cookies_of_ipv6_work_too)
{
	struct socket *l, *so;
	struct tseg s;

	tcp_testbed();
	tconfig()->syncookiesonly = 1;
	l = listen6(OUR_PORT, 5);
	COME(.v6 = true, .flags = S, .seq = 1, .win = 1, .to = all_options);
	s = went();
	COME(.v6 = true, .flags = A, .seq = 2, .ack = s.seq + 1, .win = 1);
	so = accepted(l);
	CHECK_EQ(block_of(so)->t_state, TCPS_ESTABLISHED);
	CHECK_EQ(soclose(so) + soclose(l), 0);
	testbed_end();
}

KTEST(cookies_cannot_be_made_up_or_kept)
{
	struct socket *l;
	struct tseg s;

	tcp_testbed();
	tconfig()->syncookiesonly = 1;
	l = listen4(OUR_PORT, 5);
	COME(.flags = S, .seq = 1000, .win = 1, .to = all_options);
	s = went();
	for (unsigned bit = 0; bit < 32; bit++) {
		COME(.flags = A, .seq = 1001, .ack = (s.seq ^ UINT32_C(1) << bit) + 1, .win = 1);
		CHECK_EQ(went().flags, R);
	}
	/* Not another's, not for another sequence number. */
	COME(.peer_port = 4001, .flags = A, .seq = 1001, .ack = s.seq + 1, .win = 1);
	CHECK_EQ(went().flags, R);
	COME(.flags = A, .seq = 1002, .ack = s.seq + 1, .win = 1);
	CHECK_EQ(went().flags, R);
	let_pass(31 * SECOND);
	COME(.flags = A, .seq = 1001, .ack = s.seq + 1, .win = 1);
	CHECK_EQ(went().flags, R);
	CHECK(accepted(l) == NULL);
	CHECK_EQ(tst()->tcps_sc_recvcookie, 0);
	CHECK_EQ(soclose(l), 0);
	testbed_end();
}

KTEST(floods_of_acks_and_resets_leave_nothing)
{
	struct nke *m = curmachine();
	struct socket *l, *so;
	struct tseg half;
	size_t before;

	tcp_testbed();
	l = listen4(OUR_PORT, 5);
	COME(.peer_port = 900, .flags = S, .seq = 1000, .win = 1024);
	half = went();
	before = memory_used();
	for (uint32_t i = 0; i < 20000; i++) {
		static const uint8_t kinds[] = {A, R, S | A, F | A, R | A, P | A, F, 0};

		come_now(&(struct tseg){
			.flags = kinds[i % 8], .peer_port = i % 16 < 8 ? 900 : (uint16_t)(1024 + i % 60000),
			.seq = i * 2654435761u, .ack = i * 40503u, .win = 77
		});
		if (i % 64 == 63)
			nevermind();
	}
	let_run();
	nevermind();
	CHECK_EQ(syncache_count(m), 1);
	CHECK(memory_used() <= before + 4096);
	CHECK_EQ(m->tcp->pcbs.count, 1);
	COME(.peer_port = 900, .flags = A, .seq = 1001, .ack = half.seq + 1, .win = 1024);
	so = accepted(l);
	CHECK_EQ(block_of(so)->t_state, TCPS_ESTABLISHED);
	CHECK_EQ(soclose(so) + soclose(l), 0);
	testbed_end();
}

KTEST(a_full_bucket_does_as_a_full_cache)
{
	struct nke *m = curmachine();
	struct socket *l;

	tcp_testbed();
	tconfig()->syncache_bucketlimit = 1;
	CHECK_EQ(route_set_default(m, AF_INET, en7, NULL), 0);
	l = listen4(OUR_PORT, 5);
	flood_syns(0, 2000);
	CHECK(tst()->tcps_sc_bucketoverflow > 100);
	CHECK_EQ(tst()->tcps_sc_bucketoverflow, 2000 - syncache_count(m));
	CHECK_EQ(tst()->tcps_sc_sendcookie, tst()->tcps_sc_bucketoverflow);
	tconfig()->syncookies = 0;
	flood_syns(2000, 2000);
	CHECK(tst()->tcps_sc_dropped > 100);
	CHECK_EQ(tst()->tcps_sc_dropped, tst()->tcps_sc_added - syncache_count(m));
	tconfig()->syncache_rexmtlimit = 0;
	CHECK_EQ(soclose(l), 0);
	testbed_end();
}

KTEST(numbers_may_wrap)
{
	static const tcp_seq first[] = {0xffffffff, 0xfffffffe, 0x7fffffff, 0x80000000, 0};
	struct socket *l, *so;
	struct tseg s;

	tcp_testbed();
	l = listen4(OUR_PORT, 16);
	for (unsigned i = 0; i < sizeof first / sizeof *first; i++) {
		uint16_t port = (uint16_t)(5000 + i);

		tconfig()->syncookiesonly = i & 1;
		nevermind();
		COME(.peer_port = port, .flags = S, .seq = first[i], .win = 1000);
		s = went();
		CHECK_EQ(s.ack, (tcp_seq)(first[i] + 1));
		COME(.peer_port = port, .flags = R, .seq = first[i]);
		COME(.peer_port = port, .flags = A, .seq = first[i] + 1, .ack = s.seq + 1, .win = 1000,
		    .data = "hi");
		so = accepted(l);
		CHECK_EQ(block_of(so)->rcv_nxt, (tcp_seq)(first[i] + 3));
		CHECK_STR(receive(so), "hi");
		CHECK_EQ(soclose(so), 0);
	}
	CHECK_EQ(soclose(l), 0);
	testbed_end();
}

/* Wherever memory ends, the peer can try again. */
KTEST(without_memory_peers_try_again)
{
	struct socket *l, *so;
	struct tseg s;
	unsigned n;

	tcp_testbed();
	l = listen4(OUR_PORT, 100);
	for (n = 1; n < 25; n++) {
		uint16_t port = (uint16_t)(5000 + n);

		tconfig()->syncache_rst_on_sock_fail = 0;
		nevermind();
		come_fails = n;
		COME(.peer_port = port, .flags = S, .seq = 1000, .win = 1000, .to = all_options);
		come_fails = 0;
		nevermind();
		COME(.peer_port = port, .flags = S, .seq = 1000, .win = 1000, .to = all_options);
		s = went();
		CHECK_EQ(s.flags, S | A);
		come_fails = n;
		COME(.peer_port = port, .flags = A, .seq = 1001, .ack = s.seq + 1, .win = 1000,
		    .to = timestamp(5001, s.to.to_tsval));
		come_fails = 0;
		COME(.peer_port = port, .flags = A, .seq = 1001, .ack = s.seq + 1, .win = 1000,
		    .to = timestamp(5001, s.to.to_tsval));
		so = accepted(l);
		CHECK_EQ(block_of(so)->t_state, TCPS_ESTABLISHED);
		COME(.peer_port = port, .flags = R, .seq = 1001, .to = timestamp(5001, 0));
		CHECK_EQ(soclose(so), 0);
	}
	CHECK_EQ(syncache_count(curmachine()), 0);
	CHECK_EQ(curmachine()->tcp->pcbs.count, 1);
	CHECK_EQ(soclose(l), 0);
	testbed_end();
}

KTEST_SUITE(tcp_syncache, T(a_handshake_makes_a_connection), T(what_the_peer_does_not_offer_is_not_used),
    T(a_connection_has_its_listeners_options), T(both_families_at_one_listener),
    T(ecn_is_answered_when_it_is_asked_for), T(a_syn_ack_is_sent_again_and_given_up),
    T(a_syn_that_comes_again_gets_the_same_answer),
    T(a_syn_that_comes_again_spoils_the_measurement), T(who_has_gone_takes_no_place),
    T(only_the_right_reset_ends_it),
    T(only_the_right_ack_finishes_it), T(errors_end_it_only_after_everything_was_tried),
    T(a_listener_takes_its_half_open_connections_along), T(a_full_queue_makes_peers_wait),
    T(a_full_queue_may_refuse), T(the_cache_is_bounded_and_the_oldest_goes),
    T(cookies_keep_service_up_in_a_flood), T(cookies_carry_what_was_offered), T(cookies_of_ipv6_work_too),
    T(cookies_cannot_be_made_up_or_kept), T(a_full_bucket_does_as_a_full_cache), T(numbers_may_wrap),
    T(without_memory_peers_try_again), T(floods_of_acks_and_resets_leave_nothing));
