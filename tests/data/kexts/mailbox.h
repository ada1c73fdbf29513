/* What the kext mailbox.c and its programs share: included by both, with each side's own <sys/ioctl.h>. */
#ifndef TESTS_MAILBOX_H
#define TESTS_MAILBOX_H

#include <sys/ioctl.h>

struct mailbox_caller {
	int pid, ppid;
	unsigned uid, gid;
	int privileged;
	char name[33];
};

#define MAILBOX_SET_LIMIT	_IOW('M', 1, int)	/* bytes of a message; EINVAL: more than 64 */
#define MAILBOX_GET_LIMIT	_IOR('M', 2, int)
/* The process `pid`; 0: the caller. */
#define MAILBOX_CALLER		_IOWR('M', 3, struct mailbox_caller)
#define MAILBOX_CLEAR		_IO('M', 4)

#endif
