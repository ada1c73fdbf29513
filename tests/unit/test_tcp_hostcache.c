/* src/netinet/tcp_hostcache.c: what was learned about peers, and for how long. */
#include "src/kern/sysctl.h"
#include "tests/unit/tcp_testing.h"

#define SECOND	TCP_NS_PER_S

static void
learn(uint32_t host, uint32_t rtt, uint32_t mtu)
{
	struct in6_addr a = in6_from4(host);
	struct tcp_hostinfo info = {.rtt_us = rtt, .rttvar_us = rtt / 2, .ssthresh = rtt * 10, .mtu = mtu};

	tcp_hostcache_update(curmachine(), &a, INP_IPV4, &info);
}

/* Its round trip time; 0: nothing is known. */
static uint32_t
known(uint32_t host)
{
	struct in6_addr a = in6_from4(host);
	struct tcp_hostinfo info;

	return tcp_hostcache_get(curmachine(), &a, INP_IPV4, &info) ? info.rtt_us : 0;
}

static int
variable(const char *name, const int *fresh)
{
	int value = -1;
	size_t len = sizeof value;
	struct sysctl_access a = {
		.old = &value, .old_len = &len, .new = fresh, .new_len = fresh != NULL ? sizeof *fresh : 0
	};

	CHECK_EQ(sysctl_by_name(curmachine(), name, &a), 0);
	return value;
}

static int
entries(void)
{
	return variable("net.inet.tcp.hostcache.count", NULL);
}

KTEST(what_is_learned_is_known)
{
	struct in6_addr a = in6_from4(THERE4), a6 = THERE6;
	struct tcp_hostinfo info = {.rtt_us = 7000}, got_info;

	tcp_testbed();
	CHECK_EQ(known(THERE4), 0);
	learn(THERE4, 1000, 1400);
	CHECK_EQ(known(THERE4), 1000);
	CHECK_EQ(known(FAR4), 0);
	/* What comes later counts half; what it does not say stays. */
	learn(THERE4, 3000, 0);
	CHECK(tcp_hostcache_get(curmachine(), &a, INP_IPV4, &got_info));
	CHECK_EQ(got_info.rtt_us, 2000);
	CHECK_EQ(got_info.rttvar_us, 1000);
	CHECK_EQ(got_info.ssthresh, 20000);
	CHECK_EQ(got_info.mtu, 1400);
	/* The families have nothing to do with each other. */
	tcp_hostcache_update(curmachine(), &a6, INP_IPV6, &info);
	CHECK(tcp_hostcache_get(curmachine(), &a6, INP_IPV6, &got_info));
	CHECK(!tcp_hostcache_get(curmachine(), &a6, INP_IPV4, &got_info));
	CHECK_EQ(entries(), 2);
	CHECK_EQ(tst()->tcps_hc_added, 2);
	testbed_end();
}

KTEST(it_is_forgotten_after_a_while)
{
	tcp_testbed();
	tconfig()->hostcache_expire = 100;
	learn(THERE4, 1000, 0);
	let_pass(60 * SECOND);
	learn(FAR4, 2000, 0);
	let_pass(39 * SECOND);
	CHECK_EQ(known(THERE4), 1000);
	let_pass(2 * SECOND);
	CHECK_EQ(known(THERE4), 0);
	CHECK_EQ(known(FAR4), 2000);
	CHECK_EQ(entries(), 1);
	learn(FAR4, 2000, 0);
	let_pass(99 * SECOND);
	CHECK_EQ(known(FAR4), 2000);
	let_pass(2 * SECOND);
	CHECK_EQ(entries(), 0);
	testbed_end();
}

KTEST(it_is_bounded)
{
	uint64_t before, full;

	tcp_testbed();
	tconfig()->hostcache_limit = 100;
	before = memory_now().heap_bytes;
	for (uint32_t i = 1; i <= 100; i++)
		learn(i, i, 0);
	full = memory_now().heap_bytes;
	CHECK(full - before <= 100 * 200);
	for (uint32_t i = 101; i <= 5000; i++)
		learn(i, i, 0);
	CHECK_EQ(memory_now().heap_bytes, full);
	CHECK_EQ(entries(), 100);
	CHECK_EQ(known(4900), 0);
	CHECK_EQ(known(4901), 4901);
	tconfig()->hostcache_limit = 0;
	learn(6000, 6000, 0);
	CHECK_EQ(known(6000), 0);
	testbed_end();
}

KTEST(it_can_be_emptied_and_switched_off)
{
	const int one = 1, off = 0;

	tcp_testbed();
	learn(THERE4, 1000, 0);
	(void)variable("net.inet.tcp.hostcache.enable", &off);
	CHECK_EQ(known(THERE4), 0);
	learn(FAR4, 1000, 0);
	(void)variable("net.inet.tcp.hostcache.enable", &one);
	CHECK_EQ(known(THERE4), 1000);
	CHECK_EQ(known(FAR4), 0);
	(void)variable("net.inet.tcp.hostcache.purgenow", &one);
	CHECK_EQ(entries(), 0);
	learn(THERE4, 1000, 0);
	(void)variable("net.inet.tcp.hostcache.purge", &one);
	CHECK_EQ(known(THERE4), 1000);
	let_pass(301 * SECOND);
	CHECK_EQ(entries(), 0);
	CHECK_EQ(variable("net.inet.tcp.hostcache.purge", NULL), 0);
	testbed_end();
}

KTEST(without_memory_nothing_is_learned)
{
	tcp_testbed();
	fail_after(1);
	learn(THERE4, 1000, 0);
	fail_after(0);
	CHECK_EQ(known(THERE4), 0);
	learn(THERE4, 1000, 0);
	CHECK_EQ(known(THERE4), 1000);
	testbed_end();
}

KTEST_SUITE(tcp_hostcache, T(what_is_learned_is_known), T(it_is_forgotten_after_a_while), T(it_is_bounded),
    T(it_can_be_emptied_and_switched_off), T(without_memory_nothing_is_learned));
