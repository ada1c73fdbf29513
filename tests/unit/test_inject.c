/* Packets that filters keep going for ever are noticed, and who does it is named; others are left alone. */
#include "tests/unit/ipf_testing.h"

#include "src/kern/inject.h"
#include "src/kern/string_id.h"

/* A filter that knows what it injected by a tag of its own, takes everything else and puts in a copy. */
struct copier {
	const char *name;
	mbuf_tag_id_t tag;		/* 0: knows nothing */
	bool fresh;			/* what it puts in is a new packet, not the same again */
	unsigned most;			/* takes this many, then lets pass; 0: all */
	unsigned took;
};

static errno_t
take_and_copy(struct copier *c, mbuf_t *data, bool in)
{
	size_t len;
	void *found;
	mbuf_t m = *data;

	if (c->tag != 0 && mbuf_tag_find(m, c->tag, 1, &len, &found) == 0)
		return 0;
	if (c->most != 0 && c->took == c->most)
		return 0;
	c->took++;
	if (c->fresh) {
		char bytes[256];

		len = mbuf_pkthdr_len(m);
		CHECK(len <= sizeof bytes);
		CHECK_EQ(mbuf_copydata(m, 0, len, bytes), 0);
		mbuf_freem(m);
		m = m_devget(curmachine(), bytes, len, 0);
		CHECK(m != NULL);
	}
	if (c->tag != 0)
		CHECK_EQ(mbuf_tag_allocate(m, c->tag, 1, 4, MBUF_WAITOK, &found), 0);
	if (in)
		CHECK_EQ(ipf_inject_input(m, NULL), 0);
	else
		(void)ipf_inject_output(m, NULL, NULL);
	return EJUSTRETURN;
}

static errno_t
copy_input(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	(void)offset, (void)protocol;
	return take_and_copy(cookie, data, true);
}

static errno_t
copy_output(void *cookie, mbuf_t *data, ipf_pktopts_t options)
{
	(void)options;
	return take_and_copy(cookie, data, false);
}

static void
add(struct copier *c)
{
	struct ipf_filter f = {.cookie = c, .name = c->name, .ipf_input = copy_input,
	    .ipf_output = copy_output};
	ipfilter_t ref;

	CHECK_EQ(ipf_addv4(&f, &ref), 0);
	if (c->tag != 0)
		CHECK_EQ(mbuf_tag_id_find(c->name, &c->tag), 0);
}

static void
one_packet_in(void)
{
	CHECK_EQ(ipf_inject_input(make4(&(struct spec4){.len = 7}), NULL), 0);
	let_run();
}

KTEST_PANICS(the_same_packet_for_ever,
    "a packet was injected 10001 times by ipf_input of kernel: a filter has to")
{
	static struct copier c;

	filter_testbed();
	c = (struct copier){.name = "c"};
	add(&c);
	one_packet_in();
}

KTEST_PANICS(a_new_packet_each_time, "a packet was injected 10001 times by ipf_input of kernel")
{
	static struct copier c;

	filter_testbed();
	c = (struct copier){.name = "c", .fresh = true};
	add(&c);
	one_packet_in();
}

/* Each knows its own packets, and neither those of the other. */
KTEST_PANICS(two_filters_take_from_each_other, "a packet was injected 10001 times")
{
	static struct copier c, d;

	filter_testbed();
	c = (struct copier){.name = "c", .fresh = true, .tag = 1};
	d = (struct copier){.name = "d", .fresh = true, .tag = 1};
	add(&c);
	add(&d);
	one_packet_in();
}

KTEST_PANICS(output_nests,
    "66 times, each time from within the callback that was given it by ipf_output of kernel")
{
	static struct copier c;

	filter_testbed();
	c = (struct copier){.name = "c"};
	add(&c);
	(void)ipf_inject_output(make4(&(struct spec4){.dst = FAR4}), NULL, NULL);
}

KTEST(a_filter_that_stops_in_time_may)
{
	static struct copier c;

	filter_testbed();
	c = (struct copier){.name = "c", .most = 5000};
	add(&c);
	one_packet_in();
	CHECK_EQ(c.took, 5000);
	CHECK_EQ(delivered.count, 1);
	/* The count is the packet's, not the filter's. */
	c.took = 0;
	one_packet_in();
	CHECK_EQ(delivered.count, 2);
	testbed_end();
}

KTEST(two_that_mark_their_packets_may)
{
	static struct copier c, d;

	filter_testbed();
	c = (struct copier){.name = "c", .tag = 1};
	d = (struct copier){.name = "d", .tag = 1};
	add(&c);
	add(&d);
	one_packet_in();
	CHECK_EQ(c.took + d.took, 2);
	CHECK_EQ(delivered.count, 1);
	testbed_end();
}

KTEST_SUITE(inject, T(the_same_packet_for_ever), T(a_new_packet_each_time),
    T(two_filters_take_from_each_other), T(output_nests), T(a_filter_that_stops_in_time_may),
    T(two_that_mark_their_packets_may));
