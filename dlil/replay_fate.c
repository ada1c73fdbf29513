/*
 * What became of a replayed frame: the hooks that filters, protocols and reassembly call, and the
 * "driver" that packets leave through.
 *
 * A packet is unchanged when its bytes are those of its frame (or the datagram its fragments make);
 * then the frame leaves as it was captured. Otherwise the packet is given the link header its frame
 * came with and, if it does not fit, is cut into fragments again.
 */
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <string.h>

#include "dlil/replay_impl.h"
#include "src/kern/heap.h"
#include "src/kern/klog.h"

#define LIKELY(x)	__builtin_expect(!!(x), 1)

/* ---- what filters did --------------------------------------------------------------------- */

/* Did filters have their hands on any of the packet's frames? */
static bool
touched(const struct pkt_origin *o)
{
	while (o != NULL && !o->touched)
		o = o->join;
	return o != NULL;
}

static bool
link_changed(const struct pkt_origin *o)
{
	while (o != NULL && !o->link_changed)
		o = o->join;
	return o != NULL;
}

/* Is the packet (data at the network header) still what was captured? */
static bool
unchanged(const struct pkt_origin *o, const struct mbuf *m)
{
	if (!touched(o))
		return true;	/* nobody could have changed it */
	return !link_changed(o) && replay_same_packet(o, m, 0);
}

/*
 * Does the mbuf still hold the whole frame as it came? A filter may have freed the one it came in, and
 * this be the same one again with something else in it.
 */
static bool
in_place(const struct pkt_origin *o, const struct mbuf *m)
{
	const char *buffer;

	if (m == NULL || m != o->first || m->m_next != NULL)
		return false;
	/* What the stack takes out of a packet moves the data; of those there is a copy. */
	if (!o->touched)
		return o->raw == NULL || m->m_data == o->start || m->m_data == o->start + o->link_len;
	if (o->raw == NULL)
		return false;
	buffer = m_start(m);
	return o->start >= buffer && o->start + o->caplen <= buffer + m_capacity(m) &&
	    memcmp(o->start, o->raw, o->caplen) == 0;
}

/* What nearly every frame is at the end of its way: alone, untouched, where it came in. */
static inline bool
pristine(const struct pkt_origin *o, const struct mbuf *m)
{
	return m == o->first && !o->touched && !o->changed && o->join == NULL && o->m == NULL &&
	    m->m_next == NULL;
}

static inline void
keep_pristine(struct pkt_origin *o, struct mbuf *m)
{
	m->m_pkthdr.origin = NULL;
	o->m = m;
	o->fate = PKT_KEPT;
}

/*
 * A filter that replaces the packet, if only by a pullup, may forget the header in front of the old one:
 * on a Mac nothing of IP's looks there any more. True when the header lies in mbufs but not in these.
 */
static bool
stale(const struct replay *r, const struct mbuf *m, const char *frame, size_t len)
{
	if (!mbuf_zone_contains(r->machine, frame))
		return false;
	for (; m != NULL; m = m->m_next) {
		const char *buffer = m_start(m);

		if (frame >= buffer && frame + len <= buffer + m_capacity(m))
			return false;
	}
	return true;
}

/*
 * How much of the link header filters are shown and may edit. One that had a priority tag is shown
 * without it: its addresses count.
 */
static uint32_t
shown_link(const struct replay *r, const struct pkt_origin *o)
{
	return o->link_len == r->link_len ? o->link_len : 2 * ETHER_ADDR_LEN;
}

/* Notes what a filter did to the link header. */
static bool
link_edited(const struct replay *r, struct pkt_origin *o, const struct mbuf *m, const char *frame)
{
	uint32_t len = shown_link(r, o);

	if (memcmp(frame, o->link, len) == 0 || (m != NULL && stale(r, m, frame, len)))
		return false;
	memcpy(o->link, frame, len);
	o->link_changed = o->raw == NULL || memcmp(frame, o->raw, len) != 0;
	return true;
}

/* Remembers how the network packet looks now, `off` bytes into m. */
static void
note_look(struct nke *machine, struct pkt_origin *o, const struct mbuf *m, uint32_t off)
{
	uint32_t len = (uint32_t)m->m_pkthdr.len - off;

	if (o->look != NULL)
		kfree(machine, o->look);
	o->look = kalloc(machine, len != 0 ? len : 1);
	o->look_len = len;
	if (o->look != NULL)
		m_copydata(m, off, len, o->look);
}

bool
replay_changed(struct nke *machine, struct pkt_origin *o, struct mbuf *m, enum replay_view view,
    const char *frame)
{
	bool handled = m_touched(m), changed = false;
	uint32_t off = view == REPLAY_FRAME ? o->link_len : 0;
	char link[REPLAY_LINK_MAX];

	if (m->m_pkthdr.origin != o || m->m_pkthdr.packet_number != o->number) {
		m->m_pkthdr.origin = o;
		m->m_pkthdr.packet_number = o->number;
		handled = true;
	}
	o->touched |= handled;
	for (struct mbuf *n = m; n != NULL; n = n->m_next)
		n->m_flags &= (uint16_t)~M_TOUCHED;
	if (view == REPLAY_NET_AND_FRAME && frame != NULL && link_edited(machine->replay, o, m, frame)) {
		o->touched = true;
		changed = true;
	}
	if (!handled || o->raw == NULL)
		return changed;
	if (view == REPLAY_FRAME && ((uint32_t)m->m_pkthdr.len < off ||
	    m_copydata(m, 0, off, link) != 0))
		return true;
	if (view == REPLAY_FRAME && link_edited(machine->replay, o, NULL, link))
		changed = true;
	if (o->look != NULL) {
		if ((uint32_t)m->m_pkthdr.len - off == o->look_len &&
		    replay_same_bytes(m, off, o->look, o->look_len))
			return changed;
	} else if (!o->changed && replay_same_packet(o, m, off)) {
		return changed;
	}
	note_look(machine, o, m, off);
	return true;
}

/* ---- verdicts ----------------------------------------------------------------------------- */

void
replay_verdict(struct nke *machine, struct pkt_origin *o, enum pkt_fate fate)
{
	struct pkt_origin *next;

	if (machine->replay == NULL)
		return;
	for (; o != NULL; o = next) {
		next = o->join;
		if (o->is_new || o->fate != PKT_PENDING)
			continue;
		o->join = NULL;
		if (o->pieces > 1) {	/* one of several frames; the others decide */
			o->pieces--;
			continue;
		}
		o->pieces = 0;
		o->fate = (uint8_t)(o->m != NULL ? PKT_KEPT : fate);
	}
}

void
replay_join(struct pkt_origin *o, struct pkt_origin *more)
{
	if (o == NULL || o == more)
		return;
	while (o->join != NULL)
		o = o->join;
	o->join = more;
}

/* The frames leave as they came: from their copy, or from the mbuf if it still is the one. */
static void
keep_as_captured(struct pkt_origin *o, struct mbuf *m)
{
	struct pkt_origin *next;

	for (; o != NULL; o = next) {
		next = o->join;
		o->join = NULL;
		o->changed = false;
		o->fate = PKT_KEPT;
		if (m != NULL && in_place(o, m)) {
			m->m_pkthdr.origin = NULL;
			o->m = m;
			m = NULL;
		} else if (o->raw == NULL) {
			/* Its only copy was rearranged: what is left of it is behind the old header. */
			o->fate = PKT_NO_MEMORY;
		}
	}
	if (m != NULL)
		m_freem(m);
}

void
replay_release(struct nke *machine, struct pkt_origin *o)
{
	if (machine->replay != NULL && o != NULL)
		keep_as_captured(o, NULL);
}

/* ---- framing anew ------------------------------------------------------------------------- */

static struct mbuf *
add_link(struct mbuf *m, const uint8_t *link, uint8_t len)
{
	if (len == 0)
		return m;
	m = m_prepend(m, len, MBUF_DONTWAIT);
	if (m != NULL)
		memcpy(m->m_data, link, len);
	return m;
}

static void
append_frame(struct pkt_origin *o, struct mbuf *m)
{
	struct mbuf **end = &o->m;

	while (*end != NULL)
		end = &(*end)->m_nextpkt;
	m->m_nextpkt = NULL;
	m->m_pkthdr.origin = NULL;
	*end = m;
}

static protocol_family_t
packet_family(const struct mbuf *m)
{
	if (m->m_len < 1)
		return 0;
	switch (*mtod(m, const uint8_t *) >> 4) {
	case 4:
		return PF_INET;
	case 6:
		return PF_INET6;
	default:
		return 0;
	}
}

/* What fits: the interface's MTU, or what the capture shows to have fitted. */
static uint32_t
fitting_length(const struct replay *r, const struct pkt_origin *o)
{
	uint32_t fits = r->mtu;

	for (; o != NULL; o = o->join)
		if (o->caplen - o->link_len > fits)
			fits = o->caplen - o->link_len;
	return fits;
}

/*
 * Cuts a packet to what `fits` if need be. The packets keep no origin. One that must not be cut stays
 * whole on the way in, where nothing is left to be crossed; NULL otherwise.
 */
static struct mbuf *
cut(struct replay *r, struct mbuf *m, uint32_t fits, bool outbound)
{
	const struct net_proto *np = dlil_net_proto(r->machine, packet_family(m));
	struct mbuf *list = NULL, *whole;

	m->m_pkthdr.origin = NULL;
	if (np == NULL || np->fragment == NULL || (uint32_t)m->m_pkthdr.len <= fits)
		return m;
	whole = outbound ? NULL : m_dup(m, MBUF_DONTWAIT);
	if (np->fragment(r->machine, m, fits, &list) != 0)
		return whole;
	m_freem(whole);
	return list;
}

static void
merge_rest(struct pkt_origin *o)
{
	struct pkt_origin *next;

	for (o = o->join; o != NULL; o = next) {
		next = o->join;
		o->join = NULL;
		if (o->fate == PKT_PENDING)
			o->fate = PKT_MERGED;
	}
}

/* A changed packet on the way in leaves as frames of its own. */
static void
deliver_changed(struct replay *r, struct pkt_origin *o, struct mbuf *m)
{
	struct mbuf *next;

	m = cut(r, m, fitting_length(r, o), o->outbound);
	replay_keep_identification(o, m);
	merge_rest(o);
	o->join = NULL;
	o->changed = true;
	for (; m != NULL; m = next) {
		next = m->m_nextpkt;
		m->m_nextpkt = NULL;
		m = add_link(m, o->link, o->link_len);
		if (m != NULL)
			append_frame(o, m);
	}
	o->fate = o->m != NULL ? PKT_KEPT : PKT_NO_MEMORY;
}

/* Only link headers were edited: the frames leave with the new ones, and else as they came. */
static void
relink(struct replay *r, struct pkt_origin *o)
{
	struct pkt_origin *next;
	struct mbuf *m;

	for (; o != NULL; o = next) {
		next = o->join;
		if (!o->link_changed) {
			o->join = NULL;
			keep_as_captured(o, NULL);
			continue;
		}
		o->join = NULL;
		m = m_devget(r->machine, o->raw, o->caplen, 0);
		o->fate = m != NULL ? PKT_KEPT : PKT_NO_MEMORY;
		if (m == NULL)
			continue;
		(void)m_copyback(m, 0, shown_link(r, o), o->link, MBUF_DONTWAIT);
		o->changed = true;
		append_frame(o, m);
	}
}

/* The end of the way in: the packet leaves as the frames it came in, or as others. */
static void
leave_inbound(struct replay *r, struct pkt_origin *o, struct mbuf *m)
{
	if (unchanged(o, m)) {
		keep_as_captured(o, m);
	} else if (link_changed(o) && replay_same_packet(o, m, 0)) {
		m_freem(m);
		relink(r, o);
	} else {
		deliver_changed(r, o, m);
	}
}

/* A frame that nobody captured leaves. */
static void
leave_new(struct replay *r, struct mbuf *m)
{
	struct pkt_origin *o = replay_push_new(r);

	append_frame(o, m);
}

/* A packet that nobody captured was delivered: it is framed as if it had come from the link. */
static void
deliver_new(struct replay *r, struct mbuf *m)
{
	uint8_t link[REPLAY_LINK_MAX];
	struct mbuf *next;

	replay_make_link(r, m, false, link);
	for (m = cut(r, m, r->mtu, false); m != NULL; m = next) {
		next = m->m_nextpkt;
		m->m_nextpkt = NULL;
		m = add_link(m, link, r->link_len);
		if (m != NULL)
			leave_new(r, m);
		else
			r->stats.no_memory++;
	}
}

void
replay_deliver(struct nke *machine, struct mbuf *m)
{
	struct pkt_origin *o = replay_origin(machine, m);
	struct replay *r = machine->replay;

	if (LIKELY(o != NULL && pristine(o, m) && m->m_data == o->start + o->link_len))
		keep_pristine(o, m);
	else if (r == NULL || (o == NULL && m->m_pkthdr.origin != NULL))
		m_freem(m);		/* its frames have left without it */
	else if (o == NULL)
		deliver_new(r, m);
	else
		leave_inbound(r, o, m);
}

/* A frame that a kext put in on the way in, and that no protocol wants. */
static void
unclaimed_new(struct replay *r, struct mbuf *m, const char *frame)
{
	uint8_t link[REPLAY_LINK_MAX];

	if (r == NULL || m->m_pkthdr.rcvif != r->ifp || frame == NULL || m->m_pkthdr.origin != NULL) {
		m_freem(m);
		return;
	}
	memcpy(link, frame, r->link_len);
	m = add_link(m, link, r->link_len);
	if (m != NULL)
		leave_new(r, m);
	else
		r->stats.no_memory++;
}

void
replay_unclaimed(struct nke *machine, struct mbuf *m, char *frame)
{
	struct pkt_origin *o = replay_origin(machine, m);
	struct replay *r = machine->replay;

	if (o == NULL) {
		unclaimed_new(r, m, frame);
		return;
	}
	if (frame != NULL)
		(void)link_edited(machine->replay, o, m, frame);
	r->stats.unclaimed++;
	replay_deliver(machine, m);
}

void
replay_claimed(struct nke *machine, struct mbuf *m, const char *frame)
{
	struct pkt_origin *o = replay_origin(machine, m);
	struct mbuf *copy;

	if (o == NULL)
		return;
	if (frame != NULL)
		(void)link_edited(machine->replay, o, m, frame);
	m->m_pkthdr.origin = NULL;
	if (unchanged(o, m)) {
		keep_as_captured(o, NULL);
		return;
	}
	copy = m_dup(m, MBUF_DONTWAIT);
	if (copy != NULL)
		leave_inbound(machine->replay, o, copy);
	else
		replay_verdict(machine, o, PKT_NO_MEMORY);
}

/* ---- the way out -------------------------------------------------------------------------- */

/* The fragments of an unchanged datagram, each a packet of its own again. */
static void
output_fragments(struct replay *r, struct pkt_origin *o, protocol_family_t family)
{
	struct pkt_origin *next;

	for (; o != NULL; o = next) {
		struct mbuf *m;

		next = o->join;
		o->join = NULL;
		m = o->raw != NULL ? m_devget(r->machine, o->raw, o->caplen, 2) : NULL;
		if (m == NULL) {
			o->fate = PKT_NO_MEMORY;
			continue;
		}
		/* The mbuf it came in is gone, and this may well be the same one again. */
		o->first = m;
		o->start = m->m_data;
		m->m_pkthdr.origin = o;
		m->m_pkthdr.packet_number = o->number;
		m->m_pkthdr.timestamp = o->time_ns;
		o->pieces = 1;
		dlil_output_frame(r->ifp, family, m);
	}
}

static void
output_changed(struct replay *r, struct pkt_origin *o, struct mbuf *m)
{
	protocol_family_t family = packet_family(m);
	struct mbuf *next;
	uint16_t n = 0;

	m = cut(r, m, fitting_length(r, o), o->outbound);
	replay_keep_identification(o, m);
	merge_rest(o);
	o->join = NULL;
	if (m == NULL) {
		o->fate = PKT_DROPPED;	/* too big to leave and not to be cut */
		return;
	}
	for (next = m; next != NULL; next = next->m_nextpkt)
		n++;
	o->changed = true;
	o->pieces = n;
	for (; m != NULL; m = next) {
		next = m->m_nextpkt;
		m->m_nextpkt = NULL;
		m = add_link(m, o->link, o->link_len);
		if (m == NULL) {
			replay_verdict(r->machine, o, PKT_NO_MEMORY);
			continue;
		}
		m->m_pkthdr.origin = o;
		m->m_pkthdr.packet_number = o->number;
		if (!TAILQ_EMPTY(&r->ifp->filters))
			note_look(r->machine, o, m, o->link_len);
		dlil_output_frame(r->ifp, family, m);
	}
}

/* The frame it came as, in place: link header in front, padding behind. */
static inline void
output_in_place(struct replay *r, struct pkt_origin *o, struct mbuf *m)
{
	protocol_family_t family = packet_family(m);

	m->m_data = o->start;
	m->m_len = m->m_pkthdr.len = (int32_t)o->caplen;
	o->pieces = 1;
	dlil_output_frame(r->ifp, family, m);
}

static void
output_unchanged(struct replay *r, struct pkt_origin *o, struct mbuf *m)
{
	protocol_family_t family = packet_family(m);

	if (o->join == NULL && in_place(o, m)) {
		output_in_place(r, o, m);
		return;
	}
	m->m_pkthdr.origin = NULL;
	m_freem(m);
	/* A single frame in several mbufs is sent from its copy as well. */
	if (o->join != NULL || o->raw != NULL)
		output_fragments(r, o, family);
	else
		o->fate = PKT_NO_MEMORY;
}

void
replay_output_done(struct nke *machine, struct mbuf *m)
{
	struct pkt_origin *o = replay_origin(machine, m);
	struct replay *r = machine->replay;

	if (LIKELY(o != NULL && pristine(o, m) && m->m_data == o->start + o->link_len))
		output_in_place(r, o, m);
	else if (o == NULL)
		m_freem(m);
	else if (unchanged(o, m))
		output_unchanged(r, o, m);
	else
		output_changed(r, o, m);
}

/* ---- what the stack does not want --------------------------------------------------------- */

/*
 * It survives as it is now. What the host sent has been on the link, whatever the stack thinks of it, so
 * interface filters see it on its way out. Returns how many frames the packet stood for.
 */
static uint64_t
survive(struct nke *machine, struct mbuf *m)
{
	struct pkt_origin *o = replay_origin(machine, m);
	uint64_t frames = 0;

	if (o == NULL) {
		m_freem(m);
		return 0;
	}
	for (const struct pkt_origin *i = o; i != NULL; i = i->join)
		frames++;
	if (o->outbound)
		replay_output_done(machine, m);
	else
		leave_inbound(machine->replay, o, m);
	return frames;
}

void
replay_given_up(struct nke *machine, struct mbuf *m)
{
	struct pkt_origin *o = replay_origin(machine, m);

	/* Joined to it are duplicates; filters have had their hands on them only on the way in. */
	if (o != NULL && !o->outbound) {
		replay_release(machine, o->join);
		o->join = NULL;
	}
	(void)survive(machine, m);
}

void
replay_refused(struct nke *machine, struct mbuf *m)
{
	uint64_t frames = survive(machine, m);

	if (frames != 0)
		machine->replay->stats.refused += frames;
}

/* ---- the driver --------------------------------------------------------------------------- */

static bool
frame_unchanged(const struct pkt_origin *o, const struct mbuf *m)
{
	if (!o->touched)
		return true;
	return o->raw != NULL && (uint32_t)m->m_pkthdr.len == o->caplen &&
	    replay_same_bytes(m, 0, o->raw, o->caplen);
}

/* The end of the way out: ifnet_output_func of the replayed interface, and of no other. */
errno_t
replay_driver_output(struct ifnet *ifp, struct mbuf *m)
{
	struct replay *r = ifnet_softc(ifp);
	struct nke *machine = r->machine;
	struct pkt_origin *o = replay_origin(machine, m);

	if (LIKELY(o != NULL && pristine(o, m) && m->m_data == o->start && o->pieces == 1)) {
		o->pieces = 0;
		keep_pristine(o, m);
		return 0;
	}
	if (o == NULL && m->m_pkthdr.origin == NULL) {
		leave_new(r, m);
		return 0;
	}
	if (o == NULL) {
		m_freem(m);
		return 0;
	}
	if (o->pieces > 0)
		o->pieces--;
	if (!o->changed && frame_unchanged(o, m)) {
		keep_as_captured(o, m);
		return 0;
	}
	o->changed = true;
	append_frame(o, m);
	if (o->pieces == 0)
		o->fate = PKT_KEPT;
	return 0;
}
