/*
 * Multicast groups that interfaces are members of, for IPv4 and IPv6 alike, with their source filters.
 *
 * A record (struct in_multi) is one group on one interface. Its members are sockets (in_mcast.c) and the
 * core itself (all-hosts, solicited-node groups ...: in_multi_join). From what the members want follows
 * what the interface wants (RFC 3376 section 3.2, RFC 3810 section 4.2): a filter mode and a list of
 * sources. Whenever that changes, the reporter of the family (igmp.c, mld6.c) is told.
 *
 * Lifetime: a record is there while it has members or references. A reporter that still has reports to
 * send about a group that was left keeps a reference; a new member finds the same record again.
 */
#ifndef NKE_NETINET_IN_MULTI_H
#define NKE_NETINET_IN_MULTI_H

#include <netinet/in.h>
#include <sys/queue.h>

#include "src/net/if_private.h"

/* An address of either family, without scope; unused bytes are 0, so that equal ones have equal bytes. */
union in_any {
	struct in_addr v4;
	struct in6_addr v6;
};

/* A source that some member names. */
struct in_msource {
	union in_any addr;
	uint32_t includes, excludes;	/* members in that mode that name it */
	bool listed;			/* in the interface's list: to be heard, or (EXCLUDE) not */
	bool was_listed;		/* before the change that the reporter is being told */
	/* The reporter's own: not 0 keeps the source here even when nobody names it any more. */
	uint8_t report;
	uint8_t report_type;
};

struct in_multi {
	TAILQ_ENTRY(in_multi) link;	/* of the machine, in order of first joining */
	LIST_ENTRY(in_multi) hash;
	struct ifnet *ifp;		/* referenced; may have been detached (see in_multi_interface_gone) */
	struct ifmultiaddr *ifma;	/* the link layer's record, joined while there are members */
	uint32_t refs;
	uint32_t members;		/* sockets, and the core's own joins */
	uint32_t excluders;		/* of these, those in EXCLUDE mode */
	sa_family_t family;
	uint8_t mode;			/* MCAST_INCLUDE (without sources: not a member), MCAST_EXCLUDE */
	uint8_t old_mode;		/* before the change that the reporter is being told */
	bool was_member;		/* the same: mode EXCLUDE or any source listed */
	bool gone;			/* its interface has gone: it is in no list any more */
	union in_any group;
	struct in_msource *sources;	/* sorted by address */
	uint16_t source_count, source_room;
	/* The reporter's own. Whatever hangs on it is freed before the reporter's last in_multi_release. */
	void *report;
};
/* IPv6 has the same record. */
#define in6_multi	in_multi

/* Sources of a group on an interface and of a socket's membership; groups of a socket. */
#define IN_MULTI_SOURCES_MAX	IP_MAX_GROUP_SRC_FILTER
/* Records of a machine: more are refused (ENOBUFS). */
#define IN_MULTI_MAX		65536u

/* ---- for the core's protocols --------------------------------------------------------------- */

/*
 * Joins a group for the core itself, any source. The caller owns one membership, which it gives up with
 * in_multi_leave(). EADDRNOTAVAIL: no multicast on that interface; EINVAL; ENOBUFS; what the driver says.
 */
errno_t in_multi_join(struct ifnet *, sa_family_t, const void *group, struct in_multi **);
void in_multi_leave(struct in_multi *);

/* The record of a group that has members there, NULL none. No reference. */
struct in_multi *in_multi_find(struct ifnet *, sa_family_t, const void *group);

/* ---- for reporters -------------------------------------------------------------------------- */

/*
 * `fn` is called after every change of what an interface wants: compare mode, sources[].listed with
 * old_mode, sources[].was_listed; the first join has was_member false, the last leave has no members.
 * Also called when the interface goes (`gone`): let go then of everything at once.
 */
void in_multi_set_reporter(struct nke *, sa_family_t, void (*fn)(struct ifnet *, struct in_multi *));
/* Is anything wanted now? */
static inline bool
in_multi_wanted(const struct in_multi *inm)
{
	return inm->members != 0 && (inm->mode == MCAST_EXCLUDE || inm->source_count != 0);
}
void in_multi_retain(struct in_multi *);
void in_multi_release(struct in_multi *);
/* Drops sources that nobody names and whose `report` is 0. */
void in_multi_prune(struct in_multi *);
/*
 * The next record (after `prev`, NULL: the first) of `ifp` (NULL: of any interface) and family, also those
 * that are only kept by a reporter. `prev` must be there still: hold a reference.
 */
struct in_multi *in_multi_next(struct nke *, struct in_multi *prev, const struct ifnet *, sa_family_t);

/* ---- for the interface's end ---------------------------------------------------------------- */

/* Called by IP when an interface is detached: its records go; sockets keep theirs, without effect. */
void in_multi_interface_gone(struct nke *, struct ifnet *);

#endif
