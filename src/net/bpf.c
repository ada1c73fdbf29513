/*
 * BPF taps: link types of interfaces and who listens to them. An interface without any costs
 * drivers one comparison per packet. Each link type holds a reference to its interface until that
 * goes.
 */
#include "src/net/bpf_private.h"

#include "src/kern/gate.h"
#include "src/kern/heap.h"

#include <net/if_types.h>

struct bpf_listener {
	TAILQ_ENTRY(bpf_listener) link;
	uint32_t id;
	bool gone;			/* removed from within a tap: freed when that ends */
	bpf_listener_fn *fn;
	void *ctx;
};

struct bpf_if {
	struct bpf_if *next;		/* the interface's next link type */
	LIST_ENTRY(bpf_if) all;
	struct ifnet *ifp;
	uint32_t dlt, hdrlen;
	bpf_send_func send;		/* for writers that bring their own header; there are none yet */
	bpf_tap_func tap;
	struct kext *owner;
	TAILQ_HEAD(, bpf_listener) listeners;
	uint32_t tapping;		/* taps in progress */
	bool detached;
};

struct bpf_state {
	LIST_HEAD(, bpf_if) all;
	uint32_t last_id;
};

/* ---- link types --------------------------------------------------------------------------- */

static struct bpf_if *
find_link_type(const struct ifnet *ifp, uint32_t dlt)
{
	struct bpf_if *b;

	for (b = ifp->bpf; b != NULL; b = b->next)
		if (dlt == 0 || b->dlt == dlt)
			return b;
	return NULL;
}

/* DLT_NULL is 0 too, so equal types are looked for by themselves. */
static bool
has_link_type(const struct ifnet *ifp, uint32_t dlt)
{
	const struct bpf_if *b;

	for (b = ifp->bpf; b != NULL; b = b->next)
		if (b->dlt == dlt)
			return true;
	return false;
}

errno_t
bpf_add(struct ifnet *ifp, uint32_t dlt, uint32_t hdrlen, bpf_send_func send, bpf_tap_func tap,
    struct kext *owner)
{
	struct bpf_state *s = ifp->machine->bpf;
	struct bpf_if *b, **end = &ifp->bpf;

	if (has_link_type(ifp, dlt))
		return EEXIST;
	b = kalloc(ifp->machine, sizeof *b);
	if (b == NULL)
		return ENOMEM;
	b->ifp = ifp;
	b->dlt = dlt;
	b->hdrlen = hdrlen;
	b->send = send;
	b->tap = tap;
	b->owner = owner;
	TAILQ_INIT(&b->listeners);
	LIST_INSERT_HEAD(&s->all, b, all);
	/* Interface fact: Ethernet frames are an Ethernet interface's default, whatever came before. */
	if (!(dlt == DLT_EN10MB && ifp->type == IFT_ETHER))
		while (*end != NULL)
			end = &(*end)->next;
	b->next = *end;
	*end = b;
	ifp->refcount++;
	return 0;
}

static void
free_link_type(struct bpf_if *b)
{
	struct bpf_listener *l;

	while ((l = TAILQ_FIRST(&b->listeners)) != NULL) {
		TAILQ_REMOVE(&b->listeners, l, link);
		kfree(b->ifp->machine, l);
	}
	kfree(b->ifp->machine, b);
}

void
bpf_detach(struct ifnet *ifp)
{
	struct bpf_if *b;

	while ((b = ifp->bpf) != NULL) {
		ifp->bpf = b->next;
		LIST_REMOVE(b, all);
		b->detached = true;
		ifp->refcount--;
		if (b->tapping == 0)
			free_link_type(b);
	}
}

/* ---- listeners ---------------------------------------------------------------------------- */

static errno_t
tell_driver(struct bpf_if *b, bpf_tap_mode mode)
{
	errno_t error = 0;

	if (b->tap != NULL)
		GATE_CALL(b->owner, "bpf_tap", NULL, error = b->tap(b->ifp, b->dlt, mode));
	return error;
}

errno_t
bpf_listen(struct ifnet *ifp, uint32_t dlt, bpf_listener_fn *fn, void *ctx, uint32_t *id)
{
	struct bpf_if *b = find_link_type(ifp, dlt);
	struct bpf_listener *l;
	errno_t error = 0;

	if (b == NULL)
		return ENXIO;
	l = kalloc(ifp->machine, sizeof *l);
	if (l == NULL)
		return ENOMEM;
	b->tapping++;
	if (TAILQ_EMPTY(&b->listeners) && tell_driver(b, BPF_MODE_INPUT_OUTPUT) != 0)
		error = ENXIO;
	b->tapping--;
	if (error == 0 && b->detached)
		error = ENXIO;
	if (error != 0) {
		kfree(ifp->machine, l);
		if (b->detached && b->tapping == 0)
			free_link_type(b);
		return error;
	}
	l->id = *id = ++ifp->machine->bpf->last_id;
	l->fn = fn;
	l->ctx = ctx;
	TAILQ_INSERT_TAIL(&b->listeners, l, link);
	return 0;
}

/* Frees listeners that went during a tap; with the last one the driver may stop tapping. */
static void
sweep(struct bpf_if *b)
{
	struct bpf_listener *l, *next;
	bool any = false;

	if (b->tapping != 0)
		return;
	TAILQ_FOREACH_SAFE(l, &b->listeners, link, next) {
		if (!l->gone)
			continue;
		TAILQ_REMOVE(&b->listeners, l, link);
		kfree(b->ifp->machine, l);
		any = true;
	}
	if (b->detached)
		free_link_type(b);
	else if (any && TAILQ_EMPTY(&b->listeners))
		(void)tell_driver(b, BPF_MODE_DISABLED);
}

void
bpf_unlisten(struct nke *m, uint32_t id)
{
	struct bpf_listener *l;
	struct bpf_if *b;

	LIST_FOREACH(b, &m->bpf->all, all) {
		TAILQ_FOREACH(l, &b->listeners, link) {
			if (l->id != id || l->gone)
				continue;
			l->gone = true;
			sweep(b);
			return;
		}
	}
}

void
bpf_tap(struct ifnet *ifp, uint32_t dlt, bool outbound, const struct mbuf *m, const void *header,
    size_t header_len)
{
	struct bpf_if *b = find_link_type(ifp, dlt);
	struct bpf_packet packet;
	struct bpf_listener *l;

	if (b == NULL || TAILQ_EMPTY(&b->listeners))
		return;
	packet = (struct bpf_packet){.ifp = ifp, .dlt = b->dlt, .outbound = outbound,
	    .header = header, .header_len = header_len, .m = m};
	b->tapping++;
	TAILQ_FOREACH(l, &b->listeners, link)
		if (!l->gone)
			l->fn(l->ctx, &packet);
	b->tapping--;
	sweep(b);
}

/* ---- the subsystem ------------------------------------------------------------------------ */

static errno_t
bpf_init(struct nke *m)
{
	m->bpf = kalloc(m, sizeof *m->bpf);
	return m->bpf != NULL ? 0 : ENOMEM;
}

static void
bpf_fini(struct nke *m)
{
	m->bpf = NULL;
}

const struct subsystem bpf_subsystem = {
	.name = "bpf",
	.init = bpf_init,
	.fini = bpf_fini,
};
