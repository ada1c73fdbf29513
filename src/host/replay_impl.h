/* Inside the host's half of replay: shared by replay.c and replay_parallel.c only. */
#ifndef NKE_HOST_REPLAY_IMPL_H
#define NKE_HOST_REPLAY_IMPL_H

#include <nke/replay.h>

#include "src/host/capture.h"
#include "src/host/guess.h"
#include "src/kern/corecalls.h"

#define REPLAY_CHUNK	8192u		/* frames between looks at the clock, progress and errors */
#define REPLAY_LINGER_NS UINT64_C(60000000000) /* after the last frame: what becomes due then happens */

struct nke_replay {
	struct nke_replay_config config;
	struct capture_reader *reader;
	struct capture_writer *writer;
	struct host_identity host;
	bool learn;			/* its IP addresses were found, not told */
	nke_t **machines;
	unsigned count;
	struct reenact *reenact;	/* `sockets`; else NULL */
	bool ran;

	/* the frames that were looked at to find the host; played first */
	struct core_frame *ahead;
	size_t ahead_count, ahead_next;
	uint8_t *ahead_data;
	uint64_t last_time;		/* newest time stamp so far */
	struct core_replay_stats *stopped_at;	/* the machines' when an error ended a parallel run */

	char error[2048];
	int error_code;
	char host_text[4096];
};

/* The next frame of the capture, looked-ahead ones first. */
bool replay_next_frame(struct nke_replay *, struct core_frame *);
/* Keeps the first error. */
int replay_failed(struct nke_replay *, int error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Plays everything over all machines, on as many threads. What replay_failed was told. */
int replay_run_parallel(struct nke_replay *);
struct nke *replay_core(const struct nke_replay *, unsigned i);

#endif
