/*
 * libkern/crypto/sha1.h: SHA-1, RFC 3174. The context is Darwin's: h the state, c the length in
 * bits, m the block, count its bytes.
 */
#include <libkern/crypto/sha1.h>
#include <string.h>

#define BLOCK	64u

static uint32_t
rotl(uint32_t x, int n)
{
	return x << n | x >> (32 - n);
}

/* RFC 3174 section 6.1, methods and constants of section 5. */
static void
add_block(SHA1_CTX *ctx)
{
	uint32_t w[80], a = ctx->h.b32[0], b = ctx->h.b32[1], c = ctx->h.b32[2], d = ctx->h.b32[3],
	    e = ctx->h.b32[4];

	for (unsigned t = 0; t < 16; t++)
		w[t] = (uint32_t)ctx->m.b8[4 * t] << 24 | (uint32_t)ctx->m.b8[4 * t + 1] << 16 |
		    (uint32_t)ctx->m.b8[4 * t + 2] << 8 | ctx->m.b8[4 * t + 3];
	for (unsigned t = 16; t < 80; t++)
		w[t] = rotl(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
	for (unsigned t = 0; t < 80; t++) {
		uint32_t f, k, next;

		if (t < 20)
			f = (b & c) | (~b & d), k = 0x5a827999;
		else if (t < 40)
			f = b ^ c ^ d, k = 0x6ed9eba1;
		else if (t < 60)
			f = (b & c) | (b & d) | (c & d), k = 0x8f1bbcdc;
		else
			f = b ^ c ^ d, k = 0xca62c1d6;
		next = rotl(a, 5) + f + e + w[t] + k;
		e = d;
		d = c;
		c = rotl(b, 30);
		b = a;
		a = next;
	}
	ctx->h.b32[0] += a;
	ctx->h.b32[1] += b;
	ctx->h.b32[2] += c;
	ctx->h.b32[3] += d;
	ctx->h.b32[4] += e;
}

void
SHA1Init(SHA1_CTX *ctx)
{
	memset(ctx, 0, sizeof *ctx);
	ctx->h.b32[0] = 0x67452301;
	ctx->h.b32[1] = 0xefcdab89;
	ctx->h.b32[2] = 0x98badcfe;
	ctx->h.b32[3] = 0x10325476;
	ctx->h.b32[4] = 0xc3d2e1f0;
}

void
SHA1Update(SHA1_CTX *ctx, const void *data, size_t len)
{
	const uint8_t *p = data;

	ctx->c.b64[0] += (uint64_t)len * 8;
	while (len > 0) {
		size_t n = BLOCK - ctx->count;

		if (n > len)
			n = len;
		memcpy(ctx->m.b8 + ctx->count, p, n);
		ctx->count = (uint8_t)(ctx->count + n);
		p += n;
		len -= n;
		if (ctx->count == BLOCK) {
			add_block(ctx);
			ctx->count = 0;
		}
	}
}

void
SHA1Final(void *digest, SHA1_CTX *ctx)
{
	static const uint8_t padding[BLOCK] = {0x80};
	uint64_t bits = ctx->c.b64[0];
	uint8_t length[8], *out = digest;

	for (unsigned i = 0; i < 8; i++)
		length[i] = (uint8_t)(bits >> (56 - 8 * i));
	SHA1Update(ctx, padding, ctx->count < 56 ? 56u - ctx->count : 120u - ctx->count);
	SHA1Update(ctx, length, sizeof length);
	for (unsigned i = 0; i < 5; i++) {
		out[4 * i] = (uint8_t)(ctx->h.b32[i] >> 24);
		out[4 * i + 1] = (uint8_t)(ctx->h.b32[i] >> 16);
		out[4 * i + 2] = (uint8_t)(ctx->h.b32[i] >> 8);
		out[4 * i + 3] = (uint8_t)ctx->h.b32[i];
	}
	memset_s(ctx, sizeof *ctx, 0, sizeof *ctx);
}
