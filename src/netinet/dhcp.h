/* A DHCP client's inside: messages (dhcp_message.c) and the course of a lease (dhcp_client.c). */
#ifndef NKE_NETINET_DHCP_H
#define NKE_NETINET_DHCP_H

#include <netinet/bootp.h>
#include <netinet/in.h>

#include "src/kern/machine.h"

/* RFC 2132 9.6: message types. */
enum dhcp_type {
	DHCP_NONE, DHCPDISCOVER, DHCPOFFER, DHCPREQUEST, DHCPDECLINE, DHCPACK, DHCPNAK, DHCPRELEASE
};

#define DHCP_FIXED	236u		/* of struct bootp, before the options */
#define DHCP_COOKIE	0x63825363u	/* RFC 2131 3 */
#define DHCP_MIN	300u		/* bytes of a message: what BOOTP relays expect (RFC 1542 2.1) */
#define DHCP_MAX	1472u		/* that we take: option 57 says so */
#define DHCP_FOREVER	UINT32_MAX

/* What a server's message says; 0 where it does not. */
struct dhcp_said {
	enum dhcp_type type;
	struct in_addr address;		/* yiaddr */
	struct in_addr server;		/* option 54 */
	struct in_addr mask, router;
	struct in_addr dns[4];
	unsigned dns_count;
	char domain[64];		/* "" */
	uint32_t lease, t1, t2;		/* seconds */
};

/* What a message to a server says; 0: leaves it out. */
struct dhcp_ask {
	enum dhcp_type type;
	uint32_t xid;
	uint16_t secs;
	bool broadcast;			/* answers cannot come to an address that we do not have yet */
	struct in_addr ciaddr, requested, server;
	const uint8_t *lladdr;		/* 6 bytes */
	const char *hostname;		/* NULL */
};

/* Writes the UDP payload, at most DHCP_MAX bytes; its length. */
size_t dhcp_build(uint8_t *, const struct dhcp_ask *);
/* Is it an answer to `xid` and lladdr, and what does it say? False: it is of no use. */
bool dhcp_parse(const uint8_t *, size_t len, uint32_t xid, const uint8_t lladdr[6], struct dhcp_said *);

struct dhcp_client;
void dhcp_describe(const struct dhcp_client *, struct core_dhcp_lease *);

#endif
