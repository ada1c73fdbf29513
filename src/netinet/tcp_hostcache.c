/*
 * The host cache: what connections learned about the way to a peer, for the next one to it (RFC 9040, the
 * temporal sharing of it): round trip time and its variation, slow start threshold, path MTU.
 *
 * State: machine->tcp->hostcache: entries in a keyed hash by address, and in a queue by the last time they
 * were learned from. Way in: the end of connections (tcp_subr.c), smaller path MTUs (tcp_notify.c). Way
 * out: beginnings (cc.c, tcp_rtt.c, tcp_mss.c). Timer: one callout for the oldest entry, which goes
 * net.inet.tcp.hostcache.expire seconds after its last use.
 *
 * Limits: net.inet.tcp.hostcache.cachelimit entries and 30 in a bucket; the oldest goes for a new one.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/prng.h"
#include "src/kern/sched.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_number.h"
#include "src/netinet/in_siphash.h"
#include "src/netinet/tcp_private.h"

#define BUCKETS		512u
#define BUCKET_LIMIT	30u
#define PRUNE_NS	(300 * TCP_NS_PER_S)	/* net.inet.tcp.hostcache.purge takes that long at most */

struct host {
	TAILQ_ENTRY(host) in_bucket;
	TAILQ_ENTRY(host) by_time;	/* the oldest first */
	uint64_t learned;		/* uptime */
	struct in6_addr addr;
	uint8_t vflag;
	uint16_t bucket;
	struct tcp_hostinfo info;
};
TAILQ_HEAD(host_list, host);

struct tcp_hostcache {
	struct nke *machine;
	struct callout timer;
	struct host_list by_time;
	uint32_t count;
	int purge;			/* all go when the timer runs next */
	uint64_t key[2];
	struct {
		struct host_list list;
		uint32_t count;
	} buckets[BUCKETS];
};

/* ---- the table ---------------------------------------------------------------------------- */

static uint16_t
bucket_of(const struct tcp_hostcache *c, const struct in6_addr *addr, uint8_t vflag)
{
	struct in_siphash h;

	in_siphash_begin(&h, c->key);
	in_siphash_address(&h, vflag, addr);
	return (uint16_t)(in_siphash_end(&h) % BUCKETS);
}

static struct host *
find(struct tcp_hostcache *c, uint16_t bucket, const struct in6_addr *addr, uint8_t vflag)
{
	struct host *h;

	TAILQ_FOREACH(h, &c->buckets[bucket].list, in_bucket)
		if (h->vflag == vflag && IN6_ARE_ADDR_EQUAL(&h->addr, addr))
			return h;
	return NULL;
}

static void
forget(struct tcp_hostcache *c, struct host *h)
{
	TAILQ_REMOVE(&c->buckets[h->bucket].list, h, in_bucket);
	c->buckets[h->bucket].count--;
	TAILQ_REMOVE(&c->by_time, h, by_time);
	c->count--;
	kfree(c->machine, h);
}

static void
purge(struct tcp_hostcache *c)
{
	while (!TAILQ_EMPTY(&c->by_time))
		forget(c, TAILQ_FIRST(&c->by_time));
	c->purge = 0;
}

/* ---- time --------------------------------------------------------------------------------- */

static uint64_t
lifetime(const struct tcp_hostcache *c)
{
	return (uint64_t)c->machine->tcp->config.hostcache_expire * TCP_NS_PER_S;
}

/* Without memory for it, entries stay until they are too many. */
static void
arm(struct tcp_hostcache *c)
{
	const struct host *first = TAILQ_FIRST(&c->by_time);

	if (first != NULL && !callout_pending(&c->timer))
		(void)callout_reset(&c->timer, first->learned + lifetime(c));
}

static void
expire(void *arg)
{
	struct tcp_hostcache *c = arg;
	uint64_t now = machine_now(c->machine);
	struct host *h;

	if (c->purge)
		purge(c);
	while ((h = TAILQ_FIRST(&c->by_time)) != NULL && h->learned + lifetime(c) <= now)
		forget(c, h);
	arm(c);
}

static void
plan_purge(struct tcp_hostcache *c, bool planned)
{
	uint64_t deadline = machine_now(c->machine) + PRUNE_NS;

	c->purge = planned;
	if (planned && callout_pending(&c->timer) && c->timer.deadline > deadline)
		(void)callout_reset(&c->timer, deadline);
}

/* ---- learning and asking ------------------------------------------------------------------ */

/* NULL: no room. */
static struct host *
make(struct tcp_hostcache *c, uint16_t bucket, const struct in6_addr *addr, uint8_t vflag)
{
	const struct tcp_config *config = &c->machine->tcp->config;
	struct tcpstat *st = &c->machine->tcp->stat;
	struct host *h;

	if (config->hostcache_limit <= 0)
		return NULL;
	if (c->buckets[bucket].count >= BUCKET_LIMIT) {
		st->tcps_hc_bucketoverflow++;
		forget(c, TAILQ_LAST(&c->buckets[bucket].list, host_list));
	}
	while (c->count >= (uint32_t)config->hostcache_limit)
		forget(c, TAILQ_FIRST(&c->by_time));
	h = kalloc(c->machine, sizeof *h);
	if (h == NULL)
		return NULL;
	h->addr = *addr;
	h->vflag = vflag;
	h->bucket = bucket;
	TAILQ_INSERT_HEAD(&c->buckets[bucket].list, h, in_bucket);
	TAILQ_INSERT_TAIL(&c->by_time, h, by_time);
	c->buckets[bucket].count++;
	c->count++;
	st->tcps_hc_added++;
	return h;
}

/* Half of the old, half of the new; 0 is not known. */
static uint32_t
mean(uint32_t old, uint32_t fresh)
{
	if (old == 0 || fresh == 0)
		return old + fresh;
	return (uint32_t)(((uint64_t)old + fresh) / 2);
}

void
tcp_hostcache_update(struct nke *machine, const struct in6_addr *addr, uint8_t vflag,
    const struct tcp_hostinfo *info)
{
	struct tcp_hostcache *c = machine->tcp->hostcache;
	uint16_t bucket;
	struct host *h;

	if (c == NULL || !machine->tcp->config.hostcache_enable)
		return;
	bucket = bucket_of(c, addr, vflag);
	h = find(c, bucket, addr, vflag);
	if (h == NULL)
		h = make(c, bucket, addr, vflag);
	if (h == NULL)
		return;
	h->learned = machine_now(machine);
	TAILQ_REMOVE(&c->by_time, h, by_time);
	TAILQ_INSERT_TAIL(&c->by_time, h, by_time);
	/* In its bucket, too, the oldest is the last. */
	TAILQ_REMOVE(&c->buckets[bucket].list, h, in_bucket);
	TAILQ_INSERT_HEAD(&c->buckets[bucket].list, h, in_bucket);
	machine->tcp->stat.tcps_cachedrtt += info->rtt_us != 0;
	machine->tcp->stat.tcps_cachedrttvar += info->rttvar_us != 0;
	machine->tcp->stat.tcps_cachedssthresh += info->ssthresh != 0;
	h->info.rtt_us = mean(h->info.rtt_us, info->rtt_us);
	h->info.rttvar_us = mean(h->info.rttvar_us, info->rttvar_us);
	h->info.ssthresh = mean(h->info.ssthresh, info->ssthresh);
	if (info->mtu != 0)
		h->info.mtu = info->mtu;
	arm(c);
}

bool
tcp_hostcache_get(struct nke *machine, const struct in6_addr *addr, uint8_t vflag, struct tcp_hostinfo *info)
{
	struct tcp_hostcache *c = machine->tcp->hostcache;
	const struct host *h;

	if (c == NULL || c->count == 0 || !machine->tcp->config.hostcache_enable)
		return false;
	h = find(c, bucket_of(c, addr, vflag), addr, vflag);
	if (h == NULL || h->learned + lifetime(c) <= machine_now(machine))
		return false;
	*info = h->info;
	return true;
}

/* ---- life --------------------------------------------------------------------------------- */

static int
handle_count SYSCTL_HANDLER_ARGS
{
	const struct tcp_hostcache *c = arg1;

	(void)oidp;
	(void)arg2;
	return sysctl_number(req, c->count, sizeof c->count, NULL, NULL);
}

/* arg2: 0: when the timer runs next, 1: now. */
static int
handle_purge SYSCTL_HANDLER_ARGS
{
	struct tcp_hostcache *c = arg1;
	int value = c->purge, changed, error;

	(void)oidp;
	error = sysctl_number(req, value, sizeof value, &value, &changed);
	if (error != 0 || !changed)
		return error;
	if (arg2 == 0)
		plan_purge(c, value != 0);
	else if (value != 0)
		purge(c);
	return 0;
}

static errno_t
add_variables(struct nke *machine, struct tcp_hostcache *c)
{
	struct sysctl_oid_list *parent = &machine->tcp->branches[TCP_BRANCH_HOSTCACHE];
	errno_t error;

	error = sysctl_add(machine, parent, OID_AUTO, "count", CTLTYPE_INT | CTLFLAG_RD, c, 0, handle_count,
	    "IU");
	if (error == 0)
		error = sysctl_add(machine, parent, OID_AUTO, "purge", CTLTYPE_INT | CTLFLAG_RW, c, 0,
		    handle_purge, "I");
	if (error == 0)
		error = sysctl_add(machine, parent, OID_AUTO, "purgenow", CTLTYPE_INT | CTLFLAG_RW, c, 1,
		    handle_purge, "I");
	return error;
}

errno_t
tcp_hostcache_init(struct nke *machine)
{
	struct tcp_hostcache *c = kalloc(machine, sizeof *c);
	errno_t error;

	if (c == NULL)
		return ENOMEM;
	c->machine = machine;
	TAILQ_INIT(&c->by_time);
	for (unsigned i = 0; i < BUCKETS; i++)
		TAILQ_INIT(&c->buckets[i].list);
	prng_bytes(machine, c->key, sizeof c->key);
	callout_init(&c->timer, machine, expire, c);
	error = add_variables(machine, c);
	if (error != 0) {
		kfree(machine, c);
		return error;
	}
	machine->tcp->hostcache = c;
	return 0;
}

void
tcp_hostcache_fini(struct nke *machine)
{
	struct tcp_hostcache *c = machine->tcp->hostcache;

	if (c == NULL)
		return;
	callout_drain(&c->timer);
	purge(c);
	kfree(machine, c);
	machine->tcp->hostcache = NULL;
}
