/* ICMPv6 inside the core: its state, and what its files share (icmp6.c, icmp6_error.c). */
#ifndef NKE_NETINET6_ICMP6_PRIVATE_H
#define NKE_NETINET6_ICMP6_PRIVATE_H

#include <netinet/icmp6.h>

#include "src/netinet/in_bucket.h"
#include "src/netinet6/ip6_state.h"

#define ICMP6_RATE_LIMIT	500	/* errors per second: net.inet6.icmp6.errppslimit at first */
#define ICMP6_GROUP_ECHO_LIMIT	100	/* answers per second to what was sent to a group */

struct icmp6_state {
	struct icmp6stat stat;
	struct in_bucket errors, redirects, group_answers;
	/* net.inet6.icmp6.* */
	int limit;			/* errppslimit */
	int accept_redirects;		/* rediraccept */
};

/* BSD's counters. */
struct icmp6stat *icmp6_statistics(struct nke *);

/* Does the interface listen to the group? Every one does to that of all nodes; NULL: yes. */
bool icmp6_is_member(const struct ifnet *, const struct in6_addr *group);
/*
 * An answer or an error of this machine: data at the IPv6 header, of which only addresses and hop limit
 * (0: the usual) are filled in; the ICMPv6 header behind it, without checksum. Counts and sends; consumes.
 * `ifp`: on that link, when the destination is link-local; NULL: any.
 */
void icmp6_send(struct nke *, struct mbuf *, struct ifnet *ifp);
/*
 * RFC 4861 8.2: the sender of m (not consumed) had better send packets for that destination to `target` (a
 * router's link-local address, or the destination itself). Limited like errors.
 */
void icmp6_redirect_output(struct nke *, const struct mbuf *m, const struct in6_addr *target);

#endif
