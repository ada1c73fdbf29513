/* dlil/dlil_input.c: demux, filters, protocol. */
#include "tests/unit/dlil_testing.h"

static struct ifnet *the;

static struct mbuf *
frame(const char *text)
{
	return packet_in(the, text, strlen(text), 1);
}

static void
input(const char *a, const char *b, const char *c)
{
	CHECK_EQ(ifnet_input(the, list_of(frame(a), b != NULL ? frame(b) : NULL,
	    c != NULL ? frame(c) : NULL), NULL), 0);
	settle();
}

static errno_t filter_result;

static errno_t
filter_input(void *cookie, struct ifnet *ifp, protocol_family_t family, struct mbuf **m, char **hdr)
{
	(void)ifp;
	note("%s:%u:%c%c", (const char *)cookie, family, **hdr, name_of(*m));
	CHECK((*m)->m_nextpkt == NULL);
	if (filter_result == EJUSTRETURN)
		m_freem(*m);
	return filter_result;
}

static void
filter(const char *name, protocol_family_t family)
{
	struct iff_filter f = {
		.iff_cookie = (void *)(uintptr_t)name, .iff_name = name, .iff_protocol = family,
		.iff_input = filter_input,
	};
	interface_filter_t ref;

	filter_result = 0;
	CHECK_EQ(iflt_attach(the, &f, &ref), 0);
}

KTEST(input_is_queued_and_counted)
{
	struct ifnet_stat_increment_param given = {.packets_in = 5, .bytes_in = 50, .dropped = 1};
	struct ifnet_stats_param stats;

	the = attached_interface("x", 0);
	CHECK_EQ(attach_recorder(the, 77), 0);
	(void)said();
	CHECK_EQ(ifnet_input(the, list_of(frame("7abc"), frame("7b"), NULL), NULL), 0);
	CHECK_EQ(ifnet_input(the, frame("7c"), &given), 0);
	CHECK_STR(said(), "");
	settle();
	CHECK_STR(said(), "in:77:7a in:77:7b in:77:7c");
	CHECK_EQ(ifnet_stat(the, &stats), 0);
	CHECK_EQ(stats.packets_in, 2 + 5);
	CHECK_EQ(stats.bytes_in, 4 + 50);
	CHECK_EQ(stats.dropped, 1);
}

KTEST(bad_arguments_are_refused_and_the_packets_freed)
{
	struct ifnet_init_params params = driver_params("x", 0);

	CHECK_EQ(ifnet_allocate(&params, &the), 0);
	CHECK_EQ(ifnet_input(NULL, packet("a"), NULL), EINVAL);
	CHECK_EQ(ifnet_input(the, NULL, NULL), EINVAL);
	CHECK_EQ(ifnet_input(the, list_of(frame("7a"), frame("7b"), NULL), NULL), EINVAL);
}

KTEST(lists_are_cut_where_the_protocol_changes)
{
	the = attached_interface("x", 0);
	CHECK_EQ(attach_list_recorder(the, 77), 0);
	CHECK_EQ(attach_list_recorder(the, PF_INET), 0);
	(void)said();
	input("7a", "7b", "2c");
	CHECK_STR(said(), "list:77 a b list:2 c");
	prt.input_error = EIO;		/* the list is freed for the protocol */
	input("7a", "7b", NULL);
	CHECK_STR(said(), "list:77 a b");
	prt.input_error = EJUSTRETURN;
	input("7a", NULL, NULL);
}

KTEST(a_protocol_may_refuse_single_packets)
{
	the = attached_interface("x", 0);
	CHECK_EQ(attach_recorder(the, 77), 0);
	(void)said();
	prt.input_error = EIO;
	input("7a", "7b", NULL);
	CHECK_STR(said(), "in:77:7a in:77:7b");
}

KTEST(frames_nobody_takes_are_counted_and_freed)
{
	struct ifnet_stats_param stats;

	the = attached_interface("x", 0);
	input("7a", "?b", "2c");
	CHECK_EQ(ifnet_stat(the, &stats), 0);
	CHECK_EQ(stats.no_protocol, 3);
	input("ka", NULL, NULL);
	CHECK_STR(said(), "demux-keeps");
	CHECK_EQ(ifnet_stat(the, &stats), 0);
	CHECK_EQ(stats.no_protocol, 3);
}

KTEST(filters_see_unknown_promiscuous_and_unattached_frames)
{
	the = attached_interface("x", 0);
	filter("all", 0);
	filter("ip", PF_INET);
	input("?a", "7b", "pc");
	CHECK_STR(said(), "all:0:?a all:77:7b all:2:pc ip:2:pc");
}

KTEST(filters_run_oldest_first_and_can_end_the_way)
{
	the = attached_interface("x", 0);
	CHECK_EQ(attach_recorder(the, 77), 0);
	filter("one", 0);
	filter("two", 77);
	(void)said();
	input("7a", NULL, NULL);
	CHECK_STR(said(), "one:77:7a two:77:7a in:77:7a");
	filter_result = EIO;
	input("7a", NULL, NULL);
	CHECK_STR(said(), "one:77:7a");
	filter_result = EJUSTRETURN;
	input("7a", NULL, NULL);
	CHECK_STR(said(), "one:77:7a");
}

static errno_t
replace(void *cookie, struct ifnet *ifp, protocol_family_t family, struct mbuf **m, char **hdr)
{
	struct mbuf *other = packet_in(ifp, "Zz", 2, 1);

	(void)cookie;
	(void)family;
	m_freem(*m);
	*m = other;
	*hdr = other->m_pkthdr.header;
	return 0;
}

KTEST(a_filter_may_replace_packet_and_header)
{
	struct iff_filter f = {.iff_name = "replacer", .iff_input = replace};
	interface_filter_t ref;

	the = attached_interface("x", 0);
	CHECK_EQ(attach_recorder(the, 77), 0);
	CHECK_EQ(iflt_attach(the, &f, &ref), 0);
	(void)said();
	input("7a", NULL, NULL);
	CHECK_STR(said(), "in:77:Zz");
}

KTEST(multicasts_are_counted_and_the_class_is_forgotten)
{
	struct ifnet_stats_param stats;
	struct mbuf *m;

	the = attached_interface("x", 0);
	m = frame("7a");
	m->m_flags |= MBUF_MCAST;
	CHECK_EQ(ifnet_input(the, m, NULL), 0);
	settle();
	CHECK_EQ(ifnet_stat(the, &stats), 0);
	CHECK_EQ(stats.multicasts_in, 1);
}

static void
detach_protocol(void)
{
	(void)ifnet_detach_protocol(the, 77);
	drv.on_demux = NULL;
}

KTEST_UNCHECKED(a_protocol_detached_in_demux_gets_nothing_more)
{
	the = attached_interface("x", 0);
	CHECK_EQ(attach_recorder(the, 77), 0);
	drv.on_demux = detach_protocol;
	(void)said();
	input("7a", "7b", NULL);
	CHECK_STR(said(), "del:77 prt-detached:77 drv-event:15 ioctl:16+");
}

KTEST(lo0_brings_packets_back)
{
	struct ifnet *lo0 = dlil_loopback(curmachine());
	struct ifnet_attach_proto_param p = {.input = prt_input};

	memset(&prt, 0, sizeof prt);
	(void)said();
	CHECK_EQ(ifnet_attach_protocol(lo0, 77, &p), 0);
	/* Without pre-output nobody says the family: the frame is unknown. */
	CHECK_EQ(ifnet_output(lo0, 77, packet("a"), NULL, NULL), 0);
	settle();
	CHECK_EQ(lo0->stats.noproto, 1);
	(void)said();
	/* A raw packet brings its header: 'M' is 77. */
	CHECK_EQ(ifnet_output_raw(lo0, 77, m_devget(curmachine(), "M\0\0\0a", 5, 0)), 0);
	settle();
	CHECK_STR(said(), "in:77:Ma");
	CHECK_EQ(lo0->stats.ipackets, 2);
	CHECK_EQ(ifnet_output_raw(lo0, 77, packet("abc")), ENOBUFS);
}

KTEST_PANICS(a_packet_without_receive_interface_is_named, "no receive interface")
{
	the = attached_interface("x", 0);
	(void)ifnet_input(the, packet("a"), NULL);
}

KTEST_PANICS(a_driver_without_demux_is_named, "no demux function")
{
	struct ifnet_init_params params = driver_params("x", 0);

	params.demux = NULL;
	CHECK_EQ(ifnet_allocate(&params, &the), 0);
	CHECK_EQ(ifnet_attach(the, NULL), 0);
	input("7a", NULL, NULL);
}

KTEST_SUITE(dlil_input,
    T(input_is_queued_and_counted),
    T(bad_arguments_are_refused_and_the_packets_freed),
    T(lists_are_cut_where_the_protocol_changes),
    T(a_protocol_may_refuse_single_packets),
    T(frames_nobody_takes_are_counted_and_freed),
    T(filters_see_unknown_promiscuous_and_unattached_frames),
    T(filters_run_oldest_first_and_can_end_the_way),
    T(a_filter_may_replace_packet_and_header),
    T(multicasts_are_counted_and_the_class_is_forgotten),
    T(a_protocol_detached_in_demux_gets_nothing_more),
    T(lo0_brings_packets_back),
    T(a_packet_without_receive_interface_is_named),
    T(a_driver_without_demux_is_named));
