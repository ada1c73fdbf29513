/*
 * `nke run --control PATH`: other processes reach the machine by a local socket (control_wire.h has the
 * messages). This file listens, takes clients, reads their requests and sends them what there is to send;
 * called by run.c and by the machine's loop.
 *
 * Against clients that mean no good or are dead: everything is non-blocking; a packet is one request or is
 * answered with an error; a client that does not read has at most a few messages waiting, and nothing is read
 * from it or for it meanwhile (run_control.h); there are limits on clients and on what each has. The socket's
 * file is for its owner alone.
 */
#include "src/cmd/run_control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/drill/names.h"

#define BACKLOG		128
#define ACCEPT_PAUSE_S	1

struct control_pending {
	STAILQ_ENTRY(control_pending) link;
	json_t *message;
};

/* ---- to a client -------------------------------------------------------------------------- */

bool
control_client_is_full(const struct control_client *client)
{
	return client->dead || !STAILQ_EMPTY(&client->pending);
}

static void
keep(struct control_client *client, json_t *message)
{
	struct control_pending *p = malloc(sizeof *p);

	if (p == NULL) {
		client->dead = true;
		return;
	}
	p->message = json_incref(message);
	STAILQ_INSERT_TAIL(&client->pending, p, link);
}

void
control_client_send(struct control_client *client, json_t *message)
{
	int error = EAGAIN;

	if (message == NULL)
		client->dead = true;
	if (!client->dead && STAILQ_EMPTY(&client->pending))
		error = control_send(client->fd, message, MSG_DONTWAIT);
	if (!client->dead && error == EAGAIN)
		keep(client, message);
	else if (error != 0)
		client->dead = true;
	json_decref(message);
}

static void
drop_first(struct control_client *client)
{
	struct control_pending *p = STAILQ_FIRST(&client->pending);

	STAILQ_REMOVE_HEAD(&client->pending, link);
	json_decref(p->message);
	free(p);
}

static void
client_writable(evutil_socket_t fd, short what, void *arg)
{
	struct control_client *client = arg;
	int error = 0;

	(void)what;
	while (error == 0 && !STAILQ_EMPTY(&client->pending)) {
		error = control_send(fd, STAILQ_FIRST(&client->pending)->message, MSG_DONTWAIT);
		if (error == 0)
			drop_first(client);
	}
	if (error != 0 && error != EAGAIN)
		client->dead = true;
	control_client_settle(client);
}

/* ---- who it is ---------------------------------------------------------------------------- */

/* The name that the host knows a process by; "" it does not. */
static void
name_of_process(pid_t pid, char *name, size_t size)
{
	char path[40];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%ld/comm", (long)pid);
	f = fopen(path, "re");
	if (f == NULL || fgets(name, (int)size, f) == NULL)
		name[0] = '\0';
	name[strcspn(name, "\n")] = '\0';
	if (f != NULL)
		fclose(f);
}

/* Kexts see the client's process. It has the superuser's rights in the machine: it may open the socket. */
static void
identify(struct control_client *client)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	if (getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || peer.pid <= 0)
		return;
	name_of_process(peer.pid, client->name, sizeof client->name);
	client->process = (struct nke_process){.pid = peer.pid, .ppid = 1, .name = client->name};
}

/* From here on the loop's thread is the client, or the machine's own process again. */
static void
be(const struct control_client *client, bool client_itself)
{
	nke_t *m = client->control->run->machine;

	if (client->process.pid > 0)
		(void)nke_proc_set(m, client_itself ? &client->process : NULL);
}

/* ---- requests ----------------------------------------------------------------------------- */

int
control_refuse(struct control_client *client, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(client->text, sizeof client->text, fmt, ap);
	va_end(ap);
	return error;
}

int
control_refuse_machine(struct control_client *client, int error)
{
	return control_refuse(client, error, "%s", nke_error_text(client->control->run->machine));
}

void
control_client_answer(struct control_client *client, const char *request, const json_t *id, int error,
    json_t *fields)
{
	json_t *answer = json_pack("{s:s, s:b}", "answer", request, "ok", error == 0);

	if (answer != NULL && id != NULL)
		(void)json_object_set(answer, "id", (json_t *)(uintptr_t)id);
	if (answer != NULL && error == 0) {
		(void)json_object_update(answer, fields);
	} else if (answer != NULL) {
		(void)json_object_set_new(answer, "error", json_string(drill_errno_name(error)));
		(void)json_object_set_new(answer, "text", control_text(client->text));
	}
	json_decref(fields);
	control_client_send(client, answer);
}

static void
handle(struct control_client *client, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "request"));
	const json_t *id = json_object_get(request, "id");
	json_t *answer = json_object();
	int error;

	if (!json_is_integer(id))	/* whatever else it is would only be a burden */
		id = NULL;
	client->text[0] = '\0';
	be(client, true);
	if (answer == NULL)
		error = control_refuse(client, ENOMEM, "no memory");
	else if (name == NULL)
		error = control_refuse(client, EINVAL, "a packet has no \"request\"");
	else
		error = control_request(client, name, request, answer);
	be(client, false);
	if (error != CONTROL_LATER)
		control_client_answer(client, name != NULL ? name : "", id, error, answer);
	else
		json_decref(answer);
}

static void
client_readable(evutil_socket_t fd, short what, void *arg)
{
	struct control_client *client = arg;
	json_t *request;
	int error;

	(void)what;
	error = control_receive(fd, &request, client->text, MSG_DONTWAIT);
	if (error == 0)
		handle(client, request);
	else if (error == EPROTO)
		control_client_answer(client, "", NULL, EINVAL, NULL);
	else if (error != EAGAIN)
		client->dead = true;
	json_decref(request);
	control_client_settle(client);
}

/* ---- clients ------------------------------------------------------------------------------ */

static void
free_client(struct control_client *client)
{
	struct run_control *c = client->control;

	control_drain_free(client->drain);
	be(client, true);
	control_channels_free(client);
	be(client, false);
	while (!STAILQ_EMPTY(&client->pending))
		drop_first(client);
	if (client->readable != NULL)
		event_free(client->readable);
	if (client->writable != NULL)
		event_free(client->writable);
	close(client->fd);
	TAILQ_REMOVE(&c->clients, client, link);
	c->client_count--;
	free(client);
}

void
control_client_settle(struct control_client *client)
{
	bool full = !STAILQ_EMPTY(&client->pending);

	if (!client->dead && (full ? event_del(client->readable) : event_add(client->readable, NULL)) != 0)
		client->dead = true;
	if (!client->dead && (full ? event_add(client->writable, NULL) : event_del(client->writable)) != 0)
		client->dead = true;
	if (client->dead)
		free_client(client);
	else
		control_channels_hold(client, full);
}

static void
new_client(struct run_control *c, int fd)
{
	struct event_base *base = nke_loop_base(c->run->loop);
	struct control_client *client = calloc(1, sizeof *client);
	int room = 2 * CONTROL_PACKET_MAX;

	if (client == NULL) {
		close(fd);
		return;
	}
	client->control = c;
	client->fd = fd;
	STAILQ_INIT(&client->pending);
	TAILQ_INIT(&client->channels);
	TAILQ_INSERT_TAIL(&c->clients, client, link);
	c->client_count++;
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	identify(client);
	client->readable = event_new(base, fd, EV_READ | EV_PERSIST, client_readable, client);
	client->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, client_writable, client);
	client->dead = client->readable == NULL || client->writable == NULL;
	if (c->client_count > CONTROL_CLIENTS) {
		(void)control_refuse(client, EAGAIN, "the machine has %u clients already: try again later",
		    CONTROL_CLIENTS);
		control_client_answer(client, "", NULL, EAGAIN, NULL);
		client->dead = true;
	}
	control_client_settle(client);
}

/* Of descriptors there may be none for a while, which must not keep the loop busy. */
static void
listen_again(evutil_socket_t fd, short what, void *arg)
{
	struct run_control *c = arg;

	(void)fd;
	(void)what;
	(void)event_add(c->acceptable, NULL);
}

static void
client_comes(evutil_socket_t listener, short what, void *arg)
{
	struct run_control *c = arg;
	const struct timeval pause = {.tv_sec = ACCEPT_PAUSE_S};
	int fd = accept(listener, NULL, NULL);

	(void)what;
	if (fd >= 0) {
		new_client(c, fd);
	} else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		run_say(c->run, "control: no client can be taken: %s", strerror(errno));
		(void)event_del(c->acceptable);
		(void)event_add(c->pause, &pause);
	}
}

/* ---- the socket --------------------------------------------------------------------------- */

/* Whether somebody listens at the address. */
static bool
is_served(const struct sockaddr_un *address)
{
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool refused;

	if (s < 0)
		return true;
	refused = connect(s, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED;
	close(s);
	return !refused;
}

/* What is in the way is removed if it is the socket of a program that is gone. */
static int
clear_the_way(const struct sockaddr_un *address)
{
	const char *path = address->sun_path;
	struct stat st;

	if (lstat(path, &st) != 0)
		return CMD_OK;		/* binding says what is wrong */
	if (!S_ISSOCK(st.st_mode)) {
		cmd_error("run", "--control %s: there is something else than a socket: choose another path, "
		    "or remove it", path);
		return CMD_INPUT;
	}
	if (is_served(address)) {
		cmd_error("run", "--control %s: another program listens there: choose another path, or end "
		    "it", path);
		return CMD_INPUT;
	}
	(void)unlink(path);
	return CMD_OK;
}

static int
complain(const struct run_control *c)
{
	cmd_error("run", "--control %s: %s", c->address.sun_path, strerror(errno));
	return CMD_INPUT;
}

static int
open_socket(struct run_control *c)
{
	struct stat st;
	mode_t outer;
	int error;

	c->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return complain(c);
	outer = umask(0177);
	error = bind(c->fd, (const struct sockaddr *)&c->address, sizeof c->address);
	(void)umask(outer);
	if (error != 0 || stat(c->address.sun_path, &st) != 0)
		return complain(c);
	c->device = st.st_dev;
	c->inode = st.st_ino;
	if (listen(c->fd, BACKLOG) != 0)
		return complain(c);
	return CMD_OK;
}

static int
start(struct run_control *c)
{
	struct event_base *base = nke_loop_base(c->run->loop);
	int code = clear_the_way(&c->address);

	if (code == CMD_OK)
		code = open_socket(c);
	if (code != CMD_OK)
		return code;
	c->acceptable = event_new(base, c->fd, EV_READ | EV_PERSIST, client_comes, c);
	c->pause = evtimer_new(base, listen_again, c);
	if (c->acceptable == NULL || c->pause == NULL || event_add(c->acceptable, NULL) != 0) {
		errno = ENOMEM;
		return complain(c);
	}
	return CMD_OK;
}

int
run_control_start(struct run *r)
{
	struct run_control *c = calloc(1, sizeof *c);
	int code;

	if (c == NULL) {
		cmd_error("run", "--control: no memory");
		return CMD_INPUT;
	}
	c->run = r;
	c->fd = -1;
	TAILQ_INIT(&c->clients);
	(void)control_address(r->control_path, &c->address);	/* run_options has looked at it */
	r->control = c;
	code = start(c);
	if (code == CMD_OK)
		run_say(r, "control: listening at %s", r->control_path);
	return code;
}

/* The last that a client hears, if it reads. */
static void
say_goodbye(struct control_client *client)
{
	nke_t *m = client->control->run->machine;
	bool panicked = nke_panicked(m);
	json_t *end = json_pack("{s:s, s:b, s:o}", "push", "end", "panicked", panicked, "text",
	    control_text(panicked ? nke_panic_report(m) : "the machine ends"));

	control_client_send(client, end);
	free_client(client);
}

void
run_control_stop(struct run *r)
{
	struct run_control *c = r->control;
	struct control_client *client, *next;
	struct stat st;

	if (c == NULL)
		return;
	for (client = TAILQ_FIRST(&c->clients); client != NULL; client = next) {
		next = TAILQ_NEXT(client, link);
		say_goodbye(client);
	}
	if (c->acceptable != NULL)
		event_free(c->acceptable);
	if (c->pause != NULL)
		event_free(c->pause);
	if (c->fd >= 0)
		close(c->fd);
	if (c->inode != 0 && lstat(c->address.sun_path, &st) == 0 && st.st_dev == c->device &&
	    st.st_ino == c->inode)
		(void)unlink(c->address.sun_path);
	free(c);
	r->control = NULL;
}
