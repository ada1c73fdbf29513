/*
 * What socket addresses mean to a socket, the source address to send from, connecting and disconnecting.
 *
 * A dual AF_INET6 socket speaks IPv4 by way of mapped addresses (RFC 3493 3.7). Link-local addresses
 * need a zone (RFC 4007): from sin6_scope_id, else the interface the socket is bound to (IPV6_BOUND_IF,
 * its own link-local address), else for multicasts the one to send them by. There is no default zone.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/kern/so_filter.h"
#include "src/net/ifaddr.h"
#include "src/netinet/in_pcb.h"
#include "src/netinet/in_subr.h"

/* ---- socket addresses --------------------------------------------------------------------- */

/* The zone of an address that needs one. */
static errno_t
find_zone(const struct inpcb *inp, const struct in6_addr *addr, uint32_t scope_id, uint32_t *zone)
{
	struct ifnet *ifp = NULL;
	errno_t error;

	*zone = 0;
	if (scope_id != 0) {
		error = in_option_interface(inp->inp_info->machine, scope_id, &ifp);
		if (error != 0)
			return error;
	} else if (inp->inp_boundif != NULL) {
		ifp = inp->inp_boundif;
	} else if (inp->inp_lzone != 0) {
		*zone = inp->inp_lzone;
		return 0;
	} else if (IN6_IS_ADDR_MULTICAST(addr)) {
		/* None: the routing table may know. */
		ifp = inp->inp_moptions != NULL ? inp->inp_moptions->ifp : NULL;
	} else {
		return EHOSTUNREACH;
	}
	*zone = ifp != NULL ? ifp->index : 0;
	return 0;
}

static errno_t
read_inet6(struct inpcb *inp, const struct sockaddr_in6 *sin6, struct in_peer *p)
{
	p->port = sin6->sin6_port;
	p->flowlabel = sin6->sin6_flowinfo & IPV6_FLOWLABEL_MASK;
	if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
		if (inp->inp_flags & INP_V6ONLY)
			return EADDRNOTAVAIL;
		p->vflag = INP_IPV4;
		p->addr = in6_from4(sin6->sin6_addr.s6_addr32[3]);
		return 0;
	}
	p->vflag = INP_IPV6;
	p->addr = sin6->sin6_addr;
	return in6_zoned(&p->addr) ? find_zone(inp, &p->addr, sin6->sin6_scope_id, &p->zone) : 0;
}

errno_t
in_pcbpeer(struct inpcb *inp, const struct sockaddr *sa, struct in_peer *p)
{
	int family = inp->inp_socket->so_family;
	struct sockaddr_in6 sin6;
	struct sockaddr_in sin;

	memset(p, 0, sizeof *p);
	if (sa->sa_family != family)
		return EAFNOSUPPORT;
	if (family == AF_INET) {
		if (sa->sa_len != sizeof sin)
			return EINVAL;
		memcpy(&sin, sa, sizeof sin);
		p->vflag = INP_IPV4;
		p->port = sin.sin_port;
		p->addr = in6_from4(sin.sin_addr.s_addr);
		return 0;
	}
	if (sa->sa_len != sizeof sin6)
		return EINVAL;
	memcpy(&sin6, sa, sizeof sin6);
	return read_inet6(inp, &sin6, p);
}

void
in_pcbname(const struct inpcb *inp, uint8_t vflag, const struct in6_addr *addr, uint32_t zone,
    uint16_t port, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 sin6 = {.sin6_len = sizeof sin6, .sin6_family = AF_INET6};
	struct sockaddr_in sin = {.sin_len = sizeof sin, .sin_family = AF_INET};

	if (inp->inp_socket->so_family == PF_INET) {
		sin.sin_port = port;
		sin.sin_addr.s_addr = addr->s6_addr32[3];
		memcpy(ss, &sin, sizeof sin);
		return;
	}
	sin6.sin6_port = port;
	sin6.sin6_addr = *addr;
	/* A dual socket's unspecified address is IPv6's. */
	if (vflag == INP_IPV4)
		sin6.sin6_addr = in6_mapped(addr->s6_addr32[3]);
	else if (in6_zoned(addr))
		sin6.sin6_scope_id = zone;
	memcpy(ss, &sin6, sizeof sin6);
}

errno_t
in_pcbsockaddr(struct socket *so, struct sockaddr_storage *ss)
{
	const struct inpcb *inp = sotoinpcb(so);

	if (inp == NULL)
		return EINVAL;
	in_pcbname(inp, inp->inp_vflag, &inp->inp_laddr6, inp->inp_lzone, inp->inp_lport, ss);
	return 0;
}

errno_t
in_pcbpeeraddr(struct socket *so, struct sockaddr_storage *ss)
{
	const struct inpcb *inp = sotoinpcb(so);

	if (inp == NULL)
		return EINVAL;
	in_pcbname(inp, inp->inp_vflag, &inp->inp_faddr6, inp->inp_fzone, inp->inp_fport, ss);
	return 0;
}

/* ---- where from --------------------------------------------------------------------------- */

uint32_t
in_pcbzone(struct nke *machine, const struct ifnet *ifp, const struct in6_addr *addr)
{
	const struct ifaddr *ifa;

	if (ifp == NULL || !in6_zoned(addr))
		return 0;
	if (!(ifp->flags & IFF_LOOPBACK))
		return ifp->index;
	ifa = ifaddr_find_in6(machine, addr);
	return ifa != NULL ? ifa->ifp->index : ifp->index;
}

struct ifnet *
in_pcbboundif(const struct inpcb *inp, const struct in_peer *p)
{
	if (LIKELY(p->zone == 0))
		return inp->inp_boundif;
	return dlil_find_by_index(inp->inp_info->machine, p->zone);
}

static void
route_address(const struct in_peer *p, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 sin6 = {.sin6_len = sizeof sin6, .sin6_family = AF_INET6};
	struct sockaddr_in sin = {.sin_len = sizeof sin, .sin_family = AF_INET};

	memset(ss, 0, sizeof *ss);
	if (p->vflag == INP_IPV4) {
		sin.sin_addr.s_addr = p->addr.s6_addr32[3];
		memcpy(ss, &sin, sizeof sin);
	} else {
		sin6.sin6_addr = p->addr;
		sin6.sin6_scope_id = p->zone;
		memcpy(ss, &sin6, sizeof sin6);
	}
}

static bool
peer_multicast(const struct in_peer *p)
{
	return p->vflag == INP_IPV4 ? IN_MULTICAST(ntohl(p->addr.s6_addr32[3])) :
	    IN6_IS_ADDR_MULTICAST(&p->addr);
}

static struct in6_addr
address_of(const struct ifaddr *ifa)
{
	struct in6_addr a;

	if (ifa->addr.ss_family == AF_INET)
		return in6_from4(((const struct sockaddr_in *)(const void *)&ifa->addr)->sin_addr.s_addr);
	a = ((const struct sockaddr_in6 *)(const void *)&ifa->addr)->sin6_addr;
	if (in6_zoned(&a))
		a.s6_addr16[1] = 0;
	return a;
}

static errno_t
find_source(struct inpcb *inp, const struct in_peer *p, struct ifnet *bound, struct in6_addr *source)
{
	struct nke *machine = inp->inp_info->machine;
	struct sockaddr_storage ss;
	const struct sockaddr *dst = (const struct sockaddr *)(const void *)&ss;
	struct ifnet *ifp = bound;
	struct rtentry *rt = NULL;
	struct ifaddr *ifa;

	memset(source, 0, sizeof *source);
	route_address(p, &ss);
	if (ifp == NULL && peer_multicast(p) && inp->inp_moptions != NULL)
		ifp = inp->inp_moptions->ifp;
	if (ifp == NULL || !peer_multicast(p))
		rt = route_get(machine, &inp->inp_route, dst, ifp);
	if (rt != NULL)
		ifp = rt->rt_ifp;
	if (ifp == NULL)
		return p->vflag == INP_IPV4 ? ENETUNREACH : EHOSTUNREACH;
	ifa = p->vflag == INP_IPV4 ? in_select_source(machine, ifp, rt, dst) :
	    in6_select_source(machine, ifp, rt, dst);
	if (ifa == NULL)
		return EADDRNOTAVAIL;
	*source = address_of(ifa);
	return 0;
}

/* Keeps what was found; without memory it is looked for again. */
static void
keep_source(struct inpcb *inp, const struct in_peer *p, const struct in6_addr *source)
{
	if (inp->inp_source == NULL)
		inp->inp_source = kalloc(inp->inp_info->machine, sizeof *inp->inp_source);
	if (inp->inp_source == NULL)
		return;
	/* Looking may have made a route. */
	*inp->inp_source = (struct in_source){.addr = *source, .dst = p->addr, .zone = p->zone,
	    .generation = rt_generation(inp->inp_info->machine), .known = true};
}

errno_t
in_pcbsource(struct inpcb *inp, const struct in_peer *p, struct ifnet *bound, struct in6_addr *source)
{
	const struct in_source *kept = inp->inp_source;
	errno_t error;

	if (!IN6_IS_ADDR_UNSPECIFIED(&inp->inp_laddr6) && !(inp->inp_flags & INP_GROUPBOUND)) {
		*source = inp->inp_laddr6;
		return 0;
	}
	if (LIKELY(kept != NULL && kept->known && kept->generation == rt_generation(inp->inp_info->machine) &&
	    kept->zone == p->zone && IN6_ARE_ADDR_EQUAL(&kept->dst, &p->addr) &&
	    bound == in_pcbboundif(inp, p))) {
		*source = kept->addr;
		return 0;
	}
	error = find_source(inp, p, bound, source);
	if (error == 0 && bound == in_pcbboundif(inp, p))
		keep_source(inp, p, source);
	else
		in_pcbsource_forget(inp);
	return error;
}

/* ---- connecting --------------------------------------------------------------------------- */

/* The unspecified address as a peer is this machine. */
static void
unspecified_is_here(struct in_peer *p)
{
	static const struct in6_addr loopback6 = IN6ADDR_LOOPBACK_INIT;

	if (!IN6_IS_ADDR_UNSPECIFIED(&p->addr))
		return;
	p->addr = p->vflag == INP_IPV4 ? in6_from4(htonl(INADDR_LOOPBACK)) : loopback6;
}

/* It becomes the local address: there is no need to keep it as in_pcbsource() does. */
static errno_t
source_to_connect(struct inpcb *inp, const struct in_peer *p, struct in6_addr *source)
{
	if (IN6_IS_ADDR_UNSPECIFIED(&inp->inp_laddr6) || (inp->inp_flags & INP_GROUPBOUND))
		return find_source(inp, p, in_pcbboundif(inp, p), source);
	*source = inp->inp_laddr6;
	return 0;
}

/* With its ends in place: is there such a connection, and is there a port for it? */
static errno_t
settle_port(struct inpcb *inp, const struct in_peer *p, const struct in6_addr *source)
{
	const struct inpcbinfo *info = inp->inp_info;
	struct in_ends ends = {
		.faddr = p->addr, .laddr = *source, .fport = p->port, .lport = inp->inp_lport,
		.vflag = p->vflag, .ifp = in_pcbboundif(inp, p)
	};

	if (inp->inp_lport == 0)
		return in_pcbchooseport(inp, &ends);
	if (in_pcblookup(inp->inp_info, &ends, false) != NULL)
		return EADDRINUSE;
	return info->waits != NULL && info->waits(info->machine, &ends) ? EADDRINUSE : 0;
}

errno_t
in_pcbconnect(struct inpcb *inp, const struct sockaddr *sa)
{
	uint8_t vflag = inp->inp_vflag;
	struct in6_addr laddr = inp->inp_laddr6, source;
	bool bound = inp->inp_lport != 0;
	struct in_peer p;
	errno_t error;

	error = in_pcbpeer(inp, sa, &p);
	if (error != 0)
		return error == EADDRNOTAVAIL ? EINVAL : error;	/* IPv4, IPV6_V6ONLY */
	if (p.port == 0)
		return EADDRNOTAVAIL;
	if (!IN6_IS_ADDR_UNSPECIFIED(&laddr) && !(vflag & p.vflag))
		return EINVAL;
	unspecified_is_here(&p);
	error = source_to_connect(inp, &p, &source);
	if (error != 0)
		return error;
	inp->inp_vflag = p.vflag;
	if (!(inp->inp_flags & INP_GROUPBOUND))
		inp->inp_laddr6 = source;
	error = settle_port(inp, &p, &source);
	if (error != 0) {
		inp->inp_vflag = vflag;
		inp->inp_laddr6 = laddr;
		return error;
	}
	inp->inp_faddr6 = p.addr;
	inp->inp_fport = p.port;
	inp->inp_fzone = p.zone;
	inp->inp_flowlabel = p.flowlabel;
	if (p.vflag == INP_IPV6 && IN6_IS_ADDR_LINKLOCAL(&source) && inp->inp_lzone == 0)
		inp->inp_lzone = p.zone;
	in_pcbrehash(inp);
	if (!bound)
		so_filter_notify(inp->inp_socket, sock_evt_bound, NULL);
	return 0;
}

void
in_pcbdisconnect(struct inpcb *inp)
{
	memset(&inp->inp_faddr6, 0, sizeof inp->inp_faddr6);
	inp->inp_fport = 0;
	inp->inp_fzone = 0;
	inp->inp_flowlabel = 0;
	in_pcbsource_forget(inp);
	/* An address that was found by connecting goes with the connection. */
	if (!(inp->inp_flags & INP_ADDRBOUND)) {
		memset(&inp->inp_laddr6, 0, sizeof inp->inp_laddr6);
		inp->inp_lzone = 0;
		if (inp->inp_socket->so_family == PF_INET6)
			inp->inp_vflag = inp->inp_flags & INP_V6ONLY ? INP_IPV6 :
			    INP_IPV4 | INP_IPV6;
	}
	in_pcbrehash(inp);
}
