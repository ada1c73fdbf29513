/* src/netinet/in_options.c, in6_options.c, in6_pktopts.c, in_cmsg.c: socket options and ancillary data. */
#include "tests/unit/inet_testing.h"

#define GROUP4	IP4(224, 1, 2, 3)

/* ---- options ------------------------------------------------------------------------------ */

struct number {
	int name, first;		/* first: its value on a new socket */
	int good[2], bad[2];
};

static void
check_numbers(struct socket *so, int level, const struct number *n, unsigned count)
{
	for (unsigned i = 0; i < count; i++, n++) {
		char byte = 0;

		CHECK_EQ(n->name * 1000 + get_int(so, level, n->name), n->name * 1000 + n->first);
		for (int k = 0; k < 2; k++) {
			CHECK_EQ(set_int(so, level, n->name, n->good[k]), 0);
			CHECK_EQ(n->name * 1000 + get_int(so, level, n->name),
			    n->name * 1000 + n->good[k]);
		}
		for (int k = 0; k < 2 && n->bad[k] != n->good[0]; k++)
			CHECK_EQ(n->name * 1000 + set_int(so, level, n->name, n->bad[k]),
			    n->name * 1000 + EINVAL);
		CHECK_EQ(set_option(so, level, n->name, &byte, n->name == IP_MULTICAST_TTL ||
		    n->name == IP_MULTICAST_LOOP ? 0 : 1), EINVAL);
		CHECK_EQ(set_int(so, level, n->name, n->first), 0);
	}
}

KTEST(options_of_ipv4_have_their_values)
{
	/* bad equal to good[0]: there is none */
	static const struct number numbers[] = {
		{IP_TOS, 0, {0xb8, 0}, {-1, 256}},
		{IP_TTL, 64, {1, 255}, {0, 256}},
		{IP_RECVOPTS, 0, {1, 0}, {1, 1}},
		{IP_RECVDSTADDR, 0, {1, 0}, {1, 1}},
		{IP_RECVIF, 0, {1, 0}, {1, 1}},
		{IP_RECVTTL, 0, {1, 0}, {1, 1}},
		{IP_RECVTOS, 0, {1, 0}, {1, 1}},
		{IP_RECVPKTINFO, 0, {1, 0}, {1, 1}},
		{IP_DONTFRAG, 0, {1, 0}, {1, 1}},
		{IP_PORTRANGE, 0, {1, 2}, {-1, 3}},
		{IP_MULTICAST_TTL, 1, {0, 255}, {-1, 256}},
		{IP_MULTICAST_LOOP, 1, {0, 1}, {0, 0}},
		{IP_BOUND_IF, 0, {1, 0}, {1, 1}}
	};
	struct socket *so;

	inet_testbed();
	so = udp4();
	check_numbers(so, IPPROTO_IP, numbers, sizeof numbers / sizeof numbers[0]);
	CHECK_EQ(set_int(so, IPPROTO_IP, IP_BOUND_IF, 99), ENXIO);
	CHECK_EQ(set_int(so, IPPROTO_IP, IP_HDRINCL, 1), ENOPROTOOPT);
	CHECK_EQ(set_int(so, IPPROTO_IP, IP_RECVRETOPTS, 1), ENOPROTOOPT);
	CHECK_EQ(set_int(so, IPPROTO_IP, 12345, 1), ENOPROTOOPT);
	CHECK_EQ(set_int(so, IPPROTO_IPV6, IPV6_TCLASS, 1), EINVAL);
	CHECK_EQ(set_int(so, IPPROTO_UDP, 99, 1), ENOPROTOOPT);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

KTEST(options_of_ipv6_have_their_values)
{
	static const struct number numbers[] = {
		{IPV6_UNICAST_HOPS, 64, {0, 255}, {-2, 256}},
		{IPV6_TCLASS, 0, {0xb8, 0}, {-2, 256}},
		{IPV6_RECVPKTINFO, 0, {1, 0}, {1, 1}},
		{IPV6_RECVHOPLIMIT, 0, {1, 0}, {1, 1}},
		{IPV6_RECVTCLASS, 0, {1, 0}, {1, 1}},
		{IPV6_RECVHOPOPTS, 0, {1, 0}, {1, 1}},
		{IPV6_RECVDSTOPTS, 0, {1, 0}, {1, 1}},
		{IPV6_RECVRTHDR, 0, {1, 0}, {1, 1}},
		{IPV6_RECVPATHMTU, 0, {1, 0}, {1, 1}},
		{IPV6_V6ONLY, 0, {1, 0}, {1, 1}},
		{IPV6_DONTFRAG, 0, {1, 0}, {1, 1}},
		{IPV6_USE_MIN_MTU, -1, {1, 0}, {-2, 2}},
		{IPV6_PORTRANGE, 0, {1, 2}, {-1, 3}},
		{IPV6_MULTICAST_HOPS, 1, {0, 255}, {-2, 256}},
		{IPV6_MULTICAST_LOOP, 1, {0, 1}, {-1, 2}},
		{IPV6_MULTICAST_IF, 0, {1, 0}, {1, 1}},
		{IPV6_BOUND_IF, 0, {1, 0}, {1, 1}}
	};
	struct socket *so;
	struct ip6_mtuinfo info;
	struct sockopt get = {SOPT_GET, IPPROTO_IPV6, IPV6_PATHMTU, &info, sizeof info};

	inet_testbed();
	so = udp6();
	/* -1 cannot be told from "it cannot be read": the first value of USE_MIN_MTU is what it is. */
	check_numbers(so, IPPROTO_IPV6, numbers, sizeof numbers / sizeof numbers[0]);
	CHECK_EQ(set_int(so, IPPROTO_IPV6, IPV6_MULTICAST_IF, 99), EADDRNOTAVAIL);
	CHECK_EQ(set_int(so, IPPROTO_IPV6, IPV6_CHECKSUM, 2), ENOPROTOOPT);
	CHECK_EQ(set_int(so, IPPROTO_IP, IP_TOS, 1), EINVAL);
	/* Of what a dual socket sends by IPv4, too; -1: the machine's default. */
	CHECK_EQ(set_int(so, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 7), 0);
	CHECK_EQ(send6(so, in6_mapped(THERE4), 7, "x"), 0);
	CHECK_EQ(mtod(sent.m[sent.count - 1], const struct ip *)->ip_ttl, 7);
	CHECK_EQ(set_int(so, IPPROTO_IPV6, IPV6_UNICAST_HOPS, -1), 0);
	CHECK_EQ(send6(so, in6_mapped(THERE4), 7, "x"), 0);
	CHECK_EQ(mtod(sent.m[sent.count - 1], const struct ip *)->ip_ttl, 64);
	CHECK_EQ(soclose(so), 0);
	so = udp6();
	CHECK_EQ(sogetopt(so, &get), ENOTCONN);
	CHECK_EQ(connect6(so, THERE6, 7), 0);
	CHECK_EQ(sogetopt(so, &get), 0);
	CHECK_EQ(info.ip6m_mtu, 1500);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

KTEST(ip_options_are_sent_and_shown)
{
	uint8_t router_alert[4] = {IPOPT_RA, 4, 0, 0}, back[40];
	uint8_t route[8] = {IPOPT_LSRR, 7, 4, 10, 0, 0, 3, 0}, odd[4] = {IPOPT_RR, 1, 0, 0};
	struct sockopt get = {SOPT_GET, IPPROTO_IP, IP_OPTIONS, back, sizeof back};
	struct socket *so, *rx;
	const uint8_t *p;

	inet_testbed();
	so = udp4();
	rx = udp4();
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_OPTIONS, router_alert, 3), EINVAL);
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_OPTIONS, back, 44), EINVAL);
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_OPTIONS, route, sizeof route), EINVAL);
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_OPTIONS, odd, sizeof odd), EINVAL);
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_OPTIONS, router_alert, sizeof router_alert), 0);
	CHECK_EQ(sogetopt(so, &get), 0);
	CHECK_EQ(get.sopt_valsize, 4);
	CHECK_EQ(memcmp(back, router_alert, 4), 0);
	CHECK_EQ(send4(so, THERE4, 7, "alert"), 0);
	p = mtod(sent.m[0], const uint8_t *);
	CHECK_EQ(p[0], 0x46);
	CHECK_EQ(memcmp(p + 20, router_alert, 4), 0);
	CHECK_EQ(bind4(rx, INADDR_ANY, 5000), 0);
	CHECK_EQ(set_int(rx, IPPROTO_IP, IP_RECVOPTS, 1), 0);
	CHECK_EQ(send4(so, LOOP4, 5000, "alert"), 0);
	CHECK_STR(receive(rx), "alert");
	CHECK(control_data(IPPROTO_IP, IP_RECVOPTS, 4) != NULL);
	CHECK_EQ(memcmp(control_data(IPPROTO_IP, IP_RECVOPTS, 4), router_alert, 4), 0);
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_OPTIONS, NULL, 0), 0);
	CHECK_EQ(send4(so, THERE4, 7, "plain"), 0);
	CHECK_EQ(*mtod(sent.m[1], const uint8_t *), 0x45);
	CHECK_EQ(soclose(so) + soclose(rx), 0);
	m_freem(rcv.control);
	rcv.control = NULL;
	testbed_end();
}

KTEST(sticky_headers_of_ipv6_are_sent_and_shown)
{
	uint8_t dst[8] = {0, 0, IP6OPT_PADN, 4}, back[64], route0[24] = {0, 2, 0, 1};
	struct sockopt get = {SOPT_GET, IPPROTO_IPV6, IPV6_DSTOPTS, back, sizeof back};
	struct in6_pktinfo info = {OTHER6, 0};
	struct socket *so, *rx;
	const uint8_t *p;

	inet_testbed();
	so = udp6();
	rx = udp6();
	CHECK_EQ(set_option(so, IPPROTO_IPV6, IPV6_DSTOPTS, dst, 7), EINVAL);
	dst[1] = 1;
	CHECK_EQ(set_option(so, IPPROTO_IPV6, IPV6_DSTOPTS, dst, 8), EINVAL);
	dst[1] = 0;
	dst[3] = 5;
	CHECK_EQ(set_option(so, IPPROTO_IPV6, IPV6_DSTOPTS, dst, 8), EINVAL);
	dst[3] = 4;
	so->so_state &= (uint16_t)~SS_PRIV;
	so->so_uid = 501;
	CHECK_EQ(set_option(so, IPPROTO_IPV6, IPV6_DSTOPTS, dst, 8), EPERM);
	so->so_uid = 0;
	CHECK_EQ(set_option(so, IPPROTO_IPV6, IPV6_DSTOPTS, dst, 8), 0);
	CHECK_EQ(set_option(so, IPPROTO_IPV6, IPV6_RTHDR, route0, sizeof route0), EINVAL);
	CHECK_EQ(sogetopt(so, &get), 0);
	CHECK_EQ(get.sopt_valsize, 8);
	CHECK_EQ(send6(so, THERE6, 7, "dst"), 0);
	p = mtod(sent.m[0], const uint8_t *);
	CHECK_EQ(p[6], IPPROTO_DSTOPTS);
	CHECK_EQ(p[40], IPPROTO_UDP);
	CHECK_EQ(bind6(rx, ANY6, 5000), 0);
	CHECK_EQ(set_int(rx, IPPROTO_IPV6, IPV6_RECVDSTOPTS, 1), 0);
	CHECK_EQ(send6(so, LOOP6, 5000, "shown"), 0);
	CHECK_STR(receive(rx), "shown");
	CHECK(control_data(IPPROTO_IPV6, IPV6_DSTOPTS, 8) != NULL);
	CHECK_EQ(set_option(so, IPPROTO_IPV6, IPV6_DSTOPTS, NULL, 0), 0);
	/* Where from, for good. */
	info.ipi6_addr = THERE6;
	CHECK_EQ(set_option(so, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info), EADDRNOTAVAIL);
	info.ipi6_addr = OTHER6;
	info.ipi6_ifindex = 99;
	CHECK_EQ(set_option(so, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info), ENXIO);
	info.ipi6_ifindex = 0;
	CHECK_EQ(set_option(so, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info), 0);
	CHECK_EQ(send6(so, THERE6, 7, "from"), 0);
	CHECK_EQ(memcmp(sent.m[1]->m_data + 8, &info.ipi6_addr, 16), 0);
	CHECK_EQ(mtod(sent.m[1], const uint8_t *)[6], IPPROTO_UDP);
	CHECK_EQ(soclose(so) + soclose(rx), 0);
	m_freem(rcv.control);
	rcv.control = NULL;
	testbed_end();
}

/* Values of any length and content: an error or not, nothing is read beyond them, nothing is lost. */
KTEST(options_of_any_shape_do_no_harm)
{
	struct nke *m = curmachine();

	inet_testbed();
	for (unsigned round = 0; round < 6; round++) {
		struct socket *so = round % 2 == 0 ? udp4() : udp6();
		int level = round % 2 == 0 ? IPPROTO_IP : IPPROTO_IPV6;

		for (int name = 0; name < 130; name++) {
			for (size_t len = 0; len < 280; len += 1 + len / 8) {
				uint8_t *value = kalloc(m, len != 0 ? len : 1);
				struct sockopt get = {SOPT_GET, level, name, value, len};

				/* The kernel's own pointer in it has to be a good one. */
				if (name != IP_MSFILTER) {
					prng_bytes(m, value, len);
					if (len > 5 && (round & 4))
						value[1] = (uint8_t)(len / 8 - 1);
					(void)set_option(so, level, name, value, len);
					(void)sogetopt(so, &get);
					CHECK(get.sopt_valsize <= len);
				}
				kfree(m, value);
			}
		}
		if (level == IPPROTO_IP)
			(void)send4(so, THERE4, 7, "x");
		else
			(void)send6(so, THERE6, 7, "x");
		CHECK_EQ(soclose(so), 0);
	}
	testbed_end();
}

/* ---- ancillary data received -------------------------------------------------------------- */

KTEST(what_is_asked_for_comes_with_each_datagram)
{
	struct sockaddr_in peer = sin4(THERE4, 7), me = sin4(HERE4, 5000);
	struct in_pktinfo info;
	struct timeval tv;
	struct socket *so;
	uint32_t addr;

	inet_testbed();
	so = udp4();
	CHECK_EQ(bind4(so, INADDR_ANY, 5000), 0);
	come4(en7, &peer, &me, "nothing", -1);
	CHECK_STR(receive(so), "nothing");
	CHECK(rcv.control == NULL);
	CHECK_EQ(set_int(so, IPPROTO_IP, IP_RECVDSTADDR, 1), 0);
	CHECK_EQ(set_int(so, IPPROTO_IP, IP_RECVIF, 1), 0);
	CHECK_EQ(set_int(so, IPPROTO_IP, IP_RECVTTL, 1), 0);
	CHECK_EQ(set_int(so, IPPROTO_IP, IP_RECVTOS, 1), 0);
	CHECK_EQ(set_int(so, IPPROTO_IP, IP_RECVPKTINFO, 1), 0);
	CHECK_EQ(set_int(so, SOL_SOCKET, SO_TIMESTAMP, 1), 0);
	CHECK_EQ(set_int(so, SOL_SOCKET, SO_TIMESTAMP_MONOTONIC, 1), 0);
	let_pass(1500000000);
	come4(en7, &peer, &me, "all", -1);
	CHECK_STR(receive(so), "all");
	CHECK(control_data(IPPROTO_IP, IP_RECVDSTADDR, 4) != NULL);
	memcpy(&addr, control_data(IPPROTO_IP, IP_RECVDSTADDR, 4), 4);
	CHECK_EQ(addr, HERE4);
	CHECK(control_data(IPPROTO_IP, IP_RECVTTL, 1) != NULL);
	CHECK_EQ(*(const uint8_t *)control_data(IPPROTO_IP, IP_RECVTTL, 1), 64);
	CHECK(control_data(IPPROTO_IP, IP_RECVTOS, 1) != NULL);
	CHECK(control_data(IPPROTO_IP, IP_PKTINFO, sizeof info) != NULL);
	memcpy(&info, control_data(IPPROTO_IP, IP_PKTINFO, sizeof info), sizeof info);
	CHECK_EQ(info.ipi_ifindex, en7->index);
	CHECK_EQ(info.ipi_addr.s_addr, HERE4);
	CHECK(control_data(SOL_SOCKET, SCM_TIMESTAMP, sizeof tv) != NULL);
	CHECK(control_data(SOL_SOCKET, SCM_TIMESTAMP_MONOTONIC, 8) != NULL);
	CHECK(control_data(IPPROTO_IP, IP_RECVIF, ifaddr_link(en7)->addr.ss_len) != NULL);
	m_freem(rcv.control);
	rcv.control = NULL;
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

KTEST(what_is_asked_for_comes_with_ipv6_too)
{
	struct sockaddr_in6 peer = sin6(THERE6, 7), me = sin6(HERE6, 5000);
	struct sockaddr_in peer4 = sin4(THERE4, 7), me4 = sin4(HERE4, 5000);
	struct in6_pktinfo info;
	struct socket *so;
	int value;

	inet_testbed();
	so = udp6();
	CHECK_EQ(bind6(so, ANY6, 5000), 0);
	CHECK_EQ(set_int(so, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1), 0);
	CHECK_EQ(set_int(so, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1), 0);
	CHECK_EQ(set_int(so, IPPROTO_IPV6, IPV6_RECVTCLASS, 1), 0);
	for (int i = 0; i < 2; i++) {
		if (i == 0)
			come6(en7, &peer, &me, "six", -1);
		else
			come4(en7, &peer4, &me4, "four", -1);
		CHECK_STR(receive(so), i == 0 ? "six" : "four");
		CHECK(control_data(IPPROTO_IPV6, IPV6_PKTINFO, sizeof info) != NULL);
		memcpy(&info, control_data(IPPROTO_IPV6, IPV6_PKTINFO, sizeof info), sizeof info);
		CHECK_EQ(info.ipi6_ifindex, en7->index);
		CHECK(same6(info.ipi6_addr, i == 0 ? HERE6 : in6_mapped(HERE4)));
		memcpy(&value, control_data(IPPROTO_IPV6, IPV6_HOPLIMIT, sizeof value), sizeof value);
		CHECK_EQ(value, 64);
		CHECK(control_data(IPPROTO_IPV6, IPV6_TCLASS, sizeof value) != NULL);
	}
	/* The numbers of RFC 2292. */
	CHECK_EQ(set_int(so, IPPROTO_IPV6, IPV6_2292PKTINFO, 1), 0);
	come6(en7, &peer, &me, "old", -1);
	CHECK_STR(receive(so), "old");
	CHECK(control_data(IPPROTO_IPV6, IPV6_2292PKTINFO, sizeof info) != NULL);
	CHECK(control_data(IPPROTO_IPV6, IPV6_PKTINFO, sizeof info) == NULL);
	m_freem(rcv.control);
	rcv.control = NULL;
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

/* Each allocation on a datagram's way fails in turn: it does not get through, and nothing leaks. */
KTEST(a_datagram_that_there_is_no_memory_for_leaves_nothing_behind)
{
	struct nke *m = curmachine();
	struct core_memory before, after;
	struct socket *a, *b;
	unsigned through = 0;

	inet_testbed();
	a = udp4();
	b = udp4();
	CHECK_EQ(bind4(a, INADDR_ANY, 5000), 0);
	CHECK_EQ(set_int(a, IPPROTO_IP, IP_RECVTTL, 1), 0);
	CHECK_EQ(set_int(a, IPPROTO_IP, IP_RECVTOS, 1), 0);
	CHECK_EQ(send4(b, LOOP4, 5000, "first"), 0);
	CHECK_STR(receive(a), "first");
	m_freem(rcv.control);
	rcv.control = NULL;
	machine_memory(m, &before);
	for (unsigned i = 1; i <= 12; i++) {
		errno_t error;

		machine_memory(m, &after);
		m->config.fail_alloc = after.allocations + i;
		error = send4(b, LOOP4, 5000, "x");
		CHECK(error == 0 || error == ENOBUFS);
		let_run();
		m->config.fail_alloc = 0;
		through += *receive(a) != '\0';
		m_freem(rcv.control);
		rcv.control = NULL;
		machine_memory(m, &after);
		CHECK_EQ(after.mbufs, before.mbufs);
		CHECK_EQ(after.heap_blocks, before.heap_blocks);
	}
	CHECK(through != 0 && through < 12);
	CHECK(st4()->ips_pktdropcntrl >= 2);
	CHECK_EQ(soclose(a) + soclose(b), 0);
	testbed_end();
}

/* ---- ancillary data sent ------------------------------------------------------------------ */

static errno_t
send_control(struct socket *so, const struct sockaddr *to, struct mbuf *control)
{
	size_t n;

	return sosend(so, to, "data", 4, NULL, control, MSG_DONTWAIT, &n);
}

static struct mbuf *
control_of(int level, int type, const void *data, size_t len)
{
	return sbcreatecontrol(curmachine(), data, len, type, level);
}

KTEST(one_datagram_is_sent_as_its_control_data_say)
{
	struct sockaddr_in to = sin4(THERE4, 7);
	struct in_pktinfo info = {0};
	const struct ip *ip;
	struct socket *so;
	int value = 0x28, ttl = 9, one = 1;
	uint32_t addr = OTHER4;
	struct mbuf *m;

	inet_testbed();
	so = udp4();
	info.ipi_spec_dst.s_addr = OTHER4;
	m = control_of(IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
	m->m_next = control_of(IPPROTO_IP, IP_TOS, &value, sizeof value);
	m->m_next->m_next = control_of(IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
	m->m_next->m_next->m_next = control_of(IPPROTO_IP, IP_DONTFRAG, &one, sizeof one);
	CHECK_EQ(send_control(so, SA(to), m), 0);
	CHECK_EQ(sent.count, 1);
	ip = mtod(sent.m[0], const struct ip *);
	CHECK_EQ(ip->ip_src.s_addr, OTHER4);
	CHECK_EQ(ip->ip_tos, 0x28);
	CHECK_EQ(ip->ip_ttl, 9);
	CHECK_EQ(ip->ip_off, htons(IP_DF));
	/* The next is as always; by the BSDs' name for it, and by another interface. */
	CHECK_EQ(send_control(so, SA(to), NULL), 0);
	CHECK_EQ(mtod(sent.m[1], const struct ip *)->ip_src.s_addr, HERE4);
	CHECK_EQ(mtod(sent.m[1], const struct ip *)->ip_ttl, 64);
	m = control_of(IPPROTO_IP, IP_RECVDSTADDR, &addr, sizeof addr);
	CHECK_EQ(send_control(so, SA(to), m), 0);
	CHECK_EQ(mtod(sent.m[2], const struct ip *)->ip_src.s_addr, OTHER4);
	/* By an interface: from its address, whatever was sent from before. */
	info.ipi_spec_dst.s_addr = INADDR_ANY;
	info.ipi_ifindex = fw7->index;
	to = sin4(IP4(224, 1, 2, 3), 7);
	CHECK_EQ(set_int(so, IPPROTO_IP, IP_BOUND_IF, (int)en7->index), 0);
	CHECK_EQ(send_control(so, SA(to), NULL), 0);
	CHECK_EQ(mtod(sent.m[3], const struct ip *)->ip_src.s_addr, HERE4);
	CHECK_EQ(send_control(so, SA(to), control_of(IPPROTO_IP, IP_PKTINFO, &info, sizeof info)), 0);
	CHECK_EQ(mtod(sent.m[4], const struct ip *)->ip_src.s_addr, OTHER4);
	CHECK_EQ(send_control(so, SA(to), NULL), 0);
	CHECK_EQ(mtod(sent.m[5], const struct ip *)->ip_src.s_addr, HERE4);
	info.ipi_ifindex = 0;
	/* What is wrong is said. */
	info.ipi_spec_dst.s_addr = THERE4;
	CHECK_EQ(send_control(so, SA(to), control_of(IPPROTO_IP, IP_PKTINFO, &info, sizeof info)),
	    EADDRNOTAVAIL);
	info.ipi_ifindex = 99;
	CHECK_EQ(send_control(so, SA(to), control_of(IPPROTO_IP, IP_PKTINFO, &info, sizeof info)),
	    ENXIO);
	CHECK_EQ(send_control(so, SA(to), control_of(IPPROTO_IP, IP_PKTINFO, &info, 4)), EINVAL);
	CHECK_EQ(send_control(so, SA(to), control_of(IPPROTO_IP, 99, &info, 4)), EINVAL);
	ttl = 256;
	CHECK_EQ(send_control(so, SA(to), control_of(IPPROTO_IP, IP_TTL, &ttl, sizeof ttl)), EINVAL);
	m = control_of(IPPROTO_IP, IP_TTL, &value, sizeof value);
	mtod(m, struct cmsghdr *)->cmsg_len = 400;
	CHECK_EQ(send_control(so, SA(to), m), EINVAL);
	m = control_of(IPPROTO_IP, IP_TTL, &value, sizeof value);
	mtod(m, struct cmsghdr *)->cmsg_len = 3;
	CHECK_EQ(send_control(so, SA(to), m), EINVAL);
	m = control_of(IPPROTO_IP, IP_TTL, &value, sizeof value);
	m->m_len = 5;
	CHECK_EQ(send_control(so, SA(to), m), EINVAL);
	CHECK_EQ(sent.count, 6);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

KTEST(one_datagram_of_ipv6_is_sent_as_its_control_data_say)
{
	struct sockaddr_in6 to = sin6(THERE6, 7), to4 = sin6(in6_mapped(THERE4), 7);
	struct in6_pktinfo info = {OTHER6, 0};
	uint8_t hop[8] = {0, 0, IP6OPT_PADN, 4};
	const uint8_t *p;
	struct socket *so;
	int tclass = 0x28, hops = 9;
	struct mbuf *m;

	inet_testbed();
	so = udp6();
	info.ipi6_addr = OTHER6;
	m = control_of(IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
	m->m_next = control_of(IPPROTO_IPV6, IPV6_TCLASS, &tclass, sizeof tclass);
	m->m_next->m_next = control_of(IPPROTO_IPV6, IPV6_HOPLIMIT, &hops, sizeof hops);
	m->m_next->m_next->m_next = control_of(IPPROTO_IPV6, IPV6_HOPOPTS, hop, sizeof hop);
	CHECK_EQ(send_control(so, SA(to), m), 0);
	p = mtod(sent.m[0], const uint8_t *);
	CHECK_EQ(p[0] << 8 | p[1], 0x6280);
	CHECK_EQ(p[6], IPPROTO_HOPOPTS);
	CHECK_EQ(p[7], 9);
	CHECK_EQ(memcmp(p + 8, &info.ipi6_addr, 16), 0);
	CHECK_EQ(p[40], IPPROTO_UDP);
	/* To IPv4 the same means the same. */
	info.ipi6_addr = in6_mapped(OTHER4);
	m = control_of(IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
	m->m_next = control_of(IPPROTO_IPV6, IPV6_HOPLIMIT, &hops, sizeof hops);
	CHECK_EQ(send_control(so, SA(to4), m), 0);
	CHECK_EQ(mtod(sent.m[1], const struct ip *)->ip_src.s_addr, OTHER4);
	CHECK_EQ(mtod(sent.m[1], const struct ip *)->ip_ttl, 9);
	info.ipi6_addr = OTHER6;
	CHECK_EQ(send_control(so, SA(to4), control_of(IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info)),
	    EINVAL);
	hop[1] = 7;
	CHECK_EQ(send_control(so, SA(to), control_of(IPPROTO_IPV6, IPV6_HOPOPTS, hop, sizeof hop)),
	    EINVAL);
	CHECK_EQ(send_control(so, SA(to), control_of(IPPROTO_IPV6, IPV6_NEXTHOP, hop, sizeof hop)),
	    EINVAL);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

/* ---- fragments ---------------------------------------------------------------------------- */

KTEST(datagrams_are_cut_or_not_as_the_socket_wants_it)
{
	static char data[4000];
	struct sockaddr_in to = sin4(THERE4, 7);
	struct sockaddr_in6 to6 = sin6(THERE6, 7);
	struct socket *so, *so6;

	inet_testbed();
	so = udp4();
	so6 = udp6();
	CHECK_EQ(send_to(so, SA(to), data, 4000), 0);
	CHECK_EQ(sent.count, 3);
	CHECK_EQ(set_int(so, IPPROTO_IP, IP_DONTFRAG, 1), 0);
	CHECK_EQ(send_to(so, SA(to), data, 4000), EMSGSIZE);
	CHECK_EQ(send_to(so6, SA(to6), data, 1400), 0);
	CHECK_EQ(sent.count, 4);
	CHECK_EQ(set_int(so6, IPPROTO_IPV6, IPV6_USE_MIN_MTU, 1), 0);
	CHECK_EQ(send_to(so6, SA(to6), data, 1400), 0);
	CHECK_EQ(sent.count, 6);
	CHECK_EQ(set_int(so6, IPPROTO_IPV6, IPV6_USE_MIN_MTU, 0), 0);
	CHECK_EQ(set_int(so6, IPPROTO_IPV6, IPV6_DONTFRAG, 1), 0);
	CHECK_EQ(send_to(so6, SA(to6), data, 1400), 0);
	CHECK_EQ(send_to(so6, SA(to6), data, 1500), EMSGSIZE);
	CHECK_EQ(soclose(so) + soclose(so6), 0);
	testbed_end();
}

KTEST(the_path_mtu_is_told_to_who_asked)
{
	struct udphdr uh = {htons(5000), htons(7), htons(8), 0};
	struct ip_error e = {.error = EMSGSIZE, .mtu = 1300, .len = sizeof uh, .protocol = IPPROTO_UDP};
	struct sockaddr_in6 dst = sin6(THERE6, 0), src = sin6(HERE6, 0);
	struct ip6_mtuinfo info;
	struct socket *so;
	struct mbuf *m;

	inet_testbed();
	so = udp6();
	CHECK_EQ(bind6(so, HERE6, 5000), 0);
	CHECK_EQ(connect6(so, THERE6, 7), 0);
	CHECK_EQ(set_int(so, IPPROTO_IPV6, IPV6_RECVPATHMTU, 1), 0);
	m = m_devget(curmachine(), &uh, sizeof uh, 0);
	memcpy(&e.dst, &dst, sizeof dst);
	memcpy(&e.src, &src, sizeof src);
	e.m = m;
	udp6_transport.error(curmachine(), &e);
	m_freem(m);
	CHECK_EQ(so->so_error, 0);
	CHECK_STR(receive(so), "");
	CHECK(control_data(IPPROTO_IPV6, IPV6_PATHMTU, sizeof info) != NULL);
	memcpy(&info, control_data(IPPROTO_IPV6, IPV6_PATHMTU, sizeof info), sizeof info);
	CHECK_EQ(info.ip6m_mtu, 1300);
	m_freem(rcv.control);
	rcv.control = NULL;
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

KTEST_SUITE(in_options, T(options_of_ipv4_have_their_values), T(options_of_ipv6_have_their_values),
    T(ip_options_are_sent_and_shown), T(sticky_headers_of_ipv6_are_sent_and_shown),
    T(options_of_any_shape_do_no_harm),
    T(what_is_asked_for_comes_with_each_datagram), T(what_is_asked_for_comes_with_ipv6_too),
    T(a_datagram_that_there_is_no_memory_for_leaves_nothing_behind),
    T(one_datagram_is_sent_as_its_control_data_say),
    T(one_datagram_of_ipv6_is_sent_as_its_control_data_say),
    T(datagrams_are_cut_or_not_as_the_socket_wants_it), T(the_path_mtu_is_told_to_who_asked));
