/* What a machine counts. Reading costs nothing and works also after a panic, except for filters. */
#ifndef NKE_STATS_H
#define NKE_STATS_H

#include <nke/nke.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct nke_memory {
	uint64_t allocations;		/* so far: the range of nke_config.fail_alloc */
	uint64_t heap_bytes;		/* in use, packets apart */
	uint64_t heap_blocks;
	uint64_t heap_peak_bytes;
	uint64_t mbufs;			/* in use */
	uint64_t clusters;
	uint64_t mbuf_bytes;		/* mbufs and clusters */
	uint64_t mbuf_peak_bytes;
	uint64_t mbuf_denied;		/* requests refused for want of memory */
};
void nke_stats_memory(const nke_t *m, struct nke_memory *);

/* One of BSD's protocol counters; the name is netstat's wording and lives as long as the library. */
struct nke_counter {
	const char *name;
	uint64_t value;
};
/*
 * Fills at most `max` counters of a protocol: "ip", "icmp", "igmp", "udp", "ip6", "icmp6", "mld" or "arp";
 * returns how many there are, 0 for a protocol that is not known.
 */
size_t nke_stats_protocol(nke_t *m, const char *protocol, struct nke_counter *out, size_t max);
/* The names of those protocols, from 0; NULL after the last. */
const char *nke_stats_protocol_name(unsigned i);

enum nke_filter_kind {
	NKE_FILTER_INTERFACE, NKE_FILTER_IPV4, NKE_FILTER_IPV6,
	NKE_FILTER_SOCKET		/* the figures are of the data of all its sockets, call by call */
};

/* What a filter that is attached now did so far. */
struct nke_filter_stats {
	enum nke_filter_kind kind;
	char kext[128];			/* identifier of its owner, "" none */
	char name[64];			/* as the filter gave it */
	char interface[16];		/* interface filters: "en0" */
	uint64_t seen_in, seen_out;	/* packets shown to it */
	uint64_t passed, changed;	/* passed on as they were; passed on otherwise */
	uint64_t swallowed, dropped;	/* taken; refused */
	uint64_t injected;		/* packets it made or gave back */
	uint64_t calls;
	double ns_per_call;		/* measured on a sample of the calls; 0: never called */
};

/*
 * Fills at most `max` records, in the order in which arriving packets meet the filters. Returns how
 * many there are; none after a panic, when their names may be anything. May block.
 */
size_t nke_stats_filters(nke_t *m, struct nke_filter_stats *out, size_t max);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
