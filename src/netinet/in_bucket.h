/*
 * A token bucket: how many of something may happen in a second, with a second's worth at once. Used
 * where this machine speaks because of what others send.
 */
#ifndef NKE_NETINET_IN_BUCKET_H
#define NKE_NETINET_IN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#define IN_BUCKET_SECOND	UINT64_C(1000000000)

struct in_bucket {
	bool used;
	uint64_t at;			/* uptime ns of the last look */
	uint64_t credit;		/* in events times IN_BUCKET_SECOND */
};

/* May it happen now? `rate` per second; 0 or less: always. */
static inline bool
in_bucket_take(struct in_bucket *b, uint64_t now, int rate)
{
	uint64_t full, elapsed = now - b->at;

	if (rate <= 0)
		return true;
	full = (uint64_t)rate * IN_BUCKET_SECOND;
	if (!b->used || elapsed >= IN_BUCKET_SECOND) {
		b->credit = full;
	} else {
		b->credit += elapsed * (uint64_t)rate;
		if (b->credit > full)
			b->credit = full;
	}
	b->used = true;
	b->at = now;
	if (b->credit < IN_BUCKET_SECOND)
		return false;
	b->credit -= IN_BUCKET_SECOND;
	return true;
}

#endif
