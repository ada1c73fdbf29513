/*
 * SipHash (Aumasson and Bernstein, "SipHash: a fast short-input PRF") over whole words: a keyed hash whose
 * values tell nothing about others to who does not have the key. For what strangers see or choose: initial
 * sequence numbers, cookies, and tables whose keys come off the wire.
 */
#ifndef NKE_NETINET_IN_SIPHASH_H
#define NKE_NETINET_IN_SIPHASH_H

#include <string.h>

#include "src/netinet/in_pcb.h"

struct in_siphash {
	uint64_t v[4];
	uint64_t words;
};

static inline uint64_t
in_siphash_rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void
in_siphash_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = in_siphash_rotate(v[1], 13) ^ v[0];
	v[3] = in_siphash_rotate(v[3], 16) ^ v[2];
	v[0] = in_siphash_rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = in_siphash_rotate(v[1], 17) ^ v[2];
	v[3] = in_siphash_rotate(v[3], 21) ^ v[0];
	v[2] = in_siphash_rotate(v[2], 32);
}

static inline void
in_siphash_begin(struct in_siphash *h, const uint64_t key[2])
{
	h->v[0] = key[0] ^ UINT64_C(0x736f6d6570736575);
	h->v[1] = key[1] ^ UINT64_C(0x646f72616e646f6d);
	h->v[2] = key[0] ^ UINT64_C(0x6c7967656e657261);
	h->v[3] = key[1] ^ UINT64_C(0x7465646279746573);
	h->words = 0;
}

static inline void
in_siphash_word(struct in_siphash *h, uint64_t word)
{
	h->v[3] ^= word;
	in_siphash_round(h->v);
	in_siphash_round(h->v);
	h->v[0] ^= word;
	h->words++;
}

/* With a last `octets` of less than a word: they are `tail`, as they would be read from memory. */
static inline uint64_t
in_siphash_finish(struct in_siphash *h, unsigned octets, uint64_t tail)
{
	in_siphash_word(h, (h->words * 8 + octets) << 56 | tail);
	h->v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		in_siphash_round(h->v);
	return h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3];
}

static inline uint64_t
in_siphash_end(struct in_siphash *h)
{
	return in_siphash_finish(h, 0, 0);
}

static inline void
in_siphash_address(struct in_siphash *h, uint8_t vflag, const struct in6_addr *a)
{
	uint64_t words[2];

	if (vflag == INP_IPV4) {
		in_siphash_word(h, a->s6_addr32[3]);
		return;
	}
	memcpy(words, a, sizeof words);
	in_siphash_word(h, words[0]);
	in_siphash_word(h, words[1]);
}

/* Both addresses and both ports. Not yet at its end. */
static inline void
in_siphash_ends(struct in_siphash *h, const uint64_t key[2], const struct in_ends *e)
{
	in_siphash_begin(h, key);
	if (e->vflag == INP_IPV4) {
		in_siphash_word(h, (uint64_t)e->faddr.s6_addr32[3] << 32 | e->laddr.s6_addr32[3]);
	} else {
		in_siphash_address(h, e->vflag, &e->faddr);
		in_siphash_address(h, e->vflag, &e->laddr);
	}
	in_siphash_word(h, (uint64_t)e->fport << 16 | e->lport);
}

#endif
