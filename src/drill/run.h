/* Running a script against a machine of its own, in virtual time. */
#ifndef NKE_DRILL_RUN_H
#define NKE_DRILL_RUN_H

#include "src/drill/config.h"
#include "src/drill/script.h"

enum drill_outcome {
	DRILL_PASSED,
	DRILL_FAILED,			/* the machine did something else than the script says */
	DRILL_BROKEN,			/* the script cannot be read or asks for what there is not */
	DRILL_PANICKED,			/* the machine did */
	DRILL_KEXT			/* a kext does not load or unload */
};

struct drill_result {
	enum drill_outcome outcome;
	unsigned line;			/* of the event that failed; 0: none */
	char *text;			/* what was wrong at length, lines; NULL when passed. To be freed */
	uint64_t virtual_us;		/* how long it took in the machine's time */
	unsigned events;		/* that were done */
};

/*
 * Runs a script; `config` has the command line's settings with the script's own put over them
 * (drill_config_script). What -v tells, warnings and what kexts log go to `out`, whole lines. May be called
 * by several threads at once, with different results. Returns result->outcome.
 */
enum drill_outcome drill_run(const struct drill_script *, const struct drill_config *config, FILE *out,
    struct drill_result *result);

#endif
