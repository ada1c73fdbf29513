/* Reading pcapng files (draft-ietf-opsawg-pcapng), a packet at a time. Used by capture.c only. */
#ifndef NKE_HOST_CAPTURE_PCAPNG_H
#define NKE_HOST_CAPTURE_PCAPNG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "src/kern/corecalls.h"

struct pcapng;

/* From a stream at its beginning, which stays the caller's. NULL: no memory. */
struct pcapng *pcapng_open(FILE *);
void pcapng_close(struct pcapng *);
/*
 * The next packet, of any interface; its data is valid until the next call, `*linktype` is its link type as
 * LINKTYPE_ has it. False at the end and at damage: then pcapng_error() is not NULL.
 */
bool pcapng_next(struct pcapng *, struct core_frame *, unsigned *linktype);
const char *pcapng_error(const struct pcapng *);
/* The link type of the first interface, as far as one has been read: else -1. */
int pcapng_first_linktype(const struct pcapng *);
/* Octets that have been read: blocks as a whole. */
uint64_t pcapng_offset(const struct pcapng *);

#endif
