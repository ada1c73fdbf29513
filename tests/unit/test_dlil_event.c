/* dlil/dlil_event.c, dlil_ioctl.c, dlil_ifioctl.c: events, ioctls, flags. */
#include <netinet/in_var.h>

#include "tests/unit/dlil_testing.h"

static struct ifnet *the;
static errno_t filter_answer;

static void
filter_event(void *cookie, struct ifnet *ifp, protocol_family_t family, const struct kev_msg *msg)
{
	(void)ifp;
	note("%s/%u:%u", (const char *)cookie, family, msg->event_code);
}

static errno_t
filter_ioctl(void *cookie, struct ifnet *ifp, protocol_family_t family, unsigned long cmd,
    void *arg)
{
	(void)ifp;
	(void)arg;
	note("%s/%u:%u", (const char *)cookie, family, (unsigned)(cmd & 0xff));
	return filter_answer;
}

static void
filter(const char *name, protocol_family_t family)
{
	struct iff_filter f = {
		.iff_cookie = (void *)(uintptr_t)name, .iff_name = name, .iff_protocol = family,
		.iff_event = filter_event, .iff_ioctl = filter_ioctl,
	};
	interface_filter_t ref;

	filter_answer = EOPNOTSUPP;
	CHECK_EQ(iflt_attach(the, &f, &ref), 0);
}

static void
prepare(void)
{
	the = attached_interface("x", 0);
	CHECK_EQ(attach_recorder(the, 77), 0);
	listen_to_events();
	(void)said();
}

/* ---- events ------------------------------------------------------------------------------- */

KTEST(path_f_is_filters_protocols_driver_sockets)
{
	struct kern_event_msg msg = {
		.total_size = sizeof msg, .vendor_code = KEV_VENDOR_APPLE,
		.kev_class = KEV_NETWORK_CLASS, .kev_subclass = KEV_DL_SUBCLASS,
		.event_code = KEV_DL_LINK_ON,
	};

	prepare();
	filter("a", 0);
	filter("b", PF_INET);		/* events come whatever the protocol; it is told its own */
	CHECK_EQ(ifnet_event(the, &msg), 0);
	CHECK_STR(said(), "a/0:13 b/2:13 prt-event:77/13 drv-event:13 K13");
	CHECK_EQ(ifnet_event(NULL, &msg), EINVAL);
	CHECK_EQ(ifnet_event(the, NULL), EINVAL);
	msg.total_size = 24 + 201;
	CHECK_EQ(ifnet_event(the, &msg), EMSGSIZE);
}

KTEST(path_k_is_sockets_alone)
{
	prepare();
	filter("a", 0);
	dlil_post_event(the, KEV_DL_SUBCLASS, KEV_DL_SIFMTU, NULL, 0, true);
	CHECK_STR(said(), "K3");
}

KTEST(addresses_come_and_go_on_path_f)
{
	struct sockaddr_in addr = ipv4(10, 0, 0, 1), mask = ipv4(255, 255, 0, 0);
	struct sockaddr_in6 local = ipv6(0xfe, 0x80, 1);

	prepare();
	CHECK_EQ(ifaddr_add(the, SA(addr), SA(mask), NULL), 0);
	CHECK_STR(said(), "prt-event:77/1 drv-event:1 Kin1");
	CHECK_EQ(ifaddr_remove(the, SA(addr)), 0);
	CHECK_STR(said(), "prt-event:77/3 drv-event:3 Kin3");
	CHECK_EQ(ifaddr_remove(the, SA(addr)), EADDRNOTAVAIL);
	/* IPv6 needs a plumber. */
	CHECK_EQ(ifaddr_add(the, SA(local), NULL, NULL), ENXIO);
}

static struct kev_in_data address_event;

static void
keep_event(void *cookie, struct ifnet *ifp, protocol_family_t family, const struct kev_msg *msg)
{
	(void)cookie;
	(void)ifp;
	(void)family;
	CHECK_EQ(msg->dv[0].data_length, sizeof address_event);
	memcpy(&address_event, msg->dv[0].data_ptr, sizeof address_event);
}

KTEST(address_events_say_which_address)
{
	struct sockaddr_in addr = ipv4(10, 1, 2, 3), mask = ipv4(255, 255, 0, 0);
	struct iff_filter f = {.iff_name = "f", .iff_event = keep_event};
	interface_filter_t ref;

	prepare();
	CHECK_EQ(ifnet_set_flags(the, IFF_BROADCAST, IFF_BROADCAST), 0);
	CHECK_EQ(iflt_attach(the, &f, &ref), 0);
	CHECK_EQ(ifaddr_add(the, SA(addr), SA(mask), NULL), 0);
	CHECK_STR(address_event.link_data.if_name, "x");
	CHECK_EQ(address_event.ia_addr.s_addr, addr.sin_addr.s_addr);
	CHECK_EQ(address_event.ia_net, 0x0a000000);
	CHECK_EQ(address_event.ia_subnet, 0x0a010000);
	CHECK_EQ(address_event.ia_netbroadcast.s_addr, htonl(0x0a01ffff));
	CHECK_EQ(address_event.ia_dstaddr.s_addr, 0);
}

KTEST(setters_of_the_kpi_post_nothing)
{
	prepare();
	CHECK_EQ(ifnet_set_flags(the, IFF_DEBUG, IFF_DEBUG), 0);
	CHECK_EQ(ifnet_set_mtu(the, 1400), 0);
	CHECK_EQ(ifnet_set_metric(the, 3), 0);
	CHECK_STR(said(), "");
}

/* ---- ifnet_ioctl -------------------------------------------------------------------------- */

KTEST(ioctls_go_to_filters_protocol_driver)
{
	prepare();
	filter("a", 0);
	filter("b", 77);
	filter("c", 78);
	prt.ioctl_error = EOPNOTSUPP;
	drv.ioctl_error = EOPNOTSUPP;
	CHECK_EQ(ifnet_ioctl(the, 77, SIOCSIFMEDIA, NULL), EOPNOTSUPP);
	CHECK_STR(said(), "a/77:55 b/77:55 prt-ioctl:77/55 ioctl:55");
	CHECK_EQ(ifnet_ioctl(the, 0, SIOCSIFMEDIA, NULL), EOPNOTSUPP);
	CHECK_STR(said(), "a/0:55 ioctl:55");
	CHECK_EQ(ifnet_ioctl(NULL, 0, SIOCSIFMEDIA, NULL), EINVAL);
	CHECK_EQ(ifnet_ioctl(the, 0, 0, NULL), EINVAL);
}

KTEST(the_first_answer_is_the_result)
{
	prepare();
	filter("a", 0);
	filter_answer = 0;		/* handled, and still everyone is asked */
	prt.ioctl_error = EBUSY;
	drv.ioctl_error = EIO;
	CHECK_EQ(ifnet_ioctl(the, 77, SIOCSIFMEDIA, NULL), 0);
	CHECK_STR(said(), "a/77:55 prt-ioctl:77/55 ioctl:55");
	filter_answer = EJUSTRETURN;	/* done */
	CHECK_EQ(ifnet_ioctl(the, 77, SIOCSIFMEDIA, NULL), 0);
	CHECK_STR(said(), "a/77:55");
	filter_answer = EPERM;		/* done, too */
	CHECK_EQ(ifnet_ioctl(the, 77, SIOCSIFMEDIA, NULL), EPERM);
	CHECK_STR(said(), "a/77:55");
	filter_answer = ENOTSUP;	/* the same as EOPNOTSUPP */
	CHECK_EQ(ifnet_ioctl(the, 77, SIOCSIFMEDIA, NULL), EBUSY);
	CHECK_STR(said(), "a/77:55 prt-ioctl:77/55");
	prt.ioctl_error = EOPNOTSUPP;
	CHECK_EQ(ifnet_ioctl(the, 77, SIOCSIFMEDIA, NULL), EIO);
}

KTEST(an_unattached_interface_supports_no_ioctl)
{
	struct ifnet_init_params params = driver_params("x", 0);

	params.ioctl = NULL;
	CHECK_EQ(ifnet_allocate(&params, &the), 0);
	CHECK_EQ(ifnet_ioctl(the, 0, SIOCSIFMEDIA, NULL), EOPNOTSUPP);
	CHECK_EQ(ifnet_attach(the, NULL), 0);
	CHECK_EQ(ifnet_ioctl(the, 0, SIOCSIFMEDIA, NULL), EOPNOTSUPP);
}

/* ---- promiscuous mode --------------------------------------------------------------------- */

KTEST(promiscuous_mode_is_counted)
{
	prepare();
	CHECK_EQ(ifnet_set_promiscuous(the, 1), 0);
	CHECK_STR(said(), "ioctl:16+");
	CHECK_EQ(ifnet_set_promiscuous(the, 1), 0);
	CHECK_STR(said(), "");
	CHECK_EQ(ifnet_set_promiscuous(the, 0), 0);
	CHECK(ifnet_flags(the) & IFF_PROMISC);
	CHECK_STR(said(), "");
	CHECK_EQ(ifnet_set_promiscuous(the, 0), 0);
	CHECK_EQ(ifnet_flags(the) & IFF_PROMISC, 0);
	CHECK_STR(said(), "ioctl:16+");
}

KTEST(a_driver_that_refuses_promiscuous_mode_stays_out_of_it)
{
	prepare();
	drv.ioctl_error = EIO;
	CHECK_EQ(ifnet_set_promiscuous(the, 1), EIO);
	CHECK_EQ(ifnet_flags(the) & IFF_PROMISC, 0);
	CHECK_EQ(the->promiscuous, 0);
	CHECK_EQ(ifnet_set_flags(the, 0, IFF_UP), 0);
	CHECK_EQ(ifnet_set_promiscuous(the, 1), 0);	/* down: nobody is asked */
	CHECK(ifnet_flags(the) & IFF_PROMISC);
}

static void
sleep_once(void)
{
	drv.on_ioctl = NULL;
	sched_block(NULL, machine_now(curmachine()) + 1000, false, "the test's driver");
}

static void
wants_it_too(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	CHECK_EQ(ifnet_set_promiscuous(the, 1), 0);
}

/* The second one's request is not lost with the first one's, which the driver refuses late. */
KTEST(a_late_refusal_undoes_only_its_own_request)
{
	struct thread *t;

	prepare();
	drv.ioctl_error = EIO;
	drv.on_ioctl = sleep_once;
	CHECK_EQ(kthread_create(wants_it_too, NULL, &t), 0);
	CHECK_EQ(ifnet_set_promiscuous(the, 1), EIO);
	CHECK_EQ(the->promiscuous, 1);
	CHECK(ifnet_flags(the) & IFF_PROMISC);
	kthread_release(t);
}

/* ---- ioctls of processes ------------------------------------------------------------------ */

static struct ifreq ifr;

static errno_t
ask(unsigned long command)
{
	strlcpy(ifr.ifr_name, "x0", sizeof ifr.ifr_name);
	return ifioctl(curmachine(), command, &ifr);
}

KTEST(programs_read_and_set_flags)
{
	prepare();
	memset(&ifr, 0, sizeof ifr);
	CHECK_EQ(ask(SIOCGIFFLAGS), 0);
	CHECK_EQ(ifr.ifr_flags, IFF_UP);
	ifr.ifr_flags = IFF_DEBUG | IFF_BROADCAST;
	drv.ioctl_error = EIO;
	CHECK_EQ(ask(SIOCSIFFLAGS), 0);
	CHECK_STR(said(), "ioctl:16+ K1");
	CHECK_EQ(ifnet_flags(the), IFF_DEBUG);
	strlcpy(ifr.ifr_name, "nope9", sizeof ifr.ifr_name);
	CHECK_EQ(ifioctl(curmachine(), SIOCGIFFLAGS, &ifr), ENXIO);
	CHECK_EQ(ifioctl(curmachine(), SIOCGIFFLAGS, NULL), EINVAL);
}

KTEST(programs_set_mtu_and_metric)
{
	prepare();
	memset(&ifr, 0, sizeof ifr);
	ifr.ifr_mtu = 71;
	CHECK_EQ(ask(SIOCSIFMTU), EINVAL);
	ifr.ifr_mtu = 1400;
	drv.ioctl_error = EOPNOTSUPP;
	CHECK_EQ(ask(SIOCSIFMTU), EOPNOTSUPP);
	CHECK_EQ(ifnet_mtu(the), 0);
	(void)said();
	drv.ioctl_error = 0;
	CHECK_EQ(ask(SIOCSIFMTU), 0);
	CHECK_STR(said(), "ioctl:52+ K3");
	CHECK_EQ(ask(SIOCGIFMTU), 0);
	CHECK_EQ(ifr.ifr_mtu, 1400);
	ifr.ifr_metric = 9;
	CHECK_EQ(ask(SIOCSIFMETRIC), 0);
	CHECK_STR(said(), "K2");
	CHECK_EQ(ifnet_metric(the), 9);
}

KTEST(what_the_driver_did_is_announced)
{
	prepare();
	memset(&ifr, 0, sizeof ifr);
	CHECK_EQ(ask(SIOCSIFMEDIA), 0);
	CHECK_STR(said(), "ioctl:55+ K5");
	CHECK_EQ(ask(SIOCSIFGENERIC), 0);
	CHECK_STR(said(), "ioctl:57+ K6");
	drv.ioctl_error = EIO;
	CHECK_EQ(ask(SIOCSIFPHYS), EIO);
	CHECK_STR(said(), "ioctl:54+");
}

KTEST(programs_join_link_groups_and_set_the_link_address)
{
	uint8_t addr[6];

	prepare();
	memset(&ifr, 0, sizeof ifr);
	ifr.ifr_addr.sa_len = 8;
	memcpy(ifr.ifr_addr.sa_data, "\x01\x00\x5e\x00\x00\x01", 6);
	CHECK_EQ(ask(SIOCADDMULTI), EOPNOTSUPP);
	CHECK_EQ(ifnet_set_flags(the, IFF_MULTICAST, IFF_MULTICAST), 0);
	CHECK_EQ(ask(SIOCADDMULTI), 0);
	CHECK_STR(said(), "check:18 ioctl:49 K7");
	CHECK_EQ(ask(SIOCDELMULTI), 0);
	CHECK_STR(said(), "ioctl:50 K8");
	CHECK_EQ(ask(SIOCDELMULTI), ENOENT);
	CHECK_EQ(ifnet_set_addrlen(the, 6), 0);
	ifr.ifr_addr.sa_len = 6;
	CHECK_EQ(ask(SIOCSIFLLADDR), 0);
	CHECK_EQ(ifnet_lladdr_copy_bytes(the, addr, 6), 0);
	CHECK_EQ(addr[2], 0x5e);
}

KTEST_SUITE(dlil_event,
    T(path_f_is_filters_protocols_driver_sockets),
    T(path_k_is_sockets_alone),
    T(addresses_come_and_go_on_path_f),
    T(address_events_say_which_address),
    T(setters_of_the_kpi_post_nothing),
    T(ioctls_go_to_filters_protocol_driver),
    T(the_first_answer_is_the_result),
    T(an_unattached_interface_supports_no_ioctl),
    T(promiscuous_mode_is_counted),
    T(a_driver_that_refuses_promiscuous_mode_stays_out_of_it),
    T(a_late_refusal_undoes_only_its_own_request),
    T(programs_read_and_set_flags),
    T(programs_set_mtu_and_metric),
    T(what_the_driver_did_is_announced),
    T(programs_join_link_groups_and_set_the_link_address));
