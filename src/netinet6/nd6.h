/*
 * IPv6 neighbour discovery: what the rest of the core calls, and what its files share.
 *
 *	nd6.c		the machine's and interfaces' state, time, messages in and out
 *	nd6_nbr.c	solicitations and advertisements of neighbours, redirects (RFC 4861 7, 8)
 *	nd6_dad.c	our addresses: groups, duplicates (RFC 4862 5.4, RFC 7527)
 *	nd6_rtr.c	advertisements of routers: default routers, prefixes (RFC 4861 6.3, RFC 4191)
 *	nd6_slaac.c	addresses made from prefixes and link addresses (RFC 4862 5.3, 5.5)
 *	nd6_adv.c	this machine as a router that advertises (RFC 4861 6.2)
 *	nd6_ioctl.c	ioctls
 *
 * Addresses in here are as on the wire, without a scope; the interface is always known beside them.
 */
#ifndef NKE_NETINET6_ND6_H
#define NKE_NETINET6_ND6_H

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/in_var.h>
#include <netinet6/nd6.h>

#include "src/kern/kern_event.h"
#include "src/net/ifaddr.h"
#include "src/net/neighbor.h"

/* ---- for the rest of the core ------------------------------------------------------------- */

/* ICMPv6 types 133 to 137: data at the IPv6 header, the message at `off`, checksum verified. Consumes. */
void nd6_input(struct nke *, struct mbuf *, int off);
/*
 * Attaches IPv6 to an interface, gives it a link-local address made from its link address, asks for routers
 * and takes what they say. ENXIO, ENOMEM, EOPNOTSUPP: no Ethernet.
 */
errno_t nd6_autoconf_start(struct ifnet *);
/* What came from routers goes; the link-local address stays. */
void nd6_autoconf_stop(struct ifnet *);
/* The link-local address alone (SIOCLL_START). EEXIST: it has one. */
errno_t nd6_linklocal_start(struct ifnet *);

#define ND6_ADV_PREFIXES_MAX	16u

struct nd6_adv_prefix {
	struct in6_addr prefix;
	uint8_t len;			/* bits */
	uint8_t flags;			/* ND_OPT_PI_FLAG_ONLINK, ND_OPT_PI_FLAG_AUTO */
	uint32_t valid, preferred;	/* seconds, ND6_INFINITE_LIFETIME */
};

/* What a router says on an interface. Zero: unspecified, or the default that is named. */
struct nd6_advertise {
	uint32_t min_interval, max_interval;	/* seconds; 198, 600 */
	uint16_t lifetime;		/* seconds of being a default router; 0: none */
	uint8_t flags;			/* ND_RA_FLAG_MANAGED, _OTHER, _RTPREF_* */
	uint8_t hop_limit;
	uint32_t mtu;
	uint32_t reachable_ms, retrans_ms;
	unsigned prefix_count;
	struct nd6_adv_prefix prefixes[ND6_ADV_PREFIXES_MAX];
};
/*
 * From now on the machine advertises itself there, while net.inet6.ip6.forwarding is on; NULL: it stops,
 * and says so. EINVAL: values that RFC 4861 6.2.1 forbids; ENXIO, ENOMEM, EOPNOTSUPP.
 */
errno_t nd6_advertise(struct ifnet *, const struct nd6_advertise *);

/*
 * SIOCGNBRINFO_IN6, SIOCGDRLST_IN6, SIOCGPRLST_IN6, SIOCGIFINFO_IN6, SIOCSNDFLUSH_IN6, SIOCSPFXFLUSH_IN6,
 * SIOCSRTRFLUSH_IN6. EINVAL: no such neighbour, no neighbours there; EOPNOTSUPP: another ioctl.
 */
errno_t nd6_ioctl(struct ifnet *, unsigned long command, void *data);
/* The routers and prefixes, for ioctls and the host. How many there are; fills at most `max`. */
size_t nd6_routers(struct nke *, struct in6_defrouter *, size_t max);
size_t nd6_prefixes(struct nke *, struct in6_prefix *, size_t max);
/* Settings of an interface; false: IPv6 is not on it. */
bool nd6_interface_info(const struct ifnet *, struct nd_ifinfo *);

/* ---- what the files share ----------------------------------------------------------------- */

#define ND6_SECOND		UINT64_C(1000000000)
#define ND6_MS			UINT64_C(1000000)
#define ND6_NEVER		UINT64_MAX
/* RFC 4861 section 10. */
#define ND6_REACHABLE_MS	30000u
#define ND6_RETRANS_MS		1000u
#define ND6_MESSAGE_MAX		2048u		/* bytes; a message never comes in fragments (RFC 6980) */
#define ND6_STALE_AFTER		(86400 * ND6_SECOND)	/* an unused entry goes */

struct in_multi;

/* A default router (RFC 4861 5.1). */
struct nd6_router {
	TAILQ_ENTRY(nd6_router) link;
	struct in6_addr addr;
	uint64_t until;			/* uptime ns */
	uint16_t lifetime;		/* seconds, as said */
	uint8_t flags;			/* of the advertisement */
	int preference;			/* -1, 0, 1 (RFC 4191 2.1) */
	bool unreachable;		/* did not answer */
};

/* A prefix that is on the link. */
struct nd6_prefix {
	TAILQ_ENTRY(nd6_prefix) link;
	struct in6_addr prefix;
	uint8_t len;
	uint8_t flags;			/* ND_OPT_PI_FLAG_* */
	bool routed;			/* we made the route */
	uint32_t valid, preferred;	/* seconds, as said */
	uint64_t until;			/* uptime ns, ND6_NEVER */
};

/* One of our addresses. */
struct nd6_address {
	TAILQ_ENTRY(nd6_address) link;
	struct ifaddr *ifa;		/* referenced */
	struct in_multi *solicited;	/* its solicited-node group; NULL: not joined */
	unsigned left;			/* solicitations to send yet while tentative */
	uint64_t due;			/* uptime ns of the next step of detection */
	uint8_t nonce[6];		/* RFC 7527 */
	bool announce;			/* to be said again, as our link address changed */
	bool restart;			/* to be looked for again, as the link came back */
};

/* Advertising (nd6_adv.c). */
struct nd6_adv {
	struct nd6_advertise what;
	uint64_t due;			/* next multicast advertisement */
	uint64_t last;			/* the last one, 0 none */
	unsigned sent;			/* at first they come more often */
	bool stopping;			/* the last one says that we are no router any more */
	struct in_multi *all_routers;
};

/* An interface with IPv6; ifnet.nd6. */
struct nd6_if {
	TAILQ_ENTRY(nd6_if) link;
	struct ifnet *ifp;
	struct in_multi *all_nodes;
	uint32_t base_reachable_ms, reachable_ms, retrans_ms;
	uint64_t recompute;		/* when reachable_ms is to be made anew (RFC 4861 6.3.2) */
	bool autoconf;
	bool fresh;			/* the first message after it came up is yet to be sent */
	bool heard;			/* a router */
	unsigned solicits;		/* for routers, to send yet */
	uint64_t solicit_due;
	TAILQ_HEAD(, nd6_address) addresses;
	TAILQ_HEAD(, nd6_router) routers;
	TAILQ_HEAD(, nd6_prefix) prefixes;
	unsigned router_count, prefix_count;
	struct nd6_adv *adv;		/* NULL: does not advertise */
};

struct nd6_state {
	TAILQ_HEAD(, nd6_if) interfaces;
	struct callout timer;
	uint64_t armed;
	struct kev_listener listener;
	/* The default route that we made: by that interface to that router; ifp NULL none. */
	struct ifnet *default_ifp;
	struct in6_addr default_router;
	/* net.inet6.icmp6.*, net.inet6.ip6.* */
	int delay, umaxtries, mmaxtries, maxqueuelen, maxqueue_total;
	int dad_count, max_prefixes, max_routers;
	uint64_t said;			/* uptime ns of the last line in the log about a strange message */
};

/* A message that came in: hop limit 255, code 0, long enough for its type, options well-formed. */
struct nd6_message {
	struct nke *machine;
	struct ifnet *ifp;
	struct nd6_if *nd;
	struct in6_addr src, dst;
	const uint8_t *data;		/* ICMPv6 header first */
	size_t len;
	size_t options;			/* offset of the first */
};

/* The option of that type, NULL: none. `*len` (may be NULL): its bytes, a multiple of 8. */
const uint8_t *nd6_option(const struct nd6_message *, uint8_t type, size_t *len);
/* The next of that type behind `after` (NULL: the first). */
const uint8_t *nd6_next_option(const struct nd6_message *, uint8_t type, const uint8_t *after);
/* The link address in an option of that type; NULL: none, or not one of Ethernet's. */
const uint8_t *nd6_lladdr_option(const struct nd6_message *, uint8_t type);

/* ---- nd6.c -------------------------------------------------------------------------------- */

/* Are neighbours looked for there? */
bool nd6_capable(const struct ifnet *);
/* Made if need be; NULL: not capable, or no memory. */
struct nd6_if *nd6_interface(struct ifnet *);
/*
 * Sends an ICMPv6 message of `len` bytes whose checksum is filled in. `src` NULL: the unspecified address.
 * Nothing when a capture is being replayed.
 */
void nd6_send(struct ifnet *, const struct in6_addr *src, const struct in6_addr *dst, void *message,
    size_t len);
/* Appends a link address option, 8 bytes. */
size_t nd6_put_lladdr(uint8_t *to, uint8_t type, const struct ifnet *);
/* Something is due at that uptime. */
void nd6_arm(struct nke *, uint64_t due);
/* Uniform in [least, most]. */
uint64_t nd6_random(struct nke *, uint64_t least, uint64_t most);
uint64_t nd6_deadline(const struct nke *, uint32_t seconds);	/* ND6_INFINITE_LIFETIME: never */
/* Counts a bad message of that type. */
void nd6_bad(struct nke *, uint8_t type);
void nd6_interface_gone(struct ifnet *);
void nd6_interface_up(struct ifnet *);
/* Of what leaves by that interface, when the sender does not say. */
uint8_t nd6_hop_limit(const struct ifnet *);
/* RFC 4861 6.3.2: for how long a neighbour is reachable, from base_reachable_ms. */
void nd6_recompute_reachable(struct nd6_if *);
void nd6_sockaddr(const struct ifnet *, const struct in6_addr *, struct sockaddr_in6 *);
/* Without scope. */
struct in6_addr nd6_address_of(const struct ifaddr *);
/* Ours on that interface, whatever its state. No reference. */
struct ifaddr *nd6_own(struct ifnet *, const struct in6_addr *);
/* A link-local address of ours that may be used; NULL none. */
struct ifaddr *nd6_own_linklocal(struct ifnet *);
bool nd6_on_link(struct ifnet *, const struct in6_addr *);
bool nd6_may_log(struct nke *);
extern const struct in6_addr nd6_all_nodes, nd6_all_routers;

static inline const struct sockaddr *
nd6_sa(const struct sockaddr_in6 *sin6)
{
	return (const struct sockaddr *)(const void *)sin6;
}

/* ---- nd6_nbr.c ---------------------------------------------------------------------------- */

void nd6_solicit_input(const struct nd6_message *);
void nd6_advert_input(const struct nd6_message *);
void nd6_redirect_input(const struct nd6_message *);
extern const struct neighbor_ops nd6_neighbor_ops;
struct in6_addr nd6_solicited_node(const struct in6_addr *);
/* We say that the address is ours, to everybody. */
void nd6_announce(struct ifaddr *);
/* NEIGHBOR_ROUTER of the neighbour, if it is known. */
void nd6_note_router(struct ifnet *, const struct in6_addr *, bool router);

/* ---- nd6_dad.c ---------------------------------------------------------------------------- */

void nd6_address_changed(struct ifaddr *, bool added);
/* All addresses are looked at again: the link came back. */
void nd6_dad_restart(struct nd6_if *);
/* Those that waited for the interface to come up. */
void nd6_dad_resume(struct nd6_if *);
/* Another station uses it (advert), or looks whether it may (solicit with that nonce, NULL none). */
void nd6_dad_heard(struct ifaddr *, const uint8_t *nonce, bool advert, const uint8_t *lladdr);
/* Does what is due of one address; true: it did something, ask again. *next: lowered to the next time. */
bool nd6_dad_due(struct nd6_if *, uint64_t now, uint64_t *next);
void nd6_dad_forget(struct nd6_if *);

/* ---- nd6_rtr.c ---------------------------------------------------------------------------- */

void nd6_rtr_advert_input(const struct nd6_message *);
bool nd6_rtr_due(struct nd6_if *, uint64_t now, uint64_t *next);
/* Asks for routers, as there is a link-local address to ask from. */
void nd6_rtr_solicit(struct nd6_if *);
/* The neighbour does not answer, or does again. */
void nd6_rtr_reachable(struct ifnet *, const struct in6_addr *, bool reachable);
/* Forgets all routers and prefixes of an interface; routers or prefixes of all. */
void nd6_rtr_forget(struct nd6_if *);
void nd6_rtr_flush(struct nke *, bool routers, bool prefixes);

/* ---- nd6_slaac.c -------------------------------------------------------------------------- */

/* A prefix option whose prefix may be used for addresses. */
void nd6_slaac_prefix(struct nd6_if *, const struct nd6_prefix *);
void nd6_slaac_forget(struct nd6_if *);

/* ---- nd6_adv.c ---------------------------------------------------------------------------- */

void nd6_rtr_solicit_input(const struct nd6_message *);
bool nd6_adv_due(struct nd6_if *, uint64_t now, uint64_t *next);
void nd6_adv_forget(struct nd6_if *);

#endif
