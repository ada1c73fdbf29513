/*
 * What interfaces, references, protocols and plumbers are called when a kext has left them behind.
 */
#include "dlil/dlil_state.h"
#include "src/kern/klog.h"

#define OWNER_OF(type, entry)	((const type *)(const void *)	\
	((const char *)(entry) - __builtin_offsetof(type, ledger)))

static void
describe_interface(const struct ledger_entry *l, char *text, size_t size)
{
	const struct ifnet *ifp = OWNER_OF(struct ifnet, l);
	const char *state = ifp->state == IFNET_EMBRYONIC ? "never attached" :
	    ifp->state == IFNET_DETACHING ? "still detaching" : "attached";

	ksnprintf(text, size, "interface %s, %s", ifp->xname, state);
}

static void
describe_reference(const struct ledger_entry *l, char *text, size_t size)
{
	const struct kext_ref *r = OWNER_OF(struct kext_ref, l);
	const struct ifnet *ifp = r->object;

	ksnprintf(text, size, "%u reference%s to interface %s", r->count, r->count == 1 ? "" : "s",
	    ifp->xname);
}

static void
describe_protocol(const struct ledger_entry *l, char *text, size_t size)
{
	const struct if_proto *p = OWNER_OF(struct if_proto, l);

	ksnprintf(text, size, "protocol %u on %s%s", p->family, p->ifp->xname,
	    p->detached ? ", detached but in use" : "");
}

static void
describe_plumber(const struct ledger_entry *l, char *text, size_t size)
{
	const struct plumber *pl = OWNER_OF(struct plumber, l);

	ksnprintf(text, size, "plumber of protocol %u for interface family %u", pl->family,
	    pl->if_family);
}

void
dlil_describe(struct nke *m)
{
	ledger_set_describe(m, LEDGER_INTERFACE, describe_interface);
	ledger_set_describe(m, LEDGER_INTERFACE_REF, describe_reference);
	ledger_set_describe(m, LEDGER_PROTOCOL, describe_protocol);
	ledger_set_describe(m, LEDGER_PLUMBER, describe_plumber);
}
