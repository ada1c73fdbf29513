/*
 * The other side of the door: what the host's half (src/host) calls in the core.
 *
 * Included by both, so only plain C types appear, and errors are Darwin's errno values; the host
 * translates them. Every function here that takes a machine and does not say otherwise enters it
 * (waits for its CPU), catches panics (EFAULT is never used for anything else: the machine has
 * panicked, machine_panic_report() says why), runs what became due, and leaves.
 */
#ifndef NKE_CORECALLS_H
#define NKE_CORECALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nke;
struct world;
struct kext;
struct ifnet;
struct mbuf;

enum core_time { CORE_TIME_VIRTUAL, CORE_TIME_REAL };

/* One line of the kernel log, delivered complete (without its newline) and in order. */
struct core_log_record {
	uint64_t uptime_ns;
	uint64_t calendar_ns;
	int level;			/* syslog level 0..7; printf is LOG_NOTICE 5 */
	const char *kext;		/* bundle name of the caller, "" for the kernel itself */
	const char *text;
};

struct core_config {
	char name[32];			/* in reports; "nke0" when empty */
	enum core_time time;
	uint64_t calendar_start_ns;	/* virtual time: 1970-based time of uptime 0 */
	uint64_t seed;			/* of all randomness and of sched=random */
	bool sched_random;		/* hand the CPU over at KPI calls and lock operations too */
	bool checked;			/* ownership, poisoning, full backtraces */
	size_t mbuf_limit_bytes;	/* mbufs and clusters together; 0: 64 MiB */
	size_t heap_limit_bytes;	/* everything else; 0: 256 MiB */
	uint64_t fail_alloc;		/* make the n-th allocation fail (1-based); 0 none */
	void (*log)(void *ctx, const struct core_log_record *);
	void *log_ctx;
};

/* ---- life --------------------------------------------------------------------------------- */

/*
 * A world for several machines to share. How its time passes, its calendar and the seed of
 * sched=random come from this configuration, not from those of its machines. ENOMEM.
 */
int world_create(const struct core_config *, struct world **);
/* It goes when its last machine has gone. */
void world_destroy(struct world *);
/* ENOMEM, EINVAL (also from inside a machine of that world). `world` NULL: one of its own. */
int machine_create(const struct core_config *, struct world *world, struct nke **);
/*
 * Unloads nothing: kexts must have been unloaded (those still there are forgotten, their code is not
 * called any more). Works on a panicked machine. Whoever is blocked inside is sent out first: host
 * threads get EFAULT, kernel threads end. Not from inside a machine of the world: panics.
 */
void machine_destroy(struct nke *);
/* Its world, to make others in it. Does not enter. */
struct world *machine_world(const struct nke *);
/*
 * Runs fn(arg) inside the machine, as kernel code, then whatever became due. EFAULT when it panicked
 * (before or meanwhile), ENOMEM when this host thread could not be made a thread of the machine.
 * From inside a machine of the same world: fn(arg) at once, as the other machine.
 */
int machine_call(struct nke *, void (*fn)(void *), void *arg);
bool machine_panicked(const struct nke *);
/* The report, several lines, "" while all is well; lives as long as the machine. */
const char *machine_panic_report(const struct nke *);
/* A signal that arrived on this host thread while kext code ran: panics and does not return. When no
 * kext code was running it returns, and the signal is somebody else's. */
void machine_fault(int signal, const char *signal_name, const void *pc, const void *address);

/*
 * Virtual time: runs everything due up to and including uptime `until_ns` and leaves the clock there
 * (later when something that ran on the calling thread's own stack slept past it).
 * Real time: runs what is due now. EFAULT; EINVAL from inside a machine of the world.
 */
int machine_run_until(struct nke *, uint64_t until_ns);
/* Virtual time: it is `calendar_ns` (since 1970) now; uptime stays what it is. EFAULT, ENOMEM. */
int machine_set_calendar(struct nke *, uint64_t calendar_ns);
/*
 * While the clock of the world is held, virtual time passes in machine_run_until only: host threads that
 * wait do not drive it. EFAULT, ENOMEM.
 */
int machine_hold_clock(struct nke *, bool hold);
/* How many host threads wait in the world. Does not enter. */
unsigned machine_waiting(const struct nke *);
/* Uptime of the next timer, UINT64_MAX when there is none. Does not enter. */
uint64_t machine_next_event(const struct nke *);
uint64_t machine_uptime(const struct nke *);

/* ---- variables (sysctl_call.c) ------------------------------------------------------------ */

/* As sysctl_by_name of sysctl.h: ENOENT, EISDIR, EPERM, EINVAL, ENOMEM (`old` is too small), EFAULT. */
int machine_sysctl(struct nke *, const char *name, void *old, size_t *old_len, const void *new,
    size_t new_len);
/* Its oid_fmt ("I", "A", "S,timeval"), cut to `size`. ENOENT, EISDIR, EFAULT. */
int machine_sysctl_format(struct nke *, const char *name, char *format, size_t size);

/* ---- processes (src/kern/proc.c) ----------------------------------------------------------- */

struct core_process {
	int pid, ppid;
	const char *name;		/* cut after 32 characters, and 16 where a short name is wanted */
	uint32_t uid, gid;
};
/*
 * In this machine the calling host thread is that process from now on; NULL: it is the default one again
 * (100, "nke", the superuser's). Threads that give the same pid are one process, with what the last of them
 * said. EINVAL: `pid` is not positive, or the default one's; ENOMEM, EFAULT.
 */
int machine_set_process(struct nke *, const struct core_process *);

/* ---- allocation statistics ---------------------------------------------------------------- */

struct core_memory {
	uint64_t allocations;		/* how many so far: the range of core_config.fail_alloc */
	uint64_t heap_bytes, heap_blocks, heap_peak_bytes;
	uint64_t mbufs, clusters, mbuf_bytes, mbuf_peak_bytes, mbuf_denied;
};
void machine_memory(const struct nke *, struct core_memory *);

/* ---- filters (kpi/filter_report.c) -------------------------------------------------------- */

enum core_filter_kind {
	CORE_FILTER_INTERFACE, CORE_FILTER_IPV4, CORE_FILTER_IPV6,
	CORE_FILTER_SOCKET		/* seen, passed ...: of the data of its sockets */
};

struct core_filter {
	enum core_filter_kind kind;
	char kext[128];			/* identifier of its owner, "" none */
	char name[64];			/* as the filter gave it */
	char interface[16];		/* interface filters */
	uint64_t seen_in, seen_out;
	uint64_t passed, changed, swallowed, dropped, injected;
	uint64_t calls;
	double ns_per_call;		/* measured on a sample; 0 when never called */
};

/* Fills at most `max` records, in the order in which packets on the way in meet them; how many there are. */
size_t machine_filters(struct nke *, struct core_filter *out, size_t max);

/* ---- kernel controls (src/kern/kern_control.c) -------------------------------------------- */

struct core_control {
	char name[96];
	char kext[128];			/* identifier of its owner, "" none */
	uint32_t id, unit, flags;	/* flags: CTL_FLAG_ of sys/kern_control.h */
	uint32_t sendsize, recvsize, clients;
};

/* Fills at most `max` records, by id; how many there are, 0 after a panic. */
size_t machine_controls(struct nke *, struct core_control *out, size_t max);

/* ---- replaying a capture (dlil/replay.c) -------------------------------------------------- */

enum core_link {
	CORE_LINK_ETHERNET,		/* 14 bytes */
	CORE_LINK_RAW,			/* none: IPv4 or IPv6 by version */
	CORE_LINK_NULL,			/* 4-byte family, the capturing host's byte order */
	CORE_LINK_LOOP,			/* 4-byte family, network order */
	CORE_LINK_SLL,			/* Linux cooked v1, 16 bytes */
	CORE_LINK_SLL2			/* Linux cooked v2, 20 bytes */
};

#define CORE_FRAME_CHANGED	0x1	/* not as it was captured */
#define CORE_FRAME_NEW		0x2	/* made by a kext; `number` is the frame it follows */

struct core_frame {
	uint64_t number;		/* in the capture, from 1 */
	uint64_t time_ns;		/* since 1970 */
	const uint8_t *data;		/* `caplen` bytes */
	uint32_t caplen;
	uint32_t len;			/* on the wire; more than caplen when snapped */
	uint32_t flags;
};

struct core_replay_config {
	enum core_link link;
	char interface[16];		/* "en0" */
	uint32_t mtu;			/* 0: 1500 */
	bool has_lladdr;
	uint8_t lladdr[6];		/* the host that took the capture */
	bool learn_addresses;		/* what it sends from becomes its own (at most 64) */
	/*
	 * The next frame: true, or false when there is none (any more). The data must stay valid until
	 * the next call. `sink` gets what leaves, in order; valid during the call only.
	 */
	bool (*next)(void *ctx, struct core_frame *);
	void (*sink)(void *ctx, const struct core_frame *, size_t count);
	void *ctx;
};

struct core_replay_stats {
	uint64_t frames, bytes;		/* read */
	uint64_t frames_in, frames_out;	/* to the host, from the host */
	uint64_t snapped;		/* captured short */
	uint64_t kept, changed;		/* left as they came; left otherwise */
	uint64_t swallowed, dropped;	/* by filters */
	uint64_t refused, unclaimed;	/* of the kept: by the stack; no protocol */
	uint64_t no_memory;
	uint64_t injected;		/* new frames */
	uint64_t written, written_bytes;	/* given to sink, or would have been */
};

/* Makes the interface the capture was taken on. EINVAL, ENOMEM, EEXIST (one at a time), EFAULT. */
int replay_start(struct nke *, const struct core_replay_config *);
/* An address of the host: family is Darwin's; `addr` 4 or 16 bytes. 0, EINVAL, EEXIST, ENOMEM, EFAULT. */
int replay_add_address(struct nke *, int family, const void *addr, unsigned prefix);
/* Takes frames from elsewhere from now on. */
void replay_redirect(struct nke *, bool (*next)(void *, struct core_frame *),
    void (*sink)(void *, const struct core_frame *, size_t), void *ctx);
/* Pulls at most `max` frames through the machine. *more is false when `next` had none. EFAULT. */
int replay_run(struct nke *, uint32_t max, bool *more);
/* The number below which every frame has left, and the time of that frame: UINT64_MAX when none waits. */
uint64_t replay_low_water(const struct nke *, uint64_t *time_ns);
/* Lets the clock run to `calendar_ns` and whatever becomes due happen. EFAULT. */
int replay_advance(struct nke *, uint64_t calendar_ns);
/* Lets go what is held back. Also after a panic: what was finished before it leaves. Never fails. */
void replay_finish(struct nke *);
void replay_stats(const struct nke *, struct core_replay_stats *);
/* The host's IP addresses as known now: calls fn(ctx, family (Darwin's), addr, bits) for each. */
void replay_addresses(struct nke *, void (*fn)(void *, int, const void *, unsigned), void *ctx);

/* ---- interfaces of the host (dlil/host_iface.c) ------------------------------------------- */

enum core_media {
	CORE_MEDIA_ETHERNET,		/* frames with 14 bytes of header, MTU 1500 */
	CORE_MEDIA_RAW			/* IPv4 or IPv6 behind `hdrlen` bytes that nobody looks into */
};

#define CORE_OUTPUT_PIECES	48u
#define CORE_OUTPUT_MOST	8u	/* frames that leave together */

struct core_piece {
	const void *base;
	size_t len;
};

/* A frame that leaves. */
struct core_output {
	struct core_piece pieces[CORE_OUTPUT_PIECES];
	unsigned count;
	uint16_t flags;			/* CORE_UNSUMMED, CORE_LARGE4, CORE_LARGE6 */
	uint16_t csum_start, csum_offset;
	uint16_t hdrlen, segsz;		/* large: octets of all headers; of data in each segment */
	size_t len;
};

struct core_iface_config {
	char name[16];			/* "en" */
	uint32_t unit;
	enum core_media media;
	uint8_t lladdr[6];		/* Ethernet */
	uint8_t hdrlen;			/* raw */
	uint32_t mtu;			/* 0: 1500 */
	/*
	 * A frame leaves. Called on the machine's CPU with the frame in one piece, gone when it returns.
	 * Not called any more once iface_destroy has been called.
	 */
	void (*output)(void *ctx, const void *frame, size_t len);
	/*
	 * Instead of it, for devices: frames as they lie in memory, with what is left to the device if
	 * `offload` says that it can do that. Large segments come up to CORE_OUTPUT_MOST at once, in order,
	 * before the call into the machine that they were made in is over; any other frame comes at once,
	 * last behind those.
	 */
	void (*output_pieces)(void *ctx, const struct core_output *, unsigned count);
	bool offload;
	void *ctx;
};

/* Makes and attaches an interface. EINVAL, EBUSY (the name is taken), ENOMEM, ENOBUFS, EFAULT. */
int iface_create(struct nke *, const struct core_iface_config *, struct ifnet **);
/* Detaches it; the handle is invalid from now on. */
int iface_destroy(struct nke *, struct ifnet *);
/* A frame came in. EINVAL: shorter than its header; ENOBUFS; ENXIO: interface is going; EFAULT. */
int iface_input(struct nke *, struct ifnet *, const void *frame, size_t len);

/*
 * The sender left the transport's checksum to the device: the field, `csum_offset` bytes from `csum_start` in
 * the frame, has the pseudo header's sum.
 */
#define CORE_UNSUMMED	0x1
/* A TCP segment over IPv4, IPv6 that stands for several with `segsz` octets of data each. */
#define CORE_LARGE4	0x2
#define CORE_LARGE6	0x4

struct core_input {
	const void *frame;
	uint32_t len;
	uint16_t flags;			/* CORE_UNSUMMED, CORE_LARGE4, CORE_LARGE6 */
	uint16_t csum_start, csum_offset;
	uint16_t segsz;
};
/*
 * Frames that came in together, in order, with one entering. Those that are not taken (too short, no memory)
 * are counted where a driver's are; *taken, how many were, may be NULL. ENXIO, EFAULT: none.
 */
int iface_input_many(struct nke *, struct ifnet *, const struct core_input *, unsigned count,
    unsigned *taken);
/*
 * The link is there or not: IFF_RUNNING, and KEV_DL_LINK_ON or KEV_DL_LINK_OFF when that is news.
 * ENXIO, EFAULT.
 */
int iface_set_carrier(struct nke *, struct ifnet *, bool on);

/*
 * IPv6 goes onto the interface with a link-local address, asks for routers and takes what they say; or gives
 * up what came from them. ENXIO, ENOMEM, EOPNOTSUPP, EFAULT.
 */
int iface_set_autoconf(struct nke *, struct ifnet *, bool on);

/*
 * Adds an address; family is Darwin's, `addr` 4 or 16 bytes. EINVAL, EEXIST, ENOMEM, ENXIO, EFAULT.
 */
int iface_add_address(struct nke *, struct ifnet *, int family, const void *addr, unsigned prefix);
/* Where everything without a network of its own goes; `gateway` NULL: it is all on the link. */
int iface_set_default(struct nke *, struct ifnet *, int family, const void *gateway);
/* The link address of a neighbour. */
int iface_add_neighbor(struct nke *, struct ifnet *, int family, const void *addr,
    const uint8_t lladdr[6]);
/* ENOENT: it is not known. */
int iface_remove_neighbor(struct nke *, struct ifnet *, int family, const void *addr);

/* ---- DHCP (src/netinet/dhcp_client.c) ----------------------------------------------------- */

enum core_dhcp_event {
	CORE_DHCP_BOUND,		/* an address has been added */
	CORE_DHCP_RENEWED,		/* and may be used for longer */
	CORE_DHCP_LOST,			/* it expired, or was refused: it has been removed */
	CORE_DHCP_CONFLICT		/* somebody else has it: it has been removed */
};

struct core_dhcp_lease {
	bool bound;			/* the address is on the interface */
	uint8_t address[4], server[4], router[4];	/* 0: none */
	unsigned prefix;
	uint8_t dns[4][4];
	unsigned dns_count;
	char domain[64];
	uint32_t lease, t1, t2;		/* seconds from `since_ns` (uptime); UINT32_MAX: for ever */
	uint64_t since_ns;
};

struct core_dhcp_config {
	const char *hostname;		/* NULL: none */
	/* Something happened. On the machine's CPU; must not call the machine. NULL: nobody listens. */
	void (*event)(void *ctx, enum core_dhcp_event, const struct core_dhcp_lease *);
	void *ctx;
};

struct dhcp_client;

/*
 * Asks for an address from now on. EBUSY: it does so already; EOPNOTSUPP: no Ethernet; ENXIO, ENOMEM,
 * EFAULT.
 */
int iface_dhcp_start(struct nke *, struct ifnet *, const struct core_dhcp_config *, struct dhcp_client **);
/* Gives the address back and forgets the client. EFAULT. */
int iface_dhcp_stop(struct nke *, struct dhcp_client *);
int iface_dhcp_lease(struct nke *, struct dhcp_client *, struct core_dhcp_lease *);

/* ---- what protocols count (kpi/netstat.c) ------------------------------------------------- */

struct core_counter {
	const char *name;		/* as netstat -s says it, lives as long as the library */
	uint64_t value;
};
/*
 * Those that count, from 0: "ip", "icmp", "igmp", "udp", "ip6", "icmp6", "mld", "arp"; NULL after the
 * last.
 */
const char *machine_counted_protocol(unsigned i);
/*
 * The counters of a protocol: writes at most `max` and returns how many there are, 0 for unknown names. Does
 * not enter; works on a panicked machine.
 */
size_t machine_counters(struct nke *, const char *protocol, struct core_counter *out, size_t max);

#endif
