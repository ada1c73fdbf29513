/*
 * Messages of routing sockets and of the sysctl tree below net.route: Darwin's headers followed by socket
 * addresses, each padded to 4 bytes. Building them, and finding the addresses in one (rtmsg.c); the layout
 * is an interface fact.
 *
 * IPv6 addresses that are good on one link only have the index of their interface in their bytes 2 and 3
 * there, and no sin6_scope_id, as programs on Darwin expect; when they come in both forms are good.
 */
#ifndef NKE_NET_RTMSG_H
#define NKE_NET_RTMSG_H

#include <net/route.h>

#include "src/net/if_private.h"
#include "src/net/rtable.h"

#define RTMSG_ROUND(n)	(((size_t)(n) + 3) & ~(size_t)3)
#define RTMSG_MAX	(256 + RTAX_MAX * 128)	/* the longest header, and every address */

struct rtmsg {
	size_t len;
	int addrs;			/* RTA_* of what was added */
	_Alignas(8) uint8_t bytes[RTMSG_MAX];
};

/* RTM_ADD ..., RTM_GET: dst, gateway, mask; `interface`: interface and address too. */
void rtmsg_route(struct rtmsg *, const struct rtentry *, int type, bool interface);
/* RTM_GET2: the same with struct rt_msghdr2. */
void rtmsg_route2(struct rtmsg *, const struct rtentry *);
/* RTM_MISS and other messages with no route: an rt_msghdr without addresses, which rtmsg_add adds. */
void rtmsg_plain(struct rtmsg *, int type, int flags, errno_t);
/* RTM_IFINFO or RTM_IFINFO2, with the link address when `link`. */
void rtmsg_interface(struct rtmsg *, const struct ifnet *, int type, bool link);
/* RTM_NEWADDR, RTM_DELADDR; `link`: with the interface's link address. */
void rtmsg_address(struct rtmsg *, const struct ifaddr *, int type, bool link);
/* RTM_NEWMADDR, RTM_DELMADDR, RTM_NEWMADDR2. */
void rtmsg_multicast(struct rtmsg *, const struct ifmultiaddr *, int type);
/* A neighbour: a host route with RTF_LLINFO. */
struct neighbor;
void rtmsg_neighbor(struct rtmsg *, const struct neighbor *, int type);

/* Addresses go in the order of RTAX_*. NULL or a length of 0: none. */
void rtmsg_add(struct rtmsg *, int rtax, const struct sockaddr *);

/* The header, to fill in what a reply says. */
static inline struct rt_msghdr *
rtmsg_header(struct rtmsg *msg)
{
	return (struct rt_msghdr *)(void *)msg->bytes;
}

/*
 * The addresses behind the header of a message that came in: EINVAL when one is not complete. Those in
 * `out` are copies of exactly their own length, zeros behind them; ss_len 0 where there is none.
 */
errno_t rtmsg_addresses(const void *p, size_t len, int addrs, struct sockaddr_storage out[RTAX_MAX]);

#endif
