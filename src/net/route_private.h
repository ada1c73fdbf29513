/*
 * The machine's addresses and routes: state shared by ifaddr.c and route.c.
 */
#ifndef NKE_NET_ROUTE_PRIVATE_H
#define NKE_NET_ROUTE_PRIVATE_H

#include <string.h>

#include "src/kern/callout.h"
#include "src/net/if_private.h"
#include "src/net/ifaddr.h"

#define IFADDR_BUCKETS		64u	/* a power of two */

LIST_HEAD(ifaddr_bucket, ifaddr);

struct route_state {
	struct ifaddr_hooks hooks;
	struct ifnet *loopback;
	TAILQ_HEAD(, ifaddr) all;
	struct ifaddr_bucket buckets[IFADDR_BUCKETS];
	struct callout lifetimes;	/* the next address whose time is up (ifaddr_time.c) */
};

/* The bytes that make the address; their number, 0 for families other than IPv4 and IPv6. */
size_t sockaddr_bytes(const struct sockaddr *, const uint8_t **);

static inline const struct sockaddr *
sockaddr_of(const struct sockaddr_storage *ss)
{
	return (const struct sockaddr *)(const void *)ss;
}

/* fe80::/10, and multicast of the scope of an interface or a link: good on one link only. */
static inline bool
in6_has_zone(const uint8_t *a)
{
	return (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) ||
	    (a[0] == 0xff && ((a[1] & 0xf) == 1 || (a[1] & 0xf) == 2));
}

/* Bytes 2 and 3 of an address with a zone may hold it; `asked_zone` 0: any. */
static inline bool
in6_same(const uint8_t *kept, uint32_t kept_zone, const uint8_t *asked, uint32_t asked_zone)
{
	if (memcmp(kept + 4, asked + 4, 12) != 0 || kept[0] != asked[0] || kept[1] != asked[1])
		return false;
	if (!in6_has_zone(kept))
		return kept[2] == asked[2] && kept[3] == asked[3];
	return asked_zone == 0 || asked_zone == kept_zone;
}

void ifaddr_time_init(struct nke *);

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
