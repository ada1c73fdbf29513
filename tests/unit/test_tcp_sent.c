/* src/netinet/tcp_sent.c: the queue of what is in flight, its sums and its pointers. */
#include "src/kern/prng.h"
#include "tests/unit/tcp_loss.h"

/* Enters `n` segments, a microsecond apart. */
static void
enter(unsigned n)
{
	while (n-- != 0) {
		CHECK(tcp_sent_add(ftp, ftp->snd_nxt, ftp->snd_nxt + MSS, 0) != NULL);
		ftp->snd_nxt += MSS;
		let_run();
	}
}

static struct tcp_sent *
entry(unsigned n)
{
	struct tcp_sent *e = TAILQ_FIRST(&ftp->t_sent);

	while (n-- != 0)
		e = TAILQ_NEXT(e, by_seq);
	return e;
}

static void
begin(unsigned n)
{
	open_loss(SACK);
	enter(n);
}

static void
end(void)
{
	CHECK_QUEUE();
	tcp_sent_flush(ftp);
	ftp->snd_nxt = ftp->snd_una;
	end_loss();
}

static uint32_t
acknowledge(uint32_t octets, struct tcp_segment *seg)
{
	uint32_t fresh;

	memset(seg, 0, sizeof *seg);
	seg->machine = curmachine();
	seg->ack = base + octets;
	fresh = tcp_sent_ack(ftp, seg, seg->ack);
	ftp->snd_una = seg->ack;
	CHECK_QUEUE();
	return fresh;
}

KTEST(segments_are_in_flight_in_order)
{
	begin(3);
	CHECK_STR(map(), "...");
	CHECK_EQ(ftp->t_pipe, 3 * MSS);
	CHECK_EQ(entry(0)->seq, base);
	CHECK(entry(0)->time < entry(1)->time);
	end();
}

KTEST_PANICS(a_gap_is_named, "does not follow what was sent before")
{
	begin(1);
	(void)tcp_sent_add(ftp, ftp->snd_nxt + 1, ftp->snd_nxt + 2, 0);
}

KTEST(small_segments_of_one_instant_are_one_entry)
{
	begin(0);
	for (unsigned i = 0; i < 12; i++) {
		CHECK(tcp_sent_add(ftp, ftp->snd_nxt, ftp->snd_nxt + 100, i == 11 ? SENT_PUSH : 0) != NULL);
		ftp->snd_nxt += 100;
	}
	/* No entry becomes larger than a segment by it. */
	CHECK_EQ(entry(0)->end - entry(0)->seq, 1000);
	CHECK_EQ(entry(1)->end - entry(1)->seq, 200);
	CHECK_EQ(entry(1)->flags, SENT_PUSH);
	CHECK(entry(2) == NULL);
	let_run();
	CHECK(tcp_sent_add(ftp, ftp->snd_nxt, ftp->snd_nxt + 100, 0) == entry(2));
	ftp->snd_nxt += 100;
	CHECK_EQ(ftp->t_pipe, 1300);
	end();
}

KTEST(a_cumulative_ack_frees_and_cuts)
{
	struct tcp_segment seg;

	begin(4);
	CHECK_EQ(acknowledge(1500, &seg), 1500);
	CHECK_EQ(ftp->t_pipe, 2500);
	CHECK_EQ(entry(0)->seq, base + 1500);
	CHECK_EQ(seg.delivered, 1500);
	CHECK_EQ(ftp->t_delivered, 1500);
	CHECK_EQ(acknowledge(4000, &seg), 2500);
	CHECK(TAILQ_EMPTY(&ftp->t_sent));
	end();
}

KTEST(what_was_sacked_is_not_delivered_twice)
{
	struct tcp_segment seg;

	begin(4);
	(void)tcp_sent_sacked(ftp, entry(1));
	CHECK_EQ(ftp->t_sacked, MSS);
	CHECK_EQ(acknowledge(3000, &seg), 2 * MSS);
	CHECK_EQ(ftp->t_sacked, 0);
	CHECK(ftp->t_sent_high == NULL);
	end();
}

KTEST(the_round_trip_is_from_what_went_once)
{
	struct tcp_segment seg;

	begin(4);
	pass(50 * FLOW_MS);
	acknowledge(1000, &seg);
	CHECK(seg.rtt >= 50000 && seg.rtt < 50100);
	/* Karn: the second has gone again; nothing is told by it, nor by what waited for it. */
	tcp_sent_mark_lost(ftp, entry(0));
	tcp_sent_again(ftp, entry(0));
	acknowledge(3000, &seg);
	CHECK_EQ(seg.rtt, 0);
	acknowledge(4000, &seg);
	CHECK(seg.rtt >= 50000);
	end();
}

KTEST(sacked_neighbours_become_one)
{
	begin(7);
	(void)tcp_sent_sacked(ftp, entry(1));
	(void)tcp_sent_sacked(ftp, entry(3));
	CHECK_EQ(ftp->t_sent_high->end - base, 4000);
	CHECK(tcp_sent_sacked(ftp, entry(2)) == entry(1));
	CHECK_STR(map(), ".sss...");
	CHECK_EQ(entry(1)->end - entry(1)->seq, 3 * MSS);
	CHECK(ftp->t_sent_high == entry(1));
	CHECK_EQ(ftp->t_sacked, 3 * MSS);
	CHECK_EQ(ftp->t_pipe, 4 * MSS);
	end();
}

KTEST(the_first_lost_is_found_whatever_the_order)
{
	begin(6);
	CHECK(tcp_sent_first_lost(ftp) == NULL);
	tcp_sent_mark_lost(ftp, entry(4));
	CHECK(tcp_sent_first_lost(ftp) == entry(4));
	tcp_sent_mark_lost(ftp, entry(2));
	CHECK(tcp_sent_first_lost(ftp) == entry(2));
	tcp_sent_mark_lost(ftp, entry(2));
	CHECK_EQ(ftp->t_lost, 2 * MSS);
	tcp_sent_again(ftp, entry(2));
	CHECK_STR(map(), "..r.L.");
	CHECK(tcp_sent_first_lost(ftp) == entry(4));
	/* What arrives after all is not lost. */
	(void)tcp_sent_sacked(ftp, entry(4));
	CHECK(tcp_sent_first_lost(ftp) == NULL);
	CHECK_QUEUE();
	tcp_sent_mark_lost(ftp, entry(0));
	CHECK(tcp_sent_first_lost(ftp) == entry(0));
	end();
}

KTEST(sending_again_moves_to_the_end_of_time)
{
	begin(3);
	tcp_sent_mark_lost(ftp, entry(0));
	let_run();
	tcp_sent_again(ftp, entry(0));
	CHECK(TAILQ_LAST(&ftp->t_sent_times, tcp_sent_list) == entry(0));
	CHECK_EQ(entry(0)->retransmits, 1);
	/* A probe repeats what is in flight. */
	tcp_sent_again(ftp, entry(2));
	CHECK(TAILQ_LAST(&ftp->t_sent_times, tcp_sent_list) == entry(2));
	CHECK_EQ(ftp->t_pipe, 3 * MSS);
	end();
}

KTEST(cutting_keeps_both_lists_and_the_flags)
{
	struct tcp_sent *e, *second;

	begin(1);
	e = tcp_sent_add(ftp, ftp->snd_nxt, ftp->snd_nxt + 3001, SENT_FIN | SENT_PUSH);
	ftp->snd_nxt += 3001;
	second = tcp_sent_split(ftp, e, e->seq + 1000);
	CHECK_EQ(e->flags, 0);
	CHECK_EQ(second->flags, SENT_FIN | SENT_PUSH);
	CHECK_EQ(second->end, ftp->snd_nxt);
	CHECK(TAILQ_NEXT(e, by_time) == second);
	/* The last segment has its FIN. */
	e = tcp_sent_tail(ftp, second);
	CHECK_EQ(e->end - e->seq, 1001);
	CHECK(tcp_sent_tail(ftp, e) == e);
	CHECK_EQ(ftp->t_pipe, 4001);
	end();
}

KTEST_PANICS(cutting_outside_is_named, "is not inside of")
{
	begin(1);
	(void)tcp_sent_split(ftp, entry(0), entry(0)->end);
}

KTEST(all_that_is_not_sacked_is_lost_and_comes_back)
{
	begin(5);
	(void)tcp_sent_sacked(ftp, entry(2));
	tcp_sent_mark_all_lost(ftp);
	CHECK_STR(map(), "LLsLL");
	CHECK_EQ(ftp->t_pipe, 0);
	CHECK_EQ(ftp->t_lost, 4 * MSS);
	tcp_sent_again(ftp, entry(0));
	tcp_sent_unmark_lost(ftp);
	CHECK_STR(map(), "r.s..");
	CHECK_QUEUE();
	/* By time: the retransmission was the last. */
	CHECK(TAILQ_FIRST(&ftp->t_sent_times) == entry(1));
	CHECK(TAILQ_LAST(&ftp->t_sent_times, tcp_sent_list) == entry(0));
	tcp_sent_mark_lost_before(ftp, base + 2000);
	CHECK_STR(map(), "LLs..");
	end();
}

KTEST(what_the_receiver_threw_away_is_lost)
{
	begin(4);
	(void)tcp_sent_sacked(ftp, entry(0));
	(void)tcp_sent_sacked(ftp, entry(3));
	tcp_sent_renege(ftp);
	CHECK_STR(map(), "L..L");
	CHECK_EQ(ftp->t_sacked, 0);
	CHECK(tcp_sent_first_lost(ftp) == entry(0));
	end();
}

KTEST(entries_are_found_in_bounded_steps)
{
	unsigned steps = 100;

	begin(40);
	CHECK(tcp_sent_find(ftp, base + 20500, &steps) == entry(20));
	CHECK(tcp_sent_find(ftp, base + 39999, &steps) == entry(39));
	CHECK(tcp_sent_find(ftp, base, &steps) == entry(0));
	CHECK(tcp_sent_find(ftp, base + 40000, &steps) == NULL);
	/* From where the last one was found, there is not far to go. */
	ftp->t_sent_hint = entry(20);
	steps = 3;
	CHECK(tcp_sent_find(ftp, base + 22000, &steps) == entry(22));
	CHECK_EQ(steps, 1);
	/* What is too far is found little by little. */
	ftp->t_sent_hint = NULL;
	steps = 5;
	CHECK(tcp_sent_find(ftp, base + 15000, &steps) == NULL);
	CHECK_EQ(steps, 0);
	steps = 20;
	CHECK(tcp_sent_find(ftp, base + 15000, &steps) == entry(15));
	CHECK_EQ(steps, 10);
	end();
}

KTEST(freed_entries_are_used_again)
{
	struct tcp_segment seg;
	uint32_t before;

	begin(8);
	before = curmachine()->tcp->free_sent_count;
	acknowledge(8000, &seg);
	CHECK_EQ(curmachine()->tcp->free_sent_count, before + 8);
	enter(3);
	CHECK_EQ(curmachine()->tcp->free_sent_count, before + 5);
	tcp_sent_drain(curmachine());
	CHECK_EQ(curmachine()->tcp->free_sent_count, 0);
	end();
}

/* Everything that can happen, at random, to a window that moves on. */
KTEST(the_sums_hold_whatever_happens)
{
	struct tcp_segment seg;
	struct tcp_sent *e;

	begin(0);
	for (unsigned i = 0; i < 5000; i++) {
		uint32_t what = prng_u32(curmachine()) % 12, out = ftp->snd_nxt - ftp->snd_una;
		uint32_t at = out != 0 ? prng_u32(curmachine()) % out : 0;
		unsigned steps = 1000;

		if (what < 4 || out == 0) {
			at = 1 + prng_u32(curmachine()) % (3 * MSS);
			CHECK(tcp_sent_add(ftp, ftp->snd_nxt, ftp->snd_nxt + at, 0) != NULL);
			ftp->snd_nxt += at;
			if (what & 1)
				let_run();
			continue;
		}
		e = tcp_sent_find(ftp, ftp->snd_una + at, &steps);
		CHECK(e != NULL && SEQ_LEQ(e->seq, ftp->snd_una + at) && SEQ_GT(e->end, ftp->snd_una + at));
		if (what == 4)
			acknowledge(ftp->snd_una - base + at, &seg);
		else if (what <= 6 && !(e->flags & SENT_SACKED))
			ftp->t_sent_hint = tcp_sent_sacked(ftp, e);
		else if (what <= 8)
			tcp_sent_mark_lost(ftp, e);
		else if (what == 9 && (e = tcp_sent_first_lost(ftp)) != NULL)
			tcp_sent_again(ftp, e);
		else if (what == 10 && !(e->flags & SENT_SACKED) && SEQ_LT(e->seq, ftp->snd_una + at))
			(void)tcp_sent_split(ftp, e, ftp->snd_una + at);
		else if (i % 97 == 0)
			tcp_sent_mark_all_lost(ftp);
		else if (i % 53 == 0)
			tcp_sent_unmark_lost(ftp);
		else if (i % 211 == 0)
			tcp_sent_renege(ftp);
		CHECK_QUEUE();
	}
	end();
}

KTEST(a_wrong_sum_is_found)
{
	begin(2);
	ftp->t_pipe++;
	CHECK_STR(tcp_sent_check(ftp), "t_pipe is wrong");
	ftp->t_pipe--;
	end();
}

KTEST_SUITE(tcp_sent,
	T(segments_are_in_flight_in_order),
	T(a_gap_is_named),
	T(small_segments_of_one_instant_are_one_entry),
	T(a_cumulative_ack_frees_and_cuts),
	T(what_was_sacked_is_not_delivered_twice),
	T(the_round_trip_is_from_what_went_once),
	T(sacked_neighbours_become_one),
	T(the_first_lost_is_found_whatever_the_order),
	T(sending_again_moves_to_the_end_of_time),
	T(cutting_keeps_both_lists_and_the_flags),
	T(cutting_outside_is_named),
	T(all_that_is_not_sacked_is_lost_and_comes_back),
	T(what_the_receiver_threw_away_is_lost),
	T(entries_are_found_in_bounded_steps),
	T(freed_entries_are_used_again),
	T(the_sums_hold_whatever_happens),
	T(a_wrong_sum_is_found));
