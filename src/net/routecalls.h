/*
 * The door between host and core for routes and addresses. As in src/kern/corecalls.h: plain C types,
 * Darwin's numbers (AF_INET 2, AF_INET6 30, RTF_*, IN6_IFF_*, errno values); every function enters the
 * machine, and returns EFAULT when that has panicked.
 *
 * Addresses are 4 or 16 bytes in network order. The zone of an IPv6 address that is good on one link only
 * is the index of its interface; 0: that of the interface that is named with it.
 */
#ifndef NKE_NET_ROUTECALLS_H
#define NKE_NET_ROUTECALLS_H

#include <stdbool.h>
#include <stdint.h>

struct nke;

/* Which metrics are meant (RTV_*). */
#define CORE_METRIC_MTU		0x1
#define CORE_METRIC_HOPCOUNT	0x2
#define CORE_METRIC_EXPIRE	0x4
#define CORE_METRIC_RECVPIPE	0x8
#define CORE_METRIC_SENDPIPE	0x10
#define CORE_METRIC_SSTHRESH	0x20
#define CORE_METRIC_RTT		0x40
#define CORE_METRIC_RTTVAR	0x80

struct core_route {
	int family;
	uint8_t dst[16];
	uint32_t dst_zone;
	unsigned prefix;		/* bits; a host: 32 or 128 */
	bool has_gateway;		/* false: on the link */
	uint8_t gateway[16];
	uint32_t gateway_zone;
	char interface[16];		/* "en0"; "": found from the gateway */
	uint32_t flags;			/* RTF_*: REJECT 8, BLACKHOLE 0x1000, IFSCOPE 0x1000000 ... */
	uint32_t metrics;		/* CORE_METRIC_*: those below that are set */
	uint32_t mtu, hopcount;
	uint32_t recvpipe, sendpipe, ssthresh;	/* bytes */
	uint32_t rtt, rttvar;		/* microseconds */
	int64_t expire;			/* seconds since 1970 */
};

/*
 * Adds a route. EINVAL, EAFNOSUPPORT, ENXIO (no such interface), ENETUNREACH (the gateway is on no link),
 * EEXIST, ENOBUFS.
 */
int machine_route_add(struct nke *, const struct core_route *);
/* The route to dst/prefix; with RTF_IFSCOPE the one by `interface`. ESRCH: there is none. */
int machine_route_delete(struct nke *, const struct core_route *);
/* Gives it another gateway, interface or metrics. ESRCH. */
int machine_route_change(struct nke *, const struct core_route *);
/*
 * In: family, dst, dst_zone, and interface when it must leave there. Out: the route a packet would take.
 * ESRCH: none.
 */
int machine_route_get(struct nke *, struct core_route *);
/*
 * Calls fn for every route of the family (0: all) in order of address, until it returns false. `fn` must not
 * call the machine.
 */
int machine_routes(struct nke *, int family, bool (*fn)(void *ctx, const struct core_route *), void *ctx);

#define CORE_FOREVER	UINT32_MAX

struct core_address {
	char interface[16];
	int family;
	uint8_t addr[16];
	unsigned prefix;		/* bits of its network */
	bool has_peer;			/* the other end of a link, or (IPv4) the broadcast address */
	uint8_t peer[16];
	uint32_t flags;			/* IPv6: IN6_IFF_* */
	uint32_t preferred, valid;	/* IPv6: seconds from now, CORE_FOREVER */
};

/* EINVAL, EAFNOSUPPORT, ENXIO (no such interface), EEXIST, ENOMEM. */
int machine_address_add(struct nke *, const struct core_address *);
/* By interface, family and addr. EADDRNOTAVAIL: it has none such. */
int machine_address_remove(struct nke *, const struct core_address *);
/* Calls fn for every IPv4 and IPv6 address, in order of arrival. `fn` must not call the machine. */
int machine_addresses(struct nke *, bool (*fn)(void *ctx, const struct core_address *), void *ctx);

#endif
