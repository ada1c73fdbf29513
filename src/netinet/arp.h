/*
 * ARP's state of a machine; arp.c (resolution, answers), arp_acd.c (address conflicts). Seen by these two
 * and their tests.
 */
#ifndef NKE_NETINET_ARP_H
#define NKE_NETINET_ARP_H

#include <netinet/if_ether.h>
#include <netinet/in_var.h>

#include "src/kern/kern_event.h"
#include "src/net/ifaddr.h"
#include "src/net/neighbor.h"

/* net.link.ether.inet.acd: what is done about other users of an address that is added. */
enum arp_acd_mode {
	ARP_ACD_OFF,			/* it is announced once */
	ARP_ACD_ASK,			/* asked for and announced at once, as it is used at once */
	ARP_ACD_PROBE			/* RFC 5227: not used before it has been asked for in vain */
};

/* One IPv4 address of an interface that speaks ARP. */
struct arp_address {
	TAILQ_ENTRY(arp_address) link;
	struct ifaddr *ifa;		/* referenced */
	unsigned probes, announces;	/* still to be sent */
	uint64_t due;			/* uptime ns of the next one, UINT64_MAX nothing */
	uint64_t defended;		/* uptime ns of the last defence, 0 never */
	bool settled;			/* may be used: never asked for, or asked in vain */
};

struct arp_state {
	struct arpstat stat;
	/* net.link.ether.inet.*; times in seconds */
	int max_age, prune_intvl, host_down_time, unicast_lim, maxtries, maxhold, maxhold_total, acd;
	uint64_t said;			/* uptime ns of the last line in the log about a strange packet */
	/* The router that does not answer: KEV_INET_ARPRTRFAILURE was posted. */
	struct in_addr failed_router;
	TAILQ_HEAD(, arp_address) addresses;
	struct callout timer;		/* of arp_acd.c */
	uint64_t armed;
	struct kev_listener listener;
};

/* Is it an interface whose IPv4 protocol speaks ARP? */
bool arp_capable(struct ifnet *);
/*
 * Sends one. `sender` 0: a probe (RFC 5227 2.1.1). `to` NULL: to everybody; `as` NULL: from our own link
 * address. Nothing when a capture is being replayed.
 */
void arp_send(struct ifnet *, u_short op, struct in_addr sender, struct in_addr target, const uint8_t *to,
    const uint8_t *as);
/* A line in the log about something that others do, at most one a second. */
bool arp_may_log(struct nke *);
void arp_format(char text[18], const uint8_t lladdr[6]);

/* ---- arp_acd.c ---------------------------------------------------------------------------- */

void arp_acd_init(struct nke *);
void arp_acd_stop(struct nke *);
void arp_acd_address_changed(struct ifaddr *, bool added);
/* The link came, or has another address: all addresses are announced again. */
void arp_acd_restart(struct ifnet *);
/*
 * Looks at a packet of another station for signs that it uses one of our addresses, or is about to. True:
 * the packet is no good for anything else.
 */
bool arp_acd_input(struct ifnet *, const struct ether_arp *);

static inline struct in_addr
arp_in_addr(const void *bytes)
{
	struct in_addr in;

	memcpy(&in, bytes, sizeof in);
	return in;
}

static inline struct in_addr
arp_address_of(const struct ifaddr *ifa)
{
	return ((const struct sockaddr_in *)(const void *)&ifa->addr)->sin_addr;
}

#endif
