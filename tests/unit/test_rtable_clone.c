/* src/net/rtable_clone.c: host routes that nobody configured, and what has a time limit. */
#include "tests/unit/rtable_testing.h"

/* ---- clones ------------------------------------------------------------------------------- */

KTEST(use_makes_host_routes)
{
	struct rtentry *rt;

	prepare();
	CHECK_EQ(set_default(254), 0);
	CHECK(!(find(8, 8, 8, 8, NULL, 0)->rt_flags & RTF_HOST));
	rt = find(8, 8, 8, 8, NULL, RT_CLONE);
	CHECK_EQ(rt->rt_flags & (RTF_UP | RTF_HOST | RTF_WASCLONED | RTF_GATEWAY | RTF_PRCLONING),
	    RTF_UP | RTF_HOST | RTF_WASCLONED | RTF_GATEWAY);
	CHECK_EQ(gateway_of(rt), 0x0a0000fe);
	CHECK(find(8, 8, 8, 8, NULL, RT_CLONE) == rt);
	CHECK(find(8, 8, 8, 9, NULL, RT_CLONE) != rt);
	/* What is on the link needs none. */
	CHECK(!(find(10, 0, 0, 9, NULL, RT_CLONE)->rt_flags & RTF_HOST));
	/* Nor does multicast. */
	CHECK_EQ(find(224, 1, 1, 1, NULL, RT_CLONE)->rt_plen, 4);
	CHECK_EQ(curmachine()->rtable->clone_count, 2);
	/* They go with their parent, and with a better one. */
	CHECK_EQ(add(ipv4(8, 8, 8, 0), 24, NULL, other, 0), 0);
	CHECK_EQ(curmachine()->rtable->clone_count, 0);
	CHECK(find(8, 8, 8, 8, NULL, RT_CLONE)->rt_ifp == other);
	(void)find(9, 9, 9, 9, NULL, RT_CLONE);
	CHECK_EQ(set_default(253), 0);
	CHECK_EQ(curmachine()->rtable->clone_count, 0);
	CHECK_EQ(gateway_of(find(9, 9, 9, 9, NULL, 0)), 0x0a0000fd);
}

KTEST(clones_are_bounded_and_those_in_use_stay)
{
	struct sockaddr_in mine = ipv4(7, 7, 7, 7);
	struct rtable *t = curmachine()->rtable;
	struct rtentry *used, *recent;

	prepare();
	CHECK_EQ(set_default(254), 0);
	used = rt_lookup(curmachine(), SA(mine), NULL, RT_CLONE);
	for (unsigned i = 0; i < 5 * RT_CLONES_MAX; i++) {
		(void)find(20, 0, (uint8_t)(i >> 8), (uint8_t)i, NULL, RT_CLONE);
		if (i % 100 == 0)
			(void)find(21, 0, 0, 1, NULL, RT_CLONE);	/* always among the young ones */
	}
	CHECK_EQ(t->clone_count, RT_CLONES_MAX);
	CHECK(used->rt_flags & RTF_UP);
	recent = find(21, 0, 0, 1, NULL, 0);
	CHECK(recent->rt_flags & RTF_HOST);
	CHECK(!(find(20, 0, 0, 0, NULL, 0)->rt_flags & RTF_HOST));
	rt_release(used);
}

KTEST(when_all_clones_are_in_use_the_parent_serves)
{
	struct rtentry *held[4];
	struct rtable *t = curmachine()->rtable;
	struct sockaddr_in dst;

	prepare();
	t->clone_max = 4;
	CHECK_EQ(set_default(254), 0);
	for (uint8_t i = 0; i < 4; i++) {
		dst = ipv4(20, 0, 0, i);
		held[i] = rt_lookup(curmachine(), SA(dst), NULL, RT_CLONE);
	}
	CHECK(!(find(20, 0, 0, 9, NULL, RT_CLONE)->rt_flags & RTF_HOST));
	dst = ipv4(20, 0, 0, 9);
	CHECK(!rt_set_path_mtu(curmachine(), SA(dst), 1000));
	for (int i = 0; i < 4; i++)
		rt_release(held[i]);
	CHECK(find(20, 0, 0, 9, NULL, RT_CLONE)->rt_flags & RTF_HOST);
	CHECK_EQ(t->clone_count, 4);
}

KTEST(unused_clones_get_too_old)
{
	struct rtable *t = curmachine()->rtable;
	struct sockaddr_in mine = ipv4(7, 7, 7, 7);
	struct rtentry *used;

	prepare();
	CHECK_EQ(set_default(254), 0);
	used = rt_lookup(curmachine(), SA(mine), NULL, RT_CLONE);
	(void)find(8, 8, 8, 8, NULL, RT_CLONE);
	wait_for(RT_EXPIRE - 1);
	CHECK_EQ(t->clone_count, 2);
	wait_for(2);
	CHECK_EQ(t->clone_count, 1);
	/* As long as it is used nothing is going to happen: the world may come to rest. */
	CHECK(!callout_pending(&t->sweep));
	rt_release(used);
	CHECK(callout_pending(&t->sweep));
	wait_for(RT_EXPIRE + 1);
	CHECK_EQ(t->clone_count, 0);
	CHECK(!callout_pending(&t->sweep));
}

/* ---- path MTU ----------------------------------------------------------------------------- */

KTEST(path_mtus_are_kept_for_ten_minutes)
{
	struct sockaddr_in far = ipv4(8, 8, 8, 8), near = ipv4(10, 0, 0, 9), own = ipv4(10, 0, 0, 1);
	struct sockaddr_in6 far6 = ipv6(0x20, 0x01, 9);
	struct nke *m = curmachine();
	struct route ro = {0};

	prepare();
	CHECK(!rt_set_path_mtu(m, SA(far), 1000));	/* no route */
	CHECK_EQ(set_default(254), 0);
	CHECK_EQ(rt_mtu(route_get(m, &ro, SA(far), NULL)), 1500);
	CHECK(rt_set_path_mtu(m, SA(far), 1400));
	CHECK_EQ(rt_mtu(route_get(m, &ro, SA(far), NULL)), 1400);
	CHECK(!rt_set_path_mtu(m, SA(far), 1400));
	CHECK(!rt_set_path_mtu(m, SA(far), 1450));
	CHECK(rt_set_path_mtu(m, SA(far), 0));
	CHECK_EQ(rt_mtu(route_get(m, &ro, SA(far), NULL)), 68);
	CHECK_EQ(rt_mtu(find(8, 8, 8, 9, NULL, 0)), 1500);
	CHECK(rt_set_path_mtu(m, SA(near), 576));	/* a route made for it */
	CHECK_EQ(rt_mtu(find(10, 0, 0, 9, NULL, 0)), 576);
	CHECK_EQ(rt_mtu(find(10, 0, 0, 8, NULL, 0)), 1500);
	CHECK(!rt_set_path_mtu(m, SA(own), 576));
	CHECK(rt_set_path_mtu(m, SA(far6), 500));
	CHECK(!rt_set_path_mtu(m, SA(far6), 1279));
	wait_for(599);
	CHECK_EQ(rt_mtu(route_get(m, &ro, SA(far), NULL)), 68);
	wait_for(2);
	CHECK_EQ(rt_mtu(route_get(m, &ro, SA(far), NULL)), 1500);
	route_clear(&ro);
}

KTEST(a_locked_mtu_is_not_touched)
{
	struct sockaddr_in far = ipv4(8, 8, 8, 8);

	prepare();
	CHECK_EQ(set_default(254), 0);
	find(8, 8, 8, 8, NULL, RT_CLONE)->rt_rmx.rmx_locks = RTV_MTU;
	CHECK(!rt_set_path_mtu(curmachine(), SA(far), 1000));
	CHECK_EQ(rt_mtu(find(8, 8, 8, 8, NULL, 0)), 1500);
}

/* ---- redirects ---------------------------------------------------------------------------- */

static void
redirect(struct sockaddr_in dst, struct sockaddr_in gateway, struct sockaddr_in source, struct ifnet *ifp)
{
	rt_redirect(curmachine(), SA(dst), SA(gateway), SA(source), ifp);
}

KTEST(redirects_are_believed_from_the_first_hop_about_neighbours)
{
	const struct rtstat *stat = &curmachine()->rtable->stat;
	struct sockaddr_in far = ipv4(8, 8, 8, 8), router = ipv4(10, 0, 0, 254), better = ipv4(10, 0, 0, 253);

	prepare();
	CHECK_EQ(set_default(254), 0);
	redirect(far, better, ipv4(10, 0, 0, 252), the);	/* not our router */
	redirect(far, better, router, other);			/* not by that interface */
	redirect(far, ipv4(10, 1, 0, 253), router, the);	/* not a neighbour there */
	redirect(far, ipv4(10, 0, 0, 1), router, the);		/* us */
	redirect(ipv4(10, 0, 0, 9), better, router, the);	/* needs no router */
	redirect(ipv4(224, 0, 0, 9), better, router, the);
	redirect(far, ipv4(224, 0, 0, 9), router, the);
	redirect(ipv4(10, 0, 0, 1), better, router, the);
	redirect(ipv4(127, 0, 0, 1), better, router, the);
	CHECK_EQ(stat->rts_badredirect, 9);
	CHECK_EQ(curmachine()->rtable->clone_count, 0);
	redirect(far, better, router, the);
	CHECK_EQ(stat->rts_dynamic, 1);
	CHECK_EQ(gateway_of(find(8, 8, 8, 8, NULL, RT_CLONE)), 0x0a0000fd);
	CHECK_EQ(gateway_of(find(8, 8, 8, 9, NULL, 0)), 0x0a0000fe);
	redirect(far, ipv4(10, 0, 0, 251), router, the);	/* not its first hop any more */
	CHECK_EQ(stat->rts_badredirect, 10);
	redirect(far, ipv4(10, 0, 0, 251), better, the);
	CHECK_EQ(stat->rts_newgateway, 1);
	CHECK_EQ(gateway_of(find(8, 8, 8, 8, NULL, 0)), 0x0a0000fb);
	wait_for(RT_REDIRECT_SECONDS + 1);
	CHECK_EQ(gateway_of(find(8, 8, 8, 8, NULL, 0)), 0x0a0000fe);
}

KTEST(a_flood_of_redirects_is_bounded)
{
	struct sockaddr_in router = ipv4(10, 0, 0, 254), better = ipv4(10, 0, 0, 253);

	prepare();
	CHECK_EQ(set_default(254), 0);
	for (unsigned i = 0; i < 4 * RT_CLONES_MAX; i++)
		redirect(ipv4(20, 0, (uint8_t)(i >> 8), (uint8_t)i), better, router, the);
	CHECK_EQ(curmachine()->rtable->clone_count, RT_CLONES_MAX);
	/* A new router makes all of them void. */
	CHECK_EQ(set_default(252), 0);
	CHECK_EQ(curmachine()->rtable->clone_count, 0);
}

KTEST(ipv6_redirects_name_link_local_routers_or_the_host_itself)
{
	struct sockaddr_in6 router = ipv6(0xfe, 0x80, 9), better = ipv6(0xfe, 0x80, 8);
	struct sockaddr_in6 global = ipv6(0x20, 0x01, 8);
	struct sockaddr_in6 a = ipv6(0x30, 0x01, 1), b = ipv6(0x30, 0x01, 2), c = ipv6(0x30, 0x01, 3);
	struct nke *m = curmachine();
	struct rtentry *rt;

	prepare();
	CHECK_EQ(route_set_default(m, AF_INET6, the, SA(router)), 0);
	rt_redirect(m, SA(a), SA(global), SA(router), the);
	CHECK_EQ(m->rtable->stat.rts_badredirect, 1);
	rt_redirect(m, SA(b), SA(better), SA(router), the);
	rt_redirect(m, SA(c), SA(c), SA(router), the);
	CHECK_EQ(m->rtable->stat.rts_dynamic, 2);
	rt = rt_lookup(m, SA(b), NULL, 0);
	CHECK_EQ(((struct sockaddr_in6 *)(void *)&rt->rt_gateway)->sin6_addr.s6_addr[15], 8);
	CHECK_EQ(((struct sockaddr_in6 *)(void *)&rt->rt_gateway)->sin6_scope_id, the->index);
	rt_release(rt);
	rt = rt_lookup(m, SA(c), NULL, 0);
	CHECK(!(rt->rt_flags & RTF_GATEWAY));
	CHECK_EQ(rt->rt_gateway.ss_family, AF_LINK);
	rt_release(rt);
}

KTEST(a_losing_route_that_was_learned_is_given_up)
{
	struct sockaddr_in far = ipv4(8, 8, 8, 8), router = ipv4(10, 0, 0, 254), better = ipv4(10, 0, 0, 253);
	struct rtentry *rt;

	prepare();
	CHECK_EQ(set_default(254), 0);
	redirect(far, better, router, the);
	rt = rt_lookup(curmachine(), SA(far), NULL, 0);
	rt_losing(rt);
	CHECK(!(rt->rt_flags & RTF_UP));
	rt_release(rt);
	rt = find(8, 8, 8, 8, NULL, 0);
	CHECK_EQ(gateway_of(rt), 0x0a0000fe);
	rt_losing(rt);
	CHECK(rt->rt_flags & RTF_UP);
}

/* ---- no memory ---------------------------------------------------------------------------- */

static bool
one_of(errno_t error, errno_t a, errno_t b)
{
	return error == 0 || error == a || error == b;
}

/* A bit of everything, in which one allocation fails: what could not be made is said, and not there. */
static void
do_a_lot(void)
{
	struct sockaddr_in a = ipv4(30, 0, 0, 1), b = ipv4(30, 0, 0, 2), mask = ipv4(255, 255, 255, 0);
	struct sockaddr_in router = ipv4(10, 0, 0, 254), far = ipv4(8, 8, 8, 8), zero = ipv4(0, 0, 0, 0);
	struct nke *m = curmachine();
	errno_t error;

	error = ifaddr_add(the, SA(a), SA(mask), NULL);
	CHECK(one_of(error, ENOMEM, ENOBUFS));
	CHECK_EQ(ifaddr_find(m, SA(a)) != NULL, error == 0);
	CHECK(one_of(ifaddr_add(the, SA(b), SA(mask), NULL), ENOMEM, ENOBUFS));
	error = set_default(254);
	CHECK(one_of(error, ENOBUFS, ENOMEM));
	CHECK(one_of(add(ipv4(8, 8, 0, 0), 16, &router, NULL, RTF_STATIC), ENOBUFS, ENOMEM));
	if (error == 0) {
		CHECK(find(8, 8, 8, 8, NULL, RT_CLONE) != NULL);
		(void)rt_set_path_mtu(m, SA(far), 1000);
		redirect(ipv4(9, 9, 9, 9), ipv4(10, 0, 0, 253), router, the);
	}
	m->config.fail_alloc = 0;
	(void)rt_delete(m, SA(zero), 0, NULL);
	zero = ipv4(8, 8, 0, 0);
	(void)rt_delete(m, SA(zero), 16, NULL);
	(void)ifaddr_remove(the, SA(a));
	(void)ifaddr_remove(the, SA(b));
}

KTEST(memory_may_run_out_anywhere)
{
	struct rtable *t = curmachine()->rtable;
	struct core_memory memory;
	uint64_t blocks;
	uint32_t before;

	prepare();
	do_a_lot();
	before = t->count;
	machine_memory(curmachine(), &memory);
	blocks = memory.heap_blocks;
	for (unsigned n = 1; n < 60; n++) {
		machine_memory(curmachine(), &memory);
		curmachine()->config.fail_alloc = memory.allocations + n;
		do_a_lot();
		machine_memory(curmachine(), &memory);
		CHECK_EQ(memory.heap_blocks, blocks);
		CHECK_EQ(t->count, before);
		CHECK_EQ(t->clone_count, 0);
		check_trie(t->root[0]);
	}
}

KTEST(a_path_mtu_that_is_forgotten_leaves_the_networks_own)
{
	struct sockaddr_in far = ipv4(8, 8, 8, 8), net = ipv4(8, 8, 8, 0), gateway = ipv4(10, 0, 0, 254);
	struct rt_metrics metrics = {.rmx_mtu = 1400};
	struct rt_request r = {
		.dst = SA(net), .prefix = 24, .gateway = SA(gateway), .flags = RTF_STATIC,
		.metrics = &metrics, .inits = RTV_MTU,
	};
	struct route ro = {0};

	prepare();
	CHECK_EQ(rt_add(curmachine(), &r, NULL), 0);
	CHECK(rt_set_path_mtu(curmachine(), SA(far), 1300));
	CHECK_EQ(rt_mtu(route_get(curmachine(), &ro, SA(far), NULL)), 1300);
	wait_for(601);
	CHECK_EQ(rt_mtu(route_get(curmachine(), &ro, SA(far), NULL)), 1400);
	route_clear(&ro);
}

KTEST(a_broadcast_address_is_no_router)
{
	struct sockaddr_in far = ipv4(8, 8, 8, 8), router = ipv4(10, 0, 0, 254);

	prepare();
	CHECK_EQ(set_default(254), 0);
	redirect(far, ipv4(10, 0, 0, 255), router, the);
	CHECK_EQ(gateway_of(find(8, 8, 8, 8, NULL, 0)), 0x0a0000fe);
}

KTEST_SUITE(rtable_clone,
    T(use_makes_host_routes),
    T(clones_are_bounded_and_those_in_use_stay),
    T(when_all_clones_are_in_use_the_parent_serves),
    T(unused_clones_get_too_old),
    T(path_mtus_are_kept_for_ten_minutes),
    T(a_locked_mtu_is_not_touched),
    T(redirects_are_believed_from_the_first_hop_about_neighbours),
    T(a_flood_of_redirects_is_bounded),
    T(ipv6_redirects_name_link_local_routers_or_the_host_itself),
    T(a_losing_route_that_was_learned_is_given_up),
    T(memory_may_run_out_anywhere),
    T(a_path_mtu_that_is_forgotten_leaves_the_networks_own),
    T(a_broadcast_address_is_no_router));
