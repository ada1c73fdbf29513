/*
 * sys/random.h, libkern/crypto/rand.h and random() of libkern/libkern.h: the machine's generator.
 */
#include <libkern/crypto/rand.h>
#include <libkern/libkern.h>
#include <sys/random.h>

#include "src/kern/prng.h"
#include "src/kern/thread.h"

void
read_random(void *buffer, u_int numBytes)
{
	prng_bytes(curmachine(), buffer, numBytes);
}

void
read_frandom(void *buffer, u_int numBytes)
{
	prng_bytes(curmachine(), buffer, numBytes);
}

int
write_random(void *buffer, u_int numBytes)
{
	(void)buffer;
	(void)numBytes;
	return 0;
}

u_int32_t
random(void)
{
	return prng_u32(curmachine()) & 0x7fffffff;
}

int
cc_rand_generate(void *out, size_t outlen)
{
	prng_bytes(curmachine(), out, outlen);
	return 0;
}

int
random_buf(void *buf, size_t buflen)
{
	prng_bytes(curmachine(), buf, buflen);
	return 0;
}
