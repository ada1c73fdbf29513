/* A function that is run once, when the network comes up. */
#ifndef _NET_INIT_H_
#define _NET_INIT_H_

#include <sys/types.h>

typedef void (*net_init_func_ptr)(void);

#endif
