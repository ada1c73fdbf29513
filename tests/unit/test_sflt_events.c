/* The events of sf_notify: which, and in which order, for everything that can happen to a socket. */
#include "tests/unit/sflt_testing.h"

static void
one_filter(int type)
{
	sflt_testbed();
	register_filter('a', SFLT_GLOBAL, type);
}

/* Only events are noted: the callbacks that are asked are covered elsewhere. */
static const char *
events(void)
{
	static char kept[sizeof noted];
	const char *p = said();
	size_t len = 0;

	while (*p != '\0') {
		const char *end = strchr(p, ' ');
		size_t n = end != NULL ? (size_t)(end - p) : strlen(p);

		if (p[0] == 'a' && p[1] == '.' && (p[2] == 'd' ? p[3] == 'e' : p[2] >= '0' && p[2] <= '9')) {
			if (len != 0)
				kept[len++] = ' ';
			memcpy(kept + len, p + 2, n - 2);
			len += n - 2;
		}
		p += n + (end != NULL);
	}
	kept[len] = '\0';
	return kept;
}

/* ---- streams ------------------------------------------------------------------------------ */

KTEST(a_connection_that_is_made_and_closed)
{
	struct sockaddr_in to = sin4(THERE4, PEER_PORT);
	struct tseg s;

	one_filter(SOCK_STREAM);
	client = tcp_socket(PF_INET);
	CHECK_STR(events(), "");
	CHECK_EQ(soconnect(client, SA(to), MSG_DONTWAIT), EINPROGRESS);
	CHECK_STR(events(), "10 1");
	s = went();
	COME(.our_port = s.our_port, .flags = S | A, .seq = 5000, .ack = s.seq + 1, .win = 65535);
	CHECK_STR(events(), "2");
	COME(.our_port = s.our_port, .flags = A | F, .seq = 5001, .ack = s.seq + 1, .win = 65535);
	CHECK_STR(events(), "7");
	CHECK_EQ(soclose(client), 0);
	client = NULL;
	/* An explicit disconnect is told as well as the protocol's end. */
	CHECK_STR(events(), "9 3 4");
	COME(.our_port = s.our_port, .flags = A, .seq = 5002, .ack = s.seq + 2, .win = 65535);
	CHECK_STR(events(), "4 5 detach");
	nevermind();
	sflt_testbed_end();
}

KTEST(a_passive_connection_is_told_of_before_it_is_accepted)
{
	tcp_seq ours;

	one_filter(SOCK_STREAM);
	listening = listen4(OUR_PORT, 5);
	CHECK_STR(events(), "10");
	ours = handshake(PEER_PORT);
	CHECK_STR(events(), "2");
	server = accepted(listening);
	CHECK_STR(events(), "");
	/* A reset. */
	COME(.flags = R, .seq = 1001, .ack = ours);
	CHECK_STR(events(), "4");
	CHECK_EQ(soclose(server), 0);
	server = NULL;
	CHECK_STR(events(), "9 5 detach");
	CHECK_EQ(soclose(listening), 0);
	listening = NULL;
	CHECK_STR(events(), "9 4 5 detach");
	nevermind();
	sflt_testbed_end();
}

KTEST(a_connection_nobody_accepts_ends_with_its_listener)
{
	one_filter(SOCK_STREAM);
	listening = listen4(OUR_PORT, 5);
	(void)handshake(PEER_PORT);
	(void)events();
	CHECK_EQ(soclose(listening), 0);
	listening = NULL;
	CHECK_STR(events(), "9 4 5 detach 4 5 detach");
	nevermind();
	sflt_testbed_end();
}

KTEST(shutting_down_is_told_before_and_after)
{
	one_filter(SOCK_STREAM);
	connect_lo0();
	CHECK_EQ(soshutdown(client, SHUT_RD), 0);
	CHECK_STR(events(), "6(0) 5 7");
	/* That it fails is no reason not to tell of it. */
	CHECK_EQ(soshutdown(client, SHUT_RD), ENOTCONN);
	CHECK_STR(events(), "6(0)");
	CHECK_EQ(soshutdown(client, 3), EINVAL);
	CHECK_STR(events(), "");
	CHECK_EQ(soshutdown(client, SHUT_WR), 0);
	CHECK_STR(events(), "6(1) 8");
	let_run();
	/* The other end; and TCP is done with this one: nobody would read any more. */
	CHECK_STR(events(), "7 4");
	CHECK_EQ(soshutdown(server, SHUT_RDWR), ENOTCONN);
	CHECK_STR(events(), "6(2)");
	CHECK_EQ(soshutdown(server, SHUT_WR), 0);
	CHECK_STR(events(), "6(1) 8");
	quiet = true;
	close_all();
	(void)events();
	quiet = false;
	client = tcp_socket(PF_INET);
	CHECK_EQ(soshutdown(client, SHUT_RD), ENOTCONN);
	CHECK_STR(events(), "");
	close_all();
	sflt_testbed_end();
}

KTEST(both_sides_at_once)
{
	one_filter(SOCK_STREAM);
	connect_lo0();
	CHECK_EQ(soshutdown(client, SHUT_RDWR), 0);
	CHECK_STR(events(), "6(2) 5 7 8");
	quiet = true;
	close_all();
	sflt_testbed_end();
}

KTEST(a_connection_that_is_refused)
{
	struct sockaddr_in to = sin4(LOOP4, 81);

	one_filter(SOCK_STREAM);
	client = tcp_socket(PF_INET);
	CHECK_EQ(soconnect(client, SA(to), 0), ECONNREFUSED);
	CHECK_STR(events(), "10 1 4");
	close_all();
	CHECK_STR(events(), "9 5 detach");
	sflt_testbed_end();
}

KTEST(no_answer_for_ever)
{
	struct sockaddr_in to = sin4(THERE4, PEER_PORT);

	one_filter(SOCK_STREAM);
	client = tcp_socket(PF_INET);
	CHECK_EQ(soconnect(client, SA(to), 0), ETIMEDOUT);
	CHECK_STR(events(), "10 1 4");
	close_all();
	nevermind();
	sflt_testbed_end();
}

/* ---- datagrams ---------------------------------------------------------------------------- */

KTEST(datagram_sockets_have_fewer_events)
{
	struct socket *so;

	one_filter(SOCK_DGRAM);
	so = udp4();
	CHECK_EQ(bind4(so, LOOP4, 0), 0);
	CHECK_STR(events(), "10");
	CHECK_EQ(connect4(so, LOOP4, 7), 0);
	CHECK_STR(events(), "2");
	CHECK_EQ(soshutdown(so, SHUT_RDWR), 0);
	CHECK_STR(events(), "6(2) 5 7 8");
	CHECK_EQ(sodisconnect(so), 0);
	CHECK_STR(events(), "4");
	CHECK_EQ(soclose(so), 0);
	CHECK_STR(events(), "9 5 detach");
	sflt_testbed_end();
}

KTEST(ports_are_told_of_however_they_are_found)
{
	struct sockaddr_in to4 = sin4(LOOP4, 7);
	struct sockaddr_in6 to6 = sin6(LOOP6, 7);
	struct sflt_filter f;
	struct socket *so;

	one_filter(SOCK_DGRAM);
	f = filter_of('b', SFLT_GLOBAL);
	f.sf_attach = attach_a;
	CHECK_EQ(sflt_register(&f, PF_INET6, SOCK_DGRAM, IPPROTO_UDP), 0);
	so = udp4();
	CHECK_EQ(send_to(so, SA(to4), "x", 1), 0);
	CHECK_STR(events(), "10");
	CHECK_EQ(send_to(so, SA(to4), "x", 1), 0);
	CHECK_STR(events(), "");
	soclose(so);
	so = udp6();
	(void)events();
	CHECK_EQ(send_to(so, SA(to6), "x", 1), 0);
	CHECK_STR(events(), "10");
	soclose(so);
	so = udp6();
	(void)events();
	CHECK_EQ(soconnect(so, SA(to6), 0), 0);
	CHECK_STR(events(), "10 2");
	soclose(so);
	quiet = true;
	sflt_testbed_end();
}

/* ---- what is told of may be the end of it -------------------------------------------------- */

static sflt_event_t close_at;
static struct socket *mine;

static void
close_mine(void *cookie, socket_t so, sflt_event_t event, void *param)
{
	(void)cookie;
	(void)param;
	if (event != close_at || so != mine)
		return;
	mine = NULL;
	CHECK_EQ(soclose(so), 0);
}

static void
close_unless_closed(void)
{
	struct socket *so = mine;

	mine = NULL;
	if (so != NULL)
		CHECK_EQ(soclose(so), 0);
}

/* A kext's own socket, which it closes as soon as it hears of something. */
KTEST(a_socket_may_be_closed_by_whoever_is_told_of_it)
{
	struct sockaddr_in to = sin4(LOOP4, 80);
	struct sflt_filter f;

	sflt_testbed();
	quiet = true;
	f = filter_of('a', SFLT_GLOBAL);
	f.sf_notify = close_mine;
	CHECK_EQ(sflt_register(&f, PF_INET, SOCK_STREAM, IPPROTO_TCP), 0);
	f.sf_handle = HANDLE('b');
	f.sf_attach = attach_b;
	CHECK_EQ(sflt_register(&f, PF_INET, SOCK_DGRAM, IPPROTO_UDP), 0);
	for (close_at = sock_evt_connecting; close_at <= sock_evt_bound; close_at++) {
		struct socket *so;

		if (close_at == sock_evt_closing)
			continue;
		listening = listen4(80, 5);
		so = mine = tcp_socket(PF_INET);
		so_retain(so);		/* as every call by a program or a kext does */
		(void)soconnect(so, SA(to), 0);
		let_run();
		if (mine != NULL)
			(void)soshutdown(mine, SHUT_RDWR);
		if (mine != NULL)
			(void)sodisconnect(mine);
		let_run();
		CHECK(mine == NULL || close_at == sock_evt_disconnecting);
		close_unless_closed();
		so_release(so);
		so = mine = udp4();
		so_retain(so);
		(void)soconnect(so, SA(to), 0);
		if (mine != NULL)
			(void)send_to(mine, NULL, "x", 1);
		let_run();
		close_unless_closed();
		so_release(so);
		close_all();
	}
	/* A listener that finds its port by listening, and a datagram by being sent. */
	close_at = sock_evt_bound;
	mine = tcp_socket(PF_INET);
	so_retain(client = mine);
	CHECK_EQ(solisten(mine, 1), EINVAL);
	so_release(client);
	mine = udp4();
	so_retain(client = mine);
	CHECK_EQ(send_to(mine, SA(to), "x", 1), EINVAL);
	so_release(client);
	client = NULL;
	sflt_testbed_end();
}

KTEST_SUITE(sflt_events, T(a_connection_that_is_made_and_closed),
    T(a_passive_connection_is_told_of_before_it_is_accepted),
    T(a_connection_nobody_accepts_ends_with_its_listener),
    T(shutting_down_is_told_before_and_after), T(both_sides_at_once), T(a_connection_that_is_refused),
    T(no_answer_for_ever), T(datagram_sockets_have_fewer_events), T(ports_are_told_of_however_they_are_found),
    T(a_socket_may_be_closed_by_whoever_is_told_of_it));
