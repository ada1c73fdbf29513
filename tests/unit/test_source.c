/* src/netinet/in_source.c, src/netinet6/in6_source.c: which address packets are sent from. */
#include <netinet6/in6_var.h>

#include "src/net/route_private.h"
#include "src/net/rtable_private.h"
#include "tests/unit/dlil_testing.h"

static struct ifnet *the, *other, *bare;

static void
add4(struct ifnet *ifp, struct sockaddr_in addr, struct sockaddr_in mask)
{
	CHECK_EQ(ifaddr_add(ifp, SA(addr), SA(mask), NULL), 0);
}

static struct sockaddr_in6
global(const char *bytes, size_t len, uint8_t last)
{
	struct sockaddr_in6 sin6 = ipv6(0, 0, last);

	memcpy(&sin6.sin6_addr, bytes, len);
	return sin6;
}

/* A /64, or `prefix` bits. */
static struct ifaddr *
add6(struct ifnet *ifp, struct sockaddr_in6 addr, unsigned prefix, uint32_t flags)
{
	struct sockaddr_in6 mask = ipv6(0, 0, 0);
	struct ifaddr_request r = {.addr = SA(addr), .mask = SA(mask), .flags = flags | IN6_IFF_NODAD};
	struct ifaddr *ifa;

	for (unsigned i = 0; i < prefix; i++)
		mask.sin6_addr.s6_addr[i / 8] |= (uint8_t)(0x80 >> i % 8);
	CHECK_EQ(ifaddr_add_request(ifp, &r, &ifa), 0);
	ifaddr_drop(ifa);
	/* Whoever looks for duplicates does not matter here. */
	ifa->ia6_flags = flags;
	return ifa;
}

static void
prepare(void)
{
	the = attached_interface("x", 0);
	other = attached_interface("y", 0);
	bare = attached_interface("z", 0);
	CHECK_EQ(ifnet_set_flags(the, IFF_BROADCAST | IFF_MULTICAST, IFF_BROADCAST | IFF_MULTICAST), 0);
	CHECK_EQ(attach_recorder(the, PF_INET6), 0);
	CHECK_EQ(attach_recorder(other, PF_INET6), 0);
	CHECK_EQ(attach_recorder(bare, PF_INET6), 0);
}

/* ---- IPv4 --------------------------------------------------------------------------------- */

/* The address as a number, 0 none. */
static uint32_t
source4(struct sockaddr_in dst, struct ifnet *ifp)
{
	struct rtentry *rt = rt_lookup(curmachine(), SA(dst), ifp, 0);
	const struct ifaddr *ifa = in_select_source(curmachine(), ifp != NULL ? ifp : rt->rt_ifp, rt,
	    SA(dst));

	rt_release(rt);
	if (ifa == NULL)
		return 0;
	return ntohl(((const struct sockaddr_in *)(const void *)&ifa->addr)->sin_addr.s_addr);
}

KTEST(ipv4_sources_are_in_the_next_hops_network)
{
	struct sockaddr_in gateway = ipv4(10, 2, 0, 254);
	struct sockaddr_in mask = ipv4(255, 255, 255, 0), wide = ipv4(255, 255, 0, 0);

	prepare();
	add4(the, ipv4(10, 1, 0, 1), mask);
	add4(the, ipv4(10, 2, 0, 1), wide);
	add4(the, ipv4(10, 2, 3, 1), mask);
	add4(other, ipv4(10, 9, 0, 1), mask);
	CHECK_EQ(route_set_default(curmachine(), AF_INET, the, SA(gateway)), 0);
	CHECK_EQ(source4(ipv4(10, 1, 0, 9), NULL), 0x0a010001);
	CHECK_EQ(source4(ipv4(10, 2, 0, 9), NULL), 0x0a020001);
	CHECK_EQ(source4(ipv4(10, 2, 3, 9), NULL), 0x0a020301);
	CHECK_EQ(source4(ipv4(8, 8, 8, 8), NULL), 0x0a020001);
	CHECK_EQ(source4(ipv4(10, 9, 0, 9), NULL), 0x0a090001);
	CHECK_EQ(source4(ipv4(8, 8, 8, 8), other), 0x0a090001);
	CHECK_EQ(source4(ipv4(10, 9, 0, 1), NULL), 0x0a090001);
	CHECK_EQ(source4(ipv4(127, 0, 0, 1), NULL), 0x7f000001);
	CHECK_EQ(source4(ipv4(127, 9, 9, 9), NULL), 0x7f000001);
	/* An interface without one borrows, but not a loopback address. */
	CHECK_EQ(source4(ipv4(8, 8, 8, 8), bare), 0x0a010001);
}

KTEST(ipv4_addresses_that_are_not_ours_yet_are_not_used)
{
	struct sockaddr_in mask = ipv4(255, 255, 255, 0), a = ipv4(10, 1, 0, 1);

	prepare();
	add4(the, a, mask);
	add4(the, ipv4(10, 1, 0, 2), mask);
	CHECK_EQ(source4(ipv4(10, 1, 0, 9), NULL), 0x0a010001);
	ifaddr_find(curmachine(), SA(a))->ia6_flags |= IN6_IFF_DUPLICATED;
	CHECK_EQ(source4(ipv4(10, 1, 0, 9), NULL), 0x0a010002);
}

KTEST(ipv4_link_local_sources_are_for_link_local_destinations)
{
	struct sockaddr_in mask = ipv4(255, 255, 0, 0);

	prepare();
	add4(the, ipv4(169, 254, 7, 7), mask);
	add4(the, ipv4(10, 1, 0, 1), mask);
	CHECK_EQ(route_set_default(curmachine(), AF_INET, the, NULL), 0);
	CHECK_EQ(source4(ipv4(8, 8, 8, 8), the), 0x0a010001);
	CHECK_EQ(source4(ipv4(169, 254, 9, 9), the), 0xa9fe0707);
	CHECK_EQ(source4(ipv4(224, 0, 0, 1), the), 0x0a010001);
}

KTEST(ipv4_peers_decide_on_point_to_point_links)
{
	struct sockaddr_in a = ipv4(192, 168, 0, 1), b = ipv4(192, 168, 0, 2);
	struct sockaddr_in c = ipv4(192, 168, 1, 1), d = ipv4(192, 168, 1, 2);

	prepare();
	CHECK_EQ(ifnet_set_flags(bare, IFF_POINTOPOINT, IFF_POINTOPOINT), 0);
	CHECK_EQ(ifaddr_add(bare, SA(a), NULL, SA(b)), 0);
	CHECK_EQ(ifaddr_add(bare, SA(c), NULL, SA(d)), 0);
	CHECK_EQ(source4(d, bare), 0xc0a80101);
	CHECK_EQ(source4(b, bare), 0xc0a80001);
}

/* ---- IPv6: RFC 6724 section 5, and its examples in section 10.1 ----------------------------- */

static struct ifaddr *
source6(struct sockaddr_in6 dst, struct ifnet *ifp)
{
	return in6_select_source(curmachine(), ifp, NULL, SA(dst));
}

KTEST(rule_1_the_destination_itself)
{
	struct ifaddr *a;

	prepare();
	add6(the, global("\x20\x01\x0d\xb8", 4, 1), 64, 0);
	a = add6(other, global("\x20\x01\x0d\xb8\0\1", 6, 1), 64, IN6_IFF_DEPRECATED);
	CHECK(source6(global("\x20\x01\x0d\xb8\0\1", 6, 1), the) == a);
}

KTEST(rule_2_scope)
{
	struct ifaddr *link, *wide;
	struct sockaddr_in6 own = ipv6(0xfe, 0x80, 1), on_link = ipv6(0xfe, 0x80, 9);
	struct sockaddr_in6 group = ipv6(0xff, 0x02, 1), far = ipv6(0xff, 0x05, 1);

	prepare();
	link = add6(the, ipv6(0xfe, 0x80, 1), 64, 0);
	CHECK(source6(global("\x20\x01\x0d\xb8", 4, 9), the) == link);	/* better than none */
	wide = add6(the, global("\x20\x01\x0d\xb8", 4, 1), 64, 0);
	CHECK(source6(global("\x20\x02", 2, 9), the) == wide);
	CHECK(source6(on_link, the) == link);
	CHECK(source6(group, the) == link);
	CHECK(source6(far, the) == wide);
	/* Nothing of this link is good for another one's. */
	CHECK(source6(on_link, other) == NULL);
	CHECK(source6(group, other) == NULL);
	CHECK(source6(global("\x20\x01\x0d\xb8", 4, 9), other) == wide);
	CHECK_EQ(ifaddr_remove(the, SA(own)), 0);
	CHECK(source6(on_link, the) == wide);
}

KTEST(rule_3_deprecated_addresses_are_avoided)
{
	struct ifaddr *old, *fresh;

	prepare();
	old = add6(the, global("\x20\x01\x0d\xb8", 4, 1), 64, IN6_IFF_DEPRECATED);
	CHECK(source6(global("\x20\x01\x0d\xb8", 4, 9), the) == old);
	fresh = add6(the, global("\x20\x01\x0d\xb8\0\1", 6, 1), 64, 0);
	CHECK(source6(global("\x20\x01\x0d\xb8", 4, 9), the) == fresh);
}

KTEST(rule_5_the_outgoing_interface)
{
	struct ifaddr *mine, *near;

	prepare();
	near = add6(other, global("\x20\x01\x0d\xb8", 4, 1), 64, 0);
	mine = add6(the, global("\x20\x03", 2, 1), 64, 0);
	CHECK(source6(global("\x20\x01\x0d\xb8", 4, 9), the) == mine);
	CHECK(source6(global("\x20\x01\x0d\xb8", 4, 9), other) == near);
}

KTEST(rule_6_labels)
{
	struct ifaddr *native, *six, *unique;

	prepare();
	native = add6(the, global("\x20\x01\x0d\xb8", 4, 1), 64, 0);
	six = add6(the, global("\x20\x02\xc6\x33\x64\x01", 6, 1), 64, 0);
	unique = add6(the, global("\xfd\0\0\1", 4, 1), 64, 0);
	CHECK(source6(global("\x20\x02\xc0\x00\x02\x01", 6, 9), the) == six);
	CHECK(source6(global("\xfd\0\0\2", 4, 9), the) == unique);
	CHECK(source6(global("\x24\0", 2, 9), the) == native);
}

KTEST(rule_7_temporary_addresses)
{
	struct ifaddr *temporary;

	prepare();
	add6(the, global("\x20\x01\x0d\xb8", 4, 1), 64, 0);
	temporary = add6(the, global("\x20\x01\x0d\xb8", 4, 2), 64, IN6_IFF_TEMPORARY);
	add6(the, global("\x20\x01\x0d\xb8", 4, 3), 64, 0);
	CHECK(source6(global("\x20\x01\x0d\xb8", 4, 9), the) == temporary);
}

KTEST(rule_8_the_longest_match_within_the_prefix)
{
	struct ifaddr *first, *second;
	struct sockaddr_in6 dst = global("\x20\x01\x0d\xb8\0\3", 6, 2);

	prepare();
	first = add6(the, global("\x20\x01\x0d\xb8\0\4", 6, 1), 64, 0);
	second = add6(the, global("\x20\x01\x0d\xb8\0\2", 6, 1), 64, 0);
	CHECK(source6(dst, the) == second);
	/* Bits behind the prefix do not count, nor does order when there is a tie: the first stays. */
	add6(the, global("\x20\x01\x0d\xb8\0\2", 6, 2), 64, 0);
	CHECK(source6(dst, the) == second);
	CHECK(source6(global("\x20\x01\x0d\xb8\0\5", 6, 2), the) == first);
}

KTEST(unusable_addresses_are_no_candidates)
{
	static const uint32_t bad[] = {
		IN6_IFF_TENTATIVE, IN6_IFF_DUPLICATED, IN6_IFF_DETACHED, IN6_IFF_ANYCAST,
	};
	struct sockaddr_in dst4 = ipv4(1, 1, 1, 1);
	struct sockaddr_in6 dst = global("\x20\x01\x0d\xb8", 4, 9);
	struct ifaddr *ifa;

	prepare();
	ifa = add6(the, global("\x20\x01\x0d\xb8", 4, 1), 64, 0);
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		ifa->ia6_flags = bad[i];
		CHECK(source6(dst, the) == NULL);
	}
	ifa->ia6_flags = 0;
	CHECK(source6(dst, the) == ifa);
	CHECK(in6_select_source(curmachine(), the, NULL, SA(dst4)) == NULL);
	CHECK(in_select_source(curmachine(), the, NULL, SA(dst)) == NULL);
}

/* ---- lifetimes (ifaddr_time.c) ------------------------------------------------------------- */

KTEST(addresses_are_deprecated_and_then_go)
{
	const uint64_t second = UINT64_C(1000000000);
	struct sockaddr_in6 a = global("\x20\x01\x0d\xb8", 4, 1);
	struct nke *m = curmachine();
	struct ifaddr *ifa;

	prepare();
	ifa = add6(the, a, 64, 0);
	ifaddr_set_lifetime(ifa, 100, 200);
	sched_block(NULL, machine_now(m) + 99 * second, false, "the test waits");
	CHECK_EQ(ifa->ia6_flags & IN6_IFF_DEPRECATED, 0);
	sched_block(NULL, machine_now(m) + 2 * second, false, "the test waits");
	CHECK(ifa->ia6_flags & IN6_IFF_DEPRECATED);
	ifaddr_set_lifetime(ifa, UINT32_MAX, 200);
	CHECK_EQ(ifa->ia6_flags & IN6_IFF_DEPRECATED, 0);
	sched_block(NULL, machine_now(m) + 199 * second, false, "the test waits");
	CHECK(ifaddr_find(m, SA(a)) == ifa);
	sched_block(NULL, machine_now(m) + 2 * second, false, "the test waits");
	CHECK(ifaddr_find(m, SA(a)) == NULL);
	CHECK(!callout_pending(&m->routes->lifetimes));
}

KTEST_SUITE(source,
    T(ipv4_sources_are_in_the_next_hops_network),
    T(ipv4_addresses_that_are_not_ours_yet_are_not_used),
    T(ipv4_link_local_sources_are_for_link_local_destinations),
    T(ipv4_peers_decide_on_point_to_point_links),
    T(rule_1_the_destination_itself),
    T(rule_2_scope),
    T(rule_3_deprecated_addresses_are_avoided),
    T(rule_5_the_outgoing_interface),
    T(rule_6_labels),
    T(rule_7_temporary_addresses),
    T(rule_8_the_longest_match_within_the_prefix),
    T(unusable_addresses_are_no_candidates),
    T(addresses_are_deprecated_and_then_go));
