/*
 * What the tests of socket filters share: filters a, b and c that note every call, sockets over lo0 and
 * over a wire whose other end is the test.
 *
 *	[ peer 10.0.0.2 ]----- en7 10.0.0.1/24 [ machine ] lo0 127.0.0.1
 *
 * Each filter has results and hooks by callback: what it answers, and what it does first.
 */
#ifndef NKE_TESTS_SFLT_TESTING_H
#define NKE_TESTS_SFLT_TESTING_H

#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/kpi_socketfilter.h>

#include "sockfilter/sockfilter.h"
#include "src/kern/filedesc.h"
#include "src/kern/gate.h"
#include "src/kern/klog.h"
#include "src/kern/so_filter.h"
#include "tests/unit/tcp_testing.h"

enum called {
	ATTACH, DETACH, NOTIFY, GETPEERNAME, GETSOCKNAME, DATA_IN, DATA_OUT, CONNECT_IN, CONNECT_OUT, BIND,
	SETOPTION, GETOPTION, LISTEN, IOCTL, ACCEPT, UNREGISTERED, CALLBACKS
};

struct watcher;
typedef void hook_fn(struct watcher *, struct socket *);

struct watcher {
	char name[2];
	errno_t result[CALLBACKS];
	hook_fn *hook[CALLBACKS];	/* before it answers; once */
	unsigned calls[CALLBACKS];
	void *unlike;			/* the cookie that sf_attach gives; NULL: the watcher */
	/* during a call */
	mbuf_t *data, *control;
	const struct sockaddr *addr;
	sockopt_t opt;
	sflt_event_t event;
	int seen;			/* what tests keep for themselves */
	struct mbuf *kept;
};

#define HANDLE(letter)	(0x66000000u + (letter))

static struct watcher watchers[3];
static struct watcher *a, *b, *c;
static char noted[2048];
static size_t noted_len;
static struct socket *listening, *client, *server;
static bool quiet;			/* sf_notify, sf_attach and sf_detach are not noted */

static inline __attribute__((format(printf, 1, 2))) void
note(const char *fmt, ...)
{
	va_list ap;

	if (noted_len != 0 && noted_len < sizeof noted - 1)
		noted[noted_len++] = ' ';
	va_start(ap, fmt);
	noted_len += (size_t)kvsnprintf(noted + noted_len, sizeof noted - noted_len, fmt, ap);
	va_end(ap);
	if (noted_len > sizeof noted - 1)
		noted_len = sizeof noted - 1;
}

/* What was noted since the last time, separated by blanks. */
static inline const char *
said(void)
{
	static char last[sizeof noted];

	memcpy(last, noted, sizeof noted);
	last[noted_len] = '\0';
	noted_len = 0;
	noted[0] = '\0';
	return last;
}

/* ---- the callbacks ------------------------------------------------------------------------ */

static inline errno_t
answer(struct watcher *w, struct socket *so, enum called what)
{
	hook_fn *hook = w->hook[what];

	w->calls[what]++;
	w->hook[what] = NULL;
	if (hook != NULL)
		hook(w, so);
	return w->result[what];
}

static inline errno_t
do_attach(struct watcher *w, void **cookie, struct socket *so)
{
	errno_t error;

	if (!quiet)
		note("%s.attach", w->name);
	error = answer(w, so, ATTACH);
	*cookie = w->unlike != NULL ? w->unlike : w;
	return error;
}

static errno_t
attach_a(void **cookie, socket_t so)
{
	return do_attach(&watchers[0], cookie, so);
}

static errno_t
attach_b(void **cookie, socket_t so)
{
	return do_attach(&watchers[1], cookie, so);
}

static errno_t
attach_c(void **cookie, socket_t so)
{
	return do_attach(&watchers[2], cookie, so);
}

static void
on_detach(void *cookie, socket_t so)
{
	struct watcher *w = cookie;

	if (!quiet)
		note("%s.detach", w->name);
	(void)answer(w, so, DETACH);
}

static void
on_unregistered(sflt_handle handle)
{
	struct watcher *w = &watchers[handle - HANDLE('a')];

	note("%s.unregistered", w->name);
	(void)answer(w, NULL, UNREGISTERED);
}

static void
on_notify(void *cookie, socket_t so, sflt_event_t event, void *param)
{
	struct watcher *w = cookie;

	CHECK((param != NULL) == (event == sock_evt_shutdown));
	if (!quiet && param != NULL)
		note("%s.%u(%d)", w != NULL ? w->name : "?", event, *(int *)param);
	else if (!quiet)
		note("%s.%u", w != NULL ? w->name : "?", event);
	if (w == NULL)
		return;
	w->event = event;
	(void)answer(w, so, NOTIFY);
}

static inline void
note_data(const char *who, const char *what, const struct sockaddr *sa, mbuf_t *data, mbuf_t *control,
    sflt_data_flag_t flags)
{
	char text[32] = "";
	size_t len = data != NULL && *data != NULL ? m_length(*data) : 0;

	CHECK_EQ(len == 0 ? 0 : m_copydata(*data, 0, len < 31 ? len : 31, text), 0);
	note("%s.%s(%s%s%s%s)", who, what, text, sa != NULL ? "@" : "",
	    control != NULL && *control != NULL ? "+" : "", flags == sock_data_filt_flag_oob ? "!" :
	    flags == sock_data_filt_flag_record ? "#" : "");
}

static inline errno_t
on_data(struct watcher *w, socket_t so, const struct sockaddr *sa, mbuf_t *data, mbuf_t *control,
    enum called what)
{
	errno_t error;

	w->addr = sa;
	w->data = data;
	w->control = control;
	error = answer(w, so, what);
	/* What is taken is kept by a hook, or thrown away. */
	if (error == EJUSTRETURN && w->kept == NULL) {
		m_freem(*data);
		if (control != NULL)
			m_freem(*control);
	}
	return error;
}

static errno_t
on_data_in(void *cookie, socket_t so, const struct sockaddr *from, mbuf_t *data, mbuf_t *control,
    sflt_data_flag_t flags)
{
	struct watcher *w = cookie;

	note_data(w->name, "in", from, data, control, flags);
	return on_data(w, so, from, data, control, DATA_IN);
}

static errno_t
on_data_out(void *cookie, socket_t so, const struct sockaddr *to, mbuf_t *data, mbuf_t *control,
    sflt_data_flag_t flags)
{
	struct watcher *w = cookie;

	note_data(w->name, "out", to, data, control, flags);
	return on_data(w, so, to, data, control, DATA_OUT);
}

#define SIMPLE(fn, text, what)								\
static errno_t										\
fn(void *cookie, socket_t so, const struct sockaddr *sa)				\
{											\
	struct watcher *w = cookie;							\
											\
	w->addr = sa;									\
	note("%s." text "(%u)", w->name, sa->sa_family == AF_INET ?			\
	    ntohs(((const struct sockaddr_in *)(const void *)sa)->sin_port) : sa->sa_family);	\
	return answer(w, so, what);							\
}
SIMPLE(on_connect_in, "connect_in", CONNECT_IN)
SIMPLE(on_connect_out, "connect_out", CONNECT_OUT)
SIMPLE(on_bind, "bind", BIND)
#undef SIMPLE

#define NAME(fn, text, what)								\
static int										\
fn(void *cookie, socket_t so, struct sockaddr **sa)					\
{											\
	struct watcher *w = cookie;							\
											\
	w->addr = (const struct sockaddr *)(void *)sa;					\
	note("%s." text, w->name);							\
	return answer(w, so, what);							\
}
NAME(on_getpeername, "getpeername", GETPEERNAME)
NAME(on_getsockname, "getsockname", GETSOCKNAME)
#undef NAME

#define OPTION(fn, text, what, direction)						\
static errno_t										\
fn(void *cookie, socket_t so, sockopt_t opt)						\
{											\
	struct watcher *w = cookie;							\
											\
	w->opt = opt;									\
	CHECK_EQ(sockopt_direction(opt), direction);					\
	note("%s." text "(%x,%x,%u)", w->name, sockopt_level(opt), sockopt_name(opt),	\
	    (unsigned)sockopt_valsize(opt));						\
	return answer(w, so, what);							\
}
OPTION(on_setoption, "set", SETOPTION, sockopt_set)
OPTION(on_getoption, "get", GETOPTION, sockopt_get)
#undef OPTION

static errno_t
on_listen(void *cookie, socket_t so)
{
	struct watcher *w = cookie;

	note("%s.listen", w->name);
	return answer(w, so, LISTEN);
}

static errno_t
on_ioctl(void *cookie, socket_t so, unsigned long request, const char *argp)
{
	struct watcher *w = cookie;

	note("%s.ioctl(%c%lu%s)", w->name, (int)IOCGROUP(request), request & 0xff, argp != NULL ? "" : "-");
	return answer(w, so, IOCTL);
}

static errno_t
on_accept(void *cookie, socket_t listener, socket_t so, const struct sockaddr *local,
    const struct sockaddr *remote)
{
	struct watcher *w = cookie;

	CHECK(listener != so && (listener->so_options & SO_ACCEPTCONN));
	w->addr = remote;
	note("%s.accept(%u)", w->name, ntohs(((const struct sockaddr_in *)(const void *)local)->sin_port));
	return answer(w, so, ACCEPT);
}

/* ---- filters ------------------------------------------------------------------------------ */

static inline struct sflt_filter
filter_of(char letter, int flags)
{
	static errno_t (*const attach[])(void **, socket_t) = {attach_a, attach_b, attach_c};
	static char name[3][8] = {"sflt-a", "sflt-b", "sflt-c"};
	struct sflt_filter f = {
		.sf_handle = HANDLE(letter), .sf_flags = flags, .sf_name = name[letter - 'a'],
		.sf_unregistered = on_unregistered, .sf_attach = attach[letter - 'a'],
		.sf_detach = on_detach, .sf_notify = on_notify, .sf_getpeername = on_getpeername,
		.sf_getsockname = on_getsockname, .sf_data_in = on_data_in, .sf_data_out = on_data_out,
		.sf_connect_in = on_connect_in, .sf_connect_out = on_connect_out, .sf_bind = on_bind,
		.sf_setoption = on_setoption, .sf_getoption = on_getoption, .sf_listen = on_listen,
		.sf_ioctl = on_ioctl,
	};

	if (flags & SFLT_EXTENDED) {
		f.sf_len = sizeof f.sf_ext;
		f.sf_accept = on_accept;
	}
	return f;
}

/* By letter, for TCP or UDP over IPv4. */
static inline void
register_filter(char letter, int flags, int type)
{
	struct sflt_filter f = filter_of(letter, flags);

	CHECK_EQ(sflt_register(&f, PF_INET, type, type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP), 0);
}

/* To be called first in every test. */
static inline void
sflt_testbed(void)
{
	tcp_testbed();
	memset(watchers, 0, sizeof watchers);
	for (int i = 0; i < 3; i++)
		watchers[i].name[0] = (char)('a' + i);
	a = &watchers[0];
	b = &watchers[1];
	c = &watchers[2];
	noted_len = 0;
	quiet = false;
	listening = client = server = NULL;
}

/* To be called last: all filters go, and are told so. */
static inline void
sflt_testbed_end(void)
{
	for (int letter = 'a'; letter <= 'c'; letter++)
		(void)sflt_unregister(HANDLE((unsigned)letter));
	let_pass(120 * TCP_NS_PER_S);
	CHECK(TAILQ_EMPTY(&curmachine()->sflt->registered));
	CHECK(TAILQ_EMPTY(&curmachine()->sflt->leaving));
	for (int i = 0; i < 3; i++)
		m_freem(watchers[i].kept);
	m_freem(rcv.control);
	memset(&rcv, 0, sizeof rcv);
	testbed_end();
}

/* ---- a connection by lo0 ------------------------------------------------------------------ */

static inline void
connect_lo0(void)
{
	struct sockaddr_in to = sin4(LOOP4, 80);

	listening = listen4(80, 5);
	client = tcp_socket(PF_INET);
	CHECK_EQ(soconnect(client, SA(to), 0), 0);
	let_run();
	server = accepted(listening);
	CHECK(server != NULL);
	CHECK_EQ(set_int(client, IPPROTO_TCP, TCP_NODELAY, 1), 0);
	CHECK_EQ(set_int(server, IPPROTO_TCP, TCP_NODELAY, 1), 0);
	(void)said();
}

static inline void
close_all(void)
{
	struct socket **all[] = {&client, &server, &listening};

	for (int i = 0; i < 3; i++) {
		if (*all[i] != NULL)
			CHECK_EQ(soclose(*all[i]), 0);
		*all[i] = NULL;
	}
	let_pass(120 * TCP_NS_PER_S);
}

static inline errno_t
say(struct socket *so, const char *text)
{
	size_t n;

	return sosend(so, NULL, text, strlen(text), NULL, NULL, MSG_DONTWAIT, &n);
}

static inline struct mbuf *
text_packet(const char *text)
{
	return m_devget(curmachine(), text, strlen(text), 0);
}

#endif
