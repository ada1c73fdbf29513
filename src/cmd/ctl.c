/* `nke ctl`: kernel controls and kernel events of a running machine, from the command line. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/cmd/control_client.h"
#include "src/cmd/control_value.h"

#define GET_SIZE	1024u

static const char help[] =
"usage: nke ctl --control PATH COMMAND [ARGUMENT ...]\n"
"\n"
"Talks to kernel controls of the machine that 'nke run --control PATH' is.\n"
"\n"
"  list                    the kernel controls that there are\n"
"  connect NAME            send each line of standard input as a message; print what comes\n"
"  get NAME OPTION         print an option's value\n"
"  set NAME OPTION VALUE   set an option\n"
"  send NAME DATA          send one message\n"
"  watch NAME              print what the control sends, until the machine ends\n"
"  events                  print kernel events, until the machine ends\n"
"\n"
"options:\n"
"  --control PATH   the machine's socket\n"
"  --string         values and messages are text (what they are if nothing else is said; what is\n"
"                   printed is a dump then if it is no text)\n"
"  --int            they are whole numbers of 32 bits\n"
"  --hex            they are bytes in hexadecimal\n"
"  --unit N         connect to this unit of the control (any)\n"
"  --type TYPE      dgram or stream (what the control takes)\n"
"  --size N         get: room for the value in bytes (1024); 0: print its size only\n"
"  --count N        watch, events: end after so many messages; send: wait for so many\n"
"  --timeout N      watch, events, send: wait so many seconds at most\n"
"  --vendor N, --class N, --subclass N\n"
"                   events: these only; 0 is any\n"
"  --help           this text\n"
"\n"
"Exit status: 0 done, 1 usage, 2 the machine is not there or has ended, or refused; or less came than\n"
"--count says; 4 the machine panicked.\n";

struct ctl {
	const char *control;
	enum value_form form;
	json_int_t unit, size, count, timeout, vendor, class, subclass;	/* -1: not given */
	const char *type;
	bool helped;
	char **args;			/* behind the command */
	int option;			/* of get and set */
	uint8_t data[CONTROL_DATA_MAX];	/* of set and send */
	size_t data_len;
	struct remote remote;
	json_int_t handle;
	json_int_t come;		/* messages */
};

/* ---- what comes --------------------------------------------------------------------------- */

static void
print_event(const json_t *message)
{
	static const char *const keys[] = {"event", "vendor", "class", "subclass", "code"};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		printf("%s %lld ", keys[i], (long long)json_integer_value(json_object_get(message, keys[i])));
	printf("data ");
}

static void
hear(void *arg, const json_t *message)
{
	static uint8_t bytes[CONTROL_DATA_MAX];
	const char *push = json_string_value(json_object_get(message, "push"));
	const char *text = json_string_value(json_object_get(message, "text"));
	struct ctl *c = arg;
	size_t len;

	if (strcmp(push, "closed") == 0) {
		cmd_error("ctl", "%s", text != NULL ? text : "the connection has ended");
		c->remote.code = CMD_INPUT;
		remote_close(&c->remote);
		return;
	}
	if (!control_unhex(json_object_get(message, "data"), bytes, sizeof bytes, &len))
		return;
	c->come++;
	if (strcmp(push, "event") == 0) {
		print_event(message);
		value_print(c->form == VALUE_ANY ? VALUE_HEX : c->form, bytes, len);
		return;
	}
	value_print(c->form, bytes, len);
	if (json_is_true(json_object_get(message, "cut")))
		cmd_error("ctl", "the message was longer than %zu bytes: the rest is lost", sizeof bytes);
}

/* Until `count` (-1: without end) messages have come. */
static int
wait_for(struct ctl *c)
{
	int64_t end = c->timeout >= 0 ? remote_now() + c->timeout * 1000 : INT64_MAX;

	while (c->count < 0 || c->come < c->count) {
		int64_t left = end - remote_now();

		if (c->timeout >= 0 && left <= 0) {
			if (c->count < 0)
				return CMD_OK;
			cmd_error("ctl", "%lld of %lld messages came in %lld seconds", (long long)c->come,
			    (long long)c->count, (long long)c->timeout);
			return CMD_INPUT;
		}
		if (!remote_wait(&c->remote, c->timeout < 0 ? -1 : left < INT_MAX ? (int)left : INT_MAX) &&
		    c->remote.code != CMD_OK)
			return c->remote.code;
	}
	return CMD_OK;
}

/* ---- asking ------------------------------------------------------------------------------- */

/* The answer is of no interest. */
static int
ask(struct ctl *c, json_t *request)
{
	json_t *answer = remote_ask(&c->remote, CMD_INPUT, request);

	json_decref(answer);
	return answer != NULL ? CMD_OK : c->remote.code;
}

/* Makes the connection that `request` asks for. */
static int
open_handle(struct ctl *c, json_t *request)
{
	json_t *answer = remote_ask(&c->remote, CMD_INPUT, request);

	if (answer == NULL)
		return c->remote.code;
	c->handle = json_integer_value(json_object_get(answer, "handle"));
	json_decref(answer);
	return CMD_OK;
}

static int
connect_control(struct ctl *c)
{
	json_t *request = json_pack("{s:s, s:o}", "request", "connect", "name", cmd_json_text(c->args[0]));

	if (c->unit >= 0)
		(void)json_object_set_new(request, "unit", json_integer(c->unit));
	if (c->type != NULL)
		(void)json_object_set_new(request, "type", json_string(c->type));
	return open_handle(c, request);
}

static int
watch_handle(struct ctl *c)
{
	return ask(c, json_pack("{s:s, s:I}", "request", "watch", "handle", c->handle));
}

/* Sends one message, of a stream in as many pieces as it takes. */
static int
send_bytes(struct ctl *c, const uint8_t *bytes, size_t len)
{
	size_t done = 0;

	do {
		json_t *answer = remote_ask(&c->remote, CMD_INPUT, json_pack("{s:s, s:I, s:o}",
		    "request", "send", "handle", c->handle, "data", control_hex(bytes + done, len - done)));
		json_int_t sent = json_integer_value(json_object_get(answer, "sent"));

		if (answer == NULL)
			return c->remote.code;
		json_decref(answer);
		done += sent > 0 ? (size_t)sent : len - done;
	} while (done < len);
	return CMD_OK;
}

static int
send_text(struct ctl *c, const char *text)
{
	static uint8_t bytes[CONTROL_DATA_MAX];
	const char *complaint;
	size_t len;

	if (!value_read(c->form, text, bytes, sizeof bytes, &len, &complaint)) {
		cmd_error("ctl", "message '%.40s': %s", text, complaint);
		return CMD_INPUT;
	}
	return send_bytes(c, bytes, len);
}

/* ---- the commands ------------------------------------------------------------------------- */

static int
list(struct ctl *c)
{
	json_t *all = remote_ask_list(&c->remote, "controls", "controls"), *item;
	size_t i;

	if (all == NULL)
		return c->remote.code;
	if (json_array_size(all) > 0)
		printf("%-40s %10s %6s %10s %7s %s\n", "NAME", "ID", "TYPE", "PRIVILEGED", "CLIENTS", "KEXT");
	json_array_foreach(all, i, item) {
		const char *name = "", *type = "", *kext = "";
		json_int_t id = 0, clients = 0;
		int privileged = 0;

		(void)json_unpack(item, "{s:s, s:I, s:s, s:b, s:I, s:s}", "name", &name, "id", &id,
		    "type", &type, "privileged", &privileged, "clients", &clients, "kext", &kext);
		printf("%-40s %10lld %6s %10s %7lld %s\n", name, (long long)id, type,
		    privileged ? "yes" : "no", (long long)clients, kext);
	}
	json_decref(all);
	return CMD_OK;
}

/* Lines that are complete in `text` go; what is left is moved to its beginning. */
static int
send_lines(struct ctl *c, char *text, size_t *len, bool last)
{
	char *line = text, *end;
	int code = CMD_OK;

	text[*len] = '\0';
	while (code == CMD_OK && (end = strchr(line, '\n')) != NULL) {
		*end = '\0';
		code = send_text(c, line);
		line = end + 1;
	}
	if (code == CMD_OK && last && *line != '\0') {
		code = send_text(c, line);
		line += strlen(line);
	}
	*len -= (size_t)(line - text);
	memmove(text, line, *len);
	return code;
}

static int
converse(struct ctl *c)
{
	static char text[2 * CONTROL_DATA_MAX + 2];
	size_t len = 0;
	int code = connect_control(c);

	if (code == CMD_OK)
		code = watch_handle(c);
	while (code == CMD_OK && c->remote.code == CMD_OK) {
		struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
		    {.fd = c->remote.fd, .events = POLLIN}};
		ssize_t n;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return CMD_INPUT;
		if (fds[1].revents != 0 && !remote_wait(&c->remote, 0) && c->remote.code != CMD_OK)
			return c->remote.code;
		if (fds[0].revents == 0)
			continue;
		if (len == sizeof text - 1) {
			cmd_error("ctl", "a line of standard input is longer than a message may be");
			return CMD_INPUT;
		}
		n = read(STDIN_FILENO, text + len, sizeof text - 1 - len);
		len += n > 0 ? (size_t)n : 0;
		code = send_lines(c, text, &len, n <= 0);
		if (n <= 0 && code == CMD_OK)
			/* What the kext has answered comes before the end. */
			return ask(c, json_pack("{s:s, s:I}", "request", "close", "handle", c->handle));
	}
	return code != CMD_OK ? code : c->remote.code;
}

static int
get(struct ctl *c)
{
	static uint8_t bytes[CONTROL_DATA_MAX];
	json_t *answer;
	size_t len;
	int code = connect_control(c);

	if (code != CMD_OK)
		return code;
	answer = remote_ask(&c->remote, CMD_INPUT, json_pack("{s:s, s:I, s:i, s:I}", "request", "get",
	    "handle", c->handle, "option", c->option, "size", c->size >= 0 ? c->size : (json_int_t)GET_SIZE));
	if (answer == NULL)
		return c->remote.code;
	if (c->size == 0)
		printf("%lld\n", (long long)json_integer_value(json_object_get(answer, "size")));
	else if (control_unhex(json_object_get(answer, "data"), bytes, sizeof bytes, &len))
		value_print(c->form, bytes, len);
	json_decref(answer);
	return CMD_OK;
}

static int
set(struct ctl *c)
{
	int code = connect_control(c);

	if (code != CMD_OK)
		return code;
	return ask(c, json_pack("{s:s, s:I, s:i, s:o}", "request", "set", "handle", c->handle, "option",
	    c->option, "data", control_hex(c->data, c->data_len)));
}

static int
send_one(struct ctl *c)
{
	int code = connect_control(c);

	if (code == CMD_OK && c->count > 0)
		code = watch_handle(c);
	if (code == CMD_OK)
		code = send_bytes(c, c->data, c->data_len);
	if (code == CMD_OK && c->count > 0)
		code = wait_for(c);
	return code;
}

static int
watch(struct ctl *c)
{
	int code = connect_control(c);

	if (code == CMD_OK)
		code = watch_handle(c);
	return code == CMD_OK ? wait_for(c) : code;
}

static int
events(struct ctl *c)
{
	int code = open_handle(c, json_pack("{s:s, s:I, s:I, s:I}", "request", "events", "vendor",
	    c->vendor >= 0 ? c->vendor : 0, "class", c->class >= 0 ? c->class : 0, "subclass",
	    c->subclass >= 0 ? c->subclass : 0));

	if (code == CMD_OK)
		code = watch_handle(c);
	return code == CMD_OK ? wait_for(c) : code;
}

struct command {
	const char *name, *usage;
	int args;
	int option, data;		/* which of them are these, 0: none */
	int (*fn)(struct ctl *);
};

static const struct command commands[] = {
	{"list", "list", 0, 0, 0, list},
	{"connect", "connect NAME", 1, 0, 0, converse},
	{"get", "get NAME OPTION", 2, 1, 0, get},
	{"set", "set NAME OPTION VALUE", 3, 1, 2, set},
	{"send", "send NAME DATA", 2, 0, 1, send_one},
	{"watch", "watch NAME", 1, 0, 0, watch},
	{"events", "events", 0, 0, 0, events},
};

/* ---- the command line --------------------------------------------------------------------- */

static int
number(const char *option, json_int_t most, json_int_t *out)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(optarg, &end, 10);
	if (errno != 0 || *end != '\0' || optarg[0] < '0' || optarg[0] > '9' || n > (unsigned long long)most)
		return cmd_usage("ctl", "--%s takes a whole number from 0 to %lld, not '%s'", option,
		    (long long)most, optarg);
	*out = (json_int_t)n;
	return CMD_OK;
}

static int
take_option(struct ctl *c, int o, const char *name, char **argv)
{
	switch (o) {
	case 'C':
		c->control = optarg;
		return CMD_OK;
	case 's':
		c->form = VALUE_STRING;
		return CMD_OK;
	case 'i':
		c->form = VALUE_INT;
		return CMD_OK;
	case 'x':
		c->form = VALUE_HEX;
		return CMD_OK;
	case 't':
		c->type = optarg;
		return strcmp(optarg, "dgram") == 0 || strcmp(optarg, "stream") == 0 ? CMD_OK :
		    cmd_usage("ctl", "--type takes dgram or stream, not '%s'", optarg);
	case 'u':
		return number(name, UINT32_MAX, &c->unit);
	case 'S':
		return number(name, CONTROL_DATA_MAX, &c->size);
	case 'n':
		return number(name, INT32_MAX, &c->count);
	case 'T':
		return number(name, 1000000, &c->timeout);
	case 'v':
		return number(name, UINT32_MAX, &c->vendor);
	case 'c':
		return number(name, UINT32_MAX, &c->class);
	case 'b':
		return number(name, UINT32_MAX, &c->subclass);
	case 'H':
		fputs(help, stdout);
		c->helped = true;
		return CMD_OK;
	default:
		return cmd_bad_option("ctl", argv, o);
	}
}

static int
take_options(struct ctl *c, int argc, char **argv)
{
	static const struct option options[] = {
	    {"control", required_argument, NULL, 'C'}, {"string", no_argument, NULL, 's'},
	    {"int", no_argument, NULL, 'i'}, {"hex", no_argument, NULL, 'x'},
	    {"type", required_argument, NULL, 't'}, {"unit", required_argument, NULL, 'u'},
	    {"size", required_argument, NULL, 'S'}, {"count", required_argument, NULL, 'n'},
	    {"timeout", required_argument, NULL, 'T'}, {"vendor", required_argument, NULL, 'v'},
	    {"class", required_argument, NULL, 'c'}, {"subclass", required_argument, NULL, 'b'},
	    {"help", no_argument, NULL, 'H'}, {NULL, 0, NULL, 0}};
	int o, code = CMD_OK, index = 0;

	opterr = 0;
	while (code == CMD_OK && !c->helped && (o = getopt_long(argc, argv, ":", options, &index)) != -1)
		code = take_option(c, o, o != '?' && o != ':' ? options[index].name : "", argv);
	return code;
}

static int
read_args(struct ctl *c, const struct command *command, int count)
{
	const char *option, *data, *complaint;
	size_t len;

	if (count != command->args)
		return cmd_usage("ctl", "expected 'nke ctl --control PATH %s'", command->usage);
	option = c->args[command->option];
	data = c->args[command->data];
	if (command->option != 0 &&
	    !value_read(VALUE_INT, option, &c->option, sizeof c->option, &len, &complaint))
		return cmd_usage("ctl", "option '%s': %s", option, complaint);
	if (command->data != 0 &&
	    !value_read(c->form, data, c->data, sizeof c->data, &c->data_len, &complaint))
		return cmd_usage("ctl", "value '%.40s': %s", data, complaint);
	return CMD_OK;
}

int
cmd_ctl(int argc, char **argv)
{
	static struct ctl c = {.unit = -1, .size = -1, .count = -1, .timeout = -1, .vendor = -1, .class = -1,
	    .subclass = -1};
	size_t n, known = sizeof commands / sizeof commands[0];
	int code = take_options(&c, argc, argv);

	if (code != CMD_OK || c.helped)
		return code;
	if (optind == argc)
		return cmd_usage("ctl", "what is to be done? list, connect, get, set, send, watch or events");
	for (n = 0; n < known && strcmp(argv[optind], commands[n].name) != 0; n++)
		continue;
	if (n == known)
		return cmd_usage("ctl", "there is no 'nke ctl %s'", argv[optind]);
	c.args = argv + optind + 1;
	code = read_args(&c, &commands[n], argc - optind - 1);
	if (code == CMD_OK)
		code = remote_open(&c.remote, "ctl", c.control);
	c.remote.push = hear;
	c.remote.ctx = &c;
	if (code == CMD_OK)
		code = commands[n].fn(&c);
	remote_close(&c.remote);
	return code;
}
