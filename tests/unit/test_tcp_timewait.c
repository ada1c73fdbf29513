/* src/netinet/tcp_timewait.c: what answers after a connection, and what may follow it. */
#include "src/kern/sysctl.h"
#include "src/netinet/tcp_user.h"
#include "tests/unit/tcp_testing.h"

#define SECOND	TCP_NS_PER_S

static struct socket *listener;

/* A connection that we have closed, and the peer after us. */
struct over {
	tcp_seq ours;			/* next of ours */
	tcp_seq theirs;			/* next of theirs */
	uint32_t ts;			/* the last timestamp of theirs; 0: without */
};

static struct tcpopt
ts(uint32_t value)
{
	struct tcpopt to = {.to_flags = value != 0 ? TOF_TS : 0, .to_tsval = value};

	return to;
}

static struct over
wait_for(uint16_t port, uint32_t stamp)
{
	struct over o = {.theirs = 1002, .ts = stamp};
	struct tseg s;
	struct socket *so;

	COME(.peer_port = port, .flags = S, .seq = 1000, .win = 1000, .to = ts(stamp));
	o.ours = went().seq + 1;
	COME(.peer_port = port, .flags = A, .seq = 1001, .ack = o.ours, .win = 1000, .to = ts(stamp));
	so = accepted(listener);
	CHECK(so != NULL);
	CHECK_EQ(soclose(so), 0);
	s = went();
	CHECK_EQ(s.flags, F | A);
	o.ours++;
	COME(.peer_port = port, .flags = F | A, .seq = 1001, .ack = o.ours, .win = 1000, .to = ts(stamp));
	s = went();
	CHECK_EQ(s.flags, A);
	CHECK_EQ(s.seq, o.ours);
	CHECK_EQ(s.ack, 1002);
	CHECK_EQ(waiting(), 0);
	return o;
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
	testbed_end();
}

static unsigned
count(void)
{
	return tcp_timewait_count(curmachine());
}

/* ---- time --------------------------------------------------------------------------------- */

KTEST(it_takes_two_msl_and_little_memory)
{
	uint64_t before, sockets;

	begin();
	before = memory_now().heap_bytes;
	sockets = curmachine()->sockets->count;
	(void)wait_for(4000, 0);
	/* Nothing is left of the connection but the record: the first of a chunk. */
	CHECK_EQ(count(), 1);
	CHECK_EQ(curmachine()->sockets->count, sockets);
	CHECK_EQ(curmachine()->tcp->pcbs.count, 1);
	for (unsigned i = 1; i < 64; i++) {
		nevermind();
		(void)wait_for((uint16_t)(4000 + i), 5);
	}
	CHECK_EQ(count(), 64);
	CHECK(memory_now().heap_bytes - before <= 64 * 48 + 512);
	let_pass(59 * SECOND);
	CHECK_EQ(count(), 64);
	let_pass(2 * SECOND);
	CHECK_EQ(count(), 0);
	CHECK(memory_now().heap_bytes - before <= 512);
	nevermind();
	finish();
}

KTEST(its_time_follows_msl)
{
	begin();
	tconfig()->msl = 500;
	(void)wait_for(4000, 0);
	let_pass(SECOND - SECOND / 100);
	CHECK_EQ(count(), 1);
	let_pass(SECOND / 50);
	CHECK_EQ(count(), 0);
	/* What comes then is nobody's. */
	COME(.flags = F | A, .seq = 1001, .ack = 1);
	CHECK_EQ(went().flags, R);
	finish();
}

KTEST(the_oldest_makes_room)
{
	begin();
	tconfig()->maxtcptw = 3;
	for (uint16_t i = 0; i < 10; i++)
		(void)wait_for((uint16_t)(4000 + i), 0);
	CHECK_EQ(count(), 3);
	COME(.peer_port = 4000, .flags = F | A, .seq = 1001, .ack = 1);
	CHECK_EQ(went().flags, R);
	COME(.peer_port = 4009, .flags = F | A, .seq = 1001, .ack = 1);
	CHECK_EQ(went().flags, A);
	tconfig()->maxtcptw = 0;
	(void)wait_for(4100, 0);
	CHECK_EQ(count(), 0);
	finish();
}

/* ---- what it answers ---------------------------------------------------------------------- */

KTEST(a_fin_again_is_answered_and_starts_the_time_anew)
{
	struct over o;
	struct tseg s;

	begin();
	o = wait_for(4000, 77);
	let_pass(50 * SECOND);
	COME(.flags = F | A, .seq = 1001, .ack = o.ours, .win = 1000, .to = ts(78));
	s = went();
	CHECK_EQ(s.flags, A);
	CHECK_EQ(s.seq, o.ours);
	CHECK_EQ(s.ack, o.theirs);
	CHECK_EQ(s.to.to_flags, TOF_TS);
	CHECK_EQ(s.to.to_tsecr, 77);
	let_pass(50 * SECOND);
	CHECK_EQ(count(), 1);
	let_pass(11 * SECOND);
	CHECK_EQ(count(), 0);
	finish();
}

KTEST(resets_and_plain_acks_change_nothing)
{
	struct over o;

	begin();
	o = wait_for(4000, 0);
	/* RFC 1337. */
	COME(.flags = R, .seq = o.theirs);
	COME(.flags = R | A, .seq = o.theirs, .ack = o.ours);
	COME(.flags = A, .seq = o.theirs, .ack = o.ours, .win = 5);
	COME(.flags = F, .seq = 1001);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(count(), 1);
	/* Data, or an ACK of something else: told where we are. */
	COME(.flags = A | P, .seq = o.theirs, .ack = o.ours, .data = "more");
	CHECK_EQ(went().ack, o.theirs);
	COME(.flags = A, .seq = o.theirs + 100, .ack = o.ours);
	CHECK_EQ(went().seq, o.ours);
	CHECK_EQ(count(), 1);
	finish();
}

KTEST(answers_to_strays_are_limited_those_to_fins_are_not)
{
	struct over o;
	unsigned n = 0;

	begin();
	o = wait_for(4000, 0);
	let_pass(SECOND);
	for (unsigned i = 0; i < 100; i++)
		COME(.flags = A, .seq = o.theirs + 100 + i, .ack = o.ours);
	for (; waiting() != 0; n++)
		(void)went();
	CHECK(n >= 5 && n <= 20);
	nevermind();
	for (unsigned i = 0; i < 100; i++)
		COME(.flags = F | A, .seq = 1001, .ack = o.ours);
	CHECK_EQ(waiting(), 100);
	finish();
}

KTEST(a_segment_without_its_timestamp_is_not_heard)
{
	struct over o;

	begin();
	o = wait_for(4000, 77);
	COME(.flags = F | A, .seq = 1001, .ack = o.ours);
	CHECK_EQ(waiting(), 0);
	tconfig()->tolerate_missing_ts = 1;
	COME(.flags = F | A, .seq = 1001, .ack = o.ours);
	CHECK_EQ(went().flags, A);
	finish();
}

/* ---- new connections on the same ends ----------------------------------------------------- */

/* Does a SYN with that number and timestamp open a new connection? */
static bool
opens(const struct over *o, tcp_seq seq, uint32_t stamp)
{
	struct tseg s;

	nevermind();
	COME(.flags = S, .seq = seq, .win = 1000, .to = ts(stamp));
	/* One without its timestamp is not heard. */
	if (waiting() == 0) {
		CHECK_EQ(count(), 1);
		return false;
	}
	s = went();
	/* An old one is told where we are (RFC 9293 3.10.7.4, fourth step). */
	if (!(s.flags & S)) {
		CHECK_EQ(s.flags, A);
		CHECK_EQ(s.seq, o->ours);
		CHECK_EQ(count(), 1);
		return false;
	}
	CHECK_EQ(s.flags, S | A);
	CHECK_EQ(s.ack, seq + 1);
	/* RFC 1122 4.2.2.13: above everything that was used before. */
	CHECK(SEQ_GT(s.seq, o->ours));
	CHECK_EQ(count(), 0);
	COME(.flags = R, .seq = seq + 1);
	return true;
}

KTEST(a_syn_that_cannot_be_old_opens_a_new_connection)
{
	struct over o;

	begin();
	/* Without timestamps its number decides. */
	o = wait_for(4000, 0);
	CHECK(!opens(&o, 900, 0));
	CHECK(!opens(&o, o.theirs, 0));
	CHECK(opens(&o, o.theirs + 1, 0));
	nevermind();
	/* RFC 6191: timestamps only now. */
	o = wait_for(4000, 0);
	CHECK(opens(&o, 900, 5));
	nevermind();
	/* With them they decide; the same one, or none: the number. */
	o = wait_for(4000, 77);
	CHECK(!opens(&o, 2000, 76));
	CHECK(!opens(&o, 900, 77));
	CHECK(!opens(&o, 900, 0));
	CHECK(opens(&o, 900, 78));
	nevermind();
	o = wait_for(4000, 77);
	CHECK(opens(&o, 2000, 77));
	nevermind();
	o = wait_for(4000, 77);
	CHECK(opens(&o, 2000, 0));
	finish();
}

KTEST(a_new_connection_works)
{
	struct over o;
	struct socket *so;
	struct tseg s;

	begin();
	o = wait_for(4000, 0);
	/* Our numbers went further than the clock since: the floor counts. */
	COME(.flags = S, .seq = 9000, .win = 1000);
	s = went();
	CHECK(SEQ_GT(s.seq, o.ours));
	COME(.flags = A, .seq = 9001, .ack = s.seq + 1, .win = 1000, .data = "again");
	so = accepted(listener);
	CHECK_STR(receive(so), "again");
	CHECK_EQ(soclose(so), 0);
	finish();
}

/* ---- bind and connect --------------------------------------------------------------------- */

KTEST(its_port_is_taken_unless_reuse_is_asked_for)
{
	struct socket *so;

	begin();
	(void)wait_for(4000, 0);
	CHECK_EQ(soclose(listener), 0);
	so = tcp_socket(PF_INET);
	CHECK_EQ(bind4(so, INADDR_ANY, OUR_PORT), EADDRINUSE);
	CHECK_EQ(bind4(so, HERE4, OUR_PORT), EADDRINUSE);
	/* Another address has its own ports. */
	CHECK_EQ(bind4(so, OTHER4, OUR_PORT), 0);
	CHECK_EQ(soclose(so), 0);
	so = tcp_socket(PF_INET);
	CHECK_EQ(set_int(so, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	CHECK_EQ(bind4(so, INADDR_ANY, OUR_PORT), 0);
	CHECK_EQ(soclose(so), 0);
	/* UDP's ports are others. */
	so = udp4();
	CHECK_EQ(bind4(so, INADDR_ANY, OUR_PORT), 0);
	CHECK_EQ(soclose(so), 0);
	let_pass(61 * SECOND);
	listener = listen4(OUR_PORT, 5);
	finish();
}

/* Connects from a port to the peer; closes first, and waits. */
static tcp_seq
client_over(uint16_t port, bool with_ts)
{
	struct socket *so = tcp_socket(PF_INET);
	struct tseg s;

	CHECK_EQ(set_int(so, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	CHECK_EQ(bind4(so, HERE4, port), 0);
	so->so_state |= SS_NBIO;
	CHECK_EQ(connect4(so, THERE4, PEER_PORT), EINPROGRESS);
	let_run();
	s = went();
	CHECK_EQ(s.flags & S, S);
	COME(.our_port = port, .flags = S | A, .seq = 500, .ack = s.seq + 1, .win = 1000,
	    .to = ts(with_ts ? 9 : 0));
	CHECK_EQ(went().flags, A);
	CHECK_EQ(soclose(so), 0);
	CHECK_EQ(went().flags, F | A);
	COME(.our_port = port, .flags = F | A, .seq = 501, .ack = s.seq + 2, .win = 1000,
	    .to = ts(with_ts ? 9 : 0));
	CHECK_EQ(went().flags, A);
	CHECK_EQ(count(), 1);
	return s.seq + 2;
}

static errno_t
connect_again(uint16_t port, struct socket **out)
{
	struct socket *so = tcp_socket(PF_INET);

	CHECK_EQ(set_int(so, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	CHECK_EQ(bind4(so, HERE4, port), 0);
	so->so_state |= SS_NBIO;
	*out = so;
	return connect4(so, THERE4, PEER_PORT);
}

KTEST(connecting_again_waits_or_is_told_apart)
{
	struct socket *so;
	tcp_seq ours;

	begin();
	(void)client_over(7000, false);
	let_pass(5 * SECOND);
	CHECK_EQ(connect_again(7000, &so), EADDRINUSE);
	CHECK_EQ(soclose(so), 0);
	let_pass(60 * SECOND);
	CHECK_EQ(connect_again(7000, &so), EINPROGRESS);
	CHECK_EQ(soclose(so), 0);
	nevermind();
	/* Timestamps tell the two apart as soon as the clock has moved on. */
	ours = client_over(7001, true);
	CHECK_EQ(connect_again(7001, &so), EADDRINUSE);
	CHECK_EQ(soclose(so), 0);
	let_pass(2 * SECOND);
	CHECK_EQ(connect_again(7001, &so), EINPROGRESS);
	let_run();
	CHECK(SEQ_GT(went().seq, ours));
	CHECK_EQ(count(), 0);
	CHECK_EQ(soclose(so), 0);
	finish();
}

KTEST(the_choice_of_ports_passes_over_what_waits)
{
	struct socket *so, *other;

	begin();
	curmachine()->inet->ports.first = curmachine()->inet->ports.last = 7000;
	(void)client_over(7000, false);
	so = tcp_socket(PF_INET);
	so->so_state |= SS_NBIO;
	CHECK_EQ(connect4(so, THERE4, PEER_PORT), EADDRNOTAVAIL);
	CHECK_EQ(bind4(so, HERE4, 0), EADDRNOTAVAIL);
	/* To another peer the port is as good as new; and once more to a third. */
	CHECK_EQ(connect4(so, THERE4, PEER_PORT + 1), EINPROGRESS);
	other = tcp_socket(PF_INET);
	other->so_state |= SS_NBIO;
	CHECK_EQ(connect4(other, THERE4, PEER_PORT + 2), EINPROGRESS);
	CHECK_EQ(soclose(so) + soclose(other), 0);
	finish();
}

/* ---- limits ------------------------------------------------------------------------------- */

KTEST(local_connections_need_not_wait)
{
	struct socket *a, *b;

	begin();
	tconfig()->nolocaltimewait = 1;
	a = tcp_socket(PF_INET);
	CHECK_EQ(connect4(a, LOOP4, OUR_PORT), 0);
	b = accepted(listener);
	CHECK(b != NULL);
	CHECK_EQ(soclose(a) + soclose(b), 0);
	let_run();
	CHECK_EQ(count(), 0);
	tconfig()->nolocaltimewait = 0;
	a = tcp_socket(PF_INET);
	CHECK_EQ(connect4(a, LOOP4, OUR_PORT), 0);
	b = accepted(listener);
	CHECK_EQ(soclose(a), 0);
	let_run();
	CHECK_EQ(soclose(b), 0);
	let_run();
	CHECK_EQ(count(), 1);
	/* Both at once: both have to wait. */
	a = tcp_socket(PF_INET);
	CHECK_EQ(connect4(a, LOOP4, OUR_PORT), 0);
	b = accepted(listener);
	CHECK_EQ(soclose(a) + soclose(b), 0);
	let_run();
	CHECK_EQ(count(), 3);
	finish();
}

KTEST(without_memory_nothing_waits)
{
	struct over o;

	begin();
	for (unsigned n = 1; n < 40; n++) {
		nevermind();
		COME(.peer_port = (uint16_t)n, .flags = S, .seq = 1000, .win = 1000);
		o.ours = went().seq + 1;
		COME(.peer_port = (uint16_t)n, .flags = A, .seq = 1001, .ack = o.ours, .win = 1000);
		CHECK_EQ(soclose(accepted(listener)), 0);
		come_fails = n;
		COME(.peer_port = (uint16_t)n, .flags = F | A, .seq = 1001, .ack = o.ours + 1, .win = 1000);
		come_fails = 0;
	}
	CHECK(count() <= 39);
	let_pass(200 * SECOND);
	CHECK_EQ(count(), 0);
	finish();
}

KTEST(many_are_found_and_forgotten)
{
	struct in_ends e = {.laddr = in6_from4(HERE4), .lport = htons(OUR_PORT), .vflag = INP_IPV4};

	begin();
	for (unsigned i = 0; i < 2000; i++) {
		if (i % 32 == 0)
			nevermind();
		(void)wait_for((uint16_t)(2000 + i), i % 2);
	}
	CHECK_EQ(count(), 2000);
	e.faddr = in6_from4(THERE4);
	for (unsigned i = 0; i < 2100; i++) {
		e.fport = htons((uint16_t)(2000 + i));
		CHECK_EQ(tcp_timewait_taken(curmachine(), &e), i < 2000);
	}
	let_pass(70 * SECOND);
	CHECK_EQ(count(), 0);
	nevermind();
	finish();
}

KTEST(what_has_no_socket_is_listed_with_the_rest)
{
	static struct core_tcp_pcb list[8];
	size_t len = sizeof list;
	struct sysctl_access get = {.old = list, .old_len = &len};

	begin();
	(void)wait_for(4000, 0);
	COME(.peer_port = 4001, .flags = S, .seq = 1000, .win = 1000);
	CHECK_EQ(sysctl_by_name(curmachine(), "net.inet.tcp.pcblist", &get), 0);
	CHECK_EQ(len, 3 * sizeof *list);
	CHECK_EQ(list[0].xt_state, TCPS_LISTEN);
	CHECK_EQ(list[1].xt_state, TCPS_SYN_RECEIVED);
	CHECK_EQ(list[1].xt_fport, htons(4001));
	CHECK_EQ(list[2].xt_state, TCPS_TIME_WAIT);
	CHECK_EQ(list[2].xt_fport, htons(4000));
	CHECK_EQ(list[2].xt_lport, htons(OUR_PORT));
	finish();
}

KTEST_SUITE(tcp_timewait, T(it_takes_two_msl_and_little_memory), T(its_time_follows_msl),
    T(the_oldest_makes_room), T(a_fin_again_is_answered_and_starts_the_time_anew),
    T(resets_and_plain_acks_change_nothing), T(answers_to_strays_are_limited_those_to_fins_are_not),
    T(a_segment_without_its_timestamp_is_not_heard), T(a_syn_that_cannot_be_old_opens_a_new_connection),
    T(a_new_connection_works), T(its_port_is_taken_unless_reuse_is_asked_for),
    T(connecting_again_waits_or_is_told_apart), T(the_choice_of_ports_passes_over_what_waits),
    T(local_connections_need_not_wait), T(without_memory_nothing_waits), T(many_are_found_and_forgotten),
    T(what_has_no_socket_is_listed_with_the_rest));
