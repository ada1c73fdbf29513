/*
 * Reassembly queues, the same for IPv4 (ip_reass.c) and IPv6 (frag6.c): which fragments belong
 * together, which of them overlap, how long and how many are kept. What a fragment looks like on
 * the wire is known to those two files only.
 *
 * A fragment waits as it came, IP header in front. While it waits two members of its packet header
 * that mean nothing then hold its place: csum_data the offset, tso_segsz the length of its payload,
 * which is the end of the packet.
 */
#ifndef NKE_NETINET_REASS_H
#define NKE_NETINET_REASS_H

#include "src/kern/callout.h"
#include "src/kern/mbuf.h"

struct ifnet;

#define REASS_QUEUES	800u		/* datagrams in the making, per machine and version */
#define REASS_PER_QUEUE	128u		/* fragments of one datagram */
#define REASS_HASH	256u

struct reass_key {
	uint32_t src[4], dst[4];
	uint32_t id;
	uint8_t protocol;
	uint8_t context;		/* 0 the way in, 1 the way out of a capture */
	uint16_t zero;
};

struct reass_queue {
	TAILQ_ENTRY(reass_queue) age;
	LIST_ENTRY(reass_queue) hash;
	struct reass_key key;
	uint64_t expires;		/* uptime ns */
	struct mbuf *first, *last;	/* by offset, linked by m_nextpkt */
	uint32_t fragments;
	uint32_t have;			/* payload bytes */
	uint32_t total;			/* payload of the datagram; 0: its end is not known yet */
	uint8_t ecn;			/* a bit for each codepoint seen: 1 << (tos & 3) */
	bool dead;			/* fragments overlapped: nothing of it is kept any more */
};

/* Where the owner counts fragments. */
struct reass_counters {
	void (*dropped)(struct nke *, uint32_t fragments);	/* overlap, memory, too many */
	void (*timed_out)(struct nke *, uint32_t fragments);
	/* The first fragment of a datagram that timed out; consumes. Not in a replayed machine. */
	void (*expired)(struct nke *, struct mbuf *first);
};

struct reass {
	struct nke *machine;
	const struct reass_counters *counters;
	uint64_t lifetime;		/* ns */
	bool remember_dead;		/* drops late fragments after overlap too */
	int max_queues, max_per_queue;	/* at most REASS_QUEUES and REASS_PER_QUEUE */
	uint32_t queues;
	uint64_t bytes, max_bytes;	/* of mbufs and clusters */
	uint32_t hash_key;
	struct callout timer;
	TAILQ_HEAD(reass_ages, reass_queue) ages;	/* oldest first: expires first */
	LIST_HEAD(, reass_queue) buckets[REASS_HASH];
};

void reass_init(struct reass *, struct nke *, uint64_t lifetime, bool remember_dead,
    const struct reass_counters *);
/* Gives up everything that waits. The timer does not run any more. */
void reass_stop(struct reass *);
void reass_interface_detached(struct reass *, struct ifnet *);

/* What is known of a fragment that has arrived. */
struct reass_piece {
	uint32_t offset, len;		/* of its payload; len > 0 */
	bool more;			/* not the last one */
	uint8_t ecn;			/* ECN codepoint */
};

/*
 * Takes a fragment. When it completes its datagram the fragments come back, in order, linked by
 * m_nextpkt, and *ecn is what the codepoints of all of them come to; NULL otherwise.
 */
struct mbuf *reass_add(struct reass *, const struct reass_key *, struct mbuf *,
    const struct reass_piece *, uint8_t *ecn);
/* Makes one packet of them: the first's header, then all payload. */
struct mbuf *reass_join(struct nke *, struct mbuf *fragments);
/* The same fragments given up instead: counted as dropped. */
void reass_give_up(struct reass *, struct mbuf *fragments);

#endif
