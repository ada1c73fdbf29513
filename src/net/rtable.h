/*
 * The routing table: longest-prefix match over IPv4 and IPv6 networks and hosts, with metrics.
 *
 * A route is created by an interface's address (its network), by the host's configuration, by a routing
 * message, by a router advertisement or a redirect, or cloned by use: looking up a destination with
 * RT_CLONE through a route that has RTF_PRCLONING makes a host route, which is where the path MTU to that
 * destination is kept. Clones nobody uses go after a while and are bounded in number.
 *
 * Who calls this: the protocols' way out (rt_lookup, by way of a `struct route` that keeps the answer from
 * one packet to the next), ifaddr.c (networks), rtsock.c (messages), ICMP (rt_redirect, metrics).
 * Everything said to the table is told to the routing sockets by it.
 */
#ifndef NKE_NET_RTABLE_H
#define NKE_NET_RTABLE_H

#include <net/route.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "src/net/if_private.h"

struct ifaddr;

struct rtentry {
	uint32_t rt_refcnt;		/* the table's and its users' */
	uint32_t rt_flags;		/* RTF_*; without RTF_UP it is not in the table any more */
	struct nke *rt_machine;
	struct sockaddr_storage rt_dst;	/* host bits 0 */
	uint8_t rt_plen;		/* bits of the mask */
	struct sockaddr_storage rt_gateway;	/* next hop (AF_INET, AF_INET6), or AF_LINK: on the link */
	struct ifnet *rt_ifp;		/* referenced */
	struct ifaddr *rt_ifa;		/* whose address packets are sent from; referenced; may be NULL */
	uint32_t rt_ifscope;		/* index, with RTF_IFSCOPE */
	struct rt_metrics rt_rmx;	/* rmx_mtu 0: the interface's; rmx_expire in calendar seconds */
	struct rtentry *rt_parent;	/* it was cloned from; referenced */
	uint32_t rt_clones;		/* of it, in the table */
	uint64_t rt_used;		/* uptime ns of the last lookup that cloned or found it */
	uint64_t rt_until;		/* uptime ns when it goes; 0: never */
	uint64_t rt_mtu_until;		/* uptime ns when rmx_mtu, the path's, is forgotten; 0: never */
	struct rt_node *rt_node;	/* its place in the trie (rtrie.h) */
	struct rtentry *rt_next;	/* of the same prefix, by another interface */
	TAILQ_ENTRY(rtentry) rt_link;	/* clones, by age; or others that have a time limit */
	enum { RT_UNLISTED, RT_CLONES, RT_TIMED } rt_list;
	struct rtentry *rt_doomed;	/* while several are being deleted at once */
};

/* Flags of rt_lookup. */
#define RT_CLONE	0x1		/* make a host route if the table says so */
#define RT_REPORT	0x2		/* nothing found: RTM_MISS to the routing sockets */

/*
 * The best route to `dst` (AF_INET, AF_INET6), referenced; NULL: none. `ifp` not NULL: only routes by
 * that interface. Reject and blackhole routes are returned: the caller looks at rt_flags.
 */
struct rtentry *rt_lookup(struct nke *, const struct sockaddr *dst, struct ifnet *ifp, int flags);
void rt_retain(struct rtentry *);
void rt_release(struct rtentry *);	/* NULL is fine */

/* What a route is made of: rt_add, rt_change. */
struct rt_request {
	const struct sockaddr *dst;
	unsigned prefix;		/* bits; of a host: 32 or 128 */
	const struct sockaddr *gateway;	/* next hop, or AF_LINK / NULL: on the link of ifp */
	struct ifnet *ifp;		/* NULL: found from the gateway */
	struct ifaddr *ifa;		/* NULL: the best of ifp */
	uint32_t flags;			/* RTF_* */
	const struct rt_metrics *metrics;	/* those in rtm_inits; NULL */
	uint32_t inits;			/* RTV_*: which of them */
};
/*
 * EEXIST, ENETUNREACH (gateway not on any link), EINVAL, ENOBUFS, ENXIO (ifp is going). `rt` (may be NULL):
 * referenced. A prefix has one route without RTF_IFSCOPE and one per interface with it. Networks by way of
 * a gateway get RTF_PRCLONING. A route with RTV_EXPIRE goes at that time.
 */
errno_t rt_add(struct nke *, const struct rt_request *, struct rtentry **rt);
/*
 * ESRCH: no such route. `ifp` NULL: the one without RTF_IFSCOPE; else the one by that interface. Clones go
 * with their parent.
 */
errno_t rt_delete(struct nke *, const struct sockaddr *dst, unsigned prefix, struct ifnet *ifp);
/* Of the route with that dst, prefix (and ifp, with RTF_IFSCOPE): gateway, interface, address, metrics. */
errno_t rt_change(struct nke *, const struct rt_request *);
/* Calls fn for every route of the family (0: all), in order of address; fn may not change the table. */
void rt_walk(struct nke *, sa_family_t, bool (*fn)(struct rtentry *, void *ctx), void *ctx);
/* An ICMP redirect for `dst`, sent by `source`, towards `gateway` (RFC 1122 3.2.2.2, RFC 4861 8). */
void rt_redirect(struct nke *, const struct sockaddr *dst, const struct sockaddr *gateway,
    const struct sockaddr *source, struct ifnet *);
/* That neighbour does not answer: routes towards it that redirects made go (RFC 4861 7.3.3). */
void rt_gateway_silent(struct ifnet *, const struct sockaddr *gateway);
/* A transport sees that its packets that way are not answered: RTM_LOSING; a learned route is given up. */
void rt_losing(struct rtentry *);
/* All routes by that interface go; those of one of its addresses. */
void rt_forget_interface(struct ifnet *);
void rt_forget_address(struct ifaddr *);
/* An address has come: its own host route by lo0, its network, its peer. ENOBUFS: none of them. */
errno_t rt_address_added(struct ifaddr *);
/* Its mask or peer is about to change: those go; what was configured stays. */
void rt_address_changing(struct ifaddr *);
/* The routing sockets hear: RTM_NEWADDR, RTM_DELADDR; RTM_IFINFO; RTM_NEWMADDR, RTM_DELMADDR. */
void rt_tell_address(const struct ifaddr *, int type);
void rt_tell_interface(const struct ifnet *);
void rt_tell_multicast(const struct ifmultiaddr *, int type);
/* Flags of an interface (those in `changed`) are different now: the links for multicast, RTM_IFINFO. */
void rt_interface_changed(struct ifnet *, uint32_t changed);
/*
 * What a path MTU message says of the way to `dst`: kept in the host route, which is made if need be, for
 * ten minutes (RFC 1191 6.3, RFC 8201 5.3). It never grows what is known, and never is less than 68 (IPv4)
 * or 1280 (IPv6). False: nothing changed.
 */
bool rt_set_path_mtu(struct nke *, const struct sockaddr *dst, uint32_t mtu);

/* ---- a sender's cached route --------------------------------------------------------------- */

struct route {
	struct rtentry *ro_rt;		/* referenced; NULL none */
	const struct ifnet *ro_ifp;	/* it was asked for by that one; compared only */
	struct in6_addr ro_dst;		/* IPv4: in the last word, the others 0 */
	uint32_t ro_zone;		/* of ro_dst, IPv6 */
	uint32_t ro_generation;		/* of the table when it was looked up */
	sa_family_t ro_family;		/* of ro_dst */
	bool ro_plain;			/* ip_output.c's own: IPv4 packets to there need nothing special */
	bool ro_noclone;		/* a router's: no host route for every destination that passes */
};

/* Of the table: moves on when any route changes, so that cached answers are asked for again. */
uint32_t rt_generation(const struct nke *);
/* Drops what is cached. */
void route_clear(struct route *);
/* `to`, which is empty, gets what `from` has. */
void route_share(struct route *to, const struct route *from);
/*
 * The route to `dst` by way of the cache: no lookup while destination and table are the same. Not
 * referenced for the caller: `ro` is. NULL: no route.
 */
struct rtentry *route_get(struct nke *, struct route *ro, const struct sockaddr *dst,
    struct ifnet *ifp);
/* Bytes that may be sent that way at once: the path's MTU or the interface's. */
uint32_t rt_mtu(const struct rtentry *);

/* ---- source addresses (src/netinet/in_source.c, src/netinet6/in6_source.c) ------------------ */

/*
 * The address to send from to `dst` by `ifp` along `rt` (may be NULL). IPv4: RFC 1122 3.3.4.3 and the
 * route's own; IPv6: RFC 6724 section 5. NULL: none of that family. No reference.
 */
struct ifaddr *in_select_source(struct nke *, struct ifnet *, const struct rtentry *rt,
    const struct sockaddr *dst);
struct ifaddr *in6_select_source(struct nke *, struct ifnet *, const struct rtentry *rt,
    const struct sockaddr *dst);

#endif
