/* Declares the kernel's functions and variables itself, as old kexts do. */
#include <mach/kmod.h>

extern int printf(const char *, ...);
extern int strcmp(const char *, const char *);
extern char *strncpy(char *, const char *, __SIZE_TYPE__);
extern int hz, version_major;
extern char osrelease[];

kern_return_t headerless_start(kmod_info_t *ki, void *data);
kern_return_t headerless_stop(kmod_info_t *ki, void *data);

kern_return_t
headerless_start(kmod_info_t *ki, void *data)
{
	char name[5] = "";

	(void)data;
	strncpy(name, ki->name, 3);
	printf("headerless: %s %d\n", name, hz);
	return strcmp(name, "com") == 0 && hz > 0 && osrelease[0] == '0' + version_major / 10 ?
	    KERN_SUCCESS : KERN_FAILURE;
}

kern_return_t
headerless_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	return KERN_SUCCESS;
}
