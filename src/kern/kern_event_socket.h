/* The protocol of event sockets, for sys_domain.c. */
#ifndef NKE_KERN_KERN_EVENT_SOCKET_H
#define NKE_KERN_KERN_EVENT_SOCKET_H

#include "src/kern/protosw.h"

extern const struct protosw kev_proto;

#endif
