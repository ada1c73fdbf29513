/* src/netinet/tcp_isn.c and in_siphash.h: numbers that nobody guesses. */
#include "src/netinet/in_siphash.h"
#include "tests/unit/tcp_testing.h"

static struct in_ends
ends(uint32_t peer, uint16_t fport, uint16_t lport)
{
	struct in_ends e = {
		.faddr = in6_from4(peer), .laddr = in6_from4(HERE4), .fport = fport, .lport = lport,
		.vflag = INP_IPV4
	};

	return e;
}

KTEST(the_hash_is_siphash)
{
	static const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
	struct in_siphash h;

	/* The vectors of its authors' reference code for 0, 8 and 16 octets. */
	in_siphash_begin(&h, key);
	CHECK_EQ(in_siphash_end(&h), UINT64_C(0x726fdb47dd0e0e31));
	in_siphash_begin(&h, key);
	in_siphash_word(&h, UINT64_C(0x0706050403020100));
	CHECK_EQ(in_siphash_end(&h), UINT64_C(0x93f5f5799a932462));
	in_siphash_begin(&h, key);
	in_siphash_word(&h, UINT64_C(0x0706050403020100));
	in_siphash_word(&h, UINT64_C(0x0f0e0d0c0b0a0908));
	CHECK_EQ(in_siphash_end(&h), UINT64_C(0x3f2acc7f57c29bdb));
}

KTEST(numbers_go_forward_for_a_pair)
{
	struct nke *m = curmachine();
	struct in_ends e = ends(THERE4, 1, 2);
	tcp_seq first = tcp_new_isn(m, &e), last;

	CHECK_EQ(tcp_new_isn(m, &e), first);
	let_pass(TCP_NS_PER_S);
	last = tcp_new_isn(m, &e);
	/* A tick every 4 us: RFC 9293 section 3.4.1. */
	CHECK(last - first >= 250000 && last - first < 250010);
}

KTEST(a_secret_is_as_old_as_the_variable_lets_it_be)
{
	struct nke *m = curmachine();
	struct in_ends e = ends(THERE4, 1, 2);
	tcp_seq first, last;

	m->tcp->config.isn_reseed_interval = 60;
	first = tcp_new_isn(m, &e);
	let_pass(59 * TCP_NS_PER_S);
	last = tcp_new_isn(m, &e);
	CHECK(last - first >= 59 * 250000 && last - first < 59 * 250000 + 10);
	let_pass(2 * TCP_NS_PER_S);
	first = tcp_new_isn(m, &e);
	CHECK(first - last < 2 * 250000 || first - last >= 2 * 250000 + 10);
	let_pass(TCP_NS_PER_S);
	CHECK(tcp_new_isn(m, &e) - first < 250010);
}

KTEST(other_pairs_say_nothing)
{
	struct nke *m = curmachine();
	uint32_t seen[4] = {0}, last = 0, distances = 0;

	for (uint16_t i = 0; i < 1000; i++) {
		struct in_ends e = ends(THERE4, i, 2);
		tcp_seq isn = tcp_new_isn(m, &e);

		seen[isn >> 30]++;
		distances += isn - last < 1u << 20;
		last = isn;
	}
	for (unsigned i = 0; i < 4; i++)
		CHECK(seen[i] > 150 && seen[i] < 350);
	CHECK(distances < 5);
}

KTEST(each_part_of_the_ends_counts)
{
	struct nke *m = curmachine();
	struct in_ends e = ends(THERE4, 1, 2), other = e;
	tcp_seq isn = tcp_new_isn(m, &e);

	other.lport = 3;
	CHECK(tcp_new_isn(m, &other) != isn);
	other = e;
	other.faddr = in6_from4(FAR4);
	CHECK(tcp_new_isn(m, &other) != isn);
	other = e;
	other.laddr = in6_from4(OTHER4);
	CHECK(tcp_new_isn(m, &other) != isn);
	e.vflag = other.vflag = INP_IPV6;
	e.faddr = e.laddr = other.laddr = HERE6;
	other.faddr = THERE6;
	CHECK(tcp_new_isn(m, &other) != tcp_new_isn(m, &e));
}

KTEST(the_timestamp_clock_stands_elsewhere_for_each_peer)
{
	struct nke *m = curmachine();
	struct in_ends e = ends(THERE4, 1, 2), other = ends(THERE4, 3, 2);
	uint32_t now = tcp_ts_now(m);

	CHECK_EQ(tcp_new_ts_offset(m, &e), tcp_new_ts_offset(m, &e));
	CHECK(tcp_new_ts_offset(m, &e) != tcp_new_ts_offset(m, &other));
	tconfig()->ts_offset_per_conn = 0;
	CHECK_EQ(tcp_new_ts_offset(m, &e), tcp_new_ts_offset(m, &other));
	other = ends(FAR4, 1, 2);
	CHECK(tcp_new_ts_offset(m, &e) != tcp_new_ts_offset(m, &other));
	let_pass(5 * TCP_NS_PER_S);
	CHECK_EQ(tcp_ts_now(m) - now, 5000);
}

KTEST_SUITE(tcp_isn, T(the_hash_is_siphash), T(numbers_go_forward_for_a_pair),
    T(a_secret_is_as_old_as_the_variable_lets_it_be), T(other_pairs_say_nothing),
    T(each_part_of_the_ends_counts), T(the_timestamp_clock_stands_elsewhere_for_each_peer));
