/* VLANs: the 802.1Q header and the argument of SIOCSIFVLAN. */
#ifndef _NET_IF_VLAN_VAR_H_
#define _NET_IF_VLAN_VAR_H_

#include <sys/types.h>
#include <net/ethernet.h>
#include <net/if_var.h>

#define ETHER_VLAN_ENCAPLEN	4

struct ether_vlan_header {
	u_char evl_dhost[ETHER_ADDR_LEN];
	u_char evl_shost[ETHER_ADDR_LEN];
	u_int16_t evl_encap_proto;	/* ETHERTYPE_VLAN, network byte order like the rest */
	u_int16_t evl_tag;
	u_int16_t evl_proto;
};

/* Parts of a tag in host byte order. */
#define EVL_VLID_MASK		0x0fff
#define EVL_VLANOFTAG(tag)	((tag) & EVL_VLID_MASK)
#define EVL_PRIOFTAG(tag)	(((tag) >> 13) & 7)
#define EVL_ENCAPLEN		ETHER_VLAN_ENCAPLEN

struct vlanreq {
	char vlr_parent[IFNAMSIZ];
	u_short vlr_tag;
};

#endif
