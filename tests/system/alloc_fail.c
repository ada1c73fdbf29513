/*
 * Every allocation of a replay fails once, one after the other: the first, the second, and so on until a
 * run needs no more. Whatever fails, the answer is an error with a text, or counted losses; nothing
 * crashes, nothing is left behind.
 *
 * The capture: the beginning of host-day.pcap (both families, fragments both ways) and a datagram whose
 * last fragment is missing. The kexts filter at both levels, copy, tag, queue and inject packets, and use
 * timers, locks and threads.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <nke/kext.h>
#include <nke/replay.h>
#include <nke/stats.h>

#define PACKETS	64

static char capture[PATH_MAX], output[PATH_MAX], build[PATH_MAX];

static int
make_capture(void **state)
{
	char day[PATH_MAX], error[PCAP_ERRBUF_SIZE], *dir = strdup(__FILE__);
	struct pcap_pkthdr *h;
	pcap_dumper_t *d;
	const u_char *data;
	pcap_t *p;
	ssize_t n;

	(void)state;
	n = readlink("/proc/self/exe", build, sizeof build - 1);
	assert_true(n > 0);
	build[n] = '\0';
	dirname(build);
	snprintf(day, sizeof day, "%s/../data/host-day.pcap", dirname(dir));
	free(dir);
	snprintf(capture, sizeof capture, "/tmp/alloc_fail.%d.pcap", (int)getpid());
	snprintf(output, sizeof output, "/tmp/alloc_fail.%d.out", (int)getpid());
	p = pcap_open_offline(day, error);
	assert_non_null(p);
	d = pcap_dump_open(p, capture);
	assert_non_null(d);
	for (int i = 0; i < PACKETS && pcap_next_ex(p, &h, &data) == 1; i++) {
		/* packets 34 and 46 end fragmented datagrams: of the second ones, also without */
		if (i == 39 || i == 53)
			continue;
		pcap_dump((u_char *)d, h, data);
	}
	pcap_dump_close(d);
	pcap_close(p);
	return 0;
}

static int
remove_capture(void **state)
{
	(void)state;
	unlink(capture);
	unlink(output);
	return 0;
}

static void
load(nke_t *m, const char *folder, const char *const *names, uint64_t n)
{
	for (; *names != NULL; names++) {
		char path[PATH_MAX + 64];
		int error;

		snprintf(path, sizeof path, "%s/%s/%s.kext", build, folder, *names);
		error = nke_kext_load(m, path, NULL);
		if (error == 0)
			continue;
		if (n == 0 || error == EFAULT || nke_error_text(m)[0] == '\0')
			fail_msg("allocation %llu: %s: error %d, '%s'", (unsigned long long)n, *names, error,
			    nke_error_text(m));
	}
}

static void
unload_all(nke_t *m, uint64_t n)
{
	nke_kext_t *last;
	unsigned leaks;

	for (;;) {
		last = NULL;
		for (nke_kext_t *k = nke_kext_first(m); k != NULL; k = nke_kext_next(k))
			last = k;
		if (last == NULL)
			return;
		if (nke_kext_unload(m, last, &leaks) != 0)
			fail_msg("allocation %llu: %s does not unload: %s", (unsigned long long)n,
			    nke_kext_identifier(last), nke_error_text(m));
		if (leaks != 0)
			fail_msg("allocation %llu: %u leaks: %s", (unsigned long long)n, leaks,
			    nke_error_text(m));
	}
}

static void
check_sums(nke_replay_t *r, uint64_t n)
{
	struct nke_replay_stats s;

	nke_replay_statistics(r, &s);
	if (s.kept + s.changed + s.swallowed + s.dropped + s.no_memory != s.frames)
		fail_msg("allocation %llu: %llu packets read, but %llu kept, %llu changed, %llu swallowed, "
		    "%llu dropped, %llu lost", (unsigned long long)n, (unsigned long long)s.frames,
		    (unsigned long long)s.kept, (unsigned long long)s.changed,
		    (unsigned long long)s.swallowed, (unsigned long long)s.dropped,
		    (unsigned long long)s.no_memory);
}

/* The core's own blocks that are left: none may be lost on the way of an error. */
static void
check_memory(nke_t *m, uint64_t n, uint64_t *blocks)
{
	struct nke_memory memory;

	nke_stats_memory(m, &memory);
	if (memory.mbufs != 0 || memory.clusters != 0)
		fail_msg("allocation %llu: %llu mbufs and %llu clusters are still there",
		    (unsigned long long)n, (unsigned long long)memory.mbufs,
		    (unsigned long long)memory.clusters);
	if (n == 0)
		*blocks = memory.heap_blocks;
	else if (memory.heap_blocks > *blocks)
		fail_msg("allocation %llu: %llu blocks are left, without failure it is %llu",
		    (unsigned long long)n, (unsigned long long)memory.heap_blocks,
		    (unsigned long long)*blocks);
}

/* True when the n-th allocation was reached, and so failed. */
static bool
run(const char *folder, const char *const *kexts, unsigned jobs, bool checked, uint64_t n)
{
	struct nke_replay_config config = {
		.input = capture, .output = output, .jobs = jobs,
		.machine = {.fail_alloc = n, .checked = checked},
	};
	static uint64_t blocks[2];	/* per machine, when nothing fails */
	struct nke_memory memory = {.allocations = 0};
	char text[1024];
	bool reached = false;
	nke_replay_t *r;
	int error;

	error = nke_replay_open(&config, &r, text, sizeof text);
	if (error != 0) {
		if (n == 0 || text[0] == '\0')
			fail_msg("allocation %llu: open: error %d, '%s'", (unsigned long long)n, error, text);
		return true;
	}
	for (unsigned i = 0; i < jobs; i++)
		load(nke_replay_machine(r, i), folder, kexts, n);
	error = nke_replay_run(r);
	if (error != 0 && (n == 0 || error == EFAULT || nke_replay_error(r)[0] == '\0'))
		fail_msg("allocation %llu: run: error %d, '%s'", (unsigned long long)n, error,
		    nke_replay_error(r));
	check_sums(r, n);
	for (unsigned i = 0; i < jobs; i++) {
		unload_all(nke_replay_machine(r, i), n);
		check_memory(nke_replay_machine(r, i), n, &blocks[i]);
		nke_stats_memory(nke_replay_machine(r, i), &memory);
		reached |= memory.allocations >= n;
	}
	nke_replay_close(r);
	return n != 0 && reached;
}

static void
every_one(const char *folder, const char *const *kexts, unsigned jobs, bool checked)
{
	uint64_t n = 0;

	(void)run(folder, kexts, jobs, checked, 0);
	do
		n++;
	while (run(folder, kexts, jobs, checked, n));
	print_message("%llu allocations\n", (unsigned long long)n - 1);
}

static void
without_kexts(void **state)
{
	static const char *const none[] = {NULL};

	(void)state;
	every_one("examples", none, 1, false);
}

static void
filters(void **state)
{
	static const char *const kexts[] = {"append4", "to_and_fro", "shift", NULL};

	(void)state;
	every_one("tests/data/kexts", kexts, 1, false);
}

static void
delayed(void **state)
{
	static const char *const kexts[] = {"rewrite", "delay", "headerlog", NULL};

	(void)state;
	every_one("examples", kexts, 1, true);
}

static void
two_machines(void **state)
{
	static const char *const kexts[] = {"rewrite", NULL};

	(void)state;
	every_one("examples", kexts, 2, false);
}

static void
drivers(void **state)
{
	static const char *const kexts[] = {"ownif", "etherproto", "cxxcount", "ipdrop", NULL};

	(void)state;
	every_one("examples", kexts, 1, false);
}

static void
injections(void **state)
{
	static const char *const kexts[] = {"again", "again_raw", "exchange", "swallow_long", NULL};

	(void)state;
	every_one("tests/data/kexts", kexts, 1, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_kexts), cmocka_unit_test(filters), cmocka_unit_test(delayed),
		cmocka_unit_test(two_machines), cmocka_unit_test(drivers), cmocka_unit_test(injections),
	};

	return cmocka_run_group_tests(tests, make_capture, remove_capture);
}
