/*
 * What interfaces count, how they name themselves in events, and their families. The interface
 * itself, ifnet_t, is opaque: net/kpi_interface.h has its accessors.
 */
#ifndef _NET_IF_VAR_H_
#define _NET_IF_VAR_H_

#include <sys/appleapiopts.h>
#include <sys/types.h>
#include <sys/time.h>
#include <sys/queue.h>
#include <sys/_types/_timeval32.h>
#include <net/kpi_interface.h>

#define APPLE_IF_FAM_LOOPBACK	1
#define APPLE_IF_FAM_ETHERNET	2
#define APPLE_IF_FAM_SLIP	3
#define APPLE_IF_FAM_TUN	4
#define APPLE_IF_FAM_VLAN	5
#define APPLE_IF_FAM_PPP	6
#define APPLE_IF_FAM_PVC	7
#define APPLE_IF_FAM_DISC	8
#define APPLE_IF_FAM_MDECAP	9
#define APPLE_IF_FAM_GIF	10
#define APPLE_IF_FAM_FAITH	11
#define APPLE_IF_FAM_STF	12
#define APPLE_IF_FAM_FIREWIRE	13
#define APPLE_IF_FAM_BOND	14
#define APPLE_IF_FAM_CELLULAR	15
#define APPLE_IF_FAM_6LOWPAN	16
#define APPLE_IF_FAM_UTUN	17
#define APPLE_IF_FAM_IPSEC	18

/* Smallest and largest MTU, in bytes. */
#define IF_MINMTU		72
#define IF_MAXMTU		65535

/* Before net/if.h is read its name is needed here. */
#ifndef IFNAMSIZ
#define IFNAMSIZ		16
#endif

/* The first part of the data of every interface event (KEV_DL_SUBCLASS). */
struct net_event_data {
	u_int32_t if_family;
	u_int32_t if_unit;
	char if_name[IFNAMSIZ];	/* without the unit number */
};

#define IF_DATA_TIMEVAL		timeval32

#pragma pack(4)

/* Routing socket and sysctl: an interface and its counters, 32 bits wide. */
struct if_data {
	u_char ifi_type;		/* IFT_* */
	u_char ifi_typelen;
	u_char ifi_physical;
	u_char ifi_addrlen;		/* length of a link address */
	u_char ifi_hdrlen;		/* length of a link header */
	u_char ifi_recvquota;
	u_char ifi_xmitquota;
	u_char ifi_unused1;
	u_int32_t ifi_mtu;
	u_int32_t ifi_metric;
	u_int32_t ifi_baudrate;		/* bits per second */
	u_int32_t ifi_ipackets;
	u_int32_t ifi_ierrors;
	u_int32_t ifi_opackets;
	u_int32_t ifi_oerrors;
	u_int32_t ifi_collisions;
	u_int32_t ifi_ibytes;
	u_int32_t ifi_obytes;
	u_int32_t ifi_imcasts;
	u_int32_t ifi_omcasts;
	u_int32_t ifi_iqdrops;
	u_int32_t ifi_noproto;
	u_int32_t ifi_recvtiming;	/* microseconds */
	u_int32_t ifi_xmittiming;
	struct IF_DATA_TIMEVAL ifi_lastchange;
	u_int32_t ifi_unused2;
	u_int32_t ifi_hwassist;		/* IFNET_CSUM_* ... */
	u_int32_t ifi_reserved1;
	u_int32_t ifi_reserved2;
};

/* The same with counters of 64 bits. */
struct if_data64 {
	u_char ifi_type;
	u_char ifi_typelen;
	u_char ifi_physical;
	u_char ifi_addrlen;
	u_char ifi_hdrlen;
	u_char ifi_recvquota;
	u_char ifi_xmitquota;
	u_char ifi_unused1;
	u_int32_t ifi_mtu;
	u_int32_t ifi_metric;
	u_int64_t ifi_baudrate;
	u_int64_t ifi_ipackets;
	u_int64_t ifi_ierrors;
	u_int64_t ifi_opackets;
	u_int64_t ifi_oerrors;
	u_int64_t ifi_collisions;
	u_int64_t ifi_ibytes;
	u_int64_t ifi_obytes;
	u_int64_t ifi_imcasts;
	u_int64_t ifi_omcasts;
	u_int64_t ifi_iqdrops;
	u_int64_t ifi_noproto;
	u_int32_t ifi_recvtiming;
	u_int32_t ifi_xmittiming;
	struct IF_DATA_TIMEVAL ifi_lastchange;
};

#pragma pack()

/* A queue of packets. */
struct ifqueue {
	void *ifq_head;
	void *ifq_tail;
	int ifq_len;
	int ifq_maxlen;
	int ifq_drops;
};

#endif
