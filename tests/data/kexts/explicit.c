/* Says itself who it is and where it starts. */
#include <libkern/libkern.h>
#include <mach/kmod.h>
#include <mach/mach_types.h>
#include <sys/systm.h>

static kern_return_t begin(kmod_info_t *ki, void *data);
static kern_return_t end(kmod_info_t *ki, void *data);

KMOD_EXPLICIT_DECL(com.example.explicit, "2.1.0", begin, end)

static kern_return_t
begin(kmod_info_t *ki, void *data)
{
	(void)data;
	printf("%s begins, %s\n", ki->name, ki == &KMOD_INFO_NAME ? "own kmod_info" : "foreign kmod_info");
	return KERN_SUCCESS;
}

static kern_return_t
end(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	printf("ends\n");
	return KERN_SUCCESS;
}
