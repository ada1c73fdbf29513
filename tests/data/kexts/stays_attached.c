/* Stops with success although its IP filter is still there. */
#include <mach/mach_types.h>
#include <netinet/in.h>
#include <netinet/kpi_ipfilter.h>

kern_return_t stays_attached_start(kmod_info_t *ki, void *data);
kern_return_t stays_attached_stop(kmod_info_t *ki, void *data);

static ipfilter_t filter;

static errno_t
input(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	(void)cookie;
	(void)data;
	(void)offset;
	(void)protocol;
	return 0;
}

static struct ipf_filter description = {
	.name = "stays", .ipf_input = input,
};

kern_return_t
stays_attached_start(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	return ipf_addv4(&description, &filter);
}

kern_return_t
stays_attached_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	return KERN_SUCCESS;
}
