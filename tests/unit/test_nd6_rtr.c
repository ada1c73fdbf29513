/* src/netinet6/nd6_rtr.c, nd6_slaac.c, nd6_adv.c, redirects: routers, prefixes, addresses of one's own. */
#include "src/netinet/in_control.h"
#include "tests/unit/nd6_testing.h"

/* ---- switching it on ---------------------------------------------------------------------- */

KTEST(an_interface_gives_itself_a_link_local_address_and_asks_for_routers)
{
	const uint8_t *msg;
	struct ip6_hdr ip6;

	make_link();
	CHECK_EQ(nd6_autoconf_start(en0), 0);
	CHECK_EQ(nd6_autoconf_start(en0), 0);
	CHECK(own6(our_ll())->ia6_flags & IN6_IFF_TENTATIVE);
	wait_ns(20 * SEC);
	for (unsigned i = 0; i < 3; i++) {
		msg = next_nd(ND_ROUTER_SOLICIT, &ip6, NULL);
		CHECK(msg != NULL && same6(&ip6.ip6_src, our_ll()));
		CHECK(same6(&ip6.ip6_dst, in6(0xff, 0x02, 0, 2)));
		CHECK_EQ(msg[8], ND_OPT_SOURCE_LINKADDR);
		CHECK_EQ(memcmp(msg + 10, our_mac, 6), 0);
	}
	CHECK(next_nd(ND_ROUTER_SOLICIT, NULL, NULL) == NULL);
}

KTEST(a_duplicate_link_local_address_ends_it)
{
	make_link();
	CHECK_EQ(nd6_autoconf_start(en0), 0);
	wait_ns(100 * MS);
	neighbor_comes(ND_NEIGHBOR_ADVERT, 0, our_ll(), ALL_NODES, our_ll(), peer_mac);
	CHECK(own6(our_ll())->ia6_flags & IN6_IFF_DUPLICATED);
	wait_ns(20 * SEC);
	CHECK(next_nd(ND_ROUTER_SOLICIT, NULL, NULL) == NULL);
}

KTEST(only_ethernet_does_it)
{
	struct ifnet *other = attached_interface("x", 0);

	CHECK_EQ(nd6_autoconf_start(other), EOPNOTSUPP);
	CHECK_EQ(nd6_linklocal_start(other), EOPNOTSUPP);
	CHECK_EQ(nd6_advertise(other, &(struct nd6_advertise){.lifetime = 1800}), EOPNOTSUPP);
}

KTEST(without_autoconfiguration_routers_are_not_listened_to)
{
	make_link();
	CHECK_EQ(nd6_linklocal_start(en0), 0);
	wait_ns(3 * SEC);
	begin_advert(1800, 0);
	put_prefix(prefix64(1), 64, LA, 3600, 1800);
	advert_comes(ROUTER(1));
	CHECK_EQ(nd6_routers(curmachine(), NULL, 0), 0);
	CHECK(own6(our_global(1)) == NULL);
	CHECK_EQ(default_router(), 0);
}

/* ---- what a router says ------------------------------------------------------------------- */

KTEST(an_advertisement_gives_address_route_and_parameters)
{
	struct in6_defrouter router;
	struct in6_prefix prefix;
	struct nd_ifinfo info;
	struct ifaddr *ifa;
	struct rtentry *rt;
	struct sockaddr_in6 near;

	start_autoconf();
	forget_frames();
	begin_advert(1800, ND_RA_FLAG_RTPREF_HIGH);
	advert.ra.nd_ra_curhoplimit = 99;
	advert.ra.nd_ra_retransmit = htonl(500);
	advert.ra.nd_ra_reachable = htonl(20000);
	put_lladdr(peer_mac);
	put_mtu(1400);
	put_prefix(prefix64(1), 64, LA, 3600, 1800);
	advert_comes(ROUTER(1));
	ifa = own6(our_global(1));
	CHECK(ifa != NULL);
	CHECK_EQ(ifa->ia6_flags, IN6_IFF_AUTOCONF | IN6_IFF_TENTATIVE);
	CHECK_EQ(ifa->ia6_valid / SEC, machine_now(curmachine()) / SEC + 3600);
	CHECK_EQ(default_router(), 1);
	CHECK_EQ(entry6(ROUTER(1))->state, NEIGHBOR_STALE);
	CHECK(entry6(ROUTER(1))->flags & NEIGHBOR_ROUTER);
	CHECK_EQ(nd6_routers(curmachine(), &router, 1), 1);
	CHECK_EQ(router.rtlifetime, 1800);
	CHECK_EQ(router.stateflags, NDDRF_INSTALLED);
	CHECK_EQ(nd6_prefixes(curmachine(), &prefix, 1), 1);
	CHECK_EQ(prefix.prefixlen, 64);
	CHECK(nd6_interface_info(en0, &info));
	CHECK_EQ(info.linkmtu, 1400);
	CHECK_EQ(info.chlim, 99);
	CHECK_EQ(info.retrans, 500);
	CHECK_EQ(info.basereachable, 20000);
	near = sin6_of(in6(0x20, 0x01, 9, 9));
	near.sin6_addr.s6_addr[7] = 1;
	rt = rt_lookup(curmachine(), SA(near), NULL, 0);
	CHECK(rt != NULL && !(rt->rt_flags & RTF_GATEWAY) && rt->rt_ifp == en0);
	CHECK_EQ(rt_mtu(rt), 1400);
	rt_release(rt);
	wait_ns(3 * SEC);
	CHECK_EQ(own6(our_global(1))->ia6_flags, IN6_IFF_AUTOCONF);
	/* It has answered: nobody is asked any more. */
	wait_ns(20 * SEC);
	CHECK(next_nd(ND_ROUTER_SOLICIT, NULL, NULL) == NULL);
}

/* New link-local address, no longer tentative; address and router of an advertisement; both go. */
KTEST(what_happens_to_addresses_and_routers_is_posted)
{
	make_link();
	listen_to_events();
	(void)said();
	CHECK_EQ(nd6_autoconf_start(en0), 0);
	CHECK_STR(said(), "K14 K1 Kin64");
	wait_ns(3 * SEC);
	CHECK_STR(said(), "Kin62");
	begin_advert(1800, 0);
	put_lladdr(peer_mac);
	put_prefix(prefix64(1), 64, LA, 3600, 1800);
	advert_comes(ROUTER(1));
	CHECK_STR(said(), "Kin65 Kin66");
	wait_ns(3 * SEC);
	CHECK_STR(said(), "Kin62");
	wait_ns(4000 * SEC);
	CHECK_STR(said(), "Kin63");
}

KTEST(prefixes_for_one_purpose_only)
{
	struct sockaddr_in6 near;
	struct rtentry *rt;

	start_autoconf();
	begin_advert(0, 0);
	put_prefix(prefix64(1), 64, ND_OPT_PI_FLAG_ONLINK, 3600, 1800);
	put_prefix(prefix64(2), 64, ND_OPT_PI_FLAG_AUTO, 3600, 1800);
	advert_comes(ROUTER(1));
	CHECK(own6(our_global(1)) == NULL);
	CHECK(own6(our_global(2)) != NULL);
	near = sin6_of(prefix64(1));
	near.sin6_addr.s6_addr[15] = 9;
	rt = rt_lookup(curmachine(), SA(near), NULL, 0);
	CHECK(rt != NULL && rt->rt_ifp == en0);
	rt_release(rt);
	near.sin6_addr.s6_addr[7] = 2;
	CHECK(rt_lookup(curmachine(), SA(near), NULL, 0) == NULL);
	CHECK_EQ(default_router(), 0);
	/* What is on the link is a neighbour's, and can be taken back. */
	begin_advert(0, 0);
	put_prefix(prefix64(1), 64, ND_OPT_PI_FLAG_ONLINK, 0, 0);
	advert_comes(ROUTER(1));
	near.sin6_addr.s6_addr[7] = 1;
	CHECK(rt_lookup(curmachine(), SA(near), NULL, 0) == NULL);
	CHECK_EQ(nd6_prefixes(curmachine(), NULL, 0), 0);
}

KTEST(prefixes_that_cannot_be_are_passed_over)
{
	start_autoconf();
	begin_advert(0, 0);
	put_prefix(prefix64(1), 64, LA, 100, 200);	/* preferred for longer than valid */
	put_prefix(prefix64(2), 129, LA, 200, 100);
	put_prefix(in6(0xfe, 0x80, 0, 0), 64, LA, 200, 100);
	put_prefix(in6(0xff, 0x02, 0, 0), 64, LA, 200, 100);
	put_prefix(prefix64(3), 64, LA, 0, 0);
	put_prefix(prefix64(4), 65, ND_OPT_PI_FLAG_AUTO, 200, 100);
	put_mtu(1279);
	put_mtu(1501);
	advert_comes(ROUTER(1));
	CHECK_EQ(nd6_prefixes(curmachine(), NULL, 0), 0);
	for (uint8_t i = 1; i < 5; i++)
		CHECK(own6(our_global(i)) == NULL);
	CHECK_EQ(en0->mtu6, 0);
}

KTEST(addresses_age)
{
	struct ifaddr *ifa;

	start_autoconf();
	begin_advert(0, 0);
	put_prefix(prefix64(1), 64, LA, 200, 100);
	advert_comes(ROUTER(1));
	wait_ns(90 * SEC);
	ifa = own6(our_global(1));
	CHECK(ifa != NULL && !(ifa->ia6_flags & IN6_IFF_DEPRECATED));
	wait_ns(20 * SEC);
	CHECK(ifa->ia6_flags & IN6_IFF_DEPRECATED);
	/* Said again, it is as good as new. */
	advert_comes(ROUTER(1));
	CHECK(!(ifa->ia6_flags & IN6_IFF_DEPRECATED));
	wait_ns(210 * SEC);
	CHECK(own6(our_global(1)) == NULL);
	CHECK_EQ(nd6_prefixes(curmachine(), NULL, 0), 0);
}

KTEST(a_lifetime_is_not_cut_to_less_than_two_hours)
{
	struct ifaddr *ifa;
	uint64_t now;

	start_autoconf();
	begin_advert(0, 0);
	put_prefix(prefix64(1), 64, LA, ND6_INFINITE_LIFETIME, ND6_INFINITE_LIFETIME);
	advert_comes(ROUTER(1));
	ifa = own6(our_global(1));
	CHECK(ifa != NULL);
	CHECK_EQ(ifa->ia6_valid, 0);
	begin_advert(0, 0);
	put_prefix(prefix64(1), 64, ND_OPT_PI_FLAG_AUTO, 1, 1);
	advert_comes(ROUTER(1));
	now = machine_now(curmachine());
	CHECK_EQ((ifa->ia6_valid - now + SEC / 2) / SEC, 7200);
	wait_ns(3600 * SEC);
	/* What is left is less than that already: it stays as it is. */
	advert_comes(ROUTER(1));
	now = machine_now(curmachine());
	CHECK((ifa->ia6_valid - now) / SEC >= 3598 && (ifa->ia6_valid - now) / SEC <= 3600);
	wait_ns(3700 * SEC);
	CHECK(own6(our_global(1)) == NULL);
}

/* ---- default routers ---------------------------------------------------------------------- */

static void
router_says(uint8_t n, uint16_t lifetime, uint8_t preference, const uint8_t *lladdr)
{
	begin_advert(lifetime, preference);
	if (lladdr != NULL)
		put_lladdr(lladdr);
	advert_comes(ROUTER(n));
}

KTEST(the_preferred_router_is_used_and_the_next_when_it_goes)
{
	start_autoconf();
	router_says(1, 1800, 0, peer_mac);
	CHECK_EQ(default_router(), 1);
	router_says(2, 60, ND_RA_FLAG_RTPREF_HIGH, other_mac);
	CHECK_EQ(default_router(), 2);
	router_says(3, 1800, ND_RA_FLAG_RTPREF_LOW, other_mac);
	CHECK_EQ(default_router(), 2);
	wait_ns(61 * SEC);
	CHECK_EQ(default_router(), 1);
	router_says(1, 0, 0, peer_mac);
	CHECK_EQ(default_router(), 3);
	router_says(3, 0, 0, other_mac);
	CHECK_EQ(default_router(), 0);
	CHECK_EQ(nd6_routers(curmachine(), NULL, 0), 0);
}

KTEST(a_router_that_does_not_answer_is_replaced)
{
	start_autoconf();
	router_says(1, 1800, ND_RA_FLAG_RTPREF_HIGH, peer_mac);
	router_says(2, 1800, 0, other_mac);
	CHECK_EQ(default_router(), 1);
	CHECK_EQ(send6(our_ll(), ROUTER(1)), 0);
	wait_ns(20 * SEC);
	CHECK_EQ(default_router(), 2);
	/* It is back. */
	CHECK_EQ(send6(our_ll(), ROUTER(1)), 0);
	neighbor_comes(ND_NEIGHBOR_ADVERT, ND_NA_FLAG_ROUTER | ND_NA_FLAG_SOLICITED | ND_NA_FLAG_OVERRIDE,
	    ROUTER(1), our_ll(), ROUTER(1), peer_mac);
	CHECK_EQ(default_router(), 1);
	/* It is a router no more. */
	neighbor_comes(ND_NEIGHBOR_ADVERT, ND_NA_FLAG_OVERRIDE, ROUTER(1), ALL_NODES, ROUTER(1), peer_mac);
	CHECK_EQ(default_router(), 2);
}

KTEST(the_hosts_own_default_route_stays)
{
	struct in6_addr gateway = in6(0xfe, 0x80, 0, 0x55);

	start_autoconf();
	CHECK_EQ(iface_set_default(curmachine(), en0, AF_INET6, &gateway), 0);
	router_says(1, 1800, 0, peer_mac);
	CHECK_EQ(default_router(), 0x55);
	router_says(1, 0, 0, peer_mac);
	CHECK_EQ(default_router(), 0x55);
}

KTEST(stopping_forgets_what_routers_said)
{
	start_autoconf();
	begin_advert(1800, 0);
	put_lladdr(peer_mac);
	put_prefix(prefix64(1), 64, LA, 3600, 1800);
	advert_comes(ROUTER(1));
	wait_ns(3 * SEC);
	CHECK(own6(our_global(1)) != NULL);
	nd6_autoconf_stop(en0);
	CHECK(own6(our_global(1)) == NULL);
	CHECK(own6(our_ll()) != NULL);
	CHECK_EQ(default_router(), 0);
	CHECK_EQ(nd6_prefixes(curmachine(), NULL, 0), 0);
}

KTEST(an_interface_that_goes_takes_its_routers_along)
{
	start_autoconf();
	begin_advert(1800, 0);
	put_lladdr(peer_mac);
	put_prefix(prefix64(1), 64, LA, 3600, 1800);
	advert_comes(ROUTER(1));
	CHECK_EQ(iface_destroy(curmachine(), en0), 0);
	settle();
	CHECK_EQ(default_router(), 0);
	CHECK_EQ(nd6_routers(curmachine(), NULL, 0), 0);
	wait_ns(10 * SEC);
}

/* ---- redirects ---------------------------------------------------------------------------- */

static void
redirect_comes(struct in6_addr from, struct in6_addr target, struct in6_addr dst)
{
	struct {
		struct nd_redirect rd;
		uint8_t option[8];
	} msg;

	memset(&msg, 0, sizeof msg);
	msg.rd.nd_rd_type = ND_REDIRECT;
	msg.rd.nd_rd_target = target;
	msg.rd.nd_rd_dst = dst;
	msg.option[0] = ND_OPT_TARGET_LINKADDR;
	msg.option[1] = 1;
	memcpy(msg.option + 2, other_mac, 6);
	nd_comes(from, our_ll(), &msg, sizeof msg);
}

static unsigned
gateway_to(struct in6_addr dst)
{
	struct sockaddr_in6 to = sin6_of(dst);
	struct rtentry *rt = rt_lookup(curmachine(), SA(to), NULL, 0);
	unsigned last = 0;

	if (rt != NULL && (rt->rt_flags & RTF_GATEWAY))
		last = ((const struct sockaddr_in6 *)(const void *)&rt->rt_gateway)->sin6_addr.s6_addr[15];
	rt_release(rt);
	return last;
}

KTEST(redirects_are_taken_from_the_router_in_use_only)
{
	struct in6_addr far = in6(0x2a, 0x00, 0, 1), other = in6(0x2a, 0x00, 0, 2);
	struct icmp6stat *st;

	start_autoconf();
	st = icmp6_statistics(curmachine());
	router_says(1, 1800, 0, peer_mac);
	redirect_comes(ROUTER(9), ROUTER(2), far);
	CHECK_EQ(gateway_to(far), 1);
	CHECK_EQ(st->icp6s_badredirect, 1);
	redirect_comes(ROUTER(1), in6(0x2a, 0x00, 0, 5), far);
	redirect_comes(ROUTER(1), ROUTER(2), ALL_NODES);
	CHECK_EQ(st->icp6s_badredirect, 3);
	redirect_comes(ROUTER(1), ROUTER(2), far);
	CHECK_EQ(gateway_to(far), 2);
	CHECK_EQ(gateway_to(other), 1);
	CHECK(entry6(ROUTER(2)) != NULL && (entry6(ROUTER(2))->flags & NEIGHBOR_ROUTER));
	/* The destination is on the link itself. */
	redirect_comes(ROUTER(1), other, other);
	CHECK_EQ(st->icp6s_badredirect, 3);
	CHECK(gateway_to(other) != 1);
	set_int("net.inet6.icmp6.rediraccept", 0);
	redirect_comes(ROUTER(1), ROUTER(3), in6(0x2a, 0x00, 0, 3));
	CHECK_EQ(gateway_to(in6(0x2a, 0x00, 0, 3)), 1);
}

/* ---- floods and bad input ----------------------------------------------------------------- */

KTEST(a_flood_of_advertisements_is_bounded)
{
	struct core_memory before, after;
	unsigned addresses = 0;
	struct ifaddr *ifa;

	start_autoconf();
	frames_ignored = true;
	memset(&before, 0, sizeof before);
	for (unsigned i = 0; i < 600; i++) {
		if (i == 300)
			machine_memory(curmachine(), &before);
		begin_advert(1800, 0);
		put_lladdr(peer_mac);
		for (unsigned j = 0; j < 40; j++) {
			struct in6_addr p = prefix64((uint8_t)j);

			p.s6_addr[5] = (uint8_t)(i >> 8);
			p.s6_addr[6] = (uint8_t)i;
			put_prefix(p, 64, LA, 3600, 1800);
		}
		advert_comes(in6(0xfe, 0x80, (uint8_t)(i >> 8), (uint8_t)i));
	}
	machine_memory(curmachine(), &after);
	CHECK_EQ(nd6_routers(curmachine(), NULL, 0), 16);
	CHECK_EQ(nd6_prefixes(curmachine(), NULL, 0), 16);
	TAILQ_FOREACH(ifa, &en0->addresses, link)
		addresses += (ifa->ia6_flags & IN6_IFF_AUTOCONF) != 0;
	CHECK_EQ(addresses, 16);
	/* Neighbours may have come; nothing else. */
	CHECK(after.heap_blocks <= before.heap_blocks + 300);
	CHECK(en0->neighbor_count <= NEIGHBOR_IF_MAX);
}

KTEST(advertisements_cut_anywhere_do_no_harm)
{
	struct icmp6stat *st;
	size_t whole;

	start_autoconf();
	st = icmp6_statistics(curmachine());
	begin_advert(1800, 0);
	put_lladdr(peer_mac);
	put_mtu(1400);
	put_prefix(prefix64(1), 64, LA, 3600, 1800);
	whole = advert.len;
	for (size_t len = 8; len < whole; len++) {
		if (len != 16 && len != 24 && len != 32)
			nd_comes(ROUTER(1), ALL_NODES, advert.bytes, len);
	}
	CHECK_EQ(nd6_routers(curmachine(), NULL, 0), 0);
	CHECK(own6(our_global(1)) == NULL);
	CHECK_EQ(st->icp6s_badra, whole - 8 - 3);
	/* From no link-local address, from afar. */
	nd_comes(in6(0x20, 0x01, 0, 9), ALL_NODES, advert.bytes, whole);
	nd_comes_with(peer_mac, ROUTER(1), ALL_NODES, advert.bytes, whole, 64);
	CHECK_EQ(st->icp6s_badra, whole - 8 - 3 + 2);
	CHECK_EQ(nd6_routers(curmachine(), NULL, 0), 0);
}

/* ---- this machine as a router ------------------------------------------------------------- */

static struct nd6_advertise
advertise_something(void)
{
	struct nd6_advertise a = {
		.lifetime = 1800, .flags = ND_RA_FLAG_OTHER, .hop_limit = 64, .mtu = 1400, .prefix_count = 1,
		.prefixes = {{.len = 64, .flags = LA, .valid = 3600, .preferred = 1800}},
	};

	a.prefixes[0].prefix = prefix64(7);
	return a;
}

static void
start_router(void)
{
	struct nd6_advertise a = advertise_something();

	make_link();
	set_int("net.inet6.ip6.forwarding", 1);
	CHECK_EQ(nd6_advertise(en0, &a), 0);
	wait_ns(5 * SEC);
}

KTEST(a_router_advertises_itself)
{
	struct nd_opt_prefix_info pi;
	struct nd_router_advert ra;
	const uint8_t *msg;
	struct ip6_hdr ip6;
	size_t len;
	unsigned n = 1;

	start_router();
	msg = next_nd(ND_ROUTER_ADVERT, &ip6, &len);
	CHECK(msg != NULL && same6(&ip6.ip6_src, our_ll()) && same6(&ip6.ip6_dst, ALL_NODES));
	CHECK_EQ(len, sizeof ra + 8 + 8 + sizeof pi);
	memcpy(&ra, msg, sizeof ra);
	CHECK_EQ(ntohs(ra.nd_ra_router_lifetime), 1800);
	CHECK_EQ(ra.nd_ra_flags_reserved, ND_RA_FLAG_OTHER);
	memcpy(&pi, msg + sizeof ra + 16, sizeof pi);
	CHECK(same6(&pi.nd_opt_pi_prefix, prefix64(7)));
	CHECK_EQ(ntohl(pi.nd_opt_pi_valid_time), 3600);
	/* Three come soon, then one every 198 to 600 seconds. */
	wait_ns(40 * SEC);
	while (next_nd(ND_ROUTER_ADVERT, NULL, NULL) != NULL)
		n++;
	CHECK_EQ(n, 3);
	wait_ns(1800 * SEC);
	for (n = 0; next_nd(ND_ROUTER_ADVERT, NULL, NULL) != NULL;)
		n++;
	CHECK(n >= 3 && n <= 9);
}

KTEST(a_router_answers_but_not_too_often)
{
	struct {
		struct nd_router_solicit rs;
		uint8_t option[8];
	} msg;
	unsigned n = 0;

	start_router();
	wait_ns(60 * SEC);
	forget_frames();
	memset(&msg, 0, sizeof msg);
	msg.rs.nd_rs_type = ND_ROUTER_SOLICIT;
	msg.option[0] = ND_OPT_SOURCE_LINKADDR;
	msg.option[1] = 1;
	memcpy(msg.option + 2, peer_mac, 6);
	nd_comes(ROUTER(1), nd6_all_routers, &msg, sizeof msg);
	wait_ns(600 * MS);
	CHECK(next_nd(ND_ROUTER_ADVERT, NULL, NULL) != NULL);
	CHECK_EQ(entry6(ROUTER(1))->state, NEIGHBOR_STALE);
	for (unsigned i = 0; i < 100; i++) {
		nd_comes(ROUTER(1), nd6_all_routers, &msg, sizeof msg);
		wait_ns(100 * MS);
	}
	while (next_nd(ND_ROUTER_ADVERT, NULL, NULL) != NULL)
		n++;
	CHECK(n >= 2 && n <= 4);
	/* Without an address it has no link address either. */
	nd_comes(UNSPECIFIED, nd6_all_routers, &msg, sizeof msg);
	CHECK_EQ(icmp6_statistics(curmachine())->icp6s_badrs, 1);
}

KTEST(a_router_that_stops_says_so)
{
	struct nd_router_advert ra;
	const uint8_t *msg;

	start_router();
	forget_frames();
	CHECK_EQ(nd6_advertise(en0, NULL), 0);
	wait_ns(SEC);
	msg = next_nd(ND_ROUTER_ADVERT, NULL, NULL);
	CHECK(msg != NULL);
	memcpy(&ra, msg, sizeof ra);
	CHECK_EQ(ra.nd_ra_router_lifetime, 0);
	wait_ns(2000 * SEC);
	CHECK(next_nd(ND_ROUTER_ADVERT, NULL, NULL) == NULL);
	CHECK_EQ(nd6_advertise(en0, NULL), 0);
}

KTEST(a_host_does_not_advertise_and_a_router_does_not_listen)
{
	struct nd6_advertise a = advertise_something();

	make_link();
	CHECK_EQ(nd6_advertise(en0, &a), 0);
	wait_ns(60 * SEC);
	CHECK(next_nd(ND_ROUTER_ADVERT, NULL, NULL) == NULL);
	set_int("net.inet6.ip6.forwarding", 1);
	CHECK_EQ(nd6_autoconf_start(en0), 0);
	router_says(1, 1800, 0, peer_mac);
	CHECK_EQ(nd6_routers(curmachine(), NULL, 0), 0);
}

KTEST(what_a_router_may_not_say)
{
	struct nd6_advertise a;

	make_link();
	a = advertise_something();
	a.lifetime = 9001;
	CHECK_EQ(nd6_advertise(en0, &a), EINVAL);
	a = advertise_something();
	a.max_interval = 3;
	CHECK_EQ(nd6_advertise(en0, &a), EINVAL);
	a = advertise_something();
	a.min_interval = 700;
	CHECK_EQ(nd6_advertise(en0, &a), EINVAL);
	a = advertise_something();
	a.min_interval = 2;
	CHECK_EQ(nd6_advertise(en0, &a), EINVAL);
	a = advertise_something();
	a.max_interval = 1000;
	a.min_interval = 751;
	CHECK_EQ(nd6_advertise(en0, &a), EINVAL);
	a = advertise_something();
	a.mtu = 1000;
	CHECK_EQ(nd6_advertise(en0, &a), EINVAL);
	a = advertise_something();
	a.prefix_count = ND6_ADV_PREFIXES_MAX + 1;
	CHECK_EQ(nd6_advertise(en0, &a), EINVAL);
	a = advertise_something();
	a.prefixes[0].preferred = 7200;
	CHECK_EQ(nd6_advertise(en0, &a), EINVAL);
	a = advertise_something();
	a.prefixes[0].prefix = in6(0xfe, 0x80, 0, 0);
	CHECK_EQ(nd6_advertise(en0, &a), EINVAL);
}

/* ---- ioctls ------------------------------------------------------------------------------- */

KTEST(programs_see_neighbours_routers_and_prefixes)
{
	struct in6_nbrinfo nbr = {.ifname = "en0", .addr = ROUTER(1)};
	struct in6_drlist routers = {.ifname = "en0"};
	struct in6_prlist prefixes = {.ifname = "en0"};
	struct in6_ondireq info = {.ifname = "en0"};
	struct in6_ifreq flush = {.ifr_name = "en0"};
	struct nke *m = curmachine();

	start_autoconf();
	begin_advert(1800, 0);
	put_lladdr(peer_mac);
	put_prefix(prefix64(1), 64, LA, 3600, 1800);
	advert_comes(ROUTER(1));
	CHECK_EQ(in6_control(m, SIOCGNBRINFO_IN6, &nbr), 0);
	CHECK_EQ(nbr.state, ND6_LLINFO_STALE);
	CHECK_EQ(nbr.isrouter, 1);
	nbr.addr = ROUTER(9);
	CHECK_EQ(in6_control(m, SIOCGNBRINFO_IN6, &nbr), EINVAL);
	CHECK_EQ(in6_control(m, SIOCGDRLST_IN6, &routers), 0);
	CHECK_EQ(routers.defrouter[0].rtlifetime, 1800);
	CHECK_EQ(routers.defrouter[0].rtaddr.s6_addr[3], en0->index);
	CHECK_EQ(routers.defrouter[1].rtlifetime, 0);
	CHECK_EQ(in6_control(m, SIOCGPRLST_IN6, &prefixes), 0);
	CHECK_EQ(prefixes.prefix[0].prefixlen, 64);
	CHECK_EQ(prefixes.prefix[0].vltime, 3600);
	CHECK_EQ(in6_control(m, SIOCGIFINFO_IN6, &info), 0);
	CHECK_EQ(info.ndi.linkmtu, 1500);
	CHECK_EQ(info.ndi.receivedra, 1);
	CHECK_EQ(in6_control(m, SIOCSRTRFLUSH_IN6, &flush), 0);
	CHECK_EQ(default_router(), 0);
	CHECK_EQ(in6_control(m, SIOCSPFXFLUSH_IN6, &flush), 0);
	CHECK_EQ(nd6_prefixes(m, NULL, 0), 0);
	CHECK_EQ(in6_control(m, SIOCSNDFLUSH_IN6, &flush), 0);
	CHECK(entry6(ROUTER(1)) == NULL);
}

/* ---- more of what routers say ------------------------------------------------------------- */

KTEST(many_advertisements_do_not_eat_a_lifetime)
{
	struct ifaddr *ifa;
	uint64_t valid;

	start_autoconf();
	begin_advert(0, 0);
	put_prefix(prefix64(1), 64, ND_OPT_PI_FLAG_AUTO, 7200, 7200);
	advert_comes(ROUTER(1));
	wait_ns(5 * SEC);
	ifa = own6(our_global(1));
	CHECK(ifa != NULL);
	valid = ifa->ia6_valid;
	begin_advert(0, 0);
	put_prefix(prefix64(1), 64, ND_OPT_PI_FLAG_AUTO, 1, 1);
	for (unsigned i = 0; i < 100; i++) {
		advert_comes(ROUTER(1));
		wait_ns(MS);
	}
	CHECK_EQ(ifa->ia6_valid, valid);
	CHECK(ifa->ia6_preferred <= machine_now(curmachine()) + SEC);
}

/* The IPv6 packet that was sent last. */
static const uint8_t *
last_packet(void)
{
	CHECK(frame_count != 0);
	return frames[frame_count - 1].data + 14;
}

static void
send_by(struct ifnet *ifp, struct in6_addr src, struct in6_addr dst)
{
	struct ip_sender sender = {.bound = ifp};
	struct ip6_hdr ip6 = {.ip6_src = src, .ip6_dst = dst};

	ip6.ip6_nxt = 253;
	CHECK_EQ(ip6_send(curmachine(), m_devget(curmachine(), &ip6, sizeof ip6, 32), &sender), 0);
}

KTEST(a_hop_limit_is_its_links_and_is_not_lowered)
{
	struct nd_ifinfo info;

	start_autoconf();
	begin_advert(1800, 0);
	advert.ra.nd_ra_curhoplimit = 70;
	put_lladdr(peer_mac);
	advert_comes(ROUTER(1));
	CHECK_EQ(curmachine()->ip6->default_hlim, 64);
	CHECK(nd6_interface_info(en0, &info));
	CHECK_EQ(info.chlim, 70);
	send_by(en0, our_ll(), ROUTER(1));
	CHECK_EQ(last_packet()[7], 70);
	advert.ra.nd_ra_curhoplimit = 1;
	advert_comes(ROUTER(1));
	send_by(en0, our_ll(), ROUTER(1));
	CHECK_EQ(last_packet()[7], 70);
}

KTEST(the_links_mtu_follows_the_router)
{
	struct sockaddr_in6 far;
	struct rtentry *rt;

	start_autoconf();
	far = sin6_of(in6(0x2a, 0x00, 0, 1));
	begin_advert(1800, 0);
	advert_comes(ROUTER(1));
	begin_advert(1800, 0);
	put_mtu(1400);
	advert_comes(ROUTER(1));
	rt = rt_lookup(curmachine(), SA(far), NULL, 0);
	CHECK(rt != NULL);
	CHECK_EQ(rt_mtu(rt), 1400);
	begin_advert(1800, 0);
	put_mtu(1279);
	advert_comes(ROUTER(1));
	CHECK_EQ(rt_mtu(rt), 1400);
	begin_advert(1800, 0);
	put_mtu(1501);
	advert_comes(ROUTER(1));
	CHECK_EQ(rt_mtu(rt), 1400);
	rt_release(rt);
}

KTEST(times_of_no_length_are_not_for_ever)
{
	struct nd_ifinfo info;

	start_autoconf();
	for (unsigned i = 0; i < 8; i++) {
		begin_advert(1800, 0);
		advert.ra.nd_ra_reachable = htonl(1 + (i & 1));
		advert_comes(ROUTER(1));
		CHECK(nd6_interface_info(en0, &info));
		CHECK(en0->nd6->reachable_ms != 0);
	}
}

KTEST(a_redirect_to_a_router_that_is_dead_is_given_up)
{
	struct in6_addr far = in6(0x2a, 0x00, 0, 1);

	start_autoconf();
	router_says(1, 1800, 0, peer_mac);
	redirect_comes(ROUTER(1), ROUTER(2), far);
	CHECK_EQ(gateway_to(far), 2);
	CHECK_EQ(send6(our_ll(), ROUTER(2)), 0);
	wait_ns(20 * SEC);
	CHECK(entry6(ROUTER(2)) == NULL);
	CHECK_EQ(gateway_to(far), 1);
}

KTEST_SUITE(nd6_rtr,
    T(an_interface_gives_itself_a_link_local_address_and_asks_for_routers),
    T(a_duplicate_link_local_address_ends_it),
    T(only_ethernet_does_it),
    T(without_autoconfiguration_routers_are_not_listened_to),
    T(an_advertisement_gives_address_route_and_parameters),
    T(what_happens_to_addresses_and_routers_is_posted),
    T(prefixes_for_one_purpose_only),
    T(prefixes_that_cannot_be_are_passed_over),
    T(addresses_age),
    T(a_lifetime_is_not_cut_to_less_than_two_hours),
    T(the_preferred_router_is_used_and_the_next_when_it_goes),
    T(a_router_that_does_not_answer_is_replaced),
    T(the_hosts_own_default_route_stays),
    T(stopping_forgets_what_routers_said),
    T(an_interface_that_goes_takes_its_routers_along),
    T(redirects_are_taken_from_the_router_in_use_only),
    T(a_flood_of_advertisements_is_bounded),
    T(advertisements_cut_anywhere_do_no_harm),
    T(a_router_advertises_itself),
    T(a_router_answers_but_not_too_often),
    T(a_router_that_stops_says_so),
    T(a_host_does_not_advertise_and_a_router_does_not_listen),
    T(what_a_router_may_not_say),
    T(programs_see_neighbours_routers_and_prefixes),
    T(many_advertisements_do_not_eat_a_lifetime),
    T(a_hop_limit_is_its_links_and_is_not_lowered),
    T(the_links_mtu_follows_the_router),
    T(times_of_no_length_are_not_for_ever),
    T(a_redirect_to_a_router_that_is_dead_is_given_up));
