/*
 * TCP and peers, or strangers, that mean harm or are broken in a certain way: blind injection in every
 * state (RFC 5961), floods, windows that shrink, stay shut or jump about, acknowledgements that promise too
 * much or come in crumbs, numbers at every boundary, connections that stay half-closed, tiny segments.
 */
#include "tests/unit/tcp_testing.h"

#define MS		1000000ull
#define SECOND		(1000 * MS)
#define HOUR		(3600 * SECOND)
#define DATA_MAX	70000u

/* ---- a connection in a state -------------------------------------------------------------- */

struct con {
	struct socket *so;
	int state;
	uint16_t port, our_port;
	tcp_seq ours, theirs;		/* next */
};

static struct socket *listener;
static struct con con;

static const int states[] = {
	TCPS_SYN_RECEIVED, TCPS_ESTABLISHED, TCPS_CLOSE_WAIT, TCPS_FIN_WAIT_1, TCPS_FIN_WAIT_2, TCPS_CLOSING,
	TCPS_LAST_ACK
};
#define STATES (sizeof states / sizeof states[0])

static const struct tcpcb *
tcb(void)
{
	return con.so->so_pcb != NULL ? sototcpcb(con.so) : NULL;
}

/* The peer says something in order, or as far off it as told. */
static void
peer(uint16_t flags, tcp_seq seq_off, tcp_seq ack_off, const char *data)
{
	COME(.peer_port = con.port, .our_port = con.our_port, .flags = flags, .seq = con.theirs + seq_off,
	    .ack = con.ours + ack_off, .win = 65535, .data = data);
}

static errno_t
discard(ifnet_t ifp, mbuf_t m)
{
	(void)ifp;
	m_freem(m);
	return 0;
}

/* Time passes, and what is sent is not looked at. */
static void
pass_unheard(uint64_t ns)
{
	nevermind();
	en7->output = discard;
	let_pass(ns);
	en7->output = keep_sent;
}

/* Both open at the same time. */
static void
cross(void)
{
	struct tseg s;

	con.so = tcp_socket(PF_INET);
	con.so->so_state |= SS_NBIO;
	CHECK_EQ(connect4(con.so, THERE4, con.port), EINPROGRESS);
	let_run();
	s = went();
	con.our_port = s.our_port;
	con.ours = s.seq + 1;
	COME(.peer_port = con.port, .our_port = con.our_port, .flags = S, .seq = con.theirs - 1,
	    .win = 65535);
}

static void
shut(void)
{
	CHECK_EQ(soshutdown(con.so, SHUT_WR), 0);
	let_run();
	con.ours++;
}

static void
enter(int state)
{
	static uint16_t port = 4000;

	/* Challenges are had again. */
	pass_unheard(2 * SECOND);
	con = (struct con){.port = port++, .our_port = OUR_PORT, .theirs = 1001, .state = state};
	if (state == TCPS_SYN_RECEIVED) {
		cross();
	} else {
		con.ours = handshake(con.port);
		con.so = accepted(listener);
		CHECK(con.so != NULL);
	}
	if (state == TCPS_CLOSE_WAIT || state == TCPS_LAST_ACK) {
		peer(F | A, 0, 0, NULL);
		con.theirs++;
	}
	if (state >= TCPS_FIN_WAIT_1)
		shut();
	if (state == TCPS_FIN_WAIT_2)
		peer(A, 0, 0, NULL);
	if (state == TCPS_CLOSING) {
		peer(F | A, 0, (tcp_seq)-1, NULL);
		con.theirs++;
	}
	CHECK_EQ(tcb()->t_state, state);
	CHECK_EQ(tcb()->rcv_nxt, con.theirs);
	CHECK_EQ(tcb()->snd_nxt, con.ours);
	nevermind();
}

static void
leave(void)
{
	if (tcb() != NULL)
		peer(R, 0, 0, NULL);
	CHECK(tcb() == NULL);
	CHECK_EQ(soclose(con.so), 0);
	nevermind();
}

static void
begin(void)
{
	tcp_testbed();
	listener = listen4(OUR_PORT, 100);
}

static void
finish(void)
{
	CHECK_EQ(soclose(listener), 0);
	let_pass(1000 * SECOND);
	CHECK_EQ(curmachine()->tcp->pcbs.count, 0);
	CHECK_EQ(curmachine()->tcp->reass_segments, 0);
	testbed_end();
}

/* The answer was a challenge, or there was none; the connection is as it was. */
static void
unharmed(bool challenged)
{
	struct tseg s;

	CHECK(tcb() != NULL);
	CHECK_EQ(tcb()->t_state, con.state);
	CHECK_EQ(tcb()->rcv_nxt, con.theirs);
	CHECK_EQ(con.so->so_error, 0);
	CHECK_EQ(con.so->so_rcv.sb_cc, 0);
	CHECK_EQ(waiting(), challenged);
	if (!challenged)
		return;
	s = went();
	/* Our own SYN or FIN, not acknowledged yet, may go with it. */
	CHECK_EQ(s.flags & ~(S | F), A);
	CHECK_EQ(s.ack, con.theirs);
	CHECK_EQ(s.len, 0);
}

/* ---- blind injection (RFC 5961) ----------------------------------------------------------- */

static const struct {
	tcp_seq off;
	bool in_window;
} places[] = {
	{0x80000000u, false}, {(tcp_seq)-0x7fffffff, false}, {(tcp_seq)-1000000, false},
	{(tcp_seq)-65536, false}, {(tcp_seq)-1, false}, {1, true}, {2, true}, {1000, true}, {60000, true},
	{200000, false}, {0x7fffffffu, false}
};
#define PLACES (sizeof places / sizeof places[0])

KTEST(a_reset_anywhere_but_at_the_very_number_ends_nothing)
{
	begin();
	for (size_t i = 0; i < STATES; i++) {
		for (size_t k = 0; k < PLACES; k++) {
			enter(states[i]);
			peer(R, places[k].off, 0, NULL);
			unharmed(places[k].in_window);
			nevermind();
			peer(R | A, places[k].off, 77, NULL);
			unharmed(places[k].in_window);
			leave();
		}
	}
	finish();
}

KTEST(a_syn_anywhere_is_challenged_at_most)
{
	begin();
	for (size_t i = 0; i < STATES; i++) {
		for (size_t k = 0; k < PLACES; k++) {
			enter(states[i]);
			peer(S, places[k].off, 0, NULL);
			unharmed(true);
			nevermind();
			/* The SYN that began it all is the one that may come again when both open. */
			if (places[k].off != (tcp_seq)-1) {
				peer(S | A, places[k].off, 0, NULL);
				unharmed(true);
			}
			leave();
		}
		enter(states[i]);
		peer(S, 0, 0, NULL);
		unharmed(true);
		leave();
	}
	finish();
}

/* A sequence number in the window is not enough: the ACK must be possible. */
KTEST(data_with_an_impossible_ack_are_not_taken)
{
	static const tcp_seq acks[] = {
		1, 1000, 0x7fffffff, 0x80000000u, (tcp_seq)-100000, (tcp_seq)-0x7fffffff
	};

	begin();
	for (size_t i = 1; i < STATES; i++) {
		for (size_t k = 0; k < sizeof acks / sizeof acks[0]; k++) {
			enter(states[i]);
			peer(A, 0, acks[k], "evil");
			unharmed(true);
			nevermind();
			peer(A | F, 0, acks[k], NULL);
			unharmed(true);
			nevermind();
			peer(A, 100, acks[k], "evil");
			unharmed(true);
			CHECK_EQ(tcb()->t_reass_count, 0);
			nevermind();
			peer(0, 0, 0, "evil");
			unharmed(false);
			peer(F, 0, 0, NULL);
			unharmed(false);
			leave();
		}
	}
	finish();
}

KTEST(data_far_off_the_window_are_not_taken)
{
	begin();
	for (size_t i = 1; i < STATES; i++) {
		for (size_t k = 0; k < PLACES; k++) {
			if (places[k].in_window || places[k].off == (tcp_seq)-1)
				continue;
			enter(states[i]);
			/* An ACK of nothing new: that of an old segment may count. */
			peer(A, places[k].off, tcb()->snd_una - con.ours, "evil");
			unharmed(true);
			CHECK_EQ(tcb()->t_reass_count, 0);
			leave();
		}
	}
	finish();
}

/* ---- floods ------------------------------------------------------------------------------- */

static void
flood_segment(uint32_t i, uint16_t flags)
{
	COME(.from4 = i % 2 ? IP4(10, 0, 0, 9) : 0, .peer_port = i % 2 ? (uint16_t)(i * 7 + 1) : con.port,
	    .our_port = OUR_PORT, .flags = flags, .seq = prng_u32(curmachine()),
	    .ack = prng_u32(curmachine()), .win = 100, .data = flags & (F | R | S) ? NULL : "evil");
}

KTEST(floods_leave_a_connection_and_its_listener_working)
{
	static const uint16_t kinds[] = {S, A, R, F | A, R | A, S | A, A | P, F, 0xff};
	uint64_t before;
	char buf[8];
	struct so_received r;

	begin();
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		enter(TCPS_ESTABLISHED);
		before = memory_now().heap_bytes;
		en7->output = discard;
		for (uint32_t i = 0; i < 4000; i++)
			flood_segment(i, kinds[k]);
		en7->output = keep_sent;
		CHECK(memory_now().heap_bytes < before + (4u << 20));
		CHECK_EQ(tcb()->t_state, TCPS_ESTABLISHED);
		CHECK_EQ(tcb()->rcv_nxt, con.theirs);
		nevermind();
		peer(A | P, 0, 0, "good");
		con.theirs += 4;
		CHECK_EQ(soreceive(con.so, buf, sizeof buf, MSG_DONTWAIT, &r), 0);
		CHECK_EQ(r.len, 4);
		leave();
		/* Somebody new is served while it goes on. */
		enter(TCPS_ESTABLISHED);
		leave();
		pass_unheard(200 * SECOND);
	}
	finish();
}

/* Whole connections that are opened, ended by the peer and never accepted. */
KTEST(connections_that_nobody_accepts_are_bounded)
{
	struct socket *so;
	uint64_t before;
	tcp_seq iss;

	begin();
	before = memory_now().heap_bytes;
	for (uint32_t i = 0; i < 3000; i++) {
		nevermind();
		COME(.peer_port = (uint16_t)(5000 + i), .flags = S, .seq = 1000, .win = 65535);
		if (waiting() == 0)
			continue;
		iss = went().seq;
		COME(.peer_port = (uint16_t)(5000 + i), .flags = A, .seq = 1001, .ack = iss + 1,
		    .win = 65535);
		COME(.peer_port = (uint16_t)(5000 + i), .flags = F | A, .seq = 1001, .ack = iss + 1,
		    .win = 65535);
	}
	nevermind();
	/* The backlog and half as many, and the listener. */
	CHECK(curmachine()->tcp->pcbs.count <= 100 + 50 + 2);
	CHECK(memory_now().heap_bytes < before + (4u << 20));
	en7->output = discard;
	while ((so = accepted(listener)) != NULL)
		CHECK_EQ(soclose(so), 0);
	pass_unheard(100 * SECOND);
	enter(TCPS_ESTABLISHED);
	leave();
	/* LAST_ACK is given up when nobody answers. */
	pass_unheard(HOUR);
	finish();
}

/* ---- a peer that reads what we send ------------------------------------------------------- */

static uint8_t heard[DATA_MAX];
static tcp_seq first;			/* our first octet */
static uint32_t heard_len;		/* in order */
static bool have[DATA_MAX];

static uint8_t
octet(uint32_t i)
{
	return (uint8_t)(i * 7 + i / 251 + 1);
}

static void
listen_anew(void)
{
	first = con.ours;
	heard_len = 0;
	memset(have, 0, sizeof have);
}

/* Takes what was sent; one segment of `lose` is lost (0: none). */
static void
hear(unsigned lose)
{
	uint8_t data[1500];

	while (waiting() != 0) {
		const struct mbuf *m = sent.m[taken];
		struct tseg s = went();
		tcp_seq at = s.seq - first;

		if (s.len == 0 || s.our_port != con.our_port ||
		    (lose != 0 && prng_u32(curmachine()) % lose == 0))
			continue;
		CHECK(s.len <= sizeof data && at + s.len <= DATA_MAX);
		CHECK_EQ(m_copydata(m, (size_t)m->m_pkthdr.len - s.len, s.len, data), 0);
		for (uint32_t i = 0; i < s.len; i++) {
			CHECK_EQ(data[i], octet(at + i));
			have[at + i] = true;
		}
	}
	while (heard_len < DATA_MAX && have[heard_len])
		heard_len++;
	con.ours = first + heard_len;
	nevermind();
}

static void
answer(uint16_t win)
{
	COME(.peer_port = con.port, .our_port = con.our_port, .flags = A, .seq = con.theirs, .ack = con.ours,
	    .win = win);
}

/* Writes the octets [from, from + len); how many were taken. */
static size_t
say(uint32_t from, uint32_t len)
{
	size_t n = 0;

	CHECK(len <= sizeof heard);
	for (uint32_t i = 0; i < len; i++)
		heard[i] = octet(from + i);
	(void)sosend(con.so, NULL, heard, len, NULL, NULL, MSG_DONTWAIT, &n);
	let_run();
	return n;
}

/* ---- windows ------------------------------------------------------------------------------ */

KTEST(a_window_that_is_shut_for_an_hour)
{
	uint64_t begun, last = 0;
	unsigned probes = 0;

	begin();
	enter(TCPS_ESTABLISHED);
	listen_anew();
	CHECK_EQ(say(0, 20000), 20000);
	hear(0);
	answer(0);
	begun = machine_now(curmachine());
	while (machine_now(curmachine()) - begun < HOUR) {
		let_pass(SECOND);
		if (waiting() == 0)
			continue;
		/* Nothing is taken, ever longer apart, but never longer than a minute. */
		CHECK_EQ(waiting(), 1);
		CHECK(went().len <= 1);
		CHECK(last == 0 || machine_now(curmachine()) - last <= 62 * SECOND);
		last = machine_now(curmachine());
		probes++;
		nevermind();
		answer(0);
		nevermind();
	}
	CHECK(probes >= 58 && probes <= 75);
	CHECK_EQ(tcb()->t_state, TCPS_ESTABLISHED);
	answer(65535);
	for (unsigned i = 0; i < 100 && heard_len < 20000; i++) {
		hear(0);
		answer(65535);
		let_pass(10 * MS);
	}
	CHECK_EQ(heard_len, 20000);
	leave();
	finish();
}

KTEST(windows_that_shrink_and_jump_about)
{
	begin();
	for (unsigned round = 0; round < 6; round++) {
		size_t written;

		enter(TCPS_ESTABLISHED);
		listen_anew();
		written = say(0, 60000);
		for (unsigned i = 0; i < 2000 && heard_len < written; i++) {
			hear(4);
			answer((uint16_t)(prng_u32(curmachine()) % (i % 3 == 0 ? 3 : 4000)));
			CHECK_STR(tcp_sent_check(tcb()) != NULL ? tcp_sent_check(tcb()) : "", "");
			CHECK(tcb()->snd_una == tcb()->snd_nxt || tcp_timer_armed(tcb(), TT_REXMT) ||
			    tcp_timer_armed(tcb(), TT_PERSIST) || tcp_timer_armed(tcb(), TT_LOSS));
			let_pass((prng_u32(curmachine()) % 3000) * MS);
		}
		CHECK_EQ(heard_len, written);
		leave();
	}
	finish();
}

/* ---- acknowledgements --------------------------------------------------------------------- */

/* RFC 3465: a thousand ACKs of an octet each open the window by as much as one of a thousand. */
KTEST(dividing_acknowledgements_gains_nothing)
{
	uint32_t cwnd;

	begin();
	enter(TCPS_ESTABLISHED);
	listen_anew();
	CHECK_EQ(say(0, 5360), 5360);
	cwnd = tcb()->snd_cwnd;
	nevermind();
	for (uint32_t i = 1; i <= 2000; i++) {
		con.ours = first + i;
		answer(65535);
		nevermind();
	}
	CHECK(tcb()->snd_cwnd <= cwnd + 2000);
	leave();
	finish();
}

KTEST(acknowledging_what_was_not_sent_gains_nothing)
{
	uint32_t cwnd;

	begin();
	enter(TCPS_ESTABLISHED);
	listen_anew();
	CHECK_EQ(say(0, 1000), 1000);
	cwnd = tcb()->snd_cwnd;
	for (unsigned i = 0; i < 100; i++) {
		con.ours = first + 1001 + i * 500000;
		answer(65535);
		nevermind();
	}
	CHECK_EQ(tcb()->snd_una, first);
	CHECK_EQ(tcb()->snd_cwnd, cwnd);
	CHECK_EQ(con.so->so_snd.sb_cc, 1000);
	con.ours = first;
	leave();
	finish();
}

/* SACK blocks of everything, everywhere, again and again: nothing of it is lost for that. */
KTEST(garbage_in_sack_blocks_loses_no_data)
{
	uint32_t words[8];
	tcp_seq iss;

	begin();
	let_pass(2 * SECOND);
	nevermind();
	con = (struct con){.port = 3999, .our_port = OUR_PORT, .theirs = 1001, .state = TCPS_ESTABLISHED};
	COME(.peer_port = con.port, .flags = S, .seq = 1000, .win = 65535, .to = {.to_flags = TOF_SACKPERM});
	iss = went().seq;
	con.ours = iss + 1;
	answer(65535);
	con.so = accepted(listener);
	CHECK(con.so != NULL && (tcb()->t_flags & TF_SACK_PERMIT));
	listen_anew();
	CHECK_EQ(say(0, 30000), 30000);
	for (unsigned i = 0; i < 3000 && heard_len < 30000; i++) {
		struct tseg s = {
			.peer_port = con.port, .flags = A, .seq = con.theirs, .ack = con.ours, .win = 65535
		};

		for (unsigned k = 0; k < 8; k++)
			words[k] = htonl(con.ours + (prng_u32(curmachine()) % 4 == 0 ?
			    prng_u32(curmachine()) : prng_u32(curmachine()) % 12000 - 2000));
		s.to.to_flags = TOF_SACK;
		s.to.to_nsacks = 4;
		s.to.to_sacks = (const uint8_t *)words;
		come(s);
		CHECK_STR(tcp_sent_check(tcb()) != NULL ? tcp_sent_check(tcb()) : "", "");
		if (i % 4 == 3)
			hear(6);
		else
			let_pass((prng_u32(curmachine()) % 700) * MS);
	}
	CHECK_EQ(heard_len, 30000);
	leave();
	finish();
}

/* ---- numbers ------------------------------------------------------------------------------ */

/* As COME(), data by their length: the octets [from, from + len) of the peer's. */
static void
peer_says(uint32_t from, uint32_t len)
{
	static char data[1401];

	CHECK(len < sizeof data);
	for (uint32_t i = 0; i < len; i++)
		data[i] = (char)(1 + (from + i) % 251);
	data[len] = '\0';
	COME(.peer_port = con.port, .flags = A, .seq = con.theirs + from, .ack = con.ours, .win = 65535,
	    .data = data);
}

static uint32_t
read_all(uint32_t from)
{
	static uint8_t data[4096];
	struct so_received r;

	while (soreceive(con.so, data, sizeof data, MSG_DONTWAIT, &r) == 0 && r.len != 0)
		for (size_t i = 0; i < r.len; i++)
			CHECK_EQ(data[i], 1 + from++ % 251);
	return from;
}

/* The machine's first number for the pair will be there in a while. */
static void
wait_for_isn(tcp_seq wanted)
{
	struct in_ends ends;
	tcp_seq now;

	enter(TCPS_ESTABLISHED);
	ends = tcp_ends(tcb());
	leave();
	now = tcp_new_isn(curmachine(), &ends);
	let_pass((uint64_t)(wanted - now) * 4000);
	nevermind();
}

KTEST(numbers_wrap_at_every_boundary)
{
	static const tcp_seq edges[] = {0, 0x80000000u, 0x7fffffff, 0xffffffff, 5000, 0x80000000u + 5000};
	uint32_t read_len;
	tcp_seq theirs;

	begin();
	for (size_t e = 0; e < sizeof edges / sizeof edges[0]; e++) {
		wait_for_isn(edges[e] - 5000);
		theirs = edges[e] - 5000;
		COME(.peer_port = con.port, .flags = S, .seq = theirs - 1, .win = 65535);
		con.ours = went().seq + 1;
		CHECK(con.ours - (edges[e] - 5000) < 100);
		con.theirs = theirs;
		answer(65535);
		con.so = accepted(listener);
		CHECK(con.so != NULL);
		listen_anew();
		CHECK_EQ(say(0, 20000), 20000);
		/* Pieces of the peer's come in another order; what we send is lost now and then. */
		read_len = 0;
		for (unsigned i = 0; i < 20; i++) {
			uint32_t piece = i ^ 1;

			peer_says(piece * 1000, 1000);
			read_len = read_all(read_len);
			hear(5);
		}
		CHECK_EQ(read_len, 20000);
		con.theirs += read_len;
		for (unsigned i = 0; i < 300 && heard_len < 20000; i++) {
			answer(65535);
			let_pass(300 * MS);
			hear(5);
		}
		CHECK_EQ(heard_len, 20000);
		CHECK_EQ(con.ours, first + 20000);
		answer(65535);
		leave();
	}
	finish();
}

/* ---- time --------------------------------------------------------------------------------- */

KTEST(half_closed_for_a_day)
{
	begin();
	enter(TCPS_FIN_WAIT_2);
	let_pass(24 * HOUR);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(tcb()->t_state, TCPS_FIN_WAIT_2);
	peer_says(0, 1000);
	CHECK_EQ(read_all(0), 1000);
	con.theirs += 1000;
	peer(F | A, 0, 0, NULL);
	CHECK_EQ(tcb()->t_state, TCPS_TIME_WAIT);
	CHECK_EQ(tcp_timewait_count(curmachine()), 1);
	CHECK_EQ(soclose(con.so), 0);
	nevermind();
	enter(TCPS_CLOSE_WAIT);
	let_pass(24 * HOUR);
	CHECK_EQ(waiting(), 0);
	listen_anew();
	CHECK_EQ(say(0, 3000), 3000);
	hear(0);
	/* The rest is short, and waited for this. */
	answer(65535);
	hear(0);
	CHECK_EQ(heard_len, 3000);
	answer(65535);
	CHECK_EQ(tcb()->snd_una, tcb()->snd_nxt);
	leave();
	finish();
}

/* ---- small segments ----------------------------------------------------------------------- */

static void
transfer(uint32_t least)
{
	listen_anew();
	CHECK_EQ(say(0, 6000), 6000);
	for (unsigned i = 0; i < 2000 && heard_len < 6000; i++) {
		hear(10);
		answer(65535);
		let_pass(50 * MS);
	}
	CHECK_EQ(heard_len, 6000);
	CHECK(tcb()->t_maxseg >= least);
}

/* However small the segments that a peer asks for, they are not crumbs. */
KTEST(a_tiny_mss_makes_no_crumbs)
{
	static const uint16_t offers[] = {0, 1, 2, 12, 40, 64, 215};

	begin();
	for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++) {
		let_pass(2 * SECOND);
		nevermind();
		con = (struct con){.port = (uint16_t)(3000 + i), .our_port = OUR_PORT, .theirs = 1001};
		COME(.peer_port = con.port, .flags = S, .seq = 1000, .win = 65535,
		    .to = {.to_flags = TOF_MSS, .to_mss = offers[i]});
		con.ours = went().seq + 1;
		answer(65535);
		con.so = accepted(listener);
		CHECK(con.so != NULL);
		transfer(216);
		leave();
	}
	finish();
}

/* A link that is as narrow as they may be (RFC 791), and routers that tell of such. */
KTEST(an_mtu_of_68)
{
	static const uint32_t mtus[] = {0, 1, 28, 68, 255, 296};

	begin();
	for (size_t i = 0; i < sizeof mtus / sizeof mtus[0]; i++) {
		enter(TCPS_ESTABLISHED);
		listen_anew();
		CHECK_EQ(say(0, 3000), 3000);
		tcp_mtu_changed(sototcpcb(con.so), mtus[i]);
		let_run();
		hear(0);
		for (unsigned k = 0; k < 100 && heard_len < 3000; k++) {
			answer(65535);
			let_pass(300 * MS);
			hear(0);
		}
		CHECK_EQ(heard_len, 3000);
		leave();
	}
	/* Segments get no smaller than 64 octets; IP cuts them. */
	en7->mtu = 68;
	enter(TCPS_ESTABLISHED);
	CHECK_EQ(tcb()->t_maxseg, TCP_LEAST_MAXSEG);
	CHECK_EQ(say(0, 64), 64);
	CHECK_EQ(waiting(), 2);
	nevermind();
	con.ours += 64;
	leave();
	en7->mtu = 1500;
	finish();
}

KTEST_SUITE(tcp_attacks, T(a_reset_anywhere_but_at_the_very_number_ends_nothing),
    T(a_syn_anywhere_is_challenged_at_most), T(data_with_an_impossible_ack_are_not_taken),
    T(data_far_off_the_window_are_not_taken), T(floods_leave_a_connection_and_its_listener_working),
    T(connections_that_nobody_accepts_are_bounded), T(a_window_that_is_shut_for_an_hour),
    T(windows_that_shrink_and_jump_about), T(dividing_acknowledgements_gains_nothing),
    T(acknowledging_what_was_not_sent_gains_nothing), T(garbage_in_sack_blocks_loses_no_data),
    T(numbers_wrap_at_every_boundary), T(half_closed_for_a_day), T(a_tiny_mss_makes_no_crumbs),
    T(an_mtu_of_68));
