/*
 * Socket options, flags and control messages between the host's numbers and layouts and Darwin's: what
 * darwin.h is to errno and addresses. Used by socket.c only.
 */
#ifndef NKE_HOST_DARWIN_SOCKET_H
#define NKE_HOST_DARWIN_SOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define DARWIN_OPTION_MAX	264	/* bytes of the longest fixed value (group_source_req) */

/* How a value differs between the two. */
enum option_kind {
	OPTION_SAME,			/* bytes and numbers are the same */
	OPTION_ERRNO,
	OPTION_TIMEVAL,
	OPTION_MREQ_SOURCE,		/* members in another order */
	OPTION_GROUP,			/* has one sockaddr_storage */
	OPTION_GROUP_SOURCE,		/* has two */
	OPTION_ICMP6_FILTER,		/* bits mean passing or blocking */
	OPTION_PMTU_DISCOVERY		/* IP_MTU_DISCOVER: don't fragment, or do */
};

struct socket_option {
	int host_level, host_name;
	int level, name;		/* Darwin's */
	enum option_kind kind;
};

/* NULL: Darwin has no such option. */
const struct socket_option *socket_option_find(int host_level, int host_name);
/*
 * The value in Darwin's layout; `*size` is the room at `out` and then what it took. EINVAL: too short or too
 * long; a host errno.
 */
int socket_option_from_host(const struct socket_option *, const void *value, socklen_t len, void *out,
    size_t *size);
/* The reverse; `*len` is the host's room and then what was written. */
int socket_option_to_host(const struct socket_option *, const void *darwin, size_t size, void *value,
    socklen_t *len);

/* MSG_*: flags of calls (-1: one that Darwin does not have), and of received messages. */
int message_flags_from_host(int flags);
int message_flags_to_host(int darwin);

/*
 * Control messages. Returns the length in Darwin's layout, or -1: malformed (errno EINVAL) or longer than
 * `size` (ENOBUFS).
 */
ptrdiff_t control_from_host(const struct msghdr *, void *darwin, size_t size);
/*
 * Into msg_control, whose room is msg_controllen before and what was written after; MSG_CTRUNC is set in
 * msg_flags when there was more.
 */
void control_to_host(const void *darwin, size_t size, struct msghdr *);

#endif
