/*
 * Every allocation of a small network fails once, one after the other, in each of its machines: the
 * first, the second, and so on until a run needs no more. Whatever fails, a call gives an error or a
 * packet is lost; nothing crashes or waits for ever, nothing is left behind.
 *
 *	[ A en0 10.0.0.2 ]----[ 10.0.0.1 en0 R en1 10.0.1.1 ]----[ 10.0.1.2 en0 B ]
 *	    2001:db8::2          2001:db8::1   2001:db8:1::1        2001:db8:1::2
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include <nke/route.h>
#include <nke/socket.h>
#include <nke/stats.h>
#include <nke/sysctl.h>
#include <nke/wire.h>

#define SECOND		UINT64_C(1000000000)
#define FD_END		32		/* no descriptor is higher */
/* Blocks that a router may keep: the route it used last and its address, and its parent, by family. */
#define BLOCKS_KEPT	6u

enum { A, R, B, HOSTS };

struct net {
	uint64_t n;			/* the allocation that fails; 0: none */
	unsigned where;			/* in which machine */
	nke_world_t *world;
	nke_t *m[HOSTS];
	nke_iface_t *en[HOSTS + 1];	/* the router's second one comes last */
	nke_wire_t *wire[2];
	unsigned received;		/* datagrams and errors: what came of it when nothing fails */
};

/* When nothing fails everything works, else what fails says that there is no memory. */
static bool
good(const struct net *n, int error, const char *what)
{
	if (error == 0)
		return true;
	if (n->n == 0 || error == EFAULT || error == EDEADLK)
		fail_msg("allocation %llu of machine %u: %s: %s", (unsigned long long)n->n, n->where, what,
		    strerror(error));
	return false;
}

static socklen_t
parse(const char *text, uint16_t port, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof *ss);
	if (inet_pton(AF_INET, text, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(port);
		return sizeof *sin;
	}
	assert_int_equal(inet_pton(AF_INET6, text, &sin6->sin6_addr), 1);
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(port);
	return sizeof *sin6;
}

/* ---- building ----------------------------------------------------------------------------- */

static bool
make_machine(struct net *n, unsigned i)
{
	struct nke_config config = {.world = n->world, .fail_alloc = i == n->where ? n->n : 0};

	return good(n, nke_create(&config, &n->m[i]), "nke_create");
}

static bool
make_interface(struct net *n, unsigned machine, unsigned i, const char *name)
{
	/* The link behind the router is narrow: path MTUs are learned. */
	struct nke_iface_config config = {.name = name, .lladdr = {2, 0, 0, 0, 0, (uint8_t)(i + 1)},
	    .mtu = i >= B ? 1400 : 1500};

	return good(n, nke_iface_create(n->m[machine], &config, &n->en[i]), "nke_iface_create");
}

static void
address(struct net *n, unsigned i, const char *text, unsigned prefix)
{
	struct sockaddr_storage ss;
	socklen_t len = parse(text, 0, &ss);

	(void)good(n, nke_iface_add_address(n->en[i], (struct sockaddr *)&ss, len, prefix), text);
}

static void
gateway(struct net *n, unsigned i, const char *text)
{
	struct sockaddr_storage ss;
	socklen_t len = parse(text, 0, &ss);

	(void)good(n, nke_iface_set_gateway(n->en[i], (struct sockaddr *)&ss, len), text);
}

static void
wait(struct net *n, uint64_t ns)
{
	assert_int_equal(nke_run_for(n->m[A], ns), 0);
}

/* False: something that all the rest needs is not there. */
static bool
build(struct net *n)
{
	assert_int_equal(nke_world_create(NULL, &n->world), 0);
	for (unsigned i = 0; i < HOSTS; i++)
		if (!make_machine(n, i))
			return false;
	if (!make_interface(n, A, A, "en0") || !make_interface(n, R, R, "en0") ||
	    !make_interface(n, B, B, "en0") || !make_interface(n, R, HOSTS, "en1"))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		if (!good(n, nke_wire_create(n->m[A], NULL, 1, &n->wire[i]), "nke_wire_create") ||
		    !good(n, nke_wire_plug(n->wire[i], n->en[i == 0 ? A : B]), "nke_wire_plug") ||
		    !good(n, nke_wire_plug(n->wire[i], n->en[i == 0 ? R : HOSTS]), "nke_wire_plug"))
			return false;
	}
	address(n, A, "10.0.0.2", 24);
	address(n, R, "10.0.0.1", 24);
	address(n, HOSTS, "10.0.1.1", 24);
	address(n, B, "10.0.1.2", 24);
	address(n, A, "2001:db8::2", 64);
	address(n, R, "2001:db8::1", 64);
	address(n, HOSTS, "2001:db8:1::1", 64);
	address(n, B, "2001:db8:1::2", 64);
	(void)good(n, nke_sysctl_set_int(n->m[R], "net.inet.ip.forwarding", 1), "forwarding");
	(void)good(n, nke_sysctl_set_int(n->m[R], "net.inet6.ip6.forwarding", 1), "forwarding");
	(void)good(n, nke_iface_set_autoconf(n->en[A], true), "nke_iface_set_autoconf");
	wait(n, 9 * SECOND);
	gateway(n, A, "10.0.0.1");
	gateway(n, B, "10.0.1.1");
	gateway(n, A, "2001:db8::1");
	gateway(n, B, "2001:db8:1::1");
	return true;
}

/* ---- traffic ------------------------------------------------------------------------------ */

static int
open_socket(struct net *n, unsigned i, int domain, int type, int protocol)
{
	int s = nke_socket(n->m[i], domain, type | SOCK_NONBLOCK, protocol);

	(void)good(n, s < 0 ? errno : 0, "socket");
	return s;
}

static int
bound(struct net *n, unsigned i, const char *text, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = parse(text, port, &ss);
	int s = open_socket(n, i, ss.ss_family, SOCK_DGRAM, 0);

	if (s >= 0)
		(void)good(n, nke_bind(n->m[i], s, (struct sockaddr *)&ss, len) != 0 ? errno : 0, "bind");
	return s;
}

static void
option(struct net *n, unsigned i, int s, int level, int name, const void *value, socklen_t len)
{
	if (s >= 0)
		(void)good(n, nke_setsockopt(n->m[i], s, level, name, value, len) != 0 ? errno : 0, "option");
}

static void
send_to(struct net *n, unsigned i, int s, const char *to, uint16_t port, size_t len)
{
	static const uint8_t data[9000] = {8, 0, 0xf7, 0xfe, 0, 1};
	struct sockaddr_storage ss;
	socklen_t to_len = parse(to, port, &ss);

	if (s >= 0)
		(void)good(n, nke_sendto(n->m[i], s, data, len, 0, (struct sockaddr *)&ss,
		    to_len) < 0 ? errno : 0,
		    "sendto");
}

/* Everything that is there, with control messages. */
static void
drain(struct net *n, unsigned i, int s)
{
	static uint8_t data[10000], control[512];
	struct iovec iov = {.iov_base = data, .iov_len = sizeof data};
	struct sockaddr_storage from;

	for (unsigned k = 0; s >= 0 && k < 20; k++) {
		struct msghdr msg = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov,
		    .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};

		if (nke_recvmsg(n->m[i], s, &msg, 0) >= 0)
			n->received++;
		else if (errno == EWOULDBLOCK)
			break;
		else if (n->n == 0 && errno != ECONNREFUSED && errno != EHOSTUNREACH)
			fail_msg("recvmsg: %s", strerror(errno));
	}
}

/* Small and in fragments, both ways, with ancillary data. */
static void
datagrams(struct net *n, const char *a, const char *b)
{
	bool v6 = strchr(a, ':') != NULL;
	const int on = 1;
	int at_a = bound(n, A, a, 1000), at_b = bound(n, B, b, 1000);

	if (v6) {
		option(n, B, at_b, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
		option(n, B, at_b, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on);
	} else {
		option(n, B, at_b, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
		option(n, B, at_b, IPPROTO_IP, IP_RECVTTL, &on, sizeof on);
	}
	option(n, B, at_b, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on);
	send_to(n, A, at_a, b, 1000, 100);
	wait(n, 2 * SECOND);
	send_to(n, A, at_a, b, 1000, 4000);
	send_to(n, B, at_b, a, 1000, 4000);
	wait(n, 2 * SECOND);
	send_to(n, A, at_a, b, 1000, 4000);
	wait(n, 2 * SECOND);
	drain(n, B, at_b);
	drain(n, A, at_a);
}

/* A closed port, no route, too many hops. */
static void
errors(struct net *n, const char *b, const char *nowhere)
{
	bool v6 = strchr(b, ':') != NULL;
	const int one = 1, many = 64;
	struct sockaddr_storage ss;
	socklen_t len = parse(b, 9, &ss);
	int s = open_socket(n, A, ss.ss_family, SOCK_DGRAM, 0);

	if (s < 0 || nke_connect(n->m[A], s, (struct sockaddr *)&ss, len) != 0) {
		(void)good(n, s < 0 ? 0 : errno, "connect");
		return;
	}
	(void)good(n, nke_send(n->m[A], s, "x", 1, 0) < 0 ? errno : 0, "send");
	wait(n, SECOND);
	(void)nke_recv(n->m[A], s, &ss, sizeof ss, 0);
	s = open_socket(n, A, v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
	send_to(n, A, s, nowhere, 9, 10);
	option(n, A, s, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_UNICAST_HOPS : IP_TTL, &one, sizeof one);
	send_to(n, A, s, b, 9, 10);
	option(n, A, s, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_UNICAST_HOPS : IP_TTL, &many, sizeof many);
	wait(n, SECOND);
}

static void
groups(struct net *n, const char *group)
{
	struct group_req req = {.gr_interface = 2};
	struct group_source_req source = {.gsr_interface = 2};
	bool v6 = strchr(group, ':') != NULL;
	int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP, at_a, at_r;

	(void)parse(group, 0, &req.gr_group);
	source.gsr_group = req.gr_group;
	(void)parse(v6 ? "2001:db8::77" : "10.0.0.77", 0, &source.gsr_source);
	at_r = bound(n, R, v6 ? "::" : "0.0.0.0", 1001);
	at_a = open_socket(n, A, v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
	option(n, R, at_r, level, MCAST_JOIN_GROUP, &req, sizeof req);
	option(n, R, at_r, level, MCAST_BLOCK_SOURCE, &source, sizeof source);
	option(n, A, at_a, level, MCAST_JOIN_GROUP, &req, sizeof req);
	option(n, A, at_a, level, v6 ? IPV6_MULTICAST_IF : IP_MULTICAST_IF,
	    v6 ? (const void *)&req.gr_interface : &(struct in_addr){htonl(0x0a000002)}, 4);
	send_to(n, A, at_a, group, 1001, 50);
	wait(n, SECOND);
	drain(n, R, at_r);
	if (at_r >= 0)
		(void)nke_setsockopt(n->m[R], at_r, level, MCAST_LEAVE_GROUP, &req, sizeof req);
	wait(n, SECOND);
}

static void
routes(struct net *n, const char *destination, const char *by)
{
	struct nke_route r = {.prefix = 24}, list[16];
	struct nke_address addresses[8];
	uint8_t message[512];
	int s = open_socket(n, R, NKE_AF_ROUTE, SOCK_RAW, 0), error;

	(void)parse(destination, 0, &r.destination);
	(void)parse(by, 0, &r.gateway);
	error = nke_route_add(n->m[R], &r);
	if (good(n, error, "nke_route_add")) {
		r.mtu = 1300;
		(void)good(n, nke_route_change(n->m[R], &r), "nke_route_change");
		(void)good(n, nke_route_get(n->m[R], (struct sockaddr *)&r.destination,
		    sizeof r.destination, &list[0]), "nke_route_get");
		(void)nke_route_list(n->m[R], AF_UNSPEC, list, 16);
		(void)good(n, nke_route_delete(n->m[R], &r), "nke_route_delete");
	}
	(void)nke_address_list(n->m[R], addresses, 8);
	while (s >= 0 && nke_recv(n->m[R], s, message, sizeof message, 0) > 0)
		n->received++;
}

static void
ping(struct net *n)
{
	int raw = open_socket(n, A, AF_INET, SOCK_RAW, IPPROTO_ICMP);
	int echo = open_socket(n, A, AF_INET, SOCK_DGRAM, IPPROTO_ICMP);

	send_to(n, A, raw, "10.0.1.2", 0, 8);
	send_to(n, A, echo, "10.0.1.2", 0, 2008);
	wait(n, SECOND);
	drain(n, A, raw);
	drain(n, A, echo);
}

/* A descriptor of one pair through the other, twice; one stays in flight. */
static void
descriptors(struct net *n)
{
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
	    .cmsg_type = SCM_RIGHTS}};
	struct iovec iov = {.iov_base = "x", .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
	    .msg_controllen = sizeof control};
	int pair[2], other[2];

	if (!good(n, nke_socketpair(n->m[B], AF_LOCAL, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0 ? errno : 0,
	    "socketpair") ||
	    !good(n, nke_socketpair(n->m[B], AF_LOCAL, SOCK_DGRAM | SOCK_NONBLOCK, 0, other) != 0 ? errno : 0,
	    "socketpair"))
		return;
	memcpy(CMSG_DATA(&control.header), &other[1], sizeof(int));
	for (unsigned i = 0; i < 2; i++)
		(void)good(n, nke_sendmsg(n->m[B], pair[0], &msg, MSG_DONTWAIT) < 0 ? errno : 0, "sendmsg");
	(void)nke_write(n->m[B], other[0], "hello", 5);
	(void)nke_close(n->m[B], other[1]);
	drain(n, B, pair[1]);
	memcpy(CMSG_DATA(&control.header), &pair[0], sizeof(int));
	(void)good(n, nke_sendmsg(n->m[B], pair[0], &msg, MSG_DONTWAIT) < 0 ? errno : 0, "sendmsg");
}

/* A connection by name, with somebody who watches. */
static void
local_stream(struct net *n)
{
	struct sockaddr_un sun = {.sun_family = AF_LOCAL, .sun_path = "/tmp/here"};
	int at = open_socket(n, B, AF_LOCAL, SOCK_STREAM, 0), from = open_socket(n, B, AF_LOCAL,
	    SOCK_STREAM, 0);
	struct nke_ready ready;
	int s;

	if (at < 0 || from < 0 ||
	    !good(n, nke_bind(n->m[B], at, (struct sockaddr *)&sun, sizeof sun) != 0 ? errno : 0, "bind") ||
	    !good(n, nke_listen(n->m[B], at, 5) != 0 ? errno : 0, "listen"))
		return;
	(void)good(n, nke_watch(n->m[B], at, POLLIN, NULL) != 0 ? errno : 0, "watch");
	(void)good(n, nke_connect(n->m[B], from, (struct sockaddr *)&sun, sizeof sun) != 0 ? errno :
	    0, "connect");
	while (nke_next_ready(n->m[B], &ready) == 1)
		n->received++;
	s = nke_accept(n->m[B], at, NULL, NULL);
	if (s < 0)
		return;
	(void)good(n, nke_write(n->m[B], from, &sun, sizeof sun) < 0 ? errno : 0, "write");
	(void)nke_recv(n->m[B], s, &sun, sizeof sun, MSG_WAITALL);
}

static void
talk(struct net *n)
{
	datagrams(n, "10.0.0.2", "10.0.1.2");
	datagrams(n, "2001:db8::2", "2001:db8:1::2");
	errors(n, "10.0.1.2", "10.9.9.9");
	errors(n, "2001:db8:1::2", "2001:db8:9::9");
	groups(n, "239.1.2.3");
	groups(n, "ff02::1234");
	routes(n, "10.7.0.0", "10.0.0.9");
	routes(n, "2001:db8:7::", "2001:db8::9");
	ping(n);
	descriptors(n);
	local_stream(n);
}

/* ---- the end ------------------------------------------------------------------------------ */

static void
check_memory(const struct net *n, unsigned i)
{
	static uint64_t blocks[HOSTS];	/* left when nothing fails */
	struct nke_memory memory;

	if (nke_panicked(n->m[i]))
		fail_msg("allocation %llu of machine %u: %s", (unsigned long long)n->n, n->where,
		    nke_panic_report(n->m[i]));
	nke_stats_memory(n->m[i], &memory);
	if (memory.mbufs != 0 || memory.clusters != 0)
		fail_msg("allocation %llu of machine %u: machine %u has %llu mbufs and %llu clusters",
		    (unsigned long long)n->n, n->where, i, (unsigned long long)memory.mbufs,
		    (unsigned long long)memory.clusters);
	if (n->n == 0)
		blocks[i] = memory.heap_blocks;
	else if (memory.heap_blocks > blocks[i] + (i == R ? BLOCKS_KEPT : 0))
		fail_msg("allocation %llu of machine %u: machine %u has %llu blocks, without failure %llu",
		    (unsigned long long)n->n, n->where, i, (unsigned long long)memory.heap_blocks,
		    (unsigned long long)blocks[i]);
}

static void
take_down(struct net *n, bool whole)
{
	for (unsigned i = 0; i < HOSTS; i++)
		for (int s = 0; n->m[i] != NULL && s < FD_END; s++)
			(void)nke_close(n->m[i], s);
	if (whole)
		wait(n, 200 * SECOND);
	for (unsigned i = 0; i <= HOSTS; i++)
		if (n->en[i] != NULL)
			(void)good(n, nke_iface_destroy(n->en[i]), "nke_iface_destroy");
	if (whole) {
		wait(n, 2000 * SECOND);
		for (unsigned i = 0; i < HOSTS; i++)
			check_memory(n, i);
	}
	for (unsigned i = 0; i < 2; i++)
		nke_wire_destroy(n->wire[i]);
	for (unsigned i = 0; i < HOSTS; i++)
		nke_destroy(n->m[i]);
	nke_world_destroy(n->world);
}

/* True when that allocation was reached, and so failed. */
static bool
run(unsigned where, uint64_t number)
{
	struct net n = {.n = number, .where = where};
	struct nke_memory memory = {.allocations = number};
	bool whole = build(&n);

	if (whole) {
		talk(&n);
		if (number == 0)
			assert_true(n.received >= 14);
	}
	if (n.m[where] != NULL)
		nke_stats_memory(n.m[where], &memory);
	take_down(&n, whole);
	return memory.allocations >= number;
}

static void
every_one(unsigned where)
{
	uint64_t n = 0;

	(void)run(where, 0);
	do
		n++;
	while (run(where, n));
	print_message("%llu allocations\n", (unsigned long long)n - 1);
}

static void
in_the_sender(void **state)
{
	(void)state;
	every_one(A);
}

static void
in_the_router(void **state)
{
	(void)state;
	every_one(R);
}

static void
in_the_receiver(void **state)
{
	(void)state;
	every_one(B);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_the_sender), cmocka_unit_test(in_the_router),
		cmocka_unit_test(in_the_receiver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
