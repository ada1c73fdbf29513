/*
 * A harness: plays a capture through a kext and checks what the kext did.
 *
 *	harness KEXT CAPTURE FILTER DROPPED
 *
 * It succeeds when the kext loads, DROPPED packets are refused by filters of the name FILTER, and the
 * kext goes without leaving anything behind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nke/kext.h>
#include <nke/replay.h>
#include <nke/stats.h>

#define REQUIRE(condition, text) do {							\
	if (!(condition)) {								\
		fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, text);	\
		exit(1);								\
	}										\
} while (0)

int
main(int argc, char **argv)
{
	struct nke_replay_config config = {.machine.checked = true};
	struct nke_filter_stats filters[8];
	unsigned long long dropped = 0;
	unsigned leaks;
	char text[256];
	nke_replay_t *replay;
	nke_kext_t *kext;
	nke_t *machine;
	size_t n;

	REQUIRE(argc == 5, "usage: harness KEXT CAPTURE FILTER DROPPED");
	config.input = argv[2];
	REQUIRE(nke_catch_faults() == 0, "a crash of the kext will be a crash of the harness");
	REQUIRE(nke_replay_open(&config, &replay, text, sizeof text) == 0, text);
	machine = nke_replay_machine(replay, 0);

	REQUIRE(nke_kext_load(machine, argv[1], &kext) == 0, nke_error_text(machine));
	REQUIRE(nke_replay_run(replay) == 0, nke_replay_error(replay));

	n = nke_stats_filters(machine, filters, 8);	/* of the filters that are attached now */
	for (size_t i = 0; i < n && i < 8; i++)
		if (strcmp(filters[i].name, argv[3]) == 0)
			dropped += filters[i].dropped;
	REQUIRE(nke_kext_unload(machine, kext, &leaks) == 0, nke_error_text(machine));
	REQUIRE(leaks == 0, nke_error_text(machine));
	nke_replay_close(replay);

	printf("%s dropped %llu packets\n", argv[3], dropped);
	return dropped == strtoull(argv[4], NULL, 10) ? 0 : 1;
}
