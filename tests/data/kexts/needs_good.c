/* Depends on com.example.good: calls a function of that kext. */
#include <libkern/libkern.h>
#include <mach/mach_types.h>
#include <sys/systm.h>

kern_return_t needs_good_start(kmod_info_t *ki, void *data);
kern_return_t needs_good_stop(kmod_info_t *ki, void *data);
extern int good_number(int n);

static int (*pointer)(int) = good_number;

kern_return_t
needs_good_start(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	printf("good says %d and %d\n", good_number(10), pointer(20));
	return KERN_SUCCESS;
}

kern_return_t
needs_good_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	return KERN_SUCCESS;
}
