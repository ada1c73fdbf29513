/*
 * Numbers for strings: mbuf tag modules, kernel event vendors and interface families are named by
 * a string (usually a reverse DNS name) and known by a number. There is one counter for all
 * three, so a string has the same number in each space; numbers start at 1000 and last as long as
 * the machine.
 */
#ifndef NKE_KERN_STRING_ID_H
#define NKE_KERN_STRING_ID_H

#include "src/kern/machine.h"

#define STRING_ID_FIRST		1000
/* Spaces: who asked. */
#define STRING_ID_MBUF_TAG	0
#define STRING_ID_VENDOR	1
#define STRING_ID_FAMILY	2
#define STRING_ID_SPACES	3

/* The number of `name`, made if it is new. EINVAL: NULL, unknown space. ENOMEM. */
errno_t string_id_find(struct nke *, const char *name, uint32_t space, uint32_t *id);
/* The same without making one: ENOENT unless it has been asked for in this very space. */
errno_t string_id_lookup(struct nke *, const char *name, uint32_t space, uint32_t *id);
/*
 * True when `id` lies between 1000 and the highest number handed out in `space`. A lower number
 * that only another space has handed out passes too: an interface fact.
 */
bool string_id_valid(struct nke *, uint32_t id, uint32_t space);

#endif
