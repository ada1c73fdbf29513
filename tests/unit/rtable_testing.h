/* What the tests of the routing table share: two interfaces with networks, and ways to ask. */
#ifndef NKE_TESTS_RTABLE_TESTING_H
#define NKE_TESTS_RTABLE_TESTING_H

#include "src/net/route_private.h"
#include "src/net/rtable_private.h"
#include "tests/unit/dlil_testing.h"

#define SECOND	UINT64_C(1000000000)

static struct ifnet *the, *other;

/* x0: 10.0.0.1/24, 2001::1/64, fe80::1; y0: 10.1.0.1/24. */
static inline void
prepare(void)
{
	struct sockaddr_in a = ipv4(10, 0, 0, 1), b = ipv4(10, 1, 0, 1), mask = ipv4(255, 255, 255, 0);
	struct sockaddr_in6 global = ipv6(0x20, 0x01, 1), prefix = ipv6(0xff, 0xff, 0);
	struct sockaddr_in6 link_local = ipv6(0xfe, 0x80, 1);

	memset(&prefix.sin6_addr, 0xff, 8);
	the = attached_interface("x", 0);
	other = attached_interface("y", 0);
	the->mtu = other->mtu = 1500;
	CHECK_EQ(ifnet_set_flags(the, IFF_BROADCAST | IFF_MULTICAST, IFF_BROADCAST | IFF_MULTICAST), 0);
	CHECK_EQ(ifnet_set_flags(other, IFF_BROADCAST | IFF_MULTICAST, IFF_BROADCAST | IFF_MULTICAST), 0);
	/* The recorder's driver knows no IP, which an IPv4 address does not mind. */
	CHECK_EQ(ifaddr_add(the, SA(a), SA(mask), NULL), 0);
	CHECK_EQ(ifaddr_add(other, SA(b), SA(mask), NULL), 0);
	CHECK_EQ(attach_recorder(the, PF_INET6), 0);
	CHECK_EQ(attach_recorder(other, PF_INET6), 0);
	CHECK_EQ(ifaddr_add(the, SA(global), SA(prefix), NULL), 0);
	CHECK_EQ(ifaddr_add(the, SA(link_local), SA(prefix), NULL), 0);
	(void)said();
}

static inline errno_t
add(struct sockaddr_in dst, unsigned prefix, struct sockaddr_in *gateway, struct ifnet *ifp, uint32_t flags)
{
	struct rt_request r = {
		.dst = SA(dst), .prefix = prefix, .gateway = gateway != NULL ? SA(*gateway) : NULL,
		.ifp = ifp, .flags = flags,
	};

	return rt_add(curmachine(), &r, NULL);
}

static inline errno_t
set_default(uint8_t last)
{
	struct sockaddr_in gateway = ipv4(10, 0, 0, last);

	return route_set_default(curmachine(), AF_INET, the, SA(gateway));
}

/* What a look-up finds, without a reference for the caller: valid until the table changes. */
static inline struct rtentry *
find(uint8_t a, uint8_t b, uint8_t c, uint8_t d, struct ifnet *ifp, int flags)
{
	struct sockaddr_in dst = ipv4(a, b, c, d);
	struct rtentry *rt = rt_lookup(curmachine(), SA(dst), ifp, flags);

	rt_release(rt);
	return rt;
}

static inline uint32_t
gateway_of(const struct rtentry *rt)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)(const void *)&rt->rt_gateway;

	CHECK(rt->rt_flags & RTF_GATEWAY);
	return ntohl(sin->sin_addr.s_addr);
}

static inline void
wait_for(unsigned seconds)
{
	sched_block(NULL, machine_now(curmachine()) + seconds * SECOND, false, "the test waits");
}

/* Every node is a route or a fork, is longer than its parent, and covers its children. */
static inline void
check_trie(struct rt_node *root)
{
	for (struct rt_node *n = root; n != NULL; n = rtrie_next(n)) {
		CHECK(n->routes != NULL || (n->child[0] != NULL && n->child[1] != NULL));
		for (int i = 0; i < 2; i++) {
			const struct rt_node *c = n->child[i];

			if (c == NULL)
				continue;
			CHECK(c->parent == n && c->plen > n->plen && rt_node_covers(n, &c->key));
			CHECK_EQ(rt_key_bit(&c->key, n->plen), i);
		}
	}
}

#endif
