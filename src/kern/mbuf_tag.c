/*
 * Tags: what a kext (or the core) writes on a packet. They hang off the packet header, move with it,
 * are copied with it, and go when it goes.
 *
 * Their memory comes from the zone: a tag lies in an mbuf of its own, or in a 2 KiB cluster when it is
 * too long for that; so tags count against the packet memory's limit and cost one pop.
 */
#include <string.h>

#include "src/kern/mbuf.h"

/* Data that fits in an mbuf. */
#define MTAG_INSIDE	(MLEN - sizeof(struct m_tag))

_Static_assert(sizeof(struct m_tag) % 8 == 0 && offsetof(struct mbuf, m_dat) % 8 == 0,
    "data of tags is 8-byte aligned");
_Static_assert(sizeof(struct m_tag) + MTAG_MAXLEN <= MCLBYTES, "the longest tag fits in a cluster");

void *
m_tag_data(struct m_tag *t)
{
	return t + 1;
}

/* A tag that is on no packet yet, its data undefined. */
static struct m_tag *
tag_alloc(struct nke *machine, mbuf_tag_id_t id, mbuf_tag_type_t type, size_t len)
{
	struct m_tag *t;

	if (len <= MTAG_INSIDE) {
		struct mbuf *m = m_get(machine, MBUF_DONTWAIT, MBUF_TYPE_HEADER);

		if (m == NULL)
			return NULL;
		t = mtod(m, struct m_tag *);
	} else {
		struct m_ext_ref *ref = mcl_alloc(machine, MCLBYTES);

		if (ref == NULL)
			return NULL;
		t = (struct m_tag *)(void *)ref->buf;
	}
	t->next = NULL;
	t->id = id;
	t->type = type;
	t->len = (uint16_t)len;
	return t;
}

static void
tag_free(struct nke *machine, struct m_tag *t)
{
	if (t->len <= MTAG_INSIDE)
		m_free((struct mbuf *)((uintptr_t)t & ~(uintptr_t)(MSIZE - 1)));
	else
		mcl_release(machine, mcl_lookup(machine, t, MCLBYTES));
}

struct m_tag *
m_tag_add(struct nke *machine, struct mbuf *m, mbuf_tag_id_t id, mbuf_tag_type_t type, size_t len)
{
	struct m_tag *t;

	if (len > MTAG_MAXLEN)
		return NULL;
	t = tag_alloc(machine, id, type, len);
	if (t == NULL)
		return NULL;
	memset(m_tag_data(t), 0, len);
	t->next = m->m_pkthdr.tags;
	m->m_pkthdr.tags = t;
	return t;
}

struct m_tag *
m_tag_find(const struct mbuf *m, mbuf_tag_id_t id, mbuf_tag_type_t type)
{
	struct m_tag *t;

	for (t = m->m_pkthdr.tags; t != NULL; t = t->next)
		if (t->id == id && t->type == type)
			break;
	return t;
}

void
m_tag_delete(struct nke *machine, struct mbuf *m, struct m_tag *tag)
{
	struct m_tag **link;

	for (link = &m->m_pkthdr.tags; *link != NULL; link = &(*link)->next)
		if (*link == tag) {
			*link = tag->next;
			tag_free(machine, tag);
			return;
		}
}

void
m_tag_delete_chain(struct nke *machine, struct mbuf *m)
{
	struct m_tag *t;

	while ((t = m->m_pkthdr.tags) != NULL) {
		m->m_pkthdr.tags = t->next;
		tag_free(machine, t);
	}
}

bool
m_tag_copy_chain(struct nke *machine, struct mbuf *dst, const struct mbuf *src)
{
	struct m_tag **end, **link;

	for (end = &dst->m_pkthdr.tags; *end != NULL; end = &(*end)->next)
		continue;
	link = end;
	for (const struct m_tag *t = src->m_pkthdr.tags; t != NULL; t = t->next) {
		struct m_tag *copy = tag_alloc(machine, t->id, t->type, t->len);

		if (copy == NULL)
			goto nomem;
		memcpy(copy + 1, t + 1, t->len);
		*link = copy;
		link = &copy->next;
	}
	return true;
nomem:
	while (*end != NULL) {
		struct m_tag *t = *end;

		*end = t->next;
		tag_free(machine, t);
	}
	return false;
}
