/* sys/sysctl.h and libkern/sysctl.h: variables of kexts, the usual handlers, access by name. */
#include <libkern/sysctl.h>
#include <limits.h>
#include <string.h>
#include <sys/proc.h>
#include <sys/sysctl.h>

#include "src/kern/klog.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_number.h"
#include "src/kern/thread.h"

/* There is no result: a variable that finds no memory is missing, and the log says so. */
void
sysctl_register_oid(struct sysctl_oid *oidp)
{
	struct nke *m = curmachine();

	if (sysctl_enter(m, oidp, __builtin_return_address(0)) != 0)
		klog(m, 3, "sysctl_register_oid: no memory for \"%s\"", oidp->oid_name);
}

void
sysctl_unregister_oid(struct sysctl_oid *oidp)
{
	sysctl_remove(curmachine(), oidp);
}

int
sysctlbyname(const char *name, void *oldp, size_t *oldlenp, void *newp, size_t newlen)
{
	struct sysctl_access a = {oldp, oldlenp, newp, newlen, current_proc()};

	return sysctl_by_name(curmachine(), name, &a);
}

/* ---- exchanges ---------------------------------------------------------------------------- */

int
sysctl_io_number(struct sysctl_req *req, long long bigValue, size_t valueSize, void *pValue,
    int *changed)
{
	return sysctl_number(req, bigValue, valueSize, pValue, changed);
}

static int
give_string(struct sysctl_req *req, const char *value, int trunc)
{
	size_t size = strlen(value) + 1;
	int error;

	if (!trunc || req->oldptr == 0 || req->oldlen == 0 || req->oldlen >= size)
		return SYSCTL_OUT(req, value, size);
	error = SYSCTL_OUT(req, value, req->oldlen - 1);
	return error != 0 ? error : SYSCTL_OUT(req, "", 1);
}

/* The new string needs no final zero, but room for one. */
int
sysctl_io_string(struct sysctl_req *req, char *pValue, size_t valueSize, int trunc, int *changed)
{
	int error;

	if (changed != NULL)
		*changed = 0;
	error = give_string(req, pValue, trunc);
	if (error != 0 || req->newptr == 0)
		return error;
	if (req->newlen >= valueSize)
		return EINVAL;
	error = SYSCTL_IN(req, pValue, req->newlen);
	if (error != 0)
		return error;
	pValue[req->newlen] = '\0';
	if (changed != NULL)
		*changed = 1;
	return 0;
}

int
sysctl_io_opaque(struct sysctl_req *req, void *pValue, size_t valueSize, int *changed)
{
	int error;

	if (changed != NULL)
		*changed = 0;
	error = SYSCTL_OUT(req, pValue, valueSize);
	if (error != 0 || req->newptr == 0)
		return error;
	error = SYSCTL_IN(req, pValue, valueSize);
	if (error == 0 && changed != NULL)
		*changed = 1;
	return error;
}

/* ---- handlers ----------------------------------------------------------------------------- */

int
sysctl_handle_int SYSCTL_HANDLER_ARGS
{
	(void)oidp;
	return sysctl_number(req, arg1 != NULL ? *(int *)arg1 : arg2, sizeof(int), arg1, NULL);
}

/* An int that its readers see as 64 bits. */
int
sysctl_handle_int2quad SYSCTL_HANDLER_ARGS
{
	long long value, fresh;
	int error;

	(void)oidp;
	(void)arg2;
	if (arg1 == NULL)
		return EINVAL;
	value = *(int *)arg1;
	error = SYSCTL_OUT(req, &value, sizeof value);
	if (error != 0 || req->newptr == 0)
		return error;
	error = SYSCTL_IN(req, &fresh, sizeof fresh);
	if (error != 0)
		return error;
	if (fresh > INT_MAX || fresh < INT_MIN)
		return ERANGE;
	*(int *)arg1 = (int)fresh;
	return 0;
}

int
sysctl_handle_long SYSCTL_HANDLER_ARGS
{
	(void)oidp;
	(void)arg2;
	return arg1 == NULL ? EINVAL : sysctl_number(req, *(long *)arg1, sizeof(long), arg1, NULL);
}

int
sysctl_handle_quad SYSCTL_HANDLER_ARGS
{
	(void)oidp;
	(void)arg2;
	return arg1 == NULL ? EINVAL :
	    sysctl_number(req, *(long long *)arg1, sizeof(long long), arg1, NULL);
}

int
sysctl_handle_string SYSCTL_HANDLER_ARGS
{
	(void)oidp;
	return sysctl_io_string(req, arg1, (size_t)arg2, 0, NULL);
}

int
sysctl_handle_opaque SYSCTL_HANDLER_ARGS
{
	(void)oidp;
	return sysctl_io_opaque(req, arg1, (size_t)arg2, NULL);
}
