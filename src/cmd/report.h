/* What a replay did, for people and for programs. Used by replay.c. */
#ifndef NKE_CMD_REPORT_H
#define NKE_CMD_REPORT_H

#include <nke/replay.h>
#include <nke/stats.h>
#include <stdio.h>

#include "src/cmd/cmd.h"

#define REPORT_FILTERS	128

#define REPORT_KEXTS	64

/* What a kext took. */
struct report_kext {
	char identifier[128];
	uint64_t memory_peak_bytes;
	uint64_t calls;			/* of its callbacks */
	double seconds;			/* in these calls; those that see packets are measured on a sample */
};

struct report {
	const char *input, *output;
	const char *host, *link;
	bool host_found;		/* in the capture; else it was told */
	unsigned jobs;
	bool sockets;			/* flows were re-enacted */
	double seconds;			/* wall clock, playing only */
	struct nke_replay_stats stats;
	struct nke_filter_stats filters[REPORT_FILTERS];	/* summed over the machines */
	size_t filter_count;
	struct report_kext kexts[REPORT_KEXTS];	/* in order of loading, summed over the machines */
	size_t kext_count;
	struct nke_memory memory;	/* peaks and denied, summed over the machines */
	nke_replay_t *replay;		/* whose machines' IP counters are shown */
	char error[4096];		/* "" or what went wrong first, in one or more lines */
	int exit_code;
};

void report_print(FILE *, const struct report *);
/* 0 or an errno; a line on standard error says what went wrong. */
int report_write_json(const char *path, const struct report *);

/* Of kexts (report_kexts.c): to be collected after the filters and before they are unloaded. */
void report_collect_kexts(nke_replay_t *, struct report *);
void report_print_kexts(FILE *, const struct report *);
json_t *report_kexts_json(const struct report *);
/* Of a replay with sockets (report_flows.c): the lines and the object "sockets". */
void report_print_flows(FILE *, const struct report *);
json_t *report_flows_json(const struct report *);

#endif
