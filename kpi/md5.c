/* libkern/crypto/md5.h: MD5, RFC 1321. */
#include <libkern/crypto/md5.h>
#include <string.h>

#define BLOCK	64u

/* RFC 1321 section 3.4: the integer part of 2^32 times abs(sin(i + 1)). */
static const uint32_t sines[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a,
	0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
	0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340,
	0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8,
	0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
	0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
	0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92,
	0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
	0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
static const uint8_t turns[4][4] = {
	{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21},
};

static uint32_t
word_at(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void
put_word(unsigned char *p, uint32_t x)
{
	p[0] = (unsigned char)x;
	p[1] = (unsigned char)(x >> 8);
	p[2] = (unsigned char)(x >> 16);
	p[3] = (unsigned char)(x >> 24);
}

static void
add_block(u_int32_t state[4], const unsigned char *block)
{
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];

	for (unsigned i = 0; i < 64; i++) {
		uint32_t f, sum;
		unsigned k, s = turns[i / 16][i % 4];

		switch (i / 16) {
		case 0:
			f = (b & c) | (~b & d), k = i;
			break;
		case 1:
			f = (b & d) | (c & ~d), k = (5 * i + 1) % 16;
			break;
		case 2:
			f = b ^ c ^ d, k = (3 * i + 5) % 16;
			break;
		default:
			f = c ^ (b | ~d), k = 7 * i % 16;
			break;
		}
		sum = a + f + word_at(block + 4 * k) + sines[i];
		a = d;
		d = c;
		c = b;
		b += sum << s | sum >> (32 - s);
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

void
MD5Init(MD5_CTX *ctx)
{
	memset(ctx, 0, sizeof *ctx);
	ctx->state[0] = 0x67452301;
	ctx->state[1] = 0xefcdab89;
	ctx->state[2] = 0x98badcfe;
	ctx->state[3] = 0x10325476;
}

/* count[0] and count[1] are the low and the high half of the length in bits. */
void
MD5Update(MD5_CTX *ctx, const void *data, unsigned int len)
{
	const unsigned char *p = data;
	size_t have = ctx->count[0] / 8 % BLOCK;
	uint64_t bits = ((uint64_t)ctx->count[1] << 32 | ctx->count[0]) + (uint64_t)len * 8;

	ctx->count[0] = (u_int32_t)bits;
	ctx->count[1] = (u_int32_t)(bits >> 32);
	while (len > 0) {
		size_t n = BLOCK - have;

		if (n > len)
			n = len;
		memcpy(ctx->buffer + have, p, n);
		p += n;
		len -= (unsigned)n;
		have += n;
		if (have == BLOCK) {
			add_block(ctx->state, ctx->buffer);
			have = 0;
		}
	}
}

void
MD5Final(unsigned char digest[MD5_DIGEST_LENGTH], MD5_CTX *ctx)
{
	static const unsigned char padding[BLOCK] = {0x80};
	unsigned char length[8];
	unsigned have = ctx->count[0] / 8 % BLOCK;

	put_word(length, ctx->count[0]);
	put_word(length + 4, ctx->count[1]);
	MD5Update(ctx, padding, have < 56 ? 56 - have : 120 - have);
	MD5Update(ctx, length, sizeof length);
	for (unsigned i = 0; i < 4; i++)
		put_word(digest + 4 * i, ctx->state[i]);
	memset_s(ctx, sizeof *ctx, 0, sizeof *ctx);
}
