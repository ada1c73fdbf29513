/*
 * The machine's random numbers. In virtual time they follow from its seed, so that a run can be
 * repeated byte for byte; in real time they are the host's.
 */
#ifndef NKE_KERN_PRNG_H
#define NKE_KERN_PRNG_H

#include "src/kern/machine.h"

void prng_bytes(struct nke *, void *buf, size_t len);
uint32_t prng_u32(struct nke *);

/* The generator by itself, for what belongs to no machine. */
void prng_seed(uint64_t state[4], uint64_t seed);
uint64_t prng_next(uint64_t state[4]);

#endif
