/* src/net/routecalls.c: routes and addresses as the host configures and reads them. */
#include "src/net/routecalls.h"
#include "src/net/rtable_private.h"
#include "tests/unit/dlil_testing.h"

static struct ifnet *the;

/* x0: 10.0.0.1/24 */
static void
prepare(void)
{
	struct core_address a = {.interface = "x0", .family = AF_INET, .addr = {10, 0, 0, 1}, .prefix = 24};

	the = attached_interface("x", 0);
	the->mtu = 1500;
	CHECK_EQ(machine_address_add(curmachine(), &a), 0);
	CHECK_EQ(attach_recorder(the, PF_INET6), 0);
}

static struct core_route
by_gateway(uint8_t net, uint8_t last)
{
	return (struct core_route){
		.family = AF_INET, .dst = {net}, .prefix = 8, .has_gateway = true,
		.gateway = {10, 0, 0, last},
	};
}

KTEST(the_host_adds_changes_and_deletes_routes)
{
	struct core_route r = by_gateway(20, 254), got = {.family = AF_INET, .dst = {20, 1, 1, 1}};

	prepare();
	CHECK_EQ(machine_route_add(curmachine(), &r), 0);
	CHECK_EQ(machine_route_add(curmachine(), &r), EEXIST);
	CHECK_EQ(machine_route_get(curmachine(), &got), 0);
	CHECK_EQ(got.prefix, 8);
	CHECK(got.has_gateway && got.gateway[3] == 254);
	CHECK_STR(got.interface, "x0");
	CHECK_EQ(got.mtu, 1500);
	CHECK_EQ(got.metrics, 0);
	CHECK(got.flags & RTF_STATIC);
	r.gateway[3] = 253;
	r.metrics = CORE_METRIC_MTU | CORE_METRIC_RTT;
	r.mtu = 1400;
	r.rtt = 20000;
	CHECK_EQ(machine_route_change(curmachine(), &r), 0);
	CHECK_EQ(machine_route_get(curmachine(), &got), 0);
	CHECK_EQ(got.gateway[3], 253);
	CHECK_EQ(got.mtu, 1400);
	CHECK_EQ(got.rtt, 20000);
	CHECK_EQ(machine_route_delete(curmachine(), &r), 0);
	CHECK_EQ(machine_route_delete(curmachine(), &r), ESRCH);
	CHECK_EQ(machine_route_change(curmachine(), &r), ESRCH);
	CHECK_EQ(machine_route_get(curmachine(), &got), ESRCH);
}

KTEST(wrong_routes_of_the_host_are_refused)
{
	struct core_route r = by_gateway(20, 254);

	prepare();
	r.family = AF_LINK;
	CHECK_EQ(machine_route_add(curmachine(), &r), EAFNOSUPPORT);
	r = by_gateway(20, 254);
	r.prefix = 33;
	CHECK_EQ(machine_route_add(curmachine(), &r), EINVAL);
	r = by_gateway(20, 254);
	memcpy(r.interface, "nope0", 6);
	CHECK_EQ(machine_route_add(curmachine(), &r), ENXIO);
	memset(r.interface, 'x', sizeof r.interface);
	CHECK_EQ(machine_route_add(curmachine(), &r), ENXIO);
	r = by_gateway(20, 254);
	r.gateway[0] = 99;
	CHECK_EQ(machine_route_add(curmachine(), &r), ENETUNREACH);
	r.has_gateway = false;
	CHECK_EQ(machine_route_add(curmachine(), &r), EINVAL);
	/* What only the table sets is not taken over. */
	memcpy(r.interface, "x0", 3);
	r.flags = RTF_LOCAL | RTF_BLACKHOLE;
	CHECK_EQ(machine_route_add(curmachine(), &r), 0);
	CHECK_EQ(machine_route_get(curmachine(), &r), 0);
	CHECK_EQ(r.flags & (RTF_LOCAL | RTF_BLACKHOLE), RTF_BLACKHOLE);
	CHECK_EQ(machine_routes(curmachine(), 77, NULL, NULL), EAFNOSUPPORT);
}

static bool
count_route(void *ctx, const struct core_route *r)
{
	unsigned *n = ctx;

	CHECK(r->family == AF_INET || r->family == AF_INET6);
	return ++*n < 5;
}

KTEST(the_host_walks_until_it_has_enough)
{
	unsigned n = 0;

	prepare();
	CHECK_EQ(machine_routes(curmachine(), 0, count_route, &n), 0);
	CHECK_EQ(n, 5);
	n = 0;
	CHECK_EQ(machine_routes(curmachine(), AF_INET6, count_route, &n), 0);
	CHECK_EQ(n, 2);			/* ::1, and ff02::/16 on lo0 */
}

static struct core_address seen;

static bool
see_address(void *ctx, const struct core_address *a)
{
	if (a->family == *(const int *)ctx && memcmp(a->interface, "x0", 3) == 0)
		seen = *a;
	return true;
}

KTEST(the_host_adds_reads_and_removes_addresses)
{
	struct core_address a = {
		.interface = "x0", .family = AF_INET6, .addr = {0xfe, 0x80, [15] = 7}, .prefix = 64,
		.flags = 0x20, .preferred = 10, .valid = 5,
	};
	int family = AF_INET6;

	prepare();
	CHECK_EQ(machine_address_add(curmachine(), &a), EINVAL);
	a.valid = 60;
	CHECK_EQ(machine_address_add(curmachine(), &a), 0);
	CHECK_EQ(machine_address_add(curmachine(), &a), EEXIST);
	CHECK_EQ(machine_addresses(curmachine(), see_address, &family), 0);
	CHECK_EQ(memcmp(seen.addr, a.addr, 16), 0);
	CHECK_EQ(seen.prefix, 64);
	CHECK_EQ(seen.preferred, 10);
	CHECK_EQ(seen.valid, 60);
	a.prefix = 129;
	CHECK_EQ(machine_address_add(curmachine(), &a), EINVAL);
	CHECK_EQ(machine_address_remove(curmachine(), &a), 0);
	CHECK_EQ(machine_address_remove(curmachine(), &a), EADDRNOTAVAIL);
	a.interface[0] = '\0';
	CHECK_EQ(machine_address_remove(curmachine(), &a), ENXIO);
	CHECK_EQ(machine_address_add(curmachine(), &a), EINVAL);
	a.family = 1;
	CHECK_EQ(machine_address_add(curmachine(), &a), EAFNOSUPPORT);
	family = AF_INET;
	CHECK_EQ(machine_addresses(curmachine(), see_address, &family), 0);
	CHECK_EQ(seen.prefix, 24);
	CHECK_EQ(seen.valid, CORE_FOREVER);
}

KTEST_SUITE(routecalls,
    T(the_host_adds_changes_and_deletes_routes),
    T(wrong_routes_of_the_host_are_refused),
    T(the_host_walks_until_it_has_enough),
    T(the_host_adds_reads_and_removes_addresses));
