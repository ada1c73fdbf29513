/*
 * rewrite: 10.1.0.1 and 192.0.2.1 change names. Wherever one of them stands as source or destination
 * of an IPv4 packet, on the way in or out, the other one is put there.
 *
 * Everything that the addresses are part of has to follow: the IP header's checksum, the checksum of
 * TCP and UDP (it covers a pseudo header with both addresses), and the copy of a packet's header that
 * an ICMP error quotes. Checksums are adjusted, not computed anew (RFC 1624): that costs a few
 * additions instead of a walk over the data, and a packet that was damaged before stays damaged.
 *
 * Addresses in other places (ARP, DHCP and DNS messages) are not touched, nor is the route: when an
 * output filter runs it has been chosen, and the packet goes to the same neighbour under its new name.
 */
#include <stdbool.h>
#include <sys/param.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/kpi_mbuf.h>
#include <sys/proc.h>
#include <kern/locks.h>
#include <libkern/OSAtomic.h>
#include <mach/mach_types.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/kpi_ipfilter.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

kern_return_t rewrite_start(kmod_info_t *ki, void *data);
kern_return_t rewrite_stop(kmod_info_t *ki, void *data);

#define ADDRESS_A	0x0a010001u	/* 10.1.0.1 */
#define ADDRESS_B	0xc0000201u	/* 192.0.2.1 */

static ipfilter_t filter;
static int rewritten;
static lck_grp_t *lock_group;
static lck_mtx_t *lock;
static bool attached;			/* the filter can still be called; under `lock` */

/* ---- checksums ---------------------------------------------------------------------------- */

/*
 * RFC 1624, equation 3: HC' = ~(~HC + ~m + m'). All values as they lie in the packet; a ones'
 * complement sum comes out right in either byte order.
 */
static u_int16_t
adjust16(u_int16_t sum, u_int16_t from, u_int16_t to)
{
	u_int32_t s = (u_int16_t)~sum;

	s += (u_int16_t)~from;
	s += to;
	s = (s >> 16) + (s & 0xffff);
	s = (s >> 16) + (s & 0xffff);
	return (u_int16_t)~s;
}

static u_int16_t
adjust_address(u_int16_t sum, struct in_addr from, struct in_addr to)
{
	sum = adjust16(sum, (u_int16_t)(from.s_addr >> 16), (u_int16_t)(to.s_addr >> 16));
	return adjust16(sum, (u_int16_t)from.s_addr, (u_int16_t)to.s_addr);
}

/* ---- rewriting ---------------------------------------------------------------------------- */

static struct in_addr
other_name(struct in_addr address)
{
	if (address.s_addr == htonl(ADDRESS_A))
		address.s_addr = htonl(ADDRESS_B);
	else if (address.s_addr == htonl(ADDRESS_B))
		address.s_addr = htonl(ADDRESS_A);
	return address;
}

/* True when there was something to do. */
static bool
rename_header(struct ip *ip)
{
	struct in_addr src = other_name(ip->ip_src), dst = other_name(ip->ip_dst);

	if (src.s_addr == ip->ip_src.s_addr && dst.s_addr == ip->ip_dst.s_addr)
		return false;
	/*
	 * On the way out the stack fills in the header's checksum after the filters, so there this
	 * adjusts a number that nobody reads.
	 */
	ip->ip_sum = adjust_address(ip->ip_sum, ip->ip_src, src);
	ip->ip_sum = adjust_address(ip->ip_sum, ip->ip_dst, dst);
	ip->ip_src = src;
	ip->ip_dst = dst;
	return true;
}

/* A checksum of TCP or UDP follows the addresses of its packet. */
static errno_t
fix_transport(mbuf_t packet, size_t offset, u_int8_t protocol, const struct ip *old,
    const struct ip *new)
{
	u_int16_t sum;

	if (protocol == IPPROTO_TCP)
		offset += offsetof(struct tcphdr, th_sum);
	else if (protocol == IPPROTO_UDP)
		offset += offsetof(struct udphdr, uh_sum);
	else
		return 0;	/* of its own: ICMP's checksum, for one, has no pseudo header */
	if (mbuf_copydata(packet, offset, sizeof sum, &sum) != 0)
		return 0;	/* too short to have one */
	if (protocol == IPPROTO_UDP && sum == 0)
		return 0;	/* sent without (RFC 768) */
	sum = adjust_address(sum, old->ip_src, new->ip_src);
	sum = adjust_address(sum, old->ip_dst, new->ip_dst);
	if (protocol == IPPROTO_UDP && sum == 0)
		sum = 0xffff;
	return mbuf_copyback(packet, offset, sizeof sum, &sum, MBUF_DONTWAIT);
}

/*
 * An ICMP error quotes the header of the packet it is about; its receiver looks there for whom it
 * concerns. The quoted header's new checksum and the new addresses both count in ICMP's own.
 */
static errno_t
fix_icmp_error(mbuf_t packet, size_t offset, bool *changed)
{
	struct ip old, quoted;
	u_int16_t sum;
	u_int8_t type;
	errno_t error;

	if (mbuf_copydata(packet, offset, 1, &type) != 0 || ICMP_INFOTYPE(type) ||
	    mbuf_copydata(packet, offset + ICMP_MINLEN, sizeof quoted, &quoted) != 0)
		return 0;
	old = quoted;
	if (quoted.ip_v != IPVERSION || !rename_header(&quoted))
		return 0;
	*changed = true;
	mbuf_copydata(packet, offset + offsetof(struct icmp, icmp_cksum), sizeof sum, &sum);
	sum = adjust_address(sum, old.ip_src, quoted.ip_src);
	sum = adjust_address(sum, old.ip_dst, quoted.ip_dst);
	sum = adjust16(sum, old.ip_sum, quoted.ip_sum);
	error = mbuf_copyback(packet, offset + ICMP_MINLEN, sizeof quoted, &quoted, MBUF_DONTWAIT);
	if (error == 0)
		error = mbuf_copyback(packet, offset + offsetof(struct icmp, icmp_cksum), sizeof sum,
		    &sum, MBUF_DONTWAIT);
	return error;
}

/*
 * A cluster can belong to several packets at once (TCP keeps what it has sent until it is
 * acknowledged), and writing into one would change them all: then the packet gets its own copy.
 */
static errno_t
make_writable(mbuf_t *packet)
{
	mbuf_t m, copy;
	errno_t error;

	for (m = *packet; m != NULL; m = mbuf_next(m))
		if (mbuf_mclhasreference(m))
			break;
	if (m == NULL)
		return 0;
	error = mbuf_dup(*packet, MBUF_DONTWAIT, &copy);
	if (error != 0)
		return error;
	mbuf_freem(*packet);
	*packet = copy;
	return 0;
}

static errno_t
rewrite(mbuf_t *packet, bool outbound)
{
	struct ip old, *ip;
	size_t hlen;
	bool changed;
	errno_t error;

	/* mbuf_pullup may well put a new mbuf in front even if all is in one piece: so look first. */
	if (mbuf_len(*packet) < sizeof *ip && mbuf_pullup(packet, sizeof *ip) != 0)
		return EJUSTRETURN;	/* the packet is freed: there is nothing for the stack to free */
	ip = mbuf_data(*packet);
	hlen = (size_t)ip->ip_hl << 2;
	if (ip->ip_p != IPPROTO_ICMP && other_name(ip->ip_src).s_addr == ip->ip_src.s_addr &&
	    other_name(ip->ip_dst).s_addr == ip->ip_dst.s_addr)
		return 0;

	error = make_writable(packet);
	if (error != 0)
		return error;
	/* What was left to the hardware must be there before it can be adjusted. */
	if (outbound)
		mbuf_outbound_finalize(*packet, PF_INET, 0);
	ip = mbuf_data(*packet);	/* all of these may have moved it */
	old = *ip;
	changed = rename_header(ip);
	if (changed)
		error = fix_transport(*packet, hlen, ip->ip_p, &old, ip);
	if (error == 0 && old.ip_p == IPPROTO_ICMP)
		error = fix_icmp_error(*packet, hlen, &changed);
	if (!changed)
		return error;
	/* The hardware's "checksum is good" was about another packet. */
	if (!outbound)
		mbuf_inbound_modified(*packet);
	OSIncrementAtomic(&rewritten);
	return error;
}

/* ---- the filter --------------------------------------------------------------------------- */

static errno_t
packet_in(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	return rewrite(data, false);
}

static errno_t
packet_out(void *cookie, mbuf_t *data, ipf_pktopts_t options)
{
	return rewrite(data, true);
}

static void
detached(void *cookie)
{
	lck_mtx_lock(lock);
	attached = false;
	wakeup(&attached);
	lck_mtx_unlock(lock);
}

static const struct ipf_filter description = {
	.name = "rewrite",
	.ipf_input = packet_in,
	.ipf_output = packet_out,
	.ipf_detach = detached,
};

static void
free_lock(void)
{
	if (lock != NULL)
		lck_mtx_free(lock, lock_group);
	if (lock_group != NULL)
		lck_grp_free(lock_group);
}

kern_return_t
rewrite_start(kmod_info_t *ki, void *data)
{
	lock_group = lck_grp_alloc_init("rewrite", LCK_GRP_ATTR_NULL);
	if (lock_group != NULL)
		lock = lck_mtx_alloc_init(lock_group, LCK_ATTR_NULL);
	attached = true;
	if (lock == NULL || ipf_addv4(&description, &filter) != 0) {
		free_lock();
		return KERN_FAILURE;
	}
	return KERN_SUCCESS;
}

kern_return_t
rewrite_stop(kmod_info_t *ki, void *data)
{
	ipf_remove(filter);
	lck_mtx_lock(lock);
	while (attached)
		msleep(&attached, lock, PWAIT, "rewrite", NULL);
	lck_mtx_unlock(lock);
	free_lock();
	printf("%d packets rewritten\n", rewritten);
	return KERN_SUCCESS;
}
