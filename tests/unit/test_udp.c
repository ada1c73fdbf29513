/* src/netinet/udp_*.c: datagrams over lo0 and off the wire, both families. */
#include <netinet/ip_icmp.h>

#include "tests/unit/inet_testing.h"

#define GROUP4	IP4(224, 1, 2, 3)

/* Header of what an interface was given last, and the UDP header behind it. */
static const struct ip *
sent_ip(void)
{
	CHECK(sent.count != 0);
	return mtod(sent.m[sent.count - 1], const struct ip *);
}

static struct udphdr
sent_udp(size_t off)
{
	struct udphdr uh;

	CHECK(sent.count != 0);
	CHECK_EQ(m_copydata(sent.m[sent.count - 1], off, sizeof uh, &uh), 0);
	return uh;
}

/* ---- there and back ----------------------------------------------------------------------- */

KTEST(datagrams_go_round_by_lo0)
{
	struct socket *a, *b;

	inet_testbed();
	a = udp4();
	b = udp4();
	CHECK_EQ(bind4(a, INADDR_ANY, 5000), 0);
	CHECK_EQ(send4(b, LOOP4, 5000, "ping"), 0);
	CHECK_STR(receive(a), "ping");
	CHECK_EQ(from4()->sin_addr.s_addr, LOOP4);
	CHECK_EQ(rcv.from.ss_len, sizeof(struct sockaddr_in));
	/* Back to where it came from; the second has its port from its first sending. */
	CHECK_EQ(send_to(a, SA(rcv.from), "pong", 4), 0);
	CHECK_STR(receive(b), "pong");
	CHECK_EQ(ntohs(from4()->sin_port), 5000);
	/* By its own address on a wire it is the same, and the wire hears nothing. */
	CHECK_EQ(send4(b, HERE4, 5000, "own"), 0);
	CHECK_STR(receive(a), "own");
	CHECK_EQ(from4()->sin_addr.s_addr, HERE4);
	CHECK_EQ(sent.count, 0);
	CHECK_EQ(ust()->udps_opackets, 3);
	CHECK_EQ(ust()->udps_ipackets, 3);
	CHECK_EQ(ust()->udps_rcv_swcsum, 0);
	/* An empty one is one, too. */
	CHECK_EQ(send4(b, LOOP4, 5000, ""), 0);
	CHECK_STR(receive(a), "");
	CHECK_EQ(rcv.from.ss_len, sizeof(struct sockaddr_in));
	CHECK_EQ(soclose(a) + soclose(b), 0);
	testbed_end();
}

KTEST(datagrams_of_ipv6_go_round_by_lo0)
{
	struct sockaddr_in6 from;
	struct socket *a, *b;

	inet_testbed();
	a = udp6();
	b = udp6();
	CHECK_EQ(bind6(a, ANY6, 5000), 0);
	CHECK_EQ(send6(b, LOOP6, 5000, "ping"), 0);
	CHECK_STR(receive(a), "ping");
	from = from6();
	CHECK_EQ(from.sin6_len, sizeof from);
	CHECK(same6(from.sin6_addr, LOOP6));
	CHECK_EQ(send_to(a, SA(from), "pong", 4), 0);
	CHECK_STR(receive(b), "pong");
	/* An address of an interface; IPv4 by way of the mapped address. */
	CHECK_EQ(send6(b, HERE6, 5000, "own"), 0);
	CHECK_STR(receive(a), "own");
	CHECK(same6(from6().sin6_addr, HERE6));
	CHECK_EQ(send6(b, in6_mapped(LOOP4), 5000, "four"), 0);
	CHECK_STR(receive(a), "four");
	CHECK(same6(from6().sin6_addr, in6_mapped(LOOP4)));
	CHECK_EQ(sent.count, 0);
	CHECK_EQ(soclose(a) + soclose(b), 0);
	testbed_end();
}

KTEST(a_connected_socket_hears_its_peer_only)
{
	struct sockaddr_in peer = sin4(THERE4, 7), other = sin4(THERE4, 8), me = sin4(HERE4, 5000);
	struct socket *so;

	inet_testbed();
	so = udp4();
	CHECK_EQ(bind4(so, INADDR_ANY, 5000), 0);
	CHECK_EQ(connect4(so, THERE4, 7), 0);
	come4(en7, &other, &me, "other", -1);
	CHECK_STR(receive(so), "");
	come4(en7, &peer, &me, "peer", -1);
	CHECK_STR(receive(so), "peer");
	CHECK_EQ(send_to(so, SA(other), "x", 1), EISCONN);
	CHECK_EQ(send_to(so, NULL, "to you", 6), 0);
	CHECK_EQ(sent_ip()->ip_src.s_addr, HERE4);
	CHECK_EQ(sent_ip()->ip_dst.s_addr, THERE4);
	CHECK_EQ(sent_udp(sizeof(struct ip)).uh_sport, htons(5000));
	CHECK_EQ(sent_udp(sizeof(struct ip)).uh_dport, htons(7));
	CHECK_EQ(ust()->udps_fastout, 1);
	CHECK_EQ(sodisconnect(so), 0);
	come4(en7, &other, &me, "other", -1);
	CHECK_STR(receive(so), "other");
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

KTEST(the_source_fits_the_way)
{
	struct socket *so;

	inet_testbed();
	so = udp4();
	CHECK_EQ(send4(so, THERE4, 7, "a"), 0);
	CHECK_EQ(sent_ip()->ip_src.s_addr, HERE4);
	CHECK_EQ(send4(so, IP4(10, 1, 0, 2), 7, "b"), 0);
	CHECK_EQ(sent_ip()->ip_src.s_addr, OTHER4);
	CHECK_EQ(send4(so, THERE4, 7, "c"), 0);
	CHECK_EQ(sent_ip()->ip_src.s_addr, HERE4);
	/* An address comes or goes: what was remembered does not count any more. */
	add_address4(en7, IP4(10, 0, 0, 99), IP4(255, 255, 255, 0));
	{
		struct sockaddr_in gone = sin4(HERE4, 0);

		CHECK_EQ(ifaddr_remove(en7, SA(gone)), 0);
	}
	CHECK_EQ(send4(so, THERE4, 7, "d"), 0);
	CHECK_EQ(sent_ip()->ip_src.s_addr, IP4(10, 0, 0, 99));
	CHECK_EQ(send4(so, FAR4, 7, "nowhere"), ENETUNREACH);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

/* ---- checksums ---------------------------------------------------------------------------- */

KTEST(checksums_that_leave_are_right)
{
	const struct ip6_hdr *ip6;
	struct in6_addr src, dst;
	struct socket *so, *so6;

	inet_testbed();
	so = udp4();
	CHECK_EQ(send4(so, THERE4, 7, "odd"), 0);
	CHECK(sent_udp(sizeof(struct ip)).uh_sum != 0);
	CHECK_EQ(in_cksum_sum(sent.m[0], sizeof(struct ip), 11,
	    in_pseudo(sent_ip()->ip_src, sent_ip()->ip_dst, IPPROTO_UDP, 11)), 0xffff);
	CHECK_EQ(set_int(so, IPPROTO_UDP, UDP_NOCKSUM, 1), 0);
	CHECK_EQ(get_int(so, IPPROTO_UDP, UDP_NOCKSUM), 1);
	CHECK_EQ(send4(so, THERE4, 7, "none"), 0);
	CHECK_EQ(sent_udp(sizeof(struct ip)).uh_sum, 0);
	CHECK_EQ(set_int(so, IPPROTO_UDP, UDP_NOCKSUM, 0), 0);
	curmachine()->udp->checksum = 0;
	CHECK_EQ(send4(so, THERE4, 7, "none"), 0);
	CHECK_EQ(sent_udp(sizeof(struct ip)).uh_sum, 0);
	/* IPv6 has no such choice. */
	so6 = udp6();
	CHECK_EQ(set_int(so6, IPPROTO_UDP, UDP_NOCKSUM, 1), 0);
	CHECK_EQ(send6(so6, THERE6, 7, "six"), 0);
	ip6 = mtod(sent.m[sent.count - 1], const struct ip6_hdr *);
	memcpy(&src, (const char *)ip6 + 8, 16);
	memcpy(&dst, (const char *)ip6 + 24, 16);
	CHECK(same6(src, HERE6));
	CHECK_EQ(in_cksum_sum(sent.m[sent.count - 1], sizeof *ip6, 11,
	    in6_pseudo(&src, &dst, IPPROTO_UDP, 11)), 0xffff);
	CHECK_EQ(soclose(so) + soclose(so6), 0);
	testbed_end();
}

KTEST(wrong_checksums_are_refused_and_counted)
{
	struct sockaddr_in peer = sin4(THERE4, 7), me = sin4(HERE4, 5000);
	struct sockaddr_in6 peer6 = sin6(THERE6, 7), me6 = sin6(HERE6, 5000);
	struct socket *so;

	inet_testbed();
	so = udp6();
	CHECK_EQ(bind6(so, ANY6, 5000), 0);
	come4(en7, &peer, &me, "bad", 0x1234);
	CHECK_EQ(ust()->udps_badsum, 1);
	come4(en7, &peer, &me, "none", 0);
	CHECK_EQ(ust()->udps_nosum, 1);
	CHECK_STR(receive(so), "none");
	come6(en7, &peer6, &me6, "bad", 0x1234);
	CHECK_EQ(ust()->udps_badsum, 2);
	come6(en7, &peer6, &me6, "none", 0);
	CHECK_EQ(ust()->udps_nosum, 2);
	CHECK_STR(receive(so), "");
	come6(en7, &peer6, &me6, "good", -1);
	CHECK_STR(receive(so), "good");
	CHECK_EQ(ust()->udps_rcv_swcsum, 1);
	CHECK_EQ(ust()->udps_rcv6_swcsum, 2);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

/* The hardware's word counts: both for good and for bad, with and without the pseudo header. */
KTEST(what_the_hardware_says_of_a_checksum_counts)
{
	static const struct {
		uint32_t flags;
		bool sum_of_data, good;
	} cases[] = {
		{MBUF_CSUM_DID_DATA | MBUF_CSUM_PSEUDO_HDR, false, true},
		{MBUF_CSUM_DID_DATA | MBUF_CSUM_PSEUDO_HDR, true, false},
		{MBUF_CSUM_DID_DATA, true, true},
		{MBUF_CSUM_DID_DATA, false, false},
		{0, false, false}
	};
	struct socket *so;

	inet_testbed();
	so = udp4();
	CHECK_EQ(bind4(so, HERE4, 0x2726), 0);
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct spec4 s = {.len = 40};
		struct mbuf *m = make4(&s);
		struct udphdr *uh = (struct udphdr *)(void *)(m->m_data + sizeof(struct ip));
		const struct ip *ip = mtod(m, const struct ip *);

		uh->uh_sport = htons(7);
		uh->uh_dport = htons(0x2726);
		uh->uh_ulen = htons(40);
		uh->uh_sum = 0x1111;
		m->m_pkthdr.csum_flags = cases[i].flags;
		m->m_pkthdr.csum_data = 0xffff;
		/* What the data would have to add up to, were the packet good. */
		if (cases[i].sum_of_data)
			m->m_pkthdr.csum_data = (uint16_t)~in_cksum_sum(m, sizeof *ip, 0,
			    in_pseudo(ip->ip_src, ip->ip_dst, IPPROTO_UDP, 40));
		ip_input(curmachine(), m);
		CHECK_EQ(i * 10 + (*receive(so) != '\0'), i * 10 + cases[i].good);
	}
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

/* ---- lengths ------------------------------------------------------------------------------ */

KTEST(lengths_that_do_not_fit_are_refused)
{
	static const struct {
		size_t have;
		uint16_t ulen;
		uint32_t hdrops, badlen;
	} cases[] = {
		{7, 7, 1, 0},		/* shorter than a header */
		{20, 7, 1, 1},		/* says less than a header */
		{20, 21, 1, 2},		/* says more than there is */
		{20, 0, 1, 3}
	};
	struct socket *so;

	inet_testbed();
	so = udp4();
	CHECK_EQ(bind4(so, INADDR_ANY, 5000), 0);
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct spec4 s = {.len = cases[i].have};
		struct mbuf *m = make4(&s);

		memcpy(m->m_data + sizeof(struct ip) + 2, &(uint16_t){htons(5000)}, 2);
		memcpy(m->m_data + sizeof(struct ip) + 4, &(uint16_t){htons(cases[i].ulen)}, 2);
		ip_input(curmachine(), m);
		CHECK_EQ(ust()->udps_hdrops, cases[i].hdrops);
		CHECK_EQ(ust()->udps_badlen, cases[i].badlen);
		CHECK_STR(receive(so), "");
	}
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

/* What is behind the datagram's own length is not data; the header may lie across mbufs. */
KTEST(a_datagram_ends_where_it_says)
{
	struct spec4 s = {.len = 20};
	struct socket *so;
	struct mbuf *m, *rest;
	struct udphdr uh = {htons(7), htons(5000), htons(12), 0};

	inet_testbed();
	so = udp4();
	CHECK_EQ(bind4(so, INADDR_ANY, 5000), 0);
	m = make4(&s);
	memcpy(m->m_data + sizeof(struct ip), &uh, sizeof uh);
	memcpy(m->m_data + sizeof(struct ip) + 8, "data behind!", 12);
	rest = m_split(m, sizeof(struct ip) + 3, MBUF_DONTWAIT);
	CHECK(rest != NULL);
	rest->m_flags &= (uint16_t)~M_PKTHDR;
	m->m_next = rest;
	m->m_pkthdr.len = (int32_t)m_length(m);
	ip_input(curmachine(), m);
	CHECK_STR(receive(so), "data");
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

KTEST(what_is_too_long_is_not_sent)
{
	static char data[65536];
	struct sockaddr_in to = sin4(LOOP4, 5000);
	struct socket *a, *b;
	struct so_received r;

	inet_testbed();
	a = udp4();
	b = udp4();
	CHECK_EQ(bind4(a, INADDR_ANY, 5000), 0);
	CHECK_EQ(send_to(b, SA(to), data, UDP_MAXDGRAM + 1), EMSGSIZE);
	CHECK_EQ(send_to(b, SA(to), data, UDP_MAXDGRAM), 0);
	CHECK_EQ(set_int(b, SOL_SOCKET, SO_SNDBUF, 65536), 0);
	CHECK_EQ(send_to(b, SA(to), data, 65508), EMSGSIZE);
	memset(data, 'x', 65507);
	CHECK_EQ(send_to(b, SA(to), data, 65507), 0);
	(void)receive(a);
	memset(&r, 0, sizeof r);
	let_run();
	CHECK_EQ(soreceive(a, data, sizeof data, MSG_DONTWAIT, &r), 0);
	CHECK_EQ(r.len, 65507);
	CHECK_EQ(data[65506], 'x');
	CHECK_EQ(soclose(a) + soclose(b), 0);
	testbed_end();
}

KTEST(a_full_socket_drops_and_counts)
{
	struct socket *a, *b;
	unsigned n = 0;

	inet_testbed();
	a = udp4();
	b = udp4();
	CHECK_EQ(bind4(a, INADDR_ANY, 5000), 0);
	CHECK_EQ(set_int(a, SOL_SOCKET, SO_RCVBUF, 2048), 0);
	for (unsigned i = 0; i < 200; i++) {
		CHECK_EQ(send4(b, LOOP4, 5000, "0123456789012345678901234567890123456789"), 0);
		let_run();
	}
	while (*receive(a) != '\0')
		n++;
	CHECK(n != 0 && n < 200);
	CHECK_EQ(ust()->udps_fullsock, 200 - n);
	CHECK_EQ(soclose(a) + soclose(b), 0);
	testbed_end();
}

/* ---- nobody ------------------------------------------------------------------------------- */

static unsigned
unreachables(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < sent.count; i++) {
		const uint8_t *p = mtod(sent.m[i], const uint8_t *);

		n += p[0] >> 4 == 4 ? p[9] == IPPROTO_ICMP && p[20] == ICMP_UNREACH &&
		    p[21] == ICMP_UNREACH_PORT : p[6] == IPPROTO_ICMPV6 && p[40] == ICMP6_DST_UNREACH &&
		    p[41] == ICMP6_DST_UNREACH_NOPORT;
	}
	return n;
}

KTEST(nobody_listens_and_the_sender_is_told)
{
	struct sockaddr_in peer = sin4(THERE4, 7), me = sin4(HERE4, 5000), zero = sin4(HERE4, 0);
	struct sockaddr_in all = sin4(IP4(10, 0, 0, 255), 5000);
	struct sockaddr_in6 peer6 = sin6(THERE6, 7), me6 = sin6(HERE6, 5000);

	inet_testbed();
	come4(en7, &peer, &me, "anybody?", -1);
	CHECK_EQ(ust()->udps_noport, 1);
	CHECK_EQ(unreachables(), 1);
	come6(en7, &peer6, &me6, "anybody?", -1);
	CHECK_EQ(ust()->udps_noport, 2);
	CHECK_EQ(unreachables(), 2);
	/* Not for what was for everybody, nor to port 0. */
	come4(en7, &peer, &all, "anybody?", -1);
	CHECK_EQ(ust()->udps_noportbcast, 1);
	come4(en7, &peer, &zero, "anybody?", -1);
	CHECK_EQ(ust()->udps_noport, 3);
	curmachine()->udp->blackhole = 1;
	come4(en7, &peer, &me, "anybody?", -1);
	come4(dlil_loopback(curmachine()), &me, &me, "ourselves?", -1);
	curmachine()->udp->blackhole = 2;
	come4(dlil_loopback(curmachine()), &me, &me, "ourselves?", -1);
	CHECK_EQ(ust()->udps_noport, 6);
	CHECK_EQ(unreachables(), 2);
	curmachine()->udp->log_in_vain = 1;
	come4(en7, &peer, &me, "anybody?", -1);
	CHECK(ktest_log_contains("Connection attempt to UDP 10.0.0.1:5000 from 10.0.0.2:7"));
	testbed_end();
}

KTEST(a_connected_sender_is_told_that_nobody_listens)
{
	struct socket *a, *b, *six;

	inet_testbed();
	a = udp4();
	b = udp4();
	six = udp6();
	CHECK_EQ(connect4(a, LOOP4, 9), 0);
	CHECK_EQ(send_to(a, NULL, "x", 1), 0);
	CHECK_EQ(send4(b, LOOP4, 9, "x"), 0);
	let_run();
	let_run();
	CHECK_EQ(a->so_error, ECONNREFUSED);
	CHECK_EQ(b->so_error, 0);
	/* It is told once, then goes on. */
	CHECK_EQ(send_to(a, NULL, "x", 1), ECONNREFUSED);
	CHECK_EQ(send_to(a, NULL, "x", 1), 0);
	CHECK_EQ(connect6(six, LOOP6, 9), 0);
	CHECK_EQ(send_to(six, NULL, "x", 1), 0);
	let_run();
	let_run();
	CHECK_EQ(six->so_error, ECONNREFUSED);
	CHECK_EQ(soclose(a) + soclose(b) + soclose(six), 0);
	testbed_end();
}

/* Quoted packets are checked before a socket hears of them. */
KTEST(errors_about_others_datagrams_are_nobodys)
{
	struct udphdr uh = {htons(5000), htons(7), htons(8), 0};
	struct ip_error e = {.error = ECONNREFUSED, .len = sizeof uh, .protocol = IPPROTO_UDP};
	struct sockaddr_in dst = sin4(THERE4, 0), src = sin4(HERE4, 0);
	struct socket *so;
	struct mbuf *m;

	inet_testbed();
	so = udp4();
	CHECK_EQ(bind4(so, HERE4, 5000), 0);
	CHECK_EQ(connect4(so, THERE4, 7), 0);
	m = m_devget(curmachine(), &uh, sizeof uh, 0);
	memcpy(&e.dst, &dst, sizeof dst);
	memcpy(&e.src, &src, sizeof src);
	e.m = m;
	e.len = 7;
	udp_transport.error(curmachine(), &e);
	CHECK_EQ(so->so_error, 0);
	e.len = sizeof uh;
	mtod(m, struct udphdr *)->uh_sport = htons(5001);
	udp_transport.error(curmachine(), &e);
	CHECK_EQ(so->so_error, 0);
	mtod(m, struct udphdr *)->uh_sport = htons(5000);
	/* The path is narrow: that is the route's business, unless it must not be cut in pieces. */
	e.error = EMSGSIZE;
	e.mtu = 600;
	udp_transport.error(curmachine(), &e);
	CHECK_EQ(so->so_error, 0);
	CHECK_EQ(set_int(so, IPPROTO_IP, IP_DONTFRAG, 1), 0);
	udp_transport.error(curmachine(), &e);
	CHECK_EQ(so->so_error, EMSGSIZE);
	e.error = EHOSTUNREACH;
	udp_transport.error(curmachine(), &e);
	CHECK_EQ(so->so_error, EHOSTUNREACH);
	m_freem(m);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

/* ---- to everybody ------------------------------------------------------------------------- */

KTEST(broadcasts_take_permission_and_reach_every_socket)
{
	struct sockaddr_in peer = sin4(THERE4, 7), net = sin4(IP4(10, 0, 0, 255), 5000);
	struct sockaddr_in all = sin4(INADDR_BROADCAST, 5000);
	struct socket *a, *b, *c, *here;

	inet_testbed();
	a = udp4();
	b = udp4();
	c = udp4();
	here = udp4();
	CHECK_EQ(send4(a, IP4(10, 0, 0, 255), 7, "x"), EACCES);
	CHECK_EQ(set_int(a, SOL_SOCKET, SO_BROADCAST, 1), 0);
	CHECK_EQ(send4(a, IP4(10, 0, 0, 255), 7, "x"), 0);
	CHECK_EQ(sent_ip()->ip_dst.s_addr, IP4(10, 0, 0, 255));
	CHECK_EQ(soclose(a), 0);
	a = udp4();
	CHECK_EQ(set_int(a, SOL_SOCKET, SO_REUSEPORT, 1), 0);
	CHECK_EQ(set_int(b, SOL_SOCKET, SO_REUSEPORT, 1), 0);
	CHECK_EQ(set_int(here, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	CHECK_EQ(bind4(a, INADDR_ANY, 5000), 0);
	CHECK_EQ(bind4(b, INADDR_ANY, 5000), 0);
	CHECK_EQ(bind4(c, INADDR_ANY, 5001), 0);
	CHECK_EQ(bind4(here, HERE4, 5000), 0);
	for (int i = 0; i < 2; i++) {
		come4(en7, &peer, i == 0 ? &net : &all, "all", -1);
		CHECK_STR(receive(a), "all");
		CHECK_STR(receive(b), "all");
		CHECK_STR(receive(c), "");
		CHECK_STR(receive(here), "");	/* bound to an address that is not everybody's */
	}
	/* One address: one socket. */
	net = sin4(HERE4, 5000);
	CHECK_EQ(soclose(here), 0);
	come4(en7, &peer, &net, "one", -1);
	CHECK_EQ((*receive(a) != '\0') + (*receive(b) != '\0'), 1);
	CHECK_EQ(soclose(a) + soclose(b) + soclose(c), 0);
	testbed_end();
}

static void
join4(struct socket *so, uint32_t group, uint32_t iface)
{
	struct ip_mreq r = {{group}, {iface}};

	CHECK_EQ(set_option(so, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof r), 0);
}

KTEST(multicasts_reach_every_member_and_nobody_else)
{
	struct sockaddr_in peer = sin4(THERE4, 7), group = sin4(GROUP4, 5000);
	struct socket *a, *b, *other_if, *no_member, *other_port;
	uint64_t clusters;
	struct core_memory mem;

	inet_testbed();
	a = udp4();
	b = udp4();
	other_if = udp4();
	no_member = udp4();
	other_port = udp4();
	come4(en7, &peer, &group, "early", -1);
	CHECK_EQ(ust()->udps_noportmcast, 1);
	CHECK_EQ(set_int(a, SOL_SOCKET, SO_REUSEPORT, 1), 0);
	CHECK_EQ(set_int(b, SOL_SOCKET, SO_REUSEPORT, 1), 0);
	CHECK_EQ(set_int(other_if, SOL_SOCKET, SO_REUSEPORT, 1), 0);
	CHECK_EQ(set_int(no_member, SOL_SOCKET, SO_REUSEPORT, 1), 0);
	CHECK_EQ(bind4(a, INADDR_ANY, 5000), 0);
	CHECK_EQ(bind4(b, GROUP4, 5000), 0);
	CHECK_EQ(bind4(other_if, INADDR_ANY, 5000), 0);
	CHECK_EQ(bind4(no_member, INADDR_ANY, 5000), 0);
	CHECK_EQ(bind4(other_port, INADDR_ANY, 5001), 0);
	join4(a, GROUP4, HERE4);
	join4(b, GROUP4, HERE4);
	join4(other_if, GROUP4, OTHER4);
	join4(other_port, GROUP4, HERE4);
	machine_memory(curmachine(), &mem);
	clusters = mem.clusters;
	come4(en7, &peer, &group, "members", -1);
	machine_memory(curmachine(), &mem);
	CHECK(mem.clusters <= clusters + 1);	/* the copies share it */
	CHECK_STR(receive(a), "members");
	CHECK_STR(receive(b), "members");
	CHECK_STR(receive(other_if), "");
	CHECK_STR(receive(no_member), "");
	CHECK_STR(receive(other_port), "");
	come4(fw7, &peer, &group, "there", -1);
	CHECK_STR(receive(a), "");
	CHECK_STR(receive(other_if), "there");
	/* Members whose sources are others are counted apart. */
	CHECK_EQ(soclose(a) + soclose(b), 0);
	come4(en7, &peer, &group, "late", -1);
	CHECK_EQ(ust()->udps_filtermcast, 1);
	CHECK_EQ(soclose(other_if) + soclose(no_member) + soclose(other_port), 0);
	testbed_end();
}

KTEST(multicasts_of_ones_own_come_back_unless_switched_off)
{
	struct in_addr iface = {HERE4};
	uint8_t ttl = 5, off = 0;
	struct socket *a, *b;

	inet_testbed();
	a = udp4();
	b = udp4();
	CHECK_EQ(bind4(a, INADDR_ANY, 5000), 0);
	join4(a, GROUP4, HERE4);
	let_run();
	forget(&sent);
	CHECK_EQ(set_option(b, IPPROTO_IP, IP_MULTICAST_IF, &iface, sizeof iface), 0);
	CHECK_EQ(send4(b, GROUP4, 5000, "hello"), 0);
	CHECK_EQ(sent.count, 1);
	CHECK_EQ(sent_ip()->ip_ttl, 1);
	CHECK_EQ(sent_ip()->ip_src.s_addr, HERE4);
	CHECK_STR(receive(a), "hello");
	CHECK_EQ(set_option(b, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl), 0);
	CHECK_EQ(set_option(b, IPPROTO_IP, IP_MULTICAST_LOOP, &off, sizeof off), 0);
	CHECK_EQ(send4(b, GROUP4, 5000, "away"), 0);
	CHECK_EQ(sent_ip()->ip_ttl, 5);
	CHECK_STR(receive(a), "");
	/* Without a word about multicast: time to live 1, too, and heard here. */
	CHECK_EQ(soclose(b), 0);
	b = udp4();
	CHECK_EQ(set_int(b, IPPROTO_IP, IP_BOUND_IF, (int)en7->index), 0);
	CHECK_EQ(send4(b, GROUP4, 5000, "plain"), 0);
	CHECK_EQ(sent_ip()->ip_ttl, 1);
	CHECK_STR(receive(a), "plain");
	CHECK_EQ(soclose(a) + soclose(b), 0);
	testbed_end();
}

KTEST(multicasts_of_ipv6_stay_on_their_link)
{
	struct in6_addr group = ip6_of("\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\x12\x34");
	struct ipv6_mreq r = {group, 0};
	struct sockaddr_in6 peer = sin6(NEXT6, 7), to = sin6(group, 5000);
	struct socket *a;

	inet_testbed();
	a = udp6();
	r.ipv6mr_interface = en7->index;
	CHECK_EQ(bind6(a, ANY6, 5000), 0);
	CHECK_EQ(set_option(a, IPPROTO_IPV6, IPV6_JOIN_GROUP, &r, sizeof r), 0);
	CHECK_EQ(set_option(a, IPPROTO_IPV6, IPV6_JOIN_GROUP, &r, sizeof r), EADDRINUSE);
	let_run();
	forget(&sent);
	come6(fw7, &peer, &to, "elsewhere", -1);
	CHECK_STR(receive(a), "");
	come6(en7, &peer, &to, "here", -1);
	CHECK_STR(receive(a), "here");
	CHECK_EQ(from6().sin6_scope_id, en7->index);
	CHECK(same6(from6().sin6_addr, NEXT6));
	/* The answer goes to that link, from the link's own address. */
	peer = from6();
	CHECK_EQ(send_to(a, SA(peer), "yes", 3), 0);
	CHECK_EQ(sent.count, 1);
	CHECK_EQ(memcmp(sent.m[0]->m_data + 8, &(struct in6_addr){LOCAL6.__u6_addr}, 16), 0);
	to = sin6_zone(group, 5000, en7);
	CHECK_EQ(send_to(a, SA(to), "all", 3), 0);
	CHECK_EQ(mtod(sent.m[1], const struct ip6_hdr *)->ip6_hlim, 1);
	CHECK_STR(receive(a), "all");
	CHECK_EQ(soclose(a), 0);
	testbed_end();
}

/* A group is nobody's source. */
KTEST(a_socket_bound_to_a_group_sends_from_its_interface)
{
	struct sockaddr_in peer = sin4(THERE4, 7), group = sin4(GROUP4, 5000);
	struct socket *so;

	inet_testbed();
	so = udp4();
	CHECK_EQ(bind4(so, GROUP4, 5000), 0);
	join4(so, GROUP4, HERE4);
	let_run();
	forget(&sent);
	CHECK_EQ(send4(so, THERE4, 7, "x"), 0);
	CHECK_EQ(sent_ip()->ip_src.s_addr, HERE4);
	CHECK_EQ(connect4(so, THERE4, 7), 0);
	CHECK_EQ(send_to(so, NULL, "x", 1), 0);
	CHECK_EQ(sent_ip()->ip_src.s_addr, HERE4);
	come4(en7, &peer, &group, "from the peer", -1);
	CHECK_STR(receive(so), "from the peer");
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

/* What comes back by lo0 has the zone of the address all the same. */
KTEST(link_local_addresses_of_ones_own_keep_their_zone)
{
	struct sockaddr_in6 to, from;
	struct socket *a, *b;

	inet_testbed();
	a = udp6();
	b = udp6();
	CHECK_EQ(bind6(a, ANY6, 5000), 0);
	to = sin6_zone(LOCAL6, 5000, en7);
	CHECK_EQ(send_to(b, SA(to), "ping", 4), 0);
	CHECK_STR(receive(a), "ping");
	from = from6();
	CHECK(same6(from.sin6_addr, LOCAL6));
	CHECK_EQ(from.sin6_scope_id, en7->index);
	CHECK_EQ(send_to(a, SA(from), "pong", 4), 0);
	CHECK_STR(receive(b), "pong");
	CHECK_EQ(sent.count, 0);
	CHECK_EQ(soclose(a) + soclose(b), 0);
	testbed_end();
}

/* ---- state -------------------------------------------------------------------------------- */

KTEST(requests_out_of_order_are_refused)
{
	struct sockaddr_in s = sin4(THERE4, 7);
	struct socket *so, *so6;

	inet_testbed();
	so = udp4();
	so6 = udp6();
	CHECK_EQ(send_to(so, NULL, "x", 1), EDESTADDRREQ);
	CHECK_EQ(send4(so, THERE4, 0, "x"), EADDRNOTAVAIL);
	CHECK_EQ(send6(so, THERE6, 7, "x"), EAFNOSUPPORT);
	CHECK_EQ(send4(so6, THERE4, 7, "x"), EAFNOSUPPORT);
	CHECK_EQ(send6(so6, NEXT6, 7, "x"), EHOSTUNREACH);
	s.sin_len = 12;
	CHECK_EQ(send_to(so, SA(s), "x", 1), EINVAL);
	CHECK_EQ(sodisconnect(so), ENOTCONN);
	CHECK_EQ(solisten(so, 1), EOPNOTSUPP);
	CHECK_EQ(connect4(so, THERE4, 7), 0);
	CHECK_EQ(soshutdown(so, SHUT_WR), 0);
	CHECK_EQ(send_to(so, NULL, "x", 1), EPIPE);
	CHECK_EQ(bind6(so6, HERE6, 5000), 0);
	CHECK_EQ(send6(so6, in6_mapped(THERE4), 7, "x"), EINVAL);
	CHECK_EQ(set_int(so6, IPPROTO_IPV6, IPV6_V6ONLY, 1), EINVAL);
	CHECK_EQ(soclose(so) + soclose(so6), 0);
	testbed_end();
}

/* A DHCP client's first words: no address yet, to everybody, by one interface. */
KTEST(without_an_address_one_can_still_ask_everybody_for_one)
{
	struct ifnet *bare;
	struct socket *so;

	inet_testbed();
	bare = make_interface("bare", 1500);
	so = udp4();
	CHECK_EQ(bind4(so, INADDR_ANY, 68), 0);
	CHECK_EQ(set_int(so, SOL_SOCKET, SO_BROADCAST, 1), 0);
	CHECK_EQ(set_int(so, IPPROTO_IP, IP_BOUND_IF, (int)bare->index), 0);
	CHECK_EQ(send4(so, INADDR_BROADCAST, 67, "discover"), 0);
	CHECK_EQ(sent.count, 1);
	CHECK_EQ(sent_ip()->ip_src.s_addr, INADDR_ANY);
	CHECK_EQ(sent_ip()->ip_dst.s_addr, INADDR_BROADCAST);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

/* What is refused before it leaves leaves nothing behind: no port is held for it. */
KTEST(a_datagram_that_cannot_be_sent_binds_nothing)
{
	struct sockaddr_in to = sin4(THERE4, 7);
	static const char big[65535];
	struct socket *so;
	size_t n;

	inet_testbed();
	so = udp4();
	CHECK_EQ(send4(so, IP4(192, 0, 2, 1), 7, "nowhere"), ENETUNREACH);
	CHECK_EQ(sotoinpcb(so)->inp_lport, 0);
	CHECK_EQ(set_int(so, SOL_SOCKET, SO_SNDBUF, 65535), 0);
	CHECK_EQ(send_to(so, SA(to), big, 65508), EMSGSIZE);
	CHECK_EQ(sotoinpcb(so)->inp_lport, 0);
	CHECK_EQ(sosend(so, SA(to), "x", 1, NULL, sbcreatecontrol(curmachine(), "", 1, IP_PKTINFO,
	    IPPROTO_IP), MSG_DONTWAIT, &n), EINVAL);
	CHECK_EQ(sotoinpcb(so)->inp_lport, 0);
	CHECK_EQ(send_to(so, SA(to), "x", 1), 0);
	CHECK(sotoinpcb(so)->inp_lport != 0);
	CHECK_EQ(soclose(so), 0);
	so = udp6();
	CHECK_EQ(send6(so, ip6_of("\x20\x01\x0d\xb8\0\x99\0\0\0\0\0\0\0\0\0\1"), 7, "nowhere"),
	    EHOSTUNREACH);
	CHECK_EQ(sotoinpcb(so)->inp_lport, 0);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

/* Connecting settled the local address; a group is another one. */
KTEST(a_connected_socket_hears_no_group_and_no_broadcast)
{
	struct sockaddr_in peer = sin4(THERE4, 7), group = sin4(GROUP4, 5000),
	    all = sin4(INADDR_BROADCAST, 5000);
	struct ip_mreq r = {{GROUP4}, {HERE4}};
	struct socket *so;

	inet_testbed();
	so = udp4();
	CHECK_EQ(bind4(so, INADDR_ANY, 5000), 0);
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof r), 0);
	come4(en7, &peer, &group, "to all", -1);
	CHECK_STR(receive(so), "to all");
	CHECK_EQ(connect4(so, THERE4, 7), 0);
	come4(en7, &peer, &group, "to all", -1);
	come4(en7, &peer, &all, "to all", -1);
	CHECK_STR(receive(so), "");
	CHECK_EQ(sodisconnect(so), 0);
	come4(en7, &peer, &group, "again", -1);
	CHECK_STR(receive(so), "again");
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

KTEST_SUITE(udp, T(datagrams_go_round_by_lo0), T(datagrams_of_ipv6_go_round_by_lo0),
    T(a_connected_socket_hears_its_peer_only), T(the_source_fits_the_way),
    T(checksums_that_leave_are_right), T(wrong_checksums_are_refused_and_counted),
    T(what_the_hardware_says_of_a_checksum_counts), T(lengths_that_do_not_fit_are_refused),
    T(a_datagram_ends_where_it_says), T(what_is_too_long_is_not_sent),
    T(a_full_socket_drops_and_counts), T(nobody_listens_and_the_sender_is_told),
    T(a_connected_sender_is_told_that_nobody_listens),
    T(errors_about_others_datagrams_are_nobodys),
    T(broadcasts_take_permission_and_reach_every_socket),
    T(multicasts_reach_every_member_and_nobody_else),
    T(multicasts_of_ones_own_come_back_unless_switched_off),
    T(multicasts_of_ipv6_stay_on_their_link),
    T(a_socket_bound_to_a_group_sends_from_its_interface),
    T(link_local_addresses_of_ones_own_keep_their_zone), T(requests_out_of_order_are_refused),
    T(without_an_address_one_can_still_ask_everybody_for_one),
    T(a_datagram_that_cannot_be_sent_binds_nothing),
    T(a_connected_socket_hears_no_group_and_no_broadcast));
