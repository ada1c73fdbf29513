/*
 * Fuzz target fuzz_sflt_inject: chains of random shapes injected into sockets with filters that do anything
 * they may; see fuzz_sflt_core.c for what a record of the input asks for.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/kern/corecalls.h"
#include "tests/fuzz/fuzz_sflt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct core_config config = {.name = "fuzz", .time = CORE_TIME_VIRTUAL, .seed = 1, .checked = true,
	    .mbuf_limit_bytes = 1u << 22};
	struct core_memory memory;
	bool gone = false;
	struct nke *m;

	if (machine_create(&config, NULL, &m) != 0)
		abort();
	if (machine_call(m, fuzz_sflt_start, NULL) != 0)
		abort();
	while (size >= 4) {
		size_t len = data[2] | (size_t)(data[3] & 3) << 8;
		struct fuzz_sflt_record r = {data[0], data[1], data + 4, len < size - 4 ? len : size - 4};

		if (machine_call(m, fuzz_sflt_run, &r) != 0)
			break;
		data += 4 + r.len;
		size -= 4 + r.len;
	}
	(void)machine_call(m, fuzz_sflt_stop, NULL);
	(void)machine_run_until(m, machine_uptime(m) + UINT64_C(4000000000000));
	(void)machine_call(m, fuzz_sflt_gone, &gone);
	machine_memory(m, &memory);
	if (machine_panicked(m) || memory.mbufs != 0 || !gone) {
		fprintf(stderr, "%s%llu mbufs left, filters %s\n", machine_panic_report(m),
		    (unsigned long long)memory.mbufs, gone ? "gone" : "there");
		abort();
	}
	machine_destroy(m);
	return 0;
}
