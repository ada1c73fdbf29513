/* Building and taking apart the messages of rtmsg.h. Called by rttell.c, rtsock.c and route_sysctl.c. */
#include <net/if_dl.h>
#include <net/if_types.h>
#include <netinet/in.h>
#include <string.h>

#include "src/kern/sched.h"
#include "src/net/ifaddr.h"
#include "src/net/neighbor.h"
#include "src/net/route_private.h"
#include "src/net/rtable_private.h"
#include "src/net/rtmsg.h"

#define NSEC	UINT64_C(1000000000)

/* ---- pieces ------------------------------------------------------------------------------- */

static void *
begin(struct rtmsg *msg, int type, size_t header)
{
	struct rt_msghdr *h = rtmsg_header(msg);

	memset(msg->bytes, 0, header);
	msg->len = RTMSG_ROUND(header);
	msg->addrs = 0;
	h->rtm_version = RTM_VERSION;
	h->rtm_type = (u_char)type;
	h->rtm_msglen = (u_short)msg->len;
	return h;
}

void
rtmsg_add(struct rtmsg *msg, int rtax, const struct sockaddr *sa)
{
	struct sockaddr_storage form;
	size_t padded;
	struct rt_msghdr *h = rtmsg_header(msg);

	if (sa == NULL || sa->sa_len == 0 || sa->sa_len > sizeof form)
		return;
	ifaddr_kernel_form(sa, &form);
	padded = RTMSG_ROUND(form.ss_len);
	if (msg->len + padded > sizeof msg->bytes)
		return;
	memcpy(msg->bytes + msg->len, &form, padded);
	msg->len += padded;
	msg->addrs |= 1 << rtax;
	h->rtm_msglen = (u_short)msg->len;
	/* The member is at another place in messages about interfaces; its owner sets it again. */
	if (h->rtm_type < RTM_NEWADDR || h->rtm_type == RTM_GET2)
		h->rtm_addrs = msg->addrs;
}

static void
add_storage(struct rtmsg *msg, int rtax, const struct sockaddr_storage *ss)
{
	rtmsg_add(msg, rtax, rt_sa(ss));
}

static void
add_link(struct rtmsg *msg, const struct ifnet *ifp)
{
	const struct ifaddr *ifa = TAILQ_FIRST(&ifp->addresses);

	if (ifa != NULL && ifa->addr.ss_family == AF_LINK)
		add_storage(msg, RTAX_IFP, &ifa->addr);
}

static void
add_mask(struct rtmsg *msg, const struct rtentry *rt)
{
	struct rt_key mask = rtrie_mask(rt->rt_plen);
	struct sockaddr_storage ss;
	uint64_t w[2] = {__builtin_bswap64(mask.w[0]), __builtin_bswap64(mask.w[1])};

	memset(&ss, 0, sizeof ss);
	ss.ss_family = rt->rt_dst.ss_family;
	ss.ss_len = rt->rt_dst.ss_len;
	if (ss.ss_family == AF_INET)
		memcpy((uint8_t *)&ss + offsetof(struct sockaddr_in, sin_addr), w, 4);
	else
		memcpy((uint8_t *)&ss + offsetof(struct sockaddr_in6, sin6_addr), w, sizeof w);
	/* Not through rtmsg_add: a mask has no zone. */
	if (msg->len + RTMSG_ROUND(ss.ss_len) > sizeof msg->bytes)
		return;
	memcpy(msg->bytes + msg->len, &ss, RTMSG_ROUND(ss.ss_len));
	msg->len += RTMSG_ROUND(ss.ss_len);
	msg->addrs |= RTA_NETMASK;
}

/* ---- routes ------------------------------------------------------------------------------- */

static void
add_route(struct rtmsg *msg, const struct rtentry *rt, bool interface)
{
	add_storage(msg, RTAX_DST, &rt->rt_dst);
	add_storage(msg, RTAX_GATEWAY, &rt->rt_gateway);
	if (!(rt->rt_flags & RTF_HOST))
		add_mask(msg, rt);
	if (!interface || rt->rt_ifp == NULL)
		return;
	add_link(msg, rt->rt_ifp);
	if (rt->rt_ifa != NULL) {
		add_storage(msg, RTAX_IFA, &rt->rt_ifa->addr);
		if (rt->rt_ifp->flags & IFF_POINTOPOINT)
			add_storage(msg, RTAX_BRD, &rt->rt_ifa->dst);
	}
}

static void
fill_metrics(const struct rtentry *rt, struct rt_metrics *rmx)
{
	*rmx = rt->rt_rmx;
	if (rt->rt_ifp != NULL)
		rmx->rmx_mtu = rt_mtu(rt);
}

void
rtmsg_route(struct rtmsg *msg, const struct rtentry *rt, int type, bool interface)
{
	struct rt_msghdr *h = begin(msg, type, sizeof *h);

	add_route(msg, rt, interface);
	h->rtm_msglen = (u_short)msg->len;
	h->rtm_addrs = msg->addrs;
	h->rtm_flags = (int)rt->rt_flags;
	h->rtm_index = (u_short)(rt->rt_ifp != NULL ? rt->rt_ifp->index : 0);
	fill_metrics(rt, &h->rtm_rmx);
}

void
rtmsg_route2(struct rtmsg *msg, const struct rtentry *rt)
{
	struct rt_msghdr2 *h = begin(msg, RTM_GET2, sizeof *h);

	add_route(msg, rt, false);
	h->rtm_msglen = (u_short)msg->len;
	h->rtm_addrs = msg->addrs;
	h->rtm_flags = (int)rt->rt_flags;
	h->rtm_index = (u_short)(rt->rt_ifp != NULL ? rt->rt_ifp->index : 0);
	h->rtm_refcnt = (int32_t)rt->rt_refcnt;
	h->rtm_parentflags = rt->rt_parent != NULL ? (int)rt->rt_parent->rt_flags : 0;
	fill_metrics(rt, &h->rtm_rmx);
}

void
rtmsg_plain(struct rtmsg *msg, int type, int flags, errno_t error)
{
	struct rt_msghdr *h = begin(msg, type, sizeof *h);

	h->rtm_flags = flags;
	h->rtm_errno = error;
}

void
rtmsg_neighbor(struct rtmsg *msg, const struct neighbor *n, int type)
{
	struct rt_msghdr *h = begin(msg, type, sizeof *h);
	struct sockaddr_dl sdl = {
		.sdl_len = sizeof sdl, .sdl_family = AF_LINK, .sdl_index = (u_short)n->ifp->index,
		.sdl_type = n->ifp->type,
	};
	struct sockaddr_storage dst;
	uint64_t now = machine_now(n->ifp->machine);

	if (n->state >= NEIGHBOR_STALE) {
		sdl.sdl_alen = sizeof n->lladdr;
		memcpy(LLADDR(&sdl), n->lladdr, sizeof n->lladdr);
	}
	neighbor_sockaddr(n, &dst);
	add_storage(msg, RTAX_DST, &dst);
	rtmsg_add(msg, RTAX_GATEWAY, (const struct sockaddr *)(const void *)&sdl);
	h->rtm_index = (u_short)n->ifp->index;
	h->rtm_flags = RTF_UP | RTF_HOST | RTF_LLINFO;
	h->rtm_flags |= n->flags & NEIGHBOR_PERMANENT ? RTF_STATIC : RTF_WASCLONED;
	if (n->flags & NEIGHBOR_PUBLISHED)
		h->rtm_flags |= RTF_PROXY;
	if (n->flags & NEIGHBOR_ROUTER)
		h->rtm_flags |= RTF_ROUTER;
	h->rtm_rmx.rmx_mtu = n->ifp->mtu;
	if (n->deadline != UINT64_MAX && !(n->flags & NEIGHBOR_PERMANENT))
		h->rtm_rmx.rmx_expire = rt_calendar(n->ifp->machine, n->deadline > now ? n->deadline : now);
}

/* ---- interfaces and addresses ------------------------------------------------------------- */

static uint32_t
cut(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static struct timeval32
last_change(const struct ifnet *ifp)
{
	const struct nke *m = ifp->machine;
	uint64_t at = world_calendar_now(m->world) - machine_now(m) + ifp->lastchange;
	struct timeval32 tv = {
		.tv_sec = (__int32_t)(at / NSEC), .tv_usec = (__int32_t)(at % NSEC / 1000),
	};

	return tv;
}

static void
fill_data(const struct ifnet *ifp, struct if_data *d)
{
	const struct ifnet_stats *s = &ifp->stats;

	d->ifi_type = ifp->type;
	d->ifi_addrlen = ifp->addrlen;
	d->ifi_hdrlen = ifp->hdrlen;
	d->ifi_mtu = ifp->mtu;
	d->ifi_metric = ifp->metric;
	d->ifi_baudrate = cut(ifp->baudrate);
	d->ifi_ipackets = (uint32_t)s->ipackets;	/* these wrap, as counters of 32 bits do */
	d->ifi_ierrors = (uint32_t)s->ierrors;
	d->ifi_opackets = (uint32_t)s->opackets;
	d->ifi_oerrors = (uint32_t)s->oerrors;
	d->ifi_collisions = (uint32_t)s->collisions;
	d->ifi_ibytes = (uint32_t)s->ibytes;
	d->ifi_obytes = (uint32_t)s->obytes;
	d->ifi_imcasts = (uint32_t)s->imcasts;
	d->ifi_omcasts = (uint32_t)s->omcasts;
	d->ifi_iqdrops = (uint32_t)s->iqdrops;
	d->ifi_noproto = (uint32_t)s->noproto;
	d->ifi_hwassist = ifp->offload;
	d->ifi_lastchange = last_change(ifp);
}

static void
fill_data64(const struct ifnet *ifp, struct if_data64 *d)
{
	const struct ifnet_stats *s = &ifp->stats;

	d->ifi_type = ifp->type;
	d->ifi_addrlen = ifp->addrlen;
	d->ifi_hdrlen = ifp->hdrlen;
	d->ifi_mtu = ifp->mtu;
	d->ifi_metric = ifp->metric;
	d->ifi_baudrate = ifp->baudrate;
	d->ifi_ipackets = s->ipackets;
	d->ifi_ierrors = s->ierrors;
	d->ifi_opackets = s->opackets;
	d->ifi_oerrors = s->oerrors;
	d->ifi_collisions = s->collisions;
	d->ifi_ibytes = s->ibytes;
	d->ifi_obytes = s->obytes;
	d->ifi_imcasts = s->imcasts;
	d->ifi_omcasts = s->omcasts;
	d->ifi_iqdrops = s->iqdrops;
	d->ifi_noproto = s->noproto;
	d->ifi_lastchange = last_change(ifp);
}

void
rtmsg_interface(struct rtmsg *msg, const struct ifnet *ifp, int type, bool link)
{
	struct if_msghdr *h;
	struct if_msghdr2 *h2;

	if (type == RTM_IFINFO2) {
		h2 = begin(msg, type, sizeof *h2);
		fill_data64(ifp, &h2->ifm_data);
		h2->ifm_snd_maxlen = IFQ_MAXLEN;
		h2->ifm_index = (u_short)ifp->index;
	} else {
		h = begin(msg, type, sizeof *h);
		fill_data(ifp, &h->ifm_data);
		h->ifm_index = (unsigned short)ifp->index;
	}
	if (link)
		add_link(msg, ifp);
	/* Both begin alike. */
	h = (struct if_msghdr *)(void *)msg->bytes;
	h->ifm_flags = ifp->flags;
	h->ifm_addrs = msg->addrs;
}

void
rtmsg_address(struct rtmsg *msg, const struct ifaddr *ifa, int type, bool link)
{
	struct ifa_msghdr *h = begin(msg, type, sizeof *h);
	struct sockaddr_storage mask = ifa->mask;

	add_storage(msg, RTAX_NETMASK, &mask);
	if (link)
		add_link(msg, ifa->ifp);
	add_storage(msg, RTAX_IFA, &ifa->addr);
	add_storage(msg, RTAX_BRD, &ifa->dst);
	h->ifam_addrs = msg->addrs;
	h->ifam_flags = (int)ifa->flags;
	h->ifam_index = (unsigned short)ifa->ifp->index;
	h->ifam_metric = (int)ifa->ifp->metric;
}

void
rtmsg_multicast(struct rtmsg *msg, const struct ifmultiaddr *ifma, int type)
{
	struct ifma_msghdr *h;
	struct ifma_msghdr2 *h2;

	if (type == RTM_NEWMADDR2) {
		h2 = begin(msg, type, sizeof *h2);
		h2->ifmam_refcount = (int32_t)ifma->refcount;
	} else {
		begin(msg, type, sizeof *h);
	}
	if (ifma->ll != NULL)
		add_storage(msg, RTAX_GATEWAY, &ifma->ll->addr);
	add_link(msg, ifma->ifp);
	add_storage(msg, RTAX_IFA, &ifma->addr);
	h = (struct ifma_msghdr *)(void *)msg->bytes;
	h->ifmam_addrs = msg->addrs;
	h->ifmam_index = (unsigned short)ifma->ifp->index;
}

/* ---- the way in --------------------------------------------------------------------------- */

errno_t
rtmsg_addresses(const void *p, size_t len, int addrs, struct sockaddr_storage out[RTAX_MAX])
{
	const uint8_t *at = p;
	size_t size, padded;

	memset(out, 0, RTAX_MAX * sizeof out[0]);
	for (int i = 0; i < RTAX_MAX; i++) {
		if (!(addrs & 1 << i))
			continue;
		if (len == 0)
			return EINVAL;
		size = at[0];
		/* A length of 0 takes up one unit: the mask of a default route. */
		padded = size != 0 ? RTMSG_ROUND(size) : 4;
		if (size > sizeof out[0] || size == 1 || size > len)
			return EINVAL;
		memcpy(&out[i], at, size);
		/* What stands for an address is there, though it is empty. */
		if (size == 0)
			out[i].ss_len = 2;
		if (padded > len)
			padded = len;
		at += padded;
		len -= padded;
	}
	return 0;
}
