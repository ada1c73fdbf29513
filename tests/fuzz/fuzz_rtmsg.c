/*
 * Fuzz target: what programs ask of the routing table: messages written to routing sockets, the table and
 * the interfaces read by sysctl, routes and addresses by the host's calls, variables by name; and traffic in
 * between, which makes and uses clones.
 *
 * The input: one byte for the machine (MACHINE_*), then records of what to do (enum what), an argument, a
 * length (8 bits) and so many bytes.
 */
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <nke/route.h>
#include <nke/socket.h>
#include <nke/sysctl.h>

#include "tests/fuzz/fuzz_machine.h"

#define RECORDS		100u
#define HEADER		92u		/* bytes of Darwin's struct rt_msghdr */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* In the core's half (fuzz_rtmsg_core.c): reads net.routetable as 7 bytes of `arg` ask. */
void fuzz_rtmsg_sysctl(void *arg);

enum what {
	WRITE,				/* the bytes as they are */
	WRITE_FIT,			/* length and version are made right */
	WRITE_BUILT,			/* a type, flags and addresses; the header is made here */
	READ, OPEN, OPTION, SHUTDOWN,
	READ_TABLE,			/* sysctl */
	VARIABLE,			/* its name, 0, its value */
	SEND, WAIT,
	ROUTE_ADD, ROUTE_DELETE, ROUTE_CHANGE, ROUTE_GET, ROUTE_LIST,
	ADDRESS_ADD, ADDRESS_REMOVE, INTERFACE, NEIGHBOR,
	WHATS
};

struct state {
	struct fuzz_machine machine;
	nke_t *m;
	int route;			/* the routing socket that is written to */
	int udp[2];
};

struct record {
	uint8_t what, arg;
	const uint8_t *data;
	size_t len;
};

static void
open_sockets(struct state *s)
{
	s->m = s->machine.m;
	s->route = nke_socket(s->m, NKE_AF_ROUTE, SOCK_RAW | SOCK_NONBLOCK, 0);
	s->udp[0] = nke_socket(s->m, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	s->udp[1] = nke_socket(s->m, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (s->route < 0 || s->udp[0] < 0 || s->udp[1] < 0)
		fuzz_fail(s->m, "socket");
}

static void
write_message(struct state *s, const uint8_t *message, size_t len)
{
	(void)nke_write(s->m, s->route, message, len);
}

/* The type, 4 bytes of flags, which addresses and on which interface; then the addresses. */
static void
write_built(struct state *s, const struct record *r)
{
	uint8_t message[HEADER + 256] = {[2] = 5};
	size_t len;

	if (r->len < 6)
		return;
	message[3] = r->arg;
	message[4] = r->data[5] >> 5;
	memcpy(message + 8, r->data, 4);
	message[12] = r->data[4];
	message[32] = r->data[5] & 31;
	len = HEADER + (r->len - 6);
	memcpy(message + HEADER, r->data + 6, r->len - 6);
	message[0] = (uint8_t)len;
	message[1] = (uint8_t)(len >> 8);
	write_message(s, message, len);
}

static void
write_fit(struct state *s, const struct record *r)
{
	uint8_t message[256];

	if (r->len < 4)
		return;
	memcpy(message, r->data, r->len);
	message[0] = (uint8_t)r->len;
	message[1] = 0;
	message[2] = 5;
	write_message(s, message, r->len);
}

static void
read_messages(struct state *s, size_t room)
{
	static uint8_t message[8192];

	for (unsigned i = 0; i < 50 && nke_recv(s->m, s->route, message, room * 32, 0) > 0; i++)
		;
}

/* Of the bytes: 4 or 16 of the address. */
static socklen_t
destination(const struct record *r, size_t at, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;
	size_t left = r->len > at ? r->len - at : 0;

	memset(ss, 0, sizeof *ss);
	if (r->arg & 1) {
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(7);
		sin6->sin6_scope_id = r->arg >> 6;
		memcpy(&sin6->sin6_addr, r->data + at, left < 16 ? left : 16);
		return sizeof *sin6;
	}
	sin->sin_family = AF_INET;
	sin->sin_port = htons(7);
	memcpy(&sin->sin_addr, r->data + at, left < 4 ? left : 4);
	return sizeof *sin;
}

static void
route(struct state *s, const struct record *r)
{
	static const char *const names[4] = {"", "en0", "en1", "en9"};
	struct nke_route route = {.prefix = 0}, list[8];
	socklen_t len;

	if (r->len < 8)
		return;
	route.prefix = r->data[0];
	memcpy(&route.flags, r->data + 1, 4);
	route.mtu = r->data[5] * 8u;
	route.expires = r->data[6] & 0x80 ? r->data[6] : 0;
	strcpy(route.interface, names[r->data[6] & 3]);
	len = destination(r, 8, &route.destination);
	if (r->data[7] & 1)
		(void)destination(r, 8 + (r->arg & 1 ? 16 : 4), &route.gateway);
	switch (r->what) {
	case ROUTE_ADD:
		(void)nke_route_add(s->m, &route);
		break;
	case ROUTE_DELETE:
		(void)nke_route_delete(s->m, &route);
		break;
	case ROUTE_CHANGE:
		(void)nke_route_change(s->m, &route);
		break;
	case ROUTE_GET:
		(void)nke_route_get(s->m, (struct sockaddr *)&route.destination, len, &route);
		break;
	default:
		(void)nke_route_list(s->m, r->arg & 2 ? AF_UNSPEC : AF_INET6, list, 8);
	}
}

static void
address(struct state *s, const struct record *r)
{
	nke_iface_t *i = s->machine.en[r->arg >> 1 & 1];
	struct nke_address list[8];
	struct sockaddr_storage ss;
	socklen_t len = destination(r, 1, &ss);

	if (i == NULL || r->len < 1)
		return;
	if (r->what == ADDRESS_ADD)
		(void)nke_iface_add_address(i, (struct sockaddr *)&ss, len, r->data[0]);
	else if (r->what == NEIGHBOR)
		(void)nke_iface_add_neighbor(i, (struct sockaddr *)&ss, len, (const uint8_t *)"\2\0\0\0\1\1");
	else
		(void)nke_address_remove(s->m, nke_iface_name(i), (struct sockaddr *)&ss, len);
	(void)nke_address_list(s->m, list, 8);
}

/* Both go and come. */
static void
interfaces(struct state *s, uint8_t how)
{
	if (s->machine.en[0] == NULL) {
		fuzz_add_interfaces(&s->machine, how);
		return;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (nke_iface_destroy(s->machine.en[i]) != 0)
			fuzz_fail(s->m, "destroy");
		s->machine.en[i] = NULL;
	}
}

static void
variable(struct state *s, const struct record *r)
{
	uint8_t old[1024];
	size_t old_len = r->arg * 4u;
	char name[256];
	size_t name_len = strnlen((const char *)r->data, r->len);
	bool set = name_len < r->len;

	memcpy(name, r->data, name_len);
	name[name_len] = '\0';
	/* A million clones would be no error, but slow. */
	if (set && strstr(name, "max") != NULL)
		return;
	(void)nke_sysctl(s->m, name, r->arg ? old : NULL, r->arg == 1 ? NULL : &old_len,
	    set ? r->data + name_len + 1 : NULL, set ? r->len - name_len - 1 : 0);
}

static void
other_socket(struct state *s, const struct record *r)
{
	switch (r->what) {
	case OPEN:
		(void)nke_close(s->m, s->route);
		s->route = nke_socket(s->m, NKE_AF_ROUTE, SOCK_RAW | SOCK_NONBLOCK, r->arg);
		break;
	case OPTION:
		(void)nke_darwin_setsockopt(s->m, s->route, r->arg & 1 ? 0 : 0xffff,
		    r->arg & 2 ? 0x40 : 0x1002, r->data, (socklen_t)r->len);
		break;
	default:
		(void)nke_shutdown(s->m, s->route, r->arg % 4);
	}
}

static void
do_record(struct state *s, const struct record *r)
{
	struct sockaddr_storage ss;
	socklen_t len;

	switch (r->what) {
	case WRITE:
		write_message(s, r->data, r->len);
		break;
	case WRITE_FIT:
		write_fit(s, r);
		break;
	case WRITE_BUILT:
		write_built(s, r);
		break;
	case READ:
		read_messages(s, r->arg);
		break;
	case OPEN:
	case OPTION:
	case SHUTDOWN:
		other_socket(s, r);
		break;
	case READ_TABLE: {
		uint8_t arg[8] = {r->arg};

		memcpy(arg + 1, r->data, r->len < 6 ? r->len : 6);
		if (nke_call(s->m, fuzz_rtmsg_sysctl, arg) != 0)
			fuzz_fail(s->m, "sysctl");
		break;
	}
	case VARIABLE:
		variable(s, r);
		break;
	case SEND:
		len = destination(r, 0, &ss);
		(void)nke_sendto(s->m, s->udp[r->arg & 1], "x", 1, 0, (struct sockaddr *)&ss, len);
		break;
	case WAIT:
		fuzz_wait(&s->machine, r->arg * FUZZ_SECOND / 10);
		break;
	case ADDRESS_ADD:
	case ADDRESS_REMOVE:
	case NEIGHBOR:
		address(s, r);
		break;
	case INTERFACE:
		interfaces(s, r->arg);
		break;
	default:
		route(s, r);
	}
}

static uint64_t
blocks_without_input(uint8_t how)
{
	struct state s;

	fuzz_build(&s.machine, how);
	open_sockets(&s);
	return fuzz_take_down(&s.machine);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t blocks[MACHINE_KINDS];
	struct state s;
	uint8_t how;

	if (size < 1)
		return 0;
	how = data[0] % MACHINE_KINDS;
	data++;
	size--;
	if (blocks[how] == 0)
		blocks[how] = blocks_without_input(how);
	fuzz_build(&s.machine, how);
	open_sockets(&s);
	for (unsigned i = 0; size >= 3 && i < RECORDS; i++) {
		struct record r = {data[0] % WHATS, data[1], data + 3, data[2] < size - 3 ? data[2] :
		    size - 3};

		do_record(&s, &r);
		if (nke_panicked(s.m))
			fuzz_fail(s.m, "panic");
		data += 3 + r.len;
		size -= 3 + r.len;
	}
	if (s.machine.en[0] == NULL)
		fuzz_add_interfaces(&s.machine, how);
	fuzz_compare(fuzz_take_down(&s.machine), blocks[how]);
	return 0;
}
