/*
 * kqueue's events, as a process passes them in and gets them back. A kext sees them only as data:
 * select and kqueue themselves are told by sys/select.h.
 */
#ifndef _SYS_EVENT_H_
#define _SYS_EVENT_H_

#include <machine/types.h>
#include <sys/cdefs.h>
#include <stdint.h>

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EVFILT_AIO (-3)
#define EVFILT_VNODE (-4)
#define EVFILT_PROC (-5)
#define EVFILT_SIGNAL (-6)
#define EVFILT_TIMER (-7)
#define EVFILT_MACHPORT (-8)
#define EVFILT_FS (-9)
#define EVFILT_USER (-10)
#define EVFILT_VM (-12)

#pragma pack(push, 4)
struct kevent {
	uintptr_t ident;
	int16_t filter;
	uint16_t flags;
	uint32_t fflags;
	intptr_t data;
	void *udata;
};
#pragma pack(pop)

struct kevent64_s {
	uint64_t ident;
	int16_t filter;
	uint16_t flags;
	uint32_t fflags;
	int64_t data;
	uint64_t udata;
	uint64_t ext[2];
};

#define EV_SET(kevp, id, filt, fl, ffl, dat, ud) \
	do { \
		struct kevent *ev_set_to = (kevp); \
		ev_set_to->ident = (id); \
		ev_set_to->filter = (filt); \
		ev_set_to->flags = (fl); \
		ev_set_to->fflags = (ffl); \
		ev_set_to->data = (dat); \
		ev_set_to->udata = (ud); \
	} while (0)

/* What to do. */
#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ENABLE 0x0004
#define EV_DISABLE 0x0008
#define EV_RECEIPT 0x0040
/* How to report. */
#define EV_ONESHOT 0x0010
#define EV_CLEAR 0x0020
#define EV_DISPATCH 0x0080
#define EV_SYSFLAGS 0xF000
#define EV_FLAG0 0x1000
#define EV_FLAG1 0x2000
/* What came back. */
#define EV_EOF 0x8000
#define EV_ERROR 0x4000
#define EV_POLL EV_FLAG0
#define EV_OOBAND EV_FLAG1

/* Filters that read and write: a low water mark is in `data`. */
#define NOTE_LOWAT 0x00000001

#endif
