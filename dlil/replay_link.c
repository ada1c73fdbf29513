/*
 * Link types of captures: how long their header is, which way a frame went, whom it came from, and
 * how to make a header for a packet that has none.
 *
 * Direction: by the host's link address on Ethernet, by the packet type on cooked captures, by the
 * host's IP addresses where the link has no addresses.
 */
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#include "dlil/replay_impl.h"
#include "src/net/ifaddr.h"

#define REPLAY_LEARN_MAX	64u	/* addresses taken from the capture */
#define SLL_OUTGOING		4	/* packet type of cooked headers: sent by us */

uint8_t
replay_link_length(enum core_link link)
{
	switch (link) {
	case CORE_LINK_ETHERNET:
		return ETHER_HDR_LEN;
	case CORE_LINK_NULL:
	case CORE_LINK_LOOP:
		return 4;
	case CORE_LINK_SLL:
		return 16;
	case CORE_LINK_SLL2:
		return 20;
	case CORE_LINK_RAW:
		break;
	}
	return 0;
}

static uint16_t
be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static protocol_family_t
family_of_ethertype(uint16_t type)
{
	return type == ETHERTYPE_IP ? PF_INET : type == ETHERTYPE_IPV6 ? PF_INET6 : 0;
}

/* Source (or destination) address of an IP packet; NULL when it is not all there. */
static const uint8_t *
ip_address(const uint8_t *net, uint32_t len, protocol_family_t family, bool source)
{
	if (family == PF_INET && len >= 20)
		return net + (source ? 12 : 16);
	if (family == PF_INET6 && len >= 40)
		return net + (source ? 8 : 24);
	return NULL;
}

static protocol_family_t
family_of_version(const uint8_t *net, uint32_t len)
{
	if (len == 0)
		return 0;
	return net[0] >> 4 == 4 ? PF_INET : net[0] >> 4 == 6 ? PF_INET6 : 0;
}

static bool
is_ours(struct nke *m, protocol_family_t family, const uint8_t *addr)
{
	uint32_t v4;

	if (family == PF_INET6)
		return ifaddr_find_in6(m, addr) != NULL;
	memcpy(&v4, addr, sizeof v4);
	return ifaddr_find_in4(m, v4) != NULL;
}

/* Captures without link addresses: by packet type, or by the source's being ours. */
static void
classify_other(struct replay *r, const uint8_t *frame, uint32_t caplen, struct replay_class *c)
{
	const uint8_t *net = frame + r->link_len, *source;
	uint32_t len = caplen - r->link_len;

	c->family = family_of_version(net, len);
	switch (r->config.link) {
	case CORE_LINK_SLL:
		c->family = family_of_ethertype(be16(frame + 14));
		c->outbound = be16(frame) == SLL_OUTGOING;
		break;
	case CORE_LINK_SLL2:
		c->family = family_of_ethertype(be16(frame));
		c->outbound = frame[10] == SLL_OUTGOING;
		break;
	default:
		source = ip_address(net, len, c->family, true);
		c->outbound = source != NULL && is_ours(r->machine, c->family, source);
		break;
	}
}

struct replay_class
replay_classify(struct replay *r, const uint8_t *frame, uint32_t caplen)
{
	struct replay_class c;

	if (r->config.link != CORE_LINK_ETHERNET) {
		classify_other(r, frame, caplen, &c);
		return c;
	}
	c.family = family_of_ethertype(be16(frame + 12));
	c.outbound = replay_lladdr_key(frame + 6) == r->host_key;
	return c;
}

/* ---- learning ----------------------------------------------------------------------------- */

static struct replay_peer *
peer_of(const struct replay *r, protocol_family_t family, const uint8_t *addr)
{
	uint64_t a, b = 0;
	uint32_t v4;

	if (family == PF_INET) {
		memcpy(&v4, addr, sizeof v4);
		a = v4;
	} else {
		memcpy(&a, addr, sizeof a);
		memcpy(&b, addr + 8, sizeof b);
	}
	return &r->peers[((a ^ b * 31) * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (REPLAY_PEERS - 1)];
}

static inline bool
peer_is(const struct replay_peer *p, protocol_family_t family, const uint8_t *addr)
{
	return p->family == family && (family == PF_INET ? memcmp(p->addr, addr, 4) == 0 :
	    memcmp(p->addr, addr, 16) == 0);
}

static bool
can_be_source(protocol_family_t family, const uint8_t *addr)
{
	static const uint8_t zero[16];

	if (family == PF_INET)
		return addr[0] != 0 && addr[0] != 127 && addr[0] < 224;
	return addr[0] != 0xff && (memcmp(addr, zero, 8) != 0 || memcmp(addr + 8, zero, 7) != 0);
}

static void
learn_peer(struct replay *r, protocol_family_t family, const uint8_t *addr, const uint8_t *lladdr)
{
	struct replay_peer *p = peer_of(r, family, addr);
	size_t len = family == PF_INET ? 4 : 16;
	struct sockaddr_storage ss;

	p->family = (uint8_t)family;
	memcpy(p->addr, addr, len);
	memcpy(p->lladdr, lladdr, 6);
	memset(&ss, 0, sizeof ss);
	if (family == PF_INET) {
		struct sockaddr_in *sin = (struct sockaddr_in *)(void *)&ss;

		sin->sin_len = sizeof *sin;
		sin->sin_family = AF_INET;
		memcpy(&sin->sin_addr, addr, 4);
	} else {
		struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)(void *)&ss;

		sin6->sin6_len = sizeof *sin6;
		sin6->sin6_family = AF_INET6;
		memcpy(&sin6->sin6_addr, addr, 16);
	}
	/* A table without room costs an injected packet its link address, nothing else. */
	(void)neighbor_learn(r->machine, r->ifp, (const struct sockaddr *)(const void *)&ss, lladdr);
}

static void
learn_own_address(struct replay *r, protocol_family_t family, const uint8_t *addr)
{
	size_t len = family == PF_INET ? 4 : 16;

	if (r->last_family == family && (family == PF_INET ? memcmp(r->last_source, addr, 4) == 0 :
	    memcmp(r->last_source, addr, 16) == 0))
		return;
	r->last_family = (uint8_t)family;
	memcpy(r->last_source, addr, len);
	if (r->learned >= REPLAY_LEARN_MAX || !can_be_source(family, addr) ||
	    is_ours(r->machine, family, addr))
		return;
	if (replay_add_address_here(r->machine, (int)family, addr, family == PF_INET ? 24 : 64) == 0)
		r->learned++;
}

void
replay_learn_own(struct replay *r, const uint8_t *frame, uint32_t caplen,
    struct replay_class c)
{
	const uint8_t *addr = ip_address(frame + r->link_len, caplen - r->link_len, c.family, true);

	if (addr != NULL)
		learn_own_address(r, c.family, addr);
}

/* Links without addresses, or with addresses that mean little here: a header like the last one. */
static void
learn_header(struct replay *r, const uint8_t *frame, struct replay_class c)
{
	struct replay_header *h = &r->headers[c.family == PF_INET6][c.outbound];

	if (c.family == 0)
		return;
	memcpy(h->link, frame, r->link_len);
	h->known = true;
}

/*
 * The first station heard of stands for every address that is not seen behind another one: mostly there
 * is only the gateway.
 */
void
replay_learn_peer(struct replay *r, const uint8_t *frame, uint32_t caplen, struct replay_class c)
{
	const uint8_t *lladdr = c.outbound ? frame : frame + 6, *addr;
	const struct replay_peer *p;

	if (r->config.link != CORE_LINK_ETHERNET) {
		learn_header(r, frame, c);
		return;
	}
	if (replay_lladdr_key(lladdr) == r->gateway_key || (lladdr[0] & 1))
		return;
	addr = ip_address(frame + r->link_len, caplen - r->link_len, c.family, !c.outbound);
	if (addr == NULL || !can_be_source(c.family, addr))
		return;
	if (r->gateway_key == 0) {
		memcpy(r->gateway, lladdr, 6);
		r->gateway_key = replay_lladdr_key(lladdr);
		neighbor_set_default(r->machine, r->ifp, lladdr);
		return;
	}
	p = peer_of(r, c.family, addr);
	if (!peer_is(p, c.family, addr) || memcmp(p->lladdr, lladdr, 6) != 0)
		learn_peer(r, c.family, addr, lladdr);
}

/* ---- headers for new packets -------------------------------------------------------------- */

/* The link address of an IP multicast or broadcast address (RFC 1112 6.4, RFC 2464 7); false: unicast. */
static bool
group_lladdr(struct replay *r, protocol_family_t family, const uint8_t *addr, uint8_t *lladdr)
{
	uint32_t v4;

	if (family == PF_INET6) {
		if (addr[0] != 0xff)
			return false;
		lladdr[0] = lladdr[1] = 0x33;
		memcpy(lladdr + 2, addr + 12, 4);
		return true;
	}
	memcpy(&v4, addr, sizeof v4);
	if (v4 == INADDR_BROADCAST || ifaddr_find_broadcast4(r->machine, r->ifp, v4) != NULL) {
		memset(lladdr, 0xff, 6);
		return true;
	}
	if (addr[0] < 224 || addr[0] >= 240)
		return false;
	lladdr[0] = 0x01;
	lladdr[1] = 0x00;
	lladdr[2] = 0x5e;
	lladdr[3] = addr[1] & 0x7f;
	memcpy(lladdr + 4, addr + 2, 2);
	return true;
}

static void
make_ethernet(struct replay *r, const uint8_t *net, uint32_t len, protocol_family_t family,
    bool outbound, uint8_t *link)
{
	const uint8_t *other = ip_address(net, len, family, !outbound);
	const uint8_t *dst = ip_address(net, len, family, false);
	const uint8_t *peer = r->gateway;

	if (other != NULL) {
		const struct replay_peer *p = peer_of(r, family, other);

		if (peer_is(p, family, other))
			peer = p->lladdr;
	}
	if (dst == NULL || !group_lladdr(r, family, dst, link))
		memcpy(link, outbound ? peer : r->config.lladdr, 6);
	memcpy(link + 6, outbound ? r->config.lladdr : peer, 6);
	link[12] = family == PF_INET ? 0x08 : 0x86;
	link[13] = family == PF_INET ? 0x00 : 0xdd;
}

/* The family of a loopback header as the capturing system had it: its byte order at least is known. */
static void
set_loopback_family(const struct replay *r, protocol_family_t family, uint8_t *link)
{
	const struct replay_header *other = &r->headers[family != PF_INET6][0];
	bool big = r->config.link == CORE_LINK_LOOP;
	uint8_t af = (uint8_t)family;

	if (!other->known)
		other = &r->headers[family != PF_INET6][1];
	if (other->known && other->link[0] == 0)
		big = true;
	memset(link, 0, 4);
	link[big ? 3 : 0] = af;
}

static void
set_cooked(const struct replay *r, protocol_family_t family, bool outbound, uint8_t *link)
{
	uint16_t type = family == PF_INET ? ETHERTYPE_IP : ETHERTYPE_IPV6;
	bool v2 = r->config.link == CORE_LINK_SLL2;

	link[v2 ? 0 : 14] = (uint8_t)(type >> 8);
	link[v2 ? 1 : 15] = (uint8_t)type;
	link[v2 ? 9 : 3] = 1;		/* ARPHRD_ETHER */
	link[v2 ? 10 : 1] = outbound ? SLL_OUTGOING : 0;
}

/* Like a header of the same family and direction; failing that, of the other direction. */
static void
make_other(const struct replay *r, protocol_family_t family, bool outbound, uint8_t *link)
{
	bool cooked = r->config.link == CORE_LINK_SLL || r->config.link == CORE_LINK_SLL2;
	const struct replay_header *h = r->headers[family == PF_INET6];

	if (h[outbound].known)
		memcpy(link, h[outbound].link, r->link_len);
	else if (h[!outbound].known && !cooked)
		memcpy(link, h[!outbound].link, r->link_len);
	else if (cooked)
		set_cooked(r, family, outbound, link);
	else if (r->link_len != 0)
		set_loopback_family(r, family, link);
}

void
replay_make_link(struct replay *r, const struct mbuf *m, bool outbound, uint8_t *link)
{
	const uint8_t *net = mtod(m, const uint8_t *);
	uint32_t len = (uint32_t)m->m_len;
	protocol_family_t family = family_of_version(net, len);

	memset(link, 0, REPLAY_LINK_MAX);
	if (r->config.link == CORE_LINK_ETHERNET)
		make_ethernet(r, net, len, family, outbound, link);
	else
		make_other(r, family, outbound, link);
}

/* ifnet_framer_func of links that are not Ethernet: what the stack sends gets a header here. */
errno_t
replay_framer(struct ifnet *ifp, struct mbuf **m, const struct sockaddr *dst, const char *lladdr,
    const char *frame_type)
{
	struct replay *r = ifnet_softc(ifp);
	uint8_t link[REPLAY_LINK_MAX];

	(void)dst;
	(void)lladdr;
	(void)frame_type;
	if (r->link_len == 0)
		return 0;
	replay_make_link(r, *m, true, link);
	*m = m_prepend(*m, r->link_len, MBUF_DONTWAIT);
	if (*m == NULL) {
		r->stats.no_memory++;
		return EJUSTRETURN;
	}
	memcpy((*m)->m_data, link, r->link_len);
	return 0;
}
