/*
 * The host's kernel doing what bench_tcp.c does: connecting over its loopback, accepting and closing, from
 * one thread.
 *
 * usage: peer_kernel CONNECTIONS
 *
 * Prints one number: seconds.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void
must(int result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	exit(1);
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
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
	socklen_t len = sizeof sin;
	int listener = socket(AF_INET, SOCK_STREAM, 0), s, t;
	double begin;
	char octet;

	must(listener, "socket");
	must(bind(listener, (struct sockaddr *)&sin, sizeof sin), "bind");
	must(listen(listener, 16), "listen");
	must(getsockname(listener, (struct sockaddr *)&sin, &len), "getsockname");
	begin = seconds();
	for (unsigned long i = 0; i < count; i++) {
		s = socket(AF_INET, SOCK_STREAM, 0);
		must(s, "socket");
		must(connect(s, (struct sockaddr *)&sin, sizeof sin), "connect");
		t = accept(listener, NULL, NULL);
		must(t, "accept");
		must(close(s), "close");
		must((int)recv(t, &octet, 1, 0), "recv");
		must(close(t), "close");
	}
	printf("%.6f\n", seconds() - begin);
	return 0;
}
