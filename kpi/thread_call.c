/*
 * kern/thread_call.h: functions called later. Called by kexts. Each entry is a callout that runs on a
 * worker thread, never on a host thread's stack, because it may sleep.
 *
 * An entry that is entered while it runs is called again once it has returned: here every entry is
 * as THREAD_CALL_OPTIONS_ONCE promises.
 */
#include <kern/thread_call.h>

#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/klog.h"
#include "src/kern/panic.h"
#include "src/kern/sched.h"

struct thread_call {
	struct callout callout;
	thread_call_func_t func;
	thread_call_param_t param0, param1;
	struct ledger_entry ledger;
	struct kext *owner;
	bool freed;			/* while it ran: goes when it returns */
};

static void
describe_call(const struct ledger_entry *entry, char *text, size_t size)
{
	const struct thread_call *call = CONTAINER_OF(entry, struct thread_call, ledger);
	char name[128];

	hc_symbolize((const void *)(uintptr_t)call->func, name, sizeof name);
	ksnprintf(text, size, "%s thread call of %s", callout_pending(&call->callout) ? "pending" :
	    call->callout.running ? "running" : "idle", name);
}

static void
run_call(void *arg)
{
	struct thread_call *call = arg;

	GATE_CALL(call->owner, "thread_call", NULL, call->func(call->param0, call->param1));
	if (call->freed) {
		struct nke *m = call->callout.machine;

		callout_drain(&call->callout);
		ledger_strike(m, &call->ledger);
		kfree(m, call);
	}
}

static thread_call_t
allocate(thread_call_func_t func, thread_call_param_t param0, void *pc)
{
	struct nke *m = curmachine();
	struct thread_call *call = kalloc(m, sizeof *call);

	if (call == NULL)
		return NULL;
	callout_init(&call->callout, m, run_call, call);
	call->callout.threaded = true;
	call->func = func;
	call->param0 = param0;
	call->owner = gate_kext();
	ledger_set_describe(m, LEDGER_THREAD_CALL, describe_call);
	ledger_enter(m, &call->ledger, LEDGER_THREAD_CALL, pc);
	return call;
}

thread_call_t
thread_call_allocate(thread_call_func_t func, thread_call_param_t param0)
{
	return allocate(func, param0, __builtin_return_address(0));
}

thread_call_t
thread_call_allocate_with_priority(thread_call_func_t func, thread_call_param_t param0,
    thread_call_priority_t pri)
{
	if ((unsigned)pri > THREAD_CALL_PRIORITY_KERNEL_HIGH)
		kpanic("thread_call_allocate_with_priority was given the unknown priority %d", (int)pri);
	return allocate(func, param0, __builtin_return_address(0));
}

thread_call_t
thread_call_allocate_with_options(thread_call_func_t func, thread_call_param_t param0,
    thread_call_priority_t pri, thread_call_options_t options)
{
	(void)options;
	return thread_call_allocate_with_priority(func, param0, pri);
}

boolean_t
thread_call_free(thread_call_t call)
{
	struct nke *m = call->callout.machine;

	if (callout_pending(&call->callout))
		return FALSE;
	if (call->freed)
		kpanic("thread call %p freed twice", (void *)call);
	if (call->callout.running) {
		call->freed = true;
		return TRUE;
	}
	ledger_strike(m, &call->ledger);
	kfree(m, call);
	return TRUE;
}

static boolean_t
enter(thread_call_t call, thread_call_param_t param1, uint64_t deadline)
{
	bool pending = callout_pending(&call->callout);

	if (call->freed)
		kpanic("thread call %p entered after it had been freed", (void *)call);
	call->param1 = param1;
	if (callout_reset(&call->callout, deadline) != 0)
		kpanic("thread call %p cannot be entered: the host has no more memory", (void *)call);
	sched_preempt_point();
	return pending;
}

boolean_t
thread_call_enter(thread_call_t call)
{
	return enter(call, NULL, machine_now(curmachine()));
}

boolean_t
thread_call_enter1(thread_call_t call, thread_call_param_t param1)
{
	return enter(call, param1, machine_now(curmachine()));
}

boolean_t
thread_call_enter_delayed(thread_call_t call, uint64_t deadline)
{
	return enter(call, NULL, deadline);
}

boolean_t
thread_call_enter1_delayed(thread_call_t call, thread_call_param_t param1, uint64_t deadline)
{
	return enter(call, param1, deadline);
}

boolean_t
thread_call_cancel(thread_call_t call)
{
	return callout_stop(&call->callout);
}

boolean_t
thread_call_cancel_wait(thread_call_t call)
{
	bool pending = callout_stop(&call->callout);

	if (call->callout.running && call->callout.runner == curthread())
		kpanic("thread_call_cancel_wait was called from within the call itself, which it would "
		    "wait for");
	callout_drain(&call->callout);
	return pending;
}

boolean_t
thread_call_isactive(thread_call_t call)
{
	return callout_pending(&call->callout) || call->callout.running;
}
