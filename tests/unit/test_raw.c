/* src/netinet/raw_ip.c, icmp_dgram.c, src/netinet6/raw_ip6.c: raw sockets, and echo without privilege. */
#include <netinet/ip_icmp.h>

#include "src/netinet/raw_private.h"
#include "tests/unit/inet_testing.h"

/* What was received last, as IPv4 header and what is behind it. */
static const struct ip *
got_ip(void)
{
	return (const struct ip *)(const void *)got;
}

static void
come_raw(uint8_t protocol, uint32_t dst, size_t len)
{
	struct spec4 s = {.protocol = protocol, .dst = dst, .len = len, .id = 77, .off = IP_DF};

	receive4(&s);
}

static errno_t
try_socket(int family, int type, int protocol)
{
	struct socket *so;
	errno_t error = socreate(curmachine(), family, type, protocol, &so);

	if (error == 0)
		CHECK_EQ(soclose(so), 0);
	return error;
}

/* ---- raw IPv4 ----------------------------------------------------------------------------- */

KTEST(every_raw_socket_that_wants_a_datagram_gets_a_copy)
{
	struct socket *a, *b, *any, *bound, *peer, *other;

	inet_testbed();
	a = make_socket(PF_INET, SOCK_RAW, 253);
	b = make_socket(PF_INET, SOCK_RAW, 253);
	any = make_socket(PF_INET, SOCK_RAW, 0);
	bound = make_socket(PF_INET, SOCK_RAW, 253);
	peer = make_socket(PF_INET, SOCK_RAW, 253);
	other = make_socket(PF_INET, SOCK_RAW, 254);
	CHECK_EQ(bind4(bound, THERE4, 0), EADDRNOTAVAIL);
	CHECK_EQ(bind4(bound, OTHER4, 0), 0);
	CHECK_EQ(connect4(peer, FAR4, 0), 0);
	come_raw(253, 0, 40);
	(void)receive(a);
	CHECK_EQ(rcv.len, 60);
	/* Interface fact: as the host counts, and without the header. */
	CHECK_EQ(got_ip()->ip_len, 40);
	CHECK_EQ(got_ip()->ip_off, IP_DF);
	CHECK_EQ(got_ip()->ip_p, 253);
	CHECK_EQ(got_ip()->ip_src.s_addr, THERE4);
	CHECK_EQ(from4()->sin_addr.s_addr, THERE4);
	CHECK_EQ(from4()->sin_port, 0);
	(void)receive(b);
	CHECK_EQ(rcv.len, 60);
	(void)receive(any);
	CHECK_EQ(rcv.len, 60);
	(void)receive(bound);
	CHECK_EQ(rcv.len, 0);
	(void)receive(peer);
	CHECK_EQ(rcv.len, 0);
	(void)receive(other);
	CHECK_EQ(rcv.len, 0);
	CHECK_EQ(set_int(a, IPPROTO_IP, IP_STRIPHDR, 1), 0);
	come_raw(253, OTHER4, 40);
	(void)receive(a);
	CHECK_EQ(rcv.len, 40);
	CHECK_EQ((uint8_t)got[1], pattern_at(1));
	(void)receive(bound);
	CHECK_EQ(rcv.len, 60);
	CHECK_EQ(st4()->ips_noproto, 0);
	CHECK_EQ(soclose(a) + soclose(b) + soclose(bound) + soclose(peer) + soclose(other), 0);
	CHECK_EQ(soclose(any), 0);
	/* Nobody is left: the sender is told that there is no such protocol. */
	come_raw(253, 0, 40);
	CHECK_EQ(st4()->ips_noproto, 1);
	testbed_end();
}

KTEST(raw_sockets_see_icmp_that_is_answered_or_not)
{
	uint8_t reply[16] = {ICMP_ECHOREPLY, 0, 0, 0, 1, 2, 3, 4};
	struct spec4 s = {.protocol = IPPROTO_ICMP, .len = sizeof reply};
	struct socket *so;
	struct mbuf *m;
	uint16_t sum;

	inet_testbed();
	so = make_socket(PF_INET, SOCK_RAW, IPPROTO_ICMP);
	m = make4(&s);
	sum = in_cksum_buf(reply, sizeof reply);
	memcpy(reply + 2, &sum, sizeof sum);
	memcpy(m->m_data + sizeof(struct ip), reply, sizeof reply);
	ip_input(curmachine(), m);
	(void)receive(so);
	CHECK_EQ(rcv.len, sizeof(struct ip) + sizeof reply);
	CHECK_EQ(memcmp(got + sizeof(struct ip), reply, sizeof reply), 0);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

KTEST(raw_sockets_send_with_a_header_of_the_stack_or_their_own)
{
	uint8_t packet[40];
	struct ip *ip = (struct ip *)(void *)packet;
	struct sockaddr_in to = sin4(THERE4, 0);
	const struct ip *out;
	struct socket *so;

	inet_testbed();
	so = make_socket(PF_INET, SOCK_RAW, 253);
	CHECK_EQ(send_to(so, NULL, "x", 1), EDESTADDRREQ);
	CHECK_EQ(set_int(so, IPPROTO_IP, IP_TTL, 7), 0);
	CHECK_EQ(set_int(so, IPPROTO_IP, IP_TOS, 0x10), 0);
	CHECK_EQ(send_to(so, SA(to), "payload", 7), 0);
	out = mtod(sent.m[0], const struct ip *);
	CHECK_EQ(out->ip_p, 253);
	CHECK_EQ(out->ip_ttl, 7);
	CHECK_EQ(out->ip_tos, 0x10);
	CHECK_EQ(out->ip_len, htons(27));
	CHECK_EQ(out->ip_src.s_addr, HERE4);
	CHECK_EQ(in_cksum_part(sent.m[0], 0, 20), 0);
	/* The user's own. */
	CHECK_EQ(set_int(so, IPPROTO_IP, IP_HDRINCL, 1), 0);
	CHECK_EQ(get_int(so, IPPROTO_IP, IP_HDRINCL), 1);
	memset(packet, 0, sizeof packet);
	packet[0] = 0x45;
	ip->ip_len = sizeof packet;
	ip->ip_off = IP_DF;
	ip->ip_ttl = 99;
	ip->ip_p = 252;
	ip->ip_dst.s_addr = THERE4;
	for (int order = 0; order < 2; order++) {
		CHECK_EQ(send_to(so, SA(to), packet, sizeof packet), 0);
		out = mtod(sent.m[1 + order], const struct ip *);
		CHECK_EQ(out->ip_len, htons(sizeof packet));
		CHECK_EQ(out->ip_off, htons(IP_DF));
		CHECK_EQ(out->ip_ttl, 99);
		CHECK_EQ(out->ip_p, 252);
		CHECK(out->ip_id != 0);
		CHECK_EQ(out->ip_src.s_addr, HERE4);
		CHECK_EQ(in_cksum_part(sent.m[1 + order], 0, 20), 0);
		ip->ip_len = htons(sizeof packet);
		ip->ip_off = htons(IP_DF);
	}
	ip->ip_src.s_addr = IP4(198, 51, 100, 1);
	ip->ip_id = htons(1234);
	CHECK_EQ(send_to(so, SA(to), packet, sizeof packet), 0);
	out = mtod(sent.m[3], const struct ip *);
	CHECK_EQ(out->ip_src.s_addr, IP4(198, 51, 100, 1));
	CHECK_EQ(out->ip_id, htons(1234));
	/* What does not hold together. */
	ip->ip_len = 41;
	CHECK_EQ(send_to(so, SA(to), packet, sizeof packet), EINVAL);
	ip->ip_len = sizeof packet;
	packet[0] = 0x44;
	CHECK_EQ(send_to(so, SA(to), packet, sizeof packet), EINVAL);
	packet[0] = 0x4b;
	CHECK_EQ(send_to(so, SA(to), packet, sizeof packet), EINVAL);
	CHECK_EQ(send_to(so, SA(to), packet, 19), EINVAL);
	CHECK_EQ(sent.count, 4);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

KTEST(raw_sockets_take_privilege)
{
	struct nke *m = curmachine();
	struct socket *so, *raw;

	inet_testbed();
	so = make_socket(PF_INET, SOCK_RAW, 253);
	raw = make_socket(PF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	CHECK_EQ(soclose(raw), 0);
	/* The switch is asked directly: nobody in a machine is but the superuser. */
	so->so_uid = 501;
	so->so_state &= (uint16_t)~SS_PRIV;
	so->so_proto->pr_usrreqs->pru_detach(so);
	CHECK_EQ(so->so_proto->pr_usrreqs->pru_attach(so, 253), EPERM);
	so->so_uid = 0;
	CHECK_EQ(so->so_proto->pr_usrreqs->pru_attach(so, 256), EPROTONOSUPPORT);
	CHECK_EQ(so->so_proto->pr_usrreqs->pru_attach(so, -1), EPROTONOSUPPORT);
	m->rip->maxdgram = 20000;
	CHECK_EQ(so->so_proto->pr_usrreqs->pru_attach(so, 253), 0);
	CHECK_EQ(so->so_snd.sb_hiwat, 20000);
	CHECK_EQ(soclose(so), 0);
	CHECK(!rip_wants(m, 253));
	CHECK(try_socket(PF_INET, SOCK_RAW, 4711) != 0);
	testbed_end();
}

/* ---- raw IPv6 ----------------------------------------------------------------------------- */

KTEST(raw_sockets_of_ipv6_make_and_check_checksums)
{
	uint8_t data[12] = {1, 2, 3, 4, 0, 0, 7, 8, 9, 10, 11, 12};
	struct sockaddr_in6 to = sin6(THERE6, 0);
	struct in6_addr src = THERE6, dst = HERE6;
	struct spec6 s = {.next = 253, .len = sizeof data};
	struct socket *so, *icmp;
	struct mbuf *m;
	uint16_t sum;

	inet_testbed();
	so = make_socket(PF_INET6, SOCK_RAW, 253);
	icmp = make_socket(PF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
	CHECK_EQ(get_int(so, IPPROTO_IPV6, IPV6_CHECKSUM), -1);
	CHECK_EQ(set_int(so, IPPROTO_IPV6, IPV6_CHECKSUM, 3), EINVAL);
	CHECK_EQ(set_int(icmp, IPPROTO_IPV6, IPV6_CHECKSUM, 4), EINVAL);
	CHECK_EQ(get_int(icmp, IPPROTO_IPV6, IPV6_CHECKSUM), 2);
	CHECK_EQ(set_int(so, IPPROTO_IPV6, IPV6_CHECKSUM, 4), 0);
	CHECK_EQ(send_to(so, SA(to), data, sizeof data), 0);
	CHECK_EQ(sent.count, 1);
	CHECK_EQ(in_cksum_sum(sent.m[0], 40, sizeof data,
	    in6_pseudo(&dst, &src, 253, sizeof data)), 0xffff);
	CHECK_EQ(send_to(so, SA(to), data, 5), EINVAL);
	/* In what comes it is checked. */
	m = make6(&s);
	memcpy(m->m_data + 40, data, sizeof data);
	ip6_input(curmachine(), m);
	(void)receive(so);
	CHECK_EQ(rcv.len, 0);
	m = make6(&s);
	memcpy(m->m_data + 40, data, sizeof data);
	sum = (uint16_t)~in_cksum_sum(m, 40, sizeof data, in6_pseudo(&src, &dst, 253, sizeof data));
	memcpy(m->m_data + 44, &sum, sizeof sum);
	ip6_input(curmachine(), m);
	(void)receive(so);
	CHECK_EQ(rcv.len, sizeof data);
	CHECK_EQ(got[0], 1);
	CHECK(same6(from6().sin6_addr, THERE6));
	CHECK_EQ(soclose(so) + soclose(icmp), 0);
	testbed_end();
}

static void
come_icmp6(uint8_t type)
{
	struct in6_addr src = THERE6, dst = HERE6;
	struct spec6 s = {.next = IPPROTO_ICMPV6, .len = 16};
	struct mbuf *m = make6(&s);
	uint16_t sum = 0;

	m->m_data[40] = (char)type;
	m->m_data[41] = 0;
	memcpy(m->m_data + 42, &sum, sizeof sum);
	sum = (uint16_t)~in_cksum_sum(m, 40, 16, in6_pseudo(&src, &dst, IPPROTO_ICMPV6, 16));
	memcpy(m->m_data + 42, &sum, sizeof sum);
	ip6_input(curmachine(), m);
}

KTEST(the_filter_says_which_icmpv6_comes)
{
	struct icmp6_filter f;
	struct sockopt get = {SOPT_GET, IPPROTO_ICMPV6, ICMP6_FILTER, &f, sizeof f};
	struct socket *so, *other;

	inet_testbed();
	so = make_socket(PF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
	other = make_socket(PF_INET6, SOCK_RAW, 253);
	come_icmp6(ICMP6_ECHO_REPLY);
	(void)receive(so);
	CHECK_EQ(rcv.len, 16);
	CHECK_EQ((uint8_t)got[0], ICMP6_ECHO_REPLY);
	ICMP6_FILTER_SETBLOCKALL(&f);
	ICMP6_FILTER_SETPASS(ICMP6_NI_REPLY, &f);
	CHECK_EQ(set_option(other, IPPROTO_ICMPV6, ICMP6_FILTER, &f, sizeof f), EINVAL);
	CHECK_EQ(set_option(so, IPPROTO_ICMPV6, ICMP6_FILTER, &f, 4), EINVAL);
	CHECK_EQ(set_option(so, IPPROTO_ICMPV6, 99, &f, sizeof f), ENOPROTOOPT);
	CHECK_EQ(set_option(so, IPPROTO_ICMPV6, ICMP6_FILTER, &f, sizeof f), 0);
	memset(&f, 0, sizeof f);
	CHECK_EQ(sogetopt(so, &get), 0);
	CHECK(ICMP6_FILTER_WILLPASS(ICMP6_NI_REPLY, &f));
	come_icmp6(ICMP6_ECHO_REPLY);
	(void)receive(so);
	CHECK_EQ(rcv.len, 0);
	come_icmp6(ICMP6_NI_REPLY);
	(void)receive(so);
	CHECK_EQ(rcv.len, 16);
	CHECK_EQ(soclose(so) + soclose(other), 0);
	testbed_end();
}

/* ---- ICMP datagram sockets ---------------------------------------------------------------- */

static const uint8_t request[16] = {ICMP_ECHO, 0, 0, 0, 0x12, 0x34, 0, 1, 'a', 'b', 'c', 'd', 'e', 'f'};

KTEST(echo_works_without_privilege_and_each_gets_its_own)
{
	struct sockaddr_in lo = sin4(LOOP4, 0), to = sin4(THERE4, 0);
	struct socket *a, *b;
	uint16_t id_a, id_b;
	uint8_t bad[16];

	inet_testbed();
	a = make_socket(PF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	b = make_socket(PF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	memcpy(bad, request, sizeof bad);
	bad[0] = ICMP_TSTAMP;
	CHECK_EQ(send_to(a, SA(to), bad, sizeof bad), EPERM);
	CHECK_EQ(send_to(a, SA(to), request, 7), EINVAL);
	/* The same number by two users: two numbers on the wire, with right sums. */
	CHECK_EQ(send_to(a, SA(to), request, sizeof request), 0);
	CHECK_EQ(send_to(b, SA(to), request, sizeof request), 0);
	CHECK_EQ(sent.count, 2);
	CHECK_EQ(m_copydata(sent.m[0], 24, 2, &id_a), 0);
	CHECK_EQ(m_copydata(sent.m[1], 24, 2, &id_b), 0);
	CHECK(id_a != id_b);
	CHECK_EQ(in_cksum_part(sent.m[0], 20, 16), 0);
	CHECK_EQ(mtod(sent.m[0], const struct ip *)->ip_p, IPPROTO_ICMP);
	/* To this machine, which answers. */
	CHECK_EQ(send_to(a, SA(lo), request, sizeof request), 0);
	let_run();
	let_run();
	(void)receive(b);
	CHECK_EQ(rcv.len, 0);
	(void)receive(a);
	CHECK_EQ(rcv.len, 36);
	CHECK_EQ(got[20], ICMP_ECHOREPLY);
	CHECK_EQ(memcmp(got + 24, request + 4, 12), 0);
	CHECK_EQ(in_cksum_buf(got + 20, 16), 0);
	CHECK_EQ(from4()->sin_addr.s_addr, LOOP4);
	/* Connected, without the header. */
	CHECK_EQ(set_int(a, IPPROTO_IP, IP_STRIPHDR, 1), 0);
	CHECK_EQ(connect4(a, LOOP4, 0), 0);
	CHECK_EQ(send_to(a, NULL, request, sizeof request), 0);
	let_run();
	let_run();
	(void)receive(a);
	CHECK_EQ(rcv.len, 16);
	CHECK_EQ(soclose(a) + soclose(b), 0);
	testbed_end();
}

KTEST(echo_sockets_hear_of_errors_about_their_requests)
{
	struct sockaddr_in to = sin4(FAR4, 0);
	struct spec4 s = {.src = IP4(10, 0, 0, 3), .protocol = IPPROTO_ICMP, .len = 8 + 20 + 16};
	struct socket *so;
	struct mbuf *m;
	uint16_t sum = 0;

	inet_testbed();
	CHECK_EQ(route_set_default(curmachine(), AF_INET, en7, NULL), 0);
	so = make_socket(PF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	CHECK_EQ(send_to(so, SA(to), request, sizeof request), 0);
	m = make4(&s);
	memset(m->m_data + 20, 0, 8);
	m->m_data[20] = ICMP_TIMXCEED;
	CHECK_EQ(m_copydata(sent.m[0], 0, 36, m->m_data + 28), 0);
	sum = in_cksum_part(m, 20, 44);
	memcpy(m->m_data + 22, &sum, sizeof sum);
	ip_input(curmachine(), m);
	(void)receive(so);
	CHECK_EQ(rcv.len, 64);
	CHECK_EQ(got[20], ICMP_TIMXCEED);
	CHECK_EQ(memcmp(got + 28 + 20 + 4, request + 4, 4), 0);
	CHECK_EQ(from4()->sin_addr.s_addr, IP4(10, 0, 0, 3));
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

KTEST(echo_of_ipv6_works_without_privilege)
{
	struct sockaddr_in6 lo = sin6(LOOP6, 0), to = sin6(THERE6, 0);
	struct in6_addr src = HERE6, dst = THERE6;
	uint8_t ask[16];
	struct socket *so;

	inet_testbed();
	memcpy(ask, request, sizeof ask);
	so = make_socket(PF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6);
	CHECK_EQ(send_to(so, SA(to), ask, sizeof ask), EPERM);
	ask[0] = ICMP6_ECHO_REQUEST;
	CHECK_EQ(send_to(so, SA(to), ask, sizeof ask), 0);
	CHECK_EQ(in_cksum_sum(sent.m[0], 40, 16, in6_pseudo(&src, &dst, IPPROTO_ICMPV6, 16)), 0xffff);
	CHECK_EQ(send_to(so, SA(lo), ask, sizeof ask), 0);
	let_run();
	let_run();
	(void)receive(so);
	CHECK_EQ(rcv.len, 16);
	CHECK_EQ((uint8_t)got[0], ICMP6_ECHO_REPLY);
	CHECK_EQ(memcmp(got + 4, ask + 4, 12), 0);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

/* Messages of every length and kind: none reads beyond its end. */
KTEST(icmp_of_any_shape_does_no_harm_to_echo_sockets)
{
	struct sockaddr_in to = sin4(THERE4, 0);
	struct socket *so, *raw;

	inet_testbed();
	so = make_socket(PF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	raw = make_socket(PF_INET, SOCK_RAW, IPPROTO_ICMP);
	CHECK_EQ(send_to(so, SA(to), request, sizeof request), 0);
	for (size_t len = 0; len < 60; len++) {
		for (unsigned type = 0; type < 19; type++) {
			struct spec4 s = {.protocol = IPPROTO_ICMP, .len = len};
			struct mbuf *m = make4(&s);

			if (len != 0)
				m->m_data[20] = (char)type;
			if (len > 28)
				m->m_data[28] = (char)(0x40 | (len & 0xf));
			if (len > 38)
				m->m_data[37] = IPPROTO_ICMP;
			rip_input(curmachine(), m, 20, IPPROTO_ICMP);
			(void)receive(so);
			(void)receive(raw);
		}
	}
	CHECK_EQ(soclose(so) + soclose(raw), 0);
	testbed_end();
}

KTEST(an_echo_that_cannot_be_sent_takes_no_identifier)
{
	struct sockaddr_in nowhere = sin4(IP4(192, 0, 2, 1), 0);
	struct socket *so;

	inet_testbed();
	so = make_socket(PF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	CHECK_EQ(send_to(so, SA(nowhere), request, sizeof request), ENETUNREACH);
	CHECK_EQ(sotoinpcb(so)->inp_lport, 0);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

KTEST_SUITE(raw, T(every_raw_socket_that_wants_a_datagram_gets_a_copy),
    T(raw_sockets_see_icmp_that_is_answered_or_not),
    T(raw_sockets_send_with_a_header_of_the_stack_or_their_own), T(raw_sockets_take_privilege),
    T(raw_sockets_of_ipv6_make_and_check_checksums), T(the_filter_says_which_icmpv6_comes),
    T(echo_works_without_privilege_and_each_gets_its_own),
    T(echo_sockets_hear_of_errors_about_their_requests), T(echo_of_ipv6_works_without_privilege),
    T(icmp_of_any_shape_does_no_harm_to_echo_sockets),
    T(an_echo_that_cannot_be_sent_takes_no_identifier));
