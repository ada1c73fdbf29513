/*
 * What the tests of neighbours share: an Ethernet link on which the test plays all other stations.
 *
 *	[ machine en0 02:00:00:00:00:01 10.0.0.1/24 ]----- link -----[ the test: 02:00:00:00:00:02 ... ]
 */
#ifndef NKE_TESTS_NBR_TESTING_H
#define NKE_TESTS_NBR_TESTING_H

#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>

#include "src/net/neighbor.h"
#include "src/net/rtable.h"
#include "src/netinet/arp.h"
#include "src/netinet/ip_private.h"
#include "tests/unit/dlil_testing.h"

#define MS	UINT64_C(1000000)
#define SEC	UINT64_C(1000000000)

#define LINK_FRAMES	512u
#define LINK_FRAME_MAX	1514u

static struct ifnet *en0;
/* What left, oldest first; `taken`: how many the test has looked at. */
static struct frame {
	size_t len;
	uint8_t data[LINK_FRAME_MAX];
} frames[LINK_FRAMES];
static unsigned frame_count, frames_taken;
static bool frames_ignored;		/* a flood: they are counted only */

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t other_mac[6] = {2, 0, 0, 0, 0, 3};
static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void UNUSED
link_output(void *ctx, const void *frame, size_t len)
{
	(void)ctx;
	if (frames_ignored) {
		frame_count++;
		return;
	}
	CHECK(frame_count < LINK_FRAMES && len <= LINK_FRAME_MAX);
	frames[frame_count].len = len;
	memcpy(frames[frame_count++].data, frame, len);
}

static inline void
forget_frames(void)
{
	frame_count = frames_taken = 0;
}

static inline void
make_link(void)
{
	struct core_iface_config c = {
		.name = "en", .media = CORE_MEDIA_ETHERNET, .lladdr = {2, 0, 0, 0, 0, 1},
		.output = link_output,
	};

	frames_ignored = false;
	forget_frames();
	CHECK_EQ(iface_create(curmachine(), &c, &en0), 0);
}

static inline void
wait_ns(uint64_t ns)
{
	(void)sched_block(NULL, machine_now(curmachine()) + ns, false, "the test waits");
}

/* The next frame of that type that left and was not looked at yet, others are passed over; NULL none. */
static inline const struct frame *
next_frame(uint16_t type)
{
	while (frames_taken < frame_count) {
		const struct frame *f = &frames[frames_taken++];

		if (f->data[12] == type >> 8 && f->data[13] == (type & 0xff))
			return f;
	}
	return NULL;
}

static inline void
come_in(const uint8_t *dst, const uint8_t *src, uint16_t type, const void *payload, size_t len)
{
	uint8_t frame[LINK_FRAME_MAX];

	memcpy(frame, dst, 6);
	memcpy(frame + 6, src, 6);
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
	memcpy(frame + 14, payload, len);
	CHECK_EQ(iface_input(curmachine(), en0, frame, 14 + len), 0);
	settle();
}

/* ---- ARP ---------------------------------------------------------------------------------- */

static inline struct in_addr
in4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return ipv4(a, b, c, d).sin_addr;
}

/* Another station says that `spa` is at `sha`, to (or about) `tpa`. */
static inline void
arp_comes(u_short op, const uint8_t *sha, struct in_addr spa, struct in_addr tpa)
{
	struct ether_arp ea = {.ea_hdr = {htons(ARPHRD_ETHER), htons(0x0800), 6, 4, htons(op)}};

	memcpy(ea.arp_sha, sha, 6);
	memcpy(ea.arp_spa, &spa, 4);
	if (op == ARPOP_REPLY)
		memcpy(ea.arp_tha, our_mac, 6);
	memcpy(ea.arp_tpa, &tpa, 4);
	come_in(op == ARPOP_REPLY ? our_mac : everybody, sha, 0x0806, &ea, sizeof ea);
}

/* The next ARP frame that left; `to` gets the destination of the frame. */
static inline bool
next_arp(struct ether_arp *ea, uint8_t to[6])
{
	const struct frame *f = next_frame(0x0806);

	if (f == NULL)
		return false;
	CHECK_EQ(f->len, 14 + sizeof *ea);
	if (to != NULL)
		memcpy(to, f->data, 6);
	memcpy(ea, f->data + 14, sizeof *ea);
	return true;
}

static inline void
add4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	struct in_addr in = in4(a, b, c, d);

	CHECK_EQ(iface_add_address(curmachine(), en0, AF_INET, &in, 24), 0);
}

static inline void
set_int(const char *name, int value)
{
	struct sysctl_access a = {.new = &value, .new_len = sizeof value};

	CHECK_EQ(sysctl_by_name(curmachine(), name, &a), 0);
}

static inline int
get_int(const char *name)
{
	int value = 0;
	size_t len = sizeof value;
	struct sysctl_access a = {.old = &value, .old_len = &len};

	CHECK_EQ(sysctl_by_name(curmachine(), name, &a), 0);
	return value;
}

/* A datagram (an IP header and two bytes) to a neighbour; the tag tells one from the other. */
static inline struct mbuf *
datagram(struct in_addr src, struct in_addr dst, uint8_t tag)
{
	struct ip ip = {.ip_hl = 5, .ip_v = 4, .ip_len = htons(22), .ip_ttl = 64, .ip_p = 253,
	    .ip_src = src, .ip_dst = dst};
	uint8_t bytes[22];

	memcpy(bytes, &ip, sizeof ip);
	bytes[20] = tag;
	bytes[21] = 0;
	return m_devget(curmachine(), bytes, sizeof bytes, 32);
}

static inline errno_t
send4(struct sockaddr_in dst, uint8_t tag)
{
	return dlil_output(en0, PF_INET, datagram(in4(10, 0, 0, 1), dst.sin_addr, tag), NULL, SA(dst), false);
}

static inline struct neighbor *
entry(const struct sockaddr *sa)
{
	return neighbor_find(en0, sa);
}

#endif
