/* Fragments put together: for reenact.c. */
#ifndef NKE_HOST_REENACT_FRAGMENTS_H
#define NKE_HOST_REENACT_FRAGMENTS_H

#include "src/host/reenact_packet.h"

struct fragments;

struct fragments *fragments_create(void);	/* NULL: no memory */
void fragments_destroy(struct fragments *);
/*
 * Takes a fragment. Not 0: its datagram is whole, of so many fragments, and `whole`, valid until the next
 * call, is it: with a header that has no options and no extensions.
 */
unsigned fragments_add(struct fragments *, const struct packet *, struct packet *whole);

#endif
