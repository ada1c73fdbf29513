/*
 * Addresses of interfaces: kept per interface (the link record first), in one list of the machine,
 * and IPv4 and IPv6 ones in a hash, since every packet asks "is it ours?".
 *
 * An IPv6 address that is good on one link only is kept plain, with its interface's index as its
 * sin6_scope_id. Look-ups take that form and Darwin's kernel form, which has the index in bytes 2 and 3 in
 * network order and no sin6_scope_id; kexts and programs are shown the kernel form (ifaddr_kernel_form).
 */
#include <net/if_types.h>
#include <netinet/in.h>
#include <string.h>

#include "src/kern/heap.h"
#include "src/net/route_private.h"
#include "src/net/rtable.h"

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

/* Copies IPv4 or IPv6 socket addresses of exactly their size, with their interface as their zone. */
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
		sin6.sin6_scope_id = 0;
		if (in6_has_zone(sin6.sin6_addr.s6_addr)) {
			sin6.sin6_addr.s6_addr[2] = sin6.sin6_addr.s6_addr[3] = 0;
			sin6.sin6_scope_id = ifp->index;
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

static const struct sockaddr_in6 *
sin6_of(const struct ifaddr *ifa)
{
	return (const struct sockaddr_in6 *)(const void *)&ifa->addr;
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

struct ifaddr *
ifaddr_find_in6_zone(struct nke *m, const void *in6_addr, uint32_t zone)
{
	const uint8_t *asked = in6_addr;
	struct ifaddr *ifa;

	if (in6_has_zone(asked) && (asked[2] | asked[3]) != 0)
		zone = (uint32_t)(asked[2] << 8 | asked[3]);
	LIST_FOREACH(ifa, bucket6(m->routes, asked), hash)
		if (ifa->addr.ss_family == AF_INET6 &&
		    in6_same(sin6_of(ifa)->sin6_addr.s6_addr, sin6_of(ifa)->sin6_scope_id, asked, zone))
			return ifa;
	return NULL;
}

struct ifaddr *
ifaddr_find_in6(struct nke *m, const void *in6_addr)
{
	return ifaddr_find_in6_zone(m, in6_addr, 0);
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
		LIST_INSERT_HEAD(bucket6(rs, sin6_of(ifa)->sin6_addr.s6_addr), ifa, hash);
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

/* Everything before it is linked in: it is well-formed, new, and its protocol is on the interface. */
static errno_t
prepare(struct ifaddr *ifa, const struct ifaddr_request *r)
{
	struct ifnet *ifp = ifa->ifp;
	struct nke *m = ifp->machine;
	const struct ifaddr_hooks *hooks = &m->routes->hooks;
	errno_t error = fill_in(ifa, r->addr, r->mask, r->dst);

	if (error == 0 && ifaddr_find(m, sockaddr_of(&ifa->addr)) != NULL)
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
	if (error == 0 && ifaddr_find(m, sockaddr_of(&ifa->addr)) != NULL)
		error = EEXIST;
	return error;
}

errno_t
ifaddr_add_request(struct ifnet *ifp, const struct ifaddr_request *r, struct ifaddr **out)
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
	ifa->ia6_flags = r->flags;
	error = prepare(ifa, r);
	if (error != 0) {
		kfree(m, ifa);
		return error;
	}
	link_in(ifa);
	ifaddr_retain(ifa);		/* who is told may take it away again */
	if (rt_address_added(ifa) != 0) {
		link_out(ifa);
		ifaddr_drop(ifa);
		return ENOMEM;
	}
	if (r->limited)
		ifaddr_set_lifetime(ifa, r->preferred, r->valid);
	rt_tell_address(ifa, RTM_NEWADDR);
	if (ifa->attached && hooks->changed != NULL)
		hooks->changed(ifa, true);
	if (out != NULL)
		*out = ifa;
	else
		ifaddr_drop(ifa);
	return 0;
}

errno_t
ifaddr_add(struct ifnet *ifp, const struct sockaddr *addr, const struct sockaddr *mask,
    const struct sockaddr *dst)
{
	struct ifaddr_request r = {.addr = addr, .mask = mask, .dst = dst};

	return ifaddr_add_request(ifp, &r, NULL);
}

errno_t
ifaddr_change(struct ifaddr *ifa, const struct sockaddr *mask, const struct sockaddr *dst)
{
	struct sockaddr_storage new_mask = ifa->mask, new_dst = ifa->dst;
	errno_t error = 0;

	if (mask != NULL)
		error = normalise_mask(&ifa->addr, mask, &new_mask);
	if (error == 0 && dst != NULL)
		error = dst->sa_family == ifa->addr.ss_family ? normalise(ifa->ifp, dst, &new_dst) : EINVAL;
	if (error != 0)
		return error;
	ifaddr_retain(ifa);
	rt_address_changing(ifa);
	ifa->mask = new_mask;
	ifa->dst = new_dst;
	if (dst == NULL && ifa->addr.ss_family == AF_INET && (ifa->ifp->flags & IFF_BROADCAST))
		default_broadcast(ifa);
	if (ifa->attached)
		error = rt_address_added(ifa) != 0 ? ENOMEM : 0;
	if (ifa->attached)
		rt_tell_address(ifa, RTM_NEWADDR);
	ifaddr_drop(ifa);
	return error;
}

static void
remove_address(struct ifaddr *ifa)
{
	const struct ifaddr_hooks *hooks = &ifa->ifp->machine->routes->hooks;

	ifaddr_retain(ifa);
	if (ifa->addr.ss_family != AF_LINK) {
		if (hooks->changed != NULL)
			hooks->changed(ifa, false);
		/* Its routes with the address already gone, so that none of them is given it again. */
		link_out(ifa);
		rt_forget_address(ifa);
		rt_tell_address(ifa, RTM_DELADDR);
	} else {
		link_out(ifa);
	}
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
	ifa = ifaddr_find(ifp->machine, sockaddr_of(&ss));
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
