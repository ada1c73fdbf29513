/* netinet/kpi_ipfilter.h: what a kext calls to filter IP packets. The engine is ipfilter/. */
#include <netinet/in.h>
#include <netinet/kpi_ipfilter.h>

#include "ipfilter/ipfilter.h"
#include "src/kern/kpi_rule.h"

#define CALLER	__builtin_return_address(0)

errno_t
ipf_addv4(const struct ipf_filter *filter, ipfilter_t *filter_ref)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return ipf_add(curmachine(), AF_INET, filter, filter_ref, CALLER);
}

errno_t
ipf_addv6(const struct ipf_filter *filter, ipfilter_t *filter_ref)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return ipf_add(curmachine(), AF_INET6, filter, filter_ref, CALLER);
}

errno_t
ipf_remove(ipfilter_t filter_ref)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return ipf_remove_filter(curmachine(), filter_ref);
}

errno_t
ipf_inject_input(mbuf_t data, ipfilter_t filter_ref)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return ipf_queue_input(curmachine(), data, filter_ref);
}

errno_t
ipf_inject_output(mbuf_t data, ipfilter_t filter_ref, ipf_pktopts_t options)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return ipf_send(curmachine(), data, filter_ref, options);
}
