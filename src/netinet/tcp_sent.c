/*
 * What is in flight: one queue per connection of all that was sent and is not acknowledged
 * cumulatively. It is retransmission queue, scoreboard (RFC 6675 section 3), RACK's memory (RFC 8985
 * 5.1) and the source of round trip times (RFC 6298 section 3, Karn) in one.
 *
 * State: t_sent by sequence, without gaps from snd_una to snd_nxt; t_sent_times, of these what is
 * neither SACKed nor lost, by the time it was last sent; the sums t_pipe, t_sacked and t_lost over
 * the three kinds. Three pointers into the queue keep all of this from being searched (t_sent_hint,
 * t_sent_high, t_sent_lost).
 *
 * Way in: tcp_sent_add when a segment goes for the first time, tcp_sent_again when it goes again.
 * Way out: tcp_sent_ack. Between them tcp_sack.c says what has arrived, tcp_rack.c and
 * tcp_recovery.c what is lost.
 *
 * Limits: neighbours that are SACKed are one entry, small segments sent in the same instant too;
 * entries are cut at segment boundaries only, so that a window holds about as many as it holds
 * segments whatever the peer SACKs. What a machine has freed it keeps for reuse, up to FREE_MAX.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/panic.h"
#include "src/kern/sched.h"
#include "src/netinet/tcp_private.h"

#define FREE_MAX	4096u		/* entries that a machine keeps for reuse */

static inline uint32_t
length(const struct tcp_sent *e)
{
	return e->end - e->seq;
}

/* ---- entries ------------------------------------------------------------------------------ */

static struct tcp_sent *
take(struct nke *machine)
{
	struct tcp_state *s = machine->tcp;
	struct tcp_sent *e = s->free_sent;

	if (e == NULL)
		return kalloc(machine, sizeof *e);
	s->free_sent = TAILQ_NEXT(e, by_seq);
	s->free_sent_count--;
	memset(e, 0, sizeof *e);
	return e;
}

static void
give(struct nke *machine, struct tcp_sent *e)
{
	struct tcp_state *s = machine->tcp;

	if (s->free_sent_count >= FREE_MAX) {
		kfree(machine, e);
		return;
	}
	TAILQ_NEXT(e, by_seq) = s->free_sent;
	s->free_sent = e;
	s->free_sent_count++;
}

void
tcp_sent_drain(struct nke *machine)
{
	struct tcp_state *s = machine->tcp;
	struct tcp_sent *e;

	while ((e = s->free_sent) != NULL) {
		s->free_sent = TAILQ_NEXT(e, by_seq);
		kfree(machine, e);
	}
	s->free_sent_count = 0;
}

/* Into the list of times, which is nearly always at its end. */
static void
insert_by_time(struct tcpcb *tp, struct tcp_sent *e)
{
	struct tcp_sent *before = TAILQ_LAST(&tp->t_sent_times, tcp_sent_list);

	while (before != NULL && before->time > e->time)
		before = TAILQ_PREV(before, tcp_sent_list, by_time);
	if (before == NULL)
		TAILQ_INSERT_HEAD(&tp->t_sent_times, e, by_time);
	else
		TAILQ_INSERT_AFTER(&tp->t_sent_times, before, e, by_time);
}

static inline bool
in_flight(const struct tcp_sent *e)
{
	return (e->flags & (SENT_SACKED | SENT_LOST)) == 0;
}

/* The sum that an entry's octets are in. */
static inline uint32_t *
sum_of(struct tcpcb *tp, const struct tcp_sent *e)
{
	return e->flags & SENT_SACKED ? &tp->t_sacked : e->flags & SENT_LOST ? &tp->t_lost : &tp->t_pipe;
}

/* Another kind: SENT_SACKED, SENT_LOST, or 0 for in flight. */
static void
set_kind(struct tcpcb *tp, struct tcp_sent *e, uint8_t kind)
{
	*sum_of(tp, e) -= length(e);
	if (in_flight(e))
		TAILQ_REMOVE(&tp->t_sent_times, e, by_time);
	e->flags = (uint8_t)((e->flags & ~(SENT_SACKED | SENT_LOST)) | kind);
	if (in_flight(e))
		insert_by_time(tp, e);
	*sum_of(tp, e) += length(e);
}

/* Takes it out of everything; `heir` (NULL none) is what the pointers to it point to afterwards. */
static void
drop(struct tcpcb *tp, struct tcp_sent *e, struct tcp_sent *heir)
{
	if (in_flight(e))
		TAILQ_REMOVE(&tp->t_sent_times, e, by_time);
	TAILQ_REMOVE(&tp->t_sent, e, by_seq);
	if (tp->t_sent_hint == e)
		tp->t_sent_hint = heir;
	if (tp->t_sent_high == e)
		tp->t_sent_high = heir != NULL && (heir->flags & SENT_SACKED) ? heir : NULL;
	if (tp->t_sent_lost == e)
		tp->t_sent_lost = heir;
	give(tptomachine(tp), e);
}

/* ---- sending ------------------------------------------------------------------------------ */

/*
 * Small segments that go in the same instant are one entry: they would be one segment when sent again. But
 * not where records end between them.
 */
static bool
extend(struct tcpcb *tp, struct tcp_sent *last, uint64_t now, tcp_seq seq, tcp_seq end, uint8_t flags)
{
	if (last == NULL || last->end != seq || last->time != now || !in_flight(last) ||
	    last->delivered != tp->t_delivered || last->retransmits != 0 || (flags & SENT_SYN) ||
	    (last->flags & (SENT_SYN | SENT_FIN | SENT_REXMIT)) || end - last->seq > tp->t_maxseg ||
	    ((last->flags ^ flags) & SENT_ECT) || (tptosocket(tp)->so_snd.sb_flags & SB_RECORDS))
		return false;
	last->end = end;
	last->flags |= flags;
	tp->t_pipe += end - seq;
	return true;
}

struct tcp_sent *
tcp_sent_add(struct tcpcb *tp, tcp_seq seq, tcp_seq end, uint8_t flags)
{
	struct tcp_sent *last = TAILQ_LAST(&tp->t_sent, tcp_sent_list), *e;
	uint64_t now = machine_now(tptomachine(tp));

	KASSERTX(SEQ_LT(seq, end) && (last == NULL || last->end == seq),
	    "tcp_sent_add: [%u, %u) does not follow what was sent before, which ends at %u", seq, end,
	    last != NULL ? last->end : seq);
	flags &= SENT_SYN | SENT_FIN | SENT_PUSH | SENT_TLP | SENT_ECT;
	if (extend(tp, last, now, seq, end, flags))
		return last;
	e = take(tptomachine(tp));
	if (e == NULL)
		return NULL;
	e->seq = seq;
	e->end = end;
	e->flags = flags;
	e->time = now;
	e->delivered = tp->t_delivered;
	TAILQ_INSERT_TAIL(&tp->t_sent, e, by_seq);
	TAILQ_INSERT_TAIL(&tp->t_sent_times, e, by_time);
	tp->t_pipe += end - seq;
	return e;
}

void
tcp_sent_again(struct tcpcb *tp, struct tcp_sent *e)
{
	struct tcpstat *st = tcp_statistics(tptomachine(tp));

	e->time = machine_now(tptomachine(tp));
	e->delivered = tp->t_delivered;
	if (in_flight(e)) {
		TAILQ_REMOVE(&tp->t_sent_times, e, by_time);
		insert_by_time(tp, e);
	} else if (e->flags & SENT_LOST)
		set_kind(tp, e, 0);
	e->flags = (uint8_t)((e->flags & ~SENT_ECT) | SENT_REXMIT);
	if (e->retransmits != UINT8_MAX)
		e->retransmits++;
	tcp_undo_rexmit(tp, e->seq, length(e));
	if ((tp->t_flags & TF_SACK_PERMIT) && (tp->t_flags & TF_FASTRECOVERY)) {
		st->tcps_sack_rexmits++;
		st->tcps_sack_rexmit_bytes += length(e);
	}
}

struct tcp_sent *
tcp_sent_split(struct tcpcb *tp, struct tcp_sent *e, tcp_seq at)
{
	struct tcp_sent *second;

	KASSERTX(SEQ_LT(e->seq, at) && SEQ_LT(at, e->end), "tcp_sent_split: %u is not inside of [%u, %u)", at,
	    e->seq, e->end);
	second = take(tptomachine(tp));
	if (second == NULL)
		return NULL;
	*second = *e;
	second->seq = at;
	second->flags = (uint8_t)(e->flags & ~SENT_SYN);
	e->end = at;
	e->flags = (uint8_t)(e->flags & ~(SENT_FIN | SENT_PUSH));
	TAILQ_INSERT_AFTER(&tp->t_sent, e, second, by_seq);
	if (in_flight(e))
		TAILQ_INSERT_AFTER(&tp->t_sent_times, e, second, by_time);
	if (tp->t_sent_high == e)
		tp->t_sent_high = second;
	return second;
}

struct tcp_sent *
tcp_sent_tail(struct tcpcb *tp, struct tcp_sent *e)
{
	uint32_t fin = (e->flags & SENT_FIN) != 0, len = e->end - e->seq - fin, last;

	if (len <= tp->t_maxseg)
		return e;
	last = len % tp->t_maxseg != 0 ? len % tp->t_maxseg : tp->t_maxseg;
	return tcp_sent_split(tp, e, e->end - fin - last);
}

/* ---- lost --------------------------------------------------------------------------------- */

struct tcp_sent *
tcp_sent_first_lost(struct tcpcb *tp)
{
	struct tcp_sent *e;

	if (LIKELY(tp->t_lost == 0))
		return NULL;
	e = tp->t_sent_lost != NULL ? tp->t_sent_lost : TAILQ_FIRST(&tp->t_sent);
	while (e != NULL && !(e->flags & SENT_LOST))
		e = TAILQ_NEXT(e, by_seq);
	tp->t_sent_lost = e;
	return e;
}

void
tcp_sent_mark_lost(struct tcpcb *tp, struct tcp_sent *e)
{
	if (!in_flight(e))
		return;
	set_kind(tp, e, SENT_LOST);
	/* Nothing else is lost: the search may begin here. */
	if (tp->t_lost == length(e) || (tp->t_sent_lost != NULL && SEQ_LT(e->seq, tp->t_sent_lost->seq)))
		tp->t_sent_lost = e;
}

void
tcp_sent_mark_lost_before(struct tcpcb *tp, tcp_seq seq)
{
	struct tcp_sent *e;

	TAILQ_FOREACH(e, &tp->t_sent, by_seq) {
		if (SEQ_GEQ(e->seq, seq))
			break;
		tcp_sent_mark_lost(tp, e);
	}
}

void
tcp_sent_mark_all_lost(struct tcpcb *tp)
{
	tcp_sent_mark_lost_before(tp, tp->snd_nxt);
}

void
tcp_sent_unmark_lost(struct tcpcb *tp)
{
	struct tcp_sent *e, *place = TAILQ_FIRST(&tp->t_sent_times);
	uint64_t before = 0;

	/* Both lists are gone through side by side: what was sent later nearly always comes later. */
	for (e = tcp_sent_first_lost(tp); e != NULL && tp->t_lost != 0; e = TAILQ_NEXT(e, by_seq)) {
		if (!(e->flags & SENT_LOST))
			continue;
		if (e->time < before)
			place = TAILQ_FIRST(&tp->t_sent_times);
		while (place != NULL && place->time <= e->time)
			place = TAILQ_NEXT(place, by_time);
		if (place != NULL)
			TAILQ_INSERT_BEFORE(place, e, by_time);
		else
			TAILQ_INSERT_TAIL(&tp->t_sent_times, e, by_time);
		before = e->time;
		e->flags = (uint8_t)(e->flags & ~SENT_LOST);
		tp->t_lost -= length(e);
		tp->t_pipe += length(e);
	}
}

/* ---- arrived ------------------------------------------------------------------------------ */

/* Two neighbours that are SACKed become one: `a`, the first. */
static void
join(struct tcpcb *tp, struct tcp_sent *a, struct tcp_sent *b)
{
	a->end = b->end;
	a->flags |= b->flags & (SENT_FIN | SENT_PUSH | SENT_REXMIT);
	if (b->time > a->time)
		a->time = b->time;
	drop(tp, b, a);
}

struct tcp_sent *
tcp_sent_sacked(struct tcpcb *tp, struct tcp_sent *e)
{
	struct tcp_sent *other;

	set_kind(tp, e, SENT_SACKED);
	if (tp->t_sent_high == NULL || SEQ_GT(e->end, tp->t_sent_high->end))
		tp->t_sent_high = e;
	other = TAILQ_PREV(e, tcp_sent_list, by_seq);
	if (other != NULL && (other->flags & SENT_SACKED)) {
		join(tp, other, e);
		e = other;
	}
	other = TAILQ_NEXT(e, by_seq);
	if (other != NULL && (other->flags & SENT_SACKED))
		join(tp, e, other);
	return e;
}

void
tcp_sent_renege(struct tcpcb *tp)
{
	struct tcp_sent *e;

	TAILQ_FOREACH(e, &tp->t_sent, by_seq)
		if (e->flags & SENT_SACKED)
			set_kind(tp, e, SENT_LOST);
	tp->t_sent_high = NULL;
	tp->t_sent_lost = NULL;
}

/* Octets from an entry to `seq`; 0 inside of it. */
static inline uint32_t
distance(const struct tcp_sent *e, tcp_seq seq)
{
	if (SEQ_LT(seq, e->seq))
		return e->seq - seq;
	return SEQ_LT(seq, e->end) ? 0 : seq - e->end + 1;
}

static inline struct tcp_sent *
nearer(struct tcp_sent *best, struct tcp_sent *e, tcp_seq seq)
{
	return e != NULL && distance(e, seq) < distance(best, seq) ? e : best;
}

struct tcp_sent *
tcp_sent_find(struct tcpcb *tp, tcp_seq seq, unsigned *steps)
{
	struct tcp_sent *e = TAILQ_FIRST(&tp->t_sent), *before;

	if (e == NULL)
		return NULL;
	e = nearer(e, tp->t_sent_hint, seq);
	e = nearer(e, tp->t_sent_high, seq);
	e = nearer(e, TAILQ_LAST(&tp->t_sent, tcp_sent_list), seq);
	while (SEQ_LEQ(e->end, seq)) {
		struct tcp_sent *next = TAILQ_NEXT(e, by_seq);

		if (next == NULL)
			return NULL;
		e = next;
		if ((*steps)-- <= 1)
			goto enough;
	}
	while ((before = TAILQ_PREV(e, tcp_sent_list, by_seq)) != NULL && SEQ_GT(before->end, seq)) {
		e = before;
		if ((*steps)-- <= 1)
			goto enough;
	}
	return e;
enough:
	*steps = 0;
	tp->t_sent_hint = e;		/* the next search goes on here */
	return NULL;
}

/* The part of an entry that an acknowledgement covers goes. */
static void
cut_front(struct tcpcb *tp, struct tcp_sent *e, tcp_seq ack)
{
	*sum_of(tp, e) -= ack - e->seq;
	e->seq = ack;
	e->flags = (uint8_t)(e->flags & ~SENT_SYN);
}

/*
 * FreeBSD's base stack times one segment at a time, t_tlp_end, as it has no probes of tails; with timestamps
 * it times all.
 */
static bool
is_timed(struct tcpcb *tp, const struct tcp_segment *seg)
{
	if (tp->t_flags & TF_RCVD_TSTMP)
		return true;
	if (SEQ_GEQ(tp->t_tlp_end, seg->ack) && SEQ_LEQ(tp->t_tlp_end, tp->snd_nxt))
		return false;
	tp->t_tlp_end = tp->snd_nxt;
	return true;
}

/*
 * One measurement, of what was sent once only and had not arrived before (Karn). When something that
 * was sent again is acknowledged too, the rest may have waited for it at the receiver: timestamps
 * still tell then, as the receiver echoes that of the segment which moved it on (RFC 7323 4.3).
 */
static void
measure(struct tcpcb *tp, struct tcp_segment *seg, uint64_t first, uint64_t last, bool again)
{
	struct nke *machine = tptomachine(tp);
	uint64_t now = machine_now(machine), us = 0;

	if (UNLIKELY(tp->t_uflags & TFU_BASE) && !is_timed(tp, seg)) {
		seg->rtt = 0;
		return;
	}
	if (first != 0 && !again) {
		/* The first instant of a machine counts as the second: 0 is none. */
		us = now > first ? (now - first) / TCP_NS_PER_US : 0;
		tcp_minrtt_update(tp, (uint32_t)((now - last) / TCP_NS_PER_US));
	} else if ((seg->to.to_flags & TOF_TS) && (tp->t_flags & TF_RCVD_TSTMP) && seg->to.to_tsecr != 0) {
		uint32_t ms = tcp_ts_now(machine) + tp->ts_offset - seg->to.to_tsecr;

		if ((int32_t)ms >= 0 && ms < 3600 * 1000)
			us = (ms != 0 ? ms : 1) * 1000ull;
	}
	if (us == 0 && first != 0 && !again)
		us = 1;
	seg->rtt = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

uint32_t
tcp_sent_ack(struct tcpcb *tp, struct tcp_segment *seg, tcp_seq ack)
{
	struct tcp_sent *e, *next;
	uint64_t first = 0, last = 0;
	uint32_t fresh = 0;
	bool again = false;

	for (e = TAILQ_FIRST(&tp->t_sent); e != NULL && SEQ_LT(e->seq, ack); e = next) {
		uint32_t covered = (SEQ_LT(ack, e->end) ? ack : e->end) - e->seq;

		next = TAILQ_NEXT(e, by_seq);
		if (!(e->flags & SENT_SACKED)) {
			fresh += covered;
			if (e->flags & SENT_REXMIT)
				again = true;
			else {
				if (first == 0)
					first = e->time != 0 ? e->time : 1;
				last = e->time;
			}
		}
		if (SEQ_LT(ack, e->end)) {
			cut_front(tp, e, ack);
			break;
		}
		if (!(e->flags & SENT_SACKED))
			tcp_rack_delivered(tp, e, seg);
		*sum_of(tp, e) -= covered;
		drop(tp, e, next);
	}
	tp->t_delivered += fresh;
	seg->delivered += fresh;
	if (fresh != 0)
		measure(tp, seg, first, last, again);
	return fresh;
}

void
tcp_sent_flush(struct tcpcb *tp)
{
	struct tcp_sent *e;

	while ((e = TAILQ_FIRST(&tp->t_sent)) != NULL)
		drop(tp, e, NULL);
	tp->t_pipe = tp->t_sacked = tp->t_lost = 0;
	tp->t_sent_hint = tp->t_sent_high = tp->t_sent_lost = NULL;
}

/* ---- for tests ---------------------------------------------------------------------------- */

static const char *
check_times(const struct tcpcb *tp, uint32_t in_flight_count)
{
	const struct tcp_sent *e, *before = NULL;
	uint32_t n = 0;

	TAILQ_FOREACH(e, &tp->t_sent_times, by_time) {
		if (!in_flight(e))
			return "t_sent_times has an entry that is SACKed or lost";
		if (before != NULL && before->time > e->time)
			return "t_sent_times is not in order";
		before = e;
		n++;
	}
	return n == in_flight_count ? NULL : "t_sent_times lacks entries, or has too many";
}

const char *
tcp_sent_check(const struct tcpcb *tp)
{
	uint32_t pipe = 0, sacked = 0, lost = 0, n = 0;
	const struct tcp_sent *e, *before = NULL, *high = NULL;
	bool hint = tp->t_sent_hint == NULL, lost_seen = tp->t_sent_lost == NULL, searching = !lost_seen;

	TAILQ_FOREACH(e, &tp->t_sent, by_seq) {
		if (!SEQ_LT(e->seq, e->end))
			return "an entry is empty";
		if (before != NULL && before->end != e->seq)
			return "there is a gap in t_sent";
		if ((e->flags & SENT_SACKED) && (e->flags & SENT_LOST))
			return "an entry is SACKed and lost";
		if ((e->flags & SENT_SACKED) && before != NULL && (before->flags & SENT_SACKED))
			return "two neighbours are SACKed";
		if (e == tp->t_sent_lost)
			searching = false;
		if (searching && (e->flags & SENT_LOST))
			return "an entry before t_sent_lost is lost";
		hint |= e == tp->t_sent_hint;
		lost_seen |= e == tp->t_sent_lost;
		if (e->flags & SENT_SACKED)
			high = e;
		*(e->flags & SENT_SACKED ? &sacked : e->flags & SENT_LOST ? &lost : &pipe) += length(e);
		n += in_flight(e);
		before = e;
	}
	if (!hint || !lost_seen || high != tp->t_sent_high)
		return "t_sent_hint, t_sent_lost or t_sent_high points elsewhere";
	if (pipe != tp->t_pipe)
		return "t_pipe is wrong";
	if (sacked != tp->t_sacked)
		return "t_sacked is wrong";
	if (lost != tp->t_lost)
		return "t_lost is wrong";
	if (before != NULL && before->end != tp->snd_nxt)
		return "t_sent does not end at snd_nxt";
	return check_times(tp, n);
}
