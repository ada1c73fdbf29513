/*
 * Bulk TCP of the host's kernel by way of a TAP device with offloads, in both directions: a machine's
 * socket, beside a bare loop on the device's descriptor that only drains it (and acknowledges, or the
 * kernel would send no more) or fills it, and beside lwIP's TAP port.
 *
 *	[ kernel tap0 10.77.0.1: a thread ]----- TAP -----[ bare loop, machine 10.77.0.2, or lwIP 10.99.0.2
 *	]
 *
 *	bench_tcp_tap [MEBIOCTETS [ROUNDS [PEER_LWIP]]]
 *
 * Everything is in a network namespace of its own, on whatever cores the caller gives. Prints lines
 * "WHO in|out SECONDS". Exit status 77 where a namespace or a TAP device cannot be had.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <nke/loop.h>
#include <nke/socket.h>

#define PORT		5001
#define CHUNK		(1 << 18)
#define LARGE		(44 * 1460)	/* octets of a large segment of the bare writer */
#define SCALE		7

static const uint8_t station[6] = {2, 0, 0, 0, 0, 2};
static size_t wanted;

static void __attribute__((noreturn))
leave(int code, const char *what)
{
	fprintf(stderr, "bench_tcp_tap: %s: %s\n", what, strerror(errno));
	exit(code);
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
command(const char *text)
{
	if (system(text) != 0)
		leave(1, text);
}

/* ---- the kernel's end: a thread ------------------------------------------------------------- */

struct kernel_job {
	const char *to;
	bool sends;
	pthread_t thread;
};

static void *
kernel_end(void *arg)
{
	const struct kernel_job *j = arg;
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	char *data = calloc(1, CHUNK);
	size_t done = 0;
	ssize_t n = 1;
	int s = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, j->to, &sin.sin_addr);
	if (connect(s, (struct sockaddr *)&sin, sizeof sin) != 0)
		leave(1, "kernel: connect");
	if (j->sends) {
		for (; done < wanted && n > 0; done += (size_t)n)
			n = send(s, data, wanted - done < CHUNK ? wanted - done : CHUNK, MSG_NOSIGNAL);
		shutdown(s, SHUT_WR);
		while (recv(s, data, CHUNK, 0) > 0)
			continue;
	} else {
		while ((n = recv(s, data, CHUNK, 0)) > 0)
			done += (size_t)n;
	}
	if (done < wanted)
		fprintf(stderr, "bench_tcp_tap: kernel: only %zu octets\n", done);
	close(s);
	free(data);
	return NULL;
}

static void
start_kernel(struct kernel_job *j, const char *to, bool sends)
{
	j->to = to;
	j->sends = sends;
	if (pthread_create(&j->thread, NULL, kernel_end, j) != 0)
		leave(1, "thread");
}

/* ---- a bare loop -------------------------------------------------------------------------- */

/* What a connection comes down to. Sequence numbers in host order. */
struct bare {
	int fd;
	uint8_t peer[6];
	uint32_t snd_nxt, snd_una, rcv_nxt, window;
	uint16_t fport;
	unsigned scale;
	bool up, finished;
};

struct frame {
	uint8_t ether[14];
	uint8_t rest[40];
};

static uint32_t
sum16(const void *p, size_t len)
{
	const uint8_t *b = p;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)b[i] << 8 | b[i + 1];
	return sum;
}

static uint16_t
folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)sum);
}

/* The transport's checksum is left to the kernel, like cutting into segments. */
static void
put(struct bare *b, uint8_t flags, const void *data, size_t len, const uint8_t *options, size_t olen)
{
	struct virtio_net_hdr h = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16};
	uint8_t frame[14 + 20 + 20 + 40];
	struct iphdr ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP,
	    .tot_len = htons((uint16_t)(40 + olen + len)), .frag_off = htons(0x4000)};
	struct tcphdr th = {.source = htons(PORT), .dest = b->fport, .seq = htonl(b->snd_nxt),
	    .ack_seq = htonl(b->rcv_nxt), .doff = (uint16_t)(5 + olen / 4), .window = htons(65535)};
	struct iovec iov[3] = {{&h, sizeof h}, {frame, 54 + olen}, {(void *)(uintptr_t)data, len}};

	inet_pton(AF_INET, "10.77.0.2", &ip.saddr);
	inet_pton(AF_INET, "10.77.0.1", &ip.daddr);
	ip.check = (uint16_t)~folded(sum16(&ip, sizeof ip));
	th.th_flags = flags;
	th.check = folded(sum16(&ip.saddr, 8) + IPPROTO_TCP + (uint32_t)(20 + olen + len));
	if (len > 1460) {
		h.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
		h.gso_size = 1460;
		h.hdr_len = 54;
	}
	memcpy(frame, b->peer, 6);
	memcpy(frame + 6, station, 6);
	frame[12] = 8;
	frame[13] = 0;
	memcpy(frame + 14, &ip, 20);
	memcpy(frame + 34, &th, 20);
	if (olen != 0)
		memcpy(frame + 54, options, olen);
	if (writev(b->fd, iov, 3) < 0)
		leave(1, "write");
	b->snd_nxt += (uint32_t)len + ((flags & (TH_SYN | TH_FIN)) != 0);
}

/* The peer's window scale. */
static unsigned
scale_of(const uint8_t *o, size_t len)
{
	for (size_t i = 0; i + 2 < len; i += o[i] < 2 ? 1 : o[i + 1] != 0 ? o[i + 1] : len)
		if (o[i] == 3)
			return o[i + 2];
	return 0;
}

static void
take(struct bare *b, uint8_t *p, size_t n)
{
	static const uint8_t options[8] = {2, 4, 1460 >> 8, 1460 & 255, 1, 3, 3, SCALE};
	struct iphdr ip;
	struct tcphdr th;
	size_t len;

	p += sizeof(struct virtio_net_hdr);
	n -= sizeof(struct virtio_net_hdr);
	if (n < 54 || p[12] != 8 || p[13] != 0)
		return;
	memcpy(&ip, p + 14, 20);
	memcpy(&th, p + 34, 20);
	if (ip.protocol != IPPROTO_TCP || th.dest != htons(PORT))
		return;
	len = ntohs(ip.tot_len) - 20u - th.doff * 4u;
	if (th.syn) {
		*b = (struct bare){.fd = b->fd, .fport = th.source, .rcv_nxt = ntohl(th.seq) + 1,
		    .scale = scale_of(p + 54, th.doff * 4u - 20)};
		memcpy(b->peer, p + 6, 6);
		put(b, TH_SYN | TH_ACK, NULL, 0, options, sizeof options);
		return;
	}
	/* An earlier round's connection may still be saying good-bye. */
	if (th.source != b->fport)
		return;
	b->up = true;
	b->snd_una = ntohl(th.ack_seq);
	b->window = (uint32_t)ntohs(th.window) << b->scale;
	if (len == 0 && !th.fin)
		return;
	b->rcv_nxt = ntohl(th.seq) + (uint32_t)len + th.fin;
	if (th.fin)
		b->finished = true;
	put(b, th.fin && b->snd_nxt == 1 ? TH_ACK | TH_FIN : TH_ACK, NULL, 0, NULL, 0);
}

static void
read_one(struct bare *b)
{
	static uint8_t buffer[70000];
	ssize_t n = read(b->fd, buffer, sizeof buffer);

	if (n < 0)
		leave(1, "read");
	take(b, buffer, (size_t)n);
}

static int
open_tap(int more)
{
	struct ifreq ifr;
	int fd = open("/dev/net/tun", O_RDWR | more), len = sizeof(struct virtio_net_hdr);

	memset(&ifr, 0, sizeof ifr);
	strcpy(ifr.ifr_name, "tap0");
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) != 0)
		leave(77, "skipped: TAP device");
	if (ioctl(fd, TUNSETVNETHDRSZ, &len) != 0 ||
	    ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) != 0)
		leave(77, "skipped: offloads");
	return fd;
}

static void
set_up(void)
{
	command("ip addr add 10.77.0.1/24 dev tap0");
	command("ip link set tap0 up");
	command("ip neigh replace 10.77.0.2 lladdr 02:00:00:00:00:02 dev tap0");
}

static double
bare(bool in)
{
	static uint8_t zeros[LARGE];
	struct bare b = {.fd = open_tap(0)};
	struct kernel_job j;
	size_t sent = 0;
	double begin;

	set_up();
	begin = now();
	start_kernel(&j, "10.77.0.2", in);
	while (!b.up)
		read_one(&b);
	if (in) {
		while (!b.finished)
			read_one(&b);
	} else {
		while (sent < wanted) {
			size_t len = wanted - sent < LARGE ? wanted - sent : LARGE;

			if (b.snd_nxt - b.snd_una + len > b.window) {
				read_one(&b);
				continue;
			}
			put(&b, TH_ACK, zeros, len, NULL, 0);
			sent += len;
		}
		while (b.snd_una != b.snd_nxt)
			read_one(&b);
		put(&b, TH_ACK | TH_FIN, NULL, 0, NULL, 0);
		while (!b.finished)
			read_one(&b);
	}
	pthread_join(j.thread, NULL);
	begin = now() - begin;
	close(b.fd);
	return begin;
}

/* ---- a machine ---------------------------------------------------------------------------- */

struct ours {
	nke_t *m;
	nke_loop_t *loop;
	nke_event_t *event;
	bool in;
	size_t done;
	char data[CHUNK];
};

static void
transfer(nke_event_t *e, int s, short what, void *arg)
{
	struct ours *o = arg;
	ssize_t n = 1;

	(void)e;
	(void)what;
	if (o->in) {
		while ((n = nke_recv(o->m, s, o->data, CHUNK, MSG_DONTWAIT)) > 0)
			o->done += (size_t)n;
	} else {
		while (o->done < wanted && n > 0) {
			n = nke_send(o->m, s, o->data, wanted - o->done < CHUNK ? wanted - o->done : CHUNK,
			    MSG_DONTWAIT);
			if (n > 0)
				o->done += (size_t)n;
		}
		if (o->done < wanted)
			return;
		n = 0;
	}
	if (n == 0) {
		nke_event_free(o->event);
		nke_close(o->m, s);
		if (!o->in)
			return;		/* the kernel ends it */
		nke_loop_stop(o->loop);
	}
}

static void
take_connection(nke_event_t *e, int s, short what, void *arg)
{
	struct ours *o = arg;
	int t = nke_accept(o->m, s, NULL, NULL);

	(void)e;
	(void)what;
	if (t >= 0 && nke_event_new(o->loop, t, o->in ? POLLIN : POLLOUT, transfer, o, &o->event) != 0)
		leave(1, nke_error_text(o->m));
}

static void *
stop_when_received(void *arg)
{
	struct ours *o = ((void **)arg)[0];
	struct kernel_job *j = ((void **)arg)[1];

	pthread_join(j->thread, NULL);
	nke_loop_stop(o->loop);
	return NULL;
}

static double
machine(bool in)
{
	static struct ours o;
	struct nke_config config = {.time = NKE_TIME_REAL};
	struct nke_tap_config tap_config = {.device = "tap0", .offload = true};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	struct kernel_job j;
	void *both[2] = {&o, &j};
	nke_event_t *event;
	pthread_t waiter;
	nke_tap_t *tap;
	double begin;
	int s;

	memset(&o, 0, sizeof o);
	o.in = in;
	memcpy(tap_config.lladdr, station, sizeof station);
	inet_pton(AF_INET, "10.77.0.2", &address.sin_addr);
	if ((errno = nke_create(&config, &o.m)) != 0)
		leave(1, "machine");
	if ((errno = nke_tap_open(o.m, &tap_config, &tap)) != 0)
		leave(1, nke_error_text(o.m));
	set_up();
	if ((errno = nke_iface_add_address(nke_tap_iface(tap), (struct sockaddr *)&address, sizeof address,
	    24)) != 0 ||
	    (errno = nke_loop_create(o.m, NULL, &o.loop)) != 0 ||
	    (errno = nke_loop_add_tap(o.loop, tap)) != 0)
		leave(1, nke_error_text(o.m));
	s = nke_socket(o.m, AF_INET, SOCK_STREAM, 0);
	if (s < 0 || nke_bind(o.m, s, (struct sockaddr *)&address, sizeof address) != 0 ||
	    nke_listen(o.m, s, 1) != 0 || nke_event_new(o.loop, s, POLLIN, take_connection, &o, &event) != 0)
		leave(1, nke_error_text(o.m));
	begin = now();
	start_kernel(&j, "10.77.0.2", in);
	if (!in && pthread_create(&waiter, NULL, stop_when_received, both) != 0)
		leave(1, "thread");
	if (nke_loop_run(o.loop) != 0)
		leave(1, nke_error_text(o.m));
	begin = now() - begin;
	if (o.done < wanted)
		fprintf(stderr, "bench_tcp_tap: machine: only %zu octets\n", o.done);
	if (in) {
		/* The last words of the connection. */
		nke_loop_start(o.loop);
		pthread_join(j.thread, NULL);
		nke_loop_stop(o.loop);
		nke_loop_join(o.loop);
	} else {
		pthread_join(waiter, NULL);
	}
	nke_tap_close(tap);
	nke_loop_destroy(o.loop);
	nke_destroy(o.m);
	return begin;
}

/* ---- lwIP --------------------------------------------------------------------------------- */

/* It listens (tap-sink, tap-source), the kernel connects, as above. */
static double
lwip(const char *program, bool in)
{
	struct kernel_job j;
	char line[4096], octets[32];
	double begin;
	FILE *f;
	int pipes[2];
	pid_t pid;

	command("ip tuntap add dev tap0 mode tap");
	command("ip addr add 10.99.0.1/24 dev tap0");
	command("ip link set tap0 up");
	snprintf(octets, sizeof octets, "%zu", wanted);
	if (pipe(pipes) != 0)
		leave(1, "pipe");
	pid = fork();
	if (pid == 0) {
		dup2(pipes[1], 1);
		execl(program, program, in ? "tap-sink" : "tap-source", "5001", octets, NULL);
		_exit(127);
	}
	close(pipes[1]);
	f = fdopen(pipes[0], "r");
	if (fgets(line, sizeof line, f) == NULL)
		leave(1, program);
	usleep(300000);
	begin = now();
	start_kernel(&j, "10.99.0.2", in);
	pthread_join(j.thread, NULL);
	begin = now() - begin;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	fclose(f);
	command("ip link del tap0");
	return begin;
}

int
main(int argc, char **argv)
{
	unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 5;
	const char *peer = argc > 3 ? argv[3] : NULL;
	size_t whole;

	wanted = whole = (argc > 1 ? strtoul(argv[1], NULL, 10) : 256) << 20;
	if (access("/dev/net/tun", R_OK | W_OK) != 0)
		leave(77, "skipped: /dev/net/tun");
	if (unshare(CLONE_NEWNET) != 0)
		leave(77, "skipped: a network namespace of one's own");
	(void)!system("sysctl -qw net.ipv6.conf.default.disable_ipv6=1 2>/dev/null");
	for (unsigned i = 0; i < rounds; i++) {
		for (int in = 1; in >= 0; in--) {
			printf("bare %s %.6f\n", in ? "in" : "out", bare(in));
			printf("machine %s %.6f\n", in ? "in" : "out", machine(in));
			if (peer != NULL) {
				/* It takes its time. */
				wanted = whole / 8;
				printf("lwip %s %.6f\n", in ? "in" : "out", lwip(peer, in) * 8);
				wanted = whole;
			}
			fflush(stdout);
		}
	}
	return 0;
}
