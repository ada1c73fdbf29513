/* IGMP: what is told to routers when groups are joined and left, and when they ask. */
#include "src/kern/sysctl.h"
#include "src/netinet/igmp_private.h"
#include "src/netinet/in_pcb.h"
#include "tests/unit/ip_testing.h"

#define GROUP		IP4(239, 1, 2, 3)
#define OTHER		IP4(239, 1, 2, 4)
#define ROUTER		IP4(10, 0, 0, 254)
#define S(n)		IP4(192, 0, 2, n)
#define SECONDS		UINT64_C(1000000000)

static struct in_multi *
join(uint32_t group)
{
	struct in_addr a = {group};
	struct in_multi *inm;

	CHECK_EQ(in_multi_join(en7, AF_INET, &a, &inm), 0);
	return inm;
}

/* One member's wish: up to two sources, 0 none. */
static union in_any wished[2];
static struct in_wish
wish(uint8_t mode, uint32_t s1, uint32_t s2)
{
	struct in_wish w = {.mode = mode, .count = (s1 != 0) + (s2 != 0), .sources = wished};

	memset(wished, 0, sizeof wished);
	wished[0].v4.s_addr = s1;
	wished[1].v4.s_addr = s2;
	return w;
}

static void
change(uint32_t group, const struct in_wish *from, const struct in_wish *to)
{
	struct in_addr a = {group};
	struct in_multi *inm;

	CHECK_EQ(in_multi_change(en7, AF_INET, &a, from, to, &inm), 0);
}

/* The i-th packet sent is a good IGMP message of that type to `dst`. */
static const uint8_t *
message(unsigned i, uint8_t type, uint32_t dst)
{
	const struct ip *ip;
	struct mbuf *m;

	CHECK(i < sent.count);
	m = sent.m[i];
	ip = mtod(m, const struct ip *);
	CHECK_EQ(ip->ip_hl, 6);
	CHECK_EQ(memcmp(m->m_data + 20, "\224\4\0\0", 4), 0);
	CHECK_EQ(in_cksum_part(m, 0, 24), 0);
	CHECK_EQ(ip->ip_p, IPPROTO_IGMP);
	CHECK_EQ(ip->ip_ttl, 1);
	CHECK_EQ(ip->ip_dst.s_addr, dst);
	CHECK_EQ(in_cksum_part(m, 24, (size_t)m->m_pkthdr.len - 24), 0);
	CHECK_EQ((uint8_t)m->m_data[24], type);
	return (const uint8_t *)m->m_data + 24;
}

/* The i-th packet sent is a report of version 3 with one record. */
static void
record(unsigned i, uint8_t type, uint32_t group, uint32_t s1, uint32_t s2)
{
	const uint8_t *p = message(i, IGMP_v3_HOST_MEMBERSHIP_REPORT, IP4(224, 0, 0, 22));
	size_t n = (s1 != 0) + (s2 != 0);

	CHECK_EQ(p[6] << 8 | p[7], 1);
	CHECK_EQ(p[8], type);
	CHECK_EQ(p[10] << 8 | p[11], n);
	CHECK_EQ(memcmp(p + 12, &group, 4), 0);
	CHECK_EQ(sent.m[i]->m_pkthdr.len, 24 + 16 + 4 * n);
	if (n > 0)
		CHECK_EQ(memcmp(p + 16, &s1, 4), 0);
	if (n > 1)
		CHECK_EQ(memcmp(p + 20, &s2, 4), 0);
}

static void
receive(const void *data, size_t len, uint32_t src, uint32_t dst, uint8_t ttl)
{
	struct mbuf *m = make4(&(struct spec4){.src = src, .dst = dst, .ttl = ttl,
	    .protocol = IPPROTO_IGMP, .len = len, .options = "\224\4\0\0", .options_len = 4});
	uint16_t sum = 0;

	CHECK_EQ(m_copyback(m, 24, len, data, MBUF_DONTWAIT), 0);
	CHECK_EQ(m_copyback(m, 26, 2, &sum, MBUF_DONTWAIT), 0);
	sum = in_cksum_part(m, 24, len);
	CHECK_EQ(m_copyback(m, 26, 2, &sum, MBUF_DONTWAIT), 0);
	ip_input(curmachine(), m);
}

/* A query of version 3; `tenths` for the answer. */
static void
ask(uint32_t group, uint8_t tenths, const uint32_t *sources, unsigned count)
{
	uint8_t q[12 + 4 * 64] = {IGMP_HOST_MEMBERSHIP_QUERY, tenths};

	memcpy(q + 4, &group, 4);
	q[8] = 2;
	q[9] = 125;
	q[10] = (uint8_t)(count >> 8);
	q[11] = (uint8_t)count;
	if (count != 0)
		memcpy(q + 12, sources, 4 * count);
	receive(q, 12 + 4 * count, ROUTER, group != 0 ? group : IP4(224, 0, 0, 1), 1);
}

/* A message of the older versions. */
static void
say(uint8_t type, uint8_t code, uint32_t group, uint32_t src, uint32_t dst)
{
	uint8_t q[8] = {type, code};

	memcpy(q + 4, &group, 4);
	receive(q, sizeof q, src, dst, 1);
}

static struct igmpstat_v3 *
st(void)
{
	return igmp_statistics(curmachine());
}

static void
quiet(uint64_t ns)
{
	unsigned before = sent.count;

	let_pass(ns);
	CHECK_EQ(sent.count, before);
}

/* ---- version 3: changes ------------------------------------------------------------------- */

KTEST(joining_and_leaving_are_told_twice)
{
	struct in_multi *inm;

	testbed();
	inm = join(GROUP);
	record(0, IGMP_CHANGE_TO_EXCLUDE_MODE, GROUP, 0, 0);
	CHECK_EQ(mtod(sent.m[0], struct ip *)->ip_src.s_addr, HERE4);
	let_pass(SECONDS);
	CHECK_EQ(sent.count, 2);
	record(1, IGMP_CHANGE_TO_EXCLUDE_MODE, GROUP, 0, 0);
	quiet(100 * SECONDS);
	in_multi_leave(inm);
	record(2, IGMP_CHANGE_TO_INCLUDE_MODE, GROUP, 0, 0);
	let_pass(SECONDS);
	record(3, IGMP_CHANGE_TO_INCLUDE_MODE, GROUP, 0, 0);
	quiet(100 * SECONDS);
	CHECK_EQ(st()->igps_snd_reports, 4);
	testbed_end();
}

KTEST(a_second_member_is_nothing_new)
{
	struct in_multi *one, *two;

	testbed();
	one = join(GROUP);
	let_pass(2 * SECONDS);
	forget(&sent);
	two = join(GROUP);
	CHECK(one == two);
	in_multi_leave(one);
	quiet(10 * SECONDS);
	in_multi_leave(two);
	CHECK_EQ(sent.count, 1);
	let_pass(2 * SECONDS);
	testbed_end();
}

KTEST(what_changes_before_it_was_told_is_merged)
{
	testbed();
	in_multi_leave(join(GROUP));
	CHECK_EQ(sent.count, 2);
	record(1, IGMP_CHANGE_TO_INCLUDE_MODE, GROUP, 0, 0);
	/* The join is not repeated once it has been undone. */
	let_pass(SECONDS);
	CHECK_EQ(sent.count, 3);
	record(2, IGMP_CHANGE_TO_INCLUDE_MODE, GROUP, 0, 0);
	quiet(100 * SECONDS);
	testbed_end();
}

KTEST(sources_come_and_go)
{
	struct in_wish two, one, none;

	testbed();
	two = wish(MCAST_INCLUDE, S(1), S(2));
	change(GROUP, NULL, &two);
	record(0, IGMP_ALLOW_NEW_SOURCES, GROUP, S(1), S(2));
	let_pass(SECONDS);
	record(1, IGMP_ALLOW_NEW_SOURCES, GROUP, S(1), S(2));
	one = (struct in_wish){.mode = MCAST_INCLUDE, .count = 1, .sources = wished + 1};
	change(GROUP, &two, &one);
	record(2, IGMP_BLOCK_OLD_SOURCES, GROUP, S(1), 0);
	let_pass(2 * SECONDS);
	CHECK_EQ(sent.count, 4);
	forget(&sent);
	none = (struct in_wish){.mode = MCAST_EXCLUDE, .count = 1, .sources = wished};
	change(GROUP, &one, &none);
	record(0, IGMP_CHANGE_TO_EXCLUDE_MODE, GROUP, S(1), 0);
	let_pass(2 * SECONDS);
	forget(&sent);
	change(GROUP, &none, &(struct in_wish){.mode = MCAST_EXCLUDE});
	record(0, IGMP_ALLOW_NEW_SOURCES, GROUP, S(1), 0);
	let_pass(2 * SECONDS);
	forget(&sent);
	change(GROUP, &(struct in_wish){.mode = MCAST_EXCLUDE}, NULL);
	record(0, IGMP_CHANGE_TO_INCLUDE_MODE, GROUP, 0, 0);
	let_pass(2 * SECONDS);
	testbed_end();
}

KTEST(some_groups_are_not_reported)
{
	struct in_multi *all = NULL, *link;

	testbed();
	all = join(IP4(224, 0, 0, 1));
	quiet(2 * SECONDS);
	link = join(IP4(224, 0, 0, 251));
	CHECK_EQ(sent.count, 1);
	ask(0, 10, NULL, 0);
	let_pass(2 * SECONDS);
	in_multi_leave(all);
	in_multi_leave(link);
	let_pass(2 * SECONDS);
	testbed_end();
}

/* ---- version 3: queries ------------------------------------------------------------------- */

KTEST(a_general_query_is_answered_once_for_all_groups)
{
	struct in_multi *inm[3];
	const uint8_t *p;

	testbed();
	for (unsigned i = 0; i < 3; i++)
		inm[i] = join(htonl(ntohl(GROUP) + i));
	let_pass(2 * SECONDS);
	forget(&sent);
	ask(0, 100, NULL, 0);
	CHECK_EQ(sent.count, 0);
	let_pass(5 * SECONDS);
	ask(0, 100, NULL, 0);
	let_pass(10 * SECONDS);
	CHECK(sent.count == 1 || sent.count == 2);
	p = message(0, IGMP_v3_HOST_MEMBERSHIP_REPORT, IP4(224, 0, 0, 22));
	CHECK_EQ(p[7], 3);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(p[8 + 8 * i], IGMP_MODE_IS_EXCLUDE);
	CHECK_EQ(st()->igps_rcv_gen_queries, 2);
	for (unsigned i = 0; i < 3; i++)
		in_multi_leave(inm[i]);
	let_pass(2 * SECONDS);
	testbed_end();
}

KTEST(one_group_may_be_asked_for)
{
	const uint32_t asked[] = {S(2), S(3)};
	struct in_wish some = wish(MCAST_INCLUDE, S(1), S(2));
	struct in_multi *inm;

	testbed();
	inm = join(OTHER);
	change(GROUP, NULL, &some);
	let_pass(2 * SECONDS);
	forget(&sent);
	ask(OTHER, 10, NULL, 0);
	let_pass(SECONDS);
	record(0, IGMP_MODE_IS_EXCLUDE, OTHER, 0, 0);
	ask(GROUP, 10, NULL, 0);
	let_pass(SECONDS);
	record(1, IGMP_MODE_IS_INCLUDE, GROUP, S(1), S(2));
	/* Sources: those of them that are wanted. */
	ask(GROUP, 10, asked, 2);
	let_pass(SECONDS);
	record(2, IGMP_MODE_IS_INCLUDE, GROUP, S(2), 0);
	ask(OTHER, 10, asked, 2);
	let_pass(SECONDS);
	record(3, IGMP_MODE_IS_INCLUDE, OTHER, S(2), S(3));
	/* Nothing of it is wanted: nothing is said. */
	ask(GROUP, 10, asked + 1, 1);
	ask(IP4(239, 9, 9, 9), 10, NULL, 0);
	quiet(2 * SECONDS);
	CHECK_EQ(st()->igps_rcv_group_queries, 3);
	CHECK_EQ(st()->igps_rcv_gsr_queries, 3);
	in_multi_leave(inm);
	change(GROUP, &some, NULL);
	let_pass(2 * SECONDS);
	testbed_end();
}

KTEST(too_many_sources_are_answered_with_everything)
{
	uint32_t asked[64];
	struct in_multi *inm;

	testbed();
	for (unsigned i = 0; i < 64; i++)
		asked[i] = S(i + 1);
	inm = join(GROUP);
	let_pass(2 * SECONDS);
	forget(&sent);
	ask(GROUP, 10, asked, 64);
	let_pass(SECONDS);
	record(0, IGMP_MODE_IS_EXCLUDE, GROUP, 0, 0);
	/* Or when they come bit by bit. */
	for (unsigned i = 0; i < 64; i += 8)
		ask(GROUP, 10, asked + i, 8);
	let_pass(SECONDS);
	record(1, IGMP_MODE_IS_EXCLUDE, GROUP, 0, 0);
	in_multi_leave(inm);
	let_pass(2 * SECONDS);
	testbed_end();
}

KTEST(nonsense_is_counted_and_ignored)
{
	uint8_t q[16] = {IGMP_HOST_MEMBERSHIP_QUERY, 10};
	struct in_multi *inm;
	struct mbuf *m;

	testbed();
	inm = join(GROUP);
	let_pass(2 * SECONDS);
	forget(&sent);
	receive(q, 7, ROUTER, IP4(224, 0, 0, 1), 1);
	CHECK_EQ(st()->igps_rcv_tooshort, 1);
	receive(q, 12, ROUTER, IP4(224, 0, 0, 1), 2);
	CHECK_EQ(st()->igps_rcv_badttl, 1);
	receive(q, 10, ROUTER, IP4(224, 0, 0, 1), 1);
	receive(q, 12, ROUTER, IP4(224, 0, 0, 2), 1);
	q[11] = 2;			/* sources that are not there */
	q[4] = 239;
	receive(q, 12, ROUTER, IP4(239, 0, 0, 0), 1);
	q[4] = 10;
	receive(q, 8, ROUTER, IP4(10, 0, 0, 1), 1);
	CHECK_EQ(st()->igps_rcv_badqueries, 4);
	m = make4(&(struct spec4){.protocol = IPPROTO_IGMP, .dst = IP4(224, 0, 0, 1), .ttl = 1, .len = 12});
	ip_input(curmachine(), m);
	CHECK_EQ(st()->igps_rcv_badsum, 1);
	quiet(20 * SECONDS);
	in_multi_leave(inm);
	let_pass(2 * SECONDS);
	testbed_end();
}

KTEST(a_flood_of_queries_gets_few_answers)
{
	struct in_multi *inm;

	testbed();
	inm = join(GROUP);
	let_pass(2 * SECONDS);
	forget(&sent);
	for (unsigned i = 0; i < 5000; i++) {
		ask(i & 1 ? GROUP : 0, 20, NULL, 0);
		if (i % 500 == 499)
			let_pass(SECONDS);
	}
	let_pass(3 * SECONDS);
	CHECK(sent.count > 0 && sent.count < 5000 / 4);
	in_multi_leave(inm);
	let_pass(2 * SECONDS);
	testbed_end();
}

KTEST(many_groups_fill_several_messages)
{
	struct in_multi *inm[200];
	unsigned records = 0;

	testbed();
	for (unsigned i = 0; i < 200; i++) {
		inm[i] = join(htonl(ntohl(GROUP) + i));
		forget(&sent);
	}
	for (unsigned i = 0; i < 20; i++) {
		let_pass(SECONDS / 10);
		forget(&sent);
	}
	ask(0, 1, NULL, 0);
	let_pass(SECONDS);
	CHECK_EQ(sent.count, 2);
	for (unsigned i = 0; i < sent.count; i++) {
		CHECK(sent.m[i]->m_pkthdr.len <= 1500);
		records += message(i, IGMP_v3_HOST_MEMBERSHIP_REPORT, IP4(224, 0, 0, 22))[7];
	}
	CHECK_EQ(records, 200);
	for (unsigned i = 0; i < 200; i++) {
		forget(&sent);
		in_multi_leave(inm[i]);
	}
	for (unsigned i = 0; i < 20; i++) {
		forget(&sent);
		let_pass(SECONDS / 10);
	}
	testbed_end();
}

/* ---- older versions ----------------------------------------------------------------------- */

KTEST(a_router_of_version_2_is_spoken_to_in_version_2)
{
	struct in_multi *inm, *other;

	testbed();
	other = join(OTHER);
	let_pass(2 * SECONDS);
	forget(&sent);
	say(IGMP_HOST_MEMBERSHIP_QUERY, 10, 0, ROUTER, IP4(224, 0, 0, 1));
	let_pass(SECONDS);
	CHECK_EQ(sent.count, 1);
	(void)message(0, IGMP_v2_HOST_MEMBERSHIP_REPORT, OTHER);
	/* Joining is told, and again. */
	inm = join(GROUP);
	(void)message(1, IGMP_v2_HOST_MEMBERSHIP_REPORT, GROUP);
	let_pass(10 * SECONDS);
	CHECK_EQ(sent.count, 3);
	in_multi_leave(inm);
	CHECK_EQ(memcmp(message(3, IGMP_HOST_LEAVE_MESSAGE, IP4(224, 0, 0, 2)) + 4,
	    &(uint32_t){GROUP}, 4), 0);
	/* One group asked for. */
	say(IGMP_HOST_MEMBERSHIP_QUERY, 10, OTHER, ROUTER, OTHER);
	let_pass(SECONDS);
	CHECK_EQ(sent.count, 5);
	/* Twice 125 seconds and 10 later the router counts as gone. */
	let_pass(261 * SECONDS);
	forget(&sent);
	in_multi_leave(other);
	record(0, IGMP_CHANGE_TO_INCLUDE_MODE, OTHER, 0, 0);
	let_pass(2 * SECONDS);
	testbed_end();
}

KTEST(another_members_report_spares_ours)
{
	struct in_multi *inm;

	testbed();
	inm = join(GROUP);
	let_pass(2 * SECONDS);
	forget(&sent);
	say(IGMP_HOST_MEMBERSHIP_QUERY, 100, 0, ROUTER, IP4(224, 0, 0, 1));
	say(IGMP_v2_HOST_MEMBERSHIP_REPORT, 0, GROUP, THERE4, GROUP);
	CHECK_EQ(st()->igps_rcv_ourreports, 1);
	quiet(20 * SECONDS);
	/* Nor need it be told that we leave. */
	in_multi_leave(inm);
	quiet(5 * SECONDS);
	say(IGMP_v2_HOST_MEMBERSHIP_REPORT, 0, GROUP, THERE4, OTHER);
	CHECK_EQ(st()->igps_rcv_badreports, 1);
	testbed_end();
}

KTEST(a_router_of_version_1_is_spoken_to_in_version_1)
{
	struct in_multi *inm;

	testbed();
	inm = join(GROUP);
	let_pass(2 * SECONDS);
	forget(&sent);
	say(IGMP_HOST_MEMBERSHIP_QUERY, 0, 0, ROUTER, IP4(224, 0, 0, 1));
	let_pass(10 * SECONDS);
	CHECK_EQ(sent.count, 1);
	(void)message(0, IGMP_v1_HOST_MEMBERSHIP_REPORT, GROUP);
	in_multi_leave(inm);		/* is not said in version 1 */
	quiet(20 * SECONDS);
	testbed_end();
}

/* ---- life --------------------------------------------------------------------------------- */

KTEST(random_messages_never_break_anything)
{
	static const uint8_t types[] = {0x11, 0x11, 0x12, 0x16, 0x17, 0x22};
	const uint32_t groups[] = {0, GROUP, OTHER, IP4(224, 0, 0, 1)};
	struct in_multi *one, *two;
	uint32_t random = 1;

	testbed();
	one = join(GROUP);
	two = join(OTHER);
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t q[80];

		for (unsigned k = 0; k < sizeof q; k++) {
			random = random * 1664525u + 1013904223u;
			q[k] = (uint8_t)(random >> 24);
		}
		q[0] = types[q[0] % sizeof types];
		if (q[3] & 3)
			memcpy(q + 4, &groups[q[4] & 3], 4);
		if (q[2] & 3)
			q[10] = 0, q[11] %= 20;
		receive(q, 1 + q[79] % 79, THERE4, groups[q[78] & 3] != 0 ? groups[q[78] & 3] : HERE4, 1);
		if (i % 16 == 0)
			let_pass(SECONDS);
		forget(&sent);
	}
	in_multi_leave(one);
	in_multi_leave(two);
	let_pass(3 * SECONDS);
	testbed_end();
}

KTEST(an_interface_may_go_in_the_middle)
{
	struct in_multi *inm;

	testbed();
	inm = join(GROUP);
	ask(0, 10, NULL, 0);
	forget(&sent);
	CHECK_EQ(dlil_detach(en7), 0);
	let_pass(20 * SECONDS);
	CHECK_EQ(sent.count, 0);
	in_multi_leave(inm);
	testbed_end();
}

KTEST(a_replayed_machine_says_nothing)
{
	struct nke *machine = curmachine();
	struct in_multi *inm;

	testbed();
	machine->replay = (struct replay *)(void *)machine;
	inm = join(GROUP);
	in_multi_leave(inm);
	machine->replay = NULL;
	quiet(10 * SECONDS);
	testbed_end();
}

KTEST(without_memory_nothing_breaks)
{
	struct in_addr a = {GROUP};
	struct in_multi *inm;

	testbed();
	for (unsigned n = 1; n < 24; n++) {
		errno_t error;

		fail_after(n);
		error = in_multi_join(en7, AF_INET, &a, &inm);
		fail_after(0);
		ask(0, 10, NULL, 0);
		fail_after(n);
		let_pass(SECONDS);
		if (error == 0)
			in_multi_leave(inm);
		fail_after(0);
		let_pass(3 * SECONDS);
		forget(&sent);
	}
	testbed_end();
}

KTEST(every_interface_with_an_address_is_a_member_of_all_hosts)
{
	struct sockaddr_in group = {.sin_len = sizeof group, .sin_family = AF_INET,
	    .sin_addr = {IP4(224, 0, 0, 1)}};

	testbed();
	CHECK(ip_local_member(en7, (struct sockaddr *)&group));
	CHECK(!ip_local_member(dlil_loopback(curmachine()), (struct sockaddr *)&group));
	CHECK_EQ(sent.count, 0);
	testbed_end();
}

KTEST_SUITE(igmp, T(joining_and_leaving_are_told_twice), T(a_second_member_is_nothing_new),
    T(what_changes_before_it_was_told_is_merged), T(sources_come_and_go),
    T(some_groups_are_not_reported), T(a_general_query_is_answered_once_for_all_groups),
    T(one_group_may_be_asked_for), T(too_many_sources_are_answered_with_everything),
    T(nonsense_is_counted_and_ignored), T(a_flood_of_queries_gets_few_answers),
    T(many_groups_fill_several_messages), T(a_router_of_version_2_is_spoken_to_in_version_2),
    T(another_members_report_spares_ours), T(a_router_of_version_1_is_spoken_to_in_version_1),
    T(random_messages_never_break_anything), T(an_interface_may_go_in_the_middle),
    T(a_replayed_machine_says_nothing),
    T(without_memory_nothing_breaks),
    T(every_interface_with_an_address_is_a_member_of_all_hosts));
