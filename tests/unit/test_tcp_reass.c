/* src/netinet/tcp_reass.c: data out of order, and what is told about them. */
#include "tests/unit/tcp_testing.h"

#define MS	1000000ull
#define STREAM	4000u			/* octets of the random ones */

static struct socket *listener, *so;
static tcp_seq snd;

/* With SACK and, `ts`, timestamps; the peer's data begin at `first`. */
static void
begin_at(tcp_seq first, bool ts)
{
	uint32_t options = TOF_SACKPERM | TOF_MSS | (ts ? TOF_TS : 0);
	struct tseg s;

	tcp_testbed();
	listener = listen4(OUR_PORT, 5);
	COME(.flags = S, .seq = first - 1, .win = 65535,
	    .to = {.to_flags = options, .to_mss = 1460, .to_tsval = 1});
	s = went();
	CHECK(s.to.to_flags & TOF_SACKPERM);
	snd = s.seq + 1;
	COME(.flags = A, .seq = first, .ack = snd, .win = 65535,
	    .to = {.to_flags = ts ? TOF_TS : 0, .to_tsval = 1});
	so = accepted(listener);
	CHECK(so != NULL);
	nevermind();
}

static void
end(void)
{
	struct linger l = {1, 0};

	if (so->so_pcb != NULL)
		CHECK_EQ(set_option(so, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
	CHECK_EQ(soclose(so) + soclose(listener), 0);
	CHECK_EQ(curmachine()->tcp->reass_segments, 0);
	testbed_end();
}

static struct tcpcb *
tp(void)
{
	return sototcpcb(so);
}

static void
data(tcp_seq seq, const char *text)
{
	COME(.flags = A, .seq = seq, .ack = snd, .win = 65535, .data = text);
}

static uint32_t
word(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* An ACK went, with that block first; start 0: with none. */
static void
acked(tcp_seq ack, unsigned blocks, tcp_seq start, tcp_seq last)
{
	struct tseg s = went();

	CHECK_EQ(s.flags, A);
	CHECK_EQ(s.ack, ack);
	CHECK_EQ(s.to.to_nsacks, blocks);
	if (blocks != 0) {
		tcp_dooptions(&s.to, s.options, s.optlen, false);
		CHECK_EQ(word(s.to.to_sacks), start);
		CHECK_EQ(word(s.to.to_sacks + 4), last);
	}
}

KTEST(holes_are_told_and_filled)
{
	begin_at(1001, false);
	data(1006, "fghij");
	acked(1001, 1, 1006, 1011);
	data(1016, "pqrst");
	acked(1001, 2, 1016, 1021);
	CHECK_EQ(tp()->t_reass_count, 2);
	/* Between the two: one run. */
	data(1011, "klmno");
	acked(1001, 1, 1006, 1021);
	CHECK_EQ(tp()->t_reass_count, 1);
	CHECK_STR(receive(so), "");
	data(1001, "abcde");
	acked(1021, 0, 0, 0);
	CHECK_STR(receive(so), "abcdefghijklmnopqrst");
	CHECK(tp()->t_reass == NULL);
	CHECK_EQ(tp()->t_reass_bytes, 0);
	CHECK_EQ(tst()->tcps_rcvoopack, 3);
	CHECK_EQ(waiting(), 0);
	end();
}

KTEST(duplicates_are_told)
{
	begin_at(1001, false);
	data(1006, "fghij");
	nevermind();
	/* All of it again: a DSACK, then the run it is in. */
	data(1007, "gh");
	acked(1001, 2, 1007, 1009);
	data(1001, "abcde");
	acked(1011, 0, 0, 0);
	data(1001, "abcde");
	acked(1011, 1, 1001, 1006);
	CHECK_STR(receive(so), "abcdefghij");
	end();
}

KTEST(overlaps_are_cut)
{
	begin_at(1001, false);
	data(1006, "fghij");
	/* Over both its edges, which takes its place; over an edge, which is cut off. */
	data(1004, "deXXXXXkl");
	CHECK_EQ(tp()->t_reass_count, 1);
	data(1003, "cYYY");
	data(1012, "ZZmno");
	CHECK_EQ(tp()->t_reass_count, 1);
	data(1001, "abWWW");
	CHECK_STR(receive(so), "abWWWXXXXXklZmno");
	end();
}

KTEST(a_fin_may_come_early)
{
	begin_at(1001, false);
	COME(.flags = A | F, .seq = 1006, .ack = snd, .win = 65535);
	CHECK_EQ(tp()->t_state, TCPS_ESTABLISHED);
	/* What claims to be behind it is not. */
	data(1006, "lies");
	data(1004, "delies");
	data(1001, "abc");
	CHECK_STR(receive(so), "abcde");
	CHECK_EQ(tp()->t_state, TCPS_CLOSE_WAIT);
	CHECK_EQ(tp()->rcv_nxt, 1007);
	CHECK(tp()->t_reass == NULL);
	end();
}

/* One that comes from below what has come already is none, and nothing is held against what is behind it. */
KTEST(an_old_fin_is_none)
{
	begin_at(1001, false);
	data(1001, "abcde");
	COME(.flags = A | F, .seq = 1002, .ack = snd, .win = 65535, .data = "bc");
	data(1008, "hij");
	data(1006, "fg");
	CHECK_STR(receive(so), "abcdefghij");
	CHECK_EQ(tp()->t_state, TCPS_ESTABLISHED);
	end();
}

KTEST(a_fin_in_order_ends_what_waits)
{
	begin_at(1001, false);
	data(1010, "lies");
	COME(.flags = A | F, .seq = 1001, .ack = snd, .win = 65535, .data = "abc");
	CHECK_STR(receive(so), "abc");
	CHECK_EQ(tp()->t_state, TCPS_CLOSE_WAIT);
	CHECK(tp()->t_reass == NULL);
	end();
}

KTEST(a_fin_before_waiting_data_is_not_believed)
{
	begin_at(1001, false);
	data(1006, "fghij");
	COME(.flags = A | F, .seq = 1006, .ack = snd, .win = 65535, .data = "fg");
	data(1001, "abcde");
	CHECK_STR(receive(so), "abcdefghij");
	CHECK_EQ(tp()->t_state, TCPS_ESTABLISHED);
	end();
}

KTEST(runs_are_limited)
{
	unsigned i;

	begin_at(1001, false);
	for (i = 0; i < 300; i++) {
		data(1003 + 2 * i, "x");
		nevermind();
	}
	CHECK_EQ(tp()->t_reass_count, 100);
	CHECK_EQ(tst()->tcps_rcvmemdrop, 200);
	/* Filling a hole needs no new one. */
	data(1004, "y");
	CHECK_EQ(tp()->t_reass_count, 99);
	/* In order always goes. */
	data(1001, "ab");
	CHECK_STR(receive(so), "abxyx");
	tcp_reass_flush(tp());
	CHECK_EQ(tp()->t_reass_bytes, 0);
	end();
}

KTEST(the_machine_is_limited_too)
{
	begin_at(1001, false);
	tconfig()->reass_maxsegments = 2;
	data(1003, "x");
	data(1005, "x");
	data(1007, "x");
	CHECK_EQ(tp()->t_reass_count, 2);
	CHECK_EQ(curmachine()->tcp->reass_segments, 2);
	end();
}

KTEST(tiny_segments_take_little_memory)
{
	unsigned i;

	begin_at(1001, false);
	for (i = 0; i < 3000; i++) {
		data(1002 + i, "x");
		nevermind();
	}
	CHECK_EQ(tp()->t_reass_count, 1);
	CHECK(tp()->t_reass_bytes <= 3000 * 3);
	data(1001, "x");
	CHECK_EQ(so->so_rcv.sb_cc, 3001);
	CHECK_EQ(tp()->t_reass_bytes, 0);
	end();
}

KTEST(a_connection_that_goes_takes_its_queue_along)
{
	begin_at(1001, false);
	data(1006, "fghij");
	data(1016, "fghij");
	CHECK_EQ(curmachine()->tcp->reass_segments, 2);
	COME(.flags = R, .seq = 1001);
	CHECK(so->so_pcb == NULL);
	CHECK_EQ(curmachine()->tcp->reass_segments, 0);
	end();
}

KTEST(without_memory_data_are_dropped_and_come_again)
{
	struct tcpcb *t;

	begin_at(1001, false);
	t = tp();
	t->t_reass_bytes = UINT32_MAX / 2;
	data(1006, "fghij");
	CHECK(t->t_reass == NULL);
	CHECK_EQ(tst()->tcps_rcvmemdrop, 1);
	t->t_reass_bytes = 0;
	data(1006, "fghij");
	data(1001, "abcde");
	CHECK_STR(receive(so), "abcdefghij");
	end();
}

/* ---- at random ---------------------------------------------------------------------------- */

static char octet_at(uint32_t off)
{
	return (char)('a' + off * 7 % 26 + (off / 300) % 3 - 1);
}

/* Pieces of the stream in any order, overlapping, until all of it is there. */
static void
random_stream(tcp_seq first, unsigned most, bool ts)
{
	static char text[1500], all[STREAM + 1];
	uint32_t n = 0, have = 0;
	struct so_received r;

	begin_at(first, ts);
	for (n = 0; n < 20000 && tp()->rcv_nxt - first < STREAM + 1; n++) {
		uint32_t at = prng_u32(curmachine()) % STREAM, len = 1 + prng_u32(curmachine()) % most;
		uint32_t next = tp()->rcv_nxt - first;
		bool fin;

		/* Every other piece brings it on. */
		if (n % 8 == 0 && next < STREAM)
			at = next;
		if (at + len > STREAM)
			len = STREAM - at;
		fin = at + len == STREAM;
		for (uint32_t i = 0; i < len; i++)
			text[i] = octet_at(at + i);
		text[len] = '\0';
		COME(.flags = (uint16_t)(A | (fin ? F : 0)), .seq = first + at, .ack = snd, .win = 65535,
		    .to = {.to_flags = ts ? TOF_TS : 0, .to_tsval = 1 + n}, .data = text);
		CHECK(tp()->t_reass_count <= 100);
		nevermind();
	}
	CHECK_EQ(tp()->rcv_nxt, first + STREAM + 1);
	CHECK_EQ(tp()->t_state, TCPS_CLOSE_WAIT);
	while (have < STREAM) {
		CHECK_EQ(soreceive(so, all + have, STREAM - have, MSG_DONTWAIT, &r), 0);
		CHECK(r.len != 0);
		have += (uint32_t)r.len;
	}
	for (uint32_t i = 0; i < STREAM; i++)
		CHECK_EQ(all[i], octet_at(i));
	CHECK_EQ(tp()->t_reass_bytes, 0);
	end();
}

KTEST(small_pieces_in_any_order)
{
	random_stream(1001, 40, false);
}

KTEST(large_pieces_across_the_end_of_the_numbers)
{
	random_stream((tcp_seq)0 - 1500, 1000, true);
}

KTEST(pieces_across_the_middle_of_the_numbers)
{
	random_stream(0x80000000u - 2000, 200, false);
}

KTEST_SUITE(tcp_reass, T(holes_are_told_and_filled), T(duplicates_are_told), T(overlaps_are_cut),
    T(a_fin_may_come_early), T(an_old_fin_is_none), T(a_fin_in_order_ends_what_waits),
    T(a_fin_before_waiting_data_is_not_believed),
    T(runs_are_limited), T(the_machine_is_limited_too), T(tiny_segments_take_little_memory),
    T(a_connection_that_goes_takes_its_queue_along), T(without_memory_data_are_dropped_and_come_again),
    T(small_pieces_in_any_order), T(large_pieces_across_the_end_of_the_numbers),
    T(pieces_across_the_middle_of_the_numbers));
