/*
 * Protocols on interfaces: attaching, detaching, and the plumbers that do it for IPv4 and IPv6.
 *
 * A protocol's record is counted: one reference while attached, one per call of its functions in
 * progress. Detaching replaces the functions by ones that refuse; when the last reference goes the
 * protocol is told, and the interface goes down with its last protocol. Interface facts all.
 */
#include <string.h>
#include <sys/sockio.h>

#include "dlil/dlil_state.h"
#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/klog.h"

/* ---- functions of a protocol that was detached while a call was in progress --------------- */

static errno_t
gone_input(struct ifnet *ifp, protocol_family_t family, struct mbuf *m, char *header)
{
	(void)ifp;
	(void)family;
	(void)m;
	(void)header;
	return ENXIO;
}

static errno_t
gone_input_v2(struct ifnet *ifp, protocol_family_t family, struct mbuf *m)
{
	(void)ifp;
	(void)family;
	(void)m;
	return ENXIO;
}

static errno_t
gone_pre_output(struct ifnet *ifp, protocol_family_t family, struct mbuf **m,
    const struct sockaddr *dst, void *route, char *frame_type, char *lladdr)
{
	(void)ifp;
	(void)family;
	(void)m;
	(void)dst;
	(void)route;
	(void)frame_type;
	(void)lladdr;
	return ENXIO;
}

static errno_t
gone_ioctl(struct ifnet *ifp, protocol_family_t family, unsigned long command, void *argument)
{
	(void)ifp;
	(void)family;
	(void)command;
	(void)argument;
	return ENXIO;
}

static errno_t
gone_resolve(struct ifnet *ifp, const struct sockaddr *addr, struct sockaddr_dl *ll, size_t len)
{
	(void)ifp;
	(void)addr;
	(void)ll;
	(void)len;
	return ENXIO;
}

/* ---- records ------------------------------------------------------------------------------ */

struct if_proto *
dlil_find_proto(struct ifnet *ifp, protocol_family_t family)
{
	struct if_proto *p;

	if (family == PF_INET)
		return ifp->proto_inet;
	if (family == PF_INET6)
		return ifp->proto_inet6;
	TAILQ_FOREACH(p, &ifp->protos, link)
		if (p->family == family)
			return p;
	return NULL;
}

uint32_t
dlil_proto_count(const struct ifnet *ifp)
{
	const struct if_proto *p;
	uint32_t n = 0;

	TAILQ_FOREACH(p, &ifp->protos, link)
		n++;
	return n;
}

static void
set_shortcut(struct ifnet *ifp, protocol_family_t family, struct if_proto *p)
{
	if (family == PF_INET)
		ifp->proto_inet = p;
	else if (family == PF_INET6)
		ifp->proto_inet6 = p;
}

static void
post_proto_event(struct ifnet *ifp, uint32_t code, protocol_family_t family)
{
	uint32_t extra[2] = {family, dlil_proto_count(ifp)};

	dlil_post_event(ifp, KEV_DL_SUBCLASS, code, extra, sizeof extra, false);
}

/* The first protocol brings an interface up and the last takes it down; the driver hears it. */
static void
change_up(struct ifnet *ifp, bool up)
{
	(void)dlil_set_flags(ifp, up ? IFF_UP : 0, IFF_UP);
	(void)dlil_tell_flags(ifp);
	dlil_post_event(ifp, KEV_DL_SUBCLASS, KEV_DL_SIFFLAGS, NULL, 0, true);
}

void
dlil_proto_last(struct if_proto *p)
{
	struct ifnet *ifp = p->ifp;
	protocol_family_t family = p->family;

	if (p->watches)
		ifp->machine->filter_count--;
	if (p->detached_fn != NULL)
		GATE_CALL(p->owner, "proto_detached", NULL, p->detached_fn(ifp, family));
	ledger_strike(ifp->machine, &p->ledger);
	kfree(ifp->machine, p);
	post_proto_event(ifp, KEV_DL_PROTO_DETACHED, family);
	if (TAILQ_EMPTY(&ifp->protos))
		change_up(ifp, false);
}

/* ---- attach and detach -------------------------------------------------------------------- */

static errno_t
add_to_media(struct ifnet *ifp, protocol_family_t family, const struct ifnet_demux_desc *descs,
    uint32_t count)
{
	errno_t error;

	GATE_CALL_ABOUT(ifp->owner, "if_add_proto", ifp, NULL,
	    error = ifp->add_proto(ifp, family, descs, count));
	return error;
}

static void
delete_from_media(struct ifnet *ifp, protocol_family_t family)
{
	GATE_CALL_ABOUT(ifp->owner, "if_del_proto", ifp, NULL, (void)ifp->del_proto(ifp, family));
}

static struct if_proto *
new_record(struct ifnet *ifp, protocol_family_t family, const struct if_proto *params)
{
	struct if_proto *p = kalloc(ifp->machine, sizeof *p);

	if (p == NULL)
		return NULL;
	*p = *params;
	memset(&p->ledger, 0, sizeof p->ledger);
	p->ifp = ifp;
	p->family = family;
	p->refcount = 1;
	p->detached = false;
	p->seq = ++ifp->proto_seq;
	return p;
}

errno_t
dlil_attach_proto(struct ifnet *ifp, protocol_family_t family, const struct if_proto *params,
    const struct ifnet_demux_desc *descs, uint32_t count)
{
	struct if_proto *p;
	errno_t error;

	if (!ifnet_io_begin(ifp))
		return ENXIO;
	p = new_record(ifp, family, params);
	error = p == NULL ? ENOMEM : 0;
	if (error == 0 && dlil_find_proto(ifp, family) != NULL)
		error = EEXIST;
	if (error == 0)
		error = add_to_media(ifp, family, descs, count);
	if (error == 0 && dlil_find_proto(ifp, family) != NULL) {
		/* Another thread was faster while the driver slept; the driver has one entry for both. */
		error = EEXIST;
	} else if (error == 0 && ifp->state != IFNET_ATTACHED) {
		/* The driver detached its interface in there. */
		delete_from_media(ifp, family);
		error = ENXIO;
	}
	if (error != 0) {
		kfree(ifp->machine, p);
		goto out;
	}
	TAILQ_INSERT_TAIL(&ifp->protos, p, link);
	set_shortcut(ifp, family, p);
	p->watches = !p->core;
	if (p->watches)
		ifp->machine->filter_count++;
	post_proto_event(ifp, KEV_DL_PROTO_ATTACHED, family);
	change_up(ifp, true);
out:
	ifnet_io_end(ifp);
	return error;
}

static void
refuse_calls(struct if_proto *p)
{
	p->detached = true;
	p->core = false;
	p->input = gone_input;
	p->input_v2 = gone_input_v2;
	p->pre_output = gone_pre_output;
	p->event = NULL;
	p->ioctl = gone_ioctl;
	p->resolve_multi = gone_resolve;
	p->send_arp = NULL;
}

errno_t
dlil_detach_proto(struct ifnet *ifp, protocol_family_t family)
{
	struct if_proto *p = dlil_find_proto(ifp, family);

	if (p == NULL)
		return ENXIO;
	dlil_proto_retain(p);
	ifp->io_refs++;
	delete_from_media(ifp, family);
	/* The driver may have detached it meanwhile. */
	if (!p->detached) {
		refuse_calls(p);
		TAILQ_REMOVE(&ifp->protos, p, link);
		set_shortcut(ifp, family, NULL);
		dlil_proto_release(p);
	}
	dlil_proto_release(p);
	ifnet_io_end(ifp);
	return 0;
}

errno_t
dlil_send_arp(struct ifnet *ifp, u_short op, const struct sockaddr_dl *sender_hw,
    const struct sockaddr *sender_proto, const struct sockaddr_dl *target_hw,
    const struct sockaddr *target_proto)
{
	struct if_proto *p;
	errno_t error;

	if (!ifnet_io_begin(ifp))
		return ENXIO;
	p = dlil_find_proto(ifp, PF_INET);
	if (p == NULL) {
		error = ENXIO;
	} else if (p->send_arp == NULL) {
		error = EOPNOTSUPP;
	} else {
		dlil_proto_retain(p);
		GATE_CALL(p->core ? NULL : p->owner, "proto_send_arp", NULL, error = p->send_arp(ifp, op,
		    sender_hw, sender_proto, target_hw, target_proto));
		dlil_proto_release(p);
	}
	ifnet_io_end(ifp);
	return error;
}

/* ---- plumbers ----------------------------------------------------------------------------- */

static struct plumber *
find_plumber(struct nke *m, protocol_family_t family, ifnet_family_t if_family)
{
	struct plumber *pl;

	TAILQ_FOREACH(pl, &m->dlil->plumbers, link)
		if (pl->family == family && pl->if_family == (if_family & 0xffff))
			return pl;
	return NULL;
}

static void
plumber_done(struct nke *m, struct plumber *pl)
{
	if (--pl->calls == 0 && pl->removed) {
		ledger_strike(m, &pl->ledger);
		kfree(m, pl);
	}
}

errno_t
dlil_register_plumber(struct nke *m, protocol_family_t family, ifnet_family_t if_family,
    proto_plumb_handler plumb, proto_unplumb_handler unplumb, struct kext *owner, void *pc)
{
	struct plumber *pl;

	if (plumb == NULL)
		return EINVAL;
	if (find_plumber(m, family, if_family) != NULL)
		return EEXIST;
	pl = kalloc(m, sizeof *pl);
	if (pl == NULL)
		return ENOMEM;
	pl->family = family;
	pl->if_family = if_family & 0xffff;	/* interface fact: 16 bits are compared */
	pl->plumb = plumb;
	pl->unplumb = unplumb;
	pl->owner = owner;
	ledger_enter_for(m, owner, &pl->ledger, LEDGER_PLUMBER, pc);
	TAILQ_INSERT_TAIL(&m->dlil->plumbers, pl, link);
	return 0;
}

void
dlil_unregister_plumber(struct nke *m, protocol_family_t family, ifnet_family_t if_family)
{
	struct plumber *pl = find_plumber(m, family, if_family);

	if (pl == NULL)
		return;
	TAILQ_REMOVE(&m->dlil->plumbers, pl, link);
	pl->removed = true;
	pl->calls++;
	plumber_done(m, pl);
}

errno_t
dlil_plumb(struct ifnet *ifp, protocol_family_t family)
{
	struct nke *m = ifp->machine;
	struct plumber *pl;
	errno_t error;

	if (dlil_find_proto(ifp, family) != NULL)
		return EEXIST;
	pl = find_plumber(m, family, ifp->family);
	if (pl == NULL) {
		klog(m, 4, "cannot plumb protocol %u on %s: nobody registered for interface family %u",
		    family, ifp->xname, ifp->family);
		return ENXIO;
	}
	pl->calls++;
	GATE_CALL(pl->owner, "proto_plumb", NULL, error = pl->plumb(ifp, family));
	plumber_done(m, pl);
	return error;
}

errno_t
dlil_unplumb(struct ifnet *ifp, protocol_family_t family)
{
	struct nke *m = ifp->machine;
	struct plumber *pl = find_plumber(m, family, ifp->family);

	if (pl == NULL || pl->unplumb == NULL)
		return dlil_detach_proto(ifp, family);
	pl->calls++;
	GATE_CALL(pl->owner, "proto_unplumb", NULL, pl->unplumb(ifp, family));
	plumber_done(m, pl);
	return 0;
}
