/* What the kext vpn and its daemon in user space say to each other: plain C, the same on both sides. */
#ifndef VPN_H
#define VPN_H

#include <stdint.h>

#define VPN_CONTROL	"org.libnke.vpn"	/* the name of the kernel control */

/* Options at level SYSPROTO_CONTROL. */
#define VPN_NETWORK	1		/* set: struct vpn_network; what goes there goes to the daemon */
#define VPN_COUNTS	2		/* get: struct vpn_counts */

struct vpn_network {
	uint8_t address[4], mask[4];
};

struct vpn_counts {
	uint32_t out, in;		/* packets to the daemon, and from it */
	uint32_t lost;			/* the daemon had no room for them */
	uint32_t refused;		/* what a program sent there while no daemon was connected */
};

/* Messages of the control, both ways: one whole IPv4 packet each. */

#endif
