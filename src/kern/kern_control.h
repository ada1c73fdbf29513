/*
 * The kernel control engine: controllers that kexts register, and what they put into their clients' receive
 * buffers. Called by kpi/kern_control.c. The clients are sockets of PF_SYSTEM, SYSPROTO_CONTROL
 * (kern_control_socket.c); the facts are in sys/kern_control.h.
 */
#ifndef NKE_KERN_KERN_CONTROL_H
#define NKE_KERN_KERN_CONTROL_H

#include <sys/kern_control.h>

#include "src/kern/machine.h"

/* ctl_register and ctl_deregister; `pc`: where the kext asked, for the ledger. */
errno_t kctl_register(struct nke *, struct kern_ctl_reg *, void *pc, kern_ctl_ref *);
errno_t kctl_deregister(struct nke *, kern_ctl_ref);
/* The socket of a client, NULL: no such controller or unit. No reference. */
struct socket *kctl_client_socket(struct nke *, kern_ctl_ref, uint32_t unit);
/* ctl_enqueuembuf: 0 and the packet is consumed, or EINVAL, ENOBUFS and it is not. */
errno_t kctl_enqueue(struct nke *, kern_ctl_ref, uint32_t unit, struct mbuf *, uint32_t flags);

#endif
