/*
 * Reassembly queues (RFC 791 3.2, RFC 815, RFC 8200 4.5); see reass.h.
 *
 * Fragments are kept in a list ordered by offset. They never overlap: an exact duplicate is
 * ignored, anything else that overlaps shows an attack or a broken sender, and the whole datagram
 * goes (RFC 1858 3, RFC 3128, RFC 5722 4). For IPv6 it is remembered until its time is over, so
 * that fragments yet to come are dropped too.
 *
 * Limits against abuse: datagrams in the making, fragments per datagram, and memory (a quarter of
 * the machine's mbufs); when one is reached the oldest datagram is given up. One timer, armed for
 * the oldest.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/prng.h"
#include "src/kern/sched.h"
#include "src/kern/trace.h"
#include "src/net/replay.h"
#include "src/netinet/reass.h"

#define DEFAULT_MBUF_LIMIT	(UINT64_C(64) << 20)

static uint32_t
piece_offset(const struct mbuf *m)
{
	return m->m_pkthdr.csum_data;
}

static uint32_t
piece_len(const struct mbuf *m)
{
	return m->m_pkthdr.tso_segsz;
}

static uint32_t
piece_end(const struct mbuf *m)
{
	return piece_offset(m) + piece_len(m);
}

/* Memory a fragment holds on to. */
static uint64_t
piece_cost(const struct mbuf *m)
{
	uint64_t bytes = 0;

	for (; m != NULL; m = m->m_next)
		bytes += MSIZE + (m->m_flags & M_EXT ? m->m_ext.size : 0);
	return bytes;
}

/* A fragment by itself is of no use: the frame it came in survives as captured. */
static void
piece_refuse(struct reass *r, struct mbuf *m)
{
	r->counters->dropped(r->machine, 1);
	if (m->m_pkthdr.origin != NULL)
		replay_refused(r->machine, m);
	else
		m_freem(m);
}

/* ---- queues ------------------------------------------------------------------------------- */

static uint32_t
reass_bucket(const struct reass *r, const struct reass_key *key)
{
	uint32_t h = r->hash_key ^ key->id ^ (uint32_t)key->protocol << 8 ^ key->context;

	for (int i = 0; i < 4; i++) {
		h = (h ^ key->src[i]) * 0x9e3779b1u;
		h = (h ^ key->dst[i] ^ h >> 15) * 0x85ebca6bu;
	}
	return (h ^ h >> 16) % REASS_HASH;
}

static struct reass_queue *
queue_find(struct reass *r, const struct reass_key *key)
{
	struct reass_queue *q;

	LIST_FOREACH(q, &r->buckets[reass_bucket(r, key)], hash)
		if (memcmp(&q->key, key, sizeof *key) == 0)
			return q;
	return NULL;
}

static void
queue_unlink(struct reass *r, struct reass_queue *q)
{
	LIST_REMOVE(q, hash);
	TAILQ_REMOVE(&r->ages, q, age);
	if (--r->queues == 0)
		callout_stop(&r->timer);
	kfree(r->machine, q);
}

/* Takes the fragments out of the books. */
static struct mbuf *
queue_take(struct reass *r, struct reass_queue *q)
{
	struct mbuf *list = q->first;

	for (const struct mbuf *m = list; m != NULL; m = m->m_nextpkt)
		r->bytes -= piece_cost(m);
	q->first = q->last = NULL;
	q->fragments = 0;
	return list;
}

/*
 * The last thing a caller does: freeing storage of a kext's may run its code. Captured frames survive.
 */
static void
pieces_free(struct reass *r, struct mbuf *m)
{
	struct mbuf *next;

	for (; m != NULL; m = next) {
		next = m->m_nextpkt;
		m->m_nextpkt = NULL;
		if (m->m_pkthdr.origin != NULL)
			replay_given_up(r->machine, m);
		else
			m_freem(m);
	}
}

/* Gives up a datagram. */
static void
queue_drop(struct reass *r, struct reass_queue *q, void (*count)(struct nke *, uint32_t))
{
	struct mbuf *list;

	count(r->machine, q->fragments);
	list = queue_take(r, q);
	queue_unlink(r, q);
	pieces_free(r, list);
}

static void
queue_kill(struct reass *r, struct reass_queue *q)
{
	if (!r->remember_dead) {
		queue_drop(r, q, r->counters->dropped);
		return;
	}
	r->counters->dropped(r->machine, q->fragments);
	q->dead = true;
	pieces_free(r, queue_take(r, q));
}

static void
reass_arm(struct reass *r)
{
	const struct reass_queue *oldest = TAILQ_FIRST(&r->ages);

	/* Without memory for the timer the limits still hold; the next fragment tries again. */
	if (oldest != NULL && !callout_pending(&r->timer))
		(void)callout_reset(&r->timer, oldest->expires);
}

/* The rest of a datagram did not come in time. */
static void
queue_expire(struct reass *r, struct reass_queue *q)
{
	struct mbuf *first = q->first;

	if (first == NULL || piece_offset(first) != 0 || r->machine->replay != NULL) {
		queue_drop(r, q, r->counters->timed_out);
		return;
	}
	r->counters->timed_out(r->machine, q->fragments);
	first = queue_take(r, q);
	queue_unlink(r, q);
	pieces_free(r, first->m_nextpkt);
	first->m_nextpkt = NULL;
	first->m_pkthdr.csum_data = 0;
	first->m_pkthdr.tso_segsz = 0;
	r->counters->expired(r->machine, first);
}

static void
reass_timeout(void *arg)
{
	struct reass *r = arg;
	uint64_t now = machine_now(r->machine);
	struct reass_queue *q;

	while ((q = TAILQ_FIRST(&r->ages)) != NULL && q->expires <= now)
		queue_expire(r, q);
	reass_arm(r);
}

static struct reass_queue *
queue_create(struct reass *r, const struct reass_key *key)
{
	struct reass_queue *q;

	if (r->max_queues == 0)
		return NULL;
	while (r->queues >= (uint32_t)r->max_queues && !TAILQ_EMPTY(&r->ages))
		queue_drop(r, TAILQ_FIRST(&r->ages), r->counters->dropped);
	q = kalloc(r->machine, sizeof *q);
	if (q == NULL)
		return NULL;
	q->key = *key;
	q->expires = machine_now(r->machine) + r->lifetime;
	LIST_INSERT_HEAD(&r->buckets[reass_bucket(r, key)], q, hash);
	TAILQ_INSERT_TAIL(&r->ages, q, age);
	r->queues++;
	reass_arm(r);
	return q;
}

/* ---- one fragment ------------------------------------------------------------------------- */

enum place { PLACE_FREE, PLACE_DUPLICATE, PLACE_OVERLAP };

/* Where the piece goes: behind *before (NULL: in front), or which fragment (*before) it repeats. */
static enum place
queue_place(const struct reass_queue *q, const struct reass_piece *p, struct mbuf **before)
{
	struct mbuf *prev = NULL, *next;
	uint32_t end = p->offset + p->len;

	/* Mostly they come in order. */
	if (q->last != NULL && piece_end(q->last) <= p->offset) {
		*before = q->last;
		return PLACE_FREE;
	}
	for (next = q->first; next != NULL && piece_offset(next) < p->offset;
	     next = next->m_nextpkt)
		prev = next;
	if (next != NULL && piece_offset(next) == p->offset && piece_len(next) == p->len) {
		*before = next;
		return PLACE_DUPLICATE;
	}
	if ((prev != NULL && piece_end(prev) > p->offset) ||
	    (next != NULL && piece_offset(next) < end))
		return PLACE_OVERLAP;
	*before = prev;
	return PLACE_FREE;
}

/* Does what the piece says about the end of the datagram agree with what is known? */
static bool
queue_end_agrees(const struct reass_queue *q, const struct reass_piece *p)
{
	uint32_t end = p->offset + p->len;

	if (p->more)
		return q->total == 0 || end < q->total;
	if (q->total != 0)
		return end == q->total;
	return q->last == NULL || piece_end(q->last) <= end;
}

static void
queue_insert(struct reass *r, struct reass_queue *q, struct mbuf *m, struct mbuf *before,
    const struct reass_piece *p)
{
	m->m_pkthdr.csum_flags = 0;
	m->m_pkthdr.csum_data = p->offset;
	m->m_pkthdr.tso_segsz = p->len;
	if (before != NULL) {
		m->m_nextpkt = before->m_nextpkt;
		before->m_nextpkt = m;
	} else {
		m->m_nextpkt = q->first;
		q->first = m;
	}
	if (m->m_nextpkt == NULL)
		q->last = m;
	if (!p->more)
		q->total = p->offset + p->len;
	q->have += p->len;
	q->fragments++;
	q->ecn |= (uint8_t)(1u << p->ecn);
	r->bytes += piece_cost(m);
}

/*
 * RFC 3168 5.3: congestion experienced by any fragment is not lost, unless one says that it does
 * not take part in ECN, which makes the datagram one to drop; otherwise that one decides.
 */
static bool
queue_ecn(const struct reass_queue *q, uint8_t *ecn)
{
	bool not_ect = q->ecn & 1u, ce = q->ecn & 1u << 3;

	if (not_ect && ce)
		return false;
	if (not_ect)
		*ecn = 0;
	else if (ce)
		*ecn = 3;
	else
		*ecn = q->ecn & 1u << 2 ? 2 : 1;
	return true;
}

/* The duplicate shares the fate of the one it repeats. */
static void
piece_duplicate(struct reass *r, struct mbuf *m, struct mbuf *kept)
{
	struct pkt_origin *origin = replay_origin(r->machine, m);
	struct pkt_origin *same = replay_origin(r->machine, kept);

	r->counters->dropped(r->machine, 1);
	m_freem(m);
	if (origin == NULL)
		return;
	if (same != NULL)
		replay_join(same, origin);
	else
		replay_release(r->machine, origin);
}

/* Room for one more fragment: memory first, then a queue. */
static struct reass_queue *
queue_for(struct reass *r, const struct reass_key *key, const struct mbuf *m)
{
	uint64_t cost = piece_cost(m);
	struct reass_queue *q;

	while (r->bytes + cost > r->max_bytes && !TAILQ_EMPTY(&r->ages))
		queue_drop(r, TAILQ_FIRST(&r->ages), r->counters->dropped);
	if (cost > r->max_bytes)
		return NULL;
	q = queue_find(r, key);
	return q != NULL ? q : queue_create(r, key);
}

struct mbuf *
reass_add(struct reass *r, const struct reass_key *key, struct mbuf *m, const struct reass_piece *p,
    uint8_t *ecn)
{
	struct reass_queue *q = queue_for(r, key, m);
	struct mbuf *before, *list;
	enum place place;

	if (q == NULL || q->dead) {
		piece_refuse(r, m);
		return NULL;
	}
	place = queue_place(q, p, &before);
	if (place == PLACE_OVERLAP || !queue_end_agrees(q, p) ||
	    (place == PLACE_FREE && q->fragments >= (uint32_t)r->max_per_queue)) {
		queue_kill(r, q);
		piece_refuse(r, m);
		return NULL;
	}
	if (place == PLACE_DUPLICATE) {
		piece_duplicate(r, m, before);
		return NULL;
	}
	queue_insert(r, q, m, before, p);
	TRACE(r->machine, IP_REASS, m, p->offset, q->have == q->total);
	if (q->have != q->total)
		return NULL;
	if (!queue_ecn(q, ecn)) {
		queue_drop(r, q, r->counters->dropped);
		return NULL;
	}
	list = queue_take(r, q);
	queue_unlink(r, q);
	return list;
}

/* ---- one datagram ------------------------------------------------------------------------- */

/*
 * The datagram stands for the frames of all its fragments. When one of them was held back for too long
 * and has left, the others leave too, and the datagram stands for frames that have left.
 */
static void
join_origins(struct nke *machine, struct mbuf *first, struct mbuf *m)
{
	struct pkt_origin *all = replay_origin(machine, first), *one = replay_origin(machine, m);

	if (m->m_pkthdr.origin == NULL)
		return;
	if (first->m_pkthdr.origin == NULL) {
		first->m_pkthdr.origin = m->m_pkthdr.origin;
		first->m_pkthdr.packet_number = m->m_pkthdr.packet_number;
	} else if (all != NULL && one != NULL) {
		replay_join(all, one);
	} else {
		replay_release(machine, all);
		replay_release(machine, one);
	}
}

struct mbuf *
reass_join(struct nke *machine, struct mbuf *fragments)
{
	struct mbuf *first = fragments, *last = m_last(first), *m, *next;

	for (m = first->m_nextpkt; m != NULL; m = next) {
		uint32_t len = piece_len(m);

		next = m->m_nextpkt;
		m->m_nextpkt = NULL;
		join_origins(machine, first, m);
		m_adj(m, m->m_pkthdr.len - (int32_t)len);
		m_tag_delete_chain(machine, m);
		m->m_flags &= (uint16_t)~M_PKTHDR;
		first->m_pkthdr.len += (int32_t)len;
		last->m_next = m;
		last = m_last(m);
	}
	first->m_nextpkt = NULL;
	first->m_flags &= (uint16_t)~(MBUF_FRAG | MBUF_FIRSTFRAG | MBUF_LASTFRAG);
	first->m_pkthdr.csum_data = 0;
	first->m_pkthdr.tso_segsz = 0;
	return first;
}

void
reass_give_up(struct reass *r, struct mbuf *fragments)
{
	uint32_t n = 0;

	for (const struct mbuf *m = fragments; m != NULL; m = m->m_nextpkt)
		n++;
	r->counters->dropped(r->machine, n);
	pieces_free(r, fragments);
}

/* ---- life --------------------------------------------------------------------------------- */

void
reass_init(struct reass *r, struct nke *machine, uint64_t lifetime, bool remember_dead,
    const struct reass_counters *counters)
{
	uint64_t limit = machine->config.mbuf_limit_bytes;

	r->machine = machine;
	r->counters = counters;
	r->lifetime = lifetime;
	r->remember_dead = remember_dead;
	r->max_queues = (int)REASS_QUEUES;
	r->max_per_queue = (int)REASS_PER_QUEUE;
	r->max_bytes = (limit != 0 ? limit : DEFAULT_MBUF_LIMIT) / 4;
	r->hash_key = prng_u32(machine);
	TAILQ_INIT(&r->ages);
	callout_init(&r->timer, machine, reass_timeout, r);
}

void
reass_stop(struct reass *r)
{
	struct reass_queue *q;

	callout_drain(&r->timer);
	while ((q = TAILQ_FIRST(&r->ages)) != NULL)
		queue_drop(r, q, r->counters->dropped);
}

static bool
queue_names(const struct reass_queue *q, const struct ifnet *ifp)
{
	const struct mbuf *m = q->first;

	while (m != NULL && m->m_pkthdr.rcvif != ifp)
		m = m->m_nextpkt;
	return m != NULL;
}

void
reass_interface_detached(struct reass *r, struct ifnet *ifp)
{
	struct reass_queue *q;

	do {
		TAILQ_FOREACH(q, &r->ages, age)
			if (queue_names(q, ifp))
				break;
		if (q != NULL)
			queue_drop(r, q, r->counters->dropped);
	} while (q != NULL);
}
