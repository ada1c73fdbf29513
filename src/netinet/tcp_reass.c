/*
 * Data that came too early: RFC 9293 section 3.10.7.4 ("segments with higher beginning sequence numbers may
 * be held for later processing"), and the delivery of data to the socket. Called by tcp_segment.c for what
 * header prediction (tcp_fastpath.c) does not cover.
 *
 * State: t_reass, a ring of runs in order of sequence. A run is a contiguous stretch that is waiting; runs
 * never touch nor overlap, so there are as many as there are holes. Of what comes again the new is cut off
 * at the edges of a run; a run that the new one covers gives way. Only the last run can have the FIN.
 *
 * Way in: a segment that was trimmed to the window. Way out: so_rcv, when the hole before a run is filled,
 * or tcp_reass_flush when the connection goes. Timers: none.
 *
 * Limits: octets by the window; runs by net.inet.tcp.reass.maxqueuelen, so that no walk is longer; memory
 * by that of the receive buffer: small pieces are copied together, so that tiny segments do not each hold a
 * cluster; mbufs of all connections by net.inet.tcp.reass.maxsegments. What exceeds one of them is dropped
 * and comes again. Data in order are always taken, and need no memory.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/socketvar.h"
#include "src/netinet/tcp_private.h"

struct tcp_reass_entry {
	struct tcp_reass_entry *next, *prev;
	struct mbuf *m, *tail;		/* NULL: nothing but the FIN */
	tcp_seq seq;
	uint32_t len;
	uint32_t memory;		/* of the mbufs */
	uint32_t mbufs;
	bool fin;
};

static inline tcp_seq
end_of(const struct tcp_reass_entry *e)
{
	return e->seq + e->len;
}

/* ---- mbufs -------------------------------------------------------------------------------- */

static inline uint32_t
storage(const struct mbuf *m)
{
	return MSIZE + (m->m_flags & M_EXT ? m->m_ext.size : 0);
}

/* The data of the segment, nothing else; it is the caller's now. NULL: there are none. */
static struct mbuf *
take_data(struct tcp_segment *seg)
{
	struct mbuf *m = seg->m;
	int excess = m->m_pkthdr.len - seg->off - seg->hlen - (int)seg->len;

	seg->m = NULL;
	if (seg->len == 0) {
		m_freem(m);
		return NULL;
	}
	m_adj(m, seg->off + seg->hlen);
	if (excess > 0)
		m_adj(m, -excess);
	while (m != NULL && m->m_len == 0)
		m = m_free(m);
	return m;
}

/* A few octets in a large buffer, or behind a packet header, move where more will fit behind them. */
static struct mbuf *
compact(struct nke *machine, struct mbuf *m)
{
	struct mbuf *n;

	if (!(m->m_flags & (M_EXT | M_PKTHDR)) || m->m_len > MLEN)
		return m;
	n = m_get(machine, MBUF_DONTWAIT, MBUF_TYPE_DATA);
	if (n == NULL)
		return m;
	memcpy(n->m_data, m->m_data, (size_t)m->m_len);
	n->m_len = m->m_len;
	n->m_next = m->m_next;
	m->m_next = NULL;
	m_free(m);
	return n;
}

/* Puts the chain behind the run's data. */
static void
append(struct tcpcb *tp, struct tcp_reass_entry *e, struct mbuf *m)
{
	struct nke *machine = tptomachine(tp);
	struct mbuf *next;

	for (; m != NULL; m = next) {
		struct mbuf *tail = e->tail;

		next = m->m_next;
		e->len += (uint32_t)m->m_len;
		if (m->m_len == 0 || (tail != NULL && m->m_len <= MCLBYTES / 4 &&
		    (size_t)m->m_len <= m_trailingspace(tail))) {
			if (m->m_len != 0)
				memcpy(tail->m_data + tail->m_len, m->m_data, (size_t)m->m_len);
			if (tail != NULL)
				tail->m_len += m->m_len;
			m_free(m);
			continue;
		}
		m = compact(machine, m);
		m->m_next = NULL;
		if (tail != NULL)
			tail->m_next = m;
		else
			e->m = m;
		e->tail = m;
		e->mbufs++;
		e->memory += storage(m);
		tp->t_reass_bytes += storage(m);
		machine->tcp->reass_segments++;
	}
}

/* ---- runs --------------------------------------------------------------------------------- */

static inline struct tcp_reass_entry *
last_of(const struct tcpcb *tp)
{
	return tp->t_reass != NULL ? tp->t_reass->prev : NULL;
}

/* The one behind it; NULL: it is the last. */
static inline struct tcp_reass_entry *
after(const struct tcpcb *tp, const struct tcp_reass_entry *e)
{
	return e->next != tp->t_reass ? e->next : NULL;
}

/* Behind `prev`; NULL: the first. */
static void
link_run(struct tcpcb *tp, struct tcp_reass_entry *e, struct tcp_reass_entry *prev)
{
	struct tcp_reass_entry *at = prev != NULL ? prev : last_of(tp);

	if (at == NULL) {
		e->next = e->prev = e;
	} else {
		e->next = at->next;
		e->prev = at;
		e->next->prev = e;
		at->next = e;
	}
	if (prev == NULL)
		tp->t_reass = e;
	tp->t_reass_count++;
}

/* Takes the run away; its mbufs are the caller's. */
static struct mbuf *
unlink_run(struct tcpcb *tp, struct tcp_reass_entry *e)
{
	struct nke *machine = tptomachine(tp);
	struct mbuf *m = e->m;

	if (tp->t_reass == e)
		tp->t_reass = e->next != e ? e->next : NULL;
	e->next->prev = e->prev;
	e->prev->next = e->next;
	tp->t_reass_count--;
	tp->t_reass_bytes -= e->memory;
	machine->tcp->reass_segments -= e->mbufs;
	kfree(machine, e);
	return m;
}

void
tcp_reass_flush(struct tcpcb *tp)
{
	while (tp->t_reass != NULL)
		m_freem(unlink_run(tp, tp->t_reass));
}

/* ---- to the socket ------------------------------------------------------------------------ */

/* Takes the octet at `off` out of the chain. False: no memory, it stays in. */
static bool
cut_octet(struct mbuf *m, uint32_t off, uint8_t *octet)
{
	struct mbuf *rest;

	while (off >= (uint32_t)m->m_len) {
		off -= (uint32_t)m->m_len;
		m = m->m_next;
		if (m == NULL)
			return false;
	}
	*octet = (uint8_t)m->m_data[off];
	if (off == 0) {
		m->m_data++;
	} else if (off + 1 != (uint32_t)m->m_len) {
		if (m_writable(m)) {
			memmove(m->m_data + off, m->m_data + off + 1, (size_t)m->m_len - off - 1);
		} else {
			rest = m_split(m, off + 1, MBUF_DONTWAIT);
			if (rest == NULL)
				return false;
			m_last(m)->m_next = rest;
		}
	}
	m->m_len--;
	return true;
}

/* The urgent octet is among the `len` that come next: out of the stream with it, unless it is to be in. */
static void
take_urgent(struct tcpcb *tp, struct mbuf *m, uint32_t len)
{
	uint32_t off = tp->rcv_up - 1 - tp->rcv_nxt;

	if (off >= len)
		return;
	tp->t_oobflags &= (uint8_t)~TCPOOB_EXPECTED;
	if (tptosocket(tp)->so_options & SO_OOBINLINE)
		return;
	if (cut_octet(m, off, &tp->t_iobc))
		tp->t_oobflags |= TCPOOB_HAVEDATA;
}

/* What comes next, in order. Consumes. Filters may end the connection. */
static void
deliver(struct tcpcb *tp, struct tcp_segment *seg, struct mbuf *m, uint32_t len)
{
	struct socket *so = tptosocket(tp);

	if (m == NULL)
		return;
	if (UNLIKELY(tp->t_oobflags & TCPOOB_EXPECTED))
		take_urgent(tp, m, len);
	tp->rcv_nxt += len;
	tp->t_rxbytes += len;
	if (tp->t_rcv_sack != NULL)
		tcp_sack_advance(tp);
	if (so->so_state & SS_CANTRCVMORE) {
		m_freem(m);
		return;
	}
	if (sbappendstream(&so->so_rcv, m))
		seg->wake |= TCP_WAKE_READ;
}

/* ---- in order ----------------------------------------------------------------------------- */

/* Frees runs that end at or before `end`; what the first one behind has of it is trimmed off. */
static struct mbuf *
join_first(struct tcpcb *tp, tcp_seq end, uint32_t *len, bool *fin)
{
	struct tcp_reass_entry *e;
	struct mbuf *m;

	*len = 0;
	while ((e = tp->t_reass) != NULL && SEQ_LEQ(e->seq, end)) {
		uint32_t skip = end - e->seq, rest = e->len > skip ? e->len - skip : 0;

		*fin = *fin || (e->fin && SEQ_GEQ(end_of(e), end));
		m = unlink_run(tp, e);
		if (rest == 0) {
			m_freem(m);
			continue;
		}
		for (; skip >= (uint32_t)m->m_len; m = m_free(m))
			skip -= (uint32_t)m->m_len;
		m->m_data += skip;
		m->m_len -= (int32_t)skip;
		*len = rest;
		return m;
	}
	return NULL;
}

static void
in_order(struct tcpcb *tp, struct tcp_segment *seg, bool *fin)
{
	tcp_seq end = seg->seq + seg->len;
	struct tcp_reass_entry *first = tp->t_reass;
	uint32_t len = seg->len, more = 0;
	struct mbuf *m = take_data(seg), *waiting;

	*fin = (seg->flags & TH_FIN) != 0;
	if (first == NULL) {
		deliver(tp, seg, m, len);
		return;
	}
	if ((tp->t_flags & TF_SACK_PERMIT) && SEQ_LT(first->seq, end))
		tcp_dsack_received(tp, first->seq, SEQ_LT(end_of(first), end) ? end_of(first) : end);
	if (*fin) {
		/* Nothing is behind it. */
		tcp_reass_flush(tp);
	} else {
		waiting = join_first(tp, end, &more, fin);
		if (m == NULL)
			m = waiting;
		else if (waiting != NULL)
			m_last(m)->m_next = waiting;
	}
	deliver(tp, seg, m, len + more);
}

/* ---- out of order ------------------------------------------------------------------------- */

/* Is there room for it? Adjoining a run, it takes no new one. */
static bool
room_for(const struct tcpcb *tp, const struct tcp_segment *seg, bool adjoins)
{
	const struct tcp_state *s = seg->machine->tcp;

	if (!adjoins && (tp->t_reass_count >= (uint32_t)s->config.reass_maxqueuelen ||
	    tp->t_reass_count == UINT16_MAX))
		return false;
	return s->reass_segments < (uint32_t)s->config.reass_maxsegments &&
	    tp->t_reass_bytes <= tptosocket(tp)->so_rcv.sb_mbmax;
}

/*
 * Behind a FIN there is nothing: what came first counts, data or FIN. False: nothing is left of the segment.
 */
static bool
fit_to_fin(const struct tcpcb *tp, struct tcp_segment *seg, bool *fin)
{
	const struct tcp_reass_entry *last = last_of(tp);
	tcp_seq end = seg->seq + seg->len;

	*fin = (seg->flags & TH_FIN) != 0;
	if (last == NULL)
		return true;
	if (last->fin && SEQ_GT(end, end_of(last))) {
		if (SEQ_GEQ(seg->seq, end_of(last)))
			return false;
		tcp_trim_end(seg, end - end_of(last));
		*fin = false;
	} else if (SEQ_GT(end_of(last), end)) {
		*fin = false;
	}
	return true;
}

/* The last run that does not begin behind `seq`; NULL none. Mostly it is the very last. */
static struct tcp_reass_entry *
run_before(const struct tcpcb *tp, tcp_seq seq)
{
	struct tcp_reass_entry *e = last_of(tp);

	if (e == NULL)
		return NULL;
	for (;; e = e->prev) {
		if (SEQ_LEQ(e->seq, seq))
			return e;
		if (e == tp->t_reass)
			return NULL;
	}
}

/* Runs that the segment has all of go; of one that it has a part of, the segment loses that part. */
static void
cover(struct tcpcb *tp, struct tcp_segment *seg, struct tcp_reass_entry *prev, bool *fin)
{
	struct tcp_reass_entry *e, *next = prev != NULL ? after(tp, prev) : tp->t_reass;

	while ((e = next) != NULL && SEQ_LEQ(e->seq, seg->seq + seg->len)) {
		next = after(tp, e);
		if (SEQ_GT(end_of(e), seg->seq + seg->len)) {
			tcp_trim_end(seg, seg->seq + seg->len - e->seq);
			break;
		}
		*fin = *fin || e->fin;
		m_freem(unlink_run(tp, e));
	}
}

/* A run of its own behind `prev`. NULL: no memory. */
static struct tcp_reass_entry *
new_run(struct tcpcb *tp, tcp_seq seq, struct tcp_reass_entry *prev)
{
	struct tcp_reass_entry *e = kalloc(tptomachine(tp), sizeof *e);

	if (e == NULL)
		return NULL;
	e->seq = seq;
	link_run(tp, e, prev);
	return e;
}

/* The hole between two runs is filled: they become one. */
static void
join_next(struct tcpcb *tp, struct tcp_reass_entry *e)
{
	struct tcp_reass_entry *next = after(tp, e);

	if (next == NULL || next->seq != end_of(e))
		return;
	e->fin = e->fin || next->fin;
	append(tp, e, unlink_run(tp, next));
}

/* False: dropped; the segment still has its mbuf. */
static bool
out_of_order(struct tcpcb *tp, struct tcp_segment *seg)
{
	struct tcp_reass_entry *prev, *e;
	tcp_seq start = seg->seq;
	bool fin, adjoins;

	if (!fit_to_fin(tp, seg, &fin))
		return false;
	prev = run_before(tp, seg->seq);
	if (prev != NULL && SEQ_GEQ(end_of(prev), seg->seq + seg->len)) {
		if (fin && end_of(prev) == seg->seq + seg->len)
			prev->fin = true;
		seg->machine->tcp->stat.tcps_rcvduppack++;
		seg->machine->tcp->stat.tcps_rcvdupbyte += seg->len;
		if ((tp->t_flags & TF_SACK_PERMIT) && seg->len != 0)
			tcp_dsack_received(tp, seg->seq, seg->seq + seg->len);
		return true;
	}
	adjoins = prev != NULL && SEQ_GEQ(end_of(prev), seg->seq);
	if (!room_for(tp, seg, adjoins))
		return false;
	e = adjoins ? prev : new_run(tp, seg->seq, prev);
	if (e == NULL)
		return false;
	if (adjoins)
		tcp_trim_front(seg, end_of(prev) - seg->seq);
	cover(tp, seg, e, &fin);
	seg->machine->tcp->stat.tcps_rcvoopack++;
	seg->machine->tcp->stat.tcps_rcvoobyte += seg->len;
	tp->t_rxoobytes += seg->len;
	append(tp, e, take_data(seg));
	e->fin = e->fin || fin;
	join_next(tp, e);
	if ((tp->t_flags & TF_SACK_PERMIT) && e->len != 0 && SEQ_GT(e->seq, tp->rcv_nxt))
		tcp_sack_received(tp, SEQ_LT(start, e->seq) ? start : e->seq, end_of(e));
	return true;
}

bool
tcp_reass_held(struct tcpcb *tp, struct tcp_segment *seg, bool *fin)
{
	uint32_t len;
	struct mbuf *m;

	*fin = false;
	if (tp->t_reass == NULL || SEQ_GT(tp->t_reass->seq, tp->rcv_nxt))
		return false;
	m = join_first(tp, tp->rcv_nxt, &len, fin);
	deliver(tp, seg, m, len);
	return true;
}

bool
tcp_reass(struct tcpcb *tp, struct tcp_segment *seg, bool *fin)
{
	bool kept = true;

	*fin = false;
	/* RFC 9293 3.10.7.3: what comes with a SYN waits for the end of the handshake. */
	if (seg->seq == tp->rcv_nxt && LIKELY(!seg->hold)) {
		in_order(tp, seg, fin);
		return true;
	}
	kept = out_of_order(tp, seg);
	if (!kept)
		seg->machine->tcp->stat.tcps_rcvmemdrop++;
	if (seg->m != NULL) {
		m_freem(seg->m);
		seg->m = NULL;
	}
	return kept;
}
