/* One IP filter for each version that does nothing: what a filter costs by being there. */
#include <mach/mach_types.h>
#include <netinet/kpi_ipfilter.h>

static ipfilter_t filters[2];
static int detached;

static errno_t
input(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	(void)cookie; (void)data; (void)offset; (void)protocol;
	return 0;
}

static errno_t
output(void *cookie, mbuf_t *data, ipf_pktopts_t options)
{
	(void)cookie; (void)data; (void)options;
	return 0;
}

static void
detach(void *cookie)
{
	(void)cookie;
	detached++;
}

kern_return_t nothing_ip_start(kmod_info_t *, void *);
kern_return_t nothing_ip_stop(kmod_info_t *, void *);

kern_return_t
nothing_ip_start(kmod_info_t *ki, void *d)
{
	struct ipf_filter f = {NULL, "nothing", input, output, detach};

	(void)ki; (void)d;
	if (ipf_addv4(&f, &filters[0]) != 0)
		return KERN_FAILURE;
	if (ipf_addv6(&f, &filters[1]) != 0) {
		ipf_remove(filters[0]);
		return KERN_FAILURE;
	}
	return KERN_SUCCESS;
}

kern_return_t
nothing_ip_stop(kmod_info_t *ki, void *d)
{
	(void)ki; (void)d;
	ipf_remove(filters[0]);
	ipf_remove(filters[1]);
	return detached == 2 ? KERN_SUCCESS : KERN_FAILURE;
}
