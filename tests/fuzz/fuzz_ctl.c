/*
 * Fuzz target: programs and a kext that talk by kernel controls, and event sockets: connecting to anything,
 * messages, options and ioctls, closing in the middle of it. What the kext does is in the messages
 * (fuzz_ctl_core.c). At the end the kext must let itself be unloaded, with nothing left.
 *
 * The input: one byte for the machine (bit 0: checked mode), then calls (enum call), each followed by what
 * its arguments are made of. Where the input ends, arguments are zero.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nke/control.h>
#include <nke/file.h>
#include <nke/kext.h>
#include <nke/stats.h>

#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_machine.h"

#define CALLS		200u
#define DESCRIPTORS	10		/* that calls are about, from 3 on */
#define BLOCKS_KEPT	64u		/* tables that have grown */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* In the core's half. */
int fuzz_ctl_start(void *kmod, void *data);
int fuzz_ctl_stop(void *kmod, void *data);

enum call {
	OPEN, CONNECT_NAME, CONNECT, BIND, SEND, RECEIVE, SET, GET, IOCTL, SHUTDOWN, CLOSE, NAME, POLL, WAIT,
	EVENTS, FILTER, BUFFER, RELOAD, ALL_CALLS
};

static const struct nke_kext_static kext = {
	.identifier = "org.example.fuzz", .start = fuzz_ctl_start, .stop = fuzz_ctl_stop,
};

/* ---- calls -------------------------------------------------------------------------------- */

static void
address_call(nke_t *m, int s, bool binds, struct input *in)
{
	uint8_t choice = u8(in), raw[128] = {0};
	struct nke_sockaddr_ctl address = {
		.sc_header.sa_family = (sa_family_t)NKE_AF_SYSTEM,
		.sc_id = choice & 0x80 ? 1000 : choice & 7, .sc_unit = choice & 0x40 ? choice >> 3 & 7 : 0,
	};
	const struct sockaddr *sa = (const struct sockaddr *)&address;
	socklen_t len = sizeof address;

	if ((choice & 0x3f) == 0x3f) {
		len = (socklen_t)bytes(in, raw, sizeof raw);
		sa = (const struct sockaddr *)(void *)raw;
	}
	(void)(binds ? nke_bind(m, s, sa, len) : nke_connect(m, s, sa, len));
}

static void
option_call(nke_t *m, int s, bool sets, struct input *in)
{
	int level = u8(in), name = u8(in);
	uint8_t value[300];
	socklen_t len = (socklen_t)bytes(in, value, sizeof value);

	if (level < 0xf0)
		level = NKE_SYSPROTO_CONTROL;
	if (sets)
		(void)nke_setsockopt(m, s, level, name, value, len);
	else
		(void)nke_getsockopt(m, s, level, name, name & 0x80 ? NULL : value, &len);
}

static void
ioctl_call(nke_t *m, int s, struct input *in)
{
	static const unsigned long known[] = {
		NKE_CTLIOCGCOUNT, NKE_CTLIOCGINFO, NKE_SIOCGKEVID, NKE_SIOCSKEVFILT, NKE_SIOCGKEVFILT,
		NKE_SIOCGKEVVENDOR,
	};
	static uint8_t data[0x2000];
	uint8_t choice = u8(in);
	unsigned long command = choice < 0xc0 ? known[choice % 6] : _IOC(choice & 3u, u8(in), u8(in), 300);

	memset(data, 0, sizeof data);
	(void)bytes(in, data + (choice & 4 ? 4 : 0), 255);
	(void)nke_ioctl(m, s, command, data);
}

static void
set_filter(nke_t *m, int s, struct input *in)
{
	uint8_t choice = u8(in);
	struct nke_kev_request r = {
		choice & 1 ? NKE_KEV_VENDOR_APPLE : choice & 2 ? 1000 : 0, choice >> 2 & 3, choice >> 4 & 3
	};

	(void)nke_ioctl(m, s, NKE_SIOCSKEVFILT, &r);
}

static void
poll_call(nke_t *m, int s, struct input *in)
{
	struct pollfd p = {.fd = s, .events = u8(in) & 7};

	(void)nke_poll(m, &p, 1, u8(in));
	(void)nke_watch(m, s, p.events, m);
}

/* Unless it has clients of others' it goes, and comes again. */
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
	static const char *const names[4] = {"dgram", "stream", "unit", "nobody"};
	static const int types[4] = {SOCK_DGRAM, SOCK_STREAM, SOCK_RAW, SOCK_DGRAM | SOCK_NONBLOCK};
	enum call call = u8(in) % ALL_CALLS;
	uint8_t choice = u8(in), data[3000];
	int s = 3 + choice % DESCRIPTORS;
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;

	switch (call) {
	case OPEN:
		(void)nke_socket(m, NKE_AF_SYSTEM, types[choice & 3], choice >> 2 & 3);
		break;
	case CONNECT_NAME:
		(void)nke_ctl_connect(m, names[choice & 3], choice & 4 ? 7 : 0, choice & 8 ? SOCK_STREAM : 0);
		break;
	case CONNECT:
	case BIND:
		address_call(m, s, call == BIND, in);
		break;
	case SEND:
		(void)nke_send(m, s, data, bytes(in, data, sizeof data) + (choice & 0x80 ? 2500 : 0),
		    MSG_DONTWAIT | (choice & 0x40 ? MSG_OOB : 0));
		break;
	case RECEIVE:
		(void)nke_recv(m, s, data, u8(in), (choice & 0x80 ? MSG_PEEK : 0) |
		    (choice & 0x40 ? 0 : MSG_DONTWAIT));
		break;
	case SET:
	case GET:
		option_call(m, s, call == SET, in);
		break;
	case IOCTL:
		ioctl_call(m, s, in);
		break;
	case SHUTDOWN:
		(void)nke_shutdown(m, s, choice >> 4 & 3);
		break;
	case CLOSE:
		(void)nke_close(m, s);
		break;
	case NAME:
		(void)nke_getpeername(m, s, (struct sockaddr *)&ss, &len);
		(void)nke_getsockname(m, s, (struct sockaddr *)&ss, &len);
		break;
	case POLL:
		poll_call(m, s, in);
		break;
	case WAIT:
		(void)nke_run_for(m, choice * UINT64_C(1000000));
		break;
	case EVENTS:
		(void)nke_event_socket(m, 0, 0, 0);
		break;
	case FILTER:
		set_filter(m, s, in);
		break;
	case BUFFER:
		(void)nke_setsockopt(m, s, SOL_SOCKET, choice & 0x80 ? SO_SNDBUF : SO_RCVBUF,
		    &(int){u8(in) * 64}, sizeof(int));
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
	struct nke_config config = {.seed = 1, .checked = how & 1, .mbuf_limit_bytes = 4u << 20};
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
	for (int s = 0; s < FUZZ_DESCRIPTORS; s++)
		(void)nke_close(m, s);
	(void)nke_run_for(m, FUZZ_SECOND);
	if (k != NULL && (nke_kext_unload(m, k, &leaks) != 0 || leaks != 0))
		fail(m, "the kext stays");
	nke_stats_memory(m, &memory);
	if (memory.mbufs != 0 || memory.clusters != 0)
		fail(m, "packets are left");
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
