/* Names of errno values: the host's; what only Darwin or FreeBSD has is given the nearest of the host. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/drill/names.h"

#define E(name)	{#name, name}

static const struct {
	const char *name;
	int value;
} errors[] = {
	E(EPERM), E(ENOENT), E(ESRCH), E(EINTR), E(EIO), E(ENXIO), E(E2BIG), E(ENOEXEC), E(EBADF), E(ECHILD),
	E(EDEADLK), E(ENOMEM), E(EACCES), E(EFAULT), E(ENOTBLK), E(EBUSY), E(EEXIST), E(EXDEV), E(ENODEV),
	E(ENOTDIR), E(EISDIR), E(EINVAL), E(ENFILE), E(EMFILE), E(ENOTTY), E(ETXTBSY), E(EFBIG), E(ENOSPC),
	E(ESPIPE), E(EROFS), E(EMLINK), E(EPIPE), E(EDOM), E(ERANGE), E(EAGAIN), E(EINPROGRESS), E(EALREADY),
	E(ENOTSOCK), E(EDESTADDRREQ), E(EMSGSIZE), E(EPROTOTYPE), E(ENOPROTOOPT), E(EPROTONOSUPPORT),
	E(ESOCKTNOSUPPORT), E(EOPNOTSUPP), E(EPFNOSUPPORT), E(EAFNOSUPPORT), E(EADDRINUSE), E(EADDRNOTAVAIL),
	E(ENETDOWN), E(ENETUNREACH), E(ENETRESET), E(ECONNABORTED), E(ECONNRESET), E(ENOBUFS), E(EISCONN),
	E(ENOTCONN), E(ESHUTDOWN), E(ETOOMANYREFS), E(ETIMEDOUT), E(ECONNREFUSED), E(ELOOP), E(ENAMETOOLONG),
	E(EHOSTDOWN), E(EHOSTUNREACH), E(ENOTEMPTY), E(EUSERS), E(EDQUOT), E(ESTALE), E(ENOLCK), E(ENOSYS),
	E(EOVERFLOW), E(EIDRM), E(ENOMSG), E(EILSEQ), E(ECANCELED), E(EBADMSG), E(EMULTIHOP), E(ENOLINK),
	E(EPROTO), E(ENODATA), E(ENOSR), E(ENOSTR), E(ETIME), E(ENOTRECOVERABLE), E(EOWNERDEAD),
	/* from here on: other names of the above */
	E(EWOULDBLOCK), E(ENOTSUP), E(EREMOTEIO), E(ENONET), E(ENOTUNIQ), {"ENOATTR", ENODATA}, {"EAUTH",
	EACCES},
	{"ENEEDAUTH", EACCES}, {"EBADRPC", EPROTO}, {"EFTYPE", EINVAL}, {"EPROCLIM", EAGAIN},
	{"EDOOFUS", EINVAL}, {"ENOTCAPABLE", EPERM}, {"ECAPMODE", EPERM}
};

#define ERROR_COUNT	(sizeof errors / sizeof errors[0])

int
drill_errno(const char *name)
{
	for (size_t i = 0; i < ERROR_COUNT; i++)
		if (strcmp(errors[i].name, name) == 0)
			return errors[i].value;
	return -1;
}

const char *
drill_errno_name(int error)
{
	static _Thread_local char text[24];

	for (size_t i = 0; i < ERROR_COUNT; i++)
		if (errors[i].value == error)
			return errors[i].name;
	snprintf(text, sizeof text, "errno %d", error);
	return text;
}
