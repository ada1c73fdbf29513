/* What a device's d_select is asked for and answers with, as poll(2) has it. */
#ifndef _SYS_POLL_H_
#define _SYS_POLL_H_

#define POLLIN		0x0001
#define POLLPRI		0x0002
#define POLLOUT		0x0004
#define POLLRDNORM	0x0040
#define POLLWRNORM	POLLOUT
#define POLLRDBAND	0x0080
#define POLLWRBAND	0x0100

/* Of files, not of devices. */
#define POLLEXTEND	0x0200		/* it grew */
#define POLLATTRIB	0x0400
#define POLLNLINK	0x0800
#define POLLWRITE	0x1000

/* Answers only. */
#define POLLERR		0x0008
#define POLLHUP		0x0010
#define POLLNVAL	0x0020

#define POLLSTANDARD \
	(POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLRDBAND | POLLWRBAND | POLLERR | POLLHUP | POLLNVAL)

struct pollfd {
	int fd;
	short events;		/* asked for */
	short revents;
};

typedef unsigned int nfds_t;

#endif
