/*
 * The daemon of vpn.kext, one on each of two machines, and programs that talk through it:
 *
 *	vpn_host vpn.kext [CAPTURE]
 *
 *	program 10.9.0.1 -> kext -> daemon -> UDP 10.0.0.1 =wire= 10.0.0.2 UDP -> daemon -> kext -> program
 *
 * What the daemons send to each other is "encrypted" by turning all its bits. CAPTURE gets what is on the
 * wire; while the daemons are there, nothing in it is for 10.9.0.0/24.
 */
#include <nke/control.h>
#include <nke/proc.h>

#include "testbed.h"
#include "vpn.h"

#define TUNNEL_PORT	5000
#define PACKET		2048

struct daemon {
	nke_t *machine;
	int pid, control, socket;
	struct sockaddr_in peer;
};

static void
become(nke_t *m, int pid, const char *name)
{
	struct nke_process p = {.pid = pid, .ppid = 1, .name = name};

	must(nke_proc_set(m, &p) == 0, m, name);
}

static struct daemon
daemon_start(nke_t *m, int pid, const char *peer)
{
	struct vpn_network network = {{10, 9, 0, 0}, {255, 255, 255, 0}};
	struct sockaddr_in own = ip4("0.0.0.0", TUNNEL_PORT);
	struct daemon d = {.machine = m, .pid = pid, .peer = ip4(peer, TUNNEL_PORT)};

	become(m, pid, "vpnd");
	d.control = nke_ctl_connect(m, VPN_CONTROL, 0, 0);
	must(d.control >= 0, m, "the control");
	must(nke_setsockopt(m, d.control, NKE_SYSPROTO_CONTROL, VPN_NETWORK, &network, sizeof network) == 0,
	    m, "the network");
	d.socket = nke_socket(m, AF_INET, SOCK_DGRAM, 0);
	must(nke_bind(m, d.socket, (struct sockaddr *)&own, sizeof own) == 0, m, "bind");
	must(nke_proc_set(m, NULL) == 0, m, "root");
	return d;
}

static void
turn_bits(uint8_t *p, ssize_t n)
{
	for (ssize_t i = 0; i < n; i++)
		p[i] = (uint8_t)~p[i];
}

/* From the kext to the other daemon, and from there to the kext, as long as there is something. */
static void
daemon_run(const struct daemon *d)
{
	uint8_t packet[PACKET];
	ssize_t n;

	become(d->machine, d->pid, "vpnd");
	while ((n = nke_recv(d->machine, d->control, packet, sizeof packet, MSG_DONTWAIT)) > 0) {
		turn_bits(packet, n);
		(void)nke_sendto(d->machine, d->socket, packet, (size_t)n, 0,
		    (const struct sockaddr *)&d->peer, sizeof d->peer);
	}
	while ((n = nke_recv(d->machine, d->socket, packet, sizeof packet, MSG_DONTWAIT)) > 0) {
		turn_bits(packet, n);
		(void)nke_send(d->machine, d->control, packet, (size_t)n, 0);
	}
	must(nke_proc_set(d->machine, NULL) == 0, d->machine, "root");
}

static void
daemon_stop(struct daemon *d, const char *name)
{
	struct vpn_counts counts;
	socklen_t len = sizeof counts;

	must(nke_getsockopt(d->machine, d->control, NKE_SYSPROTO_CONTROL, VPN_COUNTS, &counts, &len) == 0,
	    d->machine, "the counts");
	printf("%s: %u packets out, %u in, %u lost\n", name, counts.out, counts.in, counts.lost);
	nke_close(d->machine, d->socket);
	nke_close(d->machine, d->control);
}

/* A millisecond passes, then the daemons do their work. */
static void
go_on(const struct daemon *a, const struct daemon *b)
{
	must(nke_run_for(a->machine, 1000000) == 0, a->machine, "time");
	daemon_run(a);
	daemon_run(b);
}

/* A program asks over TCP, another answers; nobody may wait, because the daemons are on the same thread. */
static void
talk(const struct daemon *a, const struct daemon *b)
{
	struct sockaddr_in to = ip4("10.9.0.2", 80);
	int l = listener(b->machine, 80), c, s = -1;
	char text[32] = "";

	c = nke_socket(a->machine, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	must(nke_connect(a->machine, c, (struct sockaddr *)&to, sizeof to) < 0 && errno == EINPROGRESS,
	    a->machine, "connect");
	must(nke_set_nonblocking(b->machine, l, true) == 0, b->machine, "the listener");
	while (s < 0) {
		go_on(a, b);
		s = nke_accept(b->machine, l, NULL, NULL);
	}
	must(nke_send(a->machine, c, "a secret", 8, 0) == 8, a->machine, "send");
	while (nke_recv(b->machine, s, text, sizeof text, MSG_DONTWAIT) != 8)
		go_on(a, b);
	printf("there heard: %s\n", text);
	nke_close(a->machine, c);
	nke_close(b->machine, s);
	nke_close(b->machine, l);
	for (int ms = 0; ms < 1000; ms++)
		go_on(a, b);
}

static void
add_inner_address(nke_t *m, const char *address)
{
	struct sockaddr_in sin = ip4(address, 0);

	must(nke_iface_add_address(nke_iface_find(m, "en0"), (struct sockaddr *)&sin, sizeof sin, 24) == 0, m,
	    address);
}

int
main(int argc, char **argv)
{
	struct daemon here, there;
	nke_kext_t *second;
	struct testbed t;
	int s;

	if (argc < 2) {
		fputs("usage: vpn_host vpn.kext [CAPTURE]\n", stderr);
		return 1;
	}
	t = testbed(argv[1]);
	must(argc < 3 || nke_wire_capture(t.wire, NULL, argv[2]) == 0, t.here, "capture");
	must(nke_kext_load(t.there, argv[1], &second) == 0, t.there, argv[1]);
	add_inner_address(t.here, "10.9.0.1");
	add_inner_address(t.there, "10.9.0.2");
	here = daemon_start(t.here, 200, THERE);
	there = daemon_start(t.there, 300, HERE);
	talk(&here, &there);
	daemon_stop(&here, "here");
	daemon_stop(&there, "there");
	/* What should not go in clear does not go at all. */
	s = connected(t.here, "10.9.0.2", 80);
	printf("without a daemon: %s\n", s < 0 ? strerror(errno) : "connected");
	must(nke_kext_drain(t.there, second, NULL, NULL) == 0, t.there, "unload");
	nke_assert_no_leaks(t.there);
	testbed_end(&t);
	return 0;
}
