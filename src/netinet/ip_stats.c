/*
 * The counters of IPv4 and IPv6 by name, in the words and the order of BSD's netstat -s, for the
 * host's reports (corecalls.h).
 */
#include <stddef.h>
#include <sys/socket.h>

#include "src/netinet/ip_private.h"

struct counter_name {
	uint16_t off;
	const char *name;
};

#define V4(member)	offsetof(struct ipstat, ips_##member)
#define V6(member)	offsetof(struct ip6stat, ip6s_##member)

static const struct counter_name names4[] = {
	{V4(total), "total packets received"},
	{V4(badsum), "bad header checksums"},
	{V4(toosmall), "with size smaller than minimum"},
	{V4(tooshort), "with data size < data length"},
	{V4(adj), "with data size > data length"},
	{V4(toolong), "with length > max ip packet size"},
	{V4(badhlen), "with header length < data size"},
	{V4(badlen), "with data length < header length"},
	{V4(badoptions), "with bad options"},
	{V4(badvers), "with incorrect version number"},
	{V4(badaddr), "with impossible addresses"},
	{V4(fragments), "fragments received"},
	{V4(fragdropped), "fragments dropped (dup or out of space)"},
	{V4(fragtimeout), "fragments dropped after timeout"},
	{V4(reassembled), "reassembled ok"},
	{V4(delivered), "packets for this host"},
	{V4(noproto), "packets for unknown/unsupported protocol"},
	{V4(forward), "packets forwarded"},
	{V4(cantforward), "packets not forwardable"},
	{V4(notmember), "packets received for unknown multicast group"},
	{V4(localout), "packets sent from this host"},
	{V4(rawout), "packets sent with fabricated ip header"},
	{V4(odropped), "output packets dropped due to no bufs, etc."},
	{V4(noroute), "output packets discarded due to no route"},
	{V4(fragmented), "output datagrams fragmented"},
	{V4(ofragments), "fragments created"},
	{V4(cantfrag), "datagrams that can't be fragmented"}
};

static const struct counter_name names6[] = {
	{V6(total), "total packets received"},
	{V6(toosmall), "with size smaller than minimum"},
	{V6(tooshort), "with data size < data length"},
	{V6(adj), "with data size > data length"},
	{V6(badoptions), "with bad options"},
	{V6(badvers), "with incorrect version number"},
	{V6(fragments), "fragments received"},
	{V6(fragdropped), "fragments dropped (dup or out of space)"},
	{V6(fragtimeout), "fragments dropped after timeout"},
	{V6(fragoverflow), "fragments that exceeded limit"},
	{V6(reassembled), "reassembled ok"},
	{V6(atmfrag_rcvd), "atomic fragments received"},
	{V6(delivered), "packets for this host"},
	{V6(forward), "packets forwarded"},
	{V6(cantforward), "packets not forwardable"},
	{V6(notmember), "packets received for unknown multicast group"},
	{V6(localout), "packets sent from this host"},
	{V6(rawout), "packets sent with fabricated ip header"},
	{V6(odropped), "output packets dropped due to no bufs, etc."},
	{V6(noroute), "output packets discarded due to no route"},
	{V6(fragmented), "output datagrams fragmented"},
	{V6(ofragments), "fragments created"},
	{V6(cantfrag), "datagrams that can't be fragmented"},
	{V6(badscope), "packets that violated scope rules"},
	{V6(exthdrtoolong), "packets whose headers are not continuous"},
	{V6(toomanyhdr), "packets discarded due to too many headers"}
};

size_t
machine_ip_counters(struct nke *machine, int family, struct core_counter *out, size_t max)
{
	size_t n = family == AF_INET ? sizeof names4 / sizeof *names4 :
	    family == AF_INET6 ? sizeof names6 / sizeof *names6 : 0;

	for (size_t i = 0; i < n && i < max; i++) {
		if (family == AF_INET) {
			out[i].name = names4[i].name;
			out[i].value = *(const u_int32_t *)(const void *)
			    ((const char *)ip_statistics(machine) + names4[i].off);
		} else {
			out[i].name = names6[i].name;
			out[i].value = *(const u_quad_t *)(const void *)
			    ((const char *)ip6_statistics(machine) + names6[i].off);
		}
	}
	return n;
}
