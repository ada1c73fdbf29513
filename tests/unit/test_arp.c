/* src/netinet/arp.c, arp_acd.c, dlil/ether_inet.c: ARP, and conflicts about addresses. */
#include <netinet/in_var.h>

#include "src/kern/sysctl.h"
#include "tests/unit/nbr_testing.h"

/* 10.0.0.1/24, and what its addition sent is forgotten. */
static void
prepare(void)
{
	make_link();
	add4(10, 0, 0, 1);
	wait_ns(5 * SEC);
	forget_frames();
	(void)said();
}

static struct arpstat
stats(void)
{
	struct arpstat stat;
	size_t len = sizeof stat;
	struct sysctl_access a = {.old = &stat, .old_len = &len};

	CHECK_EQ(sysctl_by_name(curmachine(), "net.link.ether.inet.stats", &a), 0);
	return stat;
}

#define CHECK_IN4(bytes, a, b, c, d) do {						\
	const uint8_t want_[4] = {a, b, c, d};						\
	CHECK_EQ(memcmp((bytes), want_, 4), 0);						\
} while (0)

/* ---- asking and answering ----------------------------------------------------------------- */

KTEST(an_unknown_neighbour_is_asked_for_and_its_answer_lets_packets_go)
{
	struct sockaddr_in peer = ipv4(10, 0, 0, 2);
	struct ether_arp ea;
	const struct frame *f;
	uint8_t to[6];

	prepare();
	CHECK_EQ(send4(peer, 7), 0);
	CHECK(next_arp(&ea, to));
	CHECK_EQ(memcmp(to, everybody, 6), 0);
	CHECK_EQ(ntohs(ea.arp_op), ARPOP_REQUEST);
	CHECK_EQ(memcmp(ea.arp_sha, our_mac, 6), 0);
	CHECK_IN4(ea.arp_spa, 10, 0, 0, 1);
	CHECK_IN4(ea.arp_tpa, 10, 0, 0, 2);
	CHECK_EQ(memcmp(ea.arp_tha, "\0\0\0\0\0\0", 6), 0);
	arp_comes(ARPOP_REPLY, peer_mac, peer.sin_addr, in4(10, 0, 0, 1));
	f = next_frame(0x0800);
	CHECK(f != NULL && memcmp(f->data, peer_mac, 6) == 0 && f->data[34] == 7);
	CHECK_EQ(send4(peer, 8), 0);
	f = next_frame(0x0800);
	CHECK(f != NULL && f->data[34] == 8);
	CHECK_EQ(stats().txrequests, 2);	/* one of them was the probe for our own address */
	CHECK_EQ(stats().rxreplies, 1);
	CHECK_EQ(stats().inuse, 1);
}

KTEST(nobody_answers)
{
	struct sockaddr_in peer = ipv4(10, 0, 0, 2);
	struct ether_arp ea;
	unsigned requests = 0;

	prepare();
	CHECK_EQ(send4(peer, 1), 0);
	wait_ns(10 * SEC);
	while (next_arp(&ea, NULL))
		requests++;
	CHECK_EQ(requests, 5);
	CHECK_EQ(send4(peer, 2), EHOSTDOWN);
	CHECK_EQ(stats().timeouts, 1);
	CHECK_EQ(stats().held, 0);
	wait_ns(20 * SEC);
	CHECK_EQ(send4(peer, 3), 0);
	CHECK(next_arp(&ea, NULL));
	wait_ns(30 * SEC);
}

KTEST(a_request_for_us_is_answered_and_its_sender_known)
{
	struct sockaddr_in peer = ipv4(10, 0, 0, 2);
	struct ether_arp ea;
	uint8_t to[6];

	prepare();
	arp_comes(ARPOP_REQUEST, peer_mac, peer.sin_addr, in4(10, 0, 0, 1));
	CHECK(next_arp(&ea, to));
	CHECK_EQ(memcmp(to, peer_mac, 6), 0);
	CHECK_EQ(ntohs(ea.arp_op), ARPOP_REPLY);
	CHECK_EQ(memcmp(ea.arp_sha, our_mac, 6), 0);
	CHECK_EQ(memcmp(ea.arp_tha, peer_mac, 6), 0);
	CHECK_IN4(ea.arp_spa, 10, 0, 0, 1);
	CHECK_IN4(ea.arp_tpa, 10, 0, 0, 2);
	CHECK_EQ(send4(peer, 1), 0);
	CHECK(next_frame(0x0800) != NULL);
	CHECK(!next_arp(&ea, NULL));
	CHECK_EQ(entry(SA(peer))->state, NEIGHBOR_REACHABLE);
}

KTEST(requests_for_others_make_no_entries)
{
	struct sockaddr_in peer = ipv4(10, 0, 0, 2), far = ipv4(192, 168, 1, 1);
	struct ether_arp ea;

	prepare();
	arp_comes(ARPOP_REQUEST, peer_mac, peer.sin_addr, in4(10, 0, 0, 9));
	arp_comes(ARPOP_REPLY, peer_mac, peer.sin_addr, in4(10, 0, 0, 1));
	arp_comes(ARPOP_REQUEST, peer_mac, peer.sin_addr, peer.sin_addr);
	CHECK(!next_arp(&ea, NULL));
	CHECK(entry(SA(peer)) == NULL);
	/* Who is on another network is answered, but not remembered. */
	arp_comes(ARPOP_REQUEST, peer_mac, far.sin_addr, in4(10, 0, 0, 1));
	CHECK(next_arp(&ea, NULL));
	CHECK(entry(SA(far)) == NULL);
}

KTEST(a_neighbour_that_moves_is_followed)
{
	struct sockaddr_in peer = ipv4(10, 0, 0, 2);
	const struct frame *f;

	prepare();
	arp_comes(ARPOP_REQUEST, peer_mac, peer.sin_addr, in4(10, 0, 0, 1));
	arp_comes(ARPOP_REQUEST, other_mac, peer.sin_addr, peer.sin_addr);
	CHECK_EQ(send4(peer, 1), 0);
	f = next_frame(0x0800);
	CHECK(f != NULL && memcmp(f->data, other_mac, 6) == 0);
	CHECK(ktest_log_contains("10.0.0.2 moved from 02:00:00:00:00:02 to 02:00:00:00:00:03 on en0"));
}

KTEST(configured_neighbours_do_not_move)
{
	struct sockaddr_in peer = ipv4(10, 0, 0, 2);
	const struct frame *f;

	prepare();
	CHECK_EQ(neighbor_set(en0, SA(peer), peer_mac, NEIGHBOR_PERMANENT), 0);
	arp_comes(ARPOP_REPLY, other_mac, peer.sin_addr, in4(10, 0, 0, 1));
	CHECK_EQ(send4(peer, 1), 0);
	f = next_frame(0x0800);
	CHECK(f != NULL && memcmp(f->data, peer_mac, 6) == 0);
	CHECK(ktest_log_contains("wants to be 10.0.0.2"));
}

KTEST(an_old_neighbour_is_asked_directly_first)
{
	struct sockaddr_in peer = ipv4(10, 0, 0, 2);
	struct ether_arp ea;
	uint8_t to[6];

	prepare();
	set_int("net.link.ether.inet.max_age", 60);
	CHECK_EQ(get_int("net.link.ether.inet.max_age"), 60);
	CHECK_EQ(send4(peer, 1), 0);
	arp_comes(ARPOP_REPLY, peer_mac, peer.sin_addr, in4(10, 0, 0, 1));
	wait_ns(61 * SEC);
	forget_frames();
	CHECK_EQ(send4(peer, 2), 0);
	CHECK(next_arp(&ea, to));
	CHECK_EQ(memcmp(to, peer_mac, 6), 0);
	frames_taken = 0;
	CHECK(next_frame(0x0800) != NULL);
	CHECK_EQ(stats().txurequests, 1);
	arp_comes(ARPOP_REPLY, peer_mac, peer.sin_addr, in4(10, 0, 0, 1));
	CHECK_EQ(entry(SA(peer))->state, NEIGHBOR_REACHABLE);
	/* Unused, it goes at last. */
	wait_ns(1000 * SEC);
	CHECK(entry(SA(peer)) == NULL);
	CHECK_EQ(stats().purged, 1);
}

KTEST(published_neighbours_are_answered_for)
{
	struct sockaddr_in proxied = ipv4(10, 0, 0, 77);
	struct ether_arp ea;

	prepare();
	CHECK_EQ(neighbor_set(en0, SA(proxied), other_mac, NEIGHBOR_PERMANENT | NEIGHBOR_PUBLISHED), 0);
	arp_comes(ARPOP_REQUEST, peer_mac, in4(10, 0, 0, 2), proxied.sin_addr);
	CHECK(next_arp(&ea, NULL));
	CHECK_EQ(memcmp(ea.arp_sha, other_mac, 6), 0);
	CHECK_IN4(ea.arp_spa, 10, 0, 0, 77);
	/* The one it stands for announces itself. */
	arp_comes(ARPOP_REQUEST, other_mac, proxied.sin_addr, proxied.sin_addr);
	CHECK(!next_arp(&ea, NULL));
}

KTEST(the_question_comes_from_the_address_of_the_packet)
{
	struct sockaddr_in peer = ipv4(10, 0, 0, 2);
	struct ether_arp ea;

	prepare();
	add4(10, 0, 0, 5);
	wait_ns(5 * SEC);
	forget_frames();
	CHECK_EQ(dlil_output(en0, PF_INET, datagram(in4(10, 0, 0, 5), peer.sin_addr, 1), NULL, SA(peer),
	    false), 0);
	CHECK(next_arp(&ea, NULL));
	CHECK_IN4(ea.arp_spa, 10, 0, 0, 5);
	wait_ns(30 * SEC);
}

KTEST(without_an_address_nobody_is_asked)
{
	struct sockaddr_in peer = ipv4(10, 0, 0, 2);

	make_link();
	CHECK_EQ(dlil_plumb(en0, PF_INET), 0);
	CHECK_EQ(send4(peer, 1), EHOSTUNREACH);
	CHECK_EQ(frame_count, 0);
}

/* ---- bad input ---------------------------------------------------------------------------- */

static void
damaged(size_t at, uint8_t value)
{
	struct ether_arp ea = {.ea_hdr = {htons(ARPHRD_ETHER), htons(0x0800), 6, 4, htons(ARPOP_REQUEST)}};
	struct in_addr us = in4(10, 0, 0, 1), him = in4(10, 0, 0, 2);

	memcpy(ea.arp_sha, peer_mac, 6);
	memcpy(ea.arp_spa, &him, 4);
	memcpy(ea.arp_tpa, &us, 4);
	((uint8_t *)&ea)[at] = value;
	come_in(our_mac, peer_mac, 0x0806, &ea, sizeof ea);
}

KTEST(malformed_packets_are_counted_and_dropped)
{
	struct sockaddr_in peer = ipv4(10, 0, 0, 2);
	struct ether_arp ea = {.ea_hdr = {htons(ARPHRD_ETHER), htons(0x0800), 6, 4, htons(ARPOP_REQUEST)}};
	uint8_t foreign[6] = {2, 0, 0, 0, 0, 9};

	prepare();
	damaged(1, 2);			/* another kind of link */
	damaged(2, 0x86);		/* another protocol */
	damaged(4, 8);			/* lengths */
	damaged(5, 16);
	damaged(7, 9);			/* operation */
	damaged(8, 1);			/* a group's link address */
	damaged(14, 224);		/* a group, loopback, network 0, nobody's class */
	damaged(14, 127);
	damaged(14, 0);
	damaged(14, 250);
	damaged(17, 255);		/* the network's broadcast address */
	CHECK_EQ(stats().invalidreqs, 11);
	for (size_t len = 0; len < sizeof ea; len++)
		come_in(our_mac, peer_mac, 0x0806, &ea, len);
	CHECK_EQ(stats().invalidreqs, 11 + sizeof ea);
	CHECK(entry(SA(peer)) == NULL);
	CHECK_EQ(frame_count, 0);
	/* Seen in passing only. */
	come_in(foreign, peer_mac, 0x0806, &ea, sizeof ea);
	CHECK_EQ(stats().received, 11 + sizeof ea);
}

KTEST(our_own_frames_that_come_back_are_ignored)
{
	prepare();
	arp_comes(ARPOP_REQUEST, our_mac, in4(10, 0, 0, 1), in4(10, 0, 0, 1));
	CHECK_EQ(frame_count, 0);
	CHECK_EQ(stats().dupips, 0);
}

/* ---- floods ------------------------------------------------------------------------------- */

KTEST(a_flood_of_requests_is_bounded_in_memory)
{
	struct sockaddr_in peer = ipv4(10, 0, 0, 2);
	struct core_memory before, after;
	struct in_addr in = in4(10, 0, 0, 1);

	make_link();
	CHECK_EQ(iface_add_address(curmachine(), en0, AF_INET, &in, 8), 0);
	wait_ns(5 * SEC);
	arp_comes(ARPOP_REQUEST, peer_mac, peer.sin_addr, in);
	CHECK_EQ(send4(peer, 1), 0);
	frames_ignored = true;
	for (unsigned i = 0; i < 4000; i++)
		arp_comes(ARPOP_REQUEST, other_mac, in4(10, 1, (uint8_t)(i >> 8), (uint8_t)i), in);
	machine_memory(curmachine(), &before);
	for (unsigned i = 0; i < 4000; i++)
		arp_comes(ARPOP_REQUEST, other_mac, in4(10, 2, (uint8_t)(i >> 8), (uint8_t)i), in);
	machine_memory(curmachine(), &after);
	CHECK_EQ(after.heap_blocks, before.heap_blocks);
	CHECK_EQ(en0->neighbor_count, NEIGHBOR_IF_MAX);
	CHECK(entry(SA(peer)) != NULL);
	CHECK_EQ(entry(SA(peer))->state, NEIGHBOR_REACHABLE);
}

/* ---- addresses of our own ----------------------------------------------------------------- */

KTEST(an_address_is_asked_for_and_announced_at_once)
{
	struct ether_arp ea;

	make_link();
	add4(10, 0, 0, 1);
	CHECK(next_arp(&ea, NULL));
	CHECK_IN4(ea.arp_spa, 0, 0, 0, 0);
	CHECK_IN4(ea.arp_tpa, 10, 0, 0, 1);
	CHECK(next_arp(&ea, NULL));
	CHECK_EQ(ntohs(ea.arp_op), ARPOP_REQUEST);
	CHECK_IN4(ea.arp_spa, 10, 0, 0, 1);
	CHECK_IN4(ea.arp_tpa, 10, 0, 0, 1);
	CHECK(!next_arp(&ea, NULL));
	wait_ns(20 * SEC);
	CHECK(next_arp(&ea, NULL));
	CHECK_IN4(ea.arp_spa, 10, 0, 0, 1);
	CHECK(!next_arp(&ea, NULL));
	CHECK_EQ(stats().txannounces, 2);
}

KTEST(conflict_detection_can_be_off)
{
	make_link();
	set_int("net.link.ether.inet.acd", ARP_ACD_OFF);
	add4(10, 0, 0, 1);
	wait_ns(20 * SEC);
	CHECK_EQ(frame_count, 1);
}

static struct ifaddr *
own(uint8_t last)
{
	struct ifaddr *ifa = ifaddr_find_in4(curmachine(), in4(10, 0, 0, last).s_addr);

	CHECK(ifa != NULL);
	return ifa;
}

KTEST(an_address_can_be_probed_before_it_is_used)
{
	struct sockaddr_in peer = ipv4(10, 0, 0, 2);
	struct ether_arp ea;

	make_link();
	set_int("net.link.ether.inet.acd", ARP_ACD_PROBE);
	add4(10, 0, 0, 1);
	CHECK(own(1)->ia6_flags & IN6_IFF_TENTATIVE);
	/* It does not answer yet, nor ask. */
	arp_comes(ARPOP_REQUEST, peer_mac, peer.sin_addr, in4(10, 0, 0, 1));
	CHECK_EQ(send4(peer, 1), 0);
	CHECK_EQ(frame_count, 0);
	wait_ns(8 * SEC);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(next_arp(&ea, NULL));
		CHECK_IN4(ea.arp_spa, 0, 0, 0, 0);
		CHECK_IN4(ea.arp_tpa, 10, 0, 0, 1);
	}
	CHECK(!(own(1)->ia6_flags & IN6_IFF_TENTATIVE));
	wait_ns(5 * SEC);
	for (unsigned i = 0; i < 2; i++) {
		do
			CHECK(next_arp(&ea, NULL));
		while (ea.arp_tpa[3] == 2);
		CHECK_IN4(ea.arp_spa, 10, 0, 0, 1);
		CHECK_IN4(ea.arp_tpa, 10, 0, 0, 1);
	}
	arp_comes(ARPOP_REQUEST, peer_mac, peer.sin_addr, in4(10, 0, 0, 1));
	frames_taken = frame_count - 1;
	CHECK(next_arp(&ea, NULL));
	CHECK_EQ(ntohs(ea.arp_op), ARPOP_REPLY);
	wait_ns(30 * SEC);
}

static errno_t
hear_collision(void *arg, const struct kern_event_msg *msg)
{
	const struct kev_in_collision *c = (const void *)msg->event_data;

	(void)arg;
	if (msg->kev_subclass != KEV_INET_SUBCLASS || msg->event_code != KEV_INET_ARPCOLLISION)
		return 0;
	CHECK(msg->total_size >= KEV_MSG_HEADER_SIZE + offsetof(struct kev_in_collision, hw_addr) + 6);
	note("%s%u:%u.%u", c->link_data.if_name, c->link_data.if_unit, ntohl(c->ia_ipaddr.s_addr) & 0xff,
	    c->hw_addr[5]);
	return 0;
}

static struct kev_listener collisions = {.event = hear_collision};

KTEST(a_tentative_address_that_is_in_use_is_a_duplicate)
{
	struct ether_arp ea;

	make_link();
	kev_listen(curmachine(), &collisions);
	set_int("net.link.ether.inet.acd", ARP_ACD_PROBE);
	add4(10, 0, 0, 1);
	wait_ns(1200 * MS);
	(void)said();
	arp_comes(ARPOP_REPLY, peer_mac, in4(10, 0, 0, 1), in4(0, 0, 0, 0));
	CHECK_STR(said(), "en0:1.2");
	CHECK_EQ(own(1)->ia6_flags & IN6_IFF_NOTREADY, IN6_IFF_DUPLICATED);
	forget_frames();
	wait_ns(30 * SEC);
	CHECK_EQ(frame_count, 0);
	arp_comes(ARPOP_REQUEST, peer_mac, in4(10, 0, 0, 2), in4(10, 0, 0, 1));
	CHECK(!next_arp(&ea, NULL));
	kev_unlisten(curmachine(), &collisions);
}

KTEST(two_that_probe_for_the_same_address_both_hear_it)
{
	make_link();
	kev_listen(curmachine(), &collisions);
	set_int("net.link.ether.inet.acd", ARP_ACD_PROBE);
	add4(10, 0, 0, 1);
	(void)said();
	arp_comes(ARPOP_REQUEST, other_mac, in4(0, 0, 0, 0), in4(10, 0, 0, 1));
	CHECK_STR(said(), "en0:1.3");
	CHECK(own(1)->ia6_flags & IN6_IFF_DUPLICATED);
	kev_unlisten(curmachine(), &collisions);
}

KTEST(an_address_in_use_is_defended_but_not_too_often)
{
	struct ether_arp ea;

	prepare();
	kev_listen(curmachine(), &collisions);
	for (unsigned i = 0; i < 1000; i++)
		arp_comes(ARPOP_REQUEST, peer_mac, in4(10, 0, 0, 1), in4(10, 0, 0, 9));
	CHECK(next_arp(&ea, NULL));
	CHECK_IN4(ea.arp_spa, 10, 0, 0, 1);
	CHECK_IN4(ea.arp_tpa, 10, 0, 0, 1);
	CHECK_EQ(frame_count, 1);
	CHECK_STR(said(), "en0:1.2");
	CHECK_EQ(stats().dupips, 1000);
	CHECK_EQ(stats().txconflicts, 1);
	CHECK(ktest_log_contains("en0: duplicate IP address 10.0.0.1 sent from address 02:00:00:00:00:02"));
	wait_ns(11 * SEC);
	arp_comes(ARPOP_REQUEST, peer_mac, in4(10, 0, 0, 1), in4(10, 0, 0, 9));
	CHECK_EQ(frame_count, 2);
	/* We never are our own neighbour. */
	CHECK(!(own(1)->ia6_flags & IN6_IFF_DUPLICATED));
	CHECK_EQ(curmachine()->neighbors->count, 0);
	kev_unlisten(curmachine(), &collisions);
}

KTEST(a_probe_for_our_address_is_answered)
{
	struct ether_arp ea;

	prepare();
	arp_comes(ARPOP_REQUEST, peer_mac, in4(0, 0, 0, 0), in4(10, 0, 0, 1));
	CHECK(next_arp(&ea, NULL));
	CHECK_EQ(ntohs(ea.arp_op), ARPOP_REPLY);
	CHECK_IN4(ea.arp_tpa, 0, 0, 0, 0);
	CHECK_EQ(stats().dupips, 0);
	CHECK_EQ(curmachine()->neighbors->count, 0);
}

KTEST(an_address_that_goes_is_not_spoken_of_any_more)
{
	struct sockaddr_in sin = ipv4(10, 0, 0, 1);
	struct ether_arp ea;

	make_link();
	add4(10, 0, 0, 1);
	CHECK_EQ(ifaddr_remove(en0, SA(sin)), 0);
	forget_frames();
	wait_ns(20 * SEC);
	arp_comes(ARPOP_REQUEST, peer_mac, in4(10, 0, 0, 2), in4(10, 0, 0, 1));
	CHECK(!next_arp(&ea, NULL));
}

KTEST(a_neighbour_whose_address_becomes_ours_is_forgotten)
{
	struct sockaddr_in peer = ipv4(10, 0, 0, 2), bcast = ipv4(10, 9, 0, 255);
	struct in_addr in = in4(10, 9, 0, 1);

	prepare();
	CHECK_EQ(neighbor_learn(curmachine(), en0, SA(peer), peer_mac), 0);
	CHECK_EQ(neighbor_learn(curmachine(), en0, SA(bcast), peer_mac), 0);
	add4(10, 0, 0, 2);
	CHECK(entry(SA(peer)) == NULL);
	CHECK_EQ(iface_add_address(curmachine(), en0, AF_INET, &in, 24), 0);
	CHECK(entry(SA(bcast)) == NULL);
}

KTEST(a_link_that_comes_back_announces_again)
{
	struct ether_arp ea;

	prepare();
	dlil_post_event(en0, KEV_DL_SUBCLASS, KEV_DL_LINK_ON, NULL, 0, false);
	wait_ns(10 * SEC);
	CHECK(next_arp(&ea, NULL));
	CHECK_IN4(ea.arp_spa, 0, 0, 0, 0);
	CHECK(next_arp(&ea, NULL));
	CHECK_IN4(ea.arp_spa, 10, 0, 0, 1);
	CHECK(next_arp(&ea, NULL));
	CHECK(!next_arp(&ea, NULL));
}

/* ---- routers ------------------------------------------------------------------------------ */

static errno_t
hear_router(void *arg, const struct kern_event_msg *msg)
{
	(void)arg;
	if (msg->kev_subclass == KEV_INET_SUBCLASS && msg->event_code >= KEV_INET_ARPRTRFAILURE)
		note("%s", msg->event_code == KEV_INET_ARPRTRFAILURE ? "failure" : "alive");
	return 0;
}

static struct kev_listener routers = {.event = hear_router};

KTEST(a_router_that_does_not_answer_is_an_event)
{
	struct sockaddr_in router = ipv4(10, 0, 0, 254);

	prepare();
	kev_listen(curmachine(), &routers);
	CHECK_EQ(iface_set_default(curmachine(), en0, AF_INET, &router.sin_addr), 0);
	(void)said();
	CHECK_EQ(send4(router, 1), 0);
	wait_ns(40 * SEC);
	CHECK_STR(said(), "failure");
	CHECK_EQ(send4(router, 2), 0);
	arp_comes(ARPOP_REPLY, peer_mac, router.sin_addr, in4(10, 0, 0, 1));
	CHECK_STR(said(), "alive");
	kev_unlisten(curmachine(), &routers);
}

KTEST(settings_have_limits)
{
	int value = 0;
	struct sysctl_access a = {.new = &value, .new_len = sizeof value};

	CHECK_EQ(sysctl_by_name(curmachine(), "net.link.ether.inet.maxtries", &a), EINVAL);
	value = 1 << 30;
	CHECK_EQ(sysctl_by_name(curmachine(), "net.link.ether.inet.maxhold", &a), EINVAL);
	CHECK_EQ(get_int("net.link.ether.inet.maxhold"), 16);
}

KTEST(a_silent_gateway_is_no_way_and_a_silent_neighbour_a_host_that_is_down)
{
	struct sockaddr_in router = ipv4(10, 0, 0, 254), peer = ipv4(10, 0, 0, 2), far = ipv4(192, 0, 2, 9);
	struct in_addr own = in4(10, 0, 0, 1);
	struct ip_sender plain = {0}, kept = {.route = &(struct route){0}};

	prepare();
	CHECK_EQ(iface_set_default(curmachine(), en0, AF_INET, &router.sin_addr), 0);
	CHECK_EQ(ip_send(curmachine(), datagram(own, peer.sin_addr, 1), &plain), 0);
	CHECK_EQ(ip_send(curmachine(), datagram(own, far.sin_addr, 1), &kept), 0);
	wait_ns(10 * SEC);
	CHECK_EQ(ip_send(curmachine(), datagram(own, peer.sin_addr, 2), &plain), EHOSTDOWN);
	CHECK_EQ(ip_send(curmachine(), datagram(own, far.sin_addr, 2), &plain), EHOSTUNREACH);
	CHECK_EQ(ip_send(curmachine(), datagram(own, far.sin_addr, 2), &kept), EHOSTUNREACH);
	CHECK_EQ(ip_send(curmachine(), datagram(own, far.sin_addr, 3), &kept), EHOSTUNREACH);
	route_clear(kept.route);
	wait_ns(30 * SEC);
}

KTEST(a_published_neighbour_may_look_for_its_own_address)
{
	struct sockaddr_in proxied = ipv4(10, 0, 0, 77);
	struct ether_arp ea;

	prepare();
	CHECK_EQ(neighbor_set(en0, SA(proxied), other_mac, NEIGHBOR_PERMANENT | NEIGHBOR_PUBLISHED), 0);
	arp_comes(ARPOP_REQUEST, other_mac, in4(0, 0, 0, 0), proxied.sin_addr);
	CHECK(!next_arp(&ea, NULL));
	arp_comes(ARPOP_REQUEST, peer_mac, in4(0, 0, 0, 0), proxied.sin_addr);
	CHECK(next_arp(&ea, NULL));
}

KTEST(a_link_of_two_has_no_broadcast_address)
{
	struct in_addr own = in4(10, 7, 0, 0), peer = in4(10, 7, 0, 1);
	const struct ip_sender plain = {0};
	struct ether_arp ea;

	prepare();
	CHECK_EQ(iface_add_address(curmachine(), en0, AF_INET, &own, 31), 0);
	wait_ns(5 * SEC);
	forget_frames();
	CHECK(ifaddr_find_broadcast4(curmachine(), en0, peer.s_addr) == NULL);
	CHECK_EQ(ip_send(curmachine(), datagram(own, peer, 1), &plain), 0);
	CHECK(next_arp(&ea, NULL));
	CHECK_IN4(ea.arp_tpa, 10, 7, 0, 1);
	wait_ns(30 * SEC);
}

KTEST_SUITE(arp,
    T(an_unknown_neighbour_is_asked_for_and_its_answer_lets_packets_go),
    T(nobody_answers),
    T(a_request_for_us_is_answered_and_its_sender_known),
    T(requests_for_others_make_no_entries),
    T(a_neighbour_that_moves_is_followed),
    T(configured_neighbours_do_not_move),
    T(an_old_neighbour_is_asked_directly_first),
    T(published_neighbours_are_answered_for),
    T(the_question_comes_from_the_address_of_the_packet),
    T(without_an_address_nobody_is_asked),
    T(malformed_packets_are_counted_and_dropped),
    T(our_own_frames_that_come_back_are_ignored),
    T(a_flood_of_requests_is_bounded_in_memory),
    T(an_address_is_asked_for_and_announced_at_once),
    T(conflict_detection_can_be_off),
    T(an_address_can_be_probed_before_it_is_used),
    T(a_tentative_address_that_is_in_use_is_a_duplicate),
    T(two_that_probe_for_the_same_address_both_hear_it),
    T(an_address_in_use_is_defended_but_not_too_often),
    T(a_probe_for_our_address_is_answered),
    T(an_address_that_goes_is_not_spoken_of_any_more),
    T(a_neighbour_whose_address_becomes_ours_is_forgotten),
    T(a_link_that_comes_back_announces_again),
    T(a_router_that_does_not_answer_is_an_event),
    T(settings_have_limits),
    T(a_silent_gateway_is_no_way_and_a_silent_neighbour_a_host_that_is_down),
    T(a_published_neighbour_may_look_for_its_own_address),
    T(a_link_of_two_has_no_broadcast_address));
