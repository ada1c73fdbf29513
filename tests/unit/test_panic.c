/* src/kern/panic.c and gate.c: what a report says, and who is thrown out. */
#include <kern/locks.h>
#include <string.h>

#include "src/kern/gate.h"
#include "src/kern/kext.h"
#include "src/kern/klog.h"
#include "src/kern/mbuf.h"
#include "src/kern/panic.h"
#include "tests/unit/trail.h"

static struct kext kext;

static struct kext *
make_kext(void)
{
	memset(&kext, 0, sizeof kext);
	TAILQ_INIT(&kext.owned);
	ksnprintf(kext.identifier, sizeof kext.identifier, "com.example.dropper");
	ksnprintf(kext.version, sizeof kext.version, "1.2");
	ksnprintf(kext.name, sizeof kext.name, "dropper");
	return &kext;
}

static void
break_a_rule(struct mbuf *m)
{
	GATE_CALL(make_kext(), "iff_input", m, kpanic("the %s broke a %s", "test", "rule"));
}

KTEST_PANICS(the_report_has_the_sentence_and_the_machine, "panic: the test broke a rule\nmachine: test\n")
{
	break_a_rule(NULL);
}

KTEST_PANICS(the_report_names_kext_and_callback, "kext: com.example.dropper 1.2\ncallback: iff_input\n")
{
	break_a_rule(NULL);
}

KTEST_PANICS(the_report_has_the_packet_number, "\npacket: 4711\n")
{
	struct mbuf *m = m_gethdr(curmachine(), MBUF_DONTWAIT, MBUF_TYPE_DATA);

	m->m_pkthdr.packet_number = 4711;
	break_a_rule(m);
}

KTEST_PANICS(the_report_has_a_backtrace, "backtrace:\n  0x")
{
	break_a_rule(NULL);
}

KTEST_PANICS(the_kernels_own_panics_blame_nobody, "kext: none, the kernel's own code\n")
{
	kpanic("so");
}

static void
panic_alone(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	kpanic("a thread broke a rule");
}

KTEST_PANICS(a_kernel_threads_panic_sends_the_caller_back, "panic: a thread broke a rule\n")
{
	start(panic_alone, NULL);
	sched_block(trail, 0, false, "what never comes");
	ktest_fail(__FILE__, __LINE__, "the call went on", 0, 1);
}

static void
panic_in_callout(void *arg)
{
	(void)arg;
	kpanic("a callout broke a rule");
}

KTEST_PANICS(a_callouts_panic_sends_the_caller_back, "panic: a callout broke a rule\n")
{
	struct callout c;

	callout_init(&c, curmachine(), panic_in_callout, NULL);
	callout_reset(&c, MS);
	sched_block(trail, 0, false, "what never comes");
	ktest_fail(__FILE__, __LINE__, "the call went on", 0, 1);
}

KTEST_PANICS(a_signal_in_a_kext_is_reported, "panic: SIGSEGV (signal 11) at ")
{
	GATE_CALL(make_kext(), "iff_output", NULL, machine_fault(11, "SIGSEGV", &kext, NULL));
}

KTEST(a_signal_in_the_kernels_own_code_is_not_ours)
{
	machine_fault(11, "SIGSEGV", &kext, NULL);
	CHECK(!curmachine()->panicked);
}

KTEST(the_gate_knows_whose_code_runs)
{
	struct kext *inside = NULL;

	CHECK(gate_kext() == NULL);
	GATE_CALL(make_kext(), "iff_input", NULL, inside = gate_kext());
	CHECK(inside == &kext);
	CHECK(gate_kext() == NULL);
}

static lck_mtx_t mutex;

KTEST_PANICS(giving_back_anothers_lock_is_named, "iff_input of dropper returned after giving back 1 lock")
{
	lck_mtx_init(&mutex, NULL, NULL);
	lck_mtx_lock(&mutex);
	GATE_CALL(make_kext(), "iff_input", NULL, lck_mtx_unlock(&mutex));
}

KTEST_SUITE(panic,
    T(the_report_has_the_sentence_and_the_machine),
    T(the_report_names_kext_and_callback),
    T(the_report_has_the_packet_number),
    T(the_report_has_a_backtrace),
    T(the_kernels_own_panics_blame_nobody),
    T(a_kernel_threads_panic_sends_the_caller_back),
    T(a_callouts_panic_sends_the_caller_back),
    T(a_signal_in_a_kext_is_reported),
    T(a_signal_in_the_kernels_own_code_is_not_ours),
    T(the_gate_knows_whose_code_runs),
    T(giving_back_anothers_lock_is_named));
