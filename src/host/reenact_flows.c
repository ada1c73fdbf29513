/*
 * The table of a capture's flows: found by their ends. Flows between the same ends, one after the other,
 * are a list in the order of the capture. Owned by reenact.c; filled in the first pass (reenact_index.c).
 *
 * Limits: FLOWS_MAX flows; `full` says that there were more.
 */
#include <stdlib.h>

#include "src/host/reenact_flows.h"

#define CHUNK		4096u		/* flows; they stay where they are as the table grows */
#define FIRST_SIZE	1024u		/* of the hash tables; powers of two */

void
flows_init(struct flows *all)
{
	memset(all, 0, sizeof *all);
}

void
flows_free(struct flows *all)
{
	for (uint32_t i = 0; i < all->count; i++) {
		struct flow *f = flow_at(all, i);

		for (unsigned side = 0; side < 2; side++) {
			free(f->track[side].ahead);
			free(f->track[side].holes);
		}
	}
	for (uint32_t i = 0; i * CHUNK < all->count; i++)
		free(all->chunks[i]);
	free(all->chunks);
	free(all->table);
	free(all->endpoints);
	free(all->endpoint_table);
	flows_init(all);
}

void
flow_key_of(const struct packet *p, struct flow_key *key)
{
	uint32_t len = packet_address_len(p->version);

	memset(key, 0, sizeof *key);
	memcpy(key->local, p->outbound ? p->src : p->dst, len);
	memcpy(key->remote, p->outbound ? p->dst : p->src, len);
	key->lport = p->outbound ? p->sport : p->dport;
	key->rport = p->outbound ? p->dport : p->sport;
	key->version = p->version;
	key->protocol = p->protocol;
}

/* Good enough: who fills a capture with collisions makes only a slow replay, and only until FLOWS_MAX. */
static uint64_t
hash_bytes(const void *bytes, size_t words)
{
	const uint8_t *p = bytes;
	uint64_t h = UINT64_C(0x9e3779b97f4a7c15), w;

	for (; words > 0; words--, p += 8) {
		memcpy(&w, p, 8);
		h = (h ^ w) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
	}
	return h;
}

_Static_assert(sizeof(struct flow_key) == 40, "is hashed and compared as a whole");

static uint32_t *
slot_of(const struct flows *all, const struct flow_key *key)
{
	uint32_t mask = all->table_size - 1;

	for (uint32_t i = (uint32_t)hash_bytes(key, 5) & mask;; i = (i + 1) & mask) {
		uint32_t *slot = &all->table[i];

		if (*slot == NO_FLOW || memcmp(&flow_at(all, *slot)->key, key, sizeof *key) == 0)
			return slot;
	}
}

static uint32_t *
empty_table(uint32_t size)
{
	uint32_t *table = malloc(size * sizeof *table);

	for (uint32_t i = 0; table != NULL && i < size; i++)
		table[i] = NO_FLOW;
	return table;
}

/* At most half full. */
static bool
make_room(struct flows *all)
{
	uint32_t size = all->table_size != 0 ? all->table_size * 2 : FIRST_SIZE;
	uint32_t *old = all->table;

	if (all->table_used * 2 < all->table_size)
		return true;
	all->table = empty_table(size);
	if (all->table == NULL) {
		all->table = old;
		return false;
	}
	uint32_t old_size = all->table_size;

	all->table_size = size;
	for (uint32_t i = 0; i < old_size; i++)
		if (old[i] != NO_FLOW)
			*slot_of(all, &flow_at(all, old[i])->key) = old[i];
	free(old);
	return true;
}

struct flow *
flows_at(const struct flows *all, const struct flow_key *key, uint64_t number)
{
	uint32_t index = all->table_size != 0 ? *slot_of(all, key) : NO_FLOW;
	struct flow *first, *f;

	if (index == NO_FLOW)
		return NULL;
	first = flow_at(all, index);
	f = flow_at(all, first->current);
	while (f->next != NO_FLOW && flow_at(all, f->next)->first_frame <= number) {
		first->current = f->next;
		f = flow_at(all, f->next);
	}
	return f->first_frame <= number ? f : NULL;
}

void
flows_rewind(struct flows *all)
{
	for (uint32_t i = 0; i < all->count; i++)
		flow_at(all, i)->current = i;
}

static bool
make_chunk(struct flows *all)
{
	uint32_t n = all->count / CHUNK;

	if (all->count % CHUNK != 0)
		return true;
	if (n == all->chunk_room) {
		uint32_t room = n != 0 ? n * 2 : 16;
		struct flow **chunks = realloc(all->chunks, room * sizeof *chunks);

		if (chunks == NULL)
			return false;
		all->chunks = chunks;
		all->chunk_room = room;
	}
	all->chunks[n] = calloc(CHUNK, sizeof(struct flow));
	return all->chunks[n] != NULL;
}

struct flow *
flows_add(struct flows *all, const struct flow_key *key)
{
	uint32_t *slot, index = all->count;
	struct flow *f, *first;

	if (index == FLOWS_MAX) {
		all->full = true;
		return NULL;
	}
	if (!make_room(all) || !make_chunk(all)) {
		all->no_memory = true;
		return NULL;
	}
	f = flow_at(all, index);
	f->key = *key;
	f->next = f->previous = NO_FLOW;
	f->current = index;
	f->track[SIDE_LOCAL].fin = f->track[SIDE_REMOTE].fin = NO_OFFSET;
	all->count++;
	slot = slot_of(all, key);
	if (*slot == NO_FLOW) {
		*slot = index;
		all->table_used++;
	} else {
		first = flow_at(all, *slot);
		f->previous = first->current;
		flow_at(all, first->current)->next = index;
		first->current = index;
	}
	return f;
}

/* ---- sockets of UDP ------------------------------------------------------------------------- */

static uint32_t *
endpoint_slot(const struct flows *all, const uint8_t *address, uint16_t port, uint8_t version)
{
	uint32_t mask = all->endpoint_table_size - 1;
	uint8_t key[24] = {0};

	memcpy(key, address, 16);
	memcpy(key + 16, &port, 2);
	key[18] = version;
	for (uint32_t i = (uint32_t)hash_bytes(key, 3) & mask;; i = (i + 1) & mask) {
		uint32_t *slot = &all->endpoint_table[i];
		const struct endpoint *e;

		if (*slot == NO_FLOW)
			return slot;
		e = &all->endpoints[*slot];
		if (e->port == port && e->version == version && memcmp(e->address, address, 16) == 0)
			return slot;
	}
}

static bool
make_endpoint_room(struct flows *all)
{
	uint32_t size = all->endpoint_table_size != 0 ? all->endpoint_table_size * 2 : FIRST_SIZE;
	struct endpoint *grown;
	uint32_t *table;

	if (all->endpoint_count * 2 < all->endpoint_table_size)
		return true;
	table = empty_table(size);
	grown = realloc(all->endpoints, size / 2 * sizeof *grown);
	if (grown != NULL)
		all->endpoints = grown;
	if (table == NULL || grown == NULL) {
		free(table);
		return false;
	}
	free(all->endpoint_table);
	all->endpoint_table = table;
	all->endpoint_table_size = size;
	for (uint32_t i = 0; i < all->endpoint_count; i++)
		*endpoint_slot(all, all->endpoints[i].address, all->endpoints[i].port,
		    all->endpoints[i].version) = i;
	return true;
}

struct endpoint *
flows_endpoint(struct flows *all, const struct flow_key *key, uint32_t *index)
{
	struct endpoint *e;
	uint32_t *slot;

	if (!make_endpoint_room(all)) {
		all->no_memory = true;
		return NULL;
	}
	slot = endpoint_slot(all, key->local, key->lport, key->version);
	if (*slot == NO_FLOW) {
		*slot = all->endpoint_count++;
		e = &all->endpoints[*slot];
		memset(e, 0, sizeof *e);
		memcpy(e->address, key->local, 16);
		e->port = key->lport;
		e->version = key->version;
		memcpy(e->peer, key->remote, 16);
		e->peer_port = key->rport;
	}
	*index = *slot;
	e = &all->endpoints[*slot];
	if (e->peer_port != key->rport || memcmp(e->peer, key->remote, 16) != 0)
		e->many = true;
	return e;
}
