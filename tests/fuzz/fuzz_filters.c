/*
 * The filters of fuzz_replay.c, compiled as a kext is: they do to packets what filters do, lawfully,
 * chosen by fuzz_filters_mode, so that every path behind them is walked with any packet.
 */
#include <mach/mach_types.h>
#include <net/kpi_interface.h>
#include <net/kpi_interfacefilter.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/kpi_ipfilter.h>
#include <sys/errno.h>
#include <sys/kpi_mbuf.h>
#include <sys/systm.h>

enum { PULLUP = 1, REWRITE = 2, DROP = 4, GROW = 8, INJECT = 16, DUP = 32, SHRINK = 64 };

unsigned fuzz_filters_mode;
static interface_filter_t interface_filter;
static ipfilter_t ip_filters[2];
static unsigned counter;

int fuzz_filters_start(kmod_info_t *, void *);
int fuzz_filters_stop(kmod_info_t *, void *);

static errno_t
mangle(mbuf_t *data)
{
	unsigned mode = fuzz_filters_mode;
	uint8_t byte;
	mbuf_t copy;

	counter++;
	if ((mode & DROP) && counter % 7 == 0)
		return EPERM;
	if ((mode & PULLUP) && mbuf_pkthdr_len(*data) >= 20 && mbuf_len(*data) < 20 &&
	    mbuf_pullup(data, 20) != 0)
		return EJUSTRETURN;
	if ((mode & REWRITE) && mbuf_copydata(*data, mbuf_pkthdr_len(*data) / 2, 1, &byte) == 0) {
		byte ^= 0x55;
		mbuf_copyback(*data, mbuf_pkthdr_len(*data) / 2, 1, &byte, MBUF_DONTWAIT);
	}
	if ((mode & SHRINK) && counter % 3 == 0 && mbuf_pkthdr_len(*data) > 44)
		mbuf_adj(*data, -4);
	if ((mode & DUP) && mbuf_dup(*data, MBUF_DONTWAIT, &copy) == 0) {
		mbuf_freem(*data);
		*data = copy;
	}
	return 0;
}

static errno_t
interface_input(void *cookie, ifnet_t interface, protocol_family_t protocol, mbuf_t *data, char **frame)
{
	(void)cookie; (void)interface; (void)protocol; (void)frame;
	return mangle(data);
}

static errno_t
interface_output(void *cookie, ifnet_t interface, protocol_family_t protocol, mbuf_t *data)
{
	(void)cookie; (void)interface; (void)protocol;
	return mangle(data);
}

static errno_t
grow(mbuf_t data)
{
	static const uint8_t more[1600];

	if ((fuzz_filters_mode & GROW) && counter % 5 == 0)
		return mbuf_copyback(data, mbuf_pkthdr_len(data), sizeof more, more, MBUF_DONTWAIT);
	return 0;
}

static errno_t
ip_input(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	errno_t error = mangle(data);

	(void)offset; (void)protocol;
	if (error != 0)
		return error;
	grow(*data);
	if ((fuzz_filters_mode & INJECT) && counter % 4 == 0) {
		if (ipf_inject_input(*data, ip_filters[cookie != NULL]) != 0)
			mbuf_freem(*data);
		return EJUSTRETURN;
	}
	return 0;
}

static errno_t
ip_output(void *cookie, mbuf_t *data, ipf_pktopts_t options)
{
	errno_t error = mangle(data);

	if (error != 0)
		return error;
	grow(*data);
	if ((fuzz_filters_mode & INJECT) && counter % 4 == 0) {
		ipf_inject_output(*data, ip_filters[cookie != NULL], options);
		return EJUSTRETURN;
	}
	return 0;
}

static void
ip_detach(void *cookie)
{
	(void)cookie;
}

int
fuzz_filters_start(kmod_info_t *ki, void *d)
{
	struct iff_filter interface = {.iff_name = "fuzz", .iff_input = interface_input,
	    .iff_output = interface_output};
	struct ipf_filter ip = {NULL, "fuzz", ip_input, ip_output, ip_detach};
	ifnet_t en0;

	(void)ki; (void)d;
	counter = 0;
	if (ifnet_find_by_name("en0", &en0) != 0)
		return KERN_FAILURE;
	iflt_attach(en0, &interface, &interface_filter);
	ifnet_release(en0);
	ipf_addv4(&ip, &ip_filters[0]);
	ip.cookie = &ip_filters[1];
	ipf_addv6(&ip, &ip_filters[1]);
	return KERN_SUCCESS;
}

int
fuzz_filters_stop(kmod_info_t *ki, void *d)
{
	(void)ki; (void)d;
	iflt_detach(interface_filter);
	ipf_remove(ip_filters[0]);
	ipf_remove(ip_filters[1]);
	return KERN_SUCCESS;
}
