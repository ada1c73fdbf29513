/*
 * The packet filter's taps: drivers show their packets (bpf_tap_in, bpf_tap_out in net/bpf.h),
 * listeners inside the core are called with them. What listeners do (files, filter programs,
 * devices) is theirs.
 */
#ifndef NKE_NET_BPF_PRIVATE_H
#define NKE_NET_BPF_PRIVATE_H

#include <net/bpf.h>

#include "src/net/if_private.h"

/* A packet as a tap shows it: `header` (may be empty) in front of the packet's own bytes. */
struct bpf_packet {
	struct ifnet *ifp;
	uint32_t dlt;
	bool outbound;
	const void *header;
	size_t header_len;
	const struct mbuf *m;		/* neither changed nor kept */
};

typedef void bpf_listener_fn(void *ctx, const struct bpf_packet *);

/*
 * Adds a listener for one link type of an interface (0: its first). *id names it for bpf_unlisten.
 * ENXIO: no such link type there, or the driver refused; ENOMEM.
 */
errno_t bpf_listen(struct ifnet *, uint32_t dlt, bpf_listener_fn *fn, void *ctx, uint32_t *id);
/* Unknown ids (the interface may have gone) are ignored. */
void bpf_unlisten(struct nke *, uint32_t id);
/* For kpi/bpf.c: adds a link type. EEXIST, ENOMEM. */
errno_t bpf_add(struct ifnet *, uint32_t dlt, uint32_t hdrlen, bpf_send_func, bpf_tap_func,
    struct kext *owner);
void bpf_tap(struct ifnet *, uint32_t dlt, bool outbound, const struct mbuf *, const void *header,
    size_t header_len);
/* For DLIL: the interface goes, and with it its link types and listeners. */
void bpf_detach(struct ifnet *);

#endif
