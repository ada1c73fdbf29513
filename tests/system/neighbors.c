/*
 * ARP and IPv6 neighbour discovery between two machines, from the outside.
 *
 *	[ A en0 10.0.0.1 fd00::1 ]----- wire 1 ms -----[ en0 10.0.0.2 fd00::2 B ]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <nke/iface.h>
#include <nke/nke.h>
#include <nke/socket.h>
#include <nke/wire.h>

#define SECOND	UINT64_C(1000000000)

struct host {
	nke_t *m;
	nke_iface_t *en0;
	char log[4096];
};

struct lab {
	nke_world_t *world;
	nke_wire_t *wire;
	struct host a, b;
};

static void
keep_log(void *ctx, const struct nke_log_record *record)
{
	struct host *h = ctx;
	size_t used = strlen(h->log);

	snprintf(h->log + used, sizeof h->log - used, "%s\n", record->text);
}

static socklen_t
address(struct sockaddr_storage *ss, const char *text, unsigned short port)
{
	struct sockaddr_in *sin = (void *)ss;
	struct sockaddr_in6 *sin6 = (void *)ss;

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

static void
add_address(struct host *h, const char *text, unsigned prefix)
{
	struct sockaddr_storage ss;
	socklen_t len = address(&ss, text, 0);

	assert_int_equal(nke_iface_add_address(h->en0, (struct sockaddr *)&ss, len, prefix), 0);
}

static void
make_host(struct lab *lab, struct host *h, unsigned char number)
{
	struct nke_config config = {.world = lab->world, .log = keep_log, .log_ctx = h};
	struct nke_iface_config iface = {.name = "en0", .lladdr = {2, 0, 0, 0, 0, number}};

	assert_int_equal(nke_create(&config, &h->m), 0);
	assert_int_equal(nke_iface_create(h->m, &iface, &h->en0), 0);
}

static int
set_up(void **state)
{
	struct nke_wire_config wire = {.delay_ns = 1000000};
	struct lab *lab = calloc(1, sizeof *lab);

	assert_non_null(lab);
	assert_int_equal(nke_world_create(NULL, &lab->world), 0);
	make_host(lab, &lab->a, 1);
	make_host(lab, &lab->b, 2);
	assert_int_equal(nke_wire_create(lab->a.m, &wire, 1, &lab->wire), 0);
	assert_int_equal(nke_wire_plug(lab->wire, lab->a.en0), 0);
	assert_int_equal(nke_wire_plug(lab->wire, lab->b.en0), 0);
	*state = lab;
	return 0;
}

static int
tear_down(void **state)
{
	struct lab *lab = *state;

	nke_wire_destroy(lab->wire);
	nke_destroy(lab->a.m);
	nke_destroy(lab->b.m);
	nke_world_destroy(lab->world);
	free(lab);
	return 0;
}

static void
addresses(struct lab *lab)
{
	add_address(&lab->a, "10.0.0.1", 24);
	add_address(&lab->a, "fd00::1", 64);
	add_address(&lab->b, "10.0.0.2", 24);
	add_address(&lab->b, "fd00::2", 64);
	assert_int_equal(nke_run_for(lab->a.m, 5 * SECOND), 0);
}

static int
listener(struct host *h, const char *text)
{
	struct sockaddr_storage ss;
	socklen_t len = address(&ss, text, 7);
	int s = nke_socket(h->m, ss.ss_family, SOCK_DGRAM, 0);

	assert_true(s >= 0);
	assert_int_equal(nke_bind(h->m, s, (struct sockaddr *)&ss, len), 0);
	return s;
}

static ssize_t
send_to(struct host *h, int s, const char *text, const char *data)
{
	struct sockaddr_storage ss;
	socklen_t len = address(&ss, text, 7);

	return nke_sendto(h->m, s, data, strlen(data), 0, (struct sockaddr *)&ss, len);
}

static void
exchange(struct lab *lab, const char *a, const char *b)
{
	int sa = listener(&lab->a, a), sb = listener(&lab->b, b);
	char buffer[16];

	/* All three wait for the neighbour's answer, and arrive in order. */
	assert_int_equal(send_to(&lab->a, sa, b, "one"), 3);
	assert_int_equal(send_to(&lab->a, sa, b, "two"), 3);
	assert_int_equal(send_to(&lab->a, sa, b, "six"), 3);
	assert_int_equal(nke_recv(lab->b.m, sb, buffer, sizeof buffer, 0), 3);
	assert_memory_equal(buffer, "one", 3);
	assert_int_equal(nke_recv(lab->b.m, sb, buffer, sizeof buffer, 0), 3);
	assert_memory_equal(buffer, "two", 3);
	assert_int_equal(nke_recv(lab->b.m, sb, buffer, sizeof buffer, 0), 3);
	assert_memory_equal(buffer, "six", 3);
	assert_int_equal(send_to(&lab->b, sb, a, "back"), 4);
	assert_int_equal(nke_recv(lab->a.m, sa, buffer, sizeof buffer, 0), 4);
	nke_close(lab->a.m, sa);
	nke_close(lab->b.m, sb);
}

static void
two_machines_find_each_other(void **state)
{
	addresses(*state);
	exchange(*state, "10.0.0.1", "10.0.0.2");
	exchange(*state, "fd00::1", "fd00::2");
}

static void
neighbours_that_were_silent_for_long_are_found_again(void **state)
{
	struct lab *lab = *state;

	addresses(lab);
	for (unsigned i = 0; i < 4; i++) {
		exchange(lab, "10.0.0.1", "10.0.0.2");
		exchange(lab, "fd00::1", "fd00::2");
		assert_int_equal(nke_run_for(lab->a.m, 1300 * SECOND), 0);
	}
}

static void
nobody_is_at_the_address(void **state)
{
	struct lab *lab = *state;
	int s;

	addresses(lab);
	s = listener(&lab->a, "10.0.0.1");
	assert_int_equal(send_to(&lab->a, s, "10.0.0.3", "x"), 1);
	assert_int_equal(nke_run_for(lab->a.m, 10 * SECOND), 0);
	/* Once for the datagram that waited, then for this one. */
	assert_int_equal(send_to(&lab->a, s, "10.0.0.3", "x"), -1);
	assert_true(errno == EHOSTUNREACH || errno == EHOSTDOWN);
	assert_int_equal(send_to(&lab->a, s, "10.0.0.3", "x"), -1);
	assert_int_equal(errno, EHOSTDOWN);
	assert_int_equal(nke_run_for(lab->a.m, 30 * SECOND), 0);
	add_address(&lab->b, "10.0.0.3", 24);
	assert_int_equal(send_to(&lab->a, s, "10.0.0.3", "x"), 1);
}

static void
the_second_with_an_address_hears_of_it(void **state)
{
	struct lab *lab = *state;

	addresses(lab);
	add_address(&lab->b, "10.0.0.1", 24);
	add_address(&lab->b, "fd00::1", 64);
	add_address(&lab->a, "fd00::11", 64);
	assert_int_equal(nke_run_for(lab->a.m, 5 * SECOND), 0);
	assert_non_null(strstr(lab->b.log, "duplicate IP address 10.0.0.1 sent from"));
	assert_non_null(strstr(lab->b.log, "duplicate IPv6 address fd00:"));
	assert_non_null(strstr(lab->a.log, "duplicate IP address 10.0.0.1 sent from"));
	assert_null(strstr(lab->a.log, "IPv6"));
	exchange(lab, "fd00::11", "fd00::2");
}

/* ---- without memory ----------------------------------------------------------------------- */

static void
try_address(struct host *h, const char *text, unsigned prefix)
{
	struct sockaddr_storage ss;
	socklen_t len = address(&ss, text, 0);

	(void)nke_iface_add_address(h->en0, (struct sockaddr *)&ss, len, prefix);
}

static void
try_to_send(struct host *h, int domain, const char *text)
{
	int s = nke_socket(h->m, domain, SOCK_DGRAM, 0);

	if (s < 0)
		return;
	(void)send_to(h, s, text, "data");
	(void)nke_run_for(h->m, 2 * SECOND);
	(void)send_to(h, s, text, "data");
	nke_close(h->m, s);
}

/* Everything above on a machine whose n-th allocation fails; what it says does not matter. */
static void
live_without(struct lab *lab, uint64_t n)
{
	struct nke_config config = {.world = lab->world, .fail_alloc = n};
	struct nke_iface_config iface = {.name = "en0", .lladdr = {2, 0, 0, 0, 0, 3}};
	struct host c = {0};

	if (nke_create(&config, &c.m) != 0)
		return;
	if (nke_iface_create(c.m, &iface, &c.en0) == 0 && nke_wire_plug(lab->wire, c.en0) == 0) {
		try_address(&c, "10.0.0.3", 24);
		try_address(&c, "fd00::3", 64);
		assert_int_equal(nke_run_for(c.m, 5 * SECOND), 0);
		try_to_send(&c, AF_INET, "10.0.0.1");
		try_to_send(&c, AF_INET, "10.0.0.99");
		try_to_send(&c, AF_INET6, "fd00::1");
		try_to_send(&c, AF_INET6, "fd00::99");
		assert_int_equal(nke_run_for(c.m, 10 * SECOND), 0);
	}
	nke_destroy(c.m);
}

static void
any_allocation_may_fail(void **state)
{
	struct lab *lab = *state;

	add_address(&lab->a, "10.0.0.1", 24);
	add_address(&lab->a, "fd00::1", 64);
	nke_iface_destroy(lab->b.en0);
	for (uint64_t n = 1; n <= 700; n++)
		live_without(lab, n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_machines_find_each_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(neighbours_that_were_silent_for_long_are_found_again, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(nobody_is_at_the_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_second_with_an_address_hears_of_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(any_allocation_may_fail, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
