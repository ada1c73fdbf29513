/* IPv4's way in: header checks and their counters, "for us?", delivery. */
#include "tests/unit/ip_testing.h"

KTEST(a_plain_datagram_reaches_its_transport)
{
	testbed();
	receive4(&(struct spec4){.len = 100});
	CHECK_EQ(delivered.count, 1);
	CHECK_EQ(delivered.offset, 20);
	CHECK_EQ(delivered.protocol, IPPROTO_UDP);
	CHECK(payload_is(delivered.m[0], 20, 100));
	CHECK_EQ(st4()->ips_total, 1);
	CHECK_EQ(st4()->ips_delivered, 1);
	testbed_end();
}

KTEST(a_list_is_taken_whole)
{
	struct mbuf *list;

	testbed();
	list = make4(&(struct spec4){.id = 1});
	list->m_nextpkt = make4(&(struct spec4){.id = 2, .dst = FAR4});
	list->m_nextpkt->m_nextpkt = make4(&(struct spec4){.id = 3});
	ip_input(curmachine(), list);
	CHECK_EQ(delivered.count, 2);
	CHECK_EQ(ntohs(mtod(delivered.m[1], struct ip *)->ip_id), 3);
	CHECK(delivered.m[0]->m_nextpkt == NULL);
	CHECK_EQ(st4()->ips_cantforward, 1);
	testbed_end();
}

KTEST(link_padding_is_trimmed)
{
	struct mbuf *m;

	testbed();
	m = make4(&(struct spec4){.len = 26});
	mtod(m, struct ip *)->ip_len = htons(20 + 8);
	sum4(m);
	ip_input(curmachine(), m);
	CHECK(payload_is(delivered.m[0], 20, 8));
	CHECK_EQ(st4()->ips_adj, 1);
	testbed_end();
}

/* Feeds one packet after `spoil` had its way, and expects it to be counted and freed. */
static void
refused(struct mbuf *m, const u_int32_t *counter)
{
	u_int32_t was = *counter;

	ip_input(curmachine(), m);
	CHECK_EQ(*counter, was + 1);
	CHECK_EQ(delivered.count, 0);
}

KTEST(bad_headers_are_counted_where_netstat_has_them)
{
	struct mbuf *m;

	testbed();
	m = make4(&(struct spec4){.len = 4});
	m_adj(m, -5);
	refused(m, &st4()->ips_tooshort);

	m = make4(&(struct spec4){.len = 4});
	m_adj(m, -1);
	refused(m, &st4()->ips_tooshort);

	m = make4(&(struct spec4){.len = 4});
	*m->m_data = 0x55;
	refused(m, &st4()->ips_badvers);

	m = make4(&(struct spec4){.len = 4});
	*m->m_data = 0x44;
	refused(m, &st4()->ips_badhlen);

	m = make4(&(struct spec4){.len = 4});
	*m->m_data = 0x4f;
	refused(m, &st4()->ips_badhlen);

	m = make4(&(struct spec4){.len = 4});
	mtod(m, struct ip *)->ip_ttl ^= 1;
	refused(m, &st4()->ips_badsum);

	m = make4(&(struct spec4){.len = 4});
	mtod(m, struct ip *)->ip_len = htons(19);
	sum4(m);
	refused(m, &st4()->ips_badlen);

	refused(make4(&(struct spec4){.src = IP4(127, 0, 0, 1)}), &st4()->ips_badaddr);
	refused(make4(&(struct spec4){.dst = IP4(127, 1, 2, 3)}), &st4()->ips_badaddr);
	refused(make4(&(struct spec4){.dst = FAR4}), &st4()->ips_cantforward);
	CHECK_EQ(sent.count, 0);
	/* RFC 1122 3.2.2.1: its sender is told. */
	refused(make4(&(struct spec4){.protocol = 200}), &st4()->ips_noproto);
	CHECK_EQ(sent.count, 1);
	testbed_end();
}

KTEST(an_empty_packet_is_too_short)
{
	struct mbuf *m;

	testbed();
	m = m_gethdr(curmachine(), MBUF_WAITOK, MBUF_TYPE_DATA);
	m->m_pkthdr.len = 5000;		/* a lie */
	refused(m, &st4()->ips_tooshort);
}

KTEST(a_header_in_pieces_is_put_together)
{
	testbed();
	for (int cut = 1; cut < 20; cut++) {
		struct mbuf *m = make4(&(struct spec4){.len = 60});
		struct mbuf *tail = m_split(m, (size_t)cut, MBUF_WAITOK);

		m->m_next = tail;
		tail->m_flags &= (uint16_t)~M_PKTHDR;
		m->m_pkthdr.len = 80;
		ip_input(curmachine(), m);
		CHECK_EQ(delivered.count, 1);
		CHECK(delivered.m[0]->m_len >= 20);
		CHECK(payload_is(delivered.m[0], 20, 60));
		forget(&delivered);
	}
}

KTEST(a_misaligned_packet_is_moved)
{
	struct mbuf *m;

	testbed();
	for (int by = 1; by < 4; by++) {
		m = make4(&(struct spec4){.len = 3000});
		m = m_prepend(m, (size_t)by, MBUF_WAITOK);
		memmove(m->m_data, m->m_data + by, 20 + 100);
		m_adj(m, -by);
		/* The first 120 bytes lie right; that is what is compared. */
		ip_input(curmachine(), m);
		CHECK_EQ(delivered.count, 1);
		CHECK_EQ((uintptr_t)delivered.m[0]->m_data & 3, 0);
		CHECK_EQ(delivered.m[0]->m_pkthdr.len, 3020);
		CHECK(delivered.m[0]->m_pkthdr.rcvif == en7);
		forget(&delivered);
	}
}

KTEST(hardware_may_have_summed_the_header)
{
	struct mbuf *m;

	testbed();
	m = make4(&(struct spec4){.len = 4});
	mtod(m, struct ip *)->ip_sum ^= 1;
	m->m_pkthdr.csum_flags = MBUF_CSUM_DID_IP | MBUF_CSUM_IP_GOOD;
	ip_input(curmachine(), m);
	CHECK_EQ(delivered.count, 1);
	m = make4(&(struct spec4){.len = 4});
	m->m_pkthdr.csum_flags = MBUF_CSUM_DID_IP;
	ip_input(curmachine(), m);
	CHECK_EQ(st4()->ips_badsum, 1);
	testbed_end();
}

KTEST(broadcasts_and_multicasts_are_for_us)
{
	testbed();
	receive4(&(struct spec4){.dst = IP4(255, 255, 255, 255)});
	receive4(&(struct spec4){.dst = IP4(10, 0, 0, 255)});
	receive4(&(struct spec4){.dst = IP4(224, 0, 0, 251)});
	CHECK_EQ(delivered.count, 3);
	receive4(&(struct spec4){.dst = IP4(10, 0, 1, 255)});
	CHECK_EQ(delivered.count, 3);
	CHECK_EQ(st4()->ips_cantforward, 1);
	testbed_end();
}

KTEST(an_address_that_went_is_not_ours_any_more)
{
	struct sockaddr_in a = {.sin_len = sizeof a, .sin_family = AF_INET, .sin_addr = {HERE4}};

	testbed();
	receive4(&(struct spec4){.len = 1});
	receive4(&(struct spec4){.len = 1});
	CHECK_EQ(delivered.count, 2);
	CHECK_EQ(ifaddr_remove(en7, (struct sockaddr *)&a), 0);
	receive4(&(struct spec4){.len = 1});
	CHECK_EQ(delivered.count, 2);
	CHECK_EQ(st4()->ips_cantforward, 1);
	add_address4(en7, HERE4, IP4(255, 255, 255, 0));
	receive4(&(struct spec4){.len = 1});
	CHECK_EQ(delivered.count, 3);
	testbed_end();
}

KTEST(lo0_may_carry_loopback_addresses)
{
	struct mbuf *m;

	testbed();
	m = make4(&(struct spec4){.src = IP4(127, 0, 0, 1), .dst = IP4(127, 0, 0, 1)});
	m->m_pkthdr.rcvif = dlil_loopback(curmachine());
	ip_input(curmachine(), m);
	CHECK_EQ(delivered.count, 1);
	testbed_end();
}

KTEST(counters_have_netstats_names)
{
	struct core_counter c[64];
	size_t n;

	testbed();
	receive4(&(struct spec4){.len = 1});
	n = machine_counters(curmachine(), "ip", c, 64);
	CHECK(n > 20 && n <= 64);
	CHECK_STR(c[0].name, "total packets received");
	CHECK_EQ(c[0].value, 1);
	CHECK_STR(c[1].name, "bad header checksums");
	CHECK_EQ(machine_counters(curmachine(), "ip6", c, 1), 27);
	CHECK_EQ(machine_counters(curmachine(), "ipx", c, 64), 0);
	testbed_end();
}

KTEST_SUITE(ip_input, T(a_plain_datagram_reaches_its_transport), T(a_list_is_taken_whole),
    T(link_padding_is_trimmed), T(bad_headers_are_counted_where_netstat_has_them),
    T(an_empty_packet_is_too_short), T(a_header_in_pieces_is_put_together),
    T(a_misaligned_packet_is_moved), T(hardware_may_have_summed_the_header),
    T(broadcasts_and_multicasts_are_for_us), T(an_address_that_went_is_not_ours_any_more),
    T(lo0_may_carry_loopback_addresses), T(counters_have_netstats_names));
