/*
 * Inside the mbuf zone: shared by mbuf_zone.c and mbuf_check.c only.
 *
 * Memory comes from the host in slabs, aligned to their own size, so that the slab of an object is
 * found by masking its address. The first object's place holds the slab's header; the others are cut
 * off one by one as they are needed for the first time, and live on a LIFO free list afterwards. Slabs
 * stay until the machine goes.
 */
#ifndef NKE_KERN_MBUF_ZONE_H
#define NKE_KERN_MBUF_ZONE_H

#include "src/kern/mbuf.h"

enum zone_class_id { ZONE_MBUF, ZONE_2K, ZONE_4K, ZONE_16K, ZONE_CLASSES };
/* Cluster kinds and classes have the same order. */
#define ZONE_OF_KIND(kind)	((enum zone_class_id)((kind) + ZONE_2K))

#define ZONE_SLAB_MAGIC		UINT32_C(0x6d626673)
#define ZONE_TYPES		256	/* types of mbufs that are counted apart */

/* Who had an object, by name: the kext may be gone when it matters. Kept until the machine goes. */
struct zone_client {
	struct zone_client *next;
	const struct kext *kext;	/* NULL: gone */
	uint32_t id;			/* of the kext: addresses are used again */
	char name[64];
};

/* Checked mode: one per object of a slab. */
struct zone_note {
	const struct zone_client *owner;	/* NULL: the core */
	void *pc;
	const struct zone_client *freer;	/* of the last free */
	void *free_pc;
	const void *link;		/* of the free list, to notice a changed one */
	bool inner;			/* scratch of mbuf_report_owned: not the first of its packet */
};

struct zone_slab {
	uint32_t magic;
	uint32_t id;			/* enum zone_class_id */
	struct mbuf_zone *zone;
	struct zone_slab *next;		/* of the class, newest first */
	uint32_t carved;		/* objects cut off so far, the header's place included */
	uint32_t places;
	struct zone_note *notes;	/* checked mode: `places` of them; else NULL */
	struct m_ext_ref refs[];	/* clusters: `places` of them */
};

struct zone_class {
	uint8_t shift;			/* log2 of an object's size */
	uint8_t slab_shift;
	struct zone_slab *slabs;
	uint32_t total;			/* objects cut off so far */
	uint32_t in_use;		/* clusters only; mbufs are counted by type */
};

struct mbuf_zone {
	struct mbuf *free_mbufs;
	struct m_ext_ref *free_clusters[ZONE_CLASSES - ZONE_2K];	/* by kind */
	uint64_t bytes;			/* in use */
	uint64_t peak;			/* the most so far, never above `limit` */
	struct nke *machine;
	bool checked;
	uint64_t limit;
	uint64_t denied;
	struct zone_class classes[ZONE_CLASSES];
	uint32_t types[ZONE_TYPES];	/* mbufs in use */
	uint32_t failed_copies, failed_pullups;
	struct zone_client *clients;
};

static inline struct zone_slab *
zone_slab_of(const struct mbuf_zone *z, enum zone_class_id id, const void *object)
{
	return (struct zone_slab *)((uintptr_t)object &
	    ~(((uintptr_t)1 << z->classes[id].slab_shift) - 1));
}

static inline unsigned
zone_place_of(const struct mbuf_zone *z, enum zone_class_id id, const void *object)
{
	return (unsigned)(((uintptr_t)object - (uintptr_t)zone_slab_of(z, id, object)) >>
	    z->classes[id].shift);
}

static inline uint32_t
zone_mbufs_in_use(const struct mbuf_zone *z)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < ZONE_TYPES; i++)
		n += z->types[i];
	return n;
}

/* ---- checked mode (mbuf_check.c) ---------------------------------------------------------- */

/* Notes for a new slab; false when the host has no memory. */
bool zone_check_slab(struct mbuf_zone *, struct zone_slab *);
/* An object leaves the free list (`fresh`: it never was on it): panics if somebody wrote to it. */
void zone_check_taken(struct mbuf_zone *, enum zone_class_id, void *object, const void *link,
    bool fresh, void *pc);
/* Before an mbuf is freed: panics if it is free already, or of another machine. Any mode. */
void zone_check_free(struct mbuf_zone *, struct mbuf *, void *pc);
/* An object is on the free list now, followed by `link`: fills it with the pattern. */
void zone_check_freed(struct mbuf_zone *, enum zone_class_id, void *object, const void *link, void *pc);
void zone_check_fini(struct mbuf_zone *);

#endif
