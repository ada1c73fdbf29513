/* Number types of network headers, in network byte order. */
#ifndef _NETINET_IN_SYSTM_H_
#define _NETINET_IN_SYSTM_H_

#include <sys/types.h>

typedef __uint16_t n_short;
typedef __uint32_t n_long;
typedef __uint32_t n_time;	/* milliseconds since midnight UTC */

#endif
