/*
 * The machine's end of the control socket, shared by run_control.c (the socket, its clients, what waits to be
 * sent), run_control_request.c (requests about kexts and variables), run_control_drain.c (unloading with
 * patience) and run_control_channel.c (clients' sockets in the machine).
 *
 * Everything happens on the thread of the machine's loop. What a client can make the machine hold is bounded:
 * while a message for it waits, because it does not read, nothing more is read from it or from its channels.
 */
#ifndef NKE_CMD_RUN_CONTROL_H
#define NKE_CMD_RUN_CONTROL_H

#include <event2/event.h>
#include <sys/queue.h>

#include <nke/proc.h>

#include "src/cmd/control_wire.h"
#include "src/cmd/run.h"

#define CONTROL_CLIENTS		64
#define CONTROL_CHANNELS	16	/* of a client */

struct control_channel;
struct control_drain;
struct control_pending;

struct control_client {
	TAILQ_ENTRY(control_client) link;
	struct run_control *control;
	int fd;
	struct nke_process process;	/* as kexts see it; pid 0: as the machine's own */
	char name[33];
	struct event *readable, *writable;
	STAILQ_HEAD(control_pendings, control_pending) pending;	/* not sent yet: nothing new is begun */
	bool dead;			/* freed as soon as nobody is at work for it */
	TAILQ_HEAD(, control_channel) channels;
	unsigned channel_count;
	json_int_t last_handle;
	struct control_drain *drain;	/* NULL: none */
	char text[CONTROL_TEXT_MAX];	/* why a request is refused */
};

struct run_control {
	struct run *run;
	struct sockaddr_un address;
	dev_t device;			/* of the socket's file, to remove no other */
	ino_t inode;
	int fd;
	struct event *acceptable, *pause;	/* the latter: none is to be had for a while */
	TAILQ_HEAD(, control_client) clients;
	unsigned client_count;
};

/* ---- run_control.c ------------------------------------------------------------------------ */

/* Sends a message, or keeps it until there is room. `message` is consumed; NULL: there was no memory. */
void control_client_send(struct control_client *, json_t *message);
/* A message waits: what has more to tell waits as well. */
bool control_client_is_full(const struct control_client *);
/*
 * To be the last that a function which the loop calls does for a client: lets wait or go on what has to, or
 * frees it.
 */
void control_client_settle(struct control_client *);
/* Answers a request. `fields` are the answer's own, consumed; of an error only client->text is told. */
void control_client_answer(struct control_client *, const char *request, const json_t *id, int error,
    json_t *fields);
/* The text of a refusal; returns `error`. */
int control_refuse(struct control_client *, int error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with nke_error_text. */
int control_refuse_machine(struct control_client *, int error);

/* ---- run_control_request.c ---------------------------------------------------------------- */

#define CONTROL_LATER	-1		/* the answer comes some time later */

/* Does what it asks: 0 with `answer` filled in, an errno with client->text, or CONTROL_LATER. */
int control_request(struct control_client *, const char *name, const json_t *request, json_t *answer);

/* Members of a request. A refusal's errno when it is missing or not such. */
int control_want_text(struct control_client *, const json_t *request, const char *key, const char **text);
/* Left as it is when it is missing. */
int control_want_number(struct control_client *, const json_t *request, const char *key, json_int_t min,
    json_int_t max, json_int_t *number);
/* At most CONTROL_DATA_MAX bytes, in memory that the next call uses again. */
int control_want_data(struct control_client *, const json_t *request, const char *key, const void **data,
    size_t *len);
/*
 * Adds `item` (consumed) to the array of an answer, which has *used bytes. False: it is full; the client is
 * to ask again for what comes after it ("more" is true).
 */
bool control_add_item(json_t *answer, json_t *array, size_t *used, json_t *item);

/* ---- run_control_drain.c ------------------------------------------------------------------ */

/* CONTROL_LATER, or an errno. */
int control_drain(struct control_client *, const char *identifier, const json_t *id, unsigned seconds);
void control_drain_free(struct control_drain *);

/* ---- run_control_channel.c ---------------------------------------------------------------- */

int control_list(struct control_client *, const json_t *request, json_t *answer);
int control_connect(struct control_client *, const json_t *request, json_t *answer);
int control_events(struct control_client *, const json_t *request, json_t *answer);
int control_close(struct control_client *, const json_t *request, json_t *answer);
int control_get(struct control_client *, const json_t *request, json_t *answer);
int control_set(struct control_client *, const json_t *request, json_t *answer);
int control_send_data(struct control_client *, const json_t *request, json_t *answer);
int control_watch(struct control_client *, const json_t *request, json_t *answer);
/* All channels of a client wait, or go on. */
void control_channels_hold(struct control_client *, bool hold);
void control_channels_free(struct control_client *);

#endif
