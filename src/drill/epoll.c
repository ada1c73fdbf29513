/*
 * epoll, which machines do not have, on nke_poll. With EPOLLET an event is told when it becomes true: here,
 * when it has been untrue, the socket's state has changed, or octets have come, since it was told last; so
 * the script's looks are what counts, as they are all that there is.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "src/drill/engine.h"
#include "src/netinet/tcp_user.h"

#define EPOLL_IN	0x001u
#define EPOLL_PRI	0x002u
#define EPOLL_OUT	0x004u
#define EPOLL_ERR	0x008u
#define EPOLL_HUP	0x010u
#define EPOLL_RDHUP	0x2000u
#define EPOLL_ONESHOT	(1u << 30)
#define EPOLL_ET	(1u << 31)

enum { CTL_ADD = 1, CTL_DEL, CTL_MOD };

int
call_epoll_create(struct run *r, const struct drill_call *call)
{
	struct drill_error error = {0};
	int64_t fd;
	unsigned i;

	if (drill_eval(call->result, DRILL_HOST, &fd, &error) != 0)
		return fail_error(r, &error);
	for (i = 0; i < EPOLLS && r->epolls[i].used; i++)
		continue;
	if (i == EPOLLS || fd < 0 || fd >= SCRIPT_FDS)
		return fail(r, DRILL_BROKEN, r->event->place,
		    "too many epolls, or a descriptor that is not below "
		    "%u", SCRIPT_FDS);
	r->epolls[i].used = true;
	for (unsigned k = 0; k < EPOLL_ITEMS; k++)
		r->epolls[i].items[k].script_fd = -1;
	r->fds[fd] = (struct script_fd){.kind = FD_EPOLL, .live = (int)i};
	return 0;
}

static struct epoll *
epoll_of(struct run *r, const struct drill_call *call)
{
	struct script_fd *s;
	int64_t fd;

	if (arg_int(r, call, 0, -1, &fd) != 0)
		return NULL;
	s = script_fd(r, fd);
	if (s != NULL && s->kind == FD_EPOLL)
		return &r->epolls[s->live];
	(void)fail(r, DRILL_BROKEN, r->event->place, "descriptor %lld is no epoll", (long long)fd);
	return NULL;
}

static struct epoll_item *
find_item(struct epoll *e, int64_t fd)
{
	for (unsigned i = 0; i < EPOLL_ITEMS; i++)
		if (e->items[i].script_fd == fd)
			return &e->items[i];
	return NULL;
}

void
epoll_forget(struct run *r, int64_t fd)
{
	struct epoll_item *item;

	if (fd < 0)
		return;
	for (unsigned i = 0; i < EPOLLS; i++)
		if (r->epolls[i].used && (item = find_item(&r->epolls[i], fd)) != NULL)
			item->script_fd = -1;
}

static int
field_number(struct run *r, const struct drill_expr *e, const char *name, int64_t *value)
{
	const struct drill_expr *f = e != NULL && e->kind == DRILL_STRUCT ? drill_field(e, name) : NULL;
	struct drill_error error = {0};

	*value = 0;
	if (f == NULL || f->kind == DRILL_ELLIPSIS)
		return 0;
	return drill_eval(f, DRILL_HOST, value, &error) == 0 ? 0 : fail_error(r, &error);
}

int
call_epoll_ctl(struct run *r, const struct drill_call *call)
{
	struct epoll *e = epoll_of(r, call);
	struct epoll_item *item;
	int64_t what, fd, events;

	if (e == NULL || arg_int(r, call, 1, CTL_ADD, &what) != 0 || arg_int(r, call, 2, -1, &fd) != 0 ||
	    (what != CTL_DEL && field_number(r, arg(call, 3), "events", &events) != 0))
		return -1;
	if (script_fd(r, fd) == NULL)
		return check_result(r, r->event, -1, EBADF);
	item = find_item(e, fd);
	if (what == CTL_ADD && item != NULL)
		return check_result(r, r->event, -1, EEXIST);
	if (what != CTL_ADD && item == NULL)
		return check_result(r, r->event, -1, ENOENT);
	if (what == CTL_ADD && (item = find_item(e, -1)) == NULL)
		return fail(r, DRILL_BROKEN, r->event->place, "more than %u descriptors of one epoll",
		    EPOLL_ITEMS);
	*item = (struct epoll_item){.script_fd = what == CTL_DEL ? -1 : (int)fd};
	if (what != CTL_DEL)
		item->events = (uint32_t)events;
	return check_result(r, r->event, 0, 0);
}

/* ---- waiting ------------------------------------------------------------------------------------ */

struct wait {
	struct epoll *epoll;
	struct epoll_item *items[EPOLL_ITEMS];
};

static short
poll_events(uint32_t events)
{
	return (short)((events & (EPOLL_IN | EPOLL_RDHUP) ? POLLIN : 0) | (events & EPOLL_OUT ? POLLOUT : 0) |
	    (events & EPOLL_PRI ? POLLPRI : 0));
}

static uint32_t
epoll_events(short revents, uint32_t wanted)
{
	uint32_t events = (revents & POLLIN ? EPOLL_IN : 0u) | (revents & POLLOUT ? EPOLL_OUT : 0u) |
	    (revents & POLLPRI ? EPOLL_PRI : 0u);

	/* The end of the stream is readable, too. */
	if (revents & POLLHUP)
		events |= wanted & EPOLL_RDHUP;
	events &= wanted | EPOLL_ERR | EPOLL_HUP;
	return events | (revents & POLLERR ? EPOLL_ERR : 0u) | (revents & POLLHUP ? EPOLL_HUP : 0u);
}

/* Octets that have come, read or not. */
static uint64_t
received(struct run *r, const struct epoll_item *item)
{
	struct core_tcp_info info = {0};
	socklen_t len = sizeof info;

	(void)nke_darwin_getsockopt(r->machine, live_fd(r, item->script_fd), IPPROTO_TCP, CORE_TCP_INFO,
	    &info, &len);
	return info.tcpi_rxbytes;
}

/* What is told of an item now. */
static uint32_t
news(struct run *r, struct epoll_item *item, uint32_t events)
{
	uint32_t fresh, errors;
	uint64_t come;

	if (item->disabled)
		return 0;
	if (notsent_is_full(r, live_fd(r, item->script_fd)))
		events &= ~EPOLL_OUT;
	if (errqueue_news(r, live_fd(r, item->script_fd), &errors))
		events |= EPOLL_ERR;
	if (errors != item->news)
		item->told = 0;
	item->news = errors;
	fresh = events;
	if (item->events & EPOLL_ET) {
		come = received(r, item);
		fresh = events & ~item->told;
		if (come != item->received)
			fresh |= events & EPOLL_IN;
		item->told = events;
		item->received = come;
	}
	if (fresh != 0 && (item->events & EPOLL_ONESHOT))
		item->disabled = true;
	return fresh != 0 ? events : 0;
}

static const struct drill_expr *
expected_event(const struct drill_call *call, size_t i)
{
	const struct drill_expr *e = arg(call, 1);

	if (e != NULL && e->kind == DRILL_ARRAY)
		return i < e->item_count ? e->items[i].value : NULL;
	return i == 0 ? e : NULL;
}

static int
waited(struct run *r, struct job *j, const struct drill_event *event)
{
	struct wait *w = j->context;
	const struct drill_expr *expected;
	int64_t told = 0, fd;
	uint32_t events;

	for (nfds_t i = 0; i < j->fd_count; i++) {
		events = news(r, w->items[i], epoll_events(j->fds[i].revents, w->items[i]->events));
		if (events == 0)
			continue;
		expected = expected_event(event->call, (size_t)told++);
		if (expected == NULL || expected->kind != DRILL_STRUCT)
			continue;
		if (check_value(r, event, "events", drill_field(expected, "events"), events) != 0 ||
		    field_number(r, expected, "fd", &fd) != 0)
			return -1;
		if (drill_field(expected, "fd") != NULL && fd != w->items[i]->script_fd)
			return fail(r, DRILL_FAILED, event->place,
			    "epoll_wait() tells of another descriptor\n"
			    "  expected: %lld\n  seen:     %d", (long long)fd, w->items[i]->script_fd);
	}
	return check_result(r, event, told, 0);
}

int
call_epoll_wait(struct run *r, const struct drill_call *call)
{
	struct epoll *e = epoll_of(r, call);
	struct job *j = e != NULL ? job_new(r, JOB_POLL, -1) : NULL;
	int64_t timeout;
	struct wait *w;

	if (j == NULL)
		return -1;
	j->fds = calloc(EPOLL_ITEMS, sizeof *j->fds);
	j->context = w = calloc(1, sizeof *w);
	if (j->fds == NULL || w == NULL || arg_int(r, call, 3, 0, &timeout) != 0) {
		job_free(j);
		return fail(r, DRILL_BROKEN, r->event->place, "no memory");
	}
	w->epoll = e;
	for (unsigned i = 0; i < EPOLL_ITEMS; i++) {
		if (e->items[i].script_fd < 0)
			continue;
		w->items[j->fd_count] = &e->items[i];
		j->fds[j->fd_count++] = (struct pollfd){.fd = live_fd(r, e->items[i].script_fd),
		    .events = poll_events(e->items[i].events)};
	}
	j->timeout_ms = (int)timeout;
	j->own_result = true;
	j->finish = waited;
	return job_run(r, j);
}
