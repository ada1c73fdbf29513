/*
 * Forwarding of IPv6.
 *
 *	[ en7 2001:db8::1/64, fe80::1 ]---( machine )---[ fw7 2001:db8:5::1/64, fe80::5 ]--- gateway fe80::9
 */
#include "tests/unit/forward_testing.h"

#define FW6		ip6_of("\x20\x01\x0d\xb8\0\5\0\0\0\0\0\0\0\0\0\1")
#define OTHER_SIDE	ip6_of("\x20\x01\x0d\xb8\0\5\0\0\0\0\0\0\0\0\0\2")
#define FAR6		ip6_of("\x20\x01\x0d\xb8\0\7\0\0\0\0\0\0\0\0\0\7")
#define FWLOCAL6	ip6_of("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\5")
#define GATEWAY6	ip6_of("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x9")

static struct watcher a;
static struct in6_addr other_side, far, next, local, group;
static const struct in6_addr nobody;

static void
route_by(struct ifnet *ifp, struct in6_addr to, unsigned prefix, struct in6_addr gateway, uint32_t flags)
{
	struct sockaddr_in6 dst = {.sin6_len = sizeof dst, .sin6_family = AF_INET6, .sin6_addr = to};
	struct sockaddr_in6 gw = {.sin6_len = sizeof gw, .sin6_family = AF_INET6, .sin6_addr = gateway,
	    .sin6_scope_id = IN6_IS_ADDR_LINKLOCAL(&gateway) ? ifp->index : 0};
	struct rt_request r = {.dst = (struct sockaddr *)&dst, .prefix = prefix, .ifp = ifp,
	    .gateway = flags & RTF_GATEWAY ? (struct sockaddr *)&gw : NULL,
	    .flags = RTF_UP | RTF_STATIC | flags};

	CHECK_EQ(rt_add(curmachine(), &r, NULL), 0);
}

static void
forwarding_testbed(void)
{
	icmp_testbed();
	other_side = OTHER_SIDE;
	far = FAR6;
	next = NEXT6;
	local = LOCAL6;
	group = GROUP6;
	CHECK_EQ(route_set_default(curmachine(), AF_INET6, NULL, NULL), 0);
	second_interface();
	add_address6(fw7, FWLOCAL6);
	add_address6(fw7, FW6);
	route_by(fw7, FAR6, 64, GATEWAY6, RTF_GATEWAY);
	switch_to("net.inet6.ip6.forwarding", 1);
}

static void
refused(const struct spec6 *s)
{
	u_quad_t before = st6()->ip6s_cantforward;

	receive6(s);
	CHECK_EQ(passed.count, 0);
	CHECK_EQ(sent.count, 0);
	CHECK_EQ(st6()->ip6s_cantforward, before + 1);
}

KTEST(what_is_for_others_goes_on)
{
	struct in6_addr there = THERE6;

	forwarding_testbed();
	receive6(&(struct spec6){.dst = &other_side, .len = 700});
	CHECK_EQ(passed.count, 1);
	CHECK_EQ(sent.count, 0);
	CHECK_EQ(mtod(passed.m[0], struct ip6_hdr *)->ip6_hlim, 63);
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_source(passed.m[0]), &there));
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_destination(passed.m[0]), &other_side));
	CHECK(payload_is(passed.m[0], 40, 700));
	receive6(&(struct spec6){.dst = &far, .len = 700});
	CHECK_EQ(passed.count, 2);
	CHECK_EQ(st6()->ip6s_forward, 2);
	forwarding_testbed_end();
}

KTEST(what_goes_on_is_traced)
{
	struct way w = {0};
	struct trace trace = {keep_way, &w};

	forwarding_testbed();
	curmachine()->trace = &trace;
	receive6(&(struct spec6){.dst = &other_side});
	curmachine()->trace = NULL;
	CHECK_EQ(w.count, 1);
	CHECK_EQ(w.in, en7->index);
	CHECK_EQ(w.out, fw7->index);
	forwarding_testbed_end();
}

KTEST(a_host_forwards_nothing)
{
	forwarding_testbed();
	switch_to("net.inet6.ip6.forwarding", 0);
	refused(&(struct spec6){.dst = &other_side});
	forwarding_testbed_end();
}

KTEST(some_addresses_do_not_travel)
{
	struct in6_addr here = HERE6, there = GATEWAY6;
	struct mbuf *m;

	forwarding_testbed();
	refused(&(struct spec6){.dst = &there});
	refused(&(struct spec6){.dst = &other_side, .src = &nobody});
	refused(&(struct spec6){.dst = &other_side, .src = &here});
	m = make6(&(struct spec6){.dst = &other_side});
	m->m_flags |= MBUF_MCAST;
	ip6_input(curmachine(), m);
	CHECK_EQ(passed.count, 0);
	receive6(&(struct spec6){.dst = &group});
	CHECK_EQ(passed.count, 0);
	/* A link-local source is told that its scope ends here. */
	receive6(&(struct spec6){.dst = &other_side, .src = &next});
	CHECK_EQ(passed.count, 0);
	(void)sent_message6(0, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_BEYONDSCOPE);
	CHECK_EQ(st6()->ip6s_badscope, 1);
	forwarding_testbed_end();
}

KTEST(the_hop_limit_ends)
{
	struct mbuf *m;

	forwarding_testbed();
	m = make6(&(struct spec6){.dst = &other_side, .len = 10});
	mtod(m, struct ip6_hdr *)->ip6_hlim = 1;
	ip6_input(curmachine(), m);
	CHECK_EQ(passed.count, 0);
	(void)sent_message6(0, ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_TRANSIT);
	CHECK(payload_is(sent.m[0], 88, 10));
	forwarding_testbed_end();
}

KTEST(where_there_is_no_way_the_sender_is_told)
{
	struct in6_addr lost = ip6_of("\x20\x01\x0d\xb8\0\x9\0\0\0\0\0\0\0\0\0\7");
	struct in6_addr dead = ip6_of("\x20\x01\x0d\xb8\0\x8\0\0\0\0\0\0\0\0\0\7");

	forwarding_testbed();
	receive6(&(struct spec6){.dst = &lost});
	(void)sent_message6(0, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE);
	route_by(fw7, dead, 128, dead, RTF_HOST | RTF_REJECT);
	receive6(&(struct spec6){.dst = &dead});
	(void)sent_message6(1, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR);
	route_by(fw7, lost, 128, lost, RTF_HOST | RTF_BLACKHOLE);
	receive6(&(struct spec6){.dst = &lost});
	CHECK_EQ(sent.count, 2);
	link_error = EHOSTUNREACH;
	receive6(&(struct spec6){.dst = &other_side});
	receive6(&(struct spec6){.dst = &other_side});
	(void)sent_message6(2, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR);
	CHECK_EQ(passed.count, 0);
	forwarding_testbed_end();
}

KTEST(what_does_not_fit_is_told)
{
	forwarding_testbed();
	fw7->mtu = 1300;
	receive6(&(struct spec6){.dst = &other_side, .len = 1261});
	(void)sent_message6(0, ICMP6_PACKET_TOO_BIG, 0);
	CHECK_EQ(sent_word(0, 44), htonl(1300));
	CHECK_EQ(sent.m[0]->m_pkthdr.len, 1280);
	receive6(&(struct spec6){.dst = &other_side, .len = 1260});
	CHECK_EQ(passed.count, 1);
	forwarding_testbed_end();
}

KTEST(who_takes_a_detour_is_told_the_way)
{
	struct in6_addr near = ip6_of("\x20\x01\x0d\xb8\0\6\0\0\0\0\0\0\0\0\0\7"), there = THERE6;
	struct nd_redirect rd;
	struct mbuf *m;

	forwarding_testbed();
	route_by(en7, near, 64, NEXT6, RTF_GATEWAY);
	receive6(&(struct spec6){.dst = &near, .len = 900});
	CHECK_EQ(sent.count, 2);
	m = sent_message6(0, ND_REDIRECT, 0);
	CHECK_EQ(mtod(m, struct ip6_hdr *)->ip6_hlim, 255);
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_source(m), &local));
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_destination(m), &there));
	CHECK_EQ(m_copydata(m, 40, sizeof rd, &rd), 0);
	CHECK_EQ(memcmp(&rd.nd_rd_target, &next, 16), 0);
	CHECK_EQ(memcmp(&rd.nd_rd_dst, &near, 16), 0);
	CHECK_EQ((uint8_t)m->m_data[80], ND_OPT_REDIRECTED_HEADER);
	CHECK_EQ((uint8_t)m->m_data[81] * 8 + 80, m->m_pkthdr.len);
	CHECK(payload_is(sent.m[1], 40, 900));
	CHECK_EQ(st6()->ip6s_redirectsent, 1);
	switch_to("net.inet6.ip6.redirect", 0);
	receive6(&(struct spec6){.dst = &near});
	CHECK_EQ(sent.count, 3);
	forwarding_testbed_end();
}

KTEST(redirects_are_limited)
{
	struct in6_addr near = ip6_of("\x20\x01\x0d\xb8\0\6\0\0\0\0\0\0\0\0\0\7");

	forwarding_testbed();
	route_by(en7, near, 64, NEXT6, RTF_GATEWAY);
	for (unsigned i = 0; i < 3000; i++) {
		receive6(&(struct spec6){.dst = &near});
		forget(&sent);
	}
	CHECK_EQ(st6()->ip6s_redirectsent, ICMP6_RATE_LIMIT);
	CHECK_EQ(st6()->ip6s_forward, 3000);
	forwarding_testbed_end();
}

KTEST(every_router_looks_at_hop_by_hop_options)
{
	forwarding_testbed();
	receive6(&(struct spec6){.dst = &other_side, .next = IPPROTO_HOPOPTS, .headers = "\21\0\1\4\0\0\0\0",
	    .headers_len = 8, .len = 8});
	CHECK_EQ(passed.count, 1);
	receive6(&(struct spec6){.dst = &other_side, .next = IPPROTO_HOPOPTS,
	    .headers = "\21\0\1\0\203\2\0\0", .headers_len = 8, .len = 8});
	CHECK_EQ(passed.count, 1);
	(void)sent_message6(0, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_OPTION);
	forwarding_testbed_end();
}

KTEST(filters_do_not_see_it)
{
	forwarding_testbed();
	calls[0] = '\0';
	attach(&a, 'a', AF_INET6);
	receive6(&(struct spec6){.dst = &other_side, .len = 100});
	CHECK_STR(calls, "");
	CHECK_EQ(passed.count, 1);
	forwarding_testbed_end();
}

KTEST_SUITE(ip6_forward, T(what_is_for_others_goes_on), T(what_goes_on_is_traced), T(a_host_forwards_nothing),
    T(some_addresses_do_not_travel), T(the_hop_limit_ends),
    T(where_there_is_no_way_the_sender_is_told), T(what_does_not_fit_is_told),
    T(who_takes_a_detour_is_told_the_way), T(redirects_are_limited),
    T(every_router_looks_at_hop_by_hop_options), T(filters_do_not_see_it));
