/*
 * The way in: demux, interface filters, protocol.
 *
 * Drivers queue lists with dlil_input; a soft interrupt per interface takes them from there.
 * Whoever is at the top of the stack itself calls dlil_input_now, or dlil_input_one (the replay, which
 * sees each packet through before the next). Each packet has its frame header's place in
 * m_pkthdr.header and its data behind it. Consecutive packets of one protocol are handed over together.
 *
 * This runs for every packet: nothing is allocated, references are taken per list, and what is not
 * there (filters, VLAN tags, tracing) costs one branch.
 */
#include <sys/socket.h>

#include "dlil/dlil_state.h"
#include "dlil/ether.h"
#include "dlil/raw.h"
#include "src/kern/gate.h"
#include "src/kern/klog.h"
#include "src/kern/panic.h"
#include "src/kern/trace.h"
#include "src/net/replay.h"

/* Packets of one family on their way to its protocol. */
struct batch {
	struct ifnet *ifp;
	protocol_family_t family;
	struct mbuf *head, *tail;
};

/* ---- packets that nobody takes ------------------------------------------------------------ */

static void
discard(struct ifnet *ifp, struct mbuf *m, char *frame)
{
	if (ifp->machine->replay != NULL)
		replay_unclaimed(ifp->machine, m, frame);
	else
		m_freem(m);
}

void
dlil_unclaimed(struct ifnet *ifp, struct mbuf *m, char *frame)
{
	TRACE(ifp->machine, IF_NOPROTO, m, ifp->index, 0);
	ifp->stats.noproto++;
	discard(ifp, m, frame);
}

static void
discard_list(struct ifnet *ifp, struct mbuf *list)
{
	struct mbuf *next;

	for (; list != NULL; list = next) {
		next = list->m_nextpkt;
		list->m_nextpkt = NULL;
		discard(ifp, list, list->m_pkthdr.header);
	}
}

/* ---- protocol ----------------------------------------------------------------------------- */

static void
unclaimed_list(struct ifnet *ifp, struct mbuf *list)
{
	struct mbuf *next;

	for (; list != NULL; list = next) {
		next = list->m_nextpkt;
		list->m_nextpkt = NULL;
		dlil_unclaimed(ifp, list, list->m_pkthdr.header);
	}
}

static void
set_owner(struct nke *m, struct mbuf *list, struct kext *kext, void *pc)
{
	if (__builtin_expect(m->checked && kext != NULL, 0))
		for (; list != NULL; list = list->m_nextpkt)
			m_set_owner(list, kext, pc);
}

static void
give_list(struct ifnet *ifp, struct if_proto *p, struct mbuf *list)
{
	errno_t error;

	if (p->core) {
		error = p->input_v2(ifp, p->family, list);
	} else {
		set_owner(ifp->machine, list, p->owner, (void *)(uintptr_t)p->input_v2);
		GATE_CALL(p->owner, "proto_input_v2", list,
		    error = p->input_v2(ifp, p->family, list));
	}
	if (error != 0 && error != EJUSTRETURN)
		m_freem_list(list);
}

static void
give_one_by_one(struct ifnet *ifp, struct if_proto *p, struct mbuf *list)
{
	struct mbuf *m, *next;
	char *frame;
	errno_t error;

	KASSERTX(p->input != NULL, "protocol %u on %s has no input function, and a packet for it came",
	    p->family, ifp->xname);
	for (m = list; m != NULL; m = next) {
		next = m->m_nextpkt;
		m->m_nextpkt = NULL;
		frame = m->m_pkthdr.header;
		m->m_pkthdr.header = NULL;
		set_owner(ifp->machine, m, p->owner, (void *)(uintptr_t)p->input);
		GATE_CALL(p->owner, "proto_input", m, error = p->input(ifp, p->family, m, frame));
		if (error != 0 && error != EJUSTRETURN)
			m_freem(m);
	}
}

/* Captured frames for a kext's protocol. */
static void
claim_list(struct nke *machine, struct mbuf *list)
{
	for (; list != NULL; list = list->m_nextpkt)
		replay_claimed(machine, list, list->m_pkthdr.header);
}

static void
batch_flush(struct batch *b)
{
	struct ifnet *ifp = b->ifp;
	struct mbuf *list = b->head;
	struct if_proto *p;

	if (list == NULL)
		return;
	b->head = b->tail = NULL;
	p = dlil_find_proto(ifp, b->family);
	if (p == NULL) {
		unclaimed_list(ifp, list);
		return;
	}
	dlil_proto_retain(p);
	if (!p->core && ifp->machine->replay != NULL)
		claim_list(ifp->machine, list);
	if (p->v2)
		give_list(ifp, p, list);
	else
		give_one_by_one(ifp, p, list);
	dlil_proto_release(p);
}

static inline void
batch_add(struct batch *b, protocol_family_t family, struct mbuf *m, char *frame)
{
	if (b->head != NULL && b->family != family)
		batch_flush(b);
	m->m_pkthdr.header = frame;
	b->family = family;
	if (b->head == NULL)
		b->head = m;
	else
		b->tail->m_nextpkt = m;
	b->tail = m;
}

/* The same for one packet, without the detour by a batch when the protocol is the core's own. */
static inline void
give_packet(struct ifnet *ifp, protocol_family_t family, struct mbuf *m, char *frame)
{
	struct if_proto *p = dlil_find_proto(ifp, family);
	errno_t error;

	m->m_pkthdr.header = frame;
	if (__builtin_expect(p == NULL || !p->core || !p->v2, 0)) {
		struct batch b = {.ifp = ifp, .family = family, .head = m, .tail = m};

		batch_flush(&b);
		return;
	}
	dlil_proto_retain(p);
	error = p->input_v2(ifp, family, m);
	if (__builtin_expect(error != 0 && error != EJUSTRETURN, 0))
		m_freem_list(m);
	dlil_proto_release(p);
}

/* ---- one packet --------------------------------------------------------------------------- */

static errno_t
demux_by_driver(struct ifnet *ifp, struct mbuf *m, char *frame, protocol_family_t *family)
{
	errno_t error;

	KASSERTX(ifp->demux != NULL, "%s has no demux function, and a packet came", ifp->xname);
	set_owner(ifp->machine, m, ifp->owner, (void *)(uintptr_t)ifp->demux);
	GATE_CALL_ABOUT(ifp->owner, "if_demux", ifp, m, error = ifp->demux(ifp, m, frame, family));
	if (error != EJUSTRETURN && ifp->machine->checked && ifp->owner != NULL)
		m_set_owner(m, NULL, NULL);
	return error;
}

static inline errno_t
demux(struct ifnet *ifp, struct mbuf *m, char **frame, protocol_family_t *family)
{
	if (__builtin_expect(ifp->demux == ether_demux, 1))
		return ether_demux_frame(ifp, m, frame, family);
	if (ifp->demux == raw_demux)
		return raw_demux_packet(m, family);
	return demux_by_driver(ifp, m, *frame, family);
}

/* Called only while the interface has filters; as dlil_filter_ops.input. */
static inline errno_t
filter_packet(struct ifnet *ifp, protocol_family_t family, struct mbuf **m, char **frame)
{
	const struct dlil_filter_ops *ops = &ifp->machine->dlil->filters;
	struct iff_entry *e = iff_only(ifp, true, family, *m);

	return e != NULL ? iff_only_call(e, ops, ifp, true, family, m, frame) :
	    ops->input(ifp, family, m, frame);
}

/* Up to the protocol. True: *m is for `*family`; false: it has been dealt with. */
static inline __attribute__((always_inline)) bool
input_packet(struct ifnet *ifp, struct mbuf **mp, char **framep, protocol_family_t *familyp)
{
	struct nke *machine = ifp->machine;
	protocol_family_t family = 0;
	struct mbuf *m = *mp;
	char *frame = m->m_pkthdr.header;
	errno_t error;

	m->m_pkthdr.header = NULL;
	m->m_pkthdr.traffic_class = 0;	/* the sender's class means nothing here */
	error = demux(ifp, m, &frame, &family);
	if (__builtin_expect(error != 0, 0)) {
		if (error == EJUSTRETURN)
			return false;
		family = 0;		/* interface fact: filters see it all the same */
	}
	TRACE(machine, IF_DEMUX, m, ifp->index, family);
	if (m->m_flags & (MBUF_BCAST | MBUF_MCAST))
		ifp->stats.imcasts++;
	if (__builtin_expect(!TAILQ_EMPTY(&ifp->filters), 0) &&
	    filter_packet(ifp, family, &m, &frame) != 0)
		return false;
	if (__builtin_expect(m->m_flags & MBUF_PROMISC, 0)) {
		discard(ifp, m, frame);
		return false;
	}
	if (__builtin_expect(family == 0, 0)) {
		dlil_unclaimed(ifp, m, frame);
		return false;
	}
	*mp = m;
	*framep = frame;
	*familyp = family;
	return true;
}

static inline void
input_list(struct ifnet *ifp, struct mbuf *list, bool count)
{
	struct batch b = {.ifp = ifp};
	protocol_family_t family;
	struct mbuf *m;
	char *frame;

	if (__builtin_expect(!ifnet_io_begin(ifp), 0)) {
		discard_list(ifp, list);
		return;
	}
	if (__builtin_expect(ifp->multicast_suspended, 0))
		dlil_multicast_restore(ifp);
	TRACE(ifp->machine, IF_INPUT, list, ifp->index, 0);
	while ((m = list) != NULL) {
		list = m->m_nextpkt;
		__builtin_prefetch(list);
		m->m_nextpkt = NULL;
		if (count) {
			ifp->stats.ipackets++;
			ifp->stats.ibytes += (uint32_t)m->m_pkthdr.len;
		}
		/* A callback may have detached the interface. */
		if (__builtin_expect(ifp->state != IFNET_ATTACHED, 0))
			discard(ifp, m, m->m_pkthdr.header);
		else if (input_packet(ifp, &m, &frame, &family))
			batch_add(&b, family, m, frame);
	}
	batch_flush(&b);
	ifnet_io_end(ifp);
}

void
dlil_input_now(struct ifnet *ifp, struct mbuf *list)
{
	input_list(ifp, list, true);
}

void
dlil_input_one(struct ifnet *ifp, struct mbuf *m)
{
	protocol_family_t family;
	char *frame;

	if (__builtin_expect(!ifnet_io_begin(ifp), 0)) {
		discard(ifp, m, m->m_pkthdr.header);
		return;
	}
	if (__builtin_expect(ifp->multicast_suspended, 0))
		dlil_multicast_restore(ifp);
	TRACE(ifp->machine, IF_INPUT, m, ifp->index, 0);
	ifp->stats.ipackets++;
	ifp->stats.ibytes += (uint32_t)m->m_pkthdr.len;
	if (input_packet(ifp, &m, &frame, &family))
		give_packet(ifp, family, m, frame);
	ifnet_io_end(ifp);
}

/* ---- the queue ---------------------------------------------------------------------------- */

void
dlil_input_intr(void *arg)
{
	struct ifnet *ifp = arg;
	struct mbuf *list = ifp->inq_head;

	ifp->inq_head = ifp->inq_tail = NULL;
	ifp->inq_len = 0;
	if (list != NULL)
		input_list(ifp, list, false);
}

/*
 * What a driver must give: a packet header, and the interface it came by. Returns the last packet.
 */
static struct mbuf *
check_list(struct ifnet *ifp, struct mbuf *list, uint64_t *packets, uint64_t *bytes)
{
	struct mbuf *m;

	for (m = list;; m = m->m_nextpkt) {
		KASSERTX(m->m_flags & M_PKTHDR, "ifnet_input: a packet for %s has no packet header "
		    "(mbuf_gethdr makes one)", ifp->xname);
		if (m->m_pkthdr.rcvif == NULL && (ifp->flags & IFF_LOOPBACK))
			m->m_pkthdr.rcvif = ifp;
		KASSERTX(m->m_pkthdr.rcvif != NULL, "ifnet_input: a packet for %s has no receive interface "
		    "(mbuf_pkthdr_setrcvif sets it)", ifp->xname);
		KASSERTX(m->m_pkthdr.header != NULL || ifp->demux != ether_demux, "ifnet_input: a packet "
		    "for %s has no frame header (mbuf_pkthdr_setheader sets it)", ifp->xname);
		++*packets;
		*bytes += (uint32_t)m->m_pkthdr.len;
		if (m->m_nextpkt == NULL)
			return m;
	}
}

static void
credit(struct ifnet_stats *s, const struct ifnet_stat_increment_param *p)
{
	s->ipackets += p->packets_in;
	s->ibytes += p->bytes_in;
	s->ierrors += p->errors_in;
	s->opackets += p->packets_out;
	s->obytes += p->bytes_out;
	s->oerrors += p->errors_out;
	s->collisions += p->collisions;
	s->iqdrops += p->dropped;
}

errno_t
dlil_input(struct ifnet *ifp, struct mbuf *list, const struct ifnet_stat_increment_param *stats)
{
	uint64_t packets = 0, bytes = 0;
	struct mbuf *last;

	if (list == NULL || ifp == NULL || ifp->state != IFNET_ATTACHED) {
		m_freem_list(list);
		return EINVAL;
	}
	last = check_list(ifp, list, &packets, &bytes);
	if (stats != NULL) {
		credit(&ifp->stats, stats);
	} else {
		ifp->stats.ipackets += packets;
		ifp->stats.ibytes += bytes;
	}
	if (ifp->inq_tail != NULL)
		ifp->inq_tail->m_nextpkt = list;
	else
		ifp->inq_head = list;
	ifp->inq_tail = last;
	ifp->inq_len += (uint32_t)packets;
	softintr_schedule(&ifp->input_intr);
	return 0;
}

/* ---- packets for a protocol, past the interface ------------------------------------------- */

/* Takes runs of one family off the list. */
void
dlil_inject_intr(void *arg)
{
	struct nke *machine = arg;
	struct dlil_state *s = machine->dlil;
	struct mbuf *list = s->inject_head, *head, *tail;
	const struct net_proto *np;

	s->inject_head = s->inject_tail = NULL;
	while ((head = list) != NULL) {
		for (tail = head; tail->m_nextpkt != NULL &&
		    tail->m_nextpkt->m_pkthdr.family == head->m_pkthdr.family;)
			tail = tail->m_nextpkt;
		list = tail->m_nextpkt;
		tail->m_nextpkt = NULL;
		np = dlil_net_proto(machine, head->m_pkthdr.family);
		if (np != NULL)
			np->input(machine, head);
		else
			m_freem_list(head);
	}
}

errno_t
dlil_inject(struct nke *machine, protocol_family_t family, struct mbuf *list)
{
	struct dlil_state *s = machine->dlil;
	struct mbuf *m;

	if (dlil_net_proto(machine, family) == NULL)
		return ENOENT;
	for (m = list; m != NULL; m = m->m_nextpkt) {
		KASSERTX(m->m_flags & M_PKTHDR, "proto_inject: a packet has no packet header");
		m->m_pkthdr.family = family;
		m->m_pkthdr.origin = NULL;	/* even if it was a captured frame once */
		if (m->m_nextpkt != NULL)
			continue;
		if (s->inject_tail != NULL)
			s->inject_tail->m_nextpkt = list;
		else
			s->inject_head = list;
		s->inject_tail = m;
		break;
	}
	softintr_schedule(&s->inject_intr);
	return 0;
}
