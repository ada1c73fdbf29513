/*
 * Options of a socket that become part of every IPv6 packet it sends (RFC 3542 sections 6 to 11): source
 * address and interface, extension headers. The same headers may come as ancillary data of one datagram
 * (in_cmsg.c), which asks here whether they hold together.
 *
 * Limits: a header has at most IPV6_MAXOPTHDR bytes. Hop-by-hop and destination options need privilege.
 * Left out: routing headers of type 0, which nobody accepts any more (RFC 5095).
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/netinet/in_pcb.h"

void
in6_pktopts_free(struct nke *machine, struct in6_pktopts *o)
{
	kfree(machine, o->hop);
	kfree(machine, o->dst1);
	kfree(machine, o->routing);
	kfree(machine, o->dst2);
	if (o->ifp != NULL)
		ifnet_drop(o->ifp);
	kfree(machine, o);
}

/* Do the options of a hop-by-hop or destination header end where it ends? */
static bool
options_good(const uint8_t *h, size_t len)
{
	size_t at = 2;

	while (at < len) {
		if (h[at] == IP6OPT_PAD1)
			at++;
		else if (at + 1 < len)
			at += 2u + h[at + 1];
		else
			return false;
	}
	return at == len;
}

errno_t
in6_pktopts_check(const struct inpcb *inp, int option, const uint8_t *h, size_t len)
{
	if (len < 8 || len % 8 != 0 || len > IPV6_MAXOPTHDR || ((size_t)h[1] + 1) * 8 != len)
		return EINVAL;
	if (option == IPV6_RTHDR)
		return h[2] == IPV6_RTHDR_TYPE_0 ? EINVAL : 0;
	if (!inp_privileged(inp->inp_socket))
		return EPERM;
	return options_good(h, len) ? 0 : EINVAL;
}

static uint8_t **
slot(struct in6_pktopts *o, int option)
{
	switch (option) {
	case IPV6_HOPOPTS:
		return &o->hop;
	case IPV6_RTHDRDSTOPTS:
		return &o->dst1;
	case IPV6_RTHDR:
		return &o->routing;
	case IPV6_DSTOPTS:
		return &o->dst2;
	default:
		return NULL;
	}
}

static struct in6_pktopts *
options_of(struct inpcb *inp)
{
	if (inp->inp_options6 == NULL)
		inp->inp_options6 = kalloc(inp->inp_info->machine, sizeof *inp->inp_options6);
	return inp->inp_options6;
}

static errno_t
set_header(struct inpcb *inp, struct sockopt *sopt, uint8_t **where)
{
	struct nke *machine = inp->inp_info->machine;
	size_t len = sopt->sopt_val != NULL ? sopt->sopt_valsize : 0;
	uint8_t *copy = NULL;
	errno_t error;

	if (len > IPV6_MAXOPTHDR)
		return EINVAL;
	if (len != 0) {
		copy = kalloc(machine, len);
		if (copy == NULL)
			return ENOBUFS;
		error = sooptcopyin(sopt, copy, len, len);
		if (error == 0)
			error = in6_pktopts_check(inp, sopt->sopt_name, copy, len);
		if (error != 0) {
			kfree(machine, copy);
			return error;
		}
	}
	kfree(machine, *where);
	*where = copy;
	return 0;
}

static errno_t
set_pktinfo(struct inpcb *inp, struct sockopt *sopt, struct in6_pktopts *o)
{
	struct nke *machine = inp->inp_info->machine;
	struct in6_pktinfo info;
	struct ifnet *ifp;
	errno_t error;

	error = sooptcopyin(sopt, &info, sizeof info, sizeof info);
	if (error != 0)
		return error;
	error = in_option_interface(machine, info.ipi6_ifindex, &ifp);
	if (error != 0)
		return error;
	if (!IN6_IS_ADDR_UNSPECIFIED(&info.ipi6_addr) &&
	    !in_pcb_ours(machine, INP_IPV6, &info.ipi6_addr, info.ipi6_ifindex))
		return EADDRNOTAVAIL;
	if (ifp != NULL)
		ifnet_retain(ifp);
	if (o->ifp != NULL)
		ifnet_drop(o->ifp);
	o->ifp = ifp;
	o->source = info.ipi6_addr;
	return 0;
}

errno_t
in6_pktopts_set(struct inpcb *inp, struct sockopt *sopt)
{
	struct in6_pktopts none = {0}, *o;

	if (sopt->sopt_name != IPV6_PKTINFO && slot(&none, sopt->sopt_name) == NULL)
		return ENOPROTOOPT;
	o = options_of(inp);
	if (o == NULL)
		return ENOBUFS;
	if (sopt->sopt_name == IPV6_PKTINFO)
		return set_pktinfo(inp, sopt, o);
	return set_header(inp, sopt, slot(o, sopt->sopt_name));
}

errno_t
in6_pktopts_get(const struct inpcb *inp, struct sockopt *sopt)
{
	struct in6_pktopts none = {0}, *o = inp->inp_options6 != NULL ? inp->inp_options6 : &none;
	struct in6_pktinfo info;
	uint8_t **where;

	if (sopt->sopt_name == IPV6_PKTINFO) {
		info.ipi6_addr = o->source;
		info.ipi6_ifindex = o->ifp != NULL ? o->ifp->index : 0;
		return sooptcopyout(sopt, &info, sizeof info);
	}
	where = slot(o, sopt->sopt_name);
	if (where == NULL)
		return ENOPROTOOPT;
	if (*where == NULL)
		return sooptcopyout(sopt, "", 0);
	return sooptcopyout(sopt, *where, ((size_t)(*where)[1] + 1) * 8);
}
