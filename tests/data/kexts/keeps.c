/*
 * Takes three packets from IPv4's input and keeps them; with -DGIVE_BACK its stop routine frees them.
 */
#include <mach/mach_types.h>
#include <netinet/in.h>
#include <netinet/kpi_ipfilter.h>
#include <sys/errno.h>
#include <sys/kpi_mbuf.h>

#ifndef GIVE_BACK
#define GIVE_BACK	0
#endif

kern_return_t keeps_start(kmod_info_t *ki, void *data);
kern_return_t keeps_stop(kmod_info_t *ki, void *data);

static ipfilter_t filter;
static mbuf_t kept[3];
static unsigned count;

static errno_t
keep_packet(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	if (count == 3)
		return 0;
	kept[count++] = *data;
	return EJUSTRETURN;
}

static struct ipf_filter description = {
	.name = "keeps", .ipf_input = keep_packet,
};

kern_return_t
keeps_start(kmod_info_t *ki, void *data)
{
	return ipf_addv4(&description, &filter);
}

kern_return_t
keeps_stop(kmod_info_t *ki, void *data)
{
	ipf_remove(filter);
	for (unsigned i = 0; GIVE_BACK && i < count; i++)
		mbuf_freem(kept[i]);
	return KERN_SUCCESS;
}
