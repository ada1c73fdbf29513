/*
 * Address conflict detection for IPv4 (RFC 5227): an address that is added is asked for and announced; as
 * long as it is there, others that use it are noticed.
 *
 * How much of that is done is net.link.ether.inet.acd. As a Mac's kernel does, an address is normally used
 * at once, so it is asked for and announced at once and announced again (ARP_ACD_ASK). With ARP_ACD_PROBE it
 * is tentative, and neither used nor answered for, until three questions have had no answer (section 2.1).
 *
 * Conflicts are posted as KEV_INET_ARPCOLLISION. A tentative address becomes a duplicate and stays unused.
 * One that is in use is kept and defended by an announcement every DEFEND_INTERVAL at most (section 2.4 (c)),
 * so that two stations that both do so cannot flood the link; in between nothing is said.
 *
 * State: a record per address (struct arp_address); one callout. Limit: the addresses there are.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/kern/klog.h"
#include "src/kern/prng.h"
#include "src/netinet/arp.h"

/* RFC 5227 section 1.1, in ns. */
#define SECOND			UINT64_C(1000000000)
#define PROBE_WAIT		(1 * SECOND)
#define PROBE_MIN		(1 * SECOND)
#define PROBE_MAX		(2 * SECOND)
#define PROBE_NUM		3u
#define ANNOUNCE_WAIT		(2 * SECOND)
#define ANNOUNCE_INTERVAL	(2 * SECOND)
#define ANNOUNCE_NUM		2u
#define DEFEND_INTERVAL		(10 * SECOND)

static struct arp_address *
record_of(const struct ifaddr *ifa)
{
	struct arp_address *a;

	TAILQ_FOREACH(a, &ifa->ifp->machine->arp->addresses, link)
		if (a->ifa == ifa)
			return a;
	return NULL;
}

static struct arp_address *
record_at(const struct ifnet *ifp, struct in_addr in)
{
	const struct ifaddr *ifa = ifaddr_find_in4(ifp->machine, in.s_addr);

	return ifa != NULL && ifa->ifp == ifp ? record_of(ifa) : NULL;
}

/* ---- time --------------------------------------------------------------------------------- */

static uint64_t
random_between(struct nke *m, uint64_t least, uint64_t most)
{
	return least + (prng_u32(m) * ((most - least) / 1000) >> 32) * 1000;
}

static void
arm(struct arp_state *s, uint64_t due)
{
	if (due < s->armed)
		s->armed = callout_reset(&s->timer, due) == 0 ? due : UINT64_MAX;
}

static void
set_due(struct nke *m, struct arp_address *a, uint64_t wait)
{
	a->due = machine_now(m) + wait;
	arm(m->arp, a->due);
}

/* ---- probing and announcing --------------------------------------------------------------- */

/*
 * It is ours now. What is told, and what is sent below, may run kexts, which may remove the address: the
 * record is not touched any more behind it.
 */
static void
settle(struct arp_address *a)
{
	a->settled = true;
	ifaddr_set_flags(a->ifa, 0, IN6_IFF_TENTATIVE);
}

static void
probe(struct ifaddr *ifa)
{
	arp_send(ifa->ifp, ARPOP_REQUEST, (struct in_addr){INADDR_ANY}, arp_address_of(ifa), NULL, NULL);
}

/* RFC 5227 2.3: a request in which the address is both sender and target. */
static void
announce(struct ifaddr *ifa)
{
	struct in_addr in = arp_address_of(ifa);

	if (ifa->attached)
		arp_send(ifa->ifp, ARPOP_REQUEST, in, in, NULL, NULL);
}

/* Something is due. */
static void
step(struct nke *m, struct arp_address *a)
{
	struct ifaddr *ifa = a->ifa;

	a->due = UINT64_MAX;
	ifaddr_retain(ifa);
	if (a->probes != 0) {
		if (--a->probes != 0)
			set_due(m, a, random_between(m, PROBE_MIN, PROBE_MAX));
		else if (a->announces != 0)
			set_due(m, a, a->settled ? 0 : ANNOUNCE_WAIT);
		probe(ifa);
	} else if (a->announces != 0) {
		if (--a->announces != 0)
			set_due(m, a, ANNOUNCE_INTERVAL);
		if (!a->settled)
			settle(a);
		announce(ifa);
	}
	ifaddr_drop(ifa);
}

static void
timer(void *arg)
{
	struct nke *m = arg;
	struct arp_state *s = m->arp;
	uint64_t now = machine_now(m), next = UINT64_MAX;
	struct arp_address *a;

	s->armed = 0;			/* nobody else arms it meanwhile */
again:
	next = UINT64_MAX;
	TAILQ_FOREACH(a, &s->addresses, link) {
		if (a->due <= now) {
			step(m, a);
			goto again;
		}
		if (a->due < next)
			next = a->due;
	}
	s->armed = UINT64_MAX;
	arm(s, next);
}

/* At once: asked for, so that who has it says so, and announced. */
static void
start_using(struct nke *m, struct arp_address *a)
{
	struct ifaddr *ifa = a->ifa;
	bool ask = m->arp->acd != ARP_ACD_OFF;

	a->probes = 0;
	a->announces = ask ? ANNOUNCE_NUM - 1 : 0;
	if (ask)
		set_due(m, a, ANNOUNCE_INTERVAL);
	ifaddr_retain(ifa);
	settle(a);
	if (ask)
		probe(ifa);
	announce(ifa);
	ifaddr_drop(ifa);
}

static void
start(struct nke *m, struct arp_address *a)
{
	a->due = UINT64_MAX;
	if (m->arp->acd != ARP_ACD_PROBE) {
		start_using(m, a);
		return;
	}
	a->settled = false;
	a->probes = PROBE_NUM;
	a->announces = ANNOUNCE_NUM;
	set_due(m, a, random_between(m, 0, PROBE_WAIT));
	ifaddr_set_flags(a->ifa, IN6_IFF_TENTATIVE, 0);
}

void
arp_acd_restart(struct ifnet *ifp)
{
	struct nke *m = ifp->machine;
	struct arp_address *a;

	/* An announcement may run kexts that remove addresses, so it is left to the timer. */
	TAILQ_FOREACH(a, &m->arp->addresses, link) {
		if (a->ifa->ifp != ifp || (a->ifa->ia6_flags & IN6_IFF_DUPLICATED))
			continue;
		a->probes = !a->settled ? PROBE_NUM : m->arp->acd != ARP_ACD_OFF;
		a->announces = m->arp->acd != ARP_ACD_OFF ? ANNOUNCE_NUM : 1;
		set_due(m, a, 0);
	}
}

/* ---- addresses come and go ---------------------------------------------------------------- */

static void
forget(struct nke *m, struct arp_address *a)
{
	TAILQ_REMOVE(&m->arp->addresses, a, link);
	ifaddr_drop(a->ifa);
	kfree(m, a);
}

/* What was a neighbour cannot be one any more: it is our own, or everybody's. */
static void
forget_neighbors(struct ifaddr *ifa)
{
	(void)neighbor_delete(ifa->ifp, (const struct sockaddr *)(void *)&ifa->addr);
	if (ifa->dst.ss_len != 0 && (ifa->ifp->flags & IFF_BROADCAST))
		(void)neighbor_delete(ifa->ifp, (const struct sockaddr *)(void *)&ifa->dst);
}

void
arp_acd_address_changed(struct ifaddr *ifa, bool added)
{
	struct nke *m = ifa->ifp->machine;
	struct arp_address *a = record_of(ifa);

	if (a != NULL)
		forget(m, a);
	if (!added || !ifa->attached || m->replay != NULL || !arp_capable(ifa->ifp))
		return;
	forget_neighbors(ifa);
	a = kalloc(m, sizeof *a);
	if (a == NULL) {
		/* It works without: nobody is told, and conflicts go unnoticed. */
		m->arp->stat.reqnobufs++;
		return;
	}
	a->ifa = ifa;
	ifaddr_retain(ifa);
	TAILQ_INSERT_TAIL(&m->arp->addresses, a, link);
	start(m, a);
}

/* ---- conflicts ---------------------------------------------------------------------------- */

static void
tell(struct ifnet *ifp, struct in_addr in, const uint8_t lladdr[6])
{
	const uint8_t *ip = (const uint8_t *)&in;
	struct {
		struct in_addr ia_ipaddr;
		u_char hw_len, hw_addr[ETHER_ADDR_LEN];
	} __attribute__((packed)) data = {.ia_ipaddr = in, .hw_len = ETHER_ADDR_LEN};
	char who[18];

	memcpy(data.hw_addr, lladdr, sizeof data.hw_addr);
	arp_format(who, lladdr);
	klog(ifp->machine, 3, "%s: duplicate IP address %u.%u.%u.%u sent from address %s", ifp->xname, ip[0],
	    ip[1], ip[2], ip[3], who);
	dlil_post_event(ifp, KEV_INET_SUBCLASS, KEV_INET_ARPCOLLISION, &data, sizeof data, false);
}

static void
conflict(struct arp_address *a, const uint8_t lladdr[6])
{
	struct ifnet *ifp = a->ifa->ifp;
	struct in_addr in = arp_address_of(a->ifa);
	struct arp_state *s = ifp->machine->arp;
	uint64_t now = machine_now(ifp->machine);

	s->stat.dupips++;
	if (!a->settled) {
		a->probes = a->announces = 0;
		a->due = UINT64_MAX;
		ifaddr_set_flags(a->ifa, IN6_IFF_DUPLICATED, IN6_IFF_TENTATIVE);
		tell(ifp, in, lladdr);
		return;
	}
	if (a->defended != 0 && now - a->defended < DEFEND_INTERVAL)
		return;
	a->defended = now != 0 ? now : 1;
	s->stat.txconflicts++;
	arp_send(ifp, ARPOP_REQUEST, in, in, NULL, NULL);
	tell(ifp, in, lladdr);
}

bool
arp_acd_input(struct ifnet *ifp, const struct ether_arp *ea)
{
	struct in_addr sender = arp_in_addr(ea->arp_spa);
	bool probing = sender.s_addr == INADDR_ANY && ea->arp_op == htons(ARPOP_REQUEST);
	struct arp_address *a = record_at(ifp, probing ? arp_in_addr(ea->arp_tpa) : sender);

	if (a == NULL || (a->ifa->ia6_flags & IN6_IFF_DUPLICATED))
		return false;
	/* A probe for an address of ours that is settled is answered like any request. */
	if (probing && a->settled)
		return false;
	conflict(a, ea->arp_sha);
	return true;
}

/* ---- the link ----------------------------------------------------------------------------- */

static errno_t
hear_link(void *arg, const struct kern_event_msg *msg)
{
	struct nke *m = arg;
	const struct net_event_data *data = (const void *)msg->event_data;
	struct ifnet *ifp;

	if ((msg->event_code != KEV_DL_LINK_ON && msg->event_code != KEV_DL_LINK_ADDRESS_CHANGED) ||
	    msg->total_size < KEV_MSG_HEADER_SIZE + sizeof *data)
		return 0;
	TAILQ_FOREACH(ifp, dlil_interfaces(m), link)
		if (ifp->unit == data->if_unit && strncmp(ifp->name, data->if_name, IFNAMSIZ) == 0)
			arp_acd_restart(ifp);
	return 0;
}

/* ---- life --------------------------------------------------------------------------------- */

void
arp_acd_init(struct nke *m)
{
	struct arp_state *s = m->arp;

	TAILQ_INIT(&s->addresses);
	callout_init(&s->timer, m, timer, m);
	s->armed = UINT64_MAX;
	s->listener = (struct kev_listener){
		.filter = {KEV_VENDOR_APPLE, KEV_NETWORK_CLASS, KEV_DL_SUBCLASS},
		.event = hear_link, .arg = m,
	};
	kev_listen(m, &s->listener);
}

void
arp_acd_stop(struct nke *m)
{
	struct arp_state *s = m->arp;
	struct arp_address *a;

	kev_unlisten(m, &s->listener);
	callout_drain(&s->timer);
	while ((a = TAILQ_FIRST(&s->addresses)) != NULL)
		forget(m, a);
}
