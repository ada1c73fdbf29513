/* Writes through a null pointer. */
#include <mach/mach_types.h>
#include <sys/types.h>

kern_return_t crash_start(kmod_info_t *ki, void *data);
kern_return_t crash_stop(kmod_info_t *ki, void *data);

kern_return_t
crash_start(kmod_info_t *ki, void *data)
{
	(void)ki;
	*(volatile int *)data = 1;
	return KERN_SUCCESS;
}

kern_return_t
crash_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	return KERN_SUCCESS;
}
