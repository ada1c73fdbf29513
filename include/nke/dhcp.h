/*
 * An IPv4 address and default gateway for an interface from a DHCP server (RFC 2131), for as long as it lends
 * them. The client is part of the machine and keeps its time: it works in virtual time as well.
 */
#ifndef NKE_DHCP_H
#define NKE_DHCP_H

#include <netinet/in.h>

#include <nke/iface.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nke_dhcp nke_dhcp_t;

struct nke_dhcp_lease {
	bool bound;			/* the interface has the address now */
	struct in_addr address, server, router;	/* 0.0.0.0: none */
	unsigned prefix;		/* bits of the network */
	struct in_addr dns[4];
	unsigned dns_count;
	char domain[64];
	uint32_t lease, t1, t2;		/* seconds, from the beginning; UINT32_MAX: for ever */
	uint64_t since_ns;		/* uptime at which it began */
};

enum nke_dhcp_event {
	NKE_DHCP_BOUND,			/* the interface got an address */
	NKE_DHCP_RENEWED,		/* it may be used for longer */
	NKE_DHCP_LOST,			/* it expired or was refused, and is gone */
	NKE_DHCP_CONFLICT		/* another station has it: it is gone, and declined */
};

struct nke_dhcp_config {
	const char *hostname;		/* that the server is told; NULL: none */
	/*
	 * Something happened. On the thread that is inside the machine; must not call it. NULL: nobody
	 * listens.
	 */
	void (*event)(void *ctx, enum nke_dhcp_event event, const struct nke_dhcp_lease *lease);
	void *ctx;
};

/*
 * Asks for an address on an interface from now on, until it is stopped or the interface goes. `*d` is
 * to be given to nke_dhcp_stop. `config` may be NULL.
 *
 * EBUSY: a client is there. EOPNOTSUPP: not an Ethernet. ENXIO, ENOMEM, EFAULT.
 */
int nke_dhcp_start(nke_iface_t *i, const struct nke_dhcp_config *config, nke_dhcp_t **d);
/*
 * Gives the address back to the server and takes it off the interface. Before nke_destroy. NULL is
 * ignored.
 */
void nke_dhcp_stop(nke_dhcp_t *d);
/* What there is now. EFAULT. */
int nke_dhcp_read_lease(nke_dhcp_t *d, struct nke_dhcp_lease *lease);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
