/* MD5, in one context: begin, feed, end. */
#ifndef _LIBKERN_CRYPTO_MD5_H_
#define _LIBKERN_CRYPTO_MD5_H_

#include <sys/cdefs.h>
#include <sys/types.h>

#define MD5_DIGEST_LENGTH 16

typedef struct {
	u_int32_t state[4];
	u_int32_t count[2];
	unsigned char buffer[64];
} MD5_CTX;

__BEGIN_DECLS

void MD5Init(MD5_CTX *ctx);
void MD5Update(MD5_CTX *ctx, const void *data, unsigned int len);
void MD5Final(unsigned char digest[MD5_DIGEST_LENGTH], MD5_CTX *ctx);

__END_DECLS

#endif
