/*
 * The machine's addresses, routes and neighbours: state shared by ifaddr.c, route.c and neighbor.c.
 */
#ifndef NKE_NET_ROUTE_PRIVATE_H
#define NKE_NET_ROUTE_PRIVATE_H

#include <string.h>

#include "src/net/if_private.h"
#include "src/net/ifaddr.h"

#define IFADDR_BUCKETS		64u	/* a power of two, as is the next */
#define NEIGHBOR_BUCKETS	256u
#define NEIGHBOR_MAX		4096u	/* then the oldest is forgotten */

LIST_HEAD(ifaddr_bucket, ifaddr);

struct neighbor {
	LIST_ENTRY(neighbor) hash;
	TAILQ_ENTRY(neighbor) age;	/* oldest first */
	struct ifnet *ifp;
	uint8_t family;
	uint8_t lladdr[6];
	uint8_t addr[16];		/* 4 bytes for IPv4, zeros behind them */
};

LIST_HEAD(neighbor_bucket, neighbor);

struct route_default {
	struct ifnet *ifp;		/* NULL: none */
	struct sockaddr_storage gateway;	/* ss_len 0: everything is on the link */
};

struct route_state {
	struct ifaddr_hooks hooks;
	struct ifnet *loopback;
	TAILQ_HEAD(, ifaddr) all;
	struct ifaddr_bucket buckets[IFADDR_BUCKETS];
	struct route_default default4, default6;
	struct neighbor_bucket neighbors[NEIGHBOR_BUCKETS];
	TAILQ_HEAD(, neighbor) neighbor_ages;
	uint32_t neighbor_count;
};

/* neighbor.c */
void neighbor_forget(struct ifnet *);

/* The bytes that make the address; their number, 0 for families other than IPv4 and IPv6. */
size_t sockaddr_bytes(const struct sockaddr *, const uint8_t **);

static inline uint32_t
hash_words(const uint8_t *p, size_t len)
{
	uint32_t h = 0, w;

	for (size_t i = 0; i + 4 <= len; i += 4) {
		memcpy(&w, p + i, 4);
		h = (h ^ w) * 0x9e3779b1u;
	}
	return h >> 16 ^ h >> 24;
}

#endif
