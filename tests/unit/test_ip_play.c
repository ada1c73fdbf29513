/*
 * Captures through IP: what filters see of them both ways, and that everything they leave alone
 * leaves as it came.
 *
 *	[ capture ]----- en0 10.0.0.1, 2001:db8::1, fe80::1; raw IP, MTU 1500 [ machine ]
 */
#include "tests/unit/ipf_testing.h"

static struct watcher a;

/* The capture, and what came out of it. */
static struct {
	char data[64][2048];
	uint32_t len[64];
	unsigned count, next;
} in, out;
static uint32_t out_flags;

static bool
next_frame(void *ctx, struct core_frame *f)
{
	(void)ctx;
	if (in.next == in.count)
		return false;
	*f = (struct core_frame){.number = in.next + 1, .data = (const uint8_t *)in.data[in.next],
	    .time_ns = UINT64_C(1000000000000000000) + in.next * 1000u,
	    .caplen = in.len[in.next], .len = in.len[in.next]};
	in.next++;
	return true;
}

static void
take_frames(void *ctx, const struct core_frame *f, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++, out.count++) {
		CHECK(out.count < 64 && f[i].caplen <= sizeof out.data[0]);
		memcpy(out.data[out.count], f[i].data, f[i].caplen);
		out.len[out.count] = f[i].caplen;
		out_flags |= f[i].flags;
	}
}

static void
capture(struct mbuf *m)
{
	in.len[in.count] = (uint32_t)m->m_pkthdr.len;
	m_copydata(m, 0, in.len[in.count], in.data[in.count]);
	in.count++;
	m_freem(m);
}

static void
play_testbed(void)
{
	struct core_replay_config config = {
	    .link = CORE_LINK_RAW, .interface = "en0", .next = next_frame, .sink = take_frames};
	struct in6_addr here6 = HERE6, local6 = LOCAL6;
	uint32_t here4 = HERE4;
	struct nke *m = curmachine();

	memset(&in, 0, sizeof in);
	memset(&out, 0, sizeof out);
	out_flags = 0;
	calls[0] = '\0';
	en7 = NULL;
	CHECK_EQ(replay_start(m, &config), 0);
	CHECK_EQ(replay_add_address(m, AF_INET, &here4, 24), 0);
	CHECK_EQ(replay_add_address(m, AF_INET6, &here6, 64), 0);
	CHECK_EQ(replay_add_address(m, AF_INET6, &local6, 64), 0);
}

static void
play(void)
{
	bool more = true;

	while (more)
		CHECK_EQ(replay_run(curmachine(), 64, &more), 0);
	let_run();
	replay_finish(curmachine());
}

static void
check_all_as_captured(void)
{
	for (unsigned i = 0; i < in.count; i++) {
		CHECK_EQ(out.len[i], in.len[i]);
		for (uint32_t k = 0; k < in.len[i]; k++)
			if (in.data[i][k] != out.data[i][k])
				ktest_fail(__FILE__, (int)i, "byte of this frame", k, in.len[i]);
	}
	CHECK_EQ(out.count, in.count);
	CHECK_EQ(out_flags, 0);
}

/* The way in and the way out, whole and in fragments, IPv4 and IPv6, and what nobody wants. */
static void
capture_everything(void)
{
	struct in6_addr here = HERE6, there = THERE6, next = NEXT6, local = LOCAL6;
	char h[8];
	struct mbuf *m;

	capture(make4(&(struct spec4){.len = 100}));
	capture(make4(&(struct spec4){.src = HERE4, .dst = FAR4, .len = 100}));
	capture(make4(&(struct spec4){.id = 1, .off = 125, .from = 1000, .len = 200}));
	capture(
	    make4(&(struct spec4){.src = HERE4, .dst = FAR4, .id = 1, .off = IP_MF, .len = 1000}));
	capture(make4(&(struct spec4){.id = 1, .off = IP_MF, .len = 1000}));
	capture(make4(&(struct spec4){
	    .src = HERE4, .dst = FAR4, .id = 1, .off = 125, .from = 1000, .len = 200}));
	capture(make6(&(struct spec6){.len = 100}));
	capture(make6(&(struct spec6){.src = &here, .dst = &there, .len = 100}));
	capture(make6(&(struct spec6){.src = &local, .dst = &next, .len = 100}));
	capture(make6(&(struct spec6){
	    .next = 44, .headers = frag_header(h, 17, 0, true, 1), .headers_len = 8, .len = 1000}));
	capture(make6(&(struct spec6){.next = 44, .headers = frag_header(h, 17, 1000, false, 1),
	    .headers_len = 8, .from = 1000, .len = 10}));
	capture(make6(&(struct spec6){.src = &here, .dst = &there, .next = 44,
	    .headers = frag_header(h, 17, 0, true, 1), .headers_len = 8, .len = 1000}));
	capture(make6(&(struct spec6){.src = &here,
	    .dst = &there,
	    .next = 44,
	    .headers = frag_header(h, 17, 1000, false, 1),
	    .headers_len = 8,
	    .from = 1000,
	    .len = 10}));
	/* Refused: not for this host, broken, a fragment without the others. */
	capture(make4(&(struct spec4){.dst = FAR4, .len = 5}));
	m = make4(&(struct spec4){.len = 5});
	mtod(m, struct ip *)->ip_sum ^= 1;
	capture(m);
	m = make6(&(struct spec6){.len = 5});
	mtod(m, struct ip6_hdr *)->ip6_plen = htons(6);
	capture(m);
	capture(make4(&(struct spec4){.id = 2, .off = IP_MF, .len = 1000}));
	/* Padded by its link. */
	m = make4(&(struct spec4){.len = 26});
	mtod(m, struct ip *)->ip_len = htons(28);
	sum4(m);
	capture(m);
}

KTEST(without_filters_everything_leaves_as_it_came)
{
	play_testbed();
	capture_everything();
	play();
	check_all_as_captured();
	CHECK_EQ(st4()->ips_reassembled, 2);
	CHECK_EQ(st6()->ip6s_reassembled, 2);
	CHECK_EQ(st4()->ips_badsum, 1);
	CHECK_EQ(st4()->ips_cantforward, 1);
	testbed_end();
}

KTEST(filters_that_only_look_change_nothing)
{
	struct watcher six;

	play_testbed();
	capture_everything();
	attach(&a, 'a', AF_INET);
	attach(&six, 'f', AF_INET6);
	play();
	/* Datagrams whole, both ways; IPv6 fragments once more on the way in. */
	CHECK_STR(calls, "AaAaFffFFFfA");
	check_all_as_captured();
	CHECK_EQ(filter_passed(counters(&a)), 5);
	CHECK_EQ(filter_passed(counters(&six)), 7);
	testbed_end();
}

static uint16_t scope;

static void
look_at_scope(struct watcher *w, mbuf_t *data)
{
	(void)w;
	CHECK_EQ(mbuf_copydata(*data, 26, 2, &scope), 0);
}

KTEST(link_local_destinations_have_their_scope_for_filters_only)
{
	struct in6_addr next = NEXT6, local = LOCAL6;

	play_testbed();
	capture(make6(&(struct spec6){.src = &local, .dst = &next, .len = 100}));
	attach(&a, 'a', AF_INET6);
	a.act = look_at_scope;
	play();
	CHECK_STR(calls, "a");
	CHECK_EQ(ntohs(scope), dlil_find_by_name(curmachine(), "en0")->index);
	check_all_as_captured();
	testbed_end();
}

KTEST(a_dropped_datagram_takes_its_fragments_along)
{
	struct watcher six;

	play_testbed();
	capture_everything();
	attach(&a, 'a', AF_INET);
	attach(&six, 'f', AF_INET6);
	a.result = EPERM;
	six.result = EPERM;
	play();
	/* What filters were not asked about stays. */
	CHECK_EQ(out.count, 4);
	testbed_end();
}

static void
change_last(struct watcher *w, mbuf_t *data)
{
	uint8_t ttl = 9;

	(void)w;
	CHECK_EQ(mbuf_copyback(*data, mbuf_pkthdr_len(*data) - 1, 1, "!", MBUF_WAITOK), 0);
	CHECK_EQ(mbuf_copyback(*data, 8, 1, &ttl, MBUF_WAITOK), 0);
}

KTEST(the_header_of_a_changed_packet_is_summed_again)
{
	play_testbed();
	capture(make4(&(struct spec4){.src = HERE4, .dst = FAR4, .len = 100}));
	capture(
	    make4(&(struct spec4){.src = HERE4, .dst = FAR4, .id = 1, .off = IP_MF, .len = 1000}));
	capture(make4(&(struct spec4){
	    .src = HERE4, .dst = FAR4, .id = 1, .off = 125, .from = 1000, .len = 900}));
	attach(&a, 'a', AF_INET);
	a.act = change_last;
	play();
	CHECK_STR(calls, "aa");
	CHECK(out.count >= 3);
	CHECK_EQ(out_flags, CORE_FRAME_CHANGED);
	for (unsigned i = 0; i < out.count; i++) {
		CHECK_EQ(out.data[i][8], 9);
		CHECK_EQ(in_cksum_buf(out.data[i], 20), 0);
		CHECK(out.len[i] <= 1500);
	}
	CHECK_EQ(out.data[0][119], '!');
	CHECK_EQ(counters(&a)->changed, 2);
	testbed_end();
}

static errno_t
divert(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	(void)offset;
	(void)protocol;
	note('D');
	CHECK_EQ(ipf_inject_input(*data, ((struct watcher *)cookie)->ref), 0);
	return EJUSTRETURN;
}

KTEST(what_a_filter_takes_and_injects_is_a_new_frame)
{
	struct ipf_filter f = {.cookie = &a, .name = "diverter", .ipf_input = divert};

	play_testbed();
	capture(make4(&(struct spec4){.len = 100}));
	CHECK_EQ(ipf_addv4(&f, &a.ref), 0);
	play();
	CHECK_STR(calls, "D");
	CHECK_EQ(counters(&a)->injected, 1);
	CHECK_EQ(out.count, 1);
	CHECK_EQ(out_flags, CORE_FRAME_NEW);
	CHECK_EQ(memcmp(out.data[0], in.data[0], in.len[0]), 0);
	testbed_end();
}

KTEST_SUITE(ip_play, T(without_filters_everything_leaves_as_it_came),
    T(filters_that_only_look_change_nothing),
    T(link_local_destinations_have_their_scope_for_filters_only),
    T(a_dropped_datagram_takes_its_fragments_along),
    T(the_header_of_a_changed_packet_is_summed_again),
    T(what_a_filter_takes_and_injects_is_a_new_frame));
