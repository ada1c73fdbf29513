/*
 * DLIL comes up with the machine: its state, the plumbers of the built-in media, lo0. Also the
 * registrations of the layers above, which DLIL knows only by function pointers.
 */
#include "dlil/dlil_state.h"
#include "src/kern/heap.h"
#include "src/net/ifaddr.h"

void
dlil_set_filter_ops(struct nke *m, const struct dlil_filter_ops *ops)
{
	m->dlil->filters = *ops;
}

errno_t
dlil_register_net_proto(struct nke *m, const struct net_proto *np)
{
	struct dlil_state *s = m->dlil;

	if (np->input == NULL)
		return EINVAL;
	if (dlil_net_proto(m, np->family) != NULL)
		return EEXIST;
	if (s->net_proto_count == DLIL_NET_PROTOS)
		return ENOMEM;
	s->net_protos[s->net_proto_count++] = *np;
	return 0;
}

const struct net_proto *
dlil_net_proto(struct nke *m, protocol_family_t family)
{
	const struct dlil_state *s = m->dlil;

	for (uint32_t i = 0; i < s->net_proto_count; i++)
		if (s->net_protos[i].family == family)
			return &s->net_protos[i];
	return NULL;
}

void
dlil_set_arp_input(struct nke *m, void (*fn)(struct ifnet *, struct mbuf *))
{
	m->dlil->arp_input = fn;
}

struct ifnet_head *
dlil_interfaces(struct nke *m)
{
	return &m->dlil->attached;
}

struct ifnet *
dlil_loopback(struct nke *m)
{
	return m->dlil->lo0;
}

static const struct ifaddr_hooks address_hooks = {
	.plumb = dlil_plumb,
	.changed = dlil_address_changed,
};

static errno_t
dlil_init(struct nke *m)
{
	struct dlil_state *s = kalloc(m, sizeof *s);
	errno_t error;

	if (s == NULL)
		return ENOMEM;
	TAILQ_INIT(&s->attached);
	TAILQ_INIT(&s->all);
	TAILQ_INIT(&s->plumbers);
	softintr_init(&s->inject_intr, m, dlil_inject_intr, m);
	m->dlil = s;
	dlil_describe(m);
	ifaddr_set_hooks(m, &address_hooks);
	if ((error = ether_register_plumbers(m)) != 0)
		return error;
	if ((error = ether6_register_plumbers(m)) != 0)
		return error;
	if ((error = raw_register_plumbers(m)) != 0)
		return error;
	return loop_attach(m);
}

static void
dlil_quiesce(struct nke *m)
{
	struct wire_end *e;

	while ((e = LIST_FIRST(&m->dlil->wire_ends)) != NULL)
		wire_unplug(e);
}

/* Interfaces and waiting packets go with the heap and the mbuf zone, which take everything back. */
static void
dlil_fini(struct nke *m)
{
	m->dlil = NULL;
}

const struct subsystem dlil_subsystem = {
	.name = "dlil",
	.init = dlil_init,
	.quiesce = dlil_quiesce,
	.fini = dlil_fini,
};
