/*
 * Kernel controls and kernel events, for programs of the host: sockets of NKE_AF_SYSTEM.
 *
 * A kext offers a control under a name; a program connects to it, and then sends, receives and sets options,
 * which are calls into the kext. What the kext sends comes as from any socket: nke_recv, nke_poll, nke_watch.
 * Event sockets hear what the kernel and kexts post. Both are used with the functions of nke/socket.h and
 * nke_ioctl of nke/file.h; what is here are the names and layouts, and the two beginnings in one call.
 * docs/kernel-control.md and docs/kernel-events.md have a worked kext and program each.
 *
 * Structs have the machine's layout, integers in the host's byte order.
 */
#ifndef NKE_CONTROL_H
#define NKE_CONTROL_H

#include <stdint.h>
#include <sys/ioctl.h>

#include <nke/socket.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Protocols of NKE_AF_SYSTEM: SOCK_RAW; SOCK_DGRAM or SOCK_STREAM, as the controller says. */
#define NKE_SYSPROTO_EVENT	1
#define NKE_SYSPROTO_CONTROL	2	/* is also the level of a control's options */

/* ---- kernel control ----------------------------------------------------------------------- */

/* A control's address, for nke_connect and nke_getpeername. */
struct nke_sockaddr_ctl {
	struct sockaddr sc_header;	/* sa_family: (sa_family_t)NKE_AF_SYSTEM */
	uint32_t sc_id;			/* the control's: NKE_CTLIOCGINFO */
	uint32_t sc_unit;		/* 0: any that is free; then this client's number */
};

#define NKE_MAX_KCTL_NAME	96

struct nke_ctl_info {
	uint32_t ctl_id;			/* out */
	char ctl_name[NKE_MAX_KCTL_NAME];	/* in, ends with a NUL */
};

/* For nke_ioctl, on any socket of NKE_SYSPROTO_CONTROL: how many controls there are; the id of a name. */
#define NKE_CTLIOCGCOUNT	_IOR('N', 2, int)
#define NKE_CTLIOCGINFO		_IOWR('N', 3, struct nke_ctl_info)

/*
 * A socket that is connected to the control of that name; its descriptor, or -1 with errno. `unit` 0: any.
 * `type`: SOCK_DGRAM or SOCK_STREAM, as the controller was registered; 0: whichever it takes.
 *
 * ENOENT: there is no such control (or unit). EINVAL: the name is empty or has 96 characters or more.
 * EPROTOTYPE: the other type. EPERM: only for the superuser. EBUSY: the unit is taken. ENOBUFS, EMFILE.
 * Whatever the kext's ctl_connect says.
 *
 * Further calls: nke_send and nke_write give the kext one message each (of a stream: pieces), and fail with
 * what it says; EMSGSIZE: longer than its ctl_sendsize; ENOTSUP: it takes none. nke_recv gives the next
 * record. nke_setsockopt and nke_getsockopt at level NKE_SYSPROTO_CONTROL carry the kext's options as they
 * are. nke_getsockopt hands the kext what is in the buffer; without one (value NULL, *len 0) it tells the
 * size that the value has. nke_close ends it: the kext is told before the call returns.
 */
int nke_ctl_connect(nke_t *m, const char *name, uint32_t unit, int type);

/* A control, as it was registered. */
struct nke_ctl {
	char name[NKE_MAX_KCTL_NAME];
	char kext[128];			/* identifier of its owner, "": it is the kernel's */
	uint32_t id;
	uint32_t unit;			/* means something with NKE_CTL_ID_UNIT only */
	uint32_t flags;			/* all of them, as the kext gave them */
	uint32_t sendsize, recvsize;	/* bytes */
	uint32_t clients;		/* that are connected now */
	bool stream;			/* its clients are SOCK_STREAM, else SOCK_DGRAM */
	bool privileged;		/* they must be the superuser's */
};

#define NKE_CTL_PRIVILEGED	0x1	/* of `flags` */
#define NKE_CTL_ID_UNIT		0x2	/* id and unit were the kext's choice */
#define NKE_CTL_STREAM		0x4

/*
 * Fills at most `max` records, by id. Returns how many there are; 0 also after a panic and without memory.
 * May block.
 */
size_t nke_ctl_list(nke_t *m, struct nke_ctl *out, size_t max);

/* ---- kernel events ------------------------------------------------------------------------ */

/* As vendor, class or subclass: all of them, and what is below it is not looked at. */
#define NKE_KEV_ANY		0
#define NKE_KEV_VENDOR_APPLE	1	/* the machine itself */
#define NKE_KEV_NETWORK_CLASS	1	/* classes of that vendor */
#define NKE_KEV_SYSTEM_CLASS	3
#define NKE_KEV_INET_SUBCLASS	1	/* of NKE_KEV_NETWORK_CLASS: addresses of IPv4 */
#define NKE_KEV_DL_SUBCLASS	2	/* interfaces */
#define NKE_KEV_INET6_SUBCLASS	6	/* addresses of IPv6 */
#define NKE_KEV_CTL_SUBCLASS	2	/* of NKE_KEV_SYSTEM_CLASS: controls come (1) and go (2) */

#define NKE_KEV_DATA_MAX	200

/* An event as nke_recv gives it, one in a call; its first total_size bytes. */
struct nke_kernel_event {
	uint32_t total_size;		/* bytes, these 24 included */
	uint32_t vendor_code;
	uint32_t kev_class;
	uint32_t kev_subclass;
	uint32_t id;			/* one more with every event of the machine: a gap is one not heard */
	uint32_t event_code;
	unsigned char data[NKE_KEV_DATA_MAX];
};

/* How the data of NKE_KEV_NETWORK_CLASS begins. */
struct nke_event_interface {
	uint32_t if_family;
	uint32_t if_unit;		/* 0 of "en0" */
	char if_name[16];		/* "en" of "en0" */
};

struct nke_kev_request {
	uint32_t vendor_code;
	uint32_t kev_class;
	uint32_t kev_subclass;
};

struct nke_kev_vendor_code {
	uint32_t vendor_code;		/* out */
	char vendor_string[200];	/* in */
};

/* For nke_ioctl: the last event's id; what is heard; the code of a vendor (ENOENT: none yet). */
#define NKE_SIOCGKEVID		_IOR('e', 1, uint32_t)
#define NKE_SIOCSKEVFILT	_IOW('e', 2, struct nke_kev_request)
#define NKE_SIOCGKEVFILT	_IOR('e', 3, struct nke_kev_request)
#define NKE_SIOCGKEVVENDOR	_IOWR('e', 4, struct nke_kev_vendor_code)

/*
 * A socket that hears the events of that vendor, class and subclass from now on; its descriptor, or -1 with
 * errno (EMFILE, ENOBUFS). An event that finds its buffer (32 KiB, SO_RCVBUF) full is not heard. Such a
 * socket cannot send, bind or connect: EOPNOTSUPP.
 */
int nke_event_socket(nke_t *m, uint32_t vendor, uint32_t kev_class, uint32_t subclass);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
