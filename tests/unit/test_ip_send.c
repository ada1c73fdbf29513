/* Sending for sockets: cached routes, the short way, bound interfaces, options, extension headers. */
#include "tests/unit/icmp_testing.h"
#include "tests/unit/ipf_testing.h"

#define FAR6	ip6_of("\x20\x01\x0d\xb8\0\7\0\0\0\0\0\0\0\0\0\7")

static struct watcher a;

static errno_t
send4(const struct spec4 *s, const struct ip_sender *sender)
{
	struct mbuf *m = make4(s);

	m->m_pkthdr.rcvif = NULL;
	return ip_send(curmachine(), m, sender);
}

static errno_t
send6(const struct spec6 *s, const struct ip_sender *sender)
{
	struct mbuf *m = make6(s);

	m->m_pkthdr.rcvif = NULL;
	return ip6_send(curmachine(), m, sender);
}

static errno_t
send_unbound4(uint32_t dst, uint32_t flags)
{
	const struct ip_sender sender = {.flags = flags};
	struct mbuf *m = make4(&(struct spec4){.dst = dst, .len = 9});

	m->m_pkthdr.rcvif = NULL;
	mtod(m, struct ip *)->ip_src.s_addr = 0;
	return ip_send(curmachine(), m, &sender);
}

static const struct ip *
good4(unsigned i)
{
	CHECK(i < sent.count);
	CHECK_EQ(in_cksum_part(sent.m[i], 0, mtod(sent.m[i], struct ip *)->ip_hl << 2), 0);
	return mtod(sent.m[i], const struct ip *);
}

KTEST(the_short_way_sends_the_same)
{
	struct route route = {0};
	const struct ip_sender sender = {.route = &route};
	struct mbuf *m;

	testbed();
	for (unsigned i = 0; i < 4; i++) {
		m = make4(&(struct spec4){.src = HERE4, .dst = FAR4, .off = IP_DF | IP_MF | 3, .len = 30});
		m->m_pkthdr.rcvif = NULL;
		mtod(m, struct ip *)->ip_hl = 0;
		mtod(m, struct ip *)->ip_ttl = 0;
		CHECK_EQ(ip_send(curmachine(), m, &sender), 0);
		CHECK_EQ(*sent.m[i]->m_data, 0x45);
		CHECK_EQ(ntohs(good4(i)->ip_len), 50);
		CHECK_EQ(good4(i)->ip_off, htons(IP_DF));
		CHECK_EQ(good4(i)->ip_ttl, 64);
		CHECK(i == 0 || good4(i)->ip_id != good4(i - 1)->ip_id);
		CHECK(payload_is(sent.m[i], 20, 30));
		CHECK(route.ro_plain && route.ro_dst.s6_addr32[3] == FAR4);
	}
	CHECK_EQ(st4()->ips_localout, 4);
	route_clear(&route);
	testbed_end();
}

KTEST(the_short_way_ends_when_anything_changes)
{
	struct route route = {0};
	const struct ip_sender sender = {.route = &route};
	struct sockaddr_in far = {.sin_len = sizeof far, .sin_family = AF_INET, .sin_addr = {FAR4}};
	struct rt_request r = {.dst = (struct sockaddr *)&far, .prefix = 32, .ifp = NULL,
	    .flags = RTF_UP | RTF_HOST | RTF_STATIC | RTF_REJECT};

	testbed();
	r.ifp = en7;
	for (unsigned i = 0; i < 2; i++)
		CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = FAR4}, &sender), 0);
	/* A filter. */
	calls[0] = '\0';
	attach(&a, 'a', AF_INET);
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = FAR4}, &sender), 0);
	CHECK_STR(calls, "a");
	CHECK_EQ(ipf_remove(a.ref), 0);
	/* Broadcasts still need permission. */
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = IP4(10, 0, 0, 255)}, &sender), EACCES);
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = IP4(10, 0, 0, 255)}, &sender), EACCES);
	/* Size. */
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = FAR4}, &sender), 0);
	forget(&sent);
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = FAR4, .len = 3000}, &sender), 0);
	CHECK_EQ(sent.count, 3);
	/* The route. */
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = FAR4}, &sender), 0);
	CHECK_EQ(rt_add(curmachine(), &r, NULL), 0);
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = FAR4}, &sender), EHOSTUNREACH);
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = FAR4}, &sender), EHOSTUNREACH);
	CHECK_EQ(rt_delete(curmachine(), (struct sockaddr *)&far, 32, NULL), 0);
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = FAR4}, &sender), 0);
	/* Loopback addresses stay inside. */
	CHECK_EQ(send4(&(struct spec4){.src = IP4(127, 0, 0, 1), .dst = FAR4}, &sender), EADDRNOTAVAIL);
	route_clear(&route);
	testbed_end();
}

KTEST(our_own_addresses_take_the_short_way_too)
{
	struct route route = {0};
	const struct ip_sender sender = {.route = &route};

	testbed();
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = HERE4, .len = 77}, &sender), 0);
	CHECK(route.ro_plain && route.ro_dst.s6_addr32[3] == HERE4);
	let_run();
	CHECK_EQ(delivered.count, 3);
	CHECK(payload_is(delivered.m[2], 20, 77));
	CHECK(delivered.m[2]->m_pkthdr.rcvif == dlil_loopback(curmachine()));
	route_clear(&route);
	testbed_end();
}

KTEST(rejecting_routes_say_so_and_black_holes_do_not)
{
	struct sockaddr_in net = {.sin_len = sizeof net, .sin_family = AF_INET,
	    .sin_addr = {IP4(192, 0, 2, 0)}};
	struct rt_request r = {.dst = (struct sockaddr *)&net, .prefix = 24,
	    .flags = RTF_UP | RTF_STATIC | RTF_REJECT};

	testbed();
	r.ifp = en7;
	CHECK_EQ(rt_add(curmachine(), &r, NULL), 0);
	CHECK_EQ(send_unbound4(FAR4, 0), ENETUNREACH);
	CHECK_EQ(rt_delete(curmachine(), (struct sockaddr *)&net, 24, NULL), 0);
	r.flags = RTF_UP | RTF_STATIC | RTF_BLACKHOLE;
	CHECK_EQ(rt_add(curmachine(), &r, NULL), 0);
	CHECK_EQ(send_unbound4(FAR4, 0), 0);
	CHECK_EQ(sent.count, 0);
	testbed_end();
}

KTEST(sources_are_selected_or_it_is_an_error)
{
	testbed();
	CHECK_EQ(send_unbound4(FAR4, 0), 0);
	CHECK_EQ(good4(0)->ip_src.s_addr, HERE4);
	CHECK_EQ(send_unbound4(FAR4, IP_OUT_UNSPEC_SOURCE), 0);
	CHECK_EQ(good4(1)->ip_src.s_addr, 0);
	ifaddr_purge(en7, AF_INET);
	CHECK_EQ(route_set_default(curmachine(), AF_INET, en7, NULL), 0);
	CHECK_EQ(send_unbound4(FAR4, 0), EADDRNOTAVAIL);
	testbed_end();
}

KTEST(only_connected_networks_with_dontroute)
{
	testbed();
	CHECK_EQ(send_unbound4(THERE4, IP_OUT_DONTROUTE), 0);
	CHECK_EQ(good4(0)->ip_ttl, 1);
	CHECK_EQ(send_unbound4(FAR4, IP_OUT_DONTROUTE), ENETUNREACH);
	testbed_end();
}

KTEST(a_bound_sender_uses_its_interface_or_none)
{
	struct ip_sender sender = {0};
	struct ifnet *fw;

	testbed();
	fw = make_interface("fw", 1500);
	sender.bound = fw;
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = FAR4}, &sender), EHOSTUNREACH);
	sender.bound = en7;
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = FAR4}, &sender), 0);
	sender.bound = fw;
	sender.flags = IP_OUT_BROADCAST;
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = IP4(255, 255, 255, 255)}, &sender), 0);
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = IP4(224, 0, 0, 9)}, &sender), 0);
	CHECK_EQ(fw->stats.opackets + sent.count, 3);
	/* Filters are told, and may send it again as it was. */
	calls[0] = '\0';
	attach(&a, 'a', AF_INET);
	sender.bound = en7;
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = FAR4}, &sender), 0);
	CHECK_EQ(a.options.ippo_flags >> 16, en7->index);
	testbed_end();
}

KTEST(options_are_inserted)
{
	static const uint8_t options[] = {IPOPT_RA, 4, 0, 0, IPOPT_NOP, IPOPT_NOP, IPOPT_NOP, 0};
	struct ip_sender sender = {.options = options, .options_len = 8};

	testbed();
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = FAR4, .len = 900}, &sender), 0);
	CHECK_EQ(good4(0)->ip_hl, 7);
	CHECK_EQ(ntohs(good4(0)->ip_len), 928);
	CHECK_EQ(memcmp(sent.m[0]->m_data + 20, options, 8), 0);
	CHECK(payload_is(sent.m[0], 28, 900));
	/* What is no option, and what has some already. */
	sender.options_len = 6;
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = FAR4}, &sender), EINVAL);
	sender.options_len = 8;
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = FAR4, .options = "\1\1\1\0", .options_len = 4},
	    &sender), EINVAL);
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = FAR4, .len = 65510}, &sender), EMSGSIZE);
	sender.options = (const uint8_t *)"\7\0\4\0\0\0\0\0";
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = FAR4}, &sender), EINVAL);
	testbed_end();
}

KTEST(a_source_route_starts_at_its_first_gateway)
{
	static const uint8_t options[] = {IPOPT_LSRR, 11, 4, 10, 0, 0, 9, 1, 2, 3, 4, 0};
	static const uint8_t wanted[] = {IPOPT_LSRR, 11, 4, 1, 2, 3, 4, 192, 0, 2, 9, 0};
	const struct ip_sender sender = {.options = options, .options_len = sizeof options};
	struct mbuf *m;

	testbed();
	m = make4(&(struct spec4){.src = HERE4, .dst = FAR4, .len = 40});
	m->m_pkthdr.rcvif = NULL;
	m->m_pkthdr.csum_flags = MBUF_CSUM_REQ_UDP;
	m->m_pkthdr.csum_data = 6;
	CHECK_EQ(ip_send(curmachine(), m, &sender), 0);
	CHECK_EQ(good4(0)->ip_dst.s_addr, IP4(10, 0, 0, 9));
	CHECK_EQ(memcmp(sent.m[0]->m_data + 20, wanted, sizeof wanted), 0);
	/* The transport's checksum is over where it goes in the end. */
	CHECK_EQ(in_cksum_sum(sent.m[0], 32, 40, in_pseudo((struct in_addr){HERE4},
	    (struct in_addr){FAR4}, IPPROTO_UDP, 40)), 0xffff);
	testbed_end();
}

KTEST(multicast_says_how_far_and_whether_it_is_heard_here)
{
	struct sockaddr_in group = {.sin_len = sizeof group, .sin_family = AF_INET,
	    .sin_addr = {IP4(224, 0, 0, 251)}};
	struct ip_sender sender = {.has_mcast = true, .mcast_ttl = 5, .mcast_loop = true};
	struct ifmultiaddr *member;

	testbed();
	sender.mcast_ifp = en7;
	CHECK_EQ(dlil_multicast_join(en7, (struct sockaddr *)&group, &member), 0);
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = IP4(224, 0, 0, 251), .len = 12}, &sender), 0);
	let_run();
	CHECK_EQ(good4(0)->ip_ttl, 5);
	CHECK_EQ(delivered.count, 1);
	/* As if it had come by the interface it went out by: members there are meant. */
	CHECK(delivered.m[0]->m_pkthdr.rcvif == en7);
	CHECK(delivered.m[0]->m_flags & MBUF_LOOP);
	sender.mcast_loop = false;
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = IP4(224, 0, 0, 251)}, &sender), 0);
	let_run();
	CHECK_EQ(delivered.count, 1);
	CHECK_EQ(dlil_multicast_leave(member), 0);
	ifmultiaddr_drop(member);
	testbed_end();
}

/* ---- IPv6 --------------------------------------------------------------------------------- */

KTEST(ipv6_has_a_short_way)
{
	struct in6_addr here = HERE6, far = FAR6;
	struct route route = {0};
	const struct ip_sender sender = {.route = &route};

	testbed();
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(send6(&(struct spec6){.src = &here, .dst = &far, .len = 30}, &sender), 0);
		CHECK_EQ((uint8_t)sent.m[i]->m_data[0], 0x60);
		CHECK_EQ(ip6_payload(sent.m[i]), 30);
		CHECK_EQ(mtod(sent.m[i], struct ip6_hdr *)->ip6_hlim, 64);
		CHECK(payload_is(sent.m[i], 40, 30));
	}
	calls[0] = '\0';
	attach(&a, 'a', AF_INET6);
	CHECK_EQ(send6(&(struct spec6){.src = &here, .dst = &far, .len = 30}, &sender), 0);
	CHECK_STR(calls, "a");
	CHECK_EQ(st6()->ip6s_localout, 4);
	route_clear(&route);
	testbed_end();
}

KTEST(the_bound_interface_is_the_link)
{
	struct in6_addr next = NEXT6, local = LOCAL6;
	const struct in6_addr any = IN6ADDR_ANY_INIT;
	struct ip_sender sender = {0};

	testbed();
	(void)make_interface("fw", 1500);
	sender.bound = en7;
	CHECK_EQ(send6(&(struct spec6){.src = &any, .dst = &next, .len = 3}, &sender), 0);
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_destination(sent.m[0]), &next));
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_source(sent.m[0]), &local));
	testbed_end();
}

KTEST(extension_headers_are_inserted_in_order)
{
	static const uint8_t hop[8] = {99, 0, 5, 2, 0, 0, 1, 0}, dst1[8] = {99, 0, 1, 4},
	    routing[8] = {99, 0, 3, 0}, dst2[16] = {99, 1, 1, 12};
	const struct ip6_options headers = {hop, dst1, routing, dst2};
	struct ip_sender sender = {.options6 = &headers};
	struct in6_addr here = HERE6, far = FAR6;
	const uint8_t *p;

	testbed();
	CHECK_EQ(send6(&(struct spec6){.src = &here, .dst = &far, .len = 300}, &sender), 0);
	p = (const uint8_t *)sent.m[0]->m_data;
	CHECK_EQ(p[6], IPPROTO_HOPOPTS);
	CHECK_EQ(p[40], IPPROTO_DSTOPTS);
	CHECK_EQ(p[48], IPPROTO_ROUTING);
	CHECK_EQ(p[56], IPPROTO_DSTOPTS);
	CHECK_EQ(p[64], IPPROTO_UDP);
	CHECK_EQ(memcmp(p + 41, hop + 1, 7), 0);
	CHECK_EQ(memcmp(p + 65, dst2 + 1, 15), 0);
	CHECK_EQ(ip6_payload(sent.m[0]), 340);
	CHECK(payload_is(sent.m[0], 80, 300));
	/* Cut, each piece has those that routers look at. */
	forget(&sent);
	CHECK_EQ(send6(&(struct spec6){.src = &here, .dst = &far, .len = 3000}, &sender), 0);
	CHECK_EQ(sent.count, 3);
	CHECK_EQ((uint8_t)sent.m[2]->m_data[56], IPPROTO_FRAGMENT);
	testbed_end();
}

KTEST(the_old_routing_header_is_not_sent)
{
	static const uint8_t routing[24] = {0, 2, 0, 1};
	const struct ip6_options headers = {.routing = routing};
	const struct ip_sender sender = {.options6 = &headers};
	struct in6_addr here = HERE6, far = FAR6;

	testbed();
	CHECK_EQ(send6(&(struct spec6){.src = &here, .dst = &far, .len = 3}, &sender), EINVAL);
	testbed_end();
}

KTEST(small_packets_on_demand)
{
	struct ip_sender sender = {.flags = IP_OUT_MINMTU};
	struct in6_addr here = HERE6, far = FAR6;

	testbed();
	CHECK_EQ(send6(&(struct spec6){.src = &here, .dst = &far, .len = 1400}, &sender), 0);
	CHECK_EQ(sent.count, 2);
	CHECK(sent.m[0]->m_pkthdr.len <= 1280);
	testbed_end();
}

KTEST(without_memory_nothing_breaks)
{
	static const uint8_t options[] = {IPOPT_RA, 4, 0, 0};
	static const uint8_t hop[8] = {99, 0, 5, 2, 0, 0, 1, 0};
	const struct ip6_options headers = {.hop = hop};
	struct ip_sender sender = {.options = options, .options_len = 4, .options6 = &headers};
	struct in6_addr here = HERE6, far = FAR6;

	testbed();
	for (unsigned n = 1; n < 16; n++) {
		struct mbuf *m = make4(&(struct spec4){.src = HERE4, .dst = FAR4, .len = 3000});
		struct mbuf *m6 = make6(&(struct spec6){.src = &here, .dst = &far, .len = 3000});

		m->m_pkthdr.rcvif = m6->m_pkthdr.rcvif = NULL;
		fail_after(n);
		(void)ip_send(curmachine(), m, &sender);
		(void)ip6_send(curmachine(), m6, &sender);
		fail_after(0);
		forget(&sent);
	}
	testbed_end();
}

KTEST(the_same_name_on_another_link_is_somebody_else)
{
	struct in6_addr local = LOCAL6, mine = ip6_of("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\5");
	const struct in6_addr any = IN6ADDR_ANY_INIT;
	struct ip_sender sender = {0};

	testbed();
	sender.bound = make_interface("fw", 1500);
	add_address6(sender.bound, mine);
	forget(&sent);
	CHECK_EQ(send6(&(struct spec6){.src = &any, .dst = &local, .len = 3}, &sender), 0);
	CHECK_EQ(sent.count, 1);
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_source(sent.m[0]), &mine));
	testbed_end();
}

KTEST(groups_need_a_link_that_has_groups)
{
	struct ip_sender sender = {0};
	struct in6_addr group = GROUP6, here = HERE6;

	testbed();
	sender.bound = en7;
	forget(&sent);
	CHECK_EQ(dlil_set_flags(en7, 0, IFF_MULTICAST), 0);
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = IP4(224, 0, 0, 9), .len = 3}, &sender),
	    ENETUNREACH);
	CHECK_EQ(send6(&(struct spec6){.src = &here, .dst = &group, .len = 3}, &sender), ENETUNREACH);
	CHECK_EQ(sent.count, 0);
	testbed_end();
}

KTEST_SUITE(ip_send, T(the_short_way_sends_the_same), T(the_short_way_ends_when_anything_changes),
    T(our_own_addresses_take_the_short_way_too), T(rejecting_routes_say_so_and_black_holes_do_not),
    T(sources_are_selected_or_it_is_an_error), T(only_connected_networks_with_dontroute),
    T(a_bound_sender_uses_its_interface_or_none), T(options_are_inserted),
    T(a_source_route_starts_at_its_first_gateway),
    T(multicast_says_how_far_and_whether_it_is_heard_here), T(ipv6_has_a_short_way),
    T(the_bound_interface_is_the_link), T(extension_headers_are_inserted_in_order),
    T(the_old_routing_header_is_not_sent), T(small_packets_on_demand),
    T(without_memory_nothing_breaks),
    T(the_same_name_on_another_link_is_somebody_else),
    T(groups_need_a_link_that_has_groups));
