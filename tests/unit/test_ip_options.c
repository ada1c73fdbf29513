/* IPv4 options: validation on input, copying into fragments. */
#include "tests/unit/ip_testing.h"

static enum ip_options_verdict
check(const char *options, size_t len)
{
	return ip_options_check((const uint8_t *)options, len);
}

KTEST(harmless_options_are_accepted)
{
	CHECK_EQ(check("\1\1\1\0", 4), IP_OPTIONS_GOOD);
	CHECK_EQ(check("\7\7\4\0\0\0\0\0", 8), IP_OPTIONS_GOOD);
	CHECK_EQ(check("\x44\x8\x5\0\0\0\0\0", 8), IP_OPTIONS_GOOD);
	CHECK_EQ(check("\x94\4\0\0", 4), IP_OPTIONS_GOOD);
	CHECK_EQ(check("\x9e\4\1\2", 4), IP_OPTIONS_GOOD);
	/* Nothing behind the end of the list is looked at. */
	CHECK_EQ(check("\0\x83\1\1", 4), IP_OPTIONS_GOOD);
}

KTEST(options_that_do_not_fit_are_bad)
{
	CHECK_EQ(check("\1\1\1\7", 4), IP_OPTIONS_BAD);
	CHECK_EQ(check("\7\1\4\0", 4), IP_OPTIONS_BAD);
	CHECK_EQ(check("\7\0\4\0", 4), IP_OPTIONS_BAD);
	CHECK_EQ(check("\7\5\4\0", 4), IP_OPTIONS_BAD);
	CHECK_EQ(check("\7\2\1\1", 4), IP_OPTIONS_BAD);
	CHECK_EQ(check("\7\7\3\0\0\0\0\0", 8), IP_OPTIONS_BAD);
	CHECK_EQ(check("\x44\x8\x4\0\0\0\0\0", 8), IP_OPTIONS_BAD);
	CHECK_EQ(check("\x83\2\0\0", 4), IP_OPTIONS_BAD);
}

KTEST(source_routes_are_not_followed)
{
	testbed();
	CHECK_EQ(check("\x83\7\4\1\2\3\4\0", 8), IP_OPTIONS_SOURCE_ROUTE);
	CHECK_EQ(check("\x89\7\x8\1\2\3\4\0", 8), IP_OPTIONS_SOURCE_ROUTE);
	receive4(&(struct spec4){.options = "\x83\7\4\1\2\3\4\0", .options_len = 8});
	CHECK_EQ(delivered.count, 0);
	CHECK_EQ(st4()->ips_cantforward, 1);
	CHECK_EQ(st4()->ips_badoptions, 0);
}

KTEST(a_packet_with_options_is_delivered_with_them)
{
	testbed();
	receive4(&(struct spec4){.len = 8, .options = "\7\7\4\0\0\0\0\0", .options_len = 8});
	CHECK_EQ(delivered.offset, 28);
	CHECK(payload_is(delivered.m[0], 28, 8));
	receive4(&(struct spec4){.options = "\7\x9\4\0\0\0\0\0", .options_len = 8});
	CHECK_EQ(st4()->ips_badoptions, 1);
	testbed_end();
}

KTEST(fragments_carry_copied_options_only)
{
	uint8_t to[40];

	CHECK_EQ(ip_options_copied((const uint8_t *)"\7\3\4\x94\4\0\0\1", 8, to), 4);
	CHECK_EQ(memcmp(to, "\x94\4\0\0", 4), 0);
	CHECK_EQ(ip_options_copied((const uint8_t *)"\x9e\3\4\0", 4, to), 4);
	CHECK_EQ(memcmp(to, "\x9e\3\4\0", 4), 0);
	CHECK_EQ(ip_options_copied((const uint8_t *)"\1\1\0\0", 4, to), 0);
	/* What makes no sense ends the copying, whatever came before it stays. */
	CHECK_EQ(ip_options_copied((const uint8_t *)"\x94\4\0\0\x94\x9\0\0", 8, to), 4);
}

KTEST_SUITE(ip_options, T(harmless_options_are_accepted), T(options_that_do_not_fit_are_bad),
    T(source_routes_are_not_followed), T(a_packet_with_options_is_delivered_with_them),
    T(fragments_carry_copied_options_only));
