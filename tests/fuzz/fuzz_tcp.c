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

/* Blocks that may be left: what is remembered of peers, routes, and kept for reuse. */
#define BLOCKS_KEPT	64u

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

/* How many blocks of memory are in use afterwards. */
static uint64_t
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
	return memory.heap_blocks;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t before;
	struct fuzz_tcp_input nothing = {FUZZ_TCP_PEER, (const uint8_t *)"", 0};
	struct fuzz_tcp_input input = {FUZZ_TCP_TARGET, data, size};
	uint64_t blocks;

	if (size == 0)
		return 0;
	if (FUZZ_TCP_TARGET == FUZZ_TCP_OPTIONS) {
		fuzz_tcp_run(&input);
		return 0;
	}
	if (before == 0)
		before = run(&nothing);
	blocks = run(&input);
	if (blocks > before + BLOCKS_KEPT) {
		fprintf(stderr, "%llu blocks left, without input %llu\n", (unsigned long long)blocks,
		    (unsigned long long)before);
		abort();
	}
	return 0;
}
