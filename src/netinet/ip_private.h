/*
 * IPv4 and IPv6 inside the core: entry points, queues and counters. Registered with DLIL as the
 * protocols PF_INET and PF_INET6.
 *
 * Headers are in network byte order all the time, from the wire to the transport and back.
 */
#ifndef NKE_NETINET_IP_PRIVATE_H
#define NKE_NETINET_IP_PRIVATE_H

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_var.h>
#include <netinet6/ip6_var.h>
#include <netinet/kpi_ipfilter.h>

#include "src/kern/mbuf.h"
#include "src/net/if_private.h"

/*
 * A transport protocol, by IP protocol number. `input` consumes m; data at the IP header, `offset`
 * bytes before the transport header. Registered by the layers above.
 */
struct ip_transport {
	void (*input)(struct nke *, struct mbuf *, int offset, uint8_t protocol);
};

/* `t` is kept; NULL takes the protocol out again. */
void ip_set_transport(struct nke *, int family, uint8_t protocol, const struct ip_transport *t);
/* Its IPv6 half. */
void ip6_set_transport(struct nke *, uint8_t protocol, const struct ip_transport *t);

/* ---- the way in --------------------------------------------------------------------------- */

void ip_input(struct nke *, struct mbuf *list);
void ip6_input(struct nke *, struct mbuf *list);
/*
 * A whole datagram for this machine: through the filters behind `behind` (NULL: all), then to its
 * transport. Consumes.
 */
void ip_deliver(struct nke *, struct mbuf *, int hlen, ipfilter_t behind);

/* ---- the way out -------------------------------------------------------------------------- */

#define IP_OUT_RAW		0x1	/* header is complete: kept as it is */
#define IP_OUT_NO_FILTERS	0x4
#define IP_OUT_BROADCAST	0x8	/* allowed to send to a broadcast address */

/*
 * Sends a datagram: data at the IP header, whose addresses, protocol, time to live, service type
 * and DF the caller has filled in. Consumes m. EHOSTUNREACH, ENETUNREACH, EMSGSIZE, ENOBUFS,
 * EACCES, EADDRNOTAVAIL, EINVAL, or a filter's or the driver's.
 */
errno_t ip_output(struct nke *, struct mbuf *, uint32_t flags, ipf_pktopts_t);
errno_t ip6_output(struct nke *, struct mbuf *, uint32_t flags, ipf_pktopts_t);
/*
 * Cuts a datagram (header in network order) into packets that fit `mtu`, linked by m_nextpkt.
 * EMSGSIZE: DF set or no room; ENOBUFS. The original is consumed in every case. The packets have no
 * tags but the first, and the origin (replay) of the datagram.
 */
errno_t ip_fragment(struct nke *, struct mbuf *, uint32_t mtu, struct mbuf **list);
errno_t ip6_fragment(struct nke *, struct mbuf *, uint32_t mtu, struct mbuf **list);
/*
 * Completes what mbuf csum flags leave to the hardware, those in `csum_flags` only, and clears
 * them. The IP header is at `hoff`. EINVAL: the packet is too short for its headers, nothing was
 * changed.
 */
errno_t in_finalize_cksum(struct mbuf *, uint32_t hoff, uint32_t csum_flags);
errno_t in6_finalize_cksum(struct mbuf *, uint32_t hoff, uint32_t csum_flags);

/* ---- captures ----------------------------------------------------------------------------- */

/*
 * Packets that the host of a replayed capture sent: header checks, reassembly, output filters,
 * replay_output_done. No routing, no fragmentation. Consumes the list.
 */
void ip_play_output(struct nke *, struct ifnet *, struct mbuf *list);
void ip6_play_output(struct nke *, struct ifnet *, struct mbuf *list);

/* ---- reassembly --------------------------------------------------------------------------- */

/*
 * Takes a fragment. NULL: kept (or dropped and counted); else the completed datagram, header in
 * network order with its checksum recomputed, fragment fields cleared. `context` keeps apart the
 * ways in and out of a replayed capture (0, 1).
 */
struct mbuf *ip_reass(struct nke *, struct mbuf *, int hlen, int context);
/* *offp: offset of the fragment header; on completion offset and number of the next header. */
struct mbuf *ip6_reass(struct nke *, struct mbuf *, int *offp, uint8_t *nextp, int context);

/* ---- checksums ---------------------------------------------------------------------------- */

/* Ones' complement sum of [off, off+len) of the chain, folded, not inverted. */
uint16_t in_cksum_sum(const struct mbuf *, size_t off, size_t len, uint32_t initial);
/* The Internet checksum of that range (RFC 1071), ready to store: 0 when the range is correct. */
uint16_t in_cksum(const struct mbuf *, size_t off, size_t len);
uint16_t in_cksum_buf(const void *, size_t len);
uint32_t in_pseudo(struct in_addr src, struct in_addr dst, uint8_t proto, uint32_t len);
uint32_t in6_pseudo(const struct in6_addr *src, const struct in6_addr *dst, uint8_t proto,
    uint32_t len);

/* BSD's counters, as netstat -s shows them. */
struct ipstat *ip_statistics(struct nke *);
struct ip6stat *ip6_statistics(struct nke *);

#endif
