/*
 * Wires between interfaces of the machines of one world, and switches among many: plugging, unplugging,
 * settings. Made by the host (wirecalls.h); an interface sends through wire_output(). What happens to a
 * frame on its way is in wire_way.c, where it goes in wire_switch.c.
 */
#include <string.h>

#include "dlil/dlil_state.h"
#include "src/kern/heap.h"
#include "src/kern/prng.h"

/* ---- sending ------------------------------------------------------------------------------ */

uint64_t
wire_random(struct wire *w, uint64_t below)
{
	return (uint64_t)((unsigned __int128)prng_next(w->prng) * below >> 64);
}

errno_t
wire_output(struct wire_end *from, struct mbuf *m)
{
	struct wire *w = from->wire;
	struct wire_end *e, *only = w->is_switch ? switch_lookup(w, from, m) : NULL;
	size_t len = (size_t)m->m_pkthdr.len;

	if (from->params.down) {
		from->stats.no_carrier++;
	} else if (only != NULL) {
		if (only != from)
			wire_way_send(only, m, len);
	} else {
		TAILQ_FOREACH(e, &w->ends, link)
			if (e != from)
				wire_way_send(e, m, len);
	}
	m_freem(m);
	return 0;
}

/* ---- ends --------------------------------------------------------------------------------- */

static struct wire_end *
end_of(const struct wire *w, const struct ifnet *ifp)
{
	struct wire_end *e;

	TAILQ_FOREACH(e, &w->ends, link)
		if (e->ifp == ifp)
			return e;
	return NULL;
}

/* As the end's machine. Interfaces have a carrier while their wire is there and not down. */
static void
carrier(struct wire_end *e, bool on)
{
	e->ifp->offload_unwatched = !on ? 0 : e->wire->params.offload ? HOST_IFACE_OFFLOAD :
	    HOST_IFACE_SUMS;
	host_iface_carrier(e->ifp, on);
}

static errno_t
plug(struct wire *w, struct ifnet *ifp)
{
	struct wire_end *e;

	if (end_of(w, ifp) != NULL)
		return EEXIST;
	if (!w->is_switch && w->count == 2)
		return EBUSY;
	e = kalloc(ifp->machine, sizeof *e);
	if (e == NULL)
		return ENOMEM;
	e->wire = w;
	e->ifp = ifp;
	e->machine = ifp->machine;
	wire_way_init(e);
	if (host_iface_plug(ifp, e) != 0) {
		kfree(ifp->machine, e);
		return EEXIST;
	}
	TAILQ_INSERT_TAIL(&w->ends, e, link);
	LIST_INSERT_HEAD(&e->machine->dlil->wire_ends, e, machine_link);
	w->count++;
	carrier(e, !e->params.down);
	return 0;
}

void
wire_unplug(struct wire_end *e)
{
	struct wire *w = e->wire;

	(void)host_iface_plug(e->ifp, NULL);
	softintr_cancel(&e->input);
	callout_drain(&e->timer);
	wire_way_empty(e);
	if (w->is_switch)
		switch_forget(w, e);
	TAILQ_REMOVE(&w->ends, e, link);
	LIST_REMOVE(e, machine_link);
	w->count--;
	kfree(e->machine, e);
}

/* ---- calls of the host -------------------------------------------------------------------- */

struct call {
	struct wire *wire;
	struct wire_end *end;
	struct ifnet *ifp;
	const struct core_wire_params *params;
	core_wire_tap *tap;
	void *tap_ctx;
	errno_t error;
};

int
wire_create(struct world *world, bool is_switch, uint64_t seed, const struct core_wire_params *p,
    struct wire **out)
{
	size_t size = sizeof(struct wire) + (is_switch ? SWITCH_ENTRIES * sizeof(struct switch_entry) : 0);
	struct wire *w = hc_alloc(size);

	if (w == NULL)
		return ENOMEM;
	memset(w, 0, size);
	TAILQ_INIT(&w->ends);
	w->world = world;
	w->is_switch = is_switch;
	w->params = *p;
	prng_seed(w->prng, seed);
	*out = w;
	return 0;
}

static void
do_destroy_end(void *arg)
{
	struct wire_end *e = arg;

	carrier(e, false);
	wire_unplug(e);
}

/* Its machine has panicked, and takes the memory with it. */
static void
forget(struct wire_end *e)
{
	(void)host_iface_plug(e->ifp, NULL);
	TAILQ_REMOVE(&e->wire->ends, e, link);
	LIST_REMOVE(e, machine_link);
}

void
wire_destroy(struct wire *w)
{
	struct wire_end *e;

	while ((e = TAILQ_FIRST(&w->ends)) != NULL)
		if (machine_call(e->machine, do_destroy_end, e) != 0)
			forget(e);
	hc_free(w);
}

static void
do_plug(void *arg)
{
	struct call *c = arg;

	c->error = plug(c->wire, c->ifp);
}

int
wire_plug(struct wire *w, struct nke *m, struct ifnet *ifp)
{
	struct call c = {.wire = w, .ifp = ifp};
	int error;

	if (m->world != w->world)
		return EINVAL;
	error = machine_call(m, do_plug, &c);
	return error != 0 ? error : c.error;
}

static void
do_configure(void *arg)
{
	struct call *c = arg;

	wire_way_configure(c->end, c->params);
	carrier(c->end, !c->params->down);
}

int
wire_configure(struct wire *w, struct ifnet *to, const struct core_wire_params *p)
{
	struct wire_end *e;
	int error = 0, one;

	if (to != NULL && end_of(w, to) == NULL)
		return ENOENT;
	if (to == NULL)
		w->params = *p;
	TAILQ_FOREACH(e, &w->ends, link) {
		struct call c = {.end = e, .params = p};

		if (to != NULL && e->ifp != to)
			continue;
		one = machine_call(e->machine, do_configure, &c);
		if (error == 0)
			error = one;
	}
	return error;
}

int
wire_stats(const struct wire *w, const struct ifnet *to, struct core_wire_stats *out)
{
	const struct wire_end *e = end_of(w, to);

	if (e == NULL)
		return ENOENT;
	*out = e->stats;
	return 0;
}

static void
do_set_tap(void *arg)
{
	struct call *c = arg;

	if (c->end != NULL) {
		c->end->tap = c->tap;
		c->end->tap_ctx = c->tap_ctx;
	} else {
		c->wire->tap = c->tap;
		c->wire->tap_ctx = c->tap_ctx;
	}
}

int
wire_set_tap(struct wire *w, struct ifnet *ifp, core_wire_tap *tap, void *ctx)
{
	struct call c = {.wire = w, .tap = tap, .tap_ctx = ctx};
	struct wire_end *e;
	int error = 0;

	if (ifp != NULL && (c.end = end_of(w, ifp)) == NULL)
		return ENOENT;
	TAILQ_FOREACH(e, &w->ends, link) {
		if (c.end != NULL && c.end != e)
			continue;
		error = machine_call(e->machine, do_set_tap, &c);
		if (error == 0)
			return 0;
	}
	/* Nobody is left that could use it: what has panicked does not run. */
	if (tap == NULL || error == 0)
		do_set_tap(&c);
	return tap == NULL ? 0 : error;
}
