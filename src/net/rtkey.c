/*
 * What the routing table is sorted by: addresses as numbers of 128 bits, and back; and its two calendars.
 * Called by the table's files only (rtable_private.h).
 */
#include <netinet/in.h>
#include <string.h>

#include "src/kern/sched.h"
#include "src/net/route_private.h"
#include "src/net/rtable_private.h"

#define NSEC	UINT64_C(1000000000)

static uint64_t
big_endian(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return __builtin_bswap64(v);
}

/* fe80::/10, ff01::/16 and ff02::/16 and what has their scope: good on one link. */
static bool
has_zone(uint64_t w)
{
	return w >> 54 == 0xfe80u >> 6 || (w >> 56 == 0xff && ((w >> 48 & 0xf) == 1 || (w >> 48 & 0xf) == 2));
}

bool
rt_key(const struct sockaddr *sa, struct rt_key *k)
{
	const uint8_t *a;
	size_t n = sockaddr_bytes(sa, &a);
	uint32_t v4, zone;

	if (n == 4) {
		memcpy(&v4, a, sizeof v4);
		k->w[0] = (uint64_t)ntohl(v4) << 32;
		k->w[1] = 0;
		return true;
	}
	if (n == 0)
		return false;
	k->w[0] = big_endian(a);
	k->w[1] = big_endian(a + 8);
	if (has_zone(k->w[0]) && (k->w[0] >> 32 & 0xffff) == 0) {
		memcpy(&zone, (const char *)sa + offsetof(struct sockaddr_in6, sin6_scope_id), sizeof zone);
		k->w[0] |= (uint64_t)(zone & 0xffff) << 32;
	}
	return true;
}

bool
rt_key_on(const struct sockaddr *sa, const struct ifnet *ifp, struct rt_key *k)
{
	if (!rt_key(sa, k))
		return false;
	if (sa->sa_family == AF_INET6 && ifp != NULL && has_zone(k->w[0]) && (k->w[0] >> 32 & 0xffff) == 0)
		k->w[0] |= (uint64_t)(ifp->index & 0xffff) << 32;
	return true;
}

void
rt_key_address(const struct rt_key *k, sa_family_t family, struct sockaddr_storage *ss)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)(void *)ss;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)(void *)ss;
	uint64_t hi = k->w[0], lo;

	memset(ss, 0, sizeof *ss);
	ss->ss_family = family;
	if (family == AF_INET) {
		sin->sin_len = sizeof *sin;
		sin->sin_addr.s_addr = htonl((uint32_t)(hi >> 32));
		return;
	}
	sin6->sin6_len = sizeof *sin6;
	if (has_zone(hi)) {
		sin6->sin6_scope_id = (uint32_t)(hi >> 32 & 0xffff);
		hi &= ~(UINT64_C(0xffff) << 32);
	}
	hi = __builtin_bswap64(hi);
	lo = __builtin_bswap64(k->w[1]);
	memcpy(&sin6->sin6_addr, &hi, sizeof hi);
	memcpy(sin6->sin6_addr.s6_addr + 8, &lo, sizeof lo);
}

bool
rt_key_multicast(const struct rt_key *k, sa_family_t family)
{
	return family == AF_INET ? k->w[0] >> 60 == 0xe : k->w[0] >> 56 == 0xff;
}

int32_t
rt_calendar(const struct nke *m, uint64_t uptime_ns)
{
	uint64_t epoch = world_calendar_now(m->world) - machine_now(m);

	return uptime_ns == 0 ? 0 : (int32_t)((epoch + uptime_ns) / NSEC);
}

uint64_t
rt_uptime(const struct nke *m, int32_t calendar_seconds)
{
	uint64_t epoch = world_calendar_now(m->world) - machine_now(m);
	uint64_t at = calendar_seconds > 0 ? (uint64_t)calendar_seconds * NSEC : 0;

	if (calendar_seconds <= 0)
		return 0;
	return at > epoch + machine_now(m) ? at - epoch : machine_now(m) + 1;
}
