/*
 * Translates errno values, address families and socket addresses between Darwin and the host.
 *
 * Interface flags (IFF_*) differ as well; nke/iface.h has flags of its own, so no table is needed.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>

#include <nke/control.h>

#include "src/host/darwin.h"

/* Indexed by Darwin's number; 0 where the host has no such error. */
static const int host_errno[] = {
	[1] = EPERM, [2] = ENOENT, [3] = ESRCH, [4] = EINTR, [5] = EIO, [6] = ENXIO, [7] = E2BIG,
	[8] = ENOEXEC, [9] = EBADF, [10] = ECHILD, [11] = EDEADLK, [12] = ENOMEM, [13] = EACCES,
	[14] = EFAULT, [15] = ENOTBLK, [16] = EBUSY, [17] = EEXIST, [18] = EXDEV, [19] = ENODEV,
	[20] = ENOTDIR, [21] = EISDIR, [22] = EINVAL, [23] = ENFILE, [24] = EMFILE, [25] = ENOTTY,
	[26] = ETXTBSY, [27] = EFBIG, [28] = ENOSPC, [29] = ESPIPE, [30] = EROFS, [31] = EMLINK,
	[32] = EPIPE, [33] = EDOM, [34] = ERANGE, [35] = EAGAIN, [36] = EINPROGRESS, [37] = EALREADY,
	[38] = ENOTSOCK, [39] = EDESTADDRREQ, [40] = EMSGSIZE, [41] = EPROTOTYPE, [42] = ENOPROTOOPT,
	[43] = EPROTONOSUPPORT, [44] = ESOCKTNOSUPPORT, [45] = EOPNOTSUPP, [46] = EPFNOSUPPORT,
	[47] = EAFNOSUPPORT, [48] = EADDRINUSE, [49] = EADDRNOTAVAIL, [50] = ENETDOWN,
	[51] = ENETUNREACH, [52] = ENETRESET, [53] = ECONNABORTED, [54] = ECONNRESET, [55] = ENOBUFS,
	[56] = EISCONN, [57] = ENOTCONN, [58] = ESHUTDOWN, [59] = ETOOMANYREFS, [60] = ETIMEDOUT,
	[61] = ECONNREFUSED, [62] = ELOOP, [63] = ENAMETOOLONG, [64] = EHOSTDOWN, [65] = EHOSTUNREACH,
	[66] = ENOTEMPTY, [68] = EUSERS, [69] = EDQUOT, [70] = ESTALE, [71] = EREMOTE, [77] = ENOLCK,
	[78] = ENOSYS, [84] = EOVERFLOW, [85] = ENOEXEC, [86] = ENOEXEC, [87] = ENOEXEC, [88] = ENOEXEC,
	[89] = ECANCELED, [90] = EIDRM, [91] = ENOMSG, [92] = EILSEQ, [94] = EBADMSG, [95] = EMULTIHOP,
	[96] = ENODATA, [97] = ENOLINK, [98] = ENOSR, [99] = ENOSTR, [100] = EPROTO, [101] = ETIME,
	[102] = EOPNOTSUPP, [104] = ENOTRECOVERABLE, [105] = EOWNERDEAD, [106] = ENOBUFS,
};

#define ERRNO_COUNT	((int)(sizeof host_errno / sizeof host_errno[0]))

int
darwin_errno_to_host(int darwin)
{
	if (darwin == 0)
		return 0;
	if (darwin < 0 || darwin >= ERRNO_COUNT || host_errno[darwin] == 0)
		return EIO;
	return host_errno[darwin];
}

int
darwin_family_to_host(int darwin)
{
	switch (darwin) {
	case 0:
		return AF_UNSPEC;
	case DARWIN_AF_INET:
		return AF_INET;
	case DARWIN_AF_INET6:
		return AF_INET6;
	case DARWIN_AF_LOCAL:
		return AF_LOCAL;
	case DARWIN_AF_ROUTE:
		return NKE_AF_ROUTE;
	case DARWIN_AF_SYSTEM:
		return NKE_AF_SYSTEM;
	default:
		return -1;
	}
}

int
darwin_family_from_host(int host)
{
	switch (host) {
	case AF_UNSPEC:
		return 0;
	case AF_INET:
		return DARWIN_AF_INET;
	case AF_INET6:
		return DARWIN_AF_INET6;
	case AF_LOCAL:
		return DARWIN_AF_LOCAL;
	case NKE_AF_ROUTE:
		return DARWIN_AF_ROUTE;
	case NKE_AF_SYSTEM:
		return DARWIN_AF_SYSTEM;
	default:
		return -1;
	}
}

/* struct sockaddr_in and sockaddr_in6 as Darwin lays them out. */
struct darwin_sin {
	uint8_t len, family;
	uint16_t port;
	uint8_t addr[4];
	uint8_t zero[8];
};
struct darwin_sin6 {
	uint8_t len, family;
	uint16_t port;
	uint32_t flowinfo;
	uint8_t addr[16];
	uint32_t scope_id;
};
struct darwin_sun {
	uint8_t len, family;
	char path[104];
};
struct darwin_ctl {
	uint8_t len, family;
	uint16_t sysaddr;
	uint32_t id, unit, reserved[5];
};
#define DARWIN_AF_SYS_CONTROL	2
_Static_assert(sizeof(struct darwin_ctl) == 32, "Darwin's sockaddr_ctl has 32 bytes");
_Static_assert(sizeof(struct darwin_sin) == 16, "Darwin's sockaddr_in has 16 bytes");
_Static_assert(sizeof(struct darwin_sin6) == 28, "Darwin's sockaddr_in6 has 28 bytes");

/* The name ends at a zero or with the address. */
static size_t
local_from_host(const struct sockaddr *sa, socklen_t len, void *darwin, size_t size)
{
	const char *path = (const char *)sa + offsetof(struct sockaddr_un, sun_path);
	size_t n = len > offsetof(struct sockaddr_un, sun_path) ?
	    strnlen(path, len - offsetof(struct sockaddr_un, sun_path)) : 0;
	struct darwin_sun out = {.family = DARWIN_AF_LOCAL};

	if (n > sizeof out.path || offsetof(struct darwin_sun, path) + n > size)
		return 0;
	out.len = (uint8_t)(offsetof(struct darwin_sun, path) + n);
	memcpy(out.path, path, n);
	memcpy(darwin, &out, out.len);
	return out.len;
}

static socklen_t
local_to_host(const uint8_t *darwin, size_t len, struct sockaddr_storage *out)
{
	struct sockaddr_un sun = {.sun_family = AF_LOCAL};
	size_t n = len - offsetof(struct darwin_sun, path);

	if (n > sizeof sun.sun_path - 1)
		n = sizeof sun.sun_path - 1;
	memcpy(sun.sun_path, darwin + offsetof(struct darwin_sun, path), n);
	memcpy(out, &sun, sizeof sun);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(sun.sun_path) + 1);
}

static size_t
ctl_from_host(const struct sockaddr *sa, void *darwin)
{
	struct darwin_ctl out = {
		.len = sizeof out, .family = DARWIN_AF_SYSTEM, .sysaddr = DARWIN_AF_SYS_CONTROL,
	};
	struct nke_sockaddr_ctl in;

	memcpy(&in, sa, sizeof in);
	out.id = in.sc_id;
	out.unit = in.sc_unit;
	memcpy(darwin, &out, sizeof out);
	return sizeof out;
}

static socklen_t
ctl_to_host(const void *darwin, struct sockaddr_storage *out)
{
	struct nke_sockaddr_ctl ctl = {.sc_header.sa_family = (sa_family_t)NKE_AF_SYSTEM};
	struct darwin_ctl in;

	memcpy(&in, darwin, sizeof in);
	ctl.sc_id = in.id;
	ctl.sc_unit = in.unit;
	memcpy(out, &ctl, sizeof ctl);
	return sizeof ctl;
}

size_t
darwin_sockaddr_from_host(const struct sockaddr *sa, socklen_t len, void *darwin, size_t size)
{
	if (sa->sa_family == AF_INET && len >= sizeof(struct sockaddr_in) &&
	    size >= sizeof(struct darwin_sin)) {
		struct darwin_sin out = {.len = sizeof out, .family = DARWIN_AF_INET};
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof in);
		out.port = in.sin_port;
		memcpy(out.addr, &in.sin_addr, sizeof out.addr);
		memcpy(darwin, &out, sizeof out);
		return sizeof out;
	}
	if (sa->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6) &&
	    size >= sizeof(struct darwin_sin6)) {
		struct darwin_sin6 out = {.len = sizeof out, .family = DARWIN_AF_INET6};
		struct sockaddr_in6 in;

		memcpy(&in, sa, sizeof in);
		out.port = in.sin6_port;
		out.flowinfo = in.sin6_flowinfo;
		memcpy(out.addr, &in.sin6_addr, sizeof out.addr);
		out.scope_id = in.sin6_scope_id;
		memcpy(darwin, &out, sizeof out);
		return sizeof out;
	}
	if (sa->sa_family == AF_LOCAL)
		return local_from_host(sa, len, darwin, size);
	if (sa->sa_family == (sa_family_t)NKE_AF_SYSTEM && len >= sizeof(struct nke_sockaddr_ctl) &&
	    size >= sizeof(struct darwin_ctl))
		return ctl_from_host(sa, darwin);
	return 0;
}

socklen_t
darwin_sockaddr_to_host(const void *darwin, size_t len, struct sockaddr_storage *out)
{
	const uint8_t *bytes = darwin;

	memset(out, 0, sizeof *out);
	if (len >= sizeof(struct darwin_sin) && bytes[1] == DARWIN_AF_INET) {
		struct sockaddr_in sin = {.sin_family = AF_INET};
		struct darwin_sin in;

		memcpy(&in, darwin, sizeof in);
		sin.sin_port = in.port;
		memcpy(&sin.sin_addr, in.addr, sizeof in.addr);
		memcpy(out, &sin, sizeof sin);
		return sizeof sin;
	}
	if (len >= sizeof(struct darwin_sin6) && bytes[1] == DARWIN_AF_INET6) {
		struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
		struct darwin_sin6 in;

		memcpy(&in, darwin, sizeof in);
		sin6.sin6_port = in.port;
		sin6.sin6_flowinfo = in.flowinfo;
		memcpy(&sin6.sin6_addr, in.addr, sizeof in.addr);
		sin6.sin6_scope_id = in.scope_id;
		memcpy(out, &sin6, sizeof sin6);
		return sizeof sin6;
	}
	if (len >= offsetof(struct darwin_sun, path) && bytes[1] == DARWIN_AF_LOCAL)
		return local_to_host(bytes, len, out);
	if (len >= sizeof(struct darwin_ctl) && bytes[1] == DARWIN_AF_SYSTEM)
		return ctl_to_host(darwin, out);
	return 0;
}

const void *
host_sockaddr_bytes(const struct sockaddr *sa, socklen_t len, size_t *size)
{
	if (sa->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
		*size = 4;
		return &((const struct sockaddr_in *)(const void *)sa)->sin_addr;
	}
	if (sa->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
		*size = 16;
		return &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
	}
	return NULL;
}

int
host_sockaddr_error(const struct sockaddr *sa, socklen_t len)
{
	if (len < sizeof sa->sa_family || sa->sa_family == AF_INET || sa->sa_family == AF_INET6)
		return EINVAL;
	return EAFNOSUPPORT;
}

/* ---- ioctls ------------------------------------------------------------------------------- */

#define DARWIN_IOC_VOID	0x20000000ul
#define DARWIN_IOC_OUT	0x40000000ul
#define DARWIN_IOC_IN	0x80000000ul
#define DARWIN_IOC_MOST	8191u	/* bytes of argument */

static const struct {
	unsigned long host, darwin;
} ioctls[] = {
	{FIONREAD, 0x4004667f}, {FIONBIO, 0x8004667e}, {FIOASYNC, 0x8004667d}, {FIOCLEX, 0x20006601},
	{FIONCLEX, 0x20006602},
};

unsigned long
darwin_ioctl_from_host(unsigned long host)
{
	for (size_t i = 0; i < sizeof ioctls / sizeof ioctls[0]; i++)
		if (host == ioctls[i].host)
			return ioctls[i].darwin;
#ifdef _IOC_DIR
	if (_IOC_SIZE(host) > DARWIN_IOC_MOST)
		return 0;
	unsigned long direction = (_IOC_DIR(host) & _IOC_READ ? DARWIN_IOC_OUT : 0) |
	    (_IOC_DIR(host) & _IOC_WRITE ? DARWIN_IOC_IN : 0);

	return (direction != 0 ? direction : DARWIN_IOC_VOID) | (unsigned long)_IOC_SIZE(host) << 16 |
	    (unsigned long)_IOC_TYPE(host) << 8 | (unsigned long)_IOC_NR(host);
#else
	return host;
#endif
}
