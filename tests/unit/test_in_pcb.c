/* src/netinet/in_pcb*.c: binding by BSD's rules, ports, connecting, and finding the socket for a packet. */
#include "tests/unit/inet_testing.h"

#define RA	SO_REUSEADDR
#define RP	SO_REUSEPORT

/* ---- binding ------------------------------------------------------------------------------ */

/* What a socket is bound to: family, address by a letter. */
struct party {
	/*
	 * 'a' 0.0.0.0, 'h' 10.0.0.1, 'o' 10.1.0.1, 'm' 224.1.1.1; 'A' ::, '6' :: with IPV6_V6ONLY,
	 * 'H' 2001:db8::1, 'L' fe80::1%en7, 'M' ff02::5%en7, 'p' ::ffff:10.0.0.1
	 */
	char kind;
	int options;
};

static errno_t
bind_party(struct socket *so, const struct party *p)
{
	struct in6_addr mapped = in6_mapped(HERE4);
	struct in6_addr group = ip6_of("\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\5");
	struct sockaddr_in6 s;

	if (p->options != 0) {
		if (p->options & RA)
			CHECK_EQ(set_int(so, SOL_SOCKET, SO_REUSEADDR, 1), 0);
		if (p->options & RP)
			CHECK_EQ(set_int(so, SOL_SOCKET, SO_REUSEPORT, 1), 0);
	}
	switch (p->kind) {
	case 'a':
		return bind4(so, INADDR_ANY, 5000);
	case 'h':
		return bind4(so, HERE4, 5000);
	case 'o':
		return bind4(so, OTHER4, 5000);
	case 'm':
		return bind4(so, IP4(224, 1, 1, 1), 5000);
	case '6':
		CHECK_EQ(set_int(so, IPPROTO_IPV6, IPV6_V6ONLY, 1), 0);
		return bind6(so, ANY6, 5000);
	case 'A':
		return bind6(so, ANY6, 5000);
	case 'H':
		return bind6(so, HERE6, 5000);
	case 'p':
		return bind6(so, mapped, 5000);
	default:
		s = sin6_zone(p->kind == 'L' ? LOCAL6 : group, 5000, en7);
		return sobind(so, SA(s));
	}
}

static struct socket *
socket_of(const struct party *p)
{
	return strchr("ahom", p->kind) != NULL ? udp4() : udp6();
}

KTEST(two_sockets_share_a_port_as_bsd_lets_them)
{
	static const struct {
		struct party first, second;
		errno_t error;
	} cases[] = {
		/* neither reuses: any overlap is one too many */
		{{'a', 0}, {'a', 0}, EADDRINUSE},
		{{'a', 0}, {'h', 0}, EADDRINUSE},
		{{'h', 0}, {'a', 0}, EADDRINUSE},
		{{'h', 0}, {'h', 0}, EADDRINUSE},
		{{'h', 0}, {'o', 0}, 0},
		/* the newer reuses addresses: only the very same one is taken */
		{{'a', 0}, {'h', RA}, 0},
		{{'h', 0}, {'a', RA}, 0},
		{{'a', 0}, {'a', RA}, EADDRINUSE},
		{{'h', 0}, {'h', RA}, EADDRINUSE},
		{{'h', RA}, {'h', RA}, EADDRINUSE},
		{{'a', RA}, {'h', 0}, EADDRINUSE},
		/* ports are shared when both say so */
		{{'h', RP}, {'h', RP}, 0},
		{{'a', RP}, {'a', RP}, 0},
		{{'a', RP}, {'h', RP}, 0},
		{{'h', 0}, {'h', RP}, EADDRINUSE},
		{{'h', RP}, {'h', 0}, EADDRINUSE},
		{{'h', RP}, {'h', RA}, EADDRINUSE},
		{{'h', RA}, {'h', RP}, EADDRINUSE},
		/* to a group both options are good */
		{{'m', 0}, {'m', 0}, EADDRINUSE},
		{{'m', RA}, {'m', RA}, 0},
		{{'m', RP}, {'m', RP}, 0},
		{{'m', RA}, {'m', RP}, EADDRINUSE},
		{{'m', RP}, {'m', RA}, 0},
		{{'m', RA}, {'m', 0}, EADDRINUSE},
		{{'M', RA}, {'M', RA}, 0},
		{{'M', 0}, {'M', 0}, EADDRINUSE},
		/* IPv6 alone */
		{{'A', 0}, {'A', 0}, EADDRINUSE},
		{{'A', 0}, {'H', 0}, EADDRINUSE},
		{{'H', 0}, {'A', RA}, 0},
		{{'H', 0}, {'L', 0}, 0},
		{{'H', RP}, {'H', RP}, 0},
		{{'L', 0}, {'L', 0}, EADDRINUSE},
		/* the families and each other */
		{{'a', 0}, {'A', 0}, 0},
		{{'A', 0}, {'a', 0}, 0},
		{{'6', 0}, {'a', 0}, 0},
		{{'6', 0}, {'h', 0}, 0},
		{{'A', 0}, {'h', 0}, EADDRINUSE},
		{{'h', 0}, {'A', 0}, 0},
		{{'h', 0}, {'H', 0}, 0},
		{{'p', 0}, {'h', 0}, EADDRINUSE},
		{{'h', 0}, {'p', 0}, EADDRINUSE},
		{{'a', 0}, {'p', 0}, EADDRINUSE},
		{{'a', 0}, {'p', RA}, 0},
		{{'p', RP}, {'h', RP}, 0},
		{{'p', 0}, {'H', 0}, 0},
		{{'p', 0}, {'6', 0}, 0}
	};

	inet_testbed();
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct socket *a = socket_of(&cases[i].first), *b = socket_of(&cases[i].second);

		CHECK_EQ(bind_party(a, &cases[i].first), 0);
		/* The case that fails is told by what it got and its number. */
		CHECK_EQ(i * 1000 + (unsigned)bind_party(b, &cases[i].second),
		    i * 1000 + (unsigned)cases[i].error);
		CHECK_EQ(soclose(a), 0);
		CHECK_EQ(soclose(b), 0);
	}
	testbed_end();
}

KTEST(a_connected_socket_is_in_the_way_of_those_that_reuse_nothing)
{
	struct socket *a, *b, *c;

	inet_testbed();
	a = udp4();
	b = udp4();
	c = udp4();
	CHECK_EQ(bind4(a, HERE4, 5000), 0);
	CHECK_EQ(connect4(a, THERE4, 7), 0);
	CHECK_EQ(bind4(b, HERE4, 5000), EADDRINUSE);
	CHECK_EQ(set_int(c, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	CHECK_EQ(bind4(c, HERE4, 5000), 0);
	/* Once it is not connected any more it is in the way as before. */
	CHECK_EQ(soclose(c), 0);
	CHECK_EQ(sodisconnect(a), 0);
	CHECK_EQ(bind4(a, HERE4, 5000), EINVAL);
	c = udp4();
	CHECK_EQ(set_int(c, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	CHECK_EQ(bind4(c, HERE4, 5000), EADDRINUSE);
	CHECK_EQ(soclose(a) + soclose(b) + soclose(c), 0);
	testbed_end();
}

KTEST(another_users_port_is_not_shared)
{
	struct socket *a, *b;

	inet_testbed();
	a = udp4();
	b = udp4();
	a->so_uid = 501;
	b->so_uid = 502;
	CHECK_EQ(set_int(a, SOL_SOCKET, SO_REUSEPORT, 1), 0);
	CHECK_EQ(set_int(b, SOL_SOCKET, SO_REUSEPORT, 1), 0);
	CHECK_EQ(bind4(a, HERE4, 5000), 0);
	CHECK_EQ(bind4(b, HERE4, 5000), EADDRINUSE);
	CHECK_EQ(connect4(a, THERE4, 7), 0);
	CHECK_EQ(bind4(b, HERE4, 5000), EADDRINUSE);
	b->so_uid = 501;
	CHECK_EQ(bind4(b, HERE4, 5000), 0);
	CHECK_EQ(soclose(a) + soclose(b), 0);
	testbed_end();
}

KTEST(bind_refuses_what_is_no_address_of_ours)
{
	struct sockaddr_in s;
	struct sockaddr_in6 s6;
	struct socket *so, *so6;

	inet_testbed();
	so = udp4();
	so6 = udp6();
	CHECK_EQ(bind4(so, THERE4, 5000), EADDRNOTAVAIL);
	CHECK_EQ(bind6(so, HERE6, 5000), EAFNOSUPPORT);
	CHECK_EQ(bind4(so6, HERE4, 5000), EAFNOSUPPORT);
	CHECK_EQ(bind6(so6, THERE6, 5000), EADDRNOTAVAIL);
	s = sin4(HERE4, 5000);
	s.sin_len = 8;
	CHECK_EQ(sobind(so, SA(s)), EINVAL);
	s6 = sin6(HERE6, 5000);
	s6.sin6_len = 24;
	CHECK_EQ(sobind(so6, SA(s6)), EINVAL);
	/* A link-local address: which link? */
	CHECK_EQ(bind6(so6, LOCAL6, 5000), EADDRNOTAVAIL);
	s6 = sin6_zone(LOCAL6, 5000, fw7);
	CHECK_EQ(sobind(so6, SA(s6)), EADDRNOTAVAIL);
	s6.sin6_scope_id = 99;
	CHECK_EQ(sobind(so6, SA(s6)), EADDRNOTAVAIL);
	s6 = sin6_zone(LOCAL6, 5000, en7);
	CHECK_EQ(sobind(so6, SA(s6)), 0);
	CHECK_EQ(bind4(so, HERE4, 5000), 0);
	CHECK_EQ(bind4(so, HERE4, 5001), EINVAL);
	CHECK_EQ(soclose(so) + soclose(so6), 0);
	/* IPv4 through IPv6, when it was not wanted. */
	so6 = udp6();
	CHECK_EQ(set_int(so6, IPPROTO_IPV6, IPV6_V6ONLY, 1), 0);
	CHECK_EQ(bind6(so6, in6_mapped(HERE4), 5000), EADDRNOTAVAIL);
	CHECK_EQ(soclose(so6), 0);
	testbed_end();
}

/* ---- ports -------------------------------------------------------------------------------- */

static uint16_t
port_of(struct socket *so)
{
	struct sockaddr_storage ss;

	CHECK_EQ(sogetsockname(so, &ss), 0);
	return ntohs(((const struct sockaddr_in *)(const void *)&ss)->sin_port);
}

KTEST(reserved_ports_take_privilege)
{
	struct socket *a, *b;

	inet_testbed();
	a = udp4();
	b = udp6();
	a->so_uid = b->so_uid = 501;
	a->so_state &= (uint16_t)~SS_PRIV;
	b->so_state &= (uint16_t)~SS_PRIV;
	CHECK_EQ(bind4(a, HERE4, 1023), EACCES);
	CHECK_EQ(bind6(b, ANY6, 1), EACCES);
	CHECK_EQ(set_int(a, IPPROTO_IP, IP_PORTRANGE, IP_PORTRANGE_LOW), 0);
	CHECK_EQ(bind4(a, HERE4, 0), EACCES);
	a->so_uid = 0;
	CHECK_EQ(bind4(a, HERE4, 0), 0);
	CHECK(port_of(a) >= IPPORT_RESERVEDSTART && port_of(a) < IPPORT_RESERVED);
	b->so_state |= SS_PRIV;
	CHECK_EQ(bind6(b, ANY6, 1), 0);
	CHECK_EQ(soclose(a) + soclose(b), 0);
	testbed_end();
}

KTEST(ports_are_chosen_at_random_from_the_range)
{
	struct socket *so[64];
	unsigned in_order = 0;

	inet_testbed();
	for (unsigned i = 0; i < 64; i++) {
		so[i] = udp4();
		CHECK_EQ(bind4(so[i], INADDR_ANY, 0), 0);
		CHECK(port_of(so[i]) >= IPPORT_HIFIRSTAUTO);
		for (unsigned j = 0; j < i; j++)
			CHECK(port_of(so[i]) != port_of(so[j]));
		in_order += i != 0 && port_of(so[i]) == port_of(so[i - 1]) + 1;
	}
	CHECK(in_order < 4);
	for (unsigned i = 0; i < 64; i++)
		CHECK_EQ(soclose(so[i]), 0);
	testbed_end();
}

/* RFC 6056 3.3.4: towards one peer the next port is the next number, towards another it is elsewhere. */
KTEST(ports_towards_one_peer_are_taken_in_turn)
{
	struct socket *so[6];
	uint16_t port[6];

	inet_testbed();
	for (unsigned i = 0; i < 6; i++) {
		so[i] = udp4();
		CHECK_EQ(connect4(so[i], i < 3 ? THERE4 : IP4(10, 0, 0, 3), 7), 0);
		port[i] = port_of(so[i]);
		CHECK(port[i] >= IPPORT_HIFIRSTAUTO);
	}
	CHECK_EQ((uint16_t)(port[1] - port[0]), 1);
	CHECK_EQ((uint16_t)(port[2] - port[1]), 1);
	CHECK((uint16_t)(port[3] - port[2]) > 3);
	CHECK_EQ((uint16_t)(port[4] - port[3]), 1);
	for (unsigned i = 0; i < 6; i++)
		CHECK_EQ(soclose(so[i]), 0);
	testbed_end();
}

KTEST(a_range_that_is_used_up_has_no_port_left)
{
	struct in_portrange *r = &curmachine()->inet->ports;
	struct socket *so[4];

	inet_testbed();
	r->first = 50002;	/* either way round */
	r->last = 50000;
	for (unsigned i = 0; i < 4; i++) {
		so[i] = udp4();
		CHECK_EQ(bind4(so[i], INADDR_ANY, 0), i < 3 ? 0 : EADDRNOTAVAIL);
	}
	/* Nothing of the attempt stays, and what is given back is there again. */
	CHECK_EQ(soclose(so[1]), 0);
	CHECK_EQ(bind4(so[3], HERE4, 0), 0);
	CHECK(port_of(so[3]) >= 50000 && port_of(so[3]) <= 50002);
	CHECK_EQ(soclose(so[0]) + soclose(so[2]) + soclose(so[3]), 0);
	testbed_end();
}

/* ---- connecting --------------------------------------------------------------------------- */

KTEST(connect_finds_the_local_address_and_disconnect_loses_it)
{
	struct sockaddr_storage ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)(void *)&ss;
	struct socket *a, *b, *c;
	uint16_t port;

	inet_testbed();
	a = udp4();
	b = udp4();
	c = udp4();
	CHECK_EQ(connect4(a, THERE4, 0), EADDRNOTAVAIL);
	CHECK_EQ(connect4(a, THERE4, 7), 0);
	CHECK_EQ(sogetsockname(a, &ss), 0);
	CHECK_EQ(sin->sin_addr.s_addr, HERE4);
	port = ntohs(sin->sin_port);
	CHECK_EQ(sogetpeername(a, &ss), 0);
	CHECK_EQ(sin->sin_addr.s_addr, THERE4);
	CHECK_EQ(sin->sin_port, htons(7));
	/* The same four a second time. */
	CHECK_EQ(set_int(b, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	CHECK_EQ(bind4(b, HERE4, port), 0);
	CHECK_EQ(connect4(b, THERE4, 7), EADDRINUSE);
	CHECK_EQ(connect4(b, THERE4, 8), 0);
	CHECK_EQ(sodisconnect(a), 0);
	CHECK_EQ(sogetsockname(a, &ss), 0);
	CHECK_EQ(sin->sin_addr.s_addr, INADDR_ANY);
	CHECK_EQ(sin->sin_port, htons(port));
	/* A bound address is kept. */
	CHECK_EQ(sodisconnect(b), 0);
	CHECK_EQ(sogetsockname(b, &ss), 0);
	CHECK_EQ(sin->sin_addr.s_addr, HERE4);
	/* To nowhere is to here. */
	CHECK_EQ(connect4(c, INADDR_ANY, 7), 0);
	CHECK_EQ(sogetpeername(c, &ss), 0);
	CHECK_EQ(sin->sin_addr.s_addr, LOOP4);
	CHECK_EQ(soclose(a) + soclose(b) + soclose(c), 0);
	testbed_end();
}

KTEST(a_dual_socket_connects_to_both_families)
{
	struct sockaddr_storage ss;
	struct sockaddr_in6 s6;
	struct socket *so;

	inet_testbed();
	so = udp6();
	CHECK_EQ(connect6(so, in6_mapped(THERE4), 7), 0);
	CHECK_EQ(sogetsockname(so, &ss), 0);
	memcpy(&s6, &ss, sizeof s6);
	CHECK(same6(s6.sin6_addr, in6_mapped(HERE4)));
	CHECK_EQ(sodisconnect(so), 0);
	CHECK_EQ(connect6(so, THERE6, 7), 0);
	CHECK_EQ(sogetsockname(so, &ss), 0);
	memcpy(&s6, &ss, sizeof s6);
	CHECK(same6(s6.sin6_addr, HERE6));
	CHECK_EQ(soclose(so), 0);
	/* Bound to one family, it stays with it. */
	so = udp6();
	CHECK_EQ(bind6(so, HERE6, 5000), 0);
	CHECK_EQ(connect6(so, in6_mapped(THERE4), 7), EINVAL);
	CHECK_EQ(soclose(so), 0);
	so = udp6();
	CHECK_EQ(set_int(so, IPPROTO_IPV6, IPV6_V6ONLY, 1), 0);
	CHECK_EQ(connect6(so, in6_mapped(THERE4), 7), EINVAL);
	/* Link-local without a zone. */
	CHECK_EQ(connect6(so, NEXT6, 7), EHOSTUNREACH);
	s6 = sin6_zone(NEXT6, 7, en7);
	CHECK_EQ(soconnect(so, SA(s6), 0), 0);
	CHECK_EQ(sogetpeername(so, &ss), 0);
	memcpy(&s6, &ss, sizeof s6);
	CHECK_EQ(s6.sin6_scope_id, en7->index);
	CHECK_EQ(sogetsockname(so, &ss), 0);
	memcpy(&s6, &ss, sizeof s6);
	CHECK_EQ(s6.sin6_scope_id, en7->index);
	CHECK(same6(s6.sin6_addr, LOCAL6));
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

/* ---- finding ------------------------------------------------------------------------------ */

static struct inpcb *
look_up(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport)
{
	struct in_ends e = {
		.faddr = in6_from4(src), .laddr = in6_from4(dst), .fport = htons(sport),
		.lport = htons(dport), .vflag = INP_IPV4, .ifp = en7
	};

	return in_pcblookup(&curmachine()->udp->pcbs, &e, true);
}

KTEST(the_closest_match_gets_the_packet)
{
	struct socket *any, *here, *conn, *dual;

	inet_testbed();
	dual = udp6();
	any = udp4();
	here = udp4();
	conn = udp4();
	CHECK_EQ(set_int(here, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	CHECK_EQ(set_int(conn, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	CHECK_EQ(bind6(dual, ANY6, 5000), 0);
	CHECK(look_up(THERE4, 7, HERE4, 5000) == sotoinpcb(dual));
	CHECK_EQ(bind4(any, INADDR_ANY, 5000), 0);
	CHECK(look_up(THERE4, 7, HERE4, 5000) == sotoinpcb(any));
	CHECK_EQ(soclose(dual), 0);
	CHECK_EQ(bind4(conn, HERE4, 5000), 0);
	CHECK_EQ(connect4(conn, THERE4, 7), 0);
	CHECK_EQ(bind4(here, HERE4, 5000), 0);
	CHECK(look_up(THERE4, 7, HERE4, 5000) == sotoinpcb(conn));
	CHECK(look_up(THERE4, 8, HERE4, 5000) == sotoinpcb(here));
	CHECK(look_up(THERE4, 7, OTHER4, 5000) == sotoinpcb(any));
	CHECK(look_up(THERE4, 7, HERE4, 5001) == NULL);
	/* Bound to another interface. */
	CHECK_EQ(set_int(here, IPPROTO_IP, IP_BOUND_IF, (int)fw7->index), 0);
	CHECK(look_up(THERE4, 8, HERE4, 5000) == sotoinpcb(any));
	CHECK_EQ(soclose(any) + soclose(here) + soclose(conn), 0);
	testbed_end();
}

/* The longest chain of a table. */
static unsigned
longest_chain(const struct inpcbinfo *info)
{
	unsigned longest = 0;

	for (uint32_t i = 0; i < info->buckets; i++) {
		const struct inpcb *inp;
		unsigned n = 0;

		LIST_FOREACH(inp, &info->hash[i], inp_hash)
			n++;
		if (n > longest)
			longest = n;
	}
	return longest;
}

#define MANY	100000u

KTEST(a_hundred_thousand_sockets_are_found_as_quickly_as_one)
{
	struct nke *m = curmachine();
	struct socket **so = kalloc(m, MANY * sizeof *so);
	const struct inpcbinfo *info = &m->udp->pcbs;
	struct core_memory before, after;
	uint32_t src;

	inet_testbed();
	machine_memory(m, &before);
	/* Half of them bound to 50,000 ports, half connected from two to 50,000 peers. */
	for (uint32_t i = 0; i < MANY; i++) {
		so[i] = udp4();
		CHECK_EQ(set_int(so[i], SOL_SOCKET, SO_REUSEADDR, 1), 0);
		if (i < MANY / 2) {
			CHECK_EQ(bind4(so[i], HERE4, (uint16_t)(2000 + i)), 0);
			continue;
		}
		CHECK_EQ(bind4(so[i], OTHER4, (uint16_t)(1024 + i % 2000)), 0);
		CHECK_EQ(connect4(so[i], IP4(10, 1, (i >> 8) & 0xff, i & 0xff) | 1, (uint16_t)(i >> 3)),
		    0);
	}
	CHECK_EQ(info->hashed, MANY);
	CHECK(info->buckets >= MANY);
	CHECK(longest_chain(info) <= 16);
	for (uint32_t i = 0; i < MANY; i += 97) {
		src = i < MANY / 2 ? THERE4 : IP4(10, 1, (i >> 8) & 0xff, i & 0xff) | 1;
		CHECK(look_up(src, (uint16_t)(i < MANY / 2 ? 7 : i >> 3), i < MANY / 2 ? HERE4 : OTHER4,
		    (uint16_t)(i < MANY / 2 ? 2000 + i : 1024 + i % 2000)) == sotoinpcb(so[i]));
	}
	for (uint32_t i = 0; i < MANY; i++)
		CHECK_EQ(soclose(so[i]), 0);
	CHECK_EQ(info->count, 0);
	CHECK_EQ(info->hashed, 0);
	machine_memory(m, &after);
	/* Only the tables have grown for good. */
	CHECK(after.heap_blocks <= before.heap_blocks + 64);
	kfree(m, so);
	testbed_end();
}

KTEST(the_number_of_sockets_is_bounded)
{
	struct nke *m = curmachine();
	struct socket *so, *more;

	inet_testbed();
	so = udp4();
	m->inet->pcbs += INPCB_MAX - 1;
	CHECK_EQ(socreate(m, PF_INET, SOCK_DGRAM, 0, &more), ENOBUFS);
	m->inet->pcbs -= INPCB_MAX - 1;
	CHECK_EQ(socreate(m, PF_INET, SOCK_DGRAM, 0, &more), 0);
	CHECK_EQ(soclose(so) + soclose(more), 0);
	testbed_end();
}

/* An AF_INET6 socket that is for IPv4 alone is in IPv4's way like any other. */
KTEST(mapped_addresses_get_no_port_twice)
{
	struct socket *four, *six;

	inet_testbed();
	four = udp4();
	six = udp6();
	CHECK_EQ(bind4(four, INADDR_ANY, 5000), 0);
	CHECK_EQ(bind6(six, in6_mapped(INADDR_ANY), 5000), EADDRINUSE);
	CHECK_EQ(bind6(six, in6_mapped(INADDR_ANY), 5001), 0);
	CHECK_EQ(soclose(four), 0);
	four = udp4();
	CHECK_EQ(bind4(four, INADDR_ANY, 5001), EADDRINUSE);
	CHECK_EQ(soclose(four) + soclose(six), 0);
	testbed_end();
}

KTEST_SUITE(in_pcb, T(two_sockets_share_a_port_as_bsd_lets_them),
    T(a_connected_socket_is_in_the_way_of_those_that_reuse_nothing),
    T(another_users_port_is_not_shared), T(bind_refuses_what_is_no_address_of_ours),
    T(reserved_ports_take_privilege), T(ports_are_chosen_at_random_from_the_range),
    T(ports_towards_one_peer_are_taken_in_turn), T(a_range_that_is_used_up_has_no_port_left),
    T(connect_finds_the_local_address_and_disconnect_loses_it),
    T(a_dual_socket_connects_to_both_families), T(the_closest_match_gets_the_packet),
    T(a_hundred_thousand_sockets_are_found_as_quickly_as_one), T(the_number_of_sockets_is_bounded),
    T(mapped_addresses_get_no_port_twice));
