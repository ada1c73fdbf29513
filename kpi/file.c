/*
 * sys/file.h: what a descriptor stands for. The table, and what kexts hold of it, is src/kern/filedesc.c.
 */
#include <sys/errno.h>
#include <sys/file.h>

#include "src/kern/filedesc.h"
#include "src/kern/kpi_rule.h"
#include "src/kern/thread.h"

int
file_socket(int fd, socket_t *so)
{
	return so != NULL ? fd_hold(curmachine(), fd, __builtin_return_address(0), so) : EINVAL;
}

int
file_drop(int fd)
{
	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_SOCKET, NULL);
	return fd_drop(curmachine(), fd);
}

int
file_flags(int fd, int *flags)
{
	return flags != NULL ? fd_flags(curmachine(), fd, flags) : EINVAL;
}

int
file_vnode_withvid(int fd, struct vnode **vp, uint32_t *vid)
{
	int flags, error = fd_flags(curmachine(), fd, &flags);

	if (vp != NULL)
		*vp = NULL;
	if (vid != NULL)
		*vid = 0;
	return error != 0 ? error : EINVAL;
}

int
file_vnode(int fd, struct vnode **vp)
{
	return file_vnode_withvid(fd, vp, NULL);
}
