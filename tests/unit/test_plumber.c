/* dlil/dlil_proto.c, kpi/kpi_protocol.c: plumbers, and packets handed to network protocols. */
#include "tests/unit/dlil_testing.h"

static errno_t plumb_error;

static errno_t
plumb(struct ifnet *ifp, protocol_family_t family)
{
	note("plumb:%u", family);
	return plumb_error != 0 ? plumb_error : attach_recorder(ifp, family);
}

static void
unplumb(struct ifnet *ifp, protocol_family_t family)
{
	note("unplumb:%u", family);
	(void)ifnet_detach_protocol(ifp, family);
}

static void
unplumb_lazily(struct ifnet *ifp, protocol_family_t family)
{
	(void)ifp;
	note("unplumb:%u", family);
}

KTEST(register_checks_its_arguments)
{
	CHECK_EQ(proto_register_plumber(PF_INET, 1234, NULL, NULL), EINVAL);
	CHECK_EQ(proto_register_plumber(PF_INET, 1234, plumb, NULL), 0);
	CHECK_EQ(proto_register_plumber(PF_INET, 1234, plumb, NULL), EEXIST);
	/* Sixteen bits of the family are compared. */
	CHECK_EQ(proto_register_plumber(PF_INET, 0x10000 | 1234, plumb, NULL), EEXIST);
	CHECK_EQ(proto_register_plumber(PF_INET6, 1234, plumb, NULL), 0);
	CHECK_EQ(proto_register_plumber(PF_INET, IFNET_FAMILY_ETHERNET, plumb, NULL), EEXIST);
	proto_unregister_plumber(PF_INET, 1234);
	proto_unregister_plumber(PF_INET, 1234);
	CHECK_EQ(proto_register_plumber(PF_INET, 1234, plumb, NULL), 0);
}

KTEST(an_address_plumbs_its_protocol)
{
	struct sockaddr_in addr = ipv4(10, 0, 0, 1), second = ipv4(10, 0, 0, 2);
	struct ifnet *ifp = attached_interface("x", 0);

	plumb_error = 0;
	CHECK_EQ(proto_register_plumber(PF_INET, 1234, plumb, unplumb), 0);
	CHECK_EQ(ifaddr_add(ifp, SA(addr), NULL, NULL), 0);
	CHECK_STR(said(), "plumb:2 add:2/0 prt-event:2/14 drv-event:14 ioctl:16+ prt-event:2/1 "
	    "drv-event:1");
	CHECK_EQ(ifaddr_add(ifp, SA(second), NULL, NULL), 0);
	CHECK_STR(said(), "prt-event:2/1 drv-event:1");	/* KEV_INET_NEW_ADDR */
}

KTEST(ipv4_addresses_are_added_even_if_plumbing_fails)
{
	struct sockaddr_in addr = ipv4(10, 0, 0, 1);
	struct sockaddr_in6 addr6 = ipv6(0x20, 0x01, 1);
	struct ifnet *ifp = attached_interface("x", 0);

	CHECK_EQ(ifaddr_add(ifp, SA(addr), NULL, NULL), 0);
	CHECK(ktest_log_contains("cannot plumb protocol 2 on x0"));
	CHECK(ifaddr_find(curmachine(), SA(addr)) != NULL);
	CHECK_EQ(ifaddr_add(ifp, SA(addr6), NULL, NULL), ENXIO);
	CHECK(ifaddr_find(curmachine(), SA(addr6)) == NULL);
	plumb_error = EEXIST;
	CHECK_EQ(proto_register_plumber(PF_INET6, 1234, plumb, NULL), 0);
	CHECK_EQ(ifaddr_add(ifp, SA(addr6), NULL, NULL), 0);
	plumb_error = 0;
}

static errno_t
protocol_ioctl(unsigned long command, const char *name)
{
	struct ifreq ifr;

	memset(&ifr, 0, sizeof ifr);
	strlcpy(ifr.ifr_name, name, sizeof ifr.ifr_name);
	return ifioctl(curmachine(), command, &ifr);
}

KTEST(programs_attach_and_detach_ipv4)
{
	struct sockaddr_in addr = ipv4(10, 0, 0, 1);
	struct ifnet *ifp = attached_interface("x", 0);

	plumb_error = 0;
	CHECK_EQ(protocol_ioctl(SIOCPROTOATTACH, "x0"), ENXIO);
	CHECK_EQ(proto_register_plumber(PF_INET, 1234, plumb, unplumb), 0);
	CHECK_EQ(protocol_ioctl(SIOCPROTOATTACH, "x0"), 0);
	CHECK_EQ(protocol_ioctl(SIOCPROTOATTACH, "x0"), EEXIST);
	CHECK_EQ(ifaddr_add(ifp, SA(addr), NULL, NULL), 0);
	CHECK_EQ(protocol_ioctl(SIOCPROTODETACH, "x0"), EBUSY);
	CHECK_EQ(ifaddr_remove(ifp, SA(addr)), 0);
	(void)said();
	CHECK_EQ(protocol_ioctl(SIOCPROTODETACH, "x0"), 0);
	CHECK_STR(said(), "unplumb:2 del:2 prt-detached:2 drv-event:15 ioctl:16+");
}

KTEST(without_an_unplumb_handler_the_protocol_is_just_detached)
{
	struct ifnet *ifp = attached_interface("x", 0);

	plumb_error = 0;
	CHECK_EQ(proto_register_plumber(PF_INET, 1234, plumb, NULL), 0);
	CHECK_EQ(dlil_plumb(ifp, PF_INET), 0);
	CHECK_EQ(dlil_unplumb(ifp, PF_INET), 0);
	CHECK_EQ(dlil_unplumb(ifp, PF_INET), ENXIO);
}

KTEST(a_going_interface_is_unplumbed)
{
	struct ifnet *ifp = attached_interface("x", 0);

	plumb_error = 0;
	CHECK_EQ(proto_register_plumber(PF_INET, 1234, plumb, unplumb_lazily), 0);
	CHECK_EQ(dlil_plumb(ifp, PF_INET), 0);
	CHECK_EQ(attach_recorder(ifp, 77), 0);
	(void)said();
	CHECK_EQ(ifnet_detach(ifp), 0);
	settle();
	CHECK_STR(said(), "unplumb:2 del:2 prt-detached:2 del:77 prt-detached:77 detached");
}

static errno_t
plumb_and_unregister(struct ifnet *ifp, protocol_family_t family)
{
	proto_unregister_plumber(family, 1234);
	return proto_register_plumber(PF_INET6, 1234, plumb, NULL) == 0 ? plumb(ifp, family) : ENOMEM;
}

KTEST_UNCHECKED(a_plumber_may_register_and_unregister_in_its_handler)
{
	struct ifnet *ifp = attached_interface("x", 0);

	plumb_error = 0;
	CHECK_EQ(proto_register_plumber(PF_INET, 1234, plumb_and_unregister, NULL), 0);
	CHECK_EQ(dlil_plumb(ifp, PF_INET), 0);
	CHECK_EQ(dlil_plumb(ifp, PF_INET), EEXIST);
	CHECK_EQ(dlil_unplumb(ifp, PF_INET), 0);
	CHECK_EQ(dlil_plumb(ifp, PF_INET), ENXIO);
}

/* ---- proto_input and proto_inject --------------------------------------------------------- */

static void
net_input(struct nke *m, struct mbuf *list)
{
	(void)m;
	note("net");
	for (struct mbuf *p = list; p != NULL; p = p->m_nextpkt)
		note("%c", name_of(p));
	m_freem_list(list);
}

KTEST(packets_are_handed_to_network_protocols)
{
	static const struct net_proto np = {.family = 99, .input = net_input};
	struct mbuf *m = packet("a");

	(void)said();
	CHECK_EQ(dlil_register_net_proto(curmachine(), &np), 0);
	CHECK_EQ(dlil_register_net_proto(curmachine(), &np), EEXIST);
	CHECK_EQ(proto_input(98, m), -1);
	CHECK_EQ(proto_inject(98, m), ENOENT);
	CHECK_EQ(proto_input(99, list_of(m, packet("b"), NULL)), 0);
	CHECK_STR(said(), "net a b");
	CHECK_EQ(proto_inject(99, packet("c")), 0);
	CHECK_EQ(proto_inject(99, packet("d")), 0);
	CHECK_STR(said(), "");
	settle();
	CHECK_STR(said(), "net c d");
}

KTEST_PANICS(proto_input_needs_a_receive_interface, "without receive interface")
{
	(void)proto_input(PF_INET, packet("a"));
}

KTEST_SUITE(plumber,
    T(register_checks_its_arguments),
    T(an_address_plumbs_its_protocol),
    T(ipv4_addresses_are_added_even_if_plumbing_fails),
    T(programs_attach_and_detach_ipv4),
    T(without_an_unplumb_handler_the_protocol_is_just_detached),
    T(a_going_interface_is_unplumbed),
    T(a_plumber_may_register_and_unregister_in_its_handler),
    T(packets_are_handed_to_network_protocols),
    T(proto_input_needs_a_receive_interface));
