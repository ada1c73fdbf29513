/* IP filters: registration, order, verdicts, what they see, removal from anywhere, misuse. */
#include "src/kern/kext.h"
#include "tests/unit/ipf_testing.h"

static struct watcher a, b, c;

/* ---- registration ------------------------------------------------------------------------- */

KTEST(what_cannot_be_a_filter_is_refused)
{
	struct ipf_filter f = {.name = "x"};
	ipfilter_t ref;

	CHECK_EQ(ipf_addv4(&f, &ref), EINVAL);
	f.ipf_input = watch_input;
	f.name = NULL;
	CHECK_EQ(ipf_addv6(&f, &ref), EINVAL);
	f.name = "x";
	CHECK_EQ(curmachine()->filter_count, 0);
	fail_after(1);
	CHECK_EQ(ipf_addv4(&f, &ref), ENOMEM);
	fail_after(0);
	CHECK_EQ(ipf_addv4(&f, &ref), 0);
	CHECK(ref != NULL);
	CHECK_EQ(curmachine()->filter_count, 1);
	CHECK_EQ(ipf_remove(ref), 0);
	CHECK_EQ(curmachine()->filter_count, 0);
}

KTEST(only_living_filters_can_be_removed)
{
	ipfilter_t old;

	filter_testbed();
	CHECK_EQ(ipf_remove(NULL), EINVAL);
	CHECK_EQ(ipf_remove((ipfilter_t)(uintptr_t)12345), EINVAL);
	attach(&a, 'a', AF_INET);
	old = a.ref;
	CHECK_EQ(ipf_remove(old), 0);
	CHECK_EQ(ipf_remove(old), ENOENT);
	/* A new one in its place is another one. */
	attach(&a, 'a', AF_INET6);
	CHECK(a.ref != old);
	CHECK_EQ(ipf_remove(old), ENOENT);
	CHECK_EQ(a.detached, 0);
	CHECK_EQ(ipf_remove(a.ref), 0);
	CHECK_EQ(a.detached, 1);
	testbed_end();
}

KTEST(either_function_and_detach_may_be_missing)
{
	struct ipf_filter f = {.name = "in", .cookie = &a, .ipf_input = watch_input};
	ipfilter_t in, out;

	filter_testbed();
	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	a.name = 'a';
	b.name = 'b';
	CHECK_EQ(ipf_addv4(&f, &in), 0);
	f = (struct ipf_filter){.name = "out", .cookie = &b, .ipf_output = watch_output};
	CHECK_EQ(ipf_addv4(&f, &out), 0);
	receive4(&(struct spec4){.len = 1});
	CHECK_EQ(ip_output(curmachine(), make4(&(struct spec4){.dst = FAR4}), 0, NULL), 0);
	CHECK_STR(calls, "Ab");
	CHECK_EQ(ipf_remove(in), 0);
	CHECK_EQ(ipf_remove(out), 0);
	testbed_end();
}

/* ---- order and verdicts ------------------------------------------------------------------- */

KTEST(the_newest_filter_comes_first_both_ways)
{
	filter_testbed();
	attach(&a, 'a', AF_INET);
	attach(&b, 'b', AF_INET);
	attach(&c, 'c', AF_INET6);
	receive4(&(struct spec4){.len = 7});
	CHECK_EQ(ip_output(curmachine(), make4(&(struct spec4){.dst = FAR4}), 0, NULL), 0);
	CHECK_STR(calls, "BAba");
	receive6(&(struct spec6){.len = 1});
	CHECK_STR(calls, "BAbaC");
	CHECK_EQ(counters(&b)->seen_in, 1);
	CHECK_EQ(counters(&b)->seen_out, 1);
	CHECK_EQ(filter_passed(counters(&b)), 2);
	CHECK_EQ(filter_calls(counters(&b)), 2);
	CHECK_EQ(counters(&b)->sampled_calls, 2);
	testbed_end();
}

KTEST(a_refused_packet_is_freed)
{
	filter_testbed();
	attach(&a, 'a', AF_INET);
	attach(&b, 'b', AF_INET);
	b.result = EACCES;
	receive4(&(struct spec4){.len = 7});
	CHECK_EQ(ip_output(curmachine(), make4(&(struct spec4){.dst = FAR4}), 0, NULL), EACCES);
	CHECK_STR(calls, "Bb");
	CHECK_EQ(delivered.count + sent.count, 0);
	CHECK_EQ(counters(&b)->dropped, 2);
	testbed_end();
}

KTEST(a_swallowed_packet_is_the_filters)
{
	filter_testbed();
	attach(&a, 'a', AF_INET);
	attach(&b, 'b', AF_INET);
	b.result = EJUSTRETURN;
	receive4(&(struct spec4){.len = 7});
	CHECK_EQ(memory_now().mbufs, 1);
	mbuf_freem(b.swallowed);
	CHECK_EQ(ip_output(curmachine(), make4(&(struct spec4){.dst = FAR4}), 0, NULL), 0);
	mbuf_freem(b.swallowed);
	CHECK_STR(calls, "Bb");
	CHECK_EQ(counters(&b)->swallowed, 2);
	testbed_end();
}

/* ---- what they see ------------------------------------------------------------------------ */

KTEST(input_filters_see_whole_datagrams)
{
	filter_testbed();
	attach(&a, 'a', AF_INET);
	receive4(&(struct spec4){.id = 1, .off = IP_MF, .len = 1000});
	CHECK_STR(calls, "");
	receive4(&(struct spec4){.id = 1, .off = 125, .from = 1000, .len = 500, .options = NULL});
	CHECK_STR(calls, "A");
	CHECK_EQ(a.offset, 20);
	CHECK_EQ(a.protocol, IPPROTO_UDP);
	CHECK_EQ(a.ip_len, 1520);
	CHECK(payload_is(delivered.m[0], 20, 1500));
	receive4(&(struct spec4){.protocol = 253, .options = "\1\1\1\0", .options_len = 4});
	CHECK_EQ(a.offset, 24);
	CHECK_EQ(a.protocol, 253);
	/* Neither what is for others nor what is broken. */
	receive4(&(struct spec4){.dst = FAR4});
	receive4(&(struct spec4){.dst = IP4(127, 0, 0, 1)});
	CHECK_STR(calls, "AA");
	/*
	 * But what nobody here wants: that is found out behind them, and what its sender is told is
	 * output.
	 */
	receive4(&(struct spec4){.protocol = 99});
	CHECK_STR(calls, "AAAa");
	testbed_end();
}

KTEST(output_filters_see_whole_datagrams_and_the_options)
{
	struct ipf_pktopts options = {
	    .ippo_flags = 0x50000 | IPPOF_MCAST_OPTS, .ippo_mcast_ttl = 9};

	filter_testbed();
	attach(&a, 'a', AF_INET);
	CHECK_EQ(
	    ip_output(curmachine(), make4(&(struct spec4){.dst = FAR4, .len = 4000}), 0, NULL), 0);
	CHECK_STR(calls, "a");
	CHECK_EQ(a.ip_len, 4020);
	CHECK_EQ(a.options.ippo_flags, 0);
	CHECK_EQ(sent.count, 3);
	CHECK_EQ(ip_output(curmachine(), make4(&(struct spec4){.dst = FAR4}), 0, &options), 0);
	CHECK_EQ(a.options.ippo_flags, 0x50000 | IPPOF_MCAST_OPTS);
	CHECK_EQ(a.options.ippo_mcast_ttl, 9);
	CHECK_EQ(
	    ip_output(curmachine(), make4(&(struct spec4){.dst = FAR4}), IP_OUT_NO_FILTERS, NULL),
	    0);
	CHECK_STR(calls, "aa");
	testbed_end();
}

KTEST(ipv6_filters_are_called_for_every_header)
{
	char headers[24];

	filter_testbed();
	attach(&a, 'a', AF_INET6);
	memcpy(headers, "\x3c\0\1\4\0\0\0\0" "\x2c\0\1\4\0\0\0\0", 16);
	frag_header(headers + 16, IPPROTO_UDP, 0, true, 1);
	receive6(&(struct spec6){.next = 0, .headers = headers, .headers_len = 24, .len = 80});
	CHECK_STR(calls, "AA");		/* destination options, fragment; not hop-by-hop */
	CHECK_EQ(a.offset, 56);
	CHECK_EQ(a.protocol, 44);
	frag_header(headers + 16, IPPROTO_UDP, 80, false, 1);
	receive6(&(struct spec6){
	    .next = 0, .headers = headers, .headers_len = 24, .from = 80, .len = 8});
	CHECK_STR(calls, "AAAAA");
	CHECK_EQ(a.offset, 56);
	CHECK_EQ(a.protocol, IPPROTO_UDP);
	CHECK(payload_is(delivered.m[0], 56, 88));
	testbed_end();
}

static uint16_t seen_scope;

static void
look_at_scope(struct watcher *w, mbuf_t *data)
{
	(void)w;
	CHECK_EQ(mbuf_copydata(*data, 26, 2, &seen_scope), 0);
}

KTEST(ipv6_output_filters_see_the_scope_and_may_choose_the_route)
{
	struct in6_addr dst = NEXT6, plain = NEXT6;

	filter_testbed();
	attach(&a, 'a', AF_INET6);
	a.act = look_at_scope;
	dst.s6_addr16[1] = htons(en7->index);
	CHECK_EQ(
	    ip6_output(curmachine(), make6(&(struct spec6){.dst = &dst, .len = 1}), 0, NULL), 0);
	CHECK_EQ(ntohs(seen_scope), en7->index);
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_destination(sent.m[0]), &plain));
	testbed_end();
}

static void
look_and_split(struct watcher *w, mbuf_t *data)
{
	struct mbuf *rest;

	look_at_scope(w, data);
	rest = m_split(*data, 27, MBUF_WAITOK);
	CHECK(rest != NULL);
	mbuf_pkthdr_setlen(*data, (size_t)(*data)->m_pkthdr.len + (size_t)rest->m_pkthdr.len);
	rest->m_flags &= (uint16_t)~M_PKTHDR;
	(*data)->m_next = rest;
}

KTEST(a_header_in_pieces_loses_its_scope_too)
{
	struct in6_addr dst = NEXT6, plain = NEXT6;

	filter_testbed();
	attach(&a, 'a', AF_INET6);
	a.act = look_and_split;
	dst.s6_addr16[1] = htons(en7->index);
	CHECK_EQ(
	    ip6_output(curmachine(), make6(&(struct spec6){.dst = &dst, .len = 1}), 0, NULL), 0);
	CHECK_EQ(ntohs(seen_scope), en7->index);
	CHECK(IN6_ARE_ADDR_EQUAL(ip6_destination(sent.m[0]), &plain));
	testbed_end();
}

/* ---- changes ------------------------------------------------------------------------------ */

static struct mbuf *replacement;

static void
replace(struct watcher *w, mbuf_t *data)
{
	(void)w;
	mbuf_freem(*data);
	*data = replacement;
}

KTEST(a_filter_may_put_another_packet_there)
{
	filter_testbed();
	attach(&a, 'a', AF_INET);
	a.act = replace;
	replacement = make4(&(struct spec4){.protocol = 253, .len = 5});
	replacement->m_pkthdr.rcvif = NULL;
	receive4(&(struct spec4){.len = 100});
	CHECK_EQ(delivered.count, 1);
	CHECK_EQ(delivered.protocol, 253);	/* read again */
	CHECK(payload_is(delivered.m[0], 20, 5));
	CHECK(delivered.m[0]->m_pkthdr.rcvif == en7);
	CHECK_EQ(counters(&a)->changed, 1);
	testbed_end();
}

static void
in_pieces(struct watcher *w, mbuf_t *data)
{
	mbuf_t tail;

	(void)w;
	CHECK_EQ(mbuf_split(*data, 9, MBUF_WAITOK, &tail), 0);
	CHECK_EQ(mbuf_setflags_mask(tail, 0, MBUF_PKTHDR), 0);
	CHECK_EQ(mbuf_setnext(*data, tail), 0);
}

KTEST(what_a_filter_leaves_in_pieces_is_put_together)
{
	struct in6_addr dst = THERE6;

	filter_testbed();
	attach(&a, 'a', AF_INET);
	attach(&b, 'b', AF_INET6);
	a.act = b.act = in_pieces;
	receive4(&(struct spec4){.len = 100});
	receive6(&(struct spec6){.len = 100});
	CHECK_EQ(delivered.count, 2);
	CHECK(payload_is(delivered.m[0], 20, 100) && delivered.m[0]->m_len >= 20);
	CHECK(payload_is(delivered.m[1], 40, 100) && delivered.m[1]->m_len >= 40);
	CHECK_EQ(
	    ip_output(curmachine(), make4(&(struct spec4){.dst = FAR4, .len = 100}), 0, NULL), 0);
	CHECK_EQ(
	    ip6_output(curmachine(), make6(&(struct spec6){.dst = &dst, .len = 100}), 0, NULL), 0);
	CHECK_EQ(sent.count, 2);
	CHECK(payload_is(sent.m[0], 20, 100));
	CHECK(payload_is(sent.m[1], 40, 100));
	testbed_end();
}

static int cut_by;

static void
cut_tail(struct watcher *w, mbuf_t *data)
{
	(void)w;
	mbuf_adj(*data, -cut_by);
}

KTEST(a_packet_shorter_than_it_says_is_dropped)
{
	static const int cuts[] = {1, 30, 50, 60, 81, 100};
	struct in6_addr dst = THERE6;

	filter_testbed();
	attach(&a, 'a', AF_INET);
	attach(&b, 'b', AF_INET6);
	a.act = b.act = cut_tail;
	for (unsigned i = 0; i < 6; i++) {
		cut_by = cuts[i];
		receive4(&(struct spec4){.len = 60});
		receive6(&(struct spec6){.len = 60});
		CHECK(ip_output(curmachine(), make4(&(struct spec4){.dst = FAR4, .len = 60}), 0,
			  NULL) != 0);
		CHECK(ip6_output(curmachine(), make6(&(struct spec6){.dst = &dst, .len = 60}), 0,
			  NULL) != 0);
	}
	CHECK_EQ(delivered.count + sent.count, 0);
	CHECK(st4()->ips_tooshort >= 6);
	CHECK(st6()->ip6s_tooshort >= 6);
	CHECK(ktest_log_contains("its ip_len does not fit"));
	CHECK(ktest_log_contains("its ip6_plen does not fit"));
	testbed_end();
}

static void
append(struct watcher *w, mbuf_t *data)
{
	(void)w;
	CHECK_EQ(mbuf_copyback(*data, mbuf_pkthdr_len(*data), 5, "xxxxx", MBUF_WAITOK), 0);
}

KTEST(a_packet_longer_than_it_says_is_trimmed)
{
	filter_testbed();
	attach(&a, 'a', AF_INET);
	a.act = append;
	receive4(&(struct spec4){.len = 60});
	CHECK(payload_is(delivered.m[0], 20, 60));
	CHECK_EQ(
	    ip_output(curmachine(), make4(&(struct spec4){.dst = FAR4, .len = 60}), 0, NULL), 0);
	CHECK(payload_is(sent.m[0], 20, 60));
	testbed_end();
}

static void
redirect(struct watcher *w, mbuf_t *data)
{
	uint32_t to = HERE4;

	(void)w;
	CHECK_EQ(mbuf_copyback(*data, 16, 4, &to, MBUF_WAITOK), 0);
}

KTEST(ipv4_is_routed_before_the_filters)
{
	filter_testbed();
	attach(&a, 'a', AF_INET);
	a.act = redirect;
	CHECK_EQ(
	    ip_output(curmachine(), make4(&(struct spec4){.dst = FAR4, .len = 60}), 0, NULL), 0);
	CHECK_EQ(sent.count, 1);
	CHECK_EQ(mtod(sent.m[0], struct ip *)->ip_dst.s_addr, HERE4);
	CHECK_EQ(in_cksum_part(sent.m[0], 0, 20), 0);
	testbed_end();
}

KTEST(segmentation_by_hardware_is_off_with_filters)
{
	struct mbuf *m;

	filter_testbed();
	en7->offload = IFNET_TSO_IPV4;
	m = make4(&(struct spec4){.dst = FAR4, .len = 9000});
	m->m_pkthdr.csum_flags = CSUM_TSO4;
	CHECK_EQ(ip_output(curmachine(), m, 0, NULL), 0);
	CHECK_EQ(sent.count, 1);
	attach(&a, 'a', AF_INET);
	m = make4(&(struct spec4){.dst = FAR4, .len = 9000});
	m->m_pkthdr.csum_flags = CSUM_TSO4;
	CHECK_EQ(ip_output(curmachine(), m, 0, NULL), EMSGSIZE);
	CHECK_STR(calls, "");
	testbed_end();
}

/* ---- removal ------------------------------------------------------------------------------ */

static void
remove_self(struct watcher *w, mbuf_t *data)
{
	(void)data;
	CHECK_EQ(ipf_remove(w->ref), 0);
	CHECK_EQ(ipf_remove(w->ref), ENOENT);
	CHECK_EQ(w->detached, 0);
}

KTEST(a_filter_may_remove_itself)
{
	filter_testbed();
	attach(&a, 'a', AF_INET);
	attach(&b, 'b', AF_INET);
	attach(&c, 'c', AF_INET);
	b.act = remove_self;
	receive4(&(struct spec4){.len = 7});
	/* Detached when the walk is over, not before. */
	CHECK_STR(calls, "CBAb!");
	CHECK_EQ(b.detached, 1);
	receive4(&(struct spec4){.len = 7});
	CHECK_STR(calls, "CBAb!CA");
	CHECK_EQ(delivered.count, 2);
	testbed_end();
}

static void
remove_all(struct watcher *w, mbuf_t *data)
{
	(void)w;
	(void)data;
	CHECK_EQ(ipf_remove(a.ref), 0);
	CHECK_EQ(ipf_remove(b.ref), 0);
	CHECK_EQ(ipf_remove(c.ref), 0);
}

KTEST(a_removed_filter_is_not_called_any_more)
{
	filter_testbed();
	attach(&a, 'a', AF_INET);
	attach(&b, 'b', AF_INET);
	attach(&c, 'c', AF_INET6);
	b.act = remove_all;
	b.result = EACCES;		/* still honoured */
	receive4(&(struct spec4){.len = 7});
	CHECK_STR(calls, "Bb!a!c!");
	CHECK_EQ(delivered.count, 0);
	CHECK_EQ(curmachine()->filter_count, 0);
	testbed_end();
}

static void
add_another(struct watcher *w, mbuf_t *data)
{
	(void)data;
	w->act = NULL;
	attach(&c, 'c', AF_INET);
}

KTEST(a_filter_added_meanwhile_sees_the_next_packet)
{
	filter_testbed();
	attach(&a, 'a', AF_INET);
	a.act = add_another;
	receive4(&(struct spec4){.len = 7});
	receive4(&(struct spec4){.len = 7});
	CHECK_STR(calls, "ACA");
	testbed_end();
}

static void
sleep_here(struct watcher *w, mbuf_t *data)
{
	(void)data;
	(void)sched_block(w, 0, false, "the test to wake the filter");
}

static void
receive_one(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	receive4(&(struct spec4){.len = 7});
}

KTEST(a_filter_that_sleeps_may_be_removed)
{
	struct thread *t;

	filter_testbed();
	attach(&a, 'a', AF_INET);
	attach(&b, 'b', AF_INET);
	attach(&c, 'c', AF_INET6);
	b.act = sleep_here;
	CHECK_EQ(kthread_create(receive_one, NULL, &t), 0);
	let_run();
	CHECK_STR(calls, "B");
	/* Any walk in progress holds back every removal. */
	CHECK_EQ(ipf_remove(b.ref), 0);
	CHECK_EQ(ipf_remove(c.ref), 0);
	receive4(&(struct spec4){.len = 7});
	CHECK_STR(calls, "BA");
	CHECK_EQ(sched_wakeup(&b, false, THREAD_AWAKENED), 1);
	let_run();
	CHECK_STR(calls, "BAAb!c!");
	CHECK_EQ(delivered.count, 2);
	kthread_release(t);
	testbed_end();
}

/* ---- one filter, in a machine that nobody watches: the short way --------------------------- */

/* Attaches a filter whose calls need not be measured any more; one has been counted each way. */
static struct filter_counters *
attach_short(int family)
{
	struct ipf_entry *f;

	curmachine()->checked = false;
	attach(&a, 'a', family);
	f = ipf_find(curmachine()->ipf, a.ref);
	f->counters.sparse = UINT64_MAX;
	f->counters.seen_in = f->counters.seen_out = 1;
	CHECK(curmachine()->ipf->only_in[family != AF_INET] == f);
	CHECK(curmachine()->ipf->only_out[family != AF_INET] == f);
	return &f->counters;
}

KTEST(the_short_way_counts_the_same)
{
	struct filter_counters *c4, *c6;

	filter_testbed();
	c4 = attach_short(AF_INET);
	receive4(&(struct spec4){.len = 7});
	CHECK_EQ(ip_output(curmachine(), make4(&(struct spec4){.dst = FAR4}), 0, NULL), 0);
	a.result = EACCES;
	receive4(&(struct spec4){.len = 7});
	a.result = EJUSTRETURN;
	receive4(&(struct spec4){.len = 7});
	mbuf_freem(a.swallowed);
	CHECK_STR(calls, "AaAA");
	CHECK_EQ(c4->sampled_calls, 0);
	CHECK_EQ(filter_calls(c4), 6);
	CHECK_EQ(filter_passed(c4), 4);		/* two of them before the test */
	CHECK_EQ(c4->dropped, 1);
	CHECK_EQ(c4->swallowed, 1);
	CHECK_EQ(delivered.count, 1);
	CHECK_EQ(ipf_remove(a.ref), 0);
	c6 = attach_short(AF_INET6);
	receive6(&(struct spec6){.len = 1});
	CHECK_EQ(a.protocol, IPPROTO_UDP);
	CHECK_EQ(c6->seen_in, 2);
	CHECK_EQ(c6->sampled_calls, 0);
	CHECK_EQ(curmachine()->ipf->walking, 0);
	CHECK(curthread()->gate == NULL);
	testbed_end();
}

KTEST(the_short_way_notices_another_packet)
{
	struct filter_counters *count;

	filter_testbed();
	count = attach_short(AF_INET);
	a.act = replace;
	replacement = make4(&(struct spec4){.protocol = 253, .len = 5});
	replacement->m_pkthdr.rcvif = NULL;
	receive4(&(struct spec4){.len = 100});
	CHECK_EQ(delivered.protocol, 253);
	CHECK(delivered.m[0]->m_pkthdr.rcvif == en7);
	CHECK_EQ(count->changed, 1);
	a.act = in_pieces;
	receive4(&(struct spec4){.len = 100});
	CHECK_EQ(delivered.count, 2);
	CHECK(payload_is(delivered.m[1], 20, 100) && delivered.m[1]->m_len >= 20);
	CHECK_EQ(count->sampled_calls, 0);
	testbed_end();
}

KTEST(the_only_filter_may_remove_itself)
{
	filter_testbed();
	(void)attach_short(AF_INET);
	a.act = remove_self;
	receive4(&(struct spec4){.len = 7});
	CHECK_STR(calls, "Aa!");
	CHECK(curmachine()->ipf->only_in[0] == NULL);
	receive4(&(struct spec4){.len = 7});
	CHECK_STR(calls, "Aa!");
	CHECK_EQ(delivered.count, 2);
	testbed_end();
}

KTEST(a_second_filter_ends_the_short_way)
{
	filter_testbed();
	(void)attach_short(AF_INET);
	a.act = add_another;
	receive4(&(struct spec4){.len = 7});
	CHECK(curmachine()->ipf->only_in[0] == NULL);
	receive4(&(struct spec4){.len = 7});
	CHECK_STR(calls, "ACA");
	CHECK_EQ(ipf_remove(c.ref), 0);
	CHECK(curmachine()->ipf->only_in[0] != NULL);
	testbed_end();
}

KTEST(a_filter_that_sleeps_in_a_short_call_may_be_removed)
{
	struct thread *t;

	filter_testbed();
	(void)attach_short(AF_INET);
	a.act = sleep_here;
	CHECK_EQ(kthread_create(receive_one, NULL, &t), 0);
	let_run();
	CHECK_EQ(ipf_remove(a.ref), 0);
	CHECK_EQ(a.detached, 0);
	receive4(&(struct spec4){.len = 7});
	CHECK_STR(calls, "A");
	CHECK_EQ(sched_wakeup(&a, false, THREAD_AWAKENED), 1);
	let_run();
	CHECK_STR(calls, "Aa!");
	CHECK_EQ(delivered.count, 2);
	kthread_release(t);
	testbed_end();
}

/* ---- misuse ------------------------------------------------------------------------------- */

static void
lose(struct watcher *w, mbuf_t *data)
{
	(void)w;
	mbuf_freem(*data);
	*data = NULL;
}

KTEST_PANICS(losing_the_packet_is_reported, "returned 0 but left no packet")
{
	filter_testbed();
	attach(&a, 'a', AF_INET);
	a.act = lose;
	receive4(&(struct spec4){.len = 7});
}

static void
free_and_forget(struct watcher *w, mbuf_t *data)
{
	(void)w;
	mbuf_freem(*data);
}

KTEST_PANICS(freeing_the_packet_is_reported, "has been freed")
{
	filter_testbed();
	attach(&a, 'a', AF_INET);
	a.act = free_and_forget;
	receive4(&(struct spec4){.len = 7});
}

KTEST_PANICS(freeing_and_refusing_is_reported, "freed twice")
{
	filter_testbed();
	attach(&a, 'a', AF_INET);
	a.act = free_and_forget;
	a.result = EPERM;
	receive4(&(struct spec4){.len = 7});
}

static void
headless(struct watcher *w, mbuf_t *data)
{
	(void)w;
	CHECK_EQ(mbuf_setflags_mask(*data, 0, MBUF_PKTHDR), 0);
}

KTEST_PANICS(a_packet_without_header_is_reported, "has no packet header")
{
	filter_testbed();
	attach(&a, 'a', AF_INET);
	a.act = headless;
	receive4(&(struct spec4){.len = 7});
}

KTEST_PANICS(the_short_way_reports_a_freed_packet, "has been freed")
{
	filter_testbed();
	(void)attach_short(AF_INET);
	a.act = free_and_forget;
	receive4(&(struct spec4){.len = 7});
}

KTEST_SUITE(ipfilter, T(what_cannot_be_a_filter_is_refused), T(only_living_filters_can_be_removed),
    T(either_function_and_detach_may_be_missing), T(the_newest_filter_comes_first_both_ways),
    T(a_refused_packet_is_freed), T(a_swallowed_packet_is_the_filters),
    T(input_filters_see_whole_datagrams), T(output_filters_see_whole_datagrams_and_the_options),
    T(ipv6_filters_are_called_for_every_header),
    T(ipv6_output_filters_see_the_scope_and_may_choose_the_route),
    T(a_header_in_pieces_loses_its_scope_too),
    T(a_filter_may_put_another_packet_there), T(what_a_filter_leaves_in_pieces_is_put_together),
    T(a_packet_shorter_than_it_says_is_dropped), T(a_packet_longer_than_it_says_is_trimmed),
    T(ipv4_is_routed_before_the_filters), T(segmentation_by_hardware_is_off_with_filters),
    T(a_filter_may_remove_itself), T(a_removed_filter_is_not_called_any_more),
    T(a_filter_added_meanwhile_sees_the_next_packet), T(a_filter_that_sleeps_may_be_removed),
    T(the_short_way_counts_the_same), T(the_short_way_notices_another_packet),
    T(the_only_filter_may_remove_itself), T(a_second_filter_ends_the_short_way),
    T(a_filter_that_sleeps_in_a_short_call_may_be_removed),
    T(losing_the_packet_is_reported), T(freeing_the_packet_is_reported),
    T(freeing_and_refusing_is_reported), T(a_packet_without_header_is_reported),
    T(the_short_way_reports_a_freed_packet));
