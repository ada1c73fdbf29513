/* IPv6's way out: header, scope, source, route, multicast, fragmentation. */
#include "tests/unit/ip_testing.h"

static errno_t
send6(const struct spec6 *s, uint32_t flags, ipf_pktopts_t options)
{
	struct mbuf *m = make6(s);

	m->m_pkthdr.rcvif = NULL;
	return ip6_output(curmachine(), m, flags, options);
}

static const struct in6_addr nobody;

KTEST(the_header_is_filled_in)
{
	struct in6_addr dst = THERE6, here = HERE6;
	struct mbuf *m;

	testbed();
	m = make6(&(struct spec6){.src = &nobody, .dst = &dst, .len = 30});
	m->m_data[0] = 0x0a;
	mtod(m, struct ip6_hdr *)->ip6_plen = 0;
	mtod(m, struct ip6_hdr *)->ip6_hlim = 0;
	CHECK_EQ(ip6_output(curmachine(), m, 0, NULL), 0);
	CHECK_EQ(sent.count, 1);
	m = sent.m[0];
	CHECK_EQ(m->m_data[0], 0x6a);
	CHECK_EQ(ip6_payload(m), 30);
	CHECK_EQ(mtod(m, struct ip6_hdr *)->ip6_hlim, 64);
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_source(m), &here));
	CHECK(payload_is(m, 40, 30));
	testbed_end();
}

KTEST(a_complete_header_is_left_alone)
{
	struct in6_addr dst = GROUP6;

	testbed();
	CHECK_EQ(
	    send6(&(struct spec6){.src = &nobody, .dst = &dst, .len = 3}, IP_OUT_RAW, NULL), 0);
	CHECK(IN6_IS_ADDR_UNSPECIFIED(ip6_source(sent.m[0])));
	CHECK(sent.m[0]->m_flags & MBUF_MCAST);
	CHECK_EQ(st6()->ip6s_rawout, 1);
	testbed_end();
}

KTEST(link_local_addresses_lose_their_scope)
{
	struct in6_addr dst = NEXT6, plain = NEXT6, local = LOCAL6;

	testbed();
	(void)make_interface("fw", 1500);
	dst.s6_addr16[1] = htons(en7->index);
	CHECK_EQ(send6(&(struct spec6){.src = &nobody, .dst = &dst, .len = 3}, 0, NULL), 0);
	CHECK_EQ(sent.count, 1);
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_destination(sent.m[0]), &plain));
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_source(sent.m[0]), &local));
	dst.s6_addr16[1] = htons(99);
	CHECK_EQ(
	    send6(&(struct spec6){.src = &nobody, .dst = &dst, .len = 3}, 0, NULL), EHOSTUNREACH);
	testbed_end();
}

KTEST(what_is_for_us_comes_back_through_lo0)
{
	struct in6_addr here = HERE6, local = LOCAL6;

	testbed();
	CHECK_EQ(send6(&(struct spec6){.src = &nobody, .dst = &here, .len = 3000}, 0, NULL), 0);
	let_run();
	CHECK_EQ(delivered.count, 1);
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_source(delivered.m[0]), &here));
	local.s6_addr16[1] = htons(en7->index);
	CHECK_EQ(send6(&(struct spec6){.src = &nobody, .dst = &local, .len = 3}, 0, NULL), 0);
	let_run();
	CHECK_EQ(delivered.count, 2);
	CHECK_EQ(sent.count, 0);
	testbed_end();
}

KTEST(nonsense_is_not_sent)
{
	struct in6_addr dst = THERE6, group = GROUP6,
			loop = ip6_of("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1");
	struct mbuf *m;

	testbed();
	CHECK_EQ(send6(&(struct spec6){.src = &group, .dst = &dst}, 0, NULL), EADDRNOTAVAIL);
	CHECK_EQ(send6(&(struct spec6){.src = &loop, .dst = &dst}, 0, NULL), EADDRNOTAVAIL);
	CHECK_EQ(send6(&(struct spec6){.dst = &nobody}, 0, NULL), EADDRNOTAVAIL);
	CHECK_EQ(send6(&(struct spec6){.dst = &dst, .len = 65536}, 0, NULL), EMSGSIZE);
	m = make6(&(struct spec6){.dst = &dst, .len = 4});
	m->m_data[0] = 0x45;
	CHECK_EQ(ip6_output(curmachine(), m, IP_OUT_RAW, NULL), EINVAL);
	m = make6(&(struct spec6){.dst = &dst, .len = 4});
	m_adj(m, -5);
	CHECK_EQ(ip6_output(curmachine(), m, 0, NULL), EINVAL);
	CHECK_EQ(sent.count, 0);
	testbed_end();
}

KTEST(without_a_route_there_is_an_error)
{
	struct in6_addr dst = ip6_of("\x20\x01\x0d\xb8\0\0\0\7\0\0\0\0\0\0\0\7");

	testbed();
	CHECK_EQ(route_set_default(curmachine(), AF_INET6, NULL, NULL), 0);
	CHECK_EQ(send6(&(struct spec6){.dst = &dst}, 0, NULL), EHOSTUNREACH);
	CHECK_EQ(st6()->ip6s_noroute, 1);
	testbed_end();
}

KTEST(multicasts_choose_their_interface)
{
	struct ipf_pktopts options = {.ippo_flags = IPPOF_MCAST_OPTS, .ippo_mcast_ttl = 7};
	struct in6_addr group = GROUP6;

	testbed();
	options.ippo_mcast_ifnet = en7;
	CHECK_EQ(send6(&(struct spec6){.dst = &group, .len = 1}, 0, &options), 0);
	CHECK_EQ(mtod(sent.m[0], struct ip6_hdr *)->ip6_hlim, 7);
	options.ippo_mcast_ttl = 0;
	CHECK_EQ(send6(&(struct spec6){.dst = &group, .len = 1}, 0, &options), 0);
	CHECK_EQ(sent.count, 1);
	testbed_end();
}

KTEST(large_datagrams_are_cut_and_make_the_whole_again)
{
	static const char headers[] = "\x2b\0\1\4\0\0\0\0"
				      "\x3c\0\3\0\0\0\0\0"
				      "\x11\0\1\4\0\0\0\0";
	struct in6_addr dst = THERE6, here = HERE6;

	testbed();
	CHECK_EQ(send6(&(struct spec6){.src = &dst, .dst = &dst, .next = 0, .headers = headers,
	    .headers_len = 24, .len = 4000}, 0, NULL), 0);
	CHECK_EQ(sent.count, 3);
	for (unsigned i = 0; i < 3; i++) {
		struct mbuf *m = sent.m[i];

		CHECK(m->m_pkthdr.len <= 1500);
		CHECK_EQ(m->m_pkthdr.len, 40 + ip6_payload(m));
		CHECK_EQ(m->m_data[48], IPPROTO_FRAGMENT);
		CHECK_EQ(m->m_data[56], IPPROTO_DSTOPTS);
		*ip6_destination(m) = here;
		m->m_pkthdr.rcvif = en7;
		ip6_input(curmachine(), m);
	}
	sent.count = 0;
	CHECK_EQ(delivered.count, 1);
	CHECK_EQ(delivered.offset, 64);
	CHECK(payload_is(delivered.m[0], 64, 4000));
	CHECK_EQ(st6()->ip6s_fragmented, 1);
	CHECK_EQ(st6()->ip6s_ofragments, 3);
	testbed_end();
}

KTEST(cutting_has_its_limits)
{
	struct in6_addr dst = THERE6;
	char header[8];
	struct mbuf *list;

	testbed();
	for (uint32_t mtu = 0; mtu < 56; mtu++)
		CHECK_EQ(ip6_fragment(curmachine(), make6(&(struct spec6){.len = 100}), mtu, &list),
		    EMSGSIZE);
	/* A fragment is not cut again. */
	CHECK_EQ(send6(&(struct spec6){.dst = &dst,
			   .next = 44,
			   .headers = frag_header(header, 17, 0, true, 1),
			   .headers_len = 8,
			   .len = 2000},
		     0, NULL),
	    EMSGSIZE);
	for (unsigned n = 1; n < 9; n++) {
		struct mbuf *m = make6(&(struct spec6){.len = 4000});

		fail_after(n);
		if (ip6_fragment(curmachine(), m, 1280, &list) == 0)
			m_freem_list(list);
		fail_after(0);
	}
	testbed_end();
}

KTEST(deferred_checksums_are_done_unless_the_hardware_does_them)
{
	struct in6_addr dst = THERE6, src = HERE6;
	struct mbuf *m;
	uint16_t sum;

	testbed();
	for (int offload = 0; offload < 2; offload++) {
		en7->offload = offload ? IFNET_CSUM_UDPIPV6 : 0;
		m = make6(&(struct spec6){.src = &src, .dst = &dst, .len = 40});
		sum = in_cksum_sum(m, 0, 0, in6_pseudo(&src, &dst, IPPROTO_UDP, 40));
		memcpy(m->m_data + 46, &sum, 2);
		m->m_pkthdr.csum_flags = MBUF_CSUM_REQ_UDPIPV6;
		m->m_pkthdr.csum_data = 6;
		CHECK_EQ(ip6_output(curmachine(), m, 0, NULL), 0);
		m = sent.m[offload];
		CHECK_EQ(m->m_pkthdr.csum_flags, offload ? MBUF_CSUM_REQ_UDPIPV6 : 0);
		if (!offload)
			CHECK_EQ(in_cksum_sum(m, 40, 40, in6_pseudo(&src, &dst, IPPROTO_UDP, 40)),
			    0xffff);
	}
	testbed_end();
}

KTEST_SUITE(ip6_output, T(the_header_is_filled_in), T(a_complete_header_is_left_alone),
    T(link_local_addresses_lose_their_scope), T(what_is_for_us_comes_back_through_lo0),
    T(nonsense_is_not_sent), T(without_a_route_there_is_an_error),
    T(multicasts_choose_their_interface), T(large_datagrams_are_cut_and_make_the_whole_again),
    T(cutting_has_its_limits), T(deferred_checksums_are_done_unless_the_hardware_does_them));
