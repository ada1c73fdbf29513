/*
 * dlil/host_live.c: frames that come in together, checksums that the sender left out, the carrier; what
 * becomes of such frames when they are forwarded; and dlil/host_iface.c's frames that leave together.
 *
 *	[ harness ]-- iface_input_many --[ en0 10.0.0.1, fd00::1  machine  en1 10.1.0.1, fd01::1 ]-- output
 */
#include <net/net_kev.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>

#include "src/netinet/ip_private.h"
#include "src/netinet/ip_state.h"
#include "src/netinet6/ip6_state.h"
#include "tests/unit/dlil_testing.h"

static struct ifnet *en0, *en1;
static uint8_t sent[2048];
static size_t sent_len;
static const uint8_t next_mac[6] = {2, 0, 0, 0, 0, 9};

static void
leaves(void *ctx, const void *frame, size_t len)
{
	(void)ctx;
	if (len > sizeof sent || ((const uint8_t *)frame)[12] == ETHERTYPE_ARP >> 8)
		if (((const uint8_t *)frame)[13] == (ETHERTYPE_ARP & 0xff))
			return;
	memcpy(sent, frame, len);
	sent_len = len;
}

static struct ifnet *
make(uint32_t unit, uint8_t net)
{
	struct core_iface_config c = {.name = "en", .unit = unit, .lladdr = {2, 0, 0, 0, 0,
	    (uint8_t)(unit + 1)},
	    .output = leaves};
	uint8_t v4[4] = {10, net, 0, 1}, v6[16] = {0xfd, net, [15] = 1};
	struct ifnet *ifp;

	CHECK_EQ(iface_create(curmachine(), &c, &ifp), 0);
	CHECK_EQ(iface_add_address(curmachine(), ifp, AF_INET, v4, 24), 0);
	CHECK_EQ(iface_add_address(curmachine(), ifp, AF_INET6, v6, 64), 0);
	v4[3] = v6[15] = 2;
	CHECK_EQ(iface_add_neighbor(curmachine(), ifp, AF_INET, v4, next_mac), 0);
	CHECK_EQ(iface_add_neighbor(curmachine(), ifp, AF_INET6, v6, next_mac), 0);
	return ifp;
}

static void
begin(void)
{
	sent_len = 0;
	(void)said();
	en0 = make(0, 0);
	en1 = make(1, 1);
	curmachine()->ip->forwarding = 1;
	curmachine()->ip6->forwarding = 1;
	/* duplicate address detection */
	sched_block(NULL, machine_now(curmachine()) + UINT64_C(4000000000), false, "addresses");
	sent_len = 0;
}

/* ---- frames ------------------------------------------------------------------------------- */

#define PAYLOAD	100u

static uint32_t
pseudo6(const struct ip6_hdr *ip6)
{
	const struct in6_addr src = ip6->ip6_src, dst = ip6->ip6_dst;

	return in6_pseudo(&src, &dst, IPPROTO_UDP, 8 + PAYLOAD);
}

/* A datagram that is to be forwarded, with the pseudo header's sum for a checksum, as Linux leaves it. */
static struct core_input
unsummed(uint8_t *f, bool v4)
{
	size_t hlen = v4 ? 20 : 40, len = 14 + hlen + 8 + PAYLOAD;
	struct udphdr uh = {.uh_sport = htons(1000), .uh_dport = htons(2000), .uh_ulen = htons(8 + PAYLOAD)};
	uint32_t pseudo;

	memset(f, 0x5a, len);
	memcpy(f, en0->lladdr, 6);
	memcpy(f + 6, next_mac, 6);
	f[12] = v4 ? 0x08 : 0x86;
	f[13] = v4 ? 0x00 : 0xdd;
	if (v4) {
		struct ip ip = {.ip_v = 4, .ip_hl = 5, .ip_len = htons((uint16_t)(len - 14)), .ip_ttl = 9,
		    .ip_p = IPPROTO_UDP, .ip_src.s_addr = htonl(0x0a000002),
			.ip_dst.s_addr = htonl(0x0a010002)};

		ip.ip_sum = in_cksum_buf(&ip, sizeof ip);
		memcpy(f + 14, &ip, sizeof ip);
		pseudo = in_pseudo(ip.ip_src, ip.ip_dst, IPPROTO_UDP, 8 + PAYLOAD);
	} else {
		struct ip6_hdr ip6 = {.ip6_flow = htonl(6u << 28), .ip6_plen = htons(8 + PAYLOAD),
		    .ip6_nxt = IPPROTO_UDP, .ip6_hlim = 9};

		ip6.ip6_src.s6_addr[0] = ip6.ip6_dst.s6_addr[0] = 0xfd;
		ip6.ip6_dst.s6_addr[1] = 1;
		ip6.ip6_src.s6_addr[15] = ip6.ip6_dst.s6_addr[15] = 2;
		memcpy(f + 14, &ip6, sizeof ip6);
		pseudo = pseudo6(&ip6);
	}
	while (pseudo > 0xffff)
		pseudo = (pseudo >> 16) + (pseudo & 0xffff);
	uh.uh_sum = (uint16_t)pseudo;
	memcpy(f + 14 + hlen, &uh, sizeof uh);
	return (struct core_input){.frame = f, .len = (uint32_t)len, .flags = CORE_UNSUMMED,
	    .csum_start = (uint16_t)(14 + hlen), .csum_offset = offsetof(struct udphdr, uh_sum)};
}

/* Of an IP datagram of UDP behind 14 bytes. */
static bool
checksum_is_good(const uint8_t *f, size_t len, bool v4)
{
	struct mbuf *m = m_devget(curmachine(), f + 14, len - 14, 0);
	size_t hlen = v4 ? 20 : 40;
	uint32_t pseudo;
	uint16_t sum;

	CHECK(m != NULL && len == 14 + hlen + 8 + PAYLOAD);
	if (v4) {
		struct ip ip;

		memcpy(&ip, f + 14, sizeof ip);
		pseudo = in_pseudo(ip.ip_src, ip.ip_dst, IPPROTO_UDP, 8 + PAYLOAD);
	} else {
		struct ip6_hdr ip6;

		memcpy(&ip6, f + 14, sizeof ip6);
		pseudo = pseudo6(&ip6);
	}
	sum = in_cksum_sum(m, hlen, 8 + PAYLOAD, pseudo);
	m_freem(m);
	return sum == 0xffff;
}

static void
give(const struct core_input *in, unsigned count, unsigned want)
{
	unsigned taken = 99;

	CHECK_EQ(iface_input_many(curmachine(), en0, in, count, &taken), 0);
	CHECK_EQ(taken, want);
	settle();
}

/* ---- tests -------------------------------------------------------------------------------- */

KTEST(forwarding_completes_a_checksum)
{
	uint8_t f[256];

	begin();
	for (int v4 = 0; v4 < 2; v4++) {
		struct core_input in = unsummed(f, v4 != 0);

		CHECK(!checksum_is_good(f, in.len, v4 != 0));
		give(&in, 1, 1);
		CHECK_EQ(sent_len, in.len);
		CHECK(memcmp(sent, next_mac, 6) == 0);
		CHECK(checksum_is_good(sent, sent_len, v4 != 0));
	}
}

static uint8_t seen[256];
static size_t seen_len;

static errno_t
look(void *cookie, ifnet_t ifp, protocol_family_t family, mbuf_t *data, char **header)
{
	(void)cookie;
	(void)ifp;
	(void)family;
	memcpy(seen, *header, 14);
	seen_len = 14 + mbuf_pkthdr_len(*data);
	CHECK(seen_len <= sizeof seen);
	return mbuf_copydata(*data, 0, seen_len - 14, seen + 14);
}

KTEST(filters_see_complete_checksums)
{
	struct iff_filter filter = {.iff_name = "look", .iff_input = look};
	interface_filter_t ref;
	uint8_t f[256];

	begin();
	CHECK_EQ(iflt_attach(en0, &filter, &ref), 0);
	for (int v4 = 0; v4 < 2; v4++) {
		struct core_input in = unsummed(f, v4 != 0);

		give(&in, 1, 1);
		CHECK(checksum_is_good(seen, seen_len, v4 != 0));
		CHECK(checksum_is_good(sent, sent_len, v4 != 0));
	}
	iflt_detach(ref);
}

KTEST(what_makes_no_sense_is_not_taken_for_a_checksum)
{
	uint8_t f[256], before[256];
	struct core_input in;

	begin();
	in = unsummed(f, true);
	memcpy(before, f, sizeof f);
	for (unsigned i = 0; i < 4; i++) {
		struct core_input odd = in;

		odd.csum_start = i == 0 ? 0 : i == 1 ? 65535 : i == 2 ? (uint16_t)(in.len - 1) :
		    in.csum_start;
		odd.csum_offset = i == 3 ? 65535 : in.csum_offset;
		give(&odd, 1, 1);
	}
	CHECK(memcmp(before, f, sizeof f) == 0);
}

KTEST(a_batch_is_taken_in_order)
{
	uint8_t f[3][256];
	struct core_input in[5];
	uint64_t errors, packets;

	begin();
	for (unsigned i = 0; i < 3; i++) {
		in[i] = unsummed(f[i], true);
		f[i][sizeof(struct ip) + 14 + 8] = (uint8_t)i;
	}
	in[3] = (struct core_input){.frame = f[0], .len = 13};
	in[4] = (struct core_input){.frame = f[0], .len = 0};
	errors = en0->stats.ierrors;
	packets = en0->stats.ipackets;
	give(in, 5, 3);
	CHECK_EQ(en0->stats.ierrors, errors + 2);
	CHECK_EQ(en0->stats.ipackets, packets + 3);
	CHECK_EQ(sent[14 + 20 + 8], 2);
	give(in, 0, 0);
	give(in + 3, 2, 0);
	CHECK_EQ(iface_destroy(curmachine(), en0), 0);
	CHECK_EQ(iface_input_many(curmachine(), en0, in, 3, NULL), ENXIO);
}

/* Notes each call of the device, by the first octets of its frames. */
static void
leave_together(void *ctx, const struct core_output *out, unsigned count)
{
	char ids[CORE_OUTPUT_MOST + 1] = "";

	(void)ctx;
	CHECK(count <= CORE_OUTPUT_MOST);
	for (unsigned i = 0; i < count; i++) {
		CHECK(out[i].count != 0 && out[i].len >= 60);
		ids[i] = *(const char *)out[i].pieces[0].base;
	}
	note("%s", ids);
}

static struct ifnet *
make_device(void)
{
	struct core_iface_config c = {.name = "en", .unit = 7, .lladdr = {2, 0, 0, 0, 0, 7},
	    .output = leaves, .output_pieces = leave_together, .offload = true};
	struct ifnet *ifp;

	CHECK_EQ(iface_create(curmachine(), &c, &ifp), 0);
	settle();
	(void)said();
	return ifp;
}

/* Frames that begin with these octets: capitals are large segments, digits in more pieces than it takes. */
static void
send_frames(struct ifnet *ifp, const char *ids)
{
	char bytes[60] = "";
	struct mbuf *m, *last;

	for (; *ids != '\0'; ids++) {
		bytes[0] = *ids;
		m = last = m_devget(curmachine(), bytes, sizeof bytes, 0);
		CHECK(m != NULL);
		if (*ids >= 'A' && *ids <= 'Z')
			m->m_pkthdr.csum_flags |= CSUM_TSO4;
		for (unsigned i = 0; *ids <= '9' && i < CORE_OUTPUT_PIECES; i++) {
			last->m_next = m_devget(curmachine(), bytes, 1, 0);
			CHECK(last->m_next != NULL);
			last = last->m_next;
		}
		CHECK_EQ(ifp->output(ifp, m), 0);
	}
}

KTEST(large_segments_leave_together_and_in_order)
{
	struct ifnet *ifp = make_device();

	send_frames(ifp, "ABC");
	CHECK_STR(said(), "");
	settle();
	CHECK_STR(said(), "ABC");
	send_frames(ifp, "a");
	CHECK_STR(said(), "a");
	send_frames(ifp, "ABc");
	CHECK_STR(said(), "ABc");
	send_frames(ifp, "AB1");
	CHECK_STR(said(), "AB 1");
	send_frames(ifp, "ABCDEFGHI");
	CHECK_STR(said(), "ABCDEFGH");
	settle();
	CHECK_STR(said(), "I");
}

KTEST(what_is_held_leaves_before_the_interface_goes)
{
	struct ifnet *ifp = make_device();

	send_frames(ifp, "AB");
	CHECK_EQ(iface_destroy(curmachine(), ifp), 0);
	CHECK_STR(said(), "AB");
	settle();
	CHECK_STR(said(), "");
}

static errno_t
hear(void *arg, const struct kern_event_msg *msg)
{
	(void)arg;
	if (msg->kev_subclass == KEV_DL_SUBCLASS &&
	    (msg->event_code == KEV_DL_LINK_ON || msg->event_code == KEV_DL_LINK_OFF))
		note("%s", msg->event_code == KEV_DL_LINK_ON ? "on" : "off");
	return 0;
}

KTEST(a_carrier_that_changes_is_news)
{
	static struct kev_listener listener;

	begin();
	listener = (struct kev_listener){.filter = {KEV_VENDOR_APPLE, KEV_NETWORK_CLASS, KEV_ANY_SUBCLASS},
	    .event = hear};
	kev_listen(curmachine(), &listener);
	CHECK_EQ(iface_set_carrier(curmachine(), en0, true), 0);
	CHECK_STR(said(), "");
	CHECK_EQ(iface_set_carrier(curmachine(), en0, false), 0);
	CHECK_EQ(iface_set_carrier(curmachine(), en0, false), 0);
	CHECK(!(en0->flags & IFF_RUNNING));
	CHECK_STR(said(), "off");
	CHECK_EQ(iface_set_carrier(curmachine(), en0, true), 0);
	CHECK(en0->flags & IFF_RUNNING);
	CHECK_STR(said(), "on");
	kev_unlisten(curmachine(), &listener);
}

KTEST_SUITE(host_live,
    T(forwarding_completes_a_checksum),
    T(filters_see_complete_checksums),
    T(what_makes_no_sense_is_not_taken_for_a_checksum),
    T(a_batch_is_taken_in_order),
    T(large_segments_leave_together_and_in_order),
    T(what_is_held_leaves_before_the_interface_goes),
    T(a_carrier_that_changes_is_news));
