/*
 * Neighbours: the link address of an IP address on an interface's link, configured by the host or
 * learned from what was seen. The media's pre-output asks here. Nothing is asked on the link (there
 * is no ARP or neighbour discovery yet), so an unknown neighbour cannot be reached, unless a default
 * stands for it. Bounded: the
 * oldest of NEIGHBOR_MAX makes room.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/net/route_private.h"

static struct neighbor_bucket *
bucket(struct route_state *rs, const uint8_t *addr)
{
	return &rs->neighbors[hash_words(addr, 16) & (NEIGHBOR_BUCKETS - 1)];
}

/* Sixteen bytes that name the address; false for families that have no neighbours. */
static bool
key(const struct sockaddr *sa, uint8_t addr[16])
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

static struct neighbor *
find(struct ifnet *ifp, uint8_t family, const uint8_t addr[16])
{
	struct neighbor *n;

	LIST_FOREACH(n, bucket(ifp->machine->routes, addr), hash)
		if (n->ifp == ifp && n->family == family && memcmp(n->addr, addr, 16) == 0)
			return n;
	return NULL;
}

static void
forget(struct route_state *rs, struct neighbor *n)
{
	LIST_REMOVE(n, hash);
	TAILQ_REMOVE(&rs->neighbor_ages, n, age);
	rs->neighbor_count--;
	kfree(n->ifp->machine, n);
}

bool
neighbor_lookup(struct nke *m, struct ifnet *ifp, const struct sockaddr *sa, uint8_t lladdr[6])
{
	const struct neighbor *n;
	uint8_t addr[16];

	(void)m;
	if (!key(sa, addr))
		return false;
	n = find(ifp, sa->sa_family, addr);
	if (n == NULL && !ifp->has_neighbor_default)
		return false;
	memcpy(lladdr, n != NULL ? n->lladdr : ifp->neighbor_default, 6);
	return true;
}

void
neighbor_set_default(struct nke *m, struct ifnet *ifp, const uint8_t lladdr[6])
{
	(void)m;
	memcpy(ifp->neighbor_default, lladdr, 6);
	ifp->has_neighbor_default = true;
}

errno_t
neighbor_learn(struct nke *m, struct ifnet *ifp, const struct sockaddr *sa, const uint8_t lladdr[6])
{
	struct route_state *rs = m->routes;
	struct neighbor *n;
	uint8_t addr[16];

	if (!key(sa, addr))
		return EINVAL;
	n = find(ifp, sa->sa_family, addr);
	if (n == NULL) {
		if (rs->neighbor_count == NEIGHBOR_MAX)
			forget(rs, TAILQ_FIRST(&rs->neighbor_ages));
		n = kalloc(m, sizeof *n);
		if (n == NULL)
			return ENOMEM;
		n->ifp = ifp;
		n->family = sa->sa_family;
		memcpy(n->addr, addr, 16);
		LIST_INSERT_HEAD(bucket(rs, addr), n, hash);
		TAILQ_INSERT_TAIL(&rs->neighbor_ages, n, age);
		rs->neighbor_count++;
	}
	memcpy(n->lladdr, lladdr, 6);
	return 0;
}

void
neighbor_forget(struct ifnet *ifp)
{
	struct route_state *rs = ifp->machine->routes;
	struct neighbor *n, *next;

	TAILQ_FOREACH_SAFE(n, &rs->neighbor_ages, age, next)
		if (n->ifp == ifp)
			forget(rs, n);
}
