/*
 * What the IP tests share: an interface whose driver keeps what is sent, a transport that keeps
 * what is delivered, and packets with known contents.
 *
 *	[ wire ]----- en7 10.0.0.1/24, fe80::1/64, 2001:db8::1/64; default route [ machine ]
 */
#ifndef NKE_TESTS_IP_TESTING_H
#define NKE_TESTS_IP_TESTING_H

#include <string.h>
#include <net/if_types.h>
#include <sys/socket.h>

#include "dlil/dlil.h"
#include "ipfilter/ipfilter.h"
#include "src/kern/machine.h"
#include "src/kern/sched.h"
#include "src/net/ifaddr.h"
#include "src/netinet/ip_state.h"
#include "src/netinet6/ip6_state.h"
#include "tests/unit/mbuf_testing.h"

#define IP4(a, b, c, d)	htonl((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define HERE4		IP4(10, 0, 0, 1)
#define THERE4		IP4(10, 0, 0, 2)
#define FAR4		IP4(192, 0, 2, 9)

#define TEST_KEPT	256u

/* Packets that came to an end, in order. */
struct kept {
	struct mbuf *m[TEST_KEPT];
	unsigned count;
	int offset;			/* of the last: transport header */
	uint8_t protocol;
};

/* One test, one machine, one thread. */
static struct kept sent, delivered;
static struct ifnet *en7;

static inline void
keep(struct kept *k, struct mbuf *m)
{
	CHECK(k->count < TEST_KEPT);
	k->m[k->count++] = m;
}

static inline void
forget(struct kept *k)
{
	for (unsigned i = 0; i < k->count; i++)
		m_freem(k->m[i]);
	k->count = 0;
}

static inline errno_t
keep_sent(ifnet_t ifp, mbuf_t m)
{
	(void)ifp;
	keep(&sent, m);
	return 0;
}

static inline void
keep_delivered(struct nke *machine, struct mbuf *m, int offset, uint8_t protocol)
{
	(void)machine;
	keep(&delivered, m);
	delivered.offset = offset;
	delivered.protocol = protocol;
}

static inline struct in6_addr
ip6_of(const char *bytes)
{
	struct in6_addr a;

	memcpy(&a, bytes, sizeof a);
	return a;
}
#define HERE6	ip6_of("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1")
#define THERE6	ip6_of("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2")
#define LOCAL6	ip6_of("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1")
#define NEXT6	ip6_of("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\2")
#define GROUP6	ip6_of("\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\1")

static inline void
add_address4(struct ifnet *ifp, uint32_t addr, uint32_t mask)
{
	struct sockaddr_in a = {.sin_len = sizeof a, .sin_family = AF_INET, .sin_addr = {addr}};
	struct sockaddr_in k = {.sin_len = sizeof k, .sin_family = AF_INET, .sin_addr = {mask}};

	CHECK_EQ(ifaddr_add(ifp, (struct sockaddr *)&a, (struct sockaddr *)&k, NULL), 0);
}

static inline void
add_address6(struct ifnet *ifp, struct in6_addr addr)
{
	struct sockaddr_in6 a = {.sin6_len = sizeof a, .sin6_family = AF_INET6, .sin6_addr = addr};
	struct sockaddr_in6 k = {.sin6_len = sizeof k, .sin6_family = AF_INET6};

	memset(&k.sin6_addr, 0xff, 8);
	CHECK_EQ(ifaddr_add(ifp, (struct sockaddr *)&a, (struct sockaddr *)&k, NULL), 0);
}

static inline struct ifnet *
make_interface(const char *name, uint32_t mtu)
{
	struct ifnet_init_params p = {.name = name, .unit = 7, .output = keep_sent};
	struct ifnet *ifp;

	raw_media(&p);
	CHECK_EQ(dlil_allocate(curmachine(), &p, NULL, &ifp), 0);
	CHECK_EQ(dlil_attach(ifp, NULL), 0);
	ifp->mtu = mtu;
	CHECK_EQ(dlil_set_flags(ifp, IFF_UP | IFF_RUNNING | IFF_BROADCAST | IFF_MULTICAST,
	    IFF_UP | IFF_RUNNING | IFF_BROADCAST | IFF_MULTICAST), 0);
	CHECK_EQ(dlil_plumb(ifp, PF_INET), 0);
	CHECK_EQ(dlil_plumb(ifp, PF_INET6), 0);
	return ifp;
}

/* To be called first in every test. */
static inline void
testbed(void)
{
	static const struct ip_transport transport = {.input = keep_delivered};
	struct nke *m = curmachine();

	memset(&sent, 0, sizeof sent);
	memset(&delivered, 0, sizeof delivered);
	en7 = make_interface("en", 1500);
	add_address4(en7, HERE4, IP4(255, 255, 255, 0));
	add_address6(en7, LOCAL6);
	add_address6(en7, HERE6);
	CHECK_EQ(route_set_default(m, AF_INET, en7, NULL), 0);
	CHECK_EQ(route_set_default(m, AF_INET6, en7, NULL), 0);
	for (int p = 0; p < 256; p++) {
		if (p != IPPROTO_TCP && p != IPPROTO_UDP && p != 253)
			continue;
		ip_set_transport(m, AF_INET, (uint8_t)p, &transport);
		ip_set_transport(m, AF_INET6, (uint8_t)p, &transport);
	}
}

/* To be called last: nothing of the test is left in the machine's mbufs. */
static inline void
testbed_end(void)
{
	forget(&sent);
	forget(&delivered);
	reass_stop(&curmachine()->ip->reass);
	reass_stop(&curmachine()->ip6->reass);
}

/* ---- packets ------------------------------------------------------------------------------ */

struct spec4 {
	uint32_t src, dst;		/* 0: THERE4, HERE4 */
	uint8_t protocol, tos, ttl;
	uint16_t id, off;		/* host order; off with its flags */
	size_t from, len;		/* payload: bytes of the test pattern */
	const char *options;
	size_t options_len;
};

static inline void
sum4(struct mbuf *m)
{
	struct ip *ip = mtod(m, struct ip *);

	ip->ip_sum = 0;
	ip->ip_sum = in_cksum_part(m, 0, (size_t)ip->ip_hl << 2);
}

static inline struct mbuf *
make4(const struct spec4 *s)
{
	size_t hlen = sizeof(struct ip) + s->options_len;
	struct mbuf *m = m_devget(curmachine(), NULL, hlen + s->len, 16), *n = m;
	struct ip *ip = mtod(m, struct ip *);
	size_t at = hlen;

	memset(ip, 0, sizeof *ip);
	ip->ip_v = 4;
	ip->ip_hl = (u_int)(hlen >> 2) & 15;
	ip->ip_tos = s->tos;
	ip->ip_len = htons(hlen + s->len);
	ip->ip_id = htons(s->id);
	ip->ip_off = htons(s->off);
	ip->ip_ttl = s->ttl != 0 ? s->ttl : 64;
	ip->ip_p = s->protocol != 0 ? s->protocol : IPPROTO_UDP;
	ip->ip_src.s_addr = s->src != 0 ? s->src : THERE4;
	ip->ip_dst.s_addr = s->dst != 0 ? s->dst : HERE4;
	if (s->options_len != 0)
		memcpy(m->m_data + sizeof *ip, s->options, s->options_len);
	for (size_t i = 0; i < s->len; i++) {
		while ((size_t)n->m_len == at) {
			n = n->m_next;
			at = 0;
		}
		n->m_data[at++] = (char)pattern_at(s->from + i);
	}
	sum4(m);
	m->m_pkthdr.rcvif = en7;
	return m;
}

/* True when the packet's payload behind `off` is `len` bytes of the pattern. */
static inline bool
payload_is(const struct mbuf *m, size_t off, size_t len)
{
	if ((size_t)m->m_pkthdr.len != off + len || m_length(m) != off + len)
		return false;
	for (size_t i = 0; i < len; i++) {
		uint8_t b;

		if (m_copydata(m, off + i, 1, &b) != 0 || b != pattern_at(i))
			return false;
	}
	return true;
}

static inline void
receive4(const struct spec4 *s)
{
	ip_input(curmachine(), make4(s));
}

struct spec6 {
	const struct in6_addr *src, *dst;	/* NULL: THERE6, HERE6 */
	uint8_t next;
	uint8_t ecn;
	const char *headers;		/* extension headers, `headers_len` bytes, before the payload */
	size_t headers_len;
	size_t from, len;
};

static inline struct mbuf *
make6(const struct spec6 *s)
{
	size_t hlen = sizeof(struct ip6_hdr) + s->headers_len;
	struct mbuf *m = m_devget(curmachine(), NULL, hlen + s->len, 16), *n = m;
	struct in6_addr src = s->src != NULL ? *s->src : THERE6,
			dst = s->dst != NULL ? *s->dst : HERE6;
	struct ip6_hdr *ip6 = mtod(m, struct ip6_hdr *);
	size_t at = hlen;

	memset(ip6, 0, sizeof *ip6);
	m->m_data[0] = 0x60;
	m->m_data[1] = (char)(s->ecn << 4);
	ip6->ip6_plen = htons(s->headers_len + s->len);
	ip6->ip6_nxt = s->next != 0 || s->headers_len != 0 ? s->next : IPPROTO_UDP;
	ip6->ip6_hlim = 64;
	memcpy(m->m_data + 8, &src, 16);
	memcpy(m->m_data + 24, &dst, 16);
	if (s->headers_len != 0)
		memcpy(m->m_data + 40, s->headers, s->headers_len);
	for (size_t i = 0; i < s->len; i++) {
		while ((size_t)n->m_len == at) {
			n = n->m_next;
			at = 0;
		}
		n->m_data[at++] = (char)pattern_at(s->from + i);
	}
	m->m_pkthdr.rcvif = en7;
	return m;
}

static inline void
receive6(const struct spec6 *s)
{
	ip6_input(curmachine(), make6(s));
}

/* A fragment header: next header, offset in bytes, more, identification. */
static inline const char *
frag_header(char buf[8], uint8_t next, uint32_t off, bool more, uint32_t id)
{
	struct ip6_frag f = {.ip6f_nxt = next, .ip6f_offlg = htons(off), .ip6f_ident = htonl(id)};

	if (more)
		f.ip6f_offlg |= IP6F_MORE_FRAG;
	memcpy(buf, &f, sizeof f);
	return buf;
}

static inline struct ipstat *
st4(void)
{
	return ip_statistics(curmachine());
}
static inline struct ip6stat *
st6(void)
{
	return ip6_statistics(curmachine());
}

/* Lets soft interrupts run: the test itself is what holds the CPU. */
static inline void
let_run(void)
{
	(void)sched_block(&sent, machine_now(curmachine()) + 1000, false, "the rest to run");
}
static inline void
let_pass(uint64_t ns)
{
	(void)sched_block(&sent, machine_now(curmachine()) + ns, false, "time to pass");
}

#endif
