/*
 * An IP filter that works about 300 ns on every packet: what `nke replay -j` is measured with. The
 * report's ns/call says what it came to on this machine.
 */
#include <mach/mach_types.h>
#include <netinet/kpi_ipfilter.h>
#include <sys/errno.h>

#define ROUNDS 270

static ipfilter_t filters[2];
static volatile int detached;
static unsigned sink;

static void
work(void)
{
	volatile unsigned x = 1;

	for (int i = 0; i < ROUNDS; i++)
		x = x * 2654435761u + 1;
	sink += x;
}

static errno_t
input(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	(void)cookie; (void)data; (void)offset; (void)protocol;
	work();
	return 0;
}

static errno_t
output(void *cookie, mbuf_t *data, ipf_pktopts_t options)
{
	(void)cookie; (void)data; (void)options;
	work();
	return 0;
}

static void
detach(void *cookie)
{
	(void)cookie;
	detached++;
}

kern_return_t busy_start(kmod_info_t *, void *);
kern_return_t busy_stop(kmod_info_t *, void *);

kern_return_t
busy_start(kmod_info_t *ki, void *d)
{
	struct ipf_filter f = {NULL, "org.libnke.bench.busy", input, output, detach};

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
busy_stop(kmod_info_t *ki, void *d)
{
	(void)ki; (void)d;
	if (filters[0] != NULL)
		ipf_remove(filters[0]);
	if (filters[1] != NULL)
		ipf_remove(filters[1]);
	filters[0] = filters[1] = NULL;
	return detached == 2 ? KERN_SUCCESS : KERN_FAILURE;
}
