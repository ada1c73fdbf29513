/* What the tests of kexts' sockets share: sockets on lo0 in short, by the functions that kexts have. */
#ifndef NKE_TESTS_KPI_SOCK_TESTING_H
#define NKE_TESTS_KPI_SOCK_TESTING_H

#include <sys/kpi_socket.h>
#include <sys/uio.h>

#include "src/kern/socket_private.h"
#include "tests/unit/inet_testing.h"

#define PORT	7000
#define NAME(ss)	((struct sockaddr *)(void *)(ss))

static inline struct sockaddr_in
here(uint16_t port)
{
	return sin4(LOOP4, port);
}

static inline socket_t
new_socket(int domain, int type)
{
	socket_t so = NULL;

	CHECK_EQ(sock_socket(domain, type, 0, NULL, NULL, &so), 0);
	return so;
}

static inline errno_t
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

static inline mbuf_t
packet(const char *text)
{
	mbuf_t m = NULL;

	CHECK_EQ(mbuf_gethdr(MBUF_WAITOK, MBUF_TYPE_DATA, &m), 0);
	CHECK_EQ(mbuf_copyback(m, 0, strlen(text), text, MBUF_WAITOK), 0);
	return m;
}

/* What comes next, as text; waits for it. */
static inline const char *
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

static inline errno_t
hear_error(socket_t so)
{
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	return sock_receive(so, &msg, MSG_DONTWAIT, NULL);
}

static inline socket_t
listener(uint16_t port, sock_upcall upcall, void *cookie)
{
	struct sockaddr_in name = here(port);
	socket_t so;

	CHECK_EQ(sock_socket(PF_INET, SOCK_STREAM, IPPROTO_TCP, upcall, cookie, &so), 0);
	CHECK_EQ(sock_bind(so, SA(name)), 0);
	CHECK_EQ(sock_listen(so, 5), 0);
	return so;
}

static inline void
connect_pair(socket_t head, uint16_t port, socket_t *a, socket_t *b)
{
	struct sockaddr_in name = here(port);

	*a = new_socket(PF_INET, SOCK_STREAM);
	CHECK_EQ(sock_connect(*a, SA(name), 0), 0);
	CHECK_EQ(sock_accept(head, NULL, 0, 0, NULL, NULL, b), 0);
}

#endif
