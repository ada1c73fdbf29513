/* dlil/dlil_output.c: pre-output, framer, filters, driver. */
#include "tests/unit/dlil_testing.h"

static struct ifnet *the;

static void
prepare(void)
{
	the = attached_interface("x", 0);
	CHECK_EQ(attach_recorder(the, 77), 0);
	(void)said();
}

static errno_t
output(const char *a, const char *b)
{
	return ifnet_output(the, 77, list_of(packet(a), b != NULL ? packet(b) : NULL, NULL), NULL, NULL);
}

KTEST(pre_output_runs_once_for_a_list)
{
	prepare();
	CHECK_EQ(output("a", "b"), 0);
	CHECK_STR(said(), "pre:77:a frame:aDT out:a frame:bDT out:b");
}

KTEST(bad_arguments_free_the_packets)
{
	prepare();
	CHECK_EQ(ifnet_output(NULL, 77, packet("a"), NULL, NULL), EINVAL);
	CHECK_EQ(ifnet_output(the, 0, packet("a"), NULL, NULL), EINVAL);
	CHECK_EQ(ifnet_output(the, 77, NULL, NULL, NULL), EINVAL);
	CHECK_EQ(ifnet_output(the, 78, packet("a"), NULL, NULL), ENXIO);
	CHECK_EQ(ifnet_output_raw(NULL, 77, packet("a")), EINVAL);
	CHECK_EQ(ifnet_output_raw(the, 77, NULL), EINVAL);
	CHECK_STR(said(), "");
}

KTEST(pre_output_can_keep_the_first_or_refuse_all)
{
	prepare();
	prt.pre_output_error = EJUSTRETURN;
	CHECK_EQ(output("a", "b"), 0);
	CHECK_STR(said(), "pre:77:a pre:77:b frame:bDT out:b");
	prt.pre_output_error = EJUSTRETURN;
	CHECK_EQ(output("a", NULL), 0);
	CHECK_STR(said(), "pre:77:a");
	prt.pre_output_error = EHOSTUNREACH;
	CHECK_EQ(output("a", "b"), EHOSTUNREACH);
	CHECK_STR(said(), "pre:77:a");
}

KTEST(the_framer_can_keep_or_refuse_each)
{
	prepare();
	drv.framer_error = EJUSTRETURN;
	CHECK_EQ(output("a", "b"), 0);
	CHECK_STR(said(), "pre:77:a frame:aDT frame:bDT");
	drv.framer_error = ENOBUFS;
	CHECK_EQ(output("a", "b"), ENOBUFS);
	CHECK_STR(said(), "pre:77:a frame:aDT frame:bDT");
}

KTEST(the_drivers_last_answer_is_the_result)
{
	prepare();
	drv.output_error = EIO;
	CHECK_EQ(output("a", NULL), EIO);
	drv.output_error = EJUSTRETURN;
	CHECK_EQ(output("a", NULL), 0);
	drv.output_error = 106;		/* EQFULL */
	CHECK_EQ(output("a", NULL), 0);
	drv.output_error = -106;	/* EQSUSPENDED */
	CHECK_EQ(output("a", NULL), 0);
}

static errno_t filter_result;

static errno_t
filter_output(void *cookie, struct ifnet *ifp, protocol_family_t family, struct mbuf **m)
{
	(void)ifp;
	note("%s:%u:%c", (const char *)cookie, family, name_of(*m));
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
		.iff_output = filter_output,
	};
	interface_filter_t ref;

	CHECK_EQ(iflt_attach(the, &f, &ref), 0);
}

KTEST(filters_are_last_before_the_driver_oldest_first)
{
	prepare();
	filter("one", 0);
	filter("two", 77);
	filter("six", 6);
	filter_result = 0;
	CHECK_EQ(output("a", NULL), 0);
	CHECK_STR(said(), "pre:77:a frame:aDT one:77:a two:77:a out:a");
	filter_result = EACCES;
	CHECK_EQ(output("a", NULL), EACCES);
	CHECK_STR(said(), "pre:77:a frame:aDT one:77:a");
	filter_result = EJUSTRETURN;
	CHECK_EQ(output("a", NULL), 0);
	CHECK_STR(said(), "pre:77:a frame:aDT one:77:a");
}

KTEST(raw_output_skips_protocol_and_framer)
{
	prepare();
	filter("all", 0);
	filter_result = 0;
	CHECK_EQ(ifnet_output_raw(the, 0, list_of(packet("a"), packet("b"), NULL)), 0);
	CHECK_STR(said(), "all:0:a out:a all:0:b out:b");
}

KTEST(packets_with_a_hardware_vlan_tag_are_not_shown)
{
	struct mbuf *m = packet("a");

	prepare();
	filter("all", 0);
	filter_result = 0;
	CHECK_EQ(mbuf_set_vlan_tag(m, 7), 0);
	CHECK_EQ(ifnet_output_raw(the, 0, m), 0);
	CHECK_STR(said(), "out:a");
	m = packet("b");
	CHECK_EQ(mbuf_set_vlan_tag(m, 7 << 13), 0);
	CHECK_EQ(ifnet_output_raw(the, 0, m), 0);
	CHECK_STR(said(), "all:0:b out:b");
}

KTEST(segmentation_the_interface_cannot_do_is_refused)
{
	struct mbuf *m = packet("a");

	prepare();
	m->m_pkthdr.csum_flags |= CSUM_TSO4;
	CHECK_EQ(ifnet_output(the, 77, m, NULL, NULL), EMSGSIZE);
	CHECK_EQ(ifnet_set_offload(the, IFNET_TSO_IPV4), 0);
	m = packet("a");
	m->m_pkthdr.csum_flags |= CSUM_TSO4;
	CHECK_EQ(ifnet_output(the, 77, m, NULL, NULL), 0);
}

static void
send_another(void)
{
	drv.on_output = NULL;
	CHECK_EQ(ifnet_output_raw(the, 0, packet("n")), 0);
}

KTEST(output_nests)
{
	prepare();
	drv.on_output = send_another;
	CHECK_EQ(output("a", "b"), 0);
	CHECK_STR(said(), "pre:77:a frame:aDT out:a out:n frame:bDT out:b");
}

static void
lose(struct mbuf **m)
{
	m_freem(*m);
	*m = NULL;
}

static errno_t
losing_pre_output(struct ifnet *ifp, protocol_family_t family, struct mbuf **m,
    const struct sockaddr *dst, void *route, char *type, char *dest)
{
	(void)ifp;
	(void)family;
	(void)dst;
	(void)route;
	(void)type;
	(void)dest;
	lose(m);
	return 0;
}

KTEST_PANICS(a_protocol_that_loses_the_packet_is_named, "pre_output returned 0 without a packet")
{
	struct ifnet_attach_proto_param params = {.input = prt_input, .pre_output = losing_pre_output};

	the = attached_interface("x", 0);
	CHECK_EQ(ifnet_attach_protocol(the, 77, &params), 0);
	(void)output("a", NULL);
}

static errno_t
losing_framer(struct ifnet *ifp, struct mbuf **m, const struct sockaddr *dst, const char *dest,
    const char *type)
{
	(void)ifp;
	(void)dst;
	(void)dest;
	(void)type;
	lose(m);
	return 0;
}

KTEST_PANICS(a_framer_that_loses_the_packet_is_named, "framer returned 0 without a packet")
{
	prepare();
	the->framer = losing_framer;
	(void)output("a", NULL);
}

/* ---- interfaces of the host (host_iface.c) ------------------------------------------------ */

static unsigned depth;

/* Two mbufs, with the interface's buffer to be made one of. */
static struct mbuf *
two_pieces(char fill)
{
	struct mbuf *m = packet("0123456789abcdef"), *n = m_get(curmachine(), MBUF_WAITOK, MBUF_TYPE_DATA);

	CHECK(n != NULL);
	memset(m->m_data, fill, 16);
	memset(n->m_data, fill, 32);
	n->m_len = 32;
	m->m_next = n;
	m->m_pkthdr.len = 48;
	return m;
}

static void
host_receives(void *ctx, const void *frame, size_t len)
{
	const char *bytes = frame;
	char fill = depth == 0 ? 'o' : 'i';

	(void)ctx;
	CHECK_EQ(len, 48);
	if (depth++ == 0)
		CHECK_EQ(ifnet_output_raw(the, 0, two_pieces('i')), 0);
	for (size_t i = 0; i < len; i++)
		CHECK_EQ(bytes[i], fill);
	depth--;
	note("%c", fill);
}

KTEST(a_frame_stays_while_the_host_looks_at_it)
{
	struct core_iface_config config = {.name = "h", .media = CORE_MEDIA_RAW, .output = host_receives};

	CHECK_EQ(iface_create(curmachine(), &config, &the), 0);
	(void)said();
	depth = 0;
	CHECK_EQ(ifnet_output_raw(the, 0, two_pieces('o')), 0);
	CHECK_STR(said(), "i o");
	CHECK_EQ(ifnet_output_raw(the, 0, two_pieces('o')), 0);
	CHECK_STR(said(), "i o");
	CHECK_EQ(iface_destroy(curmachine(), the), 0);
	settle();
}

KTEST_SUITE(dlil_output,
    T(pre_output_runs_once_for_a_list),
    T(bad_arguments_free_the_packets),
    T(pre_output_can_keep_the_first_or_refuse_all),
    T(the_framer_can_keep_or_refuse_each),
    T(the_drivers_last_answer_is_the_result),
    T(filters_are_last_before_the_driver_oldest_first),
    T(raw_output_skips_protocol_and_framer),
    T(packets_with_a_hardware_vlan_tag_are_not_shown),
    T(segmentation_the_interface_cannot_do_is_refused),
    T(output_nests),
    T(a_protocol_that_loses_the_packet_is_named),
    T(a_framer_that_loses_the_packet_is_named),
    T(a_frame_stays_while_the_host_looks_at_it));
