/* src/netinet/tcp_window.c: what the peer is told it may send, and how buffers grow. */
#include "src/kern/socket_private.h"
#include "tests/unit/tcp_flow.h"

#define SCALED	(TOF_SCALE | TOF_SACKPERM | TOF_TS)

static char octets[65536];

/* The peer's data, in segments of at most 1000 octets; ours are all acknowledged. */
static void
deliver(uint32_t len)
{
	static char text[1001];

	while (len != 0) {
		uint32_t part = len < 1000 ? len : 1000;

		memset(text, 'd', part);
		text[part] = '\0';
		answer(A, base, 65535, text);
		len -= part;
	}
}

static size_t
read_flow(size_t len)
{
	struct so_received r;
	size_t n = 0;

	memset(&r, 0, sizeof r);
	CHECK_EQ(soreceive(flow, octets, len, MSG_DONTWAIT, &r), 0);
	n = r.len;
	let_run();
	return n;
}

/* ---- what is told ------------------------------------------------------------------------- */

KTEST(the_scale_is_the_smallest_for_the_largest_buffer)
{
	static const struct {
		int most;
		uint8_t shift;
	} table[] = {
		{1, 0}, {65535, 0}, {65536, 1}, {131070, 1}, {131071, 2}, {2097152, 6}, {8388608, 8},
		{INT32_MAX / 2, 14}
	};
	struct nke *machine = curmachine();

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		machine->sockets->maxsockbuf = table[i].most;
		CHECK_EQ(tcp_scale_for(machine), table[i].shift);
	}
}

KTEST(the_window_is_what_there_is_room_for)
{
	uint16_t first;

	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	acks(base);
	flow->so_rcv.sb_flags &= (uint16_t)~SB_AUTOSIZE;
	first = (uint16_t)tcp_receive_window(ftp);
	CHECK_EQ(first, 65535);
	deliver(10000);
	write_flow(1, 0);
	segment = went();
	while (waiting() != 0)
		segment = went();
	CHECK_EQ(segment.win, sbspace(&flow->so_rcv) < 65535 ? sbspace(&flow->so_rcv) : 65535);
	end_flow();
}

KTEST(what_was_told_is_never_taken_back)
{
	tcp_seq edge;

	tcp_testbed();
	open_flow(false, (struct flow_peer){.options = SCALED, .wscale = 3});
	flow->so_rcv.sb_flags &= (uint16_t)~SB_AUTOSIZE;
	edge = ftp->rcv_adv;
	CHECK(edge - ftp->rcv_nxt > 60000);
	/* The buffer becomes smaller under it. */
	CHECK_EQ(sbreserve(&flow->so_rcv, 8192), 0);
	CHECK_EQ(tcp_receive_window(ftp), edge - ftp->rcv_nxt);
	deliver(3000);
	/* In the units of the scale it may only be rounded up. */
	CHECK(SEQ_GEQ(ftp->rcv_adv, edge) && ftp->rcv_adv - edge < 3 * 256);
	CHECK_EQ(tcp_receive_window(ftp), ftp->rcv_adv - ftp->rcv_nxt);
	end_flow();
}

KTEST(a_silly_window_is_told_as_none)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	flow->so_rcv.sb_flags &= (uint16_t)~SB_AUTOSIZE;
	CHECK_EQ(sbreserve(&flow->so_rcv, 8192), 0);
	/* All that was told is used up but for little. */
	ftp->rcv_adv = ftp->rcv_nxt;
	flow->so_rcv.sb_cc += 7192;
	CHECK_EQ(tcp_receive_window(ftp), 0);
	flow->so_rcv.sb_cc -= 500;
	CHECK_EQ(tcp_receive_window(ftp), 1500);
	flow->so_rcv.sb_cc -= 6692;
	end_flow();
}

KTEST(reading_tells_the_window_when_it_pays)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	flow->so_rcv.sb_flags &= (uint16_t)~SB_AUTOSIZE;
	CHECK_EQ(sbreserve(&flow->so_rcv, 16384), 0);
	ftp->rcv_adv = ftp->rcv_nxt + 16384;
	deliver(16000);
	pass(FLOW_SEC);
	nevermind();
	CHECK_EQ(read_flow(500), 500);
	CHECK_EQ(waiting(), 0);
	/* Two segments, and the window was nearly shut. */
	CHECK_EQ(read_flow(4000), 4000);
	CHECK_EQ(waiting(), 1);
	segment = went();
	CHECK_EQ(segment.len, 0);
	CHECK_EQ(segment.win, 4884);
	CHECK_EQ(tst()->tcps_sndwinup, 1);
	CHECK_EQ(read_flow(1000), 1000);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(read_flow(20000), 10500);
	CHECK_EQ(waiting(), 1);
	CHECK_EQ(went().win, 16384);
	end_flow();
}

KTEST(nobody_is_told_of_a_window_after_his_fin)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){0});
	flow->so_rcv.sb_flags &= (uint16_t)~SB_AUTOSIZE;
	CHECK_EQ(sbreserve(&flow->so_rcv, 16384), 0);
	ftp->rcv_adv = ftp->rcv_nxt + 16384;
	deliver(16000);
	answer(A | F, base, 65535, NULL);
	pass(FLOW_SEC);
	nevermind();
	CHECK_EQ(read_flow(20000), 16000);
	CHECK_EQ(waiting(), 0);
	end_flow();
}

/* ---- buffers ------------------------------------------------------------------------------ */

KTEST(the_receive_buffer_grows_when_the_window_limits)
{
	uint32_t before;
	struct tcp_segment seg = {.len = 1448};

	tcp_testbed();
	open_flow(false, (struct flow_peer){.options = SCALED, .wscale = 3});
	before = flow->so_rcv.sb_hiwat;
	ftp->t_srtt = 8 * 100000;
	/* A window's worth in no time. */
	for (uint32_t n = 0; n < before; n += seg.len)
		tcp_rcvbuf_autosize(ftp, &seg);
	CHECK(flow->so_rcv.sb_hiwat > before);
	before = flow->so_rcv.sb_hiwat;
	/* The same, slowly. */
	for (uint32_t n = 0; n < before; n += seg.len) {
		tcp_rcvbuf_autosize(ftp, &seg);
		let_pass(10 * FLOW_MS);
	}
	CHECK_EQ(flow->so_rcv.sb_hiwat, before);
	/* There is an end to it. */
	for (int i = 0; i < 20000; i++)
		tcp_rcvbuf_autosize(ftp, &seg);
	CHECK_EQ(flow->so_rcv.sb_hiwat, 2097152);
	end_flow();
}

KTEST(buffers_of_the_users_size_stay)
{
	struct tcp_segment seg = {.len = 1448};
	uint32_t sndbuf, rcvbuf;

	tcp_testbed();
	open_flow(false, (struct flow_peer){.options = SCALED, .wscale = 8});
	CHECK_EQ(set_int(flow, SOL_SOCKET, SO_RCVBUF, 20000), 0);
	CHECK_EQ(set_int(flow, SOL_SOCKET, SO_SNDBUF, 20000), 0);
	sndbuf = flow->so_snd.sb_hiwat;
	rcvbuf = flow->so_rcv.sb_hiwat;
	ftp->t_srtt = 8 * 100000;
	for (int i = 0; i < 1000; i++)
		tcp_rcvbuf_autosize(ftp, &seg);
	write_flow(60000, 0);
	ftp->snd_cwnd = 1000000;
	tcp_sndbuf_autosize(ftp);
	CHECK_EQ(flow->so_rcv.sb_hiwat, rcvbuf);
	CHECK_EQ(flow->so_snd.sb_hiwat, sndbuf);
	end_flow();
}

KTEST(the_send_buffer_grows_when_it_is_what_limits)
{
	uint32_t before;

	tcp_testbed();
	open_flow(false, (struct flow_peer){.options = SCALED, .wscale = 8, .win = 60000});
	acks(base);
	before = flow->so_snd.sb_hiwat;
	/* The congestion window limits: nothing. */
	flow->so_snd.sb_cc += before;
	ftp->snd_cwnd = 1448;
	tcp_sndbuf_autosize(ftp);
	CHECK_EQ(flow->so_snd.sb_hiwat, before);
	ftp->snd_cwnd = 10 * before;
	tcp_sndbuf_autosize(ftp);
	CHECK_EQ(flow->so_snd.sb_hiwat, before + 8192);
	/* Not full any more. */
	flow->so_snd.sb_cc -= before / 2;
	tcp_sndbuf_autosize(ftp);
	CHECK_EQ(flow->so_snd.sb_hiwat, before + 8192);
	flow->so_snd.sb_cc -= before - before / 2;
	end_flow();
}

KTEST_SUITE(tcp_window,
	T(the_scale_is_the_smallest_for_the_largest_buffer),
	T(the_window_is_what_there_is_room_for),
	T(what_was_told_is_never_taken_back),
	T(a_silly_window_is_told_as_none),
	T(reading_tells_the_window_when_it_pays),
	T(nobody_is_told_of_a_window_after_his_fin),
	T(the_receive_buffer_grows_when_the_window_limits),
	T(buffers_of_the_users_size_stay),
	T(the_send_buffer_grows_when_it_is_what_limits));
