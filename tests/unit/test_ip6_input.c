/* IPv6's way in: header checks and their counters, scopes, "for us?", delivery. */
#include <netinet6/in6_var.h>

#include "tests/unit/ip_testing.h"

KTEST(a_plain_datagram_reaches_its_transport)
{
	testbed();
	receive6(&(struct spec6){.len = 100});
	CHECK_EQ(delivered.count, 1);
	CHECK_EQ(delivered.offset, 40);
	CHECK_EQ(delivered.protocol, IPPROTO_UDP);
	CHECK_EQ(delivered.m[0]->m_pkthdr.nexthdr_off, 6);
	CHECK(payload_is(delivered.m[0], 40, 100));
	CHECK_EQ(st6()->ip6s_delivered, 1);
	CHECK_EQ(st6()->ip6s_nxthist[IPPROTO_UDP], 1);
	testbed_end();
}

KTEST(link_padding_is_trimmed)
{
	struct mbuf *m;

	testbed();
	m = make6(&(struct spec6){.len = 30});
	mtod(m, struct ip6_hdr *)->ip6_plen = htons(9);
	ip6_input(curmachine(), m);
	CHECK(payload_is(delivered.m[0], 40, 9));
	CHECK_EQ(st6()->ip6s_adj, 1);
	/* No payload at all is a packet too. */
	receive6(&(struct spec6){.len = 0});
	CHECK_EQ(delivered.count, 2);
	testbed_end();
}

static void
refused(struct mbuf *m, const u_quad_t *counter)
{
	u_quad_t was = *counter;
	unsigned came = delivered.count;

	ip6_input(curmachine(), m);
	CHECK_EQ(*counter, was + 1);
	CHECK_EQ(delivered.count, came);
}

static void
refused_between(struct in6_addr src, struct in6_addr dst, const u_quad_t *counter)
{
	refused(make6(&(struct spec6){.src = &src, .dst = &dst, .len = 1}), counter);
}

KTEST(bad_headers_are_counted_where_netstat_has_them)
{
	struct mbuf *m;

	testbed();
	m = make6(&(struct spec6){.len = 4});
	m_adj(m, -5);
	refused(m, &st6()->ip6s_toosmall);
	m = make6(&(struct spec6){.len = 4});
	m_adj(m, -1);
	refused(m, &st6()->ip6s_tooshort);
	m = make6(&(struct spec6){.len = 4});
	m->m_data[0] = 0x50;
	refused(m, &st6()->ip6s_badvers);
	testbed_end();
}

KTEST(impossible_addresses_are_refused)
{
	const u_quad_t *bad;

	testbed();
	bad = &st6()->ip6s_badscope;
	refused_between(GROUP6, HERE6, bad);
	refused_between(THERE6, ip6_of("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), bad);
	refused_between(THERE6, ip6_of("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), bad);
	refused_between(ip6_of("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), HERE6, bad);
	refused_between(ip6_of("\0\0\0\0\0\0\0\0\0\0\xff\xff\1\2\3\4"), HERE6, bad);
	refused_between(THERE6, ip6_of("\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), bad);
	refused_between(THERE6, ip6_of("\xff\1\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), bad);
	refused_between(THERE6, THERE6, &st6()->ip6s_cantforward);
	testbed_end();
}

KTEST(link_local_addresses_are_ours_on_their_link_only)
{
	struct in6_addr local = LOCAL6, next = NEXT6, odd = LOCAL6;
	struct mbuf *m;

	testbed();
	receive6(&(struct spec6){.src = &next, .dst = &local, .len = 1});
	CHECK_EQ(delivered.count, 1);
	m = make6(&(struct spec6){.src = &next, .dst = &local, .len = 1});
	m->m_pkthdr.rcvif = make_interface("fw", 1500);
	refused(m, &st6()->ip6s_cantforward);
	/* The kernel's own form has no business on the wire. */
	odd.s6_addr16[1] = htons(en7->index);
	refused(make6(&(struct spec6){.dst = &odd, .len = 1}), &st6()->ip6s_cantforward);
	testbed_end();
}

KTEST(multicasts_are_for_us)
{
	struct in6_addr group = GROUP6;

	testbed();
	receive6(&(struct spec6){.dst = &group, .len = 1});
	CHECK_EQ(delivered.count, 1);
	testbed_end();
}

KTEST(an_address_that_went_is_not_ours_any_more)
{
	struct sockaddr_in6 a = {.sin6_len = sizeof a, .sin6_family = AF_INET6, .sin6_addr = HERE6};

	testbed();
	receive6(&(struct spec6){.len = 1});
	receive6(&(struct spec6){.len = 1});
	CHECK_EQ(delivered.count, 2);
	CHECK_EQ(ifaddr_remove(en7, (struct sockaddr *)&a), 0);
	refused(make6(&(struct spec6){.len = 1}), &st6()->ip6s_cantforward);
	testbed_end();
}

KTEST(jumbograms_are_refused)
{
	struct mbuf *m;

	testbed();
	m = make6(&(struct spec6){
	    .next = 0, .headers = "\x11\0\xc2\4\0\1\0\0", .headers_len = 8, .len = 100});
	mtod(m, struct ip6_hdr *)->ip6_plen = 0;
	refused(m, &st6()->ip6s_badoptions);
	/* The option without the length of 0. */
	refused(
	    make6(&(struct spec6){.headers = "\x11\0\xc2\4\0\1\0\0", .headers_len = 8, .len = 100}),
	    &st6()->ip6s_badoptions);
	testbed_end();
}

KTEST(a_header_in_pieces_is_put_together)
{
	testbed();
	for (int cut = 1; cut < 40; cut++) {
		struct mbuf *m = make6(&(struct spec6){.len = 60});
		struct mbuf *tail = m_split(m, (size_t)cut, MBUF_WAITOK);

		m->m_next = tail;
		tail->m_flags &= (uint16_t)~M_PKTHDR;
		m->m_pkthdr.len = 100;
		ip6_input(curmachine(), m);
		CHECK_EQ(delivered.count, 1);
		CHECK(delivered.m[0]->m_len >= 40);
		CHECK(payload_is(delivered.m[0], 40, 60));
		forget(&delivered);
	}
	testbed_end();
}

KTEST(nobody_hears_what_has_no_transport)
{
	testbed();
	receive6(&(struct spec6){.next = IPPROTO_NONE, .len = 20});
	receive6(&(struct spec6){.next = 200, .len = 20});
	CHECK_EQ(delivered.count, 0);
	CHECK_EQ(st6()->ip6s_delivered, 0);
	testbed_end();
}

KTEST(an_address_that_becomes_a_duplicate_is_not_used_any_more)
{
	struct in6_addr here = HERE6;

	testbed();
	receive6(&(struct spec6){.len = 10});
	CHECK_EQ(delivered.count, 1);
	ifaddr_set_flags(ifaddr_find_in6(curmachine(), &here), IN6_IFF_DUPLICATED, 0);
	receive6(&(struct spec6){.len = 10});
	CHECK_EQ(delivered.count, 1);
	testbed_end();
}

KTEST_SUITE(ip6_input, T(a_plain_datagram_reaches_its_transport), T(link_padding_is_trimmed),
    T(bad_headers_are_counted_where_netstat_has_them), T(impossible_addresses_are_refused),
    T(link_local_addresses_are_ours_on_their_link_only), T(multicasts_are_for_us),
    T(an_address_that_went_is_not_ours_any_more), T(jumbograms_are_refused),
    T(a_header_in_pieces_is_put_together), T(nobody_hears_what_has_no_transport),
    T(an_address_that_becomes_a_duplicate_is_not_used_any_more));
