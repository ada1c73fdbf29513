/* Cutting IPv4 datagrams, and that what is cut can be put together again. */
#include "tests/unit/ip_testing.h"

/* Cuts a datagram and checks every piece; how many there are. */
static unsigned
cut(const struct spec4 *s, uint32_t mtu, struct mbuf *list[], unsigned max)
{
	struct mbuf *m = make4(s), *next;
	unsigned n = 0;

	CHECK_EQ(ip_fragment(curmachine(), m, mtu, &next), 0);
	for (; next != NULL; n++) {
		const struct ip *ip = mtod(next, const struct ip *);

		CHECK(n < max);
		list[n] = next;
		next = next->m_nextpkt;
		list[n]->m_nextpkt = NULL;
		CHECK(list[n]->m_pkthdr.len <= (int)mtu);
		CHECK_EQ(m_length(list[n]), list[n]->m_pkthdr.len);
		CHECK_EQ(ntohs(ip->ip_len), list[n]->m_pkthdr.len);
		CHECK_EQ(in_cksum_part(list[n], 0, ip->ip_hl << 2), 0);
		CHECK_EQ(!(ip->ip_off & htons(IP_MF)), next == NULL);
		CHECK(m_leadingspace(list[n]) >= 16);
		CHECK(list[n]->m_flags & MBUF_FRAG);
		CHECK_EQ(!!(list[n]->m_flags & MBUF_FIRSTFRAG), n == 0);
		CHECK_EQ(!!(list[n]->m_flags & MBUF_LASTFRAG), next == NULL);
	}
	return n;
}

KTEST(pieces_fit_and_make_the_whole_again)
{
	static const uint32_t mtus[] = {68, 100, 576, 1280, 1500, 9000};
	static const size_t sizes[] = {1, 7, 8, 9, 48, 1480, 1481, 3000, 5000, 65515};
	struct mbuf *list[TEST_KEPT * 8];

	testbed();
	for (unsigned i = 0; i < 6; i++) {
		for (unsigned k = 0; k < 10; k++) {
			struct spec4 s = {.id = (uint16_t)(i * 16 + k), .len = sizes[k]};
			unsigned n, per = (mtus[i] - 20) / 8 * 8;

			if (sizes[k] / per >= REASS_PER_QUEUE)
				continue;
			n = cut(&s, mtus[i], list, TEST_KEPT * 8);
			CHECK_EQ(n, sizes[k] + 20 <= mtus[i] ? 1 : (sizes[k] + per - 1) / per);
			while (n-- > 0) {
				list[n]->m_pkthdr.rcvif = en7;
				ip_input(curmachine(), list[n]);
			}
			CHECK_EQ(delivered.count, 1);
			CHECK(payload_is(delivered.m[0], 20, sizes[k]));
			forget(&delivered);
		}
	}
	testbed_end();
}

KTEST(df_forbids_it)
{
	struct mbuf *list;

	testbed();
	CHECK_EQ(ip_fragment(
		     curmachine(), make4(&(struct spec4){.len = 2000, .off = IP_DF}), 1500, &list),
	    EMSGSIZE);
	CHECK(list == NULL);
	CHECK_EQ(ip_output(curmachine(),
		     make4(&(struct spec4){.dst = FAR4, .len = 2000, .off = IP_DF}), 0, NULL),
	    EMSGSIZE);
	CHECK_EQ(st4()->ips_cantfrag, 2);
	testbed_end();
}

KTEST(no_room_is_an_error)
{
	struct mbuf *list;

	testbed();
	for (uint32_t mtu = 0; mtu < 28; mtu++)
		CHECK_EQ(ip_fragment(curmachine(), make4(&(struct spec4){.len = 100}), mtu, &list),
		    EMSGSIZE);
	testbed_end();
}

KTEST(options_are_copied_as_they_ask)
{
	struct spec4 s = {.len = 100, .options = "\7\7\4\0\0\0\0\x94\4\0\0\0", .options_len = 12};
	struct mbuf *list[16];
	unsigned n;

	testbed();
	n = cut(&s, 68, list, 16);
	CHECK(n > 2);
	CHECK_EQ(*list[0]->m_data, 0x48);
	CHECK_EQ(*list[1]->m_data, 0x46);
	CHECK_EQ(memcmp(list[1]->m_data + 20, "\x94\4\0\0", 4), 0);
	/* 32 bytes fit behind the first header, 40 behind the others. */
	CHECK_EQ(ntohs(mtod(list[1], struct ip *)->ip_off) & IP_OFFMASK, 4);
	CHECK_EQ(ntohs(mtod(list[2], struct ip *)->ip_off) & IP_OFFMASK, 9);
	while (n-- > 0)
		m_freem(list[n]);
	testbed_end();
}

KTEST(a_fragment_is_cut_further)
{
	struct spec4 s = {.len = 400, .off = IP_MF | 100};
	struct mbuf *list, *m;
	unsigned off = 100;

	testbed();
	CHECK_EQ(ip_fragment(curmachine(), make4(&s), 220, &list), 0);
	for (m = list; m != NULL; m = m->m_nextpkt) {
		CHECK_EQ(ntohs(mtod(m, struct ip *)->ip_off), IP_MF | off);
		off += 25;
	}
	CHECK_EQ(off, 150);
	m_freem_list(list);
	testbed_end();
}

KTEST(ip_output_sends_the_pieces)
{
	testbed();
	CHECK_EQ(
	    ip_output(curmachine(), make4(&(struct spec4){.dst = FAR4, .len = 3000}), 0, NULL), 0);
	CHECK_EQ(sent.count, 3);
	CHECK_EQ(st4()->ips_fragmented, 1);
	CHECK_EQ(st4()->ips_ofragments, 3);
	CHECK_EQ(mtod(sent.m[2], struct ip *)->ip_id, mtod(sent.m[0], struct ip *)->ip_id);
	testbed_end();
}

KTEST(transport_checksums_are_done_before_the_cut)
{
	struct mbuf *m;
	uint16_t sum;

	testbed();
	en7->offload = IFNET_CSUM_UDP | IFNET_CSUM_IP;
	m = make4(&(struct spec4){.src = THERE4, .dst = HERE4, .len = 3000});
	mtod(m, struct ip *)->ip_dst.s_addr = FAR4;
	sum = in_cksum_sum(m, 0, 0, in_pseudo(mtod(m, struct ip *)->ip_src,
	    mtod(m, struct ip *)->ip_dst, IPPROTO_UDP, 3000));
	memcpy(m->m_data + 26, &sum, 2);
	m->m_pkthdr.csum_flags = MBUF_CSUM_REQ_UDP;
	m->m_pkthdr.csum_data = 6;
	CHECK_EQ(ip_output(curmachine(), m, 0, NULL), 0);
	CHECK_EQ(sent.count, 3);
	memcpy(&sum, sent.m[0]->m_data + 26, 2);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(sent.m[i]->m_pkthdr.csum_flags, 0);
		CHECK_EQ(in_cksum_part(sent.m[i], 0, 20), 0);
	}
	add_address4(en7, FAR4, IP4(255, 255, 255, 255));
	for (unsigned i = 0; i < 3; i++) {
		sent.m[i]->m_pkthdr.rcvif = en7;
		ip_input(curmachine(), sent.m[i]);
	}
	sent.count = 0;
	CHECK_EQ(delivered.count, 1);
	m = delivered.m[0];
	CHECK_EQ(in_cksum_sum(m, 20, 3000, in_pseudo(mtod(m, struct ip *)->ip_src,
	    mtod(m, struct ip *)->ip_dst, IPPROTO_UDP, 3000)), 0xffff);
	testbed_end();
}

KTEST(running_out_of_memory_leaves_nothing)
{
	struct mbuf *list;
	errno_t error = ENOBUFS;

	testbed();
	for (unsigned n = 1; error == ENOBUFS; n++) {
		struct mbuf *m = make4(&(struct spec4){.len = 4000});

		CHECK(n < 64);
		fail_after(n);
		error = ip_fragment(curmachine(), m, 1500, &list);
		fail_after(0);
		CHECK_EQ(error == 0, list != NULL);
	}
	CHECK_EQ(error, 0);
	CHECK(st4()->ips_odropped > 3);
	m_freem_list(list);
	testbed_end();
}

KTEST_SUITE(ip_fragment, T(pieces_fit_and_make_the_whole_again), T(df_forbids_it),
    T(no_room_is_an_error), T(options_are_copied_as_they_ask), T(a_fragment_is_cut_further),
    T(ip_output_sends_the_pieces), T(transport_checksums_are_done_before_the_cut),
    T(running_out_of_memory_leaves_nothing));
