/* ICMP inside the core: its state, and what its files share (ip_icmp.c, icmp_error.c, icmp_reflect.c). */
#ifndef NKE_NETINET_ICMP_PRIVATE_H
#define NKE_NETINET_ICMP_PRIVATE_H

#include <netinet/icmp_var.h>
#include <netinet/ip_icmp.h>

#include "src/netinet/in_bucket.h"
#include "src/netinet/ip_state.h"

#define ICMP_RATE_LIMIT		250	/* errors per second: net.inet.icmp.icmplim at first */
#define ICMP_GROUP_ECHO_LIMIT	100	/* answers per second to what was sent to a group or everybody */

struct icmp_state {
	struct icmpstat stat;
	struct in_bucket errors, redirects, group_answers;
	uint32_t suppressed;		/* errors not sent since `suppressed_at` */
	uint64_t suppressed_at;		/* uptime ns; of the last log line about that */
	/* net.inet.icmp.* */
	int limit;			/* icmplim */
	int group_echo;			/* bmcastecho: answers what was sent to a group or to everybody */
	int mask_reply;			/* maskrepl */
	int timestamp;
	int drop_redirect;
};

/* BSD's counters. */
struct icmpstat *icmp_statistics(struct nke *);

/* ---- icmp_reflect.c ----------------------------------------------------------------------- */

/*
 * Sends a message back to where it came from: data at the IP header, the ICMP header at `off`, of type
 * `type` from now on; `resum`: its checksum is made anew. Consumes.
 */
void icmp_reflect(struct nke *, struct mbuf *m, int off, uint8_t type, bool resum);

#endif
