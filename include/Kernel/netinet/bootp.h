/* BOOTP packets (RFC 951); DHCP has the same shape. Network byte order. */
#ifndef _NETINET_BOOTP_H_
#define _NETINET_BOOTP_H_

#include <sys/types.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#define IPPORT_BOOTPS		67
#define IPPORT_BOOTPC		68

#define BOOTREQUEST		1
#define BOOTREPLY		2

struct bootp {
	u_char bp_op;		/* BOOTREQUEST or BOOTREPLY */
	u_char bp_htype;	/* ARPHRD_* */
	u_char bp_hlen;
	u_char bp_hops;
	u_int32_t bp_xid;
	u_short bp_secs;
	u_short bp_unused;
	struct in_addr bp_ciaddr;	/* client, if it knows */
	struct in_addr bp_yiaddr;	/* client, as the server says */
	struct in_addr bp_siaddr;	/* next server */
	struct in_addr bp_giaddr;	/* relay */
	u_char bp_chaddr[16];
	u_char bp_sname[64];
	u_char bp_file[128];
	u_char bp_vend[64];
};

#endif
