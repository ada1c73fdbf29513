/*
 * What programs (ndp and its like) ask neighbour discovery and tell it: neighbours, lists of routers and
 * prefixes, settings of an interface. Called by in6_control.c, with the interface that was named.
 */
#include <string.h>

#include "src/netinet6/nd6.h"

/* Their names; RFC 4861's are the same. */
static int
state_of(const struct neighbor *n)
{
	switch (n->state) {
	case NEIGHBOR_INCOMPLETE:
		return ND6_LLINFO_INCOMPLETE;
	case NEIGHBOR_STALE:
		return ND6_LLINFO_STALE;
	case NEIGHBOR_DELAY:
		return ND6_LLINFO_DELAY;
	case NEIGHBOR_PROBE:
		return ND6_LLINFO_PROBE;
	case NEIGHBOR_REACHABLE:
	case NEIGHBOR_CONFIGURED:
		return ND6_LLINFO_REACHABLE;
	default:
		return ND6_LLINFO_NOSTATE;
	}
}

/* EINVAL: not known. */
static errno_t
get_neighbor(struct ifnet *ifp, struct in6_nbrinfo *info)
{
	struct in6_addr a = info->addr;
	struct sockaddr_in6 sin6;
	const struct neighbor *n;

	nd6_sockaddr(ifp, &a, &sin6);
	n = neighbor_find(ifp, nd6_sa(&sin6));
	if (n == NULL)
		return EINVAL;
	info->asked = (long)n->asked;
	info->isrouter = (n->flags & NEIGHBOR_ROUTER) != 0;
	info->state = state_of(n);
	info->expire = n->deadline == UINT64_MAX ? 0 : (int)(n->deadline / ND6_SECOND);
	return 0;
}

/* Darwin's kernel form of an address with a zone. */
static struct in6_addr
kernel_form(const struct sockaddr_in6 *sin6)
{
	struct sockaddr_storage form;
	struct sockaddr_in6 out;

	ifaddr_kernel_form(nd6_sa(sin6), &form);
	memcpy(&out, &form, sizeof out);
	return out.sin6_addr;
}

static void
get_routers(struct nke *m, struct in6_drlist *list)
{
	struct in6_defrouter r[DRLSTSIZ];
	size_t n = nd6_routers(m, r, DRLSTSIZ);

	memset(list->defrouter, 0, sizeof list->defrouter);
	for (size_t i = 0; i < n && i < DRLSTSIZ; i++) {
		list->defrouter[i].rtaddr = kernel_form(&r[i].rtaddr);
		list->defrouter[i].flags = r[i].flags;
		list->defrouter[i].rtlifetime = r[i].rtlifetime;
		list->defrouter[i].expire = r[i].expire;
		list->defrouter[i].if_index = r[i].if_index;
	}
}

static void
get_prefixes(struct nke *m, struct in6_prlist *list)
{
	struct in6_prefix p[PRLSTSIZ];
	size_t n = nd6_prefixes(m, p, PRLSTSIZ);

	memset(list->prefix, 0, sizeof list->prefix);
	for (size_t i = 0; i < n && i < PRLSTSIZ; i++) {
		list->prefix[i].prefix = p[i].prefix.sin6_addr;
		list->prefix[i].raflags = p[i].raflags;
		list->prefix[i].prefixlen = p[i].prefixlen;
		list->prefix[i].origin = p[i].origin;
		list->prefix[i].vltime = p[i].vltime;
		list->prefix[i].pltime = p[i].pltime;
		list->prefix[i].expire = p[i].expire;
		list->prefix[i].if_index = p[i].if_index;
	}
}

static errno_t
get_info(const struct ifnet *ifp, struct in6_ondireq *req)
{
	struct nd_ifinfo info;

	if (!nd6_interface_info(ifp, &info))
		return EINVAL;
	memset(&req->ndi, 0, sizeof req->ndi);
	req->ndi.linkmtu = info.linkmtu;
	req->ndi.maxmtu = info.maxmtu;
	req->ndi.basereachable = info.basereachable;
	req->ndi.reachable = info.reachable;
	req->ndi.retrans = info.retrans;
	req->ndi.flags = info.flags;
	req->ndi.recalctm = info.recalctm;
	req->ndi.chlim = info.chlim;
	req->ndi.receivedra = info.receivedra;
	return 0;
}

errno_t
nd6_ioctl(struct ifnet *ifp, unsigned long command, void *data)
{
	switch (command) {
	case SIOCGNBRINFO_IN6:
		return get_neighbor(ifp, data);
	case SIOCGDRLST_IN6:
		get_routers(ifp->machine, data);
		return 0;
	case SIOCGPRLST_IN6:
		get_prefixes(ifp->machine, data);
		return 0;
	case OSIOCGIFINFO_IN6:
	case SIOCGIFINFO_IN6:
		return get_info(ifp, data);
	case SIOCSNDFLUSH_IN6:
		neighbor_flush(ifp, AF_INET6);
		return 0;
	case SIOCSPFXFLUSH_IN6:
		nd6_rtr_flush(ifp->machine, false, true);
		return 0;
	case SIOCSRTRFLUSH_IN6:
		nd6_rtr_flush(ifp->machine, true, false);
		return 0;
	default:
		return EOPNOTSUPP;
	}
}
