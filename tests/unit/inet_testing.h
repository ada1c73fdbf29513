/*
 * What the tests of Internet sockets share: two interfaces whose drivers keep what is sent, and sockets in
 * short.
 *
 *	[ wire ]----- en7 10.0.0.1/24, fe80::1/64, 2001:db8::1/64   [ machine ]
 *	[ wire ]----- fw7 10.1.0.1/24, fe80::1:1/64, 2001:db8:1::1/64 [ machine ]
 */
#ifndef NKE_TESTS_INET_TESTING_H
#define NKE_TESTS_INET_TESTING_H

#include "src/kern/heap.h"
#include "src/kern/prng.h"
#include "src/netinet/in_pcb.h"
#include "src/netinet/udp_private.h"
#include "tests/unit/ip_testing.h"

#define OTHER4	IP4(10, 1, 0, 1)
#define OTHER6	ip6_of("\x20\x01\x0d\xb8\0\1\0\0\0\0\0\0\0\0\0\1")
#define FWLOCAL6	ip6_of("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\1\0\1")
#define LOOP4	IP4(127, 0, 0, 1)
#define LOOP6	ip6_of("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1")
#define ANY6	ip6_of("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")

static struct ifnet *fw7;

static inline void
inet_testbed(void)
{
	memset(&sent, 0, sizeof sent);
	memset(&delivered, 0, sizeof delivered);
	en7 = make_interface("en", 1500);
	add_address4(en7, HERE4, IP4(255, 255, 255, 0));
	add_address6(en7, LOCAL6);
	add_address6(en7, HERE6);
	fw7 = make_interface("fw", 1500);
	add_address4(fw7, OTHER4, IP4(255, 255, 255, 0));
	add_address6(fw7, FWLOCAL6);
	add_address6(fw7, OTHER6);
	/* What joining and addresses sent on their own account is not what is tested. */
	let_run();
	forget(&sent);
}

/* ---- addresses ---------------------------------------------------------------------------- */

static inline struct sockaddr_in
sin4(uint32_t addr, uint16_t port)
{
	struct sockaddr_in sin = {
		.sin_len = sizeof sin, .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {addr}
	};

	return sin;
}

static inline struct sockaddr_in6
sin6(struct in6_addr addr, uint16_t port)
{
	struct sockaddr_in6 s = {
		.sin6_len = sizeof s, .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = addr
	};

	return s;
}

static inline struct sockaddr_in6
sin6_zone(struct in6_addr addr, uint16_t port, const struct ifnet *ifp)
{
	struct sockaddr_in6 s = sin6(addr, port);

	s.sin6_scope_id = ifp->index;
	return s;
}

static inline bool
same6(struct in6_addr a, struct in6_addr b)
{
	return memcmp(&a, &b, sizeof a) == 0;
}

#define SA(x)	((const struct sockaddr *)(const void *)&(x))

/* ---- sockets ------------------------------------------------------------------------------ */

static inline struct socket *
make_socket(int family, int type, int protocol)
{
	struct socket *so;

	CHECK_EQ(socreate(curmachine(), family, type, protocol, &so), 0);
	return so;
}

static inline struct socket *
udp4(void)
{
	return make_socket(PF_INET, SOCK_DGRAM, 0);
}

static inline struct socket *
udp6(void)
{
	return make_socket(PF_INET6, SOCK_DGRAM, IPPROTO_UDP);
}

static inline errno_t
bind4(struct socket *so, uint32_t addr, uint16_t port)
{
	struct sockaddr_in s = sin4(addr, port);

	return sobind(so, SA(s));
}

static inline errno_t
bind6(struct socket *so, struct in6_addr addr, uint16_t port)
{
	struct sockaddr_in6 s = sin6(addr, port);

	return sobind(so, SA(s));
}

static inline errno_t
connect4(struct socket *so, uint32_t addr, uint16_t port)
{
	struct sockaddr_in s = sin4(addr, port);

	return soconnect(so, SA(s), 0);
}

static inline errno_t
connect6(struct socket *so, struct in6_addr addr, uint16_t port)
{
	struct sockaddr_in6 s = sin6(addr, port);

	return soconnect(so, SA(s), 0);
}

static inline errno_t
set_option(struct socket *so, int level, int name, const void *value, size_t size)
{
	struct sockopt s = {SOPT_SET, level, name, (void *)(uintptr_t)value, size};

	return sosetopt(so, &s);
}

static inline errno_t
set_int(struct socket *so, int level, int name, int value)
{
	return set_option(so, level, name, &value, sizeof value);
}

/* -1: it cannot be read. */
static inline int
get_int(struct socket *so, int level, int name)
{
	int value = -1;
	struct sockopt s = {SOPT_GET, level, name, &value, sizeof value};

	return sogetopt(so, &s) == 0 && s.sopt_valsize == sizeof value ? value : -1;
}

/* Errors of the kind that a size, a level or a family brings come back as they are. */
static inline errno_t
send_to(struct socket *so, const struct sockaddr *to, const void *data, size_t len)
{
	size_t n;

	return sosend(so, to, data, len, NULL, NULL, MSG_DONTWAIT, &n);
}

static inline errno_t
send4(struct socket *so, uint32_t addr, uint16_t port, const char *text)
{
	struct sockaddr_in s = sin4(addr, port);

	return send_to(so, SA(s), text, strlen(text));
}

static inline errno_t
send6(struct socket *so, struct in6_addr addr, uint16_t port, const char *text)
{
	struct sockaddr_in6 s = sin6(addr, port);

	return send_to(so, SA(s), text, strlen(text));
}

/* What was received last: text, sender, control. */
static char got[4096];
static struct so_received rcv;

/* The next message as text, "" none (or an empty one); what is under way arrives first. */
static inline const char *
receive(struct socket *so)
{
	m_freem(rcv.control);
	memset(&rcv, 0, sizeof rcv);
	memset(got, 0, sizeof got);
	let_run();
	if (soreceive(so, got, sizeof got - 1, MSG_DONTWAIT, &rcv) != 0)
		memset(&rcv, 0, sizeof rcv);
	return got;
}

static inline const struct sockaddr_in *
from4(void)
{
	return (const struct sockaddr_in *)(const void *)&rcv.from;
}

static inline struct sockaddr_in6
from6(void)
{
	struct sockaddr_in6 s;

	memcpy(&s, &rcv.from, sizeof s);
	return s;
}

/* The data of a control message; NULL: there is none of that type and length. */
static inline const void *
control_data(int level, int type, size_t len)
{
	for (const struct mbuf *m = rcv.control; m != NULL; m = m->m_next) {
		const struct cmsghdr *h = mtod(m, const struct cmsghdr *);

		if (h->cmsg_level == level && h->cmsg_type == type && h->cmsg_len == CMSG_LEN(len))
			return CMSG_DATA(h);
	}
	return NULL;
}

/* ---- datagrams off the wire --------------------------------------------------------------- */

/* A UDP datagram from `from` to `to` comes in by the interface; checksum as it should be, or `sum`. */
static inline void
come4(struct ifnet *ifp, const struct sockaddr_in *from, const struct sockaddr_in *to, const char *text,
    int sum)
{
	size_t len = strlen(text);
	struct spec4 s = {
		.src = from->sin_addr.s_addr, .dst = to->sin_addr.s_addr, .len = sizeof(struct udphdr) + len
	};
	struct mbuf *m = make4(&s);
	struct udphdr *uh = (struct udphdr *)(void *)(m->m_data + sizeof(struct ip));

	uh->uh_sport = from->sin_port;
	uh->uh_dport = to->sin_port;
	uh->uh_ulen = htons((uint16_t)(sizeof *uh + len));
	uh->uh_sum = 0;
	memcpy(uh + 1, text, len);
	uh->uh_sum = (uint16_t)~in_cksum_sum(m, sizeof(struct ip), sizeof *uh + len,
	    in_pseudo(from->sin_addr, to->sin_addr, IPPROTO_UDP, (uint32_t)(sizeof *uh + len)));
	if (uh->uh_sum == 0)
		uh->uh_sum = 0xffff;
	if (sum >= 0)
		uh->uh_sum = (uint16_t)sum;
	m->m_pkthdr.rcvif = ifp;
	ip_input(curmachine(), m);
}

static inline void
come6(struct ifnet *ifp, const struct sockaddr_in6 *from, const struct sockaddr_in6 *to, const char *text,
    int sum)
{
	size_t len = strlen(text);
	struct in6_addr src = from->sin6_addr, dst = to->sin6_addr;
	struct spec6 s = {.src = &src, .dst = &dst, .len = sizeof(struct udphdr) + len};
	struct mbuf *m = make6(&s);
	struct udphdr *uh = (struct udphdr *)(void *)(m->m_data + sizeof(struct ip6_hdr));

	uh->uh_sport = from->sin6_port;
	uh->uh_dport = to->sin6_port;
	uh->uh_ulen = htons((uint16_t)(sizeof *uh + len));
	uh->uh_sum = 0;
	memcpy(uh + 1, text, len);
	uh->uh_sum = (uint16_t)~in_cksum_sum(m, sizeof(struct ip6_hdr), sizeof *uh + len,
	    in6_pseudo(&src, &dst, IPPROTO_UDP, (uint32_t)(sizeof *uh + len)));
	if (sum >= 0)
		uh->uh_sum = (uint16_t)sum;
	m->m_pkthdr.rcvif = ifp;
	ip6_input(curmachine(), m);
}

static inline struct udpstat *
ust(void)
{
	return udp_statistics(curmachine());
}

#endif
