/*
 * Multicast memberships of sockets, with their source filters (RFC 3678): what each socket wants of a group
 * on an interface, and whether a datagram that came is among it. in_multi.c puts together what the sockets
 * want; in_mcast_options.c is how a program says it.
 *
 * Limits: IP_MAX_MEMBERSHIPS groups in a socket, IP_MAX_SOCK_SRC_FILTER sources in a membership.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/netinet/in_pcb.h"

/* ---- finding ------------------------------------------------------------------------------ */

static bool
is_group(const struct in_membership *ms, sa_family_t family, const void *group)
{
	return ms->inm->family == family && !ms->inm->gone &&
	    memcmp(&ms->inm->group, group, in_any_size(family)) == 0;
}

struct in_membership *
in_mcast_find(const struct inpcb *inp, const struct ifnet *ifp, sa_family_t family, const void *group)
{
	struct in_moptions *mo = inp->inp_moptions;

	for (unsigned i = 0; mo != NULL && i < mo->count; i++)
		if ((ifp == NULL || mo->groups[i].inm->ifp == ifp) &&
		    is_group(&mo->groups[i], family, group))
			return &mo->groups[i];
	return NULL;
}

static bool
has_source(const struct in_membership *ms, const void *source)
{
	size_t size = in_any_size(ms->inm->family);
	unsigned low = 0, high = ms->count;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		int order = memcmp(&ms->sources[middle], source, size);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool
in_mcast_wanted(const struct inpcb *inp, const struct ifnet *ifp, sa_family_t family, const void *group,
    const void *source)
{
	const struct in_moptions *mo = inp->inp_moptions;

	for (unsigned i = 0; mo != NULL && i < mo->count; i++) {
		const struct in_membership *ms = &mo->groups[i];

		if ((ifp == NULL || ms->inm->ifp == ifp) && is_group(ms, family, group) &&
		    has_source(ms, source) == (ms->mode == MCAST_INCLUDE))
			return true;
	}
	return false;
}

/* ---- life --------------------------------------------------------------------------------- */

struct in_moptions *
in_moptions_get(struct inpcb *inp)
{
	struct in_moptions *mo = inp->inp_moptions;

	if (mo != NULL)
		return mo;
	mo = kalloc(inp->inp_info->machine, sizeof *mo);
	if (mo == NULL)
		return NULL;
	mo->hops = -1;
	mo->loop = IP_DEFAULT_MULTICAST_LOOP;
	inp->inp_moptions = mo;
	return mo;
}

static void
give_up(struct in_multi *inm, const struct in_wish *wish)
{
	if (inm->gone)
		in_multi_release(inm);
	else
		(void)in_multi_change(inm->ifp, inm->family, &inm->group, wish, NULL, NULL);
}

/* Gives up the membership and forgets it. The driver may be called: `inp` may be gone then. */
static void
leave(struct inpcb *inp, struct in_membership *ms)
{
	struct nke *machine = inp->inp_info->machine;
	struct in_moptions *mo = inp->inp_moptions;
	struct in_membership old = *ms;
	struct in_wish from = {.mode = old.mode, .count = old.count, .sources = old.sources};

	*ms = mo->groups[--mo->count];
	give_up(old.inm, &from);
	kfree(machine, old.sources);
}

void
in_moptions_free(struct inpcb *inp)
{
	struct in_moptions *mo = inp->inp_moptions;

	if (mo == NULL)
		return;
	while (mo->count != 0)
		leave(inp, &mo->groups[mo->count - 1]);
	inp->inp_moptions = NULL;
	if (mo->ifp != NULL)
		ifnet_drop(mo->ifp);
	kfree(inp->inp_info->machine, mo->groups);
	kfree(inp->inp_info->machine, mo);
}

/* ---- changing ----------------------------------------------------------------------------- */

static errno_t
room_for_group(struct inpcb *inp, struct in_moptions *mo)
{
	struct nke *machine = inp->inp_info->machine;
	unsigned room = mo->room != 0 ? mo->room * 2u : 4u;
	struct in_membership *groups;

	/* Those of interfaces that have gone make room first. */
	for (unsigned i = mo->count; i-- != 0;)
		if (mo->groups[i].inm->gone)
			leave(inp, &mo->groups[i]);
	if (mo->count >= IP_MAX_MEMBERSHIPS)
		return ETOOMANYREFS;
	if (mo->count < mo->room)
		return 0;
	groups = kalloc(machine, room * sizeof *groups);
	if (groups == NULL)
		return ENOBUFS;
	if (mo->count != 0)
		memcpy(groups, mo->groups, mo->count * sizeof *groups);
	kfree(machine, mo->groups);
	mo->groups = groups;
	mo->room = (uint16_t)room;
	return 0;
}

/* A sorted copy without doubles; how many are left is stored. The list is short. */
static union in_any *
sorted(struct nke *machine, const union in_any *sources, unsigned *count)
{
	union in_any *list = kalloc(machine, (*count != 0 ? *count : 1) * sizeof *list);
	unsigned n = 0;

	if (list == NULL)
		return NULL;
	for (unsigned i = 0; i < *count; i++) {
		unsigned at = n;

		while (at != 0 && memcmp(&list[at - 1], &sources[i], sizeof *list) > 0)
			at--;
		if (at != 0 && memcmp(&list[at - 1], &sources[i], sizeof *list) == 0)
			continue;
		memmove(&list[at + 1], &list[at], (n - at) * sizeof *list);
		list[at] = sources[i];
		n++;
	}
	*count = n;
	return list;
}

/* The driver is called, so the socket may be closed, or join by another thread, meanwhile. */
static errno_t
join(struct inpcb *inp, struct ifnet *ifp, sa_family_t family, const void *group,
    const struct in_wish *to)
{
	struct socket *so = inp->inp_socket;
	struct in_moptions *mo = in_moptions_get(inp);
	struct in_multi *inm;
	errno_t error;

	error = mo == NULL ? ENOBUFS : room_for_group(inp, mo);
	if (error == 0)
		error = in_multi_change(ifp, family, group, NULL, to, &inm);
	if (error != 0)
		return error;
	if (so->so_pcb != inp)
		error = EBADF;
	else if (in_mcast_find(inp, ifp, family, group) != NULL)
		error = EADDRINUSE;
	else
		error = room_for_group(inp, mo);
	if (error != 0) {
		give_up(inm, to);
		return error;
	}
	mo->groups[mo->count++] = (struct in_membership){
		.inm = inm, .mode = to->mode, .count = (uint16_t)to->count,
		.sources = (union in_any *)(uintptr_t)to->sources
	};
	return 0;
}

errno_t
in_mcast_set(struct inpcb *inp, struct ifnet *ifp, sa_family_t family, const void *group, uint8_t mode,
    const union in_any *sources, unsigned count)
{
	struct nke *machine = inp->inp_info->machine;
	struct in_membership *ms = in_mcast_find(inp, ifp, family, group);
	struct in_wish from, to = {.mode = mode};
	union in_any *list;
	errno_t error;

	if (mode == MCAST_INCLUDE && count == 0) {
		if (ms != NULL)
			leave(inp, ms);
		return 0;
	}
	if (count > IP_MAX_SOCK_SRC_FILTER)
		return ENOBUFS;
	list = sorted(machine, sources, &count);
	if (list == NULL)
		return ENOBUFS;
	to.count = count;
	to.sources = list;
	if (ms == NULL) {
		error = join(inp, ifp, family, group, &to);
	} else {
		/* The link layer has it already: nobody else is called. */
		from = (struct in_wish){.mode = ms->mode, .count = ms->count, .sources = ms->sources};
		error = in_multi_change(ifp, family, group, &from, &to, NULL);
		if (error == 0) {
			kfree(machine, ms->sources);
			ms->mode = mode;
			ms->count = (uint16_t)count;
			ms->sources = list;
		}
	}
	if (error != 0)
		kfree(machine, list);
	return error;
}
