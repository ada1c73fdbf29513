/*
 * The program of tunnel.c, for both ends: moves packets between the tunnel devices of two machines that
 * have no other network, as a VPN's daemons do over theirs.
 *
 *	[ north xtun0 10.9.0.1 ]===/dev/xtun0=== this program ===/dev/xtun0===[ xtun0 10.9.0.2 south ]
 *
 *	tunnel_host TUNNEL.kext
 *
 * South serves; north asks by UDP, then sends a lot over TCP. Both ends are in this one program; in the two
 * daemons of a VPN a network would lie between the read and the write.
 */
#include <nke/file.h>

#include "testbed.h"

#define DEVICE		"/dev/xtun0"
#define PORT		7000
#define AMOUNT		200000u
#define ROUND_NS	1000000u	/* time that passes when nothing moves any more */

struct end {
	nke_t *m;
	nke_kext_t *kext;
	int device;
	unsigned sent;			/* packets into the tunnel */
};

/* ---- the machines ------------------------------------------------------------------------- */

/* As a Mac's ifconfig does it: SIOCAIFADDR with Darwin's struct ifaliasreq. */
static void
give_address(nke_t *m, const char *address, const char *peer)
{
	const unsigned long siocaifaddr = 0x8040691a;
	struct {
		char name[16];
		struct {
			uint8_t len, family, port[2];
			struct in_addr addr;
			uint8_t zero[8];
		} sin[3];		/* its own, the other end's, the mask */
	} request = {.name = "xtun0"};
	int s = nke_socket(m, AF_INET, SOCK_DGRAM, 0);

	for (int i = 0; i < 3; i++) {
		request.sin[i].len = 16;
		request.sin[i].family = 2;
	}
	request.sin[0].addr = ip4(address, 0).sin_addr;
	request.sin[1].addr = ip4(peer, 0).sin_addr;
	request.sin[2].addr = ip4("255.255.255.255", 0).sin_addr;
	must(nke_darwin_ioctl(m, s, siocaifaddr, &request) == 0, m, address);
	must(nke_close(m, s) == 0, m, "close");
}

static void
set_up(struct end *e, nke_world_t *world, const char *name, const char *kext, const char *address,
    const char *peer)
{
	struct nke_config config = {.name = name, .world = world, .checked = true};

	must(nke_create(&config, &e->m) == 0, NULL, name);
	must(nke_kext_load(e->m, kext, &e->kext) == 0, e->m, kext);
	e->device = nke_open(e->m, DEVICE, O_RDWR | O_NONBLOCK);
	must(e->device >= 0, e->m, DEVICE);
	give_address(e->m, address, peer);
}

/* An open device keeps its kext; a closed one does not. */
static void
tear_down(struct end *e)
{
	unsigned leaks;

	must(nke_kext_unload(e->m, e->kext, NULL) == EBUSY, e->m, "the kext went while its device was open");
	must(nke_close(e->m, e->device) == 0, e->m, "close");
	must(nke_kext_unload(e->m, e->kext, &leaks) == 0 && leaks == 0, e->m, "unload");
	nke_destroy(e->m);
}

/* ---- the tunnel --------------------------------------------------------------------------- */

/* Everything that waits at one end goes to the other; how many packets. */
static unsigned
carry(struct end *from, struct end *to)
{
	uint8_t packet[2048];
	unsigned count = 0;
	ssize_t n;

	while ((n = nke_read(from->m, from->device, packet, sizeof packet)) > 0) {
		must(nke_write(to->m, to->device, packet, (size_t)n) == n, to->m, "write");
		count++;
	}
	must(errno == EAGAIN, from->m, "read");
	from->sent += count;
	return count;
}

static void
carry_all(struct end *a, struct end *b)
{
	while (carry(a, b) + carry(b, a) != 0)
		continue;
}

/* ---- what goes through -------------------------------------------------------------------- */

static void
ask(struct end *north, struct end *south)
{
	struct sockaddr_in to = ip4("10.9.0.2", PORT), from;
	int n = nke_socket(north->m, AF_INET, SOCK_DGRAM, 0);
	int s = nke_socket(south->m, AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof from;
	char text[64];
	ssize_t got;

	must(nke_bind(south->m, s, (struct sockaddr *)&to, sizeof to) == 0, south->m, "bind");
	must(nke_sendto(north->m, n, "who is there?", 13, 0, (struct sockaddr *)&to, sizeof to) == 13,
	    north->m, "ask");
	carry_all(north, south);
	got = nke_recvfrom(south->m, s, text, sizeof text, MSG_DONTWAIT, (struct sockaddr *)&from, &len);
	must(got == 13, south->m, "the question");
	printf("south hears \"%.*s\" from %s\n", (int)got, text, inet_ntoa(from.sin_addr));
	must(nke_sendto(south->m, s, "south", 5, 0, (struct sockaddr *)&from, len) == 5, south->m, "answer");
	carry_all(north, south);
	got = nke_recv(north->m, n, text, sizeof text, MSG_DONTWAIT);
	must(got == 5, north->m, "the answer");
	printf("north hears \"%.*s\"\n", (int)got, text);
	nke_close(north->m, n);
	nke_close(south->m, s);
}

/* The n-th byte of what is sent. */
static uint8_t
byte_at(size_t n)
{
	return (uint8_t)(n * 7 + n / 251);
}

static size_t
send_some(nke_t *m, int s, size_t from)
{
	uint8_t data[4096];
	size_t len = AMOUNT - from < sizeof data ? AMOUNT - from : sizeof data;
	ssize_t n;

	for (size_t i = 0; i < len; i++)
		data[i] = byte_at(from + i);
	n = len != 0 ? nke_send(m, s, data, len, MSG_DONTWAIT) : 0;
	return n > 0 ? (size_t)n : 0;
}

static size_t
receive_some(nke_t *m, int s, size_t from)
{
	uint8_t data[65536];
	ssize_t n = nke_recv(m, s, data, sizeof data, MSG_DONTWAIT);

	for (ssize_t i = 0; i < n; i++)
		must(data[i] == byte_at(from + (size_t)i), m, "a byte is not what was sent");
	return n > 0 ? (size_t)n : 0;
}

static void
send_much(struct end *north, struct end *south)
{
	struct sockaddr_in to = ip4("10.9.0.2", PORT);
	int n = nke_socket(north->m, AF_INET, SOCK_STREAM, 0);
	int s = nke_socket(south->m, AF_INET, SOCK_STREAM, 0);
	size_t sent = 0, received = 0;
	int c;

	must(nke_bind(south->m, s, (struct sockaddr *)&to, sizeof to) == 0 &&
	    nke_listen(south->m, s, 1) == 0, south->m, "listen");
	must(nke_set_nonblocking(north->m, n, true) == 0, north->m, "non-blocking");
	must(nke_connect(north->m, n, (struct sockaddr *)&to, sizeof to) == -1 && errno == EINPROGRESS,
	    north->m, "connect");
	carry_all(north, south);
	c = nke_accept(south->m, s, NULL, NULL);
	must(c >= 0, south->m, "accept");
	while (received < AMOUNT) {
		sent += send_some(north->m, n, sent);
		carry_all(north, south);
		received += receive_some(south->m, c, received);
		must(nke_run_for(north->m, ROUND_NS) == 0, north->m, "time");
	}
	printf("south has %zu bytes over TCP\n", received);
	nke_close(north->m, n);
	nke_close(south->m, c);
	nke_close(south->m, s);
	carry_all(north, south);
}

int
main(int argc, char **argv)
{
	struct end north = {.sent = 0}, south = {.sent = 0};
	nke_world_t *world;

	if (argc != 2) {
		fprintf(stderr, "usage: tunnel_host TUNNEL.kext\n");
		return 1;
	}
	must(nke_world_create(NULL, &world) == 0, NULL, "a world");
	set_up(&north, world, "north", argv[1], "10.9.0.1", "10.9.0.2");
	set_up(&south, world, "south", argv[1], "10.9.0.2", "10.9.0.1");
	ask(&north, &south);
	send_much(&north, &south);
	fprintf(stderr, "%u packets south, %u north, after %llu ms\n", north.sent, south.sent,
	    (unsigned long long)(nke_uptime(north.m) / 1000000));
	tear_down(&north);
	tear_down(&south);
	nke_world_destroy(world);
	return 0;
}
