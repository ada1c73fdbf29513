/*
 * As Xcode's generated file does it: Apple's _start and _stop call _realmain and _antimain. And as kexts for
 * newer systems do it: bool comes with sys/systm.h.
 */
#include <libkern/libkern.h>
#include <mach/kmod.h>
#include <mach/mach_types.h>
#include <sys/systm.h>

extern kern_return_t _start(kmod_info_t *ki, void *data);
extern kern_return_t _stop(kmod_info_t *ki, void *data);
extern kern_return_t xcode_start(kmod_info_t *ki, void *data);
extern kern_return_t xcode_stop(kmod_info_t *ki, void *data);

__attribute__((visibility("default"))) KMOD_EXPLICIT_DECL(com.example.xcode, "3.0", _start, _stop)
__private_extern__ kmod_start_func_t *_realmain;
__private_extern__ kmod_stop_func_t *_antimain;
kmod_start_func_t *_realmain = xcode_start;
kmod_stop_func_t *_antimain = xcode_stop;

static bool started = false;

kern_return_t
xcode_start(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	started = true;
	printf("realmain ran\n");
	return KERN_SUCCESS;
}

kern_return_t
xcode_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	printf("antimain ran\n");
	return started ? KERN_SUCCESS : KERN_FAILURE;
}
