/* Opens a TAP device, for peer_lwip.c, whose headers do not go with the host's. */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

int open_tap(const char *device);

/* -1: it cannot be had. */
int
open_tap(const char *device)
{
	struct ifreq ifr;
	int fd = open("/dev/net/tun", O_RDWR);

	memset(&ifr, 0, sizeof ifr);
	strncpy(ifr.ifr_name, device, sizeof ifr.ifr_name - 1);
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI;
	return fd >= 0 && ioctl(fd, TUNSETIFF, &ifr) == 0 ? fd : -1;
}
