/*
 * Socket options, flags and control messages between the host's numbers and layouts and Darwin's: what
 * darwin.h is to errno and addresses. Used by socket.c only.
 */
#ifndef NKE_HOST_DARWIN_SOCKET_H
#define NKE_HOST_DARWIN_SOCKET_H

#include <stdbool.h>
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
	OPTION_PMTU_DISCOVERY,		/* IP_MTU_DISCOVER: don't fragment, or do */
	OPTION_TCP_INFO,		/* can only be read: tcp_info_to_host */
	OPTION_FILTER,			/* struct group_filter: filter_from_host */
	OPTION_FILTER4			/* struct ip_msfilter: the same */
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

/* TCP_INFO, at most `room` octets of it; how many (darwin_tcp.c). */
size_t tcp_info_to_host(const void *darwin, size_t size, void *out, size_t room);

/* ---- filters of multicast sources (darwin_filter.c) ---------------------------------------- */

#define FILTER_SOURCES_MAX	512u	/* more than a socket or an interface can have */

/* The list that Darwin's value points at; the host's has it inside. */
struct filter_sources {
	uint8_t address[FILTER_SOURCES_MAX][128];
};

static inline bool
socket_option_is_filter(const struct socket_option *o)
{
	return o->kind == OPTION_FILTER || o->kind == OPTION_FILTER4;
}

/*
 * The value made at `darwin`, with `*size` bytes of room, points into `sources`. A host errno. EINVAL: it is
 * shorter than the number of sources says; ENOBUFS: more of them than FILTER_SOURCES_MAX.
 */
int filter_from_host(const struct socket_option *, const void *value, socklen_t len,
    struct filter_sources *, void *darwin, size_t *size);
/*
 * The reverse, into the value that asked: as many sources as it said it had room for, and how many there
 * are; `*len` is the host's room and then what was written.
 */
void filter_to_host(const struct socket_option *, const void *darwin, const struct filter_sources *,
    void *value, socklen_t *len);

/* ---- flags and control messages ------------------------------------------------------------ */

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
 * msg_flags when there was more. Returns how many bytes at `darwin` were taken.
 */
size_t control_to_host(const void *darwin, size_t size, struct msghdr *);
/* Calls fn(ctx, descriptor) for every descriptor that control messages in Darwin's form carry. */
void control_descriptors(const void *darwin, size_t size, void (*fn)(void *ctx, int s), void *ctx);

#endif
