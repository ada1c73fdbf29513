/*
 * Every allocation of a TCP conversation fails once, one after the other, in each of its two machines.
 * Whatever fails, a call gives an error, or a packet is lost and sent again; nothing crashes or waits for
 * ever, no octet is wrong, and nothing is left behind.
 *
 *	[ A en0 10.0.0.1, 2001:db8::1 ]----- wire that loses and reorders -----[ en0 10.0.0.2, 2001:db8::2 B ]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <nke/socket.h>
#include <nke/stats.h>
#include <nke/sysctl.h>
#include <nke/wire.h>

#define MS		UINT64_C(1000000)
#define SECOND		(1000 * MS)
#define DATA		60000u		/* octets each way */
#define FD_END		16		/* no descriptor is higher */
#define PATIENCE	(400 * SECOND)	/* longer than any timer gives up */
/* What a machine may have more than at first: larger tables, routes; kept for reuse, what was in flight. */
#define BLOCKS_KEPT	(DATA / 1448 + 8)

enum { A, B, HOSTS };

struct conversation {
	uint64_t n;			/* the allocation that fails; 0: none */
	unsigned where;
	int family;
	nke_world_t *world;
	nke_t *m[HOSTS];
	nke_iface_t *en[HOSTS];
	nke_wire_t *wire;
	int s[HOSTS];			/* the two ends; -1: not there */
	size_t sent[HOSTS], received[HOSTS];
	bool shut[HOSTS], ended[HOSTS];
};

static uint8_t
octet(unsigned from, size_t i)
{
	return (uint8_t)(i * 7 + (i >> 8) + from * 101);
}

/* When nothing fails everything works, else what fails says so. */
static bool
good(const struct conversation *c, int error, const char *what)
{
	if (error == 0)
		return true;
	if (c->n == 0 || error == EFAULT || error == EDEADLK)
		fail_msg("allocation %llu of machine %u: %s: %s", (unsigned long long)c->n, c->where, what,
		    strerror(error));
	return false;
}

/* Of machine `i`; HOSTS: any. */
static socklen_t
address(int family, unsigned i, uint16_t port, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof *ss);
	ss->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		sin->sin_port = htons(port);
		sin->sin_addr.s_addr = i < HOSTS ? htonl(0x0a000001u + i) : INADDR_ANY;
		return sizeof *sin;
	}
	sin6->sin6_port = htons(port);
	if (i < HOSTS) {
		assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &sin6->sin6_addr), 1);
		sin6->sin6_addr.s6_addr[15] = (uint8_t)(1 + i);
	}
	return sizeof *sin6;
}

/* ---- building ----------------------------------------------------------------------------- */

static bool
build(struct conversation *c)
{
	const struct nke_wire_config bad = {.delay_ns = MS, .loss = 0.05, .reorder = 0.1,
	    .reorder_ns = 3 * MS};

	assert_int_equal(nke_world_create(NULL, &c->world), 0);
	for (unsigned i = 0; i < HOSTS; i++) {
		struct nke_config config = {.world = c->world, .seed = 7,
		    .fail_alloc = i == c->where ? c->n : 0};
		struct nke_iface_config iface = {.name = "en0", .lladdr = {2, 0, 0, 0, 0, (uint8_t)(i + 1)}};
		struct sockaddr_storage ss;
		socklen_t len = address(c->family, i, 0, &ss);

		if (!good(c, nke_create(&config, &c->m[i]), "nke_create") ||
		    !good(c, nke_iface_create(c->m[i], &iface, &c->en[i]), "nke_iface_create") ||
		    !good(c, nke_iface_add_address(c->en[i], (struct sockaddr *)&ss, len,
		    c->family == AF_INET ? 24 : 64), "nke_iface_add_address"))
			return false;
	}
	if (!good(c, nke_wire_create(c->m[A], NULL, 3, &c->wire), "nke_wire_create"))
		return false;
	for (unsigned i = 0; i < HOSTS; i++)
		if (!good(c, nke_wire_plug(c->wire, c->en[i]), "nke_wire_plug"))
			return false;
	/* Its addresses are found to be nobody else's. */
	if (!good(c, nke_run_for(c->m[A], 3 * SECOND), "nke_run_for"))
		return false;
	return good(c, nke_wire_configure(c->wire, NULL, &bad), "nke_wire_configure");
}

/* ---- talking ------------------------------------------------------------------------------ */

static void
say(struct conversation *c, unsigned i)
{
	uint8_t data[3000];

	while (c->sent[i] < DATA) {
		size_t n = DATA - c->sent[i] < sizeof data ? DATA - c->sent[i] : sizeof data;
		ssize_t done;

		for (size_t k = 0; k < n; k++)
			data[k] = octet(i, c->sent[i] + k);
		done = nke_send(c->m[i], c->s[i], data, n, 0);
		if (done <= 0)
			return;
		c->sent[i] += (size_t)done;
	}
	if (!c->shut[i])
		c->shut[i] = nke_shutdown(c->m[i], c->s[i], SHUT_WR) == 0;
}

static void
hear(struct conversation *c, unsigned i)
{
	uint8_t data[4000];
	ssize_t n;

	while ((n = nke_recv(c->m[i], c->s[i], data, sizeof data, 0)) > 0)
		for (ssize_t k = 0; k < n; k++)
			if (data[k] != octet(1 - i, c->received[i]++))
				fail_msg("allocation %llu of machine %u: octet %zu is wrong",
				    (unsigned long long)c->n, c->where, c->received[i] - 1);
	/* An end, or an error: nothing will come any more. */
	c->ended[i] = n == 0 || (errno != EWOULDBLOCK && errno != ENOTCONN && errno != ENOBUFS);
}

static int
listener(struct conversation *c)
{
	struct sockaddr_storage ss;
	socklen_t len = address(c->family, HOSTS, 80, &ss);
	int l = nke_socket(c->m[B], c->family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (!good(c, l < 0 ? errno : 0, "nke_socket") ||
	    !good(c, nke_bind(c->m[B], l, (struct sockaddr *)&ss, len) != 0 ? errno : 0,
	    "nke_bind") || !good(c, nke_listen(c->m[B], l, 5) != 0 ? errno : 0, "nke_listen"))
		return -1;
	return l;
}

static bool
dial(struct conversation *c)
{
	struct sockaddr_storage ss;
	socklen_t len = address(c->family, B, 80, &ss);

	c->s[A] = nke_socket(c->m[A], c->family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (!good(c, c->s[A] < 0 ? errno : 0, "nke_socket"))
		return false;
	return nke_connect(c->m[A], c->s[A], (struct sockaddr *)&ss, len) == 0 ||
	    errno == EINPROGRESS || good(c, errno, "nke_connect");
}

static void
talk(struct conversation *c)
{
	uint64_t begun = nke_uptime(c->m[A]);
	int l = listener(c);

	if (l < 0 || !dial(c))
		return;
	while (!(c->ended[A] && c->ended[B]) && nke_uptime(c->m[A]) - begun < PATIENCE) {
		if (c->s[B] < 0)
			c->s[B] = nke_accept(c->m[B], l, NULL, NULL);
		for (unsigned i = 0; i < HOSTS; i++) {
			if (c->s[i] >= 0) {
				say(c, i);
				hear(c, i);
			}
		}
		if (c->ended[A] && c->s[B] < 0)
			break;
		assert_int_equal(nke_run_for(c->m[A], 5 * MS), 0);
	}
	if (c->n == 0)
		for (unsigned i = 0; i < HOSTS; i++)
			assert_int_equal(c->received[i], DATA);
}

/* ---- what is left ------------------------------------------------------------------------- */

static void
check(const struct conversation *c, unsigned i)
{
	static uint64_t blocks[HOSTS];
	struct nke_memory memory;

	if (c->m[i] == NULL)
		return;
	if (nke_panicked(c->m[i]))
		fail_msg("allocation %llu of machine %u: %s", (unsigned long long)c->n, c->where,
		    nke_panic_report(c->m[i]));
	nke_stats_memory(c->m[i], &memory);
	if (memory.mbufs != 0 || memory.clusters != 0)
		fail_msg("allocation %llu of machine %u: machine %u has %llu mbufs", (unsigned long long)c->n,
		    c->where, i, (unsigned long long)memory.mbufs);
	if (c->n == 0)
		blocks[i] = memory.heap_blocks;
	else if (memory.heap_blocks > blocks[i] + BLOCKS_KEPT)
		fail_msg("allocation %llu of machine %u: machine %u has %llu blocks, without failure %llu",
		    (unsigned long long)c->n, c->where, i, (unsigned long long)memory.heap_blocks,
		    (unsigned long long)blocks[i]);
}

static void
take_down(struct conversation *c, bool whole)
{
	for (unsigned i = 0; i < HOSTS; i++)
		for (int s = 0; c->m[i] != NULL && s < FD_END; s++)
			(void)nke_close(c->m[i], s);
	if (whole) {
		/* Connections end, TIME_WAIT does, too. */
		assert_int_equal(nke_run_for(c->m[A], 1200 * SECOND), 0);
		for (unsigned i = 0; i < HOSTS; i++)
			check(c, i);
	}
	if (c->wire != NULL)
		nke_wire_destroy(c->wire);
	for (unsigned i = 0; i < HOSTS; i++)
		if (c->m[i] != NULL)
			nke_destroy(c->m[i]);
	nke_world_destroy(c->world);
}

/* How many allocations machine `where` has made. */
static uint64_t
run(int family, uint64_t n, unsigned where)
{
	struct conversation c = {.n = n, .where = where, .family = family, .s = {-1, -1}};
	struct nke_memory memory = {0};
	bool whole = build(&c);

	if (whole)
		talk(&c);
	if (c.m[where] != NULL)
		nke_stats_memory(c.m[where], &memory);
	take_down(&c, whole);
	return memory.allocations;
}

static void
each_in_turn(int family)
{
	for (unsigned where = 0; where < HOSTS; where++) {
		uint64_t n = 1, all = run(family, 0, where);

		assert_true(all > 100);
		/* A run in which one failed makes others: until one has made fewer than would be needed. */
		while (run(family, n, where) >= n || n <= all)
			n++;
	}
}

static void
every_allocation_fails(void **state)
{
	(void)state;
	each_in_turn(AF_INET);
}

static void
every_allocation_fails_of_ipv6(void **state)
{
	(void)state;
	each_in_turn(AF_INET6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_fails), cmocka_unit_test(every_allocation_fails_of_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
