/* DHCP clients, as nke/dhcp.h offers them, on top of src/netinet/dhcp_client.c. */
#include <nke/dhcp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/host/machine.h"

struct nke_dhcp {
	nke_t *machine;
	struct dhcp_client *core;
	void (*event)(void *ctx, enum nke_dhcp_event, const struct nke_dhcp_lease *);
	void *ctx;
};

static void
to_lease(const struct core_dhcp_lease *c, struct nke_dhcp_lease *out)
{
	*out = (struct nke_dhcp_lease){
		.bound = c->bound, .prefix = c->prefix, .dns_count = c->dns_count, .lease = c->lease,
		.t1 = c->t1, .t2 = c->t2, .since_ns = c->since_ns,
	};
	memcpy(&out->address, c->address, 4);
	memcpy(&out->server, c->server, 4);
	memcpy(&out->router, c->router, 4);
	memcpy(out->dns, c->dns, sizeof out->dns);
	memcpy(out->domain, c->domain, sizeof out->domain);
}

static void
pass_event(void *ctx, enum core_dhcp_event event, const struct core_dhcp_lease *core)
{
	const nke_dhcp_t *d = ctx;
	struct nke_dhcp_lease lease;

	to_lease(core, &lease);
	d->event(d->ctx, (enum nke_dhcp_event)event, &lease);
}

int
nke_dhcp_start(nke_iface_t *i, const struct nke_dhcp_config *config, nke_dhcp_t **out)
{
	nke_t *m = nke_iface_machine(i);
	struct core_dhcp_config core = {.hostname = config != NULL ? config->hostname : NULL};
	nke_dhcp_t *d = calloc(1, sizeof *d);
	int error;

	*out = NULL;
	if (d == NULL)
		return nke_fail(m, ENOMEM, "%s: DHCP: no memory", nke_iface_name(i));
	d->machine = m;
	if (config != NULL && config->event != NULL) {
		d->event = config->event;
		d->ctx = config->ctx;
		core.event = pass_event;
		core.ctx = d;
	}
	error = nke_core_result(m, iface_dhcp_start(m->core, nke_iface_core(i), &core, &d->core));
	if (error != 0) {
		free(d);
		return error == EFAULT ? error : nke_fail(m, error, "%s: DHCP: %s", nke_iface_name(i),
		    strerror(error));
	}
	*out = d;
	return 0;
}

void
nke_dhcp_stop(nke_dhcp_t *d)
{
	if (d == NULL)
		return;
	(void)iface_dhcp_stop(d->machine->core, d->core);
	free(d);
}

int
nke_dhcp_read_lease(nke_dhcp_t *d, struct nke_dhcp_lease *out)
{
	struct core_dhcp_lease core;
	int error = nke_core_result(d->machine, iface_dhcp_lease(d->machine->core, d->core, &core));

	if (error == 0)
		to_lease(&core, out);
	return error;
}
