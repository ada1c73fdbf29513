/* ARP for IPv4 over Ethernet (RFC 826), and IPv4 multicast over Ethernet (RFC 1112). */
#ifndef _NETINET_IF_ETHER_H_
#define _NETINET_IF_ETHER_H_

#include <sys/types.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <netinet/in.h>

#define ea_byte			ether_addr_octet

/* Ethernet group address (6 bytes) of an IPv4 group: the lower 23 bits behind 01:00:5e. */
#define ETHER_MAP_IP_MULTICAST(ipaddr, enaddr) do { \
	const u_int8_t *_emm_ip = (const u_int8_t *)(ipaddr); \
	u_int8_t *_emm_en = (u_int8_t *)(enaddr); \
	_emm_en[0] = 0x01; \
	_emm_en[1] = 0x00; \
	_emm_en[2] = 0x5e; \
	_emm_en[3] = _emm_ip[1] & 0x7f; \
	_emm_en[4] = _emm_ip[2]; \
	_emm_en[5] = _emm_ip[3]; \
} while (0)

/* Ethernet group address of an IPv6 group: its last four bytes behind 33:33 (RFC 2464). */
#define ETHER_MAP_IPV6_MULTICAST(ip6addr, enaddr) do { \
	const u_int8_t *_emm_ip = (const u_int8_t *)(ip6addr); \
	u_int8_t *_emm_en = (u_int8_t *)(enaddr); \
	_emm_en[0] = 0x33; \
	_emm_en[1] = 0x33; \
	_emm_en[2] = _emm_ip[12]; \
	_emm_en[3] = _emm_ip[13]; \
	_emm_en[4] = _emm_ip[14]; \
	_emm_en[5] = _emm_ip[15]; \
} while (0)

/* An ARP packet. */
struct ether_arp {
	struct arphdr ea_hdr;
	u_char arp_sha[ETHER_ADDR_LEN];	/* sender */
	u_char arp_spa[4];
	u_char arp_tha[ETHER_ADDR_LEN];	/* target */
	u_char arp_tpa[4];
};
#define arp_hrd			ea_hdr.ar_hrd
#define arp_pro			ea_hdr.ar_pro
#define arp_hln			ea_hdr.ar_hln
#define arp_pln			ea_hdr.ar_pln
#define arp_op			ea_hdr.ar_op

/* Destination of a routing-socket message about an ARP entry. */
struct sockaddr_inarp {
	u_char sin_len;
	u_char sin_family;
	u_short sin_port;
	struct in_addr sin_addr;
	struct in_addr sin_srcaddr;
	u_short sin_tos;
	u_short sin_other;	/* SIN_* */
};
#define SIN_PROXY			0x1
#define SIN_ROUTER			0x2

/* Flags of a route that is an ARP entry. */
#define RTF_ANNOUNCE			RTF_PROTO2
#define RTF_USETRAILERS			RTF_PROTO1

#endif
