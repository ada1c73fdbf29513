/*
 * Multicast memberships of an interface. Link records (AF_LINK) are what the driver listens to;
 * protocol records (IPv4, IPv6 groups) own the link record that their group resolves to. Joins by
 * link address (from kexts and ioctls) and by protocols are counted apart. The driver is told by
 * SIOCADDMULTI and SIOCDELMULTI when a link record really comes or goes, and reads the list.
 *
 * Link records outlive their interface: an object that is made anew has them still, and its driver
 * is told at the first packet.
 */
#include <string.h>
#include <sys/sockio.h>

#include "dlil/dlil_state.h"
#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/net/rtable.h"

#define SDL_DATA	__builtin_offsetof(struct sockaddr_dl, sdl_data)

/* ---- records ------------------------------------------------------------------------------ */

void
ifmultiaddr_retain(struct ifmultiaddr *ifma)
{
	ifma->refcount++;
}

void
ifmultiaddr_drop(struct ifmultiaddr *ifma)
{
	if (--ifma->refcount != 0)
		return;
	if (ifma->ll != NULL)
		ifmultiaddr_drop(ifma->ll);
	kfree(ifma->ifp->machine, ifma);
}

/*
 * Copies an address; a link address loses its name and index, so that equal ones have equal bytes.
 */
static errno_t
normalise(const struct sockaddr *sa, struct sockaddr_storage *ss)
{
	struct sockaddr_dl *out = (struct sockaddr_dl *)(void *)ss;
	const struct sockaddr_dl *sdl = (const struct sockaddr_dl *)(const void *)sa;
	const uint8_t *bytes;
	size_t n;

	memset(ss, 0, sizeof *ss);
	if (sa->sa_family == AF_UNSPEC) {
		if (sa->sa_len < 2 + 6)
			return EINVAL;
		bytes = (const uint8_t *)sa->sa_data;
		n = 6;
	} else if (sa->sa_family == AF_LINK) {
		if (sa->sa_len < SDL_DATA || sdl->sdl_alen == 0 ||
		    SDL_DATA + sdl->sdl_nlen + sdl->sdl_alen > sa->sa_len || sa->sa_len > sizeof *ss)
			return EINVAL;
		bytes = CONST_LLADDR(sdl);
		n = sdl->sdl_alen;
	} else {
		if (sa->sa_len < 2 || sa->sa_len > sizeof *ss)
			return EINVAL;
		memcpy(ss, sa, sa->sa_len);
		return 0;
	}
	if (SDL_DATA + n > sizeof *ss)
		return EINVAL;
	out->sdl_len = (u_char)(SDL_DATA + n < sizeof *out ? sizeof *out : SDL_DATA + n);
	out->sdl_family = AF_LINK;
	out->sdl_alen = (u_char)n;
	memcpy((uint8_t *)ss + SDL_DATA, bytes, n);
	return 0;
}

struct ifmultiaddr *
dlil_multicast_find(struct ifnet *ifp, const struct sockaddr *sa)
{
	struct sockaddr_storage ss;
	struct ifmultiaddr *ifma;

	if (normalise(sa, &ss) != 0)
		return NULL;
	TAILQ_FOREACH(ifma, &ifp->multicast, link)
		if (ifma->addr.ss_len == ss.ss_len && memcmp(&ifma->addr, &ss, ss.ss_len) == 0)
			return ifma;
	return NULL;
}

static struct ifmultiaddr *
new_record(struct ifnet *ifp, const struct sockaddr_storage *ss)
{
	struct ifmultiaddr *ifma = kalloc(ifp->machine, sizeof *ifma);

	if (ifma == NULL)
		return NULL;
	ifma->ifp = ifp;
	ifma->refcount = 1;
	ifma->addr = *ss;
	return ifma;
}

static void
link_in(struct ifmultiaddr *ifma)
{
	ifma->attached = true;
	TAILQ_INSERT_TAIL(&ifma->ifp->multicast, ifma, link);
	if (ifma->addr.ss_family == AF_LINK)
		(void)dlil_ioctl(ifma->ifp, 0, SIOCADDMULTI, NULL);
}

static void
link_out(struct ifmultiaddr *ifma)
{
	struct ifnet *ifp = ifma->ifp;
	bool is_link = ifma->addr.ss_family == AF_LINK;

	ifma->attached = false;
	TAILQ_REMOVE(&ifp->multicast, ifma, link);
	ifmultiaddr_drop(ifma);
	if (is_link)
		(void)dlil_ioctl(ifp, 0, SIOCDELMULTI, NULL);
}

/* ---- resolving ---------------------------------------------------------------------------- */

errno_t
dlil_resolve_multicast(struct ifnet *ifp, const struct sockaddr *sa, struct sockaddr *ll,
    size_t ll_len)
{
	struct if_proto *p;
	errno_t error = EOPNOTSUPP;

	memset(ll, 0, ll_len);
	if (!ifnet_io_begin(ifp))
		return EOPNOTSUPP;
	p = dlil_find_proto(ifp, sa->sa_family);
	if (p != NULL && p->resolve_multi != NULL) {
		dlil_proto_retain(p);
		GATE_CALL(p->owner, "proto_resolve_multi", NULL,
		    error = p->resolve_multi(ifp, sa, (struct sockaddr_dl *)(void *)ll, ll_len));
		dlil_proto_release(p);
	}
	if ((error == 0 || error == EOPNOTSUPP) && ifp->check_multi != NULL) {
		const struct sockaddr *checked = error == 0 ? ll : sa;

		GATE_CALL_ABOUT(ifp->owner, "if_check_multi", ifp, NULL,
		    error = ifp->check_multi(ifp, checked));
	}
	ifnet_io_end(ifp);
	return error;
}

/* ---- joining and leaving ------------------------------------------------------------------ */

/* The link record for a protocol record; counted as the protocol's. */
static errno_t
join_link_for_protocol(struct ifnet *ifp, const struct sockaddr_storage *ll,
    struct ifmultiaddr **out)
{
	struct sockaddr_storage ss;
	struct ifmultiaddr *ifma;
	errno_t error;

	*out = NULL;
	if (ll->ss_len == 0)
		return 0;
	error = normalise((const struct sockaddr *)(const void *)ll, &ss);
	if (error != 0)
		return error;
	ifma = dlil_multicast_find(ifp, (const struct sockaddr *)(const void *)&ss);
	if (ifma == NULL) {
		ifma = new_record(ifp, &ss);
		if (ifma == NULL)
			return ENOMEM;
		ifma->protocol_refs = 1;
		ifmultiaddr_retain(ifma);
		link_in(ifma);
	} else {
		ifma->protocol_refs++;
		ifmultiaddr_retain(ifma);
	}
	*out = ifma;
	return 0;
}

/* One more join of a record; the reference is the caller's. */
static struct ifmultiaddr *
join_again(struct ifmultiaddr *ifma)
{
	ifma->anonymous++;
	ifmultiaddr_retain(ifma);
	return ifma;
}

/* The first join of a group. */
static errno_t
join_new(struct ifnet *ifp, const struct sockaddr_storage *ss, struct ifmultiaddr **out)
{
	const struct sockaddr *sa = (const struct sockaddr *)(const void *)ss;
	struct sockaddr_storage ll;
	struct ifmultiaddr *ifma;
	errno_t error;

	error = dlil_resolve_multicast(ifp, sa, (struct sockaddr *)(void *)&ll, sizeof ll);
	if (error != 0 && error != EOPNOTSUPP)
		return error;
	/* Another thread may have joined it while the driver was asked. */
	ifma = dlil_multicast_find(ifp, sa);
	if (ifma != NULL) {
		*out = join_again(ifma);
		return 0;
	}
	ifma = new_record(ifp, ss);
	if (ifma == NULL)
		return ENOMEM;
	if (ss->ss_family != AF_LINK && error == 0 &&
	    (error = join_link_for_protocol(ifp, &ll, &ifma->ll)) != 0) {
		kfree(ifp->machine, ifma);
		return error;
	}
	*out = join_again(ifma);
	link_in(ifma);
	rt_tell_multicast(ifma, RTM_NEWMADDR);
	return 0;
}

errno_t
dlil_multicast_join(struct ifnet *ifp, const struct sockaddr *sa, struct ifmultiaddr **out)
{
	struct sockaddr_storage ss;
	struct ifmultiaddr *ifma;
	errno_t error;

	if ((error = normalise(sa, &ss)) != 0)
		return error;
	if (!(ifp->flags & IFF_MULTICAST))
		return EADDRNOTAVAIL;
	ifma = dlil_multicast_find(ifp, (const struct sockaddr *)(const void *)&ss);
	if (ifma != NULL)
		(void)join_again(ifma);
	else if ((error = join_new(ifp, &ss, &ifma)) != 0)
		return error;
	if (out != NULL)
		*out = ifma;
	else
		ifmultiaddr_drop(ifma);
	return 0;
}

static void
leave_link_of(struct ifmultiaddr *ifma)
{
	struct ifmultiaddr *ll = ifma->ll;

	if (ll == NULL || --ll->protocol_refs != 0 || ll->anonymous != 0 || !ll->attached)
		return;
	link_out(ll);
}

errno_t
dlil_multicast_leave(struct ifmultiaddr *ifma)
{
	if (!ifma->attached || ifma->anonymous == 0)
		return ENOENT;
	if (--ifma->anonymous != 0 || ifma->protocol_refs != 0)
		return 0;
	ifmultiaddr_retain(ifma);
	link_out(ifma);
	rt_tell_multicast(ifma, RTM_DELMADDR);
	leave_link_of(ifma);
	ifmultiaddr_drop(ifma);
	return 0;
}

/* ---- the interface goes and comes back ---------------------------------------------------- */

static struct ifmultiaddr *
first_protocol_record(struct ifnet *ifp)
{
	struct ifmultiaddr *ifma;

	TAILQ_FOREACH(ifma, &ifp->multicast, link)
		if (ifma->addr.ss_family != AF_LINK)
			return ifma;
	return NULL;
}

void
dlil_multicast_purge(struct ifnet *ifp)
{
	struct ifmultiaddr *ifma;

	while ((ifma = first_protocol_record(ifp)) != NULL) {
		ifmultiaddr_retain(ifma);
		link_out(ifma);
		rt_tell_multicast(ifma, RTM_DELMADDR);
		leave_link_of(ifma);
		ifmultiaddr_drop(ifma);
	}
}

void
dlil_multicast_restore(struct ifnet *ifp)
{
	ifp->multicast_suspended = false;
	(void)dlil_ioctl(ifp, 0, SIOCADDMULTI, NULL);
}
