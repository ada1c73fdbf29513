/* Putting what several machines give back in order, and writing it: for replay_parallel.c. */
#ifndef NKE_HOST_REPLAY_ORDER_H
#define NKE_HOST_REPLAY_ORDER_H

#include "src/host/capture.h"

/* Frames with their bytes: what one machine gave back of one chunk, in its order. */
struct share {
	struct share *next;
	struct core_frame *frames;	/* their `data` are set by order_put */
	size_t count, room;
	uint8_t *data;			/* one after the other */
	size_t used, size;
};

/* All that a machine will still give back is at or after these. */
struct low_water {
	uint64_t number;		/* of a frame; UINT64_MAX: it holds nothing back */
	uint64_t time_ns;
};

struct order;

/* NULL: out of memory. */
struct share *share_create(void);
void share_destroy(struct share *);
/* Appends a copy. False: out of memory. */
bool share_add(struct share *, const struct core_frame *);

/* NULL: out of memory. */
struct order *order_create(unsigned machines, struct capture_writer *);
void order_destroy(struct order *);
/* What machine `i` gave back next (NULL: nothing), taken over, and how far it is now. */
void order_put(struct order *, unsigned i, struct share *, const struct low_water *);
/* Writes what can no longer be preceded by anything: all below every machine's low-water mark. */
void order_write(struct order *);
/* Writes all there is: no machine will give back more. */
void order_write_rest(struct order *);
/* An empty share whose buffers were used before, or NULL. */
struct share *order_spare(struct order *);

#endif
