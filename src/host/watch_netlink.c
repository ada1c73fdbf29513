/*
 * Linux tells of a device's link by rtnetlink (rtnetlink(7)): a socket hears of every device of its network
 * namespace, and this device's flags are kept. Notices that were lost (ENOBUFS) are made up for by asking.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/host/port.h"

/* A device has a link when it is set up, and found one: then frames pass both ways. */
#define LINK_FLAGS	(IFF_UP | IFF_RUNNING)

struct link_watch {
	int fd;
	int query;			/* an ordinary socket of that namespace */
	unsigned index;
	bool up;
	char name[IFNAMSIZ];
};

static void
ask(struct link_watch *w)
{
	struct ifreq ifr;

	memset(&ifr, 0, sizeof ifr);
	memcpy(ifr.ifr_name, w->name, sizeof ifr.ifr_name);
	w->up = ioctl(w->query, SIOCGIFFLAGS, &ifr) == 0 &&
	    ((unsigned)(unsigned short)ifr.ifr_flags & LINK_FLAGS) == LINK_FLAGS;
}

struct link_watch *
link_watch_open(const char *device)
{
	struct sockaddr_nl groups = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	struct link_watch *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->index = if_nametoindex(device);
	strncpy(w->name, device, sizeof w->name - 1);
	w->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
	w->query = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (w->index == 0 || w->fd < 0 || w->query < 0 ||
	    bind(w->fd, (struct sockaddr *)&groups, sizeof groups) != 0) {
		link_watch_close(w);
		return NULL;
	}
	ask(w);
	return w;
}

void
link_watch_close(struct link_watch *w)
{
	if (w == NULL)
		return;
	if (w->fd >= 0)
		close(w->fd);
	if (w->query >= 0)
		close(w->query);
	free(w);
}

int
link_watch_fd(const struct link_watch *w)
{
	return w->fd;
}

static void
take_notices(struct link_watch *w, char *buffer, size_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)buffer;

	for (; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len)) {
		const struct ifinfomsg *info = NLMSG_DATA(h);

		if ((h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK) ||
		    h->nlmsg_len < NLMSG_LENGTH(sizeof *info) || (unsigned)info->ifi_index != w->index)
			continue;
		w->up = h->nlmsg_type == RTM_NEWLINK && (info->ifi_flags & LINK_FLAGS) == LINK_FLAGS;
	}
}

bool
link_watch_up(struct link_watch *w)
{
	_Alignas(struct nlmsghdr) char buffer[16384];
	ssize_t n;

	while ((n = recv(w->fd, buffer, sizeof buffer, 0)) > 0 || (n < 0 && errno == ENOBUFS)) {
		if (n > 0)
			take_notices(w, buffer, (size_t)n);
		else
			ask(w);
	}
	return w->up;
}
