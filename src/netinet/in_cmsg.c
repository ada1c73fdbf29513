/*
 * Ancillary data of datagrams: what a receiver wants to know of each (in_savecontrol), what a sender says
 * about one (in_getcontrol). RFC 3542 for IPv6, BSD's and Darwin's messages for IPv4.
 *
 * A dual AF_INET6 socket gets what it asked for of IPv4 packets as well, addresses mapped.
 *
 * Limits: control data are read mbuf by mbuf, each with whole messages; a message that does not fit its
 * mbuf is an error. Left out: IPV6_NEXTHOP.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/sched.h"
#include "src/net/ifaddr.h"
#include "src/netinet/in_pcb.h"

/* ---- received ----------------------------------------------------------------------------- */

/* The messages made so far. */
struct made {
	struct nke *machine;
	struct mbuf *first, **tail;
	bool failed;
};

static void
make(struct made *c, const void *data, size_t len, int type, int level)
{
	struct mbuf *m;

	if (c->failed)
		return;
	m = sbcreatecontrol(c->machine, data, len, type, level);
	c->failed = m == NULL;
	*c->tail = m;
	if (m != NULL)
		c->tail = &m->m_next;
}

static void
make_times(struct made *c, const struct inpcb *inp, const struct mbuf *m)
{
	struct nke *machine = c->machine;

	if (inp->inp_socket->so_options & SO_TIMESTAMP) {
		uint64_t ns = m->m_pkthdr.timestamp != 0 ? m->m_pkthdr.timestamp :
		    world_calendar_now(machine->world);
		struct timeval tv = {
			.tv_sec = (__darwin_time_t)(ns / 1000000000),
			.tv_usec = (__darwin_suseconds_t)(ns % 1000000000 / 1000)
		};

		make(c, &tv, sizeof tv, SCM_TIMESTAMP, SOL_SOCKET);
	}
	if (inp->inp_socket->so_options & SO_TIMESTAMP_MONOTONIC) {
		uint64_t now = machine_now(machine);

		make(c, &now, sizeof now, SCM_TIMESTAMP_MONOTONIC, SOL_SOCKET);
	}
}

/* The interface's link address; without one, its number alone. */
static void
make_interface(struct made *c, const struct ifnet *ifp)
{
	struct sockaddr_dl sdl = {
		.sdl_len = offsetof(struct sockaddr_dl, sdl_data), .sdl_family = AF_LINK
	};
	const struct ifaddr *ifa = ifp != NULL ? ifaddr_link((struct ifnet *)(uintptr_t)ifp) : NULL;

	if (ifa != NULL) {
		make(c, &ifa->addr, ifa->addr.ss_len, IP_RECVIF, IPPROTO_IP);
		return;
	}
	sdl.sdl_index = (u_short)(ifp != NULL ? ifp->index : 0);
	make(c, &sdl, sdl.sdl_len, IP_RECVIF, IPPROTO_IP);
}

static uint32_t
index_of(const struct mbuf *m)
{
	return m->m_pkthdr.rcvif != NULL ? m->m_pkthdr.rcvif->index : 0;
}

/* An AF_INET socket. */
static void
save_inet(struct made *c, const struct inpcb *inp, const struct mbuf *m, int off)
{
	const struct ip *ip = mtod(m, const struct ip *);
	uint32_t flags = inp->inp_flags;
	struct in_pktinfo info;

	if (flags & INP_RECVDSTADDR)
		make(c, &ip->ip_dst, sizeof ip->ip_dst, IP_RECVDSTADDR, IPPROTO_IP);
	if ((flags & INP_RECVOPTS) && off > (int)sizeof *ip)
		make(c, ip + 1, (size_t)off - sizeof *ip, IP_RECVOPTS, IPPROTO_IP);
	if (flags & INP_RECVIF)
		make_interface(c, m->m_pkthdr.rcvif);
	if (flags & INP_RECVTTL)
		make(c, &ip->ip_ttl, sizeof ip->ip_ttl, IP_RECVTTL, IPPROTO_IP);
	if (flags & INP_RECVTOS)
		make(c, &ip->ip_tos, sizeof ip->ip_tos, IP_RECVTOS, IPPROTO_IP);
	if (flags & INP_RECVPKTINFO) {
		memset(&info, 0, sizeof info);
		info.ipi_ifindex = index_of(m);
		info.ipi_addr = ip->ip_dst;
		make(c, &info, sizeof info, IP_RECVPKTINFO, IPPROTO_IP);
	}
}

struct header_option {
	uint32_t flag;
	int type, old_type;
};

static void
make_header(struct made *c, const struct inpcb *inp, const struct mbuf *m, size_t off, size_t len,
    const struct header_option *h)
{
	uint8_t bytes[IPV6_MAXOPTHDR];

	if (!(inp->inp_flags & h->flag) || len > sizeof bytes || m_copydata(m, off, len, bytes) != 0)
		return;
	make(c, bytes, len, inp->inp_flags & INP_2292 ? h->old_type : h->type, IPPROTO_IPV6);
}

/* The extension headers between the fixed one and the transport's. */
static void
save_headers(struct made *c, const struct inpcb *inp, const struct mbuf *m, size_t end)
{
	static const struct header_option hop = {
		INP_RECV6HOPOPTS, IPV6_HOPOPTS, IPV6_2292HOPOPTS
	}, dst = {
		INP_RECV6DSTOPTS, IPV6_DSTOPTS, IPV6_2292DSTOPTS
	}, routing = {
		INP_RECV6RTHDR, IPV6_RTHDR, IPV6_2292RTHDR
	};
	uint8_t next = mtod(m, const struct ip6_hdr *)->ip6_nxt, h[2];
	size_t off = sizeof(struct ip6_hdr), len;

	while (off + 8 <= end && m_copydata(m, off, sizeof h, h) == 0) {
		len = next == IPPROTO_FRAGMENT ? 8 : ((size_t)h[1] + 1) * 8;
		if (len > end - off)
			return;
		if (next == IPPROTO_HOPOPTS)
			make_header(c, inp, m, off, len, &hop);
		else if (next == IPPROTO_DSTOPTS)
			make_header(c, inp, m, off, len, &dst);
		else if (next == IPPROTO_ROUTING)
			make_header(c, inp, m, off, len, &routing);
		else if (next != IPPROTO_FRAGMENT)
			return;
		next = h[0];
		off += len;
	}
}

/* An AF_INET6 socket; the packet may be IPv4's. */
static void
save_inet6(struct made *c, const struct inpcb *inp, const struct mbuf *m, uint8_t vflag, int off)
{
	const struct ip *ip = mtod(m, const struct ip *);
	const struct ip6_hdr *ip6 = mtod(m, const struct ip6_hdr *);
	bool v4 = vflag == INP_IPV4, old = inp->inp_flags & INP_2292;
	struct in6_pktinfo info;
	int value;

	if (inp->inp_flags & INP_RECV6PKTINFO) {
		if (v4)
			info.ipi6_addr = in6_mapped(ip->ip_dst.s_addr);
		else
			memcpy(&info.ipi6_addr, m->m_data + offsetof(struct ip6_hdr, ip6_dst), 16);
		info.ipi6_ifindex = index_of(m);
		make(c, &info, sizeof info, old ? IPV6_2292PKTINFO : IPV6_PKTINFO, IPPROTO_IPV6);
	}
	if (inp->inp_flags & INP_RECV6HOPLIMIT) {
		value = v4 ? ip->ip_ttl : ip6->ip6_hlim;
		make(c, &value, sizeof value, old ? IPV6_2292HOPLIMIT : IPV6_HOPLIMIT, IPPROTO_IPV6);
	}
	if (inp->inp_flags & INP_RECV6TCLASS) {
		value = v4 ? ip->ip_tos : (int)(ntohl(ip6->ip6_flow) >> 20 & 0xff);
		make(c, &value, sizeof value, IPV6_TCLASS, IPPROTO_IPV6);
	}
	if (!v4 && off > (int)sizeof *ip6 &&
	    (inp->inp_flags & (INP_RECV6HOPOPTS | INP_RECV6DSTOPTS | INP_RECV6RTHDR)))
		save_headers(c, inp, m, (size_t)off);
}

bool
in_savecontrol(const struct inpcb *inp, const struct mbuf *m, uint8_t vflag, int off, struct mbuf **out)
{
	struct made c = {.machine = inp->inp_info->machine, .tail = &c.first};

	make_times(&c, inp, m);
	if (inp->inp_socket->so_family == PF_INET)
		save_inet(&c, inp, m, off);
	else
		save_inet6(&c, inp, m, vflag, off);
	*out = c.first;
	if (!c.failed)
		return true;
	m_freem(c.first);
	*out = NULL;
	ip_statistics(c.machine)->ips_pktdropcntrl++;
	return false;
}

/* ---- to be sent --------------------------------------------------------------------------- */

/* One message. */
struct said {
	const uint8_t *data;
	size_t len;
	int type;
};

static bool
read_int(const struct said *s, int *value, int min, int max)
{
	if (s->len < sizeof *value)
		return false;
	memcpy(value, s->data, sizeof *value);
	return *value >= min && *value <= max;
}

static errno_t
said_source(struct inpcb *inp, uint8_t vflag, const struct in6_addr *source, uint32_t index,
    struct in_sendctl *ctl)
{
	struct nke *machine = inp->inp_info->machine;
	errno_t error;

	error = in_option_interface(machine, index, &ctl->ifp);
	if (error != 0 || IN6_IS_ADDR_UNSPECIFIED(source))
		return error;
	if (index == 0 && inp->inp_boundif != NULL)
		index = inp->inp_boundif->index;
	if (!in_pcb_ours(machine, vflag, source, index != 0 ? index : inp->inp_fzone))
		return EADDRNOTAVAIL;
	ctl->source = *source;
	ctl->has_source = true;
	return 0;
}

/* A byte or an int. */
static bool
read_small(const struct said *s, int *value, int min)
{
	if (s->len >= sizeof *value)
		return read_int(s, value, min, UINT8_MAX);
	if (s->len != 1)
		return false;
	*value = s->data[0];
	return *value >= min;
}

static errno_t
said_inet(struct inpcb *inp, const struct said *s, struct in_sendctl *ctl)
{
	struct in6_addr source;
	struct in_pktinfo info;
	in_addr_t addr;

	switch (s->type) {
	case IP_PKTINFO:
		if (s->len != sizeof info)
			return EINVAL;
		memcpy(&info, s->data, sizeof info);
		source = in6_from4(info.ipi_spec_dst.s_addr);
		return said_source(inp, INP_IPV4, &source, info.ipi_ifindex, ctl);
	case IP_RECVDSTADDR:		/* BSD's IP_SENDSRCADDR: the answer comes from where it was asked */
		if (s->len != sizeof addr)
			return EINVAL;
		memcpy(&addr, s->data, sizeof addr);
		source = in6_from4(addr);
		return said_source(inp, INP_IPV4, &source, ctl->ifp != NULL ? ctl->ifp->index : 0, ctl);
	case IP_TOS:
	case IP_RECVTOS:
		return read_small(s, &ctl->tos, 0) ? 0 : EINVAL;
	case IP_TTL:
	case IP_RECVTTL:
		return read_small(s, &ctl->hops, 1) ? 0 : EINVAL;
	case IP_DONTFRAG:
		return read_int(s, &ctl->dontfrag, 0, 1) ? 0 : EINVAL;
	default:
		return EINVAL;
	}
}

static errno_t
said_pktinfo6(struct inpcb *inp, const struct said *s, uint8_t vflag, struct in_sendctl *ctl)
{
	struct in6_pktinfo info;
	struct in6_addr source;

	if (s->len != sizeof info)
		return EINVAL;
	memcpy(&info, s->data, sizeof info);
	source = info.ipi6_addr;
	if (vflag == INP_IPV4 && !IN6_IS_ADDR_UNSPECIFIED(&source)) {
		if (!IN6_IS_ADDR_V4MAPPED(&source))
			return EINVAL;
		source = in6_from4(source.s6_addr32[3]);
	}
	return said_source(inp, vflag, &source, info.ipi6_ifindex, ctl);
}

static errno_t
said_inet6(struct inpcb *inp, const struct said *s, uint8_t vflag, struct in_sendctl *ctl)
{
	const void **header = NULL;
	int option = s->type;

	switch (s->type) {
	case IPV6_PKTINFO:
	case IPV6_2292PKTINFO:
		return said_pktinfo6(inp, s, vflag, ctl);
	case IPV6_HOPLIMIT:
	case IPV6_2292HOPLIMIT:
		return read_int(s, &ctl->hops, -1, UINT8_MAX) ? 0 : EINVAL;
	case IPV6_TCLASS:
		return read_int(s, &ctl->tos, -1, UINT8_MAX) ? 0 : EINVAL;
	case IPV6_DONTFRAG:
		return read_int(s, &ctl->dontfrag, 0, 1) ? 0 : EINVAL;
	case IPV6_USE_MIN_MTU:
		return read_int(s, &ctl->minmtu, -1, 1) ? 0 : EINVAL;
	case IPV6_HOPOPTS:
	case IPV6_2292HOPOPTS:
		option = IPV6_HOPOPTS;
		header = &ctl->headers.hop;
		break;
	case IPV6_RTHDRDSTOPTS:
		header = &ctl->headers.dst1;
		break;
	case IPV6_RTHDR:
	case IPV6_2292RTHDR:
		option = IPV6_RTHDR;
		header = &ctl->headers.routing;
		break;
	case IPV6_DSTOPTS:
	case IPV6_2292DSTOPTS:
		option = IPV6_DSTOPTS;
		header = &ctl->headers.dst2;
		break;
	default:
		return EINVAL;
	}
	*header = s->len != 0 ? s->data : NULL;
	return s->len != 0 ? in6_pktopts_check(inp, option, s->data, s->len) : 0;
}

errno_t
in_getcontrol(struct inpcb *inp, const struct mbuf *control, uint8_t vflag, struct in_sendctl *ctl)
{
	int level = inp->inp_socket->so_family == PF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	errno_t error = 0;

	for (const struct mbuf *m = control; m != NULL && error == 0; m = m->m_next) {
		size_t at = 0, len = (size_t)m->m_len;

		while (error == 0 && at < len) {
			struct cmsghdr h;
			struct said s;

			if (len - at < sizeof h)
				return EINVAL;
			memcpy(&h, m->m_data + at, sizeof h);
			if (h.cmsg_len < sizeof h || h.cmsg_len > len - at)
				return EINVAL;
			s.data = (const uint8_t *)m->m_data + at + sizeof h;
			s.len = h.cmsg_len - sizeof h;
			s.type = h.cmsg_type;
			/* Other levels' are others' business. */
			if (h.cmsg_level == level)
				error = level == IPPROTO_IP ? said_inet(inp, &s, ctl) :
				    said_inet6(inp, &s, vflag, ctl);
			at += __CMSG_ALIGN(h.cmsg_len);
		}
	}
	return error;
}
