/*
 * Interfaces as programs and ioctls see them: flags, capabilities, the structures of the ioctls in
 * sys/sockio.h, routing-socket messages, interface events.
 */
#ifndef _NET_IF_H_
#define _NET_IF_H_

#define IF_NAMESIZE		16

#include <sys/types.h>
#include <sys/socket.h>
#include <net/net_kev.h>
#include <net/if_var.h>

#ifndef IFNAMSIZ
#define IFNAMSIZ		IF_NAMESIZE
#endif

/* if_flags. */
#define IFF_UP			0x1
#define IFF_BROADCAST		0x2
#define IFF_DEBUG		0x4
#define IFF_LOOPBACK		0x8
#define IFF_POINTOPOINT		0x10
#define IFF_NOTRAILERS		0x20
#define IFF_RUNNING		0x40	/* set by the driver: ready for packets */
#define IFF_NOARP		0x80
#define IFF_PROMISC		0x100
#define IFF_ALLMULTI		0x200
#define IFF_OACTIVE		0x400
#define IFF_SIMPLEX		0x800	/* does not hear its own broadcasts */
#define IFF_LINK0		0x1000	/* the meaning is the driver's */
#define IFF_LINK1		0x2000
#define IFF_LINK2		0x4000
#define IFF_ALTPHYS		IFF_LINK2
#define IFF_MULTICAST		0x8000

/* Capabilities (ifnet_capabilities_supported, SIOCSIFCAP). */
#define IFCAP_RXCSUM		0x00001
#define IFCAP_TXCSUM		0x00002
#define IFCAP_VLAN_MTU		0x00004
#define IFCAP_VLAN_HWTAGGING	0x00008
#define IFCAP_JUMBO_MTU		0x00010
#define IFCAP_TSO4		0x00020
#define IFCAP_TSO6		0x00040
#define IFCAP_LRO		0x00080
#define IFCAP_AV		0x00100
#define IFCAP_TXSTATUS		0x00200
#define IFCAP_SKYWALK		0x00400
#define IFCAP_HW_TIMESTAMP	0x00800
#define IFCAP_SW_TIMESTAMP	0x01000
#define IFCAP_CSUM_PARTIAL	0x02000
#define IFCAP_CSUM_ZERO_INVERT	0x04000
#define IFCAP_HWCSUM		(IFCAP_RXCSUM | IFCAP_TXCSUM)
#define IFCAP_TSO		(IFCAP_TSO4 | IFCAP_TSO6)
#define IFCAP_VALID \
	(IFCAP_HWCSUM | IFCAP_TSO | IFCAP_LRO | IFCAP_VLAN_MTU | IFCAP_VLAN_HWTAGGING | \
	IFCAP_JUMBO_MTU | IFCAP_AV | IFCAP_TXSTATUS | IFCAP_SKYWALK | IFCAP_SW_TIMESTAMP | \
	IFCAP_HW_TIMESTAMP | IFCAP_CSUM_PARTIAL | IFCAP_CSUM_ZERO_INVERT)

#define IFQ_MAXLEN		128	/* packets in a send queue */
#define IFNET_SLOWHZ		1	/* watchdogs run this often a second */

#define IF_WAKE_ON_MAGIC_PACKET		0x01

/* SIOCGIFFUNCTIONALTYPE. */
#define IFRTYPE_FUNCTIONAL_UNKNOWN	0
#define IFRTYPE_FUNCTIONAL_LOOPBACK	1
#define IFRTYPE_FUNCTIONAL_WIRED	2
#define IFRTYPE_FUNCTIONAL_WIFI_INFRA	3
#define IFRTYPE_FUNCTIONAL_WIFI_AWDL	4
#define IFRTYPE_FUNCTIONAL_CELLULAR	5
#define IFRTYPE_FUNCTIONAL_INTCOPROC	6
#define IFRTYPE_FUNCTIONAL_COMPANIONLINK	7
#define IFRTYPE_FUNCTIONAL_LAST		7

/* KEV_DL_PROTO_ATTACHED and KEV_DL_PROTO_DETACHED. */
struct kev_dl_proto_data {
	struct net_event_data link_data;
	u_int32_t proto_family;
	u_int32_t proto_remaining_count;	/* protocols that are attached now */
};

/* SIOCGIFDEVMTU, in bytes. */
struct ifdevmtu {
	int ifdm_current;
	int ifdm_min;
	int ifdm_max;
};

#pragma pack(4)

/* SIOCSIFKPI and SIOCGIFKPI: something between a program and a kext's interface filter. */
struct ifkpi {
	unsigned int ifk_module_id;	/* as by mbuf_tag_id_find */
	unsigned int ifk_type;
	union {
		void *ifk_ptr;
		int ifk_value;
	} ifk_data;
};

#pragma pack()

/* Most interface ioctls. */
struct ifreq {
	char ifr_name[IFNAMSIZ];	/* "en0" */
	union {
		struct sockaddr ifru_addr;
		struct sockaddr ifru_dstaddr;
		struct sockaddr ifru_broadaddr;
		short ifru_flags;
		int ifru_metric;
		int ifru_mtu;
		int ifru_phys;
		int ifru_media;
		int ifru_intval;
		caddr_t ifru_data;
		struct ifdevmtu ifru_devmtu;
		struct ifkpi ifru_kpi;
		u_int32_t ifru_wake_flags;
		u_int32_t ifru_route_refcnt;
		int ifru_cap[2];
		u_int32_t ifru_functional_type;
	} ifr_ifru;
#define ifr_addr		ifr_ifru.ifru_addr
#define ifr_dstaddr		ifr_ifru.ifru_dstaddr
#define ifr_broadaddr		ifr_ifru.ifru_broadaddr
#define ifr_flags		ifr_ifru.ifru_flags
#define ifr_metric		ifr_ifru.ifru_metric
#define ifr_mtu			ifr_ifru.ifru_mtu
#define ifr_phys		ifr_ifru.ifru_phys
#define ifr_media		ifr_ifru.ifru_media
#define ifr_intval		ifr_ifru.ifru_intval
#define ifr_data		ifr_ifru.ifru_data
#define ifr_devmtu		ifr_ifru.ifru_devmtu
#define ifr_kpi			ifr_ifru.ifru_kpi
#define ifr_wake_flags		ifr_ifru.ifru_wake_flags
#define ifr_route_refcnt	ifr_ifru.ifru_route_refcnt
#define ifr_reqcap		ifr_ifru.ifru_cap[0]
#define ifr_curcap		ifr_ifru.ifru_cap[1]
#define ifr_functional_type	ifr_ifru.ifru_functional_type
};

#define _SIZEOF_ADDR_IFREQ(ifr) \
	((ifr).ifr_addr.sa_len > sizeof(struct sockaddr) ? \
	    sizeof(struct ifreq) - sizeof(struct sockaddr) + (ifr).ifr_addr.sa_len : \
	    sizeof(struct ifreq))

struct ifaliasreq {
	char ifra_name[IFNAMSIZ];
	struct sockaddr ifra_addr;
	struct sockaddr ifra_broadaddr;
	struct sockaddr ifra_mask;
};

/* Resolve a multicast address to a link address. */
struct rslvmulti_req {
	struct sockaddr *sa;
	struct sockaddr **llsa;
};

#pragma pack(4)

/* Apple left it out after 10.5, and kexts since then define their own. */
#if defined(NKE_CORE) || \
    (defined(MAC_OS_X_VERSION_MAX_ALLOWED) && MAC_OS_X_VERSION_MAX_ALLOWED < 1060)
struct ifmediareq {
	char ifm_name[IFNAMSIZ];
	int ifm_current;
	int ifm_mask;
	int ifm_status;
	int ifm_active;
	int ifm_count;		/* elements in ifm_ulist */
	int *ifm_ulist;
};
#else
struct ifmediareq;
#endif

struct ifdrv {
	char ifd_name[IFNAMSIZ];
	unsigned long ifd_cmd;
	size_t ifd_len;		/* bytes at ifd_data */
	void *ifd_data;
};

#pragma pack()

struct ifstat {
	char ifs_name[IFNAMSIZ];
#define IFSTATMAX		800
	char ascii[IFSTATMAX + 1];
};

#pragma pack(4)

/* SIOCGIFCONF: the list of interfaces. */
struct ifconf {
	int ifc_len;		/* bytes in the buffer */
	union {
		caddr_t ifcu_buf;
		struct ifreq *ifcu_req;
	} ifc_ifcu;
};
#define ifc_buf			ifc_ifcu.ifcu_buf
#define ifc_req			ifc_ifcu.ifcu_req

#pragma pack()

/* SIOCIFGCLONERS: names of the interfaces that can be created. */
struct if_clonereq {
	int ifcr_total;		/* how many there are */
	int ifcr_count;		/* room in the buffer, in names */
	char *ifcr_buffer;
};

/* SIOCALIFADDR and its kin (RFC 2133 style; gone after 10.9). */
struct if_laddrreq {
	char iflr_name[IFNAMSIZ];
	unsigned int flags;
#define IFLR_PREFIX		0x8000
	unsigned int prefixlen;
	struct sockaddr_storage addr;
	struct sockaddr_storage dstaddr;
};

/* Routing-socket and sysctl messages about interfaces. */
struct if_msghdr {
	unsigned short ifm_msglen;
	unsigned char ifm_version;
	unsigned char ifm_type;
	int ifm_addrs;
	int ifm_flags;
	unsigned short ifm_index;
	struct if_data ifm_data;
};

struct ifa_msghdr {
	unsigned short ifam_msglen;
	unsigned char ifam_version;
	unsigned char ifam_type;
	int ifam_addrs;
	int ifam_flags;
	unsigned short ifam_index;
	int ifam_metric;
};

struct ifma_msghdr {
	unsigned short ifmam_msglen;
	unsigned char ifmam_version;
	unsigned char ifmam_type;
	int ifmam_addrs;
	int ifmam_flags;
	unsigned short ifmam_index;
};

struct if_msghdr2 {
	u_short ifm_msglen;
	u_char ifm_version;
	u_char ifm_type;
	int ifm_addrs;
	int ifm_flags;
	u_short ifm_index;
	int ifm_snd_len;
	int ifm_snd_maxlen;
	int ifm_snd_drops;
	int ifm_timer;
	struct if_data64 ifm_data;
};

struct ifma_msghdr2 {
	u_short ifmam_msglen;
	u_char ifmam_version;
	u_char ifmam_type;
	int ifmam_addrs;
	int ifmam_flags;
	u_short ifmam_index;
	int32_t ifmam_refcount;
};

#ifdef KERNEL
#include <net/kpi_interface.h>
#endif

#endif
