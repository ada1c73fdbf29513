/*
 * TCP Fast Open (RFC 7413): data on a SYN, for peers that have shown before that they are where they say.
 *
 * Server (TCP_FASTOPEN on a listener, net.inet.tcp.fastopen.server_enable): a peer asks for a cookie on
 * one SYN and brings it back on another, whose data are delivered at once; the SYN-ACK acknowledges them,
 * and the connection is accepted in SYN_RECEIVED. The cookie is a keyed hash of both addresses; nothing is
 * kept of it. Client: remembers each server's cookie and MSS; where SYNs with data vanish or are
 * refused, plain ones are sent for a while.
 *
 * State: machine->tcp->fastopen: two keys, made anew every net.inet.tcp.fastopen.autokey seconds or set by
 * setkey; servers in a keyed hash. For every listener a count of its connections that are not confirmed
 * yet, shared with them (t_fastopen). Way in: SYNs from tcp_syncache.c. Way out: cookies for tcp_synack.c
 * and tcp_send.c, connections from tcp_synack.c. No timers: keys and black holes are looked at when they
 * are used. With net.inet.tcp.fastopen.nocookie a server wants none (section 7.3).
 *
 * Limits: half the listen queue may be unconfirmed, then SYNs are plain ones (RFC 7413 section 5.1); a
 * listener with a full queue takes none; SERVERS_MAX cookies, the least recently used goes.
 *
 * Left out: a FIN on such a SYN is not taken, the peer sends it again; a SYN-ACK's RST frees its place in
 * the count at once.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/prng.h"
#include "src/kern/sched.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_bounded.h"
#include "src/netinet/in_siphash.h"
#include "src/netinet/tcp_syncache.h"

#define KEYS		2u
#define KEY_LEN		16u
#define BUCKETS		256u
#define SERVERS_MAX	1024u

/* Connections of a listener that are open on the strength of a cookie only; `owner` and they refer to it. */
struct tcp_fastopen {
	const struct tcpcb *owner;	/* the listener; NULL: has gone */
	uint32_t references;
	uint32_t pending;
};

/* What a client knows of a server. */
struct server {
	LIST_ENTRY(server) in_bucket;
	TAILQ_ENTRY(server) by_use;	/* the least recent first */
	struct in6_addr addr;
	uint16_t port;
	uint8_t vflag;
	uint8_t len;			/* octets of cookie; 0: none */
	uint16_t mss;
	uint8_t cookie[TCP_FASTOPEN_MAX_COOKIE];
	uint64_t disabled_until;	/* uptime */
};

struct tcp_fastopen_state {
	struct nke *machine;
	uint64_t keys[KEYS][2];		/* the newest first */
	uint64_t keyed_at;		/* when the first was made; 0: none is yet */
	int autokey;			/* s; 0: keys are only made by setkey */
	int path_disable_time;		/* s */
	uint64_t key[2];		/* of the table */
	uint32_t count;
	TAILQ_HEAD(, server) by_use;
	LIST_HEAD(, server) buckets[BUCKETS];
};

/* ---- cookies of ours ---------------------------------------------------------------------- */

static void
add_key(struct tcp_fastopen_state *s, const uint64_t key[2])
{
	memcpy(s->keys[1], s->keys[0], sizeof s->keys[1]);
	memcpy(s->keys[0], key, sizeof s->keys[0]);
	s->keyed_at = machine_now(s->machine) + 1;
}

static void
make_key(struct tcp_fastopen_state *s)
{
	uint64_t key[2];

	prng_bytes(s->machine, key, sizeof key);
	add_key(s, key);
}

/* Both keys are as old as they may be. */
static void
refresh_keys(struct tcp_fastopen_state *s)
{
	uint64_t period = (uint64_t)s->autokey * TCP_NS_PER_S, age;

	if (s->keyed_at == 0) {
		make_key(s);
		make_key(s);
		return;
	}
	if (period == 0)
		return;
	age = machine_now(s->machine) + 1 - s->keyed_at;
	if (age >= period)
		make_key(s);
	/* Nobody asked for so long that the one before is too old, too. */
	if (age >= 2 * period)
		make_key(s);
}

static uint64_t
cookie_of(const uint64_t key[2], const struct in_ends *e)
{
	struct in_siphash h;

	in_siphash_begin(&h, key);
	if (e->vflag == INP_IPV4)
		return in_siphash_finish(&h, sizeof(struct in_addr), e->faddr.s6_addr32[3]);
	in_siphash_address(&h, e->vflag, &e->faddr);
	return in_siphash_end(&h);
}

void
tcp_fastopen_make_cookie(struct nke *machine, const struct in_ends *e, uint8_t cookie[8])
{
	struct tcp_fastopen_state *s = machine->tcp->fastopen;
	uint64_t value;

	refresh_keys(s);
	value = cookie_of(s->keys[0], e);
	memcpy(cookie, &value, TCP_FASTOPEN_COOKIE);
}

bool
tcp_fastopen_check_cookie(struct nke *machine, const struct in_ends *e, const uint8_t *cookie, uint8_t len)
{
	struct tcp_fastopen_state *s = machine->tcp->fastopen;
	int keys = machine->tcp->config.fastopen_numkeys;
	bool good = false;
	uint64_t value;

	if (len != TCP_FASTOPEN_COOKIE)
		return false;
	refresh_keys(s);
	memcpy(&value, cookie, sizeof value);
	for (int i = 0; i < keys && i < (int)KEYS; i++)
		good |= cookie_of(s->keys[i], e) == value;
	return good;
}

/* ---- server ------------------------------------------------------------------------------- */

/* The listener's count; NULL: no memory, or no room in it. */
static struct tcp_fastopen *
pending_of(struct inpcb *listener)
{
	struct tcpcb *ltp = intotcpcb(listener);
	const struct socket *so = listener->inp_socket;
	struct tcp_fastopen *f = ltp->t_fastopen;

	if (f == NULL) {
		f = kalloc(listener->inp_info->machine, sizeof *f);
		if (f == NULL)
			return NULL;
		f->owner = ltp;
		f->references = 1;
		ltp->t_fastopen = f;
	}
	return f->pending <= so->so_qlimit / 2u && so->so_qlen + so->so_incqlen < so->so_qlimit ? f : NULL;
}

void
tcp_fastopen_free(struct tcpcb *tp)
{
	struct tcp_fastopen *f = tp->t_fastopen;

	tp->t_fastopen = NULL;
	if (f == NULL)
		return;
	if (f->owner == tp)
		f->owner = NULL;
	else
		f->pending--;
	if (--f->references == 0)
		kfree(tptomachine(tp), f);
}

/* The data of the SYN, as many as there is room for; the rest the peer sends again. Consumes seg->m. */
static void
deliver(struct tcpcb *tp, struct tcp_segment *seg)
{
	struct socket *so = tptosocket(tp);
	uint32_t room = sbspace(&so->so_rcv), len = seg->len < room ? seg->len : room;
	struct mbuf *m = seg->m;

	seg->m = NULL;
	m_adj(m, seg->off + seg->hlen);
	if (len < seg->len)
		m_adj(m, -(int)(seg->len - len));
	if (len == 0) {
		m_freem(m);
		return;
	}
	tp->rcv_nxt += len;
	tp->t_rxbytes += len;
	tp->t_rxpackets++;
	seg->machine->tcp->stat.tcps_rcvpack++;
	seg->machine->tcp->stat.tcps_rcvbyte += len;
	seg->machine->tcp->stat.tcps_tfo_syn_data_rcv++;
	(void)sbappendstream(&so->so_rcv, m);
}

/* It is accepted and answered. */
static void
open_at_once(struct tcpcb *tp, struct tcp_fastopen *f, struct tcp_segment *seg)
{
	struct socket *so = tptosocket(tp);

	f->references++;
	f->pending++;
	tp->t_fastopen = f;
	tp->t_flags |= TF_FASTOPEN | TF_ACKNOW;
	/* What may be sent before the handshake is over; a SYN's window is not scaled (RFC 7323 2.2). */
	tp->snd_wnd = tp->max_sndwnd = seg->win;
	so_retain(so);
	deliver(tp, seg);
	/* Whoever was shown the data or is told of the connection may close it. */
	if (sotoinpcb(so) != NULL)
		soisconnected(so);
	if (sotoinpcb(so) == NULL || sototcpcb(so) != tp) {
		so_release(so);
		return;
	}
	/* FreeBSD's base stack waits as it would with an acknowledgement, for what the user may answer. */
	if ((tp->t_uflags & TFU_BASE) && tp->rcv_nxt != tp->irs + 1) {
		tp->t_flags &= ~(uint32_t)TF_ACKNOW;
		if (tp->snd_nxt == tp->iss)
			tcp_delay_ack(tp, 0);
	}
	if (tp->t_flags & TF_ACKNOW)
		(void)tcp_output(tp);
	so_release(so);
}

bool
fastopen_accept(struct inpcb *listener, struct tcp_segment *seg, struct half_open *h)
{
	struct nke *machine = seg->machine;
	const struct tcp_config *c = &machine->tcp->config;
	struct tcpstat *st = &machine->tcp->stat;
	struct tcp_fastopen *f;
	struct tcpcb *tp;

	if (!c->fastopen_server || (h->flags & HO_NOOPT))
		return false;
	if (seg->to.to_tfo_len == 0 && !c->fastopen_nocookie) {
		st->tcps_tfo_cookie_req_rcv++;
		h->flags |= HO_COOKIE;
		return false;
	}
	if (!c->fastopen_acceptany && !c->fastopen_nocookie &&
	    !tcp_fastopen_check_cookie(machine, &seg->ends, seg->to.to_tfo_cookie, seg->to.to_tfo_len)) {
		st->tcps_tfo_cookie_invalid++;
		h->flags |= HO_COOKIE;
		return false;
	}
	f = pending_of(listener);
	if (f == NULL)
		return false;
	h->flags |= HO_FASTOPEN | HO_UNTIMED;
	tp = half_open_connect(listener, seg, h);
	if (tp == NULL) {
		h->flags &= (uint16_t)~(HO_FASTOPEN | HO_UNTIMED);
		return false;
	}
	open_at_once(tp, f, seg);
	return true;
}

/* ---- client ------------------------------------------------------------------------------- */

static unsigned
bucket_of(const struct tcp_fastopen_state *s, const struct in_ends *e)
{
	struct in_siphash h;

	in_siphash_begin(&h, s->key);
	in_siphash_address(&h, e->vflag, &e->faddr);
	in_siphash_word(&h, e->fport);
	return in_siphash_end(&h) % BUCKETS;
}

static struct server *
find(struct tcp_fastopen_state *s, const struct in_ends *e)
{
	struct server *v;

	if (s->count == 0)
		return NULL;
	LIST_FOREACH(v, &s->buckets[bucket_of(s, e)], in_bucket)
		if (v->vflag == e->vflag && v->port == e->fport && IN6_ARE_ADDR_EQUAL(&v->addr, &e->faddr))
			return v;
	return NULL;
}

static void
forget(struct tcp_fastopen_state *s, struct server *v)
{
	LIST_REMOVE(v, in_bucket);
	TAILQ_REMOVE(&s->by_use, v, by_use);
	s->count--;
	kfree(s->machine, v);
}

/* The server's record, used now; a new one if there is none. NULL: no memory. */
static struct server *
get(struct tcp_fastopen_state *s, const struct in_ends *e)
{
	struct server *v = find(s, e);

	if (v == NULL) {
		if (s->count >= SERVERS_MAX)
			forget(s, TAILQ_FIRST(&s->by_use));
		v = kalloc(s->machine, sizeof *v);
		if (v == NULL)
			return NULL;
		v->addr = e->faddr;
		v->port = e->fport;
		v->vflag = e->vflag;
		LIST_INSERT_HEAD(&s->buckets[bucket_of(s, e)], v, in_bucket);
		s->count++;
	} else {
		TAILQ_REMOVE(&s->by_use, v, by_use);
	}
	TAILQ_INSERT_TAIL(&s->by_use, v, by_use);
	return v;
}

uint8_t
tcp_fastopen_lookup(struct nke *machine, const struct in_ends *e, uint8_t cookie[TCP_FASTOPEN_MAX_COOKIE],
    uint16_t *mss)
{
	struct server *v = find(machine->tcp->fastopen, e);

	*mss = 0;
	if (v == NULL || v->disabled_until > machine_now(machine))
		return 0;
	*mss = v->mss;
	memcpy(cookie, v->cookie, v->len);
	return v->len;
}

void
tcp_fastopen_remember(struct nke *machine, const struct in_ends *e, const uint8_t *cookie, uint8_t len,
    uint16_t mss)
{
	struct server *v;

	if (len > TCP_FASTOPEN_MAX_COOKIE || !machine->tcp->config.fastopen_client)
		return;
	v = get(machine->tcp->fastopen, e);
	if (v == NULL)
		return;
	if (mss != 0)
		v->mss = mss;
	/* A SYN-ACK without a cookie says nothing about the one that is known. */
	if (len == 0)
		return;
	memcpy(v->cookie, cookie, len);
	v->len = len;
}

void
tcp_fastopen_disable(struct nke *machine, const struct in_ends *e)
{
	struct tcp_fastopen_state *s = machine->tcp->fastopen;
	struct server *v = get(s, e);

	if (v == NULL)
		return;
	v->len = 0;
	v->disabled_until = machine_now(machine) + (uint64_t)s->path_disable_time * TCP_NS_PER_S;
}

bool
tcp_fastopen_usable(struct nke *machine, const struct in_ends *e)
{
	const struct server *v = find(machine->tcp->fastopen, e);

	return v == NULL || v->disabled_until <= machine_now(machine);
}

/* ---- life --------------------------------------------------------------------------------- */

static const struct sysctl_bounded variables[] = {
	{OID_AUTO, "autokey", offsetof(struct tcp_fastopen_state, autokey), 0, INT32_MAX},
	{OID_AUTO, "path_disable_time", offsetof(struct tcp_fastopen_state, path_disable_time), 0, INT32_MAX},
	{.name = NULL}
};

/* 16 octets, for the servers of one name to have the same. Nobody reads them. */
static int
handle_setkey SYSCTL_HANDLER_ARGS
{
	uint64_t key[2];
	int error;

	(void)oidp;
	(void)arg2;
	if (req->newptr == 0)
		return EPERM;
	if (req->newlen != KEY_LEN)
		return EINVAL;
	error = SYSCTL_IN(req, key, sizeof key);
	if (error == 0) {
		refresh_keys(arg1);
		add_key(arg1, key);
	}
	return error;
}

errno_t
tcp_fastopen_init(struct nke *machine)
{
	struct tcp_fastopen_state *s = kalloc(machine, sizeof *s);
	struct sysctl_oid_list *parent = &machine->tcp->branches[TCP_BRANCH_FASTOPEN];
	errno_t error;

	if (s == NULL)
		return ENOMEM;
	s->machine = machine;
	s->autokey = 120;
	s->path_disable_time = 900;
	TAILQ_INIT(&s->by_use);
	prng_bytes(machine, s->key, sizeof s->key);
	error = sysctl_add_bounded(machine, parent, variables, s);
	if (error == 0)
		error = sysctl_add(machine, parent, OID_AUTO, "setkey", CTLTYPE_OPAQUE | CTLFLAG_WR, s, 0,
		    handle_setkey, "");
	if (error != 0) {
		kfree(machine, s);
		return error;
	}
	machine->tcp->fastopen = s;
	return 0;
}

void
tcp_fastopen_fini(struct nke *machine)
{
	struct tcp_fastopen_state *s = machine->tcp->fastopen;

	if (s == NULL)
		return;
	while (!TAILQ_EMPTY(&s->by_use))
		forget(s, TAILQ_FIRST(&s->by_use));
	kfree(machine, s);
	machine->tcp->fastopen = NULL;
}
