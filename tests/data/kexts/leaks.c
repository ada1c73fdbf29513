/* Forgets three blocks from one place, and one from another. */
#include <mach/mach_types.h>
#include <sys/malloc.h>

kern_return_t leaks_start(kmod_info_t *ki, void *data);
kern_return_t leaks_stop(kmod_info_t *ki, void *data);

static void *volatile kept;

kern_return_t
leaks_start(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	/* volatile: one call, not three */
	for (volatile int i = 0; i < 3; i++)
		kept = _MALLOC(40, M_TEMP, M_WAITOK);
	return KERN_SUCCESS;
}

kern_return_t
leaks_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	kept = _MALLOC(7, M_TEMP, M_WAITOK);
	return KERN_SUCCESS;
}
