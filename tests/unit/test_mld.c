/* Multicast listener discovery: what routers are told when groups are joined and left, and when they ask. */
#include "src/netinet6/mld6_private.h"
#include "tests/unit/icmp_testing.h"

#define SECONDS		UINT64_C(1000000000)
#define GROUP		ip6_of("\xff\x05\0\0\0\0\0\0\0\0\0\0\0\1\0\3")
#define OTHER		ip6_of("\xff\x05\0\0\0\0\0\0\0\0\0\0\0\1\0\4")
#define ALL_NODES	ip6_of("\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\1")
#define ALL_ROUTERS	ip6_of("\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\2")
#define REPORTS		ip6_of("\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x16")
#define ROUTER		ip6_of("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\xfe")
#define MEMBER		ip6_of("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x77")

static const char router_alert[] = "\72\0\5\2\0\0\1\0";

static struct in_multi *
join(struct in6_addr group)
{
	struct in_multi *inm;

	CHECK_EQ(in_multi_join(en7, AF_INET6, &group, &inm), 0);
	return inm;
}

/* The i-th packet sent is a good message of that type to `dst`: its bytes. */
static const uint8_t *
message(unsigned i, uint8_t type, struct in6_addr dst)
{
	static uint8_t copy[1500];
	struct in6_addr local = LOCAL6;
	uint32_t len;
	struct mbuf *m;

	CHECK(i < sent.count);
	m = sent.m[i];
	CHECK_EQ(mtod(m, struct ip6_hdr *)->ip6_hlim, 1);
	CHECK_EQ(mtod(m, struct ip6_hdr *)->ip6_nxt, IPPROTO_HOPOPTS);
	CHECK_EQ(memcmp(m->m_data + 40, router_alert, 8), 0);
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_source(m), &local));
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_destination(m), &dst));
	len = (uint32_t)ip6_payload(m) - 8;
	CHECK_EQ(in_cksum_sum(m, 48, len, in6_pseudo(ip6_source(m), &dst, IPPROTO_ICMPV6, len)), 0xffff);
	CHECK(len <= sizeof copy);
	CHECK_EQ(m_copydata(m, 48, len, copy), 0);
	CHECK_EQ(copy[0], type);
	return copy;
}

/* The i-th packet sent is a report of version 2 with one record, without sources. */
static void
record(unsigned i, uint8_t type, struct in6_addr group)
{
	const uint8_t *p = message(i, MLDV2_LISTENER_REPORT, REPORTS);

	CHECK_EQ(p[6] << 8 | p[7], 1);
	CHECK_EQ(p[8], type);
	CHECK_EQ(p[10] << 8 | p[11], 0);
	CHECK_EQ(memcmp(p + 12, &group, 16), 0);
	CHECK_EQ(sent.m[i]->m_pkthdr.len, 76);
}

struct said {
	uint8_t type;
	uint16_t delay;			/* ms */
	struct in6_addr group, src, dst;
	size_t extra;			/* bytes behind those of version 1 */
	uint8_t hlim;
	bool no_alert;
};

static void
say(const struct said *s)
{
	uint8_t rest[256] = {0};
	struct spec6 spec = {.src = &s->src, .dst = &s->dst, .len = 16 + s->extra};
	struct mbuf *m;
	size_t off;

	if (!s->no_alert) {
		spec.headers = router_alert;
		spec.headers_len = 8;
	}
	m = message6(&spec, s->type, 0, htonl((uint32_t)s->delay << 16));
	off = 40 + spec.headers_len;
	mtod(m, struct ip6_hdr *)->ip6_hlim = s->hlim != 0 ? s->hlim : 1;
	memcpy(rest, &s->group, 16);
	rest[16] = 2;
	rest[17] = 125;
	CHECK_EQ(m_copyback(m, off + 8, 16 + s->extra, rest, MBUF_DONTWAIT), 0);
	sum6(m, off);
	ip6_input(curmachine(), m);
}

/* A query of version 2, for a group or (unspecified) all. */
static void
ask(struct in6_addr group, uint16_t delay)
{
	say(&(struct said){.type = MLD_LISTENER_QUERY, .delay = delay, .group = group, .src = ROUTER,
	    .dst = IN6_IS_ADDR_UNSPECIFIED(&group) ? ALL_NODES : group, .extra = 4});
}

static const struct in6_addr everything;

static struct mldstat *
st(void)
{
	return mld_statistics(curmachine());
}

static void
quiet(uint64_t ns)
{
	unsigned before = sent.count;

	let_pass(ns);
	CHECK_EQ(sent.count, before);
}

/* What the interface itself has joined is told first. */
static void
mld_testbed(void)
{
	testbed();
	let_pass(30 * SECONDS);
	forget(&sent);
}

KTEST(joining_and_leaving_are_told_twice)
{
	struct in_multi *inm;

	mld_testbed();
	inm = join(GROUP);
	record(0, 4, GROUP);
	let_pass(SECONDS);
	record(1, 4, GROUP);
	quiet(100 * SECONDS);
	in_multi_leave(inm);
	record(2, 3, GROUP);
	let_pass(SECONDS);
	record(3, 3, GROUP);
	quiet(100 * SECONDS);
	testbed_end();
}

KTEST(without_a_link_local_address_it_comes_from_nowhere)
{
	struct sockaddr_in6 local = {.sin6_len = sizeof local, .sin6_family = AF_INET6,
	    .sin6_addr = LOCAL6};
	struct in_multi *inm;

	mld_testbed();
	local.sin6_scope_id = en7->index;
	CHECK_EQ(ifaddr_remove(en7, (struct sockaddr *)&local), 0);
	forget(&sent);
	inm = join(GROUP);
	CHECK_EQ(sent.count, 1);
	CHECK(IN6_IS_ADDR_UNSPECIFIED(ip6_source(sent.m[0])));
	in_multi_leave(inm);
	let_pass(2 * SECONDS);
	testbed_end();
}

KTEST(some_groups_are_not_reported)
{
	struct in_multi *all, *own;

	mld_testbed();
	all = join(ALL_NODES);
	own = join(ip6_of("\xff\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\5"));
	quiet(2 * SECONDS);
	in_multi_leave(all);
	in_multi_leave(own);
	quiet(2 * SECONDS);
	testbed_end();
}

KTEST(queries_are_answered)
{
	struct in_multi *inm;

	mld_testbed();
	inm = join(GROUP);
	let_pass(2 * SECONDS);
	forget(&sent);
	ask(everything, 10000);
	CHECK_EQ(sent.count, 0);
	let_pass(10 * SECONDS);
	CHECK_EQ(sent.count, 1);
	(void)message(0, MLDV2_LISTENER_REPORT, REPORTS);
	ask(GROUP, 1000);
	let_pass(SECONDS);
	record(1, 2, GROUP);
	ask(OTHER, 1000);
	quiet(2 * SECONDS);
	CHECK_EQ(st()->mlds_rcv_v2_queries, 3);
	in_multi_leave(inm);
	let_pass(2 * SECONDS);
	testbed_end();
}

KTEST(nonsense_is_counted_and_ignored)
{
	struct in_multi *inm;
	struct said good = {.type = MLD_LISTENER_QUERY, .delay = 1000, .src = ROUTER, .dst = ALL_NODES,
	    .extra = 4}, s;

	mld_testbed();
	inm = join(GROUP);
	let_pass(2 * SECONDS);
	forget(&sent);
	s = good, s.hlim = 2;
	say(&s);
	s = good, s.src = THERE6;
	say(&s);
	CHECK_EQ(st()->mlds_rcv_badscope, 2);
	s = good, s.no_alert = true;
	say(&s);
	CHECK_EQ(st()->mlds_rcv_nora, 1);
	s = good, s.extra = 3;
	say(&s);
	s = good, s.dst = REPORTS;
	say(&s);
	s = good, s.group = s.dst = HERE6;
	say(&s);
	CHECK_EQ(st()->mlds_rcv_badqueries, 3);
	quiet(20 * SECONDS);
	in_multi_leave(inm);
	let_pass(2 * SECONDS);
	testbed_end();
}

KTEST(a_router_of_version_1_is_spoken_to_in_version_1)
{
	const struct said query = {.type = MLD_LISTENER_QUERY, .delay = 1000, .src = ROUTER,
	    .dst = ALL_NODES};
	struct in_multi *inm;
	struct in6_addr other;

	mld_testbed();
	inm = join(GROUP);
	let_pass(2 * SECONDS);
	forget(&sent);
	say(&query);
	let_pass(SECONDS);
	CHECK(sent.count >= 1);
	for (unsigned i = 0; i < sent.count; i++)
		CHECK_EQ((uint8_t)sent.m[i]->m_data[6], IPPROTO_HOPOPTS);
	forget(&sent);
	/* Another member's report spares ours, and saying that we leave. */
	say(&query);
	say(&(struct said){.type = MLD_LISTENER_REPORT, .group = GROUP, .src = MEMBER, .dst = GROUP});
	CHECK_EQ(st()->mlds_rcv_ourreports, 1);
	let_pass(2 * SECONDS);
	forget(&sent);
	in_multi_leave(inm);
	CHECK_EQ(sent.count, 0);
	inm = join(OTHER);
	other = OTHER;
	CHECK_EQ(memcmp(message(0, MLD_LISTENER_REPORT, OTHER) + 8, &other, 16), 0);
	let_pass(11 * SECONDS);
	CHECK_EQ(sent.count, 2);
	in_multi_leave(inm);
	(void)message(2, MLD_LISTENER_DONE, ALL_ROUTERS);
	testbed_end();
}

KTEST(a_flood_of_queries_gets_few_answers)
{
	struct in_multi *inm;

	mld_testbed();
	inm = join(GROUP);
	let_pass(2 * SECONDS);
	forget(&sent);
	for (unsigned i = 0; i < 5000; i++) {
		ask(i & 1 ? GROUP : everything, 2000);
		if (i % 500 == 499)
			let_pass(SECONDS);
	}
	CHECK(sent.count > 0 && sent.count < 100);
	in_multi_leave(inm);
	let_pass(4 * SECONDS);
	testbed_end();
}

KTEST_SUITE(mld, T(joining_and_leaving_are_told_twice),
    T(without_a_link_local_address_it_comes_from_nowhere), T(some_groups_are_not_reported),
    T(queries_are_answered), T(nonsense_is_counted_and_ignored),
    T(a_router_of_version_1_is_spoken_to_in_version_1), T(a_flood_of_queries_gets_few_answers));
