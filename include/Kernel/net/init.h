/* A function that is run once, when the network comes up. */
#ifndef _NET_INIT_H_
#define _NET_INIT_H_

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/_types/_errno_t.h>

typedef void (*net_init_func_ptr)(void);

__BEGIN_DECLS

/*
 * Has `init_func` called once the network is up. 0 when it will be; EALREADY when the network has
 * long been up, as for every kext loaded here, and the caller is to call it itself; EINVAL for
 * NULL.
 */
errno_t net_init_add(net_init_func_ptr init_func);

__END_DECLS

#endif
