/*
 * Neighbours: the table that ARP (src/netinet/arp.c) and IPv6 neighbour discovery (src/netinet6/nd6*.c)
 * share. An entry is the link address of an IP address on an interface's link, with the state of RFC 4861
 * section 7.3.2, the packets that wait for an answer, and a time at which something is due. The media's
 * pre-output (dlil/ether_inet.c, ether_inet6.c) asks neighbor_resolve; how to ask on the link is a set of
 * functions that each protocol registers, so that nothing here looks upwards.
 *
 * A replayed machine never asks: there an unknown neighbour is the interface's default or unreachable.
 */
#ifndef NKE_NET_NEIGHBOR_H
#define NKE_NET_NEIGHBOR_H

#include <string.h>

#include "src/net/if_private.h"

enum neighbor_state {
	NEIGHBOR_INCOMPLETE,		/* being asked for; packets wait */
	NEIGHBOR_FAILED,		/* nobody answered: not asked again for a while (RFC 1122 2.3.2.1) */
	NEIGHBOR_STALE,			/* known, but not heard for long, or heard without being asked */
	NEIGHBOR_CONFIGURED,		/* by the host, or learned from a capture: stays as it is */
	NEIGHBOR_DELAY,			/* used while stale: is given time for a sign of life */
	NEIGHBOR_PROBE,			/* is being asked whether it is still there */
	NEIGHBOR_REACHABLE,
	NEIGHBOR_STATES
};

/* Flags of an entry. */
#define NEIGHBOR_PERMANENT	0x1	/* configured: stays until it is deleted */
#define NEIGHBOR_PUBLISHED	0x2	/* we answer for it (proxy) */
#define NEIGHBOR_ROUTER		0x4	/* says that it forwards (IPv6) */

#define NEIGHBOR_BUCKETS	1024u	/* a power of two */
/* Limits against floods: entries of a machine, of an interface; of these, addresses being asked for. */
#define NEIGHBOR_MAX		4096u
#define NEIGHBOR_IF_MAX		3072u
#define NEIGHBOR_ASKED_MAX	1024u

struct neighbor {
	LIST_ENTRY(neighbor) hash;
	TAILQ_ENTRY(neighbor) order;	/* of its family and state, by deadline */
	struct ifnet *ifp;
	union {
		uint8_t addr[16];	/* 4 bytes for IPv4, zeros behind them; link-local without scope */
		uint32_t addr32[4];
	};
	uint8_t lladdr[6];
	uint8_t family;
	uint8_t state;			/* enum neighbor_state */
	uint8_t flags;			/* NEIGHBOR_* */
	bool attached;			/* in the table */
	uint16_t held_count;
	uint32_t refcount;		/* the table's and that of calls in progress */
	uint32_t asked;			/* solicitations of this round */
	uint64_t deadline;		/* uptime ns of what happens next, UINT64_MAX nothing */
	uint64_t heard;			/* uptime ns at which it last said its address */
	struct mbuf *held, **held_end;	/* packets that wait, oldest first */
};

/* How a protocol wants its neighbours on an interface to be treated. Times in ns. */
struct neighbor_timing {
	uint64_t retry;			/* between solicitations */
	unsigned attempts;		/* of finding an address; 0: never ask */
	unsigned probes;		/* of seeing whether it is still there */
	uint64_t reachable;		/* for how long a sign of life is good */
	uint64_t delay;			/* in NEIGHBOR_DELAY; 0: probed at once */
	uint64_t stale;			/* an entry that nobody uses is forgotten after */
	uint64_t failed;		/* in NEIGHBOR_FAILED; 0: asked again at the next packet */
	uint32_t held, held_total;	/* packets that may wait: for one neighbour, for all of the family */
	bool trusts;			/* what was heard without asking is good as well (ARP) */
	errno_t down;			/* what senders get in NEIGHBOR_FAILED */
};

/* What a protocol registers: AF_INET and AF_INET6 each one. The entry is referenced during a call. */
struct neighbor_ops {
	/* Asks on the link, `attempt` 0, 1, 2 ...; `unicast`: the known address, if it is still there. */
	void (*solicit)(struct neighbor *, unsigned attempt, bool unicast);
	/*
	 * Nobody answered. Once for each packet that waited, to be told to its sender, consumed; once with
	 * NULL when none did.
	 */
	void (*unreachable)(struct neighbor *, struct mbuf *m);
	void (*timing)(struct ifnet *, struct neighbor_timing *);
	/* It has an address now, or another one. NULL: not interested. */
	void (*resolved)(struct neighbor *);
	/* An address of the interface came (added) or is about to go. NULL: not interested. */
	void (*address_changed)(struct ifaddr *, bool added);
	/* The interface goes; its entries are gone. NULL: not interested. */
	void (*interface_gone)(struct ifnet *);
	/* The interface can be heard now: IFF_UP and IFF_RUNNING. NULL: not interested. */
	void (*interface_up)(struct ifnet *);
};

struct neighbor_stat {
	uint64_t created;
	uint64_t evicted;		/* to make room */
	uint64_t refused;		/* no room, no memory */
	uint64_t dropped;		/* packets: too many waited */
	uint64_t timeouts;		/* nobody answered */
	uint64_t purged;		/* forgotten, as nobody used them */
};

LIST_HEAD(neighbor_bucket, neighbor);
TAILQ_HEAD(neighbor_list, neighbor);

/* Of a machine. [0] IPv4, [1] IPv6. */
struct neighbor_table {
	struct neighbor_bucket buckets[NEIGHBOR_BUCKETS];
	uint64_t key[2];		/* of the hash */
	struct neighbor_list lists[2][NEIGHBOR_STATES];
	struct neighbor_ops ops[2];
	struct neighbor_stat stat[2];
	uint32_t held[2];		/* packets that wait */
	uint32_t count, asked;		/* entries; of these incomplete */
	struct callout timer;
	uint64_t armed;			/* what it is armed for, UINT64_MAX not */
	errno_t (*output)(struct ifnet *, protocol_family_t, struct mbuf *, void *,
	    const struct sockaddr *, bool);
};

/* ---- for the media ------------------------------------------------------------------------ */

/* The way on for packets that waited: DLIL's dlil_output. */
void neighbor_set_output(struct nke *, errno_t (*)(struct ifnet *, protocol_family_t,
    struct mbuf *list, void *route, const struct sockaddr *dst, bool raw));

/*
 * The neighbour that was asked for last: the interface keeps a pointer to it for as long as its link
 * address may be used without further ado, so that a hit costs a compare.
 */
static inline bool
neighbor_cached4(const struct ifnet *ifp, uint32_t addr_be, uint8_t lladdr[6])
{
	const struct neighbor *n = ifp->neighbor4;

	if (__builtin_expect(n == NULL || n->addr32[0] != addr_be, 0))
		return false;
	memcpy(lladdr, n->lladdr, 6);
	return true;
}

static inline bool
neighbor_cached6(const struct ifnet *ifp, const void *addr, uint8_t lladdr[6])
{
	const struct neighbor *n = ifp->neighbor6;

	if (__builtin_expect(n == NULL || memcmp(n->addr, addr, 16) != 0, 0))
		return false;
	memcpy(lladdr, n->lladdr, 6);
	return true;
}

/* True, and `lladdr` filled in, when it is known and nothing has to be done about it. */
bool neighbor_usable(struct ifnet *, const struct sockaddr *dst, uint8_t lladdr[6]);
/*
 * The link address for a packet to `dst` on `ifp`. 0: `lladdr` is filled in. EJUSTRETURN: the packet waits
 * for the answer, it is not the caller's any more (*m is NULL). EHOSTDOWN, EHOSTUNREACH, ENOBUFS: the
 * caller still has it.
 */
errno_t neighbor_resolve(struct ifnet *, struct mbuf **m, const struct sockaddr *dst, uint8_t lladdr[6]);
/* DLIL's: an address of an interface came or is about to go. */
void neighbor_address_changed(struct ifaddr *, bool added);
/* The interface goes; the interface came up. */
void neighbor_forget(struct ifnet *);
void neighbor_interface_up(struct ifnet *);

/* ---- for protocols ------------------------------------------------------------------------ */

void neighbor_set_ops(struct nke *, sa_family_t, const struct neighbor_ops *);

/* How neighbor_update came by the link address. */
#define NEIGHBOR_MAY_CREATE	0x1	/* an entry is made if there is none */
#define NEIGHBOR_MAY_OVERRIDE	0x2	/* another address than the known one is taken */
#define NEIGHBOR_CONFIRMS	0x4	/* it is the answer to our question */
#define NEIGHBOR_CONFIGURES	0x8	/* neighbor_set: the host says so */
/*
 * A neighbour said its link address. 0; ENOENT: not known and not to be created; EPERM: a configured entry
 * says otherwise, or the known address is not to be replaced; ENOBUFS; EINVAL. Packets that waited leave.
 */
errno_t neighbor_update(struct ifnet *, const struct sockaddr *, const uint8_t lladdr[6], unsigned how);
/* A layer above heard from it (RFC 4861 7.3.1). */
void neighbor_confirm(struct ifnet *, const struct sockaddr *);
/* No reference; NULL: not known. */
struct neighbor *neighbor_find(struct ifnet *, const struct sockaddr *);
void neighbor_sockaddr(const struct neighbor *, struct sockaddr_storage *);
void neighbor_remove(struct neighbor *);

/* ---- for the host, routing messages and ioctls -------------------------------------------- */

/* Configures one. `flags`: NEIGHBOR_PERMANENT, NEIGHBOR_PUBLISHED. EINVAL, ENOBUFS. */
errno_t neighbor_set(struct ifnet *, const struct sockaddr *, const uint8_t lladdr[6], unsigned flags);
/* ENOENT. */
errno_t neighbor_delete(struct ifnet *, const struct sockaddr *);
/* Those that are not configured are forgotten; `family` 0: both. */
void neighbor_flush(struct ifnet *, sa_family_t);
/* Calls fn for every entry until it says false; fn may not change the table. */
void neighbor_walk(struct nke *, sa_family_t, bool (*fn)(struct neighbor *, void *ctx), void *ctx);

/* neighbor_lookup, neighbor_learn and neighbor_set_default are in src/net/ifaddr.h. */

#endif
