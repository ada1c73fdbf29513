/* src/netinet/tcp_output.c, tcp_send.c, tcp_mss.c: what goes when, and what it looks like. */
#include "tests/unit/tcp_flow.h"

#define ALL_OPTIONS	(TOF_SCALE | TOF_SACKPERM | TOF_TS)

/* ---- the SYN ------------------------------------------------------------------------------ */

KTEST(the_syn_has_bsds_options)
{
	struct tseg s;

	tcp_testbed();
	CHECK_EQ(begin_flow(false), EINPROGRESS);
	s = went();
	CHECK_EQ(s.flags, S);
	CHECK_EQ(s.ack, 0);
	CHECK_EQ(s.win, 65535);
	CHECK_EQ(s.optlen, 20);
	CHECK(memcmp(s.options, "\2\4\5\xb4\1\3\3\x8\4\2\x8\xa", 12) == 0);
	CHECK_EQ(s.to.to_tsecr, 0);
	CHECK_EQ(waiting(), 0);
	end_flow();
}

KTEST(options_that_are_off_are_not_said)
{
	struct tseg s;

	tcp_testbed();
	tconfig()->rfc1323 = 0;
	tconfig()->sack = 0;
	CHECK_EQ(begin_flow(true), EINPROGRESS);
	s = went();
	CHECK(s.v6);
	CHECK_EQ(s.optlen, 4);
	CHECK_EQ(s.to.to_mss, 1440);
	end_flow();
}

KTEST(the_handshake_settles_segment_size_and_window)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){.options = ALL_OPTIONS, .wscale = 3});
	CHECK_EQ(ftp->t_maxseg, 1448);
	CHECK_EQ(ftp->snd_cwnd, 14480);
	CHECK_EQ(ftp->snd_scale, 3);
	end_flow();
}

KTEST(a_small_offer_is_kept_and_a_tiny_one_is_not)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){.mss = 700});
	CHECK_EQ(ftp->t_maxseg, 700);
	tcp_mss(ftp, 100);
	CHECK_EQ(ftp->t_maxseg, (uint32_t)tconfig()->minmss);
	tcp_mss(ftp, 0);
	CHECK_EQ(ftp->t_maxseg, 536);
	tcp_mss(ftp, 9000);
	CHECK_EQ(ftp->t_maxseg, 1460);
	end_flow();
}

KTEST(initial_windows_follow_the_rfcs)
{
	static const struct {
		int segments, rfc3390;
		uint32_t mss, window;
	} table[] = {
		{10, 1, 1460, 14600}, {10, 1, 536, 5360}, {10, 1, 9000, 18000}, {4, 1, 1460, 5840},
		{0, 1, 1460, 4380}, {0, 1, 536, 2144}, {0, 1, 4000, 8000},
		{0, 0, 1460, 4380}, {0, 0, 536, 2144}, {0, 0, 4000, 8000}
	};

	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		tconfig()->initcwnd_segments = table[i].segments;
		tconfig()->rfc3390 = table[i].rfc3390;
		ftp->t_maxseg = table[i].mss;
		CHECK_EQ(tcp_initial_window(ftp), table[i].window);
	}
	ftp->snd_cwnd = 1;
	CHECK_EQ(tcp_initial_window(ftp), 4000);
	end_flow();
}

/* ---- data --------------------------------------------------------------------------------- */

KTEST(a_write_goes_in_full_segments_and_is_pushed)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){.options = ALL_OPTIONS});
	CHECK_EQ(write_flow(3000, 0), 3000);
	went_data(0, 1448, A);
	CHECK_EQ(segment.optlen, 12);
	CHECK(memcmp(segment.options, "\1\1\x8\xa", 4) == 0);
	CHECK_EQ(segment.to.to_tsecr, ftp->ts_recent);
	CHECK_EQ(segment.ack, PEER_ISS + 1);
	went_data(1448, 1448, A);
	/* Nagle does not keep the rest: nothing was in flight when it was written. */
	went_data(2896, 104, A | P);
	CHECK_EQ(tst()->tcps_sndpack, 3);
	CHECK_EQ(tst()->tcps_sndbyte, 3000);
	end_flow();
}

KTEST(every_octet_is_the_right_one_whatever_the_pieces)
{
	static const size_t pieces[] = {1, 5000, 3, 100, 17, 20000, 300, 1448, 16384, 2, 9000};
	size_t from = 0, total = 0;

	tcp_testbed();
	open_flow(false, (struct flow_peer){.options = ALL_OPTIONS, .wscale = 8, .win = 60000});
	CHECK_EQ(soreserve(flow, 262144, 65536), 0);
	CHECK_EQ(set_int(flow, IPPROTO_TCP, TCP_NODELAY, 1), 0);
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
		total += write_flow(pieces[i], 0);
	while (from < total) {
		while (waiting() != 0) {
			uint32_t len = (uint32_t)sent.m[taken]->m_pkthdr.len - 52;

			went_data(from, len, from + len == written || (len != 1448) ? A | P : A);
			from += len;
		}
		/* Half of what is in flight arrives: the buffer is dropped from in the middle of mbufs. */
		nevermind();
		answer(A, ftp->snd_una + (ftp->snd_nxt - ftp->snd_una + 1) / 2, 60000, NULL);
	}
	CHECK_EQ(from, total);
	end_flow();
}

KTEST(small_data_are_copied_into_one_mbuf)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){.options = ALL_OPTIONS});
	write_flow(20, 0);
	CHECK(sent.m[taken]->m_next == NULL);
	went_data(0, 20, A | P);
	acks(base + 20);
	write_flow(400, 0);
	CHECK(sent.m[taken]->m_next == NULL);
	went_data(20, 400, A | P);
	acks(base + 420);
	write_flow(1000, 0);
	CHECK(sent.m[taken]->m_next != NULL);
	went_data(420, 1000, A | P);
	end_flow();
}

KTEST(the_initial_window_limits_and_acks_open_it)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){.options = ALL_OPTIONS, .wscale = 8, .win = 60000});
	CHECK_EQ(soreserve(flow, 262144, 65536), 0);
	CHECK_EQ(write_flow(60000, 0), 60000);
	CHECK_EQ(waiting(), 10);
	CHECK_EQ(ftp->t_pipe, 14480);
	nevermind();
	/* Slow start: two for each that is acknowledged. */
	answer(A, base + 2896, 60000, NULL);
	CHECK_EQ(waiting(), 4);
	went_data(14480, 1448, A);
	end_flow();
}

KTEST(the_peers_window_limits)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){.win = 4000});
	CHECK_EQ(write_flow(10000, 0), 10000);
	/* Two full ones; 1080 octets more would fit, but a short segment does not pay yet. */
	CHECK_EQ(waiting(), 2);
	nevermind();
	answer(A, base + 2920, 4000, NULL);
	went_data(2920, 1460, A);
	went_data(4380, 1460, A);
	CHECK_EQ(waiting(), 0);
	end_flow();
}

KTEST(half_of_the_largest_window_goes_though_it_is_short)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){.win = 1000});
	CHECK_EQ(write_flow(5000, 0), 5000);
	went_data(0, 1000, A);
	answer(A, base + 1000, 500, NULL);
	went_data(1000, 500, A);
	/* RFC 1122 4.2.3.4: less than half is not worth a segment while something is on its way. */
	answer(A, base + 1200, 600, NULL);
	CHECK_EQ(waiting(), 0);
	end_flow();
}

/* ---- Nagle and its friends ---------------------------------------------------------------- */

KTEST(one_small_segment_is_in_flight_at_a_time)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	write_flow(10, 0);
	went_data(0, 10, A | P);
	write_flow(10, 0);
	write_flow(10, 0);
	CHECK_EQ(waiting(), 0);
	acks(base + 10);
	went_data(10, 20, A | P);
	CHECK_EQ(set_int(flow, IPPROTO_TCP, TCP_NODELAY, 1), 0);
	write_flow(10, 0);
	went_data(30, 10, A | P);
	write_flow(10, 0);
	went_data(40, 10, A | P);
	end_flow();
}

KTEST(nopush_waits_for_full_segments)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	CHECK_EQ(set_int(flow, IPPROTO_TCP, TCP_NOPUSH, 1), 0);
	write_flow(1000, 0);
	CHECK_EQ(waiting(), 0);
	write_flow(1000, 0);
	went_data(0, 1460, A);
	CHECK_EQ(waiting(), 0);
	/* Taken back, the rest goes: BSD does so at once when nothing is in flight. */
	acks(base + 1460);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(set_int(flow, IPPROTO_TCP, TCP_NOPUSH, 0), 0);
	went_data(1460, 540, A | P);
	end_flow();
}

KTEST(more_to_come_keeps_a_short_end_back)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	ftp->t_flags |= TF_MORETOCOME;
	write_flow(100, 0);
	ftp->t_flags |= TF_MORETOCOME;
	CHECK_EQ(tcp_output(ftp), 0);
	nevermind();
	write_flow(100, 0);
	CHECK(waiting() <= 1);
	end_flow();
}

/* ---- the end, and urgent ------------------------------------------------------------------ */

KTEST(the_fin_goes_with_the_last_octet)
{
	size_t n;

	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	CHECK_EQ(sosend(flow, NULL, "bye", 3, NULL, NULL, MSG_EOF, &n), 0);
	segment = went();
	CHECK_EQ(segment.flags, A | P | F);
	CHECK_EQ(segment.len, 3);
	CHECK_EQ(ftp->snd_nxt, base + 4);
	CHECK_EQ(ftp->t_state, TCPS_FIN_WAIT_1);
	CHECK_EQ(waiting(), 0);
	/* Half of it arrives; what is left is the FIN by itself. */
	acks(base + 3);
	pass(FLOW_SEC);
	segment = went();
	CHECK_EQ(segment.flags, A | F);
	CHECK_EQ(segment.len, 0);
	CHECK_EQ(segment.seq, base + 3);
	acks(base + 4);
	CHECK_EQ(ftp->t_state, TCPS_FIN_WAIT_2);
	end_flow();
}

KTEST(the_fin_waits_for_the_window)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){.win = 2920});
	write_flow(6000, 0);
	CHECK_EQ(soshutdown(flow, SHUT_WR), 0);
	went_data(0, 1460, A);
	went_data(1460, 1460, A);
	CHECK_EQ(waiting(), 0);
	answer(A, base + 2920, 8000, NULL);
	went_data(2920, 1460, A);
	went_data(4380, 1460, A);
	went_data(5840, 160, A | P | F);
	CHECK_EQ(waiting(), 0);
	end_flow();
}

static uint16_t
urgent_pointer(void)
{
	struct tcphdr th;

	CHECK_EQ(m_copydata(sent.m[taken - 1], sizeof(struct ip), sizeof th, &th), 0);
	return ntohs(th.th_urp);
}

KTEST(urgent_data_are_pointed_to)
{
	size_t n;

	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	write_flow(5, 0);
	went_data(0, 5, A | P);
	CHECK_EQ(sosend(flow, NULL, "!", 1, NULL, NULL, MSG_OOB, &n), 0);
	/* Nagle does not keep it. */
	segment = went();
	CHECK_EQ(segment.flags, A | P | TH_URG);
	CHECK_EQ(segment.len, 1);
	CHECK_EQ(urgent_pointer(), 1);
	acks(base + 6);
	write_flow(3, 0);
	segment = went();
	CHECK_EQ(segment.flags, A | P);
	end_flow();
}

KTEST(urgent_data_are_announced_when_the_window_is_shut)
{
	size_t n;

	tcp_testbed();
	open_flow(false, (struct flow_peer){.win = 100});
	write_flow(100, 0);
	went_data(0, 100, A | P);
	answer(A, base + 100, 0, NULL);
	write_flow(50, 0);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(sosend(flow, NULL, "!", 1, NULL, NULL, MSG_OOB, &n), 0);
	segment = went();
	CHECK_EQ(segment.flags, A | TH_URG);
	CHECK_EQ(segment.len, 0);
	CHECK_EQ(urgent_pointer(), 51);
	end_flow();
}

/* ---- the peer shuts its window ------------------------------------------------------------ */

KTEST(a_shut_window_is_probed_and_what_is_taken_counts)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){.win = 1460});
	write_flow(4000, 0);
	went_data(0, 1460, A);
	answer(A, base + 1460, 0, NULL);
	CHECK_EQ(waiting(), 0);
	CHECK(tcp_timer_armed(ftp, TT_PERSIST));
	CHECK(!tcp_timer_armed(ftp, TT_REXMT));
	pass(4900 * FLOW_MS);
	CHECK_EQ(waiting(), 0);
	pass(200 * FLOW_MS);
	went_data(1460, 1, A);
	/* It is not in flight: nothing is sent again by the RTO. */
	CHECK_EQ(ftp->snd_nxt, base + 1460);
	answer(A, base + 1460, 0, NULL);
	pass(5 * FLOW_SEC);
	went_data(1460, 1, A);
	CHECK_EQ(tst()->tcps_sndprobe, 2);
	/* This time the peer takes it. */
	answer(A, base + 1461, 0, NULL);
	CHECK_EQ(ftp->snd_una, base + 1461);
	CHECK_EQ(tst()->tcps_rcvacktoomuch, 0);
	CHECK_EQ(waiting(), 0);
	/* It opens: what was not taken goes, from there on. */
	answer(A, base + 1461, 1460, NULL);
	went_data(1461, 1460, A);
	CHECK(!tcp_timer_armed(ftp, TT_PERSIST));
	CHECK(tcp_timer_armed(ftp, TT_REXMT));
	end_flow();
}

KTEST(a_refused_probe_is_no_data_sent)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){.win = 1460});
	write_flow(4000, 0);
	went_data(0, 1460, A);
	answer(A, base + 1460, 0, NULL);
	pass(5100 * FLOW_MS);
	went_data(1460, 1, A);
	answer(A, base + 1460, 1460, NULL);
	went_data(1460, 1460, A);
	/* Now an acknowledgement beyond is one too much. */
	CHECK(!tcp_probe_acked(ftp, ftp->snd_nxt + 1));
	end_flow();
}

KTEST(a_little_window_is_used_after_a_while)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){.win = 8000});
	write_flow(1460, 0);
	went_data(0, 1460, A | P);
	answer(A, base + 1460, 300, NULL);
	write_flow(1460, 0);
	/* RFC 1122 4.2.3.4: not at once. */
	CHECK_EQ(waiting(), 0);
	pass(5100 * FLOW_MS);
	went_data(1460, 300, A);
	CHECK_EQ(ftp->snd_nxt, base + 1760);
	CHECK(tcp_timer_armed(ftp, TT_REXMT));
	end_flow();
}

/* ---- again -------------------------------------------------------------------------------- */

KTEST(what_is_lost_goes_again_with_the_same_octets)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){.options = TOF_TS});
	CHECK_EQ(soreserve(flow, 262144, 65536), 0);
	write_flow(6000, 0);
	CHECK_EQ(waiting(), 5);
	nevermind();
	tconfig()->frto = 0;
	CHECK_EQ(ftp->t_rxtcur, 230000);
	pass(235 * FLOW_MS);
	went_data(0, 1448, A);
	CHECK_EQ(ftp->snd_nxt, base + 6000);
	CHECK_EQ(tst()->tcps_rexmttimeo, 1);
	acks(base + 1448);
	went_data(1448, 1448, A);
	CHECK(waiting() >= 1);
	end_flow();
}

KTEST(frto_asks_with_a_short_segment_if_need_be)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){.options = TOF_TS});
	write_flow(5792, 0);
	write_flow(208, 0);
	nevermind();
	pass(235 * FLOW_MS);
	went_data(0, 1448, A);
	acks(base + 1448);
	/* Nagle would keep it, and the question would never be asked. */
	went_data(5792, 208, A | P);
	CHECK_EQ(waiting(), 0);
	end_flow();
}

KTEST(a_narrower_path_makes_smaller_segments_at_once)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	write_flow(2920, 0);
	went_data(0, 1460, A);
	went_data(1460, 1460, A | P);
	tcp_mtu_changed(ftp, 1000);
	let_run();
	CHECK_EQ(ftp->t_maxseg, 960);
	went_data(0, 960, A);
	went_data(960, 500, A);
	went_data(1460, 960, A);
	went_data(2420, 500, A | P);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(tst()->tcps_mturesent, 1);
	/* Wider does not count. */
	tcp_mtu_changed(ftp, 1400);
	CHECK_EQ(ftp->t_maxseg, 960);
	tcp_mtu_changed(ftp, 0);
	CHECK_EQ(ftp->t_maxseg, TCP_MINMSS);
	end_flow();
}

static errno_t refusal;

static errno_t
refuse(ifnet_t ifp, mbuf_t m)
{
	(void)ifp;
	m_freem(m);
	return refusal;
}

KTEST(a_full_queue_slows_down_and_the_timer_goes_on)
{
	ifnet_output_func usual;

	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	usual = en7->output;
	en7->output = refuse;
	refusal = ENOBUFS;
	CHECK_EQ(write_flow(6000, 0), 6000);
	CHECK_EQ(ftp->snd_cwnd, 1460);
	CHECK_EQ(flow->so_error, 0);
	CHECK(tcp_timer_armed(ftp, TT_REXMT));
	en7->output = usual;
	pass(1500 * FLOW_MS);
	went_data(0, 1460, A);
	end_flow();
}

KTEST(an_unreachable_host_is_remembered_only)
{
	ifnet_output_func usual;

	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	usual = en7->output;
	en7->output = refuse;
	refusal = EHOSTUNREACH;
	write_flow(100, 0);
	CHECK_EQ(ftp->t_softerror, EHOSTUNREACH);
	CHECK_EQ(flow->so_error, 0);
	CHECK_EQ(tcp_give_up_error(ftp), EHOSTUNREACH);
	en7->output = usual;
	end_flow();
}

/* ---- IP ----------------------------------------------------------------------------------- */

KTEST(the_ip_header_is_the_sockets)
{
	const struct ip *ip;

	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	CHECK_EQ(set_int(flow, IPPROTO_IP, IP_TTL, 17), 0);
	CHECK_EQ(set_int(flow, IPPROTO_IP, IP_TOS, 0x48), 0);
	write_flow(1, 0);
	ip = mtod(sent.m[taken], const struct ip *);
	CHECK_EQ(ip->ip_ttl, 17);
	CHECK_EQ(ip->ip_tos, 0x48);
	CHECK_EQ(ip->ip_off, htons(IP_DF));
	CHECK_EQ(ip->ip_src.s_addr, HERE4);
	CHECK_EQ(in_cksum_part(sent.m[taken], 0, sizeof *ip), 0);
	nevermind();
	tconfig()->path_mtu_discovery = 0;
	acks(base + 1);
	write_flow(1, 0);
	CHECK_EQ(mtod(sent.m[taken], const struct ip *)->ip_off, 0);
	end_flow();
}

/* The checksum of an IPv4 segment, as a receiver looks at it. */
static uint16_t
sum_of(const struct mbuf *m)
{
	const struct ip *ip = mtod(m, const struct ip *);
	uint32_t len = (uint32_t)m->m_pkthdr.len - 20;

	return (uint16_t)~in_cksum_sum(m, 20, len, in_pseudo(ip->ip_src, ip->ip_dst, IPPROTO_TCP, len));
}

KTEST(checksums_are_right_or_left_to_the_interface)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){.options = ALL_OPTIONS});
	write_flow(1001, 0);
	CHECK_EQ(sum_of(sent.m[taken]), 0);
	CHECK_EQ(sent.m[taken]->m_pkthdr.csum_flags, 0);
	CHECK(tst()->tcps_snd_swcsum != 0);
	nevermind();
	acks(base + 1001);
	en7->offload |= IFNET_CSUM_TCP;
	write_flow(1001, 0);
	CHECK_EQ(sent.m[taken]->m_pkthdr.csum_flags, MBUF_CSUM_REQ_TCP);
	CHECK_EQ(sent.m[taken]->m_pkthdr.csum_data, 16);
	end_flow();
}

KTEST(ipv6_segments_are_ipv6s)
{
	const struct in6_addr here = HERE6, there = THERE6;
	const struct ip6_hdr *ip6;
	uint32_t len;

	tcp_testbed();
	open_flow(true, (struct flow_peer){.options = ALL_OPTIONS, .mss = 1440});
	CHECK_EQ(ftp->t_maxseg, 1428);
	CHECK_EQ(set_int(flow, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9), 0);
	write_flow(3000, 0);
	ip6 = mtod(sent.m[taken], const struct ip6_hdr *);
	CHECK_EQ(ip6->ip6_hlim, 9);
	CHECK_EQ(ip6->ip6_nxt, IPPROTO_TCP);
	len = ntohs(ip6->ip6_plen);
	CHECK_EQ(len, 1460);
	CHECK_EQ((uint16_t)~in_cksum_sum(sent.m[taken], 40, len, in6_pseudo(&here, &there, IPPROTO_TCP, len)),
	    0);
	went_data(0, 1428, A);
	went_data(1428, 1428, A);
	end_flow();
}

KTEST(an_interface_that_cuts_gets_large_segments)
{
	struct mbuf *m;

	tcp_testbed();
	tconfig()->rack = 0;
	en7->offload |= IFNET_CSUM_TCP | IFNET_TSO_IPV4;
	en7->tso_v4_mtu = 65535;
	open_flow(false, (struct flow_peer){.options = ALL_OPTIONS, .wscale = 8, .win = 60000});
	CHECK_EQ(soreserve(flow, 262144, 65536), 0);
	CHECK_EQ(write_flow(60000, 0), 60000);
	m = sent.m[taken];
	CHECK_EQ(waiting(), 1);
	went_data(0, 14480, A);
	CHECK_EQ(m->m_pkthdr.csum_flags, MBUF_CSUM_REQ_TCP | CSUM_TSO4);
	CHECK_EQ(m->m_pkthdr.tso_segsz, 1448);
	/* The RTO takes one segment off it. */
	pass(1500 * FLOW_MS);
	went_data(0, 1448, A);
	end_flow();
}

/* ---- acknowledgements --------------------------------------------------------------------- */

KTEST(data_carry_the_acknowledgement)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	answer(A | P, base, 65535, "hello");
	CHECK_EQ(waiting(), 0);
	CHECK(ftp->t_flags & TF_DELACK);
	write_flow(5, 0);
	went_data(0, 5, A | P);
	CHECK_EQ(segment.ack, PEER_ISS + 6);
	CHECK(!(ftp->t_flags & TF_DELACK));
	pass(FLOW_SEC / 10);
	CHECK_EQ(waiting(), 0);
	end_flow();
}

KTEST(a_pause_starts_the_window_anew)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){.options = ALL_OPTIONS});
	ftp->snd_cwnd = 100000;
	write_flow(1, 0);
	acks(base + 1);
	CHECK(ftp->snd_cwnd >= 100000);
	pass(5 * FLOW_SEC);
	write_flow(1, 0);
	CHECK_EQ(ftp->snd_cwnd, 14480);
	end_flow();
}

KTEST(ipv6_options_and_the_smallest_mtu_make_segments_smaller)
{
	tcp_testbed();
	open_flow(true, (struct flow_peer){.mss = 1440});
	CHECK_EQ(ftp->t_maxseg, 1440);
	CHECK_EQ(set_int(flow, IPPROTO_IPV6, IPV6_USE_MIN_MTU, 1), 0);
	tcp_mss(ftp, 1440);
	CHECK_EQ(ftp->t_maxseg, 1220);
	CHECK_EQ(set_int(flow, IPPROTO_IPV6, IPV6_USE_MIN_MTU, 0), 0);
	CHECK_EQ(set_option(flow, IPPROTO_IPV6, IPV6_DSTOPTS, "\0\0\1\4\0\0\0", 8), 0);
	tcp_mss(ftp, 1440);
	CHECK_EQ(ftp->t_maxseg, 1432);
	write_flow(2000, 0);
	CHECK_EQ(sent.m[taken]->m_pkthdr.len, 1500);
	CHECK_EQ(mtod(sent.m[taken], const struct ip6_hdr *)->ip6_nxt, IPPROTO_DSTOPTS);
	end_flow();
}

KTEST(paced_segments_go_one_by_one)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	CHECK_EQ(tcp_pace_set(ftp, 1460000), 0);
	write_flow(4380, 0);
	went_data(0, 1460, A);
	CHECK_EQ(waiting(), 0);
	pass(900 * FLOW_MS / 1000);
	CHECK_EQ(waiting(), 0);
	pass(200 * FLOW_MS / 1000);
	went_data(1460, 1460, A);
	CHECK_EQ(waiting(), 0);
	pass(FLOW_MS);
	went_data(2920, 1460, A | P);
	/* Taken back while something waits: it goes with the next write. */
	pass(2 * FLOW_MS);
	write_flow(2920, 0);
	went_data(4380, 1460, A);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(tcp_pace_set(ftp, 0), 0);
	write_flow(1, 0);
	went_data(5840, 1460, A);
	end_flow();
}

KTEST_SUITE(tcp_output,
	T(the_syn_has_bsds_options),
	T(paced_segments_go_one_by_one),
	T(options_that_are_off_are_not_said),
	T(the_handshake_settles_segment_size_and_window),
	T(a_small_offer_is_kept_and_a_tiny_one_is_not),
	T(initial_windows_follow_the_rfcs),
	T(a_write_goes_in_full_segments_and_is_pushed),
	T(every_octet_is_the_right_one_whatever_the_pieces),
	T(small_data_are_copied_into_one_mbuf),
	T(the_initial_window_limits_and_acks_open_it),
	T(the_peers_window_limits),
	T(half_of_the_largest_window_goes_though_it_is_short),
	T(one_small_segment_is_in_flight_at_a_time),
	T(nopush_waits_for_full_segments),
	T(more_to_come_keeps_a_short_end_back),
	T(the_fin_goes_with_the_last_octet),
	T(the_fin_waits_for_the_window),
	T(urgent_data_are_pointed_to),
	T(urgent_data_are_announced_when_the_window_is_shut),
	T(a_shut_window_is_probed_and_what_is_taken_counts),
	T(a_refused_probe_is_no_data_sent),
	T(a_little_window_is_used_after_a_while),
	T(what_is_lost_goes_again_with_the_same_octets),
	T(frto_asks_with_a_short_segment_if_need_be),
	T(a_narrower_path_makes_smaller_segments_at_once),
	T(a_full_queue_slows_down_and_the_timer_goes_on),
	T(an_unreachable_host_is_remembered_only),
	T(the_ip_header_is_the_sockets),
	T(checksums_are_right_or_left_to_the_interface),
	T(ipv6_segments_are_ipv6s),
	T(an_interface_that_cuts_gets_large_segments),
	T(data_carry_the_acknowledgement),
	T(a_pause_starts_the_window_anew),
	T(ipv6_options_and_the_smallest_mtu_make_segments_smaller));
