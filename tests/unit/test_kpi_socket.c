/*
 * kpi/kpi_socket.c and src/kern/uipc_kext.c: sockets of kexts, over lo0, by the functions that kexts have.
 * Every error that the interface states is got here.
 */
#include <kern/thread.h>
#include <netinet/kpi_ipfilter.h>
#include <sys/ioctl.h>
#include <sys/kpi_socket.h>
#include <sys/proc.h>
#include <sys/systm.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "src/kern/kext.h"
#include "src/kern/socket_private.h"
#include "tests/unit/inet_testing.h"

#define PORT	7000
#define NAME(ss)	((struct sockaddr *)(void *)(ss))

/* ---- in short ----------------------------------------------------------------------------- */

static struct sockaddr_in
here(uint16_t port)
{
	return sin4(LOOP4, port);
}

static const struct sockaddr *
local_name(const char *path)
{
	static struct sockaddr_un sun;

	memset(&sun, 0, sizeof sun);
	sun.sun_len = (uint8_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
	sun.sun_family = AF_LOCAL;
	memcpy(sun.sun_path, path, strlen(path));
	return (const struct sockaddr *)(const void *)&sun;
}

static socket_t
new_socket(int domain, int type)
{
	socket_t so = NULL;

	CHECK_EQ(sock_socket(domain, type, 0, NULL, NULL, &so), 0);
	return so;
}

static errno_t
say(socket_t so, const struct sockaddr_in *to, const char *text, int flags)
{
	struct iovec iov = {(void *)(uintptr_t)text, strlen(text)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	size_t len = 99;
	errno_t error;

	if (to != NULL) {
		msg.msg_name = (void *)(uintptr_t)to;
		msg.msg_namelen = sizeof *to;
	}
	error = sock_send(so, &msg, flags, &len);
	CHECK_EQ(len, error == 0 ? strlen(text) : 0);
	return error;
}

static mbuf_t
packet(const char *text)
{
	mbuf_t m = NULL;

	CHECK_EQ(mbuf_gethdr(MBUF_WAITOK, MBUF_TYPE_DATA, &m), 0);
	CHECK_EQ(mbuf_copyback(m, 0, strlen(text), text, MBUF_WAITOK), 0);
	return m;
}

/* What comes next, as text; waits for it. */
static const char *
hear(socket_t so)
{
	static char text[256];
	struct iovec iov = {text, sizeof text - 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	size_t len = 0;

	CHECK_EQ(sock_receive(so, &msg, 0, &len), 0);
	text[len] = '\0';
	return text;
}

static errno_t
hear_error(socket_t so)
{
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	return sock_receive(so, &msg, MSG_DONTWAIT, NULL);
}

static socket_t
listener(uint16_t port, sock_upcall upcall, void *cookie)
{
	struct sockaddr_in name = here(port);
	socket_t so;

	CHECK_EQ(sock_socket(PF_INET, SOCK_STREAM, IPPROTO_TCP, upcall, cookie, &so), 0);
	CHECK_EQ(sock_bind(so, SA(name)), 0);
	CHECK_EQ(sock_listen(so, 5), 0);
	return so;
}

static void
connect_pair(socket_t head, uint16_t port, socket_t *a, socket_t *b)
{
	struct sockaddr_in name = here(port);

	*a = new_socket(PF_INET, SOCK_STREAM);
	CHECK_EQ(sock_connect(*a, SA(name), 0), 0);
	CHECK_EQ(sock_accept(head, NULL, 0, 0, NULL, NULL, b), 0);
}

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

/* ---- upcalls ------------------------------------------------------------------------------ */

struct called {
	unsigned count;
	socket_t so;
	int waitf;
	bool closes, sleeps;
	unsigned inside;
};

static void
upcall(socket_t so, void *cookie, int waitf)
{
	struct called *c = cookie;

	c->count++;
	c->so = so;
	c->waitf = waitf;
	c->inside++;
	if (c->sleeps)
		let_pass(50 * 1000 * 1000);
	if (c->closes)
		sock_close(so);
	c->inside--;
}

/* How often it was called since the last time. */
static unsigned
calls(struct called *c)
{
	unsigned n;

	let_run();
	n = c->count;
	c->count = 0;
	return n;
}

KTEST(an_upcall_tells_of_connections_data_and_ends)
{
	struct sockaddr_in name = here(PORT);
	struct called at_head = {0}, at_a = {0}, at_b = {0};
	socket_t head = listener(PORT, upcall, &at_head), a, b;

	CHECK_EQ(sock_socket(PF_INET, SOCK_STREAM, 0, upcall, &at_a, &a), 0);
	CHECK_EQ(calls(&at_head) + calls(&at_a), 0);
	CHECK_EQ(sock_connect(a, SA(name), MSG_DONTWAIT), EINPROGRESS);
	CHECK_EQ(calls(&at_a), 1);
	CHECK(at_a.so == a && at_a.waitf == MBUF_DONTWAIT);
	CHECK_EQ(calls(&at_head), 1);
	CHECK_EQ(sock_accept(head, NULL, 0, MSG_DONTWAIT, upcall, &at_b, &b), 0);
	CHECK_EQ(say(a, NULL, "data", 0), 0);
	CHECK_EQ(calls(&at_b), 1);
	/* Space in the send buffer is nothing to a kext: only receiving has the upcall. */
	CHECK_EQ(calls(&at_a), 0);
	CHECK_STR(hear(b), "data");
	CHECK_EQ(sock_shutdown(a, SHUT_WR), 0);
	CHECK(calls(&at_b) != 0);
	CHECK_EQ(calls(&at_a), 0);
	CHECK_EQ(sock_shutdown(b, SHUT_RDWR), ENOTCONN);
	CHECK_EQ(sock_shutdown(b, SHUT_WR), 0);
	CHECK(calls(&at_a) != 0);
	CHECK(calls(&at_b) != 0);
	sock_close(a);
	sock_close(b);
	sock_close(head);
	CHECK_EQ(calls(&at_a) + calls(&at_b) + calls(&at_head), 0);
}

KTEST(an_upcall_may_close_its_socket)
{
	struct sockaddr_in name = here(PORT);
	struct called c = {.closes = true};
	socket_t so, other = new_socket(PF_INET, SOCK_DGRAM);
	int before = curmachine()->sockets->count;

	CHECK_EQ(sock_socket(PF_INET, SOCK_DGRAM, 0, upcall, &c, &so), 0);
	CHECK_EQ(sock_bind(so, SA(name)), 0);
	CHECK_EQ(say(other, &name, "bye", 0), 0);
	CHECK_EQ(calls(&c), 1);
	CHECK_EQ(curmachine()->sockets->count, before);
	/* The same of a connection, by the peer's end. */
	{
		socket_t head = listener(PORT, NULL, NULL), a, b;

		CHECK_EQ(sock_socket(PF_INET, SOCK_STREAM, 0, upcall, &c, &a), 0);
		c.closes = false;
		CHECK_EQ(sock_connect(a, SA(name), 0), 0);
		CHECK_EQ(sock_accept(head, NULL, 0, 0, NULL, NULL, &b), 0);
		c.closes = true;
		c.count = 0;
		CHECK_EQ(say(b, NULL, "bye", 0), 0);
		CHECK_EQ(calls(&c), 1);
		sock_close(b);
		sock_close(head);
	}
	/* And a local one's, in the thread of who sends. */
	{
		socket_t a = new_socket(PF_LOCAL, SOCK_DGRAM);

		CHECK_EQ(sock_socket(PF_LOCAL, SOCK_DGRAM, 0, upcall, &c, &so), 0);
		CHECK_EQ(sock_bind(so, local_name("/upcall")), 0);
		CHECK_EQ(sock_connect(a, local_name("/upcall"), 0), 0);
		CHECK_EQ(say(a, NULL, "bye", 0), 0);
		CHECK_EQ(calls(&c), 1);
		sock_close(a);
	}
	sock_close(other);
}

static bool closed;

static void
close_it(void *so, wait_result_t why)
{
	(void)why;
	sock_close(so);
	closed = true;
}

static void
send_it(void *so, wait_result_t why)
{
	struct sockaddr_in name = here(PORT);

	(void)why;
	CHECK_EQ(say(so, &name, "x", 0), 0);
}

/* One thread is in the upcall, another closes: it waits for the first only if told so. */
static void
close_during_upcall(bool wait)
{
	struct sockaddr_in name = here(PORT);
	struct called c = {.sleeps = true};
	socket_t so, other = new_socket(PF_INET, SOCK_DGRAM);
	thread_t sender, closer;
	int on = 1;

	CHECK_EQ(sock_socket(PF_INET, SOCK_DGRAM, 0, upcall, &c, &so), 0);
	if (wait)
		CHECK_EQ(sock_setsockopt(so, SOL_SOCKET, SO_UPCALLCLOSEWAIT, &on, sizeof on), 0);
	CHECK_EQ(sock_bind(so, SA(name)), 0);
	closed = false;
	CHECK_EQ(kernel_thread_start(send_it, other, &sender), KERN_SUCCESS);
	let_run();
	CHECK_EQ(c.inside, 1);
	CHECK_EQ(kernel_thread_start(close_it, so, &closer), KERN_SUCCESS);
	let_run();
	CHECK_EQ(closed, !wait);
	CHECK_EQ(c.inside, 1);
	let_pass(100 * 1000 * 1000);
	CHECK(closed);
	CHECK_EQ(c.inside, 0);
	sock_close(other);
	thread_deallocate(sender);
	thread_deallocate(closer);
}

KTEST(closing_waits_for_upcalls_when_told_so)
{
	close_during_upcall(false);
	close_during_upcall(true);
}

/* On a Mac the thread would wait for itself. */
KTEST(an_upcall_does_not_wait_for_itself)
{
	struct sockaddr_in name = here(PORT);
	struct called c = {.closes = true};
	socket_t so, other = new_socket(PF_INET, SOCK_DGRAM);
	int on = 1;

	CHECK_EQ(sock_socket(PF_INET, SOCK_DGRAM, 0, upcall, &c, &so), 0);
	CHECK_EQ(sock_setsockopt(so, SOL_SOCKET, SO_UPCALLCLOSEWAIT, &on, sizeof on), 0);
	CHECK_EQ(sock_bind(so, SA(name)), 0);
	CHECK_EQ(say(other, &name, "bye", 0), 0);
	CHECK_EQ(calls(&c), 1);
	sock_close(other);
}

/* ---- from wherever kext code runs ---------------------------------------------------------- */

/* Accepts one connection and sends back what comes, waiting for everything. */
static void
serve(void *head, wait_result_t why)
{
	const char *text;
	socket_t so;

	(void)why;
	CHECK_EQ(sock_accept(head, NULL, 0, 0, NULL, NULL, &so), 0);
	while (*(text = hear(so)) != '\0')
		CHECK_EQ(say(so, NULL, text, 0), 0);
	sock_close(so);
	sock_close(head);
}

KTEST(kernel_threads_wait_in_sockets)
{
	struct sockaddr_in name = here(PORT);
	socket_t so = new_socket(PF_INET, SOCK_STREAM);
	thread_t t;

	CHECK_EQ(kernel_thread_start(serve, listener(PORT, NULL, NULL), &t), KERN_SUCCESS);
	let_run();
	CHECK_EQ(sock_connect(so, SA(name), 0), 0);
	CHECK_EQ(say(so, NULL, "one", 0), 0);
	CHECK_STR(hear(so), "one");
	CHECK_EQ(say(so, NULL, "two", 0), 0);
	CHECK_STR(hear(so), "two");
	sock_close(so);
	let_run();
	thread_deallocate(t);
}

static void
send_in_time(void *so)
{
	struct sockaddr_in name = here(PORT);

	CHECK_EQ(say(so, &name, "in time", MSG_DONTWAIT), 0);
}

static socket_t reporter;

/* Tells of every packet but its own reports, from the middle of IP's input. */
static errno_t
report_packet(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	struct sockaddr_in name = here(PORT + 1);
	struct udphdr uh;

	(void)cookie;
	if (protocol == IPPROTO_UDP && mbuf_copydata(*data, (size_t)offset, sizeof uh, &uh) == 0 &&
	    uh.uh_dport != htons(PORT + 1))
		CHECK_EQ(say(reporter, &name, "a packet", MSG_DONTWAIT), 0);
	return 0;
}

KTEST(timeouts_and_filters_send)
{
	struct ipf_filter f = {.name = "reporter", .ipf_input = report_packet};
	struct sockaddr_in name = here(PORT), report_name = here(PORT + 1);
	socket_t so = new_socket(PF_INET, SOCK_DGRAM), reports = new_socket(PF_INET, SOCK_DGRAM);
	struct timespec soon = {0, 5000000};
	ipfilter_t filter;

	reporter = new_socket(PF_INET, SOCK_DGRAM);
	CHECK_EQ(sock_bind(so, SA(name)), 0);
	CHECK_EQ(sock_bind(reports, SA(report_name)), 0);
	CHECK_EQ(ipf_addv4(&f, &filter), 0);
	bsd_timeout(send_in_time, reporter, &soon);
	/* Waits until the time has come. */
	CHECK_STR(hear(so), "in time");
	CHECK_STR(hear(reports), "a packet");
	CHECK_EQ(hear_error(reports), EWOULDBLOCK);
	CHECK_EQ(ipf_remove(filter), 0);
	sock_close(so);
	sock_close(reports);
	sock_close(reporter);
}

/* ---- keeping and closing ------------------------------------------------------------------ */

KTEST(a_retained_socket_closes_with_the_last_release)
{
	struct sockaddr_in name = here(PORT);
	socket_t so = new_socket(PF_INET, SOCK_DGRAM), other = new_socket(PF_INET, SOCK_DGRAM);
	int before = curmachine()->sockets->count;

	CHECK_EQ(sock_bind(so, SA(name)), 0);
	sock_retain(so);
	sock_retain(so);
	sock_close(so);
	CHECK_EQ(sock_bind(other, SA(name)), EADDRINUSE);
	sock_release(so);
	CHECK_EQ(sock_bind(other, SA(name)), EADDRINUSE);
	CHECK_EQ(say(other, &name, "still there", 0), 0);
	CHECK_STR(hear(so), "still there");
	sock_release(so);
	CHECK_EQ(curmachine()->sockets->count, before - 1);
	/* Retaining and releasing an open one does nothing. */
	sock_retain(other);
	sock_release(other);
	CHECK_EQ(say(other, &name, "open", 0), 0);
	sock_close(other);
}

KTEST_PANICS(one_release_too_many_panics, "which is not retained")
{
	sock_release(new_socket(PF_INET, SOCK_DGRAM));
}

static errno_t sleeper_got;

static void
sleep_in(void *so, wait_result_t why)
{
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	(void)why;
	sleeper_got = sock_receive(so, &msg, 0, NULL);
}

KTEST(who_sleeps_in_a_socket_that_is_closed_leaves)
{
	socket_t so = new_socket(PF_INET, SOCK_DGRAM);
	thread_t t;

	sleeper_got = 0;
	CHECK_EQ(kernel_thread_start(sleep_in, so, &t), KERN_SUCCESS);
	let_run();
	CHECK_EQ(sleeper_got, 0);
	sock_close(so);
	let_run();
	CHECK_EQ(sleeper_got, EBADF);
	thread_deallocate(t);
}

/* ---- whose they are ----------------------------------------------------------------------- */

static socket_t left_behind;
static char report[4096];

static int
start_and_leave(void *kmod, void *data)
{
	(void)kmod;
	CHECK_EQ(sock_socket(PF_INET, SOCK_DGRAM, 0, upcall, NULL, &left_behind), 0);
	return data == NULL ? KERN_SUCCESS : KERN_FAILURE;
}

static int
start_badly(void *kmod, void *data)
{
	(void)data;
	(void)start_and_leave(kmod, NULL);
	sock_retain(left_behind);
	return KERN_FAILURE;
}

static errno_t
load(int (*start)(void *, void *), struct kext **kext)
{
	struct kext_params params = {.identifier = "org.example.socket", .version = "1.0", .start = start};
	struct kext_text text = {report, sizeof report};

	return kext_load(curmachine(), &params, kext, &text);
}

KTEST(a_socket_that_a_kext_leaves_is_named)
{
	struct kext_text text = {report, sizeof report};
	struct kext *kext;
	unsigned leaks;

	CHECK_EQ(load(start_and_leave, &kext), 0);
	CHECK_EQ(kext->owned_count[LEDGER_SOCKET], 1);
	CHECK_EQ(kext_unload(curmachine(), kext, &leaks, &text), EBUSY);
	CHECK(strnstr(report, "(internet, type 2, protocol 17)", sizeof report) != NULL);
	sock_close(left_behind);
	CHECK_EQ(kext->owned_count[LEDGER_SOCKET], 0);
	CHECK_EQ(kext_unload(curmachine(), kext, &leaks, &text), 0);
	CHECK_EQ(leaks, 0);
}

KTEST(a_kext_that_does_not_start_keeps_no_socket)
{
	int before = curmachine()->sockets->count;
	struct kext *kext;

	CHECK_EQ(load(start_badly, &kext), EIO);
	CHECK(kext == NULL);
	CHECK_EQ(curmachine()->sockets->count, before);
}

/* ---- without memory ----------------------------------------------------------------------- */

static errno_t
whole_life(void)
{
	struct sockaddr_in name = here(PORT), from;
	struct called c = {0};
	socket_t a = NULL, b = NULL;
	struct iovec iov = {&from, 4};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_name = &name};
	size_t len = 4;
	mbuf_t m = NULL;
	errno_t error = sock_socket(PF_INET, SOCK_DGRAM, 0, upcall, &c, &a);

	if (error == 0)
		error = sock_socket(PF_INET, SOCK_DGRAM, 0, upcall, &c, &b);
	if (error == 0) {
		sock_retain(a);
		error = sock_bind(a, SA(name));
		if (error == 0)
			error = sock_send(b, &msg, 0, NULL);
		let_run();
		if (error == 0)
			error = sock_receivembuf(a, NULL, &m, MSG_DONTWAIT, &len);
		mbuf_freem(m);
		sock_release(a);
	}
	sock_close(a);
	sock_close(b);
	return error;
}

KTEST(without_memory_nothing_is_left)
{
	unsigned n, failed = 0;

	CHECK_EQ(whole_life(), 0);
	for (n = 1; n < 60; n++) {
		int before = curmachine()->sockets->count;
		errno_t error;

		fail_after(n);
		error = whole_life();
		fail_after(0);
		CHECK_EQ(curmachine()->sockets->count, before);
		/* A datagram that there was no memory for is lost, which is no error of the sender's. */
		CHECK(error == 0 || error == ENOMEM || error == ENOBUFS || error == EWOULDBLOCK);
		failed += error != 0;
	}
	CHECK(failed >= 5);
}

KTEST_SUITE(kpi_socket, T(a_socket_is_made_of_what_there_is), T(what_is_wrong_with_an_argument_is_said),
    T(names_are_cut_to_the_room_there_is), T(options_and_ioctls_reach_the_socket),
    T(a_connection_from_end_to_end), T(a_socket_can_be_restricted_or_defunct),
    T(datagrams_bring_their_sender), T(what_is_to_be_received_needs_room),
    T(ancillary_data_is_cut_to_the_room_there_is), T(ancillary_data_that_is_sent_has_limits),
    T(packets_are_sent_whole_and_consumed), T(a_packet_too_large_for_a_stream_is_refused),
    T(a_part_that_was_sent_is_a_success), T(an_upcall_tells_of_connections_data_and_ends),
    T(an_upcall_may_close_its_socket), T(closing_waits_for_upcalls_when_told_so),
    T(an_upcall_does_not_wait_for_itself), T(kernel_threads_wait_in_sockets), T(timeouts_and_filters_send), T(a_retained_socket_closes_with_the_last_release),
    T(one_release_too_many_panics), T(who_sleeps_in_a_socket_that_is_closed_leaves),
    T(a_socket_that_a_kext_leaves_is_named), T(a_kext_that_does_not_start_keeps_no_socket),
    T(without_memory_nothing_is_left));
