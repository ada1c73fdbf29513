/*
 * Making and ending a replay: the interface that the capture was taken on, the addresses of the host
 * that took it. Called by the host's half (src/host), and by replay_link.c for addresses that are
 * learned on the way.
 */
#include <net/if_types.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#include "dlil/ether.h"
#include "dlil/replay_impl.h"
#include "src/kern/heap.h"
#include "src/net/ifaddr.h"

/* ---- the interface ----------------------------------------------------------------- */

static errno_t
make_interface(struct replay *r)
{
	struct ifnet_init_params params;
	struct sockaddr_dl sdl;
	char name[IFNAMSIZ];
	size_t n = 0;
	uint32_t unit = 0;
	errno_t error;

	while (n < sizeof name - 1 && r->config.interface[n] != '\0' &&
	    !(r->config.interface[n] >= '0' && r->config.interface[n] <= '9')) {
		name[n] = r->config.interface[n];
		n++;
	}
	name[n] = '\0';
	for (size_t i = n; i < sizeof r->config.interface && r->config.interface[i] != '\0'; i++) {
		if (r->config.interface[i] < '0' || r->config.interface[i] > '9')
			return EINVAL;
		unit = unit * 10 + (uint32_t)(r->config.interface[i] - '0');
	}
	if (n == 0)
		return EINVAL;
	memset(&params, 0, sizeof params);
	if (r->config.link == CORE_LINK_ETHERNET) {
		ether_media(&params);
	} else {
		raw_media(&params);
		params.framer = replay_framer;
	}
	params.name = name;
	params.unit = unit;
	params.softc = r;
	params.output = replay_driver_output;
	params.ioctl = dlil_driver_ioctl;
	error = dlil_allocate(r->machine, &params, NULL, &r->ifp);
	if (error != 0)
		return error;
	r->ifp->mtu = r->mtu;
	r->ifp->hdrlen = r->link_len;
	memset(&sdl, 0, sizeof sdl);
	sdl.sdl_len = sizeof sdl;
	sdl.sdl_family = AF_LINK;
	sdl.sdl_type = r->ifp->type;
	if (r->config.link == CORE_LINK_ETHERNET) {
		sdl.sdl_alen = ETHER_ADDR_LEN;
		memcpy(LLADDR(&sdl), r->config.lladdr, ETHER_ADDR_LEN);
	}
	error = dlil_attach(r->ifp, &sdl);
	if (error == 0)
		error = dlil_plumb(r->ifp, PF_INET);
	if (error == 0)
		error = dlil_plumb(r->ifp, PF_INET6);
	if (error == 0)
		error = dlil_set_flags(r->ifp, IFF_UP | IFF_RUNNING | IFF_BROADCAST | IFF_MULTICAST,
		    IFF_UP | IFF_RUNNING | IFF_BROADCAST | IFF_MULTICAST);
	if (error == 0)
		error = route_set_default(r->machine, AF_INET, r->ifp, NULL);
	if (error == 0)
		error = route_set_default(r->machine, AF_INET6, r->ifp, NULL);
	return error;
}

/* The same as replay_add_address, already inside the machine. */
errno_t
replay_add_address_here(struct nke *m, int family, const void *addr, unsigned prefix)
{
	struct sockaddr_storage sa, mask;
	uint8_t *a, *k;
	size_t len = family == AF_INET ? 4 : 16;

	if ((family != AF_INET && family != AF_INET6) || prefix > len * 8)
		return EINVAL;
	memset(&sa, 0, sizeof sa);
	memset(&mask, 0, sizeof mask);
	if (family == AF_INET) {
		sa.ss_len = mask.ss_len = sizeof(struct sockaddr_in);
		a = (uint8_t *)&((struct sockaddr_in *)(void *)&sa)->sin_addr;
		k = (uint8_t *)&((struct sockaddr_in *)(void *)&mask)->sin_addr;
	} else {
		sa.ss_len = mask.ss_len = sizeof(struct sockaddr_in6);
		a = (uint8_t *)&((struct sockaddr_in6 *)(void *)&sa)->sin6_addr;
		k = (uint8_t *)&((struct sockaddr_in6 *)(void *)&mask)->sin6_addr;
	}
	sa.ss_family = mask.ss_family = (sa_family_t)family;
	memcpy(a, addr, len);
	for (unsigned i = 0; i < prefix; i++)
		k[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return ifaddr_add(m->replay->ifp, (struct sockaddr *)(void *)&sa,
	    (struct sockaddr *)(void *)&mask, NULL);
}

struct address_args {
	struct nke *m;
	const void *addr;
	int family;
	unsigned prefix;
	errno_t error;
};

static void
do_add_address(void *arg)
{
	struct address_args *a = arg;

	a->error = a->m->replay == NULL ? EINVAL :
	    replay_add_address_here(a->m, a->family, a->addr, a->prefix);
}

int
replay_add_address(struct nke *m, int family, const void *addr, unsigned prefix)
{
	struct address_args a = {.m = m, .addr = addr, .family = family, .prefix = prefix};
	int error = machine_call(m, do_add_address, &a);

	return error != 0 ? error : a.error;
}

struct list_args {
	struct nke *m;
	void (*fn)(void *, int, const void *, unsigned);
	void *ctx;
};

static void
do_addresses(void *arg)
{
	const struct list_args *a = arg;
	const struct ifaddr *ifa;

	if (a->m->replay == NULL)
		return;
	TAILQ_FOREACH(ifa, &a->m->replay->ifp->addresses, link) {
		if (ifa->addr.ss_family == AF_INET)
			a->fn(a->ctx, AF_INET,
			    &((const struct sockaddr_in *)(const void *)&ifa->addr)->sin_addr, 32);
		else if (ifa->addr.ss_family == AF_INET6)
			a->fn(a->ctx, AF_INET6,
			    &((const struct sockaddr_in6 *)(const void *)&ifa->addr)->sin6_addr, 128);
	}
}

void
replay_addresses(struct nke *m, void (*fn)(void *, int, const void *, unsigned), void *ctx)
{
	struct list_args a = {.m = m, .fn = fn, .ctx = ctx};

	(void)machine_call(m, do_addresses, &a);
}

struct start_args {
	struct nke *m;
	const struct core_replay_config *config;
	errno_t error;
};

static void
do_start(void *arg)
{
	struct start_args *a = arg;
	struct nke *m = a->m;
	struct replay *r;

	if (m->replay != NULL) {
		a->error = EEXIST;
		return;
	}
	r = kalloc(m, sizeof *r);
	if (r == NULL) {
		a->error = ENOMEM;
		return;
	}
	r->machine = m;
	r->config = *a->config;
	r->mtu = r->config.mtu != 0 ? r->config.mtu : ETHERMTU;
	r->link_len = replay_link_length(r->config.link);
	if (r->config.link == CORE_LINK_ETHERNET && r->config.has_lladdr)
		r->host_key = replay_lladdr_key(r->config.lladdr);
	r->ring = hc_alloc(REPLAY_RING * sizeof *r->ring);
	if (r->ring != NULL)
		memset(r->ring, 0, REPLAY_RING * sizeof *r->ring);
	r->peers = kalloc(m, REPLAY_PEERS * sizeof *r->peers);
	a->error = r->ring == NULL || r->peers == NULL ? ENOMEM : 0;
	if (a->error == 0) {
		m->replay = r;
		a->error = make_interface(r);
	}
	if (a->error != 0) {
		m->replay = NULL;
		hc_free(r->ring);
		kfree(m, r->peers);
		kfree(m, r);
	}
}

int
replay_start(struct nke *m, const struct core_replay_config *config)
{
	struct start_args a = {.m = m, .config = config};
	int error = machine_call(m, do_start, &a);

	return error != 0 ? error : a.error;
}

static void
replay_fini(struct nke *m)
{
	struct replay *r = m->replay;

	if (r == NULL)
		return;
	replay_forget(r);
	m->replay = NULL;
	hc_free(r->flat);
	hc_free(r->ring);
	kfree(m, r->peers);
	kfree(m, r);
}

static errno_t
replay_init(struct nke *m)
{
	m->replay = NULL;
	return 0;
}

const struct subsystem replay_subsystem = {"replay", replay_init, NULL, replay_fini};
