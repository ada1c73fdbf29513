/*
 * Wires between interfaces of machines, and switches among many. Both live in a world: all their machines
 * were made with the same nke_config.world. Frames travel in virtual time, so a wire can be slow, long,
 * short of queue, lossy, and do all that again in the same way: everything random follows from its seed.
 *
 *     [ A en0 ]----- 10 Mbit/s, 20 ms, 1% lost -----[ en0 B ]
 */
#ifndef NKE_WIRE_H
#define NKE_WIRE_H

#include <nke/iface.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nke_wire nke_wire_t;

enum nke_queue {
	NKE_QUEUE_TAIL,			/* full: the newest frame is dropped */
	NKE_QUEUE_HEAD,			/* full: the oldest is */
	NKE_QUEUE_CODEL			/* kept short by CoDel (RFC 8289) */
};

/* What happens to frames on their way to an end. All zero: they arrive, at once. Chances are 0 to 1. */
struct nke_wire_config {
	uint64_t rate_bps;		/* bits per second; 0: frames take no time */
	uint64_t delay_ns;
	uint64_t jitter_ns;		/* up to so much more; frames stay in order */
	uint32_t queue_frames;		/* that may wait while the wire is busy; 0: 1000 */
	enum nke_queue queue;
	double loss;			/* of each frame by itself */
	/* Bursts (Gilbert-Elliott): each frame may begin one, each frame in it may end it. */
	double burst_begin, burst_end;
	double burst_loss;		/* of frames within a burst; 0: all are lost */
	double duplicate;
	double corrupt;			/* one bit of the frame is turned */
	double reorder;			/* held back by reorder_ns, so that others overtake it */
	uint64_t reorder_ns;		/* 0: 1 ms */
	uint32_t mtu;			/* bytes behind the link header; longer frames vanish; 0: any */
	bool down;			/* no carrier: the interfaces are told */
	/*
	 * The wire is one between guests of a host: TCP segments of up to 64 KiB cross it whole, and
	 * transport checksums are left out. Of the whole wire: not to be set for one interface alone.
	 */
	bool offload;
};

/* What came of the frames that were sent towards an end. */
struct nke_wire_stats {
	uint64_t frames, bytes;		/* sent */
	uint64_t delivered;		/* duplicates included */
	uint64_t queue_dropped;
	uint64_t lost, too_long, no_carrier, no_memory;
	uint64_t duplicated, corrupted, reordered;
};

/*
 * Makes a wire in the world of machine `m`. `config` (NULL: ideal) is for both ends. `*w` is to be given
 * to nke_wire_destroy. `seed`: of everything that is left to chance.
 *
 * EINVAL: a chance is not within 0 and 1, or there is no such queue discipline; nke_error_text(m) names it.
 * ENOMEM.
 */
int nke_wire_create(nke_t *m, const struct nke_wire_config *config, uint64_t seed, nke_wire_t **w);
/*
 * The same for a switch with any number of ends, which learns what address is at which end and sends
 * frames for others to every end. `config` is of the ways out of the switch.
 */
int nke_switch_create(nke_t *m, const struct nke_wire_config *config, uint64_t seed, nke_wire_t **w);
/* What the last error of this wire was, at length; "" when nothing failed yet. Valid until the next one. */
const char *nke_wire_error_text(const nke_wire_t *w);
/* Its interfaces stay, without carrier. May be called before or after their machines go. NULL is ignored. */
void nke_wire_destroy(nke_wire_t *w);

/*
 * Plugs an interface in. It was made by nke_iface_create; frames do not reach its `output` any more.
 *
 * EBUSY: a wire with two ends already. EEXIST: plugged in somewhere. EINVAL: its machine is of another
 * world. ENOMEM, EFAULT.
 */
int nke_wire_plug(nke_wire_t *w, nke_iface_t *i);

/*
 * Changes what happens on the way to that interface from now on (NULL: to all of them, and those plugged
 * in later). Frames in flight arrive as they were going to. EINVAL, ENOENT (not plugged in here), EFAULT.
 */
int nke_wire_configure(nke_wire_t *w, nke_iface_t *to, const struct nke_wire_config *config);

/* ENOENT: not plugged in here. */
int nke_wire_read_stats(const nke_wire_t *w, const nke_iface_t *to, struct nke_wire_stats *stats);

/*
 * Writes every frame that arrives at that interface (NULL: at any) to a capture file, with the date of
 * the machines' calendar in nanoseconds. One at a time per end, and one for all of them.
 *
 * EBUSY: there is one. ENOENT: not plugged in here. EINVAL: nothing is, yet. Whatever the host says of the
 * file.
 */
int nke_wire_capture(nke_wire_t *w, nke_iface_t *at, const char *path);
/* Ends all captures of the wire; 0, or what went wrong with a file (EIO: ENOSPC and the like). */
int nke_wire_capture_end(nke_wire_t *w);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
