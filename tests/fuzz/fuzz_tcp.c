/*
 * Fuzz targets of TCP: segments into a connection in every state (fuzz_tcp_segment), a whole connection
 * with a hostile peer and a restless user (fuzz_tcp_peer), options by themselves (fuzz_tcp_options). One
 * source, a target for each: FUZZ_TCP_TARGET says which. What the input means is told in fuzz_tcp_core.c.
 */
#include "tests/fuzz/fuzz_tcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/kern/corecalls.h"
#include "tests/unit/ktest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void
ktest_fail(const char *file, int line, const char *expression, long long got, long long want)
{
	fprintf(stderr, "%s:%d: %s: got %lld, want %lld\n", file, line, expression, got, want);
	abort();
}

void
ktest_fail_text(const char *file, int line, const char *expression, const char *got, const char *want)
{
	fprintf(stderr, "%s:%d: %s: got \"%s\", want \"%s\"\n", file, line, expression, got, want);
	abort();
}

int
ktest_strcmp(const char *a, const char *b)
{
	return strcmp(a, b);
}

static void
run(struct fuzz_tcp_input *input)
{
	struct core_config config = {.name = "fuzz", .time = CORE_TIME_VIRTUAL, .seed = 1, .checked = true,
	    .mbuf_limit_bytes = 8u << 20};
	struct core_memory memory;
	struct nke *m;

	if (machine_create(&config, NULL, &m) != 0)
		abort();
	(void)machine_call(m, fuzz_tcp_run, input);
	machine_memory(m, &memory);
	if (machine_panicked(m) || memory.mbufs != 0) {
		fprintf(stderr, "%s%llu mbufs left\n", machine_panic_report(m),
		    (unsigned long long)memory.mbufs);
		abort();
	}
	machine_destroy(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_tcp_input input = {FUZZ_TCP_TARGET, data, size};

	if (size == 0)
		return 0;
	if (FUZZ_TCP_TARGET == FUZZ_TCP_OPTIONS)
		fuzz_tcp_run(&input);
	else
		run(&input);
	return 0;
}
