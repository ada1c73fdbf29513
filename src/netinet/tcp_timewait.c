/*
 * TIME_WAIT: the last state of whoever closed first (RFC 9293 section 3.3.2). Its connection is over; all
 * that is left to do is to answer a retransmitted FIN and to keep old segments from a new connection on
 * the same pair of ends. For that a record of 48 octets (76 for IPv6) is enough; tcpcb, inpcb and socket
 * are let go, as soon as the user has closed the socket (tcp_rest).
 *
 * RFC 1337 (a RST does not end it), RFC 6191 and RFC 1122 4.2.2.13 (a SYN that cannot be old does), RFC
 * 7323 section 3.2, RFC 5961 section 4.
 *
 * State: machine->tcp->timewaits, kept by tcp_timewait_table.c: a hash by ends, and a queue by the time at
 * which they end. Way in: tcp_twstart() when a connection gets here, tcp_timewait_input() for segments that
 * no connection wants. Way out: tcp_respond(). Timer: one callout for the oldest.
 *
 * Limits: net.inet.tcp.maxtcptw records, the oldest goes for a new one; answers to segments that are not a
 * retransmitted FIN count as challenge ACKs.
 *
 * Left out: PAWS on what comes here; such a segment can do no more than to be answered.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/sched.h"
#include "src/netinet/tcp_accecn.h"
#include "src/netinet/tcp_timewait.h"

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

	if (t->oldest == TW_NONE || callout_pending(&t->timer))
		return;
	left = (int32_t)(tw_at(t, t->oldest)->expires - (uint32_t)(now / TCP_NS_PER_MS));
	(void)callout_reset(&t->timer, now + (left > 0 ? (uint64_t)left * TCP_NS_PER_MS : 0));
}

static void
expire(void *arg)
{
	struct tcp_timewaits *t = arg;

	while (t->oldest != TW_NONE && (int32_t)(tw_at(t, t->oldest)->expires - now_ms(t)) <= 0)
		tw_end(t, t->oldest);
	arm(t);
}

/* The whole time once more. */
static void
restart(struct tcp_timewaits *t, uint32_t id)
{
	tw_at(t, id)->expires = now_ms(t) + wait_ms(t);
	tw_renew(t, id);
}

/* ---- into it ------------------------------------------------------------------------------ */

static uint16_t
last_window(const struct tcpcb *tp)
{
	uint32_t win = SEQ_GT(tp->rcv_adv, tp->rcv_nxt) ? (tp->rcv_adv - tp->rcv_nxt) >> tp->rcv_scale : 0;

	return (uint16_t)(win < TCP_MAXWIN ? win : TCP_MAXWIN);
}

/* False: it is not to wait, or cannot. */
static bool
remember(struct tcp_timewaits *t, const struct tcpcb *tp)
{
	const struct tcp_config *config = &t->machine->tcp->config;
	struct in_ends e = tcp_ends(tp);
	uint32_t zone = tp->t_inpcb->inp_fzone, id;
	struct tw *w;

	if (config->nolocaltimewait && in_pcb_ours(t->machine, e.vflag, &e.faddr, zone))
		return false;
	/* Another one with the same ends cannot be, but for SYNs that crossed the end of a connection. */
	id = tw_find(t, &e);
	if (id != TW_NONE)
		tw_end(t, id);
	while (t->count != 0 && t->count >= (uint32_t)config->maxtcptw)
		tw_end(t, t->oldest);
	id = config->maxtcptw > 0 ? tw_new(t, &e, zone) : TW_NONE;
	if (id == TW_NONE)
		return false;
	w = tw_at(t, id);
	w->snd_nxt = tp->snd_nxt;
	w->rcv_nxt = tp->rcv_nxt;
	w->ts_recent = tp->ts_recent;
	w->ts_offset = tp->ts_offset;
	w->win = last_window(tp);
	w->tos = e.vflag == INP_IPV4 ? tp->t_inpcb->inp_tos : tp->t_inpcb->inp_tclass;
	if (UNLIKELY(tcp_accecn_of(tp) != NULL))
		w->tos = (uint8_t)((w->tos & ~IPTOS_ECN_MASK) | tcp_accecn_mark(tp, false));
	if ((tp->t_flags & (TF_REQ_TSTMP | TF_RCVD_TSTMP)) == (TF_REQ_TSTMP | TF_RCVD_TSTMP))
		w->flags |= TW_TSTMP;
	w->expires = now_ms(t) + wait_ms(t);
	arm(t);
	return true;
}

void
tcp_twstart(struct tcpcb *tp)
{
	struct tcp_timewaits *t = tptomachine(tp)->tcp->timewaits;
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
		if (remember(t, tp) && !(tp->t_uflags & TFU_DETACHED))
			tcp_rest(tp, wait_ms(t) * TCP_NS_PER_MS);
		else
			tcp_close(tp);
	}
	so_release(so);
}

/* ---- what comes for it -------------------------------------------------------------------- */

/*
 * Can the SYN not be an old one of the connection that was? RFC 6191 section 2: its timestamp, where there
 * was none before or an older one, says so; else its sequence number (RFC 1122 4.2.2.13).
 */
static bool
reopens(const struct tw *w, const struct tcp_segment *seg)
{
	bool has_ts = (seg->to.to_flags & TOF_TS) != 0 && tcp_wants_ts(&seg->machine->tcp->config);

	if (tcp_drops_synfin(seg))
		return false;
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
	struct tw *w = tw_at(t, id);
	bool fin;

	/*
	 * RFC 1337: a RST, most likely old, must not end it. An old SYN is told where we are (RFC 5961
	 * 4.2), but by FreeBSD's base stack, which says nothing to what has no ACK.
	 */
	if ((!(seg->flags & TH_ACK) && t->machine->tcp->config.base_stack) || tcp_drops_synfin(seg))
		return;
	if ((seg->flags & TH_RST) || !(seg->flags & (TH_SYN | TH_ACK)) || seg->multicast)
		return;
	if ((w->flags & TW_TSTMP) && !(seg->to.to_flags & TOF_TS) &&
	    !t->machine->tcp->config.tolerate_missing_ts)
		return;
	fin = (seg->flags & (TH_FIN | TH_SYN)) == TH_FIN && seg->seq + seg->len + 1 == w->rcv_nxt;
	if (fin)
		restart(t, id);
	else if ((seg->flags & ~(TH_PUSH | TH_URG | TH_ACE)) == TH_ACK && seg->len == 0 &&
	    seg->seq == w->rcv_nxt && seg->ack == w->snd_nxt)
		return;
	if (fin || tcp_may_challenge(t->machine))
		answer(t, w, seg);
}

bool
tcp_timewait_input(struct tcp_segment *seg, tcp_seq *isn_floor)
{
	struct tcp_timewaits *t = seg->machine->tcp->timewaits;
	uint32_t id = tw_find(t, &seg->ends);
	const struct tw *w;

	*isn_floor = seg->isn_floor = 0;
	if (LIKELY(id == TW_NONE))
		return false;
	w = tw_at(t, id);
	if ((seg->flags & (TH_SYN | TH_ACK | TH_RST)) == TH_SYN && !seg->multicast && reopens(w, seg)) {
		*isn_floor = seg->isn_floor = w->snd_nxt != 0 ? w->snd_nxt : 1;
		tw_end(t, id);
		return false;
	}
	handle(t, id, seg);
	m_freem(seg->m);
	seg->m = NULL;
	return true;
}

/* ---- for bind and connect ----------------------------------------------------------------- */

bool
tcp_timewait_taken(struct nke *machine, const struct in_ends *e)
{
	struct tcp_timewaits *t = machine->tcp->timewaits;

	return e->fport != 0 ? tw_find(t, e) != TW_NONE : tw_has_port(t, e);
}

/*
 * After net.inet.tcp.tw_reuse_delay, a second, the peer's clock has moved on too, whatever its granularity
 * (RFC 7323 5.4). Timestamps that have moved on keep the two connections apart at the peer (RFC 6191, RFC
 * 7323 appendix B.2); an initial sequence number above the last one does where they are not looked at.
 */
static bool
reusable(const struct tcp_timewaits *t, const struct tw *w)
{
	uint32_t age = wait_ms(t) - (w->expires - now_ms(t));

	return (w->flags & TW_TSTMP) && tcp_wants_ts(&t->machine->tcp->config) && age <= wait_ms(t) &&
	    age >= (uint32_t)t->machine->tcp->config.tw_reuse_delay;
}

bool
tcp_timewait_blocks(struct nke *machine, const struct in_ends *e)
{
	struct tcp_timewaits *t = machine->tcp->timewaits;
	uint32_t id;

	if (e->fport == 0)
		return tw_has_port(t, e);
	id = tw_find(t, e);
	return id != TW_NONE && !reusable(t, tw_at(t, id));
}

bool
tcp_timewait_reuse(struct nke *machine, const struct in_ends *e, tcp_seq *isn_floor)
{
	struct tcp_timewaits *t = machine->tcp->timewaits;
	uint32_t id = tw_find(t, e);

	*isn_floor = 0;
	if (id == TW_NONE)
		return true;
	if (!reusable(t, tw_at(t, id)))
		return false;
	*isn_floor = tw_at(t, id)->snd_nxt != 0 ? tw_at(t, id)->snd_nxt : 1;
	tw_end(t, id);
	return true;
}

bool
tcp_timewait_end(struct nke *machine, const struct in_ends *e)
{
	uint32_t id = tw_find(machine->tcp->timewaits, e);

	if (id == TW_NONE)
		return false;
	tw_end(machine->tcp->timewaits, id);
	return true;
}

/* ---- life --------------------------------------------------------------------------------- */

uint32_t
tcp_timewait_count(const struct nke *machine)
{
	return machine->tcp->timewaits->count;
}

void
tcp_timewait_foreach(struct nke *machine, void (*fn)(void *, const struct in_ends *, uint32_t zone),
    void *ctx)
{
	const struct tcp_timewaits *t = machine->tcp->timewaits;
	struct in_ends e;
	uint32_t id;

	for (id = t->oldest; id != TW_NONE; id = tw_at(t, id)->newer) {
		tw_ends(tw_at(t, id), &e);
		fn(ctx, &e, e.vflag == INP_IPV6 ? tw_at(t, id)->words[8] : 0);
	}
}

errno_t
tcp_timewait_init(struct nke *machine)
{
	struct tcp_timewaits *t = kalloc(machine, sizeof *t);

	if (t == NULL)
		return ENOMEM;
	if (tw_table_init(t, machine) != 0) {
		kfree(machine, t);
		return ENOMEM;
	}
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
	tw_table_fini(t);
	kfree(machine, t);
	machine->tcp->timewaits = NULL;
}
