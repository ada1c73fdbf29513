/* ARP as it is on the wire, its ioctls and counters. */
#ifndef _NET_IF_ARP_H_
#define _NET_IF_ARP_H_

#include <stdint.h>
#include <sys/types.h>
#include <sys/socket.h>

/* The fixed part, in network byte order; the four addresses follow (netinet/if_ether.h). */
struct arphdr {
	u_short ar_hrd;		/* ARPHRD_* */
	u_short ar_pro;		/* an Ethernet type */
	u_char ar_hln;		/* length of a link address */
	u_char ar_pln;		/* length of a protocol address */
	u_short ar_op;		/* ARPOP_* */
};

#define ARPHRD_ETHER			1
#define ARPHRD_IEEE802			6
#define ARPHRD_FRELAY			15
#define ARPHRD_IEEE1394			24
#define ARPHRD_IEEE1394_EUI64		27

#define ARPOP_REQUEST			1
#define ARPOP_REPLY			2
#define ARPOP_REVREQUEST		3
#define ARPOP_REVREPLY			4
#define ARPOP_INVREQUEST		8
#define ARPOP_INVREPLY			9

/* ARP ioctls of old. */
struct arpreq {
	struct sockaddr arp_pa;
	struct sockaddr arp_ha;
	int arp_flags;		/* ATF_* */
};

#define ATF_INUSE			0x01
#define ATF_COM				0x02
#define ATF_PERM			0x04
#define ATF_PUBL			0x08
#define ATF_USETRAILERS			0x10

struct arpstat {
	/* Normal operation. */
	uint32_t txrequests;
	uint32_t txreplies;
	uint32_t txannounces;
	uint32_t rxrequests;
	uint32_t rxreplies;
	uint32_t received;
	/* Abnormal events. */
	uint32_t txconflicts;
	uint32_t invalidreqs;
	uint32_t reqnobufs;
	uint32_t dropped;
	uint32_t purged;
	uint32_t timeouts;
	uint32_t dupips;
	/* State of the table. */
	uint32_t inuse;
	uint32_t txurequests;
	uint32_t held;
};

#endif
