/*
 * Every allocation of a kext with kernel controls, of its clients and of event sockets fails once, one after
 * the other, until a run needs no more. Whatever fails, a call gives an error or an event is not heard;
 * nothing crashes or waits for ever, nothing is left behind, and the kext can be unloaded.
 *
 * The kext is tests/data/kexts/control.c, built beside this program.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <nke/control.h>
#include <nke/file.h>
#include <nke/kext.h>
#include <nke/stats.h>

#define RUNS_MOST	5000u

static char kext_path[PATH_MAX * 2];
static uint64_t failing;		/* the allocation that fails; 0: none */
static unsigned worked;			/* calls that did what they should */

/* When nothing fails everything works, else what fails says that there is no memory. */
static bool
good(bool done, const char *what)
{
	int error = errno;

	worked += done;
	if (done)
		return true;
	if (failing == 0 || (error != ENOMEM && error != ENOBUFS && error != EIO && error != EWOULDBLOCK))
		fail_msg("allocation %llu: %s: %s", (unsigned long long)failing, what, strerror(error));
	return false;
}

static void
use(nke_t *m, int s, int events)
{
	struct nke_kernel_event event;
	char text[64];
	int count = 2, number;
	socklen_t len = sizeof text;

	(void)good(nke_send(m, s, "text", 4, 0) == 4, "send");
	(void)good(nke_recv(m, s, text, sizeof text, MSG_DONTWAIT) > 0, "recv");
	(void)good(nke_setsockopt(m, s, NKE_SYSPROTO_CONTROL, 1, "value", 5) == 0, "setsockopt");
	(void)good(nke_getsockopt(m, s, NKE_SYSPROTO_CONTROL, 1, text, &len) == 0, "getsockopt");
	(void)good(nke_setsockopt(m, s, NKE_SYSPROTO_CONTROL, 3, "news", 4) == 0, "posting");
	if (events >= 0)
		(void)good(nke_recv(m, events, &event, sizeof event, MSG_DONTWAIT) > 0, "an event");
	(void)good(nke_setsockopt(m, s, NKE_SYSPROTO_CONTROL, 4, &count, sizeof count) == 0, "a thread");
	assert_int_equal(nke_run_for(m, 1000000), 0);
	(void)good(nke_recv(m, s, &number, sizeof number, MSG_DONTWAIT) > 0, "what the thread sent");
}

/* True when that allocation was reached, and so failed. */
static bool
run(void)
{
	const char *const names[2] = {"com.example.echo", "com.example.echo.stream"};
	struct nke_config config = {.name = "a", .fail_alloc = failing};
	struct nke_memory memory;
	unsigned leaks = 0;
	nke_kext_t *k;
	nke_t *m;
	int events, s[2];

	errno = nke_create(&config, &m);
	if (!good(errno == 0, "nke_create"))
		return true;
	events = nke_event_socket(m, NKE_KEV_ANY, 0, 0);
	(void)good(events >= 0, "an event socket");
	errno = nke_kext_load(m, kext_path, &k);
	if (good(errno == 0, "nke_kext_load")) {
		for (int i = 0; i < 2; i++) {
			s[i] = nke_ctl_connect(m, names[i], 0, 0);
			if (!good(s[i] >= 0, "nke_ctl_connect"))
				continue;
			use(m, s[i], i == 0 ? -1 : events);
			assert_int_equal(nke_close(m, s[i]), 0);
		}
		assert_int_equal(nke_kext_unload(m, k, &leaks), 0);
		assert_int_equal(leaks, 0);
	}
	if (events >= 0)
		assert_int_equal(nke_close(m, events), 0);
	nke_stats_memory(m, &memory);
	assert_int_equal(memory.mbufs, 0);
	assert_false(nke_panicked(m));
	nke_destroy(m);
	return memory.allocations >= failing;
}

static void
test_each_allocation_fails(void **state)
{
	unsigned all, fewer = 0;
	bool reached;

	(void)state;
	failing = 0;
	(void)run();
	all = worked;
	do {
		failing++;
		worked = 0;
		assert_true(failing < RUNS_MOST);
		reached = run();
		fewer += worked < all;
	} while (reached);
	assert_true(fewer > 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_allocation_fails)};
	char self[PATH_MAX] = "";

	if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
		abort();
	*strrchr(self, '/') = '\0';
	snprintf(kext_path, sizeof kext_path, "%s/tests/data/kexts/control.kext", self);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
