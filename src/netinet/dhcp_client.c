/*
 * A DHCP client: an address for an interface and a default gateway, for as long as a server lends them
 * (RFC 2131). Started and stopped by the host (corecalls.h).
 *
 * State: one struct dhcp_client per interface, in the states of RFC 2131 figure 5; one callout.
 * Way in: a listener of the interface's packet filter, as an interface without an address has no IP. What
 * comes for our port is kept, one message at a time, and looked at in a soft interrupt. While there is an
 * address, a socket without a reader holds the port, so that IP does not call it unreachable.
 * Way out: frames to everybody, made here; to the server we have the address from, by IP.
 * Timers: questions are repeated after 4, 8, 16, 32, 64 s, each a second more or less (4.1); renewing begins
 * at T1, by any server at T2, repeated after half of what is left, at least 60 s (4.4.5).
 * Conflicts: ARP (arp_acd.c) asks for an address as it is added; if somebody has it, it is declined,
 * and asking begins anew after 10 s (3.1, 5). A link that comes back has the address confirmed (3.2).
 * Limits: messages longer than 1,472 bytes and those behind one that has not been looked at are
 * dropped; offers after the first are not compared. Left out: DHCPINFORM, leases kept over restarts.
 */
#include <net/ethernet.h>
#include <net/net_kev.h>
#include <netinet/in_var.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/kern/kern_event.h"
#include "src/kern/klog.h"
#include "src/kern/prng.h"
#include "src/kern/socketvar.h"
#include "src/net/bpf_private.h"
#include "src/net/ifaddr.h"
#include "src/net/rtable.h"
#include "src/netinet/dhcp.h"
#include "src/netinet/ip_private.h"

#define SECOND		UINT64_C(1000000000)
#define FIRST_WAIT	4u		/* seconds, RFC 2131 4.1 */
#define LAST_WAIT	64u
#define REQUESTS	4u		/* for an offer, before it is given up */
#define RENEW_LEAST	60u		/* seconds between questions, 4.4.5 */
#define DECLINE_WAIT	10u		/* seconds, 3.1 5. */
#define LEASE_LEAST	30u		/* seconds: shorter leases are taken for that long */
#define HEADERS		(ETHER_HDR_LEN + 28u)

enum dhcp_state { SELECTING, REQUESTING, REBOOTING, BOUND, RENEWING, REBINDING, WAITING };

struct dhcp_client {
	LIST_ENTRY(dhcp_client) link;
	struct nke *machine;
	struct ifnet *ifp;		/* referenced */
	struct core_dhcp_config config;
	char hostname[64];
	enum dhcp_state state;
	uint32_t xid;
	uint64_t begun;			/* uptime ns: of this attempt */
	unsigned tries;
	struct dhcp_said offer;		/* what is being asked for, or what we have */
	bool has_address;		/* it is on the interface */
	uint64_t since;			/* uptime ns: when the server was asked for what we have */
	uint64_t asked;			/* uptime ns of the first question of this attempt */
	struct callout timer;
	struct softintr intr;
	struct kev_listener listener;
	uint32_t bpf;
	struct socket *port;		/* NULL: none */
	size_t message_len;		/* 0: none waits */
	uint8_t message[DHCP_MAX];
};

struct dhcp_clients {
	LIST_HEAD(, dhcp_client) list;
};

/* ---- out ---------------------------------------------------------------------------------- */

static void
fill_headers(uint8_t *ip_at, size_t payload, struct in_addr src, struct in_addr dst)
{
	struct ip ip = {.ip_v = IPVERSION, .ip_hl = 5, .ip_ttl = 64, .ip_p = IPPROTO_UDP,
	    .ip_len = htons((uint16_t)(28 + payload)), .ip_src = src, .ip_dst = dst};
	struct udphdr uh = {.uh_sport = htons(IPPORT_BOOTPC), .uh_dport = htons(IPPORT_BOOTPS),
	    .uh_ulen = htons((uint16_t)(8 + payload))};

	ip.ip_sum = in_cksum_buf(&ip, sizeof ip);
	memcpy(ip_at, &ip, sizeof ip);
	memcpy(ip_at + sizeof ip, &uh, sizeof uh);
}

static void
sum_datagram(struct mbuf *m, size_t off, size_t payload, struct in_addr src, struct in_addr dst)
{
	size_t len = 8 + payload;
	uint16_t sum = (uint16_t)~in_cksum_sum(m, off + 20, len, in_pseudo(src, dst, IPPROTO_UDP,
	    (uint32_t)len));

	sum = sum != 0 ? sum : 0xffff;
	(void)m_copyback(m, off + 20 + offsetof(struct udphdr, uh_sum), sizeof sum, &sum, MBUF_DONTWAIT);
}

/* `to` 0: to everybody on the link, from the address that is in ciaddr. */
static void
send_message(struct dhcp_client *c, const struct dhcp_ask *ask, struct in_addr to)
{
	bool broadcast = to.s_addr == INADDR_ANY;
	struct in_addr dst = {broadcast ? INADDR_BROADCAST : to.s_addr};
	struct ip_sender sender = {.bound = c->ifp};
	uint8_t frame[HEADERS + DHCP_MIN + 128] = {0};
	size_t payload = dhcp_build(frame + HEADERS, ask);
	struct mbuf *m;

	memset(frame, 0xff, ETHER_ADDR_LEN);
	memcpy(frame + ETHER_ADDR_LEN, ask->lladdr, ETHER_ADDR_LEN);
	frame[12] = ETHERTYPE_IP >> 8;
	frame[13] = ETHERTYPE_IP & 0xff;
	fill_headers(frame + ETHER_HDR_LEN, payload, ask->ciaddr, dst);
	m = m_devget(c->machine, frame, HEADERS + payload, 2);
	if (m == NULL)
		return;			/* it is repeated */
	sum_datagram(m, ETHER_HDR_LEN, payload, ask->ciaddr, dst);
	if (broadcast) {
		m->m_flags |= MBUF_BCAST;
		(void)dlil_output(c->ifp, PF_INET, m, NULL, NULL, true);
	} else {
		m_adj(m, ETHER_HDR_LEN);
		(void)ip_send(c->machine, m, &sender);
	}
}

static void
ask(struct dhcp_client *c, enum dhcp_type type)
{
	uint64_t secs = (machine_now(c->machine) - c->begun) / SECOND;
	struct dhcp_ask a = {.type = type, .xid = c->xid, .secs = (uint16_t)(secs < 0xffff ? secs : 0xffff),
	    .lladdr = c->ifp->lladdr, .hostname = c->hostname};
	struct in_addr to = {INADDR_ANY};

	switch (c->state) {
	case RENEWING:
		to = c->offer.server;
		/* FALLTHROUGH */
	case REBINDING:
		a.ciaddr = c->offer.address;
		break;
	case REQUESTING:
		a.server = c->offer.server;
		/* FALLTHROUGH */
	case REBOOTING:
		a.requested = c->offer.address;
		/* FALLTHROUGH */
	default:
		a.broadcast = true;
		break;
	}
	if (type == DHCPDISCOVER)
		a.requested = c->offer.address;	/* the one that we had, if any */
	send_message(c, &a, to);
}

/* To the server, that the address is not used (any more): DECLINE to everybody, RELEASE by IP. */
static void
give_up_address(struct dhcp_client *c, enum dhcp_type type)
{
	struct dhcp_ask a = {.type = type, .xid = prng_u32(c->machine), .server = c->offer.server,
	    .lladdr = c->ifp->lladdr};
	struct in_addr to = {INADDR_ANY};

	if (type == DHCPRELEASE) {
		a.ciaddr = c->offer.address;
		to = c->offer.server;
	} else {
		a.requested = c->offer.address;
	}
	send_message(c, &a, to);
}

/* ---- what we have ------------------------------------------------------------------------- */

static void
tell(struct dhcp_client *c, enum core_dhcp_event event)
{
	struct core_dhcp_lease lease;

	if (c->config.event == NULL)
		return;
	dhcp_describe(c, &lease);
	c->config.event(c->config.ctx, event, &lease);
}

void
dhcp_describe(const struct dhcp_client *c, struct core_dhcp_lease *l)
{
	const struct dhcp_said *o = &c->offer;

	memset(l, 0, sizeof *l);
	l->bound = c->has_address;
	memcpy(l->address, &o->address, 4);
	memcpy(l->server, &o->server, 4);
	memcpy(l->router, &o->router, 4);
	for (uint32_t mask = ntohl(o->mask.s_addr); mask & 0x80000000u; mask <<= 1)
		l->prefix++;
	memcpy(l->dns, o->dns, sizeof l->dns);
	l->dns_count = o->dns_count;
	memcpy(l->domain, o->domain, sizeof l->domain);
	l->lease = o->lease;
	l->t1 = o->t1;
	l->t2 = o->t2;
	l->since_ns = c->since;
}

static struct sockaddr_in
sin_of(struct in_addr in)
{
	return (struct sockaddr_in){.sin_len = sizeof(struct sockaddr_in), .sin_family = AF_INET,
	    .sin_addr = in};
}

static const struct sockaddr *
generic(const struct sockaddr_in *sin)
{
	return (const struct sockaddr *)(const void *)sin;
}

static void
remove_address(struct dhcp_client *c)
{
	struct sockaddr_in sin = sin_of(c->offer.address);

	if (!c->has_address)
		return;
	c->has_address = false;
	(void)ifaddr_remove(c->ifp, generic(&sin));
	if (c->port != NULL)
		(void)soclose(c->port);
	c->port = NULL;
}

/* So that IP does not answer a server that its port is unreachable: what comes there is thrown away. */
static void
hold_port(struct dhcp_client *c)
{
	struct sockaddr_in sin = sin_of(c->offer.address);

	sin.sin_port = htons(IPPORT_BOOTPC);
	if (socreate(c->machine, PF_INET, SOCK_DGRAM, 0, &c->port) != 0) {
		c->port = NULL;
		return;
	}
	(void)sobind(c->port, generic(&sin));
	(void)soshutdown(c->port, SHUT_RD);
}

/* The gateway is set only where no other default route is: one set by hand stays. */
static errno_t
add_address(struct dhcp_client *c)
{
	struct sockaddr_in sin = sin_of(c->offer.address), mask = sin_of(c->offer.mask), any, router;
	struct rt_request r = {.dst = generic(&any), .gateway = generic(&router), .ifp = c->ifp};
	errno_t error;

	c->has_address = true;		/* before anybody hears of it: a conflict is ours */
	error = ifaddr_add(c->ifp, generic(&sin), generic(&mask), NULL);
	if (error != 0) {
		c->has_address = false;
		klog(c->machine, 4, "%s: DHCP: address not added: error %d", c->ifp->xname, error);
		return error;
	}
	hold_port(c);
	any = sin_of((struct in_addr){INADDR_ANY});
	router = sin_of(c->offer.router);
	if (c->offer.router.s_addr != INADDR_ANY && (error = rt_add(c->machine, &r, NULL)) != 0 &&
	    error != EEXIST)
		klog(c->machine, 4, "%s: DHCP: gateway not added: error %d", c->ifp->xname, error);
	return 0;
}

/* ---- time --------------------------------------------------------------------------------- */

static void
wait_until(struct dhcp_client *c, uint64_t deadline)
{
	/* Without memory for that the client would be stuck: it has had room since it was started. */
	(void)callout_reset(&c->timer, deadline);
}

static void
wait_seconds(struct dhcp_client *c, uint64_t seconds)
{
	wait_until(c, machine_now(c->machine) + seconds * SECOND);
}

/* RFC 2131 4.1: 4, 8, 16 ... s, each a second more or less. */
static void
wait_for_answer(struct dhcp_client *c)
{
	unsigned seconds = FIRST_WAIT << c->tries;
	uint64_t jitter = (uint64_t)prng_u32(c->machine) * (2 * SECOND) >> 32;

	seconds = c->tries > 4 || seconds > LAST_WAIT ? LAST_WAIT : seconds;
	c->tries++;
	wait_until(c, machine_now(c->machine) + (seconds - 1) * SECOND + jitter);
}

static uint64_t
moment(const struct dhcp_client *c, uint32_t seconds)
{
	return seconds == DHCP_FOREVER ? UINT64_MAX : c->since + seconds * SECOND;
}

/* ---- states ------------------------------------------------------------------------------- */

static void
enter(struct dhcp_client *c, enum dhcp_state state)
{
	c->state = state;
	c->tries = 0;
	if (state != REQUESTING || c->xid == 0) {
		c->xid = prng_u32(c->machine);
		c->begun = machine_now(c->machine);
	}
	c->asked = machine_now(c->machine);
}

static void
discover(struct dhcp_client *c)
{
	enter(c, SELECTING);
	ask(c, DHCPDISCOVER);
	wait_for_answer(c);
}

/* The address is gone: expired, refused, or the link is another one. */
static void
lose(struct dhcp_client *c)
{
	if (!c->has_address)
		return;
	remove_address(c);
	tell(c, CORE_DHCP_LOST);
}

/* Half of what is left until `then`, at least a minute, but not behind it. */
static void
wait_half(struct dhcp_client *c, uint64_t then)
{
	uint64_t now = machine_now(c->machine), wait;

	wait = then > now ? (then - now) / 2 : 0;
	wait = wait > RENEW_LEAST * SECOND ? wait : RENEW_LEAST * SECOND;
	wait_until(c, now + wait < then ? now + wait : then);
}

/* Renewing, then rebinding, then it is over (4.4.5). */
static void
keep(struct dhcp_client *c)
{
	uint64_t now = machine_now(c->machine), t2 = moment(c, c->offer.t2), end = moment(c, c->offer.lease);
	struct in_addr none = {INADDR_ANY};

	if (now >= end) {
		lose(c);
		c->offer.server = none;
		discover(c);
		return;
	}
	if (now >= t2 && c->state != REBINDING)
		enter(c, REBINDING);
	else if (c->state == BOUND)
		enter(c, RENEWING);
	ask(c, DHCPREQUEST);
	wait_half(c, c->state == RENEWING ? t2 : end);
}

static void
timeout(void *arg)
{
	struct dhcp_client *c = arg;

	if (c->ifp->state != IFNET_ATTACHED)
		return;
	switch (c->state) {
	case SELECTING:
		ask(c, DHCPDISCOVER);
		wait_for_answer(c);
		break;
	case REQUESTING:
	case REBOOTING:
		if (c->tries >= REQUESTS) {
			/* Nobody knows it: as long as the lease lasts it may be used (3.2 3.) */
			if (c->state == REBOOTING && machine_now(c->machine) < moment(c, c->offer.lease)) {
				c->state = BOUND;
				keep(c);
			} else {
				lose(c);
				discover(c);
			}
			break;
		}
		ask(c, DHCPREQUEST);
		wait_for_answer(c);
		break;
	case WAITING:
		discover(c);
		break;
	default:
		keep(c);
		break;
	}
}

/* ---- answers ------------------------------------------------------------------------------ */

static bool
usable(struct in_addr in)
{
	uint32_t a = ntohl(in.s_addr);

	return a != INADDR_ANY && a != INADDR_BROADCAST && !IN_MULTICAST(a) && (a >> 24) != IN_LOOPBACKNET;
}

static void
take_offer(struct dhcp_client *c, const struct dhcp_said *said)
{
	if (c->state != SELECTING || !usable(said->address) || said->server.s_addr == INADDR_ANY)
		return;
	c->offer = *said;
	enter(c, REQUESTING);
	ask(c, DHCPREQUEST);
	wait_for_answer(c);
}

/* What was left out, or makes no sense, is made up for (4.4.5). */
static void
complete(struct dhcp_said *s)
{
	uint32_t a = ntohl(s->address.s_addr);

	if (s->lease < LEASE_LEAST)
		s->lease = LEASE_LEAST;
	if (s->t2 == 0 || s->t2 > s->lease)
		s->t2 = s->lease == DHCP_FOREVER ? DHCP_FOREVER : (uint32_t)((uint64_t)s->lease * 7 / 8);
	if (s->t1 == 0 || s->t1 > s->t2)
		s->t1 = s->lease == DHCP_FOREVER ? DHCP_FOREVER : s->lease / 2;
	if (s->t1 > s->t2)
		s->t1 = s->t2;
	if (s->mask.s_addr == INADDR_ANY)
		s->mask.s_addr = htonl(IN_CLASSA(a) ? IN_CLASSA_NET : IN_CLASSB(a) ? IN_CLASSB_NET :
		    IN_CLASSC_NET);
}

static void
take_ack(struct dhcp_client *c, const struct dhcp_said *said)
{
	bool same = c->has_address && said->address.s_addr == c->offer.address.s_addr;

	if (c->state == SELECTING || c->state == BOUND || c->state == WAITING || !usable(said->address))
		return;
	if (!same)
		lose(c);
	c->offer = *said;
	complete(&c->offer);
	c->since = c->asked;
	c->state = BOUND;
	if (!same && add_address(c) != 0) {
		c->state = WAITING;
		wait_seconds(c, DECLINE_WAIT);
		return;
	}
	if (c->state != BOUND)
		return;			/* a conflict was found meanwhile */
	if (c->offer.t1 == DHCP_FOREVER)
		(void)callout_stop(&c->timer);
	else
		wait_until(c, moment(c, c->offer.t1));
	tell(c, same ? CORE_DHCP_RENEWED : CORE_DHCP_BOUND);
}

static void
take_nak(struct dhcp_client *c)
{
	if (c->state == SELECTING || c->state == BOUND || c->state == WAITING)
		return;
	lose(c);
	c->offer = (struct dhcp_said){.type = DHCP_NONE};
	discover(c);
}

static void
look_at_message(void *arg)
{
	struct dhcp_client *c = arg;
	struct dhcp_said said;
	bool good = dhcp_parse(c->message, c->message_len, c->xid, c->ifp->lladdr, &said);

	c->message_len = 0;
	if (!good || c->ifp->state != IFNET_ATTACHED)
		return;
	if (said.type == DHCPOFFER)
		take_offer(c, &said);
	else if (said.type == DHCPACK)
		take_ack(c, &said);
	else if (said.type == DHCPNAK)
		take_nak(c);
}

/* A frame of the interface. Unfragmented UDP to our port is kept for later. */
static void
see_frame(void *ctx, const struct bpf_packet *p)
{
	struct dhcp_client *c = ctx;
	uint8_t h[ETHER_HDR_LEN + 20], u[8];
	size_t hlen, payload;

	if (p->outbound || c->message_len != 0 || m_copydata(p->m, 0, sizeof h, h) != 0 ||
	    h[12] != ETHERTYPE_IP >> 8 || h[13] != (ETHERTYPE_IP & 0xff) || h[14 + 9] != IPPROTO_UDP ||
	    h[14] >> 4 != IPVERSION || (h[14 + 6] & 0x3f) != 0 || h[14 + 7] != 0)
		return;
	hlen = ETHER_HDR_LEN + (size_t)(h[14] & 15) * 4;
	if (hlen < sizeof h || m_copydata(p->m, hlen, sizeof u, u) != 0 || u[2] != 0 || u[3] != IPPORT_BOOTPC)
		return;
	payload = (size_t)(u[4] << 8 | u[5]);
	if (payload < 8 + DHCP_FIXED || payload - 8 > sizeof c->message)
		return;
	payload -= 8;
	if (m_copydata(p->m, hlen + 8, payload, c->message) != 0)
		return;
	c->message_len = payload;
	softintr_schedule(&c->intr);
}

/* ---- events ------------------------------------------------------------------------------- */

static void
conflict(struct dhcp_client *c)
{
	klog(c->machine, 4, "%s: DHCP: somebody else has the address: declined", c->ifp->xname);
	remove_address(c);
	give_up_address(c, DHCPDECLINE);
	tell(c, CORE_DHCP_CONFLICT);
	c->offer = (struct dhcp_said){.type = DHCP_NONE};
	c->state = WAITING;
	wait_seconds(c, DECLINE_WAIT);
}

static void
link_came(struct dhcp_client *c)
{
	if (c->has_address) {
		enter(c, REBOOTING);
		ask(c, DHCPREQUEST);
		wait_for_answer(c);
	} else if (c->state != WAITING) {
		discover(c);
	}
}

static bool
is_ours(const struct dhcp_client *c, const struct net_event_data *data)
{
	return data->if_unit == c->ifp->unit && strncmp(data->if_name, c->ifp->name,
	    sizeof data->if_name) == 0;
}

static errno_t
hear_event(void *arg, const struct kern_event_msg *msg)
{
	struct dhcp_client *c = arg;
	struct kev_in_collision collision;
	struct net_event_data data;
	size_t len = msg->total_size - offsetof(struct kern_event_msg, event_data);

	if (len < sizeof data)
		return 0;
	memcpy(&data, msg->event_data, sizeof data);
	if (!is_ours(c, &data))
		return 0;
	if (msg->kev_subclass == KEV_DL_SUBCLASS && msg->event_code == KEV_DL_LINK_ON)
		link_came(c);
	if (msg->kev_subclass != KEV_INET_SUBCLASS || msg->event_code != KEV_INET_ARPCOLLISION ||
	    len < sizeof collision)
		return 0;
	memcpy(&collision, msg->event_data, sizeof collision);
	if (c->has_address && collision.ia_ipaddr.s_addr == c->offer.address.s_addr)
		conflict(c);
	return 0;
}

/* ---- life --------------------------------------------------------------------------------- */

static void
client_free(struct dhcp_client *c)
{
	LIST_REMOVE(c, link);
	kev_unlisten(c->machine, &c->listener);
	bpf_unlisten(c->machine, c->bpf);
	callout_drain(&c->timer);
	softintr_cancel(&c->intr);
	if (c->port != NULL)
		(void)soclose(c->port);
	ifnet_drop(c->ifp);
	kfree(c->machine, c);
}

static struct dhcp_client *
client_of(struct nke *m, const struct ifnet *ifp)
{
	struct dhcp_client *c;

	LIST_FOREACH(c, &m->dhcp->list, link)
		if (c->ifp == ifp)
			return c;
	return NULL;
}

static errno_t
start(struct nke *m, struct ifnet *ifp, const struct core_dhcp_config *config, struct dhcp_client **out)
{
	struct dhcp_client *c;
	errno_t error;

	if (ifp->state != IFNET_ATTACHED)
		return ENXIO;
	if (ifp->family != IFNET_FAMILY_ETHERNET || ifp->addrlen != ETHER_ADDR_LEN)
		return EOPNOTSUPP;
	if (client_of(m, ifp) != NULL)
		return EBUSY;
	c = kalloc(m, sizeof *c);
	if (c == NULL)
		return ENOMEM;
	c->machine = m;
	c->ifp = ifp;
	c->config = *config;
	if (config->hostname != NULL)
		strlcpy(c->hostname, config->hostname, sizeof c->hostname);
	error = bpf_listen(ifp, DLT_EN10MB, see_frame, c, &c->bpf);
	if (error != 0) {
		kfree(m, c);
		return error;
	}
	ifnet_retain(ifp);
	callout_init(&c->timer, m, timeout, c);
	softintr_init(&c->intr, m, look_at_message, c);
	c->listener = (struct kev_listener){.filter = {KEV_VENDOR_APPLE, KEV_NETWORK_CLASS, KEV_ANY_SUBCLASS},
	    .event = hear_event, .arg = c};
	kev_listen(m, &c->listener);
	LIST_INSERT_HEAD(&m->dhcp->list, c, link);
	discover(c);
	*out = c;
	return 0;
}

static void
stop(struct dhcp_client *c)
{
	if (c->has_address && c->ifp->state == IFNET_ATTACHED) {
		give_up_address(c, DHCPRELEASE);
		remove_address(c);
	}
	client_free(c);
}

/* ---- for the host ------------------------------------------------------------------------- */

struct dhcp_call {
	struct nke *machine;
	struct ifnet *ifp;
	const struct core_dhcp_config *config;
	struct dhcp_client *client;
	struct core_dhcp_lease *lease;
	errno_t error;
};

static void
do_start(void *arg)
{
	struct dhcp_call *c = arg;

	c->error = start(c->machine, c->ifp, c->config, &c->client);
}

int
iface_dhcp_start(struct nke *m, struct ifnet *ifp, const struct core_dhcp_config *config,
    struct dhcp_client **out)
{
	struct dhcp_call c = {.machine = m, .ifp = ifp, .config = config};
	int error = machine_call(m, do_start, &c);

	if (error == 0 && c.error == 0)
		*out = c.client;
	return error != 0 ? error : c.error;
}

static void
do_stop(void *arg)
{
	stop(((struct dhcp_call *)arg)->client);
}

int
iface_dhcp_stop(struct nke *m, struct dhcp_client *client)
{
	struct dhcp_call c = {.client = client};

	return machine_call(m, do_stop, &c);
}

static void
do_lease(void *arg)
{
	const struct dhcp_call *c = arg;

	dhcp_describe(c->client, c->lease);
}

int
iface_dhcp_lease(struct nke *m, struct dhcp_client *client, struct core_dhcp_lease *lease)
{
	struct dhcp_call c = {.client = client, .lease = lease};

	return machine_call(m, do_lease, &c);
}

/* ---- the subsystem ------------------------------------------------------------------------ */

static errno_t
dhcp_init(struct nke *m)
{
	m->dhcp = kalloc(m, sizeof *m->dhcp);
	if (m->dhcp == NULL)
		return ENOMEM;
	LIST_INIT(&m->dhcp->list);
	return 0;
}

/* The machine goes: nothing is said any more. */
static void
dhcp_quiesce(struct nke *m)
{
	while (!LIST_EMPTY(&m->dhcp->list))
		client_free(LIST_FIRST(&m->dhcp->list));
}

static void
dhcp_fini(struct nke *m)
{
	kfree(m, m->dhcp);
	m->dhcp = NULL;
}

const struct subsystem dhcp_subsystem = {"dhcp", dhcp_init, dhcp_quiesce, dhcp_fini};
