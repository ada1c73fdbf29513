/*
 * Playing a capture through machines, from the viewpoint of the host that took it.
 *
 * Packets to the host take the input path, packets from it the output path; interface and IP filters
 * of loaded kexts see them as on a Mac. What survives is written in the order of the capture.
 *
 *	nke_replay_t *r;
 *	struct nke_replay_config config = {.input = "in.pcap", .output = "out.pcap"};
 *	if (nke_replay_open(&config, &r, text, sizeof text) == 0) {
 *		nke_kext_load(nke_replay_machine(r, 0), "my.kext", NULL);
 *		nke_replay_run(r);
 *		nke_replay_close(r);
 *	}
 */
#ifndef NKE_REPLAY_H
#define NKE_REPLAY_H

#include <sys/socket.h>

#include <nke/nke.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nke_replay nke_replay_t;

struct nke_replay_config {
	const char *input;		/* a pcap or pcapng file; "-" or a pipe: read as it comes */
	const char *output;		/* pcap, same link type and precision; NULL: nothing is written */
	const char *host;		/* "ADDR,...": IPv4, IPv6, link; NULL: found in the capture */
	const char *interface;		/* NULL: "en0" */
	unsigned jobs;			/* machines, each on a thread of its own; 0: 1 */
	/*
	 * Flows are re-enacted: the host's end of each is a real socket of the machine, the other end is
	 * played from the capture. The input is read twice (no pipe), on one machine. What is written is what
	 * crossed the wire, in both directions.
	 */
	bool sockets;
	struct nke_config machine;	/* like nke_create's; time and name are set by the replay */
	/* Called now and then on the thread that runs: bytes of the input read, and in all (0: unknown). */
	void (*progress)(void *ctx, uint64_t bytes, uint64_t total);
	void *progress_ctx;
};

/* What happened, summed over all machines. */
struct nke_replay_stats {
	uint64_t frames, bytes;		/* read */
	uint64_t frames_in, frames_out;	/* to the host; from the host */
	uint64_t snapped;		/* captured shorter than they were */
	uint64_t kept, changed;		/* left as captured; left otherwise */
	uint64_t swallowed, dropped;	/* taken by filters and not passed on; refused by filters */
	uint64_t refused, unclaimed;	/* of the kept: malformed or not for the host; no protocol's */
	uint64_t no_memory;		/* lost to a memory limit */
	uint64_t injected;		/* new frames made by kexts */
	uint64_t written, written_bytes;
	uint64_t left_out;		/* packets of interfaces with other link types: not played */
};

/* What became of a flow, or had become of it in the capture. */
enum nke_replay_flow_state {
	NKE_FLOW_OPEN,			/* it was, when the capture ended; UDP: always */
	NKE_FLOW_CLOSED,		/* by both ends, in order */
	NKE_FLOW_RESET_LOCAL,		/* cut off (RST) by the host's end */
	NKE_FLOW_RESET_REMOTE,		/* by the other end, or by an ICMP error */
	NKE_FLOW_REFUSED,		/* the SYN was answered by a RST */
	NKE_FLOW_UNANSWERED,		/* the SYN was not answered */
	NKE_FLOW_FILTERED,		/* a filter did not let it come about */
	NKE_FLOW_FAILED			/* could not be re-enacted: `error` says why */
};

/* One direction of a flow. Offsets are octets of the stream, or of all datagrams one behind the other. */
struct nke_replay_direction {
	uint64_t captured;		/* octets that the capture holds, `zeros` included */
	uint64_t delivered;		/* octets that arrived at the other end, or at the local reader */
	uint64_t datagrams, datagrams_delivered;	/* UDP */
	uint64_t differences;		/* octets delivered that are not those captured */
	uint64_t first_difference;	/* offset of the first, if there are any */
	uint64_t unchecked;		/* delivered so late that nothing was left to compare them with */
	uint64_t zeros;			/* octets that the capture lacks and zeros stand for */
	uint64_t holes;			/* in so many places: nke_replay_flow_holes */
};

struct nke_replay_flow {
	bool tcp;			/* else UDP */
	bool server;			/* the other end began */
	bool begun_before;		/* before the capture: the handshake is made up */
	struct sockaddr_storage local, remote;
	uint64_t start_ns;		/* since 1970: its first packet */
	uint64_t frames;		/* of the capture */
	struct nke_replay_direction out, in;	/* from the host's end; to it */
	uint64_t retransmitted;		/* segments that the machine sent again */
	enum nke_replay_flow_state captured_state, state;
	int error;			/* NKE_FLOW_FAILED, NKE_FLOW_FILTERED: an errno */
};

/* Octets that were never captured although the capture shows that they were delivered. */
struct nke_replay_hole {
	bool out;			/* the host's end had sent them */
	uint64_t offset, length;
};

/* With `sockets`: what the flows are together, and what was not played. */
struct nke_replay_sockets {
	uint64_t tcp, udp;		/* flows */
	uint64_t other;			/* frames of nothing that is re-enacted: ARP, ICMP, other hosts' */
	uint64_t within;		/* of these, frames from the host to itself */
	uint64_t broken;		/* frames of fragments that were never whole, and the like */
	uint64_t injected;		/* frames put into the machine */
	uint64_t sent;			/* frames that the machine sent */
	uint64_t differing;		/* flows with other octets delivered, or not all of them */
	uint64_t failed;		/* flows in state NKE_FLOW_FAILED */
};

/*
 * Opens the files, finds the host if it wasn't told, and makes the machines with their interface. On an
 * error `text` (of `size` bytes) has one line: the file, the place, what is wrong. `*r` is to be closed.
 *
 * EINVAL: the configuration: a malformed address or interface name, the output is the input, or `sockets`
 * with several jobs or an input that cannot be read twice. ENOENT,
 * EACCES and other errors of opening; EILSEQ: not a capture; EPROTONOSUPPORT: a link type that is not
 * supported; ENOMEM.
 */
int nke_replay_open(const struct nke_replay_config *config, nke_replay_t **r, char *text, size_t size);

/* The machines, 0 to jobs-1, to load kexts into before running. NULL beyond. They belong to the replay. */
nke_t *nke_replay_machine(nke_replay_t *r, unsigned i);
unsigned nke_replay_machines(const nke_replay_t *r);

/*
 * Plays the whole capture; once. Everything before an error is played and written.
 *
 * EILSEQ: the capture is damaged or cut off; ENOSPC and others: writing failed, the output is not
 * complete; EFAULT: a machine panicked. nke_replay_error() has the line that says where.
 */
int nke_replay_run(nke_replay_t *r);
/* "" or one line: file, packet number, byte offset, what is wrong. */
const char *nke_replay_error(const nke_replay_t *r);

void nke_replay_statistics(const nke_replay_t *r, struct nke_replay_stats *stats);
/* With `sockets`, after running: the flows in order of their beginning. ENOENT: there is no i-th. */
size_t nke_replay_flows(const nke_replay_t *r);
int nke_replay_flow_get(const nke_replay_t *r, size_t i, struct nke_replay_flow *flow);
/* Fills at most `max` holes of a flow, the host's direction first; returns how many there are. */
size_t nke_replay_flow_holes(const nke_replay_t *r, size_t i, struct nke_replay_hole *out, size_t max);
void nke_replay_sockets_statistics(const nke_replay_t *r, struct nke_replay_sockets *stats);
/* "02:00:00:00:00:01 10.1.0.2 fd00:1::2": the host's addresses as known now. */
const char *nke_replay_host(nke_replay_t *r);
/* "Ethernet", "raw IP", ... */
const char *nke_replay_link(const nke_replay_t *r);
/* Flushes and closes the output. 0, or the error of doing so (ENOSPC ...). Also done by close. */
int nke_replay_finish_output(nke_replay_t *r);
/* Destroys the machines (kexts must have been unloaded). NULL is ignored. */
void nke_replay_close(nke_replay_t *r);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
