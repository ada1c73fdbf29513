/*
 * The Internet family: protocols, ports, IPv4 addresses, socket addresses and options; by way of
 * netinet6/in6.h, IPv6's as well. Addresses and ports are in network byte order, the IN_ macros and
 * INADDR_ constants in host byte order.
 */
#ifndef _NETINET_IN_H_
#define _NETINET_IN_H_

#include <sys/cdefs.h>
#include <stdint.h>
#include <sys/types.h>
#include <machine/endian.h>
#include <sys/_types/_in_addr_t.h>
#include <sys/_types/_in_port_t.h>
#include <sys/_types/_sa_family_t.h>
#include <sys/_types/_socklen_t.h>
#include <sys/socket.h>

/* Protocols. */
#define IPPROTO_HOPOPTS			0
#define IPPROTO_IP			0
#define IPPROTO_ICMP			1
#define IPPROTO_IGMP			2
#define IPPROTO_GGP			3
#define IPPROTO_IPV4			4
#define IPPROTO_TCP			6
#define IPPROTO_ST			7
#define IPPROTO_EGP			8
#define IPPROTO_PIGP			9
#define IPPROTO_RCCMON			10
#define IPPROTO_NVPII			11
#define IPPROTO_PUP			12
#define IPPROTO_ARGUS			13
#define IPPROTO_EMCON			14
#define IPPROTO_XNET			15
#define IPPROTO_CHAOS			16
#define IPPROTO_UDP			17
#define IPPROTO_MUX			18
#define IPPROTO_MEAS			19
#define IPPROTO_HMP			20
#define IPPROTO_PRM			21
#define IPPROTO_IDP			22
#define IPPROTO_TRUNK1			23
#define IPPROTO_TRUNK2			24
#define IPPROTO_LEAF1			25
#define IPPROTO_LEAF2			26
#define IPPROTO_RDP			27
#define IPPROTO_IRTP			28
#define IPPROTO_TP			29
#define IPPROTO_BLT			30
#define IPPROTO_NSP			31
#define IPPROTO_INP			32
#define IPPROTO_SEP			33
#define IPPROTO_3PC			34
#define IPPROTO_IDPR			35
#define IPPROTO_XTP			36
#define IPPROTO_DDP			37
#define IPPROTO_CMTP			38
#define IPPROTO_TPXX			39
#define IPPROTO_IL			40
#define IPPROTO_IPV6			41
#define IPPROTO_SDRP			42
#define IPPROTO_ROUTING			43
#define IPPROTO_FRAGMENT		44
#define IPPROTO_IDRP			45
#define IPPROTO_RSVP			46
#define IPPROTO_GRE			47
#define IPPROTO_MHRP			48
#define IPPROTO_BHA			49
#define IPPROTO_ESP			50
#define IPPROTO_AH			51
#define IPPROTO_INLSP			52
#define IPPROTO_SWIPE			53
#define IPPROTO_NHRP			54
#define IPPROTO_ICMPV6			58
#define IPPROTO_NONE			59
#define IPPROTO_DSTOPTS			60
#define IPPROTO_AHIP			61
#define IPPROTO_CFTP			62
#define IPPROTO_HELLO			63
#define IPPROTO_SATEXPAK		64
#define IPPROTO_KRYPTOLAN		65
#define IPPROTO_RVD			66
#define IPPROTO_IPPC			67
#define IPPROTO_ADFS			68
#define IPPROTO_SATMON			69
#define IPPROTO_VISA			70
#define IPPROTO_IPCV			71
#define IPPROTO_CPNX			72
#define IPPROTO_CPHB			73
#define IPPROTO_WSN			74
#define IPPROTO_PVP			75
#define IPPROTO_BRSATMON		76
#define IPPROTO_ND			77
#define IPPROTO_WBMON			78
#define IPPROTO_WBEXPAK			79
#define IPPROTO_EON			80
#define IPPROTO_VMTP			81
#define IPPROTO_SVMTP			82
#define IPPROTO_VINES			83
#define IPPROTO_TTP			84
#define IPPROTO_IGP			85
#define IPPROTO_DGP			86
#define IPPROTO_TCF			87
#define IPPROTO_IGRP			88
#define IPPROTO_OSPFIGP			89
#define IPPROTO_SRPC			90
#define IPPROTO_LARP			91
#define IPPROTO_MTP			92
#define IPPROTO_AX25			93
#define IPPROTO_IPEIP			94
#define IPPROTO_MICP			95
#define IPPROTO_SCCSP			96
#define IPPROTO_ETHERIP			97
#define IPPROTO_ENCAP			98
#define IPPROTO_APES			99
#define IPPROTO_GMTP			100
#define IPPROTO_PIM			103
#define IPPROTO_IPCOMP			108
#define IPPROTO_PGM			113
#define IPPROTO_SCTP			132
#define IPPROTO_DIVERT			254
#define IPPROTO_RAW			255
#define IPPROTO_IPIP			IPPROTO_IPV4
#define IPPROTO_MAX			256
#define IPPROTO_DONE			257

/* Ports below IPPORT_RESERVED are for root. */
#define __DARWIN_IPPORT_RESERVED 1024
#define IPPORT_RESERVEDSTART		600
#define IPPORT_USERRESERVED		5000
#define IPPORT_HIFIRSTAUTO		49152
#define IPPORT_HILASTAUTO		65535
#define IPPORT_RESERVED			__DARWIN_IPPORT_RESERVED

struct in_addr {
	in_addr_t s_addr;	/* network byte order */
};

/* Classes of address, for host byte order. */
#define IN_CLASSA(i)		(((u_int32_t)(i) & 0x80000000) == 0)
#define IN_CLASSA_NSHIFT		24
#define IN_CLASSA_MAX			128
#define IN_CLASSA_HOST			0x00ffffff
#define IN_CLASSA_NET			0xff000000
#define IN_CLASSB(i)		(((u_int32_t)(i) & 0xc0000000) == 0x80000000)
#define IN_CLASSB_NSHIFT		16
#define IN_CLASSB_HOST			0x0000ffff
#define IN_CLASSB_MAX			65536
#define IN_CLASSB_NET			0xffff0000
#define IN_CLASSC(i)		(((u_int32_t)(i) & 0xe0000000) == 0xc0000000)
#define IN_CLASSC_NSHIFT		8
#define IN_CLASSC_HOST			0x000000ff
#define IN_CLASSC_NET			0xffffff00
#define IN_CLASSD(i)		(((u_int32_t)(i) & 0xf0000000) == 0xe0000000)
#define IN_CLASSD_NSHIFT		28
#define IN_CLASSD_HOST			0x0fffffff
#define IN_CLASSD_NET			0xf0000000
#define IN_MULTICAST(i)		IN_CLASSD(i)
#define IN_EXPERIMENTAL(i)	(((u_int32_t)(i) & 0xf0000000) == 0xf0000000)
#define IN_BADCLASS(i)		(((u_int32_t)(i) & 0xf0000000) == 0xf0000000)

#define INADDR_ANY		((u_int32_t)0x00000000)
#define INADDR_BROADCAST	((u_int32_t)0xffffffff)
#define INADDR_LOOPBACK		((u_int32_t)0x7f000001)
#define INADDR_UNSPEC_GROUP	((u_int32_t)0xe0000000)	/* 224.0.0.0 */
#define INADDR_ALLHOSTS_GROUP	((u_int32_t)0xe0000001)
#define INADDR_ALLRTRS_GROUP	((u_int32_t)0xe0000002)
#define INADDR_CARP_GROUP	((u_int32_t)0xe0000012)
#define INADDR_ALLRPTS_GROUP	((u_int32_t)0xe0000016)	/* IGMPv3 reports */
#define INADDR_PFSYNC_GROUP	((u_int32_t)0xe00000f0)
#define INADDR_ALLMDNS_GROUP	((u_int32_t)0xe00000fb)
#define INADDR_MAX_LOCAL_GROUP	((u_int32_t)0xe00000ff)

#define IN_LOOPBACKNET			127
#define IN_LOOPBACK(i)		(((u_int32_t)(i) & 0xff000000) == 0x7f000000)
#define IN_ZERONET(i)		(((u_int32_t)(i) & 0xff000000) == 0)
#define IN_LINKLOCALNETNUM	((u_int32_t)0xa9fe0000)	/* 169.254.0.0 */
#define IN_LINKLOCAL(i)		(((u_int32_t)(i) & IN_CLASSB_NET) == IN_LINKLOCALNETNUM)
#define IN_PRIVATE(i) \
	(((u_int32_t)(i) & 0xff000000) == 0x0a000000 || \
	((u_int32_t)(i) & 0xfff00000) == 0xac100000 || \
	((u_int32_t)(i) & 0xffff0000) == 0xc0a80000)
#define IN_LOCAL_GROUP(i)	(((u_int32_t)(i) & 0xffffff00) == 0xe0000000)
#define IN_ANY_LOCAL(i)		(IN_LINKLOCAL(i) || IN_LOCAL_GROUP(i))

struct sockaddr_in {
	__uint8_t sin_len;	/* sizeof(struct sockaddr_in) */
	sa_family_t sin_family;	/* AF_INET */
	in_port_t sin_port;
	struct in_addr sin_addr;
	char sin_zero[8];
};

/* Bytes that an address can take as text, with the NUL. */
#define INET_ADDRSTRLEN			16
#define MAX_IPv4_STR_LEN		16
#define MAX_IPv6_STR_LEN		64

/* Value of IP_OPTIONS. */
struct ip_opts {
	struct in_addr ip_dst;	/* first hop, 0 without source route */
	char ip_opts[40];
};

/* Options at level IPPROTO_IP. */
#define IP_OPTIONS			1
#define IP_HDRINCL			2
#define IP_TOS				3
#define IP_TTL				4
#define IP_RECVOPTS			5
#define IP_RECVRETOPTS			6
#define IP_RECVDSTADDR			7
#define IP_RETOPTS			8
#define IP_MULTICAST_IF			9
#define IP_MULTICAST_TTL		10
#define IP_MULTICAST_LOOP		11
#define IP_ADD_MEMBERSHIP		12
#define IP_DROP_MEMBERSHIP		13
#define IP_MULTICAST_VIF		14
#define IP_RSVP_ON			15
#define IP_RSVP_OFF			16
#define IP_RSVP_VIF_ON			17
#define IP_RSVP_VIF_OFF			18
#define IP_PORTRANGE			19
#define IP_RECVIF			20
#define IP_IPSEC_POLICY			21
#define IP_FAITH			22
#define IP_STRIPHDR			23
#define IP_RECVTTL			24
#define IP_BOUND_IF			25
#define IP_PKTINFO			26
#define IP_RECVTOS			27
#define IP_DONTFRAG			28
#define IP_FW_ADD			40
#define IP_FW_DEL			41
#define IP_FW_FLUSH			42
#define IP_FW_ZERO			43
#define IP_FW_GET			44
#define IP_FW_RESETLOG			45
#define IP_OLD_FW_ADD			50
#define IP_OLD_FW_DEL			51
#define IP_OLD_FW_FLUSH			52
#define IP_OLD_FW_ZERO			53
#define IP_OLD_FW_GET			54
#define IP_NAT__XXX			55
#define IP_OLD_FW_RESETLOG		56
#define IP_DUMMYNET_CONFIGURE		60
#define IP_DUMMYNET_DEL			61
#define IP_DUMMYNET_FLUSH		62
#define IP_DUMMYNET_GET			64
#define IP_TRAFFIC_MGT_BACKGROUND	65
#define IP_MULTICAST_IFINDEX		66
#define IP_ADD_SOURCE_MEMBERSHIP	70
#define IP_DROP_SOURCE_MEMBERSHIP	71
#define IP_BLOCK_SOURCE			72
#define IP_UNBLOCK_SOURCE		73
#define IP_MSFILTER			74
#define IP_RECVPKTINFO			IP_PKTINFO
#define MCAST_JOIN_GROUP		80
#define MCAST_LEAVE_GROUP		81
#define MCAST_JOIN_SOURCE_GROUP		82
#define MCAST_LEAVE_SOURCE_GROUP	83
#define MCAST_BLOCK_SOURCE		84
#define MCAST_UNBLOCK_SOURCE		85

/* Defaults and limits of multicast. */
#define IP_DEFAULT_MULTICAST_LOOP	1
#define IP_DEFAULT_MULTICAST_TTL	1
#define IP_MIN_MEMBERSHIPS		31
#define IP_MAX_SOCK_MUTE_FILTER		128
#define IP_MAX_SOCK_SRC_FILTER		128
#define IP_MAX_GROUP_SRC_FILTER		512
#define IP_MAX_MEMBERSHIPS		4095

/* IP_ADD_MEMBERSHIP and IP_DROP_MEMBERSHIP; IP_MULTICAST_IF takes the second. */
struct ip_mreq {
	struct in_addr imr_multiaddr;
	struct in_addr imr_interface;	/* an address of it */
};

struct ip_mreqn {
	struct in_addr imr_multiaddr;
	struct in_addr imr_address;
	int imr_ifindex;
};

#pragma pack(4)

/* IP_ADD_SOURCE_MEMBERSHIP and its kin. */
struct ip_mreq_source {
	struct in_addr imr_multiaddr;
	struct in_addr imr_sourceaddr;
	struct in_addr imr_interface;
};

/* MCAST_JOIN_GROUP and its kin (RFC 3678). */
struct group_req {
	uint32_t gr_interface;
	struct sockaddr_storage gr_group;
};

struct group_source_req {
	uint32_t gsr_interface;
	struct sockaddr_storage gsr_group;
	struct sockaddr_storage gsr_source;
};

/* IP_MSFILTER. */
struct __msfilterreq {
	uint32_t msfr_ifindex;
	uint32_t msfr_fmode;		/* MCAST_INCLUDE or MCAST_EXCLUDE */
	uint32_t msfr_nsrcs;
	uint32_t __msfr_align;
	struct sockaddr_storage msfr_group;
	struct sockaddr_storage *msfr_srcs;
};

#pragma pack()

struct sockaddr;

#define MCAST_UNDEFINED			0
#define MCAST_INCLUDE			1
#define MCAST_EXCLUDE			2

/* IP_PKTINFO. */
struct in_pktinfo {
	unsigned int ipi_ifindex;
	struct in_addr ipi_spec_dst;
	struct in_addr ipi_addr;
};

/* Values of IP_PORTRANGE. */
#define IP_PORTRANGE_DEFAULT		0
#define IP_PORTRANGE_HIGH		1
#define IP_PORTRANGE_LOW		2

/* 10.5's traffic management. */
#define TRAFFIC_MGT_SO_BACKGROUND	0x0001
#define TRAFFIC_MGT_SO_BG_SUPPRESSED	0x0002
#define TRAFFIC_MGT_SO_BG_REGULATE	0x0004

/* sysctl names below net.inet.ip. */
#define IPCTL_FORWARDING		1
#define IPCTL_SENDREDIRECTS		2
#define IPCTL_DEFTTL			3
#define IPCTL_DEFMTU			4
#define IPCTL_RTEXPIRE			5
#define IPCTL_RTMINEXPIRE		6
#define IPCTL_RTMAXCACHE		7
#define IPCTL_SOURCEROUTE		8
#define IPCTL_DIRECTEDBROADCAST		9
#define IPCTL_INTRQMAXLEN		10
#define IPCTL_INTRQDROPS		11
#define IPCTL_STATS			12
#define IPCTL_ACCEPTSOURCEROUTE		13
#define IPCTL_FASTFORWARDING		14
#define IPCTL_KEEPFAITH			15
#define IPCTL_GIF_TTL			16
#define IPCTL_MAXID			17

#define in_nullhost(x)		((x).s_addr == INADDR_ANY)
#define in_hosteq(s, t)		((s).s_addr == (t).s_addr)

__BEGIN_DECLS

/* Addresses and text. */

/*
 * Reads an IPv4 address in dots ("10.0.0.1"; also fewer parts, octal, hexadecimal) into *pin,
 * network byte order. Returns 1, or 0 if it is none. Since 10.9.
 */
int inet_aton(const char *cp, struct in_addr *pin) __KERNEL_SYMBOL(inet_aton);

/*
 * The address in dots, in a buffer that the next call overwrites; better use inet_ntop. Since
 * 10.9.
 */
char *inet_ntoa(struct in_addr in) __KERNEL_SYMBOL(inet_ntoa);

/*
 * The address in dots, in buf, which has buflen bytes. Returns buf, or NULL if it does not fit.
 * Since 10.9.
 */
char *inet_ntoa_r(struct in_addr in, char *buf, size_t buflen) __KERNEL_SYMBOL(inet_ntoa_r);

/*
 * The address at src, of family AF_INET or AF_INET6, as text in dst, which has `size` bytes
 * (INET_ADDRSTRLEN or INET6_ADDRSTRLEN are always enough). Returns dst, or NULL if it does not fit
 * or the family is another. Since 10.4.
 */
const char *inet_ntop(int af, const void *src, char *dst, socklen_t size)
    __KERNEL_SYMBOL(inet_ntop);

/*
 * Reads an address of family AF_INET or AF_INET6 into dst, in network byte order. Returns 1; 0 if
 * it is none; -1 for other families. Since 10.9.
 */
int inet_pton(int af, const char *src, void *dst) __KERNEL_SYMBOL(inet_pton);

__END_DECLS

#define __KAME_NETINET_IN_H_INCLUDED_
#include <netinet6/in6.h>
#undef __KAME_NETINET_IN_H_INCLUDED_

/* An address of either family. */
union sockaddr_in_4_6 {
	struct sockaddr sa;
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;
};

#endif
