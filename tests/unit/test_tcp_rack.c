/* src/netinet/tcp_rack.c: who is lost (RFC 8985), and tail loss probes. The round trip time is 100 ms. */
#include "tests/unit/tcp_loss.h"

/* Sends one segment each `ms`, `n` of them; what is unsent of `cwnd` follows as ACKs allow. */
static void
fly_apart(unsigned n, uint64_t ms)
{
	ftp->snd_cwnd = 100 * MSS;
	while (n-- != 0) {
		CHECK_EQ(write_flow(MSS, 0), MSS);
		pass(ms * FLOW_MS);
	}
	nevermind();
}

/* ---- RACK ----------------------------------------------------------------------------------- */

KTEST(three_sacked_segments_mark_what_was_sent_before)
{
	open_loss(SACK);
	fly(10, 10);
	pass(100 * FLOW_MS);
	ACK(0, {1, 2});
	CHECK_STR(map(), ".s........");
	ACK(0, {1, 3});
	CHECK_STR(map(), ".ss.......");
	CHECK(!tcp_in_recovery(ftp));
	/* And it goes again at once. */
	ACK(0, {1, 4});
	CHECK_STR(map(), "rsss......");
	CHECK(ftp->t_flags & TF_FASTRECOVERY);
	went_segment(0);
	end_loss();
}

KTEST(what_was_sent_later_is_not_lost)
{
	open_loss(SACK);
	fly(4, 10);
	pass(FLOW_MS);
	fly(4, 10);
	pass(99 * FLOW_MS);
	ACK(0, {1, 4});
	CHECK_STR(map(), "rsss....");
	/* Of the second burst something arrives. */
	ACK(0, {6, 7}, {1, 4});
	CHECK_STR(map() + 6, "s.");
	CHECK(strchr("Lr", map()[4]) != NULL);
	CHECK(strchr("Lr", map()[5]) != NULL);
	end_loss();
}

KTEST(few_sacks_wait_for_the_reordering_window)
{
	open_loss(SACK);
	fly(3, 10);
	pass(100 * FLOW_MS);
	ACK(0, {1, 2});
	CHECK_STR(map(), ".s.");
	CHECK(tcp_timer_armed(ftp, TT_LOSS));
	CHECK(!(ftp->t_flags & TF_TLP_ARMED));
	/* A quarter of the least round trip time. */
	pass(24 * FLOW_MS);
	CHECK_STR(map(), ".s.");
	pass(2 * FLOW_MS);
	CHECK_STR(map(), "rs.");
	CHECK(ftp->t_flags & TF_FASTRECOVERY);
	went_segment(0);
	end_loss();
}

KTEST(reordering_is_seen_and_waited_for)
{
	open_loss(SACK);
	fly(10, 10);
	pass(100 * FLOW_MS);
	ACK(0, {1, 2});
	CHECK(!(ftp->t_flags & TF_REORDERED));
	/* The first was only late. */
	ACK(2);
	CHECK(ftp->t_flags & TF_REORDERED);
	CHECK_EQ(tst()->tcps_detect_reordering, 1);
	/* From now on three SACKed segments are no proof. */
	ACK(2, {3, 7});
	CHECK_STR(map(), ".ssss...");
	pass(26 * FLOW_MS);
	CHECK_STR(map(), "rssss...");
	end_loss();
}

KTEST(a_dsack_makes_the_reordering_window_larger)
{
	open_loss(SACK);
	ftp->t_flags |= TF_REORDERED;
	fly(10, 10);
	pass(100 * FLOW_MS);
	ACK(2, {0, 1});
	CHECK_EQ(ftp->t_rack_wnd_mult, 2);
	/* Once per round trip. */
	ACK(3, {1, 2});
	CHECK_EQ(ftp->t_rack_wnd_mult, 2);
	ACK(3, {4, 5});
	pass(40 * FLOW_MS);
	CHECK_STR(map(), ".s.....");
	pass(12 * FLOW_MS);
	CHECK_STR(map(), "rs.....");
	/* Sixteen recoveries without one: back to where it was. */
	for (int i = 0; i < 16; i++)
		tcp_rack_recovered(ftp);
	CHECK_EQ(ftp->t_rack_wnd_mult, 1);
	end_loss();
}

KTEST(a_lost_retransmission_is_found)
{
	open_loss(SACK);
	fly(20, 20);
	pass(100 * FLOW_MS);
	ACK(0, {1, 5});
	CHECK_STR(map(), "rssss...............");
	/* What is sent after it comes through: then it should have been there. */
	pass(10 * FLOW_MS);
	CHECK_EQ(write_flow(10 * MSS, 0), 10 * MSS);
	ACK(0, {1, 20});
	CHECK(strlen(map()) > 20);
	pass(100 * FLOW_MS);
	nevermind();
	ACK(0, {1, 22});
	CHECK_EQ(TAILQ_FIRST(&ftp->t_sent)->retransmits, 2);
	went_segment(0);
	end_loss();
}

KTEST(an_ack_of_the_original_does_not_make_the_path_shorter)
{
	struct tcp_segment seg = {.machine = curmachine()};
	struct tcp_sent *e;

	open_loss(SACK);
	fly(2, 10);
	pass(100 * FLOW_MS);
	ACK(0, {1, 2});
	CHECK_EQ(ftp->t_rack_rtt / 1000, 100);
	e = TAILQ_FIRST(&ftp->t_sent);
	tcp_sent_mark_lost(ftp, e);
	tcp_sent_again(ftp, e);
	pass(5 * FLOW_MS);
	seg.ack = base + MSS;
	tcp_rack_delivered(ftp, e, &seg);
	CHECK_EQ(ftp->t_rack_rtt / 1000, 100);
	end_loss();
}

KTEST(dupthresh_alone_decides_without_rack)
{
	open_loss(SACK);
	tconfig()->rack = 0;
	fly(10, 10);
	ACK(0, {1, 3});
	CHECK_STR(map(), ".ss.......");
	ACK(0, {1, 4});
	CHECK_STR(map(), "rsss......");
	/* Two holes: the second has not enough above it. */
	ACK(0, {1, 4}, {6, 8});
	CHECK_STR(map(), "rsss..ss..");
	ACK(0, {1, 4}, {6, 9});
	CHECK_STR(map() + 6, "sss.");
	CHECK(strchr("Lr", map()[4]) != NULL);
	CHECK(strchr("Lr", map()[5]) != NULL);
	CHECK(!tcp_timer_armed(ftp, TT_LOSS));
	end_loss();
}

/* ---- tail loss probes ----------------------------------------------------------------------- */

KTEST(the_last_segment_is_sent_again_as_a_probe)
{
	open_loss(SACK);
	fly(5, 10);
	CHECK(ftp->t_flags & TF_TLP_ARMED);
	/* Two round trips: 200 ms. */
	pass(199 * FLOW_MS);
	CHECK_EQ(waiting(), 0);
	pass(2 * FLOW_MS);
	went_segment(4);
	CHECK_EQ(waiting(), 0);
	CHECK_STR(map(), "....r");
	CHECK(ftp->t_flags & TF_TLP_SENT);
	CHECK_EQ(tst()->tcps_pto, 1);
	CHECK_EQ(ftp->snd_cwnd, 10 * MSS);
	/* One probe is enough; then the RTO. */
	CHECK_EQ(tst()->tcps_rexmttimeo, 0);
	pass(FLOW_SEC);
	CHECK(tst()->tcps_rexmttimeo > 0);
	CHECK_EQ(tst()->tcps_pto, 1);
	end_loss();
}

KTEST(a_probe_is_new_data_when_there_is_some)
{
	open_loss(SACK);
	fly(8, 5);
	pass(201 * FLOW_MS);
	went_segment(5);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(ftp->snd_cwnd, 5 * MSS);
	CHECK(!ftp->t_tlp_rexmit);
	/* Its SACK says what is missing. */
	ACK(0, {5, 6});
	pass(30 * FLOW_MS);
	CHECK(ftp->t_flags & TF_FASTRECOVERY);
	went_segment(0);
	end_loss();
}

KTEST(a_single_segment_waits_for_a_delayed_ack)
{
	open_loss(SACK);
	/* Else the RTO would be sooner. */
	ftp->t_rxtcur = 2000000;
	fly(1, 10);
	pass(390 * FLOW_MS);
	CHECK_EQ(waiting(), 0);
	pass(20 * FLOW_MS);
	went_segment(0);
	end_loss();
}

KTEST(a_probe_that_repaired_a_loss_reduces_the_window)
{
	open_loss(SACK);
	ftp->t_cc = &cc_newreno;
	fly(10, 10);
	pass(201 * FLOW_MS);
	went_segment(9);
	ACK(10);
	/* Nothing is decided yet: the other copy may be under way. */
	CHECK(ftp->t_flags & TF_TLP_SENT);
	CHECK_EQ(ftp->snd_ssthresh > 100 * MSS, true);
	fly(1, 10);
	ACK(11);
	CHECK(!(ftp->t_flags & TF_TLP_SENT));
	CHECK_EQ(tst()->tcps_tlp_recovery, 1);
	CHECK_EQ(ftp->snd_ssthresh, 2 * MSS);
	end_loss();
}

KTEST(a_superfluous_probe_changes_nothing)
{
	open_loss(SACK);
	fly(10, 10);
	pass(201 * FLOW_MS);
	went_segment(9);
	ACK(10);
	ACK(10, {9, 10});
	CHECK(!(ftp->t_flags & TF_TLP_SENT));
	CHECK_EQ(ftp->t_rack_wnd_mult, 1);
	CHECK(ftp->snd_ssthresh > 100 * MSS);
	/* A peer that knows no DSACK says the same by a bare duplicate. */
	fly(10, 10);
	pass(201 * FLOW_MS);
	ACK(20);
	CHECK(ftp->t_flags & TF_TLP_SENT);
	ACK(20);
	CHECK(!(ftp->t_flags & TF_TLP_SENT));
	CHECK(ftp->snd_ssthresh > 100 * MSS);
	end_loss();
}

KTEST(there_is_no_probe_without_sack)
{
	open_loss(NO_SACK);
	fly(5, 10);
	CHECK(!tcp_timer_armed(ftp, TT_LOSS));
	end_loss();
}

KTEST(there_is_no_probe_in_recovery)
{
	open_loss(SACK);
	fly(10, 10);
	ACK(0, {1, 4});
	CHECK(ftp->t_flags & TF_FASTRECOVERY);
	CHECK(!(ftp->t_flags & TF_TLP_ARMED));
	end_loss();
}

KTEST(probes_are_off_with_rack)
{
	open_loss(SACK);
	tconfig()->rack = 0;
	fly_apart(3, 1);
	CHECK(!tcp_timer_armed(ftp, TT_LOSS));
	end_loss();
}

KTEST_SUITE(tcp_rack,
	T(three_sacked_segments_mark_what_was_sent_before),
	T(what_was_sent_later_is_not_lost),
	T(few_sacks_wait_for_the_reordering_window),
	T(reordering_is_seen_and_waited_for),
	T(a_dsack_makes_the_reordering_window_larger),
	T(a_lost_retransmission_is_found),
	T(an_ack_of_the_original_does_not_make_the_path_shorter),
	T(dupthresh_alone_decides_without_rack),
	T(the_last_segment_is_sent_again_as_a_probe),
	T(a_probe_is_new_data_when_there_is_some),
	T(a_single_segment_waits_for_a_delayed_ack),
	T(a_probe_that_repaired_a_loss_reduces_the_window),
	T(a_superfluous_probe_changes_nothing),
	T(there_is_no_probe_without_sack),
	T(there_is_no_probe_in_recovery),
	T(probes_are_off_with_rack));
