/* Uses two functions that no kernel has, and one that may be absent. */
#include <mach/mach_types.h>

kern_return_t unresolved_start(kmod_info_t *ki, void *data);
kern_return_t unresolved_stop(kmod_info_t *ki, void *data);

extern int no_such_function_one(void);
extern int no_such_function_two(void);
extern int may_be_absent(void) __attribute__((weak));

kern_return_t
unresolved_start(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	return no_such_function_one() + (may_be_absent != 0 ? may_be_absent() : 0);
}

kern_return_t
unresolved_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	return no_such_function_two();
}
