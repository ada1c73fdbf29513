/*
 * Every origin of something that happens to a socket, and which callbacks of its filters run: these and no
 * others. A row is an origin; the columns are the callbacks.
 */
#include "src/kern/filecalls.h"
#include "src/kern/sockcalls.h"
#include "tests/unit/sflt_testing.h"

#define BIT(callback)	(1u << (callback))
#define ATTACHED	BIT(ATTACH)
#define TOLD		BIT(NOTIFY)

/* The sockets that the origins are about, by descriptor. */
static struct {
	int tcp, udp, listener, accepted, other;
	tcp_seq ours;
} on;

static struct nke *
machine(void)
{
	return curmachine();
}

/* ---- system calls ------------------------------------------------------------------------- */

static void
call_socket(void)
{
	CHECK_EQ(sock_call_socket(machine(), PF_INET, SOCK_STREAM, 0, &on.other), 0);
}

static void
call_bind(void)
{
	struct sockaddr_in sin = sin4(HERE4, 4321);

	CHECK_EQ(sock_call_bind(machine(), on.other, &sin, sizeof sin), 0);
}

static void
call_listen(void)
{
	CHECK_EQ(sock_call_listen(machine(), on.other, 3), 0);
}

static void
call_connect(void)
{
	struct sockaddr_in to = sin4(THERE4, 9);
	int fd;

	CHECK_EQ(sock_call_socket(machine(), PF_INET, SOCK_DGRAM, 0, &fd), 0);
	memset(a->calls, 0, sizeof a->calls);
	CHECK_EQ(sock_call_connect(machine(), fd, &to, sizeof to), 0);
	CHECK_EQ(file_call_close(machine(), fd), 0);
}

static void
call_accept(void)
{
	CHECK_EQ(sock_call_accept(machine(), on.listener, NULL, NULL, &on.accepted), 0);
}

static void
call_getsockname(void)
{
	struct sockaddr_in sin;
	uint32_t len = sizeof sin;

	CHECK_EQ(sock_call_getsockname(machine(), on.accepted, &sin, &len), 0);
}

static void
call_getpeername(void)
{
	struct sockaddr_in sin;
	uint32_t len = sizeof sin;

	CHECK_EQ(sock_call_getpeername(machine(), on.accepted, &sin, &len), 0);
}

static void
call_setsockopt(void)
{
	int value = 1;

	CHECK_EQ(sock_call_setsockopt(machine(), on.accepted, IPPROTO_TCP, TCP_NODELAY, &value,
	    sizeof value), 0);
}

static void
call_getsockopt(void)
{
	int value;
	uint32_t len = sizeof value;

	CHECK_EQ(sock_call_getsockopt(machine(), on.accepted, IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);
}

static void
call_ioctl(void)
{
	int value;

	CHECK_EQ(file_call_ioctl(machine(), on.accepted, FIONREAD, &value), 0);
}

static void
call_set_nonblocking(void)
{
	CHECK_EQ(file_call_set_nonblocking(machine(), on.accepted, true), 0);
}

static void
call_send(void)
{
	size_t n;

	CHECK_EQ(sock_call_sendto(machine(), on.accepted, "abc", 3, 0, NULL, 0, &n), 0);
}

static void
call_sendto(void)
{
	struct sockaddr_in to = sin4(THERE4, 9);
	size_t n;

	CHECK_EQ(sock_call_sendto(machine(), on.udp, "abc", 3, 0, &to, sizeof to, &n), 0);
}

static void
call_recv(void)
{
	char text[16];
	size_t n;

	CHECK_EQ(sock_call_recvfrom(machine(), on.accepted, text, sizeof text, MSG_DONTWAIT, NULL, NULL,
	    &n), 0);
	CHECK_EQ(n, 4);
}

static void
call_shutdown(void)
{
	CHECK_EQ(sock_call_shutdown(machine(), on.accepted, SHUT_WR), 0);
}

static void
call_dup_and_close(void)
{
	int fd;

	CHECK_EQ(file_call_dup(machine(), on.accepted, 0, &fd), 0);
	CHECK_EQ(file_call_close(machine(), fd), 0);
}

static void
call_close(void)
{
	CHECK_EQ(file_call_close(machine(), on.other), 0);
}

/* ---- packets ------------------------------------------------------------------------------ */

static void
packet_syn(void)
{
	COME(.flags = S, .seq = 1000, .win = 65535);
	on.ours = went().seq + 1;
}

static void
packet_syn_again(void)
{
	COME(.flags = S, .seq = 1000, .win = 65535);
	CHECK_EQ(went().seq + 1, on.ours);
}

static void
packet_ends_handshake(void)
{
	COME(.flags = A, .seq = 1001, .ack = on.ours, .win = 65535);
}

static void
packet_data(void)
{
	COME(.flags = A | P, .seq = 1001, .ack = on.ours, .win = 65535, .data = "data");
}

static void
packet_too_early(void)
{
	COME(.flags = A | P, .seq = 1010, .ack = on.ours, .win = 65535, .data = "data");
}

static void
packet_again(void)
{
	COME(.flags = A | P, .seq = 1001, .ack = on.ours, .win = 65535, .data = "data");
}

static void
packet_ack(void)
{
	COME(.flags = A, .seq = 1005, .ack = on.ours + 3, .win = 65535);
}

static void
packet_fills_hole(void)
{
	COME(.flags = A | P, .seq = 1005, .ack = on.ours + 3, .win = 65535, .data = "<gap>");
}

static void
packet_fin(void)
{
	COME(.flags = A | F, .seq = 1014, .ack = on.ours + 4, .win = 65535);
}

static void
packet_reset(void)
{
	COME(.flags = R, .seq = 1015, .ack = on.ours + 4, .win = 65535);
}

static void
packet_refuses(void)
{
	COME(.peer_port = 999, .flags = A, .seq = 1, .ack = 2, .win = 65535);
}

static void
packet_datagram(void)
{
	struct spec4 s = {.protocol = IPPROTO_UDP, .len = 12};
	struct mbuf *m = make4(&s);
	struct udphdr *uh = (struct udphdr *)(void *)(m->m_data + sizeof(struct ip));

	*uh = (struct udphdr){.uh_sport = htons(9), .uh_dport = htons(53), .uh_ulen = htons(12)};
	ip_input(machine(), m);
	let_run();
}

/* ---- filters ------------------------------------------------------------------------------ */

static struct socket *
tcp_end(void)
{
	return fd_socket(machine(), on.accepted);
}

static void
inject_stream_in(void)
{
	CHECK_EQ(sock_inject_data_in(tcp_end(), NULL, text_packet("x"), NULL, 0), 0);
}

static void
inject_stream_out(void)
{
	CHECK_EQ(sock_inject_data_out(tcp_end(), NULL, text_packet("x"), NULL, 0), 0);
}

static void
inject_datagram_in(void)
{
	struct sockaddr_in from = sin4(THERE4, 9);

	CHECK_EQ(sock_inject_data_in(fd_socket(machine(), on.udp), SA(from), text_packet("x"), NULL, 0), 0);
}

static void
inject_datagram_out(void)
{
	struct sockaddr_in to = sin4(THERE4, 9);

	CHECK_EQ(sock_inject_data_out(fd_socket(machine(), on.udp), SA(to), text_packet("x"), NULL, 0), 0);
}

static void
attach_again(void)
{
	CHECK_EQ(sflt_attach(fd_socket(machine(), on.udp), HANDLE('b')), EEXIST);
}

static void
detach_and_attach(void)
{
	CHECK_EQ(sflt_detach(fd_socket(machine(), on.udp), HANDLE('b')), 0);
	let_run();
	CHECK_EQ(sflt_attach(fd_socket(machine(), on.udp), HANDLE('b')), 0);
}

/* ---- the table ---------------------------------------------------------------------------- */

static const struct origin {
	const char *name;
	void (*happens)(void);
	uint32_t run;			/* callbacks, by bit */
} origins[] = {
	{"SYN at a listener", packet_syn, BIT(CONNECT_IN)},
	{"the same SYN", packet_syn_again, 0},
	{"the end of a handshake", packet_ends_handshake, ATTACHED | TOLD},
	{"accept(2)", call_accept, BIT(ACCEPT)},
	{"getsockname(2)", call_getsockname, BIT(GETSOCKNAME)},
	{"getpeername(2)", call_getpeername, BIT(GETPEERNAME)},
	{"setsockopt(2)", call_setsockopt, BIT(SETOPTION)},
	{"getsockopt(2)", call_getsockopt, BIT(GETOPTION)},
	{"data", packet_data, BIT(DATA_IN)},
	{"the same data", packet_again, 0},
	{"data too early", packet_too_early, 0},
	{"ioctl(2)", call_ioctl, BIT(IOCTL)},
	{"fcntl(2)", call_set_nonblocking, BIT(IOCTL)},
	{"recv(2)", call_recv, 0},
	{"send(2)", call_send, BIT(DATA_OUT)},
	{"an acknowledgement", packet_ack, 0},
	{"data that fill a hole", packet_fills_hole, BIT(DATA_IN)},
	{"sock_inject_data_in, stream", inject_stream_in, BIT(DATA_IN)},
	{"sock_inject_data_out, stream", inject_stream_out, BIT(DATA_OUT)},
	{"dup(2), close(2) of one of two", call_dup_and_close, 0},
	{"shutdown(2)", call_shutdown, TOLD},
	{"FIN", packet_fin, TOLD},
	{"RST", packet_reset, TOLD},
	{"a stray segment", packet_refuses, 0},
	{"socket(2)", call_socket, ATTACHED},
	{"bind(2)", call_bind, BIT(BIND) | TOLD},
	{"listen(2)", call_listen, BIT(LISTEN)},
	{"close(2)", call_close, TOLD | BIT(DETACH)},
	{"connect(2)", call_connect, BIT(CONNECT_OUT) | TOLD | BIT(DETACH)},
	{"sendto(2)", call_sendto, BIT(DATA_OUT)},
	{"a datagram", packet_datagram, BIT(DATA_IN)},
	{"sock_inject_data_in, datagram", inject_datagram_in, BIT(DATA_IN)},
	{"sock_inject_data_out, datagram", inject_datagram_out, BIT(DATA_OUT)},
	{"sflt_attach of what is attached", attach_again, 0},
	{"sflt_detach, sflt_attach", detach_and_attach, ATTACHED | BIT(DETACH)},
};

static const char *const columns[CALLBACKS] = {
	"attach", "detach", "notify", "getpeername", "getsockname", "data_in", "data_out", "connect_in",
	"connect_out", "bind", "setoption", "getoption", "listen", "ioctl", "accept", "unregistered"
};

/* The names of the callbacks. */
static const char *
names(uint32_t run)
{
	static char text[2][256];
	static int turn;
	char *p = text[turn = !turn];

	p[0] = '\0';
	for (unsigned i = 0; i < CALLBACKS; i++) {
		if (!(run & BIT(i)))
			continue;
		strlcat(p, " ", sizeof text[0]);
		strlcat(p, columns[i], sizeof text[0]);
	}
	return p;
}

static void
prepare(void)
{
	struct sockaddr_in sin = sin4(INADDR_ANY, OUR_PORT), dns = sin4(INADDR_ANY, 53);
	struct sflt_filter f;

	sflt_testbed();
	f = filter_of('a', SFLT_GLOBAL | SFLT_EXTENDED);
	CHECK_EQ(sflt_register(&f, PF_INET, SOCK_STREAM, IPPROTO_TCP), 0);
	/* The same, with another handle, for datagrams; both count as a. */
	f.sf_handle = HANDLE('b');
	CHECK_EQ(sflt_register(&f, PF_INET, SOCK_DGRAM, IPPROTO_UDP), 0);
	CHECK_EQ(sock_call_socket(machine(), PF_INET, SOCK_STREAM, 0, &on.listener), 0);
	CHECK_EQ(sock_call_bind(machine(), on.listener, &sin, sizeof sin), 0);
	CHECK_EQ(sock_call_listen(machine(), on.listener, 3), 0);
	CHECK_EQ(sock_call_socket(machine(), PF_INET, SOCK_DGRAM, 0, &on.udp), 0);
	CHECK_EQ(sock_call_bind(machine(), on.udp, &dns, sizeof dns), 0);
}

KTEST(every_origin_reaches_its_callbacks_and_no_others)
{
	char got_text[320], want_text[320];

	prepare();
	for (unsigned i = 0; i < sizeof origins / sizeof origins[0]; i++) {
		const struct origin *o = &origins[i];
		uint32_t run = 0;

		let_run();
		memset(a->calls, 0, sizeof a->calls);
		o->happens();
		let_run();
		for (unsigned callback = 0; callback < CALLBACKS; callback++)
			run |= a->calls[callback] != 0 ? BIT(callback) : 0;
		ksnprintf(got_text, sizeof got_text, "%s:%s", o->name, names(run));
		ksnprintf(want_text, sizeof want_text, "%s:%s", o->name, names(o->run));
		CHECK_STR(got_text, want_text);
		noted_len = 0;
	}
	quiet = true;
	CHECK_EQ(file_call_close(machine(), on.accepted), 0);
	CHECK_EQ(file_call_close(machine(), on.listener), 0);
	CHECK_EQ(file_call_close(machine(), on.udp), 0);
	nevermind();
	sflt_testbed_end();
}

/* What is about no socket of its kind reaches no filter. */
KTEST(other_protocols_reach_no_filter)
{
	struct socket *so;

	prepare();
	let_run();
	memset(a->calls, 0, sizeof a->calls);
	so = make_socket(PF_INET, SOCK_RAW, IPPROTO_ICMP);
	CHECK_EQ(connect4(so, THERE4, 0), 0);
	soclose(so);
	so = udp6();
	CHECK_EQ(bind6(so, ANY6, 54), 0);
	CHECK_EQ(send6(so, LOOP6, 54, "x"), 0);
	CHECK_STR(receive(so), "x");
	soclose(so);
	so = make_socket(PF_LOCAL, SOCK_DGRAM, 0);
	soclose(so);
	for (unsigned callback = 0; callback < CALLBACKS; callback++)
		CHECK_EQ(a->calls[callback], 0);
	quiet = true;
	CHECK_EQ(file_call_close(machine(), on.listener), 0);
	CHECK_EQ(file_call_close(machine(), on.udp), 0);
	sflt_testbed_end();
}

KTEST_SUITE(sflt_origins, T(every_origin_reaches_its_callbacks_and_no_others),
    T(other_protocols_reach_no_filter));
