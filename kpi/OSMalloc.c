/*
 * libkern/OSMalloc.h: memory under a tag.
 *
 * A tag counts its blocks. Tagfree drops the kext's own reference and makes the tag useless for
 * new blocks; its memory goes with the last block. The heap knows each block's size, tag and
 * owner, so a free with another size or tag is a panic that says which.
 */
#include <libkern/OSMalloc.h>
#include <string.h>

#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/klog.h"
#include "src/kern/kpi_rule.h"
#include "src/kern/ledger.h"
#include "src/kern/panic.h"

#define TAG_VALID	UINT32_C(0xdead50d0)
#define TAG_FREED	UINT32_C(0xfee1dead)

struct __OSMallocTag__ {
	struct ledger_entry ledger;
	uint32_t state;
	uint32_t flags;
	uint32_t refs;			/* the kext's one and one per block */
	char name[64];
};

static void
describe_tag(const struct ledger_entry *entry, char *text, size_t size)
{
	const struct __OSMallocTag__ *tag = (const struct __OSMallocTag__ *)
	    ((const char *)entry - __offsetof(struct __OSMallocTag__, ledger));

	ksnprintf(text, size, "OSMalloc tag \"%s\" with %u block%s", tag->name, tag->refs - 1,
	    tag->refs == 2 ? "" : "s");
}

OSMallocTag
OSMalloc_Tagalloc(const char *name, uint32_t flags)
{
	struct nke *m = curmachine();
	OSMallocTag tag = kalloc(m, sizeof *tag);

	if (tag == NULL)
		return NULL;
	tag->state = TAG_VALID;
	tag->flags = flags;
	tag->refs = 1;
	strlcpy(tag->name, name, sizeof tag->name);
	ledger_set_describe(m, LEDGER_MALLOC_TAG, describe_tag);
	ledger_enter(m, &tag->ledger, LEDGER_MALLOC_TAG, __builtin_return_address(0));
	return tag;
}

static void
check_tag(const char *function, OSMallocTag tag)
{
	if (tag == NULL)
		kpanic("%s: the tag is NULL", function);
	if (tag->state == TAG_FREED)
		kpanic("%s: the tag \"%s\" has been freed with OSMalloc_Tagfree", function,
		    tag->name);
	if (tag->state != TAG_VALID)
		kpanic("%s: %p is no tag of OSMalloc_Tagalloc, or one freed before", function,
		    (void *)tag);
}

static void
release_tag(struct nke *m, OSMallocTag tag)
{
	if (--tag->refs == 0)
		kfree(m, tag);
}

void
OSMalloc_Tagfree(OSMallocTag tag)
{
	struct nke *m = curmachine();

	check_tag("OSMalloc_Tagfree", tag);
	ledger_strike(m, &tag->ledger);
	tag->state = TAG_FREED;
	release_tag(m, tag);
}

static void *
tagged_alloc(const char *function, uint32_t size, OSMallocTag tag, void *pc)
{
	void *p;

	check_tag(function, tag);
	p = heap_alloc_for(curmachine(), size, 16, 0, HEAP_OSMALLOC, pc);
	if (p == NULL)
		return NULL;
	heap_set_tag(p, tag);
	tag->refs++;
	return p;
}

void *
OSMalloc(uint32_t size, OSMallocTag tag)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return tagged_alloc("OSMalloc", size, tag, __builtin_return_address(0));
}

void *
OSMalloc_nowait(uint32_t size, OSMallocTag tag)
{
	return tagged_alloc("OSMalloc_nowait", size, tag, __builtin_return_address(0));
}

void *
OSMalloc_noblock(uint32_t size, OSMallocTag tag)
{
	return tagged_alloc("OSMalloc_noblock", size, tag, __builtin_return_address(0));
}

void
OSFree(void *data, uint32_t size, OSMallocTag tag)
{
	struct nke *m = curmachine();
	void *pc = __builtin_return_address(0);
	OSMallocTag its;

	if (data == NULL)
		kpanic("OSFree: the block is NULL (size %u)", size);
	heap_check(m, data, HEAP_OSMALLOC, pc);
	its = (OSMallocTag)(uintptr_t)heap_tag(data);
	if (its != tag)
		kpanic("OSFree: the block %p of %zu bytes was allocated under the tag \"%s\", not the "
		    "one given", data, heap_size(data), its->name);
	heap_free_sized_for(m, data, size, HEAP_OSMALLOC, pc);
	release_tag(m, tag);
}
