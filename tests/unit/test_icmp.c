/* ICMP: requests and answers, errors in both directions, redirects, limits. */
#include "src/net/rtable.h"
#include "src/netinet/in_multi.h"
#include "tests/unit/icmp_testing.h"

/* ---- requests ----------------------------------------------------------------------------- */

KTEST(an_echo_is_answered)
{
	const struct ip *ip;

	icmp_testbed();
	for (size_t len = 0; len < 1473; len += 123) {
		receive_message4(&(struct spec4){.len = len, .tos = 0x48, .ttl = 3, .id = 9}, ICMP_ECHO, 0,
		    htonl(0x12345678));
		ip = sent_message4(0, ICMP_ECHOREPLY, 0);
		CHECK_EQ(ip->ip_src.s_addr, HERE4);
		CHECK_EQ(ip->ip_dst.s_addr, THERE4);
		CHECK_EQ(ip->ip_ttl, 64);
		CHECK_EQ(ip->ip_tos, 0x48);
		CHECK_EQ(sent_word(0, 24), htonl(0x12345678));
		CHECK(payload_is(sent.m[0], 28, len));
		CHECK(sent.m[0]->m_pkthdr.rcvif == NULL);
		forget(&sent);
	}
	CHECK_EQ(ist4()->icps_reflect, 12);
	CHECK_EQ(ist4()->icps_inhist[ICMP_ECHO], 12);
	CHECK_EQ(ist4()->icps_outhist[ICMP_ECHOREPLY], 12);
	testbed_end();
}

KTEST(a_large_echo_is_answered_in_fragments)
{
	struct mbuf *m, *list;

	icmp_testbed();
	m = message4(&(struct spec4){.len = 65507}, ICMP_ECHO, 0, 7);
	CHECK_EQ(ip_fragment(curmachine(), m, 1500, &list), 0);
	ip_input(curmachine(), list);
	CHECK_EQ(sent.count, 45);
	for (unsigned i = 0; i < sent.count; i++) {
		sent.m[i]->m_pkthdr.rcvif = en7;
		mtod(sent.m[i], struct ip *)->ip_dst.s_addr = HERE4;
		mtod(sent.m[i], struct ip *)->ip_p = 253;
		sum4(sent.m[i]);
		ip_input(curmachine(), sent.m[i]);
	}
	sent.count = 0;
	CHECK_EQ(delivered.count, 1);
	CHECK(payload_is(delivered.m[0], 28, 65507));
	testbed_end();
}

KTEST(a_shared_request_is_not_written)
{
	struct mbuf *m, *copy;

	icmp_testbed();
	m = message4(&(struct spec4){.len = 900}, ICMP_ECHO, 0, 7);
	copy = m_copym(m, 0, M_COPYALL, MBUF_WAITOK);
	ip_input(curmachine(), m);
	(void)sent_message4(0, ICMP_ECHOREPLY, 0);
	CHECK_EQ(copy->m_data[20], ICMP_ECHO);
	CHECK_EQ(mtod(copy, struct ip *)->ip_src.s_addr, THERE4);
	CHECK(payload_is(sent.m[0], 28, 900));
	m_freem(copy);
	testbed_end();
}

KTEST(what_is_for_everybody_is_answered_if_allowed_and_not_too_often)
{
	const uint32_t to[] = {IP4(10, 0, 0, 255), IP4(255, 255, 255, 255), IP4(224, 0, 0, 1)};

	icmp_testbed();
	for (unsigned i = 0; i < 3; i++) {
		receive_message4(&(struct spec4){.dst = to[i], .len = 5}, ICMP_ECHO, 0, 7);
		CHECK_EQ(sent_message4(i, ICMP_ECHOREPLY, 0)->ip_src.s_addr, HERE4);
		CHECK(!(sent.m[i]->m_flags & (MBUF_BCAST | MBUF_MCAST)));
	}
	for (unsigned i = 0; i < 1000; i++) {
		receive_message4(&(struct spec4){.dst = to[0]}, ICMP_ECHO, 0, 7);
		if (sent.count > 200)
			forget(&sent);
	}
	CHECK_EQ(ist4()->icps_reflect, ICMP_GROUP_ECHO_LIMIT);
	CHECK_EQ(ist4()->icps_bmcastecho, 1003 - ICMP_GROUP_ECHO_LIMIT);
	let_pass(UINT64_C(1000000000));
	receive_message4(&(struct spec4){.dst = to[0]}, ICMP_ECHO, 0, 7);
	CHECK_EQ(ist4()->icps_reflect, ICMP_GROUP_ECHO_LIMIT + 1);
	switch_to("net.inet.icmp.bmcastecho", 0);
	receive_message4(&(struct spec4){.dst = to[0]}, ICMP_ECHO, 0, 7);
	CHECK_EQ(ist4()->icps_reflect, ICMP_GROUP_ECHO_LIMIT + 1);
	testbed_end();
}

KTEST(other_groups_are_not_ours_to_answer_for)
{
	struct in_addr group = {IP4(239, 1, 1, 1)};
	struct in_multi *inm;

	icmp_testbed();
	receive_message4(&(struct spec4){.dst = group.s_addr, .len = 5}, ICMP_ECHO, 0, 7);
	CHECK_EQ(sent.count, 0);
	CHECK_EQ(st4()->ips_notmember, 1);
	CHECK_EQ(in_multi_join(en7, AF_INET, &group, &inm), 0);
	forget(&sent);
	receive_message4(&(struct spec4){.dst = group.s_addr, .len = 5}, ICMP_ECHO, 0, 7);
	CHECK_EQ(sent_message4(0, ICMP_ECHOREPLY, 0)->ip_src.s_addr, HERE4);
	in_multi_leave(inm);
	testbed_end();
}

KTEST(nobody_is_answered_who_cannot_be_somebody)
{
	const uint32_t from[] = {0, IP4(224, 0, 0, 1), IP4(255, 255, 255, 255), IP4(10, 0, 0, 255),
	    IP4(240, 0, 0, 1)};
	struct mbuf *m;

	icmp_testbed();
	for (unsigned i = 0; i < 5; i++) {
		m = message4(&(struct spec4){.len = 5}, ICMP_ECHO, 0, 7);
		mtod(m, struct ip *)->ip_src.s_addr = from[i];
		sum4(m);
		ip_input(curmachine(), m);
	}
	CHECK_EQ(sent.count, 0);
	testbed_end();
}

KTEST(broken_messages_are_counted)
{
	struct mbuf *m;

	icmp_testbed();
	receive4(&(struct spec4){.protocol = IPPROTO_ICMP, .len = 7});
	CHECK_EQ(ist4()->icps_tooshort, 1);
	m = message4(&(struct spec4){.len = 20}, ICMP_ECHO, 0, 7);
	m->m_data[30] ^= 1;
	ip_input(curmachine(), m);
	CHECK_EQ(ist4()->icps_checksum, 1);
	receive_message4(&(struct spec4){.len = 20}, ICMP_UNREACH, 16, 0);
	CHECK_EQ(ist4()->icps_badcode, 1);
	receive_message4(&(struct spec4){.len = 27}, ICMP_UNREACH, 0, 0);
	CHECK_EQ(ist4()->icps_badlen, 1);
	receive_message4(&(struct spec4){.len = 0}, 255, 0, 0);
	CHECK_EQ(sent.count, 0);
	testbed_end();
}

KTEST(the_time_of_day_is_told_if_allowed)
{
	icmp_testbed();
	receive_message4(&(struct spec4){.len = 12}, ICMP_TSTAMP, 0, 7);
	CHECK_EQ(sent.count, 0);
	switch_to("net.inet.icmp.timestamp", 1);
	receive_message4(&(struct spec4){.len = 12}, ICMP_TSTAMP, 0, 7);
	(void)sent_message4(0, ICMP_TSTAMPREPLY, 0);
	CHECK_EQ(sent_word(0, 24), 7);
	/* The calendar of tests starts 10^18 ns after 1970: at 01:46:40. */
	CHECK_EQ(ntohl(sent_word(0, 32)), 6400000 + (uint32_t)(machine_now(curmachine()) / 1000000));
	CHECK_EQ(sent_word(0, 32), sent_word(0, 36));
	receive_message4(&(struct spec4){.len = 11}, ICMP_TSTAMP, 0, 7);
	CHECK_EQ(ist4()->icps_badlen, 1);
	CHECK_EQ(sent.count, 1);
	testbed_end();
}

KTEST(masks_are_told_only_on_demand)
{
	icmp_testbed();
	receive_message4(&(struct spec4){.len = 4}, ICMP_MASKREQ, 0, 7);
	CHECK_EQ(sent.count, 0);
	switch_to("net.inet.icmp.maskrepl", 1);
	receive_message4(&(struct spec4){.len = 4}, ICMP_MASKREQ, 0, 7);
	(void)sent_message4(0, ICMP_MASKREPLY, 0);
	CHECK_EQ(sent_word(0, 28), IP4(255, 255, 255, 0));
	testbed_end();
}

KTEST(options_go_back_but_source_routes_do_not)
{
	icmp_testbed();
	receive_message4(&(struct spec4){.len = 8, .options = "\7\13\4\0\0\0\0\0\0\0\0\0",
	    .options_len = 12}, ICMP_ECHO, 0, 7);
	(void)sent_message4(0, ICMP_ECHOREPLY, 0);
	/* This machine is in the recorded route. */
	CHECK_EQ(sent.m[0]->m_data[22], 8);
	CHECK_EQ(memcmp(sent.m[0]->m_data + 23, "\12\0\0\1", 4), 0);
	switch_to("net.inet.ip.accept_sourceroute", 1);
	receive_message4(&(struct spec4){.len = 8, .options = "\203\7\10\1\2\3\4\0", .options_len = 8},
	    ICMP_ECHO, 0, 7);
	(void)sent_message4(1, ICMP_ECHOREPLY, 0);
	CHECK_EQ(memcmp(sent.m[1]->m_data + 20, "\1\1\1\1\1\1\1\0", 8), 0);
	testbed_end();
}

/* ---- errors that come --------------------------------------------------------------------- */

/* A packet that this machine may have sent. */
static struct mbuf *
ours(void)
{
	return make4(&(struct spec4){.src = HERE4, .dst = FAR4, .len = 8});
}

KTEST(errors_reach_the_transport_they_are_about)
{
	static const struct {
		uint8_t type, code;
		errno_t error;
		bool hard;
	} cases[] = {
		{ICMP_UNREACH, ICMP_UNREACH_NET, EHOSTUNREACH, false},
		{ICMP_UNREACH, ICMP_UNREACH_HOST, EHOSTUNREACH, false},
		{ICMP_UNREACH, ICMP_UNREACH_PROTOCOL, ECONNREFUSED, true},
		{ICMP_UNREACH, ICMP_UNREACH_PORT, ECONNREFUSED, true},
		{ICMP_UNREACH, ICMP_UNREACH_FILTER_PROHIB, ECONNREFUSED, true},
		{ICMP_TIMXCEED, ICMP_TIMXCEED_INTRANS, EHOSTUNREACH, true},
		{ICMP_PARAMPROB, 0, ENOPROTOOPT, false},
	};
	const struct sockaddr_in *sin = (const struct sockaddr_in *)(const void *)&told.dst;

	icmp_testbed();
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		ip_input(curmachine(), error4(ours(), cases[i].type, cases[i].code, 0, IP4(10, 0, 0, 9)));
		CHECK_EQ(told_count, i + 1);
		CHECK_EQ(told.error, cases[i].error);
		CHECK_EQ(told.hard, cases[i].hard);
		CHECK_EQ(told.type, cases[i].type);
		CHECK_EQ(told.protocol, IPPROTO_UDP);
		CHECK_EQ(told.off, 48);
		CHECK_EQ(told.len, 8);
		CHECK_EQ(sin->sin_addr.s_addr, FAR4);
		CHECK_EQ(((const struct sockaddr_in *)(const void *)&told.src)->sin_addr.s_addr, HERE4);
		CHECK_EQ(((const struct sockaddr_in *)(const void *)&told.from)->sin_addr.s_addr,
		    IP4(10, 0, 0, 9));
	}
	/* Reassembly that timed out is nobody's error. */
	ip_input(curmachine(), error4(ours(), ICMP_TIMXCEED, ICMP_TIMXCEED_REASS, 0, THERE4));
	CHECK_EQ(told_count, sizeof cases / sizeof *cases);
	testbed_end();
}

KTEST(errors_about_what_we_never_sent_are_ignored)
{
	struct mbuf *m;

	icmp_testbed();
	m = make4(&(struct spec4){.src = FAR4, .dst = THERE4, .len = 8});
	ip_input(curmachine(), error4(m, ICMP_UNREACH, ICMP_UNREACH_PORT, 0, THERE4));
	m = make4(&(struct spec4){.src = HERE4, .dst = FAR4, .off = 3, .len = 8});
	ip_input(curmachine(), error4(m, ICMP_UNREACH, ICMP_UNREACH_PORT, 0, THERE4));
	m = make4(&(struct spec4){.src = HERE4, .dst = IP4(224, 1, 1, 1), .len = 8});
	ip_input(curmachine(), error4(m, ICMP_UNREACH, ICMP_UNREACH_PORT, 0, THERE4));
	CHECK_EQ(told_count, 0);
	/* Headers that do not fit what is there. */
	m = ours();
	*m->m_data = 0x4f;
	ip_input(curmachine(), error4(m, ICMP_UNREACH, ICMP_UNREACH_PORT, 0, THERE4));
	m = ours();
	*m->m_data = 0x44;
	ip_input(curmachine(), error4(m, ICMP_UNREACH, ICMP_UNREACH_PORT, 0, THERE4));
	m = ours();
	*m->m_data = 0x65;
	ip_input(curmachine(), error4(m, ICMP_UNREACH, ICMP_UNREACH_PORT, 0, THERE4));
	m = ours();
	m_adj(m, -1);
	ip_input(curmachine(), error4(m, ICMP_UNREACH, ICMP_UNREACH_PORT, 0, THERE4));
	CHECK_EQ(ist4()->icps_badlen, 4);
	CHECK_EQ(told_count, 0);
	testbed_end();
}

/* ---- redirects ---------------------------------------------------------------------------- */

/* Where packets to FAR4 go now. */
static uint32_t
way_to_far(void)
{
	struct sockaddr_in dst = {.sin_len = sizeof dst, .sin_family = AF_INET, .sin_addr = {FAR4}};
	struct rtentry *rt = rt_lookup(curmachine(), (struct sockaddr *)&dst, NULL, 0);
	uint32_t gateway = 0;

	CHECK(rt != NULL);
	if (rt->rt_flags & RTF_GATEWAY)
		gateway = ((const struct sockaddr_in *)(const void *)&rt->rt_gateway)->sin_addr.s_addr;
	rt_release(rt);
	return gateway;
}

static void
gateway_is(uint32_t a)
{
	struct sockaddr_in sin = {.sin_len = sizeof sin, .sin_family = AF_INET, .sin_addr = {a}};

	CHECK_EQ(route_set_default(curmachine(), AF_INET, en7, (struct sockaddr *)&sin), 0);
}

KTEST(a_redirect_changes_the_way)
{
	icmp_testbed();
	gateway_is(THERE4);
	CHECK_EQ(way_to_far(), THERE4);
	/* Not by somebody who is not the way. */
	ip_input(curmachine(), error4(ours(), ICMP_REDIRECT, ICMP_REDIRECT_HOST, IP4(10, 0, 0, 7),
	    IP4(10, 0, 0, 66)));
	CHECK_EQ(way_to_far(), THERE4);
	/* Nor to where this machine cannot send. */
	ip_input(curmachine(), error4(ours(), ICMP_REDIRECT, ICMP_REDIRECT_HOST, IP4(10, 9, 0, 7),
	    THERE4));
	CHECK_EQ(way_to_far(), THERE4);
	ip_input(curmachine(), error4(ours(), ICMP_REDIRECT, ICMP_REDIRECT_HOST, IP4(10, 0, 0, 7),
	    THERE4));
	CHECK_EQ(way_to_far(), IP4(10, 0, 0, 7));
	testbed_end();
}

KTEST(redirects_may_be_ignored)
{
	icmp_testbed();
	gateway_is(THERE4);
	switch_to("net.inet.icmp.drop_redirect", 1);
	ip_input(curmachine(), error4(ours(), ICMP_REDIRECT, ICMP_REDIRECT_HOST, IP4(10, 0, 0, 7),
	    THERE4));
	CHECK_EQ(way_to_far(), THERE4);
	switch_to("net.inet.icmp.drop_redirect", 0);
	switch_to("net.inet.ip.forwarding", 1);
	ip_input(curmachine(), error4(ours(), ICMP_REDIRECT, ICMP_REDIRECT_HOST, IP4(10, 0, 0, 7),
	    THERE4));
	CHECK_EQ(way_to_far(), THERE4);
	ip_input(curmachine(), error4(ours(), ICMP_REDIRECT, 4, IP4(10, 0, 0, 7), THERE4));
	CHECK_EQ(ist4()->icps_badcode, 1);
	testbed_end();
}

/* ---- errors that go ----------------------------------------------------------------------- */

KTEST(an_error_quotes_what_it_is_about)
{
	const struct ip *ip;

	icmp_testbed();
	for (size_t len = 0; len < 1400; len += 100) {
		icmp_error(curmachine(), make4(&(struct spec4){.len = len}), ICMP_UNREACH,
		    ICMP_UNREACH_PORT, 0);
		ip = sent_message4(0, ICMP_UNREACH, ICMP_UNREACH_PORT);
		CHECK_EQ(ip->ip_src.s_addr, HERE4);
		CHECK_EQ(ip->ip_dst.s_addr, THERE4);
		CHECK_EQ(ip->ip_ttl, 64);
		CHECK_EQ(ip->ip_tos, IPTOS_PREC_INTERNETCONTROL);
		CHECK_EQ(sent_word(0, 24), 0);
		CHECK_EQ(sent.m[0]->m_pkthdr.len, len < 528 ? 48 + len : 576);
		CHECK(payload_is(sent.m[0], 48, len < 528 ? len : 528));
		forget(&sent);
	}
	CHECK_EQ(ist4()->icps_error, 14);
	CHECK_EQ(ist4()->icps_outhist[ICMP_UNREACH], 14);
	testbed_end();
}

KTEST(errors_say_where_and_how_much)
{
	icmp_testbed();
	icmp_error(curmachine(), make4(&(struct spec4){0}), ICMP_UNREACH, ICMP_UNREACH_NEEDFRAG, 1400);
	(void)sent_message4(0, ICMP_UNREACH, ICMP_UNREACH_NEEDFRAG);
	CHECK_EQ(sent_word(0, 24), htonl(1400));
	icmp_error(curmachine(), make4(&(struct spec4){0}), ICMP_REDIRECT, ICMP_REDIRECT_HOST, FAR4);
	(void)sent_message4(1, ICMP_REDIRECT, ICMP_REDIRECT_HOST);
	CHECK_EQ(sent_word(1, 24), FAR4);
	icmp_error(curmachine(), make4(&(struct spec4){0}), ICMP_PARAMPROB, 0, 21);
	(void)sent_message4(2, ICMP_PARAMPROB, 0);
	CHECK_EQ(sent_word(2, 24), htonl(21u << 24));
	testbed_end();
}

KTEST(nothing_is_said_about_what_must_not_be_answered)
{
	struct nke *machine = curmachine();
	struct mbuf *m;

	icmp_testbed();
	/* Errors and redirects, and what is too short to tell; but requests. */
	icmp_error(machine, message4(&(struct spec4){.len = 28}, ICMP_UNREACH, 0, 0), ICMP_TIMXCEED, 0, 0);
	icmp_error(machine, message4(&(struct spec4){.len = 28}, ICMP_REDIRECT, 0, 0), ICMP_TIMXCEED, 0, 0);
	CHECK_EQ(ist4()->icps_oldicmp, 2);
	icmp_error(machine, make4(&(struct spec4){.protocol = IPPROTO_ICMP}), ICMP_TIMXCEED, 0, 0);
	CHECK_EQ(ist4()->icps_oldshort, 1);
	CHECK_EQ(sent.count, 0);
	icmp_error(machine, message4(&(struct spec4){.len = 28}, ICMP_ECHO, 0, 0), ICMP_TIMXCEED, 0, 0);
	CHECK_EQ(sent.count, 1);
	/* More than one host, or none. */
	icmp_error(machine, make4(&(struct spec4){.dst = IP4(10, 0, 0, 255)}), ICMP_UNREACH, 3, 0);
	icmp_error(machine, make4(&(struct spec4){.dst = IP4(224, 0, 0, 9)}), ICMP_UNREACH, 3, 0);
	icmp_error(machine, make4(&(struct spec4){.dst = IP4(255, 255, 255, 255)}), ICMP_UNREACH, 3, 0);
	icmp_error(machine, make4(&(struct spec4){.src = IP4(10, 0, 0, 255)}), ICMP_UNREACH, 3, 0);
	icmp_error(machine, make4(&(struct spec4){.src = IP4(224, 0, 0, 9)}), ICMP_UNREACH, 3, 0);
	icmp_error(machine, make4(&(struct spec4){.src = IP4(127, 0, 0, 1)}), ICMP_UNREACH, 3, 0);
	m = make4(&(struct spec4){0});
	mtod(m, struct ip *)->ip_src.s_addr = 0;
	icmp_error(machine, m, ICMP_UNREACH, 3, 0);
	m = make4(&(struct spec4){0});
	m->m_flags |= MBUF_BCAST;
	icmp_error(machine, m, ICMP_UNREACH, 3, 0);
	/* Fragments but the first. */
	icmp_error(machine, make4(&(struct spec4){.off = 1}), ICMP_UNREACH, 3, 0);
	CHECK_EQ(sent.count, 1);
	icmp_error(machine, make4(&(struct spec4){.off = IP_MF}), ICMP_UNREACH, 3, 0);
	CHECK_EQ(sent.count, 2);
	testbed_end();
}

KTEST(a_replayed_machine_says_nothing)
{
	struct nke *machine = curmachine();

	icmp_testbed();
	machine->replay = (struct replay *)(void *)machine;
	icmp_error(machine, make4(&(struct spec4){0}), ICMP_UNREACH, 3, 0);
	icmp6_error(machine, make6(&(struct spec6){0}), ICMP6_DST_UNREACH, 4, 0);
	machine->replay = NULL;
	CHECK_EQ(sent.count, 0);
	testbed_end();
}

KTEST(errors_are_limited)
{
	struct nke *machine = curmachine();
	unsigned said = 0;

	icmp_testbed();
	for (unsigned i = 0; i < 5000; i++) {
		icmp_error(machine, make4(&(struct spec4){0}), ICMP_UNREACH, 3, 0);
		said += sent.count;
		forget(&sent);
	}
	CHECK_EQ(said, ICMP_RATE_LIMIT);
	CHECK(ktest_log_contains("errors were not sent"));
	let_pass(UINT64_C(500000000));
	for (unsigned i = 0; i < 5000; i++) {
		icmp_error(machine, make4(&(struct spec4){0}), ICMP_UNREACH, 3, 0);
		said += sent.count;
		forget(&sent);
	}
	CHECK_EQ(said, ICMP_RATE_LIMIT + ICMP_RATE_LIMIT / 2);
	switch_to("net.inet.icmp.icmplim", 0);
	for (unsigned i = 0; i < 500; i++) {
		icmp_error(machine, make4(&(struct spec4){0}), ICMP_UNREACH, 3, 0);
		said += sent.count;
		forget(&sent);
	}
	CHECK_EQ(said, ICMP_RATE_LIMIT + ICMP_RATE_LIMIT / 2 + 500);
	testbed_end();
}

KTEST(what_nobody_takes_is_told_to_its_sender)
{
	icmp_testbed();
	receive4(&(struct spec4){.protocol = 200, .len = 9});
	(void)sent_message4(0, ICMP_UNREACH, ICMP_UNREACH_PROTOCOL);
	CHECK_EQ(st4()->ips_noproto, 1);
	receive4(&(struct spec4){.protocol = 200, .dst = IP4(10, 0, 0, 255)});
	CHECK_EQ(sent.count, 1);
	testbed_end();
}

KTEST(fragments_that_stay_alone_are_told_to_their_sender)
{
	icmp_testbed();
	receive4(&(struct spec4){.id = 1, .off = IP_MF, .len = 80});
	receive4(&(struct spec4){.id = 1, .off = IP_MF | 20, .len = 80});
	receive4(&(struct spec4){.id = 2, .off = 20, .len = 80});
	let_pass(UINT64_C(31000000000));
	CHECK_EQ(st4()->ips_fragtimeout, 3);
	CHECK_EQ(sent.count, 1);
	(void)sent_message4(0, ICMP_TIMXCEED, ICMP_TIMXCEED_REASS);
	CHECK(payload_is(sent.m[0], 48, 80));
	testbed_end();
}

KTEST(random_messages_never_break_anything)
{
	static const uint8_t types[] = {0, 3, 4, 5, 8, 11, 12, 13, 14, 17, 18, 40, 41, 255};
	uint32_t r = 1;

	icmp_testbed();
	switch_to("net.inet.icmp.timestamp", 1);
	switch_to("net.inet.icmp.maskrepl", 1);
	for (unsigned i = 0; i < 20000; i++) {
		struct mbuf *quoted = make4(&(struct spec4){.src = HERE4, .dst = FAR4,
		    .protocol = i & 1 ? IPPROTO_UDP : IPPROTO_ICMP, .len = random_after(&r) % 60});

		for (unsigned k = random_after(&r) % 3; k > 0; k--)
			quoted->m_data[random_after(&r) % 20] = (char)random_after(&r);
		m_adj(quoted, -(int)(random_after(&r) % 30));
		ip_input(curmachine(), error4(quoted, types[random_after(&r) % sizeof types],
		    (uint8_t)(random_after(&r) % 17), random_after(&r), THERE4));
		forget(&sent);
		forget(&delivered);
	}
	testbed_end();
}

KTEST(without_memory_nothing_breaks)
{
	icmp_testbed();
	for (unsigned n = 1; n < 12; n++) {
		struct mbuf *m = message4(&(struct spec4){.len = 3000}, ICMP_ECHO, 0, 7);
		struct mbuf *e = make4(&(struct spec4){.len = 3000});

		fail_after(n);
		ip_input(curmachine(), m);
		icmp_error(curmachine(), e, ICMP_UNREACH, 3, 0);
		fail_after(0);
		forget(&sent);
	}
	testbed_end();
}

KTEST_SUITE(icmp, T(an_echo_is_answered), T(a_large_echo_is_answered_in_fragments),
    T(a_shared_request_is_not_written),
    T(what_is_for_everybody_is_answered_if_allowed_and_not_too_often),
    T(other_groups_are_not_ours_to_answer_for), T(nobody_is_answered_who_cannot_be_somebody),
    T(broken_messages_are_counted),
    T(the_time_of_day_is_told_if_allowed), T(masks_are_told_only_on_demand),
    T(options_go_back_but_source_routes_do_not), T(errors_reach_the_transport_they_are_about),
    T(errors_about_what_we_never_sent_are_ignored), T(a_redirect_changes_the_way),
    T(redirects_may_be_ignored), T(an_error_quotes_what_it_is_about),
    T(errors_say_where_and_how_much), T(nothing_is_said_about_what_must_not_be_answered),
    T(a_replayed_machine_says_nothing), T(errors_are_limited),
    T(what_nobody_takes_is_told_to_its_sender), T(fragments_that_stay_alone_are_told_to_their_sender),
    T(random_messages_never_break_anything), T(without_memory_nothing_breaks));
