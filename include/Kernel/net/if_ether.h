/* Old name of net/ethernet.h. */
#ifndef _NET_IF_ETHER_H_
#define _NET_IF_ETHER_H_

#include <net/ethernet.h>

#endif
