/* Between tcp_peer.c and what it serves in files of their own. */
#ifndef NKE_TESTS_LIVE_TCP_PEER_H
#define NKE_TESTS_LIVE_TCP_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include <nke/socket.h>

/* Prints what went wrong and errno; the program ends with status 1. */
void failed(const char *what);

/* Of a clock that only goes forward. */
double seconds(void);

/* Blocks until all has gone into the socket; false, and errno, when that cannot be. */
bool send_all(nke_t *m, int s, const void *data, size_t len);

/* iperf.c: iperf3's server, one test after the other; returns when `listener` is none any more. */
void serve_iperf(nke_t *m, int listener);

#endif
