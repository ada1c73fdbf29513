/*
 * A machine on a TAP device that speaks TCP with the host's kernel, for tests/system/tcp_tap.py and ./dev
 * bench:
 *
 *	tcp_peer DEVICE [offload] [through=WIRE] ADDRESS/BITS... -- get HOST PORT PATH FILE
 *	                                          -- serve PORT FILE
 *	                                          -- sink PORT
 *	                                          -- source HOST PORT OCTETS
 *	                                          -- echo PORT
 *	                                          -- churn HOST PORT COUNT
 *	                                          -- accept PORT COUNT
 *	                                          -- iperf PORT
 *
 * get and serve speak HTTP/1.0, iperf is iperf3's server (iperf.c); sink, echo, serve and iperf run until
 * SIGTERM, the former take every connection at once, a thread each. With WIRE,
 * "loss=0.01,duplicate=0.01,corrupt=0.01,reorder=0.1,delay=5,jitter=1" (chances, ms), the machine is behind
 * a router, which has the device, and a wire that does these things both ways:
 *
 *	[ kernel 10.9.0.1 ]-- TAP --[ 10.9.0.2 router 10.10.0.1 ]-- wire --[ 10.10.0.2 machine ]
 *
 * (fd09::/64 and fd10::/64 likewise); the addresses are the router's then. source sends octets of a known
 * pattern and reads until the end; churn opens and closes, four at a time. Prints "ready" when it listens,
 * and one line for each thing that went wrong; exit status 1 then.
 */
#include "tests/live/tcp_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <nke/loop.h>
#include <nke/route.h>
#include <nke/socket.h>
#include <nke/sysctl.h>
#include <nke/wire.h>

#define CHUNK		(1 << 18)
#define CHURNERS	4

static nke_t *m;			/* whose sockets are used */
static nke_t *router;			/* whose device it is: m, or another */
static nke_tap_t *tap;
static nke_world_t *world;		/* theirs, and the wire between them; NULL: there is one machine */
static nke_wire_t *wire;
static unsigned failures;

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "tcp_peer: %s: %s\n", what, why);
	exit(2);
}

void
failed(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	fflush(stdout);
	__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
}

double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static socklen_t
address(const char *text, const char *port, struct sockaddr_storage *ss)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof *ss);
	if (inet_pton(AF_INET, text, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons((uint16_t)atoi(port));
		return sizeof *sin;
	}
	if (inet_pton(AF_INET6, text, &sin6->sin6_addr) != 1)
		die(text, "not an address");
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons((uint16_t)atoi(port));
	return sizeof *sin6;
}

static void
add_address(nke_iface_t *i, const char *text)
{
	char host[64];
	struct sockaddr_storage ss;
	const char *slash = strchr(text, '/');
	socklen_t len;

	if (slash == NULL)
		die(text, "no bits");
	snprintf(host, sizeof host, "%.*s", (int)(slash - text), text);
	len = address(host, "0", &ss);
	if (nke_iface_add_address(i, (struct sockaddr *)&ss, len, (unsigned)atoi(slash + 1)) != 0)
		die(text, "cannot be added");
}

/* ---- behind a wire ------------------------------------------------------------------------ */

static struct nke_wire_config
read_wire(char *text)
{
	struct nke_wire_config c = {0};
	char *word, *value;

	for (word = strtok(text, ","); word != NULL; word = strtok(NULL, ",")) {
		value = strchr(word, '=');
		if (value == NULL)
			die(word, "no value");
		*value++ = '\0';
		if (strcmp(word, "loss") == 0)
			c.loss = atof(value);
		else if (strcmp(word, "duplicate") == 0)
			c.duplicate = atof(value);
		else if (strcmp(word, "corrupt") == 0)
			c.corrupt = atof(value);
		else if (strcmp(word, "reorder") == 0)
			c.reorder = atof(value);
		else if (strcmp(word, "delay") == 0)
			c.delay_ns = (uint64_t)(atof(value) * 1e6);
		else if (strcmp(word, "jitter") == 0)
			c.jitter_ns = (uint64_t)(atof(value) * 1e6);
		else
			die(word, "nothing that a wire does");
	}
	return c;
}

static nke_iface_t *
new_iface(nke_t *machine, const char *name, uint8_t number)
{
	struct nke_iface_config config = {.name = name, .media = NKE_MEDIA_ETHERNET,
	    .lladdr = {2, 0, 0, 0, 0x10, number}};
	nke_iface_t *i;

	if (nke_iface_create(machine, &config, &i) != 0)
		die(name, nke_error_text(machine));
	return i;
}

static void
gateway(nke_iface_t *i, const char *text)
{
	struct sockaddr_storage ss;
	socklen_t len = address(text, "0", &ss);

	if (nke_iface_set_gateway(i, (struct sockaddr *)&ss, len) != 0)
		die(text, nke_error_text(m));
}

/* `m` and `router` are two machines of a world. */
static void
put_behind(char *what)
{
	struct nke_config config = {.name = "peer", .time = NKE_TIME_REAL};
	struct nke_wire_config wire_config = read_wire(what);
	nke_iface_t *near, *far;

	if (nke_world_create(&config, &world) != 0)
		die("world", "no memory");
	config.world = world;
	if (nke_create(&config, &m) != 0 || nke_create(&config, &router) != 0)
		die("machine", "no memory");
	near = new_iface(router, "en1", 1);
	far = new_iface(m, "en0", 2);
	if (nke_wire_create(m, &wire_config, 1, &wire) != 0 || nke_wire_plug(wire, near) != 0 ||
	    nke_wire_plug(wire, far) != 0)
		die("wire", nke_error_text(m));
	add_address(near, "10.10.0.1/24");
	add_address(near, "fd10::1/64");
	add_address(far, "10.10.0.2/24");
	add_address(far, "fd10::2/64");
	gateway(far, "10.10.0.1");
	gateway(far, "fd10::1");
	if (nke_sysctl_set_int(router, "net.inet.ip.forwarding", 1) != 0 ||
	    nke_sysctl_set_int(router, "net.inet6.ip6.forwarding", 1) != 0)
		die("router", nke_error_text(router));
}

/* Until none of the addresses is being tried any more. */
static void
wait_for_addresses(nke_t *machine)
{
	struct nke_address a[32];
	bool tentative = true;

	for (unsigned i = 0; i < 50 && tentative; i++) {
		size_t n = nke_address_list(machine, a, 32);

		tentative = false;
		for (size_t k = 0; k < n && k < 32; k++)
			tentative |= (a[k].flags & NKE_ADDRESS_TENTATIVE) != 0;
		if (tentative)
			usleep(100000);
	}
}

/* ---- sockets ------------------------------------------------------------------------------ */

static int
dial(const char *host, const char *port)
{
	struct sockaddr_storage ss;
	socklen_t len = address(host, port, &ss);
	int s = nke_socket(m, ss.ss_family, SOCK_STREAM, 0);

	if (s < 0)
		die("socket", strerror(errno));
	if (nke_connect(m, s, (struct sockaddr *)&ss, len) == 0)
		return s;
	failed("connect");
	nke_close(m, s);
	return -1;
}

/* For both families. */
static int
listening(const char *port)
{
	struct sockaddr_storage ss;
	socklen_t len = address("::", port, &ss);
	int s = nke_socket(m, AF_INET6, SOCK_STREAM, 0), on = 1, off = 0;

	if (s < 0 || nke_setsockopt(m, s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    nke_setsockopt(m, s, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0 ||
	    nke_bind(m, s, (struct sockaddr *)&ss, len) != 0 || nke_listen(m, s, 128) != 0)
		die("listen", strerror(errno));
	puts("ready");
	fflush(stdout);
	return s;
}

bool
send_all(nke_t *machine, int s, const void *data, size_t len)
{
	const char *at = data;

	while (len != 0) {
		ssize_t n = nke_send(machine, s, at, len, 0);

		if (n < 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

/* ---- what connections do ------------------------------------------------------------------ */

static void
do_sink(int s)
{
	char *data = malloc(CHUNK);
	uint64_t total = 0;
	ssize_t n;

	while ((n = nke_recv(m, s, data, CHUNK, 0)) > 0)
		total += (uint64_t)n;
	if (n < 0)
		failed("receive");
	printf("received %llu\n", (unsigned long long)total);
	fflush(stdout);
	free(data);
}

static void
do_echo(int s)
{
	char *data = malloc(CHUNK);
	ssize_t n;

	while ((n = nke_recv(m, s, data, CHUNK, 0)) > 0)
		if (!send_all(m, s, data, (size_t)n))
			break;
	if (n != 0)
		failed("echo");
	free(data);
}

static const char *served;

static void
do_serve(int s)
{
	char *data = malloc(CHUNK), head[128];
	FILE *f = fopen(served, "rb");
	size_t n, have = 0;
	long size;

	if (f == NULL)
		die(served, strerror(errno));
	/* The request, whatever it is, ends with an empty line. */
	do {
		ssize_t got = nke_recv(m, s, data + have, CHUNK - 1 - have, 0);

		if (got <= 0)
			goto out;
		have += (size_t)got;
		data[have] = '\0';
	} while (strstr(data, "\r\n\r\n") == NULL);
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	snprintf(head, sizeof head, "HTTP/1.0 200 OK\r\nContent-Length: %ld\r\n\r\n", size);
	if (!send_all(m, s, head, strlen(head)))
		failed("send");
	while ((n = fread(data, 1, CHUNK, f)) != 0) {
		if (!send_all(m, s, data, n)) {
			failed("send");
			break;
		}
	}
out:
	fclose(f);
	free(data);
}

struct job {
	void (*fn)(int);
	int s;
};

static void *
run_job(void *arg)
{
	struct job *j = arg;

	j->fn(j->s);
	if (nke_close(m, j->s) != 0)
		failed("close");
	free(j);
	return NULL;
}

static void
serve_all(const char *port, void (*fn)(int))
{
	int listener = listening(port);
	pthread_t thread;

	for (;;) {
		struct job *j = malloc(sizeof *j);

		j->fn = fn;
		j->s = nke_accept(m, listener, NULL, NULL);
		if (j->s < 0) {
			failed("accept");
			free(j);
			return;
		}
		if (pthread_create(&thread, NULL, run_job, j) != 0)
			die("thread", "cannot be made");
		pthread_detach(thread);
	}
}

/* ---- what it asks for --------------------------------------------------------------------- */

static void
get(const char *host, const char *port, const char *path, const char *file)
{
	char *data = malloc(CHUNK), *body = NULL;
	FILE *f = fopen(file, "wb");
	int s = dial(host, port);
	size_t have = 0;
	ssize_t n;

	if (f == NULL)
		die(file, strerror(errno));
	if (s < 0)
		return;
	n = snprintf(data, CHUNK, "GET %s HTTP/1.0\r\nHost: nke\r\n\r\n", path);
	if (!send_all(m, s, data, (size_t)n))
		failed("send");
	while ((n = nke_recv(m, s, data + have, CHUNK - 1 - have, 0)) > 0) {
		have += (size_t)n;
		if (body == NULL) {
			data[have] = '\0';
			body = strstr(data, "\r\n\r\n");
			if (body == NULL)
				continue;
			body += 4;
			fwrite(body, 1, have - (size_t)(body - data), f);
		} else {
			fwrite(data, 1, have, f);
		}
		have = 0;
	}
	if (n < 0)
		failed("receive");
	if (fclose(f) != 0 || body == NULL)
		failed("get");
	nke_close(m, s);
	free(data);
}

static void
source(const char *host, const char *port, uint64_t octets)
{
	char *data = malloc(CHUNK);
	int s = dial(host, port);
	double begin = seconds();
	ssize_t n;

	if (s < 0)
		return;
	for (size_t i = 0; i < CHUNK; i++)
		data[i] = (char)(i * 31 >> 3);
	for (uint64_t left = octets; left != 0;) {
		size_t part = left < CHUNK ? (size_t)left : CHUNK;

		if (!send_all(m, s, data, part)) {
			failed("send");
			break;
		}
		left -= part;
	}
	if (nke_shutdown(m, s, SHUT_WR) != 0)
		failed("shutdown");
	while ((n = nke_recv(m, s, data, CHUNK, 0)) > 0)
		continue;
	if (n < 0)
		failed("receive");
	printf("%.6f s\n", seconds() - begin);
	nke_close(m, s);
	free(data);
}

struct churn {
	const char *host, *port;
	unsigned count;
};

static void *
churn_some(void *arg)
{
	const struct churn *c = arg;
	char octet;

	for (unsigned i = 0; i < c->count; i++) {
		int s = dial(c->host, c->port);

		if (s < 0)
			break;
		/* Who ends first is not always the same side. */
		if (i % 2 == 0 && (nke_shutdown(m, s, SHUT_WR) != 0 || nke_recv(m, s, &octet, 1, 0) != 0))
			failed("end");
		if (nke_close(m, s) != 0)
			failed("close");
	}
	return NULL;
}

static void
churn(const char *host, const char *port, unsigned count)
{
	struct churn c = {host, port, count / CHURNERS};
	pthread_t threads[CHURNERS];
	double begin = seconds();

	for (unsigned i = 0; i < CHURNERS; i++)
		if (pthread_create(&threads[i], NULL, churn_some, &c) != 0)
			die("thread", "cannot be made");
	for (unsigned i = 0; i < CHURNERS; i++)
		pthread_join(threads[i], NULL);
	printf("%.6f s\n", seconds() - begin);
}

static void
accept_many(const char *port, unsigned count)
{
	int listener = listening(port);
	char octet;

	for (unsigned i = 0; i < count; i++) {
		int s = nke_accept(m, listener, NULL, NULL);

		if (s < 0) {
			failed("accept");
			return;
		}
		if (nke_recv(m, s, &octet, 1, 0) < 0)
			failed("receive");
		if (nke_close(m, s) != 0)
			failed("close");
	}
}

static void
stop(int signal)
{
	(void)signal;
	_exit(failures != 0);
}

int
main(int argc, char **argv)
{
	struct nke_config config = {.name = "peer", .time = NKE_TIME_REAL};
	struct nke_tap_config tap_config = {.up = true};
	const char *mode;
	nke_loop_t *loop;
	int i = 2;

	if (argc < 5)
		die("usage", "DEVICE [offload] ADDRESS/BITS... -- MODE ...");
	tap_config.device = argv[1];
	if (strcmp(argv[i], "offload") == 0) {
		tap_config.offload = true;
		i++;
	}
	if (strncmp(argv[i], "through=", 8) == 0) {
		put_behind(argv[i++] + 8);
	} else {
		if (nke_create(&config, &m) != 0)
			die("machine", "no memory");
		router = m;
	}
	if (nke_tap_open(router, &tap_config, &tap) != 0)
		die("TAP", nke_error_text(router));
	for (; i < argc && strcmp(argv[i], "--") != 0; i++)
		add_address(nke_tap_iface(tap), argv[i]);
	if (nke_loop_create(router, NULL, &loop) != 0 || nke_loop_add_tap(loop, tap) != 0 ||
	    nke_loop_start(loop) != 0)
		die("loop", nke_error_text(router));
	wait_for_addresses(router);
	wait_for_addresses(m);
	signal(SIGTERM, stop);
	argv += i + 1;
	argc -= i + 1;
	mode = argc > 1 ? argv[0] : "";
	if (strcmp(mode, "get") == 0 && argc == 5)
		get(argv[1], argv[2], argv[3], argv[4]);
	else if (strcmp(mode, "serve") == 0 && argc == 3)
		served = argv[2], serve_all(argv[1], do_serve);
	else if (strcmp(mode, "sink") == 0 && argc == 2)
		serve_all(argv[1], do_sink);
	else if (strcmp(mode, "echo") == 0 && argc == 2)
		serve_all(argv[1], do_echo);
	else if (strcmp(mode, "source") == 0 && argc == 4)
		source(argv[1], argv[2], strtoull(argv[3], NULL, 10));
	else if (strcmp(mode, "churn") == 0 && argc == 4)
		churn(argv[1], argv[2], (unsigned)atoi(argv[3]));
	else if (strcmp(mode, "accept") == 0 && argc == 3)
		accept_many(argv[1], (unsigned)atoi(argv[2]));
	else if (strcmp(mode, "iperf") == 0 && argc == 2)
		serve_iperf(m, listening(argv[1]));
	else
		die("mode", "unknown");
	/* What was closed ends in order: FINs and their acknowledgements. */
	usleep(300000);
	nke_loop_stop(loop);
	nke_loop_join(loop);
	nke_tap_close(tap);
	nke_loop_destroy(loop);
	nke_destroy(m);
	if (router != m) {
		nke_destroy(router);
		nke_wire_destroy(wire);
		nke_world_destroy(world);
	}
	return failures != 0;
}
