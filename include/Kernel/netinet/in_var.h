/* IPv4 addresses of interfaces: the ioctls that add them and the events about them. */
#ifndef _NETINET_IN_VAR_H_
#define _NETINET_IN_VAR_H_

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/kern_event.h>
#include <net/net_kev.h>
#include <net/if_var.h>
#include <netinet/in.h>

/* SIOCAIFADDR. */
struct in_aliasreq {
	char ifra_name[IFNAMSIZ];	/* "en0" */
	struct sockaddr_in ifra_addr;
	struct sockaddr_in ifra_broadaddr;
#define ifra_dstaddr		ifra_broadaddr
	struct sockaddr_in ifra_mask;
};

/* Data of KEV_INET_NEW_ADDR and most others of KEV_INET_SUBCLASS. */
struct kev_in_data {
	struct net_event_data link_data;
	struct in_addr ia_addr;		/* network byte order, like the other in_addr */
	u_int32_t ia_net;		/* host byte order, like the other numbers */
	u_int32_t ia_netmask;
	u_int32_t ia_subnet;
	u_int32_t ia_subnetmask;
	struct in_addr ia_netbroadcast;
	struct in_addr ia_dstaddr;
};

/* KEV_INET_ARPCOLLISION. */
struct kev_in_collision {
	struct net_event_data link_data;
	struct in_addr ia_ipaddr;
	u_char hw_len;			/* bytes of hw_addr */
	u_char hw_addr[0];		/* who else has the address */
};

/* KEV_INET_ARPRTRFAILURE and KEV_INET_ARPRTRALIVE. */
struct kev_in_arpfailure {
	struct net_event_data link_data;
};

struct kev_in_arpalive {
	struct net_event_data link_data;
};

#include <netinet6/in6_var.h>

#endif
