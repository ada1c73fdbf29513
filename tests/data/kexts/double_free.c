/* Frees a block twice when it stops. */
#include <mach/mach_types.h>
#include <sys/malloc.h>

kern_return_t double_free_start(kmod_info_t *ki, void *data);
kern_return_t double_free_stop(kmod_info_t *ki, void *data);

kern_return_t
double_free_start(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	return KERN_SUCCESS;
}

kern_return_t
double_free_stop(kmod_info_t *ki, void *data)
{
	void *block = _MALLOC(64, M_TEMP, M_WAITOK);

	(void)ki;
	(void)data;
	_FREE(block, M_TEMP);
	_FREE(block, M_TEMP);
	return KERN_SUCCESS;
}
