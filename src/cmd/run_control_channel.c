/*
 * What clients of the control socket have in the machine: sockets that are connected to kernel controls, and
 * sockets that hear kernel events. A client knows each by a handle, a number of its own; it ends with "close"
 * or with the client, and the kext is told. What comes is sent on when the client has asked for that
 * ("watch"); until then, and while the client does not read, it waits in the machine's socket.
 */
#include <errno.h>
#include <nke/control.h>
#include <stdlib.h>
#include <string.h>

#include "src/cmd/run_control.h"

/* Messages of a channel before the others have their turn. */
#define ROUNDS		16
#define LAST_ROUNDS	4096
#define LIST_MAX	4096u

struct control_channel {
	TAILQ_ENTRY(control_channel) link;
	struct control_client *client;
	json_int_t handle;
	int s;
	bool events;			/* it hears kernel events; else it is a control's */
	nke_event_t *event;		/* NULL: not watched */
	bool held;
};

/* ---- life --------------------------------------------------------------------------------- */

static void
free_channel(struct control_channel *ch)
{
	struct control_client *client = ch->client;

	nke_event_free(ch->event);
	(void)nke_close(client->control->run->machine, ch->s);
	TAILQ_REMOVE(&client->channels, ch, link);
	client->channel_count--;
	free(ch);
}

void
control_channels_free(struct control_client *client)
{
	struct control_channel *ch, *next;

	for (ch = TAILQ_FIRST(&client->channels); ch != NULL; ch = next) {
		next = TAILQ_NEXT(ch, link);
		free_channel(ch);
	}
}

void
control_channels_hold(struct control_client *client, bool hold)
{
	struct control_channel *ch;

	TAILQ_FOREACH(ch, &client->channels, link) {
		if (ch->event == NULL || ch->held == hold)
			continue;
		ch->held = hold;
		(void)nke_event_change(ch->event, hold ? 0 : POLLIN);
	}
}

/* A failed call on the machine's sockets, by errno. */
static int
refuse_call(struct control_client *client, const char *what)
{
	int error = errno;

	if (error == EFAULT)
		return control_refuse(client, error, "%s", nke_panic_report(client->control->run->machine));
	return control_refuse(client, error, "%s: %s", what, strerror(error));
}

static int
may_add(struct control_client *client)
{
	if (client->channel_count == CONTROL_CHANNELS)
		return control_refuse(client, EMFILE, "a client has at most %u connections: close one",
		    CONTROL_CHANNELS);
	return 0;
}

/* Takes the socket. */
static int
add_channel(struct control_client *client, int s, bool events, json_t *answer)
{
	nke_t *m = client->control->run->machine;
	struct control_channel *ch = calloc(1, sizeof *ch);

	if (ch == NULL || nke_set_nonblocking(m, s, true) != 0) {
		free(ch);
		(void)nke_close(m, s);
		return control_refuse(client, ENOMEM, "no memory");
	}
	ch->client = client;
	ch->handle = ++client->last_handle;
	ch->s = s;
	ch->events = events;
	TAILQ_INSERT_TAIL(&client->channels, ch, link);
	client->channel_count++;
	(void)json_object_set_new(answer, "handle", json_integer(ch->handle));
	return 0;
}

/* The channel that a request is about. */
static int
find_channel(struct control_client *client, const json_t *request, struct control_channel **out)
{
	json_int_t handle = 0;
	struct control_channel *ch;
	int error = control_want_number(client, request, "handle", 1, INT64_MAX, &handle);

	if (error != 0)
		return error;
	TAILQ_FOREACH(ch, &client->channels, link)
		if (ch->handle == handle)
			break;
	*out = ch;
	if (ch == NULL)
		return control_refuse(client, EBADF,
		    "\"handle\": expected one that \"connect\" or \"events\" gave");
	return 0;
}

/* ---- beginnings --------------------------------------------------------------------------- */

static int
refuse_connect(struct control_client *client, const char *name)
{
	switch (errno) {
	case ENOENT:
		return control_refuse(client, errno,
		    "there is no kernel control %.96s: 'nke ctl list' tells which there are", name);
	case EBUSY:
		return control_refuse(client, errno,
		    "kernel control %.96s: the unit has a client: take another, or none", name);
	case EPROTOTYPE:
		return control_refuse(client, errno,
		    "kernel control %.96s: takes the other type: 'nke ctl list' tells which", name);
	case EFAULT:
		return refuse_call(client, name);
	default:
		return control_refuse(client, errno,
		    "kernel control %.96s: the kext, or the machine, refuses: %s", name, strerror(errno));
	}
}

int
control_connect(struct control_client *client, const json_t *request, json_t *answer)
{
	const char *name, *type = json_string_value(json_object_get(request, "type"));
	json_int_t unit = 0;
	int error, s, number = 0;

	error = control_want_text(client, request, "name", &name);
	if (error == 0)
		error = control_want_number(client, request, "unit", 0, UINT32_MAX, &unit);
	if (error == 0 && type != NULL) {
		number = strcmp(type, "dgram") == 0 ? SOCK_DGRAM :
		    strcmp(type, "stream") == 0 ? SOCK_STREAM : 0;
		if (number == 0)
			error = control_refuse(client, EINVAL, "\"type\": expected \"dgram\" or \"stream\"");
	}
	if (error == 0)
		error = may_add(client);
	if (error != 0)
		return error;
	s = nke_ctl_connect(client->control->run->machine, name, (uint32_t)unit, number);
	if (s < 0)
		return refuse_connect(client, name);
	return add_channel(client, s, false, answer);
}

int
control_events(struct control_client *client, const json_t *request, json_t *answer)
{
	json_int_t vendor = NKE_KEV_ANY, class = NKE_KEV_ANY, subclass = NKE_KEV_ANY;
	int error, s;

	error = control_want_number(client, request, "vendor", 0, UINT32_MAX, &vendor);
	if (error == 0)
		error = control_want_number(client, request, "class", 0, UINT32_MAX, &class);
	if (error == 0)
		error = control_want_number(client, request, "subclass", 0, UINT32_MAX, &subclass);
	if (error == 0)
		error = may_add(client);
	if (error != 0)
		return error;
	s = nke_event_socket(client->control->run->machine, (uint32_t)vendor, (uint32_t)class,
	    (uint32_t)subclass);
	if (s < 0)
		return refuse_call(client, "kernel events");
	return add_channel(client, s, true, answer);
}

/* ---- to a kext ---------------------------------------------------------------------------- */

int
control_get(struct control_client *client, const json_t *request, json_t *answer)
{
	static uint8_t value[CONTROL_DATA_MAX];
	json_int_t option = 0, size = 0;
	const void *given = value;
	size_t given_len = 0;
	struct control_channel *ch;
	socklen_t len;
	int error = find_channel(client, request, &ch);

	if (error == 0)
		error = control_want_number(client, request, "option", INT32_MIN, INT32_MAX, &option);
	if (error == 0)
		error = control_want_number(client, request, "size", 0, sizeof value, &size);
	if (error == 0 && json_object_get(request, "data") != NULL)
		error = control_want_data(client, request, "data", &given, &given_len);
	if (error != 0)
		return error;
	len = (socklen_t)((size_t)size > given_len ? (size_t)size : given_len);
	memset(value, 0, len);
	memmove(value, given, given_len);
	if (nke_getsockopt(client->control->run->machine, ch->s, NKE_SYSPROTO_CONTROL, (int)option,
	    len != 0 ? value : NULL, &len) != 0)
		return refuse_call(client, "the kext's answer to the option");
	(void)json_object_set_new(answer, "size", json_integer((json_int_t)len));
	if (size != 0 || given_len != 0)
		(void)json_object_set_new(answer, "data", control_hex(value, len));
	return 0;
}

int
control_set(struct control_client *client, const json_t *request, json_t *answer)
{
	json_int_t option = 0;
	struct control_channel *ch;
	const void *data;
	size_t len;
	int error = find_channel(client, request, &ch);

	(void)answer;
	if (error == 0)
		error = control_want_number(client, request, "option", INT32_MIN, INT32_MAX, &option);
	if (error == 0)
		error = control_want_data(client, request, "data", &data, &len);
	if (error != 0)
		return error;
	if (nke_setsockopt(client->control->run->machine, ch->s, NKE_SYSPROTO_CONTROL, (int)option,
	    len != 0 ? data : NULL, (socklen_t)len) != 0)
		return refuse_call(client, "the kext's answer to the option");
	return 0;
}

int
control_send_data(struct control_client *client, const json_t *request, json_t *answer)
{
	struct control_channel *ch;
	const void *data;
	size_t len;
	ssize_t n;
	int error = find_channel(client, request, &ch);

	if (error == 0)
		error = control_want_data(client, request, "data", &data, &len);
	if (error != 0)
		return error;
	n = nke_send(client->control->run->machine, ch->s, data, len, MSG_DONTWAIT);
	if (n < 0)
		return refuse_call(client, "the kext's answer to the message");
	(void)json_object_set_new(answer, "sent", json_integer((json_int_t)n));
	return 0;
}

/* ---- from a kext -------------------------------------------------------------------------- */

static json_t *
event_json(const struct control_channel *ch, const uint8_t *bytes, size_t len)
{
	const size_t head = offsetof(struct nke_kernel_event, data);
	struct nke_kernel_event e = {0};

	if (len < head)
		return json_pack("{s:s, s:I}", "push", "event", "handle", ch->handle);
	memcpy(&e, bytes, head);
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "push", "event", "handle", ch->handle,
	    "event", (json_int_t)e.id, "vendor", (json_int_t)e.vendor_code, "class", (json_int_t)e.kev_class,
	    "subclass", (json_int_t)e.kev_subclass, "code", (json_int_t)e.event_code, "data",
	    control_hex(bytes + head, len - head));
}

enum pushed {
	PUSHED, NOTHING,
	ENDED				/* nothing will come any more, as the client was told */
};

/* One record, of a stream what there is. */
static enum pushed
push_one(struct control_channel *ch)
{
	static uint8_t bytes[CONTROL_DATA_MAX];
	struct iovec iov = {bytes, sizeof bytes};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	struct control_client *client = ch->client;
	ssize_t n = nke_recvmsg(client->control->run->machine, ch->s, &message, MSG_DONTWAIT);

	if (n > 0 && ch->events) {
		control_client_send(client, event_json(ch, bytes, (size_t)n));
		return PUSHED;
	}
	if (n > 0) {
		control_client_send(client, json_pack("{s:s, s:I, s:o, s:b}", "push", "data",
		    "handle", ch->handle, "data", control_hex(bytes, (size_t)n),
		    "cut", (message.msg_flags & MSG_TRUNC) != 0));
		return PUSHED;
	}
	/* After a panic the end of all comes soon. */
	if (n < 0 && (errno == EWOULDBLOCK || errno == EINTR || errno == EFAULT))
		return NOTHING;
	control_client_send(client, json_pack("{s:s, s:I, s:s}", "push", "closed", "handle", ch->handle,
	    "text", n == 0 ? "the control has ended the connection" : strerror(errno)));
	return ENDED;
}

static void
channel_ready(nke_event_t *e, int s, short what, void *arg)
{
	struct control_channel *ch = arg;
	struct control_client *client = ch->client;
	enum pushed pushed = PUSHED;

	(void)e;
	(void)s;
	(void)what;
	for (int i = 0; i < ROUNDS && pushed == PUSHED && !control_client_is_full(client); i++)
		pushed = push_one(ch);
	if (pushed == ENDED)
		free_channel(ch);
	control_client_settle(client);
}

/* What has come for a client that watches is sent before the answer. */
int
control_close(struct control_client *client, const json_t *request, json_t *answer)
{
	struct control_channel *ch;
	int error = find_channel(client, request, &ch);

	(void)answer;
	if (error != 0)
		return error;
	for (int i = 0; i < LAST_ROUNDS && ch->event != NULL && !control_client_is_full(client); i++)
		if (push_one(ch) != PUSHED)
			break;
	free_channel(ch);
	return 0;
}

int
control_watch(struct control_client *client, const json_t *request, json_t *answer)
{
	struct control_channel *ch;
	int error = find_channel(client, request, &ch);

	(void)answer;
	if (error != 0 || ch->event != NULL)
		return error;
	error = nke_event_new(client->control->run->loop, ch->s, POLLIN, channel_ready, ch, &ch->event);
	return error != 0 ? control_refuse_machine(client, error) : 0;
}

/* ---- which there are ---------------------------------------------------------------------- */

static json_t *
control_json(const struct nke_ctl *c)
{
	return json_pack("{s:o, s:I, s:I, s:s, s:b, s:I, s:I, s:I, s:I, s:o}", "name", cmd_json_text(c->name),
	    "id", (json_int_t)c->id, "unit", (json_int_t)c->unit, "type", c->stream ? "stream" : "dgram",
	    "privileged", c->privileged, "flags", (json_int_t)c->flags, "clients", (json_int_t)c->clients,
	    "sendsize", (json_int_t)c->sendsize, "recvsize", (json_int_t)c->recvsize,
	    "kext", cmd_json_text(c->kext));
}

int
control_list(struct control_client *client, const json_t *request, json_t *answer)
{
	nke_t *m = client->control->run->machine;
	json_t *array = json_array();
	json_int_t from = 0;
	struct nke_ctl *all;
	size_t count, used = 0;
	int error = control_want_number(client, request, "from", 0, INT32_MAX, &from);

	(void)json_object_set_new(answer, "controls", array);
	if (error != 0)
		return error;
	all = calloc(LIST_MAX, sizeof *all);
	if (all == NULL)
		return control_refuse(client, ENOMEM, "no memory");
	count = nke_ctl_list(m, all, LIST_MAX);
	for (size_t i = (size_t)from; i < count && i < LIST_MAX; i++)
		if (!control_add_item(answer, array, &used, control_json(&all[i])))
			break;
	free(all);
	return 0;
}
