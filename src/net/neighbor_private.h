/* What neighbor.c (the table) and neighbor_state.c (what happens to an entry) share. */
#ifndef NKE_NET_NEIGHBOR_PRIVATE_H
#define NKE_NET_NEIGHBOR_PRIVATE_H

#include "src/net/ifaddr.h"
#include "src/net/neighbor.h"

static inline unsigned
neighbor_family(uint8_t family)
{
	return family == AF_INET6;
}

/* May its link address be used without further ado? */
static inline bool
neighbor_state_usable(unsigned state)
{
	return state >= NEIGHBOR_CONFIGURED;
}

/* Of a protocol that is not registered, and in a replay: attempts is 0. */
void neighbor_timing(struct ifnet *, uint8_t family, struct neighbor_timing *);

/* ---- neighbor.c --------------------------------------------------------------------------- */

/* Sixteen bytes that name the address; false for families that have no neighbours. */
bool neighbor_key(const struct sockaddr *, uint8_t addr[16]);
struct neighbor *neighbor_at(struct ifnet *, uint8_t family, const uint8_t addr[16]);
/* A new entry in that state, without a link address. NULL: no room or no memory; counted. */
struct neighbor *neighbor_create(struct ifnet *, uint8_t family, const uint8_t addr[16], unsigned state,
    uint64_t deadline);
void neighbor_set_state(struct neighbor *, unsigned state, uint64_t deadline);
void neighbor_retain(struct neighbor *);
void neighbor_release(struct neighbor *);
/* The first for whom something is due; NULL none. *next: when something will be. */
struct neighbor *neighbor_due(struct neighbor_table *, uint64_t now, uint64_t *next);

/* ---- neighbor_state.c --------------------------------------------------------------------- */

/* The table's callout. */
void neighbor_timer(void *machine);
/* Takes the packets that wait, as a list. */
struct mbuf *neighbor_take_held(struct neighbor *);

#endif
