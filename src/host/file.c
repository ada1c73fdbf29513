/*
 * Devices, as nke/file.h offers them: system calls of the machine (src/kern/filecalls.h) with the host's
 * flags, commands and errors. What works on sockets, too, asks for a socket first, as that is what most
 * are.
 */
#include <nke/file.h>

#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "src/host/darwin.h"
#include "src/host/machine.h"
#include "src/kern/filecalls.h"

/* ---- flags -------------------------------------------------------------------------------- */

static const struct {
	int host, core;
} flags[] = {
	{O_WRONLY, CORE_O_WRONLY}, {O_RDWR, CORE_O_RDWR}, {O_NONBLOCK, CORE_O_NONBLOCK},
	{O_APPEND, CORE_O_APPEND}, {O_CREAT, CORE_O_CREAT}, {O_TRUNC, CORE_O_TRUNC}, {O_EXCL, CORE_O_EXCL},
	{O_DIRECTORY, CORE_O_DIRECTORY},
#ifdef O_ASYNC
	{O_ASYNC, CORE_O_ASYNC},
#endif
};

#define FLAG_COUNT	(sizeof flags / sizeof flags[0])

static int
flags_from_host(int host)
{
	int core = 0;

	for (size_t i = 0; i < FLAG_COUNT; i++)
		if ((host & flags[i].host) == flags[i].host)
			core |= flags[i].core;
	return core;
}

static int
flags_to_host(int core)
{
	int host = 0;

	for (size_t i = 0; i < FLAG_COUNT; i++)
		if (core & flags[i].core)
			host |= flags[i].host;
	return host;
}

/* ---- opening and moving data ---------------------------------------------------------------- */

int
nke_open(nke_t *m, const char *path, int host_flags)
{
	int fd, error = file_call_open(m->core, path, flags_from_host(host_flags), &fd);

	return nke_core_errno(m, error) == 0 ? fd : -1;
}

static int
fail(int error)
{
	errno = error;
	return -1;
}

ssize_t
nke_readv(nke_t *m, int fd, const struct iovec *pieces, int count)
{
	struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces};
	size_t done = 0;
	ssize_t n;

	if (count <= 0)
		return fail(EINVAL);
	message.msg_iovlen = (size_t)count;
	n = nke_recvmsg(m, fd, &message, 0);
	if (n >= 0 || errno != ENOTSOCK)
		return n;
	return nke_core_errno(m, file_call_read(m->core, fd, (const struct core_iovec *)(const void *)pieces,
	    (unsigned)count, &done)) == 0 ? (ssize_t)done : -1;
}

ssize_t
nke_writev(nke_t *m, int fd, const struct iovec *pieces, int count)
{
	struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces};
	size_t done = 0;
	ssize_t n;

	if (count <= 0)
		return fail(EINVAL);
	message.msg_iovlen = (size_t)count;
	n = nke_sendmsg(m, fd, &message, 0);
	if (n >= 0 || errno != ENOTSOCK)
		return n;
	return nke_core_errno(m, file_call_write(m->core, fd, (const struct core_iovec *)(const void *)pieces,
	    (unsigned)count, &done)) == 0 ? (ssize_t)done : -1;
}

ssize_t
nke_read(nke_t *m, int fd, void *buffer, size_t size)
{
	ssize_t n = nke_recvfrom(m, fd, buffer, size, 0, NULL, NULL);
	struct iovec piece = {buffer, size};

	return n >= 0 || errno != ENOTSOCK ? n : nke_readv(m, fd, &piece, 1);
}

ssize_t
nke_write(nke_t *m, int fd, const void *data, size_t len)
{
	ssize_t n = nke_sendto(m, fd, data, len, 0, NULL, 0);
	struct iovec piece = {(void *)(uintptr_t)data, len};

	return n >= 0 || errno != ENOTSOCK ? n : nke_writev(m, fd, &piece, 1);
}

/* ---- control ------------------------------------------------------------------------------ */

int
nke_darwin_ioctl(nke_t *m, int fd, unsigned long command, void *argument)
{
	return nke_core_errno(m, file_call_ioctl(m->core, fd, command, argument));
}

int
nke_ioctl(nke_t *m, int fd, unsigned long command, void *argument)
{
	unsigned long darwin = darwin_ioctl_from_host(command);

	return darwin != 0 ? nke_darwin_ioctl(m, fd, darwin, argument) : fail(EINVAL);
}

int
nke_fcntl(nke_t *m, int fd, int command, ...)
{
	int argument = 0, out = 0, error;
	va_list ap;

	if (command != F_GETFD && command != F_GETFL) {
		va_start(ap, command);
		argument = va_arg(ap, int);
		va_end(ap);
	}
	switch (command) {
	case F_DUPFD:
#ifdef F_DUPFD_CLOEXEC
	case F_DUPFD_CLOEXEC:
#endif
		error = file_call_dup(m->core, fd, argument, &out);
		break;
	case F_GETFD:
	case F_SETFD:
		error = file_call_flags(m->core, fd, &out);
		out = 0;
		break;
	case F_GETFL:
		error = file_call_flags(m->core, fd, &out);
		out = flags_to_host(out);
		break;
	case F_SETFL:
		error = file_call_set_flags(m->core, fd, flags_from_host(argument));
		break;
	default:
		return fail(EINVAL);
	}
	return nke_core_errno(m, error) == 0 ? out : -1;
}
