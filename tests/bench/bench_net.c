/*
 * Datagrams from one machine's socket to another's over a wire, beside the host kernel's own loopback:
 * one sendto and one recvfrom for each; the same while the receiver has many sockets; and what a machine
 * costs that does nothing. Prints `NAME VALUE` lines, the best of some rounds taken in turns.
 *
 *	[ A en0 10.0.0.1 ]----- ideal wire -----[ en0 10.0.0.2 B ]
 *
 * usage: bench_net [DATAGRAMS [ROUNDS [SOCKETS]]]
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <nke/socket.h>
#include <nke/wire.h>

#include "bench_host.h"

#define SIZE	64

/* ---- the host's kernel -------------------------------------------------------------------- */

static double
loopback(unsigned long datagrams)
{
	struct sockaddr_in to = ip4("127.0.0.1", 0);
	socklen_t len = sizeof to;
	char data[SIZE] = {0}, in[SIZE];
	int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
	double start;

	must(a >= 0 && b >= 0 && bind(b, (struct sockaddr *)&to, sizeof to) == 0 &&
	    getsockname(b, (struct sockaddr *)&to, &len) == 0, "the host's sockets");
	start = clock_ns(CLOCK_MONOTONIC);
	for (unsigned long i = 0; i < datagrams; i++) {
		must(sendto(a, data, SIZE, 0, (struct sockaddr *)&to, sizeof to) == SIZE, "sendto");
		must(recvfrom(b, in, SIZE, 0, NULL, NULL) == SIZE, "recvfrom");
	}
	start = clock_ns(CLOCK_MONOTONIC) - start;
	close(a);
	close(b);
	return start / (double)datagrams;
}

/* ---- two machines ------------------------------------------------------------------------- */

static nke_t *
host(nke_world_t *w, nke_wire_t **wire, const char *name, const char *address, uint8_t id)
{
	struct nke_config config = {.name = name, .world = w};
	struct nke_iface_config iface = {.name = "en0", .lladdr = {2, 0, 0, 0, 0, id}};
	struct sockaddr_in sin = ip4(address, 0);
	nke_iface_t *en0;
	nke_t *m;

	must(nke_create(&config, &m) == 0 && nke_iface_create(m, &iface, &en0) == 0 &&
	    nke_iface_add_address(en0, (struct sockaddr *)&sin, sizeof sin, 24) == 0 &&
	    (*wire != NULL || nke_wire_create(m, NULL, 1, wire) == 0) &&
	    nke_wire_plug(*wire, en0) == 0, name);
	return m;
}

struct pair {
	nke_world_t *world;
	nke_wire_t *wire;
	nke_t *a, *b;
	int sa, sb;
	struct sockaddr_in to;
};

static double
over_the_wire(const struct pair *p, unsigned long datagrams)
{
	char data[SIZE] = {0}, in[SIZE];
	double start = clock_ns(CLOCK_MONOTONIC);

	for (unsigned long i = 0; i < datagrams; i++) {
		must(nke_sendto(p->a, p->sa, data, SIZE, 0, (const struct sockaddr *)&p->to,
		    sizeof p->to) == SIZE, "nke_sendto");
		must(nke_recvfrom(p->b, p->sb, in, SIZE, 0, NULL, NULL) == SIZE, "nke_recvfrom");
	}
	return (clock_ns(CLOCK_MONOTONIC) - start) / (double)datagrams;
}

/* ---- many sockets ------------------------------------------------------------------------- */

/* The receiver binds that many more, over several addresses as there are not so many ports. */
static void
crowd(nke_t *m, unsigned long sockets)
{
	struct sockaddr_in at = ip4("127.0.0.1", 0);

	for (unsigned long i = 0; i < sockets; i++) {
		int s = nke_socket(m, AF_INET, SOCK_DGRAM, 0);

		if (i % 50000 == 0) {
			at.sin_addr.s_addr = htonl(i == 0 ? 0x7f000001 : 0x0a000002);
			at.sin_port = htons(10000);
		}
		must(s >= 0 && nke_bind(m, s, (struct sockaddr *)&at, sizeof at) == 0, "one of many sockets");
		at.sin_port = htons((uint16_t)(ntohs(at.sin_port) + 1));
	}
}

/* ---- an idle machine ---------------------------------------------------------------------- */

static double
create_and_destroy(unsigned long machines)
{
	double start = clock_ns(CLOCK_MONOTONIC);
	nke_t *m;

	for (unsigned long i = 0; i < machines; i++) {
		must(nke_create(NULL, &m) == 0, "a machine");
		nke_destroy(m);
	}
	return (clock_ns(CLOCK_MONOTONIC) - start) / (double)machines;
}

static long
resident_kib(void)
{
	char line[128];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "VmRSS: %ld kB", &kib) == 1)
			break;
	if (f != NULL)
		fclose(f);
	return kib;
}

#define IDLE	200

static double
idle_kib(void)
{
	nke_t *m[IDLE];
	long before = resident_kib(), after;

	for (int i = 0; i < IDLE; i++)
		must(nke_create(NULL, &m[i]) == 0, "a machine");
	after = resident_kib();
	for (int i = 0; i < IDLE; i++)
		nke_destroy(m[i]);
	return (double)(after - before) / IDLE;
}

static void
connect_pair(struct pair *p, unsigned long sockets)
{
	nke_wire_t *wire = NULL;

	must(nke_world_create(NULL, &p->world) == 0, "a world");
	p->a = host(p->world, &wire, "a", "10.0.0.1", 1);
	p->b = host(p->world, &wire, "b", "10.0.0.2", 2);
	p->wire = wire;
	must(nke_run_for(p->a, 10000000000) == 0, "address conflict detection");
	p->to = ip4("10.0.0.2", 7);
	p->sa = nke_socket(p->a, AF_INET, SOCK_DGRAM, 0);
	p->sb = nke_socket(p->b, AF_INET, SOCK_DGRAM, 0);
	must(p->sa >= 0 && p->sb >= 0 && nke_bind(p->b, p->sb, (struct sockaddr *)&p->to,
	    sizeof p->to) == 0, "the machines' sockets");
	crowd(p->b, sockets);
}

static void
take_down(struct pair *p)
{
	nke_wire_destroy(p->wire);
	nke_destroy(p->a);
	nke_destroy(p->b);
	nke_world_destroy(p->world);
}

static double
best(double old, double new)
{
	return new < old ? new : old;
}

int
main(int argc, char **argv)
{
	unsigned long datagrams = argc > 1 ? strtoul(argv[1], NULL, 10) : 300000;
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 7;
	unsigned long sockets = argc > 3 ? strtoul(argv[3], NULL, 10) : 100000;
	double kernel = 1e12, wire = 1e12, crowded = 1e12, idle = idle_kib();
	struct pair few, many;

	connect_pair(&few, 0);
	connect_pair(&many, sockets);
	for (unsigned long i = 0; i < rounds; i++) {
		kernel = best(kernel, loopback(datagrams));
		wire = best(wire, over_the_wire(&few, datagrams));
		crowded = best(crowded, over_the_wire(&many, datagrams));
	}
	take_down(&few);
	take_down(&many);
	printf("loopback_ns %.1f\nwire_ns %.1f\ncrowd_ns %.1f\n", kernel, wire, crowded);
	printf("machine_us %.1f\n", create_and_destroy(200) / 1e3);
	printf("machine_kib %.1f\n", idle);
	return 0;
}
