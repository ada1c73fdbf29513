/*
 * Interface ioctls of programs, by way of a socket's pru_control: addresses are handled here (IPv4) and in
 * in6_control.c (IPv6), everything else by DLIL (ifioctl).
 */
#ifndef NKE_NETINET_IN_CONTROL_H
#define NKE_NETINET_IN_CONTROL_H

#include "src/net/if_private.h"

/*
 * `data` is as long as the command's number says. ENXIO: no interface of that name; EADDRNOTAVAIL: it has
 * no such address; EAFNOSUPPORT, EINVAL, EEXIST, ENOMEM; what DLIL, filters and the driver say.
 */
errno_t in_control(struct nke *, unsigned long command, void *data);
errno_t in6_control(struct nke *, unsigned long command, void *data);

/* Of the two: the interface that an ioctl's data begins with, referenced. ENXIO. */
errno_t in_control_interface(struct nke *, const void *data, struct ifnet **);
/*
 * A new address of it: tells the driver, which may refuse. `command` is what the driver is asked
 * (SIOCSIFADDR ...).
 */
errno_t in_control_start(struct ifnet *, struct ifaddr *, unsigned long command);

#endif
