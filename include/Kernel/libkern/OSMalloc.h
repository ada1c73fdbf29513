/* Memory with a tag: the tag says whose it is, and is counted by what is allocated under it. */
#ifndef _LIBKERN_OSMALLOC_H_
#define _LIBKERN_OSMALLOC_H_

#include <sys/cdefs.h>
#include <stdint.h>

struct __OSMallocTag__;
typedef struct __OSMallocTag__ *OSMallocTag, *OSMallocTag_t;

#define OSMT_DEFAULT 0x00
#define OSMT_PAGEABLE 0x01

__BEGIN_DECLS

/* Copies the name, up to 63 characters. May sleep; NULL when the harness makes it fail. */
OSMallocTag OSMalloc_Tagalloc(const char *name, uint32_t flags);
/* Drops the caller's reference; the tag itself lives until the last block under it is freed. */
void OSMalloc_Tagfree(OSMallocTag tag);
/* May sleep; NULL without memory. The two others never sleep. */
void *OSMalloc(uint32_t size, OSMallocTag tag);
void *OSMalloc_nowait(uint32_t size, OSMallocTag tag);
void *OSMalloc_noblock(uint32_t size, OSMallocTag tag);
/* Same size and tag as at the allocation; anything else is a panic. */
void OSFree(void *data, uint32_t size, OSMallocTag tag);

__END_DECLS

#endif
