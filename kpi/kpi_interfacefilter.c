/* net/kpi_interfacefilter.h. A filter reference is the filter's number; the engine is iffilter/. */
#include <net/kpi_interfacefilter.h>

#include "iffilter/iffilter.h"
#include "src/kern/gate.h"
#include "src/kern/kpi_rule.h"

errno_t
iflt_attach(ifnet_t ifp, const struct iff_filter *filter, interface_filter_t *filter_ref)
{
	uint32_t id = 0;
	errno_t error;

	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_FILTERS, ifp);
	error = iff_attach(ifp, filter, gate_kext(), __builtin_return_address(0), &id);
	if (error == 0)
		*filter_ref = (interface_filter_t)(uintptr_t)id;
	return error;
}

void
iflt_detach(interface_filter_t filter_ref)
{
	uint32_t id = (uint32_t)(uintptr_t)filter_ref;

	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_FILTERS, iff_interface(curmachine(), id));
	if (filter_ref != NULL)
		iff_detach(curmachine(), id);
}
