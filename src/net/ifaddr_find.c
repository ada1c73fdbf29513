/*
 * Finding addresses of interfaces by other things than exactly themselves, or off the packet path: peers,
 * broadcast addresses, networks; and how they come from outside the core and are
 * shown there.
 */
#include <netinet/in.h>
#include <string.h>

#include "src/net/route_private.h"

errno_t
sockaddr_make(int family, const void *bytes, uint32_t zone, struct sockaddr_storage *ss)
{
	struct sockaddr_in sin = {.sin_len = sizeof sin, .sin_family = AF_INET};
	struct sockaddr_in6 sin6 = {
		.sin6_len = sizeof sin6, .sin6_family = AF_INET6, .sin6_scope_id = zone,
	};

	memset(ss, 0, sizeof *ss);
	if (family == AF_INET) {
		memcpy(&sin.sin_addr, bytes, sizeof sin.sin_addr);
		memcpy(ss, &sin, sizeof sin);
	} else if (family == AF_INET6) {
		memcpy(&sin6.sin6_addr, bytes, sizeof sin6.sin6_addr);
		memcpy(ss, &sin6, sizeof sin6);
	} else {
		return EAFNOSUPPORT;
	}
	return 0;
}

void
ifaddr_kernel_form(const struct sockaddr *sa, struct sockaddr_storage *out)
{
	struct sockaddr_in6 sin6;

	memset(out, 0, sizeof *out);
	memcpy(out, sa, sa->sa_len < sizeof *out ? sa->sa_len : sizeof *out);
	if (sa->sa_family != AF_INET6 || sa->sa_len < sizeof sin6)
		return;
	memcpy(&sin6, sa, sizeof sin6);
	if (!in6_has_zone(sin6.sin6_addr.s6_addr) || sin6.sin6_scope_id == 0)
		return;
	sin6.sin6_addr.s6_addr[2] = (uint8_t)(sin6.sin6_scope_id >> 8);
	sin6.sin6_addr.s6_addr[3] = (uint8_t)sin6.sin6_scope_id;
	sin6.sin6_scope_id = 0;
	memcpy(out, &sin6, sizeof sin6);
}

/* The zone that is asked for, 0: any. */
static uint32_t
zone_of(const struct sockaddr *sa, const uint8_t *a)
{
	struct sockaddr_in6 sin6;

	if (!in6_has_zone(a))
		return 0;
	if ((a[2] | a[3]) != 0)
		return (uint32_t)(a[2] << 8 | a[3]);
	memcpy(&sin6, sa, sizeof sin6);
	return sin6.sin6_scope_id;
}

/* `kept` is one of ours. */
static bool
same_address(const struct sockaddr_storage *kept, const struct sockaddr *asked)
{
	const struct sockaddr *k = sockaddr_of(kept);
	const uint8_t *x, *y;
	size_t n;

	if (k->sa_family != asked->sa_family)
		return false;
	n = sockaddr_bytes(k, &x);
	if (n == 0)
		return k->sa_len == asked->sa_len && memcmp(k, asked, k->sa_len) == 0;
	if (sockaddr_bytes(asked, &y) != n)
		return false;
	return n == 16 ? in6_same(x, zone_of(k, x), y, zone_of(asked, y)) : memcmp(x, y, n) == 0;
}

struct ifaddr *
ifaddr_find(struct nke *m, const struct sockaddr *sa)
{
	const uint8_t *bytes;
	struct ifaddr *ifa;
	size_t n = sockaddr_bytes(sa, &bytes);
	uint32_t v4;

	if (n == 16)
		return ifaddr_find_in6_zone(m, bytes, zone_of(sa, bytes));
	if (n == 4) {
		memcpy(&v4, bytes, 4);
		return ifaddr_find_in4(m, v4);
	}
	TAILQ_FOREACH(ifa, &m->routes->all, all)
		if (same_address(&ifa->addr, sa))
			return ifa;
	return NULL;
}

struct ifnet *
ifaddr_interface(struct nke *m, uint32_t index)
{
	struct ifaddr *ifa;

	TAILQ_FOREACH(ifa, &m->routes->all, all)
		if (ifa->addr.ss_family == AF_LINK && ifa->ifp->index == index)
			return ifa->ifp;
	return NULL;
}

struct ifnet *
ifaddr_interface_named(struct nke *m, const char *name, size_t len)
{
	struct ifaddr *ifa;

	TAILQ_FOREACH(ifa, &m->routes->all, all)
		if (ifa->addr.ss_family == AF_LINK && strlen(ifa->ifp->xname) == len &&
		    memcmp(ifa->ifp->xname, name, len) == 0)
			return ifa->ifp;
	return NULL;
}

/* On links of two (RFC 3021) and networks of one address every address is somebody's. */
static bool
has_broadcast4(const struct ifaddr *ifa)
{
	struct sockaddr_in addr, mask, dst;

	if (ifa->addr.ss_family != AF_INET || !(ifa->ifp->flags & IFF_BROADCAST) || ifa->dst.ss_len == 0)
		return false;
	memcpy(&addr, &ifa->addr, sizeof addr);
	memcpy(&mask, &ifa->mask, sizeof mask);
	memcpy(&dst, &ifa->dst, sizeof dst);
	return ntohl(mask.sin_addr.s_addr) < 0xfffffffe ||
	    dst.sin_addr.s_addr != (addr.sin_addr.s_addr | ~mask.sin_addr.s_addr);
}

struct ifaddr *
ifaddr_find_broadcast4(struct nke *m, struct ifnet *ifp, uint32_t addr_be)
{
	struct ifaddr *ifa;

	TAILQ_FOREACH(ifa, &m->routes->all, all) {
		const struct sockaddr_in *dst = (const struct sockaddr_in *)(const void *)&ifa->dst;

		if (ifa->addr.ss_family == AF_INET && (ifp == NULL || ifa->ifp == ifp) &&
		    dst->sin_addr.s_addr == addr_be && has_broadcast4(ifa))
			return ifa;
	}
	return NULL;
}

struct ifaddr *
ifaddr_find_dst(struct nke *m, const struct sockaddr *sa)
{
	struct ifaddr *ifa;

	TAILQ_FOREACH(ifa, &m->routes->all, all)
		if ((ifa->ifp->flags & IFF_POINTOPOINT) && ifa->dst.ss_len != 0 &&
		    same_address(&ifa->dst, sa))
			return ifa;
	return NULL;
}

/* How many bits of the mask are set when `sa` is in the network, -1 when it is not. */
static int
match_length(const struct ifaddr *ifa, const struct sockaddr *sa)
{
	const uint8_t *a, *k, *x;
	size_t n = sockaddr_bytes(sa, &x);
	uint32_t zone;
	int bits = 0;

	if (n == 0 || ifa->addr.ss_family != sa->sa_family ||
	    sockaddr_bytes(sockaddr_of(&ifa->addr), &a) != n ||
	    sockaddr_bytes(sockaddr_of(&ifa->mask), &k) != n)
		return -1;
	/* Without a zone, link-local addresses are on every link. */
	zone = n == 16 ? zone_of(sa, x) : 0;
	if (zone != 0 && zone != ifa->ifp->index)
		return -1;
	for (size_t i = 0; i < n; i++) {
		bool scope = n == 16 && (i == 2 || i == 3) && in6_has_zone(x);

		if (!scope && ((a[i] ^ x[i]) & k[i]) != 0)
			return -1;
		bits += __builtin_popcount(k[i]);
	}
	return bits;
}

bool
ifaddr_in_network(const struct ifaddr *ifa, const struct sockaddr *sa)
{
	return match_length(ifa, sa) >= 0;
}

bool
ifaddr_on_link(const struct ifnet *ifp, const struct sockaddr *sa)
{
	const struct ifaddr *ifa;

	TAILQ_FOREACH(ifa, &ifp->addresses, link)
		if (ifaddr_in_network(ifa, sa))
			return true;
	return false;
}

struct ifaddr *
ifaddr_find_net(struct nke *m, const struct sockaddr *sa)
{
	struct ifaddr *ifa, *best = NULL;
	int length, longest = -1;

	TAILQ_FOREACH(ifa, &m->routes->all, all) {
		length = match_length(ifa, sa);
		if (length > longest) {
			longest = length;
			best = ifa;
		}
	}
	return best;
}

struct ifaddr *
ifaddr_best(struct ifnet *ifp, const struct sockaddr *dst)
{
	struct ifaddr *ifa, *first = NULL, *best = NULL;
	int length, longest = -1;

	TAILQ_FOREACH(ifa, &ifp->addresses, link) {
		if (ifa->addr.ss_family != dst->sa_family)
			continue;
		if (first == NULL)
			first = ifa;
		if ((ifp->flags & IFF_POINTOPOINT) && ifa->dst.ss_len != 0 &&
		    same_address(&ifa->dst, dst))
			return ifa;
		length = match_length(ifa, dst);
		if (length > longest) {
			longest = length;
			best = ifa;
		}
	}
	return best != NULL ? best : first;
}
