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
#include "src/net/rtable.h"

struct ip_error;

/*
 * A transport protocol, by IP protocol number. `input` consumes m; data at the IP header, `offset`
 * bytes before the transport header. Registered by the layers above.
 */
struct ip_transport {
	void (*input)(struct nke *, struct mbuf *, int offset, uint8_t protocol);
	/* An ICMP error about one of its packets arrived. NULL: not interested. */
	void (*error)(struct nke *, const struct ip_error *);
};

/*
 * What an ICMP or ICMPv6 error says, after it was checked as far as IP can (RFC 1122 3.2.2): the packet
 * it quotes was sent by one of our addresses.
 */
struct ip_error {
	errno_t error;			/* for the socket: EHOSTUNREACH, ECONNREFUSED, EMSGSIZE ... */
	bool hard;			/* ends connections that are being made; soft: is only remembered */
	uint8_t type, code;		/* of the message */
	uint32_t mtu;			/* of a path MTU message, else 0 */
	struct sockaddr_storage dst, src;	/* of the quoted packet, no ports; src is ours */
	struct sockaddr_storage from;	/* who says so */
	uint8_t protocol;
	const struct mbuf *m;		/* the message; belongs to the caller */
	size_t off;			/* in m: of the quoted transport header */
	size_t len;			/* bytes of it that are there, at least 8 in IPv4 */
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
#define IP_OUT_DONTROUTE	0x10	/* only to connected networks (SO_DONTROUTE) */
#define IP_OUT_DONTFRAG		0x20	/* EMSGSIZE rather than fragments (IP_DONTFRAG) */
#define IP_OUT_FORWARDING	0x40	/* somebody else's: source and id are left alone */
#define IP_OUT_UNSPEC_SOURCE	0x80	/* the unspecified source is meant (DHCP, DAD) */
#define IP_OUT_MINMTU		0x100	/* IPv6: in packets that fit every link (IPV6_USE_MIN_MTU) */

/*
 * Sends a datagram: data at the IP header, whose addresses, protocol, time to live, service type
 * and DF the caller has filled in. Consumes m. EHOSTUNREACH, ENETUNREACH, EMSGSIZE, ENOBUFS,
 * EACCES, EADDRNOTAVAIL, EINVAL, or a filter's or the driver's.
 */
errno_t ip_output(struct nke *, struct mbuf *, uint32_t flags, ipf_pktopts_t);
errno_t ip6_output(struct nke *, struct mbuf *, uint32_t flags, ipf_pktopts_t);
/*
 * What a sender asks for beyond its header. All zero: nothing special. Everything it points to stays the
 * sender's and is used during the call only.
 */
struct ip_sender {
	struct route *route;		/* keeps the route from one datagram to the next; NULL: none */
	struct ifnet *bound;		/* leaves by this interface or not at all (IP_BOUND_IF); NULL: any */
	struct ifnet *mcast_ifp;	/* of multicast without a bound interface; NULL: by the table */
	bool has_mcast;			/* the next two are meant */
	uint8_t mcast_ttl;		/* hop limit of multicast */
	bool mcast_loop;		/* members here hear it too */
	uint32_t flags;			/* IP_OUT_* */
	/*
	 * IPv4 options to be inserted, a multiple of 4 bytes. A source route lists the gateways in order,
	 * pointer 4; the destination is the header's.
	 */
	const uint8_t *options;
	size_t options_len;
	const struct ip6_options *options6;	/* IPv6 extension headers to be inserted, NULL none */
};
/* Extension headers, complete with their length bytes; the next-header bytes are filled in. */
struct ip6_options {
	const void *hop, *dst1, *routing, *dst2;	/* struct ip6_hbh, ip6_dest, ip6_rthdr, ip6_dest */
};
/*
 * ip_output and ip6_output for sockets: the source address, when it is unspecified, is selected
 * (EADDRNOTAVAIL: there is none); a complete IPv4 header without identification gets one. A link-local IPv6
 * destination is on the link of `bound`, or of `mcast_ifp`. The same errors; EMSGSIZE also when
 * IP_OUT_DONTFRAG is set and it does not fit the path.
 */
errno_t ip_send(struct nke *, struct mbuf *, const struct ip_sender *);
errno_t ip6_send(struct nke *, struct mbuf *, const struct ip_sender *);

/* ---- ICMP --------------------------------------------------------------------------------- */

/*
 * Tells the sender of `m` (data at the IP header, consumed) that it could not be delivered, unless RFC 1122
 * 3.2.2 (RFC 4443 2.4) forbids it or the rate limit is reached. `info`: next-hop MTU, gateway (network
 * order) or pointer; else 0.
 */
void icmp_error(struct nke *, struct mbuf *m, uint8_t type, uint8_t code, uint32_t info);
void icmp6_error(struct nke *, struct mbuf *m, uint8_t type, uint8_t code, uint32_t info);
/*
 * How both begin: the packet with its header in one aligned piece. NULL: nothing is to be said (a replayed
 * machine), or no memory; it is consumed.
 */
struct mbuf *icmp_error_cause(struct nke *, struct mbuf *m, int hlen);

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
uint16_t in_cksum_part(const struct mbuf *, size_t off, size_t len);
uint16_t in_cksum_buf(const void *, size_t len);
uint32_t in_pseudo(struct in_addr src, struct in_addr dst, uint8_t proto, uint32_t len);
uint32_t in6_pseudo(const struct in6_addr *src, const struct in6_addr *dst, uint8_t proto,
    uint32_t len);

/* BSD's counters, as netstat -s shows them. */
struct ipstat *ip_statistics(struct nke *);
struct ip6stat *ip6_statistics(struct nke *);

#endif
