/*
 * Life of an interface, first half: made, attached, found, referenced. dlil_detach.c has the other.
 *
 *	embryonic --dlil_attach--> attached --dlil_detach--> detaching --soft interrupt--> detached
 *
 * An interface's memory is never given back while the machine lives. A detached object stays in the
 * list of all objects and is made anew when an interface of the same family and unique id is
 * wanted: same pointer, same index, and the link-level multicast memberships it had. Holders of
 * stale pointers therefore see the new one, as on a Mac. So the reference count decides nothing but
 * whether an interface that was never attached may be recycled.
 */
#include <string.h>

#include "dlil/dlil_state.h"
#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/klog.h"
#include "src/kern/panic.h"
#include "src/net/ifaddr.h"

#define IFNET_INDEX_MAX	0xffffu		/* sdl_index has 16 bits */

static bool
same_id(const struct ifnet *ifp, ifnet_family_t family, const void *id, size_t len)
{
	return ifp->family == family && len != 0 && ifp->unique_id_len == len &&
	    memcmp(ifp->unique_id, id, len) == 0;
}

/* EBUSY: taken; 0 and *out: an object to be made anew, NULL when there is none. */
static errno_t
find_recyclable(struct dlil_state *s, const struct ifnet_init_params *p, const void *id, size_t len,
    struct ifnet **out)
{
	struct ifnet *ifp;

	*out = NULL;
	TAILQ_FOREACH(ifp, &s->all, all) {
		bool same = same_id(ifp, p->family, id, len);

		if (ifp->state == IFNET_DETACHED) {
			if (same && *out == NULL)
				*out = ifp;
		} else if (same || (ifp->family == p->family && ifp->unit == p->unit &&
		    strcmp(ifp->name, p->name) == 0)) {
			return EBUSY;
		}
	}
	return 0;
}

static errno_t
new_object(struct nke *m, const void *id, size_t len, struct ifnet **out)
{
	struct ifnet *ifp = kalloc(m, sizeof *ifp);

	if (ifp == NULL)
		return ENOMEM;
	if (len != 0) {
		ifp->unique_id = kalloc(m, len);
		if (ifp->unique_id == NULL) {
			kfree(m, ifp);
			return ENOMEM;
		}
		memcpy(ifp->unique_id, id, len);
	}
	ifp->unique_id_len = len;
	TAILQ_INIT(&ifp->multicast);
	LIST_INIT(&ifp->kext_refs);
	TAILQ_INSERT_TAIL(&m->dlil->all, ifp, all);
	*out = ifp;
	return 0;
}

/* Everything as in a new object, but what outlives an incarnation. */
static void
renew_object(struct ifnet *ifp)
{
	struct ifnet old = *ifp;

	memset(ifp, 0, sizeof *ifp);
	ifp->all = old.all;
	ifp->refcount = old.refcount;
	ifp->io_refs = old.io_refs;	/* a call into the old driver may sleep still */
	ifp->index = old.index;
	ifp->unique_id = old.unique_id;
	ifp->unique_id_len = old.unique_id_len;
	ifp->proto_seq = old.proto_seq;
	ifp->kext_refs = old.kext_refs;
	ifp->multicast = old.multicast;
	if (TAILQ_EMPTY(&ifp->multicast))
		TAILQ_INIT(&ifp->multicast);
}

static errno_t
no_ioctl(struct ifnet *ifp, unsigned long command, void *argument)
{
	(void)ifp;
	(void)command;
	(void)argument;
	return EOPNOTSUPP;
}

static void
fill_in(struct ifnet *ifp, struct nke *m, const struct ifnet_init_params *p, struct kext *owner)
{
	ifp->machine = m;
	ifp->owner = owner;
	ifp->state = IFNET_EMBRYONIC;
	strlcpy(ifp->name, p->name, sizeof ifp->name);
	ksnprintf(ifp->xname, sizeof ifp->xname, "%s%u", p->name, p->unit);
	ifp->unit = p->unit;
	ifp->family = p->family;
	ifp->type = (uint8_t)p->type;
	ifp->softc = p->softc;
	ifp->output = p->output;
	ifp->demux = p->demux;
	ifp->add_proto = p->add_proto;
	ifp->del_proto = p->del_proto;
	ifp->framer = p->framer;
	ifp->ioctl = p->ioctl != NULL ? p->ioctl : no_ioctl;
	ifp->detach = p->detach;
	ifp->event = p->event;
	ifp->check_multi = p->check_multi;
	ifp->set_bpf_tap = p->set_bpf_tap;
	if (p->broadcast_addr != NULL) {
		memcpy(ifp->broadcast, p->broadcast_addr, p->broadcast_len);
		ifp->broadcast_len = (uint8_t)p->broadcast_len;
	}
	TAILQ_INIT(&ifp->addresses);
	TAILQ_INIT(&ifp->protos);
	TAILQ_INIT(&ifp->filters);
	softintr_init(&ifp->input_intr, m, dlil_input_intr, ifp);
	softintr_init(&ifp->detach_intr, m, dlil_detach_finish, ifp);
}

errno_t
dlil_allocate(struct nke *m, const struct ifnet_init_params *p, struct kext *owner,
    struct ifnet **out)
{
	char xname[IFNET_XNAMSIZ];
	struct ifnet *ifp;
	const void *id = p->uniqueid;
	size_t id_len = p->uniqueid_len;
	errno_t error;

	if (p->family == 0 || p->name == NULL || strlen(p->name) >= IFNAMSIZ || p->type == 0 ||
	    p->type > 255 || p->output == NULL ||
	    (p->broadcast_addr != NULL && p->broadcast_len > IFNET_LLADDR_MAX))
		return EINVAL;
	if (id == NULL) {
		id = xname;
		id_len = (size_t)ksnprintf(xname, sizeof xname, "%s%u", p->name, p->unit);
	}
	error = find_recyclable(m->dlil, p, id, id_len, &ifp);
	if (error == 0 && ifp == NULL)
		error = new_object(m, id, id_len, &ifp);
	else if (error == 0)
		renew_object(ifp);
	if (error != 0)
		return error;
	fill_in(ifp, m, p, owner);
	ifnet_retain(ifp);
	*out = ifp;
	return 0;
}

/* Back to where dlil_allocate finds it. The media's table goes; what renew_object keeps stays. */
void
dlil_recycle(struct ifnet *ifp)
{
	kfree(ifp->machine, ifp->media);
	ifp->media = NULL;
	ifp->owner = NULL;
	ifp->host = NULL;
	ifp->state = IFNET_DETACHED;
	ledger_strike(ifp->machine, &ifp->ledger);
}

/* ---- attach ------------------------------------------------------------------------------- */

static errno_t
attach_checks(struct ifnet *ifp, const struct sockaddr_dl *ll)
{
	if (ifp == NULL)
		return EINVAL;
	if (ifp->state == IFNET_ATTACHING || ifp->state == IFNET_ATTACHED)
		return EEXIST;
	KASSERTX(ifp->state == IFNET_EMBRYONIC, "ifnet_attach: %s has been detached; an interface can "
	    "be attached once, allocate a new one", ifp->xname);
	if (ll != NULL) {
		if (ll->sdl_alen > IFNET_LLADDR_MAX)
			return EINVAL;
		if (ifp->addrlen == 0)
			ifp->addrlen = ll->sdl_alen;
		else if (ifp->addrlen != ll->sdl_alen)
			return EINVAL;
	}
	return ifp->add_proto == NULL || ifp->del_proto == NULL ? ENODEV : 0;
}

static errno_t
assign_index(struct ifnet *ifp)
{
	struct dlil_state *s = ifp->machine->dlil;

	if (ifp->index != 0)
		return 0;
	if (s->last_index == IFNET_INDEX_MAX)
		return ENOBUFS;
	ifp->index = ++s->last_index;
	return 0;
}

static bool
has_link_multicast(const struct ifnet *ifp)
{
	const struct ifmultiaddr *ifma;

	TAILQ_FOREACH(ifma, &ifp->multicast, link)
		if (ifma->addr.ss_family == AF_LINK)
			return true;
	return false;
}

errno_t
dlil_attach(struct ifnet *ifp, const struct sockaddr_dl *ll)
{
	errno_t error;

	if ((error = attach_checks(ifp, ll)) != 0)
		return error;
	if ((error = assign_index(ifp)) != 0)
		return error;
	error = ifaddr_add_link(ifp, ll != NULL ? CONST_LLADDR(ll) : NULL,
	    ll != NULL ? ll->sdl_alen : 0);
	if (error != 0)
		return ENOBUFS;
	memset(&ifp->stats, 0, sizeof ifp->stats);
	ifp->state = IFNET_ATTACHING;
	ifp->lastchange = machine_now(ifp->machine);
	TAILQ_INSERT_TAIL(&ifp->machine->dlil->attached, ifp, link);
	ifnet_retain(ifp);
	ifp->multicast_suspended = has_link_multicast(ifp);
	ifp->state = IFNET_ATTACHED;
	dlil_post_event(ifp, KEV_DL_SUBCLASS, KEV_DL_IF_ATTACHED, NULL, 0, false);
	return 0;
}

errno_t
dlil_set_lladdr(struct ifnet *ifp, const void *lladdr, size_t len)
{
	struct ifaddr *ifa;

	if ((len != 0 && len != ifp->addrlen) || (len != 0 && lladdr == NULL))
		return EINVAL;
	ifa = ifaddr_link(ifp);
	if (ifa == NULL)
		return ENXIO;
	ifaddr_set_link(ifa, lladdr, len);
	dlil_post_event(ifp, KEV_DL_SUBCLASS, KEV_DL_LINK_ADDRESS_CHANGED, NULL, 0, false);
	return 0;
}

/* ---- references and lookup ---------------------------------------------------------------- */

void
ifnet_retain(struct ifnet *ifp)
{
	ifp->refcount++;
}

void
ifnet_drop(struct ifnet *ifp)
{
	KASSERTX(ifp->refcount != 0, "ifnet_release: %s is released more often than referenced",
	    ifp->xname);
	if (--ifp->refcount == 0 && ifp->state == IFNET_EMBRYONIC)
		dlil_recycle(ifp);
}

struct ifnet *
dlil_find_by_name(struct nke *m, const char *name)
{
	struct ifnet *ifp;

	TAILQ_FOREACH(ifp, &m->dlil->attached, link)
		if (strcmp(ifp->xname, name) == 0)
			return ifp;
	return NULL;
}

struct ifnet *
dlil_find_by_index(struct nke *m, uint32_t index)
{
	struct ifnet *ifp;

	TAILQ_FOREACH(ifp, &m->dlil->attached, link)
		if (ifp->index == index)
			return ifp;
	return NULL;
}
