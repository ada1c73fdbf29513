/* kpi/OSMalloc.c and kpi/malloc.c */
#include <libkern/OSMalloc.h>
#include <libkern/libkern.h>
#include <string.h>
#include <sys/malloc.h>

#include "src/kern/gate.h"
#include "src/kern/kext.h"
#include "tests/unit/ktest.h"

KTEST(a_tag_and_its_blocks_belong_to_the_kext)
{
	struct kext k = {.name = "tester"};
	OSMallocTag tag = NULL;
	void *p = NULL;

	TAILQ_INIT(&k.owned);
	GATE_CALL(&k, "start", NULL, tag = OSMalloc_Tagalloc("com.example.tag", OSMT_DEFAULT));
	GATE_CALL(&k, "start", NULL, p = OSMalloc(40, tag));
	CHECK_EQ(k.owned_count[LEDGER_MALLOC_TAG], 1);
	CHECK_EQ(k.owned_count[LEDGER_MEMORY], 1);
	OSFree(p, 40, tag);
	OSMalloc_Tagfree(tag);
	CHECK_EQ(k.owned_count[LEDGER_MALLOC_TAG], 0);
	CHECK_EQ(k.memory_bytes, 0);
}

KTEST(a_block_outlives_its_tag)
{
	OSMallocTag tag = OSMalloc_Tagalloc("t", OSMT_DEFAULT);
	void *p = OSMalloc_nowait(1, tag), *q = OSMalloc_noblock(2, tag);

	OSMalloc_Tagfree(tag);
	OSFree(p, 1, tag);
	OSFree(q, 2, tag);
}

KTEST_PANICS(a_wrong_size, "freed with the wrong size: 41 bytes, but it has 40")
{
	OSMallocTag tag = OSMalloc_Tagalloc("t", OSMT_DEFAULT);

	OSFree(OSMalloc(40, tag), 41, tag);
}

KTEST_PANICS(a_wrong_tag, "under the tag \"first\"")
{
	OSMallocTag a = OSMalloc_Tagalloc("first", OSMT_DEFAULT), b = OSMalloc_Tagalloc("second", 0);

	OSFree(OSMalloc(40, a), 40, b);
}

KTEST_PANICS(a_freed_tag, "the tag \"gone\" has been freed")
{
	OSMallocTag tag = OSMalloc_Tagalloc("gone", OSMT_DEFAULT);
	void *p = OSMalloc(8, tag);

	OSMalloc_Tagfree(tag);
	p = OSMalloc(8, tag);
	OSFree(p, 8, tag);
}

KTEST_PANICS(a_tag_freed_twice, "OSMalloc_Tagfree")
{
	OSMallocTag tag = OSMalloc_Tagalloc("gone", OSMT_DEFAULT);

	OSMalloc_Tagfree(tag);
	OSMalloc_Tagfree(tag);
}

KTEST(bsd_malloc)
{
	char *p = _MALLOC(10, M_TEMP, M_WAITOK | M_ZERO);

	CHECK(p != NULL);
	CHECK_EQ(p[9], 0);
	memcpy(p, "abcdefghi", 10);
	p = _REALLOC(p, 1000, M_TEMP, M_WAITOK);
	CHECK_STR(p, "abcdefghi");
	CHECK(_REALLOC(p, 0, M_TEMP, M_WAITOK) == NULL);
	CHECK(_MALLOC(0, M_TEMP, M_WAITOK) == NULL);
	_FREE(NULL, M_TEMP);
	p = _MALLOC_ZONE(24, M_SOCKET, M_WAITOK);
	_FREE_ZONE(p, 24, M_SOCKET);
	p = STRDUP("copy", M_TEMP);
	CHECK_STR(p, "copy");
	_FREE(p, M_TEMP);
}

KTEST_PANICS(a_zone_of_another_size, "wrong size: 25 bytes, but it has 24")
{
	_FREE_ZONE(_MALLOC_ZONE(24, M_SOCKET, M_WAITOK), 25, M_SOCKET);
}

KTEST_PANICS(mixed_families, "were allocated with _MALLOC")
{
	OSMallocTag tag = OSMalloc_Tagalloc("t", OSMT_DEFAULT);

	OSFree(_MALLOC(8, M_TEMP, M_WAITOK), 8, tag);
}

KTEST_SUITE(osmalloc, T(a_tag_and_its_blocks_belong_to_the_kext), T(a_block_outlives_its_tag),
    T(a_wrong_size), T(a_wrong_tag), T(a_freed_tag), T(a_tag_freed_twice), T(bsd_malloc),
    T(a_zone_of_another_size), T(mixed_families));
