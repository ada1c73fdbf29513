/* Variables with names, as nke/sysctl.h offers them. */
#include <nke/sysctl.h>

#include <errno.h>
#include <string.h>

#include "src/host/machine.h"

/* The host's errno for Darwin's, and the text. */
static int
result(nke_t *m, const char *name, int darwin_error)
{
	int error = nke_core_result(m, darwin_error);

	if (error != 0 && error != EFAULT)
		nke_fail(m, error, "sysctl %s: %s", name,
		    error == ENOENT ? "there is no such variable" : strerror(error));
	return error;
}

int
nke_sysctl(nke_t *m, const char *name, void *old, size_t *old_len, const void *new_value, size_t new_len)
{
	return result(m, name, machine_sysctl(m->core, name, old, old_len, new_value, new_len));
}

int
nke_sysctl_format(nke_t *m, const char *name, char *format, size_t size)
{
	return result(m, name, machine_sysctl_format(m->core, name, format, size));
}

int
nke_sysctl_set_int(nke_t *m, const char *name, int value)
{
	return nke_sysctl(m, name, NULL, NULL, &value, sizeof value);
}

int
nke_sysctl_get_int(nke_t *m, const char *name, int *value)
{
	size_t len = sizeof *value;
	int error = nke_sysctl(m, name, value, &len, NULL, 0);

	if (error == 0 && len != sizeof *value)
		error = nke_fail(m, EINVAL, "sysctl %s: is not an int", name);
	return error;
}
