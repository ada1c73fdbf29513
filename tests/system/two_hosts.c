/*
 * Two hosts and what a program does with their sockets, through include/nke alone:
 *
 *	[ A en0 10.0.0.1 2001:db8::1 ]----- wire -----[ en0 10.0.0.2 2001:db8::2 B ]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <nke/socket.h>
#include <nke/wire.h>

#define MS	UINT64_C(1000000)

struct net {
	nke_world_t *world;
	nke_t *a, *b;
	nke_iface_t *a_en0, *b_en0;
	nke_wire_t *wire;
};

static void
print_log(void *ctx, const struct nke_log_record *r)
{
	print_message("[%s %llu] %s\n", (const char *)ctx, (unsigned long long)r->uptime_ns, r->text);
}

static struct sockaddr_in
ip4(const char *text, unsigned port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	assert_int_equal(inet_pton(AF_INET, text, &sin.sin_addr), 1);
	return sin;
}

static struct sockaddr_in6
ip6(const char *text, unsigned port)
{
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

	assert_int_equal(inet_pton(AF_INET6, text, &sin6.sin6_addr), 1);
	return sin6;
}

#define SA(p)	(struct sockaddr *)(p), sizeof *(p)

static void
host(struct net *n, const char *name, uint8_t id, nke_t **m, nke_iface_t **en0)
{
	struct nke_config config = {.name = name, .world = n->world, .checked = true, .log = print_log,
	    .log_ctx = (void *)(uintptr_t)name};
	struct nke_iface_config iface = {.name = "en0", .lladdr = {2, 0, 0, 0, 0, id}};
	char text[32];
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	assert_int_equal(nke_create(&config, m), 0);
	assert_int_equal(nke_iface_create(*m, &iface, en0), 0);
	snprintf(text, sizeof text, "10.0.0.%u", id);
	sin = ip4(text, 0);
	assert_int_equal(nke_iface_add_address(*en0, SA(&sin), 24), 0);
	snprintf(text, sizeof text, "2001:db8::%u", id);
	sin6 = ip6(text, 0);
	assert_int_equal(nke_iface_add_address(*en0, SA(&sin6), 64), 0);
}

static void
build(struct net *n, const struct nke_wire_config *wire)
{
	memset(n, 0, sizeof *n);
	assert_int_equal(nke_world_create(NULL, &n->world), 0);
	host(n, "a", 1, &n->a, &n->a_en0);
	host(n, "b", 2, &n->b, &n->b_en0);
	assert_int_equal(nke_wire_create(n->a, wire, 1, &n->wire), 0);
	assert_int_equal(nke_wire_plug(n->wire, n->a_en0), 0);
	assert_int_equal(nke_wire_plug(n->wire, n->b_en0), 0);
	/* IPv6 asks whether somebody has its address already, IPv4 announces its own. */
	assert_int_equal(nke_run_for(n->a, 10000 * MS), 0);
}

static void
take_down(struct net *n)
{
	nke_wire_destroy(n->wire);
	nke_destroy(n->a);
	nke_destroy(n->b);
	nke_world_destroy(n->world);
}

static int
bound(nke_t *m, const struct sockaddr *address, socklen_t len)
{
	int s = nke_socket(m, address->sa_family, SOCK_DGRAM, 0);

	assert_true(s >= 0);
	if (nke_bind(m, s, address, len) != 0)
		fail_msg("bind: %s", strerror(errno));
	return s;
}

static void
datagrams_go_both_ways(void **state)
{
	struct nke_wire_config slow = {.delay_ns = 20 * MS};
	struct sockaddr_in to = ip4("10.0.0.2", 7), from;
	socklen_t len = sizeof from;
	char text[64];
	struct net n;
	uint64_t start;
	int a, b;

	(void)state;
	build(&n, &slow);
	b = bound(n.b, SA(&to));
	a = nke_socket(n.a, AF_INET, SOCK_DGRAM, 0);
	start = nke_uptime(n.a);
	assert_int_equal(nke_sendto(n.a, a, "hello", 5, 0, SA(&to)), 5);
	/* Asking for the link address takes a round trip, the datagram half of one. */
	assert_int_equal(nke_recvfrom(n.b, b, text, sizeof text, 0, (struct sockaddr *)&from, &len), 5);
	assert_memory_equal(text, "hello", 5);
	assert_int_equal(len, sizeof from);
	assert_int_equal(from.sin_addr.s_addr, htonl(0x0a000001));
	assert_int_equal(nke_uptime(n.b) - start, 60 * MS);
	assert_int_equal(nke_sendto(n.b, b, "hi", 2, 0, (struct sockaddr *)&from, len), 2);
	assert_int_equal(nke_recv(n.a, a, text, sizeof text, 0), 2);
	assert_int_equal(nke_uptime(n.a) - start, 80 * MS);
	assert_int_equal(nke_close(n.a, a), 0);
	assert_int_equal(nke_close(n.b, b), 0);
	take_down(&n);
}

static void
datagrams_go_by_ipv6(void **state)
{
	struct sockaddr_in6 to = ip6("2001:db8::2", 7), from;
	socklen_t len = sizeof from;
	char text[3000];
	struct net n;
	int a, b;

	(void)state;
	build(&n, NULL);
	b = bound(n.b, SA(&to));
	a = nke_socket(n.a, AF_INET6, SOCK_DGRAM, 0);
	memset(text, 'x', sizeof text);
	assert_int_equal(nke_sendto(n.a, a, text, sizeof text, 0, SA(&to)), sizeof text);
	assert_int_equal(nke_recvfrom(n.b, b, text, sizeof text, 0, (struct sockaddr *)&from, &len),
	    sizeof text);
	assert_int_equal(from.sin6_addr.s6_addr[15], 1);
	take_down(&n);
}

static void
a_closed_port_is_told(void **state)
{
	struct sockaddr_in to = ip4("10.0.0.2", 9);
	char text[8];
	struct net n;
	int a;

	(void)state;
	build(&n, NULL);
	a = nke_socket(n.a, AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(nke_connect(n.a, a, SA(&to)), 0);
	assert_int_equal(nke_send(n.a, a, "x", 1, 0), 1);
	assert_int_equal(nke_recv(n.a, a, text, sizeof text, 0), -1);
	assert_int_equal(errno, ECONNREFUSED);
	take_down(&n);
}

static void
waiting_for_nothing_is_a_deadlock(void **state)
{
	struct sockaddr_in here = ip4("10.0.0.1", 5000);
	struct timeval second = {.tv_sec = 1};
	char text[8];
	struct net n;
	uint64_t start;
	int a;

	(void)state;
	build(&n, NULL);
	a = bound(n.a, SA(&here));
	assert_int_equal(nke_recv(n.a, a, text, sizeof text, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	assert_int_equal(nke_setsockopt(n.a, a, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second), 0);
	start = nke_uptime(n.a);
	assert_int_equal(nke_recv(n.a, a, text, sizeof text, 0), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	assert_int_equal(nke_uptime(n.a) - start, 1000 * MS);
	second.tv_sec = 0;
	assert_int_equal(nke_setsockopt(n.a, a, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second), 0);
	assert_int_equal(nke_recv(n.a, a, text, sizeof text, 0), -1);
	assert_int_equal(errno, EDEADLK);
	take_down(&n);
}

static void
readiness_is_told(void **state)
{
	struct sockaddr_in to = ip4("10.0.0.2", 7);
	struct pollfd fds[2];
	struct nke_ready ready;
	struct pollfd pipe;
	char text[8];
	struct net n;
	int a, b, c;

	(void)state;
	build(&n, NULL);
	b = bound(n.b, SA(&to));
	to.sin_port = htons(8);
	c = bound(n.b, SA(&to));
	a = nke_socket(n.a, AF_INET, SOCK_DGRAM, 0);
	pipe = (struct pollfd){.fd = nke_ready_fd(n.b), .events = POLLIN};
	assert_true(pipe.fd >= 0);
	assert_int_equal(nke_watch(n.b, b, POLLIN, &b), 0);
	assert_int_equal(nke_watch(n.b, c, POLLIN | POLLOUT, &c), 0);
	assert_int_equal(poll(&pipe, 1, 0), 1);
	assert_int_equal(nke_next_ready(n.b, &ready), 1);
	assert_ptr_equal(ready.ctx, &c);
	assert_int_equal(ready.events, POLLOUT);
	assert_int_equal(nke_next_ready(n.b, &ready), 0);
	assert_int_equal(poll(&pipe, 1, 0), 0);
	fds[0] = (struct pollfd){.fd = b, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = c, .events = POLLIN};
	assert_int_equal(nke_poll(n.b, fds, 2, 5), 0);
	assert_int_equal(nke_sendto(n.a, a, "x", 1, 0, SA(&to)), 1);
	assert_int_equal(nke_poll(n.b, fds, 2, -1), 1);
	assert_int_equal(fds[0].revents, 0);
	assert_int_equal(fds[1].revents, POLLIN);
	assert_int_equal(poll(&pipe, 1, 0), 1);
	assert_int_equal(nke_next_ready(n.b, &ready), 1);
	assert_int_equal(ready.s, c);
	assert_true(ready.events & POLLIN);
	assert_int_equal(nke_readable_bytes(n.b, c), 1);
	assert_int_equal(nke_read(n.b, c, text, sizeof text), 1);
	assert_int_equal(nke_close(n.b, c), 0);
	assert_int_equal(nke_watch(n.b, c, POLLIN, NULL), -1);
	assert_int_equal(errno, EBADF);
	take_down(&n);
}

static void
ancillary_data_has_the_hosts_form(void **state)
{
	struct sockaddr_in to = ip4("10.0.0.2", 7);
	char text[8], control[256];
	struct iovec iov = {.iov_base = text, .iov_len = sizeof text};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
	    .msg_controllen = sizeof control};
	const struct cmsghdr *c;
	const int on = 1, ttl = 9;
	bool seen_info = false, seen_ttl = false, seen_time = false;
	struct net n;
	int a, b;

	(void)state;
	build(&n, NULL);
	b = bound(n.b, SA(&to));
	a = nke_socket(n.a, AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(nke_setsockopt(n.a, a, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl), 0);
	assert_int_equal(nke_setsockopt(n.b, b, IPPROTO_IP, IP_PKTINFO, &on, sizeof on), 0);
	assert_int_equal(nke_setsockopt(n.b, b, IPPROTO_IP, IP_RECVTTL, &on, sizeof on), 0);
	assert_int_equal(nke_setsockopt(n.b, b, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on), 0);
	assert_int_equal(nke_sendto(n.a, a, "x", 1, 0, SA(&to)), 1);
	assert_int_equal(nke_recvmsg(n.b, b, &msg, 0), 1);
	for (c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, (struct cmsghdr *)(uintptr_t)c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			assert_int_equal(info.ipi_addr.s_addr, to.sin_addr.s_addr);
			seen_info = true;
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) {
			int value;

			memcpy(&value, CMSG_DATA(c), sizeof value);
			assert_int_equal(value, 9);
			seen_ttl = true;
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMP) {
			seen_time = true;
		}
	}
	assert_true(seen_info && seen_ttl && seen_time);
	take_down(&n);
}

static void
wrong_arguments_give_bsds_errors(void **state)
{
	struct sockaddr_in nowhere = ip4("10.9.9.9", 1), here = ip4("10.0.0.1", 1000);
	struct sockaddr odd = {.sa_family = AF_INET};
	char big[70000] = {0};
	struct net n;
	int a;

	(void)state;
	build(&n, NULL);
#define FAILS(call, error) do {			\
	errno = 0;				\
	assert_int_equal(call, -1);		\
	assert_int_equal(errno, error);		\
} while (0)
	FAILS(nke_socket(n.a, 12345, SOCK_DGRAM, 0), EAFNOSUPPORT);
	FAILS(nke_socket(n.a, AF_INET, SOCK_DGRAM, 250), EPROTONOSUPPORT);
	FAILS(nke_close(n.a, 99), EBADF);
	FAILS(nke_close(n.a, -1), EBADF);
	a = nke_socket(n.a, AF_INET, SOCK_DGRAM, 0);
	FAILS(nke_bind(n.a, a, SA(&nowhere)), EADDRNOTAVAIL);
	FAILS(nke_bind(n.a, a, &odd, 3), EINVAL);
	FAILS(nke_send(n.a, a, "x", 1, 0), EDESTADDRREQ);
	FAILS(nke_listen(n.a, a, 1), EOPNOTSUPP);
	FAILS(nke_sendto(n.a, a, big, 65508, 0, SA(&nowhere)), EMSGSIZE);
	FAILS(nke_sendto(n.a, a, "x", 1, 0, SA(&nowhere)), ENETUNREACH);
	FAILS(nke_getpeername(n.a, a, &odd, &(socklen_t){sizeof odd}), ENOTCONN);
	FAILS(nke_setsockopt(n.a, a, SOL_SOCKET, 9999, big, 4), ENOPROTOOPT);
	assert_int_equal(nke_close(n.a, a), 0);
	a = nke_socket(n.a, AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(nke_bind(n.a, a, SA(&here)), 0);
	FAILS(nke_bind(n.a, a, SA(&here)), EINVAL);
	assert_int_equal(nke_close(n.a, a), 0);
	FAILS(nke_close(n.a, a), EBADF);
	take_down(&n);
}

static void
local_sockets_pass_descriptors(void **state)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	char byte = 'x';
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
	    .msg_controllen = sizeof control};
	int pair[2], other[2], passed;
	struct net n;

	(void)state;
	build(&n, NULL);
	assert_int_equal(nke_socketpair(n.a, AF_LOCAL, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(nke_socketpair(n.a, AF_LOCAL, SOCK_STREAM, 0, other), 0);
	memset(&control, 0, sizeof control);
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &other[1], sizeof(int));
	assert_int_equal(nke_sendmsg(n.a, pair[0], &msg, 0), 1);
	assert_int_equal(nke_close(n.a, other[1]), 0);
	memset(&control, 0, sizeof control);
	msg.msg_controllen = sizeof control;
	assert_int_equal(nke_recvmsg(n.a, pair[1], &msg, 0), 1);
	assert_int_equal(control.header.cmsg_type, SCM_RIGHTS);
	memcpy(&passed, CMSG_DATA(&control.header), sizeof passed);
	assert_int_equal(nke_write(n.a, passed, "through", 7), 7);
	assert_int_equal(nke_readable_bytes(n.a, other[0]), 7);
	take_down(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams_go_both_ways),
		cmocka_unit_test(datagrams_go_by_ipv6),
		cmocka_unit_test(a_closed_port_is_told),
		cmocka_unit_test(waiting_for_nothing_is_a_deadlock),
		cmocka_unit_test(readiness_is_told),
		cmocka_unit_test(ancillary_data_has_the_hosts_form),
		cmocka_unit_test(wrong_arguments_give_bsds_errors),
		cmocka_unit_test(local_sockets_pass_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
