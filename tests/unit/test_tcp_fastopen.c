/* src/netinet/tcp_fastopen.c: data on SYNs, in both roles. */
#include "src/kern/sysctl.h"
#include "tests/unit/tcp_testing.h"

#define SECOND	TCP_NS_PER_S

static struct socket *listener;

static void
begin(void)
{
	tcp_testbed();
	tconfig()->fastopen_server = 1;
	listener = listen4(OUR_PORT, 10);
	CHECK_EQ(set_int(listener, IPPROTO_TCP, TCP_FASTOPEN, 1), 0);
}

static void
finish(void)
{
	CHECK_EQ(soclose(listener), 0);
	testbed_end();
}

static struct tcpopt
cookie_option(const uint8_t *cookie, uint8_t len)
{
	struct tcpopt to = {
		.to_flags = TOF_MSS | TOF_FASTOPEN, .to_mss = 1460, .to_tfo_cookie = cookie, .to_tfo_len = len
	};

	return to;
}

/* Asks for the cookie as the peer and takes the handshake no further. */
static struct tseg
ask(uint16_t port)
{
	struct tseg s;

	COME(.peer_port = port, .flags = S, .seq = 1000, .win = 1000, .to = cookie_option(NULL, 0));
	s = went();
	COME(.peer_port = port, .flags = R, .seq = 1001);
	return s;
}

/* A SYN with the cookie and data. */
static void
syn_with_data(uint16_t port, const struct tseg *cookie, const char *text)
{
	COME(.peer_port = port, .flags = S, .seq = 2000, .win = 1000, .data = text,
	    .to = cookie_option(cookie->cookie, cookie->to.to_tfo_len));
}

/* ---- server ------------------------------------------------------------------------------- */

KTEST(a_cookie_is_given_when_asked_for)
{
	struct tseg s, again;

	begin();
	s = ask(4000);
	CHECK_EQ(s.flags, S | A);
	CHECK_EQ(s.ack, 1001);
	CHECK(s.to.to_flags & TOF_FASTOPEN);
	CHECK_EQ(s.to.to_tfo_len, 8);
	again = ask(4001);
	CHECK(memcmp(s.cookie, again.cookie, 8) == 0);
	CHECK_EQ(tst()->tcps_tfo_cookie_req_rcv, 2);
	CHECK_EQ(tst()->tcps_tfo_cookie_sent, 2);
	/* Not by a listener that does not do it, nor when it is off. */
	CHECK_EQ(set_int(listener, IPPROTO_TCP, TCP_FASTOPEN, 0), 0);
	CHECK(!(ask(4002).to.to_flags & TOF_FASTOPEN));
	CHECK_EQ(set_int(listener, IPPROTO_TCP, TCP_FASTOPEN, 1), 0);
	tconfig()->fastopen_server = 0;
	CHECK(!(ask(4003).to.to_flags & TOF_FASTOPEN));
	finish();
}

KTEST(data_with_a_cookie_are_delivered_at_once)
{
	struct socket *so;
	struct tseg c, s;

	begin();
	c = ask(4000);
	syn_with_data(4000, &c, "GET /");
	s = went();
	CHECK_EQ(s.flags, S | A);
	CHECK_EQ(s.ack, 2001 + 5);
	so = accepted(listener);
	CHECK_EQ(sototcpcb(so)->t_state, TCPS_SYN_RECEIVED);
	CHECK_STR(receive(so), "GET /");
	/* The answer does not wait for the handshake. */
	CHECK_EQ(send_to(so, NULL, "200", 3), 0);
	let_run();
	CHECK_STR(went().text, "200");
	COME(.flags = A, .seq = 2006, .ack = s.seq + 4, .win = 1000);
	CHECK_EQ(sototcpcb(so)->t_state, TCPS_ESTABLISHED);
	CHECK_EQ(sototcpcb(so)->snd_una, s.seq + 4);
	CHECK_EQ(waiting(), 0);
	COME(.flags = A | P, .seq = 2006, .ack = s.seq + 4, .win = 1000, .data = "more");
	CHECK_STR(receive(so), "more");
	CHECK_EQ(tst()->tcps_tfo_syn_data_rcv, 1);
	CHECK_EQ(soclose(so), 0);
	finish();
}

KTEST(a_server_may_answer_and_close_before_the_handshake_is_over)
{
	struct socket *so;
	struct tseg c, s, f;

	begin();
	c = ask(4000);
	syn_with_data(4000, &c, "x");
	s = went();
	so = accepted(listener);
	CHECK_EQ(send_to(so, NULL, "bye", 3), 0);
	CHECK_STR(receive(so), "x");
	CHECK_EQ(soclose(so), 0);
	let_run();
	CHECK_STR(went().text, "bye");
	nevermind();
	COME(.flags = A, .seq = 2002, .ack = s.seq + 4, .win = 1000);
	f = went();
	CHECK(f.flags & F);
	COME(.flags = F | A, .seq = 2002, .ack = f.seq + 1, .win = 1000);
	CHECK_EQ(tcp_timewait_count(curmachine()), 1);
	finish();
}

KTEST(a_wrong_cookie_is_a_plain_syn)
{
	struct socket *so;
	struct tseg c, s;

	begin();
	c = ask(4000);
	c.cookie[3] ^= 1;
	syn_with_data(4000, &c, "data");
	s = went();
	CHECK_EQ(s.ack, 2001);
	CHECK_EQ(s.to.to_tfo_len, 8);
	CHECK_EQ(tst()->tcps_tfo_cookie_invalid, 1);
	CHECK(accepted(listener) == NULL);
	COME(.flags = A, .seq = 2001, .ack = s.seq + 1, .win = 1000, .data = "data");
	so = accepted(listener);
	CHECK_STR(receive(so), "data");
	CHECK_EQ(soclose(so), 0);
	nevermind();
	/* Another host's, and one of another length. */
	c.cookie[3] ^= 1;
	COME(.from4 = IP4(10, 0, 0, 3), .flags = S, .seq = 2000, .data = "x",
	    .to = cookie_option(c.cookie, 8));
	CHECK_EQ(went().ack, 2001);
	COME(.peer_port = 4001, .flags = S, .seq = 2000, .data = "x", .to = cookie_option(c.cookie, 6));
	CHECK_EQ(went().ack, 2001);
	finish();
}

KTEST(keys_change_with_time)
{
	struct tseg c, fresh;

	begin();
	c = ask(4000);
	let_pass(130 * SECOND);
	nevermind();
	fresh = ask(4000);
	CHECK(memcmp(c.cookie, fresh.cookie, 8) != 0);
	/* The one before is still good; the one before that is not. */
	syn_with_data(4001, &c, "abc");
	CHECK_EQ(went().ack, 2004);
	let_pass(130 * SECOND);
	nevermind();
	syn_with_data(4002, &c, "abc");
	CHECK_EQ(went().ack, 2001);
	nevermind();
	syn_with_data(4003, &fresh, "abc");
	CHECK_EQ(went().ack, 2004);
	finish();
}

KTEST(servers_can_share_a_key)
{
	const struct sysctl_access set = {.new = "0123456789abcdef", .new_len = 16};
	const struct sysctl_access wrong = {.new = "0123456789abcde", .new_len = 15};
	struct tseg one, two;

	begin();
	one = ask(4000);
	CHECK_EQ(sysctl_by_name(curmachine(), "net.inet.tcp.fastopen.setkey", &wrong), EINVAL);
	CHECK_EQ(sysctl_by_name(curmachine(), "net.inet.tcp.fastopen.setkey", &set), 0);
	two = ask(4000);
	CHECK(memcmp(one.cookie, two.cookie, 8) != 0);
	CHECK_EQ(sysctl_by_name(curmachine(), "net.inet.tcp.fastopen.setkey", &set), 0);
	one = ask(4000);
	CHECK(memcmp(one.cookie, two.cookie, 8) == 0);
	finish();
}

KTEST(so_many_may_be_pending)
{
	struct tseg c;
	unsigned quick = 0, plain = 0;

	begin();
	c = ask(4000);
	nevermind();
	for (uint16_t i = 0; i < 30; i++) {
		struct tseg s;

		syn_with_data((uint16_t)(5000 + i), &c, "abc");
		s = went();
		if (s.ack == 2004)
			quick++;
		else
			plain++;
		nevermind();
	}
	CHECK(quick >= 5 && quick <= 6);
	CHECK_EQ(quick + plain, 30);
	CHECK_EQ(syncache_count(curmachine()), plain);
	/* One that is confirmed, or reset, makes room for another. */
	COME(.peer_port = 5000, .flags = R, .seq = 2004);
	syn_with_data(6000, &c, "abc");
	CHECK_EQ(went().ack, 2004);
	syn_with_data(6001, &c, "abc");
	CHECK_EQ(went().ack, 2001);
	finish();
}

/* Those whose handshake is over are like any others, and count no more while they live. */
KTEST(a_confirmed_one_makes_room)
{
	struct socket *open[20];
	struct tseg c, s;

	begin();
	c = ask(4000);
	for (uint16_t i = 0; i < 20; i++) {
		syn_with_data((uint16_t)(5000 + i), &c, "abc");
		s = went();
		CHECK_EQ(s.ack, 2004);
		COME(.peer_port = (uint16_t)(5000 + i), .flags = A, .seq = 2004, .ack = s.seq + 1,
		    .win = 1000);
		open[i] = accepted(listener);
		CHECK_EQ(sototcpcb(open[i])->t_state, TCPS_ESTABLISHED);
	}
	for (unsigned i = 0; i < 20; i++)
		CHECK_EQ(soclose(open[i]), 0);
	nevermind();
	finish();
}

/* What there is no room for is not acknowledged, and comes again. */
KTEST(data_beyond_the_buffer_are_left)
{
	struct socket *so;
	struct tseg c, s;

	begin();
	CHECK_EQ(set_int(listener, SOL_SOCKET, SO_RCVBUF, 4), 0);
	c = ask(4000);
	syn_with_data(4000, &c, "abcdef");
	s = went();
	CHECK_EQ(s.ack, 2001 + 4);
	CHECK_EQ(s.win, 0);
	so = accepted(listener);
	CHECK_STR(receive(so), "abcd");
	COME(.flags = A, .seq = 2005, .ack = s.seq + 1, .win = 1000, .data = "ef");
	CHECK_STR(receive(so), "ef");
	nevermind();
	CHECK_EQ(soclose(so), 0);
	finish();
}

KTEST(a_cookie_may_come_without_data)
{
	struct socket *so;
	struct tseg c, s;

	begin();
	c = ask(4000);
	syn_with_data(4000, &c, "");
	s = went();
	CHECK_EQ(s.ack, 2001);
	so = accepted(listener);
	CHECK_EQ(sototcpcb(so)->t_state, TCPS_SYN_RECEIVED);
	COME(.flags = A, .seq = 2001, .ack = s.seq + 1, .win = 1000, .data = "later");
	CHECK_STR(receive(so), "later");
	CHECK_EQ(soclose(so), 0);
	finish();
}

KTEST(a_flood_of_cookies_is_bounded)
{
	struct tseg c;
	uint64_t before = 0;

	begin();
	tconfig()->syncache_cachelimit = 50;
	c = ask(4000);
	for (uint32_t i = 0; i < 5000; i++) {
		come_now(&(struct tseg){
			.peer_port = (uint16_t)(1024 + i), .flags = S, .seq = 2000, .win = 1000,
			.data = "x", .to = cookie_option(c.cookie, 8)
		});
		if (i % 64 == 63)
			nevermind();
		if (i == 500)
			before = memory_now().heap_bytes;
	}
	CHECK(memory_now().heap_bytes <= before + 4096);
	CHECK(curmachine()->tcp->pcbs.count <= 12);
	nevermind();
	finish();
}

KTEST(without_memory_it_is_a_plain_syn_or_nothing)
{
	struct tseg c;

	begin();
	c = ask(4000);
	for (unsigned n = 1; n < 30; n++) {
		nevermind();
		come_fails = n;
		syn_with_data((uint16_t)(5000 + n), &c, "abc");
		come_fails = 0;
		nevermind();
		COME(.peer_port = (uint16_t)(5000 + n), .flags = R, .seq = 2001);
		COME(.peer_port = (uint16_t)(5000 + n), .flags = R, .seq = 2004);
	}
	let_pass(100 * SECOND);
	nevermind();
	CHECK_EQ(curmachine()->tcp->pcbs.count, 1);
	finish();
}

/* ---- client ------------------------------------------------------------------------------- */

/* Connects with data; non-blocking, from a port of its own. */
static struct socket *
client(uint16_t port, const char *text)
{
	struct sockaddr_in to = sin4(THERE4, PEER_PORT);
	struct socket *so = tcp_socket(PF_INET);

	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_FASTOPEN, 1), 0);
	CHECK_EQ(bind4(so, HERE4, port), 0);
	so->so_state |= SS_NBIO;
	(void)send_to(so, SA(to), text, strlen(text));
	let_run();
	return so;
}

static const uint8_t their_cookie[] = {1, 2, 3, 4, 5, 6, 7, 8};

KTEST(a_client_asks_and_then_uses_its_cookie)
{
	struct socket *so;
	struct tseg s;

	begin();
	so = client(7000, "hello");
	s = went();
	CHECK_EQ(s.flags, S);
	CHECK_EQ(s.len, 0);
	CHECK(s.to.to_flags & TOF_FASTOPEN);
	CHECK_EQ(s.to.to_tfo_len, 0);
	COME(.our_port = 7000, .flags = S | A, .seq = 500, .ack = s.seq + 1, .win = 1000,
	    .to = cookie_option(their_cookie, 8));
	CHECK_STR(went().text, "hello");
	COME(.our_port = 7000, .flags = R, .seq = 501);
	CHECK_EQ(soclose(so), 0);
	nevermind();
	so = client(7001, "hello");
	s = went();
	CHECK_EQ(s.flags & S, S);
	CHECK_EQ(s.to.to_tfo_len, 8);
	CHECK(memcmp(s.cookie, their_cookie, 8) == 0);
	CHECK_STR(s.text, "hello");
	COME(.our_port = 7001, .flags = S | A, .seq = 500, .ack = s.seq + 6, .win = 1000,
	    .to = cookie_option(NULL, 0));
	CHECK_EQ(sototcpcb(so)->t_state, TCPS_ESTABLISHED);
	CHECK_EQ(so->so_snd.sb_cc, 0);
	CHECK_EQ(tst()->tcps_tfo_syn_data_acked, 1);
	CHECK_EQ(soclose(so), 0);
	finish();
}

KTEST(data_that_the_server_did_not_take_are_sent_again)
{
	struct in_ends e = {.faddr = in6_from4(THERE4), .fport = htons(PEER_PORT), .vflag = INP_IPV4};
	struct socket *so;
	struct tseg s;

	begin();
	tcp_fastopen_remember(curmachine(), &e, their_cookie, 8, 1460);
	so = client(7000, "hello");
	s = went();
	CHECK_STR(s.text, "hello");
	COME(.our_port = 7000, .flags = S | A, .seq = 500, .ack = s.seq + 1, .win = 1000);
	CHECK_STR(went().text, "hello");
	COME(.our_port = 7000, .flags = R, .seq = 501);
	CHECK_EQ(soclose(so), 0);
	finish();
}

KTEST(where_it_vanishes_it_is_not_tried_for_a_while)
{
	struct in_ends e = {.faddr = in6_from4(THERE4), .fport = htons(PEER_PORT), .vflag = INP_IPV4};
	struct socket *so;
	struct tseg s;

	begin();
	tcp_fastopen_remember(curmachine(), &e, their_cookie, 8, 1460);
	so = client(7000, "hello");
	CHECK_EQ(went().len, 5);
	let_pass(SECOND * 11 / 10);
	s = went();
	CHECK_EQ(s.flags & S, S);
	CHECK_EQ(s.len, 0);
	CHECK(!(s.to.to_flags & TOF_FASTOPEN));
	CHECK_EQ(soclose(so), 0);
	nevermind();
	so = client(7001, "hello");
	s = went();
	CHECK_EQ(s.len, 0);
	CHECK(!(s.to.to_flags & TOF_FASTOPEN));
	CHECK_EQ(soclose(so), 0);
	let_pass(901 * SECOND);
	nevermind();
	/* It asks anew. */
	so = client(7002, "hello");
	s = went();
	CHECK(s.to.to_flags & TOF_FASTOPEN);
	CHECK_EQ(s.to.to_tfo_len, 0);
	CHECK_EQ(soclose(so), 0);
	finish();
}

KTEST(a_client_remembers_so_many_servers)
{
	struct in_ends e = {.fport = htons(80), .vflag = INP_IPV4};
	uint8_t cookie[TCP_FASTOPEN_MAX_COOKIE];
	uint64_t full = 0;
	uint16_t mss;

	begin();
	for (uint32_t i = 0; i < 5000; i++) {
		e.faddr = in6_from4(i);
		tcp_fastopen_remember(curmachine(), &e, their_cookie, 8, (uint16_t)i);
		if (i == 1500)
			full = memory_now().heap_bytes;
	}
	CHECK_EQ(memory_now().heap_bytes, full);
	CHECK_EQ(tcp_fastopen_lookup(curmachine(), &e, cookie, &mss), 8);
	CHECK_EQ(mss, 4999);
	e.faddr = in6_from4(3000);
	CHECK_EQ(tcp_fastopen_lookup(curmachine(), &e, cookie, &mss), 0);
	e.faddr = in6_from4(4999);
	e.fport = htons(81);
	CHECK_EQ(tcp_fastopen_lookup(curmachine(), &e, cookie, &mss), 0);
	finish();
}

KTEST_SUITE(tcp_fastopen, T(a_cookie_is_given_when_asked_for), T(data_with_a_cookie_are_delivered_at_once),
    T(a_server_may_answer_and_close_before_the_handshake_is_over), T(a_wrong_cookie_is_a_plain_syn),
    T(keys_change_with_time), T(servers_can_share_a_key), T(so_many_may_be_pending),
    T(a_confirmed_one_makes_room), T(data_beyond_the_buffer_are_left), T(a_cookie_may_come_without_data),
    T(a_flood_of_cookies_is_bounded), T(without_memory_it_is_a_plain_syn_or_nothing),
    T(a_client_asks_and_then_uses_its_cookie), T(data_that_the_server_did_not_take_are_sent_again),
    T(where_it_vanishes_it_is_not_tried_for_a_while), T(a_client_remembers_so_many_servers));
