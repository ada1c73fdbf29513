/*
 * Interfaces whose other end is the harness: what a machine sends arrives in a callback, and what the
 * harness puts in is received by the machine.
 */
#ifndef NKE_IFACE_H
#define NKE_IFACE_H

#include <sys/socket.h>

#include <nke/nke.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nke_iface nke_iface_t;

enum nke_media {
	NKE_MEDIA_ETHERNET,		/* frames with a 14-byte header and no checksum */
	NKE_MEDIA_RAW			/* IPv4 and IPv6 packets without a link header */
};

struct nke_iface_config {
	const char *name;		/* "en0": letters, then the unit's number */
	enum nke_media media;
	uint8_t lladdr[6];		/* Ethernet only */
	uint32_t mtu;			/* bytes of IP; 0: 1500 */
	/*
	 * A frame leaves: `len` bytes, valid during the call. Called on the thread that is inside the
	 * machine; must not call this machine. NULL: frames vanish.
	 */
	void (*output)(void *ctx, const void *frame, size_t len);
	void *ctx;
};

/*
 * Makes an interface and brings it up. `*i` belongs to the machine and goes with it.
 *
 * EINVAL: a malformed name, media or MTU. EBUSY: the name is taken. ENOMEM, ENOBUFS. EFAULT: panicked.
 */
int nke_iface_create(nke_t *m, const struct nke_iface_config *config, nke_iface_t **i);

/* Detaches it; `i` is not valid any more. May block. EFAULT. */
int nke_iface_destroy(nke_iface_t *i);

/*
 * A frame arrives: `len` bytes, copied, then handled as far as that is possible at once. May block.
 *
 * EINVAL: shorter than a header. ENOBUFS: no packet memory. ENXIO: the interface is going. EFAULT.
 */
int nke_iface_input(nke_iface_t *i, const void *frame, size_t len);

/*
 * Gives it an address (AF_INET or AF_INET6) of a network of `prefix` bits.
 *
 * EAFNOSUPPORT: another family. EINVAL: an address that is too short, a prefix that is too long. EEXIST:
 * the machine has it. ENOMEM, EFAULT.
 */
int nke_iface_add_address(nke_iface_t *i, const struct sockaddr *address, socklen_t len,
    unsigned prefix);

/*
 * Everything of the gateway's family that has no network of its own leaves here, by that gateway.
 * EAFNOSUPPORT, EINVAL, ENOMEM, EFAULT.
 */
int nke_iface_set_gateway(nke_iface_t *i, const struct sockaddr *gateway, socklen_t len);

/* Tells it a neighbour's link address, which it then does not ask for. The same errors. */
int nke_iface_add_neighbor(nke_iface_t *i, const struct sockaddr *address, socklen_t len,
    const uint8_t lladdr[6]);

/*
 * IPv6 with a link-local address, made from its link address; addresses and a gateway from routers that
 * advertise (RFC 4862), whom it asks. False: what came from routers goes again. EOPNOTSUPP: no
 * Ethernet. ENXIO, ENOMEM, EFAULT.
 */
int nke_iface_set_autoconf(nke_iface_t *i, bool on);

const char *nke_iface_name(const nke_iface_t *i);
/* The interface of that name made by nke_iface_create, or NULL. */
nke_iface_t *nke_iface_find(nke_t *m, const char *name);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
