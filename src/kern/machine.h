/*
 * A machine: one simulated uniprocessor kernel. Everything mutable in the core hangs off it; two
 * machines share nothing but, if their owner wants, the clock and queue of their world.
 *
 * Each subsystem keeps its state in a struct of its own, allocated by its `init` and reachable from
 * here by a pointer; only the subsystem's own header knows what is inside.
 */
#ifndef NKE_KERN_MACHINE_H
#define NKE_KERN_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/errno.h>
#include <sys/kernel_types.h>
#include <sys/queue.h>

#include "src/kern/corecalls.h"
#include "src/kern/hostcalls.h"

struct arp_state;
struct bpf_state;
struct device_state;
struct dhcp_clients;
struct dlil_state;
struct heap;
struct icmp_state;
struct icmp6_state;
struct ifaddr_state;
struct iff_state;
struct in_multi_state;
struct inet_state;
struct inject_state;
struct igmp_state;
struct ip_state;
struct ip6_state;
struct ipf_state;
struct kauth_state;
struct kctl_state;
struct kev_state;
struct kext_state;
struct klog;
struct ledger;
struct mbuf_zone;
struct mld_state;
struct nd6_state;
struct neighbor_table;
struct proc_state;
struct replay;
struct rip_state;
struct rip6_state;
struct route_state;
struct rtable;
struct socket_state;
struct sflt_state;
struct so_filter_ops;
struct string_ids;
struct sysctl_state;
struct tcp_state;
struct thread;
struct timeouts;
struct trace;
struct udp_state;
struct world;

/*
 * Limits and switches that are looked at on the packet path are plain members; the rest is behind
 * the subsystem pointers.
 */
struct nke {
	struct world *world;		/* clock, CPU and run queue; may be shared */
	TAILQ_ENTRY(nke) world_link;
	struct core_config config;	/* as given to machine_create */
	void *host;			/* the host side's own, never looked into */

	bool panicked;			/* set once; after it only destroy and reading are allowed */
	bool panic_told;		/* the report is complete and in the log */
	bool ending;			/* being destroyed: its threads leave */
	bool up;			/* all subsystems are */
	char *panic_report;		/* text, PANIC_REPORT_SIZE bytes, "" while all is well */
	unsigned hosts_inside;		/* host threads that have not left, and visits elsewhere */
	unsigned threads;		/* kernel threads that have not ended */
	bool checked;			/* ownership, poisoning, full backtraces */
	bool identified;		/* a host thread was once given an identity (proc.h) */
	uint32_t filter_count;		/* filters and protocols of kexts: 0 means nobody watches */
	uint32_t next_string_id;	/* mbuf tag ids, vendor codes and interface families: one space */
	struct string_ids *string_ids;	/* their names (string_id.c) */
	uint64_t prng[4];		/* state of prng.c */
	char ntoa[16];			/* what inet_ntoa() gave last */
	char unknown_name[32];		/* what IOFindNameForValue() made last */
	char model[32];			/* populate_model_name(); "": libnke */

	struct heap *heap;		/* first up, last down: the others allocate from it */
	struct klog *klog;
	struct trace *trace;		/* NULL while nobody traces: the one branch */
	struct ledger *ledger;
	struct timeouts *timeouts;	/* bsd_timeout */
	struct mbuf_zone *mbufs;
	struct sysctl_state *sysctls;
	struct kev_state *kevs;
	struct kctl_state *kctls;
	struct kauth_state *kauth;
	struct inject_state *inject;
	struct proc_state *procs;
	struct device_state *devices;
	struct kext_state *kexts;
	struct socket_state *sockets;
	const struct so_filter_ops *so_filter_ops;	/* whom sockets with filters call */
	struct sflt_state *sflt;
	struct dlil_state *dlil;
	struct iff_state *iff;
	struct bpf_state *bpf;
	struct route_state *routes;
	struct neighbor_table *neighbors;
	struct arp_state *arp;
	struct nd6_state *nd6;
	struct rtable *rtable;
	struct ip_state *ip;
	struct ip6_state *ip6;
	struct icmp_state *icmp;
	struct icmp6_state *icmp6;
	struct igmp_state *igmp;
	struct mld_state *mld;
	struct ipf_state *ipf;
	struct in_multi_state *in_multis;
	struct inet_state *inet;
	struct udp_state *udp;
	struct tcp_state *tcp;
	struct rip_state *rip;
	struct rip6_state *rip6;
	struct dhcp_clients *dhcp;
	struct replay *replay;		/* NULL unless a capture is being replayed */
};

/* The struct of `type` of which `*p` is the member `member`. */
#define CONTAINER_OF(p, type, member)	\
	((type *)(void *)((uintptr_t)(p) - offsetof(type, member)))

/*
 * One line per subsystem in init_main.c: `init` runs in the order of that list with the machine
 * current, `fini` in the reverse order, also for a machine whose creation failed half-way (only the
 * ones whose init succeeded). `quiesce` runs for all, in reverse order, before the first fini:
 * give up what other subsystems hold.
 */
struct subsystem {
	const char *name;
	errno_t (*init)(struct nke *);
	void (*quiesce)(struct nke *);
	void (*fini)(struct nke *);
};

#endif
