/* What the files of `nke drill` share: drill.c (options, running), drill_find.c, drill_report.c. */
#ifndef NKE_CMD_DRILL_H
#define NKE_CMD_DRILL_H

#include "src/cmd/cmd.h"
#include "src/drill/config.h"
#include "src/drill/run.h"

/* A script of this run. */
struct drill_item {
	char *path;			/* to be freed */
	char *capture;			/* NULL; to be freed */
	struct drill_result result;
	char *out;			/* what it said; to be freed */
	size_t out_len;
	double seconds;			/* by the wall clock */
	bool done;
};

struct drill_items {
	struct drill_item *items;
	size_t count, room;
};

/*
 * Adds a file, or all scripts (*.pkt) of a folder and those in it, by name. False: there is none, or no
 * memory; told.
 */
bool drill_find(struct drill_items *, const char *path);
void drill_items_free(struct drill_items *);

const char *drill_outcome_name(enum drill_outcome);
/* One script, when it is over. */
void drill_report_item(FILE *, const struct drill_item *, unsigned verbose);
void drill_report_summary(FILE *, const struct drill_items *, double seconds);
/* JUnit's XML. 0 or an errno. */
int drill_report_junit(const char *path, const struct drill_items *, double seconds);

#endif
