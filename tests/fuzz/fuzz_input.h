/* What fuzz targets read of their input, which ends in zeros: fuzz_ctl, fuzz_device, fuzz_sockopt. */
#ifndef NKE_TESTS_FUZZ_INPUT_H
#define NKE_TESTS_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct input {
	const uint8_t *p, *end;
};

static inline uint8_t
u8(struct input *in)
{
	return in->p < in->end ? *in->p++ : 0;
}

/* At most `max` bytes into `out`; how many. */
static inline size_t
bytes(struct input *in, void *out, size_t max)
{
	size_t len = u8(in), left = (size_t)(in->end - in->p);

	len = len < max ? len : max;
	len = len < left ? len : left;
	if (len != 0)
		memcpy(out, in->p, len);
	in->p += len;
	return len;
}

#endif
