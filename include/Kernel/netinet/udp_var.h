/* What UDP counts, and its sysctl names. */
#ifndef _NETINET_UDP_VAR_H_
#define _NETINET_UDP_VAR_H_

#include <sys/types.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <netinet/ip_var.h>

/* IPv4 pseudo header and UDP header. */
struct udpiphdr {
	struct ipovly ui_i;
	struct udphdr ui_u;
};
#define ui_x1			ui_i.ih_x1
#define ui_pr			ui_i.ih_pr
#define ui_len			ui_i.ih_len
#define ui_src			ui_i.ih_src
#define ui_dst			ui_i.ih_dst
#define ui_sport		ui_u.uh_sport
#define ui_dport		ui_u.uh_dport
#define ui_ulen			ui_u.uh_ulen
#define ui_sum			ui_u.uh_sum

struct udpstat {
	u_int32_t udps_ipackets;	/* received */
	u_int32_t udps_hdrops;		/* shorter than a header */
	u_int32_t udps_badsum;
	u_int32_t udps_badlen;		/* longer than the packet */
	u_int32_t udps_noport;		/* no socket */
	u_int32_t udps_noportbcast;	/* no socket for a broadcast */
	u_int32_t udps_fullsock;	/* receive buffer full */
	u_int32_t udpps_pcbcachemiss;
	u_int32_t udpps_pcbhashmiss;
	u_int32_t udps_opackets;	/* sent */
	u_int32_t udps_fastout;
	u_int32_t udps_nosum;		/* received without checksum */
	u_int32_t udps_noportmcast;	/* no socket for a multicast */
	u_int32_t udps_filtermcast;	/* source filtered */
	u_int32_t udps_rcv_swcsum;	/* checksums done in software: packets, bytes */
	u_int32_t udps_rcv_swcsum_bytes;
	u_int32_t udps_rcv6_swcsum;
	u_int32_t udps_rcv6_swcsum_bytes;
	u_int32_t udps_snd_swcsum;
	u_int32_t udps_snd_swcsum_bytes;
	u_int32_t udps_snd6_swcsum;
	u_int32_t udps_snd6_swcsum_bytes;
};

#define UDPCTL_CHECKSUM		1
#define UDPCTL_STATS		2
#define UDPCTL_MAXDGRAM		3
#define UDPCTL_RECVSPACE	4
#define UDPCTL_PCBLIST		5
#define UDPCTL_MAXID		6

#endif
