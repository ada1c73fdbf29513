/* src/kern/heap.c: sizes, kinds, limits, injected failures, and what checked mode notices. */
#include <string.h>

#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/kext.h"
#include "src/kern/klog.h"
#include "src/kern/thread.h"
#include "tests/unit/ktest.h"

static struct core_memory
memory(void)
{
	struct core_memory out;

	machine_memory(curmachine(), &out);
	return out;
}

KTEST(a_block_is_aligned_and_zeroed_on_request)
{
	struct nke *m = curmachine();
	unsigned char *p = heap_alloc(m, 100, HEAP_ZERO, HEAP_MALLOC);

	CHECK(p != NULL);
	CHECK_EQ((uintptr_t)p % 16, 0);
	CHECK_EQ(heap_size(p), 100);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(p[i], 0);
	heap_free(m, p, HEAP_MALLOC);
}

KTEST(large_alignments_are_kept)
{
	struct nke *m = curmachine();

	for (size_t align = 16; align <= 65536; align *= 2) {
		void *p = heap_alloc_for(m, 3, align, 0, HEAP_IOMALLOC, NULL);

		CHECK(p != NULL);
		CHECK_EQ((uintptr_t)p % align, 0);
		heap_free_sized_for(m, p, 3, HEAP_IOMALLOC, NULL);
	}
}

KTEST(statistics_follow_allocations)
{
	struct nke *m = curmachine();
	struct core_memory before = memory(), after;
	void *p = heap_alloc(m, 1000, 0, HEAP_MALLOC);

	after = memory();
	CHECK_EQ(after.allocations, before.allocations + 1);
	CHECK_EQ(after.heap_bytes, before.heap_bytes + 1000);
	CHECK_EQ(after.heap_blocks, before.heap_blocks + 1);
	CHECK(after.heap_peak_bytes >= after.heap_bytes);
	heap_free(m, p, HEAP_MALLOC);
	CHECK_EQ(memory().heap_bytes, before.heap_bytes);
	CHECK_EQ(memory().heap_blocks, before.heap_blocks);
}

KTEST(more_than_the_limit_is_refused)
{
	struct nke *m = curmachine();
	struct core_memory before = memory();

	CHECK(heap_alloc(m, (size_t)300 << 20, 0, HEAP_MALLOC) == NULL);
	CHECK(heap_alloc(m, SIZE_MAX, 0, HEAP_MALLOC) == NULL);
	CHECK(heap_alloc(m, SIZE_MAX - 64, 0, HEAP_MALLOC) == NULL);
	CHECK_EQ(memory().heap_bytes, before.heap_bytes);
}

KTEST(the_chosen_allocation_fails_once)
{
	struct nke *m = curmachine();
	void *p;

	m->config.fail_alloc = memory().allocations + 2;
	p = heap_alloc(m, 10, 0, HEAP_MALLOC);
	CHECK(p != NULL);
	CHECK(heap_alloc(m, 10, 0, HEAP_MALLOC) == NULL);
	heap_free(m, p, HEAP_MALLOC);
	p = heap_alloc(m, 10, 0, HEAP_MALLOC);
	CHECK(p != NULL);
	heap_free(m, p, HEAP_MALLOC);
}

KTEST(resizing_keeps_the_bytes)
{
	struct nke *m = curmachine();
	char *p = heap_resize_for(m, NULL, 4, 0, HEAP_MALLOC, NULL);

	memcpy(p, "abc", 4);
	p = heap_resize_for(m, p, 4000, HEAP_ZERO, HEAP_MALLOC, NULL);
	CHECK_STR(p, "abc");
	CHECK_EQ(p[3999], 0);
	p = heap_resize_for(m, p, 2, 0, HEAP_MALLOC, NULL);
	CHECK_EQ(p[1], 'b');
	CHECK_EQ(heap_size(p), 2);
	heap_free(m, p, HEAP_MALLOC);
}

KTEST(freeing_null_is_nothing)
{
	heap_free(curmachine(), NULL, HEAP_MALLOC);
	heap_free_sized_for(curmachine(), NULL, 7, HEAP_MALLOC, NULL);
}

KTEST(a_kext_is_charged_for_its_own_blocks_only)
{
	struct nke *m = curmachine();
	struct kext k = {.name = "tester"};
	void *own = NULL, *core = NULL;

	TAILQ_INIT(&k.owned);
	GATE_CALL(&k, "start", NULL, own = heap_alloc(m, 50, 0, HEAP_OSMALLOC));
	GATE_CALL(&k, "start", NULL, core = kalloc(m, 70));
	CHECK_EQ(k.memory_bytes, 50);
	CHECK_EQ(k.owned_count[LEDGER_MEMORY], 1);
	kfree(m, core);
	heap_free(m, own, HEAP_OSMALLOC);
	CHECK_EQ(k.memory_bytes, 0);
	CHECK(TAILQ_EMPTY(&k.owned));
}

KTEST(blocks_pass_through_quarantine)
{
	struct nke *m = curmachine();
	struct core_memory before = memory();

	for (int i = 0; i < 2000; i++)
		heap_free(m, heap_alloc(m, (size_t)i * 7, 0, HEAP_MALLOC), HEAP_MALLOC);
	CHECK_EQ(memory().heap_bytes, before.heap_bytes);
}

KTEST_PANICS(freeing_twice_is_named, "freed twice")
{
	void *p = heap_alloc(curmachine(), 64, 0, HEAP_MALLOC);

	heap_free(curmachine(), p, HEAP_MALLOC);
	heap_free(curmachine(), p, HEAP_MALLOC);
}

KTEST_PANICS(a_wrong_size_is_named, "wrong size: 63 bytes, but it has 64")
{
	heap_free_sized_for(curmachine(), heap_alloc(curmachine(), 64, 0, HEAP_IOMALLOC), 63,
	    HEAP_IOMALLOC, NULL);
}

KTEST_PANICS(another_family_is_named, "were allocated with OSMalloc")
{
	heap_free(curmachine(), heap_alloc(curmachine(), 64, 0, HEAP_OSMALLOC), HEAP_MALLOC);
}

KTEST_PANICS(a_foreign_pointer_is_named, "not allocated here")
{
	char memory_of_ours[512] = {0};

	heap_free(curmachine(), memory_of_ours + 256, HEAP_MALLOC);
}

KTEST_PANICS(writing_past_the_end_is_named, "written past its end")
{
	char *p = heap_alloc(curmachine(), 64, 0, HEAP_MALLOC);

	p[64] = 0;
	heap_free(curmachine(), p, HEAP_MALLOC);
}

KTEST_PANICS(a_late_write_is_named, "offset 5 after it had been freed")
{
	struct nke *m = curmachine();
	char *p = heap_alloc(m, 64, 0, HEAP_MALLOC);

	heap_free(m, p, HEAP_MALLOC);
	p[5] = 1;
	for (int i = 0; i < 300; i++)
		heap_free(m, heap_alloc(m, 8, 0, HEAP_MALLOC), HEAP_MALLOC);
}

KTEST_SUITE(heap, T(a_block_is_aligned_and_zeroed_on_request), T(large_alignments_are_kept),
    T(statistics_follow_allocations), T(more_than_the_limit_is_refused),
    T(the_chosen_allocation_fails_once), T(resizing_keeps_the_bytes), T(freeing_null_is_nothing),
    T(a_kext_is_charged_for_its_own_blocks_only), T(blocks_pass_through_quarantine),
    T(freeing_twice_is_named), T(a_wrong_size_is_named), T(another_family_is_named),
    T(a_foreign_pointer_is_named), T(writing_past_the_end_is_named), T(a_late_write_is_named));
