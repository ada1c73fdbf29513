/*
 * Loading and unloading kexts through include/nke: what works, and the message for each way of doing it
 * wrong. The kexts are those of tests/data/kexts, built beside this program.
 */
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <nke/iface.h>
#include <nke/kext.h>
#include <nke/stats.h>
#include <nke/trace.h>

static char log_text[65536];

static void
keep_log(void *ctx, const struct nke_log_record *r)
{
	size_t n = strlen(log_text);

	(void)ctx;
	snprintf(log_text + n, sizeof log_text - n, "%s: %s\n", r->kext, r->text);
}

static nke_t *
machine(const char *name)
{
	struct nke_config config = {.name = name, .seed = 1, .checked = true, .log = keep_log};
	nke_t *m;

	assert_int_equal(nke_create(&config, &m), 0);
	return m;
}

static const char *
path_of(const char *kext)
{
	static char path[PATH_MAX * 2];
	char self[PATH_MAX] = "";

	if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
		abort();
	*strrchr(self, '/') = '\0';
	snprintf(path, sizeof path, "%s/tests/data/kexts/%s", self, kext);
	return path;
}

static nke_kext_t *
load(nke_t *m, const char *kext)
{
	nke_kext_t *k;

	if (nke_kext_load(m, path_of(kext), &k) != 0)
		fail_msg("%s", nke_error_text(m));
	return k;
}

static void
says(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("expected \"%s\" in:\n%s", part, text);
}

static int
setup(void **state)
{
	(void)state;
	log_text[0] = '\0';
	return 0;
}

/* ---- what works --------------------------------------------------------------------------- */

static void
loads_and_unloads(void **state)
{
	nke_t *m = machine("a");
	nke_kext_t *k = load(m, "good.kext");
	unsigned leaks = 7;

	(void)state;
	assert_ptr_equal(nke_kext_find(m, "com.example.good"), k);
	assert_ptr_equal(nke_kext_first(m), k);
	assert_null(nke_kext_next(k));
	assert_string_equal(nke_kext_version(k), "1.0.0");
	assert_string_equal(nke_kext_path(k), path_of("good.kext"));
	assert_int_equal(nke_kext_memory(k), 100);
	assert_int_equal(nke_kext_unload(m, k, &leaks), 0);
	assert_int_equal(leaks, 0);
	assert_null(nke_kext_first(m));
	assert_string_equal(log_text,
	    "good: com.example.good 1.0.0, start number 1\ngood: stopped\n");
	nke_destroy(m);
}

static void
a_reload_has_fresh_data(void **state)
{
	nke_t *m = machine("a");

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(nke_kext_unload(m, load(m, "good.kext"), NULL), 0);
	assert_null(strstr(log_text, "number 2"));
	nke_destroy(m);
}

/*
 *	[ a ]   [ b ]   [ c ]	three machines, no wire: one kext in each
 */
static void
machines_have_private_images(void **state)
{
	nke_t *m[3] = {machine("a"), machine("b"), machine("c")};

	(void)state;
	for (int i = 0; i < 3; i++)
		load(m[i], "good.kext");
	assert_null(strstr(log_text, "number 2"));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(nke_kext_unload(m[i], nke_kext_first(m[i]), NULL), 0);
		nke_destroy(m[i]);
	}
}

static void
a_bare_object_loads(void **state)
{
	char path[PATH_MAX * 2 + 64];
	nke_t *m = machine("a");
	nke_kext_t *k;

	(void)state;
	snprintf(path, sizeof path, "%s/Contents/MacOS/explicit", path_of("explicit.kext"));
	assert_int_equal(nke_kext_load(m, path, &k), 0);
	assert_string_equal(nke_kext_identifier(k), "com.example.explicit");
	assert_string_equal(nke_kext_version(k), "2.1.0");
	assert_int_equal(nke_kext_unload(m, k, NULL), 0);
	nke_destroy(m);
}

static void
explicit_entry_points_run(void **state)
{
	nke_t *m = machine("a");
	nke_kext_t *k = load(m, "explicit.kext");

	(void)state;
	assert_string_equal(nke_kext_identifier(k), "com.example.explicit");
	assert_int_equal(nke_kext_unload(m, k, NULL), 0);
	k = load(m, "xcode.kext");
	assert_string_equal(nke_kext_version(k), "3.0");
	assert_int_equal(nke_kext_unload(m, k, NULL), 0);
	assert_string_equal(log_text, "explicit: com.example.explicit begins, own kmod_info\n"
	    "explicit: ends\nxcode: realmain ran\nxcode: antimain ran\n");
	nke_destroy(m);
}

static void
constructors_and_destructors_run(void **state)
{
	nke_t *m = machine("a");
	unsigned leaks;

	(void)state;
	assert_int_equal(nke_kext_unload(m, load(m, "cxx.kext"), &leaks), 0);
	assert_int_equal(leaks, 0);
	assert_string_equal(log_text, "cxx: Shape 1\ncxx: Shape 2\ncxx: Shape 3\ncxx: Shape 4\n"
	    "cxx: areas 9 16 25 36\n"
	    "cxx: ~Shape 3\ncxx: ~Shape 4\ncxx: ~Shape 2\ncxx: ~Shape 1\n");
	nke_destroy(m);
}

static void
a_kext_calls_the_one_it_depends_on(void **state)
{
	nke_t *m = machine("a"), *other = machine("b");
	nke_kext_t *k, *good;

	(void)state;
	load(other, "good.kext");
	assert_int_equal(nke_kext_load(m, path_of("needs_good.kext"), &k), ESRCH);
	assert_null(k);
	says(nke_error_text(m), "com.example.needs-good needs com.example.good 1.0, which is not loaded");
	good = load(m, "good.kext");
	k = load(m, "needs_good.kext");
	says(log_text, "needs-good: good says 11 and 21");
	assert_int_equal(nke_kext_unload(m, good, NULL), EBUSY);
	says(nke_error_text(m), "these kexts depend on it: com.example.needs-good");
	assert_int_equal(nke_kext_unload(m, k, NULL), 0);
	assert_int_equal(nke_kext_unload(m, good, NULL), 0);
	nke_destroy(m);
	nke_destroy(other);
}

static int static_starts;

static int
static_start(void *kmod_info, void *data)
{
	(void)data;
	assert_non_null(kmod_info);
	static_starts++;
	return 0;
}

static int
static_refuse(void *kmod_info, void *data)
{
	(void)kmod_info;
	(void)data;
	return 5;
}

static void
static_kexts_load(void **state)
{
	nke_t *m = machine("a");
	struct nke_kext_static s = {.identifier = "com.example.static", .start = static_start};
	nke_kext_t *k;

	(void)state;
	assert_int_equal(nke_kext_load_static(m, &s, &k), 0);
	assert_int_equal(static_starts, 1);
	assert_string_equal(nke_kext_path(k), "");
	assert_int_equal(nke_kext_load_static(m, &s, NULL), EEXIST);
	says(nke_error_text(m), "com.example.static is loaded already, in version 1.0.0");
	assert_int_equal(nke_kext_unload(m, k, NULL), 0);
	s.start = static_refuse;
	assert_int_equal(nke_kext_load_static(m, &s, &k), EIO);
	says(nke_error_text(m), "the start routine returned 5");
	s.identifier = "";
	assert_int_equal(nke_kext_load_static(m, &s, NULL), EINVAL);
	s.identifier = "com.example.static";
	s.version = "one";
	assert_int_equal(nke_kext_load_static(m, &s, NULL), EINVAL);
	says(nke_error_text(m), "version 'one'");
	nke_destroy(m);
}

static void
destroying_a_machine_pulls_the_plug(void **state)
{
	nke_t *m = machine("a");

	(void)state;
	load(m, "good.kext");
	load(m, "stays_attached.kext");
	nke_destroy(m);
	assert_null(strstr(log_text, "stopped"));
	m = machine("a");
	assert_int_equal(nke_kext_unload(m, load(m, "good.kext"), NULL), 0);
	nke_destroy(m);
}

/* ---- what goes wrong ---------------------------------------------------------------------- */

static void
leaks_are_named(void **state)
{
	nke_t *m = machine("a");
	unsigned leaks;

	(void)state;
	assert_int_equal(nke_kext_unload(m, load(m, "leaks.kext"), &leaks), 0);
	assert_int_equal(leaks, 4);
	says(nke_error_text(m), "com.example.leaks was unloaded, but left behind");
	says(nke_error_text(m), "3 times: _MALLOC block of 40 bytes");
	says(nke_error_text(m), "leaks`leaks_start+");
	says(nke_error_text(m), "_MALLOC block of 7 bytes");
	says(nke_error_text(m), "leaks`leaks_stop+");
	says(log_text, "com.example.leaks left behind 3 times: _MALLOC block of 40 bytes");
	nke_destroy(m);
}

static void
missing_symbols_are_all_named(void **state)
{
	nke_t *m = machine("a");
	nke_kext_t *k;

	(void)state;
	assert_int_equal(nke_kext_load(m, path_of("unresolved.kext"), &k), ENOEXEC);
	assert_null(k);
	says(nke_error_text(m), "missing symbol no_such_function_one");
	says(nke_error_text(m), "missing symbol no_such_function_two");
	assert_null(strstr(nke_error_text(m), "may_be_absent"));
	nke_destroy(m);
}

static void
a_kext_that_refuses_stays(void **state)
{
	nke_t *m = machine("a");
	nke_kext_t *k = load(m, "refuses.kext");

	(void)state;
	assert_int_equal(nke_kext_unload(m, k, NULL), EBUSY);
	says(nke_error_text(m), "com.example.refuses refuses to stop: its stop routine returned 5");
	says(nke_error_text(m), "held by:\n  IPv4 filter \"held\", from refuses`refuses_start+");
	assert_ptr_equal(nke_kext_find(m, "com.example.refuses"), k);
	assert_int_equal(nke_kext_unload(m, k, NULL), 0);
	nke_destroy(m);
}

static void
what_can_call_back_keeps_the_image(void **state)
{
	nke_t *m = machine("a");
	nke_kext_t *k = load(m, "stays_attached.kext");

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(nke_kext_unload(m, k, NULL), EBUSY);
		says(nke_error_text(m), "com.example.stays_attached stopped, but stays mapped");
		says(nke_error_text(m), "IPv4 filter \"stays\"");
		says(nke_error_text(m), "stays_attached`stays_attached_start+");
	}
	assert_int_equal(nke_kext_load(m, path_of("stays_attached.kext"), NULL), EEXIST);
	says(nke_error_text(m), "stopped but still mapped");
	nke_destroy(m);
}

static void
a_sleeping_thread_keeps_the_image(void **state)
{
	nke_t *m = machine("a");
	nke_kext_t *k = load(m, "sleeper.kext");

	(void)state;
	assert_int_equal(nke_run_for(m, 100000000), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(nke_kext_unload(m, k, NULL), EBUSY);
		says(nke_error_text(m), "com.example.sleeper stopped, but stays mapped");
		says(nke_error_text(m), "\", waiting for a nap, from sleeper`sleeper_start+");
	}
	assert_int_equal(nke_run_for(m, 1000000000), 0);
	assert_int_equal(nke_kext_unload(m, k, NULL), 0);
	k = load(m, "sleeper_waits.kext");
	assert_int_equal(nke_run_for(m, 100000000), 0);
	assert_int_equal(nke_kext_unload(m, k, NULL), 0);
	nke_destroy(m);
}

struct drained {
	unsigned times;
	uint64_t waited_ns;
};

static void
note_progress(void *ctx, uint64_t waited_ns, const char *holders)
{
	struct drained *d = ctx;

	says(holders, "sleeper stopped, but stays mapped");
	d->times++;
	assert_true(d->times == 1 ? waited_ns == 0 : waited_ns > d->waited_ns);
	d->waited_ns = waited_ns;
}

static void
a_drain_waits_until_the_kext_lets_go(void **state)
{
	struct drained seen = {0, 0};
	struct nke_drain how = {500000000, note_progress, &seen};
	nke_t *m = machine("a");
	nke_kext_t *k = load(m, "sleeper.kext");

	(void)state;
	/* It looks once in a second. */
	assert_int_equal(nke_run_for(m, 100000000), 0);
	assert_int_equal(nke_kext_drain(m, k, &how, NULL), EBUSY);
	says(nke_error_text(m), "com.example.sleeper stopped, but stays mapped");
	assert_int_equal(nke_uptime(m), 600000000);
	assert_int_equal(seen.waited_ns, 500000000);
	assert_int_equal(nke_kext_drain(m, k, NULL, NULL), 0);
	assert_in_range(nke_uptime(m), 1000000000, 1100000000);
	assert_null(nke_kext_first(m));
	/* It would wait for ever for this one, and says so at once. */
	k = load(m, "stays_attached.kext");
	assert_int_equal(nke_kext_drain(m, k, NULL, NULL), EBUSY);
	says(nke_error_text(m), "IPv4 filter \"stays\"");
	nke_destroy(m);
}

static void
what_was_left_is_known_to_the_end(void **state)
{
	nke_t *m = machine("a");
	unsigned objects;

	(void)state;
	assert_int_equal(nke_leaks(m, &objects), 0);
	assert_int_equal(objects, 0);
	nke_assert_no_leaks(m);
	for (int i = 0; i < 2; i++)
		assert_int_equal(nke_kext_unload(m, load(m, "leaks.kext"), NULL), 0);
	assert_int_equal(nke_kext_unload(m, load(m, "stays_attached.kext"), NULL), EBUSY);
	assert_int_equal(nke_leaks(m, &objects), 0);
	assert_int_equal(objects, 4 + 4 + 1);
	says(nke_error_text(m), "com.example.leaks was unloaded, but left behind:\n"
	    "  3 times: _MALLOC block of 40 bytes, from leaks`leaks_start+");
	says(nke_error_text(m), "com.example.stays_attached stopped, but stays mapped; left behind:\n"
	    "  IPv4 filter \"stays\"");
	nke_destroy(m);
}

static nke_t *own_machine;
static nke_kext_t *own_kext;

static int
static_stop_twice(void *kmod_info, void *data)
{
	(void)kmod_info;
	(void)data;
	assert_int_equal(nke_kext_unload(own_machine, own_kext, NULL), EBUSY);
	says(nke_error_text(own_machine), "cannot be unloaded: its stop routine has not returned");
	return 0;
}

static void
a_kext_that_is_stopping_is_not_stopped_again(void **state)
{
	struct nke_kext_static s = {
		.identifier = "com.example.static", .start = static_start, .stop = static_stop_twice,
	};

	(void)state;
	own_machine = machine("a");
	assert_int_equal(nke_kext_load_static(own_machine, &s, &own_kext), 0);
	assert_int_equal(nke_kext_unload(own_machine, own_kext, NULL), 0);
	nke_destroy(own_machine);
}

static void
a_failed_start_leaves_nothing(void **state)
{
	nke_t *m = machine("a");
	struct nke_memory before, after;

	(void)state;
	nke_stats_memory(m, &before);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(nke_kext_load(m, path_of("start_fails.kext"), NULL), EIO);
		says(nke_error_text(m), "the start routine returned 3 (0x3)");
		says(nke_error_text(m), "_MALLOC block of 123 bytes");
		says(nke_error_text(m), "IPv4 filter \"forgotten\"");
	}
	nke_stats_memory(m, &after);
	assert_int_equal(after.heap_blocks, before.heap_blocks);
	assert_int_equal(after.heap_bytes, before.heap_bytes);
	assert_null(nke_kext_first(m));
	nke_destroy(m);
}

static void
damaged_names_for_backtraces_do_no_harm(void **state)
{
	char path[PATH_MAX * 2 + 64];
	static char image[1 << 20], spoilt[sizeof image];
	Elf64_Ehdr eh;
	FILE *file;
	size_t size;

	(void)state;
	snprintf(path, sizeof path, "%s/Contents/MacOS/explicit", path_of("explicit.kext"));
	file = fopen(path, "rb");
	assert_non_null(file);
	size = fread(image, 1, sizeof image, file);
	fclose(file);
	memcpy(&eh, image, sizeof eh);
	for (unsigned damage = 0; damage < 6; damage++) {
		char copy[] = "/tmp/nke-host-kext-XXXXXX";
		int fd = mkstemp(copy);
		nke_t *m = machine("a");
		nke_kext_t *k;

		memcpy(spoilt, image, size);
		for (unsigned i = 0; i < eh.e_shnum; i++) {
			Elf64_Shdr sh;
			char *at = spoilt + eh.e_shoff + i * sizeof sh;

			memcpy(&sh, at, sizeof sh);
			if (sh.sh_type == SHT_SYMTAB) {
				sh.sh_offset = damage == 0 ? size - 8 :
				    damage == 1 ? UINT64_MAX : sh.sh_offset;
				sh.sh_size = damage == 2 ? UINT64_MAX : sh.sh_size;
				sh.sh_link = damage == 3 ? 60000 : damage == 4 ? 0 : sh.sh_link;
				if (damage == 5)	/* every name, value and size is wild */
					memset(spoilt + sh.sh_offset, 0xf2, sh.sh_size);
				memcpy(at, &sh, sizeof sh);
			}
		}
		assert_int_equal(write(fd, spoilt, size), (int)size);
		close(fd);
		if (nke_kext_load(m, copy, &k) != 0)
			fail_msg("damage %u: %s", damage, nke_error_text(m));
		assert_int_equal(nke_kext_unload(m, k, NULL), 0);
		nke_destroy(m);
		unlink(copy);
	}
}

static void
expect_panic(const char *kext, bool at_stop, const char *const *parts)
{
	nke_t *m = machine("victim"), *other = machine("other");
	nke_kext_t *k = NULL;
	int error = nke_kext_load(m, path_of(kext), &k);

	if (at_stop) {
		assert_int_equal(error, 0);
		error = nke_kext_unload(m, k, NULL);
	}
	assert_int_equal(error, EFAULT);
	assert_true(nke_panicked(m));
	for (; *parts != NULL; parts++)
		says(nke_error_text(m), *parts);
	assert_int_equal(nke_kext_load(m, path_of("good.kext"), NULL), EFAULT);
	assert_int_equal(nke_run_for(m, 1), EFAULT);
	/* nobody else noticed */
	assert_int_equal(nke_kext_unload(other, load(other, "good.kext"), NULL), 0);
	nke_destroy(m);
	nke_destroy(other);
}

static void
a_double_free_panics(void **state)
{
	(void)state;
	expect_panic("double_free.kext", true, (const char *const[]){"victim", "double_free",
	    "_MALLOC block", "of 64 bytes freed twice", "double_free`double_free_stop+", NULL});
}

static void
a_lock_that_is_kept_panics(void **state)
{
	(void)state;
	expect_panic("lock_held.kext", false, (const char *const[]){"start of lock_held",
	    "still held 1 lock", NULL});
}

static void
a_crash_panics(void **state)
{
	(void)state;
	assert_int_equal(nke_catch_faults(), 0);
	expect_panic("crash.kext", false, (const char *const[]){"SIGSEGV", "crash", "start",
	    "crash`crash_start+", NULL});
}

static void
files_that_are_no_kext_are_told(void **state)
{
	char path[] = "/tmp/nke-host-kext-XXXXXX";
	nke_t *m = machine("a");
	int fd = mkstemp(path);
	static const unsigned char macho[] = {0xcf, 0xfa, 0xed, 0xfe, 7, 0, 0, 1};

	(void)state;
	assert_int_equal(nke_kext_load(m, "/nowhere/x.kext", NULL), ENOENT);
	says(nke_error_text(m), "/nowhere/x.kext: No such file");
	assert_int_equal(nke_kext_load(m, "/tmp", NULL), ENOENT);
	says(nke_error_text(m), "neither Contents/Info.plist nor Info.plist");
	assert_int_equal(nke_kext_load(m, path, NULL), EINVAL);
	says(nke_error_text(m), "not a shared object");
	assert_int_equal(write(fd, macho, sizeof macho), (int)sizeof macho);
	assert_int_equal(nke_kext_load(m, path, NULL), ENOEXEC);
	says(nke_error_text(m), "Mach-O");
	assert_int_equal(nke_kext_load(m, "/proc/self/exe", NULL), ENOEXEC);
	says(nke_error_text(m), "missing symbol nke_create");
	close(fd);
	unlink(path);
	nke_destroy(m);
}

/* ---- the machine itself ------------------------------------------------------------------- */

static void
configurations_are_checked(void **state)
{
	struct nke_config config = {.name = "0123456789012345678901234567890"};
	nke_t *m;

	(void)state;
	assert_int_equal(nke_create(&config, &m), 0);
	assert_string_equal(nke_name(m), config.name);
	nke_destroy(m);
	config.name = "01234567890123456789012345678901";
	assert_int_equal(nke_create(&config, &m), EINVAL);
	assert_null(m);
	config = (struct nke_config){.time = (enum nke_time)7};
	assert_int_equal(nke_create(&config, &m), EINVAL);
	nke_destroy(NULL);
	for (uint64_t n = 1; n < 40; n++) {
		config = (struct nke_config){.fail_alloc = n};
		if (nke_create(&config, &m) == 0)
			nke_destroy(m);
	}
}

static void
loading_survives_every_failed_allocation(void **state)
{
	struct nke_memory memory;
	nke_t *m;
	uint64_t first, n;

	(void)state;
	assert_int_equal(nke_create(NULL, &m), 0);
	nke_stats_memory(m, &memory);
	first = memory.allocations + 1;
	nke_kext_unload(m, load(m, "good.kext"), NULL);
	nke_stats_memory(m, &memory);
	nke_destroy(m);
	for (n = first; n <= memory.allocations; n++) {
		struct nke_config config = {.fail_alloc = n};
		nke_kext_t *k;
		int error;

		assert_int_equal(nke_create(&config, &m), 0);
		error = nke_kext_load(m, path_of("good.kext"), &k);
		assert_true(error == 0 || error == EIO || error == ENOMEM);
		if (error == 0)
			assert_int_equal(nke_kext_unload(m, k, NULL), 0);
		assert_null(nke_kext_first(m));
		nke_destroy(m);
	}
}

static void
bump(void *arg)
{
	++*(int *)arg;
}

static void
calls_run_and_time_passes(void **state)
{
	nke_t *m = machine("a");
	int n = 0;

	(void)state;
	assert_int_equal(nke_call(m, bump, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(nke_run_for(m, 1000000), 0);
	assert_int_equal(nke_uptime(m), 1000000);
	assert_int_equal(nke_run_until(m, 3000000), 0);
	assert_int_equal(nke_uptime(m), 3000000);
	assert_string_equal(nke_panic_report(m), "");
	nke_destroy(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(loads_and_unloads, setup),
		cmocka_unit_test_setup(a_reload_has_fresh_data, setup),
		cmocka_unit_test_setup(machines_have_private_images, setup),
		cmocka_unit_test_setup(a_bare_object_loads, setup),
		cmocka_unit_test_setup(explicit_entry_points_run, setup),
		cmocka_unit_test_setup(constructors_and_destructors_run, setup),
		cmocka_unit_test_setup(a_kext_calls_the_one_it_depends_on, setup),
		cmocka_unit_test_setup(static_kexts_load, setup),
		cmocka_unit_test_setup(destroying_a_machine_pulls_the_plug, setup),
		cmocka_unit_test_setup(leaks_are_named, setup),
		cmocka_unit_test_setup(missing_symbols_are_all_named, setup),
		cmocka_unit_test_setup(a_kext_that_refuses_stays, setup),
		cmocka_unit_test_setup(what_can_call_back_keeps_the_image, setup),
		cmocka_unit_test_setup(a_sleeping_thread_keeps_the_image, setup),
		cmocka_unit_test_setup(a_drain_waits_until_the_kext_lets_go, setup),
		cmocka_unit_test_setup(what_was_left_is_known_to_the_end, setup),
		cmocka_unit_test_setup(a_kext_that_is_stopping_is_not_stopped_again, setup),
		cmocka_unit_test_setup(a_failed_start_leaves_nothing, setup),
		cmocka_unit_test_setup(damaged_names_for_backtraces_do_no_harm, setup),
		cmocka_unit_test_setup(a_double_free_panics, setup),
		cmocka_unit_test_setup(a_lock_that_is_kept_panics, setup),
		cmocka_unit_test_setup(a_crash_panics, setup),
		cmocka_unit_test_setup(files_that_are_no_kext_are_told, setup),
		cmocka_unit_test_setup(configurations_are_checked, setup),
		cmocka_unit_test_setup(loading_survives_every_failed_allocation, setup),
		cmocka_unit_test_setup(calls_run_and_time_passes, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
