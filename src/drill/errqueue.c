/*
 * Linux's error queue (recvmsg() with MSG_ERRQUEUE), which machines do not have: what became of data that
 * were sent with MSG_ZEROCOPY, and when the last octet of a call went and was acknowledged (SO_TIMESTAMPING).
 * Both follow from how much is left in the send buffer, looked at after every event and whenever time has
 * passed. A machine copies, and says so: SO_EE_CODE_ZEROCOPY_COPIED.
 *
 * Way in: errqueue_option() for what is set, errqueue_wrote() for what a call took, errqueue_look(). Way out:
 * errqueue_receive(), and errqueue_news() for poll and epoll. A script that uses none of it has no queue.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "src/drill/engine.h"
#include "src/netinet/tcp_user.h"

#define WRITES_MAX	64u		/* calls that are not acknowledged */
#define NOTICES_MAX	64u		/* that nobody has read */
#define TIME_MAX	(INT64_MAX / 2000000)	/* seconds of a script */

#define LINUX_SO_TIMESTAMPING	37
#define LINUX_SO_ZEROCOPY	60
#define ORIGIN_TIMESTAMPING	4
#define ORIGIN_ZEROCOPY		5
#define ZEROCOPY_COPIED		1
#define STAMP_SND		0
#define STAMP_SCHED		1
#define STAMP_ACK		2
#define WANTS_SND		0x002u	/* SOF_TIMESTAMPING_TX_SOFTWARE ... */
#define WANTS_ID		0x080u
#define WANTS_SCHED		0x100u
#define WANTS_ACK		0x200u

/* What one call has written. */
struct written {
	uint64_t end;			/* octets of the socket up to its last one */
	bool zerocopy, sent;
	uint32_t id;			/* of MSG_ZEROCOPY */
};

/* Fields of a struct sock_extended_err. */
struct notice {
	int origin;
	uint32_t info, data;
	int64_t us;			/* of a time stamp */
};

struct errqueue {
	struct errqueue *next;
	int fd;				/* of the machine's */
	uint32_t stamping;		/* WANTS_* */
	uint64_t octets, base;		/* written ever; when identifiers were asked for */
	uint32_t ids;			/* of MSG_ZEROCOPY, given out */
	uint32_t news;			/* notices ever */
	struct written writes[WRITES_MAX];
	unsigned write_count;
	struct notice notices[NOTICES_MAX];
	unsigned notice_count;
};

static struct errqueue *
find(const struct run *r, int fd)
{
	struct errqueue *q = r->errqueues;

	while (q != NULL && q->fd != fd)
		q = q->next;
	return q;
}

/* What is in the send buffer, and of that not sent. False: it is no connection any more. */
static bool
buffered(const struct run *r, int fd, uint64_t *all, uint64_t *unsent)
{
	struct core_tcp_info info;
	socklen_t len = sizeof info;

	if (nke_darwin_getsockopt(r->machine, fd, IPPROTO_TCP, CORE_TCP_INFO, &info, &len) != 0)
		return false;
	*all = info.tcpi_snd_sbbytes;
	*unsent = info.tcpi_notsent;
	return true;
}

/* `written`: octets that have just been, and are not counted yet. */
static struct errqueue *
get(struct run *r, int fd, uint64_t written)
{
	struct errqueue *q = find(r, fd);
	uint64_t all, unsent;

	if (q != NULL || (q = calloc(1, sizeof *q)) == NULL)
		return q;
	q->fd = fd;
	/* What was written before it: as much as there may still be. */
	if (buffered(r, fd, &all, &unsent) && all > written)
		q->octets = all - written;
	q->next = r->errqueues;
	r->errqueues = q;
	return q;
}

void
errqueue_forget(struct run *r, int fd)
{
	for (struct errqueue **link = &r->errqueues; *link != NULL; link = &(*link)->next) {
		struct errqueue *q = *link;

		if (q->fd != fd)
			continue;
		*link = q->next;
		free(q);
		return;
	}
}

void
errqueues_free(struct run *r)
{
	while (r->errqueues != NULL)
		errqueue_forget(r, r->errqueues->fd);
}

/* ---- what is asked for -------------------------------------------------------------------------- */

bool
errqueue_option(struct run *r, int fd, int level, int name, int value)
{
	uint64_t all, unsent;
	struct errqueue *q;

	if (level != SOL_SOCKET || (name != LINUX_SO_ZEROCOPY && name != LINUX_SO_TIMESTAMPING))
		return false;
	if (name == LINUX_SO_ZEROCOPY) {
		r->zerocopy = value != 0;	/* accepted sockets have it of their listener */
		return true;
	}
	q = get(r, fd, 0);
	if (q == NULL)
		return false;
	/* Linux counts from what is not acknowledged. */
	if (((uint32_t)value & ~q->stamping & WANTS_ID) && buffered(r, fd, &all, &unsent))
		q->base = q->octets - all;
	q->stamping = (uint32_t)value;
	return true;
}

void
errqueue_wrote(struct run *r, int fd, int64_t octets, bool zerocopy)
{
	bool copies = zerocopy && r->zerocopy;
	struct errqueue *q;
	struct written *w;

	if (octets <= 0 || (!copies && r->errqueues == NULL))
		return;
	q = get(r, fd, (uint64_t)octets);
	if (q == NULL)
		return;
	q->octets += (uint64_t)octets;
	if ((!copies && q->stamping == 0) || q->write_count == WRITES_MAX)
		return;
	w = &q->writes[q->write_count++];
	*w = (struct written){.end = q->octets, .zerocopy = copies, .id = q->ids};
	q->ids += copies;
}

/* ---- what has happened -------------------------------------------------------------------------- */

static void
tell_of(struct errqueue *q, const struct notice *n)
{
	struct notice *last = q->notice_count != 0 ? &q->notices[q->notice_count - 1] : NULL;

	q->news++;
	if (last != NULL && last->origin == ORIGIN_ZEROCOPY && n->origin == ORIGIN_ZEROCOPY &&
	    last->data + 1 == n->info)
		last->data = n->data;		/* a range is one */
	else if (q->notice_count < NOTICES_MAX)
		q->notices[q->notice_count++] = *n;
}

static void
stamp(struct run *r, struct errqueue *q, const struct written *w, uint32_t wanted, uint32_t what)
{
	struct notice n = {.origin = ORIGIN_TIMESTAMPING, .info = what, .us = now_us(r),
	    .data = q->stamping & WANTS_ID ? (uint32_t)(w->end - q->base - 1) : 0};

	if (q->stamping & wanted)
		tell_of(q, &n);
}

static void
look(struct run *r, struct errqueue *q)
{
	uint64_t all, unsent, sent, acked;
	unsigned done = 0;

	if (q->write_count == 0 || !buffered(r, q->fd, &all, &unsent))
		return;
	sent = q->octets - unsent;
	acked = q->octets - all;
	for (unsigned i = 0; i < q->write_count; i++) {
		struct written *w = &q->writes[i];
		struct notice copied = {.origin = ORIGIN_ZEROCOPY, .info = w->id, .data = w->id};

		if (!w->sent && w->end <= sent) {
			w->sent = true;
			stamp(r, q, w, WANTS_SCHED, STAMP_SCHED);
			stamp(r, q, w, WANTS_SND, STAMP_SND);
		}
		if (w->end > acked)
			continue;
		stamp(r, q, w, WANTS_ACK, STAMP_ACK);
		if (w->zerocopy)
			tell_of(q, &copied);
		done = i + 1;
	}
	memmove(q->writes, q->writes + done, (q->write_count - done) * sizeof q->writes[0]);
	q->write_count -= done;
}

void
errqueue_look(struct run *r)
{
	for (struct errqueue *q = r->errqueues; q != NULL; q = q->next)
		look(r, q);
}

bool
errqueue_news(const struct run *r, int fd, uint32_t *news)
{
	const struct errqueue *q = find(r, fd);

	*news = q != NULL ? q->news : 0;
	return q != NULL && q->notice_count != 0;
}

/* ---- reading ------------------------------------------------------------------------------------ */

static int
check_field(struct run *r, const struct drill_expr *data, const char *name, int64_t seen)
{
	return data == NULL || data->kind != DRILL_STRUCT ? 0 :
	    check_value(r, r->event, name, drill_field(data, name), seen);
}

/* {scm_sec=..., scm_nsec=...}: the script's time. */
static int
check_time(struct run *r, const struct drill_expr *data, int64_t us)
{
	struct drill_error error = {0};
	int64_t sec, nsec, off;

	if (data == NULL || data->kind != DRILL_STRUCT || drill_field(data, "scm_sec") == NULL ||
	    drill_field(data, "scm_nsec") == NULL)
		return 0;
	if (drill_eval(drill_field(data, "scm_sec"), DRILL_HOST, &sec, &error) != 0 ||
	    drill_eval(drill_field(data, "scm_nsec"), DRILL_HOST, &nsec, &error) != 0)
		return fail_error(r, &error);
	off = sec >= 0 && sec < TIME_MAX ? sec * 1000000 + nsec / 1000 - us : TIME_MAX;
	if (off <= tolerance(r, 0) && -off <= tolerance(r, 0))
		return 0;
	return fail(r, DRILL_FAILED, r->event->place, "recvmsg() tells of %lld.%06lld",
	    (long long)(us / 1000000), (long long)(us % 1000000));
}

static int
check_error(struct run *r, const struct drill_expr *data, const struct notice *n)
{
	bool copied = n->origin == ORIGIN_ZEROCOPY;

	if (check_field(r, data, "ee_errno", copied ? 0 : ENOMSG) != 0 ||
	    check_field(r, data, "ee_origin", n->origin) != 0 || check_field(r, data, "ee_type", 0) != 0 ||
	    check_field(r, data, "ee_code", copied ? ZEROCOPY_COPIED : 0) != 0 ||
	    check_field(r, data, "ee_info", n->info) != 0)
		return -1;
	return check_field(r, data, "ee_data", n->data);
}

int
errqueue_receive(struct run *r, int fd, const struct drill_expr *message)
{
	const struct drill_expr *list = drill_field(message, "msg_control"), *data;
	struct errqueue *q = find(r, fd);
	struct notice n;

	if (q == NULL || q->notice_count == 0)
		return check_result(r, r->event, -1, EAGAIN);
	n = q->notices[0];
	memmove(q->notices, q->notices + 1, --q->notice_count * sizeof n);
	if (check_result(r, r->event, 0, 0) != 0 ||
	    check_value(r, r->event, "msg_flags", drill_field(message, "msg_flags"),
	    n.origin == ORIGIN_ZEROCOPY ? MSG_ERRQUEUE : MSG_ERRQUEUE | MSG_TRUNC) != 0)
		return -1;
	for (size_t i = 0; list != NULL && list->kind == DRILL_ARRAY && i < list->item_count; i++) {
		if (list->items[i].value->kind != DRILL_STRUCT)
			continue;
		data = drill_field(list->items[i].value, "cmsg_data");
		if (check_time(r, data, n.us) != 0 || check_error(r, data, &n) != 0)
			return -1;
	}
	return 0;
}
