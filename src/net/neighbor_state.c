/*
 * What happens to a neighbour (RFC 4861 section 7.3, RFC 826, RFC 1122 2.3.2).
 *
 *	(none) --packet--> incomplete --answer--> reachable --time--> stale --packet--> delay --time--> probe
 *
 * An answer brings any state back to reachable; without one, incomplete and probe end in failed, or in
 * nothing. Hearing a neighbour that was not asked makes it stale. Where a protocol trusts what it hears
 * (ARP), a stale neighbour that was heard not long ago is reachable as soon as it is used.
 *
 * Packets wait while a neighbour is incomplete; of too many the oldest goes (RFC 4861 7.2.2). They leave
 * by dlil_output, which comes back here for the address.
 *
 * Before anything is called that may run kexts the entry is in its new state and referenced.
 */
#include <netinet/in.h>
#include <string.h>

#include "src/net/neighbor_private.h"

void
neighbor_timing(struct ifnet *ifp, uint8_t family, struct neighbor_timing *timing)
{
	struct nke *m = ifp->machine;
	const struct neighbor_ops *ops = &m->neighbors->ops[neighbor_family(family)];

	memset(timing, 0, sizeof *timing);
	if (ops->timing == NULL)
		return;
	ops->timing(ifp, timing);
	if (m->replay != NULL)
		timing->attempts = timing->probes = 0;
}

/* `ns` from now; 0 and whatever is too far: never. */
static uint64_t
after(const struct ifnet *ifp, uint64_t ns)
{
	uint64_t now = machine_now(ifp->machine);

	return ns == 0 || ns > UINT64_MAX - now ? UINT64_MAX : now + ns;
}

/* ---- packets that wait -------------------------------------------------------------------- */

struct mbuf *
neighbor_take_held(struct neighbor *n)
{
	struct mbuf *list = n->held;

	n->ifp->machine->neighbors->held[neighbor_family(n->family)] -= n->held_count;
	n->held = NULL;
	n->held_end = &n->held;
	n->held_count = 0;
	return list;
}

static void
drop_oldest(struct neighbor_table *t, struct neighbor *n)
{
	struct mbuf *m = n->held;
	unsigned f = neighbor_family(n->family);

	n->held = m->m_nextpkt;
	if (n->held == NULL)
		n->held_end = &n->held;
	n->held_count--;
	t->held[f]--;
	t->stat[f].dropped++;
	m->m_nextpkt = NULL;
	m_freem(m);
}

/* ENOBUFS: too many wait already for others. */
static errno_t
hold(struct neighbor *n, const struct neighbor_timing *timing, struct mbuf **mp)
{
	struct neighbor_table *t = n->ifp->machine->neighbors;
	unsigned f = neighbor_family(n->family);

	if (n->held_count != 0 && (n->held_count >= timing->held || t->held[f] >= timing->held_total))
		drop_oldest(t, n);
	if (t->held[f] >= timing->held_total || timing->held == 0) {
		t->stat[f].dropped++;
		return ENOBUFS;
	}
	*n->held_end = *mp;
	n->held_end = &(*mp)->m_nextpkt;
	(*mp)->m_nextpkt = NULL;
	*mp = NULL;
	n->held_count++;
	t->held[f]++;
	return EJUSTRETURN;
}

static void
send_held(struct neighbor *n)
{
	struct neighbor_table *t = n->ifp->machine->neighbors;
	struct mbuf *list = neighbor_take_held(n), *m;
	struct sockaddr_storage dst;

	if (list == NULL)
		return;
	if (t->output == NULL) {
		m_freem_list(list);
		return;
	}
	neighbor_sockaddr(n, &dst);
	while ((m = list) != NULL) {
		list = m->m_nextpkt;
		m->m_nextpkt = NULL;
		(void)t->output(n->ifp, n->family, m, NULL, (struct sockaddr *)(void *)&dst, false);
	}
}

/* ---- asking ------------------------------------------------------------------------------- */

static void
ask(struct neighbor *n, bool unicast)
{
	struct neighbor_table *t = n->ifp->machine->neighbors;
	void (*solicit)(struct neighbor *, unsigned, bool) = t->ops[neighbor_family(n->family)].solicit;
	unsigned attempt = n->asked++;

	if (solicit == NULL)
		return;
	neighbor_retain(n);
	solicit(n, attempt, unicast);
	neighbor_release(n);
}

static void
start_probe(struct neighbor *n, const struct neighbor_timing *timing)
{
	n->asked = 0;
	neighbor_set_state(n, NEIGHBOR_PROBE, after(n->ifp, timing->retry));
	ask(n, true);
}

/* A packet for a neighbour of old: its address is used, and it is seen whether it is still good. */
static void
use_stale(struct neighbor *n)
{
	struct neighbor_timing timing;
	uint64_t good_until;

	neighbor_timing(n->ifp, n->family, &timing);
	good_until = n->heard > UINT64_MAX - timing.reachable ? UINT64_MAX : n->heard + timing.reachable;
	if (timing.probes == 0)
		neighbor_set_state(n, NEIGHBOR_REACHABLE, after(n->ifp, timing.reachable));
	else if (timing.trusts && good_until > machine_now(n->ifp->machine))
		neighbor_set_state(n, NEIGHBOR_REACHABLE, good_until);
	else if (timing.delay != 0)
		neighbor_set_state(n, NEIGHBOR_DELAY, after(n->ifp, timing.delay));
	else
		start_probe(n, &timing);
}

static errno_t
resolve_new(struct ifnet *ifp, struct mbuf **m, uint8_t family, const uint8_t addr[16], uint8_t lladdr[6])
{
	struct neighbor_timing timing;
	struct neighbor *n;
	errno_t error;

	if (ifp->has_neighbor_default) {
		memcpy(lladdr, ifp->neighbor_default, 6);
		return 0;
	}
	neighbor_timing(ifp, family, &timing);
	if (timing.attempts == 0)
		return EHOSTUNREACH;
	n = neighbor_create(ifp, family, addr, NEIGHBOR_INCOMPLETE, after(ifp, timing.retry));
	if (n == NULL)
		return ENOBUFS;
	error = hold(n, &timing, m);
	ask(n, false);
	return error;
}

errno_t
neighbor_resolve(struct ifnet *ifp, struct mbuf **m, const struct sockaddr *dst, uint8_t lladdr[6])
{
	struct neighbor_timing timing;
	struct neighbor *n;
	uint8_t addr[16];

	if (neighbor_usable(ifp, dst, lladdr))
		return 0;
	if (!neighbor_key(dst, addr))
		return EINVAL;
	n = neighbor_at(ifp, dst->sa_family, addr);
	if (n == NULL)
		return resolve_new(ifp, m, dst->sa_family, addr, lladdr);
	if (n->state == NEIGHBOR_STALE) {
		memcpy(lladdr, n->lladdr, 6);
		use_stale(n);
		return 0;
	}
	neighbor_timing(ifp, n->family, &timing);
	if (n->state == NEIGHBOR_FAILED)
		return timing.down;
	return hold(n, &timing, m);
}

/* ---- hearing ------------------------------------------------------------------------------ */

static void
becomes_reachable(struct neighbor *n, const struct neighbor_timing *timing)
{
	neighbor_set_state(n, NEIGHBOR_REACHABLE, after(n->ifp, timing->reachable));
}

static void
becomes_stale(struct neighbor *n, const struct neighbor_timing *timing)
{
	neighbor_set_state(n, NEIGHBOR_STALE, after(n->ifp, timing->stale));
}

/* It has an address now: those who wait are told and leave. */
static void
resolved(struct neighbor *n)
{
	struct neighbor_table *t = n->ifp->machine->neighbors;
	const struct neighbor_ops *ops = &t->ops[neighbor_family(n->family)];

	neighbor_retain(n);
	if (ops->resolved != NULL)
		ops->resolved(n);
	if (n->attached)
		send_held(n);
	neighbor_release(n);
}

static errno_t
configure(struct neighbor *n, const uint8_t lladdr[6])
{
	memcpy(n->lladdr, lladdr, 6);
	neighbor_set_state(n, NEIGHBOR_CONFIGURED, UINT64_MAX);
	resolved(n);
	return 0;
}

/* RFC 4861 7.2.5, for entries that have an address. */
static errno_t
update_known(struct neighbor *n, const struct neighbor_timing *timing, const uint8_t lladdr[6],
    unsigned how)
{
	bool same = memcmp(n->lladdr, lladdr, 6) == 0;

	if (n->state == NEIGHBOR_CONFIGURED)
		return same ? 0 : EPERM;
	if (!same && !(how & NEIGHBOR_MAY_OVERRIDE)) {
		if (n->state == NEIGHBOR_REACHABLE)
			becomes_stale(n, timing);
		return EPERM;
	}
	n->heard = machine_now(n->ifp->machine);
	memcpy(n->lladdr, lladdr, 6);
	if ((how & NEIGHBOR_CONFIRMS) || (timing->trusts && n->state != NEIGHBOR_STALE))
		becomes_reachable(n, timing);
	else if (!same || n->state == NEIGHBOR_STALE)
		becomes_stale(n, timing);
	if (!same)
		resolved(n);
	return 0;
}

errno_t
neighbor_update(struct ifnet *ifp, const struct sockaddr *sa, const uint8_t lladdr[6], unsigned how)
{
	struct neighbor_timing timing;
	struct neighbor *n;
	uint8_t addr[16];

	if (!neighbor_key(sa, addr))
		return EINVAL;
	n = neighbor_at(ifp, sa->sa_family, addr);
	if (n != NULL && (how & NEIGHBOR_CONFIGURES))
		return configure(n, lladdr);
	neighbor_timing(ifp, sa->sa_family, &timing);
	if (n == NULL) {
		if (!(how & NEIGHBOR_MAY_CREATE))
			return ENOENT;
		n = neighbor_create(ifp, sa->sa_family, addr, NEIGHBOR_STALE, after(ifp, timing.stale));
		if (n == NULL)
			return ENOBUFS;
		memcpy(n->lladdr, lladdr, 6);
		n->heard = machine_now(ifp->machine);
		return 0;
	}
	if (n->state >= NEIGHBOR_STALE)
		return update_known(n, &timing, lladdr, how);
	memcpy(n->lladdr, lladdr, 6);
	n->heard = machine_now(ifp->machine);
	if (how & NEIGHBOR_CONFIRMS)
		becomes_reachable(n, &timing);
	else
		becomes_stale(n, &timing);
	resolved(n);
	return 0;
}

void
neighbor_confirm(struct ifnet *ifp, const struct sockaddr *sa)
{
	struct neighbor *n = neighbor_find(ifp, sa);
	struct neighbor_timing timing;

	if (n == NULL || n->state < NEIGHBOR_STALE || n->state == NEIGHBOR_CONFIGURED)
		return;
	neighbor_timing(ifp, n->family, &timing);
	n->heard = machine_now(ifp->machine);
	becomes_reachable(n, &timing);
}

/* ---- time --------------------------------------------------------------------------------- */

/* Nobody answered: whoever waited is told. */
static void
fail(struct neighbor *n, const struct neighbor_timing *timing)
{
	struct neighbor_table *t = n->ifp->machine->neighbors;
	unsigned f = neighbor_family(n->family);
	void (*unreachable)(struct neighbor *, struct mbuf *) = t->ops[f].unreachable;
	struct mbuf *list = neighbor_take_held(n), *m;

	t->stat[f].timeouts++;
	neighbor_retain(n);
	if (n->state == NEIGHBOR_INCOMPLETE && timing->failed != 0)
		neighbor_set_state(n, NEIGHBOR_FAILED, after(n->ifp, timing->failed));
	else
		neighbor_remove(n);
	if (unreachable == NULL) {
		m_freem_list(list);
	} else if (list == NULL) {
		unreachable(n, NULL);
	} else {
		while ((m = list) != NULL) {
			list = m->m_nextpkt;
			m->m_nextpkt = NULL;
			unreachable(n, m);
		}
	}
	neighbor_release(n);
}

static void
ask_again(struct neighbor *n, const struct neighbor_timing *timing, unsigned most, bool unicast)
{
	if (n->asked >= most) {
		fail(n, timing);
		return;
	}
	neighbor_set_state(n, n->state, after(n->ifp, timing->retry));
	ask(n, unicast);
}

/* Its deadline has come. */
static void
expire(struct neighbor *n)
{
	struct neighbor_table *t = n->ifp->machine->neighbors;
	struct neighbor_timing timing;

	neighbor_timing(n->ifp, n->family, &timing);
	switch (n->state) {
	case NEIGHBOR_INCOMPLETE:
		ask_again(n, &timing, timing.attempts, false);
		break;
	case NEIGHBOR_PROBE:
		ask_again(n, &timing, timing.probes, true);
		break;
	case NEIGHBOR_DELAY:
		start_probe(n, &timing);
		break;
	case NEIGHBOR_REACHABLE:
		becomes_stale(n, &timing);
		break;
	default:
		t->stat[neighbor_family(n->family)].purged += n->state == NEIGHBOR_STALE;
		neighbor_remove(n);
		break;
	}
}

void
neighbor_timer(void *arg)
{
	struct nke *m = arg;
	struct neighbor_table *t = m->neighbors;
	uint64_t now = machine_now(m), next;
	struct neighbor *n;

	t->armed = 0;			/* nobody else arms it meanwhile */
	while ((n = neighbor_due(t, now, &next)) != NULL)
		expire(n);
	t->armed = UINT64_MAX;
	if (next != UINT64_MAX && callout_reset(&t->timer, next) == 0)
		t->armed = next;
}
