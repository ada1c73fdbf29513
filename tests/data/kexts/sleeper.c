/*
 * Has a kernel thread that looks every second whether it is to end. Stops with success without waiting
 * for that; with -DWAITS its stop routine wakes the thread and waits until it is done.
 */
#include <kern/thread.h>
#include <mach/mach_types.h>
#include <sys/param.h>
#include <sys/proc.h>
#include <sys/time.h>

#ifndef WAITS
#define WAITS	0
#endif

kern_return_t sleeper_start(kmod_info_t *ki, void *data);
kern_return_t sleeper_stop(kmod_info_t *ki, void *data);

static volatile int ending, ended;

static void
look_and_sleep(void *parameter, wait_result_t result)
{
	struct timespec second = {.tv_sec = 1};

	while (!ending)
		msleep((void *)&ending, NULL, PWAIT, "a nap", &second);
	ended = 1;
	wakeup((void *)&ended);
}

kern_return_t
sleeper_start(kmod_info_t *ki, void *data)
{
	thread_t thread;
	kern_return_t result = kernel_thread_start(look_and_sleep, NULL, &thread);

	if (result == KERN_SUCCESS)
		thread_deallocate(thread);
	return result;
}

kern_return_t
sleeper_stop(kmod_info_t *ki, void *data)
{
	ending = 1;
	if (WAITS) {
		wakeup((void *)&ending);
		while (!ended)
			msleep((void *)&ended, NULL, PWAIT, "the end", NULL);
	}
	return KERN_SUCCESS;
}
