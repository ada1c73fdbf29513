/*
 * Multicast groups of interfaces: what their members want, put together (in_multi.h says how it is used).
 *
 * RFC 3376 section 3.2, RFC 3810 section 4.2: when some member is in EXCLUDE mode, the interface is in
 * EXCLUDE mode, and its list is what all of them exclude and no other member includes; else it is in
 * INCLUDE mode, and its list is what any member includes. Each source counts who includes and who
 * excludes it, so a change costs what it names, and the new list follows from the counts.
 *
 * The link layer's record (dlil_multicast.c) is joined while a group has members.
 *
 * Limits: IN_MULTI_MAX records in a machine, IN_MULTI_SOURCES_MAX sources in a record.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/netinet/in_pcb.h"
#include "src/netinet/in_subr.h"

#define BUCKETS	256u

LIST_HEAD(in_multi_bucket, in_multi);

struct in_multi_state {
	TAILQ_HEAD(, in_multi) all;
	uint32_t count;
	void (*reporter[2])(struct ifnet *, struct in_multi *);	/* IPv4, IPv6 */
	struct in_multi_bucket buckets[BUCKETS];
};

/* ---- finding ------------------------------------------------------------------------------ */

static struct in_multi_bucket *
bucket(struct in_multi_state *s, const struct ifnet *ifp, sa_family_t family, const void *group)
{
	uint32_t low;

	memcpy(&low, (const uint8_t *)group + in_any_size(family) - sizeof low, sizeof low);
	return &s->buckets[((low ^ ifp->index * 0x01000193u) * 0x9e3779b1u) >> 24];
}

static struct in_multi *
find(const struct ifnet *ifp, sa_family_t family, const void *group)
{
	struct in_multi *inm;

	LIST_FOREACH(inm, bucket(ifp->machine->in_multis, ifp, family, group), hash)
		if (inm->ifp == ifp && inm->family == family &&
		    memcmp(&inm->group, group, in_any_size(family)) == 0)
			return inm;
	return NULL;
}

struct in_multi *
in_multi_find(struct ifnet *ifp, sa_family_t family, const void *group)
{
	struct in_multi *inm = find(ifp, family, group);

	return inm != NULL && inm->members != 0 ? inm : NULL;
}

struct in_multi *
in_multi_next(struct nke *machine, struct in_multi *prev, const struct ifnet *ifp, sa_family_t family)
{
	struct in_multi *inm = prev != NULL ? TAILQ_NEXT(prev, link) :
	    TAILQ_FIRST(&machine->in_multis->all);

	while (inm != NULL && (inm->family != family || (ifp != NULL && inm->ifp != ifp)))
		inm = TAILQ_NEXT(inm, link);
	return inm;
}

/* Where the source is, or belongs, in the sorted list. */
static unsigned
position(const struct in_multi *inm, const void *source, bool *there)
{
	size_t size = in_any_size(inm->family);
	unsigned low = 0, high = inm->source_count;

	*there = false;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		int order = memcmp(&inm->sources[middle].addr, source, size);

		if (order == 0) {
			*there = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- life --------------------------------------------------------------------------------- */

void
in_multi_retain(struct in_multi *inm)
{
	inm->refs++;
}

static void
unlink_record(struct in_multi *inm)
{
	struct in_multi_state *s = inm->ifp->machine->in_multis;

	if (inm->gone)
		return;
	inm->gone = true;
	TAILQ_REMOVE(&s->all, inm, link);
	LIST_REMOVE(inm, hash);
	s->count--;
}

void
in_multi_release(struct in_multi *inm)
{
	struct nke *machine = inm->ifp->machine;

	if (--inm->refs != 0)
		return;
	unlink_record(inm);
	if (inm->ifma != NULL)
		ifmultiaddr_drop(inm->ifma);
	ifnet_drop(inm->ifp);
	kfree(machine, inm->sources);
	kfree(machine, inm);
}

/* A record without members; one reference. NULL: too many, or no memory. */
static struct in_multi *
create(struct ifnet *ifp, sa_family_t family, const void *group)
{
	struct in_multi_state *s = ifp->machine->in_multis;
	struct in_multi *inm;

	if (s->count >= IN_MULTI_MAX)
		return NULL;
	inm = kalloc(ifp->machine, sizeof *inm);
	if (inm == NULL)
		return NULL;
	inm->refs = 1;
	inm->family = family;
	inm->mode = inm->old_mode = MCAST_INCLUDE;
	memcpy(&inm->group, group, in_any_size(family));
	inm->ifp = ifp;
	ifnet_retain(ifp);
	TAILQ_INSERT_TAIL(&s->all, inm, link);
	LIST_INSERT_HEAD(bucket(s, ifp, family, group), inm, hash);
	s->count++;
	return inm;
}

/* ---- the link layer ----------------------------------------------------------------------- */

static errno_t
join_link(struct in_multi *inm)
{
	struct sockaddr_in6 sin6 = {.sin6_len = sizeof sin6, .sin6_family = AF_INET6};
	struct sockaddr_in sin = {.sin_len = sizeof sin, .sin_family = AF_INET};
	const struct sockaddr *sa = inm->family == AF_INET ?
	    (const struct sockaddr *)&sin : (const struct sockaddr *)&sin6;
	struct ifmultiaddr *ifma;
	errno_t error;

	sin.sin_addr = inm->group.v4;
	sin6.sin6_addr = inm->group.v6;
	error = dlil_multicast_join(inm->ifp, sa, &ifma);
	if (error != 0)
		return error;
	/* The driver was called: another member may have joined, or the interface gone. */
	if (inm->ifma == NULL && !inm->gone) {
		inm->ifma = ifma;
		return 0;
	}
	(void)dlil_multicast_leave(ifma);
	ifmultiaddr_drop(ifma);
	return inm->gone ? ENXIO : 0;
}

static void
leave_link(struct in_multi *inm)
{
	struct ifmultiaddr *ifma = inm->ifma;

	inm->ifma = NULL;
	if (ifma == NULL)
		return;
	(void)dlil_multicast_leave(ifma);
	ifmultiaddr_drop(ifma);
}

/* ---- sources ------------------------------------------------------------------------------ */

static bool
make_room(struct in_multi *inm, unsigned more)
{
	struct nke *machine = inm->ifp->machine;
	unsigned want = inm->source_count + more, room = inm->source_room ? inm->source_room : 4;
	struct in_msource *list;

	if (want <= inm->source_room)
		return true;
	if (want > IN_MULTI_SOURCES_MAX)
		return false;
	while (room < want)
		room *= 2;
	list = kalloc(machine, room * sizeof *list);
	if (list == NULL)
		return false;
	if (inm->source_count != 0)
		memcpy(list, inm->sources, inm->source_count * sizeof *list);
	kfree(machine, inm->sources);
	inm->sources = list;
	inm->source_room = (uint16_t)room;
	return true;
}

/* The source's entry; made when it is not there: there is room. */
static struct in_msource *
take_source(struct in_multi *inm, const union in_any *addr)
{
	bool there;
	unsigned at = position(inm, addr, &there);
	struct in_msource *s = &inm->sources[at];

	if (there)
		return s;
	memmove(s + 1, s, (inm->source_count - at) * sizeof *s);
	memset(s, 0, sizeof *s);
	s->addr = *addr;
	inm->source_count++;
	return s;
}

void
in_multi_prune(struct in_multi *inm)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < inm->source_count; i++) {
		const struct in_msource *s = &inm->sources[i];

		if (s->includes != 0 || s->excludes != 0 || s->report != 0)
			inm->sources[kept++] = *s;
	}
	inm->source_count = (uint16_t)kept;
}

static unsigned
new_sources(const struct in_multi *inm, const struct in_wish *w)
{
	unsigned n = 0;
	bool there;

	for (unsigned i = 0; w != NULL && i < w->count; i++) {
		(void)position(inm, &w->sources[i], &there);
		n += !there;
	}
	return n;
}

/* ---- what the interface wants ------------------------------------------------------------- */

static void
count_wish(struct in_multi *inm, const struct in_wish *w, int by)
{
	if (w == NULL)
		return;
	inm->members += (uint32_t)by;
	if (w->mode == MCAST_EXCLUDE)
		inm->excluders += (uint32_t)by;
	for (unsigned i = 0; i < w->count; i++) {
		struct in_msource *s = take_source(inm, &w->sources[i]);

		if (w->mode == MCAST_EXCLUDE)
			s->excludes += (uint32_t)by;
		else
			s->includes += (uint32_t)by;
	}
}

static void
remember(struct in_multi *inm)
{
	inm->old_mode = inm->mode;
	inm->was_member = inm->mode == MCAST_EXCLUDE;
	for (unsigned i = 0; i < inm->source_count; i++) {
		inm->sources[i].was_listed = inm->sources[i].listed;
		inm->was_member |= inm->sources[i].listed;
	}
}

/* True: it is not what it was. */
static bool
merge(struct in_multi *inm)
{
	bool changed;

	inm->mode = inm->excluders != 0 ? MCAST_EXCLUDE : MCAST_INCLUDE;
	changed = inm->mode != inm->old_mode;
	for (unsigned i = 0; i < inm->source_count; i++) {
		struct in_msource *s = &inm->sources[i];

		s->listed = inm->mode == MCAST_INCLUDE ? s->includes != 0 :
		    s->excludes == inm->excluders && s->includes == 0;
		changed |= s->listed != s->was_listed;
	}
	return changed;
}

static void
report(struct in_multi *inm)
{
	struct in_multi_state *s = inm->ifp->machine->in_multis;
	void (*fn)(struct ifnet *, struct in_multi *) = s->reporter[inm->family == AF_INET6];

	if (fn != NULL)
		fn(inm->ifp, inm);
}

errno_t
in_multi_change(struct ifnet *ifp, sa_family_t family, const void *group, const struct in_wish *from,
    const struct in_wish *to, struct in_multi **out)
{
	struct in_multi *inm = find(ifp, family, group);
	errno_t error = 0;

	if (inm != NULL)
		in_multi_retain(inm);
	else if (from != NULL || (inm = create(ifp, family, group)) == NULL)
		return from != NULL ? 0 : ENOBUFS;	/* the interface has gone meanwhile */
	if (!make_room(inm, new_sources(inm, to)))
		error = ENOBUFS;
	/* The driver is called: whoever joins meanwhile finds the record. */
	if (error == 0 && to != NULL && inm->ifma == NULL)
		error = join_link(inm);
	if (error == 0 && !make_room(inm, new_sources(inm, to)))
		error = ENOBUFS;
	if (error == 0) {
		remember(inm);
		count_wish(inm, to, 1);
		count_wish(inm, from, -1);
		/* Every member holds one reference. */
		if (to != NULL && from == NULL)
			in_multi_retain(inm);
		if (merge(inm))
			report(inm);
		in_multi_prune(inm);
		if (out != NULL)
			*out = inm;
	}
	if (inm->members == 0)
		leave_link(inm);
	if (error == 0 && to == NULL && from != NULL)
		in_multi_release(inm);
	in_multi_release(inm);
	return error;
}

/* ---- the core's own ----------------------------------------------------------------------- */

static const struct in_wish everything = {.mode = MCAST_EXCLUDE};

errno_t
in_multi_join(struct ifnet *ifp, sa_family_t family, const void *group, struct in_multi **out)
{
	return in_multi_change(ifp, family, group, NULL, &everything, out);
}

void
in_multi_leave(struct in_multi *inm)
{
	if (inm->gone)
		in_multi_release(inm);
	else
		(void)in_multi_change(inm->ifp, inm->family, &inm->group, &everything, NULL, NULL);
}

void
in_multi_set_reporter(struct nke *machine, sa_family_t family,
    void (*fn)(struct ifnet *, struct in_multi *))
{
	machine->in_multis->reporter[family == AF_INET6] = fn;
}

/* ---- the end ------------------------------------------------------------------------------ */

static struct in_multi *
first_of(struct in_multi_state *s, const struct ifnet *ifp)
{
	struct in_multi *inm;

	TAILQ_FOREACH(inm, &s->all, link)
		if (ifp == NULL || inm->ifp == ifp)
			return inm;
	return NULL;
}

/* Members keep their references; the record means nothing any more. */
static void
bury(struct in_multi *inm)
{
	in_multi_retain(inm);
	remember(inm);
	inm->members = inm->excluders = 0;
	inm->source_count = 0;
	inm->mode = MCAST_INCLUDE;
	unlink_record(inm);
	report(inm);
	leave_link(inm);
	in_multi_release(inm);
}

void
in_multi_interface_gone(struct nke *machine, struct ifnet *ifp)
{
	struct in_multi_state *s = machine->in_multis;
	struct in_multi *inm;

	while (s != NULL && (inm = first_of(s, ifp)) != NULL)
		bury(inm);
}

static errno_t
in_multi_init(struct nke *machine)
{
	struct in_multi_state *s = kalloc(machine, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	TAILQ_INIT(&s->all);
	machine->in_multis = s;
	return 0;
}

static void
in_multi_quiesce(struct nke *machine)
{
	in_multi_interface_gone(machine, NULL);
}

static void
in_multi_fini(struct nke *machine)
{
	kfree(machine, machine->in_multis);
	machine->in_multis = NULL;
}

extern const struct subsystem in_multi_subsystem;
const struct subsystem in_multi_subsystem = {
	.name = "in_multi", .init = in_multi_init, .quiesce = in_multi_quiesce, .fini = in_multi_fini
};
