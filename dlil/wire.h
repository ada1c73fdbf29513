/*
 * Wires inside the core: ends, directions and the switch's table. Seen by dlil/wire*.c and by the
 * interface that sends into one (host_iface.c).
 *
 * Everything towards one interface (queue, frames in flight, timer) belongs to the machine of that
 * interface: a frame is copied into its mbufs when it is sent, so that no mbuf ever changes machines. All
 * machines of a wire share a world, hence a clock and a CPU: nothing here is locked.
 */
#ifndef NKE_DLIL_WIRE_H
#define NKE_DLIL_WIRE_H

#include "dlil/dlil.h"
#include "src/kern/callout.h"
#include "src/kern/wirecalls.h"

/* Packets linked by m_nextpkt; while here, m_pkthdr.timestamp is the uptime that the list is about. */
struct wire_list {
	struct mbuf *head, *tail;
	uint32_t count;
};

/* One end, and the way to it. */
struct wire_end {
	TAILQ_ENTRY(wire_end) link;	/* of the wire */
	LIST_ENTRY(wire_end) machine_link;
	struct wire *wire;
	struct nke *machine;
	struct ifnet *ifp;
	struct core_wire_params params;
	struct core_wire_stats stats;
	bool plain;			/* params do nothing but pass frames on at once */
	bool burst;			/* losing (Gilbert-Elliott's bad state) */
	struct wire_list queue;		/* wait for the wire: since when */
	struct mbuf *sending;		/* is on its way into the wire: until when */
	struct wire_list flight;	/* arrive, in order: when */
	struct wire_list late;		/* held back: a list of its own, as each grows at its end */
	uint64_t last_due;		/* jitter does not make frames overtake each other */
	struct {			/* RFC 8289 */
		uint64_t first_above, drop_next;
		uint32_t count, last_count;
		bool dropping;
	} codel;
	struct callout timer;		/* end of sending, or the next arrival */
	struct wire_list arrived;	/* due now */
	struct softintr input;
	core_wire_tap *tap;
	void *tap_ctx;
};

LIST_HEAD(wire_ends, wire_end);

struct switch_entry {
	uint8_t lladdr[6];
	bool used;
	struct wire_end *end;
	uint64_t seen;			/* uptime */
};

#define SWITCH_ENTRIES	1024u		/* a power of two */
#define SWITCH_WAYS	4u		/* places that an address may have */
#define SWITCH_AGE	(UINT64_C(300) * 1000000000)	/* IEEE 802.1Q: default ageing time */

struct wire {
	struct world *world;
	TAILQ_HEAD(, wire_end) ends;
	unsigned count;
	bool is_switch;
	uint64_t prng[4];
	struct core_wire_params params;	/* of future ends */
	core_wire_tap *tap;
	void *tap_ctx;
	struct switch_entry table[];	/* of a switch: SWITCH_ENTRIES */
};

/* The interface sends `m` (a frame, link header included), as its machine. Consumes. */
errno_t wire_output(struct wire_end *from, struct mbuf *m);
/* Takes it off its interface, as that one's machine. */
void wire_unplug(struct wire_end *);

/* host_iface.c: sends into that end from now on, NULL: to the host. EEXIST, EINVAL: not one of the host's. */
errno_t host_iface_plug(struct ifnet *, struct wire_end *);
/* A frame that has come, made ready for dlil_input; NULL: refused, counted and freed. */
struct mbuf *host_iface_frame(struct ifnet *, struct mbuf *);
/*
 * The same by what csum_flags say of it: verified by the device, or unfinished, as its sender left things to the
 * device (HOST_IFACE_UNSUMMED, CSUM_TSO4 or CSUM_TSO6 and tso_segsz). That is as good as verified; but where
 * kexts look at packets they are completed, cut into segments (a list) and checked again.
 */
struct mbuf *host_iface_arrived(struct ifnet *, struct mbuf *);
/*
 * A frame that leaves with something left to the device: tells it, and puts the sum of the pseudo header
 * where the device looks for it (as virtio has it).
 */
void host_iface_leave(const struct ifnet *, struct mbuf *, struct core_output *);
/*
 * Makes a frame's checksum that was left out, and takes back that it is verified. It stays one packet, though
 * it may be a large segment.
 */
void host_iface_finish(struct ifnet *, struct mbuf *);

/* Where the transport of an unfinished frame begins, and its checksum's field in it. */
struct unsummed {
	size_t transport, field;
	bool v4, udp;
	uint32_t pseudo;		/* sum over the pseudo header, not folded, in memory order */
};
/* Reads the headers, which have to be in the first mbuf: else false. */
bool host_iface_unsummed(const struct ifnet *, const struct mbuf *, struct unsummed *);

/* wire_copy.c: a frame of another machine's in mbufs of this one's; NULL: no memory. */
struct mbuf *wire_copy(const struct wire_end *, struct mbuf *, size_t len);
/*
 * What interfaces leave to a device that can do it (datagrams it would not pay for), to a wire, which adds up
 * what it copies, and to one that leaves it out altogether.
 */
#define HOST_IFACE_TCP_OFFLOAD	(IFNET_CSUM_TCP | IFNET_CSUM_TCPIPV6 | IFNET_TSO_IPV4 | IFNET_TSO_IPV6)
#define HOST_IFACE_SUMS		(IFNET_CSUM_TCP | IFNET_CSUM_UDP | IFNET_CSUM_TCPIPV6 | IFNET_CSUM_UDPIPV6)
#define HOST_IFACE_OFFLOAD	(HOST_IFACE_TCP_OFFLOAD | HOST_IFACE_SUMS)
/* What a sender may leave out of a frame for such a device. */
#define HOST_IFACE_UNSUMMED	(MBUF_CSUM_REQ_TCP | MBUF_CSUM_REQ_UDP | MBUF_CSUM_REQ_TCPIPV6 | \
				 MBUF_CSUM_REQ_UDPIPV6)

/* host_live.c: sets IFF_RUNNING, and posts an event if that is news. */
void host_iface_carrier(struct ifnet *, bool on);

/* wire_way.c: the way to an end. `m` is the sender's and is not consumed. */
void wire_way_init(struct wire_end *);
void wire_way_send(struct wire_end *to, struct mbuf *m, size_t len);
void wire_way_configure(struct wire_end *, const struct core_wire_params *);
void wire_way_empty(struct wire_end *);
/* A number below CORE_WIRE_BILLION or any other limit. */
uint64_t wire_random(struct wire *, uint64_t below);

/* wire_switch.c: where a frame from `from` goes; NULL: to every other end. */
struct wire_end *switch_lookup(struct wire *, struct wire_end *from, const struct mbuf *m);
void switch_forget(struct wire *, const struct wire_end *);

#endif
