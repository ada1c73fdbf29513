/*
 * What live devices (TAP, libpcap; src/host/port.c) need of interfaces of the host, beside host_iface.c:
 * frames that come in together, with checksums that the sender left to the device, and a carrier.
 *
 * Frames that the host's kernel left unfinished are host_offload.c's.
 */
#include <net/ethernet.h>
#include <net/net_kev.h>

#include "dlil/dlil_state.h"
#include "dlil/wire.h"

/* ---- frames that came in together --------------------------------------------------------- */

#define UNSUMMED_UDP	6u		/* where the checksum is in a header of UDP, TCP */
#define UNSUMMED_TCP	16u

/* What a sender would have asked for who left out that checksum; 0: nothing of the kind. */
static uint32_t
unsummed_request(const struct core_input *in)
{
	const uint8_t *type = (const uint8_t *)in->frame + ETHER_ADDR_LEN * 2;
	bool v4, v6;

	if (in->len < ETHER_HDR_LEN)
		return 0;
	v4 = type[0] == ETHERTYPE_IP >> 8 && type[1] == (ETHERTYPE_IP & 0xff);
	v6 = type[0] == ETHERTYPE_IPV6 >> 8 && type[1] == (ETHERTYPE_IPV6 & 0xff);
	if (in->csum_offset == UNSUMMED_UDP)
		return v4 ? MBUF_CSUM_REQ_UDP : v6 ? MBUF_CSUM_REQ_UDPIPV6 : 0;
	if (in->csum_offset == UNSUMMED_TCP)
		return v4 ? MBUF_CSUM_REQ_TCP : v6 ? MBUF_CSUM_REQ_TCPIPV6 : 0;
	return 0;
}

/* RFC 1071: what is to be in the field, given the pseudo header's sum in it. */
static uint16_t
missing_sum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (; len > 1; len -= 2, p += 2)
		sum += (uint32_t)p[0] << 8 | p[1];
	if (len != 0)
		sum += (uint32_t)p[0] << 8;
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	sum = ~sum & 0xffff;
	/* For UDP 0 says that there is none; for others both are the same. */
	return htons((uint16_t)(sum != 0 ? sum : 0xffff));
}

/* The packet, still a whole frame, says what its sender left to the device. */
static void
take_unfinished(struct ifnet *ifp, struct mbuf *m, const struct core_input *in)
{
	size_t field = (size_t)in->csum_start + in->csum_offset;
	uint32_t request = unsummed_request(in);
	uint16_t sum;

	if ((in->flags & (CORE_LARGE4 | CORE_LARGE6)) && in->segsz != 0) {
		m->m_pkthdr.csum_flags |= in->flags & CORE_LARGE4 ? CSUM_TSO4 : CSUM_TSO6;
		m->m_pkthdr.tso_segsz = in->segsz;
	}
	if (!(in->flags & CORE_UNSUMMED) || in->csum_start < ifp->hdrlen || field + sizeof sum > in->len)
		return;
	if (request != 0) {
		m->m_pkthdr.csum_flags |= request;
		return;
	}
	/* Another protocol's: nobody here could complete it later. */
	sum = missing_sum((const uint8_t *)in->frame + in->csum_start, in->len - in->csum_start);
	(void)m_copyback(m, field, sizeof sum, &sum, MBUF_DONTWAIT);
}

struct input_call {
	struct ifnet *ifp;
	const struct core_input *frames;
	unsigned count, taken;
	errno_t error;
};

static void
do_input_many(void *arg)
{
	struct input_call *c = arg;
	struct ifnet *ifp = c->ifp;
	struct mbuf *head = NULL, **tail = &head, *m;

	if (ifp->state != IFNET_ATTACHED || ifp->softc == NULL) {
		c->error = ENXIO;
		return;
	}
	for (unsigned i = 0; i < c->count; i++) {
		const struct core_input *in = &c->frames[i];

		if (in->len < ifp->hdrlen) {
			ifp->stats.ierrors++;
			continue;
		}
		m = m_devget(ifp->machine, in->frame, in->len, (4 - ((size_t)ifp->hdrlen & 3)) & 3);
		if (m == NULL) {
			ifp->stats.iqdrops++;
			continue;
		}
		if (in->flags != 0)
			take_unfinished(ifp, m, in);
		*tail = m->m_pkthdr.csum_flags != 0 ? host_iface_arrived(ifp, m) :
		    host_iface_frame(ifp, m);
		if (*tail == NULL)
			continue;
		while (*tail != NULL)
			tail = &(*tail)->m_nextpkt;
		c->taken++;
	}
	if (head != NULL)
		c->error = dlil_input(ifp, head, NULL);
}

int
iface_input_many(struct nke *m, struct ifnet *ifp, const struct core_input *frames, unsigned count,
    unsigned *taken)
{
	struct input_call c = {.ifp = ifp, .frames = frames, .count = count};
	int error = machine_call(m, do_input_many, &c);

	if (taken != NULL)
		*taken = c.taken;
	return error != 0 ? error : c.error;
}

/* ---- the link ----------------------------------------------------------------------------- */

void
host_iface_carrier(struct ifnet *ifp, bool on)
{
	bool was = (ifp->flags & IFF_RUNNING) != 0;

	if (ifp->state != IFNET_ATTACHED || was == on)
		return;
	(void)dlil_set_flags(ifp, on ? IFF_RUNNING : 0, IFF_RUNNING);
	dlil_post_event(ifp, KEV_DL_SUBCLASS, on ? KEV_DL_LINK_ON : KEV_DL_LINK_OFF, NULL, 0, false);
}

struct carrier_call {
	struct ifnet *ifp;
	bool on;
	errno_t error;
};

static void
do_set_carrier(void *arg)
{
	struct carrier_call *c = arg;

	if (c->ifp->state != IFNET_ATTACHED)
		c->error = ENXIO;
	else
		host_iface_carrier(c->ifp, c->on);
}

int
iface_set_carrier(struct nke *m, struct ifnet *ifp, bool on)
{
	struct carrier_call c = {.ifp = ifp, .on = on};
	int error = machine_call(m, do_set_carrier, &c);

	return error != 0 ? error : c.error;
}
