/*
 * Messages to a kext and back by a kernel control, beside an echo through a socketpair of the host's kernel,
 * both from one thread: of the pair, it plays the other end as well. Prints `NAME VALUE` lines, nanoseconds
 * for a message there and back, the best of some rounds taken in turns.
 *
 *	program -- nke_send --> ctl_send -- ctl_enqueuembuf --> nke_recv
 *	program -- send --> recv -- send --> recv
 *
 * usage: bench_ctl KEXT [MESSAGES [ROUNDS]]	(KEXT: tests/data/kexts/control.kext of the build)
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <nke/control.h>
#include <nke/kext.h>

#include "bench_host.h"

#define SIZE	64

static double
by_pair(int type, unsigned long messages)
{
	char data[SIZE] = {0};
	double start;
	int s[2];

	must(socketpair(AF_UNIX, type, 0, s) == 0, "socketpair");
	start = clock_ns(CLOCK_MONOTONIC);
	for (unsigned long i = 0; i < messages; i++)
		must(send(s[0], data, SIZE, 0) == SIZE && recv(s[1], data, SIZE, 0) == SIZE &&
		    send(s[1], data, SIZE, 0) == SIZE && recv(s[0], data, SIZE, 0) == SIZE, "the pair");
	start = clock_ns(CLOCK_MONOTONIC) - start;
	close(s[0]);
	close(s[1]);
	return start / (double)messages;
}

static double
by_control(nke_t *m, int s, unsigned long messages)
{
	char data[SIZE] = {0};
	double start = clock_ns(CLOCK_MONOTONIC);

	for (unsigned long i = 0; i < messages; i++)
		must(nke_send(m, s, data, SIZE, 0) == SIZE && nke_recv(m, s, data, SIZE, 0) == SIZE,
		    "the control");
	return (clock_ns(CLOCK_MONOTONIC) - start) / (double)messages;
}

static double
best(double old, double new)
{
	return new < old ? new : old;
}

int
main(int argc, char **argv)
{
	unsigned long messages = argc > 2 ? strtoul(argv[2], NULL, 10) : 300000;
	unsigned long rounds = argc > 3 ? strtoul(argv[3], NULL, 10) : 7;
	double pair[2] = {1e12, 1e12}, control[2] = {1e12, 1e12};
	const struct nke_config config = {.name = "bench"};
	const int types[2] = {SOCK_DGRAM, SOCK_STREAM};
	const char *names[2] = {"com.example.echo", "com.example.echo.stream"};
	nke_kext_t *kext;
	int s[2];
	nke_t *m;

	must(argc > 1, "usage: bench_ctl KEXT [MESSAGES [ROUNDS]]");
	must(nke_create(&config, &m) == 0, "a machine");
	if (nke_kext_load(m, argv[1], &kext) != 0) {
		fprintf(stderr, "bench_ctl: %s\n", nke_error_text(m));
		return 1;
	}
	for (int i = 0; i < 2; i++) {
		s[i] = nke_ctl_connect(m, names[i], 0, types[i]);
		must(s[i] >= 0, names[i]);
	}
	for (unsigned long round = 0; round < rounds; round++) {
		for (int i = 0; i < 2; i++) {
			pair[i] = best(pair[i], by_pair(types[i], messages));
			control[i] = best(control[i], by_control(m, s[i], messages));
		}
	}
	printf("pair_dgram_ns %.1f\ncontrol_dgram_ns %.1f\n", pair[0], control[0]);
	printf("pair_stream_ns %.1f\ncontrol_stream_ns %.1f\n", pair[1], control[1]);
	nke_destroy(m);
	return 0;
}
