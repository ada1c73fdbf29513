/* IGMP on the wire: versions 1, 2 (RFC 2236) and 3 (RFC 3376). Network byte order. */
#ifndef _NETINET_IGMP_H_
#define _NETINET_IGMP_H_

#include <stdint.h>
#include <sys/types.h>
#include <netinet/in.h>

#define IGMP_MINLEN			8

/* Versions 1 and 2. */
struct igmp {
	u_char igmp_type;
	u_char igmp_code;		/* longest time to answer, 1/10 seconds */
	u_short igmp_cksum;
	struct in_addr igmp_group;
};

/* Version 3: query. */
struct igmpv3 {
	u_char igmp_type;
	u_char igmp_code;
	u_short igmp_cksum;
	struct in_addr igmp_group;
	u_char igmp_misc;		/* reserved 4 bits, suppress 1, robustness 3 */
	u_char igmp_qqi;		/* query interval */
	u_short igmp_numsrc;
	/* sources follow */
};
#define IGMP_V3_QUERY_MINLEN		12
#define IGMP_EXP(x)			(((x) >> 4) & 0x07)
#define IGMP_MANT(x)			((x) & 0x0f)
#define IGMP_QRESV(x)			(((x) >> 4) & 0x0f)
#define IGMP_SFLAG(x)			(((x) >> 3) & 0x01)
#define IGMP_QRV(x)			((x) & 0x07)

/* Version 3: a group's record in a report. */
struct igmp_grouprec {
	u_char ig_type;			/* IGMP_MODE_* ... */
	u_char ig_datalen;		/* auxiliary data, 4-byte words */
	u_short ig_numsrc;
	struct in_addr ig_group;
	/* sources follow */
};
#define IGMP_GRPREC_HDRLEN		8

/* Version 3: report. */
struct igmp_report {
	u_char ir_type;
	u_char ir_rsv1;
	u_short ir_cksum;
	u_short ir_rsv2;
	u_short ir_numgrps;
	/* records follow */
};
#define IGMP_V3_REPORT_MINLEN		8
#define IGMP_V3_REPORT_MAXRECS		65535

/* Types of message. */
#define IGMP_HOST_MEMBERSHIP_QUERY	0x11
#define IGMP_v1_HOST_MEMBERSHIP_REPORT	0x12
#define IGMP_DVMRP			0x13
#define IGMP_PIM			0x14
#define IGMP_v2_HOST_MEMBERSHIP_REPORT	0x16
#define IGMP_HOST_LEAVE_MESSAGE		0x17
#define IGMP_MTRACE_REPLY		0x1e
#define IGMP_MTRACE_QUERY		0x1f
#define IGMP_v3_HOST_MEMBERSHIP_REPORT	0x22

/* Types of record. */
#define IGMP_DO_NOTHING			0
#define IGMP_MODE_IS_INCLUDE		1
#define IGMP_MODE_IS_EXCLUDE		2
#define IGMP_CHANGE_TO_INCLUDE_MODE	3
#define IGMP_CHANGE_TO_EXCLUDE_MODE	4
#define IGMP_ALLOW_NEW_SOURCES		5
#define IGMP_BLOCK_OLD_SOURCES		6

#define IGMP_MAX_HOST_REPORT_DELAY	10	/* seconds; version 1 */

#endif
