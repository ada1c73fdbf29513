/*
 * The records of connections in TIME_WAIT: struct tcp_timewaits as tcp_timewait.c uses it, and
 * tcp_timewait_table.c keeps it.
 */
#ifndef NKE_NETINET_TCP_TIMEWAIT_H
#define NKE_NETINET_TCP_TIMEWAIT_H

#include "src/netinet/tcp_private.h"

#define TW_PER_CHUNK		64u
#define TW_PORT_COUNTERS	1024u
#define TW_NONE			0u		/* no record has this number */

/* One connection. Behind it: both addresses, the peer's first; of IPv6, the zone too. */
struct tw {
	uint32_t next;			/* in its bucket */
	uint32_t older, newer;		/* by end */
	uint32_t expires;		/* ms of uptime, modulo 2^32 */
	uint16_t fport, lport;		/* network order */
	tcp_seq snd_nxt, rcv_nxt;
	uint32_t ts_recent, ts_offset;
	uint16_t win;			/* as it was told last */
	uint8_t flags;			/* TW_* */
	uint8_t tos;
	uint32_t words[];
};
#define TW_INET6	0x1
#define TW_TSTMP	0x2		/* timestamps were in use */

#define TW_WORDS4		2u
#define TW_WORDS6		9u
_Static_assert(sizeof(struct tw) + TW_WORDS4 * 4 == 48, "a few dozen octets");
_Static_assert(sizeof(struct tw) + TW_WORDS6 * 4 == 76, "a few dozen octets");

struct tw_chunk {
	LIST_ENTRY(tw_chunk) room;	/* while a record is free */
	uint64_t used;			/* a bit for each record */
	uint32_t index;
	bool inet6;
	_Alignas(8) char records[];
};
LIST_HEAD(tw_chunk_list, tw_chunk);

struct tcp_timewaits {
	struct nke *machine;
	struct callout timer;
	uint32_t count;
	uint32_t oldest, newest;
	struct tw_chunk **chunks;	/* by index; NULL: free */
	uint32_t chunk_room;
	struct tw_chunk_list room[2];	/* with free records: IPv4, IPv6 */
	uint32_t buckets;		/* a power of two */
	uint32_t *hash;
	uint64_t key[2];
	uint32_t ports[TW_PORT_COUNTERS];	/* records by some bits of the local port */
};

static inline size_t
tw_size(bool inet6)
{
	return sizeof(struct tw) + (inet6 ? TW_WORDS6 : TW_WORDS4) * sizeof(uint32_t);
}

static inline struct tw *
tw_at(const struct tcp_timewaits *t, uint32_t id)
{
	struct tw_chunk *c = t->chunks[(id - 1) / TW_PER_CHUNK];

	return (struct tw *)(void *)(c->records + (id - 1) % TW_PER_CHUNK * tw_size(c->inet6));
}

/* ENOMEM. */
errno_t tw_table_init(struct tcp_timewaits *, struct nke *);
/* With all records. */
void tw_table_fini(struct tcp_timewaits *);
/* A new record for these ends (`zone`: of link-local ones); all else in it is 0. TW_NONE: no memory. */
uint32_t tw_new(struct tcp_timewaits *, const struct in_ends *, uint32_t zone);
void tw_end(struct tcp_timewaits *, uint32_t id);
/* It becomes the newest. */
void tw_renew(struct tcp_timewaits *, uint32_t id);
/* TW_NONE: there is none. */
uint32_t tw_find(const struct tcp_timewaits *, const struct in_ends *);
/* Is there one with this local port, at this address or (unspecified) any? */
bool tw_has_port(const struct tcp_timewaits *, const struct in_ends *);
void tw_ends(const struct tw *, struct in_ends *);

#endif
