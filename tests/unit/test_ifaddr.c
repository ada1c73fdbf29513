/* src/net/ifaddr.c, route.c, kpi/kpi_ifaddr.c: addresses, routes. */
#include <net/route.h>

#include "src/net/route_private.h"
#include "tests/unit/dlil_testing.h"

static struct ifnet *the, *ptp;

static errno_t
plumb(struct ifnet *ifp, protocol_family_t family)
{
	return attach_recorder(ifp, family);
}

static errno_t
add4(struct ifnet *ifp, struct sockaddr_in addr, struct sockaddr_in mask)
{
	return ifaddr_add(ifp, SA(addr), SA(mask), NULL);
}

/* x0: 10.1.0.1/16, 10.1.2.1/24, 2001::1/64, fe80::1; y0: 192.168.0.1 to 192.168.0.2 */
static void
prepare(void)
{
	struct sockaddr_in local = ipv4(192, 168, 0, 1), peer = ipv4(192, 168, 0, 2);
	struct sockaddr_in6 global = ipv6(0x20, 0x01, 1), prefix = ipv6(0xff, 0xff, 0);
	struct sockaddr_in6 link_local = ipv6(0xfe, 0x80, 1);

	CHECK_EQ(proto_register_plumber(PF_INET, 1234, plumb, NULL), 0);
	CHECK_EQ(proto_register_plumber(PF_INET6, 1234, plumb, NULL), 0);
	the = attached_interface("x", 0);
	ptp = attached_interface("y", 0);
	CHECK_EQ(ifnet_set_flags(the, IFF_BROADCAST | IFF_MULTICAST, IFF_BROADCAST | IFF_MULTICAST), 0);
	CHECK_EQ(ifnet_set_flags(ptp, IFF_POINTOPOINT, IFF_POINTOPOINT), 0);
	CHECK_EQ(add4(the, ipv4(10, 1, 0, 1), ipv4(255, 255, 0, 0)), 0);
	CHECK_EQ(add4(the, ipv4(10, 1, 2, 1), ipv4(255, 255, 255, 0)), 0);
	memset(&prefix.sin6_addr, 0xff, 8);
	CHECK_EQ(ifaddr_add(the, SA(global), SA(prefix), NULL), 0);
	CHECK_EQ(ifaddr_add(the, SA(link_local), SA(prefix), NULL), 0);
	CHECK_EQ(ifaddr_add(ptp, SA(local), NULL, SA(peer)), 0);
}

KTEST(addresses_are_unique_and_well_formed)
{
	struct sockaddr_in again = ipv4(10, 1, 0, 1), shorty = ipv4(10, 9, 9, 9);
	struct sockaddr_in6 mixed = ipv6(0x20, 0x01, 9);
	struct sockaddr other = {.sa_len = sizeof other, .sa_family = AF_LINK};

	prepare();
	CHECK_EQ(ifaddr_add(ptp, SA(again), NULL, NULL), EEXIST);
	shorty.sin_len = 8;
	CHECK_EQ(ifaddr_add(the, SA(shorty), NULL, NULL), EINVAL);
	CHECK_EQ(ifaddr_add(the, &other, NULL, NULL), EINVAL);
	CHECK_EQ(ifaddr_add(the, SA(mixed), SA(again), NULL), EINVAL);
	CHECK_EQ(ifaddr_add(the, SA(mixed), NULL, SA(again)), EINVAL);
}

KTEST(link_local_addresses_carry_their_interface)
{
	struct sockaddr_in6 plain = ipv6(0xfe, 0x80, 1), scoped = plain, out;
	struct ifaddr *ifa;

	prepare();
	scoped.sin6_addr.s6_addr[3] = (uint8_t)ptp->index;
	CHECK(ifaddr_find(curmachine(), SA(scoped)) == NULL);
	CHECK_EQ(ifaddr_add(ptp, SA(plain), NULL, NULL), 0);
	ifa = ifaddr_find_in6(curmachine(), &scoped.sin6_addr);
	CHECK(ifa != NULL && ifa->ifp == ptp);
	CHECK_EQ(ifaddr_address(ifa, SA(out), sizeof out), 0);
	CHECK_EQ(out.sin6_addr.s6_addr[3], ptp->index);
	CHECK(ifaddr_find_in6(curmachine(), &plain.sin6_addr) != NULL);
}

static struct ifnet *
owner_of(ifaddr_t ifa)
{
	struct ifnet *ifp = ifaddr_ifnet(ifa);

	CHECK(ifa != NULL);
	CHECK_EQ(ifaddr_release(ifa), 0);
	return ifp;
}

static uint8_t
last_byte(ifaddr_t ifa)
{
	struct sockaddr_in sin;

	CHECK(ifa != NULL);
	CHECK_EQ(ifaddr_address(ifa, SA(sin), sizeof sin), 0);
	CHECK_EQ(ifaddr_release(ifa), 0);
	return (uint8_t)(ntohl(sin.sin_addr.s_addr) >> 8 & 0xff);
}

KTEST(lookups_of_the_kpi)
{
	struct sockaddr_in exact = ipv4(10, 1, 2, 1), bcast = ipv4(10, 1, 255, 255);
	struct sockaddr_in peer = ipv4(192, 168, 0, 2), near = ipv4(10, 1, 2, 77);
	struct sockaddr_in far = ipv4(10, 1, 9, 77), none = ipv4(8, 8, 8, 8);

	prepare();
	CHECK(owner_of(ifaddr_withaddr(SA(exact))) == the);
	CHECK(owner_of(ifaddr_withaddr(SA(bcast))) == the);
	CHECK(ifaddr_withaddr(SA(none)) == NULL);
	CHECK(owner_of(ifaddr_withdstaddr(SA(peer))) == ptp);
	CHECK(ifaddr_withdstaddr(SA(exact)) == NULL);
	CHECK_EQ(last_byte(ifaddr_withnet(SA(near))), 2);
	CHECK_EQ(last_byte(ifaddr_withnet(SA(far))), 0);
	CHECK(ifaddr_withnet(SA(none)) == NULL);
	CHECK_EQ(last_byte(ifaddr_findbestforaddr(SA(near), the)), 2);
	CHECK_EQ(last_byte(ifaddr_findbestforaddr(SA(none), the)), 0);
	CHECK(owner_of(ifaddr_withroute(RTF_GATEWAY, SA(none), SA(peer))) == ptp);
	CHECK(owner_of(ifaddr_withroute(RTF_HOST, SA(peer), SA(none))) == ptp);
	CHECK(owner_of(ifaddr_withroute(0, SA(none), SA(near))) == the);
	CHECK(ifaddr_withroute(0, SA(none), SA(none)) == NULL);
	CHECK(ifaddr_withroute(0, NULL, SA(none)) == NULL);
}

KTEST(accessors_copy_and_cut)
{
	struct sockaddr_in exact = ipv4(10, 1, 2, 1), out;
	ifaddr_t ifa, bare;
	struct sockaddr_in host = ipv4(192, 168, 5, 5);

	prepare();
	ifa = ifaddr_withaddr(SA(exact));
	CHECK_EQ(ifaddr_address_family(ifa), AF_INET);
	CHECK_EQ(ifaddr_address_family(NULL), 0);
	CHECK_EQ(ifaddr_address(ifa, SA(out), 4), EMSGSIZE);
	CHECK_EQ(out.sin_len, sizeof out);
	CHECK_EQ(ifaddr_address(NULL, SA(out), 4), EINVAL);
	CHECK_EQ(ifaddr_netmask(ifa, SA(out), sizeof out), 0);
	CHECK_EQ(out.sin_addr.s_addr, htonl(0xffffff00));
	CHECK_EQ(ifaddr_dstaddress(ifa, SA(out), sizeof out), 0);
	CHECK_EQ(out.sin_addr.s_addr, htonl(0x0a0102ff));
	CHECK_EQ(ifaddr_add(ptp, SA(host), NULL, NULL), 0);
	bare = ifaddr_withaddr(SA(host));
	CHECK_EQ(ifaddr_dstaddress(bare, SA(out), sizeof out), ENOTSUP);
	CHECK_EQ(ifaddr_release(bare), 0);
	/* A reference keeps a removed address readable. */
	CHECK_EQ(ifaddr_remove(the, SA(exact)), 0);
	CHECK_EQ(ifaddr_address(ifa, SA(out), sizeof out), 0);
	CHECK(ifaddr_ifnet(ifa) == the);
	CHECK_EQ(ifaddr_release(ifa), 0);
	CHECK_EQ(ifaddr_release(NULL), EINVAL);
	CHECK_EQ(ifaddr_reference(NULL), EINVAL);
	CHECK(ifaddr_ifnet(NULL) == NULL);
}

static unsigned
count_list(struct ifnet *ifp, sa_family_t family)
{
	ifaddr_t *list;
	unsigned n = 0;

	CHECK_EQ(ifnet_get_address_list_family(ifp, &list, family), 0);
	while (list[n] != NULL)
		n++;
	ifnet_free_address_list(list);
	return n;
}

KTEST(address_lists)
{
	ifaddr_t *list;

	prepare();
	CHECK_EQ(count_list(the, 0), 5);
	CHECK_EQ(count_list(the, AF_INET), 2);
	CHECK_EQ(count_list(the, AF_LINK), 1);
	CHECK_EQ(count_list(NULL, 0), 5 + 2 + 3);
	CHECK_EQ(ifnet_get_address_list_family(the, &list, AF_APPLETALK), ENXIO);
	CHECK_EQ(ifnet_get_address_list(the, NULL), EINVAL);
	ifnet_free_address_list(NULL);
}

static struct ifnet *
route4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint32_t *hop)
{
	struct sockaddr_in dst = ipv4(a, b, c, d), next;
	struct sockaddr_storage ss;
	struct ifnet *ifp = route_lookup(curmachine(), SA(dst), &ss);

	memcpy(&next, &ss, sizeof next);
	*hop = ntohl(next.sin_addr.s_addr);
	return ifp;
}

KTEST(routes_are_own_addresses_peers_networks_default)
{
	struct sockaddr_in gateway = ipv4(10, 1, 0, 254);
	struct sockaddr_in6 gateway6 = ipv6(0x20, 0x01, 2);
	struct ifnet *lo0;
	uint32_t hop;

	prepare();
	lo0 = dlil_loopback(curmachine());
	CHECK(route4(127, 0, 0, 1, &hop) == lo0);
	CHECK(route4(127, 9, 9, 9, &hop) == lo0);
	CHECK(route4(10, 1, 0, 1, &hop) == lo0);
	CHECK(route4(192, 168, 0, 2, &hop) == ptp);
	CHECK(route4(10, 1, 7, 7, &hop) == the);
	CHECK_EQ(hop, 0x0a010707);
	CHECK(route4(8, 8, 8, 8, &hop) == NULL);
	CHECK(route4(224, 0, 0, 1, &hop) == the);
	CHECK(route4(255, 255, 255, 255, &hop) == the);
	CHECK_EQ(route_set_default(curmachine(), AF_INET, ptp, SA(gateway6)), EINVAL);
	CHECK_EQ(route_set_default(curmachine(), AF_LINK, ptp, NULL), EINVAL);
	CHECK_EQ(route_set_default(curmachine(), AF_INET, the, SA(gateway)), 0);
	CHECK(route4(8, 8, 8, 8, &hop) == the);
	CHECK_EQ(hop, 0x0a0100fe);
	CHECK(route4(10, 1, 7, 7, &hop) == the);
	CHECK_EQ(hop, 0x0a010707);
	CHECK_EQ(route_set_default(curmachine(), AF_INET, ptp, NULL), 0);
	CHECK(route4(8, 8, 8, 8, &hop) == ptp);
	CHECK_EQ(hop, 0x08080808);
	CHECK_EQ(ifnet_detach(ptp), 0);
	settle();
	CHECK(route4(8, 8, 8, 8, &hop) == NULL);
	CHECK(route4(192, 168, 0, 2, &hop) == NULL);
	CHECK_EQ(route_set_default(curmachine(), AF_INET, ptp, NULL), ENXIO);
}

KTEST(ipv6_routes_know_scopes)
{
	struct sockaddr_in6 dst = ipv6(0xfe, 0x80, 9), mask;
	struct sockaddr_in6 mine = ipv6(0xfe, 0x80, 7);
	struct sockaddr_storage hop;

	prepare();
	memset(&mask, 0, sizeof mask);
	mask.sin6_len = sizeof mask;
	memset(&mask.sin6_addr, 0xff, 8);
	CHECK_EQ(ifaddr_add(ptp, SA(mine), SA(mask), NULL), 0);
	dst.sin6_addr.s6_addr[3] = (uint8_t)ptp->index;
	CHECK(route_lookup(curmachine(), SA(dst), &hop) == ptp);
	dst.sin6_addr.s6_addr[3] = (uint8_t)the->index;
	CHECK(route_lookup(curmachine(), SA(dst), NULL) == the);
	dst = ipv6(0x20, 0x01, 0x77);
	CHECK(route_lookup(curmachine(), SA(dst), NULL) == the);
	dst = ipv6(0, 0, 1);
	CHECK(route_lookup(curmachine(), SA(dst), NULL) == dlil_loopback(curmachine()));
}

KTEST_SUITE(ifaddr,
    T(addresses_are_unique_and_well_formed),
    T(link_local_addresses_carry_their_interface),
    T(lookups_of_the_kpi),
    T(accessors_copy_and_cut),
    T(address_lists),
    T(routes_are_own_addresses_peers_networks_default),
    T(ipv6_routes_know_scopes));
