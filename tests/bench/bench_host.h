/* What the measuring programs on the host's side share: bench_ctl, bench_net, bench_tcp. */
#ifndef NKE_TESTS_BENCH_HOST_H
#define NKE_TESTS_BENCH_HOST_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline void
must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

/* Nanoseconds. */
static inline double
clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static inline struct sockaddr_in
ip4(const char *text, uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};

	must(inet_pton(AF_INET, text, &sin.sin_addr) == 1, text);
	return sin;
}

#endif
