/* What wire_main.c does inside machines: plain C types, compiled with the core's headers. */
#ifndef NKE_TESTS_WIRE_CORE_H
#define NKE_TESTS_WIRE_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "src/kern/corecalls.h"
#include "src/kern/wirecalls.h"

/* Frames of `size` bytes from `ifp` to `to` (link addresses 02:00:00:00:00:NN), numbered from `first`. */
struct burst {
	struct ifnet *ifp;
	uint8_t from, to;
	uint32_t size, first, count;
	uint64_t gap_ns;		/* between them; 0: at once */
};
void send_burst(void *burst);

struct carrier {
	struct ifnet *ifp;
	bool on;
};
void read_carrier(void *carrier);

#endif
