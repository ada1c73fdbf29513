/*
 * A captured frame taken apart: for reenact*.c. Nothing is copied; all lengths have been checked against
 * what was captured.
 */
#ifndef NKE_HOST_REENACT_PACKET_H
#define NKE_HOST_REENACT_PACKET_H

#include <string.h>

#include "src/host/guess.h"

#define TCP_FIN		0x01
#define TCP_SYN		0x02
#define TCP_RST		0x04
#define TCP_PSH		0x08
#define TCP_ACK		0x10
#define TCP_URG		0x20

#define PROTO_ICMP	1
#define PROTO_TCP	6
#define PROTO_UDP	17
#define PROTO_ICMP6	58

#define LINK_MTU	1500u		/* longer packets were put together by who captured them */
#define NET_MAX		(128u << 10)	/* octets of an IP packet that is played: beyond any link's */

enum packet_kind {
	PACKET_OTHER,			/* no IP, malformed, between others, or no transport that is played */
	PACKET_TCP,
	PACKET_UDP,
	PACKET_ICMP,
	PACKET_FRAGMENT			/* of a datagram of any transport */
};

struct packet {
	uint64_t number, time_ns;
	enum packet_kind kind;
	bool outbound;			/* the host sent it */
	bool within;			/* to itself */
	uint8_t version;		/* 4, 6 */
	uint8_t protocol;		/* of the transport */
	const uint8_t *link;		/* the link header, as captured */
	uint32_t link_len;
	const uint8_t *net;
	uint32_t net_len;		/* on the wire: IP's length, without what the link added */
	uint32_t net_captured;
	const uint8_t *src, *dst;
	uint32_t header_len;		/* of IP with its options or extension headers */
	const uint8_t *transport;
	uint16_t sport, dport;		/* TCP, UDP */

	uint32_t seq, ack;		/* TCP */
	uint16_t window;
	uint8_t flags;
	uint8_t tcp_len;		/* of its header */
	const uint8_t *data;		/* TCP, UDP: the payload */
	uint32_t data_len, data_captured;

	uint32_t ident;			/* fragments */
	uint32_t offset;		/* of their part in the datagram's payload */
	bool more;
};

/* Octets of a link header; 0 where there is none. */
uint32_t packet_link_length(enum core_link);
/*
 * Takes a frame apart. `h` are the addresses that are the host's: packets from it are outbound, packets to
 * it, to groups and to everybody inbound, others PACKET_OTHER, as are those from it to itself.
 */
void packet_parse(enum core_link, const struct core_frame *, const struct host_identity *h, struct packet *);
/* The transport of a whole datagram: `net`, `net_len`, `header_len` and `protocol` are known. */
void packet_parse_transport(struct packet *);

/* The two time stamps (RFC 7323) of a TCP segment: false when it has none. */
bool packet_timestamps(const uint8_t *tcp, uint32_t tcp_len, uint32_t *value, uint32_t *echo);

enum packet_sum {
	PACKET_SUMMED,			/* the checksum of its transport is right */
	PACKET_UNSUMMED,		/* left to a device, or nobody can know */
	PACKET_DAMAGED
};
/* Of a whole TCP segment or UDP datagram. */
enum packet_sum packet_check(const struct packet *);

/* Sum for the Internet checksum (RFC 1071) of `len` octets on top of `sum`; in the order of the packet. */
uint64_t packet_sum(const void *, size_t len, uint64_t sum);
/* What goes into the field. */
uint16_t packet_sum_fold(uint64_t sum);
/* The sum of a pseudo header, of `version`, with both addresses. */
uint64_t packet_pseudo_sum(uint8_t version, const uint8_t *src, const uint8_t *dst, uint8_t protocol,
    uint32_t len);

static inline uint32_t
packet_address_len(uint8_t version)
{
	return version == 4 ? 4 : 16;
}

static inline uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return __builtin_bswap32(v);
}

static inline void
put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

#endif
