/* ICMPv6: echo, errors in both directions, headers and options that are not acceptable, limits. */
#include <netinet6/in6_var.h>

#include "tests/unit/icmp_testing.h"

#define OTHER6	ip6_of("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7")

static const struct in6_addr nobody;

/* ---- echo --------------------------------------------------------------------------------- */

KTEST(an_echo_is_answered)
{
	struct in6_addr here = HERE6, there = THERE6;
	struct mbuf *m;

	icmp_testbed();
	for (size_t len = 0; len < 1450; len += 123) {
		receive_message6(&(struct spec6){.len = len}, ICMP6_ECHO_REQUEST, 0, htonl(0x12345678));
		m = sent_message6(0, ICMP6_ECHO_REPLY, 0);
		CHECK(IN6_ARE_ADDR_EQUAL(ip6_source(m), &here));
		CHECK(IN6_ARE_ADDR_EQUAL(ip6_destination(m), &there));
		CHECK_EQ(mtod(m, struct ip6_hdr *)->ip6_hlim, 64);
		CHECK_EQ(sent_word(0, 44), htonl(0x12345678));
		CHECK(payload_is(m, 48, len));
		forget(&sent);
	}
	CHECK_EQ(ist6()->icp6s_reflect, 12);
	CHECK_EQ(ist6()->icp6s_inhist[ICMP6_ECHO_REQUEST], 12);
	CHECK_EQ(ist6()->icp6s_outhist[ICMP6_ECHO_REPLY], 12);
	testbed_end();
}

KTEST(extension_headers_do_not_come_back)
{
	icmp_testbed();
	receive_message6(&(struct spec6){.next = IPPROTO_DSTOPTS, .headers = "\72\0\1\4\0\0\0\0",
	    .headers_len = 8, .len = 100}, ICMP6_ECHO_REQUEST, 0, 7);
	CHECK(payload_is(sent_message6(0, ICMP6_ECHO_REPLY, 0), 48, 100));
	testbed_end();
}

KTEST(neighbours_on_the_link_are_answered_there)
{
	struct in6_addr next = NEXT6, local = LOCAL6, group = GROUP6;
	struct mbuf *m;

	icmp_testbed();
	(void)make_interface("fw", 1500);
	receive_message6(&(struct spec6){.src = &next, .dst = &local, .len = 5}, ICMP6_ECHO_REQUEST, 0, 7);
	m = sent_message6(0, ICMP6_ECHO_REPLY, 0);
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_source(m), &local));
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_destination(m), &next));
	/* A group cannot answer: the interface's address of that scope does. */
	receive_message6(&(struct spec6){.src = &next, .dst = &group, .len = 5}, ICMP6_ECHO_REQUEST, 0, 7);
	m = sent_message6(1, ICMP6_ECHO_REPLY, 0);
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_source(m), &local));
	testbed_end();
}

KTEST(groups_are_answered_not_too_often)
{
	struct in6_addr next = NEXT6, group = GROUP6, other = GROUP6;

	icmp_testbed();
	other.s6_addr[15] = 99;
	receive_message6(&(struct spec6){.src = &next, .dst = &other}, ICMP6_ECHO_REQUEST, 0, 7);
	CHECK_EQ(sent.count, 0);
	CHECK_EQ(st6()->ip6s_notmember, 1);
	for (unsigned i = 0; i < 1000; i++) {
		receive_message6(&(struct spec6){.src = &next, .dst = &group}, ICMP6_ECHO_REQUEST, 0, 7);
		if (sent.count > 200)
			forget(&sent);
	}
	CHECK_EQ(ist6()->icp6s_reflect, ICMP6_GROUP_ECHO_LIMIT);
	testbed_end();
}

KTEST(broken_messages_are_counted)
{
	struct mbuf *m;

	icmp_testbed();
	receive6(&(struct spec6){.next = IPPROTO_ICMPV6, .len = 7});
	CHECK_EQ(ist6()->icp6s_tooshort, 1);
	m = message6(&(struct spec6){.len = 20}, ICMP6_ECHO_REQUEST, 0, 7);
	m->m_data[50] ^= 1;
	ip6_input(curmachine(), m);
	CHECK_EQ(ist6()->icp6s_checksum, 1);
	receive_message6(&(struct spec6){.len = 39}, ICMP6_DST_UNREACH, 0, 0);
	CHECK_EQ(ist6()->icp6s_tooshort, 2);
	receive_message6(&(struct spec6){.len = 60}, ICMP6_DST_UNREACH, 7, 0);
	receive_message6(&(struct spec6){.len = 60}, 100, 0, 0);
	CHECK_EQ(ist6()->icp6s_badcode, 2);
	receive_message6(&(struct spec6){.src = &nobody}, ICMP6_ECHO_REQUEST, 0, 7);
	CHECK_EQ(sent.count, 0);
	testbed_end();
}

/* ---- errors that come --------------------------------------------------------------------- */

KTEST(errors_reach_the_transport_they_are_about)
{
	static const struct {
		uint8_t type, code;
		errno_t error;
		bool hard;
	} cases[] = {
		{ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE, EHOSTUNREACH, false},
		{ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADMIN, ECONNREFUSED, true},
		{ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR, EHOSTDOWN, false},
		{ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, ECONNREFUSED, true},
		{ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_TRANSIT, EHOSTUNREACH, true},
		{ICMP6_PARAM_PROB, ICMP6_PARAMPROB_NEXTHEADER, ECONNREFUSED, true},
		{ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, ENOPROTOOPT, false},
		{ICMP6_PACKET_TOO_BIG, 0, EMSGSIZE, false},
	};
	struct in6_addr here = HERE6, far = OTHER6;
	const struct sockaddr_in6 *to = (const struct sockaddr_in6 *)(const void *)&told.dst;

	icmp_testbed();
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		ip6_input(curmachine(), error6(make6(&(struct spec6){.src = &here, .dst = &far, .len = 8}),
		    cases[i].type, cases[i].code, htonl(1400)));
		CHECK_EQ(told_count, i + 1);
		CHECK_EQ(told.error, cases[i].error);
		CHECK_EQ(told.hard, cases[i].hard);
		CHECK_EQ(told.protocol, IPPROTO_UDP);
		CHECK_EQ(told.off, 88);
		CHECK_EQ(told.len, 8);
		CHECK(IN6_ARE_ADDR_EQUAL(&to->sin6_addr, &far));
	}
	CHECK_EQ(told.mtu, 1400);
	/* Headers in front of the transport's are stepped over. */
	ip6_input(curmachine(), error6(make6(&(struct spec6){.src = &here, .dst = &far,
	    .next = IPPROTO_DSTOPTS, .headers = "\21\0\1\4\0\0\0\0", .headers_len = 8, .len = 8}),
	    ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, 0));
	CHECK_EQ(told_count, 9);
	CHECK_EQ(told.off, 96);
	testbed_end();
}

KTEST(errors_about_what_we_never_sent_are_ignored)
{
	struct in6_addr here = HERE6, far = OTHER6;
	char fragment[8];

	icmp_testbed();
	ip6_input(curmachine(), error6(make6(&(struct spec6){.src = &far, .dst = &here, .len = 8}),
	    ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, 0));
	ip6_input(curmachine(), error6(make6(&(struct spec6){.src = &here, .dst = &far,
	    .next = IPPROTO_FRAGMENT, .headers = frag_header(fragment, 17, 80, false, 1),
	    .headers_len = 8, .len = 8}), ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, 0));
	/* Headers that go beyond what is quoted. */
	ip6_input(curmachine(), error6(make6(&(struct spec6){.src = &here, .dst = &far,
	    .next = IPPROTO_DSTOPTS, .headers = "\21\7\1\4\0\0\0\0", .headers_len = 8, .len = 8}),
	    ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, 0));
	CHECK_EQ(told_count, 0);
	testbed_end();
}

/* ---- errors that go ----------------------------------------------------------------------- */

KTEST(an_error_quotes_what_it_is_about)
{
	struct in6_addr here = HERE6;
	struct mbuf *m;

	icmp_testbed();
	for (size_t len = 0; len < 2000; len += 190) {
		icmp6_error(curmachine(), make6(&(struct spec6){.len = len}), ICMP6_DST_UNREACH,
		    ICMP6_DST_UNREACH_NOPORT, 0);
		m = sent_message6(0, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT);
		CHECK(IN6_ARE_ADDR_EQUAL(ip6_source(m), &here));
		CHECK_EQ(m->m_pkthdr.len, len < 1192 ? 88 + len : 1280);
		CHECK(payload_is(m, 88, len < 1192 ? len : 1192));
		forget(&sent);
	}
	CHECK_EQ(ist6()->icp6s_error, 11);
	CHECK_EQ(ist6()->icp6s_odst_unreach_noport, 11);
	testbed_end();
}

KTEST(nothing_is_said_about_what_must_not_be_answered)
{
	struct nke *machine = curmachine();
	struct in6_addr group = GROUP6;
	char fragment[8];
	struct mbuf *m;

	icmp_testbed();
	icmp6_error(machine, message6(&(struct spec6){0}, ICMP6_DST_UNREACH, 0, 0), ICMP6_DST_UNREACH, 4, 0);
	icmp6_error(machine, message6(&(struct spec6){0}, ND_REDIRECT, 0, 0), ICMP6_DST_UNREACH, 4, 0);
	icmp6_error(machine, make6(&(struct spec6){.next = IPPROTO_ICMPV6}), ICMP6_DST_UNREACH, 4, 0);
	/* A fragment of a message of which the type is not there. */
	icmp6_error(machine, make6(&(struct spec6){.next = IPPROTO_FRAGMENT,
	    .headers = frag_header(fragment, IPPROTO_ICMPV6, 80, false, 1), .headers_len = 8, .len = 8}),
	    ICMP6_TIME_EXCEEDED, 0, 0);
	icmp6_error(machine, make6(&(struct spec6){.dst = &group}), ICMP6_DST_UNREACH, 4, 0);
	icmp6_error(machine, make6(&(struct spec6){.src = &group}), ICMP6_DST_UNREACH, 4, 0);
	icmp6_error(machine, make6(&(struct spec6){.src = &nobody}), ICMP6_DST_UNREACH, 4, 0);
	m = make6(&(struct spec6){0});
	m->m_flags |= MBUF_MCAST;
	icmp6_error(machine, m, ICMP6_DST_UNREACH, 4, 0);
	CHECK_EQ(ist6()->icp6s_canterror, 8);
	CHECK_EQ(sent.count, 0);
	/* But that a packet is too big, groups are told; and requests are answered. */
	icmp6_error(machine, make6(&(struct spec6){.dst = &group}), ICMP6_PACKET_TOO_BIG, 0, 1300);
	(void)sent_message6(0, ICMP6_PACKET_TOO_BIG, 0);
	CHECK_EQ(sent_word(0, 44), htonl(1300));
	icmp6_error(machine, message6(&(struct spec6){0}, ICMP6_ECHO_REQUEST, 0, 0), ICMP6_DST_UNREACH, 0,
	    0);
	(void)sent_message6(1, ICMP6_DST_UNREACH, 0);
	testbed_end();
}

KTEST(errors_are_limited)
{
	struct nke *machine = curmachine();
	unsigned said = 0;

	icmp_testbed();
	for (unsigned i = 0; i < 5000; i++) {
		icmp6_error(machine, make6(&(struct spec6){0}), ICMP6_DST_UNREACH, 4, 0);
		said += sent.count;
		forget(&sent);
	}
	CHECK_EQ(said, ICMP6_RATE_LIMIT);
	CHECK_EQ(ist6()->icp6s_toofreq, 5000 - ICMP6_RATE_LIMIT);
	switch_to("net.inet6.icmp6.errppslimit", 10);
	let_pass(UINT64_C(2000000000));
	for (unsigned i = 0; i < 100; i++) {
		icmp6_error(machine, make6(&(struct spec6){0}), ICMP6_DST_UNREACH, 4, 0);
		said += sent.count;
		forget(&sent);
	}
	CHECK_EQ(said, ICMP6_RATE_LIMIT + 10);
	testbed_end();
}

/* ---- headers ------------------------------------------------------------------------------ */

/* Receives it and checks the answer: parameter problem `code` at `pointer`. */
static void
problem(const struct spec6 *s, uint8_t code, uint32_t pointer)
{
	receive6(s);
	CHECK_EQ(sent.count, 1);
	(void)sent_message6(0, ICMP6_PARAM_PROB, code);
	CHECK_EQ(sent_word(0, 44), htonl(pointer));
	forget(&sent);
}

static void
silence(const struct spec6 *s)
{
	receive6(s);
	CHECK_EQ(sent.count, 0);
	CHECK_EQ(delivered.count, 0);
}

KTEST(unknown_headers_are_told)
{
	icmp_testbed();
	problem(&(struct spec6){.next = 200, .len = 9}, ICMP6_PARAMPROB_NEXTHEADER, 6);
	problem(&(struct spec6){.next = IPPROTO_DSTOPTS, .headers = "\310\0\1\4\0\0\0\0", .headers_len = 8},
	    ICMP6_PARAMPROB_NEXTHEADER, 40);
	silence(&(struct spec6){.next = IPPROTO_NONE, .len = 9});
	/* Hop-by-hop options stand first or nowhere. */
	problem(&(struct spec6){.next = IPPROTO_DSTOPTS, .headers = "\0\0\1\4\0\0\0\0\21\0\1\4\0\0\0\0",
	    .headers_len = 16, .len = 8}, ICMP6_PARAMPROB_NEXTHEADER, 40);
	/* Segments left of a routing header that is not known, or not wanted any more. */
	problem(&(struct spec6){.next = IPPROTO_ROUTING, .headers = "\21\0\0\1\0\0\0\0", .headers_len = 8,
	    .len = 8}, ICMP6_PARAMPROB_HEADER, 42);
	CHECK_EQ(st6()->ip6s_badoptions, 2);
	testbed_end();
}

KTEST(unknown_options_say_what_is_to_be_done)
{
	struct in6_addr group = GROUP6;

	icmp_testbed();
	for (unsigned hop = 0; hop < 2; hop++) {
		uint8_t next = hop ? IPPROTO_HOPOPTS : IPPROTO_DSTOPTS;

		silence(&(struct spec6){.next = next, .headers = "\21\0\1\0\103\2\0\0", .headers_len = 8,
		    .len = 8});
		problem(&(struct spec6){.next = next, .headers = "\21\0\1\0\203\2\0\0", .headers_len = 8,
		    .len = 8}, ICMP6_PARAMPROB_OPTION, 44);
		problem(&(struct spec6){.next = next, .headers = "\21\0\1\0\313\2\0\0", .headers_len = 8,
		    .len = 8}, ICMP6_PARAMPROB_OPTION, 44);
		/* Type 10 speaks to groups' senders too, type 11 does not. */
		problem(&(struct spec6){.dst = &group, .next = next, .headers = "\21\0\1\0\203\2\0\0",
		    .headers_len = 8, .len = 8}, ICMP6_PARAMPROB_OPTION, 44);
		silence(&(struct spec6){.dst = &group, .next = next, .headers = "\21\0\1\0\313\2\0\0",
		    .headers_len = 8, .len = 8});
		/* A known one that goes beyond its header. */
		problem(&(struct spec6){.next = next, .headers = "\21\0\1\11\0\0\0\0", .headers_len = 8,
		    .len = 8}, ICMP6_PARAMPROB_HEADER, 42);
	}
	testbed_end();
}

KTEST(impossible_fragments_are_told)
{
	char fragment[8];

	icmp_testbed();
	problem(&(struct spec6){.next = IPPROTO_FRAGMENT, .headers = frag_header(fragment, 17, 0, true, 1),
	    .headers_len = 8, .len = 81}, ICMP6_PARAMPROB_HEADER, 4);
	problem(&(struct spec6){.next = IPPROTO_FRAGMENT,
	    .headers = frag_header(fragment, 17, 65528, false, 1), .headers_len = 8, .len = 80},
	    ICMP6_PARAMPROB_HEADER, 42);
	receive6(&(struct spec6){.next = IPPROTO_FRAGMENT, .headers = frag_header(fragment, 17, 0, true, 2),
	    .headers_len = 8, .len = 80});
	let_pass(UINT64_C(61000000000));
	(void)sent_message6(0, ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_REASSEMBLY);
	testbed_end();
}

KTEST(random_messages_never_break_anything)
{
	static const uint8_t types[] = {1, 2, 3, 4, 5, 127, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137,
	    139, 143, 255};
	struct in6_addr here = HERE6, far = OTHER6;
	uint32_t r = 1;

	icmp_testbed();
	for (unsigned i = 0; i < 20000; i++) {
		struct mbuf *quoted = make6(&(struct spec6){.src = &here, .dst = &far, .next = 60,
		    .headers = "\21\0\1\4\0\0\0\0", .headers_len = 8, .len = random_after(&r) % 60});
		struct mbuf *m;

		for (unsigned k = random_after(&r) % 3; k > 0; k--)
			quoted->m_data[random_after(&r) % 48] = (char)random_after(&r);
		m_adj(quoted, -(int)(random_after(&r) % 50));
		m = error6(quoted, types[random_after(&r) % sizeof types],
		    (uint8_t)(random_after(&r) % 8), random_after(&r));
		mtod(m, struct ip6_hdr *)->ip6_hlim = i & 1 ? 255 : 1;
		ip6_input(curmachine(), m);
		if (i % 64 == 0)
			let_run();
		forget(&sent);
		forget(&delivered);
	}
	testbed_end();
}

KTEST(without_memory_nothing_breaks)
{
	icmp_testbed();
	for (unsigned n = 1; n < 12; n++) {
		struct mbuf *m = message6(&(struct spec6){.len = 3000}, ICMP6_ECHO_REQUEST, 0, 7);
		struct mbuf *e = make6(&(struct spec6){.len = 3000});

		fail_after(n);
		ip6_input(curmachine(), m);
		icmp6_error(curmachine(), e, ICMP6_DST_UNREACH, 4, 0);
		fail_after(0);
		forget(&sent);
	}
	testbed_end();
}

KTEST(groups_that_nobody_joined_are_nobodys_business)
{
	struct in6_addr group = ip6_of("\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\1\7");

	icmp_testbed();
	forget(&sent);
	silence(&(struct spec6){.dst = &group, .next = IPPROTO_DSTOPTS, .headers = "\21\0\1\0\203\2\0\0",
	    .headers_len = 8, .len = 8});
	testbed_end();
}

KTEST(answers_never_come_from_an_anycast_address)
{
	struct in6_addr any = OTHER6, here = HERE6;
	struct mbuf *m;

	icmp_testbed();
	add_address6(en7, any);
	ifaddr_set_flags(ifaddr_find_in6(curmachine(), &any), IN6_IFF_ANYCAST, 0);
	forget(&sent);
	receive_message6(&(struct spec6){.dst = &any, .len = 10}, ICMP6_ECHO_REQUEST, 0, 0);
	m = sent_message6(0, ICMP6_ECHO_REPLY, 0);
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_source(m), &here));
	receive6(&(struct spec6){.dst = &any, .next = 200, .len = 10});
	m = sent_message6(1, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_NEXTHEADER);
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_source(m), &here));
	testbed_end();
}

KTEST_SUITE(icmp6, T(an_echo_is_answered), T(extension_headers_do_not_come_back),
    T(neighbours_on_the_link_are_answered_there), T(groups_are_answered_not_too_often),
    T(broken_messages_are_counted), T(errors_reach_the_transport_they_are_about),
    T(errors_about_what_we_never_sent_are_ignored), T(an_error_quotes_what_it_is_about),
    T(nothing_is_said_about_what_must_not_be_answered), T(errors_are_limited),
    T(unknown_headers_are_told), T(unknown_options_say_what_is_to_be_done),
    T(impossible_fragments_are_told), T(random_messages_never_break_anything),
    T(without_memory_nothing_breaks),
    T(groups_that_nobody_joined_are_nobodys_business),
    T(answers_never_come_from_an_anycast_address));
