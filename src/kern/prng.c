/*
 * xoshiro256** (Blackman and Vigna), seeded by SplitMix64 as its authors advise. Not for secrets: a
 * machine in virtual time is meant to be predictable.
 */
#include <string.h>

#include "src/kern/prng.h"

static uint64_t
rotl(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

void
prng_seed(uint64_t state[4], uint64_t x)
{
	for (int i = 0; i < 4; i++) {
		uint64_t z;

		x += UINT64_C(0x9e3779b97f4a7c15);
		z = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		state[i] = z ^ z >> 31;
	}
}

uint64_t
prng_next(uint64_t s[4])
{
	uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}


void
prng_bytes(struct nke *m, void *buf, size_t len)
{
	char *p = buf;

	if (m->config.time == CORE_TIME_REAL) {
		hc_random(buf, len);
		return;
	}
	while (len > 0) {
		uint64_t x = prng_next(m->prng);
		size_t n = len < sizeof x ? len : sizeof x;

		memcpy(p, &x, n);
		p += n;
		len -= n;
	}
}

uint32_t
prng_u32(struct nke *m)
{
	uint32_t x;

	prng_bytes(m, &x, sizeof x);
	return x;
}
