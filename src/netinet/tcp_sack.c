/*
 * Selective acknowledgements, both ways: RFC 2018 and, for duplicates, RFC 2883.
 *
 * Way in, sending side: tcp_sack_input, for every segment with the option, after its cumulative ACK.
 * It puts the blocks onto the queue of what is in flight (tcp_sent.c), in ascending order as RACK
 * wants it (RFC 8985 6.2 step 3), and recognises DSACK. Receiving side: tcp_sack_received and its
 * sisters keep what tcp_sack_blocks tells the peer with the next acknowledgement: a DSACK first,
 * then the blocks, the latest first.
 *
 * State: the queue; t_rcv_sack. No timers.
 *
 * Limits: a block counts only inside of (ack, snd_nxt]; at most four are looked at, each is found in
 * a bounded number of steps (tcp_sent_find) and ends at segment boundaries; what has been SACKed is
 * one entry, so that telling it again costs nothing. A block that is not found in time is found with
 * a later ACK, as it is told several times. Blocks are a hint only: what is SACKed stays in the send
 * buffer until it is acknowledged cumulatively, and a receiver may renege (tcp_recovery_rto).
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/netinet/tcp_private.h"

#define FIND_STEPS	2048u		/* per segment */

/* ---- sending ------------------------------------------------------------------------------ */

static inline uint32_t
word(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline struct sackblk
block(const uint8_t *p)
{
	return (struct sackblk){.start = word(p), .end = word(p + 4)};
}

/* A block at segment boundaries: where an entry may be cut, going up or down from `at` inside of it. */
static tcp_seq
cut_up(const struct tcpcb *tp, const struct tcp_sent *e, tcp_seq at)
{
	uint32_t n = (at - e->seq + tp->t_maxseg - 1) / tp->t_maxseg;

	return e->seq + n * tp->t_maxseg;
}

static tcp_seq
cut_down(const struct tcpcb *tp, const struct tcp_sent *e, tcp_seq at)
{
	return e->seq + (at - e->seq) / tp->t_maxseg * tp->t_maxseg;
}

/*
 * The part of `e` inside of the block, by itself; NULL: no whole segment of it is, or there is no
 * memory.
 */
static struct tcp_sent *
inside(struct tcpcb *tp, struct tcp_sent *e, const struct sackblk *b)
{
	tcp_seq at;

	if (SEQ_LT(e->seq, b->start)) {
		at = cut_up(tp, e, b->start);
		if (SEQ_GEQ(at, e->end))
			return NULL;
		e = tcp_sent_split(tp, e, at);
		if (e == NULL)
			return NULL;
	}
	if (SEQ_GT(e->end, b->end)) {
		if (SEQ_LEQ(b->end, e->seq))
			return NULL;
		at = cut_down(tp, e, b->end);
		if (at == e->seq || tcp_sent_split(tp, e, at) == NULL)
			return NULL;
	}
	return e;
}

static void
mark_block(struct tcpcb *tp, struct tcp_segment *seg, const struct sackblk *b, unsigned *steps)
{
	struct tcp_sent *e = tcp_sent_find(tp, b->start, steps), *part;

	for (; e != NULL && SEQ_LT(e->seq, b->end); e = TAILQ_NEXT(e, by_seq)) {
		tp->t_sent_hint = e;
		if (e->flags & SENT_SACKED)
			continue;
		part = inside(tp, e, b);
		if (part == NULL)
			continue;
		seg->newly_sacked += part->end - part->seq;
		tcp_rack_delivered(tp, part, seg);
		e = tcp_sent_sacked(tp, part);
		tp->t_sent_hint = e;
	}
}

/*
 * RFC 2883 section 4: the first block tells of a duplicate when it lies below the cumulative ACK, or
 * inside of the second.
 */
static bool
is_dsack(const struct tcp_segment *seg, const struct sackblk *first, const struct sackblk *second)
{
	if (SEQ_LEQ(first->end, seg->ack))
		return true;
	return second != NULL && SEQ_GEQ(first->start, second->start) && SEQ_LEQ(first->end, second->end);
}

static void
dsack_input(struct tcpcb *tp, const struct sackblk *b)
{
	struct tcpstat *st = tcp_statistics(tptomachine(tp));

	st->tcps_dsack_recvd++;
	/* Nothing was sent there, or so long ago that it says nothing about now. */
	if (SEQ_GEQ(b->start, b->end) || SEQ_GT(b->end, tp->snd_nxt) ||
	    SEQ_LT(b->start, tp->snd_una - tp->max_sndwnd)) {
		st->tcps_dsack_recvd_old++;
		return;
	}
	/* The tail loss probe and what it repeated have both arrived: nothing was lost (RFC 8985 7.4.2). */
	if ((tp->t_flags & TF_TLP_SENT) && tp->t_tlp_rexmit && b->end == tp->t_tlp_end) {
		tp->t_flags &= ~(uint32_t)TF_TLP_SENT;
		return;
	}
	tp->t_rack_dsack_seen = true;
	tcp_undo_dsack(tp, b->start, b->end);
}

/* Enters it into `blocks`, sorted, when it is valid. */
static unsigned
add_sorted(const struct tcpcb *tp, const struct tcp_segment *seg, struct sackblk *blocks, unsigned n,
    struct sackblk b)
{
	unsigned i;

	if (SEQ_GEQ(b.start, b.end) || SEQ_LEQ(b.start, seg->ack) || SEQ_GT(b.end, tp->snd_nxt) ||
	    SEQ_LT(b.start, tp->snd_una))
		return n;
	for (i = n; i > 0 && SEQ_GT(blocks[i - 1].start, b.start); i--)
		blocks[i] = blocks[i - 1];
	blocks[i] = b;
	return n + 1;
}

void
tcp_sack_input(struct tcpcb *tp, struct tcp_segment *seg)
{
	unsigned count = seg->to.to_nsacks, n = 0, steps = FIND_STEPS;
	struct sackblk blocks[TCP_MAX_SACK], first, second;

	tp->t_rack_dsack_seen = false;
	if (!(tp->t_flags & TF_SACK_PERMIT) || !(seg->to.to_flags & TOF_SACK) || count == 0)
		return;
	if (count > TCP_MAX_SACK)
		count = TCP_MAX_SACK;
	tcp_statistics(tptomachine(tp))->tcps_sack_rcv_blocks += count;
	first = block(seg->to.to_sacks);
	if (count > 1)
		second = block(seg->to.to_sacks + TCPOLEN_SACK);
	if (is_dsack(seg, &first, count > 1 ? &second : NULL))
		dsack_input(tp, &first);
	else
		n = add_sorted(tp, seg, blocks, n, first);
	for (unsigned i = 1; i < count; i++)
		n = add_sorted(tp, seg, blocks, n, block(seg->to.to_sacks + i * TCPOLEN_SACK));
	for (unsigned i = 0; i < n; i++)
		mark_block(tp, seg, &blocks[i], &steps);
	tp->t_delivered += seg->newly_sacked;
	seg->delivered += seg->newly_sacked;
}

/* ---- receiving ---------------------------------------------------------------------------- */

/* SACK is advice only: without memory there is none. */
static struct tcp_rcv_sack *
get_rcv_sack(struct tcpcb *tp)
{
	if (tp->t_rcv_sack == NULL)
		tp->t_rcv_sack = kalloc(tptomachine(tp), sizeof *tp->t_rcv_sack);
	return tp->t_rcv_sack;
}

static void
free_if_empty(struct tcpcb *tp)
{
	if (tcp_sacks_to_tell(tp) == 0)
		tcp_sack_free(tp);
}

static void
remove_block(struct tcp_rcv_sack *s, unsigned i)
{
	s->count--;
	memmove(&s->blocks[i], &s->blocks[i + 1], (s->count - i) * sizeof s->blocks[0]);
}

/* To the front, with all that it touches; the oldest is forgotten when there are too many. */
static void
put_first(struct tcp_rcv_sack *s, struct sackblk b)
{
	for (unsigned i = 0; i < s->count;) {
		const struct sackblk *o = &s->blocks[i];

		if (SEQ_GT(b.start, o->end) || SEQ_LT(b.end, o->start)) {
			i++;
			continue;
		}
		if (SEQ_LT(o->start, b.start))
			b.start = o->start;
		if (SEQ_GT(o->end, b.end))
			b.end = o->end;
		remove_block(s, i);
		i = 0;			/* it has grown: others may touch it now */
	}
	if (s->count == MAX_SACK_BLKS)
		s->count--;
	memmove(&s->blocks[1], &s->blocks[0], s->count * sizeof b);
	s->blocks[0] = b;
	s->count++;
}

void
tcp_sack_received(struct tcpcb *tp, tcp_seq start, tcp_seq end)
{
	struct tcp_rcv_sack *s;

	if (!(tp->t_flags & TF_SACK_PERMIT) || SEQ_LEQ(end, tp->rcv_nxt) || SEQ_GEQ(start, end))
		return;
	s = get_rcv_sack(tp);
	if (s != NULL)
		put_first(s, (struct sackblk){.start = start, .end = end});
}

void
tcp_dsack_received(struct tcpcb *tp, tcp_seq start, tcp_seq end)
{
	struct tcp_rcv_sack *s;

	if (!(tp->t_flags & TF_SACK_PERMIT) || SEQ_GEQ(start, end))
		return;
	s = get_rcv_sack(tp);
	if (s == NULL)
		return;
	s->dsack = (struct sackblk){.start = start, .end = end};
	/* RFC 2883 4: the block that the duplicate is part of comes right behind it. */
	for (unsigned i = 0; i < s->count; i++)
		if (SEQ_LEQ(s->blocks[i].start, start) && SEQ_GEQ(s->blocks[i].end, end)) {
			put_first(s, s->blocks[i]);
			return;
		}
}

void
tcp_sack_advance(struct tcpcb *tp)
{
	struct tcp_rcv_sack *s = tp->t_rcv_sack;

	for (unsigned i = 0; i < s->count;)
		if (SEQ_LEQ(s->blocks[i].start, tp->rcv_nxt))
			remove_block(s, i);
		else
			i++;
	free_if_empty(tp);
}

void
tcp_sack_free(struct tcpcb *tp)
{
	kfree(tptomachine(tp), tp->t_rcv_sack);
	tp->t_rcv_sack = NULL;
}

static uint8_t *
put_word(uint8_t *p, uint32_t w)
{
	p[0] = (uint8_t)(w >> 24);
	p[1] = (uint8_t)(w >> 16);
	p[2] = (uint8_t)(w >> 8);
	p[3] = (uint8_t)w;
	return p + 4;
}

static uint8_t *
put_block(uint8_t *p, const struct sackblk *b)
{
	return put_word(put_word(p, b->start), b->end);
}

unsigned
tcp_sack_blocks(struct tcpcb *tp, uint8_t *out)
{
	struct tcp_rcv_sack *s = tp->t_rcv_sack;
	unsigned n = 0;

	if (s == NULL || !(tp->t_flags & TF_SACK_PERMIT))
		return 0;
	if (s->dsack.start != s->dsack.end) {
		out = put_block(out, &s->dsack);
		s->dsack.start = s->dsack.end = 0;
		tcp_statistics(tptomachine(tp))->tcps_dsack_sent++;
		n++;
	}
	for (unsigned i = 0; i < s->count && n < MAX_SACK_BLKS; i++, n++)
		out = put_block(out, &s->blocks[i]);
	free_if_empty(tp);
	return n;
}
