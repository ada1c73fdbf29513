/*
 * TIME_WAIT: the last state of whoever closed first (RFC 9293 section 3.3.2). Its connection is over; all that
 * is left to do is to answer a retransmitted FIN and to keep old segments from a new connection on the same
 * pair of ends. For that a record of 48 octets (76 for IPv6) is enough; tcpcb, inpcb and socket are let go.
 *
 * RFC 1337 (a RST does not end it), RFC 6191 and RFC 1122 4.2.2.13 (a SYN that cannot be old does), RFC 7323
 * section 3.2, RFC 5961 section 4.
 *
 * State: machine->tcp->timewaits. Records lie in chunks of 64 and name each other by number; they are in a
 * hash by their ends and in a queue by the time at which they end. Way in: tcp_twstart() when a connection
 * gets here, tcp_timewait_input() for segments that no connection wants. Way out: tcp_respond(). Timer: one
 * callout for the oldest.
 *
 * Limits: net.inet.tcp.maxtcptw records, the oldest goes for a new one; answers to segments that are not a
 * retransmitted FIN count as challenge ACKs.
 *
 * Left out: PAWS on what comes here; such a segment can do no more than to be answered.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/prng.h"
#include "src/kern/sched.h"
#include "src/netinet/in_siphash.h"
#include "src/netinet/tcp_private.h"

#define PER_CHUNK	64u
#define BUCKETS_MIN	64u
#define BUCKETS_MAX	65536u
#define PORT_COUNTERS	1024u
#define NONE		0u

/* TSecr 1 s old or more: the peer's clock has moved on too, whatever its granularity (RFC 7323 5.4). */
#define REUSE_AFTER_MS	1000u

/* One connection. Behind it: both addresses, the peer's first; of IPv6, the zone too. */
struct tw {
	uint32_t next;			/* in its bucket */
	uint32_t older, newer;		/* by end */
	uint32_t expires;		/* ms of uptime, modulo 2^32 */
	uint16_t fport, lport;		/* network order */
	tcp_seq snd_nxt, rcv_nxt;
	uint32_t ts_recent, ts_offset;
	uint16_t win;			/* as it was told last */
	uint8_t flags;			/* TW_* */
	uint8_t tos;
	uint32_t words[];
};
#define TW_INET6	0x1
#define TW_TSTMP	0x2		/* timestamps were in use */

#define WORDS4		2u
#define WORDS6		9u
_Static_assert(sizeof(struct tw) + WORDS4 * 4 == 48, "a few dozen octets");
_Static_assert(sizeof(struct tw) + WORDS6 * 4 == 76, "a few dozen octets");

struct tw_chunk {
	LIST_ENTRY(tw_chunk) room;	/* while a record is free */
	uint64_t used;			/* a bit for each record */
	uint32_t index;
	bool inet6;
	_Alignas(8) char records[];
};
LIST_HEAD(tw_chunk_list, tw_chunk);

struct tcp_timewaits {
	struct nke *machine;
	struct callout timer;
	uint32_t count;
	uint32_t oldest, newest;
	struct tw_chunk **chunks;	/* by index; NULL: free */
	uint32_t chunk_room;
	struct tw_chunk_list room[2];	/* with free records: IPv4, IPv6 */
	uint32_t buckets;		/* a power of two */
	uint32_t *hash;
	uint64_t key[2];
	uint32_t ports[PORT_COUNTERS];	/* records by a hash of the local port: 0 says that none has it */
};

/* ---- records ------------------------------------------------------------------------------ */

static inline size_t
record_size(bool inet6)
{
	return sizeof(struct tw) + (inet6 ? WORDS6 : WORDS4) * sizeof(uint32_t);
}

static inline struct tw *
at(const struct tcp_timewaits *t, uint32_t id)
{
	struct tw_chunk *c = t->chunks[(id - 1) / PER_CHUNK];

	return (struct tw *)(void *)(c->records + (id - 1) % PER_CHUNK * record_size(c->inet6));
}

/* A place for one more chunk; UINT32_MAX: no memory. */
static uint32_t
chunk_place(struct tcp_timewaits *t)
{
	uint32_t had = t->chunk_room, room = had * 2 + 16;
	struct tw_chunk **chunks;

	for (uint32_t i = 0; i < had; i++)
		if (t->chunks[i] == NULL)
			return i;
	chunks = kalloc(t->machine, room * sizeof *chunks);
	if (chunks == NULL)
		return UINT32_MAX;
	if (t->chunks != NULL)
		memcpy(chunks, t->chunks, had * sizeof *chunks);
	kfree(t->machine, t->chunks);
	t->chunks = chunks;
	t->chunk_room = room;
	return had;
}

static struct tw_chunk *
chunk_new(struct tcp_timewaits *t, bool inet6)
{
	uint32_t place = chunk_place(t);
	struct tw_chunk *c;

	if (place == UINT32_MAX)
		return NULL;
	c = kalloc(t->machine, sizeof *c + PER_CHUNK * record_size(inet6));
	if (c == NULL)
		return NULL;
	c->index = place;
	c->inet6 = inet6;
	t->chunks[place] = c;
	LIST_INSERT_HEAD(&t->room[inet6], c, room);
	return c;
}

/* NONE: no memory. */
static uint32_t
record_alloc(struct tcp_timewaits *t, bool inet6)
{
	struct tw_chunk *c = LIST_FIRST(&t->room[inet6]);
	uint32_t slot;

	if (c == NULL)
		c = chunk_new(t, inet6);
	if (c == NULL)
		return NONE;
	slot = (uint32_t)__builtin_ctzll(~c->used);
	c->used |= UINT64_C(1) << slot;
	if (c->used == UINT64_MAX)
		LIST_REMOVE(c, room);
	return c->index * PER_CHUNK + slot + 1;
}

static void
record_free(struct tcp_timewaits *t, uint32_t id)
{
	struct tw_chunk *c = t->chunks[(id - 1) / PER_CHUNK];

	if (c->used == UINT64_MAX)
		LIST_INSERT_HEAD(&t->room[c->inet6], c, room);
	c->used &= ~(UINT64_C(1) << (id - 1) % PER_CHUNK);
	if (c->used != 0)
		return;
	LIST_REMOVE(c, room);
	t->chunks[c->index] = NULL;
	kfree(t->machine, c);
}

static void
addresses_put(struct tw *w, const struct in_ends *e, uint32_t zone)
{
	if (e->vflag == INP_IPV4) {
		w->words[0] = e->faddr.s6_addr32[3];
		w->words[1] = e->laddr.s6_addr32[3];
		return;
	}
	memcpy(&w->words[0], &e->faddr, 16);
	memcpy(&w->words[4], &e->laddr, 16);
	w->words[8] = zone;
	w->flags |= TW_INET6;
}

static void
addresses_get(const struct tw *w, struct in_ends *e)
{
	memset(e, 0, sizeof *e);
	e->fport = w->fport;
	e->lport = w->lport;
	e->vflag = w->flags & TW_INET6 ? INP_IPV6 : INP_IPV4;
	if (e->vflag == INP_IPV4) {
		e->faddr = in6_from4(w->words[0]);
		e->laddr = in6_from4(w->words[1]);
		return;
	}
	memcpy(&e->faddr, &w->words[0], 16);
	memcpy(&e->laddr, &w->words[4], 16);
}

static inline bool
is_for(const struct tw *w, const struct in_ends *e)
{
	if (w->fport != e->fport || w->lport != e->lport)
		return false;
	if (e->vflag == INP_IPV4)
		return !(w->flags & TW_INET6) && w->words[0] == e->faddr.s6_addr32[3] &&
		    w->words[1] == e->laddr.s6_addr32[3];
	if (!(w->flags & TW_INET6) || memcmp(&w->words[0], &e->faddr, 16) != 0 ||
	    memcmp(&w->words[4], &e->laddr, 16) != 0)
		return false;
	/* The same link-local addresses on another link are other ones. */
	return w->words[8] == 0 || e->ifp == NULL || (e->ifp->flags & IFF_LOOPBACK) ||
	    w->words[8] == e->ifp->index;
}

/* ---- the table ---------------------------------------------------------------------------- */

static inline uint32_t *
bucket_of(const struct tcp_timewaits *t, const struct in_ends *e)
{
	struct in_siphash h;

	in_siphash_ends(&h, t->key, e);
	return &t->hash[in_siphash_end(&h) & (t->buckets - 1)];
}

static inline uint32_t *
counter_of(struct tcp_timewaits *t, uint16_t lport)
{
	return &t->ports[ntohs(lport) & (PORT_COUNTERS - 1)];
}

static uint32_t
find(const struct tcp_timewaits *t, const struct in_ends *e)
{
	uint32_t id;

	if (t->count == 0)
		return NONE;
	for (id = *bucket_of(t, e); id != NONE; id = at(t, id)->next)
		if (is_for(at(t, id), e))
			return id;
	return NONE;
}

static void
bucket_insert(struct tcp_timewaits *t, uint32_t id)
{
	struct tw *w = at(t, id);
	struct in_ends e;
	uint32_t *head;

	addresses_get(w, &e);
	head = bucket_of(t, &e);
	w->next = *head;
	*head = id;
}

static void
bucket_remove(struct tcp_timewaits *t, uint32_t id)
{
	struct tw *w = at(t, id);
	struct in_ends e;
	uint32_t *link;

	addresses_get(w, &e);
	for (link = bucket_of(t, &e); *link != id; link = &at(t, *link)->next)
		;
	*link = w->next;
}

/* Without memory it stays as it is: slower, not wrong. */
static void
grow(struct tcp_timewaits *t)
{
	uint32_t buckets = t->buckets * 2, id;
	uint32_t *hash = kalloc(t->machine, buckets * sizeof *hash);

	if (hash == NULL)
		return;
	kfree(t->machine, t->hash);
	t->hash = hash;
	t->buckets = buckets;
	for (id = t->oldest; id != NONE; id = at(t, id)->newer)
		bucket_insert(t, id);
}

static void
queue_insert(struct tcp_timewaits *t, uint32_t id)
{
	struct tw *w = at(t, id);

	w->older = t->newest;
	w->newer = NONE;
	if (t->newest != NONE)
		at(t, t->newest)->newer = id;
	else
		t->oldest = id;
	t->newest = id;
}

static void
queue_remove(struct tcp_timewaits *t, uint32_t id)
{
	const struct tw *w = at(t, id);

	if (w->older != NONE)
		at(t, w->older)->newer = w->newer;
	else
		t->oldest = w->newer;
	if (w->newer != NONE)
		at(t, w->newer)->older = w->older;
	else
		t->newest = w->older;
}

static void
end(struct tcp_timewaits *t, uint32_t id)
{
	bucket_remove(t, id);
	queue_remove(t, id);
	(*counter_of(t, at(t, id)->lport))--;
	t->count--;
	record_free(t, id);
}

/* ---- time --------------------------------------------------------------------------------- */

static inline uint32_t
now_ms(const struct tcp_timewaits *t)
{
	return (uint32_t)(machine_now(t->machine) / TCP_NS_PER_MS);
}

static inline uint32_t
wait_ms(const struct tcp_timewaits *t)
{
	return 2 * (uint32_t)t->machine->tcp->config.msl;
}

/* Without memory for the callout records stay until the next one comes, or until they are too many. */
static void
arm(struct tcp_timewaits *t)
{
	uint64_t now = machine_now(t->machine);
	int32_t left;

	if (t->oldest == NONE || callout_pending(&t->timer))
		return;
	left = (int32_t)(at(t, t->oldest)->expires - (uint32_t)(now / TCP_NS_PER_MS));
	(void)callout_reset(&t->timer, now + (left > 0 ? (uint64_t)left * TCP_NS_PER_MS : 0));
}

static void
expire(void *arg)
{
	struct tcp_timewaits *t = arg;

	while (t->oldest != NONE && (int32_t)(at(t, t->oldest)->expires - now_ms(t)) <= 0)
		end(t, t->oldest);
	arm(t);
}

/* The whole time once more. */
static void
restart(struct tcp_timewaits *t, uint32_t id)
{
	queue_remove(t, id);
	at(t, id)->expires = now_ms(t) + wait_ms(t);
	queue_insert(t, id);
}

/* ---- into it ------------------------------------------------------------------------------ */

static uint16_t
last_window(const struct tcpcb *tp)
{
	uint32_t win = SEQ_GT(tp->rcv_adv, tp->rcv_nxt) ? (tp->rcv_adv - tp->rcv_nxt) >> tp->rcv_scale : 0;

	return (uint16_t)(win < TCP_MAXWIN ? win : TCP_MAXWIN);
}

static void
remember(struct tcp_timewaits *t, const struct tcpcb *tp)
{
	const struct tcp_config *config = &t->machine->tcp->config;
	struct in_ends e = tcp_ends(tp);
	uint32_t zone = tp->t_inpcb->inp_fzone, id;
	struct tw *w;

	if (config->nolocaltimewait && in_pcb_ours(t->machine, e.vflag, &e.faddr, zone))
		return;
	/* Another one with the same ends cannot be, but for SYNs that crossed the end of a connection. */
	id = find(t, &e);
	if (id != NONE)
		end(t, id);
	while (t->count != 0 && t->count >= (uint32_t)config->maxtcptw)
		end(t, t->oldest);
	id = config->maxtcptw > 0 ? record_alloc(t, e.vflag == INP_IPV6) : NONE;
	if (id == NONE)
		return;
	w = at(t, id);
	memset(w, 0, sizeof *w);
	w->fport = e.fport;
	w->lport = e.lport;
	w->snd_nxt = tp->snd_nxt;
	w->rcv_nxt = tp->rcv_nxt;
	w->ts_recent = tp->ts_recent;
	w->ts_offset = tp->ts_offset;
	w->win = last_window(tp);
	w->tos = e.vflag == INP_IPV4 ? tp->t_inpcb->inp_tos : tp->t_inpcb->inp_tclass;
	if ((tp->t_flags & (TF_REQ_TSTMP | TF_RCVD_TSTMP)) == (TF_REQ_TSTMP | TF_RCVD_TSTMP))
		w->flags |= TW_TSTMP;
	addresses_put(w, &e, zone);
	w->expires = now_ms(t) + wait_ms(t);
	if (t->count >= t->buckets && t->buckets < BUCKETS_MAX)
		grow(t);
	bucket_insert(t, id);
	queue_insert(t, id);
	(*counter_of(t, e.lport))++;
	t->count++;
	arm(t);
}

void
tcp_twstart(struct tcpcb *tp)
{
	struct nke *machine = tptomachine(tp);
	struct socket *so = tptosocket(tp);

	so_retain(so);
	if (tp->t_state != TCPS_TIME_WAIT)
		tcp_setstate(tp, TCPS_TIME_WAIT);
	/* The ACK of the FIN that brought us here is still the connection's. */
	if (tp->t_flags & (TF_ACKNOW | TF_DELACK)) {
		tp->t_flags |= TF_ACKNOW;
		(void)tcp_output(tp);
	}
	/* A filter that saw the ACK may have closed the socket. */
	if (sotoinpcb(so) != NULL && sototcpcb(so) == tp && !(tp->t_flags & TF_CLOSED)) {
		remember(machine->tcp->timewaits, tp);
		tcp_close(tp);
	}
	so_release(so);
}

/* ---- what comes for it -------------------------------------------------------------------- */

/*
 * Can the SYN not be an old one of the connection that was? RFC 6191 section 2: its timestamp, where there was
 * none before or an older one, says so; else its sequence number (RFC 1122 4.2.2.13).
 */
static bool
reopens(const struct tw *w, const struct tcp_segment *seg)
{
	bool has_ts = (seg->to.to_flags & TOF_TS) != 0 && seg->machine->tcp->config.rfc1323;

	if (has_ts && !(w->flags & TW_TSTMP))
		return true;
	if (has_ts && seg->to.to_tsval != w->ts_recent)
		return (int32_t)(seg->to.to_tsval - w->ts_recent) > 0;
	return SEQ_GT(seg->seq, w->rcv_nxt);
}

static void
answer(struct tcp_timewaits *t, const struct tw *w, const struct tcp_segment *seg)
{
	struct tcpopt to = {
		.to_flags = TOF_TS, .to_tsval = tcp_ts_now(t->machine) + w->ts_offset,
		.to_tsecr = w->ts_recent
	};
	struct tcp_reply r = {
		.ends = seg->ends, .seq = w->snd_nxt, .ack = w->rcv_nxt, .win = w->win, .flags = TH_ACK,
		.tos = w->tos, .zone = in_pcbzone(t->machine, seg->ends.ifp, &seg->ends.faddr),
		.to = w->flags & TW_TSTMP ? &to : NULL
	};

	t->machine->tcp->stat.tcps_sndacks++;
	(void)tcp_respond(t->machine, &r);
}

/* A segment that does not open a new connection. */
static void
handle(struct tcp_timewaits *t, uint32_t id, const struct tcp_segment *seg)
{
	struct tw *w = at(t, id);
	bool fin;

	/* RFC 1337: a RST, most likely old, must not end it. */
	if ((seg->flags & (TH_RST | TH_ACK)) != TH_ACK || seg->multicast)
		return;
	if ((w->flags & TW_TSTMP) && !(seg->to.to_flags & TOF_TS) &&
	    !t->machine->tcp->config.tolerate_missing_ts)
		return;
	fin = (seg->flags & (TH_FIN | TH_SYN)) == TH_FIN && seg->seq + seg->len + 1 == w->rcv_nxt;
	if (fin)
		restart(t, id);
	else if ((seg->flags & ~(TH_PUSH | TH_URG)) == TH_ACK && seg->len == 0 &&
	    seg->seq == w->rcv_nxt && seg->ack == w->snd_nxt)
		return;
	if (fin || tcp_may_challenge(t->machine))
		answer(t, w, seg);
}

bool
tcp_timewait_input(struct tcp_segment *seg, tcp_seq *isn_floor)
{
	struct tcp_timewaits *t = seg->machine->tcp->timewaits;
	uint32_t id = find(t, &seg->ends);
	const struct tw *w;

	*isn_floor = seg->isn_floor = 0;
	if (LIKELY(id == NONE))
		return false;
	w = at(t, id);
	if ((seg->flags & (TH_SYN | TH_ACK | TH_RST)) == TH_SYN && !seg->multicast && reopens(w, seg)) {
		*isn_floor = seg->isn_floor = w->snd_nxt != 0 ? w->snd_nxt : 1;
		end(t, id);
		return false;
	}
	handle(t, id, seg);
	m_freem(seg->m);
	seg->m = NULL;
	return true;
}

/* ---- for bind and connect ----------------------------------------------------------------- */

static bool
port_taken(struct tcp_timewaits *t, const struct in_ends *e)
{
	struct in_ends have;
	uint32_t id;

	if (*counter_of(t, e->lport) == 0)
		return false;
	for (id = t->newest; id != NONE; id = at(t, id)->older) {
		if (at(t, id)->lport != e->lport)
			continue;
		addresses_get(at(t, id), &have);
		if ((have.vflag & e->vflag) && (IN6_IS_ADDR_UNSPECIFIED(&e->laddr) ||
		    IN6_ARE_ADDR_EQUAL(&e->laddr, &have.laddr)))
			return true;
	}
	return false;
}

bool
tcp_timewait_taken(struct nke *machine, const struct in_ends *e)
{
	struct tcp_timewaits *t = machine->tcp->timewaits;

	return e->fport != 0 ? find(t, e) != NONE : port_taken(t, e);
}

/*
 * Timestamps that have moved on keep the two connections apart at the peer (RFC 6191, RFC 7323 appendix B.2);
 * an initial sequence number above the last one does where they are not looked at.
 */
static bool
reusable(const struct tcp_timewaits *t, const struct tw *w)
{
	uint32_t age = wait_ms(t) - (w->expires - now_ms(t));

	return (w->flags & TW_TSTMP) && t->machine->tcp->config.rfc1323 && age >= REUSE_AFTER_MS &&
	    age <= wait_ms(t);
}

bool
tcp_timewait_blocks(struct nke *machine, const struct in_ends *e)
{
	struct tcp_timewaits *t = machine->tcp->timewaits;
	uint32_t id;

	if (e->fport == 0)
		return port_taken(t, e);
	id = find(t, e);
	return id != NONE && !reusable(t, at(t, id));
}

bool
tcp_timewait_reuse(struct nke *machine, const struct in_ends *e, tcp_seq *isn_floor)
{
	struct tcp_timewaits *t = machine->tcp->timewaits;
	uint32_t id = find(t, e);

	*isn_floor = 0;
	if (id == NONE)
		return true;
	if (!reusable(t, at(t, id)))
		return false;
	*isn_floor = at(t, id)->snd_nxt != 0 ? at(t, id)->snd_nxt : 1;
	end(t, id);
	return true;
}

/* ---- life --------------------------------------------------------------------------------- */

uint32_t
tcp_timewait_count(const struct nke *machine)
{
	return machine->tcp->timewaits->count;
}

void
tcp_timewait_foreach(struct nke *machine, void (*fn)(void *, const struct in_ends *, uint32_t zone), void *ctx)
{
	const struct tcp_timewaits *t = machine->tcp->timewaits;
	struct in_ends e;
	uint32_t id;

	for (id = t->oldest; id != NONE; id = at(t, id)->newer) {
		addresses_get(at(t, id), &e);
		fn(ctx, &e, e.vflag == INP_IPV6 ? at(t, id)->words[8] : 0);
	}
}

errno_t
tcp_timewait_init(struct nke *machine)
{
	struct tcp_timewaits *t = kalloc(machine, sizeof *t);

	if (t == NULL)
		return ENOMEM;
	t->machine = machine;
	t->buckets = BUCKETS_MIN;
	t->hash = kalloc(machine, BUCKETS_MIN * sizeof *t->hash);
	if (t->hash == NULL) {
		kfree(machine, t);
		return ENOMEM;
	}
	prng_bytes(machine, t->key, sizeof t->key);
	callout_init(&t->timer, machine, expire, t);
	machine->tcp->timewaits = t;
	machine->tcp->pcbs.waits = tcp_timewait_blocks;
	return 0;
}

void
tcp_timewait_fini(struct nke *machine)
{
	struct tcp_timewaits *t = machine->tcp->timewaits;

	if (t == NULL)
		return;
	machine->tcp->pcbs.waits = NULL;
	callout_drain(&t->timer);
	while (t->oldest != NONE)
		end(t, t->oldest);
	kfree(machine, t->chunks);
	kfree(machine, t->hash);
	kfree(machine, t);
	machine->tcp->timewaits = NULL;
}
