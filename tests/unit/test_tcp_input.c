/* src/netinet/tcp_input.c, tcp_listen.c, tcp_segment.c, tcp_ack.c, tcp_fastpath.c: segments of a peer. */
#include "tests/unit/tcp_testing.h"

#define MS	1000000ull
#define DAY	(24ull * 60 * 60 * 1000 * MS)

static struct socket *listener, *so;
static tcp_seq snd;			/* our next octet: what the peer acknowledges */

/* A connection, accepted; the peer's data begin at 1001. */
static void
begin(void)
{
	tcp_testbed();
	listener = listen4(OUR_PORT, 5);
	snd = handshake(PEER_PORT);
	so = accepted(listener);
	CHECK(so != NULL);
	CHECK_EQ(waiting(), 0);
}

/* The same with timestamps, the peer's being 5000 now. */
static void
begin_with_timestamps(void)
{
	struct tseg s;

	tcp_testbed();
	listener = listen4(OUR_PORT, 5);
	COME(.flags = S, .seq = 1000, .win = 65535, .to = {.to_flags = TOF_TS, .to_tsval = 5000});
	s = went();
	CHECK(s.to.to_flags & TOF_TS);
	CHECK_EQ(s.to.to_tsecr, 5000);
	COME(.flags = A, .seq = 1001, .ack = s.seq + 1, .win = 65535,
	    .to = {.to_flags = TOF_TS, .to_tsval = 5000, .to_tsecr = s.to.to_tsval});
	snd = s.seq + 1;
	so = accepted(listener);
	CHECK(so != NULL);
}

static void
close_now(struct socket *s)
{
	struct linger l = {1, 0};

	/* One that is over takes no options. */
	if (s->so_pcb != NULL && !(s->so_state & SS_ISDISCONNECTED))
		CHECK_EQ(set_option(s, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
	CHECK_EQ(soclose(s), 0);
}

static void
end(void)
{
	if (so != NULL)
		close_now(so);
	if (listener != NULL)
		CHECK_EQ(soclose(listener), 0);
	so = listener = NULL;
	testbed_end();
}

static int
state(void)
{
	return so->so_pcb != NULL ? sototcpcb(so)->t_state : TCPS_CLOSED;
}

/* One segment went: an ACK of that and nothing else. */
static void
acked(tcp_seq ack)
{
	struct tseg s = went();

	CHECK_EQ(s.flags, A);
	CHECK_EQ(s.seq, snd);
	CHECK_EQ(s.ack, ack);
	CHECK_EQ(s.len, 0);
	CHECK_EQ(waiting(), 0);
}

static errno_t
send_text(const char *text)
{
	return send_to(so, NULL, text, strlen(text));
}

/* ---- data --------------------------------------------------------------------------------- */

KTEST(data_are_acknowledged_later_or_every_second_time)
{
	begin();
	COME(.flags = A | P, .seq = 1001, .ack = snd, .win = 65535, .data = "one");
	CHECK_EQ(waiting(), 0);
	CHECK_STR(receive(so), "one");
	let_pass(41 * MS);
	acked(1004);
	CHECK_EQ(tst()->tcps_delack, 1);
	COME(.flags = A | P, .seq = 1004, .ack = snd, .win = 65535, .data = "two");
	CHECK_EQ(waiting(), 0);
	COME(.flags = A | P, .seq = 1007, .ack = snd, .win = 65535, .data = "three");
	acked(1012);
	let_pass(100 * MS);
	CHECK_EQ(waiting(), 0);
	CHECK_STR(receive(so), "twothree");
	CHECK_EQ(tst()->tcps_preddat, 3);
	end();
}

KTEST(delayed_acknowledgements_can_be_turned_off)
{
	begin();
	tconfig()->delayed_ack = 0;
	COME(.flags = A | P, .seq = 1001, .ack = snd, .win = 65535, .data = "one");
	acked(1004);
	end();
}

KTEST(what_came_before_is_told_and_not_delivered_again)
{
	begin();
	COME(.flags = A | P, .seq = 1001, .ack = snd, .win = 65535, .data = "one");
	COME(.flags = A | P, .seq = 1001, .ack = snd, .win = 65535, .data = "one");
	acked(1004);
	/* Half of it is new. */
	COME(.flags = A | P, .seq = 1002, .ack = snd, .win = 65535, .data = "netwo");
	let_pass(50 * MS);
	acked(1007);
	CHECK_STR(receive(so), "onetwo");
	CHECK_EQ(tst()->tcps_rcvduppack, 1);
	CHECK_EQ(tst()->tcps_rcvpartduppack, 1);
	end();
}

KTEST(what_is_beyond_the_window_is_cut_off)
{
	struct tcpcb *tp;
	tcp_seq edge;

	begin();
	tp = sototcpcb(so);
	so->so_rcv.sb_flags &= (uint16_t)~SB_AUTOSIZE;
	edge = tp->rcv_nxt + so->so_rcv.sb_hiwat;
	/* All of it: dropped and answered. */
	COME(.flags = A | P, .seq = edge, .ack = snd, .win = 65535, .data = "beyond");
	acked(1001);
	CHECK(tp->t_reass == NULL);
	/* A part. */
	so->so_rcv.sb_hiwat = 3;
	tp->rcv_adv = tp->rcv_nxt + 3;
	COME(.flags = A | P | F, .seq = 1001, .ack = snd, .win = 65535, .data = "abcdef");
	acked(1004);
	CHECK_EQ(tst()->tcps_rcvbyteafterwin, 6 + 3);
	CHECK_EQ(state(), TCPS_ESTABLISHED);
	/* The window is closed now: a probe is answered, its ACK counts. */
	CHECK_EQ(send_text("x"), 0);
	let_run();
	CHECK_EQ(went().len, 1);
	COME(.flags = A | P, .seq = 1004, .ack = snd + 1, .win = 65535, .data = "d");
	snd++;
	acked(1004);
	CHECK_EQ(tst()->tcps_rcvwinprobe, 1);
	CHECK_EQ(so->so_snd.sb_cc, 0);
	CHECK_STR(receive(so), "abc");
	end();
}

KTEST(acknowledgements_free_the_send_buffer)
{
	struct tcpcb *tp;

	begin();
	tp = sototcpcb(so);
	CHECK_EQ(send_text("hello"), 0);
	let_run();
	CHECK_EQ(went().len, 5);
	CHECK_EQ(so->so_snd.sb_cc, 5);
	COME(.flags = A, .seq = 1001, .ack = snd + 2, .win = 65535);
	CHECK_EQ(so->so_snd.sb_cc, 3);
	CHECK(tcp_timer_armed(tp, TT_REXMT));
	COME(.flags = A, .seq = 1001, .ack = snd + 5, .win = 65535);
	CHECK_EQ(so->so_snd.sb_cc, 0);
	CHECK(!tcp_timer_armed(tp, TT_REXMT));
	CHECK_EQ(tp->t_pipe, 0);
	CHECK_EQ(tst()->tcps_predack, 2);
	CHECK(tp->t_srtt != 0);
	snd += 5;
	end();
}

KTEST(windows_are_taken_from_the_newest_segment_only)
{
	struct tcpcb *tp;

	begin();
	tp = sototcpcb(so);
	COME(.flags = A | P, .seq = 1001, .ack = snd, .win = 65535, .data = "abc");
	COME(.flags = A | P, .seq = 1004, .ack = snd, .win = 1000, .data = "def");
	CHECK_EQ(tp->snd_wnd, 1000);
	/* Overtaken on the way: older sequence number. */
	COME(.flags = A, .seq = 1001, .ack = snd, .win = 5000);
	CHECK_EQ(tp->snd_wnd, 1000);
	/* The same numbers: only a larger window is news. */
	COME(.flags = A, .seq = 1007, .ack = snd, .win = 0);
	CHECK_EQ(tp->snd_wnd, 0);
	COME(.flags = A, .seq = 1007, .ack = snd, .win = 700);
	CHECK_EQ(tp->snd_wnd, 700);
	CHECK_EQ(tp->max_sndwnd, 65535);
	CHECK_EQ(tst()->tcps_rcvwinupd, 1);
	end();
}

/* ---- closing ------------------------------------------------------------------------------ */

KTEST(the_peer_closes_first)
{
	begin();
	COME(.flags = A | F, .seq = 1001, .ack = snd, .win = 65535, .data = "bye");
	acked(1005);
	CHECK_EQ(state(), TCPS_CLOSE_WAIT);
	CHECK_STR(receive(so), "bye");
	CHECK_STR(receive(so), "");
	CHECK_EQ(rcv.len, 0);
	/* Behind the FIN there is nothing. */
	COME(.flags = A, .seq = 1005, .ack = snd, .win = 65535, .data = "more");
	CHECK_STR(receive(so), "");
	nevermind();
	/* We may still send. */
	CHECK_EQ(send_text("wait"), 0);
	let_run();
	CHECK_EQ(went().len, 4);
	COME(.flags = A, .seq = 1005, .ack = snd + 4, .win = 65535);
	CHECK_EQ(soshutdown(so, SHUT_WR), 0);
	let_run();
	CHECK_EQ(went().flags, A | F);
	CHECK_EQ(state(), TCPS_LAST_ACK);
	COME(.flags = A, .seq = 1005, .ack = snd + 5, .win = 65535);
	CHECK_EQ(state(), TCPS_CLOSED);
	CHECK_EQ(tcp_timewait_count(curmachine()), 0);
	end();
}

KTEST(we_close_first)
{
	struct tseg s;

	begin();
	CHECK_EQ(soshutdown(so, SHUT_WR), 0);
	let_run();
	s = went();
	CHECK_EQ(s.flags, A | F);
	CHECK_EQ(s.seq, snd);
	CHECK_EQ(state(), TCPS_FIN_WAIT_1);
	COME(.flags = A, .seq = 1001, .ack = snd + 1, .win = 65535);
	CHECK_EQ(state(), TCPS_FIN_WAIT_2);
	snd++;
	/* Data still come. */
	COME(.flags = A | P, .seq = 1001, .ack = snd, .win = 65535, .data = "late");
	CHECK_STR(receive(so), "late");
	let_pass(50 * MS);
	acked(1005);
	COME(.flags = A | F, .seq = 1005, .ack = snd, .win = 65535);
	acked(1006);
	CHECK_EQ(state(), TCPS_TIME_WAIT);
	CHECK_EQ(tcp_timewait_count(curmachine()), 1);
	/* The last ACK was lost. */
	COME(.flags = A | F, .seq = 1005, .ack = snd, .win = 65535);
	acked(1006);
	CHECK_STR(receive(so), "");
	end();
}

KTEST(fin_and_its_acknowledgement_come_together)
{
	begin();
	CHECK_EQ(soshutdown(so, SHUT_WR), 0);
	let_run();
	CHECK_EQ(went().flags, A | F);
	snd++;
	COME(.flags = A | F, .seq = 1001, .ack = snd, .win = 65535, .data = "end");
	acked(1005);
	CHECK_EQ(state(), TCPS_TIME_WAIT);
	CHECK_EQ(tcp_timewait_count(curmachine()), 1);
	CHECK_STR(receive(so), "end");
	end();
}

KTEST(both_close_at_once)
{
	struct tseg s;

	begin();
	CHECK_EQ(soshutdown(so, SHUT_WR), 0);
	let_run();
	CHECK_EQ(went().flags, A | F);
	COME(.flags = A | F, .seq = 1001, .ack = snd, .win = 65535);
	/* Our FIN is not acknowledged: it goes with the ACK of theirs. */
	s = went();
	CHECK_EQ(s.flags, A | F);
	CHECK_EQ(s.seq, snd);
	CHECK_EQ(s.ack, 1002);
	snd++;
	CHECK_EQ(state(), TCPS_CLOSING);
	COME(.flags = A, .seq = 1002, .ack = snd, .win = 65535);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(state(), TCPS_TIME_WAIT);
	CHECK_EQ(tcp_timewait_count(curmachine()), 1);
	end();
}

KTEST(fin_wait_2_ends_when_nobody_reads)
{
	begin();
	CHECK_EQ(soclose(so), 0);
	let_run();
	CHECK_EQ(went().flags, A | F);
	COME(.flags = A, .seq = 1001, .ack = snd + 1, .win = 65535);
	CHECK_EQ(curmachine()->tcp->states[TCPS_FIN_WAIT_2], 1);
	let_pass(700 * 1000 * MS);
	CHECK_EQ(curmachine()->tcp->states[TCPS_FIN_WAIT_2], 0);
	CHECK_EQ(curmachine()->tcp->pcbs.count, 1);
	so = NULL;
	end();
}

KTEST(data_for_a_user_who_has_gone_get_a_reset)
{
	struct tseg s;

	begin();
	CHECK_EQ(soclose(so), 0);
	let_run();
	CHECK_EQ(went().flags, A | F);
	COME(.flags = A | P, .seq = 1001, .ack = snd + 1, .win = 65535, .data = "hello?");
	s = went();
	CHECK_EQ(s.flags, R);
	CHECK_EQ(s.seq, snd + 1);
	CHECK_EQ(tst()->tcps_rcvafterclose, 1);
	CHECK_EQ(curmachine()->tcp->pcbs.count, 1);
	so = NULL;
	end();
}

/* ---- blind attacks (RFC 5961) --------------------------------------------------------------- */

KTEST(a_reset_must_be_exact)
{
	begin();
	/* Outside of the window: nothing. */
	COME(.flags = R, .seq = 1000, .win = 0);
	COME(.flags = R, .seq = 1001 + 1000000, .win = 0);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(tst()->tcps_badrst, 2);
	/* Inside: a challenge. */
	COME(.flags = R, .seq = 1002, .win = 0);
	acked(1001);
	CHECK_EQ(tst()->tcps_rstchallenge, 1);
	CHECK_EQ(state(), TCPS_ESTABLISHED);
	COME(.flags = R, .seq = 1001, .win = 0);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(state(), TCPS_CLOSED);
	CHECK_EQ(so->so_error, ECONNRESET);
	end();
}

KTEST(a_syn_is_challenged_wherever_it_is)
{
	begin();
	COME(.flags = S, .seq = 1001, .win = 100);
	acked(1001);
	COME(.flags = S, .seq = 77, .win = 100);
	acked(1001);
	COME(.flags = S | A, .seq = 1000, .ack = snd, .win = 100);
	acked(1001);
	CHECK_EQ(tst()->tcps_synchallenge, 3);
	CHECK_EQ(state(), TCPS_ESTABLISHED);
	/* The peer has really started anew: it answers the challenge with the right RST. */
	COME(.flags = R, .seq = 1001, .win = 0);
	CHECK_EQ(state(), TCPS_CLOSED);
	end();
}

KTEST(insecure_resets_and_syns_can_be_had)
{
	struct tseg s;

	begin();
	tconfig()->insecure_syn = 1;
	COME(.flags = S, .seq = 1001 + 100000, .win = 100);
	acked(1001);
	COME(.flags = S, .seq = 1005, .win = 100);
	s = went();
	CHECK_EQ(s.flags, R | A);
	CHECK_EQ(s.seq, snd);
	CHECK_EQ(s.win, 0);
	CHECK_EQ(so->so_error, ECONNRESET);
	close_now(so);
	snd = handshake(PEER_PORT + 1);
	so = accepted(listener);
	tconfig()->insecure_rst = 1;
	COME(.peer_port = PEER_PORT + 1, .flags = R, .seq = 1005);
	CHECK_EQ(state(), TCPS_CLOSED);
	CHECK_EQ(so->so_error, ECONNRESET);
	end();
}

KTEST(acknowledgements_that_cannot_be_are_challenged)
{
	begin();
	/* Of what was not sent. */
	COME(.flags = A | P, .seq = 1001, .ack = snd + 1, .win = 65535, .data = "evil");
	acked(1001);
	CHECK_EQ(tst()->tcps_rcvacktoomuch, 1);
	/* Older than any window. */
	COME(.flags = A | P, .seq = 1001, .ack = snd - 65537, .win = 65535, .data = "evil");
	acked(1001);
	CHECK_STR(receive(so), "");
	/* Old, but possible. */
	COME(.flags = A | P, .seq = 1001, .ack = snd - 1, .win = 65535, .data = "good");
	CHECK_STR(receive(so), "good");
	end();
}

KTEST(challenges_are_limited)
{
	unsigned i;

	begin();
	for (i = 0; i < 100; i++)
		COME(.flags = S, .seq = 1001, .win = 100);
	CHECK(waiting() >= 10 && waiting() <= 15);
	nevermind();
	let_pass(1000 * MS);
	COME(.flags = S, .seq = 1001, .win = 100);
	acked(1001);
	end();
}

KTEST(segments_far_behind_the_window_change_nothing)
{
	begin();
	CHECK_EQ(send_text("hello"), 0);
	let_run();
	nevermind();
	/* The ACK would be right, but nobody sends it from there. */
	COME(.flags = A | P, .seq = 1001 - 0x10000000, .ack = snd + 5, .win = 65535, .data = "blind");
	CHECK_EQ(so->so_snd.sb_cc, 5);
	CHECK_EQ(went().flags, A);
	COME(.flags = A, .seq = 1000, .ack = snd + 5, .win = 65535);
	CHECK_EQ(so->so_snd.sb_cc, 0);
	snd += 5;
	acked(1001);
	end();
}

/* ---- timestamps --------------------------------------------------------------------------- */

#define TS(val)	{.to_flags = TOF_TS, .to_tsval = (val)}

KTEST(old_timestamps_are_refused)
{
	begin_with_timestamps();
	COME(.flags = A | P, .seq = 1001, .ack = snd, .win = 65535, .to = TS(4999), .data = "old");
	acked(1001);
	CHECK_EQ(tst()->tcps_pawsdrop, 1);
	/* Without data there is nothing to be said. */
	COME(.flags = A, .seq = 1001, .ack = snd, .win = 65535, .to = TS(4999));
	CHECK_EQ(waiting(), 0);
	/* None where there have to be: dropped (RFC 7323 3.2). */
	COME(.flags = A | P, .seq = 1001, .ack = snd, .win = 65535, .data = "none");
	CHECK_EQ(waiting(), 0);
	CHECK_STR(receive(so), "");
	tconfig()->tolerate_missing_ts = 1;
	COME(.flags = A | P, .seq = 1001, .ack = snd, .win = 65535, .data = "none");
	CHECK_STR(receive(so), "none");
	nevermind();
	/* The one of the segment that the ACK is for is echoed. */
	COME(.flags = A | P, .seq = 1005, .ack = snd, .win = 65535, .to = TS(5100), .data = "new");
	let_pass(50 * MS);
	nevermind();
	COME(.flags = A | P, .seq = 1008, .ack = snd, .win = 65535, .to = TS(5200), .data = "x");
	COME(.flags = A | P, .seq = 1009, .ack = snd, .win = 65535, .to = TS(5300), .data = "y");
	CHECK_EQ(went().to.to_tsecr, 5200);
	/* A RST needs none. */
	COME(.flags = R, .seq = 1010, .to = TS(1));
	CHECK_EQ(state(), TCPS_CLOSED);
	end();
}

KTEST(after_24_days_any_timestamp_will_do)
{
	begin_with_timestamps();
	let_pass(24 * DAY + DAY);
	nevermind();
	COME(.flags = A | P, .seq = 1001, .ack = snd, .win = 65535, .to = TS(4999), .data = "old");
	CHECK_STR(receive(so), "old");
	CHECK_EQ(sototcpcb(so)->ts_recent, 4999);
	end();
}

/* ---- urgent data -------------------------------------------------------------------------- */

static int
read_oob(void)
{
	struct so_received r;
	uint8_t octet;
	errno_t error = soreceive(so, &octet, 1, MSG_OOB | MSG_DONTWAIT, &r);

	return error != 0 ? -error : octet;
}

KTEST(the_urgent_octet_is_out_of_band)
{
	begin();
	COME(.flags = A | P | TH_URG, .seq = 1001, .ack = snd, .win = 65535, .urp = 3, .data = "ab!cd");
	CHECK(soready(so) & SO_URGENT);
	CHECK_STR(receive(so), "ab");
	CHECK(so->so_state & SS_RCVATMARK);
	CHECK_EQ(read_oob(), '!');
	CHECK_EQ(read_oob(), -EINVAL);
	CHECK_STR(receive(so), "cd");
	end();
}

KTEST(the_urgent_octet_may_be_in_line)
{
	begin();
	CHECK_EQ(set_int(so, SOL_SOCKET, SO_OOBINLINE, 1), 0);
	COME(.flags = A | P | TH_URG, .seq = 1001, .ack = snd, .win = 65535, .urp = 3, .data = "ab!cd");
	CHECK_STR(receive(so), "ab");
	CHECK(so->so_state & SS_RCVATMARK);
	CHECK_EQ(read_oob(), -EINVAL);
	CHECK_STR(receive(so), "!cd");
	end();
}

KTEST(the_urgent_octet_may_come_later_and_out_of_order)
{
	begin();
	/* Announced: it is the tenth from here. */
	COME(.flags = A | TH_URG, .seq = 1001, .ack = snd, .win = 65535, .urp = 10);
	CHECK_EQ(so->so_oobmark, 9);
	CHECK_EQ(read_oob(), -EWOULDBLOCK);
	COME(.flags = A, .seq = 1006, .ack = snd, .win = 65535, .data = "6789!after");
	CHECK_EQ(read_oob(), -EWOULDBLOCK);
	COME(.flags = A, .seq = 1001, .ack = snd, .win = 65535, .data = "12345");
	CHECK_STR(receive(so), "123456789");
	CHECK_EQ(read_oob(), '!');
	CHECK_STR(receive(so), "after");
	/* The same pointer again means nothing. */
	COME(.flags = A | TH_URG, .seq = 1011, .ack = snd, .win = 65535, .urp = 0);
	CHECK_EQ(so->so_oobmark, 0);
	end();
}

/* ---- nobody ------------------------------------------------------------------------------- */

KTEST(a_closed_port_answers_with_reset)
{
	struct tseg s;

	tcp_testbed();
	COME(.flags = S, .seq = 1000, .win = 100);
	s = went();
	CHECK_EQ(s.flags, R | A);
	CHECK_EQ(s.seq, 0);
	CHECK_EQ(s.ack, 1001);
	COME(.flags = F, .seq = 1000, .win = 100, .data = "four");
	s = went();
	CHECK_EQ(s.ack, 1005);
	COME(.flags = A, .seq = 1000, .ack = 77, .win = 100, .data = "four");
	s = went();
	CHECK_EQ(s.flags, R);
	CHECK_EQ(s.seq, 77);
	COME(.flags = R, .seq = 1000, .win = 100);
	COME(.flags = R | A, .seq = 1000, .ack = 77, .win = 100);
	CHECK_EQ(waiting(), 0);
	COME(.v6 = true, .flags = S, .seq = 1000, .win = 100);
	s = went();
	CHECK(s.v6);
	CHECK_EQ(s.flags, R | A);
	testbed_end();
}

KTEST(black_holes_and_the_log)
{
	tcp_testbed();
	tconfig()->log_in_vain = 1;
	tconfig()->blackhole = 1;
	COME(.flags = S, .seq = 1000, .win = 100);
	CHECK_EQ(waiting(), 0);
	CHECK(ktest_log_contains("Connection attempt to TCP 10.0.0.1:80 from 10.0.0.2:4000 flags:0x02"));
	COME(.flags = A, .seq = 1000, .ack = 5, .win = 100);
	CHECK_EQ(went().flags, R);
	tconfig()->blackhole = 2;
	COME(.flags = A, .seq = 1000, .ack = 5, .win = 100);
	CHECK_EQ(waiting(), 0);
	testbed_end();
}

/* A segment that is wrong in itself: as many octets as told, of which the header says `off` words. */
static void
come_broken(size_t len, unsigned off, uint16_t sum)
{
	struct spec4 spec = {.src = THERE4, .protocol = IPPROTO_TCP, .len = len};
	struct mbuf *m = make4(&spec);
	struct tcphdr *th = (struct tcphdr *)(void *)(m->m_data + sizeof(struct ip));

	if (len >= sizeof *th) {
		memset(th, 0, sizeof *th);
		th->th_sport = htons(PEER_PORT);
		th->th_dport = htons(OUR_PORT);
		th->th_flags = S;
		th->th_off = off & 15;
		th->th_sum = sum;
	}
	ip_input(curmachine(), m);
	let_run();
}

KTEST(broken_segments_are_dropped_and_counted)
{
	struct mbuf *m;

	tcp_testbed();
	come_broken(0, 5, 0);
	come_broken(19, 5, 0);
	CHECK_EQ(tst()->tcps_rcvshort, 2);
	come_broken(20, 4, 0);
	come_broken(20, 6, 0);
	come_broken(59, 15, 0);
	CHECK_EQ(tst()->tcps_rcvbadoff, 3);
	come_broken(20, 5, 0x1234);
	come_broken(60, 15, 0x1234);
	CHECK_EQ(tst()->tcps_rcvbadsum, 2);
	CHECK_EQ(tst()->tcps_rcvtotal, 7);
	/* IPv6: the payload is octets of a pattern, but for the header's length. */
	m = make6(&(struct spec6){.next = IPPROTO_TCP, .len = 30});
	m->m_data[sizeof(struct ip6_hdr) + 12] = 5 << 4;
	ip6_input(curmachine(), m);
	let_run();
	CHECK_EQ(tst()->tcps_rcvbadsum, 3);
	CHECK_EQ(waiting(), 0);
	testbed_end();
}

KTEST(nobody_talks_to_groups)
{
	struct spec4 spec = {
		.src = THERE4, .dst = htonl(INADDR_BROADCAST), .protocol = IPPROTO_TCP, .len = 20
	};
	struct tcphdr *th;
	struct mbuf *m;

	tcp_testbed();
	listener = listen4(OUR_PORT, 5);
	m = make4(&spec);
	th = (struct tcphdr *)(void *)(m->m_data + sizeof(struct ip));
	memset(th, 0, sizeof *th);
	th->th_dport = htons(OUR_PORT);
	th->th_sport = htons(PEER_PORT);
	th->th_off = 5;
	th->th_flags = S;
	th->th_sum = (uint16_t)~in_cksum_sum(m, sizeof(struct ip), 20,
	    in_pseudo((struct in_addr){THERE4}, (struct in_addr){INADDR_BROADCAST}, IPPROTO_TCP, 20));
	ip_input(curmachine(), m);
	let_run();
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(syncache_count(curmachine()), 0);
	/* A SYN from everybody. */
	COME(.from4 = IP4(10, 0, 0, 255), .flags = S, .seq = 1000, .win = 100);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(syncache_count(curmachine()), 0);
	end();
}

/* ---- listeners ---------------------------------------------------------------------------- */

KTEST(a_listener_takes_syns_only)
{
	struct tseg s;

	tcp_testbed();
	listener = listen4(OUR_PORT, 5);
	COME(.flags = A, .seq = 1000, .ack = 77, .win = 100);
	s = went();
	CHECK_EQ(s.flags, R);
	CHECK_EQ(s.seq, 77);
	COME(.flags = S | A, .seq = 1000, .ack = 99, .win = 100);
	s = went();
	CHECK_EQ(s.flags, R);
	CHECK_EQ(s.seq, 99);
	COME(.flags = R, .seq = 1000, .win = 100);
	COME(.flags = 0, .seq = 1000, .win = 100, .data = "x");
	COME(.flags = F, .seq = 1000, .win = 100);
	CHECK_EQ(waiting(), 0);
	tconfig()->drop_synfin = 1;
	COME(.flags = S | F, .seq = 1000, .win = 100);
	CHECK_EQ(waiting(), 0);
	/* Ourselves, from the very port. */
	COME(.from4 = HERE4, .peer_port = OUR_PORT, .flags = S, .seq = 1000, .win = 100);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(syncache_count(curmachine()), 0);
	end();
}

KTEST(data_with_the_last_ack_of_the_handshake)
{
	struct tseg s;

	tcp_testbed();
	listener = listen4(OUR_PORT, 5);
	COME(.flags = S, .seq = 1000, .win = 65535);
	s = went();
	COME(.flags = A | P | F, .seq = 1001, .ack = s.seq + 1, .win = 65535, .data = "request");
	snd = s.seq + 1;
	so = accepted(listener);
	CHECK(so != NULL);
	acked(1009);
	CHECK_STR(receive(so), "request");
	CHECK_EQ(state(), TCPS_CLOSE_WAIT);
	end();
}

/* ---- upcalls ------------------------------------------------------------------------------ */

static void
close_it(socket_t s, void *arg, int wait)
{
	(void)arg;
	(void)wait;
	close_now((struct socket *)(void *)s);
	so = NULL;
}

KTEST(whoever_hears_of_data_may_close_the_socket)
{
	begin();
	so_set_upcall(so, close_it, NULL);
	COME(.flags = A | P, .seq = 1001, .ack = snd, .win = 65535, .data = "one");
	CHECK(so == NULL);
	CHECK_EQ(went().flags & R, R);
	snd = handshake(PEER_PORT + 1);
	so = accepted(listener);
	so_set_upcall(so, close_it, NULL);
	/* The long way, with a FIN. */
	COME(.peer_port = PEER_PORT + 1, .flags = A | F, .seq = 1001, .ack = snd, .win = 65535,
	    .data = "one");
	CHECK(so == NULL);
	end();
}

KTEST_SUITE(tcp_input, T(data_are_acknowledged_later_or_every_second_time),
    T(delayed_acknowledgements_can_be_turned_off), T(what_came_before_is_told_and_not_delivered_again),
    T(what_is_beyond_the_window_is_cut_off), T(acknowledgements_free_the_send_buffer),
    T(windows_are_taken_from_the_newest_segment_only), T(the_peer_closes_first), T(we_close_first),
    T(fin_and_its_acknowledgement_come_together), T(both_close_at_once), T(fin_wait_2_ends_when_nobody_reads),
    T(data_for_a_user_who_has_gone_get_a_reset), T(a_reset_must_be_exact),
    T(a_syn_is_challenged_wherever_it_is), T(insecure_resets_and_syns_can_be_had),
    T(acknowledgements_that_cannot_be_are_challenged),
    T(challenges_are_limited), T(segments_far_behind_the_window_change_nothing),
    T(old_timestamps_are_refused), T(after_24_days_any_timestamp_will_do), T(the_urgent_octet_is_out_of_band),
    T(the_urgent_octet_may_be_in_line), T(the_urgent_octet_may_come_later_and_out_of_order),
    T(a_closed_port_answers_with_reset), T(black_holes_and_the_log),
    T(broken_segments_are_dropped_and_counted),
    T(nobody_talks_to_groups), T(a_listener_takes_syns_only), T(data_with_the_last_ack_of_the_handshake),
    T(whoever_hears_of_data_may_close_the_socket));
