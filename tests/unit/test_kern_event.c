/* src/kern/kern_event.c, src/kern/string_id.c and kpi/kern_event.c */
#include <string.h>
#include <sys/errno.h>
#include <sys/kern_event.h>

#include "src/kern/kern_event.h"
#include "src/kern/string_id.h"
#include "src/kern/thread.h"
#include "tests/unit/ktest.h"

struct hearing {
	struct kev_listener listener;
	int heard;
	errno_t answer;
	struct kev_listener *removes;
	struct kern_event_msg last;
	char data[200];
};

static int order;
static int last_order[2];

static errno_t
hear(void *arg, const struct kern_event_msg *msg)
{
	struct hearing *h = arg;

	h->heard++;
	h->last = *msg;
	memcpy(h->data, msg->event_data, msg->total_size - KEV_MSG_HEADER_SIZE);
	if (order < 2)
		last_order[order++] = (int)h->listener.filter.vendor_code;
	if (h->removes != NULL)
		kev_unlisten(curmachine(), h->removes);
	h->removes = NULL;
	return h->answer;
}

static void
listen_to(struct hearing *h, uint32_t vendor, uint32_t class, uint32_t subclass)
{
	memset(h, 0, sizeof *h);
	h->listener.filter = (struct kev_request){vendor, class, subclass};
	h->listener.event = hear;
	h->listener.arg = h;
	kev_listen(curmachine(), &h->listener);
}

KTEST(one_string_has_one_number_in_all_spaces)
{
	struct nke *m = curmachine();
	uint32_t tag, vendor, other, again;

	CHECK_EQ(string_id_find(m, "org.example.one", STRING_ID_MBUF_TAG, &tag), 0);
	CHECK(tag >= 1000);
	CHECK_EQ(string_id_lookup(m, "org.example.one", STRING_ID_VENDOR, &vendor), ENOENT);
	CHECK_EQ(kev_vendor_code_find("org.example.one", &vendor), 0);
	CHECK_EQ(vendor, tag);
	CHECK_EQ(kev_vendor_code_find("org.example.two", &other), 0);
	CHECK_EQ(other, tag + 1);
	CHECK_EQ(string_id_lookup(m, "org.example.one", STRING_ID_VENDOR, &again), 0);
	CHECK_EQ(again, tag);
	CHECK(!string_id_valid(m, other + 1, STRING_ID_VENDOR));
	CHECK(!string_id_valid(m, other, STRING_ID_MBUF_TAG));
	CHECK(!string_id_valid(m, 1, STRING_ID_VENDOR));
}

KTEST(vendor_codes_are_checked)
{
	struct kev_msg msg = {.vendor_code = KEV_VENDOR_APPLE};
	char name[201];
	uint32_t code;

	memset(name, 'v', 200);
	name[200] = '\0';
	CHECK_EQ(kev_vendor_code_find(name, &code), EINVAL);
	name[199] = '\0';
	CHECK_EQ(kev_vendor_code_find(name, &code), 0);
	CHECK_EQ(kev_vendor_code_find(name, NULL), EINVAL);
	CHECK_EQ(kev_msg_post(NULL), EINVAL);
	CHECK_EQ(kev_msg_post(&msg), EINVAL);
	msg.vendor_code = code + 1;
	CHECK_EQ(kev_msg_post(&msg), EINVAL);
	msg.vendor_code = code;
	CHECK_EQ(kev_msg_post(&msg), 0);
}

KTEST(an_event_is_header_and_data)
{
	struct hearing h;
	struct kev_msg msg = {KEV_VENDOR_APPLE, KEV_NETWORK_CLASS, 2, 9,
	    {{3, (void *)(uintptr_t)"abc"}, {2, (void *)(uintptr_t)"de"}, {0, NULL}, {1, NULL}}};
	uint32_t before;

	listen_to(&h, KEV_ANY_VENDOR, 0, 0);
	CHECK_EQ(kev_post(curmachine(), &msg), 0);
	before = h.last.id;
	CHECK_EQ(kev_post(curmachine(), &msg), 0);
	CHECK_EQ(h.heard, 2);
	CHECK_EQ(h.last.total_size, 29);
	CHECK_EQ(h.last.vendor_code, 1);
	CHECK_EQ(h.last.kev_class, 1);
	CHECK_EQ(h.last.kev_subclass, 2);
	CHECK_EQ(h.last.event_code, 9);
	CHECK_EQ(h.last.id, before + 1);
	CHECK_EQ(memcmp(h.data, "abcde", 5), 0);
	kev_unlisten(curmachine(), &h.listener);
}

KTEST(too_much_data_is_refused)
{
	static char data[256];
	struct kev_msg msg = {KEV_VENDOR_APPLE, 1, 1, 1, {{100, data}, {101, data}}};
	struct hearing h;
	uint32_t before;

	listen_to(&h, KEV_ANY_VENDOR, 0, 0);
	msg.dv[1].data_length = 100;
	CHECK_EQ(kev_post(curmachine(), &msg), 0);
	before = h.last.id;
	msg.dv[1].data_length = 101;
	CHECK_EQ(kev_post(curmachine(), &msg), EMSGSIZE);
	msg.dv[0].data_length = 0xffffffff;
	CHECK_EQ(kev_post(curmachine(), &msg), EMSGSIZE);
	CHECK_EQ(h.heard, 1);
	/* What was refused has no number. */
	msg.dv[0].data_length = 100;
	msg.dv[1].data_length = 100;
	CHECK_EQ(kev_post(curmachine(), &msg), 0);
	CHECK_EQ(h.last.id, before + 1);
	kev_unlisten(curmachine(), &h.listener);
}

KTEST(filters_match_from_the_top)
{
	struct hearing all, vendor, class, subclass, nothing, other;
	struct kev_msg msg = {KEV_VENDOR_APPLE, 1, 2, 3, {{0, NULL}}};

	listen_to(&all, 0, 7, 7);
	listen_to(&vendor, 1, 0, 9);
	listen_to(&class, 1, 1, 0);
	listen_to(&subclass, 1, 1, 2);
	listen_to(&other, 1, 1, 3);
	listen_to(&nothing, KEV_NOTHING, 0, 0);
	CHECK_EQ(kev_post(curmachine(), &msg), 0);
	CHECK_EQ(all.heard, 1);
	CHECK_EQ(vendor.heard, 1);
	CHECK_EQ(class.heard, 1);
	CHECK_EQ(subclass.heard, 1);
	CHECK_EQ(other.heard, 0);
	CHECK_EQ(nothing.heard, 0);
}

KTEST(the_newest_hears_first_and_enomem_ends_it)
{
	struct hearing old, new;
	struct kev_msg msg = {KEV_VENDOR_APPLE, 1, 1, 1, {{0, NULL}}};

	listen_to(&old, 0, 0, 0);
	listen_to(&new, 1, 0, 0);
	order = 0;
	CHECK_EQ(kev_post(curmachine(), &msg), 0);
	CHECK_EQ(last_order[0], 1);
	CHECK_EQ(last_order[1], 0);
	new.answer = ENOBUFS;
	CHECK_EQ(kev_post(curmachine(), &msg), 0);
	CHECK_EQ(old.heard, 2);
	new.answer = ENOMEM;
	CHECK_EQ(kev_post(curmachine(), &msg), ENOMEM);
	CHECK_EQ(old.heard, 2);
}

KTEST(listeners_may_go_during_delivery)
{
	struct hearing old, middle, new;
	struct kev_msg msg = {KEV_VENDOR_APPLE, 1, 1, 1, {{0, NULL}}};

	listen_to(&old, 0, 0, 0);
	listen_to(&middle, 0, 0, 0);
	listen_to(&new, 0, 0, 0);
	new.removes = &middle.listener;
	CHECK_EQ(kev_post(curmachine(), &msg), 0);
	CHECK_EQ(middle.heard, 0);
	CHECK_EQ(old.heard, 1);
	new.removes = &new.listener;
	CHECK_EQ(kev_post(curmachine(), &msg), 0);
	CHECK_EQ(old.heard, 2);
	CHECK_EQ(kev_post(curmachine(), &msg), 0);
	CHECK_EQ(new.heard, 2);
}

KTEST_SUITE(kern_event, T(one_string_has_one_number_in_all_spaces), T(vendor_codes_are_checked),
    T(an_event_is_header_and_data), T(too_much_data_is_refused), T(filters_match_from_the_top),
    T(the_newest_hears_first_and_enomem_ends_it), T(listeners_may_go_during_delivery));
