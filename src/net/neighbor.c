/*
 * The table of neighbours: entries by interface and address in a hash, and for each family and state in a
 * list ordered by what is due next, so that one callout serves all of them and the oldest of the least
 * valuable is at hand when room is needed. What happens to an entry is in neighbor_state.c.
 *
 * Limits: NEIGHBOR_MAX entries, NEIGHBOR_IF_MAX of an interface, NEIGHBOR_ASKED_MAX that are being asked for.
 * When one is reached the oldest that nobody answered for goes, then those that are stale, then learned ones,
 * then those in use; what the host configured for good stays.
 */
#include <netinet/in.h>
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/prng.h"
#include "src/net/neighbor_private.h"
#include "src/net/route_private.h"

/* ---- names -------------------------------------------------------------------------------- */

/* Keyed, so that nobody can choose addresses that meet in one bucket. */
static struct neighbor_bucket *
bucket(struct neighbor_table *t, const uint8_t *addr)
{
	uint64_t a, b;

	memcpy(&a, addr, 8);
	memcpy(&b, addr + 8, 8);
	a = (a ^ t->key[0]) * UINT64_C(0x9e3779b97f4a7c15);
	b = (b ^ t->key[1]) * UINT64_C(0xc2b2ae3d27d4eb4f);
	a ^= b >> 29;
	return &t->buckets[(a * b >> 40 ^ a >> 32) & (NEIGHBOR_BUCKETS - 1)];
}

bool
neighbor_key(const struct sockaddr *sa, uint8_t addr[16])
{
	const uint8_t *bytes;
	size_t n = sockaddr_bytes(sa, &bytes);

	memset(addr, 0, 16);
	if (n == 0)
		return false;
	memcpy(addr, bytes, n);
	/* On one interface a link-local address needs no scope. */
	if (n == 16 && addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80)
		addr[2] = addr[3] = 0;
	return true;
}

void
neighbor_sockaddr(const struct neighbor *n, struct sockaddr_storage *ss)
{
	struct sockaddr_in sin = {.sin_len = sizeof sin, .sin_family = AF_INET};
	struct sockaddr_in6 sin6 = {.sin6_len = sizeof sin6, .sin6_family = AF_INET6};

	memset(ss, 0, sizeof *ss);
	if (n->family == AF_INET) {
		memcpy(&sin.sin_addr, n->addr, 4);
		memcpy(ss, &sin, sizeof sin);
		return;
	}
	memcpy(&sin6.sin6_addr, n->addr, 16);
	if (IN6_IS_ADDR_LINKLOCAL(&sin6.sin6_addr))
		sin6.sin6_scope_id = n->ifp->index;
	memcpy(ss, &sin6, sizeof sin6);
}

struct neighbor *
neighbor_at(struct ifnet *ifp, uint8_t family, const uint8_t addr[16])
{
	struct neighbor *n;

	LIST_FOREACH(n, bucket(ifp->machine->neighbors, addr), hash)
		if (n->ifp == ifp && n->family == family && memcmp(n->addr, addr, 16) == 0)
			return n;
	return NULL;
}

struct neighbor *
neighbor_find(struct ifnet *ifp, const struct sockaddr *sa)
{
	uint8_t addr[16];

	return neighbor_key(sa, addr) ? neighbor_at(ifp, sa->sa_family, addr) : NULL;
}

/* ---- lists by deadline -------------------------------------------------------------------- */

/* Deadlines of one state mostly grow, so the place is near the end. */
static void
enlist(struct neighbor_table *t, struct neighbor *n)
{
	struct neighbor_list *list = &t->lists[neighbor_family(n->family)][n->state];
	struct neighbor *before;

	TAILQ_FOREACH_REVERSE(before, list, neighbor_list, order) {
		if (before->deadline <= n->deadline) {
			TAILQ_INSERT_AFTER(list, before, n, order);
			return;
		}
	}
	TAILQ_INSERT_HEAD(list, n, order);
}

static void
delist(struct neighbor_table *t, struct neighbor *n)
{
	TAILQ_REMOVE(&t->lists[neighbor_family(n->family)][n->state], n, order);
}

static void
uncache(struct neighbor *n)
{
	if (n->ifp->neighbor4 == n)
		n->ifp->neighbor4 = NULL;
	if (n->ifp->neighbor6 == n)
		n->ifp->neighbor6 = NULL;
}

/* Without memory for the callout nothing becomes due until the next one is armed. */
static void
arm(struct neighbor_table *t, uint64_t deadline)
{
	if (deadline >= t->armed)
		return;
	t->armed = callout_reset(&t->timer, deadline) == 0 ? deadline : UINT64_MAX;
}

void
neighbor_set_state(struct neighbor *n, unsigned state, uint64_t deadline)
{
	struct neighbor_table *t = n->ifp->machine->neighbors;

	t->asked -= n->state == NEIGHBOR_INCOMPLETE;
	t->asked += state == NEIGHBOR_INCOMPLETE;
	if (!neighbor_state_usable(state))
		uncache(n);
	delist(t, n);
	n->state = (uint8_t)state;
	n->deadline = deadline;
	enlist(t, n);
	arm(t, deadline);
}

struct neighbor *
neighbor_due(struct neighbor_table *t, uint64_t now, uint64_t *next)
{
	struct neighbor *first = NULL, *n;

	for (unsigned f = 0; f < 2; f++) {
		for (unsigned state = 0; state < NEIGHBOR_STATES; state++) {
			n = TAILQ_FIRST(&t->lists[f][state]);
			if (n != NULL && (first == NULL || n->deadline < first->deadline))
				first = n;
		}
	}
	*next = first != NULL ? first->deadline : UINT64_MAX;
	return first != NULL && first->deadline <= now ? first : NULL;
}

/* ---- life --------------------------------------------------------------------------------- */

void
neighbor_retain(struct neighbor *n)
{
	n->refcount++;
}

void
neighbor_release(struct neighbor *n)
{
	if (--n->refcount == 0)
		kfree(n->ifp->machine, n);
}

void
neighbor_remove(struct neighbor *n)
{
	struct neighbor_table *t = n->ifp->machine->neighbors;

	if (!n->attached)
		return;
	n->attached = false;
	uncache(n);
	delist(t, n);
	LIST_REMOVE(n, hash);
	t->asked -= n->state == NEIGHBOR_INCOMPLETE;
	t->count--;
	n->ifp->neighbor_count--;
	m_freem_list(neighbor_take_held(n));
	neighbor_release(n);
}

/* The oldest in that state, of `ifp` if not NULL, of `first` family if it has one. */
static struct neighbor *
oldest(struct neighbor_table *t, unsigned first, unsigned state, const struct ifnet *ifp)
{
	struct neighbor *n;

	for (unsigned i = 0; i < 2; i++)
		TAILQ_FOREACH(n, &t->lists[first ^ i][state], order)
			if ((ifp == NULL || n->ifp == ifp) && !(n->flags & NEIGHBOR_PERMANENT))
				return n;
	return NULL;
}

static bool
evict_from(struct neighbor_table *t, unsigned family, unsigned state, const struct ifnet *ifp)
{
	struct neighbor *n = oldest(t, family, state, ifp);

	if (n == NULL)
		return false;
	t->stat[neighbor_family(n->family)].evicted++;
	neighbor_remove(n);
	return true;
}

/* False: all that is there must stay. */
static bool
evict(struct neighbor_table *t, unsigned family, const struct ifnet *ifp)
{
	static const uint8_t order[] = {
		NEIGHBOR_FAILED, NEIGHBOR_INCOMPLETE, NEIGHBOR_STALE, NEIGHBOR_CONFIGURED, NEIGHBOR_PROBE,
		NEIGHBOR_DELAY, NEIGHBOR_REACHABLE,
	};

	for (size_t i = 0; i < sizeof order; i++)
		if (evict_from(t, family, order[i], ifp))
			return true;
	return false;
}

static bool
make_room(struct neighbor_table *t, const struct ifnet *ifp, unsigned family, unsigned state)
{
	if (state == NEIGHBOR_INCOMPLETE && t->asked >= NEIGHBOR_ASKED_MAX &&
	    !evict_from(t, family, NEIGHBOR_INCOMPLETE, NULL))
		return false;
	if (ifp->neighbor_count >= NEIGHBOR_IF_MAX && !evict(t, family, ifp))
		return false;
	return t->count < NEIGHBOR_MAX || evict(t, family, NULL);
}

struct neighbor *
neighbor_create(struct ifnet *ifp, uint8_t family, const uint8_t addr[16], unsigned state,
    uint64_t deadline)
{
	struct nke *m = ifp->machine;
	struct neighbor_table *t = m->neighbors;
	unsigned f = neighbor_family(family);
	struct neighbor *n = NULL;

	if (ifp->state != IFNET_ATTACHED || !make_room(t, ifp, f, state) ||
	    (n = kalloc(m, sizeof *n)) == NULL) {
		t->stat[f].refused++;
		return NULL;
	}
	n->ifp = ifp;
	n->family = family;
	memcpy(n->addr, addr, 16);
	n->state = (uint8_t)state;
	n->deadline = deadline;
	n->held_end = &n->held;
	n->attached = true;
	n->refcount = 1;
	LIST_INSERT_HEAD(bucket(t, addr), n, hash);
	enlist(t, n);
	t->asked += state == NEIGHBOR_INCOMPLETE;
	t->count++;
	ifp->neighbor_count++;
	t->stat[f].created++;
	arm(t, deadline);
	if (t->armed > deadline) {
		t->stat[f].refused++;
		neighbor_remove(n);
		return NULL;
	}
	return n;
}

/* ---- look-ups ----------------------------------------------------------------------------- */

bool
neighbor_usable(struct ifnet *ifp, const struct sockaddr *dst, uint8_t lladdr[6])
{
	struct neighbor *n;
	uint8_t addr[16];

	if (!neighbor_key(dst, addr))
		return false;
	n = neighbor_at(ifp, dst->sa_family, addr);
	if (n == NULL || !neighbor_state_usable(n->state))
		return false;
	if (n->family == AF_INET)
		ifp->neighbor4 = n;
	else
		ifp->neighbor6 = n;
	memcpy(lladdr, n->lladdr, 6);
	return true;
}

bool
neighbor_lookup(struct nke *m, struct ifnet *ifp, const struct sockaddr *sa, uint8_t lladdr[6])
{
	const struct neighbor *n;
	uint8_t addr[16];

	(void)m;
	if (!neighbor_key(sa, addr))
		return false;
	n = neighbor_at(ifp, sa->sa_family, addr);
	if (n != NULL && n->state >= NEIGHBOR_STALE)
		memcpy(lladdr, n->lladdr, 6);
	else if (n == NULL && ifp->has_neighbor_default)
		memcpy(lladdr, ifp->neighbor_default, 6);
	else
		return false;
	return true;
}

void
neighbor_walk(struct nke *m, sa_family_t family, bool (*fn)(struct neighbor *, void *), void *ctx)
{
	struct neighbor_table *t = m->neighbors;
	struct neighbor *n;

	for (unsigned f = 0; f < 2; f++)
		for (unsigned state = 0; state < NEIGHBOR_STATES; state++)
			TAILQ_FOREACH(n, &t->lists[f][state], order)
				if ((family == 0 || n->family == family) && !fn(n, ctx))
					return;
}

/* ---- configured ones ---------------------------------------------------------------------- */

void
neighbor_set_default(struct nke *m, struct ifnet *ifp, const uint8_t lladdr[6])
{
	(void)m;
	memcpy(ifp->neighbor_default, lladdr, 6);
	ifp->has_neighbor_default = true;
}

errno_t
neighbor_set(struct ifnet *ifp, const struct sockaddr *sa, const uint8_t lladdr[6], unsigned flags)
{
	struct neighbor *n;
	uint8_t addr[16];

	if (!neighbor_key(sa, addr))
		return EINVAL;
	n = neighbor_at(ifp, sa->sa_family, addr);
	if (n == NULL)
		n = neighbor_create(ifp, sa->sa_family, addr, NEIGHBOR_CONFIGURED, UINT64_MAX);
	if (n == NULL)
		return ENOBUFS;
	n->flags = (uint8_t)(flags & (NEIGHBOR_PERMANENT | NEIGHBOR_PUBLISHED));
	return neighbor_update(ifp, sa, lladdr, NEIGHBOR_CONFIGURES);
}

errno_t
neighbor_learn(struct nke *m, struct ifnet *ifp, const struct sockaddr *sa, const uint8_t lladdr[6])
{
	errno_t error = neighbor_set(ifp, sa, lladdr, 0);

	(void)m;
	return error == ENOBUFS ? ENOMEM : error;
}

errno_t
neighbor_delete(struct ifnet *ifp, const struct sockaddr *sa)
{
	struct neighbor *n = neighbor_find(ifp, sa);

	if (n == NULL)
		return ENOENT;
	neighbor_remove(n);
	return 0;
}

/* ---- many at once ------------------------------------------------------------------------- */

static void
remove_all(struct ifnet *ifp, sa_family_t family, bool configured)
{
	struct neighbor_table *t = ifp->machine->neighbors;
	struct mbuf *held = NULL, **end = &held;
	struct neighbor *n, *next;

	for (unsigned f = 0; f < 2; f++) {
		for (unsigned state = 0; state < NEIGHBOR_STATES; state++) {
			TAILQ_FOREACH_SAFE(n, &t->lists[f][state], order, next) {
				if (n->ifp != ifp || (family != 0 && n->family != family) ||
				    (!configured && state == NEIGHBOR_CONFIGURED))
					continue;
				*end = neighbor_take_held(n);
				while (*end != NULL)
					end = &(*end)->m_nextpkt;
				neighbor_remove(n);
			}
		}
	}
	/* Last, as storage of a kext's may run its code. */
	m_freem_list(held);
}

void
neighbor_flush(struct ifnet *ifp, sa_family_t family)
{
	remove_all(ifp, family, false);
}

void
neighbor_forget(struct ifnet *ifp)
{
	struct neighbor_table *t = ifp->machine->neighbors;

	remove_all(ifp, 0, true);
	for (unsigned f = 0; f < 2; f++)
		if (t->ops[f].interface_gone != NULL)
			t->ops[f].interface_gone(ifp);
}

void
neighbor_interface_up(struct ifnet *ifp)
{
	struct neighbor_table *t = ifp->machine->neighbors;

	for (unsigned f = 0; t != NULL && f < 2; f++)
		if (t->ops[f].interface_up != NULL)
			t->ops[f].interface_up(ifp);
}

/* ---- registrations, the subsystem --------------------------------------------------------- */

void
neighbor_set_output(struct nke *m, errno_t (*output)(struct ifnet *, protocol_family_t, struct mbuf *,
    void *, const struct sockaddr *, bool))
{
	m->neighbors->output = output;
}

void
neighbor_set_ops(struct nke *m, sa_family_t family, const struct neighbor_ops *ops)
{
	m->neighbors->ops[neighbor_family(family)] = *ops;
}

void
neighbor_address_changed(struct ifaddr *ifa, bool added)
{
	struct neighbor_table *t = ifa->ifp->machine->neighbors;
	uint8_t family = ifa->addr.ss_family;

	if ((family == AF_INET || family == AF_INET6) &&
	    t->ops[neighbor_family(family)].address_changed != NULL)
		t->ops[neighbor_family(family)].address_changed(ifa, added);
}

static errno_t
neighbor_init(struct nke *m)
{
	struct neighbor_table *t = kalloc(m, sizeof *t);

	if (t == NULL)
		return ENOMEM;
	for (unsigned f = 0; f < 2; f++)
		for (unsigned state = 0; state < NEIGHBOR_STATES; state++)
			TAILQ_INIT(&t->lists[f][state]);
	t->armed = UINT64_MAX;
	prng_bytes(m, t->key, sizeof t->key);
	callout_init(&t->timer, m, neighbor_timer, m);
	m->neighbors = t;
	return 0;
}

/* Nothing is asked or told any more; packets that wait go. */
static void
neighbor_quiesce(struct nke *m)
{
	struct neighbor_table *t = m->neighbors;
	struct neighbor *n;

	callout_drain(&t->timer);
	memset(t->ops, 0, sizeof t->ops);
	for (unsigned f = 0; f < 2; f++)
		for (unsigned state = 0; state < NEIGHBOR_STATES; state++)
			while ((n = TAILQ_FIRST(&t->lists[f][state])) != NULL)
				neighbor_remove(n);
}

/* An interface that goes later still asks: the table is left to the heap. */
static void
neighbor_fini(struct nke *m)
{
	m->neighbors = NULL;
}

const struct subsystem neighbor_subsystem = {
	.name = "neighbor", .init = neighbor_init, .quiesce = neighbor_quiesce, .fini = neighbor_fini
};
