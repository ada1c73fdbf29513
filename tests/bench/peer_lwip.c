/*
 * lwIP (the distribution's build, its socket API over its own threads) doing what bench_tcp.c does:
 * the peer that TCP's numbers are held against.
 *
 * usage: peer_lwip bulk BYTES | rate CONNECTIONS | tap-sink PORT | tap-source PORT BYTES
 *
 * bulk and rate are within one stack, by a looping interface with MTU 1500 and checksums on; tap-sink and
 * tap-source, which listen for one connection and say "ready", are at 10.99.0.2/24 on the TAP device tap0.
 * The port to it does what lwIP's own does, which in this build puts frames into buffers that are too
 * small. Prints one number: seconds.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lwip/opt.h>
#include <lwip/ip4_addr.h>
#include <lwip/netif.h>
#include <lwip/sockets.h>
#include <lwip/sys.h>
#include <lwip/tcpip.h>
#include <lwip/etharp.h>
#include <lwip/pbuf.h>

/* peer_lwip_tap.c: the host's headers do not go with lwIP's. */
int open_tap(const char *device);

#define PORT	5001
#define CHUNK	65536

static char buffer[CHUNK];

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
fail(const char *what)
{
	fprintf(stderr, "peer_lwip: %s\n", what);
	exit(1);
}

/* ---- the stack ---------------------------------------------------------------------------- */

/* Nothing leaves: lwIP itself loops what is for its own address. */
static err_t
drop(struct netif *n, struct pbuf *p, const ip4_addr_t *to)
{
	(void)n;
	(void)p;
	(void)to;
	return ERR_OK;
}

static err_t
plain_init(struct netif *n)
{
	n->name[0] = 'w';
	n->name[1] = 'i';
	n->mtu = 1500;
	n->output = drop;
	return ERR_OK;
}

/* ---- TAP: a frame with each read and write, a thread that reads ---------------------------- */

#define FRAME	1514

static int tap_fd;

static err_t
tap_output(struct netif *n, struct pbuf *p)
{
	char frame[FRAME];

	(void)n;
	if (p->tot_len > sizeof frame || write(tap_fd, frame, pbuf_copy_partial(p, frame, p->tot_len, 0)) < 0)
		return ERR_IF;
	return ERR_OK;
}

static void
tap_thread(void *arg)
{
	struct netif *n = arg;
	char frame[FRAME];
	struct pbuf *p;
	ssize_t len;

	while ((len = read(tap_fd, frame, sizeof frame)) > 0) {
		p = pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_RAM);
		if (p == NULL)
			continue;
		pbuf_take(p, frame, (u16_t)len);
		if (n->input(p, n) != ERR_OK)
			pbuf_free(p);
	}
}

static err_t
tap_init(struct netif *n)
{
	tap_fd = open_tap("tap0");
	if (tap_fd < 0)
		fail("no TAP device tap0");
	n->name[0] = 't';
	n->name[1] = 'p';
	n->mtu = 1500;
	n->output = etharp_output;
	n->linkoutput = tap_output;
	n->hwaddr_len = 6;
	n->hwaddr[0] = 2;
	n->hwaddr[5] = 2;
	n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP;
	sys_thread_new("tap", tap_thread, n, 0, 0);
	return ERR_OK;
}

static void
ready(void *arg)
{
	sys_sem_signal(arg);
}

static void
start(netif_init_fn init, const char *address)
{
	static struct netif n;
	ip4_addr_t ip, mask, gateway;
	sys_sem_t up;

	sys_sem_new(&up, 0);
	tcpip_init(ready, &up);
	sys_sem_wait(&up);
	ip4addr_aton(address, &ip);
	ip4addr_aton("255.255.255.0", &mask);
	ip4_addr_set_zero(&gateway);
	LOCK_TCPIP_CORE();
	if (netif_add(&n, &ip, &mask, &gateway, NULL, init, tcpip_input) == NULL)
		fail("no interface");
	netif_set_default(&n);
	netif_set_up(&n);
	netif_set_link_up(&n);
	UNLOCK_TCPIP_CORE();
}

static struct sockaddr_in
address(const char *host, int port)
{
	struct sockaddr_in sin;

	memset(&sin, 0, sizeof sin);
	sin.sin_family = AF_INET;
	sin.sin_port = lwip_htons((uint16_t)port);
	sin.sin_addr.s_addr = ipaddr_addr(host);
	return sin;
}

static int
listening(int port)
{
	struct sockaddr_in sin = address("0.0.0.0", port);
	int s = lwip_socket(AF_INET, SOCK_STREAM, 0);

	if (s < 0 || lwip_bind(s, (struct sockaddr *)&sin, sizeof sin) != 0 || lwip_listen(s, 128) != 0)
		fail("cannot listen");
	return s;
}

static int
connected(const char *host, int port)
{
	struct sockaddr_in sin = address(host, port);
	int s = lwip_socket(AF_INET, SOCK_STREAM, 0);

	if (s < 0 || lwip_connect(s, (struct sockaddr *)&sin, sizeof sin) != 0)
		fail("cannot connect");
	return s;
}

/* ---- the work ----------------------------------------------------------------------------- */

static uint64_t
drain(int s)
{
	uint64_t total = 0;
	ssize_t n;

	while ((n = lwip_recv(s, buffer, sizeof buffer, 0)) > 0)
		total += (uint64_t)n;
	return total;
}

static void
fill(int s, uint64_t bytes)
{
	static char zeros[CHUNK];
	ssize_t n;

	for (; bytes != 0; bytes -= (uint64_t)n) {
		n = lwip_send(s, zeros, bytes < CHUNK ? bytes : CHUNK, 0);
		if (n <= 0)
			fail("cannot send");
	}
}

struct work {
	int listener;
	uint64_t amount;
};

static void
send_bulk(void *arg)
{
	const struct work *w = arg;
	int s = connected("10.98.0.1", PORT);

	fill(s, w->amount);
	lwip_close(s);
}

static void
connect_often(void *arg)
{
	const struct work *w = arg;

	for (uint64_t i = 0; i < w->amount; i++)
		lwip_close(connected("10.98.0.1", PORT));
}

static double
bulk(uint64_t bytes)
{
	struct work w = {listening(PORT), bytes};
	double begin;
	int s;

	sys_thread_new("client", send_bulk, &w, 0, 0);
	s = lwip_accept(w.listener, NULL, NULL);
	begin = seconds();
	if (drain(s) != bytes)
		fail("bytes are missing");
	return seconds() - begin;
}

static double
rate(uint64_t count)
{
	struct work w = {listening(PORT), count};
	double begin = seconds();

	sys_thread_new("client", connect_often, &w, 0, 0);
	for (uint64_t i = 0; i < count; i++) {
		int s = lwip_accept(w.listener, NULL, NULL);

		if (s < 0)
			fail("cannot accept");
		(void)drain(s);
		lwip_close(s);
	}
	return seconds() - begin;
}

int
main(int argc, char **argv)
{
	double took, begin;
	int s;

	if (argc == 3 && strcmp(argv[1], "bulk") == 0) {
		start(plain_init, "10.98.0.1");
		took = bulk(strtoull(argv[2], NULL, 10));
	} else if (argc == 3 && strcmp(argv[1], "rate") == 0) {
		start(plain_init, "10.98.0.1");
		took = rate(strtoull(argv[2], NULL, 10));
	} else if (argc >= 3 && strncmp(argv[1], "tap-s", 5) == 0) {
		start(tap_init, "10.99.0.2");
		s = listening(atoi(argv[2]));
		puts("ready");
		fflush(stdout);
		s = lwip_accept(s, NULL, NULL);
		begin = seconds();
		if (argc == 4 && strcmp(argv[1], "tap-source") == 0) {
			fill(s, strtoull(argv[3], NULL, 10));
			lwip_shutdown(s, SHUT_WR);
		}
		(void)drain(s);
		lwip_close(s);
		took = seconds() - begin;
	} else {
		fprintf(stderr, "usage: peer_lwip bulk BYTES | rate CONNECTIONS | tap-sink PORT | "
		    "tap-source PORT BYTES\n");
		return 2;
	}
	printf("%.6f\n", took);
	return 0;
}
