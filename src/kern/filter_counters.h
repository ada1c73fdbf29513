/* What a filter did with packets: kept per interface and IP filter by their engines, read by reports. */
#ifndef NKE_KERN_FILTER_COUNTERS_H
#define NKE_KERN_FILTER_COUNTERS_H

#include <stdint.h>

/* The cost of a filter is measured on one call in this many (a power of two). */
#define FILTER_SAMPLE	64u

struct filter_counters {
	uint64_t seen_in, seen_out;	/* packets shown to it */
	uint64_t passed, changed, swallowed, dropped, injected;
	uint64_t calls, sampled_calls, sampled_ticks;	/* ticks: hc_ticks() */
};

#endif
