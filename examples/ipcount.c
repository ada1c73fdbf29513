/*
 * ipcount: counts IPv4 and IPv6 packets by protocol and direction.
 *
 * Two IP filters share one set of functions; their cookie says whose packets they see. IP filters see
 * whole datagrams: on the way in after reassembly, on the way out before fragmentation. The totals
 * can be read while the kext runs (sysctl net.ipcount.in, net.ipcount.out) and are logged when it stops.
 */
#include <stdbool.h>
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kpi_mbuf.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <kern/locks.h>
#include <libkern/OSAtomic.h>
#include <mach/mach_types.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/kpi_ipfilter.h>

kern_return_t ipcount_start(kmod_info_t *ki, void *data);
kern_return_t ipcount_stop(kmod_info_t *ki, void *data);

/* What a filter's cookie points to. */
struct family {
	const char *name;
	SInt64 in[256], out[256];		/* packets, by protocol number */
	ipfilter_t filter;
};

static struct family ipv4 = {.name = "IPv4"};
static struct family ipv6 = {.name = "IPv6"};

/*
 * Totals of both families. Packets are counted on several threads at once: an atomic addition is
 * enough for a counter, and costs less than a lock.
 */
static SInt64 total_in, total_out;

SYSCTL_NODE(_net, OID_AUTO, ipcount, CTLFLAG_RW, 0, "packets seen by ipcount");
SYSCTL_QUAD(_net_ipcount, OID_AUTO, in, CTLFLAG_RD, &total_in, "packets to this host");
SYSCTL_QUAD(_net_ipcount, OID_AUTO, out, CTLFLAG_RD, &total_out, "packets from this host");

static lck_grp_t *lock_group;
static lck_mtx_t *lock;
static int attached;			/* filters that can still be called; under `lock` */

/* ---- counting ----------------------------------------------------------------------------- */

static bool
is_extension_header(u_int8_t protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	    protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_DSTOPTS;
}

static errno_t
count_in(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	struct family *family = cookie;

	/*
	 * IPv6 calls the filter once for each extension header, then for what they carry. A datagram
	 * that came in fragments is seen so too: each fragment, then the whole. Count it once.
	 */
	if (family == &ipv6 && is_extension_header(protocol))
		return 0;
	OSIncrementAtomic64(&family->in[protocol]);
	OSIncrementAtomic64(&total_in);
	return 0;
}

static u_int8_t
ipv4_protocol(mbuf_t packet)
{
	struct ip ip;

	/* The header need not lie in one piece on the way out: copy what is looked at. */
	if (mbuf_copydata(packet, 0, sizeof ip, &ip) != 0)
		return 0;
	return ip.ip_p;
}

/* On the way out nobody has walked the extension headers before us. */
static u_int8_t
ipv6_protocol(mbuf_t packet)
{
	struct ip6_hdr ip6;
	struct ip6_ext ext;
	size_t offset = sizeof ip6;
	u_int8_t protocol;

	if (mbuf_copydata(packet, 0, sizeof ip6, &ip6) != 0)
		return 0;
	protocol = ip6.ip6_nxt;
	while (is_extension_header(protocol)) {
		if (mbuf_copydata(packet, offset, sizeof ext, &ext) != 0)
			break;
		/* Lengths are in 8-byte units beyond the first; a fragment header has none. */
		offset += protocol == IPPROTO_FRAGMENT ? 8 : ((size_t)ext.ip6e_len + 1) * 8;
		protocol = ext.ip6e_nxt;
	}
	return protocol;
}

static errno_t
count_out(void *cookie, mbuf_t *data, ipf_pktopts_t options)
{
	struct family *family = cookie;
	u_int8_t protocol = family == &ipv6 ? ipv6_protocol(*data) : ipv4_protocol(*data);

	OSIncrementAtomic64(&family->out[protocol]);
	OSIncrementAtomic64(&total_out);
	return 0;
}

static const char *
protocol_name(unsigned protocol)
{
	switch (protocol) {
	case IPPROTO_ICMP:
		return "ICMP";
	case IPPROTO_IGMP:
		return "IGMP";
	case IPPROTO_TCP:
		return "TCP";
	case IPPROTO_UDP:
		return "UDP";
	case IPPROTO_ICMPV6:
		return "ICMPv6";
	default:
		return "protocol";
	}
}

static void
log_totals(const struct family *family)
{
	for (unsigned p = 0; p < 256; p++)
		if (family->in[p] != 0 || family->out[p] != 0)
			printf("%s %s %u: %lld in, %lld out\n", family->name, protocol_name(p), p,
			    family->in[p], family->out[p]);
}

/* ---- coming and going --------------------------------------------------------------------- */

/* The last call into a filter: from inside ipf_remove, or later on another thread. */
static void
detached(void *cookie)
{
	lck_mtx_lock(lock);
	attached--;
	wakeup(&attached);
	lck_mtx_unlock(lock);
}

static errno_t
attach(struct family *family, errno_t (*add)(const struct ipf_filter *, ipfilter_t *))
{
	struct ipf_filter filter = {
		.cookie = family,
		.name = "ipcount",	/* kept by pointer; the struct itself is copied */
		.ipf_input = count_in,
		.ipf_output = count_out,
		.ipf_detach = detached,
	};
	errno_t error = add(&filter, &family->filter);

	if (error != 0) {
		printf("no %s filter: error %d\n", family->name, error);
		return error;
	}
	lck_mtx_lock(lock);
	attached++;
	lck_mtx_unlock(lock);
	return 0;
}

/* Undoes what start did, as far as it got. When it returns nobody can call us. */
static void
tear_down(void)
{
	if (ipv4.filter != NULL)
		ipf_remove(ipv4.filter);
	if (ipv6.filter != NULL)
		ipf_remove(ipv6.filter);
	if (lock != NULL) {
		/* ipf_remove returning is not enough: packets may still be inside the filters. */
		lck_mtx_lock(lock);
		while (attached != 0)
			msleep(&attached, lock, PWAIT, "ipcount", NULL);
		lck_mtx_unlock(lock);
		lck_mtx_free(lock, lock_group);
	}
	if (lock_group != NULL)
		lck_grp_free(lock_group);
}

kern_return_t
ipcount_start(kmod_info_t *ki, void *data)
{
	lock_group = lck_grp_alloc_init("ipcount", LCK_GRP_ATTR_NULL);
	if (lock_group != NULL)
		lock = lck_mtx_alloc_init(lock_group, LCK_ATTR_NULL);
	if (lock == NULL || attach(&ipv4, ipf_addv4) != 0 || attach(&ipv6, ipf_addv6) != 0) {
		tear_down();
		return KERN_FAILURE;
	}
	/* Parents first. */
	sysctl_register_oid(&sysctl__net_ipcount);
	sysctl_register_oid(&sysctl__net_ipcount_in);
	sysctl_register_oid(&sysctl__net_ipcount_out);
	return KERN_SUCCESS;
}

kern_return_t
ipcount_stop(kmod_info_t *ki, void *data)
{
	/* Returns when no reader of a variable is inside any more. Children first. */
	sysctl_unregister_oid(&sysctl__net_ipcount_out);
	sysctl_unregister_oid(&sysctl__net_ipcount_in);
	sysctl_unregister_oid(&sysctl__net_ipcount);
	tear_down();
	log_totals(&ipv4);
	log_totals(&ipv6);
	return KERN_SUCCESS;
}
