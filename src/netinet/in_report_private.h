/* What in_report.c (what is said when) and in_record.c (how it is put into messages) share. */
#ifndef NKE_NETINET_IN_REPORT_PRIVATE_H
#define NKE_NETINET_IN_REPORT_PRIVATE_H

#include "src/netinet/in_report.h"

enum record {
	IS_INCLUDE = 1, IS_EXCLUDE, TO_INCLUDE, TO_EXCLUDE, ALLOW, BLOCK
};

struct report_group {
	struct reporter *reporter;
	struct in_multi *inm;		/* referenced */
	uint64_t query_due;		/* uptime ns: of the answer, or of a repeated older report */
	uint64_t change_due;
	uint8_t mode_left;		/* times the change of mode is yet to be told */
	uint8_t repeats;		/* older versions: times the first report is yet to be repeated */
	bool last;			/* older versions: nobody has reported it since we did */
	uint8_t queried;		/* of `sources`; 0 and query_due set: all */
	union in_any sources[REPORT_QUERIED_MAX];
};

/* A message that is full. */
struct report_message {
	struct report_message *next;
	unsigned count;			/* records */
	size_t len;
	uint8_t bytes[];
};

/* Records on their way into messages. */
struct report_out {
	const struct reporter *reporter;
	struct ifnet *ifp;
	size_t room, used;
	size_t record;			/* where the last one begins */
	unsigned count, sources;	/* records; sources of the last one */
	struct report_message *full, **end;
	uint8_t bytes[REPORT_BYTES];
};

/* ---- in_record.c -------------------------------------------------------------------------- */

void report_out_begin(struct report_out *, const struct reporter *, struct ifnet *);
/*
 * Sends what there is: the end. Whoever sends may call kexts, which may change every membership: the caller
 * has done everything else before.
 */
void report_out_send(struct report_out *);
/* The sources that the interface lists. */
void report_out_list(struct report_out *, enum record type, const struct in_multi *);
/* What the interface wants now. */
void report_out_current(struct report_out *, const struct in_multi *);
/* Sources whose change is yet to be told; once less from now on. */
void report_out_changes(struct report_out *, enum record type, struct in_multi *);
/* Of the sources that were asked for, those that are wanted (RFC 3376 5.2, last table). */
void report_out_queried(struct report_out *, const struct report_group *);

#endif
