/*
 * ARP: link addresses of IPv4 neighbours (RFC 826, RFC 1122 2.3.2). Conflicts about addresses (RFC 5227)
 * are in arp_acd.c, the table with its states and waiting packets in src/net/neighbor*.c.
 *
 * In:  ether_inet.c -> arp_input. Whoever speaks is updated if known; a request for one of our addresses
 *      makes an entry for who asks, a reply never does, so that nobody can fill the table with replies. What
 *      was heard is trusted for max_age seconds; then, when used, it is asked for at its own address before
 *      everybody is.
 * Out: neighbor_resolve -> solicit -> the IPv4 protocol's send_arp.
 * Limits: one request a second for an address and maxtries of them, then host_down_time of silence;
 *      NEIGHBOR_ASKED_MAX addresses at a time; maxhold packets wait for one, maxhold_total for all.
 * Left out: proxyall, trailers, RARP and InARP.
 */
#include <netinet/icmp_var.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/kern/klog.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_bounded.h"
#include "src/netinet/arp.h"
#include "src/netinet/ip_private.h"

#define SECOND		UINT64_C(1000000000)

/* ---- sending ------------------------------------------------------------------------------ */

bool
arp_capable(struct ifnet *ifp)
{
	const struct if_proto *p = dlil_find_proto(ifp, PF_INET);

	return p != NULL && p->send_arp != NULL && ifp->lladdr_len == ETHER_ADDR_LEN &&
	    !(ifp->flags & (IFF_NOARP | IFF_LOOPBACK));
}

static struct sockaddr_in
make_sin(struct in_addr a)
{
	struct sockaddr_in sin = {.sin_len = sizeof sin, .sin_family = AF_INET, .sin_addr = a};

	return sin;
}

static struct sockaddr_dl
make_sdl(const uint8_t *lladdr)
{
	struct sockaddr_dl sdl = {.sdl_len = sizeof sdl, .sdl_family = AF_LINK, .sdl_alen = ETHER_ADDR_LEN};

	memcpy(LLADDR(&sdl), lladdr, ETHER_ADDR_LEN);
	return sdl;
}

static void
count_sent(struct arpstat *stat, u_short op, struct in_addr sender, struct in_addr target, bool unicast)
{
	if (op == ARPOP_REPLY)
		stat->txreplies++;
	else if (sender.s_addr == target.s_addr)
		stat->txannounces++;
	else if (unicast)
		stat->txurequests++;
	else
		stat->txrequests++;
}

void
arp_send(struct ifnet *ifp, u_short op, struct in_addr sender, struct in_addr target, const uint8_t *to,
    const uint8_t *as)
{
	struct sockaddr_in from = make_sin(sender), about = make_sin(target);
	struct sockaddr_dl to_dl, as_dl;
	struct nke *m = ifp->machine;
	errno_t error;

	if (m->replay != NULL)
		return;
	if (to != NULL)
		to_dl = make_sdl(to);
	if (as != NULL)
		as_dl = make_sdl(as);
	error = dlil_send_arp(ifp, op, as != NULL ? &as_dl : NULL, (const struct sockaddr *)(void *)&from,
	    to != NULL ? &to_dl : NULL, (const struct sockaddr *)(void *)&about);
	if (error == ENOBUFS)
		m->arp->stat.reqnobufs++;
	if (error == 0)
		count_sent(&m->arp->stat, op, sender, target, to != NULL);
}

/* ---- asking ------------------------------------------------------------------------------- */

static bool
usable_source(const struct ifaddr *ifa)
{
	return ifa->addr.ss_family == AF_INET && !(ifa->ia6_flags & IN6_IFF_NOTREADY);
}

/* The address of the packet that waits, else the best of the interface (RFC 1122 3.3.4.3). */
static bool
choose_sender(const struct neighbor *n, struct in_addr *sender)
{
	struct sockaddr_storage dst;
	const struct ifaddr *ifa;
	struct in_addr wanted;

	if (n->held != NULL &&
	    m_copydata(n->held, offsetof(struct ip, ip_src), sizeof wanted, &wanted) == 0) {
		ifa = ifaddr_find_in4(n->ifp->machine, wanted.s_addr);
		if (ifa != NULL && ifa->ifp == n->ifp && usable_source(ifa)) {
			*sender = wanted;
			return true;
		}
	}
	neighbor_sockaddr(n, &dst);
	ifa = ifaddr_best(n->ifp, (const struct sockaddr *)(void *)&dst);
	if (ifa == NULL || !usable_source(ifa)) {
		TAILQ_FOREACH(ifa, &n->ifp->addresses, link)
			if (usable_source(ifa))
				break;
	}
	if (ifa == NULL)
		return false;
	*sender = arp_address_of(ifa);
	return true;
}

static void
arp_solicit(struct neighbor *n, unsigned attempt, bool unicast)
{
	uint8_t lladdr[ETHER_ADDR_LEN];
	struct in_addr sender;

	(void)attempt;
	memcpy(lladdr, n->lladdr, sizeof lladdr);
	if (choose_sender(n, &sender))
		arp_send(n->ifp, ARPOP_REQUEST, sender, arp_in_addr(n->addr), unicast ? lladdr : NULL, NULL);
}

static void
arp_timing(struct ifnet *ifp, struct neighbor_timing *t)
{
	const struct arp_state *s = ifp->machine->arp;

	t->retry = SECOND;
	if (arp_capable(ifp) && ifaddr_first(ifp, AF_INET) != NULL) {
		t->attempts = (unsigned)s->maxtries;
		t->probes = (unsigned)s->unicast_lim;
	}
	t->reachable = (uint64_t)s->max_age * SECOND;
	t->stale = (uint64_t)(s->max_age + s->prune_intvl) * SECOND;
	t->failed = (uint64_t)s->host_down_time * SECOND;
	t->held = (uint32_t)s->maxhold;
	t->held_total = (uint32_t)s->maxhold_total;
	t->trusts = true;
	t->down = EHOSTDOWN;
}

/* ---- routers that do not answer ----------------------------------------------------------- */

static bool
is_default_router(const struct neighbor *n)
{
	struct sockaddr_in any = make_sin((struct in_addr){INADDR_ANY});
	struct rtentry *rt = rt_lookup(n->ifp->machine, (const struct sockaddr *)(void *)&any, NULL, 0);
	const struct sockaddr_in *gateway;
	bool is = false;

	if (rt != NULL && (rt->rt_flags & RTF_GATEWAY) && rt->rt_ifp == n->ifp) {
		gateway = (const struct sockaddr_in *)(const void *)&rt->rt_gateway;
		is = gateway->sin_family == AF_INET && gateway->sin_addr.s_addr == n->addr32[0];
	}
	rt_release(rt);
	return is;
}

static void
arp_resolved(struct neighbor *n)
{
	struct arp_state *s = n->ifp->machine->arp;

	if (s->failed_router.s_addr == INADDR_ANY || s->failed_router.s_addr != n->addr32[0])
		return;
	s->failed_router.s_addr = INADDR_ANY;
	dlil_post_event(n->ifp, KEV_INET_SUBCLASS, KEV_INET_ARPRTRALIVE, NULL, 0, false);
}

static void
arp_unreachable(struct neighbor *n, struct mbuf *m)
{
	struct nke *machine = n->ifp->machine;
	struct arp_state *s = machine->arp;
	struct sockaddr_storage gateway;

	neighbor_sockaddr(n, &gateway);
	rt_gateway_silent(n->ifp, (const struct sockaddr *)(void *)&gateway);
	if (s->failed_router.s_addr != n->addr32[0] && is_default_router(n)) {
		s->failed_router.s_addr = n->addr32[0];
		dlil_post_event(n->ifp, KEV_INET_SUBCLASS, KEV_INET_ARPRTRFAILURE, NULL, 0, false);
	}
	if (m != NULL)
		icmp_error(machine, m, ICMP_UNREACH, ICMP_UNREACH_HOST, 0);
}

/* ---- the log ------------------------------------------------------------------------------ */

bool
arp_may_log(struct nke *m)
{
	uint64_t now = machine_now(m);

	if (m->arp->said != 0 && now - m->arp->said < SECOND)
		return false;
	m->arp->said = now != 0 ? now : 1;
	return true;
}

void
arp_format(char text[18], const uint8_t a[6])
{
	ksnprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void
say_changed(struct ifnet *ifp, const uint8_t *ip, const uint8_t *old, const uint8_t *new, bool refused)
{
	char from[18], to[18];

	if (!arp_may_log(ifp->machine))
		return;
	arp_format(from, old);
	arp_format(to, new);
	if (refused)
		klog(ifp->machine, 4, "arp: %s wants to be %u.%u.%u.%u, which is configured as %s on %s",
		    to, ip[0], ip[1], ip[2], ip[3], from, ifp->xname);
	else
		klog(ifp->machine, 6, "arp: %u.%u.%u.%u moved from %s to %s on %s", ip[0], ip[1], ip[2],
		    ip[3], from, to, ifp->xname);
}

/* ---- the way in --------------------------------------------------------------------------- */

static bool
well_formed(const struct ether_arp *ea)
{
	u_short op = ntohs(ea->arp_op);

	return ea->arp_hrd == htons(ARPHRD_ETHER) && ea->arp_pro == htons(ETHERTYPE_IP) &&
	    ea->arp_hln == ETHER_ADDR_LEN && ea->arp_pln == sizeof ea->arp_spa &&
	    (op == ARPOP_REQUEST || op == ARPOP_REPLY);
}

/* Can somebody be who the packet says (RFC 1122 3.2.1.3)? */
static bool
sender_possible(const struct ifnet *ifp, const struct ether_arp *ea)
{
	static const uint8_t nobody[ETHER_ADDR_LEN];
	uint32_t a = ntohl(arp_in_addr(ea->arp_spa).s_addr);

	if (ETHER_IS_MULTICAST(ea->arp_sha) || memcmp(ea->arp_sha, nobody, sizeof nobody) == 0)
		return false;
	if (a == INADDR_ANY)
		return true;		/* a probe */
	if (a >> 28 >= 14 || a >> 24 == 127 || a >> 24 == 0)
		return false;
	return ifaddr_find_broadcast4(ifp->machine, (struct ifnet *)(uintptr_t)ifp, htonl(a)) == NULL;
}

static bool
is_own_lladdr(struct nke *m, const uint8_t *lladdr)
{
	const struct ifnet *ifp;

	TAILQ_FOREACH(ifp, dlil_interfaces(m), link)
		if (ifp->lladdr_len == ETHER_ADDR_LEN && memcmp(ifp->lladdr, lladdr, ETHER_ADDR_LEN) == 0)
			return true;
	return false;
}

/* Our own address on that interface, which may be used. */
static const struct ifaddr *
own_address(struct ifnet *ifp, struct in_addr a)
{
	const struct ifaddr *ifa = ifaddr_find_in4(ifp->machine, a.s_addr);

	return ifa != NULL && ifa->ifp == ifp && usable_source(ifa) ? ifa : NULL;
}

/* RFC 826, "packet reception": merge_flag. */
static void
learn(struct ifnet *ifp, const struct ether_arp *ea, bool for_us)
{
	struct sockaddr_in sin = make_sin(arp_in_addr(ea->arp_spa));
	const struct sockaddr *sa = (const struct sockaddr *)(void *)&sin;
	struct neighbor *n = neighbor_find(ifp, sa);
	bool known = n != NULL && n->state >= NEIGHBOR_STALE;
	unsigned how = NEIGHBOR_MAY_OVERRIDE;
	uint8_t old[ETHER_ADDR_LEN];
	errno_t error;

	if (ea->arp_op == htons(ARPOP_REQUEST) && for_us && ifaddr_on_link(ifp, sa))
		how |= NEIGHBOR_MAY_CREATE;
	if (n != NULL && n->state != NEIGHBOR_STALE)
		how |= NEIGHBOR_CONFIRMS;
	if (known)
		memcpy(old, n->lladdr, sizeof old);
	error = neighbor_update(ifp, sa, ea->arp_sha, how);
	if (known && (error == 0 || error == EPERM) && memcmp(old, ea->arp_sha, sizeof old) != 0)
		say_changed(ifp, ea->arp_spa, old, ea->arp_sha, error == EPERM);
}

static void
answer(struct ifnet *ifp, const struct ether_arp *ea, bool for_us)
{
	struct in_addr sender = arp_in_addr(ea->arp_spa), target = arp_in_addr(ea->arp_tpa);
	struct sockaddr_in sin = make_sin(target);
	const struct neighbor *n;
	uint8_t as[ETHER_ADDR_LEN];

	if (for_us) {
		arp_send(ifp, ARPOP_REPLY, target, sender, ea->arp_sha, NULL);
		return;
	}
	n = neighbor_find(ifp, (const struct sockaddr *)(void *)&sin);
	if (n == NULL || !(n->flags & NEIGHBOR_PUBLISHED) || n->state < NEIGHBOR_STALE ||
	    sender.s_addr == target.s_addr || memcmp(n->lladdr, ea->arp_sha, sizeof n->lladdr) == 0)
		return;
	memcpy(as, n->lladdr, sizeof as);
	arp_send(ifp, ARPOP_REPLY, target, sender, ea->arp_sha, as);
}

static void
handle(struct ifnet *ifp, const struct ether_arp *ea)
{
	struct arpstat *stat = &ifp->machine->arp->stat;
	bool request = ea->arp_op == htons(ARPOP_REQUEST), for_us;

	if (!well_formed(ea) || !sender_possible(ifp, ea)) {
		stat->invalidreqs++;
		return;
	}
	if (request)
		stat->rxrequests++;
	else
		stat->rxreplies++;
	if (is_own_lladdr(ifp->machine, ea->arp_sha) || arp_acd_input(ifp, ea))
		return;
	for_us = own_address(ifp, arp_in_addr(ea->arp_tpa)) != NULL;
	if (arp_in_addr(ea->arp_spa).s_addr != INADDR_ANY)
		learn(ifp, ea, for_us);
	if (request)
		answer(ifp, ea, for_us);
}

static void
arp_input(struct ifnet *ifp, struct mbuf *m)
{
	struct arpstat *stat = &ifp->machine->arp->stat;
	struct ether_arp ea;

	stat->received++;
	if (m_copydata(m, 0, sizeof ea, &ea) != 0)
		stat->invalidreqs++;
	else
		handle(ifp, &ea);
	m_freem(m);
}

/* ---- sysctl ------------------------------------------------------------------------------- */

static int
handle_stats SYSCTL_HANDLER_ARGS
{
	const struct nke *m = arg1;
	const struct neighbor_stat *t = &m->neighbors->stat[0];
	struct arpstat stat = m->arp->stat;

	(void)oidp;
	(void)arg2;
	stat.purged = (uint32_t)t->purged;
	stat.timeouts = (uint32_t)t->timeouts;
	stat.reqnobufs += (uint32_t)t->refused;
	stat.dropped += (uint32_t)t->dropped;
	stat.held = m->neighbors->held[0];
	stat.inuse = 0;
	for (unsigned state = 0; state < NEIGHBOR_STATES; state++) {
		const struct neighbor *n;

		TAILQ_FOREACH(n, &m->neighbors->lists[0][state], order)
			stat.inuse++;
	}
	return SYSCTL_OUT(req, &stat, sizeof stat);
}

#define NUMBER(name, member, min, max)	\
	{OID_AUTO, #name, offsetof(struct arp_state, member), min, max}

static const struct sysctl_bounded numbers[] = {
	NUMBER(max_age, max_age, 1, 86400 * 365),
	NUMBER(prune_intvl, prune_intvl, 1, 86400),
	NUMBER(host_down_time, host_down_time, 0, 86400),
	NUMBER(arp_unicast_lim, unicast_lim, 1, 100),
	NUMBER(maxtries, maxtries, 1, 100),
	NUMBER(maxhold, maxhold, 1, 1024),
	NUMBER(maxhold_total, maxhold_total, 1, 16384),
	NUMBER(acd, acd, ARP_ACD_OFF, ARP_ACD_PROBE),
	{0, NULL, 0, 0, 0}
};

/* ---- the subsystem ------------------------------------------------------------------------ */

static const struct neighbor_ops arp_neighbor_ops = {
	.solicit = arp_solicit,
	.unreachable = arp_unreachable,
	.timing = arp_timing,
	.resolved = arp_resolved,
	.address_changed = arp_acd_address_changed,
};

static errno_t
arp_init(struct nke *m)
{
	struct arp_state *s = kalloc(m, sizeof *s);
	errno_t error;

	if (s == NULL)
		return ENOMEM;
	*s = (struct arp_state){
		.max_age = 1200, .prune_intvl = 300, .host_down_time = 20, .unicast_lim = 5, .maxtries = 5,
		.maxhold = 16, .maxhold_total = 1024, .acd = ARP_ACD_ASK,
	};
	m->arp = s;
	error = sysctl_add_bounded(m, &sysctl__net_link_ether_inet_children, numbers, s);
	if (error == 0)
		error = sysctl_add(m, &sysctl__net_link_ether_inet_children, OID_AUTO, "stats",
		    CTLTYPE_STRUCT | CTLFLAG_RD | CTLFLAG_LOCKED, m, 0, handle_stats, "S,arpstat");
	if (error != 0)
		return error;
	arp_acd_init(m);
	neighbor_set_ops(m, AF_INET, &arp_neighbor_ops);
	dlil_set_arp_input(m, arp_input);
	return 0;
}

static void
arp_quiesce(struct nke *m)
{
	static const struct neighbor_ops none = {.solicit = NULL};

	dlil_set_arp_input(m, NULL);
	neighbor_set_ops(m, AF_INET, &none);
	arp_acd_stop(m);
}

/* Its variables point into the state, which is left to the heap. */
static void
arp_fini(struct nke *m)
{
	m->arp = NULL;
}

extern const struct subsystem arp_subsystem;
const struct subsystem arp_subsystem = {
	.name = "arp", .init = arp_init, .quiesce = arp_quiesce, .fini = arp_fini
};
