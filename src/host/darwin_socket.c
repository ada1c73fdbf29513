/*
 * Socket options, flags and control messages in Darwin's form: tables of numbers, and a conversion for
 * each of the few layouts that differ.
 */
#include "src/host/darwin_socket.h"

#include <errno.h>
#include <limits.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nke/socket.h>
#include <stdbool.h>
#include <string.h>
#include <sys/time.h>

#include "src/host/darwin.h"
#include "src/netinet/tcp_user.h"

#define LENGTH(a)	(sizeof(a) / sizeof((a)[0]))

/* ---- options ------------------------------------------------------------------------------ */

#define DARWIN_SOL_SOCKET	0xffff

static const struct socket_option options[] = {
	{SOL_SOCKET, SO_DEBUG, DARWIN_SOL_SOCKET, 0x0001, OPTION_SAME},
	{SOL_SOCKET, SO_ACCEPTCONN, DARWIN_SOL_SOCKET, 0x0002, OPTION_SAME},
	{SOL_SOCKET, SO_REUSEADDR, DARWIN_SOL_SOCKET, 0x0004, OPTION_SAME},
	{SOL_SOCKET, SO_KEEPALIVE, DARWIN_SOL_SOCKET, 0x0008, OPTION_SAME},
	{SOL_SOCKET, SO_DONTROUTE, DARWIN_SOL_SOCKET, 0x0010, OPTION_SAME},
	{SOL_SOCKET, SO_BROADCAST, DARWIN_SOL_SOCKET, 0x0020, OPTION_SAME},
	{SOL_SOCKET, SO_OOBINLINE, DARWIN_SOL_SOCKET, 0x0100, OPTION_SAME},
	{SOL_SOCKET, SO_REUSEPORT, DARWIN_SOL_SOCKET, 0x0200, OPTION_SAME},
	{SOL_SOCKET, SO_TIMESTAMP, DARWIN_SOL_SOCKET, 0x0400, OPTION_SAME},
	{SOL_SOCKET, SO_SNDBUF, DARWIN_SOL_SOCKET, 0x1001, OPTION_SAME},
	{SOL_SOCKET, SO_RCVBUF, DARWIN_SOL_SOCKET, 0x1002, OPTION_SAME},
	{SOL_SOCKET, SO_SNDLOWAT, DARWIN_SOL_SOCKET, 0x1003, OPTION_SAME},
	{SOL_SOCKET, SO_RCVLOWAT, DARWIN_SOL_SOCKET, 0x1004, OPTION_SAME},
	{SOL_SOCKET, SO_SNDTIMEO, DARWIN_SOL_SOCKET, 0x1005, OPTION_TIMEVAL},
	{SOL_SOCKET, SO_RCVTIMEO, DARWIN_SOL_SOCKET, 0x1006, OPTION_TIMEVAL},
	{SOL_SOCKET, SO_ERROR, DARWIN_SOL_SOCKET, 0x1007, OPTION_ERRNO},
	{SOL_SOCKET, SO_TYPE, DARWIN_SOL_SOCKET, 0x1008, OPTION_SAME},
	{SOL_SOCKET, SO_LINGER, DARWIN_SOL_SOCKET, 0x1080, OPTION_SAME},	/* SO_LINGER_SEC */
	{SOL_SOCKET, NKE_SO_NKE, DARWIN_SOL_SOCKET, 0x1021, OPTION_SAME},

	{IPPROTO_IP, IP_OPTIONS, IPPROTO_IP, 1, OPTION_SAME},
	{IPPROTO_IP, IP_HDRINCL, IPPROTO_IP, 2, OPTION_SAME},
	{IPPROTO_IP, IP_TOS, IPPROTO_IP, 3, OPTION_SAME},
	{IPPROTO_IP, IP_TTL, IPPROTO_IP, 4, OPTION_SAME},
	{IPPROTO_IP, IP_RECVOPTS, IPPROTO_IP, 5, OPTION_SAME},
	{IPPROTO_IP, IP_RETOPTS, IPPROTO_IP, 8, OPTION_SAME},
	{IPPROTO_IP, IP_MULTICAST_IF, IPPROTO_IP, 9, OPTION_SAME},
	{IPPROTO_IP, IP_MULTICAST_TTL, IPPROTO_IP, 10, OPTION_SAME},
	{IPPROTO_IP, IP_MULTICAST_LOOP, IPPROTO_IP, 11, OPTION_SAME},
	{IPPROTO_IP, IP_ADD_MEMBERSHIP, IPPROTO_IP, 12, OPTION_SAME},
	{IPPROTO_IP, IP_DROP_MEMBERSHIP, IPPROTO_IP, 13, OPTION_SAME},
	{IPPROTO_IP, IP_RECVTTL, IPPROTO_IP, 24, OPTION_SAME},
	{IPPROTO_IP, IP_PKTINFO, IPPROTO_IP, 26, OPTION_SAME},
	{IPPROTO_IP, IP_RECVTOS, IPPROTO_IP, 27, OPTION_SAME},
	{IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, IPPROTO_IP, 70, OPTION_MREQ_SOURCE},
	{IPPROTO_IP, IP_DROP_SOURCE_MEMBERSHIP, IPPROTO_IP, 71, OPTION_MREQ_SOURCE},
	{IPPROTO_IP, IP_BLOCK_SOURCE, IPPROTO_IP, 72, OPTION_MREQ_SOURCE},
	{IPPROTO_IP, IP_UNBLOCK_SOURCE, IPPROTO_IP, 73, OPTION_MREQ_SOURCE},
	{IPPROTO_IP, MCAST_JOIN_GROUP, IPPROTO_IP, 80, OPTION_GROUP},
	{IPPROTO_IP, MCAST_LEAVE_GROUP, IPPROTO_IP, 81, OPTION_GROUP},
	{IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, IPPROTO_IP, 82, OPTION_GROUP_SOURCE},
	{IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, IPPROTO_IP, 83, OPTION_GROUP_SOURCE},
	{IPPROTO_IP, MCAST_BLOCK_SOURCE, IPPROTO_IP, 84, OPTION_GROUP_SOURCE},
	{IPPROTO_IP, MCAST_UNBLOCK_SOURCE, IPPROTO_IP, 85, OPTION_GROUP_SOURCE},
#ifdef IP_MTU_DISCOVER
	{IPPROTO_IP, IP_MTU_DISCOVER, IPPROTO_IP, 28, OPTION_PMTU_DISCOVERY},	/* IP_DONTFRAG */
#endif
#ifdef IP_RECVDSTADDR
	{IPPROTO_IP, IP_RECVDSTADDR, IPPROTO_IP, 7, OPTION_SAME},
	{IPPROTO_IP, IP_RECVIF, IPPROTO_IP, 20, OPTION_SAME},
	{IPPROTO_IP, IP_DONTFRAG, IPPROTO_IP, 28, OPTION_SAME},
#endif

	{IPPROTO_IPV6, IPV6_UNICAST_HOPS, IPPROTO_IPV6, 4, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_MULTICAST_IF, IPPROTO_IPV6, 9, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_MULTICAST_HOPS, IPPROTO_IPV6, 10, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_MULTICAST_LOOP, IPPROTO_IPV6, 11, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_JOIN_GROUP, IPPROTO_IPV6, 12, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_LEAVE_GROUP, IPPROTO_IPV6, 13, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_CHECKSUM, IPPROTO_IPV6, 26, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_V6ONLY, IPPROTO_IPV6, 27, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_RECVTCLASS, IPPROTO_IPV6, 35, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_TCLASS, IPPROTO_IPV6, 36, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_RECVHOPLIMIT, IPPROTO_IPV6, 37, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_RECVRTHDR, IPPROTO_IPV6, 38, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_RECVHOPOPTS, IPPROTO_IPV6, 39, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_RECVDSTOPTS, IPPROTO_IPV6, 40, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_RECVPATHMTU, IPPROTO_IPV6, 43, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_PATHMTU, IPPROTO_IPV6, 44, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_PKTINFO, IPPROTO_IPV6, 46, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_HOPLIMIT, IPPROTO_IPV6, 47, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_HOPOPTS, IPPROTO_IPV6, 49, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_DSTOPTS, IPPROTO_IPV6, 50, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_RTHDR, IPPROTO_IPV6, 51, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_RTHDRDSTOPTS, IPPROTO_IPV6, 57, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_RECVPKTINFO, IPPROTO_IPV6, 61, OPTION_SAME},
	{IPPROTO_IPV6, IPV6_DONTFRAG, IPPROTO_IPV6, 62, OPTION_SAME},
	{IPPROTO_IPV6, MCAST_JOIN_GROUP, IPPROTO_IPV6, 80, OPTION_GROUP},
	{IPPROTO_IPV6, MCAST_LEAVE_GROUP, IPPROTO_IPV6, 81, OPTION_GROUP},
	{IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, IPPROTO_IPV6, 82, OPTION_GROUP_SOURCE},
	{IPPROTO_IPV6, MCAST_LEAVE_SOURCE_GROUP, IPPROTO_IPV6, 83, OPTION_GROUP_SOURCE},
	{IPPROTO_IPV6, MCAST_BLOCK_SOURCE, IPPROTO_IPV6, 84, OPTION_GROUP_SOURCE},
	{IPPROTO_IPV6, MCAST_UNBLOCK_SOURCE, IPPROTO_IPV6, 85, OPTION_GROUP_SOURCE},
	{IPPROTO_ICMPV6, ICMP6_FILTER, IPPROTO_ICMPV6, 18, OPTION_ICMP6_FILTER},
#ifdef MCAST_MSFILTER
	{IPPROTO_IP, IP_MSFILTER, IPPROTO_IP, 74, OPTION_FILTER4},
	{IPPROTO_IP, MCAST_MSFILTER, IPPROTO_IP, 74, OPTION_FILTER},
	{IPPROTO_IPV6, MCAST_MSFILTER, IPPROTO_IPV6, 74, OPTION_FILTER},
#endif
#ifdef SO_NO_CHECK
	{SOL_SOCKET, SO_NO_CHECK, IPPROTO_UDP, 1, OPTION_SAME},			/* UDP_NOCKSUM */
#endif

#ifdef SO_MAX_PACING_RATE
	{SOL_SOCKET, SO_MAX_PACING_RATE, IPPROTO_TCP, CORE_TCP_PACING_RATE, OPTION_SAME},
#endif
	{IPPROTO_TCP, TCP_NODELAY, IPPROTO_TCP, 0x01, OPTION_SAME},
	{IPPROTO_TCP, TCP_MAXSEG, IPPROTO_TCP, 0x02, OPTION_SAME},
	{IPPROTO_TCP, TCP_KEEPINTVL, IPPROTO_TCP, 0x101, OPTION_SAME},
	{IPPROTO_TCP, TCP_KEEPCNT, IPPROTO_TCP, 0x102, OPTION_SAME},
#ifdef TCP_CORK
	{IPPROTO_TCP, TCP_CORK, IPPROTO_TCP, 0x04, OPTION_SAME},		/* TCP_NOPUSH */
	{IPPROTO_TCP, TCP_KEEPIDLE, IPPROTO_TCP, 0x10, OPTION_SAME},		/* TCP_KEEPALIVE */
#endif
#ifdef TCP_NOPUSH
	{IPPROTO_TCP, TCP_NOPUSH, IPPROTO_TCP, 0x04, OPTION_SAME},
	{IPPROTO_TCP, TCP_NOOPT, IPPROTO_TCP, 0x08, OPTION_SAME},
#endif
#ifdef TCP_KEEPALIVE
	{IPPROTO_TCP, TCP_KEEPALIVE, IPPROTO_TCP, 0x10, OPTION_SAME},
#endif
#ifdef TCP_FASTOPEN
	{IPPROTO_TCP, TCP_FASTOPEN, IPPROTO_TCP, 0x105, OPTION_SAME},
#endif
#ifdef TCP_FASTOPEN_CONNECT
	{IPPROTO_TCP, TCP_FASTOPEN_CONNECT, IPPROTO_TCP, 0x105, OPTION_SAME},
#endif
#ifdef TCP_NOTSENT_LOWAT
	{IPPROTO_TCP, TCP_NOTSENT_LOWAT, IPPROTO_TCP, 0x201, OPTION_SAME},
#endif
#ifdef TCP_CONGESTION
	{IPPROTO_TCP, TCP_CONGESTION, IPPROTO_TCP, CORE_TCP_CONGESTION, OPTION_SAME},
#endif
#ifdef TCP_USER_TIMEOUT
	{IPPROTO_TCP, TCP_USER_TIMEOUT, IPPROTO_TCP, CORE_TCP_USER_TIMEOUT, OPTION_SAME},
#endif
#ifdef TCP_MAXUNACKTIME
	{IPPROTO_TCP, TCP_MAXUNACKTIME, IPPROTO_TCP, CORE_TCP_MAXUNACKTIME, OPTION_SAME},
#endif
#ifdef TCP_KEEPINIT
	{IPPROTO_TCP, TCP_KEEPINIT, IPPROTO_TCP, CORE_TCP_KEEPINIT, OPTION_SAME},
#endif
#ifdef TCP_INFO
	{IPPROTO_TCP, TCP_INFO, IPPROTO_TCP, CORE_TCP_INFO, OPTION_TCP_INFO},
#endif
};

const struct socket_option *
socket_option_find(int host_level, int host_name)
{
	for (size_t i = 0; i < LENGTH(options); i++)
		if (options[i].host_level == host_level && options[i].host_name == host_name)
			return &options[i];
	return NULL;
}

/* ---- values ------------------------------------------------------------------------------- */

/* struct timeval as a 64-bit Darwin kernel has it. */
struct darwin_timeval {
	int64_t sec;
	int32_t usec;
	int32_t pad;
};

struct darwin_mreq_source {
	uint32_t group, source, interface;
};

/* sockaddr_storage is 128 bytes on both sides. */
struct darwin_group {
	uint32_t interface;
	uint8_t group[128];
} __attribute__((packed, aligned(4)));
struct darwin_group_source {
	uint32_t interface;
	uint8_t group[128], source[128];
} __attribute__((packed, aligned(4)));
_Static_assert(sizeof(struct darwin_group) == 132, "Darwin packs group_req to 4 bytes");
_Static_assert(sizeof(struct darwin_group_source) <= DARWIN_OPTION_MAX, "room for any option");

struct darwin_icmp6_filter {
	uint32_t pass[8];
};

static struct darwin_timeval
timeval_from_host(const struct timeval *tv)
{
	return (struct darwin_timeval){.sec = tv->tv_sec, .usec = (int32_t)tv->tv_usec};
}

static int
storage_from_host(const struct sockaddr_storage *ss, uint8_t out[128])
{
	memset(out, 0, 128);
	return darwin_sockaddr_from_host((const struct sockaddr *)ss, sizeof *ss, out, 128) != 0 ? 0 :
	    EAFNOSUPPORT;
}

static void
icmp6_filter_from_host(const struct icmp6_filter *f, struct darwin_icmp6_filter *out)
{
	memset(out, 0, sizeof *out);
	for (unsigned type = 0; type < 256; type++)
		if (ICMP6_FILTER_WILLPASS(type, f))
			out->pass[type >> 5] |= UINT32_C(1) << (type & 31);
}

/* A value of the host's in a struct of type `type` named `in`; leaves with EINVAL when it is too short. */
#define TAKE(type, in)				\
	type in;				\
	if (len < sizeof in)			\
		return EINVAL;			\
	memcpy(&in, value, sizeof in)

static int
give(void *out, size_t *size, const void *darwin, size_t len)
{
	if (len > *size)
		return EINVAL;
	memcpy(out, darwin, len);
	*size = len;
	return 0;
}

static int
group_from_host(const void *value, socklen_t len, void *out, size_t *size)
{
	TAKE(struct group_req, in);
	struct darwin_group d = {.interface = in.gr_interface};
	int error = storage_from_host(&in.gr_group, d.group);

	return error != 0 ? error : give(out, size, &d, sizeof d);
}

static int
group_source_from_host(const void *value, socklen_t len, void *out, size_t *size)
{
	TAKE(struct group_source_req, in);
	struct darwin_group_source d = {.interface = in.gsr_interface};
	int error = storage_from_host(&in.gsr_group, d.group);

	if (error == 0)
		error = storage_from_host(&in.gsr_source, d.source);
	return error != 0 ? error : give(out, size, &d, sizeof d);
}

static int
timeval_option_from_host(const void *value, socklen_t len, void *out, size_t *size)
{
	TAKE(struct timeval, in);
	struct darwin_timeval d = timeval_from_host(&in);

	return give(out, size, &d, sizeof d);
}

static int
mreq_source_from_host(const void *value, socklen_t len, void *out, size_t *size)
{
	TAKE(struct ip_mreq_source, in);
	struct darwin_mreq_source d = {
		in.imr_multiaddr.s_addr, in.imr_sourceaddr.s_addr, in.imr_interface.s_addr
	};

	return give(out, size, &d, sizeof d);
}

static int
icmp6_option_from_host(const void *value, socklen_t len, void *out, size_t *size)
{
	TAKE(struct icmp6_filter, in);
	struct darwin_icmp6_filter d;

	icmp6_filter_from_host(&in, &d);
	return give(out, size, &d, sizeof d);
}

static int
discovery_from_host(const void *value, socklen_t len, void *out, size_t *size)
{
	TAKE(int, in);
	int d = in != 0 && in != 1;	/* neither "never" nor "as the route says": always */

	return give(out, size, &d, sizeof d);
}

int
socket_option_from_host(const struct socket_option *o, const void *value, socklen_t len, void *out,
    size_t *size)
{
	switch (o->kind) {
	case OPTION_TIMEVAL:
		return timeval_option_from_host(value, len, out, size);
	case OPTION_MREQ_SOURCE:
		return mreq_source_from_host(value, len, out, size);
	case OPTION_GROUP:
		return group_from_host(value, len, out, size);
	case OPTION_GROUP_SOURCE:
		return group_source_from_host(value, len, out, size);
	case OPTION_ICMP6_FILTER:
		return icmp6_option_from_host(value, len, out, size);
	case OPTION_PMTU_DISCOVERY:
		return discovery_from_host(value, len, out, size);
	case OPTION_SAME:
	case OPTION_ERRNO:
	case OPTION_FILTER:
	case OPTION_FILTER4:
	case OPTION_TCP_INFO:
		break;
	}
	return give(out, size, value, len);
}

static void
put(void *value, socklen_t *len, const void *bytes, size_t size)
{
	if (size < *len)
		*len = (socklen_t)size;
	memcpy(value, bytes, *len);
}

static void
icmp6_filter_to_host(const struct darwin_icmp6_filter *d, void *value, socklen_t *len)
{
	struct icmp6_filter f;

	ICMP6_FILTER_SETBLOCKALL(&f);
	for (unsigned type = 0; type < 256; type++)
		if (d->pass[type >> 5] & UINT32_C(1) << (type & 31))
			ICMP6_FILTER_SETPASS(type, &f);
	put(value, len, &f, sizeof f);
}

int
socket_option_to_host(const struct socket_option *o, const void *darwin, size_t size, void *value,
    socklen_t *len)
{
	struct darwin_icmp6_filter filter;
	struct darwin_timeval tv;
	struct timeval host_tv;
	int number;

	if (o->kind == OPTION_TIMEVAL && size >= sizeof tv) {
		memcpy(&tv, darwin, sizeof tv);
		host_tv = (struct timeval){.tv_sec = (time_t)tv.sec, .tv_usec = tv.usec};
		put(value, len, &host_tv, sizeof host_tv);
	} else if ((o->kind == OPTION_ERRNO || o->kind == OPTION_PMTU_DISCOVERY) &&
	    size >= sizeof number) {
		memcpy(&number, darwin, sizeof number);
		number = o->kind == OPTION_ERRNO ? darwin_errno_to_host(number) : number != 0 ? 2 : 0;
		put(value, len, &number, sizeof number);
	} else if (o->kind == OPTION_ICMP6_FILTER && size >= sizeof filter) {
		memcpy(&filter, darwin, sizeof filter);
		icmp6_filter_to_host(&filter, value, len);
	} else if (o->kind == OPTION_TCP_INFO) {
		*len = (socklen_t)tcp_info_to_host(darwin, size, value, *len);
	} else {
		put(value, len, darwin, size);
	}
	return 0;
}

/* ---- flags -------------------------------------------------------------------------------- */

static const struct flag {
	int host, darwin;
} flags[] = {
	{MSG_OOB, 0x1}, {MSG_PEEK, 0x2}, {MSG_DONTROUTE, 0x4}, {MSG_EOR, 0x8}, {MSG_TRUNC, 0x10},
	{MSG_CTRUNC, 0x20}, {MSG_WAITALL, 0x40}, {MSG_DONTWAIT, 0x80}, {NKE_MSG_EOF, 0x100},
};

int
message_flags_from_host(int host)
{
	int darwin = 0;

#ifdef MSG_NOSIGNAL
	host &= ~MSG_NOSIGNAL;		/* nobody is sent a signal anyway */
#endif
#ifdef MSG_CMSG_CLOEXEC
	host &= ~MSG_CMSG_CLOEXEC;	/* nor does a machine's program start another */
#endif
	for (size_t i = 0; i < LENGTH(flags); i++) {
		if (host & flags[i].host)
			darwin |= flags[i].darwin;
		host &= ~flags[i].host;
	}
	return host == 0 ? darwin : -1;
}

int
message_flags_to_host(int darwin)
{
	int host = 0;

	for (size_t i = 0; i < LENGTH(flags); i++)
		if (darwin & flags[i].darwin)
			host |= flags[i].host;
	return host;
}

/* ---- control messages --------------------------------------------------------------------- */

struct darwin_cmsg {
	uint32_t len;			/* this header included */
	int32_t level, type;
};

#define DARWIN_SCM_RIGHTS	1
#define DARWIN_ALIGN(n)	(((n) + 3) & ~(size_t)3)

enum control_kind { CONTROL_SAME, CONTROL_TIMEVAL, CONTROL_BYTE };

/* What is the same bytes both ways; on the way in a number may be one byte where the host has an int. */
static const struct control_name {
	int host_level, host_type;
	int level, type;
	enum control_kind kind;
	bool in_only;
} controls[] = {
	{SOL_SOCKET, SCM_RIGHTS, DARWIN_SOL_SOCKET, DARWIN_SCM_RIGHTS, CONTROL_SAME, false},
	{SOL_SOCKET, SCM_TIMESTAMP, DARWIN_SOL_SOCKET, 2, CONTROL_TIMEVAL, true},
	{IPPROTO_IP, IP_PKTINFO, IPPROTO_IP, 26, CONTROL_SAME, false},
	{IPPROTO_IP, IP_TOS, IPPROTO_IP, 27, CONTROL_BYTE, true},	/* IP_RECVTOS */
	{IPPROTO_IP, IP_TTL, IPPROTO_IP, 24, CONTROL_BYTE, true},	/* IP_RECVTTL */
	{IPPROTO_IP, IP_TOS, IPPROTO_IP, 3, CONTROL_SAME, false},
	{IPPROTO_IP, IP_TTL, IPPROTO_IP, 4, CONTROL_SAME, false},
	{IPPROTO_IPV6, IPV6_PKTINFO, IPPROTO_IPV6, 46, CONTROL_SAME, false},
	{IPPROTO_IPV6, IPV6_HOPLIMIT, IPPROTO_IPV6, 47, CONTROL_SAME, false},
	{IPPROTO_IPV6, IPV6_TCLASS, IPPROTO_IPV6, 36, CONTROL_SAME, false},
	{IPPROTO_IPV6, IPV6_DONTFRAG, IPPROTO_IPV6, 62, CONTROL_SAME, false},
	{IPPROTO_IPV6, IPV6_HOPOPTS, IPPROTO_IPV6, 49, CONTROL_SAME, false},
	{IPPROTO_IPV6, IPV6_DSTOPTS, IPPROTO_IPV6, 50, CONTROL_SAME, false},
	{IPPROTO_IPV6, IPV6_RTHDR, IPPROTO_IPV6, 51, CONTROL_SAME, false},
	{IPPROTO_IPV6, IPV6_PATHMTU, IPPROTO_IPV6, 44, CONTROL_SAME, true},
};

ptrdiff_t
control_from_host(const struct msghdr *msg, void *darwin, size_t size)
{
	struct msghdr readable = *msg;
	struct cmsghdr *c;
	uint8_t *out = darwin;
	size_t used = 0;

	for (c = CMSG_FIRSTHDR(&readable); c != NULL; c = CMSG_NXTHDR(&readable, c)) {
		struct darwin_cmsg d = {.level = c->cmsg_level, .type = c->cmsg_type};
		size_t left = (size_t)((const uint8_t *)msg->msg_control + msg->msg_controllen -
		    (const uint8_t *)c);
		size_t len;

		if (c->cmsg_len < CMSG_LEN(0) || c->cmsg_len > left) {
			errno = EINVAL;
			return -1;
		}
		len = c->cmsg_len - CMSG_LEN(0);
		for (size_t i = 0; i < LENGTH(controls); i++) {
			if (!controls[i].in_only && controls[i].host_level == c->cmsg_level &&
			    controls[i].host_type == c->cmsg_type) {
				d.level = controls[i].level;
				d.type = controls[i].type;
			}
		}
		d.len = (uint32_t)(sizeof d + len);
		if (len > size || used + DARWIN_ALIGN(d.len) > size) {
			errno = ENOBUFS;
			return -1;
		}
		memset(out + used, 0, DARWIN_ALIGN(d.len));
		memcpy(out + used, &d, sizeof d);
		memcpy(out + used + sizeof d, CMSG_DATA(c), len);
		used += DARWIN_ALIGN(d.len);
	}
	return (ptrdiff_t)used;
}

/* A value as the host has it, in `out` of 16 bytes when it differs; how long. */
static size_t
control_value(enum control_kind kind, const uint8_t *value, size_t len, uint8_t out[16],
    const uint8_t **from)
{
	struct darwin_timeval d;
	struct timeval tv;
	int number;

	*from = value;
	if (kind == CONTROL_TIMEVAL && len >= sizeof d) {
		memcpy(&d, value, sizeof d);
		tv = (struct timeval){.tv_sec = (time_t)d.sec, .tv_usec = d.usec};
		memcpy(out, &tv, sizeof tv);
		*from = out;
		return sizeof tv;
	}
	if (kind == CONTROL_BYTE && len == 1) {
		number = value[0];
		memcpy(out, &number, sizeof number);
		*from = out;
		return sizeof number;
	}
	return len;
}

/* False: it did not fit whole. */
static bool
add_control(struct msghdr *msg, size_t room, int level, int type, const void *data, size_t len)
{
	struct cmsghdr header = {.cmsg_level = level, .cmsg_type = type};
	uint8_t *to = (uint8_t *)msg->msg_control + msg->msg_controllen;
	size_t left = room - msg->msg_controllen;

	if (left < CMSG_LEN(len))
		return false;
	header.cmsg_len = CMSG_LEN(len);
	memset(to, 0, left < CMSG_SPACE(len) ? left : CMSG_SPACE(len));
	memcpy(to, &header, sizeof header);
	memcpy(to + CMSG_LEN(0), data, len);
	msg->msg_controllen += left < CMSG_SPACE(len) ? left : CMSG_SPACE(len);
	return true;
}

void
control_descriptors(const void *darwin, size_t size, void (*fn)(void *, int), void *ctx)
{
	struct darwin_cmsg d;
	int s;

	for (size_t off = 0; off + sizeof d <= size; off += DARWIN_ALIGN(d.len)) {
		const uint8_t *at = (const uint8_t *)darwin + off;

		memcpy(&d, at, sizeof d);
		if (d.len < sizeof d || d.len > size - off)
			return;
		if (d.level != DARWIN_SOL_SOCKET || d.type != DARWIN_SCM_RIGHTS)
			continue;
		for (size_t i = sizeof d; i + sizeof s <= d.len; i += sizeof s) {
			memcpy(&s, at + i, sizeof s);
			fn(ctx, s);
		}
	}
}

size_t
control_to_host(const void *darwin, size_t size, struct msghdr *msg)
{
	size_t room = msg->msg_control != NULL ? msg->msg_controllen : 0, off = 0;

	msg->msg_controllen = 0;
	while (off + sizeof(struct darwin_cmsg) <= size) {
		const uint8_t *at = (const uint8_t *)darwin + off, *data;
		enum control_kind kind = CONTROL_SAME;
		struct darwin_cmsg d;
		uint8_t changed[16];
		size_t len, length;

		memcpy(&d, at, sizeof d);
		length = d.len;
		if (d.len < sizeof d || d.len > size - off)
			return size;
		for (size_t i = 0; i < LENGTH(controls); i++) {
			if (controls[i].level == d.level && controls[i].type == d.type) {
				d.level = controls[i].host_level;
				d.type = controls[i].host_type;
				kind = controls[i].kind;
				break;
			}
		}
		len = control_value(kind, at + sizeof d, d.len - sizeof d, changed, &data);
		if (!add_control(msg, room, d.level, d.type, data, len)) {
			msg->msg_flags |= MSG_CTRUNC;
			return off;
		}
		off += DARWIN_ALIGN(length);
	}
	return size;
}
