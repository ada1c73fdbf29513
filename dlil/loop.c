/*
 * lo0, the loopback interface: what goes out comes in again by the interface's input queue. A
 * packet in flight has a 4-byte header, its family in host byte order (DLT_NULL). Every machine has
 * it: up, index 1, MTU 16384, 127.0.0.1/8 and ::1.
 */
#include <net/bpf.h>
#include <net/if_types.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/sockio.h>

#include "dlil/dlil_state.h"
#include "src/net/bpf_private.h"
#include "src/net/ifaddr.h"

#define LOOP_MTU	16384u
#define LOOP_HDRLEN	4u

static errno_t
loop_demux(struct ifnet *ifp, struct mbuf *m, char *frame, protocol_family_t *family)
{
	(void)ifp;
	(void)m;
	if (frame == NULL)
		return EINVAL;
	memcpy(family, frame, sizeof *family);
	return *family != 0 ? 0 : ENOENT;
}

static errno_t
loop_framer(struct ifnet *ifp, struct mbuf **m, const struct sockaddr *dst, const char *dest,
    const char *frame_type)
{
	(void)ifp;
	(void)dst;
	(void)dest;
	*m = m_prepend(*m, LOOP_HDRLEN, MBUF_DONTWAIT);
	if (*m == NULL)
		return ENOBUFS;
	memcpy((*m)->m_data, frame_type, LOOP_HDRLEN);
	return 0;
}

static errno_t
loop_output(struct ifnet *ifp, struct mbuf *m)
{
	const uint32_t good = MBUF_CSUM_DID_IP | MBUF_CSUM_IP_GOOD | MBUF_CSUM_DID_DATA |
	    MBUF_CSUM_PSEUDO_HDR;

	if (m->m_len < (int32_t)LOOP_HDRLEN && (m = m_pullup(m, LOOP_HDRLEN)) == NULL)
		return ENOBUFS;
	if (ifp->bpf != NULL) {
		bpf_tap_out(ifp, DLT_NULL, m, NULL, 0);
		bpf_tap_in(ifp, DLT_NULL, m, NULL, 0);
	}
	ifp->stats.opackets++;
	ifp->stats.obytes += (uint32_t)m->m_pkthdr.len;
	m->m_pkthdr.header = m->m_data;
	if (m->m_pkthdr.rcvif == NULL)
		m->m_pkthdr.rcvif = ifp;
	/* Nothing can have happened to it: its checksums, even those not computed yet, are good. */
	m->m_pkthdr.csum_flags = good;
	m->m_pkthdr.csum_data = 0xffff;
	m->m_flags |= MBUF_LOOP;
	m_adj(m, LOOP_HDRLEN);
	return dlil_input(ifp, m, NULL);
}

static errno_t
loop_add_proto(struct ifnet *ifp, protocol_family_t family, const struct ifnet_demux_desc *descs,
    u_int32_t count)
{
	(void)ifp;
	(void)family;
	(void)descs;
	(void)count;
	return 0;
}

static errno_t
loop_del_proto(struct ifnet *ifp, protocol_family_t family)
{
	(void)ifp;
	(void)family;
	return 0;
}

/* Flags and multicast lists need nothing done. */
static errno_t
loop_ioctl(struct ifnet *ifp, unsigned long command, void *argument)
{
	(void)ifp;
	(void)argument;
	return command == SIOCSIFFLAGS || command == SIOCADDMULTI || command == SIOCDELMULTI ? 0 :
	    EOPNOTSUPP;
}

void
loop_media(struct ifnet_init_params *p)
{
	p->family = IFNET_FAMILY_LOOPBACK;
	p->type = IFT_LOOP;
	p->output = loop_output;
	p->demux = loop_demux;
	p->add_proto = loop_add_proto;
	p->del_proto = loop_del_proto;
	p->framer = loop_framer;
	p->ioctl = loop_ioctl;
}

static errno_t
add_loopback_addresses(struct ifnet *lo0)
{
	struct sockaddr_in sin = {
		.sin_len = sizeof sin, .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	}, mask = {
		.sin_len = sizeof mask, .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xff000000u),
	};
	struct sockaddr_in6 sin6 = {
		.sin6_len = sizeof sin6, .sin6_family = AF_INET6,
	};
	errno_t error;

	sin6.sin6_addr.s6_addr[15] = 1;
	error = ifaddr_add(lo0, (struct sockaddr *)(void *)&sin, (struct sockaddr *)(void *)&mask, NULL);
	if (error == 0)
		error = ifaddr_add(lo0, (struct sockaddr *)(void *)&sin6, NULL, NULL);
	return error;
}

errno_t
loop_attach(struct nke *m)
{
	struct ifnet_init_params params = {.name = "lo", .unit = 0};
	struct ifnet *lo0;
	errno_t error;

	loop_media(&params);
	error = dlil_allocate(m, &params, NULL, &lo0);
	if (error != 0)
		return error;
	lo0->mtu = LOOP_MTU;
	lo0->hdrlen = LOOP_HDRLEN;
	lo0->offload = IFNET_CSUM_IP | IFNET_CSUM_TCP | IFNET_CSUM_UDP | IFNET_CSUM_TCPIPV6 |
	    IFNET_CSUM_UDPIPV6 | IFNET_MULTIPAGES;
	error = dlil_attach(lo0, NULL);
	if (error != 0)
		return error;
	m->dlil->lo0 = lo0;
	route_set_loopback(m, lo0);
	error = bpf_attach(lo0, DLT_NULL, LOOP_HDRLEN, NULL, NULL);
	if (error != 0)
		return error;
	(void)dlil_set_flags(lo0, IFF_UP | IFF_LOOPBACK | IFF_RUNNING | IFF_MULTICAST,
	    IFF_UP | IFF_LOOPBACK | IFF_RUNNING | IFF_MULTICAST);
	return add_loopback_addresses(lo0);
}
