/* src/kern/ledger.c: who owns what, and how it is told. */
#include <kern/locks.h>
#include <kern/thread_call.h>
#include <string.h>
#include <sys/systm.h>

#include "src/kern/gate.h"
#include "src/kern/kext.h"
#include "src/kern/klog.h"
#include "tests/unit/trail.h"

static struct kext kext;

static struct kext *
make_kext(void)
{
	memset(&kext, 0, sizeof kext);
	TAILQ_INIT(&kext.owned);
	ksnprintf(kext.identifier, sizeof kext.identifier, "com.example.dropper");
	ksnprintf(kext.name, sizeof kext.name, "dropper");
	return &kext;
}

static void
describe_number(const struct ledger_entry *e, char *text, size_t size)
{
	(void)e;
	ksnprintf(text, size, "IP filter \"x\"");
}

KTEST(objects_are_entered_under_whose_code_runs)
{
	struct ledger_entry e, mine;

	make_kext();
	ledger_enter(curmachine(), &mine, LEDGER_IP_FILTER, NULL);
	CHECK(mine.kext == NULL);
	ledger_strike(curmachine(), &mine);
	GATE_CALL(&kext, "start", NULL, ledger_enter(curmachine(), &e, LEDGER_IP_FILTER, NULL));
	CHECK(e.kext == &kext);
	CHECK_EQ(ledger_count(&kext), 1);
	CHECK_EQ(kext.owned_count[LEDGER_IP_FILTER], 1);
	ledger_strike(curmachine(), &e);
	ledger_strike(curmachine(), &e);
	CHECK_EQ(ledger_count(&kext), 0);
	CHECK(TAILQ_EMPTY(&kext.owned));
}

KTEST(an_entry_tells_what_and_from_where)
{
	struct ledger_entry e;
	char text[256];

	make_kext();
	ledger_set_describe(curmachine(), LEDGER_IP_FILTER, describe_number);
	ledger_enter_for(curmachine(), &kext, &e, LEDGER_IP_FILTER, (void *)(uintptr_t)&memcpy);
	ledger_describe(curmachine(), &e, text, sizeof text);
	CHECK_EQ(strncmp(text, "IP filter \"x\", from ", 20), 0);
	CHECK(ledger_frame(&e, 0, text, sizeof text) > 0);
	CHECK(text[0] != '\0');
	ledger_frame(&e, 200, text, sizeof text);
	CHECK_STR(text, "");
	/* too small a buffer cuts */
	ledger_describe(curmachine(), &e, text, 5);
	CHECK_STR(text, "IP f");
	ledger_strike(curmachine(), &e);
}

KTEST(what_calls_back_pins_the_image)
{
	struct ledger_entry filter, lock;

	make_kext();
	ledger_enter_for(curmachine(), &kext, &lock, LEDGER_LOCK, NULL);
	CHECK(!ledger_pins_image(&kext));
	ledger_enter_for(curmachine(), &kext, &filter, LEDGER_INTERFACE_FILTER, NULL);
	CHECK(ledger_pins_image(&kext));
	ledger_strike(curmachine(), &filter);
	CHECK(!ledger_pins_image(&kext));
	ledger_disown(curmachine(), &kext);
	CHECK_EQ(ledger_count(&kext), 0);
	CHECK(lock.kext == NULL);
}

static void
strike_it(void *ctx, struct ledger_entry *e)
{
	++*(unsigned *)ctx;
	ledger_strike(curmachine(), e);
}

KTEST(entries_can_be_struck_while_they_are_gone_through)
{
	struct ledger_entry e[5];
	unsigned n = 0;

	make_kext();
	for (int i = 0; i < 5; i++)
		ledger_enter_for(curmachine(), &kext, &e[i], LEDGER_SYSCTL, NULL);
	ledger_for_each(&kext, strike_it, &n);
	CHECK_EQ(n, 5);
	CHECK_EQ(ledger_count(&kext), 0);
}

static void
nothing(thread_call_param_t p0, thread_call_param_t p1)
{
	(void)p0;
	(void)p1;
}

static void
wait_for_ever(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	sched_block(&kext, 0, false, "nothing");
}

static void
make_everything(void)
{
	struct timespec ts = {100, 0};
	lck_grp_t *group = lck_grp_alloc_init("dropper", NULL);

	lck_mtx_alloc_init(group, NULL);
	lck_grp_attr_alloc_init();
	thread_call_allocate(nothing, NULL);
	bsd_timeout(mark_letter, NULL, &ts);
	start(wait_for_ever, NULL);
}

KTEST(every_kind_of_this_piece_is_entered_and_described)
{
	static const struct {
		enum ledger_kind kind;
		const char *text;
	} expected[] = {
		{LEDGER_LOCK_GROUP, "lock group \"dropper\" with 1 lock"},
		{LEDGER_LOCK, "mutex 0x"},
		{LEDGER_LOCK_ATTR, "lock attribute"},
		{LEDGER_THREAD_CALL, "idle thread call of "},
		{LEDGER_TIMEOUT, "pending timeout of "},
		{LEDGER_THREAD, "kernel thread 2"},
	};
	struct ledger_entry *e;
	unsigned i = 0;
	char text[256];

	make_kext();
	GATE_CALL(&kext, "start", NULL, make_everything());
	sched_pass();
	TAILQ_FOREACH(e, &kext.owned, link) {
		CHECK(i < sizeof expected / sizeof expected[0]);
		CHECK_EQ(e->kind, expected[i].kind);
		ledger_describe(curmachine(), e, text, sizeof text);
		if (strncmp(text, expected[i].text, strlen(expected[i].text)) != 0)
			CHECK_STR(text, expected[i].text);
		i++;
	}
	CHECK_EQ(i, sizeof expected / sizeof expected[0]);
	ledger_disown(curmachine(), &kext);
}

KTEST_SUITE(ledger,
    T(objects_are_entered_under_whose_code_runs),
    T(an_entry_tells_what_and_from_where),
    T(what_calls_back_pins_the_image),
    T(entries_can_be_struck_while_they_are_gone_through),
    T(every_kind_of_this_piece_is_entered_and_described));
