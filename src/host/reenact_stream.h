/* One direction of a TCP flow as captured, put in order: for reenact*.c. */
#ifndef NKE_HOST_REENACT_STREAM_H
#define NKE_HOST_REENACT_STREAM_H

#include "src/host/reenact_flows.h"

struct piece;

struct stream {
	struct track *track;		/* what the first pass found */
	struct flow_count *count;
	uint64_t end;			/* in order up to here */
	uint64_t kept_from;		/* octets from here to `end` are in `kept` */
	uint64_t hold;			/* octets from here on are needed, whatever has been compared */
	uint8_t *kept;
	size_t kept_at, kept_len, kept_room;
	struct piece *ahead, *ahead_last;	/* beyond `end`, in order */
	size_t ahead_len, ahead_count;
	uint32_t hole;			/* the next of the track's */
	bool no_memory;
};

void stream_init(struct stream *, struct track *, struct flow_count *);
void stream_free(struct stream *);

/*
 * Octets of a captured segment, `captured` of `len` of them there: zeros stand for the rest. What is in order
 * now (`end`) includes what was waiting for them.
 */
void stream_add(struct stream *, int64_t offset, const uint8_t *, uint32_t len, uint32_t captured);
/* The capture has shown that octets up to `until` were there: fills those that it lacks with zeros. */
void stream_fill(struct stream *, uint64_t until);
/*
 * Octets at `offset` as they were delivered: counts where they differ from what was captured. Octets before
 * `offset` are not needed any more, nor are these.
 */
void stream_check(struct stream *, uint64_t offset, const uint8_t *, size_t len);
/* The octets in order from `offset` on, at least 1; NULL and 0: there are none (any more). */
const uint8_t *stream_at(const struct stream *, uint64_t offset, size_t *len);
/* Octets before `offset` are not needed any more. */
void stream_drop(struct stream *, uint64_t offset);

#endif
