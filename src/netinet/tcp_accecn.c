/*
 * Accurate ECN: RFC 9768. Both ends count what comes marked and tell each other: packets with CE in the
 * three flags AE, CWR and ECE (the ACE field), octets of data by their mark in an option. So the sender
 * hears of every mark, where RFC 3168 (tcp_ecn.c) has one signal in a round trip.
 *
 * Who has it: both SYNs have to say so (3.1), tcp_ecn.c and tcp_synack.c see to that.
 * net.inet.tcp.ecn.enable 3 asks for it, 3 to 5 grant it. SYN-ACK and the ACK of it reflect the ECN field
 * of the packet before, so that each end learns whether the path lets it through.
 *
 * Way in: tcp_accecn_came for every acceptable segment of an established connection (tcp_ecn_input);
 * tcp_accecn_acked when its ACK was dealt with. Way out: tcp_accecn_output for flags and ECN field of every
 * segment, tcp_accecn_room and tcp_accecn_put for the option; a mark that is told reduces the window by
 * tcp_ecn_reduce.
 *
 * State: struct tcp_accecn, which only connections that have agreed on it have. No timers.
 *
 * Variables: net.inet.tcp.ecn.option 0 sends no option, 1 counters that have changed and, `option_beacon`
 * times in a round trip, all; 2 in every segment with room; 3 also if ACKs with it seem to get lost. Never
 * before the peer's has come (3.2.3.2). ecn.fallback 0 does not look for paths that zero or change what
 * they should not (3.2.2.3, 3.2.2.4): else nothing is sent with ECT then, while feedback goes on.
 * ecn.plusplus 2 and 3 send acknowledgements, FINs and retransmissions with ECT(0), too, as the peer counts
 * marks on these.
 *
 * Limits: a segment counts only if its sequence number and its ACK are acceptable (RFC 5961); an ACK says
 * something only when it, SACK or its timestamp are news. Three marks in a row on bare ACKs are answered,
 * not fewer, so two ends never answer each other's answers for ever (3.2.2.5.1).
 *
 * Left out: ECT(1) for data (RFC 9330), ECT on SYNs. Large segments for interfaces that cut are not made
 * while the option goes along or the flag CWR is set, which whoever cuts leaves to the first.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/panic.h"
#include "src/kern/sched.h"
#include "src/netinet/tcp_accecn.h"

#define COUNTER_BITS	0xffffffu
#define COUNTER_HALF	0x800000u	/* further on than this is behind */
#define MEAN_SHIFT	6		/* segments_per_ack */
#define THINNED		(4u << MEAN_SHIFT)	/* so many on the mean: most ACKs are gone, or never went */
#define MARKS_WITH_DATA	2		/* 3.2.2.5.1: so many are answered */
#define MARKS_AT_ALL	3
#define LEAST_BLOCKS	2u		/* SACK blocks that are not given up */

const uint8_t tcp_accecn_initial[TCPOLEN_ACCECN] = {
	TCPOPT_ACCECN1, TCPOLEN_ACCECN, 0, 0, 1, 0, 0, 0, 0, 0, 1
};

static inline struct core_tcp_ecnstat *
statistics(const struct tcpcb *tp)
{
	return &tptomachine(tp)->tcp->ecnstat;
}

/* ---- the option --------------------------------------------------------------------------- */

unsigned
tcp_accecn_decode(const uint8_t *option, uint32_t values[ACCECN_COUNTERS])
{
	unsigned count = (option[1] - 2u) / 3, there = 0;

	for (unsigned i = 0; i < count && i < ACCECN_COUNTERS; i++) {
		const uint8_t *p = option + 2 + 3 * i;
		unsigned which = option[0] == TCPOPT_ACCECN1 ? i : ACCECN_COUNTERS - 1 - i;

		values[which] = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
		there |= 1u << which;
	}
	return there;
}

unsigned
tcp_accecn_encode(uint8_t *out, const uint32_t values[ACCECN_COUNTERS], unsigned count)
{
	out[0] = TCPOPT_ACCECN1;
	out[1] = (uint8_t)(2 + 3 * count);
	for (unsigned i = 0; i < count; i++) {
		out[2 + 3 * i] = (uint8_t)(values[i] >> 16);
		out[3 + 3 * i] = (uint8_t)(values[i] >> 8);
		out[4 + 3 * i] = (uint8_t)values[i];
	}
	return 2 + 3 * count;
}

/* How many counters have to be told for the last one that has changed to be among them. */
static unsigned
changed(const struct tcp_accecn *a)
{
	unsigned n = ACCECN_COUNTERS;

	while (n != 0 && a->rcv[n - 1] == a->told[n - 1])
		n--;
	return n;
}

/*
 * 3.2.3.3: counters that stand still are told at first, and now and then, as the option before may be lost.
 */
static bool
beacon_due(const struct tcpcb *tp, const struct tcp_accecn *a)
{
	uint32_t times = (uint32_t)tptomachine(tp)->tcp->config.ecn_option_beacon;
	uint64_t us = (machine_now(tptomachine(tp)) - a->option_time) / TCP_NS_PER_US;

	return a->option_time == 0 || (times != 0 && us * times >= tp->t_srtt / 8);
}

/* Counters that fit beside so many blocks. */
static unsigned
fitting(unsigned at, unsigned blocks)
{
	unsigned left = (unsigned)TCP_MAXOLEN - at, sack = blocks != 0 ? 4 + TCPOLEN_SACK * blocks : 0;

	left = left > sack ? left - sack : 0;
	return left >= TCPOLEN_ACCECN + 1 ? 3 : left >= 8 ? 2 : 0;
}

unsigned
tcp_accecn_room(const struct tcpcb *tp, unsigned at, unsigned *blocks, uint32_t len)
{
	const struct tcp_accecn *a = tcp_accecn_of(tp);
	int wanted = tptomachine(tp)->tcp->config.ecn_option;
	unsigned needed = changed(a), most, n, count;

	if (wanted == 0 || !a->option || (a->option_lost && wanted < 3) || (tp->t_flags & TF_NOOPT) ||
	    tp->t_state == TCPS_TIME_WAIT || (wanted == 1 && needed == 0 && !beacon_due(tp, a)))
		return 0;
	most = ((unsigned)TCP_MAXOLEN - at - 4) / TCPOLEN_SACK;
	n = *blocks < most ? *blocks : most;
	count = fitting(at, n);
	while (needed != 0 && count < needed && n > LEAST_BLOCKS)
		count = fitting(at, --n);
	if (count == 0 || count < needed)
		return 0;
	if (wanted == 1 && needed != 0)
		count = needed;
	/* What was made as large as could be before the option was sent, goes again without. */
	if (len != 0 && len + tcp_accecn_octets(count) + (n != 0 ? 4 + TCPOLEN_SACK * n : 0) > tp->t_maxseg)
		return 0;
	*blocks = n;
	return count;
}

unsigned
tcp_accecn_put(struct tcpcb *tp, uint8_t *out, unsigned counters)
{
	struct tcp_accecn *a = tcp_accecn_of(tp);
	unsigned len, padded = tcp_accecn_octets(counters);

	KASSERTX(a != NULL, "counters for a connection that has not agreed on them");
	len = tcp_accecn_encode(out, a->rcv, counters);
	memset(out + len, TCPOPT_NOP, padded - len);
	memcpy(a->told, a->rcv, counters * sizeof a->rcv[0]);
	a->option_time = machine_now(tptomachine(tp));
	return padded;
}

/* ---- agreeing ----------------------------------------------------------------------------- */

/* NULL: no memory. */
static struct tcp_accecn *
begin(struct tcpcb *tp, uint8_t mark)
{
	struct tcp_accecn *a = kalloc(tptomachine(tp), sizeof *a);

	if (a == NULL) {
		statistics(tp)->tcps_ecn_nomem++;
		return NULL;
	}
	a->rcv_cep = ACE_FIRST + (mark == IPTOS_ECN_CE);
	a->snd_cep = ACE_FIRST;
	a->rcv[ACCECN_ECT1] = a->rcv[ACCECN_ECT0] = 1;
	memcpy(a->snd, a->rcv, sizeof a->snd);
	memcpy(a->told, a->rcv, sizeof a->told);
	a->ts_seen = tp->ts_recent;
	a->last_mark = IPTOS_ECN_NOTECT;
	a->syn_mark = mark;
	a->reflect = REFLECT_NONE;
	tp->t_accecn = a;
	tp->t_uflags |= TFU_ACCECN;
	tp->t_flags |= TF_ECN_PERMIT;
	statistics(tp)->tcps_ecn_shs++;
	return a;
}

void
tcp_accecn_accept(struct tcpcb *tp, uint8_t mark, bool no_ect)
{
	struct tcp_accecn *a = begin(tp, mark);

	if (a == NULL)
		return;
	a->handshake = true;
	a->no_ect = no_ect;
}

void
tcp_accecn_end(struct tcpcb *tp)
{
	if (LIKELY(tcp_accecn_of(tp) == NULL))
		return;
	kfree(tptomachine(tp), tp->t_accecn);
	tp->t_uflags &= (uint8_t)~TFU_ACCECN;
	tp->t_ecn_ce = tp->t_ecn_ece = 0;
}

/* 3.2.2.3, 3.2.2.4: the path zeroes or changes what it should let through. */
static void
path_does_harm(struct tcpcb *tp, struct tcp_accecn *a)
{
	if (a->no_ect || !tptomachine(tp)->tcp->config.ecn_fallback)
		return;
	a->no_ect = true;
	statistics(tp)->tcps_ecn_mangled++;
}

static void
count_reflection(struct core_tcp_ecnstat *st, unsigned ace)
{
	if (ace == tcp_ace_of_mark(IPTOS_ECN_CE))
		st->tcps_ace_ce++;
	else if (ace == tcp_ace_of_mark(IPTOS_ECN_ECT0))
		st->tcps_ace_ect0++;
	else if (ace == tcp_ace_of_mark(IPTOS_ECN_ECT1))
		st->tcps_ace_ect1++;
	else
		st->tcps_ace_nect++;
}

/*
 * What the peer says of our SYN, or SYN-ACK (TH_ACK): 3.2.2.1. Words without a meaning yet are as good as
 * not-ECT (3.1.3), and 0 is what is left when the path clears it (3.2.2.4).
 */
static void
take_reflection(struct tcpcb *tp, struct tcp_accecn *a, const struct tcp_segment *seg, uint16_t ours)
{
	uint8_t sent = tcp_ecn_syn_mark(tptomachine(tp), ours | TH_ACE);
	unsigned ace = tcp_ace_of(seg->flags);
	bool meaning = ace == 3 || ace == 4 || ace == 6, ce = ace == tcp_ace_of_mark(IPTOS_ECN_CE);

	count_reflection(statistics(tp), ace);
	/* 3.2.2.3: ECT may become CE, and that is all. */
	if (ace == 0 || (sent == IPTOS_ECN_NOTECT ? meaning : !ce && ace != tcp_ace_of_mark(sent)))
		path_does_harm(tp, a);
	if (!ce)
		return;
	a->snd_cep++;
	a->delivered_ce += !a->no_ect;
	if (sent != IPTOS_ECN_NOTECT)
		tcp_ecn_reduce(tp, seg);
}

void
tcp_accecn_answered(struct tcpcb *tp, const struct tcp_segment *seg)
{
	uint8_t mark = seg->tos & IPTOS_ECN_MASK;
	struct tcp_accecn *a = begin(tp, mark);

	if (a == NULL)
		return;
	a->first = true;
	a->reflect = mark;
	a->option = (seg->to.to_flags & TOF_ACCECN) != 0;
	take_reflection(tp, a, seg, TH_SYN);
}

void
tcp_accecn_reflect(struct tcpcb *tp, uint8_t mark)
{
	tcp_accecn_of(tp)->reflect = mark & IPTOS_ECN_MASK;
}

/* ---- what comes --------------------------------------------------------------------------- */

static void
count_mark(struct tcpcb *tp, struct tcp_accecn *a, uint8_t mark, uint32_t len)
{
	struct core_tcp_ecnstat *st = statistics(tp);

	switch (mark) {
	case IPTOS_ECN_CE:
		st->tcps_ecn_ce++;
		tcp_statistics(tptomachine(tp))->tcps_ecn_recv_ce++;
		if (a->rcv_cep == ACE_FIRST)
			tcp_statistics(tptomachine(tp))->tcps_ecn_conn_recv_ce++;
		a->rcv_cep++;
		if (a->unsaid != UINT8_MAX)
			a->unsaid++;
		a->rcv[ACCECN_CE] += len;
		break;
	case IPTOS_ECN_ECT1:
		st->tcps_ecn_ect1++;
		a->rcv[ACCECN_ECT1] += len;
		break;
	case IPTOS_ECN_ECT0:
		st->tcps_ecn_ect0++;
		a->rcv[ACCECN_ECT0] += len;
		break;
	default:
		break;
	}
}

/* 3.2.2.5.1 and 3.2.3.3: what tells the sender something new, and what its counter could not hold. */
static bool
is_news(const struct tcpcb *tp, const struct tcp_accecn *a, uint8_t mark, uint32_t len)
{
	bool option = a->option && tptomachine(tp)->tcp->config.ecn_option != 0;

	if (mark == IPTOS_ECN_CE && a->unsaid >= (len != 0 ? MARKS_WITH_DATA : MARKS_AT_ALL))
		return true;
	return len != 0 && mark != a->last_mark && mark != IPTOS_ECN_NOTECT &&
	    (mark == IPTOS_ECN_CE || (option && a->last_mark != IPTOS_ECN_NOTECT));
}

/*
 * 3.2.3.2.2: the same data for the third time, though they were acknowledged the second time: it may be the
 * option that does not get through.
 */
static void
came_again(const struct tcpcb *tp, struct tcp_accecn *a, tcp_seq seq)
{
	if (a->twice && a->twice_seq == seq && a->twice_nxt == tp->rcv_nxt)
		a->option_lost = true;
	a->twice = true;
	a->twice_seq = seq;
	a->twice_nxt = tp->rcv_nxt;
}

void
tcp_accecn_came(struct tcpcb *tp, const struct tcp_segment *seg)
{
	struct tcp_accecn *a = tcp_accecn_of(tp);
	const struct tcphdr *th = (const struct tcphdr *)(const void *)(seg->m->m_data + seg->off);
	/* As it came: what is in front of the window has been taken off, but counts. */
	uint32_t headers = (uint32_t)th->th_off << 2, before = (uint32_t)seg->hlen - headers;
	uint32_t len = seg->len + before;
	uint8_t mark = seg->tos & IPTOS_ECN_MASK;

	count_mark(tp, a, mark, len);
	if (is_news(tp, a, mark, len))
		tp->t_flags |= TF_ACKNOW;
	if (len == 0)
		return;
	a->last_mark = mark;
	/* Not what keepalives repeat (RFC 1122 4.2.3.6). */
	if (UNLIKELY(before == len) && len > 1)
		came_again(tp, a, seg->seq - before);
}

/* ---- what is told ------------------------------------------------------------------------- */

/* Octets with CE that are new; UINT32_MAX: the option does not say. */
static uint32_t
take_option(struct tcp_accecn *a, const struct tcp_segment *seg)
{
	uint32_t values[ACCECN_COUNTERS], ce = UINT32_MAX, more;
	unsigned there;

	if (!(seg->to.to_flags & TOF_ACCECN) || a->option_broken)
		return ce;
	there = tcp_accecn_decode(seg->to.to_accecn, values);
	for (unsigned i = 0; i < ACCECN_COUNTERS; i++) {
		if (!(there & 1u << i))
			continue;
		more = (values[i] - a->snd[i]) & COUNTER_BITS;
		if (more >= COUNTER_HALF)
			more = 0;
		a->snd[i] += more;
		if (i == ACCECN_CE)
			ce = more;
	}
	return ce;
}

/* 3.2.3.2.4: both ECT counters begin with 1, so none is 0 in the first option of the peer's. */
static void
look_at_option(struct tcp_accecn *a, const struct tcp_segment *seg)
{
	uint32_t values[ACCECN_COUNTERS];
	unsigned there;

	if (a->option || !(seg->to.to_flags & TOF_ACCECN))
		return;
	a->option = true;
	there = tcp_accecn_decode(seg->to.to_accecn, values);
	for (unsigned i = ACCECN_ECT1; i <= ACCECN_ECT0; i += ACCECN_ECT0 - ACCECN_ECT1)
		if ((there & 1u << i) && values[i] == 0)
			a->option_broken = true;
}

/* A mean over a few dozen ACKs: are most of them lost, or joined by somebody on the way? */
static void
note_thinning(struct tcp_accecn *a, uint32_t segments)
{
	uint32_t now = segments << MEAN_SHIFT, mean = a->segments_per_ack;

	if (segments == 0)
		return;
	mean = mean == 0 ? now : mean - (mean >> MEAN_SHIFT) + segments;
	a->segments_per_ack = (uint16_t)(mean < UINT16_MAX ? mean : UINT16_MAX);
}

/*
 * 3.2.2.5.2: how many packets with CE the three bits stand for, when `segments` were acknowledged. So many
 * may be more than they can say: then the most that is possible, unless the option says otherwise, or so
 * many have been usual.
 */
static uint32_t
marks(const struct tcpcb *tp, const struct tcp_accecn *a, unsigned ace, uint32_t segments, uint32_t ce_octets)
{
	uint32_t least = (ace - a->snd_cep) & ACE_BITS, most;

	if (LIKELY(segments <= ACE_BITS))
		return least;
	most = segments - ((segments - least) & ACE_BITS);
	if (ce_octets != UINT32_MAX)
		return ce_octets > least * tp->t_maxseg ? most : least;
	return a->segments_per_ack > THINNED ? least : most;
}

/*
 * Older ACKs, and those that say nothing new, may have been overtaken. While nothing has gone but our SYN,
 * an ACK that is later answers it again: its flags are no number.
 */
static bool
is_new(const struct tcpcb *tp, struct tcp_accecn *a, const struct tcp_segment *seg)
{
	bool later = (seg->to.to_flags & TOF_TS) && (int32_t)(seg->to.to_tsval - a->ts_seen) > 0;

	if (later)
		a->ts_seen = seg->to.to_tsval;
	return seg->newly_acked != 0 || seg->newly_sacked != 0 || (later && tp->snd_nxt != tp->iss + 1);
}

void
tcp_accecn_acked(struct tcpcb *tp, const struct tcp_segment *seg)
{
	struct tcp_accecn *a = tcp_accecn_of(tp);
	uint32_t segments = (seg->delivered + tp->t_maxseg - 1) / tp->t_maxseg, octets, n;
	unsigned ace = tcp_ace_of(seg->flags);
	/* 3.2.2.1: of our SYN alone, and without data. */
	bool word = a->handshake && seg->len == 0 && seg->newly_acked == 1, first = a->handshake || a->first;

	look_at_option(a, seg);
	if (!is_new(tp, a, seg))
		return;
	a->handshake = a->first = false;
	if (word) {
		take_reflection(tp, a, seg, TH_SYN | TH_ACK);
		return;
	}
	/* 3.2.2.4: it cannot have come to that yet, but by three marks at once. */
	if (first && ace == 0)
		path_does_harm(tp, a);
	octets = take_option(a, seg);
	note_thinning(a, segments);
	n = marks(tp, a, ace, segments, octets);
	a->snd_cep += n;
	if (n == 0 || a->no_ect)
		return;
	if (a->delivered_ce == 0)
		tcp_statistics(tptomachine(tp))->tcps_ecn_conn_recv_ece++;
	a->delivered_ce += n;
	tcp_statistics(tptomachine(tp))->tcps_ecn_recv_ece++;
	tcp_ecn_reduce(tp, seg);
}

/* ---- the way out -------------------------------------------------------------------------- */

uint8_t
tcp_accecn_mark(const struct tcpcb *tp, bool new_data)
{
	const struct tcp_accecn *a = tcp_accecn_of(tp);

	if (a->no_ect || tp->t_state < TCPS_ESTABLISHED)
		return IPTOS_ECN_NOTECT;
	return new_data || tptomachine(tp)->tcp->config.ecn_plusplus >= ECN_PLUS_ALL ? IPTOS_ECN_ECT0 :
	    IPTOS_ECN_NOTECT;
}

uint8_t
tcp_accecn_output(struct tcpcb *tp, uint16_t *th_flags, uint32_t len, bool rexmit)
{
	struct tcp_accecn *a = tcp_accecn_of(tp);
	unsigned ace = a->rcv_cep & ACE_BITS;
	uint8_t mark;

	if (*th_flags & (TH_SYN | TH_RST))
		return IPTOS_ECN_NOTECT;
	/* 3.2.2.1: only without data, which the counters go with. */
	if (a->reflect != REFLECT_NONE && len == 0 && !(*th_flags & TH_FIN))
		ace = tcp_ace_of_mark(a->reflect);
	/* Nobody counts any more, as for what this state answers later. */
	if (tp->t_state == TCPS_TIME_WAIT)
		ace = 0;
	a->reflect = REFLECT_NONE;
	a->unsaid = 0;
	*th_flags |= tcp_ace_flags(ace);
	mark = tcp_accecn_mark(tp, len != 0 && !rexmit);
	statistics(tp)->tcps_ecn_sndect0 += mark == IPTOS_ECN_ECT0;
	return mark;
}

/* ---- what is told the user ---------------------------------------------------------------- */

void
tcp_accecn_fill_info(const struct tcpcb *tp, struct core_tcp_info *ti)
{
	const struct tcp_accecn *a = tcp_accecn_of(tp);

	ti->tcpi_delivered_ce = ti->tcpi_received_ece = a->delivered_ce;
	ti->tcpi_received_ce = a->rcv_cep - ACE_FIRST;
	ti->tcpi_delivered_e1_bytes = a->snd[ACCECN_ECT1] - 1;
	ti->tcpi_delivered_e0_bytes = a->snd[ACCECN_ECT0] - 1;
	ti->tcpi_delivered_ce_bytes = a->snd[ACCECN_CE];
	ti->tcpi_received_e1_bytes = a->rcv[ACCECN_ECT1] - 1;
	ti->tcpi_received_e0_bytes = a->rcv[ACCECN_ECT0] - 1;
	ti->tcpi_received_ce_bytes = a->rcv[ACCECN_CE];
}
