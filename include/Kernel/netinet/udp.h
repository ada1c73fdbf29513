/* UDP on the wire (RFC 768) and its socket option. */
#ifndef _NETINET_UDP_H_
#define _NETINET_UDP_H_

#include <sys/types.h>

/* Network byte order. */
struct udphdr {
	u_short uh_sport;
	u_short uh_dport;
	u_short uh_ulen;	/* header and data, bytes */
	u_short uh_sum;		/* 0: none (IPv4) */
};

/* At level IPPROTO_UDP: send without checksum. */
#define UDP_NOCKSUM			0x01

#endif
