/* The numbers of net.link.generic in the tree of variables, and what it tells of one interface. */
#ifndef _NET_IF_MIB_H_
#define _NET_IF_MIB_H_

#include <stdint.h>
#include <sys/cdefs.h>
#include <net/if.h>

#define IFMIB_SYSTEM 1
#define IFMIB_IFDATA 2
#define IFMIB_IFALLDATA 3

/* Of IFMIB_SYSTEM. */
#define IFMIB_IFCOUNT 1

/* Of IFMIB_IFDATA. */
#define IFDATA_GENERAL 1
#define IFDATA_LINKSPECIFIC 2
#define IFDATA_ADDRS 3
#define IFDATA_MULTIADDRS 4

#pragma pack(push, 4)

struct ifmibdata {
	char ifmd_name[IFNAMSIZ];
	unsigned int ifmd_pcount;	/* who want every packet */
	unsigned int ifmd_flags;	/* IFF_* */
	unsigned int ifmd_snd_len;
	unsigned int ifmd_snd_maxlen;
	unsigned int ifmd_snd_drops;
	unsigned int ifmd_filler[4];
	struct if_data64 ifmd_data;
};

#pragma pack(pop)

#endif
