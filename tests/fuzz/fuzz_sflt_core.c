/*
 * The core's half of fuzz_sflt_inject: sockets over lo0, filters on them that misbehave as far as the
 * interface allows, and chains of mbufs that nobody would make.
 */
#include <string.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/malloc.h>
#include <sys/kpi_socketfilter.h>

#include "sockfilter/sockfilter.h"
#include "src/kern/mbuf.h"
#include "src/kern/sched.h"
#include "src/kern/so_filter.h"
#include "src/kern/socketvar.h"
#include "tests/fuzz/fuzz_sflt.h"

#define FILTERS		4u
#define HANDLE		0x66757a30u
#define KEPT		16u
#define NESTED		3

enum { CLIENT, SERVER, LISTENER, SENDER, RECEIVER, SOCKETS };

/* What a filter does in a callback. */
enum {
	PASS, REFUSE, TAKE, KEEP, COPY, PREPEND, TRIM, EMPTY, INJECT_IN, INJECT_OUT, GO, UNREGISTER, CLOSE,
	SHUT, DOINGS
};
/* The callbacks that can be told apart. */
enum { IN, OUT, ASKED, TOLD, JOINING, KINDS };

/* One process, one machine at a time. */
static struct socket *sockets[SOCKETS];
static uint8_t doing[FILTERS][KINDS];
static int nested;
static struct {
	struct mbuf *m;
	struct socket *so;
	bool in;
} kept[KEPT];

/* ---- sockets ------------------------------------------------------------------------------ */

static struct sockaddr_in
local(uint16_t port)
{
	struct sockaddr_in sin = {.sin_len = sizeof sin, .sin_family = AF_INET, .sin_port = htons(port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};

	return sin;
}

static void
close_socket(struct socket *so)
{
	for (unsigned i = 0; i < SOCKETS; i++) {
		if (sockets[i] != so)
			continue;
		sockets[i] = NULL;
		so->so_state |= SS_NBIO;
		(void)soclose(so);
	}
}

static void
wait_for(uint64_t ns)
{
	(void)sched_block(sockets, machine_now(curmachine()) + ns, false, "time to pass");
}

static void
open_datagrams(unsigned i)
{
	struct sockaddr_in sin = local((uint16_t)(1000 + i));
	struct sockaddr_in to = local((uint16_t)(1000 + SENDER + RECEIVER - i));
	struct socket *so;

	if (socreate(curmachine(), PF_INET, SOCK_DGRAM, IPPROTO_UDP, &so) != 0)
		return;
	sockets[i] = so;
	so_retain(so);
	(void)sobind(so, (const struct sockaddr *)&sin);
	if (sockets[i] != NULL && i == SENDER)
		(void)soconnect(so, (const struct sockaddr *)&to, MSG_DONTWAIT);
	so_release(so);
}

static void
open_listener(void)
{
	struct sockaddr_in sin = local(80);
	struct socket *so;

	if (socreate(curmachine(), PF_INET, SOCK_STREAM, IPPROTO_TCP, &so) != 0)
		return;
	sockets[LISTENER] = so;
	so_retain(so);
	so->so_options |= SO_REUSEADDR;
	(void)sobind(so, (const struct sockaddr *)&sin);
	if (sockets[LISTENER] != NULL)
		(void)solisten(so, 4);
	so_release(so);
}

static void
open_connection(void)
{
	struct sockaddr_in to = local(80);
	struct sockaddr_storage peer;
	struct socket *so, *listener = sockets[LISTENER];

	if (socreate(curmachine(), PF_INET, SOCK_STREAM, IPPROTO_TCP, &so) != 0)
		return;
	sockets[CLIENT] = so;
	so_retain(so);
	so->so_state |= SS_NBIO;
	(void)soconnect(so, (const struct sockaddr *)&to, MSG_DONTWAIT);
	so_release(so);
	wait_for(1000000);
	if (listener == NULL || listener != sockets[LISTENER] || sockets[SERVER] != NULL)
		return;
	so_retain(listener);
	if (soaccept(listener, MSG_DONTWAIT, &peer, &so) == 0) {
		so->so_state |= SS_NBIO;
		sockets[SERVER] = so;
	}
	so_release(listener);
}

static void
open_missing(void)
{
	if (sockets[LISTENER] == NULL)
		open_listener();
	if (sockets[CLIENT] == NULL)
		open_connection();
	for (unsigned i = SENDER; i <= RECEIVER; i++)
		if (sockets[i] == NULL)
			open_datagrams(i);
}

/* ---- filters ------------------------------------------------------------------------------ */

static void
keep(struct mbuf *m, struct socket *so, bool in)
{
	for (unsigned i = 0; i < KEPT; i++) {
		if (kept[i].m != NULL)
			continue;
		kept[i].m = m;
		kept[i].so = so;
		kept[i].in = in;
		so_retain(so);
		return;
	}
	mbuf_freem(m);
}

static void
inject_text(struct socket *so, bool in)
{
	struct sockaddr_in from = local(7);
	bool stream = so->so_type == SOCK_STREAM;
	mbuf_t m;

	if (nested >= NESTED || mbuf_allocpacket(MBUF_DONTWAIT, 8, NULL, &m) != 0)
		return;
	mbuf_setlen(m, 8);
	mbuf_pkthdr_setlen(m, 8);
	nested++;
	if (!in)
		(void)sock_inject_data_out(so, stream ? NULL : (struct sockaddr *)&from, m, NULL, 0);
	else if (sock_inject_data_in(so, stream ? NULL : (struct sockaddr *)&from, m, NULL, 0) != 0)
		mbuf_freem(m);
	nested--;
}

/* What does not concern the data. */
static errno_t
act(unsigned filter, unsigned kind, struct socket *so)
{
	switch (doing[filter][kind]) {
	case REFUSE:
		return EACCES;
	case TAKE:
		return EJUSTRETURN;
	case INJECT_IN:
	case INJECT_OUT:
		if (kind != JOINING)
			inject_text(so, doing[filter][kind] == INJECT_IN);
		return 0;
	case GO:
		return sflt_detach(so, HANDLE + filter);
	case UNREGISTER:
		(void)sflt_unregister(HANDLE + filter);
		return 0;
	case CLOSE:
		if (kind != JOINING)
			close_socket(so);
		return 0;
	case SHUT:
		if (kind != TOLD)
			(void)soshutdown(so, SHUT_RDWR);
		return 0;
	default:
		return 0;
	}
}

static errno_t
act_on_data(unsigned filter, bool in, struct socket *so, mbuf_t *data, mbuf_t *control)
{
	mbuf_t copy;

	switch (doing[filter][in ? IN : OUT]) {
	case TAKE:
		mbuf_freem(*data);
		break;
	case KEEP:
		keep(*data, so, in);
		break;
	case COPY:
		if (*data == NULL || mbuf_dup(*data, MBUF_DONTWAIT, &copy) != 0)
			return 0;
		mbuf_freem(*data);
		*data = copy;
		return 0;
	case PREPEND:
		if (*data == NULL || mbuf_prepend(data, 40, MBUF_DONTWAIT) == 0)
			return 0;
		break;		/* it has been freed */
	case TRIM:
		if (*data != NULL)
			mbuf_adj(*data, 3);
		return 0;
	case EMPTY:
		if (so->so_type == SOCK_STREAM || in) {
			mbuf_freem(*data);
			*data = NULL;
		}
		return 0;
	default:
		return act(filter, in ? IN : OUT, so);
	}
	if (control != NULL)
		mbuf_freem(*control);
	return EJUSTRETURN;
}

static errno_t
data_in(void *cookie, socket_t so, const struct sockaddr *from, mbuf_t *data, mbuf_t *control,
    sflt_data_flag_t flags)
{
	(void)from;
	(void)flags;
	return act_on_data((unsigned)(uintptr_t)cookie, true, so, data, control);
}

static errno_t
data_out(void *cookie, socket_t so, const struct sockaddr *to, mbuf_t *data, mbuf_t *control,
    sflt_data_flag_t flags)
{
	(void)to;
	(void)flags;
	return act_on_data((unsigned)(uintptr_t)cookie, false, so, data, control);
}

static void
notify(void *cookie, socket_t so, sflt_event_t event, void *param)
{
	unsigned filter = (unsigned)(uintptr_t)cookie;

	(void)param;
	/* At the very end there is nothing to be closed any more. */
	if (event != sock_evt_flush_read && event != sock_evt_closing)
		(void)act(filter, TOLD, so);
}

static errno_t
address(void *cookie, socket_t so, const struct sockaddr *sa)
{
	(void)sa;
	return act((unsigned)(uintptr_t)cookie, ASKED, so);
}

static errno_t
request(void *cookie, socket_t so)
{
	return act((unsigned)(uintptr_t)cookie, ASKED, so);
}

static errno_t
option(void *cookie, socket_t so, sockopt_t opt)
{
	char value[8] = "";

	(void)sockopt_copyin(opt, value, sockopt_valsize(opt) & 7);
	(void)sockopt_copyout(opt, value, sizeof value);
	return act((unsigned)(uintptr_t)cookie, ASKED, so);
}

static errno_t
io(void *cookie, socket_t so, unsigned long command, const char *argp)
{
	(void)command;
	(void)argp;
	return act((unsigned)(uintptr_t)cookie, ASKED, so);
}

static int
name(void *cookie, socket_t so, struct sockaddr **sa)
{
	unsigned filter = (unsigned)(uintptr_t)cookie;

	if (*sa != NULL && doing[filter][ASKED] == COPY) {
		FREE(*sa, M_SONAME);
		*sa = _MALLOC(16, M_SONAME, M_NOWAIT | M_ZERO);
		if (*sa != NULL)
			(*sa)->sa_len = 200;
	}
	return act(filter, ASKED, so);
}

static errno_t
accepted(void *cookie, socket_t listener, socket_t so, const struct sockaddr *here,
    const struct sockaddr *there)
{
	unsigned filter = (unsigned)(uintptr_t)cookie;

	(void)listener;
	(void)here;
	(void)there;
	/* Nobody has it yet. */
	return doing[filter][ASKED] == CLOSE ? 0 : act(filter, ASKED, so);
}

#define ATTACH(n)								\
static errno_t									\
attach##n(void **cookie, socket_t so)						\
{										\
	*cookie = (void *)(uintptr_t)(n);					\
	return act((n), JOINING, so);						\
}
ATTACH(0)
ATTACH(1)
ATTACH(2)
ATTACH(3)

static void
detach(void *cookie, socket_t so)
{
	(void)cookie;
	(void)so;
}

static void
add_filter(unsigned i, uint8_t how)
{
	static errno_t (*const attach[FILTERS])(void **, socket_t) = {attach0, attach1, attach2, attach3};
	struct sflt_filter f = {
		.sf_handle = HANDLE + i, .sf_name = (char *)(uintptr_t)"fuzz", .sf_attach = attach[i],
		.sf_flags = SFLT_EXTENDED | (how & (SFLT_GLOBAL | SFLT_EXTENDED_REGISTRY)),
		.sf_detach = detach, .sf_notify = notify, .sf_getpeername = name, .sf_getsockname = name,
		.sf_data_in = data_in, .sf_data_out = data_out, .sf_connect_in = address,
		.sf_connect_out = address, .sf_bind = address, .sf_setoption = option,
		.sf_getoption = option, .sf_listen = request, .sf_ioctl = io,
		.sf_len = sizeof f.sf_ext, .sf_accept = accepted,
	};

	if (how & 0x80)
		(void)sflt_register(&f, PF_INET, SOCK_DGRAM, IPPROTO_UDP);
	else
		(void)sflt_register(&f, PF_INET, SOCK_STREAM, IPPROTO_TCP);
}

/* ---- chains ------------------------------------------------------------------------------- */

/*
 * A byte for each mbuf: where its storage is (2 bits), its type (2 bits), how full it is (4 bits). `header`:
 * the first has a packet header, which says the truth if `true_length`. NULL: no memory, or no bytes.
 */
static struct mbuf *
make_chain(const uint8_t *p, size_t len, bool header, bool true_length)
{
	static const int types[] = {MBUF_TYPE_DATA, MBUF_TYPE_CONTROL, MBUF_TYPE_SONAME, MBUF_TYPE_OOBDATA};
	struct nke *machine = curmachine();
	struct mbuf *first = NULL, *last = NULL, *m;

	for (size_t i = 0; i < len && i < 64; i++) {
		int type = types[p[i] >> 2 & 3];

		if ((p[i] & 3) == 3 && last != NULL && (last->m_flags & M_EXT) && last->m_len > 0) {
			m = m_copym(last, 0, (size_t)last->m_len, MBUF_DONTWAIT);
		} else {
			m = header && first == NULL ? m_gethdr(machine, MBUF_DONTWAIT, type) :
			    m_get(machine, MBUF_DONTWAIT, type);
			if (m != NULL && (p[i] & 1))
				(void)m_clget(machine, m, MBUF_DONTWAIT, MCLBYTES);
			if (m != NULL) {
				m->m_len = (int32_t)(m_capacity(m) * (p[i] >> 4) / 15);
				memset(m->m_data, p[i], (size_t)m->m_len);
			}
		}
		if (m == NULL)
			break;
		if (first == NULL)
			first = m;
		else
			last->m_next = m;
		last = m;
	}
	if (first != NULL && header)
		first->m_pkthdr.len = true_length ? (int32_t)m_length(first) : (int32_t)(p[0] * 7919u);
	return first;
}

/* The control data of a record: of any shape, or well-formed. */
static struct mbuf *
make_control(const struct fuzz_sflt_record *r)
{
	if (r->arg & 0x40)
		return make_chain(r->data, r->len < 3 ? r->len : 3, false, false);
	return sbcreatecontrol(curmachine(), "fuzz", 4, SCM_TIMESTAMP, SOL_SOCKET);
}

static void
inject(struct socket *so, const struct fuzz_sflt_record *r, bool in)
{
	bool addressed = so->so_type == SOCK_DGRAM && (r->arg & 0x08);
	struct sockaddr_in sin = local(r->len > 1 ? (uint16_t)(1000 + (r->data[1] & 7)) : 7);
	struct mbuf *m = make_chain(r->data, r->len, (in && addressed) || (r->arg & 0x20), !(r->arg & 0x80));
	struct mbuf *control = m != NULL && (r->arg & 0x10) ? make_control(r) : NULL;
	const struct sockaddr *sa = addressed ? (const struct sockaddr *)&sin : NULL;

	if (m == NULL)
		return;
	if (!in) {
		(void)sock_inject_data_out(so, sa, m, control, (sflt_data_flag_t)(r->len & 1));
	} else if (sock_inject_data_in(so, sa, m, control, (sflt_data_flag_t)(r->len & 3)) != 0) {
		m_freem(m);
		m_freem(control);
	}
}

static void
put_back(void)
{
	struct sockaddr_in from = local(7);

	for (unsigned i = 0; i < KEPT; i++) {
		struct socket *so = kept[i].so;
		struct mbuf *m = kept[i].m;
		bool addressed;

		if (m == NULL)
			continue;
		kept[i].m = NULL;
		addressed = so->so_type == SOCK_DGRAM && (m->m_flags & M_PKTHDR);
		if (kept[i].in && sock_inject_data_in(so, addressed ? (struct sockaddr *)&from : NULL, m,
		    NULL, 0) != 0)
			m_freem(m);
		if (!kept[i].in)
			(void)sock_inject_data_out(so, NULL, m, NULL, 0);
		so_release(so);
	}
}

/* ---- records ------------------------------------------------------------------------------ */

static void
transfer(struct socket *so, const struct fuzz_sflt_record *r)
{
	static char data[8192];
	struct so_received received;
	size_t n;

	if (r->op % SFLT_OPS == SFLT_SEND) {
		(void)sosend(so, NULL, data, r->len * 8, NULL, NULL,
		    MSG_DONTWAIT | (r->arg & 0x8 ? MSG_OOB : 0), &n);
		return;
	}
	/* What had been taken of control data by the time of an error is the caller's, too. */
	(void)soreceive(so, r->arg & 0x80 ? NULL : data, r->len * 8 < sizeof data ? r->len * 8 : sizeof data,
	    MSG_DONTWAIT | (r->arg & 0x8 ? MSG_PEEK : 0), &received);
	m_freem(received.data);
	m_freem(received.control);
}

static void
name_and_option(struct socket *so, const struct fuzz_sflt_record *r)
{
	struct sockaddr_storage ss;
	char value[64] = "";
	struct sockopt s = {SOPT_GET, SOL_SOCKET, SO_RCVBUF, value, r->len < 64 ? r->len : 64};
	int n = 0;

	if (r->op % SFLT_OPS == SFLT_OPTION) {
		(void)((r->arg & 0x8) ? sosetopt(so, &s) : sogetopt(so, &s));
		(void)soioctl(so, FIONREAD, &n);
	} else if (sogetsockname(so, &ss) == 0 && so_filtered(so)) {
		(void)so_filter_ops(so)->name(so, r->arg & 0x8, &ss);
	}
}

static void
run_on(struct socket *so, const struct fuzz_sflt_record *r)
{
	sflt_handle handle = HANDLE + (r->arg >> 3) % FILTERS;

	switch (r->op % SFLT_OPS) {
	case SFLT_INJECT_IN:
	case SFLT_INJECT_OUT:
		inject(so, r, r->op % SFLT_OPS == SFLT_INJECT_IN);
		break;
	case SFLT_SEND:
	case SFLT_RECEIVE:
		transfer(so, r);
		break;
	case SFLT_ATTACH:
		(void)sflt_attach(so, handle);
		break;
	case SFLT_DETACH:
		(void)sflt_detach(so, handle);
		break;
	case SFLT_SHUTDOWN:
		(void)soshutdown(so, (r->arg >> 3) % 3);
		break;
	case SFLT_REOPEN:
		close_socket(so);
		break;
	default:
		name_and_option(so, r);
	}
}

/* False: the record is about a socket. */
static bool
run_alone(const struct fuzz_sflt_record *r)
{
	unsigned filter = (r->arg >> 3) % FILTERS;
	struct core_memory memory;

	switch (r->op % SFLT_OPS) {
	case SFLT_BEHAVE:
		for (size_t i = 0; i < r->len && i < KINDS; i++)
			doing[filter][i] = r->data[i] % DOINGS;
		return true;
	case SFLT_REGISTER:
		(void)sflt_unregister(HANDLE + filter);
		add_filter(filter, r->len > 0 ? r->data[0] : r->arg);
		return true;
	case SFLT_WAIT:
		wait_for((uint64_t)(r->len + 1) * 1000000);
		return true;
	case SFLT_FAIL:
		machine_memory(curmachine(), &memory);
		curmachine()->config.fail_alloc = r->len > 0 ? memory.allocations + 1 + r->data[0] : 0;
		return true;
	case SFLT_PUT_BACK:
		put_back();
		return true;
	default:
		return false;
	}
}

void
fuzz_sflt_run(void *record)
{
	const struct fuzz_sflt_record *r = record;
	struct socket *so = sockets[(r->arg & 7) % SOCKETS];

	if (!run_alone(r) && so != NULL) {
		so_retain(so);
		run_on(so, r);
		so_release(so);
	}
	open_missing();
}

void
fuzz_sflt_start(void *arg)
{
	(void)arg;
	memset(sockets, 0, sizeof sockets);
	memset(doing, 0, sizeof doing);
	memset(kept, 0, sizeof kept);
	nested = 0;
	for (unsigned i = 0; i < FILTERS; i++)
		add_filter(i, (uint8_t)(SFLT_GLOBAL | (i & 1) << 7));
	open_missing();
}

void
fuzz_sflt_stop(void *arg)
{
	(void)arg;
	curmachine()->config.fail_alloc = 0;
	memset(doing, 0, sizeof doing);
	for (unsigned i = 0; i < KEPT; i++) {
		if (kept[i].m == NULL)
			continue;
		m_freem(kept[i].m);
		so_release(kept[i].so);
	}
	for (unsigned i = 0; i < SOCKETS; i++)
		if (sockets[i] != NULL)
			close_socket(sockets[i]);
	for (unsigned i = 0; i < FILTERS; i++)
		(void)sflt_unregister(HANDLE + i);
}

void
fuzz_sflt_gone(void *gone)
{
	const struct sflt_state *s = curmachine()->sflt;

	*(bool *)gone = TAILQ_EMPTY(&s->registered) && TAILQ_EMPTY(&s->leaving) &&
	    curmachine()->sockets->count == 0;
}
