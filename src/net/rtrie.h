/*
 * A path-compressed binary trie of address prefixes, the index of the routing table: every node is a
 * prefix, its children continue it with a 0 and with a 1. What the nodes carry is the table's business;
 * a node without anything on it has two children (it is there for the fork only). So a look-up visits at
 * most one node per distinct prefix on its way, whatever the number of prefixes.
 *
 * IPv4 addresses are the first 32 bits of a key. The nodes are allocated by the caller's machine.
 */
#ifndef NKE_NET_RTRIE_H
#define NKE_NET_RTRIE_H

#include "src/kern/machine.h"

struct rtentry;

struct rt_key {
	uint64_t w[2];			/* most significant bit first */
};

/* What a look-up needs of it comes first: it should be in one line of the CPU's cache. */
struct rt_node {
	struct rt_key key;
	struct rt_node *child[2];
	struct rtentry *routes;		/* unscoped first; NULL: a fork */
	uint8_t plen;			/* bits of the prefix, 0..128 */
	struct rt_node *parent;
};

static inline unsigned
rt_key_bit(const struct rt_key *k, unsigned n)
{
	return (unsigned)(k->w[n >> 6] >> (63 - (n & 63))) & 1;
}

static inline bool
rt_node_covers(const struct rt_node *n, const struct rt_key *k)
{
	uint64_t diff = k->w[0] ^ n->key.w[0];

	if (n->plen <= 64)
		return n->plen == 0 || diff >> (64 - n->plen) == 0;
	return diff == 0 && (k->w[1] ^ n->key.w[1]) >> (128 - n->plen) == 0;
}

/* The longest prefix with routes that covers the key; shorter ones are its ancestors. NULL: none. */
static inline struct rt_node *
rtrie_match(struct rt_node *n, const struct rt_key *k)
{
	struct rt_node *best = NULL;

	while (n != NULL && rt_node_covers(n, k)) {
		if (n->routes != NULL)
			best = n;
		if (n->plen == 128)
			break;
		n = n->child[rt_key_bit(k, n->plen)];
	}
	return best;
}

/* The mask of a prefix of `plen` bits. */
struct rt_key rtrie_mask(unsigned plen);
/* The node of exactly this prefix (host bits 0), with or without routes; NULL: none. */
struct rt_node *rtrie_find(struct rt_node *root, const struct rt_key *, unsigned plen);
/* The same, made if it is not there. NULL: no memory, nothing changed. */
struct rt_node *rtrie_insert(struct nke *, struct rt_node **root, const struct rt_key *, unsigned plen);
/* The node's last route has gone: it goes too, unless it is a fork. */
void rtrie_prune(struct nke *, struct rt_node **root, struct rt_node *);
/* The node behind `n` in order of address, shorter prefixes first; NULL: that was the last. */
struct rt_node *rtrie_next(struct rt_node *n);

#endif
