/*
 * The families PF_INET and PF_INET6 as the socket layer knows them: domains, what all their protocols share
 * in a machine, and its sysctl variables. Each protocol registers itself (udp_usrreq.c, raw_ip.c ...).
 */
#include <stddef.h>

#include "src/kern/heap.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_bounded.h"
#include "src/netinet/in_pcb.h"

#define PORT_MAX	65535

static const struct domain inet_domain = {.dom_family = PF_INET, .dom_name = "internet"};
static const struct domain inet6_domain = {.dom_family = PF_INET6, .dom_name = "internet6"};

/* RFC 6335 section 6: the dynamic ports. The low ones go down from 1023. */
static const struct in_portrange default_ports = {
	.lowfirst = IPPORT_RESERVED - 1, .lowlast = IPPORT_RESERVEDSTART,
	.first = IPPORT_HIFIRSTAUTO, .last = IPPORT_HILASTAUTO,
	.hifirst = IPPORT_HIFIRSTAUTO, .hilast = IPPORT_HILASTAUTO
};

static const struct sysctl_bounded port_variables[] = {
	{OID_AUTO, "lowfirst", offsetof(struct in_portrange, lowfirst), 1, IPPORT_RESERVED - 1},
	{OID_AUTO, "lowlast", offsetof(struct in_portrange, lowlast), 1, IPPORT_RESERVED - 1},
	{OID_AUTO, "first", offsetof(struct in_portrange, first), IPPORT_RESERVED, PORT_MAX},
	{OID_AUTO, "last", offsetof(struct in_portrange, last), IPPORT_RESERVED, PORT_MAX},
	{OID_AUTO, "hifirst", offsetof(struct in_portrange, hifirst), IPPORT_RESERVED, PORT_MAX},
	{OID_AUTO, "hilast", offsetof(struct in_portrange, hilast), IPPORT_RESERVED, PORT_MAX},
	{.name = NULL}
};

static const struct sysctl_bounded ip6_variables[] = {
	{IPV6CTL_V6ONLY, "v6only", offsetof(struct inet_state, v6only), 0, 1},
	{.name = NULL}
};

static errno_t
add_variables(struct nke *machine, struct inet_state *s)
{
	errno_t error;

	error = sysctl_add(machine, &sysctl__net_inet_ip_children, OID_AUTO, "portrange",
	    CTLTYPE_NODE | CTLFLAG_RW, &s->portrange, 0, NULL, "N");
	if (error == 0)
		error = sysctl_add_bounded(machine, &s->portrange, port_variables, &s->ports);
	if (error == 0)
		error = sysctl_add_bounded(machine, &sysctl__net_inet6_ip6_children, ip6_variables, s);
	return error;
}

static errno_t
inet_init(struct nke *machine)
{
	struct inet_state *s = kalloc(machine, sizeof *s);
	errno_t error;

	if (s == NULL)
		return ENOMEM;
	s->ports = default_ports;
	machine->inet = s;
	error = net_add_domain(machine, &inet_domain);
	if (error == 0)
		error = net_add_domain(machine, &inet6_domain);
	if (error == 0)
		error = add_variables(machine, s);
	if (error != 0) {
		machine->inet = NULL;
		kfree(machine, s);
	}
	return error;
}

static void
inet_fini(struct nke *machine)
{
	kfree(machine, machine->inet);
	machine->inet = NULL;
}

extern const struct subsystem inet_subsystem;
const struct subsystem inet_subsystem = {.name = "inet", .init = inet_init, .fini = inet_fini};
