/*
 * Socket options about multicast, of levels IPPROTO_IP and IPPROTO_IPV6: how to send, memberships, source
 * filters (RFC 1112, RFC 3493 section 5.2, RFC 3678 sections 4 and 5).
 *
 * The errors are BSD's: EINVAL no multicast address, or the wrong kind of membership (any source, these
 * sources); EADDRNOTAVAIL no such interface, membership or source; EADDRINUSE a member already;
 * ETOOMANYREFS too many groups; ENOBUFS too many sources.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/net/ifaddr.h"
#include "src/netinet/in_pcb.h"

/* What an option names. */
struct target {
	sa_family_t family;
	struct ifnet *ifp;		/* no reference; NULL: not said */
	union in_any group, source;
};

/* ---- interfaces --------------------------------------------------------------------------- */

errno_t
in_option_interface(struct nke *machine, uint32_t index, struct ifnet **out)
{
	*out = NULL;
	if (index == 0)
		return 0;
	*out = dlil_find_by_index(machine, index);
	return *out != NULL ? 0 : ENXIO;
}

static struct ifnet *
interface_of_address(struct nke *machine, struct in_addr a)
{
	struct ifaddr *ifa = a.s_addr != INADDR_ANY ? ifaddr_find_in4(machine, a.s_addr) : NULL;

	return ifa != NULL ? ifa->ifp : NULL;
}

/* Nobody said which: the one that the routing table says, else the first that can. */
static struct ifnet *
default_interface(const struct inpcb *inp, const struct target *t)
{
	struct nke *machine = inp->inp_info->machine;
	struct sockaddr_in6 sin6 = {
		.sin6_len = sizeof sin6, .sin6_family = AF_INET6, .sin6_addr = t->group.v6
	};
	struct sockaddr_in sin = {
		.sin_len = sizeof sin, .sin_family = AF_INET, .sin_addr = t->group.v4
	};
	struct rtentry *rt;
	struct ifnet *ifp;

	if (inp->inp_boundif != NULL)
		return inp->inp_boundif;
	rt = rt_lookup(machine, t->family == AF_INET ? (const struct sockaddr *)&sin :
	    (const struct sockaddr *)&sin6, NULL, 0);
	ifp = rt != NULL ? rt->rt_ifp : NULL;
	rt_release(rt);
	if (ifp != NULL && (ifp->flags & IFF_MULTICAST))
		return ifp;
	TAILQ_FOREACH(ifp, dlil_interfaces(machine), link)
		if ((ifp->flags & IFF_MULTICAST) && !(ifp->flags & IFF_LOOPBACK) &&
		    ifaddr_first(ifp, t->family) != NULL)
			return ifp;
	return NULL;
}

/* ---- what is named ------------------------------------------------------------------------ */

static bool
good_group(const struct target *t)
{
	return t->family == AF_INET ? IN_MULTICAST(ntohl(t->group.v4.s_addr)) :
	    IN6_IS_ADDR_MULTICAST(&t->group.v6);
}

/* EINVAL: not an address of the level's family. */
static errno_t
read_address(sa_family_t family, const struct sockaddr_storage *ss, union in_any *out)
{
	struct sockaddr_in6 sin6;
	struct sockaddr_in sin;

	memset(out, 0, sizeof *out);
	if (ss->ss_family != family)
		return EINVAL;
	if (family == AF_INET) {
		memcpy(&sin, ss, sizeof sin);
		out->v4 = sin.sin_addr;
	} else {
		memcpy(&sin6, ss, sizeof sin6);
		out->v6 = sin6.sin6_addr;
	}
	return 0;
}

static errno_t
named_interface(const struct inpcb *inp, uint32_t index, struct target *t)
{
	return in_option_interface(inp->inp_info->machine, index, &t->ifp) == 0 ? 0 : EADDRNOTAVAIL;
}

/* struct ip_mreq, ip_mreqn. */
static errno_t
read_mreq(const struct inpcb *inp, struct sockopt *sopt, struct target *t)
{
	struct ip_mreqn mreqn = {0};
	errno_t error;

	error = sooptcopyin(sopt, &mreqn, sizeof mreqn, sizeof(struct ip_mreq));
	if (error != 0)
		return error;
	t->group.v4 = mreqn.imr_multiaddr;
	if (sopt->sopt_valsize >= sizeof mreqn && mreqn.imr_ifindex != 0)
		return named_interface(inp, (uint32_t)mreqn.imr_ifindex, t);
	t->ifp = interface_of_address(inp->inp_info->machine, mreqn.imr_address);
	return t->ifp != NULL || mreqn.imr_address.s_addr == INADDR_ANY ? 0 : EADDRNOTAVAIL;
}

static errno_t
read_mreq_source(const struct inpcb *inp, struct sockopt *sopt, struct target *t)
{
	struct ip_mreq_source mreqs;
	errno_t error;

	error = sooptcopyin(sopt, &mreqs, sizeof mreqs, sizeof mreqs);
	if (error != 0)
		return error;
	t->group.v4 = mreqs.imr_multiaddr;
	t->source.v4 = mreqs.imr_sourceaddr;
	t->ifp = interface_of_address(inp->inp_info->machine, mreqs.imr_interface);
	return t->ifp != NULL || mreqs.imr_interface.s_addr == INADDR_ANY ? 0 : EADDRNOTAVAIL;
}

static errno_t
read_mreq6(const struct inpcb *inp, struct sockopt *sopt, struct target *t)
{
	struct ipv6_mreq mreq;
	errno_t error;

	error = sooptcopyin(sopt, &mreq, sizeof mreq, sizeof mreq);
	if (error != 0)
		return error;
	t->group.v6 = mreq.ipv6mr_multiaddr;
	return named_interface(inp, mreq.ipv6mr_interface, t);
}

static errno_t
read_group_req(const struct inpcb *inp, struct sockopt *sopt, bool source, struct target *t)
{
	struct group_source_req gsr;
	size_t size = source ? sizeof gsr : sizeof(struct group_req);
	struct sockaddr_storage ss;
	errno_t error;

	error = sooptcopyin(sopt, &gsr, size, size);
	if (error != 0)
		return error;
	memcpy(&ss, &gsr.gsr_group, sizeof ss);
	error = read_address(t->family, &ss, &t->group);
	if (error == 0 && source) {
		memcpy(&ss, &gsr.gsr_source, sizeof ss);
		error = read_address(t->family, &ss, &t->source);
	}
	return error != 0 ? error : named_interface(inp, gsr.gsr_interface, t);
}

/* ---- memberships -------------------------------------------------------------------------- */

/* The membership with one source more or less. */
static errno_t
change_source(struct inpcb *inp, const struct in_membership *ms, const struct target *t, bool add)
{
	union in_any list[IP_MAX_SOCK_SRC_FILTER + 1];
	unsigned n = 0;
	bool there = false;

	for (unsigned i = 0; i < ms->count; i++) {
		bool same = memcmp(&ms->sources[i], &t->source, sizeof t->source) == 0;

		there |= same;
		if (!same)
			list[n++] = ms->sources[i];
	}
	if (there == add)
		return EADDRNOTAVAIL;
	if (add)
		list[n++] = t->source;
	return in_mcast_set(inp, ms->inm->ifp, t->family, &t->group, ms->mode, list, n);
}

static errno_t
join_group(struct inpcb *inp, struct target *t, bool source)
{
	const struct in_membership *ms;

	if (!good_group(t))
		return EINVAL;
	if (t->ifp == NULL)
		t->ifp = default_interface(inp, t);
	if (t->ifp == NULL || !(t->ifp->flags & IFF_MULTICAST))
		return EADDRNOTAVAIL;
	ms = in_mcast_find(inp, t->ifp, t->family, &t->group);
	if (ms != NULL && !source)
		return ms->mode == MCAST_EXCLUDE ? EADDRINUSE : EINVAL;
	if (ms != NULL)
		return ms->mode == MCAST_INCLUDE ? change_source(inp, ms, t, true) : EINVAL;
	return in_mcast_set(inp, t->ifp, t->family, &t->group, source ? MCAST_INCLUDE : MCAST_EXCLUDE,
	    source ? &t->source : NULL, source);
}

static errno_t
leave_group(struct inpcb *inp, const struct target *t, bool source)
{
	const struct in_membership *ms;

	if (!good_group(t))
		return EINVAL;
	ms = in_mcast_find(inp, t->ifp, t->family, &t->group);
	if (ms == NULL)
		return EADDRNOTAVAIL;
	if (!source)
		return in_mcast_set(inp, ms->inm->ifp, t->family, &t->group, MCAST_INCLUDE, NULL, 0);
	return ms->mode == MCAST_INCLUDE ? change_source(inp, ms, t, false) : EINVAL;
}

static errno_t
block_source(struct inpcb *inp, const struct target *t, bool block)
{
	const struct in_membership *ms;

	if (!good_group(t))
		return EINVAL;
	ms = in_mcast_find(inp, t->ifp, t->family, &t->group);
	if (ms == NULL)
		return EADDRNOTAVAIL;
	return ms->mode == MCAST_EXCLUDE ? change_source(inp, ms, t, block) : EINVAL;
}

/* ---- IP_MSFILTER, IPV6_MSFILTER ----------------------------------------------------------- */

static errno_t
read_filter(const struct inpcb *inp, struct sockopt *sopt, struct __msfilterreq *req, struct target *t,
    const struct in_membership **ms)
{
	struct sockaddr_storage ss;
	errno_t error;

	error = sooptcopyin(sopt, req, sizeof *req, sizeof *req);
	if (error != 0)
		return error;
	memcpy(&ss, &req->msfr_group, sizeof ss);
	error = read_address(t->family, &ss, &t->group);
	if (error == 0)
		error = named_interface(inp, req->msfr_ifindex, t);
	if (error != 0)
		return error;
	if (!good_group(t))
		return EINVAL;
	*ms = in_mcast_find(inp, t->ifp, t->family, &t->group);
	return *ms != NULL ? 0 : EADDRNOTAVAIL;
}

static errno_t
set_filter(struct inpcb *inp, struct sockopt *sopt, struct target *t)
{
	union in_any list[IP_MAX_SOCK_SRC_FILTER];
	const struct in_membership *ms;
	struct __msfilterreq req;
	struct sockaddr_storage ss;
	errno_t error;

	error = read_filter(inp, sopt, &req, t, &ms);
	if (error != 0)
		return error;
	if (req.msfr_nsrcs > IP_MAX_SOCK_SRC_FILTER)
		return ENOBUFS;
	if ((req.msfr_fmode != MCAST_INCLUDE && req.msfr_fmode != MCAST_EXCLUDE) ||
	    (req.msfr_nsrcs != 0 && req.msfr_srcs == NULL))
		return EINVAL;
	for (uint32_t i = 0; i < req.msfr_nsrcs; i++) {
		memcpy(&ss, req.msfr_srcs + i, sizeof ss);
		error = read_address(t->family, &ss, &list[i]);
		if (error != 0)
			return error;
	}
	return in_mcast_set(inp, ms->inm->ifp, t->family, &t->group, (uint8_t)req.msfr_fmode, list,
	    req.msfr_nsrcs);
}

static errno_t
get_filter(struct inpcb *inp, struct sockopt *sopt)
{
	struct target t = {.family = sopt->sopt_level == IPPROTO_IP ? AF_INET : AF_INET6};
	struct sockopt in = *sopt;
	const struct in_membership *ms;
	struct __msfilterreq req;
	errno_t error;

	in.sopt_dir = SOPT_SET;
	error = read_filter(inp, &in, &req, &t, &ms);
	if (error != 0)
		return error;
	for (uint32_t i = 0; i < ms->count && i < req.msfr_nsrcs && req.msfr_srcs != NULL; i++) {
		struct sockaddr_in6 sin6 = {.sin6_len = sizeof sin6, .sin6_family = AF_INET6};
		struct sockaddr_in sin = {.sin_len = sizeof sin, .sin_family = AF_INET};
		struct sockaddr_storage ss;

		memset(&ss, 0, sizeof ss);
		sin.sin_addr = ms->sources[i].v4;
		sin6.sin6_addr = ms->sources[i].v6;
		if (t.family == AF_INET)
			memcpy(&ss, &sin, sizeof sin);
		else
			memcpy(&ss, &sin6, sizeof sin6);
		memcpy(req.msfr_srcs + i, &ss, sizeof ss);
	}
	req.msfr_fmode = ms->mode;
	req.msfr_nsrcs = ms->count;
	return sooptcopyout(sopt, &req, sizeof req);
}

/* ---- how to send -------------------------------------------------------------------------- */

static errno_t
send_by(struct inpcb *inp, struct ifnet *ifp, struct in_addr addr)
{
	struct in_moptions *mo = in_moptions_get(inp);

	if (mo == NULL)
		return ENOBUFS;
	if (ifp != NULL)
		ifnet_retain(ifp);
	if (mo->ifp != NULL)
		ifnet_drop(mo->ifp);
	mo->ifp = ifp;
	mo->addr = addr;
	in_pcbsource_forget(inp);
	return 0;
}

static errno_t
set_interface4(struct inpcb *inp, struct sockopt *sopt)
{
	struct ip_mreqn mreqn = {0};
	struct in_addr addr;
	struct ifnet *ifp = NULL;
	errno_t error;

	if (sopt->sopt_valsize >= sizeof mreqn) {
		error = sooptcopyin(sopt, &mreqn, sizeof mreqn, sizeof mreqn);
		addr = mreqn.imr_address;
	} else {
		error = sooptcopyin(sopt, &addr, sizeof addr, sizeof addr);
	}
	if (error != 0)
		return error;
	if (mreqn.imr_ifindex != 0)
		ifp = dlil_find_by_index(inp->inp_info->machine, (uint32_t)mreqn.imr_ifindex);
	else if (addr.s_addr == INADDR_ANY)
		return send_by(inp, NULL, addr);
	else
		ifp = interface_of_address(inp->inp_info->machine, addr);
	if (ifp == NULL || !(ifp->flags & IFF_MULTICAST))
		return EADDRNOTAVAIL;
	return send_by(inp, ifp, addr);
}

static errno_t
set_interface_index(struct inpcb *inp, struct sockopt *sopt)
{
	struct in_addr any = {INADDR_ANY};
	struct ifnet *ifp;
	errno_t error;
	int index;

	error = sooptcopyin_int(sopt, &index);
	if (error != 0)
		return error;
	if (in_option_interface(inp->inp_info->machine, (uint32_t)index, &ifp) != 0 ||
	    (ifp != NULL && !(ifp->flags & IFF_MULTICAST)))
		return EADDRNOTAVAIL;
	return send_by(inp, ifp, any);
}

/* IPv4 takes a byte or an int. */
static errno_t
read_small(struct sockopt *sopt, int *value)
{
	uint8_t byte;
	errno_t error;

	if (sopt->sopt_valsize >= sizeof *value || sopt->sopt_level == IPPROTO_IPV6)
		return sooptcopyin_int(sopt, value);
	error = sooptcopyin(sopt, &byte, sizeof byte, sizeof byte);
	*value = byte;
	return error;
}

static errno_t
set_hops(struct inpcb *inp, struct sockopt *sopt)
{
	struct in_moptions *mo;
	errno_t error;
	int value;

	error = read_small(sopt, &value);
	if (error != 0)
		return error;
	if (value > 255 || value < (sopt->sopt_level == IPPROTO_IPV6 ? -1 : 0))
		return EINVAL;
	mo = in_moptions_get(inp);
	if (mo == NULL)
		return ENOBUFS;
	mo->hops = (int16_t)value;
	return 0;
}

static errno_t
set_loop(struct inpcb *inp, struct sockopt *sopt)
{
	struct in_moptions *mo;
	errno_t error;
	int value;

	error = read_small(sopt, &value);
	if (error != 0)
		return error;
	if (sopt->sopt_level == IPPROTO_IPV6 && value != 0 && value != 1)
		return EINVAL;
	mo = in_moptions_get(inp);
	if (mo == NULL)
		return ENOBUFS;
	mo->loop = value != 0;
	return 0;
}

/* ---- the options -------------------------------------------------------------------------- */

static errno_t
set_membership(struct inpcb *inp, struct sockopt *sopt)
{
	bool inet = sopt->sopt_level == IPPROTO_IP;
	struct target t = {.family = inet ? AF_INET : AF_INET6};
	int name = sopt->sopt_name;
	bool of_source = name != MCAST_JOIN_GROUP && name != MCAST_LEAVE_GROUP;
	errno_t error;

	if (name >= MCAST_JOIN_GROUP && name <= MCAST_UNBLOCK_SOURCE)
		error = read_group_req(inp, sopt, of_source, &t);
	else if (!inet)
		error = read_mreq6(inp, sopt, &t);
	else if (name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP)
		error = read_mreq(inp, sopt, &t);
	else
		error = read_mreq_source(inp, sopt, &t);
	if (error != 0)
		return error;
	switch (name) {
	case IP_ADD_MEMBERSHIP:		/* IPV6_JOIN_GROUP */
	case MCAST_JOIN_GROUP:
		return join_group(inp, &t, false);
	case IP_DROP_MEMBERSHIP:	/* IPV6_LEAVE_GROUP */
	case MCAST_LEAVE_GROUP:
		return leave_group(inp, &t, false);
	case IP_ADD_SOURCE_MEMBERSHIP:
	case MCAST_JOIN_SOURCE_GROUP:
		return join_group(inp, &t, true);
	case IP_DROP_SOURCE_MEMBERSHIP:
	case MCAST_LEAVE_SOURCE_GROUP:
		return leave_group(inp, &t, true);
	default:
		return block_source(inp, &t, name == IP_BLOCK_SOURCE || name == MCAST_BLOCK_SOURCE);
	}
}
_Static_assert(IP_ADD_MEMBERSHIP == IPV6_JOIN_GROUP && IP_DROP_MEMBERSHIP == IPV6_LEAVE_GROUP &&
    IP_MULTICAST_IF == IPV6_MULTICAST_IF && IP_MULTICAST_TTL == IPV6_MULTICAST_HOPS &&
    IP_MULTICAST_LOOP == IPV6_MULTICAST_LOOP && IP_MSFILTER == IPV6_MSFILTER,
    "the two levels number these alike");

errno_t
in_mcast_setopt(struct inpcb *inp, struct sockopt *sopt)
{
	bool inet = sopt->sopt_level == IPPROTO_IP;
	struct target t = {.family = inet ? AF_INET : AF_INET6};

	switch (sopt->sopt_name) {
	case IP_MULTICAST_IF:
		return inet ? set_interface4(inp, sopt) : set_interface_index(inp, sopt);
	case IP_MULTICAST_TTL:
		return set_hops(inp, sopt);
	case IP_MULTICAST_LOOP:
		return set_loop(inp, sopt);
	case IP_MSFILTER:
		return set_filter(inp, sopt, &t);
	case IP_ADD_MEMBERSHIP:
	case IP_DROP_MEMBERSHIP:
	case MCAST_JOIN_GROUP:
	case MCAST_LEAVE_GROUP:
	case MCAST_JOIN_SOURCE_GROUP:
	case MCAST_LEAVE_SOURCE_GROUP:
	case MCAST_BLOCK_SOURCE:
	case MCAST_UNBLOCK_SOURCE:
		return set_membership(inp, sopt);
	case IP_MULTICAST_IFINDEX:
		return inet ? set_interface_index(inp, sopt) : ENOPROTOOPT;
	case IP_ADD_SOURCE_MEMBERSHIP:
	case IP_DROP_SOURCE_MEMBERSHIP:
	case IP_BLOCK_SOURCE:
	case IP_UNBLOCK_SOURCE:
		return inet ? set_membership(inp, sopt) : ENOPROTOOPT;
	default:
		return ENOPROTOOPT;
	}
}

static errno_t
get_interface4(const struct in_moptions *mo, struct sockopt *sopt)
{
	struct ip_mreqn mreqn = {0};
	struct ifaddr *ifa;

	if (mo != NULL && mo->ifp != NULL) {
		mreqn.imr_ifindex = (int)mo->ifp->index;
		mreqn.imr_address = mo->addr;
		ifa = ifaddr_first(mo->ifp, AF_INET);
		if (mo->addr.s_addr == INADDR_ANY && ifa != NULL)
			mreqn.imr_address =
			    ((const struct sockaddr_in *)(const void *)&ifa->addr)->sin_addr;
	}
	if (sopt->sopt_valsize >= sizeof mreqn)
		return sooptcopyout(sopt, &mreqn, sizeof mreqn);
	return sooptcopyout(sopt, &mreqn.imr_address, sizeof mreqn.imr_address);
}

static errno_t
write_small(struct sockopt *sopt, int value)
{
	uint8_t byte = (uint8_t)value;

	if (sopt->sopt_valsize >= sizeof value || sopt->sopt_level == IPPROTO_IPV6)
		return sooptcopyout_int(sopt, value);
	return sooptcopyout(sopt, &byte, sizeof byte);
}

errno_t
in_mcast_getopt(struct inpcb *inp, struct sockopt *sopt)
{
	const struct in_moptions *mo = inp->inp_moptions;
	bool inet = sopt->sopt_level == IPPROTO_IP;
	int index = mo != NULL && mo->ifp != NULL ? (int)mo->ifp->index : 0;

	switch (sopt->sopt_name) {
	case IP_MULTICAST_IF:
		return inet ? get_interface4(mo, sopt) : sooptcopyout_int(sopt, index);
	case IP_MULTICAST_IFINDEX:
		return inet ? sooptcopyout_int(sopt, index) : ENOPROTOOPT;
	case IP_MULTICAST_TTL:
		return write_small(sopt, mo != NULL && mo->hops >= 0 ? mo->hops :
		    IP_DEFAULT_MULTICAST_TTL);
	case IP_MULTICAST_LOOP:
		return write_small(sopt, mo != NULL ? mo->loop : IP_DEFAULT_MULTICAST_LOOP);
	case IP_MSFILTER:
		return get_filter(inp, sopt);
	default:
		return ENOPROTOOPT;
	}
}
