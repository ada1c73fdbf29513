/* src/netinet/tcp_usrreq.c, tcp_subr.c, and streams in the socket layer: what users ask, over lo0. */
#include <sys/ioctl.h>

#include "src/kern/sysctl.h"
#include "src/netinet/tcp_user.h"
#include "tests/unit/tcp_testing.h"

static struct socket *listening, *client, *server;

/* A connection by lo0, both ends. */
static void
connection(void)
{
	struct sockaddr_in to = sin4(LOOP4, 80);

	tcp_testbed();
	listening = listen4(80, 5);
	client = tcp_socket(PF_INET);
	CHECK_EQ(soconnect(client, SA(to), 0), 0);
	let_run();
	server = accepted(listening);
	CHECK(server != NULL);
	/* Short segments do not wait for each other. */
	CHECK_EQ(set_int(client, IPPROTO_TCP, TCP_NODELAY, 1), 0);
	CHECK_EQ(set_int(server, IPPROTO_TCP, TCP_NODELAY, 1), 0);
}

static void
end_connection(void)
{
	if (client != NULL)
		CHECK_EQ(soclose(client), 0);
	if (server != NULL)
		CHECK_EQ(soclose(server), 0);
	CHECK_EQ(soclose(listening), 0);
	client = server = NULL;
	let_pass(120 * TCP_NS_PER_S);
	CHECK_EQ(curmachine()->tcp->pcbs.count, 0);
	testbed_end();
}

static int
state_of(const struct socket *so)
{
	return sotoinpcb(so) != NULL ? sototcpcb(so)->t_state : TCPS_CLOSED;
}

static errno_t
say_flags(struct socket *so, const char *text, int flags)
{
	size_t n;

	return sosend(so, NULL, text, strlen(text), NULL, NULL, flags | MSG_DONTWAIT, &n);
}

static errno_t
say(struct socket *so, const char *text)
{
	return say_flags(so, text, 0);
}

/* What comes now, at most: "" the end. */
static errno_t
hear_flags(struct socket *so, size_t most, int flags)
{
	memset(got, 0, sizeof got);
	let_run();
	return soreceive(so, got, most, flags | MSG_DONTWAIT, &rcv);
}

static errno_t
hear(struct socket *so)
{
	return hear_flags(so, sizeof got - 1, 0);
}

static struct sockaddr_in
name_of(struct socket *so, errno_t (*fn)(struct socket *, struct sockaddr_storage *))
{
	struct sockaddr_storage ss;
	struct sockaddr_in sin;

	CHECK_EQ(fn(so, &ss), 0);
	memcpy(&sin, &ss, sizeof sin);
	return sin;
}

/* ---- from beginning to end ---------------------------------------------------------------- */

KTEST(a_connection_by_lo0)
{
	connection();
	CHECK_EQ(state_of(client), TCPS_ESTABLISHED);
	CHECK_EQ(state_of(server), TCPS_ESTABLISHED);
	CHECK_EQ(ntohs(name_of(client, sogetpeername).sin_port), 80);
	CHECK_EQ(name_of(server, sogetpeername).sin_port, name_of(client, sogetsockname).sin_port);
	CHECK_EQ(say(client, "ping"), 0);
	CHECK_EQ(hear(server), 0);
	CHECK_STR(got, "ping");
	CHECK_EQ(say(server, "pong"), 0);
	CHECK_EQ(hear(client), 0);
	CHECK_STR(got, "pong");
	CHECK_EQ(hear(client), EWOULDBLOCK);
	CHECK_EQ(curmachine()->tcp->states[TCPS_ESTABLISHED], 2);
	CHECK_EQ(curmachine()->tcp->states[TCPS_LISTEN], 1);
	CHECK_EQ(tst()->tcps_connattempt, 1);
	CHECK_EQ(tst()->tcps_accepts, 1);
	CHECK_EQ(tst()->tcps_connects, 2);
	end_connection();
}

KTEST(half_closed_both_ways)
{
	connection();
	CHECK_EQ(say(client, "last"), 0);
	CHECK_EQ(soshutdown(client, SHUT_WR), 0);
	CHECK_EQ(say(client, "more"), EPIPE);
	CHECK_EQ(hear(server), 0);
	CHECK_STR(got, "last");
	CHECK_EQ(hear(server), 0);
	CHECK_EQ(rcv.len, 0);
	let_run();
	CHECK_EQ(state_of(client), TCPS_FIN_WAIT_2);
	CHECK_EQ(state_of(server), TCPS_CLOSE_WAIT);
	CHECK_EQ(say(server, "answer"), 0);
	CHECK_EQ(hear(client), 0);
	CHECK_STR(got, "answer");
	CHECK_EQ(soclose(server), 0);
	server = NULL;
	let_run();
	CHECK_EQ(hear(client), 0);
	CHECK_EQ(rcv.len, 0);
	CHECK_EQ(tcp_timewait_count(curmachine()), 1);
	end_connection();
}

/* The user goes, what was sent goes through all the same: the connection holds its socket. */
KTEST(closing_leaves_the_rest_to_the_connection)
{
	static char big[20000];
	size_t n, all = 0;

	connection();
	CHECK_EQ(sosend(client, NULL, big, sizeof big, NULL, NULL, MSG_DONTWAIT, &n), 0);
	CHECK_EQ(n, sizeof big);
	CHECK_EQ(soclose(client), 0);
	client = NULL;
	let_pass(TCP_NS_PER_S);
	do {
		CHECK_EQ(hear(server), 0);
		all += rcv.len;
	} while (rcv.len != 0);
	CHECK_EQ(all, sizeof big);
	end_connection();
}

KTEST(nobody_waits_in_fin_wait_2_for_ever)
{
	connection();
	CHECK_EQ(soclose(client), 0);
	client = NULL;
	let_run();
	CHECK_EQ(curmachine()->tcp->states[TCPS_FIN_WAIT_2], 1);
	let_pass(601 * TCP_NS_PER_S);
	CHECK_EQ(curmachine()->tcp->states[TCPS_FIN_WAIT_2], 0);
	end_connection();
}

/* ---- cut off ------------------------------------------------------------------------------ */

KTEST(lingering_for_no_time_resets)
{
	const struct linger l = {1, 0};

	connection();
	CHECK_EQ(set_option(client, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
	CHECK_EQ(say(client, "lost"), 0);
	CHECK_EQ(soclose(client), 0);
	client = NULL;
	let_run();
	CHECK_EQ(state_of(server), TCPS_CLOSED);
	CHECK_EQ(hear(server), 0);
	CHECK_STR(got, "lost");
	CHECK_EQ(hear(server), ECONNRESET);
	CHECK_EQ(hear(server), 0);
	CHECK_EQ(rcv.len, 0);
	CHECK_EQ(say(server, "x"), EPIPE);
	CHECK_EQ(tcp_timewait_count(curmachine()), 0);
	end_connection();
}

KTEST(a_listener_takes_what_waits_there_with_it)
{
	connection();
	CHECK_EQ(soclose(client), 0);
	client = tcp_socket(PF_INET);
	CHECK_EQ(connect4(client, LOOP4, 80), 0);
	let_run();
	CHECK_EQ(listening->so_qlen, 1);
	CHECK_EQ(soclose(listening), 0);
	let_run();
	CHECK_EQ(hear(client), ECONNRESET);
	CHECK_EQ(soclose(client), 0);
	CHECK_EQ(soclose(server), 0);
	client = server = NULL;
	listening = listen4(90, 1);
	end_connection();
}

KTEST(what_was_over_before_it_was_accepted)
{
	const struct linger l = {1, 0};
	struct sockaddr_storage ss;
	struct socket *so;

	connection();
	CHECK_EQ(soclose(client), 0);
	client = tcp_socket(PF_INET);
	CHECK_EQ(set_option(client, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
	CHECK_EQ(connect4(client, LOOP4, 80), 0);
	let_run();
	CHECK_EQ(soclose(client), 0);
	client = NULL;
	let_run();
	CHECK_EQ(soaccept(listening, MSG_DONTWAIT, &ss, &so), ECONNABORTED);
	CHECK_EQ(soaccept(listening, MSG_DONTWAIT, &ss, &so), EWOULDBLOCK);
	end_connection();
}

/* ---- errors ------------------------------------------------------------------------------- */

KTEST(what_is_refused_and_how)
{
	struct sockaddr_in6 mapped;
	struct socket *so, *other;
	struct sockaddr_storage ss;

	tcp_testbed();
	so = tcp_socket(PF_INET);
	CHECK_EQ(say(so, "x"), ENOTCONN);
	CHECK_EQ(hear(so), ENOTCONN);
	CHECK_EQ(soshutdown(so, SHUT_WR), ENOTCONN);
	CHECK_EQ(sodisconnect(so), ENOTCONN);
	CHECK_EQ(sogetpeername(so, &ss), ENOTCONN);
	CHECK_EQ(soaccept(so, MSG_DONTWAIT, &ss, &other), EINVAL);
	CHECK_EQ(connect4(so, IP4(224, 0, 0, 1), 80), EAFNOSUPPORT);
	CHECK_EQ(connect4(so, IP4(255, 255, 255, 255), 80), EACCES);
	CHECK_EQ(connect4(so, IP4(10, 0, 0, 255), 80), EACCES);
	CHECK_EQ(connect4(so, THERE4, 0), EADDRNOTAVAIL);
	CHECK_EQ(connect4(so, IP4(172, 16, 0, 1), 80), ENETUNREACH);
	CHECK_EQ(connect6(so, THERE6, 80), EAFNOSUPPORT);
	CHECK_EQ(bind4(so, IP4(224, 0, 0, 1), 80), EAFNOSUPPORT);
	CHECK_EQ(bind4(so, THERE4, 80), EADDRNOTAVAIL);
	/* It is as it was before. */
	CHECK_EQ(sotoinpcb(so)->inp_lport, 0);
	CHECK_EQ(bind4(so, HERE4, 80), 0);
	CHECK_EQ(bind4(so, HERE4, 81), EINVAL);
	CHECK_EQ(solisten(so, 1), 0);
	CHECK_EQ(solisten(so, 2), 0);
	CHECK_EQ(connect4(so, THERE4, 80), EOPNOTSUPP);
	CHECK_EQ(say(so, "x"), ENOTCONN);
	other = tcp_socket(PF_INET);
	CHECK_EQ(bind4(other, HERE4, 80), EADDRINUSE);
	CHECK_EQ(soclose(other), 0);
	other = tcp_socket(PF_INET6);
	CHECK_EQ(connect6(other, GROUP6, 80), EAFNOSUPPORT);
	mapped = sin6(in6_mapped(IP4(224, 0, 0, 1)), 80);
	CHECK_EQ(soconnect(other, SA(mapped), MSG_DONTWAIT), EAFNOSUPPORT);
	CHECK_EQ(set_int(other, IPPROTO_IPV6, IPV6_V6ONLY, 1), 0);
	mapped = sin6(in6_mapped(HERE4), 80);
	CHECK_EQ(soconnect(other, SA(mapped), MSG_DONTWAIT), EINVAL);
	CHECK_EQ(soclose(other), 0);
	CHECK_EQ(soclose(so), 0);
	CHECK_EQ(curmachine()->tcp->pcbs.count, 0);
	testbed_end();
}

KTEST(a_socket_does_one_thing)
{
	connection();
	CHECK_EQ(connect4(client, LOOP4, 80), EISCONN);
	CHECK_EQ(solisten(client, 1), EINVAL);
	CHECK_EQ(bind4(client, LOOP4, 99), EINVAL);
	end_connection();
}

KTEST(a_port_that_nobody_listens_at)
{
	struct socket *so;

	tcp_testbed();
	so = tcp_socket(PF_INET);
	CHECK_EQ(connect4(so, LOOP4, 81), ECONNREFUSED);
	CHECK_EQ(so->so_state & (SS_ISCONNECTED | SS_ISCONNECTING), 0);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

/* ---- connecting in steps ------------------------------------------------------------------ */

KTEST(a_non_blocking_connect)
{
	struct sockaddr_in to = sin4(THERE4, PEER_PORT);
	struct socket *so;
	struct tseg s;

	tcp_testbed();
	so = tcp_socket(PF_INET);
	CHECK_EQ(soconnect(so, SA(to), MSG_DONTWAIT), EINPROGRESS);
	CHECK_EQ(soconnect(so, SA(to), MSG_DONTWAIT), EALREADY);
	CHECK_EQ(soready(so), 0);
	CHECK_EQ(say(so, "x"), ENOTCONN);
	let_run();
	s = went();
	CHECK_EQ(s.flags, S);
	COME(.our_port = s.our_port, .flags = S | A, .seq = 500, .ack = s.seq + 1, .win = 1000);
	CHECK_EQ(soready(so), SO_WRITABLE);
	CHECK_EQ(so->so_error, 0);
	CHECK_EQ(soconnect(so, SA(to), MSG_DONTWAIT), EISCONN);
	CHECK_EQ(went().flags, A);
	CHECK_EQ(soclose(so), 0);
	let_pass(3600 * TCP_NS_PER_S);
	CHECK_EQ(curmachine()->tcp->pcbs.count, 0);
	testbed_end();
}

KTEST(closing_while_connecting_says_nothing)
{
	struct sockaddr_in to = sin4(THERE4, PEER_PORT);
	struct socket *so;

	tcp_testbed();
	so = tcp_socket(PF_INET);
	CHECK_EQ(soconnect(so, SA(to), MSG_DONTWAIT), EINPROGRESS);
	let_run();
	nevermind();
	CHECK_EQ(soclose(so), 0);
	let_pass(200 * TCP_NS_PER_S);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(curmachine()->tcp->pcbs.count, 0);
	testbed_end();
}

KTEST(connecting_gives_up_in_time)
{
	struct socket *so;

	tcp_testbed();
	so = tcp_socket(PF_INET);
	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_CONNECTIONTIMEOUT, 10), 0);
	uint64_t before = machine_now(curmachine());
	CHECK_EQ(connect4(so, THERE4, 80), ETIMEDOUT);
	CHECK_EQ((machine_now(curmachine()) - before) / TCP_NS_PER_S, 10);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

/* sendto() connects, BSD's way. */
KTEST(sending_to_an_address_connects)
{
	struct sockaddr_in to = sin4(LOOP4, 80);

	tcp_testbed();
	listening = listen4(80, 5);
	client = tcp_socket(PF_INET);
	CHECK_EQ(send_to(client, SA(to), "hello", 5), 0);
	let_run();
	server = accepted(listening);
	CHECK(server != NULL);
	CHECK_EQ(hear(server), 0);
	CHECK_STR(got, "hello");
	end_connection();
}

/* ---- both families ------------------------------------------------------------------------ */

KTEST(an_ipv6_listener_hears_ipv4)
{
	struct sockaddr_storage ss;
	struct sockaddr_in6 from;

	tcp_testbed();
	listening = listen6(80, 5);
	client = tcp_socket(PF_INET);
	CHECK_EQ(connect4(client, LOOP4, 80), 0);
	let_run();
	CHECK_EQ(soaccept(listening, MSG_DONTWAIT, &ss, &server), 0);
	memcpy(&from, &ss, sizeof from);
	CHECK_EQ(from.sin6_family, AF_INET6);
	CHECK(same6(from.sin6_addr, in6_mapped(LOOP4)));
	CHECK_EQ(say(server, "four"), 0);
	CHECK_EQ(hear(client), 0);
	CHECK_STR(got, "four");
	CHECK_EQ(soclose(client) + soclose(server), 0);
	client = tcp_socket(PF_INET6);
	CHECK_EQ(connect6(client, LOOP6, 80), 0);
	let_run();
	CHECK_EQ(soaccept(listening, MSG_DONTWAIT, &ss, &server), 0);
	CHECK_EQ(say(server, "six"), 0);
	CHECK_EQ(hear(client), 0);
	CHECK_STR(got, "six");
	CHECK_EQ(soclose(client), 0);
	/* And by a mapped address. */
	client = tcp_socket(PF_INET6);
	CHECK_EQ(connect6(client, in6_mapped(LOOP4), 80), 0);
	end_connection();
}

KTEST(link_local_peers_have_a_zone)
{
	struct sockaddr_in6 to;

	tcp_testbed();
	listening = listen6(80, 5);
	client = tcp_socket(PF_INET6);
	to = sin6(LOCAL6, 80);
	CHECK_EQ(soconnect(client, SA(to), MSG_DONTWAIT), EHOSTUNREACH);
	to = sin6_zone(LOCAL6, 80, en7);
	CHECK_EQ(soconnect(client, SA(to), 0), 0);
	let_run();
	server = accepted(listening);
	CHECK(server != NULL);
	CHECK_EQ(sotoinpcb(server)->inp_fzone, en7->index);
	CHECK_EQ(say(client, "near"), 0);
	CHECK_EQ(hear(server), 0);
	CHECK_STR(got, "near");
	end_connection();
}

/* ---- the socket layer's streams ----------------------------------------------------------- */

KTEST(reading_waits_for_enough)
{
	connection();
	CHECK_EQ(set_int(server, SOL_SOCKET, SO_RCVLOWAT, 6), 0);
	CHECK_EQ(say(client, "abc"), 0);
	let_run();
	CHECK_EQ(soready(server) & SO_READABLE, 0);
	CHECK_EQ(say(client, "def"), 0);
	let_run();
	CHECK_EQ(soready(server) & SO_READABLE, SO_READABLE);
	CHECK_EQ(hear_flags(server, 4, MSG_PEEK), 0);
	CHECK_STR(got, "abcd");
	CHECK_EQ(hear_flags(server, 100, 0), 0);
	CHECK_STR(got, "abcdef");
	end_connection();
}

/* A window that reading opens again is told at once: nobody waits for the probe. */
KTEST(reading_opens_the_window)
{
	static char big[300000];
	size_t n, all = 0, sent_all = 0;
	uint64_t before;

	tcp_testbed();
	listening = listen4(80, 5);
	CHECK_EQ(set_int(listening, SOL_SOCKET, SO_RCVBUF, 8000), 0);
	client = tcp_socket(PF_INET);
	CHECK_EQ(connect4(client, LOOP4, 80), 0);
	let_run();
	server = accepted(listening);
	before = machine_now(curmachine());
	while (all < sizeof big) {
		errno_t error = sosend(client, NULL, big, sizeof big - sent_all, NULL, NULL, MSG_DONTWAIT,
		    &n);

		CHECK(error == 0 || error == EWOULDBLOCK);
		sent_all += n;
		error = hear(server);
		CHECK(error == 0 || error == EWOULDBLOCK);
		if (error == 0)
			all += rcv.len;
		if (error != 0)
			let_pass(TCP_NS_PER_MS);
	}
	CHECK((machine_now(curmachine()) - before) / TCP_NS_PER_S < 2);
	CHECK_EQ(tst()->tcps_sndprobe, 0);
	end_connection();
}

KTEST(urgent_data_out_of_band)
{
	int mark = -1;

	connection();
	CHECK_EQ(hear_flags(server, 1, MSG_OOB), EINVAL);
	CHECK_EQ(say_flags(client, "ab!", MSG_OOB), 0);
	let_run();
	CHECK_EQ(soready(server) & SO_URGENT, SO_URGENT);
	CHECK_EQ(hear_flags(server, 1, MSG_OOB | MSG_PEEK), 0);
	CHECK_STR(got, "!");
	CHECK_EQ(hear_flags(server, 1, MSG_OOB), 0);
	CHECK_STR(got, "!");
	CHECK_EQ(hear_flags(server, 1, MSG_OOB), EINVAL);
	CHECK_EQ(say(client, "cd"), 0);
	CHECK_EQ(hear(server), 0);
	CHECK_STR(got, "ab");
	CHECK_EQ(soioctl(server, SIOCATMARK, &mark), 0);
	CHECK_EQ(mark, 1);
	CHECK_EQ(hear(server), 0);
	CHECK_STR(got, "cd");
	end_connection();
}

KTEST(urgent_data_in_line)
{
	connection();
	CHECK_EQ(set_int(server, SOL_SOCKET, SO_OOBINLINE, 1), 0);
	CHECK_EQ(say_flags(client, "ab!", MSG_OOB), 0);
	CHECK_EQ(say(client, "cd"), 0);
	CHECK_EQ(hear(server), 0);
	CHECK_STR(got, "ab");
	CHECK_EQ(hear(server), 0);
	CHECK_STR(got, "!cd");
	end_connection();
}

/* More connections than the backlog are not lost: they come in when there is room. */
KTEST(the_backlog_holds_back)
{
	struct sockaddr_in to = sin4(LOOP4, 80);
	struct socket *so[4];

	tcp_testbed();
	listening = listen4(80, 2);
	for (int i = 0; i < 4; i++) {
		so[i] = tcp_socket(PF_INET);
		CHECK_EQ(soconnect(so[i], SA(to), MSG_DONTWAIT), EINPROGRESS);
		CHECK_EQ(say(so[i], "x") == 0 || i >= 0, 1);
	}
	let_pass(10 * TCP_NS_PER_MS);
	CHECK_EQ(listening->so_qlen, 2);
	for (int i = 0; i < 2; i++) {
		server = accepted(listening);
		CHECK(server != NULL);
		CHECK_EQ(soclose(server), 0);
	}
	for (int i = 0; i < 4; i++)
		CHECK_EQ(soclose(so[i]), 0);
	let_pass(400 * TCP_NS_PER_S);
	while ((server = accepted(listening)) != NULL)
		CHECK_EQ(soclose(server), 0);
	client = server = NULL;
	let_pass(700 * TCP_NS_PER_S);
	end_connection();
}

/* ---- who is called may do anything ---------------------------------------------------------- */

static unsigned upcalls;

static void
close_at_once(socket_t so, void *arg, int wait)
{
	struct socket **mine = arg;

	(void)wait;
	upcalls++;
	if (*mine == NULL)
		return;
	*mine = NULL;
	CHECK_EQ(soclose(so), 0);
}

static void
reset_at_once(socket_t so, void *arg, int wait)
{
	const struct linger l = {1, 0};

	if (*(struct socket **)arg != NULL)
		CHECK_EQ(set_option(so, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
	close_at_once(so, arg, wait);
}

/* Whatever comes, its first upcall ends the socket. */
KTEST(upcalls_may_close_their_socket)
{
	static const struct {
		void (*fn)(socket_t, void *, int);
		const char *data;
		int flags;
	} ways[] = {
		{close_at_once, "x", 0}, {reset_at_once, "x", 0}, {close_at_once, "urgent", MSG_OOB},
		{reset_at_once, "urgent", MSG_OOB}, {close_at_once, "", 0}, {reset_at_once, "", 0},
		{close_at_once, "end", MSG_EOF}, {reset_at_once, "end", MSG_EOF}
	};

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		if (i == 0)
			connection();
		else {
			client = tcp_socket(PF_INET);
			CHECK_EQ(connect4(client, LOOP4, 80), 0);
			let_run();
			server = accepted(listening);
			CHECK(server != NULL);
		}
		upcalls = 0;
		so_set_upcall(server, ways[i].fn, &server);
		if (ways[i].data[0] != '\0')
			CHECK_EQ(say_flags(client, ways[i].data, ways[i].flags), 0);
		else
			CHECK_EQ(soshutdown(client, SHUT_WR), 0);
		let_run();
		CHECK(server == NULL);
		CHECK(upcalls != 0);
		CHECK_EQ(soclose(client), 0);
		client = NULL;
		let_pass(TCP_NS_PER_S);
	}
	end_connection();
}

/* A listener that is closed by its own upcall, in the middle of a handshake's end. */
KTEST(upcalls_may_close_their_listener)
{
	struct sockaddr_in to = sin4(LOOP4, 80);

	tcp_testbed();
	listening = listen4(80, 5);
	so_set_upcall(listening, close_at_once, &listening);
	client = tcp_socket(PF_INET);
	CHECK_EQ(soconnect(client, SA(to), MSG_DONTWAIT), EINPROGRESS);
	let_pass(TCP_NS_PER_S);
	CHECK(listening == NULL);
	CHECK_EQ(hear(client), ECONNRESET);
	listening = listen4(81, 1);
	end_connection();
}

/* ---- what is told ------------------------------------------------------------------------- */

KTEST(what_is_listed_is_dropped)
{
	static struct core_tcp_pcb list[8];
	size_t size = sizeof list;
	struct sysctl_access get = {.old = list, .old_len = &size};
	struct sysctl_access drop = {.new = &list[2], .new_len = sizeof list[2]};

	connection();
	CHECK_EQ(sysctl_by_name(curmachine(), "net.inet.tcp.pcblist", &get), 0);
	CHECK_EQ(list[2].xt_state, TCPS_ESTABLISHED);
	CHECK_EQ(sysctl_by_name(curmachine(), "net.inet.tcp.drop", &drop), 0);
	CHECK_EQ(sysctl_by_name(curmachine(), "net.inet.tcp.drop", &drop), ESRCH);
	let_pass(TCP_NS_PER_S);
	CHECK_EQ(hear(server), ECONNABORTED);
	CHECK_EQ(hear(client), ECONNRESET);
	/* A listener is no connection, and a part of a record none at all. */
	drop.new = &list[0];
	CHECK_EQ(sysctl_by_name(curmachine(), "net.inet.tcp.drop", &drop), ESRCH);
	drop.new_len--;
	CHECK_EQ(sysctl_by_name(curmachine(), "net.inet.tcp.drop", &drop), EINVAL);
	CHECK_EQ(sysctl_by_name(curmachine(), "net.inet.tcp.drop", &get), EPERM);
	end_connection();
}

KTEST(lists_and_numbers)
{
	static struct core_tcp_pcb list[8];
	uint64_t states[TCP_NSTATES];
	size_t size = sizeof list;
	struct sysctl_access get = {.old = list, .old_len = &size};
	int count = 0;

	connection();
	CHECK_EQ(sysctl_by_name(curmachine(), "net.inet.tcp.pcblist", &get), 0);
	CHECK_EQ(size, 3 * sizeof list[0]);
	CHECK_EQ(list[0].xt_len, sizeof list[0]);
	CHECK_EQ(list[0].xt_state, TCPS_LISTEN);
	CHECK_EQ(list[0].xt_lport, htons(80));
	CHECK_EQ(list[0].xt_qlimit, 5);
	CHECK_EQ(list[1].xt_state, TCPS_ESTABLISHED);
	CHECK_EQ(list[1].xt_fport, htons(80));
	CHECK_EQ(list[2].xt_fport, list[1].xt_lport);
	CHECK_STR(list[2].xt_cc, "cubic");
	size = sizeof states;
	get.old = states;
	CHECK_EQ(sysctl_by_name(curmachine(), "net.inet.tcp.states", &get), 0);
	CHECK_EQ(states[TCPS_ESTABLISHED], 2);
	CHECK_EQ(states[TCPS_LISTEN], 1);
	size = sizeof count;
	get.old = &count;
	CHECK_EQ(sysctl_by_name(curmachine(), "net.inet.tcp.pcbcount", &get), 0);
	CHECK_EQ(count, 3);
	CHECK_EQ(sysctl_by_name(curmachine(), "net.inet.tcp.sack.enable", &get), 0);
	CHECK_EQ(count, 1);
	CHECK_EQ(sysctl_by_name(curmachine(), "net.inet.tcp.syncache.cachelimit", &get), 0);
	CHECK_EQ(count, 15375);
	CHECK_EQ(sysctl_by_name(curmachine(), "net.inet.tcp.keepidle", &get), 0);
	CHECK_EQ(count, 7200000);
	end_connection();
}

KTEST_SUITE(tcp_usrreq, T(a_connection_by_lo0), T(half_closed_both_ways),
    T(closing_leaves_the_rest_to_the_connection), T(nobody_waits_in_fin_wait_2_for_ever),
    T(lingering_for_no_time_resets), T(a_listener_takes_what_waits_there_with_it),
    T(what_was_over_before_it_was_accepted), T(what_is_refused_and_how), T(a_socket_does_one_thing),
    T(a_port_that_nobody_listens_at), T(a_non_blocking_connect), T(closing_while_connecting_says_nothing),
    T(connecting_gives_up_in_time), T(sending_to_an_address_connects), T(an_ipv6_listener_hears_ipv4),
    T(link_local_peers_have_a_zone), T(reading_waits_for_enough), T(reading_opens_the_window),
    T(urgent_data_out_of_band), T(urgent_data_in_line), T(the_backlog_holds_back),
    T(upcalls_may_close_their_socket), T(upcalls_may_close_their_listener), T(what_is_listed_is_dropped),
    T(lists_and_numbers));
