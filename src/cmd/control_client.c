/* Asking a running machine, as control_client.h says: one request at a time, in a blocking way. */
#include "src/cmd/control_client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int
remote_open(struct remote *r, const char *command, const char *path)
{
	struct sockaddr_un address;
	int room = 2 * CONTROL_PACKET_MAX;

	*r = (struct remote){.command = command, .fd = -1};
	if (path == NULL)
		return r->code = cmd_usage(command,
		    "which machine? --control PATH, as it was given to 'nke run'");
	if (!control_address(path, &address))
		return r->code = cmd_usage(command,
		    "--control: '%s': expected a path of 1 to %zu bytes", path, sizeof address.sun_path - 1);
	r->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (r->fd >= 0 && connect(r->fd, (const struct sockaddr *)&address, sizeof address) == 0) {
		(void)setsockopt(r->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
		return CMD_OK;
	}
	if (errno == ENOENT || errno == ECONNREFUSED)
		cmd_error(command, "no machine listens at %s: 'nke run --control %s' makes one", path, path);
	else
		cmd_error(command, "%s: %s", path, strerror(errno));
	remote_close(r);
	return r->code = CMD_INPUT;
}

void
remote_close(struct remote *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

/* The end, in whatever way: told once. */
static void
lose(struct remote *r, int error)
{
	if (error == EPIPE)
		cmd_error(r->command, "the machine has gone");
	else
		cmd_error(r->command, "the machine cannot be asked: %s", strerror(error));
	r->code = CMD_INPUT;
	remote_close(r);
}

/* The first line of the report; the machine's process writes all of it. */
static void
tell_panic(struct remote *r, const char *report)
{
	if (report == NULL)
		report = "panic";
	cmd_error(r->command, "the machine has ended: %.*s: 'nke run' has the report",
	    (int)strcspn(report, "\n"), report);
	r->code = CMD_PANIC;
	remote_close(r);
}

static void
machine_ends(struct remote *r, const json_t *message)
{
	if (json_is_true(json_object_get(message, "panicked"))) {
		tell_panic(r, json_string_value(json_object_get(message, "text")));
		return;
	}
	cmd_error(r->command, "the machine has ended");
	r->code = CMD_INPUT;
	remote_close(r);
}

/* The next message, NULL: none came in time, or it was the last. Pushes are passed on. */
static json_t *
receive(struct remote *r, int timeout_ms)
{
	struct pollfd pfd = {.fd = r->fd, .events = POLLIN};
	char text[CONTROL_TEXT_MAX];
	json_t *message;
	const char *push;
	int error;

	if (r->fd < 0 || (timeout_ms >= 0 && poll(&pfd, 1, timeout_ms) <= 0))
		return NULL;
	error = control_receive(r->fd, &message, text, 0);
	if (error != 0) {
		lose(r, error);
		return NULL;
	}
	push = json_string_value(json_object_get(message, "push"));
	if (push != NULL && strcmp(push, "end") == 0) {
		machine_ends(r, message);
		json_decref(message);
		return NULL;
	}
	if (push != NULL && r->push != NULL)
		r->push(r->ctx, message);
	return message;
}

bool
remote_wait(struct remote *r, int timeout_ms)
{
	json_t *message = receive(r, timeout_ms);

	json_decref(message);
	return message != NULL;
}

/* ---- asking ------------------------------------------------------------------------------- */

static void
tell_refusal(struct remote *r, int refusal, const json_t *answer)
{
	const char *name = json_string_value(json_object_get(answer, "error"));
	const char *text = json_string_value(json_object_get(answer, "text"));

	if (name != NULL && strcmp(name, "EFAULT") == 0) {
		tell_panic(r, text);
		return;
	}
	r->code = refusal;
	cmd_lines(r->command, "", text != NULL && text[0] != '\0' ? text : name != NULL ? name : "refused");
}

json_t *
remote_ask(struct remote *r, int refusal, json_t *request)
{
	json_t *answer = NULL;
	int error;

	if (request == NULL || json_object_set_new(request, "id", json_integer(++r->last_id)) != 0)
		error = ENOMEM;
	else
		error = r->fd >= 0 ? control_send(r->fd, request, 0) : 0;
	json_decref(request);
	/* Of a machine that ended meanwhile the last words can still be read. */
	if (error != 0 && error != EPIPE && error != ECONNRESET) {
		lose(r, error);
		return NULL;
	}
	while ((answer = receive(r, -1)) != NULL) {
		const json_t *id = json_object_get(answer, "id");

		/* Without an id it is no answer to anything that can be told: of this, most likely. */
		if (json_object_get(answer, "answer") != NULL &&
		    (id == NULL || json_integer_value(id) == r->last_id))
			break;
		json_decref(answer);
	}
	if (answer != NULL && !json_is_true(json_object_get(answer, "ok"))) {
		tell_refusal(r, refusal, answer);
		json_decref(answer);
		answer = NULL;
	}
	return answer;
}

json_t *
remote_ask_list(struct remote *r, const char *request, const char *key)
{
	json_t *all = json_array(), *answer;
	bool more = true;

	while (all != NULL && more) {
		answer = remote_ask(r, CMD_INPUT, json_pack("{s:s, s:I}", "request", request, "from",
		    (json_int_t)json_array_size(all)));
		more = json_is_true(json_object_get(answer, "more"));
		if (answer == NULL || json_array_extend(all, json_object_get(answer, key)) != 0) {
			json_decref(all);
			all = NULL;
		}
		json_decref(answer);
	}
	return all;
}

int64_t
remote_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
