/*
 * Fuzz target: packets straight into IPv4 and IPv6, in and out, whole and in pieces of memory, with and
 * without filters; see fuzz_ip_core.c for what a record of the input asks for.
 */
#include <stdio.h>
#include <stdlib.h>

#include "src/kern/corecalls.h"
#include "tests/fuzz/fuzz_ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct core_config config = {.name = "fuzz", .time = CORE_TIME_VIRTUAL, .seed = 1, .checked = true,
	    .mbuf_limit_bytes = 1u << 22};
	struct core_memory memory;
	struct nke *m;

	if (machine_create(&config, NULL, &m) != 0)
		abort();
	if (machine_call(m, fuzz_ip_start, NULL) != 0)
		abort();
	while (size >= 4) {
		size_t len = data[2] | (size_t)(data[3] & 7) << 8;
		struct fuzz_ip_record r = {data[0], data[1], data + 4, len < size - 4 ? len : size - 4};

		if (machine_call(m, fuzz_ip_run, &r) != 0)
			break;
		data += 4 + r.len;
		size -= 4 + r.len;
	}
	(void)machine_call(m, fuzz_ip_stop, NULL);
	(void)machine_run_until(m, machine_uptime(m) + UINT64_C(120000000000));
	machine_memory(m, &memory);
	if (machine_panicked(m) || memory.mbufs != 0) {
		fprintf(stderr, "%s%llu mbufs left\n", machine_panic_report(m),
		    (unsigned long long)memory.mbufs);
		abort();
	}
	machine_destroy(m);
	return 0;
}
