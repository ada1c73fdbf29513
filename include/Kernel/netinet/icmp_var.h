/* What ICMP counts, and its sysctl names. */
#ifndef _NETINET_ICMP_VAR_H_
#define _NETINET_ICMP_VAR_H_

#include <sys/types.h>
#include <netinet/ip_icmp.h>

struct icmpstat {
	u_int32_t icps_error;		/* times an error had to be sent */
	u_int32_t icps_oldshort;	/* not sent: packet too short */
	u_int32_t icps_oldicmp;		/* not sent: packet was ICMP */
	u_int32_t icps_outhist[ICMP_MAXTYPE + 1];
	u_int32_t icps_badcode;
	u_int32_t icps_tooshort;
	u_int32_t icps_checksum;
	u_int32_t icps_badlen;
	u_int32_t icps_reflect;		/* answers sent */
	u_int32_t icps_inhist[ICMP_MAXTYPE + 1];
	u_int32_t icps_bmcastecho;	/* dropped: to a broadcast or multicast address */
	u_int32_t icps_bmcasttstamp;
};

#define ICMPCTL_MASKREPL	1
#define ICMPCTL_STATS		2
#define ICMPCTL_ICMPLIM		3
#define ICMPCTL_TIMESTAMP	4
#define ICMPCTL_MAXID		5

#endif
