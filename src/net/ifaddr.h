/* Addresses of interfaces: adding, removing, finding. Counted references; see if_private.h. */
#ifndef NKE_NET_IFADDR_H
#define NKE_NET_IFADDR_H

#include "src/net/if_private.h"

/* What the layer above does about addresses (dlil/ sets it once). */
struct ifaddr_hooks {
	/* Puts the protocol of `family` onto the interface; EEXIST when it is there. */
	errno_t (*plumb)(struct ifnet *, uint32_t family);
	/* An IPv4 or IPv6 address came (added) or is about to go. */
	void (*changed)(struct ifaddr *, bool added);
};

void ifaddr_set_hooks(struct nke *, const struct ifaddr_hooks *);

/*
 * Adds an address (AF_INET or AF_INET6) and plumbs its protocol. EEXIST when the machine has it
 * already; ENOMEM; EINVAL. `mask`, `dst` may be NULL (host mask; none).
 */
errno_t ifaddr_add(struct ifnet *, const struct sockaddr *addr, const struct sockaddr *mask,
    const struct sockaddr *dst);
struct ifaddr_request {
	const struct sockaddr *addr, *mask, *dst;
	uint32_t flags;			/* IN6_IFF_*, as it begins */
	bool limited;			/* the next two are meant */
	uint32_t preferred, valid;	/* seconds, UINT32_MAX: for ever */
};
/* The same; `out` (may be NULL) gets a reference. */
errno_t ifaddr_add_request(struct ifnet *, const struct ifaddr_request *, struct ifaddr **out);
errno_t ifaddr_remove(struct ifnet *, const struct sockaddr *addr);
/*
 * Gives it another mask, another peer or broadcast address (NULL: as it is), and the routes that follow from
 * them. EINVAL; ENOMEM: it has no routes now.
 */
errno_t ifaddr_change(struct ifaddr *, const struct sockaddr *mask, const struct sockaddr *dst);
/* Sets and clears bits of ia6_flags: sources are selected anew, the routing sockets hear of it. */
void ifaddr_set_flags(struct ifaddr *, uint32_t set, uint32_t clear);
/*
 * From now on, in seconds (UINT32_MAX: for ever): after the first it gets IN6_IFF_DEPRECATED, after the
 * second it is removed (RFC 4862 5.5.4). `valid` 0: soon.
 */
void ifaddr_set_lifetime(struct ifaddr *, uint32_t preferred, uint32_t valid);
/* The first of them alone; never beyond the second. */
void ifaddr_set_preferred(struct ifaddr *, uint32_t preferred);
void ifaddr_retain(struct ifaddr *);
void ifaddr_drop(struct ifaddr *);
/* Without a reference: valid until the caller next gives up the CPU or calls a kext. */
struct ifaddr *ifaddr_find(struct nke *, const struct sockaddr *);		/* exact */
struct ifaddr *ifaddr_find_in4(struct nke *, uint32_t addr_be);			/* exact, IPv4 */
struct ifaddr *ifaddr_find_in6(struct nke *, const void *in6_addr);		/* exact, any zone */
struct ifaddr *ifaddr_find_in6_zone(struct nke *, const void *in6_addr, uint32_t zone);
struct ifaddr *ifaddr_find_broadcast4(struct nke *, struct ifnet *, uint32_t addr_be);
struct ifaddr *ifaddr_find_net(struct nke *, const struct sockaddr *);		/* best match */
struct ifaddr *ifaddr_link(struct ifnet *);					/* AF_LINK record */
struct ifaddr *ifaddr_first(struct ifnet *, sa_family_t);
/* The interface that has it as its peer, at the other end of a point-to-point link. */
struct ifaddr *ifaddr_find_dst(struct nke *, const struct sockaddr *);
/* The interface's address to send from to `dst`: same network, else its first of that family. */
struct ifaddr *ifaddr_best(struct ifnet *, const struct sockaddr *dst);
struct ifnet *ifaddr_interface(struct nke *, uint32_t index);	/* by its link record; NULL: none */
struct ifnet *ifaddr_interface_named(struct nke *, const char *name, size_t len);	/* "en0" */
/*
 * A socket address of `family` (Darwin's) from its 4 or 16 bytes; `zone`: of an IPv6 address. EAFNOSUPPORT:
 * neither IPv4 nor IPv6.
 */
errno_t sockaddr_make(int family, const void *bytes, uint32_t zone, struct sockaddr_storage *);
/* As kexts and programs are shown it: Darwin's kernel form of IPv6 addresses with a zone. */
void ifaddr_kernel_form(const struct sockaddr *, struct sockaddr_storage *out);
/* Is it in the network of an address of the interface? */
bool ifaddr_on_link(const struct ifnet *, const struct sockaddr *);
bool ifaddr_in_network(const struct ifaddr *, const struct sockaddr *);
/* For DLIL: the link record of an interface that is being attached (ENOMEM), and changing it. */
errno_t ifaddr_add_link(struct ifnet *, const void *lladdr, size_t len);
void ifaddr_set_link(struct ifaddr *, const void *lladdr, size_t len);
/* All addresses of a family go. */
void ifaddr_purge(struct ifnet *, sa_family_t);
/* The interface goes: its default routes and neighbours with it. */
void route_forget(struct ifnet *);
/* Where the machine's own addresses are reached: lo0. */
void route_set_loopback(struct nke *, struct ifnet *);

/* The interface and next hop a packet to `dst` leaves by: connected networks, then the default. */
struct ifnet *route_lookup(struct nke *, const struct sockaddr *dst,
    struct sockaddr_storage *next_hop);
/* The default: where everything without a connected network goes. */
errno_t route_set_default(struct nke *, sa_family_t, struct ifnet *,
    const struct sockaddr *gateway);
/* Link address of a neighbour, learned or configured; false when unknown. */
bool neighbor_lookup(struct nke *, struct ifnet *, const struct sockaddr *, uint8_t lladdr[6]);
/* Stands for every neighbour that is not known, on that interface; learned from a capture. */
void neighbor_set_default(struct nke *, struct ifnet *, const uint8_t lladdr[6]);
errno_t neighbor_learn(struct nke *, struct ifnet *, const struct sockaddr *,
    const uint8_t lladdr[6]);

#endif
