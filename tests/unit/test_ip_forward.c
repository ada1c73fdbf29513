/*
 * Forwarding of IPv4.
 *
 *	[ en7 10.0.0.1/24 ]---( machine )---[ fw7 192.168.5.1/24 ]--- gateway 192.168.5.9
 */
#include "tests/unit/forward_testing.h"

#define OTHER_SIDE	IP4(192, 168, 5, 2)
#define GATEWAY		IP4(192, 168, 5, 9)

static struct watcher a;

static void
forwarding_testbed(void)
{
	struct sockaddr_in gateway = {.sin_len = sizeof gateway, .sin_family = AF_INET,
	    .sin_addr = {GATEWAY}};

	icmp_testbed();
	second_interface();
	add_address4(fw7, IP4(192, 168, 5, 1), IP4(255, 255, 255, 0));
	CHECK_EQ(route_set_default(curmachine(), AF_INET, fw7, (struct sockaddr *)&gateway), 0);
	switch_to("net.inet.ip.forwarding", 1);
}

/* The packet is refused without a word. */
static void
refused(const struct spec4 *s)
{
	uint32_t before = st4()->ips_cantforward;

	receive4(s);
	CHECK_EQ(passed.count, 0);
	CHECK_EQ(sent.count, 0);
	CHECK_EQ(st4()->ips_cantforward, before + 1);
}

KTEST(what_is_for_others_goes_on)
{
	const struct ip *ip;

	forwarding_testbed();
	receive4(&(struct spec4){.dst = OTHER_SIDE, .ttl = 7, .id = 99, .tos = 0x28, .len = 700});
	CHECK_EQ(passed.count, 1);
	CHECK_EQ(sent.count, 0);
	ip = mtod(passed.m[0], const struct ip *);
	CHECK_EQ(in_cksum_part(passed.m[0], 0, 20), 0);
	CHECK_EQ(ip->ip_ttl, 6);
	CHECK_EQ(ip->ip_tos, 0x28);
	CHECK_EQ(ntohs(ip->ip_id), 99);
	CHECK_EQ(ip->ip_src.s_addr, THERE4);
	CHECK_EQ(ip->ip_dst.s_addr, OTHER_SIDE);
	CHECK(payload_is(passed.m[0], 20, 700));
	/* By way of the gateway, too. */
	receive4(&(struct spec4){.dst = FAR4});
	CHECK_EQ(passed.count, 2);
	CHECK_EQ(st4()->ips_forward, 2);
	CHECK_EQ(st4()->ips_localout, 0);
	forwarding_testbed_end();
}

KTEST(what_goes_on_is_traced)
{
	struct way w = {0};
	struct trace trace = {keep_way, &w};

	forwarding_testbed();
	curmachine()->trace = &trace;
	receive4(&(struct spec4){.dst = OTHER_SIDE});
	receive4(&(struct spec4){.dst = OTHER_SIDE, .ttl = 1});
	curmachine()->trace = NULL;
	CHECK_EQ(w.count, 1);
	CHECK_EQ(w.in, en7->index);
	CHECK_EQ(w.out, fw7->index);
	forwarding_testbed_end();
}

KTEST(a_host_forwards_nothing)
{
	forwarding_testbed();
	switch_to("net.inet.ip.forwarding", 0);
	refused(&(struct spec4){.dst = OTHER_SIDE});
	forwarding_testbed_end();
}

KTEST(some_addresses_do_not_travel)
{
	struct mbuf *m;

	forwarding_testbed();
	refused(&(struct spec4){.dst = IP4(169, 254, 1, 2)});
	refused(&(struct spec4){.dst = IP4(240, 0, 0, 2)});
	refused(&(struct spec4){.dst = IP4(0, 0, 0, 2)});
	refused(&(struct spec4){.dst = IP4(192, 168, 5, 255)});
	refused(&(struct spec4){.dst = OTHER_SIDE, .src = IP4(169, 254, 1, 2)});
	refused(&(struct spec4){.dst = OTHER_SIDE, .src = IP4(224, 1, 1, 2)});
	refused(&(struct spec4){.dst = OTHER_SIDE, .src = IP4(240, 1, 1, 2)});
	refused(&(struct spec4){.dst = OTHER_SIDE, .src = IP4(255, 255, 255, 255)});
	refused(&(struct spec4){.dst = OTHER_SIDE, .src = IP4(0, 1, 1, 2)});
	refused(&(struct spec4){.dst = OTHER_SIDE, .src = IP4(10, 0, 0, 255)});
	/* Nobody but this machine sends from its addresses. */
	refused(&(struct spec4){.dst = OTHER_SIDE, .src = HERE4});
	refused(&(struct spec4){.dst = OTHER_SIDE, .src = IP4(192, 168, 5, 1)});
	/* What everybody on the link got is not for this router. */
	for (unsigned flag = 0; flag < 2; flag++) {
		m = make4(&(struct spec4){.dst = OTHER_SIDE});
		m->m_flags |= flag ? MBUF_BCAST : MBUF_MCAST;
		ip_input(curmachine(), m);
	}
	CHECK_EQ(passed.count, 0);
	/* Groups end here. */
	receive4(&(struct spec4){.dst = IP4(239, 1, 1, 1)});
	CHECK_EQ(passed.count, 0);
	forwarding_testbed_end();
}

KTEST(time_to_live_ends)
{
	forwarding_testbed();
	receive4(&(struct spec4){.dst = OTHER_SIDE, .ttl = 1, .len = 10});
	CHECK_EQ(passed.count, 0);
	/* Told from the interface by which it came, as traces expect. */
	CHECK_EQ(sent_message4(0, ICMP_TIMXCEED, ICMP_TIMXCEED_INTRANS)->ip_src.s_addr, HERE4);
	CHECK(payload_is(sent.m[0], 48, 10));
	receive4(&(struct spec4){.dst = OTHER_SIDE, .ttl = 2});
	CHECK_EQ(mtod(passed.m[0], struct ip *)->ip_ttl, 1);
	forwarding_testbed_end();
}

static void
route_for_far(uint32_t flags)
{
	struct sockaddr_in dst = {.sin_len = sizeof dst, .sin_family = AF_INET, .sin_addr = {FAR4}};
	struct rt_request r = {.dst = (struct sockaddr *)&dst, .prefix = 32, .ifp = fw7,
	    .flags = RTF_UP | RTF_HOST | RTF_STATIC | flags};

	(void)rt_delete(curmachine(), (struct sockaddr *)&dst, 32, NULL);
	if (flags != 0)
		CHECK_EQ(rt_add(curmachine(), &r, NULL), 0);
}

KTEST(where_there_is_no_way_the_sender_is_told)
{
	forwarding_testbed();
	route_for_far(RTF_REJECT);
	receive4(&(struct spec4){.dst = FAR4});
	(void)sent_message4(0, ICMP_UNREACH, ICMP_UNREACH_HOST);
	route_for_far(RTF_BLACKHOLE);
	receive4(&(struct spec4){.dst = FAR4});
	CHECK_EQ(sent.count, 1);
	route_for_far(0);
	CHECK_EQ(route_set_default(curmachine(), AF_INET, NULL, NULL), 0);
	receive4(&(struct spec4){.dst = FAR4});
	(void)sent_message4(1, ICMP_UNREACH, ICMP_UNREACH_NET);
	CHECK_EQ(st4()->ips_noroute, 2);
	CHECK_EQ(dlil_set_flags(fw7, 0, IFF_UP), 0);
	receive4(&(struct spec4){.dst = OTHER_SIDE});
	CHECK_EQ(sent.count, 3);
	CHECK_EQ(passed.count, 0);
	forwarding_testbed_end();
}

KTEST(senders_hear_of_a_dead_link_from_the_second_packet_on)
{
	forwarding_testbed();
	link_error = EHOSTUNREACH;
	receive4(&(struct spec4){.dst = OTHER_SIDE, .len = 700});
	CHECK_EQ(sent.count, 0);
	receive4(&(struct spec4){.dst = OTHER_SIDE, .len = 700});
	(void)sent_message4(0, ICMP_UNREACH, ICMP_UNREACH_HOST);
	CHECK_EQ(st4()->ips_cantforward, 2);
	forwarding_testbed_end();
}

KTEST(what_does_not_fit_is_cut_or_told)
{
	size_t have = 0;

	forwarding_testbed();
	fw7->mtu = 600;
	receive4(&(struct spec4){.dst = OTHER_SIDE, .len = 1400});
	CHECK_EQ(passed.count, 3);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(passed.m[i]->m_pkthdr.len <= 600);
		CHECK_EQ(in_cksum_part(passed.m[i], 0, 20), 0);
		CHECK_EQ(mtod(passed.m[i], struct ip *)->ip_ttl, 63);
		have += (size_t)passed.m[i]->m_pkthdr.len - 20;
	}
	CHECK_EQ(have, 1400);
	receive4(&(struct spec4){.dst = OTHER_SIDE, .off = IP_DF, .len = 1400});
	CHECK_EQ(passed.count, 3);
	(void)sent_message4(0, ICMP_UNREACH, ICMP_UNREACH_NEEDFRAG);
	CHECK_EQ(sent_word(0, 24), htonl(600));
	CHECK_EQ(st4()->ips_cantfrag, 1);
	/* Fragments are cut further. */
	receive4(&(struct spec4){.dst = OTHER_SIDE, .off = IP_MF | 100, .len = 1200});
	CHECK_EQ(passed.count, 6);
	CHECK_EQ(ntohs(mtod(passed.m[5], struct ip *)->ip_off), IP_MF | (100 + 2 * 72));
	forwarding_testbed_end();
}

/* ---- redirects ---------------------------------------------------------------------------- */

KTEST(who_takes_a_detour_is_told_the_way)
{
	struct sockaddr_in dst = {.sin_len = sizeof dst, .sin_family = AF_INET, .sin_addr = {FAR4}};
	struct sockaddr_in gateway = {.sin_len = sizeof gateway, .sin_family = AF_INET,
	    .sin_addr = {IP4(10, 0, 0, 77)}};
	struct rt_request r = {.dst = (struct sockaddr *)&dst, .prefix = 32,
	    .gateway = (struct sockaddr *)&gateway, .flags = RTF_UP | RTF_GATEWAY | RTF_HOST | RTF_STATIC};

	forwarding_testbed();
	r.ifp = en7;
	CHECK_EQ(rt_add(curmachine(), &r, NULL), 0);
	receive4(&(struct spec4){.dst = FAR4, .len = 900});
	CHECK_EQ(sent.count, 2);
	(void)sent_message4(0, ICMP_REDIRECT, ICMP_REDIRECT_HOST);
	CHECK_EQ(sent_word(0, 24), IP4(10, 0, 0, 77));
	CHECK_EQ(mtod(sent.m[0], struct ip *)->ip_dst.s_addr, THERE4);
	/* It goes on all the same. */
	CHECK_EQ(mtod(sent.m[1], struct ip *)->ip_dst.s_addr, FAR4);
	CHECK(payload_is(sent.m[1], 20, 900));
	CHECK_EQ(st4()->ips_redirectsent, 1);
	/* Not to who is not on the link, nor to who says the way himself. */
	receive4(&(struct spec4){.src = IP4(172, 16, 0, 1), .dst = FAR4});
	CHECK_EQ(sent.count, 3);
	switch_to("net.inet.ip.redirect", 0);
	receive4(&(struct spec4){.dst = FAR4});
	CHECK_EQ(sent.count, 4);
	CHECK_EQ(st4()->ips_redirectsent, 1);
	forwarding_testbed_end();
}

/* ---- filters ------------------------------------------------------------------------------ */

KTEST(output_filters_see_it_input_filters_do_not)
{
	forwarding_testbed();
	calls[0] = '\0';
	attach(&a, 'a', AF_INET);
	receive4(&(struct spec4){.dst = OTHER_SIDE, .len = 100});
	CHECK_STR(calls, "a");
	CHECK_EQ(passed.count, 1);
	CHECK_EQ(in_cksum_part(passed.m[0], 0, 20), 0);
	forwarding_testbed_end();
}

/* ---- options ------------------------------------------------------------------------------ */

static const uint8_t *
passed_options(unsigned i)
{
	CHECK(i < passed.count);
	CHECK_EQ(in_cksum_part(passed.m[i], 0, (size_t)mtod(passed.m[i], struct ip *)->ip_hl << 2), 0);
	return (const uint8_t *)passed.m[i]->m_data + 20;
}

KTEST(routers_sign_what_asks_for_it)
{
	const uint8_t *o;

	forwarding_testbed();
	receive4(&(struct spec4){.dst = OTHER_SIDE, .options = "\7\13\4\0\0\0\0\0\0\0\0\0",
	    .options_len = 12});
	CHECK_EQ(memcmp(passed_options(0), "\7\13\10\300\250\5\1\0\0\0\0\0", 12), 0);
	/* Full: goes on as it is. */
	receive4(&(struct spec4){.dst = OTHER_SIDE, .options = "\7\7\10\1\2\3\4\0", .options_len = 8});
	CHECK_EQ(memcmp(passed_options(1), "\7\7\10\1\2\3\4\0", 8), 0);
	/* Time stamps alone, and with the address of the interface it came by. */
	receive4(&(struct spec4){.dst = OTHER_SIDE, .options = "\104\10\5\0\0\0\0\0", .options_len = 8});
	o = passed_options(2);
	CHECK_EQ(memcmp(o, "\104\10\11\0", 4), 0);
	CHECK(memcmp(o + 4, "\0\0\0\0", 4) != 0);
	receive4(&(struct spec4){.dst = OTHER_SIDE, .options = "\104\14\5\1\0\0\0\0\0\0\0\0",
	    .options_len = 12});
	CHECK_EQ(memcmp(passed_options(3), "\104\14\15\1\12\0\0\1", 8), 0);
	/* No room: counted, until the counter is full. */
	receive4(&(struct spec4){.dst = OTHER_SIDE, .options = "\104\10\11\340\1\2\3\4", .options_len = 8});
	CHECK_EQ(memcmp(passed_options(4), "\104\10\11\360\1\2\3\4", 8), 0);
	receive4(&(struct spec4){.dst = OTHER_SIDE, .options = "\104\10\11\360\1\2\3\4", .options_len = 8});
	CHECK_EQ(passed.count, 5);
	(void)sent_message4(0, ICMP_PARAMPROB, 0);
	CHECK_EQ(sent_word(0, 24), htonl(20u << 24));
	forwarding_testbed_end();
}

KTEST(malformed_options_are_told)
{
	static const struct {
		const char *options;
		unsigned pointer;
	} cases[] = {
		{"\7\0\4\0", 21}, {"\7\1\4\0", 21}, {"\7\5\4\0", 21}, {"\7\3\3\0", 22}, {"\7\2\0\0", 22},
		{"\104\4\4\0", 22}, {"\104\4\5\2", 23}, {"\203\3\1\0", 22}, {"\1\1\1\7", 23},
	};

	forwarding_testbed();
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		receive4(&(struct spec4){.options = cases[i].options, .options_len = 4});
		(void)sent_message4(0, ICMP_PARAMPROB, 0);
		CHECK_EQ(ntohl(sent_word(0, 24)) >> 24, cases[i].pointer);
		CHECK_EQ(st4()->ips_badoptions, i + 1);
		forget(&sent);
	}
	CHECK_EQ(delivered.count, 0);
	forwarding_testbed_end();
}

KTEST(source_routes_are_off_by_default)
{
	const struct spec4 route = {.options = "\203\7\4\300\250\5\2\0", .options_len = 8};

	forwarding_testbed();
	receive4(&route);
	(void)sent_message4(0, ICMP_UNREACH, ICMP_UNREACH_SRCFAIL);
	/* Arrived: not delivered either. */
	receive4(&(struct spec4){.options = "\203\7\10\1\2\3\4\0", .options_len = 8});
	CHECK_EQ(delivered.count, 0);
	/* Hosts say nothing. */
	switch_to("net.inet.ip.forwarding", 0);
	switch_to("net.inet.ip.sourceroute", 1);
	forget(&sent);
	receive4(&route);
	CHECK_EQ(sent.count, 0);
	CHECK_EQ(passed.count, 0);
	forwarding_testbed_end();
}

KTEST(source_routes_are_followed_if_allowed)
{
	forwarding_testbed();
	switch_to("net.inet.ip.sourceroute", 1);
	receive4(&(struct spec4){.options = "\203\13\4\300\250\5\2\1\2\3\4\0", .options_len = 12});
	CHECK_EQ(mtod(passed.m[0], struct ip *)->ip_dst.s_addr, OTHER_SIDE);
	CHECK_EQ(memcmp(passed_options(0), "\203\13\10\300\250\5\1\1\2\3\4\0", 12), 0);
	/* Strict ones only to neighbours. */
	receive4(&(struct spec4){.options = "\211\7\4\300\250\5\2\0", .options_len = 8});
	CHECK_EQ(passed.count, 2);
	receive4(&(struct spec4){.options = "\211\7\4\1\2\3\4\0", .options_len = 8});
	(void)sent_message4(0, ICMP_UNREACH, ICMP_UNREACH_SRCFAIL);
	/* A strict route of which this machine is no part. */
	receive4(&(struct spec4){.dst = OTHER_SIDE, .options = "\211\7\4\1\2\3\4\0", .options_len = 8});
	(void)sent_message4(1, ICMP_UNREACH, ICMP_UNREACH_SRCFAIL);
	/* A loose one is not looked at on the way. */
	receive4(&(struct spec4){.dst = OTHER_SIDE, .options = "\203\7\4\1\2\3\4\0", .options_len = 8});
	CHECK_EQ(passed.count, 3);
	/* To ourselves, by ourselves: arrives. */
	switch_to("net.inet.ip.accept_sourceroute", 1);
	receive4(&(struct spec4){.options = "\203\13\4\300\250\5\1\12\0\0\1\0", .options_len = 12});
	CHECK_EQ(delivered.count, 1);
	CHECK_EQ(delivered.offset, 32);
	forwarding_testbed_end();
}

KTEST(options_never_break_anything)
{
	uint32_t random = 1;

	forwarding_testbed();
	switch_to("net.inet.ip.sourceroute", 1);
	switch_to("net.inet.ip.accept_sourceroute", 1);
	for (unsigned i = 0; i < 20000; i++) {
		static const char kinds[] = {0, 1, 7, 68, (char)131, (char)137, (char)148, 3};
		char options[40];

		for (unsigned k = 0; k < sizeof options; k++) {
			random = random * 1664525u + 1013904223u;
			options[k] = (random >> 28) < 6 ? kinds[random >> 20 & 7] : (char)(random >> 20 & 15);
		}
		receive4(&(struct spec4){.dst = i & 1 ? HERE4 : OTHER_SIDE, .options = options,
		    .options_len = (random >> 8) % 10 * 4 + 4});
		if (i % 64 == 63) {
			forget(&sent);
			forget(&passed);
			forget(&delivered);
		}
	}
	forwarding_testbed_end();
}

KTEST(without_memory_nothing_breaks)
{
	forwarding_testbed();
	fw7->mtu = 600;
	for (unsigned n = 1; n < 20; n++) {
		struct mbuf *m = make4(&(struct spec4){.dst = OTHER_SIDE, .len = 3000});

		fail_after(n);
		ip_input(curmachine(), m);
		fail_after(0);
	}
	forwarding_testbed_end();
}

KTEST(the_next_hop_is_not_sent_to_itself)
{
	struct sockaddr_in dst = {.sin_len = sizeof dst, .sin_family = AF_INET, .sin_addr = {FAR4}};
	struct sockaddr_in gateway = {.sin_len = sizeof gateway, .sin_family = AF_INET,
	    .sin_addr = {THERE4}};
	struct rt_request r = {.dst = (struct sockaddr *)&dst, .prefix = 32,
	    .gateway = (struct sockaddr *)&gateway, .flags = RTF_UP | RTF_GATEWAY | RTF_HOST | RTF_STATIC};

	forwarding_testbed();
	r.ifp = en7;
	CHECK_EQ(rt_add(curmachine(), &r, NULL), 0);
	receive4(&(struct spec4){.dst = FAR4, .len = 900});
	CHECK_EQ(st4()->ips_redirectsent, 0);
	CHECK_EQ(sent.count, 1);
	forwarding_testbed_end();
}

KTEST_SUITE(ip_forward, T(what_is_for_others_goes_on), T(what_goes_on_is_traced), T(a_host_forwards_nothing),
    T(some_addresses_do_not_travel), T(time_to_live_ends),
    T(where_there_is_no_way_the_sender_is_told),
    T(senders_hear_of_a_dead_link_from_the_second_packet_on), T(what_does_not_fit_is_cut_or_told),
    T(who_takes_a_detour_is_told_the_way), T(output_filters_see_it_input_filters_do_not),
    T(routers_sign_what_asks_for_it), T(malformed_options_are_told),
    T(source_routes_are_off_by_default), T(source_routes_are_followed_if_allowed),
    T(options_never_break_anything), T(without_memory_nothing_breaks),
    T(the_next_hop_is_not_sent_to_itself));
