/*
 * A UDP echo server (RFC 862) on a machine of its own, reached by the host's kernel over a TAP device:
 *
 *	[ kernel tap0 10.9.0.1 ]----- TAP -----[ en0 10.9.0.2 machine: port 7 ]
 *
 *	# udpecho_tap tap0 10.9.0.2 &
 *	# ip address add 10.9.0.1/24 dev tap0
 *	# nc -u 10.9.0.2 7
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nke/loop.h>
#include <nke/socket.h>

#define ECHO_PORT	7

static nke_t *machine;
static nke_loop_t *loop;
static unsigned long echoed;

static void
stop(int signal)
{
	(void)signal;
	nke_loop_stop(loop);
}

/* The socket has datagrams. */
static void
echo(nke_event_t *event, int s, short what, void *arg)
{
	static char data[65536];
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	ssize_t n;

	(void)event;
	(void)what;
	(void)arg;
	while ((n = nke_recvfrom(machine, s, data, sizeof data, MSG_DONTWAIT,
	    (struct sockaddr *)&from, &len)) >= 0) {
		if (nke_sendto(machine, s, data, (size_t)n, 0, (struct sockaddr *)&from, len) == n)
			echoed++;
		len = sizeof from;
	}
}

static void
check(int error, const char *what)
{
	if (error == 0)
		return;
	fprintf(stderr, "udpecho_tap: %s: %s\n", what, machine != NULL ? nke_error_text(machine) :
	    strerror(error));
	exit(1);
}

int
main(int argc, char **argv)
{
	struct nke_config config = {.name = "echo", .time = NKE_TIME_REAL};
	struct nke_tap_config tap_config = {.up = true};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(ECHO_PORT)};
	nke_event_t *event;
	nke_tap_t *tap;
	int s;

	if (argc != 3 || inet_pton(AF_INET, argv[2], &address.sin_addr) != 1) {
		fprintf(stderr, "usage: udpecho_tap DEVICE ADDRESS\n");
		return 1;
	}
	tap_config.device = argv[1];
	check(nke_create(&config, &machine), "machine");
	check(nke_tap_open(machine, &tap_config, &tap), "TAP");
	check(nke_iface_add_address(nke_tap_iface(tap), (struct sockaddr *)&address, sizeof address,
	    24), "address");
	check(nke_loop_create(machine, NULL, &loop), "loop");
	check(nke_loop_add_tap(loop, tap), "loop");

	s = nke_socket(machine, AF_INET, SOCK_DGRAM, 0);
	if (s < 0 || nke_bind(machine, s, (struct sockaddr *)&address, sizeof address) != 0) {
		perror("udpecho_tap: socket");
		return 1;
	}
	check(nke_event_new(loop, s, POLLIN, echo, NULL, &event), "event");

	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	printf("%s port %d on %s\n", argv[2], ECHO_PORT, nke_tap_device(tap));
	fflush(stdout);
	check(nke_loop_run(loop), "loop");

	printf("%lu datagrams\n", echoed);
	nke_tap_close(tap);
	nke_loop_destroy(loop);
	nke_destroy(machine);
	return 0;
}
