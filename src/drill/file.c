/*
 * Files and pipes of a script, as far as it needs some to send from, or to put into what has come: open(),
 * pipe(), and Linux's sendfile() and splice(). A machine has none. One that is read has no end and is all
 * zeros, as packetdrill wants payloads to be; one that is written forgets.
 */
#include <poll.h>

#include "src/drill/engine.h"

static int
name_file(struct run *r, const struct drill_expr *e)
{
	struct drill_error error = {0};
	int64_t fd;

	if (e == NULL || drill_eval(e, DRILL_HOST, &fd, &error) != 0)
		return e == NULL ? -1 : fail_error(r, &error);
	if (fd < 0 || fd >= SCRIPT_FDS || r->fds[fd].kind != FD_FREE)
		return fail(r, DRILL_BROKEN, r->event->place, "%s() gives a number that is free and below %u",
		    r->event->call->name, SCRIPT_FDS);
	r->fds[fd] = (struct script_fd){.kind = FD_FILE, .live = -1};
	return 0;
}

int
call_open(struct run *r, const struct drill_call *call)
{
	return name_file(r, call->result);
}

int
call_pipe(struct run *r, const struct drill_call *call)
{
	const struct drill_expr *e = arg(call, 0);

	if (e == NULL || e->kind != DRILL_ARRAY || e->item_count != 2)
		return fail(r, DRILL_BROKEN, r->event->place, "pipe() takes two numbers in brackets");
	return name_file(r, e->items[0].value) != 0 ? -1 : name_file(r, e->items[1].value);
}

/* The argument is one of these. */
static int
is_file(struct run *r, const struct drill_call *call, size_t index)
{
	const struct script_fd *s;
	int64_t fd;

	if (arg_int(r, call, index, -1, &fd) != 0)
		return -1;
	s = script_fd(r, fd);
	return s != NULL && s->kind == FD_FILE ? 0 :
	    fail(r, DRILL_BROKEN, r->event->place, "descriptor %lld is no file", (long long)fd);
}

static int
between(struct run *r, const struct drill_call *call, enum job_kind kind, size_t length_index)
{
	int64_t fd, length;
	struct job *j;

	if (arg_int(r, call, 0, -1, &fd) != 0 || arg_int(r, call, length_index, 0, &length) != 0)
		return -1;
	j = job_new(r, kind, live_fd(r, fd));
	if (j == NULL)
		return -1;
	j->plain = true;
	if (job_pieces(r, j, &length, 1) == 0)
		return job_run(r, j);
	job_free(j);
	return -1;
}

/* Linux's arguments: the socket, the file, [where], how much. */
int
call_sendfile(struct run *r, const struct drill_call *call)
{
	return is_file(r, call, 1) != 0 ? -1 : between(r, call, JOB_SEND, 3);
}

/* From a socket into a pipe. Before urgent data there is an end. */
int
call_splice(struct run *r, const struct drill_call *call)
{
	struct pollfd p = {.events = POLLIN | POLLPRI};
	int64_t fd;

	if (is_file(r, call, 2) != 0 || arg_int(r, call, 0, -1, &fd) != 0)
		return -1;
	p.fd = live_fd(r, fd);
	if (nke_poll(r->machine, &p, 1, 0) == 1 && (p.revents & (POLLIN | POLLPRI)) == POLLPRI)
		return check_result(r, r->event, 0, 0);
	return between(r, call, JOB_RECEIVE, 4);
}
