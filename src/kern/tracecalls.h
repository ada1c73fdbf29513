/*
 * The part of corecalls.h about trace points: what src/host calls to watch packets.
 */
#ifndef NKE_TRACECALLS_H
#define NKE_TRACECALLS_H

#include <stddef.h>
#include <stdint.h>

struct nke;

struct core_trace_event {
	const char *point, *words;	/* its name, and what `a` and `b` are */
	uint64_t uptime_ns;
	uint64_t packet_number;		/* of the capture, 0 none */
	uintptr_t a, b;
	const uint8_t *data;		/* the packet's first mbuf; NULL: no packet */
	size_t data_len, packet_len;
};

/* Calls `emit` at every trace point; NULL: no more. ENOMEM, EFAULT. */
int trace_set(struct nke *, void (*emit)(void *ctx, const struct core_trace_event *), void *ctx);
/* Name and words (may be NULL) of the i-th trace point; NULL after the last. */
const char *trace_point_at(unsigned i, const char **words);

#endif
