/* Fast recovery of FreeBSD's base stack without PRR, for tcp_recovery.c and tcp_rack.c. */
#ifndef NKE_NETINET_TCP_RECOVERY_BASE_H
#define NKE_NETINET_TCP_RECOVERY_BASE_H

#include "src/netinet/tcp_private.h"

/* Does this connection recover so? */
bool tcp_base_recovers(const struct tcpcb *);
/* What is not SACKed below is lost. */
tcp_seq tcp_base_boundary(const struct tcpcb *);
/* Sets snd_cwnd for an ACK in recovery, or for the one that has begun it. May mark an entry lost. */
void tcp_base_window(struct tcpcb *, const struct tcp_segment *, bool begins);

#endif
