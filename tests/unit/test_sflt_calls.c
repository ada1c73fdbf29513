/*
 * sockfilter/sflt_hooks.c: what a program asks of a socket, as filters see it, change it, do it themselves or
 * refuse it. Each callback with its three results, and with another filter behind it.
 */
#include <sys/malloc.h>

#include "src/kern/sockcalls.h"
#include "tests/unit/sflt_testing.h"

/* Two filters, of which b is asked first. */
static void
two_filters(void)
{
	sflt_testbed();
	quiet = true;
	register_filter('a', SFLT_GLOBAL | SFLT_EXTENDED, SOCK_STREAM);
	register_filter('b', SFLT_GLOBAL | SFLT_EXTENDED, SOCK_STREAM);
}

/* ---- bind --------------------------------------------------------------------------------- */

KTEST(bind_is_seen_before_the_protocol)
{
	two_filters();
	client = tcp_socket(PF_INET);
	b->result[BIND] = EACCES;
	CHECK_EQ(bind4(client, LOOP4, 1234), EACCES);
	CHECK_STR(said(), "b.bind(1234)");
	b->result[BIND] = EJUSTRETURN;
	CHECK_EQ(bind4(client, LOOP4, 1234), 0);
	CHECK_STR(said(), "b.bind(1234)");
	CHECK_EQ(sotoinpcb(client)->inp_lport, 0);
	b->result[BIND] = 0;
	CHECK_EQ(bind4(client, LOOP4, 1234), 0);
	CHECK_STR(said(), "b.bind(1234) a.bind(1234)");
	CHECK_EQ(sotoinpcb(client)->inp_lport, htons(1234));
	/* The protocol's own errors come after the filters. */
	CHECK_EQ(bind4(client, LOOP4, 1235), EINVAL);
	CHECK_STR(said(), "b.bind(1235) a.bind(1235)");
	client->so_state |= SS_DEFUNCT;
	CHECK_EQ(bind4(client, LOOP4, 1236), EINVAL);
	CHECK_STR(said(), "");
	client->so_state &= (uint16_t)~SS_DEFUNCT;
	close_all();
	sflt_testbed_end();
}

/* ---- connect ------------------------------------------------------------------------------ */

static void
go_elsewhere(struct watcher *w, struct socket *so)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)(uintptr_t)w->addr;

	(void)so;
	CHECK_EQ(sin->sin_port, htons(1));
	sin->sin_port = htons(80);
	/* What is behind it belongs to the buffer, and to nobody. */
	memset(sin + 1, 0xff, 256 - sizeof *sin);
}

KTEST(connect_out_can_change_the_address)
{
	struct sockaddr_in to = sin4(LOOP4, 1), peer;
	struct sockaddr_storage ss;

	two_filters();
	listening = listen4(80, 5);
	client = tcp_socket(PF_INET);
	(void)said();
	b->hook[CONNECT_OUT] = go_elsewhere;
	CHECK_EQ(soconnect(client, SA(to), 0), 0);
	/* The filter behind sees what the first one made of it. */
	CHECK(strstr(said(), "b.connect_out(1) a.connect_out(80)") != NULL);
	CHECK_EQ(sogetpeername(client, &ss), 0);
	memcpy(&peer, &ss, sizeof peer);
	CHECK_EQ(peer.sin_port, htons(80));
	CHECK_EQ(to.sin_port, htons(1));
	CHECK_EQ(soconnect(client, SA(to), 0), EISCONN);
	CHECK_EQ(soconnect(listening, SA(to), 0), EOPNOTSUPP);
	CHECK_STR(said(), "");
	close_all();
	sflt_testbed_end();
}

KTEST(connect_out_can_refuse_or_do_it)
{
	struct sockaddr_in to = sin4(THERE4, PEER_PORT);
	int deny = SO_RESTRICT_DENYOUT;

	two_filters();
	client = tcp_socket(PF_INET);
	b->result[CONNECT_OUT] = EHOSTDOWN;
	CHECK_EQ(soconnect(client, SA(to), 0), EHOSTDOWN);
	b->result[CONNECT_OUT] = EJUSTRETURN;
	CHECK_EQ(soconnect(client, SA(to), 0), 0);
	CHECK_STR(said(), "b.connect_out(4000) b.connect_out(4000)");
	let_run();
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(client->so_state & (SS_ISCONNECTING | SS_ISCONNECTED), 0);
	CHECK_EQ(set_option(client, SOL_SOCKET, SO_RESTRICTIONS, &deny, sizeof deny), 0);
	(void)said();
	CHECK_EQ(soconnect(client, SA(to), 0), EPERM);
	CHECK_STR(said(), "");
	close_all();
	sflt_testbed_end();
}

/* A new peer of a datagram socket is asked for like the first; sending binds, and no filter is asked. */
KTEST(connecting_and_sending_bind_without_asking)
{
	struct socket *so;

	sflt_testbed();
	register_filter('a', SFLT_GLOBAL, SOCK_DGRAM);
	so = udp4();
	CHECK_EQ(connect4(so, THERE4, 7), 0);
	CHECK_STR(said(), "a.attach a.connect_out(7) a.10 a.2");
	CHECK_EQ(connect4(so, THERE4, 9), 0);
	CHECK_STR(said(), "a.4 a.connect_out(9) a.2");
	CHECK_EQ(soclose(so), 0);
	(void)said();
	so = udp4();
	CHECK_EQ(send4(so, THERE4, 7, "x"), 0);
	CHECK_STR(said(), "a.attach a.out(x@) a.10");
	CHECK_EQ(soclose(so), 0);
	sflt_testbed_end();
}

/* ---- connect_in --------------------------------------------------------------------------- */

KTEST(connect_in_asks_the_listener_before_anything_is_made)
{
	struct tseg s;

	two_filters();
	listening = listen4(OUR_PORT, 5);
	(void)said();
	COME(.flags = S, .seq = 1000, .win = 65535);
	CHECK_STR(said(), "b.connect_in(4000) a.connect_in(4000)");
	s = went();
	CHECK_EQ(s.flags, S | A);
	/* The same SYN again is no other peer. */
	COME(.flags = S, .seq = 1000, .win = 65535);
	CHECK_STR(said(), "");
	CHECK_EQ(went().flags, S | A);
	COME(.flags = A, .seq = 1001, .ack = s.seq + 1, .win = 65535);
	server = accepted(listening);
	CHECK(server != NULL);
	CHECK_STR(said(), "b.accept(80) a.accept(80)");
	close_all();
	nevermind();
	sflt_testbed_end();
}

KTEST(who_is_refused_is_not_told)
{
	two_filters();
	listening = listen4(OUR_PORT, 5);
	(void)said();
	for (int i = 0; i < 2; i++) {
		b->result[CONNECT_IN] = i == 0 ? EPERM : EJUSTRETURN;
		COME(.flags = S, .seq = 1000, .win = 65535);
		CHECK_STR(said(), "b.connect_in(4000)");
		CHECK_EQ(waiting(), 0);
		CHECK_EQ(syncache_count(curmachine()), 0);
	}
	b->result[CONNECT_IN] = 0;
	COME(.flags = S, .seq = 1000, .win = 65535);
	CHECK_EQ(went().flags, S | A);
	close_all();
	nevermind();
	sflt_testbed_end();
}

static void
close_the_listener(struct watcher *w, struct socket *so)
{
	(void)w;
	(void)so;
	CHECK_EQ(soclose(listening), 0);
	listening = NULL;
}

/* In each callback that can come while a connection begins. */
KTEST(the_listener_may_go_while_a_connection_begins)
{
	static const enum called when[] = {CONNECT_IN, ATTACH, NOTIFY};

	two_filters();
	for (unsigned i = 0; i < 2 * sizeof when / sizeof when[0]; i++) {
		struct tseg s;

		tconfig()->syncache_rst_on_sock_fail = i & 1;
		listening = listen4(OUR_PORT, 5);
		if (when[i / 2] == CONNECT_IN)
			a->hook[CONNECT_IN] = close_the_listener;
		COME(.flags = S, .seq = 1000, .win = 65535);
		if (when[i / 2] != CONNECT_IN) {
			s = went();
			a->hook[when[i / 2]] = close_the_listener;
			COME(.flags = A, .seq = 1001, .ack = s.seq + 1, .win = 65535, .data = "early");
		}
		CHECK(listening == NULL);
		CHECK_EQ(syncache_count(curmachine()), 0);
		nevermind();
		close_all();
		CHECK_EQ(curmachine()->tcp->pcbs.count, 0);
	}
	sflt_testbed_end();
}

static void
sleep_a_little(struct watcher *w, struct socket *so)
{
	(void)w;
	(void)so;
	sched_block(NULL, machine_now(curmachine()) + 5000000, false, "a filter sleeps");
}

static struct tseg finishing;

static void
comes_in_thread(void *arg, wait_result_t r)
{
	(void)arg;
	(void)r;
	come_now(&finishing);
}

/* sf_attach sleeps while the segment that ends the handshake comes once more. */
KTEST(one_handshake_makes_one_connection)
{
	struct thread *t[2];
	struct tseg s;

	two_filters();
	listening = listen4(OUR_PORT, 5);
	COME(.flags = S, .seq = 1000, .win = 65535);
	s = went();
	a->hook[ATTACH] = sleep_a_little;
	finishing = (struct tseg){.flags = A, .seq = 1001, .ack = s.seq + 1, .win = 65535};
	for (int i = 0; i < 2; i++)
		CHECK_EQ(kthread_create(comes_in_thread, NULL, &t[i]), 0);
	let_pass(20000000);
	for (int i = 0; i < 2; i++)
		kthread_release(t[i]);
	server = accepted(listening);
	CHECK(server != NULL);
	CHECK(accepted(listening) == NULL);
	CHECK_EQ(curmachine()->tcp->pcbs.count, 2);
	nevermind();
	close_all();
	nevermind();
	sflt_testbed_end();
}

/* ---- listen and accept -------------------------------------------------------------------- */

KTEST(listen_is_seen_before_the_protocol)
{
	two_filters();
	client = tcp_socket(PF_INET);
	CHECK_EQ(bind4(client, LOOP4, 80), 0);
	(void)said();
	b->result[LISTEN] = EPERM;
	CHECK_EQ(solisten(client, 1), EPERM);
	b->result[LISTEN] = EJUSTRETURN;
	CHECK_EQ(solisten(client, 1), 0);
	CHECK_STR(said(), "b.listen b.listen");
	CHECK(!(client->so_options & SO_ACCEPTCONN));
	b->result[LISTEN] = 0;
	CHECK_EQ(solisten(client, 1), 0);
	CHECK_STR(said(), "b.listen a.listen");
	CHECK(client->so_options & SO_ACCEPTCONN);
	client->so_state |= SS_DEFUNCT;
	CHECK_EQ(solisten(client, 1), EINVAL);
	CHECK_STR(said(), "");
	close_all();
	sflt_testbed_end();
}

/* A connection that waits to be accepted. */
static void
one_waits(void)
{
	struct sockaddr_in to = sin4(LOOP4, 80);

	two_filters();
	listening = listen4(80, 5);
	client = tcp_socket(PF_INET);
	CHECK_EQ(soconnect(client, SA(to), 0), 0);
	let_run();
	(void)said();
}

KTEST(accept_can_refuse)
{
	struct sockaddr_storage ss;

	one_waits();
	b->result[ACCEPT] = EPERM;
	CHECK_EQ(soaccept(listening, MSG_DONTWAIT, &ss, &server), EPERM);
	CHECK_STR(said(), "b.accept(80)");
	CHECK_EQ(soaccept(listening, MSG_DONTWAIT, &ss, &server), EWOULDBLOCK);
	server = NULL;
	let_run();
	CHECK_STR(receive(client), "");
	CHECK(client->so_state & SS_CANTRCVMORE);
	close_all();
	sflt_testbed_end();
}

KTEST(accept_can_hand_out_a_socket_that_is_of_no_use)
{
	struct sockaddr_storage ss;

	one_waits();
	b->result[ACCEPT] = EJUSTRETURN;
	CHECK_EQ(soaccept(listening, MSG_DONTWAIT, &ss, &server), 0);
	CHECK_STR(said(), "b.accept(80)");
	CHECK(server->so_state & SS_DEFUNCT);
	CHECK_EQ(say(server, "x"), EPIPE);
	CHECK_STR(receive(server), "");
	let_run();
	CHECK(client->so_state & SS_CANTRCVMORE);
	close_all();
	sflt_testbed_end();
}

/* Interface fact: a filter that does not say that it has the extension has no sf_accept. */
KTEST(accept_is_asked_of_the_extension_only)
{
	sflt_testbed();
	quiet = true;
	register_filter('a', SFLT_GLOBAL, SOCK_STREAM);
	connect_lo0();
	close_all();
	CHECK_EQ(a->calls[ACCEPT], 0);
	sflt_testbed_end();
}

KTEST(a_connection_that_is_gone_is_not_accepted)
{
	struct sockaddr_storage ss;
	tcp_seq ours;

	two_filters();
	listening = listen4(OUR_PORT, 5);
	ours = handshake(PEER_PORT);
	(void)ours;
	COME(.flags = R, .seq = 1001);
	(void)said();
	CHECK_EQ(soaccept(listening, MSG_DONTWAIT, &ss, &server), ECONNABORTED);
	server = NULL;
	CHECK_STR(said(), "");
	nevermind();
	close_all();
	sflt_testbed_end();
}

/* ---- options ------------------------------------------------------------------------------ */

static void
read_the_value(struct watcher *w, struct socket *so)
{
	char value[4];

	(void)so;
	CHECK_EQ(sockopt_copyin(w->opt, value, 9), EINVAL);
	CHECK_EQ(sockopt_valsize(w->opt), 8);
	CHECK_EQ(sockopt_copyin(w->opt, value, 4), 0);
	CHECK(memcmp(value, "abcd", 4) == 0);
}

KTEST(setoption_sees_options_of_every_level)
{
	int on = 1;

	two_filters();
	client = tcp_socket(PF_INET);
	b->result[SETOPTION] = EPERM;
	CHECK_EQ(set_int(client, IPPROTO_TCP, TCP_NODELAY, 1), EPERM);
	b->result[SETOPTION] = EJUSTRETURN;
	CHECK_EQ(set_int(client, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
	CHECK_STR(said(), "b.set(6,1,4) b.set(ffff,8,4)");
	CHECK(!(client->so_options & SO_KEEPALIVE));
	b->result[SETOPTION] = 0;
	/* Also of levels that nobody knows; what one has read of a longer value is all that others get. */
	b->hook[SETOPTION] = read_the_value;
	CHECK_EQ(set_option(client, 4711, 12, "abcdefgh", 8), EINVAL);
	CHECK_STR(said(), "b.set(1267,c,8) a.set(1267,c,4)");
	client->so_state |= SS_CANTRCVMORE | SS_CANTSENDMORE;
	CHECK_EQ(set_option(client, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on), EINVAL);
	CHECK_STR(said(), "");
	client->so_state = 0;
	close_all();
	sflt_testbed_end();
}

static void
give_a_value(struct watcher *w, struct socket *so)
{
	(void)so;
	CHECK_EQ(sockopt_copyout(w->opt, (char *)(uintptr_t)"0123456789", 10), 0);
	/* Not having room is no error. */
	CHECK_EQ(sockopt_valsize(w->opt), 6);
}

static void
give_a_size(struct watcher *w, struct socket *so)
{
	(void)so;
	CHECK_EQ(sockopt_copyout(w->opt, (char *)(uintptr_t)"0123456789", 10), 0);
}

KTEST(getoption_can_answer_itself)
{
	char value[8] = "";
	struct sockopt s = {SOPT_GET, SOL_SOCKET, SO_TYPE, value, 6};

	two_filters();
	client = tcp_socket(PF_INET);
	b->result[GETOPTION] = EACCES;
	CHECK_EQ(sogetopt(client, &s), EACCES);
	b->result[GETOPTION] = EJUSTRETURN;
	b->hook[GETOPTION] = give_a_value;
	CHECK_EQ(sogetopt(client, &s), 0);
	CHECK_STR(said(), "b.get(ffff,1008,6) b.get(ffff,1008,6)");
	CHECK_STR(value, "012345");
	CHECK_EQ(s.sopt_valsize, 6);
	/* Without a place for it, the size is all there is to say. */
	s = (struct sockopt){SOPT_GET, SOL_SOCKET, SO_TYPE, NULL, 20};
	b->hook[GETOPTION] = give_a_size;
	CHECK_EQ(sogetopt(client, &s), 0);
	CHECK_EQ(s.sopt_valsize, 10);
	b->result[GETOPTION] = 0;
	(void)said();
	CHECK_EQ(get_int(client, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	CHECK_STR(said(), "b.get(ffff,1008,4) a.get(ffff,1008,4)");
	close_all();
	sflt_testbed_end();
}

/* ---- ioctls ------------------------------------------------------------------------------- */

KTEST(ioctls_are_seen_but_those_of_interfaces_and_routes)
{
	int value = 1;
	char request[256] = "";

	two_filters();
	client = tcp_socket(PF_INET);
	b->result[IOCTL] = EPERM;
	CHECK_EQ(soioctl(client, FIONREAD, &value), EPERM);
	CHECK_STR(said(), "b.ioctl(f127)");
	b->result[IOCTL] = EJUSTRETURN;
	CHECK_EQ(soioctl(client, FIONBIO, &value), 0);
	CHECK_STR(said(), "b.ioctl(f126)");
	CHECK(!(client->so_state & SS_NBIO));
	b->result[IOCTL] = 0;
	CHECK_EQ(soioctl(client, FIONBIO, &value), 0);
	CHECK_STR(said(), "b.ioctl(f126) a.ioctl(f126)");
	CHECK(client->so_state & SS_NBIO);
	CHECK_EQ(soioctl(client, _IOW('z', 5, int), &value), EOPNOTSUPP);
	CHECK_STR(said(), "b.ioctl(z5) a.ioctl(z5)");
	/* These are of the descriptor, of interfaces, and of routes. */
	CHECK_EQ(soioctl(client, FIOCLEX, NULL), 0);
	(void)soioctl(client, _IOWR('i', 17, char[32]), request);
	(void)soioctl(client, _IOWR('r', 10, char[32]), request);
	CHECK_STR(said(), "");
	close_all();
	sflt_testbed_end();
}

/* ---- names -------------------------------------------------------------------------------- */

static int
open_udp(void)
{
	int fd;

	CHECK_EQ(sock_call_socket(curmachine(), PF_INET, SOCK_DGRAM, IPPROTO_UDP, &fd), 0);
	return fd;
}

/* The port that a program is told; -1: none. The error. */
static errno_t
ask_port(int fd, bool peer, int *port)
{
	struct sockaddr_in sin = {0};
	uint32_t len = sizeof sin;
	errno_t error = peer ? sock_call_getpeername(curmachine(), fd, &sin, &len) :
	    sock_call_getsockname(curmachine(), fd, &sin, &len);

	*port = error == 0 && len == sizeof sin ? ntohs(sin.sin_port) : -1;
	return error;
}

static void
edit_name(struct watcher *w, struct socket *so)
{
	struct sockaddr **sa = (struct sockaddr **)(uintptr_t)w->addr;

	(void)so;
	((struct sockaddr_in *)(void *)*sa)->sin_port = htons(4711);
}

static void
replace_name(struct watcher *w, struct socket *so)
{
	struct sockaddr **sa = (struct sockaddr **)(uintptr_t)w->addr;
	struct sockaddr_in *sin;

	(void)so;
	sin = _MALLOC(sizeof *sin, M_SONAME, M_WAITOK);
	CHECK(sin != NULL);
	*sin = *(struct sockaddr_in *)(void *)*sa;
	sin->sin_port = htons(4712);
	FREE(*sa, M_SONAME);
	*sa = (struct sockaddr *)sin;
}

static void
take_name(struct watcher *w, struct socket *so)
{
	struct sockaddr **sa = (struct sockaddr **)(uintptr_t)w->addr;

	(void)so;
	FREE(*sa, M_SONAME);
	*sa = NULL;
}

/* More than there is; a kext's mistake, which must not be read. */
static void
lie_about_the_length(struct watcher *w, struct socket *so)
{
	replace_name(w, so);
	(*(struct sockaddr **)(uintptr_t)w->addr)->sa_len = 255;
}

KTEST(names_can_be_changed_and_replaced)
{
	static const enum called what[] = {GETSOCKNAME, GETPEERNAME};
	struct sockaddr_in to = sin4(THERE4, 7);
	struct socket *so;
	int fd, port;

	sflt_testbed();
	quiet = true;
	register_filter('a', SFLT_GLOBAL, SOCK_DGRAM);
	register_filter('b', SFLT_GLOBAL, SOCK_DGRAM);
	fd = open_udp();
	CHECK_EQ(sock_call_bind(curmachine(), fd, &(struct sockaddr_in){.sin_len = 16, .sin_family = AF_INET,
	    .sin_port = htons(1234)}, 16), 0);
	CHECK_EQ(ask_port(fd, true, &port), ENOTCONN);
	CHECK_EQ(sock_call_connect(curmachine(), fd, &to, sizeof to), 0);
	(void)said();
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(ask_port(fd, i == 1, &port), 0);
		CHECK_STR(said(), i == 0 ? "b.getsockname a.getsockname" : "b.getpeername a.getpeername");
		CHECK_EQ(port, i == 0 ? 1234 : 7);
		b->hook[what[i]] = edit_name;
		CHECK_EQ(ask_port(fd, i == 1, &port), 0);
		CHECK_EQ(port, 4711);
		b->hook[what[i]] = replace_name;
		a->hook[what[i]] = replace_name;
		b->result[what[i]] = EJUSTRETURN;
		(void)said();
		CHECK_EQ(ask_port(fd, i == 1, &port), 0);
		CHECK_STR(said(), i == 0 ? "b.getsockname" : "b.getpeername");
		CHECK_EQ(port, 4712);
		b->result[what[i]] = EPERM;
		b->hook[what[i]] = replace_name;
		CHECK_EQ(ask_port(fd, i == 1, &port), EPERM);
		b->result[what[i]] = EJUSTRETURN;
		b->hook[what[i]] = take_name;
		CHECK_EQ(ask_port(fd, i == 1, &port), 0);
		CHECK_EQ(port, -1);
		b->hook[what[i]] = lie_about_the_length;
		CHECK_EQ(ask_port(fd, i == 1, &port), 0);
		fail_after(1);
		CHECK_EQ(ask_port(fd, i == 1, &port), ENOBUFS);
		fail_after(0);
		(void)said();
	}
	/* Inside the kernel, names are as they are. */
	so = fd_socket(curmachine(), fd);
	CHECK_EQ(sogetsockname(so, &(struct sockaddr_storage){0}), 0);
	CHECK_EQ(sogetpeername(so, &(struct sockaddr_storage){0}), 0);
	CHECK_STR(said(), "");
	CHECK_EQ(file_call_close(curmachine(), fd), 0);
	sflt_testbed_end();
}

static void
name_of_its_own(struct watcher *w, struct socket *so)
{
	static char memory[512];
	struct sockaddr **sa = (struct sockaddr **)(uintptr_t)w->addr;

	(void)so;
	FREE(*sa, M_SONAME);
	*sa = (struct sockaddr *)(void *)(memory + sizeof memory / 2);
}

KTEST_PANICS(a_name_that_is_no_memory_of_that_type_is_noticed, "_MALLOC")
{
	int port;

	sflt_testbed();
	register_filter('a', SFLT_GLOBAL, SOCK_DGRAM);
	a->hook[GETSOCKNAME] = name_of_its_own;
	(void)ask_port(open_udp(), false, &port);
}

KTEST_SUITE(sflt_calls, T(bind_is_seen_before_the_protocol), T(connect_out_can_change_the_address),
    T(connect_out_can_refuse_or_do_it), T(connecting_and_sending_bind_without_asking),
    T(connect_in_asks_the_listener_before_anything_is_made), T(who_is_refused_is_not_told),
    T(the_listener_may_go_while_a_connection_begins), T(one_handshake_makes_one_connection),
    T(listen_is_seen_before_the_protocol), T(accept_can_refuse),
    T(accept_can_hand_out_a_socket_that_is_of_no_use), T(accept_is_asked_of_the_extension_only),
    T(a_connection_that_is_gone_is_not_accepted), T(setoption_sees_options_of_every_level),
    T(getoption_can_answer_itself), T(ioctls_are_seen_but_those_of_interfaces_and_routes),
    T(names_can_be_changed_and_replaced), T(a_name_that_is_no_memory_of_that_type_is_noticed));
