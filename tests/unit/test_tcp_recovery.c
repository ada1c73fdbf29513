/*
 * src/netinet/tcp_recovery.c, tcp_undo.c, tcp_frto.c: recovery, and taking it back. The round trip
 * is 100 ms.
 */
#include "src/netinet/tcp_ecn.h"
#include "tests/unit/tcp_loss.h"

static void
reno(void)
{
	cc_assign(ftp, &cc_newreno);
}

/* ---- without SACK: RFC 5681, 6582, 3042 ----------------------------------------------------- */

KTEST(the_third_duplicate_ack_begins_recovery)
{
	open_loss(NO_SACK);
	reno();
	fly(20, 20);
	ACK(0);
	ACK(0);
	CHECK(!tcp_in_recovery(ftp));
	CHECK_STR(map(), "....................");
	ACK(0);
	CHECK(ftp->t_flags & TF_FASTRECOVERY);
	CHECK_STR(map(), "r...................");
	CHECK_EQ(ftp->snd_ssthresh, 10 * MSS);
	CHECK_EQ(ftp->t_recover, ftp->snd_nxt);
	went_segment(0);
	end_loss();
}

KTEST(two_duplicate_acks_let_two_new_segments_out)
{
	open_loss(NO_SACK);
	fly(15, 10);
	ACK(0);
	went_segment(10);
	ACK(0);
	went_segment(11);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(tst()->tcps_limited_txt, 2);
	CHECK_EQ(ftp->snd_cwnd, 10 * MSS);
	end_loss();
}

KTEST(limited_transmit_can_be_off)
{
	open_loss(NO_SACK);
	tconfig()->rfc3042 = 0;
	fly(15, 10);
	ACK(0);
	ACK(0);
	CHECK_EQ(waiting(), 0);
	end_loss();
}

KTEST(a_partial_ack_sends_the_next_hole)
{
	open_loss(NO_SACK);
	reno();
	fly(10, 10);
	for (int i = 0; i < 3; i++)
		ACK(0);
	nevermind();
	ACK(4);
	CHECK(ftp->t_flags & TF_FASTRECOVERY);
	CHECK_STR(map(), "r.....");
	went_segment(4);
	/* All of it: the end. */
	ACK(10);
	CHECK(!tcp_in_recovery(ftp));
	CHECK_EQ(ftp->t_dup_bytes, 0);
	CHECK(ftp->snd_cwnd <= ftp->snd_ssthresh + MSS);
	end_loss();
}

KTEST(duplicates_after_recovery_do_not_begin_another)
{
	open_loss(NO_SACK);
	reno();
	fly(10, 10);
	for (int i = 0; i < 3; i++)
		ACK(0);
	ACK(10);
	fly(5, 10);
	/* RFC 6582 4.1: for what was sent again superfluously. */
	for (int i = 0; i < 4; i++)
		ACK(10);
	CHECK(!tcp_in_recovery(ftp));
	end_loss();
}

KTEST(duplicate_acks_inflate_the_window)
{
	open_loss(NO_SACK);
	reno();
	tconfig()->do_prr = 0;
	fly(30, 20);
	for (int i = 0; i < 3; i++)
		ACK(0);
	went_segment(20);
	went_segment(21);
	went_segment(0);
	/*
	 * Two by limited transmit, so 22 are out; ssthresh is 10: from the 13th duplicate on there
	 * is room.
	 */
	for (int i = 0; i < 9; i++)
		ACK(0);
	CHECK_EQ(waiting(), 0);
	ACK(0);
	went_segment(22);
	CHECK_EQ(waiting(), 0);
	end_loss();
}

/* ---- with SACK: PRR ------------------------------------------------------------------------- */

KTEST(the_window_is_reduced_in_proportion)
{
	unsigned before, out = 0;

	open_loss(SACK);
	reno();
	fly(60, 20);
	pass(100 * FLOW_MS);
	ACK(0, {1, 2});
	ACK(0, {1, 3});
	nevermind();
	ACK(0, {1, 4});
	CHECK_EQ(ftp->snd_ssthresh, 10 * MSS);
	went_segment(0);
	/* Half a segment for each that arrives: one for two. */
	before = waiting();
	for (unsigned i = 5; i <= 20; i++)
		ACK(0, {1, i});
	out = waiting() - before;
	CHECK(out >= 7 && out <= 9);
	CHECK_EQ(tcp_pipe(ftp), ftp->snd_ssthresh);
	ACK(20);
	CHECK_EQ(ftp->snd_ssthresh, 10 * MSS);
	end_loss();
}

KTEST(half_a_window_of_losses_does_not_stall)
{
	open_loss(SACK);
	reno();
	fly(60, 20);
	pass(100 * FLOW_MS);
	nevermind();
	/* All but the last four are lost; each that arrives lets one go, or two when ACKs progress. */
	ACK(0, {16, 20});
	CHECK(waiting() >= 1);
	CHECK(tcp_pipe(ftp) <= 4 * MSS);
	nevermind();
	pass(100 * FLOW_MS);
	ACK(1, {16, 20});
	CHECK_EQ(waiting(), 2);
	end_loss();
}

KTEST(recovery_ends_when_all_of_then_is_acknowledged)
{
	open_loss(SACK);
	reno();
	fly(30, 20);
	pass(100 * FLOW_MS);
	ACK(0, {1, 4});
	CHECK_EQ(tst()->tcps_sack_recovery_episode, 1);
	ACK(19);
	CHECK(ftp->t_flags & TF_FASTRECOVERY);
	ACK(21);
	CHECK(!tcp_in_recovery(ftp));
	CHECK(ftp->snd_cwnd <= ftp->snd_ssthresh + MSS);
	end_loss();
}

KTEST(the_last_segment_is_rescued)
{
	open_loss(SACK);
	tconfig()->rack = 0;		/* which finds it lost by itself */
	fly(10, 10);
	pass(100 * FLOW_MS);
	ACK(0, {1, 8});
	went_segment(0);
	CHECK_EQ(tst()->tcps_rescue_rxmt, 0);
	/* The retransmission's ACK, a round trip and its deviation later: where are 8 and 9? */
	pass(250 * FLOW_MS);
	nevermind();
	ACK(8);
	CHECK_STR(map(), ".r");
	CHECK_EQ(tst()->tcps_rescue_rxmt, 1);
	went_segment(9);
	end_loss();
}

/* ---- RTO ------------------------------------------------------------------------------------ */

KTEST(after_a_timeout_all_is_lost)
{
	open_loss(NO_SACK);
	reno();
	tconfig()->frto = 0;
	fly(20, 20);
	pass(501 * FLOW_MS);
	CHECK(ftp->t_flags & TF_RTORECOVERY);
	CHECK_STR(map(), "rLLLLLLLLLLLLLLLLLLL");
	CHECK_EQ(ftp->snd_cwnd, MSS);
	CHECK_EQ(ftp->snd_ssthresh, 10 * MSS);
	went_segment(0);
	CHECK_EQ(waiting(), 0);
	/* Slow start goes through them; RFC 3465: by a segment per ACK. */
	pass(100 * FLOW_MS);
	ACK(1);
	CHECK_STR(map(), "rrLLLLLLLLLLLLLLLLL");
	CHECK_EQ(ftp->snd_cwnd, 2 * MSS);
	/* The same segment again: the threshold stays. */
	pass(FLOW_SEC);
	CHECK_EQ(ftp->snd_ssthresh, 2 * MSS);
	pass(3 * FLOW_SEC);
	CHECK_EQ(ftp->snd_ssthresh, 2 * MSS);
	CHECK_EQ(ftp->snd_cwnd, MSS);
	ACK(20);
	CHECK(!tcp_in_recovery(ftp));
	end_loss();
}

KTEST(a_receiver_that_reneges_is_believed)
{
	open_loss(SACK);
	tconfig()->rack = 0;
	fly(5, 10);
	ACK(0, {1, 2});
	/* It has thrown the second away, and asks for it. */
	ACK(1);
	CHECK_STR(map(), "s...");
	pass(FLOW_SEC);
	CHECK_STR(map(), "rLLL");
	CHECK_EQ(ftp->t_sacked, 0);
	end_loss();
}

/* The timeout comes before any probe. */
static void
no_probe(void)
{
	ftp->t_flags &= ~(uint32_t)TF_TLP_ARMED;
	tcp_timer_set(ftp, TT_LOSS, 0);
}

/* ---- F-RTO: RFC 5682 ------------------------------------------------------------------------ */

KTEST(late_acks_prove_a_timeout_wrong)
{
	open_loss(NO_SACK);
	reno();
	fly(30, 10);
	pass(501 * FLOW_MS);
	went_segment(0);
	CHECK(ftp->t_flags & TF_FRTO);
	pass(200 * FLOW_MS);
	/* Step 2: two new segments instead of more retransmissions. */
	ACK(1);
	CHECK_STR(map(), "...........");
	went_segment(10);
	went_segment(11);
	CHECK_EQ(waiting(), 0);
	/* Step 3: the next ACK moves on too. */
	ACK(2);
	CHECK(!tcp_in_recovery(ftp));
	CHECK_EQ(tst()->tcps_sndrexmitbad, 1);
	CHECK(ftp->snd_cwnd >= 10 * MSS);
	CHECK(ftp->snd_ssthresh > 100 * MSS);
	end_loss();
}

KTEST(late_acks_prove_it_with_sack_too)
{
	open_loss(SACK);
	fly(30, 10);
	no_probe();
	pass(501 * FLOW_MS);
	CHECK(ftp->t_flags & TF_FRTO);
	pass(200 * FLOW_MS);
	ACK(1);
	CHECK_STR(map(), "...........");
	ACK(2);
	CHECK(!tcp_in_recovery(ftp));
	CHECK_EQ(tst()->tcps_sndrexmitbad, 1);
	/* And nothing goes again on account of the retransmission's having arrived. */
	CHECK(strchr(map(), 'L') == NULL && strchr(map(), 'r') == NULL);
	ACK(5);
	CHECK(strchr(map(), 'L') == NULL && strchr(map(), 'r') == NULL);
	end_loss();
}

KTEST(a_duplicate_ack_proves_a_timeout_right)
{
	open_loss(NO_SACK);
	reno();
	fly(30, 10);
	pass(501 * FLOW_MS);
	pass(200 * FLOW_MS);
	ACK(1);
	nevermind();
	ACK(1);
	CHECK(ftp->t_flags & TF_RTORECOVERY);
	CHECK(!(ftp->t_flags & TF_FRTO));
	CHECK_EQ(ftp->snd_ssthresh, 5 * MSS);
	/* What was out at the timeout goes again; the new segments do not. */
	went_segment(1);
	CHECK_STR(map() + 9, "..");
	end_loss();
}

KTEST(without_new_data_a_timeout_is_taken_as_it_is)
{
	open_loss(NO_SACK);
	fly(10, 10);
	pass(501 * FLOW_MS);
	pass(200 * FLOW_MS);
	nevermind();
	ACK(1);
	CHECK(!(ftp->t_flags & TF_FRTO));
	went_segment(1);
	end_loss();
}

KTEST(a_timeout_in_recovery_is_taken_as_it_is)
{
	open_loss(SACK);
	fly(30, 10);
	pass(100 * FLOW_MS);
	ACK(0, {1, 4});
	CHECK(ftp->t_flags & TF_FASTRECOVERY);
	pass(FLOW_SEC);
	CHECK(ftp->t_flags & TF_RTORECOVERY);
	CHECK(!(ftp->t_flags & TF_FRTO));
	end_loss();
}

KTEST(sacked_new_data_proves_a_timeout_right)
{
	open_loss(SACK);
	fly(30, 10);
	no_probe();
	pass(501 * FLOW_MS);
	pass(200 * FLOW_MS);
	ACK(1);
	CHECK_STR(map(), "...........");
	nevermind();
	ACK(1, {10, 12});
	CHECK(!(ftp->t_flags & TF_FRTO));
	went_segment(1);
	end_loss();
}

KTEST(sacked_old_data_proves_a_timeout_wrong)
{
	open_loss(SACK);
	fly(30, 10);
	no_probe();
	pass(501 * FLOW_MS);
	pass(200 * FLOW_MS);
	ACK(1);
	ACK(1, {2, 3});
	CHECK(!tcp_in_recovery(ftp));
	CHECK_EQ(tst()->tcps_sndrexmitbad, 1);
	CHECK_EQ(ftp->t_lost, 0);
	end_loss();
}

/*
 * ---- undoing
 * ------------------------------------------------------------------------------------------
 */

KTEST(an_old_timestamp_proves_that_the_original_came)
{
	uint32_t then;

	open_loss(SACK | TS);
	reno();
	fly(10, 10);
	then = ftp->ts_offset + tcp_ts_now(curmachine());
	pass(100 * FLOW_MS);
	ACK(0, {1, 4});
	CHECK(ftp->t_flags & TF_FASTRECOVERY);
	CHECK_EQ(ftp->snd_ssthresh, 5 * MSS);
	pass(5 * FLOW_MS);
	ack_octets(4 * MSS, then, NULL, 0);
	CHECK(!tcp_in_recovery(ftp));
	CHECK(ftp->snd_cwnd >= 10 * MSS);
	CHECK(ftp->snd_ssthresh > 100 * MSS);
	CHECK(ftp->t_flags & TF_REORDERED);
	end_loss();
}

KTEST(a_timestamp_of_another_hole_proves_nothing)
{
	uint32_t then;

	open_loss(SACK | TS);
	reno();
	fly(10, 10);
	/* The first was sent again for another reason, before the fourth is found lost. */
	pass(100 * FLOW_MS);
	tcp_sent_again(ftp, TAILQ_FIRST(&ftp->t_sent));
	then = ftp->ts_offset + tcp_ts_now(curmachine());
	pass(10 * FLOW_MS);
	ACK(0, {1, 3}, {4, 8});
	CHECK_STR(map(), "rssrssss..");
	ack_octets(8 * MSS, then, NULL, 0);
	CHECK(ftp->t_flags & TF_FASTRECOVERY);
	end_loss();
}

KTEST(a_new_timestamp_proves_nothing)
{
	open_loss(SACK | TS);
	reno();
	fly(10, 10);
	pass(100 * FLOW_MS);
	ACK(0, {1, 4});
	pass(100 * FLOW_MS);
	ACK(4);
	CHECK(ftp->t_flags & TF_FASTRECOVERY);
	CHECK_EQ(ftp->snd_ssthresh, 5 * MSS);
	end_loss();
}

KTEST(without_timestamps_an_ack_right_after_a_timeout_undoes_it)
{
	open_loss(NO_SACK);
	reno();
	tconfig()->frto = 0;
	fly(10, 10);
	pass(501 * FLOW_MS);
	CHECK_EQ(ftp->snd_cwnd, MSS);
	/* Within half a round trip. */
	pass(30 * FLOW_MS);
	ACK(2);
	CHECK(!tcp_in_recovery(ftp));
	CHECK(ftp->snd_cwnd >= 10 * MSS);
	CHECK_STR(map(), "........");
	end_loss();
}

KTEST(dsack_for_all_that_went_again_undoes)
{
	open_loss(SACK);
	reno();
	fly(20, 10);
	pass(100 * FLOW_MS);
	/* 0 and 4 look lost. */
	ACK(0, {1, 4}, {5, 9});
	CHECK_EQ(ftp->t_undo->rexmits, 2);
	ACK(10);
	CHECK(!tcp_in_recovery(ftp));
	CHECK_EQ(ftp->snd_ssthresh, 5 * MSS);
	ACK(10, {0, 1});
	CHECK_EQ(ftp->snd_ssthresh, 5 * MSS);
	ACK(10, {4, 5});
	CHECK(ftp->snd_ssthresh > 100 * MSS);
	CHECK(ftp->snd_cwnd >= 10 * MSS);
	CHECK_EQ(tst()->tcps_sndrexmitbad, 1);
	end_loss();
}

KTEST(without_memory_a_reduction_stays)
{
	struct core_memory memory;

	open_loss(NO_SACK);
	reno();
	fly(30, 10);
	machine_memory(curmachine(), &memory);
	curmachine()->config.fail_alloc = memory.allocations + 1;
	tcp_recovery_rto(ftp);
	curmachine()->config.fail_alloc = 0;
	CHECK(ftp->t_undo == NULL);
	CHECK(ftp->t_flags & TF_RTORECOVERY);
	CHECK_EQ(ftp->snd_cwnd, MSS);
	/* F-RTO could prove the timeout wrong, and there would be nothing to go back to. */
	CHECK(!(ftp->t_flags & TF_FRTO));
	CHECK_EQ(tcp_output(ftp), 0);
	pass(200 * FLOW_MS);
	ACK(1);
	ACK(2);
	CHECK(ftp->t_flags & TF_RTORECOVERY);
	CHECK_EQ(ftp->snd_ssthresh, 5 * MSS);
	ACK(10);
	CHECK(!tcp_in_recovery(ftp));
	CHECK_EQ(tst()->tcps_sndrexmitbad, 0);
	end_loss();
}

KTEST(what_can_be_undone_is_forgotten_after_a_round_trip)
{
	open_loss(SACK);
	reno();
	fly(40, 10);
	pass(100 * FLOW_MS);
	ACK(0, {1, 4});
	ACK(10);
	CHECK(!tcp_in_recovery(ftp));
	CHECK(ftp->t_undo != NULL);
	ACK(10);
	CHECK(ftp->t_undo != NULL);
	pass(100 * FLOW_MS);
	ACK(12);
	CHECK(ftp->t_undo == NULL);
	end_loss();
}

/*
 * ---- ECN: RFC 3168
 * ---------------------------------------------------------------------------------------
 */

static void
echo(unsigned n)
{
	answer(A | TH_ECE, base + n * MSS, 8192, NULL);
}

KTEST(congestion_echo_reduces_once_per_window)
{
	uint16_t flags = TH_ACK;

	open_loss(SACK);
	reno();
	ftp->t_flags |= TF_ECN_PERMIT;
	fly(20, 20);
	ftp->snd_cwnd = 20 * MSS;
	echo(2);
	CHECK_EQ(ftp->snd_cwnd, 10 * MSS);
	echo(4);
	CHECK_EQ(ftp->snd_cwnd, 10 * MSS);
	CHECK_EQ(tst()->tcps_ecn_recv_ece, 2);
	/* CWR goes with the next new data, once. */
	CHECK_EQ(tcp_ecn_output(ftp, &flags, MSS, true), IPTOS_ECN_NOTECT);
	CHECK_EQ(flags, TH_ACK);
	CHECK_EQ(tcp_ecn_output(ftp, &flags, MSS, false), IPTOS_ECN_ECT0);
	CHECK_EQ(flags, TH_ACK | TH_CWR);
	flags = TH_ACK;
	(void)tcp_ecn_output(ftp, &flags, MSS, false);
	CHECK_EQ(flags, TH_ACK);
	/* The next window's is a new one. */
	ACK(20);
	fly(10, 10);
	echo(22);
	CHECK(ftp->snd_cwnd <= 5 * MSS);
	CHECK(ftp->t_flags & TF_CONGRECOVERY);
	/* Slow start after a timeout is not held up by it. */
	pass(5 * FLOW_SEC);
	CHECK(ftp->t_flags & TF_RTORECOVERY);
	CHECK(!(ftp->t_flags & TF_CONGRECOVERY));
	end_loss();
}

KTEST(a_mark_is_echoed_until_the_peer_has_reduced)
{
	uint16_t flags = TH_ACK;

	open_loss(SACK);
	ftp->t_flags |= TF_ECN_PERMIT;
	COME(.our_port = our_port, .flags = A, .seq = ftp->rcv_nxt, .ack = base, .win = 8192, .data = "x",
	    .tos = IPTOS_ECN_CE);
	CHECK_EQ(ftp->t_ecn_ce, 1);
	(void)tcp_ecn_output(ftp, &flags, 0, false);
	CHECK_EQ(flags, TH_ACK | TH_ECE);
	COME(.our_port = our_port, .flags = A | TH_CWR, .seq = ftp->rcv_nxt, .ack = base, .win = 8192,
	    .data = "y");
	flags = TH_ACK;
	(void)tcp_ecn_output(ftp, &flags, 0, false);
	CHECK_EQ(flags, TH_ACK);
	end_loss();
}

/*
 * ---- round trip times: RFC 6298
 * ----------------------------------------------------------------------------
 */

KTEST(the_timeout_follows_the_rfc)
{
	open_loss(NO_SACK);
	/* 2.2: SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR; and the slop. */
	CHECK_EQ(ftp->t_srtt >> 3, 100000);
	CHECK_EQ(ftp->t_rttvar >> 2, 50000);
	CHECK_EQ(tcp_rto(ftp), 300000 + 200000);
	/* 2.3: RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R'|, SRTT = 7/8 SRTT + 1/8 R'. */
	tcp_rtt_update(ftp, 180000);
	CHECK_EQ(ftp->t_srtt >> 3, 110000);
	CHECK_EQ(ftp->t_rttvar >> 2, 57500);
	CHECK_EQ(tcp_rto(ftp), 110000 + 230000 + 200000);
	for (int i = 0; i < 200; i++)
		tcp_rtt_update(ftp, 1000);
	CHECK_EQ(tcp_rto(ftp), 30000 + 200000);
	for (int i = 0; i < 200; i++)
		tcp_rtt_update(ftp, 100000000);
	CHECK_EQ(tcp_rto(ftp), 64000000);
	end_loss();
}

KTEST(the_least_round_trip_is_forgotten_after_minutes)
{
	open_loss(NO_SACK);
	tcp_minrtt_update(ftp, 20000);
	CHECK_EQ(ftp->t_minrtt, 20000);
	tcp_minrtt_update(ftp, 30000);
	CHECK_EQ(ftp->t_minrtt, 20000);
	pass(151 * FLOW_SEC);
	tcp_minrtt_update(ftp, 30000);
	CHECK_EQ(ftp->t_minrtt, 20000);
	pass(151 * FLOW_SEC);
	tcp_minrtt_update(ftp, 40000);
	CHECK_EQ(ftp->t_minrtt, 30000);
	end_loss();
}

KTEST_SUITE(tcp_recovery,
	T(the_third_duplicate_ack_begins_recovery),
	T(two_duplicate_acks_let_two_new_segments_out),
	T(limited_transmit_can_be_off),
	T(a_partial_ack_sends_the_next_hole),
	T(duplicates_after_recovery_do_not_begin_another),
	T(duplicate_acks_inflate_the_window),
	T(the_window_is_reduced_in_proportion),
	T(half_a_window_of_losses_does_not_stall),
	T(recovery_ends_when_all_of_then_is_acknowledged),
	T(the_last_segment_is_rescued),
	T(after_a_timeout_all_is_lost),
	T(a_receiver_that_reneges_is_believed),
	T(late_acks_prove_a_timeout_wrong),
	T(late_acks_prove_it_with_sack_too),
	T(a_duplicate_ack_proves_a_timeout_right),
	T(without_new_data_a_timeout_is_taken_as_it_is),
	T(a_timeout_in_recovery_is_taken_as_it_is),
	T(sacked_new_data_proves_a_timeout_right),
	T(sacked_old_data_proves_a_timeout_wrong),
	T(an_old_timestamp_proves_that_the_original_came),
	T(a_timestamp_of_another_hole_proves_nothing),
	T(a_new_timestamp_proves_nothing),
	T(without_timestamps_an_ack_right_after_a_timeout_undoes_it),
	T(dsack_for_all_that_went_again_undoes),
	T(without_memory_a_reduction_stays),
	T(what_can_be_undone_is_forgotten_after_a_round_trip),
	T(congestion_echo_reduces_once_per_window),
	T(a_mark_is_echoed_until_the_peer_has_reduced),
	T(the_timeout_follows_the_rfc),
	T(the_least_round_trip_is_forgotten_after_minutes));
