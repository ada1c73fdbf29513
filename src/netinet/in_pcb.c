/*
 * Protocol control blocks: their life, and finding the one that a packet is for.
 *
 * Two tables per protocol. One is keyed by all four of a block's addresses and ports; a packet is looked
 * for at most three times: as connected, as bound to an address, as bound to a port only. What no block
 * is, is not looked for. The other is keyed by the local port, for connected blocks and others apart: it
 * serves bind, and datagrams that go to every member of a group. Both grow with the number of bound blocks,
 * so the cost of finding one does not.
 *
 * Limits: INPCB_MAX blocks per machine. Left out: the tables never shrink while the machine lives.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/kern/prng.h"
#include "src/netinet/in_pcb.h"
#include "src/netinet/in_subr.h"
#include "src/netinet/ip_state.h"

#define BUCKETS_MIN	32u
#define BUCKETS_MAX	INPCB_MAX

/* ---- hashes ------------------------------------------------------------------------------- */

/* Both halves of the product of two words: neither is enough to choose the result. */
static inline uint64_t
mix(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t
word(const struct in6_addr *a, int half)
{
	uint64_t w;

	memcpy(&w, &a->s6_addr32[2 * half], sizeof w);
	return w;
}

static inline uint32_t
hash_ends(const struct inpcbinfo *info, const struct in6_addr *faddr, uint16_t fport,
    const struct in6_addr *laddr, uint16_t lport)
{
	uint64_t ports = (uint64_t)fport << 16 | lport, h;

	h = mix(word(faddr, 1) ^ info->key[0], word(laddr, 1) ^ info->key[1]);
	if ((faddr->s6_addr32[0] | laddr->s6_addr32[0]) != 0)
		h ^= mix(word(faddr, 0) ^ info->key[1], word(laddr, 0) ^ info->key[0]);
	return (uint32_t)mix(h ^ ports, info->key[1] | 1);
}

struct inpcb_bucket *
in_pcbport(struct inpcbinfo *info, uint16_t lport, bool connected)
{
	uint64_t what = (uint64_t)connected << 16 | lport;

	return &info->porthash[(uint32_t)mix(what ^ info->key[0], info->key[1] | 1) & (info->buckets - 1)];
}

static enum inpcb_class
class_of(const struct inpcb *inp)
{
	if (inp->inp_fport != 0)
		return INPCB_CONNECTED;
	return IN6_IS_ADDR_UNSPECIFIED(&inp->inp_laddr6) ? INPCB_PORT : INPCB_ADDRESS;
}

static void
hash_insert(struct inpcb *inp)
{
	struct inpcbinfo *info = inp->inp_info;

	inp->inp_hashval = hash_ends(info, &inp->inp_faddr6, inp->inp_fport, &inp->inp_laddr6,
	    inp->inp_lport);
	LIST_INSERT_HEAD(&info->hash[inp->inp_hashval & (info->buckets - 1)], inp, inp_hash);
	LIST_INSERT_HEAD(in_pcbport(info, inp->inp_lport, inp->inp_fport != 0), inp, inp_portlist);
}

/* Twice the buckets. Without memory it stays as it is: slower, not wrong. */
static void
hash_grow(struct inpcbinfo *info)
{
	uint32_t buckets = info->buckets * 2;
	struct inpcb_bucket *hash = kalloc(info->machine, buckets * sizeof *hash);
	struct inpcb_bucket *porthash = kalloc(info->machine, buckets * sizeof *porthash);
	struct inpcb *inp;

	if (hash == NULL || porthash == NULL) {
		kfree(info->machine, hash);
		kfree(info->machine, porthash);
		return;
	}
	kfree(info->machine, info->hash);
	kfree(info->machine, info->porthash);
	info->hash = hash;
	info->porthash = porthash;
	info->buckets = buckets;
	/* The oldest first: the newest stays in front of its chain. */
	TAILQ_FOREACH_REVERSE(inp, &info->list, inpcb_list, inp_list)
		if (inp->inp_flags & INP_HASHED)
			hash_insert(inp);
}

void
in_pcbunhash(struct inpcb *inp)
{
	if (!(inp->inp_flags & INP_HASHED))
		return;
	LIST_REMOVE(inp, inp_hash);
	LIST_REMOVE(inp, inp_portlist);
	inp->inp_flags &= ~(uint32_t)INP_HASHED;
	inp->inp_info->changes++;
	inp->inp_info->hashed--;
	inp->inp_info->classes[inp->inp_class]--;
}

void
in_pcbrehash(struct inpcb *inp)
{
	struct inpcbinfo *info = inp->inp_info;

	in_pcbunhash(inp);
	if (inp->inp_lport == 0)
		return;
	if (info->hashed >= info->buckets && info->buckets < BUCKETS_MAX)
		hash_grow(info);
	inp->inp_flags |= INP_HASHED;
	info->changes++;
	info->hashed++;
	inp->inp_class = (uint8_t)class_of(inp);
	info->classes[inp->inp_class]++;
	hash_insert(inp);
}

/* ---- finding ------------------------------------------------------------------------------ */

/* May it have packets that come by this interface? */
static inline bool
interface_fits(const struct inpcb *inp, const struct ifnet *ifp)
{
	if (LIKELY(inp->inp_boundif == NULL || ifp == NULL || inp->inp_boundif == ifp))
		return true;
	/* What this machine sends itself comes by lo0, whatever the sender is bound to. */
	return (ifp->flags & IFF_LOOPBACK) != 0;
}

static inline bool
zones_fit(const struct inpcb *inp, const struct ifnet *ifp)
{
	if (LIKELY((inp->inp_lzone | inp->inp_fzone) == 0) || ifp == NULL ||
	    (ifp->flags & IFF_LOOPBACK))
		return true;
	return (inp->inp_lzone == 0 || inp->inp_lzone == ifp->index) &&
	    (inp->inp_fzone == 0 || inp->inp_fzone == ifp->index);
}

static inline struct inpcb *
find(struct inpcbinfo *info, uint32_t h, const struct in_ends *e, const struct in6_addr *faddr,
    uint16_t fport, const struct in6_addr *laddr)
{
	struct inpcb *inp, *other = NULL;

	LIST_FOREACH(inp, &info->hash[h & (info->buckets - 1)], inp_hash) {
		if (inp->inp_hashval != h || inp->inp_lport != e->lport || inp->inp_fport != fport ||
		    !(inp->inp_vflag & e->vflag) || !IN6_ARE_ADDR_EQUAL(&inp->inp_faddr6, faddr) ||
		    !IN6_ARE_ADDR_EQUAL(&inp->inp_laddr6, laddr) || !interface_fits(inp, e->ifp) ||
		    !zones_fit(inp, e->ifp))
			continue;
		/* A socket of the packet's own family comes before a dual one. */
		if (LIKELY(inp->inp_vflag == e->vflag))
			return inp;
		if (other == NULL)
			other = inp;
	}
	return other;
}

struct inpcb *
in_pcblookup(struct inpcbinfo *info, const struct in_ends *e, bool wild)
{
	static const struct in6_addr any;
	uint32_t connected = 0, address = 0, port;
	struct inpcb *inp = NULL;

	/* In a large table each is far away: all are fetched at once. */
	if (info->classes[INPCB_CONNECTED] != 0) {
		connected = hash_ends(info, &e->faddr, e->fport, &e->laddr, e->lport);
		__builtin_prefetch(&info->hash[connected & (info->buckets - 1)]);
	}
	if (wild && info->classes[INPCB_ADDRESS] != 0) {
		address = hash_ends(info, &any, 0, &e->laddr, e->lport);
		__builtin_prefetch(&info->hash[address & (info->buckets - 1)]);
	}
	if (info->classes[INPCB_CONNECTED] != 0)
		inp = find(info, connected, e, &e->faddr, e->fport, &e->laddr);
	if (inp == NULL && wild && info->classes[INPCB_ADDRESS] != 0)
		inp = find(info, address, e, &any, 0, &e->laddr);
	if (inp == NULL && wild && info->classes[INPCB_PORT] != 0) {
		port = hash_ends(info, &any, 0, &any, e->lport);
		inp = find(info, port, e, &any, 0, &any);
	}
	return inp;
}

/* ---- life --------------------------------------------------------------------------------- */

errno_t
in_pcbinfo_init_sized(struct nke *machine, struct inpcbinfo *info, uint8_t protocol, size_t size)
{
	memset(info, 0, sizeof *info);
	zone_init(&info->zone, machine, "protocol control block", size);
	info->machine = machine;
	info->protocol = protocol;
	TAILQ_INIT(&info->list);
	info->buckets = BUCKETS_MIN;
	info->hash = kalloc(machine, BUCKETS_MIN * sizeof *info->hash);
	info->porthash = kalloc(machine, BUCKETS_MIN * sizeof *info->porthash);
	if (info->hash == NULL || info->porthash == NULL) {
		in_pcbinfo_fini(info);
		return ENOMEM;
	}
	prng_bytes(machine, info->key, sizeof info->key);
	prng_bytes(machine, info->port_key, sizeof info->port_key);
	prng_bytes(machine, info->port_table, sizeof info->port_table);
	return 0;
}

errno_t
in_pcbinfo_init(struct nke *machine, struct inpcbinfo *info, uint8_t protocol)
{
	return in_pcbinfo_init_sized(machine, info, protocol, sizeof(struct inpcb));
}

void
in_pcbinfo_empty(struct inpcbinfo *info)
{
	struct inpcb *inp;

	while ((inp = TAILQ_FIRST(&info->list)) != NULL)
		in_pcbdetach(inp);
}

void
in_pcbinfo_fini(struct inpcbinfo *info)
{
	in_pcbinfo_empty(info);
	kfree(info->machine, info->hash);
	kfree(info->machine, info->porthash);
	info->hash = info->porthash = NULL;
	zone_fini(&info->zone);
}

errno_t
in_pcballoc(struct socket *so, struct inpcbinfo *info)
{
	struct inet_state *s = info->machine->inet;
	struct inpcb *inp;

	if (s->pcbs >= INPCB_MAX)
		return ENOBUFS;
	inp = zone_alloc(&info->zone);
	if (inp == NULL)
		return ENOBUFS;
	s->pcbs++;
	inp->inp_socket = so;
	inp->inp_info = info;
	inp->inp_vflag = so->so_family == PF_INET6 ? INP_IPV6 : INP_IPV4;
	if (so->so_family == PF_INET6 && s->v6only)
		inp->inp_flags |= INP_V6ONLY;
	inp->inp_ttl = (uint8_t)info->machine->ip->default_ttl;
	inp->inp_hops = -1;
	TAILQ_INSERT_HEAD(&info->list, inp, inp_list);
	info->count++;
	so->so_pcb = inp;
	return 0;
}

void
in_pcbdetach(struct inpcb *inp)
{
	struct inpcbinfo *info = inp->inp_info;

	in_pcbunhash(inp);
	TAILQ_REMOVE(&info->list, inp, inp_list);
	info->count--;
	info->machine->inet->pcbs--;
	inp->inp_socket->so_pcb = NULL;
	in_moptions_free(inp);
	route_clear(&inp->inp_route);
	if (inp->inp_boundif != NULL)
		ifnet_drop(inp->inp_boundif);
	kfree(info->machine, inp->inp_options);
	kfree(info->machine, inp->inp_source);
	if (inp->inp_options6 != NULL)
		in6_pktopts_free(info->machine, inp->inp_options6);
	zone_free(&info->zone, inp);
}
