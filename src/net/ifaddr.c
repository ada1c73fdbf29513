/*
 * Addresses of interfaces: kept per interface (the link record first), in one list of the machine,
 * and IPv4 and IPv6 ones in a hash, since every packet asks "is it ours?".
 *
 * An IPv6 link-local address is kept in the kernel's form: bytes 2 and 3 hold the interface's index
 * in network order, sin6_scope_id is 0. Look-ups take that form and the plain one.
 */
#include <net/if_types.h>
#include <netinet/in.h>
#include <string.h>

#include "src/kern/heap.h"
#include "src/net/route_private.h"

/* ---- bytes of socket addresses ------------------------------------------------------------ */

size_t
sockaddr_bytes(const struct sockaddr *sa, const uint8_t **bytes)
{
	if (sa->sa_family == AF_INET && sa->sa_len >= 8) {
		*bytes = (const uint8_t *)sa + __builtin_offsetof(struct sockaddr_in, sin_addr);
		return 4;
	}
	if (sa->sa_family == AF_INET6 && sa->sa_len >= sizeof(struct sockaddr_in6)) {
		*bytes = (const uint8_t *)sa + __builtin_offsetof(struct sockaddr_in6, sin6_addr);
		return 16;
	}
	*bytes = NULL;
	return 0;
}

static const struct sockaddr *
generic(const struct sockaddr_storage *ss)
{
	return (const struct sockaddr *)(const void *)ss;
}

static bool
is_linklocal6(const uint8_t *a)
{
	return (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) ||
	    (a[0] == 0xff && ((a[1] & 0xf) == 1 || (a[1] & 0xf) == 2));
}

/* Copies IPv4 or IPv6 socket addresses of exactly their size, IPv6 scopes in the kernel's form. */
static errno_t
normalise(const struct ifnet *ifp, const struct sockaddr *sa, struct sockaddr_storage *ss)
{
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	memset(ss, 0, sizeof *ss);
	if (sa->sa_family == AF_INET && sa->sa_len >= sizeof sin) {
		memcpy(&sin, sa, sizeof sin);
		sin.sin_len = sizeof sin;
		sin.sin_port = 0;
		memset(sin.sin_zero, 0, sizeof sin.sin_zero);
		memcpy(ss, &sin, sizeof sin);
		return 0;
	}
	if (sa->sa_family == AF_INET6 && sa->sa_len >= sizeof sin6) {
		memcpy(&sin6, sa, sizeof sin6);
		sin6.sin6_len = sizeof sin6;
		sin6.sin6_port = 0;
		if (is_linklocal6(sin6.sin6_addr.s6_addr)) {
			sin6.sin6_addr.s6_addr[2] = (uint8_t)(ifp->index >> 8);
			sin6.sin6_addr.s6_addr[3] = (uint8_t)ifp->index;
			sin6.sin6_scope_id = 0;
		}
		memcpy(ss, &sin6, sizeof sin6);
		return 0;
	}
	return EINVAL;
}

/* A mask has no scope, and its family may be left out. */
static errno_t
normalise_mask(const struct sockaddr_storage *addr, const struct sockaddr *mask,
    struct sockaddr_storage *out)
{
	size_t off = addr->ss_family == AF_INET ? __builtin_offsetof(struct sockaddr_in, sin_addr) :
	    __builtin_offsetof(struct sockaddr_in6, sin6_addr);
	size_t n = addr->ss_family == AF_INET ? 4 : 16;

	memset(out, 0, sizeof *out);
	out->ss_len = addr->ss_len;
	out->ss_family = addr->ss_family;
	if (mask == NULL) {
		memset((uint8_t *)out + off, 0xff, n);
		return 0;
	}
	if (mask->sa_family != 0 && mask->sa_family != addr->ss_family)
		return EINVAL;
	/* A trimmed mask: what it leaves out is zero. */
	if (mask->sa_len > off)
		memcpy((uint8_t *)out + off, (const uint8_t *)mask + off,
		    mask->sa_len - off < n ? mask->sa_len - off : n);
	return 0;
}

/* ---- the hash ----------------------------------------------------------------------------- */

static struct ifaddr_bucket *
bucket4(struct route_state *rs, uint32_t addr_be)
{
	return &rs->buckets[hash_words((const uint8_t *)&addr_be, 4) & (IFADDR_BUCKETS - 1)];
}

/* The scope is left out of the hash, so that both forms of an address are in one bucket. */
static struct ifaddr_bucket *
bucket6(struct route_state *rs, const uint8_t *addr)
{
	return &rs->buckets[hash_words(addr + 4, 12) & (IFADDR_BUCKETS - 1)];
}

static const struct sockaddr_in *
sin_of(const struct ifaddr *ifa)
{
	return (const struct sockaddr_in *)(const void *)&ifa->addr;
}

static const uint8_t *
in6_of(const struct ifaddr *ifa)
{
	return ((const struct sockaddr_in6 *)(const void *)&ifa->addr)->sin6_addr.s6_addr;
}

struct ifaddr *
ifaddr_find_in4(struct nke *m, uint32_t addr_be)
{
	struct ifaddr *ifa;

	LIST_FOREACH(ifa, bucket4(m->routes, addr_be), hash)
		if (ifa->addr.ss_family == AF_INET && sin_of(ifa)->sin_addr.s_addr == addr_be)
			return ifa;
	return NULL;
}

static bool
same_in6(const uint8_t *kept, const uint8_t *asked)
{
	if (memcmp(kept + 4, asked + 4, 12) != 0 || kept[0] != asked[0] || kept[1] != asked[1])
		return false;
	if (kept[2] == asked[2] && kept[3] == asked[3])
		return true;
	return is_linklocal6(asked) && asked[2] == 0 && asked[3] == 0;
}

struct ifaddr *
ifaddr_find_in6(struct nke *m, const void *in6_addr)
{
	const uint8_t *asked = in6_addr;
	struct ifaddr *ifa;

	LIST_FOREACH(ifa, bucket6(m->routes, asked), hash)
		if (ifa->addr.ss_family == AF_INET6 && same_in6(in6_of(ifa), asked))
			return ifa;
	return NULL;
}

/* ---- life --------------------------------------------------------------------------------- */

void
ifaddr_set_hooks(struct nke *m, const struct ifaddr_hooks *hooks)
{
	m->routes->hooks = *hooks;
}

void
ifaddr_retain(struct ifaddr *ifa)
{
	ifa->refcount++;
}

void
ifaddr_drop(struct ifaddr *ifa)
{
	if (--ifa->refcount != 0)
		return;
	if (ifa->removed != NULL)
		ifa->removed(ifa);
	kfree(ifa->ifp->machine, ifa);
}

static void
link_in(struct ifaddr *ifa)
{
	struct route_state *rs = ifa->ifp->machine->routes;

	ifa->refcount = 1;
	ifa->attached = true;
	if (ifa->addr.ss_family == AF_LINK)
		TAILQ_INSERT_HEAD(&ifa->ifp->addresses, ifa, link);
	else
		TAILQ_INSERT_TAIL(&ifa->ifp->addresses, ifa, link);
	TAILQ_INSERT_TAIL(&rs->all, ifa, all);
	if (ifa->addr.ss_family == AF_INET)
		LIST_INSERT_HEAD(bucket4(rs, sin_of(ifa)->sin_addr.s_addr), ifa, hash);
	else if (ifa->addr.ss_family == AF_INET6)
		LIST_INSERT_HEAD(bucket6(rs, in6_of(ifa)), ifa, hash);
}

static void
link_out(struct ifaddr *ifa)
{
	struct route_state *rs = ifa->ifp->machine->routes;

	if (!ifa->attached)
		return;
	ifa->attached = false;
	TAILQ_REMOVE(&ifa->ifp->addresses, ifa, link);
	TAILQ_REMOVE(&rs->all, ifa, all);
	if (ifa->addr.ss_family != AF_LINK)
		LIST_REMOVE(ifa, hash);
	ifaddr_drop(ifa);
}

/* On a broadcast network without a given broadcast address: all host bits set. */
static void
default_broadcast(struct ifaddr *ifa)
{
	struct sockaddr_in addr, mask;

	memcpy(&addr, &ifa->addr, sizeof addr);
	memcpy(&mask, &ifa->mask, sizeof mask);
	addr.sin_addr.s_addr |= ~mask.sin_addr.s_addr;
	memcpy(&ifa->dst, &addr, sizeof addr);
}

static errno_t
fill_in(struct ifaddr *ifa, const struct sockaddr *addr, const struct sockaddr *mask,
    const struct sockaddr *dst)
{
	errno_t error;

	if ((error = normalise(ifa->ifp, addr, &ifa->addr)) != 0 ||
	    (error = normalise_mask(&ifa->addr, mask, &ifa->mask)) != 0)
		return error;
	if (dst == NULL) {
		if (ifa->addr.ss_family == AF_INET && (ifa->ifp->flags & IFF_BROADCAST))
			default_broadcast(ifa);
		return 0;
	}
	if (dst->sa_family != ifa->addr.ss_family)
		return EINVAL;
	return normalise(ifa->ifp, dst, &ifa->dst);
}

errno_t
ifaddr_add(struct ifnet *ifp, const struct sockaddr *addr, const struct sockaddr *mask,
    const struct sockaddr *dst)
{
	struct nke *m = ifp->machine;
	const struct ifaddr_hooks *hooks = &m->routes->hooks;
	struct ifaddr *ifa;
	errno_t error;

	if (ifp->state != IFNET_ATTACHED)
		return ENXIO;
	ifa = kalloc(m, sizeof *ifa);
	if (ifa == NULL)
		return ENOMEM;
	ifa->ifp = ifp;
	error = fill_in(ifa, addr, mask, dst);
	if (error == 0 && ifaddr_find(m, generic(&ifa->addr)) != NULL)
		error = EEXIST;
	if (error == 0 && hooks->plumb != NULL) {
		error = hooks->plumb(ifp, ifa->addr.ss_family);
		/* Interface fact: an IPv4 address is added whether plumbing works or not. */
		if (error == EEXIST || ifa->addr.ss_family == AF_INET)
			error = 0;
	}
	/* Plumbing called kexts. */
	if (error == 0 && ifp->state != IFNET_ATTACHED)
		error = ENXIO;
	if (error == 0 && ifaddr_find(m, generic(&ifa->addr)) != NULL)
		error = EEXIST;
	if (error != 0) {
		kfree(m, ifa);
		return error;
	}
	link_in(ifa);
	if (hooks->changed != NULL)
		hooks->changed(ifa, true);
	return 0;
}

static void
remove_address(struct ifaddr *ifa)
{
	const struct ifaddr_hooks *hooks = &ifa->ifp->machine->routes->hooks;

	ifaddr_retain(ifa);
	if (ifa->addr.ss_family != AF_LINK && hooks->changed != NULL)
		hooks->changed(ifa, false);
	link_out(ifa);
	ifaddr_drop(ifa);
}

errno_t
ifaddr_remove(struct ifnet *ifp, const struct sockaddr *addr)
{
	struct sockaddr_storage ss;
	struct ifaddr *ifa;
	errno_t error;

	if ((error = normalise(ifp, addr, &ss)) != 0)
		return error;
	ifa = ifaddr_find(ifp->machine, generic(&ss));
	if (ifa == NULL || ifa->ifp != ifp)
		return EADDRNOTAVAIL;
	remove_address(ifa);
	return 0;
}

void
ifaddr_purge(struct ifnet *ifp, sa_family_t family)
{
	struct ifaddr *ifa;

	while ((ifa = ifaddr_first(ifp, family)) != NULL)
		remove_address(ifa);
}

/* ---- the link record ---------------------------------------------------------------------- */

void
ifaddr_set_link(struct ifaddr *ifa, const void *lladdr, size_t len)
{
	struct ifnet *ifp = ifa->ifp;
	size_t nlen = strlen(ifp->xname);
	size_t size = __builtin_offsetof(struct sockaddr_dl, sdl_data) + nlen + len;
	struct sockaddr_dl *sdl = (struct sockaddr_dl *)(void *)&ifa->addr;

	memset(&ifa->addr, 0, sizeof ifa->addr);
	sdl->sdl_len = (u_char)(size < sizeof *sdl ? sizeof *sdl : size);
	sdl->sdl_family = AF_LINK;
	sdl->sdl_index = (u_short)ifp->index;
	sdl->sdl_type = ifp->type;
	sdl->sdl_nlen = (u_char)nlen;
	sdl->sdl_alen = (u_char)len;
	memcpy((uint8_t *)&ifa->addr + __builtin_offsetof(struct sockaddr_dl, sdl_data), ifp->xname,
	    nlen);
	memset(ifp->lladdr, 0, sizeof ifp->lladdr);
	if (len != 0) {
		memcpy((uint8_t *)&ifa->addr + __builtin_offsetof(struct sockaddr_dl, sdl_data) + nlen,
		    lladdr, len);
		memcpy(ifp->lladdr, lladdr, len);
	}
	ifp->lladdr_len = (uint8_t)len;
	ifp->has_lladdr = true;
}

errno_t
ifaddr_add_link(struct ifnet *ifp, const void *lladdr, size_t len)
{
	struct ifaddr *ifa = kalloc(ifp->machine, sizeof *ifa);
	size_t nlen = strlen(ifp->xname);

	if (ifa == NULL)
		return ENOMEM;
	ifa->ifp = ifp;
	ifaddr_set_link(ifa, lladdr, len);
	/* The mask covers the name, as for all link records. */
	ifa->mask.ss_len = (uint8_t)(__builtin_offsetof(struct sockaddr_dl, sdl_data) + nlen);
	ifa->mask.ss_family = AF_LINK;
	memset((uint8_t *)&ifa->mask + __builtin_offsetof(struct sockaddr_dl, sdl_data), 0xff, nlen);
	link_in(ifa);
	return 0;
}

struct ifaddr *
ifaddr_first(struct ifnet *ifp, sa_family_t family)
{
	struct ifaddr *ifa;

	TAILQ_FOREACH(ifa, &ifp->addresses, link)
		if (ifa->addr.ss_family == family)
			return ifa;
	return NULL;
}

struct ifaddr *
ifaddr_link(struct ifnet *ifp)
{
	return ifaddr_first(ifp, AF_LINK);
}

/* ---- look-ups that are not on the packet path --------------------------------------------- */

static bool
same_address(const struct sockaddr *a, const struct sockaddr *b)
{
	const uint8_t *x, *y;
	size_t n;

	if (a->sa_family != b->sa_family)
		return false;
	n = sockaddr_bytes(a, &x);
	if (n == 0)
		return a->sa_len == b->sa_len && memcmp(a, b, a->sa_len) == 0;
	if (sockaddr_bytes(b, &y) != n)
		return false;
	return n == 16 ? same_in6(x, y) : memcmp(x, y, n) == 0;
}

struct ifaddr *
ifaddr_find(struct nke *m, const struct sockaddr *sa)
{
	const uint8_t *bytes;
	struct ifaddr *ifa;
	size_t n = sockaddr_bytes(sa, &bytes);
	uint32_t v4;

	if (n == 16)
		return ifaddr_find_in6(m, bytes);
	if (n == 4) {
		memcpy(&v4, bytes, 4);
		return ifaddr_find_in4(m, v4);
	}
	TAILQ_FOREACH(ifa, &m->routes->all, all)
		if (same_address(generic(&ifa->addr), sa))
			return ifa;
	return NULL;
}

struct ifaddr *
ifaddr_find_broadcast4(struct nke *m, struct ifnet *ifp, uint32_t addr_be)
{
	struct ifaddr *ifa;

	TAILQ_FOREACH(ifa, &m->routes->all, all) {
		const struct sockaddr_in *dst = (const struct sockaddr_in *)(const void *)&ifa->dst;

		if (ifa->addr.ss_family == AF_INET && (ifp == NULL || ifa->ifp == ifp) &&
		    (ifa->ifp->flags & IFF_BROADCAST) && ifa->dst.ss_len != 0 &&
		    dst->sin_addr.s_addr == addr_be)
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
		    same_address(generic(&ifa->dst), sa))
			return ifa;
	return NULL;
}

/* How many bits of the mask are set when `sa` is in the network, -1 when it is not. */
static int
match_length(const struct ifaddr *ifa, const struct sockaddr *sa)
{
	const uint8_t *a, *k, *x;
	size_t n = sockaddr_bytes(sa, &x);
	int bits = 0;

	if (n == 0 || ifa->addr.ss_family != sa->sa_family ||
	    sockaddr_bytes(generic(&ifa->addr), &a) != n ||
	    sockaddr_bytes(generic(&ifa->mask), &k) != n)
		return -1;
	/* Plain link-local addresses are on every link: only the form with a scope can tell them apart. */
	for (size_t i = 0; i < n; i++) {
		bool scope = n == 16 && (i == 2 || i == 3) && is_linklocal6(x) && x[2] == 0 &&
		    x[3] == 0;

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
		    same_address(generic(&ifa->dst), dst))
			return ifa;
		length = match_length(ifa, dst);
		if (length > longest) {
			longest = length;
			best = ifa;
		}
	}
	return best != NULL ? best : first;
}
