/*
 * Our IPv6 addresses on links with neighbours: the groups that go with them, whether somebody else has them
 * (duplicate address detection, RFC 4862 section 5.4).
 *
 * An address is tentative until net.inet6.ip6.dad_count solicitations, a retransmission interval apart, have
 * had no answer; what is NODAD or anycast is not asked for. Each carries a nonce, so that our own that comes
 * back by a loop is not taken for somebody else's (RFC 7527). An address that turns out to be a duplicate is
 * kept, unused; when it was made from the link address, so is the interface's autoconfiguration (5.4.5).
 *
 * State: a record per address (struct nd6_address). Time: nd6.c's callout. Limit: the addresses there are.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/kern/klog.h"
#include "src/kern/prng.h"
#include "src/netinet/in_multi.h"
#include "src/netinet6/ip6_state.h"
#include "src/netinet6/mld6_private.h"
#include "src/netinet6/nd6.h"

static struct nd6_address *
record_of(const struct nd6_if *nd, const struct ifaddr *ifa)
{
	struct nd6_address *a;

	TAILQ_FOREACH(a, &nd->addresses, link)
		if (a->ifa == ifa)
			return a;
	return NULL;
}

static void
set_due(struct nd6_address *a, uint64_t due)
{
	a->due = due;
	nd6_arm(a->ifa->ifp->machine, due);
}

/* ---- detection ---------------------------------------------------------------------------- */

static void
start(struct nd6_if *nd, struct nd6_address *a)
{
	struct nke *m = nd->ifp->machine;
	/* The first message of an interface that came up is held back, as others come up too (5.4.2). */
	uint64_t wait = nd->fresh ? nd6_random(m, 0, MAX_RTR_SOLICITATION_DELAY * ND6_SECOND) : 0;

	nd->fresh = false;
	a->left = (unsigned)m->nd6->dad_count;
	prng_bytes(m, a->nonce, sizeof a->nonce);
	set_due(a, machine_now(m) + wait);
	ifaddr_set_flags(a->ifa, IN6_IFF_TENTATIVE, 0);
}

static bool
needs_detection(const struct ifaddr *ifa)
{
	const struct in6_addr addr = nd6_address_of(ifa);

	return ifa->ifp->machine->nd6->dad_count > 0 && !IN6_IS_ADDR_LOOPBACK(&addr) &&
	    !(ifa->ia6_flags & (IN6_IFF_NODAD | IN6_IFF_ANYCAST | IN6_IFF_DUPLICATED));
}

static void
send_probe(struct ifnet *ifp, const struct in6_addr *target, const uint8_t nonce[6])
{
	struct {
		struct nd_neighbor_solicit ns;
		uint8_t option[8];
	} msg;
	const struct in6_addr group = nd6_solicited_node(target);

	memset(&msg, 0, sizeof msg);
	msg.ns.nd_ns_type = ND_NEIGHBOR_SOLICIT;
	msg.ns.nd_ns_target = *target;
	msg.option[0] = ND_OPT_NONCE;
	msg.option[1] = 1;
	memcpy(msg.option + 2, nonce, 6);
	nd6_send(ifp, NULL, &group, &msg, sizeof msg);
}

/* It is ours. */
static void
settle(struct nd6_if *nd, struct nd6_address *a)
{
	struct ifaddr *ifa = a->ifa;
	const struct in6_addr addr = nd6_address_of(ifa);

	a->due = ND6_NEVER;
	if (nd->autoconf && IN6_IS_ADDR_LINKLOCAL(&addr))
		nd6_rtr_solicit(nd);
	ifaddr_set_flags(ifa, 0, IN6_IFF_TENTATIVE);
	/* RFC 3590 4: reports that came from nowhere are for switches only. */
	if (IN6_IS_ADDR_LINKLOCAL(&addr))
		mld_address_usable(ifa->ifp);
	dlil_post_address(ifa, KEV_INET6_CHANGED_ADDR);
}

/* Sending may run kexts, which may remove the address. */
static void
step(struct nd6_if *nd, struct nd6_address *a)
{
	struct nke *m = nd->ifp->machine;
	struct ifnet *ifp = nd->ifp;
	const struct in6_addr target = nd6_address_of(a->ifa);
	uint8_t nonce[6];

	if (a->left == 0 || !needs_detection(a->ifa)) {
		settle(nd, a);
		return;
	}
	if ((ifp->flags & (IFF_UP | IFF_RUNNING)) != (IFF_UP | IFF_RUNNING)) {
		/* Nobody can hear the question: it is put off until the interface comes up. */
		a->due = ND6_NEVER;
		return;
	}
	a->left--;
	memcpy(nonce, a->nonce, sizeof nonce);
	set_due(a, machine_now(m) + nd->retrans_ms * ND6_MS);
	send_probe(ifp, &target, nonce);
}

static void
duplicate(struct nd6_address *a, const uint8_t *lladdr)
{
	struct ifaddr *ifa = a->ifa;
	struct ifnet *ifp = ifa->ifp;
	const struct in6_addr addr = nd6_address_of(ifa);
	const uint8_t *b = addr.s6_addr, *l = lladdr;

	a->due = ND6_NEVER;
	ifaddr_retain(ifa);
	ifaddr_set_flags(ifa, IN6_IFF_DUPLICATED, IN6_IFF_TENTATIVE);
	klog(ifp->machine, 3, "%s: DAD detected duplicate IPv6 address "
	    "%02x%02x:%02x%02x:%02x%02x:%02x%02x:%02x%02x:%02x%02x:%02x%02x:%02x%02x%s", ifp->xname,
	    b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
	    b[15],
	    IN6_IS_ADDR_LINKLOCAL(&addr) ? ": no autoconfiguration there" : "");
	if (l != NULL)
		klog(ifp->machine, 3, "%s: it is used by %02x:%02x:%02x:%02x:%02x:%02x", ifp->xname, l[0],
		    l[1], l[2], l[3], l[4], l[5]);
	dlil_post_address(ifa, KEV_INET6_CHANGED_ADDR);
	ifaddr_drop(ifa);
}

/* Another station announces an address that is ours already: it is in our neighbours' caches now. */
static void
taken_from_us(struct ifaddr *ifa)
{
	if (nd6_may_log(ifa->ifp->machine))
		klog(ifa->ifp->machine, 3, "%s: another station advertises one of our IPv6 addresses",
		    ifa->ifp->xname);
}

void
nd6_dad_heard(struct ifaddr *ifa, const uint8_t *nonce, bool advert, const uint8_t *lladdr)
{
	struct nd6_if *nd = ifa->ifp->nd6;
	struct nd6_address *a = nd != NULL ? record_of(nd, ifa) : NULL;

	if (a == NULL)
		return;
	if (!(ifa->ia6_flags & IN6_IFF_TENTATIVE)) {
		if (advert && (lladdr == NULL || memcmp(lladdr, ifa->ifp->lladdr, 6) != 0))
			taken_from_us(ifa);
		return;
	}
	if (!advert && nonce != NULL && memcmp(nonce, a->nonce, sizeof a->nonce) == 0)
		return;
	duplicate(a, lladdr);
}

void
nd6_dad_restart(struct nd6_if *nd)
{
	struct nd6_address *a;

	TAILQ_FOREACH(a, &nd->addresses, link)
		a->restart = needs_detection(a->ifa);
	nd6_arm(nd->ifp->machine, machine_now(nd->ifp->machine));
}

void
nd6_dad_resume(struct nd6_if *nd)
{
	struct nd6_address *a;

	TAILQ_FOREACH(a, &nd->addresses, link)
		if ((a->ifa->ia6_flags & IN6_IFF_TENTATIVE) && a->due == ND6_NEVER)
			a->restart = true;
	nd6_arm(nd->ifp->machine, machine_now(nd->ifp->machine));
}

/* ---- addresses come and go ---------------------------------------------------------------- */

static void
join(struct nd6_address *a)
{
	const struct in6_addr addr = nd6_address_of(a->ifa), group = nd6_solicited_node(&addr);

	if (in_multi_join(a->ifa->ifp, AF_INET6, &group, &a->solicited) != 0)
		a->solicited = NULL;
}

static void
forget(struct nd6_if *nd, struct nd6_address *a)
{
	struct ifaddr *ifa = a->ifa;
	struct in_multi *solicited = a->solicited;

	TAILQ_REMOVE(&nd->addresses, a, link);
	kfree(nd->ifp->machine, a);
	if (solicited != NULL)
		in_multi_leave(solicited);
	ifaddr_drop(ifa);
}

void
nd6_dad_forget(struct nd6_if *nd)
{
	struct nd6_address *a;

	while ((a = TAILQ_FIRST(&nd->addresses)) != NULL)
		forget(nd, a);
}

static void
added(struct ifaddr *ifa)
{
	struct nd6_if *nd = nd6_interface(ifa->ifp);
	struct nd6_address *a;

	if (nd == NULL)
		return;
	a = kalloc(ifa->ifp->machine, sizeof *a);
	if (a == NULL) {
		klog(ifa->ifp->machine, 4, "%s: no memory to look for duplicates of an address",
		    ifa->ifp->xname);
		return;
	}
	a->ifa = ifa;
	ifaddr_retain(ifa);
	a->due = ND6_NEVER;
	TAILQ_INSERT_TAIL(&nd->addresses, a, link);
	(void)neighbor_delete(ifa->ifp, (const struct sockaddr *)(const void *)&ifa->addr);
	join(a);
	if (needs_detection(ifa))
		start(nd, a);
}

void
nd6_address_changed(struct ifaddr *ifa, bool came)
{
	struct nd6_if *nd = ifa->ifp->nd6;
	struct nd6_address *a = nd != NULL ? record_of(nd, ifa) : NULL;

	if (!came && a != NULL)
		forget(nd, a);
	else if (came && a == NULL)
		added(ifa);
}

/* ---- time --------------------------------------------------------------------------------- */

static void
lower(uint64_t *next, uint64_t due)
{
	if (due < *next)
		*next = due;
}

bool
nd6_dad_due(struct nd6_if *nd, uint64_t now, uint64_t *next)
{
	struct nd6_address *a;

	TAILQ_FOREACH(a, &nd->addresses, link) {
		struct ifaddr *ifa = a->ifa;
		bool acted = true;

		ifaddr_retain(ifa);
		if (a->restart) {
			a->restart = false;
			start(nd, a);
		} else if (a->announce) {
			a->announce = false;
			nd6_announce(ifa);
		} else if (a->due <= now) {
			step(nd, a);
		} else {
			lower(next, a->due);
			acted = false;
		}
		ifaddr_drop(ifa);
		if (acted)
			return true;
	}
	return false;
}
