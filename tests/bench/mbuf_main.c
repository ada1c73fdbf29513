/* bench_mbuf [ROUNDS]: nanoseconds per packet got and freed, in an unchecked machine. */
#include <stdio.h>
#include <stdlib.h>

#include "src/kern/corecalls.h"
#include "tests/bench/bench_mbuf.h"

int
main(int argc, char **argv)
{
	struct core_config config = {.name = "bench", .time = CORE_TIME_VIRTUAL, .seed = 1};
	struct bench_mbuf b = {.rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2000000};
	struct nke *m;

	if (b.rounds < 64 || machine_create(&config, NULL, &m) != 0) {
		fprintf(stderr, "usage: bench_mbuf [ROUNDS], at least 64\n");
		return 1;
	}
	if (machine_call(m, bench_mbuf, &b) != 0)
		fprintf(stderr, "%s\n", machine_panic_report(m));
	for (unsigned i = 0; i < b.count; i++)
		printf("%-28s %8.1f ns\n", b.results[i].name, b.results[i].ns);
	machine_destroy(m);
	return b.count == 0;
}
