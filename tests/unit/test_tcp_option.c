/* src/netinet/tcp_option.c: options as they are on the wire, both ways. */
#include <string.h>

#include "src/netinet/tcp_ecn.h"
#include "tests/unit/ktest.h"

static struct tcpopt to;

static void
parse(const void *octets, unsigned len, bool syn)
{
	memset(&to, 0xa5, sizeof to);
	tcp_dooptions(&to, octets, len, syn);
}

#define PARSE(text, syn)	parse(text, sizeof text - 1, syn)

/* ---- the way in --------------------------------------------------------------------------- */

KTEST(a_syn_with_everything_is_read)
{
	PARSE("\2\4\5\xb4" "\1\3\3\6" "\4\2\x8\xa\x01\x02\x03\x04\0\0\0\0" "\x22\xa" "12345678" "\1\1", true);
	CHECK_EQ(to.to_flags, TOF_MSS | TOF_SCALE | TOF_SACKPERM | TOF_TS | TOF_FASTOPEN);
	CHECK_EQ(to.to_mss, 1460);
	CHECK_EQ(to.to_wscale, 6);
	CHECK_EQ(to.to_tsval, 0x01020304);
	CHECK_EQ(to.to_tsecr, 0);
	CHECK_EQ(to.to_tfo_len, 8);
	CHECK(memcmp(to.to_tfo_cookie, "12345678", 8) == 0);
}

KTEST(the_usual_timestamp_is_read)
{
	PARSE("\1\1\x8\xa\xff\0\0\1\0\0\0\2", false);
	CHECK_EQ(to.to_flags, TOF_TS);
	CHECK_EQ(to.to_tsval, 0xff000001);
	CHECK_EQ(to.to_tsecr, 2);
	CHECK_EQ(to.to_nsacks, 0);
	/* Unaligned as well. */
	PARSE("\x8\xa\0\0\0\7\0\0\0\x8\1\1", false);
	CHECK_EQ(to.to_flags, TOF_TS);
	CHECK_EQ(to.to_tsval, 7);
	CHECK_EQ(to.to_tsecr, 8);
}

KTEST(sack_blocks_are_counted_and_pointed_to)
{
	static const uint8_t with[] = "\1\1\x5\x12" "aaaabbbb" "ccccdddd";

	parse(with, sizeof with - 1, false);
	CHECK_EQ(to.to_flags, TOF_SACK);
	CHECK_EQ(to.to_nsacks, 2);
	CHECK(to.to_sacks == with + 4);
	/* In a SYN they mean nothing; not with half a block either. */
	parse(with, sizeof with - 1, true);
	CHECK_EQ(to.to_flags, 0);
	PARSE("\x5\x6" "aaaa", false);
	CHECK_EQ(to.to_flags, 0);
	PARSE("\x5\x2", false);
	CHECK_EQ(to.to_flags, 0);
}

KTEST(options_of_syns_are_passed_over_elsewhere)
{
	PARSE("\2\4\5\xb4\1\3\3\6\4\2\x22\2", false);
	CHECK_EQ(to.to_flags, 0);
	CHECK_EQ(to.to_mss, 0);
}

KTEST(malformed_options_end_it_and_what_was_read_counts)
{
	static const struct {
		const char *octets;
		unsigned len;
		uint32_t flags;
	} table[] = {
		{"\2\4\5\xb4\3", 5, TOF_MSS},			/* no length */
		{"\2\4\5\xb4\3\0\1", 7, TOF_MSS},		/* a length of 0 */
		{"\2\4\5\xb4\3\1\1", 7, TOF_MSS},		/* less than kind and length */
		{"\2\4\5\xb4\x8\xa\1\1", 8, TOF_MSS},		/* beyond the end */
		{"\2\4\5\xb4\0\4\2", 7, TOF_MSS},		/* behind the end of the list */
		{"\2\3\5\4\2", 5, TOF_SACKPERM},		/* wrong length: passed over */
		{"\4\3\1\3\4\1\1", 7, 0},
		{"\x8\x9" "1234567\4\2", 11, TOF_SACKPERM},
		{"\x22\5\1\2\3\4\2", 7, TOF_SACKPERM},		/* a cookie of 3 octets */
		{"\xfe\4\1\1\4\2", 6, TOF_SACKPERM},		/* unknown */
		{"\x22\2", 2, TOF_FASTOPEN},			/* a request */
		{"\x13\x12" "1234567890123456", 18, TOF_SIGNATURE},
		{"", 0, 0},
		{"\1\1\1", 3, 0},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		parse(table[i].octets, table[i].len, true);
		CHECK_EQ(to.to_flags, table[i].flags);
	}
	PARSE("\3\3\xff", true);
	CHECK_EQ(to.to_wscale, TCP_MAX_WINSHIFT);
}

KTEST(any_octets_are_survived)
{
	uint8_t octets[TCP_MAXOLEN];
	uint32_t x = 1;

	for (unsigned i = 0; i < 20000; i++) {
		for (size_t k = 0; k < sizeof octets; k++) {
			x = x * 1103515245 + 12345;
			octets[k] = (uint8_t)(x >> 16) & (x & 0x100 ? 0xff : 0x0f);
		}
		parse(octets, i % (sizeof octets + 1), i & 1);
		if (to.to_flags & TOF_SACK)
			CHECK(to.to_sacks + to.to_nsacks * TCPOLEN_SACK <= octets + sizeof octets);
		CHECK(to.to_tfo_len <= TCP_FASTOPEN_MAX_COOKIE);
		CHECK(to.to_wscale <= TCP_MAX_WINSHIFT);
	}
}

/* ---- the way out -------------------------------------------------------------------------- */

static uint8_t out[TCP_MAXOLEN];

#define WRITES(text) do {							\
	unsigned len_ = tcp_addoptions(&to, out);				\
	CHECK_EQ(len_, sizeof text - 1);					\
	CHECK(memcmp(out, text, sizeof text - 1) == 0);				\
} while (0)

KTEST(a_syn_is_written_as_bsd_writes_it)
{
	to = (struct tcpopt){
		.to_flags = TOF_MSS | TOF_SCALE | TOF_SACKPERM | TOF_TS, .to_mss = 1460, .to_wscale = 8,
		.to_tsval = 0x01020304, .to_tsecr = 5
	};
	WRITES("\2\4\5\xb4\1\3\3\x8\4\2\x8\xa\1\2\3\4\0\0\0\5");
	to.to_flags = TOF_MSS;
	WRITES("\2\4\5\xb4");
	to.to_flags = TOF_MSS | TOF_SACKPERM;
	WRITES("\2\4\5\xb4\4\2\0\0");
	to.to_flags = TOF_MSS | TOF_TS;
	WRITES("\2\4\5\xb4\1\1\x8\xa\1\2\3\4\0\0\0\5");
	to.to_flags = 0;
	WRITES("");
}

KTEST(cookies_are_written_behind)
{
	to = (struct tcpopt){.to_flags = TOF_FASTOPEN, .to_tfo_len = 0};
	WRITES("\x22\2\0\0");
	to.to_tfo_len = 8;
	to.to_tfo_cookie = (const uint8_t *)"abcdefgh";
	WRITES("\x22\xa" "abcdefgh\0\0");
	/* All of a SYN, and the longest cookie: 38 octets. */
	to = (struct tcpopt){
		.to_flags = TOF_MSS | TOF_SCALE | TOF_SACKPERM | TOF_TS | TOF_FASTOPEN, .to_mss = 536,
		.to_tfo_len = 16, .to_tfo_cookie = (const uint8_t *)"abcdefghabcdefgh"
	};
	CHECK_EQ(tcp_addoptions(&to, out), 40);
}

KTEST(as_many_sack_blocks_as_fit_are_written)
{
	static const uint8_t blocks[] = "aaaaAAAAbbbbBBBBccccCCCCddddDDDDeeeeEEEE";

	to = (struct tcpopt){.to_flags = TOF_SACK, .to_nsacks = 2, .to_sacks = blocks};
	WRITES("\1\1\x5\x12" "aaaaAAAAbbbbBBBB");
	to.to_nsacks = 5;
	CHECK_EQ(tcp_addoptions(&to, out), 36);
	CHECK_EQ(to.to_nsacks, 4);
	to = (struct tcpopt){
		.to_flags = TOF_SACK | TOF_TS, .to_tsval = 1, .to_tsecr = 2, .to_nsacks = 5,
		.to_sacks = blocks
	};
	WRITES("\1\1\x8\xa\0\0\0\1\0\0\0\2\1\1\x5\x1a" "aaaaAAAAbbbbBBBBccccCCCC");
	to.to_nsacks = 0;
	CHECK_EQ(tcp_addoptions(&to, out), 12);
}

KTEST(counters_of_accurate_ecn_are_pointed_to)
{
	static const uint8_t full[] = "\1\xae\xb" "123456789", short_one[] = "\xac\x8" "123456";
	static const uint8_t none[] = "\xac\x2";

	parse(full, sizeof full - 1, false);
	CHECK_EQ(to.to_flags, TOF_ACCECN);
	CHECK(to.to_accecn == full + 1);
	/* In SYNs as well. */
	parse(short_one, sizeof short_one - 1, true);
	CHECK_EQ(to.to_flags, TOF_ACCECN);
	CHECK(to.to_accecn == short_one);
	parse(none, sizeof none - 1, false);
	CHECK_EQ(to.to_flags, TOF_ACCECN);
	/* Half a counter, or one too many. */
	PARSE("\xac\x6" "1234", false);
	CHECK_EQ(to.to_flags, 0);
	PARSE("\xae\xe" "123456789abc", false);
	CHECK_EQ(to.to_flags, 0);
	to = (struct tcpopt){.to_flags = TOF_MSS | TOF_ACCECN, .to_mss = 1, .to_accecn = full + 1};
	CHECK_EQ(tcp_addoptions(&to, out), 16);
	CHECK(memcmp(out + 4, full + 1, 11) == 0);
	CHECK_EQ(out[15], TCPOPT_EOL);
}

KTEST(what_is_written_can_be_read)
{
	static const uint8_t blocks[] = "aaaaAAAAbbbbBBBB";
	struct tcpopt in;
	unsigned len;

	for (uint32_t flags = 0; flags < 2 * TOF_FASTOPEN; flags++) {
		bool syn = !(flags & TOF_SACK);

		to = (struct tcpopt){
			.to_flags = flags, .to_mss = 1220, .to_wscale = 7, .to_tsval = 11, .to_tsecr = 12,
			.to_nsacks = 1, .to_sacks = blocks, .to_tfo_len = 4,
			.to_tfo_cookie = (const uint8_t *)"cook"
		};
		len = tcp_addoptions(&to, out);
		CHECK_EQ(len % 4, 0);
		CHECK(len <= TCP_MAXOLEN);
		tcp_dooptions(&in, out, len, syn);
		CHECK_EQ(in.to_flags, syn ? flags : flags & (TOF_TS | TOF_SACK));
		if (in.to_flags & TOF_TS)
			CHECK(in.to_tsval == 11 && in.to_tsecr == 12);
		if (in.to_flags & TOF_SACK)
			CHECK(in.to_nsacks == 1 && memcmp(in.to_sacks, blocks, 8) == 0);
	}
}

KTEST_SUITE(tcp_option,
	T(a_syn_with_everything_is_read),
	T(the_usual_timestamp_is_read),
	T(sack_blocks_are_counted_and_pointed_to),
	T(options_of_syns_are_passed_over_elsewhere),
	T(malformed_options_end_it_and_what_was_read_counts),
	T(any_octets_are_survived),
	T(a_syn_is_written_as_bsd_writes_it),
	T(cookies_are_written_behind),
	T(as_many_sack_blocks_as_fit_are_written),
	T(counters_of_accurate_ecn_are_pointed_to),
	T(what_is_written_can_be_read));
