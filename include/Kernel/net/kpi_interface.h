/*
 * Interfaces: making, attaching and detaching them, moving packets in and out, their properties,
 * addresses and multicast groups. Drivers need most of it; filters find and question interfaces
 * with it.
 *
 * Life: ifnet_allocate makes an interface, ifnet_attach publishes it, ifnet_detach takes it away
 * again; the driver's detach callback says when nothing can call the driver any more. An ifnet_t
 * from a lookup or a list carries a reference that ifnet_release gives back; one that is an
 * argument of a callback, or comes from an accessor, does not.
 *
 * Unless noted: NULL for an ifnet_t gives EINVAL from setters and the value that is shown from
 * getters. "Takes the interface lock" means thread context, may sleep, and not from the
 * interface's demux, add_proto or del_proto callbacks. Accessors that say nothing about context
 * may be called anywhere.
 */
#ifndef __KPI_INTERFACE__
#define __KPI_INTERFACE__

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/kernel_types.h>
#include <sys/_types/_sa_family_t.h>

struct timeval;
struct sockaddr;
struct sockaddr_dl;
struct kern_event_msg;
struct kev_msg;
struct ifnet_demux_desc;

/* Families of interfaces: kinds of link layer. Others come from ifnet_interface_family_find. */
enum {
	IFNET_FAMILY_ANY = 0,
	IFNET_FAMILY_LOOPBACK = 1,
	IFNET_FAMILY_ETHERNET = 2,
	IFNET_FAMILY_SLIP = 3,
	IFNET_FAMILY_TUN = 4,
	IFNET_FAMILY_VLAN = 5,
	IFNET_FAMILY_PPP = 6,
	IFNET_FAMILY_PVC = 7,
	IFNET_FAMILY_DISC = 8,
	IFNET_FAMILY_MDECAP = 9,
	IFNET_FAMILY_GIF = 10,
	IFNET_FAMILY_FAITH = 11,
	IFNET_FAMILY_STF = 12,
	IFNET_FAMILY_FIREWIRE = 13,
	IFNET_FAMILY_BOND = 14,
	IFNET_FAMILY_CELLULAR = 15,
	IFNET_FAMILY_6LOWPAN = 16,
	IFNET_FAMILY_UTUN = 17,
	IFNET_FAMILY_IPSEC = 18
};
typedef u_int32_t ifnet_family_t;

/* Which directions BPF wants (set_bpf_tap). */
#ifndef BPF_TAP_MODE_T
#define BPF_TAP_MODE_T
enum {
	BPF_MODE_DISABLED = 0,
	BPF_MODE_INPUT = 1,
	BPF_MODE_OUTPUT = 2,
	BPF_MODE_INPUT_OUTPUT = 3
};
typedef u_int32_t bpf_tap_mode;
#endif

/* PF_INET, PF_INET6, PF_VLAN ... */
typedef u_int32_t protocol_family_t;

/* What the hardware does for the stack. */
enum {
	IFNET_CSUM_IP = 0x00000001,
	IFNET_CSUM_TCP = 0x00000002,
	IFNET_CSUM_UDP = 0x00000004,
	IFNET_CSUM_FRAGMENT = 0x00000008,
	IFNET_IP_FRAGMENT = 0x00000010,
	IFNET_CSUM_TCPIPV6 = 0x00000020,
	IFNET_CSUM_UDPIPV6 = 0x00000040,
	IFNET_IPV6_FRAGMENT = 0x00000080,
	IFNET_VLAN_TAGGING = 0x00010000,	/* inserts and removes tags */
	IFNET_VLAN_MTU = 0x00020000,		/* a tagged frame may be 4 bytes longer */
	IFNET_MULTIPAGES = 0x00100000,		/* mbufs may cross pages */
	IFNET_TSO_IPV4 = 0x00200000,
	IFNET_TSO_IPV6 = 0x00400000,
	IFNET_TX_STATUS = 0x00800000,
	IFNET_HW_TIMESTAMP = 0x01000000,
	IFNET_SW_TIMESTAMP = 0x02000000
};
typedef u_int32_t ifnet_offload_t;

/* Wake flags. */
enum {
	IFNET_WAKE_ON_MAGIC_PACKET = 0x01
};

__BEGIN_DECLS

/* Callbacks of a driver. */

/*
 * How a driver hands packets to BPF by the old way, set_bpf_tap. Nobody calls it; use bpf_tap_in.
 * Since 10.4; semantics 5.
 */
typedef errno_t (*bpf_packet_func)(ifnet_t interface, mbuf_t data);

/*
 * Send a packet (its link header at the front). The driver owns it, whatever it returns. Called in
 * the sender's thread, from several at once, with no lock of the stack held: queue it or send it,
 * don't wait. Returns 0 or an errno for the sender; EQFULL and EQSUSPENDED count as 0. Since 10.4;
 * semantics 5.
 */
typedef errno_t (*ifnet_output_func)(ifnet_t interface, mbuf_t data);

/*
 * An ioctl that no filter or protocol has ended: SIOCSIFFLAGS, SIOCSIFMTU, SIOCADDMULTI ... data
 * is kernel memory of the size that cmd says, or NULL (SIOCADDMULTI and SIOCDELMULTI: read the
 * list with ifnet_get_multicast_list). May sleep. Returns 0, EOPNOTSUPP for what the driver does
 * not know, or another errno. Since 10.4; semantics 5.
 */
typedef errno_t (*ifnet_ioctl_func)(ifnet_t interface, unsigned long cmd, void *data);

/*
 * Deprecated: BPF wants packets by `callback`. Leave it NULL; use bpf_attach, bpf_tap_in,
 * bpf_tap_out. Since 10.4; semantics 5.
 */
typedef errno_t (*ifnet_set_bpf_tap)(ifnet_t interface, bpf_tap_mode mode,
    bpf_packet_func callback);

/*
 * The interface is detached: after ifnet_detach, in another thread, when all other callbacks have
 * returned. The last call into the driver; release its reference and free what it has. May sleep.
 * Since 10.4; semantics 5.
 */
typedef void (*ifnet_detached_func)(ifnet_t interface);

/*
 * Which protocol does a received packet belong to? Its data starts behind the link header, which
 * is at frame_header. Sets *protocol_family, and MBUF_BCAST, MBUF_MCAST, MBUF_PROMISC. Called in
 * the input thread with the interface locked: must not block, nor call what takes the interface
 * lock.
 * Returns 0; EJUSTRETURN: the driver owns the packet now; else: nobody knows the packet (filters
 * still see it, with family 0), the stack frees it. Since 10.4; semantics 5.
 */
typedef errno_t (*ifnet_demux_func)(ifnet_t interface, mbuf_t packet, char *frame_header,
    protocol_family_t *protocol_family);

/*
 * An event of the interface, after filters and protocols heard it. msg is valid during the call.
 * May sleep. Since 10.4; semantics 5.
 */
typedef void (*ifnet_event_func)(ifnet_t interface, const struct kev_msg *msg);

/*
 * Put the link header in front of *packet, for the link address dest_lladdr and the type
 * frame_type, which pre_output of the protocol has filled in; dest is the protocol's address.
 * *packet can become another mbuf. Runs in the sender's thread, must not block.
 * Returns 0; EJUSTRETURN: it has consumed the packet; else: the stack frees it. Since 10.4;
 * semantics 5.
 */
typedef errno_t (*ifnet_framer_func)(ifnet_t interface, mbuf_t *packet,
    const struct sockaddr *dest, const char *dest_lladdr, const char *frame_type);

/*
 * A protocol is being attached: remember how demux knows its frames. The array is valid during the
 * call. Called with the interface locked exclusively: must not call what takes that lock. Returns
 * 0, or an errno that attaching fails with. Since 10.4; semantics 5.
 */
typedef errno_t (*ifnet_add_proto_func)(ifnet_t interface, protocol_family_t protocol_family,
    const struct ifnet_demux_desc *demux_array, u_int32_t demux_count);

/*
 * A protocol is being detached: forget its frames. Called with the interface locked exclusively.
 * The result is ignored. Since 10.4; semantics 5.
 */
typedef errno_t (*ifnet_del_proto_func)(ifnet_t interface, protocol_family_t protocol_family);

/*
 * May this link (or, unresolved, protocol) address be joined? Returns 0, EOPNOTSUPP (counts as
 * yes), or an errno that joining fails with, EADDRNOTAVAIL for an address that is no multicast
 * address. Since 10.4; semantics 5.
 */
typedef errno_t (*ifnet_check_multi)(ifnet_t interface, const struct sockaddr *mcast);

/* Callbacks of a protocol that is attached to an interface. */

/*
 * A packet for the protocol has come in, its link header at `header`. Called in the input thread,
 * one packet at a time.
 * Returns 0 or EJUSTRETURN: the protocol owns the packet; else: the stack frees it. Since 10.4;
 * semantics 5.
 */
typedef errno_t (*proto_media_input)(ifnet_t ifp, protocol_family_t protocol, mbuf_t packet,
    char *header);

/*
 * A list of packets for the protocol has come in, each with its link header at mbuf_pkthdr_header.
 * Called in the input thread.
 * Returns 0 or EJUSTRETURN: the protocol owns the list; else: the stack frees all of it. Since
 * 10.5; semantics 5.
 */
typedef errno_t (*proto_media_input_v2)(ifnet_t ifp, protocol_family_t protocol, mbuf_t packet);

/*
 * A packet (or the first of a list: the answer is for all) goes out to dest: find the link address
 * and frame type and store them in the caller's buffers link_layer_dest and frame_type. `route` is
 * what ifnet_output was given. *packet may be replaced. Runs in the sender's thread.
 * Returns 0; EJUSTRETURN: the protocol owns this packet now, for example until ARP has an answer;
 * else: the stack frees the list, the sender sees the error. Since 10.4; semantics 5.
 */
typedef errno_t (*proto_media_preout)(ifnet_t ifp, protocol_family_t protocol, mbuf_t *packet,
    const struct sockaddr *dest, void *route, char *frame_type, char *link_layer_dest);

/*
 * An event of the interface, after filters heard it. `event` is valid during the call. May sleep.
 * Since 10.4; semantics 5.
 */
typedef void (*proto_media_event)(ifnet_t ifp, protocol_family_t protocol,
    const struct kev_msg *event);

/*
 * An ioctl for this protocol that no filter has ended; before the driver is asked. May sleep.
 * Returns EOPNOTSUPP if it is not the protocol's; 0: the driver is asked too, but its errors don't
 * count; else: ends the ioctl with that. Since 10.4; semantics 5.
 */
typedef errno_t (*proto_media_ioctl)(ifnet_t ifp, protocol_family_t protocol,
    unsigned long command, void *argument);

/*
 * The protocol is detached: after ifnet_detach_protocol, or as the interface goes, when its last
 * user has left, perhaps in another thread. The last call. The result is ignored. Since 10.4;
 * semantics 5.
 */
typedef errno_t (*proto_media_detached)(ifnet_t ifp, protocol_family_t protocol);

/*
 * Which link address is this multicast group's? Store it at out_ll, ll_len bytes of room. Returns
 * 0; EOPNOTSUPP: there is none; EMSGSIZE or another errno that joining fails with. Since 10.4;
 * semantics 5.
 */
typedef errno_t (*proto_media_resolve_multi)(ifnet_t ifp, const struct sockaddr *proto_addr,
    struct sockaddr_dl *out_ll, size_t ll_len);

/*
 * Send an ARP packet: arpop is an ARPOP_*. A sender's address that is NULL is the interface's own,
 * a target_hw that is NULL the broadcast address; target_proto is required. Returns 0 or an errno.
 * Since 10.4; semantics 5.
 */
typedef errno_t (*proto_media_send_arp)(ifnet_t ifp, u_short arpop,
    const struct sockaddr_dl *sender_hw, const struct sockaddr *sender_proto,
    const struct sockaddr_dl *target_hw, const struct sockaddr *target_proto);

/* Counters: to add ... */
struct ifnet_stat_increment_param {
	u_int32_t packets_in;
	u_int32_t bytes_in;
	u_int32_t errors_in;
	u_int32_t packets_out;
	u_int32_t bytes_out;
	u_int32_t errors_out;
	u_int32_t collisions;
	u_int32_t dropped;	/* on input, for lack of room */
};

/* ... and in all. */
struct ifnet_stats_param {
	u_int64_t packets_in;
	u_int64_t bytes_in;
	u_int64_t multicasts_in;
	u_int64_t errors_in;
	u_int64_t packets_out;
	u_int64_t bytes_out;
	u_int64_t multicasts_out;
	u_int64_t errors_out;
	u_int64_t collisions;
	u_int64_t dropped;
	u_int64_t no_protocol;	/* for a protocol that is not attached */
};

/* How the driver's demux knows a protocol's frames. */
struct ifnet_demux_desc {
	u_int32_t type;		/* DLIL_DESC_*: what data is */
	void *data;		/* e.g. an Ethernet type in network byte order */
	u_int32_t datalen;	/* bytes */
};

/* What ifnet_attach_protocol copies. */
struct ifnet_attach_proto_param {
	struct ifnet_demux_desc *demux_array;	/* read during the call only */
	u_int32_t demux_count;
	proto_media_input input;		/* required */
	proto_media_preout pre_output;
	proto_media_event event;
	proto_media_ioctl ioctl;
	proto_media_detached detached;
	proto_media_resolve_multi resolve;
	proto_media_send_arp send_arp;
};

/* The same for a protocol that takes lists of packets. */
struct ifnet_attach_proto_param_v2 {
	struct ifnet_demux_desc *demux_array;
	u_int32_t demux_count;
	proto_media_input_v2 input;
	proto_media_preout pre_output;
	proto_media_event event;
	proto_media_ioctl ioctl;
	proto_media_detached detached;
	proto_media_resolve_multi resolve;
	proto_media_send_arp send_arp;
};

/* What ifnet_allocate is given. */
struct ifnet_init_params {
	const void *uniqueid;		/* names this interface for good; NULL: name and unit */
	u_int32_t uniqueid_len;		/* bytes */
	const char *name;		/* "en", up to 15 bytes */
	u_int32_t unit;
	ifnet_family_t family;
	u_int32_t type;			/* IFT_*, 1 ... 255 */
	ifnet_output_func output;	/* required */
	ifnet_demux_func demux;		/* in effect required */
	ifnet_add_proto_func add_proto;	/* required to attach */
	ifnet_del_proto_func del_proto;	/* required to attach */
	ifnet_check_multi check_multi;	/* NULL: all multicast addresses are accepted */
	ifnet_framer_func framer;	/* NULL: packets go out without a link header */
	void *softc;			/* the driver's own, see ifnet_softc */
	ifnet_ioctl_func ioctl;		/* NULL: EOPNOTSUPP */
	ifnet_set_bpf_tap set_bpf_tap;	/* NULL; use bpf_attach */
	ifnet_detached_func detach;
	ifnet_event_func event;
	const void *broadcast_addr;	/* link address; copied */
	u_int32_t broadcast_len;	/* bytes */
};

/* Life cycle. */

/*
 * Makes an interface that is not attached yet, from the struct, which is copied (the unique id and
 * the broadcast address too). An interface of the same family and unique id that is no longer in
 * use is brought back: same ifnet_t, same index. The caller owns a reference: ifnet_release.
 * Returns EINVAL if the family is 0, the name NULL or longer than 15 bytes, the type 0 or above
 * 255, or output NULL; EBUSY if the family's name and unit, or unique id, are in use; ENOMEM. May
 * sleep. Since 10.4; semantics 1.10.
 */
errno_t ifnet_allocate(const struct ifnet_init_params *init, ifnet_t *interface);

/* Takes a reference. Returns EINVAL for NULL. Since 10.4; semantics 1.10. */
errno_t ifnet_reference(ifnet_t interface);

/*
 * Gives a reference back. One that was never attached can be reused when the last is gone. One too
 * many panics. Returns EINVAL for NULL. Since 10.4; semantics 1.10.
 */
errno_t ifnet_release(ifnet_t interface);

/*
 * Publishes an interface: it gets an index, a link address (ll_addr is copied; NULL: none) and an
 * input thread, and KEV_DL_IF_ATTACHED is posted. It is not up: attaching a protocol sets IFF_UP.
 * Counters start at 0.
 * Returns, in this order of testing, EINVAL for NULL; EEXIST if it is attached; EINVAL if the link
 * address's length is not ifnet_addrlen (when that is set); ENODEV without add_proto or del_proto;
 * ENOBUFS. An interface that was attached before panics: allocate anew. May sleep; not in
 * callbacks of the interface. Since 10.4; semantics 1.10.
 */
errno_t ifnet_attach(ifnet_t interface, const struct sockaddr_dl *ll_addr);

/*
 * Begins to take an interface away: from now on no packet goes in or out. KEV_DL_IF_DETACHING is
 * posted before this returns; the rest is done by another thread: filters and protocols are
 * detached, addresses removed, and at last the driver's detach callback is called.
 * Returns EINVAL for NULL, or if it is not attached or going already. May sleep; allowed in
 * callbacks that don't hold the interface lock. Since 10.4; semantics 1.10.
 */
errno_t ifnet_detach(ifnet_t interface);

/*
 * The interface family of a name (reverse DNS), a new one the first time; 1000 or more, until
 * reboot. The same name gives the same number as mbuf tag id and vendor code.
 * Returns EINVAL if an argument is NULL; ENOMEM. May sleep. Since 10.6; semantics 1.10.
 */
errno_t ifnet_interface_family_find(const char *module_string, ifnet_family_t *family_id);

/* Names and kinds. */

/*
 * The driver's own pointer from ifnet_init_params. NULL for NULL. Since 10.4; semantics 1.10.
 */
void *ifnet_softc(ifnet_t interface);

/*
 * The name without unit number ("en"), good while a reference is held. NULL for NULL. Since 10.4;
 * semantics 1.10.
 */
const char *ifnet_name(ifnet_t interface);

/* The interface's family. 0 for NULL. Since 10.4; semantics 1.10. */
ifnet_family_t ifnet_family(ifnet_t interface);

/* The number behind the name. 0xffffffff for NULL. Since 10.4; semantics 1.10. */
u_int32_t ifnet_unit(ifnet_t interface);

/*
 * The interface's index, 0 before it was first attached. 0xffffffff for NULL. Since 10.4;
 * semantics 1.10.
 */
u_int32_t ifnet_index(ifnet_t interface);

/* IFT_*. 0 for NULL. Since 10.4; semantics 1.10. */
u_int8_t ifnet_type(ifnet_t interface);

/* Flags, capabilities, offloads. */

/*
 * Sets those of the flags IFF_* that are in mask. A change of IFF_UP tells the protocols and
 * routing sockets; the driver gets no ioctl and no event is posted.
 * Returns EINVAL for NULL. Takes the interface lock. Since 10.4; semantics 1.10.
 */
errno_t ifnet_set_flags(ifnet_t interface, u_int16_t new_flags, u_int16_t mask);

/* IFF_*. 0 for NULL. Since 10.4; semantics 1.10. */
u_int16_t ifnet_flags(ifnet_t interface);

/*
 * Says which capabilities IFCAP_* the driver has, of those in mask.
 * Returns EINVAL for NULL or unknown ones. Takes the interface lock. Since 10.7; semantics 1.10.
 */
errno_t ifnet_set_capabilities_supported(ifnet_t interface, u_int32_t new_caps, u_int32_t mask);

/* The capabilities IFCAP_* that the driver has. 0 for NULL. Since 10.7; semantics 1.10. */
u_int32_t ifnet_capabilities_supported(ifnet_t interface);

/*
 * Turns capabilities IFCAP_* on or off, of those in mask. Posts KEV_DL_IFCAP_CHANGED, also on
 * EINVAL.
 * Returns EINVAL for NULL, unknown ones, or those the driver has not. Takes the interface lock.
 * Since 10.7; semantics 1.10.
 */
errno_t ifnet_set_capabilities_enabled(ifnet_t interface, u_int32_t new_caps, u_int32_t mask);

/* The capabilities IFCAP_* that are on. 0 for NULL. Since 10.7; semantics 1.10. */
u_int32_t ifnet_capabilities_enabled(ifnet_t interface);

/*
 * Says what the hardware does (IFNET_CSUM_* ...), all of it; unknown bits are dropped.
 * Capabilities that correspond are supported and on from now.
 * Returns EINVAL for NULL. Takes the interface lock. Since 10.4; semantics 1.10.
 */
errno_t ifnet_set_offload(ifnet_t interface, ifnet_offload_t offload);

/* What the hardware does. 0 for NULL. Since 10.4; semantics 1.10. */
ifnet_offload_t ifnet_offload(ifnet_t interface);

/*
 * Sets the largest packet, in bytes, that the hardware cuts into segments, for AF_INET or
 * AF_INET6.
 * Returns EINVAL for NULL, less than the MTU, or without IFNET_TSO_*; EPROTONOSUPPORT for other
 * families. Since 10.6; semantics 1.10.
 */
errno_t ifnet_set_tso_mtu(ifnet_t interface, sa_family_t family, u_int32_t mtu_len);

/*
 * Gets the largest packet, in bytes, that the hardware cuts into segments.
 * Returns EINVAL for NULL or without IFNET_TSO_*; EPROTONOSUPPORT for other families. Since 10.6;
 * semantics 1.10.
 */
errno_t ifnet_get_tso_mtu(ifnet_t interface, sa_family_t family, u_int32_t *mtu_len);

/*
 * Sets those of the wake flags (IFNET_WAKE_ON_MAGIC_PACKET) that are in mask; posts
 * KEV_DL_WAKEFLAGS_CHANGED.
 * Returns EINVAL for NULL or other bits. Takes the interface lock. Since 10.6; semantics 1.10.
 */
errno_t ifnet_set_wake_flags(ifnet_t interface, u_int32_t properties, u_int32_t mask);

/* The wake flags. 0 for NULL. Since 10.6; semantics 1.10. */
u_int32_t ifnet_get_wake_flags(ifnet_t interface);

/*
 * Says where the driver keeps counters for network management: mib_len bytes, not copied, which
 * must live as long as the interface or until they are set anew.
 * Returns EINVAL for NULL. Takes the interface lock. Since 10.4; semantics 1.10.
 */
errno_t ifnet_set_link_mib_data(ifnet_t interface, void *mib_data, u_int32_t mib_len);

/*
 * Copies the driver's counters; *mib_len is the room in bytes, then the bytes there are.
 * Returns EINVAL for NULL; EMSGSIZE if there is less room; ENOTSUP if there are none. Takes the
 * interface lock. Since 10.4; semantics 1.10.
 */
errno_t ifnet_get_link_mib_data(ifnet_t interface, void *mib_data, u_int32_t *mib_len);

/* Bytes of the driver's counters. 0 for NULL. Since 10.4; semantics 1.10. */
u_int32_t ifnet_get_link_mib_data_length(ifnet_t interface);

/* Protocols. */

/*
 * Attaches a protocol: tells the driver's demux about its frames (add_proto) and the stack about
 * its callbacks. The struct is copied. Posts KEV_DL_PROTO_ATTACHED; sets IFF_UP, and tells the
 * driver by SIOCSIFFLAGS. The driver's demux wants DLIL_DESC_ETYPE2 (2 bytes, network byte order)
 * and its kin.
 * Returns EINVAL for NULL or family 0; ENXIO if the interface is not attached; EEXIST if the
 * protocol is; ENOMEM; what add_proto returns (Ethernet: EADDRINUSE for a type that is taken,
 * EINVAL, ENOTSUP). Takes the interface lock. Since 10.4; semantics 1.10.
 */
errno_t ifnet_attach_protocol(ifnet_t interface, protocol_family_t protocol_family,
    const struct ifnet_attach_proto_param *proto_details);

/*
 * As ifnet_attach_protocol, for a protocol that takes lists of packets.
 * Returns the same errors. Takes the interface lock. Since 10.5; semantics 1.10.
 */
errno_t ifnet_attach_protocol_v2(ifnet_t interface, protocol_family_t protocol_family,
    const struct ifnet_attach_proto_param_v2 *proto_details);

/*
 * Detaches a protocol. Its `detached` callback is called when the last user has left, perhaps
 * later in another thread. With the last protocol IFF_UP goes.
 * Returns EINVAL for NULL or family 0; ENXIO if it is not attached. Takes the interface lock.
 * Since 10.4; semantics 1.10.
 */
errno_t ifnet_detach_protocol(ifnet_t interface, protocol_family_t protocol_family);

/* Packets, ioctls, events. */

/*
 * Sends a packet, or a list, of a protocol: its pre_output finds the link address of dest, the
 * framer puts the header in front, filters see it, the driver gets it. `route` is for pre_output.
 * The packets are consumed in any case.
 * Returns EINVAL for NULL or family 0; ENXIO if interface or protocol are not attached; EMSGSIZE;
 * pre_output's, filters' and driver's errors (of a list, the last packet's). May sleep. Since
 * 10.4; semantics 1.10.
 */
errno_t ifnet_output(ifnet_t interface, protocol_family_t protocol_family, mbuf_t packet,
    void *route, const struct sockaddr *dest);

/*
 * Sends a packet, or a list, that has its link header: filters see it, the driver gets it. The
 * family is for filters, 0 if not known. The packets are consumed in any case.
 * Returns EINVAL for NULL; ENXIO if the interface is not attached; EMSGSIZE; filters' and driver's
 * errors. May sleep. Since 10.4; semantics 1.10.
 */
errno_t ifnet_output_raw(ifnet_t interface, protocol_family_t protocol_family, mbuf_t packet);

/*
 * A driver hands over what it received: a packet, or a list. Each has a packet header with the
 * receive interface, mbuf_pkthdr_header points to its link header and the data starts behind that.
 * They are queued for the input thread. stats is added to the counters as it is; NULL: packets and
 * bytes are counted here. The packets are consumed in any case.
 * Returns EINVAL for NULL or if the interface is not attached. Does not sleep. Since 10.4;
 * semantics 1.10.
 */
errno_t ifnet_input(ifnet_t interface, mbuf_t first_packet,
    const struct ifnet_stat_increment_param *stats);

/*
 * Does an ioctl: asks filters, then the protocol (family not 0), then the driver. ioctl_arg is
 * kernel memory of the size that the code says.
 * Returns EINVAL for NULL or code 0; EOPNOTSUPP if the interface is not attached or nobody knows
 * it; the error of who ended it. May sleep. Since 10.4; semantics 1.10.
 */
errno_t ifnet_ioctl(ifnet_t interface, protocol_family_t protocol, unsigned long ioctl_code,
    void *ioctl_arg);

/*
 * Posts an event: tells filters, protocols and the driver, then event sockets. The message is
 * copied; total_size includes its header of 24 bytes. Drivers post KEV_DL_LINK_ON and
 * KEV_DL_LINK_OFF.
 * Returns EINVAL for NULL; EMSGSIZE if it is too long for a program; ENOMEM. May sleep. Since
 * 10.4; semantics 1.10.
 */
errno_t ifnet_event(ifnet_t interface, struct kern_event_msg *event_ptr);

/* Numbers of an interface. */

/*
 * Sets the MTU in bytes. No event, and the driver is not asked. Returns EINVAL for NULL. Since
 * 10.4; semantics 1.10.
 */
errno_t ifnet_set_mtu(ifnet_t interface, u_int32_t mtu);

/* The MTU in bytes. 0 for NULL. Since 10.4; semantics 1.10. */
u_int32_t ifnet_mtu(ifnet_t interface);

/*
 * Sets the length of link addresses in bytes. Returns EINVAL for NULL. Since 10.4; semantics 1.10.
 */
errno_t ifnet_set_addrlen(ifnet_t interface, u_int8_t addrlen);

/* Length of link addresses in bytes. 0 for NULL. Since 10.4; semantics 1.10. */
u_int8_t ifnet_addrlen(ifnet_t interface);

/*
 * Sets the length of link headers in bytes. Returns EINVAL for NULL. Since 10.4; semantics 1.10.
 */
errno_t ifnet_set_hdrlen(ifnet_t interface, u_int8_t hdrlen);

/* Length of link headers in bytes. 0 for NULL. Since 10.4; semantics 1.10. */
u_int8_t ifnet_hdrlen(ifnet_t interface);

/* Sets the routing metric. No event. Returns EINVAL for NULL. Since 10.4; semantics 1.10. */
errno_t ifnet_set_metric(ifnet_t interface, u_int32_t metric);

/* The routing metric. 0 for NULL. Since 10.4; semantics 1.10. */
u_int32_t ifnet_metric(ifnet_t interface);

/*
 * Sets the link's speed in bits per second. Returns EINVAL for NULL. Since 10.4; semantics 1.10.
 */
errno_t ifnet_set_baudrate(ifnet_t interface, u_int64_t baudrate);

/*
 * The link's speed in bits per second, at most 4294967295. 0 for NULL. Since 10.4; semantics 1.10.
 */
u_int64_t ifnet_baudrate(ifnet_t interface);

/*
 * The interface's state has changed now. Returns EINVAL for NULL. Since 10.4; semantics 1.10.
 */
errno_t ifnet_touch_lastchange(ifnet_t interface);

/*
 * When the interface's state last changed, as time of day. Returns EINVAL for NULL. Since 10.4;
 * semantics 1.10.
 */
errno_t ifnet_lastchange(ifnet_t interface, struct timeval *last_change);

/* Counters. */

/* Adds to the counters. Returns EINVAL if the interface is NULL. Since 10.4; semantics 1.10. */
errno_t ifnet_stat_increment(ifnet_t interface,
    const struct ifnet_stat_increment_param *counts);

/*
 * Adds to the counters of input. Returns EINVAL if the interface is NULL. Since 10.4; semantics
 * 1.10.
 */
errno_t ifnet_stat_increment_in(ifnet_t interface, u_int32_t packets_in, u_int32_t bytes_in,
    u_int32_t errors_in);

/*
 * Adds to the counters of output. Returns EINVAL if the interface is NULL. Since 10.4; semantics
 * 1.10.
 */
errno_t ifnet_stat_increment_out(ifnet_t interface, u_int32_t packets_out, u_int32_t bytes_out,
    u_int32_t errors_out);

/* Sets all counters. Returns EINVAL if the interface is NULL. Since 10.4; semantics 1.10. */
errno_t ifnet_set_stat(ifnet_t interface, const struct ifnet_stats_param *stats);

/* Gets all counters. Returns EINVAL if the interface is NULL. Since 10.4; semantics 1.10. */
errno_t ifnet_stat(ifnet_t interface, struct ifnet_stats_param *out_stats);

/* Link address and promiscuity. */

/*
 * Wants frames for other stations (on not 0), or no longer. Calls are counted; the driver is told
 * by SIOCSIFFLAGS when IFF_PROMISC changes. The interface must not be NULL.
 * Returns the driver's error; nothing has changed then. Takes the interface lock. Since 10.4;
 * semantics 1.10.
 */
errno_t ifnet_set_promiscuous(ifnet_t interface, int on);

/*
 * Sets the link address; length 0 clears it. Posts KEV_DL_LINK_ADDRESS_CHANGED. Only after
 * ifnet_attach.
 * Returns EINVAL for NULL, or a length that is neither 0 nor ifnet_addrlen; ENXIO without record
 * of a link address. Takes the interface lock. Since 10.4; semantics 1.10.
 */
errno_t ifnet_set_lladdr(ifnet_t interface, const void *lladdr, size_t lladdr_len);

/*
 * Copies the link address; length must be exactly its own.
 * Returns EINVAL for NULL; EMSGSIZE for another length, with the buffer zeroed. May sleep. Since
 * 10.4; semantics 1.10.
 */
errno_t ifnet_lladdr_copy_bytes(ifnet_t interface, void *lladdr, size_t length);

/*
 * Copies the link's broadcast address; *out_len is its length.
 * Returns EINVAL for NULL; EMSGSIZE if there is less room, *out_len being set; ENXIO if there is
 * none. Since 10.4; semantics 1.10.
 */
errno_t ifnet_llbroadcast_copy_bytes(ifnet_t interface, void *addr, size_t bufferlen,
    size_t *out_len);

/*
 * Finds the link address of a multicast group by the protocol's resolve callback and the driver's
 * check_multi; ll_len bytes of room, zeroed first.
 * Returns EOPNOTSUPP if nobody knows, or the interface is not attached; the callbacks' errors.
 * Takes the interface lock. Since 10.5; semantics 1.10.
 */
errno_t ifnet_resolve_multicast(ifnet_t ifp, const struct sockaddr *proto_addr,
    struct sockaddr *ll_addr, size_t ll_len);

/* Multicast groups of an interface. */

/*
 * Joins a link-level group, an address of AF_LINK or AF_UNSPEC (6 bytes). Joining is counted. The
 * driver is told by SIOCADDMULTI. *multicast, unless the pointer is NULL, gets the record with a
 * reference.
 * Returns EINVAL for NULL, other families or a malformed address; EADDRNOTAVAIL without
 * IFF_MULTICAST or if it is no multicast address; ENOMEM; check_multi's error. Takes the interface
 * lock. Since 10.4; semantics 1.10.
 */
errno_t ifnet_add_multicast(ifnet_t interface, const struct sockaddr *maddr,
    ifmultiaddr_t *multicast);

/*
 * Leaves a group, once, by its record; the caller's reference to that stays the caller's.
 * Returns EINVAL for NULL or a protocol's record; ENOENT if it was not joined by
 * ifnet_add_multicast; ENOMEM. Takes the interface lock. Since 10.4; semantics 1.10.
 */
errno_t ifnet_remove_multicast(ifmultiaddr_t multicast);

/*
 * All groups of the interface, link and protocol, as an array that NULL ends (at once, if there
 * are none), each with a reference. Free it with ifnet_free_multicast_list.
 * Returns EINVAL for NULL; ENOMEM. Takes the interface lock. Since 10.4; semantics 1.10.
 */
errno_t ifnet_get_multicast_list(ifnet_t interface, ifmultiaddr_t **addresses);

/*
 * Releases the records and frees the array of ifnet_get_multicast_list. NULL is allowed. Since
 * 10.4; semantics 1.10.
 */
void ifnet_free_multicast_list(ifmultiaddr_t *multicasts);

/* Finding interfaces. */

/*
 * Finds an attached interface by name and unit ("en0"). The caller owns a reference:
 * ifnet_release.
 * Returns EINVAL if the name is NULL; ENXIO. May sleep. Since 10.4; semantics 1.10.
 */
errno_t ifnet_find_by_name(const char *name, ifnet_t *interface);

/*
 * The attached interfaces of a family (IFNET_FAMILY_ANY: all), in the order they were attached, as
 * an array of *count that NULL ends, each with a reference. Free it with ifnet_list_free.
 * Returns EINVAL if interfaces or count is NULL; ENXIO if there are none; ENOMEM. May sleep. Since
 * 10.4; semantics 1.10.
 */
errno_t ifnet_list_get(ifnet_family_t family, ifnet_t **interfaces, u_int32_t *count);

/*
 * Releases the interfaces and frees the array of ifnet_list_get. NULL is allowed. May sleep. Since
 * 10.4; semantics 1.10.
 */
void ifnet_list_free(ifnet_t *interfaces);

/* Addresses of an interface. */

/*
 * The addresses of an interface (NULL: of all), its link address first, as an array that NULL
 * ends, each with a reference. Free it with ifnet_free_address_list.
 * Returns EINVAL if addresses is NULL; ENXIO if there are none; ENOMEM. Takes the interface lock.
 * Since 10.4; semantics 1.10.
 */
errno_t ifnet_get_address_list(ifnet_t interface, ifaddr_t **addresses);

/*
 * As ifnet_get_address_list, for one family (0: all).
 * Returns EINVAL if addresses is NULL; ENXIO if there are none; ENOMEM. Takes the interface lock.
 * Since 10.4; semantics 1.10.
 */
errno_t ifnet_get_address_list_family(ifnet_t interface, ifaddr_t **addresses,
    sa_family_t family);

/*
 * Releases the addresses and frees the array of ifnet_get_address_list. NULL is allowed. May
 * sleep. Since 10.4; semantics 1.10.
 */
void ifnet_free_address_list(ifaddr_t *addresses);

/* An address. */

/* Takes a reference. Returns EINVAL for NULL. Since 10.4; semantics 1.10. */
errno_t ifaddr_reference(ifaddr_t ifaddr);

/* Gives a reference back. Returns EINVAL for NULL. Since 10.4; semantics 1.10. */
errno_t ifaddr_release(ifaddr_t ifaddr);

/*
 * Copies the address; addr_size is the room in bytes.
 * Returns EINVAL for NULL; ENOTSUP if there is none; EMSGSIZE if there is less room, with a cut
 * copy. Since 10.4; semantics 1.10.
 */
errno_t ifaddr_address(ifaddr_t ifaddr, struct sockaddr *out_addr, u_int32_t addr_size);

/* The address's family; 0 for NULL. Since 10.4; semantics 1.10. */
sa_family_t ifaddr_address_family(ifaddr_t address);

/*
 * Copies the peer's address of a point-to-point interface, or the broadcast address; dstaddr_size
 * is the room in bytes.
 * Returns EINVAL for NULL; ENOTSUP if there is none; EMSGSIZE if there is less room, with a cut
 * copy. Since 10.4; semantics 1.10.
 */
errno_t ifaddr_dstaddress(ifaddr_t ifaddr, struct sockaddr *out_dstaddr, u_int32_t dstaddr_size);

/*
 * Copies the netmask; netmask_size is the room in bytes. Its sa_len can be short: bytes beyond are
 * 0.
 * Returns EINVAL for NULL; ENOTSUP if there is none; EMSGSIZE if there is less room, with a cut
 * copy. Since 10.4; semantics 1.10.
 */
errno_t ifaddr_netmask(ifaddr_t ifaddr, struct sockaddr *out_netmask, u_int32_t netmask_size);

/*
 * The interface that has the address; no reference is taken. NULL for NULL. Since 10.4; semantics
 * 1.10.
 */
ifnet_t ifaddr_ifnet(ifaddr_t ifaddr);

/*
 * The record of a local address, or of a broadcast address. NULL if there is none, else the caller
 * owns a reference: ifaddr_release. May sleep. Since 10.4; semantics 1.10.
 */
ifaddr_t ifaddr_withaddr(const struct sockaddr *address);

/*
 * The record whose point-to-point peer this is. NULL if there is none, else the caller owns a
 * reference: ifaddr_release. May sleep. Since 10.4; semantics 1.10.
 */
ifaddr_t ifaddr_withdstaddr(const struct sockaddr *destination);

/*
 * The record whose network fits best. NULL if there is none, else the caller owns a reference:
 * ifaddr_release. May sleep. Since 10.4; semantics 1.10.
 */
ifaddr_t ifaddr_withnet(const struct sockaddr *net);

/*
 * The record that a route with these flags (RTF_*), destination and gateway would use. NULL if
 * there is none or an address is NULL, else the caller owns a reference: ifaddr_release. May
 * sleep. Since 10.4; semantics 1.10.
 */
ifaddr_t ifaddr_withroute(int flags, const struct sockaddr *destination,
    const struct sockaddr *gateway);

/*
 * The interface's best source address for packets to addr. NULL if there is none, else the caller
 * owns a reference: ifaddr_release. May sleep. Since 10.4; semantics 1.10.
 */
ifaddr_t ifaddr_findbestforaddr(const struct sockaddr *addr, ifnet_t interface);

/* A multicast group's record. */

/* Takes a reference. Returns EINVAL for NULL. Since 10.4; semantics 1.10. */
errno_t ifmaddr_reference(ifmultiaddr_t ifmaddr);

/* Gives a reference back. Returns EINVAL for NULL. Since 10.4; semantics 1.10. */
errno_t ifmaddr_release(ifmultiaddr_t ifmaddr);

/*
 * Copies the group's address; addr_size is the room in bytes.
 * Returns EINVAL for NULL; ENOTSUP if there is none; EMSGSIZE if there is less room, with a cut
 * copy. Since 10.4; semantics 1.10.
 */
errno_t ifmaddr_address(ifmultiaddr_t ifmaddr, struct sockaddr *out_multicast,
    u_int32_t addr_size);

/*
 * Copies the link address of a protocol's group; addr_size is the room in bytes.
 * Returns EINVAL for NULL; ENOTSUP if there is none; EMSGSIZE if there is less room, with a cut
 * copy. Since 10.4; semantics 1.10.
 */
errno_t ifmaddr_lladdress(ifmultiaddr_t ifmaddr, struct sockaddr *out_link_layer_multicast,
    u_int32_t addr_size);

/*
 * The interface of the group; no reference is taken. NULL for NULL. Since 10.4; semantics 1.10.
 */
ifnet_t ifmaddr_ifnet(ifmultiaddr_t ifmaddr);

__END_DECLS

#endif
