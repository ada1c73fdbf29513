/* src/netinet/tcp_sack.c: selective acknowledgements, both ways. */
#include <libkern/libkern.h>

#include "tests/unit/tcp_loss.h"

/* Enters `n` segments without a send buffer's data: nothing may be sent by these. */
static void
enter(unsigned n)
{
	while (n-- != 0) {
		CHECK(tcp_sent_add(ftp, ftp->snd_nxt, ftp->snd_nxt + MSS, 0) != NULL);
		ftp->snd_nxt += MSS;
	}
}

static void
end_entered(void)
{
	CHECK_QUEUE();
	tcp_sent_flush(ftp);
	ftp->snd_nxt = ftp->snd_una;
	end_loss();
}

/* The SACK part alone of an ACK of nothing; octets newly SACKed. */
static uint32_t
blocks_come(const struct octets *b, unsigned n)
{
	struct tcp_segment seg = {.machine = curmachine(), .ack = base};
	uint8_t raw[32];

	(void)put_blocks(raw, b, n);
	seg.to.to_flags = TOF_SACK;
	seg.to.to_nsacks = (uint8_t)n;
	seg.to.to_sacks = raw;
	tcp_sack_input(ftp, &seg);
	return seg.newly_sacked;
}

/* ---- those that come ------------------------------------------------------------------------ */

KTEST(blocks_are_marked)
{
	open_loss(SACK);
	fly(10, 10);
	ACK(2, {4, 5}, {7, 9});
	CHECK_EQ(ftp->t_sacked, 3 * MSS);
	CHECK_EQ(ftp->snd_una, base + 2 * MSS);
	CHECK_EQ(tst()->tcps_sack_rcv_blocks, 2);
	CHECK_EQ(ftp->t_delivered, 5 * MSS);
	/* Told again: nothing new. */
	ACK(2, {7, 9}, {4, 5});
	CHECK_EQ(ftp->t_sacked, 3 * MSS);
	CHECK_EQ(ftp->t_delivered, 5 * MSS);
	end_loss();
}

KTEST(impossible_blocks_are_ignored)
{
	struct octets wild[] = {{9000, 11000}, {3000, 3000}, {6000, 5000}, {1000, 4000}};
	struct octets far[] = {{0x80000000, 0x80001000}, {0xffff0000, 5000}};

	open_loss(SACK);
	fly(10, 10);
	ACK(2);
	/* Beyond what was sent, empty, the wrong way round, from below the ACK. */
	ack_octets(2000, 0, wild, 4);
	CHECK_EQ(ftp->t_sacked, 0);
	ack_octets(2000, 0, far, 2);
	CHECK_EQ(ftp->t_sacked, 0);
	CHECK_STR(map(), "........");
	end_loss();
}

KTEST(without_permission_blocks_mean_nothing)
{
	open_loss(NO_SACK);
	fly(10, 10);
	ACK(2, {4, 6});
	CHECK_EQ(ftp->t_sacked, 0);
	end_loss();
}

KTEST(blocks_count_by_whole_segments)
{
	struct octets odd[] = {{3500, 5500}};
	struct octets tiny[] = {{6400, 6500}};

	open_loss(SACK);
	fly(10, 10);
	ack_octets(0, 0, odd, 1);
	ack_octets(0, 0, tiny, 1);
	CHECK_STR(map(), "....s.....");
	end_loss();
}

KTEST(a_large_entry_is_cut_at_segments)
{
	struct octets odd = {2500, 6200};

	open_loss(SACK);
	CHECK(tcp_sent_add(ftp, ftp->snd_nxt, ftp->snd_nxt + 8000, 0) != NULL);
	ftp->snd_nxt += 8000;
	CHECK_EQ(blocks_come(&odd, 1), 3 * MSS);
	CHECK_STR(map(), "...sss..");
	end_entered();
}

/* A hostile peer SACKs single segments all over a large window: nothing goes wrong, and it ends. */
KTEST(hostile_blocks_leave_the_queue_in_order)
{
	const unsigned n = 10000;
	struct octets b[4];

	open_loss(SACK);
	enter(n);
	for (unsigned i = 1; i < n / 2; i += 4) {
		for (unsigned j = 0; j < 4; j++) {
			unsigned at = (i + j * 2503) % n;

			b[j] = (struct octets){at * MSS, at * MSS + MSS};
		}
		(void)blocks_come(b, 4);
	}
	CHECK(ftp->t_sacked > 1000 * MSS);
	end_entered();
}

/* One hole in front of 10,000 segments: what has been SACKed is not gone over again. */
KTEST(a_growing_block_is_found_at_once)
{
	unsigned steps;

	open_loss(SACK);
	enter(10000);
	for (uint32_t i = 2; i < 9990; i++) {
		struct octets b = {MSS, i * MSS};

		steps = 4;
		CHECK(tcp_sent_find(ftp, base + i * MSS, &steps) != NULL);
		CHECK_EQ(blocks_come(&b, 1), MSS);
	}
	CHECK_EQ(ftp->t_sacked, 9988 * MSS);
	end_entered();
}

/* ---- DSACK ---------------------------------------------------------------------------------- */

KTEST(a_block_below_the_ack_is_a_duplicate)
{
	open_loss(SACK);
	fly(10, 10);
	ACK(4, {1, 2}, {6, 7});
	CHECK_EQ(tst()->tcps_dsack_recvd, 1);
	CHECK_EQ(tst()->tcps_dsack_recvd_old, 0);
	CHECK_EQ(ftp->t_sacked, MSS);
	CHECK_EQ(ftp->t_rack_wnd_mult, 2);
	end_loss();
}

KTEST(a_block_within_the_second_is_a_duplicate)
{
	open_loss(SACK);
	fly(10, 10);
	ACK(2, {4, 5}, {3, 6});
	CHECK_EQ(tst()->tcps_dsack_recvd, 1);
	CHECK_EQ(ftp->t_sacked, 3 * MSS);
	end_loss();
}

KTEST(a_duplicate_of_what_never_was_is_only_counted)
{
	struct octets ancient[] = {{0x90000000, 0x90001000}};

	open_loss(SACK);
	fly(10, 10);
	ack_octets(2000, 0, ancient, 1);
	CHECK_EQ(tst()->tcps_dsack_recvd, 1);
	CHECK_EQ(tst()->tcps_dsack_recvd_old, 1);
	CHECK_EQ(ftp->t_rack_wnd_mult, 1);
	end_loss();
}

/* ---- those that go -------------------------------------------------------------------------- */

/* The blocks to be said now, in octets from rcv_nxt, as text. */
static const char *
said(void)
{
	static char text[200];
	uint8_t raw[8 * MAX_SACK_BLKS];
	unsigned n = tcp_sack_blocks(ftp, raw), at = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < 2 * n; i++) {
		uint32_t w;

		memcpy(&w, raw + 4 * i, 4);
		at += (unsigned)snprintf(text + at, sizeof text - at, "%s%d", i == 0 ? "" : i % 2 ? "-" : " ",
		    (int)(ntohl(w) - ftp->rcv_nxt));
	}
	return text;
}

static void
received(int start, int end)
{
	tcp_sack_received(ftp, ftp->rcv_nxt + (tcp_seq)start, ftp->rcv_nxt + (tcp_seq)end);
}

KTEST(the_latest_block_is_said_first)
{
	open_loss(SACK);
	CHECK_STR(said(), "");
	received(100, 200);
	received(500, 600);
	CHECK_STR(said(), "500-600 100-200");
	/* Grown, it comes to the front. */
	received(200, 250);
	CHECK_STR(said(), "100-250 500-600");
	/* Two become one. */
	received(250, 500);
	CHECK_STR(said(), "100-600");
	end_loss();
}

KTEST(the_oldest_block_is_forgotten)
{
	open_loss(SACK);
	for (int i = 1; i <= MAX_SACK_BLKS + 1; i++)
		received(i * 100, i * 100 + 10);
	CHECK_STR(said(), "700-710 600-610 500-510 400-410 300-310 200-210");
	ftp->rcv_nxt += 400;
	tcp_sack_advance(ftp);
	CHECK_STR(said(), "300-310 200-210 100-110");
	ftp->rcv_nxt -= 400;
	end_loss();
}

KTEST(a_duplicate_is_said_once_and_first)
{
	open_loss(SACK);
	received(100, 200);
	received(500, 600);
	tcp_dsack_received(ftp, ftp->rcv_nxt - 50, ftp->rcv_nxt - 10);
	CHECK_STR(said(), "-50--10 500-600 100-200");
	CHECK_STR(said(), "500-600 100-200");
	/* A part of a block: that block follows (RFC 2883 section 4). */
	tcp_dsack_received(ftp, ftp->rcv_nxt + 120, ftp->rcv_nxt + 150);
	CHECK_STR(said(), "120-150 100-200 500-600");
	CHECK_EQ(tst()->tcps_dsack_sent, 2);
	end_loss();
}

KTEST_SUITE(tcp_sack,
	T(blocks_are_marked),
	T(impossible_blocks_are_ignored),
	T(without_permission_blocks_mean_nothing),
	T(blocks_count_by_whole_segments),
	T(a_large_entry_is_cut_at_segments),
	T(hostile_blocks_leave_the_queue_in_order),
	T(a_growing_block_is_found_at_once),
	T(a_block_below_the_ack_is_a_duplicate),
	T(a_block_within_the_second_is_a_duplicate),
	T(a_duplicate_of_what_never_was_is_only_counted),
	T(the_latest_block_is_said_first),
	T(the_oldest_block_is_forgotten),
	T(a_duplicate_is_said_once_and_first));
