/*
 * The flows of a capture, as the first pass over it finds them: for reenact*.c. What the second pass needs
 * to know in advance is here: who began, how that was answered, what the capture lacks.
 */
#ifndef NKE_HOST_REENACT_FLOWS_H
#define NKE_HOST_REENACT_FLOWS_H

#include "src/host/reenact_packet.h"

#define FLOWS_MAX	(1u << 20)
#define NO_FLOW		UINT32_MAX
#define NO_OFFSET	UINT64_MAX

#define SIDE_LOCAL	0u		/* the host that took the capture */
#define SIDE_REMOTE	1u

struct flow_key {
	uint8_t local[16], remote[16];	/* IPv4: the rest is 0 */
	uint16_t lport, rport;
	uint8_t version, protocol;
	uint16_t zero;
};

/* Octets of a stream: from `from` up to, but not with, `to`. */
struct span {
	uint64_t from, to;
};

/* One direction of a TCP flow as captured. Offsets count from the first octet after the SYN. */
struct track {
	uint32_t base;			/* sequence number of offset 0 */
	bool based;
	uint64_t next;			/* all below has been seen, or is in `holes` */
	uint64_t end;			/* beyond the last octet that was seen */
	uint64_t acked;			/* by the other side */
	uint64_t fin;			/* offset of the FIN; NO_OFFSET: none seen */
	struct span *ahead;		/* seen beyond `next`, in order */
	struct span *holes;		/* never captured, in order */
	uint32_t ahead_count, ahead_room, hole_count, hole_room;
};

enum flow_answer {
	ANSWER_NONE,			/* the SYN got none */
	ANSWER_OPEN,			/* SYN-ACK */
	ANSWER_RESET
};

/* Options that the answer to a SYN agreed to. */
#define AGREED_SCALE	0x1
#define AGREED_SACK	0x2
#define AGREED_STAMPS	0x4

struct play;

struct flow {
	struct flow_key key;
	uint32_t next, previous;	/* flows between the same ends, in time; NO_FLOW */
	uint32_t current;		/* of the first between two ends: where the capture is */
	bool server;			/* the remote end began */
	bool begun_before;		/* its SYN was not captured */
	bool stamps;			/* its segments have time stamps */
	bool established;		/* who began acknowledged the answer, or sent data */
	bool urgent;			/* some say that they have urgent data */
	bool reset[2];			/* that side sent a RST */
	bool failed;			/* could not be played: `error` says why */
	bool started, ended;		/* in the second pass */
	uint8_t answer;			/* enum flow_answer */
	uint8_t agreed;			/* AGREED_*, of an answer that was captured */
	uint64_t first_frame, last_frame;
	uint64_t start_ns;
	uint64_t frames;
	struct track track[2];		/* TCP, by who sent */
	struct play *play;		/* while it is being played */

	/* UDP */
	uint32_t endpoint;		/* its local socket */

	/* what became of it */
	int error;			/* the host's errno */
	uint8_t state;			/* enum nke_replay_flow_state */
	struct flow_count {
		uint64_t captured, delivered;		/* octets */
		uint64_t datagrams, datagrams_delivered;
		uint64_t differences, first_difference;	/* octets that differ; the offset of the first */
		uint64_t unchecked;			/* delivered, and no longer known what they were */
		uint64_t zeros;				/* filled in for what the capture lacks */
	} count[2];			/* by who sent */
	uint64_t retransmitted;		/* segments by the local end */
};

/* A UDP socket of the host. */
struct endpoint {
	uint8_t address[16];
	uint16_t port;
	uint8_t version;
	bool many;			/* peers, more than one */
	bool began;			/* sent before it received anything */
	bool sent, refused;		/* something at all; "port unreachable" for it */
	uint8_t peer[16];
	uint16_t peer_port;
	uint64_t last_frame;
	struct socket_play *play;
};

struct flows {
	struct flow **chunks;
	uint32_t count, chunk_room;
	uint32_t *table;		/* indices of the first flow between two ends */
	uint32_t table_size, table_used;
	struct endpoint *endpoints;
	uint32_t endpoint_count, endpoint_room;
	uint32_t *endpoint_table;
	uint32_t endpoint_table_size;
	bool full;			/* more flows than FLOWS_MAX */
	bool no_memory;
};

void flows_init(struct flows *);
void flows_free(struct flows *);

static inline struct flow *
flow_at(const struct flows *all, uint32_t i)
{
	return &all->chunks[i >> 12][i & 4095];
}

/* The ends of a packet, the host's first. */
void flow_key_of(const struct packet *, struct flow_key *);
/*
 * The flow between two ends that frame `number` belongs to, or NULL. Frames are asked for in the order of
 * the capture, from its beginning after flows_rewind.
 */
struct flow *flows_at(const struct flows *, const struct flow_key *, uint64_t number);
void flows_rewind(struct flows *);
/* One more between these ends, later than all there are. NULL: too many, or no memory. */
struct flow *flows_add(struct flows *, const struct flow_key *);

/* The socket at the host's end of a flow; made if there is none yet. NULL: no memory. */
struct endpoint *flows_endpoint(struct flows *, const struct flow_key *, uint32_t *index);

/* ---- the first pass (reenact_index.c) ------------------------------------------------------- */

/* Takes note of a packet: whole ones only. */
void flows_index(struct flows *, const struct packet *);
/* The capture is over: what is missing is known. */
void flows_index_done(struct flows *);

/* The offset of a sequence number near `near`; negative: before the first octet. */
static inline int64_t
track_offset(const struct track *t, uint32_t seq, uint64_t near)
{
	return (int64_t)near + (int32_t)(seq - (t->base + (uint32_t)near));
}

#endif
