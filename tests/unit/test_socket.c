/*
 * src/kern/uipc_domain.c, uipc_socket.c, uipc_socket2.c: what is asked of a socket and in which state, with
 * a protocol that connects, disconnects and refuses when the test says so.
 */
#include "tests/unit/fake_proto.h"

/* ---- domains ------------------------------------------------------------------------------- */

KTEST(protocols_come_and_go_when_nobody_uses_them)
{
	struct nke *m = curmachine();
	struct socket *so;

	set_up();
	CHECK_EQ(net_add_domain(m, &fake_domain), EEXIST);
	CHECK_EQ(net_add_proto(m, FAMILY, &raw_proto), EEXIST);
	CHECK_EQ(net_add_proto(m, PF_CCITT, &raw_proto), EAFNOSUPPORT);
	CHECK_EQ(net_del_domain(m, FAMILY), EBUSY);
	CHECK_EQ(net_del_domain(m, PF_CCITT), ENOENT);
	so = make_socket(FAMILY, SOCK_STREAM);
	CHECK_EQ(net_del_proto(m, FAMILY, SOCK_STREAM, 6), EBUSY);
	soclose(so);
	CHECK_EQ(net_del_proto(m, FAMILY, SOCK_STREAM, 6), 0);
	CHECK_EQ(net_del_proto(m, FAMILY, SOCK_STREAM, 6), ENOENT);
	CHECK_EQ(net_del_proto(m, FAMILY, SOCK_DGRAM, 17), 0);
	CHECK_EQ(net_del_proto(m, FAMILY, SOCK_RAW, 0), 0);
	CHECK_EQ(net_del_domain(m, FAMILY), 0);
	CHECK_EQ(socreate(m, FAMILY, SOCK_STREAM, 0, &so), EAFNOSUPPORT);
}

KTEST(a_protocol_is_found_as_bsd_finds_it)
{
	const struct protosw *p;
	const struct domain *d;
	struct nke *m = curmachine();

	set_up();
	CHECK_EQ(pffindproto(m, FAMILY, SOCK_DGRAM, 0, &p, &d), 0);
	CHECK(p == &dgram_proto && d == &fake_domain);
	CHECK_EQ(pffindproto(m, FAMILY, SOCK_STREAM, 6, &p, &d), 0);
	CHECK(p == &stream_proto);
	CHECK_EQ(pffindproto(m, FAMILY, SOCK_STREAM, 17, &p, &d), EPROTOTYPE);
	CHECK_EQ(pffindproto(m, FAMILY, SOCK_STREAM, 99, &p, &d), EPROTONOSUPPORT);
	CHECK_EQ(pffindproto(m, FAMILY, SOCK_SEQPACKET, 0, &p, &d), EPROTONOSUPPORT);
	CHECK_EQ(pffindproto(m, FAMILY, SOCK_RAW, 89, &p, &d), 0);
	CHECK(p == &raw_proto);
	CHECK_EQ(pffindproto(m, 99, SOCK_RAW, 0, &p, &d), EAFNOSUPPORT);
}

/* ---- making ------------------------------------------------------------------------------- */

KTEST(a_protocol_may_refuse_a_socket)
{
	struct socket *so;
	int before = curmachine()->sockets->count;

	set_up();
	fake.attach_error = EPERM;
	CHECK_EQ(socreate(curmachine(), FAMILY, SOCK_STREAM, 0, &so), EPERM);
	CHECK_EQ(curmachine()->sockets->count, before);
}

KTEST(sockets_are_limited_in_number)
{
	struct socket *so, *another;

	curmachine()->sockets->maxsockets = curmachine()->sockets->count + 1;
	so = make_socket(PF_LOCAL, SOCK_STREAM);
	CHECK_EQ(socreate(curmachine(), PF_LOCAL, SOCK_STREAM, 0, &another), ENOBUFS);
	soclose(so);
	another = make_socket(PF_LOCAL, SOCK_STREAM);
	soclose(another);
}

KTEST(what_a_protocol_does_not_have_is_not_supported)
{
	struct sockaddr_storage ss;
	struct socket *so, *other;
	unsigned long command = 0;
	char byte = 'x';
	struct so_received r;

	set_up();
	so = make_socket(FAMILY, SOCK_RAW);
	other = make_socket(FAMILY, SOCK_RAW);
	CHECK_EQ(sobind(so, &somewhere), EOPNOTSUPP);
	CHECK_EQ(solisten(so, 1), EOPNOTSUPP);
	CHECK_EQ(soaccept(so, 0, &ss, &other), EOPNOTSUPP);
	CHECK_EQ(soconnect(so, &somewhere, 0), EOPNOTSUPP);
	CHECK_EQ(soconnect2(so, other), EOPNOTSUPP);
	CHECK_EQ(sogetsockname(so, &ss), EOPNOTSUPP);
	CHECK_EQ(sogetpeername(so, &ss), ENOTCONN);
	CHECK_EQ(sosend(so, &somewhere, &byte, 1, NULL, NULL, 0, NULL), EOPNOTSUPP);
	CHECK_EQ(soreceive(so, &byte, 1, MSG_OOB, &r), EOPNOTSUPP);
	CHECK_EQ(soioctl(so, command, NULL), EOPNOTSUPP);
	soclose(so);
	soclose(other);
}

/* ---- listening and accepting ---------------------------------------------------------------- */

KTEST(listening_needs_the_right_state)
{
	struct socket *so;
	struct sockaddr_storage ss;

	set_up();
	so = make_socket(FAMILY, SOCK_DGRAM);
	CHECK_EQ(solisten(so, 1), EOPNOTSUPP);
	CHECK_EQ(soaccept(so, 0, &ss, &so), EOPNOTSUPP);
	soclose(so);
	so = make_socket(FAMILY, SOCK_STREAM);
	CHECK_EQ(soaccept(so, 0, &ss, &so), EINVAL);
	CHECK_EQ(soconnect(so, &somewhere, MSG_DONTWAIT), EINPROGRESS);
	CHECK_EQ(solisten(so, 1), EINVAL);
	soisconnected(so);
	CHECK_EQ(solisten(so, 1), EINVAL);
	soclose(so);
	so = make_listener(0);
	CHECK_EQ(so->so_qlimit, SOMAXCONN_DEFAULT);
	CHECK_EQ(solisten(so, 5), 0);
	CHECK_EQ(so->so_qlimit, 5);
	CHECK_EQ(solisten(so, 1000), 0);
	CHECK_EQ(so->so_qlimit, SOMAXCONN_DEFAULT);
	CHECK_EQ(solisten(so, -1), 0);
	CHECK_EQ(so->so_qlimit, SOMAXCONN_DEFAULT);
	CHECK_EQ(soconnect(so, &somewhere, 0), EOPNOTSUPP);
	CHECK_EQ(soshutdown(so, SHUT_RD), ENOTCONN);
	CHECK_EQ(receive_error(so), ENOTCONN);
	CHECK_EQ(get_int(so, SO_ACCEPTCONN), SO_ACCEPTCONN);
	soclose(so);
}

KTEST(connections_are_accepted_in_the_order_in_which_they_were_finished)
{
	struct socket *head, *a, *b, *got;
	struct sockaddr_storage ss;

	set_up();
	head = make_listener(3);
	CHECK_EQ(set_int(head, SO_KEEPALIVE, 1), 0);
	head->so_rcv.sb_timeo = 5 * S;
	CHECK_EQ(soaccept(head, MSG_DONTWAIT, &ss, &got), EWOULDBLOCK);
	a = sonewconn(head, 0);
	b = sonewconn(head, 0);
	CHECK(a != NULL && b != NULL);
	CHECK(!(soready(head) & SO_READABLE));
	CHECK_EQ(soaccept(head, MSG_DONTWAIT, &ss, &got), EWOULDBLOCK);
	soisconnected(b);
	CHECK(soready(head) & SO_READABLE);
	soisconnected(a);
	CHECK_EQ(soaccept(head, 0, &ss, &got), 0);
	CHECK(got == b);
	CHECK_EQ(ss.ss_family, FAMILY);
	CHECK(!(got->so_state & (SS_NOFDREF | SS_COMP)));
	CHECK(got->so_options & SO_KEEPALIVE);
	CHECK(!(got->so_options & SO_ACCEPTCONN));
	CHECK_EQ(got->so_rcv.sb_timeo, 5 * S);
	soclose(got);
	CHECK_EQ(soaccept(head, 0, &ss, &got), 0);
	CHECK(got == a);
	soclose(got);
	CHECK_EQ(fake.detached, 2);
	soclose(head);
}

KTEST(the_backlog_bounds_both_queues)
{
	struct socket *head, *so[2];

	set_up();
	head = make_listener(2);
	so[0] = sonewconn(head, 0);
	so[1] = sonewconn(head, SS_ISCONNECTED);
	CHECK(so[0] != NULL && so[1] != NULL);
	CHECK(sonewconn(head, 0) == NULL);
	CHECK_EQ(head->so_incqlen, 1);
	CHECK_EQ(head->so_qlen, 1);
	/* one that never was finished leaves */
	fake_free(so[0]);
	sodetached(so[0]);
	CHECK_EQ(head->so_incqlen, 0);
	fake.attach_error = ENOBUFS;
	CHECK(sonewconn(head, 0) == NULL);
	fake.attach_error = 0;
	CHECK(sonewconn(head, 0) != NULL);
	CHECK_EQ(fake.aborted, 0);
	soclose(head);
	CHECK_EQ(fake.aborted, 2);
}

KTEST(an_accept_that_the_protocol_refuses_ends_the_connection)
{
	struct socket *head, *got;
	struct sockaddr_storage ss;

	set_up();
	head = make_listener(2);
	sonewconn(head, SS_ISCONNECTED);
	fake.accept_error = ECONNABORTED;
	CHECK_EQ(soaccept(head, 0, &ss, &got), ECONNABORTED);
	CHECK_EQ(fake.detached, 1);
	CHECK_EQ(head->so_qlen, 0);
	so_seterror(head, ENETDOWN);
	CHECK_EQ(soaccept(head, 0, &ss, &got), ENETDOWN);
	socantrcvmore(head);
	CHECK_EQ(soaccept(head, 0, &ss, &got), ECONNABORTED);
	soclose(head);
}

static struct socket *the_listener;

static void
connect_later(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	sleep_for(10 * MS);
	CHECK(sonewconn(the_listener, SS_ISCONNECTED) != NULL);
}

KTEST(accept_waits_for_a_connection)
{
	struct socket *got;
	struct sockaddr_storage ss;

	set_up();
	the_listener = make_listener(2);
	start(connect_later, NULL);
	CHECK_EQ(soaccept(the_listener, 0, &ss, &got), 0);
	CHECK_EQ(machine_now(curmachine()), 10 * MS);
	soclose(got);
	/* and when none can ever come, says so */
	CHECK_EQ(soaccept(the_listener, 0, &ss, &got), EDEADLK);
	CHECK(ktest_log_contains("waits for a connection to accept"));
	soclose(the_listener);
}

/* ---- connecting --------------------------------------------------------------------------- */

static struct socket *the_socket;
static errno_t outcome;

static void
finish_later(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	sleep_for(10 * MS);
	if (outcome != 0) {
		soisdisconnected(the_socket);
		so_seterror(the_socket, outcome);
	} else {
		soisconnected(the_socket);
	}
}

KTEST(connect_waits_until_it_is_done)
{
	set_up();
	outcome = 0;
	the_socket = make_socket(FAMILY, SOCK_STREAM);
	start(finish_later, NULL);
	CHECK_EQ(soconnect(the_socket, &somewhere, 0), 0);
	CHECK_EQ(machine_now(curmachine()), 10 * MS);
	CHECK_EQ(soconnect(the_socket, &somewhere, 0), EISCONN);
	CHECK(the_socket->so_state & SS_ISCONNECTED);
	soclose(the_socket);
}

KTEST(a_connect_that_fails_says_why)
{
	set_up();
	outcome = ECONNREFUSED;
	the_socket = make_socket(FAMILY, SOCK_STREAM);
	start(finish_later, NULL);
	CHECK_EQ(soconnect(the_socket, &somewhere, 0), ECONNREFUSED);
	CHECK_EQ(get_int(the_socket, SO_ERROR), 0);
	soclose(the_socket);
}

KTEST(a_connect_that_does_not_wait_goes_on_behind_the_scenes)
{
	struct socket *so;

	set_up();
	so = make_socket(FAMILY, SOCK_STREAM);
	so->so_state |= SS_NBIO;
	CHECK_EQ(soconnect(so, &somewhere, 0), EINPROGRESS);
	CHECK_EQ(soconnect(so, &somewhere, 0), EALREADY);
	CHECK(!(soready(so) & SO_WRITABLE));
	CHECK_EQ(receive_error(so), EWOULDBLOCK);
	CHECK_EQ(send_text(so, "x"), ENOTCONN);
	so_seterror(so, ETIMEDOUT);
	CHECK(soready(so) & SO_HASERROR);
	CHECK(soready(so) & SO_WRITABLE);
	CHECK_EQ(get_int(so, SO_ERROR), ETIMEDOUT);
	CHECK_EQ(get_int(so, SO_ERROR), 0);
	soclose(so);
}

KTEST(without_connections_a_new_peer_takes_the_place_of_the_old_one)
{
	struct socket *so;

	set_up();
	fake.connect_at_once = true;
	so = make_socket(FAMILY, SOCK_DGRAM);
	CHECK_EQ(soconnect(so, &somewhere, 0), 0);
	CHECK_EQ(soconnect(so, &somewhere, 0), 0);
	CHECK_EQ(sodisconnect(so), 0);
	CHECK_EQ(sodisconnect(so), ENOTCONN);
	soclose(so);
}

KTEST(restrictions_deny_both_directions)
{
	struct socket *so;

	set_up();
	so = make_socket(FAMILY, SOCK_STREAM);
	CHECK_EQ(set_int(so, SO_RESTRICTIONS, SO_RESTRICT_DENYIN | SO_RESTRICT_DENYOUT), 0);
	CHECK_EQ(soconnect(so, &somewhere, 0), EPERM);
	CHECK_EQ(solisten(so, 1), EPERM);
	soclose(so);
}

/* ---- ending ------------------------------------------------------------------------------- */

KTEST(shutdown_is_tested_side_by_side)
{
	struct socket *so;

	set_up();
	so = make_socket(FAMILY, SOCK_STREAM);
	CHECK_EQ(soshutdown(so, 3), EINVAL);
	CHECK_EQ(soshutdown(so, -1), EINVAL);
	CHECK_EQ(soshutdown(so, SHUT_RD), ENOTCONN);
	soclose(so);
	so = make_connected();
	arrive(so, "unread");
	CHECK_EQ(soshutdown(so, SHUT_RD), 0);
	CHECK_EQ(so->so_rcv.sb_cc, 0);
	CHECK_STR(receive_text(so), "");
	CHECK_EQ(soshutdown(so, SHUT_RD), ENOTCONN);
	CHECK_EQ(send_text(so, "still"), 0);
	CHECK_EQ(soshutdown(so, SHUT_WR), 0);
	CHECK_EQ(send_text(so, "no"), EPIPE);
	CHECK_EQ(soshutdown(so, SHUT_RDWR), ENOTCONN);
	CHECK_EQ(set_int(so, SO_KEEPALIVE, 1), EINVAL);
	CHECK(soready(so) & SO_HANGUP);
	soclose(so);
}

static void
disconnect_later(void *arg, wait_result_t result)
{
	(void)result;
	sleep_for((uint64_t)(uintptr_t)arg);
	soisdisconnected(the_socket);
	so_release(the_socket);
}

KTEST(close_lingers_as_long_as_it_was_told)
{
	struct linger l = {1, 2};
	struct socket *so;

	set_up();
	fake.disconnect_after = 1;
	/* until the peer has everything */
	the_socket = so = make_connected();
	CHECK_EQ(set_option(so, SOL_SOCKET, SO_LINGER_SEC, &l, sizeof l), 0);
	so_retain(so);
	start(disconnect_later, (void *)(uintptr_t)(500 * MS));
	CHECK_EQ(soclose(so), 0);
	CHECK_EQ(machine_now(curmachine()), 500 * MS);
	/* at most two seconds */
	so = make_connected();
	CHECK_EQ(set_option(so, SOL_SOCKET, SO_LINGER_SEC, &l, sizeof l), 0);
	CHECK_EQ(soclose(so), 0);
	CHECK_EQ(machine_now(curmachine()), 2500 * MS);
	/* not at all: a non-blocking one */
	so = make_connected();
	CHECK_EQ(set_option(so, SOL_SOCKET, SO_LINGER_SEC, &l, sizeof l), 0);
	so->so_state |= SS_NBIO;
	CHECK_EQ(soclose(so), 0);
	CHECK_EQ(machine_now(curmachine()), 2500 * MS);
	CHECK_EQ(fake.detached, 3);
}

/* ---- upcalls ------------------------------------------------------------------------------ */

static unsigned upcalls;

static void
count_upcall(socket_t so, void *cookie, int waitf)
{
	CHECK(so == cookie);
	CHECK_EQ(waitf, MBUF_DONTWAIT);
	upcalls++;
}

KTEST(an_upcall_tells_of_data_and_states)
{
	struct socket *so;

	set_up();
	upcalls = 0;
	so = make_socket(FAMILY, SOCK_STREAM);
	CHECK_EQ(so_set_upcall(so, count_upcall, so), 0);
	fake.connect_at_once = true;
	CHECK_EQ(soconnect(so, &somewhere, 0), 0);
	CHECK_EQ(upcalls, 1);
	arrive(so, "x");
	CHECK_EQ(upcalls, 2);
	socantrcvmore(so);
	CHECK_EQ(upcalls, 3);
	CHECK_EQ(so_set_upcall(so, NULL, NULL), 0);
	arrive(so, "x");
	CHECK_EQ(upcalls, 3);
	soclose(so);
}

KTEST_PANICS(a_reference_too_many_is_named, "released more often than it was retained")
{
	struct socket *so = make_socket(PF_LOCAL, SOCK_STREAM);

	so->so_usecount = 0;
	so_release(so);
}

KTEST_SUITE(socket,
    T(protocols_come_and_go_when_nobody_uses_them),
    T(a_protocol_is_found_as_bsd_finds_it),
    T(a_protocol_may_refuse_a_socket),
    T(sockets_are_limited_in_number),
    T(what_a_protocol_does_not_have_is_not_supported),
    T(listening_needs_the_right_state),
    T(connections_are_accepted_in_the_order_in_which_they_were_finished),
    T(the_backlog_bounds_both_queues),
    T(an_accept_that_the_protocol_refuses_ends_the_connection),
    T(accept_waits_for_a_connection),
    T(connect_waits_until_it_is_done),
    T(a_connect_that_fails_says_why),
    T(a_connect_that_does_not_wait_goes_on_behind_the_scenes),
    T(without_connections_a_new_peer_takes_the_place_of_the_old_one),
    T(restrictions_deny_both_directions),
    T(shutdown_is_tested_side_by_side),
    T(close_lingers_as_long_as_it_was_told),
    T(an_upcall_tells_of_data_and_states),
    T(a_reference_too_many_is_named));
