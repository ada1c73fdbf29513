/*
 * The other end of `nke run --control`: asking a running machine for something. Used by ctl.c, kext_remote.c
 * and sysctl.c; the messages are in control_wire.h and docs/remote.md.
 */
#ifndef NKE_CMD_CONTROL_CLIENT_H
#define NKE_CMD_CONTROL_CLIENT_H

#include "src/cmd/cmd.h"
#include "src/cmd/control_wire.h"

struct remote {
	const char *command;		/* "ctl": begins every complaint */
	int fd;
	json_int_t last_id;
	int code;			/* CMD_OK, or why the machine cannot be asked any more, or refused */
	/* Called for what the machine tells of itself; NULL: nobody is interested. */
	void (*push)(void *ctx, const json_t *message);
	void *ctx;
};

/* `path` NULL: was not given. CMD_OK, or the complaint has been made. */
int remote_open(struct remote *, const char *command, const char *path);
void remote_close(struct remote *);
/*
 * Asks and waits for the answer, which is the caller's. `request` is consumed. NULL: it was refused, which
 * has been told, and `code` is `refusal`; or the machine has gone (CMD_INPUT) or panicked (CMD_PANIC).
 */
json_t *remote_ask(struct remote *, int refusal, json_t *request);
/* All items of an array that comes in several answers; NULL as above. */
json_t *remote_ask_list(struct remote *, const char *request, const char *key);
/*
 * Waits for one message that nobody asked for, at most so many milliseconds (-1: for ever), and gives it to
 * `push`. False: none has come, or the machine has gone (`code` says).
 */
bool remote_wait(struct remote *, int timeout_ms);
/* Milliseconds of the host's clock, for deadlines. */
int64_t remote_now(void);

#endif
