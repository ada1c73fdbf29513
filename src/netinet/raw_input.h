/*
 * The way to raw sockets, for IP and for protocols that are handled here and shown to them as well. See
 * raw_ip.c, src/netinet6/raw_ip6.c.
 */
#ifndef NKE_NETINET_RAW_INPUT_H
#define NKE_NETINET_RAW_INPUT_H

#include "src/kern/machine.h"

struct mbuf;

/*
 * A datagram that no transport takes, or that ICMP and IGMP have done with: to every raw socket that wants
 * it, echo replies to the datagram socket that asked. Consumes. Data at the IP header; `off` is where the
 * protocol's begin.
 */
void rip_input(struct nke *, struct mbuf *, int off, uint8_t protocol);
void rip6_input(struct nke *, struct mbuf *, int off, uint8_t protocol);
/* Is there a raw socket for that protocol at all? (Before a packet is copied, or refused.) */
bool rip_wants(const struct nke *, uint8_t protocol);
bool rip6_wants(const struct nke *, uint8_t protocol);

#endif
