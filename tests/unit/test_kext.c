/* src/kern/kext.c: what happens to objects that a failed start routine leaves behind; what a kext costs. */
#include <kern/thread_call.h>
#include <libkern/OSMalloc.h>
#include <netinet/kpi_ipfilter.h>

#include "src/kern/gate.h"
#include "src/kern/kext.h"
#include "tests/unit/trail.h"

static OSMallocTag tag;
static void *cookies[2];
static ipfilter_t filters[2];
static char text[2048];

static int
load(int (*start_routine)(void *, void *), struct kext **kext)
{
	struct kext_params params = {
		.identifier = "com.example.fails", .version = "1.0", .start = start_routine,
	};
	struct kext_text out = {text, sizeof text};

	text[0] = '\0';
	return kext_load(curmachine(), &params, kext, &out);
}

/* ---- what one object's end takes along ---------------------------------------------------- */

static errno_t
pass(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	(void)cookie;
	(void)data;
	(void)offset;
	(void)protocol;
	return 0;
}

/* Gives back the cookie, and the other filter, which was made right after this one. */
static void
detached(void *cookie)
{
	mark('d');
	OSFree(cookie, 64, tag);
	if (cookie == cookies[0])
		(void)ipf_remove(filters[1]);
}

static int
start_with_filters(void *kmod, void *data)
{
	struct ipf_filter f = {.name = "f", .ipf_input = pass, .ipf_detach = detached};

	(void)kmod;
	(void)data;
	tag = OSMalloc_Tagalloc("test", OSMT_DEFAULT);
	for (int i = 0; i < 2; i++)
		f.cookie = cookies[i] = OSMalloc(64, tag);
	for (int i = 0; i < 2; i++) {
		f.cookie = cookies[i];
		CHECK_EQ(ipf_addv4(&f, &filters[i]), 0);
	}
	return KERN_FAILURE;
}

KTEST(taking_one_object_back_may_take_others_along)
{
	struct kext *kext;

	fresh_trail();
	CHECK_EQ(load(start_with_filters, &kext), EIO);
	CHECK(kext == NULL);
	CHECK_STR(trail, "dd");
	CHECK(kext_find(curmachine(), "com.example.fails") == NULL);
}

/* ---- code that still runs ----------------------------------------------------------------- */

static thread_call_t call;

static void
sleep_inside(thread_call_param_t a, thread_call_param_t b)
{
	(void)a;
	(void)b;
	(void)thread_call_free(call);
	sleep_for(5 * MS);
	mark('x');
}

static int
start_with_a_call(void *kmod, void *data)
{
	(void)kmod;
	(void)data;
	call = thread_call_allocate(sleep_inside, NULL);
	thread_call_enter(call);
	sleep_for(MS);
	return KERN_FAILURE;
}

KTEST(an_image_stays_while_one_of_its_functions_runs)
{
	struct kext_text out = {text, sizeof text};
	struct kext *kext;
	unsigned leaks;

	fresh_trail();
	CHECK_EQ(load(start_with_a_call, &kext), EIO);
	CHECK(kext != NULL);
	CHECK_STR(trail, "");
	CHECK_EQ(kext_unload(curmachine(), kext, &leaks, &out), EBUSY);
	sleep_for(10 * MS);
	CHECK_STR(trail, "x");
	CHECK_EQ(kext_unload(curmachine(), kext, &leaks, &out), 0);
}

/* ---- what it costs ------------------------------------------------------------------------ */

#define WORK_TICKS	200000u

static uint64_t other_worked;		/* ticks */

static uint64_t
work(void)
{
	uint64_t start = hc_ticks(), now;

	while ((now = hc_ticks()) - start < WORK_TICKS)
		continue;
	return now - start;
}

static int
start_works_and_waits(void *kmod, void *data)
{
	(void)kmod;
	(void)data;
	(void)work();
	sleep_for(5 * MS);
	return KERN_SUCCESS;
}

static void
work_meanwhile(thread_call_param_t a, thread_call_param_t b)
{
	(void)a;
	(void)b;
	other_worked = work();
}

KTEST(what_a_kext_costs_is_the_time_it_runs_and_not_what_it_waits)
{
	thread_call_t other = thread_call_allocate(work_meanwhile, NULL);
	struct kext_text out = {text, sizeof text};
	uint64_t start, all;
	struct kext *kext;
	unsigned leaks;

	(void)thread_call_enter_delayed(other, mach_absolute_time() + MS);
	start = hc_ticks();
	CHECK_EQ(load(start_works_and_waits, &kext), 0);
	all = hc_ticks() - start;
	CHECK(other_worked >= WORK_TICKS);
	CHECK_EQ(kext_calls(kext), 1);
	CHECK(kext->call_ticks >= WORK_TICKS);
	CHECK(kext->call_ticks <= all - other_worked);
	CHECK_EQ(kext_unload(curmachine(), kext, &leaks, &out), 0);
	CHECK_EQ(thread_call_free(other), TRUE);
}

KTEST_SUITE(kext,
    T(taking_one_object_back_may_take_others_along),
    T(an_image_stays_while_one_of_its_functions_runs),
    T(what_a_kext_costs_is_the_time_it_runs_and_not_what_it_waits));
