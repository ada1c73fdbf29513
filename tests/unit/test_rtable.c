/* src/net/rtable.c, rtrie.c, rtkey.c, rtable_addr.c, route.c: the routing table. */
#include "src/kern/prng.h"
#include "tests/unit/rtable_testing.h"

/* ---- against a table that is searched one by one ------------------------------------------- */

#define ORACLE	400

static struct oracle {
	bool used;
	uint8_t plen;
	uint8_t bytes[16];
} oracle[ORACLE];

static struct sockaddr_storage
sockaddr_from(sa_family_t family, const uint8_t bytes[16])
{
	struct sockaddr_in sin = ipv4(bytes[0], bytes[1], bytes[2], bytes[3]);
	struct sockaddr_in6 sin6 = ipv6(0, 0, 0);
	struct sockaddr_storage ss;

	memset(&ss, 0, sizeof ss);
	memcpy(&sin6.sin6_addr, bytes, 16);
	if (family == AF_INET)
		memcpy(&ss, &sin, sizeof sin);
	else
		memcpy(&ss, &sin6, sizeof sin6);
	return ss;
}

static bool
in_prefix(const struct oracle *o, const uint8_t *a)
{
	for (unsigned i = 0; i < o->plen; i++)
		if (((o->bytes[i / 8] ^ a[i / 8]) & (0x80 >> i % 8)) != 0)
			return false;
	return true;
}

/* Few different bits, so that prefixes nest and fork; 20/8 or 3000::/8 in front. */
static void
random_address(sa_family_t family, uint8_t a[16])
{
	uint32_t r = prng_u32(curmachine());

	memset(a, 0, 16);
	a[0] = family == AF_INET ? 20 : 0x30;
	a[1] = (uint8_t)(r << 7);
	a[2] = (uint8_t)(r >> 8 & 3);
	a[3] = (uint8_t)(r >> 16);
	if (family == AF_INET6) {
		a[7] = (uint8_t)(r >> 24 & 1);
		a[8] = (uint8_t)(r >> 25 & 3);
		a[15] = (uint8_t)(r >> 28);
	}
}

static void
cut(uint8_t *a, unsigned plen)
{
	for (unsigned i = plen; i < 128; i++)
		a[i / 8] &= (uint8_t)~(0x80 >> i % 8);
}

static void
change_at_random(sa_family_t family)
{
	unsigned i = prng_u32(curmachine()) % ORACLE, bits = rt_host_bits(family);
	struct oracle *o = &oracle[i], *twin = NULL;
	struct sockaddr_storage ss;
	struct rt_request r = {.dst = rt_sa(&ss), .ifp = the};

	if (o->used) {
		ss = sockaddr_from(family, o->bytes);
		CHECK_EQ(rt_delete(curmachine(), rt_sa(&ss), o->plen, NULL), 0);
		CHECK_EQ(rt_delete(curmachine(), rt_sa(&ss), o->plen, NULL), ESRCH);
		o->used = false;
		return;
	}
	random_address(family, o->bytes);
	o->plen = (uint8_t)(8 + prng_u32(curmachine()) % (bits - 7));
	ss = sockaddr_from(family, o->bytes);	/* host bits and all: the table cuts them off */
	cut(o->bytes, o->plen);
	for (unsigned j = 0; j < ORACLE; j++)
		if (oracle[j].used && oracle[j].plen == o->plen && memcmp(oracle[j].bytes, o->bytes, 16) == 0)
			twin = &oracle[j];
	r.prefix = o->plen;
	CHECK_EQ(rt_add(curmachine(), &r, NULL), twin != NULL ? EEXIST : 0);
	o->used = twin == NULL;
}

static void
look_up_at_random(sa_family_t family)
{
	const struct oracle *best = NULL;
	struct sockaddr_storage ss;
	struct rtentry *rt;
	uint8_t a[16];

	random_address(family, a);
	for (unsigned i = 0; i < ORACLE; i++)
		if (oracle[i].used && in_prefix(&oracle[i], a) &&
		    (best == NULL || oracle[i].plen > best->plen))
			best = &oracle[i];
	ss = sockaddr_from(family, a);
	rt = rt_lookup(curmachine(), rt_sa(&ss), NULL, 0);
	CHECK_EQ(rt != NULL, best != NULL);
	if (best == NULL)
		return;
	CHECK_EQ(rt->rt_plen, best->plen);
	ss = sockaddr_from(family, best->bytes);
	CHECK_EQ(memcmp(&rt->rt_dst, &ss, sizeof ss), 0);
	rt_release(rt);
}

struct walked {
	unsigned count;
	struct rt_key last;
	uint8_t last_plen;
	bool ordered;
};

static bool
walk_one(struct rtentry *rt, void *ctx)
{
	struct walked *w = ctx;
	const struct rt_key *k = &rt->rt_node->key;
	bool same = k->w[0] == w->last.w[0] && k->w[1] == w->last.w[1];
	bool less = k->w[0] < w->last.w[0] || (k->w[0] == w->last.w[0] && k->w[1] < w->last.w[1]);

	if (w->count++ != 0 && (less || (same && rt->rt_plen < w->last_plen)))
		w->ordered = false;
	w->last = *k;
	w->last_plen = rt->rt_plen;
	return true;
}

static void
compare_with_oracle(sa_family_t family)
{
	struct rtable *t = curmachine()->rtable;
	struct walked w = {.ordered = true};
	uint32_t before = t->count, used = 0;
	struct sockaddr_storage ss;

	memset(oracle, 0, sizeof oracle);
	for (unsigned i = 0; i < 6000; i++) {
		change_at_random(family);
		look_up_at_random(family);
		look_up_at_random(family);
	}
	check_trie(t->root[rt_family_index(family)]);
	for (unsigned i = 0; i < ORACLE; i++)
		used += oracle[i].used;
	CHECK(used > ORACLE / 4);
	CHECK_EQ(t->count, before + used);
	rt_walk(curmachine(), 0, walk_one, &(struct walked){.ordered = true});
	rt_walk(curmachine(), family, walk_one, &w);
	CHECK(w.ordered);
	for (unsigned i = 0; i < ORACLE; i++) {
		if (!oracle[i].used)
			continue;
		ss = sockaddr_from(family, oracle[i].bytes);
		CHECK_EQ(rt_delete(curmachine(), rt_sa(&ss), oracle[i].plen, NULL), 0);
	}
	CHECK_EQ(t->count, before);
	check_trie(t->root[rt_family_index(family)]);
}

KTEST(the_longest_prefix_wins_ipv4)
{
	prepare();
	compare_with_oracle(AF_INET);
}

KTEST(the_longest_prefix_wins_ipv6)
{
	prepare();
	compare_with_oracle(AF_INET6);
}

/* ---- requests ----------------------------------------------------------------------------- */

KTEST(requests_are_checked)
{
	struct sockaddr_in gateway = ipv4(10, 0, 0, 254), far = ipv4(172, 16, 0, 1);
	struct sockaddr_in mcast = ipv4(224, 0, 0, 5);
	struct sockaddr_in6 v6 = ipv6(0x20, 0x01, 2);
	struct sockaddr_in dst = ipv4(20, 0, 0, 0);
	struct rt_request r = {.dst = SA(dst), .prefix = 8, .gateway = SA(v6)};

	prepare();
	CHECK_EQ(add(dst, 33, &gateway, NULL, 0), EINVAL);
	CHECK_EQ(add(dst, 8, NULL, NULL, 0), EINVAL);
	CHECK_EQ(add(dst, 8, &far, NULL, 0), ENETUNREACH);
	CHECK_EQ(add(dst, 8, &mcast, the, 0), EINVAL);
	CHECK_EQ(rt_add(curmachine(), &r, NULL), EINVAL);
	r.dst = NULL;
	CHECK_EQ(rt_add(curmachine(), &r, NULL), EINVAL);
	CHECK_EQ(add(dst, 8, &gateway, NULL, 0), 0);
	CHECK(find(20, 1, 2, 3, NULL, 0)->rt_ifp == the);
	CHECK_EQ(gateway_of(find(20, 1, 2, 3, NULL, 0)), 0x0a0000fe);
	CHECK_EQ(add(dst, 8, &gateway, NULL, 0), EEXIST);
	/* A gateway behind that gateway is on no link. */
	CHECK_EQ(add(ipv4(30, 0, 0, 0), 8, &dst, NULL, 0), ENETUNREACH);
	CHECK_EQ(curmachine()->rtable->stat.rts_badrtgwroute, 2);
	CHECK_EQ(rt_delete(curmachine(), SA(dst), 9, NULL), ESRCH);
	CHECK_EQ(rt_delete(curmachine(), SA(dst), 33, NULL), EINVAL);
	CHECK_EQ(ifnet_detach(other), 0);
	CHECK_EQ(add(ipv4(30, 0, 0, 0), 8, NULL, other, 0), ENXIO);
}

KTEST(reject_and_blackhole_routes_are_found_as_such)
{
	struct sockaddr_in dst = ipv4(20, 1, 1, 1);

	prepare();
	CHECK_EQ(set_default(254), 0);
	CHECK_EQ(add(ipv4(20, 0, 0, 0), 8, NULL, NULL, RTF_REJECT | RTF_STATIC), 0);
	CHECK(find(20, 1, 1, 1, NULL, 0)->rt_flags & RTF_REJECT);
	CHECK(route_lookup(curmachine(), SA(dst), NULL) == NULL);
	CHECK_EQ(add(ipv4(20, 1, 0, 0), 16, NULL, NULL, RTF_BLACKHOLE | RTF_STATIC), 0);
	CHECK(find(20, 1, 1, 1, NULL, RT_CLONE)->rt_flags & RTF_BLACKHOLE);
	CHECK_EQ(curmachine()->rtable->clone_count, 0);
}

KTEST(scoped_routes_are_for_who_is_bound)
{
	struct sockaddr_in zero = ipv4(0, 0, 0, 0), gw = ipv4(10, 1, 0, 254);
	struct rtentry *rt;

	prepare();
	CHECK_EQ(set_default(254), 0);
	CHECK_EQ(add(zero, 0, &gw, other, RTF_IFSCOPE), 0);
	CHECK_EQ(add(zero, 0, &gw, other, RTF_IFSCOPE), EEXIST);
	CHECK(find(8, 8, 8, 8, NULL, 0)->rt_ifp == the);
	rt = find(8, 8, 8, 8, other, 0);
	CHECK(rt->rt_ifp == other && (rt->rt_flags & RTF_IFSCOPE));
	CHECK_EQ(rt->rt_ifscope, other->index);
	CHECK(find(8, 8, 8, 8, the, 0)->rt_ifp == the);
	/* Bound to it, even what has a longer prefix elsewhere goes by it. */
	CHECK(find(10, 0, 0, 7, other, 0)->rt_ifp == other);
	CHECK_EQ(rt_delete(curmachine(), SA(zero), 0, other), 0);
	CHECK(find(8, 8, 8, 8, other, 0) == NULL);
}

static uint32_t
heard_gateway(struct sockaddr_in dst)
{
	struct sockaddr_storage hop;
	struct sockaddr_in sin;

	CHECK(route_lookup(curmachine(), SA(dst), &hop) != NULL);
	memcpy(&sin, &hop, sizeof sin);
	return ntohl(sin.sin_addr.s_addr);
}

KTEST(changes_keep_what_is_not_said)
{
	struct sockaddr_in dst = ipv4(20, 0, 0, 0), gw = ipv4(10, 0, 0, 7), gw2 = ipv4(10, 1, 0, 7);
	struct rt_metrics rmx = {.rmx_mtu = 1000, .rmx_rtt = 5};
	struct rt_request r = {.dst = SA(dst), .prefix = 8, .metrics = &rmx, .inits = RTV_MTU};
	uint32_t before;

	prepare();
	CHECK_EQ(rt_change(curmachine(), &r), ESRCH);
	CHECK_EQ(add(dst, 8, &gw, NULL, RTF_STATIC), 0);
	before = rt_generation(curmachine());
	CHECK_EQ(rt_change(curmachine(), &r), 0);
	CHECK(rt_generation(curmachine()) != before);
	CHECK_EQ(rt_mtu(find(20, 1, 1, 1, NULL, 0)), 1000);
	CHECK_EQ(find(20, 1, 1, 1, NULL, 0)->rt_rmx.rmx_rtt, 0);
	CHECK_EQ(heard_gateway(ipv4(20, 1, 1, 1)), 0x0a000007);
	r.gateway = SA(gw2);
	r.inits = 0;
	CHECK_EQ(rt_change(curmachine(), &r), 0);
	CHECK_EQ(heard_gateway(ipv4(20, 1, 1, 1)), 0x0a010007);
	CHECK(find(20, 1, 1, 1, NULL, 0)->rt_ifp == other);
	CHECK_EQ(rt_mtu(find(20, 1, 1, 1, NULL, 0)), 1000);
	CHECK(find(20, 1, 1, 1, NULL, 0)->rt_flags & RTF_STATIC);
}

KTEST(a_route_with_an_end_goes_then)
{
	struct sockaddr_in dst = ipv4(20, 0, 0, 0), gw = ipv4(10, 0, 0, 7);
	struct rt_metrics rmx = {0};
	struct rt_request r = {
		.dst = SA(dst), .prefix = 8, .gateway = SA(gw), .metrics = &rmx, .inits = RTV_EXPIRE,
		.flags = RTF_STATIC,
	};

	prepare();
	rmx.rmx_expire = rt_calendar(curmachine(), machine_now(curmachine()) + 100 * SECOND);
	CHECK_EQ(rt_add(curmachine(), &r, NULL), 0);
	(void)find(20, 1, 1, 1, NULL, RT_CLONE);
	CHECK_EQ(curmachine()->rtable->clone_count, 1);
	wait_for(98);
	CHECK(find(20, 1, 1, 1, NULL, 0) != NULL);
	wait_for(3);
	CHECK(find(20, 1, 1, 1, NULL, 0) == NULL);
	CHECK_EQ(curmachine()->rtable->clone_count, 0);
}

/* ---- addresses and interfaces ------------------------------------------------------------- */

KTEST(networks_come_and_go_with_addresses)
{
	struct sockaddr_in a = ipv4(30, 0, 0, 1), b = ipv4(30, 0, 0, 2), c = ipv4(30, 0, 0, 3);
	struct sockaddr_in mask = ipv4(255, 255, 255, 0);
	struct ifnet *lo0;
	struct rtentry *rt;

	prepare();
	lo0 = dlil_loopback(curmachine());
	CHECK_EQ(ifaddr_add(the, SA(a), SA(mask), NULL), 0);
	CHECK_EQ(ifaddr_add(the, SA(b), SA(mask), NULL), 0);
	CHECK_EQ(ifaddr_add(other, SA(c), SA(mask), NULL), 0);
	rt = find(30, 0, 0, 1, NULL, 0);
	CHECK(rt->rt_ifp == lo0 && (rt->rt_flags & RTF_LOCAL) && rt->rt_ifa->ifp == the);
	CHECK(find(30, 0, 0, 9, NULL, 0)->rt_ifp == the);
	CHECK(find(30, 0, 0, 9, other, 0)->rt_ifp == other);
	CHECK_EQ(ifaddr_remove(the, SA(a)), 0);
	rt = find(30, 0, 0, 9, NULL, 0);		/* the other address takes over */
	CHECK(rt->rt_ifp == the && rt->rt_ifa == ifaddr_find(curmachine(), SA(b)));
	CHECK(find(30, 0, 0, 1, NULL, 0)->rt_ifp == the);
	CHECK_EQ(ifaddr_remove(the, SA(b)), 0);
	rt = find(30, 0, 0, 9, NULL, 0);		/* then the other interface */
	CHECK(rt->rt_ifp == other && !(rt->rt_flags & RTF_IFSCOPE));
	CHECK_EQ(ifaddr_remove(other, SA(c)), 0);
	CHECK(find(30, 0, 0, 9, NULL, 0) == NULL);
}

KTEST(static_routes_outlive_the_address_they_send_from)
{
	struct sockaddr_in a = ipv4(10, 0, 0, 1), b = ipv4(10, 0, 0, 2), mask = ipv4(255, 255, 255, 0);
	struct rtentry *rt;

	prepare();
	CHECK_EQ(set_default(254), 0);
	CHECK_EQ(ifaddr_add(the, SA(b), SA(mask), NULL), 0);
	rt = find(8, 8, 8, 8, NULL, 0);
	CHECK(rt->rt_ifa == ifaddr_find(curmachine(), SA(a)));
	CHECK_EQ(ifaddr_remove(the, SA(a)), 0);
	rt = find(8, 8, 8, 8, NULL, 0);
	CHECK(rt != NULL && rt->rt_ifa == ifaddr_find(curmachine(), SA(b)));
	CHECK_EQ(ifaddr_remove(the, SA(b)), 0);		/* nothing reaches the gateway now */
	CHECK(find(8, 8, 8, 8, NULL, 0) == NULL);
}

KTEST(an_interface_takes_its_routes_along)
{
	struct sockaddr_in gw = ipv4(10, 0, 0, 7);
	struct rtable *t = curmachine()->rtable;
	uint32_t before = t->count;
	struct route ro = {0};
	struct sockaddr_in far = ipv4(20, 1, 1, 1);

	prepare();
	CHECK_EQ(add(ipv4(20, 0, 0, 0), 8, &gw, NULL, RTF_STATIC), 0);
	CHECK(route_get(curmachine(), &ro, SA(far), NULL) != NULL);
	CHECK_EQ(ifnet_detach(the), 0);
	CHECK_EQ(ifnet_detach(other), 0);
	settle();
	CHECK_EQ(t->count, before);
	CHECK_EQ(t->clone_count, 0);
	CHECK(ro.ro_rt->rt_ifp == the);		/* still readable by who has it */
	CHECK(route_get(curmachine(), &ro, SA(far), NULL) == NULL);
	route_clear(&ro);
}

static struct ifnet *
multicast_link(void)
{
	struct rtentry *rt = find(224, 0, 0, 251, NULL, 0);

	if (rt == NULL)
		return NULL;
	CHECK(!(rt->rt_flags & RTF_GATEWAY));
	CHECK(find(255, 255, 255, 255, NULL, 0)->rt_ifp == rt->rt_ifp);
	return rt->rt_ifp;
}

KTEST(multicast_follows_the_default_route)
{
	struct sockaddr_in gw = ipv4(10, 1, 0, 254), groups = ipv4(224, 0, 0, 0);
	struct sockaddr_in all = ipv4(255, 255, 255, 255);
	struct sockaddr_in6 group = ipv6(0xff, 0x0e, 1), on_link = ipv6(0xff, 0x02, 1);
	struct rtentry *rt;

	prepare();
	CHECK(multicast_link() == the);
	CHECK_EQ(route_set_default(curmachine(), AF_INET, other, SA(gw)), 0);
	CHECK(multicast_link() == other);
	/* Who says where groups are has the last word, until it is taken back. */
	CHECK_EQ(add(groups, 4, NULL, the, RTF_STATIC), 0);
	CHECK_EQ(add(all, 32, NULL, the, RTF_STATIC), 0);
	CHECK(multicast_link() == the);
	CHECK_EQ(rt_delete(curmachine(), SA(groups), 4, NULL), 0);
	CHECK_EQ(rt_delete(curmachine(), SA(all), 32, NULL), 0);
	CHECK(multicast_link() == other);
	CHECK_EQ(ifnet_detach(other), 0);
	settle();
	CHECK(multicast_link() == the);
	rt = rt_lookup(curmachine(), SA(group), NULL, 0);
	CHECK(rt->rt_ifp == the && rt->rt_plen == 8);
	rt_release(rt);
	on_link.sin6_scope_id = the->index;
	rt = rt_lookup(curmachine(), SA(on_link), NULL, 0);
	CHECK(rt->rt_ifp == the && rt->rt_plen == 32);
	rt_release(rt);
	CHECK_EQ(ifnet_detach(the), 0);
	settle();
	CHECK(multicast_link() == NULL);
}

KTEST(link_local_destinations_have_a_zone)
{
	struct sockaddr_in6 dst = ipv6(0xfe, 0x80, 9), mine = ipv6(0xfe, 0x80, 7), mask = ipv6(0xff, 0xff, 0);
	struct rtentry *rt;

	prepare();
	memset(&mask.sin6_addr, 0xff, 8);
	CHECK_EQ(ifaddr_add(other, SA(mine), SA(mask), NULL), 0);
	for (int i = 0; i < 2; i++) {
		struct ifnet *ifp = i == 0 ? the : other;

		dst.sin6_scope_id = ifp->index;
		rt = rt_lookup(curmachine(), SA(dst), NULL, 0);
		CHECK(rt->rt_ifp == ifp);
		CHECK_EQ(((struct sockaddr_in6 *)(void *)&rt->rt_dst)->sin6_scope_id, ifp->index);
		CHECK_EQ(((struct sockaddr_in6 *)(void *)&rt->rt_dst)->sin6_addr.s6_addr[3], 0);
		rt_release(rt);
		dst.sin6_scope_id = 0;
		rt = rt_lookup(curmachine(), SA(dst), ifp, 0);
		CHECK(rt->rt_ifp == ifp);
		rt_release(rt);
	}
	rt = rt_lookup(curmachine(), SA(dst), NULL, 0);	/* no zone: the first */
	CHECK(rt->rt_ifp == the);
	rt_release(rt);
	/* Our own, on either link, is ours by lo0. */
	mine.sin6_scope_id = other->index;
	rt = rt_lookup(curmachine(), SA(mine), NULL, 0);
	CHECK(rt->rt_ifp == dlil_loopback(curmachine()) && (rt->rt_flags & RTF_LOCAL));
	rt_release(rt);
	mine.sin6_scope_id = the->index;
	rt = rt_lookup(curmachine(), SA(mine), NULL, 0);
	CHECK(rt->rt_ifp == the);
	rt_release(rt);
}

/* ---- the cache of a sender ---------------------------------------------------------------- */

KTEST(a_cached_route_is_asked_for_again_when_something_changed)
{
	struct sockaddr_in far = ipv4(8, 8, 8, 8), far2 = ipv4(8, 8, 8, 9);
	struct nke *m = curmachine();
	struct route ro = {0};
	struct rtentry *rt;
	uint32_t generation;

	prepare();
	CHECK(route_get(m, &ro, SA(far), NULL) == NULL);
	CHECK_EQ(set_default(254), 0);
	rt = route_get(m, &ro, SA(far), NULL);
	CHECK(rt->rt_flags & RTF_WASCLONED);
	generation = rt_generation(m);
	far.sin_port = htons(7);
	CHECK(route_get(m, &ro, SA(far), NULL) == rt);
	CHECK_EQ(rt->rt_refcnt, 2);
	CHECK(route_get(m, &ro, SA(far2), NULL) != rt);
	CHECK_EQ(rt_generation(m), generation);		/* clones disturb nobody */
	CHECK(route_get(m, &ro, SA(far), NULL) == rt);
	CHECK(route_get(m, &ro, SA(far), other) == NULL);
	CHECK(route_get(m, &ro, SA(far), NULL) == rt);
	CHECK_EQ(add(ipv4(8, 8, 0, 0), 16, NULL, other, 0), 0);
	CHECK(route_get(m, &ro, SA(far), NULL)->rt_ifp == other);
	route_clear(&ro);
	route_clear(&ro);
	/* A router passes on what is for many, and keeps nothing about each. */
	ro.ro_noclone = true;
	far = ipv4(9, 9, 9, 9);
	CHECK_EQ(route_get(m, &ro, SA(far), NULL)->rt_plen, 0);
	route_clear(&ro);
}

KTEST_SUITE(rtable,
    T(the_longest_prefix_wins_ipv4),
    T(the_longest_prefix_wins_ipv6),
    T(requests_are_checked),
    T(reject_and_blackhole_routes_are_found_as_such),
    T(scoped_routes_are_for_who_is_bound),
    T(changes_keep_what_is_not_said),
    T(a_route_with_an_end_goes_then),
    T(networks_come_and_go_with_addresses),
    T(static_routes_outlive_the_address_they_send_from),
    T(an_interface_takes_its_routes_along),
    T(multicast_follows_the_default_route),
    T(link_local_destinations_have_a_zone),
    T(a_cached_route_is_asked_for_again_when_something_changed));
