/*
 * The machine's random numbers. In virtual time they follow from its seed, so that a run can be
 * repeated byte for byte; in real time they are the host's.
 */
#ifndef NKE_KERN_PRNG_H
#define NKE_KERN_PRNG_H

#include "src/kern/machine.h"

void prng_bytes(struct nke *, void *buf, size_t len);
uint32_t prng_u32(struct nke *);

#endif
