/* Path MTU: learned from ICMP, kept with the route, forgotten after a while; senders by ip_send follow it. */
#include "tests/unit/icmp_testing.h"

#define FAR6	ip6_of("\x20\x01\x0d\xb8\0\7\0\0\0\0\0\0\0\0\0\7")

static struct route route;

static errno_t
send4(size_t len, uint32_t flags)
{
	const struct ip_sender s = {.route = &route, .flags = flags};
	struct mbuf *m = make4(&(struct spec4){.src = HERE4, .dst = FAR4, .len = len});

	m->m_pkthdr.rcvif = NULL;
	return ip_send(curmachine(), m, &s);
}

static errno_t
send6(size_t len, uint32_t flags)
{
	const struct ip_sender s = {.route = &route, .flags = flags};
	struct in6_addr here = HERE6, far = FAR6;
	struct mbuf *m = make6(&(struct spec6){.src = &here, .dst = &far, .len = len});

	m->m_pkthdr.rcvif = NULL;
	return ip6_send(curmachine(), m, &s);
}

static void
pmtu_testbed(void)
{
	icmp_testbed();
	memset(&route, 0, sizeof route);
}

static void
pmtu_testbed_end(void)
{
	route_clear(&route);
	testbed_end();
}

/* A router says that a packet of `len` bytes of ours needs to be cut to `mtu`. */
static void
told4(size_t len, uint32_t mtu)
{
	struct mbuf *m = make4(&(struct spec4){.src = HERE4, .dst = FAR4, .len = len - 20});

	m_adj(m, -(int)(len - 48));
	ip_input(curmachine(), error4(m, ICMP_UNREACH, ICMP_UNREACH_NEEDFRAG, htonl(mtu), THERE4));
}

static void
told6(uint32_t mtu)
{
	struct in6_addr here = HERE6, far = FAR6;

	ip6_input(curmachine(), error6(make6(&(struct spec6){.src = &here, .dst = &far, .len = 8}),
	    ICMP6_PACKET_TOO_BIG, 0, htonl(mtu)));
}

/* How large the largest packet is that goes there. */
static uint32_t
largest(errno_t (*send)(size_t, uint32_t))
{
	uint32_t most = 0;

	forget(&sent);
	CHECK_EQ(send(1400, 0), 0);
	for (unsigned i = 0; i < sent.count; i++)
		if ((uint32_t)sent.m[i]->m_pkthdr.len > most)
			most = (uint32_t)sent.m[i]->m_pkthdr.len;
	forget(&sent);
	return most;
}

KTEST(what_a_router_says_is_kept_for_ten_minutes)
{
	pmtu_testbed();
	CHECK_EQ(largest(send4), 1420);
	CHECK_EQ(send4(1400, IP_OUT_DONTFRAG), 0);
	told4(1420, 1000);
	CHECK_EQ(told_count, 1);
	CHECK_EQ(told.error, EMSGSIZE);
	CHECK_EQ(told.mtu, 1000);
	CHECK_EQ(largest(send4), 996);
	CHECK_EQ(send4(1400, IP_OUT_DONTFRAG), EMSGSIZE);
	CHECK_EQ(send4(980, IP_OUT_DONTFRAG), 0);
	CHECK_EQ(send4(981, IP_OUT_DONTFRAG), EMSGSIZE);
	/* It does not grow by what others say. */
	told4(1420, 1300);
	CHECK_EQ(largest(send4), 996);
	let_pass(UINT64_C(595000000000));
	CHECK_EQ(largest(send4), 996);
	let_pass(UINT64_C(10000000000));
	CHECK_EQ(largest(send4), 1420);
	pmtu_testbed_end();
}

KTEST(old_routers_are_guessed_at)
{
	pmtu_testbed();
	CHECK_EQ(send4(1400, 0), 0);
	told4(1420, 0);
	CHECK_EQ(told.mtu, 1006);
	CHECK_EQ(largest(send4), 1004);
	pmtu_testbed_end();
}

KTEST(lies_have_limits)
{
	pmtu_testbed();
	CHECK_EQ(send4(1400, 0), 0);
	/* Not smaller than what it is about: nonsense. */
	told4(600, 1400);
	CHECK_EQ(largest(send4), 1420);
	told4(1420, 1);
	CHECK(largest(send4) >= 64);
	/* RFC 8201 4: less than every link takes is nonsense, and nobody is told. */
	told_count = 0;
	told6(0);
	told6(1279);
	CHECK_EQ(told_count, 0);
	CHECK_EQ(largest(send6), 1440);
	told6(1280);
	CHECK_EQ(largest(send6), 1280);
	told6(UINT32_MAX);
	CHECK_EQ(largest(send6), 1280);
	pmtu_testbed_end();
}

KTEST(ipv6_too)
{
	pmtu_testbed();
	CHECK_EQ(largest(send6), 1440);
	told6(1400);
	CHECK_EQ(told.mtu, 1400);
	CHECK_EQ(ist6()->icp6s_pmtuchg, 1);
	CHECK_EQ(largest(send6), 1400);
	CHECK_EQ(send6(1400, IP_OUT_DONTFRAG), EMSGSIZE);
	CHECK_EQ(largest(send6), 1400);
	let_pass(UINT64_C(605000000000));
	CHECK_EQ(largest(send6), 1440);
	pmtu_testbed_end();
}

KTEST(a_flood_of_messages_is_bounded)
{
	unsigned clones = 0;

	pmtu_testbed();
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t dst = IP4(172, 16 + (i >> 16), i >> 8 & 255, i & 255);
		struct mbuf *m = make4(&(struct spec4){.src = HERE4, .dst = dst, .len = 8});

		mtod(m, struct ip *)->ip_len = htons(1500);
		ip_input(curmachine(), error4(m, ICMP_UNREACH, ICMP_UNREACH_NEEDFRAG, htonl(1000), THERE4));
		m = make4(&(struct spec4){.src = HERE4, .dst = dst, .len = 8});
		ip_input(curmachine(), error4(m, ICMP_REDIRECT, ICMP_REDIRECT_HOST, IP4(10, 0, 0, 9),
		    THERE4));
	}
	for (uint32_t i = 0; i < 20000; i++) {
		struct sockaddr_in dst = {.sin_len = sizeof dst, .sin_family = AF_INET,
		    .sin_addr = {IP4(172, 16 + (i >> 16), i >> 8 & 255, i & 255)}};
		struct rtentry *rt = rt_lookup(curmachine(), (struct sockaddr *)&dst, NULL, 0);

		clones += (rt->rt_flags & RTF_HOST) != 0;
		rt_release(rt);
	}
	CHECK(clones > 0 && clones <= 2048);
	pmtu_testbed_end();
}

KTEST_SUITE(pmtu, T(what_a_router_says_is_kept_for_ten_minutes), T(old_routers_are_guessed_at),
    T(lies_have_limits), T(ipv6_too), T(a_flood_of_messages_is_bounded));
