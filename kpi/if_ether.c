/*
 * net/if_ether.h: the ioctls that all Ethernet drivers of kexts answer alike. The header's other
 * functions are the media's own, in dlil/ether.c.
 */
#include <net/if.h>
#include <net/if_ether.h>
#include <sys/errno.h>
#include <sys/sockio.h>

errno_t
ether_ioctl(ifnet_t interface, u_int32_t command, void *data)
{
	struct ifreq *ifr = data;

	switch (command) {
	case SIOCSIFADDR:
	case SIOCAIFADDR:
		return ifnet_set_flags(interface, IFF_UP, IFF_UP);
	case SIOCGIFADDR:
		return ifnet_lladdr_copy_bytes(interface, ifr->ifr_addr.sa_data, ETHER_ADDR_LEN);
	case SIOCSIFMTU:
		return 0;
	default:
		return EOPNOTSUPP;
	}
}
