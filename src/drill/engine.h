/*
 * The engine's inside: what run.c and its neighbours share while one script runs.
 *
 *   run.c       the machine, the order of events       clock.c     time, waiting for packets and calls
 *   packet.c    packets in, octet by octet             wire.c      reading what the machine sent
 *   match.c     expected and seen                      print.c     packets in the script's notation
 *   flow.c      connections: ports, sequence numbers   sock.c      calls: arguments and results
 *   call.c      calls made, by a thread if they wait   sockopt.c   options' values
 *   epoll.c     epoll on nke_poll                      info.c      what code is told of a connection,
 *                                                      chrono.c    and of its times
 *   errqueue.c  Linux's error queue                    file.c      files and pipes
 *   notsent.c   how much Linux takes
 *   command.c   `sysctl ...` and files of such         sysctl.c    variables, also by Linux's names
 *   fail.c      messages                               python.c    code that is the host's
 *   dialect.c   whose script it is
 *
 * Everything belongs to the thread that called drill_run(), except the job of a call that waits (call.c).
 */
#ifndef NKE_DRILL_ENGINE_H
#define NKE_DRILL_ENGINE_H

#include <nke/iface.h>
#include <nke/nke.h>
#include <nke/socket.h>

#include "src/drill/code.h"
#include "src/drill/eval.h"
#include "src/drill/names.h"
#include "src/drill/run.h"

#define NS_PER_US	1000u
#define PACKET_MAX	65575u		/* an IPv6 header and 65535 octets */

struct run;

/* ---- wire.c ------------------------------------------------------------------------------------- */

/* A packet on the wire, and what its headers say, in host order. */
struct wire {
	struct wire *next;
	int64_t us;			/* when, in the script's time */
	size_t len;
	bool v6;
	uint8_t tos, ttl, protocol;	/* IPPROTO_... */
	uint32_t flow_label;
	const uint8_t *source, *destination;	/* 4 or 16 octets */
	bool fragment;			/* not the whole packet */
	const char *damage;		/* what is wrong with it: a checksum, a length; NULL */
	uint16_t source_port, destination_port;
	uint32_t seq, ack;
	uint16_t flags, window, urgent;	/* DRILL_FIN ... */
	const uint8_t *options;
	unsigned options_len;
	uint8_t icmp_type, icmp_code;
	uint16_t id;			/* ICMP echo */
	uint32_t mtu;			/* fragmentation needed, packet too big */
	const uint8_t *data;		/* after all headers; of ICMP errors the packet they are about */
	uint32_t data_len;
	uint8_t bytes[];
};

/* A copy with its headers read. NULL: no memory, or no IP packet at all. */
struct wire *wire_new(const void *bytes, size_t len, int64_t us);
/* Reads the headers of w->bytes. False: no IP packet. */
bool wire_read(struct wire *);
/* The next option of those at `*at`; false at their end or when they are broken. EOL ends them. */
bool wire_option(const struct wire *, unsigned *at, const uint8_t **option, unsigned *len);

uint32_t wire_sum(uint32_t sum, const void *bytes, size_t len);
uint16_t wire_fold(uint32_t sum);
/* The sum of the pseudo header. */
uint32_t wire_pseudo(bool v6, const uint8_t *source, const uint8_t *destination, uint8_t protocol,
    uint32_t len);

static inline uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void
put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

/* ---- flow.c ------------------------------------------------------------------------------------- */

enum flow_state {
	FLOW_NEW,			/* a socket, or less */
	FLOW_LISTENING,
	FLOW_CONNECTING,		/* connect() was called, its first packet has not been seen */
	FLOW_OPEN			/* packets have gone */
};

#define FLOW_STAMPS	128u		/* timestamps kept of each flow */
#define FLOW_QUOTE	128u		/* octets kept of the last packet */

/*
 * One connection (or socket, before it is one), and how its numbers in the script become those on the wire.
 * Sequence numbers of the script are relative to the sender's SYN; those of SYNs are absolute, except that
 * the machine chooses its own.
 */
struct flow {
	struct flow *next;
	enum drill_protocol protocol;
	enum flow_state state;
	int fd;				/* of the machine's; -1 */
	bool bound;			/* the script has chosen its port */
	bool connected;			/* a datagram needs no address */
	uint8_t local[16], remote[16];	/* as on the wire */
	uint16_t local_port, remote_port;	/* on the wire; 0: not known yet */
	uint16_t script_local_port, script_remote_port;	/* 0: none named */
	bool local_isn_known, remote_isn_known;
	uint32_t local_isn, script_local_isn, remote_isn;
	bool scaled;			/* the script's SYN has a window scale */
	bool syn_data_sent, syn_data;	/* data went with a SYN of any end, and was acknowledged */
	uint32_t last_ack;		/* of the machine's last segment, for quotes */
	uint32_t largest_in;		/* octets of data in a segment to the machine */
	/* What the script and the wire have as the machine's TS val, newest last. */
	struct {
		uint32_t script, live;
	} stamps[FLOW_STAMPS];
	unsigned stamp_count;
	bool has_base;
	uint32_t base_script, base_live;
	uint8_t quote[FLOW_QUOTE];	/* how the last packet began */
	unsigned quote_len;
	struct wire *joined;		/* segments that were compared as one, to be freed */
};

struct flow *flow_new(struct run *, enum drill_protocol);
void flows_free(struct run *);
/* The flow that a packet of the script belongs to, made if need be. NULL: failed. */
struct flow *flow_of_script(struct run *, const struct drill_packet *);
struct flow *flow_of_fd(struct run *, int fd);
/* Whether this packet of the machine's is of that flow; a connecting one learns its ports. */
bool flow_takes(struct run *, struct flow *, const struct wire *);
void flow_saw_stamp(struct flow *, uint32_t script, uint32_t live);

static inline uint32_t
flow_remote_offset(const struct flow *f, bool syn)
{
	return syn ? 0 : f->remote_isn;
}

static inline uint32_t
flow_local_offset(const struct flow *f, bool syn)
{
	return syn ? f->local_isn - f->script_local_isn : f->local_isn;
}

/* ---- call.c ------------------------------------------------------------------------------------- */

enum job_kind {
	JOB_ACCEPT, JOB_CONNECT, JOB_RECEIVE, JOB_SEND, JOB_POLL, JOB_CLOSE
};

/* A call that may wait, with everything that it needs. */
struct job {
	enum job_kind kind;
	nke_t *machine;
	int fd;
	int flags;
	struct sockaddr_storage address;
	socklen_t address_len;
	bool has_address;
	struct msghdr message;		/* RECEIVE, SEND */
	struct iovec *iov;
	uint8_t *buffer;		/* what the pieces point into */
	size_t total;			/* of all pieces */
	uint8_t control[512];
	bool lingers;			/* CLOSE */
	bool own_result;		/* `finish` compares it, too */
	bool plain;			/* read and write: msg_flags and such are not looked at */
	bool zerocopy;			/* MSG_ZEROCOPY of a script: errqueue.c */
	bool full;			/* SEND: Linux takes nothing */
	bool linux_stream;		/* SEND: Linux says EPIPE where BSD says ENOTCONN */
	bool uncork;			/* what MSG_MORE held back goes after it */
	struct pollfd *fds;
	nfds_t fd_count;
	int timeout_ms;
	int64_t done;			/* SEND: octets that went before the rest had to wait */
	int64_t result;
	int error;			/* of the host's */
	/* What is to be done when it has returned: looks at results. -1: failed. */
	int (*finish)(struct run *, struct job *, const struct drill_event *);
	const struct drill_event *event;
	void *context;
};

struct caller;

struct job *job_new(struct run *, enum job_kind, int fd);
void job_free(struct job *);
/* Room for pieces of these lengths, zeroed. -1: failed. */
int job_pieces(struct run *, struct job *, const int64_t *lengths, size_t count);
/*
 * Makes the call and looks at its results, or starts it, if the script says that it waits. Frees the job
 * sooner or later. -1: failed.
 */
int job_run(struct run *, struct job *);
/* Whether a call is under way. */
bool call_waits(const struct run *);
/* Whether it is one that writes to that descriptor of the machine's. */
bool send_waits(const struct run *, int live);
/* After the machine ran: looks whether the call has returned. -1: it has, not as expected. */
int call_look(struct run *);
/* At the script's end: lets a call that is under way return. -1: it does not, or not as expected. */
int call_finish(struct run *);
/* At the run's end: calls that still wait are sent back. */
void caller_end(struct run *);

/* ---- sockets of a script ------------------------------------------------------------------------ */

#define SCRIPT_FDS	256u

enum script_fd_kind { FD_FREE, FD_SOCKET, FD_EPOLL, FD_FILE };	/* FILE: or a pipe; zeros */

struct script_fd {
	enum script_fd_kind kind;
	int live;			/* the machine's; of epolls an index */
	int type;			/* SOCK_STREAM ... */
	int domain;
	bool nonblocking;
	bool inq;			/* Linux's TCP_INQ: recvmsg() tells what is left */
	bool read_shut;			/* Linux's SHUT_RD: the end, but for data that come nevertheless */
	bool corked, more;		/* TCP_CORK; the last data went with MSG_MORE */
	bool fastopen_connect;		/* Linux's TCP_FASTOPEN_CONNECT */
	int sndbuf;			/* what notsent.c has found; 0: nothing */
	socklen_t later_len;		/* its connect() waits for data to go with; 0: does not */
	struct sockaddr_storage later;
};

#define EPOLLS		8u
#define EPOLL_ITEMS	32u

struct epoll_item {
	int script_fd;			/* -1: free */
	uint32_t events;
	int64_t data;
	uint32_t told;			/* with EPOLLET: what was true when it was looked at last */
	uint64_t received;		/* and how many octets had come by then */
	bool disabled;			/* EPOLLONESHOT has told it */
	uint32_t news;			/* of the error queue, when it was looked at last */
};

struct epoll {
	bool used;
	struct epoll_item items[EPOLL_ITEMS];
};

/* ---- the run ------------------------------------------------------------------------------------ */

struct run {
	const struct drill_script *script;
	const struct drill_config *config;
	struct drill_addresses addresses;
	uint8_t local[16], remote[16];	/* as on the wire */
	FILE *out;
	struct drill_result *result;
	nke_t *machine;
	nke_iface_t *iface;
	struct capture *capture;
	uint64_t start_ns;		/* uptime when the script began */
	const struct drill_event *event;	/* that is being done */
	int64_t event_us;		/* when it is to happen */
	int64_t last_us;		/* when the one before was over */
	bool last_was_in;		/* it was a packet in, at last_in_us */
	int64_t last_in_us;
	struct wire *sent, **sent_end;	/* what the machine has sent and no event has taken */
	struct flow *flows, *current;
	uint16_t next_port;		/* of remote ends */
	struct script_fd fds[SCRIPT_FDS];
	struct epoll epolls[EPOLLS];
	struct caller *caller;
	uint32_t notsent_lowat;		/* net.ipv4.tcp_notsent_lowat; 0: none */
	struct errqueue *errqueues;
	struct chrono *chronos;
	bool wants_chronos;
	bool zerocopy;			/* SO_ZEROCOPY was set */
	struct drill_code *code;
	struct info *info;		/* of TCP_INFO, while code runs */
	bool linux_dialect;		/* a script that sets Linux's variables means Linux's units */
	bool freebsd_dialect;		/* a script for FreeBSD, or with BSD's order of options */
	bool listeners_fastopen;	/* tcp_fastopen has bit 0x400: listeners need not ask for it */
	unsigned ip_id;
	bool cookie_given;		/* a SYN-ACK of the script's had one of TCP Fast Open's */
	bool failed;
};

/* Octets of an address on the wire. */
static inline size_t
address_size(const struct run *r)
{
	return r->addresses.v6 ? 16 : 4;
}

/* ---- fail.c ------------------------------------------------------------------------------------- */

/* Ends the script: fills in the result and returns -1. `fmt` makes one or more lines. */
int fail(struct run *, enum drill_outcome, struct drill_place, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same from an error of the script's reading. */
int fail_error(struct run *, const struct drill_error *);
/* For -v: a line, with the script's time in front. */
void tell(struct run *, unsigned level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ---- clock.c ------------------------------------------------------------------------------------ */

/* The script's time now. */
int64_t now_us(const struct run *);
/* Lets time pass. Calls that return meanwhile are looked at. -1: failed. */
int run_to(struct run *, int64_t us);
/* To the next timer, at most until then. 0: nothing more will happen until then; 1; -1: failed. */
int run_step(struct run *, int64_t limit_us);
/* Sets event_us from the event's time. */
void set_event_time(struct run *);
/* How far off something may be that was to happen at that time. */
int64_t tolerance(const struct run *, int64_t us);
/* --tolerance_usecs, or what goes without it for this script. */
int64_t tolerance_us(const struct run *);

/* ---- packet.c, match.c, print.c ----------------------------------------------------------------- */

/* Makes the packet and gives it to the machine. */
int packet_in(struct run *, const struct drill_packet *);
/* Waits for the packet and compares. */
int packet_out(struct run *, const struct drill_packet *);

/* TCP options of the script as octets, padded; numbers changed to the wire's. -1: failed. */
int packet_options(struct run *, const struct flow *, const struct drill_tcp *, bool syn,
    uint8_t out[DRILL_TCP_OPTION_BYTES]);

/* The letters of DRILL_FIN and so on; - for none. */
void print_flags(FILE *, unsigned flags);
/* In the script's notation; `f` NULL: numbers as on the wire. */
void print_script_packet(FILE *, const struct drill_packet *);
void print_wire_packet(FILE *, const struct flow *, const struct wire *, bool in);

/* ---- sock.c, sock_io.c, sockopt.c, epoll.c ------------------------------------------------------ */

int run_call(struct run *, const struct drill_call *);
/* The machine's descriptor for the script's; -1: no such. */
int live_fd(const struct run *, int64_t fd);
struct script_fd *script_fd(struct run *, int64_t fd);
/* Of a descriptor of the machine's, the script's; NULL. */
struct script_fd *by_live_fd(struct run *, int live);
/* TCP_NOPUSH, on or off. */
void set_nopush(struct run *, int live, bool on);
/* A packet came: what MSG_MORE has held back until now goes. */
void more_goes(struct run *);
/* An argument as an integer; `...` is `missing`. -1: failed. */
int arg_int(struct run *, const struct drill_call *, size_t index, int64_t missing, int64_t *value);
const struct drill_expr *arg(const struct drill_call *, size_t index);
/* Compares what a call returned with what the script says. -1: failed. */
int check_result(struct run *, const struct drill_event *, int64_t result, int error);
/* A value that the call gave, where the script names one. -1: failed. */
int check_value(struct run *, const struct drill_event *, const char *what, const struct drill_expr *expected,
    int64_t seen);
/* An address as an argument; `...` is the usual one of that end. -1: failed. */
int arg_address(struct run *, const struct drill_expr *, bool local, struct sockaddr_storage *, socklen_t *);
/* Where a flow's packets go from now on. */
void flow_goes_to(struct run *, struct flow *, const struct sockaddr_storage *);
void flow_connects(struct run *, struct flow *, const struct sockaddr_storage *);
int call_read(struct run *, const struct drill_call *);
int call_readv(struct run *, const struct drill_call *);
int call_recv(struct run *, const struct drill_call *);
int call_recvmsg(struct run *, const struct drill_call *);
int call_write(struct run *, const struct drill_call *);
int call_writev(struct run *, const struct drill_call *);
int call_send(struct run *, const struct drill_call *);
int call_sendmsg(struct run *, const struct drill_call *);
int call_open(struct run *, const struct drill_call *);
int call_pipe(struct run *, const struct drill_call *);
int call_sendfile(struct run *, const struct drill_call *);
int call_splice(struct run *, const struct drill_call *);
int call_setsockopt(struct run *, const struct drill_call *);
int call_getsockopt(struct run *, const struct drill_call *);
int call_epoll_create(struct run *, const struct drill_call *);
int call_epoll_ctl(struct run *, const struct drill_call *);
int call_epoll_wait(struct run *, const struct drill_call *);
/* A descriptor is closed. */
void epoll_forget(struct run *, int64_t script_fd);

/* ---- errqueue.c --------------------------------------------------------------------------------- */

/* SO_ZEROCOPY and SO_TIMESTAMPING, by the host's numbers. False: another option, or no memory. */
bool errqueue_option(struct run *, int fd, int level, int name, int value);
/* A call has taken so many octets from the script. */
void errqueue_wrote(struct run *, int fd, int64_t octets, bool zerocopy);
/* Something may have been sent or acknowledged. */
void errqueue_look(struct run *);
/* Whether something waits to be read; how much there ever was. */
bool errqueue_news(const struct run *, int fd, uint32_t *news);
/* recvmsg() with MSG_ERRQUEUE: compares what is read with the script's message. -1: failed. */
int errqueue_receive(struct run *, int fd, const struct drill_expr *message);
/* A descriptor is closed; the run ends. */
void errqueue_forget(struct run *, int fd);
void errqueues_free(struct run *);

/* ---- notsent.c ---------------------------------------------------------------------------------- */

/* Shortens a write to what Linux would take of it. */
void notsent_clip(struct run *, struct job *, struct script_fd *);
/* Whether poll() is to say so, for one of which writes were shortened. */
bool notsent_is_full(struct run *, int live);

/* ---- chrono.c ----------------------------------------------------------------------------------- */

void chrono_begin(struct run *);
void chrono_look(struct run *);
/* False: another name. */
bool chrono_lookup(struct run *, int fd, const char *name, int64_t *value);
/* A descriptor is closed; the run ends. */
void chrono_forget(struct run *, int fd);
void chronos_free(struct run *);

/* ---- info.c ------------------------------------------------------------------------------------- */

/* A drill_code_lookup: names of TCP_INFO of the connection at hand, and constants. */
bool info_lookup(void *run, const char *name, int64_t *value);
void info_forget(struct run *);

/* ---- python.c ----------------------------------------------------------------------------------- */

/* Code that is refused otherwise, run by the host's python3. -1: failed. */
int python_run(struct run *, const char *text, struct drill_place);

/* ---- dialect.c ---------------------------------------------------------------------------------- */

/* Sets the machine up for the system that the script was written for. -1: failed. */
int dialect_apply(struct run *);

/* ---- command.c, sysctl.c, connections.c --------------------------------------------------------- */

int run_command(struct run *, const char *text, struct drill_place);
/* A file of commands. */
int run_command_file(struct run *, const char *path, struct drill_place);
/* "a=b", "a", with `sysctl`'s own rules; `names_only`: -n. */
int sysctl_word(struct run *, const char *word, bool quiet, bool names_only, struct drill_place);
/* `sockstat` and `tcpdrop`, by their words. */
int connections_count(struct run *, char *const *words, unsigned count, struct drill_place);
int connections_drop(struct run *, char *const *words, unsigned count, struct drill_place);

/* ---- capture.c ---------------------------------------------------------------------------------- */

/* -1: the file cannot be written; the run has failed. */
int capture_open(struct run *);
void capture_packet(struct run *, const void *bytes, size_t len, int64_t us);
void capture_close(struct run *);

#endif
