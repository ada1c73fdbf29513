/* Random bytes for keys: here from the machine's own generator, see sys/random.h. */
#ifndef _LIBKERN_CRYPTO_RAND_H_
#define _LIBKERN_CRYPTO_RAND_H_

#include <sys/cdefs.h>
#include <sys/types.h>

__BEGIN_DECLS

/* Always 0. */
int cc_rand_generate(void *out, size_t outlen);
int random_buf(void *buf, size_t buflen);

__END_DECLS

#endif
