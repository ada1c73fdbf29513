/* src/netinet/tcp_timer.c: when what is done, in virtual time; and the one callout behind the timers. */
#include "tests/unit/tcp_flow.h"

/* The time until the next segment goes, in ms; it is taken. At most `most`. */
static uint64_t
next_after(uint64_t most)
{
	uint64_t start = machine_now(curmachine());

	while (waiting() == 0 && machine_now(curmachine()) - start < most * FLOW_MS)
		let_pass(FLOW_MS);
	CHECK(waiting() != 0);
	segment = went();
	return (machine_now(curmachine()) - start) / FLOW_MS;
}

#define AROUND(value, want, slack) do {						\
	uint64_t v_ = (value);							\
	if (v_ + (slack) < (uint64_t)(want) || v_ > (uint64_t)(want) + (slack))	\
		CHECK_EQ(v_, want);						\
} while (0)

/* ---- connecting --------------------------------------------------------------------------- */

KTEST(a_syn_is_repeated_less_and_less_often)
{
	static const unsigned seconds[] = {1, 2, 4, 8, 16, 32};
	tcp_seq iss;

	tcp_testbed();
	CHECK_EQ(begin_flow(false), EINPROGRESS);
	segment = went();
	iss = segment.seq;
	for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
		AROUND(next_after(100000), seconds[i] * 1000, 260 + seconds[i] * 210);
		CHECK_EQ(segment.flags, S);
		CHECK_EQ(segment.seq, iss);
		CHECK_EQ(segment.optlen, 20);
	}
	CHECK_EQ(flow->so_error, 0);
	/* net.inet.tcp.keepinit: 75 s in all. */
	pass(20 * FLOW_SEC);
	CHECK(flow->so_pcb == NULL);
	CHECK_EQ(flow->so_error, ETIMEDOUT);
	CHECK_EQ(tst()->tcps_keepdrops, 1);
	nevermind();
	end_flow();
}

KTEST(a_syn_without_options_is_tried_when_told_so)
{
	tcp_testbed();
	tconfig()->rexmit_drop_options = 1;
	CHECK_EQ(begin_flow(false), EINPROGRESS);
	for (int i = 0; i < 3; i++)
		(void)next_after(5000);
	CHECK_EQ(segment.optlen, 20);
	(void)next_after(5000);
	CHECK_EQ(segment.optlen, 4);
	end_flow();
}

KTEST(a_lost_syn_makes_the_initial_window_one_segment)
{
	struct tseg s;

	tcp_testbed();
	CHECK_EQ(begin_flow(false), EINPROGRESS);
	(void)next_after(5000);
	(void)next_after(5000);
	s = segment;
	our_port = s.our_port;
	COME(.our_port = s.our_port, .flags = S | A, .seq = PEER_ISS, .ack = s.seq + 1, .win = 65535,
	    .to = {.to_flags = TOF_MSS, .to_mss = 1460});
	CHECK_EQ(ftp->t_state, TCPS_ESTABLISHED);
	CHECK_EQ(ftp->snd_cwnd, 1460);
	end_flow();
}

/* ---- retransmission ----------------------------------------------------------------------- */

KTEST(retransmissions_back_off_and_end_after_twelve)
{
	uint64_t last = 0;

	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	write_flow(10, 0);
	went_data(0, 10, A | P);
	for (unsigned i = 1; i <= TCP_MAXRXTSHIFT; i++) {
		uint64_t ms = next_after(100000);

		CHECK_EQ(segment.seq, base);
		CHECK_EQ(segment.len, 10);
		CHECK(ms <= 64100);
		if (i > 1 && last < 32000)
			AROUND(ms, 2 * last, last / 4 + 50);
		last = ms;
		CHECK_EQ(ftp->t_rxtshift, i);
	}
	CHECK_EQ(tst()->tcps_timeoutdrop, 0);
	pass(70 * FLOW_SEC);
	CHECK(flow->so_pcb == NULL);
	CHECK_EQ(flow->so_error, ETIMEDOUT);
	CHECK_EQ(tst()->tcps_timeoutdrop, 1);
	CHECK_EQ(tst()->tcps_rexmttimeo, TCP_MAXRXTSHIFT);
	/* The peer is told. */
	CHECK_EQ(went().flags, R | A);
	end_flow();
}

KTEST(an_acknowledgement_ends_the_backoff)
{
	uint64_t first, third;

	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	write_flow(10, 0);
	went_data(0, 10, A | P);
	first = next_after(10000);
	(void)next_after(10000);
	acks(base + 10);
	CHECK(!tcp_timer_armed(ftp, TT_REXMT));
	CHECK_EQ(ftp->t_rxtshift, 0);
	pass(2 * FLOW_SEC);
	CHECK_EQ(waiting(), 0);
	write_flow(10, 0);
	went_data(10, 10, A | P);
	third = next_after(10000);
	/* Karn: the backoff stays until there is a round trip time of a segment that was sent once. */
	CHECK(third >= first);
	end_flow();
}

KTEST(the_user_can_give_up_sooner)
{
	int seconds = 3;

	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	CHECK_EQ(set_int(flow, IPPROTO_TCP, TCP_RXT_CONNDROPTIME, seconds), 0);
	write_flow(10, 0);
	ftp->t_softerror = EHOSTUNREACH;
	pass(3 * FLOW_SEC);
	CHECK(flow->so_pcb != NULL);
	pass(4 * FLOW_SEC);
	CHECK(flow->so_pcb == NULL);
	CHECK_EQ(flow->so_error, EHOSTUNREACH);
	end_flow();
}

KTEST(a_peer_that_shut_its_window_under_us_is_not_given_up)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	write_flow(10, 0);
	for (int i = 0; i < 30; i++) {
		pass(60 * FLOW_SEC);
		nevermind();
		/* It says: nothing of that, and no room. */
		answer(A, base, 0, NULL);
		CHECK(flow->so_pcb != NULL);
	}
	/* Silence is another matter. */
	pass(1000 * FLOW_SEC);
	CHECK(flow->so_pcb == NULL);
	nevermind();
	end_flow();
}

KTEST(black_holes_are_found_and_what_was_none_is_taken_back)
{
	tcp_testbed();
	tconfig()->pmtud_blackhole_detection = 1;
	open_flow(false, (struct flow_peer){0});
	write_flow(1460, 0);
	went_data(0, 1460, A | P);
	(void)next_after(100000);
	CHECK_EQ(segment.len, 1460);
	(void)next_after(100000);
	CHECK_EQ(segment.len, 1200);
	CHECK_EQ(mtod(sent.m[taken - 1], const struct ip *)->ip_off, 0);
	CHECK_EQ(tst()->tcps_mss_to_medium, 1);
	(void)next_after(100000);
	CHECK_EQ(segment.len, 1200);
	(void)next_after(100000);
	CHECK_EQ(segment.len, 536);
	CHECK_EQ(tst()->tcps_mss_to_default, 1);
	(void)next_after(100000);
	(void)next_after(100000);
	CHECK_EQ(tst()->tcps_pmtudbh_reverted, 1);
	CHECK_EQ(ftp->t_maxseg, 1460);
	CHECK(mtod(sent.m[taken - 1], const struct ip *)->ip_off & htons(IP_DF));
	end_flow();
}

/* ---- persist ------------------------------------------------------------------------------ */

KTEST(probes_of_a_shut_window_back_off_and_go_on_while_it_answers)
{
	static const unsigned seconds[] = {5, 5, 10, 20, 40, 60, 60, 60};

	tcp_testbed();
	open_flow(false, (struct flow_peer){.win = 10});
	write_flow(20, 0);
	went_data(0, 10, A);
	answer(A, base + 10, 0, NULL);
	for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
		AROUND(next_after(100000), seconds[i] * 1000, 20);
		CHECK_EQ(segment.len, 1);
		CHECK_EQ(segment.seq, base + 10);
		answer(A, base + 10, 0, NULL);
	}
	pass(3600 * FLOW_SEC);
	nevermind();
	CHECK(flow->so_pcb != NULL);
	CHECK_EQ(tst()->tcps_persistdrop, 0);
	end_flow();
}

KTEST(a_silent_peer_with_a_shut_window_is_given_up_in_the_end)
{
	tcp_testbed();
	tconfig()->maxpersistidle = 600000;
	open_flow(false, (struct flow_peer){.win = 10});
	write_flow(20, 0);
	answer(A, base + 10, 0, NULL);
	pass(590 * FLOW_SEC);
	CHECK(flow->so_pcb != NULL);
	pass(300 * FLOW_SEC);
	CHECK(flow->so_pcb == NULL);
	CHECK_EQ(flow->so_error, ETIMEDOUT);
	CHECK_EQ(tst()->tcps_persistdrop, 1);
	nevermind();
	end_flow();
}

/* ---- acknowledgements --------------------------------------------------------------------- */

KTEST(one_segment_is_acknowledged_after_40_ms_two_at_once)
{
	static char full[1461];

	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	answer(A | P, base, 65535, "hello");
	CHECK_EQ(waiting(), 0);
	AROUND(next_after(1000), 40, 2);
	CHECK_EQ(segment.flags, A);
	CHECK_EQ(segment.ack, PEER_ISS + 6);
	CHECK_EQ(tst()->tcps_delack, 1);
	memset(full, 'x', 1460);
	answer(A, base, 65535, full);
	CHECK_EQ(waiting(), 0);
	answer(A, base, 65535, full);
	CHECK_EQ(waiting(), 1);
	CHECK_EQ(went().ack, PEER_ISS + 6 + 2920);
	pass(FLOW_SEC);
	CHECK_EQ(waiting(), 0);
	end_flow();
}

/* ---- keepalive ---------------------------------------------------------------------------- */

KTEST(an_idle_connection_is_probed_and_given_up)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	pass(20000 * FLOW_SEC);
	/* Only who asks for it. */
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(set_int(flow, IPPROTO_TCP, TCP_KEEPALIVE, 10), 0);
	CHECK_EQ(set_int(flow, IPPROTO_TCP, TCP_KEEPINTVL, 2), 0);
	CHECK_EQ(set_int(flow, IPPROTO_TCP, TCP_KEEPCNT, 3), 0);
	CHECK_EQ(set_int(flow, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
	answer(A | P, base, 65535, "x");
	AROUND(next_after(100), 40, 2);
	AROUND(next_after(20000), 10000 - 40, 20);
	CHECK_EQ(segment.flags, A);
	CHECK_EQ(segment.seq, base - 1);
	CHECK_EQ(segment.len, 0);
	/* An answer, and all is well for ten seconds. */
	acks(base);
	AROUND(next_after(20000), 10000, 20);
	AROUND(next_after(20000), 2000, 20);
	AROUND(next_after(20000), 2000, 20);
	CHECK(flow->so_pcb != NULL);
	pass(2100 * FLOW_MS);
	CHECK(flow->so_pcb == NULL);
	CHECK_EQ(flow->so_error, ETIMEDOUT);
	CHECK_EQ(tst()->tcps_keepprobe, 4);
	CHECK_EQ(tst()->tcps_keepdrops, 1);
	nevermind();
	end_flow();
}

KTEST(keepalive_may_be_asked_for_while_it_is_idle)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	CHECK_EQ(set_int(flow, IPPROTO_TCP, TCP_KEEPALIVE, 10), 0);
	CHECK_EQ(set_int(flow, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
	AROUND(next_after(20000), 10000, 100);
	end_flow();
}

/* ---- the callout -------------------------------------------------------------------------- */

KTEST(setting_a_timer_later_does_not_touch_the_callout)
{
	uint64_t order;

	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	tcp_timer_stop_all(ftp);
	tcp_timer_set(ftp, TT_REXMT, FLOW_SEC);
	order = ftp->t_callout.order;
	for (int i = 0; i < 10; i++)
		tcp_timer_set(ftp, TT_REXMT, (uint64_t)(i + 2) * FLOW_SEC);
	tcp_timer_set(ftp, TT_KEEP, 3 * FLOW_SEC);
	tcp_timer_set(ftp, TT_KEEP, 0);
	CHECK_EQ(ftp->t_callout.order, order);
	CHECK_EQ(ftp->t_callout.deadline, machine_now(curmachine()) + FLOW_SEC);
	/* It is called too early, and armed for what is left. */
	let_pass(FLOW_SEC + FLOW_MS);
	CHECK(callout_pending(&ftp->t_callout));
	CHECK_EQ(ftp->t_callout.deadline, ftp->t_timers[TT_REXMT]);
	CHECK_EQ(tst()->tcps_rexmttimeo, 0);
	/* An earlier one does. */
	tcp_timer_set(ftp, TT_DELACK, FLOW_MS);
	CHECK_EQ(ftp->t_callout.deadline, machine_now(curmachine()) + FLOW_MS);
	/* With none left it stops coming. */
	tcp_timer_stop_all(ftp);
	CHECK(!callout_pending(&ftp->t_callout));
	end_flow();
}

KTEST(an_idle_connection_has_no_timer)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){.options = TOF_SCALE | TOF_SACKPERM | TOF_TS});
	write_flow(5000, 0);
	acks(ftp->snd_nxt);
	acks(ftp->snd_nxt);
	CHECK_EQ(ftp->snd_una, base + 5000);
	pass(100 * FLOW_SEC);
	for (int t = 0; t < TT_COUNT; t++)
		CHECK_EQ(ftp->t_timers[t], 0);
	CHECK(!callout_pending(&ftp->t_callout));
	end_flow();
}

KTEST(fin_wait_2_of_nobodys_socket_ends)
{
	struct nke *machine = curmachine();
	uint32_t before;

	tcp_testbed();
	before = machine->tcp->pcbs.count;
	open_flow(false, (struct flow_peer){0});
	CHECK_EQ(machine->tcp->pcbs.count, before + 1);
	CHECK_EQ(soclose(flow), 0);
	let_run();
	CHECK_EQ(went().flags, A | F);
	COME(.our_port = our_port, .flags = A, .seq = PEER_ISS + 1, .ack = base + 1, .win = 65535);
	CHECK_EQ(machine->tcp->states[TCPS_FIN_WAIT_2], 1);
	pass(1000 * FLOW_SEC);
	CHECK_EQ(machine->tcp->states[TCPS_FIN_WAIT_2], 0);
	CHECK_EQ(machine->tcp->pcbs.count, before);
	nevermind();
	testbed_end();
}

/* Nothing is in flight that would bring an answer. */
KTEST(a_fin_that_found_no_memory_goes_later)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	fail_after(1);
	CHECK_EQ(soclose(flow), 0);
	fail_after(0);
	CHECK_EQ(waiting(), 0);
	(void)next_after(10000);
	CHECK_EQ(segment.flags, A | F);
	CHECK_EQ(segment.seq, base);
	COME(.our_port = our_port, .flags = A | F, .seq = PEER_ISS + 1, .ack = base + 1, .win = 65535);
	pass(100 * FLOW_SEC);
	nevermind();
	CHECK_EQ(curmachine()->tcp->pcbs.count, 0);
	testbed_end();
}

KTEST_SUITE(tcp_timer,
	T(a_syn_is_repeated_less_and_less_often),
	T(a_syn_without_options_is_tried_when_told_so),
	T(a_lost_syn_makes_the_initial_window_one_segment),
	T(retransmissions_back_off_and_end_after_twelve),
	T(an_acknowledgement_ends_the_backoff),
	T(the_user_can_give_up_sooner),
	T(a_peer_that_shut_its_window_under_us_is_not_given_up),
	T(black_holes_are_found_and_what_was_none_is_taken_back),
	T(probes_of_a_shut_window_back_off_and_go_on_while_it_answers),
	T(a_silent_peer_with_a_shut_window_is_given_up_in_the_end),
	T(one_segment_is_acknowledged_after_40_ms_two_at_once),
	T(an_idle_connection_is_probed_and_given_up),
	T(keepalive_may_be_asked_for_while_it_is_idle),
	T(setting_a_timer_later_does_not_touch_the_callout),
	T(an_idle_connection_has_no_timer),
	T(fin_wait_2_of_nobodys_socket_ends),
	T(a_fin_that_found_no_memory_goes_later));
