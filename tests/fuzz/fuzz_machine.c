/*
 * What fuzz targets that drive a whole machine share: a host or router with addresses of both families on two
 * interfaces, and what it is to leave behind.
 */
#include "tests/fuzz/fuzz_machine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nke/socket.h>
#include <nke/stats.h>
#include <nke/sysctl.h>

/* Blocks that may be left: the routes, addresses and parents of what was forwarded last, by family. */
#define BLOCKS_KEPT	6u

void
fuzz_fail(nke_t *m, const char *what)
{
	fprintf(stderr, "%s: %s, %s\n%s\n", what, strerror(errno), nke_error_text(m), nke_panic_report(m));
	abort();
}

socklen_t
fuzz_address(const char *text, uint16_t port, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof *ss);
	if (inet_pton(AF_INET, text, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(port);
		return sizeof *sin;
	}
	if (inet_pton(AF_INET6, text, &sin6->sin6_addr) != 1)
		abort();
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(port);
	return sizeof *sin6;
}

static void
add_address(struct fuzz_machine *n, unsigned i, const char *text, unsigned prefix)
{
	struct sockaddr_storage ss;
	socklen_t len = fuzz_address(text, 0, &ss);

	if (nke_iface_add_address(n->en[i], (struct sockaddr *)&ss, len, prefix) != 0)
		fuzz_fail(n->m, text);
}

static void
set_gateway(struct fuzz_machine *n, const char *text)
{
	struct sockaddr_storage ss;
	socklen_t len = fuzz_address(text, 0, &ss);

	if (nke_iface_set_gateway(n->en[0], (struct sockaddr *)&ss, len) != 0)
		fuzz_fail(n->m, text);
}

static void
set(struct fuzz_machine *n, const char *name, int value)
{
	if (nke_sysctl_set_int(n->m, name, value) != 0)
		fuzz_fail(n->m, name);
}

void
fuzz_add_interfaces(struct fuzz_machine *n, uint8_t how)
{
	struct nke_iface_config config = {.lladdr = {2, 0, 0, 0, 0, 1}};

	config.name = "en0";
	if (nke_iface_create(n->m, &config, &n->en[0]) != 0)
		fuzz_fail(n->m, "en0");
	config.name = "en1";
	config.mtu = 1280;
	config.lladdr[5] = 2;
	if (nke_iface_create(n->m, &config, &n->en[1]) != 0)
		fuzz_fail(n->m, "en1");
	for (unsigned i = 0; i < 2; i++)
		if (nke_iface_set_autoconf(n->en[i], how & MACHINE_AUTO) != 0)
			fuzz_fail(n->m, "set_autoconf");
	add_address(n, 0, "10.0.0.1", 24);
	add_address(n, 1, "10.0.1.1", 24);
	add_address(n, 0, "2001:db8::1", 64);
	add_address(n, 1, "2001:db8:0:1::1", 64);
	add_address(n, 0, "fe80::1", 64);
	add_address(n, 1, "fe80::2", 64);
	set_gateway(n, "10.0.0.254");
	if (!(how & MACHINE_AUTO))
		set_gateway(n, "fe80::fe");
}

void
fuzz_build(struct fuzz_machine *n, uint8_t how)
{
	struct nke_config config = {.seed = 1, .checked = how & MACHINE_CHECKED,
	    .mbuf_limit_bytes = 8u << 20};

	memset(n, 0, sizeof *n);
	if (nke_create(&config, &n->m) != 0)
		abort();
	if (how & MACHINE_ROUTER) {
		set(n, "net.inet.ip.forwarding", 1);
		set(n, "net.inet6.ip6.forwarding", 1);
	}
	if (how & MACHINE_OLD) {
		set(n, "net.inet.igmp.default_version", 2);
		set(n, "net.inet6.icmp6.mld_default_version", 1);
	}
	if (how & MACHINE_LAX) {
		set(n, "net.inet.ip.sourceroute", 1);
		set(n, "net.inet.ip.accept_sourceroute", 1);
		set(n, "net.inet.icmp.bmcastecho", 1);
		set(n, "net.inet.icmp.maskrepl", 1);
	}
	set(n, "kern.maxfiles", FUZZ_DESCRIPTORS - 3);
	fuzz_add_interfaces(n, how);
	/* Its addresses are found to be nobody else's. */
	fuzz_wait(n, 10 * FUZZ_SECOND);
}

void
fuzz_wait(struct fuzz_machine *n, uint64_t ns)
{
	if (nke_run_for(n->m, ns) != 0)
		fuzz_fail(n->m, "as time goes by");
}

uint64_t
fuzz_take_down(struct fuzz_machine *n)
{
	struct nke_memory memory;

	for (int s = 0; s < FUZZ_DESCRIPTORS; s++)
		(void)nke_close(n->m, s);
	fuzz_wait(n, 3600 * FUZZ_SECOND);
	for (unsigned i = 0; i < 2; i++)
		if (n->en[i] != NULL && nke_iface_destroy(n->en[i]) != 0)
			fuzz_fail(n->m, "destroy");
	fuzz_wait(n, 3600 * FUZZ_SECOND);
	nke_stats_memory(n->m, &memory);
	if (memory.mbufs != 0 || memory.clusters != 0)
		fuzz_fail(n->m, "packets are left");
	nke_destroy(n->m);
	return memory.heap_blocks;
}

void
fuzz_compare(uint64_t blocks, uint64_t before)
{
	if (blocks <= before + BLOCKS_KEPT)
		return;
	fprintf(stderr, "%llu blocks left, without input %llu\n", (unsigned long long)blocks,
	    (unsigned long long)before);
	abort();
}
