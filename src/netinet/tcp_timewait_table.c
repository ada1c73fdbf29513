/*
 * The records of connections in TIME_WAIT (tcp_timewait.c). They lie in chunks of 64 of one size each,
 * IPv4 or IPv6, and name each other by number, in 4 octets; a chunk goes with its last record. Each is in
 * a keyed hash by its ends and in a queue, the oldest first. Counters by some bits of the local port say
 * quickly that nobody has it, which is the answer that bind mostly gets.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/prng.h"
#include "src/netinet/in_siphash.h"
#include "src/netinet/tcp_timewait.h"

#define BUCKETS_MIN	64u
#define BUCKETS_MAX	65536u

/* ---- records ------------------------------------------------------------------------------ */

/* A place for one more chunk; UINT32_MAX: no memory. */
static uint32_t
chunk_place(struct tcp_timewaits *t)
{
	uint32_t had = t->chunk_room, room = had * 2 + 16;
	struct tw_chunk **chunks;

	for (uint32_t i = 0; i < had; i++)
		if (t->chunks[i] == NULL)
			return i;
	chunks = kalloc(t->machine, room * sizeof *chunks);
	if (chunks == NULL)
		return UINT32_MAX;
	if (t->chunks != NULL)
		memcpy(chunks, t->chunks, had * sizeof *chunks);
	kfree(t->machine, t->chunks);
	t->chunks = chunks;
	t->chunk_room = room;
	return had;
}

static struct tw_chunk *
chunk_new(struct tcp_timewaits *t, bool inet6)
{
	uint32_t place = chunk_place(t);
	struct tw_chunk *c;

	if (place == UINT32_MAX)
		return NULL;
	c = kalloc(t->machine, sizeof *c + TW_PER_CHUNK * tw_size(inet6));
	if (c == NULL)
		return NULL;
	c->index = place;
	c->inet6 = inet6;
	t->chunks[place] = c;
	LIST_INSERT_HEAD(&t->room[inet6], c, room);
	return c;
}

/* TW_NONE: no memory. */
static uint32_t
record_alloc(struct tcp_timewaits *t, bool inet6)
{
	struct tw_chunk *c = LIST_FIRST(&t->room[inet6]);
	uint32_t slot;

	if (c == NULL)
		c = chunk_new(t, inet6);
	if (c == NULL)
		return TW_NONE;
	slot = (uint32_t)__builtin_ctzll(~c->used);
	c->used |= UINT64_C(1) << slot;
	if (c->used == UINT64_MAX)
		LIST_REMOVE(c, room);
	return c->index * TW_PER_CHUNK + slot + 1;
}

static void
record_free(struct tcp_timewaits *t, uint32_t id)
{
	struct tw_chunk *c = t->chunks[(id - 1) / TW_PER_CHUNK];

	if (c->used == UINT64_MAX)
		LIST_INSERT_HEAD(&t->room[c->inet6], c, room);
	c->used &= ~(UINT64_C(1) << (id - 1) % TW_PER_CHUNK);
	if (c->used != 0)
		return;
	LIST_REMOVE(c, room);
	t->chunks[c->index] = NULL;
	kfree(t->machine, c);
}

static void
addresses_put(struct tw *w, const struct in_ends *e, uint32_t zone)
{
	if (e->vflag == INP_IPV4) {
		w->words[0] = e->faddr.s6_addr32[3];
		w->words[1] = e->laddr.s6_addr32[3];
		return;
	}
	memcpy(&w->words[0], &e->faddr, 16);
	memcpy(&w->words[4], &e->laddr, 16);
	w->words[8] = zone;
	w->flags |= TW_INET6;
}

void
tw_ends(const struct tw *w, struct in_ends *e)
{
	memset(e, 0, sizeof *e);
	e->fport = w->fport;
	e->lport = w->lport;
	e->vflag = w->flags & TW_INET6 ? INP_IPV6 : INP_IPV4;
	if (e->vflag == INP_IPV4) {
		e->faddr = in6_from4(w->words[0]);
		e->laddr = in6_from4(w->words[1]);
		return;
	}
	memcpy(&e->faddr, &w->words[0], 16);
	memcpy(&e->laddr, &w->words[4], 16);
}

static inline bool
is_for(const struct tw *w, const struct in_ends *e)
{
	if (w->fport != e->fport || w->lport != e->lport)
		return false;
	if (e->vflag == INP_IPV4)
		return !(w->flags & TW_INET6) && w->words[0] == e->faddr.s6_addr32[3] &&
		    w->words[1] == e->laddr.s6_addr32[3];
	if (!(w->flags & TW_INET6) || memcmp(&w->words[0], &e->faddr, 16) != 0 ||
	    memcmp(&w->words[4], &e->laddr, 16) != 0)
		return false;
	/* The same link-local addresses on another link are other ones. */
	return w->words[8] == 0 || e->ifp == NULL || (e->ifp->flags & IFF_LOOPBACK) ||
	    w->words[8] == e->ifp->index;
}

/* ---- the table ---------------------------------------------------------------------------- */

static inline uint32_t *
bucket_of(const struct tcp_timewaits *t, const struct in_ends *e)
{
	struct in_siphash h;

	in_siphash_ends(&h, t->key, e);
	return &t->hash[in_siphash_end(&h) & (t->buckets - 1)];
}

static inline uint32_t
port_slot(uint16_t lport)
{
	return ntohs(lport) & (TW_PORT_COUNTERS - 1);
}

uint32_t
tw_find(const struct tcp_timewaits *t, const struct in_ends *e)
{
	uint32_t id;

	if (t->count == 0)
		return TW_NONE;
	for (id = *bucket_of(t, e); id != TW_NONE; id = tw_at(t, id)->next)
		if (is_for(tw_at(t, id), e))
			return id;
	return TW_NONE;
}

static void
bucket_insert(struct tcp_timewaits *t, uint32_t id)
{
	struct tw *w = tw_at(t, id);
	struct in_ends e;
	uint32_t *head;

	tw_ends(w, &e);
	head = bucket_of(t, &e);
	w->next = *head;
	*head = id;
}

static void
bucket_remove(struct tcp_timewaits *t, uint32_t id)
{
	struct tw *w = tw_at(t, id);
	struct in_ends e;
	uint32_t *link;

	tw_ends(w, &e);
	for (link = bucket_of(t, &e); *link != id; link = &tw_at(t, *link)->next)
		;
	*link = w->next;
}

/* Without memory it stays as it is: slower, not wrong. */
static void
grow(struct tcp_timewaits *t)
{
	uint32_t buckets = t->buckets * 2, id;
	uint32_t *hash = kalloc(t->machine, buckets * sizeof *hash);

	if (hash == NULL)
		return;
	kfree(t->machine, t->hash);
	t->hash = hash;
	t->buckets = buckets;
	for (id = t->oldest; id != TW_NONE; id = tw_at(t, id)->newer)
		bucket_insert(t, id);
}

static void
queue_insert(struct tcp_timewaits *t, uint32_t id)
{
	struct tw *w = tw_at(t, id);

	w->older = t->newest;
	w->newer = TW_NONE;
	if (t->newest != TW_NONE)
		tw_at(t, t->newest)->newer = id;
	else
		t->oldest = id;
	t->newest = id;
}

static void
queue_remove(struct tcp_timewaits *t, uint32_t id)
{
	const struct tw *w = tw_at(t, id);

	if (w->older != TW_NONE)
		tw_at(t, w->older)->newer = w->newer;
	else
		t->oldest = w->newer;
	if (w->newer != TW_NONE)
		tw_at(t, w->newer)->older = w->older;
	else
		t->newest = w->older;
}

void
tw_end(struct tcp_timewaits *t, uint32_t id)
{
	bucket_remove(t, id);
	queue_remove(t, id);
	t->ports[port_slot(tw_at(t, id)->lport)]--;
	t->count--;
	record_free(t, id);
}

void
tw_renew(struct tcp_timewaits *t, uint32_t id)
{
	queue_remove(t, id);
	queue_insert(t, id);
}

uint32_t
tw_new(struct tcp_timewaits *t, const struct in_ends *e, uint32_t zone)
{
	uint32_t id = record_alloc(t, e->vflag == INP_IPV6);
	struct tw *w;

	if (id == TW_NONE)
		return TW_NONE;
	w = tw_at(t, id);
	memset(w, 0, sizeof *w);
	w->fport = e->fport;
	w->lport = e->lport;
	addresses_put(w, e, zone);
	if (t->count >= t->buckets && t->buckets < BUCKETS_MAX)
		grow(t);
	bucket_insert(t, id);
	queue_insert(t, id);
	t->ports[port_slot(e->lport)]++;
	t->count++;
	return id;
}

bool
tw_has_port(const struct tcp_timewaits *t, const struct in_ends *e)
{
	struct in_ends have;
	uint32_t id;

	if (t->ports[port_slot(e->lport)] == 0)
		return false;
	for (id = t->newest; id != TW_NONE; id = tw_at(t, id)->older) {
		if (tw_at(t, id)->lport != e->lport)
			continue;
		tw_ends(tw_at(t, id), &have);
		if ((have.vflag & e->vflag) && (IN6_IS_ADDR_UNSPECIFIED(&e->laddr) ||
		    IN6_ARE_ADDR_EQUAL(&e->laddr, &have.laddr)))
			return true;
	}
	return false;
}

/* ---- life --------------------------------------------------------------------------------- */

errno_t
tw_table_init(struct tcp_timewaits *t, struct nke *machine)
{
	t->machine = machine;
	t->buckets = BUCKETS_MIN;
	t->hash = kalloc(machine, BUCKETS_MIN * sizeof *t->hash);
	prng_bytes(machine, t->key, sizeof t->key);
	return t->hash != NULL ? 0 : ENOMEM;
}

void
tw_table_fini(struct tcp_timewaits *t)
{
	while (t->oldest != TW_NONE)
		tw_end(t, t->oldest);
	kfree(t->machine, t->chunks);
	kfree(t->machine, t->hash);
}
