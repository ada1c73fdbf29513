/*
 * Options of sockets. The host's names go through nke_setsockopt(), what only Darwin has (or the host's
 * name for it has no meaning to the library) through nke_darwin_setsockopt().
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <nke/sysctl.h>

#include "src/drill/engine.h"
#include "src/netinet/tcp_user.h"

#define VALUE_MAX		4096u
#define DARWIN_SOL_SOCKET	0xffff
#define DARWIN_TCP_FASTOPEN	0x105
#define DARWIN_TIMEVAL		16u
#define DARWIN_SO_SNDBUF	0x1001
#define LINUX_SNDBUF_MIN	4608
#define DARWIN_TCP_NOPUSH	0x04
#define LINUX_IP_LOCAL_PORT_RANGE	51

#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT	30
#endif
#ifndef TCP_CORK
#define TCP_CORK		3
#endif

struct option {
	int fd;
	bool has_host, has_darwin;
	int level, name;		/* the host's */
	int darwin_level, darwin_name;
};

/* ---- which option ------------------------------------------------------------------------------- */

/* A name or a number in both systems' numbers. */
static int
both(struct run *r, const struct drill_expr *e, bool *has_host, int *host, bool *has_darwin, int *darwin)
{
	const struct drill_constant *c = e->kind == DRILL_NAME ? drill_constant(e->text) : NULL;
	struct drill_error error = {0};
	int64_t value;

	if (c != NULL) {
		*has_host = c->has_host;
		*host = (int)c->host;
		*has_darwin = c->has_darwin;
		*darwin = (int)c->darwin;
		return 0;
	}
	if (drill_eval(e, DRILL_HOST, &value, &error) != 0)
		return fail_error(r, &error);
	*has_host = *has_darwin = true;
	*host = *darwin = (int)value;
	return 0;
}

static int
option_of(struct run *r, const struct drill_call *call, struct option *o)
{
	bool level_host = false, level_darwin = false;
	int64_t fd;

	if (call->arg_count < 4)
		return fail(r, DRILL_BROKEN, r->event->place, "%s() takes five arguments", call->name);
	if (arg_int(r, call, 0, -1, &fd) != 0 ||
	    both(r, arg(call, 1), &level_host, &o->level, &level_darwin, &o->darwin_level) != 0 ||
	    both(r, arg(call, 2), &o->has_host, &o->name, &o->has_darwin, &o->darwin_name) != 0)
		return -1;
	o->fd = live_fd(r, fd);
	o->has_host = o->has_host && level_host;
	if (!level_darwin)
		o->darwin_level = o->level == SOL_SOCKET ? DARWIN_SOL_SOCKET : o->level;
	return 0;
}

/* ---- values ------------------------------------------------------------------------------------- */

struct value {
	uint8_t bytes[VALUE_MAX];
	size_t len;
	bool is_time;
};

static int
int_at(const uint8_t *bytes, size_t index)
{
	int n;

	memcpy(&n, bytes + index * sizeof n, sizeof n);
	return n;
}

static const struct drill_expr *
either_field(const struct drill_expr *e, const char *name, const char *other)
{
	const struct drill_expr *f = drill_field(e, name);

	return f != NULL ? f : drill_field(e, other);
}

static int
number(struct run *r, const struct drill_expr *e, int64_t *n)
{
	struct drill_error error = {0};

	*n = 0;
	if (e == NULL || e->kind == DRILL_ELLIPSIS)
		return 0;
	return drill_eval(e, DRILL_HOST, n, &error) == 0 ? 0 : fail_error(r, &error);
}

static int
put_int(struct run *r, struct value *v, const struct drill_expr *e)
{
	int64_t n;
	int i;

	if (number(r, e, &n) != 0)
		return -1;
	i = (int)n;
	if (v->len + sizeof i > sizeof v->bytes)
		return fail(r, DRILL_BROKEN, r->event->place, "a value that is too long");
	memcpy(v->bytes + v->len, &i, sizeof i);
	v->len += sizeof i;
	return 0;
}

static int
put_time(struct run *r, struct value *v, const struct drill_expr *e)
{
	int64_t sec, usec;
	struct timeval tv;

	if (number(r, drill_field(e, "tv_sec"), &sec) != 0 ||
	    number(r, drill_field(e, "tv_usec"), &usec) != 0)
		return -1;
	tv.tv_sec = (time_t)sec;
	tv.tv_usec = (suseconds_t)usec;
	memcpy(v->bytes, &tv, sizeof tv);
	v->len = sizeof tv;
	v->is_time = true;
	return 0;
}

/* FreeBSD's struct tcp_function_set: {function_set_name="rack", pcbcnt=0}. */
static int
put_function_set(struct run *r, struct value *v, const struct drill_expr *e)
{
	const struct drill_expr *name = drill_field(e, "function_set_name");
	struct core_tcp_function_set set = {.pcbcnt = 0};

	if (name->kind != DRILL_STRING || name->text_len >= sizeof set.function_set_name)
		return fail(r, DRILL_BROKEN, e->place, "function_set_name is a string of at most %zu octets",
		    sizeof set.function_set_name - 1);
	memcpy(set.function_set_name, name->text, name->text_len);
	memcpy(v->bytes, &set, sizeof set);
	v->len = sizeof set;
	return 0;
}

static int
value_of(struct run *r, const struct drill_expr *e, struct value *v)
{
	v->len = 0;
	v->is_time = false;
	memset(v->bytes, 0, sizeof v->bytes);
	switch (e->kind) {
	case DRILL_STRING:
		if (e->text_len >= sizeof v->bytes)
			return fail(r, DRILL_BROKEN, e->place, "a value that is too long");
		memcpy(v->bytes, e->text, e->text_len);
		v->len = e->text_len;
		return 0;
	case DRILL_STRUCT:
		if (drill_field(e, "tv_sec") != NULL)
			return put_time(r, v, e);
		if (drill_field(e, "function_set_name") != NULL)
			return put_function_set(r, v, e);
		if (either_field(e, "onoff", "l_onoff") != NULL)
			return put_int(r, v, either_field(e, "onoff", "l_onoff")) != 0 ||
			    put_int(r, v, either_field(e, "linger", "l_linger")) != 0 ? -1 : 0;
		/* FALLTHROUGH */
	case DRILL_ARRAY:
	case DRILL_LIST:
		if (e->item_count == 1 && (e->items[0].value->kind == DRILL_STRING ||
		    e->items[0].value->kind == DRILL_STRUCT))
			return value_of(r, e->items[0].value, v);
		for (size_t i = 0; i < e->item_count; i++)
			if (put_int(r, v, e->items[i].value) != 0)
				return -1;
		return 0;
	default:
		return put_int(r, v, e);
	}
}

/* ---- Linux's ------------------------------------------------------------------------------------ */

void
set_nopush(struct run *r, int live, bool on)
{
	int value = on;

	(void)nke_darwin_setsockopt(r->machine, live, IPPROTO_TCP, DARWIN_TCP_NOPUSH, &value, sizeof value);
}

/* Linux holds back in the call only: whatever has it send goes on. */
void
more_goes(struct run *r)
{
	for (unsigned i = 0; i < SCRIPT_FDS; i++) {
		struct script_fd *fd = &r->fds[i];

		if (fd->kind != FD_SOCKET || !fd->more || fd->corked)
			continue;
		fd->more = false;
		set_nopush(r, fd->live, false);
	}
}

/* Linux's TCP_NODELAY lets go what TCP_CORK and MSG_MORE hold back, once. */
static void
let_go(struct run *r, const struct option *o, int value)
{
	struct script_fd *fd = by_live_fd(r, o->fd);

	if (fd == NULL || !o->has_host || o->level != IPPROTO_TCP)
		return;
	if (o->name == TCP_CORK)
		fd->corked = value != 0;
	if (o->name == TCP_FASTOPEN_CONNECT)
		fd->fastopen_connect = value != 0;
	if (o->name != TCP_NODELAY || value == 0 || !r->linux_dialect || (!fd->corked && !fd->more))
		return;
	set_nopush(r, o->fd, false);
	set_nopush(r, o->fd, fd->corked);
	fd->more = false;
}

/* Linux takes them: they matter when IPv4 comes by way of mapped addresses. Ports are of both families. */
static bool
is_other_family(struct run *r, const struct option *o)
{
	const struct script_fd *fd = by_live_fd(r, o->fd);

	return fd != NULL && fd->domain == AF_INET6 && o->has_host && o->level == IPPROTO_IP &&
	    o->name != LINUX_IP_LOCAL_PORT_RANGE;
}

/* IP_LOCAL_PORT_RANGE, the last port and the first one in a number: every socket of the script has it. */
static int
set_port_range(struct run *r, uint32_t range)
{
	int error = nke_sysctl_set_int(r->machine, "net.inet.ip.portrange.first", (int)(range & 0xffff));

	if (error == 0)
		error = nke_sysctl_set_int(r->machine, "net.inet.ip.portrange.last", (int)(range >> 16));
	errno = error;
	return error == 0 ? 0 : -1;
}

/* What changes nothing on the wire, and a machine does without. */
static bool
means_nothing(const struct drill_expr *e)
{
	static const char *const names[] = {"IP_BIND_ADDRESS_NO_PORT", "IP_FREEBIND", "SO_MARK",
	    "SO_PRIORITY", "SO_BUSY_POLL", "SO_INCOMING_CPU", "TCP_LOG", "TCP_LOGBUF", "TCP_LOGID",
	    "TCP_PCAP_IN", "TCP_PCAP_OUT", "TCP_STATS"};

	for (size_t i = 0; e->kind == DRILL_NAME && i < sizeof names / sizeof names[0]; i++)
		if (strcmp(e->text, names[i]) == 0)
			return true;
	return false;
}

/* ---- setting ------------------------------------------------------------------------------------ */

static int
set(struct run *r, const struct option *o, const struct value *v, socklen_t len)
{
	uint8_t darwin[DARWIN_TIMEVAL] = {0};
	struct timeval tv;
	int64_t sec;
	int32_t usec;

	int value = int_at(v->bytes, 0);

	if (o->has_host && errqueue_option(r, o->fd, o->level, o->name, value))
		return 0;
	if (o->has_host && o->level == IPPROTO_IP && o->name == LINUX_IP_LOCAL_PORT_RANGE)
		return set_port_range(r, (uint32_t)value);
	/* There an octet will do. */
	if (r->linux_dialect && o->level == IPPROTO_IP && len == 1 && v->len == sizeof value)
		len = sizeof value;
	errno = ENOPROTOOPT;
	if (o->has_host && nke_setsockopt(r->machine, o->fd, o->level, o->name, v->bytes, len) == 0)
		return 0;
	if (errno != ENOPROTOOPT || !o->has_darwin)
		return -1;
	if (!v->is_time)
		return nke_darwin_setsockopt(r->machine, o->fd, o->darwin_level, o->darwin_name, v->bytes,
		    len);
	memcpy(&tv, v->bytes, sizeof tv);
	sec = tv.tv_sec;
	usec = (int32_t)tv.tv_usec;
	memcpy(darwin, &sec, sizeof sec);
	memcpy(darwin + 8, &usec, sizeof usec);
	return nke_darwin_setsockopt(r->machine, o->fd, o->darwin_level, o->darwin_name, darwin,
	    sizeof darwin);
}

/* What Linux's TCP_INQ asks for the machine tells by other calls: sock_io.c makes a control message of it. */
static bool
set_inq(struct run *r, const struct drill_call *call, const struct value *v)
{
	const struct drill_expr *name = arg(call, 2);
	struct script_fd *fd;
	int64_t n;

	if (name->kind != DRILL_NAME || strcmp(name->text, "TCP_INQ") != 0 || v->len < sizeof(int) ||
	    arg_int(r, call, 0, -1, &n) != 0 || (fd = script_fd(r, n)) == NULL)
		return false;
	fd->inq = v->bytes[0] != 0;
	return true;
}

/* Linux doubles a send buffer, for what it takes to keep data, tells of it so, and has a least. */
static void
double_sndbuf(const struct run *r, const struct option *o, struct value *v)
{
	int64_t size = int_at(v->bytes, 0);
	int doubled;

	if (!r->linux_dialect || o->darwin_level != DARWIN_SOL_SOCKET || o->darwin_name != DARWIN_SO_SNDBUF ||
	    v->len < sizeof(int) || size < 0)
		return;
	doubled = size > INT32_MAX / 2 ? INT32_MAX : (int)size * 2;
	if (doubled < LINUX_SNDBUF_MIN)
		doubled = LINUX_SNDBUF_MIN;
	memcpy(v->bytes, &doubled, sizeof doubled);
}

int
call_setsockopt(struct run *r, const struct drill_call *call)
{
	struct option o = {0};
	int64_t len;
	struct value v;
	int result, error;

	if (option_of(r, call, &o) != 0 || value_of(r, arg(call, 3), &v) != 0 ||
	    arg_int(r, call, 4, (int64_t)v.len, &len) != 0)
		return -1;
	if (len < 0 || len > VALUE_MAX)
		len = VALUE_MAX;
	double_sndbuf(r, &o, &v);
	result = set(r, &o, &v, (socklen_t)(v.is_time ? (int64_t)v.len : len));
	error = errno;
	if (result != 0 && error == ENOPROTOOPT && means_nothing(arg(call, 2))) {
		tell(r, 1, "option %s means nothing here", arg(call, 2)->text);
		result = 0;
	}
	if (result != 0 && error == ENOPROTOOPT && set_inq(r, call, &v))
		result = 0;
	if (result != 0 && error == EINVAL && r->linux_dialect && is_other_family(r, &o)) {
		tell(r, 1, "an option of IPv4 on a socket of IPv6");
		result = 0;
	}
	if (result == 0)
		let_go(r, &o, int_at(v.bytes, 0));
	return check_result(r, r->event, result, error);
}

/* ---- getting ------------------------------------------------------------------------------------ */

static int
get(struct run *r, const struct option *o, void *value, socklen_t *len)
{
	socklen_t room = *len;

	errno = ENOPROTOOPT;
	if (o->has_host && nke_getsockopt(r->machine, o->fd, o->level, o->name, value, len) == 0)
		return 0;
	if (errno != ENOPROTOOPT || !o->has_darwin)
		return -1;
	*len = room;
	return nke_darwin_getsockopt(r->machine, o->fd, o->darwin_level, o->darwin_name, value, len);
}

static int
check_text_value(struct run *r, const struct drill_expr *e, const uint8_t *bytes, socklen_t len)
{
	size_t n = strnlen((const char *)bytes, len);

	if (n == e->text_len && memcmp(bytes, e->text, n) == 0)
		return 0;
	return fail(r, DRILL_FAILED, r->event->place, "getsockopt() gives another value\n  expected: \"%s\"\n"
	    "  seen:     \"%.*s\"", e->text, (int)n, (const char *)bytes);
}

/* An unsigned number and a negative one of the same octets are the same to a script. */
static int
check_int(struct run *r, const struct drill_expr *e, int seen)
{
	int64_t expected;

	if (e == NULL || e->kind == DRILL_ELLIPSIS)
		return 0;
	if (number(r, e, &expected) != 0)
		return -1;
	return check_value(r, r->event, "value", e, expected == (uint32_t)seen ? expected : seen);
}

static int
check_option(struct run *r, const struct drill_expr *e, const uint8_t *bytes, socklen_t len)
{
	if (e == NULL || e->kind == DRILL_ELLIPSIS)
		return 0;
	if (e->kind == DRILL_STRING)
		return check_text_value(r, e, bytes, len);
	if (e->kind == DRILL_STRUCT && drill_field(e, "function_set_name") != NULL)
		return check_option(r, drill_field(e, "function_set_name"), bytes, len);
	if (e->kind == DRILL_STRUCT && either_field(e, "onoff", "l_onoff") != NULL)
		return check_int(r, either_field(e, "onoff", "l_onoff"), int_at(bytes, 0) != 0) != 0 ? -1 :
		    check_int(r, either_field(e, "linger", "l_linger"), int_at(bytes, 1));
	if (e->kind == DRILL_ARRAY || e->kind == DRILL_LIST) {
		for (size_t i = 0; i < e->item_count; i++) {
			const struct drill_expr *item = e->items[i].value;

			if (item->kind == DRILL_STRING || item->kind == DRILL_STRUCT)
				return check_option(r, item, bytes, len);
			if (check_int(r, item, int_at(bytes, i)) != 0)
				return -1;
		}
		return 0;
	}
	return e->kind == DRILL_STRUCT ? 0 : check_int(r, e, int_at(bytes, 0));
}

int
call_getsockopt(struct run *r, const struct drill_call *call)
{
	uint8_t bytes[VALUE_MAX] = {0};
	const int bit = INT32_MIN;
	struct option o = {0};
	int64_t room;
	socklen_t len;
	int result, error;

	if (option_of(r, call, &o) != 0 || arg_int(r, call, 4, sizeof(int), &room) != 0)
		return -1;
	len = room < 0 || room > (int64_t)sizeof bytes ? sizeof bytes : (socklen_t)room;
	result = get(r, &o, bytes, &len);
	error = errno;
	if (check_result(r, r->event, result, error) != 0)
		return -1;
	if (result != 0)
		return 0;
	/* FreeBSD tells of this one as it keeps it, by its bit. */
	if (r->freebsd_dialect && o.darwin_name == DARWIN_TCP_FASTOPEN && int_at(bytes, 0) == 1)
		memcpy(bytes, &bit, sizeof bit);
	return check_option(r, arg(call, 3), bytes, len);
}
