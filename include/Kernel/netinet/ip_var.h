/* What IPv4 counts; the pseudo header of its transports. */
#ifndef _NETINET_IP_VAR_H_
#define _NETINET_IP_VAR_H_

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/kernel_types.h>
#include <netinet/in.h>

/* Lies over an IPv4 header while a transport checksum is made. */
struct ipovly {
	u_char ih_x1[9];	/* 0 */
	u_char ih_pr;
	u_short ih_len;
	struct in_addr ih_src;
	struct in_addr ih_dst;
};

#define MAX_IPOPTLEN		40	/* bytes */

struct ipstat {
	u_int32_t ips_total;		/* received */
	u_int32_t ips_badsum;		/* header checksum wrong */
	u_int32_t ips_tooshort;		/* shorter than its length says */
	u_int32_t ips_toosmall;		/* shorter than a header */
	u_int32_t ips_badhlen;		/* header length impossible */
	u_int32_t ips_badlen;		/* length less than header */
	u_int32_t ips_fragments;
	u_int32_t ips_fragdropped;	/* duplicates, or no room */
	u_int32_t ips_fragtimeout;	/* not complete in time */
	u_int32_t ips_forward;		/* forwarded */
	u_int32_t ips_fastforward;
	u_int32_t ips_cantforward;	/* for others, not forwarded */
	u_int32_t ips_redirectsent;
	u_int32_t ips_noproto;		/* protocol not known */
	u_int32_t ips_delivered;	/* to a protocol here */
	u_int32_t ips_localout;		/* made here */
	u_int32_t ips_odropped;		/* no memory */
	u_int32_t ips_reassembled;	/* datagrams put together */
	u_int32_t ips_fragmented;	/* datagrams cut up */
	u_int32_t ips_ofragments;	/* pieces made */
	u_int32_t ips_cantfrag;		/* too big, must not be cut */
	u_int32_t ips_badoptions;
	u_int32_t ips_noroute;
	u_int32_t ips_badvers;
	u_int32_t ips_rawout;		/* made by raw sockets */
	u_int32_t ips_toolong;		/* longer than 65535 */
	u_int32_t ips_notmember;	/* multicasts for others */
	u_int32_t ips_nogif;
	u_int32_t ips_badaddr;		/* impossible source or destination */
	u_int32_t ips_pktdropcntrl;	/* no memory for control data */
	u_int32_t ips_rcv_swcsum;
	u_int32_t ips_rcv_swcsum_bytes;
	u_int32_t ips_snd_swcsum;
	u_int32_t ips_snd_swcsum_bytes;
	u_int32_t ips_adj;		/* trimmed to their length */
	u_int32_t ips_adj_hwcsum_clr;	/* hardware checksum lost by trimming */
	u_int32_t ips_rxc_collisions;
	u_int32_t ips_rxc_chained;
	u_int32_t ips_rxc_notchain;
	u_int32_t ips_rxc_chainsz_gt2;
	u_int32_t ips_rxc_chainsz_gt4;
	u_int32_t ips_rxc_notlist;
	u_int32_t ips_raw_sappend_fail;	/* raw socket full */
	u_int32_t ips_necp_policy_drop;
	u_int32_t ips_rcv_if_weak_match;
	u_int32_t ips_rcv_if_no_match;
};

struct ip_linklocal_stat {
	u_int32_t iplls_in_total;
	u_int32_t iplls_in_badttl;
	u_int32_t iplls_out_total;
	u_int32_t iplls_out_badttl;
};

__BEGIN_DECLS

/*
 * The Internet checksum of a packet's first len bytes, ready to store; 0 if they hold a correct one. Not in
 * the public interface, but exported: kexts declare it themselves. Since 10.4; interface fact.
 */
u_int16_t in_cksum(mbuf_t m, int len);

__END_DECLS

#endif
