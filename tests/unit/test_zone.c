/* src/kern/zone.c: objects in pages, and what limits, injected failures and checked mode do. */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/thread.h"
#include "src/kern/zone.h"
#include "tests/unit/ktest.h"

#define SIZE	300u
#define MANY	500u

static struct zone zone;
static unsigned char *objects[MANY];

static struct core_memory
memory(void)
{
	struct core_memory out;

	machine_memory(curmachine(), &out);
	return out;
}

/* Machines of tests are checked ones; this is a zone as others have it. */
static void
make_zone(void)
{
	zone_init(&zone, curmachine(), "thing", SIZE);
	zone.single = false;
}

static void
fill(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		objects[i] = zone_alloc(&zone);
		CHECK(objects[i] != NULL);
		for (unsigned k = 0; k < SIZE; k++)
			CHECK_EQ(objects[i][k], 0);
		memset(objects[i], (int)(i % 255 + 1), SIZE);
	}
}

KTEST(objects_are_zeroed_and_apart)
{
	struct core_memory before = memory();

	make_zone();
	fill(MANY);
	CHECK_EQ(zone.count, MANY);
	/* Holes all over, which are filled again. */
	for (unsigned i = 0; i < MANY; i += 3)
		zone_free(&zone, objects[i]);
	for (unsigned i = 0; i < MANY; i += 3) {
		objects[i] = zone_alloc(&zone);
		for (unsigned k = 0; k < SIZE; k++)
			CHECK_EQ(objects[i][k], 0);
		memset(objects[i], (int)(i % 255 + 1), SIZE);
	}
	for (unsigned i = 0; i < MANY; i++) {
		CHECK_EQ((uintptr_t)objects[i] % ZONE_ALIGN, 0);
		for (unsigned k = 0; k < SIZE; k++)
			CHECK_EQ(objects[i][k], i % 255 + 1);
		zone_free(&zone, objects[i]);
	}
	CHECK_EQ(zone.count, 0);
	CHECK_EQ(memory().heap_blocks, before.heap_blocks + 1);
	zone_fini(&zone);
	CHECK_EQ(memory().heap_bytes, before.heap_bytes);
	CHECK_EQ(memory().heap_blocks, before.heap_blocks);
}

KTEST(pages_come_when_they_are_needed_and_go_when_they_are_empty)
{
	struct core_memory before = memory();
	uint64_t page;

	make_zone();
	CHECK(zone.per_page >= 50);
	CHECK_EQ(memory().heap_bytes, before.heap_bytes);
	fill(zone.per_page);
	page = memory().heap_bytes - before.heap_bytes;
	CHECK(page <= ZONE_PAGE);
	CHECK_EQ(memory().heap_blocks, before.heap_blocks + 1);
	objects[zone.per_page] = zone_alloc(&zone);
	CHECK_EQ(memory().heap_bytes, before.heap_bytes + 2 * page);
	/* One page with room stays, the others go. */
	zone_free(&zone, objects[zone.per_page]);
	CHECK_EQ(memory().heap_bytes, before.heap_bytes + 2 * page);
	zone_free(&zone, objects[7]);
	for (unsigned i = 0; i < zone.per_page; i++)
		if (i != 7)
			zone_free(&zone, objects[i]);
	CHECK_EQ(memory().heap_bytes, before.heap_bytes + page);
	fill(zone.per_page);
	CHECK_EQ(memory().heap_bytes, before.heap_bytes + page);
	zone_free(&zone, objects[7]);
	CHECK(zone_alloc(&zone) == objects[7]);
	CHECK_EQ(memory().heap_bytes, before.heap_bytes + page);
	/* What is left goes with the zone. */
	zone_fini(&zone);
	CHECK_EQ(memory().heap_bytes, before.heap_bytes);
}

KTEST(the_heaps_limit_and_injected_failures_count)
{
	struct nke *m = curmachine();
	struct core_memory before = memory();
	char *rest;

	make_zone();
	m->config.fail_alloc = before.allocations + 2;
	objects[0] = zone_alloc(&zone);
	CHECK(objects[0] != NULL);
	CHECK(zone_alloc(&zone) == NULL);
	objects[1] = zone_alloc(&zone);
	CHECK(objects[1] != NULL);
	CHECK_EQ(memory().allocations, before.allocations + 3);
	zone_free(&zone, objects[0]);
	zone_free(&zone, objects[1]);
	zone_fini(&zone);
	/* 256 MiB is the heap's limit. */
	rest = heap_alloc(m, ((size_t)256 << 20) - memory().heap_bytes - ZONE_PAGE / 2, 0, HEAP_CORE);
	CHECK(rest != NULL);
	CHECK(zone_alloc(&zone) == NULL);
	CHECK_EQ(zone.count, 0);
	heap_free(m, rest, HEAP_CORE);
	zone_free(&zone, NULL);
	zone_fini(&zone);
}

KTEST(in_checked_mode_objects_are_single_blocks)
{
	struct core_memory before = memory();
	void *p;

	zone_init(&zone, curmachine(), "thing", SIZE);
	p = zone_alloc(&zone);
	CHECK_EQ(memory().heap_blocks, before.heap_blocks + 1);
	CHECK_EQ(memory().allocations, before.allocations + 1);
	CHECK_EQ(heap_size(p), zone.size);
	CHECK_EQ(zone.count, 1);
	zone_free(&zone, p);
	CHECK_EQ(zone.count, 0);
	CHECK_EQ(memory().heap_bytes, before.heap_bytes);
	zone_fini(&zone);
}

KTEST_PANICS(an_object_of_another_zone_is_named, "a thing is freed")
{
	struct zone other;

	make_zone();
	zone_init(&other, curmachine(), "other", SIZE);
	other.single = false;
	zone_free(&zone, zone_alloc(&other));
}

KTEST_PANICS(freeing_twice_is_named, "freed twice")
{
	void *p;

	zone_init(&zone, curmachine(), "thing", SIZE);
	p = zone_alloc(&zone);
	zone_free(&zone, p);
	zone_free(&zone, p);
}

KTEST_SUITE(zone, T(objects_are_zeroed_and_apart),
    T(pages_come_when_they_are_needed_and_go_when_they_are_empty),
    T(the_heaps_limit_and_injected_failures_count), T(in_checked_mode_objects_are_single_blocks),
    T(an_object_of_another_zone_is_named), T(freeing_twice_is_named));
