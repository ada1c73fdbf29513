/*
 * Fuzz target: programs that call everything of nke/socket.h in any order with any argument: sockets of every
 * domain, type and protocol; any level and name of an option with any value, by the host's number and by
 * Darwin's; control messages; descriptors passed and lost; ioctls.
 *
 * The input: one byte for the machine (MACHINE_*), then calls (enum call), each followed by what its
 * arguments are made of. Where the input ends, arguments are zero.
 */
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>

#include <nke/socket.h>

#include "src/host/machine.h"
#include "src/kern/sockcalls.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_machine.h"

#define CALLS		200u
#define DESCRIPTORS	24		/* that calls are about */
#define DATA_MAX	20000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum call {
	SOCKET, SOCKETPAIR, DUP, CLOSE, BIND, CONNECT, LISTEN, ACCEPT, SHUTDOWN, NAMES, SENDTO, SENDMSG,
	RECVFROM, RECVMSG, SET, GET, SET_DARWIN, GET_DARWIN, NONBLOCKING, POLL, WATCH, WAIT, IOCTL,
	SET_TRUE,			/* a known option to a small number: most have an effect */
	ALL_CALLS
};

/* What is sent, and what was received: at first an echo request. */
static uint8_t buffer[70000];

/* ---- arguments ---------------------------------------------------------------------------- */

static uint32_t
u16(struct input *in)
{
	uint32_t low = u8(in);

	return low | (uint32_t)u8(in) << 8;
}

static uint32_t
u32(struct input *in)
{
	uint32_t low = u16(in);

	return low | u16(in) << 16;
}

/* -1 is one of them. */
static int
descriptor(struct input *in)
{
	return u8(in) % (DESCRIPTORS + 1) - 1;
}

static socklen_t
known_address(uint8_t choice, uint16_t port, struct sockaddr_storage *ss)
{
	static const char *const texts[] = {"10.0.0.1", "127.0.0.1", "0.0.0.0", "10.0.0.9", "10.0.0.255",
	    "239.1.2.3", "255.255.255.255", "10.9.9.9", "2001:db8::1", "::1", "::", "2001:db8::9", "fe80::1",
	    "ff02::1234", "::ffff:10.0.0.1", "ff01::1"};
	socklen_t len = fuzz_address(texts[choice & 15], port, ss);

	if (ss->ss_family == AF_INET6)
		((struct sockaddr_in6 *)ss)->sin6_scope_id = choice >> 6;
	return len;
}

static socklen_t
address(struct input *in, struct sockaddr_storage *ss)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)ss;
	uint8_t kind = u8(in);

	memset(ss, 0, sizeof *ss);
	switch (kind & 7) {
	case 0:
		ss->ss_family = AF_UNSPEC;
		return sizeof(struct sockaddr_in);
	case 1:		/* anything */
		return (socklen_t)bytes(in, ss, sizeof *ss);
	case 2:		/* a family, then anything */
		ss->ss_family = kind & 8 ? AF_INET6 : kind & 16 ? AF_LOCAL : AF_INET;
		return (socklen_t)(offsetof(struct sockaddr, sa_data) +
		    bytes(in, ((struct sockaddr *)ss)->sa_data, sizeof *ss - sizeof(sa_family_t)));
	case 3:
		sun->sun_family = AF_LOCAL;
		strcpy(sun->sun_path, "/tmp/x");
		sun->sun_path[5] = (char)('a' + (kind >> 3 & 3));
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 6 + (kind >> 7));
	default:
		return known_address(u8(in), (uint16_t)(kind & 0x80 ? 0 : 1000 + (kind >> 4)), ss);
	}
}

static const int levels[8] = {SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_ICMPV6, IPPROTO_UDP, IPPROTO_TCP,
    IPPROTO_ICMP, 0xffff};

static int
level(struct input *in)
{
	uint8_t choice = u8(in);

	return choice < 0xf0 ? levels[choice & 7] : (int)u32(in);
}

static int
option_name(struct input *in)
{
	uint8_t choice = u8(in);

	return choice < 0xc0 ? choice : choice < 0xf0 ? (int)(0x1000 + (choice & 15)) | u8(in) << 4 :
	    (int)u32(in);
}

/* ---- calls -------------------------------------------------------------------------------- */

static void
make_sockets(nke_t *m, struct input *in, bool pair)
{
	static const int domains[8] = {AF_INET, AF_INET6, AF_LOCAL, NKE_AF_ROUTE, NKE_AF_SYSTEM,
	    AF_INET, AF_INET6,
	    12345};
	static const int types[8] = {SOCK_DGRAM, SOCK_STREAM, SOCK_RAW, SOCK_DGRAM | SOCK_NONBLOCK,
	    SOCK_STREAM | SOCK_NONBLOCK, SOCK_RAW | SOCK_NONBLOCK, SOCK_SEQPACKET, 77};
	uint8_t choice = u8(in);
	int protocol = choice & 0x40 ? u8(in) : 0, s[2];

	if (pair)
		(void)nke_socketpair(m, choice & 0x80 ? domains[choice & 7] : AF_LOCAL,
		    types[choice >> 3 & 7],
		    protocol, s);
	else
		(void)nke_socket(m, domains[choice & 7], types[choice >> 3 & 7], protocol);
}

static void
names(nke_t *m, int s)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;

	(void)nke_getsockname(m, s, (struct sockaddr *)&ss, &len);
	len = 3;
	(void)nke_getpeername(m, s, (struct sockaddr *)&ss, &len);
}

static void
send_to(nke_t *m, int s, struct input *in)
{
	struct sockaddr_storage ss;
	size_t len = u16(in) % DATA_MAX;
	uint8_t flags = u8(in);
	socklen_t to_len = flags & 0x80 ? address(in, &ss) : 0;

	(void)nke_sendto(m, s, buffer, len, (flags & 0x4f) | (flags & 0x20 ? 0 : MSG_DONTWAIT),
	    to_len != 0 ? (struct sockaddr *)&ss : NULL, to_len);
}

/* Control messages: well formed, of any level and type, and perhaps cut off. */
static size_t
controls(struct input *in, uint8_t *out, size_t room)
{
	uint8_t count = u8(in) & 7;
	size_t used = 0;

	for (; count != 0; count--) {
		struct cmsghdr header = {.cmsg_level = level(in), .cmsg_type = option_name(in)};
		uint8_t data[256];
		size_t len = bytes(in, data, sizeof data);

		if (header.cmsg_type == 1 && header.cmsg_level == SOL_SOCKET)
			for (size_t i = 0; i < len; i++)	/* descriptors */
				data[i] = i & 3 ? 0 : data[i] % DESCRIPTORS;
		if (CMSG_SPACE(len) > room - used)
			break;
		header.cmsg_len = CMSG_LEN(len);
		memset(out + used, 0, CMSG_SPACE(len));
		memcpy(out + used, &header, sizeof header);
		memcpy(out + used + CMSG_LEN(0), data, len);
		used += CMSG_SPACE(len);
	}
	return used;
}

static void
send_message(nke_t *m, int s, struct input *in)
{
	union {
		struct cmsghdr header;
		uint8_t bytes[2048];
	} control;
	struct sockaddr_storage ss;
	uint8_t flags = u8(in);
	struct iovec iov[3] = {
		{buffer, u8(in)}, {buffer + 100, u16(in) % DATA_MAX}, {buffer + 9, u8(in) & 3}
	};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = flags % 4, .msg_control = &control};

	if (flags & 0x80) {
		msg.msg_name = &ss;
		msg.msg_namelen = address(in, &ss);
	}
	if (flags & 0x10)
		msg.msg_controllen = bytes(in, control.bytes, sizeof control);
	else
		msg.msg_controllen = controls(in, control.bytes, sizeof control);
	(void)nke_sendmsg(m, s, &msg, flags & 0x20 ? 0 : MSG_DONTWAIT);
}

static void
receive_message(nke_t *m, int s, struct input *in)
{
	static uint8_t control[2048];
	struct sockaddr_storage ss;
	uint8_t flags = u8(in);
	struct iovec iov[2] = {{buffer, u8(in)}, {buffer + 300, u16(in)}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = flags % 3, .msg_name = flags & 0x80 ? &ss : NULL,
	    .msg_namelen = u8(in), .msg_control = control, .msg_controllen = u8(in) * 8u};

	if (msg.msg_namelen > sizeof ss)
		msg.msg_namelen = sizeof ss;
	(void)nke_recvmsg(m, s, &msg, (flags & 0x40 ? MSG_PEEK : 0) | (flags & 0x20 ? 0 : MSG_DONTWAIT) |
	    (flags & 0x10 ? MSG_WAITALL : 0) | (flags & 0x08 ? MSG_TRUNC : 0));
}

static void
receive_from(nke_t *m, int s, struct input *in)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	uint8_t flags = u8(in);

	(void)nke_recvfrom(m, s, buffer, u16(in), (flags & 0x4f) | (flags & 0x20 ? 0 : MSG_DONTWAIT),
	    (struct sockaddr *)&ss, &len);
}

static void
option(nke_t *m, enum call call, int s, struct input *in)
{
	int at = level(in), name = option_name(in);
	uint8_t value[256];
	socklen_t len;

	if (call == SET || call == SET_DARWIN) {
		len = (socklen_t)bytes(in, value, sizeof value);
		(void)(call == SET ? nke_setsockopt : nke_darwin_setsockopt)(m, s, at, name, value, len);
	} else {
		len = u8(in);
		(void)(call == GET ? nke_getsockopt : nke_darwin_getsockopt)(m, s, at, name, value, &len);
	}
}

/* All that are in the host's table (src/host/darwin_socket.c) are below 128. */
static void
set_small(nke_t *m, int s, struct input *in)
{
	int at = levels[u8(in) & 7], name = u8(in) & 127, value = (int8_t)u8(in);
	struct timeval tv = {.tv_sec = value, .tv_usec = 1};

	if (nke_setsockopt(m, s, at, name, &value, sizeof value) != 0)
		(void)nke_setsockopt(m, s, at, name, &tv, sizeof tv);
}

static void
poll_some(nke_t *m, struct input *in)
{
	struct pollfd fds[20];
	nfds_t count = u8(in) % 20;
	int timeout = u8(in);

	for (nfds_t i = 0; i < count; i++)
		fds[i] = (struct pollfd){.fd = descriptor(in), .events = (short)u16(in)};
	(void)nke_poll(m, fds, count, timeout == 255 ? -1 : timeout);
}

static void
watch(nke_t *m, int s, struct input *in)
{
	struct nke_ready ready;

	(void)nke_watch(m, s, (short)u8(in), m);
	for (unsigned i = 0; i < 4 && nke_next_ready(m, &ready) == 1; i++)
		(void)nke_readable_bytes(m, ready.s);
}

/* Those of sockets and interfaces, without the ones whose argument has a pointer in it. */
static void
ioctl(nke_t *m, int s, struct input *in)
{
	static const uint8_t with_pointers[] = {20, 36, 56, 72, 123, 129, 134};
	static uint8_t data[0x2000];
	uint8_t number = u8(in), kind = u8(in);
	unsigned long command = (kind & 1 ? 0x80000000ul : 0) | (kind & 2 ? 0x40000000ul : 0) |
	    (unsigned long)(kind & 4 ? 's' : 'i') << 8 | number;

	for (size_t i = 0; i < sizeof with_pointers; i++)
		if (number == with_pointers[i] && !(kind & 4))
			return;
	memset(data, 0, sizeof data);
	command |= (unsigned long)(u16(in) & 0x1fff) << 16;
	if (kind & 8) {
		memcpy(data, kind & 16 ? "en0" : "lo0", 3);
		(void)bytes(in, data + 16, 256);
	} else {
		(void)bytes(in, data, 256);
	}
	(void)file_call_ioctl(m->core, s, command, data);
}

static void
do_call(struct fuzz_machine *f, enum call call, struct input *in)
{
	int s = call >= DUP && call != POLL && call != WAIT ? descriptor(in) : -1;
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	nke_t *m = f->m;

	switch (call) {
	case SOCKET:
	case SOCKETPAIR:
		make_sockets(m, in, call == SOCKETPAIR);
		break;
	case DUP:
		(void)nke_dup(m, s);
		break;
	case CLOSE:
		(void)nke_close(m, s);
		break;
	case BIND:
		len = address(in, &ss);
		(void)nke_bind(m, s, (struct sockaddr *)&ss, len);
		break;
	case CONNECT:
		len = address(in, &ss);
		(void)nke_connect(m, s, (struct sockaddr *)&ss, len);
		break;
	case LISTEN:
		(void)nke_listen(m, s, (int8_t)u8(in));
		break;
	case ACCEPT:
		(void)nke_accept(m, s, (struct sockaddr *)&ss, &len);
		break;
	case SHUTDOWN:
		(void)nke_shutdown(m, s, (int8_t)u8(in));
		break;
	case NAMES:
		names(m, s);
		break;
	case SENDTO:
		send_to(m, s, in);
		break;
	case SENDMSG:
		send_message(m, s, in);
		break;
	case RECVFROM:
		receive_from(m, s, in);
		break;
	case RECVMSG:
		receive_message(m, s, in);
		break;
	case NONBLOCKING:
		(void)nke_set_nonblocking(m, s, u8(in) & 1);
		break;
	case POLL:
		poll_some(m, in);
		break;
	case WATCH:
		watch(m, s, in);
		break;
	case WAIT:
		fuzz_wait(f, u8(in) * FUZZ_SECOND / 8);
		break;
	case IOCTL:
		ioctl(m, s, in);
		break;
	case SET_TRUE:
		set_small(m, s, in);
		break;
	default:
		option(m, call, s, in);
	}
}

static uint64_t
run(uint8_t how, struct input *in)
{
	struct fuzz_machine f;

	fuzz_build(&f, how);
	memcpy(buffer, how & MACHINE_OLD ? "\x80\0\0\0\0\1\0\1" : "\x8\0\xf7\xfd\0\1\0\1", 8);
	/* Readiness has a list of its own from the first time on. */
	(void)nke_watch(f.m, -1, POLLIN, NULL);
	for (unsigned i = 0; in->p < in->end && i < CALLS; i++) {
		do_call(&f, u8(in) % ALL_CALLS, in);
		if (nke_panicked(f.m))
			fuzz_fail(f.m, "panic");
	}
	return fuzz_take_down(&f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t blocks[MACHINE_KINDS];
	struct input in = {data, data + size};
	uint8_t how = u8(&in) % MACHINE_KINDS;

	if (blocks[how] == 0)
		blocks[how] = run(how, &(struct input){NULL, NULL});
	fuzz_compare(run(how, &in), blocks[how]);
	return 0;
}
