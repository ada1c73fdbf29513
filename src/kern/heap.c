/*
 * The machine's memory. Used by everything in the core (kalloc) and by the KPI's allocators.
 *
 * In front of what the caller gets lies a header (struct heap_block), and in front of that, for
 * blocks that belong to a kext, its entry in the ledger:
 *
 *	base  [padding to the alignment] [ledger_entry, kexts' kinds only] [heap_block] payload [tail]
 *
 * The machine owns every block: what is left when it goes is given back to the host here.
 *
 * In checked mode a freed block is filled with a pattern and kept for a while, so that a second
 * free finds its header intact and a late write is noticed when the block's time is up.
 */
#include <string.h>

#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/kext.h"
#include "src/kern/klog.h"
#include "src/kern/mbuf.h"
#include "src/kern/panic.h"

#define HEAP_DEFAULT_LIMIT	((size_t)256 << 20)
#define HEAP_LIVE		UINT32_C(0x6b6d656d)
#define HEAP_FREED		UINT32_C(0xdeadbeef)
#define HEAP_TAIL		UINT64_C(0xa11a0c8ed0bb1e5a)
#define HEAP_MIN_ALIGN		16u

#define QUARANTINE_BLOCKS	256u
#define QUARANTINE_BYTES	((size_t)4 << 20)

struct heap_block {
	TAILQ_ENTRY(heap_block) link;	/* of the machine's live blocks */
	const void *tag;		/* heap_set_tag */
	void *pc;			/* where it was allocated */
	size_t size;			/* as asked for */
	uint32_t magic;			/* HEAP_LIVE, HEAP_FREED; else not ours, or damaged */
	uint8_t kind;			/* enum heap_kind */
	uint8_t align_shift;
	uint16_t has_tail;		/* HEAP_TAIL follows the payload */
};
_Static_assert(sizeof(struct heap_block) % HEAP_MIN_ALIGN == 0, "payloads are 16-byte aligned");
_Static_assert(sizeof(struct ledger_entry) % HEAP_MIN_ALIGN == 0, "payloads are 16-byte aligned");

struct quarantined {
	struct heap_block *block;
	void *freed_by;
};

struct heap {
	TAILQ_HEAD(, heap_block) blocks;
	uint64_t allocations;		/* of heap and mbufs: fail_alloc counts in these */
	uint64_t bytes, count, peak_bytes;
	size_t limit;
	bool describes;			/* the ledger knows how to describe a block */
	struct quarantined quarantine[QUARANTINE_BLOCKS];	/* a ring, oldest first */
	unsigned oldest, quarantined;
	size_t quarantined_bytes;
};

static const char *const kind_names[] = {
	[HEAP_CORE] = "kernel", [HEAP_OSMALLOC] = "OSMalloc", [HEAP_MALLOC] = "_MALLOC",
	[HEAP_IOMALLOC] = "IOMalloc", [HEAP_KERN_OS] = "kern_os_malloc", [HEAP_LOCK] = "lock",
	[HEAP_SEMAPHORE] = "semaphore", [HEAP_UIO] = "uio",
	[HEAP_KALLOC] = "kalloc",
};

static const char *
kind_name(unsigned kind)
{
	return kind < sizeof kind_names / sizeof kind_names[0] ? kind_names[kind] : "unknown";
}

/* Locks have ledger entries of their own; the core's blocks belong to no kext. */
static bool
kind_in_ledger(unsigned kind)
{
	return kind != HEAP_CORE && kind != HEAP_LOCK;
}

static struct heap_block *
block_of(const void *p)
{
	return (struct heap_block *)(uintptr_t)p - 1;
}

static char *
payload(struct heap_block *b)
{
	return (char *)(b + 1);
}

static struct ledger_entry *
block_ledger(struct heap_block *b)
{
	return (struct ledger_entry *)(void *)b - 1;
}

/* Bytes from the host's allocation to the payload. */
static size_t
prefix_size(unsigned kind, size_t align)
{
	size_t n = sizeof(struct heap_block) +
	    (kind_in_ledger(kind) ? sizeof(struct ledger_entry) : 0);

	return (n + align - 1) & ~(align - 1);
}

static void
return_to_host(struct heap_block *b)
{
	hc_free(payload(b) - prefix_size(b->kind, (size_t)1 << b->align_shift));
}

/* ---- the ledger --------------------------------------------------------------------------- */

static void
describe_block(const struct ledger_entry *entry, char *text, size_t size)
{
	const struct heap_block *b = (const struct heap_block *)(const void *)(entry + 1);

	ksnprintf(text, size, "%s block of %zu bytes", kind_name(b->kind), b->size);
}

static void
charge(struct nke *m, struct heap_block *b)
{
	struct ledger_entry *entry = block_ledger(b);

	if (!m->heap->describes && m->ledger != NULL) {
		ledger_set_describe(m, LEDGER_MEMORY, describe_block);
		m->heap->describes = true;
	}
	memset(entry, 0, sizeof *entry);
	if (m->ledger == NULL)
		return;
	ledger_enter(m, entry, LEDGER_MEMORY, b->pc);
	if (entry->kext == NULL)
		return;
	entry->kext->memory_bytes += b->size;
	if (entry->kext->memory_bytes > entry->kext->memory_peak)
		entry->kext->memory_peak = entry->kext->memory_bytes;
}

static void
discharge(struct nke *m, struct heap_block *b)
{
	struct ledger_entry *entry = block_ledger(b);

	if (entry->kext == NULL)
		return;
	entry->kext->memory_bytes -= b->size;
	ledger_strike(m, entry);
}

/* ---- quarantine (checked mode) ------------------------------------------------------------ */

/* Offset of the first byte written after the block was freed; its size when none was. */
static size_t
first_damage(struct heap_block *b)
{
	static const uint8_t pattern[4] = {0xef, 0xbe, 0xad, 0xde};
	const uint8_t *p = (const uint8_t *)payload(b);
	size_t i;

	for (i = 0; i < b->size && p[i] == pattern[i % 4]; i++)
		continue;
	return i;
}

static void
poison(struct heap_block *b)
{
	static const uint8_t pattern[4] = {0xef, 0xbe, 0xad, 0xde};
	uint8_t *p = (uint8_t *)payload(b);

	for (size_t i = 0; i < b->size; i++)
		p[i] = pattern[i % 4];
}

static void
late_write_report(const struct quarantined *q, char *text, size_t size)
{
	char allocated[160], freed[160];

	hc_symbolize(q->block->pc, allocated, sizeof allocated);
	hc_symbolize(q->freed_by, freed, sizeof freed);
	ksnprintf(text, size, "%s block of %zu bytes (allocated at %s, freed at %s) was written at "
	    "offset %zu after it had been freed", kind_name(q->block->kind), q->block->size, allocated,
	    freed, first_damage(q->block));
}

static void
release_oldest(struct nke *m, bool panic_on_damage)
{
	struct heap *h = m->heap;
	struct quarantined q = h->quarantine[h->oldest];
	bool damaged = first_damage(q.block) < q.block->size;
	char text[512] = "";

	h->oldest = (h->oldest + 1) % QUARANTINE_BLOCKS;
	h->quarantined--;
	h->quarantined_bytes -= q.block->size;
	if (damaged)
		late_write_report(&q, text, sizeof text);
	return_to_host(q.block);
	if (damaged && panic_on_damage)
		kpanic("%s", text);
	if (damaged)
		klog(m, 3, "%s", text);
}

/* Panics when a block that has to leave was damaged; hence before anything is done to the next. */
static void
make_room(struct nke *m, size_t size)
{
	struct heap *h = m->heap;

	while (h->quarantined == QUARANTINE_BLOCKS ||
	    (h->quarantined != 0 && h->quarantined_bytes + size > QUARANTINE_BYTES))
		release_oldest(m, true);
}

static void
quarantine_block(struct nke *m, struct heap_block *b, void *freed_by)
{
	struct heap *h = m->heap;

	poison(b);
	h->quarantine[(h->oldest + h->quarantined) % QUARANTINE_BLOCKS] =
	    (struct quarantined){b, freed_by};
	h->quarantined++;
	h->quarantined_bytes += b->size;
}

/* ---- allocation --------------------------------------------------------------------------- */

bool
heap_inject_failure(struct nke *m)
{
	return ++m->heap->allocations == m->config.fail_alloc;
}

static inline bool
over_limit(const struct heap *h, size_t size)
{
	return size > h->limit || h->bytes > h->limit - size;
}

static inline void
count_in(struct heap *h, size_t size)
{
	h->bytes += size;
	h->count++;
	if (h->bytes > h->peak_bytes)
		h->peak_bytes = h->bytes;
}

static inline void
count_out(struct heap *h, size_t size)
{
	h->bytes -= size;
	h->count--;
}

bool
heap_charge_page(struct nke *m, size_t size)
{
	if (over_limit(m->heap, size))
		return false;
	count_in(m->heap, size);
	return true;
}

void
heap_discharge_page(struct nke *m, size_t size)
{
	count_out(m->heap, size);
}

void *
heap_alloc_for(struct nke *m, size_t size, size_t align, int flags, enum heap_kind kind, void *pc)
{
	struct heap *h = m->heap;
	struct heap_block *b;
	char *base;
	size_t prefix, total;
	uint64_t tail = HEAP_TAIL;

	if (heap_inject_failure(m) || over_limit(h, size))
		return NULL;
	if (align < HEAP_MIN_ALIGN)
		align = HEAP_MIN_ALIGN;
	if ((align & (align - 1)) != 0 || align > h->limit)
		return NULL;
	prefix = prefix_size(kind, align);
	total = prefix + size + (m->checked ? sizeof tail : 0);
	base = align == HEAP_MIN_ALIGN ? hc_alloc(total) :
	    hc_alloc_aligned(align, (total + align - 1) & ~(align - 1));
	if (base == NULL)
		return NULL;
	b = block_of(base + prefix);
	b->tag = NULL;
	b->pc = pc;
	b->size = size;
	b->magic = HEAP_LIVE;
	b->kind = (uint8_t)kind;
	b->align_shift = (uint8_t)__builtin_ctzl(align);
	b->has_tail = m->checked;
	if (flags & HEAP_ZERO)
		memset(payload(b), 0, size);
	else if (m->checked)
		memset(payload(b), 0xa5, size);
	if (m->checked)
		memcpy(payload(b) + size, &tail, sizeof tail);
	TAILQ_INSERT_TAIL(&h->blocks, b, link);
	count_in(h, size);
	if (kind_in_ledger(kind))
		charge(m, b);
	return payload(b);
}

void *
heap_alloc(struct nke *m, size_t size, int flags, enum heap_kind kind)
{
	return heap_alloc_for(m, size, HEAP_MIN_ALIGN, flags, kind, __builtin_return_address(0));
}

/* ---- freeing ------------------------------------------------------------------------------ */

static _Noreturn void
freed_twice(struct nke *m, struct heap_block *b, void *pc)
{
	struct heap *h = m->heap;
	char first[160] = "a place no longer known", second[160];

	for (unsigned i = 0; i < h->quarantined; i++) {
		const struct quarantined *q = &h->quarantine[(h->oldest + i) % QUARANTINE_BLOCKS];

		if (q->block == b)
			hc_symbolize(q->freed_by, first, sizeof first);
	}
	hc_symbolize(pc, second, sizeof second);
	kpanic("%s block %p of %zu bytes freed twice: first at %s, now at %s", kind_name(b->kind),
	    (void *)payload(b), b->size, first, second);
}

/* What must hold for `b` to be a block that `kind` may free. */
static void
check_block(struct nke *m, struct heap_block *b, enum heap_kind kind, void *pc)
{
	uint64_t tail;

	if (__builtin_expect(b->magic == HEAP_FREED, 0))
		freed_twice(m, b, pc);
	if (__builtin_expect(b->magic != HEAP_LIVE, 0))
		kpanic("%s free of %p: not allocated here, or the bytes before it were overwritten "
		    "(found 0x%08x, expected 0x%08x)", kind_name(kind), (void *)payload(b), b->magic,
		    HEAP_LIVE);
	if (__builtin_expect(b->kind != kind, 0))
		kpanic("%s free of %p: its %zu bytes were allocated with %s", kind_name(kind),
		    (void *)payload(b), b->size, kind_name(b->kind));
	if (b->has_tail) {
		memcpy(&tail, payload(b) + b->size, sizeof tail);
		if (tail != HEAP_TAIL)
			kpanic("%s block %p of %zu bytes was written past its end",
			    kind_name(b->kind), (void *)payload(b), b->size);
	}
}

static void
free_block(struct nke *m, struct heap_block *b, void *pc)
{
	struct heap *h = m->heap;

	if (kind_in_ledger(b->kind))
		discharge(m, b);
	/* Behind that: striking it out frees the entry's backtrace, which takes a place as well. */
	if (m->checked)
		make_room(m, b->size);
	TAILQ_REMOVE(&h->blocks, b, link);
	count_out(h, b->size);
	b->magic = HEAP_FREED;
	if (m->checked)
		quarantine_block(m, b, pc);
	else
		return_to_host(b);
}

void
heap_check(struct nke *m, const void *p, enum heap_kind kind, void *pc)
{
	check_block(m, block_of(p), kind, pc);
}

void
heap_reclaim(struct nke *m, struct ledger_entry *entry)
{
	struct heap_block *b = (struct heap_block *)(void *)(entry + 1);

	free_block(m, b, b->pc);
}

void
heap_free_for(struct nke *m, void *p, enum heap_kind kind, void *pc)
{
	if (p == NULL)
		return;
	check_block(m, block_of(p), kind, pc);
	free_block(m, block_of(p), pc);
}

void
heap_free_sized_for(struct nke *m, void *p, size_t size, enum heap_kind kind, void *pc)
{
	if (p == NULL)
		return;
	check_block(m, block_of(p), kind, pc);
	if (__builtin_expect(block_of(p)->size != size, 0))
		kpanic("%s block %p freed with the wrong size: %zu bytes, but it has %zu",
		    kind_name(kind), p, size, block_of(p)->size);
	free_block(m, block_of(p), pc);
}

void
heap_free(struct nke *m, void *p, enum heap_kind kind)
{
	heap_free_for(m, p, kind, __builtin_return_address(0));
}

void *
heap_resize_for(struct nke *m, void *p, size_t size, int flags, enum heap_kind kind, void *pc)
{
	void *fresh;
	size_t old;

	if (p != NULL)
		check_block(m, block_of(p), kind, pc);
	fresh = heap_alloc_for(m, size, HEAP_MIN_ALIGN, flags, kind, pc);
	if (fresh == NULL || p == NULL)
		return fresh;
	heap_set_tag(fresh, heap_tag(p));
	old = block_of(p)->size;
	memcpy(fresh, p, old < size ? old : size);
	free_block(m, block_of(p), pc);
	return fresh;
}

size_t
heap_size(const void *p)
{
	return block_of(p)->size;
}

void
heap_set_tag(void *p, const void *tag)
{
	block_of(p)->tag = tag;
}

const void *
heap_tag(const void *p)
{
	return block_of(p)->tag;
}

/* ---- statistics --------------------------------------------------------------------------- */

/* Does not enter the machine: for its owner, while nobody is in it. Works after a panic, too. */
void
machine_memory(const struct nke *m, struct core_memory *out)
{
	const struct heap *h = m->heap;

	memset(out, 0, sizeof *out);
	if (h != NULL) {
		out->allocations = h->allocations;
		out->heap_bytes = h->bytes;
		out->heap_blocks = h->count;
		out->heap_peak_bytes = h->peak_bytes;
	}
	if (m->mbufs != NULL)
		mbuf_statistics(m, out);
}

/* ---- life --------------------------------------------------------------------------------- */

static errno_t
heap_init(struct nke *m)
{
	struct heap *h = hc_alloc(sizeof *h);

	if (h == NULL)
		return ENOMEM;
	memset(h, 0, sizeof *h);
	TAILQ_INIT(&h->blocks);
	h->limit = m->config.heap_limit_bytes != 0 ? m->config.heap_limit_bytes : HEAP_DEFAULT_LIMIT;
	m->heap = h;
	return 0;
}

/* While the log still works: say what was written after it had been freed. */
static void
heap_quiesce(struct nke *m)
{
	while (m->heap->quarantined != 0)
		release_oldest(m, false);
}

static void
heap_fini(struct nke *m)
{
	struct heap *h = m->heap;
	struct heap_block *b;

	while (h->quarantined != 0)
		release_oldest(m, false);
	while ((b = TAILQ_FIRST(&h->blocks)) != NULL) {
		TAILQ_REMOVE(&h->blocks, b, link);
		return_to_host(b);
	}
	hc_free(h);
	m->heap = NULL;
}

const struct subsystem heap_subsystem = {"heap", heap_init, heap_quiesce, heap_fini};
