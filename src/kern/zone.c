/*
 * The zone allocator; zone.h says what for.
 *
 * A page of ZONE_PAGE bytes, aligned to its size, has a header and then objects. Those that were never used
 * are carved off one after the other, so that a page is touched only as far as it is needed; freed ones are
 * linked through their first word. A page that is full is in one list, one with room in the other, whose
 * first serves the next request: it is the one that was used last. The last page with room stays when it is
 * empty, so that one object that comes and goes does not cost a page each time.
 */
#include <string.h>

#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/panic.h"
#include "src/kern/zone.h"

#define UNLIKELY(x)	__builtin_expect((x), 0)
#define CALLER		__builtin_return_address(0)

/*
 * Bytes of a page that are asked for. Allocators of hosts keep some bytes of their own beside a block: asking
 * for the whole page would leave a hole as large as a page between two aligned ones.
 */
#define PAGE_BYTES	(ZONE_PAGE - 128)
#define PAGE_HEAD	64u		/* objects of whole cache lines lie at their beginning */

/* Tools that watch memory see single blocks only. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED		true
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WATCHED		true
#endif
#if !defined(WATCHED)
#define WATCHED		false
#endif

struct zone_page {
	struct zone *zone;
	LIST_ENTRY(zone_page) link;	/* of the zone: pages with room, or full ones */
	void *free;			/* freed objects, linked through their first word */
	uint16_t used;			/* objects in use */
	uint16_t carved;		/* objects that were used at least once */
};
_Static_assert(sizeof(struct zone_page) <= PAGE_HEAD, "the first object is behind the header");

static struct zone_page *
page_of(const void *object)
{
	return (struct zone_page *)((uintptr_t)object & ~(uintptr_t)(ZONE_PAGE - 1));
}

/* ---- pages -------------------------------------------------------------------------------- */

static struct zone_page *
page_create(struct zone *z)
{
	struct zone_page *page;

	if (!heap_charge_page(z->machine, PAGE_BYTES))
		return NULL;
	page = hc_alloc_aligned(ZONE_PAGE, PAGE_BYTES);
	if (page == NULL) {
		heap_discharge_page(z->machine, PAGE_BYTES);
		return NULL;
	}
	page->zone = z;
	page->free = NULL;
	page->used = page->carved = 0;
	LIST_INSERT_HEAD(&z->room, page, link);
	return page;
}

static void
page_destroy(struct zone_page *page)
{
	struct nke *m = page->zone->machine;

	LIST_REMOVE(page, link);
	hc_free(page);
	heap_discharge_page(m, PAGE_BYTES);
}

/* ---- objects ------------------------------------------------------------------------------ */

void *
zone_alloc(struct zone *z)
{
	struct zone_page *page = LIST_FIRST(&z->room);
	void *p;

	if (UNLIKELY(z->single)) {
		p = heap_alloc_for(z->machine, z->size, 0, HEAP_ZERO, HEAP_CORE, CALLER);
		z->count += p != NULL;
		return p;
	}
	if (UNLIKELY(heap_inject_failure(z->machine)))
		return NULL;
	if (UNLIKELY(page == NULL) && (page = page_create(z)) == NULL)
		return NULL;
	p = page->free;
	if (p != NULL)
		memcpy(&page->free, p, sizeof page->free);
	else
		p = (char *)page + PAGE_HEAD + (size_t)page->carved++ * z->size;
	z->count++;
	if (++page->used == z->per_page) {
		LIST_REMOVE(page, link);
		LIST_INSERT_HEAD(&z->full, page, link);
	}
	return memset(p, 0, z->size);
}

void
zone_free(struct zone *z, void *p)
{
	struct zone_page *page;

	if (p == NULL)
		return;
	if (UNLIKELY(z->single)) {
		heap_free_for(z->machine, p, HEAP_CORE, CALLER);
		z->count--;
		return;
	}
	page = page_of(p);
	if (UNLIKELY(page->zone != z))
		kpanic("a %s is freed at %p, where none is", z->name, p);
	z->count--;
	memcpy(p, &page->free, sizeof page->free);
	page->free = p;
	if (page->used-- == z->per_page) {
		LIST_REMOVE(page, link);
		LIST_INSERT_HEAD(&z->room, page, link);
	}
	if (page->used == 0 && (LIST_FIRST(&z->room) != page || LIST_NEXT(page, link) != NULL))
		page_destroy(page);
}

/* ---- life --------------------------------------------------------------------------------- */

void
zone_init(struct zone *z, struct nke *m, const char *name, size_t size)
{
	KASSERTX(size >= sizeof(void *) && size <= ZONE_SIZE_MAX, "a zone of %zu bytes for a %s", size,
	    name);
	memset(z, 0, sizeof *z);
	z->machine = m;
	z->name = name;
	z->size = (uint16_t)((size + ZONE_ALIGN - 1) & ~(size_t)(ZONE_ALIGN - 1));
	z->per_page = (uint16_t)((PAGE_BYTES - PAGE_HEAD) / z->size);
	z->single = m->checked || WATCHED;
	LIST_INIT(&z->room);
	LIST_INIT(&z->full);
}

void
zone_fini(struct zone *z)
{
	struct zone_page *page;

	while ((page = LIST_FIRST(&z->room)) != NULL)
		page_destroy(page);
	while ((page = LIST_FIRST(&z->full)) != NULL)
		page_destroy(page);
	z->count = 0;
}
