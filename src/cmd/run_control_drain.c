/*
 * Unloading a kext that somebody still holds, for a client of the control socket: what nke_kext_drain does,
 * an attempt at a time, because the machine's loop must not wait meanwhile. What holds the kext is told when
 * it has changed, and every second. The client may ask for other things in between; when it goes, the
 * attempts end, and the kext is as the last of them left it.
 */
#include <errno.h>
#include <nke/kext.h>
#include <stdlib.h>
#include <string.h>

#include "src/cmd/run_control.h"

#define STEP_US		20000
#define TELL_NS		UINT64_C(1000000000)
#define NS_PER_S	UINT64_C(1000000000)

struct control_drain {
	struct control_client *client;
	char *identifier;
	json_t *id;			/* of the request, NULL: none */
	uint64_t start, deadline;
	char *told;			/* what held it, as was told last */
	uint64_t told_at;
	struct event *timer;
};

void
control_drain_free(struct control_drain *d)
{
	if (d == NULL)
		return;
	d->client->drain = NULL;
	if (d->timer != NULL)
		event_free(d->timer);
	json_decref(d->id);
	free(d->identifier);
	free(d->told);
	free(d);
}

/* News, or a sign of life. A client that does not read hears the next one. */
static void
tell_progress(struct control_drain *d, const char *holders)
{
	struct control_client *client = d->client;
	uint64_t now = nke_uptime(client->control->run->machine);
	bool same = d->told != NULL && strcmp(d->told, holders) == 0;
	json_t *push;

	if (control_client_is_full(client) || (same && now - d->told_at < TELL_NS))
		return;
	push = json_pack("{s:s, s:f, s:o}", "push", "progress", "waited", (double)(now - d->start) / 1e9,
	    "holders", control_text(holders));
	if (push != NULL && d->id != NULL)
		(void)json_object_set(push, "id", d->id);
	control_client_send(client, push);
	if (!same) {
		free(d->told);
		d->told = strdup(holders);
	}
	d->told_at = now;
}

static void
finish(struct control_drain *d, int error, unsigned leaks)
{
	struct control_client *client = d->client;
	struct run *r = client->control->run;
	json_t *fields = NULL;

	if (error == 0) {
		run_say(r, "kext %s unloaded", d->identifier);
		fields = json_pack("{s:i, s:o}", "leaks", (int)leaks, "text",
		    control_text(leaks != 0 ? nke_error_text(r->machine) : ""));
	}
	control_client_answer(client, "kext_unload", d->id, error, fields);
	control_drain_free(d);
}

/* An attempt. */
static void
try_again(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval step = {.tv_usec = STEP_US};
	struct control_drain *d = arg;
	struct control_client *client = d->client;
	nke_t *m = client->control->run->machine;
	nke_kext_t *k = nke_kext_find(m, d->identifier);
	unsigned leaks = 0;
	int error = 0;			/* somebody else has unloaded it */

	(void)fd;
	(void)what;
	if (k != NULL)
		error = nke_kext_unload(m, k, &leaks);
	if (error == EBUSY && nke_uptime(m) < d->deadline) {
		tell_progress(d, nke_error_text(m));
		if (event_add(d->timer, &step) == 0) {
			control_client_settle(client);
			return;
		}
	}
	if (error != 0)
		(void)control_refuse_machine(client, error);
	finish(d, error, leaks);
	control_client_settle(client);
}

int
control_drain(struct control_client *client, const char *identifier, const json_t *id, unsigned seconds)
{
	const struct timeval now = {0};
	struct run *r = client->control->run;
	struct control_drain *d;

	if (client->drain != NULL)
		return control_refuse(client, EBUSY, "this client waits for kext %s already",
		    client->drain->identifier);
	d = calloc(1, sizeof *d);
	if (d == NULL)
		return control_refuse(client, ENOMEM, "no memory");
	client->drain = d;
	d->client = client;
	d->identifier = strdup(identifier);
	d->start = nke_uptime(r->machine);
	d->deadline = d->start + seconds * NS_PER_S;
	if (json_is_integer(id))
		d->id = json_copy((json_t *)(uintptr_t)id);
	d->timer = evtimer_new(nke_loop_base(r->loop), try_again, d);
	if (d->identifier == NULL || d->timer == NULL || event_add(d->timer, &now) != 0) {
		control_drain_free(d);
		return control_refuse(client, ENOMEM, "no memory");
	}
	return CONTROL_LATER;
}
