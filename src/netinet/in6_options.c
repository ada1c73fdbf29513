/*
 * Socket options of level IPPROTO_IPV6 (RFC 3493, RFC 3542): what every protocol over IPv6 has. Called
 * through pr_ctloutput. Those about multicast are in in_mcast_options.c, those that become extension
 * headers in in6_pktopts.c.
 *
 * The numbers of RFC 2292 switch the same things on, and the data come under those numbers then.
 *
 * Left out: IPV6_NEXTHOP, IPV6_PREFER_TEMPADDR, IPV6_PKTOPTIONS, IPsec and firewall: ENOPROTOOPT.
 */
#include <string.h>

#include "src/netinet/in_pcb.h"
#include "src/netinet/ip_state.h"

struct flag_option {
	int name;
	uint32_t flag;
	bool old;			/* RFC 2292's number */
};

static const struct flag_option flag_options[] = {
	{IPV6_RECVPKTINFO, INP_RECV6PKTINFO, false},
	{IPV6_RECVHOPLIMIT, INP_RECV6HOPLIMIT, false},
	{IPV6_RECVTCLASS, INP_RECV6TCLASS, false},
	{IPV6_RECVHOPOPTS, INP_RECV6HOPOPTS, false},
	{IPV6_RECVDSTOPTS, INP_RECV6DSTOPTS, false},
	{IPV6_RECVRTHDR, INP_RECV6RTHDR, false},
	{IPV6_RECVPATHMTU, INP_RECV6PATHMTU, false},
	{IPV6_2292PKTINFO, INP_RECV6PKTINFO, true},
	{IPV6_2292HOPLIMIT, INP_RECV6HOPLIMIT, true},
	{IPV6_2292HOPOPTS, INP_RECV6HOPOPTS, true},
	{IPV6_2292DSTOPTS, INP_RECV6DSTOPTS, true},
	{IPV6_2292RTHDR, INP_RECV6RTHDR, true},
	{IPV6_V6ONLY, INP_V6ONLY, false},
	{IPV6_DONTFRAG, INP_DONTFRAG, false},
	{IPV6_AUTOFLOWLABEL, INP_AUTOFLOWLABEL, false}
};

static const struct flag_option *
flag_of(int name)
{
	for (unsigned i = 0; i < sizeof flag_options / sizeof flag_options[0]; i++)
		if (flag_options[i].name == name)
			return &flag_options[i];
	return NULL;
}

static errno_t
set_flag(struct inpcb *inp, const struct flag_option *f, int value)
{
	/* Which packets it is for is settled by binding. */
	if (f->flag == INP_V6ONLY && (inp->inp_lport != 0 || inp->inp_fport != 0 ||
	    !IN6_IS_ADDR_UNSPECIFIED(&inp->inp_laddr6)))
		return EINVAL;
	if (value == 0) {
		inp->inp_flags &= ~f->flag;
		return 0;
	}
	inp->inp_flags |= f->flag;
	if (f->old)
		inp->inp_flags |= INP_2292;
	return 0;
}

static errno_t
set_min_mtu(struct inpcb *inp, int value)
{
	if (value < -1 || value > 1)
		return EINVAL;
	inp->inp_flags &= ~(uint32_t)(INP_MINMTU | INP_NOMINMTU);
	if (value == 1)
		inp->inp_flags |= INP_MINMTU;
	if (value == 0)
		inp->inp_flags |= INP_NOMINMTU;
	return 0;
}

static int
get_min_mtu(const struct inpcb *inp)
{
	return inp->inp_flags & INP_MINMTU ? 1 : inp->inp_flags & INP_NOMINMTU ? 0 : -1;
}

static errno_t
set_number(struct inpcb *inp, int name, int value)
{
	const struct flag_option *f = flag_of(name);

	if (f != NULL)
		return set_flag(inp, f, value);
	switch (name) {
	case IPV6_UNICAST_HOPS:
		if (value < -1 || value > UINT8_MAX)
			return EINVAL;
		inp->inp_hops = (int16_t)value;
		/* What a dual socket sends by IPv4 goes as far; 0 is what IPv4 never sends. */
		inp->inp_ttl = (uint8_t)(value > 0 ? value :
		    inp->inp_info->machine->ip->default_ttl);
		return 0;
	case IPV6_TCLASS:
		if (value < -1 || value > UINT8_MAX)
			return EINVAL;
		inp->inp_tclass = (uint8_t)(value < 0 ? 0 : value);
		return 0;
	case IPV6_USE_MIN_MTU:
		return set_min_mtu(inp, value);
	case IPV6_PORTRANGE:
		return in_setopt_common(inp, IN_OPTION_PORTRANGE, value);
	default:
		return in_setopt_common(inp, IN_OPTION_BOUND_IF, value);
	}
}

static bool
is_number(int name)
{
	return flag_of(name) != NULL || name == IPV6_UNICAST_HOPS || name == IPV6_TCLASS ||
	    name == IPV6_USE_MIN_MTU || name == IPV6_PORTRANGE || name == IPV6_BOUND_IF;
}

static errno_t
setopt(struct inpcb *inp, struct sockopt *sopt)
{
	errno_t error;
	int value;

	if (is_number(sopt->sopt_name)) {
		error = sooptcopyin_int(sopt, &value);
		return error != 0 ? error : set_number(inp, sopt->sopt_name, value);
	}
	error = in6_pktopts_set(inp, sopt);
	return error == ENOPROTOOPT ? in_mcast_setopt(inp, sopt) : error;
}

/* RFC 3542 section 11.4: what is known of the path to the peer. */
static errno_t
get_path_mtu(struct inpcb *inp, struct sockopt *sopt)
{
	struct ip6_mtuinfo info = {
		.ip6m_addr = {.sin6_len = sizeof info.ip6m_addr, .sin6_family = AF_INET6}
	};
	struct rtentry *rt;

	if (inp->inp_fport == 0)
		return ENOTCONN;
	if (inp->inp_vflag != INP_IPV6)
		return EINVAL;
	info.ip6m_addr.sin6_addr = inp->inp_faddr6;
	info.ip6m_addr.sin6_scope_id = inp->inp_fzone;
	rt = route_get(inp->inp_info->machine, &inp->inp_route,
	    (const struct sockaddr *)&info.ip6m_addr, inp->inp_boundif);
	if (rt == NULL)
		return EHOSTUNREACH;
	info.ip6m_mtu = rt_mtu(rt);
	return sooptcopyout(sopt, &info, sizeof info);
}

static errno_t
getopt(struct inpcb *inp, struct sockopt *sopt)
{
	const struct flag_option *f = flag_of(sopt->sopt_name);
	errno_t error;

	if (f != NULL)
		return sooptcopyout_int(sopt, (inp->inp_flags & f->flag) != 0);
	switch (sopt->sopt_name) {
	case IPV6_UNICAST_HOPS:
		return sooptcopyout_int(sopt, inp->inp_hops < 0 ? IPV6_DEFHLIM : inp->inp_hops);
	case IPV6_TCLASS:
		return sooptcopyout_int(sopt, inp->inp_tclass);
	case IPV6_USE_MIN_MTU:
		return sooptcopyout_int(sopt, get_min_mtu(inp));
	case IPV6_PORTRANGE:
		return sooptcopyout_int(sopt, in_getopt_common(inp, IN_OPTION_PORTRANGE));
	case IPV6_BOUND_IF:
		return sooptcopyout_int(sopt, in_getopt_common(inp, IN_OPTION_BOUND_IF));
	case IPV6_PATHMTU:
		return get_path_mtu(inp, sopt);
	default:
		error = in6_pktopts_get(inp, sopt);
		return error == ENOPROTOOPT ? in_mcast_getopt(inp, sopt) : error;
	}
}

errno_t
ip6_ctloutput(struct socket *so, struct sockopt *sopt)
{
	struct inpcb *inp = sotoinpcb(so);

	if (inp == NULL || sopt->sopt_level != IPPROTO_IPV6 || so->so_family != PF_INET6)
		return EINVAL;
	return sopt->sopt_dir == SOPT_SET ? setopt(inp, sopt) : getopt(inp, sopt);
}
