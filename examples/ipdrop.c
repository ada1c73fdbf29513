/*
 * ipdrop: drops packets by rule: those to or from one UDP port, and pings.
 *
 * The rules are sysctl variables, so they can be changed while packets flow:
 *
 *	sysctl -w net.ipdrop.udp_port=53	0: none
 *	sysctl -w net.ipdrop.echo=1		ICMP and ICMPv6 echo requests and replies
 *
 * A filter that returns an error has the packet dropped: the stack frees it. On the way out the error
 * goes to the sender, who sees it as the result of send(); on the way in nobody does.
 */
#include <stdbool.h>
#include <sys/param.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/kpi_mbuf.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <kern/locks.h>
#include <libkern/OSAtomic.h>
#include <mach/mach_types.h>
#include <netinet/in.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/kpi_ipfilter.h>
#include <netinet/udp.h>

kern_return_t ipdrop_start(kmod_info_t *ki, void *data);
kern_return_t ipdrop_stop(kmod_info_t *ki, void *data);

/* An aligned int is read and written in one piece: the rules need no lock. */
static int udp_port = 53;
static int echo = 1;
static int dropped;

SYSCTL_NODE(_net, OID_AUTO, ipdrop, CTLFLAG_RW, 0, "packets that are not wanted");
SYSCTL_INT(_net_ipdrop, OID_AUTO, udp_port, CTLFLAG_RW, &udp_port, 0, "port, 0 none");
SYSCTL_INT(_net_ipdrop, OID_AUTO, echo, CTLFLAG_RW, &echo, 0, "drop pings");
SYSCTL_INT(_net_ipdrop, OID_AUTO, dropped, CTLFLAG_RD, &dropped, 0, "so far");

static struct sysctl_oid *const variables[] = {
	&sysctl__net_ipdrop,		/* the node before what is in it */
	&sysctl__net_ipdrop_udp_port,
	&sysctl__net_ipdrop_echo,
	&sysctl__net_ipdrop_dropped,
};
#define VARIABLES	((int)(sizeof variables / sizeof variables[0]))

static ipfilter_t ipv4_filter, ipv6_filter;
static lck_grp_t *lock_group;
static lck_mtx_t *lock;
static int attached;			/* filters that can still be called; under `lock` */

/* ---- the rules ---------------------------------------------------------------------------- */

static bool
unwanted(mbuf_t packet, size_t offset, u_int8_t protocol)
{
	struct udphdr udp;
	u_int8_t type;

	switch (protocol) {
	case IPPROTO_UDP:
		/* mbuf_copydata tells when the packet is too short, and does not mind how it lies. */
		if (udp_port == 0 || mbuf_copydata(packet, offset, sizeof udp, &udp) != 0)
			return false;
		return ntohs(udp.uh_sport) == udp_port || ntohs(udp.uh_dport) == udp_port;
	case IPPROTO_ICMP:
		return echo && mbuf_copydata(packet, offset, 1, &type) == 0 &&
		    (type == ICMP_ECHO || type == ICMP_ECHOREPLY);
	case IPPROTO_ICMPV6:
		return echo && mbuf_copydata(packet, offset, 1, &type) == 0 &&
		    (type == ICMP6_ECHO_REQUEST || type == ICMP6_ECHO_REPLY);
	default:
		return false;
	}
}

static errno_t
verdict(mbuf_t packet, size_t offset, u_int8_t protocol)
{
	if (!unwanted(packet, offset, protocol))
		return 0;
	OSIncrementAtomic(&dropped);
	return EPERM;		/* any error but EJUSTRETURN, which would mean: I keep the packet */
}

/* ---- the filters -------------------------------------------------------------------------- */

/*
 * On the way in the stack has found the transport header for us, in both families. IPv6 asks about
 * each extension header as well; no rule is about those, so they pass and we are asked again.
 */
static errno_t
packet_in(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	return verdict(*data, (size_t)offset, protocol);
}

static errno_t
ipv4_out(void *cookie, mbuf_t *data, ipf_pktopts_t options)
{
	struct ip ip;

	if (mbuf_copydata(*data, 0, sizeof ip, &ip) != 0)
		return 0;
	return verdict(*data, (size_t)ip.ip_hl << 2, ip.ip_p);
}

static errno_t
ipv6_out(void *cookie, mbuf_t *data, ipf_pktopts_t options)
{
	struct ip6_hdr ip6;
	struct ip6_ext ext;
	size_t offset = sizeof ip6;
	u_int8_t protocol;

	if (mbuf_copydata(*data, 0, sizeof ip6, &ip6) != 0)
		return 0;
	protocol = ip6.ip6_nxt;
	while (protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	    protocol == IPPROTO_DSTOPTS) {
		if (mbuf_copydata(*data, offset, sizeof ext, &ext) != 0)
			return 0;
		offset += ((size_t)ext.ip6e_len + 1) * 8;
		protocol = ext.ip6e_nxt;
	}
	return verdict(*data, offset, protocol);
}

/* ---- coming and going --------------------------------------------------------------------- */

static void
detached(void *cookie)
{
	lck_mtx_lock(lock);
	attached--;
	wakeup(&attached);
	lck_mtx_unlock(lock);
}

static errno_t
attach(void)
{
	struct ipf_filter filter = {
		.name = "ipdrop",
		.ipf_input = packet_in,
		.ipf_output = ipv4_out,
		.ipf_detach = detached,
	};
	errno_t error;

	error = ipf_addv4(&filter, &ipv4_filter);
	if (error != 0)
		return error;
	lck_mtx_lock(lock);
	attached++;
	lck_mtx_unlock(lock);

	filter.ipf_output = ipv6_out;
	error = ipf_addv6(&filter, &ipv6_filter);
	if (error != 0)
		return error;
	lck_mtx_lock(lock);
	attached++;
	lck_mtx_unlock(lock);
	return 0;
}

static void
tear_down(void)
{
	if (ipv4_filter != NULL)
		ipf_remove(ipv4_filter);
	if (ipv6_filter != NULL)
		ipf_remove(ipv6_filter);
	if (lock != NULL) {
		lck_mtx_lock(lock);
		while (attached != 0)
			msleep(&attached, lock, PWAIT, "ipdrop", NULL);
		lck_mtx_unlock(lock);
		lck_mtx_free(lock, lock_group);
	}
	if (lock_group != NULL)
		lck_grp_free(lock_group);
}

kern_return_t
ipdrop_start(kmod_info_t *ki, void *data)
{
	lock_group = lck_grp_alloc_init("ipdrop", LCK_GRP_ATTR_NULL);
	if (lock_group != NULL)
		lock = lck_mtx_alloc_init(lock_group, LCK_ATTR_NULL);
	if (lock == NULL || attach() != 0) {
		tear_down();
		return KERN_FAILURE;
	}
	for (int i = 0; i < VARIABLES; i++)
		sysctl_register_oid(variables[i]);
	return KERN_SUCCESS;
}

kern_return_t
ipdrop_stop(kmod_info_t *ki, void *data)
{
	for (int i = VARIABLES - 1; i >= 0; i--)
		sysctl_unregister_oid(variables[i]);
	tear_down();
	printf("%d packets dropped\n", dropped);
	return KERN_SUCCESS;
}
