/* Allocates, attaches an IP filter, and then fails to start without giving anything back. */
#include <mach/mach_types.h>
#include <netinet/in.h>
#include <netinet/kpi_ipfilter.h>
#include <sys/malloc.h>

kern_return_t start_fails_start(kmod_info_t *ki, void *data);
kern_return_t start_fails_stop(kmod_info_t *ki, void *data);

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
	.name = "forgotten", .ipf_input = input,
};
static ipfilter_t filter;
static void *volatile block;

kern_return_t
start_fails_start(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	block = _MALLOC(123, M_TEMP, M_WAITOK);
	if (ipf_addv4(&description, &filter) != 0)
		return KERN_SUCCESS;
	return KERN_NO_SPACE;
}

kern_return_t
start_fails_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	return KERN_SUCCESS;
}
