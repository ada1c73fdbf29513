/*
 * The SYN cache: connections whose handshake is not finished, kept in 130 octets each instead of a socket
 * (RFC 9293, SYN-RECEIVED of passive opens; RFC 4987 section 3.5).
 *
 * State: machine->tcp->syncache. Entries are in a keyed hash by their ends, and in queues by how often
 * they were answered; each queue is in the order of what is due. Way in: a SYN at a listener
 * (syncache_add), the ACK that finishes it (syncache_expand), a RST, an ICMP error. Way out: SYN-ACKs and,
 * in the end, a connection (tcp_synack.c), which then gets the ACK itself. Timer: one callout for the
 * cache; the SYN-ACK is sent again after 1, 2, 4 ... seconds, net.inet.tcp.syncache.rexmtlimit times.
 *
 * Limits: net.inet.tcp.syncache.cachelimit entries, bucketlimit in a bucket. When one is reached the next
 * SYNs are answered by cookies (tcp_syncookie.c) and nothing is kept of them; with net.inet.tcp.syncookies
 * off the oldest entry goes. A RST or ICMP error has to know the sequence numbers. An ACK for which the
 * listen queue has no room is dropped and the entry stays, so that the peer, which retransmits, may find
 * room later; with rst_on_sock_fail it is told at once.
 *
 * Left out: data on a SYN, unless it is fast open's, is not kept: the peer sends it again.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/prng.h"
#include "src/kern/sched.h"
#include "src/kern/so_filter.h"
#include "src/netinet/in_siphash.h"
#include "src/netinet/tcp_syncache.h"

#define BUCKETS_MIN	64u
#define BUCKETS_MAX	16384u
#define LEVELS		(TCP_MAXRXTSHIFT + 1)
#define TIMEOUT_MAX	(64 * TCP_NS_PER_S)

TAILQ_HEAD(half_open_list, half_open);

struct syncache_bucket {
	struct half_open_list list;
	uint32_t count;
};

struct tcp_syncache {
	struct nke *machine;
	struct callout timer;
	uint32_t count;
	uint64_t key[2];
	struct syncookies cookies;
	struct half_open_list levels[LEVELS];	/* by retransmissions, then by what is due first */
	uint32_t size;			/* of `buckets`: a power of two, grows with `count` */
	struct syncache_bucket *buckets;
};

/* ---- the table ---------------------------------------------------------------------------- */

static inline struct syncache_bucket *
bucket_of(struct tcp_syncache *s, const struct in_ends *e)
{
	struct in_siphash h;

	in_siphash_ends(&h, s->key, e);
	return &s->buckets[in_siphash_end(&h) & (s->size - 1)];
}

static inline struct in_ends
ends_of(const struct half_open *h)
{
	struct in_ends e = {
		.faddr = h->faddr, .laddr = h->laddr, .fport = h->fport, .lport = h->lport, .vflag = h->vflag
	};

	return e;
}

static void
bucket_insert(struct tcp_syncache *s, struct half_open *h)
{
	struct in_ends e = ends_of(h);
	struct syncache_bucket *b = bucket_of(s, &e);

	TAILQ_INSERT_HEAD(&b->list, h, in_bucket);
	b->count++;
}

static struct syncache_bucket *
buckets_alloc(struct nke *machine, uint32_t size)
{
	struct syncache_bucket *b = kalloc(machine, size * sizeof *b);

	for (uint32_t i = 0; b != NULL && i < size; i++)
		TAILQ_INIT(&b[i].list);
	return b;
}

/* Twice the buckets. Without memory it stays as it is: slower, not wrong. */
static void
grow(struct tcp_syncache *s)
{
	struct syncache_bucket *fresh = buckets_alloc(s->machine, s->size * 2);
	struct half_open *h;

	if (fresh == NULL)
		return;
	kfree(s->machine, s->buckets);
	s->buckets = fresh;
	s->size *= 2;
	/* About the oldest first: the newest stay in front. */
	for (unsigned level = LEVELS; level-- > 0;)
		TAILQ_FOREACH(h, &s->levels[level], by_time)
			bucket_insert(s, h);
}

static inline bool
is_for(const struct half_open *h, const struct in_ends *e)
{
	if (h->fport != e->fport || h->lport != e->lport || h->vflag != e->vflag ||
	    !IN6_ARE_ADDR_EQUAL(&h->faddr, &e->faddr) || !IN6_ARE_ADDR_EQUAL(&h->laddr, &e->laddr))
		return false;
	return LIKELY(h->zone == 0) || e->ifp == NULL || (e->ifp->flags & IFF_LOOPBACK) ||
	    h->zone == e->ifp->index;
}

static struct half_open *
find(struct tcp_syncache *s, const struct in_ends *e)
{
	struct half_open *h;

	if (s->count == 0)
		return NULL;
	TAILQ_FOREACH(h, &bucket_of(s, e)->list, in_bucket)
		if (is_for(h, e))
			return h;
	return NULL;
}

static void
forget(struct tcp_syncache *s, struct half_open *h)
{
	struct in_ends e = ends_of(h);
	struct syncache_bucket *b = bucket_of(s, &e);

	TAILQ_REMOVE(&b->list, h, in_bucket);
	b->count--;
	TAILQ_REMOVE(&s->levels[h->retransmits], h, by_time);
	s->count--;
	kfree(s->machine, h);
}

/* The entry that was answered most often and waits longest. */
static struct half_open *
oldest(struct tcp_syncache *s)
{
	for (unsigned level = LEVELS; level-- > 0;)
		if (!TAILQ_EMPTY(&s->levels[level]))
			return TAILQ_FIRST(&s->levels[level]);
	return NULL;
}

/* ---- time --------------------------------------------------------------------------------- */

static void
arm(struct tcp_syncache *s)
{
	uint64_t first = UINT64_MAX;

	for (unsigned level = 0; level < LEVELS; level++) {
		const struct half_open *h = TAILQ_FIRST(&s->levels[level]);

		if (h != NULL && h->due < first)
			first = h->due;
	}
	/* An earlier one stays: it finds nothing to do and looks again. */
	if (first == UINT64_MAX || (callout_pending(&s->timer) && s->timer.deadline <= first))
		return;
	/* Without memory for it, entries wait for the next one to be armed. */
	(void)callout_reset(&s->timer, first);
}

/* The entry was answered now, for the `retransmits`th time. */
static void
enqueue(struct tcp_syncache *s, struct half_open *h)
{
	const struct tcp_config *c = &s->machine->tcp->config;
	uint64_t wait = (uint64_t)c->rexmit_initial * TCP_NS_PER_MS << h->retransmits;

	if (wait > (uint64_t)c->rexmit_max * TCP_NS_PER_MS)
		wait = (uint64_t)c->rexmit_max * TCP_NS_PER_MS;
	h->sent = machine_now(s->machine);
	h->due = h->sent + (wait < TIMEOUT_MAX ? wait : TIMEOUT_MAX);
	TAILQ_INSERT_TAIL(&s->levels[h->retransmits], h, by_time);
	arm(s);
}

static void
handle_due(struct tcp_syncache *s, struct half_open *h)
{
	struct nke *machine = s->machine;
	int limit = machine->tcp->config.syncache_rexmtlimit;

	if (h->retransmits >= limit || h->retransmits + 1 >= LEVELS) {
		machine->tcp->stat.tcps_sc_stale++;
		machine->tcp->stat.tcps_sc_dropped++;
		forget(s, h);
		return;
	}
	TAILQ_REMOVE(&s->levels[h->retransmits], h, by_time);
	h->retransmits++;
	enqueue(s, h);
	machine->tcp->stat.tcps_sc_retransmitted++;
	machine->tcp->stat.tcps_sndrexmitpack++;
	half_open_answer(machine, h);
}

static void
timer(void *arg)
{
	struct tcp_syncache *s = arg;
	uint64_t now = machine_now(s->machine);
	struct half_open *h;

	for (unsigned level = 0; level < LEVELS; level++)
		while ((h = TAILQ_FIRST(&s->levels[level])) != NULL && h->due <= now)
			handle_due(s, h);
	arm(s);
}

/* ---- SYNs --------------------------------------------------------------------------------- */

/* The same SYN again, or one of a peer that has forgotten the first: it is told what we know. */
static void
same_again(struct tcp_syncache *s, struct half_open *h, struct inpcb *listener, const struct tcp_segment *seg)
{
	s->machine->tcp->stat.tcps_sc_dupsyn++;
	h->listener = listener;
	h->flags &= (uint16_t)~HO_UNREACH;
	if (seg->seq == h->irs) {
		if ((h->flags & HO_TSTMP) && (seg->to.to_flags & TOF_TS) &&
		    (int32_t)(seg->to.to_tsval - h->ts_recent) > 0)
			h->ts_recent = seg->to.to_tsval;
		half_open_ecn_again(h, seg);
	}
	TAILQ_REMOVE(&s->levels[h->retransmits], h, by_time);
	/* Its round trip cannot be told any more, but nothing says that the SYN-ACK was lost. */
	h->retransmits = 0;
	h->flags |= HO_UNTIMED;
	enqueue(s, h);
	half_open_answer(s->machine, h);
}

static void
drop_for_room(struct tcp_syncache *s, struct half_open *h)
{
	s->machine->tcp->stat.tcps_sc_dropped++;
	forget(s, h);
}

/* Room for one more in the bucket; counts why there was none. False: there is none, or cookies do it. */
static bool
make_room(struct tcp_syncache *s, struct syncache_bucket *b)
{
	const struct tcp_config *c = &s->machine->tcp->config;
	struct tcpstat *st = &s->machine->tcp->stat;

	if (c->syncookies && c->syncookiesonly)
		return false;
	if (b->count >= (uint32_t)c->syncache_bucketlimit) {
		st->tcps_sc_bucketoverflow++;
		if (c->syncookies || b->count == 0)
			return false;
		drop_for_room(s, TAILQ_LAST(&b->list, half_open_list));
	}
	while (s->count >= (uint32_t)c->syncache_cachelimit) {
		st->tcps_sc_cacheoverflow++;
		if (c->syncookies || s->count == 0)
			return false;
		drop_for_room(s, oldest(s));
	}
	return true;
}

static tcp_seq
choose_iss(struct nke *machine, const struct tcp_segment *seg)
{
	tcp_seq iss = tcp_new_isn(machine, &seg->ends);

	/* RFC 1122 4.2.2.13: above all that the connection before it has used. */
	if (seg->isn_floor != 0 && SEQ_LEQ(iss, seg->isn_floor))
		iss = seg->isn_floor + 1 + (prng_u32(machine) & 0xffff);
	return iss;
}

/* Nothing is kept: the SYN-ACK says it all. */
static void
answer_by_cookie(struct tcp_syncache *s, struct half_open *h)
{
	if (!s->machine->tcp->config.syncookies) {
		s->machine->tcp->stat.tcps_sc_dropped++;
		return;
	}
	h->iss = syncookie_make(s->machine, &s->cookies, h);
	s->machine->tcp->stat.tcps_sc_sendcookie++;
	half_open_answer(s->machine, h);
}

static void
add(struct tcp_syncache *s, const struct half_open *fresh, const struct tcp_segment *seg)
{
	struct half_open copy = *fresh, *h = NULL;

	if (s->count >= s->size && s->size < BUCKETS_MAX)
		grow(s);
	if (make_room(s, bucket_of(s, &seg->ends))) {
		h = kalloc(s->machine, sizeof *h);
		if (h == NULL)
			s->machine->tcp->stat.tcps_sc_zonefail++;
	}
	if (h == NULL) {
		answer_by_cookie(s, &copy);
		return;
	}
	*h = copy;
	h->iss = choose_iss(s->machine, seg);
	bucket_insert(s, h);
	s->count++;
	s->machine->tcp->stat.tcps_sc_added++;
	enqueue(s, h);
	half_open_answer(s->machine, h);
}

/* A socket filter has run that may have done anything to the listener. */
static bool
still_listens(const struct socket *so, const struct inpcb *listener)
{
	return so->so_pcb == listener && intotcpcb(listener)->t_state == TCPS_LISTEN;
}

/* Do the listener's socket filters want it? Refused, the peer is not told. */
static __attribute__((noinline)) bool
filters_want(struct inpcb *listener, const struct tcp_segment *seg)
{
	struct socket *so = listener->inp_socket;
	struct sockaddr_storage from;

	in_pcbname(listener, seg->ends.vflag, &seg->ends.faddr,
	    in_pcbzone(seg->machine, seg->ends.ifp, &seg->ends.faddr), seg->ends.fport, &from);
	return so_filter_ops(so)->connect_in(so, (const struct sockaddr *)(const void *)&from) == 0 &&
	    still_listens(so, listener);
}

/* A SYN of somebody new. Consumes the segment. */
static void
newcomer(struct tcp_syncache *s, struct inpcb *listener, struct tcp_segment *seg)
{
	struct socket *so = listener->inp_socket;
	const uint32_t fastopen = TF_FASTOPEN;
	struct half_open fresh;

	half_open_fill(&fresh, listener, seg);
	if ((intotcpcb(listener)->t_flags & fastopen) && ((seg->to.to_flags & TOF_FASTOPEN) ||
	    (seg->len != 0 && seg->machine->tcp->config.fastopen_nocookie))) {
		fresh.iss = choose_iss(seg->machine, seg);
		if (fastopen_accept(listener, seg, &fresh))
			return;
	}
	/* Trying that may have run filters. */
	if (still_listens(so, listener))
		add(s, &fresh, seg);
	m_freem(seg->m);
	seg->m = NULL;
}

void
syncache_add(struct inpcb *listener, struct tcp_segment *seg)
{
	struct tcp_syncache *s = seg->machine->tcp->syncache;
	struct socket *so = listener->inp_socket;
	struct half_open *h = find(s, &seg->ends);

	so_retain(so);
	if (h == NULL && so_filtered(so)) {
		if (!filters_want(listener, seg))
			goto drop;
		/* The same SYN may have come again meanwhile. */
		h = find(s, &seg->ends);
	}
	if (h == NULL) {
		newcomer(s, listener, seg);
		goto out;
	}
	same_again(s, h, listener, seg);
drop:
	m_freem(seg->m);
	seg->m = NULL;
out:
	so_release(so);
}

/* ---- the ACK that finishes it ------------------------------------------------------------- */

enum verdict { FINISHES, DROP, REFUSE };

/* RFC 9293 3.10.7.4 for SYN-RECEIVED, RFC 7323 3.2 and 5.3, RFC 5961. */
static enum verdict
judge(struct nke *machine, const struct half_open *h, const struct tcp_segment *seg)
{
	bool has_ts = (seg->to.to_flags & TOF_TS) != 0;

	if ((h->flags & HO_TSTMP) && !has_ts && !machine->tcp->config.tolerate_missing_ts)
		return DROP;
	if ((h->flags & HO_TSTMP) && has_ts && (int32_t)(seg->to.to_tsval - h->ts_recent) < 0) {
		machine->tcp->stat.tcps_pawsdrop++;
		half_open_challenge(machine, h);
		return DROP;
	}
	if (SEQ_LEQ(seg->seq, h->irs) || SEQ_GT(seg->seq, h->irs + 1 + h->wnd)) {
		half_open_challenge(machine, h);
		return DROP;
	}
	return seg->ack == h->iss + 1 ? FINISHES : REFUSE;
}

/* Could not become a connection. */
static bool
no_room(struct tcp_syncache *s, struct half_open *kept)
{
	const struct tcp_config *c = &s->machine->tcp->config;

	s->machine->tcp->stat.tcps_listendrop++;
	s->machine->tcp->stat.tcps_sc_aborted++;
	if (!c->syncache_rst_on_sock_fail)
		return true;
	if (kept != NULL)
		forget(s, kept);
	return false;
}

bool
syncache_expand(struct inpcb *listener, struct tcp_segment *seg, struct socket **so)
{
	struct nke *machine = seg->machine;
	struct tcp_syncache *s = machine->tcp->syncache;
	struct half_open *kept = find(s, &seg->ends), h;
	struct tcpcb *tp;

	*so = NULL;
	if (kept != NULL) {
		switch (judge(machine, kept, seg)) {
		case DROP:
			return true;
		case REFUSE:
			return false;
		case FINISHES:
			break;
		}
		h = *kept;
	} else if (!syncookie_check(machine, &s->cookies, listener, seg, &h)) {
		return false;
	} else {
		machine->tcp->stat.tcps_sc_recvcookie++;
	}
	tp = half_open_connect(listener, seg, &h);
	/* A socket filter of the new socket may have closed the listener, and so the entry is gone. */
	kept = find(s, &seg->ends);
	if (tp == NULL)
		return no_room(s, kept);
	if (kept != NULL)
		forget(s, kept);
	machine->tcp->stat.tcps_sc_completed++;
	*so = tptosocket(tp);
	return true;
}

/* ---- what ends it ------------------------------------------------------------------------- */

void
syncache_reset(struct inpcb *listener, const struct tcp_segment *seg)
{
	struct nke *machine = seg->machine;
	struct tcp_syncache *s = machine->tcp->syncache;
	struct half_open *h = find(s, &seg->ends);
	uint32_t above;

	(void)listener;
	if (h == NULL || !(seg->flags & TH_RST))
		return;
	above = seg->seq - (h->irs + 1);
	/* It answers our SYN-ACK, or says nothing about it. */
	if (((seg->flags & TH_ACK) && seg->ack != h->iss + 1) || (above != 0 && above >= h->wnd)) {
		machine->tcp->stat.tcps_badrst++;
	} else if (above == 0 || machine->tcp->config.insecure_rst) {
		machine->tcp->stat.tcps_sc_reset++;
		forget(s, h);
	} else {
		/* RFC 5961 3.2: somewhere in the window is what anybody can guess. */
		machine->tcp->stat.tcps_badrst++;
		half_open_challenge(machine, h);
	}
}

void
syncache_badack(struct inpcb *listener, const struct tcp_segment *seg)
{
	struct tcp_syncache *s = seg->machine->tcp->syncache;
	struct half_open *h = find(s, &seg->ends);

	(void)listener;
	/* Whoever knows both numbers is the peer, and not of our opinion. */
	if (h == NULL || seg->ack != h->iss + 1 || seg->seq != h->irs)
		return;
	s->machine->tcp->stat.tcps_sc_badack++;
	forget(s, h);
}

void
syncache_unreach(struct nke *machine, const struct in_ends *ends, tcp_seq seq)
{
	struct tcp_syncache *s = machine->tcp->syncache;
	struct half_open *h = find(s, ends);

	if (h == NULL || seq != h->iss)
		return;
	/* One error may be passing trouble; a second one after all that was tried is not. */
	if (!(h->flags & HO_UNREACH) || h->retransmits < 3) {
		h->flags |= HO_UNREACH;
		return;
	}
	machine->tcp->stat.tcps_sc_unreach++;
	forget(s, h);
}

void
syncache_forget(struct inpcb *listener)
{
	struct tcp_syncache *s = listener->inp_info->machine->tcp->syncache;
	struct half_open *h, *next;

	for (unsigned level = 0; level < LEVELS; level++)
		TAILQ_FOREACH_SAFE(h, &s->levels[level], by_time, next)
			if (h->listener == listener)
				forget(s, h);
}

/* ---- life --------------------------------------------------------------------------------- */

uint32_t
syncache_count(const struct nke *machine)
{
	return machine->tcp->syncache->count;
}

void
syncache_foreach(struct nke *machine, void (*fn)(void *, const struct in_ends *, uint32_t zone), void *ctx)
{
	struct tcp_syncache *s = machine->tcp->syncache;
	const struct half_open *h;
	struct in_ends e;

	for (unsigned level = 0; level < LEVELS; level++) {
		TAILQ_FOREACH(h, &s->levels[level], by_time) {
			e = ends_of(h);
			fn(ctx, &e, h->zone);
		}
	}
}

errno_t
tcp_syncache_init(struct nke *machine)
{
	struct tcp_syncache *s = kalloc(machine, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	s->machine = machine;
	prng_bytes(machine, s->key, sizeof s->key);
	for (unsigned i = 0; i < LEVELS; i++)
		TAILQ_INIT(&s->levels[i]);
	s->size = BUCKETS_MIN;
	s->buckets = buckets_alloc(machine, s->size);
	if (s->buckets == NULL) {
		kfree(machine, s);
		return ENOMEM;
	}
	callout_init(&s->timer, machine, timer, s);
	machine->tcp->syncache = s;
	return 0;
}

void
tcp_syncache_fini(struct nke *machine)
{
	struct tcp_syncache *s = machine->tcp->syncache;
	struct half_open *h;

	if (s == NULL)
		return;
	callout_drain(&s->timer);
	while ((h = oldest(s)) != NULL)
		forget(s, h);
	kfree(machine, s->buckets);
	kfree(machine, s);
	machine->tcp->syncache = NULL;
}
