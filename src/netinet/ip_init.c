/*
 * IPv4 of a machine: its state, its registration with DLIL and the IP filter engine, and the
 * helpers that its files share (ip_state.h).
 */
#include <sys/socket.h>

#include "dlil/dlil.h"
#include "ipfilter/ipfilter.h"
#include "src/kern/heap.h"
#include "src/kern/prng.h"
#include "src/kern/trace.h"
#include "src/net/replay.h"
#include "src/netinet/ip_state.h"

#define IP_REASS_LIFETIME	(UINT64_C(30) * 1000000000)	/* fixed: RFC 1122 3.3.2 */

struct ipstat *
ip_statistics(struct nke *machine)
{
	return &machine->ip->stat;
}

void
ip_set_transport(struct nke *machine, int family, uint8_t protocol, const struct ip_transport *t)
{
	if (family == AF_INET)
		machine->ip->transport[protocol] = t;
	else
		ip6_set_transport(machine, protocol, t);
}

/* ---- packets ------------------------------------------------------------------------------ */

__attribute__((cold)) void
ip_refuse(struct nke *machine, struct mbuf *m, uint32_t *counter)
{
	(*counter)++;
	TRACE(machine, IP_DROP, m, (char *)counter - (char *)&machine->ip->stat, 0);
	if (m->m_pkthdr.origin != NULL)
		replay_refused(machine, m);
	else
		m_freem(m);
}

/* ---- life --------------------------------------------------------------------------------- */

static void
ip_count_dropped(struct nke *machine, uint32_t fragments)
{
	machine->ip->stat.ips_fragdropped += fragments;
}

static void
ip_count_timed_out(struct nke *machine, uint32_t fragments)
{
	machine->ip->stat.ips_fragtimeout += fragments;
}

static const struct reass_counters ip_reass_counters = {
	.dropped = ip_count_dropped, .timed_out = ip_count_timed_out
};

static void
ip_forget_ours(struct ip_state *s)
{
	if (s->last_ours != NULL)
		ifaddr_drop(s->last_ours);
	s->last_ours = NULL;
}

static void
ip_interface_detached(struct nke *machine, struct ifnet *ifp)
{
	struct ip_state *s = machine->ip;

	if (s->last_ours != NULL && s->last_ours->ifp == ifp)
		ip_forget_ours(s);
	ipf_interface_detached(machine, ifp);
	reass_interface_detached(&s->reass, ifp);
}

static const struct net_proto ip_net_proto = {
	.family = PF_INET,
	.input = ip_input,
	.play_output = ip_play_output,
	.fragment = ip_fragment,
	.interface_detached = ip_interface_detached
};

static const struct ipf_protocol ip_ipf_protocol = {
	.input = ip_inject_receive, .output = ip_inject_send
};

static errno_t
ip_init(struct nke *machine)
{
	struct ip_state *s = kalloc(machine, sizeof *s);
	errno_t error;

	if (s == NULL)
		return ENOMEM;
	machine->ip = s;
	s->id = (uint16_t)prng_u32(machine);
	s->id_key = (uint16_t)prng_u32(machine);
	reass_init(&s->reass, machine, IP_REASS_LIFETIME, false, &ip_reass_counters);
	error = dlil_register_net_proto(machine, &ip_net_proto);
	if (error != 0) {
		kfree(machine, s);
		machine->ip = NULL;
		return error;
	}
	ipf_set_protocol(machine, AF_INET, &ip_ipf_protocol);
	return 0;
}

static void
ip_quiesce(struct nke *machine)
{
	reass_stop(&machine->ip->reass);
	ip_forget_ours(machine->ip);
}

static void
ip_fini(struct nke *machine)
{
	kfree(machine, machine->ip);
	machine->ip = NULL;
}

extern const struct subsystem ip_subsystem;
const struct subsystem ip_subsystem = {
	.name = "ip", .init = ip_init, .quiesce = ip_quiesce, .fini = ip_fini
};
