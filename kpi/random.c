/* sys/random.h and random() of libkern/libkern.h: the machine's generator. */
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
