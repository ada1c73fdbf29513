/*
 * Fuzz target: a whole capture file, played through a machine with filters that pull, rewrite and
 * drop (fuzz_filters.c). The last byte chooses what the filters do. Compiled twice: with FUZZ_SOCKETS 1 its
 * flows are re-enacted (fuzz_flows).
 */
#include <nke/kext.h>
#include <nke/replay.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef FUZZ_SOCKETS
#define FUZZ_SOCKETS	0
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int fuzz_filters_start(void *kmod_info, void *data);
int fuzz_filters_stop(void *kmod_info, void *data);
extern unsigned fuzz_filters_mode;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct nke_kext_static filters = {"org.libnke.fuzz.filters", "1.0", fuzz_filters_start,
	    fuzz_filters_stop};
	struct nke_replay_config config = {
		.sockets = FUZZ_SOCKETS, .machine = {.checked = true, .seed = 1},
	};
	char path[64], text[1024];
	nke_replay_t *r;
	nke_kext_t *k;
	int fd;

	if (size < 1)
		return 0;
	fuzz_filters_mode = data[size - 1];
	fd = memfd_create("capture", 0);
	if (fd < 0 || write(fd, data, size - 1) != (ssize_t)(size - 1))
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	config.input = path;
	config.output = fuzz_filters_mode & 0x80 ? "/dev/null" : NULL;
	if (nke_replay_open(&config, &r, text, sizeof text) == 0) {
		nke_t *m = nke_replay_machine(r, 0);

		if (nke_kext_load_static(m, &filters, &k) != 0)
			abort();
		nke_replay_run(r);
		if (nke_panicked(m)) {
			fprintf(stderr, "%s\n", nke_panic_report(m));
			abort();
		}
		if (nke_kext_unload(m, k, NULL) != 0)
			abort();
		nke_replay_close(r);
	}
	close(fd);
	return 0;
}
