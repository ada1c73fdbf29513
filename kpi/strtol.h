/* One parser of integers for strtol() and its family and for sscanf(). */
#ifndef NKE_KPI_STRTOL_H
#define NKE_KPI_STRTOL_H

#include <stdbool.h>

struct parsed_integer {
	unsigned long magnitude;
	bool negative;
	bool overflow;			/* the magnitude did not fit */
};

/*
 * Takes blanks, a sign, a prefix and digits from `text`, none of them at or after `limit`, and
 * returns the first character not taken: `text` itself when there is no number. `base` as for
 * strtol().
 */
const char *parse_integer(const char *text, const char *limit, int base, struct parsed_integer *);

#endif
