/*
 * Kernel events: short notices from the kernel and kexts to whoever listens on a PF_SYSTEM,
 * SOCK_RAW, SYSPROTO_EVENT socket. Each has a vendor, a class, a subclass and a code; up to 200
 * bytes of data follow. A listener sets its filter with SIOCSKEVFILT first; until then it hears
 * nothing. Reading returns one event per call.
 */
#ifndef SYS_KERN_EVENT_H
#define SYS_KERN_EVENT_H

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/_types/_errno_t.h>
#include <sys/ioccom.h>
#include <sys/sys_domain.h>

/* Buffers of an event socket, in bytes. */
#define KEV_SNDSPACE			(4 * 1024)
#define KEV_RECVSPACE			(32 * 1024)

/* In a filter: everything. */
#define KEV_ANY_CLASS			0
#define KEV_ANY_SUBCLASS		0
#define KEV_ANY_VENDOR			0

#define KEV_VENDOR_APPLE		1

/* Classes of KEV_VENDOR_APPLE. */
#define KEV_NETWORK_CLASS		1
#define KEV_IOKIT_CLASS			2
#define KEV_SYSTEM_CLASS		3
#define KEV_APPLESHARE_CLASS		4
#define KEV_FIREWALL_CLASS		5
#define KEV_IEEE80211_CLASS		6

/* An event as it is read: a header in host byte order, then the data without padding. */
struct kern_event_msg {
	u_int32_t total_size;	/* header and data, in bytes */
	u_int32_t vendor_code;
	u_int32_t kev_class;
	u_int32_t kev_subclass;
	u_int32_t id;		/* one more with every event */
	u_int32_t event_code;
	u_int32_t event_data[1];
};

#define KEV_MSG_HEADER_SIZE		(__builtin_offsetof(struct kern_event_msg, event_data[0]))

/* What a listener wants; 0 matches all, and then what is below it is not looked at. */
struct kev_request {
	u_int32_t vendor_code;
	u_int32_t kev_class;
	u_int32_t kev_subclass;
};

#define KEV_VENDOR_CODE_MAX_STR_LEN	200

#pragma pack(4)
struct kev_vendor_code {
	u_int32_t vendor_code;					/* out */
	char vendor_string[KEV_VENDOR_CODE_MAX_STR_LEN];	/* in */
};
#pragma pack()

#define SIOCGKEVID			_IOR('e', 1, u_int32_t)			/* last id */
#define SIOCSKEVFILT			_IOW('e', 2, struct kev_request)
#define SIOCGKEVFILT			_IOR('e', 3, struct kev_request)
#define SIOCGKEVVENDOR			_IOWR('e', 4, struct kev_vendor_code)

#define N_KEV_VECTORS			5

struct kev_d_vectors {
	u_int32_t data_length;	/* bytes; 0 ends the list */
	void *data_ptr;
};

/* An event as it is posted: the vectors are put together in order. */
struct kev_msg {
	u_int32_t vendor_code;
	u_int32_t kev_class;
	u_int32_t kev_subclass;
	u_int32_t event_code;
	struct kev_d_vectors dv[N_KEV_VECTORS];
};

__BEGIN_DECLS

/*
 * The vendor code of a name (reverse DNS), a new one the first time. Codes are 1000 or more and
 * stay until reboot; the same name gives the same number as mbuf tag id and interface family.
 * Returns EINVAL if the name has 200 bytes or more or vendor_code is NULL; ENOMEM. May sleep.
 * Since 10.4; semantics 1.5.
 */
errno_t kev_vendor_code_find(const char *vendor_string, u_int32_t *vendor_code);

/*
 * Posts an event: it is delivered, in this thread, to every event socket whose filter matches; one
 * without room misses it. The data of up to five vectors (the first of length 0 ends them) is
 * copied, 200 bytes in all.
 * Returns EINVAL if event_msg is NULL or the vendor code is not from kev_vendor_code_find (Apple's
 * is refused); EMSGSIZE if there is more data; ENOMEM. May sleep. Since 10.4; semantics 1.5.
 */
errno_t kev_msg_post(struct kev_msg *event_msg);

__END_DECLS

#endif
