/* Injection by IP filters: where packets re-enter, who owns them, what is filled in. */
#include "tests/unit/ipf_testing.h"

static struct watcher a, b, c;

KTEST(injected_input_starts_again_without_a_reference)
{
	filter_testbed();
	attach(&a, 'a', AF_INET);
	attach(&b, 'b', AF_INET);
	CHECK_EQ(ipf_inject_input(make4(&(struct spec4){.len = 7}), NULL), 0);
	CHECK_STR(calls, "");		/* not nested in the caller */
	let_run();
	CHECK_STR(calls, "BA");
	CHECK_EQ(delivered.count, 1);
	CHECK_EQ(st4()->ips_total, 1);
	/* Reassembly too. */
	CHECK_EQ(ipf_inject_input(make4(&(struct spec4){.off = IP_MF, .len = 8}), NULL), 0);
	CHECK_EQ(ipf_inject_input(make4(&(struct spec4){.off = 1, .len = 8, .from = 8}), NULL), 0);
	let_run();
	CHECK_STR(calls, "BABA");
	CHECK(payload_is(delivered.m[1], 20, 16));
	testbed_end();
}

KTEST(a_packet_from_nowhere_gets_an_interface_and_a_sum)
{
	struct mbuf *m;

	filter_testbed();
	m = make4(&(struct spec4){.len = 7});
	m->m_pkthdr.rcvif = NULL;
	mtod(m, struct ip *)->ip_sum = 0x1234;
	m->m_pkthdr.csum_flags = MBUF_CSUM_DID_IP;
	CHECK_EQ(ipf_inject_input(m, NULL), 0);
	m = make4(&(struct spec4){.dst = IP4(224, 0, 0, 1), .len = 7});
	m->m_pkthdr.rcvif = NULL;
	CHECK_EQ(ipf_inject_input(m, NULL), 0);
	m = make6(&(struct spec6){.len = 7});
	m->m_pkthdr.rcvif = NULL;
	CHECK_EQ(ipf_inject_input(m, NULL), 0);
	let_run();
	CHECK_EQ(delivered.count, 3);
	CHECK(delivered.m[0]->m_pkthdr.rcvif == en7);
	CHECK_EQ(in_cksum_part(delivered.m[0], 0, 20), 0);
	CHECK(delivered.m[1]->m_pkthdr.rcvif == dlil_loopback(curmachine()));
	CHECK(delivered.m[2]->m_pkthdr.rcvif == en7);
	/* With an interface it has to be right. */
	m = make4(&(struct spec4){.len = 7});
	mtod(m, struct ip *)->ip_sum = 0x1234;
	CHECK_EQ(ipf_inject_input(m, NULL), 0);
	let_run();
	CHECK_EQ(st4()->ips_badsum, 1);
	testbed_end();
}

KTEST(behind_a_reference_only_older_filters_see_it)
{
	filter_testbed();
	attach(&a, 'a', AF_INET);
	attach(&b, 'b', AF_INET);
	attach(&c, 'c', AF_INET);
	CHECK_EQ(ipf_inject_input(make4(&(struct spec4){.len = 7}), b.ref), 0);
	let_run();
	CHECK_STR(calls, "A");
	CHECK_EQ(delivered.count, 1);
	CHECK_EQ(st4()->ips_total, 0);	/* straight to the filters */
	CHECK_EQ(ipf_inject_output(make4(&(struct spec4){.dst = FAR4}), b.ref, NULL), 0);
	CHECK_STR(calls, "Aa");
	CHECK_EQ(ipf_inject_output(make4(&(struct spec4){.dst = FAR4}), a.ref, NULL), 0);
	CHECK_STR(calls, "Aa");
	CHECK_EQ(ipf_inject_output(make4(&(struct spec4){.dst = FAR4}), NULL, NULL), 0);
	CHECK_STR(calls, "Aacba");
	CHECK_EQ(sent.count, 3);
	CHECK_EQ(counters(&b)->injected, 2);
	testbed_end();
}

KTEST(behind_a_reference_that_is_gone_no_filter_sees_it)
{
	ipfilter_t gone;

	filter_testbed();
	attach(&a, 'a', AF_INET);
	attach(&b, 'b', AF_INET);
	gone = b.ref;
	CHECK_EQ(ipf_inject_input(make4(&(struct spec4){.len = 7}), gone), 0);
	CHECK_EQ(ipf_remove(gone), 0);
	CHECK_EQ(ipf_inject_output(make4(&(struct spec4){.dst = FAR4}), gone, NULL), 0);
	let_run();
	CHECK_STR(calls, "b!");
	CHECK_EQ(delivered.count, 1);
	CHECK_EQ(sent.count, 1);
	testbed_end();
}

KTEST(ipv6_starts_again_at_its_first_header)
{
	static const char headers[] = "\x3c\0\1\4\0\0\0\0" "\x11\0\1\4\0\0\0\0";

	filter_testbed();
	attach(&a, 'a', AF_INET6);
	attach(&b, 'b', AF_INET6);
	CHECK_EQ(ipf_inject_input(make6(&(struct spec6){
				      .next = 60, .headers = headers, .headers_len = 16, .len = 9}),
		     b.ref),
	    0);
	let_run();
	/* The reference holds for every header. */
	CHECK_STR(calls, "AAA");
	CHECK_EQ(delivered.offset, 56);
	CHECK_EQ(st6()->ip6s_total, 0);
	testbed_end();
}

KTEST(errors_on_the_way_in_leave_the_packet_to_the_caller)
{
	struct mbuf *m;

	filter_testbed();
	m = make4(&(struct spec4){.len = 7});
	*m->m_data = 0x35;
	CHECK_EQ(ipf_inject_input(m, NULL), ENOTSUP);
	m_adj(m, 27);
	CHECK_EQ(ipf_inject_input(m, NULL), ENOTSUP);
	m_freem(m);
	testbed_end();
}

KTEST(output_always_consumes)
{
	struct mbuf *m;

	filter_testbed();
	m = make4(&(struct spec4){.len = 7});
	*m->m_data = 0x35;
	CHECK_EQ(ipf_inject_output(m, NULL, NULL), ENOTSUP);
	m = make4(&(struct spec4){.len = 7});
	m_adj(m, 27);
	CHECK_EQ(ipf_inject_output(m, NULL, NULL), 0);	/* empty: not even an error */
	CHECK_EQ(ipf_inject_output(
		     make4(&(struct spec4){.dst = FAR4, .off = IP_DF, .len = 2000}), NULL, NULL),
	    EMSGSIZE);
	CHECK_EQ(route_set_default(curmachine(), AF_INET, NULL, NULL), 0);
	CHECK_EQ(ipf_inject_output(make4(&(struct spec4){.dst = FAR4}), NULL, NULL), EHOSTUNREACH);
	CHECK_EQ(sent.count, 0);
	testbed_end();
}

KTEST(injected_output_keeps_its_header)
{
	filter_testbed();
	CHECK_EQ(
	    ipf_inject_output(
		make4(&(struct spec4){.dst = FAR4, .id = 99, .off = IP_DF, .ttl = 2}), NULL, NULL),
	    0);
	CHECK_EQ(ntohs(mtod(sent.m[0], struct ip *)->ip_id), 99);
	CHECK_EQ(mtod(sent.m[0], struct ip *)->ip_off, htons(IP_DF));
	CHECK_EQ(mtod(sent.m[0], struct ip *)->ip_ttl, 2);
	CHECK_EQ(ipf_inject_output(
		     make4(&(struct spec4){.src = HERE4, .dst = IP4(10, 0, 0, 255)}), NULL, NULL),
	    0);
	CHECK_EQ(sent.count, 2);
	testbed_end();
}

/* The classic: take the packet, and send it on a little later from elsewhere. */
static void
take_and_inject(struct watcher *w, mbuf_t *data)
{
	CHECK_EQ(ipf_inject_input(*data, w->ref), 0);
}

static errno_t
divert_input(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	(void)offset;
	(void)protocol;
	note('D');
	take_and_inject(cookie, data);
	return EJUSTRETURN;
}

static errno_t
divert_output(void *cookie, mbuf_t *data, ipf_pktopts_t options)
{
	struct watcher *w = cookie;
	struct ipf_pktopts copy = *options;

	note('d');
	CHECK_EQ(ipf_inject_output(*data, w->ref, &copy), 0);
	return EJUSTRETURN;
}

KTEST(a_filter_may_inject_what_it_swallows)
{
	struct ipf_filter f = {.cookie = &b, .name = "diverter", .ipf_input = divert_input,
	    .ipf_output = divert_output};

	filter_testbed();
	attach(&a, 'a', AF_INET);
	CHECK_EQ(ipf_addv4(&f, &b.ref), 0);
	attach(&c, 'c', AF_INET);
	receive4(&(struct spec4){.len = 7});
	CHECK_STR(calls, "CD");
	let_run();
	CHECK_STR(calls, "CDA");
	CHECK_EQ(delivered.count, 1);
	CHECK_EQ(ip_output(curmachine(), make4(&(struct spec4){.dst = FAR4}), 0, NULL), 0);
	CHECK_STR(calls, "CDAcda");
	CHECK_EQ(sent.count, 1);
	CHECK_EQ(counters(&b)->swallowed, 2);
	CHECK_EQ(counters(&b)->injected, 2);
	CHECK_EQ(ipf_remove(b.ref), 0);
	testbed_end();
}

KTEST(waiting_packets_go_with_their_interface)
{
	filter_testbed();
	CHECK_EQ(ipf_inject_input(make4(&(struct spec4){.len = 7}), NULL), 0);
	CHECK_EQ(ipf_inject_input(make6(&(struct spec6){.len = 7}), NULL), 0);
	ipf_interface_detached(curmachine(), en7);
	let_run();
	CHECK_EQ(delivered.count, 0);
	CHECK_EQ(memory_now().mbufs, 0);
	testbed_end();
}

KTEST_PANICS(behind_a_reference_an_interface_is_needed, "without a receive interface")
{
	struct mbuf *m;

	filter_testbed();
	attach(&a, 'a', AF_INET);
	m = make4(&(struct spec4){.len = 7});
	m->m_pkthdr.rcvif = NULL;
	(void)ipf_inject_input(m, a.ref);
}

KTEST_PANICS(a_freed_packet_cannot_be_injected, "ipf_inject_output")
{
	struct mbuf *m;

	filter_testbed();
	m = make4(&(struct spec4){.len = 7});
	m_freem(m);
	(void)ipf_inject_output(m, NULL, NULL);
}

KTEST_SUITE(ipf_inject, T(injected_input_starts_again_without_a_reference),
    T(a_packet_from_nowhere_gets_an_interface_and_a_sum),
    T(behind_a_reference_only_older_filters_see_it),
    T(behind_a_reference_that_is_gone_no_filter_sees_it), T(ipv6_starts_again_at_its_first_header),
    T(errors_on_the_way_in_leave_the_packet_to_the_caller), T(output_always_consumes),
    T(injected_output_keeps_its_header), T(a_filter_may_inject_what_it_swallows),
    T(waiting_packets_go_with_their_interface), T(behind_a_reference_an_interface_is_needed),
    T(a_freed_packet_cannot_be_injected));
