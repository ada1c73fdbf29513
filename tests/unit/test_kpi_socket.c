/*
 * kpi/kpi_socket.c: what a kext asks of a socket, over lo0. Every error that the interface states is got
 * here; upcalls, retaining and whose sockets are whose are in test_uipc_kext.c.
 */
#include <sys/ioctl.h>

#include "tests/unit/kpi_sock_testing.h"

/* ---- making ------------------------------------------------------------------------------- */

KTEST(a_socket_is_made_of_what_there_is)
{
	int domain, type, protocol;
	socket_t so;

	CHECK_EQ(sock_socket(PF_INET, SOCK_STREAM, 0, NULL, NULL, NULL), EINVAL);
	CHECK_EQ(sock_socket(99, SOCK_STREAM, 0, NULL, NULL, &so), EAFNOSUPPORT);
	CHECK_EQ(sock_socket(PF_INET, SOCK_STREAM, 99, NULL, NULL, &so), EPROTONOSUPPORT);
	CHECK_EQ(sock_socket(PF_INET, SOCK_STREAM, IPPROTO_UDP, NULL, NULL, &so), EPROTOTYPE);
	CHECK_EQ(sock_socket(PF_INET6, SOCK_DGRAM, 0, NULL, NULL, &so), 0);
	CHECK_EQ(sock_gettype(so, &domain, &type, &protocol), 0);
	CHECK_EQ(domain, PF_INET6);
	CHECK_EQ(type, SOCK_DGRAM);
	CHECK_EQ(protocol, IPPROTO_UDP);
	CHECK_EQ(sock_gettype(so, NULL, NULL, NULL), 0);
	sock_close(so);
	sock_close(NULL);
}

KTEST(what_is_wrong_with_an_argument_is_said)
{
	struct sockaddr_storage long_name = {.ss_len = sizeof long_name + 1, .ss_family = AF_INET};
	struct sockaddr_in name = here(PORT);
	socket_t so = new_socket(PF_INET, SOCK_STREAM), new;
	int value = 1, len = sizeof value;

	CHECK_EQ(sock_bind(NULL, SA(name)), EINVAL);
	CHECK_EQ(sock_bind(so, NULL), EINVAL);
	CHECK_EQ(sock_bind(so, SA(long_name)), ENOBUFS);
	CHECK_EQ(sock_connect(NULL, SA(name), 0), EINVAL);
	CHECK_EQ(sock_connect(so, NULL, 0), EINVAL);
	CHECK_EQ(sock_connect(so, SA(long_name), 0), ENOBUFS);
	CHECK_EQ(sock_listen(NULL, 1), EINVAL);
	CHECK_EQ(sock_accept(NULL, NULL, 0, 0, NULL, NULL, &new), EINVAL);
	CHECK_EQ(sock_accept(so, NULL, 0, 0, NULL, NULL, &new), EINVAL);
	CHECK_EQ(sock_shutdown(NULL, SHUT_RD), EINVAL);
	CHECK_EQ(sock_shutdown(so, 3), EINVAL);
	CHECK_EQ(sock_shutdown(so, SHUT_RD), ENOTCONN);
	CHECK_EQ(sock_getpeername(NULL, NAME(&long_name), 16), EINVAL);
	CHECK_EQ(sock_getpeername(so, NULL, 16), EINVAL);
	CHECK_EQ(sock_getpeername(so, NAME(&long_name), -1), EINVAL);
	CHECK_EQ(sock_getpeername(so, NAME(&long_name), 16), ENOTCONN);
	CHECK_EQ(sock_getsockname(NULL, NAME(&long_name), 16), EINVAL);
	CHECK_EQ(sock_getsockname(so, NULL, 16), EINVAL);
	CHECK_EQ(sock_getsockname(so, NAME(&long_name), -1), EINVAL);
	CHECK_EQ(sock_getsockopt(NULL, SOL_SOCKET, SO_TYPE, &value, &len), EINVAL);
	CHECK_EQ(sock_getsockopt(so, SOL_SOCKET, SO_TYPE, NULL, &len), EINVAL);
	CHECK_EQ(sock_getsockopt(so, SOL_SOCKET, SO_TYPE, &value, NULL), EINVAL);
	CHECK_EQ(sock_setsockopt(NULL, SOL_SOCKET, SO_REUSEADDR, &value, len), EINVAL);
	CHECK_EQ(sock_setsockopt(so, SOL_SOCKET, SO_REUSEADDR, NULL, len), EINVAL);
	CHECK_EQ(sock_setpriv(NULL, 1), EINVAL);
	CHECK_EQ(sock_nointerrupt(NULL, 1), EINVAL);
	CHECK_EQ(sock_nointerrupt(so, 1), 0);
	CHECK_EQ(sock_setupcall(NULL, NULL, NULL), EINVAL);
	sock_retain(NULL);
	sock_release(NULL);
	sock_close(so);
	so = new_socket(PF_INET, SOCK_DGRAM);
	CHECK_EQ(sock_listen(so, 1), EOPNOTSUPP);
	sock_close(so);
}

KTEST(names_are_cut_to_the_room_there_is)
{
	struct sockaddr_in name = here(PORT), cut;
	socket_t head = listener(PORT, NULL, NULL), a, b;

	memset(&cut, 0xee, sizeof cut);
	CHECK_EQ(sock_getsockname(head, NAME(&cut), 4), 0);
	CHECK_EQ(cut.sin_len, sizeof cut);
	CHECK_EQ(cut.sin_port, htons(PORT));
	CHECK_EQ(cut.sin_addr.s_addr, 0xeeeeeeee);
	a = new_socket(PF_INET, SOCK_STREAM);
	CHECK_EQ(sock_connect(a, SA(name), 0), 0);
	memset(&cut, 0xee, sizeof cut);
	CHECK_EQ(sock_accept(head, NAME(&cut), 2, 0, NULL, NULL, &b), 0);
	CHECK_EQ(cut.sin_family, AF_INET);
	CHECK_EQ(cut.sin_port, 0xeeee);
	CHECK_EQ(sock_getpeername(b, NAME(&cut), 100), 0);
	CHECK_EQ(cut.sin_addr.s_addr, LOOP4);
	CHECK_EQ(sock_getsockname(a, NAME(&name), sizeof name), 0);
	CHECK_EQ(name.sin_port, cut.sin_port);
	sock_close(a);
	sock_close(b);
	sock_close(head);
}

KTEST(options_and_ioctls_reach_the_socket)
{
	socket_t so = new_socket(PF_INET, SOCK_DGRAM);
	int value = 0, len = sizeof value;

	CHECK_EQ(sock_getsockopt(so, SOL_SOCKET, SO_TYPE, &value, &len), 0);
	CHECK_EQ(value, SOCK_DGRAM);
	len = 2;
	CHECK_EQ(sock_getsockopt(so, SOL_SOCKET, SO_TYPE, &value, &len), 0);
	CHECK_EQ(len, 2);
	len = 3;
	CHECK_EQ(sock_getsockopt(so, SOL_SOCKET, 0x7777, &value, &len), ENOPROTOOPT);
	CHECK_EQ(len, 3);
	value = 9000;
	CHECK_EQ(sock_setsockopt(so, SOL_SOCKET, SO_RCVBUF, &value, sizeof value), 0);
	CHECK_EQ(so->so_rcv.sb_hiwat, 9000);
	CHECK_EQ(sock_setsockopt(so, SOL_SOCKET, SO_RCVBUF, &value, 3), EINVAL);
	CHECK_EQ(sock_setsockopt(so, 12345, 1, &value, sizeof value), EINVAL);
	CHECK(!sock_isnonblocking(so));
	value = 1;
	CHECK_EQ(sock_ioctl(so, FIONBIO, &value), 0);
	CHECK(sock_isnonblocking(so));
	CHECK_EQ(sock_ioctl(so, _IO('z', 1), NULL), EOPNOTSUPP);
	CHECK(so->so_state & SS_PRIV);
	CHECK_EQ(sock_setpriv(so, 0), 0);
	CHECK(!(so->so_state & SS_PRIV));
	CHECK_EQ(sock_setpriv(so, 7), 0);
	CHECK(so->so_state & SS_PRIV);
	sock_close(so);
}

/* ---- connections -------------------------------------------------------------------------- */

KTEST(a_connection_from_end_to_end)
{
	struct sockaddr_in name = here(PORT);
	socket_t head = listener(PORT, NULL, NULL), a, b;

	CHECK_EQ(sock_accept(head, NULL, 0, MSG_PEEK, NULL, NULL, &b), ENOTSUP);
	CHECK_EQ(sock_accept(head, NULL, 0, 0, NULL, NULL, NULL), EINVAL);
	CHECK_EQ(sock_accept(head, NULL, 0, MSG_DONTWAIT, NULL, NULL, &b), EWOULDBLOCK);
	CHECK_EQ(sock_connect(head, SA(name), 0), EOPNOTSUPP);
	a = new_socket(PF_INET, SOCK_STREAM);
	CHECK_EQ(say(a, NULL, "x", 0), ENOTCONN);
	CHECK_EQ(hear_error(a), ENOTCONN);
	CHECK(!sock_isconnected(a));
	CHECK_EQ(sock_connect(a, SA(name), MSG_DONTWAIT), EINPROGRESS);
	CHECK_EQ(sock_connect(a, SA(name), MSG_DONTWAIT), EALREADY);
	CHECK_EQ(sock_accept(head, NULL, 0, 0, NULL, NULL, &b), 0);
	let_run();
	CHECK(sock_isconnected(a) && sock_isconnected(b));
	CHECK_EQ(sock_connect(a, SA(name), 0), EISCONN);
	CHECK_EQ(sock_listen(a, 1), EINVAL);
	CHECK_EQ(say(a, NULL, "to you", 0), 0);
	CHECK_STR(hear(b), "to you");
	CHECK_EQ(hear_error(b), EWOULDBLOCK);
	CHECK_EQ(sock_shutdown(a, SHUT_WR), 0);
	CHECK_EQ(sock_shutdown(a, SHUT_WR), ENOTCONN);
	CHECK_EQ(say(a, NULL, "x", 0), EPIPE);
	CHECK_STR(hear(b), "");
	CHECK_EQ(say(b, NULL, "and back", 0), 0);
	CHECK_STR(hear(a), "and back");
	CHECK_EQ(sock_shutdown(a, SHUT_RD), 0);
	CHECK_EQ(sock_setsockopt(a, SOL_SOCKET, SO_REUSEADDR, &name, 4), EINVAL);
	sock_close(a);
	sock_close(b);
	so_seterror(head, ENETDOWN);
	CHECK_EQ(sock_accept(head, NULL, 0, 0, NULL, NULL, &b), ENETDOWN);
	socantrcvmore(head);
	CHECK_EQ(sock_accept(head, NULL, 0, 0, NULL, NULL, &b), ECONNABORTED);
	sock_close(head);
	a = new_socket(PF_INET, SOCK_STREAM);
	CHECK_EQ(sock_connect(a, SA(name), 0), ECONNREFUSED);
	sock_close(a);
}

KTEST(a_connection_can_be_waited_for)
{
	struct sockaddr_in name = here(PORT), nobody = sin4(IP4(10, 0, 0, 9), PORT);
	const struct timeval forever = {0, 0}, wrong = {-1, 0}, second = {1, 0};
	socket_t head = listener(PORT, NULL, NULL), so = new_socket(PF_INET, SOCK_STREAM);
	uint64_t before;

	inet_testbed();
	CHECK_EQ(sock_connectwait(NULL, &second), EINVAL);
	CHECK_EQ(sock_connectwait(so, NULL), EINVAL);
	CHECK_EQ(sock_connectwait(so, &second), EINVAL);
	CHECK_EQ(sock_connect(so, SA(name), MSG_DONTWAIT), EINPROGRESS);
	CHECK_EQ(sock_connectwait(so, &wrong), EDOM);
	CHECK_EQ(sock_connectwait(so, &forever), 0);
	CHECK(sock_isconnected(so));
	CHECK_EQ(sock_connectwait(so, &second), 0);
	sock_close(so);
	sock_close(head);
	so = new_socket(PF_INET, SOCK_STREAM);
	CHECK_EQ(sock_connect(so, SA(name), MSG_DONTWAIT), EINPROGRESS);
	CHECK_EQ(sock_connectwait(so, &second), ECONNREFUSED);
	CHECK_EQ(sock_connectwait(so, &second), EINVAL);
	sock_close(so);
	so = new_socket(PF_INET, SOCK_STREAM);
	CHECK_EQ(sock_connect(so, SA(nobody), MSG_DONTWAIT), EINPROGRESS);
	before = machine_now(curmachine());
	CHECK_EQ(sock_connectwait(so, &second), EINPROGRESS);
	CHECK_EQ(machine_now(curmachine()) - before, 1000000000);
	sock_close(so);
	forget(&sent);
}

KTEST(a_socket_can_be_restricted_or_defunct)
{
	struct sockaddr_in name = here(PORT);
	socket_t so = new_socket(PF_INET, SOCK_STREAM);
	int in = SO_RESTRICT_DENYIN, out = SO_RESTRICT_DENYOUT;

	CHECK_EQ(sock_setsockopt(so, SOL_SOCKET, SO_RESTRICTIONS, &out, sizeof out), 0);
	CHECK_EQ(sock_connect(so, SA(name), 0), EPERM);
	CHECK_EQ(sock_setsockopt(so, SOL_SOCKET, SO_RESTRICTIONS, &in, sizeof in), 0);
	CHECK_EQ(sock_listen(so, 0), EPERM);
	so->so_state |= SS_DEFUNCT;
	CHECK_EQ(sock_bind(so, SA(name)), EINVAL);
	CHECK_EQ(sock_connect(so, SA(name), 0), EOPNOTSUPP);
	CHECK_EQ(sock_listen(so, 0), EINVAL);
	CHECK_EQ(say(so, NULL, "x", 0), EPIPE);
	sock_close(so);
}

/* ---- messages ----------------------------------------------------------------------------- */

KTEST(datagrams_bring_their_sender)
{
	struct sockaddr_in to = here(PORT), from;
	socket_t a = new_socket(PF_INET, SOCK_DGRAM), b = new_socket(PF_INET, SOCK_DGRAM);
	char one[3], two[100];
	struct iovec iov[2] = {{one, sizeof one}, {two, sizeof two}};
	struct msghdr msg = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = iov, .msg_iovlen = 2};
	size_t len;

	CHECK_EQ(sock_bind(b, SA(to)), 0);
	CHECK_EQ(say(a, NULL, "x", 0), EDESTADDRREQ);
	CHECK_EQ(say(a, &to, "abcdef", 0), 0);
	CHECK_EQ(sock_receive(b, &msg, 0, &len), 0);
	CHECK_EQ(len, 6);
	CHECK_EQ(memcmp(one, "abc", 3), 0);
	CHECK_EQ(memcmp(two, "def", 3), 0);
	CHECK_EQ(msg.msg_flags, 0);
	CHECK_EQ(from.sin_addr.s_addr, LOOP4);
	CHECK_EQ(msg.msg_namelen, sizeof from);
	/* Address and data are cut, and *recvdlen is not needed. */
	CHECK_EQ(say(a, &to, "abcdef", 0), 0);
	memset(&from, 0, sizeof from);
	msg.msg_namelen = 2;
	msg.msg_iovlen = 1;
	CHECK_EQ(sock_receive(b, &msg, 0, NULL), 0);
	CHECK_EQ(msg.msg_flags, MSG_TRUNC);
	CHECK_EQ(from.sin_family, AF_INET);
	CHECK_EQ(from.sin_addr.s_addr, 0);
	sock_close(a);
	sock_close(b);
}

KTEST(what_is_to_be_received_needs_room)
{
	socket_t so = new_socket(PF_INET, SOCK_DGRAM);
	char bytes[8];
	struct iovec iov[2] = {{bytes, sizeof bytes}, {bytes, INT32_MAX}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 0};
	mbuf_t m;
	size_t len = 1;

	CHECK_EQ(sock_receive(so, NULL, 0, NULL), EINVAL);
	CHECK_EQ(sock_receive(so, &msg, 0, NULL), EINVAL);
	msg.msg_iovlen = 2;
	CHECK_EQ(sock_receive(so, &msg, MSG_DONTWAIT, NULL), EINVAL);
	CHECK_EQ(sock_send(so, &msg, 0, &len), EINVAL);
	msg.msg_iovlen = 1;
	iov[0].iov_len = 0;
	CHECK_EQ(sock_receive(so, &msg, 0, NULL), EINVAL);
	iov[0] = (struct iovec){NULL, 8};
	CHECK_EQ(sock_receive(so, &msg, 0, NULL), EINVAL);
	CHECK_EQ(sock_receivembuf(so, NULL, NULL, 0, &len), EINVAL);
	CHECK_EQ(sock_receivembuf(so, NULL, &m, 0, NULL), EINVAL);
	CHECK_EQ(sock_receivembuf(so, &msg, &m, 0, &len), EINVAL);
	len = 0;
	CHECK_EQ(sock_receivembuf(so, NULL, &m, 0, &len), EINVAL);
	len = 1;
	CHECK_EQ(sock_receivembuf(so, NULL, &m, MSG_DONTWAIT, &len), EWOULDBLOCK);
	CHECK(m == NULL);
	so_seterror(so, EHOSTDOWN);
	CHECK_EQ(sock_receivembuf(so, NULL, &m, 0, &len), EHOSTDOWN);
	CHECK_EQ(hear_error(so), EWOULDBLOCK);
	sock_close(so);
}

/* The time of arrival comes with a message whose reader asked for it. */
KTEST(ancillary_data_is_cut_to_the_room_there_is)
{
	struct sockaddr_in to = here(PORT);
	socket_t so = new_socket(PF_INET, SOCK_DGRAM);
	char bytes[8], control[64];
	struct iovec iov = {bytes, sizeof bytes};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr h;
	int on = 1;

	CHECK_EQ(sock_setsockopt(so, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on), 0);
	CHECK_EQ(sock_bind(so, SA(to)), 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(say(so, &to, "time", 0), 0);
	CHECK_EQ(sock_receive(so, &msg, 0, NULL), 0);
	CHECK_EQ(msg.msg_flags, 0);
	msg.msg_control = control;
	msg.msg_controllen = sizeof control;
	CHECK_EQ(sock_receive(so, &msg, 0, NULL), 0);
	memcpy(&h, control, sizeof h);
	CHECK_EQ(h.cmsg_type, SCM_TIMESTAMP);
	CHECK_EQ(msg.msg_controllen, CMSG_SPACE(sizeof(struct timeval)));
	CHECK_EQ(msg.msg_flags, 0);
	msg.msg_controllen = 13;
	CHECK_EQ(sock_receive(so, &msg, 0, NULL), 0);
	CHECK_EQ(msg.msg_controllen, 13);
	CHECK_EQ(msg.msg_flags, MSG_CTRUNC);
	sock_close(so);
}

KTEST(ancillary_data_that_is_sent_has_limits)
{
	struct sockaddr_in to = here(PORT);
	socket_t so = new_socket(PF_INET, SOCK_DGRAM);
	char control[300] = {0};
	struct cmsghdr h = {sizeof control, SOL_SOCKET, 99};
	struct iovec iov = {control, 1};
	struct msghdr msg = {.msg_name = &to, .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control};
	struct msghdr plain = {.msg_control = control};
	mbuf_t m;

	memcpy(control, &h, sizeof h);
	msg.msg_controllen = 11;
	CHECK_EQ(sock_send(so, &msg, 0, NULL), EINVAL);
	msg.msg_controllen = 225;
	CHECK_EQ(sock_send(so, &msg, 0, NULL), EINVAL);
	plain.msg_controllen = 225;
	CHECK_EQ(mbuf_gethdr(MBUF_WAITOK, MBUF_TYPE_DATA, &m), 0);
	CHECK_EQ(sock_sendmbuf(so, &plain, m, 0, NULL), EINVAL);
	/* As long as it may be: taken, and without what UDP does not know. */
	h.cmsg_len = 224;
	memcpy(control, &h, sizeof h);
	msg.msg_controllen = 224;
	CHECK_EQ(sock_send(so, &msg, 0, NULL), 0);
	fail_after(1);
	CHECK_EQ(sock_send(so, &msg, 0, NULL), ENOMEM);
	fail_after(0);
	sock_close(so);
}

KTEST(packets_are_sent_whole_and_consumed)
{
	struct sockaddr_in to = here(PORT);
	struct msghdr msg = {.msg_name = &to};
	struct iovec iov = {&to, 1};
	socket_t a = new_socket(PF_INET, SOCK_DGRAM), b = new_socket(PF_INET, SOCK_DGRAM);
	size_t len = 99;
	char text[4];
	mbuf_t m;

	CHECK_EQ(sock_bind(b, SA(to)), 0);
	CHECK_EQ(sock_sendmbuf(a, NULL, NULL, 0, &len), EINVAL);
	CHECK_EQ(len, 0);
	m = packet("lost");
	CHECK_EQ(sock_sendmbuf(NULL, &msg, m, 0, NULL), EINVAL);
	CHECK_EQ(mbuf_get(MBUF_WAITOK, MBUF_TYPE_DATA, &m), 0);
	CHECK_EQ(sock_sendmbuf(a, &msg, m, 0, NULL), EINVAL);
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	CHECK_EQ(sock_sendmbuf(a, &msg, packet("lost"), 0, NULL), EINVAL);
	msg.msg_iov = NULL;
	msg.msg_iovlen = 0;
	CHECK_EQ(sock_sendmbuf(a, NULL, packet("lost"), 0, NULL), EDESTADDRREQ);
	CHECK_EQ(sock_sendmbuf(a, &msg, packet("a packet"), 0, &len), 0);
	CHECK_EQ(len, 8);
	len = 4;
	CHECK_EQ(sock_receivembuf(b, NULL, &m, 0, &len), 0);
	CHECK_EQ(len, 4);
	CHECK_EQ(mbuf_copydata(m, 0, 4, text), 0);
	CHECK_EQ(memcmp(text, "a pa", 4), 0);
	mbuf_freem(m);
	/* Whatever there is. */
	CHECK_EQ(sock_sendmbuf(a, &msg, packet("a packet"), 0, &len), 0);
	len = SIZE_MAX;
	CHECK_EQ(sock_receivembuf(b, NULL, &m, 0, &len), 0);
	CHECK_EQ(len, 8);
	mbuf_freem(m);
	sock_close(a);
	sock_close(b);
}

/* A stream takes it in one piece or not at all. */
KTEST(a_packet_too_large_for_a_stream_is_refused)
{
	socket_t head = listener(PORT, NULL, NULL), a, b;
	int size = 4000;
	mbuf_t m = NULL;
	unsigned chunks = 0;
	size_t len;

	connect_pair(head, PORT, &a, &b);
	CHECK_EQ(sock_setsockopt(a, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
	CHECK_EQ(mbuf_allocpacket(MBUF_WAITOK, 5000, &chunks, &m), 0);
	mbuf_pkthdr_setlen(m, 5000);
	mbuf_setlen(m, 5000);
	CHECK_EQ(sock_sendmbuf(a, NULL, m, 0, &len), EMSGSIZE);
	CHECK_EQ(sock_sendmbuf(a, NULL, packet("fits"), 0, &len), 0);
	len = 100;
	let_run();
	CHECK_EQ(sock_receivembuf(b, NULL, &m, 0, &len), 0);
	CHECK_EQ(len, 4);
	mbuf_freem(m);
	sock_close(a);
	sock_close(b);
	sock_close(head);
}

/* What went before there was no more room counts as a success. */
KTEST(a_part_that_was_sent_is_a_success)
{
	static char many[200000];
	socket_t head = listener(PORT, NULL, NULL), a, b;
	struct iovec iov = {many, sizeof many};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	size_t len;
	int size = 20000;

	connect_pair(head, PORT, &a, &b);
	CHECK_EQ(sock_setsockopt(a, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
	CHECK_EQ(sock_send(a, &msg, MSG_DONTWAIT, &len), 0);
	CHECK(len > 0 && len < sizeof many);
	while (sock_send(a, &msg, MSG_DONTWAIT, &len) == 0)
		CHECK(len > 0);
	CHECK_EQ(sock_send(a, &msg, MSG_DONTWAIT, &len), EWOULDBLOCK);
	CHECK_EQ(len, 0);
	sock_close(a);
	sock_close(b);
	sock_close(head);
}

KTEST_SUITE(kpi_socket, T(a_socket_is_made_of_what_there_is),
    T(what_is_wrong_with_an_argument_is_said), T(names_are_cut_to_the_room_there_is),
    T(options_and_ioctls_reach_the_socket), T(a_connection_from_end_to_end),
    T(a_connection_can_be_waited_for),
    T(a_socket_can_be_restricted_or_defunct), T(datagrams_bring_their_sender),
    T(what_is_to_be_received_needs_room), T(ancillary_data_is_cut_to_the_room_there_is),
    T(ancillary_data_that_is_sent_has_limits), T(packets_are_sent_whole_and_consumed),
    T(a_packet_too_large_for_a_stream_is_refused), T(a_part_that_was_sent_is_a_success));
