/*
 * Inside of the routing table: what its files share. rtable.c: entries, adding, deleting, looking up;
 * rtable_clone.c: host routes made by use, by path MTU messages and redirects, and everything with a time
 * limit; rtable_addr.c: routes that come and go with addresses and interfaces; rttell.c: who is told.
 */
#ifndef NKE_NET_RTABLE_PRIVATE_H
#define NKE_NET_RTABLE_PRIVATE_H

#include "src/kern/callout.h"
#include "src/net/rtable.h"
#include "src/net/rtrie.h"

/* Flags that programs and the host may set; the others are the table's own business. */
#define RT_PROGRAM_FLAGS	(RTF_REJECT | RTF_BLACKHOLE | RTF_STATIC | RTF_CLONING | RTF_PRCLONING | \
				 RTF_XRESOLVE | RTF_PROTO1 | RTF_PROTO2 | RTF_PROTO3 | RTF_IFSCOPE)
#define RT_CLONES_MAX		1024	/* net.inet.ip.rtmaxcache at first */
#define RT_EXPIRE		3600	/* net.inet.ip.rtexpire at first: seconds a clone stays unused */
#define RT_PATH_MTU_SECONDS	600	/* RFC 1191 6.3 */
#define RT_REDIRECT_SECONDS	600	/* a redirect's route goes then: a better router may be up again */

TAILQ_HEAD(rtentry_list, rtentry);

struct rtable {
	struct rt_node *root[2];	/* IPv4, IPv6 */
	uint32_t generation;
	uint32_t count;			/* routes */
	struct rtentry_list clones;	/* least recently used first */
	uint32_t clone_count;
	struct rtentry_list timed;
	struct callout sweep;		/* the next thing that becomes too old */
	int clone_max, expire_seconds;	/* sysctl */
	struct rtstat stat;
	LIST_HEAD(, rt_listener) listeners;	/* rttell.c */
	unsigned telling;		/* walks over the listeners in progress */
	bool listeners_leave;		/* some go when the last walk ends */
};

/* ---- keys (rtkey.c) ----------------------------------------------------------------------- */

/*
 * The key of an IPv4 or IPv6 address; false for other families and short ones. The zone of an IPv6 address
 * that is good on one link only stands in its bits 16 to 31, which are 0 in the address.
 */
bool rt_key(const struct sockaddr *, struct rt_key *);
/* The same for a route or a destination by an interface, whose zone it is when none is given. */
bool rt_key_on(const struct sockaddr *, const struct ifnet *, struct rt_key *);
void rt_key_address(const struct rt_key *, sa_family_t, struct sockaddr_storage *);
bool rt_key_multicast(const struct rt_key *, sa_family_t);

static inline int
rt_family_index(sa_family_t family)
{
	return family == AF_INET ? 0 : family == AF_INET6 ? 1 : -1;
}

static inline unsigned
rt_host_bits(sa_family_t family)
{
	return family == AF_INET ? 32 : 128;
}

static inline const struct sockaddr *
rt_sa(const struct sockaddr_storage *ss)
{
	return (const struct sockaddr *)(const void *)ss;
}

/* Calendar seconds of an uptime, 0 of 0, and the other way round. */
int32_t rt_calendar(const struct nke *, uint64_t uptime_ns);
uint64_t rt_uptime(const struct nke *, int32_t calendar_seconds);

/* ---- entries (rtable.c): like rt_add, rt_delete ..., but nobody is told -------------------- */

errno_t rtable_add(struct nke *, const struct rt_request *, struct rtentry **);
errno_t rtable_change(struct nke *, const struct rt_request *, struct rtentry **);
/* Takes it out of the table, clones with it; `rt` stays valid while the caller has a reference. */
void rtable_remove(struct rtentry *);
/* Exactly this prefix: without RTF_IFSCOPE (ifp NULL), or by that interface. No reference. */
struct rtentry *rtable_find(struct nke *, const struct sockaddr *dst, unsigned prefix,
    const struct ifnet *ifp);
/* Puts a new entry, whose dst, plen, flags and ifp are set, into the table. EEXIST, ENOBUFS. */
errno_t rtable_insert(struct rtentry *, const struct rt_key *);
struct rtentry *rtable_alloc(struct nke *);
void rtable_set_gateway(struct rtentry *, const struct sockaddr *);
void rtable_set_interface(struct rtentry *, struct ifnet *, struct ifaddr *);
void rtable_set_metrics(struct rtentry *, const struct rt_metrics *, uint32_t inits);

/* Collects routes, referenced, linked by rt_doomed; then deletes them all and tells so. */
void rtable_doom(struct rtentry *, struct rtentry **list);
void rtable_remove_doomed(struct rtentry *list);
/* The same for those that `fn` says. */
void rtable_delete_if(struct nke *, bool (*fn)(const struct rtentry *, const void *), const void *ctx);

/* ---- addresses and interfaces (rtable_addr.c) ---------------------------------------------- */

/* After a route came, changed or went: multicast without a route of its own follows the default. */
void rt_default_changed(const struct rtentry *);

/* ---- clones and time limits (rtable_clone.c) ---------------------------------------------- */

void rt_clone_init(struct nke *);
/* A host route to `dst` like `parent`, referenced; the parent itself when there can be none. */
struct rtentry *rt_clone(struct rtentry *parent, const struct sockaddr *dst, uint32_t flags);
/* A clone was found by somebody who will use it. */
void rt_clone_touch(struct rtentry *);
/* Nobody but the table has this clone any more: it gets old. */
void rt_clone_idle(struct rtentry *);
/* `rt` has changed or goes: its clones are wrong. */
void rt_clone_orphans(struct rtentry *rt);
/* `rt` is new: clones of less specific routes that it covers are wrong. */
void rt_clone_outranked(const struct rtentry *rt);
/* After rt_until or rt_mtu_until was set, or when it enters the table. */
void rt_list(struct rtentry *);
void rt_unlist(struct rtentry *);

/* ---- telling (rttell.c) ------------------------------------------------------------------- */

/*
 * Hears messages; `m` (a packet) is the listener's. `free` is called when it has been taken off and nobody
 * is on the way to it any more.
 */
struct rt_listener {
	LIST_ENTRY(rt_listener) link;
	void (*hear)(struct rt_listener *, struct mbuf *m);
	void (*free)(struct rt_listener *);
	sa_family_t family;		/* only what is about that one, and about none; 0: everything */
	bool gone;
};
void rt_listen(struct nke *, struct rt_listener *);
void rt_unlisten(struct nke *, struct rt_listener *);

static inline bool
rt_heard(const struct nke *m)
{
	return !LIST_EMPTY(&m->rtable->listeners);
}

struct rtmsg;
/* `family` is what it is about, 0: none. All but `except` (NULL: all). */
void rt_tell(struct nke *, const struct rtmsg *, sa_family_t family, const struct rt_listener *except);
void rt_tell_route(const struct rtentry *, int type);
/* RTM_MISS, RTM_REDIRECT, RTM_RESOLVE: `gateway`, `author` may be NULL. */
void rt_tell_addresses(struct nke *, int type, const struct sockaddr *dst, const struct sockaddr *gateway,
    const struct sockaddr *author, int flags, errno_t);

/* ---- sysctl (route_sysctl.c) -------------------------------------------------------------- */

errno_t route_sysctl_init(struct nke *);

#endif
