/* What a filter did with packets: kept per interface and IP filter by their engines, read by reports. */
#ifndef NKE_KERN_FILTER_COUNTERS_H
#define NKE_KERN_FILTER_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

/* The cost of a filter is measured on its first calls, then on one call in this many (a power of two). */
#define FILTER_SAMPLE	64u

/* What is not counted here it passed on unchanged. */
struct filter_counters {
	uint64_t seen_in, seen_out;	/* packets shown to it, each by one call */
	uint64_t sparse;		/* measured are the calls whose number has none of these bits */
	uint64_t changed, swallowed, dropped, injected;
	uint64_t sampled_calls, sampled_ticks;	/* ticks: hc_ticks() */
};

/* Counts a call that is about to be made. True: it is to be measured. */
static inline bool
filter_count_call(struct filter_counters *c, bool in)
{
	uint64_t number = in ? c->seen_in++ : c->seen_out++;

	return (number & c->sparse) == 0;
}

/* The same for callers that cannot measure: false, and nothing counted, when they would have to. */
static inline bool
filter_count_plain(struct filter_counters *c, bool in)
{
	uint64_t number = in ? c->seen_in : c->seen_out;

	if (__builtin_expect((number & c->sparse) == 0, 0))
		return false;
	if (in)
		c->seen_in = number + 1;
	else
		c->seen_out = number + 1;
	return true;
}

static inline void
filter_measured(struct filter_counters *c, uint64_t ticks)
{
	c->sampled_ticks += ticks;
	if (++c->sampled_calls == FILTER_SAMPLE)
		c->sparse = FILTER_SAMPLE - 1;
}

static inline uint64_t
filter_calls(const struct filter_counters *c)
{
	return c->seen_in + c->seen_out;
}

static inline uint64_t
filter_passed(const struct filter_counters *c)
{
	return filter_calls(c) - c->changed - c->swallowed - c->dropped;
}

#endif
