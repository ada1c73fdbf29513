/* kern/thread.h and mach/thread_act.h: kernel threads, for kexts. Their life is src/kern/thread.c. */
#include <kern/sched_prim.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <mach/thread_act.h>

#include "src/kern/panic.h"
#include "src/kern/sched.h"

thread_t
current_thread(void)
{
	return curthread();
}

kern_return_t
kernel_thread_start(thread_continue_t continuation, void *parameter, thread_t *new_thread)
{
	if (continuation == THREAD_CONTINUE_NULL || new_thread == NULL)
		return KERN_INVALID_ARGUMENT;
	if (kthread_create_from(continuation, parameter, __builtin_return_address(0), new_thread) != 0)
		return KERN_RESOURCE_SHORTAGE;
	sched_preempt_point();
	return KERN_SUCCESS;
}

static void
run_old(void *start, wait_result_t result)
{
	(void)result;
	((void (*)(void))(uintptr_t)start)();
}

/* The caller has no reference: what it gets is a name for the thread as long as that lives. */
thread_t
kernel_thread(task_t task, void (*start)(void))
{
	thread_t thread;

	(void)task;
	if (start == NULL || kthread_create_from(run_old, (void *)(uintptr_t)start,
	    __builtin_return_address(0), &thread) != 0)
		return THREAD_NULL;
	kthread_release(thread);
	sched_preempt_point();
	return thread;
}

thread_t
current_act(void)
{
	return curthread();
}

void
thread_reference(thread_t thread)
{
	if (thread != THREAD_NULL)
		kthread_reference(thread);
}

void
thread_deallocate(thread_t thread)
{
	if (thread != THREAD_NULL)
		kthread_release(thread);
}

uint64_t
thread_tid(thread_t thread)
{
	return thread != THREAD_NULL ? thread->tid : 0;
}

void
thread_set_thread_name(thread_t thread, const char *name)
{
	if (thread == THREAD_NULL || name == NULL)
		return;
	kthread_set_name(thread, name);
	thread->named = true;
}

boolean_t
thread_has_thread_name(thread_t thread)
{
	return thread != THREAD_NULL && thread->named;
}

kern_return_t
thread_terminate(thread_t thread)
{
	if (thread == THREAD_NULL)
		return KERN_INVALID_ARGUMENT;
	return kthread_terminate(thread) == 0 ? KERN_SUCCESS : KERN_FAILURE;
}

kern_return_t
thread_policy_set(thread_t thread, thread_policy_flavor_t flavor, thread_policy_t info,
    mach_msg_type_number_t count)
{
	(void)count;
	if (thread == THREAD_NULL || info == NULL || flavor == 0)
		return KERN_INVALID_ARGUMENT;
	return KERN_SUCCESS;
}
