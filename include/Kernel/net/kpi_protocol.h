/*
 * Network protocols and the interfaces below them: how IPv4 or IPv6 is put onto an interface family
 * (plumbing), and how packets are handed to a protocol. Drivers of interface families of their own
 * include it.
 */
#ifndef __NET_KPI_PROTOCOL__
#define __NET_KPI_PROTOCOL__

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/kernel_types.h>
#include <net/kpi_interface.h>

__BEGIN_DECLS

/*
 * Put `protocol` onto the interface: called when IPv4 or IPv6 is first configured on an interface
 * of the family. It must call ifnet_attach_protocol itself. Returns that call's result; EEXIST,
 * attached already, is fine. May sleep; must not register or unregister plumbers. Since 10.4;
 * semantics 6.
 */
typedef errno_t (*proto_plumb_handler)(ifnet_t ifp, protocol_family_t protocol);

/*
 * Take `protocol` off the interface: by configuration, after a failure, or because the interface
 * goes. It calls ifnet_detach_protocol. May sleep; must not register or unregister plumbers. Since
 * 10.4; semantics 6.
 */
typedef void (*proto_unplumb_handler)(ifnet_t ifp, protocol_family_t protocol);

/*
 * Says how protocol proto_fam is put onto, and taken off, interfaces of family if_fam. unplumb may
 * be NULL: the protocol is just detached. IPv4 and IPv6 are known for Ethernet, loopback, VLAN and
 * utun.
 * Returns EINVAL if plumb is NULL; EEXIST if the pair is taken; ENOMEM. May sleep. Since 10.4;
 * semantics 1.6.
 */
errno_t proto_register_plumber(protocol_family_t proto_fam, ifnet_family_t if_fam,
    proto_plumb_handler plumb, proto_unplumb_handler unplumb);

/*
 * Takes a pair back; unknown ones are ignored. After it has returned the handlers are not called
 * any more; what they attached stays. May sleep. Since 10.4; semantics 1.6.
 */
void proto_unregister_plumber(protocol_family_t proto_fam, ifnet_family_t if_fam);

/*
 * Hands a packet, or a list of them, to PF_INET or PF_INET6 at once, in this thread. The receive
 * interface must be set, the data starts with the IP header.
 * Returns 0: consumed; -1 (no errno) if the protocol takes no packets: the caller keeps them. May
 * sleep. Since 10.4; semantics 1.6.
 */
errno_t proto_input(protocol_family_t protocol, mbuf_t packet);

/*
 * As proto_input, but the packets are queued for the network's input thread.
 * Returns 0: consumed; ENOENT if the protocol takes no packets: the caller keeps them. Since 10.4;
 * semantics 1.6.
 */
errno_t proto_inject(protocol_family_t protocol, mbuf_t packet);

__END_DECLS

#endif
