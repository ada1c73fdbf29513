/* IPv4 reassembly: any order, duplicates, overlap, limits, time-out, ECN. */
#include "tests/unit/ip_testing.h"

#define SECOND	UINT64_C(1000000000)

/* A fragment of the datagram `id`: payload bytes [off, off+len) of the pattern. */
static struct spec4
frag(uint16_t id, size_t off, size_t len, bool more)
{
	return (struct spec4){
	    .id = id, .off = (uint16_t)(off / 8 | (more ? IP_MF : 0)), .from = off, .len = len};
}

static void
feed(uint16_t id, size_t off, size_t len, bool more)
{
	struct spec4 s = frag(id, off, len, more);

	receive4(&s);
}

KTEST(fragments_in_any_order_make_the_datagram)
{
	static const uint8_t orders[6][3] = {
	    {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	testbed();
	for (unsigned i = 0; i < 6; i++) {
		for (unsigned k = 0; k < 3; k++) {
			CHECK_EQ(delivered.count, i);
			feed((uint16_t)(i + 1), orders[i][k] * 800u, orders[i][k] == 2 ? 333 : 800,
			    orders[i][k] != 2);
		}
		CHECK_EQ(delivered.count, i + 1);
		CHECK(payload_is(delivered.m[i], 20, 1933));
		CHECK_EQ(mtod(delivered.m[i], struct ip *)->ip_off, 0);
		CHECK_EQ(ntohs(mtod(delivered.m[i], struct ip *)->ip_len), 1953);
		CHECK_EQ(in_cksum_part(delivered.m[i], 0, 20), 0);
	}
	CHECK_EQ(st4()->ips_reassembled, 6);
	CHECK_EQ(st4()->ips_fragments, 18);
	CHECK_EQ(curmachine()->ip->reass.bytes, 0);
	testbed_end();
}

KTEST(a_large_datagram_of_many_pieces)
{
	testbed();
	for (size_t off = 0; off < 65512; off += 1480)
		feed(9, off, off + 1480 < 65512 ? 1480 : 65512 - off, off + 1480 < 65512);
	CHECK_EQ(delivered.count, 1);
	CHECK(payload_is(delivered.m[0], 20, 65512));
	testbed_end();
}

KTEST(datagrams_are_told_apart)
{
	struct spec4 s;

	testbed();
	feed(1, 0, 8, true);
	s = frag(1, 8, 8, false);
	s.src = IP4(10, 0, 0, 3);
	receive4(&s);
	s = frag(1, 8, 8, false);
	s.protocol = 253;
	receive4(&s);
	feed(2, 8, 8, false);
	CHECK_EQ(delivered.count, 0);
	CHECK_EQ(curmachine()->ip->reass.queues, 4);
	feed(1, 8, 8, false);
	CHECK_EQ(delivered.count, 1);
	testbed_end();
}

KTEST(the_ways_in_and_out_are_kept_apart)
{
	struct spec4 a = frag(1, 0, 8, true), b = frag(1, 8, 8, false);
	struct nke *m = curmachine();

	testbed();
	CHECK(ip_reass(m, make4(&a), 20, 0) == NULL);
	CHECK(ip_reass(m, make4(&b), 20, 1) == NULL);
	CHECK_EQ(m->ip->reass.queues, 2);
	testbed_end();
}

KTEST(exact_duplicates_are_ignored)
{
	testbed();
	feed(1, 0, 80, true);
	feed(1, 0, 80, true);
	feed(1, 160, 8, false);
	feed(1, 160, 8, false);
	feed(1, 80, 80, true);
	CHECK_EQ(delivered.count, 1);
	CHECK(payload_is(delivered.m[0], 20, 168));
	CHECK_EQ(st4()->ips_fragdropped, 2);
	testbed_end();
}

KTEST(overlap_ends_the_datagram)
{
	testbed();
	feed(1, 0, 80, true);
	feed(1, 72, 80, true);		/* its start is there already */
	CHECK_EQ(st4()->ips_fragdropped, 2);
	feed(2, 80, 80, true);
	feed(2, 8, 80, true);		/* its end is */
	feed(3, 80, 16, true);
	feed(3, 72, 48, true);		/* it covers one */
	feed(4, 0, 80, true);
	feed(4, 0, 88, true);		/* the same place, longer */
	CHECK_EQ(st4()->ips_fragdropped, 8);
	CHECK_EQ(curmachine()->ip->reass.queues, 0);
	CHECK_EQ(curmachine()->ip->reass.bytes, 0);
	CHECK_EQ(delivered.count, 0);
	testbed_end();
}

KTEST(two_different_ends_end_the_datagram)
{
	testbed();
	feed(1, 80, 8, false);
	feed(1, 160, 8, false);
	feed(2, 80, 8, true);
	feed(2, 8, 16, false);
	feed(3, 80, 8, false);
	feed(3, 88, 8, true);
	CHECK_EQ(curmachine()->ip->reass.queues, 0);
	CHECK_EQ(st4()->ips_fragdropped, 6);
	testbed_end();
}

KTEST(impossible_fragments_are_refused)
{
	struct spec4 s;

	testbed();
	feed(1, 0, 81, true);
	feed(1, 80, 0, false);
	CHECK_EQ(st4()->ips_toosmall, 2);
	feed(1, 65528, 8, false);
	CHECK_EQ(st4()->ips_toolong, 1);
	s = frag(1, 8, 8, true);
	s.protocol = IPPROTO_TCP;
	receive4(&s);
	CHECK_EQ(st4()->ips_fragdropped, 1);
	CHECK_EQ(curmachine()->ip->reass.queues, 0);
	testbed_end();
}

KTEST(the_first_header_may_be_too_long_for_the_rest)
{
	struct spec4 s = frag(1, 0, 65504, true);

	testbed();
	feed(1, 65504, 11, false);
	s.options = "\1\1\1\1\1\1\1\0";
	s.options_len = 8;
	s.len = 65504;
	receive4(&s);
	CHECK_EQ(delivered.count, 0);
	CHECK_EQ(st4()->ips_toolong, 1);
	CHECK_EQ(st4()->ips_fragdropped, 2);
	CHECK_EQ(curmachine()->ip->reass.bytes, 0);
	testbed_end();
}

KTEST(fragments_wait_for_thirty_seconds)
{
	testbed();
	feed(1, 0, 8, true);
	let_pass(29 * SECOND);
	feed(2, 0, 8, true);
	CHECK_EQ(curmachine()->ip->reass.queues, 2);
	let_pass(2 * SECOND);
	CHECK_EQ(curmachine()->ip->reass.queues, 1);
	CHECK_EQ(st4()->ips_fragtimeout, 1);
	feed(1, 8, 8, false);
	CHECK_EQ(delivered.count, 0);
	feed(2, 8, 8, false);
	CHECK_EQ(delivered.count, 1);
	let_pass(31 * SECOND);
	CHECK_EQ(st4()->ips_fragtimeout, 2);
	CHECK_EQ(curmachine()->ip->reass.queues, 0);
	CHECK(!callout_pending(&curmachine()->ip->reass.timer));
	testbed_end();
}

KTEST(the_oldest_goes_when_there_are_too_many)
{
	testbed();
	for (uint16_t id = 1; id <= REASS_QUEUES + 10; id++)
		feed(id, 0, 8, true);
	CHECK_EQ(curmachine()->ip->reass.queues, REASS_QUEUES);
	CHECK_EQ(st4()->ips_fragdropped, 10);
	feed(10, 8, 8, false);
	CHECK_EQ(delivered.count, 0);
	feed(12, 8, 8, false);
	CHECK_EQ(delivered.count, 1);
	testbed_end();
}

KTEST(memory_is_bounded)
{
	struct reass *r = &curmachine()->ip->reass;

	testbed();
	r->max_bytes = 20 * 2304;
	for (uint16_t id = 1; id <= 100; id++)
		feed(id, 0, 1480, true);
	CHECK(r->bytes <= r->max_bytes);
	CHECK_EQ(r->queues, 20);
	CHECK_EQ(st4()->ips_fragdropped, 80);
	testbed_end();
}

KTEST(a_datagram_has_at_most_128_fragments)
{
	testbed();
	for (size_t i = 0; i <= REASS_PER_QUEUE; i++)
		feed(1, i * 8, 8, true);
	CHECK_EQ(curmachine()->ip->reass.queues, 0);
	CHECK_EQ(st4()->ips_fragdropped, REASS_PER_QUEUE + 1);
	testbed_end();
}

static int
ecn_of_two(uint8_t a, uint8_t b)
{
	struct spec4 s = frag(1, 0, 8, true);
	int tos = -1;

	s.tos = (uint8_t)(0xb8 | a);
	receive4(&s);
	s = frag(1, 8, 8, false);
	s.tos = (uint8_t)(0xb8 | b);
	receive4(&s);
	if (delivered.count == 1) {
		tos = mtod(delivered.m[0], struct ip *)->ip_tos;
		CHECK_EQ(tos & ~3, 0xb8);
		tos &= 3;
	}
	forget(&delivered);
	return tos;
}

KTEST(congestion_marks_survive_reassembly)
{
	testbed();
	CHECK_EQ(ecn_of_two(2, 2), 2);
	CHECK_EQ(ecn_of_two(1, 1), 1);
	CHECK_EQ(ecn_of_two(2, 3), 3);
	CHECK_EQ(ecn_of_two(3, 1), 3);
	CHECK_EQ(ecn_of_two(0, 0), 0);
	CHECK_EQ(ecn_of_two(0, 2), 0);
	CHECK_EQ(ecn_of_two(0, 3), -1);
	CHECK_EQ(st4()->ips_fragdropped, 2);
	testbed_end();
}

KTEST(fragments_of_an_interface_go_with_it)
{
	testbed();
	feed(1, 0, 8, true);
	CHECK_EQ(dlil_detach(en7), 0);
	let_run();
	CHECK_EQ(curmachine()->ip->reass.queues, 0);
	CHECK_EQ(st4()->ips_fragdropped, 1);
	testbed_end();
}

KTEST(every_allocation_may_fail)
{
	testbed();
	for (unsigned n = 1; n < 12; n++) {
		struct mbuf *a, *b;
		struct spec4 s = frag((uint16_t)n, 0, 1200, true),
			     t = frag((uint16_t)n, 1200, 40, false);

		a = make4(&s);
		b = make4(&t);
		fail_after(n);
		ip_input(curmachine(), a);
		ip_input(curmachine(), b);
		fail_after(0);
	}
	let_pass(31 * SECOND);
	CHECK_EQ(curmachine()->ip->reass.bytes, 0);
	testbed_end();
}

KTEST_SUITE(ip_reass, T(fragments_in_any_order_make_the_datagram),
    T(a_large_datagram_of_many_pieces), T(datagrams_are_told_apart),
    T(the_ways_in_and_out_are_kept_apart), T(exact_duplicates_are_ignored),
    T(overlap_ends_the_datagram), T(two_different_ends_end_the_datagram),
    T(impossible_fragments_are_refused), T(the_first_header_may_be_too_long_for_the_rest),
    T(fragments_wait_for_thirty_seconds), T(the_oldest_goes_when_there_are_too_many),
    T(memory_is_bounded), T(a_datagram_has_at_most_128_fragments),
    T(congestion_marks_survive_reassembly), T(fragments_of_an_interface_go_with_it),
    T(every_allocation_may_fail));
