/*
 * Between Darwin's numbers and the host's. The only place that knows both: Darwin's are written out
 * in darwin.c, because its headers and the host's cannot be included together.
 */
#ifndef NKE_HOST_DARWIN_H
#define NKE_HOST_DARWIN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define DARWIN_AF_INET	2
#define DARWIN_AF_INET6	30

/* Darwin's errno as the host's. What the host has no number for becomes EIO. */
int darwin_errno_to_host(int darwin);
#define DARWIN_AF_LOCAL		1
#define DARWIN_AF_ROUTE		17
#define DARWIN_AF_SYSTEM	32
#define DARWIN_SOCKADDR_MAX	128	/* bytes of any address */

/*
 * An ioctl's number: direction, size, group and number are put together differently. The host's own
 * FIONBIO and its like become Darwin's. 0: Darwin has no room for an argument of that size.
 */
unsigned long darwin_ioctl_from_host(unsigned long host);

/* AF_*, and NKE_AF_* of nke/socket.h: -1 when the other side has no such family. */
int darwin_family_to_host(int darwin);
int darwin_family_from_host(int host);
/*
 * A host's AF_INET, AF_INET6 or AF_LOCAL address, or one of NKE_AF_SYSTEM, in Darwin's layout. Returns its
 * length, 0 when the family is another or `len` is too short for it or `size` for the result
 * (DARWIN_SOCKADDR_MAX always suffices).
 */
size_t darwin_sockaddr_from_host(const struct sockaddr *, socklen_t len, void *darwin, size_t size);
/* The reverse; returns the host's length, 0 as above. */
socklen_t darwin_sockaddr_to_host(const void *darwin, size_t len, struct sockaddr_storage *);
/* The address bytes of a host's AF_INET or AF_INET6 address (4 or 16); NULL for others. */
const void *host_sockaddr_bytes(const struct sockaddr *, socklen_t len, size_t *size);
/* Why it is NULL: EINVAL (too short), EAFNOSUPPORT. */
int host_sockaddr_error(const struct sockaddr *, socklen_t len);

#endif
