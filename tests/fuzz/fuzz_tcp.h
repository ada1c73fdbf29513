/* Between the two halves of the fuzz targets of TCP: the host's (fuzz_tcp.c) and the core's (fuzz_tcp_core.c). */
#ifndef NKE_TESTS_FUZZ_TCP_H
#define NKE_TESTS_FUZZ_TCP_H

#include <stddef.h>
#include <stdint.h>

/* What a target is: FUZZ_TCP_TARGET. */
#define FUZZ_TCP_SEGMENT 1		/* begins with a connection in the state that the first byte names */
#define FUZZ_TCP_PEER	2		/* begins with a listener */
#define FUZZ_TCP_OPTIONS 3

struct fuzz_tcp_input {
	int target;
	const uint8_t *data;
	size_t size;
};

/* Run by machine_call, but FUZZ_TCP_OPTIONS needs no machine. */
void fuzz_tcp_run(void *input);

#endif
