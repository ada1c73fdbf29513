/* A folder is a kext: the start function is named otherwise than the folder, the header is in another one. */
#include <AssertMacros.h>
#include <libkern/libkern.h>
#include <mach/mach_types.h>

#include "half.h"

kern_return_t com_example_whole_start(kmod_info_t *ki, void *data);
kern_return_t com_example_whole_stop(kmod_info_t *ki, void *data);

kern_return_t
com_example_whole_start(kmod_info_t *ki, void *data)
{
	kern_return_t result = KERN_SUCCESS;

	(void)ki;
	(void)data;
	require_action(half(84) == 42, out, result = KERN_FAILURE);
	require_noerr_action_quiet(half(1), out, result = KERN_FAILURE);
out:
	return result;
}

kern_return_t
com_example_whole_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	printf("whole\n");
	return KERN_SUCCESS;
}
