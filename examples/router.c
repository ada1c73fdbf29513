/*
 * Two hosts and a router, in virtual time:
 *
 *	[ alice 10.0.1.2 ]--- 5 ms ---[ 10.0.1.1 router 10.0.2.1 ]--- 5 ms, 10% lost ---[ 10.0.2.2 bob ]
 *
 * Alice asks twenty times, bob answers what arrives. The clock is the machines' own: the program ends at
 * once, and prints the same on every run.
 *
 *	router [CAPTURE]	writes the frames of the second wire to a capture file
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <nke/route.h>
#include <nke/socket.h>
#include <nke/sysctl.h>
#include <nke/wire.h>

#define QUESTIONS	20
#define PORT		7777

static void
must(bool good, nke_t *m, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "router: %s: %s\n", what, m != NULL && *nke_error_text(m) != '\0' ?
	    nke_error_text(m) : strerror(errno));
	exit(1);
}

static struct sockaddr_in
ip4(const char *text, unsigned port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	inet_pton(AF_INET, text, &sin.sin_addr);
	return sin;
}

static nke_t *
machine(nke_world_t *world, const char *name)
{
	struct nke_config config = {.name = name, .world = world};
	nke_t *m;

	must(nke_create(&config, &m) == 0, NULL, name);
	return m;
}

/* An interface with an address of a /24, plugged into a wire. */
static void
interface(nke_t *m, const char *name, uint8_t id, const char *address, nke_wire_t *wire)
{
	struct nke_iface_config config = {.name = name, .lladdr = {2, 0, 0, 0, 0, id}};
	struct sockaddr_in sin = ip4(address, 0);
	nke_iface_t *i;

	must(nke_iface_create(m, &config, &i) == 0, m, name);
	must(nke_wire_plug(wire, i) == 0, m, name);
	must(nke_iface_add_address(i, (struct sockaddr *)&sin, sizeof sin, 24) == 0, m, address);
}

static void
default_route(nke_t *m, const char *gateway)
{
	struct nke_route r = {.flags = NKE_ROUTE_STATIC};
	struct sockaddr_in any = ip4("0.0.0.0", 0), by = ip4(gateway, 0);

	memcpy(&r.destination, &any, sizeof any);
	memcpy(&r.gateway, &by, sizeof by);
	must(nke_route_add(m, &r) == 0, m, gateway);
}

/* Bob answers until nothing more is on its way. */
static unsigned
answer(nke_t *bob, int s)
{
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	char text[64];
	unsigned count = 0;
	ssize_t n;

	while ((n = nke_recvfrom(bob, s, text, sizeof text, MSG_DONTWAIT, (struct sockaddr *)&from,
	    &len)) > 0) {
		must(nke_sendto(bob, s, text, (size_t)n, 0, (struct sockaddr *)&from, len) == n, bob,
		    "answer");
		count++;
	}
	return count;
}

int
main(int argc, char **argv)
{
	struct nke_wire_config near = {.delay_ns = 5000000}, far = {.delay_ns = 5000000, .loss = 0.1};
	struct sockaddr_in to = ip4("10.0.2.2", PORT);
	struct timeval patience = {.tv_usec = 100000};
	unsigned answered = 0, heard = 0;
	nke_t *alice, *router, *bob;
	nke_wire_t *left, *right;
	nke_world_t *world;
	char text[64];
	int a, b;

	must(nke_world_create(NULL, &world) == 0, NULL, "a world");
	alice = machine(world, "alice");
	router = machine(world, "router");
	bob = machine(world, "bob");
	must(nke_wire_create(alice, &near, 1, &left) == 0, alice, "a wire");
	must(nke_wire_create(alice, &far, 2, &right) == 0, alice, "a wire");
	interface(alice, "en0", 1, "10.0.1.2", left);
	interface(router, "en0", 2, "10.0.1.1", left);
	interface(router, "en1", 3, "10.0.2.1", right);
	interface(bob, "en0", 4, "10.0.2.2", right);
	must(nke_sysctl_set_int(router, "net.inet.ip.forwarding", 1) == 0, router, "forwarding");
	default_route(alice, "10.0.1.1");
	default_route(bob, "10.0.2.1");
	must(argc < 2 || nke_wire_capture(right, NULL, argv[1]) == 0, alice, "capture");

	a = nke_socket(alice, AF_INET, SOCK_DGRAM, 0);
	b = nke_socket(bob, AF_INET, SOCK_DGRAM, 0);
	must(nke_bind(bob, b, (struct sockaddr *)&to, sizeof to) == 0, bob, "bind");
	must(nke_setsockopt(alice, a, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0, alice,
	    "time limit");
	for (int i = 0; i < QUESTIONS; i++) {
		int n = snprintf(text, sizeof text, "question %d", i);

		must(nke_sendto(alice, a, text, (size_t)n, 0, (struct sockaddr *)&to, sizeof to) == n, alice,
		    "ask");
		nke_run_for(alice, 20000000);	/* the way there */
		heard += answer(bob, b);
		if (nke_recv(alice, a, text, sizeof text, 0) > 0)
			answered++;
	}
	printf("%d questions, %u arrived, %u answers came back, after %llu ms\n", QUESTIONS, heard, answered,
	    (unsigned long long)(nke_uptime(alice) / 1000000));

	must(nke_wire_capture_end(right) == 0, alice, "capture");
	nke_wire_destroy(left);
	nke_wire_destroy(right);
	nke_destroy(alice);
	nke_destroy(router);
	nke_destroy(bob);
	nke_world_destroy(world);
	return 0;
}
