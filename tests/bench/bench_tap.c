/*
 * UDP datagrams of the host's kernel by way of a TAP device: how fast a machine's socket has them, beside a
 * bare loop of read() on the device's descriptor.
 *
 *	[ kernel tap0 10.77.0.1 ]----- TAP -----[ read(), or en0 10.77.0.2 machine: socket ]
 *
 *	bench_tap [DATAGRAMS [ROUNDS [BYTES]]]
 *
 * On one core, in turns: half of what the device's queue holds by default is sent, then received, until so
 * many have come. Told is what a datagram costs all in all, sending included, which is what limits
 * throughput, and the part of it that is the receiver's.
 * Everything is in a network namespace of its own. Exit status 77 where that, or a TAP device, cannot be had.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <nke/loop.h>
#include <nke/socket.h>

#define PORT		7
#define MAX_BYTES	1472
#define BURST		500u

struct cost {
	double all, receiving;		/* seconds a datagram */
};

static unsigned wanted, got;
static size_t payload;
static nke_loop_t *loop;

static void
leave(int code, const char *what)
{
	fprintf(stderr, "bench_tap: %s: %s\n", what, strerror(errno));
	exit(code);
}

/* Of this process, so that whatever else the host does matters less: neither side ever waits. */
static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---- the kernel's end --------------------------------------------------------------------- */

static void
set_up_tap(void)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in sin = {.sin_family = AF_INET};
	struct ifreq ifr;

	memset(&ifr, 0, sizeof ifr);
	strcpy(ifr.ifr_name, "tap0");
	inet_pton(AF_INET, "10.77.0.1", &sin.sin_addr);
	memcpy(&ifr.ifr_addr, &sin, sizeof sin);
	if (ioctl(s, SIOCSIFADDR, &ifr) != 0)
		leave(1, "address");
	inet_pton(AF_INET, "255.255.255.0", &sin.sin_addr);
	memcpy(&ifr.ifr_netmask, &sin, sizeof sin);
	if (ioctl(s, SIOCSIFNETMASK, &ifr) != 0)
		leave(1, "netmask");
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(s, SIOCSIFFLAGS, &ifr) != 0)
		leave(1, "up");
	close(s);
}

/* Without a neighbour that answers, by a permanent entry. */
static void
set_neighbor(const uint8_t lladdr[6])
{
	char command[128];

	snprintf(command, sizeof command, "ip neigh replace 10.77.0.2 lladdr "
	    "%02x:%02x:%02x:%02x:%02x:%02x dev tap0", lladdr[0], lladdr[1], lladdr[2], lladdr[3],
		lladdr[4], lladdr[5]);
	if (system(command) != 0)
		leave(1, command);
}

static void
send_burst(void)
{
	static int s = -1;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	static char data[MAX_BYTES];

	if (s < 0)
		s = socket(AF_INET, SOCK_DGRAM, 0);
	inet_pton(AF_INET, "10.77.0.2", &to.sin_addr);
	for (unsigned i = 0; i < BURST; i++)
		if (sendto(s, data, payload, 0, (struct sockaddr *)&to, sizeof to) != (ssize_t)payload)
			leave(1, "sendto");
}

/* ---- a bare reader ------------------------------------------------------------------------ */

static const uint8_t station[6] = {2, 0, 0, 0, 0, 2};

static bool
is_datagram(const uint8_t *frame, ssize_t n)
{
	return n >= 42 && frame[12] == 8 && frame[13] == 0 && frame[23] == IPPROTO_UDP && frame[37] == PORT;
}

static struct cost
bare(void)
{
	static uint8_t frame[2048];
	struct ifreq ifr;
	double start = 0, begin, receiving = 0;
	unsigned total = 0;
	int fd = open("/dev/net/tun", O_RDWR);

	memset(&ifr, 0, sizeof ifr);
	strcpy(ifr.ifr_name, "tap0");
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI;
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) != 0)
		leave(1, "tap0");
	set_up_tap();
	set_neighbor(station);
	begin = now();
	for (; total < wanted; total += got) {
		send_burst();
		start = now();
		for (got = 0; got < BURST;) {
			ssize_t n = read(fd, frame, sizeof frame);

			if (n < 0)
				leave(1, "read");
			got += is_datagram(frame, n);
		}
		receiving += now() - start;
	}
	begin = now() - begin;
	close(fd);
	return (struct cost){begin / total, receiving / total};
}

/* ---- a machine's socket ------------------------------------------------------------------- */

static void
receive(nke_event_t *e, int s, short what, void *arg)
{
	static char data[2048];
	nke_t *m = arg;

	(void)e;
	(void)what;
	while (nke_recv(m, s, data, sizeof data, MSG_DONTWAIT) >= 0)
		got++;
	if (got >= BURST)
		nke_loop_stop(loop);
}

static struct cost
machine(void)
{
	struct nke_config config = {.time = NKE_TIME_REAL};
	struct nke_tap_config tap_config = {.device = "tap0"};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	nke_event_t *event;
	nke_tap_t *tap;
	nke_t *m;
	double start = 0, begin, receiving = 0;
	unsigned total = 0;
	int s, room = 1 << 20;

	memcpy(tap_config.lladdr, station, sizeof station);
	inet_pton(AF_INET, "10.77.0.2", &address.sin_addr);
	if ((errno = nke_create(&config, &m)) != 0)
		leave(1, "machine");
	if ((errno = nke_tap_open(m, &tap_config, &tap)) != 0)
		leave(1, nke_error_text(m));
	set_up_tap();
	set_neighbor(station);
	if ((errno = nke_iface_add_address(nke_tap_iface(tap), (struct sockaddr *)&address, sizeof address,
	    24)) != 0 ||
	    (errno = nke_loop_create(m, NULL, &loop)) != 0 || (errno = nke_loop_add_tap(loop, tap)) != 0)
		leave(1, nke_error_text(m));
	s = nke_socket(m, AF_INET, SOCK_DGRAM, 0);
	if (s < 0 || nke_setsockopt(m, s, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) != 0 ||
	    nke_bind(m, s, (struct sockaddr *)&address, sizeof address) != 0)
		leave(1, "socket");
	if ((errno = nke_event_new(loop, s, POLLIN, receive, m, &event)) != 0)
		leave(1, nke_error_text(m));
	begin = now();
	for (; total < wanted; total += got) {
		got = 0;
		send_burst();
		start = now();
		if (nke_loop_run(loop) != 0)
			leave(1, nke_error_text(m));
		receiving += now() - start;
	}
	begin = now() - begin;
	nke_tap_close(tap);
	nke_loop_destroy(loop);
	nke_destroy(m);
	return (struct cost){begin / total, receiving / total};
}

int
main(int argc, char **argv)
{
	unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 7;

	wanted = argc > 1 ? (unsigned)atoi(argv[1]) : 50000;
	payload = argc > 3 ? (size_t)atoi(argv[3]) : 64;
	if (wanted == 0 || payload > MAX_BYTES)
		return 1;
	if (access("/dev/net/tun", R_OK | W_OK) != 0)
		leave(77, "skipped: /dev/net/tun");
	if (unshare(CLONE_NEWNET) != 0)
		leave(77, "skipped: a network namespace of one's own");
	(void)!system("sysctl -qw net.ipv6.conf.default.disable_ipv6=1 2>/dev/null");
	for (unsigned i = 0; i < rounds; i++) {
		struct cost a = bare(), b = machine();

		printf("bare %.0f ns, machine %.0f ns a datagram of %zu bytes; receiving alone %.0f, %.0f\n",
		    a.all * 1e9, b.all * 1e9, payload, a.receiving * 1e9, b.receiving * 1e9);
	}
	return 0;
}
