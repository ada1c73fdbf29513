/*
 * A traceroute: datagrams with a growing time to live, and who tells that it ran out.
 *
 *	[ source 10.0.0.2 ]--[ r1 10.0.0.1 / 10.0.1.1 ]--[ r2 10.0.1.2 / 10.0.2.1 ]--[ target 10.0.2.2 ]
 *
 * Every wire takes 3 ms. Prints one line per hop, as traceroute does.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <nke/route.h>
#include <nke/socket.h>
#include <nke/sysctl.h>
#include <nke/wire.h>

#define FIRST_PORT	33434
#define HOPS_MAX	8

static void
must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static struct sockaddr_in
ip4(const char *text, unsigned port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	inet_pton(AF_INET, text, &sin.sin_addr);
	return sin;
}

/* ---- the network -------------------------------------------------------------------------- */

static nke_t *
machine(nke_world_t *world, const char *name)
{
	struct nke_config config = {.name = name, .world = world};
	nke_t *m;

	must(nke_create(&config, &m) == 0, name);
	return m;
}

static void
interface(nke_t *m, const char *name, const char *address, nke_wire_t *wire)
{
	struct sockaddr_in sin = ip4(address, 0);
	struct nke_iface_config config = {.name = name, .lladdr = {2}};
	nke_iface_t *i;

	memcpy(config.lladdr + 2, &sin.sin_addr, 4);
	must(nke_iface_create(m, &config, &i) == 0 && nke_wire_plug(wire, i) == 0 &&
	    nke_iface_add_address(i, (struct sockaddr *)&sin, sizeof sin, 24) == 0, address);
}

static void
route(nke_t *m, const char *network, unsigned prefix, const char *gateway)
{
	struct nke_route r = {.prefix = prefix};
	struct sockaddr_in to = ip4(network, 0), by = ip4(gateway, 0);

	memcpy(&r.destination, &to, sizeof to);
	memcpy(&r.gateway, &by, sizeof by);
	must(nke_route_add(m, &r) == 0, nke_error_text(m));
}

/* ---- asking ------------------------------------------------------------------------------- */

/* Who answered; true when it was the target itself. */
static bool
probe(nke_t *m, int udp, int icmp, unsigned ttl, const struct sockaddr_in *target)
{
	struct sockaddr_in to = *target, from;
	socklen_t len = sizeof from;
	uint64_t start = nke_uptime(m);
	uint8_t packet[512];
	char text[INET_ADDRSTRLEN];
	const struct icmphdr *answer;
	ssize_t n;

	to.sin_port = htons((uint16_t)(FIRST_PORT + ttl));
	must(nke_setsockopt(m, udp, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl) == 0, "IP_TTL");
	must(nke_sendto(m, udp, "probe", 5, 0, (struct sockaddr *)&to, sizeof to) == 5, "sendto");
	n = nke_recvfrom(m, icmp, packet, sizeof packet, 0, (struct sockaddr *)&from, &len);
	if (n < (ssize_t)(sizeof(struct ip) + sizeof *answer)) {
		printf("%2u  *\n", ttl);
		return false;
	}
	answer = (const struct icmphdr *)(packet + (((const struct ip *)packet)->ip_hl << 2));
	printf("%2u  %s  %.3f ms\n", ttl, inet_ntop(AF_INET, &from.sin_addr, text, sizeof text),
	    (double)(nke_uptime(m) - start) / 1e6);
	return answer->type == ICMP_DEST_UNREACH;
}

int
main(void)
{
	struct nke_wire_config wire = {.delay_ns = 3000000};
	struct sockaddr_in target = ip4("10.0.2.2", 0);
	struct timeval patience = {.tv_sec = 1};
	nke_t *source, *r1, *r2, *host;
	nke_wire_t *wires[3];
	nke_world_t *world;
	int udp, icmp;

	must(nke_world_create(NULL, &world) == 0, "a world");
	source = machine(world, "source");
	r1 = machine(world, "r1");
	r2 = machine(world, "r2");
	host = machine(world, "target");
	for (uint64_t i = 0; i < 3; i++)
		must(nke_wire_create(source, &wire, i, &wires[i]) == 0, "a wire");
	interface(source, "en0", "10.0.0.2", wires[0]);
	interface(r1, "en0", "10.0.0.1", wires[0]);
	interface(r1, "en1", "10.0.1.1", wires[1]);
	interface(r2, "en0", "10.0.1.2", wires[1]);
	interface(r2, "en1", "10.0.2.1", wires[2]);
	interface(host, "en0", "10.0.2.2", wires[2]);
	must(nke_sysctl_set_int(r1, "net.inet.ip.forwarding", 1) == 0 &&
	    nke_sysctl_set_int(r2, "net.inet.ip.forwarding", 1) == 0, "forwarding");
	route(source, "0.0.0.0", 0, "10.0.0.1");
	route(r1, "10.0.2.0", 24, "10.0.1.2");
	route(r2, "10.0.0.0", 24, "10.0.1.1");
	route(host, "0.0.0.0", 0, "10.0.2.1");

	udp = nke_socket(source, AF_INET, SOCK_DGRAM, 0);
	icmp = nke_socket(source, AF_INET, SOCK_RAW, IPPROTO_ICMP);
	must(udp >= 0 && icmp >= 0, "sockets");
	must(nke_setsockopt(source, icmp, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0,
	    "time limit");
	for (unsigned ttl = 1; ttl <= HOPS_MAX && !probe(source, udp, icmp, ttl, &target); ttl++)
		;

	for (int i = 0; i < 3; i++)
		nke_wire_destroy(wires[i]);
	nke_destroy(source);
	nke_destroy(r1);
	nke_destroy(r2);
	nke_destroy(host);
	nke_world_destroy(world);
	return 0;
}
