/* Refuses to stop the first time it is asked. */
#include <mach/mach_types.h>

kern_return_t refuses_start(kmod_info_t *ki, void *data);
kern_return_t refuses_stop(kmod_info_t *ki, void *data);

static int asked;

kern_return_t
refuses_start(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	return KERN_SUCCESS;
}

kern_return_t
refuses_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	return asked++ == 0 ? KERN_FAILURE : KERN_SUCCESS;
}
