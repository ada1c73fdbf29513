/* Has an IP filter, and refuses to stop, and to take it off, the first time it is asked. */
#include <mach/mach_types.h>
#include <netinet/kpi_ipfilter.h>
#include <sys/errno.h>

kern_return_t refuses_start(kmod_info_t *ki, void *data);
kern_return_t refuses_stop(kmod_info_t *ki, void *data);

static int asked;
static ipfilter_t filter;

static errno_t
look(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	(void)cookie;
	(void)data;
	(void)offset;
	(void)protocol;
	return 0;
}

kern_return_t
refuses_start(kmod_info_t *ki, void *data)
{
	struct ipf_filter f = {.name = "held", .ipf_input = look};

	(void)ki;
	(void)data;
	return ipf_addv4(&f, &filter) == 0 ? KERN_SUCCESS : KERN_FAILURE;
}

kern_return_t
refuses_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	if (asked++ == 0)
		return KERN_FAILURE;
	return ipf_remove(filter) == 0 ? KERN_SUCCESS : KERN_FAILURE;
}
