/*
 * TCP from one machine to another over a wire, in virtual time: what a segment of a bulk transfer costs in
 * all (both machines, data and acknowledgements), few connections and many; connecting, accepting and
 * closing; the memory of an idle connection. Prints `NAME VALUE` lines, the best of some rounds.
 *
 *	[ A en0 10.0.0.1 ]----- wire -----[ en0 10.0.0.2 B ]
 *
 * With a kext, nothing but bulk transfers: by turns between machines without it and machines that have it.
 *
 * usage: bench_tcp [MEBIOCTETS [ROUNDS [CONNECTIONS [KEXT]]]]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <nke/kext.h>
#include <nke/socket.h>
#include <nke/wire.h>

#include "bench_host.h"

#define SEGMENT		1448.0		/* octets of data at MTU 1500, with timestamps */
#define PIECE		65536
#define PORT		5001
#define PER_ADDRESS	15000		/* connections to one address of the server */

static clockid_t clock_used = CLOCK_MONOTONIC;

/* ---- two machines ------------------------------------------------------------------------- */

struct pair {
	nke_world_t *world;
	nke_wire_t *wire;
	nke_t *a, *b;
	unsigned addresses;		/* of each: one has not so many ports */
	int listener;
	struct sockaddr_in to;
};

static nke_t *
host(struct pair *p, const struct nke_wire_config *wire, const char *name, unsigned id)
{
	struct nke_config config = {.name = name, .world = p->world, .mbuf_limit_bytes = 1024u << 20};
	struct nke_iface_config iface = {.name = "en0", .lladdr = {2, 0, 0, 0, 0, (uint8_t)id}};
	nke_iface_t *en0;
	nke_t *m;

	must(nke_create(&config, &m) == 0 && nke_iface_create(m, &iface, &en0) == 0, name);
	for (unsigned i = 0; i < p->addresses; i++) {
		struct sockaddr_in sin = ip4("10.0.0.0", 0);

		sin.sin_addr.s_addr = htonl(0x0a000000 + id + 16 * i);
		must(nke_iface_add_address(en0, (struct sockaddr *)&sin, sizeof sin, 24) == 0, "an address");
	}
	must((p->wire != NULL || nke_wire_create(m, wire, 1, &p->wire) == 0) &&
	    nke_wire_plug(p->wire, en0) == 0, "the wire");
	return m;
}

static void
listen_at(struct pair *p)
{
	struct sockaddr_in any = ip4("0.0.0.0", PORT);

	p->listener = nke_socket(p->b, AF_INET, SOCK_STREAM, 0);
	must(p->listener >= 0 && nke_bind(p->b, p->listener, (struct sockaddr *)&any, sizeof any) == 0 &&
	    nke_listen(p->b, p->listener, 128) == 0, "the listener");
}

static void
set_up(struct pair *p, bool offload, unsigned addresses)
{
	struct nke_wire_config wire = {.offload = offload};

	memset(p, 0, sizeof *p);
	p->addresses = addresses;
	must(nke_world_create(NULL, &p->world) == 0, "a world");
	p->a = host(p, &wire, "a", 1);
	p->b = host(p, &wire, "b", 2);
	must(nke_run_for(p->a, 10000000000) == 0, "address conflict detection");
	p->to = ip4("10.0.0.2", PORT);
	listen_at(p);
}

static void
take_down(struct pair *p)
{
	nke_wire_destroy(p->wire);
	nke_destroy(p->a);
	nke_destroy(p->b);
	nke_world_destroy(p->world);
}

struct connection {
	int a, b;
};

/* To the server's address number `i / PER_ADDRESS`. */
static void
connect_one(const struct pair *p, struct connection *c, unsigned long i)
{
	struct sockaddr_in to = p->to;

	to.sin_addr.s_addr = htonl(0x0a000002 + 16 * (uint32_t)(i / PER_ADDRESS));
	c->a = nke_socket(p->a, AF_INET, SOCK_STREAM, 0);
	/* What arrives at once is dealt with before a call that does not wait returns. */
	must(c->a >= 0 && nke_set_nonblocking(p->a, c->a, true) == 0, "nke_socket");
	must(nke_connect(p->a, c->a, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS,
	    "nke_connect");
	c->b = nke_accept(p->b, p->listener, NULL, NULL);
	must(c->b >= 0, "nke_accept");
}

/* ---- bulk --------------------------------------------------------------------------------- */

static char out[PIECE], in[4 * PIECE];

/* Reads what there is; octets. */
static size_t
drain(const struct pair *p, int s)
{
	size_t total = 0;
	ssize_t n;

	while ((n = nke_recv(p->b, s, in, sizeof in, MSG_DONTWAIT)) > 0)
		total += (size_t)n;
	must(n == 0 || errno == EAGAIN || errno == EWOULDBLOCK, "nke_recv");
	return total;
}

/*
 * ns per segment's worth of octets. Writer and reader take turns, as the threads of two programs on one core.
 */
static double
bulk(const struct pair *p, const struct connection *c, size_t octets)
{
	size_t sent = 0, got = 0;
	double start = clock_ns(clock_used);

	while (got < octets) {
		size_t left = octets - sent, before = got;
		ssize_t n = left == 0 ? 0 :
		    nke_send(p->a, c->a, out, left < PIECE ? left : PIECE, MSG_DONTWAIT);

		if (n > 0)
			sent += (size_t)n;
		got += drain(p, c->b);
		/* Nothing to write, nothing to read: a timer has the next word. */
		if (n <= 0 && got == before)
			must(nke_run_for(p->a, 1000000) == 0, "nke_run_for");
	}
	return (clock_ns(clock_used) - start) / ((double)octets / SEGMENT);
}

/* A short segment to and fro on every one of many connections in turn; ns per segment. */
static double
requests(const struct pair *p, const struct connection *c, unsigned long connections, unsigned long count)
{
	char text[16] = "a short request";
	double start;

	/* Everything is acknowledged: Nagle holds nothing back. */
	must(nke_run_for(p->a, 1000000000) == 0, "nke_run_for");
	start = clock_ns(clock_used);
	for (unsigned long i = 0; i < count; i++) {
		const struct connection *k = &c[i * 7919 % connections];

		must(nke_send(p->a, k->a, text, sizeof text, 0) == sizeof text, "nke_send");
		must(nke_recv(p->b, k->b, in, sizeof text, MSG_DONTWAIT) == sizeof text, "nke_recv");
		must(nke_send(p->b, k->b, text, sizeof text, 0) == sizeof text, "nke_send");
		must(nke_recv(p->a, k->a, in, sizeof text, MSG_DONTWAIT) == sizeof text, "nke_recv");
	}
	return (clock_ns(clock_used) - start) / (double)(2 * count);
}

/* ---- connections -------------------------------------------------------------------------- */

/* In a second; the client closes first, and the ports it waits for are free again for the next round. */
static double
connection_rate(const struct pair *p, unsigned long count)
{
	double start, spent;
	struct connection c;

	must(nke_run_for(p->a, 100000000000) == 0, "TIME_WAIT");
	start = clock_ns(clock_used);

	for (unsigned long i = 0; i < count; i++) {
		connect_one(p, &c, 0);
		must(nke_close(p->a, c.a) == 0 && nke_close(p->b, c.b) == 0, "nke_close");
	}
	spent = clock_ns(clock_used) - start;
	must(nke_run_for(p->a, 100000000000) == 0, "TIME_WAIT");
	return (double)count * 1e9 / spent;
}

static double
resident(void)
{
	char line[128];
	double kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "VmRSS: %lf kB", &kib) == 1)
			break;
	if (f != NULL)
		fclose(f);
	return kib * 1024;
}

/* ---- all of it ---------------------------------------------------------------------------- */

static double
best(double old, double new)
{
	return new < old ? new : old;
}

static void
measure_many(size_t octets, unsigned long rounds, unsigned long connections)
{
	struct connection *c = calloc(connections, sizeof *c);
	double before, crowd = 1e12, small = 1e12, start;
	struct pair p;

	must(c != NULL, "memory");
	set_up(&p, false, (unsigned)(connections / PER_ADDRESS) + 1);
	connect_one(&p, &c[0], 0);
	before = resident();
	start = clock_ns(clock_used);
	for (unsigned long i = 1; i < connections; i++) {
		connect_one(&p, &c[i], i);
		/* They have not all been made in the same instant: timers of the handshake are over. */
		if (i % 1000 == 0)
			must(nke_run_for(p.a, 2000000000) == 0, "nke_run_for");
	}
	printf("handshake_us %.2f\n", (clock_ns(clock_used) - start) / 1e3 / (double)connections);
	printf("idle_pair_octets %.0f\n", (resident() - before) / (double)connections);
	for (unsigned long i = 0; i < rounds; i++) {
		crowd = best(crowd, bulk(&p, &c[connections / 2], octets));
		small = best(small, requests(&p, c, connections, 100000));
	}
	printf("crowd_bulk_ns %.1f\ncrowd_request_ns %.1f\n", crowd, small);
	take_down(&p);
	free(c);
}

static void
load(nke_t *m, const char *path)
{
	nke_kext_t *kext;

	if (nke_kext_load(m, path, &kext) == 0)
		return;
	fprintf(stderr, "%s: %s\n", path, nke_error_text(m));
	exit(1);
}

/* By turns and by the CPU's time, as the difference is small and others may be busy. */
static void
measure_filtered(size_t octets, unsigned long rounds, const char *kext)
{
	struct connection c[2];
	struct pair p[2];

	clock_used = CLOCK_PROCESS_CPUTIME_ID;
	for (int i = 0; i < 2; i++) {
		set_up(&p[i], false, 1);
		if (i == 1) {
			load(p[i].a, kext);
			load(p[i].b, kext);
			/* The listener, too, is one that was made with the filter there. */
			must(nke_close(p[i].b, p[i].listener) == 0, "nke_close");
			listen_at(&p[i]);
		}
		connect_one(&p[i], &c[i], 0);
	}
	for (unsigned long i = 0; i < rounds; i++) {
		double plain = bulk(&p[0], &c[0], octets), filtered = bulk(&p[1], &c[1], octets);

		printf("round %.1f %.1f\n", plain, filtered);
	}
	take_down(&p[0]);
	take_down(&p[1]);
}

int
main(int argc, char **argv)
{
	size_t octets = (argc > 1 ? strtoul(argv[1], NULL, 10) : 512) << 20;
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 5;
	unsigned long connections = argc > 3 ? strtoul(argv[3], NULL, 10) : 100000;
	double one = 1e12, large = 1e12, small = 1e12, rate = 0;
	struct connection c, d;
	struct pair p, q;

	if (argc > 4) {
		measure_filtered(octets, rounds, argv[4]);
		return 0;
	}
	set_up(&p, false, 1);
	set_up(&q, true, 1);
	connect_one(&p, &c, 0);
	connect_one(&q, &d, 0);
	for (unsigned long i = 0; i < rounds; i++) {
		double r = connection_rate(&p, 10000);

		rate = r > rate ? r : rate;
		if (octets == 0)
			continue;
		one = best(one, bulk(&p, &c, octets));
		large = best(large, bulk(&q, &d, octets));
		small = best(small, requests(&p, &c, 1, 100000));
	}
	printf("bulk_ns %.1f\nbulk_gbit %.2f\n", one, SEGMENT * 8 / one);
	printf("offload_ns %.1f\noffload_gbit %.2f\n", large, SEGMENT * 8 / large);
	printf("request_ns %.1f\nconnections_per_s %.0f\n", small, rate);
	take_down(&p);
	take_down(&q);
	if (connections > 1)
		measure_many(octets, rounds, connections);
	return 0;
}
