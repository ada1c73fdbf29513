/*
 * Kernel controls: how programs talk to a kext. The kext registers a controller under a name; a
 * program looks its id up (CTLIOCGINFO), connects a PF_SYSTEM socket to it, and then sends,
 * receives and sets options. Each connected client is a unit. Programs need ctl_info and
 * sockaddr_ctl, kexts the rest.
 */
#ifndef KPI_KERN_CONTROL_H
#define KPI_KERN_CONTROL_H

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/_types/_errno_t.h>
#include <sys/kernel_types.h>
#include <sys/ioccom.h>
#include <sys/sys_domain.h>
#include <sys/kpi_mbuf.h>

/* Events: class KEV_SYSTEM_CLASS of KEV_VENDOR_APPLE, with struct ctl_event_data. */
#define KEV_CTL_SUBCLASS		2
#define KEV_CTL_REGISTERED		1
#define KEV_CTL_DEREGISTERED		2

struct ctl_event_data {
	u_int32_t ctl_id;
	u_int32_t ctl_unit;	/* 0 */
};

/* On any PF_SYSTEM, SYSPROTO_CONTROL socket: how many controllers there are; the id of a name. */
#define CTLIOCGCOUNT			_IOR('N', 2, int)
#define CTLIOCGINFO			_IOWR('N', 3, struct ctl_info)

#define MAX_KCTL_NAME			96

struct ctl_info {
	u_int32_t ctl_id;		/* out */
	char ctl_name[MAX_KCTL_NAME];	/* in, ends with a NUL */
};

/* Where a client connects to. */
struct sockaddr_ctl {
	u_char sc_len;		/* sizeof(struct sockaddr_ctl) */
	u_char sc_family;	/* AF_SYSTEM */
	u_int16_t ss_sysaddr;	/* AF_SYS_CONTROL */
	u_int32_t sc_id;	/* the controller */
	u_int32_t sc_unit;	/* 0: any free one */
	u_int32_t sc_reserved[5];
};

/* A registered controller. */
typedef void *kern_ctl_ref;

/* ctl_flags. */
#define CTL_FLAG_PRIVILEGED		0x1	/* clients must be root */
#define CTL_FLAG_REG_ID_UNIT		0x2	/* ctl_id and ctl_unit are the caller's choice */
#define CTL_FLAG_REG_SOCK_STREAM	0x4	/* clients are SOCK_STREAM, else SOCK_DGRAM */

/* Flags of ctl_enqueuedata and ctl_enqueuembuf. */
#define CTL_DATA_NOWAKEUP		0x1	/* more comes: don't wake the reader yet */
#define CTL_DATA_EOR			0x2	/* ends a record: the next data starts a new one */

__BEGIN_DECLS

/*
 * A client connects. sac->sc_unit is its unit; *unitinfo becomes what the other callbacks are
 * given. Nothing is locked: data can be enqueued to the unit already. May sleep.
 * Returns 0, or an errno that the client's connect fails with; ctl_disconnect is called then too.
 * Since 10.4; semantics 7.
 */
typedef errno_t (*ctl_connect_func)(kern_ctl_ref kctlref, struct sockaddr_ctl *sac,
    void **unitinfo);

/*
 * A client is gone: by close, or by a connect that failed. Called once for each ctl_connect, after
 * all other callbacks for the unit have returned; the last for it, free unitinfo here. The unit is
 * free for others when it has returned. ctl_deregister from here is EBUSY. Nothing is locked; may
 * sleep. The result is ignored. Since 10.4; semantics 7.
 */
typedef errno_t (*ctl_disconnect_func)(kern_ctl_ref kctlref, u_int32_t unit, void *unitinfo);

/*
 * A client has sent `m`: one message of a datagram client, a piece of a stream. The callback owns
 * m, whatever it returns. flags are the protocol's: 1 out of band, 2 end of file, 4 more comes.
 * Nothing is locked; may sleep. Can overlap with option callbacks of the same unit.
 * Returns 0 or the errno that the client's send fails with. Without this callback that is ENOTSUP.
 * Since 10.4; semantics 7.
 */
typedef errno_t (*ctl_send_func)(kern_ctl_ref kctlref, u_int32_t unit, void *unitinfo, mbuf_t m,
    int flags);

/*
 * A client sets option `opt` at level SYSPROTO_CONTROL. data is a kernel copy of len bytes, freed
 * after the call; NULL if len is 0. Nothing is locked; may sleep.
 * Returns 0 or the errno that setsockopt fails with. Without this callback that is ENOTSUP. Since
 * 10.4; semantics 7.
 */
typedef errno_t (*ctl_setopt_func)(kern_ctl_ref kctlref, u_int32_t unit, void *unitinfo, int opt,
    void *data, size_t len);

/*
 * A client gets option `opt` at level SYSPROTO_CONTROL. With data: *len bytes of room, which hold
 * what the client had there; store the value and its length, never more than the room. Without
 * (NULL): store the length it would have. Nothing is locked; may sleep.
 * Returns 0 or the errno that getsockopt fails with. Without this callback that is ENOTSUP. Since
 * 10.4; semantics 7.
 */
typedef errno_t (*ctl_getopt_func)(kern_ctl_ref kctlref, u_int32_t unit, void *unitinfo, int opt,
    void *data, size_t *len);

/* What ctl_register copies; it writes ctl_id, ctl_sendsize and ctl_recvsize back. */
struct kern_ctl_reg {
	char ctl_name[MAX_KCTL_NAME];	/* reverse DNS, e.g. "org.example.kext" */
	u_int32_t ctl_id;		/* in with CTL_FLAG_REG_ID_UNIT, else out */
	u_int32_t ctl_unit;		/* in with CTL_FLAG_REG_ID_UNIT, else ignored */
	u_int32_t ctl_flags;		/* CTL_FLAG_* */
	u_int32_t ctl_sendsize;		/* bytes a client may send at once; 0: 2048 */
	u_int32_t ctl_recvsize;		/* bytes that wait for a client; 0: 8192 */
	ctl_connect_func ctl_connect;	/* required */
	ctl_disconnect_func ctl_disconnect;
	ctl_send_func ctl_send;
	ctl_setopt_func ctl_setopt;
	ctl_getopt_func ctl_getopt;
};

/*
 * Registers a controller. The struct is copied, name included; ctl_id is written back, and the
 * sizes if they were 0. With CTL_FLAG_REG_ID_UNIT id and unit are the caller's, else a new id is
 * chosen. Posts KEV_CTL_REGISTERED.
 * Returns EINVAL if userkctl or ctl_connect is NULL or the name is empty or too long; EEXIST if
 * the name (or, with CTL_FLAG_REG_ID_UNIT, the id and unit) is taken; ENOMEM. May sleep. Since
 * 10.4; semantics 1.4.
 */
errno_t ctl_register(struct kern_ctl_reg *userkctl, kern_ctl_ref *kctlref);

/*
 * Takes a controller away, and posts KEV_CTL_DEREGISTERED. Clients can't be thrown out: the kext
 * must refuse to be unloaded while there are any.
 * Returns EINVAL if there is no such controller; EBUSY if it has clients. May sleep. Since 10.4;
 * semantics 1.4.
 */
errno_t ctl_deregister(kern_ctl_ref kctlref);

/*
 * Copies `len` bytes to a client's receive buffer: all or nothing. Without CTL_DATA_EOR what comes
 * next is part of the same message, also for datagram clients.
 * Returns EINVAL if there is no such controller or unit; ENOBUFS if there is no room or the client
 * has shut that side; ENOMEM. Locks the client's socket: may sleep. Allowed in all callbacks.
 * Since 10.4; semantics 1.4.
 */
errno_t ctl_enqueuedata(kern_ctl_ref kctlref, u_int32_t unit, void *data, size_t len,
    u_int32_t flags);

/*
 * Gives a packet (with packet header and right total length) to a client's receive buffer.
 * Returns 0: the packet is consumed. On error the caller keeps it: EINVAL if there is no such
 * controller or unit; ENOBUFS if there is no room or the client has shut that side. May sleep.
 * Since 10.4; semantics 1.4.
 */
errno_t ctl_enqueuembuf(kern_ctl_ref kctlref, u_int32_t unit, mbuf_t m, u_int32_t flags);

/*
 * Bytes that a client's receive buffer still takes.
 * Returns EINVAL if space is NULL or there is no such controller or unit. May sleep. Since 10.4;
 * semantics 1.4.
 */
errno_t ctl_getenqueuespace(kern_ctl_ref kctlref, u_int32_t unit, size_t *space);

/*
 * Bytes still missing until the client can read (its low-water mark less what waits), 0 if it can.
 * Returns EINVAL if there is no such controller or unit. May sleep. Since 10.10; semantics 1.4.
 */
errno_t ctl_getenqueuereadable(kern_ctl_ref kctlref, u_int32_t unit, u_int32_t *difference);

__END_DECLS

#endif
