/*
 * Watching packets walk through a machine: a callback at every trace point on their way.
 */
#ifndef NKE_TRACE_H
#define NKE_TRACE_H

#include <nke/nke.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* One packet at one point. Valid during the call only. */
struct nke_trace_event {
	const char *point;		/* "ip_input" */
	const char *words;		/* what `a` and `b` are: "interface index, length" */
	uint64_t uptime_ns;
	uint64_t packet_number;		/* of the capture that is replayed, 1-based; 0: none */
	uintptr_t a, b;
	const uint8_t *data;		/* the packet's first bytes in one piece; NULL: no packet */
	size_t data_len;		/* how many are at `data` */
	size_t packet_len;		/* in all */
};

/*
 * Called on the thread that is inside the machine. Must not call the machine.
 */
typedef void nke_trace_fn(void *ctx, const struct nke_trace_event *);

/* Traces from now on; fn NULL: no more. At most one at a time. ENOMEM, EFAULT (panicked). */
int nke_trace_set(nke_t *m, nke_trace_fn *fn, void *ctx);

/* Names of the trace points and what their words mean, for i from 0; NULL after the last. */
const char *nke_trace_point_name(unsigned i);
const char *nke_trace_point_words(unsigned i);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
