/*
 * Links on which packets travel without addresses: captures without a link header or with one that
 * only says the family (its length is ifnet.hdrlen; nobody looks into it), and tunnels. The
 * protocol is known by the packet's version. The protocol attachment here serves lo0 and the
 * tunnels too.
 */
#include <net/if_types.h>

#include "dlil/dlil_state.h"
#include "dlil/raw.h"

errno_t
raw_demux(struct ifnet *ifp, struct mbuf *m, char *frame, protocol_family_t *family)
{
	(void)ifp;
	(void)frame;
	return raw_demux_packet(m, family);
}

static errno_t
raw_add_proto(struct ifnet *ifp, protocol_family_t family, const struct ifnet_demux_desc *descs,
    u_int32_t count)
{
	(void)ifp;
	(void)descs;
	(void)count;
	return family == PF_INET || family == PF_INET6 ? 0 : EPROTONOSUPPORT;
}

static errno_t
raw_del_proto(struct ifnet *ifp, protocol_family_t family)
{
	(void)ifp;
	(void)family;
	return 0;
}

void
raw_media(struct ifnet_init_params *p)
{
	p->family = IFNET_FAMILY_UTUN;
	p->type = IFT_OTHER;
	p->demux = raw_demux;
	p->add_proto = raw_add_proto;
	p->del_proto = raw_del_proto;
	p->framer = NULL;
	p->check_multi = NULL;
	p->broadcast_addr = NULL;
	p->broadcast_len = 0;
}

/* ---- IPv4 and IPv6 on such links ---------------------------------------------------------- */

static errno_t
raw_input(struct ifnet *ifp, protocol_family_t family, struct mbuf *list)
{
	const struct net_proto *np = dlil_net_proto(ifp->machine, family);

	if (np == NULL)
		return EPROTONOSUPPORT;
	np->input(ifp->machine, list);
	return 0;
}

/* The frame type is the family, for media that write it in front of the packet. */
static errno_t
raw_pre_output(struct ifnet *ifp, protocol_family_t family, struct mbuf **m,
    const struct sockaddr *dst, void *route, char *frame_type, char *lladdr)
{
	(void)ifp;
	(void)m;
	(void)dst;
	(void)route;
	(void)lladdr;
	*(protocol_family_t *)(void *)frame_type = family;
	return 0;
}

errno_t
raw_plumb(struct ifnet *ifp, protocol_family_t family)
{
	struct if_proto params = {
		.v2 = true,
		.core = true,
		.input_v2 = raw_input,
		.pre_output = raw_pre_output,
	};

	return dlil_attach_proto(ifp, family, &params, NULL, 0);
}

static void
raw_unplumb(struct ifnet *ifp, protocol_family_t family)
{
	(void)dlil_detach_proto(ifp, family);
}

errno_t
raw_register_plumbers(struct nke *m)
{
	static const struct {
		ifnet_family_t if_family;
		protocol_family_t family;
	} pairs[] = {
		{IFNET_FAMILY_LOOPBACK, PF_INET}, {IFNET_FAMILY_LOOPBACK, PF_INET6},
		{IFNET_FAMILY_GIF, PF_INET}, {IFNET_FAMILY_GIF, PF_INET6},
		{IFNET_FAMILY_UTUN, PF_INET}, {IFNET_FAMILY_UTUN, PF_INET6},
		{IFNET_FAMILY_IPSEC, PF_INET}, {IFNET_FAMILY_IPSEC, PF_INET6},
		{IFNET_FAMILY_STF, PF_INET6}, {IFNET_FAMILY_6LOWPAN, PF_INET6},
	};
	errno_t error = 0;

	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0] && error == 0; i++)
		error = dlil_register_plumber(m, pairs[i].family, pairs[i].if_family, raw_plumb,
		    raw_unplumb, NULL, NULL);
	return error;
}
