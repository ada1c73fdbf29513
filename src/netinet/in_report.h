/*
 * Telling routers which groups an interface listens to: the host's half of IGMPv3 (RFC 3376 5) and MLDv2
 * (RFC 3810 6), which are the same machine with other messages, and of their older versions.
 *
 * igmp.c and mld6.c each own one reporter: they read messages and make them, this decides what is said when.
 * What the interfaces want comes from in_multi.c, which calls report_changed through what they register.
 */
#ifndef NKE_NETINET_IN_REPORT_H
#define NKE_NETINET_IN_REPORT_H

#include "src/kern/callout.h"
#include "src/netinet/in_multi.h"

#define REPORT_BYTES		1200u	/* of records in one message: with its headers it fits every link */
#define REPORT_QUERIED_MAX	32u	/* sources asked for in one group; more: everything is answered */
#define REPORT_ROBUSTNESS	2u	/* RFC 3376 8.1: how often a change is told, until a router says */
#define REPORT_ROBUSTNESS_MAX	7u
#define REPORT_QUERY_INTERVAL	125u	/* seconds: RFC 3376 8.2 */
#define REPORT_VERSIONS		4u

/* An interface on which groups are reported. */
struct report_if {
	TAILQ_ENTRY(report_if) link;
	struct ifnet *ifp;		/* referenced */
	/* By version: until when (uptime ns) a router of that older version counts as present; 0 not. */
	uint64_t older_until[REPORT_VERSIONS];
	uint8_t robustness;		/* as the router says */
	uint32_t query_interval;	/* seconds, the same */
	unsigned version;		/* that is spoken since the last look */
	uint64_t general_due;		/* uptime ns of the answer to a general query, UINT64_MAX none */
	struct in_multi *heard_at;	/* our membership where routers ask; NULL: none */
};

struct reporter;

struct report_ops {
	sa_family_t family;
	unsigned newest;		/* version whose reports are lists of records: 3, or MLD's 2 */
	unsigned oldest;
	unsigned oldest_leave;		/* first version in which leaving is said */
	const union in_any *asked_at;	/* group to which routers ask all hosts; NULL: is joined anyway */
	uint64_t first_delay;		/* ns: of repeated reports in older versions, at most */
	/* Never reported, not even to a router that asks: 224.0.0.1, ff02::1 ... */
	bool (*silent)(const struct reporter *, const void *group);
	/* `count` records (network order, RFC 3376 4.2, RFC 3810 5.2), `len` bytes. */
	void (*send_records)(struct nke *, struct ifnet *, const void *records, size_t len, unsigned count);
	/* A report, or a leave, of an older version. */
	void (*send_old)(struct nke *, struct ifnet *, const void *group, unsigned version, bool leave);
};

struct reporter {
	struct nke *machine;
	const struct report_ops *ops;
	int default_version;		/* sysctl; oldest to newest */
	uint64_t next;			/* uptime ns for which the callout is armed; UINT64_MAX not */
	struct callout timer;
	TAILQ_HEAD(, report_if) interfaces;
};

/* A query, as read. */
struct report_query {
	unsigned version;
	const void *group;		/* NULL: general */
	uint64_t max_delay;		/* ns */
	uint8_t robustness;		/* 0: not said */
	uint32_t interval;		/* seconds; 0: not said */
	unsigned source_count;		/* 0: all; never more than REPORT_QUERIED_MAX */
	union in_any sources[REPORT_QUERIED_MAX];
};

void report_init(struct reporter *, struct nke *, const struct report_ops *);
/* Everything that waits is forgotten, nothing is said. */
void report_stop(struct reporter *);
/* What the interface wants has changed (in_multi_set_reporter). */
void report_changed(struct reporter *, struct ifnet *, struct in_multi *);
/* A router asks. */
void report_asked(struct reporter *, struct ifnet *, const struct report_query *);
/* Another member has reported the group in an older version: we need not. True: we are members too. */
bool report_heard(struct reporter *, struct ifnet *, const void *group);
/* The interface has an address now: it listens where routers ask, also before it has groups. */
void report_interface(struct reporter *, struct ifnet *);
/* Everything is reported anew, as soon as can be: what was said so far came from no good address. */
void report_again(struct reporter *, struct ifnet *);
void report_interface_gone(struct reporter *, struct ifnet *);

#endif
