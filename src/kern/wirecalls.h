/*
 * Wires and switches, as the host's half asks for them. Plain C types and Darwin's errno values, like
 * src/kern/corecalls.h; functions that do not say otherwise enter a machine of the wire's world.
 */
#ifndef NKE_KERN_WIRECALLS_H
#define NKE_KERN_WIRECALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ifnet;
struct nke;
struct wire;
struct world;

enum core_queue {
	CORE_QUEUE_TAIL,		/* full: the newest is dropped */
	CORE_QUEUE_HEAD,		/* full: the oldest is */
	CORE_QUEUE_CODEL		/* RFC 8289; and the newest when full */
};

/* Chances are in billionths. All zero: an ideal wire. */
struct core_wire_params {
	uint64_t rate_bps;		/* 0: takes no time */
	uint64_t delay_ns;
	uint64_t jitter_ns;		/* up to so much more; does not reorder by itself */
	uint32_t queue_frames;		/* waiting for the wire; 0: 1000 */
	enum core_queue queue;
	uint32_t loss;			/* of each frame by itself */
	uint32_t burst_begin;		/* a frame is the first of a burst of losses (Gilbert-Elliott) */
	uint32_t burst_end;		/* a frame ends the burst */
	uint32_t burst_loss;		/* within it; 0: all are lost */
	uint32_t duplicate;
	uint32_t corrupt;		/* one bit is turned */
	uint32_t reorder;		/* held back by reorder_ns more, so that others overtake it */
	uint64_t reorder_ns;		/* 0: 1 ms */
	uint32_t mtu;			/* bytes behind the link header; longer frames vanish; 0: any */
	bool down;			/* no carrier */
	bool offload;			/* of the wire: takes large TCP segments, and no checksums */
};

/* What came of the frames towards one end. */
struct core_wire_stats {
	uint64_t frames, bytes;		/* sent to this end */
	uint64_t delivered;
	uint64_t queue_dropped;		/* by the queue's discipline */
	uint64_t lost, too_long, no_carrier, no_memory;
	uint64_t duplicated, corrupted, reordered;
};

#define CORE_WIRE_BILLION	1000000000u

typedef void core_wire_tap(void *ctx, uint64_t calendar_ns, const void *frame, size_t len);

/*
 * A wire has two ends; a switch any number, learns which address is where (at most 1024 of them, 300 s)
 * and sends the rest to every end. ENOMEM. Does not enter: nobody uses it yet.
 */
int wire_create(struct world *, bool is_switch, uint64_t seed, const struct core_wire_params *,
    struct wire **);
/* Ends are taken off their interfaces, which stay, without carrier. Not from inside the world. */
void wire_destroy(struct wire *);
/* EBUSY: a wire with two ends; EINVAL: the machine is of another world; ENOMEM, EFAULT, EEXIST: plugged. */
int wire_plug(struct wire *, struct nke *, struct ifnet *);
/* What happens to frames on their way to that interface from now on; NULL: to all, also future ones. */
int wire_configure(struct wire *, struct ifnet *to, const struct core_wire_params *);
/* ENOENT: it is not an end of this wire. */
int wire_stats(const struct wire *, const struct ifnet *to, struct core_wire_stats *);
/*
 * Every frame that arrives at that interface's end (NULL: at any) is shown as it is delivered. `tap` NULL:
 * no more. Called on the CPU; must not call back.
 */
int wire_set_tap(struct wire *, struct ifnet *, core_wire_tap *tap, void *ctx);

#endif
