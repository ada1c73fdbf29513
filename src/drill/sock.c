/*
 * Calls of a script: which there are, their descriptors, addresses and results. Reading and writing are in
 * sock_io.c, options in sockopt.c, epoll in epoll.c.
 *
 * A script's descriptors are its own: `= 3` behind socket() or accept() says how it calls what that made.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include <nke/sysctl.h>

#include "src/drill/engine.h"

#define NO_FD		100000		/* a descriptor that no machine has */
#define BSD_O_NONBLOCK	4
#define DARWIN_SOL_SOCKET	0xffff
#define DARWIN_SO_NWRITE	0x1024

/* ---- results ------------------------------------------------------------------------------------ */

static int
wrong_result(struct run *r, const struct drill_event *event, int64_t result, int error)
{
	const struct drill_call *call = event->call;
	char expected[200], seen[64];

	drill_expr_text(call->result, expected, sizeof expected);
	if (result < 0)
		snprintf(seen, sizeof seen, "%lld %s (%s)", (long long)result, drill_errno_name(error),
		    strerror(error));
	else
		snprintf(seen, sizeof seen, "%lld", (long long)result);
	return fail(r, DRILL_FAILED, event->place,
	    "%s() has another result\n  expected: %s%s%s\n  seen:     %s",
	    call->name, expected, call->error != NULL ? " " : "", call->error != NULL ? call->error : "",
	    seen);
}

int
check_result(struct run *r, const struct drill_event *event, int64_t result, int error)
{
	const struct drill_call *call = event->call;
	struct drill_error eval_error = {0};
	int expected_error;
	int64_t expected;

	if (call->error != NULL) {
		expected_error = drill_errno(call->error);
		if (expected_error < 0)
			return fail(r, DRILL_BROKEN, event->place, "there is no error %s", call->error);
		return result < 0 && error == expected_error ? 0 : wrong_result(r, event, result, error);
	}
	if (call->result == NULL || call->result->kind == DRILL_ELLIPSIS)
		return 0;
	if (drill_eval(call->result, DRILL_HOST, &expected, &eval_error) != 0)
		return fail_error(r, &eval_error);
	return expected == result || (expected < 0 && result < 0) ? 0 : wrong_result(r, event, result, error);
}

int
check_value(struct run *r, const struct drill_event *event, const char *what,
    const struct drill_expr *expected, int64_t seen)
{
	struct drill_error error = {0};
	int64_t value;

	if (expected == NULL || expected->kind == DRILL_ELLIPSIS)
		return 0;
	if (drill_eval(expected, DRILL_HOST, &value, &error) != 0)
		return fail_error(r, &error);
	if (value == seen)
		return 0;
	return fail(r, DRILL_FAILED, event->place, expected->hex ?
	    "%s() gives another %s\n  expected: 0x%llx\n  seen:     0x%llx" :
	    "%s() gives another %s\n  expected: %lld\n  seen:     %lld", event->call->name, what,
	    (long long)value, (long long)seen);
}

static int
returned(struct run *r, int64_t result)
{
	return check_result(r, r->event, result, errno);
}

/* ---- descriptors -------------------------------------------------------------------------------- */

struct script_fd *
script_fd(struct run *r, int64_t fd)
{
	return fd >= 0 && fd < SCRIPT_FDS && r->fds[fd].kind != FD_FREE ? &r->fds[fd] : NULL;
}

struct script_fd *
by_live_fd(struct run *r, int live)
{
	for (unsigned i = 0; i < SCRIPT_FDS; i++)
		if (r->fds[i].kind == FD_SOCKET && r->fds[i].live == live)
			return &r->fds[i];
	return NULL;
}

int
live_fd(const struct run *r, int64_t fd)
{
	if (fd < 0)
		return -1;
	return fd < SCRIPT_FDS && r->fds[fd].kind == FD_SOCKET ? r->fds[fd].live : NO_FD;
}

/* The script calls it by the number that it says is the call's result, whichever it has in the machine. */
static int
name_fd(struct run *r, const struct drill_event *event, int live, int domain, int type, bool nonblocking)
{
	struct drill_error error = {0};
	int64_t fd = live;

	if (event->call->result->kind != DRILL_ELLIPSIS &&
	    drill_eval(event->call->result, DRILL_HOST, &fd, &error) != 0)
		return fail_error(r, &error);
	if (event->call->error != NULL || fd < 0)
		return check_result(r, event, live, 0);
	if (fd >= SCRIPT_FDS)
		return fail(r, DRILL_BROKEN, event->place, "a descriptor has to be a number below %u",
		    SCRIPT_FDS);
	r->fds[fd] = (struct script_fd){.kind = FD_SOCKET, .live = live, .domain = domain,
	    .type = type, .nonblocking = nonblocking};
	return 0;
}

/* ---- arguments ---------------------------------------------------------------------------------- */

const struct drill_expr *
arg(const struct drill_call *call, size_t index)
{
	return index < call->arg_count ? call->args[index].value : NULL;
}

int
arg_int(struct run *r, const struct drill_call *call, size_t index, int64_t missing, int64_t *value)
{
	const struct drill_expr *e = arg(call, index);
	struct drill_error error = {0};

	*value = missing;
	if (e == NULL)
		return fail(r, DRILL_BROKEN, r->event->place, "%s() takes more than %zu arguments",
		    call->name, call->arg_count);
	if (e->kind == DRILL_ELLIPSIS || e->kind == DRILL_NULL)
		return 0;
	/* A length may stand in brackets: it is given back as well. */
	if (e->kind == DRILL_ARRAY && e->item_count == 1)
		e = e->items[0].value;
	if (e->kind == DRILL_ELLIPSIS)
		return 0;
	return drill_eval(e, DRILL_HOST, value, &error) == 0 ? 0 : fail_error(r, &error);
}

static int
arg_fd(struct run *r, const struct drill_call *call, int *fd, int64_t *script)
{
	if (arg_int(r, call, 0, -1, script) != 0)
		return -1;
	*fd = live_fd(r, *script);
	return 0;
}

static void
set_port(struct sockaddr_storage *a, uint16_t port)
{
	if (a->ss_family == AF_INET)
		((struct sockaddr_in *)a)->sin_port = htons(port);
	else if (a->ss_family == AF_INET6)
		((struct sockaddr_in6 *)a)->sin6_port = htons(port);
}

/* IPv4 as sockets of IPv6 say it. */
static void
map_address(struct sockaddr_storage *a)
{
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
	struct sockaddr_in sin;

	memcpy(&sin, a, sizeof sin);
	sin6.sin6_port = sin.sin_port;
	sin6.sin6_addr.s6_addr[10] = sin6.sin6_addr.s6_addr[11] = 0xff;
	memcpy(sin6.sin6_addr.s6_addr + 12, &sin.sin_addr, 4);
	memcpy(a, &sin6, sizeof sin6);
}

int
arg_address(struct run *r, const struct drill_expr *e, bool local, struct sockaddr_storage *address,
    socklen_t *len)
{
	struct drill_error error = {0};

	if (e != NULL && e->kind != DRILL_ELLIPSIS)
		return drill_eval_address(e, address, len, &error) == 0 ? 0 : fail_error(r, &error);
	*address = local ? r->addresses.local : r->addresses.remote;
	set_port(address, local ? r->config->bind_port : r->config->connect_port);
	if (r->addresses.mapped)
		map_address(address);
	*len = address->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	return 0;
}

/* Octets as on the wire, and the port. False: none. */
static bool
wire_address(const struct sockaddr_storage *a, uint8_t octets[16], uint16_t *port)
{
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)a;
	const struct sockaddr_in *sin = (const struct sockaddr_in *)a;

	if (a->ss_family == AF_INET) {
		memcpy(octets, &sin->sin_addr, 4);
		*port = ntohs(sin->sin_port);
		return true;
	}
	if (a->ss_family != AF_INET6)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr))
		memcpy(octets, sin6->sin6_addr.s6_addr + 12, 4);
	else
		memcpy(octets, &sin6->sin6_addr, 16);
	*port = ntohs(sin6->sin6_port);
	return true;
}

static bool
is_zero(const uint8_t *p, size_t size)
{
	static const uint8_t zero[16];

	return memcmp(p, zero, size) == 0;
}

void
flow_goes_to(struct run *r, struct flow *f, const struct sockaddr_storage *to)
{
	uint8_t octets[16] = {0};
	uint16_t port;

	if (f == NULL || !wire_address(to, octets, &port))
		return;
	memcpy(f->remote, octets, sizeof f->remote);
	f->remote_port = port;
	r->current = f;
}

void
flow_connects(struct run *r, struct flow *f, const struct sockaddr_storage *to)
{
	if (f == NULL)
		return;
	flow_goes_to(r, f, to);
	f->state = FLOW_CONNECTING;
	f->local_isn_known = f->remote_isn_known = f->has_base = false;
	f->local_isn = f->remote_isn = f->script_local_isn = 0;
	f->stamp_count = 0;
	f->syn_data_sent = f->syn_data = false;
	if (!f->bound)
		f->local_port = 0;
}

/* ---- life --------------------------------------------------------------------------------------- */

static int
call_socket(struct run *r, const struct drill_call *call)
{
	int64_t domain, type, protocol;
	struct flow *f;
	int s, kind;

	if (arg_int(r, call, 0, r->addresses.v6 || r->addresses.mapped ? AF_INET6 : AF_INET, &domain) != 0 ||
	    arg_int(r, call, 1, SOCK_STREAM, &type) != 0 || arg_int(r, call, 2, 0, &protocol) != 0)
		return -1;
	s = nke_socket(r->machine, (int)domain, (int)type, (int)protocol);
	if (s < 0)
		return returned(r, s);
	kind = (int)type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (domain == AF_INET || domain == AF_INET6) {
		f = flow_new(r, kind == SOCK_STREAM ? DRILL_TCP : protocol == IPPROTO_ICMP ||
		    protocol == IPPROTO_ICMPV6 ? DRILL_ICMP : DRILL_UDP);
		if (f == NULL)
			return -1;
		f->fd = s;
	}
	return name_fd(r, r->event, s, (int)domain, kind, (type & SOCK_NONBLOCK) != 0);
}

static int
call_bind(struct run *r, const struct drill_call *call)
{
	struct sockaddr_storage address, bound;
	uint8_t octets[16] = {0};
	socklen_t len, bound_len = sizeof bound;
	int64_t script, size;
	struct flow *f;
	int s, result;

	if (arg_fd(r, call, &s, &script) != 0 || arg_address(r, arg(call, 1), true, &address, &len) != 0 ||
	    arg_int(r, call, 2, len, &size) != 0)
		return -1;
	result = nke_bind(r->machine, s, (struct sockaddr *)&address, (socklen_t)size);
	if (returned(r, result) != 0)
		return -1;
	f = flow_of_fd(r, s);
	if (result != 0 || f == NULL ||
	    nke_getsockname(r->machine, s, (struct sockaddr *)&bound, &bound_len) != 0)
		return 0;
	if (wire_address(&bound, octets, &f->local_port) && !is_zero(octets, 16))
		memcpy(f->local, octets, sizeof f->local);
	f->bound = true;
	return 0;
}

static int
call_listen(struct run *r, const struct drill_call *call)
{
	const int on = 1;
	int64_t script, backlog;
	struct flow *f;
	int s, result;

	if (arg_fd(r, call, &s, &script) != 0 || arg_int(r, call, 1, 1, &backlog) != 0)
		return -1;
	result = nke_listen(r->machine, s, (int)backlog);
	if (returned(r, result) != 0)
		return -1;
	f = flow_of_fd(r, s);
	if (result == 0 && r->listeners_fastopen)
		(void)nke_setsockopt(r->machine, s, IPPROTO_TCP, TCP_FASTOPEN, &on, sizeof on);
	if (result == 0 && f != NULL) {
		f->state = FLOW_LISTENING;
		r->current = f;
	}
	return 0;
}

static int
accepted(struct run *r, struct job *j, const struct drill_event *event)
{
	const struct script_fd *listener = by_live_fd(r, j->fd);
	uint8_t octets[16] = {0};
	struct flow *f;
	uint16_t port;

	if (j->result < 0)
		return check_result(r, event, j->result, j->error);
	if (wire_address(&j->address, octets, &port))
		for (f = r->flows; f != NULL; f = f->next)
			if (f->protocol == DRILL_TCP && f->fd < 0 && f->remote_port == port) {
				f->fd = (int)j->result;
				break;
			}
	return name_fd(r, event, (int)j->result, listener != NULL ? listener->domain : AF_INET,
	    listener != NULL ? listener->type : SOCK_STREAM,
	    (listener != NULL && listener->nonblocking) || (j->flags & SOCK_NONBLOCK));
}

static int
call_accept(struct run *r, const struct drill_call *call)
{
	int64_t script, flags = 0;
	struct job *j;
	int s;

	if (arg_fd(r, call, &s, &script) != 0 ||
	    (strcmp(call->name, "accept4") == 0 && arg_int(r, call, 3, 0, &flags) != 0))
		return -1;
	j = job_new(r, JOB_ACCEPT, s);
	if (j == NULL)
		return -1;
	j->flags = (int)flags;
	j->own_result = true;
	j->finish = accepted;
	return job_run(r, j);
}

static int
call_connect(struct run *r, const struct drill_call *call)
{
	int64_t script, size;
	struct script_fd *fd;
	struct flow *f;
	struct job *j;
	socklen_t len;
	int s;

	if (arg_fd(r, call, &s, &script) != 0)
		return -1;
	j = job_new(r, JOB_CONNECT, s);
	if (j == NULL)
		return -1;
	if (arg_address(r, arg(call, 1), false, &j->address, &len) != 0 ||
	    arg_int(r, call, 2, len, &size) != 0) {
		job_free(j);
		return -1;
	}
	fd = script_fd(r, script);
	if (r->linux_dialect && fd != NULL && fd->fastopen_connect && r->cookie_given) {
		fd->later = j->address;
		fd->later_len = len;
		job_free(j);
		return check_result(r, r->event, 0, 0);
	}
	j->has_address = true;
	j->address_len = size < 0 || size > (int64_t)sizeof j->address ? sizeof j->address : (socklen_t)size;
	f = flow_of_fd(r, s);
	/* There a socket with a port of its own need not wait for a pair in TIME_WAIT. */
	if (r->linux_dialect && f != NULL && f->bound)
		(void)nke_sysctl_set_int(r->machine, "net.inet.tcp.tw_reuse_delay", 0);
	if (f != NULL && f->protocol == DRILL_TCP && f->state == FLOW_NEW)
		flow_connects(r, f, &j->address);
	if (f != NULL && f->protocol != DRILL_TCP) {
		flow_goes_to(r, f, &j->address);
		f->connected = j->address.ss_family != AF_UNSPEC;
	}
	return job_run(r, j);
}

static int
call_shutdown(struct run *r, const struct drill_call *call)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;
	struct script_fd *fd;
	int64_t script, how;
	int s;

	if (arg_fd(r, call, &s, &script) != 0 || arg_int(r, call, 1, SHUT_WR, &how) != 0)
		return -1;
	fd = script_fd(r, script);
	if (r->linux_dialect && how == SHUT_RD && fd != NULL && fd->type == SOCK_STREAM &&
	    nke_getpeername(r->machine, s, (struct sockaddr *)&peer, &len) == 0) {
		fd->read_shut = true;
		return check_result(r, r->event, 0, 0);
	}
	return returned(r, nke_shutdown(r->machine, s, (int)how));
}

/* Whether close() may wait: an accepted connection has its listener's SO_LINGER. */
static bool
lingers(const struct run *r, int s)
{
	struct linger l = {0};
	socklen_t len = sizeof l;

	return nke_getsockopt(r->machine, s, SOL_SOCKET, SO_LINGER, &l, &len) == 0 && l.l_onoff != 0 &&
	    l.l_linger != 0;
}

static int
call_close(struct run *r, const struct drill_call *call)
{
	struct script_fd *fd;
	int64_t script;
	struct flow *f;
	struct job *j;
	int s;

	if (arg_fd(r, call, &s, &script) != 0)
		return -1;
	fd = script_fd(r, script);
	if (fd != NULL && fd->kind == FD_EPOLL) {
		r->epolls[fd->live].used = false;
		fd->kind = FD_FREE;
		return check_result(r, r->event, 0, 0);
	}
	if (fd != NULL && fd->kind == FD_FILE) {
		fd->kind = FD_FREE;
		return check_result(r, r->event, 0, 0);
	}
	j = job_new(r, JOB_CLOSE, s);
	if (j == NULL)
		return -1;
	f = flow_of_fd(r, s);
	if (f != NULL)
		f->fd = -1;
	j->lingers = lingers(r, s);
	errqueue_forget(r, s);
	chrono_forget(r, s);
	if (fd != NULL)
		fd->kind = FD_FREE;
	epoll_forget(r, script);
	return job_run(r, j);
}

/* ---- names -------------------------------------------------------------------------------------- */

static int
check_address(struct run *r, const struct drill_expr *e, const struct sockaddr_storage *seen)
{
	struct drill_error error = {0};
	struct sockaddr_storage expected;
	uint8_t a[16] = {0}, b[16] = {0};
	uint16_t a_port = 0, b_port = 0;
	socklen_t len;

	if (e == NULL || e->kind != DRILL_STRUCT)
		return 0;
	if (drill_eval_address(e, &expected, &len, &error) != 0)
		return fail_error(r, &error);
	wire_address(&expected, a, &a_port);
	wire_address(seen, b, &b_port);
	if (expected.ss_family != seen->ss_family)
		return fail(r, DRILL_FAILED, r->event->place, "%s() gives an address of another family",
		    r->event->call->name);
	if (!is_zero(a, 16) && memcmp(a, b, 16) != 0)
		return fail(r, DRILL_FAILED, r->event->place, "%s() gives another address",
		    r->event->call->name);
	if (a_port != 0 && a_port != b_port)
		return fail(r, DRILL_FAILED, r->event->place,
		    "%s() gives another port\n  expected: %u\n  seen:     %u", r->event->call->name, a_port,
		    b_port);
	return 0;
}

static int
call_getname(struct run *r, const struct drill_call *call)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof address;
	int64_t script;
	int s, result;

	if (arg_fd(r, call, &s, &script) != 0)
		return -1;
	result = strcmp(call->name, "getsockname") == 0 ?
	    nke_getsockname(r->machine, s, (struct sockaddr *)&address, &len) :
	    nke_getpeername(r->machine, s, (struct sockaddr *)&address, &len);
	if (returned(r, result) != 0)
		return -1;
	return result == 0 ? check_address(r, arg(call, 1), &address) : 0;
}

/* ---- control ------------------------------------------------------------------------------------ */

static int
set_flags(struct run *r, struct script_fd *fd, int s, int64_t flags)
{
	bool nonblocking = (flags & (O_NONBLOCK | BSD_O_NONBLOCK)) != 0;
	int result = nke_set_nonblocking(r->machine, s, nonblocking);

	if (result == 0 && fd != NULL)
		fd->nonblocking = nonblocking;
	return returned(r, result);
}

/* O_NONBLOCK is another number on each system: a script's number is any of the two. */
static int
get_flags(struct run *r, const struct script_fd *fd)
{
	const struct drill_expr *e = r->event->call->result;
	int64_t flags = O_RDWR | (fd->nonblocking ? O_NONBLOCK : 0);

	if (e != NULL && e->kind == DRILL_INTEGER && (e->integer & BSD_O_NONBLOCK) && fd->nonblocking)
		flags = O_RDWR | BSD_O_NONBLOCK;
	return check_result(r, r->event, flags, 0);
}

static int
call_fcntl(struct run *r, const struct drill_call *call)
{
	int64_t script, command, value = 0;
	struct script_fd *fd;
	int s;

	if (arg_fd(r, call, &s, &script) != 0 || arg_int(r, call, 1, F_GETFL, &command) != 0 ||
	    (call->arg_count > 2 && arg_int(r, call, 2, 0, &value) != 0))
		return -1;
	fd = script_fd(r, script);
	if (fd == NULL)
		return check_result(r, r->event, -1, EBADF);
	if (command == F_SETFL)
		return set_flags(r, fd, s, value);
	if (command == F_GETFL)
		return get_flags(r, fd);
	if (command == F_GETFD || command == F_SETFD)
		return check_result(r, r->event, 0, 0);
	return fail(r, DRILL_BROKEN, r->event->place,
	    "fcntl() with another command than F_GETFL and F_SETFL");
}

static int
unsent(struct run *r, int s)
{
	socklen_t len = sizeof(int);
	int n = 0;

	return nke_darwin_getsockopt(r->machine, s, DARWIN_SOL_SOCKET, DARWIN_SO_NWRITE, &n, &len) == 0 ?
	    n : -1;
}

static int
call_ioctl(struct run *r, const struct drill_call *call)
{
	const struct drill_expr *name = arg(call, 1), *value = arg(call, 2);
	const char *request = name != NULL && name->kind == DRILL_NAME ? name->text : "";
	struct script_fd *fd;
	int64_t script, on;
	int s, n;

	if (arg_fd(r, call, &s, &script) != 0)
		return -1;
	if (strcmp(request, "FIONBIO") == 0) {
		if (arg_int(r, call, 2, 1, &on) != 0)
			return -1;
		fd = script_fd(r, script);
		n = nke_set_nonblocking(r->machine, s, on != 0);
		if (n == 0 && fd != NULL)
			fd->nonblocking = on != 0;
		return returned(r, n);
	}
	if (strcmp(request, "FIONREAD") == 0 || strcmp(request, "SIOCINQ") == 0)
		n = nke_readable_bytes(r->machine, s);
	else if (strcmp(request, "SIOCOUTQ") == 0 || strcmp(request, "TIOCOUTQ") == 0 ||
	    strcmp(request, "FIONWRITE") == 0)
		n = unsent(r, s);
	else
		return fail(r, DRILL_BROKEN, r->event->place, "ioctl() has no request %s here", request);
	if (returned(r, n < 0 ? -1 : 0) != 0)
		return -1;
	if (value != NULL && value->kind == DRILL_ARRAY && value->item_count == 1)
		value = value->items[0].value;
	return n < 0 ? 0 : check_value(r, r->event, "number", value, n);
}

/* ---- polling ------------------------------------------------------------------------------------ */

/* The array of struct pollfd, as the script has it. */
static const struct drill_expr *
poll_item(const struct drill_call *call, size_t i, const char *field)
{
	return drill_field(call->args[0].value->items[i].value, field);
}

static int
polled(struct run *r, struct job *j, const struct drill_event *event)
{
	uint32_t news;

	for (nfds_t i = 0; j->result >= 0 && i < j->fd_count; i++)
		if (errqueue_news(r, j->fds[i].fd, &news)) {
			j->result += j->fds[i].revents == 0;
			j->fds[i].revents |= POLLERR;
		}
	if (check_result(r, event, j->result, j->error) != 0)
		return -1;
	for (nfds_t i = 0; j->result >= 0 && i < j->fd_count; i++)
		if (check_value(r, event, "revents", poll_item(event->call, i, "revents"),
		    (uint16_t)j->fds[i].revents) != 0)
			return -1;
	return 0;
}

static int
poll_number(struct run *r, const struct drill_expr *e, int64_t missing, int64_t *value)
{
	struct drill_error error = {0};

	*value = missing;
	if (e == NULL || e->kind == DRILL_ELLIPSIS)
		return 0;
	return drill_eval(e, DRILL_HOST, value, &error) == 0 ? 0 : fail_error(r, &error);
}

static int
fill_poll(struct run *r, const struct drill_call *call, struct job *j)
{
	const struct drill_expr *e = arg(call, 0);
	int64_t fd, events;

	if (e == NULL || e->kind != DRILL_ARRAY || e->item_count == 0)
		return fail(r, DRILL_BROKEN, r->event->place,
		    "poll() takes [{fd=..., events=..., revents=...}]");
	j->fd_count = (nfds_t)e->item_count;
	j->fds = calloc(e->item_count, sizeof *j->fds);
	if (j->fds == NULL)
		return fail(r, DRILL_BROKEN, r->event->place, "no memory");
	for (size_t i = 0; i < e->item_count; i++) {
		if (e->items[i].value->kind != DRILL_STRUCT)
			return fail(r, DRILL_BROKEN, r->event->place,
			    "poll() takes [{fd=..., events=..., revents=...}]");
		if (poll_number(r, poll_item(call, i, "fd"), -1, &fd) != 0 ||
		    poll_number(r, poll_item(call, i, "events"), 0, &events) != 0)
			return -1;
		j->fds[i].fd = live_fd(r, fd);
		j->fds[i].events = (short)events;
	}
	return 0;
}

static int
call_poll(struct run *r, const struct drill_call *call)
{
	struct job *j = job_new(r, JOB_POLL, -1);
	int64_t timeout;

	if (j == NULL)
		return -1;
	if (fill_poll(r, call, j) != 0 || arg_int(r, call, 2, 0, &timeout) != 0) {
		job_free(j);
		return -1;
	}
	j->timeout_ms = (int)timeout;
	j->own_result = true;
	j->finish = polled;
	return job_run(r, j);
}

/* ---- which -------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(struct run *, const struct drill_call *);
} calls[] = {
	{"accept", call_accept}, {"accept4", call_accept}, {"bind", call_bind}, {"close", call_close},
	{"connect", call_connect}, {"epoll_create", call_epoll_create}, {"epoll_create1", call_epoll_create},
	{"epoll_ctl", call_epoll_ctl}, {"epoll_wait", call_epoll_wait}, {"fcntl", call_fcntl},
	{"getpeername", call_getname}, {"getsockname", call_getname}, {"getsockopt", call_getsockopt},
	{"ioctl", call_ioctl}, {"listen", call_listen}, {"open", call_open}, {"pipe", call_pipe},
	{"poll", call_poll}, {"read", call_read},
	{"readv", call_readv}, {"recv", call_recv}, {"recvfrom", call_recv}, {"recvmsg", call_recvmsg},
	{"send", call_send}, {"sendfile", call_sendfile}, {"sendmsg", call_sendmsg}, {"sendto", call_send},
	{"setsockopt", call_setsockopt},
	{"shutdown", call_shutdown}, {"socket", call_socket},
	{"splice", call_splice}, {"write", call_write}, {"writev", call_writev},
};

int
run_call(struct run *r, const struct drill_call *call)
{
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		if (strcmp(calls[i].name, call->name) == 0)
			return calls[i].run(r, call);
	return fail(r, DRILL_BROKEN, r->event->place, "there is no call %s() here", call->name);
}
