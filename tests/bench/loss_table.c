/*
 * What TCP gets through a bottleneck that loses frames: throughput in virtual time, by loss and round trip
 * time, for each congestion control, beside what the response functions of the RFCs say (5681 and 3649 for
 * Reno, 9438 section 5 for CUBIC). The bottleneck's queue is as long as the path (at least 50 frames).
 *
 *	[ A en0 10.0.0.1 ]----- wire: rate, delay, loss towards B -----[ en0 10.0.0.2 B ]
 *
 * usage: loss_table [-c ALGORITHM] [-l LOSS%] [-d RTT_MS] [-r MBIT] [-t SECONDS] [-s SEED] [-w FILE] [-kov]
 *        [-S SYSCTL=VALUE]... [-R REORDER%] [-D DUPLICATE%]
 * Without -c, -l, -d: all of them. -k: the machines check themselves. -o: the wire takes large segments.
 * -v: counters. -w: a capture of both ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <nke/socket.h>
#include <nke/stats.h>
#include <nke/sysctl.h>
#include <nke/wire.h>

#define SEGMENT		1448.0
#define FRAME		1514.0
#define PORT		5001
#define PIECE		262144
#define STEP_NS		1000000ull
#define BUFFER		(64 * 1024 * 1024)

static const double all_losses[] = {0, 0.1, 0.5, 1, 2, 5};
static const double all_delays[] = {1, 10, 50, 100, 200};
static const char *const all_algorithms[] = {"cubic", "newreno"};

struct options {
	const char *algorithm, *capture;
	double loss, delay, rate, seconds, reorder, duplicate;	/* loss, delay: below 0: all */
	unsigned long seed;
	bool checked, counters, offload;
	const char *sysctls[16];
	unsigned sysctl_count;
};

static nke_t *machines[2];

static void
must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	for (int i = 0; i < 2; i++)
		if (machines[i] != NULL && nke_panicked(machines[i]))
			fprintf(stderr, "%s\n", nke_panic_report(machines[i]));
	exit(1);
}

/* ---- what is expected ----------------------------------------------------------------------- */

/*
 * Segments of the average window. RFC 3649 section 5 has 1.2 for Reno; 9438 section 5.1, equation 6,
 * C 0.4.
 */
static double
average_window(const char *algorithm, double p, double rtt)
{
	double reno = 1.22 / sqrt(p), cubic = 1.054 * pow(rtt / p, 0.75);

	return strcmp(algorithm, "cubic") == 0 && cubic > reno ? cubic : reno;
}

/* Mbit/s of data, at most what the wire takes. */
static double
expected(const char *algorithm, double loss, double rtt, double rate)
{
	double most = rate * SEGMENT / FRAME, w;

	if (loss <= 0)
		return most;
	w = average_window(algorithm, loss, rtt) * SEGMENT * 8 / rtt / 1e6;
	return w < most ? w : most;
}

/* ---- one measurement ------------------------------------------------------------------------ */

static nke_iface_t *
interface(nke_t *m, unsigned id)
{
	struct nke_iface_config config = {.name = "en0", .lladdr = {2, 0, 0, 0, 0, (uint8_t)id}};
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000000 + id)};
	nke_iface_t *i;

	must(nke_iface_create(m, &config, &i) == 0 &&
	    nke_iface_add_address(i, (struct sockaddr *)&sin, sizeof sin, 24) == 0, "an interface");
	return i;
}

static void
set(nke_t *m, const struct options *o)
{
	must(nke_sysctl_set_int(m, "kern.ipc.maxsockbuf", BUFFER) == 0, "kern.ipc.maxsockbuf");
	must(nke_sysctl_set_int(m, "net.inet.tcp.sendbuf_max", BUFFER) == 0 &&
	    nke_sysctl_set_int(m, "net.inet.tcp.recvbuf_max", BUFFER) == 0, "net.inet.tcp.*buf_max");
	for (unsigned i = 0; i < o->sysctl_count; i++) {
		char name[128];
		const char *value = strchr(o->sysctls[i], '=');

		must(value != NULL, "-S NAME=VALUE");
		snprintf(name, sizeof name, "%.*s", (int)(value - o->sysctls[i]), o->sysctls[i]);
		must(nke_sysctl_set_int(m, name, atoi(value + 1)) == 0, name);
	}
}

static uint64_t
exchange(nke_t *a, nke_t *b, int sa, int sb)
{
	static char out[PIECE], in[PIECE];
	uint64_t got = 0;
	ssize_t n;

	while (nke_send(a, sa, out, sizeof out, MSG_DONTWAIT) > 0)
		;
	must(errno == EAGAIN, "nke_send");
	while ((n = nke_recv(b, sb, in, sizeof in, MSG_DONTWAIT)) > 0)
		got += (uint64_t)n;
	must(n < 0 && errno == EAGAIN, "nke_recv");
	return got;
}

static int
connected(nke_t *a, nke_t *b, int *sb)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int l = nke_socket(b, AF_INET, SOCK_STREAM, 0), sa = nke_socket(a, AF_INET, SOCK_STREAM, 0);

	must(l >= 0 && sa >= 0 && nke_bind(b, l, (struct sockaddr *)&sin, sizeof sin) == 0 &&
	    nke_listen(b, l, 1) == 0, "sockets");
	sin.sin_addr.s_addr = htonl(0x0a000002);
	must(nke_connect(a, sa, (struct sockaddr *)&sin, sizeof sin) == 0, "nke_connect");
	*sb = nke_accept(b, l, NULL, NULL);
	must(*sb >= 0, "nke_accept");
	return sa;
}

/* What TCP has counted. */
static void
tell(nke_t *m)
{
	struct nke_counter c[256];
	size_t n = nke_stats_protocol(m, "tcp", c, sizeof c / sizeof *c);

	for (size_t i = 0; i < n && i < sizeof c / sizeof *c; i++)
		if (c[i].value != 0)
			printf("\t%llu %s\n", (unsigned long long)c[i].value, c[i].name);
}

/* Mbit/s of data, after a tenth of the time for the beginning. */
static double
measure(const struct options *o, const char *algorithm, double loss, double rtt)
{
	double path = o->rate * 1e6 * rtt / 8 / FRAME;
	struct nke_wire_config back = {.rate_bps = (uint64_t)(o->rate * 1e6),
	    .delay_ns = (uint64_t)(rtt * 5e8),
	    .queue_frames = path > 50 ? (uint32_t)path : 50, .offload = o->offload};
	struct nke_wire_config forth = back;
	struct nke_config config = {.checked = o->checked, .mbuf_limit_bytes = 1024u << 20, .seed = o->seed};
	uint64_t steps = (uint64_t)(o->seconds * 1e9 / (double)STEP_NS), early = steps / 10, got = 0, octets;
	nke_iface_t *ai, *bi;
	nke_world_t *world;
	nke_wire_t *wire;
	int sa, sb;

	forth.loss = loss;
	forth.reorder = o->reorder;
	forth.reorder_ns = (uint64_t)(rtt * 1e9 / 8);
	forth.duplicate = o->duplicate;
	must(nke_world_create(NULL, &world) == 0, "a world");
	config.world = world;
	for (int i = 0; i < 2; i++) {
		config.name = i == 0 ? "a" : "b";
		must(nke_create(&config, &machines[i]) == 0, "a machine");
		set(machines[i], o);
	}
	ai = interface(machines[0], 1);
	bi = interface(machines[1], 2);
	must(nke_wire_create(machines[0], &back, o->seed, &wire) == 0 && nke_wire_plug(wire, ai) == 0 &&
	    nke_wire_plug(wire, bi) == 0, "a wire");
	if (o->capture != NULL)
		must(nke_wire_capture(wire, NULL, o->capture) == 0, o->capture);
	must(nke_sysctl(machines[0], "net.inet.tcp.cc.algorithm", NULL, NULL, algorithm,
	    strlen(algorithm)) == 0, algorithm);
	must(nke_run_for(machines[0], 10000000000) == 0, "address conflict detection");
	sa = connected(machines[0], machines[1], &sb);
	must(nke_wire_configure(wire, bi, &forth) == 0, "the wire");
	for (uint64_t i = 0; i < steps; i++) {
		octets = exchange(machines[0], machines[1], sa, sb);
		if (i >= early)
			got += octets;
		must(nke_run_for(machines[0], STEP_NS) == 0, "nke_run_for");
	}
	if (o->capture != NULL)
		must(nke_wire_capture_end(wire) == 0, o->capture);
	for (int i = 0; i < 2 && o->counters; i++)
		tell(machines[i]);
	nke_wire_destroy(wire);
	for (int i = 0; i < 2; i++) {
		nke_destroy(machines[i]);
		machines[i] = NULL;
	}
	nke_world_destroy(world);
	return (double)got * 8 / ((double)(steps - early) * (double)STEP_NS / 1e9) / 1e6;
}

/* ---- the table ------------------------------------------------------------------------------ */

static void
one(const struct options *o, const char *algorithm, double loss, double delay)
{
	double want = expected(algorithm, loss / 100, delay / 1e3, o->rate), got;
	struct timespec t0, t1;

	clock_gettime(CLOCK_MONOTONIC, &t0);
	got = measure(o, algorithm, loss / 100, delay / 1e3);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	printf("%-8s %5.2f %7.0f %10.3f %10.3f %7.2f %8.2f\n", algorithm, loss, delay, got, want, got / want,
	    (double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9);
	fflush(stdout);
}

static void
table(const struct options *o)
{
	printf("%-8s %5s %7s %10s %10s %7s %8s\n", "control", "loss%", "rtt_ms", "Mbit/s", "theory", "ratio",
	    "took_s");
	for (unsigned a = 0; a < 2; a++) {
		if (o->algorithm != NULL && strcmp(o->algorithm, all_algorithms[a]) != 0)
			continue;
		for (unsigned d = 0; d < sizeof all_delays / sizeof *all_delays; d++) {
			double delay = o->delay < 0 ? all_delays[d] : o->delay;

			for (unsigned l = 0; l < sizeof all_losses / sizeof *all_losses; l++) {
				one(o, all_algorithms[a], o->loss < 0 ? all_losses[l] : o->loss, delay);
				if (o->loss >= 0)
					break;
			}
			if (o->delay >= 0)
				break;
		}
	}
}

int
main(int argc, char **argv)
{
	struct options o = {.loss = -1, .delay = -1, .rate = 100, .seconds = 60, .seed = 1};
	int c;

	while ((c = getopt(argc, argv, "c:l:d:r:t:s:w:kovS:R:D:")) != -1) {
		switch (c) {
		case 'c':
			o.algorithm = optarg;
			break;
		case 'l':
			o.loss = atof(optarg);
			break;
		case 'd':
			o.delay = atof(optarg);
			break;
		case 'r':
			o.rate = atof(optarg);
			break;
		case 't':
			o.seconds = atof(optarg);
			break;
		case 's':
			o.seed = strtoul(optarg, NULL, 0);
			break;
		case 'w':
			o.capture = optarg;
			break;
		case 'k':
			o.checked = true;
			break;
		case 'o':
			o.offload = true;
			break;
		case 'v':
			o.counters = true;
			break;
		case 'S':
			must(o.sysctl_count < 16, "too many -S");
			o.sysctls[o.sysctl_count++] = optarg;
			break;
		case 'R':
			o.reorder = atof(optarg) / 100;
			break;
		case 'D':
			o.duplicate = atof(optarg) / 100;
			break;
		default:
			return 2;
		}
	}
	table(&o);
	return 0;
}
