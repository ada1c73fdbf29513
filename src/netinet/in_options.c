/*
 * Socket options of level IPPROTO_IP: what every protocol over IPv4 has. Called through pr_ctloutput of
 * UDP, raw IP and TCP. Those about multicast are in in_mcast_options.c.
 *
 * Left out: IP_RECVRETOPTS, source routes in IP_OPTIONS (RFC 7126 4.3, 4.4: networks drop them), IPsec,
 * firewall and multicast routing numbers: ENOPROTOOPT.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/netinet/in_pcb.h"
#include "src/netinet/ip_state.h"

struct flag_option {
	int name;
	uint32_t flag;
};

static const struct flag_option flag_options[] = {
	{IP_RECVOPTS, INP_RECVOPTS},
	{IP_RECVDSTADDR, INP_RECVDSTADDR},
	{IP_RECVIF, INP_RECVIF},
	{IP_RECVTTL, INP_RECVTTL},
	{IP_RECVTOS, INP_RECVTOS},
	{IP_RECVPKTINFO, INP_RECVPKTINFO},
	{IP_DONTFRAG, INP_DONTFRAG},
	{IP_HDRINCL, INP_HDRINCL},
	{IP_STRIPHDR, INP_STRIPHDR}
};

/* 0: no such option, or not for this type of socket. */
static uint32_t
flag_of(const struct socket *so, int name)
{
	if ((name == IP_HDRINCL && so->so_type != SOCK_RAW) ||
	    (name == IP_STRIPHDR && so->so_type == SOCK_STREAM))
		return 0;
	for (unsigned i = 0; i < sizeof flag_options / sizeof flag_options[0]; i++)
		if (flag_options[i].name == name)
			return flag_options[i].flag;
	return 0;
}

static errno_t
set_options(struct inpcb *inp, struct sockopt *sopt)
{
	struct nke *machine = inp->inp_info->machine;
	size_t len = sopt->sopt_val != NULL ? sopt->sopt_valsize : 0;
	uint8_t *copy = NULL;
	errno_t error;

	if (len > MAX_IPOPTLEN || len % 4 != 0)
		return EINVAL;
	if (len != 0) {
		copy = kalloc(machine, len);
		if (copy == NULL)
			return ENOBUFS;
		error = sooptcopyin(sopt, copy, len, len);
		if (error == 0 && ip_options_check(copy, len) != IP_OPTIONS_GOOD)
			error = EINVAL;
		if (error != 0) {
			kfree(machine, copy);
			return error;
		}
	}
	kfree(machine, inp->inp_options);
	inp->inp_options = copy;
	inp->inp_options_len = (uint16_t)len;
	return 0;
}

/* IP_BOUND_IF, IPV6_BOUND_IF. */
static errno_t
bind_interface(struct inpcb *inp, int index)
{
	struct ifnet *ifp;
	errno_t error;

	error = in_option_interface(inp->inp_info->machine, (uint32_t)index, &ifp);
	if (error != 0)
		return error;
	if (ifp != NULL)
		ifnet_retain(ifp);
	if (inp->inp_boundif != NULL)
		ifnet_drop(inp->inp_boundif);
	inp->inp_boundif = ifp;
	in_pcbsource_forget(inp);
	route_clear(&inp->inp_route);
	return 0;
}

static errno_t
set_portrange(struct inpcb *inp, int value)
{
	if (value < IP_PORTRANGE_DEFAULT || value > IP_PORTRANGE_LOW)
		return EINVAL;
	inp->inp_flags &= ~(uint32_t)(INP_HIGHPORT | INP_LOWPORT);
	if (value == IP_PORTRANGE_HIGH)
		inp->inp_flags |= INP_HIGHPORT;
	if (value == IP_PORTRANGE_LOW)
		inp->inp_flags |= INP_LOWPORT;
	return 0;
}

static int
get_portrange(const struct inpcb *inp)
{
	return inp->inp_flags & INP_HIGHPORT ? IP_PORTRANGE_HIGH :
	    inp->inp_flags & INP_LOWPORT ? IP_PORTRANGE_LOW : IP_PORTRANGE_DEFAULT;
}

errno_t
in_setopt_common(struct inpcb *inp, enum in_common_option option, int value)
{
	return option == IN_OPTION_PORTRANGE ? set_portrange(inp, value) : bind_interface(inp, value);
}

int
in_getopt_common(const struct inpcb *inp, enum in_common_option option)
{
	if (option == IN_OPTION_PORTRANGE)
		return get_portrange(inp);
	return inp->inp_boundif != NULL ? (int)inp->inp_boundif->index : 0;
}

static errno_t
set_number(struct inpcb *inp, struct sockopt *sopt)
{
	uint32_t flag = flag_of(inp->inp_socket, sopt->sopt_name);
	errno_t error;
	int value;

	error = sooptcopyin_int(sopt, &value);
	if (error != 0)
		return error;
	if (flag != 0) {
		inp->inp_flags = value != 0 ? inp->inp_flags | flag : inp->inp_flags & ~flag;
		return 0;
	}
	switch (sopt->sopt_name) {
	case IP_TOS:
		if (value < 0 || value > UINT8_MAX)
			return EINVAL;
		inp->inp_tos = (uint8_t)value;
		return 0;
	case IP_TTL:
		if (value < 1 || value > MAXTTL)
			return EINVAL;
		inp->inp_ttl = (uint8_t)value;
		return 0;
	case IP_PORTRANGE:
		return set_portrange(inp, value);
	case IP_BOUND_IF:
		return bind_interface(inp, value);
	default:
		return ENOPROTOOPT;
	}
}

static errno_t
setopt(struct inpcb *inp, struct sockopt *sopt)
{
	switch (sopt->sopt_name) {
	case IP_OPTIONS:
	case IP_RETOPTS:
		return set_options(inp, sopt);
	case IP_TOS:
	case IP_TTL:
	case IP_PORTRANGE:
	case IP_BOUND_IF:
		return set_number(inp, sopt);
	default:
		if (flag_of(inp->inp_socket, sopt->sopt_name) != 0)
			return set_number(inp, sopt);
		return in_mcast_setopt(inp, sopt);
	}
}

static errno_t
getopt(struct inpcb *inp, struct sockopt *sopt)
{
	uint32_t flag = flag_of(inp->inp_socket, sopt->sopt_name);

	if (flag != 0)
		return sooptcopyout_int(sopt, (inp->inp_flags & flag) != 0);
	switch (sopt->sopt_name) {
	case IP_OPTIONS:
	case IP_RETOPTS:
		return sooptcopyout(sopt, inp->inp_options != NULL ? (const void *)inp->inp_options : "",
		    inp->inp_options_len);
	case IP_TOS:
		return sooptcopyout_int(sopt, inp->inp_tos);
	case IP_TTL:
		return sooptcopyout_int(sopt, inp->inp_ttl);
	case IP_PORTRANGE:
		return sooptcopyout_int(sopt, get_portrange(inp));
	case IP_BOUND_IF:
		return sooptcopyout_int(sopt, in_getopt_common(inp, IN_OPTION_BOUND_IF));
	default:
		return in_mcast_getopt(inp, sopt);
	}
}

errno_t
ip_ctloutput(struct socket *so, struct sockopt *sopt)
{
	struct inpcb *inp = sotoinpcb(so);

	if (inp == NULL || sopt->sopt_level != IPPROTO_IP || so->so_family != PF_INET)
		return EINVAL;
	return sopt->sopt_dir == SOPT_SET ? setopt(inp, sopt) : getopt(inp, sopt);
}

errno_t
in_ctloutput(struct socket *so, struct sockopt *sopt)
{
	return so->so_family == PF_INET ? ip_ctloutput(so, sopt) : ip6_ctloutput(so, sopt);
}
