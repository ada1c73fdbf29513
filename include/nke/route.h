/*
 * A machine's routes and addresses. Addresses are the host's AF_INET and AF_INET6 ones; the zone of an IPv6
 * address that is good on one link only (sin6_scope_id) is the index of its interface, 0: of the interface
 * that is named with it.
 */
#ifndef NKE_ROUTE_H
#define NKE_ROUTE_H

#include <sys/socket.h>

#include <nke/nke.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define NKE_ROUTE_UP		0x1	/* told: in the table */
#define NKE_ROUTE_GATEWAY	0x2	/* told: by way of a gateway */
#define NKE_ROUTE_HOST		0x4	/* told: to one address */
#define NKE_ROUTE_REJECT	0x8	/* senders get EHOSTUNREACH */
#define NKE_ROUTE_DYNAMIC	0x10	/* told: by a redirect */
#define NKE_ROUTE_STATIC	0x800	/* by hand */
#define NKE_ROUTE_BLACKHOLE	0x1000	/* packets vanish */
#define NKE_ROUTE_CLONED	0x20000	/* told: made by use, for one destination */
#define NKE_ROUTE_SCOPED	0x1000000	/* only for senders bound to its interface */

struct nke_route {
	struct sockaddr_storage destination;
	unsigned prefix;		/* bits of the network; all of them: one host */
	struct sockaddr_storage gateway;	/* ss_family AF_UNSPEC: everything is on the link */
	char interface[16];		/* "en0"; "": the one the gateway is reached by */
	unsigned flags;			/* NKE_ROUTE_* */
	uint32_t mtu;			/* bytes; 0: the interface's, or none given */
	int64_t expires;		/* seconds since 1970 by the machine's calendar; 0: never */
};

/*
 * Adds a route. EAFNOSUPPORT, EINVAL (prefix too long, families differ), ENXIO: no such interface.
 * ENETUNREACH: the gateway is on no link. EEXIST. ENOBUFS, EFAULT. nke_error_text() tells.
 */
int nke_route_add(nke_t *m, const struct nke_route *r);
/* By destination and prefix, and interface with NKE_ROUTE_SCOPED. ESRCH: there is none. */
int nke_route_delete(nke_t *m, const struct nke_route *r);
/* Gives it another gateway or interface, or an MTU. ESRCH, ENETUNREACH. */
int nke_route_change(nke_t *m, const struct nke_route *r);
/* The route that a packet to that address would take. ESRCH: none. */
int nke_route_get(nke_t *m, const struct sockaddr *destination, socklen_t len, struct nke_route *r);
/* Fills at most `max` routes of a family (AF_UNSPEC: both), in order of address; how many there are. */
size_t nke_route_list(nke_t *m, int family, struct nke_route *out, size_t max);

#define NKE_ADDRESS_TENTATIVE	0x2	/* IPv6: still being looked for on the link (RFC 4862) */
#define NKE_ADDRESS_DUPLICATED	0x4	/* IPv6: somebody else has it */
#define NKE_ADDRESS_DEPRECATED	0x10	/* IPv6: not for new connections */
#define NKE_ADDRESS_AUTO	0x40	/* IPv6: by router advertisement */
#define NKE_FOREVER		UINT32_MAX

struct nke_address {
	char interface[16];
	struct sockaddr_storage address;
	unsigned prefix;		/* bits of its network */
	struct sockaddr_storage peer;	/* other end of a point-to-point link, or (IPv4) broadcast address */
	unsigned flags;			/* NKE_ADDRESS_* */
	uint32_t preferred, valid;	/* IPv6: seconds from now, NKE_FOREVER */
};

/* Fills at most `max` addresses in the order in which they came; returns how many there are. */
size_t nke_address_list(nke_t *m, struct nke_address *out, size_t max);
/* Takes an address off its interface. EADDRNOTAVAIL: it has none such. EINVAL, ENXIO, EAFNOSUPPORT. */
int nke_address_remove(nke_t *m, const char *interface, const struct sockaddr *address, socklen_t len);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
