/* The host switches the autoconfiguration of an interface on and off (corecalls.h). */
#include "src/netinet6/nd6.h"

struct autoconf_by_host {
	struct ifnet *ifp;
	bool on;
	errno_t error;
};

static void
do_set_autoconf(void *arg)
{
	struct autoconf_by_host *c = arg;

	if (c->on)
		c->error = nd6_autoconf_start(c->ifp);
	else
		nd6_autoconf_stop(c->ifp);
}

int
iface_set_autoconf(struct nke *m, struct ifnet *ifp, bool on)
{
	struct autoconf_by_host c = {.ifp = ifp, .on = on};
	int error = machine_call(m, do_set_autoconf, &c);

	return error != 0 ? error : c.error;
}
