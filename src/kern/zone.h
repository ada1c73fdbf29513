/*
 * Zones: where the objects come from that a machine has by the thousand, all of one size (sockets, protocol
 * control blocks, connections' records). Getting and freeing one is a pop and a push on the list of a page,
 * and an object has no header: it costs its size, rounded up to ZONE_ALIGN.
 *
 * Used like this; a zone is embedded in its owner's state and costs nothing while it is empty:
 *
 *	zone_init(&s->socket_zone, machine, "socket", sizeof(struct socket));	when it comes up
 *	so = zone_alloc(&s->socket_zone);		all zero; NULL: ENOBUFS
 *	zone_free(&s->socket_zone, so);
 *	zone_fini(&s->socket_zone);			when it goes, before the heap
 *
 * What kalloc promises holds here as well: the heap's limit counts (whole pages), config.fail_alloc counts
 * (every object), nothing sleeps. In checked mode every object is a block of the heap's, so that double
 * frees, late writes and leaks are named with the place they come from.
 */
#ifndef NKE_KERN_ZONE_H
#define NKE_KERN_ZONE_H

#include <sys/queue.h>

#include "src/kern/machine.h"

/* An object's page begins at the multiple of this before it. So large that what its end wastes is little. */
#define ZONE_PAGE	32768u
#define ZONE_ALIGN	8u
#define ZONE_SIZE_MAX	2048u		/* of an object; larger ones would waste too much of a page */

struct zone_page;
LIST_HEAD(zone_pages, zone_page);

struct zone {
	struct nke *machine;
	const char *name;		/* of one object, in reports */
	uint16_t size;			/* of an object, a multiple of ZONE_ALIGN */
	uint16_t per_page;
	bool single;			/* every object is a block of the heap's */
	uint32_t count;			/* objects in use */
	struct zone_pages room, full;	/* pages that have room, and those that have none */
};

/* `name` is a constant. */
void zone_init(struct zone *, struct nke *, const char *name, size_t size);
/* Zeroed. NULL when the heap's limit or the host refuses. */
void *zone_alloc(struct zone *);
/*
 * NULL is ignored. Panics on what is not of this zone. A page that is empty goes back to the host, unless it
 * is the only one with room: that one stays until the zone goes.
 */
void zone_free(struct zone *, void *);
/* Gives all pages back, also with objects in them. Nothing for a zone that was never initialised. */
void zone_fini(struct zone *);

#endif
