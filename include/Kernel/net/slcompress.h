/* TCP/IP header compression (RFC 1144): packet types, change bits, state of a line. */
#ifndef _NET_SLCOMPRESS_H_
#define _NET_SLCOMPRESS_H_

#include <sys/types.h>
#include <netinet/in.h>
#include <netinet/in_systm.h>
#include <netinet/ip.h>

#define MAX_STATES		16	/* connections */
#define MAX_HDR			128	/* bytes */

/* Type of packet. */
#define TYPE_IP			0x40
#define TYPE_UNCOMPRESSED_TCP	0x70
#define TYPE_COMPRESSED_TCP	0x80
#define TYPE_ERROR		0x00

/* First byte of a compressed header: what follows. */
#define NEW_C			0x40	/* connection */
#define NEW_I			0x20	/* IP id */
#define TCP_PUSH_BIT		0x10
#define NEW_S			0x08	/* sequence number */
#define NEW_A			0x04	/* acknowledgement */
#define NEW_W			0x02	/* window */
#define NEW_U			0x01	/* urgent pointer */
#define SPECIAL_I		(NEW_S | NEW_W | NEW_U)
#define SPECIAL_D		(NEW_S | NEW_A | NEW_W | NEW_U)
#define SPECIALS_MASK		(NEW_S | NEW_A | NEW_W | NEW_U)

struct cstate {
	struct cstate *cs_next;
	u_int16_t cs_hlen;		/* receive side: bytes in the header */
	u_char cs_id;
	u_char cs_filler;
	union {
		char csu_hdr[MAX_HDR];
		struct ip csu_ip;	/* header of the last packet */
	} slcs_u;
};
#define cs_ip			slcs_u.csu_ip
#define cs_hdr			slcs_u.csu_hdr

struct slcompress {
	struct cstate *last_cs;
	u_char last_recv;
	u_char last_xmit;
	u_int16_t flags;		/* SLF_* */
	int sls_packets;
	int sls_compressed;
	int sls_searches;
	int sls_misses;
	int sls_uncompressedin;
	int sls_compressedin;
	int sls_errorin;
	int sls_tossed;
	struct cstate tstate[MAX_STATES];
	struct cstate rstate[MAX_STATES];
};

#define SLF_TOSS		1	/* drop what comes until the line is in step again */

#endif
