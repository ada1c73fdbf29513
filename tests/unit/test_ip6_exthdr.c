/* IPv6 extension headers: order, options, routing headers, limits. */
#include "tests/unit/ip_testing.h"

#define HBH(next)	next "\0\1\4\0\0\0\0"		/* PadN */

/* Delivered: the transport's offset; refused: minus 1. */
static int
arrives(uint8_t first, const char *headers, size_t len)
{
	int offset = -1;

	receive6(&(struct spec6){.next = first, .headers = headers, .headers_len = len, .len = 16});
	if (delivered.count == 1)
		offset = delivered.offset;
	forget(&delivered);
	return offset;
}

KTEST(headers_are_stepped_over)
{
	testbed();
	CHECK_EQ(arrives(0, HBH("\x11"), 8), 48);
	CHECK_EQ(arrives(60, HBH("\x11"), 8), 48);
	CHECK_EQ(arrives(43, "\x11\0\0\0\0\0\0\0", 8), 48);
	CHECK_EQ(arrives(0, HBH("\x3c") HBH("\x2b") "\x3c\0\3\0\0\0\0\0" HBH("\x11"), 32), 72);
	CHECK_EQ(st6()->ip6s_badoptions, 0);
	CHECK_EQ(arrives(60, "\x11\1\1\x0c\0\0\0\0\0\0\0\0\0\0\0\0", 16), 56);
	testbed_end();
}

KTEST(the_transport_knows_where_it_was_named)
{
	testbed();
	receive6(&(struct spec6){
	    .next = 0, .headers = HBH("\x3c") HBH("\x11"), .headers_len = 16, .len = 9});
	CHECK_EQ(delivered.m[0]->m_pkthdr.nexthdr_off, 48);
	testbed_end();
}

KTEST(hop_by_hop_options_come_first_or_not_at_all)
{
	testbed();
	CHECK_EQ(arrives(60, HBH("\0") HBH("\x11"), 16), -1);
	CHECK_EQ(arrives(0, HBH("\0") HBH("\x11"), 16), -1);
	CHECK_EQ(st6()->ip6s_badoptions, 2);
	testbed_end();
}

KTEST(options_are_judged_by_what_they_say_of_themselves)
{
	testbed();
	CHECK_EQ(arrives(0, "\x11\0\5\2\0\0\1\0", 8), 48);	/* router alert */
	CHECK_EQ(arrives(0, "\x11\0\5\3\0\0\0\0", 8), -1);
	CHECK_EQ(arrives(60, "\x11\0\4\1\1\0\0\0", 8), 48);	/* tunnel limit */
	CHECK_EQ(arrives(60, "\x11\0\x3e\4\1\2\3\4", 8), 48);	/* unknown: skip */
	CHECK_EQ(arrives(60, "\x11\0\x7e\4\1\2\3\4", 8), -1);	/* discard */
	CHECK_EQ(arrives(60, "\x11\0\xbe\4\1\2\3\4", 8), -1);
	CHECK_EQ(arrives(60, "\x11\0\xc9\4\1\2\3\4", 8), -1);	/* home address */
	CHECK_EQ(arrives(60, "\x11\0\0\0\0\0\0\0", 8), 48);	/* Pad1 alone */
	CHECK_EQ(st6()->ip6s_badoptions, 4);
	testbed_end();
}

KTEST(options_stay_inside_their_header)
{
	testbed();
	CHECK_EQ(arrives(60, "\x11\0\1\5\0\0\0\0", 8), -1);
	CHECK_EQ(arrives(60, "\x11\0\1\xff\0\0\0\0", 8), -1);
	CHECK_EQ(arrives(60, "\x11\0\0\0\0\0\0\1", 8), -1);	/* no length */
	CHECK_EQ(arrives(60, "\x11\xff\1\4\0\0\0\0", 8), -1);	/* longer than the packet */
	CHECK_EQ(arrives(43, "\x11\xff\0\0\0\0\0\0", 8), -1);
	CHECK_EQ(st6()->ip6s_badoptions, 5);
	testbed_end();
}

KTEST(a_header_cut_off_is_refused)
{
	testbed();
	for (size_t len = 0; len < 8; len++) {
		struct mbuf *m =
		    make6(&(struct spec6){.next = 60, .headers = HBH("\x11"), .headers_len = len});

		ip6_input(curmachine(), m);
		m = make6(&(struct spec6){
		    .next = 43, .headers = "\x11\0\0\0\0\0\0\0", .headers_len = len});
		ip6_input(curmachine(), m);
	}
	CHECK_EQ(delivered.count, 0);
	CHECK_EQ(st6()->ip6s_badoptions, 16);
	testbed_end();
}

KTEST(routes_that_go_on_are_refused)
{
	testbed();
	CHECK_EQ(arrives(43, "\x11\2\0\1\0\0\0\0" "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 24), -1);
	CHECK_EQ(arrives(43, "\x11\2\0\0\0\0\0\0" "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 24), 64);
	CHECK_EQ(arrives(43, "\x11\0\4\0\0\0\0\0", 8), 48);
	CHECK_EQ(st6()->ip6s_badoptions, 1);
	testbed_end();
}

KTEST(a_packet_may_not_be_headers_only)
{
	char headers[8 * 40];

	testbed();
	for (unsigned i = 0; i < 40; i++)
		memcpy(headers + 8 * i, HBH("\x3c"), 8);
	CHECK_EQ(arrives(60, headers, sizeof headers), -1);
	CHECK_EQ(st6()->ip6s_toomanyhdr, 1);
	testbed_end();
}

KTEST(chains_are_complete_with_their_transport)
{
	struct mbuf *m;

	testbed();
	m = make6(&(struct spec6){.next = 60, .headers = HBH("\6"), .headers_len = 8, .len = 19});
	CHECK(!ip6_chain_complete(m, 40, 60));
	CHECK(ip6_chain_complete(m, 48, IPPROTO_UDP));
	CHECK(!ip6_chain_complete(m, 48, IPPROTO_TCP));
	CHECK(ip6_chain_complete(m, 67, IPPROTO_NONE));
	/* An authentication header: 6 words, which hold a sequence number and 12 bytes more. */
	CHECK(!ip6_chain_complete(m, 40, IPPROTO_AH));
	m_freem(m);
	testbed_end();
}

KTEST(what_fragments_repeat_ends_with_the_routing_header)
{
	static const char headers[] = HBH("\x3c") HBH("\x2b") "\x3c\0\3\0\0\0\0\0" HBH("\x11");
	struct ip6_place p;
	struct mbuf *m;

	testbed();
	m = make6(&(struct spec6){.next = 0, .headers = headers, .headers_len = 32, .len = 8});
	p = ip6_unfragmentable(m);
	CHECK_EQ(p.off, 64);
	CHECK_EQ(p.next, 60);
	CHECK_EQ(p.named_at, 56);
	m_freem(m);
	m = make6(&(struct spec6){.next = 60, .headers = HBH("\x11"), .headers_len = 8, .len = 8});
	p = ip6_unfragmentable(m);
	CHECK_EQ(p.off, 40);
	CHECK_EQ(p.next, 60);
	CHECK_EQ(p.named_at, 6);
	m_freem(m);
	testbed_end();
}

KTEST_SUITE(ip6_exthdr, T(headers_are_stepped_over), T(the_transport_knows_where_it_was_named),
    T(hop_by_hop_options_come_first_or_not_at_all),
    T(options_are_judged_by_what_they_say_of_themselves), T(options_stay_inside_their_header),
    T(a_header_cut_off_is_refused), T(routes_that_go_on_are_refused),
    T(a_packet_may_not_be_headers_only), T(chains_are_complete_with_their_transport),
    T(what_fragments_repeat_ends_with_the_routing_header));
