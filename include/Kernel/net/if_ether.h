/*
 * Ethernet for interfaces of a kext's own: these functions fill the slots of their name in struct
 * ifnet_init_params (ether_frameout that of the framer). What they know of an interface's protocols
 * is gone once it is detached.
 */
#ifndef _NET_IF_ETHER_H
#define _NET_IF_ETHER_H

#include <sys/cdefs.h>
#include <net/kpi_interface.h>
#include <net/ethernet.h>

__BEGIN_DECLS

/* Marks broadcasts, multicasts and frames for others; ENOENT when no protocol has the type. */
errno_t ether_demux(ifnet_t interface, mbuf_t packet, char *header, protocol_family_t *protocol);
/*
 * ENOTSUP for a description that is none of Ethernet's (DLIL_DESC_*), EINVAL for one of a wrong length,
 * EADDRINUSE for one that another protocol has; then none is added.
 */
errno_t ether_add_proto(ifnet_t interface, protocol_family_t protocol,
    const struct ifnet_demux_desc *demux_list, u_int32_t demux_count);
errno_t ether_del_proto(ifnet_t interface, protocol_family_t protocol);
/* Puts the 14 bytes in front; broadcasts and frames to oneself come back by lo0. */
errno_t ether_frameout(ifnet_t interface, mbuf_t *packet, const struct sockaddr *dest,
    const char *dest_lladdr, const char *frame_type);
/* SIOCSIFADDR brings it up, SIOCGIFADDR gives the link address, SIOCSIFMTU is let be; else EOPNOTSUPP. */
errno_t ether_ioctl(ifnet_t interface, u_int32_t command, void *data);
/* 0 for a multicast address, EADDRNOTAVAIL for another, EOPNOTSUPP for what is none of Ethernet's. */
errno_t ether_check_multi(ifnet_t ifp, const struct sockaddr *multicast);

__END_DECLS

#endif
