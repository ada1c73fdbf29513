/*
 * The way of frames to one end of a wire:
 *
 *   sent -> [ queue ] -> sending, at the wire's rate -> loss, corruption, doubling -> [ flight ] -> arrived
 *
 * The queue exists only where there is a rate. What an impairment does is decided when a frame has left
 * the queue, in the order of departure, by the wire's own seeded random numbers: the same frames meet the
 * same fate in every run. Frames arrive in a soft interrupt of the receiving machine.
 *
 * Limits: the queue by the number of frames, the flight by FLIGHT_MAX; everything is in mbufs of the
 * receiving machine, so its memory limit holds as well.
 */
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <string.h>

#include "dlil/wire.h"
#include "src/kern/heap.h"
#include "src/kern/thread.h"

#define QUEUE_DEFAULT	1000u
#define FLIGHT_MAX	1000000u
#define REORDER_DEFAULT	UINT64_C(1000000)
#define SECOND		UINT64_C(1000000000)
#define CODEL_TARGET	UINT64_C(5000000)	/* RFC 8289 4.2, 4.3 */
#define CODEL_INTERVAL	UINT64_C(100000000)

static void
append(struct wire_list *l, struct mbuf *m)
{
	m->m_nextpkt = NULL;
	if (l->head == NULL)
		l->head = m;
	else
		l->tail->m_nextpkt = m;
	l->tail = m;
	l->count++;
}

static struct mbuf *
take(struct wire_list *l)
{
	struct mbuf *m = l->head;

	if (m != NULL) {
		l->head = m->m_nextpkt;
		m->m_nextpkt = NULL;
		l->count--;
	}
	return m;
}

/* Times are added up to what is never. */
static uint64_t
later(uint64_t time, uint64_t by)
{
	return by < UINT64_MAX - time ? time + by : UINT64_MAX;
}

static bool
chance(struct wire_end *e, uint32_t billionths)
{
	return billionths != 0 && wire_random(e->wire, CORE_WIRE_BILLION) < billionths;
}

/* ---- arriving ----------------------------------------------------------------------------- */

static void
show(const struct wire_end *e, const struct mbuf *m, core_wire_tap *tap, void *ctx)
{
	uint64_t now = world_calendar_now(e->machine->world);
	size_t len = (size_t)m->m_pkthdr.len;
	uint8_t *flat;

	if (m->m_next == NULL) {
		tap(ctx, now, m->m_data, len);
		return;
	}
	flat = kalloc(e->machine, len);
	if (flat != NULL && m_copydata(m, 0, len, flat) == 0)
		tap(ctx, now, flat, len);
	kfree(e->machine, flat);
}

/* Soft interrupt of the receiving machine: as a driver does with what its card has received. */
static void
arrive(void *arg)
{
	struct wire_end *e = arg;
	struct ifnet *ifp = e->ifp;
	struct mbuf *m, *list = NULL, **end = &list;

	while ((m = take(&e->arrived)) != NULL) {
		m->m_pkthdr.timestamp = 0;
		if (e->tap != NULL)
			show(e, m, e->tap, e->tap_ctx);
		if (e->wire->tap != NULL)
			show(e, m, e->wire->tap, e->wire->tap_ctx);
		e->stats.delivered++;
		m = m->m_pkthdr.csum_flags != 0 ? host_iface_arrived(ifp, m) : host_iface_frame(ifp, m);
		for (*end = m; *end != NULL; end = &(*end)->m_nextpkt)
			continue;
	}
	if (list != NULL)
		dlil_input_now(ifp, list);
}

/* The list that the next one to arrive is in: of two at the same time, what was held back left first. */
static inline struct wire_list *
next_in_flight(struct wire_end *e)
{
	const struct mbuf *f = e->flight.head, *l = e->late.head;

	if (l != NULL && (f == NULL || l->m_pkthdr.timestamp <= f->m_pkthdr.timestamp))
		return &e->late;
	return &e->flight;
}

static void
arm(struct wire_end *e)
{
	const struct mbuf *first = next_in_flight(e)->head;
	uint64_t next = UINT64_MAX;

	if (e->sending != NULL)
		next = e->sending->m_pkthdr.timestamp;
	if (first != NULL && first->m_pkthdr.timestamp < next)
		next = first->m_pkthdr.timestamp;
	if (next != UINT64_MAX && (!callout_pending(&e->timer) || e->timer.deadline != next) &&
	    callout_reset(&e->timer, next) != 0)
		wire_way_empty(e);	/* no memory for a timer: nothing would ever arrive */
}

/* ---- in the air --------------------------------------------------------------------------- */

static bool
is_lost(struct wire_end *e)
{
	const struct core_wire_params *p = &e->params;

	if (chance(e, p->loss))
		return true;
	if (p->burst_begin == 0)
		return false;
	if (!e->burst)
		e->burst = chance(e, p->burst_begin);
	else if (chance(e, p->burst_end))
		e->burst = false;
	return e->burst && (p->burst_loss == 0 || chance(e, p->burst_loss));
}

static void
turn_bit(struct wire_end *e, struct mbuf *m)
{
	uint64_t bit = wire_random(e->wire, (uint64_t)m->m_pkthdr.len * 8);
	size_t off = bit / 8;

	/* The checksum is to tell. */
	host_iface_finish(e->ifp, m);

	while (off >= (size_t)m->m_len) {
		off -= (size_t)m->m_len;
		m = m->m_next;
	}
	m->m_data[off] ^= (char)(1 << (bit % 8));
	e->stats.corrupted++;
}

/* Into its place in the order of arrival, behind those of the same time. */
static void
fly(struct wire_list *l, struct mbuf *m, uint64_t due)
{
	struct mbuf **place = &l->head;

	m->m_pkthdr.timestamp = due;
	if (l->head == NULL || l->tail->m_pkthdr.timestamp <= due) {
		append(l, m);
		return;
	}
	while ((*place)->m_pkthdr.timestamp <= due)
		place = &(*place)->m_nextpkt;
	m->m_nextpkt = *place;
	*place = m;
	l->count++;
}

static void
depart(struct wire_end *e, struct mbuf *m)
{
	const struct core_wire_params *p = &e->params;
	uint64_t due = later(machine_now(e->machine), p->delay_ns);
	struct wire_list *list = &e->flight;
	struct mbuf *twin;

	if (is_lost(e)) {
		e->stats.lost++;
		m_freem(m);
		return;
	}
	if (e->flight.count + e->late.count >= FLIGHT_MAX) {
		e->stats.no_memory++;
		m_freem(m);
		return;
	}
	if (chance(e, p->corrupt) && m->m_pkthdr.len != 0)
		turn_bit(e, m);
	if (p->jitter_ns != 0)
		due = later(due, wire_random(e->wire, later(p->jitter_ns, 1)));
	if (due < e->last_due)
		due = e->last_due;
	if (chance(e, p->reorder)) {
		e->stats.reordered++;
		due = later(due, p->reorder_ns != 0 ? p->reorder_ns : REORDER_DEFAULT);
		list = &e->late;
	} else {
		e->last_due = due;
	}
	if (chance(e, p->duplicate) && (twin = m_dup(m, MBUF_DONTWAIT)) != NULL) {
		e->stats.duplicated++;
		fly(list, twin, due);
	}
	fly(list, m, due);
}

/* ---- the queue ---------------------------------------------------------------------------- */

static uint64_t
sqrt64(uint64_t x)
{
	uint64_t r = 0, bit = UINT64_C(1) << 62;

	while (bit > x)
		bit >>= 2;
	for (; bit != 0; bit >>= 2) {
		if (x >= r + bit) {
			x -= r + bit;
			r = (r >> 1) + bit;
		} else {
			r >>= 1;
		}
	}
	return r;
}

/* RFC 8289 4.3: interval over the square root of the count. */
static uint64_t
codel_next(uint64_t from, uint32_t count)
{
	return from + CODEL_INTERVAL * 1024 / sqrt64((uint64_t)count << 20);
}

/* The queue has been longer than the target for an interval. */
static bool
codel_over(struct wire_end *e, const struct mbuf *m, uint64_t now)
{
	if (now - m->m_pkthdr.timestamp < CODEL_TARGET || e->queue.count == 0) {
		e->codel.first_above = 0;
		return false;
	}
	if (e->codel.first_above == 0)
		e->codel.first_above = now + CODEL_INTERVAL;
	return e->codel.first_above <= now;
}

/* RFC 8289 5.5. */
static struct mbuf *
codel_take(struct wire_end *e)
{
	uint64_t now = machine_now(e->machine);
	struct mbuf *m = take(&e->queue);
	bool over = m != NULL && codel_over(e, m, now);

	if (m == NULL || !over) {
		e->codel.dropping = false;
		return m;
	}
	if (!e->codel.dropping) {
		uint32_t grown = e->codel.count - e->codel.last_count;
		/* It may lie ahead: the state was left before the next drop. */
		bool recent = (int64_t)(now - e->codel.drop_next) < (int64_t)(16 * CODEL_INTERVAL);

		e->codel.dropping = true;
		e->codel.count = recent && grown > 1 ? grown : 1;
		e->codel.last_count = e->codel.count;
		e->codel.drop_next = now;
	}
	while (over && m != NULL && now >= e->codel.drop_next) {
		m_freem(m);
		e->stats.queue_dropped++;
		e->codel.drop_next = codel_next(e->codel.drop_next, ++e->codel.count);
		m = take(&e->queue);
		over = m != NULL && codel_over(e, m, now);
	}
	if (!over)
		e->codel.dropping = false;
	return m;
}

static void
start_sending(struct wire_end *e)
{
	struct mbuf *m = e->params.queue == CORE_QUEUE_CODEL ? codel_take(e) : take(&e->queue);
	unsigned __int128 bits;

	e->sending = m;
	if (m == NULL)
		return;
	bits = (unsigned __int128)(uint64_t)m->m_pkthdr.len * 8 * SECOND;
	m->m_pkthdr.timestamp = machine_now(e->machine) +
	    (e->params.rate_bps != 0 ? (uint64_t)(bits / e->params.rate_bps) : 0);
}

static void
enqueue(struct wire_end *e, struct mbuf *m)
{
	uint32_t limit = e->params.queue_frames != 0 ? e->params.queue_frames : QUEUE_DEFAULT;

	if (e->queue.count >= limit) {
		e->stats.queue_dropped++;
		if (e->params.queue != CORE_QUEUE_HEAD) {
			m_freem(m);
			return;
		}
		m_freem(take(&e->queue));
	}
	m->m_pkthdr.timestamp = machine_now(e->machine);
	append(&e->queue, m);
	if (e->sending == NULL)
		start_sending(e);
}

/* Callout of the receiving machine. */
static void
tick(void *arg)
{
	struct wire_end *e = arg;
	uint64_t now = machine_now(e->machine);
	struct wire_list *list;
	struct mbuf *m;

	while ((m = e->sending) != NULL && m->m_pkthdr.timestamp <= now) {
		depart(e, m);
		start_sending(e);
	}
	while ((list = next_in_flight(e))->head != NULL && list->head->m_pkthdr.timestamp <= now)
		append(&e->arrived, take(list));
	if (e->arrived.head != NULL)
		softintr_schedule(&e->input);
	arm(e);
}

/* ---- entry -------------------------------------------------------------------------------- */

/* A large segment is as long as those that it stands for. */
static bool
too_long(const struct wire_end *e, const struct mbuf *m, size_t len)
{
	size_t most = (size_t)e->params.mtu + e->ifp->hdrlen;

	if (e->params.mtu == 0 || len <= most)
		return false;
	return !(m->m_pkthdr.csum_flags & (CSUM_TSO4 | CSUM_TSO6)) ||
	    m->m_pkthdr.tso_segsz + sizeof(struct ip) + sizeof(struct tcphdr) > e->params.mtu;
}

/* The caller has made the receiving machine current. */
static void
send(struct wire_end *e, struct mbuf *m, size_t len)
{
	const struct mbuf *first;
	struct mbuf *n;

	e->stats.frames++;
	e->stats.bytes += len;
	if (e->params.down) {
		e->stats.no_carrier++;
		return;
	}
	if (too_long(e, m, len)) {
		e->stats.too_long++;
		return;
	}
	if ((n = wire_copy(e, m, len)) == NULL) {
		e->stats.no_memory++;
		return;
	}
	if (e->plain && e->flight.head == NULL && e->late.head == NULL && e->sending == NULL) {
		append(&e->arrived, n);
		softintr_schedule(&e->input);
		return;
	}
	if (e->params.rate_bps != 0 || e->sending != NULL)
		enqueue(e, n);
	else
		depart(e, n);
	first = next_in_flight(e)->head;
	if (first != NULL && first->m_pkthdr.timestamp <= machine_now(e->machine))
		tick(e);
	else
		arm(e);
}

void
wire_way_send(struct wire_end *to, struct mbuf *m, size_t len)
{
	struct thread *t = curthread();
	struct nke *sender = t->machine;

	/* Memory is the receiver's. Nothing in here calls a kext or sleeps. */
	t->machine = to->machine;
	send(to, m, len);
	t->machine = sender;
}

void
wire_way_configure(struct wire_end *e, const struct core_wire_params *p)
{
	e->params = *p;
	e->plain = p->rate_bps == 0 && p->delay_ns == 0 && p->jitter_ns == 0 && p->loss == 0 &&
	    p->burst_begin == 0 && p->duplicate == 0 && p->corrupt == 0 && p->reorder == 0;
}

void
wire_way_init(struct wire_end *e)
{
	softintr_init(&e->input, e->machine, arrive, e);
	callout_init(&e->timer, e->machine, tick, e);
	wire_way_configure(e, &e->wire->params);
}

/* As the end's machine. */
void
wire_way_empty(struct wire_end *e)
{
	callout_stop(&e->timer);
	m_freem(e->sending);
	m_freem_list(e->queue.head);
	m_freem_list(e->flight.head);
	m_freem_list(e->late.head);
	m_freem_list(e->arrived.head);
	e->sending = NULL;
	memset(&e->queue, 0, sizeof e->queue);
	memset(&e->flight, 0, sizeof e->flight);
	memset(&e->late, 0, sizeof e->late);
	memset(&e->arrived, 0, sizeof e->arrived);
}
