/* IPv4 on the wire (RFC 791): header, options, service types. Network byte order. */
#ifndef _NETINET_IP_H_
#define _NETINET_IP_H_

#include <sys/types.h>
#include <machine/endian.h>
#include <netinet/in.h>
#include <netinet/in_systm.h>

#define IPVERSION			4

struct ip {
#ifdef _IP_VHL
	u_char ip_vhl;		/* version and header length */
#else
#if BYTE_ORDER == LITTLE_ENDIAN
	u_int ip_hl:4,		/* header length in 4-byte words */
	    ip_v:4;		/* version */
#else
	u_int ip_v:4,
	    ip_hl:4;
#endif
#endif
	u_char ip_tos;
	u_short ip_len;		/* header and data, bytes */
	u_short ip_id;
	u_short ip_off;		/* flags below, fragment offset in 8-byte units */
#define IP_RF			0x8000	/* reserved */
#define IP_DF			0x4000	/* don't fragment */
#define IP_MF			0x2000	/* more fragments */
#define IP_OFFMASK		0x1fff
	u_char ip_ttl;
	u_char ip_p;		/* IPPROTO_* */
	u_short ip_sum;
	struct in_addr ip_src, ip_dst;
};

/* Version and header length as one byte. */
#define IP_MAKE_VHL(v, hl)	((v) << 4 | (hl))
#define IP_VHL_HL(vhl)		((vhl) & 0x0f)
#define IP_VHL_V(vhl)		((vhl) >> 4)
#define IP_VHL_BORING			0x45

#define IP_MAXPACKET			65535

/* ip_tos. */
#define IPTOS_CE			0x01
#define IPTOS_ECT			0x02
#define IPTOS_MINCOST			0x02
#define IPTOS_RELIABILITY		0x04
#define IPTOS_THROUGHPUT		0x08
#define IPTOS_LOWDELAY			0x10
#define IPTOS_PREC_ROUTINE		0x00
#define IPTOS_PREC_PRIORITY		0x20
#define IPTOS_PREC_IMMEDIATE		0x40
#define IPTOS_PREC_FLASH		0x60
#define IPTOS_PREC_FLASHOVERRIDE	0x80
#define IPTOS_PREC_CRITIC_ECP		0xa0
#define IPTOS_PREC_INTERNETCONTROL	0xc0
#define IPTOS_PREC_NETCONTROL		0xe0
#define IPTOS_ECN_NOTECT		0x00
#define IPTOS_ECN_ECT1			0x01
#define IPTOS_ECN_ECT0			0x02
#define IPTOS_ECN_CE			0x03
#define IPTOS_ECN_MASK			0x03
#define IPTOS_DSCP_SHIFT		2

/* Options: kind of kind. */
#define IPOPT_COPIED(o)		((o) & 0x80)
#define IPOPT_CLASS(o)		((o) & 0x60)
#define IPOPT_NUMBER(o)		((o) & 0x1f)
#define IPOPT_CONTROL			0x00
#define IPOPT_RESERVED1			0x20
#define IPOPT_DEBMEAS			0x40
#define IPOPT_RESERVED2			0x60

/* Options. */
#define IPOPT_EOL			0
#define IPOPT_NOP			1
#define IPOPT_RR			7
#define IPOPT_TS			68
#define IPOPT_SECURITY			130
#define IPOPT_LSRR			131
#define IPOPT_SATID			136
#define IPOPT_SSRR			137
#define IPOPT_RA			148

/* Where an option has its kind, length and offset; smallest offset. */
#define IPOPT_OPTVAL			0
#define IPOPT_OLEN			1
#define IPOPT_OFFSET			2
#define IPOPT_MINOFF			4

/* IPOPT_TS. */
struct ip_timestamp {
	u_char ipt_code;	/* IPOPT_TS */
	u_char ipt_len;
	u_char ipt_ptr;		/* where the next entry goes, from 5 */
#if BYTE_ORDER == LITTLE_ENDIAN
	u_int ipt_flg:4,	/* IPOPT_TS_* */
	    ipt_oflw:4;		/* hosts that found no room */
#else
	u_int ipt_oflw:4,
	    ipt_flg:4;
#endif
	union ipt_timestamp {
		n_long ipt_time[1];
		struct ipt_ta {
			struct in_addr ipt_addr;
			n_long ipt_time;
		} ipt_ta[1];
	} ipt_timestamp;
};

#define IPOPT_TS_TSONLY			0
#define IPOPT_TS_TSANDADDR		1
#define IPOPT_TS_PRESPEC		3

/* Levels of IPOPT_SECURITY, not in network byte order. */
#define IPOPT_SECUR_UNCLASS		0x0000
#define IPOPT_SECUR_TOPSECRET		0x6bc5
#define IPOPT_SECUR_EFTO		0x789a
#define IPOPT_SECUR_RESTR		0xaf13
#define IPOPT_SECUR_MMMM		0xbc4d
#define IPOPT_SECUR_SECRET		0xd788
#define IPOPT_SECUR_CONFID		0xf135

/* Time to live (hops) and reassembly time (half seconds). */
#define IPTTLDEC			1
#define IPFRAGTTL			30
#define IPDEFTTL			64
#define MAXTTL				255

#define IP_MSS				576

#endif
