/*
 * Inside the re-enactment of a capture's flows: shared by reenact*.c only.
 *
 * A flow that is being played (struct play) has two halves: the local end, a socket of the machine
 * (reenact_tcp.c, reenact_udp.c), and the remote end, played from the capture (reenact_peer.c), which also
 * sees what the machine sends. What either of them has to do next, and cannot do from where it finds out
 * (in the middle of the machine's code), is on a list that reenact_settle() works off.
 */
#ifndef NKE_HOST_REENACT_IMPL_H
#define NKE_HOST_REENACT_IMPL_H

#include <sys/queue.h>
#include <sys/socket.h>

#include "src/host/machine.h"
#include "src/host/reenact_stream.h"
#include "src/host/replay_impl.h"

#define INTERFACE_INDEX	2		/* of the replay's interface: the first one after lo0 */

#define STAMPS_KEPT	16u
#define LINK_MAX	20u		/* octets of the longest link header */
#define LINK_ROOM	64u		/* for one in front of a packet that is put in */

/* The remote end of a TCP flow, and what it has seen of the machine. Offsets as the captured stream's. */
struct peer {
	bool iss_known;
	uint32_t iss;			/* the machine's initial sequence number */
	uint64_t got;			/* octets in order */
	bool got_fin;			/* and the FIN behind them */
	int64_t skew;			/* octets that filters have put in, or taken away, so far */
	uint64_t wanted;		/* acknowledged in the capture, the FIN counted */
	bool all;			/* which is all that the local end had sent by then */
	uint64_t acked;			/* as far as the machine was told so */
	uint32_t next_seq;		/* of the remote end: beyond all it sent */
	uint16_t window;		/* as it said last */
	bool stamps;			/* the connection has time stamps */
	uint32_t stamp;			/* its own, newest */
	uint32_t machine_stamp;		/* the machine's, newest */
	struct {
		uint32_t captured, machine;
	} stamp_map[STAMPS_KEPT];	/* what the machine's clock said when the captured one did */
	unsigned stamp_next;
	bool answered;			/* the machine's SYN */
	uint32_t syn_data;		/* octets that were in its SYN (RFC 7413) and have not arrived yet */
	bool sent_fin, gone;		/* gone: it has reset the connection */
	unsigned last_words;		/* RSTs that it answered segments with after it was gone */
	uint32_t machine_ack;		/* the newest of the machine */
	uint8_t link[LINK_MAX];		/* of a frame from it: made-up ones have it, too */
	uint32_t link_len;
};

enum due {
	DUE_READY = 0x1,		/* the socket can be read, or written, or has an error */
	DUE_ACK = 0x2,			/* what the capture acknowledges has been sent now */
	DUE_RESET = 0x4		/* a segment came for a peer that is gone */
};

struct play {
	TAILQ_ENTRY(play) link;		/* what has to be done */
	unsigned due;
	unsigned ready;			/* CORE_READY_* */
	struct reenact *reenact;
	struct flow *flow;
	int fd;				/* -1: none (any more, or not accepted yet) */
	bool connected;			/* the handshake is done */
	bool over;			/* the socket has been closed, or could not be made */
	bool shut;			/* SHUT_WR was called */
	bool fin_due;			/* the local end closes when all has been written */
	bool read_end;			/* its reader has seen the end of the stream */
	bool reset_seen;		/* the machine sent a RST */
	bool busy;			/* in tcp_play_packet, which looks after its end */
	TAILQ_ENTRY(play) waits;	/* for an answer that does not come, until */
	uint64_t waits_until;		/* uptime; 0: it does not */
	uint64_t written;		/* octets that the socket took */
	uint64_t read;
	struct stream out, in;
	struct peer peer;
};

/* A listening socket of the host. */
struct listener {
	LIST_ENTRY(listener) link;	/* of those with such a port */
	TAILQ_ENTRY(listener) due;	/* while it is ready */
	struct reenact *reenact;
	uint8_t version;
	uint8_t address[16];
	uint16_t port;
	int fd;
	bool ready;
};

/* A datagram on its way to a reader. */
struct expected {
	TAILQ_ENTRY(expected) link;
	struct flow *flow;
	uint64_t offset;		/* octets of the flow before it */
	uint32_t len;
	uint8_t data[];
};

/* A UDP socket of the machine. */
struct socket_play {
	TAILQ_ENTRY(socket_play) link;
	bool queued;
	struct reenact *reenact;
	struct endpoint *endpoint;
	int fd;
	bool connected;
	TAILQ_HEAD(, expected) expected;	/* in the order in which they were put in */
	unsigned expected_count;
};

#define LISTENERS	1024u		/* lists of them */
#define NEIGHBOR_SETS	512u		/* of neighbours that the machine knows; a power of two */
#define NEIGHBOR_WAYS	4u		/* in each: together fewer than an interface may have */

struct reenact {
	struct nke_replay *replay;
	nke_t *m;
	nke_iface_t *iface;
	enum core_link link;
	struct flows flows;
	struct host_identity host;	/* with the addresses that were learned */
	TAILQ_HEAD(, play) due;
	TAILQ_HEAD(, play) waiting;	/* in the order in which they give up */
	unsigned waiting_count;
	TAILQ_HEAD(, socket_play) udp_ready;
	LIST_HEAD(, listener) listeners[LISTENERS];	/* by the port's last bits */
	TAILQ_HEAD(, listener) accept_due;	/* those that are ready */
	struct fragments *fragments, *sent_fragments;	/* of the capture; of the machine */
	struct neighbor {
		uint8_t version, addr[16], lladdr[6];
	} (*neighbors)[NEIGHBOR_WAYS];	/* by address; of a set, the newest first */

	unsigned added;			/* of the host's addresses are the machine's now */
	uint64_t frames;		/* of the capture, as the first pass read it */
	uint64_t number;		/* of the frame that is being played */
	uint64_t started_ns;		/* calendar: the machine's uptime 0 */
	uint64_t shift;			/* what the machine's clock lacks: gaps that it did not sit through */
	bool playing;			/* what the machine sends is looked at */
	struct flow *current;		/* whose packet is being played: mostly it is the machine's, too */
	struct flow *udp_sending;	/* whose datagram the machine is sending: `udp_len` octets */
	const uint8_t *udp_data;
	uint32_t udp_len;
	uint8_t link_header[2][2][LINK_MAX];	/* by version (4, 6) and direction: of -w */
	bool link_known[2][2];
	uint8_t *frame;			/* FRAME_MAX octets: what is put in */
	uint8_t *out_frame;		/* the same for what leaves, with a link header in front */
	uint8_t *buffer;		/* READ_MAX octets: what is read */
	struct nke_replay_stats stats;
	struct nke_replay_sockets totals;
};

#define FRAME_MAX	(NET_MAX + LINK_ROOM)
#define READ_MAX	(256u << 10)

/* ---- reenact.c ------------------------------------------------------------------------------ */

/* Works off what the machine's doings have left to do. */
void reenact_settle(struct reenact *);
void reenact_is_due(struct play *, unsigned due);
/* Where an IP packet is put together that is to arrive at the machine: NET_MAX octets. */
static inline uint8_t *
reenact_net(const struct reenact *r)
{
	return r->frame + LINK_ROOM;
}

/* It arrives: `len` octets, with the link header that a frame of its sender had. */
void reenact_input(struct reenact *, const uint8_t *link, uint32_t link_len, uint8_t version, uint32_t len);
/* The host's socket address. */
socklen_t reenact_sockaddr(uint8_t version, const uint8_t *addr, uint16_t port, struct sockaddr_storage *);

/* ---- reenact_tcp.c: the local end ------------------------------------------------------------ */

void tcp_play_packet(struct reenact *, struct flow *, const struct packet *);
/* The socket of a flow is ready; a listener is. */
void tcp_play_ready(struct play *);
void tcp_play_accept(struct reenact *);
/* The first of r->waiting gives up: its time has come. */
void tcp_play_give_up(struct reenact *);
/* Forgets a flow that is over, once the capture has no more of it. */
void tcp_play_over(struct play *);
/* The capture is over: what is still open is closed. */
void tcp_play_finish(struct reenact *);

/* ---- reenact_peer.c: the remote end ----------------------------------------------------------- */

/* A captured segment from the remote end arrives, with its checksum as right as it was. */
void peer_segment(struct play *, const struct packet *, enum packet_sum);
/* Segments that the capture lacks: a SYN, a SYN-ACK, an ACK, a FIN; data from an offset on (NULL: zeros). */
void peer_make(struct play *, uint8_t flags);
void peer_make_data(struct play *, uint64_t from, const uint8_t *data, uint64_t len);
/* An ICMP error about a segment or a datagram of the machine's: false when it is something else. */
bool peer_icmp(struct reenact *, const struct packet *);
/* The local end is about to write: what was acknowledged as all ends here. */
void peer_before_write(struct play *);
/* Both ends are done: acknowledges what the machine still wants to be, so that it is, too. */
void peer_end(struct play *);
/* What the captured local end said about time. */
void peer_note_stamp(struct play *, const struct packet *);
/* What is due: acknowledgements that were held back, last words. */
void peer_due(struct play *, unsigned due);
/* The machine sends a segment. On its CPU. */
void peer_output(struct play *, const struct packet *);

/* ---- reenact_udp.c --------------------------------------------------------------------------- */

void udp_play_packet(struct reenact *, struct flow *, const struct packet *);
void udp_play_ready(struct socket_play *);
void udp_play_output(struct reenact *, struct flow *, const struct packet *);
void udp_play_finish(struct reenact *);

#endif
