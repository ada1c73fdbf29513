/* The trie of rtrie.h: changing it and walking through it. Nothing recurses; a path has at most 129 nodes. */
#include "src/kern/heap.h"
#include "src/net/rtrie.h"

struct rt_key
rtrie_mask(unsigned plen)
{
	struct rt_key mask = {{0, 0}};

	if (plen != 0)
		mask.w[0] = plen >= 64 ? UINT64_MAX : UINT64_MAX << (64 - plen);
	if (plen > 64)
		mask.w[1] = plen >= 128 ? UINT64_MAX : UINT64_MAX << (128 - plen);
	return mask;
}

/* How many bits two keys have in common, at most `limit`. */
static unsigned
common_bits(const struct rt_key *a, const struct rt_key *b, unsigned limit)
{
	uint64_t diff = a->w[0] ^ b->w[0];
	unsigned n = diff != 0 ? (unsigned)__builtin_clzll(diff) : 64;

	if (n == 64) {
		diff = a->w[1] ^ b->w[1];
		n += diff != 0 ? (unsigned)__builtin_clzll(diff) : 64;
	}
	return n < limit ? n : limit;
}

struct rt_node *
rtrie_find(struct rt_node *n, const struct rt_key *k, unsigned plen)
{
	while (n != NULL && n->plen <= plen && rt_node_covers(n, k)) {
		if (n->plen == plen)
			return n;
		n = n->child[rt_key_bit(k, n->plen)];
	}
	return NULL;
}

static struct rt_node *
make(struct nke *m, const struct rt_key *k, unsigned plen)
{
	struct rt_node *n = kalloc(m, sizeof *n);
	struct rt_key mask = rtrie_mask(plen);

	if (n == NULL)
		return NULL;
	n->key.w[0] = k->w[0] & mask.w[0];
	n->key.w[1] = k->w[1] & mask.w[1];
	n->plen = (uint8_t)plen;
	return n;
}

static void
adopt(struct rt_node *parent, struct rt_node *child)
{
	parent->child[rt_key_bit(&child->key, parent->plen)] = child;
	child->parent = parent;
}

/* Puts `n`, which is shorter than `old` and covers it, or a fork to both, in the place of `old`. */
static bool
insert_above(struct nke *m, struct rt_node **link, struct rt_node *old, struct rt_node *n)
{
	struct rt_node *parent = old->parent, *top = n;
	unsigned common = common_bits(&old->key, &n->key, old->plen < n->plen ? old->plen : n->plen);

	if (common < n->plen) {
		top = make(m, &n->key, common);
		if (top == NULL)
			return false;
		adopt(top, n);
	}
	adopt(top, old);
	top->parent = parent;
	*link = top;
	return true;
}

struct rt_node *
rtrie_insert(struct nke *m, struct rt_node **root, const struct rt_key *k, unsigned plen)
{
	struct rt_node **link = root, *parent = NULL, *n;

	while ((n = *link) != NULL && n->plen <= plen && rt_node_covers(n, k)) {
		if (n->plen == plen)
			return n;
		parent = n;
		link = &n->child[rt_key_bit(k, n->plen)];
	}
	n = make(m, k, plen);
	if (n == NULL)
		return NULL;
	n->parent = parent;
	if (*link == NULL) {
		*link = n;
	} else if (!insert_above(m, link, *link, n)) {
		kfree(m, n);
		return NULL;
	}
	return n;
}

static struct rt_node **
link_to(struct rt_node **root, const struct rt_node *n)
{
	if (n->parent == NULL)
		return root;
	return &n->parent->child[n->parent->child[1] == n];
}

void
rtrie_prune(struct nke *m, struct rt_node **root, struct rt_node *n)
{
	/* Its parent may have been a fork that leads to one place only now. */
	while (n != NULL && n->routes == NULL && (n->child[0] == NULL || n->child[1] == NULL)) {
		struct rt_node *parent = n->parent;
		struct rt_node *heir = n->child[0] != NULL ? n->child[0] : n->child[1];

		*link_to(root, n) = heir;
		if (heir != NULL)
			heir->parent = parent;
		kfree(m, n);
		n = heir == NULL ? parent : NULL;
	}
}

struct rt_node *
rtrie_next(struct rt_node *n)
{
	if (n->child[0] != NULL)
		return n->child[0];
	if (n->child[1] != NULL)
		return n->child[1];
	for (; n->parent != NULL; n = n->parent)
		if (n->parent->child[0] == n && n->parent->child[1] != NULL)
			return n->parent->child[1];
	return NULL;
}
