/* dlil/dlil_proto.c: protocols on interfaces. */
#include "tests/unit/dlil_testing.h"

static struct ifnet *the;

KTEST(attach_errors)
{
	struct ifnet_init_params params = driver_params("x", 0);
	struct ifnet_attach_proto_param p = {.input = prt_input};
	struct ifnet *ifp;

	memset(&drv, 0, sizeof drv);
	CHECK_EQ(ifnet_allocate(&params, &ifp), 0);
	CHECK_EQ(ifnet_attach_protocol(NULL, 77, &p), EINVAL);
	CHECK_EQ(ifnet_attach_protocol(ifp, 0, &p), EINVAL);
	CHECK_EQ(ifnet_attach_protocol(ifp, 77, NULL), EINVAL);
	CHECK_EQ(ifnet_attach_protocol_v2(ifp, 77, NULL), EINVAL);
	CHECK_EQ(ifnet_attach_protocol(ifp, 77, &p), ENXIO);
	CHECK_EQ(ifnet_detach_protocol(ifp, 77), ENXIO);
	CHECK_EQ(ifnet_attach(ifp, NULL), 0);
	drv.add_error = EADDRINUSE;
	CHECK_EQ(ifnet_attach_protocol(ifp, 77, &p), EADDRINUSE);
	CHECK_EQ(ifnet_detach_protocol(ifp, 77), ENXIO);
	CHECK_EQ(ifnet_flags(ifp) & IFF_UP, 0);
	drv.add_error = 0;
	CHECK_EQ(ifnet_attach_protocol(ifp, 77, &p), 0);
	CHECK_EQ(ifnet_attach_protocol(ifp, 77, &p), EEXIST);
	CHECK_EQ(ifnet_detach_protocol(NULL, 77), EINVAL);
	CHECK_EQ(ifnet_detach_protocol(ifp, 0), EINVAL);
}

KTEST(the_first_attach_brings_the_interface_up)
{
	struct ifnet_demux_desc desc[3];
	struct ifnet_attach_proto_param p = {.input = prt_input, .demux_array = desc, .demux_count = 3};
	struct ifnet *ifp = attached_interface("x", 0);

	listen_to_events();
	CHECK_EQ(ifnet_attach_protocol(ifp, 77, &p), 0);
	CHECK_STR(said(), "add:77/3 drv-event:14 K14 ioctl:16+ K1");
	CHECK_EQ(drv.last_ioctl, SIOCSIFFLAGS);
	CHECK(ifnet_flags(ifp) & IFF_UP);
}

KTEST(the_driver_refusing_flags_does_not_matter)
{
	struct ifnet *ifp = attached_interface("x", 0);

	drv.ioctl_error = EIO;
	CHECK_EQ(attach_recorder(ifp, 77), 0);
	CHECK(ifnet_flags(ifp) & IFF_UP);
}

static uint32_t counts[2];

static void
count_event(void *cookie, struct ifnet *ifp, protocol_family_t family, const struct kev_msg *msg)
{
	const struct kev_dl_proto_data *data = msg->dv[0].data_ptr;

	(void)cookie;
	(void)family;
	CHECK_EQ(msg->dv[0].data_length == sizeof *data || msg->event_code == KEV_DL_SIFFLAGS, 1);
	CHECK_STR(data->link_data.if_name, ifnet_name(ifp));
	counts[0] = data->proto_family;
	counts[1] = data->proto_remaining_count;
}

KTEST(events_tell_the_family_and_how_many_are_left)
{
	struct iff_filter filter = {.iff_name = "ear", .iff_event = count_event};
	struct ifnet *ifp = attached_interface("x", 0);
	interface_filter_t ref;

	CHECK_EQ(iflt_attach(ifp, &filter, &ref), 0);
	CHECK_EQ(attach_recorder(ifp, 77), 0);
	CHECK_EQ(counts[0], 77);
	CHECK_EQ(counts[1], 1);
	CHECK_EQ(attach_recorder(ifp, 78), 0);
	CHECK_EQ(counts[1], 2);
	CHECK_EQ(ifnet_detach_protocol(ifp, 77), 0);
	CHECK_EQ(counts[0], 77);
	CHECK_EQ(counts[1], 1);
	iflt_detach(ref);
}

KTEST(the_last_detach_takes_the_interface_down)
{
	struct ifnet *ifp = attached_interface("x", 0);

	CHECK_EQ(attach_recorder(ifp, 77), 0);
	CHECK_EQ(attach_recorder(ifp, 78), 0);
	listen_to_events();
	(void)said();
	drv.del_error = EIO;		/* ignored */
	CHECK_EQ(ifnet_detach_protocol(ifp, 77), 0);
	CHECK_STR(said(), "del:77 prt-detached:77 prt-event:78/15 drv-event:15 K15");
	CHECK(ifnet_flags(ifp) & IFF_UP);
	CHECK_EQ(ifnet_detach_protocol(ifp, 78), 0);
	CHECK_STR(said(), "del:78 prt-detached:78 drv-event:15 K15 ioctl:16+ K1");
	CHECK_EQ(ifnet_flags(ifp) & IFF_UP, 0);
	CHECK_EQ(ifnet_detach_protocol(ifp, 78), ENXIO);
}

static void
detach_77(void)
{
	note("detach=%d", ifnet_detach_protocol(the, 77));
}

KTEST(a_protocol_detached_in_its_own_input_is_told_when_that_ends)
{
	the = attached_interface("x", 0);
	CHECK_EQ(attach_recorder(the, 77), 0);
	prt.on_input = detach_77;
	(void)said();
	CHECK_EQ(ifnet_input(the, list_of(packet_in(the, "7a", 2, 1), packet_in(the, "7b", 2, 1), NULL),
	    NULL), 0);
	settle();
	/* The second packet meets a protocol that refuses. */
	CHECK_STR(said(), "in:77:7a del:77 detach=0 prt-detached:77 drv-event:15 ioctl:16+");
}

KTEST(a_protocol_can_be_replaced_in_its_own_event)
{
	the = attached_interface("x", 0);
	CHECK_EQ(attach_recorder(the, 77), 0);
	CHECK_EQ(attach_recorder(the, 78), 0);
	prt.on_event = detach_77;
	(void)said();
	dlil_post_event(the, KEV_DL_SUBCLASS, KEV_DL_LINK_ON, NULL, 0, false);
	CHECK_STR(said(), "prt-event:77/13 del:77 detach=0 prt-detached:77 prt-event:78/15 detach=6 "
	    "drv-event:15 prt-event:78/13 detach=6 drv-event:13");
}

KTEST_SUITE(dlil_proto,
    T(attach_errors),
    T(the_first_attach_brings_the_interface_up),
    T(the_driver_refusing_flags_does_not_matter),
    T(events_tell_the_family_and_how_many_are_left),
    T(the_last_detach_takes_the_interface_down),
    T(a_protocol_detached_in_its_own_input_is_told_when_that_ends),
    T(a_protocol_can_be_replaced_in_its_own_event));
