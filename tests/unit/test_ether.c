/*
 * dlil/ether.c, ether_inet.c, ether_inet6.c, raw.c, host_iface.c: media of interfaces the host
 * makes.
 */
#include <net/if_vlan_var.h>

#include "dlil/ether.h"
#include "tests/unit/dlil_testing.h"

static struct ifnet *en0;
static uint8_t sent[2048];
static size_t sent_len;
static unsigned sent_count;

static void
host_output(void *ctx, const void *frame, size_t len)
{
	(void)ctx;
	CHECK(len <= sizeof sent);
	memcpy(sent, frame, len);
	sent_len = len;
	sent_count++;
}

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2};

static struct core_iface_config
config(enum core_media media)
{
	struct core_iface_config c = {
		.name = "en", .media = media, .lladdr = {2, 0, 0, 0, 0, 1}, .output = host_output,
	};

	return c;
}

static void
make_en0(void)
{
	struct core_iface_config c = config(CORE_MEDIA_ETHERNET);

	sent_len = sent_count = 0;
	(void)said();
	CHECK_EQ(iface_create(curmachine(), &c, &en0), 0);
}

/* ---- frames ------------------------------------------------------------------------------- */

static uint8_t frame[1514];

static size_t
build(const uint8_t *dst, uint16_t type, const void *payload, size_t len)
{
	type = htons(type);
	memcpy(frame, dst, 6);
	memcpy(frame + 6, peer_mac, 6);
	memcpy(frame + 12, &type, 2);
	memcpy(frame + 14, payload, len);
	return 14 + len;
}

static void
come_in(const uint8_t *dst, uint16_t type, const void *payload, size_t len)
{
	CHECK_EQ(iface_input(curmachine(), en0, frame, build(dst, type, payload, len)), 0);
	settle();
}

static errno_t
see(void *cookie, struct ifnet *ifp, protocol_family_t family, struct mbuf **m, char **hdr)
{
	uint32_t flags = (*m)->m_flags & (MBUF_BCAST | MBUF_MCAST | MBUF_PROMISC);

	(void)cookie;
	(void)ifp;
	note("%u:%x%s", family, flags, *hdr + 14 == (*m)->m_data ? "" : ":apart");
	m_freem(*m);
	return EJUSTRETURN;
}

/* A filter that says which family each frame was, and takes it. */
static void
watch(void)
{
	struct iff_filter f = {.iff_name = "watch", .iff_input = see};
	interface_filter_t ref;

	CHECK_EQ(iflt_attach(en0, &f, &ref), 0);
}

static errno_t
attach_desc(protocol_family_t family, const struct ifnet_demux_desc *descs, uint32_t count)
{
	struct ifnet_attach_proto_param p = {
		.input = prt_input, .demux_array = (struct ifnet_demux_desc *)(uintptr_t)descs,
		.demux_count = count,
	};

	memset(&prt, 0, sizeof prt);
	return ifnet_attach_protocol(en0, family, &p);
}

KTEST(frames_are_told_apart_by_type_and_destination)
{
	static const uint8_t group[6] = {1, 0, 0x5e, 0, 0, 1};

	make_en0();
	CHECK_EQ(dlil_plumb(en0, PF_INET), 0);
	watch();
	come_in(our_mac, 0x0800, "abcd", 4);
	come_in(ether_broadcast, 0x0800, "abcd", 4);
	come_in(group, 0x0806, "abcd", 4);
	come_in(peer_mac, 0x0800, "abcd", 4);
	/* IPv6 is not attached: nobody's. */
	come_in(our_mac, 0x86dd, "abcd", 4);
	CHECK_STR(said(), "2:0 2:100 2:200 2:2000 0:0");
	CHECK_EQ(dlil_plumb(en0, PF_INET6), 0);
	come_in(our_mac, 0x86dd, "abcd", 4);
	CHECK_STR(said(), "30:0");
	CHECK_EQ(en0->stats.ipackets, 6);
}

KTEST(llc_frames_are_told_apart_by_sap_and_snap)
{
	uint8_t sap[3] = {0x42, 0x42, 0x03}, snap[5] = {0x08, 0x00, 0x07, 0x80, 0x9b};
	struct ifnet_demux_desc descs[2] = {
		{DLIL_DESC_SAP, sap, sizeof sap}, {DLIL_DESC_SNAP, snap, sizeof snap},
	};

	make_en0();
	CHECK_EQ(attach_desc(77, &descs[0], 1), 0);
	CHECK_EQ(attach_desc(78, &descs[1], 1), 0);
	watch();
	come_in(our_mac, 38, "\x42\x42\x03zz", 5);
	come_in(our_mac, 1500, "\xaa\xaa\x03\x08\x00\x07\x80\x9b", 8);
	come_in(our_mac, 1500, "\xaa\xaa\x03\x08\x00\x07\x80\x9c", 8);
	come_in(our_mac, 1500, "\xaa\xaa\x03\x08", 4);
	come_in(our_mac, 3, "\x42", 1);
	come_in(our_mac, 0, "", 0);
	CHECK_STR(said(), "77:0 78:0 0:0 0:0 0:0 0:0");
}

KTEST(tags_with_a_vlan_go_to_the_vlans_and_priority_tags_are_removed)
{
	make_en0();
	CHECK_EQ(dlil_plumb(en0, PF_INET), 0);
	watch();
	come_in(our_mac, 0x8100, "\x00\x07\x08\x00" "abcd", 8);
	come_in(our_mac, 0x8100, "\xe0\x00\x08\x00" "abcd", 8);
	come_in(our_mac, 0x8100, "\xe0\x00\x88\xcc" "abcd", 8);
	come_in(our_mac, 0x8100, "\xe0", 1);
	CHECK_STR(said(), "1986814318:0 2:0 0:0 0:0");
}

KTEST(a_removed_priority_tag_leaves_a_whole_header)
{
	struct mbuf *m;
	char *hdr;
	protocol_family_t family = 0;
	uint32_t len;

	make_en0();
	CHECK_EQ(dlil_plumb(en0, PF_INET), 0);
	build(our_mac, 0x8100, "\x20\x00\x08\x00" "abcd", 8);
	m = packet_in(en0, frame, 22, 14);
	hdr = m->m_pkthdr.header;
	len = (uint32_t)m->m_pkthdr.len;
	CHECK_EQ(ether_demux_frame(en0, m, &hdr, &family), 0);
	CHECK_EQ(family, PF_INET);
	CHECK_EQ(m->m_pkthdr.len, len - 4);
	CHECK(hdr + 14 == m->m_data);
	CHECK_EQ(memcmp(hdr, our_mac, 6), 0);
	CHECK_EQ(memcmp(hdr + 6, peer_mac, 6), 0);
	CHECK_EQ(memcmp(hdr + 12, "\x08\x00" "abcd", 6), 0);
	m_freem(m);
}

KTEST(hardware_tags_count_as_tags)
{
	protocol_family_t family = 0;
	struct mbuf *m;
	char *hdr;

	make_en0();
	CHECK_EQ(dlil_plumb(en0, PF_INET), 0);
	build(our_mac, 0x0800, "abcd", 4);
	m = packet_in(en0, frame, 18, 14);
	hdr = m->m_pkthdr.header;
	CHECK_EQ(mbuf_set_vlan_tag(m, 5), 0);
	CHECK_EQ(ether_demux_frame(en0, m, &hdr, &family), 0);
	CHECK_EQ(family, PF_VLAN);
	CHECK_EQ(mbuf_set_vlan_tag(m, 0xe000), 0);
	CHECK_EQ(ether_demux_frame(en0, m, &hdr, &family), 0);
	CHECK_EQ(family, PF_INET);
	m_freem(m);
}

KTEST(the_frame_check_sequence_is_taken_off)
{
	protocol_family_t family = 0;
	struct mbuf *m;
	char *hdr;

	make_en0();
	build(our_mac, 0x0800, "abcdFCS!", 8);
	m = packet_in(en0, frame, 22, 14);
	hdr = m->m_pkthdr.header;
	m->m_flags |= MBUF_HASFCS;
	CHECK_EQ(ether_demux_frame(en0, m, &hdr, &family), ENOENT);
	CHECK_EQ(m->m_pkthdr.len, 4);
	CHECK_EQ(m->m_flags & MBUF_HASFCS, 0);
	m_freem(m);
}

KTEST(descriptors_are_checked_and_rolled_back)
{
	uint8_t a[2] = {0x12, 0x34}, b[2] = {0x56, 0x78}, sap[3] = {1, 2, 3}, snap[5] = {1, 2, 3, 4, 5};
	struct ifnet_demux_desc bad_len[] = {{DLIL_DESC_ETYPE2, a, 3}};
	struct ifnet_demux_desc bad_sap[] = {{DLIL_DESC_ETYPE2, a, 2}, {DLIL_DESC_SAP, sap, 2}};
	struct ifnet_demux_desc bad_snap[] = {{DLIL_DESC_SNAP, snap, 8}};
	struct ifnet_demux_desc bad_type[] = {{DLIL_DESC_ETYPE2, a, 2}, {1, a, 2}};
	struct ifnet_demux_desc one[] = {{DLIL_DESC_ETYPE2, a, 2}};
	struct ifnet_demux_desc taken[] = {{DLIL_DESC_ETYPE2, b, 2}, {DLIL_DESC_ETYPE2, a, 2}};
	struct ifnet_demux_desc other[] = {{DLIL_DESC_ETYPE2, b, 2}, {DLIL_DESC_SNAP, snap, 5}};
	struct ifnet_demux_desc same_snap[] = {{DLIL_DESC_SNAP, snap, 5}};

	make_en0();
	CHECK_EQ(attach_desc(77, bad_len, 1), EINVAL);
	CHECK_EQ(attach_desc(77, bad_sap, 2), EINVAL);
	CHECK_EQ(attach_desc(77, bad_snap, 1), EINVAL);
	CHECK_EQ(attach_desc(77, bad_type, 2), ENOTSUP);
	CHECK_EQ(attach_desc(77, one, 1), 0);
	CHECK_EQ(attach_desc(78, taken, 2), EADDRINUSE);
	CHECK_EQ(attach_desc(78, other, 2), 0);
	CHECK_EQ(attach_desc(79, same_snap, 1), 0);	/* not noticed, as on a Mac */
	CHECK_EQ(ifnet_detach_protocol(en0, 77), 0);
	CHECK_EQ(attach_desc(80, one, 1), 0);
}

KTEST(runt_frames_and_bad_configurations_are_refused)
{
	struct core_iface_config c = config(CORE_MEDIA_ETHERNET);
	struct ifnet *ifp;

	make_en0();
	CHECK_EQ(iface_input(curmachine(), en0, frame, 13), EINVAL);
	CHECK_EQ(en0->stats.ierrors, 1);
	CHECK_EQ(iface_create(curmachine(), &c, &ifp), EBUSY);
	c.unit = 1;
	c.mtu = 20;
	CHECK_EQ(iface_create(curmachine(), &c, &ifp), EINVAL);
	CHECK_EQ(iface_destroy(curmachine(), en0), 0);
	CHECK_EQ(iface_destroy(curmachine(), en0), ENXIO);
	settle();
	CHECK_EQ(iface_input(curmachine(), en0, frame, 60), ENXIO);
	make_en0();
	CHECK_EQ(ifnet_index(en0), 2);
}

/* ---- out ---------------------------------------------------------------------------------- */

static errno_t
send_to(struct sockaddr *dst)
{
	sent_len = sent_count = 0;
	return dlil_output(en0, dst->sa_family, packet("data"), NULL, dst, false);
}

static void
with_addresses(void)
{
	static const uint8_t v4[4] = {10, 0, 0, 1};
	struct sockaddr_in6 v6 = ipv6(0x20, 0x01, 1);

	make_en0();
	CHECK_EQ(iface_add_address(curmachine(), en0, AF_INET, v4, 24), 0);
	CHECK_EQ(iface_add_address(curmachine(), en0, AF_INET6, &v6.sin6_addr, 64), 0);
}

static void
check_frame(const uint8_t *dst, const char *type)
{
	CHECK_EQ(sent_count, 1);
	CHECK_EQ(sent_len, 18);
	CHECK_EQ(memcmp(sent, dst, 6), 0);
	CHECK_EQ(memcmp(sent + 6, our_mac, 6), 0);
	CHECK_EQ(memcmp(sent + 12, type, 2), 0);
	CHECK_EQ(memcmp(sent + 14, "data", 4), 0);
}

KTEST(neighbours_are_looked_up_and_groups_computed)
{
	struct sockaddr_in peer = ipv4(10, 0, 0, 2), group = ipv4(239, 129, 2, 3);
	struct sockaddr_in all = ipv4(255, 255, 255, 255), net = ipv4(10, 0, 0, 255);
	struct sockaddr_in6 peer6 = ipv6(0x20, 0x01, 2), group6 = ipv6(0xff, 0x02, 1);

	with_addresses();
	CHECK_EQ(iface_add_neighbor(curmachine(), en0, AF_INET, &peer.sin_addr, peer_mac), 0);
	CHECK_EQ(iface_add_neighbor(curmachine(), en0, AF_INET6, &peer6.sin6_addr, peer_mac), 0);
	CHECK_EQ(send_to(SA(peer)), 0);
	check_frame(peer_mac, "\x08\x00");
	CHECK_EQ(send_to(SA(peer6)), 0);
	check_frame(peer_mac, "\x86\xdd");
	CHECK_EQ(send_to(SA(group)), 0);
	check_frame((const uint8_t *)"\x01\x00\x5e\x01\x02\x03", "\x08\x00");
	CHECK_EQ(send_to(SA(group6)), 0);
	check_frame((const uint8_t *)"\x33\x33\x00\x00\x00\x01", "\x86\xdd");
	CHECK_EQ(send_to(SA(all)), 0);
	check_frame(ether_broadcast, "\x08\x00");
	CHECK_EQ(send_to(SA(net)), 0);
	check_frame(ether_broadcast, "\x08\x00");
}

KTEST(an_interface_that_is_not_running_sends_nothing)
{
	struct sockaddr_in peer = ipv4(10, 0, 0, 255);

	with_addresses();
	CHECK_EQ(ifnet_set_flags(en0, 0, IFF_RUNNING), 0);
	CHECK_EQ(send_to(SA(peer)), ENETDOWN);
	CHECK_EQ(ifnet_set_flags(en0, IFF_RUNNING, IFF_RUNNING | IFF_UP), 0);
	CHECK_EQ(send_to(SA(peer)), ENETDOWN);
}

KTEST(broadcasts_are_heard_at_home_too)
{
	struct sockaddr_in all = ipv4(255, 255, 255, 255);
	struct ifnet *lo0;

	with_addresses();
	lo0 = dlil_loopback(curmachine());
	CHECK_EQ(send_to(SA(all)), 0);
	CHECK_EQ(lo0->stats.opackets, 1);
	CHECK_EQ(ifnet_set_flags(en0, 0, IFF_SIMPLEX), 0);
	CHECK_EQ(send_to(SA(all)), 0);
	CHECK_EQ(lo0->stats.opackets, 1);
	settle();
}

KTEST(frames_to_our_own_address_stay_at_home)
{
	struct sockaddr_in self = ipv4(10, 0, 0, 9);

	with_addresses();
	CHECK_EQ(iface_add_neighbor(curmachine(), en0, AF_INET, &self.sin_addr, our_mac), 0);
	CHECK_EQ(send_to(SA(self)), 0);
	CHECK_EQ(sent_count, 0);
	CHECK_EQ(dlil_loopback(curmachine())->stats.opackets, 1);
	settle();
}

KTEST(a_given_header_is_used)
{
	struct sockaddr unspec = {.sa_len = 16, .sa_family = AF_UNSPEC};

	with_addresses();
	memcpy(unspec.sa_data, peer_mac, 6);
	memcpy(unspec.sa_data + 12, "\x88\xcc", 2);
	sent_count = 0;
	CHECK_EQ(dlil_output(en0, PF_INET, packet("data"), NULL, &unspec, false), 0);
	check_frame(peer_mac, "\x88\xcc");
}

KTEST(chains_leave_in_one_piece)
{
	struct mbuf *m = packet("head"), *tail = m_get(curmachine(), MBUF_WAITOK, MBUF_TYPE_DATA);

	make_en0();
	memcpy(tail->m_data, "tail", 4);
	tail->m_len = 4;
	m->m_next = tail;
	m->m_pkthdr.len += 4;
	CHECK_EQ(ifnet_output_raw(en0, 0, m), 0);
	CHECK_EQ(sent_len, 8);
	CHECK_EQ(memcmp(sent, "headtail", 8), 0);
	CHECK_EQ(en0->stats.obytes, 8);
}

static errno_t
take_nothing(void *cookie, struct ifnet *ifp, protocol_family_t family, struct mbuf **m, char **hdr)
{
	(void)cookie;
	(void)ifp;
	(void)m;
	note("%u:%x%x", family, (uint8_t)(*hdr)[12], (uint8_t)(*hdr)[13]);
	return 0;
}

KTEST(arp_belongs_to_ipv4)
{
	struct iff_filter f = {.iff_name = "watch", .iff_input = take_nothing};
	interface_filter_t ref;

	with_addresses();
	CHECK_EQ(iflt_attach(en0, &f, &ref), 0);
	come_in(our_mac, 0x0806, "arp!", 4);
	CHECK_STR(said(), "2:86");
	CHECK_EQ(en0->stats.noproto, 0);
}

KTEST(what_has_no_neighbours_address_is_an_error)
{
	struct sockaddr_in peer = ipv4(10, 0, 0, 2);
	struct sockaddr_in6 peer6 = ipv6(0x20, 0x01, 2);

	make_en0();
	CHECK_EQ(dlil_plumb(en0, PF_INET), 0);
	CHECK_EQ(dlil_plumb(en0, PF_INET6), 0);
	CHECK_EQ(send_to(SA(peer)), EHOSTUNREACH);
	CHECK_EQ(send_to(SA(peer6)), EHOSTUNREACH);
	CHECK_EQ(sent_count, 0);
	CHECK_EQ(en0->stats.oerrors, 2);
}

/* ---- links without addresses -------------------------------------------------------------- */

KTEST(raw_links_go_by_the_version)
{
	struct core_iface_config c = config(CORE_MEDIA_RAW);

	c.hdrlen = 4;
	(void)said();
	CHECK_EQ(iface_create(curmachine(), &c, &en0), 0);
	CHECK_EQ(dlil_plumb(en0, PF_INET), 0);
	CHECK_EQ(dlil_plumb(en0, PF_INET6), 0);
	watch();
	CHECK_EQ(iface_input(curmachine(), en0, "????\x45z", 6), 0);
	CHECK_EQ(iface_input(curmachine(), en0, "????\x60z", 6), 0);
	CHECK_EQ(iface_input(curmachine(), en0, "????\x50z", 6), 0);
	CHECK_EQ(iface_input(curmachine(), en0, "????", 4), 0);
	CHECK_EQ(iface_input(curmachine(), en0, "???", 3), EINVAL);
	settle();
	CHECK_STR(said(), "2:0:apart 30:0:apart 0:0:apart 0:0:apart");
	CHECK_EQ(attach_recorder(en0, 77), EPROTONOSUPPORT);
}

KTEST_SUITE(ether,
    T(frames_are_told_apart_by_type_and_destination),
    T(llc_frames_are_told_apart_by_sap_and_snap),
    T(tags_with_a_vlan_go_to_the_vlans_and_priority_tags_are_removed),
    T(a_removed_priority_tag_leaves_a_whole_header),
    T(hardware_tags_count_as_tags),
    T(the_frame_check_sequence_is_taken_off),
    T(descriptors_are_checked_and_rolled_back),
    T(runt_frames_and_bad_configurations_are_refused),
    T(neighbours_are_looked_up_and_groups_computed),
    T(an_interface_that_is_not_running_sends_nothing),
    T(broadcasts_are_heard_at_home_too),
    T(frames_to_our_own_address_stay_at_home),
    T(a_given_header_is_used),
    T(chains_leave_in_one_piece),
    T(arp_belongs_to_ipv4),
    T(what_has_no_neighbours_address_is_an_error),
    T(raw_links_go_by_the_version));
