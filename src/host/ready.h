/* Readiness between poll's bits and the core's, and sockets that are being watched. Private to src/host. */
#ifndef NKE_HOST_READY_H
#define NKE_HOST_READY_H

#include <nke/socket.h>

unsigned ready_from_poll(short events);	/* CORE_READY_*; socket.c */
short ready_to_poll(unsigned ready);

/* The descriptor is about to be closed (ready.c). */
void nke_unwatch(nke_t *, int s);
/* What nke_watch was given for it last; NULL since it was closed. */
void *nke_watch_ctx(nke_t *, int s);
/* Frees what a machine's watching took; the machine has gone. */
void nke_ready_forget(nke_t *);

#endif
