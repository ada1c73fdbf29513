/* What is read, dealt out and played at a time: for replay_parallel.c. */
#ifndef NKE_HOST_REPLAY_CHUNK_H
#define NKE_HOST_REPLAY_CHUNK_H

#include "src/host/replay_order.h"

#define CHUNK_FRAMES	1024u
#define NO_FRAME	UINT32_MAX

struct dealt {
	struct core_frame frame;
	uint32_t next;			/* of the same machine, NO_FRAME: the last */
};

/* One machine's part of a chunk, and what came of it. */
struct part {
	uint32_t first, last;
	struct share *out;		/* what left; NULL: nothing */
	struct low_water low;
	struct core_replay_stats stats;	/* at the end of the chunk */
};

struct chunk {
	struct dealt frames[CHUNK_FRAMES];
	uint32_t count;
	uint8_t *data;
	size_t used, size;
	struct part *parts;		/* one for each machine */
	unsigned machines;
	unsigned left;			/* machines that have yet to play it */
	unsigned told;			/* discoveries up to here are known */
	uint64_t until;			/* calendar: the clock at its end */
	bool last;
};

/* NULL: out of memory. */
struct chunk *chunk_create(unsigned machines);
void chunk_destroy(struct chunk *);
void chunk_clear(struct chunk *);
/* A chunk is limited in frames and in bytes, but has room for one frame of any length. */
bool chunk_has_room(struct chunk *, const struct core_frame *);
/* Appends a copy, for `machine`. False: out of memory. */
bool chunk_add(struct chunk *, const struct core_frame *, unsigned machine);

#endif
