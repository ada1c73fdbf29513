/*
 * A TAP device, whatever the host calls it: what tap.c, tap_utun.c and tap_port.c share. Private to src/host.
 */
#ifndef NKE_HOST_TAP_PRIVATE_H
#define NKE_HOST_TAP_PRIVATE_H

#include "src/host/port.h"

struct nke_tap {
	struct port port;
	const struct tap_kind *kind;
	size_t slot;			/* bytes of the buffer for a frame: one more than the longest */
	uint8_t *buffers;		/* PORT_BATCH of them */
	size_t head_len;		/* bytes of the host's own in front of frames; 0: none */
	bool offloads;
	unsigned long together;		/* Linux: an AIO context for frames that leave together; 0: none */
};

#define TAP_OF(p)	((struct nke_tap *)(void *)(p))	/* the port comes first */
_Static_assert(offsetof(struct nke_tap, port) == 0, "TAP_OF");

/* How one kind of device reads and writes, and opens itself: sets fd and device. 0 or an errno, told. */
struct tap_kind {
	int (*input)(struct port *);
	/* One of the two, as in struct port. */
	int (*output)(struct port *, const void *frame, size_t len);
	void (*output_pieces)(struct port *, const struct core_output *, unsigned count, int *errors);
	int (*open)(nke_t *, struct nke_tap *, const struct nke_tap_config *);
	void (*close)(struct nke_tap *);	/* what `open` made but for the descriptor; NULL: nothing */
	size_t link_header;		/* the longest */
};
/* nke_tap_open for a device of that kind. */
int tap_open(nke_t *, const struct nke_tap_config *, const struct tap_kind *,
    const struct nke_iface_config *, nke_tap_t **);
/* The host's interface is up from now on: 0 or an errno. */
int tap_set_up(const char *device);
/* A read failed for good: told, -1 with errno. */
int tap_read_failed(struct port *, int error);

#endif
