/* Calls that read and write: buffers, messages with their control messages, what was received. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "src/drill/engine.h"

#define TOTAL_MAX	(64u << 20)	/* octets of one call */
#define PIECES_MAX	1024u
#define LINUX_TCP_CM_INQ	36

#ifndef TCP_FASTOPEN
#define TCP_FASTOPEN	23
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY	0x4000000
#endif
#ifndef MSG_MORE
#define MSG_MORE	0x8000
#endif
#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN	0x20000000
#endif

/* ---- buffers ------------------------------------------------------------------------------------ */

static int
too_large(struct run *r)
{
	return fail(r, DRILL_BROKEN, r->event->place, "%s() of more than %u octets", r->event->call->name,
	    TOTAL_MAX);
}

int
job_pieces(struct run *r, struct job *j, const int64_t *lengths, size_t count)
{
	uint8_t *at;

	for (size_t i = 0; i < count; i++) {
		if (lengths[i] < 0 || lengths[i] > TOTAL_MAX || j->total + (size_t)lengths[i] > TOTAL_MAX)
			return too_large(r);
		j->total += (size_t)lengths[i];
	}
	j->iov = calloc(count + 1, sizeof *j->iov);
	j->buffer = calloc(1, j->total + 1);
	if (j->iov == NULL || j->buffer == NULL) {
		(void)fail(r, DRILL_BROKEN, r->event->place, "no memory");
		return -1;
	}
	at = j->buffer;
	for (size_t i = 0; i < count; i++) {
		j->iov[i] = (struct iovec){.iov_base = at, .iov_len = (size_t)lengths[i]};
		at += lengths[i];
	}
	j->message.msg_iov = j->iov;
	j->message.msg_iovlen = count;
	return 0;
}

static bool
is_string(const struct drill_expr *e)
{
	return e != NULL && (e->kind == DRILL_STRING || e->kind == DRILL_STRING_PART);
}

/* What the script writes. */
static void
fill_piece(struct iovec *iov, const struct drill_expr *e)
{
	if (iov->iov_base != NULL && is_string(e))
		memcpy(iov->iov_base, e->text, e->text_len < iov->iov_len ? e->text_len : iov->iov_len);
}

static int
check_text(struct run *r, const struct drill_event *event, const uint8_t *seen, size_t len,
    const struct drill_expr *e)
{
	size_t n = len;

	if (!is_string(e))
		return 0;
	if (n > e->text_len)
		n = e->text_len;	/* a string's NUL and what follows are not told */
	if (memcmp(seen, e->text, n) == 0)
		return 0;
	return fail(r, DRILL_FAILED, event->place, "%s() gives other data\n  expected: \"%.*s\"\n"
	    "  seen:     \"%.*s\"", event->call->name, (int)e->text_len, e->text, (int)len,
	    (const char *)seen);
}

/* ---- one buffer --------------------------------------------------------------------------------- */

static struct job *
plain_job(struct run *r, const struct drill_call *call, enum job_kind kind)
{
	int64_t fd, length;
	struct job *j;

	if (arg_int(r, call, 0, -1, &fd) != 0 || arg_int(r, call, 2, 0, &length) != 0)
		return NULL;
	j = job_new(r, kind, live_fd(r, fd));
	if (j == NULL)
		return NULL;
	j->plain = true;
	if (job_pieces(r, j, &length, 1) != 0) {
		job_free(j);
		return NULL;
	}
	if (arg(call, 1)->kind == DRILL_NULL)
		j->iov->iov_base = NULL;
	return j;
}

static int
job_flags(struct run *r, const struct drill_call *call, size_t index, struct job *j)
{
	int64_t flags;

	if (arg_int(r, call, index, 0, &flags) != 0)
		return -1;
	j->flags = (int)flags;
	return 0;
}

static int
plain_received(struct run *r, struct job *j, const struct drill_event *event)
{
	return j->result <= 0 ? 0 : check_text(r, event, j->buffer, (size_t)j->result, arg(event->call, 1));
}

int
call_read(struct run *r, const struct drill_call *call)
{
	struct job *j = plain_job(r, call, JOB_RECEIVE);

	if (j == NULL)
		return -1;
	j->finish = plain_received;
	return job_run(r, j);
}

int
call_recv(struct run *r, const struct drill_call *call)
{
	struct job *j = plain_job(r, call, JOB_RECEIVE);

	if (j == NULL)
		return -1;
	if (job_flags(r, call, 3, j) != 0) {
		job_free(j);
		return -1;
	}
	j->has_address = call->arg_count > 4 && arg(call, 4)->kind != DRILL_NULL;
	j->finish = plain_received;
	return job_run(r, j);
}

/* Sending to an address: datagrams, and what opens a connection with its data. */
static void
goes_to(struct run *r, const struct job *j)
{
	struct flow *f = flow_of_fd(r, j->fd);

	if (f == NULL || !j->has_address)
		return;
	if (f->protocol != DRILL_TCP)
		flow_goes_to(r, f, &j->address);
	else if (f->state == FLOW_NEW)
		flow_connects(r, f, &j->address);
}

/*
 * Linux's flags. MSG_ZEROCOPY: the error queue tells of it. MSG_MORE is BSD's TCP_NOPUSH until a call
 * without it. MSG_FASTOPEN is BSD's TCP_FASTOPEN before a call that connects by sending; without a cookie
 * Linux begins to connect, and takes no data from a socket that does not wait.
 */
static void
linux_flags(struct run *r, struct job *j)
{
	struct script_fd *fd = by_live_fd(r, j->fd);
	const int on = 1;
	bool more;

	j->zerocopy = (j->flags & MSG_ZEROCOPY) != 0;
	more = (j->flags & MSG_MORE) != 0;
	j->flags &= ~(MSG_ZEROCOPY | MSG_MORE);
	if (fd != NULL && more != fd->more && fd->type == SOCK_STREAM && !fd->corked) {
		if (more)
			set_nopush(r, j->fd, true);
		j->uncork = !more;
	}
	if (fd != NULL)
		fd->more = more;
	if (fd != NULL && fd->later_len != 0 && !j->has_address) {
		j->has_address = true;
		j->address = fd->later;
		j->address_len = fd->later_len;
		j->message.msg_name = &j->address;
		j->message.msg_namelen = j->address_len;
		fd->later_len = 0;
		goes_to(r, j);
	}
	notsent_clip(r, j, fd);
	j->linux_stream = r->linux_dialect && fd != NULL && fd->type == SOCK_STREAM;
	if (!(j->flags & MSG_FASTOPEN))
		return;
	j->flags &= ~MSG_FASTOPEN;
	(void)nke_setsockopt(r->machine, j->fd, IPPROTO_TCP, TCP_FASTOPEN, &on, sizeof on);
	if (j->has_address && !r->cookie_given && (fd == NULL || fd->nonblocking))
		j->kind = JOB_CONNECT;
}

int
call_write(struct run *r, const struct drill_call *call)
{
	struct job *j = plain_job(r, call, JOB_SEND);

	if (j == NULL)
		return -1;
	fill_piece(j->iov, arg(call, 1));
	linux_flags(r, j);
	return job_run(r, j);
}

int
call_send(struct run *r, const struct drill_call *call)
{
	struct job *j = plain_job(r, call, JOB_SEND);
	int64_t size;

	if (j == NULL)
		return -1;
	fill_piece(j->iov, arg(call, 1));
	if (job_flags(r, call, 3, j) != 0)
		goto fail;
	if (call->arg_count > 4 && arg(call, 4)->kind != DRILL_NULL) {
		if (arg_address(r, arg(call, 4), false, &j->address, &j->address_len) != 0 ||
		    arg_int(r, call, 5, j->address_len, &size) != 0)
			goto fail;
		if (size >= 0 && size <= (int64_t)sizeof j->address)
			j->address_len = (socklen_t)size;
		j->has_address = true;
		goes_to(r, j);
	}
	linux_flags(r, j);
	return job_run(r, j);
fail:
	job_free(j);
	return -1;
}

/* ---- several ------------------------------------------------------------------------------------ */

/* {..., 1000} or {iov_base = ..., iov_len = 1000}. */
static int
piece(struct run *r, const struct drill_expr *e, const struct drill_expr **data, int64_t *length)
{
	const struct drill_expr *len = NULL;
	struct drill_error error = {0};

	if (e->kind == DRILL_STRUCT) {
		*data = drill_field(e, "iov_base");
		len = drill_field(e, "iov_len");
	} else if ((e->kind == DRILL_LIST || e->kind == DRILL_ARRAY) && e->item_count == 2) {
		*data = e->items[0].value;
		len = e->items[1].value;
	}
	if (len == NULL)
		return fail(r, DRILL_BROKEN, e->place, "a piece of data is {data, length}");
	return drill_eval(len, DRILL_HOST, length, &error) == 0 ? 0 : fail_error(r, &error);
}

static int
pieces(struct run *r, const struct drill_expr *e, struct job *j)
{
	const struct drill_expr *data[PIECES_MAX] = {NULL};
	int64_t lengths[PIECES_MAX] = {0};

	if (e == NULL || e->kind != DRILL_ARRAY || e->item_count > PIECES_MAX)
		return fail(r, DRILL_BROKEN, r->event->place, "%s() takes [{data, length}, ...]",
		    r->event->call->name);
	for (size_t i = 0; i < e->item_count; i++)
		if (piece(r, e->items[i].value, &data[i], &lengths[i]) != 0)
			return -1;
	if (job_pieces(r, j, lengths, e->item_count) != 0)
		return -1;
	for (size_t i = 0; j->kind == JOB_SEND && i < e->item_count; i++)
		fill_piece(&j->iov[i], data[i]);
	return 0;
}

/* What stands as strings is compared, piece by piece. */
static int
check_pieces(struct run *r, const struct job *j, const struct drill_event *event, const struct drill_expr *e)
{
	size_t left = j->result > 0 ? (size_t)j->result : 0, n;
	const struct drill_expr *data = NULL;
	int64_t length;

	for (size_t i = 0; i < e->item_count && left != 0; i++) {
		if (piece(r, e->items[i].value, &data, &length) != 0)
			return -1;
		n = j->iov[i].iov_len < left ? j->iov[i].iov_len : left;
		if (check_text(r, event, j->iov[i].iov_base, n, data) != 0)
			return -1;
		left -= n;
	}
	return 0;
}

static int
pieces_received(struct run *r, struct job *j, const struct drill_event *event)
{
	return check_pieces(r, j, event, arg(event->call, 1));
}

static struct job *
vector_job(struct run *r, const struct drill_call *call, enum job_kind kind, const struct drill_expr *e)
{
	struct job *j;
	int64_t fd;

	if (arg_int(r, call, 0, -1, &fd) != 0)
		return NULL;
	j = job_new(r, kind, live_fd(r, fd));
	if (j == NULL || pieces(r, e, j) == 0)
		return j;
	job_free(j);
	return NULL;
}

int
call_readv(struct run *r, const struct drill_call *call)
{
	struct job *j = vector_job(r, call, JOB_RECEIVE, arg(call, 1));

	if (j == NULL)
		return -1;
	j->finish = pieces_received;
	return job_run(r, j);
}

int
call_writev(struct run *r, const struct drill_call *call)
{
	struct job *j = vector_job(r, call, JOB_SEND, arg(call, 1));

	if (j == NULL)
		return -1;
	linux_flags(r, j);
	return job_run(r, j);
}

/* ---- messages ----------------------------------------------------------------------------------- */

static const struct drill_expr *
message_of(struct run *r, const struct drill_call *call)
{
	const struct drill_expr *e = arg(call, 1);

	if (e != NULL && e->kind == DRILL_STRUCT)
		return e;
	(void)fail(r, DRILL_BROKEN, r->event->place, "%s() takes {msg_name(...)=..., msg_iov(1)=[...], ...}",
	    call->name);
	return NULL;
}

/* Whether `...` means an address: a stream has none, unless this opens it. */
static bool
takes_address(struct run *r, const struct job *j)
{
	const struct flow *f = flow_of_fd(r, j->fd);

	return f != NULL && (f->protocol == DRILL_TCP ? (j->flags & MSG_FASTOPEN) != 0 : !f->connected);
}

static int
control_number(struct run *r, const struct drill_expr *e, int64_t *value)
{
	struct drill_error error = {0};

	*value = 0;
	if (e == NULL || e->kind == DRILL_ELLIPSIS)
		return 0;
	return drill_eval(e, DRILL_HOST, value, &error) == 0 ? 0 : fail_error(r, &error);
}

/* {cmsg_level=..., cmsg_type=..., cmsg_data=number}. */
static int
put_control(struct run *r, struct job *j, const struct drill_expr *e)
{
	struct cmsghdr header = {.cmsg_len = CMSG_LEN(sizeof(int))};
	int64_t level, type, data;
	size_t at = j->message.msg_controllen;
	int number;

	if (e->kind != DRILL_STRUCT || at + CMSG_SPACE(sizeof number) > sizeof j->control)
		return fail(r, DRILL_BROKEN, e->place, "a control message is {cmsg_level=..., cmsg_type=..., "
		    "cmsg_data=...}");
	if (control_number(r, drill_field(e, "cmsg_level"), &level) != 0 ||
	    control_number(r, drill_field(e, "cmsg_type"), &type) != 0 ||
	    control_number(r, drill_field(e, "cmsg_data"), &data) != 0)
		return -1;
	header.cmsg_level = (int)level;
	header.cmsg_type = (int)type;
	number = (int)data;
	memcpy(j->control + at, &header, sizeof header);
	memcpy(j->control + at + CMSG_LEN(0), &number, sizeof number);
	j->message.msg_control = j->control;
	j->message.msg_controllen = at + CMSG_SPACE(sizeof number);
	return 0;
}

static int
put_controls(struct run *r, struct job *j, const struct drill_expr *message)
{
	const struct drill_expr *e = drill_field(message, "msg_control");

	for (size_t i = 0; e != NULL && e->kind == DRILL_ARRAY && i < e->item_count; i++)
		if (put_control(r, j, e->items[i].value) != 0)
			return -1;
	return 0;
}

int
call_sendmsg(struct run *r, const struct drill_call *call)
{
	const struct drill_expr *message = message_of(r, call), *name;
	const struct drill_field *field = NULL;
	struct job *j;

	if (message == NULL || (j = vector_job(r, call, JOB_SEND, drill_field(message, "msg_iov"))) == NULL)
		return -1;
	for (size_t i = 0; i < message->item_count; i++)
		if (message->items[i].name != NULL && strcmp(message->items[i].name, "msg_name") == 0)
			field = &message->items[i];
	if (job_flags(r, call, 2, j) != 0 || put_controls(r, j, message) != 0)
		goto fail;
	name = field != NULL ? field->value : NULL;
	/* `msg_name(...)=...` is the usual address, where there can be one: not on a connection. */
	if (name != NULL && (name->kind == DRILL_STRUCT || (name->kind == DRILL_ELLIPSIS &&
	    takes_address(r, j)))) {
		if (arg_address(r, name, false, &j->address, &j->address_len) != 0)
			goto fail;
		j->has_address = true;
		j->message.msg_name = &j->address;
		j->message.msg_namelen = j->address_len;
		goes_to(r, j);
	}
	linux_flags(r, j);
	return job_run(r, j);
fail:
	job_free(j);
	return -1;
}

/* ---- messages received -------------------------------------------------------------------------- */

static int64_t
control_value(const struct cmsghdr *c)
{
	size_t len = c->cmsg_len - CMSG_LEN(0);
	int number = 0;

	memcpy(&number, CMSG_DATA(c), len < sizeof number ? len : sizeof number);
	return number;
}

/* What Linux's TCP_INQ tells: octets that are left; 1 when there are none but the end of the stream. */
static int64_t
left_to_read(struct run *r, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n = nke_readable_bytes(r->machine, fd);

	return n > 0 ? n : nke_poll(r->machine, &p, 1, 0) == 1;
}

static bool
tells_inq(const struct run *r, int fd)
{
	for (unsigned i = 0; i < SCRIPT_FDS; i++)
		if (r->fds[i].kind == FD_SOCKET && r->fds[i].live == fd)
			return r->fds[i].inq;
	return false;
}

static int
check_control(struct run *r, struct job *j, const struct drill_event *event, const struct drill_expr *e)
{
	int64_t level, type;

	if (e->kind != DRILL_STRUCT)
		return 0;
	if (control_number(r, drill_field(e, "cmsg_level"), &level) != 0 ||
	    control_number(r, drill_field(e, "cmsg_type"), &type) != 0)
		return -1;
	if (level == IPPROTO_TCP && type == LINUX_TCP_CM_INQ && tells_inq(r, j->fd))
		return check_value(r, event, "cmsg_data", drill_field(e, "cmsg_data"),
		    left_to_read(r, j->fd));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&j->message); c != NULL; c = CMSG_NXTHDR(&j->message, c))
		if (c->cmsg_level == level && c->cmsg_type == type)
			return check_value(r, event, "cmsg_data", drill_field(e, "cmsg_data"),
			    control_value(c));
	return fail(r, DRILL_FAILED, event->place,
	    "recvmsg() does not give the control message of level %lld, "
	    "type %lld", (long long)level, (long long)type);
}

static int
message_received(struct run *r, struct job *j, const struct drill_event *event)
{
	const struct drill_expr *message = event->call->args[1].value, *e;

	if (j->result < 0)
		return 0;
	e = drill_field(message, "msg_iov");
	if (check_pieces(r, j, event, e) != 0 ||
	    check_value(r, event, "msg_flags", drill_field(message, "msg_flags"), j->message.msg_flags) != 0)
		return -1;
	e = drill_field(message, "msg_control");
	for (size_t i = 0; e != NULL && e->kind == DRILL_ARRAY && i < e->item_count; i++)
		if (check_control(r, j, event, e->items[i].value) != 0)
			return -1;
	return 0;
}

int
call_recvmsg(struct run *r, const struct drill_call *call)
{
	const struct drill_expr *message = message_of(r, call);
	struct job *j;
	int fd;

	if (message == NULL ||
	    (j = vector_job(r, call, JOB_RECEIVE, drill_field(message, "msg_iov"))) == NULL)
		return -1;
	if (job_flags(r, call, 2, j) != 0) {
		job_free(j);
		return -1;
	}
	if (j->flags & MSG_ERRQUEUE) {
		fd = j->fd;
		job_free(j);
		return errqueue_receive(r, fd, message);
	}
	j->message.msg_name = &j->address;
	j->message.msg_namelen = sizeof j->address;
	j->message.msg_control = j->control;
	j->message.msg_controllen = sizeof j->control;
	j->finish = message_received;
	return job_run(r, j);
}
