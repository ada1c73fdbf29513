/*
 * pexpert/pexpert.h and IOKit/IOPlatformExpert.h: what the machine is called, which a kext
 * may change. It has no boot arguments.
 */
#include <IOKit/IOPlatformExpert.h>
#include <kern/debug.h>
#include <pexpert/pexpert.h>
#include <string.h>

#include "src/kern/thread.h"

static boolean_t
copy_name(const char *name, char *to, int size)
{
	if (size > 0)
		strlcpy(to, name, (size_t)size);
	return 1;
}

boolean_t
PEGetMachineName(char *name, int maxLength)
{
	return copy_name("x86_64", name, maxLength);
}

boolean_t
PEGetModelName(char *name, int maxLength)
{
	const struct nke *m = curmachine();

	return copy_name(m->model[0] != '\0' ? m->model : "libnke", name, maxLength);
}

void
populate_model_name(char *model)
{
	struct nke *m = curmachine();

	strlcpy(m->model, model, sizeof m->model);
}

boolean_t
PE_parse_boot_argn(const char *arg_string, void *arg_ptr, int max_arg)
{
	(void)arg_string;
	(void)arg_ptr;
	(void)max_arg;
	return 0;
}
