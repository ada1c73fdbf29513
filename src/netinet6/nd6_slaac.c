/*
 * Addresses that an interface gives itself (RFC 4862 sections 5.3 and 5.5): link-local from its link
 * address, others from the prefixes that routers advertise.
 *
 * The interface identifier is the modified EUI-64 of the link address (RFC 2464 section 4). Lifetimes follow
 * the advertisements, with the rule that an unauthenticated one cannot shorten what is left to less than two
 * hours (5.5.3 (e)). Limit: as many such addresses on an interface as net.inet6.ip6.maxifprefixes.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/klog.h"
#include "src/netinet6/nd6.h"

#define TWO_HOURS	7200u	/* seconds */

/* RFC 4291 appendix A: the universal/local bit is inverted. */
static void
put_identifier(const struct ifnet *ifp, struct in6_addr *a)
{
	const uint8_t *l = ifp->lladdr;
	const uint8_t id[8] = {l[0] ^ 2, l[1], l[2], 0xff, 0xfe, l[3], l[4], l[5]};

	memcpy(&a->s6_addr[8], id, sizeof id);
}

/* `p`: the prefix it is made from, NULL: none. */
static errno_t
add(struct ifnet *ifp, const struct in6_addr *a, unsigned prefix_len, const struct nd6_prefix *p)
{
	struct sockaddr_in6 addr, mask = {.sin6_len = sizeof mask, .sin6_family = AF_INET6};
	struct ifaddr_request r = {.mask = nd6_sa(&mask)};

	nd6_sockaddr(ifp, a, &addr);
	r.addr = nd6_sa(&addr);
	memset(&mask.sin6_addr, 0xff, prefix_len / 8);
	if (p != NULL) {
		r.flags = IN6_IFF_AUTOCONF;
		r.limited = true;
		r.preferred = p->preferred;
		r.valid = p->valid;
	}
	return ifaddr_add_request(ifp, &r, NULL);
}

/* ---- link-local --------------------------------------------------------------------------- */

static bool
has_linklocal(struct ifnet *ifp)
{
	const struct ifaddr *ifa;

	TAILQ_FOREACH(ifa, &ifp->addresses, link) {
		if (ifa->addr.ss_family == AF_INET6) {
			const struct in6_addr a = nd6_address_of(ifa);

			if (IN6_IS_ADDR_LINKLOCAL(&a))
				return true;
		}
	}
	return false;
}

errno_t
nd6_linklocal_start(struct ifnet *ifp)
{
	struct in6_addr a = {.s6_addr = {0xfe, 0x80}};
	errno_t error;

	if (!nd6_capable(ifp))
		return EOPNOTSUPP;
	error = dlil_plumb(ifp, PF_INET6);
	if (error != 0 && error != EEXIST)
		return error;
	if (has_linklocal(ifp))
		return EEXIST;
	put_identifier(ifp, &a);
	return add(ifp, &a, 64, NULL);
}

/* ---- switching it on and off -------------------------------------------------------------- */

errno_t
nd6_autoconf_start(struct ifnet *ifp)
{
	struct nd6_if *nd;
	errno_t error;

	if (!nd6_capable(ifp))
		return EOPNOTSUPP;
	nd = nd6_interface(ifp);
	if (nd == NULL)
		return ifp->state == IFNET_ATTACHED ? ENOMEM : ENXIO;
	if (nd->autoconf)
		return 0;
	nd->autoconf = true;
	error = nd6_linklocal_start(ifp);
	if (error == 0 || ifp->nd6 != nd)
		return error;		/* routers are asked for when the address is known to be ours */
	if (error != EEXIST) {
		nd->autoconf = false;
		return error;
	}
	if (nd6_own_linklocal(ifp) != NULL)
		nd6_rtr_solicit(nd);
	return 0;
}

void
nd6_autoconf_stop(struct ifnet *ifp)
{
	struct nd6_if *nd = ifp->nd6;

	if (nd == NULL || !nd->autoconf)
		return;
	nd->autoconf = false;
	ifp->mtu6 = 0;
	ifp->hlim6 = 0;
	nd6_rtr_forget(nd);
	nd6_slaac_forget(nd);
}

void
nd6_slaac_forget(struct nd6_if *nd)
{
	struct ifnet *ifp = nd->ifp;
	struct sockaddr_storage addr;
	struct ifaddr *ifa;

again:
	TAILQ_FOREACH(ifa, &ifp->addresses, link) {
		if (ifa->addr.ss_family != AF_INET6 || !(ifa->ia6_flags & IN6_IFF_AUTOCONF))
			continue;
		addr = ifa->addr;
		if (ifaddr_remove(ifp, (const struct sockaddr *)(const void *)&addr) != 0)
			return;
		goto again;
	}
}

/* ---- addresses from prefixes -------------------------------------------------------------- */

static struct ifaddr *
find_autoconf(struct ifnet *ifp, const struct nd6_prefix *p, unsigned *count)
{
	struct ifaddr *ifa, *found = NULL;

	*count = 0;
	TAILQ_FOREACH(ifa, &ifp->addresses, link) {
		if (ifa->addr.ss_family == AF_INET6 && (ifa->ia6_flags & IN6_IFF_AUTOCONF)) {
			const struct in6_addr a = nd6_address_of(ifa);

			(*count)++;
			if (memcmp(&a, &p->prefix, 8) == 0)
				found = ifa;
		}
	}
	return found;
}

/* RFC 4862 5.5.3 (e). */
static void
refresh(struct ifaddr *ifa, const struct nd6_prefix *p)
{
	uint64_t now = machine_now(ifa->ifp->machine), left = ND6_NEVER;

	if (ifa->ia6_valid != 0)
		left = ifa->ia6_valid > now ? ifa->ia6_valid - now : 0;
	if (p->valid > TWO_HOURS || p->valid * ND6_SECOND > left)
		ifaddr_set_lifetime(ifa, p->preferred, p->valid);
	else if (left > TWO_HOURS * ND6_SECOND)
		ifaddr_set_lifetime(ifa, p->preferred, TWO_HOURS);
	else
		ifaddr_set_preferred(ifa, p->preferred);
}

/* On the link or not is said apart: without it the address has no network of its own. */
static void
make(struct ifnet *ifp, const struct nd6_prefix *p)
{
	struct in6_addr a = p->prefix;
	errno_t error;

	put_identifier(ifp, &a);
	error = add(ifp, &a, p->flags & ND_OPT_PI_FLAG_ONLINK ? 64 : 128, p);
	if (error != 0 && error != EEXIST && nd6_may_log(ifp->machine))
		klog(ifp->machine, 4, "%s: no address made from an advertised prefix: error %d", ifp->xname,
		    error);
}

void
nd6_slaac_prefix(struct nd6_if *nd, const struct nd6_prefix *p)
{
	unsigned count;
	struct ifaddr *ifa = find_autoconf(nd->ifp, p, &count);

	if (p->len != 64)		/* 5.5.3 (d): identifiers have 64 bits */
		return;
	if (ifa != NULL)
		refresh(ifa, p);
	else if (p->valid != 0 && count < (unsigned)nd->ifp->machine->nd6->max_prefixes)
		make(nd->ifp, p);
}
