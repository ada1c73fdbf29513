/*
 * Binding a socket to a local address and port, by BSD's rules, and the choice of ports.
 *
 * Two sockets may be bound to one port
 *  - when both have SO_REUSEPORT;
 *  - when the newer has SO_REUSEADDR or SO_REUSEPORT, unless both say the same address;
 *  - to a multicast address, when both have SO_REUSEADDR: it counts as SO_REUSEPORT there;
 *  - to the unspecified address, one IPv4 and one IPv6, although the latter may hear IPv4 as well.
 * Different addresses are never in each other's way. A connected socket, and one of TCP that is waiting in
 * TIME_WAIT, is in the way only of sockets with neither option.
 *
 * Ports of the system's choice (RFC 6056): double hash (3.3.4) when the peer is known, else random
 * (3.3.1). Ranges: net.inet.ip.portrange.*. Ports below 1024 need privilege.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/prng.h"
#include "src/kern/so_filter.h"
#include "src/net/ifaddr.h"
#include "src/netinet/in_pcb.h"

/* What somebody wants to be bound to. */
struct wish {
	struct in6_addr addr;
	uint32_t zone;
	uint16_t port;			/* network order */
	uint8_t vflag;
	bool multicast;
};

static bool
unspecified(const struct in6_addr *a)
{
	return IN6_IS_ADDR_UNSPECIFIED(a);
}

static bool
same_address(const struct wish *w, const struct inpcb *t)
{
	return IN6_ARE_ADDR_EQUAL(&w->addr, &t->inp_laddr6) &&
	    (w->zone == 0 || t->inp_lzone == 0 || w->zone == t->inp_lzone);
}

/*
 * Does `t` hold what is wished for? `wild`: the unspecified address stands for all, and connected
 * sockets count.
 */
static bool
overlaps(const struct wish *w, const struct inpcb *t, bool wild)
{
	if (t->inp_lport != w->port || !(t->inp_vflag & w->vflag))
		return false;
	if (!wild)
		return t->inp_fport == 0 && same_address(w, t);
	return unspecified(&w->addr) || unspecified(&t->inp_laddr6) || same_address(w, t);
}

/* Unspecified addresses of the two families get on: each hears its own. */
static bool
families_apart(const struct inpcb *inp, const struct wish *w, const struct inpcb *t)
{
	sa_family_t mine = inp->inp_socket->so_family, theirs = t->inp_socket->so_family;

	if (mine == theirs || !unspecified(&w->addr) || w->vflag == t->inp_vflag)
		return false;
	/* An IPv6 one that would hear IPv4 too gives way to the IPv4 socket, whatever that is bound to. */
	return mine == PF_INET6 || unspecified(&t->inp_laddr6);
}

/* Another user's socket keeps its port, unless both reuse it knowingly. */
static bool
other_users(const struct inpcb *inp, const struct wish *w, const struct inpcb *t)
{
	if (inp->inp_socket->so_uid == 0 || inp->inp_socket->so_uid == t->inp_socket->so_uid)
		return false;
	return !unspecified(&w->addr) || !unspecified(&t->inp_laddr6) ||
	    !(t->inp_socket->so_options & SO_REUSEPORT);
}

/* Something of the protocol's that has no block any more (TIME_WAIT) has the port. */
static bool
still_waiting(const struct inpcb *inp, const struct wish *w)
{
	const struct inpcbinfo *info = inp->inp_info;
	struct in_ends ends = {.laddr = w->addr, .lport = w->port, .vflag = w->vflag};

	return info->waits != NULL && info->waits(info->machine, &ends);
}

/*
 * Connected ones are looked at only where they can be in the way: of who reuses nothing, and of another user.
 */
static bool
in_use(const struct inpcb *inp, const struct wish *w)
{
	uint32_t options = inp->inp_socket->so_options, reuse = options & SO_REUSEPORT;
	bool wild = !(options & (SO_REUSEADDR | SO_REUSEPORT));
	unsigned lists = wild || (!w->multicast && inp->inp_socket->so_uid != 0) ? 2 : 1;
	struct inpcb *t;

	if (w->multicast && (options & SO_REUSEADDR))
		reuse = SO_REUSEADDR | SO_REUSEPORT;
	for (unsigned i = 0; i < lists; i++) {
		LIST_FOREACH(t, in_pcbport(inp->inp_info, w->port, i == 1), inp_portlist) {
			if (t == inp || families_apart(inp, w, t))
				continue;
			if (!w->multicast && overlaps(w, t, true) && other_users(inp, w, t))
				return true;
			if (overlaps(w, t, wild) && !(reuse & t->inp_socket->so_options))
				return true;
		}
	}
	return wild && !w->multicast && still_waiting(inp, w);
}

/* ---- ports -------------------------------------------------------------------------------- */

/* Nobody at all is bound to it, as far as packets for this socket are concerned. */
static bool
port_free(const struct inpcb *inp, const struct wish *w)
{
	struct inpcb *t;

	IN_PCBPORT_FOREACH(t, inp->inp_info, w->port)
		if (t != inp && overlaps(w, t, true))
			return false;
	return !still_waiting(inp, w);
}

/*
 * For a connection it is enough that no other has these two ends, and that nobody listens at ours: one port
 * serves connections to many peers.
 */
static bool
pair_free(const struct inpcb *inp, const struct in_ends *peer, uint16_t port)
{
	struct in_ends ends = *peer;

	ends.lport = port;
	return in_pcblookup(inp->inp_info, &ends, true) == NULL &&
	    !inp->inp_info->waits(inp->inp_info->machine, &ends);
}

static errno_t
port_range(const struct inpcb *inp, uint32_t *first, uint32_t *last)
{
	const struct in_portrange *r = &inp->inp_info->machine->inet->ports;
	int a = r->first, b = r->last;

	if (inp->inp_flags & INP_HIGHPORT) {
		a = r->hifirst;
		b = r->hilast;
	} else if (inp->inp_flags & INP_LOWPORT) {
		if (!inp_privileged(inp->inp_socket))
			return EACCES;
		a = r->lowfirst;
		b = r->lowlast;
	}
	*first = (uint32_t)(a < b ? a : b);
	*last = (uint32_t)(a < b ? b : a);
	return 0;
}

/* A keyed hash of both addresses and the peer's port (RFC 6056's F and G). */
static uint64_t
hash_peer(const struct inpcbinfo *info, const struct in_ends *e)
{
	uint64_t words[5] = {0}, h = info->port_key[0];

	memcpy(words, &e->laddr, 16);
	memcpy(words + 2, &e->faddr, 16);
	words[4] = e->fport;
	for (int i = 0; i < 5; i++) {
		__uint128_t p = (__uint128_t)(words[i] ^ h) * (info->port_key[1] | 1);

		h = (uint64_t)p ^ (uint64_t)(p >> 64) ^ info->port_key[(i + 1) & 1];
	}
	return h;
}

errno_t
in_pcbchooseport(struct inpcb *inp, const struct in_ends *peer)
{
	struct inpcbinfo *info = inp->inp_info;
	struct wish w = {
		.addr = inp->inp_laddr6, .zone = inp->inp_lzone, .vflag = inp->inp_vflag
	};
	uint16_t *counter = NULL;
	uint32_t first, last, count, offset;
	errno_t error;

	error = port_range(inp, &first, &last);
	if (error != 0)
		return error;
	count = last - first + 1;
	if (peer != NULL) {
		uint64_t h = hash_peer(info, peer);

		counter = &info->port_table[h >> 56];
		offset = (uint32_t)h;
	} else {
		offset = prng_u32(info->machine);
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t step = counter != NULL ? (*counter)++ : i;

		w.port = htons((uint16_t)(first + (offset + step) % count));
		if (w.port == 0)
			continue;
		if (peer != NULL && info->waits != NULL ? pair_free(inp, peer, w.port) : port_free(inp, &w)) {
			inp->inp_lport = w.port;
			return 0;
		}
	}
	return EADDRNOTAVAIL;
}

/* ---- addresses ---------------------------------------------------------------------------- */

static bool
on_interface6(const struct ifnet *ifp, const struct in6_addr *addr)
{
	const struct ifaddr *ifa;

	TAILQ_FOREACH(ifa, &ifp->addresses, link) {
		const struct in6_addr *a =
		    &((const struct sockaddr_in6 *)(const void *)&ifa->addr)->sin6_addr;

		/* Bytes 2 and 3 may hold the interface's number. */
		if (ifa->addr.ss_family == AF_INET6 && a->s6_addr16[0] == addr->s6_addr16[0] &&
		    memcmp(&a->s6_addr32[1], &addr->s6_addr32[1], 12) == 0)
			return true;
	}
	return false;
}

bool
in_pcb_ours(struct nke *machine, uint8_t vflag, const struct in6_addr *addr, uint32_t zone)
{
	struct ifnet *ifp;

	if (vflag == INP_IPV4)
		return ifaddr_find_in4(machine, addr->s6_addr32[3]) != NULL;
	if (!IN6_IS_ADDR_LINKLOCAL(addr))
		return ifaddr_find_in6(machine, addr) != NULL;
	return in_option_interface(machine, zone, &ifp) == 0 && ifp != NULL &&
	    on_interface6(ifp, addr);
}

/* What the address means to this socket, and whether it may have it. */
static errno_t
read_address(struct inpcb *inp, const struct sockaddr *sa, struct wish *w)
{
	bool inet6 = inp->inp_socket->so_family == PF_INET6;
	struct sockaddr_in6 sin6;
	struct in_peer p;
	errno_t error;

	if (inet6 && sa->sa_family == AF_INET6 && sa->sa_len == sizeof sin6) {
		memcpy(&sin6, sa, sizeof sin6);
		if (IN6_IS_ADDR_UNSPECIFIED(&sin6.sin6_addr)) {
			memset(w, 0, sizeof *w);
			w->port = sin6.sin6_port;
			w->vflag = inp->inp_flags & INP_V6ONLY ? INP_IPV6 : INP_IPV4 | INP_IPV6;
			return 0;
		}
	}
	error = in_pcbpeer(inp, sa, &p);
	if (error != 0)
		return error == EHOSTUNREACH || error == ENXIO ? EADDRNOTAVAIL : error;
	w->addr = p.addr;
	w->zone = p.zone;
	w->port = p.port;
	w->vflag = p.vflag;
	w->multicast = p.vflag == INP_IPV4 ? IN_MULTICAST(ntohl(p.addr.s6_addr32[3])) :
	    IN6_IS_ADDR_MULTICAST(&p.addr);
	if (!w->multicast && !unspecified(&w->addr) &&
	    !in_pcb_ours(inp->inp_info->machine, w->vflag, &w->addr, w->zone))
		return EADDRNOTAVAIL;
	return 0;
}

errno_t
in_pcbbind(struct inpcb *inp, const struct sockaddr *sa)
{
	struct wish before = {
		.addr = inp->inp_laddr6, .zone = inp->inp_lzone, .vflag = inp->inp_vflag
	}, w = {0};
	errno_t error;

	if (inp->inp_lport != 0 || (sa != NULL && !unspecified(&inp->inp_laddr6)))
		return EINVAL;
	if (sa == NULL) {
		w = before;
		if (inp->inp_socket->so_family == PF_INET6 && unspecified(&w.addr) &&
		    !(inp->inp_flags & INP_V6ONLY))
			w.vflag = INP_IPV4 | INP_IPV6;
	} else {
		error = read_address(inp, sa, &w);
		if (error != 0)
			return error;
		if (w.port != 0 && ntohs(w.port) < IPPORT_RESERVED && !inp_privileged(inp->inp_socket))
			return EACCES;
		if (w.port != 0 && in_use(inp, &w))
			return EADDRINUSE;
	}
	inp->inp_laddr6 = w.addr;
	inp->inp_lzone = w.zone;
	inp->inp_vflag = w.vflag;
	inp->inp_lport = w.port;
	error = w.port == 0 ? in_pcbchooseport(inp, NULL) : 0;
	if (error != 0) {
		inp->inp_laddr6 = before.addr;
		inp->inp_lzone = before.zone;
		inp->inp_vflag = before.vflag;
		return error;
	}
	if (sa != NULL && !unspecified(&w.addr))
		inp->inp_flags |= w.multicast ? INP_ADDRBOUND | INP_GROUPBOUND : INP_ADDRBOUND;
	in_pcbrehash(inp);
	so_filter_notify(inp->inp_socket, sock_evt_bound, NULL);
	return 0;
}
