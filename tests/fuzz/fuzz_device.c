/*
 * Fuzz target: programs that use the devices of a kext in any order and way, as any process, while the
 * kext does what it is told in the middle of its calls (fuzz_device_core.c): sleeps, wakes, takes its
 * devices away. At the end the kext must let itself be unloaded, with nothing left.
 *
 * The input: one byte for the machine (bit 0: checked mode), then calls (enum call), each followed by what
 * its arguments are made of. Where the input ends, arguments are zero.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <nke/file.h>
#include <nke/kext.h>
#include <nke/proc.h>
#include <nke/stats.h>

#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_machine.h"

#define CALLS		200u
#define DESCRIPTORS	6		/* that calls are about, from 3 on */
#define BLOCKS_KEPT	64u		/* tables that have grown */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* In the core's half. */
int fuzz_device_start(void *kmod, void *data);
int fuzz_device_stop(void *kmod, void *data);

enum call {
	OPEN, OPEN_PATH, READ, WRITE, WRITE_MANY, IOCTL, FLAGS, DUP, CLOSE, POLL, WATCH, READY, PROCESS, TIME,
	SOCKET, RELOAD, ALL_CALLS
};

static const struct nke_kext_static kext = {
	.identifier = "org.example.fuzz", .start = fuzz_device_start, .stop = fuzz_device_stop,
};

/* ---- calls -------------------------------------------------------------------------------- */

static void
open_known(nke_t *m, uint8_t choice)
{
	static const char *const names[] = {"/dev/net/dev0", "/dev/net/dev1", "/dev/clone", "/dev/net"};

	(void)nke_open(m, names[choice & 3], (choice >> 2 & 3) | (choice & 0x10 ? O_NONBLOCK : 0) |
	    (choice & 0x20 ? O_CREAT : 0) | (choice & 0x40 ? O_EXCL : 0) | (choice & 0x80 ? O_DIRECTORY : 0));
}

static void
open_path(nke_t *m, struct input *in)
{
	char path[256] = "/dev/";
	uint8_t choice = u8(in);

	path[(choice & 1 ? 5 : 0) + bytes(in, path + (choice & 1 ? 5 : 0), 250)] = '\0';
	(void)nke_open(m, path, O_RDWR);
}

static void
write_many(nke_t *m, int fd, struct input *in)
{
	uint8_t data[64];
	struct iovec pieces[40];
	size_t len = bytes(in, data, sizeof data);
	int count = u8(in) % 41;

	for (int i = 0; i < count; i++)
		pieces[i] = (struct iovec){data + ((size_t)i < len ? (size_t)i : 0), (size_t)i < len};
	(void)nke_writev(m, fd, pieces, count);
}

static void
ioctl_call(nke_t *m, int fd, struct input *in)
{
	static const unsigned long known[] = {FIONBIO, FIONREAD, FIOASYNC, FIOCLEX};
	static uint8_t data[0x2000];
	uint8_t choice = u8(in);
	unsigned long command = choice < 0x40 ? known[choice & 3] :
	    _IOC(choice & 3u, 'f', u8(in), choice & 4 ? sizeof data - 1 : (unsigned)(choice >> 1 & 31));

	memset(data, 0, sizeof data);
	(void)bytes(in, data, 255);
	(void)nke_ioctl(m, fd, command, choice & 8 && choice >= 0x40 ? NULL : data);
}

static void
poll_call(nke_t *m, int fd, struct input *in)
{
	struct pollfd p[20];
	unsigned count = u8(in) % 20 + 1;

	for (unsigned i = 0; i < count; i++)
		p[i] = (struct pollfd){.fd = fd + (int)(i & 1), .events = u8(in) & 7};
	(void)nke_poll(m, p, count, u8(in) & 31);
}

static void
be_process(nke_t *m, uint8_t choice)
{
	struct nke_process p = {.pid = choice & 7, .ppid = choice >> 3 & 3, .name = "fuzz",
	    .uid = choice & 0x20 ? 501 : 0, .gid = choice & 0x40 ? 20 : 0};

	(void)nke_proc_set(m, choice & 0x80 ? NULL : &p);
}

static void
reload(nke_t *m, nke_kext_t **k)
{
	if (*k != NULL && nke_kext_unload(m, *k, NULL) != 0)
		return;
	*k = NULL;
	(void)nke_kext_load_static(m, &kext, k);
}

static void
do_call(nke_t *m, nke_kext_t **k, struct input *in)
{
	enum call call = u8(in) % ALL_CALLS;
	uint8_t choice = u8(in), data[256];
	int fd = 3 + choice % DESCRIPTORS;
	struct nke_ready ready;

	switch (call) {
	case OPEN:
		open_known(m, choice);
		break;
	case OPEN_PATH:
		open_path(m, in);
		break;
	case READ:
		(void)nke_read(m, fd, data, u8(in));
		break;
	case WRITE:
		(void)nke_write(m, fd, data, bytes(in, data, sizeof data));
		break;
	case WRITE_MANY:
		write_many(m, fd, in);
		break;
	case IOCTL:
		ioctl_call(m, fd, in);
		break;
	case FLAGS:
		(void)nke_fcntl(m, fd, F_SETFL, (choice & 0x10 ? O_NONBLOCK : 0) |
		    (choice & 0x20 ? O_APPEND : 0) | (choice & 0x40 ? O_ASYNC : 0));
		(void)nke_fcntl(m, fd, F_GETFL);
		break;
	case DUP:
		(void)nke_fcntl(m, fd, F_DUPFD, choice >> 4);
		break;
	case CLOSE:
		(void)nke_close(m, fd);
		break;
	case POLL:
		poll_call(m, fd, in);
		break;
	case WATCH:
		(void)nke_watch(m, fd, u8(in) & 5, m);
		break;
	case READY:
		(void)nke_next_ready(m, &ready);
		break;
	case PROCESS:
		be_process(m, choice);
		break;
	case TIME:
		(void)nke_run_for(m, choice * UINT64_C(1000000));
		break;
	case SOCKET:
		(void)nke_socketpair(m, AF_LOCAL, SOCK_STREAM, 0, (int[2]){0, 0});
		break;
	case RELOAD:
		reload(m, k);
		break;
	case ALL_CALLS:
		break;
	}
}

/* ---- one input ---------------------------------------------------------------------------- */

static void
fail(nke_t *m, const char *what)
{
	fprintf(stderr, "%s: %s\n%s\n", what, nke_error_text(m), nke_panicked(m) ? nke_panic_report(m) : "");
	abort();
}

static uint64_t
run(uint8_t how, struct input *in)
{
	struct nke_config config = {.seed = 1, .checked = how & 1};
	struct nke_memory memory;
	unsigned leaks = 0;
	nke_kext_t *k = NULL;
	nke_t *m;

	if (nke_create(&config, &m) != 0 || nke_kext_load_static(m, &kext, &k) != 0)
		abort();
	for (unsigned i = 0; in->p < in->end && i < CALLS; i++) {
		do_call(m, &k, in);
		if (nke_panicked(m))
			fail(m, "panic");
	}
	(void)nke_proc_set(m, NULL);
	for (int fd = 0; fd < FUZZ_DESCRIPTORS; fd++)
		(void)nke_close(m, fd);
	(void)nke_run_for(m, FUZZ_SECOND);
	if (k != NULL && (nke_kext_unload(m, k, &leaks) != 0 || leaks != 0))
		fail(m, "the kext stays");
	nke_stats_memory(m, &memory);
	nke_destroy(m);
	return memory.heap_blocks;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t blocks[2];
	struct input in = {data, data + size};
	uint8_t how = u8(&in) & 1;
	uint64_t now;

	if (blocks[how] == 0)
		blocks[how] = run(how, &(struct input){NULL, NULL});
	now = run(how, &in);
	if (now > blocks[how] + BLOCKS_KEPT) {
		fprintf(stderr, "%llu blocks left, without input %llu\n", (unsigned long long)now,
		    (unsigned long long)blocks[how]);
		abort();
	}
	return 0;
}
