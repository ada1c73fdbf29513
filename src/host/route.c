/* Routes and addresses, as nke/route.h offers them, on top of src/net/routecalls.c. */
#include <nke/route.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "src/host/darwin.h"
#include "src/host/machine.h"
#include "src/net/routecalls.h"

/* ---- addresses between the two forms ------------------------------------------------------ */

/* Family, bytes and zone; false: not an IP address. */
static bool
take(const void *sa, socklen_t len, int *family, uint8_t bytes[16], uint32_t *zone)
{
	struct sockaddr_in6 sin6;
	size_t size;
	const void *from = host_sockaddr_bytes(sa, len, &size);

	memset(bytes, 0, 16);
	*zone = 0;
	if (from == NULL)
		return false;
	memcpy(bytes, from, size);
	*family = size == 4 ? DARWIN_AF_INET : DARWIN_AF_INET6;
	if (size == 16) {
		memcpy(&sin6, sa, sizeof sin6);
		*zone = sin6.sin6_scope_id;
	}
	return true;
}

static void
give(int family, const uint8_t bytes[16], uint32_t zone, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	if (family == DARWIN_AF_INET) {
		struct sockaddr_in sin = {.sin_family = AF_INET};

		memcpy(&sin.sin_addr, bytes, sizeof sin.sin_addr);
		memcpy(out, &sin, sizeof sin);
	} else {
		struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_scope_id = zone};

		memcpy(&sin6.sin6_addr, bytes, sizeof sin6.sin6_addr);
		memcpy(out, &sin6, sizeof sin6);
	}
}

/* ---- routes ------------------------------------------------------------------------------- */

static int
to_core(nke_t *m, const struct nke_route *r, struct core_route *c)
{
	int family;

	memset(c, 0, sizeof *c);
	if (!take(&r->destination, sizeof r->destination, &c->family, c->dst, &c->dst_zone))
		return nke_fail(m, EAFNOSUPPORT, "route: the destination is no AF_INET or AF_INET6 address");
	if (r->prefix > (c->family == DARWIN_AF_INET ? 32u : 128u))
		return nke_fail(m, EINVAL, "route: a prefix of %u bits is too long", r->prefix);
	c->prefix = r->prefix;
	if (r->gateway.ss_family != AF_UNSPEC) {
		if (!take(&r->gateway, sizeof r->gateway, &family, c->gateway, &c->gateway_zone) ||
		    family != c->family)
			return nke_fail(m, EINVAL, "route: the gateway is not of the destination's family");
		c->has_gateway = true;
	}
	snprintf(c->interface, sizeof c->interface, "%s", r->interface);
	c->flags = r->flags & (NKE_ROUTE_REJECT | NKE_ROUTE_STATIC | NKE_ROUTE_BLACKHOLE | NKE_ROUTE_SCOPED);
	if (r->mtu != 0) {
		c->metrics |= CORE_METRIC_MTU;
		c->mtu = r->mtu;
	}
	if (r->expires != 0) {
		c->metrics |= CORE_METRIC_EXPIRE;
		c->expire = r->expires;
	}
	return 0;
}

static void
from_core(const struct core_route *c, struct nke_route *r)
{
	memset(r, 0, sizeof *r);
	give(c->family, c->dst, c->dst_zone, &r->destination);
	r->prefix = c->prefix;
	if (c->has_gateway)
		give(c->family, c->gateway, c->gateway_zone, &r->gateway);
	snprintf(r->interface, sizeof r->interface, "%s", c->interface);
	r->flags = c->flags;
	r->mtu = c->mtu;
	r->expires = c->expire;
}

static int
told(nke_t *m, const char *what, int darwin_error)
{
	int error = nke_core_result(m, darwin_error);

	if (error == ESRCH)
		nke_fail(m, error, "%s: there is no such route", what);
	else if (error == ENXIO)
		nke_fail(m, error, "%s: there is no such interface", what);
	else if (error == ENETUNREACH)
		nke_fail(m, error, "%s: the gateway is on none of the machine's links", what);
	else if (error != 0 && error != EFAULT)
		nke_fail(m, error, "%s: %s", what, strerror(error));
	return error;
}

int
nke_route_add(nke_t *m, const struct nke_route *r)
{
	struct core_route c;
	int error = to_core(m, r, &c);

	return error != 0 ? error : told(m, "route not added", machine_route_add(m->core, &c));
}

int
nke_route_delete(nke_t *m, const struct nke_route *r)
{
	struct core_route c;
	int error = to_core(m, r, &c);

	return error != 0 ? error : told(m, "route not deleted", machine_route_delete(m->core, &c));
}

int
nke_route_change(nke_t *m, const struct nke_route *r)
{
	struct core_route c;
	int error = to_core(m, r, &c);

	return error != 0 ? error : told(m, "route not changed", machine_route_change(m->core, &c));
}

int
nke_route_get(nke_t *m, const struct sockaddr *destination, socklen_t len, struct nke_route *r)
{
	struct core_route c = {0};
	int error;

	if (!take(destination, len, &c.family, c.dst, &c.dst_zone))
		return nke_fail(m, host_sockaddr_error(destination, len),
		    "route: the destination is no AF_INET or AF_INET6 address");
	error = told(m, "route", machine_route_get(m->core, &c));
	if (error == 0)
		from_core(&c, r);
	return error;
}

struct list {
	void *out;
	size_t max, count;
};

static bool
add_route(void *ctx, const struct core_route *c)
{
	struct list *l = ctx;

	if (l->count++ < l->max)
		from_core(c, (struct nke_route *)l->out + l->count - 1);
	return true;
}

size_t
nke_route_list(nke_t *m, int family, struct nke_route *out, size_t max)
{
	struct list l = {.out = out, .max = max};

	(void)nke_core_result(m, machine_routes(m->core, darwin_family_from_host(family), add_route, &l));
	return l.count;
}

/* ---- addresses ---------------------------------------------------------------------------- */

static bool
add_address(void *ctx, const struct core_address *c)
{
	struct list *l = ctx;
	struct nke_address *a;

	if (l->count++ >= l->max)
		return true;
	a = (struct nke_address *)l->out + l->count - 1;
	memset(a, 0, sizeof *a);
	snprintf(a->interface, sizeof a->interface, "%s", c->interface);
	give(c->family, c->addr, 0, &a->address);
	a->prefix = c->prefix;
	if (c->has_peer)
		give(c->family, c->peer, 0, &a->peer);
	a->flags = c->flags;
	a->preferred = c->preferred;
	a->valid = c->valid;
	return true;
}

size_t
nke_address_list(nke_t *m, struct nke_address *out, size_t max)
{
	struct list l = {.out = out, .max = max};

	(void)nke_core_result(m, machine_addresses(m->core, add_address, &l));
	return l.count;
}

int
nke_address_remove(nke_t *m, const char *interface, const struct sockaddr *address, socklen_t len)
{
	struct core_address c = {0};
	uint32_t zone;
	int error;

	if (!take(address, len, &c.family, c.addr, &zone))
		return nke_fail(m, host_sockaddr_error(address, len),
		    "%s: not an AF_INET or AF_INET6 address", interface);
	snprintf(c.interface, sizeof c.interface, "%s", interface);
	error = nke_core_result(m, machine_address_remove(m->core, &c));
	if (error != 0 && error != EFAULT)
		nke_fail(m, error, "%s: address not removed: %s", interface, strerror(error));
	return error;
}
