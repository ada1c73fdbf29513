/*
 * What the tests of IPv6 neighbour discovery share: messages in and out of the link of nbr_testing.h.
 *
 *	[ machine en0 fe80::ff:fe00:1 ]----- link -----[ the test: hosts and routers ]
 */
#ifndef NKE_TESTS_ND6_TESTING_H
#define NKE_TESTS_ND6_TESTING_H

#include <netinet/ip6.h>

#include "src/kern/sysctl.h"
#include "src/netinet6/icmp6_private.h"
#include "src/netinet6/nd6.h"
#include "tests/unit/nbr_testing.h"

/* fe80::/16 and so on: two bytes in front, two behind. */
static inline struct in6_addr
in6(uint8_t a, uint8_t b, uint8_t y, uint8_t z)
{
	struct in6_addr in = {.s6_addr = {a, b}};

	in.s6_addr[14] = y;
	in.s6_addr[15] = z;
	return in;
}

/* Our own, made from 02:00:00:00:00:01. */
static inline struct in6_addr
our_ll(void)
{
	struct in6_addr in = in6(0xfe, 0x80, 0, 1);

	in.s6_addr[11] = 0xff;
	in.s6_addr[12] = 0xfe;
	return in;
}

/* 2001:db8:0:n::/64 and the same identifier. */
static inline struct in6_addr
our_global(uint8_t n)
{
	struct in6_addr in = our_ll();

	in.s6_addr[0] = 0x20;
	in.s6_addr[1] = 0x01;
	in.s6_addr[7] = n;
	return in;
}

static inline struct in6_addr
prefix64(uint8_t n)
{
	struct in6_addr in = {.s6_addr = {0x20, 0x01}};

	in.s6_addr[7] = n;
	return in;
}

#define ALL_NODES	in6(0xff, 0x02, 0, 1)
#define UNSPECIFIED	in6(0, 0, 0, 0)

static inline void
nd_comes_with(const uint8_t *src_mac, struct in6_addr src, struct in6_addr dst, const void *message,
    size_t len, uint8_t hop_limit)
{
	uint8_t packet[LINK_FRAME_MAX], mac[6];
	struct ip6_hdr ip6 = {.ip6_src = src, .ip6_dst = dst};
	struct mbuf *m;
	uint16_t sum;

	ip6.ip6_vfc = IPV6_VERSION;
	ip6.ip6_plen = htons(len);
	ip6.ip6_nxt = IPPROTO_ICMPV6;
	ip6.ip6_hlim = hop_limit;
	memcpy(packet, &ip6, sizeof ip6);
	memcpy(packet + 40, message, len);
	if (len >= 4) {
		memset(packet + 42, 0, 2);
		m = m_devget(curmachine(), packet, 40 + len, 0);
		sum = (uint16_t)~in_cksum_sum(m, 40, len,
		    in6_pseudo(&src, &dst, IPPROTO_ICMPV6, (uint32_t)len));
		memcpy(packet + 42, &sum, 2);
		m_freem(m);
	}
	memcpy(mac, our_mac, 6);
	if (dst.s6_addr[0] == 0xff) {
		mac[0] = mac[1] = 0x33;
		memcpy(mac + 2, &dst.s6_addr[12], 4);
	}
	come_in(mac, src_mac, 0x86dd, packet, 40 + len);
}

static inline void
nd_comes(struct in6_addr src, struct in6_addr dst, const void *message, size_t len)
{
	nd_comes_with(peer_mac, src, dst, message, len, 255);
}

/* A neighbour asks for, or advertises, `target`; `lladdr` NULL: without the option. */
static inline void
neighbor_comes(uint8_t type, uint8_t flags, struct in6_addr src, struct in6_addr dst, struct in6_addr target,
    const uint8_t *lladdr)
{
	struct {
		struct nd_neighbor_advert na;
		uint8_t option[8];
	} msg;

	memset(&msg, 0, sizeof msg);
	msg.na.nd_na_type = type;
	msg.na.nd_na_flags_reserved = flags;
	msg.na.nd_na_target = target;
	msg.option[0] = type == ND_NEIGHBOR_SOLICIT ? ND_OPT_SOURCE_LINKADDR : ND_OPT_TARGET_LINKADDR;
	msg.option[1] = 1;
	if (lladdr != NULL)
		memcpy(msg.option + 2, lladdr, 6);
	nd_comes(src, dst, &msg, lladdr != NULL ? sizeof msg : sizeof msg.na);
}

/* The ICMPv6 message of the next frame of that type; NULL none. */
static inline const uint8_t *
next_nd(uint8_t type, struct ip6_hdr *ip6, size_t *len)
{
	const struct frame *f;

	while ((f = next_frame(0x86dd)) != NULL) {
		if (f->data[14 + 6] != IPPROTO_ICMPV6 || f->data[14 + 40] != type)
			continue;
		if (ip6 != NULL)
			memcpy(ip6, f->data + 14, sizeof *ip6);
		if (len != NULL)
			*len = f->len - 54;
		CHECK_EQ(f->data[14 + 7], 255);
		return f->data + 54;
	}
	return NULL;
}

static inline void
add6(struct in6_addr in)
{
	CHECK_EQ(iface_add_address(curmachine(), en0, AF_INET6, &in, 64), 0);
}

static inline struct ifaddr *
own6(struct in6_addr in)
{
	return nd6_own(en0, &in);
}

static inline bool
same6(const void *a, struct in6_addr b)
{
	return memcmp(a, &b, sizeof b) == 0;
}

static inline struct sockaddr_in6
sin6_of(struct in6_addr in)
{
	struct sockaddr_in6 sin6;

	nd6_sockaddr(en0, &in, &sin6);
	return sin6;
}

static inline struct neighbor *
entry6(struct in6_addr in)
{
	struct sockaddr_in6 sin6 = sin6_of(in);

	return entry(SA(sin6));
}

/* A datagram without content to a neighbour, behind IP. */
static inline errno_t
send6(struct in6_addr src, struct in6_addr dst)
{
	struct ip6_hdr ip6 = {.ip6_src = src, .ip6_dst = dst};
	struct sockaddr_in6 sin6 = sin6_of(dst);

	ip6.ip6_vfc = IPV6_VERSION;
	ip6.ip6_nxt = 253;
	ip6.ip6_hlim = 64;
	return dlil_output(en0, PF_INET6, m_devget(curmachine(), &ip6, sizeof ip6, 32), NULL, SA(sin6),
	    false);
}

/* ---- routers ------------------------------------------------------------------------------ */

/* An advertisement that is put together piece by piece. */
static struct advert {
	union {
		struct nd_router_advert ra;
		uint8_t bytes[1400];
	};
	size_t len;
} advert;

static inline void
begin_advert(uint16_t lifetime, uint8_t flags)
{
	memset(&advert, 0, sizeof advert);
	advert.ra.nd_ra_type = ND_ROUTER_ADVERT;
	advert.ra.nd_ra_router_lifetime = htons(lifetime);
	advert.ra.nd_ra_flags_reserved = flags;
	advert.len = sizeof advert.ra;
}

static inline void
put_option(const void *option, size_t len)
{
	CHECK(advert.len + len <= sizeof advert.bytes);
	memcpy(advert.bytes + advert.len, option, len);
	advert.len += len;
}

static inline void
put_prefix(struct in6_addr prefix, uint8_t len, uint8_t flags, uint32_t valid, uint32_t preferred)
{
	struct nd_opt_prefix_info pi = {.nd_opt_pi_type = ND_OPT_PREFIX_INFORMATION, .nd_opt_pi_len = 4};

	pi.nd_opt_pi_prefix_len = len;
	pi.nd_opt_pi_flags_reserved = flags;
	pi.nd_opt_pi_valid_time = htonl(valid);
	pi.nd_opt_pi_preferred_time = htonl(preferred);
	pi.nd_opt_pi_prefix = prefix;
	put_option(&pi, sizeof pi);
}

static inline void
put_lladdr(const uint8_t *lladdr)
{
	uint8_t o[8] = {ND_OPT_SOURCE_LINKADDR, 1};

	memcpy(o + 2, lladdr, 6);
	put_option(o, sizeof o);
}

static inline void
put_mtu(uint32_t mtu)
{
	struct nd_opt_mtu o = {.nd_opt_mtu_type = ND_OPT_MTU, .nd_opt_mtu_len = 1};

	o.nd_opt_mtu_mtu = htonl(mtu);
	put_option(&o, sizeof o);
}

static inline void
advert_comes(struct in6_addr router)
{
	nd_comes(router, ALL_NODES, advert.bytes, advert.len);
}

/* Both flags: on the link, and good for addresses. */
#define LA	(ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO)

static inline void
start_autoconf(void)
{
	make_link();
	CHECK_EQ(nd6_autoconf_start(en0), 0);
	wait_ns(3 * SEC);
	CHECK(own6(our_ll()) != NULL);
	CHECK(!(own6(our_ll())->ia6_flags & IN6_IFF_NOTREADY));
}

/* Where packets to everywhere go: the last byte of the gateway, 0: nowhere. */
static inline unsigned
default_router(void)
{
	struct sockaddr_in6 any = {.sin6_len = sizeof any, .sin6_family = AF_INET6};
	struct rtentry *rt;
	unsigned last = 0;

	any.sin6_addr = in6(0x20, 0xff, 0, 1);
	rt = rt_lookup(curmachine(), SA(any), NULL, 0);
	if (rt != NULL && (rt->rt_flags & RTF_GATEWAY))
		last = ((const struct sockaddr_in6 *)(const void *)&rt->rt_gateway)->sin6_addr.s6_addr[15];
	rt_release(rt);
	return last;
}

#define ROUTER(n)	in6(0xfe, 0x80, 0x77, n)

#endif
