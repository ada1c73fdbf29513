/* See sysctl_number.h. */
#include "src/kern/sysctl_number.h"

int
sysctl_number(struct sysctl_req *req, long long value, size_t size, void *variable, int *changed)
{
	int small = (int)value, error;
	bool wide = size == sizeof(long long);

	if (changed != NULL)
		*changed = 0;
	if (size == sizeof(int) || (wide && req->oldlen == sizeof(int))) {
		if (small != value)
			return ERANGE;
		error = SYSCTL_OUT(req, &small, sizeof small);
	} else {
		error = SYSCTL_OUT(req, &value, size);
	}
	if (error != 0 || req->newptr == 0)
		return error;
	if (variable == NULL)
		return EPERM;
	if (wide && req->newlen == sizeof(int)) {
		error = SYSCTL_IN(req, &small, sizeof small);
		if (error == 0)
			*(long long *)variable = small;
	} else {
		error = SYSCTL_IN(req, variable, size);
	}
	if (error == 0 && changed != NULL)
		*changed = 1;
	return error;
}
