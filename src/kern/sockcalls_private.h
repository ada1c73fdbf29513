/* Shared by sockcalls.c and sockcalls_io.c only. */
#ifndef NKE_KERN_SOCKCALLS_PRIVATE_H
#define NKE_KERN_SOCKCALLS_PRIVATE_H

#include <sys/ioctl.h>

#include "src/kern/filedesc.h"
#include "src/kern/proc.h"
#include "src/kern/sockcalls.h"
#include "src/kern/socket_private.h"

/* An address from a program: at most 255 bytes, and never fewer than any family's fixed size. */
struct sock_call_name {
	union {
		struct sockaddr sa;
		struct sockaddr_storage ss;
		char bytes[SOCK_MAXADDRLEN + 1];
	};
};

/* Copies it; its length is set to `len`. ENAMETOOLONG, EINVAL. */
errno_t sock_call_take_name(struct sock_call_name *, const void *from, uint32_t len);
/* Cut to *len; *len becomes what it would have been. Both may be NULL. */
void sock_call_give_name(const struct sockaddr_storage *, void *to, uint32_t *len);

/* The descriptor's socket, referenced, used by the current process; NULL: EBADF, ENOTSOCK. */
static inline struct socket *
sock_call_hold(const struct nke *m, int fd, errno_t *error)
{
	struct socket *so = fd_socket(m, fd);

	*error = so != NULL ? 0 : fd_file(m, fd) != NULL ? ENOTSOCK : EBADF;
	if (so == NULL)
		return NULL;
	so_retain(so);
	if (__builtin_expect(m->identified, 0))
		so->so_last_pid = proc_current()->pid;
	return so;
}

#endif
