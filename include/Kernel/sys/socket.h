/*
 * Sockets as Darwin numbers and lays them out: families, types, options, addresses, messages.
 * Addresses start with their length, AF_INET6 is 30, SOL_SOCKET is 0xffff. Socket filters and
 * in-kernel sockets need it; the host's <sys/socket.h> is another world.
 */
#ifndef _SYS_SOCKET_H_
#define _SYS_SOCKET_H_

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/_types/_iovec_t.h>
#include <sys/_types/_sa_family_t.h>
#include <sys/_types/_socklen_t.h>
#include <net/net_kev.h>

/* Types of socket. */
#define SOCK_STREAM			1
#define SOCK_DGRAM			2
#define SOCK_RAW			3
#define SOCK_RDM			4
#define SOCK_SEQPACKET			5

/* Options at level SOL_SOCKET: those that are a bit in the socket ... */
#define SO_DEBUG			0x0001
#define SO_ACCEPTCONN			0x0002
#define SO_REUSEADDR			0x0004
#define SO_KEEPALIVE			0x0008
#define SO_DONTROUTE			0x0010
#define SO_BROADCAST			0x0020
#define SO_USELOOPBACK			0x0040
#define SO_LINGER			0x0080	/* l_linger is in ticks */
#define SO_OOBINLINE			0x0100
#define SO_REUSEPORT			0x0200
#define SO_TIMESTAMP			0x0400
#define SO_TIMESTAMP_MONOTONIC		0x0800
#define SO_ACCEPTFILTER			0x1000
#define SO_DONTTRUNC			0x2000
#define SO_WANTMORE			0x4000
#define SO_WANTOOBFLAG			0x8000

/* ... and those with a value. */
#define SO_SNDBUF			0x1001
#define SO_RCVBUF			0x1002
#define SO_SNDLOWAT			0x1003
#define SO_RCVLOWAT			0x1004
#define SO_SNDTIMEO			0x1005
#define SO_RCVTIMEO			0x1006
#define SO_ERROR			0x1007
#define SO_TYPE				0x1008
#define SO_LABEL			0x1010
#define SO_PEERLABEL			0x1011
#define SO_NREAD			0x1020	/* bytes that can be read */
#define SO_NKE				0x1021	/* attach a socket filter by its handle */
#define SO_NOSIGPIPE			0x1022
#define SO_NOADDRERR			0x1023
#define SO_NWRITE			0x1024	/* bytes not yet sent */
#define SO_REUSESHAREUID		0x1025
#define SO_NOTIFYCONFLICT		0x1026
#define SO_UPCALLCLOSEWAIT		0x1027	/* sock_close waits for a running upcall */
#define SO_LINGER_SEC			0x1080	/* SO_LINGER in seconds */
#define SO_RESTRICTIONS			0x1081
#define SO_RESTRICT_DENYIN		0x00000001
#define SO_RESTRICT_DENYOUT		0x00000002
#define SO_RESTRICT_DENYSET		0x80000000
#define SO_RANDOMPORT			0x1082
#define SO_NP_EXTENSIONS		0x1083
#define SO_NUMRCVPKT			0x1112
#define SO_NET_SERVICE_TYPE		0x1116
#define SO_NETSVC_MARKING_LEVEL		0x1119

/* Values of SO_NET_SERVICE_TYPE and SO_NETSVC_MARKING_LEVEL. */
#define NET_SERVICE_TYPE_BE		0
#define NET_SERVICE_TYPE_BK		1
#define NET_SERVICE_TYPE_SIG		2
#define NET_SERVICE_TYPE_VI		3
#define NET_SERVICE_TYPE_VO		4
#define NET_SERVICE_TYPE_RV		5
#define NET_SERVICE_TYPE_AV		6
#define NET_SERVICE_TYPE_OAM		7
#define NET_SERVICE_TYPE_RD		8
#define NETSVC_MRKNG_UNKNOWN		0
#define NETSVC_MRKNG_LVL_L2		1
#define NETSVC_MRKNG_LVL_L3L2_ALL	2
#define NETSVC_MRKNG_LVL_L3L2_BK	3

struct so_np_extensions {
	u_int32_t npx_flags;
	u_int32_t npx_mask;
};
#define SONPX_SETOPTSHUT		0x000000001

struct linger {
	int l_onoff;
	int l_linger;
};

struct accept_filter_arg {
	char af_name[16];
	char af_arg[256 - 16];
};

#define SOL_SOCKET			0xffff

/* connectx(2). */
#define SAE_ASSOCID_ANY			0
#define SAE_CONNID_ANY			0
#define CONNECT_RESUME_ON_READ_WRITE	0x1
#define CONNECT_DATA_IDEMPOTENT		0x2
#define CONNECT_DATA_AUTHENTICATED	0x4
typedef __uint32_t sae_associd_t;
typedef __uint32_t sae_connid_t;

struct sa_endpoints {
	unsigned int sae_srcif;
	const struct sockaddr *sae_srcaddr;
	socklen_t sae_srcaddrlen;
	const struct sockaddr *sae_dstaddr;
	socklen_t sae_dstaddrlen;
};
typedef struct sa_endpoints sa_endpoints_t;

/* Address families. */
#define AF_UNSPEC			0
#define AF_UNIX				1
#define AF_INET				2
#define AF_IMPLINK			3
#define AF_PUP				4
#define AF_CHAOS			5
#define AF_NS				6
#define AF_ISO				7
#define AF_ECMA				8
#define AF_DATAKIT			9
#define AF_CCITT			10
#define AF_SNA				11
#define AF_DECnet			12
#define AF_DLI				13
#define AF_LAT				14
#define AF_HYLINK			15
#define AF_APPLETALK			16
#define AF_ROUTE			17
#define AF_LINK				18
#define pseudo_AF_XTP			19
#define AF_COIP				20
#define AF_CNT				21
#define pseudo_AF_RTIP			22
#define AF_IPX				23
#define AF_SIP				24
#define pseudo_AF_PIP			25
#define AF_NDRV				27
#define AF_ISDN				28
#define pseudo_AF_KEY			29
#define AF_ATM				30
#define AF_INET6			30
#define AF_NATM				31
#define AF_NETGRAPH			32
#define AF_SYSTEM			32
#define AF_NETBIOS			33
#define AF_PPP				34
#define pseudo_AF_HDRCMPLT		35
#define AF_RESERVED_36			36
#define AF_IEEE80211			37
#define AF_UTUN				38
#define AF_E164				AF_ISDN
#define AF_LOCAL			AF_UNIX
#define AF_OSI				AF_ISO
#define AF_MAX				40

/* Protocol families: the same numbers. */
#define PF_APPLETALK			AF_APPLETALK
#define PF_ATM				AF_ATM
#define PF_CCITT			AF_CCITT
#define PF_CHAOS			AF_CHAOS
#define PF_CNT				AF_CNT
#define PF_COIP				AF_COIP
#define PF_DATAKIT			AF_DATAKIT
#define PF_DECnet			AF_DECnet
#define PF_DLI				AF_DLI
#define PF_ECMA				AF_ECMA
#define PF_HYLINK			AF_HYLINK
#define PF_IMPLINK			AF_IMPLINK
#define PF_INET				AF_INET
#define PF_INET6			AF_INET6
#define PF_IPX				AF_IPX
#define PF_ISDN				AF_ISDN
#define PF_ISO				AF_ISO
#define PF_KEY				pseudo_AF_KEY
#define PF_LAT				AF_LAT
#define PF_LINK				AF_LINK
#define PF_LOCAL			AF_LOCAL
#define PF_MAX				AF_MAX
#define PF_NATM				AF_NATM
#define PF_NDRV				AF_NDRV
#define PF_NETBIOS			AF_NETBIOS
#define PF_NETGRAPH			AF_NETGRAPH
#define PF_NS				AF_NS
#define PF_OSI				AF_ISO
#define PF_PIP				pseudo_AF_PIP
#define PF_PPP				AF_PPP
#define PF_PUP				AF_PUP
#define PF_RESERVED_36			AF_RESERVED_36
#define PF_ROUTE			AF_ROUTE
#define PF_RTIP				pseudo_AF_RTIP
#define PF_SIP				AF_SIP
#define PF_SNA				AF_SNA
#define PF_SYSTEM			AF_SYSTEM
#define PF_UNIX				PF_LOCAL
#define PF_UNSPEC			AF_UNSPEC
#define PF_UTUN				AF_UTUN
#define PF_XTP				pseudo_AF_XTP

/* What every socket address starts with; longer ones follow the same first two bytes. */
struct sockaddr {
	__uint8_t sa_len;	/* length of the whole address in bytes */
	sa_family_t sa_family;
	char sa_data[14];
};
#define SOCK_MAXADDRLEN			255

struct __sockaddr_header {
	__uint8_t sa_len;
	sa_family_t sa_family;
};

/* 4.3BSD's, without a length. */
struct osockaddr {
	unsigned short sa_family;
	char sa_data[14];
};

struct sockproto {
	__uint16_t sp_family;
	__uint16_t sp_protocol;
};

/* Room for an address of any family, aligned for all of them. */
#define _SS_MAXSIZE			128
#define _SS_ALIGNSIZE			(sizeof(__int64_t))
#define _SS_PAD1SIZE			(_SS_ALIGNSIZE - sizeof(__uint8_t) - sizeof(sa_family_t))
#define _SS_PAD2SIZE \
	(_SS_MAXSIZE - sizeof(__uint8_t) - sizeof(sa_family_t) - _SS_PAD1SIZE - _SS_ALIGNSIZE)

struct sockaddr_storage {
	__uint8_t ss_len;
	sa_family_t ss_family;
	char __ss_pad1[_SS_PAD1SIZE];
	__int64_t __ss_align;
	char __ss_pad2[_SS_PAD2SIZE];
};

/* sysctl names below CTL_NET, PF_ROUTE. */
#define NET_RT_DUMP			1
#define NET_RT_FLAGS			2
#define NET_RT_IFLIST			3
#define NET_RT_STAT			4
#define NET_RT_TRASH			5
#define NET_RT_IFLIST2			6
#define NET_RT_DUMP2			7
#define NET_RT_FLAGS_PRIV		10
#define NET_RT_MAXID			11
#define NET_MAXID			AF_MAX

#define SOMAXCONN			128

/* What sendmsg and recvmsg take; in sock_send and sock_receive all pointers are the kernel's. */
struct msghdr {
	void *msg_name;			/* address, NULL for none */
	socklen_t msg_namelen;		/* its size in bytes */
	struct iovec *msg_iov;
	int msg_iovlen;			/* elements in msg_iov */
	void *msg_control;		/* struct cmsghdr ... */
	socklen_t msg_controllen;	/* its size in bytes */
	int msg_flags;			/* MSG_* of a received message */
};

/* The same with pointers into a 64-bit or 32-bit process. */
struct user_msghdr {
	user_addr_t msg_name;
	socklen_t msg_namelen;
	user_addr_t msg_iov;
	int msg_iovlen;
	user_addr_t msg_control;
	socklen_t msg_controllen;
	int msg_flags;
};

struct user64_msghdr {
	u_int64_t msg_name;
	socklen_t msg_namelen;
	u_int64_t msg_iov;
	int msg_iovlen;
	u_int64_t msg_control;
	socklen_t msg_controllen;
	int msg_flags;
};

struct user32_msghdr {
	u_int32_t msg_name;
	socklen_t msg_namelen;
	u_int32_t msg_iov;
	int msg_iovlen;
	u_int32_t msg_control;
	socklen_t msg_controllen;
	int msg_flags;
};

/* 4.3BSD's. */
struct omsghdr {
	void *msg_name;
	socklen_t msg_namelen;
	struct iovec *msg_iov;
	int msg_iovlen;
	void *msg_accrights;
	socklen_t msg_accrightslen;
};

/* Flags of send and receive, and of a received message. */
#define MSG_OOB				0x1
#define MSG_PEEK			0x2
#define MSG_DONTROUTE			0x4
#define MSG_EOR				0x8
#define MSG_TRUNC			0x10
#define MSG_CTRUNC			0x20
#define MSG_WAITALL			0x40
#define MSG_DONTWAIT			0x80
#define MSG_EOF				0x100
#define MSG_WAITSTREAM			0x200
#define MSG_FLUSH			0x400
#define MSG_HOLD			0x800
#define MSG_SEND			0x1000
#define MSG_HAVEMORE			0x2000
#define MSG_RCVMORE			0x4000
#define MSG_COMPAT			0x8000
#define MSG_NEEDSA			0x10000
#define MSG_USEUPCALL			0x80000000

/* Ancillary data: a header, padded to 4 bytes, and cmsg_len - sizeof(header) bytes behind it. */
struct cmsghdr {
	socklen_t cmsg_len;	/* header included, padding behind the data not */
	int cmsg_level;
	int cmsg_type;
};

#define CMGROUP_MAX			16

struct cmsgcred {
	pid_t cmcred_pid;
	uid_t cmcred_uid;
	uid_t cmcred_euid;
	gid_t cmcred_gid;
	short cmcred_ngroups;
	gid_t cmcred_groups[CMGROUP_MAX];
};

#define __CMSG_ALIGN(n)			(((size_t)(n) + 3) & ~(size_t)3)
#define CMSG_DATA(cmsg) \
	((unsigned char *)(cmsg) + __CMSG_ALIGN(sizeof(struct cmsghdr)))
#define CMSG_LEN(len)			(__CMSG_ALIGN(sizeof(struct cmsghdr)) + (len))
#define CMSG_SPACE(len)			(__CMSG_ALIGN(sizeof(struct cmsghdr)) + __CMSG_ALIGN(len))
#define CMSG_FIRSTHDR(mhdr) \
	((mhdr)->msg_controllen >= sizeof(struct cmsghdr) ? \
	    (struct cmsghdr *)(mhdr)->msg_control : (struct cmsghdr *)0)
#define CMSG_NXTHDR(mhdr, cmsg) \
	((char *)(cmsg) == (char *)0 ? CMSG_FIRSTHDR(mhdr) : \
	    ((unsigned char *)(cmsg) + __CMSG_ALIGN((cmsg)->cmsg_len) + \
	    __CMSG_ALIGN(sizeof(struct cmsghdr)) > \
	    (unsigned char *)(mhdr)->msg_control + (mhdr)->msg_controllen ? \
	    (struct cmsghdr *)0 : \
	    (struct cmsghdr *)(void *)((unsigned char *)(cmsg) + __CMSG_ALIGN((cmsg)->cmsg_len))))

/* cmsg_type at level SOL_SOCKET. */
#define SCM_RIGHTS			0x01
#define SCM_TIMESTAMP			0x02
#define SCM_CREDS			0x03
#define SCM_TIMESTAMP_MONOTONIC		0x04

/* shutdown. */
#define SHUT_RD				0
#define SHUT_WR				1
#define SHUT_RDWR			2

/* sendfile: what goes out before and after the file. */
struct sf_hdtr {
	struct iovec *headers;
	int hdr_cnt;
	struct iovec *trailers;
	int trl_cnt;
};

struct user_sf_hdtr {
	user_addr_t headers;
	int hdr_cnt;
	user_addr_t trailers;
	int trl_cnt;
};

struct user64_sf_hdtr {
	u_int64_t headers;
	int hdr_cnt;
	u_int64_t trailers;
	int trl_cnt;
};

struct user32_sf_hdtr {
	u_int32_t headers;
	int hdr_cnt;
	u_int32_t trailers;
	int trl_cnt;
};

#endif
