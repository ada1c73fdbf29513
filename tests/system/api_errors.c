/*
 * Every argument wrong in every way: what the functions of include/nke answer, which is what BSD
 * answers. Each line is a call and its errno; all of them are tried before the test fails, with the
 * line named.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <nke/route.h>
#include <nke/socket.h>
#include <nke/sysctl.h>
#include <nke/wire.h>

#define SECOND	UINT64_C(1000000000)

static struct {
	nke_t *m;
	nke_iface_t *en0, *raw;		/* Ethernet; packets without link header */
	nke_t *other;			/* of another world */
	nke_iface_t *other_en0;
	unsigned wrong;
} lab;

/* ---- the table's columns ------------------------------------------------------------------ */

static void
compare(int line, const char *call, int got, int expected)
{
	if (got == expected)
		return;
	print_error("%s:%d: %s: %d, %s; expected %d, %s\n", __FILE__, line, call, got, strerror(got),
	    expected, strerror(expected));
	lab.wrong++;
}

/* Of functions that return -1 with errno. */
#define FAILS(error, call) do {						\
	long result_ = (errno = 0, (long)(call));			\
	compare(__LINE__, #call, result_ == -1 ? errno : 0, error);	\
} while (0)
#define WORKS(call)	FAILS(0, call)
/* Of functions that return an errno. */
#define GIVES(error, call)	compare(__LINE__, #call, (call), error)

static void
end_of_table(void)
{
	unsigned wrong = lab.wrong;

	lab.wrong = 0;
	assert_int_equal(wrong, 0);
}

/* ---- addresses ---------------------------------------------------------------------------- */

static struct sockaddr_in
in4(const char *text, uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};

	assert_int_equal(inet_pton(AF_INET, text, &sin.sin_addr), 1);
	return sin;
}

static struct sockaddr_in6
in6(const char *text, uint16_t port)
{
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	assert_int_equal(inet_pton(AF_INET6, text, &sin6.sin6_addr), 1);
	return sin6;
}

#define IN4(text, port)	\
	(struct sockaddr *)&(struct sockaddr_in []){in4(text, port)}[0], sizeof(struct sockaddr_in)
#define IN6(text, port)	\
	(struct sockaddr *)&(struct sockaddr_in6 []){in6(text, port)}[0], sizeof(struct sockaddr_in6)
#define UN(path)	(struct sockaddr *)&(struct sockaddr_un){AF_LOCAL, path}, sizeof(struct sockaddr_un)
#define FAMILY(f)	(struct sockaddr *)&(struct sockaddr_storage){.ss_family = (f)}

static int
make(int domain, int type, int protocol)
{
	int s = nke_socket(lab.m, domain, type | SOCK_NONBLOCK, protocol);

	assert_true(s >= 0);
	return s;
}

static int
set_up(void **state)
{
	struct nke_iface_config en0 = {.name = "en0", .lladdr = {2, 0, 0, 0, 0, 1}};
	struct nke_iface_config raw = {.name = "utun0", .media = NKE_MEDIA_RAW};

	(void)state;
	assert_int_equal(nke_create(NULL, &lab.m), 0);
	assert_int_equal(nke_create(NULL, &lab.other), 0);
	assert_int_equal(nke_iface_create(lab.m, &en0, &lab.en0), 0);
	assert_int_equal(nke_iface_create(lab.m, &raw, &lab.raw), 0);
	assert_int_equal(nke_iface_create(lab.other, &en0, &lab.other_en0), 0);
	assert_int_equal(nke_iface_add_address(lab.en0, IN4("10.0.0.1", 0), 24), 0);
	assert_int_equal(nke_iface_add_address(lab.en0, IN6("2001:db8::1", 0), 64), 0);
	assert_int_equal(nke_run_for(lab.m, 10 * SECOND), 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (int s = 0; s < 256; s++)
		(void)nke_close(lab.m, s);
	nke_destroy(lab.m);
	nke_destroy(lab.other);
	return 0;
}

/* ---- sockets ------------------------------------------------------------------------------ */

static void
making_sockets(void **state)
{
	int pair[2];

	(void)state;
	FAILS(EAFNOSUPPORT, nke_socket(lab.m, 12345, SOCK_DGRAM, 0));
	FAILS(EAFNOSUPPORT, nke_socket(lab.m, -1, SOCK_DGRAM, 0));
	FAILS(EAFNOSUPPORT, nke_socket(lab.m, AF_UNSPEC, SOCK_DGRAM, 0));
	FAILS(EPROTONOSUPPORT, nke_socket(lab.m, AF_INET, SOCK_DGRAM, 250));
	FAILS(EPROTONOSUPPORT, nke_socket(lab.m, AF_INET6, SOCK_DGRAM, 250));
	FAILS(EPROTONOSUPPORT, nke_socket(lab.m, AF_INET, SOCK_SEQPACKET, 0));
	FAILS(EPROTONOSUPPORT, nke_socket(lab.m, AF_INET, 77, 0));
	FAILS(EPROTOTYPE, nke_socket(lab.m, AF_INET, SOCK_STREAM, IPPROTO_UDP));
	FAILS(EPROTONOSUPPORT, nke_socket(lab.m, AF_LOCAL, SOCK_RAW, 0));
	FAILS(EAFNOSUPPORT, nke_socketpair(lab.m, 12345, SOCK_STREAM, 0, pair));
	FAILS(EOPNOTSUPP, nke_socketpair(lab.m, AF_INET, SOCK_DGRAM, 0, pair));
	FAILS(EOPNOTSUPP, nke_socketpair(lab.m, AF_INET6, SOCK_DGRAM, 0, pair));
	FAILS(EPROTONOSUPPORT, nke_socketpair(lab.m, AF_LOCAL, 77, 0, pair));
	end_of_table();
}

static void
bad_descriptor(int s)
{
	struct pollfd fd = {.fd = s, .events = POLLIN};
	struct iovec iov = {.iov_base = &fd, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	int on = 1;

	FAILS(EBADF, nke_close(lab.m, s));
	FAILS(EBADF, nke_dup(lab.m, s));
	FAILS(EBADF, nke_bind(lab.m, s, IN4("0.0.0.0", 0)));
	FAILS(EBADF, nke_connect(lab.m, s, IN4("10.0.0.9", 7)));
	FAILS(EBADF, nke_listen(lab.m, s, 1));
	FAILS(EBADF, nke_accept(lab.m, s, (struct sockaddr *)&ss, &len));
	FAILS(EBADF, nke_shutdown(lab.m, s, SHUT_RD));
	FAILS(EBADF, nke_getsockname(lab.m, s, (struct sockaddr *)&ss, &len));
	FAILS(EBADF, nke_getpeername(lab.m, s, (struct sockaddr *)&ss, &len));
	FAILS(EBADF, nke_send(lab.m, s, "x", 1, 0));
	FAILS(EBADF, nke_sendto(lab.m, s, "x", 1, 0, IN4("10.0.0.9", 7)));
	FAILS(EBADF, nke_sendmsg(lab.m, s, &msg, 0));
	FAILS(EBADF, nke_write(lab.m, s, "x", 1));
	FAILS(EBADF, nke_recv(lab.m, s, &ss, sizeof ss, 0));
	FAILS(EBADF, nke_recvfrom(lab.m, s, &ss, sizeof ss, 0, NULL, NULL));
	FAILS(EBADF, nke_recvmsg(lab.m, s, &msg, 0));
	FAILS(EBADF, nke_read(lab.m, s, &ss, sizeof ss));
	FAILS(EBADF, nke_setsockopt(lab.m, s, SOL_SOCKET, SO_BROADCAST, &on, sizeof on));
	FAILS(EBADF, nke_getsockopt(lab.m, s, SOL_SOCKET, SO_BROADCAST, &on, &len));
	FAILS(EBADF, nke_darwin_setsockopt(lab.m, s, 0xffff, 4, &on, sizeof on));
	FAILS(EBADF, nke_darwin_getsockopt(lab.m, s, 0xffff, 4, &on, &len));
	FAILS(EBADF, nke_set_nonblocking(lab.m, s, true));
	FAILS(EBADF, nke_readable_bytes(lab.m, s));
	FAILS(EBADF, nke_watch(lab.m, s, POLLIN, NULL));
	/* Negative ones are left out, others told: poll(2). */
	compare(__LINE__, "poll", nke_poll(lab.m, &fd, 1, 0), s < 0 ? 0 : 1);
	compare(__LINE__, "revents", fd.revents, s < 0 ? 0 : POLLNVAL);
}

static void
descriptors(void **state)
{
	int s = make(AF_INET, SOCK_DGRAM, 0);

	(void)state;
	bad_descriptor(-1);
	bad_descriptor(INT_MIN);
	bad_descriptor(0);
	bad_descriptor(2);
	bad_descriptor(9999);
	bad_descriptor(INT_MAX);
	WORKS(nke_close(lab.m, s));
	bad_descriptor(s);
	end_of_table();
}

static void
binding(void **state)
{
	int u = make(AF_INET, SOCK_DGRAM, 0), v = make(AF_INET, SOCK_DGRAM, 0);
	int six = make(AF_INET6, SOCK_DGRAM, 0);
	int local = make(AF_LOCAL, SOCK_STREAM, 0), l2 = make(AF_LOCAL, SOCK_STREAM, 0);
	const int on = 1;

	(void)state;
	FAILS(EINVAL, nke_bind(lab.m, u, FAMILY(AF_INET), 0));
	FAILS(EINVAL, nke_bind(lab.m, u, FAMILY(AF_INET), 1));
	FAILS(EINVAL, nke_bind(lab.m, u, FAMILY(AF_INET), sizeof(struct sockaddr_in) - 1));
	FAILS(EAFNOSUPPORT, nke_bind(lab.m, u, IN6("2001:db8::1", 0)));
	FAILS(EAFNOSUPPORT, nke_bind(lab.m, u, FAMILY(12345), 16));
	FAILS(EADDRNOTAVAIL, nke_bind(lab.m, u, IN4("10.9.9.9", 0)));
	FAILS(EADDRNOTAVAIL, nke_bind(lab.m, u, IN4("10.0.0.9", 0)));
	WORKS(nke_bind(lab.m, u, IN4("10.0.0.1", 2000)));
	FAILS(EINVAL, nke_bind(lab.m, u, IN4("10.0.0.1", 2001)));
	FAILS(EADDRINUSE, nke_bind(lab.m, v, IN4("10.0.0.1", 2000)));
	FAILS(EADDRINUSE, nke_bind(lab.m, v, IN4("0.0.0.0", 2000)));
	FAILS(EINVAL, nke_bind(lab.m, six, FAMILY(AF_INET6), sizeof(struct sockaddr_in6) - 1));
	FAILS(EAFNOSUPPORT, nke_bind(lab.m, six, IN4("10.0.0.1", 0)));
	FAILS(EADDRNOTAVAIL, nke_bind(lab.m, six, IN6("2001:db8::99", 0)));
	WORKS(nke_setsockopt(lab.m, six, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));
	FAILS(EADDRNOTAVAIL, nke_bind(lab.m, six, IN6("fe80::77", 0)));
	FAILS(EADDRNOTAVAIL, nke_bind(lab.m, six, IN6("::ffff:10.0.0.1", 0)));
	FAILS(EINVAL, nke_bind(lab.m, local, FAMILY(AF_LOCAL), sizeof(sa_family_t)));
	FAILS(EAFNOSUPPORT, nke_bind(lab.m, local, IN4("10.0.0.1", 0)));
	WORKS(nke_bind(lab.m, local, UN("/tmp/name")));
	FAILS(EINVAL, nke_bind(lab.m, local, UN("/tmp/name2")));
	FAILS(EADDRINUSE, nke_bind(lab.m, l2, UN("/tmp/name")));
	end_of_table();
}

static void
connecting(void **state)
{
	int u = make(AF_INET, SOCK_DGRAM, 0), six = make(AF_INET6, SOCK_DGRAM, 0);
	int local = make(AF_LOCAL, SOCK_STREAM, 0), quiet = make(AF_LOCAL, SOCK_STREAM, 0);
	int d = make(AF_LOCAL, SOCK_DGRAM, 0), route = make(NKE_AF_ROUTE, SOCK_RAW, 0);
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;

	(void)state;
	FAILS(EINVAL, nke_connect(lab.m, u, FAMILY(AF_INET), 3));
	FAILS(EAFNOSUPPORT, nke_connect(lab.m, u, IN6("2001:db8::9", 7)));
	FAILS(EADDRNOTAVAIL, nke_connect(lab.m, u, IN4("10.0.0.9", 0)));
	FAILS(ENETUNREACH, nke_connect(lab.m, u, IN4("10.9.9.9", 7)));
	WORKS(nke_connect(lab.m, u, IN4("10.0.0.9", 7)));
	WORKS(nke_connect(lab.m, u, IN4("10.0.0.8", 7)));
	FAILS(EISCONN, nke_sendto(lab.m, u, "x", 1, 0, IN4("10.0.0.9", 7)));
	/* It ends the connection all the same. */
	FAILS(EAFNOSUPPORT, nke_connect(lab.m, u, FAMILY(AF_UNSPEC), 16));
	FAILS(ENOTCONN, nke_getpeername(lab.m, u, (struct sockaddr *)&ss, &len));
	FAILS(EINVAL, nke_connect(lab.m, six, FAMILY(AF_INET6), 8));
	FAILS(EADDRNOTAVAIL, nke_connect(lab.m, six, IN6("2001:db8::9", 0)));
	FAILS(EAFNOSUPPORT, nke_connect(lab.m, six, IN4("10.0.0.9", 7)));
	FAILS(ENOENT, nke_connect(lab.m, local, UN("/tmp/nobody")));
	WORKS(nke_bind(lab.m, quiet, UN("/tmp/quiet")));
	FAILS(ECONNREFUSED, nke_connect(lab.m, local, UN("/tmp/quiet")));
	FAILS(EPROTOTYPE, nke_connect(lab.m, d, UN("/tmp/quiet")));
	FAILS(EINVAL, nke_connect(lab.m, local, FAMILY(AF_LOCAL), sizeof(sa_family_t)));
	FAILS(ENOENT, nke_connect(lab.m, quiet, UN("/tmp/nobody")));
	FAILS(EISCONN, nke_connect(lab.m, route, IN4("10.0.0.9", 7)));
	end_of_table();
}

static void
listening_and_closing(void **state)
{
	int u = make(AF_INET, SOCK_DGRAM, 0), local = make(AF_LOCAL, SOCK_STREAM, 0);
	int server = make(AF_LOCAL, SOCK_STREAM, 0);
	int d = make(AF_LOCAL, SOCK_DGRAM, 0), pair[2];
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;

	(void)state;
	FAILS(EOPNOTSUPP, nke_listen(lab.m, u, 5));
	FAILS(EOPNOTSUPP, nke_listen(lab.m, d, 5));
	FAILS(EINVAL, nke_listen(lab.m, local, 5));
	FAILS(EOPNOTSUPP, nke_accept(lab.m, u, (struct sockaddr *)&ss, &len));
	FAILS(EINVAL, nke_accept(lab.m, local, (struct sockaddr *)&ss, &len));
	WORKS(nke_bind(lab.m, server, UN("/tmp/server")));
	WORKS(nke_listen(lab.m, server, 1));
	FAILS(EWOULDBLOCK, nke_accept(lab.m, server, (struct sockaddr *)&ss, &len));
	FAILS(ENOTCONN, nke_recv(lab.m, server, &ss, sizeof ss, 0));
	FAILS(ENOTCONN, nke_send(lab.m, server, "x", 1, 0));
	WORKS(nke_connect(lab.m, local, UN("/tmp/server")));
	FAILS(EISCONN, nke_connect(lab.m, local, UN("/tmp/server")));
	FAILS(ENOTCONN, nke_shutdown(lab.m, u, SHUT_RDWR));
	WORKS(nke_socketpair(lab.m, AF_LOCAL, SOCK_STREAM, 0, pair));
	FAILS(EINVAL, nke_shutdown(lab.m, pair[0], -1));
	FAILS(EINVAL, nke_shutdown(lab.m, pair[0], 3));
	FAILS(EINVAL, nke_listen(lab.m, pair[0], 1));
	WORKS(nke_shutdown(lab.m, pair[0], SHUT_WR));
	FAILS(EPIPE, nke_send(lab.m, pair[0], "x", 1, 0));
	WORKS(nke_close(lab.m, pair[1]));
	WORKS(nke_socketpair(lab.m, AF_LOCAL, SOCK_STREAM, 0, pair));
	WORKS(nke_close(lab.m, pair[1]));
	FAILS(EPIPE, nke_send(lab.m, pair[0], "x", 1, 0));
	end_of_table();
}

static void
sending(void **state)
{
	static const char big[70000];
	int u = make(AF_INET, SOCK_DGRAM, 0), six = make(AF_INET6, SOCK_DGRAM, 0);
	int raw = make(AF_INET, SOCK_RAW, 253);
	int d = make(AF_LOCAL, SOCK_DGRAM, 0), stream = make(AF_LOCAL, SOCK_STREAM, 0);
	int echo = make(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), route = make(NKE_AF_ROUTE, SOCK_RAW, 0);
	const int on = 1;

	(void)state;
	FAILS(EDESTADDRREQ, nke_send(lab.m, u, "x", 1, 0));
	FAILS(EDESTADDRREQ, nke_send(lab.m, six, "x", 1, 0));
	FAILS(EDESTADDRREQ, nke_send(lab.m, raw, "x", 1, 0));
	FAILS(EINVAL, nke_sendto(lab.m, u, "x", 1, 0, FAMILY(AF_INET), 5));
	FAILS(EAFNOSUPPORT, nke_sendto(lab.m, u, "x", 1, 0, IN6("2001:db8::9", 7)));
	FAILS(EAFNOSUPPORT, nke_sendto(lab.m, u, "x", 1, 0, FAMILY(12345), 16));
	FAILS(EADDRNOTAVAIL, nke_sendto(lab.m, u, "x", 1, 0, IN4("10.0.0.9", 0)));
	FAILS(ENETUNREACH, nke_sendto(lab.m, u, "x", 1, 0, IN4("10.9.9.9", 7)));
	FAILS(EMSGSIZE, nke_sendto(lab.m, u, big, 65508, 0, IN4("10.0.0.9", 7)));
	FAILS(EACCES, nke_sendto(lab.m, u, "x", 1, 0, IN4("10.0.0.255", 7)));
	FAILS(EACCES, nke_sendto(lab.m, u, "x", 1, 0, IN4("255.255.255.255", 7)));
	FAILS(EOPNOTSUPP, nke_sendto(lab.m, u, "x", 1, 0x08000000, IN4("10.0.0.9", 7)));
	FAILS(EADDRNOTAVAIL, nke_sendto(lab.m, six, "x", 1, 0, IN6("2001:db8::9", 0)));
	FAILS(EHOSTUNREACH, nke_sendto(lab.m, six, "x", 1, 0, IN6("2001:db8:9::9", 7)));
	FAILS(EMSGSIZE, nke_sendto(lab.m, six, big, 65536, 0, IN6("2001:db8::9", 7)));
	FAILS(EMSGSIZE, nke_sendto(lab.m, raw, big, 65520, 0, IN4("10.0.0.9", 0)));
	WORKS(nke_setsockopt(lab.m, raw, IPPROTO_IP, IP_HDRINCL, &on, sizeof on));
	FAILS(EINVAL, nke_sendto(lab.m, raw, big, 10, 0, IN4("10.0.0.9", 0)));
	FAILS(EINVAL, nke_sendto(lab.m, raw, big, 100, 0, IN4("10.0.0.9", 0)));
	FAILS(EINVAL, nke_sendto(lab.m, echo, "x", 1, 0, IN4("10.0.0.9", 0)));
	FAILS(EPERM, nke_sendto(lab.m, echo, "\5\0\0\0\0\0\0\0", 8, 0, IN4("10.0.0.9", 0)));
	FAILS(EDESTADDRREQ, nke_send(lab.m, d, "x", 1, 0));
	FAILS(ENOENT, nke_sendto(lab.m, d, "x", 1, 0, UN("/tmp/nobody")));
	FAILS(ENOTCONN, nke_send(lab.m, stream, "x", 1, 0));
	FAILS(EINVAL, nke_write(lab.m, route, "x", 1));
	FAILS(EINVAL, nke_write(lab.m, route, big, 92));
	end_of_table();
}

static void
receiving(void **state)
{
	int u = make(AF_INET, SOCK_DGRAM, 0), stream = make(AF_LOCAL, SOCK_STREAM, 0), pair[2];
	struct msghdr msg = {.msg_iovlen = 0};
	char byte;

	(void)state;
	FAILS(EWOULDBLOCK, nke_recv(lab.m, u, &byte, 1, 0));
	FAILS(EWOULDBLOCK, nke_recv(lab.m, u, &byte, 1, MSG_PEEK));
	FAILS(EOPNOTSUPP, nke_recv(lab.m, u, &byte, 1, MSG_OOB));
	FAILS(EOPNOTSUPP, nke_recv(lab.m, u, &byte, 1, 0x08000000));
	FAILS(EMSGSIZE, nke_recvmsg(lab.m, u, &msg, 0));
	FAILS(EMSGSIZE, nke_sendmsg(lab.m, u, &msg, 0));
	msg.msg_iovlen = 1025;
	FAILS(EMSGSIZE, nke_recvmsg(lab.m, u, &msg, 0));
	FAILS(ENOTCONN, nke_recv(lab.m, stream, &byte, 1, 0));
	WORKS(nke_socketpair(lab.m, AF_LOCAL, SOCK_STREAM, 0, pair));
	FAILS(EWOULDBLOCK, nke_recv(lab.m, pair[0], &byte, 1, MSG_DONTWAIT));
	FAILS(EDEADLK, nke_recv(lab.m, pair[0], &byte, 1, 0));
	WORKS(nke_close(lab.m, pair[1]));
	WORKS(nke_recv(lab.m, pair[0], &byte, 1, 0));
	end_of_table();
}

static void
control_messages(void **state)
{
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(64)];
	} control;
	struct sockaddr_in to = in4("10.0.0.9", 7);
	struct iovec iov = {.iov_base = "x", .iov_len = 1};
	struct msghdr msg = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &control};
	int u = make(AF_INET, SOCK_DGRAM, 0), pair[2], bad = 99;

	(void)state;
	memset(&control, 0, sizeof control);
	control.header = (struct cmsghdr){.cmsg_level = IPPROTO_IP, .cmsg_type = IP_TTL};
#define WITH(length, room)	(control.header.cmsg_len = (length), msg.msg_controllen = (room), &msg)
	FAILS(EINVAL, nke_sendmsg(lab.m, u, WITH(3, sizeof control), 0));
	FAILS(EINVAL, nke_sendmsg(lab.m, u, WITH(CMSG_LEN(200), sizeof control), 0));
	FAILS(EINVAL, nke_sendmsg(lab.m, u, WITH(CMSG_LEN(1), CMSG_SPACE(1)), 0));
	memset(CMSG_DATA(&control.header), 0xff, 4);
	FAILS(EINVAL, nke_sendmsg(lab.m, u, WITH(CMSG_LEN(4), CMSG_SPACE(4)), 0));
	control.header.cmsg_type = IP_PKTINFO;
	FAILS(EINVAL, nke_sendmsg(lab.m, u, WITH(CMSG_LEN(4), CMSG_SPACE(4)), 0));
	WORKS(nke_socketpair(lab.m, AF_LOCAL, SOCK_DGRAM, 0, pair));
	msg.msg_name = NULL;
	control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&control.header), &bad, sizeof bad);
	FAILS(EBADF, nke_sendmsg(lab.m, pair[0], WITH(CMSG_LEN(4), CMSG_SPACE(4)), 0));
	end_of_table();
}

static void
waiting_for_many(void **state)
{
	struct nke_ready ready;
	struct pollfd fd = {.fd = -1};

	(void)state;
	GIVES(0, nke_poll(lab.m, NULL, 0, 0));
	GIVES(0, nke_poll(lab.m, &fd, 1, 10));
	FAILS(EDEADLK, nke_poll(lab.m, &fd, 1, -1));
	FAILS(EINVAL, nke_poll(lab.m, &fd, ULONG_MAX / 2, 0));
	GIVES(0, nke_next_ready(lab.m, &ready));
	end_of_table();
}

/* ---- options ------------------------------------------------------------------------------ */

static void
options_of_sockets(void **state)
{
	int u = make(AF_INET, SOCK_DGRAM, 0), value = 1;
	struct timeval tv = {.tv_sec = -1}, odd = {.tv_usec = 1000000};
	char buffer[256] = {0};
	socklen_t len = sizeof value;

	(void)state;
	FAILS(ENOPROTOOPT, nke_setsockopt(lab.m, u, SOL_SOCKET, 9999, &value, sizeof value));
	FAILS(ENOPROTOOPT, nke_setsockopt(lab.m, u, 9999, SO_BROADCAST, &value, sizeof value));
	FAILS(ENOPROTOOPT, nke_getsockopt(lab.m, u, SOL_SOCKET, 9999, &value, &len));
	FAILS(ENOPROTOOPT, nke_darwin_setsockopt(lab.m, u, 0xffff, 0x1fff, &value, sizeof value));
	FAILS(ENOPROTOOPT, nke_darwin_getsockopt(lab.m, u, 0xffff, 0x1fff, &value, &len));
	FAILS(EINVAL, nke_setsockopt(lab.m, u, SOL_SOCKET, SO_BROADCAST, &value, 3));
	FAILS(EINVAL, nke_setsockopt(lab.m, u, SOL_SOCKET, SO_BROADCAST, NULL, 4));
	FAILS(EINVAL, nke_setsockopt(lab.m, u, SOL_SOCKET, SO_BROADCAST, &value, 0));
	FAILS(EINVAL, nke_setsockopt(lab.m, u, SOL_SOCKET, SO_RCVTIMEO, &tv, 4));
	FAILS(EDOM, nke_setsockopt(lab.m, u, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
	FAILS(EDOM, nke_setsockopt(lab.m, u, SOL_SOCKET, SO_SNDTIMEO, &odd, sizeof odd));
	value = 0;
	FAILS(EINVAL, nke_setsockopt(lab.m, u, SOL_SOCKET, SO_RCVBUF, &value, sizeof value));
	value = -1;
	FAILS(EINVAL, nke_setsockopt(lab.m, u, SOL_SOCKET, SO_SNDBUF, &value, sizeof value));
	FAILS(EINVAL, nke_setsockopt(lab.m, u, SOL_SOCKET, SO_LINGER, &value, sizeof value));
	FAILS(ENOPROTOOPT, nke_setsockopt(lab.m, u, SOL_SOCKET, SO_TYPE, &value, sizeof value));
	FAILS(ENOPROTOOPT, nke_setsockopt(lab.m, u, SOL_SOCKET, SO_ERROR, &value, sizeof value));
	len = sizeof buffer;
	WORKS(nke_getsockopt(lab.m, u, SOL_SOCKET, SO_TYPE, buffer, &len));
	compare(__LINE__, "length of SO_TYPE", (int)len, sizeof(int));
	len = 1;
	WORKS(nke_getsockopt(lab.m, u, SOL_SOCKET, SO_TYPE, buffer, &len));
	compare(__LINE__, "length of SO_TYPE", (int)len, 1);
	end_of_table();
}

static void
options_of_ip(void **state)
{
	int u = make(AF_INET, SOCK_DGRAM, 0), local = make(AF_LOCAL, SOCK_STREAM, 0), value = 256;
	struct ip_mreq mreq = {.imr_interface = in4("10.0.0.1", 0).sin_addr};
	struct group_req group = {.gr_interface = 2};
	struct group_source_req source = {.gsr_interface = 2};
	struct in_addr nobody = in4("10.9.9.9", 0).sin_addr;
	struct sockaddr_in sin = in4("239.1.2.3", 0);
	char options[44] = {0};

	(void)state;
	FAILS(EINVAL, nke_setsockopt(lab.m, u, IPPROTO_IP, IP_TTL, &value, sizeof value));
	FAILS(EINVAL, nke_setsockopt(lab.m, u, IPPROTO_IP, IP_MULTICAST_TTL, &value, sizeof value));
	FAILS(EINVAL, nke_setsockopt(lab.m, u, IPPROTO_IP, IP_OPTIONS, options, 44));
	FAILS(EINVAL, nke_setsockopt(lab.m, u, IPPROTO_IP, IP_OPTIONS, "\7\50\4\0", 4));
	FAILS(ENOPROTOOPT, nke_darwin_setsockopt(lab.m, u, IPPROTO_IP, 9999, &value, sizeof value));
	FAILS(EADDRNOTAVAIL, nke_setsockopt(lab.m, u, IPPROTO_IP, IP_MULTICAST_IF, &nobody, sizeof nobody));
	FAILS(EINVAL, nke_setsockopt(lab.m, u, IPPROTO_IP, IP_MULTICAST_IF, &nobody, 3));
	mreq.imr_multiaddr = nobody;
	FAILS(EINVAL, nke_setsockopt(lab.m, u, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof mreq));
	mreq.imr_multiaddr = sin.sin_addr;
	FAILS(EINVAL, nke_setsockopt(lab.m, u, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, 5));
	FAILS(EADDRNOTAVAIL, nke_setsockopt(lab.m, u, IPPROTO_IP, IP_DROP_MEMBERSHIP, &mreq, sizeof mreq));
	WORKS(nke_setsockopt(lab.m, u, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof mreq));
	FAILS(EADDRINUSE, nke_setsockopt(lab.m, u, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof mreq));
	mreq.imr_interface = nobody;
	FAILS(EADDRNOTAVAIL, nke_setsockopt(lab.m, u, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof mreq));
	FAILS(EAFNOSUPPORT, nke_setsockopt(lab.m, u, IPPROTO_IP, MCAST_JOIN_GROUP, &group, sizeof group));
	memcpy(&group.gr_group, &sin, sizeof sin);
	FAILS(EINVAL, nke_setsockopt(lab.m, u, IPPROTO_IP, MCAST_JOIN_GROUP, &group, 8));
	group.gr_interface = 77;
	FAILS(EADDRNOTAVAIL, nke_setsockopt(lab.m, u, IPPROTO_IP, MCAST_JOIN_GROUP, &group, sizeof group));
	memcpy(&source.gsr_group, &sin, sizeof sin);
	source.gsr_interface = 2;
	memcpy(&source.gsr_source, IN4("10.0.0.9", 0));
	FAILS(EADDRNOTAVAIL, nke_setsockopt(lab.m, u, IPPROTO_IP, MCAST_UNBLOCK_SOURCE, &source,
	    sizeof source));
	WORKS(nke_setsockopt(lab.m, u, IPPROTO_IP, MCAST_BLOCK_SOURCE, &source,
	    sizeof source));
	FAILS(EADDRNOTAVAIL, nke_setsockopt(lab.m, u, IPPROTO_IP, MCAST_BLOCK_SOURCE, &source,
	    sizeof source));
	FAILS(EINVAL, nke_setsockopt(lab.m, u, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, &source, sizeof source));
	FAILS(EOPNOTSUPP, nke_setsockopt(lab.m, local, IPPROTO_IP, IP_TTL, &value, sizeof value));
	end_of_table();
}

static void
options_of_ip6(void **state)
{
	int six = make(AF_INET6, SOCK_DGRAM, 0), u = make(AF_INET, SOCK_DGRAM, 0), value = 256;
	struct ipv6_mreq mreq = {.ipv6mr_interface = 2};
	struct icmp6_filter filter;

	(void)state;
	FAILS(EINVAL, nke_setsockopt(lab.m, six, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &value, sizeof value));
	FAILS(EINVAL, nke_setsockopt(lab.m, six, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &value, sizeof value));
	FAILS(EINVAL, nke_setsockopt(lab.m, six, IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof value));
	FAILS(EINVAL, nke_setsockopt(lab.m, six, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &value, 2));
	FAILS(ENOPROTOOPT, nke_darwin_setsockopt(lab.m, six, IPPROTO_IPV6, 9999, &value, sizeof value));
	FAILS(EADDRNOTAVAIL, nke_setsockopt(lab.m, six, IPPROTO_IPV6, IPV6_MULTICAST_IF, &value,
	    sizeof value));
	FAILS(EINVAL, nke_setsockopt(lab.m, six, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mreq, sizeof mreq));
	mreq.ipv6mr_multiaddr = in6("ff02::1234", 0).sin6_addr;
	FAILS(EINVAL, nke_setsockopt(lab.m, six, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mreq, 7));
	FAILS(EADDRNOTAVAIL, nke_setsockopt(lab.m, six, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &mreq, sizeof mreq));
	WORKS(nke_setsockopt(lab.m, six, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mreq, sizeof mreq));
	FAILS(EADDRINUSE, nke_setsockopt(lab.m, six, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mreq, sizeof mreq));
	mreq.ipv6mr_interface = 77;
	FAILS(EADDRNOTAVAIL, nke_setsockopt(lab.m, six, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mreq, sizeof mreq));
	FAILS(EINVAL, nke_setsockopt(lab.m, six, IPPROTO_IPV6, IPV6_RTHDR, "\0\2\0\1", 4));
	FAILS(EINVAL, nke_setsockopt(lab.m, six, IPPROTO_IPV6, IPV6_HOPOPTS, "\0\7", 2));
	WORKS(nke_bind(lab.m, six, IN6("::", 3000)));
	FAILS(EINVAL, nke_setsockopt(lab.m, six, IPPROTO_IPV6, IPV6_V6ONLY, &value, sizeof value));
	ICMP6_FILTER_SETPASSALL(&filter);
	FAILS(EINVAL, nke_setsockopt(lab.m, six, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter));
	FAILS(EINVAL, nke_setsockopt(lab.m, u, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &value, sizeof value));
	end_of_table();
}

/* ---- interfaces --------------------------------------------------------------------------- */

static int
create(const char *name, enum nke_media media, uint32_t mtu)
{
	struct nke_iface_config config = {.name = name, .media = media, .mtu = mtu,
	    .lladdr = {2, 0, 0, 0, 0, 9}};
	nke_iface_t *i;

	return nke_iface_create(lab.m, &config, &i);
}

static void
interfaces(void **state)
{
	static const uint8_t lladdr[6] = {2, 0, 0, 0, 0, 7}, frame[60] = {2};

	(void)state;
	GIVES(EINVAL, create("", NKE_MEDIA_ETHERNET, 0));
	GIVES(EINVAL, create("7", NKE_MEDIA_ETHERNET, 0));
	GIVES(EINVAL, create("en", NKE_MEDIA_ETHERNET, 0));
	GIVES(EINVAL, create("en0x", NKE_MEDIA_ETHERNET, 0));
	GIVES(EINVAL, create("averyveryverylongname0", NKE_MEDIA_ETHERNET, 0));
	GIVES(EINVAL, create("en99999999999", NKE_MEDIA_ETHERNET, 0));
	GIVES(EBUSY, create("en0", NKE_MEDIA_ETHERNET, 0));
	GIVES(EBUSY, create("lo0", NKE_MEDIA_ETHERNET, 0));
	GIVES(EINVAL, create("en5", (enum nke_media)7, 0));
	GIVES(EINVAL, create("en5", NKE_MEDIA_ETHERNET, 10));
	GIVES(EINVAL, create("en5", NKE_MEDIA_ETHERNET, UINT32_MAX));
	GIVES(EINVAL, nke_iface_input(lab.en0, frame, 0));
	GIVES(EINVAL, nke_iface_input(lab.en0, frame, 13));
	GIVES(0, nke_iface_input(lab.en0, frame, sizeof frame));
	GIVES(0, nke_iface_input(lab.raw, frame, 0));
	GIVES(EAFNOSUPPORT, nke_iface_add_address(lab.en0, FAMILY(AF_LOCAL), 16, 24));
	GIVES(EINVAL, nke_iface_add_address(lab.en0, FAMILY(AF_INET), 3, 24));
	GIVES(EINVAL, nke_iface_add_address(lab.en0, IN4("10.0.3.1", 0), 33));
	GIVES(EINVAL, nke_iface_add_address(lab.en0, IN6("2001:db8:3::1", 0), 129));
	GIVES(EEXIST, nke_iface_add_address(lab.en0, IN4("10.0.0.1", 0), 24));
	GIVES(EEXIST, nke_iface_add_address(lab.en0, IN6("2001:db8::1", 0), 64));
	GIVES(EAFNOSUPPORT, nke_iface_set_gateway(lab.en0, FAMILY(AF_LOCAL), 16));
	GIVES(EINVAL, nke_iface_set_gateway(lab.en0, FAMILY(AF_INET), 3));
	GIVES(EAFNOSUPPORT, nke_iface_add_neighbor(lab.en0, FAMILY(AF_LOCAL), 16, lladdr));
	GIVES(EINVAL, nke_iface_add_neighbor(lab.en0, FAMILY(AF_INET), 3, lladdr));
	GIVES(EOPNOTSUPP, nke_iface_set_autoconf(lab.raw, true));
	assert_null(nke_iface_find(lab.m, "en9"));
	assert_null(nke_iface_find(lab.m, ""));
	end_of_table();
}

/* ---- routes ------------------------------------------------------------------------------- */

static struct nke_route
route(const char *destination, unsigned prefix, const char *gateway, const char *interface)
{
	struct nke_route r = {.prefix = prefix};
	struct sockaddr_in6 sin6;
	struct sockaddr_in sin;

	if (strchr(destination, ':') != NULL) {
		sin6 = in6(destination, 0);
		memcpy(&r.destination, &sin6, sizeof sin6);
	} else {
		sin = in4(destination, 0);
		memcpy(&r.destination, &sin, sizeof sin);
	}
	if (gateway != NULL && strchr(gateway, ':') != NULL) {
		sin6 = in6(gateway, 0);
		memcpy(&r.gateway, &sin6, sizeof sin6);
	} else if (gateway != NULL) {
		sin = in4(gateway, 0);
		memcpy(&r.gateway, &sin, sizeof sin);
	}
	snprintf(r.interface, sizeof r.interface, "%s", interface);
	return r;
}

#define ROUTE(...)	(&(struct nke_route []){route(__VA_ARGS__)}[0])

static void
routes(void **state)
{
	struct nke_route r, odd = {.prefix = 0};
	struct nke_address address;

	(void)state;
	GIVES(EAFNOSUPPORT, nke_route_add(lab.m, &odd));
	GIVES(EINVAL, nke_route_add(lab.m, ROUTE("10.7.0.0", 33, "10.0.0.9", "")));
	GIVES(EINVAL, nke_route_add(lab.m, ROUTE("2001:db8:7::", 129, "2001:db8::9", "")));
	GIVES(EINVAL, nke_route_add(lab.m, ROUTE("10.7.0.0", 16, "2001:db8::9", "")));
	GIVES(ENETUNREACH, nke_route_add(lab.m, ROUTE("10.7.0.0", 16, "10.99.0.9", "")));
	GIVES(ENXIO, nke_route_add(lab.m, ROUTE("10.7.0.0", 16, "10.0.0.9", "en9")));
	GIVES(0, nke_route_add(lab.m, ROUTE("10.7.0.0", 16, "10.0.0.9", "")));
	GIVES(EEXIST, nke_route_add(lab.m, ROUTE("10.7.0.0", 16, "10.0.0.9", "")));
	GIVES(ESRCH, nke_route_change(lab.m, ROUTE("10.8.0.0", 16, "10.0.0.9", "")));
	GIVES(ENETUNREACH, nke_route_change(lab.m, ROUTE("10.7.0.0", 16, "10.99.0.9", "")));
	GIVES(EINVAL, nke_route_change(lab.m, ROUTE("10.7.0.0", 33, "10.0.0.9", "")));
	GIVES(ESRCH, nke_route_delete(lab.m, ROUTE("10.7.0.0", 17, NULL, "")));
	GIVES(EINVAL, nke_route_delete(lab.m, ROUTE("10.7.0.0", 99, NULL, "")));
	GIVES(EAFNOSUPPORT, nke_route_delete(lab.m, &odd));
	GIVES(0, nke_route_delete(lab.m, ROUTE("10.7.0.0", 16, NULL, "")));
	GIVES(ESRCH, nke_route_delete(lab.m, ROUTE("10.7.0.0", 16, NULL, "")));
	GIVES(ESRCH, nke_route_get(lab.m, IN4("10.7.0.1", 0), &r));
	GIVES(EAFNOSUPPORT, nke_route_get(lab.m, FAMILY(AF_LOCAL), 16, &r));
	GIVES(EINVAL, nke_route_get(lab.m, FAMILY(AF_INET), 3, &r));
	assert_int_equal(nke_route_list(lab.m, 12345, &r, 1), 0);
	GIVES(ENXIO, nke_address_remove(lab.m, "en9", IN4("10.0.0.1", 0)));
	GIVES(EADDRNOTAVAIL, nke_address_remove(lab.m, "en0", IN4("10.0.0.7", 0)));
	GIVES(EADDRNOTAVAIL, nke_address_remove(lab.m, "en0", IN6("2001:db8::7", 0)));
	GIVES(EAFNOSUPPORT, nke_address_remove(lab.m, "en0", FAMILY(AF_LOCAL), 16));
	assert_true(nke_address_list(lab.m, &address, 0) >= 3);
	end_of_table();
}

/* ---- variables ---------------------------------------------------------------------------- */

static void
variables(void **state)
{
	size_t len = 1;
	int value = 2;
	char old[4];

	(void)state;
	GIVES(ENOENT, nke_sysctl_get_int(lab.m, "no.such.variable", &value));
	GIVES(ENOENT, nke_sysctl_get_int(lab.m, "", &value));
	GIVES(ENOENT, nke_sysctl_get_int(lab.m, ".", &value));
	GIVES(ENOENT, nke_sysctl_get_int(lab.m, "net.inet.ip", &value));
	GIVES(EISDIR, nke_sysctl_get_int(lab.m, "net.inet.ip.forwarding.more", &value));
	GIVES(ENOENT, nke_sysctl_format(lab.m, "no.such.variable", old, sizeof old));
	GIVES(ENOENT, nke_sysctl_format(lab.m, "", old, sizeof old));
	GIVES(EISDIR, nke_sysctl_format(lab.m, "net.inet.ip.forwarding.more", old, sizeof old));
	GIVES(ENOMEM, nke_sysctl(lab.m, "net.inet.ip.forwarding", old, &len, NULL, 0));
	GIVES(EINVAL, nke_sysctl(lab.m, "net.inet.ip.forwarding", NULL, NULL, &value, 3));
	GIVES(EINVAL, nke_sysctl_set_int(lab.m, "net.inet.ip.forwarding", value));
	GIVES(EINVAL, nke_sysctl_set_int(lab.m, "net.inet.ip.ttl", 256));
	GIVES(EPERM, nke_sysctl_set_int(lab.m, "kern.ostype", 1));
	end_of_table();
}

/* ---- wires -------------------------------------------------------------------------------- */

static int
wire_with(struct nke_wire_config config)
{
	nke_wire_t *w = NULL;
	int error = nke_wire_create(lab.m, &config, 1, &w);

	nke_wire_destroy(w);
	return error;
}

static void
wires(void **state)
{
	struct nke_iface_config en1 = {.name = "en1", .lladdr = {2, 0, 0, 0, 0, 3}};
	struct nke_iface_config en2 = {.name = "en2", .lladdr = {2, 0, 0, 0, 0, 4}};
	struct nke_wire_stats stats;
	nke_iface_t *i, *k;
	nke_wire_t *w, *v;

	(void)state;
	GIVES(EINVAL, wire_with((struct nke_wire_config){.loss = -0.1}));
	GIVES(EINVAL, wire_with((struct nke_wire_config){.loss = 1.1}));
	GIVES(EINVAL, wire_with((struct nke_wire_config){.loss = NAN}));
	GIVES(EINVAL, wire_with((struct nke_wire_config){.burst_begin = 2}));
	GIVES(EINVAL, wire_with((struct nke_wire_config){.burst_end = INFINITY}));
	GIVES(EINVAL, wire_with((struct nke_wire_config){.burst_loss = -1}));
	GIVES(EINVAL, wire_with((struct nke_wire_config){.duplicate = 3}));
	GIVES(EINVAL, wire_with((struct nke_wire_config){.corrupt = -2}));
	GIVES(EINVAL, wire_with((struct nke_wire_config){.reorder = 7}));
	assert_int_equal(nke_iface_create(lab.m, &en1, &i), 0);
	assert_int_equal(nke_iface_create(lab.m, &en2, &k), 0);
	assert_int_equal(nke_wire_create(lab.m, NULL, 1, &w), 0);
	assert_int_equal(nke_switch_create(lab.m, NULL, 1, &v), 0);
	GIVES(EINVAL, nke_wire_plug(w, lab.other_en0));
	GIVES(0, nke_wire_plug(w, lab.en0));
	GIVES(EEXIST, nke_wire_plug(w, lab.en0));
	GIVES(EEXIST, nke_wire_plug(v, lab.en0));
	GIVES(0, nke_wire_plug(w, i));
	GIVES(EBUSY, nke_wire_plug(w, k));
	GIVES(ENOENT, nke_wire_configure(w, k, &(struct nke_wire_config){.loss = 0}));
	GIVES(EINVAL, nke_wire_configure(w, i, &(struct nke_wire_config){.loss = 2}));
	GIVES(ENOENT, nke_wire_read_stats(w, k, &stats));
	GIVES(ENOENT, nke_wire_capture(w, k, "/dev/null"));
	GIVES(ENOENT, nke_wire_capture(w, i, "/no/such/folder/file"));
	GIVES(0, nke_wire_capture(w, i, "/dev/null"));
	GIVES(EBUSY, nke_wire_capture(w, i, "/dev/null"));
	GIVES(0, nke_wire_capture_end(w));
	nke_wire_destroy(w);
	nke_wire_destroy(v);
	nke_wire_destroy(NULL);
	GIVES(0, nke_iface_destroy(i));
	GIVES(0, nke_iface_destroy(k));
	end_of_table();
}

/* ---- machines ----------------------------------------------------------------------------- */

static void
machines(void **state)
{
	struct nke_config config = {.time = (enum nke_time)9};
	nke_world_t *w;
	nke_t *m;

	(void)state;
	GIVES(EINVAL, nke_create(&config, &m));
	GIVES(EINVAL, nke_world_create(&config, &w));
	config = (struct nke_config){.name = "a name that is much longer than any report has room for"};
	GIVES(EINVAL, nke_create(&config, &m));
	config = (struct nke_config){.fail_alloc = 1};
	GIVES(ENOMEM, nke_create(&config, &m));
	nke_destroy(NULL);
	nke_world_destroy(NULL);
	end_of_table();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(making_sockets),
		cmocka_unit_test(descriptors),
		cmocka_unit_test(binding),
		cmocka_unit_test(connecting),
		cmocka_unit_test(listening_and_closing),
		cmocka_unit_test(sending),
		cmocka_unit_test(receiving),
		cmocka_unit_test(control_messages),
		cmocka_unit_test(waiting_for_many),
		cmocka_unit_test(options_of_sockets),
		cmocka_unit_test(options_of_ip),
		cmocka_unit_test(options_of_ip6),
		cmocka_unit_test(interfaces),
		cmocka_unit_test(routes),
		cmocka_unit_test(variables),
		cmocka_unit_test(wires),
		cmocka_unit_test(machines),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
