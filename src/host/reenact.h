/* Re-enacting the flows of a capture: what replay.c calls when the configuration asks for sockets. */
#ifndef NKE_HOST_REENACT_H
#define NKE_HOST_REENACT_H

#include "src/host/replay_impl.h"

/* Makes what plays the flows, and the interface of the replay's only machine. An errno, a line in `text`. */
int reenact_open(struct nke_replay *, char *text, size_t size);
/* Plays everything; what replay_failed was told. */
int reenact_run(struct nke_replay *);
void reenact_close(struct nke_replay *);
void reenact_statistics(const struct nke_replay *, struct nke_replay_stats *);
/* The host's addresses as known now. */
const struct host_identity *reenact_host(const struct nke_replay *);

#endif
