/* One interface filter on en0 that does nothing: what a filter costs by being there. */
#include <mach/mach_types.h>
#include <net/kpi_interface.h>
#include <net/kpi_interfacefilter.h>

static interface_filter_t filter;

static errno_t
input(void *cookie, ifnet_t interface, protocol_family_t protocol, mbuf_t *data, char **frame)
{
	(void)cookie; (void)interface; (void)protocol; (void)data; (void)frame;
	return 0;
}

static errno_t
output(void *cookie, ifnet_t interface, protocol_family_t protocol, mbuf_t *data)
{
	(void)cookie; (void)interface; (void)protocol; (void)data;
	return 0;
}

kern_return_t nothing_interface_start(kmod_info_t *, void *);
kern_return_t nothing_interface_stop(kmod_info_t *, void *);

kern_return_t
nothing_interface_start(kmod_info_t *ki, void *d)
{
	struct iff_filter f = {.iff_name = "nothing", .iff_input = input, .iff_output = output};
	ifnet_t interface;
	errno_t error;

	(void)ki; (void)d;
	if (ifnet_find_by_name("en0", &interface) != 0)
		return KERN_FAILURE;
	error = iflt_attach(interface, &f, &filter);
	ifnet_release(interface);
	return error == 0 ? KERN_SUCCESS : KERN_FAILURE;
}

kern_return_t
nothing_interface_stop(kmod_info_t *ki, void *d)
{
	(void)ki; (void)d;
	iflt_detach(filter);
	return KERN_SUCCESS;
}
