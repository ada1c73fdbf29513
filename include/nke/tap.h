/*
 * TAP devices: an Ethernet interface of a machine whose other end is an interface of the host's kernel, so
 * that the two talk. On macOS the same functions open a utun, which has IP packets without a link header.
 *
 * The machine must be one in real time. Somebody has to take the frames that come: nke_loop_add_tap
 * (nke/loop.h), or nke_tap_input whenever nke_tap_fd is readable. What the machine sends is written
 * by whichever thread makes it send, before it leaves the machine.
 */
#ifndef NKE_TAP_H
#define NKE_TAP_H

#include <nke/iface.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nke_tap nke_tap_t;
typedef struct nke_recorder nke_recorder_t;

struct nke_tap_config {
	const char *device;		/* the kernel's name for it, "tap0"; NULL: the kernel finds one */
	const char *interface;		/* the machine's; NULL: "en0" */
	/*
	 * Where the device is or is to be: the name of a network namespace (as of `ip netns`) or a path
	 * to one. NULL: where the calling thread is.
	 */
	const char *netns;
	int fd;				/* > 0: an open TAP device, which this one takes over; 0: opens one */
	uint8_t lladdr[6];		/* the machine's; all zero: a random one */
	uint32_t mtu;			/* of the machine's interface; 0: 1500 */
	/*
	 * Negotiates offloads: the kernel leaves checksums to us where it can. Costs more than it saves
	 * unless datagrams are made without a checksum otherwise: bench_tap measures it.
	 */
	bool offload;
	bool up;			/* set the kernel's end up */
};

/*
 * Opens the TAP device, making it unless it is there, and the machine's interface. Linux: takes CAP_NET_ADMIN
 * unless the device is there and belongs to the user. `*t` is to be given to nke_tap_close, before
 * nke_destroy.
 *
 * ENOENT: no /dev/net/tun, or no such namespace. EPERM, EACCES. EBUSY: somebody has the device open, or the
 * interface's name is taken. EINVAL: not a TAP device, a name too long, or the machine is one in virtual
 * time. EMFILE, ENOMEM, EFAULT. nke_error_text(m) tells.
 */
int nke_tap_open(nke_t *m, const struct nke_tap_config *config, nke_tap_t **t);
/*
 * Detaches the interface and closes the device, which goes unless it is a persistent one. Nobody may be in
 * nke_tap_input. NULL is ignored.
 */
void nke_tap_close(nke_tap_t *t);

/* Readable while frames wait. It belongs to the TAP. */
int nke_tap_fd(const nke_tap_t *t);
/*
 * Takes frames that wait into the machine, 64 at most: how many, 0: none. -1 with errno: EFAULT (panicked),
 * ENODEV and the like (the device is gone). One thread at a time.
 */
int nke_tap_input(nke_tap_t *t);

nke_iface_t *nke_tap_iface(const nke_tap_t *t);
/* The kernel's name, "tap0". */
const char *nke_tap_device(const nke_tap_t *t);
/* The kernel leaves checksums of frames to us. */
bool nke_tap_offloads(const nke_tap_t *t);

/* What passed between a device and the machine. */
struct nke_live_stats {
	uint64_t frames_in, bytes_in;	/* read */
	uint64_t batches;		/* of frames read */
	uint64_t unsummed_in;		/* of the frames: their checksum was left to us */
	uint64_t dropped_in;		/* too long, or the machine had no memory */
	uint64_t frames_out, bytes_out;
	uint64_t dropped_out;		/* the device did not take them: it is down or full */
};
void nke_tap_stats(const nke_tap_t *t, struct nke_live_stats *stats);

/* ---- recording ---------------------------------------------------------------------------- */

/*
 * A capture file for the frames of any number of devices with the same kind of link header; "-" is standard
 * output. `*r` is to be given to nke_recorder_close, after the devices.
 *
 * EINVAL, ENOMEM, and whatever the host says of the file; `text` (of `size` bytes) tells.
 */
int nke_recorder_open(const char *path, enum nke_media media, nke_recorder_t **r, char *text, size_t size);
/* Everything is in the file: 0, or what went wrong with it, now or before, which `text` tells. */
int nke_recorder_close(nke_recorder_t *r, char *text, size_t size);
/* From now on, frames of this device go there; checksums that were left to us are complete. NULL: no more. */
void nke_tap_record(nke_tap_t *t, nke_recorder_t *r);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
