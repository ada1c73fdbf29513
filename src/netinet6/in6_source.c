/*
 * IPv6 source addresses: RFC 6724 section 5, with the policy table of its section 2.1.
 *
 * Candidates (section 4) are the unicast addresses of the outgoing interface and, for destinations that are
 * not good on one link only, those of the other interfaces, which rule 5 puts behind. Not among them:
 * addresses that are being checked for duplicates or have failed, detached and anycast ones.
 *
 * Rules: 1 same address; 2 scope; 3 deprecated; 5 outgoing interface; 6 label; 7 temporary; 8 longest
 * matching prefix. Left out: 4 (home addresses: there is no mobile IP) and 5.5 (prefixes by next hop).
 */
#include <netinet/in.h>
#include <netinet6/in6_var.h>
#include <string.h>

#include "src/net/ifaddr.h"
#include "src/net/route_private.h"
#include "src/net/rtable.h"

/* ---- what addresses are ------------------------------------------------------------------- */

enum scope { SCOPE_INTERFACE = 1, SCOPE_LINK = 2, SCOPE_SITE = 5, SCOPE_GLOBAL = 14 };

/* RFC 6724 3.1; the scope of a multicast address is in it (RFC 4291 2.7). */
static int
scope_of(const struct in6_addr *a)
{
	if (a->s6_addr[0] == 0xff)
		return a->s6_addr[1] & 0xf;
	if (IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_LOOPBACK(a))
		return SCOPE_LINK;
	if (a->s6_addr[0] == 0xfe && (a->s6_addr[1] & 0xc0) == 0xc0)
		return SCOPE_SITE;
	return SCOPE_GLOBAL;
}

/* RFC 6724 2.1: prefixes by length, longest first, and their labels. */
static const struct policy {
	uint8_t prefix[16];
	uint8_t bits, label;
} policies[] = {
	{{[15] = 1}, 128, 0},
	{{[10] = 0xff, 0xff}, 96, 4},
	{{0}, 96, 3},
	{{0x20, 0x01}, 32, 5},
	{{0x20, 0x02}, 16, 2},
	{{0x3f, 0xfe}, 16, 12},
	{{0xfe, 0xc0}, 10, 11},
	{{0xfc}, 7, 13},
	{{0}, 0, 1},
};

/* Bits in common, at most `limit`. */
static unsigned
common_bits(const uint8_t *a, const uint8_t *b, unsigned limit)
{
	unsigned n = 0;

	while (n < limit && ((a[n / 8] ^ b[n / 8]) & (0x80 >> n % 8)) == 0)
		n++;
	return n;
}

static unsigned
label_of(const struct in6_addr *a)
{
	const struct policy *p = policies;

	while (common_bits(p->prefix, a->s6_addr, p->bits) < p->bits)
		p++;
	return p->label;
}

static const struct in6_addr *
in6_of(const struct ifaddr *ifa)
{
	return &((const struct sockaddr_in6 *)(const void *)&ifa->addr)->sin6_addr;
}

static unsigned
prefix_of(const struct ifaddr *ifa)
{
	static const uint8_t ones[16] = {
		255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255
	};
	const uint8_t *mask;

	return sockaddr_bytes(sockaddr_of(&ifa->mask), &mask) == 16 ? common_bits(mask, ones, 128) : 128;
}

/* ---- choosing ----------------------------------------------------------------------------- */

struct choice {
	const struct ifnet *ifp;	/* it leaves by */
	const struct in6_addr *dst;
	int scope;
	unsigned label;
};

static bool
candidate(const struct choice *c, const struct ifaddr *ifa)
{
	if (ifa->addr.ss_family != AF_INET6 || !ifa->attached ||
	    (ifa->ia6_flags & (IN6_IFF_NOTREADY | IN6_IFF_DETACHED | IN6_IFF_ANYCAST)))
		return false;
	if (ifa->ifp == c->ifp)
		return true;
	/* What is good on another link only, and destinations on this link only. */
	return scope_of(in6_of(ifa)) > SCOPE_LINK && c->scope > SCOPE_LINK;
}

/* Rule 2. Positive: `a` is better. */
static int
compare_scope(const struct choice *c, const struct in6_addr *a, const struct in6_addr *b)
{
	int sa = scope_of(a), sb = scope_of(b);

	if (sa == sb)
		return 0;
	if (sa < sb)
		return sa < c->scope ? -1 : 1;
	return sb < c->scope ? 1 : -1;
}

static int
compare_flags(uint32_t a, uint32_t b, uint32_t flag)
{
	return (int)((b & flag) != 0) - (int)((a & flag) != 0);
}

static unsigned
match(const struct choice *c, const struct ifaddr *ifa)
{
	return common_bits(in6_of(ifa)->s6_addr, c->dst->s6_addr, prefix_of(ifa));
}

/* Positive: `a` is better. */
static int
compare(const struct choice *c, const struct ifaddr *a, const struct ifaddr *b)
{
	bool same_a = IN6_ARE_ADDR_EQUAL(in6_of(a), c->dst), same_b = IN6_ARE_ADDR_EQUAL(in6_of(b), c->dst);
	int order = (int)same_a - (int)same_b;

	if (order == 0)
		order = compare_scope(c, in6_of(a), in6_of(b));
	if (order == 0)
		order = compare_flags(a->ia6_flags, b->ia6_flags, IN6_IFF_DEPRECATED);
	if (order == 0)
		order = (int)(a->ifp == c->ifp) - (int)(b->ifp == c->ifp);
	if (order == 0)
		order = (int)(label_of(in6_of(a)) == c->label) - (int)(label_of(in6_of(b)) == c->label);
	if (order == 0)
		order = compare_flags(b->ia6_flags, a->ia6_flags, IN6_IFF_TEMPORARY);
	if (order == 0)
		order = (int)match(c, a) - (int)match(c, b);
	return order;
}

struct ifaddr *
in6_select_source(struct nke *m, struct ifnet *ifp, const struct rtentry *rt, const struct sockaddr *dst)
{
	struct sockaddr_in6 sin6;
	struct choice c = {.ifp = ifp, .dst = &sin6.sin6_addr};
	struct ifaddr *ifa, *best;

	(void)rt;
	if (dst->sa_family != AF_INET6 || dst->sa_len < sizeof sin6)
		return NULL;
	best = ifaddr_find(m, dst);
	if (best != NULL && !(best->ia6_flags & IN6_IFF_NOTREADY))
		return best;
	memcpy(&sin6, dst, sizeof sin6);
	if (in6_has_zone(sin6.sin6_addr.s6_addr))
		sin6.sin6_addr.s6_addr16[1] = 0;
	c.scope = scope_of(c.dst);
	c.label = label_of(c.dst);
	best = NULL;
	TAILQ_FOREACH(ifa, &m->routes->all, all)
		if (candidate(&c, ifa) && (best == NULL || compare(&c, ifa, best) > 0))
			best = ifa;
	return best;
}
