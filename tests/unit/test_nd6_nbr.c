/* src/netinet6/nd6.c, nd6_nbr.c, nd6_dad.c: neighbours and duplicates. */
#include "tests/unit/nd6_testing.h"

#define HIM	in6(0xfe, 0x80, 0, 2)
#define HIM_G	in6(0x20, 0x01, 0, 2)
#define ME_G	in6(0x20, 0x01, 0, 1)

/* fe80::ff:fe00:1 and 2001::1/64, both known to be ours. */
static void
prepare(void)
{
	make_link();
	CHECK_EQ(nd6_linklocal_start(en0), 0);
	add6(ME_G);
	wait_ns(4 * SEC);
	CHECK(!(own6(ME_G)->ia6_flags & IN6_IFF_NOTREADY));
	forget_frames();
	(void)said();
}

/* ---- duplicate address detection ---------------------------------------------------------- */

KTEST(an_address_is_tentative_until_nobody_objects)
{
	struct in6_addr me = ME_G;
	struct nd_neighbor_solicit ns;
	const uint8_t *msg;
	struct ip6_hdr ip6;
	size_t len;

	make_link();
	add6(ME_G);
	CHECK(own6(ME_G)->ia6_flags & IN6_IFF_TENTATIVE);
	wait_ns(3 * SEC);
	msg = next_nd(ND_NEIGHBOR_SOLICIT, &ip6, &len);
	CHECK(msg != NULL);
	CHECK(same6(&ip6.ip6_src, UNSPECIFIED));
	CHECK(same6(&ip6.ip6_dst, nd6_solicited_node(&me)));
	memcpy(&ns, msg, sizeof ns);
	CHECK(same6(&ns.nd_ns_target, ME_G));
	CHECK_EQ(len, sizeof ns + 8);
	CHECK_EQ(msg[24], ND_OPT_NONCE);
	CHECK(next_nd(ND_NEIGHBOR_SOLICIT, NULL, NULL) == NULL);
	CHECK(!(own6(ME_G)->ia6_flags & IN6_IFF_NOTREADY));
	CHECK_EQ(icmp6_statistics(curmachine())->icp6s_outhist[ND_NEIGHBOR_SOLICIT], 1);
}

KTEST(the_checksum_of_what_we_say_is_right)
{
	struct in6_addr src, dst;
	const struct frame *f;
	struct mbuf *m;
	uint32_t len;

	make_link();
	add6(ME_G);
	wait_ns(3 * SEC);
	do
		CHECK((f = next_frame(0x86dd)) != NULL);
	while (f->data[54] != ND_NEIGHBOR_SOLICIT);
	len = (uint32_t)f->len - 54;
	m = m_devget(curmachine(), f->data + 14, f->len - 14, 0);
	memcpy(&src, m->m_data + 8, sizeof src);
	memcpy(&dst, m->m_data + 24, sizeof dst);
	CHECK_EQ(in_cksum_sum(m, 40, len, in6_pseudo(&src, &dst, IPPROTO_ICMPV6, len)), 0xffff);
	m_freem(m);
}

KTEST(an_advertisement_makes_it_a_duplicate)
{
	struct in6_addr me = ME_G;

	make_link();
	set_int("net.inet6.ip6.dad_count", 2);
	add6(ME_G);
	wait_ns(1500 * MS);
	neighbor_comes(ND_NEIGHBOR_ADVERT, ND_NA_FLAG_OVERRIDE, HIM, ALL_NODES, ME_G, peer_mac);
	CHECK_EQ(own6(ME_G)->ia6_flags & IN6_IFF_NOTREADY, IN6_IFF_DUPLICATED);
	CHECK(ktest_log_contains("en0: DAD detected duplicate IPv6 address 2001:0000"));
	forget_frames();
	wait_ns(5 * SEC);
	/* It is not answered for. */
	neighbor_comes(ND_NEIGHBOR_SOLICIT, 0, HIM, nd6_solicited_node(&me), ME_G, peer_mac);
	CHECK(next_nd(ND_NEIGHBOR_ADVERT, NULL, NULL) == NULL);
}

static void
probe_comes(struct in6_addr target, const uint8_t nonce[6])
{
	struct {
		struct nd_neighbor_solicit ns;
		uint8_t option[8];
	} msg;

	memset(&msg, 0, sizeof msg);
	msg.ns.nd_ns_type = ND_NEIGHBOR_SOLICIT;
	msg.ns.nd_ns_target = target;
	msg.option[0] = ND_OPT_NONCE;
	msg.option[1] = 1;
	memcpy(msg.option + 2, nonce, 6);
	nd_comes(UNSPECIFIED, nd6_solicited_node(&target), &msg, sizeof msg);
}

KTEST(another_that_looks_for_duplicates_makes_it_one_but_not_our_own_echo)
{
	const uint8_t *msg;
	uint8_t nonce[6];

	make_link();
	set_int("net.inet6.ip6.dad_count", 3);
	add6(ME_G);
	wait_ns(1500 * MS);
	msg = next_nd(ND_NEIGHBOR_SOLICIT, NULL, NULL);
	CHECK(msg != NULL);
	memcpy(nonce, msg + 26, 6);
	probe_comes(ME_G, nonce);
	CHECK_EQ(own6(ME_G)->ia6_flags & IN6_IFF_NOTREADY, IN6_IFF_TENTATIVE);
	nonce[0] ^= 1;
	probe_comes(ME_G, nonce);
	CHECK_EQ(own6(ME_G)->ia6_flags & IN6_IFF_NOTREADY, IN6_IFF_DUPLICATED);
}

KTEST(a_question_for_a_neighbour_makes_no_duplicate)
{
	struct in6_addr me = ME_G;

	make_link();
	add6(ME_G);
	wait_ns(100 * MS);
	neighbor_comes(ND_NEIGHBOR_SOLICIT, 0, HIM_G, nd6_solicited_node(&me), ME_G,
	    peer_mac);
	CHECK_EQ(own6(ME_G)->ia6_flags & IN6_IFF_NOTREADY, IN6_IFF_TENTATIVE);
	CHECK(next_nd(ND_NEIGHBOR_ADVERT, NULL, NULL) == NULL);
	wait_ns(3 * SEC);
	CHECK_EQ(own6(ME_G)->ia6_flags & IN6_IFF_NOTREADY, 0);
}

KTEST(detection_can_be_off)
{
	make_link();
	set_int("net.inet6.ip6.dad_count", 0);
	add6(ME_G);
	CHECK(!(own6(ME_G)->ia6_flags & IN6_IFF_NOTREADY));
	wait_ns(5 * SEC);
	CHECK(next_nd(ND_NEIGHBOR_SOLICIT, NULL, NULL) == NULL);
}

KTEST(somebody_who_looks_for_a_duplicate_of_ours_is_told)
{
	static const uint8_t nonce[6] = {1, 2, 3, 4, 5, 6};
	struct nd_neighbor_advert na;
	const uint8_t *msg;
	struct ip6_hdr ip6;

	prepare();
	probe_comes(ME_G, nonce);
	msg = next_nd(ND_NEIGHBOR_ADVERT, &ip6, NULL);
	CHECK(msg != NULL && same6(&ip6.ip6_dst, ALL_NODES) && same6(&ip6.ip6_src, ME_G));
	memcpy(&na, msg, sizeof na);
	CHECK_EQ((uint8_t)na.nd_na_flags_reserved, ND_NA_FLAG_OVERRIDE);
	CHECK_EQ(memcmp(msg + 26, our_mac, 6), 0);
}

/* ---- resolution --------------------------------------------------------------------------- */

KTEST(a_neighbour_is_asked_for_and_its_answer_lets_packets_go)
{
	struct in6_addr him = HIM_G;
	struct nd_neighbor_solicit ns;
	const uint8_t *msg;
	const struct frame *f;
	struct ip6_hdr ip6;

	prepare();
	CHECK_EQ(send6(ME_G, HIM_G), 0);
	msg = next_nd(ND_NEIGHBOR_SOLICIT, &ip6, NULL);
	CHECK(msg != NULL);
	/* From the address of the packet that waits. */
	CHECK(same6(&ip6.ip6_src, ME_G));
	CHECK(same6(&ip6.ip6_dst, nd6_solicited_node(&him)));
	memcpy(&ns, msg, sizeof ns);
	CHECK(same6(&ns.nd_ns_target, HIM_G));
	CHECK_EQ(msg[24], ND_OPT_SOURCE_LINKADDR);
	CHECK_EQ(memcmp(msg + 26, our_mac, 6), 0);
	neighbor_comes(ND_NEIGHBOR_ADVERT, ND_NA_FLAG_SOLICITED | ND_NA_FLAG_OVERRIDE, HIM_G, ME_G, HIM_G,
	    peer_mac);
	f = next_frame(0x86dd);
	CHECK(f != NULL && f->data[14 + 6] == 253 && memcmp(f->data, peer_mac, 6) == 0);
	CHECK_EQ(entry6(HIM_G)->state, NEIGHBOR_REACHABLE);
}

KTEST(an_unanswered_question_is_asked_three_times)
{
	unsigned n = 0;

	prepare();
	CHECK_EQ(send6(ME_G, HIM_G), 0);
	wait_ns(10 * SEC);
	while (next_nd(ND_NEIGHBOR_SOLICIT, NULL, NULL) != NULL)
		n++;
	CHECK_EQ(n, 3);
	CHECK(entry6(HIM_G) == NULL);
	CHECK_EQ(curmachine()->neighbors->held[1], 0);
}

KTEST(an_unused_neighbour_is_not_probed_and_a_used_one_is)
{
	const uint8_t *msg;
	struct ip6_hdr ip6;
	unsigned n = 0;

	prepare();
	CHECK_EQ(send6(our_ll(), HIM), 0);
	neighbor_comes(ND_NEIGHBOR_ADVERT, ND_NA_FLAG_SOLICITED | ND_NA_FLAG_OVERRIDE, HIM, our_ll(), HIM,
	    peer_mac);
	forget_frames();
	wait_ns(60 * SEC);
	CHECK_EQ(entry6(HIM)->state, NEIGHBOR_STALE);
	CHECK_EQ(frame_count, 0);
	CHECK_EQ(send6(our_ll(), HIM), 0);
	CHECK_EQ(entry6(HIM)->state, NEIGHBOR_DELAY);
	wait_ns(5500 * MS);
	msg = next_nd(ND_NEIGHBOR_SOLICIT, &ip6, NULL);
	CHECK(msg != NULL && same6(&ip6.ip6_dst, HIM));
	wait_ns(10 * SEC);
	while (next_nd(ND_NEIGHBOR_SOLICIT, NULL, NULL) != NULL)
		n++;
	CHECK_EQ(n, 2);
	CHECK(entry6(HIM) == NULL);
}

KTEST(questions_for_us_are_answered_and_the_asker_is_remembered)
{
	struct in6_addr me = ME_G;
	struct nd_neighbor_advert na;
	const uint8_t *msg;
	struct ip6_hdr ip6;

	prepare();
	neighbor_comes(ND_NEIGHBOR_SOLICIT, 0, HIM_G, nd6_solicited_node(&me), ME_G, peer_mac);
	msg = next_nd(ND_NEIGHBOR_ADVERT, &ip6, NULL);
	CHECK(msg != NULL && same6(&ip6.ip6_dst, HIM_G) && same6(&ip6.ip6_src, ME_G));
	memcpy(&na, msg, sizeof na);
	CHECK(same6(&na.nd_na_target, ME_G));
	CHECK_EQ((uint8_t)na.nd_na_flags_reserved, ND_NA_FLAG_OVERRIDE | ND_NA_FLAG_SOLICITED);
	CHECK_EQ(msg[24], ND_OPT_TARGET_LINKADDR);
	/* The answer went to it, so it is being used. */
	CHECK_EQ(entry6(HIM_G)->state, NEIGHBOR_DELAY);
	neighbor_comes(ND_NEIGHBOR_SOLICIT, 0, HIM_G, nd6_solicited_node(&me), ME_G, NULL);
	CHECK(next_nd(ND_NEIGHBOR_ADVERT, NULL, NULL) != NULL);
}

KTEST(what_is_on_no_link_of_ours_is_not_answered)
{
	struct in6_addr me = ME_G, far = in6(0x2a, 0x00, 0, 9);

	prepare();
	neighbor_comes(ND_NEIGHBOR_SOLICIT, 0, far, nd6_solicited_node(&me), ME_G, peer_mac);
	CHECK(next_nd(ND_NEIGHBOR_ADVERT, NULL, NULL) == NULL);
	CHECK(entry6(far) == NULL);
}

KTEST(advertisements_make_no_entries_and_follow_the_flags)
{
	uint8_t got[6];
	struct sockaddr_in6 him;

	prepare();
	neighbor_comes(ND_NEIGHBOR_ADVERT, ND_NA_FLAG_OVERRIDE, HIM, ALL_NODES, HIM, peer_mac);
	CHECK(entry6(HIM) == NULL);
	CHECK_EQ(send6(our_ll(), HIM), 0);
	/* Without an address it is no answer. */
	neighbor_comes(ND_NEIGHBOR_ADVERT, ND_NA_FLAG_SOLICITED, HIM, our_ll(), HIM, NULL);
	CHECK_EQ(entry6(HIM)->state, NEIGHBOR_INCOMPLETE);
	neighbor_comes(ND_NEIGHBOR_ADVERT, ND_NA_FLAG_SOLICITED, HIM, our_ll(), HIM, peer_mac);
	CHECK_EQ(entry6(HIM)->state, NEIGHBOR_REACHABLE);
	neighbor_comes(ND_NEIGHBOR_ADVERT, 0, HIM, ALL_NODES, HIM, other_mac);
	CHECK_EQ(entry6(HIM)->state, NEIGHBOR_STALE);
	him = sin6_of(HIM);
	CHECK(neighbor_lookup(curmachine(), en0, SA(him), got) && memcmp(got, peer_mac, 6) == 0);
	neighbor_comes(ND_NEIGHBOR_ADVERT, ND_NA_FLAG_OVERRIDE, HIM, ALL_NODES, HIM, other_mac);
	CHECK(neighbor_lookup(curmachine(), en0, SA(him), got) && memcmp(got, other_mac, 6) == 0);
	neighbor_comes(ND_NEIGHBOR_ADVERT, ND_NA_FLAG_SOLICITED, HIM, our_ll(), HIM, NULL);
	CHECK_EQ(entry6(HIM)->state, NEIGHBOR_REACHABLE);
}

KTEST(a_new_link_address_is_announced)
{
	static const uint8_t fresh[6] = {2, 0, 0, 0, 0, 0x11};
	const uint8_t *msg;
	struct ip6_hdr ip6;

	prepare();
	CHECK_EQ(dlil_set_lladdr(en0, fresh, 6), 0);
	wait_ns(MS);
	for (unsigned i = 0; i < 2; i++) {
		msg = next_nd(ND_NEIGHBOR_ADVERT, &ip6, NULL);
		CHECK(msg != NULL && same6(&ip6.ip6_dst, ALL_NODES));
		CHECK_EQ(memcmp(msg + 26, fresh, 6), 0);
	}
}

/* ---- bad input and floods ----------------------------------------------------------------- */

KTEST(messages_from_afar_malformed_or_contradictory_are_counted_and_dropped)
{
	struct icmp6stat *st;
	struct in6_addr me = ME_G;
	struct {
		struct nd_neighbor_solicit ns;
		uint8_t option[8];
	} msg;

	prepare();
	st = icmp6_statistics(curmachine());
	memset(&msg, 0, sizeof msg);
	msg.ns.nd_ns_type = ND_NEIGHBOR_SOLICIT;
	msg.ns.nd_ns_target = ME_G;
	msg.option[0] = ND_OPT_SOURCE_LINKADDR;
	msg.option[1] = 1;
	memcpy(msg.option + 2, peer_mac, 6);
	nd_comes_with(peer_mac, HIM_G, nd6_solicited_node(&me), &msg, sizeof msg, 254);
	CHECK_EQ(st->icp6s_badns, 1);
	/* The unspecified address has no link address, and asks the group. */
	nd_comes(UNSPECIFIED, nd6_solicited_node(&me), &msg, sizeof msg);
	CHECK_EQ(st->icp6s_badns, 2);
	nd_comes(UNSPECIFIED, ALL_NODES, &msg, sizeof msg.ns);
	CHECK_EQ(st->icp6s_badns, 3);
	msg.ns.nd_ns_hdr.icmp6_code = 1;
	nd_comes(HIM_G, nd6_solicited_node(&me), &msg, sizeof msg);
	CHECK_EQ(st->icp6s_badns, 4);
	msg.ns.nd_ns_hdr.icmp6_code = 0;
	msg.option[1] = 0;
	nd_comes(HIM_G, nd6_solicited_node(&me), &msg, sizeof msg);
	CHECK_EQ(st->icp6s_nd_badopt, 1);
	msg.option[1] = 2;
	nd_comes(HIM_G, nd6_solicited_node(&me), &msg, sizeof msg);
	CHECK_EQ(st->icp6s_nd_badopt, 2);
	msg.option[1] = 1;
	for (size_t len = 8; len < sizeof msg; len++)
		if (len != sizeof msg.ns)
			nd_comes(HIM_G, nd6_solicited_node(&me), &msg, len);
	neighbor_comes(ND_NEIGHBOR_ADVERT, ND_NA_FLAG_SOLICITED, HIM_G, ALL_NODES, HIM_G, peer_mac);
	neighbor_comes(ND_NEIGHBOR_ADVERT, 0, HIM_G, ALL_NODES, ALL_NODES, peer_mac);
	CHECK_EQ(st->icp6s_badna, 2);
	CHECK_EQ(frame_count, 0);
	CHECK_EQ(curmachine()->neighbors->count, 0);
}

KTEST(a_flood_of_questions_is_bounded_in_memory)
{
	struct in6_addr me = ME_G, from = HIM_G;
	struct core_memory before, after;

	prepare();
	frames_ignored = true;
	neighbor_comes(ND_NEIGHBOR_SOLICIT, 0, HIM_G, nd6_solicited_node(&me), ME_G, peer_mac);
	neighbor_comes(ND_NEIGHBOR_ADVERT, ND_NA_FLAG_SOLICITED, HIM_G, ME_G, HIM_G, peer_mac);
	CHECK_EQ(entry6(HIM_G)->state, NEIGHBOR_REACHABLE);
	memset(&before, 0, sizeof before);
	for (unsigned i = 0; i < 8000; i++) {
		if (i == 4000)
			machine_memory(curmachine(), &before);
		from.s6_addr[12] = 1;
		from.s6_addr[13] = (uint8_t)(i >> 8);
		from.s6_addr[14] = (uint8_t)i;
		neighbor_comes(ND_NEIGHBOR_SOLICIT, 0, from, nd6_solicited_node(&me), ME_G, other_mac);
	}
	machine_memory(curmachine(), &after);
	CHECK(after.heap_blocks <= before.heap_blocks + 8);
	CHECK_EQ(en0->neighbor_count, NEIGHBOR_IF_MAX);
	CHECK(entry6(HIM_G) != NULL);
}

/* ---- what must not be believed ------------------------------------------------------------ */

/* A solicitation for ME_G from HIM_G, in a packet with a fragment header: bytes [from, to) of it. */
static void
piece_comes(size_t from, size_t to, bool more)
{
	struct in6_addr src = HIM_G, dst = ME_G;
	struct nd_neighbor_solicit ns;
	uint8_t whole[32] = {0}, packet[40 + 8 + 32];
	struct ip6_hdr ip6 = {.ip6_src = src, .ip6_dst = dst};
	struct ip6_frag f = {.ip6f_nxt = IPPROTO_ICMPV6, .ip6f_offlg = htons(from), .ip6f_ident = 7};
	struct mbuf *m;
	uint16_t sum;

	memset(&ns, 0, sizeof ns);
	ns.nd_ns_type = ND_NEIGHBOR_SOLICIT;
	ns.nd_ns_target = dst;
	memcpy(whole, &ns, sizeof ns);
	whole[24] = ND_OPT_SOURCE_LINKADDR;
	whole[25] = 1;
	memcpy(whole + 26, peer_mac, 6);
	m = m_devget(curmachine(), whole, sizeof whole, 0);
	sum = (uint16_t)~in_cksum_sum(m, 0, sizeof whole, in6_pseudo(&src, &dst, IPPROTO_ICMPV6,
	    sizeof whole));
	m_freem(m);
	memcpy(whole + 2, &sum, sizeof sum);
	if (more)
		f.ip6f_offlg |= IP6F_MORE_FRAG;
	ip6.ip6_vfc = IPV6_VERSION;
	ip6.ip6_plen = htons(8 + to - from);
	ip6.ip6_nxt = IPPROTO_FRAGMENT;
	ip6.ip6_hlim = 255;
	memcpy(packet, &ip6, 40);
	memcpy(packet + 40, &f, 8);
	memcpy(packet + 48, whole + from, to - from);
	come_in(our_mac, peer_mac, 0x86dd, packet, 48 + to - from);
}

KTEST(messages_that_came_in_fragments_are_dropped)
{
	prepare();
	piece_comes(0, 32, false);
	piece_comes(0, 16, true);
	piece_comes(16, 32, false);
	CHECK_EQ(ip6_statistics(curmachine())->ip6s_reassembled, 1);
	CHECK_EQ(icmp6_statistics(curmachine())->icp6s_inhist[ND_NEIGHBOR_SOLICIT], 2);
	CHECK(entry6(HIM_G) == NULL);
	CHECK(next_nd(ND_NEIGHBOR_ADVERT, NULL, NULL) == NULL);
}

KTEST(an_advertisement_that_may_not_replace_changes_nothing_else)
{
	prepare();
	CHECK_EQ(send6(our_ll(), HIM), 0);
	neighbor_comes(ND_NEIGHBOR_ADVERT, ND_NA_FLAG_SOLICITED | ND_NA_FLAG_ROUTER, HIM, our_ll(), HIM,
	    peer_mac);
	CHECK(entry6(HIM)->flags & NEIGHBOR_ROUTER);
	neighbor_comes(ND_NEIGHBOR_ADVERT, 0, HIM, ALL_NODES, HIM, other_mac);
	CHECK_EQ(entry6(HIM)->state, NEIGHBOR_STALE);
	CHECK(entry6(HIM)->flags & NEIGHBOR_ROUTER);
	neighbor_comes(ND_NEIGHBOR_ADVERT, 0, HIM, ALL_NODES, HIM, peer_mac);
	CHECK(!(entry6(HIM)->flags & NEIGHBOR_ROUTER));
}

KTEST(while_the_link_is_down_nothing_is_due)
{
	prepare();
	CHECK_EQ(dlil_set_flags(en0, 0, IFF_RUNNING), 0);
	add6(in6(0x20, 0x01, 0, 9));
	wait_ns(20 * SEC);
	CHECK(own6(in6(0x20, 0x01, 0, 9))->ia6_flags & IN6_IFF_TENTATIVE);
	CHECK_EQ(curmachine()->nd6->armed, UINT64_MAX);
	CHECK_EQ(dlil_set_flags(en0, IFF_RUNNING, IFF_RUNNING), 0);
	dlil_post_event(en0, KEV_DL_SUBCLASS, KEV_DL_SIFFLAGS, NULL, 0, false);
	wait_ns(3 * SEC);
	CHECK(next_nd(ND_NEIGHBOR_SOLICIT, NULL, NULL) != NULL);
	CHECK(!(own6(in6(0x20, 0x01, 0, 9))->ia6_flags & IN6_IFF_NOTREADY));
	CHECK_EQ(curmachine()->nd6->armed, UINT64_MAX);
}

KTEST(groups_are_reported_again_from_the_address_that_is_ours)
{
	const struct frame *f;
	struct ip6_hdr ip6;
	unsigned nowhere = 0, ours = 0;

	make_link();
	CHECK_EQ(nd6_linklocal_start(en0), 0);
	wait_ns(10 * SEC);
	while ((f = next_frame(0x86dd)) != NULL) {
		memcpy(&ip6, f->data + 14, sizeof ip6);
		if (ip6.ip6_nxt != IPPROTO_HOPOPTS || f->data[14 + 48] != MLDV2_LISTENER_REPORT)
			continue;
		nowhere += same6(&ip6.ip6_src, UNSPECIFIED);
		ours += same6(&ip6.ip6_src, our_ll());
	}
	CHECK(nowhere != 0);
	CHECK(ours != 0);
}

KTEST_SUITE(nd6_nbr,
    T(an_address_is_tentative_until_nobody_objects),
    T(the_checksum_of_what_we_say_is_right),
    T(an_advertisement_makes_it_a_duplicate),
    T(another_that_looks_for_duplicates_makes_it_one_but_not_our_own_echo),
    T(a_question_for_a_neighbour_makes_no_duplicate),
    T(detection_can_be_off),
    T(somebody_who_looks_for_a_duplicate_of_ours_is_told),
    T(a_neighbour_is_asked_for_and_its_answer_lets_packets_go),
    T(an_unanswered_question_is_asked_three_times),
    T(an_unused_neighbour_is_not_probed_and_a_used_one_is),
    T(questions_for_us_are_answered_and_the_asker_is_remembered),
    T(what_is_on_no_link_of_ours_is_not_answered),
    T(advertisements_make_no_entries_and_follow_the_flags),
    T(a_new_link_address_is_announced),
    T(messages_from_afar_malformed_or_contradictory_are_counted_and_dropped),
    T(a_flood_of_questions_is_bounded_in_memory),
    T(messages_that_came_in_fragments_are_dropped),
    T(an_advertisement_that_may_not_replace_changes_nothing_else),
    T(while_the_link_is_down_nothing_is_due),
    T(groups_are_reported_again_from_the_address_that_is_ours));
