/* Where nothing tells of a device's link, it counts as there. Compiled where watch_netlink.c is not. */
#include "src/host/port.h"

struct link_watch *
link_watch_open(const char *device)
{
	(void)device;
	return NULL;
}

void
link_watch_close(struct link_watch *w)
{
	(void)w;
}

int
link_watch_fd(const struct link_watch *w)
{
	(void)w;
	return -1;
}

bool
link_watch_up(struct link_watch *w)
{
	(void)w;
	return true;
}
