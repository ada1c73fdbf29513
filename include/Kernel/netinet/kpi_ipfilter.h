/*
 * IP filters: a kext sees, changes, takes or drops whole IPv4 or IPv6 packets between the network
 * layer and the transport. On input they come after reassembly, and only for packets to this
 * machine; on output after routing (IPv4) or before it (IPv6), and before fragmentation.
 *
 * There is one list of filters for each version. The newest filter is called first, on input and on
 * output. Lengths and offsets in IP headers are in network byte order in both directions. Of a
 * callback's results, 0 passes the packet on, EJUSTRETURN says that the filter has taken it over
 * (to free it or inject it later), any other errno makes the stack free it.
 */
#ifndef __KPI_IPFILTER__
#define __KPI_IPFILTER__

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/kernel_types.h>

/* Options a packet is sent with. Bits of ippo_flags that have no name here must be kept. */
struct ipf_pktopts {
	u_int32_t ippo_flags;
	ifnet_t ippo_mcast_ifnet;	/* where multicasts go; NULL: by route */
	int ippo_mcast_loop;		/* members here hear it too */
	u_int8_t ippo_mcast_ttl;
};
#define IPPOF_MCAST_OPTS	0x1	/* the three fields above mean something */

typedef struct ipf_pktopts *ipf_pktopts_t;

__BEGIN_DECLS

/*
 * An IP packet for this machine has come in, reassembled. *data starts with the IP header; it lies
 * in one piece, lengths in network byte order, the IPv4 header checksum right. For IPv4 `offset`
 * is the length of the header and `protocol` its protocol. For IPv6 it is called for each
 * extension header in turn and for the transport: offset is where that begins, protocol what it
 * is. Runs in the network's input thread: must not block for other packets. *data may be replaced.
 * The transport checksum is not verified yet: after a change call mbuf_inbound_modified and leave
 * right checksums; lengths must fit.
 *
 * Returns 0: goes on; EJUSTRETURN: the filter owns *data now; else: the stack frees it. Since
 * 10.4; semantics 3.
 */
typedef errno_t (*ipf_input_func)(void *cookie, mbuf_t *data, int offset, u_int8_t protocol);

/*
 * An IP packet is going out, not fragmented; lengths in network byte order, the IPv4 header
 * checksum not made, the transport's perhaps left to the driver: call mbuf_outbound_finalize
 * before reading or keeping it. IPv4 is routed already, so that another destination does not
 * change its way; inject it instead. IPv4 that is forwarded comes here too, IPv6 not. `options` is
 * never NULL and is valid during the call: copy it if the packet is to be injected later. Runs in
 * the sender's thread; may sleep only if the sender may. *data may be replaced.
 *
 * Returns 0: goes on; EJUSTRETURN: the filter owns *data now, the sender sees success; else: the
 * stack frees it, the sender sees the error. Since 10.4; semantics 3.
 */
typedef errno_t (*ipf_output_func)(void *cookie, mbuf_t *data, ipf_pktopts_t options);

/*
 * The filter is gone: after ipf_remove, inside it if no IP filter runs just then, else later in
 * whatever thread leaves the last filter. The last call into the filter, after all others have
 * returned; the kext may be unloaded when it has returned. Without this callback there is no way
 * to know. Since 10.4; semantics 3.
 */
typedef void (*ipf_detach_func)(void *cookie);

/* What ipf_addv4 and ipf_addv6 copy. One of ipf_input and ipf_output may be NULL. */
struct ipf_filter {
	void *cookie;		/* the kext's own, given to every callback */
	const char *name;	/* required; kept, not copied */
	ipf_input_func ipf_input;
	ipf_output_func ipf_output;
	ipf_detach_func ipf_detach;
};

/* A filter in its list. */
struct opaque_ipfilter;
typedef struct opaque_ipfilter *ipfilter_t;

/*
 * Adds a filter for IPv4 in front of those that are there. The struct is copied, the name is kept.
 * *filter_ref is good until ipf_remove. While there are IP filters TCP segmentation is not left to
 * drivers.
 * Returns EINVAL if the name is NULL or both ipf_input and ipf_output are; ENOMEM. May sleep;
 * allowed in callbacks. Since 10.4; semantics 1.8.
 */
errno_t ipf_addv4(const struct ipf_filter *filter, ipfilter_t *filter_ref);

/*
 * Adds a filter for IPv6, as ipf_addv4.
 * Returns EINVAL if the name is NULL or both ipf_input and ipf_output are; ENOMEM. May sleep;
 * allowed in callbacks. Since 10.4; semantics 1.8.
 */
errno_t ipf_addv6(const struct ipf_filter *filter, ipfilter_t *filter_ref);

/*
 * Removes a filter: its callbacks are not called any more from now on; ipf_detach says when those
 * that run have returned.
 * Returns EINVAL if filter_ref is NULL or not a filter; ENOENT if it is not in a list. May sleep;
 * allowed in callbacks. Since 10.4; semantics 1.8.
 */
errno_t ipf_remove(ipfilter_t filter_ref);

/*
 * Lets a packet come in (again), by way of the network's input thread. filter_ref 0: from the
 * beginning, through all checks, reassembly and filters; without receive interface it gets the one
 * that has the destination's address, or lo0. Else: behind that filter, to those that were added
 * before it; the receive interface must be set, the IPv4 header in one piece, lengths in network
 * byte order.
 * Returns 0: consumed. On error the caller keeps it: ENOTSUP if it is neither IPv4 nor IPv6;
 * ENOMEM; ENOENT. Since 10.4; semantics 1.8.
 */
errno_t ipf_inject_input(mbuf_t data, ipfilter_t filter_ref);

/*
 * Sends an IP packet (again): routed anew by `options`, which may be NULL; the IPv4 header
 * complete, lengths in network byte order. filter_ref 0: through all filters; else through those
 * behind that filter, added before it (none, if it was removed). The packet is consumed in any
 * case. Returns ENOTSUP if it is neither IPv4 nor IPv6; ENOMEM; EHOSTUNREACH, ENETUNREACH,
 * EMSGSIZE and others of sending. Synchronous; may sleep. Since 10.4; semantics 1.8.
 */
errno_t ipf_inject_output(mbuf_t data, ipfilter_t filter_ref, ipf_pktopts_t options);

__END_DECLS

#endif
