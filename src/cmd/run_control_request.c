/*
 * Requests that come over the control socket: which there are, their members, and those about kexts and
 * variables. Called by run_control.c, on the thread of the machine's loop; kexts' functions run right here,
 * so what sleeps in one of them keeps the loop waiting.
 */
#include "src/cmd/run_control.h"

#include <errno.h>
#include <nke/kext.h>
#include <nke/sysctl.h>
#include <string.h>

#define ITEMS_MAX	(CONTROL_PACKET_MAX / 2)	/* bytes of an array's text in an answer */
#define DRAIN_SECONDS	60
#define DRAIN_MOST	86400

/* ---- members ------------------------------------------------------------------------------ */

int
control_want_text(struct control_client *client, const json_t *request, const char *key, const char **text)
{
	*text = json_string_value(json_object_get(request, key));
	if (*text == NULL || **text == '\0')
		return control_refuse(client, EINVAL, "\"%s\": expected a text", key);
	return 0;
}

int
control_want_number(struct control_client *client, const json_t *request, const char *key, json_int_t min,
    json_int_t max, json_int_t *number)
{
	const json_t *value = json_object_get(request, key);

	if (value == NULL)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < min || json_integer_value(value) > max)
		return control_refuse(client, EINVAL, "\"%s\": expected a whole number from %lld to %lld",
		    key, (long long)min, (long long)max);
	*number = json_integer_value(value);
	return 0;
}

int
control_want_data(struct control_client *client, const json_t *request, const char *key, const void **data,
    size_t *len)
{
	static uint8_t bytes[CONTROL_DATA_MAX];

	*data = bytes;
	if (!control_unhex(json_object_get(request, key), bytes, sizeof bytes, len))
		return control_refuse(client, EINVAL,
		    "\"%s\": expected at most %zu bytes, two hexadecimal digits each", key, sizeof bytes);
	return 0;
}

bool
control_add_item(json_t *answer, json_t *array, size_t *used, json_t *item)
{
	*used += json_dumpb(item, NULL, 0, JSON_COMPACT) + 1;
	if (*used > ITEMS_MAX) {
		json_decref(item);
		(void)json_object_set_new(answer, "more", json_true());
		return false;
	}
	return json_array_append_new(array, item) == 0;
}

/* ---- kexts -------------------------------------------------------------------------------- */

static json_t *
kext_json(const nke_kext_t *k)
{
	return json_pack("{s:o, s:o, s:o, s:I, s:I, s:I}",
	    "identifier", cmd_json_text(nke_kext_identifier(k)),
	    "version", cmd_json_text(nke_kext_version(k)), "path", cmd_json_text(nke_kext_path(k)),
	    "memory", (json_int_t)nke_kext_memory(k), "calls", (json_int_t)nke_kext_calls(k),
	    "time_ns", (json_int_t)nke_kext_time_ns(k));
}

static int
kexts(struct control_client *client, const json_t *request, json_t *answer)
{
	nke_t *m = client->control->run->machine;
	json_t *array = json_array();
	json_int_t from = 0, at = 0;
	nke_kext_t *k;
	size_t used = 0;
	int error = control_want_number(client, request, "from", 0, INT32_MAX, &from);

	(void)json_object_set_new(answer, "kexts", array);
	if (error != 0)
		return error;
	for (k = nke_kext_first(m); k != NULL; k = nke_kext_next(k))
		if (at++ >= from && !control_add_item(answer, array, &used, kext_json(k)))
			break;
	return 0;
}

static int
kext_load(struct control_client *client, const json_t *request, json_t *answer)
{
	struct run *r = client->control->run;
	const char *path;
	nke_kext_t *k;
	int error = control_want_text(client, request, "path", &path);

	if (error != 0)
		return error;
	error = nke_kext_load(r->machine, path, &k);
	if (error != 0)
		return control_refuse_machine(client, error);
	run_say(r, "kext %s loaded", path);
	(void)json_object_set_new(answer, "kext", kext_json(k));
	return 0;
}

static int
kext_unload(struct control_client *client, const json_t *request, json_t *answer)
{
	struct run *r = client->control->run;
	json_int_t seconds = DRAIN_SECONDS;
	unsigned leaks = 0;
	const char *identifier;
	nke_kext_t *k;
	int error = control_want_text(client, request, "identifier", &identifier);

	if (error == 0)
		error = control_want_number(client, request, "timeout", 1, DRAIN_MOST, &seconds);
	if (error != 0)
		return error;
	k = nke_kext_find(r->machine, identifier);
	if (k == NULL)
		return control_refuse(client, ENOENT, "no kext %s is loaded: 'nke kext list' tells which are",
		    identifier);
	if (json_is_true(json_object_get(request, "drain")))
		return control_drain(client, identifier, json_object_get(request, "id"), (unsigned)seconds);
	error = nke_kext_unload(r->machine, k, &leaks);
	if (error == EBUSY)
		return control_refuse(client, error, "%s'nke kext unload --drain' waits until it goes",
		    nke_error_text(r->machine));
	if (error != 0)
		return control_refuse_machine(client, error);
	run_say(r, "kext %s unloaded", identifier);
	(void)json_object_set_new(answer, "leaks", json_integer(leaks));
	(void)json_object_set_new(answer, "text", control_text(nke_error_text(r->machine)));
	return 0;
}

/* ---- variables ---------------------------------------------------------------------------- */

/* The value as it was before it was set, like sysctl(8). */
static int
variable(struct control_client *client, const json_t *request, json_t *answer)
{
	static uint8_t old[CONTROL_DATA_MAX];
	nke_t *m = client->control->run->machine;
	bool sets = json_object_get(request, "value") != NULL;
	size_t old_len = sizeof old, new_len = 0;
	const void *new_value = NULL;
	const char *name;
	char format[16];
	int error = control_want_text(client, request, "name", &name);

	if (error == 0 && sets)
		error = control_want_data(client, request, "value", &new_value, &new_len);
	if (error != 0)
		return error;
	error = nke_sysctl_format(m, name, format, sizeof format);
	if (error == 0)
		error = nke_sysctl(m, name, old, &old_len, new_value, new_len);
	if (error != 0)
		return control_refuse_machine(client, error);
	(void)json_object_set_new(answer, "format", cmd_json_text(format));
	(void)json_object_set_new(answer, "value", control_hex(old, old_len));
	return 0;
}

/* ---- which there are ---------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*fn)(struct control_client *, const json_t *request, json_t *answer);
} requests[] = {
	{"kexts", kexts}, {"kext_load", kext_load}, {"kext_unload", kext_unload}, {"sysctl", variable},
	{"controls", control_list}, {"connect", control_connect}, {"events", control_events},
	{"close", control_close}, {"get", control_get}, {"set", control_set}, {"send", control_send_data},
	{"watch", control_watch},
};

int
control_request(struct control_client *client, const char *name, const json_t *request, json_t *answer)
{
	nke_t *m = client->control->run->machine;

	if (nke_panicked(m))
		return control_refuse(client, EFAULT, "%s", nke_panic_report(m));
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
		if (strcmp(requests[i].name, name) == 0)
			return requests[i].fn(client, request, answer);
	return control_refuse(client, EINVAL,
	    "there is no request \"%.40s\": docs/remote.md has those there are", name);
}
