/* `nke run --dhcp`: a DHCP client for an interface, and what it says. */
#include <arpa/inet.h>
#include <stdio.h>

#include "src/cmd/run.h"

static const char *
text(struct in_addr in, char buffer[INET_ADDRSTRLEN])
{
	return inet_ntop(AF_INET, &in, buffer, INET_ADDRSTRLEN);
}

/* On whatever thread is inside the machine. */
static void
tell(void *ctx, enum nke_dhcp_event event, const struct nke_dhcp_lease *l)
{
	const struct run_interface *i = ctx;
	char address[INET_ADDRSTRLEN], router[INET_ADDRSTRLEN], server[INET_ADDRSTRLEN], lasts[32];

	text(l->address, address);
	snprintf(lasts, sizeof lasts, l->lease == UINT32_MAX ? "for ever" : "for %u s", l->lease);
	switch (event) {
	case NKE_DHCP_BOUND:
		run_say(i->run, "%s: %s/%u by DHCP from %s, gateway %s, %s", i->name, address, l->prefix,
		    text(l->server, server), l->router.s_addr != 0 ? text(l->router, router) : "none", lasts);
		break;
	case NKE_DHCP_RENEWED:
		run_say(i->run, "%s: %s renewed %s", i->name, address, lasts);
		break;
	case NKE_DHCP_LOST:
		run_say(i->run, "%s: %s is not lent to us any more", i->name, address);
		break;
	case NKE_DHCP_CONFLICT:
		run_say(i->run, "%s: another station has %s: declined", i->name, address);
		break;
	}
}

int
run_dhcp(struct run *r, struct run_interface *i)
{
	struct nke_dhcp_config config = {.event = tell, .ctx = i};

	i->run = r;
	if (nke_dhcp_start(i->iface, &config, &i->client) == 0)
		return CMD_OK;
	cmd_lines("run", "", nke_error_text(r->machine));
	return nke_panicked(r->machine) ? CMD_PANIC : CMD_INPUT;
}

void
run_dhcp_stop(struct run *r)
{
	for (unsigned i = 0; i < r->interface_count; i++) {
		nke_dhcp_stop(r->interfaces[i].client);
		r->interfaces[i].client = NULL;
	}
}
