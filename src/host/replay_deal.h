/* Which machine plays a frame: for replay_parallel.c. */
#ifndef NKE_HOST_REPLAY_DEAL_H
#define NKE_HOST_REPLAY_DEAL_H

#include "src/kern/corecalls.h"

struct dealer;

/* NULL: out of memory. */
struct dealer *dealer_create(enum core_link, unsigned machines);
void dealer_destroy(struct dealer *);
/* 0 to machines-1. Frames are asked for in the order of the capture. */
unsigned dealer_machine(struct dealer *, const struct core_frame *);

#endif
