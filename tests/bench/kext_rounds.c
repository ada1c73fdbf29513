/*
 * Load, attach, traffic, detach, unload, many times over: nothing is left, and memory does not grow.
 *
 *	kext_rounds KEXT ROUNDS [SOCKETS]
 *
 * With SOCKETS each round attaches the filter to that many; the time of a round is printed, of which opening
 * the sockets is no part.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <nke/kext.h>
#include <nke/socket.h>
#include <nke/stats.h>

#define HANDLE	0x726f756eu		/* the kext's */
#define MOST	10000

static void
must(bool good, nke_t *m, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "kext_rounds: %s: %s\n%s", what, strerror(errno),
	    nke_panicked(m) ? nke_panic_report(m) : nke_error_text(m));
	exit(1);
}

static int
bound(nke_t *m)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int s = nke_socket(m, AF_INET, SOCK_DGRAM, 0);

	must(s >= 0 && nke_bind(m, s, (struct sockaddr *)&sin, sizeof sin) == 0, m, "a socket");
	return s;
}

static void
attach(nke_t *m, int s)
{
	struct nke_so_nke value = {.handle = HANDLE};

	must(nke_setsockopt(m, s, SOL_SOCKET, NKE_SO_NKE, &value, sizeof value) == 0, m, "SO_NKE");
}

/* A datagram to itself. */
static void
traffic(nke_t *m, int s)
{
	struct sockaddr_in self;
	socklen_t len = sizeof self;
	char text[8];

	must(nke_getsockname(m, s, (struct sockaddr *)&self, &len) == 0, m, "getsockname");
	must(nke_sendto(m, s, "round", 5, 0, (struct sockaddr *)&self, len) == 5, m, "sendto");
	must(nke_recv(m, s, text, sizeof text, 0) == 5, m, "recv");
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	static int sockets[MOST];
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned long count = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
	struct nke_memory before = {0}, after;
	double best = 1e9, begin;
	nke_kext_t *k;
	nke_t *m;

	if (rounds == 0 || count == 0 || count > MOST) {
		fputs("usage: kext_rounds KEXT ROUNDS [SOCKETS]\n", stderr);
		return 2;
	}
	if (nke_create(NULL, &m) != 0)
		return 1;
	for (unsigned long i = 0; i < count; i++)
		sockets[i] = bound(m);
	for (unsigned long r = 0; r < rounds; r++) {
		begin = seconds();
		must(nke_kext_load(m, argv[1], &k) == 0, m, "load");
		for (unsigned long i = 0; i < count; i++)
			attach(m, sockets[i]);
		traffic(m, sockets[r % count]);
		must(nke_kext_unload(m, k, NULL) == 0, m, "unload");
		if (seconds() - begin < best)
			best = seconds() - begin;
		traffic(m, sockets[r % count]);
		if (r == 0)
			nke_stats_memory(m, &before);
	}
	nke_assert_no_leaks(m);
	nke_stats_memory(m, &after);
	must(after.heap_blocks == before.heap_blocks && after.mbufs == before.mbufs, m, "memory grew");
	printf("%lu rounds, %lu sockets, %.3f ms\n", rounds, count, best * 1e3);
	nke_destroy(m);
	return 0;
}
