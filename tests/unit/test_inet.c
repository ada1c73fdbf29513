/* kpi/in.c */
#include <netinet/in.h>
#include <netinet6/in6.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/ktest.h"

static const char *
v6_round_trip(const char *text)
{
	static char out[INET6_ADDRSTRLEN];
	struct in6_addr a;

	if (inet_pton(AF_INET6, text, &a) != 1)
		return "refused";
	return inet_ntop(AF_INET6, &a, out, sizeof out);
}

KTEST(v4_to_text)
{
	struct in_addr a = {htonl(0xc0a801fe)};
	char b[16];

	CHECK_STR(inet_ntop(AF_INET, &a, b, sizeof b), "192.168.1.254");
	CHECK(inet_ntop(AF_INET, &a, b, 13) == NULL);
	CHECK_STR(inet_ntop(AF_INET, &a, b, 14), "192.168.1.254");
	CHECK(inet_ntop(99, &a, b, sizeof b) == NULL);
	CHECK_STR(inet_ntoa(a), "192.168.1.254");
	CHECK_STR(inet_ntoa_r(a, b, sizeof b), "192.168.1.254");
}

KTEST(v4_from_text)
{
	uint32_t a = 0;

	CHECK_EQ(inet_pton(AF_INET, "1.2.3.255", &a), 1);
	CHECK_EQ(ntohl(a), 0x010203ff);
	CHECK_EQ(inet_pton(AF_INET, "1.2.3.256", &a), 0);
	CHECK_EQ(inet_pton(AF_INET, "1.2.3", &a), 0);
	CHECK_EQ(inet_pton(AF_INET, "1.2.3.4.", &a), 0);
	CHECK_EQ(inet_pton(AF_INET, "01.2.3.4", &a), 0);
	CHECK_EQ(inet_pton(AF_INET, "", &a), 0);
	CHECK_EQ(inet_pton(AF_INET, "1..3.4", &a), 0);
	CHECK_EQ(inet_pton(10, "1.2.3.4", &a), -1);
}

KTEST(v4_the_old_way)
{
	struct in_addr a;

	CHECK_EQ(inet_aton("127.1", &a), 1);
	CHECK_EQ(ntohl(a.s_addr), 0x7f000001);
	CHECK_EQ(inet_aton("0x7f.010.2", &a), 1);
	CHECK_EQ(ntohl(a.s_addr), 0x7f080002);
	CHECK_EQ(inet_aton("4294967295 tail", &a), 1);
	CHECK_EQ(a.s_addr, 0xffffffff);
	CHECK_EQ(inet_aton("4294967296", &a), 0);
	CHECK_EQ(inet_aton("1.2.3.4.5", &a), 0);
	CHECK_EQ(inet_aton("1.2.3.256", &a), 0);
	CHECK_EQ(inet_aton("256.1", &a), 0);
	CHECK_EQ(inet_aton("1.2.3.4x", &a), 0);
	CHECK_EQ(inet_aton(" 1.2.3.4", &a), 0);
	CHECK_EQ(inet_aton("", &a), 0);
	CHECK_EQ(inet_aton("1.2.3.4", NULL), 1);
}

KTEST(v6_both_ways)
{
	CHECK_STR(v6_round_trip("::"), "::");
	CHECK_STR(v6_round_trip("::1"), "::1");
	CHECK_STR(v6_round_trip("1::"), "1::");
	CHECK_STR(v6_round_trip("fe80::0200:00ff:fe00:1"), "fe80::200:ff:fe00:1");
	CHECK_STR(v6_round_trip("2001:DB8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
	CHECK_STR(v6_round_trip("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
	CHECK_STR(v6_round_trip("1:2:3:4:5:6:7:8"), "1:2:3:4:5:6:7:8");
	CHECK_STR(v6_round_trip("::ffff:10.0.0.1"), "::ffff:10.0.0.1");
	CHECK_STR(v6_round_trip("::10.0.0.1"), "::10.0.0.1");
	CHECK_STR(v6_round_trip("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
	CHECK_STR(v6_round_trip("1:0:0:2:0:0:0:3"), "1:0:0:2::3");
	CHECK_STR(v6_round_trip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

KTEST(v6_that_is_none)
{
	static const char *const bad[] = {"", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
	    "1::2::3", "12345::", "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7", "g::", "::1.2.3", "::1.2.3.4.5",
	    "1:2:3:4:5:6:7:1.2.3.4", "::1:", "1:2:3:4:5:6:7::8", "::1.2.3.4:5", "fe80::1%en0"};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK_STR(v6_round_trip(bad[i]), "refused");
}

KTEST(v6_needs_room)
{
	struct in6_addr a;
	char b[46];

	memset(&a, 0xff, sizeof a);
	CHECK(inet_ntop(AF_INET6, &a, b, 39) == NULL);
	CHECK(inet_ntop(AF_INET6, &a, b, 40) != NULL);
}

KTEST_SUITE(inet, T(v4_to_text), T(v4_from_text), T(v4_the_old_way), T(v6_both_ways),
    T(v6_that_is_none), T(v6_needs_room));
