/*
 * Live devices that a machine's interface is joined to: what TAPs (tap.c) and libpcap devices (device.c) have
 * in common, and what the loop (loop.c) needs of them. Private to src/host.
 *
 * Frames in are read by one thread at a time, the loop's or whoever calls nke_tap_input; frames out are
 * written by whatever thread has the machine's CPU.
 */
#ifndef NKE_HOST_PORT_H
#define NKE_HOST_PORT_H

#include <sys/queue.h>

#include <nke/loop.h>

#include "src/host/machine.h"

#define PORT_BATCH	64u		/* frames that are read before the machine is entered */

struct link_watch;
struct nke_loop;
struct nke_recorder;

struct port {
	nke_t *machine;
	nke_iface_t *iface;
	char device[64];		/* the host's name of it */
	int fd;				/* readable while frames wait */
	/* Frames that wait go into the machine, PORT_BATCH at most: how many; -1 with errno. */
	int (*input)(struct port *);
	/* Sends a frame: 0 or an errno. On the machine's CPU. */
	int (*output)(struct port *, const void *frame, size_t len);
	/*
	 * Instead of it, CORE_OUTPUT_MOST at most as they lie in memory: for each 0 or an errno. NULL: not
	 * that way.
	 */
	void (*output_pieces)(struct port *, const struct core_output *, unsigned count, int *errors);
	bool offload;			/* the device finishes checksums and large segments */
	struct link_watch *watch;	/* NULL: nobody tells of its link */
	struct nke_recorder *recorder;	/* NULL: nobody records; atomic */
	struct nke_live_stats stats;	/* atomic */
	TAILQ_ENTRY(port) link;		/* of the loop */
	struct nke_loop *loop;		/* NULL: in none */
	struct event *event, *watch_event;
};

/*
 * Makes the machine's interface for it. fd, input, output and device are set. 0 or an errno, told with
 * nke_fail.
 */
int port_attach(struct port *, nke_t *, const struct nke_iface_config *);
/* Takes it out of its loop, and the interface off the machine. */
void port_detach(struct port *);
/* Gives a batch to the machine: how many it took; -1 with errno. */
int port_deliver(struct port *, const struct core_input *, unsigned count);
/* The link's state may have changed: 0, or EFAULT. */
int port_check_link(struct port *);

static inline void
port_count(uint64_t *counter, uint64_t n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

void port_stats(const struct port *, struct nke_live_stats *);
/* `want`, or if that is all zero a random one: locally administered, for one station. */
void port_lladdr(const uint8_t want[6], uint8_t lladdr[6]);

/* loop.c */
int loop_add_port(struct nke_loop *, struct port *);
void loop_forget_port(struct port *);

/* ---- watching a device's link (watch_netlink.c, watch_none.c) ------------------------------ */

/* In the calling thread's network namespace. NULL: not possible, and then the link counts as there. */
struct link_watch *link_watch_open(const char *device);
void link_watch_close(struct link_watch *);		/* NULL is fine */
int link_watch_fd(const struct link_watch *);
/* Reads what is new; the link's state as known then. */
bool link_watch_up(struct link_watch *);

/* ---- recording (recorder.c) --------------------------------------------------------------- */

void recorder_write(struct nke_recorder *, const void *frame, size_t len);

#endif
