/*
 * The machine's memory: every block knows its size, its owner and where it was allocated, so that
 * wrong sizes, double frees and leaks can be named; and any allocation can be made to fail.
 *
 * Used by the core (owner NULL while no kext runs) and by the KPI's allocators (OSMalloc,
 * _MALLOC, IOMalloc ...), whose blocks belong to the kext that calls. Packet buffers have a zone
 * of their own.
 */
#ifndef NKE_KERN_HEAP_H
#define NKE_KERN_HEAP_H

#include "src/kern/machine.h"

struct ledger_entry;

enum heap_kind {
	HEAP_CORE, HEAP_OSMALLOC, HEAP_MALLOC, HEAP_IOMALLOC, HEAP_KERN_OS, HEAP_LOCK, HEAP_SEMAPHORE,
	HEAP_UIO, HEAP_KALLOC
};

#define HEAP_ZERO	0x1

/* 16-byte aligned; NULL when a limit or the host refuses. Never sleeps. */
void *heap_alloc(struct nke *, size_t size, int flags, enum heap_kind);
/* NULL is ignored. Panics on a double free, a foreign pointer, or a block of another kind. */
void heap_free(struct nke *, void *, enum heap_kind);
/* Size that was asked for. */
size_t heap_size(const void *);

/*
 * The same for the KPI's allocators: `pc` is the caller's return address in the kext, which reports
 * and the ledger name. `align` is a power of two; 16 is what everything has at least.
 */
void *heap_alloc_for(struct nke *, size_t size, size_t align, int flags, enum heap_kind, void *pc);
void heap_free_for(struct nke *, void *, enum heap_kind, void *pc);
/* The same, and panics unless the block has exactly `size` bytes. */
void heap_free_sized_for(struct nke *, void *, size_t size, enum heap_kind, void *pc);
/* Panics unless `p` is a live block of that kind, which it then may look into. */
void heap_check(struct nke *, const void *p, enum heap_kind, void *pc);
/* A word beside the block for its allocator, to know it again when it is freed; NULL at first. */
void heap_set_tag(void *p, const void *tag);
const void *heap_tag(const void *p);
/*
 * Moves a block to one of `size` bytes; NULL when there is no memory, and the old block stays. The
 * bytes beyond the old size are zeroed with HEAP_ZERO. `p` NULL: heap_alloc_for.
 */
void *heap_resize_for(struct nke *, void *p, size_t size, int flags, enum heap_kind, void *pc);

/* The core's own blocks. They are not charged to a kext, whoever's call they were made in. */
static inline void *
kalloc(struct nke *m, size_t size)
{
	return heap_alloc(m, size, HEAP_ZERO, HEAP_CORE);
}
static inline void
kfree(struct nke *m, void *p)
{
	heap_free(m, p, HEAP_CORE);
}
/* Frees a kext's block, given its entry in the ledger (LEDGER_MEMORY). */
void heap_reclaim(struct nke *, struct ledger_entry *);
/*
 * For zones (zone.h), which get pages from the host themselves: they count like one block of the core's.
 * False: that would be over the limit.
 */
bool heap_charge_page(struct nke *, size_t size);
void heap_discharge_page(struct nke *, size_t size);
/* True when this allocation is to fail (fault injection); mbuf zone and heap both ask. */
bool heap_inject_failure(struct nke *);

#endif
