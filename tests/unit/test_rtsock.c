/* src/net/rtsock.c, rtmsg.c, rttell.c, route_sysctl.c, src/netinet/in_control.c, in6_control.c: what programs
 * ask about routes and interfaces, and what they are told. */
#include <net/if_dl.h>
#include <netinet/in_var.h>

#include "src/kern/prng.h"
#include "src/kern/socketvar.h"
#include "src/kern/sysctl.h"
#include "src/net/neighbor.h"
#include "src/net/route_private.h"
#include "src/net/rtable_private.h"
#include "src/net/rtmsg.h"
#include "src/netinet/in_control.h"
#include "tests/unit/dlil_testing.h"

static struct ifnet *the;
static struct socket *so;

/* x0: 10.0.0.1/24; a routing socket that has heard nothing yet. */
static void
prepare(void)
{
	struct sockaddr_in a = ipv4(10, 0, 0, 1), mask = ipv4(255, 255, 255, 0);

	the = attached_interface("x", 0);
	the->mtu = 1500;
	CHECK_EQ(ifnet_set_flags(the, IFF_BROADCAST | IFF_MULTICAST, IFF_BROADCAST | IFF_MULTICAST), 0);
	CHECK_EQ(ifaddr_add(the, SA(a), SA(mask), NULL), 0);
	CHECK_EQ(socreate(curmachine(), PF_ROUTE, SOCK_RAW, 0, &so), 0);
	(void)said();
}

/* ---- sending ------------------------------------------------------------------------------ */

static struct {
	struct rt_msghdr h;
	uint8_t addrs[512];
} out;
static size_t out_len;

static void
begin(int type, int flags)
{
	memset(&out, 0, sizeof out);
	out.h.rtm_version = RTM_VERSION;
	out.h.rtm_type = (u_char)type;
	out.h.rtm_flags = flags;
	out.h.rtm_seq = 42;
	out_len = sizeof out.h;
}

static void
append(int bit, const void *sa)
{
	size_t len = *(const uint8_t *)sa;

	memcpy((uint8_t *)&out + out_len, sa, len);
	out_len += len != 0 ? RTMSG_ROUND(len) : 4;
	out.h.rtm_addrs |= bit;
}

static errno_t
send_it(void)
{
	size_t sent;

	out.h.rtm_msglen = (u_short)out_len;
	return sosend(so, NULL, &out, out_len, NULL, NULL, 0, &sent);
}

static errno_t
route(int type, struct sockaddr_in dst, const struct sockaddr_in *gateway, const struct sockaddr_in *mask,
    int flags)
{
	begin(type, flags);
	append(RTA_DST, &dst);
	if (gateway != NULL)
		append(RTA_GATEWAY, gateway);
	if (mask != NULL)
		append(RTA_NETMASK, mask);
	return send_it();
}

/* ---- hearing ------------------------------------------------------------------------------ */

static union {
	struct rt_msghdr h;
	struct if_msghdr ifm;
	struct ifa_msghdr ifam;
	struct ifma_msghdr ifmam;
	uint8_t bytes[2048];
} in;
static struct sockaddr_storage heard[RTAX_MAX];

/* The next message's type, 0: there is none. Addresses of rt_msghdr are taken apart. */
static int
hear(void)
{
	struct so_received r;
	errno_t error = soreceive(so, &in, sizeof in, MSG_DONTWAIT, &r);

	if (error == EWOULDBLOCK)
		return 0;
	CHECK_EQ(error, 0);
	CHECK_EQ(r.from.ss_family, PF_ROUTE);
	CHECK_EQ(in.h.rtm_msglen, r.len);
	CHECK_EQ(r.len % 4, 0);
	CHECK_EQ(in.h.rtm_version, RTM_VERSION);
	if (in.h.rtm_type < RTM_NEWADDR)
		CHECK_EQ(rtmsg_addresses(in.bytes + sizeof in.h, r.len - sizeof in.h, in.h.rtm_addrs,
		    heard), 0);
	return in.h.rtm_type;
}

static void
forget(void)
{
	while (hear() != 0)
		continue;
}

static uint32_t
number(int rtax)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)(const void *)&heard[rtax];

	CHECK_EQ(sin->sin_family, AF_INET);
	return ntohl(sin->sin_addr.s_addr);
}

/* ---- tests -------------------------------------------------------------------------------- */

KTEST(layouts_are_darwins)
{
	CHECK_EQ(sizeof(struct rt_msghdr), 92);
	CHECK_EQ(sizeof(struct rt_msghdr2), 92);
	CHECK_EQ(sizeof(struct if_msghdr), 112);
	CHECK_EQ(sizeof(struct if_msghdr2), 160);
	CHECK_EQ(sizeof(struct ifa_msghdr), 20);
	CHECK_EQ(sizeof(struct ifma_msghdr), 16);
	CHECK_EQ(sizeof(struct ifma_msghdr2), 20);
}

KTEST(routes_are_added_asked_for_changed_and_deleted)
{
	struct sockaddr_in net = ipv4(20, 0, 0, 0), mask = ipv4(255, 0, 0, 0), gw = ipv4(10, 0, 0, 254);
	struct sockaddr_in gw2 = ipv4(10, 0, 0, 253), host = ipv4(20, 1, 1, 1);

	prepare();
	mask.sin_len = 5;		/* as short as a program may make it */
	CHECK_EQ(route(RTM_ADD, net, &gw, &mask, RTF_UP | RTF_GATEWAY | RTF_STATIC), 0);
	CHECK_EQ(hear(), RTM_ADD);
	CHECK_EQ(in.h.rtm_seq, 42);
	CHECK_EQ(in.h.rtm_errno, 0);
	CHECK_EQ(in.h.rtm_index, the->index);
	CHECK_EQ(in.h.rtm_flags & (RTF_UP | RTF_DONE | RTF_STATIC | RTF_GATEWAY | RTF_PRCLONING),
	    RTF_UP | RTF_DONE | RTF_STATIC | RTF_GATEWAY | RTF_PRCLONING);
	CHECK_EQ(in.h.rtm_addrs, RTA_DST | RTA_GATEWAY | RTA_NETMASK);
	CHECK_EQ(number(RTAX_NETMASK), 0xff000000);
	CHECK_EQ(in.h.rtm_rmx.rmx_mtu, 1500);
	CHECK_EQ(hear(), 0);
	CHECK_EQ(route(RTM_ADD, net, &gw, &mask, RTF_UP | RTF_GATEWAY | RTF_STATIC), EEXIST);
	CHECK_EQ(hear(), RTM_ADD);
	CHECK_EQ(in.h.rtm_errno, EEXIST);
	CHECK_EQ(in.h.rtm_flags & RTF_DONE, 0);

	begin(RTM_GET, 0);
	append(RTA_DST, &host);
	append(RTA_IFP, &(struct sockaddr_dl){.sdl_len = sizeof(struct sockaddr_dl), .sdl_family = AF_LINK});
	CHECK_EQ(send_it(), 0);
	CHECK_EQ(hear(), RTM_GET);
	CHECK_EQ(in.h.rtm_addrs, RTA_DST | RTA_GATEWAY | RTA_NETMASK | RTA_IFP | RTA_IFA);
	CHECK_EQ(number(RTAX_DST), 0x14000000);
	CHECK_EQ(number(RTAX_GATEWAY), 0x0a0000fe);
	CHECK_EQ(number(RTAX_IFA), 0x0a000001);
	CHECK_EQ(heard[RTAX_IFP].ss_family, AF_LINK);
	CHECK_EQ(curmachine()->rtable->clone_count, 0);

	CHECK_EQ(route(RTM_CHANGE, net, &gw2, &mask, RTF_GATEWAY), 0);
	CHECK_EQ(hear(), RTM_CHANGE);
	CHECK_EQ(number(RTAX_GATEWAY), 0x0a0000fd);
	begin(RTM_LOCK, 0);
	append(RTA_DST, &net);
	append(RTA_NETMASK, &mask);
	out.h.rtm_inits = RTV_MTU | RTV_RTT;
	out.h.rtm_rmx.rmx_locks = RTV_MTU;
	CHECK_EQ(send_it(), 0);
	CHECK_EQ(hear(), RTM_LOCK);
	CHECK_EQ(in.h.rtm_rmx.rmx_locks, RTV_MTU);
	CHECK(!rt_set_path_mtu(curmachine(), SA(host), 1000));

	CHECK_EQ(route(RTM_DELETE, net, NULL, &mask, 0), 0);
	CHECK_EQ(hear(), RTM_DELETE);
	CHECK_EQ(in.h.rtm_flags & RTF_UP, 0);
	CHECK_EQ(route(RTM_DELETE, net, NULL, &mask, 0), ESRCH);
	CHECK_EQ(route(RTM_CHANGE, net, &gw2, &mask, 0), ESRCH);
	CHECK_EQ(route(RTM_GET, host, NULL, NULL, 0), ESRCH);
	soclose(so);
}

KTEST(requests_that_are_wrong_are_told_so)
{
	struct sockaddr_in net = ipv4(20, 0, 0, 0), gw = ipv4(10, 0, 0, 254), far = ipv4(99, 0, 0, 1);
	struct sockaddr_in holes = ipv4(255, 0, 255, 0);
	struct sockaddr_dl nowhere = {.sdl_len = sizeof nowhere, .sdl_family = AF_LINK, .sdl_index = 77};
	struct sockaddr odd = {.sa_len = sizeof odd, .sa_family = AF_APPLETALK};
	size_t sent;

	prepare();
	CHECK_EQ(route(RTM_ADD, net, NULL, NULL, 0), EINVAL);
	CHECK_EQ(route(RTM_ADD, net, &far, NULL, 0), ENETUNREACH);
	CHECK_EQ(route(RTM_ADD, net, &gw, &holes, 0), EINVAL);
	CHECK_EQ(route(RTM_MISS, net, &gw, NULL, 0), EOPNOTSUPP);
	CHECK_EQ(route(99, net, &gw, NULL, 0), EOPNOTSUPP);
	begin(RTM_ADD, 0);
	append(RTA_GATEWAY, &gw);
	CHECK_EQ(send_it(), EINVAL);
	begin(RTM_ADD, 0);
	append(RTA_DST, &odd);
	append(RTA_GATEWAY, &gw);
	CHECK_EQ(send_it(), EAFNOSUPPORT);
	begin(RTM_ADD, 0);
	append(RTA_DST, &net);
	append(RTA_GATEWAY, &nowhere);
	CHECK_EQ(send_it(), ENETUNREACH);
	begin(RTM_ADD, 0);
	append(RTA_DST, &net);
	append(RTA_GATEWAY, &gw);
	append(RTA_IFP, &nowhere);
	CHECK_EQ(send_it(), ENXIO);
	begin(RTM_ADD, 0);
	append(RTA_DST, &net);
	append(RTA_GATEWAY, &gw);
	append(RTA_IFA, &far);
	CHECK_EQ(send_it(), ENETUNREACH);
	begin(RTM_ADD, 0);
	append(RTA_DST, &net);
	append(RTA_GATEWAY, &gw);
	append(RTA_GENMASK, &gw);
	CHECK_EQ(send_it(), EOPNOTSUPP);
	begin(RTM_ADD, 0);
	append(RTA_DST, &net);
	out.h.rtm_version = 3;
	forget();
	CHECK_EQ(send_it(), EPROTONOSUPPORT);
	/* More addresses than there are bytes; a length that says otherwise; no header. */
	begin(RTM_ADD, 0);
	append(RTA_DST, &net);
	out.h.rtm_addrs = 0xff;
	CHECK_EQ(send_it(), EINVAL);
	out.h.rtm_msglen = 7;
	CHECK_EQ(sosend(so, NULL, &out, out_len, NULL, NULL, 0, &sent), EINVAL);
	CHECK_EQ(sosend(so, NULL, &out, 10, NULL, NULL, 0, &sent), EINVAL);
	CHECK_EQ(sosend(so, SA(net), &out, out_len, NULL, NULL, 0, &sent), EISCONN);
	CHECK_EQ(hear(), 0);		/* these are nobody's business */
	so->so_state &= (uint16_t)~SS_PRIV;
	CHECK_EQ(route(RTM_ADD, net, &gw, NULL, 0), EACCES);
	CHECK_EQ(route(RTM_GET, ipv4(10, 0, 0, 9), NULL, NULL, 0), 0);
	soclose(so);
}

KTEST(everybody_hears_but_who_does_not_want_to)
{
	struct sockaddr_in gw = ipv4(10, 0, 0, 254), zero = ipv4(0, 0, 0, 0), nomask = {.sin_len = 0};
	struct socket *a, *v6, *first;
	int off = 0;
	struct sockopt opt = {
		.sopt_dir = SOPT_SET, .sopt_level = SOL_SOCKET, .sopt_name = SO_USELOOPBACK, .sopt_val = &off,
		.sopt_valsize = sizeof off,
	};

	prepare();
	first = so;
	CHECK_EQ(socreate(curmachine(), PF_ROUTE, SOCK_RAW, AF_INET, &a), 0);
	CHECK_EQ(socreate(curmachine(), PF_ROUTE, SOCK_RAW, AF_INET6, &v6), 0);
	CHECK_EQ(sosetopt(first, &opt), 0);
	CHECK_EQ(route(RTM_ADD, zero, &gw, &nomask, RTF_GATEWAY | RTF_STATIC), 0);
	/* Multicast follows the default, which is where it was. */
	CHECK_EQ(hear(), 0);
	so = a;
	CHECK_EQ(hear(), RTM_ADD);
	CHECK_EQ(number(RTAX_NETMASK), 0);
	CHECK_EQ(hear(), 0);
	so = v6;
	CHECK_EQ(hear(), 0);
	CHECK_EQ(route_set_default(curmachine(), AF_INET, the, NULL), 0);
	CHECK_EQ(hear(), 0);
	so = first;
	CHECK_EQ(hear(), RTM_DELETE);
	CHECK_EQ(hear(), RTM_ADD);
	CHECK_EQ(hear(), 0);
	soclose(v6);
	soclose(a);
	soclose(first);
	CHECK(!rt_heard(curmachine()));
}

KTEST(addresses_and_interfaces_are_announced)
{
	struct sockaddr_in b = ipv4(10, 7, 0, 1), mask = ipv4(255, 255, 0, 0);

	prepare();
	CHECK_EQ(ifaddr_add(the, SA(b), SA(mask), NULL), 0);
	CHECK_EQ(hear(), RTM_ADD);		/* the host's own */
	CHECK_EQ(in.h.rtm_flags & RTF_LOCAL, RTF_LOCAL);
	CHECK_EQ(hear(), RTM_ADD);		/* the network */
	CHECK_EQ(number(RTAX_NETMASK), 0xffff0000);
	CHECK_EQ(hear(), RTM_NEWADDR);
	CHECK_EQ(in.ifam.ifam_index, the->index);
	CHECK_EQ(in.ifam.ifam_addrs, RTA_NETMASK | RTA_IFP | RTA_IFA | RTA_BRD);
	CHECK_EQ(hear(), 0);
	CHECK_EQ(ifaddr_remove(the, SA(b)), 0);
	CHECK_EQ(hear(), RTM_DELETE);
	CHECK_EQ(hear(), RTM_DELETE);
	CHECK_EQ(hear(), RTM_DELADDR);
	CHECK_EQ(ifnet_set_flags(the, 0, IFF_UP), 0);
	CHECK_EQ(ifnet_set_flags(the, IFF_UP, IFF_UP), 0);
	forget();
	CHECK_EQ(ifnet_set_flags(the, 0, IFF_UP), 0);
	CHECK_EQ(hear(), RTM_IFINFO);
	CHECK_EQ(in.ifm.ifm_index, the->index);
	CHECK_EQ(in.ifm.ifm_flags & IFF_UP, 0);
	CHECK_EQ(in.ifm.ifm_data.ifi_mtu, 1500);
	CHECK_EQ(in.ifm.ifm_msglen, sizeof in.ifm);
	soclose(so);
}

KTEST(groups_are_announced)
{
	struct sockaddr_dl group = {
		.sdl_len = sizeof group, .sdl_family = AF_LINK, .sdl_alen = 6,
		.sdl_data = {1, 0, 0x5e, 0, 0, 1},
	};
	struct ifmultiaddr *ifma;

	prepare();
	CHECK_EQ(ifnet_add_multicast(the, SA(group), &ifma), 0);
	CHECK_EQ(hear(), RTM_NEWMADDR);
	CHECK_EQ(in.ifmam.ifmam_index, the->index);
	CHECK_EQ(in.ifmam.ifmam_addrs, RTA_IFP | RTA_IFA);
	CHECK_EQ(ifnet_add_multicast(the, SA(group), NULL), 0);
	CHECK_EQ(hear(), 0);
	CHECK_EQ(ifnet_remove_multicast(ifma), 0);
	CHECK_EQ(ifnet_remove_multicast(ifma), 0);
	CHECK_EQ(hear(), RTM_DELMADDR);
	CHECK_EQ(hear(), 0);
	CHECK_EQ(ifmaddr_release(ifma), 0);
	soclose(so);
}

KTEST(misses_redirects_and_losing_routes_are_announced)
{
	struct sockaddr_in far = ipv4(8, 8, 8, 8), router = ipv4(10, 0, 0, 254), better = ipv4(10, 0, 0, 253);
	struct route ro = {0};
	struct rtentry *rt;

	prepare();
	CHECK(route_get(curmachine(), &ro, SA(far), NULL) == NULL);
	CHECK_EQ(hear(), RTM_MISS);
	CHECK_EQ(number(RTAX_DST), 0x08080808);
	CHECK_EQ(route_set_default(curmachine(), AF_INET, the, SA(router)), 0);
	CHECK_EQ(hear(), RTM_ADD);
	rt_redirect(curmachine(), SA(far), SA(better), SA(router), the);
	CHECK_EQ(hear(), RTM_REDIRECT);
	CHECK_EQ(in.h.rtm_addrs, RTA_DST | RTA_GATEWAY | RTA_AUTHOR);
	CHECK_EQ(number(RTAX_AUTHOR), 0x0a0000fe);
	rt = rt_lookup(curmachine(), SA(far), NULL, 0);
	rt_losing(rt);
	rt_release(rt);
	CHECK_EQ(hear(), RTM_LOSING);
	CHECK_EQ(hear(), 0);
	route_clear(&ro);
	soclose(so);
}

KTEST(who_resolves_outside_is_told_of_each_clone)
{
	struct sockaddr_in net = ipv4(20, 0, 0, 0), mask = ipv4(255, 0, 0, 0), gw = ipv4(10, 0, 0, 254);
	struct sockaddr_in host = ipv4(20, 1, 1, 1);

	prepare();
	CHECK_EQ(route(RTM_ADD, net, &gw, &mask, RTF_GATEWAY | RTF_XRESOLVE), 0);
	forget();
	rt_release(rt_lookup(curmachine(), SA(host), NULL, RT_CLONE));
	CHECK_EQ(hear(), RTM_RESOLVE);
	CHECK_EQ(number(RTAX_DST), 0x14010101);
	soclose(so);
}

KTEST(neighbours_are_host_routes)
{
	struct sockaddr_in host = ipv4(10, 0, 0, 9);
	struct sockaddr_dl link = {
		.sdl_len = sizeof link, .sdl_family = AF_LINK, .sdl_alen = 6, .sdl_data = {2, 0, 0, 0, 0, 9},
	};
	uint8_t lladdr[6];

	prepare();
	begin(RTM_ADD, RTF_HOST | RTF_STATIC);
	append(RTA_DST, &host);
	append(RTA_GATEWAY, &link);
	CHECK_EQ(send_it(), 0);
	CHECK_EQ(hear(), RTM_ADD);
	CHECK(neighbor_lookup(curmachine(), the, SA(host), lladdr));
	CHECK_EQ(lladdr[5], 9);
	CHECK_EQ(route(RTM_GET, host, NULL, NULL, 0), 0);
	CHECK_EQ(hear(), RTM_GET);
	CHECK_EQ(in.h.rtm_flags & (RTF_LLINFO | RTF_HOST | RTF_STATIC), RTF_LLINFO | RTF_HOST | RTF_STATIC);
	CHECK_EQ(heard[RTAX_GATEWAY].ss_family, AF_LINK);
	CHECK_EQ(((struct sockaddr_dl *)(void *)&heard[RTAX_GATEWAY])->sdl_data[5], 9);
	CHECK_EQ(route(RTM_DELETE, host, NULL, NULL, RTF_HOST), 0);
	CHECK(!neighbor_lookup(curmachine(), the, SA(host), lladdr));
	CHECK_EQ(route(RTM_DELETE, host, NULL, NULL, RTF_HOST), ESRCH);
	soclose(so);
}

KTEST(a_full_socket_misses_messages)
{
	struct sockaddr_in dst;

	prepare();
	for (unsigned i = 0; i < 2000; i++) {
		dst = ipv4(20, 0, (uint8_t)(i >> 8), (uint8_t)i);
		rt_tell_addresses(curmachine(), RTM_MISS, SA(dst), NULL, NULL, 0, 0);
	}
	CHECK(so->so_rcv.sb_cc <= so->so_rcv.sb_hiwat);
	CHECK_EQ(hear(), RTM_MISS);
	CHECK_EQ(number(RTAX_DST), 0x14000000);	/* the first ones are there */
	soclose(so);
}

/* Nothing that a program writes leads anywhere but to an errno or a route. */
KTEST(random_messages_do_no_harm)
{
	struct sockaddr_in some[] = {
		ipv4(20, 0, 0, 0), ipv4(10, 0, 0, 9), ipv4(255, 255, 0, 0), ipv4(0, 0, 0, 0),
	};
	struct sockaddr_in6 six = ipv6(0xfe, 0x80, 1);
	struct sockaddr_dl link = {.sdl_len = sizeof link, .sdl_family = AF_LINK, .sdl_alen = 6};
	uint32_t r;
	size_t sent;

	prepare();
	for (unsigned i = 0; i < 20000; i++) {
		r = prng_u32(curmachine());
		begin((int)(1 + r % 9), (int)prng_u32(curmachine()));
		for (unsigned bit = 0; bit < 8; bit++) {
			uint32_t kind = prng_u32(curmachine());

			if (kind & 1)
				append(1 << bit, kind & 6 ? (void *)&some[kind >> 3 & 3] :
				    kind & 8 ? (void *)&six : (void *)&link);
		}
		out.h.rtm_msglen = (u_short)out_len;
		out.h.rtm_index = (u_short)(r >> 8 & 3);
		out.h.rtm_inits = prng_u32(curmachine());
		for (unsigned n = r >> 28; n > 12; n--)
			((uint8_t *)&out)[prng_u32(curmachine()) % out_len] ^=
			    (uint8_t)prng_u32(curmachine());
		if (r & 0x800)
			out_len -= prng_u32(curmachine()) % 40;
		if (r & 0x400)
			out.h.rtm_msglen = (u_short)out_len;
		(void)sosend(so, NULL, &out, out_len, NULL, NULL, 0, &sent);
		sbflush(&so->so_rcv);
	}
	CHECK_EQ(ifnet_detach(the), 0);
	settle();
	soclose(so);
}

/* ---- sysctl ------------------------------------------------------------------------------- */

static uint8_t table[16384];

static size_t
dump(int family, int what, int argument)
{
	int mib[6] = {CTL_NET, PF_ROUTE, 0, family, what, argument};
	size_t len = sizeof table, need;
	struct sysctl_access a = {.old = table, .old_len = &len}, size = {.old_len = &need};

	CHECK_EQ(sysctl_by_mib(curmachine(), mib, 6, &size), 0);
	CHECK_EQ(sysctl_by_mib(curmachine(), mib, 6, &a), 0);
	CHECK_EQ(len, need);
	return len;
}

/* How many messages of that type there are; every one has a length that leads to the next. */
static unsigned
count(size_t len, int type)
{
	unsigned n = 0;
	struct rt_msghdr h;

	for (size_t at = 0; at < len; at += h.rtm_msglen) {
		memcpy(&h, table + at, sizeof(u_short) + 2);
		CHECK(h.rtm_msglen >= 16 && h.rtm_msglen % 4 == 0 && at + h.rtm_msglen <= len);
		n += h.rtm_type == type;
	}
	return n;
}

KTEST(the_table_is_read_by_sysctl)
{
	struct sockaddr_in host = ipv4(10, 0, 0, 9);
	uint8_t lladdr[6] = {2, 0, 0, 0, 0, 9};
	int mib[6] = {CTL_NET, PF_ROUTE, 0, 0, 99, 0};
	size_t len = 10;
	struct sysctl_access a = {.old = table, .old_len = &len};

	prepare();
	/* 127/8, 127.0.0.1, 224/4, 10.0.0/24, 10.0.0.1, 255.255.255.255 */
	CHECK_EQ(count(dump(AF_INET, NET_RT_DUMP, 0), RTM_GET), 6);
	CHECK_EQ(count(dump(AF_INET, NET_RT_FLAGS, RTF_LLINFO), RTM_GET), 0);
	CHECK_EQ(neighbor_set(the, SA(host), lladdr, NEIGHBOR_PERMANENT), 0);
	CHECK_EQ(count(dump(AF_INET, NET_RT_DUMP, 0), RTM_GET), 7);
	CHECK_EQ(count(dump(AF_INET, NET_RT_FLAGS, RTF_LLINFO), RTM_GET), 1);
	CHECK_EQ(count(dump(AF_INET6, NET_RT_FLAGS, RTF_LLINFO), RTM_GET), 0);
	CHECK_EQ(count(dump(AF_INET, NET_RT_FLAGS, RTF_LOCAL), RTM_GET), 2);
	CHECK_EQ(count(dump(AF_INET, NET_RT_DUMP2, 0), RTM_GET2), 6);
	CHECK_EQ(count(dump(0, NET_RT_IFLIST, 0), RTM_IFINFO), 2);
	CHECK_EQ(count(dump(0, NET_RT_IFLIST, 0), RTM_NEWADDR), 3);
	CHECK_EQ(count(dump(AF_INET, NET_RT_IFLIST, (int)the->index), RTM_NEWADDR), 1);
	CHECK_EQ(count(dump(AF_INET, NET_RT_IFLIST, (int)the->index), RTM_IFINFO), 1);
	CHECK_EQ(count(dump(0, NET_RT_IFLIST2, 0), RTM_IFINFO2), 2);
	CHECK_EQ(dump(0, NET_RT_STAT, 0), sizeof(struct rtstat));
	CHECK_EQ(sysctl_by_mib(curmachine(), mib, 6, &a), ENOTSUP);
	CHECK_EQ(sysctl_by_mib(curmachine(), mib, 5, &a), EINVAL);
	mib[4] = NET_RT_DUMP;
	CHECK_EQ(sysctl_by_mib(curmachine(), mib, 6, &a), ENOMEM);
	mib[3] = AF_MAX;
	CHECK_EQ(sysctl_by_mib(curmachine(), mib, 6, &a), EINVAL);
	soclose(so);
}

/* ---- ioctls ------------------------------------------------------------------------------- */

static struct ifreq ifr;
static struct ifaliasreq ifra;
static struct in6_aliasreq ifra6;
static struct in6_ifreq ifr6;

static struct sockaddr_in
asked(unsigned long command)
{
	struct sockaddr_in sin;

	memset(&ifr, 0, sizeof ifr);
	strlcpy(ifr.ifr_name, "x0", sizeof ifr.ifr_name);
	CHECK_EQ(in_control(curmachine(), command, &ifr), 0);
	memcpy(&sin, &ifr.ifr_addr, sizeof sin);
	return sin;
}

static errno_t
alias(const char *name, struct sockaddr_in addr, struct sockaddr_in mask)
{
	memset(&ifra, 0, sizeof ifra);
	strlcpy(ifra.ifra_name, name, sizeof ifra.ifra_name);
	memcpy(&ifra.ifra_addr, &addr, sizeof addr);
	memcpy(&ifra.ifra_mask, &mask, sizeof mask);
	return in_control(curmachine(), SIOCAIFADDR, &ifra);
}

static errno_t
with_address(unsigned long command, struct sockaddr_in addr)
{
	memset(&ifr, 0, sizeof ifr);
	strlcpy(ifr.ifr_name, "x0", sizeof ifr.ifr_name);
	memcpy(&ifr.ifr_addr, &addr, sizeof addr);
	return in_control(curmachine(), command, &ifr);
}

KTEST(programs_set_ipv4_addresses)
{
	struct sockaddr_in none = {.sin_len = 0}, near = ipv4(30, 0, 0, 9), mask = ipv4(255, 255, 255, 0);

	prepare();
	soclose(so);
	CHECK_EQ(asked(SIOCGIFADDR).sin_addr.s_addr, htonl(0x0a000001));
	CHECK_EQ(asked(SIOCGIFNETMASK).sin_addr.s_addr, htonl(0xffffff00));
	CHECK_EQ(asked(SIOCGIFBRDADDR).sin_addr.s_addr, htonl(0x0a0000ff));
	CHECK_EQ(with_address(SIOCGIFDSTADDR, none), EINVAL);
	CHECK_EQ(alias("x9", ipv4(30, 0, 0, 1), mask), ENXIO);
	CHECK_EQ(alias("x0", ipv4(224, 0, 0, 1), mask), EINVAL);
	CHECK_EQ(alias("x0", ipv4(127, 0, 0, 1), mask), EEXIST);
	CHECK_EQ(alias("x0", none, mask), EAFNOSUPPORT);
	CHECK_EQ(alias("x0", ipv4(30, 0, 0, 1), mask), 0);
	CHECK(route_lookup(curmachine(), SA(near), NULL) == the);
	CHECK_EQ(alias("x0", ipv4(30, 0, 0, 1), ipv4(255, 255, 255, 252)), 0);	/* changed */
	CHECK(route_lookup(curmachine(), SA(near), NULL) == NULL);
	CHECK_EQ(with_address(SIOCDIFADDR, ipv4(30, 0, 0, 1)), 0);
	CHECK_EQ(with_address(SIOCDIFADDR, ipv4(30, 0, 0, 1)), EADDRNOTAVAIL);
	CHECK_EQ(with_address(SIOCSIFADDR, ipv4(30, 0, 0, 5)), 0);	/* instead of 10.0.0.1, class A */
	CHECK_EQ(asked(SIOCGIFADDR).sin_addr.s_addr, htonl(0x1e000005));
	CHECK_EQ(asked(SIOCGIFNETMASK).sin_addr.s_addr, htonl(0xff000000));
	CHECK_EQ(with_address(SIOCSIFNETMASK, mask), 0);
	CHECK_EQ(asked(SIOCGIFBRDADDR).sin_addr.s_addr, htonl(0x1e0000ff));
	CHECK_EQ(with_address(SIOCSIFBRDADDR, ipv4(30, 0, 0, 0)), 0);
	CHECK_EQ(asked(SIOCGIFBRDADDR).sin_addr.s_addr, htonl(0x1e000000));
	CHECK_EQ(with_address(SIOCDIFADDR, none), 0);
	CHECK_EQ(with_address(SIOCGIFADDR, none), EADDRNOTAVAIL);
	CHECK_EQ(with_address(SIOCDIFADDR, none), EADDRNOTAVAIL);
	CHECK_EQ(with_address(SIOCGIFMTU, none), 0);			/* DLIL's */
	CHECK_EQ(ifr.ifr_mtu, 1500);
}

KTEST(a_driver_may_refuse_an_address)
{
	struct sockaddr_in a = ipv4(30, 0, 0, 1);

	prepare();
	soclose(so);
	drv.ioctl_error = EIO;
	CHECK_EQ(alias("x0", a, ipv4(255, 255, 255, 0)), EIO);
	CHECK(ifaddr_find(curmachine(), SA(a)) == NULL);
}

KTEST(programs_list_interfaces)
{
	static char buffer[512];
	struct ifconf conf = {.ifc_len = sizeof buffer, .ifc_buf = buffer};
	int all;

	prepare();
	soclose(so);
	CHECK_EQ(in_control(curmachine(), SIOCGIFCONF, &conf), 0);
	all = conf.ifc_len;
	CHECK(all > 4 * 32);
	CHECK_STR(buffer, "lo0");
	conf.ifc_buf = NULL;
	CHECK_EQ(in_control(curmachine(), SIOCGIFCONF, &conf), 0);
	CHECK_EQ(conf.ifc_len, all);
	conf.ifc_buf = buffer;
	conf.ifc_len = 40;
	CHECK_EQ(in_control(curmachine(), SIOCGIFCONF, &conf), 0);
	CHECK(conf.ifc_len <= 40);
	conf.ifc_len = -1;
	CHECK_EQ(in_control(curmachine(), SIOCGIFCONF, &conf), EINVAL);
}

static errno_t
alias6(struct sockaddr_in6 addr, unsigned prefix, uint32_t preferred, uint32_t valid)
{
	memset(&ifra6, 0, sizeof ifra6);
	strlcpy(ifra6.ifra_name, "x0", sizeof ifra6.ifra_name);
	ifra6.ifra_addr = addr;
	ifra6.ifra_prefixmask.sin6_len = sizeof ifra6.ifra_prefixmask;
	memset(&ifra6.ifra_prefixmask.sin6_addr, 0xff, prefix / 8);
	ifra6.ifra_flags = IN6_IFF_NODAD;
	ifra6.ifra_lifetime.ia6t_pltime = preferred;
	ifra6.ifra_lifetime.ia6t_vltime = valid;
	return in6_control(curmachine(), SIOCAIFADDR_IN6, &ifra6);
}

static errno_t
ask6(unsigned long command, struct sockaddr_in6 addr)
{
	memset(&ifr6, 0, sizeof ifr6);
	strlcpy(ifr6.ifr_name, "x0", sizeof ifr6.ifr_name);
	ifr6.ifr_ifru.ifru_addr = addr;
	return in6_control(curmachine(), command, &ifr6);
}

KTEST(programs_set_ipv6_addresses)
{
	struct sockaddr_in6 a = ipv6(0x20, 0x01, 1), ll = ipv6(0xfe, 0x80, 1), none = {.sin6_len = 0};

	prepare();
	soclose(so);
	CHECK_EQ(attach_recorder(the, PF_INET6), 0);
	CHECK_EQ(alias6(ipv6(0xff, 0x02, 1), 64, 10, 20), EADDRNOTAVAIL);
	CHECK_EQ(alias6(ipv6(0, 0, 0), 64, 10, 20), EADDRNOTAVAIL);
	CHECK_EQ(alias6(ipv6(0, 0, 1), 64, 10, 20), EADDRNOTAVAIL);
	CHECK_EQ(alias6(none, 64, 10, 20), EAFNOSUPPORT);
	CHECK_EQ(alias6(a, 64, 30, 20), EINVAL);
	CHECK_EQ(alias6(a, 64, 0, 0), 0);
	CHECK_EQ(ask6(SIOCGIFAFLAG_IN6, a), EADDRNOTAVAIL);
	CHECK_EQ(alias6(a, 64, 10, UINT32_MAX), 0);
	CHECK_EQ(alias6(ll, 64, UINT32_MAX, UINT32_MAX), 0);
	CHECK_EQ(ask6(SIOCGIFALIFETIME_IN6, a), 0);
	CHECK_EQ(ifr6.ifr_ifru.ifru_lifetime.ia6t_pltime, 10);
	CHECK_EQ(ifr6.ifr_ifru.ifru_lifetime.ia6t_vltime, UINT32_MAX);
	CHECK_EQ(ifr6.ifr_ifru.ifru_lifetime.ia6t_expire, 0);
	sched_block(NULL, machine_now(curmachine()) + UINT64_C(11000000000), false, "the test waits");
	CHECK_EQ(ask6(SIOCGIFAFLAG_IN6, a), 0);
	CHECK(ifr6.ifr_ifru.ifru_flags6 & IN6_IFF_DEPRECATED);
	CHECK_EQ(alias6(a, 64, 10, 20), 0);		/* a new lease of life */
	CHECK_EQ(ask6(SIOCGIFAFLAG_IN6, a), 0);
	CHECK_EQ(ifr6.ifr_ifru.ifru_flags6 & IN6_IFF_DEPRECATED, 0);
	CHECK_EQ(ask6(SIOCGIFADDR_IN6, ll), 0);		/* shown in the kernel's form */
	CHECK_EQ(ifr6.ifr_ifru.ifru_addr.sin6_addr.s6_addr[3], the->index);
	CHECK_EQ(ask6(SIOCGIFNETMASK_IN6, a), 0);
	CHECK_EQ(ifr6.ifr_ifru.ifru_addr.sin6_addr.s6_addr[7], 0xff);
	CHECK_EQ(ifr6.ifr_ifru.ifru_addr.sin6_addr.s6_addr[8], 0);
	CHECK_EQ(ask6(SIOCGIFDSTADDR_IN6, a), EINVAL);
	CHECK_EQ(ask6(SIOCSIFADDR_IN6, a), EINVAL);
	CHECK_EQ(ask6(SIOCPROTODETACH_IN6, a), EBUSY);
	CHECK_EQ(ask6(SIOCDIFADDR_IN6, a), 0);
	CHECK_EQ(ask6(SIOCDIFADDR_IN6, a), EADDRNOTAVAIL);
	CHECK_EQ(ask6(SIOCDIFADDR_IN6, ll), 0);
}

KTEST_SUITE(rtsock,
    T(layouts_are_darwins),
    T(routes_are_added_asked_for_changed_and_deleted),
    T(requests_that_are_wrong_are_told_so),
    T(everybody_hears_but_who_does_not_want_to),
    T(addresses_and_interfaces_are_announced),
    T(groups_are_announced),
    T(misses_redirects_and_losing_routes_are_announced),
    T(who_resolves_outside_is_told_of_each_clone),
    T(neighbours_are_host_routes),
    T(a_full_socket_misses_messages),
    T(random_messages_do_no_harm),
    T(the_table_is_read_by_sysctl),
    T(programs_set_ipv4_addresses),
    T(a_driver_may_refuse_an_address),
    T(programs_list_interfaces),
    T(programs_set_ipv6_addresses));
