/* SHA-1, in one context: begin, feed, end. */
#ifndef _LIBKERN_CRYPTO_SHA1_H_
#define _LIBKERN_CRYPTO_SHA1_H_

#include <sys/cdefs.h>
#include <sys/types.h>

#define SHA_DIGEST_LENGTH 20
#define SHA1_RESULTLEN SHA_DIGEST_LENGTH

typedef struct sha1_ctxt {
	union {
		u_int8_t b8[20];
		u_int32_t b32[5];
	} h;
	union {
		u_int8_t b8[8];
		u_int32_t b32[2];
		u_int64_t b64[1];
	} c;
	union {
		u_int8_t b8[64];
		u_int32_t b32[16];
	} m;
	u_int8_t count;
} SHA1_CTX;

__BEGIN_DECLS

void SHA1Init(SHA1_CTX *ctx);
void SHA1Update(SHA1_CTX *ctx, const void *data, size_t len);
void SHA1Final(void *digest, SHA1_CTX *ctx);

__END_DECLS

#endif
