/*
 * Interface filters: a kext sees, changes, takes or drops every frame of one interface, right above
 * the driver, and hears its events and ioctls.
 *
 * Filters of an interface are called in the order of their attachment, oldest first, for every
 * callback and both directions. On input a filter comes after the media's demux and before the
 * protocol; on output it is the last before the driver, and the packet starts with its link header.
 * A frame that filters drop on output never reaches BPF; inbound ones were tapped before.
 *
 * libnke lets a callback call iflt_attach and iflt_detach for its own interface; on a Mac that
 * never returns.
 */
#ifndef __KPI_INTERFACEFILTER__
#define __KPI_INTERFACEFILTER__

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/kernel_types.h>
#include <net/kpi_interface.h>

struct kev_msg;

__BEGIN_DECLS

/*
 * A frame has come in. *data starts behind the link header, at *frame_ptr (normally right before
 * it, ifnet_hdrlen bytes); both may be replaced, *data with a packet header. protocol is 0 for a
 * frame that the demux does not know; that, and frames for other stations (MBUF_PROMISC), are seen
 * too. One packet at a time, in the interface's input thread: must not block.
 *
 * Returns 0: goes on; EJUSTRETURN: the filter owns *data now; else: the stack frees it. May be
 * detached from here. Since 10.4; semantics 4.
 */
typedef errno_t (*iff_input_func)(void *cookie, ifnet_t interface, protocol_family_t protocol,
    mbuf_t *data, char **frame_ptr);

/*
 * A frame is going out, the link header at the start of *data. Fragments are made already;
 * checksums may be the driver's work still (mbuf_outbound_finalize does not know link headers:
 * give it the offset). *data may be replaced, with a packet header. Runs in the sender's thread;
 * several can run at once. May sleep only if the sender may.
 *
 * Returns 0: goes on to the driver; EJUSTRETURN: the filter owns *data now, the sender sees
 * success; else: the stack frees it and the sender sees the error. Since 10.4; semantics 4.
 */
typedef errno_t (*iff_output_func)(void *cookie, ifnet_t interface, protocol_family_t protocol,
    mbuf_t *data);

/*
 * An event of the interface (net/net_kev.h), any protocol's; `protocol` is the filter's own
 * iff_protocol. Comes before protocols and programs hear it; can't be refused. event_msg is valid
 * during the call. May sleep. KEV_DL_IF_DETACHING: the filter will be detached by itself. Since
 * 10.4; semantics 4.
 */
typedef void (*iff_event_func)(void *cookie, ifnet_t interface, protocol_family_t protocol,
    const struct kev_msg *event_msg);

/*
 * An ioctl on the interface, for the filter's protocol or for all. ioctl_arg is kernel memory of
 * the size that the command says. SIOCSIFKPI and SIOCGIFKPI are there for filters. May sleep.
 * Returns EOPNOTSUPP: not mine; 0: done, others are still asked, but their errors don't count;
 * EJUSTRETURN: done, nobody else is asked; else: ends the ioctl with that. Since 10.4; semantics
 * 4.
 */
typedef errno_t (*iff_ioctl_func)(void *cookie, ifnet_t interface, protocol_family_t protocol,
    unsigned long ioctl_cmd, void *ioctl_arg);

/*
 * The filter is detached: by iflt_detach, in its caller's thread, or because the interface goes.
 * Called exactly once, after all other callbacks have returned; the last one. Free the cookie
 * here; the reference is void. May sleep. Since 10.4; semantics 4.
 */
typedef void (*iff_detached_func)(void *cookie, ifnet_t interface);

/* What iflt_attach copies. Callbacks may be NULL. */
struct iff_filter {
	void *iff_cookie;		/* the kext's own, given to every callback */
	const char *iff_name;		/* kept, not copied */
	protocol_family_t iff_protocol;	/* PF_INET, PF_INET6 ...; 0: everything */
	iff_input_func iff_input;
	iff_output_func iff_output;
	iff_event_func iff_event;
	iff_ioctl_func iff_ioctl;
	iff_detached_func iff_detached;
};

/*
 * Attaches a filter to an interface, behind those that are there. The struct is copied, the name
 * is kept; *filter_ref is good until the filter is detached. No reference to the interface is
 * taken. While an interface has filters TCP segmentation is not left to its driver.
 * Returns ENOENT if the interface is NULL; ENXIO if it is not attached; ENOMEM. May sleep. Since
 * 10.4; semantics 1.7.
 */
errno_t iflt_attach(ifnet_t interface, const struct iff_filter *filter,
    interface_filter_t *filter_ref);

/*
 * Detaches a filter: no new input or output callback starts, it waits for those that run, calls
 * iff_detached in this thread and frees the reference. NULL, and what is detached already, is
 * ignored. May sleep. Since 10.4; semantics 1.7.
 */
void iflt_detach(interface_filter_t filter_ref);

__END_DECLS

#endif
