/* What the filters that are attached now did, for the host's reports (corecalls.h). */
#include <libkern/libkern.h>
#include <string.h>

#include "dlil/dlil.h"
#include "iffilter/iffilter.h"
#include "ipfilter/ipfilter.h"
#include "sockfilter/sockfilter.h"
#include "src/kern/kext.h"

struct report_args {
	struct nke *m;
	struct core_filter *out;
	size_t max, count;
};

static void
report(struct report_args *a, enum core_filter_kind kind, const char *name, const struct kext *owner,
    const struct ifnet *ifp, const struct filter_counters *c)
{
	struct core_filter *f;

	if (a->count++ >= a->max)
		return;
	f = &a->out[a->count - 1];
	memset(f, 0, sizeof *f);
	f->kind = kind;
	if (name != NULL)
		strlcpy(f->name, name, sizeof f->name);
	if (owner != NULL)
		strlcpy(f->kext, owner->identifier, sizeof f->kext);
	if (ifp != NULL)
		strlcpy(f->interface, ifp->xname, sizeof f->interface);
	f->seen_in = c->seen_in;
	f->seen_out = c->seen_out;
	f->passed = filter_passed(c);
	f->changed = c->changed;
	f->swallowed = c->swallowed;
	f->dropped = c->dropped;
	f->injected = c->injected;
	f->calls = filter_calls(c);
	if (c->sampled_calls != 0)
		f->ns_per_call = (double)c->sampled_ticks * hc_ns_per_tick() / (double)c->sampled_calls;
}

static void
report_all(void *arg)
{
	struct report_args *a = arg;
	const struct ipf_entry *ipf;
	const struct iff_entry *iff;
	const struct sflt *sflt;
	struct ifnet *ifp;

	TAILQ_FOREACH(ifp, dlil_interfaces(a->m), link)
		TAILQ_FOREACH(iff, &ifp->filters, link)
			report(a, CORE_FILTER_INTERFACE, iff->filter.iff_name, iff->owner, ifp,
			    &iff->counters);
	TAILQ_FOREACH(ipf, &a->m->ipf->v4, link)
		report(a, CORE_FILTER_IPV4, ipf->filter.name, ipf->owner, NULL, &ipf->counters);
	TAILQ_FOREACH(ipf, &a->m->ipf->v6, link)
		report(a, CORE_FILTER_IPV6, ipf->filter.name, ipf->owner, NULL, &ipf->counters);
	TAILQ_FOREACH(sflt, &a->m->sflt->registered, link)
		report(a, CORE_FILTER_SOCKET, sflt->f.sf_name, sflt->owner, NULL, &sflt->counters);
}

/* Names are the filters' own strings: after a panic they may be anything, so then nothing is told. */
size_t
machine_filters(struct nke *m, struct core_filter *out, size_t max)
{
	struct report_args a = {.m = m, .out = out, .max = max};

	(void)machine_call(m, report_all, &a);
	return a.count;
}
