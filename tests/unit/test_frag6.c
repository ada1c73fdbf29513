/* IPv6 reassembly and its refusals. */
#include "tests/unit/ip_testing.h"

#define SECOND	UINT64_C(1000000000)

static void
feed(uint32_t id, uint8_t next, size_t off, size_t len, bool more)
{
	char header[8];

	receive6(&(struct spec6){.next = IPPROTO_FRAGMENT,
	    .headers = frag_header(header, next, (uint32_t)off, more, id),
	    .headers_len = 8,
	    .from = off,
	    .len = len});
}

KTEST(fragments_in_any_order_make_the_datagram)
{
	static const uint8_t orders[6][3] = {
	    {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	testbed();
	for (unsigned i = 0; i < 6; i++) {
		for (unsigned k = 0; k < 3; k++)
			feed(i, IPPROTO_UDP, orders[i][k] * 1200u, orders[i][k] == 2 ? 77 : 1200,
			    orders[i][k] != 2);
		CHECK_EQ(delivered.count, i + 1);
		CHECK_EQ(delivered.offset, 40);
		CHECK_EQ(delivered.protocol, IPPROTO_UDP);
		CHECK(payload_is(delivered.m[i], 40, 2477));
		CHECK_EQ(ip6_payload(delivered.m[i]), 2477);
		CHECK_EQ(mtod(delivered.m[i], struct ip6_hdr *)->ip6_nxt, IPPROTO_UDP);
	}
	CHECK_EQ(st6()->ip6s_reassembled, 6);
	CHECK_EQ(curmachine()->ip6->reass.bytes, 0);
	testbed_end();
}

KTEST(the_unfragmentable_part_is_the_first_ones)
{
	char first[16], last[24];

	testbed();
	memcpy(first, "\x2c\0\1\4\0\0\0\0", 8);
	frag_header(first + 8, IPPROTO_UDP, 0, true, 5);
	memcpy(last, "\x2c\1\1\x0c\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	frag_header(last + 16, IPPROTO_TCP, 64, false, 5);
	receive6(
	    &(struct spec6){.next = 0, .headers = last, .headers_len = 24, .from = 64, .len = 6});
	receive6(&(struct spec6){.next = 0, .headers = first, .headers_len = 16, .len = 64});
	CHECK_EQ(delivered.count, 1);
	CHECK_EQ(delivered.offset, 48);
	CHECK_EQ(delivered.protocol, IPPROTO_UDP);
	CHECK_EQ(delivered.m[0]->m_pkthdr.nexthdr_off, 40);
	CHECK_EQ(delivered.m[0]->m_data[40], IPPROTO_UDP);
	CHECK(payload_is(delivered.m[0], 48, 70));
	testbed_end();
}

KTEST(atomic_fragments_meet_nobody)
{
	testbed();
	feed(1, IPPROTO_UDP, 0, 80, true);
	feed(1, IPPROTO_UDP, 0, 40, false);
	CHECK_EQ(delivered.count, 1);
	CHECK(payload_is(delivered.m[0], 40, 40));
	CHECK_EQ(st6()->ip6s_atmfrag_rcvd, 1);
	feed(1, IPPROTO_UDP, 80, 8, false);
	CHECK_EQ(delivered.count, 2);
	CHECK(payload_is(delivered.m[1], 40, 88));
	testbed_end();
}

KTEST(overlap_ends_the_datagram_and_what_comes_of_it)
{
	testbed();
	feed(1, IPPROTO_UDP, 0, 80, true);
	feed(1, IPPROTO_UDP, 72, 80, true);
	CHECK_EQ(st6()->ip6s_fragdropped, 2);
	feed(1, IPPROTO_UDP, 0, 80, true);
	feed(1, IPPROTO_UDP, 80, 80, false);
	CHECK_EQ(delivered.count, 0);
	CHECK_EQ(st6()->ip6s_fragdropped, 4);
	let_pass(61 * SECOND);
	feed(1, IPPROTO_UDP, 0, 80, true);
	feed(1, IPPROTO_UDP, 80, 80, false);
	CHECK_EQ(delivered.count, 1);
	testbed_end();
}

KTEST(exact_duplicates_are_ignored)
{
	testbed();
	feed(1, IPPROTO_UDP, 0, 80, true);
	feed(1, IPPROTO_UDP, 0, 80, true);
	feed(1, IPPROTO_UDP, 80, 80, false);
	CHECK_EQ(delivered.count, 1);
	testbed_end();
}

KTEST(fragments_wait_for_sixty_seconds)
{
	testbed();
	feed(1, IPPROTO_UDP, 0, 80, true);
	let_pass(59 * SECOND);
	CHECK_EQ(curmachine()->ip6->reass.queues, 1);
	let_pass(2 * SECOND);
	CHECK_EQ(curmachine()->ip6->reass.queues, 0);
	CHECK_EQ(st6()->ip6s_fragtimeout, 1);
	testbed_end();
}

KTEST(impossible_fragments_are_refused)
{
	testbed();
	feed(1, IPPROTO_UDP, 0, 81, true);
	feed(1, IPPROTO_UDP, 80, 0, false);
	feed(1, IPPROTO_UDP, 65528, 16, false);
	CHECK_EQ(st6()->ip6s_fragdropped, 3);
	receive6(
	    &(struct spec6){.next = IPPROTO_FRAGMENT, .headers = "\x11\0\0", .headers_len = 3});
	CHECK_EQ(st6()->ip6s_tooshort, 1);
	CHECK_EQ(curmachine()->ip6->reass.queues, 0);
	testbed_end();
}

KTEST(a_first_fragment_has_all_headers)
{
	testbed();
	feed(1, IPPROTO_TCP, 0, 16, true);
	feed(2, IPPROTO_DSTOPTS, 0, 8, true);	/* says it is longer than the fragment */
	CHECK_EQ(st6()->ip6s_exthdrtoolong, 2);
	CHECK_EQ(curmachine()->ip6->reass.queues, 0);
	feed(3, IPPROTO_TCP, 0, 24, true);
	CHECK_EQ(curmachine()->ip6->reass.queues, 1);
	testbed_end();
}

KTEST(congestion_marks_survive_reassembly)
{
	char a[8], b[8];

	testbed();
	frag_header(a, IPPROTO_UDP, 0, true, 1);
	frag_header(b, IPPROTO_UDP, 8, false, 1);
	receive6(&(struct spec6){.next = 44, .ecn = 2, .headers = a, .headers_len = 8, .len = 8});
	receive6(&(struct spec6){
	    .next = 44, .ecn = 3, .headers = b, .headers_len = 8, .from = 8, .len = 8});
	CHECK_EQ(delivered.count, 1);
	CHECK_EQ(delivered.m[0]->m_data[1] & 0xf0, 0x30);
	CHECK_EQ(delivered.m[0]->m_data[0], 0x60);
	testbed_end();
}

KTEST(fragments_in_pieces_of_memory)
{
	testbed();
	for (size_t cut = 1; cut < 60; cut++) {
		char header[8];
		struct mbuf *m, *tail;

		m = make6(&(struct spec6){.next = 44,
		    .headers = frag_header(header, IPPROTO_UDP, 0, true, 7),
		    .headers_len = 8,
		    .len = 80});
		tail = m_split(m, cut, MBUF_WAITOK);
		m->m_next = tail;
		tail->m_flags &= (uint16_t)~M_PKTHDR;
		m->m_pkthdr.len = 128;
		ip6_input(curmachine(), m);
		feed(7, IPPROTO_UDP, 80, 20, false);
		CHECK_EQ(delivered.count, 1);
		CHECK(payload_is(delivered.m[0], 40, 100));
		CHECK_EQ(delivered.m[0]->m_pkthdr.len, 140);
		forget(&delivered);
	}
	testbed_end();
}

KTEST_SUITE(frag6, T(fragments_in_any_order_make_the_datagram),
    T(the_unfragmentable_part_is_the_first_ones), T(atomic_fragments_meet_nobody),
    T(overlap_ends_the_datagram_and_what_comes_of_it), T(exact_duplicates_are_ignored),
    T(fragments_wait_for_sixty_seconds), T(impossible_fragments_are_refused),
    T(a_first_fragment_has_all_headers), T(congestion_marks_survive_reassembly),
    T(fragments_in_pieces_of_memory));
