/*
 * Interface ioctls of programs, by way of a socket's pru_control: addresses are handled here (IPv4) and in
 * in6_control.c (IPv6), everything else by DLIL (ifioctl).
 */
#ifndef NKE_NETINET_IN_CONTROL_H
#define NKE_NETINET_IN_CONTROL_H

#include "src/net/if_private.h"

/*
 * in6_control goes on to in_control, and that to DLIL, with what is none of theirs.
 *
 * `data` is as long as the command's number says. ENXIO: no interface of that name; EADDRNOTAVAIL: it has
 * no such address; EAFNOSUPPORT, EINVAL, EEXIST, ENOMEM; what DLIL, filters and the driver say.
 */
errno_t in_control(struct nke *, unsigned long command, void *data);
errno_t in6_control(struct nke *, unsigned long command, void *data);

/* ---- what both share ---------------------------------------------------------------------- */

/* An ioctl about an interface, which `data` begins with the name of. */
struct in_control_command {
	unsigned long command;
	errno_t (*handler)(struct ifnet *, unsigned long command, void *data);	/* NULL ends a table */
};
/* Is the command in the table? Then it has been done; *error says how. ENXIO: no interface of that name. */
bool in_control_dispatch(struct nke *, const struct in_control_command *, unsigned long command,
    void *data, errno_t *error);
/*
 * A new address of the interface: tells the driver, which may refuse. `command` is what the driver is asked
 * (SIOCSIFADDR ...).
 */
errno_t in_control_start(struct ifnet *, struct ifaddr *, unsigned long command);

#endif
