/*
 * net/if_ether.h (kpi/if_ether.c and dlil/ether.c) for interfaces of a kext's own: its driver fills the
 * slots of struct ifnet_init_params with these functions.
 */
#include <net/dlil.h>
#include <net/if_ether.h>

#include "tests/unit/dlil_testing.h"

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t everybody[6] = {255, 255, 255, 255, 255, 255}, group[6] = {1, 0, 0x5e, 0, 0, 1};

static struct ifnet *eth0;

static errno_t
ether_driver_ioctl(struct ifnet *ifp, unsigned long command, void *data)
{
	return ether_ioctl(ifp, (u_int32_t)command, data);
}

static void
make_eth0(void)
{
	struct ifnet_init_params params = driver_params("eth", 0);
	struct sockaddr_dl lladdr = {
		.sdl_len = sizeof lladdr, .sdl_family = AF_LINK, .sdl_alen = sizeof our_mac,
	};

	memset(&drv, 0, sizeof drv);
	memcpy(lladdr.sdl_data, our_mac, sizeof our_mac);
	params.type = IFT_ETHER;
	params.family = IFNET_FAMILY_ETHERNET;
	params.demux = ether_demux;
	params.add_proto = ether_add_proto;
	params.del_proto = ether_del_proto;
	params.framer = ether_frameout;
	params.check_multi = ether_check_multi;
	params.ioctl = ether_driver_ioctl;
	params.broadcast_addr = everybody;
	params.broadcast_len = sizeof everybody;
	CHECK_EQ(ifnet_allocate(&params, &eth0), 0);
	CHECK_EQ(ifnet_set_hdrlen(eth0, ETHER_HDR_LEN), 0);
	CHECK_EQ(ifnet_attach(eth0, &lladdr), 0);
	CHECK_EQ(ifnet_set_flags(eth0, IFF_UP | IFF_RUNNING | IFF_BROADCAST | IFF_SIMPLEX,
	    IFF_UP | IFF_RUNNING | IFF_BROADCAST | IFF_SIMPLEX), 0);
	(void)said();
}

static struct ifnet_demux_desc
type_desc(void *type)
{
	return (struct ifnet_demux_desc){.type = DLIL_DESC_ETYPE2, .data = type, .datalen = 2};
}

/* ---- protocols ---------------------------------------------------------------------------- */

KTEST(a_type_belongs_to_one_protocol)
{
	uint8_t type[2] = {0x88, 0xb5}, other[2] = {0x88, 0xb6};
	struct ifnet_demux_desc descs[2] = {type_desc(other), type_desc(type)};

	make_eth0();
	CHECK_EQ(ether_add_proto(eth0, 77, &descs[1], 1), 0);
	CHECK_EQ(ether_add_proto(eth0, 78, descs, 2), EADDRINUSE);
	/* The first of the two was not kept. */
	CHECK_EQ(ether_add_proto(eth0, 79, &descs[0], 1), 0);
	CHECK_EQ(ether_del_proto(eth0, 77), 0);
	CHECK_EQ(ether_del_proto(eth0, 77), 0);
	CHECK_EQ(ether_add_proto(eth0, 78, &descs[1], 1), 0);
	CHECK_EQ(ether_del_proto(eth0, 78), 0);
	CHECK_EQ(ether_del_proto(eth0, 79), 0);
}

KTEST(descriptions_that_are_not_ethernets_are_refused)
{
	uint8_t type[5] = {0x88, 0xb5};
	struct ifnet_demux_desc desc = type_desc(type);

	make_eth0();
	desc.datalen = 3;
	CHECK_EQ(ether_add_proto(eth0, 77, &desc, 1), EINVAL);
	desc.type = DLIL_DESC_SAP;
	desc.datalen = 2;
	CHECK_EQ(ether_add_proto(eth0, 77, &desc, 1), EINVAL);
	desc.type = DLIL_DESC_SNAP;
	CHECK_EQ(ether_add_proto(eth0, 77, &desc, 1), EINVAL);
	desc.type = 1000;
	CHECK_EQ(ether_add_proto(eth0, 77, &desc, 1), ENOTSUP);
}

/* Which protocol a frame is for, and the flags it got; 0 nobody's. */
static void
see(const uint8_t *dst, const char *type)
{
	char frame[18] = "";
	protocol_family_t family = 0;
	struct mbuf *m;
	errno_t error;

	memcpy(frame, dst, 6);
	memcpy(frame + 6, peer_mac, 6);
	memcpy(frame + 12, type, 2);
	m = packet_in(eth0, frame, sizeof frame, ETHER_HDR_LEN);
	error = ether_demux(eth0, m, m->m_pkthdr.header, &family);
	CHECK(error == 0 || error == ENOENT);
	note("%u:%x", error == 0 ? family : 0,
	    mbuf_flags(m) & (MBUF_BCAST | MBUF_MCAST | MBUF_PROMISC));
	mbuf_freem(m);
}

KTEST(frames_find_their_protocol)
{
	uint8_t type[2] = {0x88, 0xb5};
	struct ifnet_demux_desc desc = type_desc(type);

	make_eth0();
	see(our_mac, "\x88\xb5");
	CHECK_STR(said(), "0:0");
	CHECK_EQ(ether_add_proto(eth0, 77, &desc, 1), 0);
	see(our_mac, "\x88\xb5");
	see(everybody, "\x88\xb5");
	see(group, "\x88\xb5");
	see(peer_mac, "\x88\xb5");
	see(our_mac, "\x88\xb6");
	CHECK_STR(said(), "77:0 77:100 77:200 77:2000 0:0");
	CHECK_EQ(ether_del_proto(eth0, 77), 0);
	see(our_mac, "\x88\xb5");
	CHECK_STR(said(), "0:0");
}

/* ---- framing ------------------------------------------------------------------------------ */

KTEST(a_header_is_put_in_front)
{
	struct sockaddr_in peer = ipv4(10, 0, 0, 2);
	static const uint8_t want[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5, 'd', 'a', 't', 'a'};
	struct mbuf *m = packet("data");
	uint8_t got[sizeof want];

	make_eth0();
	CHECK_EQ(ether_frameout(eth0, &m, SA(peer), (const char *)peer_mac, "\x88\xb5"), 0);
	CHECK_EQ(mbuf_pkthdr_len(m), sizeof want);
	CHECK_EQ(mbuf_copydata(m, 0, sizeof want, got), 0);
	CHECK_EQ(memcmp(got, want, sizeof want), 0);
	mbuf_freem(m);
}

KTEST(frames_to_oneself_and_broadcasts_come_back)
{
	struct sockaddr_in peer = ipv4(10, 0, 0, 1);
	struct ifnet *lo0 = dlil_loopback(curmachine());
	struct mbuf *m = packet("data");

	make_eth0();
	CHECK_EQ(ether_frameout(eth0, &m, SA(peer), (const char *)our_mac, "\x08\x00"), EJUSTRETURN);
	CHECK_EQ(lo0->stats.opackets, 1);
	m = packet("data");
	mbuf_setflags(m, mbuf_flags(m) | MBUF_BCAST);
	CHECK_EQ(ether_frameout(eth0, &m, SA(peer), (const char *)everybody, "\x08\x00"), 0);
	CHECK_EQ(mbuf_pkthdr_len(m), 18);
	CHECK_EQ(lo0->stats.opackets, 2);
	mbuf_freem(m);
	settle();
}

/* ---- questions to the driver -------------------------------------------------------------- */

KTEST(the_usual_ioctls_are_answered)
{
	struct ifreq ifr = {.ifr_name = "eth0"};

	make_eth0();
	CHECK_EQ(ether_ioctl(eth0, SIOCGIFADDR, &ifr), 0);
	CHECK_EQ(memcmp(ifr.ifr_addr.sa_data, our_mac, sizeof our_mac), 0);
	CHECK_EQ(ifnet_set_flags(eth0, 0, IFF_UP), 0);
	CHECK_EQ(ether_ioctl(eth0, SIOCSIFADDR, &ifr), 0);
	CHECK(ifnet_flags(eth0) & IFF_UP);
	CHECK_EQ(ifnet_set_flags(eth0, 0, IFF_UP), 0);
	CHECK_EQ(ether_ioctl(eth0, SIOCAIFADDR, &ifr), 0);
	CHECK(ifnet_flags(eth0) & IFF_UP);
	CHECK_EQ(ether_ioctl(eth0, SIOCSIFMTU, &ifr), 0);
	CHECK_EQ(ether_ioctl(eth0, SIOCSIFFLAGS, &ifr), EOPNOTSUPP);
	/* The same through the interface. */
	CHECK_EQ(ifnet_ioctl(eth0, 0, SIOCSIFMTU, &ifr), 0);
}

KTEST(only_groups_may_be_joined)
{
	struct sockaddr_dl link = {.sdl_len = sizeof link, .sdl_family = AF_LINK, .sdl_alen = 6};
	struct sockaddr unspec = {.sa_len = sizeof unspec, .sa_family = AF_UNSPEC};
	struct sockaddr_in ip = ipv4(224, 0, 0, 1);

	make_eth0();
	memcpy(link.sdl_data, group, 6);
	CHECK_EQ(ether_check_multi(eth0, SA(link)), 0);
	memcpy(link.sdl_data, peer_mac, 6);
	CHECK_EQ(ether_check_multi(eth0, SA(link)), EADDRNOTAVAIL);
	memcpy(unspec.sa_data, everybody, 6);
	CHECK_EQ(ether_check_multi(eth0, &unspec), 0);
	memcpy(unspec.sa_data, our_mac, 6);
	CHECK_EQ(ether_check_multi(eth0, &unspec), EADDRNOTAVAIL);
	CHECK_EQ(ether_check_multi(eth0, SA(ip)), EOPNOTSUPP);
}

/* ---- all of it together ------------------------------------------------------------------- */

static void
come_and_go(void)
{
	uint8_t type[2] = {0x88, 0xb5};
	struct ifnet_demux_desc desc = type_desc(type);
	struct ifnet_attach_proto_param protocol = {
		.input = prt_input, .detached = prt_detached, .demux_array = &desc, .demux_count = 1,
	};
	char frame[18] = "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x88\xb5" "Xyz";

	make_eth0();
	memset(&prt, 0, sizeof prt);
	CHECK_EQ(ifnet_attach_protocol(eth0, 77, &protocol), 0);
	(void)said();
	CHECK_EQ(ifnet_input(eth0, packet_in(eth0, frame, sizeof frame, ETHER_HDR_LEN), NULL), 0);
	settle();
	CHECK_STR(said(), "in:77:\x02X");
	frame[13] = 0;
	CHECK_EQ(ifnet_input(eth0, packet_in(eth0, frame, sizeof frame, ETHER_HDR_LEN), NULL), 0);
	settle();
	CHECK_EQ(eth0->stats.noproto, 1);
	/* Detached with its protocol still there: the table of types goes with it. */
	CHECK_EQ(ifnet_detach(eth0), 0);
	settle();
	CHECK_STR(said(), "prt-detached:77 detached");
	CHECK_EQ(ifnet_release(eth0), 0);
	settle();
}

KTEST(a_kexts_ethernet_comes_and_goes_without_a_trace)
{
	struct core_memory before, after;

	/* What the first one leaves is kept for good. */
	come_and_go();
	machine_memory(curmachine(), &before);
	come_and_go();
	machine_memory(curmachine(), &after);
	CHECK_EQ(after.heap_blocks, before.heap_blocks);
}

KTEST_SUITE(if_ether,
    T(a_type_belongs_to_one_protocol), T(descriptions_that_are_not_ethernets_are_refused),
    T(frames_find_their_protocol), T(a_header_is_put_in_front),
    T(frames_to_oneself_and_broadcasts_come_back), T(the_usual_ioctls_are_answered),
    T(only_groups_may_be_joined), T(a_kexts_ethernet_comes_and_goes_without_a_trace));
