/* dlil/dlil_ifnet.c, dlil_detach.c, kpi/kpi_interface.c: the life of an interface. */
#include "tests/unit/dlil_testing.h"

static struct ifnet *the;

static struct sockaddr_dl
link_address(uint8_t len)
{
	struct sockaddr_dl sdl = {.sdl_len = sizeof sdl, .sdl_family = AF_LINK, .sdl_alen = len};

	memcpy(LLADDR(&sdl), "\x02\x00\x00\x00\x00\x01", 6);
	return sdl;
}

/* ---- allocate ----------------------------------------------------------------------------- */

static errno_t
allocate_with(void (*spoil)(struct ifnet_init_params *))
{
	struct ifnet_init_params params = driver_params("x", 0);
	struct ifnet *ifp;

	spoil(&params);
	return ifnet_allocate(&params, &ifp);
}

static void no_family(struct ifnet_init_params *p) { p->family = 0; }
static void no_name(struct ifnet_init_params *p) { p->name = NULL; }
static void long_name(struct ifnet_init_params *p) { p->name = "0123456789abcdef"; }
static void no_type(struct ifnet_init_params *p) { p->type = 0; }
static void big_type(struct ifnet_init_params *p) { p->type = 256; }
static void no_output(struct ifnet_init_params *p) { p->output = NULL; }

KTEST(allocate_refuses_bad_parameters)
{
	CHECK_EQ(allocate_with(no_family), EINVAL);
	CHECK_EQ(allocate_with(no_name), EINVAL);
	CHECK_EQ(allocate_with(long_name), EINVAL);
	CHECK_EQ(allocate_with(no_type), EINVAL);
	CHECK_EQ(allocate_with(big_type), EINVAL);
	CHECK_EQ(allocate_with(no_output), EINVAL);
}

KTEST(a_name_and_an_id_can_be_used_once_per_family)
{
	struct ifnet_init_params params = driver_params("x", 0);
	struct ifnet *a, *b;

	CHECK_EQ(ifnet_allocate(&params, &a), 0);
	CHECK_EQ(ifnet_allocate(&params, &b), EBUSY);
	params.uniqueid = "other";
	params.uniqueid_len = 5;
	CHECK_EQ(ifnet_allocate(&params, &b), EBUSY);	/* the name */
	params.unit = 1;
	CHECK_EQ(ifnet_allocate(&params, &b), 0);
	params.unit = 2;
	CHECK_EQ(ifnet_allocate(&params, &b), EBUSY);	/* the id */
	params = driver_params("x", 0);
	params.family = 1235;
	CHECK_EQ(ifnet_allocate(&params, &b), 0);
}

KTEST(allocate_fills_in_what_it_is_given)
{
	struct ifnet_init_params params = driver_params("vpn", 7);
	struct ifnet *ifp;
	uint8_t addr[8];
	size_t len;
	int cookie;

	params.softc = &cookie;
	params.broadcast_addr = "\xff\xff\xff";
	params.broadcast_len = 3;
	CHECK_EQ(ifnet_allocate(&params, &ifp), 0);
	CHECK_STR(ifnet_name(ifp), "vpn");
	CHECK_EQ(ifnet_unit(ifp), 7);
	CHECK_EQ(ifnet_family(ifp), 1234);
	CHECK_EQ(ifnet_type(ifp), IFT_OTHER);
	CHECK_EQ(ifnet_index(ifp), 0);
	CHECK(ifnet_softc(ifp) == &cookie);
	CHECK_EQ(ifnet_flags(ifp), 0);
	CHECK_EQ(ifnet_llbroadcast_copy_bytes(ifp, addr, 2, &len), EMSGSIZE);
	CHECK_EQ(len, 3);
	CHECK_EQ(ifnet_llbroadcast_copy_bytes(ifp, addr, sizeof addr, &len), 0);
}

KTEST(an_interface_released_before_attach_is_recycled_silently)
{
	struct ifnet_init_params params = driver_params("x", 0);
	struct ifnet *a, *b;

	memset(&drv, 0, sizeof drv);
	CHECK_EQ(ifnet_allocate(&params, &a), 0);
	CHECK_EQ(ifnet_release(a), 0);
	CHECK_STR(said(), "");
	CHECK_EQ(ifnet_allocate(&params, &b), 0);
	CHECK(a == b);
}

KTEST_PANICS(releasing_too_often_is_named, "released more often")
{
	struct ifnet_init_params params = driver_params("x", 0);
	struct ifnet *ifp;

	CHECK_EQ(ifnet_allocate(&params, &ifp), 0);
	(void)ifnet_release(ifp);
	(void)ifnet_release(ifp);
}

/* ---- attach ------------------------------------------------------------------------------- */

KTEST(attach_checks_and_publishes)
{
	struct ifnet_init_params params = driver_params("x", 0);
	struct sockaddr_dl sdl = link_address(6), shorter = link_address(4);
	struct ifnet *ifp, *found;
	uint8_t addr[6];
	ifaddr_t *list;

	CHECK_EQ(ifnet_attach(NULL, NULL), EINVAL);
	CHECK_EQ(ifnet_allocate(&params, &ifp), 0);
	CHECK_EQ(ifnet_set_addrlen(ifp, 6), 0);
	CHECK_EQ(ifnet_attach(ifp, &shorter), EINVAL);
	CHECK_EQ(ifnet_find_by_name("x0", &found), ENXIO);
	listen_to_events();
	(void)said();
	CHECK_EQ(ifnet_attach(ifp, &sdl), 0);
	CHECK_STR(said(), "drv-event:9 K9");
	CHECK_EQ(ifnet_attach(ifp, &sdl), EEXIST);
	CHECK_EQ(ifnet_index(ifp), 2);
	CHECK_EQ(ifnet_flags(ifp) & IFF_UP, 0);
	CHECK_EQ(ifnet_lladdr_copy_bytes(ifp, addr, 6), 0);
	CHECK_EQ(memcmp(addr, "\x02\x00\x00\x00\x00\x01", 6), 0);
	CHECK_EQ(ifnet_lladdr_copy_bytes(ifp, addr, 5), EMSGSIZE);
	CHECK_EQ(addr[0], 0);
	CHECK_EQ(ifnet_get_address_list(ifp, &list), 0);
	CHECK_EQ(ifaddr_address_family(list[0]), AF_LINK);
	CHECK(list[1] == NULL);
	ifnet_free_address_list(list);
	CHECK_EQ(ifnet_find_by_name("x0", &found), 0);
	CHECK(found == ifp);
	CHECK_EQ(ifnet_release(found), 0);
}

KTEST(attach_needs_the_protocol_functions)
{
	struct ifnet_init_params params = driver_params("x", 0);
	struct ifnet *ifp;

	params.del_proto = NULL;
	CHECK_EQ(ifnet_allocate(&params, &ifp), 0);
	CHECK_EQ(ifnet_attach(ifp, NULL), ENODEV);
}

KTEST(attach_takes_the_address_length_and_clears_counters)
{
	struct ifnet_init_params params = driver_params("x", 0);
	struct sockaddr_dl sdl = link_address(6);
	struct ifnet_stats_param stats;
	struct ifnet *ifp;

	CHECK_EQ(ifnet_allocate(&params, &ifp), 0);
	CHECK_EQ(ifnet_stat_increment_in(ifp, 1, 2, 3), 0);
	CHECK_EQ(ifnet_set_mtu(ifp, 900), 0);
	CHECK_EQ(ifnet_attach(ifp, &sdl), 0);
	CHECK_EQ(ifnet_addrlen(ifp), 6);
	CHECK_EQ(ifnet_mtu(ifp), 900);
	CHECK_EQ(ifnet_stat(ifp, &stats), 0);
	CHECK_EQ(stats.packets_in, 0);
}

KTEST_PANICS(attaching_twice_in_a_life_is_named, "can be attached once")
{
	struct ifnet *ifp = attached_interface("x", 0);

	CHECK_EQ(ifnet_detach(ifp), 0);
	settle();
	(void)ifnet_attach(ifp, NULL);
}

/* ---- detach ------------------------------------------------------------------------------- */

static void
filter_detached(void *cookie, struct ifnet *ifp)
{
	struct iff_filter filter = {.iff_name = "late"};
	interface_filter_t ref;

	note("%s-detached:%d", (const char *)cookie, iflt_attach(ifp, &filter, &ref) == ENXIO);
}

static void
filter_event(void *cookie, struct ifnet *ifp, protocol_family_t family, const struct kev_msg *msg)
{
	(void)ifp;
	(void)family;
	note("%s:%u", (const char *)cookie, msg->event_code);
}

static void
attach_filter(struct ifnet *ifp, const char *name)
{
	struct iff_filter filter = {
		.iff_cookie = (void *)(uintptr_t)name, .iff_name = name,
		.iff_detached = filter_detached, .iff_event = filter_event,
	};
	interface_filter_t ref;

	CHECK_EQ(iflt_attach(ifp, &filter, &ref), 0);
}

static errno_t
plumb_recorder(struct ifnet *ifp, protocol_family_t family)
{
	return attach_recorder(ifp, family);
}

KTEST(detaching_follows_the_order_of_the_interface)
{
	struct sockaddr_in addr = ipv4(10, 0, 0, 1);
	struct ifnet *ifp = attached_interface("x", 0), *found;

	CHECK_EQ(proto_register_plumber(PF_INET, 1234, plumb_recorder, NULL), 0);
	CHECK_EQ(ifaddr_add(ifp, SA(addr), NULL, NULL), 0);
	attach_filter(ifp, "a");
	attach_filter(ifp, "b");
	listen_to_events();
	(void)said();
	CHECK_EQ(ifnet_detach(ifp), 0);
	CHECK_STR(said(), "a:20 b:20 K20 a:10 b:10 K10");
	CHECK_EQ(ifnet_flags(ifp) & IFF_UP, 0);
	CHECK_EQ(ifnet_detach(ifp), EINVAL);
	CHECK_EQ(ifnet_find_by_name("x0", &found), ENXIO);
	settle();
	CHECK_STR(said(), "a-detached:1 b-detached:1 Kin3 del:2 prt-detached:2 K15 K1 K11 detached");
}

KTEST(while_detaching_everything_is_refused)
{
	struct ifnet *ifp = attached_interface("x", 0);
	struct iff_filter filter = {.iff_name = "f"};
	interface_filter_t ref;

	CHECK_EQ(attach_recorder(ifp, 77), 0);
	CHECK_EQ(ifnet_detach(ifp), 0);
	CHECK_EQ(ifnet_output(ifp, 77, packet("a"), NULL, NULL), ENXIO);
	CHECK_EQ(ifnet_output_raw(ifp, 0, packet("a")), ENXIO);
	CHECK_EQ(ifnet_input(ifp, packet_in(ifp, "7a", 2, 1), NULL), EINVAL);
	CHECK_EQ(ifnet_ioctl(ifp, 0, SIOCSIFFLAGS, NULL), EOPNOTSUPP);
	CHECK_EQ(attach_recorder(ifp, 78), ENXIO);
	CHECK_EQ(iflt_attach(ifp, &filter, &ref), ENXIO);
	settle();
}

static void
detach_the_interface(void)
{
	note("detach=%d", ifnet_detach(the));
}

KTEST(an_interface_can_be_detached_from_its_own_output)
{
	the = attached_interface("x", 0);
	CHECK_EQ(attach_recorder(the, 77), 0);
	(void)said();
	drv.on_output = detach_the_interface;
	CHECK_EQ(ifnet_output_raw(the, 77, list_of(packet("a"), packet("b"), NULL)), 0);
	CHECK_STR(said(), "out:a detach=0 out:b detach=22");
	settle();
	CHECK_STR(said(), "del:77 prt-detached:77 detached");
}

KTEST_UNCHECKED(an_interface_can_be_detached_from_demux_and_protocol)
{
	the = attached_interface("x", 0);
	CHECK_EQ(attach_recorder(the, 77), 0);
	drv.on_demux = detach_the_interface;
	(void)said();
	CHECK_EQ(ifnet_input(the, packet_in(the, "7a", 2, 1), NULL), 0);
	settle();
	/* The packet in hand is still delivered, by the protocol as it then was. */
	CHECK_STR(said(), "detach=0 in:77:7a del:77 prt-detached:77 detached");
}

static void
release_it(struct ifnet *ifp)
{
	CHECK_EQ(ifnet_release(ifp), 0);
}

KTEST(the_usual_driver_releases_in_its_detach_callback)
{
	struct ifnet *ifp = attached_interface("x", 0);

	drv.on_detach = release_it;
	CHECK_EQ(ifnet_detach(ifp), 0);
	settle();
	CHECK_STR(said(), "detached");
	CHECK_EQ(ifp->refcount, 0);
}

static void
sleep_in_output(void)
{
	sched_block(NULL, machine_now(curmachine()) + 5000000, false, "output");
	note("output-done");
}

static void
sender(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	(void)ifnet_output_raw(the, 0, packet("a"));
}

KTEST(detaching_waits_for_callbacks_that_sleep)
{
	struct thread *t;

	the = attached_interface("x", 0);
	drv.on_output = sleep_in_output;
	CHECK_EQ(kthread_create(sender, NULL, &t), 0);
	settle();
	CHECK_EQ(ifnet_detach(the), 0);
	settle();
	CHECK_STR(said(), "out:a");
	sched_block(NULL, machine_now(curmachine()) + 10000000, false, "the test");
	CHECK_STR(said(), "output-done detached");
	kthread_release(t);
}

KTEST(a_detached_interface_comes_back_as_the_same_object)
{
	struct ifnet_init_params params = driver_params("x", 0), other = driver_params("x", 1);
	struct ifnet *ifp = attached_interface("x", 0), *next = attached_interface("y", 0), *again;

	CHECK_EQ(ifnet_set_mtu(ifp, 100), 0);
	CHECK_EQ(ifnet_detach(ifp), 0);
	settle();
	CHECK_EQ(ifnet_allocate(&other, &again), 0);
	CHECK(again != ifp);
	CHECK_EQ(ifnet_allocate(&params, &again), 0);
	CHECK(again == ifp);
	CHECK_EQ(ifnet_mtu(again), 0);
	CHECK_EQ(ifnet_attach(again, NULL), 0);
	CHECK_EQ(ifnet_index(again), 2);
	CHECK_EQ(ifnet_index(next), 3);
}

/* ---- lookup, lo0 -------------------------------------------------------------------------- */

KTEST(lists_are_in_order_of_attachment_and_hold_references)
{
	struct ifnet *a = attached_interface("x", 0), *b = attached_interface("y", 0), **list;
	u_int32_t count;

	CHECK_EQ(ifnet_list_get(1234, &list, &count), 0);
	CHECK_EQ(count, 2);
	CHECK(list[0] == a && list[1] == b && list[2] == NULL);
	CHECK_EQ(a->refcount, 3);
	ifnet_list_free(list);
	CHECK_EQ(a->refcount, 2);
	CHECK_EQ(ifnet_list_get(IFNET_FAMILY_ANY, &list, &count), 0);
	CHECK_EQ(count, 3);
	CHECK_STR(ifnet_name(list[0]), "lo");
	ifnet_list_free(list);
	CHECK_EQ(ifnet_list_get(999, &list, &count), ENXIO);
	CHECK_EQ(ifnet_list_get(0, NULL, &count), EINVAL);
	ifnet_list_free(NULL);
}

KTEST(every_machine_has_lo0)
{
	struct sockaddr_in v4 = ipv4(127, 0, 0, 1);
	struct ifnet *lo0;
	ifaddr_t ifa;

	CHECK_EQ(ifnet_find_by_name("lo0", &lo0), 0);
	CHECK_EQ(ifnet_index(lo0), 1);
	CHECK_EQ(ifnet_mtu(lo0), 16384);
	CHECK_EQ(ifnet_flags(lo0), IFF_UP | IFF_LOOPBACK | IFF_RUNNING | IFF_MULTICAST);
	ifa = ifaddr_withaddr(SA(v4));
	CHECK(ifa != NULL && ifaddr_ifnet(ifa) == lo0);
	CHECK_EQ(ifaddr_release(ifa), 0);
	CHECK_EQ(ifnet_release(lo0), 0);
}

KTEST(families_have_numbers)
{
	ifnet_family_t a, b;

	CHECK_EQ(ifnet_interface_family_find(NULL, &a), EINVAL);
	CHECK_EQ(ifnet_interface_family_find("org.example.family", &a), 0);
	CHECK_EQ(ifnet_interface_family_find("org.example.family", &b), 0);
	CHECK(a >= 1000 && a == b);
}

/* ---- properties --------------------------------------------------------------------------- */

KTEST(null_interfaces_are_answered)
{
	u_int32_t n;
	size_t len;
	uint8_t byte;

	CHECK(ifnet_softc(NULL) == NULL);
	CHECK(ifnet_name(NULL) == NULL);
	CHECK_EQ(ifnet_unit(NULL), 0xffffffff);
	CHECK_EQ(ifnet_index(NULL), 0xffffffff);
	CHECK_EQ(ifnet_flags(NULL), 0);
	CHECK_EQ(ifnet_set_flags(NULL, 0, 0), EINVAL);
	CHECK_EQ(ifnet_set_mtu(NULL, 1), EINVAL);
	CHECK_EQ(ifnet_set_baudrate(NULL, 1), EINVAL);
	CHECK_EQ(ifnet_get_tso_mtu(NULL, AF_INET, &n), EINVAL);
	CHECK_EQ(ifnet_set_lladdr(NULL, "", 0), EINVAL);
	CHECK_EQ(ifnet_lladdr_copy_bytes(NULL, &byte, 1), EINVAL);
	CHECK_EQ(ifnet_llbroadcast_copy_bytes(NULL, &byte, 1, &len), EINVAL);
	CHECK_EQ(ifnet_reference(NULL), EINVAL);
	CHECK_EQ(ifnet_release(NULL), EINVAL);
	CHECK_EQ(ifnet_detach(NULL), EINVAL);
	CHECK_EQ(ifnet_stat_increment(NULL, NULL), EINVAL);
}

KTEST(offloads_become_capabilities)
{
	struct ifnet *ifp = attached_interface("x", 0);
	u_int32_t mtu;

	listen_to_events();
	CHECK_EQ(ifnet_set_mtu(ifp, 1500), 0);
	CHECK_EQ(ifnet_set_tso_mtu(ifp, AF_INET, 9000), EINVAL);
	CHECK_EQ(ifnet_set_offload(ifp, IFNET_CSUM_TCP | IFNET_TSO_IPV4 | 0x40000000), 0);
	CHECK_STR(said(), "K19");
	CHECK_EQ(ifnet_offload(ifp), IFNET_CSUM_TCP | IFNET_TSO_IPV4);
	CHECK_EQ(ifnet_capabilities_enabled(ifp), IFCAP_HWCSUM | IFCAP_TSO4);
	CHECK_EQ(ifnet_capabilities_supported(ifp), IFCAP_HWCSUM | IFCAP_TSO4);
	CHECK_EQ(ifnet_set_tso_mtu(ifp, AF_INET, 1000), EINVAL);
	CHECK_EQ(ifnet_set_tso_mtu(ifp, AF_INET6, 9000), EINVAL);
	CHECK_EQ(ifnet_set_tso_mtu(ifp, 99, 9000), EPROTONOSUPPORT);
	CHECK_EQ(ifnet_set_tso_mtu(ifp, AF_INET, 9000), 0);
	CHECK_EQ(ifnet_get_tso_mtu(ifp, AF_INET, &mtu), 0);
	CHECK_EQ(mtu, 9000);
	CHECK_EQ(ifnet_set_capabilities_supported(ifp, 0x80000000, 0x80000000), EINVAL);
	CHECK_EQ(ifnet_set_capabilities_enabled(ifp, IFCAP_LRO, IFCAP_LRO), EINVAL);
	CHECK_STR(said(), "K19");
	CHECK_EQ(ifnet_set_capabilities_enabled(ifp, 0, IFCAP_TSO4), 0);
	CHECK_EQ(ifnet_capabilities_enabled(ifp), IFCAP_HWCSUM);
}

KTEST(wake_flags_mib_data_and_baudrate)
{
	struct ifnet *ifp = attached_interface("x", 0);
	char mib[] = "mib", out[8];
	u_int32_t len = sizeof out;

	listen_to_events();
	CHECK_EQ(ifnet_set_wake_flags(ifp, 2, 2), EINVAL);
	CHECK_EQ(ifnet_set_wake_flags(ifp, 1, 1), 0);
	CHECK_STR(said(), "K17");
	CHECK_EQ(ifnet_get_wake_flags(ifp), 1);
	CHECK_EQ(ifnet_get_link_mib_data(ifp, out, &len), ENOTSUP);
	CHECK_EQ(ifnet_set_link_mib_data(ifp, mib, sizeof mib), 0);
	mib[0] = 'M';
	len = 2;
	CHECK_EQ(ifnet_get_link_mib_data(ifp, out, &len), EMSGSIZE);
	len = sizeof out;
	CHECK_EQ(ifnet_get_link_mib_data(ifp, out, &len), 0);
	CHECK_EQ(len, sizeof mib);
	CHECK_STR(out, "Mib");
	CHECK_EQ(ifnet_set_baudrate(ifp, 10000000000), 0);
	CHECK_EQ(ifnet_baudrate(ifp), 4294967295);
}

KTEST(the_link_address_can_be_changed_while_attached)
{
	struct ifnet *ifp = attached_interface("x", 0);
	uint8_t addr[6];

	listen_to_events();
	CHECK_EQ(ifnet_set_addrlen(ifp, 6), 0);
	CHECK_EQ(ifnet_set_lladdr(ifp, "abcdef", 5), EINVAL);
	CHECK_EQ(ifnet_set_lladdr(ifp, NULL, 6), EINVAL);
	CHECK_STR(said(), "");
	CHECK_EQ(ifnet_set_lladdr(ifp, "abcdef", 6), 0);
	CHECK_STR(said(), "drv-event:16 K16");
	CHECK_EQ(ifnet_lladdr_copy_bytes(ifp, addr, 6), 0);
	CHECK_EQ(addr[5], 'f');
	CHECK_EQ(ifnet_detach(ifp), 0);
	settle();
	CHECK_EQ(ifnet_lladdr_copy_bytes(ifp, addr, 6), 0);
	CHECK_EQ(addr[5], 'f');
	CHECK_EQ(ifnet_set_lladdr(ifp, "abcdef", 6), ENXIO);
}

KTEST(counters_add_up_and_can_be_set)
{
	struct ifnet_stat_increment_param more = {1, 2, 3, 4, 5, 6, 7, 8};
	struct ifnet_stats_param set = {.packets_in = 100, .no_protocol = 9}, got;
	struct ifnet *ifp = attached_interface("x", 0);

	CHECK_EQ(ifnet_stat_increment(ifp, &more), 0);
	CHECK_EQ(ifnet_stat_increment_out(ifp, 1, 1, 1), 0);
	CHECK_EQ(ifnet_stat(ifp, &got), 0);
	CHECK_EQ(got.packets_in, 1);
	CHECK_EQ(got.bytes_in, 2);
	CHECK_EQ(got.errors_in, 3);
	CHECK_EQ(got.packets_out, 5);
	CHECK_EQ(got.bytes_out, 6);
	CHECK_EQ(got.errors_out, 7);
	CHECK_EQ(got.collisions, 7);
	CHECK_EQ(got.dropped, 8);
	CHECK_EQ(ifnet_set_stat(ifp, &set), 0);
	CHECK_EQ(ifnet_stat(ifp, &got), 0);
	CHECK_EQ(got.packets_in, 100);
	CHECK_EQ(got.collisions, 0);
	CHECK_EQ(got.no_protocol, 9);
}

KTEST_PANICS(the_link_address_before_attach_is_named, "no link address before")
{
	struct ifnet_init_params params = driver_params("x", 0);
	struct ifnet *ifp;
	uint8_t addr[6];

	CHECK_EQ(ifnet_allocate(&params, &ifp), 0);
	(void)ifnet_lladdr_copy_bytes(ifp, addr, 6);
}

KTEST_SUITE(ifnet,
    T(allocate_refuses_bad_parameters),
    T(a_name_and_an_id_can_be_used_once_per_family),
    T(allocate_fills_in_what_it_is_given),
    T(an_interface_released_before_attach_is_recycled_silently),
    T(releasing_too_often_is_named),
    T(attach_checks_and_publishes),
    T(attach_needs_the_protocol_functions),
    T(attach_takes_the_address_length_and_clears_counters),
    T(attaching_twice_in_a_life_is_named),
    T(detaching_follows_the_order_of_the_interface),
    T(while_detaching_everything_is_refused),
    T(an_interface_can_be_detached_from_its_own_output),
    T(an_interface_can_be_detached_from_demux_and_protocol),
    T(the_usual_driver_releases_in_its_detach_callback),
    T(detaching_waits_for_callbacks_that_sleep),
    T(a_detached_interface_comes_back_as_the_same_object),
    T(lists_are_in_order_of_attachment_and_hold_references),
    T(every_machine_has_lo0),
    T(families_have_numbers),
    T(null_interfaces_are_answered),
    T(offloads_become_capabilities),
    T(wake_flags_mib_data_and_baudrate),
    T(the_link_address_can_be_changed_while_attached),
    T(counters_add_up_and_can_be_set),
    T(the_link_address_before_attach_is_named));
